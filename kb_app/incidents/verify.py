"""Checking a record: edits, removals, reordering and tails cut after a seal, by file, line and byte.

A clean result means that the record is consistent in itself. It is tamper-evident: whoever rewrites every
file of a record and its Git history as a whole leaves nothing to find here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.entries.model import Severity
from kb_app.incidents.canonical import NotCanonicalError, canonical, parse
from kb_app.incidents.events import (
    Event,
    EventType,
    digest,
    from_line,
    hash_of,
    origin_hash,
    problems,
)
from kb_app.incidents.folders import DOCUMENT, is_document_current, records
from kb_app.incidents.journal import EVENTS_FOLDER, EVENTS_SUFFIX, TORN_SUFFIX
from kb_app.incidents.timeline import MAX_FILE_BYTES, is_device_file

_WHOLE = (
    "The chain is whole: no event in it was edited, removed or moved. Records are tamper-evident; whether "
    "a whole file was written anew is for Git history, seals of other devices and signatures to show."
)
CLOCK_TOLERANCE = dt.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class RecordFinding:
    """Something about a record's files.

    Attributes:
        code: stable slug, for example ``edited``.
        severity: an error breaks the chain; a warning or a note does not.
        file: relative to the record's folder, ``/``-separated.
        line: 1-based; 0 when it is about the whole file.
        byte: offset in the file of what was found, from 0.
        message: one sentence.
    """

    code: str
    severity: Severity
    file: str
    line: int
    byte: int
    message: str

    @property
    def place(self) -> str:
        """Where it is, for people: ``events/a1.jsonl, line 3, byte 812``, or the file alone."""
        return f"{self.file}, line {self.line}, byte {self.byte}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    byte: int
    raw: bytes
    event: Event | None

    @property
    def prev_of_next(self) -> str:
        return self.event.hash if self.event is not None else digest(self.raw)


@dataclass(frozen=True, slots=True)
class _Checked:
    device: str
    file: str
    size_bytes: int
    lines: tuple[_Line, ...]


def verify(folder: Path) -> tuple[RecordFinding, ...]:
    """Return what is wrong with the record in ``folder``, by file and line; nothing is changed."""
    findings: list[RecordFinding] = []
    events = folder / EVENTS_FOLDER
    if not events.is_dir():
        return (RecordFinding("no-events", Severity.ERROR, EVENTS_FOLDER, 0, 0, "There are no events"),)
    checked = []
    for file in sorted(events.iterdir()):
        name = f"{EVENTS_FOLDER}/{file.name}"
        if file.is_symlink() or not file.is_file():
            findings.append(_whole("unexpected", Severity.WARNING, name, "This is not a plain file"))
        elif is_device_file(file):
            device, found = _check_file(folder.name, file, name)
            checked.append(device)
            findings += found
        elif file.suffix == TORN_SUFFIX:
            text = f"{file.stat().st_size} bytes of a torn last line were set aside here"
            findings.append(_whole("torn-kept", Severity.INFO, name, text))
        elif file.suffix == EVENTS_SUFFIX:
            text = "No device has this name; the file is not read"
            findings.append(_whole("unexpected", Severity.WARNING, name, text))
        elif not file.name.startswith("."):
            findings.append(_whole("unexpected", Severity.INFO, name, "This is no file of events"))
    if not any(device.lines for device in checked):
        findings.append(_whole("no-events", Severity.ERROR, EVENTS_FOLDER, "There are no events"))
    findings += _check_seals(checked)
    return tuple(findings)


def verify_record(folder: Path) -> tuple[RecordFinding, ...]:
    """Return what is wrong with a record's events, and whether ``incident.md`` still says what they say."""
    findings = verify(folder)
    if is_document_current(folder):
        return findings
    text = "incident.md is not what the events give: it was edited, or the program stopped before writing it"
    return (*findings, _whole("document-differs", Severity.WARNING, DOCUMENT, text))


def verify_tree(root: Path) -> dict[str, tuple[RecordFinding, ...]]:
    """Return record folder (relative to ``root``, ``/``-separated) to findings, for every record, by name."""
    return {place.folder.relative_to(root).as_posix(): verify_record(place.folder) for place in records(root)}


def is_chain_intact(findings: Sequence[RecordFinding]) -> bool:
    """Tell whether none of the findings breaks the chain."""
    return not any(finding.severity is Severity.ERROR for finding in findings)


