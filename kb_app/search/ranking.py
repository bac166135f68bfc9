"""The second look: the best few documents are read word by word, and ordered by how they hold the question.

The first look (`kb_app.search.scoring`) counts words wherever they stand. Here their places count: all in one
passage, next to each other as in the question, in the title. Everything is computed for all candidates of a segment
at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_app.search.columns import RETIRED, STUB, Segment
from kb_app.search.documents import Field
from kb_app.search.scoring import Concept, Variant, term_ranges

Array = npt.NDArray[Any]

PASSAGE = 16
"""Half a passage, in words: passages are two such blocks, overlapping by one."""
GAP = 2
"""Words between two neighbours of the question that still count as adjacent ("disk is full")."""
PASSAGE_EFFECT = 0.45
PAIR_EFFECT = 0.35
TITLE_EFFECT = 0.55
STUB_FACTOR = 0.55
RETIRED_FACTOR = 0.6


@dataclass(slots=True)
class Evidence:
    """How candidates of one segment hold the question; arrays over the candidates.

    Attributes:
        passage: share of the question's weight in the best passage, 0 to 1.
        pairs: share of the question's neighbouring words that stand side by side, 0 to 1.
        title: how well the names answer the question, 0 to 1.
        first_word: number of the best passage's first matching word in the document.
        line: 1-based line of it, 0 when it stands in no line.
        held: per candidate and concept, whether it occurs (bool).
    """

    passage: Array
    pairs: Array
    title: Array
    line: Array
    held: Array

    def factor(self) -> Array:
        """Return what a first score is multiplied by, ≥ 1."""
        return 1 + PASSAGE_EFFECT * self.passage + PAIR_EFFECT * self.pairs + TITLE_EFFECT * self.title


def demotion(segment: Segment, documents: Array) -> Array:
    """Return what scores are multiplied by for stubs and retired pages, 0 to 1."""
    flags = segment.flags[documents]
    factor = np.where(flags & STUB, STUB_FACTOR, 1.0)
    return np.where(flags & RETIRED, factor * RETIRED_FACTOR, factor)


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
    count, size = len(documents), len(concepts)
    words = [segment.words(int(d)) for d in documents]
    lines = [segment.lines(int(d)) for d in documents]
    ends = np.cumsum([len(w) for w in words])
    starts = ends - [len(w) for w in words]
    labels = labels_of(segment, concepts)
    label = labels[np.concatenate(words)] if ends[-1] else np.zeros(0, np.int16)
    place = np.flatnonzero(label >= 0)
    label = label[place].astype(np.int64)
    document = np.searchsorted(ends, place, side="right")
    weight = np.array([weights.get(c, 0.0) for c in concepts])
    total = float(weight.sum()) or 1.0
    held = np.zeros((count, size), np.bool_)
    held[document, label] = True
    line_first = np.concatenate([rows[:, 1] + start for rows, start in zip(lines, starts, strict=True)])
    line_table = np.concatenate(lines)
    line_of = np.searchsorted(line_first, place, side="right") - 1
    passage, best = _best_passages(place - starts[document], document, label, weight, count)
    evidence = Evidence(
        passage / total,
        _pairs(place, document, label, weight, pairs, count),
        np.zeros(count),
        np.zeros(count, np.int64),
        held,
    )
    if place.size:
        evidence.title = _titles(line_table, line_first, line_of, document, label, weight, (count, ends))
        evidence.line = _best_lines(
            place - starts[document], document, label, weight, best, line_table[line_of, 0]
        )
    return evidence


def _best_passages(
    place: Array, document: Array, label: Array, weight: Array, count: int
) -> tuple[Array, Array]:
    """Return per document the weight of its best passage, and that passage's number."""
    best, which = np.zeros(count), np.zeros(count, np.int64)
    if not place.size:
        return best, which
    size = len(weight)
    block = place // PASSAGE
    width = int(block.max()) + 2
    key = np.concatenate([block + 1, block])  # passage n covers the blocks n-1 and n
    key = np.unique(((np.tile(document, 2) * width) + key) * size + np.tile(label, 2))
    spot = key // size
    first = np.flatnonzero(np.r_[True, spot[1:] != spot[:-1]])
    sums = np.add.reduceat(weight[key % size], first)
    spot = spot[first]
    owner = spot // width
    np.maximum.at(best, owner, sums)
    is_best = sums >= best[owner] - 1e-9
    which[owner[is_best][::-1]] = (spot[is_best] % width)[::-1]  # the first of equals
    return best, which


def _pairs(
    place: Array, document: Array, label: Array, weight: Array, pairs: Sequence[tuple[int, int]], count: int
) -> Array:
    """Return per document the weighted share of ``pairs`` that stand side by side."""
    result = np.zeros(count)
    if not pairs or place.size < 2:
        return result
    size = len(weight)
    codes = np.unique(np.array([a * size + b for a, b in pairs], np.int64))
    value = np.minimum(weight[codes // size], weight[codes % size])
    total = float(value.sum())
    if total <= 0:
        return result
    found: list[Array] = []
    for step in (1, 2):
        near = (place[step:] - place[:-step] <= 1 + GAP) & (document[step:] == document[:-step])
        code = label[:-step] * size + label[step:]
        at = np.searchsorted(codes, code)
        near &= codes[np.minimum(at, len(codes) - 1)] == code
        found.append(document[:-step][near] * len(codes) + at[near])
    keys = np.unique(np.concatenate(found))
    np.add.at(result, keys // len(codes), value[keys % len(codes)])
    share: Array = result / total
    return share


def _titles(
    table: Array,
    first: Array,
    line_of: Array,
    document: Array,
    label: Array,
    weight: Array,
    shape: tuple[int, Array],
) -> Array:
    """Return per document how well its best name and the question cover each other (a harmonic mean)."""
    count, ends = shape
    is_name = table[line_of, 2] == Field.NAME
    result = np.zeros(count)
    if not is_name.any():
        return result
    size = len(weight)
    key = np.unique(line_of[is_name].astype(np.int64) * size + label[is_name])
    line, concept = key // size, key % size
    start = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    of_question = np.add.reduceat(weight[concept], start) / (float(weight.sum()) or 1.0)
    lengths = np.diff(np.r_[first, ends[-1]])
    lines = line[start]
    of_name = np.minimum(np.diff(np.r_[start, key.size]) / np.maximum(lengths[lines], 1), 1.0)
    both = 2 * of_question * of_name / np.maximum(of_question + of_name, 1e-9)
    owner = np.searchsorted(ends, first[lines], side="right")
    np.maximum.at(result, np.minimum(owner, count - 1), 0.5 * both + 0.5 * of_question)
    return result


def _best_lines(
    place: Array, document: Array, label: Array, weight: Array, best: Array, line: Array
) -> Array:
    """Return per document the line that holds most of its best passage; lines of text go before names."""
    result = np.zeros(len(best), np.int64)
    block = place // PASSAGE
    inside = (block == best[document]) | (block + 1 == best[document])
    rows = np.flatnonzero(inside & (line > 0))
    if not rows.size:
        rows = np.flatnonzero(line > 0)
        if not rows.size:
            return result
    width = int(line.max()) + 1
    key = np.unique((document[rows] * width + line[rows]) * len(weight) + label[rows])
    spot = key // len(weight)
    start = np.flatnonzero(np.r_[True, spot[1:] != spot[:-1]])
    sums = np.add.reduceat(weight[key % len(weight)], start)
    spot = spot[start]
    order = np.lexsort(
        (-spot, sums)
    )  # ascending: the last one wins, so the strongest, and of equals the first line
    result[(spot // width)[order]] = (spot % width)[order]
    return result
