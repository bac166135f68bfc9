"""What the timeline of an incident shows, in words: rows of the list, levels, waits, measured spans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_app.entries.model import Severity
from kb_app.incidents.events import Event, EventType, parse_time
from kb_app.incidents.markup import describe, one_line
from kb_app.incidents.timeline import IncidentState, Moment
from kb_app.incidents.verify import RecordFinding

MAX_SHOWN = 600
"""Letters of an event's text in the list; the whole text stands in the tooltip and in exports."""


class Lane(StrEnum):
    """Rows of the picture below the impact, in this order."""

    STATE = "State"
    DECISIONS = "Decisions"
    ACTIONS = "Actions"
    NOTES = "Notes"
    AFTER = "Afterwards"


class Level(StrEnum):
    """How bad it was, for the band."""

    UNKNOWN = "not stated"
    MINOR = "minor"
    DEGRADED = "degraded"
    DOWN = "down"
    MITIGATED = "mitigated"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Look:
    """How an event looks.

    Attributes:
        icon: an icon name.
        color: a colour token.
        lane: where it stands in the picture.
        name: the kind of event in a word or two.
    """

    icon: str
    color: str
    lane: Lane
    name: str


_LOOKS: Mapping[str, Look] = {
    EventType.OPENED: Look("siren", "danger", Lane.STATE, "Opened"),
    EventType.IMPACT: Look("activity", "mitigate", Lane.STATE, "Impact"),
    EventType.MITIGATED: Look("shield-check", "mitigate", Lane.STATE, "Mitigated"),
    EventType.FIXED: Look("circle-check", "fix", Lane.STATE, "Fixed"),
    EventType.DECISION: Look("scale", "accent", Lane.DECISIONS, "Decision"),
    EventType.OVERRIDE: Look("split", "mitigate", Lane.DECISIONS, "Other choice"),
    EventType.APPROVAL: Look("check-check", "accent", Lane.DECISIONS, "Approval"),
    EventType.ENTRY_USED: Look("book-open", "info", Lane.ACTIONS, "Entry used"),
    EventType.ACTION: Look("square-check", "text2", Lane.ACTIONS, "Action"),
    EventType.DEPLOY: Look("rocket", "accent", Lane.ACTIONS, "Deployment"),
    EventType.NOTE: Look("message-square", "text2", Lane.NOTES, "Note"),
    EventType.HANDOVER: Look("send", "info", Lane.NOTES, "Handover"),
    EventType.CORRECT: Look("pencil", "text2", Lane.NOTES, "Correction"),
    EventType.REVIEW: Look("eye", "fix", Lane.AFTER, "Review"),
    EventType.FOLLOWUP: Look("list-checks", "mitigate", Lane.AFTER, "Follow-up"),
    EventType.KNOWLEDGE: Look("library", "info", Lane.AFTER, "Knowledge"),
    EventType.SEAL: Look("lock", "text2", Lane.AFTER, "Sealed"),
}
_UNKNOWN_LOOK = Look("circle-question-mark", "text2", Lane.NOTES, "Event")
_STEP_LOOKS: Mapping[str, tuple[str, str]] = {
    "started": ("play", "accent"),
    "done": ("square-check", "fix"),
    "skipped": ("skip-forward", "text2"),
    "failed": ("circle-x", "danger"),
    "copied": ("copy", "text2"),
    "waiting": ("hourglass", "mitigate"),
    "wait-over": ("alarm-clock", "text2"),
    "undone": ("rotate-ccw", "text2"),
    "taken-over": ("hand", "info"),
    "ended": ("milestone", "text2"),
}


def look_of(event: Event) -> Look:
    """Return how an event looks; a step looks like what became of it."""
    look = _LOOKS.get(event.type, _UNKNOWN_LOOK)
    if event.type == EventType.ACTION and event.text("result") in _STEP_LOOKS:
        icon, color = _STEP_LOOKS[event.text("result")]
        return Look(icon, color, look.lane, look.name)
    if event.type == EventType.REVIEW and event.text("verdict") == "revert":
        return Look("rotate-ccw", "danger", look.lane, look.name)
    if event.type == EventType.FOLLOWUP and event.text("state") == "closed":
        return Look("list-checks", "fix", look.lane, look.name)
    return look


