from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_app.entries import knowledge_base
from kb_app.entries.knowledge_base import (
    config_from,
    is_entry_name,
    is_entry_path,
    load_config,
    look_at,
    matches,
    walk,
)
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.entries.reading import read_bytes, read_entry
from kb_app.entries.source import MAX_ENTRY_BYTES
from kb_app.errors import EnvironmentFault, UsageError

PLAIN = KnowledgeBaseConfig()


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {path.stem}\n")


def found(root: Path, config: KnowledgeBaseConfig = PLAIN) -> list[str]:
    return [file.path for file in walk(root, config).files]


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.md", "a/b.md", True),
        ("/*.md", "a/b.md", False),
        ("/*.md", "b.md", True),
        ("a/", "a/b/c.md", True),
        ("a", "x/a/c.md", True),
        ("a/*", "a/b.md", True),
        ("a/*.md", "a/b/c.md", False),
        ("a/**/c.md", "a/c.md", True),
        ("a/**/c.md", "a/b/b/c.md", True),
        ("**/x/**", "a/x/b.md", True),
        ("a?.md", "ab.md", True),
        ("a?.md", "a/.md", False),
        ("a+(b).md", "a+(b).md", True),
        ("docs/redis/", "docs/redisx/a.md", False),
    ],
)
def test_globs(glob: str, path: str, fits: bool) -> None:
    assert matches(glob, path) is fits


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("**/**/**/**/**/**/**/**/x" + "*" * 30, "a/" * 200 + "b"),
        ("**a" * 30, "a" * 250 + "/b"),
        ("**a**", "a" * 4_000),
        ("*a" * 100, "a" * 3_000 + "b"),
        ("**/a" * 40, "a/" * 1_500 + "b"),
    ],
)
def test_a_glob_of_many_stars_ends(glob: str, path: str) -> None:
    started = time.monotonic()
    matches(glob, path)
    assert time.monotonic() - started < 5


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "**", "**/", "?", "."]), min_size=1, max_size=6).map(
        "".join
    ),
    st.lists(st.sampled_from(["a", "b", "/", "."]), min_size=1, max_size=8).map("".join),
)
def test_both_ways_to_match_a_glob_agree(glob: str, path: str) -> None:
    read = knowledge_base.read_glob(glob)
    if read.pattern is not None:
        expected = read.pattern.fullmatch(path) is not None
        assert knowledge_base._fits(read.tokens, path, is_folder=read.is_folder) is expected


@pytest.mark.parametrize(
    ("name", "at_root", "is_entry"),
    [
        ("a.md", False, True),
        ("A.MDX", False, True),
        ("a.html.md.erb", False, True),
        ("README.md", True, True),
        ("a.txt", False, False),
        (".hidden.md", False, False),
        ("CHANGELOG.md", False, False),
        ("SECURITY.md", True, False),
        ("security.md", False, True),
        ("security.md", True, True),
        ("SSPTemplateValidatorDown.md", False, True),
    ],
)
def test_names_of_entries(name: str, at_root: bool, is_entry: bool) -> None:
    assert is_entry_name(name, at_root=at_root) is is_entry


def test_a_walk_lists_entries_sorted_and_leaves_the_rest_out(tmp_path: Path) -> None:
    make(
        tmp_path, "b.md", "a/x.md", "a/y.txt", ".git/z.md", ".github/z.md", "node_modules/p/z.md",
        "archetypes/z.md", "CODE_OF_CONDUCT.md", "drafts/z.md", "incidents/2025/i.md",
        "docs/incidents/kept.md", "CONTRIBUTING.md",
    )  # fmt: skip
    config = KnowledgeBaseConfig(ignore=("drafts/",))
    assert found(tmp_path, config) == ["a/x.md", "b.md", "docs/incidents/kept.md"]
    assert all(is_entry_path(path, config) for path in found(tmp_path, config))
    assert not any(
        is_entry_path(path, config) for path in (".git/z.md", "drafts/z.md", "incidents/2025/i.md", "a/y.txt")
    )
    file = walk(tmp_path, config).files[0]
    state = (tmp_path / "a/x.md").stat()
    assert (file.size_bytes, file.mtime_ns) == (state.st_size, state.st_mtime_ns)


@pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")
def test_links_out_pipes_and_large_files_are_skipped_with_a_reason(tmp_path: Path) -> None:
    root, outside = tmp_path / "kb", tmp_path / "secret.md"
    make(root, "a.md", "big.md")
    outside.write_text("secret")
    (root / "big.md").write_bytes(b"x" * (MAX_ENTRY_BYTES + 1))
    (root / "out.md").symlink_to(outside)
    (root / "in.md").symlink_to(root / "a.md")
    (root / "to-text.md").symlink_to(root / "notes.txt")
    (root / "notes.txt").write_text("# From a text file\n")
    (root / "gone.md").symlink_to(root / "nowhere")
    (root / "loop.md").symlink_to(root / "loop.md")
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.md")
    (root / "dir.md").mkdir()
    result = walk(root, PLAIN)
    assert [file.path for file in result.files] == ["a.md", "to-text.md"]
    assert [path for path, _ in result.skipped] == [
        "big.md", "gone.md", "in.md", "loop.md", "out.md", "pipe.md",
    ]  # fmt: skip
    reasons = dict(result.skipped)
    assert "leads out" in reasons["out.md"]
    assert "own place" in reasons["in.md"]
    assert "ordinary" in reasons["pipe.md"]
    with pytest.raises(UsageError):
        read_entry(root, "out.md", PLAIN)
    with pytest.raises(UsageError):
        read_bytes(root, "pipe.md")


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_looking_at_some_files_says_what_a_walk_says_of_them(tmp_path: Path) -> None:
    root = tmp_path / "base"
    (root / "a/b").mkdir(parents=True)
    (root / "incidents").mkdir()
    for name in ("top.md", "a/one.md", "a/b/two.md", "a/skipme.md", "incidents/log.md", "a/picture.png"):
        (root / name).write_text("# x\n", encoding="utf-8")
    (tmp_path / "outside.md").write_text("# x\n", encoding="utf-8")
    (root / "leads-out.md").symlink_to(tmp_path / "outside.md")
    (root / "linked").symlink_to(root / "a")
    config = KnowledgeBaseConfig(ignore=("skip*",))
    everything = [str(path.relative_to(root)) for path in root.rglob("*")]
    odd = [
        "linked/one.md",
        "../outside.md",
        str(tmp_path / "outside.md"),
        "a//one.md",
        "./top.md",
        "",
        "gone.md",
    ]
    assert look_at(root, [*everything, *odd], config) == walk(root, config)
    assert [file.path for file in look_at(root, ["a/one.md", "a/one.md"], config).files] == ["a/one.md"]
    with pytest.raises(EnvironmentFault):
        look_at(root / "gone", ["a.md"], config)


