"""Slips of the keyboard: what an unknown word was meant to be.

Decision: only words that occur nowhere are corrected, and of these only such as are no English words: a
correct word that the pages lack is not a slip, and "fixing" it finds the wrong page with confidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kb_app.search.analysis import MAX_TOKEN
from kb_app.search.background import english_words
from kb_app.search.columns import Segment

Array = npt.NDArray[Any]
MIN_LENGTH = 4
MAX_CANDIDATES = 300


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that occurs, and how far it is from the one asked: edits, and documents it occurs in."""

    word: str
    distance: int
    documents: int


def may_be_slip(word: str) -> bool:
    """Tell whether ``word``, which occurs nowhere, may be corrected."""
    return MIN_LENGTH <= len(word) <= MAX_TOKEN and word.isascii() and word not in english_words()


def allowed_edits(word: str) -> int:
    """Return how many edits a word of this length may be away: one in short words, two in longer ones."""
    if any(c.isdigit() for c in word):
        return 1 if len(word) > 5 else 0
    return 1 if len(word) < 7 else 2


def corrections(word: str, segments: Sequence[Segment], *, limit: int = 3) -> list[Correction]:
    """Return known words near ``word``, nearest and most frequent first."""
    edits = allowed_edits(word)
    found: dict[str, Correction] = {}
    for segment in segments if edits else ():
        for number in _near_numbers(segment, word, edits).tolist():
            term = segment.terms[number]
            distance = edit_distance(word, term, edits)
            if distance > edits:
                continue
            low, high = int(segment.posting_start[number]), int(segment.posting_start[number + 1])
            holders = np.array(sorted(set(segment.posting_document[low:high].tolist())), np.int64)
            documents = int((~segment.deleted[holders]).sum())
            if not documents:
                continue  # only pages that are gone held it
            known = found.get(term)
            found[term] = Correction(term, distance, documents + (known.documents if known else 0))
    ordered = sorted(found.values(), key=lambda c: (c.distance, c.word[0] != word[0], -c.documents, c.word))
    return [c for c in ordered if c.distance == ordered[0].distance][:limit]


def split_in_two(word: str, is_known: Any) -> tuple[str, str] | None:
    """Return two known words that ``word`` is the concatenation of, the most even split first; or None."""
    cuts = sorted(range(3, len(word) - 2), key=lambda cut: abs(len(word) - 2 * cut))
    for cut in cuts:
        if is_known(word[:cut]) and is_known(word[cut:]):
            return word[:cut], word[cut:]
    return None


def _near_numbers(segment: Segment, word: str, edits: int) -> Array:
    """Return numbers of terms that can be within ``edits``, by length and set of letters."""
    lengths, letters = segment.term_shapes
    mine = np.uint32(0)
    for byte in word.encode():
        mine |= np.uint32(1 << (byte & 31))
    near = np.abs(lengths - len(word)) <= edits
    numbers = np.flatnonzero(near)
    apart = np.bitwise_count(letters[numbers] ^ mine)
    numbers = numbers[apart <= 2 * edits]
    if numbers.size > MAX_CANDIDATES:
        head = word[:1]
        same = np.array([segment.terms[n][:1] == head for n in numbers.tolist()], np.bool_)
        numbers = numbers[same] if same.any() else numbers
        apart = np.bitwise_count(letters[numbers] ^ mine)
        numbers = numbers[np.argsort(apart, kind="stable")[:MAX_CANDIDATES]]
    near_numbers: Array = numbers
    return near_numbers


def edit_distance(a: str, b: str, limit: int) -> int:
    """Return insertions, deletions, substitutions and swaps between ``a`` and ``b``; ``limit + 1`` when more.

    Source: optimal string alignment distance (Damerau 1964).
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            cost = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, row = row, current
    return min(row[-1], limit + 1)
