"""Find in the page: a bar with the text, the count, and steps to the next and the previous place."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import IconButton, SearchBox, label


class FindBar(QFrame):
    """Asks for a text and shows how many places hold it.

    Signals:
        text_changed(str): what to find; empty for nothing.
        step_requested(int): 1 for the next place, -1 for the previous.
        closed(): the user is done.
    """

    text_changed = Signal(str)
    step_requested = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reader-find")
        self.setProperty("surface", "bar")
        self._box = SearchBox("Find in page", "Find in page", self, height=30)
        self._count = label("", "meta", self)
        self._count.setMinimumWidth(64)
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._box.add_trailing(self._count)
        self._previous = IconButton("chevron-up", "Previous match", self, size=16, shortcut="Shift+Enter")
        self._next = IconButton("chevron-down", "Next match", self, size=16, shortcut="Enter")
        close = IconButton("x", "Close find", self, size=16, shortcut="Esc")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(28, 6, 12, 6)
        layout.setSpacing(4)
        layout.addWidget(self._box, 1)
        for button in (self._previous, self._next, close):
            layout.addWidget(button)
        self._box.input.textChanged.connect(self.text_changed)
        self._box.input.installEventFilter(self)
        self._box.escape_pressed.connect(self.closed)
        self._next.clicked.connect(self._on_next)
        self._previous.clicked.connect(self._on_previous)
        close.clicked.connect(self.closed)
        self.show_count(0, 0)

    def open(self, text: str = "") -> None:
        """Show the bar, ready to type; ``text`` replaces what was there when not empty."""
        self.show()
        if text:
            self._box.input.setText(text)
        self._box.input.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._box.input.selectAll()
        self.text_changed.emit(self._box.input.text())

    def text(self) -> str:
        """Return what is to be found."""
        return self._box.input.text()

    def show_count(self, number: int, total: int) -> None:
        """Say that place ``number`` (1-based, 0 for none) of ``total`` is shown."""
        wanted = bool(self.text())
        text = f"{number} of {total}" if total else ("no match" if wanted else "")
        self._count.setText(text)
        self._count.setAccessibleName(text)
        set_property(self._count, "tone", "danger" if wanted and not total else "")
        self._next.setEnabled(total > 0)
        self._previous.setEnabled(total > 0)

    def count_text(self) -> str:
        """Return what the count says."""
        return self._count.text()

    def _on_next(self) -> None:
        self.step_requested.emit(1)

    def _on_previous(self) -> None:
        self.step_requested.emit(-1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Step with Enter and Shift+Enter."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and _is_enter(event):
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.step_requested.emit(-1 if back else 1)
            return True
        return super().eventFilter(watched, event)


def _is_enter(event: QKeyEvent) -> bool:
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
