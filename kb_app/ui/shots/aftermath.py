"""Pictures of what follows an action: timeline, what is owed, review, closing, export."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace

from kb_app.decision.policy import blob_id
from kb_app.incidents.book import RecordBook
from kb_app.incidents.sample_incident import SampleIncident, write_sample_incident
from kb_app.settings import load_settings, save_settings
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.sheet import Sheet
from kb_app.ui.duties.feature import DutiesFeature
from kb_app.ui.export.feature import ExportFeature
from kb_app.ui.incident.feature import IncidentFeature
from kb_app.ui.shots.camera import Camera
from kb_app.ui.timeline.feature import TimelineFeature
from kb_app.workspace.records import open_book


def _book(camera: Camera) -> RecordBook:
    return open_book(camera.desk.workspace.folders)


def _as(camera: Camera, author: str) -> None:
    folders = camera.desk.workspace.folders
    save_settings(folders, replace(load_settings(folders), author=author))


def _records(camera: Camera) -> tuple[SampleIncident, SampleIncident]:
    """Write two records anew: one of tonight whose review is due, one of two weeks ago with open ends."""
    root = _book(camera).root
    shutil.rmtree(root / "incidents", ignore_errors=True)
    policy = camera.desk.workspace.bases[0].root / "policy.yml"
    revision = blob_id(policy.read_bytes()) if policy.is_file() else "default"
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    former = write_sample_incident(root, opened=now - dt.timedelta(days=16, hours=3), policy=revision)
    recent = write_sample_incident(
        root, opened=now - dt.timedelta(hours=21), policy=revision, is_reviewed=False, is_closed=False
    )
    _as(camera, "carla@example.com")
    return former, recent


def take_timeline(camera: Camera) -> None:
    """Take the timeline of an incident: closed, with 200 events, and correcting one."""
    root = _book(camera).root
    shutil.rmtree(root / "incidents", ignore_errors=True)
    timeline = camera.window.feature(TimelineFeature)
    camera.window.actions_table[ActionId.TIMELINE].trigger()
    camera.shoot("30-timeline-none")
    camera.window.show_panes()
    sample = write_sample_incident(root)
    timeline.show(sample.id)
    camera.shoot("31-timeline")
    timeline.page.picture.canvas.setFocus()
    timeline.page.picture.zoom_by(2.25)
    camera.shoot("32-timeline-nearer")
    timeline.page.picture.zoom_by(0)
    state = timeline.page.shown.state if timeline.page.shown is not None else None
    fixed = next(n for n, m in enumerate(state.moments) if m.event.type == "fixed") if state else 0
    timeline.page.correct_requested.emit(fixed)
    camera.shoot("33-timeline-correct")
    _leave_sheet(camera)
    shutil.rmtree(root / "incidents", ignore_errors=True)
    many = write_sample_incident(root, extra_notes=[f"looked at shard {n}: healthy" for n in range(170)])
    timeline.show(many.id)
    camera.shoot("34-timeline-200")


def take_duties(camera: Camera) -> None:
    """Take the home page without and with something owed, a review both ways, and a follow-up."""
    root = _book(camera).root
    shutil.rmtree(root / "incidents", ignore_errors=True)
    duties = camera.window.feature(DutiesFeature)
    duties.show()
    camera.shoot("35-duties-none")
    _, recent = _records(camera)
    duties.refresh()
    camera.shoot("36-duties")
    camera.window.show_panes()
    camera.window.show_no_entry()
    camera.shoot("37-home-line")
    duties.review(recent.id, recent.change)
    camera.shoot("38-review")
    _as(camera, recent.author)
    duties.review(recent.id, recent.change)
    camera.shoot("39-review-not-by-you")
    duties.show()
    camera.wait()
    row = duties.page.row_of("mitigation-in-place")
    if row is not None and row.item is not None:
        duties.work_on(row.item)
    camera.shoot("40-follow-up")
    _leave_sheet(camera)
    duties.close_incident(recent.id)
    camera.shoot("41-closing")
    duties.decide_late(recent.id, recent.change)
    camera.wait()
    camera.shoot("41-late-decision")
    _leave_sheet(camera)


def take_export(camera: Camera) -> None:
    """Take the sheet that copies for the ticket, in two forms, and the draft of an entry."""
    _, recent = _records(camera)
    export = camera.window.feature(ExportFeature)
    export.export(recent.id)
    camera.shoot("42-export")
    if export.sheet is not None:
        export.sheet.form.choose("html")
    camera.shoot("43-export-rich")
    _leave_sheet(camera)
    camera.window.feature(DutiesFeature).learn(_book(camera).state(recent.id))
    camera.shoot("44-learned")
    camera.window.show_panes()
    current = camera.window.feature(IncidentFeature).current
    current.take_up(recent.id)
    camera.wait_until(lambda: current.name == recent.id)
    camera.window.actions_table[ActionId.MARK_MITIGATED].trigger()
    camera.shoot("45-mitigated")
    _leave_sheet(camera)
    camera.window.actions_table[ActionId.LINK_TICKET].trigger()
    camera.shoot("46-ticket")
    _leave_sheet(camera)
    current.leave()


def _leave_sheet(camera: Camera) -> None:
    for sheet in camera.window.findChildren(Sheet):
        sheet.finish()
    camera.wait()
