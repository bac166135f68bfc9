from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from kb_app.ui.common.theme import Theme
from kb_app.ui.sync.chip import SyncChip
from kb_app.ui.topbar import TopBar


@pytest.fixture
def bar(qtbot: QtBot) -> TopBar:
    Theme.current()
    bar = TopBar()
    qtbot.addWidget(bar)
    bar.show()
    return bar


def widen(bar: TopBar, width: int, qtbot: QtBot) -> None:
    bar.resize(width, bar.height())
    bar.set_window_width(width)
    qtbot.wait(20)


def add_chip(bar: TopBar, text: str) -> SyncChip:
    chip = SyncChip()
    bar.compacted.connect(chip.set_compact)
    bar.add_chip(chip)
    chip.show_state("cloud", "text2", text, text)
    return chip


def test_the_words_of_the_index_give_way_before_those_of_a_chip(bar: TopBar, qtbot: QtBot) -> None:
    bar.status.show_idle("12,345 entries", "The index is up to date")
    chip = add_chip(bar, "needs an answer")
    widen(bar, 1600, qtbot)
    assert chip.text().strip() == "needs an answer"
    assert bar.status.sizeHint().width() > 60
    widen(bar, 1280, qtbot)
    assert chip.text().strip() == "needs an answer"
    assert bar.status.sizeHint().width() < 60
    assert bar.status.toolTip() == "The index is up to date"
    widen(bar, 1000, qtbot)
    assert chip.text() == ""
    assert chip.accessibleName() == "Sync: needs an answer"
    widen(bar, 1600, qtbot)
    assert chip.text().strip() == "needs an answer"


def test_a_chip_says_its_words_again_when_the_index_needs_its_room_no_more(bar: TopBar, qtbot: QtBot) -> None:
    chip = add_chip(bar, "needs an answer")
    widen(bar, 1280, qtbot)
    bar.status.show_progress(43, 100)
    qtbot.waitUntil(lambda: chip.text() == "", timeout=60_000)
    bar.status.show_idle("63 entries")
    qtbot.waitUntil(lambda: chip.text().strip() == "needs an answer", timeout=60_000)