# Times in words


def span_text(span: dt.timedelta) -> str:
    """Return a duration for people: ``45 s``, ``14 min``, ``1 h 46 min``, ``3 d 4 h``."""
    seconds = round(abs(span.total_seconds()))
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def utc_clock(moment: dt.datetime) -> str:
    """Return the time of day, ``02:11:09``."""
    return moment.astimezone(dt.UTC).strftime("%H:%M:%S")


def day_text(moment: dt.datetime) -> str:
    """Return the day, ``Sunday 1 June 2025``."""
    at = moment.astimezone(dt.UTC)
    return f"{at:%A} {at.day} {at:%B} {at.year}"


def when_text(moment: dt.datetime | None) -> str:
    """Return day and time, ``1 Jun 2025, 02:11 UTC``; empty for None."""
    if moment is None:
        return ""
    at = moment.astimezone(dt.UTC)
    return f"{at.day} {at:%b} {at.year}, {at:%H:%M} UTC"


def local_text(moment: dt.datetime) -> str:
    """Return the time where this computer is, ``Sun 1 Jun 2025, 04:11:09 CEST``."""
    at = moment.astimezone()
    zone = at.tzname() or "local"
    return f"{at:%a} {at.day} {at:%b} {at.year}, {at:%H:%M:%S} {zone}"


# The list


class RowKind(StrEnum):
    """What a row of the list is."""

    DAY = "day"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list.

    Attributes:
        kind: a day's heading or an event.
        text: what happened, one line of plain words; the day for a heading.
        moment: number of the moment in the timeline; -1 for a heading.
        clock: UTC time of day.
        local: the same where this computer is.
        who, device: who wrote it, and where.
        look: icon and colour.
        was: what it said before it was corrected; empty when it was not.
        correction: who corrected it and why; empty when nobody did.
        late: when it was written, if late.
    """

    kind: RowKind
    text: str
    moment: int = -1
    clock: str = ""
    local: str = ""
    who: str = ""
    device: str = ""
    look: Look = _UNKNOWN_LOOK
    was: str = ""
    correction: str = ""
    late: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said below the text, in lines."""
        return tuple(line for line in (self.was, self.correction, self.late) if line)


def rows_of(moments: Sequence[Moment]) -> tuple[Row, ...]:
    """Return the rows of the list: every event below the heading of its day."""
    rows: list[Row] = []
    day = None
    for number, moment in enumerate(moments):
        at = moment.at.astimezone(dt.UTC)
        if at.date() != day:
            day = at.date()
            rows.append(Row(RowKind.DAY, day_text(at)))
        rows.append(_row(number, moment))
    return tuple(rows)


def _row(number: int, moment: Moment) -> Row:
    event, correction = moment.event, moment.corrected_by
    was = why = ""
    if correction is not None:
        moved = f" at {utc_clock(event.at)}" if moment.at != event.at else ""
        was = f"was: {one_line(describe(event))[:MAX_SHOWN]}{moved}"
        why = f"corrected by {one_line(correction.by)}: {one_line(correction.text('reason'))}"
    return Row(
        RowKind.EVENT,
        one_line(describe(moment.data))[:MAX_SHOWN],
        number,
        utc_clock(moment.at),
        local_text(moment.at),
        one_line(event.by),
        one_line(event.dev),
        look_of(moment.data),
        was,
        why,
        f"late entry: written {when_text(event.rec)}" if event.is_late else "",
    )


def row_of_moment(rows: Sequence[Row], moment: int) -> int:
    """Return the number of the row that shows a moment, -1 when none does."""
    return next((n for n, row in enumerate(rows) if row.moment == moment), -1)


def spoken_row(row: Row) -> str:
    """Return a row for a screen reader."""
    if row.kind is RowKind.DAY:
        return row.text
    head = f"{row.clock} UTC, {row.look.name}: {row.text}, by {row.who} on {row.device}"
    return ". ".join((head, *row.notes))


