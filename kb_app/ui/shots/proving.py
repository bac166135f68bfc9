"""Pictures of showing conformance: a year's report, one change, no records; and of the drill."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

from kb_app.gitstore.runner import GitRunner, find_git
from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.sample_incident import StoryClock
from kb_app.ui.common.actions import ActionId
from kb_app.ui.conformance.feature import ConformanceFeature
from kb_app.ui.drill.feature import DrillFeature
from kb_app.ui.shots.camera import Camera
from kb_app.workspace.drilling import Choice
from kb_app.workspace.sample_records import DEPLOY_LIST, write_sample_records


def take_conformance(camera: Camera) -> None:
    """Take the page without records, then a made-up year: overview, changes, sample, check, one change."""
    window = camera.window
    feature = window.feature(ConformanceFeature)
    feature.open_folder(None)
    window.actions_table[ActionId.CONFORMANCE].trigger()
    camera.wait_until(lambda: feature.proof is not None and feature.proof.place.is_own)
    camera.shoot("70-conformance-empty")
    with tempfile.TemporaryDirectory(prefix="kb_app-year-") as folder:
        top = Path(folder) / "incident-records"
        write_sample_records(top, GitRunner(find_git(), Path(folder) / "private"))
        _write_override(top)
        page = feature.page
        page.set_days(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
        feature.open_folder(top)
        camera.wait_until(lambda: feature.proof is not None and not feature.proof.place.is_own)
        feature.reconcile_with(top / DEPLOY_LIST)
        camera.wait_until(lambda: feature.proof is not None and feature.proof.report.listed is not None)
        page.tabs.setCurrentIndex(0)
        camera.shoot("71-conformance")
        for number, name in ((1, "72-conformance-changes"), (2, "73-conformance-sample")):
            page.tabs.setCurrentIndex(number)
            camera.shoot(name)
        page.tabs.setCurrentIndex(3)
        camera.shoot("73-conformance-overrides")
        page.tabs.setCurrentIndex(4)
        camera.shoot("74-conformance-policy")
        page.tabs.setCurrentIndex(5)
        camera.shoot("75-conformance-check")
        page.tabs.setCurrentIndex(1)
        row = (
            next(row for row in feature.proof.report.rows if row.verdict == "late") if feature.proof else None
        )
        if row is not None:
            feature.show_change(row)
            camera.wait_until(lambda: window.pages.currentWidget() is feature.change_page)
            camera.shoot("76-conformance-change")
        page.tabs.setCurrentIndex(0)


def _write_override(top: Path) -> None:
    """Write a record in which somebody chose otherwise than advised."""
    clock = StoryClock(dt.datetime(2025, 5, 6, 7, 0, tzinfo=dt.UTC))
    book = RecordBook(top, JournalMaker("z9", "zoe@example.com", clock))
    name = book.open({"title": "Search is slow", "severity": "sev2", "services": ["search"]}).place.id
    decision = {"inputs": {}, "rule": "D8", "recommendation": "mitigate-then-fix", "policy": "default"}
    book.add(name, EventType.DECISION, decision)
    reason = "the flag is known to be safe: it was switched twice last week without harm"
    book.add(name, EventType.OVERRIDE, {"chosen": "fix-forward", "reason": reason})
    clock.move(5)
    deploy = {"change": "ab12cd34", "env": "prod", "author": "yan", "deployer": "zoe", "way": "fix"}
    book.add(name, EventType.DEPLOY, deploy)


def take_drill(camera: Camera) -> None:
    """Take a question about an entry, its answer, and a worked case."""
    window = camera.window
    feature = window.feature(DrillFeature)
    feature.seed = 5
    window.actions_table[ActionId.DRILL].trigger()
    feature.page.cases.setChecked(False)
    camera.wait_until(lambda: feature.page.drill is not None)
    feature.ask()
    camera.wait(400)
    camera.shoot("77-drill-question")
    feature.answer(Choice.MITIGATE)
    camera.shoot("78-drill-answer")
    feature.page.cases.setChecked(True)
    camera.wait(400)
    camera.shoot("79-drill-case")
    feature.page.cases.setChecked(False)
