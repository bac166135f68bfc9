"""When notes of feedback last said that an entry worked, kept beside the index: a search shows and weighs it.

The notes are no entries and are not indexed; this file is made anew from all of them whenever one may have
come or gone. What git says of confirmations is not asked here: a folder is read as files only.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection
from pathlib import Path

from kb_app.durable import write_atomically
from kb_app.entries.feedback import FEEDBACK_FOLDER, FlagKind, read_notes

CONFIRMED = "confirmed.json"


def update_confirmed(root: Path, folder: Path, paths: Collection[str] | None) -> None:
    """Bring the file in ``folder`` up to date with the notes below ``root``; ``paths``: as `update_index`.

    Raises:
        EnvironmentFault: when it cannot be written.
    """
    notes = (path for path in paths or () if path.split("/", 1)[0] == FEEDBACK_FOLDER)
    if paths is not None and next(notes, None) is None:
        return
    today = dt.date.today()
    days: dict[str, str] = {}
    for note in read_notes(root):
        if note.kind is FlagKind.WORKED and note.day is not None and note.day <= today:
            days[note.entry] = max(days.get(note.entry, ""), note.day.isoformat())
    if days != read_confirmed(folder):
        write_atomically(folder / CONFIRMED, json.dumps(days, sort_keys=True).encode())


def read_confirmed(folder: Path) -> dict[str, str]:
    """Return path to ISO day; empty when there is no file or it is not what was written."""
    try:
        days = json.loads((folder / CONFIRMED).read_bytes())
        return {str(path): dt.date.fromisoformat(day).isoformat() for path, day in days.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def last_confirmed(stated: str, noted: str) -> str:
    """Return the later of two ISO days, of which either may be empty."""
    return max(stated, noted)


def is_stale(last: str, every_days: int, today: dt.date) -> bool:
    """Tell whether an ISO day lies further back than ``every_days``; no day is not stale."""
    try:
        return every_days > 0 and (today - dt.date.fromisoformat(last)).days > every_days
    except ValueError:
        return False
