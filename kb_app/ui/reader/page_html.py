"""From a rendered page's HTML to the HTML and the style sheet that the reader's document is given.

`QTextDocument` knows no rounded frames, so each framed table and each code span carries its kind and number
in an invisible background colour (``rgba(kind, high, low, 0)``); `painting` reads it back and draws the
frame. One linear pass also sets what CSS cannot say there: cell spacing, gaps between neighbouring frames,
icons of callouts, folded details, and widths inside lists.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtGui import QColor

from kb_app.ui.reader.tables import CONTINUED, CONTINUES, set_tables


class Mark(IntEnum):
    """What an invisible colour stands for: its red channel.

    Green and blue hold a number: which code block or fold it is; for a part of a large table 1 when a part
    stands before it plus 2 when one stands behind it.
    """

    CODE = 1
    DIAGRAM = 2
    NOTE = 3
    TIP = 4
    IMPORTANT = 5
    WARNING = 6
    DANGER = 7
    SUCCESS = 8
    QUOTE = 9
    GRID = 10
    DETAILS = 11
    INLINE_CODE = 12
    KEY = 13
    PICTURE_OUT = 14
    LINK_OUT = 15
    LINK_BROKEN = 16


CALLOUTS = {
    Mark.NOTE: ("info", "info"),
    Mark.TIP: ("lightbulb", "fix"),
    Mark.IMPORTANT: ("message-square-warning", "accent"),
    Mark.WARNING: ("triangle-alert", "mitigate"),
    Mark.DANGER: ("octagon-alert", "danger"),
    Mark.SUCCESS: ("circle-check", "fix"),
}
"""Kind of a callout to its icon and the colour of icon, title and bar."""

INDENT = 24
"""Width of one list level, pixels at 100 %."""

_QT_INDENT = 40
"""Pixels by which Qt moves a table in a list to the right for each level, whatever the style sheet says."""

BLOCK_GAP = 12
"""Vertical gap between blocks, pixels at 100 %."""

_CLASS_MARKS = {
    mark.name.lower(): mark for mark in (*CALLOUTS, Mark.CODE, Mark.QUOTE, Mark.GRID, Mark.DETAILS)
}
_TAG = re.compile(r'<(/?)(table|td|th|ul|ol|li|p|h[1-6]|img)\b((?:[^>"]|"[^"]*")*)>')
_CLASS = re.compile(r'class="([^"]*)"')
_ICON_SOURCE = re.compile(r'src="icon:([a-z0-9-]+)"')
_PIXELS = re.compile(r'\b(width|height)="(\d+)"')
_NO_SUBSTANCE = re.compile(r'<a name="[^"]*"></a>|\s+')
_CELL_COST = 100
"""What a cell of a table costs the document over its text, in characters."""

_PLAIN_START = '<pre class="plain">'
_LINE_ANCHOR = re.compile(r'<a name="line-(\d+)"')


@dataclass(slots=True)
class _Table:
    """An open table: its kind, its fold, how many lists it lies in, where its cell's tag was written."""

    mark: Mark | None
    fold: int
    outer_lists: int
    cell_at: int = -1
    cell_class: str = ""


