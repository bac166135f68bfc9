"""A decision that nobody wrote down when it was taken: weighed again, and recorded as a late entry.

All of it reads or writes the disk: not for the window's thread.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kb_app.decision.codec import Case
from kb_app.decision.model import Advice, Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.decision.values import (
    DataRisk,
    Impact,
    Recommendation,
    Scope,
    Severity,
    Trend,
)
from kb_app.entries.catalogue import Catalogue
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.entries.reading import read_entry
from kb_app.entries.response import resolve_plan
from kb_app.errors import KbError, UsageError
from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import EventType
from kb_app.incidents.timeline import Deploy, IncidentState
from kb_app.search.catalogue_file import load_cards
from kb_app.workspace.aftermath import deploy_of
from kb_app.workspace.deciding import advise, decision_on, ground_of, inputs_of
from kb_app.workspace.responding import Change, take_decision
from kb_app.workspace.verify_lines import entry_in_use

Place = tuple[Path, Path, KnowledgeBaseConfig]
"""Root, index folder and configuration of a knowledge base."""

_STATED = {
    "impact": ("impact", Impact),
    "data": ("data_risk", DataRisk),
    "trend": ("trend", Trend),
    "scope": ("scope", Scope),
    "severity": ("severity", Severity),
}


@dataclass(frozen=True, slots=True)
class LateCase:
    """What a missing decision is weighed by, afterwards.

    Attributes:
        state: the incident.
        deploy: what went out without a stored decision.
        entry: id of the entry used; empty where the record names none that is known here.
        case: the incident as it was stated up to the deployment, and the entry's paths.
        policy: of the knowledge base that holds the entry, as it is now.
        advice: what that policy gives.
        chosen: what the deployment shows was done.
    """

    state: IncidentState
    deploy: Deploy
    entry: str
    case: Case
    policy: Policy
    advice: Advice
    chosen: Recommendation


def late_case(book: RecordBook, name: str, change: str, places: Iterable[Place]) -> LateCase:
    """Return what the missing decision on a change is weighed by.

    Raises:
        UsageError: when the record holds no such deployment.
    """
    state = book.state(name)
    deploy = deploy_of(state, change)
    if deploy is None:
        raise UsageError(f"The record holds no deployment of {change}", "Look at its timeline")
    is_fix = deploy.way != "mitigation"
    entry, case, policy = _ground(state, entry_in_use(state, is_fix=is_fix), tuple(places))
    incident = dataclasses.replace(case.incident, **_stated_until(state, deploy.at))  # type: ignore[arg-type]  # named alike
    case = dataclasses.replace(case, incident=incident)
    if not (case.fixes if is_fix else case.mitigations):
        path = (PathInput(name=f"the change {deploy.change}"),)
        case = (
            dataclasses.replace(case, fixes=path) if is_fix else dataclasses.replace(case, mitigations=path)
        )
    chosen = Recommendation.FIX_FORWARD if is_fix else Recommendation.MITIGATE_THEN_FIX
    return LateCase(state, deploy, entry, case, policy, advise(case, policy, deploy.at.date()), chosen)


def _ground(state: IncidentState, name: str, places: tuple[Place, ...]) -> tuple[str, Case, Policy]:
    for root, folder, config in places:
        catalogue = Catalogue(load_cards(folder))
        card = catalogue.find(name) if name else None
        if card is None:
            continue
        read = partial(read_entry, root, config=config)
        try:
            entry = read(card.path)
            ground = ground_of(root, entry, config, catalogue)
            inputs = inputs_of(resolve_plan(entry, catalogue, read), entry, ground.defaults)
        except KbError:
            break
        mitigations = tuple(prefilled.input for prefilled in inputs.mitigations)
        fixes = tuple(prefilled.input for prefilled in inputs.fixes)
        return entry.id, Case(inputs.incident, mitigations, fixes), ground.policy
    return "", Case(Incident(tags=state.tags, components=state.services), (), ()), DEFAULT_POLICY


def _stated_until(state: IncidentState, at: dt.datetime) -> dict[str, object]:
    """Return what was stated about the incident up to a moment, by the names of `Incident`."""
    found: dict[str, object] = {}
    for moment in state.moments:
        if moment.at > at or moment.data.type not in (EventType.OPENED, EventType.IMPACT):
            continue
        for key, (name, kind) in _STATED.items():
            word = moment.data.text(key)
            if word in set(kind):
                found[name] = kind(word)
    return found


def store_late(
    book: RecordBook,
    late: LateCase,
    *,
    chosen: Recommendation,
    late_reason: str,
    reason: str = "",
    at: dt.datetime | None = None,
) -> Change:
    """Write the missing decision down, dated when it was taken; it shows as a late entry for ever.

    Args:
        book: where.
        late: what it is weighed by.
        chosen: what was done.
        late_reason: why it is written down only now, one line.
        reason: why otherwise than advised, one line.
        at: when it was decided; None is when the change went out.

    Raises:
        UsageError: without a reason, when the time lies ahead, or when another choice has no reason.
    """
    if not late_reason.strip():
        raise UsageError("A late entry needs a reason", "Say in a line why it is written down only now")
    decided_at = at or late.deploy.at
    if decided_at > book.now():
        raise UsageError("A decision cannot have been taken in the future", "Give the time it was taken")
    decision = decision_on(late.case, late.policy, decided_at, chosen=chosen, reason=reason)
    return take_decision(book, late.state.id, decision, entry=late.entry, late_reason=late_reason)
