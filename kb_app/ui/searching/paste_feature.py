"""Pastes join the window: the whole text, the lines that stand in the entry too, the way between both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from kb_app.plain import from_plain
from kb_app.search.model import LineMatch
from kb_app.ui.common.actions import ActionId, When
from kb_app.ui.features import Feature
from kb_app.ui.panes import ReaderTab
from kb_app.ui.searching.side import SideQuestions

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kb_app.ui.common.reading import OpenedEntry
    from kb_app.ui.common.remembered import EntryRef
    from kb_app.ui.common.workers import Message
    from kb_app.ui.desk import Found
    from kb_app.ui.searching.paste_preview import PastePreview
    from kb_app.ui.window import MainWindow


class PasteFeature(Feature):
    """Marks what paste and entry have in common, in both.

    Attributes:
        matches: pairs of lines of the paste and of the entry shown.
    """

    def __init__(self, window: MainWindow) -> None:
        """Listen to what is pasted and opened."""
        super().__init__(window)
        self.matches: tuple[LineMatch, ...] = ()
        self._compared: tuple[str, EntryRef] | None = None
        self._preview: PastePreview | None = None
        self._side = SideQuestions(self.desk.workers.search, self)
        self.desk.entry_opened.connect(self._on_opened)
        self.desk.found.connect(self._on_found)
        window.search.chip.pressed.connect(self.show)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Show the paste."""
        return {ActionId.SHOW_PASTE: self.show}

    def facts(self) -> Iterable[When]:
        """Something was pasted."""
        return (When.QUERY_PASTED,) if self.desk.query.pasted else ()

    @property
    def preview(self) -> PastePreview:
        """Return the preview, making it when it is first asked for."""
        if self._preview is None:
            from kb_app.ui.searching.paste_preview import PastePreview  # start-up time

            self._preview = PastePreview(self.window.body)
            self._preview.line_requested.connect(self._go_to_entry_line)
            self._preview.closed.connect(self._on_closed)
        return self._preview

    def show(self) -> None:
        """Open the preview; from elsewhere go back to it; inside it close it."""
        if not self.desk.query.pasted:
            return
        preview = self.preview
        if preview.isVisible() and preview.list.hasFocus():
            preview.hide()
            return
        preview.show_paste(self.desk.query.pasted)
        preview.open_below(self.window.search, self.window.body)
        self._show_matches()

    def _on_closed(self) -> None:
        focused: QWidget | None = self.window.focusWidget()
        if focused is None or self.preview.isAncestorOf(focused):
            self.window.search.setFocus()

    def _on_opened(self, opened: OpenedEntry, _is_wanted: bool) -> None:  # noqa: FBT001 - signal
        self._compare(opened.ref)

    def _on_found(self, _found: Found) -> None:
        self.window.update_actions()
        if not self.desk.query.pasted:
            self._compared, self.matches = None, ()
            if self._preview is not None:
                self._preview.hide()
        elif self.desk.current is not None:
            self._compare(self.desk.current.ref)

    def _compare(self, ref: EntryRef) -> None:
        """Ask which lines paste and entry have in common."""
        pasted = self.desk.query.pasted
        if not pasted:
            return
        if self._compared == (pasted, ref):
            self._mark()  # the page was made anew, or the words of the search were marked again
            return
        self._compared, self.matches = (pasted, ref), ()
        values = {"knowledge_base": ref.knowledge_base, "path": ref.path, "text": pasted}
        self._side.ask("compare", values, partial(self._take, (pasted, ref)))

    def _take(self, compared: tuple[str, EntryRef], answer: Message) -> None:
        if compared == self._compared:
            self.matches = from_plain(tuple[LineMatch, ...], answer.get("matches"))
            self._mark()

    def _mark(self) -> None:
        current = self.desk.current
        if self.matches and current is not None and self._compared == (self.desk.query.pasted, current.ref):
            self.window.reading.mark_lines([match.entry_text for match in self.matches])
        self._show_matches()

    def _show_matches(self) -> None:
        if self._preview is not None and self._preview.isVisible():
            current = self.desk.current
            self._preview.show_paste(self.desk.query.pasted)
            self._preview.set_matches(self.matches, current.entry.title if current is not None else "")

    def _go_to_entry_line(self, line: int) -> None:
        self.window.panes.show_tab(ReaderTab.ENTRY)
        self.window.reading.reader.scroll_to_line(line)
