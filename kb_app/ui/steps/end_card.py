"""The end mark of a path: no step is open any more, and this is what is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import IconLabel, label, text_button
from kb_app.ui.steps.cards import Remark
from kb_app.ui.steps.marks import Mark, Marks, OwedLine, left_over, stopwatch
from kb_app.ui.steps.state import Lane, PathView, plain_words

_MAX_OWED = 6


class EndCard(QFrame):
    """Lists what a path leaves undone: skipped steps, steps that did not work, timers, open duties.

    Signals:
        proof_wanted(): the harm has stopped, or the cause is gone: say what proves it.
        ended(): the run shall be ended.
    """

    proof_wanted = Signal()
    ended = Signal()

    def __init__(self, lane: Lane, parent: QWidget | None = None) -> None:
        """Make an empty one for a column."""
        super().__init__(parent)
        self.setObjectName("endMark")
        self.setProperty("surface", "card")
        self._lane = lane
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(12, 10, 12, 12)
        self._box.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(6)
        self._icon = IconLabel("flag", "text2", 15, self)
        head.addWidget(self._icon)
        self._title = label("", "heading", self, wrap=True)
        head.addWidget(self._title, 1)
        self._box.addLayout(head)
        self._lines: list[QWidget] = []
        self.lines: tuple[str, ...] = ()
        what = "Mitigated…" if lane is Lane.MITIGATE else "Fixed…"
        key = "M" if lane is Lane.MITIGATE else "X"
        self.proof_button = text_button(what, "", "shield-check" if key == "M" else "circle-check", self)
        self.proof_button.setToolTip(f"Say what proves it ({key})")
        self.proof_button.clicked.connect(self.proof_wanted)
        self._box.addWidget(self.proof_button)
        self.end_button = text_button("End this run", "ghost", parent=self)
        self.end_button.setToolTip("Write down that nothing more is done on this path; the list above stays")
        self.end_button.clicked.connect(self.ended)
        self._box.addWidget(self.end_button)

    def show_end(
        self,
        path: PathView,
        marks: Marks,
        owed: Sequence[OwedLine],
        *,
        is_recording: bool,
        is_ended: bool,
        now: dt.datetime,
    ) -> None:
        """Show what is left of ``path``.

        Args:
            path: the path whose steps are all behind.
            marks: of its steps, and of the other paths: their timers are listed too.
            owed: what the incident owes.
            is_recording: there is a record to write to.
            is_ended: the run was ended already.
            now: for timers.
        """
        left = left_over(path, marks)
        self._title.setText("End of the steps" if left or owed else "End of the steps: nothing is left over")
        rows = []
        for view, mark in left:
            words = f"Step {view.step.number}: {plain_words(view.step.text)}"
            note = f" ({mark.note})" if mark.note else ""
            icon, tone = ("skip-forward", "muted") if mark.mark is Mark.SKIPPED else ("circle-x", "danger")
            lead = "Skipped" if mark.mark is Mark.SKIPPED else "Did not work"
            rows.append((icon, tone, f"{lead}. {words}{note}"))
        keys = {view.key for view in path.steps}
        for key, mark in marks.items():
            if mark.mark is Mark.WAITING and mark.due is not None and key not in keys:
                left_s = max(0.0, (mark.due - now).total_seconds())
                rows.append(("timer", "info", f"A timer runs in the other column: {stopwatch(left_s)} left."))
        for line in owed[:_MAX_OWED]:
            due = f", {line.due}" if line.due else ""
            rows.append(("list-checks", "danger" if line.is_overdue else "muted", f"{line.text}{due}"))
        if len(owed) > _MAX_OWED:
            rows.append(("ellipsis", "muted", f"{len(owed) - _MAX_OWED} more duties on the home page"))
        self._show_rows(rows)
        self.proof_button.setVisible(is_recording and not is_ended)
        self.end_button.setVisible(is_recording and not is_ended)
        self._icon.set_icon("flag", "text2" if left else "fix")
        set_property(self, "ended", "true" if is_ended else "false")

    def _show_rows(self, rows: Sequence[tuple[str, str, str]]) -> None:
        texts = tuple(text for _, _, text in rows)
        if texts == self.lines:
            return
        self.lines = texts
        for line in self._lines:
            line.hide()
            line.deleteLater()
        self._lines = []
        for position, (icon, tone, text) in enumerate(rows):
            line = Remark(icon, tone, text, self, is_plain=True)
            self._lines.append(line)
            self._box.insertWidget(1 + position, line)

    def title(self) -> str:
        """Return what stands at its head."""
        return self._title.text()
