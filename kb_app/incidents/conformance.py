"""Conformance to the team's own process: one row per emergency change, with a verdict that can be checked.

The same records, inputs and seed give the same rows. Nothing here looks at the clock: the report says what
had been written down at ``as_of``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path

from kb_app.entries.model import Severity
from kb_app.errors import UsageError
from kb_app.incidents.deploy_list import ListedDeploy, is_same_change
from kb_app.incidents.duties import (
    FOLLOWED_UP,
    decision_for,
    followup_due,
    may_review,
    needs_review,
    review_due,
    review_mode,
    review_of,
)
from kb_app.incidents.events import Event, EventType, format_time
from kb_app.incidents.folders import RecordPlace, records
from kb_app.incidents.timeline import Deploy, FollowUp, IncidentState, read_state
from kb_app.incidents.verify import RecordFinding, is_chain_intact, verify

NOT_CHECKED = "not checked"
NOT_STATED = "not stated"


class Verdict(StrEnum):
    """How a change stands; the first that applies, in this order."""

    BREACH = "breach"
    MISSING = "missing"
    LATE = "late"
    OPEN = "open"
    CONFORMS = "conforms"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A version of the policy that was in force for a while.

    Attributes:
        revision: Git blob id, as decisions store it.
        since: when it came into force.
        never_unreviewed: tags and components whose changes are always reviewed first, lower case.
        review_due: time for a review after deployment.
        subject: what its commit said, one line.
    """

    revision: str
    since: dt.datetime
    never_unreviewed: tuple[str, ...] = ()
    review_due: dt.timedelta = dt.timedelta(hours=24)
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One emergency change; every value is text as it is printed, times UTC, empty when there is none.

    Attributes: the columns of the report, in order. ``review_delay_h`` is hours from deployment to review,
        negative when the review came first. ``why`` names what led to the verdict.
    """

    incident_id: str
    change_id: str
    service: str
    env: str
    opened_at: str
    impact_at_decision: str
    recommended: str
    rule: str
    chosen: str
    override_reason: str
    policy_rev: str
    authority: str
    deployed_by: str
    deployed_at: str
    review_mode: str
    review_due: str
    reviewed_by: str
    reviewed_at: str
    review_delay_h: str
    review_verdict: str
    independent: str
    test_evidence: str
    late_entries: str
    followup_owner: str
    followup_due: str
    followup_closed: str
    mitigation_removed: str
    chain: str
    signatures: str
    verdict: str
    why: str


COLUMNS: tuple[str, ...] = tuple(f.name for f in fields(Row))


@dataclass(frozen=True, slots=True)
class Figure:
    """A summary figure: a median with its range, never a mean.

    Attributes:
        name: what was measured.
        median_minutes, lowest_minutes, highest_minutes: None when nothing was measured.
        count: how many were measured.
        minutes: each one, the shortest first.
    """

    name: str
    median_minutes: float | None
    lowest_minutes: float | None
    highest_minutes: float | None
    count: int
    minutes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report covers.

    Attributes:
        begin: first moment of the period, included.
        end: first moment after it.
        as_of: what had been written down by then counts; due times are compared with it.
        seed: of the random sample, shown in the report.
        sample_size: how many changes the sample holds.
        commit: of the knowledge base the report was made from; empty when unknown.
        source: where the records lie, as shown; no path of this computer.
    """

    begin: dt.datetime
    end: dt.datetime
    as_of: dt.datetime
    seed: str = "1"
    sample_size: int = 25
    commit: str = ""
    source: str = "incidents/"


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report.

    Attributes:
        scope: what it covers.
        rows: by deployment, then incident and change; unrecorded deploys included.
        records: how many records were read.
        counts: verdict to number of rows, all five in order.
        overrides: how many rows chose otherwise than advised.
        listed: how many deploys of the period the list holds; None without a list.
        unrecorded: listed deploys without record and without review.
        unlisted: ids of recorded changes that the list does not hold.
        sample: incident and change id of the random sample, in the order drawn.
        policies: versions in force in the period, oldest first.
        unknown_policies: revisions that decisions name and ``policies`` does not.
        figures: summary figures.
        findings: record to what its check found, only records with findings.
        overridden: rows that chose otherwise than advised, with the event that says who did and why.
    """

    scope: Scope
    rows: tuple[Row, ...]
    records: int
    counts: Mapping[str, int]
    overrides: int
    listed: int | None
    unrecorded: tuple[ListedDeploy, ...]
    unlisted: tuple[str, ...]
    sample: tuple[tuple[str, str], ...]
    policies: tuple[PolicyVersion, ...]
    unknown_policies: tuple[str, ...]
    figures: tuple[Figure, ...]
    findings: Mapping[str, tuple[RecordFinding, ...]] = field(default_factory=dict)
    overridden: tuple[tuple[Row, Event], ...] = ()

    @property
    def share(self) -> float | None:
        """Emergency changes as a share of all listed ones, 0 to 1; None without a list."""
        if not self.listed:
            return None
        return len(self.rows) / max(self.listed, len(self.rows))


def conformance(
    root: Path,
    scope: Scope,
    *,
    policies: Sequence[PolicyVersion] = (),
    deploys: Sequence[ListedDeploy] | None = None,
    signatures: Mapping[str, str] | None = None,
    history: Mapping[str, Sequence[RecordFinding]] | None = None,
    on_record: Callable[[int, int], None] | None = None,
) -> Report:
    """Return the report on the records below ``root``.

    Args:
        root: folder that holds ``incidents/``.
        scope: period, moment, seed.
        policies: versions of the policy, in any order.
        deploys: everything that was deployed, to be reconciled with the records; None when there is no list.
        signatures: record id to what a check of its commits' signatures said.
        history: record folder, relative to ``root``, to what comparing it with its history found.
        on_record: told how many records were read, of how many; what it raises ends the work.
    """
    places = records(root)
    read = []
    for number, place in enumerate(places):
        if on_record is not None:
            on_record(number, len(places))
        compared = (history or {}).get(place.folder.relative_to(root).as_posix(), ())
        findings = (*verify(place.folder), *compared)
        read.append((place, read_state(place.folder, as_of=scope.as_of), findings))
    gone = {
        name: tuple(found)
        for name, found in (history or {}).items()
        if found and not any(place.folder == root / name for place in places)
    }
    ordered = tuple(sorted(policies, key=lambda policy: (policy.since, policy.revision)))
    facts = [
        _facts(_Context(place, state, findings, ordered, scope, signatures or {}), deploy)
        for place, state, findings in read
        for deploy in state.deploys
        if scope.begin <= deploy.at < scope.end and _is_emergency(state, deploy)
    ]
    known = [deploy.change for _, state, _ in read for deploy in state.deploys]
    listed = None if deploys is None else [d for d in deploys if scope.begin <= d.deployed_at < scope.end]
    unrecorded = tuple(
        d
        for d in listed or ()
        if not d.is_reviewed and not any(is_same_change(d.change_id, change) for change in known)
    )
    rows = tuple(
        sorted(
            [*(fact.row for fact in facts), *(_unrecorded_row(deploy) for deploy in unrecorded)],
            key=lambda row: (row.deployed_at, row.incident_id, row.change_id, row.env),
        )
    )
    states = [s for _, s, _ in read if s.opened_at is not None and scope.begin <= s.opened_at < scope.end]
    return Report(
        scope=scope,
        rows=rows,
        records=len(places),
        counts={verdict.value: sum(row.verdict == verdict for row in rows) for verdict in Verdict},
        overrides=sum(bool(row.override_reason) for row in rows),
        listed=None if listed is None else len(listed),
        unrecorded=unrecorded,
        unlisted=_unlisted(rows, listed),
        sample=sample_of(rows, scope.seed, scope.sample_size),
        policies=_in_force(ordered, scope),
        unknown_policies=_unknown(rows, ordered),
        figures=_figures(states, facts),
        findings={place.id: found for place, _, found in read if found} | gone,
        overridden=tuple(
            (fact.row, fact.override)
            for fact in sorted(facts, key=lambda fact: fact.row.deployed_at)
            if fact.override is not None
        ),
    )


_PERIOD = re.compile(r"(\d{4})(?:-(?:(\d{2})(?:-(\d{2}))?|[Qq]([1-4])))?")


def period_of(text: str) -> tuple[dt.datetime, dt.datetime]:
    """Return begin and end (excluded) of a period: ``2025``, ``2025-Q2``, ``2025-06``, ``2025-06-01``.

    Two of them joined by ``..`` reach from the begin of the first to the end of the second.

    Raises:
        UsageError: when it is none.
    """
    first, dots, last = (part.strip() for part in text.partition(".."))
    begin, end = _span_of(first), _span_of(last if dots else first)
    if begin is None or end is None or end[1] <= begin[0]:
        raise UsageError(f"“{text}” is not a period", "Write 2025, 2025-Q2, 2025-06 or 2025-01..2025-06")
    return begin[0], end[1]


def _span_of(text: str) -> tuple[dt.datetime, dt.datetime] | None:
    match = _PERIOD.fullmatch(text)
    if match is None:
        return None
    year, month, day, quarter = (int(part) if part else 0 for part in match.groups())
    try:
        if day:
            begin = dt.datetime(year, month, day, tzinfo=dt.UTC)
            return begin, begin + dt.timedelta(days=1)
        first = month or 3 * quarter - 2 if month or quarter else 1
        months = 1 if month else 3 if quarter else 12
        after = first + months
        begin = dt.datetime(year, first, 1, tzinfo=dt.UTC)
        end = dt.datetime(year + (after > 12), after - 12 if after > 12 else after, 1, tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None
    return begin, end


def sample_of(rows: Sequence[Row], seed: str, size: int) -> tuple[tuple[str, str], ...]:
    """Return the ids of a random sample of ``size`` rows, in the order drawn.

    Rows are drawn by the SHA-256 of seed, incident and change, so that anybody can draw the same sample with
    any tool, in any year.
    """
    keys = sorted({(row.incident_id, row.change_id) for row in rows})
    drawn = sorted(keys, key=lambda key: (hashlib.sha256("\n".join((seed, *key)).encode()).hexdigest(), key))
    return tuple(drawn[: max(0, size)])


def _is_emergency(state: IncidentState, deploy: Deploy) -> bool:
    decision = decision_for(state, deploy)
    return decision is None or _chosen(state, deploy, decision)[0] != "normal-change"


def _in_force(policies: Sequence[PolicyVersion], scope: Scope) -> tuple[PolicyVersion, ...]:
    before = [policy for policy in policies if policy.since < scope.begin]
    within = [policy for policy in policies if scope.begin <= policy.since < scope.end]
    return (*before[-1:], *within)


def _unknown(rows: Sequence[Row], policies: Sequence[PolicyVersion]) -> tuple[str, ...]:
    known = {policy.revision for policy in policies}
    return tuple(sorted({row.policy_rev for row in rows if row.policy_rev} - known)) if known else ()


def _unlisted(rows: Sequence[Row], listed: Sequence[ListedDeploy] | None) -> tuple[str, ...]:
    if listed is None:
        return ()
    return tuple(
        row.change_id
        for row in rows
        if row.incident_id and not any(is_same_change(row.change_id, d.change_id) for d in listed)
    )


# One row


@dataclass(frozen=True, slots=True)
class _Context:
    place: RecordPlace
    state: IncidentState
    findings: tuple[RecordFinding, ...]
    policies: tuple[PolicyVersion, ...]
    scope: Scope
    signatures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Facts:
    row: Row
    deploy: Deploy
    review_minutes: float | None
    override: Event | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a verdict is made from."""

    deploy: Deploy
    as_of: dt.datetime
    decision: Event | None
    review: Event | None
    is_review_needed: bool
    is_independent: bool
    review_due: dt.datetime
    is_forbidden: bool
    is_chain_intact: bool
    followups: tuple[_FollowUpNeed, ...]


