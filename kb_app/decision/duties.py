"""What is owed after a choice (O1 to O7), and when it is due.

The duties follow what is *done*: when people choose otherwise than advised, `duties_for` is asked again with
their choice.
"""

from __future__ import annotations

import datetime as dt

from kb_app.decision.durations import format_minutes
from kb_app.decision.model import Duty, Incident
from kb_app.decision.policy import Policy
from kb_app.decision.values import DataRisk, Obligation, Recommendation, Review, Severity

_FOLLOWED_UP = (Recommendation.MITIGATE_THEN_FIX, Recommendation.PARALLEL, Recommendation.CONTAIN)
COUNTED_FROM_DEPLOY = "deploy"
COUNTED_FROM_MITIGATION = "mitigation"
COUNTED_FROM_CLOSING = "closing"


def duties_for(
    choice: Recommendation,
    incident: Incident,
    policy: Policy,
    *,
    review: Review | None = None,
    is_override: bool = False,
) -> tuple[Duty, ...]:
    """Return what is owed, in order of the ids.

    Args:
        choice: what is being done.
        incident: unknown data risk counts as possible.
        policy: in force for the incident's components.
        review: when the fix is reviewed; only counts when fixing forward.
        is_override: a human chose otherwise than advised.
    """
    if choice is Recommendation.NORMAL_CHANGE:
        owed = [_duty(Obligation.O5, policy, incident)]
    else:
        is_fix = choice is Recommendation.FIX_FORWARD
        data = incident.data_risk or DataRisk.POSSIBLE
        conditions = (
            (Obligation.O1, True),
            (Obligation.O2, is_fix and review is Review.AFTER),
            (Obligation.O3, choice in _FOLLOWED_UP),
            (Obligation.O4, is_fix),
            (Obligation.O5, True),
            (Obligation.O6, incident.severity is Severity.SEV1 or data is not DataRisk.NONE),
        )
        owed = [_duty(obligation, policy, incident) for obligation, holds in conditions if holds]
    if is_override:
        owed.append(_duty(Obligation.O7, policy, incident))
    return tuple(owed)


def _duty(obligation: Obligation, policy: Policy, incident: Incident) -> Duty:
    if obligation is Obligation.O2:
        barred = " and ".join(policy.post_review_independent_of)
        by = f" by someone other than the {barred}" if barred else ""
        due = policy.post_review_due
        text = f"Have the fix reviewed{by} within {format_minutes(due)} of the deployment."
        return Duty(obligation, text, due, COUNTED_FROM_DEPLOY)
    if obligation is Obligation.O3:
        due = policy.followup_due(incident.severity)
        text = (
            "Name an owner and a due date for the follow-up fix and for removing the mitigation, "
            f"both within {format_minutes(due)}."
        )
        return Duty(obligation, text, due, COUNTED_FROM_MITIGATION)
    return Duty(obligation, _TEXTS[obligation], None, COUNTED_FROM_CLOSING)


_TEXTS = {
    Obligation.O1: "Open a record and store this decision with its inputs.",
    Obligation.O4: "Merge the hot change back to the main branch.",
    Obligation.O5: "Link, flag, fix or add a knowledge base entry before closing.",
    Obligation.O6: "Write a review of the incident: it is a sev1, or data was at risk.",
    Obligation.O7: "Give a one-line reason for choosing otherwise; the choice stands.",
}


def due_at(duty: Duty, counted_from: dt.datetime) -> dt.datetime | None:
    """Return when ``duty`` is due, in ``counted_from``'s time zone; None when it is due at closing."""
    return None if duty.due_minutes is None else counted_from + dt.timedelta(minutes=duty.due_minutes)
