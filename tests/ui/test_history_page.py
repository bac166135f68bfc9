"""The history page on a real managed copy with real git."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, git

from kb_app.entries.model import Entry, KnowledgeBaseConfig
from kb_app.entries.reading import read_entry
from kb_app.paths import AppFolders, app_folders
from kb_app.ui.common.jobs import ThreadJobs
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.theme import Theme, ThemeChoice
from kb_app.ui.shots.sample_repository import ANA, PATH, SampleCommit, make_repository, sample_commits
from kb_app.ui.versions.page import HistoryPage
from kb_app.ui.versions.state import FIRST_VERSIONS, View
from kb_app.workspace.sharing import clone_base

TIMEOUT = 20_000


class Bench:
    def __init__(self, qtbot: QtBot, folders: AppFolders) -> None:
        self.qtbot, self.folders = qtbot, folders
        self.jobs = ThreadJobs()
        self.page = HistoryPage(self.jobs, folders)
        qtbot.addWidget(self.page)
        self.page.resize(1200, 800)
        self.page.show()

    def open(self, root: Path, path: str) -> HistoryPage:
        entry = read_entry(root, path, KnowledgeBaseConfig())
        self.page.show_entry(EntryRef("kb", path), root, entry)
        self.qtbot.waitUntil(lambda: not self.page.stack.isHidden(), timeout=TIMEOUT)
        return self.page

    def shown(self, text: str) -> None:
        self.qtbot.waitUntil(lambda: text in self.page.diff.toPlainText(), timeout=TIMEOUT)


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication) -> Iterator[Bench]:
    Theme.current().set_choice(ThemeChoice.LIGHT)
    bench = Bench(qtbot, app_folders())
    yield bench
    bench.jobs.close()


@pytest.fixture
def sample(bench: Bench, tmp_path: Path) -> Path:
    make_repository(tmp_path / "kb.git", sample_commits())
    return Path(clone_base(bench.folders, str(tmp_path / "kb.git"), "kb").location)


def keys(widget: QWidget, qtbot: QtBot, *pressed: Qt.Key) -> None:
    for key in pressed:
        qtbot.keyClick(widget, key)


def test_versions_stand_newest_first_and_the_newest_shows_its_change(bench: Bench, sample: Path) -> None:
    page = bench.open(sample, PATH)
    subjects = [v.revision.subject for v in page.timeline.versions.versions]
    assert subjects[0].startswith("consumer-lag: static membership")
    assert len(subjects) == 5
    bench.shown("group.instance.id")
    assert page.details.subject.text() == subjects[0]
    assert "Reviewed by Ana Kowalski" in page.details.facts.text()
    assert "staging cluster" in page.details.reason.text()
    assert page.details.signature.text() == "not signed"
    removed = page.diff.document().find("the member's name")
    assert removed.charFormat().fontStrikeOut()
    assert removed.charFormat().background().color() == Theme.current().color("danger_bg")
    added = page.diff.document().find("group.instance.id")
    assert not added.charFormat().fontStrikeOut()
    assert added.charFormat().background().color() == Theme.current().color("fix_bg")


def test_who_verified_it_is_said(bench: Bench, sample: Path) -> None:
    page = bench.open(sample, PATH)
    bench.qtbot.waitUntil(lambda: not page.confirmation.isHidden(), timeout=TIMEOUT)
    text = page.confirmation.text()
    assert text.startswith("Verified by Ana Kowalski on 9 Nov 2025, version ")
    assert text.endswith("1 change since")


def test_keys_go_through_the_views_and_two_versions_can_be_compared(bench: Bench, sample: Path) -> None:
    page, qtbot = bench.open(sample, PATH), bench.qtbot
    keys(page.timeline, qtbot, Qt.Key.Key_Down, Qt.Key.Key_Down)
    bench.shown("5,000")
    keys(page.timeline, qtbot, Qt.Key.Key_2)
    assert page.view is View.SINCE
    bench.shown("group.instance.id")
    keys(page.timeline, qtbot, Qt.Key.Key_3)
    qtbot.waitUntil(lambda: "as they were then" in page.status.text(), timeout=TIMEOUT)
    assert "the member's name" in page.diff.toPlainText()
    keys(page.timeline, qtbot, Qt.Key.Key_1)
    qtbot.keyClick(page.timeline, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert page.timeline.selected_rows() == (2, 3)
    assert "compared with" in page.details.subject.text()
    bench.shown("5,000")
    assert not page.restore.isEnabled()


def test_a_fold_opens(bench: Bench, sample: Path) -> None:
    page = bench.open(sample, PATH)
    bench.shown("lines that did not change")
    assert "ConsumerLagHigh" not in page.diff.toPlainText()
    page.diff.open_folds()
    assert "ConsumerLagHigh" in page.diff.toPlainText()


def test_who_wrote_each_line_and_the_way_to_that_version(bench: Bench, sample: Path) -> None:
    page, qtbot = bench.open(sample, PATH), bench.qtbot
    keys(page.timeline, qtbot, Qt.Key.Key_4)
    qtbot.waitUntil(lambda: page.texts.currentWidget() is page.blame, timeout=TIMEOUT)
    cursor = page.blame.document().find("Risk: low")
    cursor.movePosition(QTextCursor.MoveOperation.StartOfLine)
    page.blame.setTextCursor(cursor)
    assert "Ben Okafor" in page.status.text()
    assert "state time and risk" in page.status.text()
    keys(page.blame, qtbot, Qt.Key.Key_Return)
    assert page.view is View.CHANGE
    assert page.details.subject.text().startswith("consumer-lag: state time")
    bench.shown("Risk: low")


def test_the_text_of_a_version_can_be_taken(bench: Bench, sample: Path) -> None:
    page, qtbot = bench.open(sample, PATH), bench.qtbot
    page.timeline.select_row(4)
    with qtbot.waitSignal(page.said, timeout=TIMEOUT):
        keys(page.timeline, qtbot, Qt.Key.Key_Y)
    copied = QGuiApplication.clipboard().text()
    assert "the member's name" in copied
    assert "Verify" not in copied
    with qtbot.waitSignal(page.restore_wanted, timeout=TIMEOUT) as caught:
        keys(page.timeline, qtbot, Qt.Key.Key_R)
    assert caught.args == [EntryRef("kb", PATH), copied]


def test_a_plain_folder_says_why_there_is_no_history(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.md").write_text("# A\n")
    page = bench.open(tmp_path / "plain", "a.md")
    assert page.stack.currentWidget() is page.empty
    assert not page.empty.findChildren(QPushButton)


def test_somebodys_repository_is_offered_a_managed_copy(bench: Bench, tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r", {"a.md": "# A\n"})
    hostile = f"[core]\n\tfsmonitor = touch {tmp_path}/canary\n[diff]\n\texternal = touch {tmp_path}/canary\n"
    config = remote.work / ".git" / "config"
    config.write_text(config.read_text() + hostile)
    page = bench.open(remote.work, "a.md")
    button = page.empty.findChild(QPushButton)
    assert button.text() == "Make a managed copy"
    with bench.qtbot.waitSignal(page.copy_wanted, timeout=TIMEOUT) as caught:
        keys(button, bench.qtbot, Qt.Key.Key_Space)
    assert caught.args == [remote.work]
    assert not (tmp_path / "canary").exists()


def test_an_entry_that_was_never_committed_says_so(bench: Bench, sample: Path) -> None:
    (sample / "new.md").write_text("# New\n")
    page = bench.open(sample, "new.md")
    assert page.stack.currentWidget() is page.empty


def test_two_thousand_versions_come_in_pieces(bench: Bench, tmp_path: Path) -> None:
    day = 86_400
    commits = [
        SampleCommit(ANA, 1_700_000_000 + n * day // 8, f"change {n}", {"a.md": f"# A\n\nValue {n}.\n"})
        for n in range(2_000)
    ]
    make_repository(tmp_path / "kb.git", commits)
    root = Path(clone_base(bench.folders, str(tmp_path / "kb.git"), "kb").location)
    page, qtbot = bench.open(root, "a.md"), bench.qtbot
    assert page.timeline.versions.rowCount() == FIRST_VERSIONS
    assert "more below" in page.count.text()
    while "more below" in page.count.text():
        rows = page.timeline.versions.rowCount()
        page.timeline.select_row(rows - 1)
        qtbot.waitUntil(
            lambda rows=rows: (
                page.timeline.versions.rowCount() > rows or "more below" not in page.count.text()
            ),
            timeout=TIMEOUT,
        )
    assert page.timeline.versions.rowCount() == 2_000
    assert page.timeline.versions.versions[-1].revision.subject == "change 0"


def test_strangers_text_is_shown_as_escapes(bench: Bench, tmp_path: Path) -> None:
    evil = "Eve\x1b[31m\u202e"
    make_repository(
        tmp_path / "kb.git",
        [
            SampleCommit(
                evil,
                1_700_000_000,
                "sub\u202eject <b>x</b>\n\nwhy\x07 \u2066not",
                {"a.md": "# A\u202e\x1b[1m\n"},
            )
        ],
    )
    root = Path(clone_base(bench.folders, str(tmp_path / "kb.git"), "kb").location)
    page = bench.open(root, "a.md")
    bench.shown("A\\u202e")
    keys(page.timeline, bench.qtbot, Qt.Key.Key_4)
    bench.qtbot.waitUntil(lambda: bool(page.blame.toPlainText()), timeout=TIMEOUT)
    texts = [
        page.details.subject.text(),
        page.details.who.text(),
        page.details.reason.text(),
        page.diff.toPlainText(),
        page.blame.toPlainText(),
        page.status.text(),
        page.timeline.versions.index(0).data(),
        page.timeline.versions.index(0).data(Qt.ItemDataRole.ToolTipRole),
    ]
    for text in texts:
        assert not set(text) & set("\x1b\x07\u202e\u2066"), text
    assert page.details.subject.text() == "sub\\u202eject <b>x</b>"
    assert page.details.subject.textFormat() == Qt.TextFormat.PlainText
    assert "Eve\\u001b[31m\\u202e" in page.details.who.text()


def test_a_signed_version_says_by_whom(bench: Bench, tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    remote = Remote(tmp_path / "r")
    public = key.with_suffix(".pub").read_text()
    remote.commit({"allowed_signers": f"ada@example.org {public}", "a.md": "# A\n"}, "unsigned")
    (remote.work / "a.md").write_text("# A\n\nMore.\n")
    sign = ("-c", "gpg.format=ssh", "-c", f"user.signingKey={key}")
    git(remote.work, *sign, "commit", "-q", "-a", "-S", "-m", "signed")
    git(remote.work, "push", "-q", "origin", "HEAD")
    root = Path(clone_base(bench.folders, remote.address, "kb").location)
    page = bench.open(root, "a.md")
    bench.qtbot.waitUntil(lambda: page.details.signature.text() == "signed", timeout=TIMEOUT)
    assert "ada@example.org" in page.details.signature.toolTip()
    assert dt.datetime.now(dt.UTC) > page.timeline.versions.versions[0].revision.authored_at
    page.timeline.select_row(1)
    assert page.details.signature.text() == "not signed"


def test_an_unsigned_dangerous_command_is_said_above_the_change(bench: Bench, tmp_path: Path) -> None:
    page_text = "# A\n\n```sh\nkubectl get pods\n```\n"
    make_repository(
        tmp_path / "kb.git",
        [
            SampleCommit(ANA, 1_700_000_000, "first", {"a.md": page_text}),
            SampleCommit(
                ANA, 1_700_000_100, "second", {"a.md": page_text.replace("get pods", "delete ns x")}
            ),
        ],
    )
    root = Path(clone_base(bench.folders, str(tmp_path / "kb.git"), "kb").location)
    page = bench.open(root, "a.md")
    bench.qtbot.waitUntil(lambda: "kubectl delete ns x" in page.details.danger.text(), timeout=TIMEOUT)
    assert not page.details.danger.isHidden()
    page.timeline.select_row(1)
    bench.qtbot.waitUntil(page.details.danger.isHidden, timeout=TIMEOUT)


def test_a_long_page_is_written_bit_by_bit_and_whole(bench: Bench, tmp_path: Path) -> None:
    text = "# A\n\n" + "".join(f"Line {n} of many.\n" for n in range(3_000))
    make_repository(tmp_path / "kb.git", [SampleCommit(ANA, 1_700_000_000, "first", {"a.md": text})])
    root = Path(clone_base(bench.folders, str(tmp_path / "kb.git"), "kb").location)
    page = bench.open(root, "a.md")
    keys(page.timeline, bench.qtbot, Qt.Key.Key_3)
    bench.shown("Line 2999 of many.")
    shown = page.diff.toPlainText().split("\n")
    assert shown == ["A", "", *text.split("\n")[2:-1]]
    assert page.diff.verticalScrollBar().value() == 0


def test_another_entry_does_not_get_the_answers_for_the_first(bench: Bench, sample: Path) -> None:
    entry: Entry = read_entry(sample, PATH, KnowledgeBaseConfig())
    bench.page.show_entry(EntryRef("kb", PATH), sample, entry)
    (sample / "new.md").write_text("# New\n")
    page = bench.open(sample, "new.md")
    bench.qtbot.wait(200)
    assert page.timeline.versions.rowCount() == 0
