"""One queue for everything that talks to remotes: what is due, what runs, how it ended.

At most two exchanges run at a time and one for each clone, so that a remote that hangs keeps no other waiting
and no two git programs meet in one clone. Nothing here asks the user anything: what needs an answer becomes a
status, and no automatic attempt follows it.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from kb_app.errors import KbError
from kb_app.ui.common.jobs import Lane
from kb_app.ui.sync.network import NetworkWatch
from kb_app.workspace.bases import lies_in_clones

if TYPE_CHECKING:
    from kb_app.gitstore.process import Progress
    from kb_app.gitstore.store import GitStore, Synchronised
    from kb_app.gitstore.sync import SyncOutcome
    from kb_app.ui.desk import Desk
    from kb_app.ui.sync.state import BaseStatus
    from kb_app.workspace.syncing import Managed

logger = logging.getLogger(__name__)

AT_ONCE = 2
"""Exchanges that run at the same time."""

LOOK_MS = 5_000
"""How often the queue looks for what is due."""

FIRST_PAUSE_S = 2.0
"""The first syncs begin this long after the window stands: the index and the first search go first."""

FRESH = dt.timedelta(minutes=1)
"""A clone that was synced or made within this time waits for its turn."""

BUSY_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""After these a sync that somebody asked for is tried again when another program was at work in the clone."""

KEPT_CHANGES = 400
"""Changed entries of this session that are listed for one clone."""


