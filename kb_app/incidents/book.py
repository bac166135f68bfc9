"""The records of one root behind one door: what the window and the command line call.

Every method that writes returns a `Receipt`: the event is on the disk when it is returned. Committing comes
after, at once or later, and may fail (no Git, a lock held); that never undoes the event.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kb_app.entries.model import Audience
from kb_app.errors import KbError, UsageError
from kb_app.incidents import duties
from kb_app.incidents.events import Event, EventType
from kb_app.incidents.export import (
    customer_update,
    handover_text,
    post_incident_draft,
    run_text,
    timeline_text,
)
from kb_app.incidents.folders import (
    DOCUMENT,
    RECORDS_FOLDER,
    JournalMaker,
    RecordPlace,
    correct,
    find_record,
    open_record,
    records,
    refresh_document,
)
from kb_app.incidents.journal import Committer, Journal
from kb_app.incidents.markup import Form
from kb_app.incidents.runs import RunPlan, Runs, RunState, Timer, runs_of, timers_of
from kb_app.incidents.timeline import IncidentState, read_state
from kb_app.incidents.verify import RecordFinding, verify_record, verify_tree

_LOG = logging.getLogger(__name__)
EXPORTS = ("timeline", "runs", "handover", "draft", "customer")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of something that was written.

    Attributes:
        place: the record.
        event: as it is on the disk.
        is_committed: it is in version control too.
        problem: why not, one sentence; empty when it is, when nobody commits, or when that happens later.
    """

    place: RecordPlace
    event: Event
    is_committed: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class OpenWait:
    """A wait that is running in one of the records.

    Attributes:
        place: the record.
        timer: the wait.
    """

    place: RecordPlace
    timer: Timer


