"""Painting an incident over time: how bad it was, what was decided and done, what was measured.

Decision: `geometry` places everything when the width or the record changes, never while painting; fonts,
colours and icons are made once for each theme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QToolTip, QWidget

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.icons import icon
from kb_app.ui.common.messages import announce
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import plain_tooltip
from kb_app.ui.timeline.geometry import (
    AXIS_HEIGHT,
    BAND_HEIGHT,
    BAND_TOP,
    LANE_HEIGHT,
    LANE_ROWS,
    MARK,
    Box,
    Layout,
    Mark,
    lane_tops,
    lay_out,
)
from kb_app.ui.timeline.state import Level, Track, utc_clock

GUTTER = 92
MAX_ZOOM = 32.0
ZOOM_STEP = 1.5
_ICON = 12

_LEVEL_COLORS: Mapping[Level, tuple[str, str]] = {
    Level.DOWN: ("danger", "surface"),
    Level.DEGRADED: ("mitigate", "surface"),
    Level.MINOR: ("info", "surface"),
    Level.UNKNOWN: ("border", "text2"),
    Level.MITIGATED: ("mitigate_bg", "mitigate"),
    Level.FIXED: ("fix_bg", "fix"),
}
"""Ground and text of a stretch of the band."""


@dataclass(slots=True)
class _Ink:
    """Fonts of the picture, and its colours and icons for one theme, made when first needed."""

    small: QFont
    strong: QFont
    metrics: QFontMetricsF
    strong_metrics: QFontMetricsF
    icons: dict[tuple[str, str], QPixmap]

    @staticmethod
    def color(token: str) -> QColor:
        return Theme.current().color(token)

    def icon(self, name: str, color: str) -> QPixmap:
        if (name, color) not in self.icons:
            self.icons[name, color] = icon(name, color, _ICON).pixmap(_ICON, _ICON)
        return self.icons[name, color]


def _ink() -> _Ink:
    small, strong = ui_font(11), ui_font(11, 600)
    return _Ink(small, strong, QFontMetricsF(small), QFontMetricsF(strong), {})


class TrackCanvas(QWidget):
    """The picture itself, as wide as the zoom wants it.

    Signals:
        selected(int): a moment was pointed at or chosen by key.
        opened(int): Enter on a moment, or a click.
        zoom_requested(float): how much nearer, around the selected moment.
    """

    selected = Signal(int)
    opened = Signal(int)
    zoom_requested = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty one."""
        super().__init__(parent)
        self.setObjectName("trackCanvas")
        self.setAccessibleName("Timeline picture")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._track: Track | None = None
        self._layout: Layout | None = None
        self._selected = -1
        self._ink = _ink()
        Theme.current().changed.connect(self._on_theme_changed)

    @property
    def layout_now(self) -> Layout | None:
        """Where everything stands; None while there is nothing."""
        return self._layout

    def set_track(self, track: Track | None) -> None:
        """Show another track."""
        self._track = track
        self._selected = -1
        self._lay_out()

    def select(self, moment: int) -> None:
        """Mark a moment without telling."""
        if moment != self._selected:
            self._selected = moment
            self.update()

    @property
    def selection(self) -> int:
        """The moment that is marked, -1 for none."""
        return self._selected

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place everything for the new width."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        self._layout = lay_out(self._track, self.width()) if self._track is not None else None
        self.update()

    def _on_theme_changed(self) -> None:
        self._ink = _ink()
        self.update()

    # -- pointing and keys ----------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select what the pointer is on; its words stand in a tooltip."""
        mark = self._mark_at(event.position())
        if mark is None:
            QToolTip.hideText()
            return
        moment = mark.points[0].moment if not mark.holds(self._selected) else self._selected
        QToolTip.showText(event.globalPosition().toPoint(), _tooltip(mark), self)
        if moment != self._selected:
            self.select(moment)
            self.selected.emit(moment)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open what was clicked; several moments at one place take turns."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        mark = self._mark_at(event.position())
        if mark is None:
            return
        moments = [point.moment for point in mark.points]
        turn = moments.index(self._selected) + 1 if self._selected in moments and len(moments) > 1 else 0
        self._choose(moments[turn % len(moments)])

    def _mark_at(self, at: QPointF) -> Mark | None:
        return self._layout.mark_at(at.x(), at.y()) if self._layout is not None else None

    def _choose(self, moment: int) -> None:
        self.select(moment)
        self.selected.emit(moment)
        if self._track is not None:
            point = self._track.points[moment]
            announce(self, f"{utc_clock(point.at)} {point.look.name}: {point.text}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right go from moment to moment; Enter goes to the list."""
        count = len(self._track.points) if self._track is not None else 0
        moves = {
            Qt.Key.Key_Left: self._selected - 1,
            Qt.Key.Key_Right: self._selected + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: count - 1,
        }
        key = Qt.Key(event.key())
        if event.modifiers() & ~(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier):
            super().keyPressEvent(event)
        elif key in moves and count:
            self._choose(max(0, min(count - 1, moves[key])))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._selected >= 0:
            self.opened.emit(self._selected)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom with Ctrl; scroll otherwise."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_requested.emit(ZOOM_STEP if event.angleDelta().y() > 0 else 1 / ZOOM_STEP)
            event.accept()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which moment the keys act on."""
        super().focusInEvent(event)
        if self._selected < 0 and self._track is not None and self._track.points:
            self._choose(0)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the focus ring away."""
        super().focusOutEvent(event)
        self.update()

    # -- painting -------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - the whole is painted
        """Paint axis, band, spans, lanes and marks."""
        layout = self._layout
        if layout is None:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_lanes(painter, layout)
            self._paint_axis(painter, layout)
            self._paint_band(painter, layout)
            self._paint_waits(painter, layout)
            self._paint_brackets(painter, layout)
            self._paint_cuts(painter, layout)
            for mark in layout.marks:
                self._paint_mark(painter, mark, is_selected=mark.holds(self._selected))

    def _paint_lanes(self, painter: QPainter, layout: Layout) -> None:
        painter.setPen(QPen(self._ink.color("border"), 1))
        for lane, top in layout.lanes:
            middle = top + LANE_HEIGHT * LANE_ROWS.get(lane, 1) / 2
            y = round(middle) + 0.5 if LANE_ROWS.get(lane, 1) == 1 else round(top) + 0.5
            if LANE_ROWS.get(lane, 1) == 1:
                painter.drawLine(QPointF(0, y), QPointF(layout.width, y))
            else:
                for row in range(LANE_ROWS[lane]):
                    line = round(top + LANE_HEIGHT * (row + 0.5)) + 0.5
                    painter.drawLine(QPointF(0, line), QPointF(layout.width, line))

    def _paint_axis(self, painter: QPainter, layout: Layout) -> None:
        ink = self._ink
        painter.setFont(ink.small)
        for tick in layout.ticks:
            painter.setPen(QPen(ink.color("border"), 1))
            x = round(tick.x) + 0.5
            painter.drawLine(QPointF(x, AXIS_HEIGHT - 4), QPointF(x, layout.height - 4))
            painter.setPen(ink.color("text3"))
            width = ink.metrics.horizontalAdvance(tick.text)
            left = max(2.0, min(tick.x - width / 2, layout.width - width - 2))
            painter.drawText(QPointF(left, AXIS_HEIGHT - 8), tick.text)
        if layout.now is not None:
            x = round(layout.now) - 0.5
            painter.setPen(QPen(ink.color("accent"), 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(x, AXIS_HEIGHT - 4), QPointF(x, layout.height - 4))

    def _paint_band(self, painter: QPainter, layout: Layout) -> None:
        ink = self._ink
        painter.setFont(ink.strong)
        for box in layout.band:
            ground, text = _LEVEL_COLORS[box.level]
            area = _rect(box).adjusted(0.5, 0, -0.5, 0)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink.color(ground))
            painter.drawRoundedRect(area, 4, 4)
            if box.text:
                painter.setPen(ink.color(text))
                room = QRectF(box.text_left, box.top, box.text_right - box.text_left, box.height)
                painter.drawText(room, Qt.AlignmentFlag.AlignCenter, box.text)

    def _paint_waits(self, painter: QPainter, layout: Layout) -> None:
        for box in layout.waits:
            mark = layout.mark_of(box.moment)
            if mark is None:
                continue
            ground = self._ink.color("mitigate")
            ground.setAlpha(60)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QBrush(ground, Qt.BrushStyle.SolidPattern))
            area = QRectF(mark.x, mark.y - 4, max(6.0, box.right - mark.x), 8)
            painter.drawRoundedRect(area, 4, 4)

    def _paint_brackets(self, painter: QPainter, layout: Layout) -> None:
        ink = self._ink
        for box in layout.brackets:
            color = ink.color(box.color)
            middle = round(box.top + box.height / 2) + 0.5
            painter.setPen(QPen(color, 1.5))
            painter.drawLine(QPointF(box.left, middle), QPointF(box.right, middle))
            for x in (box.left, box.right):
                painter.drawLine(QPointF(x, middle - 5), QPointF(x, middle + 5))
            painter.setPen(QPen(color, 1, Qt.PenStyle.DotLine))
            painter.drawLine(QPointF(box.right, BAND_TOP + BAND_HEIGHT), QPointF(box.right, middle - 5))
            self._paint_bracket_text(painter, layout, box, middle)

    def _paint_bracket_text(self, painter: QPainter, layout: Layout, box: Box, middle: float) -> None:
        """Write the span on its line where it fits, else right of it, else left."""
        ink = self._ink
        width = ink.strong_metrics.horizontalAdvance(box.text) + 12
        if box.right - box.left >= width + 16:
            left = (box.left + box.right - width) / 2
        elif box.right + width + 4 <= layout.width:
            left = box.right + 2
        else:
            left = max(0.0, box.left - width - 2)
        area = QRectF(left, middle - 8, width, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink.color("surface"))
        painter.drawRect(area)
        painter.setFont(ink.strong)
        painter.setPen(ink.color(box.color))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, box.text)

    def _paint_cuts(self, painter: QPainter, layout: Layout) -> None:
        ink = self._ink
        for cut in layout.scale.cuts:
            left, right = cut.left + 6, cut.right - 6
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink.color("surface"))
            painter.drawRect(QRectF(left, AXIS_HEIGHT, right - left, layout.height - AXIS_HEIGHT - 4))
            painter.setPen(QPen(ink.color("outline"), 1, Qt.PenStyle.DotLine))
            for x in (left, right):
                painter.drawLine(QPointF(x, AXIS_HEIGHT), QPointF(x, layout.height - 4))
            painter.setFont(ink.small)
            painter.setPen(ink.color("text3"))
            self._paint_upright(painter, (left + right) / 2, layout.height / 2, f"{cut.text} later")

    @staticmethod
    def _paint_upright(painter: QPainter, x: float, y: float, text: str) -> None:
        painter.save()
        painter.translate(x, y)
        painter.rotate(-90)
        painter.drawText(QRectF(-90, -8, 180, 16), Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    def _paint_mark(self, painter: QPainter, mark: Mark, *, is_selected: bool) -> None:
        ink = self._ink
        edge = QRectF(mark.x - MARK / 2, mark.y - MARK / 2, MARK, MARK)
        point = mark.points[0]
        color = "accent" if is_selected else point.look.color
        is_late = any(one.is_late for one in mark.points)
        pen = QPen(ink.color(color), 2 if is_selected else 1.25)
        if is_late and not is_selected:
            pen.setStyle(Qt.PenStyle.DashLine)
            pen.setDashPattern([2, 2])
        painter.setPen(pen)
        painter.setBrush(ink.color("selection" if is_selected else "surface"))
        painter.drawRoundedRect(edge.adjusted(1, 1, -1, -1), 9, 9)
        if len(mark.points) > 1:
            painter.setFont(ink.strong)
            painter.setPen(ink.color("text" if not is_selected else "accent"))
            painter.drawText(edge, Qt.AlignmentFlag.AlignCenter, str(min(99, len(mark.points))))
        else:
            picture = ink.icon(point.look.icon, color)
            painter.drawPixmap(QPointF(mark.x - _ICON / 2, mark.y - _ICON / 2), picture)
        if any(one.is_corrected for one in mark.points):
            painter.setPen(QPen(ink.color("surface"), 1))
            painter.setBrush(ink.color("mitigate"))
            painter.drawEllipse(QPointF(edge.right() - 3, edge.top() + 3), 3.5, 3.5)
        if is_selected and self.hasFocus():
            painter.setPen(QPen(ink.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(edge.adjusted(-3, -3, 3, 3), 12, 12)


def _rect(box: Box) -> QRectF:
    return QRectF(box.left, box.top, max(1.0, box.right - box.left), box.height)


def _tooltip(mark: Mark) -> str:
    lines = [
        f"{utc_clock(p.at)} UTC  {p.look.name}: {p.text[:160]}" + ("  (late entry)" if p.is_late else "")
        for p in mark.points[:8]
    ]
    if len(mark.points) > 8:
        lines.append(f"and {len(mark.points) - 8} more")
    return "<br>".join(plain_tooltip(line) for line in lines)


class _Gutter(QWidget):
    """The names of the rows, which stay when the picture scrolls."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedWidth(GUTTER)
        self._brackets = 0
        self._font = ui_font(11, 500)
        Theme.current().changed.connect(self.update)

    def set_brackets(self, count: int) -> None:
        self._brackets = count
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - the whole is painted
        with QPainter(self) as painter:
            painter.setFont(self._font)
            painter.setPen(Theme.current().color("text2"))
            self._write(painter, "UTC", 0, AXIS_HEIGHT - 2)
            self._write(painter, "Impact", BAND_TOP, BAND_HEIGHT)
            for lane, top in lane_tops(self._brackets)[0]:
                self._write(painter, lane.value, top, LANE_HEIGHT * LANE_ROWS.get(lane, 1))

    def _write(self, painter: QPainter, text: str, top: float, height: float) -> None:
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, top, self.width() - 8, height), align, text)


class TrackPicture(QWidget):
    """The picture with the names of its rows; zooms and scrolls sideways.

    Signals:
        selected(int): a moment was pointed at or chosen by key.
        opened(int): Enter on a moment.
        zoomed(float): 1 shows all of it.
    """

    selected = Signal(int)
    opened = Signal(int)
    zoomed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty one."""
        super().__init__(parent)
        self.zoom = 1.0
        self._height = 100.0
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self._gutter = _Gutter(self)
        row.addWidget(self._gutter)
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas = TrackCanvas()
        self._scroll.setWidget(self.canvas)
        for ground in (self.canvas, self._scroll.viewport()):
            ground.setAutoFillBackground(False)  # the card shows through
        row.addWidget(self._scroll, 1)
        self.setFocusProxy(self.canvas)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.canvas.selected.connect(self._on_selected)
        self.canvas.opened.connect(self.opened)
        self.canvas.zoom_requested.connect(self.zoom_by)

    def set_track(self, track: Track | None) -> None:
        """Show another track, all of it."""
        count = len(track.brackets) if track is not None else 0
        self._gutter.set_brackets(count)
        self._height = lane_tops(count)[1]
        self.setFixedHeight(round(self._height))
        self.canvas.set_track(track)
        self._fit()

    def select(self, moment: int) -> None:
        """Mark a moment and bring it into view."""
        self.canvas.select(moment)
        self._reveal(moment)

    def zoom_by(self, factor: float) -> None:
        """Come nearer by ``factor``; 0 shows all of it."""
        self.zoom = 1.0 if factor == 0 else max(1.0, min(MAX_ZOOM, self.zoom * factor))
        self._fit()
        self._reveal(self.canvas.selection)
        self.zoomed.emit(self.zoom)

    def sizeHint(self) -> QSize:
        """Return the height of the rows."""
        return QSize(900, round(self._height))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = max(100, self.width() - GUTTER)
        is_scrolling = self.zoom > 1
        height = self._height + (10 if is_scrolling else 0)
        self.setFixedHeight(round(height))
        self.canvas.resize(round(room * self.zoom), round(self._height))
        policy = (
            Qt.ScrollBarPolicy.ScrollBarAlwaysOn if is_scrolling else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self._scroll.setHorizontalScrollBarPolicy(policy)

    def _reveal(self, moment: int) -> None:
        layout = self.canvas.layout_now
        mark = layout.mark_of(moment) if layout is not None else None
        if mark is not None:
            self._scroll.ensureVisible(round(mark.x), round(mark.y), 80, 0)

    def _on_selected(self, moment: int) -> None:
        self._reveal(moment)
        self.selected.emit(moment)
