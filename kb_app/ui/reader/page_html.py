"""From a rendered page's HTML to the HTML and the style sheet that the reader's document is given.

`QTextDocument` knows no rounded frames, so each framed table and each code span carries its kind and number
in an invisible background colour (``rgba(kind, high, low, 0)``); `painting` reads it back and draws the
frame. One linear pass also sets what CSS cannot say there: cell spacing, gaps between neighbouring frames,
icons of callouts, folded details, and widths inside lists.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtGui import QColor

from kb_app.ui.common.fonts import MONO_FAMILY, UI_FAMILY
from kb_app.ui.common.tokens import Tokens


class Mark(IntEnum):
    """What an invisible colour stands for: its red channel. Blue and green number the frames of a kind."""

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

BLOCK_GAP = 10
"""Vertical gap between blocks, pixels at 100 %."""

_HEADINGS = (
    ("h1", 25, 0, 8, "text"),
    ("h2", 18, 30, 8, "text"),
    ("h3", 15, 24, 6, "text"),
    ("h4", 14, 20, 4, "text"),
    ("h5", 13, 18, 4, "text2"),
    ("h6", 13, 18, 4, "text2"),
)
"""Tag, size, space above and below in pixels at 100 %, colour."""

_CLASS_MARKS = {
    mark.name.lower(): mark for mark in (*CALLOUTS, Mark.CODE, Mark.QUOTE, Mark.GRID, Mark.DETAILS)
}
_TAG = re.compile(r'<(/?)(table|td|th|ul|ol|li|p|img)\b((?:[^>"]|"[^"]*")*)>')
_CLASS = re.compile(r'class="([^"]*)"')
_ICON_SOURCE = re.compile(r'src="icon:([a-z0-9-]+)"')
_PIXELS = re.compile(r'\b(width|height)="(\d+)"')
_NO_SUBSTANCE = re.compile(r'<a name="[^"]*"></a>|\s+')
_LINE_ANCHOR = re.compile(r'<a name="line-(\d+)"')


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """HTML for the document.

    Attributes:
        html: what `QTextDocument.setHtml` is given.
        lines: 1-based line numbers that have an anchor ``line-N``, ascending.
        folds: how many details the page holds, shown or not.
        hidden: number of each closed fold to the HTML hidden in it.
    """

    html: str
    lines: tuple[int, ...]
    folds: int
    hidden: dict[int, str]


@dataclass(slots=True)
class _Table:
    """An open table: its kind, its fold, how many lists it lies in, where its cell's tag was written."""

    mark: Mark | None
    fold: int
    outer_lists: int
    cell_at: int = -1
    cell_class: str = ""
    is_hiding: bool = False


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
        self._block: tuple[list[str], int, str, str] | None = None

    def text(self, chunk: str) -> None:
        """Take what stands between two tags of interest."""
        if (self._is_after_table or self._is_first) and _NO_SUBSTANCE.sub("", chunk):
            self._is_after_table = self._is_first = False
        self._emit(chunk)

    def tag(self, name: str, attributes: str, *, is_end: bool) -> None:
        """Take one tag."""
        if name in ("p", "img", "li"):
            self._is_first = False
        if name == "table":
            self._table_end() if is_end else self._table_start(attributes)
        elif name in ("td", "th"):
            self._cell_end(name) if is_end else self._cell_start(name, attributes)
        elif name == "p":
            self._paragraph_end() if is_end else self._paragraph_start(attributes)
        elif name == "img":
            self._is_after_table = False
            self._make_room_for_picture(attributes)
            self._emit(f"<img{self._image(attributes)}>")
        else:
            if name in ("ul", "ol"):
                self._lists = max(0, self._lists + (-1 if is_end else 1))
            if not is_end:
                self._is_after_table = False
            if name == "li" and not is_end:
                self._open_block(name, attributes)
            else:
                self._emit(f"<{'/' if is_end else ''}{name}{attributes}>")

    def _emit(self, text: str) -> None:
        (self.out if self._hiding is None else self._hidden_parts).append(text)

    def _open_block(self, name: str, attributes: str) -> None:
        self._emit(f"<{name}{attributes}>")
        sink = self.out if self._hiding is None else self._hidden_parts
        self._block = (sink, len(sink) - 1, name, attributes)

    def _make_room_for_picture(self, attributes: str) -> None:
        """Give the picture's paragraph a plain line height: 128 % of a picture is a gap below it."""
        if 'src="kb:' in attributes and self._block is not None:
            sink, at, name, own = self._block
            sink[at] = f'<{name}{own} style="line-height:100%">'

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
        style = []
        if mark is not None:
            style.append(f"background-color:{hidden_color(mark, number)}")
        if not self._is_first:
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
        self._block = None
        self._emit(f"<{name}{attributes}>")

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
        self._open_block("p", attributes)
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


def prepare(html: str, *, zoom: float, open_folds: Collection[int] | None) -> PreparedPage:
    """Return ``html`` (the dialect of `kb_app.rendering.model`) as the document wants it.

    Args:
        html: a rendered page's body.
        zoom: scale of sizes given in pixels, > 0.
        open_folds: numbers (from 0, document order) of details to show; None shows all.
    """
    writer = _Writer(zoom, open_folds)
    position = 0
    for tag in _TAG.finditer(html):
        writer.text(html[position : tag.start()])
        position = tag.end()
        writer.tag(tag[2], tag[3], is_end=bool(tag[1]))
    writer.text(html[position:])
    lines = tuple(sorted({int(found) for found in _LINE_ANCHOR.findall(html)}))
    return PreparedPage("".join(writer.out), lines, writer.folds, writer.hidden)


