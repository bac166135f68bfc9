"""The past of entries for both faces of the program: which clone holds it, or why there is none.

Decision: git runs only in clones of our own. A folder that somebody else cloned has a past too, but reading
it would mean to trust that folder's configuration; a managed copy of it is offered instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from kb_app.errors import EnvironmentFault, KbError
from kb_app.gitstore.clones import Clone
from kb_app.gitstore.history import BlameLine, History, Revision, Signature
from kb_app.gitstore.hosts import HostKind, host_of, review_page
from kb_app.gitstore.proposals import PROPOSAL_TRAILER
from kb_app.gitstore.store import GitStore, open_store
from kb_app.gitstore.sync import ChangeStatus
from kb_app.gitstore.words import Run, word_diff
from kb_app.logs import visible
from kb_app.paths import AppFolders
from kb_app.settings import ConfiguredBase
from kb_app.workspace.sharing import usable_store

_PAGE_TRAILERS = ("Reviewed-on", "Pull-request", "Merge-request", "See-merge-request")
_REVIEW_NUMBER = re.compile(r"\((?P<mark>[#!])(?P<number>\d{1,9})\)")

REVIEWER_TRAILERS = ("Reviewed-by", "Approved-by", "Acked-by", "Tested-by", "Co-authored-by")
"""Trailers that name people beside the author.

Source: ``git log`` of the Linux kernel and of Gerrit, which write the first three.
"""


@dataclass(frozen=True, slots=True)
class NoPast:
    """Why a knowledge base has no history here.

    Attributes:
        title: one sentence.
        hint: what can be done.
        can_copy: the folder holds a repository of which a managed copy can be made.
    """

    title: str
    hint: str
    can_copy: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """One state of an entry: the change that led to it, and where it was reviewed (an address, or empty)."""

    revision: Revision
    review: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two states of an entry and how the words differ."""

    runs: tuple[Run, ...]
    old: str
    new: str

    @property
    def is_empty(self) -> bool:
        """Nothing differs."""
        return self.old == self.new


class Past:
    """The past of the entries of one clone. Every method starts git: none is for the window's thread.

    Args:
        store: the clones and the queue.
        clone: which one.
    """

    def __init__(self, store: GitStore, clone: Clone) -> None:
        self._history = History(store.area, clone)
        self._clone = clone
        try:
            self._pages = {p.id: p.page for p in store.queue.proposals(clone.name)}
        except KbError:
            self._pages = {}  # the history does not depend on the queue

    def versions(self, path: str, *, skip: int = 0, limit: int = 50) -> tuple[Version, ...]:
        """Return the states of an entry, newest first; signatures are not checked yet.

        Raises:
            UsageError: when the path is not acceptable.
            EnvironmentFault: when the history cannot be read.
        """
        found = self._history.timeline(path, skip=skip, limit=limit)
        return tuple(Version(revision, self._review_of(revision)) for revision in found)

    def signature(self, version: Version) -> Signature:
        """Return what is known of the signature of a version.

        Raises:
            EnvironmentFault: when it cannot be read.
        """
        return self._history.signature(version.revision.commit)

    def text(self, version: Version) -> str:
        """Return the whole entry as it was; empty where the change removed it.

        Raises:
            UsageError, EnvironmentFault: when it cannot be read.
        """
        if version.revision.status is ChangeStatus.DELETED:
            return ""
        return self._history.text_at(version.revision.path, version.revision.commit)

    def change(self, version: Version) -> Comparison:
        """Return what a version changed.

        Raises:
            UsageError, EnvironmentFault: when it cannot be read.
        """
        revision = version.revision
        before = ""
        if revision.parent and revision.status is not ChangeStatus.ADDED:
            before = self._history.text_at(revision.old_path or revision.path, revision.parent)
        return _compared(before, self.text(version))

    def between(self, old: Version, new: Version) -> Comparison:
        """Return how one version became a later one.

        Raises:
            UsageError, EnvironmentFault: when one cannot be read.
        """
        return _compared(self.text(old), self.text(new))

    def whole(self, version: Version) -> Comparison:
        """Return a version's whole text, as a comparison in which nothing differs.

        Raises:
            UsageError, EnvironmentFault: when it cannot be read.
        """
        text = self.text(version)
        return _compared(text, text)

    def blame(self, path: str) -> tuple[BlameLine, ...]:
        """Return for each line of the entry, as it is now, the change it comes from.

        Raises:
            UsageError, EnvironmentFault: when it cannot be read.
        """
        return self._history.blame(path)

    def confirmation(self, names: Collection[str]) -> Revision | None:
        """Return the last change by which somebody confirmed the entry that is called one of ``names``.

        Raises:
            EnvironmentFault: when the history cannot be read.
        """
        return next(iter(self._history.reviews(names)), None)

    def _review_of(self, revision: Revision) -> str:
        for proposal in revision.trailer(PROPOSAL_TRAILER):
            if self._pages.get(proposal):
                return self._pages[proposal]
        for key in _PAGE_TRAILERS:
            for value in revision.trailer(key):
                if re.fullmatch(r"https?://[^\s<>\"']{4,500}", value):
                    return value
        match = _REVIEW_NUMBER.search(revision.subject)
        if match is None:
            return ""
        is_gitlab = host_of(self._clone.address) is HostKind.GITLAB
        if is_gitlab is not (match["mark"] == "!"):
            return ""
        ref = (
            f"refs/merge-requests/{match['number']}/head"
            if is_gitlab
            else f"refs/pull/{match['number']}/head"
        )
        return review_page(self._clone.address, ref)


def open_past(folders: AppFolders, root: Path) -> Past | NoPast:
    """Return the past of the knowledge base whose folder is ``root``, or why there is none."""
    try:
        store = open_store(folders)
        clone = store.area.owner_of(root)
    except KbError as fault:
        return NoPast(fault.title, fault.hint)
    if clone is None:
        return _no_past(store, root)
    if store.program is None:
        return NoPast("The history cannot be read without Git", store.problem)
    return Past(store, clone)


def copy_with_history(folders: AppFolders, folder: Path) -> ConfiguredBase:
    """Make a managed copy of somebody's repository and return its settings row; the folder stays as it is.

    Raises:
        UsageError: when the folder's path cannot be used.
        EnvironmentFault: when it could not be copied.
    """
    area = usable_store(folders).area
    outcome = area.clean_copy(folder)
    if not outcome.is_ok or outcome.clone is None:
        raise EnvironmentFault(outcome.sentence.rstrip("."), outcome.hint.rstrip("."))
    return ConfiguredBase(outcome.clone.name, str(area.root(outcome.clone)))


def _no_past(store: GitStore, root: Path) -> NoPast:
    if store.area.is_foreign(root):
        return NoPast(
            "This folder is read as files only",
            "It belongs to somebody's Git repository, whose settings this program does not trust. "
            "A managed copy of it has the whole history.",
            can_copy=store.program is not None,
        )
    return NoPast(
        "This folder has no history",
        "It is a plain folder without versions. Knowledge bases added by their Git address have one.",
    )


def _compared(old: str, new: str) -> Comparison:
    # A page may hold anything: what cannot be seen is shown as an escape, on both sides alike.
    shown_old, shown_new = shown(old), shown(new)
    return Comparison(word_diff(shown_old, shown_new), shown_old, shown_new)


def shown(text: str) -> str:
    """Return a page's text safe to show: lines stay lines, control and format characters become escapes."""
    return "\n".join(visible(line.replace("\t", "    ")) for line in text.split("\n"))
