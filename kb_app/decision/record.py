"""A decision as a record keeps it: enough to decide again, years later, by the rules then in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from kb_app.decision.codec import Case, decide_case, read_case
from kb_app.decision.durations import format_minutes
from kb_app.decision.model import Advice, Incident, PathInput
from kb_app.decision.policy import Policy
from kb_app.decision.values import Way
from kb_app.errors import UsageError


def incident_to_plain(incident: Incident) -> dict[str, object]:
    """Return ``incident`` in the form that `codec.read_case` reads; unknown values are left out."""
    values: dict[str, object | None] = {
        "impact": incident.impact,
        "data_risk": incident.data_risk,
        "trend": incident.trend,
        "scope": incident.scope,
        "severity": incident.severity,
        "tags": list(incident.tags) or None,
        "components": list(incident.components) or None,
        "product": incident.product or None,
        "owner": incident.owner or None,
        "data_loss_accepted": "yes" if incident.is_data_loss_accepted else None,
        "push_allowed": _yes_no(incident.may_push),
    }
    return _stated(values)


def path_to_plain(path: PathInput) -> dict[str, object]:
    """Return ``path`` in the form that `codec.read_case` reads; unknown values are left out."""
    values: dict[str, object | None] = {
        "name": path.name or None,
        "time": path.time_minutes,
        "risk": path.risk,
        "reversible": path.reversible,
        "blast": path.blast,
        "confidence": path.confidence,
        "loses_data": _yes_no(path.loses_data),
        "restores": path.restores,
        "approval": path.approval,
        "contains": "yes" if path.contains else None,
        "available": None if path.is_available else "no",
        "why": path.why or None,
        "defaulted": sorted(path.defaulted) or None,
    }
    return _stated(values)


def _yes_no(value: bool | None) -> str | None:  # noqa: FBT001 - the value itself, not a switch
    return None if value is None else "yes" if value else "no"


def _stated(values: Mapping[str, object | None]) -> dict[str, object]:
    return {
        key: str(value) if not isinstance(value, list | float) else value
        for key, value in values.items()
        if value is not None
    }


def decision_data(case: Case, advice: Advice, policy: Policy, today: dt.date) -> dict[str, object]:
    """Return the data of the ``decision`` event: inputs, gates, rule, policy version, due times.

    Args:
        case: what was decided on.
        advice: what `decide` answered to it.
        policy: the whole policy it was decided by.
        today: the day it was decided for, when the case does not name one.
    """
    incident = case.incident
    rules = policy.applied_to(incident.components, incident.product)
    names = {name.strip().lower() for name in (*incident.tags, *incident.components)}
    data: dict[str, object] = {
        "inputs": {
            "incident": incident_to_plain(incident),
            "mitigation": [path_to_plain(path) for path in case.mitigations],
            "fix": [path_to_plain(path) for path in case.fixes],
            "today": (case.today or today).isoformat(),
        },
        "gates": [f"{blocked.way} {blocked.gate}" for blocked in advice.blocked],
        "rule": advice.rule.value,
        "recommendation": advice.recommend.value,
        "obligations": [duty.obligation.value for duty in advice.duties],
        "policy": policy.revision,
        "review_due_minutes": rules.post_review_due,
        "followup_due_minutes": rules.followup_due(incident.severity),
        "independent_of": list(rules.post_review_independent_of),
    }
    forbidden = [name for name in rules.never_unreviewed if name in names]
    if forbidden:
        data["forbidden"] = forbidden
    if advice.timebox_minutes is not None:
        data["timebox_minutes"] = advice.timebox_minutes
    if advice.review is not None and advice.review_rule is not None:
        data |= {"review": advice.review.value, "vrule": advice.review_rule.value}
    return data


def differences(data: Mapping[str, object], policy: Policy) -> tuple[str, ...]:
    """Decide again from a stored decision and return what comes out differently, one sentence each.

    Args:
        data: of a ``decision`` event.
        policy: the version that the event names.

    Returns:
        Nothing when the record holds exactly what the rules gave.

    Raises:
        UsageError: when the event does not hold its inputs.
    """
    inputs = data.get("inputs")
    if not isinstance(inputs, Mapping) or "today" not in inputs:
        raise UsageError("The decision does not hold the inputs it was made from")
    case = read_case(dict(inputs), "The stored decision")
    advice = decide_case(case, policy, case.today or dt.date.min)
    found = []
    if data.get("policy") != policy.revision:
        found.append(f"The decision names policy {data.get('policy')}, not {policy.revision}.")
    for key, now in (
        ("rule", advice.rule.value),
        ("recommendation", advice.recommend.value),
        ("review", advice.review.value if advice.review else None),
    ):
        if data.get(key) != now:
            found.append(f"The rules give {key} {now or 'none'}, the record says {data.get(key) or 'none'}.")
    return tuple(found)


def reason_to_decide_again(
    then: Incident, now: Incident, decided_at: dt.datetime, moment: dt.datetime, advice: Advice
) -> str:
    """Return why a new decision is due, one sentence; empty while the old one holds.

    Args:
        then: the incident as it was decided on.
        now: as it is known now.
        decided_at: when that was.
        moment: the time now.
        advice: what was advised then.
    """
    for name, before, after in (
        ("impact", then.impact, now.impact),
        ("risk to data", then.data_risk, now.data_risk),
        ("scope", then.scope, now.scope),
    ):
        if before != after:
            return f"The {name} changed from {before or 'unknown'} to {after or 'unknown'}: decide again."
    timebox = advice.timebox_minutes
    if timebox is not None and moment - decided_at >= dt.timedelta(minutes=timebox):
        fallback = (
            advice.mitigation.name if advice.mitigation and advice.mitigation.name else Way.MITIGATION.value
        )
        return f"The fix has had its {format_minutes(timebox)}: fall back to the {fallback}, or decide again."
    return ""
