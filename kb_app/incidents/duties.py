"""What is still owed: derived from records, never stored.

Reviews, follow-ups, mitigations still in place, merging back, the written review, and the knowledge step.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kb_app.errors import UsageError
from kb_app.incidents.events import Event, EventType
from kb_app.incidents.folders import records, refresh_document, seal
from kb_app.incidents.journal import Journal
from kb_app.incidents.timeline import Deploy, FollowUp, IncidentState, read_state

DEFAULT_REVIEW_DUE = dt.timedelta(hours=24)
DEFAULT_FOLLOWUP_DUE = {
    "sev1": dt.timedelta(days=5),
    "sev2": dt.timedelta(days=14),
    "sev3": dt.timedelta(days=30),
    "sev4": dt.timedelta(days=30),
}
DEFAULT_INDEPENDENT_OF = ("author", "deployer")
_FOLLOWUP_NAMES = {
    "fix": "The follow-up fix",
    "prevent": "A follow-up to prevent it",
    "merge-back": "Merging the hot change back",
    "written-review": "The written review",
}
FOLLOWED_UP = ("mitigate-then-fix", "parallel", "contain")


class OwedKind(StrEnum):
    """What sort of thing is owed."""

    REVIEW = "review"
    DECISION = "decision"
    FOLLOW_UP = "follow-up"
    ASSIGN = "assign"
    MITIGATION = "mitigation-in-place"
    MERGE_BACK = "merge-back"
    WRITTEN_REVIEW = "written-review"
    KNOWLEDGE = "knowledge"


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that somebody still has to do.

    Attributes:
        incident_id: of which record.
        title: of the incident.
        kind: what sort.
        text: one sentence.
        owner: whose it is; empty when nobody's yet.
        due: by when; None when closing the record is the due time.
        change: id of the change, for reviews.
        followup: key of the follow-up, where there is one.
    """

    incident_id: str
    title: str
    kind: OwedKind
    text: str
    owner: str = ""
    due: dt.datetime | None = None
    change: str = ""
    followup: str = ""

    def is_overdue(self, now: dt.datetime) -> bool:
        """Tell whether its due time has passed."""
        return self.due is not None and self.due < now


@dataclass(frozen=True, slots=True)
class MayReview:
    """Whether somebody may review a change.

    Attributes:
        is_allowed: they may.
        reason: why not, one sentence; empty when they may.
    """

    is_allowed: bool
    reason: str = ""


def owed(state: IncidentState, now: dt.datetime) -> tuple[Owed, ...]:
    """Return what is owed for one record: overdue first, then by due time, undated last."""
    found = [
        *_reviews(state),
        *_decision(state),
        *_followups(state),
        *_closing_duties(state),
        *_knowledge(state),
    ]
    return tuple(sorted(found, key=lambda item: _order(item, now)))


def owed_everywhere(root: Path, now: dt.datetime) -> tuple[Owed, ...]:
    """Return what is owed for all records below ``root``: overdue first, then by due time, undated last."""
    found = [item for place in records(root) for item in owed(read_state(place.folder), now)]
    return tuple(sorted(found, key=lambda item: _order(item, now)))


def _order(item: Owed, now: dt.datetime) -> tuple[bool, bool, str, str, str]:
    due = item.due.isoformat() if item.due else ""
    return not item.is_overdue(now), item.due is None, due, item.incident_id, item.text


def same_person(one: str, other: str) -> bool:
    """Tell whether two handles or addresses name one person: ``@ana``, ``Ana`` and ``ana@example.com`` do.

    Two addresses are compared whole; a handle is compared with the part before the ``@`` of an address.
    """
    first, second = (text.strip().lower().removeprefix("@") for text in (one, other))
    if not first or not second:
        return False
    if "@" in first and "@" in second:
        return first == second
    return first.split("@")[0] == second.split("@")[0]


def barred_reviewers(state: IncidentState, deploy: Deploy) -> tuple[tuple[str, str], ...]:
    """Return role and person of everybody who may not review ``deploy``, by the policy then in force."""
    decision = decision_for(state, deploy)
    roles = decision.texts("independent_of") if decision is not None else ()
    people = {
        "author": (deploy.author,),
        "deployer": (deploy.deployer,),
        "lead": (state.lead,),
        "approver": tuple(event.text("who") for event in state.approvals if event.text("how") != "standing"),
    }
    return tuple(
        (role, person)
        for role in roles or DEFAULT_INDEPENDENT_OF
        for person in people.get(role, ())
        if person
    )


def may_review(state: IncidentState, deploy: Deploy, person: str) -> MayReview:
    """Tell whether ``person`` may review ``deploy``: author and deployer may not review their own change."""
    if not person.strip():
        return MayReview(is_allowed=False, reason="Nobody is named")
    for role, name in barred_reviewers(state, deploy):
        if same_person(name, person):
            return MayReview(
                is_allowed=False,
                reason=f"{person} is the {role} of {deploy.change}; somebody else reviews it",
            )
    return MayReview(is_allowed=True)


