"""Responding through the real window on real files: on call, deciding, pushing while down, and a restart."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QScrollBar, QWidget
from pytestqt.qtbot import QtBot

from kb_app.decision.policy import blob_id
from kb_app.incidents.runs import StepStatus
from kb_app.incidents.timeline import IncidentState
from kb_app.paths import app_folders
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.incident.feature import IncidentFeature
from kb_app.ui.steps.marks import HOLD_MS, Mark
from kb_app.ui.steps.state import Lane
from kb_app.workspace.records import open_book

TIMEOUT_MS = 60_000

CHECKOUT = """---
title: Checkout is down after a flag flip
kind: known-fix
product: shop
component: checkout
state: verified
severity: sev1
alerts: [CheckoutDown]
---
# Checkout is down after a flag flip

## Symptoms
`ERROR checkout: cart service refused 503`

## Mitigation: drain the cell
- Time: 10m
- Risk: low
- Reversible: yes
- Blast: cell
- Approval: none
- Data: safe

1. Look at the cell.
   ```sh
   kubectl get pods -n checkout
   ```
   - Verify: all pods are listed.
2. Wait 10 min, then check the queue.
3. Drain it.
   - Confirm: the carts of this cell are lost.
   - If not: call the owner.
4. Look again.

## Fix forward: flip the flag back
- Time: 4m
- Risk: low
- Reversible: yes
- Blast: cell
- Confidence: proven

1. Flip it.
   ```sh
   flagctl set checkout.cart old
   ```
"""
PLANT = """---
title: Plant is down, the migration cannot be undone
kind: known-fix
product: plant
component: control
state: verified
severity: sev1
---
# Plant is down, the migration cannot be undone

## Mitigation: roll back
- Time: 10m
- Risk: low
- Reversible: yes
- Blast: global
- Data: loses

1. Roll back.

## Fix forward: patch the column
- Time: 25m
- Risk: medium
- Reversible: yes
- Blast: cell
- Confidence: likely

