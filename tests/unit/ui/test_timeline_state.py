"""The timeline in words: rows with corrections and late entries, levels, waits, measured spans, the chain."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kb_app.entries.model import Severity
from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import Event, EventType
from kb_app.incidents.folders import JournalMaker, records
from kb_app.incidents.sample_incident import StoryClock, write_sample_incident
from kb_app.incidents.timeline import IncidentState, read_state
from kb_app.incidents.verify import RecordFinding, verify_record
from kb_app.ui.timeline.correcting import (
    ValueKind,
    can_correct,
    corrected_data,
    editables,
    parse_typed_time,
    time_text,
)
from kb_app.ui.timeline.state import (
    Lane,
    Level,
    RowKind,
    chain_of,
    count_line,
    look_of,
    row_of_moment,
    rows_of,
    span_text,
    spoken_row,
    times_line,
    track_of,
)

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def state(tmp_path: Path) -> IncidentState:
    write_sample_incident(tmp_path)
    return read_state(records(tmp_path)[0].folder)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (14 * 60, "14 min"),
        (3600, "1 h"),
        (106 * 60, "1 h 46 min"),
        (86400, "1 d"),
        (76 * 3600, "3 d 4 h"),
    ],
)
def test_spans_read_like_a_person_says_them(seconds: int, words: str) -> None:
    assert span_text(dt.timedelta(seconds=seconds)) == words


def test_every_event_is_a_row_below_its_day(state: IncidentState) -> None:
    rows = rows_of(state.moments)
    assert rows[0].kind is RowKind.DAY
    assert rows[0].text == "Sunday 1 June 2025"
    assert [row.moment for row in rows if row.kind is RowKind.EVENT] == list(range(len(state.moments)))
    assert rows[1].clock == "02:11:09"
    assert rows[1].who == "ana@example.com"
    assert rows[1].device == "a1b2"
    assert row_of_moment(rows, 0) == 1
    assert row_of_moment(rows, 999) == -1


def test_a_correction_shows_what_it_was_and_why(state: IncidentState) -> None:
    [row] = [row for row in rows_of(state.moments) if row.was]
    assert row.text.startswith("Fixed: pg_wal at 12 %")
    assert row.was == "was: Fixed: pg_wal at 58 % and falling"
    assert row.correction.startswith("corrected by ben@example.com: the first figure")
    assert row.notes[:2] == (row.was, row.correction)
    assert "was: Fixed" in spoken_row(row)


def test_a_late_entry_says_when_it_was_written(state: IncidentState) -> None:
    [row] = [row for row in rows_of(state.moments) if row.late]
    assert row.text == "told the support team by phone"
    assert row.late.startswith("late entry: written 1 Jun 2025")


def test_the_band_follows_impact_then_mitigation_then_fix(state: IncidentState) -> None:
    track = track_of(state, state.moments[-1].at)
    assert track is not None
    assert [segment.level for segment in track.segments] == [
        Level.UNKNOWN,
        Level.DEGRADED,
        Level.DOWN,
        Level.MITIGATED,
        Level.FIXED,
    ]
    assert track.segments[0].begin == track.begin
    assert track.segments[-1].end == track.end
    assert [bracket.text for bracket in track.brackets] == ["23 min to mitigate", "39 min to fix"]
    assert not track.is_open


def test_a_wait_lasts_until_it_is_over(state: IncidentState) -> None:
    track = track_of(state, state.moments[-1].at)
    assert track is not None
    [wait] = track.waits
    assert wait.end - wait.begin == dt.timedelta(minutes=10)
    assert state.moments[wait.moment].data.text("result") == "waiting"


def test_an_open_incident_ends_now(tmp_path: Path) -> None:
    book = RecordBook(tmp_path, JournalMaker("a1", "ana", lambda: NOON))
    name = book.open({"title": "down"}).place.id
    track = track_of(book.state(name), NOON + dt.timedelta(minutes=7))
    assert track is not None
    assert track.is_open
    assert track.end - track.begin == dt.timedelta(minutes=7)
    assert track.segments[0].level is Level.UNKNOWN


def test_a_record_without_events_has_no_picture(tmp_path: Path) -> None:
    assert track_of(read_state(tmp_path), NOON) is None


def test_a_step_looks_like_what_became_of_it() -> None:
    def action(result: str) -> Event:
        return Event(1, "", "d", "ana", NOON, NOON, EventType.ACTION, {"path": "p", "result": result})

    assert look_of(action("failed")).color == "danger"
    assert look_of(action("done")).icon == "square-check"
    assert look_of(Event(1, "", "d", "ana", NOON, NOON, "from-a-newer-version")).lane is Lane.NOTES


def test_the_chain_is_whole_until_a_byte_is_changed(tmp_path: Path) -> None:
    write_sample_incident(tmp_path)
    folder = records(tmp_path)[0].folder
    whole = chain_of(verify_record(folder))
    assert whole.is_whole
    assert whole.text == "Tamper-evident: whole"
    file = folder / "events" / "a1b2.jsonl"
    file.write_bytes(file.read_bytes().replace(b"100 % full", b"101 % full"))
    broken = chain_of(verify_record(folder))
    assert not broken.is_whole
    assert "broken at events/a1b2.jsonl, line" in broken.text


def test_a_note_about_the_files_does_not_break_the_chain() -> None:
    found = RecordFinding("document-differs", Severity.WARNING, "incident.md", 0, 0, "It was edited")
    chain = chain_of([found])
    assert chain.is_whole
    assert "It was edited" in chain.details


def test_the_head_says_when_and_how_much(state: IncidentState) -> None:
    assert "mitigated 02:34 (after 23 min)" in times_line(state)
    assert "fixed 02:50 (after 39 min)" in times_line(state)
    assert count_line(state) == "30 events from 3 devices, 1 late (dashed), 1 corrected (with a dot)"


def test_what_is_edited_becomes_the_new_data_and_the_rest_stays(state: IncidentState) -> None:
    deploy = next(m for m in state.moments if m.event.type == EventType.DEPLOY).event
    fields = editables(deploy)
    assert {field.name for field in fields} >= {"change", "env", "author", "tests"}
    data = corrected_data(deploy, fields, {"author": "carla@example.com", "tests": ""})
    assert data["author"] == "carla@example.com"
    assert "tests" not in data
    assert data["authority"] == deploy.data["authority"]


def test_lists_and_numbers_are_typed_as_text(state: IncidentState) -> None:
    opened = state.moments[0].event
    fields = {field.name: field for field in editables(opened)}
    assert fields["services"].kind is ValueKind.LIST
    data = corrected_data(opened, tuple(fields.values()), {"services": "checkout, ledger , "})
    assert data["services"] == ["checkout", "ledger"]
    waiting = next(m for m in state.moments if m.data.text("result") == "waiting").event
    numbers = editables(waiting)
    assert corrected_data(waiting, numbers, {"minutes": "12"})["minutes"] == 12
    with pytest.raises(ValueError, match="minutes is a number"):
        corrected_data(waiting, numbers, {"minutes": "soon"})


def test_corrections_and_seals_cannot_be_corrected(state: IncidentState) -> None:
    kinds = {m.event.type: can_correct(m.event) for m in state.moments}
    assert kinds[EventType.CORRECT] is False
    assert kinds[EventType.SEAL] is False
    assert kinds[EventType.DEPLOY] is True


def test_a_typed_time_is_utc_and_the_old_one_changes_nothing() -> None:
    assert parse_typed_time(time_text(NOON), NOON) is None
    assert parse_typed_time("2025-06-01 11:55", NOON) == NOON - dt.timedelta(minutes=5)
    with pytest.raises(ValueError, match="Write the time as"):
        parse_typed_time("noon", NOON)


def test_the_sample_is_the_same_each_time(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for root in (one, other):
        write_sample_incident(root)
    files = [sorted(f.relative_to(r) for f in r.rglob("*.jsonl")) for r in (one, other)]
    assert files[0] == files[1]
    assert all((one / f).read_bytes() == (other / f).read_bytes() for f in files[0])
    assert StoryClock(NOON).move(5) == NOON + dt.timedelta(minutes=5)
