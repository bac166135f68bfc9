"""When Python's garbage collector runs while the window is open: between two events, on the window's thread.

Left to itself it runs wherever an object happens to be made: inside a widget's paint, or on the thread of a
job. What it destroys may be a widget or a timer; destroying one in the middle of a paint, or on another
thread, ends the process. So it is switched off and a timer does its work: Qt delivers a timer's event only
between others.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, Qt, QTimer

INTERVAL_MS = 1_000
"""Pause between two looks at how much was made; what a second makes is collected in a few milliseconds."""

YOUNG_OBJECTS = 2_000
"""Objects made and not freed since the last collection that are worth one; Python's own measure is 700."""

YOUNG_BEFORE_FULL = 20
"""Collections of young objects before one of everything made since `Collector.settle`."""


class Collector(QObject):
    """Collects garbage at moments when nothing of Qt is under way on this thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Change nothing before `start`."""
        super().__init__(parent)
        self._was_enabled = False
        self._young = 0
        self._timer = QTimer(self, interval=INTERVAL_MS, timerType=Qt.TimerType.CoarseTimer)
        self._timer.timeout.connect(self.look)

    def start(self) -> None:
        """Take over from Python: from now on garbage goes when the event loop runs, and only then."""
        if not self._timer.isActive():
            self._was_enabled = gc.isenabled()
            gc.disable()
            self._timer.start()

    def settle(self) -> None:
        """Leave alone what lives as long as the program (modules, classes): collections pass it over."""
        gc.freeze()

    def stop(self) -> None:
        """Give the collecting back to Python."""
        if self._timer.isActive():
            self._timer.stop()
            gc.unfreeze()
            if self._was_enabled:
                gc.enable()

    def look(self) -> None:
        """Collect when enough was made since the last time."""
        if gc.get_count()[0] < YOUNG_OBJECTS:
            return
        self._young += 1
        if self._young > YOUNG_BEFORE_FULL:
            self._young = 0
            gc.collect()
        else:
            gc.collect(1)
