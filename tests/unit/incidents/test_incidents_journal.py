import datetime as dt
import errno
import json
import os
import threading
from pathlib import Path

import pytest

from kb_app.errors import EnvironmentFault, LimitReached, UsageError
from kb_app.incidents import journal as journal_module
from kb_app.incidents.canonical import canonical
from kb_app.incidents.events import EventType, format_time, hash_of, origin_hash, parse_time
from kb_app.incidents.journal import Journal, Recovery
from kb_app.incidents.timeline import read_devices

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
ID = "2025-06-01-checkout-down-7f3a"


class Ticking:
    """A clock that moves on by a minute at each look."""

    def __init__(self, start=NOON, step=dt.timedelta(minutes=1)):
        self.now, self.step = start, step

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / ID, "a1b2", "ana@example.com", clock=Ticking())


def note(text):
    return {"text": text}


def events(journal):
    (device,) = read_devices(journal.folder)
    assert device.unreadable == 0
    return device.events


def test_an_event_is_one_canonical_line_chained_to_the_one_before(journal):
    first = journal.append(EventType.OPENED, {"title": "checkout down", "severity": "sev1"})
    second = journal.append(EventType.NOTE, note("seen – it works"))
    lines = journal.file.read_bytes().split(b"\n")
    assert lines[-1] == b""
    one, two = (json.loads(line) for line in lines[:-1])
    assert (one["seq"], two["seq"]) == (1, 2)
    assert one["prev"] == origin_hash(ID, "a1b2")
    assert two["prev"] == one["hash"] == first.hash
    assert two["hash"] == second.hash == hash_of(two)
    assert canonical(two) == lines[1]
    assert (two["v"], two["dev"], two["by"], two["type"]) == (1, "a1b2", "ana@example.com", "note")
    assert two["at"] == two["rec"] == "2025-06-01T12:02:00Z"


def test_what_is_written_reads_back(journal):
    written = [journal.append(EventType.NOTE, note(text)) for text in ("a\nb", "\u202e", "x" * 5000)]
    assert list(events(journal)) == written


def test_a_claimed_time_is_kept_and_a_late_entry_is_told_apart(journal):
    in_time = journal.append(EventType.NOTE, note("x"), at=NOON - dt.timedelta(minutes=14))
    late = journal.append(EventType.NOTE, note("x"), at=NOON - dt.timedelta(minutes=14))
    assert (in_time.is_late, late.is_late) == (False, True)
    assert late.rec - late.at == dt.timedelta(minutes=16)


def test_times_of_other_zones_are_written_as_utc(journal):
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    event = journal.append(EventType.NOTE, note("x"), at=NOON.astimezone(zone))
    assert format_time(event.at) == "2025-06-01T12:00:00Z"


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        (EventType.OPENED, {}, "title"),
        (EventType.NOTE, {"text": "x", "colour": "red"}, "colour"),
        (EventType.NOTE, {"text": 3}, "text"),
        (EventType.NOTE, {"text": "  "}, "text"),
        (EventType.NOTE, {"text": "x" * 20_001}, "longer"),
        (EventType.NOTE, {"text": "\ud800"}, "surrogate"),
        (EventType.IMPACT, {}, "nothing"),
        (EventType.IMPACT, {"impact": "awful"}, "awful|minor"),
        (EventType.REVIEW, {"change": "c", "reviewer": "r", "verdict": "fine"}, "verdict"),
        (EventType.FOLLOWUP, {"state": "opened", "kind": "fix", "due": "tomorrow"}, "due"),
        (EventType.CORRECT, {"seq": 0, "reason": "x", "data": {}}, "seq"),
        (EventType.CORRECT, {"seq": 1, "dev": "../x", "reason": "x", "data": {}}, "dev"),
        (EventType.SEAL, {"heads": {"a": {"seq": 1, "hash": "sha256:0"}}}, "heads"),
        (EventType.SEAL, {"heads": []}, "heads"),
        (EventType.SEAL, {"heads": {"A": {}}}, "devices"),
        (EventType.ENTRY_USED, {"entry": "x", "result": "worked", "is_known": "yes"}, "is_known"),
        (EventType.NOTE, {"text": "x", "attachments": [float("nan")]}, "cannot be written"),
        (
            EventType.DECISION,
            {"inputs": {"x": ["y " * 500] * 300}, "rule": "D1", "recommendation": "contain", "policy": "p"},
            "longer than",
        ),
        (EventType.ACTION, {"path": "x", "result": "done", "minutes": -1}, "minutes"),
    ],
)
def test_data_that_does_not_fit_is_refused_and_nothing_is_written(journal, kind, data, words):
    with pytest.raises(UsageError, match=words):
        journal.append(kind, data)
    assert not journal.file.exists() or journal.file.read_bytes() == b""


