"""Git over real servers: sshd with an agent, TLS with a private authority, races, hostile configurations."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_http import SshServer, make_authority, serve_http, serve_ssh
from gitstore_remotes import Remote, git, make_runner, recorder, test_environment, tmp_path

from kb_app.errors import KbError
from kb_app.gitstore.causes import Cause
from kb_app.gitstore.clones import CloneArea, CloneEnd
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.health import examine
from kb_app.gitstore.history import History
from kb_app.gitstore.proposals import Draft, ProposalQueue, ProposalState
from kb_app.gitstore.runner import GitRunner, find_git
from kb_app.gitstore.sync import sync

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False

PAGE = {"a.md": "# A\n\nOne.\n", "b.md": "# B\n"}


# --- ssh ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[SshServer]:
    missing = [
        name
        for name in ("sshd", "ssh", "ssh-agent", "ssh-add", "ssh-keygen")
        if shutil.which(name) is None and not Path(f"/usr/sbin/{name}").exists()
    ]
    if missing:
        pytest.skip(f"there is no {', '.join(missing)}: install openssh-server")
    with serve_ssh(tmp_path / "ssh") as server:
        yield server


def ssh_runner(tmp_path: Path, server: SshServer, **more: str) -> GitRunner:
    environment = test_environment(tmp_path / "home") | server.environment | more
    return GitRunner(
        find_git(environment), tmp_path / "private", environment=environment, ssh_command=server.ssh_command
    )


def test_ssh_with_an_agent_clones_syncs_and_proposes(tmp_path: Path, ssh: SshServer) -> None:
    remote = Remote(tmp_path / "r", PAGE)
    area = CloneArea(tmp_path / "clones", ssh_runner(tmp_path, ssh))
    outcome = area.clone(ssh.address(remote.bare), "kb")
    assert outcome.is_ok, outcome
    remote.commit({"a.md": "# A\n\nTwo.\n"})
    assert sync(area, "kb").is_current
    queue = ProposalQueue(tmp_path / "proposals", area)
    queue.propose("kb", Draft("three", (FileEdit("a.md", b"# A\n\nThree.\n"),)))
    report = queue.push("kb")
    assert [p.state for p in report.sent] == [ProposalState.PROPOSED], report
    assert git(remote.bare, "show", f"{report.sent[0].branch}:a.md") == "# A\n\nThree."


def test_without_a_key_the_login_is_refused_at_once_and_nobody_is_asked(
    tmp_path: Path, ssh: SshServer
) -> None:
    remote = Remote(tmp_path / "r", PAGE)
    area = CloneArea(tmp_path / "clones", ssh_runner(tmp_path, ssh, SSH_AUTH_SOCK=str(tmp_path / "none")))
    outcome = area.clone(ssh.address(remote.bare), "kb")
    assert outcome.cause is Cause.AUTH_NEEDED, outcome
    assert area.clones() == ()


def test_an_unknown_host_key_is_refused_with_its_reason(tmp_path: Path, ssh: SshServer) -> None:
    remote = Remote(tmp_path / "r", PAGE)
    (tmp_path / "ssh" / "known_hosts").write_text("")
    area = CloneArea(tmp_path / "clones", ssh_runner(tmp_path, ssh))
    outcome = area.clone(ssh.address(remote.bare), "kb")
    assert outcome.end is CloneEnd.FAILED
    assert outcome.cause is not Cause.NONE
    assert outcome.sentence
    assert (tmp_path / "ssh" / "known_hosts").read_text() == ""


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, tuple[Path, Path]]:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    return make_authority(tmp_path / "authority")


def tls_area(tmp_path: Path, **more: str) -> CloneArea:
    environment = test_environment(tmp_path / "home") | more
    return CloneArea(tmp_path / "clones", make_runner(tmp_path, environment))


def test_a_private_authority_is_trusted_when_the_environment_names_it(
    tmp_path: Path, authority: tuple[Path, tuple[Path, Path]]
) -> None:
    remote, (certificate, own) = Remote(tmp_path / "r", PAGE), authority
    with serve_http(remote.bare.parent, own) as server:
        area = tls_area(tmp_path, GIT_SSL_CAINFO=str(certificate))
        outcome = area.clone(f"{server.url}/remote.git", "kb")
        assert outcome.is_ok, outcome
        remote.commit({"a.md": "# A\n\nTwo.\n"})
        assert sync(area, "kb").is_current
        server.fault = "401"
        refused = sync(area, "kb")
        assert not refused.is_current
        assert "login" in refused.sentence.lower() or "sign" in refused.sentence.lower(), refused


def test_a_private_authority_is_trusted_when_the_users_settings_name_it(
    tmp_path: Path, authority: tuple[Path, tuple[Path, Path]]
) -> None:
    remote, (certificate, own) = Remote(tmp_path / "r", PAGE), authority
    with serve_http(remote.bare.parent, own) as server:
        area = tls_area(tmp_path)
        config = tmp_path / "home" / ".gitconfig"
        config.write_text(config.read_text() + f"[http]\n\tsslCAInfo = {certificate}\n")
        assert area.clone(f"{server.url}/remote.git", "kb").is_ok


def test_an_unknown_authority_is_refused_and_leaves_nothing(
    tmp_path: Path, authority: tuple[Path, tuple[Path, Path]]
) -> None:
    remote = Remote(tmp_path / "r", PAGE)
    with serve_http(remote.bare.parent, authority[1]) as server:
        area = tls_area(tmp_path)
        outcome = area.clone(f"{server.url}/remote.git", "kb")
        assert outcome.cause is Cause.TLS, outcome
        assert area.clones() == ()


def test_a_certificate_for_another_name_is_refused(
    tmp_path: Path, authority: tuple[Path, tuple[Path, Path]]
) -> None:
    remote, (certificate, own) = Remote(tmp_path / "r", PAGE), authority
    with serve_http(remote.bare.parent, own) as server:
        area = tls_area(tmp_path, GIT_SSL_CAINFO=str(certificate))
        outcome = area.clone(f"https://127.0.0.1:{server.port}/remote.git", "kb")
        assert outcome.end is CloneEnd.FAILED
        assert outcome.cause is Cause.TLS, outcome


# --- races --------------------------------------------------------------------------------------------------


def test_two_people_race_and_every_proposal_arrives_once(tmp_path: Path) -> None:
    """Two copies of one remote propose, push and sync at once while the remote moves on."""
    remote = Remote(tmp_path / "r", PAGE)
    queues = []
    for name in ("ada", "bob"):
        folder = tmp_path / name
        folder.mkdir()
        area = CloneArea(folder / "clones", make_runner(folder))
        assert area.clone(remote.address, "kb").is_ok
        queues.append(ProposalQueue(folder / "proposals", area))
    problems: list[object] = []

    def work(queue: ProposalQueue, name: str) -> None:
        for turn in range(3):
            edit = FileEdit(f"{name}-{turn}.md", f"# {name} {turn}\n".encode())
            outcome = queue.propose("kb", Draft(f"{name} {turn}", (edit,)))
            report = queue.push("kb")
            synced = sync(queue.area, "kb")
            if not outcome.is_ok or report.waiting or not synced.is_current:
                problems.append((outcome, report, synced))

    threads = [threading.Thread(target=work, args=pair) for pair in zip(queues, ("ada", "bob"), strict=True)]
    for thread in threads:
        thread.start()
    for turn in range(3):
        remote.commit({"a.md": f"# A\n\nTurn {turn}.\n"})
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert len(remote.branches()) == 1 + 6
    for queue in queues:
        assert sync(queue.area, "kb").is_current
        assert {p.state for p in queue.proposals()} == {ProposalState.PROPOSED}
        assert git(queue.area.root(queue.area.get("kb")), "fsck", "--no-dangling") == ""


# --- hostile repositories -------------------------------------------------------------------------------


HOSTILE = """
[core]
	fsmonitor = touch {canary}
	sshCommand = touch {canary};
	pager = touch {canary}
	editor = touch {canary}
	hooksPath = {hooks}
	gitProxy = touch {canary}
	alternateRefsCommand = touch {canary};:
	askPass = {script}
