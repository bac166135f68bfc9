"""Everything opened together; and without git, or where nothing can be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_http import serve_http
from gitstore_remotes import Remote, git, test_environment, tmp_path

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.causes import Cause
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.health import examine
from kb_app.gitstore.proposals import Draft, ProposalState, ProposeEnd
from kb_app.gitstore.store import GitStore, open_store, synchronise
from kb_app.gitstore.sync import SyncEnd, sync
from kb_app.paths import AppFolders

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False


def folders_in(home: Path) -> AppFolders:
    return AppFolders(home / "config", home / "cache", home / "data", home / "logs")


def make(tmp_path: Path) -> GitStore:
    return open_store(folders_in(tmp_path / "app"), environment=test_environment(tmp_path / "home"))


def test_one_exchange_syncs_sends_and_looks_up(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "a", "b.md": "b"})
    store = make(tmp_path)
    assert store.program is not None
    assert store.area.clone(remote.address, "kb").is_ok
    made = store.queue.propose("kb", Draft("x", (FileEdit("a.md", b"mine"),))).proposal
    assert made is not None
    remote.commit({"b.md": "theirs"})
    done = synchronise(store, "kb")
    assert done.sync.end is SyncEnd.UPDATED
    assert [p.id for p in done.push.sent] == [made.id]
    git(remote.work, "fetch", "-q", "origin")
    git(remote.work, "cherry-pick", made.commit)
    remote.commit({})
    assert synchronise(store, "kb").sync.end is SyncEnd.UPDATED
    assert store.queue.get(made.id).state is ProposalState.MERGED
    assert store.history("kb").timeline("a.md")[0].subject == "x"


def test_an_exchange_without_a_network_asks_once_and_keeps_the_queue(tmp_path: Path) -> None:
    Remote(tmp_path / "r", {"a.md": "a"})
    store = make(tmp_path)
    with serve_http(tmp_path / "r") as server:
        assert store.area.clone(f"{server.url}/remote.git", "kb").is_ok
    store.queue.propose("kb", Draft("x", (FileEdit("a.md", b"mine"),)))
    done = synchronise(store, "kb")
    assert done.sync.end is SyncEnd.OFFLINE
    assert done.push.sent == ()
    assert [p.state for p in store.queue.proposals()] == [ProposalState.QUEUED]


def test_without_git_everything_here_can_be_read_and_the_rest_says_why(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "text"})
    assert make(tmp_path).area.clone(remote.address, "kb").is_ok
    store = open_store(folders_in(tmp_path / "app"), environment={"PATH": str(tmp_path)})
    assert store.program is None
    assert "not installed" in store.problem
    clone = store.area.get("kb")
    assert (store.area.root(clone) / "a.md").read_text() == "text"
    for sentence in (
        sync(store.area, "kb").sentence,
        store.area.clone(remote.address, "other").sentence,
        store.queue.propose("kb", Draft("x", (FileEdit("a.md", b"y"),))).sentence,
        examine(store.area, "kb").sentence,
    ):
        assert "not installed" in sentence
    with pytest.raises(EnvironmentFault, match="not installed"):
        store.history("kb").timeline("a.md")


def test_where_nothing_can_be_written_everything_can_be_read(tmp_path: Path) -> None:
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("mounting needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this system lets nobody mount")
    try:
        remote = Remote(tmp_path / "r", {"a.md": "text"})
        environment = test_environment(tmp_path / "home")
        store = open_store(folders_in(disk / "app"), environment=environment)
        assert store.area.clone(remote.address, "kb").is_ok
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        store = open_store(folders_in(disk / "app"), environment=environment)
        assert (store.area.root(store.area.get("kb")) / "a.md").read_text() == "text"
        assert len(store.history("kb").timeline("a.md")) == 1
        assert examine(store.area, "kb").is_whole
        assert sync(store.area, "kb").end is SyncEnd.FAILED
        outcome = store.queue.propose("kb", Draft("x", (FileEdit("a.md", b"y"),)))
        assert outcome.end is ProposeEnd.FAILED
        assert outcome.sentence
        assert store.queue.push("kb").cause is Cause.READ_ONLY
    finally:
        subprocess.run(["umount", str(disk)], check=False)
