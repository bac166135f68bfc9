"""Repositories through the real window: added, searched, synced, asked about, and what changed since."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from kb_app.gitstore.locks import exclusive
from kb_app.gitstore.sync import SyncEnd
from kb_app.paths import app_folders
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.sync.add_page import AddRepositoryPage
from kb_app.ui.sync.feature import SyncFeature
from kb_app.ui.sync.page import SyncPage
from kb_app.ui.sync.state import BaseStatus

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))
from gitstore_http import serve_http
from gitstore_remotes import Remote, git, test_environment, tmp_path

__all__ = ["tmp_path"]

test_environment.__test__ = False
TIMEOUT_MS = 60_000
SLOT = "# A slot fills the disk\n\nThe volume of `pg_wal` grows.\n\n" + "Look at the slots.\n\n" * 60
PAGES = {
    "pg/slot.md": SLOT,
    "redis/oom.md": "# Redis is out of memory\n\nRedis answers `OOM command not allowed`.\n",
    "nginx/499.md": "# Clients close early\n\nThe log shows 499.\n",
    "etcd/leader.md": "# etcd lost its leader\n\nMembers cannot reach each other.\n",
}

Start = Callable[..., Running]


@pytest.fixture(autouse=True)
def known_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in test_environment(tmp_path / "user").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication) -> Iterator[Start]:
    """Start windows like ``kb-app`` does and end them afterwards."""
    running: list[Running] = []

    def start_window(*bases: Path) -> Running:
        make_application()
        one = Running(qapp, app_folders(), Options(tuple(map(str, bases))))
        one.crashes.uninstall()  # pytest-qt takes exceptions here, and fails the test
        running.append(one)
        one.start()
        one.window.resize(1440, 900)
        qtbot.waitExposed(one.window)
        return one

    yield start_window
    for one in running:
        end(one)


def end(running: Running) -> None:
    running.window.close()
    running.finish()
    running.theme.setParent(None)


def indexed(running: Running, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: running.desk.index_state.is_complete, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not running.desk.search.is_busy, timeout=TIMEOUT_MS)


def git_feature(running: Running) -> SyncFeature:
    return running.window.feature(SyncFeature)


def status_of(running: Running, name: str = "remote") -> BaseStatus:
    status = git_feature(running).queue.status(name)
    assert status is not None
    return status


def add_page(running: Running) -> AddRepositoryPage:
    page = running.window.pages.currentWidget()
    assert isinstance(page, AddRepositoryPage)
    return page


def add(running: Running, address: str, qtbot: QtBot, name: str = "remote") -> None:
    """Add a repository by keys alone and wait until it is searched."""
    running.window.actions_table[ActionId.ADD_REPOSITORY].trigger()
    page = add_page(running)
    qtbot.keyClicks(page.address, address)
    assert page.name.text() == name
    qtbot.waitUntil(page.add.isEnabled, timeout=TIMEOUT_MS)
    qtbot.keyClick(page.address, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: git_feature(running).queue.status(name) is not None, timeout=TIMEOUT_MS)
    indexed(running, qtbot)


def sync(running: Running, qtbot: QtBot, name: str = "remote") -> None:
    """Press Ctrl+R and wait for the end of the exchange."""
    with qtbot.waitSignal(git_feature(running).synced, timeout=TIMEOUT_MS):
        running.window.actions_table[ActionId.SYNC].trigger()
    indexed(running, qtbot)


def open_entry(running: Running, path: str, qtbot: QtBot, name: str = "remote") -> None:
    running.window.open_entry(EntryRef(name, path))
    qtbot.waitUntil(
        lambda: running.desk.current is not None and running.desk.current.ref.path == path, timeout=TIMEOUT_MS
    )


def titles(running: Running) -> list[str]:
    return [row.title for row in running.window.results.list.rows if row.ref is not None]


def uses(running: Running) -> dict[str, tuple[str, ...]]:
    return dict(running.desk.session.state.uses)


def test_from_the_first_run_a_repository_is_added_searched_synced_and_its_changes_are_shown(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    remote = Remote(tmp_path, PAGES)
    running = start()
    window = running.window
    assert window.pages.currentWidget() is window.welcome
    window.welcome.repository.button.click()
    page = add_page(running)
    qtbot.keyClicks(page.address, remote.address)
    qtbot.waitUntil(page.add.isEnabled, timeout=TIMEOUT_MS)
    qtbot.keyClick(page.address, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.panes, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: [base.name for base in running.desk.bases] == ["remote"], timeout=TIMEOUT_MS)
    indexed(running, qtbot)
    window.search.set_text("slot disk")
    qtbot.waitUntil(lambda: titles(running)[:1] == ["A slot fills the disk"], timeout=TIMEOUT_MS)

    open_entry(running, "pg/slot.md", qtbot)
    qtbot.waitUntil(lambda: bool(uses(running)), timeout=TIMEOUT_MS)
    view = window.reading.reader.view
    view.verticalScrollBar().setValue(400)
    place = view.verticalScrollBar().value()
    assert place > 0

    remote.commit(
        {
            "pg/slot.md": SLOT.replace("grows", "grows by one gigabyte an hour"),
            "redis/oom.md": None,
            "kafka/lag.md": "# Consumers lag behind\n\nThe offset stands still.\n",
        },
        "docs: say how fast it grows\n\nReviewed-by: Cid Owner <cid@example.org>",
    )
    sync(running, qtbot)
    qtbot.waitUntil(lambda: "gigabyte" in view.toPlainText(), timeout=TIMEOUT_MS)
    assert view.verticalScrollBar().value() == place

    banner = window.reading.reader.findChild(QLabel, "newsSentence")
    qtbot.waitUntil(banner.isVisible, timeout=TIMEOUT_MS)
    assert banner.text().startswith("Changed once since you last used it (")
    assert banner.text().endswith("by Bob Colleague, reviewed by Cid Owner")
    news = git_feature(running).news.banner
    assert news is not None
    news.toggle.click()
    assert "grows by one gigabyte an hour" in news.diff_text()
    assert "Look at the slots" in news.diff_text()

    window.search.set_text("consumers lag")
    qtbot.waitUntil(lambda: titles(running)[:1] == ["Consumers lag behind"], timeout=TIMEOUT_MS)
    assert [(c.status.value, c.path) for c in status_of(running).changes] == [
        ("added", "kafka/lag.md"),
        ("changed", "pg/slot.md"),
        ("deleted", "redis/oom.md"),
    ]
    assert git_feature(running).chip.words() == "up to date · now"


def test_a_banner_is_shown_once_and_only_for_what_changed(start: Start, tmp_path: Path, qtbot: QtBot) -> None:
    remote = Remote(tmp_path, PAGES)
    running = start()
    add(running, remote.address, qtbot)
    for path in ("pg/slot.md", "nginx/499.md"):
        open_entry(running, path, qtbot)
        qtbot.waitUntil(
            lambda path=path: any(key.endswith(path) for key in uses(running)), timeout=TIMEOUT_MS
        )
    remote.commit({"pg/slot.md": "# A slot fills the disk\n\nDrop the slot.\n"}, "docs: shorter")
    sync(running, qtbot)
    banner = git_feature(running).news.banner
    assert banner is not None
    before = uses(running)
    open_entry(running, "nginx/499.md", qtbot)
    qtbot.waitUntil(lambda: uses(running) != before, timeout=TIMEOUT_MS)
    assert not banner.isVisible()
    open_entry(running, "pg/slot.md", qtbot)
    qtbot.waitUntil(banner.isVisible, timeout=TIMEOUT_MS)
    assert banner.reason.text() == "docs: shorter"
    open_entry(running, "nginx/499.md", qtbot)
    assert not banner.isVisible()
    open_entry(running, "pg/slot.md", qtbot)
    qtbot.wait(900)
    assert not banner.isVisible()


def test_a_remote_that_would_delete_most_asks_and_each_answer_does_what_it_says(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    remote = Remote(tmp_path, PAGES)
    running = start()
    add(running, remote.address, qtbot)
    remote.commit(dict.fromkeys(["pg/slot.md", "redis/oom.md", "nginx/499.md"]), "chore: clear")
    sync(running, qtbot)
    queue = git_feature(running).queue
    status = status_of(running)
    assert status.is_asking
    assert git_feature(running).chip.words() == "needs an answer"
    message = running.window.messages.current
    assert message is not None
    assert "3 of 4 files" in message.text

    running.window.messages.action_button.click()
    page = running.window.pages.currentWidget()
    assert isinstance(page, SyncPage)
    card = page.cards["remote"]
    assert [row.word for row in card.pending.rows()] == ["Removed", "Removed", "Removed"]
    assert running.window.focusWidget().objectName() == "choice:keep"
    running.window.focusWidget().click()
    assert not status_of(running).is_asking
    assert running.window.messages.current is None
    sync(running, qtbot)
    assert not status_of(running).is_asking  # the same state is not asked about again

    queue.accept("remote")
    qtbot.waitUntil(lambda: status_of(running).outcome.end is SyncEnd.UPDATED, timeout=TIMEOUT_MS)
    indexed(running, qtbot)
    running.window.search.clear()
    qtbot.waitUntil(lambda: titles(running) == ["etcd lost its leader"], timeout=TIMEOUT_MS)


def test_replaced_history_is_taken_only_when_chosen_and_the_former_state_keeps_a_name(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    remote = Remote(tmp_path, PAGES)
    first = remote.tip()
    remote.commit({"pg/slot.md": "# A slot fills the disk\n\nSecond.\n"})
    running = start()
    add(running, remote.address, qtbot)
    git(remote.work, "reset", "-q", "--hard", first)
    remote.commit({"pg/slot.md": "# A slot fills the disk\n\nAnother second.\n"}, push=False)
    git(remote.work, "push", "-q", "--force", "origin", "HEAD")
    sync(running, qtbot)
    status = status_of(running)
    assert status.outcome.end is SyncEnd.FORCED
    root = running.desk.bases[0].root
    assert "Second." in (root / "pg/slot.md").read_text()
    git_feature(running).show_page("remote")
    card = running.window.pages.currentWidget().cards["remote"]
    assert status.outcome.backup_ref in card.details.text()
    assert not card.details.findChild(QLabel).isVisible()
    with qtbot.waitSignal(git_feature(running).synced, timeout=TIMEOUT_MS):
        card.findChild(type(card.sync), "choice:take").click()
    assert "Another second." in (root / "pg/slot.md").read_text()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("401", "The server asks for a login"),
        ("403", "The server knows you but does not let you do this"),
        ("404", "There is no repository at this address, or you may not see it"),
        ("html", "A web page answered instead of the repository"),
    ],
)
def test_a_failure_is_one_sentence_with_a_next_step_and_leaves_nothing(
    fault: str, sentence: str, start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    Remote(tmp_path, PAGES)
    with serve_http(tmp_path) as server:
        server.fault = fault
        running = start()
        running.window.actions_table[ActionId.ADD_REPOSITORY].trigger()
        page = add_page(running)
        qtbot.keyClicks(page.address, f"{server.url}/remote.git")
        qtbot.waitUntil(page.add.isEnabled, timeout=TIMEOUT_MS)
        page.add.click()
        qtbot.waitUntil(page.failure.isVisible, timeout=TIMEOUT_MS)
        assert page.failure.sentence.text() == sentence
        assert page.failure.hint.text()
        assert "canary" not in page.failure.details.text()
        assert not list(app_folders().clones.glob(".incoming-*"))
        server.fault = ""
        page.failure.again.click()
        qtbot.waitUntil(lambda: git_feature(running).queue.status("remote") is not None, timeout=TIMEOUT_MS)


def test_a_stalled_copy_is_cancelled_within_a_second_and_leaves_nothing(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    Remote(tmp_path, PAGES)
    with serve_http(tmp_path) as server:
        server.fault, server.only = "stall:200", "git-upload-pack"
        running = start()
        running.window.actions_table[ActionId.ADD_REPOSITORY].trigger()
        page = add_page(running)
        qtbot.keyClicks(page.address, f"{server.url}/remote.git")
        qtbot.waitUntil(page.add.isEnabled, timeout=TIMEOUT_MS)
        page.add.click()
        qtbot.waitUntil(lambda: any("POST" in request for request in server.requests), timeout=TIMEOUT_MS)
        assert page.progress.cancel.isVisible()
        qtbot.mouseClick(page.progress.cancel, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: not page.progress.isVisible(), timeout=TIMEOUT_MS)
        assert page.address.text()
        assert page.add.isEnabled()
    assert not list(app_folders().clones.glob(".incoming-*"))


def test_only_some_folders_of_a_large_repository(start: Start, tmp_path: Path, qtbot: QtBot) -> None:
    remote = Remote(tmp_path, PAGES)
    with remote.bare.joinpath("config").open("a") as config:
        config.write("[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n")
    with serve_http(tmp_path) as server:
        running = start()
        running.window.actions_table[ActionId.ADD_REPOSITORY].trigger()
        page = add_page(running)
        qtbot.keyClicks(page.address, f"{server.url}/remote.git")
        qtbot.waitUntil(page.part.isEnabled, timeout=TIMEOUT_MS)
        page.part.click()
        qtbot.waitUntil(page.folders.isVisible, timeout=TIMEOUT_MS)
        assert not page.folders.copy.isEnabled()
        next(check for check in page.folders.checks() if check.text() == "pg").click()
        page.folders.copy.click()
        qtbot.waitUntil(lambda: git_feature(running).queue.status("remote") is not None, timeout=TIMEOUT_MS)
        indexed(running, qtbot)
        assert titles(running) == ["A slot fills the disk"]
        remote.commit({"pg/wal.md": "# WAL\n\nText.\n", "redis/new.md": "# New\n\nText.\n"})
        sync(running, qtbot)
        qtbot.waitUntil(
            lambda: sorted(titles(running)) == ["A slot fills the disk", "WAL"], timeout=TIMEOUT_MS
        )


def test_without_git_the_window_says_so_and_the_rest_works(
    start: Start, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.md").write_text("# The disk is full\n\nText.\n")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    running = start(folder)
    indexed(running, qtbot)
    assert titles(running) == ["The disk is full"]
    running.window.actions_table[ActionId.ADD_REPOSITORY].trigger()
    page = add_page(running)
    qtbot.waitUntil(page._no_git.isVisible, timeout=TIMEOUT_MS)
    assert page._no_git.sentence.text() == "Git is not installed"
    qtbot.keyClicks(page.address, "https://host.example/team/kb.git")
    assert not page.add.isEnabled()
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert running.window.pages.currentWidget() is running.window.panes


def test_a_folder_with_a_foreign_repository_is_read_as_files_and_a_clone_is_offered(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    remote = Remote(tmp_path, PAGES)
    running = start()
    before = sorted((file, file.stat().st_mtime_ns) for file in (remote.work / ".git").rglob("*"))
    running.window.add_folder(str(remote.work))
    qtbot.waitUntil(
        lambda: (
            running.window.messages.current is not None and running.window.messages.current.topic == "foreign"
        ),
        timeout=TIMEOUT_MS,
    )
    indexed(running, qtbot)
    assert len(titles(running)) == 4
    assert sorted((file, file.stat().st_mtime_ns) for file in (remote.work / ".git").rglob("*")) == before
    running.window.messages.action_button.click()
    page = add_page(running)
    assert page.address.text() == remote.address
    qtbot.waitUntil(page.add.isEnabled, timeout=TIMEOUT_MS)
    page.add.click()
    qtbot.waitUntil(lambda: bool(git_feature(running).queue.statuses), timeout=TIMEOUT_MS)
    assert [base.name for base in running.desk.bases] == ["remote"]


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    kept.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/remote.git"
        for connection in kept:
            connection.close()


def test_a_remote_that_hangs_leaves_search_and_another_sync_alone_and_closing_does_not_wait(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    hanging, other = Remote(tmp_path / "a", PAGES), Remote(tmp_path / "b", {"x.md": "# Other\n\nText.\n"})
    running = start()
    add(running, hanging.address, qtbot)
    running.window.actions_table[ActionId.ADD_REPOSITORY].trigger()
    page = add_page(running)
    qtbot.keyClicks(page.address, other.address)
    page.name.selectAll()
    qtbot.keyClicks(page.name, "other")
    qtbot.keyClick(page.name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: git_feature(running).queue.status("other") is not None, timeout=TIMEOUT_MS)
    indexed(running, qtbot)
    area = git_feature(running).queue.store.area
    with silent_server() as address:
        area.update(replace(area.get("remote"), url=address))
        other.commit({"y.md": "# New page\n\nText.\n"})
        running.window.actions_table[ActionId.SYNC].trigger()
        qtbot.waitUntil(
            lambda: (
                status_of(running, "other").outcome is not None
                and status_of(running, "other").outcome.end is SyncEnd.UPDATED
            ),
            timeout=TIMEOUT_MS,
        )
        indexed(running, qtbot)
        running.window.search.set_text("new page")
        qtbot.waitUntil(lambda: titles(running)[:1] == ["New page"], timeout=TIMEOUT_MS)
        assert status_of(running).is_syncing
        assert git_feature(running).chip.words() == "syncing"
        began = time.monotonic()
        running.window.close()
        running.jobs.close()
        assert time.monotonic() - began < 20  # far from the 45 s that git would wait


def test_a_copy_that_was_killed_half_way_is_not_listed_and_is_cleared_away(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    Remote(tmp_path, PAGES)
    clones = app_folders().clones
    with serve_http(tmp_path) as server:
        server.fault, server.only = "stall:200", "git-upload-pack"
        url = f"{server.url}/remote.git"
        with subprocess.Popen(
            [sys.executable, "-m", "kb_app", "add", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as adding:
            qtbot.waitUntil(lambda: bool(list(clones.glob(".incoming-*/r"))), timeout=TIMEOUT_MS)
            adding.kill()
        running = start()
        indexed(running, qtbot)
        assert git_feature(running).queue.statuses == ()
        server.fault = ""
        add(running, url, qtbot)
        assert not list(clones.glob(".incoming-*"))
        assert len(titles(running)) == len(PAGES)


def test_a_clone_taken_off_the_list_can_be_deleted_and_added_again_from_what_is_here(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    remote = Remote(tmp_path, PAGES)
    running = start()
    add(running, remote.address, qtbot)
    root = running.desk.bases[0].root

    def take_off() -> None:
        running.desk.remove_base("remote")
        qtbot.waitUntil(
            lambda: (
                running.window.messages.current is not None
                and running.window.messages.current.topic == "copy"
            ),
            timeout=TIMEOUT_MS,
        )
        qtbot.waitUntil(lambda: git_feature(running).queue.statuses == (), timeout=TIMEOUT_MS)

    take_off()
    assert root.is_dir()
    running.window.messages.dismiss()
    add(running, remote.address, qtbot)
    assert running.desk.bases[0].root == root
    take_off()
    running.window.messages.action_button.click()
    qtbot.waitUntil(lambda: not root.exists(), timeout=TIMEOUT_MS)


def test_the_chip_names_each_clone_and_its_menu_leads_to_its_details(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    remote = Remote(tmp_path, PAGES)
    running = start()
    assert git_feature(running).chip.isHidden()
    assert not running.window.actions_table[ActionId.SYNC].isEnabled()
    add(running, remote.address, qtbot)
    chip = git_feature(running).chip
    assert chip.isVisible()
    assert running.window.actions_table[ActionId.SYNC].isEnabled()
    menu = chip.menu()
    menu.aboutToShow.emit()
    assert menu.actions()[0].text() == "remote  ·  up to date · now"
    menu.actions()[0].trigger()
    page = running.window.pages.currentWidget()
    assert isinstance(page, SyncPage)
    assert running.window.focusWidget() is page.cards["remote"].sync
    remote.commit({"new.md": "# A new page\n\nText.\n"})
    with qtbot.waitSignal(git_feature(running).synced, timeout=TIMEOUT_MS):
        page.cards["remote"].sync.click()
    [row] = page.cards["remote"].changes.rows()
    assert (row.word, row.path) == ("Added", "new.md")
    page.entry_requested.emit("remote", row.path)
    qtbot.waitUntil(
        lambda: running.desk.current is not None and running.desk.current.entry.title == "A new page",
        timeout=TIMEOUT_MS,
    )
    assert running.window.pages.currentWidget() is running.window.panes


def test_syncs_go_by_themselves_and_not_when_they_are_switched_off(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    remote = Remote(tmp_path, PAGES)
    running = start()
    add(running, remote.address, qtbot)
    queue, settings = git_feature(running).queue, running.desk.workspace.settings
    remote.commit({"new.md": "# A new page\n\nText.\n"})
    past = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    running.desk.change_settings(replace(settings, sync=False))
    queue._statuses["remote"] = replace(status_of(running), next_at=past)
    queue._look()
    assert not status_of(running).is_syncing
    with qtbot.waitSignal(git_feature(running).synced, timeout=TIMEOUT_MS):
        running.desk.change_settings(replace(settings, sync=True))
    assert status_of(running).outcome.end is SyncEnd.UPDATED
    assert status_of(running).next_at > dt.datetime.now(dt.UTC) + dt.timedelta(minutes=8)


def test_what_is_asked_for_while_a_sync_runs_is_done_right_after(
    start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    remote = Remote(tmp_path, PAGES)
    running = start()
    add(running, remote.address, qtbot)
    queue, ended = git_feature(running).queue, []
    sync(running, qtbot)
    queue.synced.connect(lambda name, done: ended.append((name, done.sync.end)))
    queue.run_now()
    assert status_of(running).is_syncing
    queue.run_now()  # "Sync now" while proposals are being sent, for example
    qtbot.waitUntil(lambda: len(ended) == 2, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: not status_of(running).is_syncing, timeout=TIMEOUT_MS)
    assert [end for _, end in ended] == [SyncEnd.UP_TO_DATE] * 2


def test_a_clone_that_is_busy_is_synced_as_soon_as_it_is_free(
    start: Start, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_app.ui.sync.queue.BUSY_PAUSES_S", (0.05,) * 200)
    remote = Remote(tmp_path, PAGES)
    running = start()
    add(running, remote.address, qtbot)
    sync(running, qtbot)
    queue = git_feature(running).queue
    remote.commit({"new.md": "# A new page\n\nText.\n"})
    area, ends = queue.store.area, []
    queue.synced.connect(lambda _name, done: ends.append(done.sync.end))
    with exclusive(area.lock_file(area.get("remote"))):
        queue.run_now()
        qtbot.waitUntil(lambda: SyncEnd.BUSY in ends, timeout=TIMEOUT_MS)
        assert status_of(running).is_syncing
    qtbot.waitUntil(lambda: SyncEnd.UPDATED in ends, timeout=TIMEOUT_MS)
    indexed(running, qtbot)
    with exclusive(area.lock_file(area.get("remote"))):
        ends.clear()
        queue.run_now()
        qtbot.waitUntil(lambda: SyncEnd.BUSY in ends, timeout=TIMEOUT_MS)
        queue.cancel("remote")
        qtbot.waitUntil(lambda: not status_of(running).is_syncing, timeout=TIMEOUT_MS)
