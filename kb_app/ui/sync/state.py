"""What the window says about clones and their remotes: conditions, sentences, choices. Knows no Qt."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_app.gitstore.causes import Cause
from kb_app.gitstore.process import Progress
from kb_app.gitstore.sync import ChangeStatus, FileChange, SyncEnd, SyncOutcome, next_attempt_at
from kb_app.logs import visible

OFFLINE_GRACE = dt.timedelta(minutes=30)
"""A remote silent for no longer is "offline"; after that what counts is how old the pages are."""

SPREAD = 0.1
"""Share by which the pause between two syncs varies, so that a team's windows do not ask all at once."""

SILENT_ENDS = frozenset({SyncEnd.BUSY, SyncEnd.CANCELLED})
"""Ends that say nothing about the remote."""


class Condition(StrEnum):
    """How a clone stands towards its remote, the most urgent first."""

    QUESTION = "question"
    SYNCING = "syncing"
    PROBLEM = "problem"
    STALE = "stale"
    OFFLINE = "offline"
    WAITING = "waiting"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class BaseStatus:
    """What is known of one clone.

    Attributes:
        name: of the knowledge base.
        clone: name of the clone.
        url: its remote.
        checked_at: when the remote last answered (UTC).
        outcome: how the last sync ended; None before the first.
        is_syncing: one is under way or waits for its turn.
        progress: how far it is, where git says.
        kept: the user chose to keep what is here; the state that was turned down (`answer_key`).
        next_at: when the next automatic sync is due; None when a person has to act first.
        changes: entries that the last syncs of this session changed, the latest first.
        changed_at: when that was (UTC).
        failures: attempts that failed in a row.
        head: commit of the files, as far as known.
        is_local: the remote lies on this machine: no network is needed.
    """

    name: str
    clone: str
    url: str
    checked_at: dt.datetime | None = None
    outcome: SyncOutcome | None = None
    is_syncing: bool = False
    progress: Progress | None = None
    kept: str = ""
    next_at: dt.datetime | None = None
    changes: tuple[FileChange, ...] = ()
    changed_at: dt.datetime | None = None
    failures: int = 0
    head: str = ""
    is_local: bool = False

    @property
    def is_asking(self) -> bool:
        """A person has to choose, and has not yet."""
        return (
            self.outcome is not None and self.outcome.needs_choice and answer_key(self.outcome) != self.kept
        )


def answer_key(outcome: SyncOutcome) -> str:
    """Return what an answer "keep mine" is remembered by: the question, and the state that was offered."""
    return f"{outcome.end} {outcome.offered}"


def condition_of(status: BaseStatus, now: dt.datetime) -> Condition:
    """Return how a clone stands."""
    if status.is_syncing:
        return Condition.SYNCING
    outcome = status.outcome
    if outcome is None or outcome.end in SILENT_ENDS:
        return Condition.CURRENT if status.checked_at is not None else Condition.WAITING
    if status.is_asking:
        return Condition.QUESTION
    if outcome.is_current:
        return Condition.CURRENT
    if outcome.needs_choice:
        return Condition.STALE
    if outcome.end is SyncEnd.OFFLINE:
        is_fresh = status.checked_at is not None and now - status.checked_at < OFFLINE_GRACE
        return Condition.OFFLINE if is_fresh else Condition.STALE
    return Condition.PROBLEM


def status_text(status: BaseStatus, now: dt.datetime) -> str:
    """Return the condition in a few words: ``up to date · 3 min``, ``stale since 09:40``."""
    condition = condition_of(status, now)
    if condition is Condition.CURRENT:
        return f"up to date · {age_text(status.checked_at, now)}"
    if condition in (Condition.STALE, Condition.PROBLEM):
        return f"stale since {moment_text(status.checked_at, now)}" if status.checked_at else "never synced"
    return {
        Condition.QUESTION: "needs an answer",
        Condition.SYNCING: "syncing",
        Condition.OFFLINE: "offline",
        Condition.WAITING: "not synced yet",
    }[condition]


