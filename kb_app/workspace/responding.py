"""Responding: what a person does during an incident, as events of its record.

Every use case takes the `RecordBook` (from `records.open_book`) and the name of a record, writes what has to
be written, and returns a `Change`: the events, and what the record adds up to afterwards. All of it touches
the disk: not for the window's thread.

Decision: a paste is never kept. A record holds names of entries, alerts and tickets; the log that led to them
may hold customer data, so the title comes from the entry or from words that were typed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.decision.codec import Case, read_case
from kb_app.decision.model import Incident
from kb_app.decision.policy import DEFAULT_POLICY, Policy, blob_id
from kb_app.decision.values import DataRisk, Impact, Recommendation, Review, Scope, Severity, Trend
from kb_app.entries.model import Entry
from kb_app.errors import KbError, UsageError
from kb_app.incidents.book import Receipt, RecordBook
from kb_app.incidents.events import Event, EventType
from kb_app.incidents.runs import RunPlan, RunState, StepStatus, runs_of
from kb_app.incidents.timeline import IncidentState
from kb_app.paths import safe_join
from kb_app.workspace.deciding import Decision, advise, policy_of, review_of

MAX_TITLE = 120
MAX_ENTRY_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Change:
    """What a use case wrote.

    Attributes:
        state: what the record adds up to now.
        receipts: of the events, in order; empty when nothing had to be written.
    """

    state: IncidentState
    receipts: tuple[Receipt, ...] = ()

    @property
    def runs(self) -> tuple[RunState, ...]:
        """The runs of the record, by their beginning."""
        return runs_of(self.state.moments)

    @property
    def problem(self) -> str:
        """Why an event is not in version control, one sentence; empty when all is well."""
        return next((receipt.problem for receipt in self.receipts if receipt.problem), "")


# Opening


@dataclass(frozen=True, slots=True)
class Opening:
    """What an incident is opened with.

    Attributes:
        title: what is wrong, in a few words; it names the record's folder.
        severity: ``sev1`` to ``sev4``; empty when not declared.
        alert: name of the alert, if one led here.
        ticket: id of the ticket, if there is one.
        services: components affected.
        tags: topics a policy may name.
    """

    title: str
    severity: str = ""
    alert: str = ""
    ticket: str = ""
    services: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def event_data(self) -> dict[str, object]:
        """Return the data of the ``opened`` event; what is empty is left out."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value}


def opening_of(entry: Entry | None, typed: str = "", *, alert: str = "") -> Opening:
    """Return what the sheet for a new incident is prefilled with.

    Args:
        entry: the open one, or None.
        typed: words typed into the search field; never a paste.
        alert: name of an alert that was recognised in the query.
    """
    words = " ".join(typed.split())[:MAX_TITLE]
    if entry is None:
        return Opening(words, alert=alert)
    known = {name.lower(): name for name in entry.alerts}
    return Opening(
        title=entry.title[:MAX_TITLE],
        severity=entry.severity if entry.severity in set(Severity) else "",
        alert=alert or known.get(words.lower(), ""),
        services=(entry.component,) if entry.component else (),
        tags=entry.tags,
    )


def open_incident(
    book: RecordBook, opening: Opening, *, source: Mapping[str, object] | None = None
) -> Change:
    """Open a record.

    Args:
        book: where.
        opening: what is wrong.
        source: further data of the ``opened`` event, for example ``lead``.
    """
    title = " ".join(opening.title.split())
    if not title:
        raise UsageError("The incident has no title", "Write what is wrong, in a few words")
    data = dataclasses.replace(opening, title=title).event_data() | dict(source or {})
    receipt = book.open(data)
    return Change(book.state(receipt.place.id), (receipt,))


def open_incidents(book: RecordBook) -> tuple[IncidentState, ...]:
    """Return the records that are not closed, the newest first."""
    return tuple(state for state in book.states() if state.closed_at is None)


# Single events


def record(
    book: RecordBook,
    name: str,
    kind: EventType,
    data: Mapping[str, object],
    *,
    at: dt.datetime | None = None,
) -> Change:
    """Write one event; ``at`` is when it happened, if not now."""
    receipt = book.add(name, kind, data, at=at)
    return Change(book.state(name), (receipt,))


def state_impact(book: RecordBook, name: str, incident: Incident) -> Change:
    """Write down impact, data risk, trend, scope and severity where they differ from what the record says."""
    state = book.state(name)
    data = impact_changes(state, incident)
    return record(book, name, EventType.IMPACT, data) if data else Change(state)


