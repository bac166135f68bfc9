"""What follows an action: what is owed, reviewing a change, closing follow-ups and the incident.

Every use case takes the `RecordBook`; all of it touches the disk: not for the window's thread. Those that
write return a `Change`, as in `responding`.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.decision.policy import DEFAULT_POLICY, blob_id
from kb_app.decision.policy_file import FILE_NAME
from kb_app.entries.model import Entry
from kb_app.errors import KbError, UsageError
from kb_app.gitstore.store import open_store
from kb_app.incidents.book import RecordBook
from kb_app.incidents.duties import (
    ClosingBlocker,
    MayReview,
    Owed,
    OwedKind,
    closing_blockers,
    decision_for,
    may_review,
    owed,
    review_due,
    review_mode,
)
from kb_app.incidents.events import Event, EventType
from kb_app.incidents.folders import records
from kb_app.incidents.journal import EVENTS_FOLDER
from kb_app.incidents.timeline import Deploy, FollowUp, IncidentState, read_state
from kb_app.incidents.verify import RecordFinding
from kb_app.paths import AppFolders
from kb_app.workspace.deciding import MAX_POLICY_BYTES
from kb_app.workspace.responding import Change, opening_of, record

_BLOB = re.compile(r"[0-9a-f]{40}")
DONE_KINDS = ("merge-back", "written-review")
"""Follow-ups that are written down when they are done, without having been opened."""


@dataclass(frozen=True, slots=True)
class Dues:
    """What is owed in all records.

    Attributes:
        owed: overdue first, then by due time, undated last.
        states: the records that are not closed, and those that owe something, the newest first.
        who: the person asking.
        now: when it was read.
        barred: for a review that ``who`` may not do, by record and change: why.
    """

    owed: tuple[Owed, ...]
    states: tuple[IncidentState, ...]
    who: str
    now: dt.datetime
    barred: Mapping[tuple[str, str], str]

    @property
    def overdue(self) -> tuple[Owed, ...]:
        """What is too late."""
        return tuple(item for item in self.owed if item.is_overdue(self.now))


class KnownStates:
    """What records add up to, read again only where a file of events has changed.

    Reading 400 records takes a second; each event that is written asks for what is owed.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[tuple[str, int, int], ...], IncidentState]] = {}

    def of(self, book: RecordBook) -> tuple[IncidentState, ...]:
        """Return what every record of the book adds up to, the newest first."""
        return self.below(book.root)

    def below(self, root: Path) -> tuple[IncidentState, ...]:
        """Return what every record below ``root`` adds up to, the newest first."""
        found = {}
        for place in reversed(records(root)):
            stamp = _stamp(place.folder)
            before = self._known.get(place.folder)
            is_same = before is not None and before[0] == stamp
            found[place.folder] = before if before and is_same else (stamp, read_state(place.folder))
        self._known = found
        return tuple(state for _, state in found.values())


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and time of change of every file of events: events are only ever appended."""
    with os.scandir(folder / EVENTS_FOLDER) as files:
        return tuple(sorted((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files))


def dues_of(book: RecordBook, known: KnownStates | None = None) -> Dues:
    """Return what is owed in all records of the book; ``known`` saves reading what has not changed."""
    now, states = book.now(), (known or KnownStates()).of(book)
    found = sorted(
        ((item, state) for state in states for item in owed(state, now)),
        key=lambda pair: _order(pair[0], now),
    )
    barred = {}
    for item, state in found:
        deploy = deploy_of(state, item.change) if item.kind is OwedKind.REVIEW else None
        if deploy is not None:
            may = may_review(state, deploy, book.author)
            if not may.is_allowed:
                barred[state.id, item.change] = may.reason
    owing = {item.incident_id for item, _ in found}
    kept = tuple(state for state in states if state.closed_at is None or state.id in owing)
    return Dues(tuple(item for item, _ in found), kept, book.author, now, barred)


def _order(item: Owed, now: dt.datetime) -> tuple[bool, bool, str, str, str]:
    due = item.due.isoformat() if item.due else ""
    return not item.is_overdue(now), item.due is None, due, item.incident_id, item.text


def deploy_of(state: IncidentState, change: str) -> Deploy | None:
    """Return the last deployment of a change in a record."""
    return next((deploy for deploy in reversed(state.deploys) if deploy.change == change), None)


# The timeline


@dataclass(frozen=True, slots=True)
class RecordView:
    """A record with what checking it found.

    Attributes:
        state: what it adds up to.
        findings: of its chain and its files.
        now: when it was read.
    """

    state: IncidentState
    findings: tuple[RecordFinding, ...]
    now: dt.datetime


def view_record(book: RecordBook, name: str) -> RecordView:
    """Return a record with what checking it found."""
    state = book.state(name)
    findings = tuple(finding for found in book.verify(state.id).values() for finding in found)
    return RecordView(state, findings, book.now())


def correct_event(
    book: RecordBook,
    name: str,
    event: Event,
    data: Mapping[str, object],
    reason: str,
    *,
    at: dt.datetime | None = None,
) -> Change:
    """Correct an event; the original stays.

    Raises:
        UsageError: without a reason, or when ``data`` does not fit.
    """
    if not reason.strip():
        raise UsageError("A correction needs a reason", "Say in a line why it was wrong")
    receipt = book.correct(name, event.dev, event.seq, data, reason.strip(), at=at)
    return Change(book.state(name), (receipt,))


def hand_over(book: RecordBook, name: str, to: str, text: str) -> Change:
    """Write down that somebody else goes on."""
    if not to.strip():
        raise UsageError("Nobody is named", "Say who takes over")
    data = {"to": to.strip(), "text": text.strip() or "see the timeline"}
    return record(book, name, EventType.HANDOVER, data)


# Reviewing


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A version of a policy.

    Attributes:
        revision: its Git blob id, or ``default``.
        text: as it was then; empty when it cannot be found.
        source: where it was found, or why it was not, one sentence.
    """

    revision: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class ReviewCase:
    """Everything that a reviewer is shown.

    Attributes:
        state: the incident.
        deploy: the change.
        decision: by which it went out; None when none is stored.
        policy: then in force; None when no decision names one.
        mode: ``before`` or ``after``.
        due: when the review is due.
        may: whether the person asking may review it.
        who: that person.
        now: when it was read.
    """

    state: IncidentState
    deploy: Deploy
    decision: Event | None
    policy: PolicyText | None
    mode: str
    due: dt.datetime
    may: MayReview
    who: str
    now: dt.datetime


