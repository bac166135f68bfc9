"""Measure how long an event of a record waits: the append that acknowledges it, the commit that follows.

    .venv/bin/python -m bench.records_bench [EVENTS] [FOLDER]

An append ends with its line flushed to the disk; figures depend on the disk that FOLDER lies on. Commits are
taken one event at a time, the worst case: in the window several events share one.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kb_app.incidents.events import EventType
from kb_app.paths import AppFolders
from kb_app.settings import load_settings
from kb_app.workspace.record_store import commit_queue
from kb_app.workspace.records import Commits, open_book


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def figures(name: str, spans_ms: Sequence[float]) -> str:
    """Return median, 95th percentile and worst of ``spans_ms`` in one line."""
    ordered = sorted(spans_ms)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return (
        f"{name:<44} median {statistics.median(ordered):7.1f} ms   p95 {p95:7.1f} ms   "
        f"worst {ordered[-1]:7.1f} ms   n {len(ordered)}"
    )


def main(words: Sequence[str]) -> int:
    """Print the figures."""
    events = int(words[0]) if words else 200
    parent = Path(words[1]) if len(words) > 1 else None
    with tempfile.TemporaryDirectory(prefix="kb_app-records-", dir=parent) as folder:
        top = Path(folder)
        folders = AppFolders(top / "config", top / "cache", top / "data", top / "logs")
        alone = open_book(folders, author="ana", commits=Commits.NEVER)
        name = alone.open({"title": "checkout down"}).place.id
        note = {"text": "looked at the dashboard, error rate at 40 %"}
        plain = [_timed(lambda: alone.add(name, EventType.NOTE, note)) for _ in range(events)]
        later = open_book(folders, author="ana", commits=Commits.LATER)
        queue = commit_queue(folders, load_settings(folders), author="ana")
        queue.flush()
        behind = [_timed(lambda: later.add(name, EventType.NOTE, note)) for _ in range(events)]
        queue.flush()
        commits = []
        for _ in range(max(10, events // 4)):
            alone.add(name, EventType.NOTE, note)
            commits.append(_timed(lambda: (later.commit(name, "a note"), queue.flush())))
        lines = (
            figures("event acknowledged, no Git behind it", plain),
            figures("event acknowledged, commits behind it", behind),
            figures("commit of one event", commits),
        )
        sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
