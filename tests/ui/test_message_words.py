from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from kb_app.ui.common.message_words import LINES, MessageWords
from kb_app.ui.common.messages import Message, MessageBar
from kb_app.ui.common.theme import Theme

LONG = "The index cannot be written because the device is full. " * 12
HINT = "Free some space, or set KB_APP_HOME to another folder"


@pytest.fixture
def words(qtbot: QtBot) -> MessageWords:
    Theme.current()
    words = MessageWords()
    qtbot.addWidget(words)
    words.resize(420, 60)
    return words


def test_a_short_message_stands_on_one_line_with_what_can_be_done(words: MessageWords) -> None:
    words.set_words("It stopped", "Start it")
    assert words.shown_lines() == ("It stopped   Start it",)
    assert not words.is_cut
    assert words.heightForWidth(420) == words.sizeHint().height()


def test_a_longer_one_takes_two_lines_and_nothing_is_lost(words: MessageWords) -> None:
    text = "The index cannot be written because the device is full and nothing can go there any more"
    words.set_words(text, "Free space")
    lines = words.shown_lines()
    assert len(lines) == LINES
    assert "".join(lines) == f"{text}   Free space"
    assert not words.is_cut


def test_more_than_two_lines_end_in_an_ellipsis_and_all_of_it_can_be_asked_for(words: MessageWords) -> None:
    words.set_words(LONG, HINT)
    assert words.is_cut
    lines = words.shown_lines()
    assert len(lines) == LINES
    assert lines[-1].endswith("…")
    assert HINT in words.toolTip()
    folded = words.heightForWidth(420)
    words.set_open(is_open=True)
    assert "".join(words.shown_lines()).endswith(HINT)
    assert words.heightForWidth(420) > 2 * folded
    assert words.accessibleName().endswith(HINT)


def test_the_bar_offers_all_of_a_message_only_where_it_is_cut(qtbot: QtBot) -> None:
    Theme.current()
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.resize(600, 60)
    bar.show()
    bar.post(Message("It stopped", "Start it"))
    assert bar.more.isHidden()
    bar.post(Message(LONG, HINT))
    qtbot.waitUntil(lambda: bar.words.is_cut and not bar.more.isHidden(), timeout=60_000)
    bar.more.click()
    assert bar.words.is_open
    assert bar.more.text() == "Show less"
    bar.dismiss()
    assert bar.more.isHidden()
