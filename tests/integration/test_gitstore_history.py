"""The past of entries, on real repositories."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, git, make_runner, test_environment, tmp_path

from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.clones import CloneArea
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.history import History, SignatureState
from kb_app.gitstore.proposals import Draft, ProposalQueue
from kb_app.gitstore.sync import ChangeStatus, sync
from kb_app.gitstore.words import RunKind

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.remote = Remote(tmp_path / "r")
        page = "# Lease lost\n\nRestart the old pod.\nWait.\nLook at the log.\nTell the team.\n"
        self.first = self.remote.commit({"fixes/lease.md": page, "b.md": "b"}, "add lease")
        message = "lease: restart the new pod\n\nIt was the wrong one.\n\n"
        self.second = self.remote.commit(
            {"fixes/lease.md": page.replace("old", "new")},
            message + "Reviewed-entry: lease\nCloses-feedback: fb-1",
            date="2026-02-03T10:00:00+02:00",
        )
        git(self.remote.work, "mv", "fixes/lease.md", "fixes/lease-lost.md")
        self.third = self.remote.commit({}, "move")
        self.fourth = self.remote.commit(
            {"fixes/lease-lost.md": page.replace("old", "new") + "Close it.\n"}, "end"
        )
        self.area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
        assert self.area.clone(self.remote.address, "kb").is_ok
        self.history = History(self.area, self.area.get("kb"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_timeline_follows_an_entry_across_its_renaming(bench: Bench) -> None:
    found = bench.history.timeline("fixes/lease-lost.md")
    assert [r.commit for r in found] == [bench.fourth, bench.third, bench.second, bench.first]
    assert [r.status for r in found] == [
        ChangeStatus.CHANGED,
        ChangeStatus.RENAMED,
        ChangeStatus.CHANGED,
        ChangeStatus.ADDED,
    ]
    assert found[1].old_path == "fixes/lease.md"
    assert found[2].path == "fixes/lease.md"
    assert found[2].author == "Bob Colleague"
    assert found[2].authored_at == dt.datetime.fromisoformat("2026-02-03T10:00:00+02:00")
    assert found[2].body == "It was the wrong one."
    assert found[2].trailer("Reviewed-entry") == ("lease",)
    assert found[2].trailer("Closes-feedback") == ("fb-1",)
    assert bench.history.timeline("fixes/lease-lost.md", limit=1, skip=1)[0].commit == bench.third
    assert [r.commit for r in bench.history.timeline("fixes/lease-lost.md", since=bench.second)] == [
        bench.fourth,
        bench.third,
    ]


def test_a_path_without_history_has_no_changes(bench: Bench) -> None:
    assert bench.history.timeline("nothing.md") == ()


@pytest.mark.parametrize("path", ["../x", "--output=canary", "/etc/passwd", ":(glob)*"])
def test_paths_are_names_and_nothing_else(bench: Bench, path: str) -> None:
    if path.startswith("--"):
        assert bench.history.timeline(path) == ()
        assert not Path("canary").exists()
    else:
        with pytest.raises(UsageError):
            bench.history.timeline(path)


def test_what_one_change_did_is_told_in_words(bench: Bench) -> None:
    second = bench.history.timeline("fixes/lease-lost.md")[2]
    changed = [(r.kind, r.text) for r in bench.history.change(second) if r.kind is not RunKind.SAME]
    assert changed == [(RunKind.REMOVED, "old"), (RunKind.ADDED, "new")]


def test_what_changed_since_a_commit_is_told_across_a_renaming(bench: Bench) -> None:
    found = bench.history.difference("fixes/lease-lost.md", bench.second)
    assert [r.text for r in found.runs if r.kind is RunKind.ADDED] == ["Close it.\n"]
    assert [r.subject for r in found.revisions] == ["end", "move"]
    assert bench.history.difference("fixes/lease-lost.md", bench.fourth).is_empty


def test_a_former_text_can_be_read_and_proposed_again(bench: Bench, tmp_path: Path) -> None:
    old = bench.history.text_at("fixes/lease.md", bench.first)
    assert "Restart the old pod." in old
    queue = ProposalQueue(tmp_path / "proposals", bench.area)
    outcome = queue.propose("kb", Draft("go back", (FileEdit("fixes/lease-lost.md", old.encode()),)))
    assert outcome.is_ok
    with pytest.raises(UsageError):
        bench.history.text_at("fixes/lease.md", bench.fourth)


def test_blame_names_for_each_line_its_change(bench: Bench) -> None:
    lines = bench.history.blame("fixes/lease-lost.md")
    assert [line.line for line in lines] == list(range(1, 8))
    assert [line.commit for line in lines] == [
        *(bench.first, bench.first, bench.second),
        *(bench.first, bench.first, bench.first, bench.fourth),
    ]
    assert lines[2].text == "Restart the new pod."
    assert lines[2].subject == "lease: restart the new pod"
    assert lines[2].author == "Bob Colleague"


def test_contributors_are_counted(bench: Bench) -> None:
    (found,) = bench.history.contributors("fixes/lease-lost.md")
    assert (found.name, found.email, found.changes) == ("Bob Colleague", "bob@example.org", 2)


def test_reading_history_changes_no_byte(bench: Bench) -> None:
    root = bench.area.root(bench.area.get("kb"))
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()}
    bench.history.timeline("fixes/lease-lost.md", with_signatures=True)
    bench.history.blame("fixes/lease-lost.md")
    bench.history.contributors("fixes/lease-lost.md")
    bench.history.difference("fixes/lease-lost.md", bench.first)
    assert before == {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()}


def test_variables_of_git_that_happen_to_be_set_lead_nowhere(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Remote(tmp_path / "other", {"x.md": "x"})
    monkeypatch.setenv("GIT_DIR", str(other.bare))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {tmp_path}/canary")
    assert len(bench.history.timeline("fixes/lease-lost.md")) == 4
    assert len(bench.history.blame("fixes/lease-lost.md")) == 7
    assert not (tmp_path / "canary").exists()


def test_strange_bytes_in_names_and_messages_are_shown(bench: Bench) -> None:
    work = bench.remote.work
    git(work, "config", "user.name", "x")
    (work / "b.md").write_bytes(b"\xff\xfe caf\xe9\r\n")
    git(work, "add", "b.md")
    message = b"m\xe9ssage \x1b[31m\n"
    tree = git(work, "write-tree")
    head = git(work, "rev-parse", "HEAD")
    raw = (
        f"tree {tree}\nparent {head}\nauthor ".encode()
        + b"\xe9ve\x07 <e@x> 1 +0000\ncommitter e <e@x> 1 +0000\n\n"
    )
    commit = git(work, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw + message)
    git(work, "push", "-q", "origin", f"{commit}:main")
    assert sync(bench.area, "kb").is_current
    newest = bench.history.timeline("b.md")[0]
    assert newest.subject.endswith("\\u001b[31m")
    assert "\\u0007" in newest.author
    (line,) = bench.history.blame("b.md")
    assert "\x07" not in line.author
    assert bench.history.content_at("b.md") == b"\xff\xfe caf\xe9\r\n"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen signs")
def test_signatures_are_valid_unknown_or_none(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    options = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}")
    (bench.remote.work / "b.md").write_text("signed\n")
    git(bench.remote.work, *options, "commit", "-q", "-a", "-S", "-m", "signed")
    git(bench.remote.work, "push", "-q", "origin", "HEAD")
    sync(bench.area, "kb")
    unknown, none = bench.history.timeline("b.md", with_signatures=True)
    assert unknown.signature.state is SignatureState.UNKNOWN_KEY
    assert none.signature.state is SignatureState.NONE
    assert bench.history.timeline("b.md")[0].signature.state is SignatureState.UNCHECKED
    public = key.with_suffix(".pub").read_text().split()
    bench.remote.commit({"allowed_signers": f"bob@example.org {public[0]} {public[1]}\n"})
    sync(bench.area, "kb")
    valid = bench.history.timeline("b.md", with_signatures=True)[0].signature
    assert (valid.state, valid.signer) == (SignatureState.VALID, "bob@example.org")
    assert bench.history.signature(bench.first).state is SignatureState.NONE


@pytest.mark.parametrize("form", ["sha256", "index-v4", "split-index", "shallow"])
def test_unusual_repositories_open_and_say_what_they_cannot(tmp_path: Path, form: str) -> None:
    if form == "sha256":
        work, bare = tmp_path / "w", tmp_path / "b.git"
        git(tmp_path, "init", "-q", "--object-format=sha256", "-b", "main", str(work))
        (work / "a.md").write_text("one\n")
        git(work, "add", "a.md")
        git(work, "commit", "-q", "-m", "first")
        git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
        area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
        assert area.clone(str(bare), "kb").is_ok
    else:
        remote = Remote(tmp_path / "r", {"a.md": "one\n"})
        area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
        assert area.clone(remote.address, "kb").is_ok
        root = area.root(area.get("kb"))
        if form == "index-v4":
            git(root, "update-index", "--index-version", "4")
        elif form == "split-index":
            git(root, "update-index", "--split-index")
        else:
            remote.commit({"a.md": "two\n"}, "second")
            git(root, "fetch", "-q", "--depth=1", "origin", "main")
        remote.commit({"a.md": "three\n"}, "third")
    outcome = sync(area, "kb")
    assert outcome.sentence
    history = History(area, area.get("kb"))
    assert history.timeline("a.md")
    assert history.blame("a.md")
    if form == "sha256":
        with pytest.raises(EnvironmentFault, match="cannot be counted"):
            history.contributors("a.md")
    else:
        assert history.contributors("a.md")


def test_gitpython_is_loaded_only_by_those_who_count_contributors() -> None:
    code = "import sys, kb_app.gitstore.history, kb_app.gitstore.proposals; print('git' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"]},
    )
    assert done.stdout == "False\n"
