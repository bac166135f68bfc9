"""Copies of one's own in the real window: made from a draft, found in the origin's place, kept up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kb_app.paths import app_folders
from kb_app.settings import ConfiguredBase, Settings, load_settings, save_settings
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.conflicts.feature import ConflictsFeature
from kb_app.ui.editor.feature import EditorFeature
from kb_app.ui.layers.feature import LayersFeature
from kb_app.ui.search.state import Query

TIMEOUT = 20_000
PAGE = "# Lease lost\n\n## Symptoms\nIt hangs.\n\n## Fix\nRestart the pod.\n\n## Verify\nIt answers.\n"
Open = Callable[[], Running]


@pytest.fixture
def team(tmp_path: Path) -> Path:
    folder = tmp_path / "team"
    folder.mkdir()
    (folder / "a.md").write_text(PAGE)
    (folder / "b.md").write_text("# Another\n\nNothing here.\n")
    save_settings(app_folders(), Settings(knowledge_bases=(ConfiguredBase("team", str(folder)),), sync=False))
    return folder


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication, team: Path) -> Iterator[Open]:
    running: list[Running] = []

    def start_window() -> Running:
        make_application()
        one = Running(qapp, app_folders(), Options())
        one.crashes.uninstall()
        running.append(one)
        one.start()
        one.window.resize(1440, 900)
        one.window.show_panes()
        qtbot.waitExposed(one.window)
        settled(one, qtbot)
        return one

    yield start_window
    for one in running:
        one.window.close()
        one.finish()
        one.theme.setParent(None)


def settled(running: Running, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: running.desk.index_state.is_complete, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: not running.desk.search.is_busy, timeout=TIMEOUT)


def shows(running: Running, base: str, path: str) -> bool:
    current = running.desk.current
    return current is not None and current.ref == EntryRef(base, path)


def copy_the_entry(running: Running, qtbot: QtBot, text: str = "Drain, then restart") -> None:
    """Edit the team's entry and keep what is written as a copy."""
    editor = running.window.feature(EditorFeature)
    running.window.open_entry(EntryRef("team", "a.md"))
    qtbot.waitUntil(lambda: shows(running, "team", "a.md"), timeout=TIMEOUT)
    editor.edit(EntryRef("team", "a.md"))
    page = editor.writing.page
    qtbot.waitUntil(lambda: page.editing is not None, timeout=TIMEOUT)
    page.edit.replace_text(PAGE.replace("Restart", text))
    page.ask_to_propose()
    qtbot.waitUntil(lambda: page.is_asking, timeout=TIMEOUT)
    qtbot.wait(100)
    editor.writing.handing_in.overlay_requested.emit(page.editing.draft)
    qtbot.waitUntil(lambda: shows(running, "My copies", "team/a.md"), timeout=TIMEOUT)
    settled(running, qtbot)


def test_editing_what_is_only_read_makes_a_copy_that_is_found_instead(
    start: Open, team: Path, qtbot: QtBot
) -> None:
    running = start()
    copy_the_entry(running, qtbot)
    banner = running.window.feature(LayersFeature).banner
    assert banner is not None
    qtbot.waitUntil(lambda: not banner.isHidden(), timeout=TIMEOUT)
    assert banner.text.text() == "Your copy of a.md from team"
    assert (team / "a.md").read_text() == PAGE
    assert load_settings(app_folders()).overlay == "My copies"
    running.window.search.set_query(Query(typed="lease lost"))
    qtbot.waitUntil(
        lambda: (
            [(r.ref.knowledge_base, r.ref.path) for r in running.window.results.list.rows if r.ref]
            == [("My copies", "team/a.md")]
        ),
        timeout=TIMEOUT,
    )
    banner.button.click()
    qtbot.waitUntil(lambda: shows(running, "team", "a.md"), timeout=TIMEOUT)
    qtbot.waitUntil(lambda: "You have a copy" in banner.text.text(), timeout=TIMEOUT)
    banner.button.click()
    qtbot.waitUntil(lambda: shows(running, "My copies", "team/a.md"), timeout=TIMEOUT)


def test_an_origin_that_moved_on_is_merged_by_section(start: Open, team: Path, qtbot: QtBot) -> None:
    running = start()
    copy_the_entry(running, qtbot)
    layers = running.window.feature(LayersFeature)
    (team / "a.md").write_text(PAGE.replace("Restart", "Delete").replace("It hangs", "It is slow"))
    running.desk.reload()
    assert layers.banner is not None
    qtbot.waitUntil(lambda: "changed since" in layers.banner.text.text(), timeout=TIMEOUT)
    layers.banner.button.click()
    assert running.window.pages.currentWidget() is layers.page
    assert "It hangsis slow" in layers.page.diff.toPlainText().replace(" is", "is", 1) or (
        "slow" in layers.page.diff.toPlainText()
    )
    qtbot.keyClick(layers.page.merge, Qt.Key.Key_S)
    conflicts = running.window.feature(ConflictsFeature)
    qtbot.waitUntil(lambda: running.window.pages.currentWidget() is conflicts.page, timeout=TIMEOUT)
    before = copy_text()
    qtbot.keyClick(conflicts.page, Qt.Key.Key_Escape)
    assert copy_text() == before
    layers.show_changes()
    qtbot.keyClick(layers.page.merge, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: running.window.pages.currentWidget() is conflicts.page, timeout=TIMEOUT)
    qtbot.keyClick(conflicts.page, Qt.Key.Key_M)
    qtbot.keyClick(conflicts.page, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "It is slow" in copy_text(), timeout=TIMEOUT)
    assert "Drain, then restart" in copy_text()
    qtbot.waitUntil(lambda: layers.banner.text.text() == "Your copy of a.md from team", timeout=TIMEOUT)
    running.window.messages.action_button.click()
    qtbot.waitUntil(lambda: copy_text() == before, timeout=TIMEOUT)


def copy_text() -> str:
    return (app_folders().data / "my-copies" / "team" / "a.md").read_text()


def test_the_settings_say_what_can_be_done_with_each_layer(start: Open, qtbot: QtBot) -> None:
    running = start()
    copy_the_entry(running, qtbot)
    running.window.show_settings()
    page = running.window.pages.currentWidget()
    from kb_app.ui.common.widgets import Chip

    assert sorted(chip.text() for chip in page.findChildren(Chip) if chip.isVisible()) == [
        "my own copies",
        "only read",
    ]