# The picture


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the band.

    Attributes:
        begin, end: its times; ``end`` is not before ``begin``.
        level: how bad it was.
    """

    begin: dt.datetime
    end: dt.datetime
    level: Level


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait of a step.

    Attributes:
        begin, end: its times; it ends when it is over, or earlier when the step was marked.
        moment: number of the moment that began it.
    """

    begin: dt.datetime
    end: dt.datetime
    moment: int


@dataclass(frozen=True, slots=True)
class Bracket:
    """A measured span.

    Attributes:
        name: what was measured, ``to mitigate``.
        begin, end: its times.
        color: a colour token.
    """

    name: str
    begin: dt.datetime
    end: dt.datetime
    color: str

    @property
    def text(self) -> str:
        """The span in words: ``14 min to mitigate``."""
        return f"{span_text(self.end - self.begin)} {self.name}"


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of the picture.

    Attributes:
        moment: its number in the timeline.
        at: when.
        lane: where.
        look: icon and colour.
        is_late, is_corrected: marks.
        text: what it says.
    """

    moment: int
    at: dt.datetime
    lane: Lane
    look: Look
    is_late: bool
    is_corrected: bool
    text: str


@dataclass(frozen=True, slots=True)
class Track:
    """Everything the picture shows, in order of time.

    Attributes:
        begin, end: of the whole.
        points: all moments.
        segments: the band, without gaps.
        waits: of steps.
        brackets: what was measured.
        is_open: it goes on; ``end`` is now.
    """

    begin: dt.datetime
    end: dt.datetime
    points: tuple[Point, ...]
    segments: tuple[Segment, ...]
    waits: tuple[Wait, ...]
    brackets: tuple[Bracket, ...]
    is_open: bool


def track_of(state: IncidentState, now: dt.datetime) -> Track | None:
    """Return what the picture of an incident shows; None for a record without events.

    Args:
        state: the incident.
        now: where the picture ends while neither mitigation nor fix has ended it.
    """
    if not state.moments:
        return None
    points = tuple(_point(n, moment) for n, moment in enumerate(state.moments))
    is_open = state.fixed_at is None and state.closed_at is None
    times = [point.at for point in points]
    begin, end = min(times), max(times)
    if is_open:
        end = max(end, now)
    waits = _waits(state.moments, end)
    return Track(
        begin,
        end,
        points,
        _segments(state, begin, end),
        waits,
        _brackets(state),
        is_open,
    )


def _point(number: int, moment: Moment) -> Point:
    look = look_of(moment.data)
    return Point(
        number,
        moment.at,
        look.lane,
        look,
        moment.event.is_late,
        moment.corrected_by is not None,
        one_line(describe(moment.data))[:MAX_SHOWN],
    )


def _segments(state: IncidentState, begin: dt.datetime, end: dt.datetime) -> tuple[Segment, ...]:
    changes: list[tuple[dt.datetime, Level]] = [(begin, Level.UNKNOWN)]
    for moment in state.moments:
        level = _level(moment.data)
        if level is not None:
            changes.append((moment.at, level))
    changes.sort(key=lambda change: change[0])
    last = state.fixed_at or end
    found = []
    for number, (at, level) in enumerate(changes):
        until = changes[number + 1][0] if number + 1 < len(changes) else end
        if until > at:
            # what is stated after the fix is a correction of the past, not a new outage
            shown = Level.FIXED if at >= last and level is not Level.FIXED and state.fixed_at else level
            found.append(Segment(at, until, shown))
    return _merged(found)


def _merged(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    merged: list[Segment] = []
    for segment in segments:
        if merged and merged[-1].level is segment.level:
            merged[-1] = Segment(merged[-1].begin, segment.end, segment.level)
        else:
            merged.append(segment)
    return tuple(merged)


def _level(event: Event) -> Level | None:
    if event.type == EventType.MITIGATED:
        return Level.MITIGATED
    if event.type == EventType.FIXED:
        return Level.FIXED
    impact = event.text("impact") if event.type == EventType.IMPACT else ""
    return Level(impact) if impact in ("minor", "degraded", "down") else None


def _waits(moments: Sequence[Moment], end: dt.datetime) -> tuple[Wait, ...]:
    found = []
    for number, moment in enumerate(moments):
        event = moment.data
        due = parse_time(event.data.get("due"))
        if event.type != EventType.ACTION or event.text("result") != "waiting" or due is None:
            continue
        over = next((later.at for later in moments[number + 1 :] if _ends_wait(event, later.data)), due)
        until = min(max(moment.at, min(due, over)), max(end, moment.at))
        found.append(Wait(moment.at, until, number))
    return tuple(found)


def _ends_wait(wait: Event, later: Event) -> bool:
    is_same = later.data.get("run") == wait.data.get("run") and later.data.get("step") == wait.data.get(
        "step"
    )
    return later.type == EventType.ACTION and is_same and later.text("result") not in ("copied", "waiting")


def _brackets(state: IncidentState) -> tuple[Bracket, ...]:
    found = []
    for name, ended, color in (
        ("to mitigate", state.mitigated_at, "mitigate"),
        ("to fix", state.fixed_at, "fix"),
    ):
        if state.opened_at is not None and ended is not None and ended >= state.opened_at:
            found.append(Bracket(name, state.opened_at, ended, color))
    return tuple(found)


# The head


@dataclass(frozen=True, slots=True)
class Chain:
    """What checking the chain found.

    Attributes:
        is_whole: nothing was found that breaks it.
        text: one line.
        details: all findings, one a line.
    """

    is_whole: bool
    text: str
    details: str


def chain_of(findings: Sequence[RecordFinding]) -> Chain:
    """Return the state of the chain; an unread ``incident.md`` or a set-aside tail does not break it."""
    broken = [f for f in findings if f.severity is Severity.ERROR]
    details = "\n".join(f"{f.place}: {one_line(f.message)}" for f in findings)
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return Chain(
            is_whole=False, text=f"Tamper-evident: broken at {broken[0].place}{more}", details=details
        )
    return Chain(is_whole=True, text="Tamper-evident: whole", details=details or _WHOLE)


_WHOLE = (
    "No event was edited, removed or moved. A whole file written anew is for Git history and the seals of "
    "other devices to show."
)
STATUS_TONES = {"open": "danger", "mitigated": "mitigate", "fixed": "fix", "closed": "muted"}


def times_line(state: IncidentState) -> str:
    """Return the times of an incident on one line."""
    parts = [f"opened {when_text(state.opened_at)}" if state.opened_at else "opening not recorded"]
    for name, at in (("mitigated", state.mitigated_at), ("fixed", state.fixed_at)):
        if at is None:
            parts.append(f"{name}: not yet" if state.closed_at is None else f"{name}: not recorded")
        else:
            after = f" (after {span_text(at - state.opened_at)})" if state.opened_at else ""
            parts.append(f"{name} {_short(at, state.opened_at)}{after}")
    if state.closed_at is not None:
        parts.append(f"closed {_short(state.closed_at, state.opened_at)}")
    return "  ·  ".join(parts)


def _short(at: dt.datetime, other: dt.datetime | None) -> str:
    """Return the clock alone where the day is that of ``other``."""
    is_same = other is not None and at.astimezone(dt.UTC).date() == other.astimezone(dt.UTC).date()
    return f"{at.astimezone(dt.UTC):%H:%M}" if is_same else when_text(at)


def count_line(state: IncidentState) -> str:
    """Return how much the record holds: ``42 events from 2 devices, 1 late (dashed)``."""
    count = len(state.moments)
    corrected = sum(moment.corrected_by is not None for moment in state.moments)
    devices = f"{len(state.devices)} device{'s' if len(state.devices) != 1 else ''}"
    parts = [f"{count} event{'s' if count != 1 else ''} from {devices}"]
    parts += [f"{state.late} late (dashed)"] if state.late else []
    parts += [f"{corrected} corrected (with a dot)"] if corrected else []
    return ", ".join(parts)
