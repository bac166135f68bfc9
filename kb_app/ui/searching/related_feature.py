"""Related entries join the reader: looked up by the search worker, a moment after an entry was shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from kb_app.plain import from_plain
from kb_app.search.model import Relation
from kb_app.ui.common.actions import ActionId, When
from kb_app.ui.features import Feature
from kb_app.ui.searching.side import SideQuestions

if TYPE_CHECKING:
    from kb_app.ui.common.reading import OpenedEntry
    from kb_app.ui.common.remembered import EntryRef
    from kb_app.ui.common.workers import Message
    from kb_app.ui.reader.panel import ReaderPanel
    from kb_app.ui.searching.related import RelatedStrip
    from kb_app.ui.window import MainWindow

PAUSE_MS = 250
"""An entry that is only passed by asks nothing."""


class RelatedFeature(Feature):
    """The strip below the page.

    Attributes:
        strip: None until the reader was made.
    """

    def __init__(self, window: MainWindow) -> None:
        """Wait for the reader and for entries."""
        super().__init__(window)
        self.strip: RelatedStrip | None = None
        self._shown: EntryRef | None = None
        self._side = SideQuestions(self.desk.workers.search, self)
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        self.desk.entry_opened.connect(self._on_opened)
        window.reading.when_made(self._join)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """List the related entries."""
        return {ActionId.RELATED: self.open_list}

    def facts(self) -> Iterable[When]:
        """There are related entries."""
        has_some = self.strip is not None and bool(self.strip.relations)
        return (When.RELATED_SHOWN,) if has_some else ()

    def open_list(self) -> None:
        """Open the list of all of them."""
        if self.strip is not None:
            self.strip.open_list()

    def _join(self, reader: ReaderPanel) -> None:
        from kb_app.ui.searching.related import RelatedStrip  # start-up time

        self.strip = RelatedStrip()
        reader.add_footer(self.strip)
        self.strip.opened.connect(self.window.open_entry)

    def _on_opened(self, opened: OpenedEntry, _is_wanted: bool) -> None:  # noqa: FBT001 - signal
        if opened.ref != self._shown and self.strip is not None:
            self.strip.show_relations(())
        self._shown = opened.ref
        self._timer.start()

    def _ask(self) -> None:
        if self._shown is None:
            return
        if self.desk.search.is_busy:
            self._timer.start()
            return
        ref = self._shown
        values = {"knowledge_base": ref.knowledge_base, "path": ref.path}
        self._side.ask("relations", values, partial(self._take, ref))

    def _take(self, ref: EntryRef, answer: Message) -> None:
        if ref == self._shown and self.strip is not None:
            self.strip.show_relations(from_plain(tuple[Relation, ...], answer.get("relations")))
            self.window.update_actions()