def _mark_of(attributes: str) -> Mark | None:
    found = _CLASS.search(attributes)
    classes = found[1].split() if found else []
    if "diagram" in classes:
        return Mark.DIAGRAM
    for name in classes:
        if name in _CLASS_MARKS:
            return _CLASS_MARKS[name]
    return None


def page_css(tokens: Tokens, zoom: float) -> str:
    """Return the document's style sheet: ``tokens``' colours, sizes scaled by ``zoom`` (> 0).

    Line heights are percentages of the font's own leading: 128 % of Inter's equals 1.55 of its size.
    """

    def px(pixels: float) -> str:
        return f"{pixels * zoom:.1f}px"

    rules = [
        f"body,p,li,td,th,div{{font-family:'{UI_FAMILY}';font-size:{px(14)};color:{tokens.text};line-height:128%}}",
        f"p{{margin-top:{px(8)};margin-bottom:{px(10)}}}",
        *(
            f"{name}{{font-family:'{UI_FAMILY}';font-size:{px(size)};font-weight:600;"
            f"margin-top:{px(above)};margin-bottom:{px(below)};color:{tokens.color(color)}}}"
            for name, size, above, below, color in _HEADINGS
        ),
        f"h1{{letter-spacing:{-0.4 * zoom:.2f}px;line-height:112%}}h2{{letter-spacing:{-0.15 * zoom:.2f}px}}",
        f"a{{color:{tokens.accent};text-decoration:none}}",
        f"ul,ol{{margin-top:{px(6)};margin-bottom:{px(4)}}}",
        f"li{{margin-top:{px(4)};margin-bottom:{px(4)}}}",
        f"li p{{margin-top:{px(4)};margin-bottom:{px(4)}}}",
        f"li ul,li ol{{margin-top:{px(4)};margin-bottom:{px(4)}}}",
        "ul,li.task{list-style-type:none}",
        f"li.task{{text-indent:{px(-21)}}}",
        f"dt{{font-weight:600;margin-top:{px(8)}}}dd{{margin-left:{px(INDENT)};margin-bottom:{px(6)}}}",
        f"hr{{background-color:{tokens.border};margin-top:{px(20)};margin-bottom:{px(20)}}}",
        "b,strong{font-weight:600}",
        f"code,kbd{{font-family:'{MONO_FAMILY}';font-size:{px(12.5)}}}",
        f"code{{background-color:{hidden_color(Mark.INLINE_CODE)}}}",
        f"kbd{{background-color:{hidden_color(Mark.KEY)};color:{tokens.text2}}}",
        f"pre{{font-family:'{MONO_FAMILY}';font-size:{px(12.5)};line-height:118%;white-space:pre-wrap}}",
        f"pre{{margin-top:0;margin-bottom:0;color:{tokens.text}}}",
        f"pre.plain{{margin-top:{px(8)}}}",
        f"td.code{{padding:{px(10)};padding-left:{px(14)};padding-right:{px(44)}}}",
        f"td.callout{{padding-top:{px(8)};padding-bottom:{px(8)};padding-left:{px(18)};padding-right:{px(14)}}}",
        f"td.callout p{{margin-top:{px(2)};margin-bottom:{px(8)}}}",
        "td.callout p.callout-title{margin-top:0;margin-bottom:0;font-weight:600}",
        f"td.quote{{padding-left:{px(16)};padding-bottom:{px(4)}}}",
        f"td.quote,td.quote p,td.quote li{{color:{tokens.text2}}}",
        f"td.details{{padding-top:{px(7)};padding-bottom:{px(6)};padding-left:{px(12)};padding-right:{px(14)}}}",
        f"p.summary{{margin-top:0;margin-bottom:{px(2)};font-weight:500}}p.summary a{{color:{tokens.text}}}",
        "table.grid{border-collapse:collapse}",
        f"table.grid td,table.grid th{{padding:{px(7)};padding-left:{px(11)};padding-right:{px(11)}}}",
        f"table.grid td,table.grid th{{font-size:{px(13)};border:0px}}",
        f"table.grid th{{font-weight:600;color:{tokens.text2};font-size:{px(12)}}}",
        f"span.link-broken{{color:{tokens.danger}}}span.link-out{{color:{tokens.text2}}}",
        f"span.image-out{{color:{tokens.text3}}}",
        "img.icon{vertical-align:middle}",
        *(
            f"td.{mark.name.lower()} p.callout-title{{color:{tokens.color(c)}}}"
            for mark, (_, c) in CALLOUTS.items()
        ),
        *_syntax(tokens),
    ]
    return "\n".join(rules)


def _syntax(tokens: Tokens) -> tuple[str, ...]:
    """Return rules for Pygments' short class names. Source: `pygments.token.STANDARD_TYPES`."""
    groups = (
        ("k kc kd kn kp kr kt nt ow gh", tokens.syntax_keyword),
        ("s s1 s2 sa sb sc dl sd se sh si sr ss sx gi", tokens.syntax_string),
        ("c c1 ch cm cp cpf cs gp go", tokens.syntax_comment),
        ("nb bp nc nf fm na nd ne nn nl", tokens.syntax_name),
        ("m mb mf mh mi mo il nv vc vg vi vm no l ld", tokens.syntax_number),
        ("err gd gr gt", tokens.danger),
    )
    return tuple(
        ",".join(f"span.{name}" for name in names.split()) + f"{{color:{color}}}" for names, color in groups
    )
