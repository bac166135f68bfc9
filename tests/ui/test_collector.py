"""Garbage goes between two events, on the window's thread; a full clipboard is no crash at the end."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kb_app.ui.collector import YOUNG_BEFORE_FULL, YOUNG_OBJECTS, Collector
from kb_app.ui.common.jobs import ThreadJobs

ENDING = """
import sys
from PySide6.QtCore import QTimer
from kb_app.incidents.markup import Form
from kb_app.paths import app_folders
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.export.clipboard import put_on_clipboard

app = make_application()
running = Running(app, app_folders(), Options((sys.argv[1],)))
running.start()
put_on_clipboard("<b>copied</b>", Form.HTML)
running.window.painted.connect(lambda: QTimer.singleShot(0, running.window.close))
app.exec()
running.finish()
"""


class Knot:
    """An object that holds itself: only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector(qapp: QApplication) -> Iterator[Collector]:
    gc.enable()
    one = Collector(qapp)
    one.start()
    yield one
    one.stop()
    assert gc.isenabled()


def left_alone(gone_on: list[int]) -> None:
    """Make garbage and note the thread that destroys it."""
    knot = Knot()
    weakref.finalize(knot, lambda: gone_on.append(threading.get_ident()))


def make_much() -> int:
    return len([[number] for number in range(50 * YOUNG_OBJECTS)])


def test_a_job_never_destroys_what_the_window_left(
    collector: Collector, qtbot: QtBot, qapp: QApplication
) -> None:
    gone_on: list[int] = []
    done: list[int] = []
    jobs = ThreadJobs(qapp)
    left_alone(gone_on)
    jobs.run(make_much, on_done=done.append)
    qtbot.waitUntil(lambda: bool(done), timeout=60_000)
    jobs.close()
    assert gone_on == []
    kept = [[] for _ in range(2 * YOUNG_OBJECTS)]
    collector.look()
    assert gone_on == [threading.get_ident()]
    assert kept


def test_nothing_is_collected_while_little_was_made(collector: Collector) -> None:
    gone_on: list[int] = []
    gc.collect(1)
    left_alone(gone_on)
    collector.look()
    assert gone_on == []


def test_what_became_old_goes_in_time(collector: Collector) -> None:
    gone_on: list[int] = []
    knot = Knot()
    weakref.finalize(knot, lambda: gone_on.append(1))
    gc.collect()  # it is old now: a collection of the young does not see it
    del knot
    kept: list[list[object]] = []
    for _ in range(YOUNG_BEFORE_FULL + 1):
        kept += [[] for _ in range(2 * YOUNG_OBJECTS)]
        collector.look()
    assert gone_on == [1]


def test_a_window_that_copied_rich_text_ends_without_a_crash(tmp_path: Path, root: Path) -> None:
    (tmp_path / "note.md").write_text("# Flux capacitor is empty\n")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", ENDING, str(tmp_path)],
        cwd=root,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
