"""Rules of marking steps: what a step can be, how ticks are kept without a record, what needs a held key.

Nothing here knows Qt. With an incident in hand the marks come from the runs of its record; without one they
are kept as short texts in the window's own file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kb_app.entries.model import Step
from kb_app.ui.steps.state import PathView, StepView

HOLD_MS = 800
"""A step that cannot be taken back is ticked by holding the key for so long."""

MAX_NOTE = 500


class Mark(StrEnum):
    """Where a step stands."""

    OPEN = "open"
    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class StepMark:
    """What is known about one step.

    Attributes:
        mark: where it stands.
        note: what was noted with it.
        due: when its wait is over; None when it does not wait.
        waited: a wait of this step is over; it is to be checked now.
        by: who marked it; empty without a record.
    """

    mark: Mark = Mark.OPEN
    note: str = ""
    due: dt.datetime | None = None
    waited: bool = False
    by: str = ""

    @property
    def is_open(self) -> bool:
        """Tell whether something is still to be done."""
        return self.mark in (Mark.OPEN, Mark.WAITING)


NO_MARK = StepMark()
Marks = Mapping[str, StepMark]
"""Key of a step to its mark; a step that is missing is open."""


@dataclass(frozen=True, slots=True)
class MarkRequest:
    """What a person asked for: ``step`` of ``path`` shall be marked so.

    Attributes:
        path: the path as it is shown.
        step: the step.
        mark: `Mark.OPEN` takes the last mark of the step back.
        note: what was noted.
        minutes: how long to wait, for `Mark.WAITING`.
    """

    path: PathView
    step: StepView
    mark: Mark
    note: str = ""
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class CopiedCommand:
    """A command of ``step`` was put on the clipboard, values filled in."""

    path: PathView
    step: StepView
    text: str


@dataclass(frozen=True, slots=True)
class OwedLine:
    """Something the incident still owes, for the end mark: what, until when, and whether that has passed."""

    text: str
    due: str = ""
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class RunLine:
    """What is known about the run of a path: a sentence below its name; ``is_ended`` once it was ended."""

    text: str
    is_ended: bool = False
    is_warning: bool = False


def left_over(path: PathView, marks: Marks) -> tuple[tuple[StepView, StepMark], ...]:
    """Return the steps of ``path`` that were skipped, did not work, or still wait, in order."""
    left = (Mark.SKIPPED, Mark.FAILED, Mark.WAITING)
    found = ((view, marks.get(view.key, NO_MARK)) for view in path.steps)
    return tuple((view, mark) for view, mark in found if mark.mark in left)


def closed(marks: Marks) -> frozenset[str]:
    """Return the keys of the steps on which nothing is left to be done."""
    return frozenset(key for key, mark in marks.items() if not mark.is_open)


def marked(marks: Marks, request: MarkRequest, now: dt.datetime) -> dict[str, StepMark]:
    """Return ``marks`` with what was asked for; `Mark.OPEN` forgets what stood there."""
    others = {key: mark for key, mark in marks.items() if key != request.step.key}
    if request.mark is Mark.OPEN:
        return others
    due = now + dt.timedelta(minutes=request.minutes) if request.mark is Mark.WAITING else None
    return {**others, request.step.key: StepMark(request.mark, request.note[:MAX_NOTE], due)}


def without_ended_waits(marks: Marks, now: dt.datetime) -> tuple[dict[str, StepMark], tuple[str, ...]]:
    """Return ``marks`` with the waits that are over by ``now`` ended, and the keys of their steps."""
    over = tuple(
        key
        for key, mark in marks.items()
        if mark.mark is Mark.WAITING and mark.due is not None and mark.due <= now
    )
    ended = {key: StepMark(waited=True) for key in over}
    return {**marks, **ended}, over


_KEPT = {Mark.SKIPPED: "skipped", Mark.FAILED: "failed", Mark.WAITING: "waiting"}
_READ = {word: mark for mark, word in _KEPT.items()}
_WAITED = "waited"


def to_kept(marks: Marks) -> frozenset[str]:
    """Return marks as texts to be kept: a key alone is a tick; else mark, key, and note or time."""
    kept = set()
    for key, mark in marks.items():
        if mark.mark is Mark.DONE:
            kept.add(key)
        elif mark.mark is Mark.OPEN:
            kept |= {f"{_WAITED}\n{key}\n"} if mark.waited else set()
        else:
            more = mark.due.isoformat() if mark.due is not None else mark.note
            kept.add(f"{_KEPT[mark.mark]}\n{key}\n{more}")
    return frozenset(kept)


def from_kept(kept: Iterable[str]) -> dict[str, StepMark]:
    """Return the marks that `to_kept` wrote; what cannot be read is passed over."""
    marks: dict[str, StepMark] = {}
    for text in kept:
        word, has_more, rest = text.partition("\n")
        key, _, more = rest.partition("\n")
        if not has_more:
            marks[word] = StepMark(Mark.DONE)
        elif word == _WAITED:
            marks[key] = StepMark(waited=True)
        elif word == Mark.WAITING:
            due = _moment(more)
            marks[key] = StepMark(Mark.WAITING, due=due) if due is not None else StepMark(waited=True)
        elif word in _READ:
            marks[key] = StepMark(_READ[word], more)
    return marks


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def is_irreversible(path: PathView, step: Step) -> bool:
    """Tell whether a step cannot be taken back.

    A step with a ``Confirm:`` line says so. On a path that is not reversible every step counts, unless some
    of its steps say it: then its author has told which.
    """
    if step.confirm:
        return True
    is_final = any(a.label == "Reversible" and a.value.lower() == "no" for a in path.attributes)
    return is_final and not any(view.step.confirm for view in path.steps)


def confirm_words(step: Step) -> str:
    """Return what to say before a step that is held for, one sentence."""
    if step.confirm and step.undo:
        return f"Before you do it: {step.confirm.rstrip('.')}."
    if step.confirm:
        return f"This cannot be taken back: {step.confirm.rstrip('.')}."
    return "This path cannot be taken back."


def hold_words(step: Step) -> str:
    """Return why the key is held, two or three words: a step with an ``Undo:`` line has a way back."""
    return "has consequences" if step.undo else "no way back"


def next_after(path: PathView, done: frozenset[str], key: str) -> StepView | None:
    """Return the step to go to after ``key`` was marked: the next open one below, else the first open one."""
    keys = [view.key for view in path.steps]
    start = keys.index(key) + 1 if key in keys else 0
    below = (view for view in path.steps[start:] if view.key not in done)
    return next(below, path.current(done))


def wait_minutes_of(step: Step) -> float | None:
    """Return how long a step asks to wait, in minutes, or None when it does not."""
    if not any(character.isdigit() for character in step.text):
        return None
    from kb_app.incidents.runs import wait_minutes  # patterns and records: not before a step has a number

    return wait_minutes(" ".join(step.text.split()))


def stopwatch(seconds: float) -> str:
    """Return a time span as a clock shows it: ``9:05``, ``1:02:03``, ``2 d 3 h``; the sign is dropped."""
    whole = int(abs(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour} h"
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minutes}:{second:02}"


def minutes_text(minutes: float) -> str:
    """Return a wait in words: ``10 min``, ``90 s``, ``2 h``."""
    if minutes < 2 and minutes != 1:
        return f"{round(minutes * 60)} s"
    if minutes % 60 == 0:
        return f"{round(minutes / 60)} h"
    return f"{minutes:g} min"
