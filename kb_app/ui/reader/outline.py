"""The page's headings as a list to jump from."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QListView, QVBoxLayout, QWidget

from kb_app.rendering.model import OutlineItem
from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.widgets import label

ANCHOR_ROLE = Qt.ItemDataRole.UserRole + 1
_ROOT = QModelIndex()
_WIDTH = 320
_ROW = 32
_ROWS_SHOWN = 14


class OutlineModel(QAbstractListModel):
    """Headings in order; the text is indented by level below the page's top level."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: tuple[OutlineItem, ...] = ()
        self._top = 1

    def set_outline(self, items: tuple[OutlineItem, ...]) -> None:
        """Show other headings."""
        self.beginResetModel()
        self._items = items
        self._top = min((item.level for item in items), default=1)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = _ROOT) -> int:
        """Return how many headings there are."""
        return 0 if parent.isValid() else len(self._items)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return title, weight or anchor of a heading."""
        if not index.isValid() or index.row() >= len(self._items):
            return None
        item = self._items[index.row()]
        depth = item.level - self._top
        if role == Qt.ItemDataRole.DisplayRole:
            return "    " * max(0, depth) + item.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{item.title}, level {item.level}"
        if role == Qt.ItemDataRole.FontRole:
            return ui_font(13, 600 if depth <= 0 else 400)
        return item.anchor if role == ANCHOR_ROLE else None

    def row_of(self, anchor: str) -> int:
        """Return the row of ``anchor``, or -1."""
        return next((row for row, item in enumerate(self._items) if item.anchor == anchor), -1)


class OutlinePopup(QFrame):
    """The list of headings, below its button; closes on Esc, on a click elsewhere, and after a jump.

    Signals:
        anchor_chosen(str): go to this heading.
    """

    anchor_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("reader-outline")
        self.setProperty("surface", "popup")
        self.model = OutlineModel(self)
        self.list = QListView(self)
        self.list.setModel(self.model)
        self.list.setAccessibleName("Headings of this page")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setUniformItemSizes(True)
        self.list.clicked.connect(self._on_chosen)
        self.list.activated.connect(self._on_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 8, 6, 6)
        layout.setSpacing(4)
        title = label("On this page", "meta", self)
        title.setContentsMargins(8, 0, 0, 0)
        layout.addWidget(title)
        layout.addWidget(self.list)

    def open_at(self, corner: QPoint, current: str) -> None:
        """Show the list with its upper right corner at the global point ``corner``, ``current`` selected."""
        rows = min(_ROWS_SHOWN, self.model.rowCount())
        self.setFixedSize(_WIDTH, 44 + rows * _ROW)
        self.move(corner - QPoint(_WIDTH, 0))
        self.show()
        index = self.model.index(max(0, self.model.row_of(current)), 0)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index, QListView.ScrollHint.PositionAtCenter)
        self.list.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Jump with Enter, close with Esc."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_chosen(self.list.currentIndex())
        elif event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _on_chosen(self, index: QModelIndex) -> None:
        anchor = index.data(ANCHOR_ROLE)
        if isinstance(anchor, str) and self.isVisible():
            self.hide()
            self.anchor_chosen.emit(anchor)
