"""The camera: drives the real window from screen to screen and keeps pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QWidget

from kb_app.ui.app import Running
from kb_app.ui.search.state import Query

SETTLE_MS = 260


class Camera:
    """Drives the window from screen to screen and keeps the pictures."""

    def __init__(self, running: Running, folder: Path) -> None:
        """Write into ``folder``."""
        self.running = running
        self.window = running.window
        self.desk = running.desk
        self.folder = folder

    def shoot(self, name: str) -> None:
        """Keep a picture of the window as it stands."""
        self.wait()
        size = self.window.size()
        theme = self.running.theme.tokens.name
        self.window.grab().save(str(self.folder / f"{name}-{theme}-{size.width()}x{size.height()}.png"))

    def shoot_widget(self, name: str, widget: QWidget) -> None:
        """Keep a picture of one widget, such as a pop-up."""
        self.wait()
        widget.grab().save(str(self.folder / f"{name}-{self.running.theme.tokens.name}.png"))

    def wait(self, milliseconds: int = SETTLE_MS) -> None:
        """Let events pass."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def wait_until(self, is_true: Callable[[], bool], seconds: int = 60) -> None:
        """Let events pass until ``is_true``, at most ``seconds``."""
        for _ in range(seconds * 50):
            if is_true():
                return
            self.wait(20)

    def ask(self, query: Query) -> None:
        """Ask and wait for the list and for the preview of its first row."""
        self.window.search.set_query(query)
        self.wait_until(lambda: not self.desk.search.is_busy)
        self.wait(250)
        self.wait_until(lambda: self.desk.opener.wanted is None)
