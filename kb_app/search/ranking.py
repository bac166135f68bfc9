"""The second look: the best few documents are read word by word, and ordered by how they hold the question.

The first look (`kb_app.search.scoring`) counts words wherever they stand. Here their places count: all in one
passage, next to each other as in the question, in the title. Everything is computed for all candidates of a
segment at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_app.search.columns import ASIDE, RETIRED, STUB, Segment, run_starts
from kb_app.search.documents import Field
from kb_app.search.scoring import Concept, Variant, term_ranges

Array = npt.NDArray[Any]

PASSAGE = 20
"""Half a passage, in words: passages are two such blocks, overlapping by one."""
GAP = 2
"""Words between two neighbours of the question that still count as adjacent ("disk is full")."""
PASSAGE_EFFECT = 1.2
PAIR_EFFECT = 0.9
TITLE_EFFECT = 1.4
HEADING_EFFECT = 0.3
STUB_FACTOR = 0.55
RETIRED_FACTOR = 0.6
ASIDE_FACTOR = 0.65
STALE_FACTOR = 0.96
"""An entry whose last confirmation is too old comes after an equal one that is fresh; it is never hidden."""


@dataclass(slots=True)
class Evidence:
    """How candidates of one segment hold the question; arrays over the candidates.

    Attributes:
        passage: share of the question's weight in the best passage, 0 to 1.
        pairs: share of the question's neighbouring words that stand side by side, 0 to 1.
        title: how well the names answer the question, 0 to 1.
        heading: how well the best heading does, 0 to 1.
        first_word: number of the best passage's first matching word in the document.
        line: 1-based line of it, 0 when it stands in no line.
        held: per candidate and concept, whether it occurs (bool).
    """

    passage: Array
    pairs: Array
    title: Array
    heading: Array
    line: Array
    held: Array

    def factor(self) -> Array:
        """Return what a first score is multiplied by, ≥ 1."""
        return (
            1
            + PASSAGE_EFFECT * self.passage
            + PAIR_EFFECT * self.pairs
            + TITLE_EFFECT * self.title
            + HEADING_EFFECT * self.heading
        )


def demotion(segment: Segment, documents: Array) -> Array:
    """Return what scores are multiplied by for stubs, retired pages and records, 0 to 1."""
    flags = segment.flags[documents]
    factor = np.where(flags & STUB, STUB_FACTOR, 1.0)
    factor = np.where(flags & RETIRED, factor * RETIRED_FACTOR, factor)
    return np.where(flags & ASIDE, factor * ASIDE_FACTOR, factor)


def labels_of(segment: Segment, concepts: Sequence[Concept]) -> Array:
    """Return per term the concept it stands for, -1 for none; earlier concepts and variants win."""
    labels = np.full(len(segment.arrays["posting_start"]) - 1, -1, np.int16)
    for number in range(len(concepts) - 1, -1, -1):
        for variant in reversed(concepts[number].variants):
            for low, high in _label_ranges(segment, variant):
                labels[low:high] = number
    return labels


def _label_ranges(segment: Segment, variant: Variant) -> list[tuple[int, int]]:
    if variant.kind != "phrase":
        return term_ranges(segment, variant)
    words = variant.text.split(" ")
    longest = max(words, key=len)  # a phrase is shown by its most telling word
    return term_ranges(segment, Variant("word", longest))


@dataclass(frozen=True, slots=True)
class _Found:
    """Every place where a word of the question stands in the candidates; parallel arrays, in order of place.

    Attributes:
        place: position in all candidates' words, one after the other.
        document: candidate.
        label: concept.
        line: row of ``table``.
        table: lines of all candidates: number, first word in its document, field.
        line_start: position of each line's first word.
        start, end: position of each candidate's first word and of the one after its last.
        weight: per concept.
    """

    place: Array
    document: Array
    label: Array
    line: Array
    table: Array
    line_start: Array
    start: Array
    end: Array
    weight: Array

    @property
    def count(self) -> int:
        """Candidates."""
        return len(self.start)

    @property
    def block(self) -> Array:
        """Block of words, within its document, in which each place lies."""
        return (self.place - self.start[self.document]) // PASSAGE


def look_closer(
    segment: Segment,
    documents: Array,
    concepts: Sequence[Concept],
    weights: Mapping[Concept, float],
    pairs: Sequence[tuple[int, int]],
) -> Evidence:
    """Return the evidence for ``documents`` (≥ 1 of them).

    Args:
        segment: where they lie.
        documents: numbers, any order; the arrays of the result keep it.
        concepts: the question.
        weights: weight times inverse document frequency of each.
        pairs: numbers of concepts that are neighbours in the question, in order.
    """
    words = [segment.words(int(d)) for d in documents]
    lines = [segment.lines(int(d)) for d in documents]
    end = np.cumsum([len(w) for w in words])
    start = end - [len(w) for w in words]
    label = labels_of(segment, concepts)[np.concatenate(words)]
    place = np.flatnonzero(label >= 0)
    line_start = np.concatenate([rows[:, 1] + first for rows, first in zip(lines, start, strict=True)])
    found = _Found(
        place=place,
        document=np.searchsorted(end, place, side="right"),
        label=label[place].astype(np.int64),
        line=np.searchsorted(line_start, place, side="right") - 1,
        table=np.concatenate(lines),
        line_start=line_start,
        start=start,
        end=end,
        weight=np.array([weights.get(c, 0.0) for c in concepts]),
    )
    held = np.zeros((len(documents), len(concepts)), np.bool_)
    held[found.document, found.label] = True
    if not place.size:
        none = np.zeros(len(documents))
        return Evidence(none, none, none, none, none.astype(np.int64), held)
    passage, best = _best_passages(found)
    total = float(found.weight.sum()) or 1.0
    return Evidence(
        passage=passage / total,
        pairs=_pairs(found, pairs),
        title=_titles(found, Field.NAME),
        heading=_titles(found, Field.HEADING),
        line=_best_lines(found, best),
        held=held,
    )


def _best_passages(found: _Found) -> tuple[Array, Array]:
    """Return per document the weight of its best passage, and that passage's number."""
    best, which = np.zeros(found.count), np.zeros(found.count, np.int64)
    size, block = len(found.weight), found.block
    width = int(block.max()) + 2
    passages = np.concatenate([block + 1, block])  # passage n covers the blocks n-1 and n
    key = _distinct((np.tile(found.document * width, 2) + passages) * size + np.tile(found.label, 2))
    spot = key // size
    first = run_starts(spot)
    sums = np.add.reduceat(found.weight[key % size], first)
    spot = spot[first]
    owner = spot // width
    np.maximum.at(best, owner, sums)
    is_best = sums >= best[owner] - 1e-9
    which[owner[is_best][::-1]] = (spot[is_best] % width)[::-1]  # the first of equals
    return best, which