def review_case(
    book: RecordBook,
    name: str,
    change: str,
    places: Sequence[tuple[str, Path]] = (),
    folders: AppFolders | None = None,
) -> ReviewCase:
    """Return what a reviewer of a change is shown.

    Args:
        book: where.
        name: of the record.
        change: id of the change.
        places: names and folders of the knowledge bases whose policy may be the one then in force.
        folders: the user's folders, whose clones know earlier policies; None to leave them out.

    Raises:
        UsageError: when the record holds no such deployment.
    """
    state = book.state(name)
    deploy = deploy_of(state, change)
    if deploy is None:
        raise UsageError(f"The record holds no deployment of {change}", "Look at its timeline")
    decision = decision_for(state, deploy)
    revision = decision.text("policy") if decision is not None else ""
    return ReviewCase(
        state,
        deploy,
        decision,
        policy_then(revision, places, folders) if revision else None,
        review_mode(state, deploy),
        review_due(state, deploy),
        may_review(state, deploy, book.author),
        book.author,
        book.now(),
    )


def policy_then(
    revision: str, places: Sequence[tuple[str, Path]], folders: AppFolders | None = None
) -> PolicyText:
    """Return the text of a policy by its Git blob id: from the knowledge bases, else from our clones.

    When neither knows it, ``source`` says so.
    """
    if revision == DEFAULT_POLICY.revision:
        source = "The default policy was in force: the knowledge base had no policy.yml."
        return PolicyText(revision, "", source)
    for name, root in places:
        raw = _policy_bytes(root)
        if raw is not None and blob_id(raw).startswith(revision):
            source = f"policy.yml of {name}, unchanged since."
            return PolicyText(revision, raw.decode("utf-8", "replace"), source)
    found = _from_clones(revision, folders) if folders is not None else None
    if found is not None:
        return found
    short = revision[:12]
    source = f"policy.yml @{short} is in none of the open knowledge bases: it was changed, or lies elsewhere."
    return PolicyText(revision, "", source)


