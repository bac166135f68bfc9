"""Offline with two editors through the real window: search, decide, edit; both texts shown, nothing lost."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, git

from kb_app.gitstore.proposals import Proposal, ProposalState
from kb_app.paths import app_folders
from kb_app.settings import Settings, save_settings
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.conflicts.feature import ConflictsFeature
from kb_app.ui.editor.feature import EditorFeature
from kb_app.ui.search.state import Query
from kb_app.ui.versions.feature import HistoryFeature
from kb_app.workspace.sharing import clone_base, proposals

TIMEOUT = 30_000
PAGE = """---
title: Lease lost
kind: known-fix
product: storage
component: lease
severity: sev2
---
# Lease lost

## Symptoms
The holder logs `lease lost` and stops writing.

## Mitigation: restart the pod
- Time: 5m
- Risk: low

1. Restart the pod.

## Fix forward: renew earlier
- Time: 20m
- Risk: low

1. Set the renewal to a third of the lease.
"""
MINE = PAGE.replace("1. Restart the pod.", "1. Drain the node, then restart the pod.")
THEIRS = PAGE.replace("1. Restart the pod.", "1. Delete the pod; it comes back.").replace(
    "stops writing", "stops writing at once"
)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    remote = Remote(tmp_path / "r", {"lease.md": PAGE, "other.md": "# Other\n\nNothing.\n"})
    added = clone_base(app_folders(), remote.address, "kb")
    save_settings(
        app_folders(),
        Settings(
            knowledge_bases=(added,),
            sync=False,
            author="Ada",
            contributor_name="Ada Example",
            contributor_email="ada@example.org",
        ),
    )
    return remote


Open = Callable[[], Running]


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication, remote: Remote) -> Iterator[Open]:
    running: list[Running] = []

    def start_window() -> Running:
        make_application()
        one = Running(qapp, app_folders(), Options())
        one.crashes.uninstall()
        running.append(one)
        one.start()
        one.window.resize(1440, 900)
        one.window.show_panes()
        qtbot.waitExposed(one.window)
        qtbot.waitUntil(lambda: one.desk.index_state.is_complete, timeout=TIMEOUT)
        qtbot.waitUntil(lambda: not one.desk.search.is_busy, timeout=TIMEOUT)
        return one

    yield start_window
    for one in running:
        one.window.close()
        one.finish()
        one.theme.setParent(None)


def state_of(*folders: Path) -> dict[str, str]:
    """Return every byte that counts: files, commits, refs, the queue."""
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest()
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith(".lock") and "origins" not in file.parts
    }


def only_proposal(state: ProposalState) -> Proposal | None:
    found = [p for p in proposals(app_folders()) if p.state is state]
    return found[0] if len(found) == 1 else None


def sync_until(running: Running, qtbot: QtBot, state: ProposalState) -> None:
    """Sync by hand until one proposal is in this state: the first time a sending may still be under way."""
    for _ in range(10):
        running.window.actions_table[ActionId.SYNC].trigger()
        for _ in range(30):
            if only_proposal(state) is not None:
                return
            qtbot.wait(100)
    raise AssertionError([(p.title, p.state, p.problem) for p in proposals(app_folders())])


def test_offline_with_two_editors(start: Open, remote: Remote, qtbot: QtBot) -> None:
    away = remote.bare.with_name("away.git")
    remote.bare.rename(away)  # no network: the remote cannot be reached at all
    running = start()
    window, desk = running.window, running.desk

    window.search.set_query(Query(typed="lease lost"))
    qtbot.waitUntil(
        lambda: [r.ref.path for r in window.results.list.rows if r.ref] == ["lease.md"], timeout=TIMEOUT
    )
    window.results.list.open_current()
    qtbot.waitUntil(lambda: desk.current is not None and desk.current.ref.path == "lease.md", timeout=TIMEOUT)
    qtbot.waitUntil(lambda: not window.are_steps_pending, timeout=TIMEOUT)
    window.actions_table[ActionId.DECIDE].trigger()
    assert window.response.is_deciding
    window.actions_table[ActionId.DECIDE].trigger()

    editor = window.feature(EditorFeature)
    window.actions_table[ActionId.EDIT_ENTRY].trigger()
    page = editor.writing.page
    qtbot.waitUntil(lambda: page.editing is not None, timeout=TIMEOUT)
    page.edit.replace_text(MINE)
    page.ask_to_propose()
    qtbot.waitUntil(lambda: page.is_asking, timeout=TIMEOUT)
    page.sheet.proposed.emit("lease: drain the node first", False)
    qtbot.waitUntil(lambda: only_proposal(ProposalState.QUEUED) is not None, timeout=TIMEOUT)

    # on landing: somebody else changed the same step, and another section
    away.rename(remote.bare)
    remote.commit({"lease.md": THEIRS}, "lease: the pod comes back by itself")
    sync_until(running, qtbot, ProposalState.NEEDS_ANSWER)
    asked = only_proposal(ProposalState.NEEDS_ANSWER)
    assert asked is not None
    for word in ("merge", "rebase", "branch", "HEAD", "commit"):
        assert word not in asked.problem

    conflicts = window.feature(ConflictsFeature)
    folders = (app_folders().clones, app_folders().data / "proposals", remote.bare)
    qtbot.wait(300)
    before = state_of(*folders)
    conflicts.resolve(asked.id)
    qtbot.waitUntil(lambda: window.pages.currentWidget() is conflicts.page, timeout=TIMEOUT)
    assert "Drain the node" in conflicts.page.mine.text.toPlainText()
    assert "it comes back" in conflicts.page.theirs.text.toPlainText()
    assert conflicts.page.mine.who.text() == "Ada"
    assert "Bob Colleague" in conflicts.page.theirs.who.text()

    # nothing is lost when it is cancelled
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Escape)
    assert window.pages.currentWidget() is window.panes
    assert state_of(*folders) == before

    # both texts are kept, and sent with Enter
    conflicts.resolve(asked.id)
    qtbot.waitUntil(lambda: window.pages.currentWidget() is conflicts.page, timeout=TIMEOUT)
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_B)
    assert conflicts.page.answers.is_complete
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: only_proposal(ProposalState.WITHDRAWN) is not None, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.panes, timeout=TIMEOUT)
    sync_until(running, qtbot, ProposalState.PROPOSED)
    sent = only_proposal(ProposalState.PROPOSED)
    assert sent is not None
    text = git(remote.bare, "show", f"{sent.branch}:lease.md")
    assert "Drain the node, then restart the pod." in text
    assert "Delete the pod; it comes back." in text
    assert "stops writing at once" in text
    assert "<<<<" not in text
    assert ("Supersedes", asked.id) in sent.trailers


def test_the_history_by_one_key_and_a_former_version_as_a_draft(
    start: Open, remote: Remote, qtbot: QtBot
) -> None:
    running = start()
    window, desk = running.window, running.desk
    remote.commit({"lease.md": THEIRS}, "lease: the pod comes back by itself")
    window.actions_table[ActionId.SYNC].trigger()
    name = desk.workspace.bases[0].name
    window.open_entry(EntryRef(name, "lease.md"))
    qtbot.waitUntil(lambda: desk.current is not None, timeout=TIMEOUT)
    clone = app_folders().clones
    qtbot.waitUntil(lambda: any("at once" in f.read_text() for f in clone.rglob("lease.md")), timeout=TIMEOUT)
    before = state_of(*(f.parent for f in clone.rglob("lease.md")))
    qtbot.keyClick(window.reading.reader.view, Qt.Key.Key_H)
    page = window.feature(HistoryFeature).page
    assert window.pages.currentWidget() is page
    qtbot.waitUntil(lambda: page.timeline.versions.rowCount() == 2, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: "at once" in page.diff.toPlainText(), timeout=TIMEOUT)
    qtbot.keyClick(page.timeline, Qt.Key.Key_Down)
    qtbot.keyClick(page.timeline, Qt.Key.Key_R)
    writing = window.feature(EditorFeature).writing
    qtbot.waitUntil(lambda: window.pages.currentWidget() is writing.page, timeout=TIMEOUT)
    qtbot.waitUntil(lambda: writing.page.edit.text() == PAGE, timeout=TIMEOUT)
    writing.page.edit.undo()
    assert writing.page.edit.text() == THEIRS
    qtbot.waitUntil(lambda: writing.page.is_settled, timeout=TIMEOUT)
    after = state_of(*(f.parent for f in clone.rglob("lease.md")))
    assert {k: v for k, v in after.items() if "/.git/" not in k} == {
        k: v for k, v in before.items() if "/.git/" not in k
    }
