from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from kb_app.entries.model import (
    Path,
    PathAttributes,
    PathKind,
    PlannedPath,
    ResponsePlan,
    Span,
    State,
    Step,
)
from kb_app.ui.steps.marks import (
    Mark,
    MarkRequest,
    StepMark,
    closed,
    confirm_words,
    from_kept,
    hold_words,
    is_irreversible,
    marked,
    minutes_text,
    next_after,
    stopwatch,
    to_kept,
    wait_minutes_of,
    without_ended_waits,
)
from kb_app.ui.steps.state import PathView, lanes_of

NOW = dt.datetime(2026, 3, 4, 2, 11, tzinfo=dt.UTC)
SPAN = Span(1, 1)


def view(*steps: Step, reversible: str | None = None) -> PathView:
    path = Path(
        PathKind.MITIGATION,
        is_typed=True,
        name="drain",
        heading="",
        anchor="drain",
        span=SPAN,
        attributes=PathAttributes(reversible=reversible),
        steps=steps,
    )
    [shown] = lanes_of(ResponsePlan((PlannedPath(path, "own", "e.md", "Entry", State.VERIFIED),)))[0].paths
    return shown


def step(number: int, text: str = "look", confirm: str = "") -> Step:
    return Step(number, text, SPAN, confirm=confirm)


def test_marks_survive_being_kept_and_a_tick_is_kept_as_it_always_was() -> None:
    marks = {
        "a.md#x/1:00": StepMark(Mark.DONE),
        "a.md#x/2:00": StepMark(Mark.SKIPPED, "not here\nat all"),
        "a.md#x/3:00": StepMark(Mark.FAILED, "still full"),
        "a.md#x/4:00": StepMark(Mark.WAITING, due=NOW),
        "a.md#x/5:00": StepMark(waited=True),
    }
    kept = to_kept(marks)
    assert "a.md#x/1:00" in kept
    assert from_kept(kept) == marks
    assert closed(marks) == {"a.md#x/1:00", "a.md#x/2:00", "a.md#x/3:00"}


@pytest.mark.parametrize(
    "text", ["waiting\nkey\nyesterday", "waiting\nkey\n2026-03-04T02:11:00", "waiting\nkey"]
)
def test_a_wait_whose_time_cannot_be_read_is_over(text: str) -> None:
    assert from_kept([text]) == {"key": StepMark(waited=True)}


def test_what_nobody_knows_is_passed_over() -> None:
    assert from_kept(["mended\nkey\n"]) == {}


def test_a_wait_ends_by_the_clock_and_not_by_counting() -> None:
    path = view(step(1, "wait 10 min"))
    request = MarkRequest(path, path.steps[0], Mark.WAITING, minutes=10)
    marks = marked({}, request, NOW)
    assert without_ended_waits(marks, NOW + dt.timedelta(minutes=9)) == (marks, ())
    ended, over = without_ended_waits(marks, NOW + dt.timedelta(hours=8))
    assert over == (path.steps[0].key,)
    assert ended[path.steps[0].key] == StepMark(waited=True)


def test_taking_back_forgets_the_mark() -> None:
    path = view(step(1))
    done = marked({}, MarkRequest(path, path.steps[0], Mark.DONE), NOW)
    assert marked(done, MarkRequest(path, path.steps[0], Mark.OPEN), NOW) == {}


def test_after_a_later_step_one_goes_on_below_it_and_then_back_to_what_was_left_out() -> None:
    path = view(step(1), step(2), step(3), step(4))
    first, second, third, fourth = path.steps
    assert next_after(path, frozenset({third.key}), third.key) == fourth
    assert next_after(path, frozenset({third.key, fourth.key}), fourth.key) == first
    assert next_after(path, frozenset({first.key}), first.key) == second
    assert next_after(path, frozenset(v.key for v in path.steps), fourth.key) is None


def test_the_author_says_which_steps_cannot_be_taken_back() -> None:
    told = view(step(1), step(2, confirm="the reader must be re-seeded"), reversible="no")
    assert [is_irreversible(told, v.step) for v in told.steps] == [False, True]
    untold = view(step(1), step(2), reversible="no")
    assert [is_irreversible(untold, v.step) for v in untold.steps] == [True, True]
    harmless = view(step(1), reversible="partly")
    assert not is_irreversible(harmless, harmless.steps[0].step)
    assert confirm_words(told.steps[1].step) == "This cannot be taken back: the reader must be re-seeded."
    assert hold_words(told.steps[1].step) == "no way back"
    undone = replace(told.steps[1].step, undo="seed it from the backup.")
    assert confirm_words(undone) == "Before you do it: the reader must be re-seeded."
    assert hold_words(undone) == "has consequences"


def test_a_step_that_asks_to_wait_says_how_long() -> None:
    assert wait_minutes_of(step(1, "Wait 10 min, then look again.")) == 10
    assert wait_minutes_of(step(1, "Look again.")) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (65, "1:05"), (-65, "1:05"), (3723, "1:02:03"), (183_600, "2 d 3 h")]
)
def test_time_spans_read_like_a_clock(seconds: float, text: str) -> None:
    assert stopwatch(seconds) == text


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(10, "10 min"), (1.5, "90 s"), (0.5, "30 s"), (1, "1 min"), (120, "2 h"), (2.5, "2.5 min")],
)
def test_waits_read_like_words(minutes: float, text: str) -> None:
    assert minutes_text(minutes) == text
