"""What lint says to the text, as a list below it: line, sentence, and the repair where there is one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from kb_app.entries.model import Severity
from kb_app.ui.common.widgets import ElidedLabel, IconLabel, KeyCap, label, plain_tooltip, text_button
from kb_app.ui.editor.state import Problem, counts_text

MAX_ROWS = 40
_LOOKS = {
    Severity.ERROR: ("circle-alert", "danger"),
    Severity.WARNING: ("triangle-alert", "mitigate"),
    Severity.INFO: ("lightbulb", "info"),
}


class ProblemRow(QFrame):
    """One problem; a click goes to its line."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        self.setFixedHeight(28)
        self._icon = IconLabel("info", "info", 14, self)
        self.go = QPushButton(self)
        self.go.setProperty("role", "link")
        self.go.setFixedWidth(64)
        self.text = ElidedLabel("", self, mode=Qt.TextElideMode.ElideRight)
        self.repair = text_button("", "link", parent=self)
        for widget in (self._icon, self.go):
            row.addWidget(widget)
        row.addWidget(self.text, 1)
        row.addWidget(self.repair)
        self.problem: Problem | None = None

    def show_problem(self, problem: Problem) -> None:
        """Show a problem."""
        self.problem = problem
        self._icon.set_icon(*_LOOKS[problem.severity])
        self.go.setText(f"Line {problem.line}")
        self.go.setAccessibleName(f"Go to line {problem.line}: {problem.message}")
        self.go.setToolTip("Go to the line")
        self.text.setText(f"{problem.message}. {problem.advice}" if problem.advice else problem.message)
        self.repair.setText(problem.repair)
        self.repair.setAccessibleName(f"{problem.repair}, line {problem.line}")
        self.repair.setToolTip(plain_tooltip(f"{problem.repair} (Ctrl+. repairs the problem of this line)"))
        self.repair.setVisible(bool(problem.repair))


class ProblemList(QFrame):
    """All problems of a text, by line.

    Signals:
        line_requested(int): show this line.
        repair_requested(object): repair this `Problem`.
    """

    line_requested = Signal(int)
    repair_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problems")
        self.setProperty("surface", "status")
        self.setAccessibleName("What could be better")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(12, 6, 12, 6)
        head.setSpacing(8)
        self.count = label("Nothing to improve", "secondary", self)
        head.addWidget(self.count)
        head.addStretch(1)
        for keys, text in (("F8", "next"), ("Ctrl .", "repair")):
            head.addWidget(KeyCap(keys, self))
            head.addWidget(label(text, "meta", self))
        box.addLayout(head)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        self._box = QVBoxLayout(body)
        self._box.setContentsMargins(0, 0, 0, 6)
        self._box.setSpacing(0)
        self._box.addStretch(1)
        self._scroll.setWidget(body)
        box.addWidget(self._scroll, 1)
        self._rows: list[ProblemRow] = []
        self.problems: tuple[Problem, ...] = ()
        self.setMinimumHeight(32)

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Show these problems; rows are used again."""
        self.problems = tuple(problems)
        self.count.setText(counts_text(problems))
        shown = problems[:MAX_ROWS]
        while len(self._rows) < len(shown):
            row = ProblemRow(self)
            row.go.clicked.connect(self._on_go)
            row.repair.clicked.connect(self._on_repair)
            self._box.insertWidget(len(self._rows), row)
            self._rows.append(row)
        for position, row in enumerate(self._rows):
            row.setVisible(position < len(shown))
            if position < len(shown) and row.problem != shown[position]:
                row.show_problem(shown[position])
        self._scroll.setVisible(bool(shown))

    def wanted_height(self) -> int:
        """Return the height in pixels that shows up to four problems."""
        return 34 + 28 * min(4, len(self.problems)) + (6 if self.problems else 0)

    def _on_go(self) -> None:
        row = self.sender().parent()
        if isinstance(row, ProblemRow) and row.problem is not None:
            self.line_requested.emit(row.problem.line)

    def _on_repair(self) -> None:
        row = self.sender().parent()
        if isinstance(row, ProblemRow) and row.problem is not None:
            self.repair_requested.emit(row.problem)
