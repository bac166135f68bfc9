import datetime as dt
import os
import random
import subprocess
from pathlib import Path

import pytest

from kb_app.durable import write_atomically
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.incidents import folders
from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import EventType, is_device_name
from kb_app.incidents.folders import (
    JournalMaker,
    correct,
    document,
    find_record,
    is_document_current,
    new_device_name,
    open_record,
    records,
    seal,
    slug,
    write_document,
)
from kb_app.incidents.journal import Journal
from kb_app.incidents.timeline import ordered, read_devices, read_state, timeline
from kb_app.incidents.verify import is_chain_intact, verify, verify_record

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        self.now += dt.timedelta(minutes=1)
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def place(tmp_path, clock):
    data = {"title": "Checkout is down!", "severity": "sev1", "services": ["checkout"], "lead": "ana"}
    return open_record(tmp_path, JournalMaker("a1", "ana", clock), data, source=random.Random(4))


def journal(place, device="a1", author="ana", clock=None):
    return Journal(place.folder, device, author, clock=clock or Clock())


def test_a_record_is_a_folder_named_by_day_title_and_four_digits(place, tmp_path):
    assert place.folder.parent == tmp_path / "incidents" / "2025"
    assert place.id.startswith("2025-06-01-checkout-is-down-")
    assert len(place.id.rsplit("-", 1)[1]) == 4
    assert [r.id for r in records(tmp_path)] == [place.id]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ärger: 5 % / Über", "arger-5-uber"),
        ("日本", "incident"),
        ("a" * 99, "a" * 40),
        ("../..", "incident"),
    ],
)
def test_a_slug_is_a_safe_short_name(text, expected):
    assert slug(text) == expected


def test_a_record_is_found_by_a_part_of_its_name(place, tmp_path):
    for part in (place.id, place.id[:20], place.id[-4:]):
        assert find_record(tmp_path, part) == place
    for part in ("nothing", ""):
        with pytest.raises(UsageError):
            find_record(tmp_path, part)


