from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import EventType
from kb_app.incidents.timeline import IncidentState
from kb_app.paths import app_folders
from kb_app.settings import Settings, load_settings, save_settings
from kb_app.ui.common.jobs import InlineJobs, ThreadJobs
from kb_app.ui.common.messages import Message
from kb_app.ui.common.session import Session
from kb_app.ui.desk import Desk, Workers
from kb_app.ui.incident.current import CurrentIncident
from kb_app.workspace.bases import Workspace
from kb_app.workspace.records import open_book
from kb_app.workspace.responding import Opening


class Seen:
    """What the signals said, in order."""

    def __init__(self, current: CurrentIncident) -> None:
        self.states: list[IncidentState | None] = []
        self.written = 0
        current.changed.connect(self.states.append)
        current.book_changed.connect(self._count)

    def _count(self) -> None:
        self.written += 1


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    folders = app_folders()
    session = Session(folders.data, InlineJobs())
    return Desk(Workspace((), folders, Settings(author="ana")), session, InlineJobs(), Workers.make())


def opened(desk: Desk, title: str = "checkout down") -> CurrentIncident:
    current = CurrentIncident(desk)
    current.open(Opening(title, "sev2"))
    return current


def test_opening_takes_it_in_hand_and_the_next_start_takes_it_up_again(desk: Desk) -> None:
    current = CurrentIncident(desk)
    seen = Seen(current)
    current.open(Opening("checkout down", "sev2"))
    assert current.state is not None
    assert current.state.title == "checkout down"
    assert (len(seen.states), seen.written) == (1, 1)
    assert desk.session.state.incident == current.name
    later = CurrentIncident(desk)
    later.start()
    assert later.name == current.name


def test_leaving_keeps_the_record_and_it_can_be_taken_up_by_its_last_digits(desk: Desk) -> None:
    current = opened(desk)
    name = current.name
    current.leave()
    assert (current.state, current.runs, desk.session.state.incident) == (None, (), "")
    listed: list[tuple[IncidentState, ...]] = []
    current.list_open(listed.append)
    assert [state.id for state in listed[0]] == [name]
    current.take_up(name[-4:])
    assert current.name == name


def test_a_record_that_is_closed_or_gone_is_not_taken_up_at_start(desk: Desk) -> None:
    current = opened(desk)
    name = current.name
    current.add(EventType.KNOWLEDGE, {"how": "link", "entry": "x"})
    current.with_book(lambda book: book.close(name, reason="a test"), is_writing=True)
    assert current.state is not None
    assert current.state.status == "closed"
    later = CurrentIncident(desk)
    later.start()
    assert (later.state, desk.session.state.incident) == (None, "")


def test_events_are_written_and_reading_makes_no_noise(desk: Desk) -> None:
    current = opened(desk)
    seen = Seen(current)
    current.add(EventType.NOTE, {"text": "seen on two nodes"})
    assert current.state is not None
    assert current.state.moments[-1].data.text("text") == "seen on two nodes"
    assert (len(seen.states), seen.written) == (1, 1)
    current.with_book(RecordBook.states)
    assert (len(seen.states), seen.written) == (1, 1)


def test_what_another_program_wrote_shows_after_a_reload(desk: Desk) -> None:
    current = opened(desk)
    open_book(app_folders(), author="ben").add(current.name, EventType.NOTE, {"text": "by ben"})
    current.reload()
    assert current.state is not None
    assert current.state.moments[-1].data.by == "ben"


def test_what_does_not_fit_is_said_and_nothing_changes(desk: Desk) -> None:
    current = opened(desk)
    posted: list[Message] = []
    desk.message_posted.connect(posted.append)
    before = current.state
    current.add(EventType.NOTE, {})
    assert "not a note event" in posted[0].text
    assert (current.state, current.is_writing) == (before, False)
    current.take_up("9999")
    assert "no record" in posted[1].text


def test_nothing_is_written_without_an_incident(desk: Desk) -> None:
    current = CurrentIncident(desk)
    current.add(EventType.NOTE, {"text": "lost"})
    assert not (app_folders().records / "incidents").exists()


def test_events_asked_for_in_a_row_are_written_in_that_order(qtbot: QtBot, tmp_path: Path) -> None:
    folders = app_folders()
    jobs = ThreadJobs()
    session = Session(folders.data, jobs)
    desk = Desk(Workspace((), folders, Settings()), session, jobs, Workers.make())
    current = CurrentIncident(desk)
    current.open(Opening("slow disk"))
    qtbot.waitUntil(lambda: current.state is not None, timeout=60_000)
    for number in range(20):
        current.add(EventType.NOTE, {"text": f"note {number}"})
    assert current.is_writing
    qtbot.waitUntil(lambda: not current.is_writing, timeout=60_000)
    assert current.state is not None
    texts = [moment.data.text("text") for moment in current.state.moments[1:]]
    assert texts == [f"note {number}" for number in range(20)]
    jobs.close()


def test_the_device_keeps_its_name_when_settings_are_saved_that_never_knew_it(desk: Desk) -> None:
    opened(desk)
    drawn = load_settings(app_folders()).device
    assert drawn
    desk.change_settings(Settings(theme="dark"))
    assert load_settings(app_folders()).device == drawn
    save_settings(app_folders(), Settings(device="other"))
    assert load_settings(app_folders()).device == "other"
