"""Paths of an entry as inputs of a decision, and the free move test.

Values come from the path itself, else from its component's internals entry, else from the policy's ``assume``
(there they stay None). What nobody wrote down is marked, so that it may allow acting but never skips review.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from kb_app.decision.advice import NO_APPROVAL
from kb_app.decision.durations import parse_minutes
from kb_app.decision.model import PathInput
from kb_app.decision.values import Confidence, Restores, Reversible, Risk, Scope
from kb_app.entries.model import Entry, Path, State

Word = TypeVar("Word", bound=StrEnum)
_CONFIDENCE_OF = {
    State.DRAFT: Confidence.GUESS,
    State.UNVERIFIED: Confidence.LIKELY,
    State.VERIFIED: Confidence.PROVEN,
    State.RETIRED: Confidence.GUESS,
}
_ROLLBACK = {"yes": Reversible.YES, "limited": Reversible.PARTLY, "no": Reversible.NO}


@dataclass(frozen=True, slots=True)
class ComponentDefaults:
    """What a component's internals entry says about every path of that component.

    Attributes:
        deploy_minutes: sum of its ``deploy_time``; None when it does not say.
        reversible: from its ``rollback``; None when it does not say.
        may_push: from its ``push_allowed``; None when it does not say.
    """

    deploy_minutes: float | None = None
    reversible: Reversible | None = None
    may_push: bool | None = None


def component_defaults(internals: Entry) -> ComponentDefaults:
    """Return the defaults that an internals entry states."""
    push = internals.push_allowed.strip().lower()
    return ComponentDefaults(
        deploy_minutes=parse_minutes(internals.deploy_time),
        reversible=_ROLLBACK.get(internals.rollback.strip().lower()),
        may_push={"yes": True, "no": False}.get(push),
    )


def path_input(path: Path, state: State, defaults: ComponentDefaults | None = None) -> PathInput:
    """Return ``path`` as an input of `decide`.

    Args:
        path: of an entry; "none known" counts as not available.
        state: of that entry: it gives the confidence when the path states none, and ``Approval: none`` is
            honoured only in a verified entry.
        defaults: of the path's component.
    """
    if path.is_none:
        return PathInput(name=path.name, is_available=False, why="the entry says that none is known")
    stated, component = path.attributes, defaults or ComponentDefaults()
    confidence = _word(Confidence, stated.confidence)
    approval = _approval(stated.approval, state)
    defaulted = set()
    # a verified entry vouches for its paths; any other state is only a guess at the confidence
    if confidence is None and state is not State.VERIFIED:
        defaulted.add("confidence")
    if approval is not None and stated.approval is not None and approval != stated.approval.strip().lower():
        defaulted.add("approval")
    return PathInput(
        name=path.name,
        time_minutes=stated.time.high_minutes if stated.time is not None else component.deploy_minutes,
        risk=_word(Risk, stated.risk),
        reversible=_word(Reversible, stated.reversible) or component.reversible,
        blast=_word(Scope, stated.blast),
        confidence=confidence or _CONFIDENCE_OF[state],
        loses_data={"loses": True, "safe": False}.get(_first_word(stated.data)),
        restores=_word(Restores, stated.restores),
        approval=approval,
        contains=stated.contains is True,
        defaulted=frozenset(defaulted),
    )


def _approval(text: str | None, state: State) -> str | None:
    if text is None or not text.strip():
        return None
    if _first_word(text) != NO_APPROVAL:
        return text.strip()
    return NO_APPROVAL if state is State.VERIFIED else "before"


def _first_word(text: str | None) -> str:
    match = re.match(r"\s*([a-z-]+)", (text or "").lower())
    return match[1] if match else ""


def _word(kind: type[Word], text: str | None) -> Word | None:
    """Return the value that ``text`` begins with: authors add words, as in ``low (one pod)``."""
    word = _first_word(text)
    return kind(word) if word in set(kind) else None


@dataclass(frozen=True, slots=True)
class FreeMove:
    """Whether a first action may be shown as "do now", before any question.

    Attributes:
        is_free: it may.
        only_if: a condition the reader has to see first, as in "if at least a cell is broken"; may be empty.
        missing: why it is not free, one phrase each, in the order of the test; empty when it is.
    """

    is_free: bool
    only_if: str = ""
    missing: tuple[str, ...] = ()


def free_move(path: Path, state: State, scope: Scope | None = None) -> FreeMove:
    """Tell whether ``path`` is verified, low risk, reversible, within the broken scope and needs no approval.

    Args:
        path: the action; what it does not state does not count in its favour, only an unstated blast radius
            is taken as the broken scope.
        state: of its entry.
        scope: what is broken; None while nobody has said so.
    """
    stated = path.attributes
    blast = _word(Scope, stated.blast)
    tests = (
        (not path.is_none, "there is nothing to do"),
        (state is State.VERIFIED, "not verified"),
        (_word(Risk, stated.risk) is Risk.LOW, "low risk is not stated"),
        (_word(Reversible, stated.reversible) is Reversible.YES, "that it can be taken back is not stated"),
        (_first_word(stated.data) != "loses", "it loses data"),
        (_first_word(stated.approval) == NO_APPROVAL, "it needs an approval"),
        (
            blast is None or scope is None or not blast.is_above(scope),
            "it reaches further than what is broken",
        ),
    )
    missing = tuple(text for holds, text in tests if not holds)
    if missing:
        return FreeMove(is_free=False, missing=missing)
    if scope is None and blast is not None and blast is not Scope.INSTANCE:
        broken = "everything" if blast is Scope.GLOBAL else f"at least a {blast}"
        return FreeMove(is_free=True, only_if=f"if {broken} is broken")
    return FreeMove(is_free=True)
