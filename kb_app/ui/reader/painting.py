"""Frames and chips that `QTextDocument` cannot draw: cards, callouts, quote bars, table frames, code chips.

They are drawn below the text, in document coordinates, for what is visible only. Geometry is asked block by
block, because asking for a frame's rectangle would lay out the whole document at once.

Decision: no reference to a frame of the document outlives `PagePainter.clear`, which must run before the
document's
content is replaced: replacing it deletes the frames and moves the scroll bar in the same call, and painting a
    deleted frame ends the process.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QPainter,
    QPainterPath,
    QPen,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrame,
    QTextLayout,
    QTextLine,
    QTextListFormat,
    QTextTable,
)

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.tokens import Tokens
from kb_app.ui.reader.page_html import CALLOUTS, Mark, read_hidden_color

RADIUS = 8
_CARDS = frozenset({Mark.CODE, Mark.DIAGRAM})
_UNDERLINES = {
    None: Qt.PenStyle.SolidLine,
    Mark.LINK_BROKEN: Qt.PenStyle.DashLine,
    Mark.LINK_OUT: Qt.PenStyle.DotLine,
}
"""Below a link, one whose file does not exist, one that is not followed: told apart without colour."""

_RING_LEVEL = 2
_PICTURE = "\ufffc"
_MAX_BLOCKS = 4_000
"""Blocks looked at for one paint; a screen shows some fifty."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A framed table.

    Attributes:
        mark: its kind.
        number: which code block or fold it is.
        first, last: positions of its first and last character in the document.
        table: the document's own object; see the module about its life.
    """

    mark: Mark
    number: int
    first: int
    last: int
    table: QTextTable


@dataclass(frozen=True, slots=True)
class _Chip:
    """A code span, a key or a link in one line, relative to its block's upper left corner.

    Attributes:
        mark: None for a link, which is underlined.
        left, right, baseline: of the text.
        size: of its font in pixels.
        color: of a link.
    """

    mark: Mark | None
    left: float
    right: float
    baseline: float
    size: float
    color: QColor


class PagePainter:
    """Knows the frames of one document and draws them.

    Args:
        document: the reader's document.
    """

    def __init__(self, document: QTextDocument) -> None:
        self._document = document
        self._frames: list[Frame] = []
        self._firsts: list[int] = []
        self._chips: dict[int, tuple[_Chip, ...]] = {}

    def clear(self) -> None:
        """Forget every frame; to be called before the document's content is replaced."""
        self._frames = []
        self._firsts = []
        self._chips = {}

    def collect(self) -> None:
        """Find the frames of the document's new content."""
        self.clear()
        self._frames = sorted(_frames_below(self._document.rootFrame()), key=lambda frame: frame.first)
        self._firsts = [frame.first for frame in self._frames]

    def forget_geometry(self) -> None:
        """Forget what depends on the width; to be called after a new layout."""
        self._chips = {}

    def frames(self) -> list[Frame]:
        """Return all frames in document order."""
        return self._frames

    def frames_between(self, first: int, last: int) -> list[Frame]:
        """Return the frames that hold any position from ``first`` to ``last``, outer ones first."""
        return [frame for frame in self._frames[: bisect_right(self._firsts, last)] if frame.last >= first]

    def rect(self, frame: Frame) -> QRectF:
        """Return the frame's outer rectangle in document coordinates; lays out the document up to its end."""
        layout = self._document.documentLayout()
        table = frame.table
        cell = table.cellAt(0, 0)
        padding = cell.format().toTableCellFormat()
        inside = layout.blockBoundingRect(cell.firstCursorPosition().block())
        left = inside.left() - padding.leftPadding()
        top = inside.top() - padding.topPadding()
        # The block behind a table stands right of it at its lower edge, or below it when a table follows.
        behind = layout.blockBoundingRect(self._document.findBlock(frame.last + 1))
        if behind.left() > left + 1:
            return QRectF(QPointF(left, top), QPointF(behind.left(), behind.bottom()))
        return QRectF(QPointF(left, top), QPointF(behind.right(), behind.top()))

    def paint(self, painter: QPainter, area: QRectF, tokens: Tokens) -> None:
        """Draw all that lies below the text in ``area`` (document coordinates)."""
        blocks = list(self._blocks_in(area))
        if not blocks:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        size = self._document.defaultFont().pixelSize()
        first, last = blocks[0][0].position(), blocks[-1][0].position() + blocks[-1][0].length()
        for frame in self.frames_between(first, last):
            _draw_frame(painter, frame.mark, self.rect(frame), size, tokens)
            if frame.mark is Mark.GRID:
                self._draw_grid_lines(painter, frame, blocks, tokens)
        for block, rect in blocks:
            if block.textList() is not None:
                _draw_bullet(painter, block, rect.topLeft(), tokens)
            for chip in self._chips_of(block):
                _draw_chip(painter, chip, rect.topLeft(), tokens)

    def visible_frames(self, area: QRectF) -> list[Frame]:
        """Return the frames that touch ``area`` (document coordinates), outer ones first."""
        blocks = [block for block, _ in self._blocks_in(area)]
        if not blocks:
            return []
        return self.frames_between(blocks[0].position(), blocks[-1].position() + blocks[-1].length())

    def _blocks_in(self, area: QRectF) -> Iterator[tuple[QTextBlock, QRectF]]:
        """Yield the blocks that touch ``area`` with their rectangles, in document order."""
        layout = self._document.documentLayout()
        position = layout.hitTest(QPointF(area.left() + 1, area.top()), Qt.HitTestAccuracy.FuzzyHit)
        block = self._document.findBlock(max(0, position))
        for _ in range(_MAX_BLOCKS):
            if not block.isValid():
                return
            rect = layout.blockBoundingRect(block)
            if rect.bottom() >= area.top() and rect.top() <= area.bottom():
                yield block, rect
            elif rect.top() > area.bottom() and _starts_row(block):
                return
            block = block.next()

    def _chips_of(self, block: QTextBlock) -> tuple[_Chip, ...]:
        number = block.blockNumber()
        known = self._chips.get(number)
        if known is None:
            known = tuple(_find_chips(block))
            self._chips[number] = known
        return known

    def _draw_grid_lines(
        self, painter: QPainter, frame: Frame, blocks: list[tuple[QTextBlock, QRectF]], tokens: Tokens
    ) -> None:
        rect = self.rect(frame)
        is_continued, continues = bool(frame.number & 1), bool(frame.number & 2)
        # Corners are round only where the whole table ends; the outline of a part goes on beyond it, cut off.
        above, below = 2 * RADIUS * is_continued, 2 * RADIUS * continues
        path = QPainterPath()
        path.addRoundedRect(rect.adjusted(0.5, 0.5 - above, -0.5, below - 0.5), RADIUS, RADIUS)
        tops = self._row_tops(frame, blocks)
        painter.save()
        painter.setClipRect(rect)
        painter.setClipPath(path, Qt.ClipOperation.IntersectClip)
        if 0 in tops and not is_continued:
            # The head ends where the second row begins; a table of one row is all head.
            bottom = tops.get(1, rect.bottom())
            painter.fillRect(
                QRectF(rect.left(), rect.top(), rect.width(), bottom - rect.top()), QColor(tokens.surface2)
            )
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        for row, top in tops.items():
            if row or is_continued:
                painter.drawLine(QPointF(rect.left(), round(top)), QPointF(rect.right(), round(top)))
        painter.restore()
        painter.save()
        painter.setClipRect(rect)
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        painter.restore()

    def _row_tops(self, frame: Frame, blocks: list[tuple[QTextBlock, QRectF]]) -> dict[int, float]:
        """Return the upper edge of each visible row and of the one below."""
        table = frame.table
        inside = [b.position() for b, _ in blocks if frame.first <= b.position() <= frame.last]
        if not inside:
            return {}
        first, last = table.cellAt(inside[0]).row(), table.cellAt(inside[-1]).row()
        layout = self._document.documentLayout()
        tops = {}
        for row in range(first, min(last + 2, table.rows())):
            edges = []
            for column in range(min(table.columns(), 3)):
                cell = table.cellAt(row, column)
                text_top = layout.blockBoundingRect(cell.firstCursorPosition().block()).top()
                edges.append(text_top - cell.format().toTableCellFormat().topPadding())
            tops[row] = min(edges)
        return tops


