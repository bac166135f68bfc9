"""Brings the indexes up to date in a process of its own and says how far it is."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from kb_app.plain import from_plain
from kb_app.search.model import IndexProgress, IndexReport
from kb_app.ui.common.workers import Message, WorkerFault, WorkerProcess, fault_of
from kb_app.ui.search.client import BaseFolders

logger = logging.getLogger(__name__)

PREPARED_MS = 20_000
"""How long a process that was started ahead waits for its request."""


class IndexRun(QObject):
    """Starts the index worker for some knowledge bases; a second start while it runs is done afterwards.

    Signals:
        progressed(str, object): knowledge base name and `IndexProgress`.
        names_ready(str): titles and aliases of this knowledge base can be searched.
        reported(str, object): knowledge base name and `IndexReport`: its index is complete.
        failed(object): a `WorkerFault`.
        finished(): nothing is under way any more.
    """

    progressed = Signal(str, object)
    names_ready = Signal(str)
    reported = Signal(str, object)
    failed = Signal(object)
    finished = Signal()

    def __init__(self, worker: WorkerProcess, parent: QObject | None = None) -> None:
        """Use ``worker``, which was made with ``is_kept_alive=False``."""
        super().__init__(parent)
        self._worker = worker
        self._bases: tuple[BaseFolders, ...] = ()
        self._changed: Mapping[str, tuple[str, ...]] = {}
        self._next: tuple[BaseFolders, ...] | None = None
        self._next_changed: dict[str, tuple[str, ...]] = {}
        self._is_active = False
        self._is_done = False
        self._release = QTimer(self, singleShot=True, interval=PREPARED_MS)
        self._release.timeout.connect(self._end_prepared)
        worker.started.connect(self._on_started)
        worker.event_received.connect(self._on_event)
        worker.exited.connect(self._on_exited)

    @property
    def is_active(self) -> bool:
        """Tell whether an index is being brought up to date."""
        return self._is_active

    def start(self, bases: Sequence[BaseFolders]) -> None:
        """Bring the indexes of ``bases`` up to date."""
        if self._is_active:
            self._next, self._next_changed = tuple(bases), {}
        else:
            self._begin(tuple(bases), {})

    def start_changed(self, base: BaseFolders, paths: Sequence[str]) -> None:
        """Bring the index of ``base`` up to date where only ``paths`` can differ; quick."""
        if not self._is_active:
            self._begin((base,), {base.name: tuple(paths)})
        elif self._next is None:
            self._next, self._next_changed = (base,), {base.name: tuple(paths)}
        elif self._next_changed or base.name not in {known.name for known in self._next}:
            known = self._next_changed.get(base.name, ())
            if base.name not in {other.name for other in self._next}:
                self._next = (*self._next, base)
            self._next_changed[base.name] = tuple(dict.fromkeys((*known, *paths)))

    def _begin(self, bases: tuple[BaseFolders, ...], changed: Mapping[str, tuple[str, ...]]) -> None:
        if bases:
            self._bases, self._changed = bases, changed
            self._is_active, self._is_done = True, False
            self._release.stop()
            if self._worker.is_running:
                self._on_started()  # it was prepared
            else:
                self._worker.start()

    def prepare(self) -> None:
        """Start the process now, because an update is likely: it will begin at once."""
        if not self._is_active:
            self._worker.start()
            self._release.start()

    def _end_prepared(self) -> None:
        """Let go of a process that was started for nothing; a start meanwhile waits for its end."""
        if not self._is_active and self._worker.is_running:
            self._is_active = self._is_done = True
            self._worker.stop_softly()

    def cancel(self) -> None:
        """Stop soon; what is indexed stays searchable."""
        self._next, self._next_changed = None, {}
        if self._is_active:
            self._worker.send({"op": "cancel"})

    def _on_started(self) -> None:
        if not self._is_active:
            return
        messages = []
        for base in self._bases:
            message = base.to_message()
            if base.name in self._changed:
                message["paths"] = list(self._changed[base.name])
            messages.append(message)
        self._worker.send({"op": "index", "bases": messages})

    def _on_event(self, message: Message) -> None:
        base = str(message.get("base", ""))
        try:
            self._take(base, message)
        except ValueError as error:
            logger.warning("the index worker's message does not fit: %s", error)

    def _take(self, base: str, message: Message) -> None:
        event = message.get("event")
        if event == "progress":
            self.progressed.emit(base, from_plain(IndexProgress, message))
        elif event == "names":
            self.names_ready.emit(base)
        elif event == "report":
            self.reported.emit(base, from_plain(IndexReport, message.get("report")))
        elif event == "failed":
            self.failed.emit(fault_of(message))
        elif event == "done":
            self._is_done = True
            self._worker.stop_softly()

    def _on_exited(self, _is_unexpected: bool) -> None:  # noqa: FBT001 - the signal's argument
        if not self._is_active:
            return
        self._is_active = False
        if not self._is_done:
            self.failed.emit(
                WorkerFault("Indexing stopped before it was done", "What is indexed so far can be searched")
            )
        if self._next is not None:
            bases, changed = self._next, self._next_changed
            self._next, self._next_changed = None, {}
            self._begin(bases, changed)
        else:
            self.finished.emit()
