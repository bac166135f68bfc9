"""The home page in words: what is owed, in groups, overdue first; how it is said at the top of the window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_app.incidents.duties import Owed, OwedKind
from kb_app.incidents.markup import one_line
from kb_app.incidents.timeline import IncidentState
from kb_app.ui.timeline.state import span_text
from kb_app.workspace.aftermath import Dues

SOON = dt.timedelta(hours=24)


class Act(StrEnum):
    """What Enter on a row opens."""

    REVIEW = "review"
    CLOSE_FOLLOWUP = "close-followup"
    ASSIGN = "assign"
    TIMELINE = "timeline"
    CLOSING = "closing"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A row of the home page; one without an ``act`` is a heading.

    Attributes:
        text: what is to be done.
        detail: which incident, whose.
        due: how long it has, in words; empty when it has no time.
        clock: when that is.
        tone: ``danger``, ``mitigate`` or ``muted``.
        icon: an icon name.
        act: what Enter opens.
        incident: id of the record.
        item: what is owed; None for an open incident.
        barred: why it is not for the person asking; empty when it is.
    """

    text: str
    detail: str = ""
    due: str = ""
    clock: str = ""
    tone: str = "muted"
    icon: str = ""
    act: Act | None = None
    incident: str = ""
    item: Owed | None = None
    barred: str = ""


_ICONS: Mapping[OwedKind, str] = {
    OwedKind.REVIEW: "eye",
    OwedKind.DECISION: "scale",
    OwedKind.FOLLOW_UP: "wrench",
    OwedKind.ASSIGN: "hand",
    OwedKind.MITIGATION: "shield-alert",
    OwedKind.MERGE_BACK: "git-merge",
    OwedKind.WRITTEN_REVIEW: "file-text",
    OwedKind.KNOWLEDGE: "library",
}
_GROUPS: tuple[tuple[str, tuple[OwedKind, ...]], ...] = (
    ("Reviews", (OwedKind.REVIEW,)),
    ("Mitigations still in place", (OwedKind.MITIGATION,)),
    ("Follow-ups", (OwedKind.FOLLOW_UP, OwedKind.ASSIGN, OwedKind.MERGE_BACK)),
    ("To be written down", (OwedKind.DECISION, OwedKind.WRITTEN_REVIEW)),
    ("Knowledge", (OwedKind.KNOWLEDGE,)),
)


def duty_rows(dues: Dues, now: dt.datetime) -> tuple[DutyRow, ...]:
    """Return the rows of the home page: overdue first, then by kind, then the open incidents."""
    overdue = [item for item in dues.owed if item.is_overdue(now)]
    rows: list[DutyRow] = []
    if overdue:
        rows.append(DutyRow(f"Overdue ({len(overdue)})", tone="danger"))
        rows += [_row(item, dues, now) for item in overdue]
    late = set(overdue)
    for name, kinds in _GROUPS:
        found = [item for item in dues.owed if item.kind in kinds and item not in late]
        if found:
            rows.append(DutyRow(f"{name} ({len(found)})"))
            rows += [_row(item, dues, now) for item in found]
    still_open = [state for state in dues.states if state.closed_at is None]
    if still_open:
        rows.append(DutyRow(f"Open incidents ({len(still_open)})"))
        rows += [_incident_row(state, now) for state in still_open]
    return tuple(rows)


def _row(item: Owed, dues: Dues, now: dt.datetime) -> DutyRow:
    owner = f"  ·  {one_line(item.owner)}" if item.owner else ""
    barred = dues.barred.get((item.incident_id, item.change), "") if item.kind is OwedKind.REVIEW else ""
    due, tone = due_words(item.due, now)
    return DutyRow(
        text=one_line(item.text),
        detail=f"{one_line(item.title)}{owner}",
        due=due or "before closing",
        clock=clock_words(item.due, now),
        tone=tone,
        icon=_ICONS[item.kind],
        act=act_of(item),
        incident=item.incident_id,
        item=item,
        barred=one_line(barred),
    )


def _incident_row(state: IncidentState, now: dt.datetime) -> DutyRow:
    age = f"open for {span_text(now - state.opened_at)}" if state.opened_at else ""
    detail = "  ·  ".join(part for part in (state.severity, one_line(state.lead)) if part)
    return DutyRow(
        text=one_line(state.title),
        detail=f"{state.status}  ·  {detail}" if detail else state.status,
        due=age,
        icon="siren",
        act=Act.TIMELINE,
        incident=state.id,
    )


def act_of(item: Owed) -> Act:
    """Return what is done about something that is owed."""
    if item.kind is OwedKind.REVIEW:
        return Act.REVIEW
    if item.kind is OwedKind.KNOWLEDGE:
        return Act.CLOSING
    if item.kind is OwedKind.DECISION:
        return Act.DECIDE
    if item.kind is OwedKind.ASSIGN and "Revert" in item.text:
        return Act.TIMELINE
    is_open_one = bool(item.followup) or item.kind in (OwedKind.MERGE_BACK, OwedKind.WRITTEN_REVIEW)
    return Act.CLOSE_FOLLOWUP if is_open_one else Act.ASSIGN


