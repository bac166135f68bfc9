"""Clones on real remotes: caps before anything is unpacked, hostile repositories, faults, kills."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_http import serve_git, serve_http
from gitstore_remotes import Remote, git, make_runner, recorder, test_environment, tmp_path

from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.causes import Cause
from kb_app.gitstore.clones import CloneArea, CloneEnd, is_address, moved_to
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.names import parse_address
from kb_app.gitstore.proposals import Draft, ProposalQueue
from kb_app.gitstore.sync import SyncEnd, sync
from kb_app.gitstore.trees import TreeLimits, remove_tree

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False
KILLS = int(os.environ.get("KB_TEST_KILLS", "3"))


def make_area(tmp_path: Path, **options: object) -> CloneArea:
    return CloneArea(tmp_path / "clones", make_runner(tmp_path), **options)  # type: ignore[arg-type]


def leftovers(area: CloneArea) -> list[str]:
    return [p.name for p in area.area.iterdir() if p.name.startswith((".incoming-", ".removing-"))]


def test_a_bare_remote_is_cloned_and_recorded(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"fixes/lease.md": "# Lease lost\n"})
    area = make_area(tmp_path)
    outcome = area.clone(remote.address, "Team KB")
    assert outcome.end is CloneEnd.CLONED, outcome
    clone = area.get("Team KB")
    assert (area.root(clone) / "fixes/lease.md").read_text() == "# Lease lost\n"
    assert clone.branch == "main"
    assert leftovers(area) == []
    assert area.owner_of(area.root(clone)) == clone
    assert area.owner_of(area.root(clone) / "fixes") is None
    assert area.clone(remote.address, "Team KB").end is CloneEnd.EXISTS


def test_cloning_over_the_git_and_http_protocols(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "# A\n"})
    area = make_area(tmp_path)
    with serve_git(tmp_path / "r") as address:
        assert area.clone(f"{address}/remote.git", "one").is_ok
    with serve_http(tmp_path / "r") as server:
        assert area.clone(f"{server.url}/remote.git", "two").is_ok
    assert {c.name for c in area.clones()} == {"one", "two"}
    assert git(area.root(area.get("two")), "rev-parse", "HEAD") == remote.tip()


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        ("401", Cause.AUTH_NEEDED),
        ("403", Cause.FORBIDDEN),
        ("404", Cause.NOT_FOUND),
        ("500", Cause.SERVER_ERROR),
        ("html", Cause.NOT_GIT),
        ("redirect:http://127.0.0.2:9", Cause.MOVED),
        ("redirect:https://login.example.org", Cause.MOVED),
        ("drop:100", Cause.OFFLINE),
    ],
)
def test_each_fault_of_a_server_is_named_and_leaves_nothing(tmp_path: Path, fault: str, cause: Cause) -> None:
    Remote(tmp_path / "r", {"a.md": "# A\n"})
    area = make_area(tmp_path)
    with serve_http(tmp_path / "r") as server:
        server.fault = fault
        outcome = area.clone(f"{server.url}/remote.git", "kb")
    assert outcome.end is CloneEnd.FAILED
    assert outcome.cause is cause, outcome
    assert outcome.sentence
    assert "s3cr3t-canary" not in repr(outcome)
    assert area.clones() == ()
    assert leftovers(area) == []


def test_a_transfer_cut_in_the_middle_leaves_no_clone(tmp_path: Path) -> None:
    Remote(tmp_path / "r", {f"{n}.md": os.urandom(3000) for n in range(10)})
    area = make_area(tmp_path)
    with serve_http(tmp_path / "r") as server:
        server.fault, server.only = "drop:9000", "git-upload-pack"
        outcome = area.clone(f"{server.url}/remote.git", "kb")
    assert outcome.end is CloneEnd.FAILED
    assert leftovers(area) == []


def test_a_stalled_server_can_be_cancelled_at_once(tmp_path: Path) -> None:
    Remote(tmp_path / "r", {f"{n}.md": os.urandom(3000) for n in range(10)})
    area, cancelled = make_area(tmp_path), threading.Event()
    with serve_http(tmp_path / "r") as server:
        server.fault = "stall:50"
        threading.Timer(0.4, cancelled.set).start()
        outcome = area.clone(f"{server.url}/remote.git", "kb", is_cancelled=cancelled.is_set)
    assert outcome.end is CloneEnd.CANCELLED
    assert leftovers(area) == []


def test_a_move_on_the_same_host_is_followed_and_elsewhere_is_not() -> None:
    from kb_app.gitstore.causes import HttpAnswer
    from kb_app.gitstore.runner import GitOutcome

    def to(location: str) -> str | None:
        address = parse_address("https://git.example.org/team/kb")
        found = moved_to(address, GitOutcome(Cause.MOVED, answers=(HttpAnswer(301, "", location),)))
        return found.text if found else None

    end = "/info/refs?service=git-upload-pack"
    assert to("https://git.example.org/team/kb.git" + end) == "https://git.example.org/team/kb.git"
    assert to("/new/kb.git" + end) == "https://git.example.org/new/kb.git"
    assert to("https://evil.example.org/team/kb.git" + end) is None
    assert to("https://git.example.org:8443/team/kb.git" + end) is None
    assert to("http://git.example.org/team/kb.git" + end) is None
    assert to("https://git.example.org/login") is None
    assert to("ext::sh -c id" + end) is None


def test_a_repository_that_moved_on_its_host_is_found_and_remembered(tmp_path: Path) -> None:
    Remote(tmp_path / "r", {"a.md": "x"})
    area = make_area(tmp_path)
    with serve_http(tmp_path / "r") as server:
        server.fault = "moved:old.git"
        assert area.clone(f"{server.url}/old.git", "kb").is_ok
        assert area.get("kb").url == f"{server.url}/remote.git"


def test_a_credential_helper_of_the_user_logs_in_and_the_token_stays_there(tmp_path: Path) -> None:
    Remote(tmp_path / "r", {"a.md": "x"})
    token = "s3cr3t-canary"
    wanted = "Basic " + base64.b64encode(f"ada:{token}".encode()).decode()
    environment = test_environment(tmp_path / "home")
    folder = recorder(tmp_path / "bin")
    environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    config = tmp_path / "home/.gitconfig"
    plain = config.read_text()
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path, environment))
    with serve_http(tmp_path / "r") as server:
        server.fault = f"auth:{wanted}"
        outcome = area.clone(f"{server.url}/remote.git", "kb")
        assert outcome.cause is Cause.AUTH_NEEDED
        helper = f"!f() {{ echo username=ada; echo password={token}; }}; f"
        config.write_text(f'{plain}[credential]\n\thelper = "{helper}"\n')
        outcome = area.clone(f"{server.url}/remote.git", "kb")
        assert outcome.is_ok, outcome
        assert wanted in server.authorizations
        server.fault = "403"
        outcomes = repr(sync(area, "kb")) + repr(outcome)
    assert token not in outcomes
    assert token not in (folder / "calls.jsonl").read_text()
    for file in [*area.area.rglob("*"), *(tmp_path / "private").rglob("*")]:
        assert not file.is_file() or token.encode() not in file.read_bytes()


def test_a_login_that_the_users_settings_write_into_the_address_is_refused_and_not_shown(
    tmp_path: Path,
) -> None:
    Remote(tmp_path / "r", {"a.md": "x"})
    environment = test_environment(tmp_path / "home")
    config = tmp_path / "home/.gitconfig"
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path, environment))
    with serve_http(tmp_path / "r") as server:
        rewritten = server.url.replace("//", "//ada:s3cr3t-canary@")
        config.write_text(f'{config.read_text()}[url "{rewritten}/"]\n\tinsteadOf = {server.url}/\n')
        outcome = area.clone(f"{server.url}/remote.git", "kb")
    assert outcome.cause is Cause.LOGIN_IN_ADDRESS, outcome
    assert "s3cr3t-canary" not in repr(outcome)


def test_a_part_of_a_large_repository_can_be_synced_and_proposed_to(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"edge/a.md": "a", "store/b.md": "b"})
    git(remote.bare, "config", "uploadpack.allowFilter", "true")
    git(remote.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    area = make_area(tmp_path)
    with serve_http(tmp_path / "r") as server:
        assert area.clone(f"{server.url}/remote.git", "kb", is_partial=True, only_paths=("edge",)).is_ok
        remote.commit({"edge/a.md": "a2", "edge/c.md": "c", "store/b.md": "b2"})
        outcome = sync(area, "kb")
        assert outcome.end is SyncEnd.UPDATED, outcome
        root = area.root(area.get("kb"))
        assert (root / "edge/a.md").read_text() == "a2"
        assert not (root / "store").exists()
        queue = ProposalQueue(tmp_path / "proposals", area)
        made = queue.propose("kb", Draft("x", (FileEdit("edge/a.md", b"a3"), FileEdit("store/b.md", b"b3"))))
        assert made.is_ok, made
        assert len(queue.push("kb").sent) == 1
        assert made.proposal is not None
        assert git(remote.bare, "show", f"{made.proposal.branch}:store/b.md") == "b3"
    assert git(root, "status", "--porcelain") == ""


def test_an_empty_remote_is_said_to_be_empty(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r")
    outcome = make_area(tmp_path).clone(remote.address, "kb")
    assert outcome.end is CloneEnd.EMPTY


def test_a_missing_branch_lists_those_there_are(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    outcome = make_area(tmp_path).clone(remote.address, "kb", branch="release")
    assert outcome.cause is Cause.REF_MISSING
    assert "main" in outcome.hint


def nested_bomb(remote: Remote, levels: int, width: int) -> None:
    """Push a tree of ``width ** levels`` files that weighs a few kilobytes."""
    work = remote.work
    blob = git(work, "hash-object", "-w", "--stdin", stdin=b"x")
    tree = git(work, "mktree", stdin="".join(f"100644 blob {blob}\tf{i}\n" for i in range(width)).encode())
    for _ in range(levels - 1):
        tree = git(
            work, "mktree", stdin="".join(f"040000 tree {tree}\td{i}\n" for i in range(width)).encode()
        )
    commit = git(work, "commit-tree", "-m", "bomb", tree)
    git(work, "push", "-q", "-f", "origin", f"{commit}:refs/heads/main")


def disk_use(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def test_a_tree_of_a_thousand_million_files_is_refused_with_numbers(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    nested_bomb(remote, 9, 10)
    area = make_area(tmp_path, limits=TreeLimits(files=20_000))
    outcome = area.clone(remote.address, "bomb")
    assert outcome.end is CloneEnd.TOO_LARGE
    assert "20,000 files" in outcome.sentence
    assert leftovers(area) == []
    assert disk_use(area.area) < 1_000_000


def test_one_huge_file_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x", "zeros.bin": bytes(12_000_000)})
    area = make_area(tmp_path, limits=TreeLimits(file_bytes=10_000_000))
    outcome = area.clone(remote.address, "bomb")
    assert outcome.end is CloneEnd.TOO_LARGE
    assert "12 MB" in outcome.sentence
    assert leftovers(area) == []


def test_a_transfer_beyond_the_cap_is_cut(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {f"{i}.bin": os.urandom(400_000) for i in range(6)})
    area = make_area(tmp_path, limits=TreeLimits(transfer_bytes=300_000))
    with serve_http(tmp_path / "r") as server:
        outcome = area.clone(f"{server.url}/{remote.bare.name}", "bomb")
    assert outcome.end is CloneEnd.TOO_LARGE, outcome
    assert leftovers(area) == []


def test_a_tree_2500_levels_deep_is_refused_and_removed(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    work = remote.work
    blob = git(work, "hash-object", "-w", "--stdin", stdin=b"x")
    tree, name = git(work, "mktree", stdin=f"100644 blob {blob}\tf\n".encode()), "d"
    # fast-import writes all levels at once
    stream = "commit refs/heads/deep\ncommitter B <b@example.org> 0 +0000\ndata 1\nx\n"
    stream += f"M 100644 {blob} {'/'.join([name] * 2500)}/f\n"
    git(work, "fast-import", "--quiet", stdin=stream.encode())
    git(work, "push", "-q", "-f", "origin", "refs/heads/deep:refs/heads/main")
    assert tree
    area = make_area(tmp_path)
    outcome = area.clone(remote.address, "deep")
    assert outcome.end in (CloneEnd.TOO_LARGE, CloneEnd.FAILED), outcome
    assert area.clones() == ()
    assert leftovers(area) == []


def test_folders_of_any_depth_can_be_removed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("stays")
    top = tmp_path / "top"
    top.mkdir()
    (top / "link").symlink_to(tmp_path)
    here = os.open(top, os.O_RDONLY)
    for level in range(1300):
        os.mkdir("dddd", dir_fd=here)
        deeper = os.open("dddd", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
        if level % 500 == 0:
            os.close(os.open("f", os.O_CREAT | os.O_WRONLY, 0o400, dir_fd=here))
    os.close(here)
    remove_tree(top)
    assert not top.exists()
    assert outside.read_text() == "stays"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["outside"]


HOSTILE_CONFIGS = [
    ("core.fsmonitor", "touch {canary}"),
    ("core.sshCommand", "touch {canary}"),
    ("core.pager", "touch {canary}"),
    ("core.editor", "touch {canary}"),
    ("core.hooksPath", "{hooks}"),
    ("core.gitProxy", "touch {canary}"),
    ("core.alternateRefsCommand", "touch {canary};:"),
    ("credential.helper", "!touch {canary}"),
    ("diff.external", "touch {canary}"),
    ("filter.x.clean", "touch {canary}"),
    ("filter.x.smudge", "touch {canary}"),
    ("uploadpack.packObjectsHook", "touch {canary};"),
    ("remote.origin.uploadpack", "touch {canary};"),
    ("protocol.ext.allow", "always"),
    ("include.path", "{include}"),
    ("gpg.program", "{script}"),
]


def test_a_foreign_folder_is_copied_without_running_anything_of_it(tmp_path: Path) -> None:
    remote, canary = (
        Remote(tmp_path / "r", {"a.md": "# A\n", ".gitattributes": "* filter=x diff=x\n"}),
        tmp_path / "canary",
    )
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    script = hooks / "script"
    for name in ("post-checkout", "pre-commit", "post-index-change", "reference-transaction", "script"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {canary}\n")
        (hooks / name).chmod(0o755)
        (remote.work / ".git/hooks" / name).write_bytes((hooks / name).read_bytes())
        (remote.work / ".git/hooks" / name).chmod(0o755)
    include = tmp_path / "include"
    include.write_text(f"[core]\n\tfsmonitor = touch {canary}\n")
    with (remote.work / ".git/config").open("a") as config:
        for key, value in HOSTILE_CONFIGS:
            section, _, name = key.rpartition(".")
            first, _, second = section.partition(".")
            text = value.format(canary=canary, hooks=hooks, include=include, script=script)
            config.write(
                f'[{first}{f" {chr(34)}{second}{chr(34)}" if second else ""}]\n\t{name} = "{text}"\n'
            )
    before = {p: p.read_bytes() for p in remote.work.rglob("*") if p.is_file()}
    folder = recorder(tmp_path / "bin")
    environment = test_environment(tmp_path / "home")
    environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path, environment))
    outcome = area.clean_copy(remote.work, "copy")
    assert outcome.is_ok, outcome
    assert (area.root(area.get("copy")) / "a.md").read_text() == "# A\n"
    assert not canary.exists()
    assert before == {p: p.read_bytes() for p in remote.work.rglob("*") if p.is_file()}
    calls = [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]
    assert calls
    foreign = str(remote.work)
    for call in calls:
        assert not call["cwd"].startswith(foreign)
        assert not call["env"].get("GIT_DIR", "").startswith(foreign)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% {canary}",
        "--upload-pack=touch {canary};",
        "-oProxyCommand=touch {canary}",
        "ssh://-oProxyCommand=touch {canary}/x",
        "git@-oProxyCommand=touch {canary}:x",
        "fd::3",
        "file://localhost/../..//x\nhost=evil",
        "https://example.org/x\nprotocol=ext",
        "{folder}/`touch {canary}`",
        "{folder}/$(touch {canary})",
        "{folder}/'; touch {canary}; '",
    ],
)
def test_no_address_starts_a_program_or_becomes_an_option(tmp_path: Path, url: str) -> None:
    canary = tmp_path / "canary"
    folder = recorder(tmp_path / "bin")
    environment = test_environment(tmp_path / "home")
    environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path, environment))
    text = url.format(canary=canary, folder=tmp_path)
    with contextlib.suppress(UsageError):
        assert area.clone(text, "kb").end is CloneEnd.FAILED
    calls = folder / "calls.jsonl"
    for line in calls.read_text().splitlines() if calls.exists() else ():
        argv = json.loads(line)["argv"]
        if "ls-remote" in argv or "clone" in argv:
            assert argv.index("--") < argv.index(text)
    assert not canary.exists()
    assert area.clones() == ()


def test_ssh_is_started_without_prompts(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> {tmp_path}/argv\n'
        'while [ "${1#-}" != "$1" ]; do case "$1" in -o|-p) shift;; esac; shift; done\n'
        'shift; exec sh -c "$1"\n'
    )
    (folder / "ssh").chmod(0o755)
    environment = test_environment(tmp_path / "home")
    environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path, environment))
    assert area.clone(f"ssh://git@kb.example.org{remote.bare}", "kb").is_ok
    words = (tmp_path / "argv").read_text().splitlines()
    assert "-oBatchMode=yes" in words
    assert "git@kb.example.org" in words


def test_folders_and_addresses_are_told_apart_without_starting_git(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    (tmp_path / "plain").mkdir()
    area = make_area(tmp_path)
    assert area.clone(remote.address, "kb").is_ok
    assert area.is_foreign(remote.work)
    assert area.is_foreign(remote.bare)
    assert not area.is_foreign(tmp_path / "plain")
    assert not area.is_foreign(area.root(area.get("kb")))
    for text in ("https://h/x", "ssh://h/x", "git@h:x", "ext::sh -c x", "file:/x", str(remote.bare)):
        assert is_address(text), text
    for text in (str(remote.work), "content", "./a:b", "C:\\kb", "C:/kb", "~/kb", str(tmp_path / "plain")):
        assert not is_address(text), text


def test_symbolic_links_of_a_remote_become_harmless_text(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    (remote.work / "p.md").symlink_to("/etc/passwd")
    git(remote.work, "add", "p.md")
    remote.commit({"b.md": "y"})
    area = make_area(tmp_path)
    assert area.clone(remote.address, "kb").is_ok
    entry = area.root(area.get("kb")) / "p.md"
    assert not entry.is_symlink()
    assert entry.read_text() == "/etc/passwd"


@pytest.mark.parametrize("name", [".git", "..", ".GIT", ".git\u200c", "git~1"])
def test_trees_that_reach_for_git_or_outside_are_refused(tmp_path: Path, name: str) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    work = remote.work
    blob = git(work, "hash-object", "-w", "--stdin", stdin=b"x")
    inner = git(work, "mktree", stdin=f"100644 blob {blob}\tconfig\n".encode())
    raw = b"40000 " + name.encode() + b"\0" + bytes.fromhex(inner)
    tree = git(work, "hash-object", "-w", "--literally", "-t", "tree", "--stdin", stdin=raw)
    commit = git(work, "commit-tree", "-m", "bad", tree)
    git(work, "push", "-q", "-f", "origin", f"{commit}:refs/heads/main")
    area = make_area(tmp_path)
    outcome = area.clone(remote.address, "kb")
    assert outcome.end is CloneEnd.FAILED
    assert outcome.cause is Cause.BAD_CONTENT, outcome.details
    assert leftovers(area) == []


def test_attributes_of_a_remote_start_no_filter_and_change_no_byte(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    pages = {"a.md": b"one\r\ntwo $Id$\n", "b.md": b"\xef\xbb\xbf# B\nx\x00\n", "c.md": b"caf\xe9\n"}
    wanted = "*.md filter=user text eol=crlf ident\nb.md working-tree-encoding=UTF-16\n"
    remote = Remote(tmp_path / "r", pages)
    (remote.work / ".gitattributes").write_text(wanted)
    remote.commit({".gitattributes": wanted})
    environment = test_environment(tmp_path / "home")
    config = tmp_path / "home/.gitconfig"
    filters = f"smudge = touch {canary}\n\tclean = touch {canary}\n\trequired = true\n"
    config.write_text(f'{config.read_text()}[filter "user"]\n\t{filters}')
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path, environment))
    assert area.clone(remote.address, "kb").is_ok
    root = area.root(area.get("kb"))
    assert {name: (root / name).read_bytes() for name in pages} == pages
    remote.commit({"d.md": b"four\n"})
    assert sync(area, "kb").end is SyncEnd.UPDATED
    queue = ProposalQueue(tmp_path / "proposals", area)
    made = queue.propose("kb", Draft("x", (FileEdit("a.md", b"new\r\n"),)))
    assert made.is_ok, made
    assert git(root, "cat-file", "-s", f"{made.proposal.commit}:a.md") == "5"  # type: ignore[union-attr]
    assert (root / "d.md").read_bytes() == b"four\n"
    assert not canary.exists()


def test_submodules_are_not_fetched(tmp_path: Path) -> None:
    other, canary = Remote(tmp_path / "o", {"s.md": "s"}), tmp_path / "canary"
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    modules = f'[submodule "s"]\n\tpath = s\n\turl = ext::touch {canary}\n\tupdate = !touch {canary}\n'
    (remote.work / ".gitmodules").write_text(modules)
    git(remote.work, "update-index", "--add", "--cacheinfo", f"160000,{other.tip()},s")
    remote.commit({".gitmodules": modules})
    area = make_area(tmp_path)
    outcome = area.clone(remote.address, "kb")
    assert not canary.exists()
    if outcome.is_ok:
        assert list((area.root(area.get("kb")) / "s").iterdir()) == []
    else:
        assert outcome.cause is Cause.BAD_CONTENT


def test_a_part_of_a_large_repository_can_be_unpacked_alone(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"edge/a.md": "a", "store/b.md": "b", "README.md": "r"})
    git(remote.bare, "config", "uploadpack.allowFilter", "true")
    git(remote.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
    area = make_area(tmp_path)
    with serve_http(tmp_path / "r") as server:
        outcome = area.clone(f"{server.url}/remote.git", "kb", is_partial=True, only_paths=("edge",))
    assert outcome.is_ok, outcome
    root = area.root(area.get("kb"))
    assert (root / "edge/a.md").read_text() == "a"
    assert not (root / "store").exists()


def test_removing_forgets_the_clone_and_its_files(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    area = make_area(tmp_path)
    area.clone(remote.address, "kb")
    root = area.root(area.get("kb"))
    area.remove("kb")
    assert not root.exists()
    assert area.clones() == ()
    with pytest.raises(UsageError):
        area.remove("kb")


def test_a_record_that_names_a_folder_elsewhere_is_not_followed(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    area = make_area(tmp_path)
    area.clone(remote.address, "kb")
    file = area.area / "clones.json"
    plain = json.loads(file.read_text())
    plain["clones"][0]["folder"] = "../../precious"
    file.write_text(json.dumps(plain))
    (tmp_path / "precious").mkdir()
    with pytest.raises(EnvironmentFault):
        area.root(area.get("kb"))
    area.remove("kb")
    assert (tmp_path / "precious").exists()


def test_two_clones_at_once_both_arrive(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {f"{i}.md": "x" for i in range(50)})
    area = make_area(tmp_path)
    ends: dict[str, CloneEnd] = {}

    def work(name: str) -> None:
        ends[name] = area.clone(remote.address, name).end

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(ends.values()) == {CloneEnd.CLONED}
    assert {c.name for c in area.clones()} == {"a", "b", "c"}


def test_the_same_name_cloned_twice_at_once_exists_once(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "x"})
    area = make_area(tmp_path)
    ends: list[CloneEnd] = []
    threads = [
        threading.Thread(target=lambda: ends.append(area.clone(remote.address, "kb").end)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == [CloneEnd.CLONED, CloneEnd.EXISTS]
    assert len([p for p in area.area.iterdir() if p.is_dir() and not p.name.startswith(".")]) == 1


CHILD = textwrap.dedent("""
    import sys
    from pathlib import Path
    sys.path.insert(0, {fixtures!r})
    from gitstore_remotes import make_runner
    from kb_app.gitstore.clones import CloneArea
    tmp_path = Path({tmp_path!r})
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
    print("started", flush=True)
    area.clone({address!r}, "kb")
""")


def test_a_clone_killed_at_any_moment_is_not_listed_and_is_swept(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {f"{n}.md": os.urandom(20_000) for n in range(30)})
    code = CHILD.format(
        fixtures=str(Path(__file__).parents[1] / "fixtures"), tmp_path=str(tmp_path), address=remote.address
    )
    area = make_area(tmp_path)
    for attempt in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.04 + 0.06 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        for clone in area.clones():
            assert git(area.root(clone), "status", "--porcelain") == ""
            area.remove(clone.name)
    assert area.clone(remote.address, "kb").is_ok
    assert leftovers(area) == []


def test_a_full_disk_is_said_and_leaves_no_clone(tmp_path: Path) -> None:
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    remote = Remote(tmp_path / "r", {f"{n}.md": os.urandom(200_000) for n in range(10)})
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this system lets nobody mount")
    try:
        area = CloneArea(small / "clones", make_runner(tmp_path))
        outcome = area.clone(remote.address, "kb")
        assert outcome.end is CloneEnd.FAILED
        assert outcome.cause is Cause.DISK_FULL, outcome
        assert area.clones() == ()
        assert leftovers(area) == []
    finally:
        subprocess.run(["umount", str(small)], check=False)
