"""The duration grammar: ``90s``, ``10m``, ``5-15m``, ``1.5h``, ``build 10m + test 5m``; no unit: unknown."""

from __future__ import annotations

import re

from kb_app.entries.model import Duration

MAX_MINUTES = 10 * 365 * 24 * 60.0
"""Ten years: anything longer is a slip, not a duration."""
_MAX_TEXT = 200

_MINUTES = {
    "s": 1 / 60, "sec": 1 / 60, "secs": 1 / 60, "second": 1 / 60, "seconds": 1 / 60,
    "m": 1.0, "min": 1.0, "mins": 1.0, "minute": 1.0, "minutes": 1.0,
    "h": 60.0, "hr": 60.0, "hrs": 60.0, "hour": 60.0, "hours": 60.0,
    "d": 1440.0, "day": 1440.0, "days": 1440.0,
    "w": 10080.0, "wk": 10080.0, "week": 10080.0, "weeks": 10080.0,
    "mo": 43200.0, "month": 43200.0, "months": 43200.0,
    "y": 525600.0, "yr": 525600.0, "year": 525600.0, "years": 525600.0,
}  # fmt: skip
_NUMBER = r"(\d{1,7}(?:[.,]\d{1,3})?)"
_UNIT = rf"({'|'.join(sorted(_MINUTES, key=len, reverse=True))})\b"
_AMOUNT = re.compile(
    rf"(?<![\w.-]){_NUMBER}\s?(?:{_UNIT})?(?:\s?(?:-|–|—|\bto\b|\.\.)\s?{_NUMBER}\s?{_UNIT})?", re.IGNORECASE
)
_AT_MOST = re.compile(r"(?:<=?|≤|up to|at most|less than|under|max\.?|maximum)\s*$", re.IGNORECASE)


def parse_duration(text: str) -> Duration | None:
    """Return the duration that ``text`` states, or None when it states none.

    Terms joined by ``+`` are added; a term without a number and a unit makes the whole unknown, because a sum
    with a missing part would be too small.
    """
    if len(text) > _MAX_TEXT:
        return None
    low = high = 0.0
    for term in text.split("+"):
        bounds = _term(term)
        if bounds is None:
            return None
        low, high = low + bounds[0], high + bounds[1]
    return Duration(text.strip(), low, high) if high <= MAX_MINUTES else None


def days_of(text: str) -> int | None:
    """Return a duration in whole days (``180d``, ``6 months``), at least 1; None when it is none."""
    duration = parse_duration(text)
    return None if duration is None else max(1, round(duration.high_minutes / 1440))


def _term(term: str) -> tuple[float, float] | None:
    low = high = 0.0
    found = False
    for match in _AMOUNT.finditer(term):
        bounds = _amount(match)
        if bounds is None:
            continue
        if _AT_MOST.search(term[: match.start()]):
            bounds = (0.0, bounds[1])
        low, high, found = low + bounds[0], high + bounds[1], True
    return (low, high) if found else None


def _amount(match: re.Match[str]) -> tuple[float, float] | None:
    first, unit, second, second_unit = match.groups()
    start = _value(first, unit or second_unit)
    if start is None:
        return None
    if second is None:
        return start, start
    end = _value(second, second_unit)
    return None if end is None else (min(start, end), max(start, end))


def _value(number: str, unit: str | None) -> float | None:
    factor = _MINUTES.get((unit or "").lower())
    return None if factor is None else float(number.replace(",", ".")) * factor
