"""The first minutes on a machine: ``dev.py`` as typed, no screen, a broken or interrupted set-up."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from kb_app.ui.screen import platforms_to_try

PIP = """
import os, sys, pathlib
log = pathlib.Path(os.environ["PIP_LOG_OF_TEST"])
with log.open("a") as file:
    print(*sys.argv[1:], file=file)
if "install" in sys.argv:
    message = os.environ.get("PIP_FAILS", "")
    sys.stderr.write("WARNING: Retrying (Retry(total=4...\\n" * 5 + message)
    sys.exit(1 if message else 0)
"""
KB_APP = 'import sys; print("kb_app", *sys.argv[1:])'


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A checkout with spaces and umlauts in its path and a package that only prints its words."""
    folder = tmp_path / "Müller & Söhne" / "my kb"
    folder.mkdir(parents=True)
    for name in ("dev.py", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(root / name, folder)
    (folder / "kb_app").mkdir()
    (folder / "kb_app" / "__init__.py").touch()
    (folder / "kb_app" / "__main__.py").write_text(KB_APP)
    return folder


class Dev:
    """Runs ``dev.py`` with a `pip` that only notes what it is asked, for the network is not tested here."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self.log = scratch / "pip.log"
        self.modules = scratch / "modules"
        (self.modules / "pip").mkdir(parents=True)
        (self.modules / "pip" / "__init__.py").touch()
        (self.modules / "pip" / "__main__.py").write_text(PIP)

    def __call__(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        clean |= {"PIP_LOG_OF_TEST": str(self.log), "PYTHONPATH": str(self.modules)} | environment
        return subprocess.run(
            [sys.executable, str(self.folder / "dev.py"), *words],
            capture_output=True,
            text=True,
            check=False,
            env=clean,
            cwd="/",
        )

    def installs(self) -> int:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return sum(line.startswith("install") for line in lines)


@pytest.fixture
def dev(checkout: Path, tmp_path: Path) -> Dev:
    return Dev(checkout, tmp_path)


def test_the_first_run_sets_up_the_second_does_not_and_an_interrupted_one_is_repaired(
    dev: Dev, checkout: Path
) -> None:
    first = dev("run", "--", "list")
    assert (first.returncode, first.stdout) == (0, "kb_app list\n"), first.stderr
    assert "making the virtual environment" in first.stderr
    assert dev.installs() == 1

    second = dev("run", "--", "search", "a b")
    assert (second.stdout, second.stderr) == ("kb_app search a b\n", "")
    assert dev.installs() == 1

    (checkout / ".venv" / "unfinished").touch()  # what a killed installation leaves
    leftover = checkout / ".venv" / "leftover"
    leftover.touch()
    third = dev("run", "--", "list")
    assert (third.returncode, third.stdout) == (0, "kb_app list\n"), third.stderr
    assert dev.installs() == 2
    assert not leftover.exists()

    offline = dev("test", PIP_FAILS="ERROR: No matching distribution found for numpy==2.4.6")
    assert offline.returncode == 3
    assert offline.stdout == ""
    assert "Retrying" not in offline.stderr
    assert offline.stderr.endswith("check the network and run the command again\n")
    assert dev("run", "--", "list").stdout == "kb_app list\n"
    assert dev.installs() == 3


def load_dev(root: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location("dev_as_typed", root / "dev.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def on_a_bare_machine(module: ModuleType, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make ``module`` see a Debian without any of its packages and a user without rights."""
    monkeypatch.setattr(module, "PYTHON", folder / "none")
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(module.ctypes.util, "find_library", lambda name: None)
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(module.shutil, "which", {"apt-get": "/usr/bin/apt-get"}.get)


def test_a_user_without_rights_gets_one_line_to_type_with_everything_in_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load_dev(root)
    on_a_bare_machine(module, monkeypatch, tmp_path)
    with pytest.raises(SystemExit) as end:
        module.ensure_packages(with_libraries=True, with_window=True, with_git=True)
    assert end.value.code == 3
    (line,) = capsys.readouterr().err.splitlines()
    words = line.partition("type: ")[2].split()
    assert words[:4] == ["sudo", "apt-get", "install", "-y"]
    assert {f"python3.{sys.version_info.minor}-venv", "git", "libegl1", "libxcb-cursor0"} <= set(words)


@pytest.mark.parametrize(
    ("words", "is_window"),
    [
        ([], True),
        (["--kb", "/some/folder"], True),
        (["--kb=/some/folder", "--query", "search"], True),
        (["--paste"], True),
        (["--paste", "search"], False),
        (["--self-test"], True),
        (["list"], False),
        (["--kb", "/some/folder", "search", "oom"], False),
        (["--json", "doctor"], False),
    ],
)
def test_the_libraries_of_the_window_are_asked_for_by_the_window_alone(
    root: Path, words: list[str], is_window: bool
) -> None:
    assert load_dev(root)._opens_window(words) is is_window


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a screen")
@pytest.mark.parametrize("display", ["", ":7654"])
def test_without_a_screen_the_window_says_so_in_one_sentence(
    tmp_path: Path, root: Path, display: str
) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-m", "kb_app"],
        capture_output=True,
        text=True,
        check=False,
        env=environment | {"DISPLAY": display, "PYTHONPATH": str(root)},
        cwd=tmp_path,
    )
    assert done.returncode == 3
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "needs a screen" in line
    assert "kb search" in line


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, "offscreen"),
        ({"DISPLAY": ":0"}, "xcb;offscreen"),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "xcb;wayland;offscreen"),
        (
            {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0", "XDG_SESSION_TYPE": "wayland"},
            "wayland;xcb;offscreen",
        ),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "vnc"}, ""),
    ],
)
def test_the_order_of_screens_is_that_of_the_session(environment: dict[str, str], wanted: str) -> None:
    assert platforms_to_try(environment, "linux") == wanted
    assert platforms_to_try(environment, "darwin") == ""
