"""Opening the book of incident records for this person on this device."""

from __future__ import annotations

import getpass
import random
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from kb_app.incidents.book import RecordBook
from kb_app.incidents.folders import JournalMaker, new_device_name
from kb_app.incidents.journal import Clock, utc_now
from kb_app.paths import AppFolders
from kb_app.settings import Settings, load_settings, save_settings
from kb_app.workspace.record_store import DirectCommitter, commit_queue, records_root


class Commits(StrEnum):
    """When an event of the user's own records is put into version control, once it is on the disk."""

    LATER = "later"
    AT_ONCE = "at-once"
    NEVER = "never"


def open_book(
    folders: AppFolders,
    *,
    root: Path | None = None,
    author: str = "",
    clock: Clock = utc_now,
    commits: Commits = Commits.LATER,
) -> RecordBook:
    """Return the records below ``root`` (default: the user's own), written as this person on this device.

    Args:
        folders: the user's folders.
        root: folder that holds ``incidents/``; only the user's own is committed to, another is left to
            whoever keeps it.
        author: who writes; the settings' author, else the login name when empty.
        clock: gives aware times.
        commits: ``LATER`` for a window, ``AT_ONCE`` for a program that ends at once.

    Raises:
        EnvironmentFault: when the name of this device cannot be kept.
    """
    settings = load_settings(folders)
    who = author or settings.author or login_name()
    maker = JournalMaker(device_name(folders, settings), who, clock)
    own = records_root(folders, settings)
    if commits is Commits.NEVER or (root is not None and root.absolute() != own.absolute()):
        return RecordBook(root or own, maker)
    queue = commit_queue(folders, settings, author=who)
    return RecordBook(own, maker, queue if commits is Commits.LATER else DirectCommitter(queue))


def device_name(folders: AppFolders, settings: Settings) -> str:
    """Return this device's name in records; drawn and kept the first time.

    Raises:
        EnvironmentFault: when it cannot be kept.
    """
    if settings.device:
        return settings.device
    drawn = new_device_name(random.SystemRandom())
    save_settings(folders, replace(settings, device=drawn))
    return drawn


def login_name() -> str:
    """Return who is logged in; ``unknown`` where the system does not say."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
