"""Rules of the incident in hand: what the chip says, which run belongs to which path. Nothing knows Qt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb_app.entries.model import Step
from kb_app.incidents.duties import Owed
from kb_app.incidents.runs import MAX_STEP_TEXT, RunPlan, RunState, StepState, StepStatus
from kb_app.incidents.timeline import IncidentState
from kb_app.ui.steps.marks import Mark, MarkRequest, OwedLine, RunLine, StepMark, stopwatch
from kb_app.ui.steps.state import PathView
from kb_app.workspace.responding import is_run_of, time_limit

SEVERITIES: tuple[tuple[str, str, str], ...] = (
    ("sev1", "Sev 1", "danger"),
    ("sev2", "Sev 2", "mitigate"),
    ("sev3", "Sev 3", "info"),
    ("sev4", "Sev 4", "text2"),
)
"""Value, words and colour token of each severity."""

NO_SEVERITY = ("", "No severity", "text2")


def severity_look(severity: str) -> tuple[str, str]:
    """Return words and colour token of a severity; an undeclared one says so."""
    _, words, color = next((look for look in SEVERITIES if look[0] == severity), NO_SEVERITY)
    return words, color


# The chip


@dataclass(frozen=True, slots=True)
class ChipText:
    """What the chip at the top says.

    Attributes:
        severity: its words.
        color: colour token of its dot.
        title: of the incident.
        clock: how long it is open.
        status: ``mitigated``, ``fixed``, ``closed``; empty while it is open.
        limit: what is left of a fix's time, or by how much it is over; empty without a time limit.
        is_over: the time of the fix is over.
        spoken: all of it in a sentence.
    """

    severity: str
    color: str
    title: str
    clock: str
    status: str = ""
    limit: str = ""
    is_over: bool = False
    spoken: str = ""


def chip_text(state: IncidentState, now: dt.datetime) -> ChipText:
    """Return what the chip says at ``now``; every time comes from the record, none from a counter."""
    words, color = severity_look(state.severity)
    end = state.closed_at or now
    clock = stopwatch(max(0.0, (end - state.opened_at).total_seconds())) if state.opened_at else ""
    status = "" if state.status == "open" else state.status
    limit = time_limit(state)
    text, is_over = "", False
    if limit is not None:
        left = limit.left(now).total_seconds()
        is_over = left <= 0
        text = f"over by {stopwatch(left)}" if is_over else stopwatch(left + 0.999)
    spoken = f"Incident, {words}: {state.title}. Open for {clock}"
    spoken += f", {status}" if status else ""
    spoken += f". The time of the fix is {text}" if is_over else f". {text} left for the fix" if text else ""
    return ChipText(words, color, state.title, clock, status, text, is_over, spoken)


def opened_text(state: IncidentState, now: dt.datetime) -> str:
    """Return an open incident as one line of a list."""
    words, _ = severity_look(state.severity)
    since = stopwatch(max(0.0, (now - state.opened_at).total_seconds())) if state.opened_at else "?"
    return f"{words}  {state.title}  ({since})"


# Runs and paths


def recorded_words(step: Step) -> str:
    """Return a step as a record keeps it: its text, else its first command."""
    words = " ".join(step.text.split())
    if not words and step.commands:
        words = " ".join(step.commands[0].text.split())
    return (words or "Run")[:MAX_STEP_TEXT]


def plan_for(path: PathView, entry_id: str, blob: str = "") -> RunPlan:
    """Return the plan of a run through ``path``.

    Args:
        path: as it is shown; a path without steps is one step.
        entry_id: id of the entry that is open; a path of another entry is named by that entry's file.
        blob: version of the entry that holds the path.
    """
    steps = tuple(recorded_words(view.step) for view in path.steps) or (path.name,)
    return RunPlan(path.name, path.way, steps, entry_id if path.is_own else path.entry_path, blob)


@dataclass(frozen=True, slots=True)
class PathRun:
    """The run of a path that is shown.

    Attributes:
        path: the path.
        run: its run.
        steps: key of a step to what the run says about it; steps that are new since are missing.
        is_changed: the entry's steps are not those that the run began with.
    """

    path: PathView
    run: RunState
    steps: Mapping[str, StepState]
    is_changed: bool


def path_runs(runs: Sequence[RunState], paths: Sequence[PathView], entry_id: str) -> Mapping[str, PathRun]:
    """Return the run of each path that has one, by the path's key: the last that goes on, else the last."""
    found = {}
    for path in paths:
        plan = plan_for(path, entry_id)
        own = [run for run in runs if is_run_of(run, plan)]
        going = [run for run in own if run.ended_at is None]
        if own:
            found[path.key] = _path_run(path, (going or own)[-1], plan)
    return found