class _Writer:
    """One pass over the tags; everything it does is linear in the text."""

    def __init__(self, zoom: float, open_folds: Collection[int] | None) -> None:
        self.zoom = zoom
        self.open_folds = open_folds
        self.out: list[str] = []
        self.hidden: dict[int, str] = {}
        self.codes = 0
        self.folds = 0
        self._tables: list[_Table] = []
        self._lists = 0
        self._hiding: _Table | None = None
        self._hidden_parts: list[str] = []
        self._is_after_table = False
        self._is_first = True
        self._in_summary = False
        self._is_loose = False
        self.written = 0

    @property
    def is_between_blocks(self) -> bool:
        """Tell whether no table, list or fold is open."""
        return not self._tables and not self._lists and self._hiding is None

    def take(self) -> str:
        """Return what was written since the last time."""
        text = "".join(self.out)
        self.out = []
        self.written = 0
        return text

    def text(self, chunk: str) -> None:
        """Take what stands between two tags of interest."""
        if (self._is_after_table or self._is_first) and _NO_SUBSTANCE.sub("", chunk):
            if self._is_after_table and self._lists:
                # Text of a tight list item behind a frame: without a paragraph it loses the item's indent.
                self._emit("<p>")
                self._is_loose = True
            self._is_after_table = self._is_first = False
        self._emit(chunk)

    def tag(self, name: str, attributes: str, *, is_end: bool) -> None:
        """Take one tag."""
        if self._is_loose and name != "img":
            self._emit("</p>")
            self._is_loose = False
        if name in ("p", "img", "li") or name[0] == "h":
            self._is_first = False
        if name == "table":
            self._table_end() if is_end else self._table_start(attributes)
        elif name in ("td", "th"):
            self._cell_end(name) if is_end else self._cell_start(name, attributes)
        elif name == "p":
            self._paragraph_end() if is_end else self._paragraph_start(attributes)
        elif name == "img":
            self._is_after_table = False
            self._emit(f"<img{self._image(attributes)}>")
        else:
            if name in ("ul", "ol"):
                self._lists = max(0, self._lists + (-1 if is_end else 1))
            if not is_end:
                self._is_after_table = False
            self._emit(f"<{'/' if is_end else ''}{name}{attributes}>")

    def _emit(self, text: str) -> None:
        (self.out if self._hiding is None else self._hidden_parts).append(text)
        self.written += len(text)

    def _px(self, pixels: float) -> int:
        return max(1, round(pixels * self.zoom))

    def _table_start(self, attributes: str) -> None:
        mark = _mark_of(attributes)
        number = 0
        fold = -1
        if mark in (Mark.CODE, Mark.DIAGRAM):
            number, self.codes = self.codes, self.codes + 1
        elif mark is Mark.DETAILS:
            number = fold = self.folds
            self.folds += 1
        elif mark is Mark.GRID:
            number = (CONTINUED in attributes) + 2 * (CONTINUES in attributes)
        style = []
        if mark is not None:
            style.append(f"background-color:{hidden_color(mark, number)}")
        if not self._is_first and CONTINUED not in attributes:
            style.append(f"margin-top:{self._px(BLOCK_GAP)}px")
        if self._lists:
            style.append(f"margin-left:{round((INDENT * self.zoom - _QT_INDENT) * self._lists)}px")
        self._emit(f'<table{attributes} cellspacing="0" cellpadding="0" style="{";".join(style)}">')
        self._tables.append(_Table(mark, fold, self._lists))
        self._lists = 0
        self._is_after_table = False
        self._is_first = True

    def _table_end(self) -> None:
        self._emit("</table>")
        if self._tables:
            self._lists = self._tables.pop().outer_lists
        self._is_after_table = True
        self._is_first = False

    def _cell_start(self, name: str, attributes: str) -> None:
        self._is_after_table = False
        self._is_first = True
        if name == "th" and "align=" not in attributes:
            attributes += ' align="left"'
        if self._tables and self._tables[-1].mark is not Mark.GRID:
            self._tables[-1].cell_at = len(self.out)
            self._tables[-1].cell_class = attributes
        self._emit(f"<{name}{attributes}>")
        self.written += _CELL_COST

    def _cell_end(self, name: str) -> None:
        table = self._tables[-1] if self._tables else None
        if table is not None and table is self._hiding:
            self.hidden[table.fold] = "".join(self._hidden_parts)
            self._hiding = None
            self._is_after_table = False
        elif self._is_after_table and table is not None and self._hiding is None and table.cell_at >= 0:
            # The frame inside has no bottom margin, unlike a paragraph: the cell's padding makes up for it.
            padding = self._px(BLOCK_GAP + 4)
            self.out[table.cell_at] = f'<{name}{table.cell_class} style="padding-bottom:{padding}px">'
        self._emit(f"</{name}>")

    def _paragraph_start(self, attributes: str) -> None:
        self._is_after_table = False
        self._emit(f"<p{attributes}>")
        mark = self._tables[-1].mark if self._tables else None
        if mark in CALLOUTS and "callout-title" in attributes:
            icon, color = CALLOUTS[mark]
            self._emit(f"{self._icon(icon, color)}&nbsp;&nbsp;")
        elif mark is Mark.DETAILS and "summary" in attributes and not self._in_summary:
            fold = self._tables[-1].fold
            icon = "chevron-down" if self._is_open(fold) else "chevron-right"
            self._emit(f'<a href="fold:{fold}">{self._icon(icon, "text2")}&nbsp;')
            self._in_summary = True

    def _paragraph_end(self) -> None:
        if not self._in_summary:
            self._emit("</p>")
            return
        self._in_summary = False
        self._emit("</a></p>")
        table = self._tables[-1] if self._tables else None
        if table is not None and self._hiding is None and not self._is_open(table.fold):
            self._hiding = table
            self._hidden_parts = []

    def _is_open(self, fold: int) -> bool:
        return self.open_folds is None or fold in self.open_folds

    def _icon(self, name: str, color: str) -> str:
        edge = self._px(16)
        return f'<img src="icon:{name}/{color}" width="{edge}" height="{edge}" class="icon">'

    def _image(self, attributes: str) -> str:
        found = _ICON_SOURCE.search(attributes)
        if found is None:
            return attributes
        color = "accent" if found[1] == "square-check" else "outline"
        attributes = _ICON_SOURCE.sub(f'src="icon:{found[1]}/{color}" class="icon"', attributes)
        return _PIXELS.sub(lambda size: f'{size[1]}="{self._px(int(size[2]))}"', attributes)


