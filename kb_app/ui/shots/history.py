"""Pictures of the past of an entry: what a version changed, who wrote it, a folder without history."""

from __future__ import annotations

from pathlib import Path

from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.search.state import Query
from kb_app.ui.shots.camera import Camera
from kb_app.ui.shots.sample_repository import PATH, make_repository, sample_commits
from kb_app.ui.versions.feature import HistoryFeature
from kb_app.ui.versions.state import View
from kb_app.workspace.sharing import clone_base

NAME = "messaging"


def take_history(camera: Camera) -> None:
    """Take the history with a change, the writers of the lines, two versions compared, and a plain folder."""
    window, feature = camera.window, camera.window.feature(HistoryFeature)
    camera.ask(Query(typed="replication slot"))
    window.results.list.open_current()
    camera.wait_until(lambda: camera.desk.current is not None)
    window.actions_table[ActionId.ENTRY_HISTORY].trigger()
    camera.wait_until(lambda: not feature.page.stack.isHidden())
    camera.shoot("30-history-plain-folder")
    window.show_panes()
    open_sample(camera)
    window.actions_table[ActionId.ENTRY_HISTORY].trigger()
    page = feature.page
    camera.wait_until(lambda: page.timeline.versions.rowCount() == len(sample_commits()))
    camera.wait_until(lambda: not page.confirmation.isHidden())
    camera.shoot("31-history")
    page.show_view(View.LINES)
    camera.shoot("32-history-who-wrote-it")
    page.show_view(View.CHANGE)
    page.timeline.select_row(1)
    camera.shoot("33-history-older")


def open_sample(camera: Camera) -> None:
    """Open the sample entry of a managed copy, which is made once."""
    desk = camera.desk
    if not any("essaging" in base.name for base in desk.workspace.bases):
        bare = Path(desk.workspace.folders.cache) / "sample" / f"{NAME}.git"
        bare.parent.mkdir(parents=True, exist_ok=True)
        make_repository(bare, sample_commits())
        desk.add_folder(Path(clone_base(desk.workspace.folders, str(bare), NAME).location))
        camera.wait_until(lambda: any("essaging" in base.name for base in desk.workspace.bases))
        camera.wait_until(lambda: desk.index_state.is_complete)
    name = next(base.name for base in desk.workspace.bases if "essaging" in base.name)
    camera.window.open_entry(EntryRef(name, PATH))
    camera.wait_until(lambda: desk.current is not None and desk.current.ref.path == PATH)
