"""Work that touches the disk, git or the network, off the user interface's thread.

WRITE has one thread, so that writes of one file keep their order; READ has two; RECORDS has one of its own,
because an event is acknowledged only once it is on the disk; HISTORY has one for git programs that only read,
so that a long history holds up nothing else; GIT has one, for git programs that only look at this disk;
NETWORK has four, for what may wait for a server. A job is a plain function that knows no Qt object; its
result or its exception comes back on the thread that asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Lane(StrEnum):
    """Which threads a job runs on."""

    READ = "read"
    WRITE = "write"
    RECORDS = "records"
    HISTORY = "history"
    GIT = "git"
    NETWORK = "network"


class Jobs(Protocol):
    """Runs functions elsewhere and brings their outcome back."""

    def run(
        self,
        work: Callable[[], T],
        *,
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        lane: Lane = Lane.READ,
    ) -> None:
        """Run ``work``; then call ``on_done`` with its result or ``on_error`` with its exception."""

    def close(self) -> None:
        """Finish what was asked and take no more."""


class _Outcome(Generic[T]):
    """What a job came to, and whom to tell."""

    def __init__(
        self,
        future: Future[T],
        on_done: Callable[[T], None] | None,
        on_error: Callable[[Exception], None] | None,
    ) -> None:
        self.future = future
        self.on_done = on_done
        self.on_error = on_error

    def deliver(self) -> None:
        """Call whoever asked; an exception nobody asked for is a bug and is raised."""
        error = self.future.exception()
        if error is None:
            if self.on_done is not None:
                self.on_done(self.future.result())
        elif self.on_error is not None and isinstance(error, Exception):
            self.on_error(error)
        else:
            raise error


class ThreadJobs(QObject):
    """Jobs on threads; outcomes arrive on the thread this object was made on."""

    _finished = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        """Make the lanes; threads start with the first job."""
        super().__init__(parent)
        self._lanes = {
            Lane.READ: ThreadPoolExecutor(max_workers=2, thread_name_prefix="kb-read"),
            Lane.WRITE: ThreadPoolExecutor(max_workers=1, thread_name_prefix="kb-write"),
            Lane.RECORDS: ThreadPoolExecutor(max_workers=1, thread_name_prefix="kb-records"),
            Lane.HISTORY: ThreadPoolExecutor(max_workers=1, thread_name_prefix="kb-history"),
            Lane.GIT: ThreadPoolExecutor(max_workers=1, thread_name_prefix="kb-git"),
            Lane.NETWORK: ThreadPoolExecutor(max_workers=4, thread_name_prefix="kb-network"),
        }
        self._is_closed = False
        self._finished.connect(self._on_finished, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        *,
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        lane: Lane = Lane.READ,
    ) -> None:
        """Run ``work`` on a thread of ``lane``; see `Jobs.run`."""
        if self._is_closed:
            return
        future = self._lanes[lane].submit(work)
        outcome = _Outcome(future, on_done, on_error)
        future.add_done_callback(lambda _future: self._report(outcome))

    def close(self) -> None:
        """Wait for the jobs asked for (writes must land) and take no more; outcomes are not delivered.

        What has not begun to talk to git or to a server does not begin any more; whoever asked for what is
        under way there has to cancel it before, as `SyncFeature` does.
        """
        self._is_closed = True
        for lane, pool in self._lanes.items():
            pool.shutdown(wait=True, cancel_futures=lane in (Lane.HISTORY, Lane.GIT, Lane.NETWORK))

    def _report(self, outcome: _Outcome[T]) -> None:
        if not self._is_closed:
            self._finished.emit(outcome)

    @Slot(object)
    def _on_finished(self, outcome: _Outcome[object]) -> None:
        if not self._is_closed:
            outcome.deliver()


class InlineJobs:
    """Jobs that run at once, for tests and for tools without an event loop."""

    def run(
        self,
        work: Callable[[], T],
        *,
        on_done: Callable[[T], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        lane: Lane = Lane.READ,  # noqa: ARG002 - part of the protocol
    ) -> None:
        """Run ``work`` now; see `Jobs.run`."""
        future: Future[T] = Future()
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            future.set_exception(error)
        _Outcome(future, on_done, on_error).deliver()

    def close(self) -> None:
        """Nothing is under way."""
