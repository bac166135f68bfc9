"""Contributing as a person does who never used Git: real window, real workers, real git, a bare remote."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from kb_app.gitstore.proposals import ProposalState
from kb_app.paths import app_folders
from kb_app.settings import Settings, load_settings, save_settings
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.editor.feature import EditorFeature
from kb_app.workspace.drafts import DraftStore
from kb_app.workspace.sharing import clone_base, proposals

TIMEOUT_MS = 30_000
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

LEASE = """---
kind: known-fix
product: keeper
component: lease
owner: "@keepers"
signatures: ["lease lost: renewal timed out"]
---
# Lease lost

## Symptoms
`lease lost: renewal timed out`

## Mitigation
- Time: 5m
- Risk: low
- Reversible: yes

1. Restart the keeper.
   - Verify: the lease is held again.

## Fix forward
None known.
"""
GIT_WORDS = (
    "branch",
    "commit",
    "push",
    "pull",
    "merge conflict",
    "rebase",
    "repository",
    "git",
    "remote",
    "fork",
)


def git(folder: Path, *words: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_AUTHOR_NAME": "Ana",
        "GIT_AUTHOR_EMAIL": "ana@example.com",
        "GIT_COMMITTER_NAME": "Ana",
        "GIT_COMMITTER_EMAIL": "ana@example.com",
    }
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bare remote with one entry, added as a knowledge base; the user never told Git who she is."""
    work, bare, home = tmp_path / "work", tmp_path / "team-kb.git", tmp_path / "user"
    work.mkdir()
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    git(work, "init", "-q", "-b", "main")
    (work / "lease-lost.md").write_text(LEASE)
    git(work, "add", ".")
    git(work, "commit", "-qm", "first")
    git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    folders = app_folders()
    settings = Settings(contributor_name="Ben", contributor_email="ben@example.com")
    save_settings(folders, settings.with_base(clone_base(folders, str(bare), "team")))
    return bare


class Person:
    """Presses keys in a window and counts them."""

    def __init__(self, running: Running, qtbot: QtBot) -> None:
        self.running, self.window, self.qtbot = running, running.window, qtbot
        self.keys = 0
        self.seen: set[str] = set()

    @property
    def feature(self) -> EditorFeature:
        return self.window.feature(EditorFeature)

    def focused(self) -> QWidget:
        return QApplication.focusWidget() or self.window

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.keys += 1
        self.qtbot.keyClick(self.focused(), key, modifier)
        self.look()

    def write(self, text: str) -> None:
        """Type text, which is not counted: it is what the person has to say."""
        self.qtbot.keyClicks(self.focused(), text)
        self.look()

    def wait(self, is_true: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(is_true, timeout=TIMEOUT_MS)
        self.look()

    def look(self) -> None:
        """Keep every text that is on the screen now."""
        for widget in (*self.window.findChildren(QLabel), *self.window.findChildren(QPushButton)):
            if widget.isVisible():
                self.seen.add(widget.text())

    def open(self, path: str) -> None:
        name = self.running.desk.bases[0].name
        self.window.open_entry(EntryRef(name, path))
        self.wait(
            lambda: self.running.desk.current is not None and self.running.desk.current.ref.path == path
        )
        self.window.reading.focus_page()


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[..., Person]]:
    running: list[Running] = []

    def start_window(*bases: Path, query: str = "") -> Person:
        make_application()
        one = Running(qapp, app_folders(), Options(tuple(map(str, bases)), query))
        one.crashes.uninstall()  # pytest-qt takes exceptions here, and fails the test
        running.append(one)
        one.start()
        one.window.resize(1440, 900)
        qtbot.waitExposed(one.window)
        one.window.activateWindow()
        qtbot.waitUntil(lambda: one.desk.index_state.is_complete, timeout=TIMEOUT_MS)
        return Person(one, qtbot)

    yield start_window
    for one in running:
        one.window.close()
        one.finish()
        one.theme.setParent(None)


def states() -> list[ProposalState]:
    return [proposal.state for proposal in proposals(app_folders())]


@pytest.mark.usefixtures("remote")
def test_a_fix_is_proposed_with_few_keys_and_no_word_of_git(
    start: Callable[..., Person], remote: Path
) -> None:
    person = start()
    person.open("lease-lost.md")
    person.press(Qt.Key.Key_E)
    person.wait(lambda: person.feature.writing.page.editing is not None)
    page = person.feature.writing.page
    assert person.focused() is page.edit
    page.edit.go_to_line(11)
    person.write(" Also seen as a pause of 30 s.")
    person.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: page.is_asking)
    assert page.sheet.line.text() == "Correct Symptoms of Lease lost"
    person.press(Qt.Key.Key_Return)
    person.wait(lambda: states() == [ProposalState.PROPOSED])
    assert person.keys <= 12
    assert any("Proposed (waiting for the network)" in text for text in person.seen)
    words = {word for text in person.seen for word in text.lower().split()}
    assert words.isdisjoint(GIT_WORDS)
    [branch] = [line for line in git(remote, "branch", "--list", "proposal/*").split() if line != "*"]
    changed = git(remote, "show", f"{branch}:lease-lost.md")
    assert changed == LEASE.replace("timed out`\n\n## M", "timed out` Also seen as a pause of 30 s.\n\n## M")
    assert git(remote, "log", "-1", "--format=%an %ae", branch).strip() == "Ben ben@example.com"
    assert DraftStore(app_folders().drafts).all() == ()
    person.press(Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    listed = person.feature.writing.proposals_page
    person.wait(lambda: len(listed.shown.proposals) == 1)
    person.look()
    assert "Proposed" in person.seen
    assert load_settings(app_folders()).contributor_name == "Ben"
