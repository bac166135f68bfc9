"""Knowledge bases as layers: a private one over those that are only read, with copies that know their origin.

The first layer wins: where the overlay holds a copy of an entry, the copy is found in the entry's place, and
always says what it is a copy of. Every text that a copy had is kept under its name in the user's data folder
before it is replaced.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from kb_app.durable import write_atomically
from kb_app.entries.front_matter import read_front_matter
from kb_app.entries.knowledge_base import walk
from kb_app.entries.reading import read_bytes
from kb_app.errors import EnvironmentFault, KbError, UsageError
from kb_app.gitstore.answers import Choices, JoinedFile, Question, Writer, page_text
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.conflicts import changed_sections, merge_pages
from kb_app.gitstore.names import check_path
from kb_app.gitstore.proposals import FileMerge, are_texts
from kb_app.gitstore.store import open_store
from kb_app.gitstore.words import Run, word_diff
from kb_app.paths import AppFolders, private_folder, safe_join
from kb_app.settings import ConfiguredBase, Settings
from kb_app.workspace.bases import OpenBase, Workspace
from kb_app.workspace.copies import Copies
from kb_app.workspace.origins import Origin, blob_of, origin_of, with_origin, without_origin
from kb_app.workspace.past import shown
from kb_app.workspace.sharing import failed, propose_text

OVERLAY_NAME = "My copies"
OVERLAY_FOLDER = "my-copies"
HEAD_BYTES = 16_384
"""Front matter is looked for in so much of a file; it may have 8 KB."""


class LayerRole(StrEnum):
    """What can be done with a knowledge base."""

    OVERLAY = "overlay"
    PROPOSALS = "proposals"
    READ_ONLY = "read-only"


ROLE_WORDS: Mapping[LayerRole, str] = {
    LayerRole.OVERLAY: "my own copies",
    LayerRole.PROPOSALS: "changes are proposed",
    LayerRole.READ_ONLY: "only read",
}


class OriginNews(StrEnum):
    """What became of a copy's origin."""

    SAME = "same"
    MOVED_ON = "moved on"
    GONE = "gone"
    NOT_OPEN = "not open"


@dataclass(frozen=True, slots=True)
class CopyState:
    """A copy and its origin.

    Attributes:
        origin: what it is a copy of.
        news: what became of that.
        changes: how the origin's words changed since it was copied; from the copy, when that is not known.
        question: what has to be chosen to bring both together; None when nothing changed.
        theirs: the origin's bytes now; mine: the copy's bytes now.
    """

    origin: Origin
    news: OriginNews
    changes: tuple[Run, ...] = ()
    question: Question | None = None
    theirs: bytes = b""
    mine: bytes = b""


# --- which layer is which -------------------------------------------------------------------------


def role_of(base: OpenBase, folders: AppFolders, settings: Settings) -> LayerRole:
    """Return what can be done with a knowledge base; reads nothing."""
    overlay = settings.overlay
    if overlay and any(b.name == overlay and Path(b.location) == base.root for b in settings.knowledge_bases):
        return LayerRole.OVERLAY
    return LayerRole.PROPOSALS if is_managed(base, folders) else LayerRole.READ_ONLY


def is_managed(base: OpenBase, folders: AppFolders) -> bool:
    """Tell whether a knowledge base is a copy of ours of a remote: it is changed by proposals alone."""
    return base.root.parent == folders.clones.resolve()


def overlay_of(workspace: Workspace) -> OpenBase | None:
    """Return the open knowledge base that takes copies, or None."""
    folders, settings = workspace.folders, workspace.settings
    return next((b for b in workspace.bases if role_of(b, folders, settings) is LayerRole.OVERLAY), None)


def with_overlay(folders: AppFolders, settings: Settings) -> Settings:
    """Return settings that have an overlay: the chosen one, else a private folder of ours, which is made.

    Raises:
        EnvironmentFault: when the folder cannot be made.
    """
    if settings.overlay and any(b.name == settings.overlay for b in settings.knowledge_bases):
        return settings
    folder = private_folder(folders.data / OVERLAY_FOLDER)
    known = next((b for b in settings.knowledge_bases if Path(b.location) == folder.resolve()), None)
    added = known or ConfiguredBase(OVERLAY_NAME, str(folder.resolve()))
    first = (added, *(b for b in settings.knowledge_bases if b.location != added.location))
    return replace(settings, knowledge_bases=first, overlay=added.name)


