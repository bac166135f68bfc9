#!/usr/bin/env python3
"""The repository's own entry: ``python3 dev.py run|test|check|bench|build|shots``.

Standard library only. On a fresh machine every verb first does all of the set-up: the virtual environment,
the packages (from the locked requirements, by hash) and the system libraries that Qt needs (installed on
Debian and Ubuntu when this user may, otherwise named in one line to type).
"""

from __future__ import annotations

import ctypes.util
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
MIN_PYTHON = (3, 11)

# What Qt's offscreen and xcb plug-ins load and a minimal Debian 12 lacks (library to look for: package).
QT_LIBRARIES = {
    "glib-2.0": "libglib2.0-0",
    "GL": "libgl1",
    "EGL": "libegl1",
    "xkbcommon": "libxkbcommon0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
}
XCB_LIBRARIES = {
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-shape": "libxcb-shape0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
}


def say(text: str) -> None:
    """Print one line of progress to standard error."""
    print(f"dev: {text}", file=sys.stderr, flush=True)


def call(*command: str | Path, environment: dict[str, str] | None = None) -> int:
    """Run a program in the repository and return its exit code."""
    merged = os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {})
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=merged, check=False).returncode


def tool(module: str, *arguments: str | Path, environment: dict[str, str] | None = None) -> int:
    """Run a Python module of the virtual environment and return its exit code."""
    return call(PYTHON, "-m", module, *arguments, environment=environment)


def ensure_python() -> None:
    """Stop with one sentence when this Python is too old."""
    if sys.version_info < MIN_PYTHON:
        sys.exit(
            f"dev: Python {'.'.join(map(str, MIN_PYTHON))} or newer is needed, not {sys.version.split()[0]}"
        )


def ensure_environment(*, development: bool) -> None:
    """Make the virtual environment and install the locked packages, once per lock file."""
    lock = ROOT / ("requirements-dev.txt" if development else "requirements.txt")
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamps = [VENV / f"{name}.sha256" for name in ("requirements-dev.txt", lock.name)]
    if any(s.is_file() and s.read_text() == wanted for s in stamps) or _has_development(
        development=development
    ):
        return
    if not PYTHON.exists():
        say("making the virtual environment .venv")
        _make_venv()
    say(f"installing the packages of {lock.name} (about 100 MB the first time)")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    if subprocess.run([*pip, "-r", str(lock)], check=False, cwd=ROOT).returncode:
        sys.exit("dev: the packages could not be installed; check the network and run the command again")
    (VENV / f"{lock.name}.sha256").write_text(wanted)


def _has_development(*, development: bool) -> bool:
    stamp, lock = VENV / "requirements-dev.txt.sha256", ROOT / "requirements-dev.txt"
    if development or not stamp.is_file():
        return False
    return stamp.read_text() == hashlib.sha256(lock.read_bytes()).hexdigest()


def _make_venv() -> None:
    try:
        venv.create(VENV, with_pip=True)
    except (subprocess.CalledProcessError, SystemExit):
        shutil.rmtree(VENV, ignore_errors=True)
        if not _apt_install(["python3-venv"]):
            sys.exit("dev: Python lacks its venv module; type: sudo apt-get install python3-venv")
        venv.create(VENV, with_pip=True)


def ensure_libraries(*, with_window: bool) -> None:
    """Install the system libraries that Qt needs, or name them."""
    if not sys.platform.startswith("linux"):
        return
    wanted = QT_LIBRARIES | (XCB_LIBRARIES if with_window else {})
    missing = [package for library, package in wanted.items() if not ctypes.util.find_library(library)]
    if missing and not _apt_install(missing):
        say(f"Qt may not start; type: sudo apt-get install --no-install-recommends {' '.join(missing)}")


def ensure_program(program: str, package: str) -> bool:
    """Tell whether ``program`` is there, after trying to install its Debian package."""
    if shutil.which(program):
        return True
    if not _apt_install([package]):
        say(f"{program} is missing; type: sudo apt-get install {package}")
    return shutil.which(program) is not None


