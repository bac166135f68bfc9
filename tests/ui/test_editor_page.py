"""The editor page by its keys: completion, lists, snippets, repairs, find; a disk that is full."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kb_app.entries.model import Severity
from kb_app.paths import app_folders
from kb_app.ui.common.jobs import InlineJobs
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.workers import WorkerProcess
from kb_app.ui.editor import panel
from kb_app.ui.editor.check import TextChecker
from kb_app.ui.editor.highlighting import place_of
from kb_app.ui.editor.panel import Editing, EditorPage
from kb_app.ui.editor.state import LinkTarget, Place, Problem
from kb_app.ui.editor.text import MarkdownEdit
from kb_app.ui.search.client import BaseFolders
from kb_app.workspace.bases import open_base
from kb_app.workspace.contributing import begin_edit
from kb_app.workspace.drafts import DraftStore
from kb_app.workspace.editing import editable

TEXT = "---\nkind: note\n---\n# Title\n\n## Mitigation\n\n```sh\npsql <slot>\n```\n"


@pytest.fixture
def page(qtbot: QtBot, tmp_path: Path) -> Iterator[EditorPage]:
    Theme.current()
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "a.md").write_text(TEXT)
    base = open_base(folder, app_folders())
    worker = WorkerProcess("reader", label="Checking")  # never started: what is asked waits
    page = EditorPage(InlineJobs(), TextChecker(worker), DraftStore(app_folders().drafts))
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.show()
    qtbot.waitExposed(page)
    opened = editable(TEXT.encode())
    folders = BaseFolders(base.name, base.index_folder, base.root, base.config)
    page.open(Editing(begin_edit(base, "a.md", "Title", opened), opened, folders))
    page.edit.setFocus()
    page.edit.targets = (LinkTarget("Disk full", "b.md"),)
    yield page
    worker.stop()


def at_line(page: EditorPage, line: int) -> None:
    page.edit.go_to_line(line)


def test_opening_saves_nothing_and_a_change_is_saved_soon(page: EditorPage, qtbot: QtBot) -> None:
    store = DraftStore(app_folders().drafts)
    assert store.all() == ()
    at_line(page, 4)
    qtbot.keyClicks(page.edit, "!")
    qtbot.waitUntil(lambda: len(store.all()) == 1)
    assert store.all()[0].text == TEXT.replace("# Title", "# Title!")
    assert page.saved_label.text().startswith("Draft saved")


def test_values_are_completed_by_enter_and_esc_lets_them_go(page: EditorPage, qtbot: QtBot) -> None:
    at_line(page, 7)
    qtbot.keyClicks(page.edit, "- Risk: m")
    assert page.edit.is_completing()
    qtbot.keyClick(page.edit.completion_popup(), Qt.Key.Key_Return)
    assert "- Risk: medium\n" in page.edit.text()
    qtbot.keyClick(page.edit, Qt.Key.Key_Return)
    qtbot.keyClicks(page.edit, "Re")
    assert page.edit.is_completing()
    qtbot.keyClick(page.edit.completion_popup(), Qt.Key.Key_Escape)
    assert not page.edit.is_completing()
    assert "- Risk: medium\n- Re\n" in page.edit.text()


def test_an_entry_is_linked_by_its_title(page: EditorPage, qtbot: QtBot) -> None:
    at_line(page, 7)
    qtbot.keyClicks(page.edit, "See [[disk")
    qtbot.keyClick(page.edit.completion_popup(), Qt.Key.Key_Tab)
    assert "See [Disk full](b.md)\n" in page.edit.text()


def test_what_a_line_is_is_known(page: EditorPage) -> None:
    places = {line: place_of(page.edit.document().findBlockByNumber(line - 1)) for line in (2, 4, 9, 11)}
    assert places == {2: Place.FRONT, 4: Place.BODY, 9: Place.CODE, 11: Place.BODY}


def test_lists_go_on_and_end(page: EditorPage, qtbot: QtBot) -> None:
    at_line(page, 7)
    for keys in ("1. one", "two"):
        qtbot.keyClicks(page.edit, keys)
        qtbot.keyClick(page.edit, Qt.Key.Key_Return)
    qtbot.keyClick(page.edit, Qt.Key.Key_Return)
    assert "1. one\n2. two\n\n" in page.edit.text()
    qtbot.keyClick(page.edit, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert "2. two\n3. " in page.edit.text()


def test_a_snippet_has_lines_of_its_own(page: EditorPage, qtbot: QtBot) -> None:
    at_line(page, 11)
    qtbot.keyClick(page.edit, Qt.Key.Key_F, Qt.KeyboardModifier.AltModifier)
    text = page.edit.text()
    assert "```\n\n## Fix forward\n- Time: \n- Risk: \n" in text
    qtbot.keyClicks(page.edit, "5m")
    assert "- Time: 5m\n" in page.edit.text()


def test_a_remark_is_gone_to_and_repaired_by_keys(page: EditorPage, qtbot: QtBot) -> None:
    page.problems = (
        Problem(6, Severity.INFO, '"Mitigation" does not state Time, Risk', "", "missing-attributes", "Add"),
    )
    page.edit.set_problems(page.problems)
    at_line(page, 1)
    qtbot.keyClick(page.edit, Qt.Key.Key_F8)
    assert page.edit.line() == 6
    qtbot.keyClick(page.edit, Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    assert "## Mitigation\n- Time: \n- Risk: \n" in page.edit.text()
    qtbot.keyClick(page.edit, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page.edit.text() == TEXT


def test_find_walks_through_the_text(page: EditorPage, qtbot: QtBot) -> None:
    qtbot.keyClick(page.edit, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert page.find_bar.isVisible()
    qtbot.keyClicks(QApplication.focusWidget(), "ti")
    assert page.find_bar.count_text() == "1 of 3"
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert page.find_bar.count_text() == "2 of 3"
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert not page.find_bar.isVisible()
    assert page.edit.hasFocus()


def test_esc_leaves_with_the_draft_kept(page: EditorPage, qtbot: QtBot) -> None:
    at_line(page, 4)
    qtbot.keyClicks(page.edit, "!")
    with qtbot.waitSignal(page.closed):
        qtbot.keyClick(page.edit, Qt.Key.Key_Escape)
    assert DraftStore(app_folders().drafts).all()[0].text.count("# Title!") == 1


def test_a_full_disk_keeps_the_text_and_saves_it_when_there_is_room(
    page: EditorPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel, "SAVE_AGAIN_MS", 50)
    at_line(page, 4)
    qtbot.keyClicks(page.edit, " one")
    store = DraftStore(app_folders().drafts)
    qtbot.waitUntil(lambda: page.is_settled)
    before = store.all()[0].text
    real = os.fsync

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    qtbot.keyClicks(page.edit, " two")
    qtbot.waitUntil(lambda: page.saved_label.text() == "Not saved")
    assert "No space left on device" in page.notice_text.text()
    assert store.all()[0].text == before
    assert "# Title one two\n" in page.edit.text()
    monkeypatch.setattr(os, "fsync", real)
    qtbot.waitUntil(lambda: "# Title one two\n" in store.all()[0].text)
    assert page.saved_label.text().startswith("Draft saved")
    assert not page.notice.isVisible()


def test_every_control_has_a_name_and_a_tooltip(page: EditorPage) -> None:
    for button in (
        page.insert_button,
        page.outline_button,
        page.find_button,
        page.preview_button,
        page.more_button,
        page.propose_button,
        page.back,
    ):
        assert button.accessibleName()
        assert button.toolTip()


@given(st.binary(max_size=60) | st.text(max_size=40).map(lambda t: t.encode("utf-8", "surrogatepass")))
@example("a\u00a0b\u2028c\u2029d\ufdd0e\ufdd1f\x00g\x0ch\ufeffi\ufffej\U0001f600k\r\nl\rm".encode())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_bytes_are_the_field_gives_them_back(field: MarkdownEdit, raw: bytes) -> None:
    opened = editable(raw)
    field.set_text(opened.shown)
    assert opened.bytes_of(field.text()) == raw


@pytest.fixture
def field(qtbot: QtBot) -> MarkdownEdit:
    Theme.current()
    edit = MarkdownEdit()
    qtbot.addWidget(edit)
    return edit
