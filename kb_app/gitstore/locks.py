"""One writer per clone, across windows and processes; and lock files that a killed git left behind.

Decision: the lock is the system's own (``flock``; on Windows a locked byte), so that it ends with its holder
and never has to be removed by hand. A left-over ``index.lock`` is moved aside, not deleted, and only while
this lock is held and no git program is at work in that clone.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.runner import Repository

STALE_AFTER_S = 300.0
"""Age at which a left-over lock is taken as dead where running programs cannot be listed."""

if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

    def _release(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(descriptor: int) -> None:
        # Closing is not enough: a program that another thread is just starting holds a copy of the descriptor
        # until it runs, and the lock with it.
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class Busy(EnvironmentFault):
    """Somebody else is at work here; it passes."""


@contextlib.contextmanager
def exclusive(file: Path, *, patience_s: float = 0.0) -> Iterator[None]:
    """Hold ``file`` as a lock, in this process alone.

    Args:
        file: created when absent; its content means nothing.
        patience_s: how long to wait for another holder.

    Raises:
        Busy: when another window or process holds it.
        EnvironmentFault: when the folder cannot be written to.
    """
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise EnvironmentFault(
            f"{file.parent} cannot be written to: {error.strerror}", "Reading works; check the permissions"
        ) from error
    try:
        _wait_for(descriptor, time.monotonic() + patience_s)
        try:
            yield
        finally:
            _release(descriptor)
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, until: float) -> None:
    while True:
        try:
            _take(descriptor)
        except OSError as error:
            if time.monotonic() >= until:
                raise Busy(
                    "Another window is changing this knowledge base", "Wait until it has finished"
                ) from error
            time.sleep(0.02)
        else:
            return


def is_held(file: Path) -> bool:
    """Tell whether a process holds ``file`` as a lock now."""
    try:
        with exclusive(file):
            return False
    except Busy:
        return True


def set_stale_locks_aside(repository: Repository, aside: Path) -> tuple[Path, ...]:
    """Move lock files that a killed git left in a clone of ours to the folder ``aside``; return where to.

    The caller holds the clone's own lock.

    Raises:
        Busy: when a git program is at work there now.
    """
    found = [file for file in _lock_files(repository.git_dir) if not file.is_dir()]
    if not found:
        return ()
    running = _is_git_at_work(repository)
    if running is None:
        newest = max(file.stat().st_mtime for file in found)
        running = time.time() - newest < STALE_AFTER_S
    if running:
        raise Busy(
            "Another git program is working in this knowledge base",
            "Wait until it has finished, then try again",
        )
    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    moved = []
    for number, file in enumerate(found):
        target = aside / f"{time.time_ns()}-{number}-{file.name}"
        with contextlib.suppress(FileNotFoundError):
            file.replace(target)
            moved.append(target)
    return tuple(moved)


def _lock_files(git_dir: Path) -> Iterator[Path]:
    yield from git_dir.glob("*.lock")
    for folder in ("refs", "worktrees", "logs"):
        for here, _, names in os.walk(git_dir / folder):
            yield from (Path(here) / name for name in names if name.endswith(".lock"))


def _is_git_at_work(repository: Repository) -> bool | None:
    """Tell whether a git program works in the clone; None where the system does not say."""
    processes = Path("/proc")
    if not (processes / "self" / "environ").exists():
        return None
    wanted = b"GIT_DIR=" + os.fsencode(repository.git_dir)
    for process in processes.iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            program = (process / "comm").read_bytes()
            if not program.startswith(b"git"):
                continue
            folder = (process / "cwd").readlink()
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                return True
        except OSError:
            continue  # ended meanwhile, or another user's
        if folder == repository.work_tree or repository.work_tree in folder.parents:
            return True
    return False
