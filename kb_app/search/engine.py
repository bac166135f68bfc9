"""Answering questions over one or several indexes.

The way of a question: understood (`query`, `masking`, `concepts`), looked up in all segments at once
(`scoring`), the best few read closely (`ranking`), the shown ones dressed (`snippets`). Every part is
bounded: words, candidates, phrases and time.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.search.analysis import stem_of
from kb_app.search.background import english_words
from kb_app.search.catalogue_file import load_cards
from kb_app.search.columns import DamagedIndexError, Segment
from kb_app.search.concepts import (
    Question,
    question_of_paste,
    question_of_words,
    synonyms_searched,
    telling_terms,
)
from kb_app.search.confirmed_file import is_stale, last_confirmed, read_confirmed
from kb_app.search.dates import DateFilter
from kb_app.search.documents import compact_name
from kb_app.search.entry_dates import EntryDays, days_of
from kb_app.search.explanation import correction_note, in_words, synonym_note
from kb_app.search.manifest import discard, open_segment, read_manifest
from kb_app.search.masking import MAX_PASTE, is_paste, read_paste
from kb_app.search.model import (
    FACETS,
    LineMatch,
    Mode,
    Relation,
    SearchAnswer,
    SearchHit,
    SearchRequest,
    Twin,
    Verdict,
)
from kb_app.search.names_file import read_names, segment_of_names
from kb_app.search.pasted_lines import best_paste_line, line_words, matching_lines, without_front_matter
from kb_app.search.query import CLOSED, Problem, Query, filter_text, is_one_slip, parse_query
from kb_app.search.ranking import STALE_FACTOR, Evidence, demotion, look_closer
from kb_app.search.relations import stated_relations
from kb_app.search.scoring import Concept, Scored, Scorer, common, score
from kb_app.search.snippets import Marker, snippet_at
from kb_app.search.synonyms import synonyms_with
from kb_app.search.versions import Fit, VersionFit, version_fit, version_named, version_steps

Array = npt.NDArray[Any]

MAX_LIMIT = 200
CANDIDATES = 40
"""Documents that are read closely; a right page is among the first twenty of the first look nearly always."""
MATCH_SHARE = 0.3
"""An entry counts as found when it holds at least this share of what the best one holds."""
NAME_BOOST = 10.0
TOKEN_BOOST = 0.5
ALWAYS_LISTED = 10
"""The first hits are listed even where they hold fewer of the words than the best does."""
WEAK_HITS = 3
"""Hits shown, marked weak, when nothing answers the question."""
PASTE_MATCH, PASTE_WEAK, PAIR_EVIDENCE = 15.0, 8.0, 1.5
"""Evidence (weight of the best passage, neighbours found) from which a hit is an answer, or a weak one.

