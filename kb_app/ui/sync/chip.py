"""The quiet chip at the top: how the clones stand; a menu with each of them and what can be done."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.widgets import plain_tooltip


class SyncChip(QPushButton):
    """An icon and a few words; pressed, it opens its menu.

    Signals:
        menu_requested(object): the `QMenu` is about to open; fill it.
    """

    menu_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a hidden one."""
        super().__init__(parent)
        self.setObjectName("syncChip")
        self.setProperty("role", "ghost")
        self.setProperty("arrow", "none")
        self._words = ""
        self._look = ("", "")
        self._is_compact = False
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(lambda: self.menu_requested.emit(menu))
        self.setMenu(menu)
        self.hide()

    def show_state(self, icon: str, color: str, text: str, tooltip: str) -> None:
        """Show how the clones stand."""
        if (icon, color) != self._look:
            self._look = (icon, color)
            bind_icon(self, icon, color, 16)
        self._words = text
        self.set_compact(self._is_compact)
        self.setAccessibleName(f"Sync: {text}")
        lines = "<br>".join(plain_tooltip(line) for line in tooltip.splitlines())
        self.setToolTip(lines)
        self.show()

    def words(self) -> str:
        """Return the state in words, shown or not."""
        return self._words

    def set_compact(self, is_compact: bool) -> None:  # noqa: FBT001 - the signal's argument
        """Show the icon alone where there is no room."""
        self._is_compact = is_compact
        self.setText("" if is_compact else f" {self._words}")
