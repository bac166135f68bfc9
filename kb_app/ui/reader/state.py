"""What the line above a page says about its entry, in words; no Qt."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kb_app.entries.model import Entry, Kind, Severity, State

_KINDS = {
    Kind.INTERNALS: ("book-open", "Internals"),
    Kind.KNOWN_FIX: ("wrench", "Known fix"),
    Kind.RUNBOOK: ("list-checks", "Runbook"),
    Kind.NOTE: ("file-text", "Note"),
}
_STATES = {
    State.DRAFT: ("pencil", "Draft", "muted"),
    State.UNVERIFIED: ("circle-question-mark", "Not verified", "mitigate"),
    State.VERIFIED: ("circle-check", "Verified", "fix"),
    State.RETIRED: ("archive", "Retired", "danger"),
}
_DAYS_A_MONTH = 30.44
_DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to know about an entry.

    Attributes:
        icon: an icon name.
        text: a few words.
        tone: of badges: ``muted``, ``fix``, ``mitigate``, ``danger``, ``info``; empty for plain text.
        detail: the tooltip: where the value comes from; may be empty.
    """

    icon: str
    text: str
    tone: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PageNotice:
    """A sentence above the page.

    Attributes:
        severity: how much it matters.
        text: one sentence.
        line: 1-based line it is about, or None.
    """

    severity: Severity
    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class PageFacts:
    """All that stands above a page.

    Attributes:
        state: how far the entry may be trusted; None when unknown.
        facts: kind, place, owner, age of the review, in this order, what is known of them.
        alerts: names of alerts the entry answers.
        notices: what was odd about the file, most important first.
    """

    state: Fact | None = None
    facts: tuple[Fact, ...] = ()
    alerts: tuple[str, ...] = ()
    notices: tuple[PageNotice, ...] = ()


def facts_of(entry: Entry, today: dt.date) -> PageFacts:
    """Return what stands above ``entry``'s page on the day ``today``."""
    icon, word = _KINDS[entry.kind]
    facts = [Fact(icon, word, detail=_origin(entry, "kind"))]
    place = " / ".join(part for part in (entry.product, entry.component) if part)
    if place:
        detail = "; ".join(filter(None, (_origin(entry, "product"), _origin(entry, "component"))))
        facts.append(Fact("component", place, detail=detail))
    if entry.owner:
        facts.append(Fact("users", entry.owner, detail=_origin(entry, "owner")))
    facts.append(review_fact(entry.reviewed, entry.review_every_days, today))
    state_icon, state_word, tone = _STATES[entry.state]
    order = (Severity.ERROR, Severity.WARNING, Severity.INFO)
    notes = sorted(entry.notes, key=lambda note: order.index(note.severity))
    return PageFacts(
        state=Fact(state_icon, state_word, tone, _origin(entry, "state")),
        facts=tuple(facts),
        alerts=entry.alerts,
        notices=tuple(PageNotice(note.severity, note.message, note.line) for note in notes),
    )


def review_fact(reviewed: dt.date | None, every_days: int, today: dt.date) -> Fact:
    """Say how long ago the entry was confirmed, in the colour of a warning when that is too long."""
    if reviewed is None:
        return Fact("calendar", "never confirmed", detail="No review date is known for this entry")
    days = (today - reviewed).days
    detail = f"Reviewed on {reviewed.isoformat()}; a review holds {span(every_days)}"
    if days < 0:
        return Fact("calendar", f"review dated {reviewed.isoformat()}", "mitigate", detail)
    text = "confirmed today" if days == 0 else f"last confirmed {span(days)} ago"
    return Fact("calendar", text, "mitigate" if days > every_days else "", detail)


def span(days: int) -> str:
    """Return a number of days (≥ 0) in the words people use: days, weeks, months, years."""
    if days < 14:
        return _counted(days, "day")
    if days < 60:
        return _counted(days // 7, "week")
    if days < 2 * _DAYS_A_YEAR:
        return _counted(round(days / _DAYS_A_MONTH), "month")
    return _counted(round(days / _DAYS_A_YEAR), "year")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _origin(entry: Entry, field: str) -> str:
    origin = entry.provenance.get(field, "")
    return f"{field.capitalize()}: {origin}" if origin else ""
