import dataclasses
import datetime as dt
import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb_app.entries.model import Severity
from kb_app.incidents import timeline as timeline_module
from kb_app.incidents import verify as verify_module
from kb_app.incidents.canonical import canonical
from kb_app.incidents.events import EventType, from_line, hash_of, sealed, to_line
from kb_app.incidents.folders import document, seal
from kb_app.incidents.journal import Journal
from kb_app.incidents.timeline import read_devices, read_state
from kb_app.incidents.verify import is_chain_intact, summary, verify, verify_record, verify_tree

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
ID = "2025-06-01-checkout-down-7f3a"
BY_A_NUMBER = (
    b'{"at":"2025-06-01T12:00:00Z","by":3,"data":{},"dev":"a","hash":"h","prev":"p",'
    b'"rec":"2025-06-01T12:00:00Z","seq":1,"type":"note","v":1}\n'
)


def fixed():
    return NOON


@pytest.fixture
def record(tmp_path):
    """A sealed record of two devices: four events and a seal on a1, two events on b2."""
    folder = tmp_path / "incidents" / "2025" / ID
    one = Journal(folder, "a1", "ana", clock=fixed)
    two = Journal(folder, "b2", "ben", clock=fixed)
    one.append(EventType.OPENED, {"title": "checkout down"})
    for n in range(2):
        two.append(EventType.NOTE, {"text": f"b{n}"})
    for n in range(3):
        one.append(EventType.NOTE, {"text": f"a{n}"})
    seal(one)
    return folder


def lines_of(folder, device="a1"):
    return (folder / "events" / f"{device}.jsonl").read_bytes().splitlines(keepends=True)


def put(folder, lines, device="a1"):
    (folder / "events" / f"{device}.jsonl").write_bytes(b"".join(lines))


def errors(folder):
    return [(f.code, f.file, f.line) for f in verify(folder) if f.severity is Severity.ERROR]


def codes(folder):
    return {code for code, _, _ in errors(folder)}


def test_an_untouched_record_has_no_findings(record):
    assert verify(record) == ()
    assert is_chain_intact(verify(record))


def test_the_result_in_words_promises_no_more_than_a_chain_holds(record):
    assert summary(verify(record)).startswith("The chain is whole")
    assert "tamper-evident" in summary(())
    assert "tamper-proof" not in summary(())
    lines = lines_of(record)
    put(record, [lines[0], *lines[2:]])
    text = summary(verify(record))
    place = f"events/a1.jsonl, line 2, byte {len(lines[0])}"
    assert text == f"The chain is broken: Event 2 before line 2 is missing ({place}), and 1 more."
    put(record, [*lines, b"torn"])
    assert summary(verify(record)).endswith("One remark.")


def test_checking_changes_nothing(record):
    before = {f: f.read_bytes() for f in record.rglob("*") if f.is_file()}
    verify(record)
    assert before == {f: f.read_bytes() for f in record.rglob("*") if f.is_file()}


def test_every_flipped_byte_is_found_on_its_line(record):
    file = record / "events" / "a1.jsonl"
    whole = file.read_bytes()
    for place in range(len(whole)):
        raw = bytearray(whole)
        raw[place] ^= (0x01, 0x20, 0x80)[place % 3]
        file.write_bytes(raw)
        found = [f for f in verify(record) if f.severity is not Severity.INFO]
        line, begin = whole[:place].count(b"\n") + 1, whole.rfind(b"\n", 0, place) + 1
        end = whole.find(b"\n", place) + 1
        assert any(
            f.file == "events/a1.jsonl" and f.line == line and begin <= f.byte <= end for f in found
        ), (
            place,
            found,
        )
        is_end = place == len(whole) - 1
        assert not is_chain_intact(found) or is_end


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_no_change_of_any_bytes_goes_unseen(record, data):
    if len(lines_of(record, "b2")) == 2:
        seal(Journal(record, "b2", "ben", clock=fixed))
    file = record / "events" / "a1.jsonl"  # sealed by the other device, its own seal included
    whole = file.read_bytes()
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, min(len(whole), begin + 700)))
    pieces = st.sampled_from([b"", b"\n", b"\r\n", b"{}\n", whole[begin:end] * 2, lines_of(record, "b2")[0]])
    changed = whole[:begin] + data.draw(pieces | st.binary(max_size=20)) + whole[end:]
    file.write_bytes(changed)
    try:
        found = verify(record)
        assert (found == ()) is (changed == whole)
        events = [event for d in read_devices(record) if d.device == "a1" for event in d.events]
        if is_chain_intact(found):
            original = [from_line(line[:-1]) for line in whole.splitlines(keepends=True)]
            assert events == original[: len(events)]
    finally:
        file.write_bytes(whole)