def decision_for(state: IncidentState, deploy: Deploy) -> Event | None:
    """Return the decision a deploy went out by: the last before it, else the first after it, else None."""
    before = [event for event in state.decisions if event.at <= deploy.at]
    return before[-1] if before else (state.decisions[0] if state.decisions else None)


def review_of(state: IncidentState, deploy: Deploy) -> Event | None:
    """Return the review of a change that counts: the first by somebody who may, else the first."""
    found = [event for event in state.reviews if event.text("change") == deploy.change]
    independent = [e for e in found if may_review(state, deploy, e.text("reviewer")).is_allowed]
    return next(iter(independent or found), None)


def needs_review(state: IncidentState, deploy: Deploy) -> bool:
    """Tell whether a change needs a review: all but a mitigation that went out by approval."""
    return bool(deploy.review_mode) or deploy.way != "mitigation" or not state.decisions


def review_mode(state: IncidentState, deploy: Deploy) -> str:
    """Return ``before`` or ``after``: as recorded with the deploy, else as decided, else ``before``."""
    decision = decision_for(state, deploy)
    decided = decision.text("review") if decision is not None else ""
    return deploy.review_mode or decided or "before"


def review_due(
    state: IncidentState, deploy: Deploy, default: dt.timedelta = DEFAULT_REVIEW_DUE
) -> dt.datetime:
    """Return when the review of a change is due: at the deployment when it comes before."""
    if review_mode(state, deploy) == "before":
        return deploy.at
    if deploy.review_due is not None:
        return deploy.review_due
    return deploy.at + (_minutes(decision_for(state, deploy), "review_due_minutes") or default)


def _minutes(event: Event | None, key: str) -> dt.timedelta | None:
    value = event.data.get(key) if event is not None else None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return dt.timedelta(minutes=min(float(value), 5_256_000))


def followup_due(state: IncidentState) -> dt.datetime | None:
    """Return by when the follow-ups of a mitigation have to be done, as the policy then in force says."""
    begin = state.mitigated_at or state.opened_at
    if begin is None:
        return None
    default = DEFAULT_FOLLOWUP_DUE.get(state.severity, min(DEFAULT_FOLLOWUP_DUE.values()))
    return begin + (_minutes(state.decision, "followup_due_minutes") or default)


def _owed(state: IncidentState, kind: OwedKind, text: str, **more: object) -> Owed:
    return Owed(state.id, state.title, kind, text, **more)  # type: ignore[arg-type]  # keywords of Owed


def _reviews(state: IncidentState) -> Iterator[Owed]:
    for deploy in state.deploys:
        review = review_of(state, deploy)
        if review is not None and may_review(state, deploy, review.text("reviewer")).is_allowed:
            yield from _after_review(state, deploy, review)
        elif needs_review(state, deploy):
            barred = ", ".join(dict.fromkeys(person for _, person in barred_reviewers(state, deploy)))
            by = f", not by {barred}" if barred else ""
            text = f"Review {deploy.change} ({deploy.env}){by}"
            due = review_due(state, deploy)
            yield _owed(state, OwedKind.REVIEW, text, due=due, change=deploy.change)


def _after_review(state: IncidentState, deploy: Deploy, review: Event) -> Iterator[Owed]:
    is_followed = any(item.opened_at >= review.at for item in state.followups)
    if review.text("verdict") == "pass-with-followup" and not is_followed:
        text = f"Open the follow-up that the review of {deploy.change} asks for"
        yield _owed(state, OwedKind.ASSIGN, text, owner=review.text("reviewer"), change=deploy.change)
    is_reverted = any(later.at > review.at for later in state.deploys)
    if review.text("verdict") == "revert" and not is_reverted:
        text = f"Revert {deploy.change}: its review says so"
        yield _owed(state, OwedKind.ASSIGN, text, owner=deploy.deployer, due=review.at, change=deploy.change)


def _decision(state: IncidentState) -> Iterator[Owed]:
    if state.deploys and not state.decisions:
        first = state.deploys[0]
        text = "Store the decision that the deployment went out by"
        yield _owed(state, OwedKind.DECISION, text, due=first.at, change=first.change)


def _is_mitigated(state: IncidentState) -> bool:
    return state.chosen in FOLLOWED_UP or (state.mitigated_at is not None and state.chosen != "fix-forward")


def _followups(state: IncidentState) -> Iterator[Owed]:
    known = {item.kind for item in state.followups}
    for item in state.followups:
        if item.closed_at is None:
            yield _open_followup(state, item)
    if not _is_mitigated(state):
        return
    due = followup_due(state)
    if "fix" not in known and state.fixed_at is None:
        text = "Name an owner and a due date for the follow-up fix"
        yield _owed(state, OwedKind.ASSIGN, text, due=due)
    if "remove-mitigation" not in known:
        text = "The mitigation is still in place: name who removes it, and by when"
        yield _owed(state, OwedKind.MITIGATION, text, due=due)


