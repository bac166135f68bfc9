"""The columns say what plain counting says, however the pages are cut into segments."""

import math
import random
from collections import Counter

import numpy as np
import pytest

from kb_app.entries.model import EntryCard, Kind, State
from kb_app.search import scoring
from kb_app.search.analysis import fold, raw_tokens, split_token, stem_of
from kb_app.search.columns import Segment, build_segment, merge_segments
from kb_app.search.documents import Analyser, Field, IndexedDocument, Lines
from kb_app.search.scoring import Concept, Scorer, Variant, common, score

VOCABULARY = ("restart", "restarted", "restarting", "lease", "leases", "lost", "a", "of", "disk", "crash")
VOCABULARY += ("kube_pod_status", "5.7.133", "KubePodCrash", "crashing", "--dry-run")


def random_document(number: int, source: random.Random) -> IndexedDocument:
    lines = Lines()
    for field in Field:
        for _ in range(source.randint(0, 3)):
            lines.add(field, 0, " ".join(source.choices(VOCABULARY, k=source.randint(0, 9))))
    card = EntryCard("base", f"p{number}.md", f"p{number}", f"P {number}", Kind.NOTE, State.VERIFIED, "", "")
    return IndexedDocument(card, (), lines, "")


def counts_of(document: IndexedDocument) -> dict[int, tuple[Counter[str], int]]:
    """Return per field how often each term occurs and how many words there are."""
    result: dict[int, tuple[Counter[str], int]] = {}
    for field in Field:
        terms: Counter[str] = Counter()
        length = 0
        for kind, text in zip(document.lines.fields, document.lines.texts, strict=True):
            if kind == field:
                for token in raw_tokens(fold(text)):
                    words, wholes = split_token(token)
                    terms.update(words)
                    terms.update(wholes)
                    length += len(words)
        result[field] = (terms, length)
    return result


def plain_scores(documents: list[IndexedDocument], concepts: list[Concept]) -> list[float]:
    """Score by the book: BM25F, one document and one term after the other."""
    counted = [counts_of(document) for document in documents]
    means = {}
    for field in Field:
        lengths = [c[field][1] for c in counted if c[field][1]]
        means[field] = sum(lengths) / len(lengths) if lengths else 0.0

    def matches(term: str, variant: Variant) -> bool:
        if variant.kind == "prefix":
            return term.startswith(variant.text)
        return stem_of(term) == variant.text if variant.kind == "stem" else term == variant.text

    def frequency(document: dict[int, tuple[Counter[str], int]], concept: Concept) -> float:
        total = 0.0
        for variant in concept.variants:
            for field in Field:
                terms, length = document[field]
                effect = scoring.LENGTH_EFFECT[field]
                norm = 1 - effect + effect * length / means[field] if means[field] else 1 - effect
                found = sum(count for term, count in terms.items() if matches(term, variant))
                total += variant.factor * scoring.WEIGHTS[field] * found / norm
        return total

    scores = [0.0] * len(documents)
    for concept in concepts:
        frequencies = [frequency(document, concept) for document in counted]
        present = sum(f > 0 for f in frequencies)
        idf = math.log(1 + (len(documents) - present + 0.5) / (present + 0.5))
        for number, value in enumerate(frequencies):
            scores[number] += concept.weight * idf * (scoring.K1 + 1) * value / (scoring.K1 + value)
    return scores


CONCEPTS = [
    Concept("restart", (Variant("word", "restart", 0.25), Variant("stem", "restart", 0.75))),
    Concept("lea", (Variant("prefix", "lea", 0.7),), 0.5),
    Concept("5.7.133", (Variant("word", "5.7.133"),), 1.3),
    Concept("kubepodcrash", (Variant("word", "kubepodcrash"), Variant("word", "nothing"))),
]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cuts", [1, 3])
def test_scores_equal_plain_counting(seed: int, cuts: int) -> None:
    source = random.Random(seed)
    documents = [random_document(number, source) for number in range(30)]
    size = math.ceil(len(documents) / cuts)
    segments = [
        Segment.in_memory(build_segment([Analyser().chunk(documents[i : i + size])]))
        for i in range(0, len(documents), size)
    ]
    scored, _ = score(Scorer([("base", segment) for segment in segments]), CONCEPTS, lambda _number: None)
    together = np.concatenate([s.score for s in scored])
    np.testing.assert_allclose(together, plain_scores(documents, CONCEPTS), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_a_merged_segment_without_deleted_documents_equals_a_fresh_one(seed: int) -> None:
    source = random.Random(seed)
    documents = [random_document(number, source) for number in range(24)]
    gone = set(source.sample(range(24), 7))
    parts = []
    for start in (0, 8, 16):
        part = Segment.in_memory(build_segment([Analyser().chunk(documents[start : start + 8])]))
        part.deleted = np.array([number in gone for number in range(start, start + 8)])
        parts.append(part)
    merged = merge_segments(parts)
    fresh = build_segment([Analyser().chunk([d for n, d in enumerate(documents) if n not in gone])])
    assert merged.terms == fresh.terms
    assert merged.lists == fresh.lists
    assert merged.pieces == fresh.pieces
    for name, array in fresh.arrays.items():
        np.testing.assert_array_equal(merged.arrays[name], array, err_msg=name)


def test_deleted_documents_count_for_nothing() -> None:
    source = random.Random(9)
    documents = [random_document(number, source) for number in range(20)]
    whole = Segment.in_memory(build_segment([Analyser().chunk(documents)]))
    whole.deleted = np.arange(20) >= 12
    scored, _ = score(Scorer([("base", whole)]), CONCEPTS, lambda _number: None)
    expected = plain_scores(documents[:12], CONCEPTS) + [0.0] * 8
    np.testing.assert_allclose(scored[0].score, expected, rtol=1e-4, atol=1e-5)


def test_common_values() -> None:
    first, second = np.array([1, 4, 7, 9]), np.array([0, 4, 9, 11])
    assert common(first, second).tolist() == [4, 9]
    assert common(first, second[:0]).tolist() == []


def test_words_keep_their_order_and_lines_their_numbers() -> None:
    lines = Lines()
    lines.add(Field.NAME, 0, "The Name")
    lines.add(Field.BODY, 4, "first KubePodCrash line")
    lines.add(Field.BODY, 6, "***")
    lines.add(Field.BODY, 7, "last")
    card = EntryCard("base", "p.md", "p", "P", Kind.NOTE, State.VERIFIED, "", "")
    segment = Segment.in_memory(build_segment([Analyser().chunk([IndexedDocument(card, (), lines, "text")])]))
    words = [segment.terms[n] for n in segment.words(0).tolist()]
    assert words == ["the", "name", "first", "kube", "pod", "crash", "line", "last"]
    assert segment.lines(0).tolist() == [[0, 0, 0], [4, 2, 4], [6, 7, 4], [7, 7, 4]]
    assert segment.text(0) == "text"
