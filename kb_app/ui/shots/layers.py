"""Pictures of the user's own copies: the banner when the original changed, what changed, the layers."""

from __future__ import annotations

from pathlib import Path

from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.layers.feature import LayersFeature
from kb_app.ui.shots.camera import Camera
from kb_app.ui.shots.sample_repository import PATH, sample_commits
from kb_app.workspace.layers import keep_copy, overlay_of, with_overlay

TEAM = "team-runbooks"


def take_layers(camera: Camera) -> None:
    """Take a copy whose original changed, the change, and the settings with the layers."""
    window, feature = camera.window, camera.window.feature(LayersFeature)
    ref = _copy(camera)
    window.open_entry(ref)
    camera.wait_until(lambda: camera.desk.current is not None and camera.desk.current.ref == ref)
    camera.wait_until(lambda: feature.banner is not None and "changed since" in feature.banner.text.text())
    camera.shoot("37-copy-banner")
    feature.show_changes()
    camera.shoot("38-copy-original-changed")
    window.show_panes()
    window.show_settings()
    camera.shoot("39-settings-layers")


def _copy(camera: Camera) -> EntryRef:
    """Make a folder, a copy of its entry, and a change in the folder; once."""
    desk = camera.desk
    folder = Path(desk.workspace.folders.cache) / "sample" / TEAM
    if not folder.is_dir():
        (folder / PATH).parent.mkdir(parents=True)
        text = sample_commits()[3].files[PATH] or ""
        (folder / PATH).write_text(text)
        desk.add_folder(folder)
        camera.wait_until(lambda: any(base.name == TEAM for base in desk.workspace.bases))
        desk.reopen_with(with_overlay(desk.workspace.folders, desk.workspace.settings))
        camera.wait_until(lambda: overlay_of(desk.workspace) is not None)
        mine = text.replace("Roll back to the one before.", "Ask in #messaging, then roll back.")
        base = next(base for base in desk.workspace.bases if base.name == TEAM)
        keep_copy(desk.workspace, base, PATH, mine.encode(), text.encode())
        (folder / PATH).write_text(sample_commits()[4].files[PATH] or "")
        desk.index()
        camera.wait_until(lambda: desk.index_state.is_complete and bool(desk.copies.paths))
    overlay = overlay_of(desk.workspace)
    assert overlay is not None
    return EntryRef(overlay.name, desk.copies.of(TEAM, PATH))
