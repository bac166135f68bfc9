"""The reader's place in the window: the page, or why there is none, or what one can do."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTextBrowser, QWidget

from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.common.widgets import EmptyState
from kb_app.ui.common.workers import WorkerFault
from kb_app.ui.home.panel import HomePanel


class ReadingPane(QStackedWidget):
    """Shows one of: home, page, failure.

    Signals:
        link_activated(str): ``path#anchor`` of another entry of the same knowledge base.
        star_requested(): the entry shall be starred or not.
        zoom_changed(int): percent.
    """

    link_activated = Signal(str)
    star_requested = Signal()
    zoom_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show the home panel."""
        super().__init__(parent)
        self.home = HomePanel(self)
        self.reader = QTextBrowser(self)
        self.failure = EmptyState("file-x", "", "", parent=self)
        for page in (self.home, self.reader, self.failure):
            self.addWidget(page)
        self.setCurrentWidget(self.home)

    def show_home(self) -> None:
        """Show what one can do."""
        self.setCurrentWidget(self.home)

    def show_entry(self, opened: OpenedEntry, *, is_starred: bool) -> None:
        """Show an entry."""
        self.reader.setHtml(opened.page.html)
        self.setCurrentWidget(self.reader)

    def show_failure(self, fault: WorkerFault) -> None:
        """Say why the entry cannot be shown."""
        self.failure.set_state("file-x", fault.title, fault.hint)
        self.setCurrentWidget(self.failure)

    def set_starred(self, *, is_starred: bool) -> None:
        """Show whether the entry is starred."""

    def set_zoom(self, percent: int) -> None:
        """Show the text in this size."""

    def find_in_page(self) -> None:
        """Open the search within the entry."""

    def show_outline(self) -> None:
        """Open the outline."""
