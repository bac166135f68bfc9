"""A knowledge base from a Git URL on the command line: real git, a bare remote, no network."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kb_app.cli.main import main

Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*words: str, text: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def git(folder: Path, *words: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_AUTHOR_NAME": "Ana",
        "GIT_AUTHOR_EMAIL": "ana@example.com",
        "GIT_COMMITTER_NAME": "Ana",
        "GIT_COMMITTER_EMAIL": "ana@example.com",
    }
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare remote with one entry, and an identity for the user."""
    work, bare, home = tmp_path / "work", tmp_path / "team-kb.git", tmp_path / "user"
    for folder in (work, home):
        folder.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Ben\n\temail = ben@example.com\n")
    monkeypatch.setenv("HOME", str(home))
    git(work, "init", "-q", "-b", "main")
    (work / "lease-lost.md").write_text("# Lease lost\n\n## Fix\n\n1. Restart the keeper.\n")
    git(work, "add", ".")
    git(work, "commit", "-qm", "first")
    git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    return bare


def test_a_url_is_added_searched_synced_proposed_to_and_removed(
    run: Run, remote: Path, tmp_path: Path
) -> None:
    code, out, err = run("add", str(remote), "--name", "team", "--json")
    assert code == 0, err
    copy = Path(json.loads(out)["location"])
    assert (copy / "lease-lost.md").is_file()
    assert json.loads(run("search", "lease lost", "--json")[1])["hits"][0]["path"] == "lease-lost.md"

    second = tmp_path / "second"
    git(tmp_path, "clone", "-q", str(remote), str(second))
    (second / "disk-full.md").write_text("# Disk full\n\n## Fix\n\n1. Free some space.\n")
    git(second, "add", ".")
    git(second, "commit", "-qm", "more")
    git(second, "push", "-q", "origin", "main")
    (row,) = json.loads(run("sync", "--json")[1])
    assert (row["end"], [c["path"] for c in row["changes"]]) == ("updated", ["disk-full.md"])
    assert json.loads(run("search", "disk full", "--json")[1])["hits"][0]["path"] == "disk-full.md"

    text = (copy / "lease-lost.md").read_text() + "2. Watch it for a minute.\n"
    before = git(remote, "rev-parse", "main")
    code, out, err = run("propose", "lease-lost.md", "--title", "Say how long to watch", "--json", text=text)
    assert code == 0, err
    run("sync")
    (proposal,) = json.loads(run("proposals", "--json")[1])
    assert proposal["title"] == "Say how long to watch"
    branch = json.loads(out)["branch"]
    assert git(remote, "show", f"{branch}:lease-lost.md") == text
    assert git(remote, "rev-parse", "main") == before

    assert json.loads(run("remove", "team", "--json")[1]) == {"removed": "team", "copy_deleted": True}
    assert not copy.exists()


@pytest.mark.usefixtures("remote")
def test_a_draft_is_begun_listed_printed_and_proposed(run: Run, remote: Path) -> None:
    assert run("add", str(remote), "--name", "team")[0] == 0
    code, out, err = run("new", "known-fix", "Keeper", "pauses", "--draft", "--json")
    assert code == 0, err
    made = json.loads(out)
    assert made["path"] == "keeper-pauses.md"
    (row,) = json.loads(run("proposals", "--drafts", "--json")[1])
    assert (row["id"], row["title"], row["is_new"]) == (made["draft"], "Keeper pauses", True)
    assert "+# Keeper pauses" in json.loads(run("proposals", "--patch", made["draft"], "--json")[1])["patch"]
    code, out, err = run("propose", "--draft", made["draft"], "--json")
    assert code == 0, err
    queued = json.loads(out)
    assert run("proposals", "--drafts", "--json")[1].strip() == "[]"
    (proposal,) = json.loads(run("proposals", "--json")[1])
    assert (proposal["title"], proposal["state"]) == ("Add Keeper pauses", "queued")
    patch = json.loads(run("proposals", "--patch", queued["id"], "--json")[1])["patch"]
    assert "Subject: [PATCH] Add Keeper pauses" in patch
    assert json.loads(run("proposals", "--withdraw", queued["id"], "--json")[1])["state"] == "withdrawn"
    assert run("propose", "--title", "x")[0] == 2


def test_a_folder_is_never_synced_nor_proposed_to(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n")
    (row,) = json.loads(run("--kb", str(folder), "sync", "--json")[1])
    assert row["end"] == "folder"
    code, _, err = run("--kb", str(folder), "propose", "a.md", "--title", "x", text="# B\n")
    assert code == 2
    assert "kb add URL" in err
    assert (folder / "a.md").read_text() == "# A\n"


def test_a_remote_that_is_not_there_gets_a_sentence(run: Run, tmp_path: Path) -> None:
    code, _, err = run("add", f"file://{tmp_path}/nowhere.git")
    assert code in (2, 3)
    assert err.startswith("kb: ")
    assert len(err.strip().splitlines()) == 1
    assert json.loads(run("list", "--json")[1])[0]["name"] != "nowhere"
