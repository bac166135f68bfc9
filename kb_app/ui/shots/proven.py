"""Pictures of how far an entry is confirmed, and of its open flags."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from PySide6.QtWidgets import QPushButton

from kb_app.entries.feedback import FlagKind
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.shots.camera import Camera
from kb_app.workspace.contributing import feedback_path, feedback_text

NAME, PATH = "keepers", "lease-lost.md"
_PAGE = """---
kind: runbook
product: keeper
component: lease
owner: "@keepers"
state: verified
alerts: [KeeperLeaseLost]
---
# Lease lost

## Symptoms
Writes fail, the log says `lease lost: renewal timed out`.

## Mitigation: restart the keeper
- Time: 5m
- Risk: low
- Reversible: yes

1. Restart the keeper.
   - Verify: the lease is held again.

## Fix forward
None known.
"""
_NOTES = (
    (FlagKind.WORKED, 12, "", "Ana Kowalski"),
    (FlagKind.UNCLEAR, 5, "Which keeper is meant when there are three in the cell?", "Ben Okafor"),
    (FlagKind.OUTDATED, 40, "Since version 4 the lease is renewed by the proxy.", ""),
)


def take_proven(camera: Camera) -> None:
    """Take an entry that worked and is flagged, its flags closed and open, and one confirmed too long ago."""
    folder = Path(camera.desk.workspace.folders.cache) / "sample" / NAME
    if not folder.is_dir():
        _make(folder)
        camera.desk.add_folder(folder)
        camera.wait_until(lambda: any(base.name == NAME for base in camera.desk.workspace.bases))
        camera.wait_until(lambda: camera.desk.index_state.is_complete)
    _open(camera, PATH)
    reader = camera.window.reading.reader
    camera.wait_until(lambda: reader.facts.findChild(QPushButton, "flagsBadge") is not None)
    camera.shoot("81-confirmed-and-flagged")
    badge = reader.facts.findChild(QPushButton, "flagsBadge")
    assert badge is not None
    badge.setFocus()
    badge.click()
    camera.shoot("82-flags-open")
    badge.click()
    _open(camera, "old.md")
    camera.wait(600)
    camera.shoot("83-confirmed-long-ago")


def _open(camera: Camera, path: str) -> None:
    camera.window.open_entry(EntryRef(NAME, path))
    camera.wait_until(lambda: camera.desk.current is not None and camera.desk.current.ref.path == path)


def _make(folder: Path) -> None:
    today = dt.datetime.now(dt.UTC)
    texts = {PATH: _PAGE, "old.md": _PAGE.replace("# Lease lost", "# Lease flaps")}
    for kind, days, sentence, by in _NOTES:
        at = today - dt.timedelta(days=days)
        texts[feedback_path(PATH, at)] = feedback_text(PATH, kind, sentence, at, by)
    at = today - dt.timedelta(days=425)
    texts[feedback_path("old.md", at)] = feedback_text("old.md", FlagKind.WORKED, "", at, "Chiara Rossi")
    at = today - dt.timedelta(days=2)
    texts[feedback_path("old.md", at)] = feedback_text("old.md", FlagKind.WRONG, "Step 1", at, "Ben Okafor")
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
