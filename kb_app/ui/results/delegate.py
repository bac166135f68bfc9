"""Paints the rows of the result list.

Decision: a `QTextLayout` for each text, kept in an LRU: measured fastest of seven ways, exact highlights, no
HTML. Fonts and colours are made once for each theme, never in ``paint``.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPen,
    QPixmap,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.icons import icon
from kb_app.ui.common.theme import Theme
from kb_app.ui.results.model import Index, ResultRole
from kb_app.ui.results.state import SEVERITY_NAMES, Row, RowKind, age_text, more_text, on_one_line

ROW_HEIGHT = 104
SHORT_ROW_HEIGHT = 56
HEADER_HEIGHT = 34
LINE_HEIGHT = 20
"""What a second line of the title, and the line that says why, add to a row."""
MORE_HEIGHT = 26
"""What the line "3 more like this" adds."""
_MARGIN = 8
_PADDING = 14
_CACHED_LAYOUTS = 400
_ICON = 14
_MAX_AGE = 60
"""More than any age takes, in pixels."""

Marks = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Ink:
    """Fonts and colours of one theme."""

    title: QFont
    meta: QFont
    small: QFont
    body: QFont
    heading: QFont
    text: QColor
    text2: QColor
    text3: QColor
    accent: QColor
    selection: QColor
    hover: QColor
    danger: QColor
    mitigate: QColor
    fix: QColor
    border: QColor
    mark: QTextCharFormat
    title_mark: QTextCharFormat
    shield: QPixmap
    wrench: QPixmap
    more: QPixmap
    less: QPixmap
    title_metrics: QFontMetricsF
    meta_metrics: QFontMetricsF
    small_metrics: QFontMetricsF


def _ink() -> _Ink:
    theme = Theme.current()
    mark, title_mark = QTextCharFormat(), QTextCharFormat()
    for one in (mark, title_mark):
        one.setBackground(theme.color("mark"))
        one.setForeground(theme.color("on_mark"))
    return _Ink(
        title=ui_font(14, 600),
        meta=ui_font(12, 500),
        small=ui_font(12),
        body=ui_font(13),
        heading=ui_font(12, 600),
        text=theme.color("text"),
        text2=theme.color("text2"),
        text3=theme.color("text3"),
        accent=theme.color("accent"),
        selection=theme.color("selection"),
        hover=theme.color("hover"),
        danger=theme.color("danger"),
        mitigate=theme.color("mitigate"),
        fix=theme.color("fix"),
        border=theme.color("border"),
        mark=mark,
        title_mark=title_mark,
        shield=icon("shield-alert", "mitigate", _ICON).pixmap(_ICON, _ICON),
        wrench=icon("wrench", "fix", _ICON).pixmap(_ICON, _ICON),
        more=icon("chevron-right", "accent", _ICON).pixmap(_ICON, _ICON),
        less=icon("chevron-down", "accent", _ICON).pixmap(_ICON, _ICON),
        title_metrics=QFontMetricsF(ui_font(14, 600)),
        meta_metrics=QFontMetricsF(ui_font(12, 500)),
        small_metrics=QFontMetricsF(ui_font(12)),
    )


class ResultDelegate(QStyledItemDelegate):
    """Title with age, a line of facts, for a paste one that says why, two lines of snippet, matches marked.

    A title gets a second line where it needs one: many titles share their beginning.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        """Take fonts and colours of the present theme and follow it."""
        super().__init__(parent)
        self._ink = _ink()
        self._layouts: OrderedDict[tuple[object, ...], QTextLayout] = OrderedDict()
        self._today = dt.date.today()
        self._title_widths: dict[str, float] = {}
        Theme.current().changed.connect(self._on_theme_changed)

    def forget_day(self) -> None:
        """Look at the calendar again."""
        self._today = dt.date.today()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the row's height: heading, without snippet, or full."""
        row = index.data(ResultRole.ROW)
        width = option.rect.width()
        if not isinstance(row, Row) or row.kind is RowKind.HEADER:
            return QSize(width, HEADER_HEIGHT)
        has_snippet = row.hit is not None and bool(row.hit.snippet)
        height = ROW_HEIGHT if has_snippet else SHORT_ROW_HEIGHT
        height += LINE_HEIGHT * (self._title_lines(row, self._room(option)) - 1 + self._has_why(row))
        return QSize(width, height + (MORE_HEIGHT if row.twins else 0))

    @staticmethod
    def _room(option: QStyleOptionViewItem) -> float:
        """Return the width of a row's texts."""
        view = option.widget
        width = view.viewport().width() if isinstance(view, QAbstractItemView) else option.rect.width()
        return float(width - 2 * _MARGIN - _PADDING - 12)

    def _title_lines(self, row: Row, room: float) -> int:
        """Return how many lines a title takes: two where one is too short."""
        if row.is_twin:
            return 1
        known = self._title_widths.get(row.title)
        if known is None:
            if len(self._title_widths) > 4 * _CACHED_LAYOUTS:
                self._title_widths.clear()
            known = self._title_widths[row.title] = self._ink.title_metrics.horizontalAdvance(row.title)
        if known <= room - _MAX_AGE or known > room:  # the age takes too long to be asked for in vain
            return 2 if known > room else 1
        return 2 if known > room - self._age_width(row) else 1

    def _age_width(self, row: Row) -> float:
        age = age_text(row.hit.reviewed, self._today) if row.hit is not None else ""
        return self._ink.meta_metrics.horizontalAdvance(age) + 12 if age else 0.0

    @staticmethod
    def _has_why(row: Row) -> bool:
        return bool(row.why or (row.hit is not None and row.hit.fit_words))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        row = index.data(ResultRole.ROW)
        if not isinstance(row, Row):
            return
        painter.save()
        try:
            if row.kind is RowKind.HEADER:
                self._paint_header(painter, option.rect, row)
            else:
                self._paint_ground(painter, option)
                self._paint_hit(painter, option, row)
        finally:
            painter.restore()

    def _paint_header(self, painter: QPainter, rect: QRect, row: Row) -> None:
        painter.setFont(self._ink.heading)
        painter.setPen(self._ink.text3)
        area = rect.adjusted(_MARGIN + _PADDING, 8, -_PADDING, 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, row.title)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        ink = self._ink
        area = QRectF(option.rect).adjusted(_MARGIN, 1, -_MARGIN, -1)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        is_hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_selected or is_hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink.selection if is_selected else ink.hover)
            painter.drawRoundedRect(area, 8, 8)
        if is_selected:
            painter.setBrush(ink.accent)
            painter.drawRoundedRect(QRectF(area.left(), area.top() + 10, 3, area.height() - 20), 1.5, 1.5)
        if is_selected and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(ink.accent, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 7, 7)

    def _paint_hit(self, painter: QPainter, option: QStyleOptionViewItem, row: Row) -> None:
        area = QRectF(option.rect).adjusted(_MARGIN + _PADDING, 10, -_MARGIN - 12, -8)
        if row.is_twin:
            self._paint_twin(painter, area, row)
            return
        if row.twins:
            self._paint_more(painter, area, row)
        lines = self._title_lines(row, area.width())
        self._paint_title(painter, area, row, lines)
        area = area.adjusted(0, LINE_HEIGHT * (lines - 1), 0, 0)
        self._paint_facts(painter, area, row)
        if self._has_why(row):
            self._paint_why(painter, area, row)
            area = area.adjusted(0, LINE_HEIGHT, 0, 0)
        if row.hit is not None and row.hit.snippet:
            width = area.width()
            layout = self._layout(
                row.hit.snippet, row.hit.snippet_marks, self._ink.body, width, lines=2, mark=self._ink.mark
            )
            painter.setPen(self._ink.text2)
            layout.draw(painter, QPointF(area.left(), area.top() + 43))

    def _paint_why(self, painter: QPainter, area: QRectF, row: Row) -> None:
        """Paint why the entry answers a paste, and whether it is about the version there."""
        ink, hit = self._ink, row.hit
        left, baseline = area.left(), area.top() + 35 + LINE_HEIGHT
        fit = hit.fit_words if hit is not None else ""
        fit_width = ink.meta_metrics.horizontalAdvance(fit)
        room = area.width() - (fit_width + 12 if fit else 0)
        painter.setFont(ink.small)
        painter.setPen(ink.text2)
        why = ink.small_metrics.elidedText(row.why, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(left, baseline), why)
        if fit and hit is not None:
            left += ink.small_metrics.horizontalAdvance(why) + 10 if why else 0
            colors = {"fits": ink.fix, "fixed": ink.danger, "outside": ink.danger}
            painter.setFont(ink.meta)
            painter.setPen(colors.get(hit.fit, ink.text3))
            fit = ink.meta_metrics.elidedText(fit, Qt.TextElideMode.ElideRight, area.right() - left)
            painter.drawText(QPointF(left, baseline), fit)

    def _paint_more(self, painter: QPainter, area: QRectF, row: Row) -> None:
        """Paint the line that shows and hides near-duplicates at the row's end."""
        ink = self._ink
        baseline = area.bottom() - 2
        painter.drawPixmap(QPointF(area.left() - 2, baseline - 11), ink.less if row.is_open else ink.more)
        painter.setFont(ink.meta)
        painter.setPen(ink.accent)
        painter.drawText(QPointF(area.left() + 16, baseline), more_text(row))

    def _paint_twin(self, painter: QPainter, area: QRectF, row: Row) -> None:
        """Paint a near-duplicate: in what it differs, where it lies; its title is that of the row above."""
        ink = self._ink
        painter.setPen(QPen(ink.border, 2))
        painter.drawLine(
            QPointF(area.left() + 5, area.top() - 6), QPointF(area.left() + 5, area.bottom() + 4)
        )
        area = area.adjusted(18, 0, 0, 0)
        layout = self._layout(row.differs, (), ink.body, area.width(), lines=1, mark=ink.mark)
        painter.setPen(ink.text)
        layout.draw(painter, QPointF(area.left(), area.top() - 2))
        painter.setFont(ink.small)
        painter.setPen(ink.text3)
        place = ink.small_metrics.elidedText(row.place, Qt.TextElideMode.ElideMiddle, area.width())
        painter.drawText(QPointF(area.left(), area.top() + 33), place)

    def _paint_title(self, painter: QPainter, area: QRectF, row: Row, lines: int) -> None:
        ink = self._ink
        width = area.width()
        age = age_text(row.hit.reviewed, self._today) if row.hit is not None else ""
        if age:
            painter.setFont(ink.meta)
            painter.setPen(ink.text3)
            age_width = ink.meta_metrics.horizontalAdvance(age)
            painter.drawText(QPointF(area.right() - age_width, area.top() + 14), age)
            width -= age_width + 12
        marks = row.hit.title_marks if row.hit is not None else ()
        layout = self._layout(row.title, marks, ink.title, width, lines=lines, mark=ink.title_mark)
        painter.setPen(ink.text)
        layout.draw(painter, QPointF(area.left(), area.top()))

    def _paint_facts(self, painter: QPainter, area: QRectF, row: Row) -> None:
        """Paint the second line: dot and severity, kind, place; at the right what ways out there are."""
        ink = self._ink
        right = self._paint_ways_out(painter, area, row)
        left, baseline = area.left(), area.top() + 35
        words, color = self._first_fact(row)
        metrics = ink.meta_metrics
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(QPointF(left + 3, baseline - 4), 3, 3)
        left += 11
        painter.setFont(ink.meta)
        painter.setPen(color)
        painter.drawText(QPointF(left, baseline), words)
        left += metrics.horizontalAdvance(words) + 10
        rest = "  ·  ".join(part for part in self._further_facts(row) if part)
        painter.setFont(ink.small)
        painter.setPen(ink.text3)
        shown = ink.small_metrics.elidedText(rest, Qt.TextElideMode.ElideMiddle, max(0.0, right - left))
        painter.drawText(QPointF(left, baseline), shown)

    def _first_fact(self, row: Row) -> tuple[str, QColor]:
        ink, hit = self._ink, row.hit
        if row.is_weak:
            return "Weak match", ink.mitigate
        if hit is not None and hit.severity in ("sev1", "sev2"):
            return SEVERITY_NAMES[hit.severity], ink.danger if hit.severity == "sev1" else ink.mitigate
        return row.kind_name or "Entry", ink.text2

    def _further_facts(self, row: Row) -> tuple[str, ...]:
        hit = row.hit
        state = hit.state if hit is not None and hit.state in ("draft", "retired", "verified") else ""
        is_told = hit is None or not (row.is_weak or hit.severity in ("sev1", "sev2"))
        kind = "" if is_told or row.base_label else row.kind_name
        return (kind, row.place, state, row.base_label)

    def _paint_ways_out(self, painter: QPainter, area: QRectF, row: Row) -> float:
        """Paint the marks of a mitigation and a fix; return where the text has to end."""
        right = area.right()
        has = row.hit.has if row.hit is not None else ()
        for name, picture in (("fix", self._ink.wrench), ("mitigation", self._ink.shield)):
            if name in has:
                right -= _ICON
                painter.drawPixmap(QPointF(right, area.top() + 23), picture)
                right -= 6
        return right - 2

    def _layout(
        self, text: str, marks: Marks, font: QFont, width: float, *, lines: int, mark: QTextCharFormat
    ) -> QTextLayout:
        key = (text, tuple(marks), id(font), round(width), lines)
        layout = self._layouts.get(key)
        if layout is None:
            layout = _laid_out(text, marks, font, width, lines=lines, mark=mark)
            self._layouts[key] = layout
            if len(self._layouts) > _CACHED_LAYOUTS:
                self._layouts.popitem(last=False)
        else:
            self._layouts.move_to_end(key)
        return layout

    def _on_theme_changed(self) -> None:
        self._ink = _ink()
        self._layouts.clear()


