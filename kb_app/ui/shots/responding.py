"""Pictures of responding: opening an incident, its chip, a run from wait to end mark, deploying."""

from __future__ import annotations

import datetime as dt

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.incident.feature import IncidentFeature
from kb_app.ui.shots.camera import Camera
from kb_app.ui.steps.marks import Mark, MarkRequest
from kb_app.ui.steps.panel import ValuesCard
from kb_app.ui.steps.state import Lane

ENTRY = "postgresql/known-fixes/pg-wal-full-inactive-slot.md"


def take_responding(camera: Camera) -> None:
    """Take the sheets, the chip and a run from its first step to its end mark."""
    window = camera.window
    feature = window.feature(IncidentFeature)
    feature.join_panels()
    _open_entry(camera)
    window.search.focus()
    feature.show_or_open()
    camera.shoot("20-open-incident")
    assert feature.opening is not None
    feature.opening.accept()
    camera.wait_until(lambda: feature.current.state is not None)
    window.toast.hide()
    window.steps.focus_lane(Lane.MITIGATE)
    camera.shoot("21-incident-in-hand")
    _run(camera, feature)
    _decision(camera, feature)
    feature.current.leave()
    for topic in ("review", "decide-again", "wait"):
        camera.desk.message_settled.emit(topic)
    camera.desk.session.update(camera.desk.session.state)


def _open_entry(camera: Camera) -> None:
    window = camera.window
    base = camera.desk.bases[0]
    found = sorted(base.root.rglob("*inactive-slot*.md"))
    path = found[0].relative_to(base.root).as_posix() if found else ENTRY
    window.open_entry(EntryRef(base.name, path))
    camera.wait_until(lambda: camera.desk.opener.wanted is None and not window.are_steps_pending)
    card = window.steps.findChild(ValuesCard, "values")
    if card is not None:
        for name in card.names:
            card.set_value(name, {"slot": "standby_2", "size": "50GB"}.get(name, "/srv/pg"))


def _settled(camera: Camera, feature: IncidentFeature) -> None:
    camera.wait_until(lambda: not feature.current.is_writing)
    camera.window.toast.hide()


def _run(camera: Camera, feature: IncidentFeature) -> None:
    window, steps = camera.window, camera.window.steps
    path = steps.paths[-1]
    ask = steps.mark_requested.emit
    steps.focus_lane(Lane.FIX)
    ask(MarkRequest(path, path.steps[0], Mark.DONE))
    ask(MarkRequest(path, path.steps[1], Mark.WAITING, minutes=10))
    _settled(camera, feature)
    steps.focus_step(Lane.FIX, path.steps[1].key)
    camera.shoot("22-run-with-a-wait")
    steps.cards(Lane.FIX)[1].ask_failed()
    camera.wait(80)
    camera.shoot("23-what-did-you-see")
    for key in (Qt.Key.Key_Escape,):
        focused: QWidget | None = window.focusWidget()
        if focused is not None:
            event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(focused, event)
    ask(MarkRequest(path, path.steps[1], Mark.FAILED, "the slot came back after a minute"))
    _settled(camera, feature)
    steps.focus_step(Lane.FIX, path.steps[2].key)
    camera.shoot("24-a-step-that-did-not-work")
    for step in path.steps[2:]:
        ask(MarkRequest(path, step, Mark.SKIPPED if step is path.steps[2] else Mark.DONE))
    _settled(camera, feature)
    end = steps.end_card(Lane.FIX)
    camera.wait(80)
    steps._scroll.ensureWidgetVisible(end, 0, 24)  # noqa: SLF001 - there is no key that only scrolls
    camera.shoot("25-end-mark")


def _decision(camera: Camera, feature: IncidentFeature) -> None:
    window = camera.window
    window.actions_table[ActionId.DECIDE].trigger()
    panel = window.response.decision
    camera.wait(600)
    for key in "3122":
        panel.answer(key)
    panel.accept()
    _settled(camera, feature)
    camera.shoot("26-decided")
    QGuiApplication.clipboard().setText("4f1c6ad83b0e57f2a9d6c1e0b84427d1f3a5c960")
    window.actions_table[ActionId.LOG_DEPLOYMENT].trigger()
    sheet = feature.deployment
    assert sheet is not None
    camera.wait_until(sheet.accept_button.isEnabled, seconds=5)
    camera.shoot("27-log-a-deployment")
    sheet.accept()
    camera.wait(200)
    _settled(camera, feature)
    camera.shoot("28-review-due")
    window.actions_table[ActionId.DECIDE].trigger()
    opened = feature.current.state.opened_at if feature.current.state is not None else None
    if opened is not None:
        feature.clock = lambda: opened + dt.timedelta(minutes=42, seconds=7)
        feature.tick()
        camera.shoot_widget("29-chip-over-time", feature.chip)
        feature.clock = lambda: dt.datetime.now(dt.UTC)
