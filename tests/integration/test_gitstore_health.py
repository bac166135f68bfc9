"""How a clone is, on real ones."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, git, make_runner, test_environment, tmp_path

from kb_app.gitstore import health
from kb_app.gitstore.clones import CloneArea
from kb_app.gitstore.health import examine, tidy

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False


def make(tmp_path: Path) -> CloneArea:
    remote = Remote(tmp_path / "r", {"a.md": "a", "b/c.md": "c"})
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
    assert area.clone(remote.address, "kb").is_ok
    return area


def test_a_sound_clone_is_whole_and_says_where_it_stands(tmp_path: Path) -> None:
    area = make(tmp_path)
    found = examine(area, "kb", deep=True)
    assert found.is_whole
    assert found.commit == git(area.root(area.get("kb")), "rev-parse", "HEAD")
    assert found.committed_at is not None
    assert found.size_bytes > 0


def test_a_damaged_object_and_a_missing_copy_are_said(tmp_path: Path) -> None:
    area = make(tmp_path)
    root = area.root(area.get("kb"))
    for pack in (root / ".git/objects").rglob("*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(b"")
    for loose in (root / ".git/objects").glob("??/*"):
        loose.chmod(0o644)
        loose.write_bytes(b"")
    assert not examine(area, "kb", deep=True).is_whole
    (root / ".git").rename(root / "gone")
    gone = examine(area, "kb")
    assert not gone.is_whole
    assert gone.hint


def test_tidying_puts_packs_together_and_drops_nothing(tmp_path: Path, monkeypatch: object) -> None:
    area = make(tmp_path)
    root = area.root(area.get("kb"))
    assert tidy(area, "kb") is False
    only_here = git(root, "hash-object", "-w", "--stdin", stdin=b"unreachable")
    for number in range(4):
        blob = git(root, "hash-object", "-w", "--stdin", stdin=f"text {number}".encode())
        git(root, "pack-objects", "-q", ".git/objects/pack/pack", stdin=f"{blob}\n".encode())
        (root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    before = set(git(root, "cat-file", "--batch-check=%(objectname)", "--batch-all-objects").split())
    monkeypatch.setattr(health, "TIDY_FROM_PACKS", 2)  # type: ignore[attr-defined]
    packs = examine(area, "kb").packs
    assert tidy(area, "kb") is True
    assert examine(area, "kb").packs < packs
    after = set(git(root, "cat-file", "--batch-check=%(objectname)", "--batch-all-objects").split())
    assert before == after
    assert only_here in after
    assert examine(area, "kb", deep=True).is_whole
