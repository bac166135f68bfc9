"""Telling somebody who may look elsewhere: a message of the system where there is one, else of the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QSystemTrayIcon

from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.desk import Desk

SHOWN_MS = 12_000


class Notices(QObject):
    """Says what must not be missed: on the window's bar, and by the system when the window is not in front.

    The message bar announces what it shows to screen readers.
    """

    def __init__(self, desk: Desk, is_in_front: Callable[[], bool], parent: QObject | None = None) -> None:
        """Say things for ``desk``; ``is_in_front`` tells whether the window is looked at."""
        super().__init__(parent)
        self._desk = desk
        self._is_in_front = is_in_front
        self._tray: QSystemTrayIcon | None = None
        self._hide_timer = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._hide_timer.timeout.connect(self._hide)

    def tell(self, text: str, hint: str, topic: str, action: str, run: Callable[[], None]) -> None:
        """Say ``text``; the bar offers ``action``."""
        message = Message(text, hint, Weight.PROBLEM, action, run, topic)
        self._desk.message_posted.emit(message)
        if not self._is_in_front() and QSystemTrayIcon.isSystemTrayAvailable():
            self._show_outside(text, hint)

    def _show_outside(self, text: str, hint: str) -> None:
        if self._tray is None:
            from PySide6.QtWidgets import QApplication

            self._tray = QSystemTrayIcon(QApplication.windowIcon(), self)
        self._tray.show()
        self._tray.showMessage(text, hint, QSystemTrayIcon.MessageIcon.Information, SHOWN_MS)
        self._hide_timer.start()

    def _hide(self) -> None:
        if self._tray is not None:
            self._tray.hide()
