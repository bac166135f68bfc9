"""One-line events join the window: mitigated, fixed, a note, a ticket. One key, one line, Enter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from kb_app.errors import KbError
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.sheet import Sheet
from kb_app.ui.features import Feature
from kb_app.ui.incident.feature import IncidentFeature

if TYPE_CHECKING:
    from kb_app.incidents.book import RecordBook
    from kb_app.ui.incident.current import CurrentIncident
    from kb_app.workspace.responding import Change


class ProofSheet(Sheet):
    """Asks for the signal that proves it: mitigated, or fixed."""

    def __init__(self, parent: QWidget, title: str, *, is_fix: bool) -> None:
        """Ask about the incident ``title``."""
        what = "Fixed: the cause is gone" if is_fix else "Mitigated: the harm has stopped"
        icon = "circle-check" if is_fix else "shield-check"
        super().__init__(what, "Write it down", parent, icon=icon, lead=title)
        hint = "the slot is gone and stays gone" if is_fix else "error rate below 1 % for 5 min"
        self.signal = self.add_line(
            "Which signal proves it", hint=hint, needed="Name the signal that you looked at"
        )

    def show_verify(self, line: str) -> None:
        """Show what the incident's entry says one sees then; an empty ``line`` leaves the example."""
        if line:
            self.signal.setPlaceholderText(line)


class TicketSheet(Sheet):
    """Asks for a ticket: its id or its address."""

    def __init__(self, parent: QWidget, lead: str, ticket: str) -> None:
        """Offer ``ticket``, from the clipboard when it looks like one."""
        super().__init__("Link a ticket", "Link it", parent, icon="link", lead=lead)
        self.ticket = self.add_line(
            "Ticket", ticket, hint="OPS-4711, or its address", needed="Give its id or its address"
        )


class ShortEventsFeature(Feature):
    """Mitigated, fixed, notes and tickets of the incident in hand, or of the one on the timeline page."""

    @property
    def incidents(self) -> CurrentIncident:
        """The door to the records."""
        return self.window.feature(IncidentFeature).current

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions do."""
        return {
            ActionId.MARK_MITIGATED: lambda: self._ask_proof(is_fix=False),
            ActionId.MARK_FIXED: lambda: self._ask_proof(is_fix=True),
            ActionId.LINK_TICKET: self.link_ticket,
            ActionId.NOTE: self.note,
        }

    def _target(self) -> tuple[str, str]:
        """Return id and title of the record that is written to; empty without one."""
        from kb_app.ui.timeline.feature import TimelineFeature  # start-up time

        timeline = self.window.feature(TimelineFeature)
        if timeline.shown_name and timeline.page.shown is not None:
            state = timeline.page.shown.state
        elif self.incidents.state is not None:
            state = self.incidents.state
        else:
            return "", ""
        return state.id, " ".join(state.title.split())

    def _ask_proof(self, *, is_fix: bool) -> None:
        name, title = self._target()
        if not name:
            return
        sheet = ProofSheet(self.window, title, is_fix=is_fix)
        self._show_verify(sheet, name, is_fix=is_fix)

        def accept() -> None:
            signal = sheet.signal.text()

            def work(book: RecordBook) -> Change:
                from kb_app.workspace.responding import mark_fixed, mark_mitigated  # start-up time

                return mark_fixed(book, name, signal) if is_fix else mark_mitigated(book, name, signal)

            self._do(sheet, work, "Fixed" if is_fix else "Mitigated")

        sheet.accepted.connect(accept)
        sheet.open()

    def _show_verify(self, sheet: ProofSheet, name: str, *, is_fix: bool) -> None:
        """Show what the entry last used in the record says one sees; the open entry where it names none."""
        bases, opened = self.desk.folders(), self.desk.current

        def read(book: RecordBook) -> str:
            from kb_app.workspace.verify_lines import (
                entry_in_use,
                verify_line,
                verify_line_of,
            )  # start-up time

            used = entry_in_use(book.state(name), is_fix=is_fix)
            if opened is not None and (not used or opened.entry.id == used):
                return verify_line(opened.plan, is_fix=is_fix)
            places = tuple((base.root, base.folder, base.config) for base in bases)
            return verify_line_of(places, used, is_fix=is_fix) if used else ""

        def show(line: str) -> None:
            if shiboken6.isValid(sheet):
                sheet.show_verify(line)

        self.incidents.with_book(read, show)

    def note(self) -> None:
        """Ask for a note."""
        from kb_app.ui.timeline.sheets import NoteSheet  # start-up time

        name, title = self._target()
        if not name:
            return
        sheet = NoteSheet(self.window, title)

        def accept() -> None:
            text, audience = sheet.text.toPlainText(), sheet.audience.value

            def work(book: RecordBook) -> Change:
                from kb_app.workspace.responding import write_note  # start-up time

                return write_note(book, name, text, audience=audience)

            self._do(sheet, work, "Note written down")

        sheet.accepted.connect(accept)
        sheet.open()

    def link_ticket(self) -> None:
        """Ask for a ticket; without an incident a record is opened that links it to the open entry."""
        from kb_app.workspace.aftermath import ticket_in  # start-up time

        name, title = self._target()
        current = self.desk.current
        if not name and current is None:
            self.window.say("Open an entry or an incident first: the ticket is linked to it")
            return
        entry = current.entry if current is not None else None
        lead = title if name else f"A record is opened that links it to “{entry.title if entry else ''}”"
        sheet = TicketSheet(self.window, lead, ticket_in(QGuiApplication.clipboard().text()))

        def accept() -> None:
            ticket = sheet.ticket.text()

            def work(book: RecordBook) -> Change:
                from kb_app.workspace.aftermath import open_for_ticket  # start-up time
                from kb_app.workspace.responding import link_ticket

                if name or entry is None:
                    return link_ticket(book, name, ticket)
                return open_for_ticket(book, entry, ticket)

            self._do(sheet, work, f"Linked {ticket.strip()[:60]}", is_taken_up=not name)

        sheet.accepted.connect(accept)
        sheet.open()

    def _do(
        self, sheet: Sheet, work: Callable[[RecordBook], Change], said: str, *, is_taken_up: bool = False
    ) -> None:
        """Write what a sheet asks for; it stays open, with its text, when that fails."""

        def done(change: Change) -> None:
            sheet.finish()
            self.window.say(said)
            if is_taken_up:
                self.incidents.take_up(change.state.id)

        def failed(error: Exception) -> None:
            if isinstance(error, KbError):
                sheet.say_problem(f"{error.title}. {error.hint}")

        self.incidents.with_book(work, done, failed, is_writing=True)
