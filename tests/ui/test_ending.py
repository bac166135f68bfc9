"""How the program is ended from outside."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from kb_app.ui.app import end_on_signals

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_the_window_from_the_event_loop_not_in_the_middle_of_work(
    qtbot: QtBot, number: signal.Signals
) -> None:
    lock = threading.Lock()

    class Window(QWidget):
        def closeEvent(self, event) -> None:  # noqa: N802 - a name of Qt
            assert lock.acquire(blocking=False)
            lock.release()
            super().closeEvent(event)

    window = Window()
    qtbot.addWidget(window)
    window.show()
    end_on_signals(window)
    with lock:
        os.kill(os.getpid(), number)
        assert window.isVisible()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=60_000)