def summary(findings: Sequence[RecordFinding]) -> str:
    """Return the result of a check in one or two sentences; it promises no more than a chain can hold."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        return f"The chain is broken: {errors[0].message} ({errors[0].place}){more}."
    notes = f" {len(findings)} remarks." if len(findings) > 1 else " One remark." if findings else ""
    return f"{_WHOLE}{notes}"


def _whole(code: str, severity: Severity, name: str, message: str) -> RecordFinding:
    return RecordFinding(code, severity, name, 0, 0, message)


def _check_file(incident_id: str, file: Path, name: str) -> tuple[_Checked, list[RecordFinding]]:
    size = file.stat().st_size
    if size > MAX_FILE_BYTES:
        text = f"The file is larger than {MAX_FILE_BYTES} bytes and was not read"
        return _Checked(file.stem, name, size, ()), [_whole("too-large", Severity.ERROR, name, text)]
    content = file.read_bytes()
    findings: list[RecordFinding] = []
    lines = []
    if b"\r\n" in content:
        # a raw carriage return cannot be part of canonical JSON, so this is a change of line ends only
        text = (
            "The line ends were changed, as Git does on some systems; write '*.jsonl -text' to .gitattributes"
        )
        findings.append(_whole("line-ends", Severity.WARNING, name, text))
    for number, byte, raw in _split(content):
        line, found = _read_line(name, number, byte, raw, is_torn=byte + len(raw) == len(content))
        findings += found
        if line is not None:
            lines.append(line)
    checked = _Checked(file.stem, name, size, tuple(lines))
    findings += _check_order(checked)
    findings += _check_links(checked, origin_hash(incident_id, file.stem))
    findings += _check_clock(checked)
    return checked, sorted(findings, key=lambda f: (f.line, f.byte))


def _split(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    byte = 0
    for number, raw in enumerate(content.split(b"\n"), 1):
        if byte < len(content):
            yield number, byte, raw
        byte += len(raw) + 1


def _read_line(
    name: str, number: int, byte: int, raw: bytes, *, is_torn: bool
) -> tuple[_Line | None, list[RecordFinding]]:
    """Return the line as an event if it is one, and what is wrong with the line by itself."""

    def found(code: str, severity: Severity, offset: int, message: str) -> list[RecordFinding]:
        return [RecordFinding(code, severity, name, number, byte + offset, message)]

    raw = raw.removesuffix(b"\r")
    try:
        event = from_line(raw)
    except NotCanonicalError as error:
        offset = error.position or 0
        if is_torn:
            text = f"The last {len(raw)} bytes are a torn line; the next append sets them aside"
            return None, found("torn", Severity.WARNING, 0, text)
        text = f"Line {number} cannot be read: {error}"
        return _Line(number, byte, raw, None), found("unreadable", Severity.ERROR, offset, text)
    line = _Line(number, byte, raw, event)
    members = parse(raw)
    is_whole = isinstance(members, dict) and hash_of(members) == event.hash
    if not is_whole:
        if is_torn:
            text = f"The last {len(raw)} bytes are a torn line; the next append sets them aside"
            return None, found("torn", Severity.WARNING, 0, text)
        text = f"Event {event.seq} on line {number} was edited: its hash does not fit its content"
        return line, found("edited", Severity.ERROR, 0, text)
    if canonical(members) != raw:
        offset = _first_difference(canonical(members), raw)
        text = f"Line {number} was written anew: it is spelt otherwise than this program spells it"
        return line, found("respelt", Severity.ERROR, offset, text)
    findings = []
    if is_torn:
        findings += found(
            "no-line-end",
            Severity.WARNING,
            len(raw),
            "The last line lacks its line end; the next append adds it",
        )
    for problem in problems(event.type, event.data):
        findings += found("bad-data", Severity.WARNING, 0, f"Event {event.seq}: {problem}")
    return line, findings


def _first_difference(one: bytes, other: bytes) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


def _check_order(checked: _Checked) -> Iterator[RecordFinding]:
    """Find events that are missing, repeated or moved: line n holds event n."""
    present = {line.event.seq for line in checked.lines if line.event is not None}
    seen: set[int] = set()
    expected = 1
    for line in checked.lines:
        if line.event is None:
            expected += 1
            continue
        seq = line.event.seq
        if seq in seen:
            yield _at(checked, line, "repeated", f"Event {seq} stands on line {line.number} once more")
            continue
        seen.add(seq)
        if seq > expected:
            gap = [n for n in range(expected, min(seq, expected + 1000)) if n not in present]
            if gap:
                text = f"{_events(gap)} before line {line.number} {'is' if len(gap) == 1 else 'are'} missing"
                yield _at(checked, line, "removed", text)
            if len(gap) < seq - expected:
                yield _at(checked, line, "reordered", f"Event {seq} stands before its predecessors")
        elif seq < expected:
            yield _at(checked, line, "reordered", f"Event {seq} stands after later ones")
        expected = max(expected, seq) + 1


def _events(gap: Sequence[int]) -> str:
    return f"Event {gap[0]}" if len(gap) == 1 else f"Events {gap[0]} to {gap[-1]}"


def _check_links(checked: _Checked, origin: str) -> Iterator[RecordFinding]:
    prev = origin
    for line in checked.lines:
        event = line.event
        if event is not None:
            if event.dev != checked.device:
                yield _at(
                    checked, line, "wrong-device", f"Event {event.seq} was written by device {event.dev}"
                )
            if event.prev != prev:
                yield _at(checked, line, "broken-link", _link_text(line, event))
        prev = line.prev_of_next


def _link_text(line: _Line, event: Event) -> str:
    if line.number == 1:
        return (
            f"Event {event.seq} does not begin this record: the file comes from another one, "
            "the folder was renamed, or what stood before is gone"
        )
    return f"Event {event.seq} on line {line.number} does not continue the line before it"


def _check_clock(checked: _Checked) -> Iterator[RecordFinding]:
    latest: dt.datetime | None = None
    for line in checked.lines:
        event = line.event
        if event is None:
            continue
        if latest is not None and event.rec < latest:
            text = (
                f"The clock stood earlier for event {event.seq} than for the one before; order is by number"
            )
            yield _at(checked, line, "clock-moved", text, Severity.INFO)
        if event.at - event.rec > CLOCK_TOLERANCE:
            text = f"Event {event.seq} claims a time after it was written"
            yield _at(checked, line, "from-the-future", text, Severity.WARNING)
        if event.is_late:
            minutes = int((event.rec - event.at).total_seconds() // 60)
            text = f"Event {event.seq} was written {minutes} minutes after it happened"
            yield _at(checked, line, "late", text, Severity.INFO)
        latest = event.rec


def _at(
    checked: _Checked, line: _Line, code: str, message: str, severity: Severity = Severity.ERROR
) -> RecordFinding:
    return RecordFinding(code, severity, checked.file, line.number, line.byte, message)


def _check_seals(devices: Sequence[_Checked]) -> Iterator[RecordFinding]:
    """Find files that no longer hold what a seal says they held."""
    by_name = {device.device: device for device in devices}
    reported: set[tuple[str, int]] = set()
    for device in devices:
        for line in device.lines:
            event = line.event
            if event is None or event.type != EventType.SEAL:
                continue
            heads = event.data.get("heads")
            for name, head in sorted(heads.items()) if isinstance(heads, dict) else ():
                seq = head.get("seq") if isinstance(head, dict) else None
                if not isinstance(seq, int) or (name, seq) in reported:
                    continue
                finding = _check_head(by_name.get(name), name, seq, head.get("hash"), event)
                if finding is not None:
                    reported.add((name, seq))
                    yield finding


def _check_head(
    device: _Checked | None, name: str, seq: int, sealed_hash: object, seal: Event
) -> RecordFinding | None:
    where = f"the seal of {seal.dev} (event {seal.seq})"
    file = f"{EVENTS_FOLDER}/{name}{EVENTS_SUFFIX}"
    if device is None:
        text = f"The file of device {name} is gone; {where} names {seq} events in it"
        return RecordFinding("file-removed", Severity.ERROR, file, 0, 0, text)
    events = [line for line in device.lines if line.event is not None and line.event.seq == seq]
    if not events and len(device.lines) < seq:
        last = device.lines[-1].number if device.lines else 0
        text = f"The tail was cut: {where} names event {seq}, the file ends with line {last}"
        return RecordFinding("tail-cut", Severity.ERROR, file, last, device.size_bytes, text)
    line = events[0] if events else device.lines[seq - 1]
    if line.prev_of_next == sealed_hash:
        return None
    text = f"Event {seq} is not the one that {where} names: the file was written anew"
    return RecordFinding("rewritten", Severity.ERROR, file, line.number, line.byte, text)
