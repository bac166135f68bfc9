"""Sheets of the timeline: correcting an event, writing a note, handing over, choosing another incident."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from kb_app.incidents.events import AUDIENCES
from kb_app.incidents.markup import describe, one_line
from kb_app.incidents.timeline import IncidentState, Moment
from kb_app.ui.common.sheet import Sheet
from kb_app.ui.timeline.correcting import corrected_data, editables, parse_typed_time, time_text
from kb_app.ui.timeline.state import when_text


class CorrectSheet(Sheet):
    """Asks for the right values of an event, and why they were wrong."""

    def __init__(self, moment: Moment, parent: QWidget) -> None:
        """Offer what can be edited of ``moment``."""
        was = f"The original stays: {one_line(describe(moment.data))[:200]}"
        super().__init__("Correct the event", "Correct it", parent, icon="pencil", lead=was)
        self.moment = moment
        self._fields = editables(moment.data)
        self.lines = {
            field.name: self.add_line(
                field.label, field.value, needed=f"{field.name} is needed" if field.is_required else ""
            )
            for field in self._fields
        }
        self.at = self.add_line("When it happened (UTC)", time_text(moment.at))
        self.reason = self.add_line(
            "Why it was wrong", hint="One line; it stands beside the original", needed="Say why it was wrong"
        )
        self.add_check(self._check)

    def _check(self) -> str:
        try:
            data, at = self.value()
        except ValueError as error:
            return str(error)
        if at is None and data == dict(self.moment.data.data):
            return "Nothing was changed"
        return ""

    def value(self) -> tuple[dict[str, object], dt.datetime | None]:
        """Return the new data, and when it happened if that is not what it was; an earlier correction stays.

        Raises:
            ValueError: when something typed is not what it must be.
        """
        typed = {name: line.text() for name, line in self.lines.items()}
        at = parse_typed_time(self.at.text(), self.moment.at)
        if at is None and self.moment.at != self.moment.event.at:
            at = self.moment.at
        return corrected_data(self.moment.data, self._fields, typed), at


class NoteSheet(Sheet):
    """Asks for a note and who may read it."""

    def __init__(self, parent: QWidget, title: str) -> None:
        """Write a note to the incident ``title``."""
        super().__init__("Write a note", "Write it down", parent, icon="message-square", lead=one_line(title))
        self.text = self.add_text("Note", hint="What was seen; no customer data", needed="The note is empty")
        self.audience = self.add_choice(
            "Who may read it",
            [(word, {"internal": "Us only"}.get(word, word.capitalize())) for word in AUDIENCES],
        )


class HandoverSheet(Sheet):
    """Asks who goes on and what they have to know."""

    def __init__(self, parent: QWidget, title: str) -> None:
        """Hand the incident ``title`` over."""
        lead = f"{one_line(title)}. The summary goes to the clipboard."
        super().__init__("Hand over", "Hand over", parent, icon="send", lead=lead)
        self.to = self.add_line("To whom", hint="@team or mail", needed="Say who takes over")
        self.text = self.add_text("What they have to know", hint="What to watch, what comes next")


class PickSheet(Sheet):
    """Lists the records, the newest first, to choose one.

    Signals:
        picked(str): id of the record.
    """

    picked = Signal(str)

    def __init__(self, states: Sequence[IncidentState], parent: QWidget, *, current: str = "") -> None:
        """Offer these records."""
        super().__init__("Incidents", "Show it", parent, icon="activity")
        self.list = QListWidget(self.card)
        self.list.setAccessibleName("Incidents, the newest first")
        self.list.setFixedHeight(280)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        for state in states:
            opened = when_text(state.opened_at) or "time not recorded"
            item = QListWidgetItem(f"{one_line(state.title)}\n{state.status}  ·  {opened}")
            item.setData(Qt.ItemDataRole.UserRole, state.id)
            self.list.addItem(item)
            if state.id == current:
                self.list.setCurrentItem(item)
        if self.list.currentRow() < 0 and self.list.count():
            self.list.setCurrentRow(0)
        self.box.addWidget(self.list)
        self.list.itemDoubleClicked.connect(lambda _item: self.accept())
        self.accepted.connect(self._on_accepted)

    def _on_accepted(self) -> None:
        chosen = self.list.selectedItems()
        name = str(chosen[0].data(Qt.ItemDataRole.UserRole)) if chosen else ""
        self.finish()
        if name:
            self.picked.emit(name)
