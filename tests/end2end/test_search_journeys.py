"""Searching as a user meets it: the real window, its real workers, keys pressed and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from kb_app.paths import app_folders
from kb_app.ui.app import Options, Running, make_application, read_options
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef, SavedSearch
from kb_app.ui.filters.panel import FacetRow
from kb_app.ui.searching.feature import SearchingFeature
from kb_app.ui.searching.paste_feature import PasteFeature
from kb_app.ui.searching.related_feature import RelatedFeature
from kb_app.ui.searching.saved_feature import SavedSearchesFeature
from kb_app.ui.single_instance import StartRequest
from kb_app.ui.steps.state import Lane

TIMEOUT_MS = 60_000
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


def shows(running: Running, path: str) -> bool:
    current = running.desk.current
    return current is not None and current.ref.path == path and not running.window.are_steps_pending


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


PANIC = 'PANIC:  could not write to file "pg_wal/xlogtemp.4711": No space left on device'
LOG = "\n".join(
    [
        "2026-03-04 02:11:00.001 UTC [1] LOG:  starting PostgreSQL 16.2 on x86_64-pc-linux-gnu",
        *(f"2026-03-04 02:11:0{n % 10}.101 UTC [{n}] LOG:  checkpoint starting: time" for n in range(36)),
        f"2026-03-04 02:11:09.871 UTC [4711] {PANIC}",
        "2026-03-04 02:11:09.872 UTC [1] LOG:  terminating any other active server processes",
        "2026-03-04 02:11:10.117 UTC [4720] FATAL:  the database system is in recovery mode",
    ]
)


class Keys:
    """Presses keys and counts them."""

    def __init__(self, running: Running, qtbot: QtBot) -> None:
        self.count = 0
        self._running, self._qtbot = running, qtbot

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Mod.NoModifier) -> None:
        self.count += 1
        press(self._running, self._qtbot, key, modifier)


def test_story_6_a_ticket_with_a_known_problem(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    """Paste a log of 40 lines: the right entry with its matching line marked and the version fit, 4 keys."""
    running = start(knowledge)
    window, keys = running.window, Keys(running, qtbot)
    QGuiApplication.clipboard().setText(LOG)
    keys.press(Key.Key_K, Mod.ControlModifier)
    keys.press(Key.Key_V, Mod.ControlModifier)  # the paste
    assert window.search.chip.label.text() == "pasted 40 lines"
    qtbot.waitUntil(lambda: shows(running, "pg/slot.md"), timeout=TIMEOUT_MS)
    row = window.results.list.current_row()
    assert row is not None
    assert row.why == "Line 38 of your paste matches"
    assert row.hit is not None
    assert (row.hit.fit, row.hit.fit_words) == ("fits", "fits 16.2")
    paste = window.feature(PasteFeature)
    qtbot.waitUntil(lambda: bool(paste.matches), timeout=TIMEOUT_MS)
    view = window.reading.reader.view
    marked = [selection.cursor.selectedText() for selection in view.extraSelections()]
    assert any("could not write to file" in text and "No space left on device" in text for text in marked)
    keys.press(Key.Key_K, Mod.ControlModifier | Mod.ShiftModifier)
    preview = paste.preview
    assert preview.title == (
        "40 pasted lines, 1 of them in \u201cpg_wal fills the disk behind an inactive slot\u201d"
    )
    assert preview.list.currentIndex().row() == 37
    keys.press(Key.Key_Return)
    assert paste.matches[0].entry_line == 13
    assert keys.count <= 1 + 4  # the paste and four keys
    press(running, qtbot, Key.Key_Escape)
    assert not preview.isVisible()
    assert window.search.edit.hasFocus()


def test_names_of_alerts_are_completed(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    edit, popup = running.window.search.edit, searching(running).popup
    edit.setFocus()
    qtbot.keyClicks(edit, "alert:disk")  # a word within the name
    qtbot.waitUntil(lambda: [o.label for o in popup.offers] == ["NodeDiskPressure"], timeout=TIMEOUT_MS)
    edit.clear()
    qtbot.keyClicks(edit, "alert:Node")
    qtbot.waitUntil(lambda: [o.label for o in popup.offers] == ["NodeDiskPressure"], timeout=TIMEOUT_MS)
    assert popup.offers[0].note == "1"
    qtbot.keyClick(edit, Key.Key_Down)
    qtbot.keyClick(edit, Key.Key_Return)
    assert edit.text() == "alert:NodeDiskPressure "
    settle(running, qtbot)
    qtbot.waitUntil(lambda: titles(running)[:1] == ["Node under disk pressure"], timeout=TIMEOUT_MS)


ALERTMANAGER = """{"receiver": "sre", "status": "firing", "alerts": [{"status": "firing",
 "labels": {"alertname": "NodeDiskPressure", "node": "worker-17", "severity": "critical"},
 "annotations": {"summary": "Node worker-17 is under disk pressure"},
 "startsAt": "2026-03-04T02:11:09.871Z", "fingerprint": "b1946ac92492d234"}],
 "groupLabels": {"alertname": "NodeDiskPressure"}, "version": "4"}
