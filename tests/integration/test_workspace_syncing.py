"""Clones as the window uses them: looked into, added, exchanged, and the news of an entry."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kb_app.gitstore.clones import CloneArea, CloneEnd
from kb_app.gitstore.store import GitStore
from kb_app.gitstore.sync import SyncEnd
from kb_app.gitstore.trees import TreeLimits
from kb_app.paths import app_folders
from kb_app.workspace.bases import open_base
from kb_app.workspace.syncing import (
    add_repository,
    address_of,
    check_address,
    entry_news,
    exchange,
    look_into,
    managed_bases,
    open_store,
    take_state,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))
from gitstore_remotes import Remote, git, test_environment, tmp_path

__all__ = ["tmp_path"]
test_environment.__test__ = False
LINES = "".join(f"Line {n} of the page says what to do.\n" for n in range(9))
PAGES = {f"pay/{n}.md": f"# Page {n}\n\nText {n}.\n{LINES}" for n in range(5)} | {
    "id/a.md": "# A\n",
    "src/x.py": "1\n",
}


@pytest.fixture(autouse=True)
def known_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in test_environment(tmp_path / "user").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store(known_identity: None) -> GitStore:
    return open_store(app_folders())


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    made = Remote(tmp_path, PAGES)
    with made.bare.joinpath("config").open("a") as config:
        config.write("[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n")
    return made


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://host.example/team/runbooks.git", "runbooks"),
        ("git@host.example:team/kb.git", "kb"),
        ("", ""),
    ],
)
def test_an_address_that_can_be_used_gives_a_name(text: str, name: str) -> None:
    check = check_address(text)
    assert (check.problem, check.name) == ("", name)


@pytest.mark.parametrize(
    "text", ["https://ana:secret@host/kb.git", "ext::sh -c id", "--upload-pack=x", "host"]
)
def test_an_address_that_cannot_be_used_says_why_and_repeats_no_secret(text: str) -> None:
    check = check_address(text)
    assert check.problem
    assert check.hint
    assert "secret" not in check.problem + check.hint


def test_looking_into_a_repository_counts_its_folders_and_leaves_nothing(
    store: GitStore, remote: Remote
) -> None:
    survey = look_into(store, remote.address)
    assert survey.failure is None
    assert survey.files == 7
    assert [(f.path, f.entries) for f in survey.folders] == [("pay", 5), ("id", 1), ("src", 0)]
    assert store.area.clones() == ()
    assert not list(store.area.area.glob(".incoming-*"))


def test_looking_into_what_is_not_there_says_why(store: GitStore, tmp_path: Path) -> None:
    survey = look_into(store, str(tmp_path / "nothing.git"))
    assert survey.failure is not None
    assert survey.failure.sentence


def test_a_tree_that_is_too_large_as_a_whole_is_cloned_in_part(remote: Remote, known_identity: None) -> None:
    plain = open_store(app_folders())
    area = CloneArea(plain.area.area, plain.area.runner, limits=TreeLimits(files=4))
    small = replace(plain, area=area)
    refused = add_repository(small, remote.address, "kb")
    assert refused.outcome.end is CloneEnd.TOO_LARGE
    assert "7 files; 4 are accepted" in refused.outcome.sentence
    added = add_repository(small, remote.address, "kb", only_paths=("id",))
    assert added.base is not None
    assert sorted(p.name for p in Path(added.base.location).rglob("*.md")) == ["a.md"]
    remote.commit({"id/b.md": "# B\n", "pay/9.md": "# 9\n"})
    assert exchange(small, "kb").sync.end is SyncEnd.UPDATED
    assert sorted(p.name for p in Path(added.base.location).rglob("*.md")) == ["a.md", "b.md"]


def test_a_copy_that_is_still_here_is_opened_again_and_another_address_is_refused(
    store: GitStore, remote: Remote, tmp_path: Path
) -> None:
    first = add_repository(store, remote.address, "kb")
    again = add_repository(store, remote.address, "kb")
    assert again.base == first.base
    other = add_repository(store, Remote(tmp_path / "o", PAGES).address, "kb")
    assert other.base is None
    assert other.outcome.end is CloneEnd.EXISTS


def test_clones_are_found_among_open_knowledge_bases(store: GitStore, remote: Remote, tmp_path: Path) -> None:
    added = add_repository(store, remote.address, "kb")
    assert added.base is not None
    folder = tmp_path / "plain"
    folder.mkdir()
    folders = app_folders()
    bases = [open_base(folder, folders), open_base(Path(added.base.location), folders, name="shown")]
    [managed] = managed_bases(folders, bases).bases
    assert (managed.name, managed.clone.name, managed.is_local) == ("shown", "kb", True)


def test_the_news_of_an_entry_are_those_since_the_commit_it_was_used_at(
    store: GitStore, remote: Remote
) -> None:
    used_at = remote.tip()
    add_repository(store, remote.address, "kb")
    assert entry_news(store, "kb", "pay/1.md", "").head == used_at
    assert entry_news(store, "kb", "pay/1.md", used_at).revisions == ()
    remote.commit(
        {"pay/1.md": f"# Page 1\n\nText one.\n{LINES}"}, "docs: words\n\nReviewed-by: Cid <cid@example.org>"
    )
    remote.commit({"pay/2.md": "# Page 2\n\nOther.\n"})
    git(remote.work, "mv", "pay/1.md", "pay/first.md")
    remote.commit({"pay/first.md": f"# Page 1\n\nText one, moved.\n{LINES}"}, "docs: move")
    exchange(store, "kb")
    news = entry_news(store, "kb", "pay/first.md", used_at)
    assert [revision.subject for revision in news.revisions] == ["docs: move", "docs: words"]
    assert news.authors == ("Bob Colleague",)
    assert news.reviewers == ("Cid",)
    assert news.head == remote.tip()
    assert {run.text for run in news.runs if run.kind == "added"} == {"one, moved"}
    assert entry_news(store, "kb", "pay/3.md", used_at).revisions == ()


def test_no_news_where_history_was_replaced_the_entry_is_new_or_git_fails(
    store: GitStore, remote: Remote
) -> None:
    used_at = remote.tip()
    add_repository(store, remote.address, "kb")
    remote.commit({"pay/new.md": "# New\n"})
    exchange(store, "kb")
    assert entry_news(store, "kb", "pay/new.md", used_at).revisions == ()
    assert entry_news(store, "kb", "pay/1.md", "0" * 40).revisions == ()
    assert entry_news(store, "gone", "pay/1.md", used_at).head == ""


def test_an_error_becomes_a_failed_outcome(store: GitStore) -> None:
    assert exchange(store, "nothing").sync.end is SyncEnd.FAILED
    assert take_state(store, "nothing", "refs/backup/x").end is SyncEnd.FAILED


def test_the_address_of_a_foreign_folder_is_its_remote_else_the_folder(
    store: GitStore, remote: Remote, tmp_path: Path
) -> None:
    assert address_of(store, remote.work) == remote.address
    plain = tmp_path / "plain"
    plain.mkdir()
    assert address_of(store, plain) == ""
    git(plain, "init", "-q", "--template=")
    assert address_of(store, plain) == str(plain)
    (plain / ".git/config").write_text('[remote "origin"]\n\turl = ext::sh -c id\n')
    assert address_of(store, plain) == str(plain)
    (plain / ".git/config").write_bytes(b"\xff\xfe not a config")
    assert address_of(store, plain) == str(plain)
