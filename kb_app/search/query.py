"""The query language: words, ``"phrases"``, ``field:value``, and a minus before any of them.

Nothing that is typed is an error. What cannot be understood becomes a sentence in ``problems``, and the rest
is searched all the same. Pasted text never comes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
    "kb": "knowledge_base",
    "knowledge_base": "knowledge_base",
    "alert": "alert",
}
"""What may stand before the colon, and the facet it means."""

_SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "kind": {"fix": "known-fix", "knownfix": "known-fix", "known_fix": "known-fix", "component": "internals"},
    "state": {"unvalidated": "unverified", "archived": "retired", "deprecated": "retired", "wip": "draft"},
    "has": {"mitigations": "mitigation", "fixes": "fix", "levers": "lever"},
}
_CLOSED: Mapping[str, tuple[str, ...]] = {
    "kind": ("internals", "known-fix", "runbook", "note"),
    "state": ("draft", "unverified", "verified", "retired"),
    "has": ("mitigation", "fix", "lever"),
}
_QUOTES = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb", '"""""')
_TOKEN = re.compile(
    r"""(?P<minus>(?<!\S)-(?=["\w]))?
        (?:(?P<name>[A-Za-z_]{2,20}):(?=["\w.\-])(?!//))?
        (?:"(?P<quoted>[^"]*)(?P<close>"?)|(?P<bare>[^\s"]+))""",
    re.VERBOSE,
)
MAX_TOKENS = 200


@dataclass(frozen=True, slots=True)
class Query:
    """A question in the query language, understood.

    Attributes:
        words: what is left to look up, as written, without filters.
        phrases: to be found word for word.
        excluded: words and phrases that must not occur.
        filters: facet to values; excluded ones start with ``-``.
        alerts: names after ``alert:``.
        problems: what could not be understood, one sentence each.
        is_open: the text ends within a word (not after a space or a closing quote).
    """

    words: str
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    is_open: bool = True


def parse_query(text: str) -> Query:
    """Return what ``text`` asks; never raises.

    >>> query = parse_query('kind:fix -tag:legacy "lease lost" gateway')
    >>> query.words, query.phrases, dict(query.filters)
    ('gateway', ('lease lost',), {'kind': ('known-fix',), 'tag': ('-legacy',)})
    """
    text = text.translate(_QUOTES)
    parts = _Parts()
    for number, match in enumerate(_TOKEN.finditer(text)):
        if number >= MAX_TOKENS:
            parts.problems.append(f"Only the first {MAX_TOKENS} words were searched.")
            break
        _take(match, parts)
    ends_open = bool(text) and not text[-1].isspace() and text[-1] != '"'
    return Query(
        " ".join(parts.words),
        tuple(parts.phrases),
        tuple(parts.excluded),
        {facet: tuple(dict.fromkeys(values)) for facet, values in parts.filters.items()},
        tuple(parts.alerts),
        tuple(dict.fromkeys(parts.problems)),
        ends_open and parts.last_is_word,
    )


@dataclass(slots=True)
class _Parts:
    words: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    filters: dict[str, list[str]] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    last_is_word: bool = False


def _take(match: re.Match[str], parts: _Parts) -> None:
    quoted, name = match["quoted"], (match["name"] or "").lower()
    value = quoted if quoted is not None else match["bare"]
    parts.last_is_word = False
    if quoted is not None and not match["close"] and quoted.strip():
        parts.problems.append(f"The quotation mark before \u201c{quoted.strip()[:40]}\u201d is never closed.")
    if name and name in FIELDS:
        _take_filter(FIELDS[name], value.strip(), is_excluded=bool(match["minus"]), parts=parts)
    elif name:
        near = _nearest(name, FIELDS)
        if near:
            parts.problems.append(f"There is no filter \u201c{name}\u201d; did you mean \u201c{near}:\u201d?")
        parts.words.append(f"{name}:{value}")
        parts.last_is_word = quoted is None
    elif match["minus"] and value.strip():
        if quoted is None and len(value) == 1:  # -v, -T: an option of a command
            parts.words.append(f"-{value}")
            parts.last_is_word = True
        else:
            parts.excluded.append(value.strip())
    elif quoted is not None:
        if quoted.strip():
            parts.phrases.append(" ".join(quoted.split()))
    else:
        parts.words.append(value)
        parts.last_is_word = True


