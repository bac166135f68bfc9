"""The indexing process: one request line with the knowledge bases in, progress lines out.

Request: ``{"bases": [{"name", "root", "folder", "config", "paths"}], "rebuild": false}``, where ``paths`` are
the files that can have changed when they are known (see `update_index`). Then, a JSON object a line:

* ``{"event": "progress", "base", "phase", "done", "total"}``, at most twenty a second
* ``{"event": "names", "base"}``: the names are searchable, a search process may reopen
* ``{"event": "report", "base", "report": {...}}``: that base is up to date
* ``{"event": "failed", "base", "title", "hint"}``: that base could not be indexed
* ``{"event": "done"}``

A line ``{"op": "cancel"}`` or the end of input stops it at the next portion; what was done is kept. It runs
at low priority: typing goes first.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from kb_app.entries.knowledge_base import load_config
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.errors import KbError
from kb_app.plain import from_plain, to_plain
from kb_app.search.indexing import update_index
from kb_app.search.model import IndexProgress

PROGRESS_INTERVAL_S = 0.05
NICENESS = 10


def main() -> int:
    """Index the knowledge bases of one request and report."""
    _lower_priority()
    line = sys.stdin.readline()
    if not line:
        return 0  # it was started ahead of a request that did not come
    try:
        request = json.loads(line)
        bases = request["bases"]
    except (ValueError, KeyError, TypeError):
        _say({"event": "failed", "base": "", "title": "The request is not understood", "hint": ""})
        return 2
    stop = threading.Event()
    threading.Thread(target=_watch_input, args=(stop,), daemon=True).start()
    for base in bases:
        if stop.is_set():
            break
        _index(base, stop, rebuild=bool(request.get("rebuild")))
    _say({"event": "done", "cancelled": stop.is_set()})
    return 0


def _index(base: dict[str, Any], stop: threading.Event, *, rebuild: bool) -> None:
    name = str(base.get("name", ""))
    last = 0.0
    told_names = False

    def on_progress(progress: IndexProgress) -> None:
        nonlocal last, told_names
        now = time.monotonic()
        if progress.phase == "names" and progress.done == progress.total and not told_names:
            told_names = True
            _say({"event": "names", "base": name})
        if now - last >= PROGRESS_INTERVAL_S or progress.done == progress.total:
            last = now
            _say({"event": "progress", "base": name, **to_plain(progress)})

    try:
        root = Path(base["root"])
        plain = base.get("config")
        config = load_config(root) if plain is None else from_plain(KnowledgeBaseConfig, plain)
        report = update_index(
            root,
            name,
            Path(base["folder"]),
            config,
            on_progress=on_progress,
            is_cancelled=stop.is_set,
            rebuild=rebuild,
            processes=min(2, os.cpu_count() or 1),
            paths=base.get("paths"),
        )
    except KbError as error:
        _say({"event": "failed", "base": name, "title": error.title, "hint": error.hint})
        return
    except (KeyError, ValueError, TypeError) as error:
        title = f"The request for {name!r} is not understood: {error}"
        _say({"event": "failed", "base": name, "title": title, "hint": ""})
        return
    _say({"event": "report", "base": name, "report": to_plain(report)})


def _watch_input(stop: threading.Event) -> None:
    for line in sys.stdin:
        if '"cancel"' in line:
            break
    stop.set()


def _say(message: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        os._exit(0)  # nobody listens any more


def _lower_priority() -> None:
    if hasattr(os, "nice"):
        os.nice(NICENESS)
