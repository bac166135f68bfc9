"""`decide`: mitigate or fix forward?

Three steps, each a first-match table: gates G1-G5 say whether a path is usable, V1-V3 when the fix is
reviewed, D1-D8 what to do. Nothing here reads a clock, a file or a random source.

Decision: what the rules leave open is settled on the careful side. An impact nobody stated is taken as
degraded: it neither opens the gate for high risk, nor skips review, nor lets the incident pass as a normal
change. A scope nobody stated is taken as one instance, the smallest: nothing wider is known to be broken.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb_app.decision.durations import format_minutes
from kb_app.decision.duties import duties_for
from kb_app.decision.model import Advice, Assumed, Blocked, Incident, PathInput
from kb_app.decision.policy import Policy
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Gate,
    Impact,
    PushWhenDown,
    Recommendation,
    Restores,
    Reversible,
    Review,
    ReviewRule,
    Risk,
    Rule,
    Scope,
    Trend,
    Way,
)

NO_APPROVAL = "none"
TIMEBOX_FACTOR = 2.0
Paths = PathInput | Sequence[PathInput] | None


@dataclass(frozen=True, slots=True)
class _Known:
    """The incident with every gap filled, and the rules and the day it is judged by."""

    incident: Incident
    policy: Policy
    today: dt.date
    impact: Impact
    data_risk: DataRisk
    trend: Trend
    scope: Scope
    stated: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A path with every gap filled, its effective time and the gates it does not pass."""

    source: PathInput
    way: Way
    risk: Risk
    reversible: Reversible
    blast: Scope
    confidence: Confidence
    loses_data: bool
    restores: Restores
    own_minutes: float
    minutes: float
    review: ReviewRule | None
    blocked: tuple[Blocked, ...]

    @property
    def is_usable(self) -> bool:
        return not self.blocked

    @property
    def label(self) -> str:
        name = "fix" if self.way is Way.FIX else "mitigation"
        return f"the {name} “{self.source.name}”" if self.source.name else f"the {name}"


def decide(incident: Incident, mitigation: Paths, fix: Paths, policy: Policy, today: dt.date) -> Advice:
    """Return what to do now.

    Args:
        incident: None in a field is unknown.
        mitigation: one path, several in order of preference, or None when none is known.
        fix: likewise.
        policy: the whole policy; the overrides for the incident's components and product are applied here.
        today: the day that freezes are looked up for.

    Returns:
        The advice. The same arguments always give the same advice.
    """
    known, incident_assumed = _fill_incident(incident, policy, today)
    mitigations = [_weigh(path, Way.MITIGATION, known) for path in _listed(mitigation)]
    fixes = [_weigh(path, Way.FIX, known) for path in _listed(fix)]
    best_mitigation, best_fix = _best(mitigations), _best(fixes)
    blocked = [*_blocked(mitigations, Way.MITIGATION, known), *_blocked(fixes, Way.FIX, known)]
    outcome = _apply_rules(known, best_mitigation, best_fix)
    if outcome.rule is Rule.D1:
        outcome = dataclasses.replace(outcome, containing=_containing([*mitigations, *fixes], known))
    is_fix = outcome.recommend is Recommendation.FIX_FORWARD
    review_rule = best_fix.review if is_fix and best_fix is not None else None
    review = None if review_rule is None else _REVIEW_TIME[review_rule]
    return Advice(
        recommend=outcome.recommend,
        rule=outcome.rule,
        review=review,
        review_rule=review_rule,
        mitigation=best_mitigation.source if best_mitigation else None,
        fix=best_fix.source if best_fix else None,
        mitigation_minutes=_minutes(best_mitigation),
        fix_minutes=_minutes(best_fix),
        flip_minutes=outcome.flip_minutes,
        timebox_minutes=outcome.timebox_minutes,
        containing=outcome.containing.source if outcome.containing else None,
        reasons=tuple(_reasons(outcome, known, best_mitigation, best_fix, blocked)),
        # D1 and D2 come before any gate, so no path has been refused there
        blocked=() if outcome.rule in (Rule.D1, Rule.D2) else tuple(blocked),
        duties=duties_for(outcome.recommend, incident, known.policy, review=review),
        assumed=(*incident_assumed, *_assumed(best_mitigation), *_assumed(best_fix)),
    )


_REVIEW_TIME = {
    ReviewRule.V1: Review.BEFORE,
    ReviewRule.V2: Review.AFTER,
    ReviewRule.V3: Review.BEFORE,
}


def _listed(paths: Paths) -> list[PathInput]:
    if paths is None:
        return []
    return [paths] if isinstance(paths, PathInput) else list(paths)


def _minutes(path: _Weighed | None) -> float | None:
    return path.minutes if path is not None and path.source.is_available else None


# Step 0: what is unknown


