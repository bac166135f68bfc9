"""Dates in questions: ``reviewed:<180d``, ``changed:>2025-01``.

Decision: a length of time is an age ("<180d": younger than that), a date is a point in time (">2025-01":
after that month).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

DATE_FIELDS = ("reviewed", "changed")

_AGE = re.compile(r"(?P<count>\d{1,5})(?P<unit>d|w|mo|m|y)[a-z]*", re.IGNORECASE)
_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?)?")
_COMPARISON = re.compile(r"(?P<sign>>=|<=|>|<|=)?(?P<rest>.+)")
_DAYS = {"d": 1, "w": 7, "mo": 30, "m": 30, "y": 365}
_UNITS = {"d": "day", "w": "week", "mo": "month", "m": "month", "y": "year"}


@dataclass(frozen=True, slots=True)
class DateFilter:
    """A span of days that a date of an entry has to lie in.

    Attributes:
        field: one of `DATE_FIELDS`.
        first, last: the span, both ends included; None is open. Both None: there is no such date.
        words: the condition as it ends "entries …": "reviewed in the last 180 days".
        is_excluded: entries for which it holds are left out.
    """

    field: str
    first: dt.date | None
    last: dt.date | None
    words: str
    is_excluded: bool = False

    @property
    def is_never(self) -> bool:
        """Tell whether entries without this date are asked for."""
        return self.first is None and self.last is None


def read_date_filter(field: str, text: str, today: dt.date, *, is_excluded: bool) -> DateFilter | None:
    """Return what ``text`` asks of ``field``, or None when it is no date.

    >>> read_date_filter("reviewed", "<180d", dt.date(2026, 3, 1), is_excluded=False).words
    'reviewed in the last 180 days'
    >>> read_date_filter("changed", ">2025-01", dt.date(2026, 3, 1), is_excluded=False).first
    datetime.date(2025, 2, 1)
    """
    verb = "reviewed" if field == "reviewed" else "whose file changed"
    if text.casefold() in ("never", "none"):
        return DateFilter(field, None, None, f"never {field}", is_excluded)
    if ".." in text:
        return _between(field, text, verb, is_excluded=is_excluded)
    match = _COMPARISON.fullmatch(text)
    if match is None:
        return None
    sign, rest = match["sign"] or "", match["rest"].strip()
    if age := _AGE.fullmatch(rest):
        return _of_age(field, age, sign, today, verb, is_excluded=is_excluded)
    span = _span(rest)
    if span is None:
        return None
    first, last, name = span
    bounds: dict[str, tuple[dt.date | None, dt.date | None, str]] = {
        ">": (_next_day(last), None, f"after {name}"),
        ">=": (first, None, f"since {name}"),
        "<": (None, first - dt.timedelta(days=1), f"before {name}"),
        "<=": (None, last, f"until {name}"),
    }
    low, high, words = bounds.get(sign, (first, last, f"{'on' if first == last else 'in'} {name}"))
    return DateFilter(field, low, high, f"{verb} {words}", is_excluded)


def _of_age(
    field: str, age: re.Match[str], sign: str, today: dt.date, verb: str, *, is_excluded: bool
) -> DateFilter | None:
    unit = age["unit"].lower()
    count = int(age["count"])
    days = count * _DAYS[unit]
    if days >= today.toordinal():
        return None
    edge = today - dt.timedelta(days=days)
    name = f"{count} {_UNITS[unit]}" + ("" if count == 1 else "s")
    if sign in (">", ">="):
        last = edge - dt.timedelta(days=1) if sign == ">" else edge
        return DateFilter(field, None, last, f"{verb} more than {name} ago", is_excluded)
    first = _next_day(edge) if sign == "<" else edge
    return DateFilter(field, first, None, f"{verb} in the last {name}", is_excluded)


def _between(field: str, text: str, verb: str, *, is_excluded: bool) -> DateFilter | None:
    low, _, high = text.partition("..")
    first, last = _span(low.strip()), _span(high.strip())
    if first is None or last is None:
        return None
    return DateFilter(field, first[0], last[1], f"{verb} from {first[2]} to {last[2]}", is_excluded)


def _next_day(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=1) if day < dt.date.max else day


def _span(text: str) -> tuple[dt.date, dt.date, str] | None:
    """Return first day, last day and name of a year, a month or a day."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(match[part]) if match[part] else 0 for part in ("year", "month", "day"))
    try:
        if day:
            exact = dt.date(year, month, day)
            return exact, exact, exact.isoformat()
        if match["month"]:
            last = calendar.monthrange(year, month)[1]
            name = f"{calendar.month_name[month]} {year}"
            return dt.date(year, month, 1), dt.date(year, month, last), name
        return dt.date(year, 1, 1), dt.date(year, 12, 31), str(year)
    except ValueError:
        return None
