"""The home page: what is owed, by whom, until when."""

from __future__ import annotations

import datetime as dt

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from kb_app.ui.common.messages import fit_text
from kb_app.ui.common.page import Page
from kb_app.ui.common.widgets import EmptyState, label
from kb_app.ui.duties.rows import DutyList
from kb_app.ui.duties.state import DutyRow, brief_of, duty_rows
from kb_app.workspace.aftermath import Dues

WIDTH = 920


class DutiesPage(Page):
    """The page.

    Signals:
        opened(object): the `DutyRow` that shall be worked on.
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the page; `show_dues` fills it."""
        super().__init__("What is owed", parent, width=WIDTH)
        self.setObjectName("dutiesPage")
        self.box.setContentsMargins(0, 28, 0, 16)
        self.summary = label("", "secondary", self)
        self.box.addWidget(self.summary)
        self.rows = DutyList(self)
        self.rows.opened.connect(self.opened)
        self.box.addWidget(self.rows, 1)
        self.empty = EmptyState("circle-check", "", "")
        fit_text(self.empty, 360)
        self.box.addWidget(self.empty, 1)
        self.dues: Dues | None = None
        self._show_emptiness("Reading the records …", "")

    def show_dues(self, dues: Dues, now: dt.datetime) -> None:
        """Show what is owed; what was chosen stays chosen."""
        self.dues = dues
        rows = duty_rows(dues, now)
        brief = brief_of(dues, now)
        if not rows:
            text = "Reviews, follow-ups and open incidents stand here."
            self._show_emptiness("Nothing is owed", text)
            return
        had_focus = self.empty.isVisible() and self.back.hasFocus()
        self.empty.hide()
        self.rows.show()
        self.summary.show()
        self.rows.set_rows(rows)
        self.setFocusProxy(self.rows)
        if had_focus:
            self.rows.setFocus(Qt.FocusReason.OtherFocusReason)
        late = f", {brief.overdue} overdue" if brief.overdue else ""
        count = f"{brief.count} owed{late}" if brief.count else "Nothing is owed"
        self.summary.setText(f"{count}  ·  seen as {dues.who}  ·  Enter opens what is to be done")

    def row_of(self, kind: str) -> DutyRow | None:
        """Return the first row about something of that kind."""
        return next(
            (r for r in self.rows.duties.rows if r.item is not None and r.item.kind.value == kind), None
        )

    def _show_emptiness(self, title: str, text: str) -> None:
        if self.rows.hasFocus():
            self.back.setFocus(Qt.FocusReason.OtherFocusReason)  # before it goes: Qt would go elsewhere
        self.rows.hide()
        self.summary.hide()
        self.empty.set_state("circle-check", title, text)
        self.empty.show()
        self.setFocusProxy(self.back)
