"""The door: no words open the window, ``--worker NAME`` runs a worker, other words go to the command line.

Each branch imports only what it needs: the window never loads Whoosh, a worker never loads Qt.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from kb_app.logs import start_logging
from kb_app.paths import app_folders

WINDOW_OPTIONS = ("--kb", "--self-test", "--query", "--paste")


def main(words: Sequence[str] | None = None) -> int:
    """Start the window, a worker or the command line, and return the exit code."""
    if getattr(sys, "frozen", False):
        from multiprocessing import (
            freeze_support,
        )  # the indexer's helper processes start through this program

        freeze_support()
    words = list(sys.argv[1:] if words is None else words)
    if words[:1] == ["--worker"]:
        return _worker(words[1:])
    if _wants_window(words) and Path(sys.argv[0]).stem != "kb":
        from kb_app.ui.app import run  # Qt is loaded for the window alone

        start_logging(app_folders().logs, process="window")
        return run(words)
    return command_line(words)


def command_line(words: Sequence[str] | None = None) -> int:
    """Run the command line ``kb`` and return the exit code."""
    from kb_app.cli.main import main as run_command  # the window does not need it

    return run_command(sys.argv[1:] if words is None else words)


def _wants_window(words: Sequence[str]) -> bool:
    """Tell whether the words hold options of the window only: ``--kb X`` alone opens X in the window."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, _, value = word.partition("=")
        if name not in WINDOW_OPTIONS:
            return False
        if name not in ("--self-test", "--paste") and not value and rest:
            rest.pop(0)
    return True


def _worker(words: Sequence[str]) -> int:
    name = words[0] if words else ""
    start_logging(app_folders().logs, process=f"worker-{name}" if name.isalpha() else "worker")
    for stream in (sys.stdin, sys.stdout):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="surrogatepass", newline="\n")
    if name == "search":
        from kb_app.search.worker import main as run_worker
    elif name == "index":
        from kb_app.search.index_worker import main as run_worker
    elif name == "reader":
        from kb_app.workspace.reader_worker import main as run_worker
    else:
        print(f"kb: there is no worker {name!r}", file=sys.stderr)  # noqa: T201 - before any interface exists
        return 2
    return run_worker()


if __name__ == "__main__":
    sys.exit(main())