def _distinct(values: Array) -> Array:
    """Return the distinct values, ascending (`numpy.unique` takes three times as long on short arrays)."""
    ordered = np.sort(values)
    return ordered[run_starts(ordered)] if ordered.size else ordered


def _pairs(found: _Found, pairs: Sequence[tuple[int, int]]) -> Array:
    """Return per document the weighted share of ``pairs`` that stand side by side."""
    result = np.zeros(found.count)
    if not pairs:
        return result
    size, place, weight = len(found.weight), found.place, found.weight
    codes = _distinct(np.array([a * size + b for a, b in pairs], np.int64))
    value = np.minimum(weight[codes // size], weight[codes % size])
    total = float(value.sum())
    if total <= 0:
        return result
    seen: list[Array] = []
    for step in (1, 2):
        near = place[step:] - place[:-step] <= 1 + GAP
        near &= found.document[step:] == found.document[:-step]
        code = found.label[:-step] * size + found.label[step:]
        at = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
        near &= codes[at] == code
        seen.append(found.document[:-step][near] * len(codes) + at[near])
    keys = _distinct(np.concatenate(seen))
    np.add.at(result, keys // len(codes), value[keys % len(codes)])
    share: Array = result / total
    return share


def _titles(found: _Found, field: Field) -> Array:
    """Return per document how well its best line of ``field`` and the question cover each other.

    Half a harmonic mean of both shares, half the share of the question.
    """
    result = np.zeros(found.count)
    is_name = found.table[found.line, 2] == field
    if not is_name.any():
        return result
    size, weight = len(found.weight), found.weight
    key = _distinct(found.line[is_name].astype(np.int64) * size + found.label[is_name])
    line, concept = key // size, key % size
    first = run_starts(line)
    of_question = np.add.reduceat(weight[concept], first) / (float(weight.sum()) or 1.0)
    lengths = np.diff(np.r_[found.line_start, found.end[-1]])
    lines = line[first]
    of_name = np.minimum(np.diff(np.r_[first, key.size]) / np.maximum(lengths[lines], 1), 1.0)
    both = 2 * of_question * of_name / np.maximum(of_question + of_name, 1e-9)
    owner = np.searchsorted(found.end, found.line_start[lines], side="right")
    np.maximum.at(result, np.minimum(owner, found.count - 1), 0.5 * both + 0.5 * of_question)
    return result


def _best_lines(found: _Found, best: Array) -> Array:
    """Return per document the line that holds most of its best passage; 0 when only its names match.

    Text goes before headings: the title is shown anyway.
    """
    result = np.zeros(found.count, np.int64)
    number = found.table[found.line, 0].astype(np.int64)
    block, passage = found.block, best[found.document]
    is_line = number > 0
    is_text = is_line & (found.table[found.line, 2] != Field.HEADING)
    is_best = is_text & ((block == passage) | (block + 1 == passage))
    for chosen in map(np.flatnonzero, (is_line, is_text, is_best)):  # the last that has a line wins
        if not chosen.size:
            continue
        width = int(number.max()) + 1
        key = _distinct(
            (found.document[chosen] * width + number[chosen]) * len(found.weight) + found.label[chosen]
        )
        spot = key // len(found.weight)
        first = run_starts(spot)
        sums = np.add.reduceat(found.weight[key % len(found.weight)], first)
        spot = spot[first]
        order = np.lexsort((-spot, sums))  # ascending: the strongest wins, and of equals the first line
        result[(spot // width)[order]] = (spot % width)[order]
    return result
