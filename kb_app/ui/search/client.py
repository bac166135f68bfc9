"""Asks the search worker: at once when it is idle, the latest question when it was busy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.plain import to_plain
from kb_app.search.model import SearchRequest
from kb_app.ui.common.workers import Message, WorkerFault, WorkerProcess
from kb_app.ui.search.answers import read_answer

logger = logging.getLogger(__name__)

STUCK_MS = 300
"""A newer question waits this long before the worker is taken for stuck and killed.

It counts as processor time of the worker where the system tells it: a worker that gets no turn on a busy
machine is not stuck, and to kill it would make it later still. `MAX_STUCK_MS` by the clock ends the patience.
"""

MAX_STUCK_MS = 5_000
COLD_STUCK_MS = 2_000
"""The same for the first question after the indexes were opened: nothing is in memory yet."""

OPEN_DEADLINE_MS = 60_000


@dataclass(frozen=True, slots=True)
class BaseFolders:
    """What a worker has to know of a knowledge base: its name, its index folder, its root, its ``kb.yml``."""

    name: str
    folder: Path
    root: Path
    config: KnowledgeBaseConfig = field(default_factory=KnowledgeBaseConfig)

    def to_message(self) -> dict[str, object]:
        """Return it as workers read it."""
        return {
            "name": self.name,
            "folder": str(self.folder),
            "root": str(self.root),
            "config": to_plain(self.config),
        }


class SearchClient(QObject):
    """One question at a time; while it is under way only the latest further one is kept.

    Signals:
        answered(object, object): the `SearchRequest` and its `SearchAnswer`; never of an outdated request.
        failed(object): a `WorkerFault`.
        opened(): the worker has the knowledge bases open.
    """

    answered = Signal(object, object)
    failed = Signal(object)
    opened = Signal()

    def __init__(self, worker: WorkerProcess, parent: QObject | None = None) -> None:
        """Talk to ``worker``, which the caller starts."""
        super().__init__(parent)
        self._worker = worker
        self._bases: tuple[BaseFolders, ...] = ()
        self._open_id = 0
        self._reopen_id = 0
        self._is_open = False
        self._asked: tuple[int, SearchRequest] | None = None
        self._waiting: SearchRequest | None = None
        self._stuck_ms = STUCK_MS
        self._stuck_timer = QTimer(self, singleShot=True)
        self._stuck_timer.timeout.connect(self._on_stuck)
        self._waited_ms = 0
        self._processor_ms: float | None = None
        worker.started.connect(self._on_started)
        worker.answered.connect(self._on_answered)
        worker.failed.connect(self._on_failed)

    @property
    def is_busy(self) -> bool:
        """Tell whether a question is under way or waits."""
        return self._asked is not None or self._waiting is not None

    def open(self, bases: Sequence[BaseFolders]) -> None:
        """Search these knowledge bases from now on."""
        self._bases = tuple(bases)
        if self._worker.is_running:
            self._send_open()

    def reopen(self) -> None:
        """Look at the indexes anew, after one of them changed."""
        if self._worker.is_running and self._is_open:
            self._stuck_ms = max(self._stuck_ms, COLD_STUCK_MS)
            self._reopen_id = self._worker.request({"op": "reopen"}, deadline_ms=OPEN_DEADLINE_MS)

    def ask(self, request: SearchRequest) -> None:
        """Ask; an older question that waits is forgotten."""
        self._waiting = request
        if self._asked is None:
            self._ask_next()
        elif self._is_answering and not self._stuck_timer.isActive():
            self._watch()

    def _ask_next(self) -> None:
        request, self._waiting = self._waiting, None
        self._stuck_timer.stop()
        if request is None:
            return
        payload: Message = {"op": "search", "request": to_plain(request)}
        # Behind the opening of a large index a question waits as long as that takes; it is not stuck.
        deadline_ms = None if self._is_answering else OPEN_DEADLINE_MS
        self._asked = (self._worker.request(payload, deadline_ms=deadline_ms), request)

    @property
    def _is_answering(self) -> bool:
        """Tell whether the worker has nothing to open before it answers."""
        return self._is_open and not self._reopen_id

    def _send_open(self) -> None:
        self._is_open = False
        self._stuck_ms = max(self._stuck_ms, COLD_STUCK_MS)
        if self._open_id:
            self._worker.drop(self._open_id)
        bases = [base.to_message() for base in self._bases]
        self._open_id = self._worker.request({"op": "open", "bases": bases}, deadline_ms=OPEN_DEADLINE_MS)

    def _on_started(self) -> None:
        self._reopen_id = 0
        self._send_open()

    def _on_answered(self, request_id: int, message: Message) -> None:
        if request_id == self._open_id:
            self._open_id, self._is_open = 0, True
            self.opened.emit()
            if self._waiting is not None and self._asked is not None:
                self._watch()
        elif request_id == self._reopen_id:
            self._reopen_id = 0
            if self._waiting is not None and self._asked is not None:
                self._watch()
        elif self._asked is not None and request_id == self._asked[0]:
            request = self._asked[1]
            self._asked = None
            self._stuck_ms = STUCK_MS
            if message.get("stale"):
                self._ask_next()
            else:
                self._deliver(request, message)

    def _deliver(self, request: SearchRequest, message: Message) -> None:
        try:
            answer = read_answer(message.get("answer"))
        except (ValueError, TypeError, KeyError) as error:
            logger.warning("the search worker's answer does not fit: %s", error)
            self.failed.emit(
                WorkerFault("The search gave an answer that cannot be read", "Install kb_app again")
            )
        else:
            if self._waiting is None or self._is_continued(request, self._waiting):
                self.answered.emit(request, answer)
        self._ask_next()

    @staticmethod
    def _is_continued(shown: SearchRequest, waiting: SearchRequest) -> bool:
        """Tell whether the answer to ``shown`` may be seen while ``waiting`` is under way."""
        now = (shown.text, shown.narrowed_by)
        return all(
            later.startswith(sooner)
            for sooner, later in zip(now, (waiting.text, waiting.narrowed_by), strict=True)
        )

    def _on_failed(self, request_id: int, fault: WorkerFault) -> None:
        if request_id == self._open_id:
            self._open_id = 0
            self.failed.emit(fault)
        elif request_id == self._reopen_id:
            self._reopen_id = 0
        elif self._asked is not None and request_id == self._asked[0]:
            self._asked = None
            if self._waiting is None:
                self.failed.emit(fault)
            self._ask_next()

    def _watch(self) -> None:
        """Begin to wait for the answer that keeps a newer question waiting."""
        self._waited_ms = 0
        self._processor_ms = self._worker.processor_ms()
        self._stuck_timer.start(self._stuck_ms)

    def _is_starved(self) -> bool:
        """Tell whether the worker had no turn to answer: its time is not up, only the clock's."""
        now, before = self._worker.processor_ms(), self._processor_ms
        if now is None or before is None or self._waited_ms >= MAX_STUCK_MS:
            return False
        return now - before < self._stuck_ms

    def _on_stuck(self) -> None:
        """A newer question waits behind one that takes too long: give the old one up with its process."""
        if self._asked is None or self._waiting is None or not self._is_answering:
            return
        self._waited_ms += self._stuck_timer.interval()
        if self._is_starved():
            self._stuck_timer.start(STUCK_MS)
            return
        logger.warning("the search worker is stuck and is started again")
        self._worker.drop(self._asked[0])
        self._asked = None
        # A machine under load must not be met with kill after kill: be more patient until an answer comes.
        self._stuck_ms = min(MAX_STUCK_MS, self._stuck_ms * 2)
        self._worker.restart()
        self._ask_next()