@dataclass(frozen=True, slots=True)
class _FollowUpNeed:
    """A follow-up that is required, and what there is of it."""

    name: str
    item: FollowUp | None
    name_by: dt.datetime | None


def _facts(context: _Context, deploy: Deploy) -> _Facts:
    state, scope = context.state, context.scope
    decision = decision_for(state, deploy)
    policy = _policy_of(context, deploy, decision)
    review = review_of(state, deploy)
    allowance = policy.review_due if policy is not None else dt.timedelta(hours=24)
    judged = _Judged(
        deploy=deploy,
        as_of=scope.as_of,
        decision=decision,
        review=review,
        is_review_needed=needs_review(state, deploy),
        is_independent=review is not None and may_review(state, deploy, review.text("reviewer")).is_allowed,
        review_due=review_due(state, deploy, allowance),
        is_forbidden=_is_forbidden(state, deploy, decision, policy),
        is_chain_intact=is_chain_intact(context.findings),
        followups=_needed_followups(state, deploy, decision, review),
    )
    verdict, reasons = _verdict(judged)
    override = _override_of(state, deploy, decision)
    return _Facts(_row(context, judged, verdict, reasons), deploy, _delay_minutes(judged), override)


def _policy_of(context: _Context, deploy: Deploy, decision: Event | None) -> PolicyVersion | None:
    if decision is not None:
        stored = [p for p in context.policies if p.revision == decision.text("policy")]
        if stored:
            return stored[-1]
    before = [p for p in context.policies if p.since <= deploy.at]
    return before[-1] if before else None