def followup_kind(item: Owed, state: IncidentState | None) -> str:
    """Return of which kind the follow-up is that an owed item is about."""
    known = {followup.key: followup.kind for followup in state.followups} if state is not None else {}
    if item.followup in known:
        return known[item.followup]
    kinds = {
        OwedKind.MITIGATION: "remove-mitigation",
        OwedKind.MERGE_BACK: "merge-back",
        OwedKind.WRITTEN_REVIEW: "written-review",
    }
    if item.kind is OwedKind.ASSIGN and item.change:
        return "prevent"
    return kinds.get(item.kind, "fix")


def due_words(due: dt.datetime | None, now: dt.datetime) -> tuple[str, str]:
    """Return how long something has and the tone of it: ``in 3 h``, ``2 d overdue``; empty for no time."""
    if due is None:
        return "", "muted"
    if due < now:
        return f"{span_text(now - due)} overdue", "danger"
    return f"in {span_text(due - now)}", "mitigate" if due - now <= SOON else "muted"


def clock_words(due: dt.datetime | None, now: dt.datetime) -> str:
    """Return when something is due where this computer is: ``today 18:05``, ``Tue 2 Dec, 18:05``."""
    if due is None:
        return ""
    at, today = due.astimezone(), now.astimezone().date()
    days = (at.date() - today).days
    named = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    if days in named:
        return f"{named[days]} {at:%H:%M}"
    year = f" {at.year}" if at.year != today.year else ""
    return f"{at:%a} {at.day} {at:%b}{year}, {at:%H:%M}"


# At the top of the window, and on the empty reader


@dataclass(frozen=True, slots=True)
class DuesBrief:
    """What is owed, in a few words.

    Attributes:
        count: how much.
        overdue: how much of it is too late.
        chip: the words at the top; empty for nothing.
        line: one sentence for the empty reader; empty for nothing.
    """

    count: int
    overdue: int
    chip: str
    line: str


def brief_of(dues: Dues, now: dt.datetime) -> DuesBrief:
    """Return what is owed in a few words, the most pressing thing named."""
    count = len(dues.owed)
    overdue = sum(item.is_overdue(now) for item in dues.owed)
    if not count:
        return DuesBrief(0, 0, "", "")
    chip = f"{overdue} overdue" if overdue else f"{count} owed"
    return DuesBrief(count, overdue, chip, _line(dues.owed, now, overdue))


def _line(items: Sequence[Owed], now: dt.datetime, overdue: int) -> str:
    if overdue:
        noun = "thing is" if overdue == 1 else "things are"
        return f"{overdue} {noun} overdue: {one_line(items[0].text)}"
    reviews = [item for item in items if item.kind is OwedKind.REVIEW and item.due is not None]
    if reviews:
        noun = "review" if len(reviews) == 1 else "reviews"
        return f"{len(reviews)} {noun} due {due_words(reviews[0].due, now)[0]}"
    noun = "thing is" if len(items) == 1 else "things are"
    return f"{len(items)} {noun} owed: {one_line(items[0].text)}"


def next_row(rows: Sequence[DutyRow], current: int, step: int) -> int:
    """Return the number of the row ``step`` rows away that can be chosen; -1 when none can."""
    places = [number for number, row in enumerate(rows) if row.act is not None]
    if not places:
        return -1
    if current not in places:
        return places[0]
    return places[max(0, min(len(places) - 1, places.index(current) + step))]


def spoken_row(row: DutyRow) -> str:
    """Return a row for a screen reader."""
    parts = (
        row.text,
        row.detail,
        f"due {row.due}" if row.due and row.item else row.due,
        row.clock,
        row.barred,
    )
    return ", ".join(part for part in parts if part)


# Reviewing


VERDICTS: tuple[tuple[str, str], ...] = (
    ("pass", "1  Pass"),
    ("pass-with-followup", "2  Pass with follow-up"),
    ("revert", "3  Revert"),
)
FOLLOWUP_WORDS: Mapping[str, str] = {
    "fix": "the fix",
    "remove-mitigation": "removing the mitigation",
    "prevent": "preventing it",
    "merge-back": "merging back",
    "written-review": "the written review",
}


def parse_due(text: str, now: dt.datetime) -> dt.datetime | dt.date | None:
    """Return a due date: ``2025-06-08``, ``5d``, ``2w``, ``tomorrow``; None for an empty text.

    Raises:
        ValueError: when it is none of these.
    """
    words = text.strip().lower()
    today = now.astimezone().date()
    if not words:
        return None
    if words in ("today", "tomorrow"):
        return today + dt.timedelta(days=int(words == "tomorrow"))
    number, unit = words[:-1].strip(), words[-1]
    if number.isdigit() and unit in "dw" and len(number) <= 3:
        return today + dt.timedelta(days=int(number) * (7 if unit == "w" else 1))
    return dt.date.fromisoformat(words)
