"""Reads answers of the search worker: the one message that comes with every key.

Decision: `kb_app.plain.from_plain` looks at every value of every field, about 10 ms for forty hits; this
reads the same form in under 1 ms. Types of single fields are trusted here, since the worker is this program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from kb_app.search.model import Mode, SearchAnswer, SearchHit, Twin, Verdict

_HIT_FIELDS = frozenset(field.name for field in fields(SearchHit))
_ANSWER_FIELDS = frozenset(field.name for field in fields(SearchAnswer))
_HIT_TUPLES = ("why", "has")
_HIT_MARKS = ("snippet_marks", "title_marks")


def read_answer(plain: object) -> SearchAnswer:
    """Return the answer that ``plain`` describes; unknown keys are ignored, absent ones take defaults.

    Raises:
        ValueError, TypeError, KeyError: when it is not one.
    """
    if not isinstance(plain, Mapping):
        raise TypeError(f"expected an object, got {type(plain).__name__}")
    values: dict[str, Any] = {name: value for name, value in plain.items() if name in _ANSWER_FIELDS}
    values["mode"] = Mode(values["mode"])
    values["verdict"] = Verdict(values["verdict"])
    values["hits"] = tuple(_read_hit(hit) for hit in values.get("hits", ()))
    values["problems"] = tuple(values.get("problems", ()))
    values["notes"] = tuple(values.get("notes", ()))
    values["problem_spans"] = tuple((start, end) for start, end in values.get("problem_spans", ()))
    return SearchAnswer(**values)


def _read_hit(plain: Mapping[str, Any]) -> SearchHit:
    values = {name: value for name, value in plain.items() if name in _HIT_FIELDS}
    for name in _HIT_TUPLES:
        if name in values:
            values[name] = tuple(values[name])
    for name in _HIT_MARKS:
        if name in values:
            values[name] = tuple((start, end) for start, end in values[name])
    if "twins" in values:
        values["twins"] = tuple(Twin(**twin) for twin in values["twins"])
    return SearchHit(**values)
