"""The small shared widgets."""

from __future__ import annotations

import gc
from html import escape

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import (
    Badge,
    Chip,
    ElidedLabel,
    EmptyState,
    IconButton,
    IconLabel,
    ProgressLine,
    SearchBox,
    label,
    plain_tooltip,
    text_button,
)


def name_of(widget: QWidget) -> str:
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def test_an_icon_button_says_what_it_does_to_everyone(qtbot: QtBot) -> None:
    button = IconButton("search", "Find in page", shortcut="Ctrl+F")
    qtbot.addWidget(button)
    assert name_of(button) == "Find in page"
    assert button.toolTip() == "Find in page (Ctrl+F)"
    button.set_name("Close find")
    assert button.toolTip() == "Close find (Ctrl+F)"
    assert not button.isCheckable()
    assert not button.icon().isNull()


def test_an_icon_button_with_a_second_colour_can_be_on(qtbot: QtBot) -> None:
    button = IconButton("star", "Star", checked_color="accent")
    qtbot.addWidget(button)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.isChecked()


def test_icons_of_deleted_widgets_do_not_disturb_a_change_of_theme(qtbot: QtBot) -> None:
    theme = Theme.current()
    for _ in range(50):
        parent = QWidget()
        IconLabel("info", parent=parent)
        Badge("info", "Note", "info", parent)
        IconButton("x", "Close", parent)
        bind_icon(QPushButton(parent), "copy")
        parent.deleteLater()
        QApplication.sendPostedEvents(parent, QEvent.Type.DeferredDelete)
        del parent
    gc.collect()
    theme.toggle()
    theme.toggle()


def test_a_second_binding_replaces_the_first(qtbot: QtBot) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    bind_icon(button, "copy")
    first = button.icon().cacheKey()
    bind_icon(button, "check")
    assert button.icon().cacheKey() != first
    assert len(button.children()) == 1


def test_a_chip_and_a_badge_have_no_more_room_than_they_need(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QHBoxLayout(window)
    chip, badge = Chip("tag"), Badge("circle-check", "Verified", "fix")
    layout.addWidget(chip)
    layout.addWidget(badge)
    layout.addStretch(1)
    window.resize(800, 60)
    window.show()
    assert chip.width() <= chip.sizeHint().width()
    assert badge.width() <= badge.sizeHint().width()
    badge.set_badge("archive", "Retired", "danger")
    assert (badge.text(), name_of(badge)) == ("Retired", "Retired")


@pytest.mark.parametrize("width", [40, 90, 300])
def test_an_elided_label_shows_both_ends_and_keeps_all_in_the_tooltip(qtbot: QtBot, width: int) -> None:
    text = "control-plane / kube-apiserver / KubeAPIErrorBudgetBurn.md"
    elided = ElidedLabel(text)
    qtbot.addWidget(elided)
    elided.resize(width, 20)
    elided.show()
    shown = elided.shown_text()
    if width < 300:
        assert "…" in shown
        assert elided.toolTip() == plain_tooltip(text)
    assert elided.fontMetrics().horizontalAdvance(shown) <= width
    elided.resize(1_000, 20)
    assert elided.shown_text() == text
    assert elided.toolTip() == ""


def test_an_elided_label_has_one_line(qtbot: QtBot) -> None:
    elided = ElidedLabel("one\ntwo")
    qtbot.addWidget(elided)
    assert elided.text() == "one two"


@pytest.mark.parametrize("text", ["<b>x</b>", "<img src='file:///dev/zero'>", "a & b"])
def test_a_tooltip_from_an_entry_is_text(text: str) -> None:
    assert escape(text, quote=False) in plain_tooltip(text).replace("&#x27;", "'")
    assert "<b>" not in plain_tooltip(text)
    assert "<img" not in plain_tooltip(text)
    assert plain_tooltip("") == ""


def test_labels_take_text_as_it_is(qtbot: QtBot) -> None:
    for made in (label("<b>x</b>", "secondary"), Chip("<b>x</b>"), ElidedLabel("<b>x</b>")):
        qtbot.addWidget(made)
        assert made.textFormat() == Qt.TextFormat.PlainText


def test_progress_without_an_end_is_shown_as_such(qtbot: QtBot) -> None:
    line = ProgressLine("Indexing")
    qtbot.addWidget(line)
    line.set_progress(3, 8)
    assert (line.value(), line.maximum()) == (3, 8)
    line.set_progress(0, 0)
    assert (line.minimum(), line.maximum()) == (0, 0)
    assert name_of(line) == "Indexing"
    assert line.height() == 4


def test_an_empty_state_offers_its_actions_in_order(qtbot: QtBot) -> None:
    first, second = QAction("Add a knowledge base"), QAction("Look around")
    state = EmptyState("inbox", "Nothing yet", "Add a folder.", [first, second])
    qtbot.addWidget(state)
    buttons = state.findChildren(QPushButton)
    assert [button.text() for button in buttons] == ["Add a knowledge base", "Look around"]
    assert [button.property("role") for button in buttons] == ["primary", "ghost"]
    with qtbot.waitSignal(second.triggered):
        QTest.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    state.set_state("inbox", "Other", "")
    assert [label.text() for label in state.findChildren(QLabel) if label.text()] == ["Other"]


def test_the_frame_of_a_search_box_shows_the_focus_and_takes_clicks(qtbot: QtBot) -> None:
    box = SearchBox("Search", "Paste an error")
    qtbot.addWidget(box)
    box.resize(300, 36)
    box.show()
    box.activateWindow()
    qtbot.waitUntil(box.isActiveWindow)
    box.input.clearFocus()
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, box.rect().topLeft())
    assert box.input.hasFocus()
    assert box.property("focused") == "true"
    with qtbot.waitSignal(box.escape_pressed):
        QTest.keyClick(box.input, Qt.Key.Key_Escape)
    assert name_of(box.input) == "Search"


def test_a_text_button_has_an_icon_that_fits_its_role(qtbot: QtBot) -> None:
    button = text_button("Copy", "primary", "copy")
    qtbot.addWidget(button)
    assert button.property("role") == "primary"
    assert not button.icon().isNull()
    assert name_of(button) == "Copy"
