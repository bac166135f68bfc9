"""The preview of a paste: its keys belong to it, not to the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from kb_app.search.model import LineMatch
from kb_app.ui.common.theme import Theme
from kb_app.ui.searching.paste_preview import PastePreview

PASTE = "\n".join(f"line {number} of the log" for number in range(1, 31))
MATCHES = (LineMatch(4, 40), LineMatch(9, 90), LineMatch(21, 12))
Key = Qt.Key


def test_its_keys_walk_jump_and_close_and_never_reach_the_window(qtbot: QtBot) -> None:
    Theme.current()
    window = QMainWindow()
    body = QWidget()
    window.setCentralWidget(body)
    taken: list[str] = []
    for key in ("N", "P"):
        action = QAction(key, window, shortcut=QKeySequence(key))
        action.triggered.connect(lambda _checked=False, key=key: taken.append(key))
        window.addAction(action)
    qtbot.addWidget(window)
    window.resize(900, 700)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    preview = PastePreview(body)
    preview.show_paste(PASTE)
    preview.open_below(body, body)
    preview.set_matches(MATCHES, "An entry")
    qtbot.waitUntil(preview.list.hasFocus)
    assert preview.title == "30 pasted lines, 3 of them in \u201cAn entry\u201d"
    lines: list[int] = []
    preview.line_requested.connect(lines.append)
    for key in (Key.Key_Return, Key.Key_N, Key.Key_Return, Key.Key_P, Key.Key_P, Key.Key_Return):
        qtbot.keyClick(preview.list, key)
    assert lines == [40, 90, 12]
    qtbot.keyClick(preview.list, Key.Key_Down)
    qtbot.keyClick(preview.list, Key.Key_Return)
    assert lines == [40, 90, 12]  # that line stands in no entry
    assert taken == []
    qtbot.keyClick(preview.list, Key.Key_Escape)
    assert not preview.isVisible()
