"""Parts of the conformance page: verdict tiles, charts that follow the theme, tables of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QByteArray,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QSizePolicy,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from kb_app.incidents.charts import Chart, Look, verdict_mark
from kb_app.incidents.conformance import Row, Verdict
from kb_app.ui.common.fonts import mono_font, ui_font
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import label, plain_tooltip, text_button
from kb_app.ui.conformance.state import COLUMNS, RULES, VERDICT_COLORS, cell_text

ROW_HEIGHT = 32
_SCALE = 2.0

AnyIndex = QModelIndex | QPersistentModelIndex


def chart_look() -> Look:
    """Return the colours of charts in the present theme."""
    tokens = Theme.current().tokens
    return Look(
        text=tokens.text,
        text2=tokens.text2,
        grid=tokens.border,
        surface=tokens.surface,
        accent=tokens.accent,
        verdicts={verdict.value: tokens.color(name) for verdict, name in VERDICT_COLORS.items()},
        on_verdict=tokens.chrome if tokens.is_dark else tokens.on_accent,
        family=ui_font(11).family(),
    )


def verdict_pixmap(verdict: str, color: str, edge: int = 14) -> QPixmap:
    """Return a verdict's mark in a colour."""
    pixmap = QPixmap(round(edge * _SCALE), round(edge * _SCALE))
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        QSvgRenderer(QByteArray(verdict_mark(verdict, color).encode())).render(painter)
    pixmap.setDevicePixelRatio(_SCALE)
    return pixmap


