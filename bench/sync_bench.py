"""Measures repositories in the window: adding a large one, a sync of ten pages, a remote that hangs.

    python bench/sync_bench.py FOLDER [--seconds 60] [--platform offscreen|xcb]

``FOLDER`` holds the pages; they are committed to a bare repository that is served over HTTP on loopback from
another process. ``QT_QPA_PLATFORM=xcb`` needs a display, see `window_bench.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from window_bench import Probe

    from kb_app.ui.sync.feature import SyncFeature

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("disk full", "etcd leader", "certificate expired", "replication lag")
CHANGED = 10


# -- in the measured process --------------------------------------------------------------------------------


class Gaps:
    """Gaps of a 5 ms timer, milliseconds."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.values: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.values.append(1000 * (now - self._last))
        self._last = now

    def start(self) -> None:
        """Begin anew."""
        self.values.clear()
        self._last = time.perf_counter()
        self._timer.start(5)

    def stop(self) -> list[float]:
        """Return the gaps since `start`."""
        self._timer.stop()
        return list(self.values)


def child(address: str, silent: str, seconds: float) -> dict[str, object]:
    """Add the repository, sync a change, then let the remote hang; return the figures."""
    sys.path.insert(0, str(ROOT))
    from window_bench import Probe

    from kb_app.paths import app_folders
    from kb_app.ui.app import Options, Running, make_application

    app = make_application()
    running = Running(app, app_folders(), Options())
    running.window.resize(1440, 900)
    running.start()
    probe = Probe(running)
    probe.wait_for_index()
    probe.rest(1500)
    figures = measure_adding(probe, address) | measure_change(probe) | measure_hanging(probe, silent, seconds)
    running.window.close()
    running.finish()
    return figures


def measure_adding(probe: Probe, address: str) -> dict[str, object]:
    """Return the times from the button to copy, names, first hit and whole index, and the gaps."""
    window, desk = probe.window, probe.desk
    feature, gaps = sync_feature(probe), Gaps()
    figures: dict[str, object] = {}
    gaps.start()
    feature.show_add_page(address)
    page = feature.add_page
    probe.wait(page.add.isEnabled)
    figures["gaps_page"] = gaps.stop()
    begin = time.perf_counter()

    def note(key: str) -> None:
        figures.setdefault(key, time.perf_counter() - begin)

    desk.indexing.names_ready.connect(lambda _name: note("names_s"))
    desk.bases_changed.connect(lambda: note("cloned_s"))
    gaps.start()
    page.add.click()
    probe.wait(lambda: "cloned_s" in figures, 300)
    window.search.set_text("runbook")
    probe.wait(
        lambda: any(row.ref and row.ref.knowledge_base == "remote" for row in window.results.list.rows), 300
    )
    note("first_hit_s")
    probe.wait(lambda: desk.index_state.is_complete, 600)
    note("complete_s")
    figures["pages"] = sum((desk.index_state.pages or {}).values())
    figures["gaps_adding"] = gaps.stop()
    probe.rest(1000)
    return figures


def measure_change(probe: Probe) -> dict[str, object]:
    """Return the times of a sync of ten pages and until they are found, and the gaps meanwhile."""
    window, feature, gaps = probe.window, sync_feature(probe), Gaps()
    print(json.dumps({"event": "change"}), flush=True)
    sys.stdin.readline()
    synced: list[float] = []
    feature.synced.connect(lambda _name, _done: synced.append(time.perf_counter()))
    window.search.set_text("zyzzogeton")
    probe.rest(500)
    gaps.start()
    begin = time.perf_counter()
    feature.run_now()
    probe.wait(lambda: len(found_rows(probe)) >= CHANGED, 60)
    figures = {
        "sync_s": synced[0] - begin,
        "searchable_s": time.perf_counter() - synced[0],
        "gaps_sync": gaps.stop(),
    }
    probe.wait_for_index()
    return figures


