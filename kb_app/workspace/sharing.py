"""Knowledge bases that came from a Git URL: adding, bringing up to date, proposing, removing.

Our own copies lie in ``AppFolders.clones``; a folder that the user chose is never touched by Git.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kb_app.errors import EnvironmentFault, KbError, UsageError
from kb_app.gitstore.clones import Clone, is_address
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.process import Progress
from kb_app.gitstore.proposals import Draft, Proposal, ProposalOptions, ProposeOutcome
from kb_app.gitstore.runner import Identity
from kb_app.gitstore.store import GitStore, Synchronised, open_store, synchronise
from kb_app.paths import AppFolders
from kb_app.settings import ConfiguredBase, Settings, load_settings
from kb_app.workspace.bases import OpenBase

__all__ = [
    "SyncedBase",
    "clone_base",
    "is_address",
    "proposals",
    "propose_text",
    "remove_clone",
    "sync_bases",
]


@dataclass(frozen=True, slots=True)
class SyncedBase:
    """What bringing one knowledge base up to date did.

    Attributes:
        name: of the knowledge base.
        result: None for a folder that is read as it is.
    """

    name: str
    result: Synchronised | None


def usable_store(folders: AppFolders) -> GitStore:
    """Return the store, ready to use Git.

    Raises:
        EnvironmentFault: when there is no Git that can be used.
    """
    store = open_store(folders)
    if store.program is None:
        raise EnvironmentFault(store.problem.rstrip(".") or "Git is not there", "Reading and searching go on")
    return store


def proposing_store(folders: AppFolders, settings: Settings) -> GitStore:
    """Return the store as the settings want proposals made.

    Raises:
        EnvironmentFault: when there is no git that can be used.
    """
    usable_store(folders)
    identity = Identity(settings.contributor_name, settings.contributor_email)
    return open_store(folders, ProposalOptions(identity, customer_names=settings.customer_names))


def clone_base(
    folders: AppFolders, address: str, name: str = "", *, on_progress: Callable[[str], None] | None = None
) -> ConfiguredBase:
    """Copy a knowledge base from a Git URL and return its settings row.

    Args:
        folders: the user's folders.
        address: URL of the remote, or path of a bare repository.
        name: to show; made from the address when empty.
        on_progress: told what is being done, one line.

    Raises:
        UsageError: when the address is not one that is allowed.
        EnvironmentFault: when it could not be copied: no Git, no network, no login, too large.
    """

    def hear(progress: Progress) -> None:
        if on_progress is not None:
            on_progress(f"{progress.phase} {progress.percent or 0} %")

    area = usable_store(folders).area
    outcome = area.clone(address, name or name_from(address), on_progress=hear)
    if not outcome.is_ok or outcome.clone is None:
        raise EnvironmentFault(outcome.sentence.rstrip("."), outcome.hint.rstrip("."))
    return ConfiguredBase(outcome.clone.name, str(area.root(outcome.clone)))


def name_from(address: str) -> str:
    """Return a name for a knowledge base from the last part of its address."""
    last = address.rstrip("/").replace("\\", "/").replace(":", "/").rsplit("/", 1)[-1]
    return last.removesuffix(".git") or "knowledge-base"


def remove_clone(folders: AppFolders, root: Path) -> bool:
    """Delete our own copy at ``root`` and tell whether there was one; other folders are left alone."""
    store = open_store(folders)
    clone = store.area.owner_of(root)
    if clone is None:
        return False
    store.area.remove(clone.name)
    return True


def sync_bases(folders: AppFolders, bases: tuple[OpenBase, ...]) -> tuple[SyncedBase, ...]:
    """Bring the copies among ``bases`` up to date with their remotes, one after the other.

    Raises:
        EnvironmentFault: when there is no Git that can be used and a copy needs it.
    """
    store = open_store(folders)
    synced = []
    for base in bases:
        clone = store.area.owner_of(base.root)
        if clone is None:
            synced.append(SyncedBase(base.name, None))
            continue
        store = store if store.program is not None else usable_store(folders)
        synced.append(SyncedBase(base.name, synchronise(store, clone.name)))
    return tuple(synced)


def propose_text(
    folders: AppFolders,
    base: OpenBase,
    edit: FileEdit,
    *,
    title: str,
    body: str = "",
    accept_doubtful: bool = False,
) -> ProposeOutcome:
    """Put a new text of one entry into the queue of proposals; no network is used.

    Args:
        folders: the user's folders.
        base: the knowledge base.
        edit: the file as it shall be.
        title: what changes, one line.
        body: why; may be empty.
        accept_doubtful: what may be a secret is an example.

    Raises:
        UsageError: when ``base`` is not a copy of a remote, or the path or the title cannot be used.
        EnvironmentFault: when there is no Git that can be used.
    """
    store = proposing_store(folders, load_settings(folders))
    clone = _clone_of(store, base)
    return store.queue.propose(clone.name, Draft(title, (edit,), body), accept_doubtful=accept_doubtful)


def proposals(folders: AppFolders) -> tuple[Proposal, ...]:
    """Return the proposals on their way, in order."""
    return open_store(folders).queue.proposals()


def _clone_of(store: GitStore, base: OpenBase) -> Clone:
    clone = store.area.owner_of(base.root)
    if clone is None:
        raise UsageError(
            f"{base.name} is a folder that is only read",
            "Add it by its Git URL to propose changes: kb add URL",
        )
    return clone


def failed(outcome: ProposeOutcome) -> KbError:
    """Return the error that says why a draft was not queued."""
    return KbError(outcome.sentence.rstrip("."), outcome.hint.rstrip("."))
