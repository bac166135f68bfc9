"""Measures the window: start, keystroke to painted list, opening an entry, gaps of the event loop, memory.

    python bench/window_bench.py [FOLDER…] [--platform offscreen|xcb] [--runs N]

Every figure is taken in a process of its own with a fresh home; starts are timed from before the process
exists. ``xcb`` needs a display: ``xvfb-run -a -s "-screen 0 1600x1000x24" python bench/window_bench.py …``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORDS = (
    "etcd leader lost",
    "disk full",
    "certificate expired",
    "pod crash looping",
    "replication lag",
    "high memory usage",
    "connection refused",
    "how to drain a node",
    "backup failed",
    "volume attach error",
)


# -- in the measured process --------------------------------------------------------------------------------


def child(mode: str, bases: Sequence[str], started_at: float) -> dict[str, object]:
    """Run one measurement and return its figures (milliseconds, megabytes)."""
    sys.path.insert(0, str(ROOT))
    from kb_app.paths import app_folders
    from kb_app.ui.app import Options, Running, make_application

    app = make_application()
    running = Running(app, app_folders(), Options(tuple(bases), query="disk" if mode == "start" else ""))
    running.window.resize(1440, 900)
    probe = Probe(running)
    figures = {"start": measure_start, "type": measure_typing, "index": measure_indexing}[mode](
        probe, started_at
    )
    running.window.close()
    running.finish()
    return figures


class Probe:
    """Waits for paints and answers of a running window."""

    def __init__(self, running: object) -> None:
        from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer

        self.running = running
        self.window = running.window  # type: ignore[attr-defined]
        self.desk = running.desk  # type: ignore[attr-defined]
        self._loop_type, self._timer_type = QEventLoop, QTimer
        paints: dict[int, float] = {}
        self.paints = paints

        class Filter(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
                if event.type() == QEvent.Type.Paint:
                    paints[id(watched)] = time.perf_counter()
                return False

        self._filter = Filter()
        self._watched: list[object] = []

    def watch(self, widget: object) -> None:
        """Note when ``widget`` is painted."""
        widget.installEventFilter(self._filter)  # type: ignore[attr-defined]
        self._watched.append(widget)

    def painted_after(self, widget: object, moment: float) -> bool:
        """Tell whether ``widget`` was painted after ``moment``."""
        return self.paints.get(id(widget), 0.0) > moment

    def wait(self, is_true: Callable[[], bool], seconds: float = 60) -> bool:
        """Run the event loop until ``is_true``; look after every millisecond."""
        loop, until = self._loop_type(), time.perf_counter() + seconds
        timer = self._timer_type()
        timer.setInterval(1)
        timer.timeout.connect(lambda: loop.quit() if is_true() or time.perf_counter() > until else None)
        timer.start()
        loop.exec()
        timer.stop()
        return is_true()

    def rest(self, milliseconds: int) -> None:
        """Let events pass."""
        until = time.perf_counter() + milliseconds / 1000
        self.wait(lambda: time.perf_counter() > until)

    def wait_for_index(self) -> None:
        """Wait until every knowledge base is indexed and the search is idle."""
        self.wait(lambda: self.desk.index_state.is_complete, 900)
        self.wait(lambda: not self.desk.search.is_busy)


def measure_start(probe: Probe, started_at: float) -> dict[str, object]:
    """Return process start to painted window and to first painted result."""
    times: dict[str, float] = {}
    viewport = probe.window.results.list.viewport()
    probe.watch(viewport)
    probe.window.painted.connect(lambda: times.setdefault("painted", time.time()))
    probe.running.start()  # type: ignore[attr-defined]
    probe.wait(lambda: "painted" in times)
    found: list[float] = []
    probe.desk.found.connect(lambda _found: found.append(time.perf_counter()))
    probe.wait(lambda: bool(probe.window.results.list.rows))
    probe.wait(lambda: bool(found) and probe.painted_after(viewport, found[0]), 2)
    times["result"] = time.time()
    cpu_ms = 1000 * time.process_time()
    probe.wait(lambda: probe.running.is_ready, 5)  # type: ignore[attr-defined]
    return {name: 1000 * (at - started_at) for name, at in times.items()} | {
        "cpu": cpu_ms,
        "window_mb": memory(os.getpid()),
    }


def measure_typing(probe: Probe, _started_at: float) -> dict[str, object]:
    """Return keystroke to painted list and open to painted page, and the memory of window and workers."""
    window, desk = probe.window, probe.desk
    viewport = window.results.list.viewport()
    probe.watch(viewport)
    probe.running.start()  # type: ignore[attr-defined]
    probe.wait_for_index()
    window.reading.prepare()
    keys: list[float] = []
    answered: list[str] = []
    desk.found.connect(lambda found: answered.append(found.answer.query))
    window.focus_search()

    def press(text: str) -> float:
        count, begin = len(answered), time.perf_counter()
        window.search.edit.setText(text)
        probe.wait(lambda: text in answered[count:] and probe.painted_after(viewport, begin), 5)
        return 1000 * (probe.paints.get(id(viewport), time.perf_counter()) - begin)

    for words in WORDS:
        window.search.clear()
        probe.rest(250)
        for end in range(1, len(words) + 1):
            keys.append(press(words[:end]))
            probe.rest(20)
    opens = _measure_opens(probe)
    return {
        "keys": keys,
        "opens": opens,
        "window_mb": memory(os.getpid()),
        "search_mb": memory(desk.workers.search.process_id),
        "reader_mb": memory(desk.workers.reader.process_id),
    }


def _measure_opens(probe: Probe) -> list[tuple[int, float]]:
    """Return the size in bytes and the milliseconds to the painted page for many entries."""
    window, desk = probe.window, probe.desk
    page = window.reading.reader.view.viewport()
    probe.watch(page)
    refs = []
    for words in WORDS:
        window.search.set_text(words)
        probe.wait(lambda: not desk.search.is_busy, 5)
        probe.rest(30)
        refs.extend(row.ref for row in window.results.list.rows[:6] if row.ref is not None)
    opens: list[tuple[int, float]] = []
    window.search.clear()
    probe.rest(300)

    def open_one(ref: object) -> None:
        def is_open() -> bool:
            return desk.current is not None and desk.current.ref == ref

        begin = time.perf_counter()
        desk.open(ref)
        if probe.wait(lambda: is_open() and probe.painted_after(page, begin), 5):
            opens.append((desk.current.entry.size_bytes, 1000 * (probe.paints[id(page)] - begin)))
        probe.rest(30)

    for ref in dict.fromkeys(refs):
        open_one(ref)
    return opens


def measure_indexing(probe: Probe, _started_at: float) -> dict[str, object]:
    """Return gaps of a 5 ms timer while the first index is made and a user types."""
    from PySide6.QtCore import Qt, QTimer

    gaps: list[float] = []
    last = [time.perf_counter()]

    def tick() -> None:
        now = time.perf_counter()
        gaps.append(1000 * (now - last[0]))
        last[0] = now

    painted: list[bool] = []
    probe.window.painted.connect(lambda: painted.append(True))
    probe.running.start()  # type: ignore[attr-defined]
    probe.wait(lambda: bool(painted))
    probe.rest(600)
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    last[0] = time.perf_counter()
    timer.start(5)
    texts = [words[:end] for words in WORDS for end in range(1, len(words) + 1)]
    for text in texts:
        if probe.desk.index_state.is_complete:
            break
        probe.window.search.edit.setText(text)
        probe.rest(120)
    timer.stop()
    pages = sum((probe.desk.index_state.pages or {}).values())
    return {"gaps": gaps, "pages": pages}


def memory(process_id: int) -> float:
    """Return the resident set of a process in megabytes, 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{process_id}/status").read_text()
    except OSError:
        return 0.0
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


