"""The quiet line below the search field: the query in words, and what in it was not understood."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from kb_app.search.model import SearchAnswer
from kb_app.ui.common.widgets import ElidedLabel, IconLabel, text_button

HEIGHT = 30


class QueryLine(QFrame):
    """Shows the explanation and the problems of an answer; hidden for a question of plain words.

    Signals:
        place_requested(int, int): a problem was pressed; it stands there in the query.
        explanation_requested(): more about the question is wanted.
    """

    place_requested = Signal(int, int)
    explanation_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a hidden line."""
        super().__init__(parent)
        self.setObjectName("queryLine")
        self.setProperty("surface", "chromebar")
        self.setFixedHeight(HEIGHT)
        self._span = (0, 0)
        self._info = IconLabel("info", "text3", 14, self)
        self._text = ElidedLabel("", self, mode=Qt.TextElideMode.ElideRight)
        self._text.setProperty("textstyle", "secondary")
        self._text.setAccessibleName("The search in words")
        self._warning = IconLabel("triangle-alert", "mitigate", 14, self)
        self._problem: QPushButton = text_button("", "link", parent=self)
        self._problem.setObjectName("queryProblem")
        self._problem.clicked.connect(lambda: self.place_requested.emit(*self._span))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 0, 16, 2)
        self._row.setSpacing(6)
        for part in (self._info, self._text, self._warning, self._problem):
            self._row.addWidget(part)
        self._row.setStretchFactor(self._text, 1)
        self.hide()

    @property
    def text(self) -> str:
        """Return what is said, problems last; empty while the line is hidden."""
        if self.isHidden():
            return ""
        return " ".join(filter(None, (self._text.text(), self._problem.text())))

    def show_answer(self, answer: SearchAnswer) -> None:
        """Show what is to be said of an answer."""
        notes = "; ".join(answer.notes)
        said = ". ".join(part for part in (answer.explanation, notes[:1].upper() + notes[1:]) if part)
        self._text.setText(said)
        self._info.setVisible(bool(said))
        problem = answer.problems[0] if answer.problems else ""
        more = f" (+{len(answer.problems) - 1} more)" if len(answer.problems) > 1 else ""
        self._problem.setText(problem + more)
        self._problem.setAccessibleName(problem)
        self._problem.setToolTip("\n".join(answer.problems))
        self._problem.setVisible(bool(problem))
        self._warning.setVisible(bool(problem))
        self._span = answer.problem_spans[0] if answer.problem_spans else (0, 0)
        self._text.setVisible(bool(said) or not problem)
        self.setVisible(bool(said or problem))

    def align(self, left: int) -> None:
        """Begin below the search field, ``left`` pixels from the window's edge."""
        margins = self._row.contentsMargins()
        if margins.left() != left:
            self._row.setContentsMargins(left, 0, 16, 2)