[credential]
	helper = !touch {canary}
[diff]
	external = touch {canary}
[diff "x"]
	textconv = touch {canary};
	command = touch {canary};
[merge "x"]
	driver = touch {canary}
[filter "x"]
	clean = touch {canary}
	smudge = touch {canary}
	process = touch {canary}
[uploadpack]
	packObjectsHook = touch {canary};
[remote "origin"]
	uploadpack = touch {canary};
	receivepack = touch {canary};
[protocol "ext"]
	allow = always
[pager]
	log = touch {canary}
	blame = touch {canary}
[alias]
	log = !touch {canary}
	blame = !touch {canary}
	status = !touch {canary}
[sequence]
	editor = touch {canary}
[trailer "x"]
	command = touch {canary}
"""


def test_nothing_a_configuration_names_is_started_by_any_capability(tmp_path: Path) -> None:
    """What another program wrote into our copy's ``.git`` does not run, whatever is asked for."""
    remote = Remote(tmp_path / "r", {**PAGE, ".gitattributes": "* filter=x diff=x merge=x\n"})
    folder = recorder(tmp_path / "bin")
    environment = test_environment(tmp_path / "home")
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path, environment))
    assert area.clone(remote.address, "kb").is_ok
    clone = area.get("kb")
    root, canary, hooks = area.root(clone), tmp_path / "canary", tmp_path / "hooks"
    hooks.mkdir()
    names = "post-checkout pre-commit post-index-change reference-transaction pre-push commit-msg script"
    for name in names.split():
        for place in (hooks, root / ".git" / "hooks"):
            place.mkdir(exist_ok=True)
            (place / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
            (place / name).chmod(0o755)
    config = root / ".git" / "config"
    hostile = HOSTILE.format(canary=canary, hooks=hooks, script=hooks / "script")
    config.write_text(config.read_text() + hostile)
    remote.commit({"a.md": "# A\n\nTwo.\n"}, "two\n\nReviewed-entry: a")
    history, queue = History(area, clone), ProposalQueue(tmp_path / "proposals", area)

    def try_all() -> None:
        sync(area, "kb")
        for revision in history.timeline("a.md", with_signatures=True):
            history.change(revision)
            history.signature(revision.commit)
        history.blame("a.md")
        history.reviews(("a",))
        history.contributors("a.md")
        examine(area, "kb", deep=True)
        queue.propose("kb", Draft("three", (FileEdit("a.md", b"# A\n\nThree.\n"),)))
        queue.push("kb")
        queue.refresh("kb")

    try:
        try_all()
    except KbError as fault:
        pytest.fail(f"{fault}")
    assert not canary.exists()
    assert len(remote.branches()) == 2
