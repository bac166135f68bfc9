"""Runs: working through the steps of a path, kept as events, so that a crash costs nothing.

A run's state is never stored; it is rebuilt from the record's events. Each mark (done, skipped, failed,
waiting) is an ``action`` event; taking one back is an event too and names the mark it takes back. A wait ends
at a time written in its event, so that it is over at the right moment after sleep or restart as well.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kb_app.entries.durations import parse_duration
from kb_app.entries.model import Path as EntryPath
from kb_app.errors import UsageError
from kb_app.incidents.events import Event, EventType, parse_time
from kb_app.incidents.folders import refresh_document
from kb_app.incidents.journal import Journal
from kb_app.incidents.timeline import Moment, timeline

MAX_STEP_TEXT = 200
_AMOUNT = r"(\d[\d.,]*\s*(?:(?:-|–|to)\s*\d[\d.,]*\s*)?(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b)"
_WAITS = (
    re.compile(rf"\bwait\b[^.;\n]{{0,24}}?{_AMOUNT}", re.IGNORECASE),
    re.compile(
        rf"\b(?:after|within|in)\s+(?:about\s+|another\s+)?{_AMOUNT}[^.;\n]{{0,16}}?\b(?:check|verify|look|repeat)",
        re.IGNORECASE,
    ),
    re.compile(rf"{_AMOUNT}\s*,?\s*then\b", re.IGNORECASE),
    re.compile(rf"\b(?:check|verify|look|repeat)\b[^.;\n]{{0,24}}?\bafter\s+{_AMOUNT}", re.IGNORECASE),
)


class StepStatus(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


_OPEN = (StepStatus.PENDING, StepStatus.WAITING)
_MARKS = {
    "done": StepStatus.DONE,
    "skipped": StepStatus.SKIPPED,
    "failed": StepStatus.FAILED,
    "waiting": StepStatus.WAITING,
    "wait-over": StepStatus.PENDING,
}


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run works through.

    Attributes:
        path: name of the path.
        way: ``mitigation``, ``fix`` or ``lever``.
        steps: texts of the steps, in order; kept in the record, because the entry may change later.
        entry: id of the entry; may be empty.
        blob: its version; may be empty.
        owner: who carries it out; empty means the author of the journal.
    """

    path: str
    way: str
    steps: tuple[str, ...]
    entry: str = ""
    blob: str = ""
    owner: str = ""


def plan_of(path: EntryPath, *, entry: str = "", blob: str = "", owner: str = "") -> RunPlan:
    """Return the plan for a path of an entry; a path without numbered steps is one step."""
    texts = tuple(" ".join(step.text.split())[:MAX_STEP_TEXT] for step in path.steps) or (path.name,)
    return RunPlan(path.name or path.heading, path.kind.value, texts, entry, blob, owner)