1. Patch it.
"""
POLICY = (
    "slack: 5m\npush_when_down: review-after\npost_review: {due: 24h, independent_of: [author, deployer]}\n"
)
PLANT_REF = EntryRef("runbooks", "plant.md")
CHECKOUT_REF = EntryRef("runbooks", "checkout.md")


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "checkout.md").write_text(CHECKOUT)
    (folder / "plant.md").write_text(PLANT)
    (folder / "policy.yml").write_text(POLICY)
    return folder


Open = Callable[..., Running]


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    running: list[Running] = []

    def start_window(*bases: Path) -> Running:
        make_application()
        one = Running(qapp, app_folders(), Options(tuple(map(str, bases))))
        one.crashes.uninstall()  # pytest-qt takes exceptions here, and fails the test
        running.append(one)
        one.start()
        one.window.resize(1440, 900)
        one.window.activateWindow()
        qtbot.waitExposed(one.window)
        return one

    yield start_window
    for one in running:
        end(one)


def end(one: Running) -> None:
    one.window.close()
    one.finish()
    one.theme.setParent(None)


class Hand:
    """Presses keys where the focus is, and counts them."""

    def __init__(self, qtbot: QtBot, running: Running) -> None:
        self.qtbot = qtbot
        self.running = running
        self.keys = 0

    def press(self, *keys: Qt.Key) -> None:
        for key in keys:
            self.keys += 1
            focused = self.running.window.focusWidget() or self.running.window
            self.qtbot.keyClick(focused, key)

    def paste(self) -> None:
        window = self.running.window
        self.qtbot.keyClick(window.search.edit, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def ready(running: Running, qtbot: QtBot) -> IncidentFeature:
    qtbot.waitUntil(lambda: running.desk.index_state.is_complete, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not running.desk.search.is_busy, timeout=TIMEOUT_MS)
    feature = running.window.feature(IncidentFeature)
    feature.join_panels()
    return feature


def opened(running: Running, qtbot: QtBot, ref: EntryRef) -> None:
    running.window.open_entry(ref)
    qtbot.waitUntil(lambda: shows(running, ref.path), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: running.window.focusWidget() is running.window.reading.reader.view)


def shows(running: Running, path: str) -> bool:
    current = running.desk.current
    return current is not None and current.ref.path == path and not running.window.are_steps_pending


def written(running: Running, qtbot: QtBot) -> IncidentState:
    """Return the state once everything asked for is on the disk."""
    current = running.window.feature(IncidentFeature).current
    qtbot.waitUntil(lambda: current.state is not None and not current.is_writing, timeout=TIMEOUT_MS)
    assert current.state is not None
    return current.state


def types(state: IncidentState) -> list[str]:
    return [moment.data.type for moment in state.moments]


def tree_hash(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(file.relative_to(folder)): (
            hashlib.sha256(file.read_bytes()).hexdigest(),
            file.stat().st_mtime_ns,
        )
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def verified() -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "kb_app", "verify", "--json"], capture_output=True, text=True, check=False
    )
    found: dict[str, object] = json.loads(done.stdout)
    assert done.returncode == 0, found
    return found


def test_on_call_finds_the_free_move_and_opens_an_incident_in_a_few_keys(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    before = tree_hash(knowledge)
    running = start(knowledge)
    feature = ready(running, qtbot)
    window, hand = running.window, Hand(qtbot, running)
    QGuiApplication.clipboard().setText("CheckoutDown")
    window.search.focus()
    hand.paste()
    qtbot.waitUntil(lambda: shows(running, "checkout.md"), timeout=TIMEOUT_MS)
    hand.press(Qt.Key.Key_Return)
    assert hand.keys <= 3
    badges = [b for b in window.steps.findChildren(QWidget, "doNow") if b.isVisible()]
    assert [badge.text() for badge in badges] == ["Do now, if at least a cell is broken"]
    assert "Not stated: approval" in [text.text() for text in window.steps.findChildren(QLabel)]

    hand = Hand(qtbot, running)
    qtbot.waitUntil(lambda: window.focusWidget() is window.reading.reader.view)
    hand.press(Qt.Key.Key_I)
    sheet = feature.opening
    assert sheet is not None
    assert sheet.isVisible()
    assert sheet.title_input.text() == "Checkout is down after a flag flip"
    hand.press(Qt.Key.Key_2, Qt.Key.Key_Return)
    assert hand.keys == 3
    state = written(running, qtbot)
    assert (state.severity, state.alert, state.services) == ("sev2", "CheckoutDown", ("checkout",))
    assert feature.chip.isVisible()
    assert feature.chip.accessibleName().startswith("Incident, Sev 2: Checkout is down")

    # doing the free move records an action
    hand.press(Qt.Key.Key_C)
    window.steps.focus_lane(Lane.MITIGATE)
    hand.press(Qt.Key.Key_Space)
    state = written(running, qtbot)
    assert types(state) == ["opened", "action", "action", "action"]
    [run] = feature.current.runs
    assert (run.path, run.way, run.entry) == ("Drain the cell", "mitigation", "checkout")
    assert run.blob == blob_id((knowledge / "checkout.md").read_bytes())
    assert run.steps[0].status is StepStatus.DONE
    assert run.steps[0].copied == ("kubectl get pods -n checkout",)
    assert verified()["records"] == 1
    assert tree_hash(knowledge) == before


def test_a_paste_never_reaches_the_record(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    feature = ready(running, qtbot)
    log = "2026-03-04 customer=ACME ERROR checkout: cart service refused 503\nsecond line of ACME"
    QGuiApplication.clipboard().setText(log)
    running.window.search.focus()
    Hand(qtbot, running).paste()
    qtbot.waitUntil(lambda: shows(running, "checkout.md"), timeout=TIMEOUT_MS)
    feature.show_or_open()
    assert feature.opening is not None
    facts = [text.text() for text in feature.opening.findChildren(QLabel)]
    assert any("The paste is not kept" in text for text in facts)
    feature.opening.accept()
    written(running, qtbot)
    files = [f for f in app_folders().records.rglob("*") if f.is_file()]
    assert files
    assert not any(b"ACME" in file.read_bytes() for file in files)


def test_deciding_takes_six_keys_and_opens_the_record_it_owes(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    feature = ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    hand = Hand(qtbot, running)
    hand.press(Qt.Key.Key_D)
    panel = running.window.response.decision
    qtbot.waitUntil(lambda: panel._is_policy_known, timeout=TIMEOUT_MS)
    hand.press(Qt.Key.Key_3, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_2, Qt.Key.Key_Return)
    assert hand.keys == 6
    state = written(running, qtbot)
    assert types(state) == ["opened", "impact", "decision"]
    decision = state.decision
    assert decision is not None
    assert decision.text("recommendation") == "fix-forward"
    assert decision.text("policy") == blob_id((knowledge / "policy.yml").read_bytes())
    assert decision.text("entry") == "checkout"
    assert (state.impact, state.data_risk, state.trend, state.scope) == ("down", "none", "stable", "cell")
    record = panel.decided_card.findChild(QLabel, "decisionRecord")
    assert record is not None
    qtbot.waitUntil(lambda: record.text().startswith("In the record since"))
    # the fix is tried for a limited time; the chip counts it down by the record's own clock
    assert feature.chip.shown().limit

    # the impact changes: another decision is due, and is written as another event
    hand.press(Qt.Key.Key_Up)
    for _ in range(5):
        hand.press(Qt.Key.Key_Up)
    hand.press(Qt.Key.Key_2)
    assert panel.state.why_again(dt.datetime.now(dt.UTC))
    panel.accept()
    state = written(running, qtbot)
    assert types(state) == ["opened", "impact", "decision", "impact", "decision"]
    assert verified()["records"] == 1


def test_choosing_otherwise_writes_the_reason(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    hand = Hand(qtbot, running)
    hand.press(Qt.Key.Key_D)
    panel = running.window.response.decision
    qtbot.waitUntil(lambda: panel._is_policy_known, timeout=TIMEOUT_MS)
    hand.press(Qt.Key.Key_3, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_2, Qt.Key.Key_O)
    qtbot.keyClicks(running.window.focusWidget(), "the flag service is down too")
    hand.press(Qt.Key.Key_Return)
    state = written(running, qtbot)
    assert types(state) == ["opened", "impact", "decision", "override"]
    assert state.overrides[0].text("reason") == "the flag service is down too"
    assert state.chosen == "mitigate-then-fix"


def test_a_normal_change_opens_nothing(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    feature = ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    hand = Hand(qtbot, running)
    hand.press(Qt.Key.Key_D)
    panel = running.window.response.decision
    qtbot.waitUntil(lambda: panel._is_policy_known, timeout=TIMEOUT_MS)
    hand.press(Qt.Key.Key_1, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_1, Qt.Key.Key_Return)
    assert panel.state.decision is not None
    assert feature.current.state is None
    assert not (app_folders().records / "incidents").exists()


def test_the_plant_is_down_and_the_fix_goes_out_now_reviewed_after(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    before = tree_hash(knowledge)
    running = start(knowledge)
    feature = ready(running, qtbot)
    window = running.window
    opened(running, qtbot, PLANT_REF)
    hand = Hand(qtbot, running)
    hand.press(Qt.Key.Key_D)
    panel = window.response.decision
    qtbot.waitUntil(lambda: panel._is_policy_known, timeout=TIMEOUT_MS)
    hand.press(Qt.Key.Key_3, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_2)
    assert panel.advice_card.accept_button.text().startswith("Fix now, review after")
    hand.press(Qt.Key.Key_Return)
    written(running, qtbot)
    QGuiApplication.clipboard().setText("4f1c6ad83b0e57f2a9d6c1e0b84427d1f3a5c960")
    hand.press(Qt.Key.Key_P)
    sheet = feature.deployment
    assert sheet is not None
    assert sheet.isVisible()
    assert sheet.field("change").text() == "4f1c6ad83b0e57f2a9d6c1e0b84427d1f3a5c960"
    qtbot.waitUntil(sheet.accept_button.isEnabled, timeout=TIMEOUT_MS)
    revision = blob_id((knowledge / "policy.yml").read_bytes())
    assert sheet.sentences[0] == f"Goes out by: standing, policy.yml @{revision[:7]}"
    tomorrow = dt.datetime.now().astimezone() + dt.timedelta(hours=24)
    assert sheet.sentences[1].startswith("Review due tomorrow ")
    assert sheet.sentences[1].endswith(", not by you")
    hand.press(Qt.Key.Key_Return)
    assert hand.keys == 8
    qtbot.waitUntil(lambda: bool(feature.current.state and feature.current.state.deploys), timeout=TIMEOUT_MS)
    state = written(running, qtbot)
    [deploy] = state.deploys
    assert (deploy.env, deploy.review_mode, deploy.service) == ("prod", "after", "control")
    assert deploy.authority == f"standing, policy.yml @{revision[:7]}"
    assert deploy.review_due is not None
    assert abs((deploy.review_due - tomorrow).total_seconds()) < 600
    message = window.messages.current
    assert message is not None
    assert message.text.startswith("Review due tomorrow ")
    [owed] = [item for item in open_book(app_folders()).owed() if item.kind == "review"]
    assert owed.change == deploy.change
    assert verified()["records"] == 1
    assert tree_hash(knowledge) == before

    # a value becomes unknown: the standing authority is gone, and the button says so
    hand.press(Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_0)
    hand.press(Qt.Key.Key_P)
    sheet = feature.deployment
    assert sheet is not None
    qtbot.waitUntil(sheet.accept_button.isEnabled, timeout=TIMEOUT_MS)
    assert sheet.accept_button.text() == "Log it: needs review first"
    assert "data is unknown" in sheet.sentences[0]
    hand.press(Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_a_restart_in_the_middle_of_a_run_resumes_exactly_there(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    before = tree_hash(knowledge)
    running = start(knowledge)
    feature = ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    hand = Hand(qtbot, running)
    hand.press(Qt.Key.Key_I, Qt.Key.Key_Return)
    name = written(running, qtbot).id
    running.window.steps.focus_lane(Lane.MITIGATE)
    hand.press(Qt.Key.Key_Space, Qt.Key.Key_Space)  # the second step begins its wait
    written(running, qtbot)
    [timer] = feature.waits.running
    end(running)

    again = start(knowledge)
    resumed = again.window.feature(IncidentFeature)
    qtbot.waitUntil(lambda: resumed.current.name == name, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: shows(again, "checkout.md"), timeout=TIMEOUT_MS)
    steps = again.window.steps
    qtbot.waitUntil(lambda: steps.is_recording)
    marks = [card.mark.mark for card in steps.cards(Lane.MITIGATE)]
    assert marks == [Mark.DONE, Mark.WAITING, Mark.OPEN, Mark.OPEN]
    qtbot.waitUntil(lambda: again.window.focusWidget() is steps.cards(Lane.MITIGATE)[1].tick)
    assert [wait.timer.due for wait in resumed.waits.running] == [timer.timer.due]
    assert resumed.chip.isVisible()

    # the clock goes on while the machine sleeps: the wait ends at its own time, and says so
    later = timer.timer.due + dt.timedelta(seconds=1)
    resumed.waits._clock = lambda: later
    book = open_book(app_folders(), clock=lambda: later)
    resumed.waits.tick()
    qtbot.waitUntil(lambda: again.window.messages.current is not None)
    message = again.window.messages.current
    assert message is not None
    assert message.text == "The wait of step 2 is over: check now"
    written(again, qtbot)
    book.runs(name).finish_waits()
    resumed.current.reload()
    qtbot.waitUntil(lambda: steps.cards(Lane.MITIGATE)[1].mark.waited, timeout=TIMEOUT_MS)

    # step 2 is ticked, step 3 cannot be taken back, step 4 did not work
    hand = Hand(qtbot, again)
    steps.focus_lane(Lane.MITIGATE)
    hand.press(Qt.Key.Key_Space)
    third, fourth = steps.cards(Lane.MITIGATE)[2:]
    hand.press(Qt.Key.Key_Space)
    assert third.mark.mark is Mark.OPEN
    qtbot.keyPress(third.tick, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: third.mark.mark is Mark.DONE, timeout=HOLD_MS * 20)
    qtbot.keyRelease(third.tick, Qt.Key.Key_Space)
    hand.press(Qt.Key.Key_U)
    qtbot.keyClicks(again.window.focusWidget(), "queue still grows")
    hand.press(Qt.Key.Key_Return)
    written(again, qtbot)
    assert fourth.mark.note == "queue still grows"
    end_card = steps.end_card(Lane.MITIGATE)
    assert end_card.isVisible()
    assert any("queue still grows" in line for line in end_card.lines)
    assert any("Link, flag, fix or add a knowledge base entry" in line for line in end_card.lines)
    end_card.end_button.click()
    written(again, qtbot)
    [run] = resumed.current.runs
    assert run.ended_at is not None
    assert [step.number for step in run.deferred] == [4]
    assert verified()["records"] == 1
    assert tree_hash(knowledge) == before


def test_what_was_ticked_before_is_taken_over_when_the_incident_is_opened(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    feature = ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    running.window.steps.focus_lane(Lane.FIX)
    hand = Hand(qtbot, running)
    hand.press(Qt.Key.Key_Space)
    hand.press(Qt.Key.Key_I)
    assert feature.opening is not None
    assert feature.opening.take_over.isVisible()
    assert feature.opening.take_over.text() == "Take over 1 marked step of this entry"
    hand.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(feature.current.runs), timeout=TIMEOUT_MS)
    written(running, qtbot)
    [run] = feature.current.runs
    assert (run.way, run.steps[0].status) == ("fix", StepStatus.DONE)
    assert running.desk.session.state.run_of(CHECKOUT_REF) == frozenset()
    feature.current.leave()
    assert [card.mark.mark for card in running.window.steps.cards(Lane.FIX)] == [Mark.OPEN]


def test_two_people_take_one_path_each_and_see_each_other(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    feature = ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    Hand(qtbot, running).press(Qt.Key.Key_I, Qt.Key.Key_Return)
    name = written(running, qtbot).id
    running.window.steps.focus_lane(Lane.MITIGATE)
    Hand(qtbot, running).press(Qt.Key.Key_Space)
    written(running, qtbot)
    other = open_book(app_folders(), author="ben")
    other._maker = type(other._maker)("bb01", "ben", other._maker.clock)
    plan = feature._steps._plan(running.window.steps.paths[1])
    run = other.start_run(name, plan)
    other.runs(name).tick(run.run, 1)
    feature.current.reload()
    steps = running.window.steps
    qtbot.waitUntil(lambda: steps.cards(Lane.FIX)[0].mark.mark is Mark.DONE, timeout=TIMEOUT_MS)
    assert steps.cards(Lane.FIX)[0].mark.by == "ben"
    assert steps.cards(Lane.MITIGATE)[0].mark.mark is Mark.DONE
    lines = [text.text() for text in steps.findChildren(QLabel, "runLine") if text.isVisible()]
    assert any(line.startswith("Run by ben since") for line in lines)
    assert verified()["records"] == 1


def test_another_open_incident_is_offered_and_taken_up(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    older = open_book(app_folders()).open({"title": "mail is late", "severity": "sev3"}).place.id
    running = start(knowledge)
    feature = ready(running, qtbot)
    feature.show_or_open()
    sheet = feature.opening
    assert sheet is not None
    qtbot.waitUntil(lambda: bool(sheet.others), timeout=TIMEOUT_MS)
    [button] = sheet.others
    assert "mail is late" in button.accessibleName()
    button.click()
    qtbot.waitUntil(lambda: feature.current.name == older, timeout=TIMEOUT_MS)
    feature.show_menu()

    def menu() -> QMenu | None:
        popup = QApplication.activePopupWidget()
        return popup if isinstance(popup, QMenu) else None

    qtbot.waitUntil(lambda: menu() is not None, timeout=TIMEOUT_MS)
    shown = menu()
    assert shown is not None
    texts = [action.text() for action in shown.actions()]
    assert "mail is late (open)" in texts
    assert any(text.startswith("Log a deployment") for text in texts)
    [leave] = [action for action in shown.actions() if action.text().startswith("Leave it")]
    leave.trigger()
    shown.close()
    assert feature.current.state is None
    assert not feature.chip.isVisible()


def test_nothing_is_lost_when_the_records_cannot_be_written(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    feature = ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    app_folders().records.mkdir(parents=True)
    (app_folders().records / "incidents").write_text("in the way")
    hand = Hand(qtbot, running)
    hand.press(Qt.Key.Key_D)
    panel = running.window.response.decision
    qtbot.waitUntil(lambda: panel._is_policy_known, timeout=TIMEOUT_MS)
    hand.press(Qt.Key.Key_3, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_2, Qt.Key.Key_Return)
    record = panel.decided_card.findChild(QLabel, "decisionRecord")
    assert record is not None
    qtbot.waitUntil(lambda: record.text().startswith("Not written down"), timeout=TIMEOUT_MS)
    assert feature.current.state is None
    assert running.window.messages.current is not None


def test_every_control_of_responding_has_a_name(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    feature = ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    feature.show_or_open()
    opening = feature.opening
    assert opening is not None
    names = nameless(opening)
    opening.accept()
    written(running, qtbot)
    running.window.actions_table[ActionId.LOG_DEPLOYMENT].trigger()
    deployment = feature.deployment
    assert deployment is not None
    qtbot.waitUntil(deployment.accept_button.isEnabled, timeout=TIMEOUT_MS)
    assert names + nameless(deployment) + nameless(feature.chip) + nameless(running.window.steps) == []


def nameless(root: QWidget) -> list[str]:
    return [
        f"{type(widget).__name__} {widget.objectName()}"
        for widget in (root, *root.findChildren(QWidget))
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not isinstance(widget, QScrollBar)
        and not (QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name) or "").strip()
    ]


def test_another_incident_forgets_the_answers_and_the_decision_of_the_one_before(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    feature = ready(running, qtbot)
    opened(running, qtbot, CHECKOUT_REF)
    hand = Hand(qtbot, running)
    hand.press(Qt.Key.Key_D)
    panel = running.window.response.decision
    qtbot.waitUntil(lambda: panel._is_policy_known, timeout=TIMEOUT_MS)
    hand.press(Qt.Key.Key_3, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_2, Qt.Key.Key_Return)
    first = written(running, qtbot)
    assert panel.state.decision is not None
    feature.current.leave()
    assert panel.state.decision is None
    assert panel.state.incident.impact is None
    feature.current.take_up(first.id)
    qtbot.waitUntil(lambda: panel.state.decision is not None, timeout=TIMEOUT_MS)
    assert panel.state.incident.impact == "down"
