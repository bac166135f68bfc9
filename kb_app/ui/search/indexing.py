"""Brings the indexes up to date in a process of its own and says how far it is."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from kb_app.plain import from_plain
from kb_app.search.model import IndexProgress, IndexReport
from kb_app.ui.common.workers import Message, WorkerFault, WorkerProcess, fault_of
from kb_app.ui.search.client import BaseFolders

logger = logging.getLogger(__name__)


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
        self._next: tuple[BaseFolders, ...] | None = None
        self._is_active = False
        self._is_done = False
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
            self._next = tuple(bases)
            return
        if bases:
            self._bases = tuple(bases)
            self._is_active, self._is_done = True, False
            self._worker.start()

    def cancel(self) -> None:
        """Stop soon; what is indexed stays searchable."""
        self._next = None
        if self._is_active:
            self._worker.send({"op": "cancel"})

    def _on_started(self) -> None:
        self._worker.send({"op": "index", "bases": [base.to_message() for base in self._bases]})

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
            bases, self._next = self._next, None
            self.start(bases)
        else:
            self.finished.emit()