def test_names_that_are_not_utf_8_are_skipped_with_a_reason(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("x")
    except OSError:
        pytest.skip("the file system takes UTF-8 names only")
    assert walk(tmp_path, PLAIN).skipped == (("caf\\udce9.md", "The file name is not valid UTF-8"),)


@pytest.mark.skipif(os.name != "posix", reason="Windows does not allow such names")
def test_every_file_of_a_walk_can_be_opened_again(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b:c.md", "d\\e.md", "f\x07.md", "g\u202eh.md", "ü含.md", "x:y/z.md")
    result = walk(tmp_path, PLAIN)
    assert [file.path for file in result.files] == ["a.md", "ü含.md"]
    assert len(result.skipped) == 5
    for file in result.files:
        assert read_entry(tmp_path, file.path, PLAIN).path == file.path


@pytest.mark.skipif(os.name != "posix", reason="Windows limits the depth")
def test_a_tree_2500_deep_is_walked_without_recursion(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(2_500):
            os.mkdir("d", dir_fd=handle)
            deeper = os.open("d", os.O_RDONLY, dir_fd=handle)
            os.close(handle)
            handle = deeper
    finally:
        os.close(handle)
    make(tmp_path, "a.md")
    try:
        result = walk(tmp_path, PLAIN)
    finally:
        _remove_deep(tmp_path)
    assert [file.path for file in result.files] == ["a.md"]
    assert len(result.skipped) == 1
    assert "cannot be read" in result.skipped[0][1]


def _remove_deep(root: Path) -> None:
    """Remove a chain of folders that is too deep for ``shutil.rmtree``, by moving the inner part up."""
    while (root / "d" / "d").is_dir():
        (root / "d" / "d").rename(root / "e")
        (root / "d").rmdir()
        (root / "e").rename(root / "d")
    (root / "d").rmdir()


def test_a_folder_that_cannot_be_listed_is_skipped_but_the_root_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a.md", "closed/b.md")
    real = knowledge_base._listed

    def refuse(base: Path, folder: str) -> object:
        if folder == "closed/":
            raise PermissionError(13, "Permission denied")
        return real(base, folder)

    monkeypatch.setattr(knowledge_base, "_listed", refuse)
    result = walk(tmp_path, PLAIN)
    assert result.skipped == (("closed", "The folder cannot be read: Permission denied"),)
    with pytest.raises(EnvironmentFault):
        walk(tmp_path / "none", PLAIN)


def test_the_number_of_files_is_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.md", "b/c.md", "d/e.md")
    monkeypatch.setattr(knowledge_base, "MAX_FILES", 1)
    result = walk(tmp_path, PLAIN)
    assert len(result.files) == 1
    assert "More than 1 files" in result.skipped[0][1]


def test_kb_yml_is_read(tmp_path: Path) -> None:
    (tmp_path / "kb.yml").write_text(
        "name: ops\ndescription: Our pages\nlanguage: de\nignore: [old/, '*.tmp.md']\n"
        "products:\n  'pg/**': postgresql\ncomponents:\n  'pg/wal*': wal\n"
        "synonyms:\n  - [oom, out of memory]\n  - disk full, no space left\n  - alone\n"
    )
    config = load_config(tmp_path)
    assert (config.name, config.description, config.language) == ("ops", "Our pages", "de")
    assert config.ignore == ("old/", "*.tmp.md")
    assert (dict(config.products), dict(config.components)) == ({"pg/**": "postgresql"}, {"pg/wal*": "wal"})
    assert config.synonyms == (("oom", "out of memory"), ("disk full", "no space left"))
    assert config.notes == ()


def test_without_kb_yml_everything_has_a_default(tmp_path: Path) -> None:
    assert load_config(tmp_path) == KnowledgeBaseConfig()
    with pytest.raises(EnvironmentFault):
        load_config(tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nmae: x\n", "kb-yml-unknown-key"),
        ("name: [x\n", "front-matter-broken"),
        ("a: &a [*a]\n", "front-matter-broken"),
        ("name: x\nname: y\n", "front-matter-duplicate-key"),
        ("a: " + "{" * 9_000, "front-matter-broken"),
        ("ignore: [" + "a, " * 6_000 + "]", "front-matter-broken"),
        ("ignore: 'x'\n" + "# " + "x" * 70_000, "front-matter-large"),
    ],
)
def test_what_is_wrong_in_kb_yml_becomes_a_note(text: str, code: str) -> None:
    started = time.monotonic()
    assert code in [note.code for note in config_from(text).notes]
    assert time.monotonic() - started < 2


def test_kb_yml_may_be_anything_on_disk(tmp_path: Path) -> None:
    (tmp_path / "kb.yml").mkdir()
    assert [note.code for note in load_config(tmp_path).notes] == ["kb-yml-unreadable"]
    (tmp_path / "kb.yml").rmdir()
    (tmp_path / "kb.yml").write_bytes(b"#" * 70_000)
    assert [note.code for note in load_config(tmp_path).notes] == ["kb-yml-large"]
    (tmp_path / "kb.yml").write_bytes(b"\xef\xbb\xbfname: \xff\r\n")
    assert load_config(tmp_path).name == "\ufffd"


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text\n", "*a\n", "# only a comment\n", "''\n"])
def test_kb_yml_that_is_no_mapping_has_no_effect(text: str) -> None:
    assert config_from(text).name == ""


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_kb_yml_that_cannot_be_read_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "kb.yml").symlink_to(tmp_path / "kb.yml")
    assert [note.code for note in load_config(tmp_path).notes] == ["kb-yml-unreadable"]
    (tmp_path / "kb.yml").unlink()
    (tmp_path / "kb.yml").symlink_to("/etc/hostname")
    assert [note.code for note in load_config(tmp_path).notes] == ["kb-yml-unreadable"]


def test_a_folder_that_vanishes_while_owners_are_looked_for_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "a/x.md")
    (tmp_path / "OWNERS").write_text("ana\n")
    real = os.scandir

    def vanish(path: Path) -> object:
        if Path(path) != tmp_path:
            raise FileNotFoundError(path)
        return real(path)

    monkeypatch.setattr(knowledge_base.os, "scandir", vanish)
    assert load_config(tmp_path).owners == (("/**", "ana"),)


