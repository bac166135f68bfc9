"""The reader's place in the window: the page, or why there is none, or what one can do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from kb_app.ui.common.jobs import Jobs
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.common.workers import WorkerFault
from kb_app.ui.home.panel import HomePanel
from kb_app.ui.results.state import place_of

if TYPE_CHECKING:
    from kb_app.ui.reader.panel import ReaderPanel


class ReadingPane(QStackedWidget):
    """Shows what one can do until an entry is there, then the reader.

    The reader is made with the first entry or by `prepare`, not at start: its patterns and its page take a
    fifth of the time until the window stands.

    Signals:
        link_activated(str): ``path#anchor`` of another entry of the same knowledge base.
        external_link_requested(str): an address was clicked; nothing has been opened.
        star_requested(): the entry shall be starred or no longer.
        copy_link_requested(): the entry's path shall be copied.
        copied(str): what was put on the clipboard, in words.
        zoom_changed(int): percent.
        back_requested(), forward_requested(): to the entries shown before.
    """

    link_activated = Signal(str)
    external_link_requested = Signal(str)
    star_requested = Signal()
    copy_link_requested = Signal()
    copied = Signal(str)
    zoom_changed = Signal(int)
    back_requested = Signal()
    forward_requested = Signal()

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Show the home panel; ``jobs`` read pictures."""
        super().__init__(parent)
        self._jobs = jobs
        self._reader: ReaderPanel | None = None
        self._zoom = 100
        self._anchor = ""
        self._guests: list[Callable[[ReaderPanel], None]] = []
        self.home = HomePanel(self)
        self.addWidget(self.home)

    @property
    def reader(self) -> ReaderPanel:
        """Return the reader, making it when there is none yet."""
        if self._reader is None:
            from kb_app.ui.reader.panel import ReaderPanel  # see the class: start-up time

            reader = ReaderPanel(self._jobs, self)
            reader.set_zoom(self._zoom)
            reader.link_activated.connect(self.link_activated)
            reader.external_link_requested.connect(self.external_link_requested)
            reader.star_requested.connect(self.star_requested)
            reader.copy_link_requested.connect(self.copy_link_requested)
            reader.copied.connect(self.copied)
            reader.zoom_changed.connect(self.zoom_changed)
            reader.back_requested.connect(self.back_requested)
            reader.forward_requested.connect(self.forward_requested)
            self.addWidget(reader)
            self._reader = reader
            for join in self._guests:
                join(reader)
        return self._reader

    def when_made(self, join: Callable[[ReaderPanel], None]) -> None:
        """Call ``join`` with the reader once it is made: features add their buttons and banners then."""
        if self._reader is not None:
            join(self._reader)
        else:
            self._guests.append(join)

    def prepare(self) -> None:
        """Make the reader now, while nothing else is to do."""
        assert self.reader is not None

    def show_home(self) -> None:
        """Show what one can do."""
        self.setCurrentWidget(self.home)

    def go_to_anchor_next(self, anchor: str) -> None:
        """Show the entry that comes next at this heading."""
        self._anchor = anchor

    def show_loading(self, path: str) -> None:
        """Say, a moment later, that ``path`` is on its way."""
        if self.currentWidget() is not self.home:
            self.reader.show_loading(path)

    def show_entry(self, opened: OpenedEntry, root: Path, *, is_starred: bool, terms: Sequence[str]) -> None:
        """Show an entry, the words of the search marked."""
        from kb_app.ui.reader.state import facts_of  # see the class: start-up time

        entry, reader = opened.entry, self.reader
        anchor, self._anchor = self._anchor, ""
        place = place_of(entry.product, entry.component)
        folder, _, name = entry.path.rpartition("/")
        where = f"{place}  ·  {name}" if place else (f"{folder} / {name}" if folder else name)
        self.setCurrentWidget(reader)  # first: a page laid out for another width scrolls when it gets its own
        reader.resize(self.contentsRect().size())
        facts = facts_of(entry, dt.date.today())
        reader.show_page(opened.page, root, entry.path, breadcrumb=where, anchor=anchor, facts=facts)
        reader.set_starred(is_starred=is_starred)
        reader.mark_terms(tuple(terms))

    def mark_terms(self, terms: Sequence[str]) -> None:
        """Mark other words on the page: the query changed, the entry stayed."""
        if self._reader is not None:
            self._reader.mark_terms(tuple(terms))

    def mark_lines(self, texts: Sequence[str]) -> None:
        """Mark whole lines of the entry: they stand in the paste."""
        if self._reader is not None:
            self._reader.mark_lines(tuple(texts))

    def show_failure(self, fault: WorkerFault) -> None:
        """Say why the entry cannot be shown."""
        self.reader.show_error(fault.title, fault.hint)
        self.setCurrentWidget(self.reader)

    def set_starred(self, *, is_starred: bool) -> None:
        """Show whether the entry is starred."""
        self.reader.set_starred(is_starred=is_starred)

    def set_history(self, *, can_go_back: bool, can_go_forward: bool) -> None:
        """Show whether there are entries to go back and forward to."""
        if self._reader is not None:
            self._reader.set_history(can_go_back=can_go_back, can_go_forward=can_go_forward)

    def set_zoom(self, percent: int) -> None:
        """Show the text in this size."""
        self._zoom = percent
        if self._reader is not None and self._reader.zoom() != percent:
            self._reader.set_zoom(percent)

    def find_in_page(self) -> None:
        """Open the search within the entry."""
        self.reader.find_in_page()

    def show_outline(self) -> None:
        """Open the outline."""
        self.reader.show_outline()

    def focus_page(self) -> None:
        """Put the focus on the page, so that its keys scroll."""
        if self._reader is not None and self.currentWidget() is self._reader:
            self._reader.view.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
