"""Looks whether the error being written about is in another entry already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from kb_app.entries.signatures import MAX_PAIRS, pattern_pairs
from kb_app.plain import to_plain
from kb_app.search.model import SearchAnswer, SearchRequest
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.workers import Message, WorkerFault
from kb_app.ui.search.answers import read_answer
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.contributing import is_same_error, signatures_at

if TYPE_CHECKING:
    from kb_app.ui.desk import Desk

PAUSE_MS = 800
CANDIDATES = 5
MATCH_DEADLINE_MS = 2_000


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An entry about the same error."""

    ref: EntryRef
    title: str


@dataclass(frozen=True, slots=True)
class _Findings:
    """What reading the candidates told: one that is sure, or patterns to be tried, each with its owner."""

    sure: Duplicate | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    owners: tuple[Duplicate, ...] = ()


class Duplicates(QObject):
    """Asks the search for entries with the same signatures, then reads theirs to be sure.

    Decision: a signature may be a regular expression that never ends. The reader worker tries them: it is
    killed when it takes too long, and what else it was asked is asked again.

    Signals:
        found(object): a `Duplicate`.
    """

    found = Signal(object)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._signatures: tuple[str, ...] = ()
        self._own = EntryRef("", "")
        self._asked = 0
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        self._tried = 0
        self._owners: tuple[Duplicate, ...] = ()
        desk.workers.search.answered.connect(self._on_answered)
        desk.workers.reader.answered.connect(self._on_tried)
        desk.workers.reader.failed.connect(self._on_try_failed)

    @property
    def signatures(self) -> tuple[str, ...]:
        """Return the signatures that were looked for last."""
        return self._signatures

    @property
    def is_trying(self) -> bool:
        """Tell whether patterns are being tried."""
        return self._tried > 0

    def look(self, signatures: Sequence[str], own: EntryRef) -> None:
        """Look for other entries than ``own`` with one of these signatures, a moment later."""
        if (tuple(signatures), own) != (self._signatures, self._own):
            self._signatures, self._own = tuple(signatures), own
            if signatures:
                self._timer.start()
            else:
                self._timer.stop()

    def _ask(self) -> None:
        if self._desk.search.is_busy:  # what is typed into the search field comes first
            self._timer.start()
            return
        request = SearchRequest("\n".join(self._signatures[:3]) + "\n", limit=CANDIDATES)
        self._asked = self._desk.workers.search.request({"op": "search", "request": to_plain(request)})

    def _on_answered(self, request_id: int, message: Message) -> None:
        if not self._asked or request_id != self._asked:
            return
        self._asked = 0
        if message.get("stale") or not message.get("answer"):
            return
        answer = read_answer(message.get("answer"))
        self._desk.jobs.run(
            partial(_sure, answer, self._signatures, self._own, tuple(self._desk.workspace.bases)),
            on_done=self._on_read,
        )

    def _on_read(self, found: _Findings) -> None:
        if found.sure is not None or not found.pairs:
            self._tell(found.sure)
            return
        self._owners = found.owners
        pairs = {"op": "match", "pairs": [list(pair) for pair in found.pairs]}
        self._tried = self._desk.workers.reader.request(pairs, deadline_ms=MATCH_DEADLINE_MS)

    def _on_tried(self, request_id: int, message: Message) -> None:
        if not self._tried or request_id != self._tried:
            return
        self._tried, hit = 0, message.get("hit")
        if isinstance(hit, int) and 0 <= hit < len(self._owners):
            self._tell(self._owners[hit])

    def _on_try_failed(self, request_id: int, _fault: WorkerFault) -> None:
        if request_id == self._tried:
            self._tried = 0

    def _tell(self, duplicate: Duplicate | None) -> None:
        if duplicate is not None and duplicate.ref != self._own:
            self.found.emit(duplicate)


def _sure(
    answer: SearchAnswer, signatures: tuple[str, ...], own: EntryRef, bases: tuple[OpenBase, ...]
) -> _Findings:
    """Return the first hit that really has one of the signatures, else the patterns that may tell."""
    pairs: list[tuple[str, str]] = []
    owners: list[Duplicate] = []
    by_name = {base.name: base for base in bases}
    for hit in answer.hits:
        ref = EntryRef(hit.knowledge_base, hit.path)
        base = by_name.get(hit.knowledge_base)
        if ref == own or base is None:
            continue
        theirs, found = signatures_at(base, hit.path), Duplicate(ref, hit.title)
        if is_same_error(signatures, theirs):
            return _Findings(found)
        new = pattern_pairs(signatures, theirs)
        pairs += new
        owners += [found] * len(new)
    return _Findings(None, tuple(pairs[:MAX_PAIRS]), tuple(owners[:MAX_PAIRS]))