def test_credentials_are_removed_before_writing(journal):
    journal.append(EventType.NOTE, note("curl https://ana:hunter2@example.com -H token=abc123"))
    text = journal.file.read_text("utf-8")
    assert "hunter2" not in text
    assert "abc123" not in text


@pytest.mark.parametrize("device", ["", "A1", "a/b", "..", "x" * 33, "-a", "a.b"])
def test_a_device_name_is_a_safe_file_name(tmp_path, device):
    with pytest.raises(UsageError):
        Journal(tmp_path / ID, device, "ana")


def test_an_event_needs_an_author_and_a_zone(tmp_path):
    nobody = Journal(tmp_path / ID, "a1", "")
    with pytest.raises(UsageError, match="who"):
        nobody.append(EventType.NOTE, note("x"))
    naive = dt.datetime(2025, 6, 1)
    with pytest.raises(UsageError, match="zone"):
        nobody.append(EventType.NOTE, note("x"), by="ana", at=naive)


def test_the_file_cut_at_any_byte_keeps_every_whole_record_and_goes_on(journal, tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module.os, "fsync", lambda _file: None)  # about content; a thousand cuts
    written = [journal.append(EventType.NOTE, note(f"n{n}")) for n in range(3)]
    whole = journal.file.read_bytes()
    ends = [n + 1 for n, byte in enumerate(whole) if byte == 10]
    for cut in range(len(whole)):
        folder = tmp_path / f"cut-{cut}" / ID
        again = Journal(folder, "a1b2", "ana", clock=Ticking())
        again.file.parent.mkdir(parents=True)
        again.file.write_bytes(whole[:cut])
        survivors = sum(end <= cut + 1 for end in ends)
        assert list(events(again)) == written[:survivors]
        added = again.append(EventType.NOTE, note("after the cut"))
        assert list(events(again)) == [*written[:survivors], added]
        kept = b"".join(f.read_bytes() for f in again.file.parent.glob("*.torn"))
        last_whole = max((end for end in ends if end <= cut), default=0)
        is_whole_line = cut + 1 in ends
        assert kept == (b"" if is_whole_line else whole[last_whole:cut])


def test_there_is_nothing_to_recover_before_the_first_event(journal):
    assert journal.recover() == Recovery()
    assert not journal.file.exists()


def test_zeros_at_the_end_are_set_aside(journal):
    journal.append(EventType.NOTE, note("x"))
    with journal.file.open("ab") as file:
        file.write(b"\0" * 200)
    recovery = journal.recover()
    assert recovery.torn_bytes == 200
    assert recovery.kept_in.read_bytes() == b"\0" * 200
    assert journal.recover().torn_bytes == 0
    assert journal.append(EventType.NOTE, note("y")).seq == 2


def test_the_same_torn_tail_is_kept_once(journal):
    journal.append(EventType.NOTE, note("x"))
    for _ in range(2):
        with journal.file.open("ab") as file:
            file.write(b"{half")
        journal.recover()
    assert len(list(journal.file.parent.glob("*.torn"))) == 1


def test_a_damaged_last_line_does_not_stop_the_next_append(journal):
    journal.append(EventType.NOTE, note("x"))
    raw = bytearray(journal.file.read_bytes())
    raw[3] ^= 0xFF
    journal.file.write_bytes(raw)
    assert journal.append(EventType.NOTE, note("y")).seq == 2


