"""Notes about entries: ``feedback/<entry>/<date>-<random>.md``, one file each, so that no two ever conflict.

They are records, not entries (see `knowledge_base.walk`): nothing of them is found by a search. What they add
up to is when an entry was last confirmed and what is still said to be wrong with it.
"""

from __future__ import annotations

import datetime as dt
import os
import posixpath
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kb_app.entries.front_matter import read_front_matter

FEEDBACK_FOLDER = "feedback"
MAX_NOTES = 5_000
"""Notes read of one knowledge base: the first ones by path; a busy team writes some hundred a year."""
MAX_NOTE_BYTES = 8_192
MAX_SENTENCE = 400
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?!\d)")


class FlagKind(StrEnum):
    """What is wrong with an entry, or that it worked."""

    WRONG = "wrong"
    UNCLEAR = "unclear"
    OUTDATED = "outdated"
    MISSING_STEP = "missing step"
    WORKED = "worked"


@dataclass(frozen=True, slots=True)
class FeedbackNote:
    """One note about an entry.

    Attributes:
        file: its path below the knowledge base's root.
        entry: path of the entry, as the note says.
        kind: what it says.
        day: when; None when neither the note nor its name says it.
        sentence: what was written; may be empty.
        by: who, as the note says; may be empty.
    """

    file: str
    entry: str
    kind: FlagKind
    day: dt.date | None
    sentence: str = ""
    by: str = ""

    @property
    def is_flag(self) -> bool:
        """It says that something is wrong."""
        return self.kind is not FlagKind.WORKED


def read_notes(root: Path, entry: str = "") -> tuple[FeedbackNote, ...]:
    """Return the notes about one entry, or about all when ``entry`` is empty, sorted by file.

    What cannot be read, leads elsewhere or is no note is left out: a note never stands in an entry's way.
    """
    start = FEEDBACK_FOLDER if not entry else feedback_folder(entry)
    found = []
    for count, file in enumerate(_files(root, start)):
        if count >= MAX_NOTES:
            break
        note = _read(root, file)
        if note is not None and entry in ("", note.entry):
            found.append(note)
    return tuple(found)


def feedback_folder(entry: str) -> str:
    """Return the folder that holds the notes about the entry at that path."""
    return f"{FEEDBACK_FOLDER}/{entry.removesuffix('.md')}"


def _files(root: Path, start: str) -> Iterator[str]:
    """Yield the Markdown files below a folder by path; links are not followed, not even one on the way."""
    parts, here = start.split("/"), root
    for part in parts:
        here /= part
        if part in ("", ".", "..") or here.is_symlink():
            return
    for folder, folders, names in os.walk(here):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".md"):
                yield (Path(folder) / name).relative_to(root).as_posix()


def _read(root: Path, path: str) -> FeedbackNote | None:
    try:
        file = os.open(root / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        raw = os.read(file, MAX_NOTE_BYTES)
    except OSError:
        return None
    finally:
        os.close(file)
    lines = raw.decode("utf-8-sig", "replace").splitlines()
    values = read_front_matter(lines)
    kind, entry = values.text("feedback"), values.text("entry")
    if kind not in [*FlagKind] or not entry:
        return None
    sentence = " ".join(" ".join(lines[values.body_line - 1 :]).split())[:MAX_SENTENCE]
    day = _day(values.text("at")) or _day(posixpath.basename(path))
    return FeedbackNote(path, entry, FlagKind(kind), day, sentence, values.text("by")[:100])


def _day(text: str) -> dt.date | None:
    match = _DAY.match(text)
    try:
        return dt.date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None
