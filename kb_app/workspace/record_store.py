"""Where records are kept and how they reach version control: after they were acknowledged, never before.

Decision: an event is acknowledged when its line is on the disk; committing comes afterwards, on a thread of
its own, several events in one commit. A program that is killed in between leaves events that are on the disk
and not committed; the next program that opens the records commits them.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kb_app.errors import EnvironmentFault, KbError, UsageError
from kb_app.gitstore.commits import configured_identity
from kb_app.gitstore.ledger import Ledger
from kb_app.gitstore.ledger_exchange import Exchanged, exchange, take_copy
from kb_app.gitstore.names import check_path
from kb_app.gitstore.runner import GitRunner, Identity, find_git
from kb_app.gitstore.trees import remove_tree
from kb_app.incidents.folders import DOCUMENT, RECORDS_FOLDER, refresh_document
from kb_app.paths import AppFolders, private_folder
from kb_app.settings import Settings

BATCH_S = 0.3
"""Events that follow each other within this time share a commit."""
TOLD = "records-not-committed"
MAX_SUBJECTS = 20
_LOG = logging.getLogger(__name__)


def records_root(folders: AppFolders, settings: Settings) -> Path:
    """Return the folder that holds the user's own ``incidents/``."""
    inside = settings.records_folder.strip("/")
    return folders.records / check_path(inside) if inside else folders.records


def open_ledger(folders: AppFolders, settings: Settings, *, author: str = "") -> Ledger:
    """Return the repository of the user's own records; it is made with the first commit.

    Raises:
        EnvironmentFault: when there is no Git that can be used.
        UsageError: when the configured folder cannot lie in a repository.
    """
    runner = GitRunner(find_git(), folders.data / "git")
    inside = settings.records_folder.strip("/")
    return Ledger(folders.records, runner, _identity(runner, author or settings.author), inside=inside)


def _identity(runner: GitRunner, author: str) -> Identity:
    known = configured_identity(runner)
    if known.name and known.email:
        return known
    name = author.partition("@")[0].strip() or "unknown"
    return Identity(known.name or name, known.email or (author if "@" in author else f"{name}@localhost"))


@dataclass(frozen=True, slots=True)
class CommitState:
    """How committing stands.

    Attributes:
        problem: why the last commit failed, one sentence; empty when it did not.
        pending: how many files wait.
    """

    problem: str = ""
    pending: int = 0


def is_news(folders: AppFolders, problem: str) -> bool:
    """Tell whether this problem of committing was not told before; an empty one forgets what was told.

    Records work without Git: saying so once is enough, at each event it would be noise.
    """
    note = folders.data / TOLD
    try:
        told = note.read_text("utf-8") if note.is_file() else ""
        if problem == told:
            return False
        if problem:
            private_folder(folders.data)
            note.write_text(problem, "utf-8")
        else:
            note.unlink(missing_ok=True)
    except (OSError, UnicodeDecodeError):
        return bool(problem)
    return bool(problem)


class CommitQueue:
    """Commits the files of one root, on a thread of its own; a `Committer`.

    Args:
        open_ledger: called on that thread, when there is something to commit for the first time.
    """

    def __init__(self, make_ledger: Callable[[], Ledger]) -> None:
        self._make_ledger = make_ledger
        self._ledger: Ledger | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kb-records")
        self._guard = threading.Lock()
        self._hurry = threading.Event()
        self._paths: dict[str, None] = {}
        self._subjects: dict[str, None] = {}
        self._is_scheduled = False
        self._is_caught_up = False
        self._problem = ""
        self._listeners: list[Callable[[CommitState], None]] = []

    def commit_paths(self, root: Path, paths: tuple[str, ...], message: str) -> bool:  # noqa: ARG002 - seam
        """Note ``paths`` to be committed soon; return False: they are not committed yet."""
        with self._guard:
            self._paths |= dict.fromkeys(paths)
            self._subjects |= {message: None}
            if not self._is_scheduled:
                self._is_scheduled = True
                with contextlib.suppress(RuntimeError):  # the interpreter ends: the next one catches up
                    self._pool.submit(self._wait_and_commit)
        return False

    def listen(self, listener: Callable[[CommitState], None]) -> None:
        """Call ``listener`` after each commit, on the queue's thread."""
        self._listeners.append(listener)

    @property
    def state(self) -> CommitState:
        """How committing stands now."""
        with self._guard:
            return CommitState(self._problem, len(self._paths))

    def catch_up(self) -> None:
        """Commit, on the queue's thread, what an earlier program left uncommitted."""
        with contextlib.suppress(RuntimeError):
            self._pool.submit(self._commit_now)

    def flush(self, timeout_s: float | None = None) -> CommitState:
        """Commit what waits, wait for it, and return how committing stands."""
        self._hurry.set()
        try:
            done: Future[None] = self._pool.submit(self._commit_now)
            done.result(timeout_s)
        finally:
            self._hurry.clear()
        return self.state

    def _wait_and_commit(self) -> None:
        self._hurry.wait(BATCH_S)
        self._commit_now()

    def _commit_now(self) -> None:
        with self._guard:
            paths, subjects = tuple(self._paths), tuple(self._subjects)
            self._paths, self._subjects, self._is_scheduled = {}, {}, False
        problem = ""
        try:
            self._commit(paths, subjects)
        except KbError as error:
            problem = str(error)
        except OSError as error:  # a folder that went away; the events are on the disk where they were
            problem = f"The records could not be committed: {error.strerror or error}."
        with self._guard:
            self._problem = problem
            if problem:
                self._paths = dict.fromkeys(paths) | self._paths
                self._subjects = dict.fromkeys(subjects) | self._subjects
        if problem:
            _LOG.info("records: %s", problem)
        for listener in self._listeners:
            listener(self.state)

    def _commit(self, paths: Sequence[str], subjects: Sequence[str]) -> None:
        if self._ledger is None:
            self._ledger = self._make_ledger()
        if not self._is_caught_up:
            if (self._ledger.root / RECORDS_FOLDER).is_dir() and self._ledger.exists:
                self._ledger.catch_up(RECORDS_FOLDER, "records: what was written before")
            elif paths:
                self._ledger.commit(_everything(self._ledger.root), "records: begin")
            self._is_caught_up = bool(paths) or self._ledger.exists
        if paths:
            self._ledger.commit(paths, _message(subjects))


