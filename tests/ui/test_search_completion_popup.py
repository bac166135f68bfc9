"""The completion popup over a real field: which keys it takes and which it leaves."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from kb_app.ui.common.theme import Theme
from kb_app.ui.search.completion_popup import CompletionPopup
from kb_app.ui.search.panel import SearchPanel

COUNTS = {"kind": {"known-fix": 8, "internals": 4}, "component": {"gateway": 3, "api gateway": 2}}
Key = Qt.Key


class Bench:
    """A field, its popup, and what leaves the field."""

    def __init__(self, qtbot: QtBot) -> None:
        Theme.current()
        self.body = QWidget()
        self.body.resize(900, 500)
        self.panel = SearchPanel("Ctrl K", self.body)
        self.panel.resize(500, 36)
        self.popup = CompletionPopup(self.panel.edit, self.body)
        self.popup.set_counts(COUNTS, is_everything=True)
        self.moves: list[int] = []
        self.accepts: list[bool] = []
        self.panel.moved.connect(self.moves.append)
        self.panel.accepted.connect(lambda: self.accepts.append(True))
        qtbot.addWidget(self.body)
        self.body.show()
        qtbot.waitExposed(self.body)
        self.body.activateWindow()
        self.panel.focus()
        qtbot.waitUntil(self.panel.edit.hasFocus)

    @property
    def text(self) -> str:
        return self.panel.edit.text()


@pytest.fixture
def bench(qtbot: QtBot) -> Bench:
    return Bench(qtbot)


def test_tab_takes_a_field_and_then_its_value(bench: Bench, qtbot: QtBot) -> None:
    qtbot.keyClicks(bench.panel.edit, "ki")
    qtbot.keyClick(bench.panel.edit, Key.Key_Tab)
    assert bench.text == "kind:"
    assert [offer.label for offer in bench.popup.offers] == ["fix", "internals", "runbook", "note"]
    qtbot.keyClick(bench.panel.edit, Key.Key_Down)
    qtbot.keyClick(bench.panel.edit, Key.Key_Down)
    qtbot.keyClick(bench.panel.edit, Key.Key_Return)
    assert bench.text == "kind:internals "
    assert not bench.popup.isVisible()
    assert bench.panel.edit.hasFocus()
    assert (bench.moves, bench.accepts) == ([], [])


def test_while_words_are_typed_down_and_enter_belong_to_the_results(bench: Bench, qtbot: QtBot) -> None:
    qtbot.keyClicks(bench.panel.edit, "state")
    assert bench.popup.isVisible()
    qtbot.keyClick(bench.panel.edit, Key.Key_Down)
    qtbot.keyClick(bench.panel.edit, Key.Key_Return)
    assert (bench.moves, bench.accepts, bench.text) == ([1], [True], "state")


def test_enter_opens_the_result_while_no_value_is_chosen(bench: Bench, qtbot: QtBot) -> None:
    qtbot.keyClicks(bench.panel.edit, "kind:in")
    qtbot.keyClick(bench.panel.edit, Key.Key_Return)
    assert bench.accepts == [True]
    assert bench.text == "kind:in"


def test_esc_closes_the_list_first_and_then_clears(bench: Bench, qtbot: QtBot) -> None:
    qtbot.keyClicks(bench.panel.edit, "kind:")
    qtbot.keyClick(bench.panel.edit, Key.Key_Escape)
    assert not bench.popup.isVisible()
    assert bench.text == "kind:"
    qtbot.keyClick(bench.panel.edit, Key.Key_Down)
    assert bench.moves == [1]
    qtbot.keyClick(bench.panel.edit, Key.Key_Escape)
    assert bench.text == ""


def test_everything_is_offered_when_asked_for(bench: Bench, qtbot: QtBot) -> None:
    qtbot.keyClick(bench.panel.edit, Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert "changed:" in [offer.label for offer in bench.popup.offers]
    bench.popup.set_counts(COUNTS, is_everything=True)
    assert bench.popup.isVisible()


def test_a_value_with_a_space_is_quoted_and_the_rest_stays(bench: Bench, qtbot: QtBot) -> None:
    bench.panel.edit.setText("lease lost")
    bench.panel.edit.setCursorPosition(0)
    qtbot.keyClicks(bench.panel.edit, "component:api")
    qtbot.keyClick(bench.panel.edit, Key.Key_Tab)
    assert bench.text.startswith('component:"api gateway" ')
    assert "lost" in bench.text


def test_the_list_goes_with_the_focus(bench: Bench, qtbot: QtBot) -> None:
    qtbot.keyClicks(bench.panel.edit, "kind:")
    bench.panel.edit.clearFocus()
    assert not bench.popup.isVisible()