def _apt_install(packages: list[str]) -> bool:
    apt = shutil.which("apt-get")
    prefix: list[str] = []
    if apt is None:
        return False
    if os.geteuid() != 0:
        if (
            shutil.which("sudo") is None
            or subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode
        ):
            return False
        prefix = ["sudo", "-n"]
    say(f"installing {' '.join(packages)}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = [*prefix, apt, "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (install, [*prefix, apt, "update", "-qq"], install):
        done = subprocess.run(command, check=False, env=environment, capture_output=True)
        if command is install and done.returncode == 0:
            return True
    return False


def run(arguments: list[str]) -> int:
    """Open the window (``run -- --kb FOLDER``), or run the command line (``run -- search oom``)."""
    ensure_libraries(with_window=True)
    ensure_environment(development=False)
    return tool("kb_app", *arguments)


def test(arguments: list[str]) -> int:
    """Run the test suite; ``--content`` adds the suite that starts real servers; other words go to pytest."""
    ensure_libraries(with_window=False)
    ensure_environment(development=True)
    ensure_program("git", "git")
    selection = [] if "--content" in arguments else ["-m", "not content"]
    words = [word for word in arguments if word != "--content"]
    spread = [] if words else ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]
    return tool("pytest", *selection, *spread, *words, environment={"QT_QPA_PLATFORM": "offscreen"})


def check(_arguments: list[str]) -> int:
    """Format, lint, types, import contracts."""
    ensure_environment(development=True)
    results = {
        "format": tool("ruff", "format", "--check", "--quiet", "."),
        "lint": tool("ruff", "check", "--quiet", "."),
        "types": tool("mypy"),
        "imports": call(BIN / "lint-imports", "--no-cache"),
        "content": tool("kb_app", "--kb", ROOT / "content", "lint", "--severity", "warning"),
    }
    for name, code in results.items():
        say(f"{name}: {'ok' if code == 0 else 'FAILED'}")
    return 1 if any(results.values()) else 0


def bench(arguments: list[str]) -> int:
    """Print the tables of speed, memory and relevance beside the peers."""
    ensure_libraries(with_window=False)
    ensure_environment(development=True)
    return tool("bench.run", *arguments)


def build(_arguments: list[str]) -> int:
    """Build the one-folder application and prove that it works from its folder."""
    ensure_libraries(with_window=True)
    ensure_environment(development=True)
    ensure_program("objdump", "binutils")
    folder = ROOT / "dist" / "kb_app"
    shutil.rmtree(folder, ignore_errors=True)
    if tool("PyInstaller", "--noconfirm", "--log-level", "WARN", "build.spec"):
        return 1
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    say(f"built {folder} ({size / 1e6:.0f} MB)")
    return smoke_test(folder)


def smoke_test(folder: Path) -> int:
    """Run the frozen window and command line once, with a home and an environment of their own."""
    suffix = ".exe" if os.name == "nt" else ""
    with tempfile.TemporaryDirectory(prefix="kb-smoke-") as home:
        environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        environment |= {"KB_APP_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        for name, words in (
            ("kb-app", ["--self-test"]),
            ("kb", ["--json", "search", "too many clients"]),
            ("kb", ["doctor"]),
        ):
            command = [str(folder / (name + suffix)), *words]
            try:
                code = subprocess.run(command, check=False, env=environment, cwd=home, timeout=60).returncode
            except subprocess.TimeoutExpired:
                code = -1
            say(f"{name} {' '.join(words)}: {'no answer in 60 s' if code == -1 else f'exit code {code}'}")
            if code:
                return 1
    return 0


def shots(arguments: list[str]) -> int:
    """Write pictures of every screen, both themes, to the folder shots/."""
    ensure_libraries(with_window=False)
    ensure_environment(development=True)
    environment = {"QT_QPA_PLATFORM": "offscreen"}
    return tool("kb_app.ui.shots", *(arguments or ["shots"]), environment=environment)


VERBS = {"run": run, "test": test, "check": check, "bench": bench, "build": build, "shots": shots}


def main() -> int:
    """Dispatch to a verb."""
    ensure_python()
    words = sys.argv[1:]
    if not words or words[0] not in VERBS:
        for name, verb in VERBS.items():
            print(f"  {name:<6} {(verb.__doc__ or '').splitlines()[0]}")
        return 0 if words in (["-h"], ["--help"], []) else 2
    rest = words[1:]
    return VERBS[words[0]](rest[1:] if rest[:1] == ["--"] else rest)


if __name__ == "__main__":
    sys.exit(main())
