from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from kb_app.ui.common.messages import Message, MessageBar, Toast, Weight
from kb_app.ui.common.theme import Theme


@pytest.fixture
def bar(qtbot: QtBot) -> MessageBar:
    Theme.current()
    bar = MessageBar()
    qtbot.addWidget(bar)
    return bar


def test_a_problem_stands_before_a_note_and_the_note_is_not_lost(bar: MessageBar) -> None:
    note, problem = Message("a note"), Message("a problem", weight=Weight.PROBLEM)
    bar.post(note)
    bar.post(problem)
    assert bar.current == problem
    bar.dismiss()
    assert bar.current == note
    bar.dismiss()
    assert bar.current is None
    assert bar.isHidden()


def test_a_later_message_of_a_topic_replaces_the_former_and_a_settled_topic_goes(bar: MessageBar) -> None:
    bar.post(Message("first", topic="entry"))
    bar.post(Message("second", topic="entry"))
    assert bar.current == Message("second", topic="entry")
    bar.settle("entry")
    assert bar.current is None


def test_the_action_runs_once_and_takes_the_message_away(bar: MessageBar) -> None:
    runs: list[int] = []
    bar.post(Message("it stopped", action="Start it", run=lambda: runs.append(1)))
    bar.action_button.click()
    assert runs == [1]
    assert bar.current is None


def test_the_same_message_twice_is_one(bar: MessageBar) -> None:
    for _ in range(3):
        bar.post(Message("again"))
    bar.dismiss()
    assert bar.current is None


def test_a_toast_passes_by_itself(bar: MessageBar, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    bar.resize(400, 200)
    bar.show()
    toast = Toast(bar)
    toast.timer.setInterval(10)
    toast.say("Copied")
    assert toast.text() == "Copied"
    qtbot.waitUntil(lambda: toast.text() == "", timeout=60_000)
