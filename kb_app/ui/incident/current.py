"""The incident this window has in hand, and the one door to the book of records.

Records are read and written in a lane of their own, one job after the other: an event is acknowledged when it
is on the disk, and what was asked first is written first. The book is opened anew for each job, so that a
change of author, device or committer holds from the next event on. What reads and writes records is imported
by the first job, not at the window's start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from kb_app.errors import KbError
from kb_app.paths import AppFolders
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.desk import Desk

if TYPE_CHECKING:
    from kb_app.incidents.book import RecordBook
    from kb_app.incidents.events import EventType
    from kb_app.incidents.runs import RunState
    from kb_app.incidents.timeline import IncidentState
    from kb_app.workspace.responding import Change, Opening

logger = logging.getLogger(__name__)

T = TypeVar("T")

TOPIC = "records"


class CurrentIncident(QObject):
    """Which incident is in hand, what its record adds up to, and how to write to it.

    Signals:
        changed(object): the `IncidentState` in hand, or None: another one, or it was written to.
        book_changed(): a record was written: what was read from the records is to be read anew.
    """

    changed = Signal(object)
    book_changed = Signal()

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Have none in hand; `start` takes up the one of the last session."""
        super().__init__(parent)
        self._desk = desk
        self._state: IncidentState | None = None
        self._runs: tuple[RunState, ...] = ()
        self._pending = 0

    # -- what is in hand ------------------------------------------------------------------------------

    @property
    def state(self) -> IncidentState | None:
        """Return what the record in hand adds up to; None when there is none in hand."""
        return self._state

    @property
    def name(self) -> str:
        """Return the id of the record in hand, or an empty text."""
        return self._state.id if self._state is not None else ""

    @property
    def runs(self) -> tuple[RunState, ...]:
        """Return the runs of the record in hand, by their beginning."""
        return self._runs

    @property
    def is_writing(self) -> bool:
        """Tell whether something that was asked for is not on the disk yet."""
        return self._pending > 0

    def start(self) -> None:
        """Take up the incident of the last session, if it is still open."""
        name = self._desk.session.state.incident
        if name and self._state is None:
            self.with_book(lambda book: book.state(name), self._on_resumed, self._on_lost)

    def open(
        self,
        opening: Opening,
        on_done: Callable[[Change], None] | None = None,
        *,
        then: Callable[[RecordBook, str], Change] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Open an incident and take it in hand.

        Args:
            opening: what is wrong.
            on_done: called here with the last `Change`, after `changed`.
            then: what is written first, in the same job: it cannot be lost between the two.
            on_error: called here with what was raised, after it was said.
        """

        def done(change: Change) -> None:
            self._take(change.state)
            if on_done is not None:
                on_done(change)

        def work(book: RecordBook) -> Change:
            from kb_app.workspace.responding import open_incident  # see the module

            change = open_incident(book, opening)
            return change if then is None else then(book, change.state.id)

        self._ask(work, done, on_error, is_writing=True)

    def take_up(self, name: str, on_done: Callable[[IncidentState], None] | None = None) -> None:
        """Take up an existing record: its id, its beginning, or its last four digits."""

        def done(state: IncidentState) -> None:
            self._take(state)
            if on_done is not None:
                on_done(state)

        self.with_book(lambda book: book.state(name), done)

    def leave(self) -> None:
        """Have none in hand; the record stays as it is."""
        self._take(None)

    def reload(self) -> None:
        """Read the record in hand again: another device, or another program, may have written to it."""
        name = self.name
        if name:
            self.with_book(lambda book: book.state(name), self._on_reloaded)

    # -- writing --------------------------------------------------------------------------------------

    def add(
        self,
        kind: EventType,
        data: Mapping[str, object],
        on_done: Callable[[Change], None] | None = None,
    ) -> None:
        """Write one event to the incident in hand; nothing happens when there is none."""

        def work(book: RecordBook, name: str) -> Change:
            from kb_app.workspace.responding import record  # see the module

            return record(book, name, kind, data)

        self.perform(work, on_done)

    def perform(
        self,
        work: Callable[[RecordBook, str], Change],
        on_done: Callable[[Change], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> None:
        """Do one of `kb_app.workspace.responding` to the incident in hand; nothing happens without one.

        Args:
            work: gets the book and the record's id, runs elsewhere, returns the `Change`.
            on_done: called here with it, after `changed`.
            on_error: called here with what it raised, after it was said.
        """
        name = self.name
        if not name:
            return

        def done(change: Change) -> None:
            if self.name == change.state.id:
                self._show(change.state)
            if change.problem:
                self._say(change.problem, "The event is on this disk; it is committed with the next one")
            if on_done is not None:
                on_done(change)

        self._ask(lambda book: work(book, name), done, on_error, is_writing=True)

    def with_book(
        self,
        work: Callable[[RecordBook], T],
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        *,
        is_writing: bool = False,
    ) -> None:
        """Do something with the book of records, after everything that was asked before.

        Args:
            work: gets the book; runs in the records' lane, knows no widget.
            on_done: called here with its result.
            on_error: called here with its exception; without it a `KbError` is said on the message bar.
            is_writing: ``work`` writes to a record: the one in hand is read again and `book_changed` follows.
        """

        def done(result: T) -> None:
            if is_writing:
                self.reload()
            if on_done is not None:
                on_done(result)

        self._ask(work, done, on_error, is_writing=is_writing)

    def list_open(self, on_done: Callable[[tuple[IncidentState, ...]], None]) -> None:
        """Read the records that are not closed, the newest first."""

        def work(book: RecordBook) -> tuple[IncidentState, ...]:
            from kb_app.workspace.responding import open_incidents  # see the module

            return open_incidents(book)

        self.with_book(work, on_done)

    # -- inside ---------------------------------------------------------------------------------------

    def _ask(
        self,
        work: Callable[[RecordBook], T],
        on_done: Callable[[T], None],
        on_error: Callable[[Exception], None] | None,
        *,
        is_writing: bool,
    ) -> None:
        folders = self._desk.workspace.folders
        self._pending += is_writing

        def done(result: T) -> None:
            self._pending -= is_writing
            on_done(result)
            if is_writing:
                self.book_changed.emit()

        def failed(error: Exception) -> None:
            self._pending -= is_writing
            if not isinstance(error, KbError):
                raise error
            if on_error is None or is_writing:
                self._say(error.title, error.hint)
            if on_error is not None:
                on_error(error)

        self._desk.jobs.run(lambda: work(_book(folders)), on_done=done, on_error=failed, lane=Lane.RECORDS)

    def _on_resumed(self, state: IncidentState) -> None:
        if self._state is None and state.closed_at is None:
            self._take(state)
        elif self._state is None:
            self._remember("")

    def _on_lost(self, error: Exception) -> None:
        logger.info("the incident of the last session is not taken up: %s", error)
        self._remember("")

    def _on_reloaded(self, state: IncidentState) -> None:
        if state.id == self.name:
            self._show(state)

    def _take(self, state: IncidentState | None) -> None:
        self._remember(state.id if state is not None else "")
        self._show(state)

    def _show(self, state: IncidentState | None) -> None:
        self._state = state
        self._runs = _runs_of(state) if state is not None else ()
        self.changed.emit(state)

    def _remember(self, name: str) -> None:
        session = self._desk.session
        session.update(replace(session.state, incident=name))

    def _say(self, text: str, hint: str) -> None:
        self._desk.message_posted.emit(Message(text, hint, Weight.PROBLEM, topic=TOPIC))


def _book(folders: AppFolders) -> RecordBook:
    from kb_app.workspace.records import open_book  # see the module

    return open_book(folders)


def _runs_of(state: IncidentState) -> tuple[RunState, ...]:
    from kb_app.incidents.runs import runs_of  # see the module

    return runs_of(state.moments)
