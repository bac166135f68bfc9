"""Records as folders: opening one, finding them, closing one, and the derived ``incident.md``.

``incident.md`` is for people and for search. It is derived from the events, may be deleted and written again
at any time, and the same events always give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.durable import write_atomically
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.incidents.events import Event, EventType, checked, format_time
from kb_app.incidents.journal import EVENTS_FOLDER, Clock, Journal
from kb_app.incidents.markup import Markdown, describe
from kb_app.incidents.timeline import IncidentState, read_devices, read_state

RECORDS_FOLDER = "incidents"
DOCUMENT = "incident.md"
MAX_SLUG = 40
GIT_ATTRIBUTES = "*.jsonl -text merge=binary\n*.torn -text\n"
_LOG = logging.getLogger(__name__)


def new_device_name(source: random.Random) -> str:
    """Return a short name for this device, to be kept in the settings: eight hexadecimal digits."""
    return f"{source.getrandbits(32):08x}"


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """A record on disk.

    Attributes:
        id: name of its folder.
        folder: absolute.
    """

    id: str
    folder: Path


def slug(text: str) -> str:
    """Return ``text`` as lower-case ASCII letters, digits and hyphens, at most 40; never empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_SLUG].strip("-")
    return short or "incident"


def open_record(
    root: Path, journal_of: JournalMaker, data: Mapping[str, object], *, source: random.Random | None = None
) -> RecordPlace:
    """Create the folder of a new record and write its ``opened`` event.

    Args:
        root: folder that holds ``incidents/``.
        journal_of: makes the journal for the record's folder.
        data: of the ``opened`` event; its title names the folder.
        source: of the four digits that keep names apart; the system's by default.

    Raises:
        UsageError: when ``data`` does not fit.
        EnvironmentFault: when it cannot be written.
    """
    chance = source if source is not None else random.SystemRandom()
    title = str(data.get("title", ""))
    day = journal_of(root).clock().astimezone(dt.UTC).date()
    for _ in range(64):
        name = f"{day.isoformat()}-{slug(title)}-{chance.randrange(0x10000):04x}"
        folder = root / RECORDS_FOLDER / f"{day.year:04d}" / name
        if not folder.exists():
            break
    else:  # pragma: no cover - 64 collisions of 65,536
        raise EnvironmentFault("No free name was found for the record", "Try again")
    journal_of(folder).append(EventType.OPENED, data)
    _protect_line_ends(root / RECORDS_FOLDER)
    refresh_document(folder, is_flushed=True)
    return RecordPlace(name, folder)


def _protect_line_ends(folder: Path) -> None:
    """Tell Git to leave the bytes of events alone: changed line ends are changed bytes."""
    attributes = folder / ".gitattributes"
    if attributes.exists():
        return
    try:
        write_atomically(attributes, GIT_ATTRIBUTES.encode("ascii"))
    except EnvironmentFault as fault:
        _LOG.warning("%s", fault)


@dataclass(frozen=True, slots=True)
class JournalMaker:
    """Makes journals for one device and one author.

    Attributes:
        device: short name of this device.
        author: who writes.
        clock: gives aware times.
    """

    device: str
    author: str
    clock: Clock

    def __call__(self, folder: Path) -> Journal:
        """Return the journal of this device in the record ``folder``."""
        return Journal(folder, self.device, self.author, clock=self.clock)


def records(root: Path) -> tuple[RecordPlace, ...]:
    """Return the records below ``root``, by name (that is by day); links are not followed.

    Any folder with events counts, whatever its name: a record that somebody renamed must not drop out of a
    report; its chain, bound to the old name, shows it as broken there.
    """
    return tuple(
        RecordPlace(folder.name, folder)
        for folder in sorted((root / RECORDS_FOLDER).glob("*/*"), key=lambda f: (f.name, f.parent.name))
        if not folder.is_symlink() and (folder / EVENTS_FOLDER).is_dir()
    )


def find_record(root: Path, incident_id: str) -> RecordPlace:
    """Return the record of that id; the beginning of an id or its last four digits do, when only one fits.

    Raises:
        UsageError: when none or several fit.
    """
    known = records(root)
    exact = [place for place in known if place.id == incident_id]
    fitting = exact or [
        place
        for place in known
        if incident_id and (place.id.startswith(incident_id) or place.id.endswith(f"-{incident_id}"))
    ]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(place.id for place in fitting[:5])
    if fitting:
        raise UsageError(f"“{incident_id}” fits several records: {names}", "Give more of the name")
    raise UsageError(f"There is no record “{incident_id}”", "List the records to see their names")