def impact_changes(state: IncidentState, incident: Incident) -> dict[str, object]:
    """Return the data of the ``impact`` event that brings the record to ``incident``; unknowns say nought."""
    stated = (
        ("impact", incident.impact, state.impact),
        ("data", incident.data_risk, state.data_risk),
        ("trend", incident.trend, state.trend),
        ("scope", incident.scope, state.scope),
        ("severity", incident.severity, state.severity),
    )
    return {key: str(value) for key, value, known in stated if value is not None and str(value) != known}


def incident_of(state: IncidentState) -> Incident:
    """Return the incident as the record states it; what nobody stated is None."""
    return Incident(
        impact=Impact(state.impact) if state.impact else None,
        data_risk=DataRisk(state.data_risk) if state.data_risk else None,
        trend=Trend(state.trend) if state.trend else None,
        scope=Scope(state.scope) if state.scope else None,
        severity=Severity(state.severity) if state.severity else None,
        tags=state.tags,
        components=state.services,
    )


def write_note(book: RecordBook, name: str, text: str, *, audience: str = "") -> Change:
    """Write a note; ``audience`` is ``internal``, ``partner`` or ``public`` (empty: internal)."""
    return record(book, name, EventType.NOTE, {"text": text.strip(), "audience": audience or None})


_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def link_ticket(book: RecordBook, name: str, ticket: str) -> Change:
    """Link a ticket by its id or its address."""
    wanted = ticket.strip()
    if not wanted:
        raise UsageError("No ticket is named", "Give its id or its address")
    is_address = _ADDRESS.fullmatch(wanted) is not None
    data = {"text": f"Ticket {wanted}", ("tracker" if is_address else "ticket"): wanted}
    return record(book, name, EventType.NOTE, data)


def mark_mitigated(book: RecordBook, name: str, signal: str) -> Change:
    """Say that the harm has stopped; ``signal`` is what proves it."""
    return record(book, name, EventType.MITIGATED, {"signal": signal.strip()})


def mark_fixed(book: RecordBook, name: str, signal: str) -> Change:
    """Say that the cause is gone; ``signal`` is what proves it."""
    return record(book, name, EventType.FIXED, {"signal": signal.strip()})


def entry_used(
    book: RecordBook,
    name: str,
    entry: str,
    result: str,
    *,
    blob: str = "",
    note: str = "",
    is_known: bool | None = None,
) -> Change:
    """Say whether an entry helped.

    Args:
        book: where.
        name: of the record.
        entry: id of the entry.
        result: ``worked``, ``partly`` or ``no``.
        blob: its version.
        note: what was off.
        is_known: the entry existed before the incident; None when that is not known.
    """
    data = {
        "entry": entry,
        "result": result,
        "blob": blob or None,
        "note": note or None,
        "is_known": is_known,
    }
    return record(book, name, EventType.ENTRY_USED, data)


def blob_of(root: Path, path: str) -> str:
    """Return the Git blob id of an entry's file as it is now; empty when it cannot be read."""
    try:
        file = safe_join(root, path)
        if not file.is_file() or file.stat().st_size > MAX_ENTRY_BYTES:
            return ""
        return blob_id(file.read_bytes())
    except (OSError, UsageError):
        return ""


# Deciding


def take_decision(
    book: RecordBook, name: str, decision: Decision, *, entry: str = "", late_reason: str = ""
) -> Change:
    """Write down a decision: what was known, the decision itself, and choosing otherwise.

    Args:
        book: where.
        name: of the record.
        decision: as taken.
        entry: id of the entry that was decided on; may be empty.
        late_reason: why it is only written down now; it is then dated when it was taken, and nothing is said
            about how things stand now.
    """
    receipts = [] if late_reason else list(state_impact(book, name, decision.case.incident).receipts)
    at = decision.decided_at if late_reason else None
    data = dict(decision.event_data())
    if entry:
        data["entry"] = entry
    if late_reason:
        data["late_reason"] = " ".join(late_reason.split())
    if decision.is_override:
        data.pop("timebox_minutes", None)  # nobody falls back from a choice of their own
    # dated when it is written: a second before its record was opened would put it before that event
    receipts.append(book.add(name, EventType.DECISION, data, at=at))
    if decision.is_override:
        chosen = {"chosen": decision.chosen.value, "reason": decision.reason}
        receipts.append(book.add(name, EventType.OVERRIDE, chosen, at=at))
    return Change(book.state(name), tuple(receipts))


