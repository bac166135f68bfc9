"""The search process: one JSON request a line in, one JSON answer a line out.

Requests carry an ``id`` that comes back with the answer:

* ``{"id": 1, "op": "open", "bases": [{"name", "folder", "config"}]}`` → ``{"id": 1, "ok": true, "documents":
  n}``
* ``{"id": 2, "op": "search", "request": {...}}`` → ``{"id": 2, "ok": true, "answer": {...}}``
* ``{"id": 3, "op": "reopen"}`` → like ``open``, with the bases of before: the indexes have changed. What of
  them did not is kept as it is.
* ``{"id": 4, "op": "ping"}`` → ``{"id": 4, "ok": true}``
* ``{"id": 5, "op": "compare", "knowledge_base", "path", "text"}`` → ``{"id": 5, "ok": true, "matches"}``:
  which lines of the paste and of the entry say the same (`kb_app.search.model.LineMatch`)
* ``{"id": 6, "op": "relations", "knowledge_base", "path"}`` → ``{"id": 6, "ok": true, "relations"}``
* ``{"id": 7, "op": "count", "queries": [...]}`` → ``{"id": 7, "ok": true, "totals"}``: how many entries each
  typed query finds

What goes wrong comes back as ``{"id", "ok": false, "title", "hint"}``. Of several searches that wait, only
the last is answered in full; the others get ``{"id", "ok": true, "stale": true}``. The end of input ends the
process.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.errors import KbError, UsageError
from kb_app.plain import from_plain, to_plain
from kb_app.search.columns import DamagedIndexError
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.model import SearchRequest

MAX_LINE = 16_000_000
_log = logging.getLogger(__name__)


class SearchWorker:
    """Holds the open engine and answers requests."""

    def __init__(self) -> None:
        self._bases: tuple[IndexedBase, ...] = ()
        self._engine: SearchEngine | None = None
        self._prepared: SearchEngine | None = None
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "open": self._open,
            "reopen": lambda _message: self._reopen(),
            "search": self._search,
            "compare": self._compare,
            "relations": self._relations,
            "count": self._count,
            "ping": lambda _message: {},
        }

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one request."""
        try:
            operation = self._operations.get(str(message.get("op")))
            if operation is None:
                raise UsageError(f"The search process knows no operation {message.get('op')!r}")
            return {"id": message.get("id"), "ok": True, **operation(message)}
        except KbError as error:
            return {"id": message.get("id"), "ok": False, "title": error.title, "hint": error.hint}
        except (DamagedIndexError, ValueError, TypeError, LookupError, OSError, MemoryError) as error:
            _log.exception("a request failed")
            title = f"The search failed: {type(error).__name__}"
            return {"id": message.get("id"), "ok": False, "title": title, "hint": "See the log"}

    def _open(self, message: dict[str, Any]) -> dict[str, Any]:
        self._bases = tuple(
            IndexedBase(
                str(base["name"]),
                Path(base["folder"]),
                from_plain(KnowledgeBaseConfig, base.get("config") or {}),
            )
            for base in message["bases"]
        )
        engine = SearchEngine.open(self._bases)
        self.close()
        self._engine = engine
        return self._reopened(engine)

    def _reopen(self) -> dict[str, Any]:
        if self._engine is None:
            self._engine = SearchEngine.open(self._bases)
        else:
            self._engine.reopen()
            self._prepared = None
        return self._reopened(self._engine)

    @staticmethod
    def _reopened(engine: SearchEngine) -> dict[str, Any]:
        return {"documents": engine.document_count, "is_partial": engine.is_partial}

    def _search(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._engine is None:
            raise UsageError("No knowledge base is open", "Open one first")
        request = from_plain(SearchRequest, message["request"])
        return {"answer": to_plain(self._engine.search(request))}

    def _opened(self) -> SearchEngine:
        if self._engine is None:
            raise UsageError("No knowledge base is open", "Open one first")
        return self._engine

    def _compare(self, message: dict[str, Any]) -> dict[str, Any]:
        found = self._opened().compare(
            str(message["knowledge_base"]), str(message["path"]), str(message["text"])
        )
        return {"matches": to_plain(found)}

    def _relations(self, message: dict[str, Any]) -> dict[str, Any]:
        found = self._opened().relations(str(message["knowledge_base"]), str(message["path"]))
        return {"relations": to_plain(found)}

    def _count(self, message: dict[str, Any]) -> dict[str, Any]:
        engine = self._opened()
        totals = [engine.search(SearchRequest(str(text), limit=1)).total for text in message["queries"]]
        return {"totals": totals}

    def prepare(self) -> None:
        """Use the time before the first question; what is damaged is noticed when it is asked for."""
        if self._engine is None or self._engine is self._prepared:
            return
        self._prepared = self._engine
        with suppress(DamagedIndexError):
            self._engine.prepare()
        gc.freeze()  # dictionaries stay as they are: no later collection has to go through them

    def close(self) -> None:
        """Close the engine."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None


def _messages(source: TextIO) -> Iterator[list[dict[str, Any]]]:
    """Yield the requests that wait, in order; malformed lines become ``{"op": None}``."""
    descriptor = source.fileno()
    buffer = b""
    while True:
        block = os.read(descriptor, 1 << 16)
        if not block:
            return
        buffer += block
        while b"\n" not in buffer or _has_more(descriptor):
            if len(buffer) > MAX_LINE:
                buffer = b""
            block = os.read(descriptor, 1 << 20)
            if not block:
                break
            buffer += block
        *lines, buffer = buffer.split(b"\n")
        if lines:
            yield [_parse(line) for line in lines if line.strip()]


def _has_more(descriptor: int) -> bool:
    """Tell whether input waits (POSIX; elsewhere requests are taken one at a time)."""
    return os.name == "posix" and bool(select.select([descriptor], [], [], 0)[0])


def _parse(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {"op": None}
    return message if isinstance(message, dict) else {"op": None}


def main() -> int:
    """Answer requests from standard input until it ends."""
    worker = SearchWorker()
    for batch in _messages(sys.stdin):
        last_search = max((n for n, m in enumerate(batch) if m.get("op") == "search"), default=-1)
        for number, message in enumerate(batch):
            if message.get("op") == "search" and number < last_search:
                answer: dict[str, Any] = {"id": message.get("id"), "ok": True, "stale": True}
            else:
                answer = worker.answer(message)
            sys.stdout.write(json.dumps(answer, separators=(",", ":")) + "\n")
        sys.stdout.flush()
        worker.prepare()
    worker.close()
    return 0
