"""The real window with its real workers on real files, as a user meets it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QApplication, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from kb_app.paths import app_folders
from kb_app.settings import ConfiguredBase, load_settings
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.theme import Theme
from kb_app.ui.filters.state import View
from kb_app.ui.search.state import Query
from kb_app.ui.single_instance import StartRequest
from kb_app.ui.steps.panel import ValuesCard
from kb_app.ui.steps.state import Lane
from kb_app.ui.window import PREVIEW_PAUSE_MS

TIMEOUT_MS = 60_000

FULL_DISK = """---
title: Disk full behind a slot
kind: known-fix
product: postgresql
component: wal
severity: sev1
signatures:
  - "PANIC: could not write to file"
---
# Disk full behind a slot

## Symptoms
`PANIC: could not write to file "pg_wal/xlogtemp.1": No space left on device`

## Mitigation: grow the volume
- Time: 5m
- Risk: low

1. Look at the volume.
   ```sh
   df -h <directory>
   ```
2. Grow it.

## Fix forward: drop the slot
1. Drop the slot. See [the internals](wal.md#slots).
   ```sh
   kubectl delete pod <pod>
   ```
"""
WAL = """---
title: WAL and its slots
kind: internals
product: postgresql
component: wal
---
# WAL and its slots

## Slots
A slot keeps WAL for a reader.
"""
REDIS = "# Redis is out of memory\n\nRedis answers `OOM command not allowed` to every write.\n"


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "runbooks"
    (folder / "pg").mkdir(parents=True)
    (folder / "pg" / "full-disk.md").write_text(FULL_DISK)
    (folder / "pg" / "wal.md").write_text(WAL)
    (folder / "redis-oom.md").write_text(REDIS)
    return folder


Open = Callable[..., Running]


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    """Start windows like ``kb-app --kb …`` and end them afterwards."""
    running: list[Running] = []

    def start_window(*bases: Path, query: str = "", width: int = 1440) -> Running:
        make_application()
        one = Running(qapp, app_folders(), Options(tuple(map(str, bases)), query))
        one.crashes.uninstall()  # pytest-qt takes exceptions here, and fails the test
        running.append(one)
        one.start()
        one.window.resize(width, 900)
        qtbot.waitExposed(one.window)
        return one

    yield start_window
    for one in running:
        one.window.close()
        one.finish()
        one.theme.setParent(None)


def indexed(running: Running, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: running.desk.index_state.is_complete, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not running.desk.search.is_busy, timeout=TIMEOUT_MS)


def shows(running: Running, path: str) -> bool:
    current = running.desk.current
    return current is not None and current.ref.path == path and not running.window.are_steps_pending


def titles(running: Running) -> list[str]:
    return [row.title for row in running.window.results.list.rows if row.ref is not None]


def tree_hash(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(file.relative_to(folder)): (
            hashlib.sha256(file.read_bytes()).hexdigest(),
            file.stat().st_mtime_ns,
        )
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_on_call_pastes_an_error_opens_the_entry_and_copies_the_command(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    before = tree_hash(knowledge)
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    log = "\n".join(
        f'2026-03-04 02:11:0{n} PANIC: could not write to file "pg_wal/xlogtemp.{n}"' for n in range(9)
    )
    QGuiApplication.clipboard().setText(log)
    window.search.focus()
    qtbot.keyClick(window.search.edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert window.search.chip.label.text() == "pasted 9 lines"
    qtbot.waitUntil(lambda: shows(running, "pg/full-disk.md"), timeout=TIMEOUT_MS)

    qtbot.keyClick(window.search.edit, Qt.Key.Key_Return)
    qtbot.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    first = window.steps.cards(Lane.MITIGATE)[0]
    assert window.focusWidget() is first.tick
    window.actions_table[ActionId.COPY_COMMAND].trigger()
    assert window.focusWidget().objectName() == "value:directory"
    qtbot.keyClicks(window.focusWidget(), "/var/lib/my data")
    window.actions_table[ActionId.COPY_COMMAND].trigger()
    assert QGuiApplication.clipboard().text() == "df -h '/var/lib/my data'"

    window.steps.focus_lane(Lane.MITIGATE)
    qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Space)
    assert first.tick.isChecked()
    assert tree_hash(knowledge) == before


def test_typing_narrows_and_an_outdated_answer_never_shows(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    shown: list[str] = []
    running.desk.found.connect(lambda found: shown.append(found.answer.query))
    for text in ("r", "re", "red", "redis", "redis mem"):
        running.window.search.edit.setText(text)
    qtbot.waitUntil(lambda: bool(shown) and shown[-1] == "redis mem", timeout=TIMEOUT_MS)
    assert titles(running)[0] == "Redis is out of memory"
    assert all(later == "redis mem" for later in shown[shown.index("redis mem") :])


def test_ticks_and_recent_entries_survive_a_restart_and_values_do_not(
    start: Open, knowledge: Path, qtbot: QtBot, isolated_home: Path
) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    ref = EntryRef("runbooks", "pg/full-disk.md")
    running.window.open_entry(ref)
    qtbot.waitUntil(lambda: shows(running, ref.path), timeout=TIMEOUT_MS)
    card = running.window.steps.findChild(ValuesCard)
    card.set_value("pod", "secret-pod-name")
    running.window.steps.tick_current()
    key = running.window.steps.cards(Lane.MITIGATE)[0].view.key
    running.window.search.set_text("slot")
    running.window.close()
    running.finish()
    saved = (isolated_home / "data" / "window.json").read_text("utf-8")
    assert "secret-pod-name" not in saved
    assert json.loads(saved)["recent"][0]["ref"]["path"] == ref.path

    again = start(knowledge)
    assert again.window.search.query.typed == "slot"
    assert again.window.search.edit.selectedText() == "slot"
    indexed(again, qtbot)
    again.window.open_entry(ref)
    qtbot.waitUntil(lambda: shows(again, ref.path), timeout=TIMEOUT_MS)
    [first, _second] = again.window.steps.cards(Lane.MITIGATE)
    assert first.view.key == key
    assert first.tick.isChecked()


def test_an_answer_that_comes_late_does_not_take_away_what_was_opened(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    window.open_entry(EntryRef("runbooks", "pg/wal.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/wal.md"), timeout=TIMEOUT_MS)
    running.desk.set_query(Query("redis"))
    qtbot.waitUntil(lambda: titles(running) == ["Redis is out of memory"], timeout=TIMEOUT_MS)
    qtbot.wait(4 * PREVIEW_PAUSE_MS)
    assert shows(running, "pg/wal.md")
    window.search.focus()
    window.search.set_text("redis memory")
    qtbot.waitUntil(lambda: shows(running, "redis-oom.md"), timeout=TIMEOUT_MS)


def test_links_open_and_the_history_leads_back(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    window.open_entry(EntryRef("runbooks", "pg/full-disk.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/full-disk.md"), timeout=TIMEOUT_MS)
    window.reading.link_activated.emit("pg/wal.md#slots")
    qtbot.waitUntil(lambda: shows(running, "pg/wal.md"), timeout=TIMEOUT_MS)
    window.actions_table[ActionId.BACK].trigger()
    qtbot.waitUntil(lambda: shows(running, "pg/full-disk.md"), timeout=TIMEOUT_MS)
    window.actions_table[ActionId.FORWARD].trigger()
    qtbot.waitUntil(lambda: shows(running, "pg/wal.md"), timeout=TIMEOUT_MS)


def test_an_address_is_shown_before_anything_opens(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    running.window.reading.external_link_requested.emit("https://example.org/a")
    message = running.window.messages.current
    assert message is not None
    assert message.hint == "https://example.org/a"
    assert message.action == "Open"


def test_a_link_in_a_step_is_relative_to_its_entry(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    running.window.open_entry(EntryRef("runbooks", "pg/full-disk.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/full-disk.md"), timeout=TIMEOUT_MS)
    [fix] = running.window.steps.cards(Lane.FIX)
    fix.link_activated.emit("wal.md#slots")
    qtbot.waitUntil(lambda: shows(running, "pg/wal.md"), timeout=TIMEOUT_MS)


def test_filters_narrow_and_several_values_mean_any(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    window.search.set_text("slot")
    qtbot.waitUntil(lambda: len(titles(running)) == 2, timeout=TIMEOUT_MS)
    window.filters.set_state(window.filters.state.toggled("kind", "internals"))
    qtbot.waitUntil(lambda: titles(running) == ["WAL and its slots"], timeout=TIMEOUT_MS)
    window.filters.set_state(window.filters.state.toggled("kind", "known-fix"))
    qtbot.waitUntil(lambda: len(titles(running)) == 2, timeout=TIMEOUT_MS)


def test_starred_entries_have_their_view(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    window.open_entry(EntryRef("runbooks", "redis-oom.md"))
    qtbot.waitUntil(lambda: shows(running, "redis-oom.md"), timeout=TIMEOUT_MS)
    window.actions_table[ActionId.STAR].trigger()
    window.filters.set_state(window.filters.state.with_view(View.STARRED))
    qtbot.waitUntil(lambda: titles(running) == ["Redis is out of memory"], timeout=TIMEOUT_MS)


def test_an_empty_query_lists_every_entry_by_product(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    qtbot.waitUntil(lambda: len(titles(running)) == 3, timeout=TIMEOUT_MS)
    assert running.window.results.list.current_ref() is None


def test_several_knowledge_bases_are_layers_and_one_can_be_left_out(
    start: Open, knowledge: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    other = tmp_path / "team"
    other.mkdir()
    (other / "mine.md").write_text("# My redis notes\n\nRedis here is called cache.\n")
    running = start(knowledge, other)
    indexed(running, qtbot)
    window = running.window
    window.search.set_text("redis")
    qtbot.waitUntil(lambda: len(titles(running)) == 2, timeout=TIMEOUT_MS)
    assert {row.base_label for row in window.results.list.rows} == {"runbooks", "team"}
    running.desk.set_hidden("team", is_hidden=True)
    qtbot.waitUntil(lambda: titles(running) == ["Redis is out of memory"], timeout=TIMEOUT_MS)


@pytest.mark.expects_warnings
def test_a_folder_that_is_not_there_is_said_and_the_window_works(
    start: Open, tmp_path: Path, knowledge: Path, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    running = start(tmp_path / "gone")
    qtbot.waitUntil(lambda: running.window.messages.current is not None, timeout=TIMEOUT_MS)
    assert "is not there" in running.window.messages.current.text
    assert running.window.results.empty.isVisible()
    running.window.add_folder(str(knowledge))
    indexed(running, qtbot)
    running.window.search.set_text("redis")
    qtbot.waitUntil(lambda: titles(running) == ["Redis is out of memory"], timeout=TIMEOUT_MS)


def test_a_folder_is_added_beside_what_was_opened_and_taken_out_again(
    start: Open, knowledge: Path, tmp_path: Path, qtbot: QtBot, isolated_home: Path
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "note.md").write_text("# Flux capacitor\n")
    running = start(knowledge)
    indexed(running, qtbot)
    running.window.add_folder(str(mine))
    qtbot.waitUntil(lambda: len(running.desk.bases) == 2, timeout=TIMEOUT_MS)
    indexed(running, qtbot)
    assert [base.name for base in running.desk.bases] == ["runbooks", "mine"]
    settings = json.loads((isolated_home / "config" / "settings.json").read_text())
    assert [base["name"] for base in settings["knowledge_bases"]] == ["mine"]
    running.desk.remove_base("mine")
    qtbot.waitUntil(lambda: [base.name for base in running.desk.bases] == ["runbooks"], timeout=TIMEOUT_MS)
    assert (mine / "note.md").exists()


def test_two_folders_added_at_the_same_moment_are_both_there_and_so_is_a_setting(
    start: Open, knowledge: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "note.md").write_text(f"# Note {name}\n")
    running = start(knowledge)
    indexed(running, qtbot)
    desk = running.desk
    desk.add_folder(tmp_path / "one")
    desk.add_folder(tmp_path / "absent")
    desk.add_base(ConfiguredBase("two", str(tmp_path / "two")))
    desk.remove_base("one")
    desk.add_base(ConfiguredBase("three", str(tmp_path / "three")))
    desk.change_settings(replace(desk.workspace.settings, contributor_name="Ana"))
    qtbot.waitUntil(
        lambda: [base.name for base in desk.bases] == ["runbooks", "two", "three"], timeout=TIMEOUT_MS
    )
    assert desk.workspace.settings.contributor_name == "Ana"

    def is_saved() -> bool:
        kept = load_settings(app_folders())
        names = [base.name for base in kept.knowledge_bases]
        return names == ["two", "three"] and kept.contributor_name == "Ana"

    qtbot.waitUntil(is_saved, timeout=TIMEOUT_MS)


def test_a_later_start_shows_its_knowledge_base_and_its_question(
    start: Open, knowledge: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "note.md").write_text("# Flux capacitor is empty\n")
    running = start(knowledge)
    indexed(running, qtbot)
    running.take_request(StartRequest((str(other),), "flux capacitor"))
    qtbot.waitUntil(lambda: titles(running)[:1] == ["Flux capacitor is empty"], timeout=TIMEOUT_MS)
    assert load_settings(app_folders()).knowledge_bases == ()


def test_a_folder_without_markdown_says_so(start: Open, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"\xff\xd8")
    running = start(tmp_path / "photos")
    indexed(running, qtbot)
    texts = [
        child.text() for child in running.window.results.empty.findChildren(QWidget) if hasattr(child, "text")
    ]
    assert "No Markdown here" in texts


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads every folder")
@pytest.mark.expects_warnings
def test_a_folder_without_permission_is_said(start: Open, tmp_path: Path, qtbot: QtBot) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    running = start(locked)
    qtbot.waitUntil(lambda: running.window.messages.current is not None, timeout=TIMEOUT_MS)
    assert "cannot be read" in running.window.messages.current.text


def test_an_entry_that_vanished_is_said_and_the_next_one_opens(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    (knowledge / "redis-oom.md").unlink()
    running.window.open_entry(EntryRef("runbooks", "redis-oom.md"))
    qtbot.waitUntil(lambda: running.window.messages.current is not None, timeout=TIMEOUT_MS)
    running.window.open_entry(EntryRef("runbooks", "pg/wal.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/wal.md"), timeout=TIMEOUT_MS)
    assert running.window.messages.current is None


@pytest.mark.parametrize("width", [1440, 1280, 1000])
def test_every_control_has_a_name(start: Open, knowledge: Path, qtbot: QtBot, width: int) -> None:
    running = start(knowledge, width=width)
    indexed(running, qtbot)
    window = running.window
    window.search.set_text("slot")
    window.open_entry(EntryRef("runbooks", "pg/full-disk.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/full-disk.md"), timeout=TIMEOUT_MS)
    window.show_settings()
    window.show_shortcuts()
    window.show_panes()
    nameless = [
        f"{type(widget).__name__} {widget.objectName()}"
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not widget.isHidden()  # itself, not a page around it: what has nothing to say yet
        and not isinstance(widget, QScrollBar)
        and not (QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name) or "").strip()
    ]
    assert nameless == []


def test_every_control_can_be_reached_by_tab(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    window.open_entry(EntryRef("runbooks", "pg/full-disk.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/full-disk.md"), timeout=TIMEOUT_MS)
    window.search.setFocus()
    reached: set[str] = set()
    for _ in range(200):
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        reached.add(window.focusWidget().objectName())
    assert {"searchField", "basesButton", "menuButton", "results", "stepTick", "copyCommand"} <= reached


def test_f6_goes_round_the_panes(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    window.open_entry(EntryRef("runbooks", "pg/full-disk.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/full-disk.md"), timeout=TIMEOUT_MS)
    window.search.focus()
    places = (window.filters, window.results, window.reading, window.steps, window.search)
    for place in places:
        window.actions_table[ActionId.NEXT_PANE].trigger()
        assert place is window.focusWidget() or place.isAncestorOf(window.focusWidget())


def test_narrow_windows_fold_the_filters_and_then_the_steps(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    assert window.filters.isVisible()
    window.resize(1280, 800)
    qtbot.waitUntil(lambda: not window.filters.isVisible(), timeout=TIMEOUT_MS)
    assert window.results.filter_button.isVisible()
    window.actions_table[ActionId.FILTERS].trigger()
    assert window.filters.isVisible()
    window.panes.close_filters()
    window.resize(1000, 760)
    qtbot.waitUntil(lambda: not window.panes.has_step_column, timeout=TIMEOUT_MS)
    assert not window.steps.isVisible()
    window.actions_table[ActionId.MITIGATE].trigger()
    window.resize(1440, 900)
    qtbot.waitUntil(lambda: window.filters.isVisible() and window.steps.isVisible(), timeout=TIMEOUT_MS)


def test_the_theme_switches_and_is_remembered(
    start: Open, knowledge: Path, qtbot: QtBot, isolated_home: Path
) -> None:
    running = start(knowledge)
    was_dark = Theme.current().tokens.is_dark
    running.window.actions_table[ActionId.TOGGLE_THEME].trigger()
    assert Theme.current().tokens.is_dark is not was_dark
    settings = isolated_home / "config" / "settings.json"
    qtbot.waitUntil(settings.exists, timeout=TIMEOUT_MS)
    assert json.loads(settings.read_text())["theme"] == ("light" if was_dark else "dark")


@pytest.mark.expects_warnings
def test_an_exception_in_a_slot_is_logged_shown_and_survived(
    start: Open, knowledge: Path, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    running = start(knowledge)
    error = ValueError("a bug")
    for _ in range(2):
        try:
            raise error
        except ValueError as caught:
            running.crashes.take(type(caught), caught, caught.__traceback__)
    assert running.window.messages.current.text == "Something went wrong inside kb_app"
    assert caplog.text.count("unexpected error") == 1


def test_the_window_s_process_never_loads_what_belongs_to_workers(root: Path, isolated_home: Path) -> None:
    program = (
        "import sys, kb_app.ui.app, kb_app.ui.window, kb_app.ui.reader.panel\n"
        "heavy = ('whoosh', 'markdown', 'pygments', 'git', 'nh3', 'numpy')\n"
        "print(sorted(name for name in heavy if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_the_self_test_of_an_installation_passes(root: Path, knowledge: Path, isolated_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kb_app", "--self-test", "--kb", str(knowledge)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["opened"]


def test_the_very_first_start_offers_two_ways_to_begin(qapp: QApplication, qtbot: QtBot) -> None:
    running = Running(qapp, app_folders(), Options())
    running.crashes.uninstall()
    running.start()
    window = running.window
    qtbot.waitExposed(window)
    assert window.pages.currentWidget() is window.welcome
    window.welcome.bundled.button.click()
    assert window.pages.currentWidget() is window.panes
    assert window.focusWidget() is window.search.edit
    window.close()
    running.finish()
    running.theme.setParent(None)


def test_d_asks_the_questions_and_leads_back_to_the_steps(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    indexed(running, qtbot)
    window = running.window
    window.open_entry(EntryRef("runbooks", "pg/full-disk.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/full-disk.md"), timeout=TIMEOUT_MS)
    window.actions_table[ActionId.DECIDE].trigger()
    assert window.response.is_deciding
    assert window.response.decision.isVisible()
    assert window.response.isAncestorOf(window.focusWidget())
    window.actions_table[ActionId.DECIDE].trigger()
    assert window.steps.isVisible()
    window.actions_table[ActionId.DECIDE].trigger()
    window.open_entry(EntryRef("runbooks", "pg/wal.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/wal.md"), timeout=TIMEOUT_MS)
    assert not window.response.is_deciding
