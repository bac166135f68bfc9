"""Answering questions over one or several indexes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.search.analysis import fold, raw_tokens, split_token, stem_of
from kb_app.search.catalogue_file import load_cards
from kb_app.search.columns import DamagedIndexError, Segment, build_segment
from kb_app.search.documents import Analyser, document_of_card
from kb_app.search.manifest import discard, open_segment, read_manifest
from kb_app.search.model import FACETS, Mode, SearchAnswer, SearchHit, SearchRequest, Verdict
from kb_app.search.scoring import Concept, Scorer, Variant, score

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class IndexedBase:
    """A knowledge base's index: the name shown with hits, the index's folder, the settings."""

    name: str
    folder: Path
    config: KnowledgeBaseConfig


class SearchEngine:
    """Answers questions; not for several threads at once."""

    def __init__(self, bases: Sequence[IndexedBase]) -> None:
        self._bases = tuple(bases)
        self._parts: list[tuple[str, Segment]] = []
        self._is_partial = False
        for base in bases:
            segments, is_partial = _open_base(base)
            self._is_partial |= is_partial
            self._parts += [(base.name, segment) for segment in segments]
        self._scorer = Scorer(self._parts)

    @classmethod
    def open(cls, bases: Sequence[IndexedBase]) -> SearchEngine:
        """Open the indexes of ``bases``; one that is not there yet answers from names, or with nothing."""
        return cls(bases)

    @property
    def document_count(self) -> int:
        """Entries that can be found."""
        return self._scorer.document_count

    @property
    def is_partial(self) -> bool:
        """Some texts are not indexed yet; their names are."""
        return self._is_partial

    def close(self) -> None:
        """Close all files."""
        for _, segment in self._parts:
            segment.close()

    def search(self, request: SearchRequest) -> SearchAnswer:
        """Answer one question; never raises on what is asked."""
        started = time.perf_counter()
        concepts = _concepts(request.text, is_typing=request.is_typing)
        scored, _ = score(self._scorer, concepts, lambda number: self._mask(number, request.filters))
        ranked = _top(scored, request.limit)
        total = sum(int((s.score > 0).sum()) for s in scored)
        hits = tuple(self._hit(shard, document, value) for shard, document, value in ranked)
        return SearchAnswer(
            request.text[:200],
            Mode.WORDS,
            Verdict.MATCH if hits else Verdict.NONE,
            (time.perf_counter() - started) * 1000,
            total,
            hits,
            self._facets(scored),
            is_partial=self._is_partial,
        )

    def _mask(self, number: int, filters: Mapping[str, tuple[str, ...]]) -> Array | None:
        shard = self._scorer.shards[number]
        mask = ~shard.segment.deleted
        for facet, values in filters.items():
            wanted = [v for v in values if not v.startswith("-")]
            unwanted = [v[1:] for v in values if v.startswith("-")]
            if wanted:
                mask &= _having(shard.base, shard.segment, facet, wanted)
            if unwanted:
                mask &= ~_having(shard.base, shard.segment, facet, unwanted)
        return mask

    def _facets(self, scored: Sequence[Any]) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
        for shard, result in zip(self._scorer.shards, scored, strict=True):
            found = result.score > 0
            segment = shard.segment
            for facet in FACETS:
                if facet == "knowledge_base":
                    if number := int(found.sum()):
                        counts[facet][shard.base] = counts[facet].get(shard.base, 0) + number
                    continue
                starts, codes = segment.arrays[f"facet_{facet}_start"], segment.arrays[f"facet_{facet}_code"]
                values = segment.facet_values[facet]
                if not values:
                    continue
                per_code = np.repeat(found, np.diff(starts))
                for code, number in enumerate(np.bincount(codes[per_code], minlength=len(values)).tolist()):
                    if number:
                        counts[facet][values[code]] = counts[facet].get(values[code], 0) + number
        return {
            facet: dict(sorted(values.items(), key=lambda item: (-item[1], item[0])))
            for facet, values in counts.items()
        }

    def _hit(self, number: int, document: int, value: float) -> SearchHit:
        shard = self._scorer.shards[number]
        card, _ = shard.segment.card(document)
        return SearchHit(
            id=card["id"],
            path=card["path"],
            title=card["title"],
            kind=card["kind"],
            product=card["product"],
            component=card["component"],
            state=card["state"],
            score=value,
            snippet=card["summary"],
            has=tuple(card["has"]),
            knowledge_base=shard.base,
            severity=card["severity"],
            reviewed=card["reviewed"] or "",
        )


def _open_base(base: IndexedBase) -> tuple[list[Segment], bool]:
    """Return the segments of a base, and whether it is incomplete."""
    segments: list[Segment] = []
    try:
        manifest = read_manifest(base.folder)
        if manifest is not None and manifest.segments and manifest.is_complete:
            for record in manifest.segments:
                segments.append(open_segment(base.folder, record))
            return segments, False
        if manifest is not None and manifest.is_complete:
            return [], False
    except DamagedIndexError:
        for segment in segments:
            segment.close()
        discard(base.folder)
    cards = load_cards(base.folder)
    if not cards:
        return [], True
    return [Segment.in_memory(build_segment([Analyser().chunk(map(document_of_card, cards))]))], True


def _concepts(text: str, *, is_typing: bool) -> list[Concept]:
    concepts: list[Concept] = []
    tokens = raw_tokens(fold(text))
    for position, token in enumerate(tokens):
        words, wholes = split_token(token)
        is_last = is_typing and position == len(tokens) - 1 and not text[-1:].isspace()
        for number, word in enumerate(words):
            variants = [Variant("stem", stem_of(word), 0.8), Variant("word", word, 0.2)]
            if is_last and number == len(words) - 1:
                variants = [Variant("prefix", word, 0.9), *variants]
            concepts.append(Concept(word, tuple(variants), 1.0, len(concepts)))
        concepts += [Concept(whole, (Variant("word", whole),), 1.0) for whole in wholes]
    return concepts


def _having(base: str, segment: Segment, facet: str, values: Sequence[str]) -> Array:
    """Return which documents have one of ``values`` (bool per document)."""
    if facet == "knowledge_base":
        return np.full(segment.document_count, base in values)
    known = segment.facet_values.get(facet, [])
    folded = {value.casefold() for value in values}
    codes = [code for code, value in enumerate(known) if value.casefold() in folded]
    starts = segment.arrays[f"facet_{facet}_start"]
    owners = np.repeat(np.arange(segment.document_count), np.diff(starts))
    mask = np.zeros(segment.document_count, np.bool_)
    mask[owners[np.isin(segment.arrays[f"facet_{facet}_code"], codes)]] = True
    return mask


def _top(scored: Sequence[Any], limit: int) -> list[tuple[int, int, float]]:
    """Return (shard, document, score) of the best documents, best first."""
    found: list[tuple[int, int, float]] = []
    for number, result in enumerate(scored):
        values = result.score
        if values.size > limit:
            best = np.argpartition(-values, limit)[:limit]
        else:
            best = np.arange(values.size)
        found += [(number, int(d), float(values[d])) for d in best if values[d] > 0]
    found.sort(key=lambda row: (-row[2], row[0], row[1]))
    return found[:limit]