def test_an_item_that_vanishes_during_the_walk_is_no_folder() -> None:
    class Gone:
        def is_dir(self, *, follow_symlinks: bool) -> bool:
            raise FileNotFoundError

    assert not knowledge_base._is_folder(Gone())  # type: ignore[arg-type]


def test_owners_come_from_the_nearest_file(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "pg/b.md", "pg/wal/c.md", "web/d.md", "open/e.md")
    (tmp_path / "OWNERS").write_text("# people\napprovers:\n- root-owner\n- other\n")
    (tmp_path / "pg" / "OWNERS").write_text("pg-owner # comment\n")
    (tmp_path / "open" / "OWNERS").write_text("options: {}\n")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "CODEOWNERS").write_text("# who\n/web/ @web @more\n[section]\n!x @no\nalone\n")
    config = load_config(tmp_path)
    owners = {path: read_entry(tmp_path, path, config).owner for path in found(tmp_path, config)}
    assert owners == {
        "a.md": "root-owner", "pg/b.md": "pg-owner", "pg/wal/c.md": "pg-owner", "web/d.md": "@web",
        "open/e.md": "root-owner",
    }  # fmt: skip
    assert read_entry(tmp_path, "a.md", config).provenance["owner"] == "from the ownership files"


def test_looking_for_owners_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a/x.md", "b/y.md")
    (tmp_path / "b" / "OWNERS").write_text("late\n")
    monkeypatch.setattr(knowledge_base, "_MAX_OWNER_FOLDERS", 2)
    assert load_config(tmp_path).owners == ()


@pytest.mark.parametrize("relative", ["../x.md", "/etc/passwd", "a\\b.md", "c:x", "a\x00b", ""])
def test_reading_never_leaves_the_root(tmp_path: Path, relative: str) -> None:
    with pytest.raises(UsageError):
        read_entry(tmp_path, relative, PLAIN)


def test_reading_tells_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(UsageError):
        read_bytes(tmp_path, "folder.md")
    with pytest.raises(EnvironmentFault):
        read_bytes(tmp_path, "none.md")
    make(tmp_path, "a.md")
    with pytest.raises(EnvironmentFault):
        read_bytes(tmp_path, "a.md/b.md")


def test_reading_changes_nothing_on_disk(tmp_path: Path) -> None:
    raws = {"a.md": b"\xef\xbb\xbf# A\r\n", "b.md": b"\xff\x00", "c.md": b"", "kb.yml": b"name: x\r"}
    for name, raw in raws.items():
        (tmp_path / name).write_bytes(raw)
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.iterdir()}
    config = load_config(tmp_path)
    for path in found(tmp_path, config):
        read_entry(tmp_path, path, config)
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.iterdir()} == before
