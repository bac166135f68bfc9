"""What is shown of a hit: one or two lines around the best match, and where the matches are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from kb_app.search.analysis import fold, is_ideogram, split_token, stem_of

WIDTH = 240
"""Characters of a snippet at most."""
_MARKUP = re.compile(r"[\[\]*_`<>#|{]|^[ \t]*(?:[-+]|\d+[.)])")
LONG_LINE = 1_200
MAX_SEARCHED = 50_000
_SPOT = re.compile(r"[\w.\-+#\u2010-\u2015]+")
_TOKEN_END = re.compile(r"[\w.\-+#]")
STEM_CHANGE, SHORTEST_START = 2, 2
"""Letters at the end of a stem in which a word of it may differ ("possible", "possibility": "possibl")."""
_DECORATION = re.compile(
    r"^[ \t]*(?:>[ \t]*)*(?:#{1,6}[ \t]+|[-*+][ \t]+|\d+[.)][ \t]+)?"
    r"|\[(?=[^\]]*\]\()|(?<=[\w`*\"])\]\((?:[^()\s]|\([^()]*\))*\)"
    r"|</?[a-zA-Z][^<>]*>|<!--.*?-->|[*_]{2,}|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|`+|\{\{[<%].*?[%>]\}\}"
)


class Marker:
    """Finds what was looked for in texts that are shown; remembers what it decided about each token.

    Args:
        words: terms looked for as they are.
        stems: stems looked for.
        prefixes: starts of words looked for.
    """

    def __init__(self, words: frozenset[str], stems: frozenset[str], prefixes: tuple[str, ...]) -> None:
        self._words = words
        self._stems = stems
        self._prefixes = prefixes
        self._known: dict[str, tuple[tuple[int, int], ...]] = {}
        starts = {*words, *prefixes, *(s[: max(SHORTEST_START, len(s) - STEM_CHANGE)] for s in stems)}
        self._start = re.compile("|".join(map(re.escape, sorted(starts)))) if starts else None

    def _is_match(self, form: tuple[str, str]) -> bool:
        word, stem = form
        if word in self._words or stem in self._stems:
            return True
        return bool(self._prefixes) and word.startswith(self._prefixes)

    def marks(self, text: str) -> tuple[tuple[int, int], ...]:
        """Return the ranges of ``text`` that match, ascending, touching ones joined."""
        ranges: list[tuple[int, int]] = []
        known = self._known
        for spot in self._spots(text):
            token = spot.group()
            parts = known.get(token)
            if parts is None:
                parts = known[token] = self._parts(token)
            if parts:
                start = spot.start()
                ranges += [(start + low, start + high) for low, high in parts]
        return tuple(_joined(ranges))

    def _spots(self, text: str) -> Iterator[re.Match[str]]:
        """Yield the tokens that may match: in plain text those that hold the start of what is looked for."""
        if not text.isascii():
            yield from _SPOT.finditer(text)
            return
        end = 0
        for found in self._start.finditer(text.lower()) if self._start else ():
            start = found.start()
            if start < end:
                continue
            while start > end and _TOKEN_END.match(text, start - 1):
                start -= 1
            if (spot := _SPOT.match(text, start)) is not None:
                end = spot.end()
                yield spot

    def _parts(self, token: str) -> tuple[tuple[int, int], ...]:
        words, wholes = _split(token)
        matching = [form for form in words if self._is_match(form)]
        if not matching and not wholes:
            return ()
        if (words and len(matching) == len(words)) or any(map(self._is_match, wholes)):
            stripped = token.strip(".-+#")
            offset = token.find(stripped)
            return ((offset, offset + len(stripped)),)
        return tuple(_places(token, [word for word, _ in matching]))


_Forms = tuple[tuple[str, str], ...]


@lru_cache(maxsize=50_000)
def _split(token: str) -> tuple[_Forms, _Forms]:
    """Return a token's words and whole forms, each with its stem."""
    words, wholes = split_token(fold(token))
    if not token.isascii():  # a last ideogram is found by itself, but it is a part of its token
        words += tuple(whole for whole in wholes if is_ideogram(whole))
        wholes = tuple(whole for whole in wholes if not is_ideogram(whole))
    return tuple((w, stem_of(w)) for w in words), tuple((w, stem_of(w)) for w in wholes)


def _places(token: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the matching parts of a token lie (``Crash`` in ``KubePodCrashLooping``)."""
    found: list[tuple[int, int]] = []
    lower, position = token.lower(), 0
    for word in words:
        at = lower.find(word, position)
        if at >= 0:
            found.append((at, at + len(word)))
            position = at + (len(word) if word.isascii() else 1)  # pairs of ideograms overlap
    return found


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in ranges:
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


@lru_cache(maxsize=4_096)
def plain_line(line: str) -> str:
    """Return a line of Markdown as people read it, on one line."""
    line = line[:LONG_LINE]
    if _MARKUP.search(line):
        line = _DECORATION.sub("", line).replace("|", " ")
    return " ".join(line.split())


def snippet_at(lines: Sequence[str], line: int, marker: Marker) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the text around 1-based ``line``, at most `WIDTH` characters, and the marks in it."""
    if not 1 <= line <= len(lines):
        return "", ()
    text = plain_line(_stretch(lines[line - 1], marker))
    for following in lines[line : line + 4]:
        if len(text) >= WIDTH * 0.6 or following.lstrip().startswith("#"):
            break
        more = plain_line(following[:LONG_LINE])
        if more and not set(more) <= set("-=~`: "):
            text = f"{text} {more}" if text else more
    marks = marker.marks(text)
    if len(text) > WIDTH:
        text = _window(text, marks)
        marks = marker.marks(text)
    return text, marks


def _stretch(line: str, marker: Marker) -> str:
    """Return a very long line's part around its first match."""
    if len(line) <= LONG_LINE:
        return line
    marks = marker.marks(line[:MAX_SEARCHED])
    start = max(0, marks[0][0] - WIDTH // 2) if marks else 0
    return line[start : start + LONG_LINE]


def _window(text: str, marks: Sequence[tuple[int, int]]) -> str:
    """Return the stretch of ``text`` with most marks, cut at spaces."""
    room = WIDTH - 2
    starts = [0, *(max(0, low - 40) for low, _ in marks)]
    best = max(starts, key=lambda s: (sum(s <= low and high <= s + room for low, high in marks), -s))
    if best > 0:
        space = text.find(" ", best)
        best = space + 1 if 0 <= space < best + 40 else best
    end = min(len(text), best + room)
    if end < len(text):
        space = text.rfind(" ", best, end)
        end = space if space > best + room // 2 else end
    return ("\u2026" if best else "") + text[best:end] + ("\u2026" if end < len(text) else "")
