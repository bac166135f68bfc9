"""Asks the search worker what may wait: lines that match, relations, counts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject

from kb_app.ui.common.workers import Message, WorkerFault, WorkerProcess

logger = logging.getLogger(__name__)

DEADLINE_MS = 10_000

Take = Callable[[Message], None]


class SideQuestions(QObject):
    """One question of each kind at a time; the answer to an older one is dropped, so is a fault."""

    def __init__(self, worker: WorkerProcess, parent: QObject | None = None) -> None:
        """Talk to ``worker``, which others start and keep running."""
        super().__init__(parent)
        self._worker = worker
        self._asked: dict[str, tuple[int, Take]] = {}
        worker.answered.connect(self._on_answered)
        worker.failed.connect(self._on_failed)

    def ask(self, operation: str, values: Mapping[str, object], take: Take) -> None:
        """Ask; ``take`` gets the answer unless another question of this kind comes before it."""
        if not self._worker.is_running:
            return
        request = self._worker.request({"op": operation, **values}, deadline_ms=DEADLINE_MS)
        self._asked[operation] = (request, take)

    def forget(self, operation: str) -> None:
        """Drop the answer that is on its way."""
        self._asked.pop(operation, None)

    def _on_answered(self, request_id: int, message: Message) -> None:
        for operation, (asked, take) in list(self._asked.items()):
            if asked == request_id:
                del self._asked[operation]
                try:
                    take(message)
                except (ValueError, TypeError, KeyError) as error:
                    logger.warning("the answer to %s does not fit: %s", operation, error)

    def _on_failed(self, request_id: int, fault: WorkerFault) -> None:
        for operation, (asked, _take) in list(self._asked.items()):
            if asked == request_id:
                del self._asked[operation]
                logger.info("%s was not answered: %s", operation, fault.title)
