"""BM25F over columns: a term's postings become two arrays, and everything after is arithmetic on arrays.

Source: Robertson, Zaragoza, Taylor, "Simple BM25 extension to multiple weighted fields" (2004): term
frequencies of the fields are weighted and length-normalised *before* the saturation, so that a word in the
title and in the text counts once, strongly, and not twice.

Statistics (documents, document frequencies, mean field lengths) are those of all open segments together:
scores of two knowledge bases compare.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_app.search.analysis import stem_of
from kb_app.search.columns import Segment, run_starts
from kb_app.search.documents import FIELD_COUNT, Field

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

K1 = 6.0
"""Saturation of term frequency; fields add up, so above BM25's usual 1.2."""
WEIGHTS: dict[Field, float] = {
    Field.NAME: 3.5,
    Field.HEADING: 1.4,
    Field.SIGNATURE: 2.5,
    Field.SYMPTOM: 1.8,
    Field.BODY: 1.0,
    Field.CODE: 0.6,
    Field.META: 1.5,
}
LENGTH_EFFECT: dict[Field, float] = {
    Field.NAME: 0.4,
    Field.HEADING: 0.5,
    Field.SIGNATURE: 0.5,
    Field.SYMPTOM: 0.6,
    Field.BODY: 0.7,
    Field.CODE: 0.7,
    Field.META: 0.3,
}
"""BM25's ``b`` per field: 0 ignores a field's length, 1 divides by it."""
CACHE_BYTES = 24_000_000
MAX_PHRASE_DOCUMENTS = 300
MAX_PHRASE_WORDS = 150_000
"""Documents in which a phrase is looked for word by word, the likeliest first, and their words together."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to write a concept.

    Attributes:
        kind: ``word`` (this very term), ``stem`` (all terms of this stem), ``prefix`` (all terms that start
        so),
            ``phrase`` (these words side by side).
        text: the term, stem or prefix; a phrase's words with single spaces.
        factor: how much an occurrence counts, 0 to 1.
        is_synonym: another word for what was asked; the rarity of the concept is told without it.
    """

    kind: str
    text: str
    factor: float = 1.0
    is_synonym: bool = False


@dataclass(frozen=True, slots=True)
class Concept:
    """What a word of the question stands for: it is present where any of its variants is.

    Attributes:
        text: as asked.
        variants: strongest first.
        weight: how much the concept counts in the question.
        place: order in the question; concepts of adjacent places can form a phrase. -1: none.
    """

    text: str
    variants: tuple[Variant, ...]
    weight: float = 1.0
    place: int = -1


@dataclass(slots=True)
class Shard:
    """An open segment with its share of the statistics.

    Attributes:
        norms: per document and field: weight divided by the length norm, flat.
    """

    base: str
    segment: Segment
    norms: Floats


@dataclass(slots=True)
class Matches:
    """Where a concept occurs in one shard: documents ascending, and its weighted frequency there."""

    documents: Array
    frequency: Floats

    @property
    def size(self) -> int:
        """Bytes held."""
        return int(self.documents.nbytes + self.frequency.nbytes)


_NOWHERE = Matches(np.zeros(0, np.int32), np.zeros(0, np.float32))