def _take_filter(facet: str, value: str, *, is_excluded: bool, parts: _Parts) -> None:
    if not value:
        return
    if facet == "alert":
        (parts.excluded if is_excluded else parts.alerts).append(value)
        return
    folded = value.casefold()
    value = _SYNONYMS.get(facet, {}).get(folded, folded if facet in _CLOSED else value)
    if facet in _CLOSED and value not in _CLOSED[facet]:
        choices = ", ".join(_CLOSED[facet])
        parts.problems.append(f"No {facet} is called \u201c{value}\u201d; there are {choices}.")
        return
    parts.filters.setdefault(facet, []).append(f"-{value}" if is_excluded else value)


def _nearest(name: str, names: Iterable[str]) -> str:
    """Return the one of ``names`` that ``name`` is a slip of, or an empty text."""
    for known in names:
        if abs(len(known) - len(name)) <= 1 and len(name) > 3 and _is_one_slip(name, known):
            return known
    return ""


def _is_one_slip(a: str, b: str) -> bool:
    prefix = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[prefix:], b[prefix:]
    return (
        rest_a[1:] == rest_b
        or rest_a == rest_b[1:]
        or rest_a[1:] == rest_b[1:]
        or (rest_a[:2][::-1] == rest_b[:2] and rest_a[2:] == rest_b[2:])
    )


_KINDS = {
    "known-fix": "known fixes",
    "runbook": "runbooks",
    "internals": "pages about internals",
    "note": "notes",
}
_STATES = {"verified": "verified", "unverified": "not verified", "draft": "drafts", "retired": "retired"}


def explain(query: Query, filters: Mapping[str, tuple[str, ...]]) -> str:
    """Return the question in words, or an empty text when it is words only.

    >>> explain(parse_query('kind:fix has:mitigation -tag:legacy "lease lost"'), {})
    'Known fixes that have a mitigation, not tagged legacy, that hold “lease lost”'
    """
    merged: dict[str, list[str]] = {}
    for source in (query.filters, filters):
        for facet, asked in source.items():
            merged.setdefault(facet, []).extend(v for v in asked if v not in merged.get(facet, []))
    if not merged and not query.phrases and not query.excluded and not query.alerts:
        return ""
    wanted_kinds = [v for v in merged.get("kind", []) if not v.startswith("-")]
    subject = " or ".join(_KINDS.get(kind, kind) for kind in wanted_kinds) or "entries"
    parts = [subject]
    for facet, values in merged.items():
        parts += _explain_facet(facet, values)
    if query.alerts:
        parts.append("about alert " + " or ".join(query.alerts))
    for phrase in query.phrases:
        parts.append(f"that hold \u201c{phrase}\u201d")
    for word in query.excluded:
        parts.append(f"without \u201c{word}\u201d")
    if query.words:
        parts.append(f"about {query.words}")
    sentence = parts[0] + ("" if len(parts) == 1 else " " + ", ".join(parts[1:]))
    return sentence[:1].upper() + sentence[1:]


_PHRASING = {
    "product": "of product {}",
    "component": "of component {}",
    "owner": "owned by {}",
    "tag": "tagged {}",
    "severity": "of severity {}",
    "knowledge_base": "in {}",
    "has": "that have a {}",
}


def _explain_facet(facet: str, values: list[str]) -> list[str]:
    wanted = [value for value in values if not value.startswith("-")]
    unwanted = [value[1:] for value in values if value.startswith("-")]
    parts = []
    if facet == "state":
        parts += [" or ".join(_STATES.get(v, v) for v in wanted)] if wanted else []
        parts += ["not " + " or ".join(_STATES.get(v, v) for v in unwanted)] if unwanted else []
        return parts
    if facet == "kind":
        return ["not " + " or ".join(_KINDS.get(v, v) for v in unwanted)] if unwanted else []
    template = _PHRASING.get(facet, facet + " {}")
    if wanted:
        parts.append(template.format(" or ".join(wanted)))
    if unwanted:
        negated = template.replace("that have a", "that have no") if facet == "has" else "not " + template
        parts.append(negated.format(" or ".join(unwanted)))
    return parts
