"""Records in a repository of their own: committed, caught up, exchanged, read without git in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import git, tmp_path

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.borrowed import borrow, is_repository
from kb_app.gitstore.ledger import LOCK, Ledger
from kb_app.gitstore.locks import Busy, exclusive
from kb_app.gitstore.record_history import read_blobs, read_history
from kb_app.gitstore.runner import GitRunner, Identity, find_git
from kb_app.incidents.events import EventType
from kb_app.incidents.runs import RunPlan
from kb_app.incidents.verify import is_chain_intact, verify
from kb_app.paths import AppFolders
from kb_app.settings import Settings, load_settings, save_settings
from kb_app.workspace.record_settings import is_folder_name
from kb_app.workspace.record_store import commit_queue, exchange_records, is_news, open_ledger
from kb_app.workspace.records import Commits, open_book

__all__ = ["tmp_path"]

WHO = Identity("Ana", "ana@example.com")


@pytest.fixture(autouse=True)
def git_home(tmp_path, monkeypatch):
    home = tmp_path / "git-home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def folders(top: Path, name: str = "one") -> AppFolders:
    home = top / name
    return AppFolders(home / "config", home / "cache", home / "data", home / "logs")


def opened(book, title="checkout down"):
    return book.open({"title": title, "severity": "sev2"}).place.id


def log(top: Path, *words: str) -> str:
    return git(top, "log", *words)


def test_an_event_is_acknowledged_before_git_and_committed_soon_after(tmp_path):
    here = folders(tmp_path)
    book = open_book(here, author="ana@example.com")
    receipt = book.open({"title": "checkout down", "severity": "sev2"})
    assert not receipt.is_committed
    assert not receipt.problem
    book.add(receipt.place.id, EventType.NOTE, {"text": "looking"})
    state = commit_queue(here, load_settings(here)).flush(30)
    assert (state.problem, state.pending) == ("", 0)
    names = git(here.records, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert sorted(Path(name).name for name in names) == [
        ".gitattributes",
        f"{load_settings(here).device}.jsonl",
        "incident.md",
    ]
    assert git(here.records, "status", "--porcelain") == ""
    assert "ana@example.com" in log(here.records, "--format=%ae")


def test_a_program_that_ends_at_once_commits_before_it_does(tmp_path):
    here = folders(tmp_path)
    book = open_book(here, author="ana", commits=Commits.AT_ONCE)
    receipt = book.open({"title": "x"})
    assert receipt.is_committed
    assert log(here.records, "--format=%s").splitlines()[-1] in (
        "records: begin",
        f"incident {receipt.place.id}: opened",
    )


def test_each_mark_of_a_run_is_committed_too(tmp_path):
    here = folders(tmp_path)
    book = open_book(here, author="ana")
    name = opened(book)
    plan = RunPlan("Mitigation: grow", "mitigation", ("Look",))
    runs = book.runs(name)
    run = runs.start(plan)
    runs.tick(run.run, 1)
    commit_queue(here, load_settings(here)).flush(30)
    assert git(here.records, "status", "--porcelain") == ""


def test_what_a_killed_program_left_is_committed_by_the_next_one(tmp_path):
    here = folders(tmp_path)
    name = opened(open_book(here, author="ana", commits=Commits.AT_ONCE))
    open_book(here, author="ana", commits=Commits.NEVER).add(
        name, EventType.NOTE, {"text": "then the power went"}
    )
    ledger = open_ledger(here, load_settings(here))
    assert len(ledger.uncommitted("incidents")) == 2
    assert ledger.catch_up("incidents", "records: what was written before")
    assert ledger.uncommitted("incidents") == ()


def test_without_git_records_still_work_and_the_reason_is_told(tmp_path, monkeypatch):
    here = folders(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    book = open_book(here, author="ana", commits=Commits.AT_ONCE)
    receipt = book.open({"title": "x"})
    assert "Git" in receipt.problem or "git" in receipt.problem
    assert is_chain_intact(verify(receipt.place.folder))
    assert not (here.records / ".git").exists()


def test_two_writers_take_turns_and_a_third_is_told(tmp_path):
    here = folders(tmp_path)
    name = opened(open_book(here, author="ana", commits=Commits.AT_ONCE))
    ledgers = [open_ledger(here, load_settings(here)) for _ in range(2)]
    file = next((here.records / "incidents").rglob("*.jsonl")).relative_to(here.records).as_posix()
    book = open_book(here, author="ana", commits=Commits.NEVER)
    failed: list[Exception] = []

    def write(ledger: Ledger) -> None:
        try:
            for n in range(5):
                book.add(name, EventType.NOTE, {"text": f"note {n}"})
                ledger.commit((file,), "incident: note")
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=write, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert git(here.records, "fsck", "--no-dangling") == ""
    with exclusive(here.records / LOCK), pytest.raises(Busy), ledgers[0].locked(patience_s=0.1):
        pass


def test_a_repository_that_is_not_ours_is_never_committed_to(tmp_path):
    top = tmp_path / "theirs"
    top.mkdir()
    git(top, "init", "-q")
    (top / "incidents").mkdir()
    ledger = Ledger(top, GitRunner(find_git(), tmp_path / "p"), WHO)
    (top / "incidents" / "x.md").write_text("x")
    with pytest.raises(EnvironmentFault, match="did not make"):
        ledger.commit(("incidents/x.md",), "x")
    assert git(top, "status", "--porcelain") == "?? incidents/"


def device(top: Path, name: str, remote: Path, folder: str = ""):
    here = folders(top, name)
    save_settings(
        here,
        Settings(
            device=name, author=f"{name}@example.com", records_remote=str(remote), records_folder=folder
        ),
    )
    return here


def synced(here: AppFolders):
    commit_queue(here, load_settings(here)).flush(30)
    return exchange_records(here, load_settings(here), load_settings(here).device)


@pytest.mark.parametrize("folder", ["", "ops/records"])
def test_two_devices_write_to_one_record_and_merge_without_a_conflict(tmp_path, folder):
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    one, two = device(tmp_path, "d1", remote, folder), device(tmp_path, "d2", remote, folder)
    first, second = open_book(one), open_book(two)
    name = opened(first)
    assert synced(one).is_sent
    got = synced(two)
    assert (got.is_ok, got.is_sent) == (True, False)
    assert got.received >= 3
    first.add(name, EventType.NOTE, {"text": "from one"})
    second.add(name, EventType.NOTE, {"text": "from two"})
    other = opened(second, "another")
    assert synced(one).is_ok
    assert synced(two).is_ok
    assert synced(one).is_ok
    assert synced(two).is_ok
    for here, book in ((one, first), (two, second)):
        texts = [m.data.text("text") for m in book.state(name).moments if m.event.type == "note"]
        assert sorted(texts) == ["from one", "from two"]
        assert {state.id for state in book.states()} == {name, other}
        assert all(found == () for found in book.verify().values())
        assert git(here.records, "status", "--porcelain", "--", folder or "incidents") == ""
    assert git(one.records, "rev-parse", "HEAD") == git(two.records, "rev-parse", "HEAD")
    assert git(remote, "fsck", "--no-dangling") == ""


def test_records_in_a_folder_of_a_knowledge_base_leave_its_pages_alone(tmp_path):
    remote, work = tmp_path / "kb.git", tmp_path / "work"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    git(tmp_path, "clone", "-q", str(remote), str(work))
    (work / "page.md").write_text("# A page\n")
    (work / "old.md").write_text("# Old\n")
    git(work, "add", ".")
    git(work, "commit", "-qm", "pages")
    git(work, "push", "-q", "origin", "HEAD:main")
    here = device(tmp_path, "d1", remote, "records")
    name = opened(open_book(here))
    assert synced(here).is_sent
    git(work, "pull", "-q", "--rebase", "origin", "main")
    assert (work / "records" / "incidents").is_dir()
    (work / "page.md").write_text("# A better page\n")
    git(work, "rm", "-q", "old.md")
    git(work, "commit", "-qam", "edit")
    git(work, "push", "-q", "origin", "HEAD:main")
    open_book(here).add(name, EventType.NOTE, {"text": "more"})
    assert synced(here).is_ok
    assert git(remote, "show", "main:page.md") == "# A better page"
    assert "old.md" not in git(remote, "ls-tree", "-r", "--name-only", "main")
    assert not (here.records / "page.md").exists()


def test_what_the_other_side_removed_or_rewrote_stays_here(tmp_path):
    remote, work = tmp_path / "remote.git", tmp_path / "work"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    here = device(tmp_path, "d1", remote)
    book = open_book(here)
    name, gone = opened(book), opened(book, "other")
    assert synced(here).is_sent
    git(tmp_path, "clone", "-q", str(remote), str(work))
    shutil.rmtree(work / "incidents" / gone[:4] / gone)
    file = work / "incidents" / name[:4] / name / "events" / "d1.jsonl"
    file.write_bytes(file.read_bytes().replace(b"checkout", b"CHECKOUT"))
    git(work, "commit", "-qam", "tidy up")
    git(work, "push", "-q", "origin", "HEAD:main")
    before = book.state(name)
    got = synced(here)
    assert got.parted == (f"incidents/{name[:4]}/{name}/events/d1.jsonl",)
    assert book.state(name) == before
    assert {state.id for state in book.states()} == {name, gone}


def test_an_exchange_without_a_network_changes_nothing_and_says_so(tmp_path):
    here = device(tmp_path, "d1", tmp_path / "nowhere.git")
    name = opened(open_book(here))
    got = synced(here)
    assert not got.is_ok
    assert got.sentence
    assert open_book(here).state(name).id == name


def test_the_history_of_a_repository_is_read_without_running_git_in_it(tmp_path):
    top = tmp_path / "theirs"
    top.mkdir()
    git(top, "init", "-q")
    marker = tmp_path / "ran"
    git(top, "config", "core.fsmonitor", f"touch {marker}; false")
    git(top, "config", "core.pager", f"touch {marker}")
    git(top, "config", "alias.log", f"!touch {marker}")
    (top / "a.txt").write_text("one")
    subprocess.run(["git", "-c", "core.fsmonitor=false", "add", "."], cwd=top, check=True)
    git(top, "-c", "core.fsmonitor=false", "commit", "-qm", "first")
    git(top, "-c", "core.fsmonitor=false", "rm", "-q", "a.txt")
    git(top, "-c", "core.fsmonitor=false", "commit", "-qm", "second")
    git(top, "pack-refs", "--all")
    marker.unlink(missing_ok=True)
    before = {f: f.read_bytes() for f in top.rglob("*") if f.is_file()}
    runner = GitRunner(find_git(), tmp_path / "private")
    with borrow(runner, top, tmp_path / "private") as borrowed:
        second, first = read_history(runner, borrowed.repository, borrowed.head)
        assert [f.blob for f in second.files] == [None]
        contents = read_blobs(runner, borrowed.repository, [f.blob for f in first.files if f.blob])
    assert list(contents.values()) == [b"one"]
    assert (first.subject, first.by) == ("first", "Bob Colleague <bob@example.org>")
    assert not marker.exists()
    assert before == {f: f.read_bytes() for f in top.rglob("*") if f.is_file()}
    assert list((tmp_path / "private").glob("borrowed-*")) == []
    assert is_repository(top)
    assert not is_repository(tmp_path)


def test_a_problem_of_committing_is_told_once_until_it_passes(tmp_path):
    here = folders(tmp_path)
    assert is_news(here, "git is not there.")
    assert not is_news(here, "git is not there.")
    assert is_news(here, "The disk is full.")
    assert not is_news(here, "")
    assert is_news(here, "git is not there.")


def test_a_maker_that_was_killed_leaves_no_half_repository(tmp_path):
    here = folders(tmp_path)
    half = here.records / ".kb_app-making-0123" / ".git"
    half.mkdir(parents=True)
    (half / "HEAD").write_text("ref: refs/he")
    receipt = open_book(here, author="ana", commits=Commits.AT_ONCE).open({"title": "x"})
    assert receipt.is_committed
    assert not (here.records / ".kb_app-making-0123").exists()
    assert "worktree" not in (here.records / ".git" / "config").read_text()
    assert git(here.records, "status", "--porcelain") == ""


@pytest.mark.parametrize("name", ["ops/records", "records", "a b/c"])
def test_folders_of_a_repository_that_can_hold_records(name):
    assert is_folder_name(name)


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/../b", "/a", "a//b", ".git", "a/.GIT/b", "a:b", "x" * 400]
)
def test_what_cannot_be_such_a_folder(name):
    assert not is_folder_name(name)
