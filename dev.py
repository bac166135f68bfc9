#!/usr/bin/env python3
"""The repository's own entry: ``python3 dev.py run|test|check|bench|build|shots``.

Standard library only. On a fresh machine every verb first does all of the set-up: the virtual environment,
the packages (from the locked requirements, by hash) and the system libraries that Qt needs (installed on
Debian and Ubuntu when this user may, otherwise named in one line to type).
"""

from __future__ import annotations

import contextlib
import ctypes.util
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
UNFINISHED = VENV / "unfinished"  # there while packages are being installed: found later, it was interrupted
MIN_PYTHON = (3, 11)
ENVIRONMENT = 3  # exit code: something of this machine is missing, as in kb_app

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
    "wayland-cursor": "libwayland-cursor0",
}
# The servers whose failures content/ describes (a program that shows it is there: package).
SERVERS = {
    "/usr/lib/postgresql/*/bin/initdb": "postgresql",
    "nginx": "nginx-light",
    "redis-server": "redis-server",
    "etcd": "etcd-server",
    "etcdctl": "etcd-client",
    "kubectl": "kubernetes-client",
    "lsof": "lsof",
    "curl": "curl",
    "openssl": "openssl",
}
WINDOW_OPTIONS = ("--kb", "--query", "--paste", "--self-test")  # with these alone kb_app opens its window


def say(text: str) -> None:
    """Print one line of progress to standard error."""
    print(f"dev: {text}", file=sys.stderr, flush=True)


def stop(text: str) -> NoReturn:
    """End with one sentence for the user."""
    say(text)
    raise SystemExit(ENVIRONMENT)


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


def ensure_packages(*, with_libraries: bool, with_window: bool = False, with_git: bool = False) -> None:
    """Install every package of the system that is missing, in one go, or stop with the one line to type."""
    missing = []
    if (UNFINISHED.exists() or not PYTHON.exists()) and importlib.util.find_spec("ensurepip") is None:
        missing.append(f"python3.{sys.version_info.minor}-venv")
    if with_git and shutil.which("git") is None:
        missing.append("git")
    if with_libraries and sys.platform.startswith("linux"):
        wanted = QT_LIBRARIES | (XCB_LIBRARIES if with_window else {})
        missing += [package for library, package in wanted.items() if not ctypes.util.find_library(library)]
    if not missing or _apt_install(missing):
        importlib.invalidate_caches()
    elif shutil.which("apt-get"):
        stop(
            "this machine lacks some packages; type: "
            f"sudo apt-get install -y --no-install-recommends {' '.join(missing)}"
        )
    else:
        say(f"these may be missing (by their names on Debian): {' '.join(missing)}")


def ensure_servers() -> None:
    """Install the servers of the content's tests when this user may; a test whose server is missing skips."""
    missing = [
        package
        for program, package in SERVERS.items()
        if not (any(Path("/").glob(program[1:])) if program[0] == "/" else shutil.which(program))
    ]
    if missing and not _apt_install(missing, starting=False):
        say(f"their tests are left out without: {' '.join(missing)} (by their names on Debian)")


def ensure_environment(*, development: bool) -> None:
    """Make the virtual environment and install the locked packages, once per lock file."""
    lock = ROOT / ("requirements-dev.txt" if development else "requirements.txt")
    if _is_installed(lock):
        return
    with _alone() as inherited:
        if _is_installed(lock):
            return
        if UNFINISHED.exists() or not _has_pip():
            _make_venv(inherited)
        was_usable = any(VENV.glob("*.sha256"))
        UNFINISHED.touch()
        if not _install(lock, inherited):
            if was_usable:
                UNFINISHED.unlink()  # nothing could be fetched, so what was there is still whole
            stop("the packages could not be installed; check the network and run the command again")
        (VENV / f"{lock.name}.sha256").write_text(_digest(lock))
        UNFINISHED.unlink()


def _is_installed(lock: Path) -> bool:
    """Tell whether the virtual environment holds what ``lock`` names; the development lock holds all."""
    if UNFINISHED.exists() or not PYTHON.exists():
        return False
    for candidate in {lock, ROOT / "requirements-dev.txt"}:
        stamp = VENV / f"{candidate.name}.sha256"
        if stamp.is_file() and stamp.read_text() == _digest(candidate):
            return True
    return False


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@contextlib.contextmanager
def _alone() -> Iterator[tuple[int, ...]]:
    """Keep a second ``dev.py`` waiting while this one sets up; yield what its children must inherit for that.

    A pip that outlives a killed ``dev.py`` holds the lock on, so that nobody clears the folder under it.
    """
    if os.name != "posix":
        yield ()
        return
    import fcntl  # POSIX only

    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    with (folder / "setup.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another dev.py that is setting up")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield (file.fileno(),)