def _is_forbidden(
    state: IncidentState, deploy: Deploy, decision: Event | None, policy: PolicyVersion | None
) -> bool:
    if deploy.way == "mitigation" and not deploy.review_mode:
        return False
    if decision is not None and (decision.text("vrule") == "V1" or decision.texts("forbidden")):
        return True
    names = {name.strip().lower() for name in (*state.tags, *state.services, deploy.service)}
    return policy is not None and bool(names & set(policy.never_unreviewed))


def _override_of(state: IncidentState, deploy: Deploy, decision: Event | None) -> Event | None:
    """Return the last event that chose otherwise for a change; None when the advice was followed."""
    since = decision.at if decision is not None else dt.datetime.min.replace(tzinfo=dt.UTC)
    found = [event for event in state.overrides if since <= event.at <= max(deploy.at, since)]
    return found[-1] if found else None


def _chosen(state: IncidentState, deploy: Deploy, decision: Event | None) -> tuple[str, str]:
    """Return what was chosen for a change, and the reason if that is not what was advised."""
    override = _override_of(state, deploy, decision)
    if override is not None:
        return override.text("chosen"), override.text("reason")
    return (decision.text("recommendation") if decision is not None else ""), ""


_FOLLOWUP_NAMES = {"fix": "follow-up fix", "remove-mitigation": "removal of the mitigation"}