def age_text(at: dt.datetime | None, now: dt.datetime) -> str:
    """Return how long ago something was, in the largest unit that is not zero."""
    if at is None:
        return "never"
    minutes = max(0, int((now - at).total_seconds() // 60))
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def moment_text(at: dt.datetime, now: dt.datetime) -> str:
    """Return a time of today as ``09:40``, another as ``12 May``; in the user's zone."""
    local, today = at.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return day_text(local, today)


def day_text(at: dt.datetime, now: dt.datetime) -> str:
    """Return a day as ``12 May``, with its year where that is another."""
    local = at.astimezone()
    return f"{local.day} {local:%b}" + ("" if local.year == now.astimezone().year else f" {local.year}")


# --- the chip -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChipView:
    """What the chip at the top shows: an icon, its colour, a few words, a sentence for the tooltip."""

    icon: str
    color: str
    text: str
    tooltip: str


_LOOKS = {
    Condition.QUESTION: ("circle-question-mark", "mitigate"),
    Condition.SYNCING: ("refresh-cw", "info"),
    Condition.PROBLEM: ("circle-alert", "mitigate"),
    Condition.STALE: ("clock", "mitigate"),
    Condition.OFFLINE: ("cloud-off", "text2"),
    Condition.WAITING: ("cloud", "text2"),
    Condition.CURRENT: ("cloud", "text2"),
}


def look_of(condition: Condition) -> tuple[str, str]:
    """Return the icon of a condition and its colour."""
    return _LOOKS[condition]


def chip_of(statuses: Sequence[BaseStatus], now: dt.datetime) -> ChipView:
    """Return what the chip shows: the most urgent clone's state; the tooltip names all of them."""
    order = list(Condition)
    ranked = sorted(statuses, key=lambda s: (order.index(condition_of(s, now)), _staleness(s)))
    worst = ranked[0]
    icon, color = _LOOKS[condition_of(worst, now)]
    tooltip = "\n".join(f"{visible(s.name)}: {status_text(s, now)}" for s in statuses)
    return ChipView(icon, color, status_text(worst, now), tooltip)


def _staleness(status: BaseStatus) -> float:
    return status.checked_at.timestamp() if status.checked_at is not None else 0.0


# --- when to try again ----------------------------------------------------------------------------------


def next_due(
    outcome: SyncOutcome,
    failures: int,
    now: dt.datetime,
    every: dt.timedelta,
    rng: random.Random,
    *,
    is_kept: bool = False,
) -> dt.datetime | None:
    """Return when the next automatic sync is due, or None when a person has to act first.

    Args:
        outcome: how the last one ended.
        failures: attempts that failed in a row.
        now: aware.
        every: the pause while all is well.
        rng: source of the spread.
        is_kept: the question was answered with "keep mine".

    A refused login is never tried again by itself: a helper might ask the user each time. A web page in the
    place of the repository is, ever more rarely: a captive portal goes away without anybody telling.
    """
    if outcome.retry_at is not None:
        return max(outcome.retry_at, now)
    if outcome.is_current or outcome.end in SILENT_ENDS or is_kept:
        return now + every * rng.uniform(1 - SPREAD, 1 + SPREAD)
    if outcome.end is SyncEnd.NOT_GIT:
        return next_attempt_at(max(failures, 1), now, rng)
    return None


# --- choices --------------------------------------------------------------------------------------------


class ChoiceAction(StrEnum):
    """What a choice does."""

    KEEP = "keep"
    ACCEPT = "accept"
    TAKE = "take"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to a question: what it does, its words, whether it takes something away."""

    action: ChoiceAction
    text: str
    is_risky: bool = False


_KEEP = Choice(ChoiceAction.KEEP, "Keep what I have")
_AGAIN = Choice(ChoiceAction.AGAIN, "Try again")
_CHOICES: dict[SyncEnd, tuple[Choice, ...]] = {
    SyncEnd.WOULD_DELETE: (_KEEP, Choice(ChoiceAction.ACCEPT, "Accept the deletions", is_risky=True)),
    SyncEnd.BRANCHES_GONE: (_KEEP, Choice(ChoiceAction.ACCEPT, "This is meant: sync", is_risky=True)),
    SyncEnd.FORCED: (_KEEP, Choice(ChoiceAction.TAKE, "Take the remote's state", is_risky=True)),
    SyncEnd.UNRELATED: (_KEEP, Choice(ChoiceAction.TAKE, "Take the remote's state", is_risky=True)),
    SyncEnd.DIVERGED: (_KEEP, Choice(ChoiceAction.TAKE, "Take the remote's state", is_risky=True)),
    SyncEnd.EMPTY_REMOTE: (_KEEP, _AGAIN),
    SyncEnd.BRANCH_DELETED: (_KEEP, _AGAIN),
    SyncEnd.LOCAL_EDITS: (_AGAIN, _KEEP),
    SyncEnd.OUTSIDE_CHANGE: (_AGAIN, _KEEP),
    SyncEnd.MOVED: (_AGAIN, _KEEP),
}


def choices_of(status: BaseStatus) -> tuple[Choice, ...]:
    """Return the answers there are; the first is the safe one. None while nothing is asked."""
    if not status.is_asking or status.is_syncing or status.outcome is None:
        return ()
    found = _CHOICES.get(status.outcome.end, (_AGAIN,))
    return tuple(c for c in found if c.action is not ChoiceAction.TAKE or status.outcome.offered)


def sentence_of(status: BaseStatus, now: dt.datetime) -> tuple[str, str]:
    """Return what is to be said of a clone in full: a sentence and a next step, each may be empty."""
    outcome = status.outcome
    if status.is_syncing:
        return progress_text(status.progress, "Asking the remote"), ""
    if outcome is None or outcome.end in SILENT_ENDS:
        return (outcome.sentence, outcome.hint) if outcome is not None else ("", "")
    if outcome.is_current:
        return (outcome.sentence, outcome.hint) if outcome.end is SyncEnd.AHEAD else ("", "")
    if outcome.needs_choice and not status.is_asking:
        return f"You kept what you have. {outcome.sentence}", ""
    when = ""
    if status.next_at is not None and status.next_at > now:
        when = f"; the next attempt is at {status.next_at.astimezone():%H:%M}"
    return outcome.sentence, f"{outcome.hint}{when}" if outcome.hint else when.removeprefix("; ").capitalize()


def git_words(status: BaseStatus) -> str:
    """Return what git and the protocol say of the last sync, for the fold of details."""
    outcome = status.outcome
    lines = [f"remote: {status.url}"]
    if outcome is not None:
        lines.append(f"end: {outcome.end}")
        named = (
            ("commit here", outcome.after or outcome.before),
            ("commit offered", outcome.offered),
            ("kept under", outcome.backup_ref),
        )
        lines += [f"{name}: {value}" for name, value in named if value]
        if outcome.details:
            lines.append(outcome.details.strip())
    return "\n".join(visible(line) for text in lines for line in text.splitlines())


# --- progress -------------------------------------------------------------------------------------------

_PHASES = {
    "enumerating": "The server looks what to send",
    "counting": "The server looks what to send",
    "compressing": "The server packs it",
    "receiving": "Downloading",
    "unpacking": "Unpacking",
    "resolving": "Checking what came in",
    "checking": "Checking what came in",
    "updating": "Writing files",
    "filtering": "Writing files",
}


def phase_text(phase: str) -> str:
    """Return what git is doing, in plain words."""
    return _PHASES.get(phase.split(" ", 1)[0].lower(), "Working")


def progress_text(progress: Progress | None, before: str) -> str:
    """Return how far a transfer is: ``Downloading · 43 % · 12.5 MB``; ``before`` until git says something."""
    if progress is None:
        return before
    parts = [phase_text(progress.phase), f"{progress.percent} %"]
    if progress.received_bytes:
        parts.append(size_text(progress.received_bytes))
    return " · ".join(parts)


def size_text(size: int) -> str:
    """Return a number of bytes for reading."""
    if size < 1_000_000:
        return f"{size / 1000:,.0f} kB"
    return f"{size / 1_000_000:,.1f} MB"


# --- what changed ---------------------------------------------------------------------------------------

_CHANGE_WORDS = {
    ChangeStatus.ADDED: ("Added", "circle-plus", "fix"),
    ChangeStatus.CHANGED: ("Changed", "pencil", "accent"),
    ChangeStatus.DELETED: ("Removed", "circle-x", "danger"),
    ChangeStatus.RENAMED: ("Moved", "route", "muted"),
}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One changed entry as it is listed; ``path`` opens it, empty for one that is gone.

    ``text`` is its title, and ``detail`` its path; the path alone while the title is not known.
    """

    word: str
    icon: str
    tone: str
    text: str
    path: str
    detail: str = ""


_RECORDS = ("incidents/", "feedback/")
"""Folders whose files are no entries; see `kb_app.entries.knowledge_base`."""


def entry_changes(changes: Iterable[FileChange], suffixes: tuple[str, ...]) -> tuple[FileChange, ...]:
    """Return the changes of entries alone: files whose name, now or before, ends like one of an entry."""
    return tuple(
        c
        for c in changes
        if (c.path.lower().endswith(suffixes) or c.old_path.lower().endswith(suffixes))
        and not c.path.startswith(_RECORDS)
    )


def change_rows(
    changes: Iterable[FileChange], titles: Mapping[str, str] | None = None, *, is_pending: bool = False
) -> tuple[ChangeRow, ...]:
    """Return changes as they are listed.

    Args:
        changes: of entries.
        titles: of entries, by path.
        is_pending: they were offered and have not happened.
    """
    rows = []
    for change in changes:
        word, icon, tone = _CHANGE_WORDS[change.status]
        is_gone = change.status is ChangeStatus.DELETED
        text = f"{change.old_path} → {change.path}" if change.old_path else change.path
        path = "" if is_gone or is_pending else change.path
        title = visible((titles or {}).get(change.path or change.old_path, "")).strip()
        rows.append(ChangeRow(word, icon, tone, title or visible(text), path, visible(text) if title else ""))
    return tuple(rows)


def changes_sentence(changes: Sequence[FileChange]) -> str:
    """Return ``2 entries changed, 1 removed``, empty when there is nothing."""
    parts: list[str] = []
    for status in (ChangeStatus.ADDED, ChangeStatus.CHANGED, ChangeStatus.RENAMED, ChangeStatus.DELETED):
        number = sum(change.status is status for change in changes)
        if number:
            word = _CHANGE_WORDS[status][0].lower()
            noun = "" if parts else ("entry " if number == 1 else "entries ")
            parts.append(f"{number} {noun}{word}")
    return ", ".join(parts)


def touched_paths(changes: Iterable[FileChange]) -> tuple[str, ...]:
    """Return every path that differs, the former names among them."""
    paths = [path for change in changes for path in (change.path, change.old_path) if path]
    return tuple(dict.fromkeys(paths))


# --- adding ---------------------------------------------------------------------------------------------


def name_problem(name: str, taken: Iterable[str]) -> str:
    """Return what is wrong with the name of a new knowledge base, or an empty text."""
    stripped = name.strip()
    if not stripped:
        return "Give it a name"
    if len(stripped) > 60:
        return "The name is longer than 60 characters"
    if visible(stripped) != stripped:
        return "The name holds an invisible character"
    if stripped.casefold() in {other.casefold() for other in taken}:
        return f"There is already a knowledge base called {stripped}"
    return ""


def free_name(name: str, taken: Iterable[str]) -> str:
    """Return ``name``, numbered where it is taken."""
    known = {other.casefold() for other in taken}
    found, number = name, 2
    while found.casefold() in known:
        found, number = f"{name}-{number}", number + 1
    return found


SUGGEST_FOLDERS = frozenset({Cause.TOO_MUCH, Cause.STALLED, Cause.TIMED_OUT, Cause.DISK_FULL})
"""Causes after which taking only a part of a repository may help."""


# --- the banner -----------------------------------------------------------------------------------------


def news_sentence(
    count: int,
    last_used: dt.datetime | None,
    authors: Sequence[str],
    reviewers: Sequence[str],
    now: dt.datetime,
) -> str:
    """Return ``Changed 3 times since you last used it (12 May) by Ana and Ben, reviewed by Cid``."""
    times = "once" if count == 1 else f"{count} times"
    when = f" ({moment_text(last_used, now)})" if last_used is not None else ""
    text = f"Changed {times} since you last used it{when}"
    if authors:
        text += f" by {people_text(authors)}"
    if reviewers:
        text += f", reviewed by {people_text(reviewers)}"
    return text


def reason_of(subjects: Sequence[str]) -> str:
    """Return why an entry changed, in the words of its authors: up to two reasons, then how many more."""
    reasons = list(dict.fromkeys(subject.strip() for subject in subjects if subject.strip()))
    if len(reasons) <= 2:
        return "; ".join(reasons)
    return f"{reasons[0]}; {reasons[1]}; {len(reasons) - 2} more"


def people_text(names: Sequence[str]) -> str:
    """Return up to two names, then how many more: ``Ana and Ben``, ``Ana, Ben and 2 more``."""
    if len(names) <= 2:
        return " and ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} more"
