"""Clones and their remotes as the window uses them: adding, exchanging, choosing, what changed in an entry.

Everything here may wait for git, the disk or a server; callers run it off the user interface's thread.
"""

from __future__ import annotations

import configparser
import contextlib
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.entries.source import decode
from kb_app.errors import KbError, UsageError
from kb_app.gitstore.clones import Clone, CloneEnd, CloneOutcome, IsCancelled, OnProgress, Survey
from kb_app.gitstore.history import History, Revision
from kb_app.gitstore.names import Transport, parse_address
from kb_app.gitstore.proposals import PushReport
from kb_app.gitstore.store import GitStore, Synchronised, open_store, synchronise
from kb_app.gitstore.sync import SyncEnd, SyncOutcome, adopt
from kb_app.gitstore.words import Run, word_diff
from kb_app.paths import AppFolders
from kb_app.settings import ConfiguredBase
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.sharing import name_from

__all__ = [
    "Added",
    "AddressCheck",
    "EntryNews",
    "Managed",
    "ManagedBase",
    "add_repository",
    "address_of",
    "check_address",
    "entry_news",
    "exchange",
    "failed_exchange",
    "look_into",
    "managed_bases",
    "open_store",
    "take_state",
    "without_proposals",
]

MAX_CONFIG_BYTES = 64 * 1024
REVIEWED_BY = "Reviewed-by"
"""Trailer that names who looked at a change before it was taken.

Source: the Linux kernel's "Submitting patches", which most forges follow.
"""


@dataclass(frozen=True, slots=True)
class ManagedBase:
    """An open knowledge base that is a clone of ours.

    Attributes:
        name: of the open knowledge base.
        clone: our record of it.
    """

    name: str
    clone: Clone

    @property
    def is_local(self) -> bool:
        """Its remote lies on this machine."""
        address = self.clone.address
        return address.transport is Transport.FILE or address.is_loopback


@dataclass(frozen=True, slots=True)
class Managed:
    """What can be synced: the store, and the open knowledge bases that are clones."""

    store: GitStore
    bases: tuple[ManagedBase, ...]


def managed_bases(folders: AppFolders, bases: Sequence[OpenBase]) -> Managed:
    """Return the clones among ``bases``.

    Raises:
        EnvironmentFault: when the record of clones cannot be read.
    """
    store = open_store(folders)
    found = []
    for base in bases:
        clone = store.area.owner_of(base.root)
        if clone is not None:
            found.append(ManagedBase(base.name, clone))
    return Managed(store, tuple(found))


# --- adding ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AddressCheck:
    """What is to be said of an address as it is typed.

    Attributes:
        problem, hint: what is wrong and what to do; empty when it can be used.
        name: a name for the knowledge base, made from the address.
    """

    problem: str = ""
    hint: str = ""
    name: str = ""

    @property
    def is_ok(self) -> bool:
        """The address can be used."""
        return not self.problem and bool(self.name)


def check_address(text: str) -> AddressCheck:
    """Return whether ``text`` can be the address of a repository; nothing is asked of any server."""
    if not text.strip():
        return AddressCheck()
    try:
        address = parse_address(text)
    except UsageError as error:
        return AddressCheck(error.title, error.hint)
    return AddressCheck(name=name_from(address.text))


@dataclass(frozen=True, slots=True)
class Added:
    """What became of adding a repository: how it ended, and the settings row when there is one to open."""

    outcome: CloneOutcome
    base: ConfiguredBase | None = None


def add_repository(
    store: GitStore,
    address: str,
    name: str,
    *,
    only_paths: Sequence[str] = (),
    on_progress: OnProgress | None = None,
    is_cancelled: IsCancelled | None = None,
) -> Added:
    """Clone a repository; a copy of the same address that lies here already is opened again.

    Args:
        store: our clones.
        address: of the remote.
        name: what the user calls it.
        only_paths: the folders wanted; all when empty. With some, texts come only when they are needed.
        on_progress: told how far it is, in another thread.
        is_cancelled: asked often; True ends it within a second and leaves nothing behind.

    Raises:
        UsageError: when the address is not acceptable.
        EnvironmentFault: when nothing can be written here.
    """
    outcome = store.area.clone(
        address,
        name,
        is_partial=bool(only_paths),
        only_paths=tuple(only_paths),
        on_progress=on_progress,
        is_cancelled=is_cancelled,
    )
    clone = outcome.clone
    is_same = (
        outcome.end is CloneEnd.EXISTS and clone is not None and clone.url == parse_address(address).text
    )
    if clone is None or not (outcome.is_ok or is_same):
        return Added(outcome)
    return Added(outcome, ConfiguredBase(clone.name, str(store.area.root(clone))))


