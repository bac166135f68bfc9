"""Questions and answers of the search: no Whoosh type crosses this line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """How a query was understood."""

    WORDS = "words"
    PASTE = "paste"
    ALERT = "alert"


class Verdict(StrEnum):
    """How good the best hit is: a match, only weak ones, or nothing worth showing as an answer."""

    MATCH = "match"
    WEAK = "weak"
    NONE = "none"


FACETS = ("kind", "product", "component", "state", "has", "tag", "owner", "severity", "knowledge_base")


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One question.

    Attributes:
        text: words, an alert name or a whole paste.
        limit: hits wanted, 1 to 200.
        filters: facet name (`FACETS`) to the values wanted; several values of one facet mean "any of them",
            several facets mean "all of them". A value that starts with ``-`` is excluded.
        is_typing: the last word may be unfinished and is taken as a prefix.
        explain: fill ``SearchHit.why`` in detail and say what was asked even where it is words only.
        narrowed_by: a typed query beside a paste: its filters and phrases hold, its words count as one more
            line.
    """

    text: str
    limit: int = 20
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_typing: bool = False
    explain: bool = False
    narrowed_by: str = ""


@dataclass(frozen=True, slots=True)
class Twin:
    """A near-duplicate folded under a hit.

    Attributes:
        differs: in what it differs from the hit, in a few words: "the same text", "4.12 instead of 4.14".
    """

    knowledge_base: str
    path: str
    title: str
    state: str = ""
    differs: str = ""


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One entry found.

    Attributes:
        score: unitless, ≥ 0, comparable within one answer only.
        why: reasons in words, strongest first.
        snippet: plain text, one or two lines' worth, around the best match.
        snippet_marks: ranges ``(start, end)`` of matches in ``snippet``, in characters, ascending.
        title_marks: likewise in ``title``.
        line: 1-based line of the best matching passage, 0 when unknown.
        anchor: in-page anchor of the section that holds it, or empty.
        has: ``mitigation``, ``fix``, ``lever`` where the entry has such paths.
        similar: how many near-duplicates are folded under this hit.
        twins: these near-duplicates, best first.
        paste_line: 1-based line of the paste that says what ``line`` says, 0: none or no paste.
        fit: a `kb_app.search.versions.Fit` for the version that the question names; empty: nothing is stated.
        fit_words: that in a few words: "fits 16.2", "fixed in 17.1".
    """

    id: str
    path: str
    title: str
    kind: str
    product: str
    component: str
    state: str
    score: float
    why: tuple[str, ...] = ()
    snippet: str = ""
    has: tuple[str, ...] = ()
    knowledge_base: str = ""
    severity: str = ""
    reviewed: str = ""
    snippet_marks: tuple[tuple[int, int], ...] = ()
    title_marks: tuple[tuple[int, int], ...] = ()
    line: int = 0
    anchor: str = ""
    similar: int = 0
    twins: tuple[Twin, ...] = ()
    paste_line: int = 0
    fit: str = ""
    fit_words: str = ""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What was found.

    Attributes:
        query: the text as it was asked (a paste is cut to its first 200 characters).
        total: entries that match, ≥ ``len(hits)``.
        hits: best first.
        facets: facet name to value to count over *all* matches, most frequent first. The values of a facet
            that is filtered by are counted as if it were not: what choosing that value alone would list.
        suggestion: a corrected query, or None.
        explanation: the query in words ("known fixes of product redis that hold …"), or empty.
        problems: what could not be understood in the query language, one sentence each.
        problem_spans: for each of them where it stands in the typed query, in characters; (0, 0): nowhere.
        notes: what was looked up beside what was typed: corrected slips, other words for the same.
        is_partial: only names are searchable yet, or the time limit cut the work.
    """

    query: str
    mode: Mode
    verdict: Verdict
    took_ms: float
    total: int
    hits: tuple[SearchHit, ...] = ()
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    suggestion: str | None = None
    explanation: str = ""
    problems: tuple[str, ...] = ()
    is_partial: bool = False
    problem_spans: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LineMatch:
    """A line of a paste and a line of an entry that say the same.

    Attributes:
        paste_line, entry_line: 1-based numbers.
        entry_text: the entry's line as people read it.
        weight: of the words that both hold, > 0.
    """

    paste_line: int
    entry_line: int
    entry_text: str = ""
    weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Relation:
    """Another entry and what it has to do with the one shown.

    Attributes:
        reasons: in words, strongest first: "linked here", "links here", "same alert family", "similar text",
            "same component".
    """

    knowledge_base: str
    path: str
    title: str
    kind: str
    state: str
    product: str
    component: str
    has: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that could not be taken into the index, and why (one sentence)."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What bringing an index up to date did.

    Attributes:
        pages: entries in the index afterwards.
        added, changed, removed: entries touched in this run.
        seconds: wall clock.
        pages_per_s: entries read and indexed per second in this run, 0 when there were none.
        skipped: files left out.
        is_rebuilt: the index was made anew; ``reason`` says why.
    """

    pages: int
    added: int
    changed: int
    removed: int
    seconds: float
    pages_per_s: float
    skipped: tuple[SkippedFile, ...] = ()
    is_rebuilt: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far indexing has come.

    Attributes:
        phase: ``names`` (titles become searchable), ``pages``, ``merge``.
        done, total: entries, 0 ≤ done ≤ total.
    """

    phase: str
    done: int
    total: int
