"""What a decision is made from and what it says; frozen values, times in minutes unless named otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field

from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Gate,
    Impact,
    Obligation,
    Recommendation,
    Restores,
    Reversible,
    Review,
    ReviewRule,
    Risk,
    Rule,
    Scope,
    Severity,
    Trend,
    Way,
)


@dataclass(frozen=True, slots=True)
class Incident:
    """What is known about the incident; None is unknown and is weighed pessimistically.

    Attributes:
        impact: how badly users are hit.
        data_risk: whether data is being damaged.
        trend: where it is going.
        scope: what is broken.
        severity: as declared.
        tags: topics that a policy may name in ``never_unreviewed``.
        components: what is affected; named in ``never_unreviewed`` and in overrides.
        product: product of the components, for overrides; empty when unknown.
        owner: whom to escalate to; empty when unknown.
        is_data_loss_accepted: the data owner has accepted a loss, and that is recorded.
        may_push: whether the component's owners allow a fix before its review; None when they do not say, and
            then the policy alone decides.
    """

    impact: Impact | None = None
    data_risk: DataRisk | None = None
    trend: Trend | None = None
    scope: Scope | None = None
    severity: Severity | None = None
    tags: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    product: str = ""
    owner: str = ""
    is_data_loss_accepted: bool = False
    may_push: bool | None = None


@dataclass(frozen=True, slots=True)
class PathInput:
    """What is known about one way out; None is unknown and is assumed by the policy.

    Attributes:
        name: for people; empty means "the mitigation", "the fix".
        time_minutes: how long the action itself takes, ≥ 0; approval and review are added by `decide`.
        risk: how likely it makes things worse.
        reversible: whether it can be taken back.
        blast: what it touches.
        confidence: how sure one is that it helps.
        loses_data: it destroys data.
        restores: how much of the service it brings back.
        approval: ``none``, ``before`` or who has to agree.
        contains: it stops ongoing damage to data.
        is_available: it can be done at all.
        why: why it is not available, one phrase.
        defaulted: names of attributes that hold a value nobody stated for this path; they may allow acting,
            never skipping review.
    """

    name: str = ""
    time_minutes: float | None = None
    risk: Risk | None = None
    reversible: Reversible | None = None
    blast: Scope | None = None
    confidence: Confidence | None = None
    loses_data: bool | None = None
    restores: Restores | None = None
    approval: str | None = None
    contains: bool = False
    is_available: bool = True
    why: str = ""
    defaulted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Blocked:
    """One gate that one path does not pass.

    Attributes:
        way: mitigation or fix.
        name: the path's name; empty when it has none.
        gate: which gate.
        why: one sentence.
        unblock: what opens the gate, one sentence.
        who: who can do that.
    """

    way: Way
    name: str
    gate: Gate
    why: str
    unblock: str
    who: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Something owed because of the choice.

    Attributes:
        obligation: which rule.
        text: one sentence for people.
        due_minutes: how long after ``counted_from``; None when it is due before the incident closes.
        counted_from: ``deploy``, ``mitigation`` or ``closing``.
    """

    obligation: Obligation
    text: str
    due_minutes: float | None
    counted_from: str


@dataclass(frozen=True, slots=True)
class Assumed:
    """A value nobody stated.

    Attributes:
        of: ``incident``, ``mitigation`` or ``fix``.
        key: which attribute.
        value: what it was taken as.
    """

    of: str
    key: str
    value: str

    def __str__(self) -> str:
        prefix = "" if self.of == "incident" else f"{self.of}."
        return f"{prefix}{self.key}={self.value}"


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do now, why, and what it will cost afterwards.

    Attributes:
        recommend: the recommendation.
        rule: which rule gave it.
        review: when the fix is reviewed; None unless the recommendation is to fix forward.
        review_rule: which rule set that; None with ``review``.
        mitigation: the mitigation that was weighed (the best usable one, else the fastest); None without one.
        fix: likewise for the fix.
        mitigation_minutes: effective time of ``mitigation``, approval included; None when not available.
        fix_minutes: effective time of ``fix``, review included where it comes first.
        flip_minutes: the fix wins if it is ready within this time (D8); None where no time changes that.
        timebox_minutes: when to fall back to the mitigation; None without a fallback.
        containing: the path that stops the damage to data, when the recommendation is to contain.
        reasons: plain sentences, the decisive one first.
        blocked: paths that may not be used, with what would unblock them; mitigation first.
        duties: in order of their ids.
        assumed: values nobody stated, incident first.
        notes: what was odd about the input.
    """

    recommend: Recommendation
    rule: Rule
    review: Review | None = None
    review_rule: ReviewRule | None = None
    mitigation: PathInput | None = None
    fix: PathInput | None = None
    mitigation_minutes: float | None = None
    fix_minutes: float | None = None
    flip_minutes: float | None = None
    timebox_minutes: float | None = None
    containing: PathInput | None = None
    reasons: tuple[str, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    duties: tuple[Duty, ...] = ()
    assumed: tuple[Assumed, ...] = ()
    notes: tuple[str, ...] = field(default=())
