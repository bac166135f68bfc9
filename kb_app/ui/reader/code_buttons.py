"""Copy buttons on the code cards: real buttons over the page, which keyboard and screen readers reach."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from kb_app.ui.common.icons import bind_icon

_EDGE = 28
_INSET = 5
_SAID_MS = 1_600
"""How long a button shows that it has copied."""


class CopyButton(QToolButton):
    """Copies one code block; ``number`` says which."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.number = -1
        self.setProperty("role", "oncode")
        self.setFixedSize(_EDGE, _EDGE)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self._said = QTimer(self)
        self._said.setSingleShot(True)
        self._said.setInterval(_SAID_MS)
        self._said.timeout.connect(self._rest)
        self._rest()

    def show_for(self, number: int, name: str, place: QPoint) -> None:
        """Stand at ``place`` for code block ``number``."""
        if number != self.number:
            self.number = number
            self._said.stop()
            self._rest()
        self.setAccessibleName(name)
        self.move(place)
        self.show()

    def say_copied(self) -> None:
        """Show for a moment that the text is on the clipboard."""
        bind_icon(self, "check", "fix", 16)
        self.setToolTip("Copied")
        self._said.start()

    def _rest(self) -> None:
        bind_icon(self, "copy", "text3", 16)
        self.setToolTip("Copy")


class CodeButtons(QObject):
    """As many buttons as code cards are visible.

    Signals:
        pressed(int): number of the code block to copy.
    """

    pressed = Signal(int)

    def __init__(self, viewport: QWidget) -> None:
        super().__init__(viewport)
        self._viewport = viewport
        self._buttons: list[CopyButton] = []

    def place(self, cards: dict[int, tuple[QRect, str]]) -> None:
        """Stand on ``cards``: code block's number to its rectangle in the viewport and the button's name.

        A button keeps its card while both stay visible, so that the keyboard focus stays where it was.
        """
        free = [button for button in self._buttons if button.number not in cards]
        kept = {button.number: button for button in self._buttons if button.number in cards}
        for number, (rect, name) in cards.items():
            button = kept.get(number) or (free.pop() if free else self._make())
            button.show_for(number, name, QPoint(rect.right() - _EDGE - _INSET + 1, rect.top() + _INSET))
        for button in free:
            button.number = -1
            button.hide()

    def say_copied(self, number: int) -> None:
        """Let the button of code block ``number`` show that it has copied."""
        for button in self._buttons:
            if button.number == number:
                button.say_copied()

    def buttons(self) -> list[CopyButton]:
        """Return the visible buttons, top to bottom."""
        return sorted((b for b in self._buttons if b.number >= 0), key=lambda button: button.number)

    def _make(self) -> CopyButton:
        button = CopyButton(self._viewport)
        button.clicked.connect(self._on_clicked)
        self._buttons.append(button)
        return button

    def _on_clicked(self) -> None:
        button = self.sender()
        if isinstance(button, CopyButton) and button.number >= 0:
            self.pressed.emit(button.number)
