"""A page that covers the panes: title, way back, one column of content."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from kb_app.ui.common.widgets import label, text_button

COLUMN = 720
"""Width of a page's column in pixels, as of the reader's."""


class Page(QWidget):
    """A page with a title and a way back; it covers the panes until it is left.

    Attributes:
        box: layout of the column; content goes here.
        head: layout of the title's row; buttons go here, before ``back``.

    Signals:
        closed(): the panes shall show again.
    """

    closed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None, *, width: int = COLUMN) -> None:
        """Make an empty page with a column of ``width`` pixels; 0 takes the whole window."""
        super().__init__(parent)
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        outer.addWidget(self._scroll)
        body = QWidget()
        body.setProperty("surface", "surface")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(body)
        column = QWidget(body)
        if width:
            column.setFixedWidth(width)
            row.addStretch(1)
        self.box = QVBoxLayout(column)
        self.box.setContentsMargins(0, 28, 0, 40)
        self.box.setSpacing(12)
        head = QHBoxLayout()
        self.title = label(title, "display", column)
        head.addWidget(self.title)
        head.addStretch(1)
        self.back = text_button("Back", "ghost", "arrow-left", column)
        self.back.setToolTip("Back (Esc)")
        self.back.clicked.connect(self.closed)
        head.addWidget(self.back)
        self.head = head
        self.box.addLayout(head)
        row.addWidget(column, 0 if width else 1)
        if width:
            row.addStretch(1)
        self.column = column
        self._scroll.setWidget(body)
        self.setFocusProxy(self.back)

    def add_head(self, widget: QWidget) -> None:
        """Put a button or a remark into the title's row, before the way back."""
        self.head.insertWidget(self.head.count() - 1, widget)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc goes back."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