def _everything(root: Path) -> tuple[str, ...]:
    """Return every file of records below ``root``: written before there was a repository."""
    files = (file for file in sorted((root / RECORDS_FOLDER).rglob("*")) if file.is_file())
    return tuple(file.relative_to(root).as_posix() for file in files if not file.name.startswith(".incident"))


def _message(subjects: Sequence[str]) -> str:
    if len(subjects) == 1:
        return subjects[0]
    names = {subject.partition(":")[0] for subject in subjects}
    head = f"{names.pop()}: {len(subjects)} events" if len(names) == 1 else f"incidents: {len(names)} records"
    return "\n".join([head, "", *subjects[:MAX_SUBJECTS]])


class DirectCommitter:
    """Commits before it returns: for programs that end at once. A `Committer`."""

    def __init__(self, queue: CommitQueue) -> None:
        self._queue = queue

    def commit_paths(self, root: Path, paths: tuple[str, ...], message: str) -> bool:
        """Commit ``paths``.

        Raises:
            KbError: why it could not be done; the files are as they were.
        """
        self._queue.commit_paths(root, paths, message)
        state = self._queue.flush()
        if state.problem:
            title, _, hint = state.problem.partition(". ")
            raise KbError(title.rstrip("."), hint.rstrip("."))
        return True


_QUEUES: dict[tuple[Path, str], CommitQueue] = {}
_QUEUES_GUARD = threading.Lock()


def commit_queue(folders: AppFolders, settings: Settings, *, author: str = "") -> CommitQueue:
    """Return this process's queue for the user's own records; the same one each time."""
    key = (folders.records, settings.records_folder)
    with _QUEUES_GUARD:
        if key not in _QUEUES:
            _QUEUES[key] = CommitQueue(lambda: open_ledger(folders, settings, author=author))
        return _QUEUES[key]


def exchange_records(
    folders: AppFolders,
    settings: Settings,
    device: str,
    *,
    is_cancelled: Callable[[], bool] | None = None,
) -> Exchanged:
    """Exchange the user's records with the configured remote.

    Raises:
        UsageError: when none is configured.
        EnvironmentFault: when there is no Git, or the records cannot be written to.
    """
    if not settings.records_remote:
        raise UsageError(
            "No remote is set for records",
            "Set records_remote in the settings to the address of a repository",
        )
    ledger = open_ledger(folders, settings)
    return exchange(
        ledger,
        settings.records_remote,
        device=device,
        refresh=lambda events: _derived(ledger.root, events),
        is_cancelled=is_cancelled,
    )


def _derived(root: Path, events: Sequence[str]) -> tuple[str, ...]:
    """Write the pages of the records that ``events`` belong to; return their paths."""
    places = sorted({(root / path).parent.parent for path in events})
    written = [place / DOCUMENT for place in places if refresh_document(place)]
    return tuple(file.relative_to(root).as_posix() for file in written)


def copy_records(
    folders: AppFolders, address: str, *, is_cancelled: Callable[[], bool] | None = None
) -> Path:
    """Make a fresh copy of somebody else's records, to be read only; return its folder.

    Raises:
        UsageError: when the address is none that is allowed.
        EnvironmentFault: when it cannot be copied, with the reason.
    """
    name = "".join(c if c.isalnum() else "-" for c in address.rstrip("/").removesuffix(".git"))[-60:].strip(
        "-"
    )
    top = private_folder(folders.data / "records-of-others") / name.lower()
    remove_tree(top)
    ledger = Ledger(top, GitRunner(find_git(), folders.data / "git"), Identity("reader", "reader@localhost"))
    got = take_copy(ledger, address, is_cancelled=is_cancelled)
    if not got.is_ok:
        raise EnvironmentFault(got.sentence, got.hint)
    return ledger.root