"""
GRAFANA = """**Firing**

Value: A=93.1, C=1
Labels:
 - alertname = NodeDiskPressure
 - grafana_folder = nodes
 - node = worker-17
Annotations:
 - summary = Node worker-17 is under disk pressure
Source: https://grafana.example.org/alerting/grafana/a1b2/view?orgId=1
"""
PAGERDUTY = """[#4711] NodeDiskPressure on worker-17
Service: kubernetes  Urgency: High  Assigned: Ana
Details:
  alertname: NodeDiskPressure
  firing: Labels: node = worker-17
  https://example.pagerduty.com/incidents/Q1W2E3
"""
RUNBOOK_URL = """status: firing
runbook_url: https://runbooks.example.org/k8s/DiskPressure.md
started: 2026-03-04T02:11:09Z
"""


@pytest.mark.parametrize("text", [ALERTMANAGER, GRAFANA, PAGERDUTY, RUNBOOK_URL])
def test_what_an_alert_sends_is_pasted_and_its_entry_stands_first(
    start: Open, knowledge: Path, qtbot: QtBot, text: str
) -> None:
    running = start(knowledge)
    QGuiApplication.clipboard().setText(text)
    edit = running.window.search.edit
    edit.setFocus()
    qtbot.keyClick(edit, Key.Key_V, Mod.ControlModifier)
    settle(running, qtbot)
    qtbot.waitUntil(lambda: titles(running)[:1] == ["Node under disk pressure"], timeout=TIMEOUT_MS)


def test_two_entries_of_one_alert_are_both_listed_with_the_reason(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    other = PAGES["k8s/DiskPressure.md"].replace("Node under disk pressure", "Clean up a full node")
    (knowledge / "k8s" / "CleanUp.md").write_text(other)
    running = start(knowledge)
    QGuiApplication.clipboard().setText(ALERTMANAGER)
    edit = running.window.search.edit
    edit.setFocus()
    qtbot.keyClick(edit, Key.Key_V, Mod.ControlModifier)
    settle(running, qtbot)
    both = {"Node under disk pressure", "Clean up a full node"}
    qtbot.waitUntil(lambda: set(titles(running)[:2]) == both, timeout=TIMEOUT_MS)
    answer = running.desk.last_answer
    for hit in answer.hits[:2]:
        assert any("NodeDiskPressure" in reason for reason in hit.why)


def test_a_version_that_does_not_fit_is_said(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    for version, fit, words in (
        ("17.2", "fixed", "fixed in 17.1"),
        ("12.4", "outside", "affects >=13 <17.1, not 12.4"),
    ):
        running.window.search.set_text(LOG.replace("16.2", version))
        settle(running, qtbot)
        hit = running.window.results.list.rows[0].hit
        assert hit is not None
        assert (hit.fit, hit.fit_words) == (fit, words)


def test_a_paste_that_nothing_fits_says_so(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    running.window.search.set_text("zyzzogeton quuxified\nfrobnicator exploded at 12:00:01\nbazinga 4711\n")
    settle(running, qtbot)
    assert running.window.results.count_label.text() == "No known fix"
    assert len(titles(running)) <= 3
    assert all(row.is_weak for row in running.window.results.list.rows)


def test_a_search_is_saved_counted_opened_by_key_and_survives_a_restart(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    window = running.window
    window.search.set_text("kind:fix disk")
    settle(running, qtbot)
    press(running, qtbot, Key.Key_B, Mod.ControlModifier | Mod.ShiftModifier)
    name = window.body.findChild(QLineEdit, "searchName")
    assert name.hasFocus()
    qtbot.keyClicks(name, "Full disks")
    qtbot.keyClick(name, Key.Key_Return)
    saved = window.feature(SavedSearchesFeature)
    assert [(one.name, one.query) for one in saved.saved] == [("Full disks", "kind:fix disk")]
    panel = saved.panel
    assert panel is not None
    qtbot.waitUntil(lambda: panel.rows[0].count == 1, timeout=TIMEOUT_MS)
    running.window.close()
    running.finish()
    again = start(knowledge)
    press(again, qtbot, Key.Key_1, Mod.AltModifier)
    settle(again, qtbot)
    assert again.window.search.edit.text() == "kind:fix disk"
    assert titles(again) == ["pg_wal fills the disk behind an inactive slot"]


def test_saved_searches_are_renamed_moved_deleted_and_brought_back(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    saved = running.window.feature(SavedSearchesFeature)
    running.desk.session.update(
        replace(
            running.desk.session.state,
            searches=(SavedSearch("one", "redis"), SavedSearch("two", "disk"), SavedSearch("three", "slot")),
        )
    )
    panel = saved.panel
    assert panel is not None
    qtbot.keyClick(panel.rows[2], Key.Key_Up, Mod.ControlModifier)
    assert [row.saved.name for row in panel.rows] == ["one", "three", "two"]
    qtbot.keyClick(panel.rows[0], Key.Key_F2)
    name = running.window.body.findChild(QLineEdit, "searchName")
    qtbot.keyClicks(name, "first")
    qtbot.keyClick(name, Key.Key_Return)
    qtbot.keyClick(panel.rows[1], Key.Key_Delete)
    assert [row.saved.name for row in panel.rows] == ["first", "two"]
    message = running.window.messages.current
    assert message is not None
    assert message.action == "Undo"
    assert message.run is not None
    message.run()
    assert [row.saved.name for row in panel.rows] == ["first", "three", "two"]


def test_a_paste_is_never_saved(start: Open, knowledge: Path, qtbot: QtBot, isolated_home: Path) -> None:
    running = start(knowledge)
    running.window.search.set_text(LOG)
    settle(running, qtbot)
    running.window.feature(SavedSearchesFeature).save()
    assert running.window.toast.text() == "There is no search to save"
    running.window.close()
    running.finish()
    assert "No space left" not in (isolated_home / "data" / "window.json").read_text("utf-8")


def test_related_entries_stand_below_the_page_and_open(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    running.window.open_entry(EntryRef("runbooks", "pg/slot.md"))
    related = running.window.feature(RelatedFeature)
    qtbot.waitUntil(lambda: related.strip is not None and related.strip.isVisible(), timeout=TIMEOUT_MS)
    assert related.strip is not None
    first = related.strip.relations[0]
    assert (first.path, first.kind) == ("pg/wal.md", "internals")
    assert "same component" in first.reasons
    related.strip.opened.emit(EntryRef("runbooks", "pg/wal.md"))
    qtbot.waitUntil(lambda: shows(running, "pg/wal.md"), timeout=TIMEOUT_MS)


def test_a_later_start_brings_the_clipboard_to_the_running_window(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    QGuiApplication.clipboard().setText(LOG)
    running.take_request(StartRequest(is_paste=True))
    qtbot.waitUntil(lambda: shows(running, "pg/slot.md"), timeout=TIMEOUT_MS)
    assert running.window.search.chip.label.text() == "pasted 40 lines"
    assert running.window.search.edit.hasFocus()


def test_the_options_of_a_launcher() -> None:
    assert read_options(["--paste"]) == Options(is_paste=True)
    assert read_options(["--query", "-"], lambda: "from a pipe") == Options(query="from a pipe")
    assert read_options(["--kb=/x", "--query=disk full"]) == Options(("/x",), "disk full")


@pytest.mark.parametrize("is_by_key", [False, True])
def test_the_steps_of_a_preview_wait_until_typing_rests_and_the_former_ones_cannot_be_marked(
    start: Open, knowledge: Path, qtbot: QtBot, is_by_key: bool
) -> None:
    running = start(knowledge)
    window, steps = running.window, running.window.steps
    window.search.focus()
    qtbot.keyClicks(window.search.edit, "slot")
    settle(running, qtbot)
    qtbot.waitUntil(lambda: bool(steps.paths) and not window.are_steps_pending, timeout=TIMEOUT_MS)
    former = running.desk.current
    assert former is not None
    assert not steps.is_veiled
    window._typing_timer.setInterval(60_000)
    window.search.clear()
    qtbot.keyClicks(window.search.edit, "redis")
    settle(running, qtbot)
    qtbot.waitUntil(lambda: running.desk.current is not former, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: steps.is_veiled, timeout=TIMEOUT_MS)
    assert {path.entry_path for path in steps.paths} == {former.ref.path}
    card = steps.cards(Lane.MITIGATE)[0]
    place = window.mapFromGlobal(card.tick.mapToGlobal(card.tick.rect().center()))
    assert not card.isAncestorOf(window.childAt(place))
    if is_by_key:
        window.actions_table[ActionId.TICK_STEP].setEnabled(True)
        window.actions_table[ActionId.TICK_STEP].trigger()
    else:
        qtbot.mouseClick(window.childAt(place), Qt.MouseButton.LeftButton)
    assert not steps.is_veiled
    assert not window.are_steps_pending
    assert former.ref.path not in {path.entry_path for path in steps.paths}
    current = running.desk.current
    assert current is not None
    assert not running.desk.session.state.run_of(former.ref)
    assert not running.desk.session.state.run_of(current.ref)
