"""Asks the reader worker for entries: the latest one wanted wins, a hanging one is shown as plain text."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from kb_app.entries.model import Entry, ResponsePlan
from kb_app.plain import from_plain
from kb_app.rendering.model import RenderedPage
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.workers import Message, WorkerFault, WorkerProcess
from kb_app.ui.search.client import BaseFolders

logger = logging.getLogger(__name__)

OPEN_DEADLINE_MS = 2_500
"""After this the worker is killed and the entry is asked for as plain text."""

PLAIN_DEADLINE_MS = 8_000


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry as it is shown: where it lies, what it says, its two ways out, its page."""

    ref: EntryRef
    entry: Entry
    plan: ResponsePlan
    page: RenderedPage


@dataclass(slots=True)
class _Wanted:
    """An entry that was asked for."""

    ref: EntryRef
    base: BaseFolders
    request_id: int = 0
    is_plain: bool = False


class EntryOpener(QObject):
    """Opens one entry at a time.

    Signals:
        opened(object): the `OpenedEntry`.
        failed(object, object): the `EntryRef` and a `WorkerFault`.
    """

    opened = Signal(object)
    failed = Signal(object, object)

    def __init__(self, worker: WorkerProcess, parent: QObject | None = None) -> None:
        """Talk to ``worker``, which the caller starts."""
        super().__init__(parent)
        self._worker = worker
        self._current: _Wanted | None = None
        self._next: _Wanted | None = None
        worker.answered.connect(self._on_answered)
        worker.failed.connect(self._on_failed)

    @property
    def wanted(self) -> EntryRef | None:
        """Return the entry that was asked for last and is not here yet."""
        latest = self._next or self._current
        return latest.ref if latest else None

    def open(self, base: BaseFolders, ref: EntryRef) -> None:
        """Ask for ``ref``; what was asked before and has not come is no longer wanted."""
        wanted = _Wanted(ref, base)
        if self._current is None:
            self._request(wanted)
        else:
            self._next = wanted

    def _request(self, wanted: _Wanted) -> None:
        self._current = wanted
        wanted.request_id = self._worker.request(
            {
                "op": "open",
                "root": str(wanted.base.root),
                "knowledge_base": wanted.base.name,
                "path": wanted.ref.path,
                "index": str(wanted.base.folder),
                "plain": wanted.is_plain,
            },
            deadline_ms=PLAIN_DEADLINE_MS if wanted.is_plain else OPEN_DEADLINE_MS,
        )

    def _on_answered(self, request_id: int, message: Message) -> None:
        current = self._current
        if current is None or current.request_id != request_id:
            return
        self._current = None
        if self._next is not None:
            self._request_next()
            return
        try:
            opened = OpenedEntry(
                current.ref,
                from_plain(Entry, message.get("entry")),
                from_plain(ResponsePlan, message.get("plan")),
                from_plain(RenderedPage, message.get("page")),
            )
        except ValueError as error:
            logger.warning("the reader worker's answer does not fit: %s", error)
            self.failed.emit(current.ref, WorkerFault("This entry could not be read", "Install kb_app again"))
            return
        self.opened.emit(opened)

    def _on_failed(self, request_id: int, fault: WorkerFault) -> None:
        current = self._current
        if current is None or current.request_id != request_id:
            return
        self._current = None
        if self._next is not None:
            self._request_next()
        elif fault.is_timeout and not current.is_plain:
            self._request(_Wanted(current.ref, current.base, is_plain=True))
        else:
            self.failed.emit(current.ref, fault)

    def _request_next(self) -> None:
        wanted, self._next = self._next, None
        if wanted is not None:
            self._request(wanted)
