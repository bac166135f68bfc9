"""Events of all devices in one order, corrections applied, and what they add up to.

Order: by (``at``, device, ``seq``). Where a device's clock jumped back, its later events are moved on by that
jump for ordering only, so that what one device wrote stays in the order it was written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kb_app.incidents.canonical import NotCanonicalError
from kb_app.incidents.events import Event, EventType, from_line, is_device_name, parse_time, sealed
from kb_app.incidents.journal import EVENTS_FOLDER, EVENTS_SUFFIX

MAX_FILE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Moment:
    """An event as the timeline shows it.

    Attributes:
        event: as written.
        data: as it stands now, corrections applied.
        at: when it happened, corrections applied.
        corrected_by: the correction in force, or None.
    """

    event: Event
    data: Event
    at: dt.datetime
    corrected_by: Event | None = None


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """The events of one device.

    Attributes:
        device: its name.
        events: the readable ones, in order of their lines.
        unreadable: how many lines could not be read; `verify` names them.
    """

    device: str
    events: tuple[Event, ...]
    unreadable: int = 0


def read_devices(folder: Path) -> tuple[DeviceFile, ...]:
    """Return the events of every device of a record, by device name; nothing is changed on disk."""
    events = folder / EVENTS_FOLDER
    if not events.is_dir():
        return ()
    files = sorted(f for f in events.iterdir() if is_device_file(f))
    return tuple(_read_device(file) for file in files)


def is_device_file(file: Path) -> bool:
    """Tell whether ``file`` holds the events of a device: a plain file with the name of one."""
    is_named = file.suffix == EVENTS_SUFFIX and is_device_name(file.stem)
    return is_named and file.is_file() and not file.is_symlink()


def _read_device(file: Path) -> DeviceFile:
    if file.stat().st_size > MAX_FILE_BYTES:
        return DeviceFile(file.stem, (), 1)
    events, unreadable = [], 0
    *lines, rest = file.read_bytes().split(b"\n")
    for line in lines:
        try:
            events.append(from_line(line))
        except NotCanonicalError:
            unreadable += 1
    tail = _whole_tail(rest)
    return DeviceFile(file.stem, (*events, *tail), unreadable)


def _whole_tail(rest: bytes) -> tuple[Event, ...]:
    """Return the event of a last line that lacks only its line end."""
    if not rest:
        return ()
    try:
        event = from_line(rest)
    except NotCanonicalError:
        return ()
    return (event,) if sealed(event).hash == event.hash else ()


def ordered(devices: Iterable[DeviceFile]) -> tuple[Event, ...]:
    """Return all events in the order of the timeline."""
    keyed = []
    for device in devices:
        shift, latest = dt.timedelta(), None
        for event in device.events:
            if latest is not None and event.rec + shift < latest:
                shift += latest - (event.rec + shift)
            latest = event.rec + shift
            keyed.append(((_moved(event.at, shift), event.dev, event.seq), event))
    return tuple(event for _, event in sorted(keyed, key=lambda pair: pair[0]))


def _moved(at: dt.datetime, shift: dt.timedelta) -> dt.datetime:
    try:
        return at + shift
    except OverflowError:
        return dt.datetime.max.replace(tzinfo=dt.UTC)


def timeline(folder: Path) -> tuple[Moment, ...]:
    """Return what a record says happened, in order, corrections applied and shown as well."""
    return corrected(ordered(read_devices(folder)))


def corrected(events: Sequence[Event]) -> tuple[Moment, ...]:
    """Return ``events`` with the last correction of each applied; the originals stay in ``event``."""
    corrections: dict[tuple[str, int], Event] = {}
    for event in events:
        if event.type == EventType.CORRECT and isinstance(event.data.get("seq"), int):
            target = (event.text("dev") or event.dev, int(str(event.data["seq"])))
            corrections[target] = event
    return tuple(_moment(event, corrections.get((event.dev, event.seq))) for event in events)


def _moment(event: Event, correction: Event | None) -> Moment:
    if correction is None or event.type in (EventType.CORRECT, EventType.SEAL):
        return Moment(event, event, event.at)
    data = correction.data.get("data")
    at = parse_time(correction.data.get("at")) or event.at
    current = replace(event, data=data if isinstance(data, dict) else event.data, at=at)
    return Moment(event, current, at, correction)


@dataclass(frozen=True, slots=True)
class Deploy:
    """One change that went out.

    Attributes:
        change, env, service, author, deployer, authority, tests, way: as recorded; empty when not.
        at: when.
        review_mode: ``before``, ``after`` or empty.
        review_due: when the review is due, if that was recorded.
        event: as written.
    """

    change: str
    env: str
    service: str
    author: str
    deployer: str
    at: dt.datetime
    authority: str
    tests: str
    way: str
    review_mode: str
    review_due: dt.datetime | None
    event: Event


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Something to be done after the incident.

    Attributes:
        key: tells it apart: its id, else its kind.
        kind, owner, url, text: as recorded; empty when not.
        due: by when, if stated.
        opened_at: when it was opened.
        closed_at: when it was closed, or None.
        signal: what proved it done.
    """

    key: str
    kind: str
    owner: str
    url: str
    text: str
    due: dt.datetime | None
    opened_at: dt.datetime
    closed_at: dt.datetime | None = None
    signal: str = ""


