from __future__ import annotations

from pathlib import Path

import pytest

from kb_app.errors import EnvironmentFault
from kb_app.ui.common.jobs import InlineJobs
from kb_app.ui.common.remembered import (
    FILE_NAME,
    MAX_RECENT,
    MAX_RUNS,
    EntryRef,
    RememberedEntry,
    SessionState,
    load_session,
    save_session,
)
from kb_app.ui.common.session import Session


def remembered(name: str) -> RememberedEntry:
    return RememberedEntry(EntryRef("kb", name), name.upper(), "redis", "memory", "runbook")


def test_the_state_survives_a_save(tmp_path: Path) -> None:
    state = (
        SessionState(query="etcd", splitter=(1, 2, 3))
        .with_recent(remembered("a"))
        .with_star(remembered("b"), is_starred=True)
        .with_run(EntryRef("kb", "a"), frozenset({"s1", "s2"}))
    )
    save_session(tmp_path / "new", state)
    assert load_session(tmp_path / "new") == state


def test_recent_entries_are_each_once_latest_first_and_bounded() -> None:
    state = SessionState()
    for number in range(MAX_RECENT + 10):
        state = state.with_recent(remembered(f"{number}"))
    state = state.with_recent(remembered("20"))
    assert state.recent[0].ref.path == "20"
    assert len({entry.ref for entry in state.recent}) == len(state.recent) == MAX_RECENT


def test_a_star_goes_on_and_off() -> None:
    state = SessionState().with_star(remembered("a"), is_starred=True)
    assert state.is_starred(EntryRef("kb", "a"))
    assert not state.with_star(remembered("a"), is_starred=False).is_starred(EntryRef("kb", "a"))


def test_runs_are_kept_apart_and_the_oldest_go_first() -> None:
    state = SessionState()
    for number in range(MAX_RUNS + 5):
        state = state.with_run(EntryRef("kb", f"{number}"), frozenset({"x"}))
    assert len(state.runs) == MAX_RUNS
    assert state.run_of(EntryRef("kb", "0")) == frozenset()
    assert state.run_of(EntryRef("kb", f"{MAX_RUNS + 4}")) == {"x"}
    assert state.with_run(EntryRef("kb", "9"), frozenset()).run_of(EntryRef("kb", "9")) == frozenset()


@pytest.mark.expects_warnings
@pytest.mark.parametrize("text", ["{", '{"recent": 3}', '{"recent": [{"title": 1}]}', "\x00"])
def test_a_broken_file_starts_anew_and_is_kept_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    assert load_session(tmp_path) == SessionState()
    assert (tmp_path / "window.broken").read_text() == text


def test_a_folder_that_refuses_is_reported_and_the_old_file_stays(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault):
        save_session(tmp_path / "file" / "below", SessionState())


@pytest.mark.expects_warnings
def test_a_session_that_cannot_save_complains_once_and_goes_on(tmp_path: Path, qtbot: object) -> None:
    (tmp_path / "file").write_text("in the way")
    session = Session(tmp_path / "file" / "below", InlineJobs())
    complaints: list[str] = []
    session.save_failed.connect(complaints.append)
    for number in range(3):
        session.update(SessionState(query=str(number)))
        session.save_now()
    assert len(complaints) == 1
    assert session.state.query == "2"