def _needed_followups(
    state: IncidentState, deploy: Deploy, decision: Event | None, review: Event | None
) -> tuple[_FollowUpNeed, ...]:
    """Return every follow-up there is, and those that there should be."""
    due = followup_due(state)
    needs = [
        _FollowUpNeed(_FOLLOWUP_NAMES.get(item.kind, f"follow-up {item.kind}"), item, due)
        for item in state.followups
    ]
    known = {item.kind for item in state.followups}
    required = []
    if _chosen(state, deploy, decision)[0] in FOLLOWED_UP:
        required = [] if state.fixed_at is not None else ["fix"]
        required.append("remove-mitigation")
    needs += [_FollowUpNeed(_FOLLOWUP_NAMES[kind], None, due) for kind in required if kind not in known]
    if (
        review is not None
        and review.text("verdict") == "pass-with-followup"
        and not any(item.opened_at >= review.at for item in state.followups)
    ):
        needs.append(_FollowUpNeed("follow-up that the review asks for", None, due))
    return tuple(needs)


def _verdict(judged: _Judged) -> tuple[Verdict, list[str]]:
    """Return the first verdict that has a reason, with its reasons."""
    for verdict, reasons in (
        (Verdict.BREACH, _breaches(judged)),
        (Verdict.MISSING, _missing(judged)),
        (Verdict.LATE, _late(judged)),
        (Verdict.OPEN, _open(judged)),
    ):
        if reasons:
            return verdict, reasons
    return Verdict.CONFORMS, ["all in time"]