def _fill_incident(incident: Incident, policy: Policy, today: dt.date) -> tuple[_Known, tuple[Assumed, ...]]:
    gaps = {
        "impact": (incident.impact, Impact.DEGRADED),
        "data_risk": (incident.data_risk, DataRisk.POSSIBLE),
        "trend": (incident.trend, Trend.WORSENING),
        "scope": (incident.scope, Scope.INSTANCE),
    }
    assumed = tuple(Assumed("incident", key, str(a)) for key, (value, a) in gaps.items() if value is None)
    known = _Known(
        incident=incident,
        policy=policy.applied_to(incident.components, incident.product),
        today=today,
        impact=incident.impact or Impact.DEGRADED,
        data_risk=incident.data_risk or DataRisk.POSSIBLE,
        trend=incident.trend or Trend.WORSENING,
        scope=incident.scope or Scope.INSTANCE,
        stated=frozenset(key for key, (value, _) in gaps.items() if value is not None),
    )
    return known, assumed


def _weigh(path: PathInput, way: Way, known: _Known) -> _Weighed:
    policy = known.policy
    own_minutes = path.time_minutes if path.time_minutes is not None else policy.assumed_time(way)
    weighed = _Weighed(
        source=path,
        way=way,
        risk=path.risk or policy.assume_risk,
        reversible=path.reversible or policy.assume_reversible,
        blast=path.blast or known.scope,
        confidence=path.confidence or Confidence.LIKELY,
        loses_data=bool(path.loses_data),
        restores=path.restores or Restores.FULL,
        own_minutes=own_minutes,
        minutes=own_minutes,
        review=None,
        blocked=(),
    )
    extra = 0.0
    review = None
    if way is Way.FIX:
        review = _review_rule(weighed, known)
        extra = 0.0 if review is ReviewRule.V2 else policy.review_minutes
    elif path.approval != NO_APPROVAL:
        extra = policy.approval_minutes
    gates = tuple(_gates(weighed, known))
    return dataclasses.replace(weighed, minutes=own_minutes + extra, review=review, blocked=gates)


def _is_stated(path: PathInput, attribute: str) -> bool:
    return getattr(path, attribute) is not None and attribute not in path.defaulted


def _assumed(path: _Weighed | None) -> Iterable[Assumed]:
    if path is None or not path.source.is_available:
        return
    values = {
        "time_minutes": ("time", f"{path.own_minutes:g}"),
        "risk": ("risk", path.risk.value),
        "reversible": ("reversible", path.reversible.value),
        "blast": ("blast", path.blast.value),
        "confidence": ("confidence", path.confidence.value),
        "loses_data": ("loses_data", "yes" if path.loses_data else "no"),
        "restores": ("restores", path.restores.value),
        "approval": ("approval", path.source.approval or "before"),
    }
    for attribute, (key, value) in values.items():
        if not _is_stated(path.source, attribute):
            yield Assumed(path.way.value, key, value)


# Step 1: gates


def _gates(path: _Weighed, known: _Known) -> Iterable[Blocked]:
    source = path.source
    if not source.is_available:
        yield _not_available(path.way, source, known)
        return
    label = path.label[0].upper() + path.label[1:]

    def blocked(gate: Gate, why: str, unblock: str, who: str) -> Blocked:
        return Blocked(path.way, source.name, gate, f"{label} {why}", unblock, who)

    ceiling = known.policy.risk_ceiling(known.impact)
    if path.risk.is_above(ceiling):
        yield blocked(
            Gate.G2,
            f"has {path.risk} risk; while {known.impact}, {ceiling} is the most allowed",
            "Find a smaller step, or raise the impact if it is worse than recorded",
            "the incident lead",
        )
    if path.loses_data and not known.incident.is_data_loss_accepted:
        yield blocked(
            Gate.G3, "loses data", "Get the loss accepted, and record who accepted it", "the data owner"
        )
    if path.blast.is_above(known.scope) and path.risk is not Risk.LOW:
        broken = known.scope.value if "scope" in known.stated else "scope, which nobody has stated"
        yield blocked(
            Gate.G4,
            f"reaches {_reach(path.blast)}, further than the broken {broken}",
            f"Limit the rollout to the broken {known.scope}"
            if "scope" in known.stated
            else "State what is broken, or limit the rollout to it",
            "whoever deploys it",
        )
    minimum = known.policy.min_confidence(path.way)
    if minimum.is_above(path.confidence):
        yield blocked(
            Gate.G5,
            f"is a {path.confidence}; {minimum} is the least needed"
            if path.confidence is Confidence.GUESS
            else f"is only {path.confidence}; {minimum} is the least needed",
            "Test it on one instance",
            "whoever knows the component",
        )


def _reach(blast: Scope) -> str:
    return (
        "everything" if blast is Scope.GLOBAL else f"one {blast}" if blast is Scope.INSTANCE else f"a {blast}"
    )


