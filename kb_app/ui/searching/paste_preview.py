"""The pasted text, the lines marked that stand in the entry too; from each a jump to the entry's line."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetricsF, QHideEvent, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from kb_app.search.model import LineMatch
from kb_app.ui.common.fonts import mono_font, ui_font
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import ElidedLabel, IconButton, label
from kb_app.ui.results.state import on_one_line
from kb_app.ui.searching.state import match_summary, next_match

WIDTH, HEIGHT = 760, 380
ROW_HEIGHT = 22
MAX_LINES = 5_000
MAX_COLUMNS = 1_000
_GUTTER = 52
_KEYS = (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_N, Qt.Key.Key_P)
Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


class PasteModel(QAbstractListModel):
    """The lines of a paste."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Start empty."""
        super().__init__(parent)
        self._lines: list[str] = []
        self._entry_lines: dict[int, int] = {}

    def set_text(self, text: str) -> None:
        """Show another paste."""
        self.beginResetModel()
        self._lines = [on_one_line(line[:MAX_COLUMNS]) for line in text.split("\n")[:MAX_LINES]]
        self._entry_lines = {}
        self.endResetModel()

    def set_matches(self, matches: Sequence[LineMatch]) -> None:
        """Mark the lines that match."""
        self._entry_lines = {match.paste_line: match.entry_line for match in matches}
        if self._lines:
            self.dataChanged.emit(self.index(0), self.index(len(self._lines) - 1))

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of lines."""
        return 0 if parent.isValid() else len(self._lines)

    def entry_line(self, line: int) -> int:
        """Return the entry's line that says what the 1-based pasted ``line`` says, 0: none."""
        return self._entry_lines.get(line, 0)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the line, or what a screen reader says of it."""
        if not index.isValid() or index.row() >= len(self._lines):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._lines[index.row()]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            entry_line = self.entry_line(index.row() + 1)
            found = f", matches line {entry_line} of the entry" if entry_line else ""
            return f"line {index.row() + 1}: {self._lines[index.row()]}{found}"
        return None


class _LineDelegate(QStyledItemDelegate):
    """Number, text, and where the entry says the same."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._mono, self._small = mono_font(12), ui_font(11, 500)
        self._metrics, self._small_metrics = QFontMetricsF(self._mono), QFontMetricsF(self._small)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - all alike
        """Return the height of a line."""
        return QSize(option.rect.width(), ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one line."""
        model, theme = index.model(), Theme.current()
        entry_line = model.entry_line(index.row() + 1) if isinstance(model, PasteModel) else 0
        area = QRectF(option.rect)
        is_current = bool(option.state & QStyle.StateFlag.State_Selected)
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if is_current:
            painter.setBrush(theme.color("selection"))
            painter.drawRect(area)
        painter.setFont(self._small)
        painter.setPen(theme.color("text3"))
        number = area.adjusted(0, 0, area.left() + _GUTTER - 12 - area.right(), 0)
        painter.drawText(number, vertical | Qt.AlignmentFlag.AlignRight, str(index.row() + 1))
        note = f"line {entry_line} \u2192" if entry_line else ""
        room = area.width() - _GUTTER - 12 - (self._small_metrics.horizontalAdvance(note) + 12 if note else 0)
        text = self._metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room)
        inside = area.adjusted(_GUTTER, 0, -12, 0)
        if entry_line:
            width = self._metrics.horizontalAdvance(text) + 6
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("mark"))
            painter.drawRoundedRect(QRectF(inside.left() - 3, area.top() + 2, width, ROW_HEIGHT - 4), 3, 3)
        painter.setFont(self._mono)
        painter.setPen(theme.color("on_mark" if entry_line else "text"))
        painter.drawText(inside, vertical | Qt.AlignmentFlag.AlignLeft, text)
        painter.setFont(self._small)
        painter.setPen(theme.color("accent"))
        painter.drawText(inside, vertical | Qt.AlignmentFlag.AlignRight, note)
        if is_current and option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(2, 1, -2, -1), 4, 4)
        painter.restore()


class PastePreview(QFrame):
    """Lies below the search field.

    Keys: Down and Up walk, N and P go to the next and previous line that matches, Enter goes to the entry's
    line and keeps the focus here, Esc closes.

    Signals:
        line_requested(int): the entry shall show this line.
        closed(): it is hidden.
    """

    line_requested = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        """Make a hidden preview over ``parent``."""
        super().__init__(parent)
        self.setObjectName("pastePreview")
        self.setProperty("surface", "popup")
        self.setAccessibleName("The pasted text")
        self._text = ""
        self._matches: tuple[LineMatch, ...] = ()
        self.model = PasteModel(self)
        self.list = QListView(self)
        self.list.setAccessibleName("Pasted lines")
        self.list.setModel(self.model)
        self.list.setItemDelegate(_LineDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.clicked.connect(lambda index: self._go(index.row() + 1))
        self.list.installEventFilter(self)
        self.setFocusProxy(self.list)
        self._title = ElidedLabel("", self)
        self._title.setProperty("textstyle", "heading")
        close = IconButton("x", "Close the pasted text", self, size=14, shortcut="Esc")
        close.clicked.connect(self.hide)
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 8, 4)
        head.addWidget(self._title, 1)
        head.addWidget(close)
        hint = label("Enter or a click goes to the entry's line, N and P to the next match", "meta", self)
        hint.setContentsMargins(16, 4, 16, 8)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.setSpacing(0)
        box.addLayout(head)
        box.addWidget(self.list, 1)
        box.addWidget(hint)
        self.hide()

    @property
    def title(self) -> str:
        """Return the heading: how many lines match."""
        return self._title.text()

    def open_below(self, field: QWidget, body: QWidget) -> None:
        """Show the preview below ``field`` and take the focus."""
        width = min(WIDTH, body.width() - 32)
        rows = ROW_HEIGHT * min(14, max(3, self.model.rowCount()))
        self.resize(width, min(HEIGHT, body.height() - 120, rows + 80))
        corner = field.mapTo(body, QPoint(0, field.height() + 8))
        left = corner.x() + (field.width() - width) // 2
        self.move(max(16, min(left, body.width() - width - 16)), corner.y())
        self.show()
        self.raise_()
        self.list.setFocus(Qt.FocusReason.PopupFocusReason)

    def show_paste(self, text: str) -> None:
        """Show a paste; the same one keeps its place."""
        if text != self._text:
            self._text = text
            self.model.set_text(text)
            self._matches = ()
            self._title.setText(match_summary(self._count(), (), ""))

    def set_matches(self, matches: Sequence[LineMatch], title: str) -> None:
        """Mark the lines that stand in the entry called ``title``."""
        self._matches = tuple(matches)
        self.model.set_matches(self._matches)
        self._title.setText(match_summary(self._count(), self._matches, on_one_line(title)))
        if self._matches and not self.model.entry_line(self.list.currentIndex().row() + 1):
            self._select(self._matches[0].paste_line)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys before the window's shortcuts (N: a new entry) and the list's search by letters."""
        if watched is self.list and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
                return False
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._take_key(Qt.Key(event.key()))
                return True
        return super().eventFilter(watched, event)

    def _take_key(self, key: Qt.Key) -> None:
        """Walk through the matches, jump, close."""
        line = self.list.currentIndex().row() + 1
        if key == Qt.Key.Key_Escape:
            self.hide()
        elif key in (Qt.Key.Key_N, Qt.Key.Key_P):
            self._select(next_match(self._matches, line, 1 if key == Qt.Key.Key_N else -1))
        else:
            self._go(line)

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell that it is gone."""
        super().hideEvent(event)
        self.closed.emit()

    def _count(self) -> int:
        return sum(1 for line in self._text.split("\n") if line.strip())

    def _select(self, line: int) -> None:
        if line > 0:
            self.list.setCurrentIndex(self.model.index(line - 1))

    def _go(self, line: int) -> None:
        if entry_line := self.model.entry_line(line):
            self.line_requested.emit(entry_line)