def test_git_is_told_to_leave_the_bytes_of_events_alone(place, tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    file = f"incidents/2025/{place.id}/events/a1.jsonl"
    told = subprocess.run(
        ["git", "-C", str(tmp_path), "check-attr", "text", "--", file],
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.endswith("text: unset\n")


@pytest.mark.expects_warnings
def test_an_event_counts_although_its_document_cannot_be_written(place, clock, caplog):
    (place.folder / "incident.md").unlink()
    (place.folder / "incident.md").mkdir()
    seal(journal(place, clock=clock))
    assert read_state(place.folder).status == "closed"
    assert "could not be saved" in caplog.text


def test_an_id_that_fits_two_records_names_both(place, tmp_path, clock):
    open_record(tmp_path, JournalMaker("a1", "ana", clock), {"title": "Checkout"}, source=random.Random(9))
    with pytest.raises(UsageError, match="several") as caught:
        find_record(tmp_path, "2025-06-01-checkout")
    assert place.id in caught.value.title


def test_a_taken_name_is_not_used_again(place, tmp_path, clock):
    data = {"title": "Checkout is down!"}
    again = open_record(tmp_path, JournalMaker("a1", "ana", clock), data, source=random.Random(4))
    assert again.id != place.id


@pytest.mark.expects_warnings
def test_a_record_opens_although_the_attributes_cannot_be_written(tmp_path, clock, monkeypatch):
    def refuse(file, content, **how):
        if file.name == ".gitattributes":
            raise EnvironmentFault("The folder is read-only")
        write_atomically(file, content, **how)

    monkeypatch.setattr(folders, "write_atomically", refuse)
    place = open_record(tmp_path, JournalMaker("a1", "ana", clock), {"title": "x"})
    assert is_document_current(place.folder)
    assert not (tmp_path / "incidents" / ".gitattributes").exists()


def test_a_device_name_is_a_short_file_name():
    name = new_device_name(random.Random(1))
    assert len(name) == 8
    assert is_device_name(name)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="tells which file was flushed by /proc")
def test_only_the_line_of_an_event_is_waited_for_and_the_page_follows_it(tmp_path, clock, monkeypatch):
    order = []

    def flushed(file):
        order.append(Path(f"/proc/self/fd/{file}").readlink())
        real(file)

    real = os.fsync
    book = RecordBook(tmp_path, JournalMaker("a1", "ana", clock))
    name = book.open({"title": "x"}).place.id
    book.add(name, EventType.NOTE, {"text": "first"})
    monkeypatch.setattr(os, "fsync", flushed)
    place = book.add(name, EventType.NOTE, {"text": "second"}).place
    assert {file.suffix for file in order if file.is_file()} == {".jsonl"}
    assert is_document_current(place.folder)
    order.clear()
    book.add(name, EventType.KNOWLEDGE, {"how": "link", "entry": "e"})
    book.close(name, reason="done")
    assert any(file.name.startswith(".incident.md") for file in order)  # a closed record may lie for years
    # what a power cut may leave behind is told, breaks no chain, and goes with the next event
    (place.folder / "incident.md").write_bytes(b"")
    (finding,) = verify_record(place.folder)
    assert finding.code == "document-differs"
    assert is_chain_intact((finding,))
    book.add(name, EventType.NOTE, {"text": "third"})
    assert verify_record(place.folder) == ()


def test_a_linked_document_is_not_current(place, tmp_path):
    text = (place.folder / "incident.md").read_bytes()
    (tmp_path / "copy.md").write_bytes(text)
    (place.folder / "incident.md").unlink()
    (place.folder / "incident.md").symlink_to(tmp_path / "copy.md")
    assert not is_document_current(place.folder)


def test_the_document_is_derived_and_always_the_same(place, clock):
    log = journal(place, clock=clock)
    log.append(EventType.IMPACT, {"impact": "down", "data": "none", "trend": "stable", "scope": "cell"})
    log.append(EventType.NOTE, {"text": "a | b <script> [x](y) @ana\nsecond line \u202e"})
    log.append(EventType.MITIGATED, {"signal": "orders flow"})
    assert not is_document_current(place.folder)
    first = write_document(place.folder).read_bytes()
    assert is_document_current(place.folder)
    (place.folder / "incident.md").unlink()
    assert write_document(place.folder).read_bytes() == first
    text = first.decode()
    assert "status: mitigated\n" in text
    assert "severity: sev1\n" in text
    assert "opened: 2025-06-01T12:02:00Z" in text
    assert "<script>" not in text
    assert "\u202e" not in text
    assert "\\u202e" in text or "\\\\u202e" in text
    table = [line for line in text.splitlines() if line.startswith("| 2025")]
    assert len(table) == 4


def test_front_matter_values_cannot_break_out(tmp_path, clock):
    data = {"title": 'x": y\n---\nkind: runbook', "lead": "@ana: b", "services": ["a, b", "c]"]}
    place = open_record(tmp_path, JournalMaker("a1", "ana", clock), data, source=random.Random(4))
    lines = document(read_state(place.folder)).splitlines()
    assert lines[0] == "---"
    end = lines.index("---", 1)
    assert all(":" in line for line in lines[1:end])
    assert not any(line.startswith("kind:") for line in lines[1:end])


def test_a_correction_names_the_event_and_keeps_it(place, clock):
    log = journal(place, clock=clock)
    wrong = log.append(EventType.MITIGATED, {"signal": "orders flow again"})
    raw = (place.folder / "events" / "a1.jsonl").read_bytes()
    correct(log, wrong, {"signal": "a first order went through"}, "was too early", at=NOON)
    assert (place.folder / "events" / "a1.jsonl").read_bytes().startswith(raw)
    state = read_state(place.folder)
    moment = next(m for m in state.moments if m.event.seq == wrong.seq)
    assert moment.event == wrong
    assert moment.data.text("signal") == "a first order went through"
    assert state.mitigated_at == NOON
    assert "the original stays" in document(state)
    correct(log, wrong, {"signal": "third"}, "again")
    assert read_state(place.folder).moments[-3].data.text("signal") != wrong.text("signal")


def test_a_correction_must_fit_the_type_it_corrects(place, clock):
    log = journal(place, clock=clock)
    wrong = log.append(EventType.MITIGATED, {"signal": "x"})
    with pytest.raises(UsageError, match="signal"):
        correct(log, wrong, {}, "why")
    sealed = seal(log)
    with pytest.raises(UsageError, match="cannot be corrected"):
        correct(log, sealed, {}, "why")


def test_another_devices_event_can_be_corrected(place, clock):
    other = journal(place, "b2", "ben", clock)
    wrong = other.append(EventType.NOTE, {"text": "x"})
    correct(journal(place, clock=clock), wrong, {"text": "y"}, "typo")
    assert [m.data.text("text") for m in timeline(place.folder) if m.event == wrong] == ["y"]


def test_closing_seals_every_device(place, clock):
    journal(place, "b2", "ben", clock).append(EventType.NOTE, {"text": "x"})
    event = seal(journal(place, clock=clock))
    assert set(event.data["heads"]) == {"a1", "b2"}
    assert read_state(place.folder).status == "closed"
    assert verify(place.folder) == ()
    journal(place, clock=clock).append(EventType.NOTE, {"text": "a late thought"})
    assert verify(place.folder) == ()


def test_the_timeline_is_ordered_by_time_device_and_number(place):
    at = NOON + dt.timedelta(hours=1)
    for device in ("b2", "a1"):
        log = journal(place, device, device, clock=lambda: at)
        for n in range(2):
            log.append(EventType.NOTE, {"text": f"{device}{n}"})
    early = journal(place, "b2", "ben", clock=lambda: at)
    early.append(EventType.NOTE, {"text": "earlier"}, at=at - dt.timedelta(minutes=5))
    notes = [m.event.text("text") for m in timeline(place.folder) if m.event.type == "note"]
    assert notes == ["earlier", "a10", "a11", "b20", "b21"]


@pytest.mark.parametrize("years", [-10, 10])
def test_a_clock_that_jumps_does_not_turn_the_order_of_one_device(tmp_path, years):
    jump = dt.timedelta(days=365 * years)
    times = [NOON, NOON + jump, NOON + jump + dt.timedelta(minutes=1), NOON + dt.timedelta(minutes=2)]
    source = iter(times)
    log = Journal(tmp_path / "r", "a1", "ana", clock=lambda: next(source))
    for n in range(len(times)):
        log.append(EventType.NOTE, {"text": str(n)})
    assert [e.text("text") for e in ordered(read_devices(tmp_path / "r"))] == ["0", "1", "2", "3"]


def test_a_clock_at_the_end_of_time_stops_nothing(tmp_path):
    last = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
    source = iter([last, NOON, NOON])
    log = Journal(tmp_path / "r", "a1", "ana", clock=lambda: next(source))
    for n in range(2):
        log.append(EventType.NOTE, {"text": str(n)})
    log.append(EventType.NOTE, {"text": "2"}, at=last)
    assert [e.text("text") for e in ordered(read_devices(tmp_path / "r"))] == ["0", "1", "2"]


def test_a_folder_without_events_is_an_empty_record(tmp_path):
    state = read_state(tmp_path / "2025-06-01-x-0001")
    assert (state.status, state.title, state.moments) == ("open", "2025-06-01-x-0001", ())
    assert document(state)


def test_two_devices_merge_in_git_without_conflict(tmp_path, clock):
    def git(folder, *words):
        return subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-C", str(folder), *words],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    one = tmp_path / "one"
    one.mkdir()
    git(one, "init", "-q", "-b", "main")
    place = open_record(one, JournalMaker("a1", "ana", clock), {"title": "x"}, source=random.Random(2))
    (place.folder / "incident.md").unlink()
    git(one, "add", "-A")
    git(one, "commit", "-qm", "open")
    git(tmp_path, "clone", "-q", str(one), "two")
    two = tmp_path / "two"
    for root, device in ((one, "a1"), (two, "b2")):
        (known,) = records(root)
        log = Journal(known.folder, device, device, clock=clock)
        for n in range(3):
            log.append(EventType.NOTE, {"text": f"{device} {n}"})
        git(root, "add", "-A")
        git(root, "commit", "-qm", device)
    git(two, "pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
    (merged,) = records(two)
    assert verify(merged.folder) == ()
    assert len(timeline(merged.folder)) == 7
    assert read_state(merged.folder).devices == ("a1", "b2")
