"""When an entry was last confirmed, by whom and how, and what is still said to be wrong with it.

One answer for the page, ``kb show`` and the health report. Four sources, the latest counts: what the entry
itself states, a commit with a ``Reviewed-entry:`` trailer, a note "worked" in ``feedback/``, and this user's
own records that say the entry was used and worked. A note that says something is wrong is open until a commit
names it in a ``Closes-feedback:`` trailer, or its file is gone. The sources are read elsewhere
(`kb_app.workspace.confirming`).
"""

from __future__ import annotations

import datetime as dt
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from kb_app.entries.feedback import FeedbackNote, FlagKind
from kb_app.entries.model import Entry
from kb_app.logs import visible

MAX_SHOWN_SENTENCE = 160


class How(StrEnum):
    """What confirmed an entry."""

    STATED = "stated"
    REVIEW = "review"
    WORKED = "worked"
    USED = "used"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An entry was confirmed.

    Attributes:
        day: when.
        how: by what.
        who: a name; empty when not known.
        commit: that confirmed it; empty without one.
    """

    day: dt.date
    how: How
    who: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an entry is confirmed.

    Attributes:
        last: the latest confirmation; None when there never was one.
        flags: what is said to be wrong and was not answered yet, the latest first.
    """

    last: Confirmation | None = None
    flags: tuple[FeedbackNote, ...] = ()

    def is_stale(self, every_days: int, today: dt.date) -> bool:
        """Tell whether the last confirmation lies further back than one holds; never confirmed is not."""
        return self.last is not None and (today - self.last.day).days > every_days


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known beside the entries themselves.

    Attributes:
        notes: by path of the entry.
        reviews: the latest commit that confirms, by what its trailer calls the entry: id or path.
        closed: what trailers call the notes that are answered.
        used: latest day an entry was used and worked, by its id, from this user's records.
    """

    notes: Mapping[str, Sequence[FeedbackNote]] = field(default_factory=dict)
    reviews: Mapping[str, Confirmation] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    used: Mapping[str, dt.date] = field(default_factory=dict)


def standing_of(entry: Entry, sources: Sources, today: dt.date) -> Standing:
    """Return how far ``entry`` is confirmed; of two on one day the one that says more counts.

    A day that lies ahead confirms nothing, unless the entry itself states it and nothing else is known.
    """
    notes = sources.notes.get(entry.path, ())
    found = [
        Confirmation(note.day, How.WORKED, note.by)
        for note in notes
        if note.kind is FlagKind.WORKED and note.day is not None
    ]
    found += [sources.reviews[name] for name in _names(entry) if name in sources.reviews]
    if day := sources.used.get(entry.id):
        found.append(Confirmation(day, How.USED))
    stated = Confirmation(entry.reviewed, How.STATED) if entry.reviewed is not None else None
    if stated is not None:
        found.append(stated)
    past = [one for one in found if one.day <= today]
    last = max(past, key=lambda one: (one.day, _WEIGHT[one.how], bool(one.who)), default=stated)
    return Standing(_named(last, past), _open(notes, sources.closed))


_WEIGHT = {How.STATED: 0, How.USED: 1, How.REVIEW: 2, How.WORKED: 3}


def _named(last: Confirmation | None, others: Iterable[Confirmation]) -> Confirmation | None:
    """Return ``last``, with the author of the commit of the same day that brought a note without a name."""
    if last is None or last.who or last.how is not How.WORKED:
        return last
    commit = next((one for one in others if one.how is How.REVIEW and one.day == last.day), None)
    return last if commit is None else Confirmation(last.day, last.how, commit.who, commit.commit)


def _names(entry: Entry) -> frozenset[str]:
    return frozenset({entry.id, entry.path} - {""})


def _open(notes: Sequence[FeedbackNote], closed: frozenset[str]) -> tuple[FeedbackNote, ...]:
    flags = [note for note in notes if note.is_flag and not _is_closed(note, closed)]
    return tuple(sorted(flags, key=lambda note: (note.day or dt.date.min, note.file), reverse=True))


def _is_closed(note: FeedbackNote, closed: frozenset[str]) -> bool:
    name = posixpath.basename(note.file)
    return bool({note.file, name, name.removesuffix(".md")} & closed)


# --- words ------------------------------------------------------------------------------------------------


def day_words(day: dt.date, today: dt.date) -> str:
    """Return a day as it is read: ``3 Nov``, with the year when it is another one."""
    return f"{day.day} {day:%b}" + ("" if day.year == today.year else f" {day.year}")


def confirmed_words(last: Confirmation, today: dt.date) -> str:
    """Return who confirmed an entry when and how: ``confirmed 3 Nov by Ana: it worked``."""
    by = f" by {visible(last.who)}" if last.who else ""
    text = f"confirmed {day_words(last.day, today)}"
    if last.how is How.WORKED:
        return f"{text}{by}: it worked"
    if last.how is How.USED:
        return f"{text}: it worked in your incident"
    if last.how is How.REVIEW:
        return (
            f"{text} by a review{f' of {visible(last.who)}' if last.who else ''}, version {last.commit[:7]}"
        )
    return f"{text}, as the entry says"


def flag_words(note: FeedbackNote, today: dt.date) -> str:
    """Return a flag in one line: ``Unclear: which slot? (Ben, 3 Nov)``."""
    sentence = visible(note.sentence)
    if len(sentence) > MAX_SHOWN_SENTENCE:
        sentence = sentence[: MAX_SHOWN_SENTENCE - 1].rstrip() + "…"
    text = note.kind.value.capitalize() + (f": {sentence}" if sentence else "")
    day = day_words(note.day, today) if note.day is not None else ""
    whence = ", ".join(part for part in (visible(note.by), day) if part)
    return f"{text} ({whence})" if whence else text