class SyncQueue(QObject):
    """Brings clones up to date, by itself and when asked.

    Signals:
        status_changed(): something about a clone is different.
        synced(str, object): an exchange ended: knowledge base name and `Synchronised`; it is delivered after
            the status was changed.
        failed(object): a `KbError` that concerns no single clone.
        changes_coming(): a remote began to send something new.
        heard(str, object): how far the exchange of a clone is; from another thread.
    """

    status_changed = Signal()
    synced = Signal(str, object)
    failed = Signal(object)
    changes_coming = Signal()
    heard = Signal(str, object)

    def __init__(
        self, desk: Desk, parent: QObject | None = None, *, clock: Callable[[], dt.datetime] | None = None
    ) -> None:
        """Wait for `load`; ``clock`` tells the time (aware)."""
        super().__init__(parent)
        self._desk = desk
        self._clock = clock or (lambda: dt.datetime.now(dt.UTC))
        self._rng = random.Random()  # noqa: S311 - spreads load, guards nothing
        self._statuses: dict[str, BaseStatus] = {}
        self._waiting: dict[str, bool] = {}  # name to "accept the deletions"
        self._running: dict[str, threading.Event] = {}
        self._wanted_again: dict[
            str, bool
        ] = {}  # asked for while it ran: runs right after; "accept", as above
        self._asked: dict[str, int] = {}  # asked for by a person: how often it met somebody at work
        self._pausing: dict[str, QTimer] = {}  # until it is tried again
        self._store: GitStore | None = None
        self._is_stopped = False
        self._network = NetworkWatch(self)
        self._network.came_back.connect(self._on_network_back)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self._look)
        self.heard.connect(self._on_heard)

    # -- what there is ---------------------------------------------------------------------------------

    @property
    def statuses(self) -> tuple[BaseStatus, ...]:
        """Return what is known of each clone, in the order of the knowledge bases."""
        return tuple(self._statuses.values())

    @property
    def store(self) -> GitStore | None:
        """Return the clones and the queue of proposals, once `load` has opened them."""
        return self._store

    @property
    def is_paused(self) -> bool:
        """Automatic syncs wait: they are switched off, or the connection is paid by volume."""
        return not self._desk.workspace.settings.sync or self._network.is_metered

    def status(self, name: str) -> BaseStatus | None:
        """Return what is known of the clone behind a knowledge base; None when it is none."""
        return self._statuses.get(name)

    def load(self) -> None:
        """Look which of the open knowledge bases are clones; their first sync follows soon."""
        workspace = self._desk.workspace

        def work() -> Managed | None:
            if not any(lies_in_clones(workspace.folders, base.root) for base in workspace.bases):
                return None
            from kb_app.workspace.syncing import managed_bases  # start-up time: most have no clone

            return managed_bases(workspace.folders, workspace.bases)

        if not self._is_stopped:
            self._desk.jobs.run(work, on_done=self._take, on_error=self._on_error, lane=Lane.GIT)

    def _take(self, managed: Managed | None) -> None:
        if managed is None:
            self._statuses.clear()
            self.status_changed.emit()
            return
        from kb_app.ui.sync.state import BaseStatus  # start-up time

        self._store = managed.store
        known, self._statuses = self._statuses, {}
        now = self._clock()
        for base in managed.bases:
            clone = base.clone
            is_fresh = clone.checked_at is not None and now - clone.checked_at < FRESH
            first = now + (self._every if is_fresh else dt.timedelta(seconds=FIRST_PAUSE_S))
            status = known.get(base.name) or BaseStatus(base.name, clone.name, clone.url, next_at=first)
            self._statuses[base.name] = replace(
                status,
                clone=clone.name,
                url=clone.url,
                checked_at=clone.checked_at,
                is_local=base.is_local,
            )
        for name in [name for name in self._running if name not in self._statuses]:
            self._running[name].set()
        self.status_changed.emit()
        if self._statuses and not self._timer.isActive():
            self._network.start()
            self._timer.start()
            QTimer.singleShot(round(1000 * FIRST_PAUSE_S) + 50, self, self._look)

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            raise error
        self.failed.emit(error)

    # -- asking ----------------------------------------------------------------------------------------

    def run_now(self, names: Iterable[str] = ()) -> None:
        """Sync these knowledge bases next, all when none is named; one that is at it runs once more."""
        for name in tuple(names) or tuple(self._statuses):
            self._put_asked(name)
        self._start_next()

    def accept(self, name: str) -> None:
        """Sync, and take what the remote would delete as meant."""
        self._put_asked(name, accepts=True)
        self._start_next()

    def keep(self, name: str) -> None:
        """Keep what is here; the question is not asked again for the same state, and syncs go on."""
        from kb_app.ui.sync.state import answer_key, next_due

        status = self._statuses.get(name)
        if status is not None and status.outcome is not None:
            due = next_due(status.outcome, 0, self._clock(), self._every, self._rng, is_kept=True)
            self._statuses[name] = replace(status, kept=answer_key(status.outcome), next_at=due)
            self.status_changed.emit()

    def take(self, name: str, target: str) -> None:
        """Move the clone to a state: what was offered, or the name that keeps the former one."""
        from kb_app.workspace.syncing import take_state

        status, store = self._statuses.get(name), self._store
        if status is None or store is None or name in self._running or self._is_stopped:
            return
        self._running[name] = threading.Event()
        self._statuses[name] = replace(status, is_syncing=True, progress=None)
        self.status_changed.emit()
        self._desk.jobs.run(
            lambda: take_state(store, status.clone, target),
            on_done=partial(self._on_taken, name),
            on_error=partial(self._on_crashed, name),
            lane=Lane.NETWORK,
        )

    def cancel(self, name: str) -> None:
        """Stop the sync of a knowledge base within a second; its clone stays as it is."""
        self._asked.pop(name, None)
        self._wanted_again.pop(name, None)
        paused = self._pausing.pop(name, None)
        if paused is not None:
            paused.stop()
        if name in self._running:
            self._running[name].set()
        elif self._waiting.pop(name, None) is not None or paused is not None:
            self._statuses[name] = replace(self._statuses[name], is_syncing=False)
            self.status_changed.emit()

    def stop(self) -> None:
        """End what runs; called when the window closes."""
        self._is_stopped = True
        self._timer.stop()
        self._waiting.clear()
        self._wanted_again.clear()
        for timer in self._pausing.values():
            timer.stop()
        for stop in self._running.values():
            stop.set()

    # -- running ---------------------------------------------------------------------------------------

    @property
    def _every(self) -> dt.timedelta:
        return dt.timedelta(minutes=min(1440, max(1, self._desk.workspace.settings.sync_minutes)))

    def reschedule(self) -> None:
        """Take another pause between syncs, or none at all: the settings changed."""
        now = self._clock()
        latest = now + self._every
        for name, status in self._statuses.items():
            if status.next_at is not None and status.next_at > latest and not self._is_backing_off(status):
                self._statuses[name] = replace(status, next_at=latest)
        self.status_changed.emit()
        self._look()

    @staticmethod
    def _is_backing_off(status: BaseStatus) -> bool:
        return status.outcome is not None and not status.outcome.is_current

    def _look(self) -> None:
        """Start what is due."""
        if self._is_stopped:
            return
        if not self.is_paused:
            now = self._clock()
            for status in self.statuses:
                is_due = status.next_at is not None and status.next_at <= now and not status.is_syncing
                if is_due and (status.is_local or not self._network.is_away):
                    self._put(status.name)
        self._start_next()

    def _put(self, name: str, *, accepts: bool = False) -> None:
        status = self._statuses.get(name)
        if status is None or name in self._running or self._is_stopped:
            return
        self._waiting[name] = self._waiting.get(name, False) or accepts
        if not status.is_syncing:
            self._statuses[name] = replace(status, is_syncing=True, progress=None)

    def _put_asked(self, name: str, *, accepts: bool = False) -> None:
        """Put what a person asked for: while the clone is at it already, for right after that."""
        if name not in self._statuses or self._is_stopped:
            return
        self._asked[name] = 0
        paused = self._pausing.pop(name, None)
        if paused is not None:
            paused.stop()
        if name in self._running:
            self._wanted_again[name] = self._wanted_again.get(name, False) or accepts
        else:
            self._put(name, accepts=accepts)

    def _put_again(self, name: str, outcome: SyncOutcome) -> None:
        """Put what was asked for while it ran, and what somebody asked for and found the clone busy."""
        from kb_app.gitstore.sync import SyncEnd  # start-up time

        if name in self._wanted_again:
            self._put(name, accepts=self._wanted_again.pop(name))
            return
        tried = self._asked.pop(name, None)
        if outcome.end is not SyncEnd.BUSY or tried is None or tried >= len(BUSY_PAUSES_S):
            return
        status = self._statuses.get(name)
        if status is None or self._is_stopped:
            return
        self._asked[name] = tried + 1
        timer = QTimer(self, singleShot=True, interval=round(1000 * BUSY_PAUSES_S[tried]))
        timer.timeout.connect(partial(self._on_pause_over, name))
        self._pausing[name] = timer
        self._statuses[name] = replace(status, is_syncing=True)
        timer.start()

    def _on_pause_over(self, name: str) -> None:
        timer = self._pausing.pop(name, None)
        if timer is not None:
            timer.deleteLater()
            self._put(name)
            self._start_next()

    def _start_next(self) -> None:
        while self._waiting and len(self._running) < AT_ONCE:
            name = next(iter(self._waiting))
            self._start(name, accepts=self._waiting.pop(name))
        self.status_changed.emit()

    def _start(self, name: str, *, accepts: bool) -> None:
        from kb_app.workspace.syncing import exchange, failed_exchange, open_store

        status, known = self._statuses[name], self._store
        folders, stop = self._desk.workspace.folders, threading.Event()
        self._running[name] = stop

        def work() -> tuple[GitStore, Synchronised]:
            # git may have been installed since
            store = known if known is not None and known.program is not None else open_store(folders)
            if store.program is None:
                sentence, _, hint = store.problem.partition(". ")
                return store, failed_exchange(sentence.rstrip("."), hint.rstrip("."))
            done = exchange(
                store,
                status.clone,
                accept_deletions=accepts,
                on_progress=partial(self._hear, name),
                is_cancelled=stop.is_set,
            )
            return store, done

        self._desk.jobs.run(
            work,
            on_done=partial(self._on_exchanged, name),
            on_error=partial(self._on_crashed, name),
            lane=Lane.NETWORK,
        )

    def _hear(self, name: str, progress: Progress) -> None:
        if not self._is_stopped:
            self.heard.emit(name, progress)

    def _on_heard(self, name: str, progress: Progress) -> None:
        status = self._statuses.get(name)
        if status is not None and status.is_syncing and not self._is_stopped:
            if status.progress is None:
                self.changes_coming.emit()
            self._statuses[name] = replace(status, progress=progress)
            self.status_changed.emit()

    def _on_exchanged(self, name: str, result: tuple[GitStore, Synchronised]) -> None:
        store, done = result
        self._store = store
        self._end(name, done.sync)
        self._put_again(name, done.sync)
        self.synced.emit(name, done)
        self._start_next()

    def _on_taken(self, name: str, outcome: SyncOutcome) -> None:
        from kb_app.workspace.syncing import without_proposals

        self._end(name, outcome)
        self._put_again(name, outcome)
        self.synced.emit(name, without_proposals(outcome))
        self._start_next()

    def _end(self, name: str, outcome: SyncOutcome) -> None:
        from kb_app.entries.knowledge_base import SUFFIXES
        from kb_app.ui.sync.state import answer_key, entry_changes, next_due

        self._running.pop(name, None)
        status = self._statuses.get(name)
        if status is None:
            return
        now = self._clock()
        failures = 0 if outcome.is_current else status.failures + 1
        is_kept = outcome.needs_choice and answer_key(outcome) == status.kept
        changes = entry_changes(outcome.changes, SUFFIXES) if outcome.is_current else ()
        self._statuses[name] = replace(
            status,
            outcome=outcome,
            is_syncing=False,
            progress=None,
            checked_at=now if outcome.is_current else outcome.stale_since or status.checked_at,
            next_at=next_due(outcome, failures, now, self._every, self._rng, is_kept=is_kept),
            changes=(changes + status.changes)[:KEPT_CHANGES] if changes else status.changes,
            changed_at=now if changes else status.changed_at,
            failures=failures,
            head=outcome.after or status.head,
        )

    def _on_crashed(self, name: str, error: Exception) -> None:
        """End a run that broke on a bug, so that its clone is not taken for busy for ever."""
        self._running.pop(name, None)
        self._asked.pop(name, None)
        self._wanted_again.pop(name, None)
        if name in self._statuses:
            self._statuses[name] = replace(self._statuses[name], is_syncing=False, next_at=None)
        self._on_error(error)

    def _on_network_back(self) -> None:
        """Try at once what waited for the network."""
        now = self._clock()
        for name, status in self._statuses.items():
            if status.outcome is not None and status.outcome.retry_at is not None:
                self._statuses[name] = replace(status, next_at=now)
        self._look()
