"""The reader: from a rendered page to a painted one, gaps of the event loop, scrolling, changing the theme.

``python -m bench.reader_bench FOLDER [PAGES]`` takes that many pages (400) of a knowledge base, evenly spread
over their sizes, and prints one line for each size class. Rendering is not counted: it has its own process.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from kb_app.rendering.model import RenderedPage
from kb_app.rendering.page import render
from kb_app.ui.common.jobs import ThreadJobs
from kb_app.ui.common.theme import Theme, ThemeChoice
from kb_app.ui.reader.panel import ReaderPanel

CLASSES = ((0, 14_000), (14_000, 60_000), (60_000, 1_000_000))
"""Bytes of the file, from and below."""


def spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Return ``count`` of ``paths``, evenly spread over their sizes, the largest among them."""
    ordered = sorted(paths, key=lambda path: path.stat().st_size)
    step = max(1.0, len(ordered) / count)
    picked = {ordered[min(len(ordered) - 1, int(number * step))] for number in range(count)}
    return sorted(picked | set(ordered[-3:]))


class Loop:
    """Runs the event loop and watches how long its turns take."""

    def __init__(self) -> None:
        self._timer = QTimer(interval=0)
        self._timer.timeout.connect(self._tick)
        self._last = 0.0
        self.gap_ms = 0.0

    def run_until(self, reader: ReaderPanel, at_least_ms: int = 30) -> float:
        """Run until the page is whole and return the longest turn in milliseconds."""
        loop = QEventLoop()
        self.gap_ms, self._last = 0.0, time.perf_counter()
        self._timer.start()
        if not reader.view.is_complete():
            reader.view.page_completed.connect(loop.quit)
            loop.exec()
            reader.view.page_completed.disconnect(loop.quit)
        QTimer.singleShot(at_least_ms, loop.quit)
        loop.exec()
        self._timer.stop()
        return self.gap_ms

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gap_ms = max(self.gap_ms, 1e3 * (now - self._last))
        self._last = now


def measure(reader: ReaderPanel, loop: Loop, page: RenderedPage, root: Path, path: str) -> dict[str, float]:
    """Return the milliseconds that one page takes."""
    started = time.perf_counter()
    reader.show_page(page, root, path)
    reader.view.viewport().repaint()
    painted = 1e3 * (time.perf_counter() - started)
    gap = loop.run_until(reader)
    bar, steps = reader.view.verticalScrollBar(), []
    for value in range(0, min(bar.maximum(), 3_000), 150):
        started = time.perf_counter()
        bar.setValue(value)
        reader.view.viewport().repaint()
        steps.append(1e3 * (time.perf_counter() - started))
    return {"painted": painted, "gap": max(gap, painted), "scroll": at(steps, 0.5) if steps else 0.0}


def at(values: Sequence[float], share: float) -> float:
    """Return the value below which ``share`` of ``values`` lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> int:
    """Measure and print."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 400
    app = QApplication([])
    theme = Theme(app, ThemeChoice.LIGHT)
    jobs = ThreadJobs(app)
    reader = ReaderPanel(jobs)
    reader.resize(800, 900)
    reader.show()
    loop = Loop()
    rows: dict[tuple[int, int], list[dict[str, float]]] = {sizes: [] for sizes in CLASSES}
    for path in spread([p for p in folder.rglob("*.md") if p.is_file()], count):
        text = path.read_text(encoding="utf-8", errors="replace")
        name = path.relative_to(folder).as_posix()
        page = render(text, path=name, is_file=lambda relative: (folder / relative).is_file())
        for sizes, row in rows.items():
            if sizes[0] <= path.stat().st_size < sizes[1]:
                row.append(measure(reader, loop, page, folder, name))
    print(
        "file, bytes        pages  painted ms: median  p95  max   longest turn ms: p95  max   scroll step ms"
    )
    for (low, high), row in rows.items():
        if row:
            painted, gaps = [r["painted"] for r in row], [r["gap"] for r in row]
            print(
                f"{low:7}-{high:9} {len(row):6} {at(painted, 0.5):18.1f} {at(painted, 0.95):5.1f} "
                f"{max(painted):5.1f} {at(gaps, 0.95):20.1f} {max(gaps):6.1f} "
                f"{at([r['scroll'] for r in row], 0.5):12.1f}"
            )
    started = time.perf_counter()
    theme.toggle()
    reader.view.viewport().repaint()
    print(f"theme switched and painted: {1e3 * (time.perf_counter() - started):.1f} ms")
    jobs.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
