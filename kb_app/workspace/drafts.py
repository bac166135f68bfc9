"""Drafts: texts being written, kept outside of every knowledge base until they are proposed or deleted.

Decision: a draft is one folder with one small file that is replaced as a whole at each save, so a killed
program or a full disk leaves the text of the last save. The bytes that the editing began from are kept beside
it: what others change meanwhile is noticed by them. A deleted draft is only set aside, so that it can come
back.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from kb_app.durable import flush_folder, write_atomically
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.trees import remove_tree
from kb_app.paths import private_folder
from kb_app.plain import from_plain, to_plain
from kb_app.search.masking import read_paste

_log = logging.getLogger(__name__)

_FILE, _BASE = "draft.json", "base"
_ASIDE = ".set-aside"
KEPT_ASIDE = dt.timedelta(days=14)
"""A deleted draft can be brought back for so long."""

_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
_MIN_SIGNATURE = 12
_MIN_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class TextDraft:
    r"""A text being written.

    Attributes:
        id: unique and sortable by the time it was begun.
        knowledge_base: its name when the draft was begun; root: its folder, which tells which one it is.
        path: of the entry, below the root.
        title: of the entry, to list it.
        text: as the editor shows it, ``\n`` line ends.
        started_at, saved_at: UTC.
        is_new: the entry is not in the knowledge base yet.
        base: the commit the editing began from; empty for a folder.
        why: what was changed and why, as far as that was written.
        attachments: paths of pictures below the root that come with it.
        signatures: masked lines of the paste it was begun from: the same paste finds the draft.
        replaces: id of the proposal that it shall take the place of.
        trailers: facts for the commit.
        cursor: place of the cursor in ``text``.
    """

    id: str
    knowledge_base: str
    root: str
    path: str
    title: str
    text: str
    started_at: dt.datetime
    saved_at: dt.datetime
    is_new: bool = False
    base: str = ""
    why: str = ""
    attachments: tuple[str, ...] = ()
    signatures: tuple[str, ...] = ()
    replaces: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    cursor: int = 0


def now_utc() -> dt.datetime:
    """Return the time, aware."""
    return dt.datetime.now(dt.UTC)


def new_id(at: dt.datetime) -> str:
    """Return an id for a draft begun at ``at``."""
    return f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


class DraftStore:
    """The drafts of this user.

    Args:
        folder: ``AppFolders.drafts``; made when the first draft is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> tuple[TextDraft, ...]:
        """Return the drafts, the one saved last first; what cannot be read stays and is logged."""
        try:
            names = [child.name for child in self.folder.iterdir() if _ID.fullmatch(child.name)]
        except OSError:
            return ()
        found = [draft for name in names if (draft := self._read(self.folder / name)) is not None]
        return tuple(sorted(found, key=lambda draft: draft.saved_at, reverse=True))

    def _read(self, folder: Path) -> TextDraft | None:
        try:
            return from_plain(TextDraft, json.loads((folder / _FILE).read_bytes()))
        except FileNotFoundError:
            return None  # only begun when the program ended
        except (OSError, ValueError) as error:
            _log.warning("the draft %s cannot be read: %s", folder, error)
            return None

    def get(self, draft_id: str) -> TextDraft:
        """Return one draft.

        Raises:
            UsageError: when there is none of that id.
        """
        draft = self._read(self._place(draft_id))
        if draft is None:
            raise UsageError(f"There is no draft {draft_id!a}", "kb proposals lists them")
        return draft

    def of_entry(self, root: Path, path: str) -> TextDraft | None:
        """Return the draft of an entry that was saved last, or None."""
        return next((d for d in self.all() if d.path == path and Path(d.root) == root), None)

    def begin(self, draft: TextDraft, base: bytes = b"") -> TextDraft:
        """Save a new draft with the bytes that the editing begins from.

        Raises:
            EnvironmentFault: when it cannot be written.
        """
        folder = private_folder(self._place(draft.id))
        flush_folder(self.folder)
        if not draft.is_new:
            write_atomically(folder / _BASE, base)
        return self.save(draft)

    def save(self, draft: TextDraft) -> TextDraft:
        """Replace the saved text of a draft, durably, and return it with the time of the save.

        Raises:
            EnvironmentFault: when it cannot be written; what was saved before is intact.
        """
        saved = replace(draft, saved_at=now_utc())
        folder = private_folder(self._place(draft.id))
        write_atomically(folder / _FILE, json.dumps(to_plain(saved)).encode() + b"\n")
        return saved

    def base_of(self, draft: TextDraft) -> bytes:
        """Return the bytes that the editing began from; empty for a new entry.

        Raises:
            EnvironmentFault: when they cannot be read.
        """
        if draft.is_new:
            return b""
        try:
            return (self._place(draft.id) / _BASE).read_bytes()
        except OSError as error:
            raise EnvironmentFault(
                f"What the draft of {draft.title} began from cannot be read", "Begin the change anew"
            ) from error

    def attach(self, draft: TextDraft, path: str, data: bytes) -> TextDraft:
        """Keep a picture with the draft; ``path`` is where it will lie below the root.

        Raises:
            EnvironmentFault: when it cannot be written.
        """
        kept = tuple(dict.fromkeys((*draft.attachments, path)))
        folder = private_folder(self._place(draft.id))
        write_atomically(folder / f"attachment-{kept.index(path)}", data)
        return self.save(replace(draft, attachments=kept))

    def attachment(self, draft: TextDraft, path: str) -> bytes:
        """Return the bytes of a picture that was attached.

        Raises:
            EnvironmentFault: when it cannot be read.
        """
        try:
            return self.attachment_file(draft, path).read_bytes()
        except OSError as error:
            raise EnvironmentFault(
                f"The picture {path} of the draft cannot be read", "Paste it again"
            ) from error

    def attachment_file(self, draft: TextDraft, path: str) -> Path:
        """Return where the bytes of a picture are kept."""
        return self._place(draft.id) / f"attachment-{draft.attachments.index(path)}"

    def set_aside(self, draft_id: str) -> None:
        """Delete a draft so that it can be brought back; those set aside long ago go for good.

        Raises:
            EnvironmentFault: when its folder cannot be moved.
        """
        place, aside = self._place(draft_id), private_folder(self.folder / _ASIDE)
        for old in aside.iterdir():
            if _ID.fullmatch(old.name) and _age(old) > KEPT_ASIDE:
                remove_tree(old)
        remove_tree(aside / draft_id)  # one of an earlier deletion that was written once more
        try:
            place.rename(aside / draft_id)
        except FileNotFoundError:
            return
        except OSError as error:
            raise EnvironmentFault(
                f"The draft cannot be deleted: {error.strerror or error}", f"Look at {self.folder}"
            ) from error

    def bring_back(self, draft_id: str) -> TextDraft:
        """Take back a deletion.

        Raises:
            UsageError: when it is gone for good.
        """
        try:
            (self.folder / _ASIDE / self._place(draft_id).name).rename(self._place(draft_id))
        except OSError as error:
            raise UsageError("This draft is gone for good") from error
        return self.get(draft_id)

    def _place(self, draft_id: str) -> Path:
        """Return the folder of a draft.

        Raises:
            UsageError: when the id is none that this program gives.
        """
        if not _ID.fullmatch(draft_id):
            raise UsageError(f"{draft_id[:60]!a} is no draft", "kb proposals lists them")
        return self.folder / draft_id


def _age(folder: Path) -> dt.timedelta:
    try:
        return now_utc() - dt.datetime.fromtimestamp(folder.stat().st_mtime, dt.UTC)
    except OSError:
        return dt.timedelta()


def signatures_of(pasted: str) -> tuple[str, ...]:
    """Return the most telling lines of a paste without what differs at each occurrence, at most 20."""
    lines = [line for line in read_paste(pasted).lines if len(line.text) >= _MIN_SIGNATURE]
    best = max((line.weight for line in lines), default=0.0)
    return tuple(line.text for line in lines if line.weight == best and best >= _MIN_WEIGHT)[:20]


def drafts_about(drafts: Iterable[TextDraft], pasted: str) -> tuple[TextDraft, ...]:
    """Return the drafts that were begun from a paste with one of the same masked lines."""
    known = [draft for draft in drafts if draft.signatures]
    if not known or not pasted.strip():
        return ()
    wanted = set(signatures_of(pasted))
    return tuple(draft for draft in known if wanted.intersection(draft.signatures))
