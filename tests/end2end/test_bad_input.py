"""Folders and machines as they should not be, met by the real program in processes of its own.

Every case owes one clear sentence, an exit code, no traceback, and no changed byte of the knowledge base.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes, signals and limits of POSIX")
TIMEOUT_S = 60
GOOD = """# Lease lost while renewing

Clients see `E4711: lease lost`.

![x](pipe.png) ![y](/dev/zero) ![z](out.png)
"""
YAML_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(root: Path, isolated_home: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(root),
        "KB_APP_HOME": str(isolated_home),
        "QT_QPA_PLATFORM": "offscreen",
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    def call(
        *words: str | Path,
        env: dict[str, str] | None = None,
        preexec_fn: Callable[[], object] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kb_app", *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
            cwd=tmp_path,
            env=env or environment,
            preexec_fn=preexec_fn,
        )

    return call


@pytest.fixture
def good(tmp_path: Path) -> Path:
    folder = tmp_path / "good"
    folder.mkdir()
    (folder / "lease.md").write_text(GOOD)
    (folder / "other.md").write_text("# Disk of a shard fills\n\nOld segments stay.\n")
    return folder


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """One good page among everything that has stopped a reader of Markdown before."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "lease.md").write_text(GOOD)
    (folder / "bytes.md").write_bytes(bytes(range(256)) * 40)
    (folder / "brackets.md").write_text("# Brackets\n\n" + "[" * 10_000)
    (folder / "tables.md").write_text(
        "# Tables\n\n" + "<table><tr><td>" * 22 + "deep" + "</td></tr></table>" * 22
    )
    (folder / "bomb.md").write_text(f"---\ntitle: Bomb\n{YAML_BOMB}---\n# Bomb\n\nend\n")
    (folder / "quotes.md").write_text("# Quotes\n\n" + ">" * 5_000 + " x\n")
    (folder / "word.md").write_text("# Word\n\n" + "x" * 300_000 + "\n")
    (folder / "sixteen.md").write_text("# UTF sixteen\n", encoding="utf-16")
    (folder / "huge.md").write_bytes(b"# Huge\n\n" + b"words " * 600_000)
    (folder / "loop").symlink_to(".")
    (folder / "out.md").symlink_to("/etc/passwd")
    (folder / "out.png").symlink_to("/dev/zero")
    (folder / "gone.md").symlink_to("/no/where")
    os.mkfifo(folder / "pipe.md")
    os.mkfifo(folder / "pipe.png")
    return folder