def _has_pip() -> bool:
    command = [str(PYTHON), "-m", "pip", "--version"]
    return PYTHON.exists() and subprocess.run(command, check=False, capture_output=True).returncode == 0


def _make_venv(inherited: tuple[int, ...]) -> None:
    say("making the virtual environment .venv")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    made = subprocess.run(command, check=False, capture_output=True, text=True, pass_fds=inherited)
    if made.returncode:
        reason = (made.stderr or made.stdout).strip().splitlines() or ["no reason given"]
        stop(f"the virtual environment could not be made ({reason[-1]}); is the disk full or read-only?")


def _install(lock: Path, inherited: tuple[int, ...]) -> bool:
    say(f"installing the packages of {lock.name} (about 100 MB, a minute or two the first time)")
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--no-input", "-r", str(lock)]
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env=os.environ | {"PIP_USER": "0"},
        capture_output=True,
        text=True,
        pass_fds=inherited,
    )
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
        for line in reasons[:1]:
            say(f"pip says: {line.removeprefix('ERROR: ')[:300]}")
    return done.returncode == 0


def _apt_install(packages: list[str], *, starting: bool = True) -> bool:
    """Install packages and tell whether that went well; without ``starting`` no service is started."""
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
    options = ["-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    quiet = [] if starting else ["env", "RUNLEVEL=1"]  # services look at the run level before they start
    install = [*prefix, *quiet, apt, "install", *options, *packages]
    errors: list[str] = []
    for command in (install, [*prefix, apt, "update", "-qq"], install):
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        if command is install and done.returncode == 0:
            return True
        errors = [line[3:] for line in done.stderr.splitlines() if line.startswith("E: ")]
    for line in errors[:1]:
        say(f"apt-get says: {line[:300]}")
    return False


def run(arguments: list[str]) -> int:
    """Open the window (``run -- --kb FOLDER``), or run the command line (``run -- search oom``)."""
    with_window = _opens_window(arguments)
    ensure_packages(with_libraries=with_window, with_window=with_window)
    ensure_environment(development=False)
    return tool("kb_app", *arguments)


def _opens_window(arguments: list[str]) -> bool:
    """Tell whether kb_app opens its window with these words; its command line needs no Qt library."""
    rest = list(arguments)
    while rest:
        name, has_value, _ = rest.pop(0).partition("=")
        if name not in WINDOW_OPTIONS:
            return False
        if name not in ("--paste", "--self-test") and not has_value:
            del rest[:1]
    return True


def test(arguments: list[str]) -> int:
    """Run the test suite; ``--content`` adds the suite that starts real servers; other words go to pytest."""
    ensure_packages(with_libraries=True, with_git=True)
    ensure_environment(development=True)
    if "--content" in arguments:
        ensure_servers()
    selection = [] if "--content" in arguments else ["-m", "not content"]
    words = [word for word in arguments if word != "--content"]
    spread = [] if words else ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile"]
    return tool("pytest", *selection, *spread, *words, environment={"QT_QPA_PLATFORM": "offscreen"})


def check(_arguments: list[str]) -> int:
    """Format, lint, types, import contracts."""
    ensure_packages(with_libraries=False)
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
    ensure_packages(with_libraries=True)
    ensure_environment(development=True)
    return tool("bench.run", *arguments)


def build(_arguments: list[str]) -> int:
    """Build the one-folder application and prove that it works from its folder."""
    ensure_packages(with_libraries=True, with_window=True)
    ensure_environment(development=True)
    if (
        shutil.which("objdump") is None
        and sys.platform.startswith("linux")
        and not _apt_install(["binutils"])
    ):
        stop("objdump is missing; type: sudo apt-get install -y binutils")
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
    ensure_packages(with_libraries=True)
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
    try:
        return VERBS[words[0]](rest[1:] if rest[:1] == ["--"] else rest)
    except KeyboardInterrupt:
        say("interrupted; the same command goes on from here")
        return 130
    except OSError as error:
        stop(f"{error.filename or 'the system'}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
