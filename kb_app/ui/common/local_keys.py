"""Keys that belong to one page: they come before the window's own shortcuts while the focus is inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

_MODIFIERS = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)


class LocalKeys(QObject):
    """Runs a function for a single letter or digit.

    An input that is being typed into takes its letters first: Qt asks it before this.

    Args:
        page: the focus has to be inside it.
        keys: capital letter or digit to what it does.
    """

    def __init__(self, page: QWidget, keys: Mapping[str, Callable[[], None]]) -> None:
        super().__init__(page)
        self._keys = dict(keys)
        page.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the page's keys; the window's shortcut of the same key then does not run."""
        if not isinstance(event, QKeyEvent) or event.modifiers() & _MODIFIERS:
            return super().eventFilter(watched, event)
        run = self._keys.get(event.text().upper())
        if run is not None and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if run is not None and event.type() == QEvent.Type.KeyPress:
            run()
            return True
        return super().eventFilter(watched, event)