def opening_for(decision: Decision, entry: Entry) -> Opening:
    """Return what an incident is opened with when its first event is a decision on ``entry``."""
    opening = opening_of(entry)
    severity = decision.case.incident.severity
    return dataclasses.replace(opening, severity=severity.value if severity is not None else opening.severity)


def needs_record(decision: Decision) -> bool:
    """Tell whether duty O1 asks for a record: a normal change, as advised, needs none."""
    return decision.chosen is not Recommendation.NORMAL_CHANGE


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """How long a fix is tried; both times are those of the record, so that sleep and restart change nothing.

    Attributes:
        began_at: when it was decided.
        ends_at: when to fall back, or to decide again.
    """

    began_at: dt.datetime
    ends_at: dt.datetime

    def left(self, now: dt.datetime) -> dt.timedelta:
        """Return what is left; negative once it is over."""
        return self.ends_at - now


def time_limit(state: IncidentState) -> TimeLimit | None:
    """Return the time limit that runs: of the last decision, while nothing is mitigated, fixed or closed."""
    event = state.decision
    if event is None or state.closed_at is not None:
        return None
    over = [at for at in (state.mitigated_at, state.fixed_at) if at is not None and at >= event.at]
    minutes = event.data.get("timebox_minutes")
    if over or not isinstance(minutes, int | float) or isinstance(minutes, bool):
        return None
    if state.chosen != event.text("recommendation"):
        return None
    return TimeLimit(event.at, event.at + dt.timedelta(minutes=min(float(minutes), 525_600)))


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """The last decision of a record, read back.

    Attributes:
        case: what was decided on.
        chosen: what is done.
        reason: why otherwise than advised; empty when it was followed.
        decided_at: when.
        entry: id of the entry that was decided on; may be empty.
        policy: Git blob id of the policy then in force.
    """

    case: Case
    chosen: Recommendation
    reason: str
    decided_at: dt.datetime
    entry: str
    policy: str

    def again(self, policy: Policy) -> Decision:
        """Return it as taken under ``policy``."""
        advice = advise(self.case, policy, self.case.today or self.decided_at.date())
        return Decision(self.case, advice, policy, self.chosen, self.reason, self.decided_at)


def stored_decision(state: IncidentState) -> StoredDecision | None:
    """Return the last decision of a record; None without one, or when its inputs cannot be read."""
    event = state.decision
    inputs = event.data.get("inputs") if event is not None else None
    if event is None or not isinstance(inputs, Mapping) or state.chosen not in set(Recommendation):
        return None
    try:
        case = read_case(dict(inputs), "The stored decision")
    except KbError:
        return None
    is_override = state.chosen != event.text("recommendation")
    reason = state.overrides[-1].text("reason") if is_override and state.overrides else ""
    return StoredDecision(
        case,
        Recommendation(state.chosen),
        reason,
        event.at,
        event.text("entry"),
        event.text("policy"),
    )


