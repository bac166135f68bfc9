"""The query language: words, ``"phrases"``, ``field:value``, and a minus before any of them.

Nothing that is typed is an error. What cannot be understood becomes a sentence with its place, and the
rest is searched all the same. Pasted text never comes here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kb_app.search.dates import DATE_FIELDS, DateFilter, read_date_filter

FIELDS: Mapping[str, str] = {
    "kind": "kind",
    "type": "kind",
    "product": "product",
    "component": "component",
    "state": "state",
    "has": "has",
    "tag": "tag",
    "tags": "tag",
    "owner": "owner",
    "severity": "severity",
    "sev": "severity",
    "alert": "alert",
    "reviewed": "reviewed",
    "changed": "changed",
    "kb": "knowledge_base",
    "knowledge_base": "knowledge_base",
}
"""What may stand before the colon, and the facet it means."""

SHORT_NAMES: Mapping[str, str] = {"knowledge_base": "kb"}
"""How a facet is written in a query when not by its own name."""

VALUE_NAMES: Mapping[str, Mapping[str, str]] = {"kind": {"known-fix": "fix"}}
"""How a value is written in a query when not as itself."""

_SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "kind": {"fix": "known-fix", "knownfix": "known-fix", "known_fix": "known-fix", "component": "internals"},
    "state": {"unvalidated": "unverified", "archived": "retired", "deprecated": "retired", "wip": "draft"},
    "has": {"mitigations": "mitigation", "fixes": "fix", "levers": "lever"},
    "severity": {"1": "sev1", "2": "sev2", "3": "sev3", "4": "sev4"},
}
CLOSED: Mapping[str, tuple[str, ...]] = {
    "kind": ("internals", "known-fix", "runbook", "note"),
    "state": ("draft", "unverified", "verified", "retired"),
    "has": ("mitigation", "fix", "lever"),
    "severity": ("sev1", "sev2", "sev3", "sev4"),
}
"""Facets whose values are known beforehand."""

_QUOTES = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb", '"""""')
_TOKEN = re.compile(
    r"""(?P<minus>(?<!\S)-(?=["\w]))?
        (?:(?P<name>[A-Za-z_]{2,20}):(?=["\w.\-@<>=])(?!//))?
        (?:"(?P<quoted>[^"]*)(?P<close>"?)|(?P<bare>[^\s"]+))""",
    re.VERBOSE,
)
MAX_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be understood: one sentence, and where in the query it stands (characters)."""

    text: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A question in the query language, understood.

    Attributes:
        words: what is left to look up, as written, without filters.
        phrases: to be found word for word.
        excluded: words and phrases that must not occur.
        filters: facet to values; excluded ones start with ``-``.
        alerts: names after ``alert:``.
        dates: conditions on when an entry was reviewed or changed.
        places: facet and value, as in ``filters``, to where it stands in the text.
        problems: what could not be understood.
        is_open: the text ends within a word (not after a space or a closing quote).
    """

    words: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()
    dates: tuple[DateFilter, ...] = ()
    places: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    is_open: bool = True

    @property
    def uses_fields(self) -> bool:
        """Tell whether it is more than words."""
        return bool(self.phrases or self.excluded or self.filters or self.alerts or self.dates)


def parse_query(text: str, today: dt.date | None = None) -> Query:
    """Return what ``text`` asks on the day ``today`` (that of the clock when None); never raises.

    >>> query = parse_query('kind:fix -tag:legacy "lease lost" gateway')
    >>> query.words, query.phrases, dict(query.filters)
    ('gateway', ('lease lost',), {'kind': ('known-fix',), 'tag': ('-legacy',)})
    """
    text = text.translate(_QUOTES)
    parts = _Parts(today or dt.date.today(), len(text))
    for number, match in enumerate(_TOKEN.finditer(text)):
        if number >= MAX_TOKENS:
            parts.problems.append(
                Problem(f"Only the first {MAX_TOKENS} words were searched.", match.start(), len(text))
            )
            break
        _take(match, parts)
    ends_open = bool(text) and not text[-1].isspace() and text[-1] != '"'
    return Query(
        " ".join(parts.words),
        tuple(parts.phrases),
        tuple(parts.excluded),
        {facet: tuple(dict.fromkeys(values)) for facet, values in parts.filters.items()},
        tuple(parts.alerts),
        tuple(parts.dates),
        parts.places,
        tuple(dict.fromkeys(parts.problems)),
        ends_open and parts.last_is_word,
    )


@dataclass(slots=True)
class _Parts:
    today: dt.date
    length: int
    words: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    filters: dict[str, list[str]] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    dates: list[DateFilter] = field(default_factory=list)
    places: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    last_is_word: bool = False


def _take(match: re.Match[str], parts: _Parts) -> None:
    quoted, name = match["quoted"], (match["name"] or "").lower()
    value = quoted if quoted is not None else match["bare"]
    parts.last_is_word = False
    if quoted is not None and not match["close"] and quoted.strip():
        sentence = f"The quotation mark before \u201c{quoted.strip()[:40]}\u201d is never closed."
        parts.problems.append(Problem(sentence, match.start("quoted") - 1, match.end()))
    if name and name in FIELDS:
        _take_field(FIELDS[name], value, match, parts)
    elif name:
        near = _nearest(name, FIELDS)
        if near:
            sentence = f"There is no filter \u201c{name}\u201d; did you mean \u201c{near}:\u201d?"
            parts.problems.append(Problem(sentence, match.start("name"), match.end("name")))
        parts.words.append(value if near else f"{name}:{value}")
        parts.last_is_word = quoted is None
    elif match["minus"] and value.strip():
        _take_excluded(value, parts, is_quoted=quoted is not None)
    elif quoted is not None:
        if quoted.strip():
            parts.phrases.append(" ".join(quoted.split()))
    elif value.endswith(":") and value[:-1].lower() in FIELDS:
        if match.end() < parts.length:  # at the end its value is still being typed
            parts.problems.append(Problem(f"Nothing stands after \u201c{value}\u201d.", *match.span()))
    else:
        parts.words.append(value)
        parts.last_is_word = True