def _laid_out(
    text: str, marks: Marks, font: QFont, width: float, *, lines: int, mark: QTextCharFormat
) -> QTextLayout:
    """Return ``text`` in at most ``lines`` lines of ``width`` pixels, the rest elided, matches marked."""
    plain = on_one_line(text)
    is_title = font.weight() >= QFont.Weight.DemiBold  # its end tells it from others that begin alike
    mode = Qt.TextElideMode.ElideMiddle if is_title and lines > 1 else Qt.TextElideMode.ElideRight
    fitting = _fitting_text(plain, font, width, lines, mode)
    layout = QTextLayout(fitting, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.setCacheEnabled(True)
    formats = []
    pairs = enumerate(zip(plain, fitting, strict=False))
    same = next((n for n, (one, other) in pairs if one != other), min(len(plain), len(fitting)))
    for start, end in marks:
        if start < same:
            one = QTextLayout.FormatRange()
            one.start = _units(fitting[:start])
            one.length, one.format = _units(fitting[start : min(end, same)]), mark
            formats.append(one)
    layout.setFormats(formats)
    _break_lines(layout, width, lines)
    return layout


def _break_lines(layout: QTextLayout, width: float, lines: int) -> int:
    """Break into at most ``lines`` lines; return the number of characters they hold."""
    height, used = 0.0, 0
    layout.beginLayout()
    for _ in range(lines):
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, height))
        height += line.height() + 2
        used = line.textStart() + line.textLength()
    layout.endLayout()
    return used


def _fitting_text(text: str, font: QFont, width: float, lines: int, mode: Qt.TextElideMode) -> str:
    """Return as much of ``text`` as fits, with an ellipsis in the last line when something had to go."""
    metrics = QFontMetricsF(font)
    if lines == 1:
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    used = _break_lines(layout, width, lines - 1)
    encoded = text.encode("utf-16-le")
    if used * 2 >= len(encoded):
        return text
    first, rest = encoded[: used * 2].decode("utf-16-le"), encoded[used * 2 :].decode("utf-16-le")
    return first + metrics.elidedText(rest, mode, width - 1)


def _units(text: str) -> int:
    """Return the length of ``text`` as Qt counts it: in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