def picture(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Content, mode and time of change of everything below ``folder``."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        digest = ""
        if path.is_file() and not path.is_symlink():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found[path.relative_to(folder).as_posix()] = (digest, state.st_mode, state.st_mtime_ns)
    return found


def assert_one_sentence(done: subprocess.CompletedProcess[str], code: int) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("kb: ")
    assert len(line) > 20


@POSIX
def test_the_command_line_reads_a_hostile_folder_and_leaves_it_as_it_is(run: Run, hostile: Path) -> None:
    before = picture(hostile)
    index = run("--kb", hostile, "--json", "index")
    assert index.returncode == 0, index.stderr
    skipped = {row["path"]: row["reason"] for row in json.loads(index.stdout)["bases"][0]["skipped"]}
    assert {"pipe.md", "out.md", "gone.md", "huge.md"} <= set(skipped)
    assert all(len(reason) > 10 for reason in skipped.values())
    search = run("--kb", hostile, "--json", "search", "lease lost renewing")
    assert json.loads(search.stdout)["hits"][0]["path"].endswith("lease.md")
    lint = run("--kb", hostile, "lint")
    assert "front-matter-broken" in lint.stdout
    for name in ("lease", "brackets", "bomb"):
        shown = run("--kb", hostile, "show", f"{name}.md", "--as", "html")
        assert (shown.returncode, shown.stderr) == (0, ""), name
        assert "/etc/passwd" not in shown.stdout
    assert_one_sentence(run("--kb", hostile, "show", "out.md"), 1)
    assert_one_sentence(run("--kb", hostile, "show", "../good/lease.md"), 1)
    assert picture(hostile) == before


@POSIX
def test_the_window_opens_a_hostile_folder_and_leaves_it_as_it_is(run: Run, hostile: Path) -> None:
    before = picture(hostile)
    done = run("--self-test", "--kb", hostile)
    result = json.loads(done.stdout)
    assert done.returncode == 0, result
    assert result["ok"]
    assert result["crashes"] == []
    assert "Traceback" not in done.stderr
    assert picture(hostile) == before


@pytest.mark.parametrize("verb", [["search", "x"], ["index"], ["lint"], ["show", "x"]])
def test_a_folder_that_is_not_there_is_named_in_one_sentence(run: Run, verb: list[str]) -> None:
    done = run("--kb", "/no/such/folder", *verb)
    assert_one_sentence(done, 3)
    assert "/no/such/folder" in done.stderr


def test_a_file_as_knowledge_base_is_named_in_one_sentence(run: Run, good: Path) -> None:
    assert_one_sentence(run("--kb", good / "lease.md", "search", "x"), 3)


@POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_without_permission_is_named_in_one_sentence(run: Run, good: Path) -> None:
    (good / "lease.md").chmod(0)
    index = run("--kb", good, "--json", "index")
    assert [row["path"] for row in json.loads(index.stdout)["bases"][0]["skipped"]] == ["lease.md"]
    good.chmod(0)
    try:
        assert_one_sentence(run("--kb", good, "index"), 3)
    finally:
        good.chmod(0o700)


@pytest.mark.parametrize("harm", ["flip", "truncate", "empty"])
def test_a_damaged_index_is_made_anew_and_answers_as_before(
    run: Run, good: Path, isolated_home: Path, harm: str
) -> None:
    def found() -> tuple[list[str], str]:
        done = run("--kb", good, "--json", "search", "lease lost")
        assert done.returncode == 0, done.stderr
        return [hit["path"] for hit in json.loads(done.stdout)["hits"]], done.stderr

    whole, told = found()
    assert whole[0] == "lease.md"
    assert "made anew" not in told
    for file in (isolated_home / "cache" / "index").glob("*/*"):
        raw = bytearray(file.read_bytes())
        if harm == "flip" and raw:
            raw[len(raw) // 2] ^= 0xFF
        file.write_bytes(raw if harm == "flip" else raw[: len(raw) // 2] if harm == "truncate" else b"")
    again, told = found()
    assert again == whole
    assert "Traceback" not in told
    assert len(told.splitlines()) <= 1


@POSIX
def test_a_full_disk_is_named_and_the_next_try_works(run: Run, good: Path, tmp_path: Path) -> None:
    import resource  # POSIX only

    def limit() -> None:  # no file may grow: what a full disk does, for this process alone
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    before = picture(good)
    done = run("--kb", good, "index", preexec_fn=limit)
    assert_one_sentence(done, 3)
    assert run("--kb", good, "search", "lease").returncode == 0
    assert picture(good) == before


def test_a_home_that_cannot_be_written_still_searches(
    run: Run, good: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "file").touch()  # a folder below a file cannot be made, not even by root
    (tmp_path / "tmp").mkdir()
    closed = environment | {"KB_APP_HOME": str(tmp_path / "file" / "home"), "TMPDIR": str(tmp_path / "tmp")}
    for words in (["search", "lease"], ["show", "lease.md"], ["index"]):
        done = run("--kb", good, *words, env=closed)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert_one_sentence(run("add", good, env=closed), 3)


@POSIX
def test_no_git_of_the_path_is_started_for_a_folder(
    run: Run, good: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    calls, programs = tmp_path / "calls", tmp_path / "bin"
    programs.mkdir()
    git = programs / "git"
    git.write_text(f'#!/bin/sh\necho "$PWD $*" >> "{calls}"\n')
    git.chmod(0o755)
    (good / ".git").mkdir()
    (good / ".git" / "config").write_text(f'[core]\n\tfsmonitor = "touch {tmp_path}/canary"\n')
    faked = environment | {"PATH": f"{programs}{os.pathsep}{environment['PATH']}"}
    for words in (["index"], ["search", "lease"], ["show", "lease.md"], ["lint"]):
        assert "Traceback" not in run("--kb", good, *words, env=faked).stderr
    result = json.loads(run("--self-test", "--kb", good, env=faked).stdout)
    assert result["ok"]
    doctor = json.loads(run("doctor", "--json", env=faked).stdout)
    assert [check["is_well"] for check in doctor["checks"] if check["name"] == "git"] == [False]
    assert not (tmp_path / "canary").exists()
    lines = calls.read_text().splitlines() if calls.exists() else []
    assert [line for line in lines if str(good) in line] == []


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start windows that are ended after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def call(*words: str | Path) -> subprocess.Popen[bytes]:
        log = (tmp_path / f"window-{len(started)}.log").open("wb")
        with log:
            window = subprocess.Popen(
                [sys.executable, "-m", "kb_app", *map(str, words)],
                env=environment,
                cwd=tmp_path,
                stdout=log,
                stderr=log,
            )
        started.append(window)
        return window

    yield call
    for window in started:
        if window.poll() is None:
            window.kill()
            window.wait(TIMEOUT_S)


def workers_of(window: subprocess.Popen[bytes]) -> list[int]:
    """Processes whose parent is ``window``, from Linux's process table."""
    found = []
    for state in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            _, _, fields = state.read_text().rpartition(") ")
            if int(fields.split()[1]) == window.pid:
                found.append(int(state.parent.name))
    return found


def wait_until(is_true: Callable[[], object]) -> bool:
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until:
        if is_true():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's process table")
def test_a_killed_window_leaves_no_lock_and_no_worker_and_a_second_start_hands_over(
    start: Callable[..., subprocess.Popen[bytes]], run: Run, good: Path, tmp_path: Path, isolated_home: Path
) -> None:
    before = picture(good)
    first = start("--kb", good)
    assert wait_until(lambda: list((isolated_home / "cache" / "index").glob("*/manifest.json")))
    assert run("--query", "lease").returncode == 0  # handed over: a window of its own would not end
    workers = workers_of(first)
    assert workers
    first.kill()
    first.wait(TIMEOUT_S)
    assert wait_until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers))
    next_one = start("--kb", good)
    assert wait_until(lambda: workers_of(next_one))
    assert run("--query", "lease").returncode == 0
    for pid in workers_of(next_one):
        os.kill(pid, signal.SIGKILL)
    assert run("--query", "disk").returncode == 0
    next_one.send_signal(signal.SIGTERM)
    assert next_one.wait(TIMEOUT_S) == 0
    assert [log.read_bytes() for log in sorted(tmp_path.glob("window-*.log"))] == [b"", b""]
    assert picture(good) == before
