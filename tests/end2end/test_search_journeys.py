"""Searching as a user meets it: the real window, its real workers, keys pressed and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from kb_app.paths import app_folders
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.filters.panel import FacetRow
from kb_app.ui.searching.feature import SearchingFeature

TIMEOUT_MS = 20_000
Key, Mod = Qt.Key, Qt.KeyboardModifier

PAGES = {
    "pg/slot.md": """---
kind: known-fix
product: postgresql
component: wal
state: verified
affected: ">=13 <17.1"
fixed_in: "17.1"
signatures: ["could not write to file"]
---
# pg_wal fills the disk behind an inactive slot

## Symptoms
`PANIC: could not write to file "pg_wal/xlogtemp.1": No space left on device`

## Mitigation: grow the volume
1. Grow the volume.

## Fix forward: drop the slot
1. Drop the slot.
""",
    "pg/wal.md": (
        "---\nkind: internals\nproduct: postgresql\ncomponent: wal\n---\n# WAL and its slots\n\nA slot.\n"
    ),
    "redis/oom.md": (
        "---\nkind: known-fix\nproduct: redis\ncomponent: memory\n---\n"
        "# Redis is out of memory\n\nRedis answers `OOM command not allowed` to every write.\n"
    ),
    "k8s/DiskPressure.md": (
        "---\nkind: runbook\nproduct: kubernetes\nalerts: [NodeDiskPressure]\n---\n"
        "# Node under disk pressure\n\nThe disk of a node is full, pods are evicted.\n"
    ),
}


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "runbooks"
    for path, text in PAGES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


Open = Callable[..., Running]


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    running: list[Running] = []

    def start_window(*bases: Path, query: str = "", width: int = 1440) -> Running:
        make_application()
        one = Running(qapp, app_folders(), Options(tuple(map(str, bases)), query))
        one.crashes.uninstall()
        running.append(one)
        one.start()
        one.window.resize(width, 900)
        qtbot.waitExposed(one.window)
        qtbot.waitUntil(lambda: one.desk.index_state.is_complete, timeout=TIMEOUT_MS)
        settle(one, qtbot)
        return one

    yield start_window
    for one in running:
        one.window.close()
        one.finish()
        one.theme.setParent(None)


def settle(running: Running, qtbot: QtBot) -> None:
    """Wait until nothing is asked any more."""
    qtbot.waitUntil(lambda: not running.desk.search.is_busy, timeout=TIMEOUT_MS)


def titles(running: Running) -> list[str]:
    return [row.title for row in running.window.results.list.rows if row.ref is not None]


def searching(running: Running) -> SearchingFeature:
    return running.window.feature(SearchingFeature)


def facet(running: Running, name: str, value: str) -> FacetRow:
    found: FacetRow | None = running.window.filters.findChild(FacetRow, f"facet:{name}:{value}")
    assert found is not None
    return found


def press(
    running: Running, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier = Mod.NoModifier
) -> None:
    target: QWidget = running.window.focusWidget() or running.window
    qtbot.keyClick(target, key, modifier)


def test_a_filter_typed_is_checked_in_the_column_and_unchecking_takes_it_back(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    window = running.window
    window.search.focus()
    qtbot.keyClicks(window.search.edit, "kind:fix product:")
    settle(running, qtbot)
    popup = searching(running).popup
    assert popup is not None
    assert [offer.label for offer in popup.offers] == ["postgresql", "redis", "kubernetes"]
    press(running, qtbot, Key.Key_Tab)
    settle(running, qtbot)
    assert window.search.edit.text() == "kind:fix product:postgresql "
    assert titles(running) == ["pg_wal fills the disk behind an inactive slot"]
    assert searching(running).line.text == "Known fixes of product postgresql"
    row = facet(running, "kind", "known-fix")
    assert row.isChecked()
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    settle(running, qtbot)
    assert window.search.edit.text() == "product:postgresql"
    assert len(titles(running)) == 2


def test_a_filter_clicked_is_said_in_words_and_its_count_holds(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    running.window.search.set_text("disk")
    settle(running, qtbot)
    row = facet(running, "kind", "known-fix")
    count = row.value.count
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton)
    settle(running, qtbot)
    assert len(titles(running)) == count
    assert searching(running).line.text == "Known fixes about disk"
    assert facet(running, "kind", "runbook").value.count == 1  # what choosing it too would add
    running.window.actions_table[ActionId.CLEAR_FILTERS].trigger()
    settle(running, qtbot)
    assert searching(running).line.text == ""


def test_a_mistake_is_said_with_its_place_and_the_rest_is_searched(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    running.window.search.set_text("kind:banana slot")
    settle(running, qtbot)
    assert titles(running)
    line = searching(running).line
    assert "No kind is called \u201cbanana\u201d" in line.text
    line.place_requested.emit(0, 11)
    assert running.window.search.edit.selectedText() == "kind:banana"


def test_the_explanation_names_what_was_corrected_and_why_the_entry_was_found(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    window = running.window
    window.search.focus()
    qtbot.keyClicks(window.search.edit, "kind:fix commnd OOM")
    settle(running, qtbot)
    window.actions_table[ActionId.EXPLAIN_SEARCH].trigger()
    settle(running, qtbot)
    card = window.body.findChild(QWidget, "explainCard")
    text = card.text
    assert "Known fixes about commnd OOM" in text
    assert "Searched command for \u201ccommnd\u201d" in text
    assert "Why \u201cRedis is out of memory\u201d" in text
    press(running, qtbot, Key.Key_Escape)
    assert not card.isVisible()
    assert window.search.edit.text() == "kind:fix commnd OOM"