def test_a_full_disk_at_any_write_leaves_the_file_as_it_was(journal, monkeypatch):
    journal.append(EventType.NOTE, note("x"))
    before = journal.file.read_bytes()
    write = os.write
    for allowed in range(0, 300, 37):
        left = [allowed]

        def limited(file, data, left=left):
            if not left[0]:
                raise OSError(errno.ENOSPC, "No space left on device")
            count = write(file, bytes(data)[: left[0]])
            left[0] -= count
            return count

        monkeypatch.setattr(journal_module.os, "write", limited)
        with pytest.raises(EnvironmentFault, match="No space left") as caught:
            journal.append(EventType.NOTE, note("y" * 400))
        assert str(journal.file.parent) in caught.value.hint
        monkeypatch.undo()
        assert journal.file.read_bytes() == before
    assert journal.append(EventType.NOTE, note("z")).seq == 2
    assert [f.name for f in journal.file.parent.iterdir()] == ["a1b2.jsonl"]


def test_a_failed_sync_is_not_acknowledged(journal, monkeypatch):
    journal.append(EventType.NOTE, note("x"))

    def failing(_file):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(journal_module.os, "fsync", failing)
    with pytest.raises(EnvironmentFault, match="Input/output"):
        journal.append(EventType.NOTE, note("y"))


@pytest.mark.skipif(os.name != "posix", reason="file and folder are synced through POSIX calls")
def test_file_and_folders_are_synced_before_an_event_is_acknowledged(journal, monkeypatch):
    synced, fsync = [], os.fsync

    def recording(file):
        synced.append(str(Path(f"/proc/self/fd/{file}").readlink()))
        fsync(file)

    monkeypatch.setattr(journal_module.os, "fsync", recording)
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to name a file by its number")
    journal.append(EventType.NOTE, note("x"))
    assert synced[-1] == str(journal.file)
    assert {str(journal.file.parent), str(journal.folder), str(journal.folder.parent)} <= set(synced)
    synced.clear()
    journal.append(EventType.NOTE, note("y"))
    assert synced == [str(journal.file)]


def test_two_windows_of_one_device_take_turns(tmp_path):
    def work(author):
        mine = Journal(tmp_path / ID, "a1b2", author)
        for n in range(20):
            mine.append(EventType.NOTE, note(f"{author} {n}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in ("ana", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (device,) = read_devices(tmp_path / ID)
    assert [event.seq for event in device.events] == list(range(1, 41))
    assert all(b.prev == a.hash for a, b in zip(device.events, device.events[1:], strict=False))


def test_a_file_held_by_another_process_is_refused_after_a_while(journal, monkeypatch):
    journal.append(EventType.NOTE, note("x"))
    monkeypatch.setattr(journal_module, "LOCK_PATIENCE_S", 0.05)
    holder = os.open(journal.file, os.O_RDWR)
    try:
        assert journal_module._try_lock(holder)
        with pytest.raises(LimitReached, match="Another window"):
            journal.append(EventType.NOTE, note("y"))
    finally:
        os.close(holder)
    assert journal.append(EventType.NOTE, note("y")).seq == 2


@pytest.mark.skipif(os.name != "posix", reason="locks by flock")
def test_a_folder_that_cannot_lock_is_said(journal, monkeypatch):
    def refuse(_file, _mode):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(journal_module.fcntl, "flock", refuse)
    with pytest.raises(EnvironmentFault, match="No locks"):
        journal.append(EventType.NOTE, note("x"))


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need no rights there")
def test_a_link_in_the_place_of_the_file_is_not_followed(journal, tmp_path):
    target = tmp_path / "precious"
    target.write_text("mine")
    journal.file.parent.mkdir(parents=True)
    journal.file.symlink_to(target)
    with pytest.raises(EnvironmentFault):
        journal.append(EventType.NOTE, note("x"))
    assert target.read_text() == "mine"


@pytest.mark.parametrize(
    "text", ["2025-06-01T02:11:09", "2025-06-01 02:11:09Z", "2025-13-01T00:00:00Z", 3, None]
)
def test_a_time_in_another_form_is_no_time(text):
    assert parse_time(text) is None