# -- in the measuring process -------------------------------------------------------------------------------


def run_child(mode: str, bases: Sequence[str], platform: str, home: str) -> dict[str, object]:
    """Measure in a new process and return its figures."""
    environment = {**os.environ, "KB_APP_HOME": home, "QT_QPA_PLATFORM": platform}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed kb_app has its bytecode
    environment["PYTHONPYCACHEPREFIX"] = str(Path(home) / "bytecode")
    started_at = time.time()
    done = subprocess.run(
        [sys.executable, __file__, "--child", mode, "--started-at", repr(started_at), *bases],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the measured process failed:\n{done.stderr}")
    figures: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return figures


def summary(values: Sequence[float]) -> str:
    """Return median, 95th percentile and worst."""
    if not values:
        return "none"
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"{statistics.median(ordered):6.0f} {p95:6.0f} {ordered[-1]:6.0f}   (n={len(ordered)})"


def report(bases: Sequence[str], platform: str, runs: int) -> None:
    """Measure everything and print a table."""
    with tempfile.TemporaryDirectory(prefix="kb_app-bench-") as home:
        indexing = run_child("index", bases, platform, home)
        typing = run_child("type", bases, platform, home)
        starts = [run_child("start", bases, platform, home) for _ in range(runs)]
    print(f"platform {platform}, {indexing['pages'] or 'all'} pages, {len(bases)} knowledge base(s)")
    print(f"{'':44}{'p50':>6} {'p95':>6} {'worst':>6}   budget")
    opens = typing["opens"]
    assert isinstance(opens, list)
    rows: list[tuple[str, Sequence[float], str]] = [
        ("start to painted window, ms", [s["painted"] for s in starts], "600"),  # type: ignore[misc]
        ("start to first painted result, ms", [s["result"] for s in starts], "1200"),  # type: ignore[misc]
        ("keystroke to painted list, ms", typing["keys"], "p95 60"),  # type: ignore[list-item]
        ("open an entry up to 14 kB, ms", [ms for size, ms in opens if size <= 14_000], "p95 50"),
        ("open a larger entry, ms", [ms for size, ms in opens if size > 14_000], "p95 400"),
        ("event loop gap while indexing and typing, ms", indexing["gaps"], "worst 50"),  # type: ignore[list-item]
    ]
    for name, values, budget in rows:
        print(f"{name:44}{summary(values):32} {budget}")
    for name, budget in (("window", 150), ("search", 250), ("reader", 0)):
        print(f"memory of {name}, MB{'':{30 - len(name)}}{typing[f'{name}_mb']:6.0f}{'':28}{budget or ''}")


def main() -> int:
    """Measure, or run one measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("bases", nargs="*")
    parser.add_argument("--platform", default=os.environ.get("QT_QPA_PLATFORM", "offscreen"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--child", choices=("start", "type", "index"))
    parser.add_argument("--started-at", type=float, default=0.0)
    options = parser.parse_args()
    bases = [str(Path(base).absolute()) for base in options.bases] or [str(ROOT / "content")]
    if options.child:
        print(json.dumps(child(options.child, bases, options.started_at)))
    else:
        report(bases, options.platform, options.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
