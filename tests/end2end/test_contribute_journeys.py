"""Contributing as a person does who never used Git: real window, real workers, real git, a bare remote."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from kb_app.gitstore.proposals import ProposalState
from kb_app.paths import app_folders
from kb_app.settings import Settings, load_settings, save_settings
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.conflicts.feature import ConflictsFeature
from kb_app.ui.editor.duplicates import Duplicate, Duplicates
from kb_app.ui.editor.feature import EditorFeature
from kb_app.workspace.contributing import patch_of
from kb_app.workspace.drafts import DraftStore
from kb_app.workspace.sharing import clone_base, proposals

TIMEOUT_MS = 60_000
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

    def looked(self) -> set[str]:
        """Return every text seen so far, now included."""
        self.look()
        return self.seen

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
    person.wait(lambda: "Proposed" in person.looked())
    assert load_settings(app_folders()).contributor_name == "Ben"


@pytest.mark.usefixtures("remote")
def test_a_flag_takes_three_keys_and_the_reader_stays_where_it_was(
    start: Callable[..., Person], remote: Path
) -> None:
    person = start()
    person.open("lease-lost.md")
    person.press(Qt.Key.Key_F)
    bar = person.feature.writing.flagging.bar
    assert bar.isVisible()
    person.press(Qt.Key.Key_O)
    person.write("The keeper is gone since version 4")
    person.press(Qt.Key.Key_Return)
    person.wait(lambda: states() == [ProposalState.PROPOSED])
    assert person.keys == 3
    assert not bar.isVisible()
    assert person.running.desk.current is not None
    [proposal] = proposals(app_folders())
    [path] = proposal.paths
    assert path.startswith("feedback/lease-lost/")
    note = git(remote, "show", f"{proposal.branch}:{path}")
    assert "feedback: outdated" in note
    assert note.endswith("The keeper is gone since version 4\n")


@pytest.mark.usefixtures("remote")
def test_it_worked_is_asked_once_and_then_one_key(start: Callable[..., Person], remote: Path) -> None:
    person = start()
    person.open("lease-lost.md")
    person.press(Qt.Key.Key_Y)
    assert states() == []  # asked first
    person.press(Qt.Key.Key_Y)
    person.wait(lambda: len(states()) == 1)
    person.wait(lambda: load_settings(app_folders()).shares_use == "yes")
    person.wait(lambda: person.window.reading.isAncestorOf(person.focused()))
    person.wait(lambda: states() == [ProposalState.PROPOSED])
    person.press(Qt.Key.Key_Y)
    person.wait(lambda: states() == [ProposalState.PROPOSED] * 2)
    log = git(remote, "log", "--format=%B", "--branches=proposal/*")
    assert log.count("Reviewed-entry: lease-lost") == 2


@pytest.mark.usefixtures("remote")
def test_notes_made_without_a_network_are_one_line_and_one_proposal(
    start: Callable[..., Person], remote: Path
) -> None:
    save_settings(app_folders(), replace(load_settings(app_folders()), shares_use="yes"))
    away = remote.rename(remote.with_name("away.git"))
    person = start()
    person.open("lease-lost.md")
    for count in (1, 2):
        person.press(Qt.Key.Key_Y)
        person.wait(lambda: states() == [ProposalState.QUEUED])
        person.wait(lambda count=count: len(proposals(app_folders())[0].paths) == count)
    person.press(Qt.Key.Key_F)
    person.press(Qt.Key.Key_U)
    person.write("Which keeper?")
    person.press(Qt.Key.Key_Return)
    person.wait(lambda: len(proposals(app_folders())[0].paths) == 3)
    person.feature.show_proposals()
    person.wait(lambda: any("3 notes about entries" in text for text in person.looked()))
    [waiting] = proposals(app_folders())
    assert waiting.title == "Feedback: 3 notes"
    assert waiting.body.count("\n- ") == 2
    away.rename(remote)
    person.feature.writing.send()
    person.wait(lambda: states() == [ProposalState.PROPOSED])
    files = git(remote, "ls-tree", "-r", "--name-only", waiting.branch).split()
    assert sum(file.startswith("feedback/lease-lost/") for file in files) == 3


def test_a_merged_note_that_it_worked_is_what_the_page_says(
    start: Callable[..., Person], remote: Path, tmp_path: Path
) -> None:
    note = '---\nentry: lease-lost.md\nfeedback: {}\nat: {}\nby: "Ana"\n---\n{}\n'
    folder = tmp_path / "work" / "feedback" / "lease-lost"
    folder.mkdir(parents=True)
    today = dt.date.today().isoformat()
    (folder / "1.md").write_text(note.format("worked", today, ""))
    (folder / "2.md").write_text(note.format("unclear", today, "which keeper?"))
    git(tmp_path / "work", "add", ".")
    git(tmp_path / "work", "commit", "-qm", "notes")
    git(tmp_path / "work", "push", "-q", str(remote), "main")
    person = start()
    person.window.actions_table[ActionId.SYNC].trigger()
    person.open("lease-lost.md")
    person.wait(lambda: any("by Ana: it worked" in text for text in person.looked()))
    badge = person.window.findChild(QPushButton, "flagsBadge")
    assert badge is not None
    assert "which keeper?" in badge.text()


@pytest.mark.usefixtures("remote")
def test_a_secret_is_caught_before_anything_is_queued(start: Callable[..., Person]) -> None:
    person = start()
    person.open("lease-lost.md")
    person.press(Qt.Key.Key_E)
    person.wait(lambda: person.feature.writing.page.editing is not None)
    page = person.feature.writing.page
    page.edit.go_to_line(11)
    person.write(" AKIAQQQQ4EXAMPL7ZZZZ")
    person.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: page.is_asking)
    person.wait(lambda: any("Line 11 holds an AWS access key" in text for text in person.looked()))
    person.press(Qt.Key.Key_Return)
    person.wait(page.sheet.propose_button.isEnabled)
    assert states() == []
    assert len(DraftStore(app_folders().drafts).all()) == 1


def test_three_proposals_made_offline_become_three_branches_in_order(
    start: Callable[..., Person], remote: Path, tmp_path: Path
) -> None:
    person = start()
    hidden = tmp_path / "unreachable.git"
    remote.rename(hidden)
    page = person.feature.writing.page
    for number in (1, 2, 3):
        person.open("lease-lost.md")
        person.press(Qt.Key.Key_E)
        person.wait(lambda: page.editing is not None)
        page.edit.go_to_line(11)
        person.write(f" Seen {number}.")
        person.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        person.wait(lambda: page.is_asking)
        person.press(Qt.Key.Key_Return)
        person.wait(lambda count=number: states() == [ProposalState.QUEUED] * count)
        person.wait(lambda: page.editing is None)
    assert all("waiting for the network" in text for text in person.seen if text.startswith("Proposed ("))
    hidden.rename(remote)
    person.wait(lambda: not person.feature.writing.is_sending)
    person.feature.show_proposals()
    person.feature.writing.send()
    person.wait(lambda: states() == [ProposalState.PROPOSED] * 3)
    branches = [p.branch for p in proposals(app_folders())]
    texts = [git(remote, "show", f"{branch}:lease-lost.md") for branch in branches]
    assert [next(n for n in "123" if f"Seen {n}." in text) for text in texts] == ["1", "2", "3"]


PASTE = """2026-03-04 02:11:09.871 UTC [4711] ERROR:  frobnicator quux 4.2.1 refused the zyzzogeton handshake
2026-03-04 02:11:09.872 UTC [4711] DETAIL:  see OPS-4711
"""


@pytest.mark.usefixtures("remote")
def test_an_unknown_problem_is_written_down_and_found_by_the_next_paste(start: Callable[..., Person]) -> None:
    person = start()
    person.window.search_for(PASTE.strip())
    person.window.search.focus()
    desk = person.running.desk
    person.wait(lambda: desk.last_answer is not None and not desk.search.is_busy)
    person.press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    page = person.feature.writing.page
    person.wait(lambda: page.editing is not None and page.editing.is_saved)
    text = page.edit.text()
    assert "kind: known-fix" in text
    assert "refused the zyzzogeton handshake" in text
    assert "02:11:09" not in text
    assert "- Ticket: OPS-4711" in text
    assert "- Version: quux 4.2.1" in text
    person.press(Qt.Key.Key_Escape)
    person.wait(lambda: len(person.feature.drafts) == 1)
    later = PASTE.replace("02:11:09.871", "03:55:01.002").replace("[4711]", "[815]").strip()
    person.window.search_for(later)
    notice = person.window.results.findChild(QWidget, "draftNotice")
    person.wait(notice.isVisible)
    person.wait(lambda: any(text.startswith("Being worked on since") for text in person.looked()))
    assert person.keys <= 12


@pytest.mark.usefixtures("remote")
def test_the_same_error_in_another_entry_is_said(start: Callable[..., Person]) -> None:
    person = start()
    person.feature.new_entry("known-fix", "Keeper pauses")
    page = person.feature.writing.page
    person.wait(lambda: page.editing is not None)
    page.edit.replace_text(
        page.edit.text().replace("signatures: []", 'signatures: ["FATAL: lease lost: renewal timed out"]')
    )
    person.wait(lambda: page.notice.isVisible() and "already in" in page.notice_text.text())
    assert "Lease lost" in page.notice_text.text()
    page.notice_button.click()
    person.wait(lambda: page.editing is not None and page.editing.draft.path == "lease-lost.md")
    person.wait(lambda: "FATAL: lease lost" in page.edit.text())
    assert 'signatures: ["lease lost: renewal timed out", "FATAL: lease lost' in page.edit.text()
    person.wait(lambda: not page.notice.isVisible() or "already in" not in page.notice_text.text())


def test_an_entry_whose_pattern_fits_is_said_and_one_that_never_ends_stops_nothing(
    start: Callable[..., Person], tmp_path: Path
) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    page = '---\nsignatures: ["{}"]\n---\n# {}\n\nlease lost: renewal timed out after the keeper\n'
    (folder / "evil.md").write_text(page.format("/(a+)+b lease lost/", "Evil lease lost"))
    (folder / "pattern.md").write_text(page.format("/lease lost: renewal [a-z]+ out/", "Lease pattern"))
    person = start(folder)
    person.wait(lambda: person.running.desk.index_state.is_complete)
    found: list[Duplicate] = []
    duplicates = Duplicates(person.running.desk)
    duplicates.found.connect(found.append)
    duplicates.look(("keeper: lease lost: renewal timed out",), EntryRef("kb", "new.md"))
    person.wait(lambda: [one.title for one in found] == ["Lease pattern"])
    duplicates.look(("a" * 60 + " lease lost: renewal timed out, keeper",), EntryRef("kb", "new.md"))
    person.wait(lambda: duplicates.is_trying)
    person.open("pattern.md")  # asked behind it; it comes once the worker was killed and started again
    person.wait(lambda: not duplicates.is_trying)
    assert [one.title for one in found] == ["Lease pattern"]


@pytest.mark.usefixtures("remote")
def test_what_others_changed_meanwhile_is_kept_beside_mine(
    start: Callable[..., Person], tmp_path: Path
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "lease-lost.md").write_text(LEASE)
    person = start(folder)
    person.open("lease-lost.md")
    person.press(Qt.Key.Key_E)
    page = person.feature.writing.page
    person.wait(lambda: page.editing is not None)
    page.edit.go_to_line(11)
    person.write(" Mine.")
    person.wait(lambda: page.is_settled)
    theirs = LEASE.replace("1. Restart the keeper.", "1. Restart the keeper twice.")
    (folder / "lease-lost.md").write_text(theirs)
    person.running.desk.index()
    person.wait(lambda: page.notice.isVisible() and "Others changed" in page.notice_text.text())
    page.notice_button.click()
    person.wait(lambda: "keeper twice" in page.edit.text())
    assert "timed out` Mine." in page.edit.text()
    assert (folder / "lease-lost.md").read_text() == theirs
    person.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: page.is_asking)
    assert page.sheet.title.text() == "plain is only read"
    target = tmp_path / "mine.patch"
    assert page.editing is not None
    draft = page.editing.draft
    store = person.feature.writing.store
    person.feature.writing.handing_in.write_patch(target, lambda: patch_of(store, draft))
    person.wait(target.exists)
    git(folder, "init", "-q")
    git(folder, "apply", str(target))
    assert (folder / "lease-lost.md").read_text() == page.edit.text()


def test_a_pasted_picture_lies_beside_the_entry_and_asks_for_its_description(
    start: Callable[..., Person], remote: Path
) -> None:
    person = start()
    person.open("lease-lost.md")
    person.press(Qt.Key.Key_E)
    page = person.feature.writing.page
    person.wait(lambda: page.editing is not None)
    page.edit.go_to_line(11)
    image = QImage(64, 32, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QApplication.clipboard().setImage(image)
    person.press(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: page.edit.textCursor().selectedText() == "describe the picture")
    person.wait(lambda: any(p.code == "picture-description" for p in page.problems))
    person.write("The keeper's log")
    person.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: page.is_asking)
    person.press(Qt.Key.Key_Return)
    person.wait(lambda: states() == [ProposalState.PROPOSED])
    [proposal] = proposals(app_folders())
    assert proposal.paths == ("lease-lost.md", "lease-lost-1.png")
    assert "![The keeper's log](lease-lost-1.png)" in git(remote, "show", f"{proposal.branch}:lease-lost.md")


def test_the_same_place_changed_twice_is_asked_and_nothing_is_lost(
    start: Callable[..., Person], remote: Path, tmp_path: Path
) -> None:
    person = start()
    person.open("lease-lost.md")
    person.press(Qt.Key.Key_E)
    page = person.feature.writing.page
    person.wait(lambda: page.editing is not None)
    page.edit.go_to_line(11)
    person.write(" Mine.")
    person.wait(lambda: page.is_settled)
    colleague = tmp_path / "colleague"
    git(tmp_path, "clone", "-q", str(remote), str(colleague))
    theirs = LEASE.replace("timed out`\n\n## M", "timed out` Theirs.\n\n## M")
    (colleague / "lease-lost.md").write_text(theirs)
    git(colleague, "commit", "-qam", "theirs")
    git(colleague, "push", "-q", "origin", "main")
    person.feature.writing.send()
    person.wait(lambda: page.notice.isVisible() and "Others changed" in page.notice_text.text())
    page.notice.hide()
    person.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: page.is_asking)
    person.press(Qt.Key.Key_Return)
    conflicts = person.window.feature(ConflictsFeature)
    person.wait(lambda: person.window.pages.currentWidget() is conflicts.page)
    assert person.feature.writing.store.all()[0].text.count("Mine.") == 1
    person.press(Qt.Key.Key_Escape)
    person.wait(lambda: person.window.pages.currentWidget() is page)
    assert "timed out` Mine." in page.edit.text()
    assert states() == []


def test_somebody_git_does_not_know_is_asked_once_for_her_name(
    start: Callable[..., Person], remote: Path
) -> None:
    folders = app_folders()
    save_settings(folders, replace(load_settings(folders), contributor_name="", contributor_email=""))
    person = start()
    person.open("lease-lost.md")
    person.press(Qt.Key.Key_E)
    page = person.feature.writing.page
    person.wait(lambda: page.editing is not None)
    page.edit.go_to_line(11)
    person.write(" Rarely.")
    person.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    person.wait(lambda: page.is_asking and page.sheet.name.isVisible())
    person.press(Qt.Key.Key_Return)
    assert person.focused() is page.sheet.name
    person.write("Cleo Example")
    person.press(Qt.Key.Key_Tab)
    person.write("cleo@example.org")
    person.press(Qt.Key.Key_Return)
    person.wait(lambda: states() == [ProposalState.PROPOSED])
    [proposal] = proposals(folders)
    author = git(remote, "log", "-1", "--format=%an %ae", proposal.branch).strip()
    assert author == "Cleo Example cleo@example.org"
    person.wait(lambda: load_settings(folders).contributor_name == "Cleo Example")
    assert person.keys <= 12