class VerdictTile(QAbstractButton):
    """A verdict with its number, large; pressed, only its changes are listed."""

    def __init__(self, verdict: Verdict, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.verdict = verdict
        self._count = 0
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(96)
        self.setToolTip(f"{verdict.value}: {RULES[verdict]}\nPress to list only these")
        Theme.current().changed.connect(self.update)
        self.set_count(0)

    def set_count(self, count: int) -> None:
        """Show another number."""
        self._count = count
        self.setAccessibleName(f"{count} {self.verdict.value}, list only these")
        self.update()

    def sizeHint(self) -> QSize:
        """Return a width at which a number of four digits stands well."""
        return QSize(148, 96)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - small, painted whole
        """Paint the card: a bar in the verdict's colour, the number, its mark and its word."""
        tokens = Theme.current().tokens
        color = QColor(tokens.color(VERDICT_COLORS[self.verdict]))
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            card = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            ground = (
                tokens.selection
                if self.isChecked()
                else tokens.hover
                if self.underMouse()
                else tokens.surface
            )
            painter.setBrush(QColor(ground))
            is_ringed = self.hasFocus() or self.isChecked()
            ring = QColor(tokens.accent if is_ringed else tokens.border)
            pen = painter.pen()
            pen.setColor(ring)
            pen.setWidthF(2 if self.hasFocus() else 1)
            painter.setPen(pen)
            painter.drawRoundedRect(card, 8, 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(QRectF(card.left() + 16, card.top() + 12, 28, 4), 2, 2)
            painter.setPen(QColor(tokens.text if self._count else tokens.text3))
            font = ui_font(30)
            font.setWeight(QFont.Weight.DemiBold)
            painter.setFont(font)
            at_number = QRectF(card.left() + 16, card.top() + 20, card.width() - 32, 42)
            painter.drawText(
                at_number, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, str(self._count)
            )
            mark = verdict_pixmap(self.verdict.value, color.name())
            painter.drawPixmap(QRectF(card.left() + 15, card.top() + 66, 14, 14), mark, QRectF(mark.rect()))
            painter.setPen(color)
            word = ui_font(13)
            word.setWeight(QFont.Weight.DemiBold)
            painter.setFont(word)
            at_word = QRectF(card.left() + 34, card.top() + 62, card.width() - 40, 22)
            painter.drawText(
                at_word, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.verdict.value
            )


class TextModel(QAbstractTableModel):
    """A table of plain text."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns: tuple[str, ...] = ()
        self._rows: tuple[tuple[str, ...], ...] = ()

    def set_table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show another table."""
        self.beginResetModel()
        self._columns, self._rows = tuple(columns), tuple(tuple(row) for row in rows)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a cell's text; the tooltip holds all of it."""
        if role == Qt.ItemDataRole.DisplayRole:
            return self._rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(self._rows[index.row()][index.column()])
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return a column's name."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None


class ChangesModel(QAbstractTableModel):
    """The changes of a report as rows; verdicts with mark and colour."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self._marks: dict[str, QIcon] = {}
        Theme.current().changed.connect(self._forget_marks)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many changes are listed."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Return how many columns are shown."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(row, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(cell_text(row, index.column()))
        if index.column() == 0 and role == Qt.ItemDataRole.DecorationRole:
            return self._mark(row.verdict)
        if role == Qt.ItemDataRole.FontRole and COLUMNS[index.column()][1] == "change_id":
            return mono_font(12)
        return None

    def _mark(self, verdict: str) -> QIcon:
        if verdict not in self._marks:
            color = Theme.current().tokens.color(VERDICT_COLORS[Verdict(verdict)])
            self._marks[verdict] = QIcon(verdict_pixmap(verdict, color))
        return self._marks[verdict]

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return a column's title."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section][0]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def _forget_marks(self) -> None:
        self._marks.clear()
        if self.rows:
            last = self.index(len(self.rows) - 1, len(COLUMNS) - 1)
            self.dataChanged.emit(self.index(0, 0), last)


def _plain_table(name: str, parent: QWidget | None) -> QTableView:
    table = QTableView(parent)
    table.setAccessibleName(name)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setAlternatingRowColors(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.horizontalHeader().setHighlightSections(False)
    table.horizontalHeader().setStretchLastSection(True)
    _align_head(table)
    return table


def _align_head(table: QTableView) -> None:
    """Let the titles stand above the text of their cells, whose border and margin Qt adds to the padding."""
    table.horizontalHeader().setStyleSheet("QHeaderView::section { padding-left: 13px; }")


class VerdictDelegate(QStyledItemDelegate):
    """Writes a verdict's word in its colour: the style sheet would write it like any other."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Paint the cell without its word, then the word."""
        word = str(index.data())
        super().paint(painter, option, index)
        painter.save()
        painter.setPen(QColor(Theme.current().tokens.color(VERDICT_COLORS[Verdict(word)])))
        font = ui_font(13, 600)
        painter.setFont(font)
        place = option.rect.adjusted(36, 0, -4, 0)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), word)
        painter.restore()

    def initStyleOption(self, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        """Leave the word out; it is painted afterwards."""
        super().initStyleOption(option, index)
        option.text = ""


class TextTable(QWidget):
    """A table of plain text, as high as its rows when ``is_whole``.

    Args:
        name: for screen readers.
        parent: owner.
        is_whole: no scrolling of its own: it is as high as all of its rows.

    Signals:
        opened(int): the row of this number was opened by Enter or a double click.
    """

    opened = Signal(int)

    def __init__(self, name: str, parent: QWidget | None = None, *, is_whole: bool = False) -> None:
        super().__init__(parent)
        self._is_whole = is_whole
        self._model = TextModel(self)
        self.view = _plain_table(name, self)
        self.view.setModel(self._model)
        self.view.activated.connect(lambda index: self.opened.emit(index.row()))
        self.setFocusProxy(self.view)
        if is_whole:
            self.view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.view)

    def set_table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int] = ()
    ) -> None:
        """Show another table; ``widths`` are those of the first columns in pixels."""
        self._model.set_table(columns, rows)
        for number, width in enumerate(widths):
            self.view.setColumnWidth(number, width)
        if not widths:
            self.view.resizeColumnsToContents()
        if self._is_whole:
            head = self.view.horizontalHeader().sizeHint().height()
            self.view.setFixedHeight(head + ROW_HEIGHT * len(rows) + 4)

    def select(self, number: int) -> None:
        """Select a row and give the table the focus."""
        self.view.setCurrentIndex(self._model.index(number, 0))
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)