def measure_hanging(probe: Probe, silent: str, seconds: float) -> dict[str, object]:
    """Return the gaps while the remote hangs and a user types, and how long cancelling takes."""
    window, feature, gaps = probe.window, sync_feature(probe), Gaps()
    assert feature.queue.store is not None
    area = feature.queue.store.area
    area.update(replace(area.clones()[0], url=silent))

    def type_for(seconds: float) -> None:
        end, number = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            words = WORDS[number // 12 % len(WORDS)]
            window.search.edit.setText(words[: number % 12 + 1])
            number += 1
            probe.rest(150)

    type_for(5)
    gaps.start()
    type_for(seconds)
    figures: dict[str, object] = {"gaps_typing": gaps.stop()}
    gaps.start()
    feature.run_now()
    probe.rest(round(1000 * seconds))
    figures["gaps_hanging"] = gaps.stop()
    feature.run_now()
    gaps.start()
    type_for(seconds)
    figures["gaps_both"] = gaps.stop()
    if not any(status.is_syncing for status in feature.queue.statuses):
        feature.run_now()
        probe.rest(500)
    begin = time.perf_counter()
    feature.queue.cancel(feature.queue.statuses[0].name)
    probe.wait(lambda: not feature.queue.statuses[0].is_syncing, 30)
    return figures | {"cancel_s": time.perf_counter() - begin}


def sync_feature(probe: Probe) -> SyncFeature:
    """Return the feature that is measured."""
    from kb_app.ui.sync.feature import SyncFeature

    feature: SyncFeature = probe.window.feature(SyncFeature)
    return feature


def found_rows(probe: Probe) -> list[object]:
    """Return the hits that are listed."""
    is_zyzzogeton = probe.desk.last_answer is not None and probe.desk.last_answer.verdict == "match"
    rows = probe.window.results.list.rows
    return [row for row in rows if row.ref is not None] if is_zyzzogeton else []


# -- in the measuring process -------------------------------------------------------------------------------


def make_remote(folder: Path, pages: Path) -> Path:
    """Commit ``pages`` to a bare repository and return a colleague's copy of it."""
    work, bare = folder / "work", folder / "remote.git"
    shutil.copytree(pages, work, ignore=shutil.ignore_patterns(".git"))
    git(folder, "init", "-q", "-b", "main", str(work))
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "docs: all pages")
    git(folder, "clone", "-q", "--bare", str(work), str(bare))
    git(bare, "repack", "-adq")  # as servers keep them
    git(bare, "config", "uploadpack.allowFilter", "true")
    git(work, "remote", "add", "origin", str(bare))
    return work


def git(folder: Path, *words: str) -> None:
    """Run git as a colleague."""
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Bob",
        "GIT_AUTHOR_EMAIL": "bob@example.org",
        "GIT_COMMITTER_NAME": "Bob",
        "GIT_COMMITTER_EMAIL": "bob@example.org",
    }
    subprocess.run(["git", *words], cwd=folder, env=environment, check=True)


def change(work: Path) -> None:
    """Push a change of ten pages."""
    from kb_app.entries.knowledge_base import load_config, walk

    files = walk(work, load_config(work)).files
    for file in files[:: max(1, len(files) // CHANGED)][:CHANGED]:
        page = work / file.path
        page.write_text(page.read_text("utf-8", "replace") + "\nThe zyzzogeton was replaced.\n", "utf-8")
    git(work, "commit", "-q", "-a", "-m", "docs: ten pages")
    git(work, "push", "-q", "origin", "main")


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    kept.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/remote.git"
        for connection in kept:
            connection.close()


def measure(pages: Path, platform: str, seconds: float) -> dict[str, object]:
    """Run the measured process beside the servers."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fixtures")]
    from gitstore_http import serve_http

    with tempfile.TemporaryDirectory(prefix="kb_app-sync-bench-") as home:
        folder = Path(home)
        work = make_remote(folder, pages)
        with serve_http(folder) as server, silent_server() as silent:
            environment = {**os.environ, "KB_APP_HOME": str(folder / "home"), "QT_QPA_PLATFORM": platform}
            address = f"{server.url}/remote.git"
            with subprocess.Popen(
                [sys.executable, __file__, str(work), "--child", address, silent, "--seconds", str(seconds)],
                env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            ) as process:  # fmt: skip
                assert process.stdin is not None
                assert process.stdout is not None
                for line in process.stdout:
                    message: dict[str, object] = json.loads(line)
                    if message.get("event") != "change":
                        return message
                    change(work)
                    process.stdin.write("\n")
                    process.stdin.flush()
    raise SystemExit("the measured process failed")


def report(figures: dict[str, object]) -> None:
    """Print a table."""
    print(f"{figures['pages']} pages")
    for name, key, budget in (
        ("add pressed to copied, s", "cloned_s", ""),
        ("add pressed to names published, s", "names_s", ""),
        ("add pressed to first hit, s", "first_hit_s", "20"),
        ("add pressed to all indexed, s", "complete_s", ""),
        ("sync of ten pages, s", "sync_s", ""),
        ("synced to searchable, s", "searchable_s", "0.5"),
        ("cancel of a hanging sync, s", "cancel_s", "1"),
    ):
        print(f"{name:44}{figures[key]!s:>8.6}   {budget}")
    for name, key in (
        ("opening the page", "gaps_page"),
        ("adding", "gaps_adding"),
        ("a sync", "gaps_sync"),
        ("remote hanging", "gaps_hanging"),
        ("typing, nothing else", "gaps_typing"),
        ("typing, remote hanging", "gaps_both"),
    ):
        gaps = sorted(figures[key])  # type: ignore[call-overload]
        p99 = gaps[round(0.99 * (len(gaps) - 1))]
        title = f"event loop gap, {name}, ms"
        print(f"{title:44} p99 {p99:6.1f}  worst {gaps[-1]:6.1f}   50")


def main(words: Sequence[str]) -> int:
    """Measure, or be the measured process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--platform", default=os.environ.get("QT_QPA_PLATFORM", "offscreen"))
    parser.add_argument("--child", nargs=2, metavar=("ADDRESS", "SILENT"))
    options = parser.parse_args(words)
    if options.child:
        print(json.dumps(child(*options.child, options.seconds)), flush=True)
    else:
        report(measure(options.folder.absolute(), options.platform, options.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
