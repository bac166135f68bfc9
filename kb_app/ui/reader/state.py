"""What the line above a page says about its entry, in words; no Qt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from kb_app.entries.model import Entry, Kind, Severity, State
from kb_app.entries.standing import Confirmation, How, Standing, confirmed_words, flag_words

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
MAX_FLAG_TEXT = 44
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
        flags: what readers said is wrong with it and nobody answered yet, one line each, the latest first.
        notices: what was odd about the file, most important first.
    """

    state: Fact | None = None
    facts: tuple[Fact, ...] = ()
    alerts: tuple[str, ...] = ()
    notices: tuple[PageNotice, ...] = ()
    flags: tuple[str, ...] = ()


def facts_of(entry: Entry, today: dt.date, standing: Standing | None = None) -> PageFacts:
    """Return what stands above ``entry``'s page on the day ``today``.

    Until it is known how far the entry is confirmed (``standing``), a review that it states itself is shown,
    and nothing in place of one that it does not state.
    """
    icon, word = _KINDS[entry.kind]
    facts = [Fact(icon, word, detail=_origin(entry, "kind"))]
    place = " / ".join(part for part in (entry.product, entry.component) if part)
    if place:
        detail = "; ".join(filter(None, (_origin(entry, "product"), _origin(entry, "component"))))
        facts.append(Fact("component", place, detail=detail))
    if entry.owner:
        facts.append(Fact("users", entry.owner, detail=_origin(entry, "owner")))
    if standing is not None:
        facts.append(confirmed_fact(standing.last, entry.review_every_days, today))
    elif entry.reviewed is not None:
        stated = Confirmation(entry.reviewed, How.STATED)
        facts.append(confirmed_fact(stated, entry.review_every_days, today))
    state_icon, state_word, tone = _STATES[entry.state]
    order = (Severity.ERROR, Severity.WARNING, Severity.INFO)
    notes = sorted(entry.notes, key=lambda note: order.index(note.severity))
    return PageFacts(
        state=Fact(state_icon, state_word, tone, _origin(entry, "state")),
        facts=tuple(facts),
        alerts=entry.alerts,
        notices=tuple(PageNotice(note.severity, note.message, note.line) for note in notes),
        flags=tuple(flag_words(flag, today) for flag in standing.flags) if standing is not None else (),
    )


def confirmed_fact(last: Confirmation | None, every_days: int, today: dt.date) -> Fact:
    """Say who confirmed the entry when and how; how long ago, as a warning, when that is too long."""
    if last is None:
        return Fact(
            "calendar",
            "never confirmed",
            detail="No review, no note and no incident of yours says that it is right or worked (Y does)",
        )
    days, words = (today - last.day).days, confirmed_words(last, today)
    detail = f"{words[0].upper()}{words[1:]}. A confirmation holds {span(every_days)}"
    if days < 0:
        return Fact("calendar", f"review dated {last.day.isoformat()}", "mitigate", detail)
    if days > every_days:
        return Fact("calendar", f"last confirmed {span(days)} ago", "mitigate", detail)
    if last.how is not How.STATED:
        return Fact("circle-check" if last.how is How.REVIEW else "thumbs-up", words, "", detail)
    return Fact(
        "calendar", "confirmed today" if days == 0 else f"last confirmed {span(days)} ago", "", detail
    )


def flags_text(flags: Sequence[str]) -> str:
    """Return the words of the badge for open flags; empty without any."""
    if not flags:
        return ""
    if len(flags) > 1:
        return f"{len(flags)} open flags"
    first = flags[0]
    return (
        f"1 open flag: {first if len(first) <= MAX_FLAG_TEXT else first[: MAX_FLAG_TEXT - 1].rstrip() + '…'}"
    )


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