def _not_available(way: Way, path: PathInput | None, known: _Known) -> Blocked:
    name = path.name if path is not None else ""
    label = f"The {way.value}" + (f" “{name}”" if name else "")
    reason = path.why if path is not None else "none is known"
    unblock = (
        "Take another lever of the component"
        if way is Way.MITIGATION
        else "Find the cause, or ask who knows it"
    )
    why = f"{label} is not available: {reason}" if reason else f"{label} is not available"
    return Blocked(way, name, Gate.G1, why, unblock, known.incident.owner or "the component's owner")


def _blocked(paths: Sequence[_Weighed], way: Way, known: _Known) -> list[Blocked]:
    if not paths:
        return [_not_available(way, None, known)]
    return [gate for path in paths for gate in path.blocked]


def _best(paths: Sequence[_Weighed]) -> _Weighed | None:
    """Return the usable path with the least effective time, then the lower risk; else a blocked one."""
    return min(
        paths,
        key=lambda p: (not p.is_usable, not p.source.is_available, p.minutes, p.risk.rank),
        default=None,
    )


# Step 2: when is the fix reviewed?


def _review_rule(fix: _Weighed, known: _Known) -> ReviewRule:
    policy = known.policy
    if _forbidden_names(known) or policy.freeze_on(known.today) is not None:
        return ReviewRule.V1
    is_stated = all(_is_stated(fix.source, key) for key in ("blast", "reversible", "confidence"))
    may_push = (
        policy.push_when_down is PushWhenDown.REVIEW_AFTER
        and known.incident.may_push is not False
        and known.impact is Impact.DOWN
        and known.data_risk is DataRisk.NONE
        and "scope" in known.stated
        and is_stated
        and not fix.blast.is_above(known.scope)
        and fix.reversible is not Reversible.NO
        and fix.confidence is not Confidence.GUESS
    )
    return ReviewRule.V2 if may_push else ReviewRule.V3


def _forbidden_names(known: _Known) -> list[str]:
    names = {name.strip().lower() for name in (*known.incident.tags, *known.incident.components)}
    return [name for name in known.policy.never_unreviewed if name in names]


# Step 3: rules


@dataclass(frozen=True, slots=True)
class _Outcome:
    recommend: Recommendation
    rule: Rule
    flip_minutes: float | None = None
    timebox_minutes: float | None = None
    containing: _Weighed | None = None


def _apply_rules(known: _Known, mitigation: _Weighed | None, fix: _Weighed | None) -> _Outcome:
    if known.data_risk is DataRisk.ACTIVE:
        return _Outcome(Recommendation.CONTAIN, Rule.D1)
    if known.impact is Impact.MINOR and known.trend is not Trend.WORSENING:
        return _Outcome(Recommendation.NORMAL_CHANGE, Rule.D2)
    usable_mitigation = mitigation if mitigation is not None and mitigation.is_usable else None
    usable_fix = fix if fix is not None and fix.is_usable else None
    if usable_mitigation is None and usable_fix is None:
        return _Outcome(Recommendation.ESCALATE, Rule.D3)
    if usable_mitigation is None:
        return _Outcome(Recommendation.FIX_FORWARD, Rule.D4)
    if usable_fix is None:
        return _Outcome(Recommendation.MITIGATE_THEN_FIX, Rule.D5)
    return _compare(usable_mitigation, usable_fix, known.policy)


def _compare(mitigation: _Weighed, fix: _Weighed, policy: Policy) -> _Outcome:
    can_win = fix.reversible is not Reversible.NO
    if can_win and fix.minutes <= mitigation.minutes + policy.slack:
        timebox = min(TIMEBOX_FACTOR * fix.minutes, policy.timebox_max)
        return _Outcome(Recommendation.FIX_FORWARD, Rule.D6, timebox_minutes=timebox)
    if mitigation.restores is Restores.PARTIAL or mitigation.minutes > policy.parallel_after:
        return _Outcome(Recommendation.PARALLEL, Rule.D7)
    flip = mitigation.minutes + policy.slack - (fix.minutes - fix.own_minutes)
    return _Outcome(
        Recommendation.MITIGATE_THEN_FIX, Rule.D8, flip_minutes=flip if can_win and flip >= 0 else None
    )


def _containing(paths: Sequence[_Weighed], known: _Known) -> _Weighed | None:
    """Return the path that stops the damage: fewest closed gates first; none that loses data unaccepted."""
    return min(
        (
            p
            for p in paths
            if p.source.contains
            and p.source.is_available
            and (known.incident.is_data_loss_accepted or not p.loses_data)
        ),
        key=lambda p: (len(p.blocked), p.minutes, p.risk.rank),
        default=None,
    )


# Reasons


