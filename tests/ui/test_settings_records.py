from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from kb_app.paths import app_folders
from kb_app.settings import Settings
from kb_app.ui.common.theme import Theme
from kb_app.ui.settings_page.panel import SettingsPage
from kb_app.workspace.bases import open_workspace


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path) -> SettingsPage:
    Theme.current()
    (tmp_path / "kb").mkdir()
    page = SettingsPage()
    qtbot.addWidget(page)
    page.show_workspace(open_workspace((str(tmp_path / "kb"),), app_folders(), Settings(author="ana")))
    return page


def field(page: SettingsPage, name: str) -> QLineEdit:
    found = page.findChild(QLineEdit, f"setting:{name}")
    assert found is not None
    return found


def write(page: SettingsPage, name: str, text: str) -> list[Settings]:
    changes: list[Settings] = []
    page.changed.connect(changes.append)
    field(page, name).setText(text)
    field(page, name).editingFinished.emit()
    page.changed.disconnect(changes.append)
    return changes


def test_where_records_go_is_a_setting(page: SettingsPage) -> None:
    assert field(page, "author").text() == "ana"
    assert (
        write(page, "records_remote", " git@host:team/records.git ")[-1].records_remote
        == "git@host:team/records.git"
    )
    changed = write(page, "records_folder", "ops/records/")[-1]
    assert (changed.records_folder, changed.author) == ("ops/records", "ana")
    assert write(page, "author", "ana") == []


def test_a_folder_outside_the_repository_is_not_taken(page: SettingsPage) -> None:
    assert write(page, "records_folder", "../elsewhere") == []
    assert field(page, "records_folder").property("invalid") == "true"
    assert write(page, "records_folder", "ops")[-1].records_folder == "ops"
    assert field(page, "records_folder").property("invalid") == "false"