class ChangesTable(QTableView):
    """The list of changes.

    Signals:
        opened(object): the `Row` that shall be shown whole.
        sort_requested(int, bool): by this column, descending or not.
    """

    opened = Signal(object)
    sort_requested = Signal(int, bool)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.changes = ChangesModel(self)
        self.setModel(self.changes)
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setIconSize(QSize(14, 14))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.sortIndicatorChanged.connect(self._on_sort)
        _align_head(self)
        self.setItemDelegateForColumn(0, VerdictDelegate(self))
        for number, (_, _, width) in enumerate(COLUMNS):
            if width:
                self.setColumnWidth(number, width)
        self.activated.connect(self._on_activated)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """List other rows; the first is selected."""
        self.changes.set_rows(rows)
        if rows:
            self.setCurrentIndex(self.changes.index(0, 0))

    def current_row(self) -> Row | None:
        """Return the selected change."""
        index = self.currentIndex()
        return self.changes.rows[index.row()] if index.isValid() else None

    def select(self, row: Row) -> None:
        """Select a change that is listed."""
        if row in self.changes.rows:
            self.setCurrentIndex(self.changes.index(self.changes.rows.index(row), 0))

    def _on_activated(self, index: QModelIndex) -> None:
        self.opened.emit(self.changes.rows[index.row()])

    def _on_sort(self, column: int, order: Qt.SortOrder) -> None:
        self.sort_requested.emit(column, order == Qt.SortOrder.DescendingOrder)


class ChartPicture(QWidget):
    """A chart drawn at the width there is, in the theme's colours."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make: Callable[[Look, int], Chart] | None = None
        self._renderer: QSvgRenderer | None = None
        self._height = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        Theme.current().changed.connect(self._draw)

    def set_chart(self, make: Callable[[Look, int], Chart]) -> None:
        """Show another chart."""
        self._make = make
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw for the new width: type keeps its size."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._draw()

    def _draw(self) -> None:
        if self._make is None or self.width() < 50:
            return
        chart = self._make(chart_look(), self.width())
        self._renderer = QSvgRenderer(QByteArray(chart.svg.encode())) if chart.svg else None
        self._height = chart.height
        self.setFixedHeight(max(1, chart.height))
        self.setAccessibleName(f"{chart.title}. {chart.summary}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - the picture is painted whole
        """Paint the picture."""
        if self._renderer is not None:
            with QPainter(self) as painter:
                self._renderer.render(painter, QRectF(0, 0, self.width(), self._height))


class ChartCard(QFrame):
    """A chart with its title, its sentence, and its figures as a table one key away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 16, 20, 12)
        box.setSpacing(4)
        head = QHBoxLayout()
        self._title = label("", "title", self)
        head.addWidget(self._title)
        head.addStretch(1)
        self.switch = text_button("Table", "ghost", "table", self)
        self.switch.setCheckable(True)
        self.switch.toggled.connect(self._on_switched)
        head.addWidget(self.switch)
        box.addLayout(head)
        self._summary = label("", "secondary", self, wrap=True)
        box.addWidget(self._summary)
        box.addSpacing(8)
        self.picture = ChartPicture(self)
        self._table = TextTable("", self)
        self._stack = QStackedWidget(self)
        holder = QWidget(self)
        inside = QVBoxLayout(holder)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.picture)
        inside.addStretch(1)
        self._stack.addWidget(holder)
        self._stack.addWidget(self._table)
        box.addWidget(self._stack, 1)

    def set_chart(self, make: Callable[[Look, int], Chart]) -> None:
        """Show another chart."""
        chart = make(chart_look(), 600)
        self._title.setText(chart.title)
        self._summary.setText(chart.summary)
        self._table.view.setAccessibleName(f"{chart.title}, as a table")
        self._table.set_table(chart.columns, chart.rows)
        self.switch.setAccessibleName(f"{chart.title}: show as a table")
        self.switch.setToolTip("The same as a table")
        self.picture.set_chart(make)

    def _on_switched(self, is_table: bool) -> None:  # noqa: FBT001 - the signal's argument
        self._stack.setCurrentIndex(1 if is_table else 0)
        self.switch.setText("Chart" if is_table else "Table")
