"""Story 11: an auditor opens a read-only clone of a year and has what she needs within two minutes."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kb_app.gitstore.runner import GitRunner, find_git
from kb_app.incidents.book import RecordBook
from kb_app.incidents.conformance import COLUMNS, Verdict, sample_of
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.sample_incident import StoryClock
from kb_app.paths import app_folders
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.conformance.feature import ConformanceFeature
from kb_app.ui.conformance.state import PeriodChoice
from kb_app.workspace.sample_records import DEPLOY_LIST, write_sample_records

TIMEOUT_MS = 60_000  # an upper bound for a busy machine, no budget


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("sample") / "year"
    write_sample_records(top, GitRunner(find_git(), top.parent / "private"))
    return top


@pytest.fixture
def clone(year: Path, tmp_path: Path) -> Path:
    top = tmp_path / "records"
    subprocess.run(["git", "clone", "-q", str(year), str(top)], check=True)
    return top


Open = Callable[[], Running]


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Open]:
    running: list[Running] = []
    base = tmp_path / "kb"
    base.mkdir()
    (base / "page.md").write_text("# A page\n")

    def start_window() -> Running:
        make_application()
        one = Running(qapp, app_folders(), Options((str(base),), ""))
        one.crashes.uninstall()
        running.append(one)
        one.start()
        one.window.resize(1440, 900)
        qtbot.waitExposed(one.window)
        qtbot.waitUntil(lambda: one.desk.index_state.is_complete, timeout=TIMEOUT_MS)
        return one

    yield start_window
    for one in running:
        one.window.close()
        one.finish()
        one.theme.setParent(None)


def digest(top: Path) -> str:
    """Return one hash over every file below ``top``, names and bytes."""
    whole = hashlib.sha256()
    for file in sorted(top.rglob("*")):
        if file.is_file():
            whole.update(f"{file.relative_to(top)}\n".encode() + file.read_bytes())
    return whole.hexdigest()


def test_an_auditor_reads_a_year(start: Open, clone: Path, qtbot: QtBot, tmp_path: Path) -> None:
    running = start()
    before = digest(clone)
    began = time.monotonic()
    window = running.window
    feature = window.feature(ConformanceFeature)

    # opens a read-only clone, picks the period
    qtbot.keyClick(
        window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    qtbot.waitUntil(lambda: feature.proof is not None, timeout=TIMEOUT_MS)
    page = feature.page
    assert page.empty.isVisible()
    page.set_days(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    feature.open_folder(clone)
    qtbot.waitUntil(lambda: feature.proof is not None and not feature.proof.place.is_own, timeout=TIMEOUT_MS)
    feature.reconcile_with(clone / DEPLOY_LIST)
    qtbot.waitUntil(lambda: feature.proof.report.listed is not None, timeout=TIMEOUT_MS)
    report = feature.proof.report

    # population with its source, verdict counts
    assert report.records == 40
    assert "40 records" in page._about.text()
    assert report.scope.commit[:10] in page._about.text()
    for verdict in Verdict:
        assert (
            page.tiles[verdict].accessibleName().startswith(f"{report.counts[verdict.value]} {verdict.value}")
        )
    assert all(chart.picture.accessibleName() for chart in page.charts)

    # policy versions, chain and signatures, reconcile findings
    checks = {line.title: line for line in _checks(feature)}
    assert checks["Chains"].standing == checks["History"].standing == checks["Policy"].standing == "good"
    assert checks["Signatures"].standing == "unknown"
    assert "1 of 497 deploys" in checks["Completeness"].text
    assert page.policy.view.model().rowCount() == 2

    # a seeded sample
    page.seed.setText("2025")
    page.seed.editingFinished.emit()
    assert page.sample.changes.rows == tuple(
        next(row for row in report.rows if (row.incident_id, row.change_id) == key)
        for key in sample_of(report.rows, "2025", 25)
    )

    # one item, by the keyboard: the breaches, the first of them
    page.tiles[Verdict.LATE].setFocus()
    qtbot.keyClick(page.tiles[Verdict.LATE], Qt.Key.Key_Space)
    assert {row.verdict for row in page.changes.changes.rows} == {"late"}
    page.changes.setFocus()
    qtbot.keyClick(page.changes, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.pages.currentWidget() is feature._change_page, timeout=TIMEOUT_MS)
    change = feature.change_page._change
    assert change is not None
    assert change.state is not None
    assert feature.change_page.timeline.view.model().rowCount() == len(change.state.moments)
    assert feature.change_page.hasFocus()
    qtbot.keyClick(feature.change_page, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: feature.change_page._change.row != change.row, timeout=TIMEOUT_MS)
    qtbot.keyClick(feature.change_page, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: feature.change_page._change.row == change.row, timeout=TIMEOUT_MS)
    qtbot.keyClick(feature.change_page, Qt.Key.Key_Escape)
    assert window.pages.currentWidget() is page
    assert page.changes.current_row() == change.row

    # CSV, byte for byte the same twice
    written = []
    for name in ("one.csv", "two.csv"):
        with qtbot.waitSignal(feature.exported, timeout=TIMEOUT_MS):
            feature.export_to(tmp_path / name, "csv")
        written.append((tmp_path / name).read_bytes())
        with qtbot.waitSignal(feature.proof_shown, timeout=TIMEOUT_MS):
            feature.refresh()
    assert written[0] == written[1]
    rows = list(csv.DictReader(io.StringIO(written[0].decode())))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(report.rows)
    assert digest(clone) == before
    assert time.monotonic() - began < 120  # the story's limit, not a budget of speed


def _checks(feature: ConformanceFeature):
    from kb_app.ui.conformance.state import checks_of

    return checks_of(feature.proof)


def test_another_run_of_the_program_writes_the_same_bytes(
    start: Open, clone: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    texts = []
    for number in range(2):
        running = start()
        feature = running.window.feature(ConformanceFeature)
        running.window.actions_table[ActionId.CONFORMANCE].trigger()
        feature.page.set_days(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
        feature.open_folder(clone)
        qtbot.waitUntil(
            lambda f=feature: f.proof is not None and not f.proof.place.is_own, timeout=TIMEOUT_MS
        )
        for form in ("html", "json"):
            with qtbot.waitSignal(feature.exported, timeout=TIMEOUT_MS):
                feature.export_to(tmp_path / f"{number}.{form}", form)
        texts.append([(tmp_path / f"{number}.{form}").read_bytes() for form in ("html", "json")])
        running.window.close()
    assert texts[0] == texts[1]


def test_a_folder_without_records_is_refused_in_words_and_what_showed_stays(
    start: Open, clone: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    running = start()
    feature = running.window.feature(ConformanceFeature)
    running.window.actions_table[ActionId.CONFORMANCE].trigger()
    feature.open_folder(clone)
    qtbot.waitUntil(lambda: feature.proof is not None and not feature.proof.place.is_own, timeout=TIMEOUT_MS)
    (tmp_path / "nothing").mkdir()
    with qtbot.waitSignal(running.desk.message_posted, timeout=TIMEOUT_MS) as said:
        feature.open_folder(tmp_path / "nothing")
    assert "holds no records" in said.args[0].text
    assert feature.proof.place.root == clone


def test_records_behind_an_address_are_copied_and_shown(
    start: Open, year: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    bare = tmp_path / "records.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(year), str(bare)], check=True)
    running = start()
    feature = running.window.feature(ConformanceFeature)
    running.window.actions_table[ActionId.CONFORMANCE].trigger()
    feature.page.choose_period(PeriodChoice.LAST_YEAR)
    feature.open_address(str(bare))
    qtbot.waitUntil(lambda: feature.proof is not None and not feature.proof.place.is_own, timeout=TIMEOUT_MS)
    assert feature.proof.report.records == 40
    assert feature.proof.history.commit
    assert feature.proof.place.is_ours


def test_leaving_while_records_are_read_stops_the_reading(start: Open, clone: Path, qtbot: QtBot) -> None:
    running = start()
    feature = running.window.feature(ConformanceFeature)
    running.window.actions_table[ActionId.CONFORMANCE].trigger()
    feature.open_folder(clone)
    feature.page.cancel_requested.emit()
    qtbot.wait(300)
    assert not feature.page._progress.isVisible()


def write_override(top: Path) -> None:
    """Write a record in which somebody chose otherwise than advised."""
    clock = StoryClock(dt.datetime(2025, 5, 6, 7, 0, tzinfo=dt.UTC))
    book = RecordBook(top, JournalMaker("z9", "zoe@example.com", clock))
    name = book.open({"title": "Search is slow", "severity": "sev2"}).place.id
    decision = {"inputs": {}, "rule": "D8", "recommendation": "mitigate-then-fix", "policy": "default"}
    book.add(name, EventType.DECISION, decision)
    chosen = {"chosen": "fix-forward", "reason": "the flag is known to be safe"}
    book.add(name, EventType.OVERRIDE, chosen)
    clock.move(5)
    deploy = {"change": "ab12cd34", "env": "prod", "author": "yan", "deployer": "zoe", "way": "fix"}
    book.add(name, EventType.DEPLOY, deploy)


def test_the_next_run_shows_the_same_period_and_records_and_who_chose_otherwise(
    start: Open, clone: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    write_override(clone)
    running = start()
    feature = running.window.feature(ConformanceFeature)
    feature.page.set_days(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
    with qtbot.waitSignal(feature.proof_shown, timeout=TIMEOUT_MS):
        feature.open_folder(clone)
    running.window.close()
    running.finish()
    again = start()
    later = again.window.feature(ConformanceFeature)
    with qtbot.waitSignal(later.proof_shown, timeout=TIMEOUT_MS):
        again.window.actions_table[ActionId.CONFORMANCE].trigger()
    assert later.page.choice is PeriodChoice.CUSTOM
    assert later.page.moments() == feature.page.moments()
    assert later.proof.place.root == feature.proof.place.root
    overridden = later.proof.report.overridden
    assert len(overridden) == later.proof.report.overrides > 0
    table = later.page.overrides
    assert later.page.tabs.tabText(3) == f"Overrides {len(overridden)}"
    row, event = overridden[0]
    later.page.tabs.setCurrentIndex(3)
    model = table.view.model()
    shown = [model.index(0, column).data() for column in range(model.columnCount())]
    assert event.by in shown
    assert row.override_reason in shown
    table.view.setCurrentIndex(model.index(0, 0))
    QTest.keyClick(table.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: again.window.pages.currentWidget() is later.change_page, timeout=TIMEOUT_MS)
    assert later.page.shown_rows()[0] == row
    with qtbot.waitSignal(later.proof_shown, timeout=TIMEOUT_MS):
        later.open_folder(None)
    assert again.desk.session.state.report.folder == ""
