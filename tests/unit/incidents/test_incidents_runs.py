import datetime as dt
import random

import pytest

from kb_app.entries.model import Path as EntryPath
from kb_app.entries.model import PathKind, Span, Step
from kb_app.errors import UsageError
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker, open_record
from kb_app.incidents.journal import Journal
from kb_app.incidents.runs import RunPlan, Runs, StepStatus, plan_of, runs_of, timers_of, wait_minutes
from kb_app.incidents.timeline import timeline
from kb_app.incidents.verify import verify

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
PLAN = RunPlan("drain the cell", "mitigation", ("stop traffic", "wait 10 min, then check", "verify"), "drain")


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        self.now += dt.timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path, clock):
    maker = JournalMaker("a1", "ana", clock)
    return open_record(tmp_path, maker, {"title": "cell down"}, source=random.Random(1)).folder


@pytest.fixture
def runs(folder, clock):
    return Runs(Journal(folder, "a1", "ana", clock=clock))


def statuses(state):
    return [step.status.value for step in state.steps]


def test_a_run_begins_at_its_first_step(runs):
    state = runs.start(PLAN)
    assert (state.path, state.way, state.entry, state.owner) == (
        "drain the cell",
        "mitigation",
        "drain",
        "ana",
    )
    assert state.current.number == 1
    assert state.progress == (0, 3)


def test_steps_are_ticked_skipped_and_failed_with_a_note(runs):
    run = runs.start(PLAN).run
    runs.tick(run, 1)
    runs.skip(run, 2, note="not needed")
    state = runs.fail(run, 3, note="still 500")
    assert statuses(state) == ["done", "skipped", "failed"]
    assert [step.note for step in state.steps] == ["", "not needed", "still 500"]
    assert state.current is None
    assert state.is_complete
    assert [step.number for step in state.deferred] == [2, 3]


def test_there_is_one_current_step_and_it_is_the_first_open_one(runs):
    run = runs.start(PLAN).run
    assert runs.tick(run, 2).current.number == 1
    assert runs.tick(run, 1).current.number == 3


def test_marks_are_taken_back_one_by_one_and_stay_in_the_record(runs, folder):
    run = runs.start(PLAN).run
    runs.tick(run, 1)
    runs.fail(run, 2, note="no")
    assert statuses(runs.undo(run)) == ["done", "pending", "pending"]
    assert statuses(runs.undo(run)) == ["pending", "pending", "pending"]
    with pytest.raises(UsageError):
        runs.undo(run)
    assert statuses(runs.tick(run, 1)) == ["done", "pending", "pending"]
    assert statuses(runs.undo(run)) == ["pending", "pending", "pending"]
    results = [m.event.text("result") for m in timeline(folder) if m.event.type == "action"]
    assert results == ["started", "done", "failed", "undone", "undone", "done", "undone"]


def test_a_corrected_mark_can_be_taken_back_to_the_one_before(runs):
    run = runs.start(PLAN).run
    runs.fail(run, 1, note="no")
    runs.tick(run, 1)
    assert statuses(runs.undo(run))[0] == "failed"


def test_ticking_twice_writes_once(runs, folder):
    run = runs.start(PLAN).run
    runs.tick(run, 1)
    before = len(timeline(folder))
    runs.tick(run, 1)
    assert len(timeline(folder)) == before


def test_a_restart_resumes_exactly_there(runs, folder):
    run = runs.start(PLAN).run
    runs.tick(run, 1)
    runs.copied(run, 2, "kubectl drain node-7")
    state = runs.wait(run, 2, minutes=10)
    again = Runs(Journal(folder, "a1", "ana")).state(run)
    assert again == state
    assert again.steps[1].copied == ("kubectl drain node-7",)


def test_a_torn_last_mark_loses_only_that_mark(runs, folder):
    run = runs.start(PLAN).run
    runs.tick(run, 1)
    state = runs.state(run)
    file = folder / "events" / "a1.jsonl"
    file.write_bytes(file.read_bytes() + b'{"torn')
    again = Runs(Journal(folder, "a1", "ana"))
    assert again.state(run) == state
    assert statuses(again.tick(run, 2)) == ["done", "done", "pending"]


def test_two_people_run_two_paths_at_the_same_time(runs, folder, clock):
    theirs = Runs(Journal(folder, "b2", "ben", clock=clock))
    mine = runs.start(PLAN)
    other = theirs.start(RunPlan("flip the flag", "fix", ("flip", "verify")))
    runs.tick(mine.run, 1)
    theirs.tick(other.run, 1)
    states = runs.states()
    assert [(s.path, s.owner, s.current.number) for s in states] == [
        ("drain the cell", "ana", 2),
        ("flip the flag", "ben", 2),
    ]
    assert mine.run != other.run
    assert theirs.take_over(mine.run, "ben").owner == "ben"
    assert theirs.tick(mine.run, 2).steps[1].by == "ben"
    assert [f for f in verify(folder) if f.severity == "error"] == []


