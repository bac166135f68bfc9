"""Pictures of repositories: adding one, the chip's menu, questions of a sync, what changed in an entry."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu

from kb_app.gitstore.causes import SENTENCES, Cause
from kb_app.gitstore.process import Progress
from kb_app.gitstore.store import open_store
from kb_app.gitstore.trees import FolderCount
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.shots.camera import Camera
from kb_app.ui.shots.sample_repository import ANA, PATH, SampleCommit, make_repository, sample_commits
from kb_app.ui.sync.feature import SyncFeature
from kb_app.workspace.syncing import add_repository

READ, CLEARED = "messaging-team", "storage-team"
ADDRESS = "https://git.example.com/payments/runbooks.git"
FOLDERS = (
    FolderCount("docs/payments", 1_204, 912),
    FolderCount("docs/ledger", 644, 530),
    FolderCount("docs/identity", 380, 301),
    FolderCount("docs/notifications", 122, 88),
    FolderCount("services", 48_120, 12),
)
_TITLES = (
    "Volume is full",
    "Snapshot is stuck",
    "Replica is behind",
    "Disk errors in the log",
    "Quota reached",
)

_first: dict[str, str] = {}
"""The commit of a clone before its first sync: later syncs do not tell it any more."""


def take_syncing(camera: Camera) -> None:
    """Take the pages and the banner of repositories."""
    feature = camera.window.feature(SyncFeature)
    _take_adding(camera, feature)
    _prepare(camera, feature)
    menu = feature.chip.menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    menu.ensurePolished()
    menu.resize(menu.sizeHint())
    camera.shoot_widget("44-sync-menu", menu)
    feature.show_page(CLEARED)
    camera.shoot("45-sync-question")
    camera.window.show_panes()
    _take_long_message(camera)
    _take_news(camera, feature)


def _take_adding(camera: Camera, feature: SyncFeature) -> None:
    feature.show_add_page()
    page = feature.add_page
    camera.wait_until(lambda: page.has_git)
    camera.shoot("40-add-repository")
    page.address.setText("https://ana:secret@git.example.com/payments/runbooks.git")
    camera.shoot("41-add-repository-refused")
    page.address.setText(ADDRESS)
    page.progress.begin("Copying runbooks")  # by hand: how far it is depends on chance
    page.progress.hear(Progress("Receiving objects", 43, 231_500_000))
    camera.shoot("42-add-repository-progress")
    page.progress.hide()
    page.failure.show_failure(
        *SENTENCES[Cause.AUTH_NEEDED], "fatal: could not read Username", offers_part=False
    )
    camera.shoot("43-add-repository-failure")
    page.failure.hide()
    page.folders.show_folders(50_470, FOLDERS)
    page.folders.checks()[0].setChecked(True)
    camera.shoot("43-add-repository-folders")
    page.begin()
    camera.window.show_panes()


def _prepare(camera: Camera, feature: SyncFeature) -> None:
    """Clone two repositories once, then let their remotes go on: one with changes, one nearly cleared."""
    desk = camera.desk
    if feature.queue.status(READ) is not None:
        return
    folder = Path(desk.workspace.folders.cache) / "sample"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"storage/page-{n}.md": f"# {title}\n\nText.\n" for n, title in enumerate(_TITLES)}
    make_repository(folder / "read.git", sample_commits()[:2])
    make_repository(folder / "cleared.git", [SampleCommit(ANA, 1_757_400_000, "storage: first pages", pages)])
    store = open_store(desk.workspace.folders)
    for name, bare in ((READ, "read.git"), (CLEARED, "cleared.git")):
        base = add_repository(store, str(folder / bare), name).base
        assert base is not None
        desk.add_base(base)
        camera.wait_until(partial(_is_known, feature, name))
    gone = dict.fromkeys(list(pages)[1:])
    make_repository(folder / "read.git", sample_commits()[2:])
    make_repository(folder / "cleared.git", [SampleCommit(ANA, 1_757_500_000, "storage: move pages", gone)])
    feature.run_now()
    camera.wait_until(lambda: all(s.outcome and not s.is_syncing for s in feature.queue.statuses))
    camera.wait_until(lambda: desk.index_state.is_complete)


def _is_known(feature: SyncFeature, name: str) -> bool:
    return feature.queue.status(name) is not None


def _take_long_message(camera: Camera) -> None:
    """Take a fault that needs more than two lines."""
    sentence = (
        "The index of platform-documentation cannot be written: the device is full, and the folder "
        "/home/ana/.cache/kb_app/index/platform-documentation-8d1f0c2a77b1e6d4 holds half of it; what was "
        "indexed before is searched as it was, and nothing that you wrote is lost. The index of "
        "customer-documentation and that of records-of-the-year could not be brought up to date either"
    )
    hint = "Free some space, or set KB_APP_HOME to a folder on another disk and start again"
    camera.desk.message_posted.emit(Message(sentence, hint, Weight.PROBLEM, "Index again", topic="shot"))
    camera.shoot("48-long-message")
    camera.window.messages.more.click()
    camera.shoot("49-long-message-all")
    camera.desk.message_settled.emit("shot")


def _take_news(camera: Camera, feature: SyncFeature) -> None:
    desk, ref = camera.desk, EntryRef(READ, PATH)
    status = feature.queue.status(READ)
    assert status is not None
    assert status.outcome is not None
    old = dt.datetime(2026, 5, 12, 9, 30, tzinfo=dt.UTC).isoformat()
    other = EntryRef(CLEARED, "storage/page-0.md")
    camera.window.open_entry(other)
    camera.wait_until(lambda: desk.current is not None and desk.current.ref == other)
    camera.wait(600)
    desk.session.update(desk.session.state.with_use(ref, _first.setdefault(READ, status.outcome.before), old))
    camera.window.open_entry(ref)
    camera.wait_until(lambda: feature.news.banner is not None and not feature.news.banner.isHidden())
    camera.shoot("46-changed-since")
    assert feature.news.banner is not None
    feature.news.banner.toggle.click()
    camera.shoot("47-changed-since-words")
    feature.news.banner.close_banner()
    desk.session.update(replace(desk.session.state, query=""))