def _breaches(judged: _Judged) -> list[str]:
    reasons = []
    if judged.review is not None and not judged.is_independent:
        reasons.append("the reviewer is the author or the deployer")
    reviewed_first = judged.review is not None and judged.review.at <= judged.deploy.at
    if judged.is_forbidden and not reviewed_first:
        reasons.append("it touches what is never pushed unreviewed, and no review came before")
    if not judged.is_chain_intact:
        reasons.append("the chain of the record is broken")
    return reasons


def _missing(judged: _Judged) -> list[str]:
    reasons = []
    if judged.decision is None:
        reasons.append("no decision was stored")
    if judged.is_review_needed and judged.review is None and judged.review_due < judged.as_of:
        reasons.append("the review is absent and its time has passed")
    reasons += [
        f"the {need.name} is absent or has no owner, and its time has passed"
        for need in judged.followups
        if not _is_owned(need.item) and _is_past(need.name_by, judged.as_of)
    ]
    return reasons


def _late(judged: _Judged) -> list[str]:
    reasons = []
    if judged.decision is not None and judged.decision.at > judged.deploy.at:
        reasons.append("the decision was stored after the deployment")
    elif judged.decision is not None and judged.decision.is_late and judged.decision.rec > judged.deploy.at:
        reasons.append("the decision was written down after the deployment")
    if judged.review is not None and judged.review.at > judged.review_due:
        reasons.append("the review came after its due time")
    for need in judged.followups:
        due = need.item.due if need.item is not None and need.item.due is not None else need.name_by
        if need.item is None or due is None:
            continue
        if need.item.closed_at is not None and need.item.closed_at > due:
            reasons.append(f"the {need.name} was closed after its due time")
        elif need.item.closed_at is None and due < judged.as_of:
            reasons.append(f"the {need.name} is still open after its due time")
    return reasons


def _open(judged: _Judged) -> list[str]:
    reasons = []
    if judged.is_review_needed and judged.review is None:
        reasons.append("the review is pending and in time")
    reasons += [
        f"the {need.name} is pending and in time"
        for need in judged.followups
        if need.item is None or need.item.closed_at is None
    ]
    return reasons


def _is_owned(item: FollowUp | None) -> bool:
    return item is not None and (bool(item.owner) or item.closed_at is not None)


def _is_past(due: dt.datetime | None, as_of: dt.datetime) -> bool:
    return due is not None and due < as_of


def _delay_minutes(judged: _Judged) -> float | None:
    if judged.review is None:
        return None
    return (judged.review.at - judged.deploy.at).total_seconds() / 60


def _row(context: _Context, judged: _Judged, verdict: Verdict, reasons: Sequence[str]) -> Row:
    state, deploy, decision, review = context.state, judged.deploy, judged.decision, judged.review
    chosen, override_reason = _chosen(state, deploy, decision)
    delay = _delay_minutes(judged)
    fix = next((i for i in state.followups if i.kind != "remove-mitigation"), None)
    removal = next((i for i in state.followups if i.kind == "remove-mitigation"), None)
    return Row(
        incident_id=context.place.id,
        change_id=deploy.change,
        service=deploy.service or ", ".join(state.services),
        env=deploy.env,
        opened_at=_time(state.opened_at),
        impact_at_decision=_impact_at(state, decision),
        recommended=decision.text("recommendation") if decision else "",
        rule=decision.text("rule") if decision else "",
        chosen=chosen,
        override_reason=override_reason,
        policy_rev=decision.text("policy") if decision else "",
        authority=_authority(state, deploy),
        deployed_by=deploy.deployer,
        deployed_at=_time(deploy.at),
        review_mode=review_mode(state, deploy) if judged.is_review_needed else "",
        review_due=_time(judged.review_due) if judged.is_review_needed else "",
        reviewed_by=review.text("reviewer") if review else "",
        reviewed_at=_time(review.at) if review else "",
        review_delay_h="" if delay is None else f"{delay / 60:.2f}",
        review_verdict=review.text("verdict") if review else "",
        independent="" if review is None else "yes" if judged.is_independent else "no",
        test_evidence=deploy.tests or NOT_STATED,
        late_entries=str(state.late),
        followup_owner=fix.owner if fix else "",
        followup_due=_time(fix.due) if fix else "",
        followup_closed=_time(fix.closed_at) if fix else "",
        mitigation_removed=_removed(removal, judged),
        chain="ok" if judged.is_chain_intact else _broken(context.findings),
        signatures=context.signatures.get(context.place.id, NOT_CHECKED),
        verdict=verdict.value,
        why="; ".join(reasons),
    )