def test_every_cut_is_found_because_of_the_seal_of_another_device(record):
    two = Journal(record, "b2", "ben", clock=fixed)
    seal(two)
    file = record / "events" / "a1.jsonl"
    whole = file.read_bytes()
    for cut in range(len(whole) - 1):
        file.write_bytes(whole[:cut])
        found = {f.code: f for f in verify(record)}
        if cut + 1 in {n for n, byte in enumerate(whole) if byte == 10}:
            continue
        assert "tail-cut" in found, cut
        assert found["tail-cut"].byte == cut
        assert found["tail-cut"].file == "events/a1.jsonl"


def test_without_another_seal_a_tail_cut_together_with_its_seal_is_not_found(record):
    put(record, lines_of(record)[:2])
    assert verify(record) == ()


def test_an_edited_event_is_found(record):
    lines = lines_of(record)
    put(record, [lines[0], lines[1].replace(b'"a0"', b'"a9"'), *lines[2:]])
    assert errors(record) == [("edited", "events/a1.jsonl", 2)]


def test_an_edited_event_with_a_new_hash_breaks_the_next_link(record):
    lines = lines_of(record)
    members = json.loads(lines[1])
    members["data"]["text"] = "a9"
    members["hash"] = hash_of(members)
    put(record, [lines[0], canonical(members) + b"\n", *lines[2:]])
    assert errors(record) == [("broken-link", "events/a1.jsonl", 3)]


def test_a_file_rewritten_as_a_whole_is_found_by_the_seal(record):
    shutil.copytree(record, record.parent / "copy")
    prev = json.loads(lines_of(record, "b2")[0])["prev"]
    rewritten = []
    for raw in lines_of(record, "b2"):
        members = json.loads(raw)
        members["data"] = {"text": "nothing happened"}
        members["prev"] = prev
        members["hash"] = prev = hash_of(members)
        rewritten.append(canonical(members) + b"\n")
    put(record, rewritten, "b2")
    assert errors(record) == [("rewritten", "events/b2.jsonl", 2)]


def test_a_removed_event_is_found(record):
    lines = lines_of(record)
    put(record, [lines[0], *lines[2:]])
    assert errors(record) == [("removed", "events/a1.jsonl", 2), ("broken-link", "events/a1.jsonl", 2)]
    assert "Event 2 before line 2 is missing" in verify(record)[0].message


def test_removed_first_events_are_found(record):
    put(record, lines_of(record)[2:])
    assert {"removed", "broken-link"} == codes(record)


def test_reordered_events_are_found(record):
    lines = lines_of(record)
    put(record, [lines[0], lines[2], lines[1], *lines[3:]])
    assert {"reordered", "broken-link"} == codes(record)
    assert ("reordered", "events/a1.jsonl", 2) in errors(record)


def test_a_repeated_event_is_found(record):
    lines = lines_of(record)
    put(record, [*lines[:2], lines[1], *lines[2:]])
    assert ("repeated", "events/a1.jsonl", 3) in errors(record)


def test_a_removed_file_is_found(record):
    (record / "events" / "b2.jsonl").unlink()
    assert errors(record) == [("file-removed", "events/b2.jsonl", 0)]


def test_a_file_of_another_record_or_device_is_found(record, tmp_path):
    other = tmp_path / "incidents" / "2025" / "2025-06-02-other-0001"
    Journal(other, "c3", "eve", clock=fixed).append(EventType.NOTE, {"text": "x"})
    shutil.copy(other / "events" / "c3.jsonl", record / "events" / "c3.jsonl")
    assert errors(record) == [("broken-link", "events/c3.jsonl", 1)]
    (record / "events" / "c3.jsonl").rename(record / "events" / "d4.jsonl")
    assert codes(record) == {"broken-link", "wrong-device"}


def test_a_renamed_record_is_found(record):
    renamed = record.with_name("2025-06-01-nothing-much-7f3a")
    record.rename(renamed)
    assert codes(renamed) == {"broken-link"}


def test_another_spelling_of_the_same_event_is_found(record):
    lines = lines_of(record)
    put(record, [lines[0].replace(b'"by":"ana",', b'"by": "ana",'), *lines[1:]])
    (finding,) = verify(record)
    assert (finding.code, finding.line) == ("respelt", 1)
    assert lines[0][: finding.byte].endswith(b'"by":')


def test_a_torn_tail_is_a_warning_and_names_where_it_begins(record):
    with (record / "events" / "b2.jsonl").open("ab") as file:
        file.write(b'{"half')
    (finding,) = verify(record)
    assert (finding.code, finding.severity, finding.line) == ("torn", Severity.WARNING, 3)
    assert finding.byte == sum(map(len, lines_of(record, "b2")[:2]))
    Journal(record, "b2", "ben", clock=fixed).append(EventType.NOTE, {"text": "on"})
    assert [f.code for f in verify(record)] == ["torn-kept"]


def test_a_torn_tail_may_look_like_an_event(record):
    whole = lines_of(record, "b2")
    put(record, [*whole, whole[1][:-1].replace(b'"b1"', b'"b9"')], "b2")
    assert [(f.code, f.line) for f in verify(record)] == [("torn", 3)]


