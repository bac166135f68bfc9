"""The door to this package: the clones, the queue and the past of entries, opened together.

Without git, or in a folder that cannot be written to, everything that is here can still be listed and read;
what needs git then says so in one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.clones import CloneArea, IsCancelled, OnProgress
from kb_app.gitstore.history import History
from kb_app.gitstore.proposals import ProposalOptions, ProposalQueue, PushReport
from kb_app.gitstore.runner import GitProgram, GitRunner, find_git
from kb_app.gitstore.sync import SyncOutcome, sync
from kb_app.paths import AppFolders


@dataclass(frozen=True, slots=True)
class GitStore:
    """Everything git does for this user.

    Attributes:
        program: the git that is used; None when there is none that can be used.
        problem: why there is none, one sentence with a next step; empty otherwise.
        area: our clones.
        queue: proposals on their way.
    """

    program: GitProgram | None
    problem: str
    area: CloneArea
    queue: ProposalQueue

    def history(self, name: str) -> History:
        """Return the past of a knowledge base's entries.

        Raises:
            UsageError: when there is no clone of that name.
            EnvironmentFault: when its copy is gone.
        """
        return History(self.area, self.area.get(name))


@dataclass(frozen=True, slots=True)
class Synchronised:
    """What one exchange with a remote did: the sync, the proposals sent, the proposals looked up."""

    sync: SyncOutcome
    push: PushReport
    followed: PushReport


def open_store(
    folders: AppFolders,
    options: ProposalOptions | None = None,
    *,
    environment: Mapping[str, str] | None = None,
) -> GitStore:
    """Open the clones and the queue of a user. Starts one short program, to ask git for its version.

    Args:
        folders: the user's folders; clones lie in ``folders.clones``, proposals beside them.
        options: the team's choices for proposals.
        environment: where git is looked for; this process's when None.

    Raises:
        EnvironmentFault: when the folders are absent and cannot be made.
    """
    program, problem = None, ""
    try:
        program = find_git(environment)
    except EnvironmentFault as fault:
        problem = str(fault)
    usable = program or GitProgram(Path("/nonexistent/git"), (0, 0, 0))
    runner = GitRunner(usable, folders.data / "git", environment=environment)
    area = CloneArea(folders.clones, runner)
    return GitStore(program, problem, area, ProposalQueue(folders.data / "proposals", area, options))


def synchronise(
    store: GitStore,
    name: str,
    *,
    accept_deletions: bool = False,
    on_progress: OnProgress | None = None,
    is_cancelled: IsCancelled | None = None,
) -> Synchronised:
    """Exchange everything with one remote: update the clone, send what waits, look up what was sent.

    Proposals are sent although the clone itself may wait for a choice: they are branches of their own.

    Raises:
        UsageError: when there is no clone of that name.
    """
    synced = sync(
        store.area,
        name,
        accept_deletions=accept_deletions,
        on_progress=on_progress,
        is_cancelled=is_cancelled,
    )
    if synced.retry_at is not None:
        waiting = PushReport(synced.sentence, synced.hint)
        return Synchronised(synced, waiting, waiting)
    pushed = store.queue.push(name, is_cancelled=is_cancelled)
    return Synchronised(synced, pushed, store.queue.refresh(name, is_cancelled=is_cancelled))
