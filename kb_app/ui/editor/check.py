"""Asks the reader worker how a text being written looks and what lint says to it; the latest text wins."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from kb_app.entries.model import Finding
from kb_app.plain import from_plain
from kb_app.rendering.model import OutlineItem, RenderedPage
from kb_app.ui.common.workers import Message, WorkerFault, WorkerProcess
from kb_app.ui.search.client import BaseFolders

logger = logging.getLogger(__name__)

DEADLINE_MS = 2_500
"""After this the worker is killed and the text is asked for as plain text."""

PLAIN_DEADLINE_MS = 8_000


@dataclass(frozen=True, slots=True)
class CheckedText:
    """What the worker says to a text (`kb_app.workspace.reading.CheckedText`); ``serial`` counts asking."""

    serial: int
    text: str
    page: RenderedPage
    findings: tuple[Finding, ...]
    signatures: tuple[str, ...] = ()
    outline: tuple[OutlineItem, ...] = ()
    shown: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class _Wanted:
    serial: int
    base: BaseFolders
    path: str
    text: str
    files: tuple[str, ...] = ()
    line: int = 0
    is_plain: bool = False
    request_id: int = 0


class TextChecker(QObject):
    """Checks one text at a time.

    Signals:
        checked(object): a `CheckedText`; only of the text that was asked for last.
        failed(object): a `WorkerFault`.
    """

    checked = Signal(object)
    failed = Signal(object)

    def __init__(self, worker: WorkerProcess, parent: QObject | None = None) -> None:
        """Talk to ``worker``, which the caller starts."""
        super().__init__(parent)
        self._worker = worker
        self._serial = 0
        self._current: _Wanted | None = None
        self._next: _Wanted | None = None
        worker.answered.connect(self._on_answered)
        worker.failed.connect(self._on_failed)

    @property
    def is_busy(self) -> bool:
        """Tell whether a text is being checked or waits."""
        return self._current is not None

    def ask(self, base: BaseFolders, path: str, text: str, files: tuple[str, ...] = (), line: int = 0) -> int:
        """Ask for ``text`` of the entry ``path``, written at ``line``; return the serial of its answer."""
        self._serial += 1
        wanted = _Wanted(self._serial, base, path, text, files, line)
        if self._current is None:
            self._request(wanted)
        else:
            self._next = wanted
        return self._serial

    def forget(self) -> None:
        """Deliver nothing of what was asked so far."""
        self._next = None
        self._serial += 1

    def _request(self, wanted: _Wanted) -> None:
        request_id = self._worker.request(
            {
                "op": "check",
                "root": str(wanted.base.root),
                "path": wanted.path,
                "index": str(wanted.base.folder),
                "text": wanted.text,
                "files": list(wanted.files),
                "line": wanted.line,
                "plain": wanted.is_plain,
            },
            deadline_ms=PLAIN_DEADLINE_MS if wanted.is_plain else DEADLINE_MS,
        )
        self._current = replace(wanted, request_id=request_id)

    def _on_answered(self, request_id: int, message: Message) -> None:
        current = self._current
        if current is None or current.request_id != request_id:
            return
        self._current = None
        if self._next is not None:
            self._ask_next()
            return
        if current.serial != self._serial:
            return
        try:
            page = from_plain(RenderedPage, message.get("page"))
            findings = from_plain(tuple[Finding, ...], message.get("findings"))
            signatures = from_plain(tuple[str, ...], message.get("signatures"))
            outline = from_plain(tuple[OutlineItem, ...], message.get("outline"))
            shown = from_plain(tuple[int, int], message.get("shown"))
        except ValueError as error:
            logger.warning("the reader worker's answer does not fit: %s", error)
            self.failed.emit(WorkerFault("The text could not be checked", "Install kb_app again"))
            return
        self.checked.emit(
            CheckedText(current.serial, current.text, page, findings, signatures, outline, shown)
        )

    def _on_failed(self, request_id: int, fault: WorkerFault) -> None:
        current = self._current
        if current is None or current.request_id != request_id:
            return
        self._current = None
        if self._next is not None:
            self._ask_next()
        elif fault.is_timeout and not current.is_plain and current.serial == self._serial:
            self._request(replace(current, is_plain=True))
        else:
            self.failed.emit(fault)

    def _ask_next(self) -> None:
        wanted, self._next = self._next, None
        if wanted is not None:
            self._request(wanted)
