"""Sync on real remotes: forward only, fail-safes, faults, crashes."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_http import serve_http
from gitstore_remotes import Remote, git, make_runner, test_environment, tmp_path

from kb_app.gitstore.clones import Clone, CloneArea
from kb_app.gitstore.sync import (
    ChangeStatus,
    FileChange,
    SyncEnd,
    adopt,
    backups,
    next_attempt_at,
    sync,
)

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False
KILLS = int(os.environ.get("KB_TEST_KILLS", "3"))
SEEDS = int(os.environ.get("KB_TEST_SEEDS", "2"))
STEPS = int(os.environ.get("KB_TEST_STEPS", "25"))
NOON = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
PAGES = {f"fixes/{n}.md": f"# Fix {n}\n\nText {n}.\n" for n in range(6)}


class Bench:
    """A remote, and a clone of it in an area with a clock that can be set."""

    def __init__(self, tmp_path: Path, files: dict[str, str | bytes] | None = None, url: str = "") -> None:
        self.remote = Remote(tmp_path / "r", files or dict(PAGES))
        self.now = NOON
        self.area = CloneArea(tmp_path / "clones", make_runner(tmp_path), clock=lambda: self.now)
        made = self.area.clone(url or self.remote.address, "kb")
        assert made.is_ok, made

    @property
    def clone(self) -> Clone:
        return self.area.get("kb")

    @property
    def root(self) -> Path:
        return self.area.root(self.clone)

    def head(self) -> str:
        return git(self.root, "rev-parse", "HEAD")

    def files(self) -> dict[str, bytes]:
        return {
            p.relative_to(self.root).as_posix(): p.read_bytes()
            for p in self.root.rglob("*")
            if p.is_file() and ".git" not in p.relative_to(self.root).parts
        }

    def refs(self) -> str:
        return git(self.root, "for-each-ref")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_nothing_new_is_up_to_date_and_the_time_is_kept(bench: Bench) -> None:
    bench.now = NOON + dt.timedelta(hours=3)
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.UP_TO_DATE
    assert outcome.is_current
    assert bench.clone.checked_at == bench.now


def test_new_commits_are_taken_and_each_changed_file_is_told(bench: Bench) -> None:
    before = bench.head()
    bench.remote.commit({"fixes/0.md": "# Fix 0\n\nBetter.\n", "new.md": "# New\n", "fixes/1.md": None})
    git(bench.remote.work, "mv", "fixes/2.md", "fixes/two.md")
    tip = bench.remote.commit({})
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.UPDATED, outcome
    assert (outcome.before, outcome.after) == (before, tip)
    assert outcome.changes == (
        FileChange("fixes/0.md", ChangeStatus.CHANGED),
        FileChange("fixes/1.md", ChangeStatus.DELETED),
        FileChange("fixes/two.md", ChangeStatus.RENAMED, "fixes/2.md"),
        FileChange("new.md", ChangeStatus.ADDED),
    )
    assert bench.head() == tip
    assert git(bench.root, "status", "--porcelain") == ""
    assert (bench.root / "new.md").read_text() == "# New\n"


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("401", SyncEnd.AUTH_NEEDED),
        ("403", SyncEnd.FAILED),
        ("404", SyncEnd.FAILED),
        ("500", SyncEnd.OFFLINE),
        ("html", SyncEnd.NOT_GIT),
        ("redirect:https://login.example.org", SyncEnd.MOVED),
        ("drop:20", SyncEnd.OFFLINE),
    ],
)
def test_a_faulty_server_changes_no_ref_and_is_never_up_to_date(
    tmp_path: Path, fault: str, end: SyncEnd
) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git")
        bench.remote.commit({"new.md": "x"})
        refs, files = bench.refs(), bench.files()
        server.fault = fault
        outcome = sync(bench.area, "kb")
    assert outcome.end is end, outcome
    assert not outcome.is_current
    assert outcome.stale_since == NOON
    assert "s3cr3t-canary" not in repr(outcome)
    assert (bench.refs(), bench.files()) == (refs, files)


def test_a_fault_in_the_middle_of_the_transfer_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git")
        bench.remote.commit({"new.bin": os.urandom(50_000)})
        server.fault, server.only = "drop:9000", "git-upload-pack"
        before = bench.head()
        assert sync(bench.area, "kb").end in (SyncEnd.OFFLINE, SyncEnd.FAILED)
        assert bench.head() == before
        server.fault = ""
        assert sync(bench.area, "kb").end is SyncEnd.UPDATED


def test_a_stalled_server_is_cancelled_at_once(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    cancelled = threading.Event()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git")
        server.fault = "stall:10"
        threading.Timer(0.3, cancelled.set).start()
        assert sync(bench.area, "kb", is_cancelled=cancelled.is_set).end is SyncEnd.CANCELLED


def test_no_server_at_all_is_offline_with_the_state_one_sees(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git")
    bench.now = NOON + dt.timedelta(days=2)
    first = sync(bench.area, "kb", rng=random.Random(1))
    second = sync(bench.area, "kb", rng=random.Random(1))
    assert first.end is SyncEnd.OFFLINE
    assert "2026-01-05 12:00" in first.sentence
    assert first.retry_at is not None
    assert second.retry_at is not None
    assert bench.now < first.retry_at < second.retry_at


def test_an_emptied_remote_stops_the_sync(bench: Bench) -> None:
    git(bench.remote.bare, "update-ref", "-d", "refs/heads/main")
    before = bench.files()
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.EMPTY_REMOTE
    assert outcome.needs_choice
    assert bench.files() == before


def test_a_deleted_branch_is_named_with_those_that_are_left(bench: Bench) -> None:
    git(bench.remote.bare, "branch", "-m", "main", "trunk")
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.BRANCH_DELETED
    assert "trunk" in outcome.hint
    assert bench.files().keys() == PAGES.keys()


def test_a_remote_that_lost_most_branches_asks_first(bench: Bench) -> None:
    tip = bench.remote.tip()
    for number in range(6):
        git(bench.remote.bare, "update-ref", f"refs/heads/b{number}", tip)
    assert sync(bench.area, "kb").is_current
    for number in range(6):
        git(bench.remote.bare, "update-ref", "-d", f"refs/heads/b{number}")
    assert sync(bench.area, "kb").end is SyncEnd.BRANCHES_GONE
    assert sync(bench.area, "kb", accept_deletions=True).is_current
    assert sync(bench.area, "kb").is_current


def test_a_sync_that_would_delete_most_pages_asks_first(bench: Bench) -> None:
    bench.remote.commit({f"fixes/{n}.md": None for n in range(4)})
    before = bench.head()
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.WOULD_DELETE
    assert "4 of 6" in outcome.sentence
    assert outcome.backup_ref.startswith("refs/backup/")
    assert len(bench.files()) == 6
    assert sync(bench.area, "kb", accept_deletions=True).end is SyncEnd.UPDATED
    assert len(bench.files()) == 2
    back = adopt(bench.area, "kb", outcome.backup_ref)
    assert back.end is SyncEnd.UPDATED
    assert bench.head() == before
    assert len(bench.files()) == 6


def test_a_forced_push_moves_nothing_until_it_is_accepted(bench: Bench) -> None:
    bench.remote.commit({"secret.md": "taken back\n"})
    assert sync(bench.area, "kb").end is SyncEnd.UPDATED
    mine = bench.head()
    git(bench.remote.work, "reset", "-q", "--hard", "HEAD~1")
    bench.remote.commit({"other.md": "instead\n"}, push=False)
    git(bench.remote.work, "push", "-q", "-f", "origin", "HEAD")
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.FORCED
    assert bench.head() == mine
    assert (outcome.backup_ref, mine) in backups(bench.area, "kb")
    taken = adopt(bench.area, "kb", outcome.offered)
    assert taken.end is SyncEnd.UPDATED
    assert bench.head() == bench.remote.tip()
    assert not (bench.root / "secret.md").exists()
    assert git(bench.root, "rev-parse", outcome.backup_ref) == mine
    adopt(bench.area, "kb", outcome.backup_ref)
    assert bench.head() == mine
    assert (bench.root / "secret.md").exists()
    again = sync(bench.area, "kb")
    assert again.end is SyncEnd.DIVERGED
    assert bench.head() == mine


def test_unrelated_history_moves_nothing(bench: Bench) -> None:
    git(bench.remote.work, "checkout", "-q", "--orphan", "other")
    bench.remote.commit({"other.md": "x"}, push=False)
    git(bench.remote.work, "push", "-q", "-f", "origin", "HEAD:main")
    before = bench.files()
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.UNRELATED
    assert bench.files() == before


def commit_locally(bench: Bench, name: str, text: str) -> str:
    (bench.root / name).write_text(text)
    git(bench.root, "add", name)
    git(bench.root, "commit", "-q", "-m", "by hand")
    return bench.head()


def test_local_commits_are_kept_by_name_when_both_sides_moved(bench: Bench) -> None:
    mine = commit_locally(bench, "mine.md", "mine\n")
    bench.remote.commit({"theirs.md": "theirs\n"})
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.DIVERGED
    assert bench.head() == mine
    adopt(bench.area, "kb", outcome.offered)
    assert bench.head() == bench.remote.tip()
    assert mine in {commit for _, commit in backups(bench.area, "kb")}
    assert sync(bench.area, "kb").is_current


def test_commits_that_only_exist_here_are_no_error(bench: Bench) -> None:
    commit_locally(bench, "mine.md", "mine\n")
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.AHEAD
    assert outcome.is_current


def test_a_file_edited_by_hand_is_never_overwritten(bench: Bench) -> None:
    (bench.root / "fixes/0.md").write_text("my own words\n")
    bench.remote.commit({"fixes/0.md": "theirs\n"})
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.LOCAL_EDITS, outcome
    assert (bench.root / "fixes/0.md").read_text() == "my own words\n"
    git(bench.root, "checkout", "-q", "--", "fixes/0.md")
    assert sync(bench.area, "kb").end is SyncEnd.UPDATED


def test_an_untracked_file_in_the_way_is_never_overwritten(bench: Bench) -> None:
    (bench.root / "new.md").write_text("my own words\n")
    bench.remote.commit({"new.md": "theirs\n"})
    assert sync(bench.area, "kb").end is SyncEnd.LOCAL_EDITS
    assert (bench.root / "new.md").read_text() == "my own words\n"


@pytest.mark.parametrize("state", ["detached", "other-branch", "merge", "unborn"])
def test_a_clone_that_somebody_worked_in_with_git_is_left_alone(bench: Bench, state: str) -> None:
    bench.remote.commit({"new.md": "x"})
    if state == "detached":
        git(bench.root, "checkout", "-q", "--detach")
    elif state == "other-branch":
        git(bench.root, "checkout", "-q", "-b", "mine")
    elif state == "merge":
        (bench.root / ".git/MERGE_HEAD").write_text(bench.head() + "\n")
    else:
        git(bench.root, "symbolic-ref", "HEAD", "refs/heads/nothing")
    before = bench.files()
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.OUTSIDE_CHANGE
    assert outcome.hint
    assert bench.files() == before


def test_a_lock_left_by_a_killed_git_is_set_aside(bench: Bench) -> None:
    bench.remote.commit({"new.md": "x"})
    (bench.root / ".git/index.lock").write_bytes(b"left")
    (bench.root / ".git/refs/heads/main.lock").write_bytes(b"")
    assert sync(bench.area, "kb").end is SyncEnd.UPDATED
    kept = [p for p in (bench.area.area / ".set-aside").iterdir() if p.name.endswith("index.lock")]
    assert [p.read_bytes() for p in kept] == [b"left"]


def test_a_lock_of_a_git_at_work_is_respected(bench: Bench) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("running programs cannot be listed here")
    bench.remote.commit({"new.md": "x"})
    (bench.root / ".git/index.lock").write_bytes(b"held")
    worker = subprocess.Popen(["git", "cat-file", "--batch"], cwd=bench.root, stdin=subprocess.PIPE)
    try:
        time.sleep(0.2)
        assert sync(bench.area, "kb").end is SyncEnd.BUSY
        assert (bench.root / ".git/index.lock").read_bytes() == b"held"
    finally:
        worker.communicate(b"")


def test_two_windows_do_not_sync_one_clone_at_once(bench: Bench) -> None:
    from kb_app.gitstore.locks import exclusive

    with exclusive(bench.area.lock_file(bench.clone)):
        assert sync(bench.area, "kb").end is SyncEnd.BUSY
    assert sync(bench.area, "kb").end is SyncEnd.UP_TO_DATE


def test_a_bomb_pushed_later_is_refused_before_it_is_unpacked(bench: Bench) -> None:
    work = bench.remote.work
    blob = git(work, "hash-object", "-w", "--stdin", stdin=b"x")
    tree = git(work, "mktree", stdin="".join(f"100644 blob {blob}\tf{i}\n" for i in range(20)).encode())
    for _ in range(6):
        tree = git(work, "mktree", stdin="".join(f"040000 tree {tree}\td{i}\n" for i in range(20)).encode())
    commit = git(work, "commit-tree", "-p", "HEAD", "-m", "bomb", tree)
    git(work, "push", "-q", "origin", f"{commit}:refs/heads/main")
    before = bench.files()
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.TOO_LARGE
    assert bench.files() == before


def test_pages_emptied_by_a_power_cut_after_cloning_are_filled_again(bench: Bench) -> None:
    (bench.root / "fixes/3.md").write_bytes(b"")
    sync(bench.area, "kb")
    assert (bench.root / "fixes/3.md").read_text() == "# Fix 3\n\nText 3.\n"


def test_a_move_cut_short_is_finished_and_an_edit_meanwhile_is_kept(bench: Bench) -> None:
    sync(bench.area, "kb")
    before = bench.head()
    after = bench.remote.commit({"fixes/0.md": "new 0\n", "fixes/1.md": "new 1\n", "add.md": "added\n"})
    git(bench.root, "fetch", "-q", "origin")
    bench.area.note_move(bench.clone, before, after)
    (bench.root / "fixes/0.md").write_text("new 0\n")
    (bench.root / "add.md").write_text("added\n")
    (bench.root / "fixes/1.md").write_text("edited by hand\n")
    outcome = sync(bench.area, "kb")
    assert outcome.end is SyncEnd.LOCAL_EDITS
    assert (bench.root / "fixes/1.md").read_text() == "edited by hand\n"
    (bench.root / "fixes/1.md").write_text(PAGES["fixes/1.md"])
    assert sync(bench.area, "kb").end is SyncEnd.UPDATED
    assert git(bench.root, "status", "--porcelain") == ""
    assert (bench.root / "fixes/1.md").read_text() == "new 1\n"


CHILD = textwrap.dedent("""
    import sys
    from pathlib import Path
    sys.path.insert(0, {fixtures!r})
    from gitstore_remotes import make_runner
    from kb_app.gitstore.clones import CloneArea
    from kb_app.gitstore.sync import sync
    area = CloneArea(Path({tmp_path!r}) / "clones", make_runner(Path({tmp_path!r})))
    print("started", flush=True)
    sync(area, "kb")