def _reasons(
    outcome: _Outcome,
    known: _Known,
    mitigation: _Weighed | None,
    fix: _Weighed | None,
    blocked: Sequence[Blocked],
) -> Iterable[str]:
    if outcome.rule is Rule.D8 and fix is not None and fix.reversible is Reversible.NO:
        yield "The mitigation goes first: the fix cannot be taken back."
    else:
        yield _RULE_REASONS[outcome.rule]
    if outcome.rule is Rule.D1:
        yield from _contain_reasons(outcome.containing)
    elif outcome.rule is Rule.D3:
        owner = known.incident.owner or "the component’s owner"
        yield f"Escalate to {owner} with the list of what is blocked."
        yield from (f"{gate.why}. {gate.unblock} ({gate.who})." for gate in blocked)
    elif outcome.rule is not Rule.D2:
        yield from (_time_reason(path) for path in (mitigation, fix) if path and path.is_usable)
    if outcome.timebox_minutes is not None and mitigation is not None:
        yield (
            f"Fall back to {mitigation.label} when the fix has not worked within "
            f"{format_minutes(outcome.timebox_minutes)}."
        )
    if outcome.rule is Rule.D7 and mitigation is not None:
        yield (
            "The mitigation restores only a part."
            if mitigation.restores is Restores.PARTIAL
            else f"The mitigation takes longer than {format_minutes(known.policy.parallel_after)}."
        )
    if outcome.rule is Rule.D8 and fix is not None and fix.reversible is not Reversible.NO:
        yield _flip_reason(outcome)
    if outcome.recommend is Recommendation.FIX_FORWARD and fix is not None:
        yield _review_reason(fix, known)


_RULE_REASONS = {
    Rule.D1: "Data is being damaged: stop the damage, then decide again.",
    Rule.D2: "This is no emergency: give the customer a workaround and make a normal change.",
    Rule.D3: "No path may be used now.",
    Rule.D4: "There is no usable mitigation, and the fix may be used.",
    Rule.D5: "The fix is not known or may not be used yet; the mitigation may.",
    Rule.D6: "The fix is as fast as the mitigation, and it can be taken back.",
    Rule.D7: "Both ways are open: two people take one each, do not wait for one.",
    Rule.D8: "The mitigation is faster; fix afterwards.",
}


def _contain_reasons(containing: _Weighed | None) -> Iterable[str]:
    if containing is None:
        yield "No path says that it stops the damage: stop writes and isolate what is broken."
        return
    yield f"Use {containing.label}: it is known to stop the damage."
    for gate in containing.blocked:
        yield f"Take care: {gate.why[0].lower()}{gate.why[1:]}."


def _time_reason(path: _Weighed) -> str:
    added = path.minutes - path.own_minutes
    text = f"{path.label[0].upper()}{path.label[1:]} counts {format_minutes(path.minutes)}"
    if not added:
        return f"{text}."
    for_what = "approval" if path.way is Way.MITIGATION else "review"
    return f"{text}, {format_minutes(added)} of it for {for_what}."


def _flip_reason(outcome: _Outcome) -> str:
    if outcome.flip_minutes is not None:
        return f"The fix wins if it is ready within {format_minutes(outcome.flip_minutes)}."
    return "Even a fix that is ready now would be slower, because it is reviewed first."


def _review_reason(fix: _Weighed, known: _Known) -> str:
    if fix.review is ReviewRule.V1:
        names = _forbidden_names(known)
        freeze = known.policy.freeze_on(known.today)
        cause = f"“{names[0]}” is never pushed unreviewed" if names else f"a freeze holds ({freeze})"
        return f"Review before deployment: {cause}."
    if fix.review is ReviewRule.V2:
        return (
            "Review after deployment is allowed: it is down, no data is at risk, and the fix stays within "
            "what is broken and can be taken back."
        )
    return f"Review before deployment, by one expedited peer: {_why_not_after(fix, known)}."


def _why_not_after(fix: _Weighed, known: _Known) -> str:
    if known.policy.push_when_down is PushWhenDown.REVIEW_FIRST:
        return "the policy says so"
    if known.incident.may_push is False:
        return "the component's owners ask for it"
    if known.impact is not Impact.DOWN or "impact" not in known.stated:
        return "it is not down"
    if known.data_risk is not DataRisk.NONE:
        return "data may be at risk"
    for key, text in (
        ("blast", "what the fix touches"),
        ("reversible", "whether the fix can be taken back"),
        ("confidence", "how sure the fix is"),
    ):
        if not _is_stated(fix.source, key):
            return f"nobody has stated {text}"
    if "scope" not in known.stated:
        return "nobody has stated what is broken"
    if fix.blast.is_above(known.scope):
        return "the fix reaches further than what is broken"
    return "the fix cannot be taken back" if fix.reversible is Reversible.NO else "the fix is a guess"