@dataclass(frozen=True, slots=True)
class IncidentState:
    """What a record adds up to.

    Attributes:
        id: name of its folder.
        title, severity, lead, alert, ticket, tracker, services, tags: as opened, corrections applied;
            ticket and tracker as linked last.
        impact, data_risk, trend, scope: as last stated; empty when unknown.
        opened_at, mitigated_at, fixed_at, closed_at: None when that has not happened.
        status: ``open``, ``mitigated``, ``fixed`` or ``closed``.
        moments: the whole timeline.
        decisions, overrides, approvals, reviews, knowledge, entries_used, seals: events of those types, in
            order, corrections applied.
        deploys: in order.
        followups: in order of opening.
        late: how many events were written late.
        devices: that wrote, by name.
    """

    id: str
    title: str
    severity: str
    lead: str
    alert: str
    ticket: str
    tracker: str
    services: tuple[str, ...]
    tags: tuple[str, ...]
    impact: str
    data_risk: str
    trend: str
    scope: str
    opened_at: dt.datetime | None
    mitigated_at: dt.datetime | None
    fixed_at: dt.datetime | None
    closed_at: dt.datetime | None
    moments: tuple[Moment, ...]
    decisions: tuple[Event, ...]
    overrides: tuple[Event, ...]
    approvals: tuple[Event, ...]
    reviews: tuple[Event, ...]
    knowledge: tuple[Event, ...]
    entries_used: tuple[Event, ...]
    seals: tuple[Event, ...]
    deploys: tuple[Deploy, ...]
    followups: tuple[FollowUp, ...]
    late: int
    devices: tuple[str, ...]

    @property
    def status(self) -> str:
        """``closed`` once sealed, else what happened last of fixed, mitigated and opened."""
        if self.closed_at is not None:
            return "closed"
        if self.fixed_at is not None:
            return "fixed"
        return "mitigated" if self.mitigated_at is not None else "open"

    @property
    def decision(self) -> Event | None:
        """The last decision, or None."""
        return self.decisions[-1] if self.decisions else None

    @property
    def chosen(self) -> str:
        """What was done: the last override after the last decision, else its recommendation; else empty."""
        decision = self.decision
        if decision is None:
            return self.overrides[-1].text("chosen") if self.overrides else ""
        later = [
            e for e in self.overrides if (e.at, e.dev, e.seq) > (decision.at, decision.dev, decision.seq)
        ]
        return later[-1].text("chosen") if later else decision.text("recommendation")