# --- copies ---------------------------------------------------------------------------------------


def copies_in(overlay: OpenBase) -> Copies:
    """Read which entries an overlay holds copies of.

    Raises:
        EnvironmentFault: when the folder cannot be read.
    """
    found: dict[tuple[str, str], str] = {}
    for file in walk(overlay.root, overlay.config).files:
        origin = _stated_origin(overlay.root / file.path)
        if origin is not None:
            found.setdefault((origin.base, origin.path), file.path)
    return Copies(overlay.name, found)


def _stated_origin(file: Path) -> Origin | None:
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except OSError:
        return None
    return origin_of(read_front_matter(head.decode("utf-8-sig", "replace").splitlines()).values)


def copy_path(base: OpenBase, path: str) -> str:
    """Return where the copy of an entry lies in the overlay: below a folder named like its knowledge base."""
    folder = "".join(c if c.isalnum() or c in "-_." else "-" for c in base.name).strip("-. ") or "kb"
    return check_path(f"{folder}/{path}")


def keep_copy(workspace: Workspace, base: OpenBase, path: str, raw: bytes, read_from: bytes) -> str:
    """Write a text of one's own for an entry into the overlay and return its path there.

    Args:
        workspace: with an open overlay.
        base: the knowledge base of the entry that was edited; the overlay itself for a copy.
        path: the entry's path in ``base``.
        raw: the new bytes.
        read_from: the bytes the editing began from; empty for a new entry.

    Raises:
        UsageError: when there is no overlay, or the text cannot be kept in it.
        EnvironmentFault: when it cannot be written, or the copy was changed meanwhile by another program.
    """
    overlay = overlay_of(workspace)
    if overlay is None:
        raise UsageError("No knowledge base takes copies", "Choose one in the settings")
    if overlay.root == base.root:
        _put(workspace.folders, overlay, check_path(path), raw, read_from)
        return path
    target = copies_in(overlay).of(base.name, path) or copy_path(base, path)
    if read_from:
        remember_text(workspace.folders, read_from)
        text = _decoded(raw)
        raw = with_origin(text, Origin(base.name, path, blob_of(read_from))).encode()
    before = _present(overlay, target)
    _put(workspace.folders, overlay, target, raw, before)
    return target


def _put(folders: AppFolders, overlay: OpenBase, path: str, raw: bytes, before: bytes) -> None:
    """Write a file of a folder; propose it where the overlay is a copy of a remote."""
    if not is_managed(overlay, folders):
        _replace(folders, overlay, path, raw, before)
        return
    outcome = propose_text(folders, overlay, FileEdit(path, raw), title=f"Keep a copy of {path}")
    if not outcome.is_ok:
        raise failed(outcome)


