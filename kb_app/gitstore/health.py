"""How a clone is: where it stands, whether it is whole, and keeping it small. Nothing here uses a network."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.causes import Cause
from kb_app.gitstore.clones import CloneArea
from kb_app.gitstore.locks import exclusive, set_stale_locks_aside
from kb_app.gitstore.names import check_commit

TIDY_FROM_PACKS = 30
"""Packs and loose objects above which reading slows down and `tidy` does something (git itself: 50)."""
TIDY_FROM_LOOSE = 2_000


@dataclass(frozen=True, slots=True)
class CloneHealth:
    """How a clone is.

    Attributes:
        name: the knowledge base.
        is_whole: it can be read, and nothing that was looked at is missing.
        sentence, hint: for the user; details: Git's words, redacted.
        commit: the commit of its files; empty when unreadable.
        committed_at: when that was made, as stated; None when unreadable.
        checked_at: when the remote last answered (UTC).
        size_bytes: of its history on the disk.
        packs, loose: objects by how they are kept; many make reading slow.
    """

    name: str
    is_whole: bool
    sentence: str
    hint: str = ""
    details: str = ""
    commit: str = ""
    committed_at: dt.datetime | None = None
    checked_at: dt.datetime | None = None
    size_bytes: int = 0
    packs: int = 0
    loose: int = 0


def examine(area: CloneArea, name: str, *, deep: bool = False) -> CloneHealth:
    """Look at a clone without changing it.

    Args:
        area: our clones.
        name: which one.
        deep: also look whether every object of its history is there; seconds for a large one.

    Raises:
        UsageError: when there is no clone of that name.
    """
    clone = area.get(name)
    hint = "Remove the knowledge base and add it again; drafts and proposals are kept elsewhere"
    try:
        repository = area.repository(clone)
    except EnvironmentFault as fault:
        return CloneHealth(name, is_whole=False, sentence=fault.title, hint=fault.hint)
    run = area.runner.run
    head = run("log", ("--format=%H %cI", "--max-count=1"), ("HEAD",), repository=repository)
    words = head.text.split()
    if not head.is_ok or len(words) != 2:
        advice = hint if head.cause in (Cause.OTHER, Cause.DAMAGED, Cause.NONE) else head.hint
        return CloneHealth(name, is_whole=False, sentence=head.sentence, hint=advice, details=head.details)
    counted = run("count-objects", ("-v",), repository=repository)
    numbers = {
        key: int(value)
        for key, _, value in (line.partition(": ") for line in counted.text.splitlines())
        if value.isdigit()
    }
    sentence, is_whole, details = "Readable", True, ""
    if deep:
        checked = run(
            "fsck", ("--connectivity-only", "--no-dangling", "--no-progress"), repository=repository
        )
        is_whole, details = checked.is_ok, checked.details
        sentence = "Whole, with all of its history" if is_whole else "Parts of its history are damaged"
    return CloneHealth(
        name,
        is_whole=is_whole,
        sentence=sentence,
        hint="" if is_whole else hint,
        details=details,
        commit=check_commit(words[0]),
        committed_at=dt.datetime.fromisoformat(words[1]),
        checked_at=clone.checked_at,
        size_bytes=1024 * (numbers.get("size", 0) + numbers.get("size-pack", 0)),
        packs=numbers.get("packs", 0),
        loose=numbers.get("count", 0),
    )


def tidy(area: CloneArea, name: str) -> bool:
    """Put many small packs together; nothing is dropped. Return whether there was something to do.

    Meant for idle time: a sync adds a pack, and git's own housekeeping is switched off so that it never
    starts at the wrong moment.

    Raises:
        UsageError: when there is no clone of that name.
        EnvironmentFault: when another window is changing it, or the disk is full.
    """
    clone = area.get(name)
    health = examine(area, name)
    if health.packs <= TIDY_FROM_PACKS and health.loose <= TIDY_FROM_LOOSE:
        return False
    with exclusive(area.lock_file(clone)):
        repository = area.repository(clone)
        set_stale_locks_aside(repository, area.area / ".set-aside")
        area.runner.run("repack", ("-d", "--quiet", "--geometric=2"), repository=repository).expect_ok()
    return True
