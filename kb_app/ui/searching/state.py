"""Rules of saved searches and of the paste preview; knows no Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kb_app.search.model import LineMatch
from kb_app.search.query import parse_query, with_filters
from kb_app.ui.common.remembered import SavedSearch

MAX_SAVED = 40
MAX_NAME = 60


def query_to_save(typed: str, clicked: Mapping[str, Sequence[str]]) -> str:
    """Return what is kept of a search: what was typed, the clicked filters written out; never a paste."""
    return with_filters(" ".join(typed.split()), clicked)


def name_of(query: str) -> str:
    """Return the name that is offered for a search."""
    understood = parse_query(query)
    parts = [value for values in understood.filters.values() for value in values if value[:1] != "-"]
    words = " ".join((*parts, *understood.phrases, understood.words)).strip() or query
    return words if len(words) <= MAX_NAME else words[: MAX_NAME - 1].rstrip() + "\u2026"


def with_search(saved: Sequence[SavedSearch], name: str, query: str) -> tuple[SavedSearch, ...]:
    """Return the list with another search at its end; the same query is kept once, under its new name."""
    clean = clean_name(name) or name_of(query)
    if any(one.query == query for one in saved):
        return tuple(replace(one, name=clean) if one.query == query else one for one in saved)
    return (*saved, SavedSearch(clean, query))[-MAX_SAVED:]


def renamed(saved: Sequence[SavedSearch], place: int, name: str) -> tuple[SavedSearch, ...]:
    """Return the list with another name at ``place``; an empty name changes nothing."""
    clean = clean_name(name)
    return tuple(replace(one, name=clean) if n == place and clean else one for n, one in enumerate(saved))


def moved(saved: Sequence[SavedSearch], place: int, step: int) -> tuple[SavedSearch, ...]:
    """Return the list with the search at ``place`` moved by ``step``, as far as there is room."""
    rows = list(saved)
    rows.insert(max(0, min(len(rows) - 1, place + step)), rows.pop(place))
    return tuple(rows)


def removed(saved: Sequence[SavedSearch], place: int) -> tuple[SavedSearch, ...]:
    """Return the list without the search at ``place``."""
    return tuple(one for n, one in enumerate(saved) if n != place)


def put_back(saved: Sequence[SavedSearch], place: int, one: SavedSearch) -> tuple[SavedSearch, ...]:
    """Return the list with a removed search where it was."""
    return (*saved[:place], one, *saved[place:])


def clean_name(name: str) -> str:
    """Return a name on one line, without control characters, not too long."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", name).strip()[:MAX_NAME]


def match_summary(lines: int, matches: Sequence[LineMatch], title: str) -> str:
    """Return the heading of the preview: how many of the pasted lines match the entry."""
    pasted = "1 pasted line" if lines == 1 else f"{lines:,} pasted lines"
    if not title:
        return pasted
    found = len({match.paste_line for match in matches})
    if not found:
        return f"{pasted}, none of them stands in \u201c{title}\u201d word for word"
    return f"{pasted}, {found} of them in \u201c{title}\u201d"


def next_match(matches: Sequence[LineMatch], line: int, step: int) -> int:
    """Return the pasted line of the next match after (or, for a step of -1, before) ``line``; 0: none."""
    lines = sorted({match.paste_line for match in matches})
    if not lines:
        return 0
    if step > 0:
        return next((n for n in lines if n > line), lines[0])
    return next((n for n in reversed(lines) if n < line), lines[-1])