def correct(
    journal: Journal,
    target: Event,
    data: Mapping[str, object],
    reason: str,
    *,
    at: dt.datetime | None = None,
) -> Event:
    """Correct an event without touching it: a new event names it, says why, and carries the new data.

    Raises:
        UsageError: when ``data`` does not fit the event's type, or the event cannot be corrected.
    """
    if target.type in (EventType.CORRECT, EventType.SEAL):
        raise UsageError(f"A {target.type} event cannot be corrected", "Correct the event it names instead")
    content = checked(EventType(target.type), data)
    event = journal.append(
        EventType.CORRECT,
        {"seq": target.seq, "dev": target.dev, "reason": reason, "data": content, "at": at},
    )
    refresh_document(journal.folder)
    return event


def seal(journal: Journal, *, reason: str = "") -> Event:
    """Close a record: write down the last event of every device, so that a cut tail shows from then on.

    Events may still be appended afterwards (reviews and follow-ups come later); another seal covers them.
    `duties.closing_blockers` says what has to come before.
    """
    heads = {
        device.device: {"seq": device.events[-1].seq, "hash": device.events[-1].hash}
        for device in read_devices(journal.folder)
        if device.events
    }
    event = journal.append(EventType.SEAL, {"heads": heads, "reason": reason or None})
    refresh_document(journal.folder, is_flushed=True)
    return event


def write_document(folder: Path, *, is_flushed: bool = True) -> Path:
    """Write ``incident.md`` anew from the events and return its path; ``is_flushed`` waits for the disk.

    Raises:
        EnvironmentFault: when it cannot be written; the events are not touched.
    """
    text = document(read_state(folder))
    target = folder / DOCUMENT
    content = text.encode("utf-8")
    if not (target.is_file() and target.read_bytes() == content):
        write_atomically(target, content, is_flushed=is_flushed)
    return target


def refresh_document(folder: Path, *, is_flushed: bool = False) -> bool:
    """Write ``incident.md`` anew after an event; when that fails, say so in the log and return False.

    The event is on the disk already: failing here must not look as if it were not. Nobody waits for the page
    to reach the disk too: it can be made again from the events, and an older one that a power cut leaves is
    told by `verify.verify_record`. Opening and closing a record do wait.
    """
    try:
        write_document(folder, is_flushed=is_flushed)
    except EnvironmentFault as fault:
        _LOG.warning("%s", fault)
        return False
    return True


def is_document_current(folder: Path) -> bool:
    """Tell whether ``incident.md`` is what the events give, line ends aside (Git may change them)."""
    target = folder / DOCUMENT
    if not target.is_file() or target.is_symlink():
        return False
    return target.read_bytes().replace(b"\r\n", b"\n") == document(read_state(folder)).encode("utf-8")


def document(state: IncidentState) -> str:
    """Return ``incident.md``: flat front matter and the timeline; the same events give the same text."""
    lines = ["---", *_front_matter(state), "---", "", f"# {Markdown.escape(state.title)}", ""]
    lines += ["This page is derived from `events/`; edit nothing here, it is written anew.", ""]
    lines += ["## Timeline", "", "| time (UTC) | who | what |", "|---|---|---|"]
    for moment in state.moments:
        marks = _marks(moment.event, corrected=moment.corrected_by is not None)
        cells = (format_time(moment.at), moment.event.by, describe(moment.data) + marks)
        lines.append(f"| {' | '.join(Markdown.cell(cell) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _marks(event: Event, *, corrected: bool) -> str:
    marks = ""
    if event.is_late:
        marks += f" (late entry, written {format_time(event.rec)})"
    if corrected:
        marks += f" (corrected; the original stays as event {event.seq} of {event.dev})"
    return marks


def _front_matter(state: IncidentState) -> list[str]:
    decision = state.decision
    values: tuple[tuple[str, str | Sequence[str]], ...] = (
        ("id", state.id),
        ("title", state.title),
        ("severity", state.severity),
        ("status", state.status),
        ("services", state.services),
        ("lead", state.lead),
        ("opened", _time(state.opened_at)),
        ("mitigated", _time(state.mitigated_at)),
        ("fixed", _time(state.fixed_at)),
        ("closed", _time(state.closed_at)),
        ("entries", tuple(dict.fromkeys(event.text("entry") for event in state.entries_used))),
        ("policy", decision.text("policy") if decision else ""),
        ("tracker", state.tracker),
        ("ticket", state.ticket),
        (
            "follow-ups",
            tuple(f"{item.key} {'closed' if item.closed_at else 'open'}" for item in state.followups),
        ),
        ("reviews", tuple(f"{event.text('change')} {event.text('verdict')}" for event in state.reviews)),
    )
    return [f"{key}: {_yaml(value)}" for key, value in values if value]


def _time(moment: dt.datetime | None) -> str:
    return format_time(moment) if moment else ""


def _yaml(value: str | Sequence[str]) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return f"[{', '.join(_quoted(item) for item in value)}]"


def _quoted(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_./:@-]*", text) and not text.endswith(":"):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
