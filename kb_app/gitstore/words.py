"""Differences between two texts as a person reads them: whole words, not bytes.

Pure. Lines are compared first and words only inside lines that changed, so that a long page costs little; an
island of blanks or one mark between two changed words counts as changed, so that a rewritten sentence reads
as one.
"""

from __future__ import annotations

import bisect
import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_WORDS = 1_000
"""Above this number of words in one changed block it is shown as a whole (comparing is quadratic)."""

MAX_PAIRS = 40_000
"""Above this product of two numbers of lines they are not compared all with all."""

_WORD = re.compile(r"\d+(?:[.,:]\d+)+\w*|\w+|\s+|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


class RunKind(StrEnum):
    """What a stretch of text is in a comparison."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text: of both texts, of the old one alone, or of the new one alone."""

    kind: RunKind
    text: str


@dataclass(frozen=True, slots=True)
class TextRange:
    """Characters of a text: offset of the first, offset after the last."""

    start: int
    end: int


def lines_of(text: str) -> list[str]:
    r"""Return the lines of a text with their ``\n``; joined they are the text again."""
    return _LINE.findall(text)


def word_diff(old: str, new: str) -> tuple[Run, ...]:
    """Return how ``old`` became ``new``.

    The texts of the runs that are the same or removed, joined, are ``old``; those that are the same or added,
    joined, are ``new``. Neighbours differ in kind; what was removed comes before what was added.
    """
    runs: list[Run] = []
    before, after = lines_of(old), lines_of(new)
    for tag, i, j, k, m in _line_opcodes(before, after):
        if tag == "equal":
            runs.append(Run(RunKind.SAME, "".join(before[i:j])))
        else:
            runs += _words("".join(before[i:j]), "".join(after[k:m]))
    return tuple(_joined(runs))


def changed_ranges(old: str, new: str) -> tuple[tuple[TextRange, ...], tuple[TextRange, ...]]:
    """Return where ``old`` and ``new`` differ: ranges of ``old``, then ranges of ``new``, each in order."""
    in_old: list[TextRange] = []
    in_new: list[TextRange] = []
    at_old = at_new = 0
    for run in word_diff(old, new):
        size = len(run.text)
        if run.kind is RunKind.REMOVED:
            in_old.append(TextRange(at_old, at_old + size))
        elif run.kind is RunKind.ADDED:
            in_new.append(TextRange(at_new, at_new + size))
        at_old += size if run.kind is not RunKind.ADDED else 0
        at_new += size if run.kind is not RunKind.REMOVED else 0
    return tuple(in_old), tuple(in_new)


def _line_opcodes(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield how lines differ, as `difflib` says it, in a time that grows with the length of the texts.

    Lines that are there once on both sides, in the same order, are taken as the same; only what lies between
    them is compared by `difflib`, whose time is cubic where many lines are alike. A stretch that is too long
    for it is replaced whole.

    Source: the patience diff of Bram Cohen.
    """
    i = k = 0
    for j, m in (*_anchors(old, new), (len(old), len(new))):
        if (j - i) * (m - k) > MAX_PAIRS:
            yield "replace", i, j, k, m
        else:
            for tag, a, b, c, d in _opcodes(old[i:j], new[k:m]):
                yield tag, i + a, i + b, k + c, k + d
        if j < len(old):
            yield "equal", j, j + 1, m, m + 1
        i, k = j + 1, m + 1


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return places of lines that are the same: those there once on each side, the longest run in order."""
    if len(old) * len(new) <= MAX_PAIRS:
        return []
    once = {line for line, count in Counter(old).items() if count == 1}
    once &= {line for line, count in Counter(new).items() if count == 1}
    place = {line: index for index, line in enumerate(new) if line in once}
    pairs = [(index, place[line]) for index, line in enumerate(old) if line in once]
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    chain: list[tuple[int, int]] = []
    for number, (_, target) in enumerate(pairs):
        pile = bisect.bisect_left(tops, target)
        before.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(target)
            piles.append(number)
        else:
            tops[pile], piles[pile] = target, number
    at = piles[-1] if piles else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def _words(old: str, new: str) -> list[Run]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    if not before or not after or len(before) > MAX_WORDS or len(after) > MAX_WORDS:
        return _replaced(old, new)
    opcodes = _opcodes(before, after)
    kept = sum(len("".join(before[i:j]).strip()) for tag, i, j, _, _ in opcodes if tag == "equal")
    if kept * 4 < max(len(old), len(new)):
        return _replaced(old, new)  # nearly nothing is left: shreds would be harder to read
    runs: list[Run] = []
    removed = added = ""
    for index, (tag, i, j, k, m) in enumerate(opcodes):
        gone, come = "".join(before[i:j]), "".join(after[k:m])
        is_island = 0 < index < len(opcodes) - 1 and len(gone.strip()) <= 1 and "\n" not in gone
        if tag == "equal" and not is_island:
            runs += [*_replaced(removed, added), Run(RunKind.SAME, gone)]
            removed = added = ""
        else:
            removed, added = removed + gone, added + come
    return runs + _replaced(removed, added)


def _replaced(old: str, new: str) -> list[Run]:
    runs = [Run(RunKind.REMOVED, old)] if old else []
    return [*runs, Run(RunKind.ADDED, new)] if new else runs


def _joined(runs: Sequence[Run]) -> list[Run]:
    """Join neighbours of one kind; put what was removed before what was added between two equal stretches."""
    joined: list[Run] = []
    removed = added = ""
    for run in runs:
        if run.kind is RunKind.REMOVED:
            removed += run.text
        elif run.kind is RunKind.ADDED:
            added += run.text
        elif run.text:
            joined += _replaced(removed, added)
            removed = added = ""
            if joined and joined[-1].kind is RunKind.SAME:
                joined[-1] = Run(RunKind.SAME, joined[-1].text + run.text)
            else:
                joined.append(run)
    return joined + _replaced(removed, added)
