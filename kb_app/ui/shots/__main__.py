"""Take the pictures; see the package."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QGuiApplication

from kb_app.paths import app_folders
from kb_app.resources import content_folder
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.theme import ThemeChoice
from kb_app.ui.shots.aftermath import take_duties, take_export, take_timeline
from kb_app.ui.shots.camera import Camera
from kb_app.ui.shots.contributing import take_contributing
from kb_app.ui.shots.history import take_conflict, take_history
from kb_app.ui.shots.layers import take_layers
from kb_app.ui.shots.proven import take_proven
from kb_app.ui.shots.proving import take_conformance, take_drill
from kb_app.ui.shots.reading import take_narrow, take_reading
from kb_app.ui.shots.responding import take_responding
from kb_app.ui.shots.searching import take_searching
from kb_app.ui.shots.syncing import take_syncing

SIZES = (QSize(1440, 900), QSize(1280, 800))

SCENES: Mapping[str, Callable[[Camera], None]] = {
    "reading": take_reading,
    "narrow": take_narrow,
    "conformance": take_conformance,
    "drill": take_drill,
    "history": take_history,
    "contributing": take_contributing,
    "responding": take_responding,
    "searching": take_searching,
    "conflict": take_conflict,
    "layers": take_layers,
    "timeline": take_timeline,
    "duties": take_duties,
    "export": take_export,
    "syncing": take_syncing,
    "proven": take_proven,
}
"""Each is called with the panes in front, once for each theme and size; it leaves them in front."""


def take(folder: Path, bases: Sequence[str], scene: Callable[[Camera], None]) -> None:
    """Write the pictures of one scene, from a window with a home of its own."""
    with tempfile.TemporaryDirectory(prefix="kb_app-shots-") as home:
        os.environ["KB_APP_HOME"] = home
        app = make_application()
        running = Running(app, app_folders(), Options(tuple(bases)))
        camera = Camera(running, folder)
        running.start()
        camera.wait_until(lambda: running.desk.index_state.is_complete)
        for theme in (ThemeChoice.LIGHT, ThemeChoice.DARK):
            running.theme.set_choice(theme)
            for size in SIZES:
                running.window.resize(size)
                scene(camera)
                running.window.show_panes()
        running.window.close()
        running.finish()
        QGuiApplication.quit()


def take_apart(folder: Path, bases: Sequence[str], scene: str) -> int:
    """Take one scene in a process of its own, which none other sees, and return its exit code."""
    command = [sys.executable, "-m", "kb_app.ui.shots", str(folder), *bases, "--only", scene]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own interpreter


def main(words: Sequence[str]) -> int:
    """Take the pictures of the bundled content, or of the knowledge bases named."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    parser = argparse.ArgumentParser(prog="dev.py shots", description="Pictures of every screen.")
    parser.add_argument("folder", nargs="?", default="shots")
    parser.add_argument("bases", nargs="*")
    parser.add_argument("--only", action="append", choices=list(SCENES), default=[])
    options = parser.parse_args(words)
    folder = Path(options.folder).absolute()
    bases = [str(Path(base).absolute()) for base in options.bases] or [str(content_folder())]
    folder.mkdir(parents=True, exist_ok=True)
    scenes = options.only or list(SCENES)
    if len(scenes) == 1:
        take(folder, bases, SCENES[scenes[0]])
        return 0
    failed = [scene for scene in scenes if take_apart(folder, bases, scene)]
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")
    for scene in failed:
        sys.stdout.write(f"{scene}: not taken whole\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