class Scorer:
    """Scores concepts over shards; remembers what it decoded."""

    def __init__(self, parts: Sequence[tuple[str, Segment]]) -> None:
        self.document_count = sum(int((~segment.deleted).sum()) for _, segment in parts)
        totals = np.zeros(FIELD_COUNT, np.float64)
        present = np.zeros(FIELD_COUNT, np.float64)
        for _, segment in parts:
            lengths = segment.lengths[~segment.deleted]
            totals += lengths.sum(axis=0)
            present += (lengths > 0).sum(axis=0)
        means = totals / np.maximum(present, 1.0)
        self.shards = [Shard(base, segment, _norms(segment, means)) for base, segment in parts]
        self._cache: OrderedDict[tuple[int, Variant], Matches] = OrderedDict()
        self._cached_bytes = 0

    def matches(self, shard_number: int, concept: Concept) -> Matches:
        """Return where ``concept`` occurs in a shard; deleted documents are left out."""
        found = [m for v in concept.variants if (m := self._variant(shard_number, v)).documents.size]
        if not found:
            return _NOWHERE
        if len(found) == 1:
            return found[0]
        documents = np.concatenate([m.documents for m in found])
        frequency = np.concatenate([m.frequency for m in found])
        return _sum_by_document(documents, frequency, self.shards[shard_number].segment.document_count)

    def _variant(self, shard_number: int, variant: Variant) -> Matches:
        key = (shard_number, variant)
        known = self._cache.get(key)
        if known is not None:
            self._cache.move_to_end(key)
            return known
        shard = self.shards[shard_number]
        found = self._phrase(shard_number, variant) if variant.kind == "phrase" else _decode(shard, variant)
        self._cache[key] = found
        self._cached_bytes += found.size
        while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
            _, dropped = self._cache.popitem(last=False)
            self._cached_bytes -= dropped.size
        return found

    def _phrase(self, shard_number: int, variant: Variant) -> Matches:
        """Find words side by side: documents that hold them all, then their places there."""
        words = variant.text.split(" ")
        per_word = [self._variant(shard_number, Variant("stem", stem_of(word))) for word in words]
        documents = reduce(common, (m.documents for m in per_word))
        if not documents.size:
            return _NOWHERE
        rarest = np.min([m.frequency[np.searchsorted(m.documents, documents)] for m in per_word], axis=0)
        segment = self.shards[shard_number].segment
        likely = np.argsort(-rarest, kind="stable")[:MAX_PHRASE_DOCUMENTS]
        sizes = segment.word_count(documents[likely])
        likely = np.sort(likely[: max(1, int(np.searchsorted(np.cumsum(sizes), MAX_PHRASE_WORDS)))])
        documents, rarest = documents[likely], rarest[likely]
        holds = _hold_phrase(segment, documents, [segment.stem_members(stem_of(word)) for word in words])
        return Matches(documents[holds], (rarest[holds] * np.float32(variant.factor)).astype(np.float32))

    def document_frequency(self, concept: Concept) -> int:
        """Return in how many documents ``concept`` occurs; its synonyms count only if nothing else does."""
        asked = tuple(v for v in concept.variants if not v.is_synonym)
        for variants in (asked, concept.variants):
            if not variants:
                continue
            only = replace(concept, variants=variants)
            if found := sum(self.matches(n, only).documents.size for n in range(len(self.shards))):
                return found
        return 0

    def posting_count(self, word: str) -> int:
        """Return how many postings ``word`` and its inflections have: no fewer than documents, and cheap."""
        total = 0
        for shard in self.shards:
            segment = shard.segment
            starts = segment.posting_start
            members = segment.stem_members(stem_of(word))
            total += int((starts[members + 1] - starts[members]).sum())
            if stem_of(word) != word and (number := segment.term_number(word)) >= 0 and number not in members:
                total += int(starts[number + 1] - starts[number])
        return total

    def has_term(self, word: str) -> bool:
        """Tell whether ``word`` or one of its inflections occurs anywhere."""
        asked = (Variant("word", word), Variant("stem", stem_of(word)))
        return any(self._variant(n, v).documents.size for n in range(len(self.shards)) for v in asked)

    def idf(self, frequency: int) -> float:
        """Return the inverse document frequency, > 0."""
        return math.log(1 + (self.document_count - frequency + 0.5) / (frequency + 0.5))


def _hold_phrase(segment: Segment, documents: Array, members: Sequence[Array]) -> Array:
    """Tell per document whether words of ``members`` follow each other in it."""
    streams = [segment.words(int(document)) for document in documents]
    ends = np.cumsum([len(stream) for stream in streams])
    stream = np.concatenate([*streams, np.full(len(members), -1, np.int32)])
    is_wanted = np.zeros(
        len(segment.posting_start), np.bool_
    )  # the last one is never set: -1 means "no word"
    is_wanted[members[0]] = True
    places = np.flatnonzero(is_wanted[stream])
    owner = np.searchsorted(ends, places, side="right")
    for step, terms in enumerate(members[1:], 1):
        is_wanted[:] = False
        is_wanted[terms] = True
        inside = places + step < ends[np.minimum(owner, len(ends) - 1)]
        holds = inside & is_wanted[stream[places + step]]
        places, owner = places[holds], owner[holds]
    result = np.zeros(len(documents), np.bool_)
    result[owner] = True
    return result


def common(first: Array, second: Array) -> Array:
    """Return the values in both of two ascending arrays of distinct values.

    (`numpy.intersect1d` and `numpy.unique` load the masked arrays at their first use, a fifth of the start.)
    """
    if not first.size or not second.size:
        return first[:0]
    place = np.minimum(np.searchsorted(second, first), second.size - 1)
    both: Array = first[second[place] == first]
    return both