def _take_excluded(value: str, parts: _Parts, *, is_quoted: bool) -> None:
    if not is_quoted and len(value) == 1:  # -v, -T: an option of a command
        parts.words.append(f"-{value}")
        parts.last_is_word = True
    elif is_quoted or not (value.endswith(":") and value[:-1].lower() in FIELDS):
        parts.excluded.append(value.strip())


def _take_field(facet: str, value: str, match: re.Match[str], parts: _Parts) -> None:
    is_excluded = bool(match["minus"])
    if facet == "alert":
        (parts.excluded if is_excluded else parts.alerts).append(value.strip())
    elif facet in DATE_FIELDS:
        found = read_date_filter(facet, value.strip(), parts.today, is_excluded=is_excluded)
        if found is not None:
            parts.dates.append(found)
        elif match.end() < parts.length or len(value) > 4:  # "<", "<18": still being typed
            sentence = (
                f"\u201c{value[:40]}\u201d is no date; write a length of time or a date: "
                f"{facet}:<180d, {facet}:>2025-01, {facet}:2025-01..2025-03, {facet}:never."
            )
            parts.problems.append(Problem(sentence, match.start(), match.end()))
    else:
        values = [value] if match["quoted"] is not None else value.split(",")
        for one in values:
            _take_filter(facet, one.strip(), match, parts)


def _take_filter(facet: str, value: str, match: re.Match[str], parts: _Parts) -> None:
    if not value:
        return
    value = canonical_value(facet, value)
    if facet in CLOSED and value not in CLOSED[facet]:
        is_unfinished = match.end() == parts.length and any(
            known.startswith(value) for known in (*CLOSED[facet], *_SYNONYMS.get(facet, ()))
        )
        if not is_unfinished:
            choices = ", ".join(VALUE_NAMES.get(facet, {}).get(v, v) for v in CLOSED[facet])
            sentence = f"No {facet} is called \u201c{value[:40]}\u201d; there are {choices}."
            parts.problems.append(Problem(sentence, *match.span()))
        return
    key = f"-{value}" if match["minus"] else value
    parts.filters.setdefault(facet, []).append(key)
    parts.places.setdefault((facet, key), match.span())


def canonical_value(facet: str, value: str) -> str:
    """Return the value that ``value``, as typed, means: "fix" is the kind "known-fix"."""
    folded = value.casefold()
    return _SYNONYMS.get(facet, {}).get(folded, folded if facet in CLOSED else value)


def filter_text(facet: str, value: str) -> str:
    """Return a filter as it is typed; ``value`` may start with ``-``.

    >>> filter_text("component", "api gateway"), filter_text("kind", "-known-fix")
    ('component:"api gateway"', '-kind:fix')
    """
    minus = "-" if value.startswith("-") else ""
    plain = value.removeprefix("-")
    written = VALUE_NAMES.get(facet, {}).get(plain, plain)
    if re.search(r'[\s",]', written) or not re.match(r"[\w.@]", written):
        written = '"' + written.replace('"', "") + '"'
    return f"{minus}{SHORT_NAMES.get(facet, facet)}:{written}"


def with_filters(text: str, filters: Mapping[str, Iterable[str]]) -> str:
    """Return the query ``text`` with filters that were clicked written out in front."""
    known = parse_query(text).filters
    written = [
        filter_text(facet, value)
        for facet, values in filters.items()
        for value in values
        if value not in known.get(facet, ())
    ]
    return " ".join([*written, text.strip()]).strip()


def without_filter(text: str, facet: str, value: str) -> str:
    """Return the query ``text`` without one typed filter; its other values of the same word stay."""
    for match in _TOKEN.finditer(text.translate(_QUOTES)):
        if FIELDS.get((match["name"] or "").lower()) != facet or bool(match["minus"]) != value.startswith(
            "-"
        ):
            continue
        given = [match["quoted"]] if match["quoted"] is not None else match["bare"].split(",")
        kept = [one for one in given if canonical_value(facet, one.strip()) != value.removeprefix("-")]
        if len(kept) == len(given):
            continue
        head, tail = text[: match.start()], text[match.end() :]
        if kept:
            return f"{head}{'-' if match['minus'] else ''}{match['name']}:{','.join(kept)}{tail}"
        return f"{head.rstrip()} {tail.lstrip()}".strip()
    return text


def without_filters(text: str) -> str:
    """Return the query ``text`` without all typed filters; words, phrases and dates stay."""
    for facet, value in parse_query(text).places:
        text = without_filter(text, facet, value)
    return text


def _nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of ``names`` that ``name`` is a slip of, or an empty text."""
    for known in names:
        if abs(len(known) - len(name)) <= 1 and len(name) > 3 and is_one_slip(name, known):
            return known
    return ""


def is_one_slip(a: str, b: str) -> bool:
    """Tell whether one letter more, less, other or swapped makes ``b`` of ``a``."""
    prefix = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[prefix:], b[prefix:]
    return (
        rest_a[1:] == rest_b
        or rest_a == rest_b[1:]
        or rest_a[1:] == rest_b[1:]
        or (rest_a[:2][::-1] == rest_b[:2] and rest_a[2:] == rest_b[2:])
    )