# Deploying


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a fix may go out now.

    Attributes:
        review: whether it is reviewed before or after.
        authority: by what right it goes out: "standing, policy.yml @1a2b3c4"; empty when reviewed first.
        review_within: time from the deployment to the review's due time; None when the review comes first.
        independent_of: roles whose people may not review.
        why: why the review comes first, one sentence; empty when it comes after.
    """

    review: Review
    authority: str = ""
    review_within: dt.timedelta | None = None
    independent_of: tuple[str, ...] = ()
    why: str = ""


def terms_of(
    state: IncidentState, policies: Sequence[Policy], today: dt.date, *, live: Case | None = None
) -> Terms:
    """Return the terms on which a fix may go out now, by the decision in the record and what is known since.

    Args:
        state: of the record.
        policies: of the open knowledge bases; the one that the decision names counts.
        today: for freezes.
        live: what the answers say at this moment, where they are open to be changed.

    The decision is weighed again on what was stated since: a value that has become unknown, or a service that
    is down no longer, takes the standing authority back.
    """
    stored = stored_decision(state)
    if stored is None:
        return Terms(Review.BEFORE, why="No decision is recorded yet: decide first.")
    known = (*policies, DEFAULT_POLICY)
    policy = next((one for one in known if one.revision == stored.policy), None)
    if policy is None:
        return Terms(Review.BEFORE, why="The policy has changed since the decision: decide again.")
    case = dataclasses.replace(live or _as_known_now(stored, state), today=None)
    advice = advise(case, policy, today)
    review = review_of(Recommendation.FIX_FORWARD, case, advice, policy, today)
    rules = policy.applied_to(case.incident.components, case.incident.product)
    independent = tuple(rules.post_review_independent_of)
    if review is Review.AFTER:
        within = dt.timedelta(minutes=rules.post_review_due)
        return Terms(Review.AFTER, standing_authority(policy.revision), within, independent)
    return Terms(Review.BEFORE, independent_of=independent, why=_why_first(case.incident))


def standing_authority(revision: str) -> str:
    """Return how a standing authorisation is written: which policy, at which version."""
    version = revision if revision == DEFAULT_POLICY.revision else f"@{revision[:7]}"
    return f"standing, policy.yml {version}"


def _as_known_now(stored: StoredDecision, state: IncidentState) -> Case:
    """Return what was decided on, with what impact events have stated after it."""
    event = state.decision
    places = [(m.event.dev, m.event.seq) for m in state.moments]
    since = places.index((event.dev, event.seq)) + 1 if event is not None else 0
    later = [m.data for m in state.moments[since:] if m.data.type == EventType.IMPACT]
    words = {
        key: text for one in later for key in ("impact", "data", "trend", "scope") if (text := one.text(key))
    }
    incident = stored.case.incident
    return dataclasses.replace(
        stored.case,
        incident=dataclasses.replace(
            incident,
            impact=Impact(words["impact"]) if "impact" in words else incident.impact,
            data_risk=DataRisk(words["data"]) if "data" in words else incident.data_risk,
            trend=Trend(words["trend"]) if "trend" in words else incident.trend,
            scope=Scope(words["scope"]) if "scope" in words else incident.scope,
        ),
    )


def _why_first(incident: Incident) -> str:
    values = (("impact", incident.impact), ("data", incident.data_risk), ("scope", incident.scope))
    unknown = [name for name, value in values if value is None]
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        return f"Needs review first: {' and '.join(unknown)} {verb} unknown."
    if incident.impact is not Impact.DOWN:
        return f"Needs review first: impact is {incident.impact}, not down."
    return "Needs review first: the policy gives no standing authority for this."


@dataclass(frozen=True, slots=True)
class Deployment:
    """A change that went out.

    Attributes:
        change: its id: a commit, a merge request, a ticket.
        env: where to.
        service: service or repository; may be empty.
        author: who wrote it; may be empty.
        way: ``mitigation`` or ``fix``.
        tests: evidence of tests, or why there is none; may be empty.
    """

    change: str
    env: str
    service: str = ""
    author: str = ""
    way: str = "fix"
    tests: str = ""


def log_deployment(
    book: RecordBook, name: str, deployment: Deployment, terms: Terms, now: dt.datetime
) -> Change:
    """Write down a deployment; with a standing authority its approval is written down too."""
    data: dict[str, object] = {
        "change": deployment.change.strip(),
        "env": deployment.env.strip(),
        "repo": deployment.service.strip() or None,
        "author": deployment.author.strip() or None,
        "way": deployment.way,
        "tests": deployment.tests.strip() or None,
        "review": terms.review.value,
        "authority": terms.authority or None,
    }
    if terms.review_within is not None:
        data["due"] = now + terms.review_within
    receipt = book.add(name, EventType.DEPLOY, data, at=now)
    return Change(book.state(name), (receipt,))


_CHANGE_FORMS = (
    re.compile(r"[0-9a-f]{7,40}"),
    re.compile(r"(?:[\w.-]+/)*[\w.-]*[!#]\d{1,9}"),
    re.compile(r"[A-Z][A-Z0-9]{1,14}-\d{1,9}"),
    re.compile(
        r"https?://\S+/(?:-/)?(?:merge_requests|pull|pull-requests|commit|commits|issues|changes?)/\S+"
    ),
)
MAX_CHANGE = 300


def change_in(text: str) -> str:
    """Return ``text`` when it looks like the id of a change (hash, merge request, ticket, address), or "".

    A word of letters alone is no hash: ``defaced`` is one only by chance.
    """
    word = text.strip()
    if not word or len(word) > MAX_CHANGE or len(word.split()) != 1:
        return ""
    for form in _CHANGE_FORMS:
        if form.fullmatch(word):
            return "" if word.isalpha() else word
    return ""


def policies_of(roots: Sequence[Path]) -> tuple[Policy, ...]:
    """Return the policies of these knowledge bases."""
    return tuple(policy_of(root)[0] for root in roots)


# Runs


def start_run(book: RecordBook, name: str, plan: RunPlan, *, done: Sequence[int] = ()) -> Change:
    """Begin a run; ``done`` are the steps (1-based) that were ticked before there was a record."""
    run = book.start_run(name, plan)
    runs = book.runs(name)
    for step in done:
        runs.tick(run.run, step, note="ticked before the incident was opened")
    return Change(book.state(name))


def mark_step(
    book: RecordBook, name: str, run: str, step: int, status: StepStatus, *, note: str = ""
) -> Change:
    """Mark a step as done, skipped or failed."""
    runs = book.runs(name)
    marks: Mapping[StepStatus, Callable[[], RunState]] = {
        StepStatus.DONE: lambda: runs.tick(run, step, note=note),
        StepStatus.SKIPPED: lambda: runs.skip(run, step, note=note),
        StepStatus.FAILED: lambda: runs.fail(run, step, note=note),
    }
    if status not in marks:
        raise UsageError(f"A step is not marked as {status}", "Choose done, skipped or failed")
    marks[status]()
    return Change(book.state(name))


def wait_on_step(book: RecordBook, name: str, run: str, step: int, minutes: float) -> Change:
    """Let a step wait, counted from now."""
    book.runs(name).wait(run, step, minutes=minutes)
    return Change(book.state(name))


def finish_waits(book: RecordBook, name: str) -> Change:
    """Write down every wait that is over by now."""
    book.runs(name).finish_waits()
    return Change(book.state(name))


def note_copy(book: RecordBook, name: str, run: str, step: int, command: str) -> Change:
    """Write down that a command was copied; credentials are removed from it."""
    book.runs(name).copied(run, step, command)
    return Change(book.state(name))


def undo_mark(book: RecordBook, name: str, run: str, step: int | None = None) -> Change:
    """Take back the last mark of a run, or of one of its steps; the mark stays in the record."""
    book.runs(name).undo(run, step)
    return Change(book.state(name))


def is_run_of(run: RunState, plan: RunPlan) -> bool:
    """Tell whether ``run`` works through the path of ``plan``, whatever its steps were when it began."""
    return (run.way, run.path, run.entry) == (plan.way, plan.path, plan.entry)


def run_for(book: RecordBook, name: str, plan: RunPlan) -> RunState:
    """Return the run that works through ``plan``: the last one that was begun and not ended, else a new one.

    Where the steps of the entry have changed since it began, that run is ended and a new one begun; what was
    done on steps that are still there is taken over.
    """
    going = [run for run in book.runs(name).states() if is_run_of(run, plan) and run.ended_at is None]
    if not going:
        return book.start_run(name, plan)
    run, runs = going[-1], book.runs(name)
    if tuple(step.text for step in run.steps) == plan.steps:
        return run
    runs.end(run.run, note="the steps of the entry have changed")
    done = {step.text for step in run.steps if step.status is StepStatus.DONE}
    begun = book.start_run(name, plan)
    for number, text in enumerate(plan.steps, 1):
        if text in done:
            runs.tick(begun.run, number, note="done in the run before")
    return runs.state(begun.run)


def mark_plan(
    book: RecordBook,
    name: str,
    plan: RunPlan,
    step: int,
    status: StepStatus,
    *,
    note: str = "",
    minutes: float = 0.0,
) -> Change:
    """Mark a step of ``plan``, in the run that works through it; the first mark begins that run.

    Args:
        book: where.
        name: of the record.
        plan: what is worked through.
        step: 1-based.
        status: `StepStatus.PENDING` takes the step's last mark back.
        note: what was seen.
        minutes: how long to wait, for `StepStatus.WAITING`.
    """
    if status is StepStatus.PENDING:
        last = [run for run in book.runs(name).states() if is_run_of(run, plan)]
        return undo_mark(book, name, last[-1].run, step) if last else Change(book.state(name))
    run = run_for(book, name, plan).run
    if status is StepStatus.WAITING:
        return wait_on_step(book, name, run, step, minutes)
    return mark_step(book, name, run, step, status, note=note)


def copy_from_plan(book: RecordBook, name: str, plan: RunPlan, step: int, command: str) -> Change:
    """Write down that a command of ``plan`` was copied, in the run that works through it."""
    return note_copy(book, name, run_for(book, name, plan).run, step, command)


def end_run(book: RecordBook, name: str, run: str, *, note: str = "") -> Change:
    """End a run; what is left undone stays visible."""
    book.runs(name).end(run, note=note)
    return Change(book.state(name))


def last_event(change: Change) -> Event | None:
    """Return the event that was written last; None when nothing was."""
    return change.receipts[-1].event if change.receipts else None
