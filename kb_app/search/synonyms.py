"""Words that mean the same: the bundled groups, and those of a knowledge base's own ``kb.yml``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from kb_app.resources import resource
from kb_app.search.analysis import stem_of, words_of

FILE = "search/synonyms.txt"
MAX_PHRASE = 5
"""Words in a member at most."""

Phrase = tuple[str, ...]


class Synonyms:
    """Looks up what else a word or a phrase may be called.

    Args:
        groups: pairs of what may be asked and what is then found too; both may hold phrases.
    """

    def __init__(self, groups: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
        self._others: dict[Phrase, dict[Phrase, None]] = {}
        self.longest = 1
        for asked, found in groups:
            keyed = [(_stems(phrase), phrase) for member in found if (phrase := _words(member))]
            for key in map(_stems, map(_words, asked)):
                if not key or len(key) > MAX_PHRASE:
                    continue
                self.longest = max(self.longest, len(key))
                others = self._others.setdefault(key, {})
                others.update((phrase, None) for stems, phrase in keyed if stems != key)

    def others(self, stems: Phrase) -> tuple[Phrase, ...]:
        """Return other ways to say the phrase with these stems, in the order of the groups."""
        return tuple(self._others.get(stems, ()))


def _words(member: str) -> Phrase:
    words = member.split()
    if all(word.isalpha() and word.isascii() and word.islower() for word in words):
        return tuple(words)  # most are plain words
    return tuple(words_of(member))


def _stems(phrase: Phrase) -> Phrase:
    return tuple(map(stem_of, phrase))


@lru_cache(maxsize=1)
def bundled_groups() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return the groups that come with the program; none when the file is missing."""
    try:
        text = resource(FILE).read_text(encoding="utf-8")
    except OSError:
        return ()
    return tuple(parse_groups(text.splitlines()))


def parse_groups(lines: Iterable[str]) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield the groups of a synonym file: ``a, b`` both ways, ``a > b`` one way, ``#`` starts a comment.

    >>> list(parse_groups(["# memory", "oom, out of memory", "k8s > kubernetes"]))
    [(('oom', 'out of memory'), ('oom', 'out of memory')), (('k8s',), ('kubernetes',))]
    """
    for line in lines:
        text = line.partition("#")[0].strip()
        if not text:
            continue
        left, arrow, right = text.partition(">")
        asked = _members(left)
        found = _members(right) if arrow else asked
        if asked and found:
            yield asked, found


def _members(text: str) -> tuple[str, ...]:
    return tuple(member for part in text.split(",") if (member := part.strip()))


def synonyms_with(own_groups: Iterable[Sequence[str]]) -> Synonyms:
    """Return the bundled synonyms and those of the open knowledge bases."""
    return Synonyms([*bundled_groups(), *((group, group) for group in own_groups)])