def hidden_color(mark: Mark, number: int = 0) -> str:
    """Return the invisible CSS colour for ``mark``; ``number`` is kept up to 65,535."""
    number = min(number, 0xFFFF)
    return f"rgba({int(mark)},{number >> 8},{number & 0xFF},0)"


def read_hidden_color(color: QColor) -> tuple[Mark, int] | None:
    """Return what `hidden_color` was given, or None for any other colour."""
    if color.alpha() != 0 or color.red() not in _MARK_VALUES:
        return None
    return Mark(color.red()), color.green() << 8 | color.blue()


_MARK_VALUES = frozenset(int(mark) for mark in Mark)


class PagePreparation:
    """Prepares a page piece by piece, so that the first screen need not wait for the rest.

    Iterating yields HTML pieces that end between two blocks of the top level; together they are the page.

    Args:
        html: a rendered page's body, in the dialect of `kb_app.rendering.model`.
        zoom: scale of sizes given in pixels, > 0.
        open_folds: numbers (from 0, document order) of details to show; None shows all.
        piece: characters after which a piece may end; the first piece is half as long.

    Attributes:
        hidden: number of each closed fold met so far to the HTML hidden in it.
    """

    def __init__(
        self,
        html: str,
        *,
        zoom: float = 1.0,
        open_folds: Collection[int] | None = None,
        piece: int = 16_384,
    ) -> None:
        self._html = set_tables(html)
        self._piece = piece
        self._writer = _Writer(zoom, open_folds)
        self._pieces = self._make_pieces()
        self.hidden = self._writer.hidden

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def lines(self) -> tuple[int, ...]:
        """Return the 1-based line numbers N that have an anchor ``line-N``, ascending."""
        return tuple(sorted({int(found) for found in _LINE_ANCHOR.findall(self._html)}))

    def _make_pieces(self) -> Iterator[str]:
        if self._html.startswith(_PLAIN_START):
            yield from self._plain_pieces()
            return
        position = 0
        enough = self._piece // 2
        for tag in _TAG.finditer(self._html):
            text = self._html[position : tag.start()]
            self._writer.text(text)
            self._writer.tag(tag[2], tag[3], is_end=bool(tag[1]))
            position = tag.end()
            # Not behind an empty paragraph: what follows would be appended to it.
            is_block_end = tag[1] and (tag[2] != "p" or text.strip())
            if is_block_end and self._writer.is_between_blocks and self._writer.written >= enough:
                yield self._writer.take()
                enough = self._piece
        self._writer.text(self._html[position:])
        yield self._writer.take()

    def _plain_pieces(self) -> Iterator[str]:
        """Yield a page that is one block of plain text, cut between lines."""
        text = self._html.removeprefix(_PLAIN_START).rstrip().removesuffix("</pre>")
        start = 0
        while start < len(text):
            end = text.find("\n", start + self._piece) + 1 or len(text)
            yield f"{_PLAIN_START}{text[start:end].removesuffix(chr(10))}</pre>"
            start = end


def _mark_of(attributes: str) -> Mark | None:
    found = _CLASS.search(attributes)
    classes = found[1].split() if found else []
    if "diagram" in classes:
        return Mark.DIAGRAM
    for name in classes:
        if name in _CLASS_MARKS:
            return _CLASS_MARKS[name]
    return None
