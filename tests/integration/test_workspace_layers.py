"""A private layer over knowledge bases that are only read: real folders, real indexes, real git."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote

from kb_app.entries.reading import read_entry
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.conflicts import Choice
from kb_app.gitstore.store import open_store
from kb_app.gitstore.sync import sync
from kb_app.paths import app_folders
from kb_app.resources import content_folder
from kb_app.search.model import SearchRequest
from kb_app.settings import ConfiguredBase, Settings
from kb_app.workspace import layers
from kb_app.workspace.bases import OpenBase, Workspace, open_workspace
from kb_app.workspace.finding import find
from kb_app.workspace.layers import LayerRole, OriginNews
from kb_app.workspace.origins import blob_of, origin_of, without_origin
from kb_app.workspace.sharing import clone_base, proposals

PAGE = "# Lease lost\n\n## Symptoms\nIt hangs.\n\n## Fix\nRestart the pod.\n\n## Verify\nIt answers.\n"
MINE = PAGE.replace("Restart", "Drain, then restart")


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.folders = app_folders()
        self.team = tmp_path / "team"
        self.team.mkdir()
        (self.team / "a.md").write_text(PAGE)
        (self.team / "b.md").write_text("# Other\n\nNothing.\n")
        self.use(Settings(knowledge_bases=(ConfiguredBase("team", str(self.team)),)))

    def use(self, settings: Settings) -> None:
        settings = layers.with_overlay(self.folders, settings)
        self.workspace: Workspace = open_workspace((), self.folders, settings)

    @property
    def overlay(self) -> OpenBase:
        overlay = layers.overlay_of(self.workspace)
        assert overlay is not None
        return overlay

    def copy(self, text: str = MINE) -> str:
        base = self.workspace.base("team")
        raw = (base.root / "a.md").read_bytes()
        return layers.keep_copy(self.workspace, base, "a.md", text.encode(), raw)

    def state(self, path: str) -> layers.CopyState:
        entry = read_entry(self.overlay.root, path, self.overlay.config)
        origin = origin_of(entry.front_matter)
        assert origin is not None
        return layers.state_of(self.workspace, self.overlay, path, origin)

    def text(self, path: str) -> str:
        return (self.overlay.root / path).read_text()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_copy_knows_its_origin_and_the_origin_is_not_touched(bench: Bench) -> None:
    path = bench.copy()
    assert path == "team/a.md"
    assert (bench.team / "a.md").read_text() == PAGE
    assert without_origin(bench.text(path)) == MINE
    state = bench.state(path)
    assert (state.origin.base, state.origin.path) == ("team", "a.md")
    assert state.origin.blob == blob_of(PAGE.encode())
    assert state.news is OriginNews.SAME


def test_the_copy_is_found_in_the_place_of_the_origin(bench: Bench) -> None:
    bench.copy()
    answer = find(bench.workspace, SearchRequest("lease lost"))
    assert [(h.knowledge_base, h.path) for h in answer.hits] == [(layers.OVERLAY_NAME, "team/a.md")]


def test_a_second_edit_goes_to_the_same_copy(bench: Bench) -> None:
    first = bench.copy()
    (bench.overlay.root / "elsewhere").mkdir()
    (bench.overlay.root / first).rename(bench.overlay.root / "elsewhere" / "mine.md")
    assert bench.copy(MINE + "\nMore.\n") == "elsewhere/mine.md"
    assert "More." in bench.text("elsewhere/mine.md")


def test_an_origin_that_moved_on_is_brought_together_by_section(bench: Bench) -> None:
    path = bench.copy()
    newer = PAGE.replace("Restart the pod", "Delete the pod").replace("It hangs", "It is slow")
    (bench.team / "a.md").write_text(newer)
    state = bench.state(path)
    assert state.news is OriginNews.MOVED_ON
    assert state.question is not None
    (conflict,) = state.question.merges[0].merge.conflicts
    assert conflict.title == "Fix"
    layers.bring_together(bench.workspace, bench.overlay, path, state, {(path, 0): Choice.MINE})
    kept = without_origin(bench.text(path))
    assert "Drain, then restart" in kept
    assert "It is slow" in kept
    assert bench.state(path).news is OriginNews.SAME


def test_theirs_is_taken_and_what_was_mine_is_kept_and_comes_back(bench: Bench) -> None:
    path = bench.copy()
    before = bench.text(path)
    (bench.team / "a.md").write_text(PAGE.replace("hangs", "stalls"))
    layers.take_theirs(bench.workspace, bench.overlay, path, bench.state(path))
    assert without_origin(bench.text(path)) == PAGE.replace("hangs", "stalls")
    kept = bench.folders.data / "origins" / blob_of(before.encode())
    assert kept.read_text() == before
    layers.put_back(bench.workspace, bench.overlay, path, before.encode())
    assert bench.text(path) == before


def test_mine_is_kept_and_the_change_is_not_shown_again(bench: Bench) -> None:
    path = bench.copy()
    (bench.team / "a.md").write_text(PAGE.replace("hangs", "stalls"))
    layers.keep_mine(bench.workspace, bench.overlay, path, bench.state(path))
    assert without_origin(bench.text(path)) == MINE
    assert bench.state(path).news is OriginNews.SAME


def test_a_copy_that_another_program_changed_meanwhile_is_not_overwritten(bench: Bench) -> None:
    path = bench.copy()
    (bench.team / "a.md").write_text(PAGE.replace("hangs", "stalls"))
    state = bench.state(path)
    (bench.overlay.root / path).write_text("changed outside\n")
    with pytest.raises(EnvironmentFault, match="another program"):
        layers.take_theirs(bench.workspace, bench.overlay, path, state)
    assert bench.text(path) == "changed outside\n"


def test_an_origin_that_is_gone_or_not_open_says_so(bench: Bench) -> None:
    path = bench.copy()
    (bench.team / "a.md").unlink()
    assert bench.state(path).news is OriginNews.GONE
    bench.workspace = replace(bench.workspace, bases=(bench.overlay,))
    assert bench.state(path).news is OriginNews.NOT_OPEN


def test_without_the_kept_text_both_texts_are_asked_about(bench: Bench) -> None:
    path = bench.copy()
    for file in (bench.folders.data / "origins").iterdir():
        file.unlink()
    (bench.team / "a.md").write_text(PAGE.replace("Restart", "Delete"))
    state = bench.state(path)
    assert state.question is not None
    assert [c.title for c in state.question.merges[0].merge.conflicts] == ["Fix"]


def test_the_text_that_was_copied_is_found_in_the_history_of_a_managed_copy(
    bench: Bench, tmp_path: Path
) -> None:
    remote = Remote(tmp_path / "r", {"a.md": PAGE})
    added = clone_base(bench.folders, remote.address, "git team")
    bench.use(bench.workspace.settings.with_base(added))
    base = bench.workspace.base("git team")
    path = layers.keep_copy(bench.workspace, base, "a.md", MINE.encode(), PAGE.encode())
    for file in (bench.folders.data / "origins").iterdir():
        file.unlink()
    remote.commit({"a.md": PAGE.replace("hangs", "stalls")})
    sync(open_store(bench.folders).area, "git team")
    state = bench.state(path)
    assert state.news is OriginNews.MOVED_ON
    assert state.question is not None
    assert state.question.merges[0].merge.conflicts == ()
    assert state.question.joined[0].changes[0].title == "Symptoms"


def test_a_clone_as_overlay_gets_the_copy_as_a_proposal(bench: Bench, tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"readme.md": "# Mine\n"})
    added = clone_base(bench.folders, remote.address, "shared copies")
    settings = Settings(knowledge_bases=(ConfiguredBase("team", str(bench.team)), added), overlay=added.name)
    bench.use(settings)
    before = sorted(p.name for p in Path(added.location).iterdir())
    bench.copy()
    (proposal,) = proposals(bench.folders)
    assert proposal.clone == "shared copies"
    assert proposal.paths == ("team/a.md",)
    assert sorted(p.name for p in Path(added.location).iterdir()) == before


def test_roles_and_order(bench: Bench) -> None:
    assert layers.rows_of(bench.workspace.bases, bench.folders, bench.workspace.settings) == {
        layers.OVERLAY_NAME: LayerRole.OVERLAY,
        "team": LayerRole.READ_ONLY,
    }


def test_the_overlay_alone_does_not_hide_the_bundled_content(bench: Bench) -> None:
    bench.use(Settings())
    assert content_folder().resolve() in [base.root for base in bench.workspace.bases]
    assert bench.workspace.settings.without_base(layers.OVERLAY_NAME).overlay == ""


def test_what_is_no_utf8_is_not_copied_and_paths_stay_inside(bench: Bench) -> None:
    base = bench.workspace.base("team")
    with pytest.raises(UsageError, match="UTF-8"):
        layers.keep_copy(bench.workspace, base, "a.md", b"\xff\xfe", PAGE.encode())
    with pytest.raises(UsageError):
        layers.keep_copy(bench.workspace, base, "../x.md", b"x", b"")
    assert not (bench.folders.data / "x.md").exists()
