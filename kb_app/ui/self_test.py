"""``--self-test``: opens the window without a screen, indexes, searches, opens a hit, prints a JSON line.

It proves that an installation is whole (fonts, icons, workers, search, rendering) on the machine it runs on.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer

from kb_app.errors import ExitCode
from kb_app.paths import app_folders

DEADLINE_S = 60
QUERY = "error"
"""A word that most knowledge bases hold; else the first entry of all is opened."""


def run_self_test(bases: Sequence[str]) -> int:
    """Run the test in a home of its own and return 0 when everything answered, else 1."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="kb_app-self-test-") as home:
        os.environ["KB_APP_HOME"] = home
        result = _run(bases)
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    return ExitCode.DONE if result["ok"] else ExitCode.FINDINGS


def _run(bases: Sequence[str]) -> dict[str, object]:
    from kb_app.ui.app import Options, Running, make_application  # it imports this module only when asked to

    started = time.monotonic()
    crashes: list[str] = []
    app = make_application()
    folders = [str(Path(base).absolute()) if Path(base).is_dir() else base for base in bases]
    running = Running(app, app_folders(), Options(tuple(folders)))
    running.crashes.crashed.connect(crashes.append)
    desk, window = running.desk, running.window
    running.start()
    is_indexed = _wait(lambda: desk.index_state.is_complete)
    window.search_for(QUERY)
    is_found = _wait(lambda: desk.last_answer is not None and desk.last_answer.query == QUERY)
    if window.results.list.current_ref() is None:
        window.search.clear()
        _wait(lambda: bool(window.results.list.rows))
    ref = next((row.ref for row in window.results.list.rows if row.ref is not None), None)
    if ref is not None:
        window.open_entry(ref)
    is_opened = ref is not None and _wait(lambda: desk.current is not None and desk.current.ref == ref)
    is_painted = not window.grab().isNull()
    result: dict[str, object] = {
        "ok": is_indexed and is_found and is_opened and is_painted and not crashes,
        "indexed": is_indexed,
        "pages": sum((desk.index_state.pages or {}).values()),
        "searched": is_found,
        "opened": desk.current.ref.path if desk.current is not None else None,
        "painted": is_painted,
        "crashes": crashes,
        "message": window.messages.current.text if window.messages.current else None,
        "seconds": round(time.monotonic() - started, 2),
    }
    window.close()
    running.finish()
    return result


def _wait(is_true: Callable[[], bool]) -> bool:
    """Run the event loop until ``is_true`` or the deadline; tell which it was."""
    loop = QEventLoop()
    until = time.monotonic() + DEADLINE_S

    def look() -> None:
        if is_true() or time.monotonic() > until:
            loop.quit()

    timer = QTimer(interval=10)
    timer.timeout.connect(look)
    timer.start()
    loop.exec()
    timer.stop()
    return is_true()
