"""Layers on the command line: an overlay is listed first, its copies are found in place of the origins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kb_app.cli.main import main
from kb_app.paths import app_folders
from kb_app.settings import load_settings
from kb_app.workspace.bases import open_workspace
from kb_app.workspace.layers import keep_copy

PAGE = "# Lease lost\n\nRestart the pod.\n"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    assert main(words) == 0
    return json.loads(capsys.readouterr().out)


def test_an_overlay_is_a_layer_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("team", "mine"):
        (tmp_path / name).mkdir()
    (tmp_path / "team" / "lease.md").write_text(PAGE)
    run(capsys, "add", str(tmp_path / "team"), "--json")
    run(capsys, "add", str(tmp_path / "mine"), "--overlay", "--json")
    rows = run(capsys, "list", "--json")
    assert isinstance(rows, list)
    assert [(row["name"], row["layer"]) for row in rows] == [("mine", "overlay"), ("team", "read-only")]
    folders = app_folders()
    workspace = open_workspace((), folders, load_settings(folders))
    keep_copy(workspace, workspace.base("team"), "lease.md", b"# Lease lost\n\nDrain first.\n", PAGE.encode())
    found = run(capsys, "search", "lease", "lost", "--json")
    assert isinstance(found, dict)
    assert [hit["path"] for hit in found["hits"]] == ["team/lease.md"]
    assert main(("list",)) == 0
    assert "my own copies" in capsys.readouterr().out
    run(capsys, "remove", "mine", "--json")
    assert load_settings(folders).overlay == ""