def _frames_below(frame: QTextFrame) -> Iterator[Frame]:
    for child in frame.childFrames():
        if isinstance(child, QTextTable):
            found = read_hidden_color(child.format().background().color())
            if found is not None:
                yield Frame(found[0], found[1], child.firstPosition(), child.lastPosition(), child)
        yield from _frames_below(child)


def _starts_row(block: QTextBlock) -> bool:
    """Tell whether every later block lies lower: outside a table, or in the first cell of a row."""
    table: QTextTable | None = QTextCursor(block).currentTable()
    if table is None:
        return True
    return table.cellAt(block.position()).column() == 0


def _find_chips(block: QTextBlock) -> Iterator[_Chip]:
    """Find the code spans, keys and links of a block, line by line."""
    iterator = block.begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        form = fragment.charFormat()
        found = None
        if form.hasProperty(QTextFormat.Property.BackgroundBrush.value):
            found = read_hidden_color(form.background().color())
        if found is not None or _is_underlined(form):
            start = fragment.position() - block.position()
            mark = found[0] if found else None
            yield from _on_each_line(block.layout(), start, start + fragment.length(), mark, form)
        iterator += 1


def _is_underlined(form: QTextCharFormat) -> bool:
    href = form.anchorHref()
    return bool(href) and not form.isImageFormat() and not href.startswith("fold:")


