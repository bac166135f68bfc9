"""What is shown of a hit: one or two lines around the best match, and where the matches are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from kb_app.search.analysis import fold, split_token

WIDTH = 240
"""Characters of a snippet at most."""
_SPOT = re.compile(r"[\w.\-+#\u2010-\u2015]+")
_DECORATION = re.compile(
    r"^[ \t]*(?:>[ \t]*)*(?:#{1,6}[ \t]+|[-*+][ \t]+|\d+[.)][ \t]+)?|\[(?=[^\]]*\]\()|(?<=[\w`*\"])\]\((?:[^()\s]|\([^()]*\))*\)"
    r"|</?[a-zA-Z][^<>]*>|<!--.*?-->|[*_]{2,}|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|`+|\{\{[<%].*?[%>]\}\}"
)

Matcher = Callable[[str], bool]
"""Tells whether a word (lower case, folded) is one that was looked for."""


def marks_in(text: str, is_match: Matcher) -> tuple[tuple[int, int], ...]:
    """Return the ranges of ``text`` that match, ascending, touching ones joined."""
    ranges: list[tuple[int, int]] = []
    for spot in _SPOT.finditer(text):
        token = spot.group()
        words, wholes = split_token(fold(token))
        if not words:
            continue
        stripped = token.strip(".-+#")
        offset = spot.start() + token.find(stripped)
        if any(map(is_match, wholes)) or all(map(is_match, words)):
            ranges.append((offset, offset + len(stripped)))
            continue
        ranges += _parts(token, spot.start(), [word for word in words if is_match(word)])
    return tuple(_joined(ranges))


def _parts(token: str, start: int, words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the matching parts of a token lie (``Crash`` in ``KubePodCrashLooping``)."""
    found, lower, position = [], token.lower(), 0
    for word in words:
        at = lower.find(word, position)
        if at >= 0:
            found.append((start + at, start + at + len(word)))
            position = at + len(word)
    return found


def _joined(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for low, high in ranges:
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return joined


def plain_line(line: str) -> str:
    """Return a line of Markdown as people read it, on one line."""
    return " ".join(_DECORATION.sub("", line[:4_000]).replace("|", " ").split())


def snippet_at(lines: Sequence[str], line: int, is_match: Matcher) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the text around 1-based ``line``, at most `WIDTH` characters, and the marks in it."""
    if not 1 <= line <= len(lines):
        return "", ()
    text = plain_line(lines[line - 1])
    for following in lines[line : line + 4]:
        if len(text) >= WIDTH * 0.6 or following.lstrip().startswith("#"):
            break
        more = plain_line(following)
        if more and not set(more) <= set("-=~`: "):
            text = f"{text} {more}" if text else more
    marks = marks_in(text, is_match)
    if len(text) > WIDTH:
        text = _window(text, marks)
        marks = marks_in(text, is_match)
    return text, marks


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
