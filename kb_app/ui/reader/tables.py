"""Gives tables column widths told from their text, and cuts large ones between rows.

Qt makes all columns of a table that fills its page equally wide, so that a word breaks in one column while
another stands empty. And it lays a table out in one go, which takes long: the parts of a large one get the
same widths and touch each other, so that they look like one table. Measured: 0.15 to 0.2 ms a cell, so 150
cells cost some 30 ms.
"""

from __future__ import annotations

import re
from html import unescape
from itertools import accumulate, pairwise

CONTINUED = "continued"
CONTINUES = "continues"
"""Classes of a part that has one before it, and of a part that has one behind it."""

CELLS_AT_ONCE = 150
_LARGE = 2 * CELLS_AT_ONCE
_GRID = re.compile(r'<table class="grid"([^>]*)>(.*?)</table>', re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<t[dh]\b([^>]*)>(.*?)</t[dh]>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_LEAST_WIDTH, _MOST_WIDTH = 4, 48
"""Characters that a column's width counts at least and at most."""
_LONGEST_WORD = 24
"""Characters a word may claim for its column; a longer one breaks."""
_PADDING = 4
"""Padding of a cell, in characters."""
_LINE = 54
"""Characters of a line of the page beside all other panes, where it is narrow."""


def set_tables(html: str) -> str:
    """Return ``html`` with the columns of every plain table set, each of over 300 cells cut into parts."""
    return _GRID.sub(_set, html)


def _set(table: re.Match[str]) -> str:
    attributes, body = table[1], table[2]
    if "<table" in body or "span=" in body:
        return table[0]
    rows = _ROW.findall(body)
    columns = max((len(_CELL.findall(row)) for row in rows[:2]), default=0)
    if not columns:
        return table[0]
    widths = _widths(rows, columns)
    if body.count("</td>") + body.count("</th>") <= _LARGE:
        head = body.index(rows[0])
        first = _with_widths(rows[0], widths)
        return f'<table class="grid"{attributes}>{body[:head]}{first}{body[head + len(rows[0]) :]}</table>'
    step = max(2, CELLS_AT_ONCE // columns)
    parts = [rows[start : start + step] for start in range(0, len(rows), step)]
    out = []
    for number, part in enumerate(parts):
        classes = ["grid"]
        if number:
            classes.append(CONTINUED)
        if number < len(parts) - 1:
            classes.append(CONTINUES)
        first = _with_widths(part[0], widths)
        out.append(f'<table class="{" ".join(classes)}"{attributes}>{first}{"".join(part[1:])}</table>')
    return "".join(out)


def _widths(rows: list[str], columns: int) -> list[int]:
    """Return each column's share in percent, adding up to 100 where that is possible."""
    words, longest = [_LEAST_WIDTH] * columns, [_LEAST_WIDTH] * columns
    for row in rows:
        for column, cell in enumerate(_CELL.findall(row)[:columns]):
            text = unescape(_TAG.sub("", cell[1]))
            longest[column] = max(longest[column], min(_MOST_WIDTH, len(text)))
            word = max((len(word) for word in text.split()), default=0) + _PADDING
            words[column] = max(words[column], min(_LONGEST_WORD, word))
    # Every column holds its longest word; what is left goes where the text is long.
    wanted = [max(0, text - word) for text, word in zip(longest, words, strict=True)]
    left = max(0, _LINE - sum(words))
    shares = [w + left * more / max(1, sum(wanted)) for w, more in zip(words, wanted, strict=True)]
    total = sum(shares)
    edges = [0, *(round(100 * edge / total) for edge in accumulate(shares))]
    return [max(1, right - left) for left, right in pairwise(edges)]


def _with_widths(row: str, widths: list[int]) -> str:
    numbers = iter(widths)
    return re.sub(r"<(t[dh])\b", lambda cell: f'<{cell[1]} width="{next(numbers, 1)}%"', row)