def test_two_windows_of_one_device_never_share_a_run(runs, folder, clock):
    other = Runs(Journal(folder, "a1", "ana", clock=clock))
    assert runs.start(PLAN).run != other.start(PLAN).run
    assert len(runs.states()) == 2


def test_actions_outside_a_run_are_no_run(runs, folder, clock):
    log = Journal(folder, "a1", "ana", clock=clock)
    log.append(EventType.ACTION, {"path": "called the vendor", "result": "done"})
    log.append(EventType.ACTION, {"path": "x", "result": "done", "step": 9, "run": runs.start(PLAN).run})
    (state,) = runs.states()
    assert statuses(state) == ["pending"] * 3


def test_a_wait_survives_sleep_and_restart(runs, folder, clock):
    run = runs.start(PLAN).run
    state = runs.wait(run, 2, minutes=10)
    (timer,) = timers_of([state])
    assert (timer.step, timer.text) == (2, "wait 10 min, then check")
    assert timer.due == state.steps[1].at + dt.timedelta(minutes=10) - dt.timedelta(seconds=1)
    assert runs.finish_waits() == ()
    clock.now += dt.timedelta(hours=5)  # the lid was closed
    again = Runs(Journal(folder, "a1", "ana", clock=clock))
    assert timers_of(again.states())[0].remaining(clock.now) == dt.timedelta()
    assert [t.step for t in again.finish_waits()] == [2]
    assert again.finish_waits() == ()
    assert again.state(run).steps[1].status is StepStatus.PENDING
    assert timeline(folder)[-1].event.text("result") == "wait-over"


def test_taking_back_a_wait_that_is_over_does_not_start_it_again(runs, clock):
    run = runs.start(PLAN).run
    runs.tick(run, 1)
    runs.wait(run, 2, minutes=1)
    clock.now += dt.timedelta(hours=1)
    runs.finish_waits()
    state = runs.undo(run)
    assert statuses(state) == ["done", "pending", "pending"]
    assert runs.finish_waits() == ()


def test_the_end_lists_what_is_deferred(runs):
    run = runs.start(PLAN).run
    runs.tick(run, 1)
    state = runs.end(run, note="the fix was faster")
    assert state.ended_at is not None
    assert [(s.number, s.status.value) for s in state.deferred] == [(2, "pending"), (3, "pending")]
    assert state.current is None
    assert timers_of([state]) == ()
    with pytest.raises(UsageError, match="ended"):
        runs.tick(run, 2)


@pytest.mark.parametrize(
    "act",
    [
        lambda runs, run: runs.tick(run, 4),
        lambda runs, run: runs.tick(run, 0),
        lambda runs, run: runs.tick("zz", 1),
        lambda runs, run: runs.fail(run, 1, note=" "),
        lambda runs, run: runs.wait(run, 1, minutes=0),
        lambda runs, run: runs.start(RunPlan("x", "fix", ())),
    ],
)
def test_what_cannot_be_is_refused_and_not_written(runs, folder, act):
    run = runs.start(PLAN).run
    before = (folder / "events" / "a1.jsonl").read_bytes()
    with pytest.raises(UsageError):
        act(runs, run)
    assert (folder / "events" / "a1.jsonl").read_bytes() == before


def test_any_sequence_of_marks_is_rebuilt_from_the_events(runs, folder):
    chance = random.Random(7)
    run = runs.start(PLAN).run
    for _ in range(60):
        state = getattr(runs, chance.choice(["tick", "skip", "wait", "undo"]))
        step = chance.randint(1, 3)
        name = state.__name__
        if name == "undo":
            current = runs.undo(run) if runs.state(run).marks else runs.state(run)
        elif name == "wait":
            current = runs.wait(run, step, minutes=5)
        else:
            current = state(run, step)
        assert runs_of(timeline(folder)) == (current,)
    assert [f for f in verify(folder) if f.severity == "error"] == []


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("Wait 10 min, then check the graph", 10),
        ("wait for about 5-10 minutes", 10),
        ("Restart; after 90s check the log", 1.5),
        ("10 min, then check", 10),
        ("Check again after 2 h", 120),
        ("Drain the node", None),
        ("Set the timeout to 10 min", None),
        ("Wait for the pods", None),
    ],
)
def test_a_step_that_asks_to_wait_is_recognised(text, minutes):
    assert wait_minutes(text) == minutes


def test_a_path_of_an_entry_becomes_a_plan():
    steps = (Step(1, "Stop  the\njob", Span(3, 3)), Step(2, "Verify", Span(4, 4)))
    path = EntryPath(PathKind.FIX, True, "stop", "Fix: stop", "stop", Span(1, 5), steps=steps)
    assert plan_of(path, entry="job", blob="abc") == RunPlan(
        "stop", "fix", ("Stop the job", "Verify"), "job", "abc"
    )
    prose = EntryPath(PathKind.FIX, True, "stop", "Fix: stop", "stop", Span(1, 5))
    assert plan_of(prose).steps == ("stop",)