def saturate(frequency: Floats) -> Floats:
    """Return BM25's saturation of weighted term frequencies, 0 to K1 + 1."""
    result: Floats = (K1 + 1) * frequency / (K1 + frequency)
    return result


def _norms(segment: Segment, means: Array) -> Floats:
    weights = np.array([WEIGHTS[field] for field in Field], np.float32)
    effect = np.array([LENGTH_EFFECT[field] for field in Field], np.float32)
    relative = segment.lengths / np.maximum(means, 1e-9).astype(np.float32)
    norms: Floats = (weights / (1 - effect + effect * relative)).astype(np.float32).ravel()
    return norms


def term_ranges(segment: Segment, variant: Variant) -> list[tuple[int, int]]:
    """Return the half-open ranges of term numbers that a variant stands for, ascending."""
    if variant.kind == "prefix":
        low, high = segment.prefix_range(variant.text)
        return [(low, high)] if high > low else []
    if variant.kind == "stem":
        return [(number, number + 1) for number in segment.stem_members(variant.text).tolist()]
    number = segment.term_number(variant.text)
    return [(number, number + 1)] if number >= 0 else []


def _decode(shard: Shard, variant: Variant) -> Matches:
    segment = shard.segment
    starts = segment.posting_start
    slices = [slice(int(starts[a]), int(starts[b])) for a, b in term_ranges(segment, variant)]
    slices = [s for s in slices if s.stop > s.start]
    if not slices:
        return _NOWHERE
    if len(slices) == 1:
        documents = segment.posting_document[slices[0]]
        fields, counts = segment.posting_field[slices[0]], segment.posting_count[slices[0]]
    else:
        documents = np.concatenate([segment.posting_document[s] for s in slices])
        fields = np.concatenate([segment.posting_field[s] for s in slices])
        counts = np.concatenate([segment.posting_count[s] for s in slices])
    if variant.kind == "prefix" and len(variant.text) == 1 and variant.text.isascii():
        is_name = (fields == Field.NAME).nonzero()[0]
        documents, fields, counts = documents[is_name], fields[is_name], counts[is_name]
    frequency = shard.norms[documents * FIELD_COUNT + fields] * counts
    if variant.factor != 1.0:
        frequency *= np.float32(variant.factor)
    matches = _sum_by_document(documents, frequency, segment.document_count)
    if segment.deleted.any():
        kept = ~segment.deleted[matches.documents]
        return Matches(matches.documents[kept], matches.frequency[kept])
    return matches


def _sum_by_document(documents: Array, frequency: Array, count: int) -> Matches:
    if documents.size * 8 < count:
        order = np.argsort(documents, kind="stable")
        ordered = documents[order]
        first = run_starts(ordered)
        sums = np.add.reduceat(frequency[order].astype(np.float64), first)
        return Matches(ordered[first], sums.astype(np.float32))
    dense = np.bincount(documents, weights=frequency, minlength=count)
    found = np.flatnonzero(dense).astype(np.int32)
    return Matches(found, dense[found].astype(np.float32))


Mask = Callable[[int], Array | None]


@dataclass(slots=True)
class Scored:
    """Scores of one shard's documents.

    Attributes:
        score: per document, 0 where nothing matches.
        coverage: per document, the share of the question's weight that it holds, 0 to 1.
    """

    score: Floats
    coverage: Floats


def score(
    scorer: Scorer, concepts: Iterable[Concept], mask: Mask
) -> tuple[list[Scored], dict[Concept, float]]:
    """Return the scores per shard, and each concept's weight times its inverse document frequency.

    Args:
        scorer: the open segments.
        concepts: the question.
        mask: per shard number the documents allowed (bool), or None for all.
    """
    concepts = list(concepts)
    weights = {c: c.weight * scorer.idf(scorer.document_frequency(c)) for c in concepts}
    total = sum(weights.values()) or 1.0
    result: list[Scored] = []
    for number, shard in enumerate(scorer.shards):
        scores = np.zeros(shard.segment.document_count, np.float32)
        coverage = np.zeros(shard.segment.document_count, np.float32)
        for concept in concepts:
            matches = scorer.matches(number, concept)
            if not matches.documents.size:
                continue
            scores[matches.documents] += np.float32(weights[concept]) * saturate(matches.frequency)
            coverage[matches.documents] += np.float32(weights[concept] / total)
        allowed = mask(number)
        if allowed is not None:
            scores[~allowed] = 0
            coverage[~allowed] = 0
        result.append(Scored(scores, coverage))
    return result, weights
