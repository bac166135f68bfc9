"""The list of what is owed: headings and rows, by keyboard."""

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
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.icons import icon
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import plain_tooltip
from kb_app.ui.duties.state import DutyRow, next_row, spoken_row

_NO_PARENT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
ROW_HEIGHT = 52
HEADER_HEIGHT = 40
_ICON = 18
_PAD = 12
_DUE_WIDTH = 168
_TONES = {"danger": "danger", "mitigate": "mitigate", "muted": "text2"}


class DutyModel(QAbstractListModel):
    """Rows in their order."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Start empty."""
        super().__init__(parent)
        self.rows: tuple[DutyRow, ...] = ()

    def set_rows(self, rows: Sequence[DutyRow]) -> None:
        """Show these rows instead."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can be neither selected nor focused."""
        if not index.isValid() or self.rows[index.row()].act is None:
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
        if role == Qt.ItemDataRole.ToolTipRole and row.act is not None:
            return "<br>".join(plain_tooltip(line) for line in (row.text, row.detail, row.barred) if line)
        return None


@dataclass(frozen=True, slots=True)
class _Ink:
    """Fonts of the list."""

    body: QFont
    small: QFont
    heading: QFont
    strong: QFont
    body_metrics: QFontMetricsF
    small_metrics: QFontMetricsF


def _ink() -> _Ink:
    body, small = ui_font(13, 500), ui_font(12)
    return _Ink(body, small, ui_font(12, 600), ui_font(12, 600), QFontMetricsF(body), QFontMetricsF(small))


class DutyDelegate(QStyledItemDelegate):
    """Icon, what is to be done and about which incident; at the right how long it has."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Make the fonts once."""
        super().__init__(parent)
        self._ink = _ink()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of a heading or of a row."""
        row = index.data(ROW_ROLE)
        is_row = isinstance(row, DutyRow) and row.act is not None
        return QSize(option.rect.width(), ROW_HEIGHT if is_row else HEADER_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        row = index.data(ROW_ROLE)
        if not isinstance(row, DutyRow):
            return
        painter.save()
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if row.act is None:
                self._paint_heading(painter, option.rect, row)
            else:
                _paint_ground(painter, option)
                self._paint_row(painter, option.rect, row)
        finally:
            painter.restore()

    def _paint_heading(self, painter: QPainter, rect: QRect, row: DutyRow) -> None:
        painter.setFont(self._ink.heading)
        painter.setPen(Theme.current().color(_TONES[row.tone]))
        area = QRectF(rect).adjusted(_PAD, 14, -_PAD, 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, row.text)

    def _paint_row(self, painter: QPainter, rect: QRect, row: DutyRow) -> None:
        ink, theme = self._ink, Theme.current()
        tone = "text3" if row.barred else _TONES[row.tone]
        picture = icon(row.icon, tone, _ICON).pixmap(_ICON, _ICON)
        painter.drawPixmap(QPointF(rect.left() + _PAD, rect.top() + 10), picture)
        left = rect.left() + _PAD * 2 + _ICON
        width = rect.right() - _DUE_WIDTH - _PAD * 2 - left
        top = rect.top() + 8
        self._line(
            painter, QRectF(left, top, width, 18), row.text, ink.body, "text3" if row.barred else "text"
        )
        detail = f"{row.detail}  ·  {row.barred}" if row.barred else row.detail
        self._line(painter, QRectF(left, top + 19, width, 16), detail, ink.small, "text3")
        right = QRectF(rect.right() - _DUE_WIDTH - _PAD, top, _DUE_WIDTH, 18)
        painter.setFont(ink.strong)
        painter.setPen(theme.color(_TONES[row.tone]))
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(right, align, row.due)
        painter.setFont(ink.small)
        painter.setPen(theme.color("text3"))
        painter.drawText(right.translated(0, 19), align, row.clock)

    def _line(self, painter: QPainter, area: QRectF, text: str, font: QFont, color: str) -> None:
        metrics = self._ink.body_metrics if font is self._ink.body else self._ink.small_metrics
        painter.setFont(font)
        painter.setPen(Theme.current().color(color))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


def _paint_ground(painter: QPainter, option: QStyleOptionViewItem) -> None:
    theme = Theme.current()
    is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
    area = QRectF(option.rect).adjusted(1, 1, -1, -1)
    painter.setPen(Qt.PenStyle.NoPen)
    if is_selected:
        _fill(painter, area, theme.color("selection"), 6)
        _fill(painter, QRectF(area.left(), area.top() + 6, 3, area.height() - 12), theme.color("accent"), 1.5)
    elif option.state & QStyle.StateFlag.State_MouseOver:
        _fill(painter, area, theme.color("hover"), 6)
    if is_selected and option.state & QStyle.StateFlag.State_HasFocus:
        painter.setPen(QPen(theme.color("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area, 6, 6)


def _fill(painter: QPainter, area: QRectF, color: QColor, radius: float) -> None:
    painter.setBrush(color)
    painter.drawRoundedRect(area, radius, radius)


class DutyList(QListView):
    """The list.

    Signals:
        opened(object): the `DutyRow` that shall be worked on.
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty list."""
        super().__init__(parent)
        self.setObjectName("dutyList")
        self.setAccessibleName("What is owed")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.duties = DutyModel(self)
        self.setModel(self.duties)
        self.setItemDelegate(DutyDelegate(self))
        self.clicked.connect(lambda _index: self._open())

    @property
    def current_row(self) -> DutyRow | None:
        """The chosen row."""
        number = self.currentIndex().row()
        return self.duties.rows[number] if 0 <= number < len(self.duties.rows) else None

    def set_rows(self, rows: Sequence[DutyRow]) -> None:
        """Show other rows; what was chosen stays chosen, else the first one is."""
        before = self.current_row
        number = max(0, self.currentIndex().row())
        self.duties.set_rows(rows)
        same = next((n for n, row in enumerate(rows) if before is not None and _is_same(row, before)), None)
        self._choose(same if same is not None else next_row(rows, min(number, len(rows) - 1), 0))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move over headings; Enter opens; letters are left to the window's shortcuts."""
        page = max(1, self.viewport().height() // ROW_HEIGHT - 1)
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_End: len(self.duties.rows),
            Qt.Key.Key_Home: -len(self.duties.rows),
        }
        key = Qt.Key(event.key())
        if key in steps and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self._choose(next_row(self.duties.rows, self.currentIndex().row(), steps[key]))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open()
        else:
            event.ignore()

    def _choose(self, number: int) -> None:
        if number < 0:
            return
        index = self.duties.index(number)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(index, flags)
        at_top = all(row.act is None for row in self.duties.rows[:number])
        self.scrollTo(self.duties.index(0 if at_top else number))

    def _open(self) -> None:
        row = self.current_row
        if row is not None and row.act is not None:
            self.opened.emit(row)


def _is_same(one: DutyRow, other: DutyRow) -> bool:
    return (one.incident, one.item, one.act) == (other.incident, other.item, other.act)
