"""Saved searches in the sidebar, and the card that gives a search its name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.remembered import SavedSearch
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import ElidedLabel, label, plain_tooltip, text_button

ROW_HEIGHT = 30
KEYED = 9
"""The first searches open with Alt and their number."""
_CARD_WIDTH = 420


class SavedRow(QPushButton):
    """One saved search with its count.

    Signals:
        renaming_requested(), removal_requested(): F2 or Delete, or the menu.
        move_requested(int): up (-1) or down (1): Ctrl with an arrow key, or the menu.
    """

    renaming_requested = Signal()
    removal_requested = Signal()
    move_requested = Signal(int)

    def __init__(self, saved: SavedSearch, number: int, parent: QWidget) -> None:
        """Make the row of ``saved``, the ``number``-th from 0."""
        super().__init__(saved.name, parent)
        self.saved = saved
        self.count: int | None = None
        self.setObjectName(f"saved:{saved.name}")
        self.setProperty("role", "row")
        self.setCheckable(True)
        self.setFixedHeight(ROW_HEIGHT)
        key = f" (Alt+{number + 1})" if number < KEYED else ""
        self.setToolTip(plain_tooltip(f"{saved.query}{key}"))
        bind_icon(self, "bookmark", "text2", 16, checked_color="accent")
        self.set_count(None)

    def set_count(self, count: int | None) -> None:
        """Show how many entries it finds."""
        self.count = count
        found = "" if count is None else f", {count:,} entries"
        self.setAccessibleName(f"Saved search {self.saved.name}{found}")
        self.setText(self.fontMetrics().elidedText(self.saved.name, Qt.TextElideMode.ElideMiddle, 104))
        self.update()

    def nextCheckState(self) -> None:
        """Stay as it is: the query decides whether the row is the present one."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the count over the row's right end."""
        super().paintEvent(event)
        if self.count is not None:
            with QPainter(self) as painter:
                painter.setFont(ui_font(12))
                painter.setPen(Theme.current().color("accent" if self.isChecked() else "text3"))
                area = self.rect().adjusted(0, 0, -8, 0)
                align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
                painter.drawText(area, align, f"{self.count:,}")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """F2 renames, Delete removes, Ctrl with an arrow moves."""
        is_control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if event.key() == Qt.Key.Key_F2:
            self.renaming_requested.emit()
        elif event.key() == Qt.Key.Key_Delete:
            self.removal_requested.emit()
        elif is_control and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_requested.emit(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with it."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Rename…\tF2").triggered.connect(self.renaming_requested)
        menu.addAction("Move up\tCtrl+Up").triggered.connect(lambda: self.move_requested.emit(-1))
        menu.addAction("Move down\tCtrl+Down").triggered.connect(lambda: self.move_requested.emit(1))
        menu.addSeparator()
        menu.addAction("Delete\tDel").triggered.connect(self.removal_requested)
        menu.popup(event.globalPos())


class SavedSearches(QWidget):
    """The list.

    Signals:
        opened(str): a query shall be asked.
        renaming_requested(int), removal_requested(int): of the search at that place.
        move_requested(int, int): place and step.
    """

    opened = Signal(str)
    renaming_requested = Signal(int)
    removal_requested = Signal(int)
    move_requested = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty list, which is hidden."""
        super().__init__(parent)
        self._rows: list[SavedRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 12, 0, 0)
        self._layout.setSpacing(2)
        title = label("Saved searches", "", self)
        title.setFont(ui_font(12, 600))
        title.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        title.setContentsMargins(10, 0, 0, 2)
        self._layout.addWidget(title)
        self.hide()

    @property
    def rows(self) -> tuple[SavedRow, ...]:
        """Return the rows in order."""
        return tuple(self._rows)

    def show_searches(self, saved: Sequence[SavedSearch]) -> None:
        """Show these searches; counts and the focus stay with their search."""
        if [row.saved for row in self._rows] != list(saved):
            counts = {row.saved.query: row.count for row in self._rows}
            focused = next((row.saved.query for row in self._rows if row.hasFocus()), None)
            for row in self._rows:
                row.hide()
                row.deleteLater()
            self._rows = [self._made_row(one, number) for number, one in enumerate(saved)]
            for row in self._rows:
                row.set_count(counts.get(row.saved.query))
                if row.saved.query == focused:
                    row.setFocus(Qt.FocusReason.OtherFocusReason)
        self.setVisible(bool(saved))

    def set_counts(self, counts: Sequence[int]) -> None:
        """Show how many entries each search finds, in order."""
        for row, count in zip(self._rows, counts, strict=False):
            row.set_count(count)

    def set_current(self, query: str) -> None:
        """Mark the search that is asked now."""
        for row in self._rows:
            row.setChecked(row.saved.query == query)

    def _made_row(self, saved: SavedSearch, number: int) -> SavedRow:
        row = SavedRow(saved, number, self)
        row.clicked.connect(lambda: self.opened.emit(saved.query))
        row.renaming_requested.connect(lambda: self.renaming_requested.emit(number))
        row.removal_requested.connect(lambda: self.removal_requested.emit(number))
        row.move_requested.connect(lambda step: self.move_requested.emit(number, step))
        self._layout.addWidget(row)
        return row


class NameCard(QFrame):
    """Asks for a name below the search field.

    Signals:
        named(str): the name that was given.
        closed(): it is hidden.
    """

    named = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        """Make a hidden card over ``parent``."""
        super().__init__(parent)
        self.setObjectName("nameCard")
        self.setProperty("surface", "popup")
        self.setFixedWidth(_CARD_WIDTH)
        self._title = label("", "heading", self)
        self._query = ElidedLabel("", self)
        self._query.setProperty("textstyle", "mono")
        self.edit = QLineEdit(self)
        self.edit.setObjectName("searchName")
        self.edit.setAccessibleName("Name of the search")
        self.edit.setMaxLength(60)
        self.edit.returnPressed.connect(self._accept)
        self._save = text_button("Save", "primary", parent=self)
        self._save.clicked.connect(self._accept)
        cancel = text_button("Cancel", "ghost", parent=self)
        cancel.clicked.connect(self.hide)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self._save)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        for part in (self._title, self._query, self.edit):
            box.addWidget(part)
        box.addLayout(buttons)
        self.hide()

    def ask(self, title: str, query: str, name: str, field: QWidget, body: QWidget) -> None:
        """Ask below ``field`` for the name of ``query``; ``name`` is offered."""
        self._title.setText(title)
        self._query.setText(query)
        self.edit.setText(name)
        self.edit.selectAll()
        self.adjustSize()
        corner = field.mapTo(body, QPoint(0, field.height() + 8))
        self.move(max(8, min(corner.x(), body.width() - _CARD_WIDTH - 8)), corner.y())
        self.show()
        self.raise_()
        self.edit.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves without a name."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _accept(self) -> None:
        if self.edit.text().strip():
            self.hide()
            self.named.emit(self.edit.text())
            self.closed.emit()