class RecordBook:
    """The records below one root.

    Args:
        root: folder that holds ``incidents/``.
        maker: of journals: this device, this person, the clock.
        committer: puts files into version control; None when the root is a plain folder.

    Records are named by their id, its beginning, or its last four digits (`folders.find_record`). Methods
    raise `UsageError` for what cannot be and `EnvironmentFault` for what could not be written.
    """

    def __init__(self, root: Path, maker: JournalMaker, committer: Committer | None = None) -> None:
        self.root = root
        self._maker = maker
        self._committer = committer

    @property
    def author(self) -> str:
        """Who writes."""
        return self._maker.author

    def now(self) -> dt.datetime:
        """Return the time by the clock that events are written with."""
        return self._maker.clock()

    def open(self, data: Mapping[str, object], *, source: random.Random | None = None) -> Receipt:
        """Open a record; ``data`` is that of the ``opened`` event."""
        place = open_record(self.root, self._maker, data, source=source)
        return self._committed(place, read_state(place.folder).moments[0].event)

    def states(self) -> tuple[IncidentState, ...]:
        """Return what every record adds up to, the newest first."""
        return tuple(read_state(place.folder) for place in reversed(records(self.root)))

    def state(self, name: str) -> IncidentState:
        """Return what one record adds up to."""
        return read_state(find_record(self.root, name).folder)

    def add(
        self, name: str, kind: EventType, data: Mapping[str, object], *, at: dt.datetime | None = None
    ) -> Receipt:
        """Add an event; `close`, `correct` and `review` check more for theirs and are to be used for them."""
        if kind in (EventType.OPENED, EventType.SEAL, EventType.CORRECT):
            raise UsageError(f"A {kind} event is not written by hand", "Open, close or correct the record")
        place, journal = self._journal(name)
        event = journal.append(kind, data, at=at)
        refresh_document(place.folder)
        return self._committed(place, event)

    def correct(
        self,
        name: str,
        device: str,
        seq: int,
        data: Mapping[str, object],
        reason: str,
        *,
        at: dt.datetime | None = None,
    ) -> Receipt:
        """Correct event ``seq`` of ``device``, and with ``at`` when it happened; the original stays."""
        place, journal = self._journal(name)
        for moment in read_state(place.folder).moments:
            if (moment.event.dev, moment.event.seq) == (device, seq):
                return self._committed(place, correct(journal, moment.event, data, reason, at=at))
        raise UsageError(f"There is no event {seq} of {device} in {place.id}", "Look at the timeline")

    def review(self, name: str, change: str, verdict: str, *, reviewer: str = "", note: str = "") -> Receipt:
        """Record the review of a change; author and deployer are refused."""
        place, journal = self._journal(name)
        who = reviewer or self._maker.author
        return self._committed(place, duties.record_review(journal, change, who, verdict, note=note))

    def close(self, name: str, *, reason: str = "") -> Receipt:
        """Close and seal a record; see `duties.close` for what has to come before."""
        place, journal = self._journal(name)
        return self._committed(place, duties.close(journal, reason=reason))

    def closing_blockers(self, name: str) -> tuple[duties.ClosingBlocker, ...]:
        """Return what closing now would leave undone."""
        return duties.closing_blockers(self.state(name), self._maker.clock())

    def runs(self, name: str) -> Runs:
        """Return the runs of a record, to be marked; each mark is committed too."""
        place, journal = self._journal(name)
        if self._committer is not None:
            journal.on_appended = lambda event: self._committed_later(place, event)
        return Runs(journal)

    def start_run(self, name: str, plan: RunPlan) -> RunState:
        """Begin a run in a record."""
        return self.runs(name).start(plan)

    def open_waits(self) -> tuple[OpenWait, ...]:
        """Return the waits running in open records, the first to end first: for timers after a restart."""
        found = [
            OpenWait(place, timer)
            for place in records(self.root)
            for timer in timers_of(runs_of(read_state(place.folder).moments))
        ]
        return tuple(sorted(found, key=lambda wait: (wait.timer.due, wait.place.id, wait.timer.run)))

    def owed(self) -> tuple[duties.Owed, ...]:
        """Return what is owed in all records, overdue first."""
        return duties.owed_everywhere(self.root, self._maker.clock())

    def verify(self, name: str = "") -> dict[str, tuple[RecordFinding, ...]]:
        """Return record folder to findings: for one record, or for all when ``name`` is empty."""
        if not name:
            return verify_tree(self.root)
        place = find_record(self.root, name)
        return {place.folder.relative_to(self.root).as_posix(): verify_record(place.folder)}

    def export(self, name: str, what: str, form: Form, *, reader: Audience = Audience.PUBLIC) -> str:
        """Return a text for a ticket.

        Args:
            name: the record.
            what: one of `EXPORTS`.
            form: how to write it.
            reader: who reads it, for ``customer``.
        """
        state, now = self.state(name), self._maker.clock()
        if what == "timeline":
            return timeline_text(state, form)
        if what == "runs":
            return "\n".join(run_text(run, form) for run in runs_of(state.moments))
        if what == "handover":
            return handover_text(state, now, form)
        if what == "draft":
            return post_incident_draft(state, now, form)
        if what == "customer":
            return customer_update(state, reader, form)
        raise UsageError(f"“{what}” cannot be exported", f"Choose one of {', '.join(EXPORTS)}")

    def commit(self, name: str, message: str) -> str:
        """Commit a record as it stands, for example after a run; return what went wrong, or an empty text."""
        return self._commit(find_record(self.root, name), message)

    def _journal(self, name: str) -> tuple[RecordPlace, Journal]:
        place = find_record(self.root, name)
        return place, self._maker(place.folder)

    def _committed(self, place: RecordPlace, event: Event) -> Receipt:
        if self._committer is None:
            return Receipt(place, event)
        try:
            is_committed = self._put(place, f"incident {place.id}: {event.type}")
        except KbError as error:
            return Receipt(place, event, problem=str(error))
        return Receipt(place, event, is_committed=is_committed)

    def _committed_later(self, place: RecordPlace, event: Event) -> None:
        receipt = self._committed(place, event)
        if receipt.problem:
            _LOG.info("%s", receipt.problem)

    def _commit(self, place: RecordPlace, message: str) -> str:
        if self._committer is None:
            return "These records are not under version control."
        try:
            self._put(place, message)
        except KbError as error:
            return str(error)
        return ""

    def _put(self, place: RecordPlace, message: str) -> bool:
        assert self._committer is not None
        events = self._maker(place.folder).file
        wanted = (events, place.folder / DOCUMENT, self.root / RECORDS_FOLDER / ".gitattributes")
        paths = tuple(file.relative_to(self.root).as_posix() for file in wanted if file.is_file())
        return self._committer.commit_paths(self.root, paths, message)