def _replace(folders: AppFolders, overlay: OpenBase, path: str, raw: bytes, before: bytes) -> None:
    """Write a file of the overlay; the bytes it had are kept first."""
    present = _present(overlay, path)
    if present != before:
        raise EnvironmentFault(
            f"{path} was changed by another program meanwhile", "Your text is kept as a draft; open it again"
        )
    if present:
        remember_text(folders, present)
    file = safe_join(overlay.root, path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(
            f"The folder {file.parent} cannot be made: {error.strerror or error}", "Check its permissions"
        ) from error
    write_atomically(file, raw)


def _present(overlay: OpenBase, path: str) -> bytes:
    if not os.path.lexists(safe_join(overlay.root, path)):
        return b""
    return read_bytes(overlay.root, path)


# --- texts kept by name -----------------------------------------------------------------------------


def remember_text(folders: AppFolders, raw: bytes) -> str:
    """Keep bytes under their name in the user's data folder, durably, and return the name.

    Raises:
        EnvironmentFault: when they cannot be written.
    """
    name = blob_of(raw)
    file = private_folder(folders.data / "origins") / name
    if not file.exists():
        write_atomically(file, raw)
    return name


def remembered_text(workspace: Workspace, origin: Origin) -> bytes | None:
    """Return the bytes an entry was copied with, as kept here or in the origin's own history; else None."""
    try:
        raw = (workspace.folders.data / "origins" / origin.blob).read_bytes()
    except OSError:
        return _from_clone(workspace, origin)
    return raw if blob_of(raw) == origin.blob else _from_clone(workspace, origin)


def _from_clone(workspace: Workspace, origin: Origin) -> bytes | None:
    base = next((b for b in workspace.bases if b.name == origin.base), None)
    try:
        store = open_store(workspace.folders)
        clone = store.area.owner_of(base.root) if base is not None else None
        if clone is None or store.program is None:
            return None
        asked = store.area.runner.run(
            "cat-file", ("blob",), (origin.blob,), repository=store.area.repository(clone)
        )
        return asked.stdout if asked.is_ok and blob_of(asked.stdout) == origin.blob else None
    except KbError:
        return None


# --- when the origin moves on -----------------------------------------------------------------------


def state_of(workspace: Workspace, overlay: OpenBase, path: str, origin: Origin) -> CopyState:
    """Return what became of a copy's origin and what both have become since.

    Raises:
        UsageError: when the path leads out of the overlay.
        EnvironmentFault: when the copy cannot be read.
    """
    base = next((b for b in workspace.bases if b.name == origin.base), None)
    if base is None:
        return CopyState(origin, OriginNews.NOT_OPEN)
    try:
        theirs = read_bytes(base.root, origin.path)
    except KbError:
        return CopyState(origin, OriginNews.GONE)
    if blob_of(theirs) == origin.blob:
        return CopyState(origin, OriginNews.SAME)
    mine = read_bytes(overlay.root, path)
    before = remembered_text(workspace, origin)
    own = without_origin(_decoded(mine))
    then = _decoded(before) if before is not None else None
    now = _decoded(theirs)
    changes = word_diff(shown(own if then is None else then), shown(now))
    question = _question(base, path, then, own, now)
    return CopyState(origin, OriginNews.MOVED_ON, changes, question, theirs, mine)


def _question(base: OpenBase, path: str, then: str | None, own: str, now: str) -> Question:
    merge = merge_pages(then, own, now)
    joined = changed_sections(then if then is not None else own, now, without=merge.conflicts)
    at = dt.datetime.now(dt.UTC)
    return Question(
        f"Your copy and the original in {base.name}",
        (FileMerge(path, merge),),
        (JoinedFile(path, joined),) if joined else (),
        {path: Writer(base.name, at, "as it is there now")},
    )


def take_theirs(workspace: Workspace, overlay: OpenBase, path: str, state: CopyState) -> None:
    """Make the copy what its origin is now; the text it had is kept.

    Raises:
        EnvironmentFault: when the copy was changed meanwhile or cannot be written.
    """
    _write_copy(workspace, overlay, path, state, _decoded(state.theirs))


def keep_mine(workspace: Workspace, overlay: OpenBase, path: str, state: CopyState) -> None:
    """Leave the copy's text and note that the origin's present state was seen.

    Raises:
        EnvironmentFault: when the copy was changed meanwhile or cannot be written.
    """
    _write_copy(workspace, overlay, path, state, _decoded(state.mine))


def bring_together(
    workspace: Workspace, overlay: OpenBase, path: str, state: CopyState, choices: Choices
) -> None:
    """Make the copy what was chosen section by section.

    Raises:
        UsageError: when a choice is missing.
        EnvironmentFault: when the copy was changed meanwhile or cannot be written.
    """
    assert state.question is not None
    _write_copy(workspace, overlay, path, state, page_text(state.question.merges[0], choices) or "")


def _write_copy(workspace: Workspace, overlay: OpenBase, path: str, state: CopyState, text: str) -> None:
    remember_text(workspace.folders, state.theirs)
    origin = replace(state.origin, blob=blob_of(state.theirs))
    _put(workspace.folders, overlay, path, with_origin(text, origin).encode(), state.mine)


def put_back(workspace: Workspace, overlay: OpenBase, path: str, raw: bytes) -> None:
    """Give a copy the bytes it had; those it has now are kept.

    Raises:
        EnvironmentFault: when they cannot be written.
    """
    _put(workspace.folders, overlay, path, raw, _present(overlay, path))


def _decoded(raw: bytes) -> str:
    """Return a page's text.

    Raises:
        UsageError: when it is not UTF-8: a copy of it could not keep its bytes.
    """
    if not are_texts(raw):
        raise UsageError("Only entries in UTF-8 can be copied", "Save the change as a patch file instead")
    return raw.decode()


def rows_of(bases: Sequence[OpenBase], folders: AppFolders, settings: Settings) -> dict[str, LayerRole]:
    """Return the role of each open knowledge base by name, the first layer first."""
    roles = {base.name: role_of(base, folders, settings) for base in bases}
    return dict(sorted(roles.items(), key=lambda item: item[1] is not LayerRole.OVERLAY))