def test_late_entries_and_moved_clocks_are_told_without_breaking_the_chain(tmp_path):
    folder = tmp_path / ID
    times = iter([NOON, NOON - dt.timedelta(days=3650), NOON + dt.timedelta(days=1)])
    journal = Journal(folder, "a1", "ana", clock=lambda: next(times))
    journal.append(EventType.OPENED, {"title": "x"})
    journal.append(EventType.NOTE, {"text": "clock was wrong"}, at=NOON)
    journal.append(EventType.NOTE, {"text": "late"}, at=NOON)
    assert {f.code for f in verify(folder)} == {"clock-moved", "from-the-future", "late"}
    assert is_chain_intact(verify(folder))


def test_a_file_too_large_to_read_is_an_error_and_shows_nothing(record, monkeypatch):
    monkeypatch.setattr(verify_module, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(timeline_module, "MAX_FILE_BYTES", 100)
    assert "too-large" in codes(record)
    assert all(device.unreadable == 1 and device.events == () for device in read_devices(record))


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need no rights there")
def test_a_link_among_the_files_is_named_and_not_read(record):
    (record / "events" / "c3.jsonl").symlink_to(record / "events" / "a1.jsonl")
    assert [f.code for f in verify(record)] == ["unexpected"]
    assert [device.device for device in read_devices(record)] == ["a1", "b2"]


def test_data_of_a_newer_version_is_a_warning(record):
    journal = Journal(record, "a1", "ana", clock=fixed)
    event = journal.append(EventType.NOTE, {"text": "x"})
    put(record, lines_of(record)[:-1])
    newer = sealed(dataclasses.replace(event, type="poem", data={"verse": 1}, hash=""))
    put(record, [*lines_of(record), to_line(newer)])
    (finding,) = verify(record)
    assert (finding.code, finding.severity) == ("bad-data", Severity.WARNING)
    assert "poem" in document(read_state(record))


@pytest.mark.parametrize(
    "line",
    [
        b"3\n",
        b"{}\n",
        b'{"v":2}\n',
        b'{"at":"x","by":"a","data":{},"dev":"a","hash":"h","prev":"p","rec":"x","seq":1,"type":"note","v":1}\n',
        b'{"at":"x","by":"a","data":{},"dev":"a","hash":"h","prev":"p","rec":"x","seq":1,"type":"note","v":2}\n',
        BY_A_NUMBER,
    ],
)
def test_a_line_that_is_no_event_is_unreadable(record, line):
    put(record, [*lines_of(record), line])
    assert [(f.code, f.line) for f in verify(record)] == [("unreadable", 6)]


def test_a_file_that_no_device_would_write_is_not_read(record):
    (record / "events" / "Evil One.jsonl").write_bytes(b"".join(lines_of(record, "b2")))
    (finding,) = verify(record)
    assert (finding.code, finding.severity) == ("unexpected", Severity.WARNING)
    assert [device.device for device in read_devices(record)] == ["a1", "b2"]


def test_a_renamed_record_does_not_drop_out(record, tmp_path):
    record.rename(record.with_name("old stuff"))
    (found,) = verify_tree(tmp_path).values()
    assert not is_chain_intact(found)


def test_other_files_are_named_and_links_not_followed(record, tmp_path):
    (record / "events" / "notes.txt").write_text("x")
    assert [f.code for f in verify(record)] == ["unexpected"]


def test_an_empty_record_is_an_error(tmp_path):
    assert [f.code for f in verify(tmp_path)] == ["no-events"]
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a1.jsonl").touch()
    assert [f.code for f in verify(tmp_path)] == ["no-events"]


def test_changed_line_ends_are_told_and_break_nothing(record):
    put(record, [line.replace(b"\n", b"\r\n") for line in lines_of(record)])
    assert [f.code for f in verify(record)] == ["line-ends"]
    Journal(record, "a1", "ana", clock=fixed).append(EventType.NOTE, {"text": "on"})
    assert [f.code for f in verify(record)] == ["line-ends"]
    put(record, [line.replace(b'"a1"', b'"a2"', 1) for line in lines_of(record)])
    assert "edited" in codes(record)


def test_an_edited_document_is_told_apart_from_its_events(record, tmp_path):
    (found,) = verify_tree(tmp_path).values()
    assert found == ()
    document = record / "incident.md"
    document.write_bytes(document.read_bytes().replace(b"\n", b"\r\n"))
    assert verify_record(record) == ()
    document.write_text("nothing happened")
    (finding,) = verify_record(record)
    assert (finding.code, finding.file) == ("document-differs", "incident.md")
    assert is_chain_intact(verify_record(record))


def test_all_records_of_a_root_are_checked(record, tmp_path):
    put(record, lines_of(record)[1:])
    assert {name: is_chain_intact(found) for name, found in verify_tree(tmp_path).items()} == {
        f"incidents/2025/{ID}": False
    }
