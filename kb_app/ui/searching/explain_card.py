"""The card that explains a search: the question in words, what else was looked up, why an entry was found."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from kb_app.search.model import SearchAnswer
from kb_app.ui.common.messages import announce
from kb_app.ui.common.widgets import ElidedLabel, IconButton, label
from kb_app.ui.results.state import Row
from kb_app.ui.search.panel import QueryEdit

WIDTH = 520


class ExplainCard(QFrame):
    """Lies below the search field; the field keeps the focus, Esc closes the card first.

    Signals:
        closed(): it is hidden.
    """

    closed = Signal()

    def __init__(self, edit: QueryEdit, parent: QWidget) -> None:
        """Make a hidden card over ``parent``."""
        super().__init__(parent)
        self.setObjectName("explainCard")
        self.setProperty("surface", "popup")
        self.setAccessibleName("The search explained")
        self.setFixedWidth(WIDTH)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 8, 8, 16)
        box.setSpacing(4)
        head = QHBoxLayout()
        head.addWidget(label("What was searched", "heading", self), 1)
        close = IconButton("x", "Close the explanation", self, size=14, shortcut="Esc")
        close.clicked.connect(self.hide)
        head.addWidget(close)
        box.addLayout(head)
        self._question = label("", "", self, wrap=True)
        self._notes = label("", "secondary", self, wrap=True)
        self._entry = ElidedLabel("", self)
        self._entry.setProperty("textstyle", "heading")
        self._reasons = label("", "secondary", self, wrap=True)
        for part in (self._question, self._notes, self._entry, self._reasons):
            part.setContentsMargins(0, 0, 8, 0)
            box.addWidget(part)
        box.insertSpacing(3, 4)
        self.hide()
        edit.key_guards.append(self._take_key)

    @property
    def text(self) -> str:
        """Return all that is said, line by line."""
        parts: tuple[QLabel, ...] = (self._question, self._notes, self._entry, self._reasons)
        return "\n".join(part.text() for part in parts if part.text())

    def open_below(self, field: QWidget, body: QWidget) -> None:
        """Show the card below ``field``."""
        corner = field.mapTo(body, QPoint(0, field.height() + 8))
        self.move(max(8, min(corner.x(), body.width() - WIDTH - 8)), corner.y())
        self.show()
        self.raise_()

    def show_answer(self, answer: SearchAnswer, row: Row | None) -> None:
        """Explain an answer and the row that is chosen."""
        before = self.text
        self._question.setText(answer.explanation or "All entries")
        notes = [note[:1].upper() + note[1:] for note in (*answer.notes, *answer.problems)]
        self._notes.setText("\n".join(notes))
        self._notes.setVisible(bool(notes))
        hit = row.hit if row is not None else None
        self._entry.setText(f"Why \u201c{row.title}\u201d" if row is not None and hit is not None else "")
        reasons = [f"\u2022 {reason[:1].upper()}{reason[1:]}" for reason in (hit.why if hit else ())]
        self._reasons.setText("\n".join(reasons))
        for part in (self._entry, self._reasons):
            part.setVisible(bool(reasons))
        self._fit()
        if self.text != before:
            announce(self, self.text)

    def _fit(self) -> None:
        """Take the height of the wrapped texts: a layout asks labels for that of another width."""
        for part in (self._question, self._notes, self._reasons):
            part.setFixedHeight(part.heightForWidth(WIDTH - 26))
        self.adjustSize()

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell that it is gone."""
        super().hideEvent(event)
        self.closed.emit()

    def _take_key(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape and self.isVisible():
            self.hide()
            return True
        return False
