"""Git as a capability of the window: adding repositories, the quiet sync, what changed."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QMenu

from kb_app.entries.knowledge_base import CONFIG_NAME, SUFFIXES
from kb_app.errors import KbError
from kb_app.logs import visible
from kb_app.settings import Settings
from kb_app.ui.common.actions import ActionId, When
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.features import Feature
from kb_app.workspace.bases import lies_in_clones

if TYPE_CHECKING:
    from kb_app.gitstore.store import Synchronised
    from kb_app.gitstore.sync import FileChange
    from kb_app.ui.sync.add_page import AddRepositoryPage
    from kb_app.ui.sync.chip import SyncChip
    from kb_app.ui.sync.news import EntryNewsWatch
    from kb_app.ui.sync.page import SyncPage
    from kb_app.ui.sync.queue import SyncQueue
    from kb_app.ui.window import MainWindow

MINUTE_MS = 60_000
WARM_UP_MS = 4_000
"""After the start has settled: the first index, the first search and the reader go first."""


class SyncFeature(Feature):
    """Repositories in the window.

    Signals:
        status_changed(): something about a clone is different (`queue.statuses`).
        synced(str, object): an exchange with a remote ended: knowledge base name and `Synchronised`.
    """

    status_changed = Signal()
    synced = Signal(str, object)

    def __init__(self, window: MainWindow) -> None:
        """Join the window; nothing is read before `start`."""
        super().__init__(window)
        self._queue: SyncQueue | None = None
        self._chip: SyncChip | None = None
        self._news: EntryNewsWatch | None = None
        self._add_page: AddRepositoryPage | None = None
        self._page: SyncPage | None = None
        self._roots: frozenset[Path] = frozenset(base.root for base in self.desk.workspace.bases)
        self._had_remote = False
        self._minute = QTimer(self, interval=MINUTE_MS)
        self._minute.timeout.connect(self._show_status)
        self.desk.bases_changed.connect(self._on_bases_changed)
        self.desk.index_changed.connect(lambda _state: self._on_index_changed())
        self.desk.settings_changed.connect(self._on_settings_changed)

    # Each part is made when it is first needed: who has no clone pays for none of them at the start.

    @property
    def queue(self) -> SyncQueue:
        """Return everything that talks to remotes."""
        if self._queue is None:
            from kb_app.ui.sync.queue import SyncQueue  # start-up time

            self._queue = SyncQueue(self.desk, self)
            self._queue.status_changed.connect(self._show_status)
            self._queue.changes_coming.connect(self.desk.prepare_indexing)
            self._queue.synced.connect(self._on_synced)
            self._queue.failed.connect(self._on_failed)
        return self._queue

    @property
    def chip(self) -> SyncChip:
        """Return the state at the top of the window."""
        if self._chip is None:
            from kb_app.ui.sync.chip import SyncChip  # start-up time

            self._chip = SyncChip()
            self._chip.menu_requested.connect(self._fill_menu)
            self._chip.set_compact(self.window.topbar.is_compact)
            self.window.topbar.compacted.connect(self._chip.set_compact)
            self.window.topbar.add_chip(self._chip)
        return self._chip

    @property
    def news(self) -> EntryNewsWatch:
        """Return what tells that the entry shown has changed."""
        if self._news is None:
            from kb_app.ui.sync.news import EntryNewsWatch  # start-up time

            self._news = EntryNewsWatch(self.window, self.queue, self)
        return self._news

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions of this feature do."""
        return {ActionId.ADD_REPOSITORY: self._on_add_wanted, ActionId.SYNC: self._on_sync_wanted}

    def facts(self) -> Iterable[When]:
        """Return whether there is anything to sync."""
        return (When.HAS_REMOTE,) if self._queue is not None and self._queue.statuses else ()

    def start(self) -> None:
        """Look which knowledge bases are clones; make ready, at leisure, what the first page needs."""
        self.queue.load()
        QTimer.singleShot(WARM_UP_MS, self, self._warm_up)

    def _warm_up(self) -> None:
        """Read the modules of the pages in another thread, so that the first of them opens at once."""

        def work() -> None:
            import kb_app.ui.sync.state
            import kb_app.workspace.syncing  # noqa: F401 - read for their side effect

        self.desk.jobs.run(work, lane=Lane.GIT)

    def stop(self) -> None:
        """End what talks to remotes."""
        self._minute.stop()
        if self._queue is not None:
            self._queue.stop()
        if self._add_page is not None:
            self._add_page.cancel()

    # -- for others ------------------------------------------------------------------------------------

    def run_now(self, names: Iterable[str] = ()) -> None:
        """Sync these knowledge bases next, with their proposals; all of them when none is named."""
        self.queue.run_now(names)

    def show_add_page(self, address: str = "", *, instead_of: str = "") -> None:
        """Show the page that adds a repository.

        Args:
            address: stands in its field.
            instead_of: the knowledge base that the clone takes the place of.
        """
        page = self.add_page
        page.begin(address, instead_of=instead_of)
        self.window.show_page(page)
        page.address.setFocus()

    @property
    def add_page(self) -> AddRepositoryPage:
        """Return the page that adds a repository, making it when it is asked for."""
        if self._add_page is None:
            from kb_app.ui.sync.add_page import AddRepositoryPage  # start-up time

            self._add_page = AddRepositoryPage(self.desk, self.window.pages)
            self._add_page.added.connect(self._on_added)
            self.window.add_page(self._add_page)
        return self._add_page

    def show_page(self, name: str = "") -> None:
        """Show the page with every clone, ``name`` first in view."""
        if self._page is None:
            from kb_app.ui.sync.page import SyncPage  # start-up time

            page = SyncPage(self.queue, self.window.pages)
            page.entry_requested.connect(self._open_entry)
            page.add_requested.connect(self._on_add_wanted)
            self.window.add_page(page)
            self._page = page
        self._page.refresh()
        self._look_up_titles()
        for status in self.queue.statuses:  # what they say stands on the page
            self.desk.message_settled.emit(f"sync:{status.name}")
        self.window.show_page(self._page)
        self._page.go_to(name)

    def _look_up_titles(self) -> None:
        """Give the page the titles of changed entries, as the index has them."""
        changed = {status.name: status.changes for status in self.queue.statuses if status.changes}
        folders = {base.name: base.index_folder for base in self.desk.workspace.bases}
        if not changed or self._page is None:
            return
        page = self._page

        def work() -> dict[str, dict[str, str]]:
            from kb_app.search.catalogue_file import load_cards  # start-up time

            wanted = {name: {change.path for change in changes} for name, changes in changed.items()}
            return {
                name: {card.path: card.title for card in load_cards(folders[name]) if card.path in paths}
                for name, paths in wanted.items()
                if name in folders
            }

        self.desk.jobs.run(work, on_done=page.set_titles)

    def _on_index_changed(self) -> None:
        if self._page is not None and self.window.pages.currentWidget() is self._page:
            self._look_up_titles()

    def _on_add_wanted(self) -> None:
        self.show_add_page()

    def _on_sync_wanted(self) -> None:
        self.run_now()

    # -- what is shown ---------------------------------------------------------------------------------

    def _show_status(self) -> None:
        statuses = self.queue.statuses
        if not statuses:
            if self._chip is not None:
                self._chip.hide()
            self._minute.stop()
        else:
            from kb_app.ui.sync.state import chip_of  # start-up time

            self.news.begin()
            view = chip_of(statuses, dt.datetime.now(dt.UTC))
            self.chip.show_state(view.icon, view.color, view.text, view.tooltip)
            if not self._minute.isActive():
                self._minute.start()
        if bool(statuses) is not self._had_remote:
            self._had_remote = bool(statuses)
            self.window.update_actions()
        if self._page is not None and self.window.pages.currentWidget() is self._page:
            self._page.refresh()
            self._look_up_titles()
        self.status_changed.emit()

    def _fill_menu(self, menu: QMenu) -> None:
        from kb_app.ui.sync.state import condition_of, look_of, status_text

        now = dt.datetime.now(dt.UTC)
        self.window.actions_table.bind_icons()
        menu.clear()
        for status in self.queue.statuses:
            text = f"{visible(status.name)}  ·  {status_text(status, now)}".replace("&", "&&")
            action = menu.addAction(text)
            bind_icon(action, *look_of(condition_of(status, now)), 16)
            action.triggered.connect(partial(self.show_page, status.name))
        menu.addSeparator()
        running = [status.name for status in self.queue.statuses if status.is_syncing]
        if running:
            stop = menu.addAction("Stop syncing")
            bind_icon(stop, "x", "text2", 16)
            stop.triggered.connect(partial(self._cancel, tuple(running)))
        else:
            menu.addAction(self.window.actions_table[ActionId.SYNC])
        changed = menu.addAction("What changed…")
        bind_icon(changed, "file-diff", "text2", 16)
        changed.triggered.connect(partial(self.show_page, ""))
        menu.addSeparator()
        menu.addAction(self.window.actions_table[ActionId.ADD_REPOSITORY])

    def _cancel(self, names: Iterable[str]) -> None:
        for name in names:
            self.queue.cancel(name)

    # -- after a sync ----------------------------------------------------------------------------------

    def _on_synced(self, name: str, done: Synchronised) -> None:
        from kb_app.ui.sync.state import changes_sentence, entry_changes, touched_paths

        outcome = done.sync
        if outcome.is_current and outcome.changes:
            paths = touched_paths(outcome.changes)
            if CONFIG_NAME in paths or any(path.endswith("OWNERS") for path in paths):
                self.desk.open_again()
            else:
                self.desk.index_paths(name, paths)
            changes = entry_changes(outcome.changes, SUFFIXES)
            if changes:
                self.window.say(f"{changes_sentence(changes)} in {visible(name)}")
            self._follow_open_entry(name, outcome.changes)
        elif outcome.needs_choice:
            self._ask(name)
        if not outcome.needs_choice:
            self.desk.message_settled.emit(f"sync:{name}")
        self.synced.emit(name, done)

    def _follow_open_entry(self, name: str, changes: Iterable[FileChange]) -> None:
        """Read the open entry again where it changed; one that is gone stays readable and says so."""
        current = self.desk.current
        if current is None or current.ref.knowledge_base != name:
            return
        for change in changes:
            if current.ref.path not in (change.path, change.old_path):
                continue
            if change.old_path == current.ref.path:
                self.news.show_moved(change.path)
            elif change.status == "deleted":
                self.news.show_removed()
            else:
                self.desk.reload()

    def _ask(self, name: str) -> None:
        status = self.queue.status(name)
        if status is None or status.outcome is None or not status.is_asking:
            return
        if self._page is not None and self.window.pages.currentWidget() is self._page:
            return  # it asks itself
        self.desk.message_posted.emit(
            Message(
                f"{visible(name)}: {status.outcome.sentence}",
                "",
                Weight.NOTE,
                "Choose…",
                partial(self.show_page, name),
                topic=f"sync:{name}",
            )
        )

    def _on_failed(self, error: KbError) -> None:
        self.desk.message_posted.emit(Message(error.title, error.hint, Weight.PROBLEM, topic="sync"))

    def _open_entry(self, name: str, path: str) -> None:
        self.window.open_entry(EntryRef(name, path))

    # -- knowledge bases -------------------------------------------------------------------------------

    def _on_added(self, name: str) -> None:
        self.window.show_panes()
        self.window.search.focus()
        self.window.say(f"{visible(name)} is here and works without a network")

    def _on_settings_changed(self, _settings: Settings) -> None:
        if self._queue is not None:
            self._queue.reschedule()

    def _on_bases_changed(self) -> None:
        bases = self.desk.workspace.bases
        new = [base for base in bases if base.root not in self._roots]
        configured = {base.location for base in self.desk.workspace.settings.knowledge_bases}
        kept = frozenset(base.root for base in bases)
        gone = [root for root in self._roots if root not in kept and str(root) not in configured]
        self._roots = kept
        self.queue.load()
        for base in new:
            self._offer_clone(base.name, base.root)
        self._offer_deletion(gone)

    def _offer_clone(self, name: str, root: Path) -> None:
        """Offer a clone of a folder that turns out to be somebody's repository."""
        folders = self.desk.workspace.folders

        def work() -> str:
            if lies_in_clones(folders, root) or not os.path.lexists(root / ".git"):
                return ""
            from kb_app.workspace.syncing import address_of, open_store  # start-up time

            return address_of(open_store(folders), root)

        self.desk.jobs.run(
            work, on_done=partial(self._on_foreign, name), on_error=lambda _error: None, lane=Lane.GIT
        )

    def _on_foreign(self, name: str, address: str) -> None:
        if not address:
            return
        self.desk.message_posted.emit(
            Message(
                f"{visible(name)} is a Git repository; it is read as plain files and never synced",
                "",
                Weight.NOTE,
                "Use a managed clone of it…",
                partial(self.show_add_page, address, instead_of=name),
                topic="foreign",
            )
        )

    def _offer_deletion(self, gone: Iterable[Path]) -> None:
        """Offer to delete the copies of knowledge bases that were taken out of the list."""
        folders = self.desk.workspace.folders
        for root in gone:
            self.desk.jobs.run(
                partial(lies_in_clones, folders, root),
                on_done=partial(self._on_removed, root),
                on_error=lambda _error: None,
                lane=Lane.GIT,
            )

    def _on_removed(self, root: Path, is_clone: bool) -> None:  # noqa: FBT001 - the job's result
        if is_clone:
            self.desk.message_posted.emit(
                Message(
                    "The knowledge base is off the list; the copy kb_app made of it is still here",
                    "",
                    Weight.NOTE,
                    "Delete the copy",
                    partial(self._delete_copy, root),
                    topic="copy",
                )
            )

    def _delete_copy(self, root: Path) -> None:
        folders = self.desk.workspace.folders

        def work() -> bool:
            from kb_app.workspace.sharing import remove_clone  # start-up time

            return remove_clone(folders, root)

        def on_error(error: Exception) -> None:
            if not isinstance(error, KbError):
                raise error
            self._on_failed(error)

        self.desk.jobs.run(
            work, on_done=lambda _was: self.window.say("Copy deleted"), on_error=on_error, lane=Lane.GIT
        )
