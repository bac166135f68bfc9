"""Opening the book of incident records for this person on this device."""

from __future__ import annotations

import getpass
import random
from dataclasses import replace
from pathlib import Path

from kb_app.incidents.book import RecordBook
from kb_app.incidents.folders import JournalMaker, new_device_name
from kb_app.incidents.journal import Clock, utc_now
from kb_app.paths import AppFolders
from kb_app.settings import Settings, load_settings, save_settings


def open_book(
    folders: AppFolders, *, root: Path | None = None, author: str = "", clock: Clock = utc_now
) -> RecordBook:
    """Return the records below ``root`` (default: the user's own), written as this person on this device.

    Raises:
        EnvironmentFault: when the name of this device cannot be kept.
    """
    settings = load_settings(folders)
    maker = JournalMaker(device_name(folders, settings), author or settings.author or login_name(), clock)
    return RecordBook(root or folders.records, maker)


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
