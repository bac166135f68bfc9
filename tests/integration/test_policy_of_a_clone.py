"""The policy then in force, from the history of our own clone: changed since, still found, no network."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from kb_app.decision.policy import blob_id
from kb_app.paths import app_folders
from kb_app.workspace.aftermath import policy_then
from kb_app.workspace.sharing import clone_base

FORMER = b"push_when_down: review-after\n"
PRESENT = b"push_when_down: review-first\n"


def git(folder: Path, *words: str) -> None:
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Ana",
        "GIT_AUTHOR_EMAIL": "ana@example.com",
        "GIT_COMMITTER_NAME": "Ana",
        "GIT_COMMITTER_EMAIL": "ana@example.com",
    }
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env=environment)


def test_an_earlier_policy_is_found_in_the_history_of_a_clone(tmp_path: Path) -> None:
    source, bare = tmp_path / "source", tmp_path / "runbooks.git"
    source.mkdir()
    git(source, "init", "-b", "main")
    (source / "a.md").write_text("# A\n")
    for text in (FORMER, PRESENT):
        (source / "policy.yml").write_bytes(text)
        git(source, "add", "-A")
        git(source, "commit", "-m", "policy")
    git(tmp_path, "clone", "--bare", str(source), str(bare))
    folders = app_folders()
    configured = clone_base(folders, str(bare), "runbooks")
    places = [("runbooks", Path(configured.location))]
    now = policy_then(blob_id(PRESENT), places, folders)
    then = policy_then(blob_id(FORMER), places, folders)
    assert now.text == PRESENT.decode()
    assert then.text == FORMER.decode()
    assert then.source == "policy.yml of runbooks, from its history."
    assert policy_then("0" * 40, places, folders).text == ""
