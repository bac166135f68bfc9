"""What a reviewer of a change is shown, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kb_app.incidents.events import Event
from kb_app.incidents.markup import describe, one_line
from kb_app.incidents.timeline import IncidentState
from kb_app.ui.timeline.state import span_text, utc_clock, when_text
from kb_app.workspace.aftermath import ReviewCase

NOT_STATED = "not stated"
MAX_EVIDENCE = 12

_REVIEW_RULES: Mapping[str, str] = {
    "V1": "V1: the policy never lets this out unreviewed",
    "V2": "V2: down, no data at risk, within the broken scope, reversible: review after deployment",
    "V3": "V3: review before deployment",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a card: a name and what it is."""

    name: str
    value: str
    is_missing: bool = False


def _fact(name: str, value: str) -> Fact:
    return Fact(name, one_line(value) or NOT_STATED, is_missing=not value.strip())


def change_facts(case: ReviewCase) -> tuple[Fact, ...]:
    """Return what changed."""
    deploy = case.deploy
    where = " to ".join(part for part in (deploy.service, deploy.env) if part)
    return (
        _fact("Change", deploy.change),
        _fact("Where", where),
        _fact("Written by", deploy.author),
        _fact("Deployed by", f"{deploy.deployer}, {when_text(deploy.at)}"),
        _fact("For", {"fix": "the fix", "mitigation": "the mitigation"}.get(deploy.way, "")),
        _fact("Incident", f"{case.state.title} ({case.state.id})"),
    )


def allowed_facts(case: ReviewCase) -> tuple[Fact, ...]:
    """Return why it was allowed to go out."""
    decision = case.decision
    if decision is None:
        return (
            Fact("Decision", "none is stored: nothing says why it was allowed", is_missing=True),
            _fact("Authority", case.deploy.authority),
        )
    before = "" if decision.at <= case.deploy.at else " (written after the deployment)"
    facts = [
        _fact("Decision", f"{decision.text('recommendation')}, rule {decision.text('rule')}{before}"),
        _fact("Known then", inputs_text(decision)),
        _fact("Review", _REVIEW_RULES.get(decision.text("vrule"), decision.text("review"))),
        _fact("Authority", case.deploy.authority),
    ]
    overridden = _override(case.state, decision)
    if overridden is not None:
        chosen = f"{overridden.text('chosen')}: {overridden.text('reason')}"
        facts.insert(1, _fact("Chosen instead", chosen))
    for approval in case.state.approvals:
        who = f"{approval.text('who')}, {approval.text('how')}, {utc_clock(approval.at)} UTC"
        facts.append(_fact("Approved by", who))
    return tuple(facts)


def _override(state: IncidentState, decision: Event) -> Event | None:
    later = [event for event in state.overrides if event.at >= decision.at]
    return later[-1] if later else None


def inputs_text(decision: Event) -> str:
    """Return what was known when it was decided, on one line."""
    inputs = decision.data.get("inputs")
    incident = inputs.get("incident") if isinstance(inputs, Mapping) else None
    if not isinstance(incident, Mapping):
        return ""
    names = (
        ("impact", "impact"),
        ("data_risk", "data at risk"),
        ("data", "data at risk"),
        ("trend", "trend"),
        ("scope", "scope"),
        ("severity", "severity"),
    )
    parts = [f"{words} {incident[key]}" for key, words in names if isinstance(incident.get(key), str)]
    return ", ".join(parts)


def evidence_facts(case: ReviewCase) -> tuple[Fact, ...]:
    """Return what shows that it worked: tests, signals, and what was written after the deployment."""
    state, deploy = case.state, case.deploy
    facts = [_fact("Tests", deploy.tests)]
    for moment in state.moments:
        if moment.data.type in ("mitigated", "fixed"):
            facts.append(
                _fact(f"{moment.data.type.capitalize()} {utc_clock(moment.at)}", moment.data.text("signal"))
            )
    later = [m for m in state.moments if m.at >= deploy.at and m.data.type in ("note", "impact", "handover")]
    facts += [_fact(utc_clock(m.at), describe(m.data)) for m in later[:MAX_EVIDENCE]]
    return tuple(facts)


def due_line(case: ReviewCase) -> tuple[str, str]:
    """Return when the review is due, and the tone of it."""
    if case.mode == "before":
        return "The review was due before the deployment.", "danger"
    if case.due < case.now:
        return f"Review after deployment, {span_text(case.now - case.due)} overdue.", "danger"
    return (
        f"Review after deployment, due in {span_text(case.due - case.now)}: {when_text(case.due)}.",
        "mitigate",
    )