""")


def test_a_sync_killed_at_any_moment_loses_nothing_and_needs_no_hand(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {f"{n}.md": f"page {n}\n" * 200 for n in range(120)})
    code = CHILD.format(fixtures=str(Path(__file__).parents[1] / "fixtures"), tmp_path=str(tmp_path))
    for attempt in range(KILLS):
        tip = bench.remote.commit({f"{n}.md": f"page {n} version {attempt}\n" * 200 for n in range(120)})
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.03 + 0.04 * attempt)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        for _ in range(100):  # a git that outlived its parent may still be at work
            outcome = sync(bench.area, "kb")
            if outcome.end is not SyncEnd.BUSY:
                break
            time.sleep(0.1)
        assert outcome.is_current, outcome
        assert bench.head() == tip
        assert git(bench.root, "status", "--porcelain") == ""
        assert git(bench.root, "fsck", "--no-dangling") == ""


@pytest.mark.parametrize("failures", [0, 1, 2, 5, 30, 10_000])
def test_the_wait_grows_to_six_hours_and_is_spread(failures: int) -> None:
    waits = [
        (next_attempt_at(failures, NOON, random.Random(seed)) - NOON).total_seconds() for seed in range(50)
    ]
    middle = min(6 * 3600.0, 120 * 2.0 ** min(max(failures - 1, 0), 20))
    assert all(0.74 * middle <= wait <= 1.26 * middle for wait in waits)
    assert len(set(waits)) > 10
    assert next_attempt_at(failures, NOON, random.Random(7)) == next_attempt_at(
        failures, NOON, random.Random(7)
    )


class Walk:
    """Random acts of a remote, of a user with git in the clone, and of the program; nothing may be lost."""

    def __init__(self, bench: Bench, rng: random.Random) -> None:
        self.bench, self.rng = bench, rng
        self.seen = {bench.head()}
        self.edited: dict[str, str] = {}
        self.number = 0
        self.lock = bench.root / ".git/index.lock"

    def text(self) -> str:
        self.number += 1
        return f"# Page\n\nText {self.number} of {self.rng.random()}.\n"

    def remote_commits(self) -> None:
        self.bench.remote.commit({f"fixes/{self.rng.randrange(8)}.md": self.text()})

    def remote_is_replaced(self) -> None:
        git(self.bench.remote.work, "commit", "-q", "--amend", "-m", f"again {self.number}")
        git(self.bench.remote.work, "push", "-q", "-f", "origin", "HEAD:main")

    def remote_starts_anew(self) -> None:
        work = self.bench.remote.work
        commit = git(work, "commit-tree", "-m", f"anew {self.text()}", "HEAD^{tree}")
        git(work, "reset", "-q", "--hard", commit)
        git(work, "push", "-q", "-f", "origin", "HEAD:main")

    def user_commits_here(self) -> None:
        if not self.edited and not self.lock.exists():
            self.seen.add(commit_locally(self.bench, f"mine{self.number}.md", self.text()))

    def user_edits_here(self) -> None:
        name = self.rng.choice(sorted(self.bench.files()))
        self.edited[name] = self.text()
        (self.bench.root / name).write_text(self.edited[name])

    def user_undoes(self) -> None:
        self.lock.unlink(missing_ok=True)
        for name in self.edited:
            git(self.bench.root, "checkout", "-q", "HEAD", "--", name)
        self.edited.clear()

    def git_was_killed(self) -> None:
        self.lock.write_bytes(b"")

    def program_syncs(self) -> None:
        outcome = sync(self.bench.area, "kb", accept_deletions=self.rng.random() < 0.2)
        assert outcome.end not in (SyncEnd.FAILED, SyncEnd.BUSY), outcome
        if outcome.offered and self.rng.random() < 0.6:
            adopt(self.bench.area, "kb", outcome.offered)

    def check(self) -> None:
        bench = self.bench
        self.seen.add(bench.head())
        reachable = set(git(bench.root, "rev-list", "--all").split())
        assert self.seen <= reachable
        for name, text in self.edited.items():
            assert (bench.root / name).read_text() == text
        assert set(git(bench.root, "diff", "--name-only", "HEAD").split()) <= set(self.edited)


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_whatever_happens_no_commit_and_no_edit_is_lost(bench: Bench, seed: int) -> None:
    rng = random.Random(seed)
    walk = Walk(bench, rng)
    acts = [
        *(walk.remote_commits, walk.remote_commits, walk.remote_is_replaced, walk.remote_starts_anew),
        *(walk.user_commits_here, walk.user_edits_here, walk.user_undoes, walk.git_was_killed),
        *(walk.program_syncs, walk.program_syncs, walk.program_syncs, walk.program_syncs),
    ]
    for _ in range(STEPS):
        act = rng.choice(acts)
        print(act.__name__)  # shown when the walk fails
        act()
        if act == walk.program_syncs:
            walk.check()
    walk.user_undoes()
    walk.program_syncs()
    assert git(bench.root, "fsck", "--no-dangling") == ""
