"""The runner on the real git: environment, deadline, caps, redaction."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, git, make_runner, recorder, test_environment, tmp_path

from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.causes import Cause
from kb_app.gitstore.names import parse_address
from kb_app.gitstore.runner import GitProgram, GitRunner, Repository, find_git

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False  # a builder, not a test


def scripted(tmp_path: Path, body: str) -> GitRunner:
    """Return a runner whose git is a shell script: for endings that the real one will not show on demand."""
    script = tmp_path / "fake-git"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return GitRunner(
        GitProgram(script, (2, 50, 1)), tmp_path / "private", environment={"PATH": os.environ["PATH"]}
    )


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_environment_is_built_from_scratch_and_git_is_absolute(tmp_path: Path) -> None:
    folder = recorder(tmp_path / "bin")
    environment = test_environment(tmp_path / "home") | {
        "PATH": f"{folder}{os.pathsep}.{os.pathsep}{os.environ['PATH']}",
        "GIT_DIR": "/elsewhere",
        "GIT_SSH_COMMAND": "touch canary",
        "GIT_CONFIG_COUNT": "1",
        "GIT_EXEC_PATH": "/elsewhere",
        "LD_PRELOAD": "",
        "SECRET_TOKEN": "s3cr3t-canary",
        "https_proxy": "http://proxy.example:3128",
    }
    remote = Remote(tmp_path / "r", {"a.md": "# A\n"})
    runner = make_runner(tmp_path, environment)
    assert runner.program.path == folder / "git"
    outcome = runner.run("ls-remote", (), (remote.address,), address=parse_address(remote.address))
    assert outcome.is_ok
    call = json.loads((folder / "calls.jsonl").read_text().splitlines()[1])
    assert call["argv"][-2:] == ["--", remote.address]
    values = call["env"]
    assert "SECRET_TOKEN" not in values
    assert "GIT_EXEC_PATH" not in values
    assert "GIT_DIR" not in values
    assert values["GIT_ALLOW_PROTOCOL"] == "file"
    assert values["GIT_TERMINAL_PROMPT"] == "0"
    assert values["GIT_ASKPASS"] == ""
    assert values["https_proxy"] == "http://proxy.example:3128"
    assert "canary" not in values["GIT_SSH_COMMAND"]
    assert all(Path(f).is_absolute() for f in values["PATH"].split(os.pathsep))


def test_a_network_verb_without_an_address_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="address"):
        make_runner(tmp_path).run("fetch", (), ("https://example.org/x",))


def test_a_verb_outside_the_table_never_starts(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make_runner(tmp_path).run("daemon")


def test_the_deadline_ends_the_whole_process_group(tmp_path: Path) -> None:
    runner = scripted(tmp_path, f"sleep 300 & echo $! > {tmp_path}/child; trap '' TERM; sleep 300")
    outcome = runner.run("version", deadline_s=0.5)
    assert outcome.cause is Cause.TIMED_OUT
    assert outcome.sentence
    assert not is_alive(int((tmp_path / "child").read_text()))


def test_cancel_ends_the_program_within_a_second(tmp_path: Path) -> None:
    runner, cancelled = scripted(tmp_path, "sleep 300"), threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    started = time.monotonic()
    outcome = runner.run("version", is_cancelled=cancelled.is_set)
    assert outcome.cause is Cause.CANCELLED
    assert time.monotonic() - started < 10  # the deadline of the verb is 20


def test_output_beyond_the_cap_ends_the_program(tmp_path: Path) -> None:
    outcome = scripted(tmp_path, "yes").run("version", max_output_bytes=100_000)
    assert outcome.cause is Cause.TOO_MUCH
    assert len(outcome.stdout) <= 100_000


def test_endless_error_output_ends_the_program_and_keeps_little(tmp_path: Path) -> None:
    outcome = scripted(tmp_path, "yes warning >&2").run("version")
    assert outcome.cause is Cause.TOO_MUCH
    assert len(outcome.details) <= 64_000


def test_silence_on_the_network_is_a_stall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from kb_app.gitstore import verbs

    table = dict(verbs.TABLE) | {"fetch": replace(verbs.TABLE["fetch"], stall_s=0.4)}
    monkeypatch.setattr(verbs, "TABLE", table)
    outcome = scripted(tmp_path, "sleep 300").run("fetch", address=parse_address("https://example.org/x"))
    assert outcome.cause is Cause.STALLED


def test_what_a_server_says_is_redacted_and_shown_with_visible_escapes(tmp_path: Path) -> None:
    said = r"remote: \033[31mhttps://u:s3cr3t-canary@h/x\342\200\256 ok\nprivate_token=s3cr3t-canary\n"
    runner = scripted(tmp_path, f"printf '{said}' >&2; exit 1")
    outcome = runner.run("version")
    assert "s3cr3t-canary" not in outcome.details + repr(outcome)
    assert "\x1b" not in outcome.details
    assert "\\u001b" in outcome.details
    assert "\\u202e" in outcome.details


def test_progress_is_told_while_it_runs(tmp_path: Path) -> None:
    seen = []
    said = r"Receiving objects:  45%% (9/20), 12.50 MiB | 3 MiB/s\rReceiving objects: 100%% (20/20)\n"
    body = f"printf '{said}' >&2"
    scripted(tmp_path, body).run("version", on_progress=seen.append)
    assert seen
    assert seen[-1].percent == 100


def test_a_vanished_git_is_an_outcome(tmp_path: Path) -> None:
    runner = GitRunner(GitProgram(tmp_path / "none", (2, 50, 1)), tmp_path / "private")
    assert runner.run("version").cause is Cause.NO_PROGRAM


@pytest.mark.parametrize(
    ("body", "word"),
    [("echo git version 2.20.1", "too old"), ("echo hello", "is not git"), ("exit 1", "is not git")],
)
def test_an_unusable_git_is_named(tmp_path: Path, body: str, word: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{body}\n")
    (folder / "git").chmod(0o755)
    with pytest.raises(EnvironmentFault, match=word):
        find_git({"PATH": str(folder)})


def test_no_git_at_all_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="not installed"):
        find_git({"PATH": str(tmp_path)})


def test_hooks_filters_and_monitors_in_the_configuration_do_not_run(tmp_path: Path) -> None:
    remote, canary = Remote(tmp_path / "r", {"a.md": "# A\n"}), tmp_path / "canary"
    work = remote.work
    for hook in ("pre-commit", "post-checkout", "post-index-change", "reference-transaction"):
        (work / ".git/hooks" / hook).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (work / ".git/hooks" / hook).chmod(0o755)
    git(work, "config", "core.fsmonitor", f"touch {canary}")
    git(work, "config", "diff.external", f"touch {canary}")
    git(work, "config", "core.pager", f"touch {canary}")
    git(work, "config", "core.sshCommand", f"touch {canary}")
    canary.unlink(missing_ok=True)
    runner, repository = make_runner(tmp_path), Repository.at(work)
    head = git(work, "rev-parse", "HEAD")
    canary.unlink(missing_ok=True)
    assert runner.run("status", ("--porcelain=v2", "-z"), repository=repository).is_ok
    options = ("--stdout", "--max-count=1", "--binary")
    assert runner.run("format-patch", options, (head,), repository=repository).is_ok
    assert runner.run("update-ref", (), ("refs/backup/x", head), repository=repository).is_ok
    ssh = parse_address("ssh://127.0.0.1:1/x")
    assert not runner.run(
        "fetch", (), (ssh.text, "refs/heads/main"), repository=repository, address=ssh
    ).is_ok
    assert not canary.exists()


def test_hooks_of_a_bare_remote_on_this_machine_do_not_run(tmp_path: Path) -> None:
    remote, canary = Remote(tmp_path / "r", {"a.md": "# A\n"}), tmp_path / "canary"
    for hook in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction"):
        (remote.bare / "hooks" / hook).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (remote.bare / "hooks" / hook).chmod(0o755)
    git(remote.bare, "config", "core.alternateRefsCommand", f"touch {canary};:")
    head, runner = remote.tip(), make_runner(tmp_path)
    address = parse_address(remote.address)
    repository = Repository.at(remote.work)
    outcome = runner.run(
        "push",
        ("--porcelain",),
        (address.text, f"{head}:refs/heads/p"),
        repository=repository,
        address=address,
    )
    assert outcome.is_ok, outcome.details
    assert "p" in remote.branches()
    assert not canary.exists()
