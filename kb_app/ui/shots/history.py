"""Pictures of the past of an entry: what a version changed, who wrote it, a folder without history."""

from __future__ import annotations

from pathlib import Path

from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.conflicts import Choice
from kb_app.gitstore.proposals import Draft, ProposalState
from kb_app.gitstore.store import open_store
from kb_app.gitstore.sync import sync
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.conflicts.feature import ConflictsFeature
from kb_app.ui.shots.camera import Camera
from kb_app.ui.shots.sample_repository import BEN, PATH, SampleCommit, make_repository, sample_commits
from kb_app.ui.versions.feature import HistoryFeature
from kb_app.ui.versions.state import View
from kb_app.workspace.sharing import clone_base

NAME = "messaging"


def take_history(camera: Camera) -> None:
    """Take the history with a change, the writers of the lines, two versions compared, and a plain folder."""
    window, feature = camera.window, camera.window.feature(HistoryFeature)
    _open_plain(camera)
    window.actions_table[ActionId.ENTRY_HISTORY].trigger()
    camera.wait_until(lambda: not feature.page.stack.isHidden())
    camera.shoot("30-history-plain-folder")
    window.show_panes()
    open_sample(camera)
    window.actions_table[ActionId.ENTRY_HISTORY].trigger()
    page = feature.page
    camera.wait_until(lambda: page.timeline.versions.rowCount() >= len(sample_commits()))
    camera.wait_until(lambda: not page.confirmation.isHidden())
    camera.shoot("31-history")
    page.show_view(View.LINES)
    camera.shoot("32-history-who-wrote-it")
    page.show_view(View.CHANGE)
    page.timeline.select_row(1)
    camera.shoot("33-history-older")


def _open_plain(camera: Camera) -> None:
    """Open an entry of a plain folder, which is made once."""
    folder = Path(camera.desk.workspace.folders.cache) / "sample" / "notes"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / "standby.md").write_text("# The standby lags\n\nLook at the slot first.\n")
        camera.desk.add_folder(folder)
        camera.wait_until(lambda: any(base.name == "notes" for base in camera.desk.workspace.bases))
        camera.wait_until(lambda: camera.desk.index_state.is_complete)
    camera.window.open_entry(EntryRef("notes", "standby.md"))
    camera.wait_until(
        lambda: camera.desk.current is not None and camera.desk.current.ref.path == "standby.md"
    )


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


def take_conflict(camera: Camera) -> None:
    """Take the conflict page: both texts, a text of one's own, the result."""
    window, feature = camera.window, camera.window.feature(ConflictsFeature)
    proposal = _conflicting_proposal(camera)
    feature.resolve(proposal)
    camera.wait_until(lambda: window.pages.currentWidget() is feature.page)
    camera.shoot("34-conflict")
    feature.page.choose(Choice.MINE)
    feature.page.write()
    camera.shoot("35-conflict-own-text")
    feature.page.choose(Choice.THEIRS)
    camera.shoot("36-conflict-result")
    feature.page.closed.emit()


def _conflicting_proposal(camera: Camera) -> str:
    """Return a proposal that changes what somebody else changed meanwhile; it is made once."""
    open_sample(camera)
    folders = camera.desk.workspace.folders
    store = open_store(folders)
    waiting = [p for p in store.queue.proposals(NAME) if p.state is not ProposalState.WITHDRAWN]
    if waiting:
        return waiting[0].id
    page = store.queue.texts(NAME, store.queue.head(NAME), (PATH,))[PATH].decode()
    mine = page.replace("Roll back to the one before.", "Roll back two versions: the last one is broken too.")
    mine = mine.replace("ten minutes", "a quarter of an hour")
    outcome = store.queue.propose(
        NAME, Draft("consumer-lag: roll back two versions", (FileEdit(PATH, mine.encode()),))
    )
    assert outcome.proposal is not None
    theirs = page.replace(
        "Roll back to the one before.", "Roll back to the last version that is marked good."
    )
    theirs = theirs.replace("ten minutes", "ten minutes, on every partition").replace(
        "repeats in the log", "repeats in the log of every member"
    )
    at = sample_commits()[-1].at + 86_400
    make_repository(
        Path(store.area.get(NAME).url),
        (SampleCommit(BEN, at, "consumer-lag: the marked version", {PATH: theirs}),),
    )
    sync(store.area, NAME)
    return outcome.proposal.id
