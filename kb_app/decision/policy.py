"""A team's policy: every key with its default, its meaning and which of two values is the stricter one.

Decision: the policy is flat inside (``risk_ceiling.down`` is one key), so that an override is nothing but a
few keys with other values, and one table serves reading, checking, the template and the merge of overrides.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kb_app.decision.values import (
    Confidence,
    Impact,
    Ordered,
    PushWhenDown,
    Reversible,
    Risk,
    Severity,
    Way,
)


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time in which no fix goes out unreviewed.

    Attributes:
        first_day: included.
        last_day: included.
    """

    first_day: dt.date
    last_day: dt.date

    def holds_on(self, day: dt.date) -> bool:
        """Tell whether ``day`` lies in it."""
        return self.first_day <= day <= self.last_day

    def __str__(self) -> str:
        if self.first_day == self.last_day:
            return self.first_day.isoformat()
        return f"{self.first_day.isoformat()}..{self.last_day.isoformat()}"


class KeyKind(StrEnum):
    """How the value of a key is written."""

    DURATION = "a time with a unit, such as 10m, 24h or 5d"
    RISK = "low, medium or high"
    CONFIDENCE = "guess, likely or proven"
    REVERSIBLE = "yes, partly or no"
    PUSH = "review-after or review-first"
    WORDS = "a list of names"
    FREEZES = "a list of days, such as 2025-12-20..2026-01-02"


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """One key of ``policy.yml``.

    Attributes:
        key: as written, with a dot between levels.
        field: attribute of `Policy`.
        kind: how its value is written.
        default: as written.
        help: one sentence.
        stricter: given two values, the one that asks for more care; used where overrides meet.
    """

    key: str
    field: str
    kind: KeyKind
    default: str
    help: str
    stricter: Callable[[object, object], object]


def _less(a: object, b: object) -> object:
    return a if not (isinstance(a, float) and isinstance(b, float) and b < a) else b


def _more(a: object, b: object) -> object:
    return b if _less(a, b) is a else a


def _lower(a: object, b: object) -> object:
    return a if not (isinstance(a, Ordered) and isinstance(b, Ordered) and a.is_above(b)) else b


def _higher(a: object, b: object) -> object:
    return b if _lower(a, b) is a else a


def _union(a: object, b: object) -> object:
    return (
        (*a, *(item for item in b if item not in a)) if isinstance(a, tuple) and isinstance(b, tuple) else a
    )


def _review_first(a: object, b: object) -> object:
    return a if a is PushWhenDown.REVIEW_FIRST else b


def _key(
    key: str, kind: KeyKind, default: str, stricter: Callable[[object, object], object], text: str
) -> PolicyKey:
    return PolicyKey(key, key.replace(".", "_"), kind, default, text, stricter)