def _on_each_line(
    layout: QTextLayout, start: int, end: int, mark: Mark | None, form: QTextCharFormat
) -> Iterator[_Chip]:
    size = form.font().pixelSize()
    color = form.foreground().color()
    number = layout.lineForTextPosition(start).lineNumber()
    while number < layout.lineCount():
        line = layout.lineAt(number)
        number += 1
        first, last = max(start, line.textStart()), min(end, line.textStart() + line.textLength())
        if first >= end:
            return
        if first < last:
            baseline = line.y() + line.ascent()
            # The space at which a line breaks has a width but is not shown.
            right = min(cursor_x(line, last), line.x() + line.naturalTextWidth())
            yield _Chip(mark, cursor_x(line, first), right, baseline, size, color)


def cursor_x(line: QTextLine, position: int) -> float:
    """Return the x of ``position`` in its line; the binding returns it with the position it settled on."""
    found = line.cursorToX(position)
    return float(found[0]) if isinstance(found, tuple) else float(str(found))


def _draw_diagram_label(painter: QPainter, rect: QRectF, size: float, tokens: Tokens) -> None:
    """Say that the card holds a diagram's source, which this program does not draw."""
    painter.setFont(ui_font(0.79 * size, 500))
    painter.setPen(QColor(tokens.text3))
    place = QRectF(rect.left() + size, rect.top() + 0.5 * size, rect.width() - 4 * size, 1.4 * size)
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "Diagram, as source")


def _draw_frame(painter: QPainter, mark: Mark, rect: QRectF, size: float, tokens: Tokens) -> None:
    inner = rect.adjusted(0.5, 0.5, -0.5, -0.5)
    if mark in _CARDS:
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setBrush(QColor(tokens.surface2))
        painter.drawRoundedRect(inner, RADIUS, RADIUS)
        if mark is Mark.DIAGRAM:
            _draw_diagram_label(painter, rect, size, tokens)
    elif mark is Mark.DETAILS:
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(inner, RADIUS, RADIUS)
    elif mark is Mark.QUOTE:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.border))
        painter.drawRoundedRect(QRectF(rect.left(), rect.top(), 3, rect.height()), 1.5, 1.5)
    elif mark in CALLOUTS:
        color = CALLOUTS[mark][1]
        ground = "selection" if color == "accent" else f"{color}_bg"
        _draw_callout(painter, rect, QColor(tokens.color(color)), QColor(tokens.color(ground)))


def _draw_callout(painter: QPainter, rect: QRectF, bar: QColor, ground: QColor) -> None:
    path = QPainterPath()
    path.addRoundedRect(rect, RADIUS, RADIUS)
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillPath(path, ground)
    painter.setClipPath(path)
    painter.fillRect(QRectF(rect.left(), rect.top(), 4, rect.height()), bar)
    painter.restore()


def _draw_bullet(painter: QPainter, block: QTextBlock, origin: QPointF, tokens: Tokens) -> None:
    """Draw the bullet of an unordered item: disc, ring, square by level. Qt's own touches the text."""
    form = block.textList().format()
    if form.style() != QTextListFormat.Style.ListStyleUndefined or block.text().startswith(_PICTURE):
        return
    line = block.layout().lineAt(0)
    size = block.charFormat().font().pixelSize()
    indent = block.document().indentWidth()
    centre = QPointF(
        origin.x() + line.x() - 0.42 * indent, origin.y() + line.y() + line.ascent() - 0.34 * size
    )
    radius = 0.18 * size
    color = QColor(tokens.text2)
    level = form.indent()
    painter.setPen(QPen(color, 1.2) if level == _RING_LEVEL else Qt.PenStyle.NoPen)
    painter.setBrush(Qt.BrushStyle.NoBrush if level == _RING_LEVEL else color)
    if level > _RING_LEVEL:
        painter.drawRect(QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius))
    else:
        painter.drawEllipse(centre, radius, radius)


def _draw_chip(painter: QPainter, chip: _Chip, origin: QPointF, tokens: Tokens) -> None:
    left, right = origin.x() + chip.left, origin.x() + chip.right
    baseline = origin.y() + chip.baseline
    if chip.mark in _UNDERLINES:
        y = round(baseline + 0.16 * chip.size) + 0.5
        line = QColor(chip.color)
        line.setAlphaF(0.35 if chip.mark is None else 0.8)
        painter.setPen(QPen(line, 1, _UNDERLINES[chip.mark]))
        painter.drawLine(QPointF(left, y), QPointF(right, y))
        return
    rect = QRectF(left - 2, baseline - 1.08 * chip.size, right - left + 4, 1.44 * chip.size)
    is_key = chip.mark is Mark.KEY
    painter.setPen(QPen(QColor(tokens.outline), 1) if is_key else Qt.PenStyle.NoPen)
    ground = QColor(tokens.text)
    ground.setAlphaF(0.11 if tokens.is_dark else 0.065)
    painter.setBrush(QColor(tokens.surface) if is_key else ground)
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5) if is_key else rect, 4, 4)
