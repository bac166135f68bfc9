"""The JSON that ``kb decide`` reads and prints.

A case is ``{"incident": {…}, "mitigation": {…} | […] | null, "fix": {…} | […] | null}``, times in minutes;
``"today": "YYYY-MM-DD"`` may fix the day that freezes are looked up for. A value that is absent, null or
``unknown`` is unknown; one that is no value of its key is unknown as well, and that is said. Other keys are
ignored.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from kb_app.decision.advice import NO_APPROVAL, decide
from kb_app.decision.durations import parse_minutes
from kb_app.decision.model import Advice, Incident, PathInput
from kb_app.decision.policy import Policy
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Impact,
    Restores,
    Reversible,
    Risk,
    Scope,
    Severity,
    Trend,
)
from kb_app.errors import UsageError

MAX_MINUTES = 10_000_000
_UNKNOWN = frozenset({"", "unknown", "?", "not stated", "n/a"})
_INCIDENT_KEYS = (
    "impact",
    "data_risk",
    "trend",
    "scope",
    "severity",
    "tags",
    "component",
    "components",
    "product",
    "owner",
    "data_loss_accepted",
    "push_allowed",
)
_PATH_KEYS = (
    "name",
    "time",
    "risk",
    "reversible",
    "blast",
    "confidence",
    "loses_data",
    "restores",
    "approval",
    "contains",
    "available",
    "why",
    "defaulted",
)
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Case:
    """One input of a decision.

    Attributes:
        incident, mitigations, fixes: the arguments of `decide`; paths in the order given.
        today: the day named in the case, if any.
        notes: what was odd about the input, one sentence each.
    """

    incident: Incident
    mitigations: tuple[PathInput, ...] = ()
    fixes: tuple[PathInput, ...] = ()
    today: dt.date | None = None
    notes: tuple[str, ...] = ()


def decide_text(text: str, policy: Policy, today: dt.date) -> str:
    """Return the advice for a JSON case, or the list of advices for a list of cases, as JSON text.

    Raises:
        UsageError: when ``text`` is not JSON or not a case.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"The decision input is not JSON: {error}",
            "Write an object with 'incident', 'mitigation' and 'fix'",
        ) from error
    return json.dumps(decide_document(document, policy, today), ensure_ascii=False, indent=2)


def decide_document(document: object, policy: Policy, today: dt.date) -> object:
    """Return the plain advice for one parsed case, or a list of them for a list of cases, in order.

    Raises:
        UsageError: when it is not a case.
    """
    if isinstance(document, list):
        return [_decide_one(item, policy, today, f"Case {n}") for n, item in enumerate(document, 1)]
    return _decide_one(document, policy, today, "The decision input")


def _decide_one(document: object, policy: Policy, today: dt.date, where: str) -> dict[str, object]:
    case = read_case(document, where)
    return advice_to_plain(decide_case(case, policy, today))


def decide_case(case: Case, policy: Policy, today: dt.date) -> Advice:
    """Return the advice for ``case``, its notes included; the case's own day wins over ``today``."""
    advice = decide(case.incident, case.mitigations, case.fixes, policy, case.today or today)
    return dataclasses.replace(advice, notes=case.notes)


def advice_to_plain(advice: Advice) -> dict[str, object]:
    """Return ``advice`` as ``kb decide`` prints it: eleven keys, times in minutes, ids of obligations."""
    return {
        "recommend": advice.recommend.value,
        "rule": advice.rule.value,
        "review": advice.review.value if advice.review else None,
        "vrule": advice.review_rule.value if advice.review_rule else None,
        "tM": _number(advice.mitigation_minutes),
        "tF": _number(advice.fix_minutes),
        "flip": _number(advice.flip_minutes),
        "reasons": [*advice.reasons, *advice.notes],
        "blocked": [
            {
                "path": blocked.way.value,
                "name": blocked.name,
                "gate": blocked.gate.value,
                "why": blocked.why,
                "unblock": blocked.unblock,
                "who": blocked.who,
            }
            for blocked in advice.blocked
        ],
        "obligations": [duty.obligation.value for duty in advice.duties],
        "assumed": [str(assumed) for assumed in advice.assumed],
    }


def _number(minutes: float | None) -> float | int | None:
    if minutes is None:
        return None
    rounded = round(minutes, 6)
    return int(rounded) if rounded.is_integer() else rounded


def read_case(document: object, where: str = "The decision input") -> Case:
    """Return the case that a parsed JSON document describes.

    Raises:
        UsageError: when it is not an object with an ``incident`` object and path objects.
    """
    hint = "Write an object with 'incident', 'mitigation' and 'fix'"
    if not isinstance(document, dict):
        raise UsageError(f"{where} is not a JSON object", hint)
    incident = document.get("incident")
    if not isinstance(incident, dict):
        raise UsageError(f"{where} has no 'incident' object", hint)
    reader = _Reader()
    today = document.get("today")
    return Case(
        incident=reader.incident(incident),
        mitigations=_read_paths(reader, document.get("mitigation"), "mitigation", where),
        fixes=_read_paths(reader, document.get("fix"), "fix", where),
        today=None if today is None else _read_day(today, where),
        notes=tuple(reader.notes),
    )