def _open_followup(state: IncidentState, item: FollowUp) -> Owed:
    what = f": {item.text}" if item.text else ("" if item.key == item.kind else f" ({item.key})")
    due = item.due or followup_due(state)
    if item.kind == "remove-mitigation":
        kind, text = OwedKind.MITIGATION, f"The mitigation is still in place{what}"
    else:
        kind, text = OwedKind.FOLLOW_UP, f"{_FOLLOWUP_NAMES.get(item.kind, item.kind)} is open{what}"
    if not item.owner:
        text += "; it has no owner"
    return _owed(state, kind, text, owner=item.owner, due=due, followup=item.key)


def _closing_duties(state: IncidentState) -> Iterator[Owed]:
    known = {item.kind for item in state.followups}
    if state.chosen == "fix-forward" and "merge-back" not in known:
        yield _owed(state, OwedKind.MERGE_BACK, "Merge the hot change back to the main branch")
    is_judged = bool(state.decisions or state.severity or state.impact)
    at_risk = (state.data_risk or "possible") != "none"
    if (
        is_judged
        and state.chosen != "normal-change"
        and (state.severity == "sev1" or at_risk)
        and "written-review" not in known
    ):
        why = (
            "it is a sev1" if state.severity == "sev1" else "data was at risk, or nobody said that it was not"
        )
        yield _owed(state, OwedKind.WRITTEN_REVIEW, f"Write a review of the incident: {why}")


def _knowledge(state: IncidentState) -> Iterator[Owed]:
    if not state.knowledge:
        text = "Link, flag, fix or add a knowledge base entry"
        yield _owed(state, OwedKind.KNOWLEDGE, text)


@dataclass(frozen=True, slots=True)
class ClosingBlocker:
    """What stands in the way of closing a record.

    Attributes:
        owed: the thing itself.
        is_hard: no reason makes up for it.
    """

    owed: Owed
    is_hard: bool


def closing_blockers(state: IncidentState, now: dt.datetime) -> tuple[ClosingBlocker, ...]:
    """Return what closing now would leave undone: the knowledge step is a must, the rest needs a reason.

    A review, or a follow-up that has an owner, is no blocker while in time: it stays listed after closing.
    """
    return tuple(
        ClosingBlocker(item, is_hard=item.kind is OwedKind.KNOWLEDGE)
        for item in owed(state, now)
        if item.kind is OwedKind.KNOWLEDGE or not _may_wait(item, now)
    )


def _may_wait(item: Owed, now: dt.datetime) -> bool:
    is_tracked = item.kind is OwedKind.REVIEW or (item.kind is OwedKind.FOLLOW_UP and bool(item.owner))
    return is_tracked and not item.is_overdue(now)


def close(journal: Journal, *, reason: str = "") -> Event:
    """Close and seal the record of ``journal``.

    Args:
        journal: of this device.
        reason: why it is closed although something is left; those things stay listed.

    Raises:
        UsageError: when the knowledge step is missing, or something is left and no reason is given.
    """
    blockers = closing_blockers(read_state(journal.folder), journal.clock())
    for blocker in blockers:
        if blocker.is_hard:
            raise UsageError(
                "The record cannot be closed yet: no entry was linked, flagged, fixed or added",
                "Link the entry that helped, or add a draft with what was learned",
            )
    if blockers and not reason.strip():
        left = "; ".join(blocker.owed.text for blocker in blockers)
        raise UsageError(f"The record still owes: {left}", "Do it, or close with a reason")
    return seal(journal, reason=reason)


def record_review(
    journal: Journal, change: str, reviewer: str, verdict: str, *, note: str = "", is_forced: bool = False
) -> Event:
    """Record the review of a change.

    Args:
        journal: of this device.
        change: id of the change, as deployed.
        reviewer: who reviewed.
        verdict: ``pass``, ``pass-with-followup`` or ``revert``.
        note: why.
        is_forced: record it although the reviewer may not; it will not count.

    Raises:
        UsageError: when no such change was deployed, or the reviewer is its author or deployer.
    """
    state = read_state(journal.folder)
    deploy = next((item for item in state.deploys if item.change == change), None)
    # a review before deployment has nothing to be compared with yet
    allowed = MayReview(is_allowed=True) if deploy is None else may_review(state, deploy, reviewer)
    if not allowed.is_allowed and not is_forced:
        raise UsageError(allowed.reason, "Ask somebody who neither wrote nor deployed it")
    data = {"change": change, "reviewer": reviewer, "verdict": verdict, "note": note or None}
    event = journal.append(EventType.REVIEW, data)
    refresh_document(journal.folder)
    return event


def overdue(items: Iterable[Owed], now: dt.datetime) -> tuple[Owed, ...]:
    """Return the items whose due time has passed, in the order given."""
    return tuple(item for item in items if item.is_overdue(now))
