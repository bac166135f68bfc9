"""Rules of completion in the search field: what may follow the text before the cursor; knows no Qt.

Decision: names of fields are offered quietly (Tab takes the first, every other key keeps its meaning):
"state" may be a word of the question. After a colon a value is wanted for certain, so there Down and Enter
belong to the list of values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kb_app.search.dates import DATE_FIELDS
from kb_app.search.query import CLOSED, FIELDS, SHORT_NAMES, VALUE_NAMES, canonical_value, filter_text

MAX_SHOWN = 8
MIN_NAME = 2
"""Letters of a field's name from which on it is offered unasked."""

Counts = Mapping[str, Mapping[str, int]]

OFFERED: Mapping[str, str] = {
    "kind": "fix, runbook, internals, note",
    "has": "mitigation, fix, lever",
    "product": "what it is about",
    "component": "part of a product",
    "state": "draft, unverified, verified, retired",
    "severity": "sev1 to sev4",
    "owner": "team or person",
    "tag": "label of an entry",
    "alert": "name of an alert",
    "reviewed": "<180d, >1y, never",
    "changed": ">2025-01, <30d",
    "kb": "knowledge base",
}
"""Names of fields in the order in which they are offered, and what stands after them."""

_DATES = (
    ("<30d", "in the last 30 days"),
    ("<180d", "in the last 180 days"),
    (">180d", "more than 180 days ago"),
    (">1y", "more than a year ago"),
    ("never", "there is no date"),
)
_VALUE = re.compile(r'(?:(?<=\s)|^)(?P<minus>-?)(?P<name>[A-Za-z_]{2,20}):(?P<value>"[^"]*|[^\s"]*)$')
_NAME = re.compile(r"(?:(?<=\s)|^)(?P<minus>-?)(?P<name>[A-Za-z_]{0,20})$")
_PARTS = re.compile(r"[\s/_.\-]+|(?<=[a-z0-9])(?=[A-Z])")
_REST = re.compile(r"[^\s\"]*")


@dataclass(frozen=True, slots=True)
class Completion:
    """One offer.

    Attributes:
        text: what takes the place of the text between `Completions.start` and `Completions.end`.
        label: what is shown.
        note: how many entries have it, or what it means.
    """

    text: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Completions:
    """What may stand at the cursor.

    Attributes:
        start, end: the part of the query that an offer takes the place of, in characters.
        offers: best first, at most `MAX_SHOWN`.
        is_wanted: a value has to follow; else the offers are only a hint.
    """

    start: int
    end: int
    offers: tuple[Completion, ...]
    is_wanted: bool


def completions(
    text: str, cursor: int, counts: Counts, *, everything: Counts | None = None, is_asked: bool = False
) -> Completions | None:
    """Return what may stand at the cursor, None when there is nothing to offer.

    Args:
        text: the whole query.
        cursor: in characters.
        counts: the facets of the last answer.
        everything: those of all entries, for values that the last answer does not hold.
        is_asked: the user asked for it, so all fields are offered even where no letter is typed.
    """
    before = text[:cursor]
    if before.count('"') % 2 and not _VALUE.search(before):
        return None
    rest = _REST.match(text, cursor)
    end = rest.end() if rest else cursor
    if value := _VALUE.search(before):
        return _values(value, end, counts, everything or {})
    name = _NAME.search(before)
    if name is None or not (is_asked or len(name["name"]) >= MIN_NAME):
        return None
    typed = name["name"].casefold()
    offers = tuple(
        Completion(f"{name['minus']}{field}:", f"{name['minus']}{field}:", note)
        for field, note in OFFERED.items()
        if field.startswith(typed)
    )
    return Completions(name.start(), end, offers, is_wanted=is_asked) if offers else None


def _values(match: re.Match[str], end: int, counts: Counts, everything: Counts) -> Completions | None:
    facet = FIELDS.get(match["name"].lower())
    if facet is None:
        return None
    typed = match["value"].lstrip('"')
    if facet in DATE_FIELDS:
        offers = tuple(
            Completion(f"{match['minus']}{facet}:{value} ", value, note)
            for value, note in _DATES
            if value.startswith(typed) and value != typed
        )
    else:
        head, _, last = typed.rpartition(",")
        offers = tuple(_offers(facet, match["minus"], (head, last), counts, everything))
    return Completions(match.start(), end, offers[:MAX_SHOWN], is_wanted=True) if offers else None


def _offers(
    facet: str, minus: str, list_so_far: tuple[str, str], counts: Counts, everything: Counts
) -> Iterable[Completion]:
    head, typed = list_so_far
    folded = typed.casefold().removeprefix("@" if facet == "owner" else "")
    known = {**dict.fromkeys(everything.get(facet, {}), 0), **counts.get(facet, {})}
    known |= {value: known.get(value, 0) for value in CLOSED.get(facet, ())}
    chosen = {canonical_value(facet, one) for one in head.split(",")} if head else set()
    rated = []
    for place, (value, count) in enumerate(known.items()):
        shown = VALUE_NAMES.get(facet, {}).get(value, value)
        rank = _rank(shown.removeprefix("@"), folded)
        if value and rank is not None and value not in chosen and shown != typed:
            rated.append((rank, not count, -count, place, value, shown, count))
    name = SHORT_NAMES.get(facet, facet)
    for *_, value, shown, count in sorted(rated):
        text = f"{minus}{name}:{head},{shown} " if head else f"{filter_text(facet, minus + value)} "
        yield Completion(text, shown, f"{count:,}" if count else "none here")


def _rank(value: str, typed: str) -> int | None:
    """Return 0 when ``value`` starts so, 1 when a part of it does, None when none does."""
    if value.casefold().startswith(typed):
        return 0
    is_part = any(part.casefold().startswith(typed) for part in _PARTS.split(value))
    return 1 if is_part else None