def _from_clones(revision: str, folders: AppFolders) -> PolicyText | None:
    """Return a policy from the history of our own clones; no network is asked."""
    if _BLOB.fullmatch(revision) is None or not folders.clones.is_dir():
        return None
    try:
        store = open_store(folders)
    except KbError:
        return None
    for clone in store.area.clones() if store.program is not None else ():
        outcome = store.area.runner.run(
            "cat-file", ("blob",), (revision,), repository=store.area.repository(clone)
        )
        if outcome.is_ok and blob_id(outcome.stdout) == revision:
            text = outcome.stdout.decode("utf-8", "replace")
            return PolicyText(revision, text, f"policy.yml of {clone.name}, from its history.")
    return None


def _policy_bytes(root: Path) -> bytes | None:
    file = root / FILE_NAME
    try:
        if not file.is_file() or file.stat().st_size > MAX_POLICY_BYTES:
            return None
        return file.read_bytes()
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reviewer found.

    Attributes:
        change: which change.
        verdict: ``pass``, ``pass-with-followup`` or ``revert``.
        note: why; may be empty.
        followup: what is to be done, for ``pass-with-followup``.
        owner: who does it.
        due: by when; None for no date.
    """

    change: str
    verdict: str
    note: str = ""
    followup: str = ""
    owner: str = ""
    due: dt.datetime | dt.date | None = None


def give_verdict(book: RecordBook, name: str, verdict: Verdict) -> Change:
    """Write down a review, and the follow-up it asks for.

    Raises:
        UsageError: when the person may not review the change, or a follow-up is asked for and not named.
    """
    is_followed = verdict.verdict == "pass-with-followup"
    if is_followed and not verdict.followup.strip():
        raise UsageError("The follow-up is not named", "Say in a line what is still to be done")
    receipts = [book.review(name, verdict.change, verdict.verdict, note=verdict.note.strip())]
    if is_followed:
        data = {
            "state": "opened",
            "kind": "prevent",
            "id": _new_key(book.state(name), f"review-{verdict.change[:40]}"),
            "text": verdict.followup.strip(),
            "owner": verdict.owner.strip() or None,
            "due": verdict.due,
        }
        receipts.append(book.add(name, EventType.FOLLOWUP, data))
    return Change(book.state(name), tuple(receipts))


def _new_key(state: IncidentState, wanted: str) -> str:
    """Return a key that no follow-up of the record has: ``wanted``, else with a number behind it."""
    known = {item.key for item in state.followups}
    return next(
        key for n in itertools.count(1) if (key := wanted if n == 1 else f"{wanted}-{n}") not in known
    )


# Follow-ups


def followup_of(state: IncidentState, key: str) -> FollowUp | None:
    """Return a follow-up by its key."""
    return next((item for item in state.followups if item.key == key), None)


def assign_followup(
    book: RecordBook,
    name: str,
    kind: str,
    owner: str,
    *,
    key: str = "",
    text: str = "",
    due: dt.datetime | dt.date | None = None,
) -> Change:
    """Open a follow-up, or give an open one another owner or due date.

    Args:
        book: where.
        name: of the record.
        kind: ``fix``, ``remove-mitigation``, ``prevent``, ``merge-back`` or ``written-review``.
        owner: who does it.
        key: of an open one; empty for a new one.
        text: what is to be done.
        due: by when.
    """
    if not owner.strip():
        raise UsageError("A follow-up needs an owner", "Say who does it")
    data = {
        "state": "opened",
        "kind": kind,
        "id": key if key and key != kind else None,
        "owner": owner.strip(),
        "text": text.strip() or None,
        "due": due,
    }
    return record(book, name, EventType.FOLLOWUP, data)


def close_followup(
    book: RecordBook, name: str, kind: str, *, key: str = "", url: str = "", signal: str = ""
) -> Change:
    """Write down that a follow-up is done.

    A mitigation counts as removed by the signal that proves it; everything else by a commit or an issue.

    Raises:
        UsageError: when that is missing.
    """
    if kind == "remove-mitigation" and not signal.strip():
        raise UsageError("What shows that the mitigation is gone?", "Name the signal that you looked at")
    if kind != "remove-mitigation" and not url.strip():
        raise UsageError("A link is missing", "Give the commit, the merge request or the issue")
    data = {
        "state": "closed",
        "kind": kind,
        "id": key if key and key != kind else None,
        "url": url.strip() or None,
        "signal": signal.strip() or None,
    }
    return record(book, name, EventType.FOLLOWUP, data)


# Tickets


_TICKETS = (
    re.compile(r"[A-Za-z][A-Za-z0-9_]{0,14}-\d{1,9}"),
    re.compile(r"#?\d{4,12}"),
    re.compile(r"(?:INC|CHG|PRB|REQ|RITM|CS|TASK|SR)\d{4,12}", re.IGNORECASE),
    re.compile(r"https?://\S+", re.IGNORECASE),
)
MAX_TICKET = 300


def ticket_in(text: str) -> str:
    """Return ``text`` when it looks like a ticket (``OPS-4711``, ``INC0012345``, an address), else empty."""
    word = text.strip()
    if not word or len(word) > MAX_TICKET or len(word.split()) != 1:
        return ""
    return word if any(form.fullmatch(word) for form in _TICKETS) else ""


def open_for_ticket(book: RecordBook, entry: Entry, ticket: str) -> Change:
    """Open a record for a ticket that an entry answers, and link the entry.

    Raises:
        UsageError: when no ticket is named.
    """
    wanted = ticket.strip()
    if not wanted:
        raise UsageError("No ticket is named", "Give its id or its address")
    opening = opening_of(entry)
    is_address = wanted.lower().startswith(("https://", "http://"))
    data = {**opening.event_data(), ("tracker" if is_address else "ticket"): wanted}
    receipt = book.open(data)
    linked = book.add(receipt.place.id, EventType.KNOWLEDGE, {"how": "link", "entry": entry.id})
    return Change(book.state(receipt.place.id), (receipt, linked))


# Closing


@dataclass(frozen=True, slots=True)
class Closing:
    """What closing an incident now would leave undone.

    Attributes:
        state: the incident.
        blockers: what stands in the way.
        later: what stays listed and may wait.
        now: when it was read.
        who: the person asking.
    """

    state: IncidentState
    blockers: tuple[ClosingBlocker, ...]
    later: tuple[Owed, ...]
    now: dt.datetime
    who: str

    @property
    def is_knowledge_done(self) -> bool:
        """Tell whether an entry was linked, flagged, fixed or added."""
        return not any(blocker.is_hard for blocker in self.blockers)

    @property
    def needs_reason(self) -> bool:
        """Tell whether closing needs a reason."""
        return any(not blocker.is_hard for blocker in self.blockers)


def closing_of(book: RecordBook, name: str) -> Closing:
    """Return what closing the incident now would leave undone."""
    state, now = book.state(name), book.now()
    blockers = closing_blockers(state, now)
    blocking = {blocker.owed for blocker in blockers}
    later = tuple(item for item in owed(state, now) if item not in blocking)
    return Closing(state, blockers, later, now, book.author)


def record_knowledge(book: RecordBook, name: str, how: str, entry: str, note: str = "") -> Change:
    """Write down the knowledge step: ``link``, ``flag``, ``fix`` or ``add``, and which entry.

    Raises:
        UsageError: when no entry is named.
    """
    if not entry.strip():
        raise UsageError("No entry is named", "Give its name, or add a new one")
    data = {"how": how, "entry": entry.strip(), "note": note.strip() or None}
    return record(book, name, EventType.KNOWLEDGE, data)


def close_incident(book: RecordBook, name: str, *, reason: str = "") -> Change:
    """Close and seal a record.

    Raises:
        UsageError: when the knowledge step is missing, or something is left and no reason is given.
    """
    receipt = book.close(name, reason=reason.strip())
    return Change(book.state(name), (receipt,))


def sentence(error: KbError) -> str:
    """Return an expected failure on one line."""
    return f"{error.title}. {error.hint}." if error.hint else error.title
