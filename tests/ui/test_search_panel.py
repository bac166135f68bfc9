from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDropEvent, QGuiApplication
from pytestqt.qtbot import QtBot

from kb_app.ui.common.theme import Theme
from kb_app.ui.search.panel import PASTE_PLACEHOLDER, SearchPanel
from kb_app.ui.search.state import Query

LOG = "\n".join(f"line {n} of the log" for n in range(40))


@pytest.fixture
def panel(qtbot: QtBot) -> SearchPanel:
    Theme.current()
    panel = SearchPanel("Ctrl K")
    qtbot.addWidget(panel)
    panel.show()
    panel.focus()
    return panel


def queries_of(panel: SearchPanel) -> list[Query]:
    seen: list[Query] = []
    panel.query_changed.connect(seen.append)
    return seen


def test_each_key_asks(panel: SearchPanel, qtbot: QtBot) -> None:
    seen = queries_of(panel)
    qtbot.keyClicks(panel.edit, "etcd")
    assert [query.typed for query in seen] == ["e", "et", "etc", "etcd"]


def test_a_pasted_log_becomes_a_chip_and_asks_once(panel: SearchPanel, qtbot: QtBot) -> None:
    seen = queries_of(panel)
    QGuiApplication.clipboard().setText(LOG)
    qtbot.keyClick(panel.edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert [query.text for query in seen] == [LOG]
    assert panel.chip.isVisible()
    assert panel.chip.label.text() == "pasted 40 lines"
    assert panel.edit.text() == ""
    assert panel.edit.placeholderText() == PASTE_PLACEHOLDER


def test_a_pasted_line_lands_in_the_field(panel: SearchPanel, qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText("KubePodCrashLooping\n")
    qtbot.keyClick(panel.edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert panel.edit.text().strip() == "KubePodCrashLooping"
    assert not panel.chip.isVisible()


def test_dropped_text_is_taken_like_a_paste(panel: SearchPanel) -> None:
    mime = QMimeData()
    mime.setText(LOG)
    event = QDropEvent(
        QPointF(4, 4),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    panel.edit.dropEvent(event)
    assert panel.chip.label.text() == "pasted 40 lines"


def test_escape_clears_words_and_paste(panel: SearchPanel, qtbot: QtBot) -> None:
    panel.set_text(LOG)
    qtbot.keyClicks(panel.edit, "more")
    qtbot.keyClick(panel.edit, Qt.Key.Key_Escape)
    assert panel.query == Query()
    assert not panel.chip.isVisible()
    assert panel.edit.text() == ""


def test_backspace_in_the_empty_field_takes_the_chip_away(panel: SearchPanel, qtbot: QtBot) -> None:
    panel.set_text(LOG)
    qtbot.keyClick(panel.edit, Qt.Key.Key_Backspace)
    assert panel.query == Query()


def test_the_cross_of_the_chip_keeps_the_words(panel: SearchPanel, qtbot: QtBot) -> None:
    panel.set_text(LOG)
    qtbot.keyClicks(panel.edit, "redis")
    panel.chip.remove_button.click()
    assert panel.query == Query("redis")


def test_the_chip_s_tooltip_shows_hidden_characters_as_escapes(panel: SearchPanel) -> None:
    panel.set_text("a\u202eb\n<img src=x>\nc")
    assert "\\u202e" in panel.chip.toolTip()
    assert "<img" not in panel.chip.toolTip()


@pytest.mark.parametrize(
    ("key", "signal", "value"),
    [
        (Qt.Key.Key_Down, "moved", 1),
        (Qt.Key.Key_Up, "moved", -1),
        (Qt.Key.Key_PageDown, "page_moved", 1),
        (Qt.Key.Key_PageUp, "page_moved", -1),
    ],
)
def test_arrows_move_the_list(panel: SearchPanel, qtbot: QtBot, key: Qt.Key, signal: str, value: int) -> None:
    with qtbot.waitSignal(getattr(panel, signal)) as caught:
        qtbot.keyClick(panel.edit, key)
    assert caught.args == [value]


def test_enter_opens(panel: SearchPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.accepted):
        qtbot.keyClick(panel.edit, Qt.Key.Key_Return)


def test_the_context_menu_pastes_with_care(panel: SearchPanel, qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText(LOG)
    menu = panel.edit.careful_menu()
    [paste] = [action for action in menu.actions() if action.objectName() == "careful-paste"]
    paste.trigger()
    assert panel.chip.label.text() == "pasted 40 lines"
    assert not [action for action in menu.actions() if action.objectName() == "edit-paste"]
