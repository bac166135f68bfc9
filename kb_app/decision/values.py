"""The words a decision is made of: closed sets, each in ascending order (least severe first)."""

from __future__ import annotations

from enum import StrEnum
from functools import cache


class Ordered(StrEnum):
    """Words that can be compared: a member is greater than those written before it."""

    @property
    def rank(self) -> int:
        """Position in the set, 0 for the first."""
        return _ranks(type(self))[self]

    def is_above(self, other: Ordered) -> bool:
        """Tell whether this word stands after ``other`` in the set."""
        return self.rank > other.rank


@cache
def _ranks(kind: type[Ordered]) -> dict[Ordered, int]:
    return {member: rank for rank, member in enumerate(kind)}


class Impact(Ordered):
    """How badly users are hit."""

    MINOR = "minor"
    DEGRADED = "degraded"
    DOWN = "down"


class DataRisk(Ordered):
    """Whether data is being damaged."""

    NONE = "none"
    POSSIBLE = "possible"
    ACTIVE = "active"


class Trend(Ordered):
    """Where it is going."""

    RECOVERING = "recovering"
    STABLE = "stable"
    WORSENING = "worsening"


class Scope(Ordered):
    """What is broken, or what an action touches (its blast radius)."""

    INSTANCE = "instance"
    CELL = "cell"
    REGION = "region"
    GLOBAL = "global"


class Severity(Ordered):
    """Declared severity; ``sev1`` is the worst and comes first, as people write it."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


class Risk(Ordered):
    """How likely an action is to make things worse."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Reversible(Ordered):
    """Whether an action can be taken back; the worst answer comes last."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Confidence(Ordered):
    """How sure one is that an action helps."""

    GUESS = "guess"
    LIKELY = "likely"
    PROVEN = "proven"


class Restores(StrEnum):
    """How much of the service an action brings back."""

    FULL = "full"
    PARTIAL = "partial"


class PushWhenDown(StrEnum):
    """The standing authorisation: may a fix go out before its review while everything in scope is down?"""

    REVIEW_AFTER = "review-after"
    REVIEW_FIRST = "review-first"


class Way(StrEnum):
    """Which of the two ways out a path is."""

    MITIGATION = "mitigation"
    FIX = "fix"


class Gate(StrEnum):
    """Why a path may not be used now."""

    G1 = "G1"
    G2 = "G2"
    G3 = "G3"
    G4 = "G4"
    G5 = "G5"


class ReviewRule(StrEnum):
    """Which rule set the time of the fix's review."""

    V1 = "V1"
    V2 = "V2"
    V3 = "V3"


class Review(StrEnum):
    """When the fix is reviewed, seen from its deployment."""

    BEFORE = "before"
    AFTER = "after"


class Rule(StrEnum):
    """Which rule gave the recommendation."""

    D1 = "D1"
    D2 = "D2"
    D3 = "D3"
    D4 = "D4"
    D5 = "D5"
    D6 = "D6"
    D7 = "D7"
    D8 = "D8"


class Recommendation(StrEnum):
    """What to do now."""

    CONTAIN = "contain"
    NORMAL_CHANGE = "normal-change"
    ESCALATE = "escalate"
    FIX_FORWARD = "fix-forward"
    MITIGATE_THEN_FIX = "mitigate-then-fix"
    PARALLEL = "parallel"


class Obligation(StrEnum):
    """What is owed afterwards."""

    O1 = "O1"
    O2 = "O2"
    O3 = "O3"
    O4 = "O4"
    O5 = "O5"
    O6 = "O6"
    O7 = "O7"
