"""Waits that are running, in the incident in hand and in every other open one: they end by the clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from kb_app.incidents.book import RecordBook
from kb_app.incidents.runs import Timer, timers_of
from kb_app.incidents.timeline import IncidentState
from kb_app.ui.incident.current import CurrentIncident
from kb_app.workspace import responding
from kb_app.workspace.responding import Change

CLOCK_MS = 1_000
_Key = tuple[str, str, int, dt.datetime]


@dataclass(frozen=True, slots=True)
class RunningWait:
    """A wait of a step: in which record, and which."""

    record: str
    timer: Timer

    @property
    def key(self) -> _Key:
        """What tells it apart: the same step may wait again."""
        return self.record, self.timer.run, self.timer.step, self.timer.due


class Waits(QObject):
    """Knows every wait that runs; ends it in its record when its time has come.

    Signals:
        over(object): this `RunningWait` is over.
    """

    over = Signal(object)

    def __init__(
        self, current: CurrentIncident, clock: Callable[[], dt.datetime], parent: QObject | None = None
    ) -> None:
        """Follow ``current``; `start` reads the waits of the other records once."""
        super().__init__(parent)
        self._current = current
        self._clock = clock
        self._others: tuple[RunningWait, ...] = ()
        self._own: tuple[RunningWait, ...] = ()
        self._ended: set[_Key] = set()
        self._timer = QTimer(self, interval=CLOCK_MS)
        self._timer.timeout.connect(self.tick)
        current.changed.connect(self._on_changed)
        self._on_changed(current.state)

    def start(self) -> None:
        """Read the waits of all open records."""

        def work(book: RecordBook) -> tuple[RunningWait, ...]:
            return tuple(RunningWait(wait.place.id, wait.timer) for wait in book.open_waits())

        self._current.with_book(work, self._on_read)

    @property
    def running(self) -> tuple[RunningWait, ...]:
        """Return the waits that run, the first to end first."""
        own = self._current.name
        others = tuple(wait for wait in self._others if wait.record != own)
        found = [wait for wait in (*self._own, *others) if wait.key not in self._ended]
        return tuple(sorted(found, key=lambda wait: wait.timer.due))

    def tick(self) -> None:
        """End what is over by now."""
        now = self._clock()
        for wait in self.running:
            if wait.timer.due <= now:
                self._ended.add(wait.key)
                self._end(wait)
        self._run()

    def _end(self, wait: RunningWait) -> None:
        def work(book: RecordBook) -> Change:
            return responding.finish_waits(book, wait.record)

        self._current.with_book(work, is_writing=True)
        self.over.emit(wait)

    def _on_read(self, found: tuple[RunningWait, ...]) -> None:
        self._others = found
        self.tick()

    def _on_changed(self, state: IncidentState | None) -> None:
        timers = timers_of(self._current.runs)
        is_open = state is not None and state.closed_at is None
        self._own = tuple(RunningWait(state.id, timer) for timer in timers) if state and is_open else ()
        self._run()

    def _run(self) -> None:
        if self.running and not self._timer.isActive():
            self._timer.start()
        elif not self.running:
            self._timer.stop()