@dataclass(frozen=True, slots=True)
class StepState:
    """One step of a run.

    Attributes:
        number: 1-based.
        text: as it was when the run began.
        status: where it stands.
        note: what was noted with the last mark.
        at: when it was marked, or None.
        by: who marked it.
        due: when a wait is over; None when the step does not wait.
        copied: commands copied from it, in order.
    """

    number: int
    text: str
    status: StepStatus = StepStatus.PENDING
    note: str = ""
    at: dt.datetime | None = None
    by: str = ""
    due: dt.datetime | None = None
    copied: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Tell whether something is still to be done."""
        return self.status in _OPEN


@dataclass(frozen=True, slots=True)
class RunState:
    """One run as it stands.

    Attributes:
        run: its id, unique in the record.
        path, way, entry, blob: as planned.
        owner: who carries it out now.
        steps: in order.
        started_at: when it began.
        ended_at: when it was ended, or None.
        marks: events that can be taken back, in order; the last one first to go.
    """

    run: str
    path: str
    way: str
    entry: str
    blob: str
    owner: str
    steps: tuple[StepState, ...]
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    marks: tuple[tuple[str, int], ...] = ()

    @property
    def current(self) -> StepState | None:
        """The one step to do now: the first open one; None when none is open or the run was ended."""
        if self.ended_at is not None:
            return None
        return next((step for step in self.steps if step.is_open), None)

    @property
    def deferred(self) -> tuple[StepState, ...]:
        """The steps that were not done: skipped, failed or still open; the end mark lists them."""
        return tuple(step for step in self.steps if step.status is not StepStatus.DONE)

    @property
    def is_complete(self) -> bool:
        """Tell whether no step is open."""
        return not any(step.is_open for step in self.steps)

    @property
    def progress(self) -> tuple[int, int]:
        """Steps that are not open, and all."""
        return sum(not step.is_open for step in self.steps), len(self.steps)


@dataclass(frozen=True, slots=True)
class Timer:
    """A wait that is running.

    Attributes:
        run: id of the run.
        path: its name.
        step: 1-based.
        text: of the step.
        due: when the wait is over.
    """

    run: str
    path: str
    step: int
    text: str
    due: dt.datetime

    def remaining(self, now: dt.datetime) -> dt.timedelta:
        """Return how long the wait still lasts; zero when it is over."""
        return max(self.due - now, dt.timedelta())


def wait_minutes(text: str) -> float | None:
    """Return how long a step asks to wait ("10 min, then check"), in minutes, or None when it does not."""
    for pattern in _WAITS:
        match = pattern.search(text[:MAX_STEP_TEXT])
        duration = parse_duration(match[1]) if match else None
        if duration is not None:
            return duration.high_minutes
    return None


def runs_of(moments: Sequence[Moment]) -> tuple[RunState, ...]:
    """Return the runs that a timeline holds, by their beginning."""
    actions = [m.data for m in moments if m.data.type == EventType.ACTION]
    undone = {_target(event) for event in actions if event.text("result") == "undone"}
    states: dict[str, RunState] = {}
    for event in actions:
        run = _run_id(event)
        if event.text("result") == "started":
            states.setdefault(run, _started(event))
        elif run in states and (event.dev, event.seq) not in undone:
            states[run] = _applied(states[run], event)
    return tuple(states.values())


def timers_of(states: Sequence[RunState]) -> tuple[Timer, ...]:
    """Return the waits that are running, the first to end first."""
    found = [
        Timer(state.run, state.path, step.number, step.text, step.due)
        for state in states
        if state.ended_at is None
        for step in state.steps
        if step.status is StepStatus.WAITING and step.due is not None
    ]
    return tuple(sorted(found, key=lambda timer: (timer.due, timer.run, timer.step)))


def _target(event: Event) -> tuple[str, int]:
    target = event.data.get("undoes")
    if not isinstance(target, Mapping):
        return "", 0
    seq = target.get("seq")
    return str(target.get("dev")), seq if isinstance(seq, int) else 0


def _run_id(event: Event) -> str:
    """Return the run an action belongs to; the event that begins one names it by its own place."""
    is_start = event.text("result") == "started"
    return f"{event.dev}-{event.seq}" if is_start else event.text("run")


def _started(event: Event) -> RunState:
    return RunState(
        run=_run_id(event),
        path=event.text("path"),
        way=event.text("way"),
        entry=event.text("entry"),
        blob=event.text("blob"),
        owner=event.text("owner") or event.by,
        steps=tuple(StepState(n, text) for n, text in enumerate(event.texts("steps"), 1)),
        started_at=event.at,
    )


def _applied(state: RunState, event: Event) -> RunState:
    result = event.text("result")
    if result == "ended":
        return replace(state, ended_at=event.at)
    if result == "taken-over":
        return replace(state, owner=event.text("owner") or event.by)
    number = event.data.get("step")
    if not isinstance(number, int) or not 1 <= number <= len(state.steps):
        return state
    step = state.steps[number - 1]
    marks = state.marks
    if result == "copied":
        step = replace(step, copied=(*step.copied, event.text("command")))
    elif result in _MARKS:
        step = replace(
            step,
            status=_MARKS[result],
            note=event.text("note"),
            at=event.at,
            by=event.by,
            due=parse_time(event.data.get("due")) if result == "waiting" else None,
        )
        # the end of a wait is nobody's mark: taking back means the wait itself
        marks = marks if result == "wait-over" else (*marks, (event.dev, event.seq))
    steps = (*state.steps[: number - 1], step, *state.steps[number:])
    return replace(state, steps=steps, marks=marks)


class Runs:
    """The runs of one record: reads them from its events and writes each mark as an event.

    Args:
        journal: of this device in the record.

    Every method that writes returns the run as it stands afterwards, raises `UsageError` when the run or the
    step does not exist or the run was ended, and `EnvironmentFault` when the event could not be written.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def states(self) -> tuple[RunState, ...]:
        """Return all runs, by their beginning."""
        return runs_of(timeline(self._journal.folder))

    def state(self, run: str) -> RunState:
        """Return one run.

        Raises:
            UsageError: when there is none of that id.
        """
        for state in self.states():
            if state.run == run:
                return state
        raise UsageError(f"There is no run “{run}” in this record", "Begin a run first")

    def start(self, plan: RunPlan) -> RunState:
        """Begin a run. Two people may run two paths of one record at the same time."""
        if not plan.steps:
            raise UsageError("A run needs at least one step")
        event = self._append(
            {
                "path": plan.path,
                "way": plan.way,
                "entry": plan.entry or None,
                "blob": plan.blob or None,
                "steps": [" ".join(step.split())[:MAX_STEP_TEXT] for step in plan.steps],
                "owner": plan.owner or None,
                "result": "started",
            }
        )
        return self.state(_run_id(event))

    def tick(self, run: str, step: int, *, note: str = "") -> RunState:
        """Mark a step as done; doing so twice changes nothing."""
        return self._mark(run, step, "done", note)

    def skip(self, run: str, step: int, *, note: str = "") -> RunState:
        """Mark a step as skipped."""
        return self._mark(run, step, "skipped", note)

    def fail(self, run: str, step: int, *, note: str) -> RunState:
        """Mark a step as failed, with what was seen."""
        if not note.strip():
            raise UsageError("A failed step needs a note", "Write what you saw")
        return self._mark(run, step, "failed", note)

    def wait(self, run: str, step: int, *, minutes: float) -> RunState:
        """Let a step wait; `Timer.due` is counted from now."""
        if not 0 < minutes <= 7 * 24 * 60:
            raise UsageError("A wait lasts longer than nothing and at most a week")
        now = self._journal.clock()
        due = now + dt.timedelta(minutes=minutes)
        return self._mark(run, step, "waiting", "", {"minutes": minutes, "due": due})

    def copied(self, run: str, step: int, command: str) -> RunState:
        """Record that a command was copied, values filled in; credentials are removed from it."""
        state = self._open_run(run, step)
        return self._write(state, {"step": step, "result": "copied", "command": command})

    def undo(self, run: str, step: int | None = None) -> RunState:
        """Take back the last mark of a run, or of one of its steps; the mark stays in the record."""
        state = self.state(run)
        marks = state.marks if step is None else self._marks_of(state, step)
        if not marks:
            raise UsageError("There is no mark to take back")
        device, seq = marks[-1]
        return self._write(state, {"result": "undone", "undoes": {"dev": device, "seq": seq}})

    def _marks_of(self, state: RunState, step: int) -> tuple[tuple[str, int], ...]:
        """Return those marks of a run that belong to one step, in order."""
        events = (moment.data for moment in timeline(self._journal.folder))
        of_step = {(event.dev, event.seq) for event in events if event.data.get("step") == step}
        return tuple(mark for mark in state.marks if mark in of_step)

    def take_over(self, run: str, owner: str) -> RunState:
        """Give a run to somebody else."""
        return self._write(self._open_run(run), {"result": "taken-over", "owner": owner})

    def end(self, run: str, *, note: str = "") -> RunState:
        """End a run; `RunState.deferred` is what it leaves undone."""
        return self._write(self._open_run(run), {"result": "ended", "note": note or None})

    def finish_waits(self) -> tuple[Timer, ...]:
        """Record every wait that is over by now and return them; their steps are to be checked now."""
        now = self._journal.clock()
        over = [timer for timer in timers_of(self.states()) if timer.due <= now]
        for timer in over:
            self._append({"run": timer.run, "path": timer.path, "step": timer.step, "result": "wait-over"})
        return tuple(over)

    def _mark(
        self, run: str, step: int, result: str, note: str, more: Mapping[str, object] | None = None
    ) -> RunState:
        state = self._open_run(run, step)
        known = state.steps[step - 1]
        if known.status is _MARKS[result] and known.status is not StepStatus.WAITING and known.note == note:
            return state
        return self._write(state, {"step": step, "result": result, "note": note or None, **(more or {})})

    def _open_run(self, run: str, step: int | None = None) -> RunState:
        state = self.state(run)
        if state.ended_at is not None:
            raise UsageError(f"The run of “{state.path}” has ended", "Begin another run")
        if step is not None and not 1 <= step <= len(state.steps):
            raise UsageError(f"“{state.path}” has no step {step}", f"It has steps 1 to {len(state.steps)}")
        return state

    def _write(self, state: RunState, data: Mapping[str, object]) -> RunState:
        self._append({"run": state.run, "path": state.path, **data})
        return self.state(state.run)

    def _append(self, data: Mapping[str, object]) -> Event:
        event = self._journal.append(EventType.ACTION, data)
        refresh_document(self._journal.folder)
        return event
