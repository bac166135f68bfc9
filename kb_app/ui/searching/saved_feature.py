"""Saved searches join the window: the list in the sidebar, its counts, its keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QKeySequence, QShortcut

from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.remembered import SavedSearch
from kb_app.ui.features import Feature
from kb_app.ui.search.state import Query
from kb_app.ui.searching.side import SideQuestions
from kb_app.ui.searching.state import (
    moved,
    name_of,
    put_back,
    query_to_save,
    removed,
    renamed,
    with_search,
)

if TYPE_CHECKING:
    from kb_app.ui.common.workers import Message as Answer
    from kb_app.ui.desk import Found
    from kb_app.ui.searching.saved_panel import NameCard, SavedSearches
    from kb_app.ui.window import MainWindow

COUNT_PAUSE_MS = 600
"""Counts are asked for after the search has been still for so long."""


class SavedSearchesFeature(Feature):
    """Keeps searches by name; what was pasted is never kept.

    Attributes:
        panel: the list; None until the window was painted.
    """

    def __init__(self, window: MainWindow) -> None:
        """Keep nothing open yet."""
        super().__init__(window)
        self.panel: SavedSearches | None = None
        self._card: NameCard | None = None
        self._renaming = -1
        self._side = SideQuestions(self.desk.workers.search, self)
        self._timer = QTimer(self, singleShot=True, interval=COUNT_PAUSE_MS)
        self._timer.timeout.connect(self._count)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Save the search."""
        return {ActionId.SAVE_SEARCH: self.save}

    @property
    def saved(self) -> tuple[SavedSearch, ...]:
        """Return the searches in order."""
        return self.desk.session.state.searches

    def start(self) -> None:
        """Show the list and count what each search finds."""
        from kb_app.ui.searching.saved_panel import KEYED, SavedSearches  # start-up time

        self.panel = SavedSearches()
        self.window.filters.add_section(self.panel)
        self.panel.opened.connect(self.open)
        self.panel.renaming_requested.connect(self._rename)
        self.panel.removal_requested.connect(self.remove)
        self.panel.move_requested.connect(self._move)
        for number in range(KEYED):
            shortcut = QShortcut(QKeySequence(f"Alt+{number + 1}"), self.window)
            shortcut.activated.connect(partial(self._open_number, number))
        self.desk.session.changed.connect(lambda _state: self._show())
        self.desk.found.connect(self._on_found)
        self.desk.index_changed.connect(lambda _state: self._timer.start())
        self._show()

    def save(self) -> None:
        """Ask for the name of the search that is asked now."""
        query = query_to_save(self.desk.query.typed, self.desk.filters.wanted)
        if not query:
            self.window.say("There is no search to save")
            return
        known = next((one.name for one in self.saved if one.query == query), "")
        self._renaming = -1
        self._ask("Save this search", query, known or name_of(query))

    def open(self, query: str) -> None:
        """Ask a saved search; it is the whole question, so filters that were clicked go."""
        self.window.show_panes()
        self.window.panes.close_filters()
        self.window.filters.set_state(self.window.filters.state.cleared())
        self.window.search.set_query(Query(typed=query))
        self.window.search.focus()

    def remove(self, place: int) -> None:
        """Forget a search; a message offers to take that back."""
        if not 0 <= place < len(self.saved):
            return
        one = self.saved[place]
        self._set(removed(self.saved, place))
        self.desk.message_posted.emit(
            Message(
                f"Saved search \u201c{one.name}\u201d deleted",
                one.query,
                Weight.NOTE,
                "Undo",
                lambda: self._set(put_back(self.saved, place, one)),
                topic="saved-search",
            )
        )

    def _rename(self, place: int) -> None:
        one = self.saved[place]
        self._renaming = place
        self.window.panes.close_filters()
        self._ask("Rename the search", one.query, one.name)

    def _move(self, place: int, step: int) -> None:
        self._set(moved(self.saved, place, step))

    def _ask(self, title: str, query: str, name: str) -> None:
        if self._card is None:
            from kb_app.ui.searching.saved_panel import NameCard  # start-up time

            self._card = NameCard(self.window.body)
            self._card.named.connect(self._on_named)
            self._card.closed.connect(self.window.search.focus)
        self._card.ask(title, query, name, self.window.search, self.window.body)
        self._card.setProperty("query", query)

    def _on_named(self, name: str) -> None:
        query = str(self._card.property("query")) if self._card is not None else ""
        if self._renaming >= 0:
            self._set(renamed(self.saved, self._renaming, name))
            self.window.say("Search renamed")
        else:
            self._set(with_search(self.saved, name, query))
            self.window.say("Search saved")

    def _set(self, searches: tuple[SavedSearch, ...]) -> None:
        self.desk.session.update(replace(self.desk.session.state, searches=searches))

    def _show(self) -> None:
        if self.panel is not None:
            self.panel.show_searches(self.saved)
            self._mark_current()
            self._timer.start()

    def _on_found(self, _found: Found) -> None:
        self._mark_current()

    def _mark_current(self) -> None:
        if self.panel is not None and self.saved:
            self.panel.set_current(query_to_save(self.desk.query.typed, self.desk.filters.wanted))

    def _open_number(self, number: int) -> None:
        if number < len(self.saved):
            self.open(self.saved[number].query)

    def _count(self) -> None:
        if self.desk.search.is_busy:
            self._timer.start()
        elif self.saved:
            queries = [one.query for one in self.saved]
            self._side.ask("count", {"queries": queries}, partial(self._take_counts, queries))

    def _take_counts(self, queries: list[str], answer: Answer) -> None:
        totals = answer.get("totals")
        is_present = queries == [one.query for one in self.saved]
        if self.panel is not None and is_present and isinstance(totals, list):
            self.panel.set_counts([int(total) for total in totals])
