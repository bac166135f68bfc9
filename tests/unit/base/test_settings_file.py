import json
from pathlib import Path

import pytest

from kb_app.durable import write_atomically
from kb_app.errors import EnvironmentFault
from kb_app.paths import AppFolders, app_folders
from kb_app.settings import (
    HELP,
    ConfiguredBase,
    Settings,
    load_settings,
    save_settings,
    settings_file,
)


@pytest.fixture
def folders(isolated_home: Path) -> AppFolders:
    return app_folders()


def test_what_is_saved_is_loaded(folders: AppFolders) -> None:
    settings = Settings(theme="dark").with_base(ConfiguredBase("ops", "/srv/ops"))
    save_settings(folders, settings)
    assert load_settings(folders) == settings


def test_adding_a_name_again_replaces_it_and_removing_forgets_it() -> None:
    twice = Settings().with_base(ConfiguredBase("a", "/1")).with_base(ConfiguredBase("a", "/2"))
    assert twice.knowledge_bases == (ConfiguredBase("a", "/2"),)
    assert twice.without_base("a") == Settings()


@pytest.mark.parametrize("text", ["{", "[]", '{"zoom_percent": "wide"}', "\x00"])
def test_unreadable_settings_are_set_aside_with_their_text(folders: AppFolders, text: str) -> None:
    folders.config.mkdir(parents=True)
    settings_file(folders).write_text(text)
    assert load_settings(folders) == Settings()
    aside = settings_file(folders).with_suffix(".unreadable.json")
    assert aside.read_text() == text


def test_keys_of_a_newer_version_survive_a_save(folders: AppFolders) -> None:
    folders.config.mkdir(parents=True)
    settings_file(folders).write_text('{"from_the_future": 1}')
    save_settings(folders, Settings())
    assert json.loads(settings_file(folders).read_text())["from_the_future"] == 1


def test_every_setting_has_help() -> None:
    assert set(HELP) == set(Settings.__dataclass_fields__)


def test_a_failing_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file.json"
    target.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EnvironmentFault, match="No space left"):
        write_atomically(target, b"new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