A paste is judged by what its best passage holds, not by what it lacks: most of a log is noise. Source:
``bench/pastes.py`` over public runbooks. Random words stay below 5; errors of other products have a median of
6 and reach 15 once in twenty; a page with the very line has a median of 28, and a tenth percentile of 12.
"""
WEAK_WORDS = 3
"""An entry that holds this many words of a typed question is worth showing, marked weak."""
UNKNOWN_WEIGHT = 0.6
"""What a word that no entry holds counts against the rarest that one does."""
ALIKE, ALIKE_SCORE, MIN_ALIKE_WORDS = 0.93, 0.9, 40
"""Share of words in common from which entries are copies; of scores, below which they are not compared."""
TIME_LIMIT_S = 0.5
"""A question that took longer to look up is answered without the close reading."""
MAX_VERSION_TEXT = 40_000
"""Characters of a paste in which versions are looked for."""
MAX_APART = 5_000
"""Pairs of near-duplicates whose differing lines are remembered."""
MAX_TYPED_CONCEPTS = 12
"""A question with more words than this is a sentence that somebody copied."""


@dataclass(frozen=True, slots=True)
class IndexedBase:
    """A knowledge base's index: the name shown with hits, the index's folder, the settings."""

    name: str
    folder: Path
    config: KnowledgeBaseConfig


@dataclass(slots=True)
class _Candidate:
    """A document in the race: where it is, its scores and what speaks for it."""

    shard: int
    document: int
    score: float
    passage: float = 0.0
    pairs: float = 0.0
    title: float = 0.0
    line: int = 0
    coverage: float = 0.0
    held: tuple[int, ...] = ()
    is_named: bool = False
    demotion: float = 1.0
    is_stale: bool = False
    twins: list[_Candidate] = field(default_factory=list)


@dataclass(slots=True)
class _Asked:
    """A request, understood.

    Attributes:
        text: what was asked, where versions are looked for.
        lines: of a paste its lines with their telling words.
        weights: what each word of the question counts.
    """

    mode: Mode
    query: Query
    question: Question
    filters: Mapping[str, tuple[str, ...]]
    is_unfinished: bool = False
    problems: list[Problem] = field(default_factory=list)
    text: str = ""
    lines: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)

    @property
    def lists_all(self) -> bool:
        """Tell whether, where no word is asked for, every entry that fulfils the conditions is an answer."""
        has_condition = bool(self.filters or self.query.dates or self.question.excluded)
        return has_condition or (self.is_unfinished and not self.query.words)


@dataclass(slots=True)
class _Race:
    """Candidates in order, the verdict on them, and per shard which documents count as found (bool)."""

    candidates: list[_Candidate]
    verdict: Verdict
    matched: list[Array]


class SearchEngine:
    """Answers questions; not for several threads at once."""

    def __init__(self, bases: Sequence[IndexedBase]) -> None:
        self._bases = tuple(bases)
        self._synonyms = synonyms_with(group for base in bases for group in base.config.synonyms)
        self._apart: dict[tuple[str, str], int] = {}
        self._load()

    def _load(self, known: Mapping[tuple[Path, str], Segment] | None = None) -> None:
        """Open every index as it is now; ``known`` segments that are still part of it stay open."""
        self._is_partial = False
        self._folders: list[Path] = []
        self._open: dict[tuple[Path, str], Segment] = {}
        parts: list[tuple[str, Segment]] = []
        for base in self._bases:
            segments, is_partial = _open_base(base, known or {})
            self._is_partial |= is_partial
            parts += [(base.name, segment) for segment in segments.values()]
            self._folders += [base.folder] * len(segments)
            self._open.update({(base.folder, digest): segment for digest, segment in segments.items()})
        self._scorer = Scorer(parts)
        self._known_days: dict[tuple[int, str], Array] = {}
        self._confirmed: dict[Path, dict[str, str]] = {}
        self._entry_days: dict[tuple[Path, str], EntryDays] = {}
        for key, segment in (known or {}).items():
            if key not in self._open:
                segment.close()

    def reopen(self) -> None:
        """Open every index as it is now; what did not change since it was opened is not read again."""
        self._load(self._open)

    @classmethod
    def open(cls, bases: Sequence[IndexedBase]) -> SearchEngine:
        """Open the indexes of ``bases``; one that is not there yet answers from names, or with nothing."""
        return cls(bases)

    def prepare(self) -> None:
        """Read what the first question would wait for: dictionaries, names, facets, the words of English."""
        english_words()
        for shard in self._scorer.shards:
            shard.segment.prepare()

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
        for shard in self._scorer.shards:
            shard.segment.close()

    def search(self, request: SearchRequest) -> SearchAnswer:
        """Answer one question; never raises on what is asked."""
        started = time.perf_counter()
        try:
            return self._search(request, started)
        except DamagedIndexError:
            self._reopen_sound_parts()
            return self._search(request, started)

    def _reopen_sound_parts(self) -> None:
        """Declare damaged indexes void and answer from what is left: names, until they are made anew."""
        for number, shard in enumerate(self._scorer.shards):
            try:
                for piece in ("words", "lines", "text", "card"):
                    shard.segment.piece(piece)
            except DamagedIndexError:
                discard(self._folders[number])
        self.close()
        self._load()
        self._is_partial = True

    def _search(self, request: SearchRequest, started: float) -> SearchAnswer:
        asked = self._understand(request)
        limit = max(1, min(request.limit, MAX_LIMIT))
        shards = range(len(self._scorer.shards))
        masks = {n: self._mask(n, asked) for n in shards}
        conditions = [self._conditions(n, asked) for n in shards]
        concepts = asked.question.concepts
        scored, weights = score(self._scorer, concepts, masks.get)
        if not concepts and asked.lists_all:
            scored = [Scored(m.astype(np.float32), m.astype(np.float32)) for m in masks.values()]
        race = self._race(asked, scored, masks, weights, limit=limit, started=started)
        matched = counted = race.matched
        if any(conditions):
            allowed = {n: masks[n] & _all_of(conditions[n]) for n in shards}
            race = self._race(asked, _within(scored, allowed), allowed, weights, limit=limit, started=started)
            matched = [found & allowed[n] for n, found in enumerate(counted)]
            if not any(found.any() for found in matched):
                # what fits the filters holds less of the question than what does not: it is all there is
                matched = counted = race.matched
            elif race.verdict is Verdict.NONE:
                race.verdict = Verdict.WEAK
        is_late = time.perf_counter() - started > TIME_LIMIT_S
        shown = self._fold([c for c in race.candidates if matched[c.shard][c.document]], limit)
        asked.weights = {concept.text: weight for concept, weight in weights.items()}
        marker = _marker(concepts)
        hits = tuple(self._hit(candidate, asked, marker, detailed=request.explain) for candidate in shown)
        return SearchAnswer(
            query=request.text[:200],
            mode=asked.mode,
            verdict=race.verdict,
            took_ms=(time.perf_counter() - started) * 1000,
            total=sum(int(m.sum()) for m in matched),
            hits=hits,
            facets=self._facets(matched) | self._open_facets(asked, counted, conditions),
            suggestion=asked.question.suggestion,
            explanation=self._explanation(asked, request),
            problems=tuple(problem.text for problem in asked.problems),
            is_partial=self._is_partial or is_late,
            problem_spans=tuple((problem.start, problem.end) for problem in asked.problems),
            notes=self._notes(asked, request),
        )

    def _race(
        self,
        asked: _Asked,
        scored: Sequence[Scored],
        masks: Mapping[int, Array],
        weights: Mapping[Concept, float],
        *,
        limit: int,
        started: float,
    ) -> _Race:
        """Order the best documents of ``masks`` and tell which count as found."""
        named = self._named(asked, masks)
        candidates = self._candidates(scored, named, max(CANDIDATES, limit))
        concepts = asked.question.concepts
        if concepts and time.perf_counter() - started <= TIME_LIMIT_S:
            self._rerank(candidates, asked, weights)
        candidates.sort(key=self._rank)
        if concepts:
            self._lower_stale(candidates[:CANDIDATES])
            candidates.sort(key=self._rank)
        verdict = self._verdict(asked, candidates, weights, has_words=bool(concepts))
        matched = _matched(scored, candidates, is_answered=verdict is not Verdict.NONE)
        return _Race(candidates, verdict, matched)

    def _explanation(self, asked: _Asked, request: SearchRequest) -> str:
        filters = {f: v for f, v in request.filters.items() if f != "knowledge_base" or asked.query.words}
        if not (request.explain or asked.query.uses_fields or filters):
            return ""
        sentence = in_words(asked.query, filters)
        return f"{sentence}, matching the pasted text" if is_paste(request.text) else sentence

    def _notes(self, asked: _Asked, request: SearchRequest) -> tuple[str, ...]:
        notes = [correction_note(slip, word) for slip, word in asked.question.corrected.items()]
        if asked.mode is not Mode.PASTE and (request.explain or asked.query.uses_fields):
            found = synonyms_searched(asked.question, self._scorer, self._synonyms)
            notes += [synonym_note(word, others[:4]) for word, others in found]
        return tuple(dict.fromkeys(notes))

    # --- understanding ------------------------------------------------------------------------------------

    def _understand(self, request: SearchRequest) -> _Asked:
        text = request.text[:MAX_PASTE].strip("\0")
        if is_paste(text):
            return self._understand_paste(text, request)
        query = parse_query(text)
        question = question_of_words(query, self._scorer, self._synonyms, is_typing=request.is_typing)
        asked = _Asked(Mode.WORDS, query, question, dict(request.filters), problems=list(query.problems))
        asked.text = text if any(c.isdigit() for c in text) else ""
        asked.is_unfinished = request.is_typing and bool(text.strip())  # "kind:" so far
        self._take_typed_filters(asked, text, is_typing=request.is_typing)
        self._check_phrases(asked)
        is_empty = not (question.concepts or asked.lists_all or asked.problems)
        if is_empty and text.strip():
            asked.problems.append(Problem("There is no word in this question to look up."))
        if query.alerts or (" " not in query.words.strip() and self._is_alert(question.names[:1])):
            asked.mode = Mode.ALERT
        return asked

    def _understand_paste(self, text: str, request: SearchRequest) -> _Asked:
        query = parse_query(request.narrowed_by)
        paste = read_paste(f"{text}\n{query.words}" if query.words else text)
        question = question_of_paste(paste, self._scorer, self._synonyms)
        asked = _Asked(Mode.PASTE, query, question, dict(request.filters), problems=list(query.problems))
        asked.text = f"{text[:MAX_VERSION_TEXT]}\n{query.words}"
        asked.lines = line_words(paste)
        if query.phrases or query.excluded or query.alerts:
            typed = question_of_words(query, self._scorer, self._synonyms, is_typing=request.is_typing)
            question.required, question.excluded = typed.required, typed.excluded
            question.names[:0] = [name for name in map(compact_name, query.alerts) if name]
        self._take_typed_filters(asked, request.narrowed_by, is_typing=request.is_typing)
        self._check_phrases(asked)
        if (paste.alerts or query.alerts) and self._has_name(question.names[:1]):
            asked.mode = Mode.ALERT
        if not (question.concepts or question.names):
            asked.problems.append(Problem("The paste holds no word to look up."))
        return asked

    def _take_typed_filters(self, asked: _Asked, text: str, *, is_typing: bool) -> None:
        """Let the typed filters hold; what no entry has is said and left out."""
        typed: dict[str, tuple[str, ...]] = {}
        for facet, values in asked.query.filters.items():
            kept: list[str] = []
            for value in values:
                start, end = asked.query.places.get((facet, value), (0, 0))
                is_last = is_typing and end == len(text)
                found = self._known_values(facet, value.removeprefix("-"), is_unfinished=is_last)
                minus = "-" if value.startswith("-") else ""
                kept += [minus + one for one in found]
                if not found and not minus:  # to leave out what no entry has is no mistake
                    asked.problems.append(Problem(self._unknown_value(facet, value), start, end))
            if kept:
                typed[facet] = tuple(kept)
                asked.filters = {**asked.filters, facet: (*asked.filters.get(facet, ()), *kept)}
        asked.query = replace(asked.query, filters=typed)

    def _known_values(self, facet: str, value: str, *, is_unfinished: bool) -> list[str]:
        """Return the values of the open indexes that ``value`` means; none: no entry has it."""
        if facet in CLOSED:
            return [value]
        folded = _folded(facet, value)
        known = self._values(facet)
        exact = [one for one in known if _folded(facet, one) == folded]
        if exact or not is_unfinished:
            return exact[:1]
        return [one for one in known if _folded(facet, one).startswith(folded)]

    def _values(self, facet: str) -> list[str]:
        if facet == "knowledge_base":
            return list(dict.fromkeys(base.name for base in self._bases))
        shards = self._scorer.shards
        return list(dict.fromkeys(v for shard in shards for v in shard.segment.facet_values.get(facet, ())))

    def _unknown_value(self, facet: str, value: str) -> str:
        plain = value.removeprefix("-")
        name = facet.replace("_", " ")
        near = next((v for v in self._values(facet) if is_one_slip(plain.casefold(), v.casefold())), "")
        hint = f"; did you mean \u201c{filter_text(facet, near)}\u201d?" if near else "."
        return f"No entry has the {name} \u201c{plain[:60]}\u201d, so it was left out{hint}"

    def _check_phrases(self, asked: _Asked) -> None:
        """Look phrases that no entry holds up as words, and say so."""
        question = asked.question
        if asked.mode is not Mode.PASTE and len(question.concepts) > MAX_TYPED_CONCEPTS:
            question.required.clear()  # quotation marks of a sentence, not of a question
        for concept in list(question.required):
            if self._scorer.document_frequency(concept) == 0:
                question.required.remove(concept)
                sentence = (
                    f"No entry holds \u201c{concept.text}\u201d word for word; its words were searched."
                )
                asked.problems.append(Problem(sentence))

    def _has_name(self, names: Iterable[str]) -> bool:
        return any(s.segment.named(name).size for name in names for s in self._scorer.shards)

    def _is_alert(self, names: Sequence[str]) -> bool:
        """Tell whether a name is that of an entry and looks like an alert's (several words in one)."""
        return bool(names) and len(names[0]) > 7 and self._has_name(names)

    # --- filters and names --------------------------------------------------------------------------------

    def _mask(self, number: int, asked: _Asked) -> Array:
        shard = self._scorer.shards[number]
        mask = ~shard.segment.deleted
        for concept in asked.question.required:
            here = np.zeros_like(mask)
            here[self._scorer.matches(number, concept).documents] = True
            mask &= here
        for concept in asked.question.excluded:
            mask[self._scorer.matches(number, concept).documents] = False
        return mask

    def _conditions(self, number: int, asked: _Asked) -> dict[str, Array]:
        """Return per facet or date asked for which documents of a shard fulfil it (bool)."""
        shard = self._scorer.shards[number]
        found: dict[str, Array] = {}
        for facet, values in asked.filters.items():
            mask = np.ones(shard.segment.document_count, np.bool_)
            wanted = [v for v in values if not v.startswith("-")]
            unwanted = [v[1:] for v in values if v.startswith("-")]
            if wanted:
                mask &= _having(shard.base, shard.segment, facet, wanted)
            if unwanted:
                mask &= ~_having(shard.base, shard.segment, facet, unwanted)
            found[facet] = mask
        for place, wanted_days in enumerate(asked.query.dates):
            found[f"{wanted_days.field}:{place}"] = _dated(self._days(number, wanted_days.field), wanted_days)
        return found

    def _days(self, number: int, field_name: str) -> Array:
        """Return per document of a shard the day of a date as an ordinal, 0 where there is none."""
        known = self._known_days.get((number, field_name))
        if known is None:
            folder = self._folders[number]
            if (folder, field_name) not in self._entry_days:
                self._entry_days[(folder, field_name)] = days_of(folder, field_name)
            days = self._entry_days[(folder, field_name)]
            paths = self._scorer.shards[number].segment.paths
            known = np.array([days.of(path) for path in paths], np.int32)
            self._known_days[(number, field_name)] = known
        return known

    def _named(self, asked: _Asked, masks: Mapping[int, Array]) -> dict[tuple[int, int], float]:
        """Return the documents whose name was asked for, and how strongly (boosts of the score)."""
        found: dict[tuple[int, int], float] = {}
        question = asked.question
        for rank, name in enumerate(question.names[:60]):
            is_whole = (asked.mode is not Mode.PASTE and rank == 0) or asked.mode is Mode.ALERT
            if len(name) < 3 or (rank and not is_whole and len(name) < 8):
                continue
            boost = NAME_BOOST / (1 + 0.1 * rank) if is_whole else TOKEN_BOOST
            for number, shard in enumerate(self._scorer.shards):
                for document in shard.segment.named(name).tolist():
                    if masks[number][document]:
                        key = (number, document)
                        found[key] = max(found.get(key, 0.0), boost)
        return found

    def _rank(self, candidate: _Candidate) -> tuple[float, str, int]:
        """Order candidates: best first, and equals by their paths, however the index is cut into segments."""
        path = self._scorer.shards[candidate.shard].segment.paths[candidate.document]
        return -round(candidate.score, 4), path, candidate.shard

    # --- ranking ------------------------------------------------------------------------------------------

    def _candidates(
        self, scored: Sequence[Scored], named: Mapping[tuple[int, int], float], limit: int
    ) -> list[_Candidate]:
        found: dict[tuple[int, int], _Candidate] = {}
        for number, result in enumerate(scored):
            segment = self._scorer.shards[number].segment
            documents = np.flatnonzero(result.score)
            demotions = demotion(segment, documents)
            values = result.score[documents] * demotions
            if documents.size > limit:
                best = _best(values, limit, documents, segment.paths)
                documents, values, demotions = documents[best], values[best], demotions[best]
            rows = zip(documents.tolist(), values.tolist(), demotions.tolist(), strict=True)
            for document, value, factor in rows:
                coverage = float(result.coverage[document])
                found[(number, document)] = _Candidate(
                    number, document, value, coverage=coverage, demotion=factor
                )
        chosen = sorted(found.values(), key=self._rank)[:limit]
        top = chosen[0].score if chosen else 1.0
        present = {(c.shard, c.document) for c in chosen}
        for key, boost in named.items():
            candidate = found.get(key) or _Candidate(*key, 0.0)
            candidate.score += top * boost
            candidate.is_named = boost >= 1
            if key not in present:
                chosen.append(candidate)
        return chosen

    def _rerank(
        self, candidates: Sequence[_Candidate], asked: _Asked, weights: Mapping[Concept, float]
    ) -> None:
        concepts = asked.question.concepts
        for number, shard in enumerate(self._scorer.shards):
            mine = [c for c in candidates if c.shard == number]
            if not mine:
                continue
            documents = np.array([c.document for c in mine])
            evidence = look_closer(shard.segment, documents, concepts, weights, asked.question.pairs)
            factors = evidence.factor()
            for row, candidate in enumerate(mine):
                _note(candidate, evidence, row)
                candidate.score *= float(factors[row])

    def _lower_stale(self, candidates: Sequence[_Candidate]) -> None:
        """Lower the scores of entries that were confirmed, but too long ago."""
        today = dt.date.today()
        for candidate in candidates:
            card, _ = self._scorer.shards[candidate.shard].segment.shown_card(candidate.document)
            every = card.get("review_every_days", 0)
            if is_stale(self._last_confirmed(candidate.shard, card), every, today):
                candidate.is_stale = True
                candidate.score *= STALE_FACTOR

    def _last_confirmed(self, number: int, card: Mapping[str, Any]) -> str:
        """Return the ISO day on which an entry was last confirmed, as far as files say; empty: never."""
        folder = self._folders[number]
        if folder not in self._confirmed:
            self._confirmed[folder] = read_confirmed(folder)
        return last_confirmed(card["reviewed"] or "", self._confirmed[folder].get(card["path"], ""))

    def _verdict(
        self,
        asked: _Asked,
        candidates: Sequence[_Candidate],
        weights: Mapping[Concept, float],
        *,
        has_words: bool,
    ) -> Verdict:
        if not candidates:
            return Verdict.NONE
        best = candidates[0]
        if best.is_named or not has_words:
            return Verdict.MATCH
        known = sum(weights.values())
        evidence = best.passage * known + PAIR_EVIDENCE * best.pairs * len(asked.question.pairs)
        if asked.mode is Mode.PASTE:
            return _verdict(evidence >= PASTE_MATCH, evidence >= PASTE_WEAK)
        unknown = UNKNOWN_WEIGHT * asked.question.unknown * self._scorer.idf(0)
        share = known / (known + unknown) if known else 0.0
        strength = best.coverage * share
        return _verdict(
            (strength >= 0.5 and best.passage * share >= 0.35)
            or (strength >= 0.3 and evidence >= PASTE_MATCH),
            strength >= 0.2 or evidence >= PASTE_WEAK or len(best.held) >= WEAK_WORDS,
        )

    def _fold(self, candidates: Sequence[_Candidate], limit: int) -> list[_Candidate]:
        """Return the first ``limit`` candidates, near-duplicates folded under the best of them."""
        shown: list[_Candidate] = []
        by_hash: dict[str, _Candidate] = {}
        for candidate in candidates:
            if len(shown) >= limit:
                break
            digest = self._scorer.shards[candidate.shard].segment.hashes[candidate.document]
            twin = by_hash.get(digest) if digest else None
            if twin is None:
                twin = self._copied(candidate, shown)
            if twin is not None:
                twin.twins.append(candidate)
                continue
            by_hash[digest] = candidate
            shown.append(candidate)
        return shown

    def _copied(self, candidate: _Candidate, shown: Sequence[_Candidate]) -> _Candidate | None:
        """Return the best shown candidate that ``candidate`` is a copy of.

        Copies score alike but for their demotion, so only documents with nearly equal scores are compared
        word by word.
        """
        mine = candidate.score / candidate.demotion
        near = [
            c
            for c in shown
            if c.shard == candidate.shard and ALIKE_SCORE * mine <= c.score / c.demotion <= mine / ALIKE_SCORE
        ]
        return next((c for c in near if self._are_alike(c, candidate)), None)

    def _are_alike(self, first: _Candidate, second: _Candidate) -> bool:
        """Tell whether two documents of one shard are copies of each other with small changes."""
        segment = self._scorer.shards[first.shard].segment
        lengths = segment.arrays["words_start"]
        size, other = (int(lengths[c.document + 1] - lengths[c.document]) // 4 for c in (first, second))
        if min(size, other) < MIN_ALIKE_WORDS or min(size, other) < ALIKE * max(size, other):
            return False
        mine, others = segment.distinct_words(first.document), segment.distinct_words(second.document)
        both = len(common(mine, others))
        return both >= ALIKE * (len(mine) + len(others) - both)

    def related(self, knowledge_base: str, path: str, *, limit: int = 5) -> tuple[SearchHit, ...]:
        """Return entries about the same as the one at ``path``, best first; none when it is not there."""
        for number, shard in enumerate(self._scorer.shards):
            document = shard.segment.document_of(path) if shard.base == knowledge_base else -1
            if document >= 0:
                return self._related(number, document, limit)
        return ()

    def _related(self, number: int, document: int, limit: int) -> tuple[SearchHit, ...]:
        segment = self._scorer.shards[number].segment
        terms, counts = np.unique(segment.words(document), return_counts=True)
        concepts = telling_terms(segment, terms, counts, self._scorer)
        masks = {n: ~shard.segment.deleted for n, shard in enumerate(self._scorer.shards)}
        masks[number][document] = False
        scored, _ = score(self._scorer, concepts, masks.get)
        found = self._candidates(scored, {}, CANDIDATES)
        asked = _Asked(Mode.WORDS, Query(""), Question(concepts=concepts), {})
        marker = _marker(concepts)
        return tuple(self._hit(c, asked, marker, detailed=False) for c in self._fold(found, limit))

    # --- what is shown ------------------------------------------------------------------------------------

    def _facets(self, matched: Sequence[Array], facets: Sequence[str] = FACETS) -> dict[str, dict[str, int]]:
        counts: dict[str, dict[str, int]] = {facet: {} for facet in facets}
        for shard, found in zip(self._scorer.shards, matched, strict=True):
            for facet in facets:
                for value, number in _count_facet(shard.base, shard.segment, facet, found):
                    counts[facet][value] = counts[facet].get(value, 0) + number
        return {
            facet: dict(sorted(values.items(), key=lambda item: (-item[1], item[0])))
            for facet, values in counts.items()
        }

    def _open_facets(
        self, asked: _Asked, counted: Sequence[Array], conditions: Sequence[Mapping[str, Array]]
    ) -> dict[str, dict[str, int]]:
        """Return the counts of the facets that are filtered by, each as if it were not."""
        counts: dict[str, dict[str, int]] = {}
        for facet, values in asked.filters.items():
            if facet in FACETS and not all(value.startswith("-") for value in values):
                without = [
                    found & _all_of({name: mask for name, mask in masks.items() if name != facet}, found)
                    for found, masks in zip(counted, conditions, strict=True)
                ]
                counts[facet] = self._facets(without, (facet,))[facet]
        return counts

    def _hit(self, candidate: _Candidate, asked: _Asked, marker: Marker, *, detailed: bool) -> SearchHit:
        shard = self._scorer.shards[candidate.shard]
        card, anchors = shard.segment.shown_card(candidate.document)
        snippet: str = card["summary"]
        marks: tuple[tuple[int, int], ...] = ()
        if candidate.line:
            lines = shard.segment.text_lines(candidate.document)
            snippet, marks = snippet_at(lines, candidate.line, marker)
        if not snippet:
            snippet = card["summary"]
        if not marks:
            marks = marker.marks(snippet)
        anchor = ""
        for first_line, name in anchors:
            if first_line <= candidate.line:
                anchor = name
        paste_line = 0
        if asked.lines and candidate.line:
            line = shard.segment.text_lines(candidate.document)[candidate.line - 1]
            paste_line = best_paste_line(asked.lines, line, asked.weights)
        version = version_named(asked.text, card["product"]) if asked.text else ""
        fit = version_fit(card.get("affected", ()), card.get("fixed_in", ""), version)
        if fit.fit is Fit.UNKNOWN and not asked.lines:
            fit = VersionFit()  # only a paste is expected to tell the version
        return SearchHit(
            id=card["id"],
            path=card["path"],
            title=card["title"],
            kind=card["kind"],
            product=card["product"],
            component=card["component"],
            state=card["state"],
            score=round(candidate.score, 4),
            why=_reasons(candidate, asked, card, paste_line=paste_line, fit=fit, detailed=detailed),
            snippet=snippet,
            has=tuple(card["has"]),
            knowledge_base=shard.base,
            severity=card["severity"],
            reviewed=self._last_confirmed(candidate.shard, card),
            snippet_marks=marks,
            title_marks=marker.marks(card["title"]),
            line=candidate.line,
            anchor=anchor,
            similar=len(candidate.twins),
            twins=tuple(self._twin(candidate, twin) for twin in candidate.twins),
            paste_line=paste_line,
            fit=fit.fit.value,
            fit_words=fit.words,
        )

    def _twin(self, shown: _Candidate, twin: _Candidate) -> Twin:
        """Return a folded near-duplicate and in what it differs."""
        first, second = (self._scorer.shards[one.shard] for one in (shown, twin))
        card, _ = second.segment.shown_card(twin.document)
        kept, _ = first.segment.shown_card(shown.document)
        is_same = first.segment.hashes[shown.document] == second.segment.hashes[twin.document]
        differs = [] if first.base == second.base else [f"in {second.base}"]
        differs += [f"{new} instead of {old}" for old, new in version_steps(kept["path"], card["path"])]
        if card["state"] != kept["state"]:
            differs.append(card["state"])
        if is_same:
            differs.append("the same text")
        else:
            count = self._lines_apart(shown, twin)
            differs.append("1 line differs" if count == 1 else f"{count} lines differ")
        return Twin(second.base, card["path"], card["title"], card["state"], ", ".join(differs))

    def _lines_apart(self, first: _Candidate, second: _Candidate) -> int:
        """Return how many lines of two documents differ; remembered, as every keystroke asks again."""
        segments = [self._scorer.shards[one.shard].segment for one in (first, second)]
        documents = (first.document, second.document)
        key = (segments[0].hashes[documents[0]], segments[1].hashes[documents[1]])
        known = self._apart.get(key)
        if known is None:
            mine, others = (
                {" ".join(line.split()) for line in segment.text_lines(document)}
                for segment, document in zip(segments, documents, strict=True)
            )
            if len(self._apart) >= MAX_APART:
                self._apart.clear()
            known = self._apart[key] = max(len(mine - others), len(others - mine))
        return known

    def relations(self, knowledge_base: str, path: str, *, limit: int = 12) -> tuple[Relation, ...]:
        """Return the entries that have to do with the one at ``path``, strongest relation first."""
        places = [n for n, shard in enumerate(self._scorer.shards) if shard.base == knowledge_base]
        segments = [self._scorer.shards[n].segment for n in places]
        reasons: dict[tuple[int, int], list[str]] = {}
        if places:
            for segment, document, why in stated_relations(segments, self._folders[places[0]], path):
                reasons.setdefault((places[segments.index(segment)], document), []).append(why)
        for hit in self.related(knowledge_base, path):
            for number, shard in enumerate(self._scorer.shards):
                document = shard.segment.document_of(hit.path) if shard.base == hit.knowledge_base else -1
                if document >= 0:
                    reasons.setdefault((number, document), []).append("similar text")
        order = ("linked here", "links here", "same alert family", "similar text", "same component")
        ranked = sorted(reasons.items(), key=lambda row: min(map(order.index, row[1])))
        found = [self._relation(number, document, whys) for (number, document), whys in ranked]
        own = (knowledge_base, path)
        return tuple(one for one in found if (one.knowledge_base, one.path) != own)[:limit]

    def _relation(self, number: int, document: int, reasons: Sequence[str]) -> Relation:
        shard = self._scorer.shards[number]
        card, _ = shard.segment.shown_card(document)
        return Relation(
            shard.base,
            card["path"],
            card["title"],
            card["kind"],
            card["state"],
            card["product"],
            card["component"],
            tuple(card["has"]),
            tuple(dict.fromkeys(reasons)),
        )

    def compare(self, knowledge_base: str, path: str, text: str) -> tuple[LineMatch, ...]:
        """Return which lines of a paste and of an entry say the same; none when the entry is not there."""
        for shard in self._scorer.shards:
            document = shard.segment.document_of(path) if shard.base == knowledge_base else -1
            if document >= 0:
                lines = without_front_matter(shard.segment.text_lines(document))
                return tuple(matching_lines(read_paste(text[:MAX_PASTE]), lines, self._rarity))
        return ()

    def _rarity(self, word: str) -> float:
        """Return about how rare a word is, > 0."""
        return self._scorer.idf(min(self._scorer.posting_count(word), self._scorer.document_count))


def _open_base(
    base: IndexedBase, known: Mapping[tuple[Path, str], Segment]
) -> tuple[dict[str, Segment], bool]:
    """Return the segments of a base by the hash of their columns, and whether it is incomplete."""
    opened: dict[str, Segment] = {}
    try:
        manifest = read_manifest(base.folder)
        if manifest is not None and manifest.is_complete:
            for record in manifest.segments:
                before = known.get((base.folder, record.hot.sha256))
                if before is None:
                    opened[record.hot.sha256] = open_segment(base.folder, record)
                else:
                    opened[record.hot.sha256] = before.without(record.deleted)
            return opened, False
    except DamagedIndexError:
        for digest, segment in opened.items():
            if (base.folder, digest) not in known:
                segment.close()
        discard(base.folder)
    names = read_names(base.folder)
    if names is None:
        cards = load_cards(base.folder)
        names = Segment.of(segment_of_names(cards)) if cards else None
    return ({"": names} if names else {}), True


def _best(values: Array, limit: int, documents: Array, paths: Sequence[str]) -> Array:
    """Return the rows of the ``limit`` highest values; of equals at the edge those with the first paths."""
    edge = -np.partition(-values, limit - 1)[limit - 1]
    above = np.flatnonzero(values > edge)
    equal = np.flatnonzero(values == edge)
    if len(above) + len(equal) > limit:
        equal = np.array(
            sorted(equal.tolist(), key=lambda row: paths[int(documents[row])])[: limit - len(above)], np.int64
        )
    return np.concatenate([above, equal])


def _note(candidate: _Candidate, evidence: Evidence, row: int) -> None:
    candidate.passage = float(evidence.passage[row])
    candidate.pairs = float(evidence.pairs[row])
    candidate.title = float(evidence.title[row])
    candidate.line = int(evidence.line[row])
    candidate.held = tuple(np.flatnonzero(evidence.held[row]).tolist())


def _verdict(is_match: bool, is_weak: bool) -> Verdict:  # noqa: FBT001 - the two thresholds, in order
    return Verdict.MATCH if is_match else Verdict.WEAK if is_weak else Verdict.NONE


def _matched(scored: Sequence[Scored], candidates: Sequence[_Candidate], *, is_answered: bool) -> list[Array]:
    """Return per shard which documents count as found: what is listed, counted and faceted alike.

    Args:
        scored: per shard.
        candidates: best first; the first ones count even where they hold less of the question.
        is_answered: something fits; else only the nearest few count.
    """
    best = max((float(s.coverage.max()) for s in scored if s.coverage.size), default=0.0)
    share = MATCH_SHARE * best if is_answered else np.inf
    found = [(s.coverage >= share) & (s.score > 0) for s in scored]
    for candidate in candidates[: ALWAYS_LISTED if is_answered else WEAK_HITS]:
        found[candidate.shard][candidate.document] = True
    return found


def _marker(concepts: Sequence[Concept]) -> Marker:
    words: set[str] = set()
    stems: set[str] = set()
    prefixes: list[str] = []
    for variant in (variant for concept in concepts for variant in concept.variants):
        if variant.kind == "prefix":
            prefixes.append(variant.text)
        elif variant.kind == "phrase":
            stems.update(stem_of(word) for word in variant.text.split(" ") if len(word) > 2)
        else:
            (stems if variant.kind == "stem" else words).add(variant.text)
    return Marker(frozenset(words), frozenset(stems), tuple(prefixes))


def _reasons(
    candidate: _Candidate,
    asked: _Asked,
    card: Mapping[str, Any],
    *,
    paste_line: int,
    fit: VersionFit,
    detailed: bool,
) -> tuple[str, ...]:
    """Return why an entry was found, strongest first."""
    reasons: list[str] = []
    names = set(asked.question.names)
    alerts = [alert for alert in card["alerts"] if compact_name(alert) in names]
    if alerts:
        reasons.append(f"it is the entry of the alert {alerts[0]}")
    elif candidate.is_named:
        reasons.append("its name is what you asked for")
    elif candidate.title >= 0.5:
        reasons.append("its title holds the words")
    reasons += _paste_reasons(candidate, paste_line, fit)
    concepts = asked.question.concepts
    held = [concepts[n].text for n in candidate.held]
    if held and (detailed or not reasons):
        shown = ", ".join(dict.fromkeys(held[:8]))
        where = f" (line {candidate.line})" if candidate.line else ""
        reasons.append(f"it holds {shown}{where}")
    if candidate.pairs >= 0.5:
        reasons.append("the words stand side by side")
    elif candidate.passage >= 0.8 and len(held) > 1:
        reasons.append("all in one passage")
    if detailed:
        missing = [c.text for n, c in enumerate(concepts) if n not in candidate.held]
        if missing:
            reasons.append("it lacks " + ", ".join(dict.fromkeys(missing[:8])))
        if card["is_stub"]:
            reasons.append("ranked lower: a stub")
        if card["state"] == "retired":
            reasons.append("ranked lower: retired")
        if candidate.is_stale:
            reasons.append("ranked slightly lower: last confirmed too long ago")
    return tuple(reasons)


def _all_of(conditions: Mapping[str, Array], like: Array | None = None) -> Array:
    """Return the documents that fulfil all of ``conditions``; of none, all documents of ``like``."""
    masks = list(conditions.values())
    if not masks:
        return np.ones_like(like, np.bool_) if like is not None else np.ones(0, np.bool_)
    result: Array = np.logical_and.reduce(masks)
    return result


def _within(scored: Sequence[Scored], allowed: Mapping[int, Array]) -> list[Scored]:
    """Return the scores of the allowed documents alone."""
    return [
        Scored(one.score * allowed[number], one.coverage * allowed[number])
        for number, one in enumerate(scored)
    ]


def _dated(days: Array, wanted: DateFilter) -> Array:
    """Return which documents a date filter leaves (bool)."""
    if wanted.is_never:
        holds = days == 0
    else:
        first = wanted.first.toordinal() if wanted.first else 1
        last = wanted.last.toordinal() if wanted.last else np.iinfo(np.int32).max
        holds = (days >= first) & (days <= last)
    result: Array = ~holds if wanted.is_excluded else holds
    return result


def _folded(facet: str, value: str) -> str:
    """Return a value as values are compared: an owner with or without its ``@``."""
    folded = value.casefold()
    return folded.removeprefix("@") if facet == "owner" else folded


def _paste_reasons(candidate: _Candidate, paste_line: int, fit: VersionFit) -> list[str]:
    reasons = []
    if paste_line:
        reasons.append(f"line {paste_line} of your paste matches its line {candidate.line}")
    if fit.fit in (Fit.FITS, Fit.FIXED, Fit.OUTSIDE):
        reasons.append(f"version: {fit.words}")
    return reasons


def _having(base: str, segment: Segment, facet: str, values: Sequence[str]) -> Array:
    """Return which documents have one of ``values`` (bool per document)."""
    if facet == "knowledge_base":
        return np.full(segment.document_count, base.casefold() in {v.casefold() for v in values})
    known = segment.facet_values.get(facet, [])
    folded = {_folded(facet, value) for value in values}
    codes = [code for code, value in enumerate(known) if _folded(facet, value) in folded]
    mask = np.zeros(segment.document_count, np.bool_)
    if codes:
        owners = segment.facet_owners(facet)
        is_wanted = np.zeros(len(known), np.bool_)
        is_wanted[codes] = True
        mask[owners[is_wanted[segment.arrays[f"facet_{facet}_code"]]]] = True
    return mask


def _count_facet(base: str, segment: Segment, facet: str, found: Array) -> list[tuple[str, int]]:
    """Return (value, documents) of a facet over the documents found."""
    if facet == "knowledge_base":
        number = int(found.sum())
        return [(base, number)] if number else []
    values = segment.facet_values[facet]
    if not values:
        return []
    chosen = found[segment.facet_owners(facet)]
    counts = np.bincount(segment.arrays[f"facet_{facet}_code"][chosen], minlength=len(values))
    return [(values[code], int(counts[code])) for code in np.flatnonzero(counts).tolist()]
