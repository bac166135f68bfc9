"""The list of an incident's events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from kb_app.ui.common.fonts import mono_font, ui_font
from kb_app.ui.common.icons import icon
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import plain_tooltip
from kb_app.ui.timeline.state import Row, RowKind, row_of_moment, spoken_row

_NO_PARENT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
CLOCK_WIDTH = 76
WHO_WIDTH = 168
_ICON = 16
_PAD = 8
_HEADER_HEIGHT = 32


class EventModel(QAbstractListModel):
    """Rows in the order of the timeline."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Start empty."""
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows instead."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """A day's heading can be neither selected nor focused."""
        if not index.isValid() or self.rows[index.row()].kind is RowKind.DAY:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the text, the row itself, what a screen reader says, or the tooltip."""
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.text
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken_row(row)
        if role == Qt.ItemDataRole.ToolTipRole and row.kind is RowKind.EVENT:
            lines = (f"{row.local}  ({row.look.name})", row.text, *row.notes)
            return "<br>".join(plain_tooltip(line) for line in lines)
        return None


@dataclass(frozen=True, slots=True)
class _Ink:
    """Fonts and colours of one theme."""

    body: QFont
    small: QFont
    mono: QFont
    heading: QFont
    body_metrics: QFontMetricsF
    small_metrics: QFontMetricsF
    text: QColor
    text2: QColor
    text3: QColor
    accent: QColor
    selection: QColor
    hover: QColor
    border: QColor
    mitigate: QColor


def _ink() -> _Ink:
    theme = Theme.current()
    body, small = ui_font(13), ui_font(12)
    return _Ink(
        body,
        small,
        mono_font(12),
        ui_font(12, 600),
        QFontMetricsF(body),
        QFontMetricsF(small),
        theme.color("text"),
        theme.color("text2"),
        theme.color("text3"),
        theme.color("accent"),
        theme.color("selection"),
        theme.color("hover"),
        theme.color("border"),
        theme.color("mitigate"),
    )


class EventDelegate(QStyledItemDelegate):
    """Clock, icon, what happened, who; below it what was corrected and what was written late."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Take fonts and colours of the present theme and follow it."""
        super().__init__(parent)
        self._ink = _ink()
        self._heights: dict[tuple[Row, int], int] = {}
        Theme.current().changed.connect(self._on_theme_changed)

    def _on_theme_changed(self) -> None:
        self._ink = _ink()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height that all lines need."""
        row = index.data(ROW_ROLE)
        view = option.widget
        width = view.viewport().width() if isinstance(view, QListView) else option.rect.width()
        if not isinstance(row, Row) or row.kind is RowKind.DAY:
            return QSize(width, _HEADER_HEIGHT)
        key = (row, width)
        if key not in self._heights:
            if len(self._heights) > 4_000:
                self._heights.clear()
            self._heights[key] = self._height(row, width)
        return QSize(width, self._heights[key])

    def _height(self, row: Row, width: int) -> int:
        ink = self._ink
        room = self._text_width(width)
        height = self._bounds(ink.body_metrics, row.text, room).height()
        for note in row.notes:
            height += self._bounds(ink.small_metrics, note, room).height() + 2
        return max(32, round(height) + 12)

    @staticmethod
    def _text_width(width: int) -> float:
        return max(80.0, width - CLOCK_WIDTH - _ICON - WHO_WIDTH - 5 * _PAD)

    @staticmethod
    def _bounds(metrics: QFontMetricsF, text: str, width: float) -> QRectF:
        return metrics.boundingRect(QRectF(0, 0, width, 10_000), _WRAP, text)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        row = index.data(ROW_ROLE)
        if not isinstance(row, Row):
            return
        painter.save()
        try:
            if row.kind is RowKind.DAY:
                self._paint_day(painter, option.rect, row)
            else:
                self._paint_ground(painter, option)
                self._paint_event(painter, option.rect, row)
        finally:
            painter.restore()

    def _paint_day(self, painter: QPainter, rect: QRect, row: Row) -> None:
        painter.setFont(self._ink.heading)
        painter.setPen(self._ink.text2)
        area = QRectF(rect).adjusted(_PAD, 8, -_PAD, 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, row.text)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        ink = self._ink
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        area = QRectF(option.rect).adjusted(1, 1, -1, -1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if is_selected:
            painter.setBrush(ink.selection)
            painter.drawRoundedRect(area, 6, 6)
            painter.setBrush(ink.accent)
            painter.drawRoundedRect(QRectF(area.left(), area.top() + 4, 3, area.height() - 8), 1.5, 1.5)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(ink.hover)
            painter.drawRoundedRect(area, 6, 6)
        if is_selected and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(ink.accent, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area, 6, 6)

    def _paint_event(self, painter: QPainter, rect: QRect, row: Row) -> None:
        ink = self._ink
        left, top = rect.left() + _PAD, rect.top() + 6
        painter.setFont(ink.mono)
        painter.setPen(ink.text2)
        line = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        height = ink.body_metrics.height()
        painter.drawText(QRectF(left + 4, top, CLOCK_WIDTH, height), line, row.clock)
        left += CLOCK_WIDTH + _PAD
        picture = icon(row.look.icon, row.look.color, _ICON).pixmap(_ICON, _ICON)
        painter.drawPixmap(QPointF(left, top + (height - _ICON) / 2), picture)
        left += _ICON + _PAD
        width = self._text_width(rect.width())
        self._paint_lines(painter, row, left, top, width)
        painter.setFont(ink.small)
        painter.setPen(ink.text3)
        who = f"{row.who} · {row.device}" if row.device else row.who
        shown = ink.small_metrics.elidedText(who, Qt.TextElideMode.ElideMiddle, WHO_WIDTH)
        right = QRectF(rect.right() - WHO_WIDTH - _PAD, top, WHO_WIDTH, height)
        painter.drawText(right, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_lines(self, painter: QPainter, row: Row, left: float, top: float, width: float) -> None:
        ink = self._ink
        painter.setFont(ink.body)
        painter.setPen(ink.text)
        bounds = self._bounds(ink.body_metrics, row.text, width)
        painter.drawText(QRectF(left, top, width, bounds.height()), _WRAP, row.text)
        top += bounds.height() + 2
        painter.setFont(ink.small)
        for note in row.notes:
            painter.setPen(ink.text3 if note is row.was else ink.mitigate)
            bounds = self._bounds(ink.small_metrics, note, width)
            painter.drawText(QRectF(left, top, width, bounds.height()), _WRAP, note)
            top += bounds.height() + 2


_WRAP = int(Qt.TextFlag.TextWrapAnywhere | Qt.TextFlag.TextWordWrap) | int(Qt.AlignmentFlag.AlignLeft)


class EventList(QListView):
    """The list.

    Signals:
        selected(int): number of the moment whose row became current.
        opened(int): Enter or a double click on a moment.
    """

    selected = Signal(int)
    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty list."""
        super().__init__(parent)
        self.setObjectName("eventList")
        self.setAccessibleName("Events")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(200)
        self.events = EventModel(self)
        self.setModel(self.events)
        self.setItemDelegate(EventDelegate(self))
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        self.doubleClicked.connect(lambda _index: self._open())

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows; the moment that was current stays current."""
        before = self.current_moment
        self.events.set_rows(rows)
        self.select_moment(before)

    @property
    def current_moment(self) -> int:
        """Number of the current moment, -1 for none."""
        number = self.currentIndex().row()
        return self.events.rows[number].moment if 0 <= number < len(self.events.rows) else -1

    def select_moment(self, moment: int) -> None:
        """Make a moment current and bring it into view."""
        number = row_of_moment(self.events.rows, moment) if moment >= 0 else -1
        if number >= 0 and number != self.currentIndex().row():
            index = self.events.index(number)
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.selectionModel().setCurrentIndex(index, flags)
            self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens; letters are left to the window's shortcuts."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open()
        elif event.text().isprintable() and event.text():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the texts out for the new width."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def _open(self) -> None:
        if self.current_moment >= 0:
            self.opened.emit(self.current_moment)

    def _on_current_changed(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        if self.current_moment >= 0:
            self.selected.emit(self.current_moment)