def _path_run(path: PathView, run: RunState, plan: RunPlan) -> PathRun:
    is_changed = tuple(step.text for step in run.steps) != plan.steps
    if not is_changed:
        steps = {view.key: step for view, step in zip(path.steps, run.steps, strict=False)}
        return PathRun(path, run, steps, is_changed)
    by_text = {step.text: step for step in reversed(run.steps)}
    steps = {
        view.key: by_text[words] for view in path.steps if (words := recorded_words(view.step)) in by_text
    }
    return PathRun(path, run, steps, is_changed)


_MARKS: Mapping[StepStatus, Mark] = {
    StepStatus.PENDING: Mark.OPEN,
    StepStatus.WAITING: Mark.WAITING,
    StepStatus.DONE: Mark.DONE,
    StepStatus.SKIPPED: Mark.SKIPPED,
    StepStatus.FAILED: Mark.FAILED,
}
STATUSES: Mapping[Mark, StepStatus] = {mark: status for status, mark in _MARKS.items()}


def marks_of(found: Mapping[str, PathRun], me: str) -> dict[str, StepMark]:
    """Return the marks of all steps; who marked is said where it was not ``me``."""
    return {
        key: StepMark(
            _MARKS[step.status],
            step.note,
            step.due,
            waited=step.status is StepStatus.PENDING and step.at is not None,
            by="" if step.by == me else step.by,
        )
        for run in found.values()
        for key, step in run.steps.items()
    }


def run_lines(found: Mapping[str, PathRun], me: str) -> dict[str, RunLine]:
    """Return what is known about each path's run, in a sentence."""
    return {key: _run_line(one, me) for key, one in found.items()}


def _run_line(one: PathRun, me: str) -> RunLine:
    run = one.run
    who = "" if run.owner == me else f" by {run.owner}"
    begun = f"{run.started_at.astimezone():%H:%M}"
    if run.ended_at is not None:
        ended = f"{run.ended_at.astimezone():%H:%M}"
        return RunLine(f"Run{who} ended {ended}; another mark begins a new one.", is_ended=True)
    if one.is_changed:
        return RunLine(
            "The steps have changed since this run began; the next mark begins a new one.", is_warning=True
        )
    return RunLine(f"Run{who} since {begun}")


def step_number(request: MarkRequest) -> int:
    """Return the 1-based place of the step that is asked for."""
    keys = [view.key for view in request.path.steps]
    return keys.index(request.step.key) + 1


def owed_lines(items: Sequence[Owed], now: dt.datetime) -> tuple[OwedLine, ...]:
    """Return what is owed as lines of the end mark."""
    return tuple(
        OwedLine(item.text, f"by {moment_text(item.due, now)}" if item.due else "", item.is_overdue(now))
        for item in items
    )


def moment_text(moment: dt.datetime, now: dt.datetime) -> str:
    """Return a time for people, in this device's zone: ``18:05``, ``tomorrow 18:05``, ``Tue 2 Dec 18:05``."""
    local, today = moment.astimezone(), now.astimezone().date()
    clock = f"{local:%H:%M}"
    days = (local.date() - today).days
    if days in (0, 1, -1):
        return {0: clock, 1: f"tomorrow {clock}", -1: f"yesterday {clock}"}[days]
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local:%a} {local.day} {local:%b}{year} {clock}"


def review_sentence(due: dt.datetime, now: dt.datetime) -> str:
    """Return the sentence in red after a fix that is reviewed afterwards."""
    return f"Review due {moment_text(due, now)}, not by you"