def _read_day(value: object, where: str) -> dt.date:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise UsageError(f"{where}: {value!r} is not a day", "Write YYYY-MM-DD") from error


def _read_paths(reader: _Reader, value: object, way: str, where: str) -> tuple[PathInput, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    paths = []
    for item in items:
        if item is None:
            continue
        if not isinstance(item, dict):
            raise UsageError(
                f"{where}: '{way}' is not an object", "Write an object, a list of objects, or null"
            )
        paths.append(reader.path(item, way))
    return tuple(paths)


@dataclass(slots=True)
class _Reader:
    """Reads values and remembers what was odd."""

    notes: list[str] = field(default_factory=list)

    def incident(self, raw: Mapping[str, object]) -> Incident:
        self._note_unknown_keys(raw, _INCIDENT_KEYS, "incident")
        return Incident(
            impact=self._word(Impact, raw, "impact", "incident"),
            data_risk=self._word(DataRisk, raw, "data_risk", "incident"),
            trend=self._word(Trend, raw, "trend", "incident"),
            scope=self._word(Scope, raw, "scope", "incident"),
            severity=self._word(Severity, raw, "severity", "incident"),
            tags=self._words(raw, "tags", "incident"),
            components=(
                *self._words(raw, "component", "incident"),
                *self._words(raw, "components", "incident"),
            ),
            product=self._text(raw, "product"),
            owner=self._text(raw, "owner"),
            is_data_loss_accepted=self._yes_no(raw, "data_loss_accepted", "incident") or False,
            may_push=self._yes_no(raw, "push_allowed", "incident"),
        )

    def path(self, raw: Mapping[str, object], way: str) -> PathInput:
        self._note_unknown_keys(raw, _PATH_KEYS, way)
        approval = self._text(raw, "approval")
        return PathInput(
            name=self._text(raw, "name"),
            time_minutes=self._minutes(raw, way),
            risk=self._word(Risk, raw, "risk", way),
            reversible=self._word(Reversible, raw, "reversible", way),
            blast=self._word(Scope, raw, "blast", way),
            confidence=self._word(Confidence, raw, "confidence", way),
            loses_data=self._yes_no(raw, "loses_data", way),
            restores=self._word(Restores, raw, "restores", way),
            approval=_approval(approval),
            contains=self._yes_no(raw, "contains", way) or False,
            is_available=self._yes_no(raw, "available", way) is not False,
            why=self._text(raw, "why"),
            defaulted=frozenset(self._words(raw, "defaulted", way)),
        )

    def _note_unknown_keys(self, raw: Mapping[str, object], known: Iterable[str], of: str) -> None:
        for key in raw:
            if key not in known:
                near = difflib.get_close_matches(str(key), list(known), n=1)
                hint = f"; did you mean “{near[0]}”?" if near else "."
                self.notes.append(f"“{key}” is not a key of the {of} and has no effect{hint}")

    def _word(self, kind: type[Word], raw: Mapping[str, object], key: str, of: str) -> Word | None:
        value = raw.get(key)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if _is_unknown(value):
            return None
        text = str(value).strip().lower()
        try:
            return kind(text)
        except ValueError:
            self._note_bad_value(of, key, value, [member.value for member in kind])
            return None

    def _yes_no(self, raw: Mapping[str, object], key: str, of: str) -> bool | None:
        value = raw.get(key)
        if isinstance(value, bool):
            return value
        if _is_unknown(value):
            return None
        text = str(value).strip().lower()
        if text in ("yes", "true"):
            return True
        if text in ("no", "false"):
            return False
        self._note_bad_value(of, key, value, ["yes", "no"])
        return None

    def _minutes(self, raw: Mapping[str, object], of: str) -> float | None:
        value = raw.get("time")
        if _is_unknown(value):
            return None
        minutes: float | None = None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_MINUTES:
            minutes = float(value)
        elif isinstance(value, str):
            minutes = parse_minutes(value)
        if minutes is None or not math.isfinite(minutes) or minutes > MAX_MINUTES:
            self._note_bad_value(of, "time", value, ["minutes from 0", "a time such as 10m"])
            return None
        return minutes

    def _words(self, raw: Mapping[str, object], key: str, of: str) -> tuple[str, ...]:
        value = raw.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, list):
            return tuple(str(part).strip() for part in value if isinstance(part, str | int))
        self._note_bad_value(of, key, value, ["a list of names"])
        return ()

    @staticmethod
    def _text(raw: Mapping[str, object], key: str) -> str:
        value = raw.get(key)
        return value.strip() if isinstance(value, str) else ""

    def _note_bad_value(self, of: str, key: str, value: object, expected: list[str]) -> None:
        shown = repr(value)[:60]
        self.notes.append(
            f"{shown} is not a value of {key} ({', '.join(expected)}); the {of}'s {key} counts as unknown."
        )


def _is_unknown(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _UNKNOWN)


def _approval(text: str) -> str | None:
    if _is_unknown(text):
        return None
    return text.lower() if text.lower() == NO_APPROVAL else text
