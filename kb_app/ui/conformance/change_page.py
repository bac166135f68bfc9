"""One change with its whole chain: justification, authority, people, times, follow-up, timeline, check."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from kb_app.entries.model import Severity
from kb_app.incidents.conformance import Report, Row, Verdict
from kb_app.incidents.markup import one_line
from kb_app.incidents.verify import is_chain_intact
from kb_app.ui.common.page import Page
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import Hairline, IconLabel, label, text_button
from kb_app.ui.conformance.pieces import TextTable, verdict_pixmap
from kb_app.ui.conformance.state import (
    TIMELINE_COLUMNS,
    VERDICT_COLORS,
    Group,
    groups_of,
    hashes_text,
    timeline_rows,
)
from kb_app.workspace.proving import ChangeProof

WIDTH = 1040


class ChangePage(Page):
    """One change.

    Signals:
        row_requested(object): another change shall be shown, a `Row`.
        back_requested(object): back to the list, with the `Row` that was shown.
    """

    row_requested = Signal(object)
    back_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Change", parent, width=WIDTH)
        self.setObjectName("changePage")
        # the page itself has the focus: a button would take Left and Right for going to its neighbour
        self.setFocusProxy(None)  # type: ignore[arg-type]
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._rows: tuple[Row, ...] = ()
        self._place = 0
        self._change: ChangeProof | None = None
        self.back.clicked.disconnect()
        self.back.clicked.connect(self._go_back)
        self._where = label("", "secondary", self.column)
        self.previous = text_button("Previous", "ghost", "chevron-left", self.column)
        self.previous.setToolTip("The change before it (Left)")
        self.previous.clicked.connect(lambda: self._step(-1))
        self.following = text_button("Next", "ghost", "chevron-right", self.column)
        self.following.setToolTip("The change after it (Right)")
        self.following.clicked.connect(lambda: self._step(1))
        for widget in (self._where, self.previous, self.following):
            self.add_head(widget)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._mark = QLabel(self.column)
        self._mark.setFixedSize(16, 16)
        row.addWidget(self._mark)
        self._verdict = label("", "title", self.column)
        row.addWidget(self._verdict)
        self._why = label("", "", self.column, wrap=True)
        row.addWidget(self._why, 1)
        self.box.addLayout(row)
        self._groups = QGridLayout()
        self._groups.setSpacing(16)
        for column in range(3):
            self._groups.setColumnStretch(column, 1)
        self.box.addSpacing(8)
        self.box.addLayout(self._groups)
        self.box.addSpacing(8)
        self.box.addWidget(label("Timeline", "title", self.column))
        self.timeline = TextTable("Timeline", self.column, is_whole=True)
        self.box.addWidget(self.timeline)
        self.box.addSpacing(8)
        self.box.addWidget(self._build_check())
        self.box.addStretch(1)
        Theme.current().changed.connect(self._show_verdict)

    def _build_check(self) -> QWidget:
        card = QFrame(self.column)
        card.setProperty("surface", "card")
        box = QVBoxLayout(card)
        box.setContentsMargins(20, 16, 20, 16)
        box.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(8)
        self._check_icon = IconLabel("circle-check", "fix", 16, card)
        head.addWidget(self._check_icon)
        self._check_title = label("", "title", card)
        head.addWidget(self._check_title)
        head.addStretch(1)
        copy = text_button("Copy the hashes", "ghost", "copy", card)
        copy.setToolTip("Copies the hash of each event, one a line, to compare with another clone")
        copy.clicked.connect(self._copy_hashes)
        head.addWidget(copy)
        box.addLayout(head)
        self._findings = label("", "secondary", card, wrap=True)
        self._findings.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.addWidget(self._findings)
        return card

    def show_change(self, change: ChangeProof, report: Report, rows: Sequence[Row]) -> None:
        """Show a change; ``rows`` are those one can go on to."""
        self._change = change
        self._rows = tuple(rows)
        row = change.row
        self._place = self._rows.index(row) if row in self._rows else -1
        self.title.setText(one_line(f"{row.change_id} in {row.service or 'an unknown service'}"))
        self.setAccessibleName(f"{row.change_id}, {row.verdict}")
        self._where.setText(f"{self._place + 1} of {len(self._rows)}" if self._place >= 0 else "")
        self.previous.setEnabled(self._place > 0)
        self.following.setEnabled(0 <= self._place < len(self._rows) - 1)
        self._why.setText(one_line(row.why))
        self._show_verdict()
        self._show_groups(groups_of(change, report))
        self.timeline.set_table(TIMELINE_COLUMNS, timeline_rows(change), (176, 112, 560))
        self.timeline.setVisible(change.state is not None)
        self._show_check(change)

    def _show_verdict(self) -> None:
        if self._change is None:
            return
        verdict = self._change.row.verdict
        color = Theme.current().tokens.color(VERDICT_COLORS[Verdict(verdict)])
        self._mark.setPixmap(verdict_pixmap(verdict, color, 16))
        self._verdict.setText(verdict)
        self._verdict.setStyleSheet(f"color: {color};")

    def _show_groups(self, groups: Sequence[Group]) -> None:
        while (item := self._groups.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for number, group in enumerate(groups):
            self._groups.addWidget(self._card(group), number // 3, number % 3)

    def _card(self, group: Group) -> QWidget:
        card = QFrame(self.column)
        card.setProperty("surface", "card")
        box = QVBoxLayout(card)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(6)
        box.addWidget(label(group.title, "heading", card))
        box.addWidget(Hairline(card))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(0, 104)
        grid.setColumnStretch(1, 1)
        for number, (name, value) in enumerate(group.pairs):
            top = Qt.AlignmentFlag.AlignTop
            grid.addWidget(label(name, "secondary", card), number, 0, top)
            shown = label(value, "", card, wrap=True)
            shown.setAccessibleName(f"{name}: {value}")
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(shown, number, 1, top)
        box.addLayout(grid)
        box.addStretch(1)
        return card

    def _show_check(self, change: ChangeProof) -> None:
        findings = change.findings
        if change.state is None:
            self._check_icon.set_icon("circle-x", "danger")
            self._check_title.setText("There is no record of this deploy")
            self._findings.setText("It was found in the list of deploys, without a review.")
            return
        is_whole = is_chain_intact(findings)
        self._check_icon.set_icon("circle-check" if is_whole else "circle-x", "fix" if is_whole else "danger")
        events = len(change.state.moments)
        self._check_title.setText(
            f"The chain of {events} events is whole"
            if is_whole
            else "The record was changed after it was written"
        )
        words = {Severity.ERROR: "Breaks the chain", Severity.WARNING: "Warning", Severity.INFO: "Note"}
        lines = [one_line(f"{words[f.severity]}: {f.message} ({f.place})") for f in findings]
        self._findings.setText("\n".join(lines) or "No findings.")

    def _copy_hashes(self) -> None:
        if self._change is not None:
            QGuiApplication.clipboard().setText(hashes_text(self._change))

    def _step(self, step: int) -> None:
        place = self._place + step
        if 0 <= place < len(self._rows):
            self.row_requested.emit(self._rows[place])

    def _go_back(self) -> None:
        if self._change is not None:
            self.back_requested.emit(self._change.row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and Right go to the change before and after; Esc goes back to the list."""
        if event.key() == Qt.Key.Key_Left:
            self._step(-1)
        elif event.key() == Qt.Key.Key_Right:
            self._step(1)
        elif event.key() == Qt.Key.Key_Escape:
            self._go_back()
        else:
            super().keyPressEvent(event)
