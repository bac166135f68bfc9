"""Decisions go to the record: taken, taken again, and read back after a restart."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from kb_app.decision.codec import Case
from kb_app.decision.model import Incident
from kb_app.errors import KbError
from kb_app.incidents.book import RecordBook
from kb_app.incidents.timeline import IncidentState
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.incident.current import CurrentIncident
from kb_app.workspace import responding
from kb_app.workspace.deciding import Decision
from kb_app.workspace.responding import Change, StoredDecision

if TYPE_CHECKING:
    from kb_app.ui.decision.panel import DecisionPanel
    from kb_app.ui.window import MainWindow


class DecisionRecorder(QObject):
    """Joins the decision panel to the incident in hand."""

    def __init__(self, window: MainWindow, current: CurrentIncident) -> None:
        """Wait for the panel: it is made when somebody decides."""
        super().__init__(window)
        self._window = window
        self._current = current
        self._panel: DecisionPanel | None = None
        self._opened: OpenedEntry | None = None
        self._record = current.name
        window.response.when_made(self._join)
        window.response.deciding.connect(self._on_deciding)
        current.changed.connect(self._on_changed)

    def _join(self, panel: DecisionPanel) -> None:
        self._panel = panel
        panel.decided.connect(self._on_decided)

    def _on_deciding(self, opened: OpenedEntry) -> None:
        self._opened = opened
        self._show()

    def _on_changed(self, state: IncidentState | None) -> None:
        former, self._record = self._record, state.id if state is not None else ""
        if former and former != self._record and self._panel is not None:
            self._panel.forget()
        if self._opened is not None:
            self._show()

    @property
    def live_case(self) -> Case | None:
        """Return what the answers say at this moment, when they belong to the decision in the record."""
        state, panel = self._current.state, self._panel
        stored = responding.stored_decision(state) if state is not None else None
        if panel is None or stored is None or not self._is_here(stored):
            return None
        return panel.state.case

    def _is_here(self, stored: StoredDecision) -> bool:
        opened = self._opened
        return opened is not None and stored.entry in ("", opened.entry.id)

    def _show(self) -> None:
        panel, state = self._panel, self._current.state
        if panel is None:
            return
        if state is None:
            panel.show_incident(Incident())
            return
        stored = responding.stored_decision(state)
        is_here = stored is not None and self._is_here(stored)
        panel.show_incident(responding.incident_of(state), stored if is_here else None)
        if is_here and stored is not None:
            panel.show_record(_written(state, stored.decided_at))

    def _on_decided(self, decision: Decision) -> None:
        opened, panel = self._opened, self._panel
        if opened is None or panel is None:
            return
        state = self._current.state
        if state is None and not responding.needs_record(decision):
            panel.show_record("A normal change: nothing is recorded.")
            return
        panel.show_record("Writing it down…")
        entry = opened.entry

        def work(book: RecordBook, name: str) -> Change:
            return responding.take_decision(book, name, decision, entry=entry.id)

        if state is not None:
            self._current.perform(work, on_error=self._on_error)
            return
        opening = responding.opening_for(decision, entry)
        self._current.open(opening, partial(self._on_opened), then=work, on_error=self._on_error)

    def _on_opened(self, change: Change) -> None:
        self._window.say(f"Incident opened: {change.state.title}")

    def _on_error(self, error: Exception) -> None:
        if self._panel is not None and isinstance(error, KbError):
            self._panel.show_record(f"Not written down: {error.title}", is_failed=True)


def _written(state: IncidentState, at: dt.datetime) -> str:
    return f"In the record since {at.astimezone():%H:%M}: {state.title}"
