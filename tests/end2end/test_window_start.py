"""What a start brings into the window's process before the window is painted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NOT_BEFORE_PAINT = (
    "git",
    "kb_app.decision",
    "kb_app.gitstore",
    "kb_app.incidents",
    "kb_app.rendering.markdown",
    "kb_app.search.engine",
    "kb_app.ui.reader",
    "markdown",
    "numpy",
    "whoosh",
)
"""Packages and modules that no first paint needs; with them all they hold."""

UI_BEFORE_PAINT = {
    "app", "common", "crashes", "desk", "features", "filters", "home", "panes", "reading_pane", "response",
    "results", "screen", "search", "searching", "single_instance", "steps", "topbar", "visited", "window",
    "window_session",
}  # fmt: skip
"""Parts of ``kb_app.ui`` that make the first picture; of every other folder only its feature is read."""

FEATURE_MODULES = {"feature", "current", "notice", "short_events"}
"""What the folder of a capability may bring before the paint: how it joins, none of its pages."""

PROGRAM = """
import json, sys
from kb_app.paths import app_folders
from kb_app.ui.app import Options, Running, make_application

app = make_application()
running = Running(app, app_folders(), Options((sys.argv[1],)))
seen = []
running.window.painted.disconnect()
running.window.painted.connect(lambda: (seen.extend(sys.modules), app.quit()))
running.start()
app.exec()
running.window.close()
running.finish()
print(json.dumps(sorted(seen)))
"""


THIRD_PARTIES = {"PySide6", "platformdirs", "shiboken6", "shibokensupport", "signature_bootstrap", "yaml"}
"""Packages of others that are allowed before the paint; ``yaml`` reads ``kb.yml``."""


def modules_before_paint(home: Path) -> list[str]:
    """Return what was imported when the window had just been painted, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(ROOT / "content")],
        env={**os.environ, "KB_APP_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_nothing_is_imported_before_the_first_paint_that_it_does_not_need(tmp_path: Path) -> None:
    modules = modules_before_paint(tmp_path)
    assert "kb_app.ui.window" in modules
    banned = [m for m in modules for name in NOT_BEFORE_PAINT if m == name or m.startswith(f"{name}.")]
    assert not banned
    tops = {m.partition(".")[0] for m in modules} - set(sys.stdlib_module_names) - {"kb_app"}
    assert {top for top in tops if top.isidentifier() and not top.startswith("_")} <= THIRD_PARTIES | {
        "cython_runtime"
    }
    ui = [m.split(".")[2:] for m in modules if m.startswith("kb_app.ui.")]
    pages = [".".join(parts) for parts in ui if parts[0] not in UI_BEFORE_PAINT and len(parts) > 1]
    assert not [name for name in pages if name.rpartition(".")[2] not in FEATURE_MODULES]
