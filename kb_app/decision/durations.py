"""Time spans as people write them: ``90s``, ``10m``, ``5-15m``, ``1.5h``, ``build 10m + test 5m``.

A number without a unit is unknown, never guessed. The upper bound of a range counts.
"""

from __future__ import annotations

import re

MAX_LENGTH = 200
_UNIT_MINUTES = {"s": 1 / 60, "m": 1.0, "h": 60.0, "d": 1440.0, "w": 10080.0}
_NUMBER = r"\d{1,9}(?:\.\d{1,6})?"
_UNIT = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
_SPAN = re.compile(
    rf"(?<![\w.-])(?P<low>{_NUMBER})\s*(?:(?P<low_unit>{_UNIT})(?![a-z]))?"
    rf"(?:\s*[-–]\s*(?P<high>{_NUMBER})\s*(?P<high_unit>{_UNIT})(?![a-z]))?",
    re.IGNORECASE,
)
_COMPOUND = re.compile(rf"({_NUMBER}\s*(?:h|hrs?|hours?|d|days?))(?=\d)", re.IGNORECASE)


def parse_minutes(text: str) -> float | None:
    """Return the upper bound of ``text`` in minutes (≥ 0), or None when it does not say.

    Args:
        text: terms joined by ``+``; each is a number or a range with a unit, free words around it.
    """
    if len(text) > MAX_LENGTH:
        return None
    total = 0.0
    for term in _COMPOUND.sub(r"\1 + ", text).split("+"):
        minutes = _term_minutes(term)
        if minutes is None:
            return None
        total += minutes
    return total


def _term_minutes(term: str) -> float | None:
    spans = list(_SPAN.finditer(term))
    if not spans or re.search(r"\d", _SPAN.sub("", term)):
        return None
    total = 0.0
    for span in spans:
        unit = span["high_unit"] or span["low_unit"]
        if unit is None:
            return None
        low_unit = span["low_unit"] or unit
        low = float(span["low"]) * _UNIT_MINUTES[low_unit[0].lower()]
        high = float(span["high"]) * _UNIT_MINUTES[unit[0].lower()] if span["high"] else low
        total += max(low, high)
    return total


def format_minutes(minutes: float) -> str:
    """Return ``minutes`` for people: ``8 min``, ``1 h 30 min``, ``24 h``, ``5 days``."""
    rounded = round(minutes, 1)
    if rounded >= 2880 and rounded % 1440 == 0:
        return f"{rounded / 1440:g} days"
    if rounded < 120 and rounded % 60:
        return f"{rounded:g} min"
    hours, rest = divmod(rounded, 60)
    return " ".join([*([f"{hours:g} h"] if hours else []), *([f"{rest:g} min"] if rest or not hours else [])])


def compact_minutes(minutes: float) -> str:
    """Return ``minutes`` in the shortest form `parse_minutes` reads back: ``10m``, ``24h``, ``5d``."""
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes and minutes % size == 0 and (unit == "h" or minutes > 1440):
            return f"{minutes / size:g}{unit}"
    return f"{minutes:g}m"