POLICY_KEYS: tuple[PolicyKey, ...] = (
    _key(
        "slack",
        KeyKind.DURATION,
        "5m",
        _less,
        "A fix may be this much slower than the mitigation and still win: it saves a second change.",
    ),
    _key("review_minutes", KeyKind.DURATION, "10m", _more, "What a review before deployment takes."),
    _key("approval_minutes", KeyKind.DURATION, "10m", _more, "What getting an approval takes."),
    _key(
        "parallel_after",
        KeyKind.DURATION,
        "20m",
        _less,
        "When the mitigation takes longer than this, a second person starts on the fix at once.",
    ),
    _key(
        "timebox_max",
        KeyKind.DURATION,
        "30m",
        _less,
        "Longest time to try a fix before falling back to the mitigation.",
    ),
    _key(
        "risk_ceiling.minor", KeyKind.RISK, "low", _lower, "Highest risk allowed while the impact is minor."
    ),
    _key("risk_ceiling.degraded", KeyKind.RISK, "medium", _lower, "Highest risk allowed while degraded."),
    _key("risk_ceiling.down", KeyKind.RISK, "high", _lower, "Highest risk allowed while down."),
    _key(
        "min_confidence.mitigation",
        KeyKind.CONFIDENCE,
        "likely",
        _higher,
        "Confidence that a mitigation must have.",
    ),
    _key("min_confidence.fix", KeyKind.CONFIDENCE, "likely", _higher, "Confidence that a fix must have."),
    _key(
        "push_when_down",
        KeyKind.PUSH,
        "review-after",
        _review_first,
        "The standing authorisation: may a fix go out before its review while everything in scope is down?",
    ),
    _key(
        "never_unreviewed",
        KeyKind.WORDS,
        "[payments, auth, pii]",
        _union,
        "Tags and components whose fixes are always reviewed before they go out.",
    ),
    _key("freeze", KeyKind.FREEZES, "[]", _union, "Days on which no fix goes out before its review."),
    _key("post_review.due", KeyKind.DURATION, "24h", _less, "When a review after deployment is due."),
    _key(
        "post_review.independent_of",
        KeyKind.WORDS,
        "[author, deployer]",
        _union,
        "Who may not do the review after deployment.",
    ),
    _key("followup_due.sev1", KeyKind.DURATION, "5d", _less, "When the follow-up of a sev1 is due."),
    _key("followup_due.sev2", KeyKind.DURATION, "14d", _less, "When the follow-up of a sev2 is due."),
    _key("followup_due.sev3", KeyKind.DURATION, "30d", _less, "When the follow-up of a sev3 is due."),
    _key("followup_due.sev4", KeyKind.DURATION, "30d", _less, "When the follow-up of a sev4 is due."),
    _key("assume.risk", KeyKind.RISK, "medium", _higher, "Risk of a path that does not state it."),
    _key(
        "assume.reversible",
        KeyKind.REVERSIBLE,
        "partly",
        _higher,
        "Whether a path that does not say so can be taken back.",
    ),
    _key(
        "assume.mitigation_time",
        KeyKind.DURATION,
        "15m",
        _more,
        "Time of a mitigation that does not state it.",
    ),
    _key("assume.fix_time", KeyKind.DURATION, "4h", _more, "Time of a fix that does not state it."),
)
KEYS_BY_NAME: Mapping[str, PolicyKey] = {key.key: key for key in POLICY_KEYS}
INDEPENDENT_OF = ("author", "deployer", "lead", "approver")


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules a team decides by; durations in minutes, ≥ 0.

    Attributes:
        overrides_components: component (lower case) to the fields that differ for it.
        overrides_products: likewise for products; a component's override is applied after its product's.
        revision: Git blob id of the text, or ``default``; stored with each decision.

    The other attributes are the keys of ``policy.yml`` with ``_`` for the dot; `POLICY_KEYS` explains them.
    """

    slack: float = 5.0
    review_minutes: float = 10.0
    approval_minutes: float = 10.0
    parallel_after: float = 20.0
    timebox_max: float = 30.0
    risk_ceiling_minor: Risk = Risk.LOW
    risk_ceiling_degraded: Risk = Risk.MEDIUM
    risk_ceiling_down: Risk = Risk.HIGH
    min_confidence_mitigation: Confidence = Confidence.LIKELY
    min_confidence_fix: Confidence = Confidence.LIKELY
    push_when_down: PushWhenDown = PushWhenDown.REVIEW_AFTER
    never_unreviewed: tuple[str, ...] = ("payments", "auth", "pii")
    freeze: tuple[Freeze, ...] = ()
    post_review_due: float = 1440.0
    post_review_independent_of: tuple[str, ...] = ("author", "deployer")
    followup_due_sev1: float = 7200.0
    followup_due_sev2: float = 20160.0
    followup_due_sev3: float = 43200.0
    followup_due_sev4: float = 43200.0
    assume_risk: Risk = Risk.MEDIUM
    assume_reversible: Reversible = Reversible.PARTLY
    assume_mitigation_time: float = 15.0
    assume_fix_time: float = 240.0
    overrides_components: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    overrides_products: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    revision: str = "default"

    def risk_ceiling(self, impact: Impact) -> Risk:
        """Return the highest risk allowed at ``impact``."""
        return {
            Impact.MINOR: self.risk_ceiling_minor,
            Impact.DEGRADED: self.risk_ceiling_degraded,
            Impact.DOWN: self.risk_ceiling_down,
        }[impact]

    def min_confidence(self, way: Way) -> Confidence:
        """Return the confidence that a path of this way must have."""
        return self.min_confidence_mitigation if way is Way.MITIGATION else self.min_confidence_fix

    def followup_due(self, severity: Severity | None) -> float:
        """Return when a follow-up is due, in minutes; an unknown severity has the shortest time."""
        times = {
            Severity.SEV1: self.followup_due_sev1,
            Severity.SEV2: self.followup_due_sev2,
            Severity.SEV3: self.followup_due_sev3,
            Severity.SEV4: self.followup_due_sev4,
        }
        return min(times.values()) if severity is None else times[severity]

    def assumed_time(self, way: Way) -> float:
        """Return what a path of this way takes when nobody says."""
        return self.assume_mitigation_time if way is Way.MITIGATION else self.assume_fix_time

    def freeze_on(self, day: dt.date) -> Freeze | None:
        """Return the freeze that holds on ``day``, if any."""
        return next((freeze for freeze in self.freeze if freeze.holds_on(day)), None)

    def applied_to(self, components: Iterable[str] = (), product: str = "") -> Policy:
        """Return the policy in force for these components.

        The product's override comes first, then the component's. Where several components are affected, each
        key takes the stricter of their values.
        """
        base = _replaced(self, self.overrides_products.get(product.strip().lower(), {}))
        names = [name.strip().lower() for name in components]
        variants = [_replaced(base, self.overrides_components.get(name, {})) for name in names]
        if not variants:
            return base
        strictest = variants[0]
        for variant in variants[1:]:
            strictest = _stricter(strictest, variant)
        return strictest


def _replaced(policy: Policy, changes: Mapping[str, object]) -> Policy:
    # `changes` holds values checked by policy_file; the names are fields by construction of POLICY_KEYS
    return dataclasses.replace(policy, **changes)  # type: ignore[arg-type]


def _stricter(one: Policy, other: Policy) -> Policy:
    changes = {
        key.field: key.stricter(getattr(one, key.field), getattr(other, key.field)) for key in POLICY_KEYS
    }
    return _replaced(one, changes)


DEFAULT_POLICY = Policy()


def blob_id(raw: bytes) -> str:
    """Return the Git blob id (SHA-1) of a file's bytes: what ``git hash-object`` prints."""
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