def look_into(
    store: GitStore,
    address: str,
    *,
    on_progress: OnProgress | None = None,
    is_cancelled: IsCancelled | None = None,
) -> Survey:
    """Return what a repository holds before it is cloned.

    Raises:
        UsageError: when the address is not acceptable.
        EnvironmentFault: when nothing can be written here.
    """
    return store.area.survey(address, on_progress=on_progress, is_cancelled=is_cancelled)


def address_of(store: GitStore, folder: Path) -> str:
    """Return what a managed clone of somebody's repository would follow; empty when it is none of these.

    Its remote where its configuration names one that can be used, else the folder itself. The configuration
    is read as a text; no git program runs there.
    """
    if not store.area.is_foreign(folder):
        return ""
    with contextlib.suppress(OSError, configparser.Error, UnicodeDecodeError, UsageError, KeyError):
        config = configparser.RawConfigParser(strict=False, allow_no_value=True, interpolation=None)
        with (folder / ".git" / "config").open(encoding="utf-8") as file:
            lines = file.read(MAX_CONFIG_BYTES).splitlines()
        config.read_string("\n".join(line.strip() for line in lines))
        return parse_address(config['remote "origin"']["url"].strip()).text
    return str(folder)


# --- exchanging -----------------------------------------------------------------------------------------


def exchange(
    store: GitStore,
    clone: str,
    *,
    accept_deletions: bool = False,
    on_progress: OnProgress | None = None,
    is_cancelled: IsCancelled | None = None,
) -> Synchronised:
    """Bring a clone up to date, send its proposals and look them up; an error becomes a failed outcome."""
    try:
        return synchronise(
            store,
            clone,
            accept_deletions=accept_deletions,
            on_progress=on_progress,
            is_cancelled=is_cancelled,
        )
    except KbError as error:
        return failed_exchange(error.title, error.hint)


def failed_exchange(sentence: str, hint: str) -> Synchronised:
    """Return an exchange that did not happen."""
    return without_proposals(SyncOutcome(SyncEnd.FAILED, sentence, hint))


def without_proposals(outcome: SyncOutcome) -> Synchronised:
    """Return an exchange in which no proposal was sent or looked up."""
    nothing = PushReport(outcome.sentence, outcome.hint)
    return Synchronised(outcome, nothing, nothing)


def take_state(store: GitStore, clone: str, target: str) -> SyncOutcome:
    """Move a clone to the state the user chose; an error becomes a failed outcome."""
    try:
        return adopt(store.area, clone, target)
    except KbError as error:
        return SyncOutcome(SyncEnd.FAILED, error.title, error.hint)


# --- what changed in an entry ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EntryNews:
    """What happened to an entry since a commit.

    Attributes:
        head: the commit of the files now; empty when it cannot be read.
        revisions: the changes since, newest first; empty when there is nothing to tell.
        runs: the words.
    """

    head: str = ""
    revisions: tuple[Revision, ...] = ()
    runs: tuple[Run, ...] = ()

    @property
    def authors(self) -> tuple[str, ...]:
        """Who changed it, the latest first, each once."""
        return tuple(dict.fromkeys(revision.author for revision in self.revisions if revision.author))

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Who is named as reviewer, the latest first, each once; without the address."""
        names = [
            value.partition("<")[0].strip()
            for revision in self.revisions
            for value in revision.trailer(REVIEWED_BY)
        ]
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def last_at(self) -> dt.datetime | None:
        """When it was changed last, as stated."""
        return self.revisions[0].authored_at if self.revisions else None


def entry_news(store: GitStore, clone: str, path: str, since: str) -> EntryNews:
    """Return what happened to an entry since the commit ``since``, read from this disk alone.

    Args:
        store: our clones.
        clone: which one.
        path: the entry.
        since: the commit the user last saw it at; empty: only tell where the clone stands.

    A commit that is not part of this history any more (it was replaced) gives no changes.
    """
    try:
        history = History(store.area, store.area.get(clone), is_offline=True)
        head = history.head()
        if not since or since == head or not history.is_part(since):
            return EntryNews(head)
        revisions = history.timeline(path, since=since)
        if not revisions:
            return EntryNews(head)
        former = next((r.old_path for r in reversed(revisions) if r.old_path), path)
        try:
            before = history.text_at(former, since)
        except UsageError:
            return EntryNews(head)  # it is new since then: there is nothing to compare
        after = decode(history.content_at(path)).text
    except KbError:
        return EntryNews()
    runs = word_diff(before, after)
    if before == after:
        return EntryNews(head)
    return EntryNews(head, revisions, runs)
