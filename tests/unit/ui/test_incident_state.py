from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from kb_app.entries.model import Command, PathKind, PlannedPath, ResponsePlan, Span, State, Step
from kb_app.entries.model import Path as EntryPath
from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.runs import StepStatus, runs_of
from kb_app.ui.incident.state import (
    chip_text,
    marks_of,
    moment_text,
    opened_text,
    path_runs,
    plan_for,
    recorded_words,
    review_sentence,
    run_lines,
    severity_look,
)
from kb_app.ui.steps.marks import Mark, StepMark
from kb_app.ui.steps.state import PathView, lanes_of
from kb_app.workspace import responding
from kb_app.workspace.responding import Opening

NIGHT = dt.datetime(2026, 3, 4, 2, 11, tzinfo=dt.UTC)
SPAN = Span(1, 1)


class Clock:
    def __init__(self) -> None:
        self.now = NIGHT

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> RecordBook:
    return RecordBook(tmp_path, JournalMaker("a1", "ana", clock))


def opened(book: RecordBook, severity: str = "sev1") -> str:
    return responding.open_incident(book, Opening("checkout down", severity)).state.id


def view(*texts: str, origin: str = "own") -> PathView:
    steps = tuple(Step(number, text, SPAN) for number, text in enumerate(texts, 1))
    path = EntryPath(
        PathKind.MITIGATION, is_typed=True, name="drain", heading="", anchor="d", span=SPAN, steps=steps
    )
    planned = PlannedPath(path, origin, "a/b.md", "Entry", State.VERIFIED)
    return lanes_of(ResponsePlan((planned,)))[0].paths[0]


DECISION = {
    "inputs": {"incident": {"impact": "down"}, "mitigation": [], "fix": [{"name": "f", "time": 4.0}]},
    "rule": "D6",
    "recommendation": "fix-forward",
    "policy": "abc",
    "timebox_minutes": 8,
}


def test_the_chip_counts_by_the_times_of_the_record(book: RecordBook, clock: Clock) -> None:
    name = opened(book)
    clock.now += dt.timedelta(minutes=2)
    book.add(name, EventType.DECISION, DECISION)
    state = book.state(name)
    text = chip_text(state, NIGHT + dt.timedelta(minutes=5))
    assert (text.severity, text.color, text.clock, text.limit) == ("Sev 1", "danger", "5:00", "5:00")
    assert text.spoken.endswith("Open for 5:00. 5:00 left for the fix")
    late = chip_text(state, NIGHT + dt.timedelta(hours=1))
    assert (late.limit, late.is_over, late.clock) == ("over by 50:00", True, "1:00:00")
    clock.now += dt.timedelta(minutes=3)
    told = chip_text(responding.mark_mitigated(book, name, "quiet").state, clock.now)
    assert (told.status, told.limit) == ("mitigated", "")


def test_an_undeclared_severity_says_so(book: RecordBook) -> None:
    assert severity_look("") == ("No severity", "text2")
    assert opened_text(book.state(opened(book, "")), NIGHT) == "No severity  checkout down  (0:00)"


def test_a_run_belongs_to_the_path_of_its_entry(book: RecordBook) -> None:
    name = opened(book)
    path = view("look", "drain")
    plan = plan_for(path, "orders", "blob")
    assert (plan.path, plan.way, plan.entry, plan.blob) == ("Drain", "mitigation", "orders", "blob")
    assert plan_for(view("look", origin="linked"), "orders").entry == "a/b.md"
    responding.mark_plan(book, name, plan, 1, StepStatus.DONE)
    runs = responding.mark_plan(book, name, plan, 2, StepStatus.FAILED, note="still full").runs
    found = path_runs(runs, [path], "orders")
    first, second = path.steps
    assert marks_of(found, "ana") == {
        first.key: StepMark(Mark.DONE),
        second.key: StepMark(Mark.FAILED, "still full"),
    }
    assert marks_of(found, "ben")[first.key].by == "ana"
    assert run_lines(found, "ben")[path.key].text.startswith("Run by ana since ")
    assert path_runs(runs, [path], "another-entry") == {}


def test_steps_that_changed_since_keep_what_still_stands(book: RecordBook) -> None:
    name = opened(book)
    old, new = view("look", "drain"), view("look", "cordon", "drain")
    responding.mark_plan(book, name, plan_for(old, "orders"), 1, StepStatus.DONE)
    runs = responding.mark_plan(book, name, plan_for(old, "orders"), 2, StepStatus.DONE).runs
    found = path_runs(runs, [new], "orders")
    assert [marks_of(found, "ana").get(step.key, StepMark()).mark for step in new.steps] == [
        Mark.DONE,
        Mark.OPEN,
        Mark.DONE,
    ]
    assert run_lines(found, "ana")[new.key].is_warning
    # the next mark begins a run of the new steps and takes over what was done
    runs = responding.mark_plan(book, name, plan_for(new, "orders"), 2, StepStatus.SKIPPED).runs
    ended, begun = runs
    assert ended.ended_at is not None
    assert [step.status for step in begun.steps] == [StepStatus.DONE, StepStatus.SKIPPED, StepStatus.DONE]
    assert not any(findings for findings in book.verify().values())


def test_a_mark_is_taken_back_for_its_own_step_alone(book: RecordBook) -> None:
    name = opened(book)
    plan = plan_for(view("look", "drain"), "orders")
    responding.mark_plan(book, name, plan, 1, StepStatus.DONE)
    responding.mark_plan(book, name, plan, 2, StepStatus.DONE)
    [run] = responding.mark_plan(book, name, plan, 1, StepStatus.PENDING).runs
    assert [step.status for step in run.steps] == [StepStatus.PENDING, StepStatus.DONE]
    assert runs_of(book.state(name).moments) == (run,)


def test_a_wait_that_is_over_is_told_from_a_step_nobody_touched(book: RecordBook, clock: Clock) -> None:
    name = opened(book)
    path = view("wait 10 min", "drain")
    plan = plan_for(path, "orders")
    runs = responding.mark_plan(book, name, plan, 1, StepStatus.WAITING, minutes=10).runs
    first, second = path.steps
    due = NIGHT + dt.timedelta(minutes=10)
    assert marks_of(path_runs(runs, [path], "orders"), "ana")[first.key] == StepMark(Mark.WAITING, due=due)
    clock.now = due
    runs = responding.finish_waits(book, name).runs
    marks = marks_of(path_runs(runs, [path], "orders"), "ana")
    assert (marks[first.key], marks[second.key]) == (StepMark(waited=True), StepMark())


def test_a_step_without_words_is_recorded_by_its_command() -> None:
    step = Step(1, "", SPAN, commands=(Command("kubectl get\npods", "sh", SPAN),))
    assert recorded_words(step) == "kubectl get pods"
    assert recorded_words(dataclasses.replace(step, commands=())) == "Run"


def test_times_are_said_as_people_say_them() -> None:
    now = dt.datetime(2026, 3, 4, 12, 0).astimezone()
    assert moment_text(now, now) == "12:00"
    assert review_sentence(now + dt.timedelta(hours=24), now) == "Review due tomorrow 12:00, not by you"
    assert moment_text(now - dt.timedelta(hours=24), now) == "yesterday 12:00"
    assert moment_text(now + dt.timedelta(days=3), now) == "Sat 7 Mar 12:00"
