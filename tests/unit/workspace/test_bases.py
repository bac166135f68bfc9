import os
from pathlib import Path

import pytest

from kb_app.errors import EnvironmentFault, UsageError
from kb_app.paths import AppFolders, app_folders
from kb_app.resources import content_folder
from kb_app.settings import ConfiguredBase, Settings
from kb_app.workspace.bases import open_base, open_workspace


@pytest.fixture
def folders(isolated_home: Path) -> AppFolders:
    return app_folders()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "ops"
    root.mkdir()
    (root / "a.md").write_text("# A\n")
    return root


def test_without_a_choice_the_bundled_content_opens(folders: AppFolders) -> None:
    assert [b.root for b in open_workspace((), folders, Settings()).bases] == [content_folder().resolve()]


def test_a_folder_opens_under_its_own_name_and_its_index_lies_elsewhere(
    folders: AppFolders, folder: Path
) -> None:
    (base,) = open_workspace([str(folder)], folders, Settings()).bases
    assert base.name == "ops"
    assert folder not in base.index_folder.parents
    assert folders.index in base.index_folder.parents


def test_kb_yml_gives_the_name(folders: AppFolders, folder: Path) -> None:
    (folder / "kb.yml").write_text("name: Platform operations\n")
    assert open_base(folder, folders).name == "Platform operations"


def test_two_folders_of_one_name_keep_apart(folders: AppFolders, tmp_path: Path) -> None:
    for parent in ("x", "y"):
        (tmp_path / parent / "docs").mkdir(parents=True)
    wanted = [str(tmp_path / p / "docs") for p in ("x", "y")]
    first, second = open_workspace(wanted, folders, Settings()).bases
    assert (first.name, second.name) == ("docs", "docs (2)")
    assert first.index_folder != second.index_folder


def test_the_same_folder_twice_opens_once(folders: AppFolders, folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    assert len(open_workspace([str(folder), str(folder.parent / "link")], folders, Settings()).bases) == 1


def test_a_configured_one_that_is_gone_is_named_and_the_others_open(
    folders: AppFolders, folder: Path
) -> None:
    settings = (
        Settings()
        .with_base(ConfiguredBase("gone", str(folder / "nowhere")))
        .with_base(ConfiguredBase("here", str(folder)))
    )
    workspace = open_workspace((), folders, settings)
    assert [b.name for b in workspace.bases] == ["here"]
    assert [(b.name, "is not there" in b.title) for b in workspace.unopened] == [("gone", True)]


def test_a_wanted_one_may_be_named(folders: AppFolders, folder: Path) -> None:
    settings = Settings().with_base(ConfiguredBase("team", str(folder)))
    assert open_workspace(["team"], folders, settings).base("team").root == folder.resolve()


@pytest.mark.parametrize(("wanted", "sentence"), [("nowhere/at/all", "is not there"), ("a.md", "is a file")])
def test_what_cannot_be_opened_gets_a_sentence(
    folders: AppFolders, folder: Path, wanted: str, sentence: str
) -> None:
    with pytest.raises(EnvironmentFault, match=sentence) as caught:
        open_workspace([str(folder / wanted)], folders, Settings())
    assert caught.value.hint


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_without_permission_gets_a_sentence(folders: AppFolders, folder: Path) -> None:
    folder.chmod(0)
    try:
        with pytest.raises(EnvironmentFault, match="cannot be read"):
            open_base(folder, folders)
    finally:
        folder.chmod(0o700)


def test_an_unknown_name_lists_the_known_ones(folders: AppFolders, folder: Path) -> None:
    settings = Settings().with_base(ConfiguredBase("team", str(folder)))
    with pytest.raises(UsageError, match="team"):
        open_workspace(["taem"], folders, settings)
