"""Appending events durably.

An event is acknowledged (its `Journal.append` returned) only when its line is on the disk: written, the file
synced, and the folders that name it too. What a crash leaves behind the last whole line is a torn tail: it is
copied to a file of its own and cut off before the next append, so that nothing is lost and the chain goes on.

Decision: one file per device and one lock per file. Two windows on one device take turns; two devices never
write to the same file, so a Git merge of their records never conflicts.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kb_app.durable import sync_folder, write_atomically
from kb_app.errors import EnvironmentFault, LimitReached, UsageError
from kb_app.incidents.canonical import NotCanonicalError
from kb_app.incidents.events import (
    Event,
    EventType,
    checked,
    digest,
    from_line,
    is_device_name,
    origin_hash,
    sealed,
    to_line,
)

EVENTS_FOLDER = "events"
EVENTS_SUFFIX = ".jsonl"
TORN_SUFFIX = ".torn"
LOCK_PATIENCE_S = 5.0
NAMED_LEVELS = 3  # incidents/2025/<id>/events/: the folders above the one that holds the file
_LOCK_BYTE = 2**40  # far behind any content: Windows locks bytes, and a locked byte cannot be read

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Return the time now, aware, UTC."""
    return dt.datetime.now(dt.UTC)


class Committer(Protocol):
    """Whoever puts files of a record into version control."""

    def commit_paths(self, root: Path, paths: tuple[str, ...], message: str) -> bool:
        """Commit ``paths`` (relative to ``root``, ``/``-separated) and nothing else.

        Returns:
            True when they are committed; False when that happens later, off the way of whoever waits.

        Raises:
            KbError: why it could not be done.
        """


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening a journal found behind the last whole line.

    Attributes:
        torn_bytes: how many bytes were set aside; 0 when the file ended well.
        kept_in: the file that holds them now, or None.
        completed: the last line was whole but for its line end, which was added.
    """

    torn_bytes: int = 0
    kept_in: Path | None = None
    completed: bool = False


@dataclass(frozen=True, slots=True)
class _Tail:
    """The end of a file as the next append needs it."""

    seq: int
    prev: str
    size_bytes: int


class Journal:
    """One device's file of one record, open for appending.

    Args:
        folder: the record's folder; its name is the record's id.
        device: short name of this device, `is_device_name`.
        author: who writes: a handle or an address.
        clock: gives aware times.

    Attributes:
        on_appended: told of each event once it is on the disk; it must not raise.

    Raises:
        UsageError: when the device's name cannot be a file name.
    """

    def __init__(self, folder: Path, device: str, author: str, *, clock: Clock = utc_now) -> None:
        if not is_device_name(device):
            raise UsageError(
                f"“{device}” cannot name a device", "Use lower-case letters, digits and hyphens, at most 32"
            )
        self.folder = folder
        self.device = device
        self.author = author
        self.clock = clock
        self.file = folder / EVENTS_FOLDER / f"{device}{EVENTS_SUFFIX}"
        self.on_appended: Callable[[Event], None] | None = None
        self._are_names_synced = False

    def append(
        self, kind: EventType, data: Mapping[str, object], *, at: dt.datetime | None = None, by: str = ""
    ) -> Event:
        """Write one event and return it once it is on the disk.

        Args:
            kind: its type.
            data: what happened.
            at: when it happened, if not now; a claim, shown as late when it is long ago.
            by: who says so, if not the journal's author.

        Raises:
            UsageError: when ``data`` does not fit ``kind``.
            LimitReached: when another process holds the file for too long.
            EnvironmentFault: when it cannot be written; the file is then as it was before.
        """
        content = checked(kind, data)
        author = (by or self.author).strip()
        if not author:
            raise UsageError("An event needs to say who wrote it", "Set a name, or a Git identity")
        with self._opened() as file:
            tail = self._recover(file)[0]
            # the clock is read under the lock, so that another window cannot write in between
            happened, recorded = self._times(at)
            try:
                event = sealed(
                    Event(
                        seq=tail.seq + 1,
                        prev=tail.prev,
                        dev=self.device,
                        by=author,
                        at=happened,
                        rec=recorded,
                        type=kind.value,
                        data=content,
                    )
                )
            except NotCanonicalError as error:
                raise UsageError(f"The event cannot be written: {error}") from error
            line = to_line(event)
            self._sync_names()
            self._write(file, line, tail.size_bytes)
        if self.on_appended is not None:
            self.on_appended(event)
        return event

    def _times(self, at: dt.datetime | None) -> tuple[dt.datetime, dt.datetime]:
        """Return when the event happened and when it is recorded, UTC, whole seconds."""
        recorded = self.clock()
        happened = recorded if at is None else at
        if happened.tzinfo is None or recorded.tzinfo is None:
            raise UsageError("A time without a time zone cannot be recorded", "Give UTC times")
        whole = [moment.astimezone(dt.UTC).replace(microsecond=0) for moment in (happened, recorded)]
        return whole[0], whole[1]

    def _sync_names(self) -> None:
        """Make the names that lead to the file durable, once: an earlier process may have died before."""
        if self._are_names_synced:
            return
        sync_folder(self.file.parent)
        for folder in list(self.file.parents)[1 : 1 + NAMED_LEVELS]:
            with contextlib.suppress(
                PermissionError
            ):  # a folder that only others may list is not ours to sync
                sync_folder(folder)
        self._are_names_synced = True

    def recover(self) -> Recovery:
        """Set a torn tail aside now, if there is one; `append` does so too."""
        if not self.file.exists():
            return Recovery()
        with self._opened() as file:
            return self._recover(file)[1]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        flags = (
            os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        )
        try:
            make_folder(self.file.parent)
            file = os.open(self.file, flags, 0o600)
        except OSError as error:
            raise _fault(self.file, error) from error
        try:
            with _locked(file, self.file):
                yield file
        except OSError as error:
            raise _fault(self.file, error) from error
        finally:
            os.close(file)

    def _recover(self, file: int) -> tuple[_Tail, Recovery]:
        content = _read_all(file)
        end = content.rfind(b"\n") + 1
        tail = _tail_of(content[:end], origin_hash(self.folder.name, self.device))
        rest = content[end:]
        if not rest:
            return tail, Recovery()
        whole = _whole_event(rest)
        if whole is not None and (whole.seq, whole.prev) == (tail.seq + 1, tail.prev):
            self._write(file, b"\n", len(content))
            return _Tail(whole.seq, whole.hash, len(content) + 1), Recovery(completed=True)
        kept_in = self._set_aside(rest)
        os.ftruncate(file, end)
        os.fsync(file)
        return tail, Recovery(len(rest), kept_in)

    def _set_aside(self, rest: bytes) -> Path:
        # named by content: a crash between the copy and the cut makes the same file again, not a second one
        kept_in = self.file.with_name(f"{self.device}-{digest(rest)[7:19]}{TORN_SUFFIX}")
        write_atomically(kept_in, rest)
        return kept_in

    def _write(self, file: int, line: bytes, size_bytes: int) -> None:
        """Append ``line``; when that fails, cut the file back to ``size_bytes``."""
        try:
            rest = line
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(file, size_bytes)
                os.fsync(file)
            raise


def _read_all(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    parts = []
    while part := os.read(file, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _tail_of(whole: bytes, origin: str) -> _Tail:
    """Return where the next event goes.

    A last line that cannot be read (a flipped byte) is stepped over: the next event is chained to the digest
    of its bytes, and `verify` names the damage.
    """
    lines = whole.count(b"\n")
    if not lines:
        return _Tail(0, origin, len(whole))
    last = whole[whole.rfind(b"\n", 0, -1) + 1 : -1].removesuffix(b"\r")
    return _Tail(lines, hash_after(last), len(whole))


def hash_after(line: bytes) -> str:
    """Return what the event after ``line`` is chained to: its hash, or the digest of an unreadable line."""
    try:
        return from_line(line).hash
    except NotCanonicalError:
        return digest(line)


def _whole_event(rest: bytes) -> Event | None:
    try:
        event = from_line(rest)
    except NotCanonicalError:
        return None
    return event if sealed(event).hash == event.hash else None


@contextlib.contextmanager
def _locked(file: int, path: Path) -> Iterator[None]:
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while not _try_lock(file):
        if time.monotonic() > deadline:
            raise LimitReached(
                f"Another window is writing to {path.name}", "Close the other window and try again"
            )
        time.sleep(0.01)
    try:
        yield
    finally:
        _unlock(file)


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _try_lock(file: int) -> bool:
        os.lseek(file, _LOCK_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: int) -> None:
        os.lseek(file, _LOCK_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def _unlock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


def _fault(path: Path, error: OSError) -> EnvironmentFault:
    reason = error.strerror or str(error)
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hint = (
        f"Make room on the volume of {path.parent}; the record is as it was before"
        if is_full
        else "Check the folder's permissions; the record is as it was before"
    )
    return EnvironmentFault(f"The event could not be written to {path}: {reason}", hint)


def make_folder(folder: Path) -> None:
    """Create ``folder`` and its parents durably; each new name is synced in the folder above it."""
    missing = []
    current = folder
    while not current.is_dir():
        missing.append(current)
        current = current.parent
    for name in reversed(missing):
        name.mkdir(exist_ok=True)
        sync_folder(name.parent)
