"""Steps and decisions go to the record: what a person marks, copies or decides becomes an event.

Decision: what was asked for shows at once and is written meanwhile; when the record answers, what it says
counts. Between two keys nobody waits for a disk.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from kb_app.decision.from_entry import free_move
from kb_app.incidents.book import RecordBook
from kb_app.incidents.duties import owed
from kb_app.incidents.runs import RunPlan
from kb_app.incidents.timeline import IncidentState
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.incident.current import CurrentIncident
from kb_app.ui.incident.state import (
    STATUSES,
    PathRun,
    marks_of,
    owed_lines,
    path_runs,
    plan_for,
    run_lines,
    step_number,
)
from kb_app.ui.steps.marks import CopiedCommand, Mark, MarkRequest, Marks, StepMark, marked
from kb_app.ui.steps.state import Lane, PathView
from kb_app.workspace import responding
from kb_app.workspace.records import login_name
from kb_app.workspace.responding import Change

if TYPE_CHECKING:
    from kb_app.ui.window import MainWindow


class StepRecorder(QObject):
    """Joins the steps panel to the runs of the incident in hand."""

    def __init__(self, window: MainWindow, current: CurrentIncident) -> None:
        """Connect both; whatever is shown and in hand already shows its marks."""
        super().__init__(window)
        self._window = window
        self._desk = window.desk
        self._steps = window.steps
        self._current = current
        self._runs: Mapping[str, PathRun] = {}
        self._pending: Marks = {}
        self._shown_for: tuple[str, str] | None = None
        current.changed.connect(self._on_changed)
        self._steps.plan_shown.connect(self.show)
        self._steps.mark_requested.connect(self._on_mark)
        self._steps.command_copied.connect(self._on_copied)
        self._steps.end_wanted.connect(self._on_end)
        self.show()

    @property
    def me(self) -> str:
        """Return who writes on this device."""
        return self._desk.workspace.settings.author or login_name()

    def show(self) -> None:
        """Show the runs of the incident in hand at the paths of the open entry."""
        self._show_free_moves()
        state, entry_id = self._current.state, self._entry_id
        if state is None or not self._steps.paths:
            self._steps.leave_record()
            self._shown_for = None
            return
        self._runs = path_runs(self._current.runs, self._steps.paths, entry_id)
        now = dt.datetime.now(dt.UTC)
        marks: Marks = {**marks_of(self._runs, self.me), **self._pending}
        marks = {key: mark for key, mark in marks.items() if mark != StepMark()}
        owes = owed_lines(owed(state, now), now)
        self._choose_running((state.id, entry_id))
        self._steps.show_record(marks, run_lines(self._runs, self.me), owes)

    def take_over(self, *, is_wanted: bool) -> None:
        """Write the local marks of the open entry to the record, if wanted; they are then forgotten."""
        local = {key: mark for key, mark in self._steps.local_marks.items() if not mark.is_open}
        if not is_wanted or not local:
            return
        for path in self._steps.paths:
            for view in path.steps:
                mark = local.get(view.key)
                if mark is not None:
                    note = mark.note or "marked before the incident was opened"
                    self._on_mark(MarkRequest(path, view, mark.mark, note))
        self._steps.forget_local()

    def focus_current(self) -> None:
        """Go to the step that is in hand: of the run that was marked last."""
        going = [one for one in self._runs.values() if one.run.ended_at is None]
        if going:
            last = max(going, key=_last_marked)
            lane = Lane.FIX if last.path.way == "fix" else Lane.MITIGATE
            self._steps.choose_path(lane, last.path.entry_path, last.path.anchor)
            self._steps.focus_lane(lane)

    @property
    def _entry_id(self) -> str:
        opened = self._desk.current
        return opened.entry.id if opened is not None else ""

    def _choose_running(self, shown_for: tuple[str, str]) -> None:
        """Show, once for an entry, the paths that are being worked on."""
        if self._shown_for == shown_for:
            return
        self._shown_for = shown_for
        for one in self._runs.values():
            if one.run.ended_at is None:
                lane = Lane.FIX if one.path.way == "fix" else Lane.MITIGATE
                chosen = self._steps.chosen_path(lane)
                if chosen is not None and chosen.key != one.path.key:
                    self._steps.choose_path(lane, one.path.entry_path, one.path.anchor)

    def _show_free_moves(self) -> None:
        state = self._current.state
        scope = responding.incident_of(state).scope if state is not None else None
        moves = {}
        for path in self._steps.paths:
            if path.planned is not None and path.way == "mitigation":
                move = free_move(path.planned.path, path.planned.entry_state, scope)
                if move.is_free:
                    moves[path.key] = move.only_if
        self._steps.set_free_moves(moves)

    def _on_changed(self, _state: IncidentState | None) -> None:
        if not self._current.is_writing:
            self._pending = {}
        self.show()

    def _plan(self, path: PathView) -> RunPlan:
        return plan_for(path, self._entry_id)

    def _with_version(self, plan: RunPlan, path: PathView) -> RunPlan:
        """Return the plan with the version of the entry's file; reads it, so not on the window's thread."""
        opened = self._desk.current
        base = self._desk.base_of(opened.ref) if opened is not None else None
        return plan if base is None else replace(plan, blob=responding.blob_of(base.root, path.entry_path))

    def _on_mark(self, request: MarkRequest) -> None:
        now = dt.datetime.now(dt.UTC)
        pending = marked(self._pending, request, now)
        if request.mark is Mark.OPEN:
            pending = {**pending, request.step.key: StepMark()}
        self._pending = pending
        plan, number = self._plan(request.path), step_number(request)

        def work(book: RecordBook, name: str) -> Change:
            return responding.mark_plan(
                book,
                name,
                self._with_version(plan, request.path),
                number,
                STATUSES[request.mark],
                note=request.note,
                minutes=request.minutes,
            )

        self._remember_place()
        self._current.perform(work, on_error=self._on_error)
        self.show()

    def _on_copied(self, copy: CopiedCommand) -> None:
        if self._current.state is None:
            return
        plan = self._plan(copy.path)
        number = [view.key for view in copy.path.steps].index(copy.step.key) + 1

        def work(book: RecordBook, name: str) -> Change:
            full = self._with_version(plan, copy.path)
            return responding.copy_from_plan(book, name, full, number, copy.text)

        self._remember_place()
        self._current.perform(work)

    def _on_end(self, path: PathView) -> None:
        one = self._runs.get(path.key)
        if one is not None and one.run.ended_at is None:
            self._current.perform(partial(_ended, run=one.run.run))

    def _on_error(self, _error: Exception) -> None:
        self._pending = {}
        self.show()

    def _remember_place(self) -> None:
        """Keep where the work goes on after a restart."""
        opened, session = self._desk.current, self._desk.session
        ref: EntryRef | None = opened.ref if opened is not None else None
        session.update(replace(session.state, place=ref))


def _ended(book: RecordBook, name: str, *, run: str) -> Change:
    return responding.end_run(book, name, run)


def _last_marked(one: PathRun) -> dt.datetime:
    return max((step.at for step in one.run.steps if step.at is not None), default=one.run.started_at)
