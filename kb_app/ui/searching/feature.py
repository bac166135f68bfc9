"""Searching joins the window: completion and the query in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint

from kb_app.ui.common.actions import ActionId
from kb_app.ui.features import Feature
from kb_app.ui.search.query_line import QueryLine

if TYPE_CHECKING:
    from kb_app.ui.desk import Found
    from kb_app.ui.search.client import BaseFolders
    from kb_app.ui.search.completion_popup import CompletionPopup
    from kb_app.ui.searching.explain_card import ExplainCard
    from kb_app.ui.window import MainWindow


class SearchingFeature(Feature):
    """Completion while typing, the quiet line below the field, the card that explains a search.

    Attributes:
        line: the query in words.
        popup: the completions; None until the window was painted.
    """

    def __init__(self, window: MainWindow) -> None:
        """Put the quiet line below the top bar."""
        super().__init__(window)
        self.line = QueryLine()
        self.popup: CompletionPopup | None = None
        self._card: ExplainCard | None = None
        self._are_alerts_read = False
        window.add_strip(self.line)
        self.line.place_requested.connect(self._go_to_place)
        self.desk.found.connect(self._on_found)
        self.desk.index_changed.connect(self._on_index_changed)
        window.search.edit.textEdited.connect(self._on_edited)
        window.search.installEventFilter(self)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Explain the search."""
        return {ActionId.EXPLAIN_SEARCH: self.explain}

    def start(self) -> None:
        """Make what only typing needs."""
        from kb_app.ui.search.completion_popup import CompletionPopup  # start-up time

        self.popup = CompletionPopup(self.window.search.edit, self.window.body)
        if self.desk.last_answer is not None:
            self.popup.set_counts(self.desk.last_answer.facets, is_everything=self._is_browsing())

    def _on_index_changed(self, _state: object) -> None:
        self._are_alerts_read = False

    def _on_edited(self) -> None:
        """Read the names of alerts when one is asked for: no answer counts them."""
        if self._are_alerts_read or self.popup is None or "alert:" not in self.window.search.edit.text():
            return
        self._are_alerts_read, bases, popup = True, self.desk.folders(), self.popup
        self.desk.jobs.run(lambda: alert_counts(bases), on_done=popup.set_alerts)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the line below the field when the field moves."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move):
            self.line.align(self.window.search.mapTo(self.window, QPoint(0, 0)).x())
        return super().eventFilter(watched, event)

    def explain(self) -> None:
        """Show what was searched and why the chosen entry stands where it does, or hide it again."""
        card = self._made_card()
        self.desk.is_explaining = not card.isVisible()
        if card.isVisible():
            card.hide()
        else:
            card.open_below(self.window.search, self.window.body)
            self.desk.ask(is_typing=False)

    def _made_card(self) -> ExplainCard:
        if self._card is None:
            from kb_app.ui.searching.explain_card import ExplainCard  # start-up time

            self._card = ExplainCard(self.window.search.edit, self.window.body)
            self._card.closed.connect(self._on_card_closed)
            self.window.results.list.selected.connect(lambda _ref: self._fill_card())
        return self._card

    def _on_card_closed(self) -> None:
        self.desk.is_explaining = False

    def _on_found(self, found: Found) -> None:
        answer = found.answer
        self.line.show_answer(answer)
        self.window.search.edit.set_mistakes([span for span in answer.problem_spans if span != (0, 0)])
        if self.popup is not None:
            self.popup.set_counts(answer.facets, is_everything=found.is_browsing and self._is_browsing())
        self._fill_card()

    def _fill_card(self) -> None:
        if self._card is not None and self._card.isVisible() and self.desk.last_answer is not None:
            self._card.show_answer(self.desk.last_answer, self.window.results.list.current_row())

    def _is_browsing(self) -> bool:
        return self.desk.query.is_empty and not self.desk.filters.count

    def _go_to_place(self, start: int, end: int) -> None:
        """Select what was not understood, so that typing replaces it."""
        edit = self.window.search.edit
        edit.setFocus()
        if end > start:
            edit.setSelection(start, end - start)


def alert_counts(bases: Iterable[BaseFolders]) -> dict[str, int]:
    """Return every alert that entries answer, and how many do; reads the indexes' catalogues."""
    from kb_app.search.catalogue_file import load_cards  # start-up time

    counts: Counter[str] = Counter()
    for base in bases:
        for card in load_cards(base.folder):
            counts.update(set(card.alerts))
    return dict(counts)