def _removed(removal: FollowUp | None, judged: _Judged) -> str:
    if removal is not None:
        return _time(removal.closed_at) or "no"
    return "no" if any(need.name.startswith("removal") for need in judged.followups) else ""


def _broken(findings: Sequence[RecordFinding]) -> str:
    first = next(finding for finding in findings if finding.severity is Severity.ERROR)
    return f"broken: {first.code} at {first.file}:{first.line}"


def _authority(state: IncidentState, deploy: Deploy) -> str:
    if deploy.authority:
        return deploy.authority
    approvals = [e for e in state.approvals if e.at <= deploy.at and e.text("change") in ("", deploy.change)]
    if not approvals:
        return NOT_STATED
    last = approvals[-1]
    policy = f", policy {last.text('policy')}" if last.text("policy") else ""
    return f"{last.text('how')}: {last.text('who')}{policy}"


def _impact_at(state: IncidentState, decision: Event | None) -> str:
    if decision is None:
        return ""
    inputs = decision.data.get("inputs")
    incident = inputs.get("incident") if isinstance(inputs, Mapping) else None
    weighed = incident.get("impact") if isinstance(incident, Mapping) else None
    if isinstance(weighed, str) and weighed:
        return weighed
    stated = [
        moment.data.text("impact")
        for moment in state.moments
        if moment.event.type == EventType.IMPACT and moment.at <= decision.at and moment.data.text("impact")
    ]
    return stated[-1] if stated else "unknown"


def _time(moment: dt.datetime | None) -> str:
    return format_time(moment) if moment is not None else ""


def _unrecorded_row(deploy: ListedDeploy) -> Row:
    values = dict.fromkeys(COLUMNS, "")
    values |= {
        "change_id": deploy.change_id,
        "service": deploy.service,
        "env": deploy.env,
        "deployed_by": deploy.deployed_by,
        "deployed_at": _time(deploy.deployed_at),
        "reviewed_by": deploy.reviewed_by,
        "reviewed_at": _time(deploy.reviewed_at),
        "signatures": NOT_CHECKED,
        "verdict": Verdict.BREACH.value,
        "why": "deployed without a review and without a record (found in the deploy list)",
    }
    return Row(**values)


# Summary figures


def _figures(states: Sequence[IncidentState], facts: Sequence[_Facts]) -> tuple[Figure, ...]:
    with_entry = [state for state in states if state.entries_used]
    without = [state for state in states if not state.entries_used]
    return (
        figure(
            "time to review after deployment",
            [
                f.review_minutes
                for f in facts
                if f.row.review_mode == "after" and f.review_minutes is not None
            ],
        ),
        figure("time to mitigate", _spans(states, "mitigated_at")),
        figure("time to fix", _spans(states, "fixed_at")),
        figure("time to mitigate, with a linked entry", _spans(with_entry, "mitigated_at")),
        figure("time to mitigate, without one", _spans(without, "mitigated_at")),
    )


def _spans(states: Sequence[IncidentState], end: str) -> list[float]:
    spans = []
    for state in states:
        finished: dt.datetime | None = getattr(state, end)
        if finished is not None and state.opened_at is not None and finished >= state.opened_at:
            spans.append((finished - state.opened_at).total_seconds() / 60)
    return spans


def figure(name: str, minutes: Sequence[float]) -> Figure:
    """Return median, range and number of ``minutes``; skewed times make means misleading."""
    if not minutes:
        return Figure(name, None, None, None, 0)
    return Figure(
        name,
        round(statistics.median(minutes), 1),
        round(min(minutes), 1),
        round(max(minutes), 1),
        len(minutes),
        tuple(sorted(round(value, 1) for value in minutes)),
    )
