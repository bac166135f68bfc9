"""What a question asks for: words with inflections, synonyms, corrections, or the rare terms of a paste."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_app.search.analysis import fold, is_ideogram, raw_tokens, split_token, stem_of, words_of
from kb_app.search.columns import Segment
from kb_app.search.documents import compact_name
from kb_app.search.masking import Paste
from kb_app.search.query import Query
from kb_app.search.scoring import Concept, Scorer, Variant
from kb_app.search.spelling import corrections, may_be_slip, split_in_two
from kb_app.search.synonyms import Synonyms

Array = npt.NDArray[Any]

STEM_FACTOR = 0.75
"""What an inflected form counts against the form asked."""
PREFIX_FACTOR = 0.7
SYNONYM_FACTOR = 0.4
FUZZY_FACTOR = 0.7
WHOLE_WEIGHT = 1.3
"""A token with symbols ("kube_pod_status_phase"), beside its parts."""
JOINED_WEIGHT = 0.4
PHRASE_PART_WEIGHT = 0.6
MAX_WORDS = 40
MAX_PASTE_CONCEPTS = 40
MAX_RELATED_TERMS = 20
MAX_PASTE_TERMS = 2_000
MAX_EXACT_TERMS = 150
MAX_PASTE_PHRASES = 8
COMMON_SHARE = 0.8
"""A word of a paste that occurs in more than this share of entries tells nothing."""

_FUNCTION_WORDS = """
a about after all also am an and any are as at be because been before being but by can could did do does
doing done for from get gets getting got had has have having he her here him his how i if in into is it
its itself just me might my myself of off on once only or our ours out over own please she should so some
such than that the their them then there these they this those through to too under up us very was we were
what when where which while who whom why will with would you your yours im ive dont doesnt didnt cant wont
isnt arent keep keeps let like need needs see seems still want wants
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that carry no meaning of their own; they count only where a question holds nothing else."""


@dataclass(slots=True)
class Question:
    """A question, understood.

    Attributes:
        concepts: what is looked up.
        pairs: numbers of concepts that are neighbours in the question.
        names: compacted texts that may be the name of an entry, strongest first.
        required: concepts that must occur.
        excluded: concepts that must not occur.
        unknown: weight of what was asked but occurs nowhere, in words.
        suggestion: the question with slips corrected, or None.
        corrected: what was taken for a slip to what was looked up instead.
    """

    concepts: list[Concept] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    required: list[Concept] = field(default_factory=list)
    excluded: list[Concept] = field(default_factory=list)
    unknown: int = 0
    suggestion: str | None = None
    corrected: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Word:
    """A word of the question: as a term, and whether it is cut off, part of a name, dropped."""

    text: str
    is_open: bool = False
    is_part: bool = False
    is_function_word: bool = False


def question_of_words(query: Query, scorer: Scorer, synonyms: Synonyms, *, is_typing: bool) -> Question:
    """Return what a typed question asks for."""
    question = Question()
    words, wholes = _read(query.words, is_open=is_typing and query.is_open)
    for phrase in query.phrases:
        phrase_words = words_of(phrase)
        if phrase_words:
            question.required.append(_phrase_concept(phrase_words, phrase))
            words += [_Word(word) for word in phrase_words]
    question.excluded = [_phrase_concept(found, text) for text in query.excluded if (found := words_of(text))]
    if not all(word.is_function_word for word in words):
        words = [w for w in words if not w.is_function_word or w.is_open]
    else:
        for word in words:
            word.is_function_word = False
    corrected: dict[str, str] = {}
    words = _correct(words, scorer, synonyms, corrected)
    _add_words(question, words, scorer, synonyms, words_of(query.words)[:MAX_WORDS])
    _add_wholes(question, wholes, scorer, corrected)
    _add_joined(question, words, scorer)
    question.names = [name for name in (compact_name(query.words), *map(compact_name, query.alerts)) if name]
    question.names += [compact_name(whole) for whole in wholes]
    for alert in query.alerts:
        for whole in dict.fromkeys([compact_name(alert), *words_of(alert)]):
            question.concepts.append(Concept(alert, (Variant("word", whole),), 1.0))
    if corrected:
        question.suggestion = _rewrite(query.words, corrected)
        question.corrected = corrected
    return question


def synonyms_searched(
    question: Question, scorer: Scorer, synonyms: Synonyms
) -> list[tuple[str, tuple[str, ...]]]:
    """Return what was asked and the other words for it that were looked up and occur somewhere."""
    found = []
    for concept in question.concepts:
        if not any(variant.is_synonym for variant in concept.variants):
            continue
        others = synonyms.others(tuple(stem_of(word) for word in words_of(concept.text)))
        variants = zip(others, _synonym_variants(others), strict=True)
        held = [
            " ".join(words)
            for words, variant in variants
            if scorer.document_frequency(Concept("", (variant,)))
        ]
        if held:
            found.append((concept.text, tuple(held)))
    return found


def _read(text: str, *, is_open: bool) -> tuple[list[_Word], list[str]]:
    words: list[_Word] = []
    wholes: dict[str, None] = {}
    tokens = raw_tokens(fold(text))
    for position, token in enumerate(tokens):
        parts, whole_forms = split_token(token)
        for part in parts:
            words.append(_Word(part, is_part=len(parts) > 1, is_function_word=part in FUNCTION_WORDS))
        wholes.update(dict.fromkeys(whole for whole in whole_forms if not is_ideogram(whole)))
        if is_open and position == len(tokens) - 1 and parts:
            words[-1].is_open = True
    return words[:MAX_WORDS], list(wholes)[:MAX_WORDS]


def _phrase_concept(words: Sequence[str], text: str) -> Concept:
    if len(words) == 1:
        return Concept(text, (Variant("word", words[0]), Variant("stem", stem_of(words[0]), STEM_FACTOR)))
    return Concept(text, (Variant("phrase", " ".join(words)),))


def _correct(
    words: list[_Word], scorer: Scorer, synonyms: Synonyms, corrected: dict[str, str]
) -> list[_Word]:
    """Replace slips; ``corrected`` receives what was replaced."""
    result: list[_Word] = []
    for word in words:
        if word.is_function_word or _is_known(word, scorer) or synonyms.others((stem_of(word.text),)):
            result.append(word)
            continue
        if not may_be_slip(word.text):
            result.append(word)
            continue
        result += _corrected(word, scorer, corrected)
    return result


def _is_known(word: _Word, scorer: Scorer) -> bool:
    if scorer.has_term(word.text):
        return True
    return word.is_open and scorer.document_frequency(Concept("", (Variant("prefix", word.text),))) > 0


def _corrected(word: _Word, scorer: Scorer, corrected: dict[str, str]) -> list[_Word]:
    segments = [shard.segment for shard in scorer.shards]
    near = corrections(word.text, segments)
    if near and near[0].distance == 1:
        corrected[word.text] = near[0].word
        return [_Word(near[0].word)]
    if split := split_in_two(word.text, scorer.has_term):
        corrected[word.text] = " ".join(split)
        return [_Word(part) for part in split]
    if near:
        corrected[word.text] = near[0].word
        return [_Word(near[0].word)]
    return [word]


def _add_words(
    question: Question,
    words: Sequence[_Word],
    scorer: Scorer,
    synonyms: Synonyms,
    all_words: Sequence[str],
) -> None:
    phrases = _synonym_phrases(all_words, synonyms)
    in_phrase = {word for phrase, _ in phrases if len(phrase) > 1 for word in phrase}
    places: list[int] = []
    for word in words:
        concept = _word_concept(word, synonyms, 1.0 if word.text not in in_phrase else PHRASE_PART_WEIGHT)
        if scorer.document_frequency(concept) == 0 and not any(c.isdigit() for c in word.text):
            question.unknown += 1
        places.append(len(question.concepts))
        question.concepts.append(concept)
    question.pairs = list(pairwise(places))
    for phrase, others in phrases:
        if len(phrase) > 1:
            variants = [Variant("phrase", " ".join(phrase)), *_synonym_variants(others)]
            question.concepts.append(Concept(" ".join(phrase), tuple(variants)))


def _word_concept(word: _Word, synonyms: Synonyms, weight: float) -> Concept:
    stem = stem_of(word.text)
    variants = [Variant("word", word.text, 1 - STEM_FACTOR), Variant("stem", stem, STEM_FACTOR)]
    if word.is_open or is_ideogram(word.text):
        variants.append(Variant("prefix", word.text, PREFIX_FACTOR))
    if not word.is_part:
        variants += _synonym_variants(synonyms.others((stem,)))
    return Concept(word.text, tuple(variants), weight)


def _synonym_variants(others: Sequence[Sequence[str]]) -> list[Variant]:
    return [
        Variant("stem", stem_of(words[0]), SYNONYM_FACTOR, is_synonym=True)
        if len(words) == 1
        else Variant("phrase", " ".join(words), SYNONYM_FACTOR, is_synonym=True)
        for words in others
    ]


def _synonym_phrases(
    words: Sequence[str], synonyms: Synonyms
) -> list[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]:
    """Return the phrases of the question that have synonyms, longest first at each place."""
    found = []
    stems = [stem_of(word) for word in words]
    position = 0
    while position < len(words):
        for length in range(min(synonyms.longest, len(words) - position), 1, -1):
            others = synonyms.others(tuple(stems[position : position + length]))
            if others:
                found.append((tuple(words[position : position + length]), others))
                position += length - 1
                break
        position += 1
    return found


def _add_wholes(question: Question, wholes: Sequence[str], scorer: Scorer, corrected: dict[str, str]) -> None:
    for whole in wholes:
        concept = Concept(whole, (Variant("word", whole),), WHOLE_WEIGHT)
        if scorer.document_frequency(concept):
            question.concepts.append(concept)
            continue
        near = corrections(whole, [s.segment for s in scorer.shards]) if may_be_slip(whole) else []
        if near:
            corrected[whole] = near[0].word
            question.names.append(compact_name(near[0].word))
            question.concepts.append(
                Concept(whole, (Variant("word", near[0].word, FUZZY_FACTOR),), WHOLE_WEIGHT)
            )


def _add_joined(question: Question, words: Sequence[_Word], scorer: Scorer) -> None:
    """Look up neighbours written as one word too ("name space" → namespace)."""
    for first, second in pairwise(words):
        if second.is_open or (first.is_part and second.is_part):
            continue
        joined = Concept(
            first.text + second.text, (Variant("word", first.text + second.text),), JOINED_WEIGHT
        )
        if scorer.document_frequency(joined):
            question.concepts.append(joined)


def _rewrite(text: str, corrected: dict[str, str]) -> str:
    """Return the question with its slips replaced, as it would be typed."""
    result = []
    for token in text.split():
        folded = fold(token).lower().strip(".,;:!?")
        if folded in corrected:
            result.append(corrected[folded])
            continue
        parts = [corrected.get(part, part) for raw in raw_tokens(fold(token)) for part in split_token(raw)[0]]
        result.append(" ".join(parts) if any(p in corrected.values() for p in parts) else token)
    return " ".join(result)


def question_of_paste(paste: Paste, scorer: Scorer, synonyms: Synonyms) -> Question:
    """Return what a paste asks for: the rarest of its terms that occur, weighted by their lines."""
    phrases: dict[tuple[str, ...], tuple[float, tuple[tuple[str, ...], ...]]] = {}
    question = Question(names=[name for alert in paste.alerts if (name := compact_name(alert))])
    weight_of: dict[str, float] = {}
    neighbours: dict[tuple[str, str], None] = {}
    seen: dict[str, None] = {}
    for line in paste.lines:
        before = ""
        if line.weight >= 1 and len(phrases) < MAX_PASTE_PHRASES:
            for phrase, others in _synonym_phrases(words_of(line.text)[:MAX_WORDS], synonyms):
                phrases.setdefault(phrase, (line.weight, others))
        for token in raw_tokens(fold(line.text)):
            words, wholes = split_token(token)
            if wholes and not token.islower():
                seen.setdefault(compact_name(token))
            for term in wholes:
                if is_ideogram(term):
                    continue
                weight_of[term] = max(weight_of.get(term, 0.0), line.weight)
            for word in words:
                if word in FUNCTION_WORDS or (len(word) == 1 and word.isascii()):
                    before = ""
                    continue
                weight_of[word] = max(weight_of.get(word, 0.0), line.weight)
                if before:
                    neighbours.setdefault((before, word))
                before = word
    question.names += [name for name in seen if name not in question.names]
    _choose_terms(question, weight_of, list(neighbours), scorer)
    for phrase, (weight, others) in list(phrases.items())[:MAX_PASTE_PHRASES]:
        variants = [Variant("phrase", " ".join(phrase)), *_synonym_variants(others)]
        question.concepts.append(Concept(" ".join(phrase), tuple(variants), weight))
    return question


def _paste_concept(term: str, weight: float) -> Concept:
    return Concept(term, (Variant("word", term, 0.4), Variant("stem", stem_of(term), 0.6)), weight)


def _choose_terms(
    question: Question, weight_of: dict[str, float], neighbours: Sequence[tuple[str, str]], scorer: Scorer
) -> None:
    rated: list[tuple[float, str]] = []
    is_short = len(weight_of) <= MAX_EXACT_TERMS
    for term, weight in list(weight_of.items())[:MAX_PASTE_TERMS]:
        if is_short:
            frequency = scorer.document_frequency(_paste_concept(term, weight))
        else:
            frequency = min(scorer.posting_count(term), scorer.document_count)
        if frequency == 0:
            question.unknown += 1
        elif frequency <= max(3, COMMON_SHARE * scorer.document_count):
            rated.append((weight * scorer.idf(frequency), term))
    rated.sort(key=lambda row: (-row[0], row[1]))
    exact: list[tuple[float, Concept]] = []
    for _, term in rated[: 2 * MAX_PASTE_CONCEPTS]:  # of a long paste counted roughly so far, and now exactly
        concept = _paste_concept(term, weight_of[term])
        exact.append((concept.weight * scorer.idf(scorer.document_frequency(concept)), concept))
    exact.sort(key=lambda row: (-row[0], row[1].text))
    question.concepts = [concept for _, concept in exact[:MAX_PASTE_CONCEPTS]]
    place = {concept.text: number for number, concept in enumerate(question.concepts)}
    question.pairs = [(place[a], place[b]) for a, b in neighbours if a in place and b in place]


def telling_terms(segment: Segment, terms: Array, counts: Array, scorer: Scorer) -> list[Concept]:
    """Return the words that tell most about a document, as concepts: frequent in it, rare elsewhere.

    Args:
        segment: where the document lies.
        terms: its words as term numbers, each once.
        counts: how often each occurs in it.
        scorer: the open segments.
    """
    postings = segment.posting_start[terms + 1] - segment.posting_start[terms]
    rarity = np.log(1 + scorer.document_count / np.maximum(postings, 1))
    worth = np.log1p(counts) * rarity * (postings > 1)  # a word that nobody else has relates to nobody
    concepts = []
    for place in np.argsort(-worth, kind="stable")[: 3 * MAX_RELATED_TERMS].tolist():
        word = segment.terms[int(terms[place])]
        if worth[place] > 0 and len(word) > 2 and word not in FUNCTION_WORDS and not word.isdigit():
            concepts.append(Concept(word, (Variant("stem", stem_of(word)),), float(np.log1p(counts[place]))))
    return concepts[:MAX_RELATED_TERMS]
