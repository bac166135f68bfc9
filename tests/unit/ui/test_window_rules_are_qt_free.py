"""The rules of the panels run without Qt: they can be read, tested and used without a window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RULES = sorted(
    [
        *(ROOT / "kb_app" / "ui").glob("*/state.py"),
        *(ROOT / "kb_app" / "ui").glob("*/marks.py"),
        ROOT / "kb_app" / "ui" / "visited.py",
        ROOT / "kb_app" / "ui" / "timeline" / "geometry.py",
        ROOT / "kb_app" / "ui" / "timeline" / "correcting.py",
        ROOT / "kb_app" / "ui" / "duties" / "review_state.py",
        ROOT / "kb_app" / "ui" / "common" / "diff_lines.py",
        ROOT / "kb_app" / "ui" / "common" / "people.py",
        ROOT / "kb_app" / "ui" / "common" / "remembered.py",
        ROOT / "kb_app" / "ui" / "search" / "answers.py",
        ROOT / "kb_app" / "ui" / "search" / "completion.py",
    ]
)
BLOCKED = """
import sys
for name in ("PySide6", "shiboken6"):
    sys.modules[name] = None
import {module}
"""


@pytest.mark.parametrize("file", RULES, ids=lambda file: str(file.relative_to(ROOT / "kb_app" / "ui")))
def test_it_imports_with_qt_blocked(file: Path) -> None:
    module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED.format(module=module)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