def read_state(folder: Path, *, as_of: dt.datetime | None = None) -> IncidentState:
    """Return what the record in ``folder`` adds up to: now, or by what was written until ``as_of``."""
    events = ordered(read_devices(folder))
    if as_of is not None:
        events = tuple(event for event in events if event.rec <= as_of)
    return state_of(folder.name, corrected(events))


def state_of(incident_id: str, moments: Sequence[Moment]) -> IncidentState:
    """Return what ``moments`` add up to, in their order."""
    current = [moment.data for moment in moments]

    def of(*kinds: EventType) -> tuple[Event, ...]:
        return tuple(event for event in current if event.type in kinds)

    opened, seals = of(EventType.OPENED), of(EventType.SEAL)
    linked = of(EventType.OPENED, EventType.NOTE)
    stated = of(EventType.OPENED, EventType.IMPACT)
    first = opened[0] if opened else None
    return IncidentState(
        id=incident_id,
        title=_last(opened, "title") or incident_id,
        severity=_last(stated, "severity"),
        lead=_last(opened, "lead"),
        alert=_last(opened, "alert"),
        ticket=_last(linked, "ticket"),
        tracker=_last(linked, "tracker"),
        services=first.texts("services") if first else (),
        tags=first.texts("tags") if first else (),
        impact=_last(stated, "impact"),
        data_risk=_last(stated, "data"),
        trend=_last(stated, "trend"),
        scope=_last(stated, "scope"),
        opened_at=first.at if first else None,
        mitigated_at=_first_at(of(EventType.MITIGATED)),
        fixed_at=_first_at(of(EventType.FIXED)),
        closed_at=seals[0].at if seals else None,
        moments=tuple(moments),
        decisions=of(EventType.DECISION),
        overrides=of(EventType.OVERRIDE),
        approvals=of(EventType.APPROVAL),
        reviews=of(EventType.REVIEW),
        knowledge=of(EventType.KNOWLEDGE),
        entries_used=of(EventType.ENTRY_USED),
        seals=seals,
        deploys=tuple(_deploy(event) for event in of(EventType.DEPLOY)),
        followups=_followups(of(EventType.FOLLOWUP)),
        late=sum(moment.event.is_late for moment in moments),
        devices=tuple(sorted({moment.event.dev for moment in moments})),
    )


def _last(events: Sequence[Event], key: str) -> str:
    return next((event.text(key) for event in reversed(events) if event.text(key)), "")


def _first_at(events: Sequence[Event]) -> dt.datetime | None:
    return events[0].at if events else None


def _deploy(event: Event) -> Deploy:
    return Deploy(
        change=event.text("change"),
        env=event.text("env"),
        service=event.text("repo"),
        author=event.text("author"),
        deployer=event.text("deployer") or event.by,
        at=event.at,
        authority=event.text("authority"),
        tests=event.text("tests"),
        way=event.text("way"),
        review_mode=event.text("review"),
        review_due=parse_time(event.data.get("due")),
        event=event,
    )


def _followups(events: Sequence[Event]) -> tuple[FollowUp, ...]:
    found: dict[str, FollowUp] = {}
    for event in events:
        key = event.text("id") or event.text("kind")
        known = found.get(key)
        if event.text("state") == "closed":
            # closing what nobody opened still says that it was done
            known = known or FollowUp(key, event.text("kind"), event.by, "", "", None, event.at)
            found[key] = replace(
                known,
                closed_at=event.at,
                signal=event.text("signal") or known.signal,
                url=event.text("url") or known.url,
            )
            continue
        found[key] = FollowUp(
            key=key,
            kind=event.text("kind"),
            owner=event.text("owner") or (known.owner if known else ""),
            url=event.text("url") or (known.url if known else ""),
            text=event.text("text") or (known.text if known else ""),
            due=parse_time(event.data.get("due")) or (known.due if known else None),
            opened_at=known.opened_at if known else event.at,
        )
    return tuple(found.values())
