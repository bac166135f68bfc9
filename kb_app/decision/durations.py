"""Time spans in policies and cases: the grammar of entries, upper bound; and minutes for people."""

from __future__ import annotations

from kb_app.entries.durations import parse_duration


def parse_minutes(text: str) -> float | None:
    """Return the upper bound of ``text`` in minutes (≥ 0), or None when it does not say, or is negative."""
    if text.lstrip().startswith(("-", "−")):
        return None
    duration = parse_duration(text)
    return None if duration is None else duration.high_minutes


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
