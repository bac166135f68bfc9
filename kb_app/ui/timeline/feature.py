"""The timeline joins the window: the page of an incident, correcting, notes, handing over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from kb_app.errors import KbError
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.features import Feature
from kb_app.ui.incident.feature import IncidentFeature

if TYPE_CHECKING:
    from kb_app.incidents.book import RecordBook
    from kb_app.incidents.timeline import IncidentState
    from kb_app.ui.incident.current import CurrentIncident
    from kb_app.ui.search.client import BaseFolders
    from kb_app.ui.timeline.panel import TimelinePage
    from kb_app.ui.timeline.sheets import CorrectSheet, HandoverSheet
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.aftermath import RecordView
    from kb_app.workspace.responding import Change


class TimelineFeature(Feature):
    """The timeline of an incident."""

    def __init__(self, window: MainWindow) -> None:
        """Join ``window``."""
        super().__init__(window)
        self._page: TimelinePage | None = None
        self._wanted = ""

    @property
    def incidents(self) -> CurrentIncident:
        """The door to the records."""
        return self.window.feature(IncidentFeature).current

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions do."""
        return {ActionId.TIMELINE: self.toggle}

    def start(self) -> None:
        """Follow what is written to the records."""
        self.incidents.book_changed.connect(self._on_book_changed)

    @property
    def page(self) -> TimelinePage:
        """Return the page, making it when it is asked for."""
        if self._page is None:
            from kb_app.ui.timeline.panel import TimelinePage  # start-up time

            page = TimelinePage(self.window.pages)
            page.entry_requested.connect(self._open_entry)
            page.link_requested.connect(self.window.reading.external_link_requested)
            page.correct_requested.connect(self._correct)
            page.note_requested.connect(self._note)
            page.handover_requested.connect(self._hand_over)
            page.draft_requested.connect(self._draft)
            page.export_requested.connect(self._export)
            page.close_requested.connect(self._close)
            page.another_requested.connect(self._pick)
            self.window.add_page(page)
            self._page = page
        return self._page

    @property
    def is_shown(self) -> bool:
        """Tell whether the page stands in front."""
        return self._page is not None and self.window.pages.currentWidget() is self._page

    @property
    def shown_name(self) -> str:
        """Id of the record that the page shows in front; empty when it does not."""
        return self._wanted if self.is_shown else ""

    def toggle(self) -> None:
        """Show the timeline of the incident in hand, else of the newest; leave it when it shows."""
        if self.is_shown:
            self.window.show_page(self.page)
        else:
            self.show()

    def show(self, name: str = "", *, change: str = "") -> None:
        """Show the timeline of a record.

        Args:
            name: its id; empty for the one in hand, else the newest.
            change: id of a change whose deployment shall be chosen.
        """
        wanted = name or self.incidents.name

        def work(book: RecordBook) -> RecordView | None:
            from kb_app.workspace.aftermath import view_record  # start-up time

            found = wanted or next((state.id for state in book.states()), "")
            return view_record(book, found) if found else None

        self.incidents.with_book(work, partial(self._show_view, change=change))
        if not self.is_shown:
            self.window.show_page(self.page)

    def _show_view(self, view: RecordView | None, *, change: str = "") -> None:
        if view is None:
            self._wanted = ""
            self.page.show_none()
            return
        from kb_app.ui.timeline.panel import Shown  # start-up time
        from kb_app.ui.timeline.state import chain_of, track_of

        self._wanted = view.state.id
        self.page.show_incident(Shown(view.state, track_of(view.state, view.now), chain_of(view.findings)))
        if change:
            moments = view.state.moments
            numbers = [n for n, m in enumerate(moments) if m.data.text("change") == change]
            self.page.events.select_moment(numbers[0] if numbers else -1)
        if self.is_shown and self.window.focusWidget() in (None, self.page.back, self.window.search.edit):
            self.page.setFocus()

    def _on_book_changed(self) -> None:
        if self.is_shown and self._wanted:
            self.show(self._wanted)

    # -- what can be done -----------------------------------------------------------------------------

    def _state(self) -> IncidentState | None:
        shown = self.page.shown
        return shown.state if shown is not None else None

    def _correct(self, number: int) -> None:
        state = self._state()
        if state is None:
            return
        from kb_app.ui.timeline.correcting import can_correct  # start-up time
        from kb_app.ui.timeline.sheets import CorrectSheet

        moment = state.moments[number]
        if not can_correct(moment.event):
            self.window.say("This event cannot be corrected: it is a correction or a seal itself")
            return
        sheet = CorrectSheet(moment, self.window)
        sheet.accepted.connect(lambda: self._correct_now(sheet, state.id))
        sheet.open()

    def _correct_now(self, sheet: CorrectSheet, name: str) -> None:
        from kb_app.workspace.aftermath import correct_event  # start-up time

        data, at = sheet.value()
        event, reason = sheet.moment.event, sheet.reason.text()
        self._do(
            sheet,
            lambda book: correct_event(book, name, event, data, reason, at=at),
            "Corrected; the original stays",
        )

    def _note(self) -> None:
        from kb_app.ui.timeline.short_events import ShortEventsFeature  # start-up time

        self.window.feature(ShortEventsFeature).note()

    def _hand_over(self) -> None:
        state = self._state()
        if state is not None:
            from kb_app.ui.timeline.sheets import HandoverSheet  # start-up time

            sheet = HandoverSheet(self.window, state.title)
            sheet.accepted.connect(lambda: self._hand_over_now(sheet, state.id))
            sheet.open()

    def _hand_over_now(self, sheet: HandoverSheet, name: str) -> None:
        from kb_app.ui.export.feature import ExportFeature
        from kb_app.workspace.aftermath import hand_over  # start-up time

        to, text = sheet.to.text(), sheet.text.toPlainText()
        export = self.window.feature(ExportFeature)
        self._do(
            sheet,
            lambda book: hand_over(book, name, to, text),
            f"Handed over to {to.strip()}; the summary is on the clipboard",
            lambda _change: export.copy_handover(name),
        )

    def _do(
        self,
        sheet: CorrectSheet | HandoverSheet,
        work: Callable[[RecordBook], Change],
        said: str,
        then: Callable[[Change], None] | None = None,
    ) -> None:
        """Write what a sheet asks for; it stays open, with its texts, when that fails."""

        def done(change: Change) -> None:
            sheet.finish()
            self.window.say(said)
            if then is not None:
                then(change)

        def failed(error: Exception) -> None:
            if isinstance(error, KbError):
                sheet.say_problem(f"{error.title}. {error.hint}")

        self.incidents.with_book(work, done, failed, is_writing=True)

    def _draft(self) -> None:
        from kb_app.ui.export.feature import ExportFeature  # start-up time

        if self._wanted:
            self.window.feature(ExportFeature).show_review_draft(self._wanted)

    def _export(self) -> None:
        from kb_app.ui.export.feature import ExportFeature  # start-up time

        self.window.feature(ExportFeature).export(self._wanted)

    def _close(self) -> None:
        from kb_app.ui.duties.feature import DutiesFeature  # start-up time

        self.window.feature(DutiesFeature).close_incident(self._wanted)

    def _pick(self) -> None:
        self.incidents.with_book(lambda book: book.states(), self._offer)

    def _offer(self, states: tuple[IncidentState, ...]) -> None:
        from kb_app.ui.timeline.sheets import PickSheet  # start-up time

        if not states:
            self.window.say("There is no record yet; I opens an incident")
            return
        sheet = PickSheet(states, self.window, current=self._wanted)
        sheet.picked.connect(self.show)
        sheet.open(sheet.list)

    def _open_entry(self, name: str) -> None:
        bases = self.desk.folders()

        def done(ref: EntryRef | None) -> None:
            if ref is None:
                self.window.say(f"{name} is in none of the open knowledge bases")
            else:
                self.window.open_entry(ref)

        self.desk.jobs.run(lambda: find_entry(bases, name), on_done=done)


def find_entry(bases: tuple[BaseFolders, ...], name: str) -> EntryRef | None:
    """Return where an entry lies that a record names by id, alias or path; reads the indexes' catalogues."""
    from kb_app.entries.catalogue import Catalogue  # start-up time
    from kb_app.search.catalogue_file import load_cards

    for base in bases:
        card = Catalogue(load_cards(base.folder)).find(name)
        if card is not None:
            return EntryRef(base.name, card.path)
    return None
