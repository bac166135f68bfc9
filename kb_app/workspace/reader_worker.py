"""The reader worker: opens entries in a process of its own, so that no entry can freeze the window.

JSON lines. ``{"id":1,"op":"open","root":…,"knowledge_base":…,"path":…,"index":…,"plain":false}`` is answered
by ``{"id":1,"entry":…,"plan":…,"page":…}``, or by ``{"id":1,"error":{"title":…,"hint":…}}``.
``{"id":2,"op":"check","root":…,"path":…,"index":…,"text":…,"files":[…],"line":0,"plain":false}`` is answered
by ``{"id":2,"page":…,"findings":[…],"signatures":[…],"outline":[…],"shown":[…]}``: how a text being written
would look, what lint says to it, which errors it answers.
``{"id":3,"op":"match","pairs":[[pattern,text],…]}`` is answered by ``{"id":3,"hit":n}``: the first pair that
fits, -1 for none. The window sets the deadline: it kills a worker that takes too long and asks the next one
for the plain page. End of input ends it.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from kb_app.entries.catalogue import Catalogue
from kb_app.entries.knowledge_base import load_config
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.entries.signatures import first_hit
from kb_app.errors import KbError, UsageError
from kb_app.plain import to_plain
from kb_app.search.catalogue_file import CARDS, load_cards
from kb_app.workspace.reading import check_text, open_entry

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """What the worker keeps of a knowledge base between requests."""

    config: KnowledgeBaseConfig
    catalogue: Catalogue | None = None
    stamp: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class ReaderWorker:
    """Answers requests one by one; keeps each knowledge base's configuration and catalogue."""

    known: dict[str, _Known] = field(default_factory=dict)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one request.

        Raises:
            KbError: when the entry cannot be opened.
        """
        if request.get("op") == "ping":
            return {"pong": True}
        if request.get("op") == "match":
            return {"hit": first_hit([(str(pattern), str(text)) for pattern, text in request["pairs"]])}
        if request.get("op") not in ("open", "check"):
            raise UsageError(f"The reader does not know {request.get('op')!r}")
        root, path = Path(request["root"]), str(request["path"])
        if request["op"] == "check":
            known = self._known(root, Path(request["index"]))
            files = frozenset(map(str, request.get("files", ())))
            checked = check_text(
                root,
                path,
                str(request["text"]),
                known.config,
                known.catalogue,
                extra_files=files,
                line=int(request.get("line", 0)),
                plain=bool(request.get("plain")),
            )
            return to_plain(checked)  # type: ignore[no-any-return]
        known = self._known(root, Path(request["index"]))
        opened = open_entry(root, path, known.config, known.catalogue, plain=bool(request.get("plain")))
        return {
            "entry": to_plain(opened.entry),
            "plan": to_plain(opened.plan),
            "page": to_plain(opened.page),
        }

    def _known(self, root: Path, index_folder: Path) -> _Known:
        known = self.known.get(str(root))
        if known is None:
            known = self.known[str(root)] = _Known(load_config(root))
        stamp = _stamp(index_folder / CARDS)
        if stamp != known.stamp:
            cards = load_cards(index_folder)
            known.catalogue, known.stamp = (Catalogue(cards) if cards else None), stamp
        return known


def _stamp(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def serve(lines: TextIO, out: TextIO) -> None:
    """Answer every line of ``lines`` on ``out`` until the input ends."""
    worker = ReaderWorker()
    for line in lines:
        number: object = None
        try:
            request = json.loads(line)
            number = request.get("id")
            answer = worker.answer(request)
        except KbError as error:
            answer = {"error": {"title": error.title, "hint": error.hint}}
        except Exception:  # noqa: BLE001 - the worker must outlive any entry; the trace goes to the log
            _log.exception("opening an entry failed")
            answer = {"error": {"title": "This entry could not be opened", "hint": "The log has the details"}}
        out.write(json.dumps({"id": number, **answer}, ensure_ascii=False) + "\n")
        out.flush()


def main() -> int:
    """Run the worker on standard input and output."""
    serve(sys.stdin, sys.stdout)
    return 0
