"""Which lines of a paste and which lines of an entry say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from kb_app.search.analysis import fold, raw_tokens, split_token
from kb_app.search.concepts import FUNCTION_WORDS
from kb_app.search.masking import Paste
from kb_app.search.model import LineMatch
from kb_app.search.snippets import plain_line

MIN_WORDS = 3
"""Words that two lines must have in common."""
LESSER_SHARE, GREATER_SHARE = 0.7, 0.3
"""Share of the weight of the line that says less, and of the one that says more, that both have in common.

A log line carries hosts and threads around the error, an entry's line carries an explanation: one of the two
has to lie in the other nearly whole.
"""
MAX_ENTRY_LINES = 5_000
MAX_FRONT_MATTER = 400
MAX_COMMON_LINES = 400
"""A word that stands in more lines of an entry than this tells no line from another."""

Weight = Callable[[str], float]


def telling_words(text: str) -> frozenset[str]:
    """Return the words of a line that tell what it is about."""
    words = (word for token in raw_tokens(fold(text)) for word in split_token(token)[0])
    return frozenset(word for word in words if word not in FUNCTION_WORDS and len(word) > 1)


def line_words(paste: Paste) -> list[tuple[int, frozenset[str]]]:
    """Return the numbered lines of a paste with their telling words."""
    rows = ((line.number, telling_words(line.text)) for line in paste.lines if line.number)
    return [(number, words) for number, words in rows if len(words) >= 2]


def best_paste_line(
    lines: Sequence[tuple[int, frozenset[str]]], entry_line: str, weight: Mapping[str, float]
) -> int:
    """Return the number of the paste's line that says what ``entry_line`` says, 0: none does."""
    wanted = telling_words(entry_line)
    best, found = 0.0, 0
    for number, words in lines:
        shared = _shared(words, wanted, lambda word: weight.get(word, 1.0))
        if shared > best:
            best, found = shared, number
    return found


def matching_lines(paste: Paste, entry_lines: Iterable[str], weight: Weight) -> list[LineMatch]:
    """Return for each line of the paste the line of the entry that says the same, in the paste's order."""
    known: dict[str, float] = {}

    def weigh(word: str) -> float:
        found = known.get(word)
        if found is None:
            found = known[word] = weight(word)
        return found

    texts: list[str] = []
    words_of_line: list[frozenset[str]] = []
    lines_of_word: dict[str, list[int]] = {}
    for number, text in enumerate(entry_lines):
        if number >= MAX_ENTRY_LINES:
            break
        texts.append(text)
        words_of_line.append(telling_words(text[:2_000]))
        for word in words_of_line[-1]:
            lines_of_word.setdefault(word, []).append(number)
    found: list[LineMatch] = []
    for number, words in line_words(paste):
        rare = [lines_of_word[word] for word in words if word in lines_of_word]
        places = {line for lines in rare if len(lines) <= MAX_COMMON_LINES for line in lines}
        rated = [(_shared(words, words_of_line[line], weigh), -line) for line in places]
        best, line = max(rated, default=(0.0, 0))
        if best > 0:
            found.append(LineMatch(number, 1 - line, plain_line(texts[-line]), round(best, 3)))
    return sorted(found, key=lambda match: match.paste_line)


def without_front_matter(lines: Sequence[str]) -> list[str]:
    """Return an entry's lines, those of its front matter empty: they do not stand on its page."""
    if not lines or lines[0].strip() != "---":
        return list(lines)
    end = next((n for n, line in enumerate(lines[1:MAX_FRONT_MATTER], 1) if line.strip() == "---"), -1)
    return [*[""] * (end + 1), *lines[end + 1 :]]


def _shared(first: frozenset[str], second: frozenset[str], weight: Weight) -> float:
    """Return the weight of the words in both lines, 0 when the lines do not say the same."""
    both = first & second
    if len(both) < min(MIN_WORDS, len(first), len(second)) or len(both) < 2:
        return 0.0
    shared = sum(map(weight, both))
    lesser, greater = sorted((sum(map(weight, first)), sum(map(weight, second))))
    is_same = shared >= LESSER_SHARE * lesser and shared >= GREATER_SHARE * greater
    return shared if is_same else 0.0
