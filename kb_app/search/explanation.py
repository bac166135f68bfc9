"""A question in words: what its fields mean, what was corrected, what else was looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kb_app.search.query import Query

_KINDS = {
    "known-fix": "known fixes",
    "runbook": "runbooks",
    "internals": "pages about internals",
    "note": "notes",
}
_STATES = {"verified": "verified", "unverified": "unverified", "draft": "draft", "retired": "retired"}
_PHRASING = {
    "product": "of product {}",
    "component": "of component {}",
    "has": "that have a {}",
    "owner": "owned by {}",
    "tag": "tagged {}",
    "severity": "of severity {}",
    "knowledge_base": "in {}",
}
_CLOSE = ("product", "component", "has")
"""Facets that follow the subject without a comma."""


def explain(query: Query, filters: Mapping[str, tuple[str, ...]]) -> str:
    """Return the question in words, or an empty text when it is words only.

    >>> from kb_app.search.query import parse_query
    >>> explain(parse_query('kind:fix component:gateway has:mitigation "lease lost"'), {})
    'Known fixes of component gateway that have a mitigation, containing the phrase “lease lost”'
    """
    return in_words(query, filters) if query.uses_fields or filters else ""


def in_words(query: Query, filters: Mapping[str, tuple[str, ...]]) -> str:
    """Return the question in words; ``filters`` are those that were clicked. Nothing asked: all entries."""
    merged: dict[str, list[str]] = {}
    for source in (query.filters, filters):
        for facet, asked in source.items():
            merged.setdefault(facet, []).extend(v for v in asked if v not in merged.get(facet, []))
    wanted = {f: [v for v in vs if not v.startswith("-")] for f, vs in merged.items()}
    unwanted = {f: [v[1:] for v in vs if v.startswith("-")] for f, vs in merged.items()}
    head = [_subject(wanted)]
    head += [_said(facet, wanted[facet]) for facet in _CLOSE if wanted.get(facet)]
    parts = [" ".join(head)]
    parts += [_said(f, wanted[f]) for f in _PHRASING if f not in _CLOSE and wanted.get(f)]
    parts += [(f"not {d.words}" if d.is_excluded else d.words) for d in query.dates]
    parts += [_denied(facet, values) for facet, values in unwanted.items() if values]
    if query.alerts:
        parts.append("for the alert " + _either(query.alerts))
    parts += [f"containing the phrase \u201c{phrase}\u201d" for phrase in query.phrases]
    parts += [f"without \u201c{word}\u201d" for word in query.excluded]
    if query.words:
        parts.append(f"about {query.words}")
    is_last_close = len(parts) == 2 and bool(query.words)
    sentence = " ".join(parts) if is_last_close else ", ".join(parts)
    return sentence[:1].upper() + sentence[1:]


def _subject(wanted: Mapping[str, list[str]]) -> str:
    kinds = _either([_KINDS.get(kind, kind) for kind in wanted.get("kind", [])]) or "entries"
    states = _either([_STATES.get(state, state) for state in wanted.get("state", [])])
    return f"{states} {kinds}" if states else kinds


def _said(facet: str, values: list[str]) -> str:
    return _PHRASING[facet].format(_either(values))


def _denied(facet: str, values: list[str]) -> str:
    if facet == "has":
        return f"that have no {_either(values)}"
    if facet == "kind":
        return "no " + _either([_KINDS.get(value, value) for value in values])
    if facet == "state":
        return f"not {_either(values)}"
    return "not " + _said(facet, values) if facet in _PHRASING else f"not {_either(values)}"


def _either(values: Iterable[str]) -> str:
    """Return "a", "a or b", "a, b or c"."""
    *others, last = list(values) or [""]
    return f"{', '.join(others)} or {last}" if others else last


def correction_note(asked: str, searched: str) -> str:
    """Return what is said of a word that was taken for a slip."""
    return f"searched {searched} for \u201c{asked}\u201d, which no entry holds"


def synonym_note(asked: str, others: Iterable[str]) -> str:
    """Return what is said of other words for the same."""
    return f"also searched: {', '.join(others)} for {asked}"
