"""From the editor's text to the queue: asks, checks, proposes, and says in plain words what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from kb_app.durable import write_atomically
from kb_app.errors import KbError
from kb_app.gitstore.leaks import Leak
from kb_app.gitstore.proposals import Draft, ProposeEnd, ProposeOutcome
from kb_app.settings import Settings
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.editor.panel import Editing, EditorPage
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.contributing import (
    FolderTarget,
    Taker,
    leaks_of,
    patch_of,
    propose_draft,
    proposed_title,
    sentence_of,
    taker_of,
    wanted_of,
)
from kb_app.workspace.drafts import DraftStore, TextDraft

if TYPE_CHECKING:
    from kb_app.ui.conflicts.feature import ConflictsFeature
    from kb_app.ui.desk import Desk

BUSY = "Another window is changing this knowledge base"
TRIES = 4
"""How often a proposal is tried while a sync holds the knowledge base; each try waits 5 s for it."""


class HandingIn(QObject):
    """Joins the propose sheet of one page to the queue.

    Signals:
        proposed(object): the `ProposeOutcome` of a draft that is queued now.
        come_back(): the question was left unanswered; the editor shall show again.
        address_requested(): the user wants the knowledge base by its Git address.
        overlay_requested(object): the user wants this `TextDraft` in a copy of her own.
    """

    proposed = Signal(object)
    come_back = Signal()
    address_requested = Signal()
    overlay_requested = Signal(object)

    def __init__(self, page: EditorPage, desk: Desk) -> None:
        super().__init__(page)
        self.page = page
        self.desk = desk
        self.can_overlay = False
        self.has_address = False
        self.conflicts: ConflictsFeature | None = None
        page.propose_requested.connect(self._on_propose_requested)
        sheet = page.sheet
        sheet.proposed.connect(self._on_proposed)
        sheet.named.connect(self._on_named)
        sheet.patch_requested.connect(self._on_patch_requested)
        sheet.copy_requested.connect(self._on_copy_requested)
        sheet.address_requested.connect(self.address_requested)
        sheet.overlay_requested.connect(self._on_overlay_requested)

    @property
    def _store(self) -> DraftStore:
        return DraftStore(self.desk.workspace.folders.drafts)

    def base_of(self, draft: TextDraft) -> OpenBase | None:
        """Return the open knowledge base that a draft is for."""
        return next((base for base in self.desk.workspace.bases if str(base.root) == draft.root), None)

    def _on_propose_requested(self) -> None:
        editing = self.page.editing
        base = self.base_of(editing.draft) if editing is not None else None
        if editing is None:
            return
        if base is None:
            self.page.show_notice(
                "mitigate", f"{editing.draft.knowledge_base} is not open; the draft is kept"
            )
            return
        folders, settings = self.desk.workspace.folders, self.desk.workspace.settings
        draft, store = editing.draft, self._store

        def work() -> tuple[FolderTarget, tuple[Leak, ...]]:
            return taker_of(folders, base, settings), leaks_of(store, draft, settings)

        self.desk.jobs.run(
            work, on_done=partial(self._show_sheet, editing), on_error=self._on_error, lane=Lane.GIT
        )

    def _show_sheet(self, editing: Editing, found: tuple[FolderTarget, tuple[Leak, ...]]) -> None:
        if self.page.editing is None or self.page.editing.draft.id != editing.draft.id:
            return
        target, leaks = found
        draft, sheet = self.page.editing.draft, self.page.sheet
        self.page.show_sheet()
        if target.taker is not Taker.REMOTE:
            sheet.offer_folder(
                draft.knowledge_base,
                has_address=self.has_address,
                taker=target.taker,
                can_overlay=self.can_overlay,
            )
            return
        if not target.has_program:
            sheet.show_problem("Proposals need the program git, which is not there", "Your draft is kept")
            return
        is_known = bool(target.identity.name and target.identity.email)
        remark = f"It goes to the owners of {draft.knowledge_base} as a proposal; nothing else changes."
        sheet.ask(proposed_title(draft, editing.opened.shown), remark, needs_name=not is_known)
        if leaks:
            sheet.show_leaks(leaks)

    def _on_named(self, name: str, email: str) -> None:
        settings: Settings = self.desk.workspace.settings
        self.desk.change_settings(replace(settings, contributor_name=name, contributor_email=email))

    def _on_proposed(self, line: str, accept_doubtful: bool) -> None:  # noqa: FBT001 - the signal's argument
        self.page.edit.setReadOnly(True)  # what is typed now would come too late
        self.page.save(partial(self._propose, line, accept_doubtful=accept_doubtful))

    def _propose(self, line: str, *, accept_doubtful: bool) -> None:
        editing = self.page.editing
        base = self.base_of(editing.draft) if editing is not None else None
        if editing is None or base is None:
            return
        folders, settings = self.desk.workspace.folders, self.desk.workspace.settings
        draft = editing.draft

        def work() -> ProposeOutcome:
            again = partial(
                propose_draft, folders, settings, base, draft, title=line, accept_doubtful=accept_doubtful
            )
            outcome, tries = again(), 1
            while outcome.sentence == BUSY and tries < TRIES:
                time.sleep(0.2)
                outcome, tries = again(), tries + 1
            return outcome

        self.desk.jobs.run(
            work,
            on_done=partial(self._on_outcome, draft.id, base, line),
            on_error=self._on_error,
            lane=Lane.NETWORK,  # it may wait for a sync
        )

    def _on_outcome(self, draft_id: str, base: OpenBase, line: str, outcome: ProposeOutcome) -> None:
        self.page.edit.setReadOnly(False)
        is_shown = self.page.editing is not None and self.page.editing.draft.id == draft_id
        sheet = self.page.sheet
        if outcome.is_ok:
            if is_shown:
                self.page.finish()
            self.proposed.emit(outcome)
        elif not is_shown:
            self.desk.message_posted.emit(Message(sentence_of(outcome), outcome.hint, Weight.PROBLEM))
        elif outcome.end is ProposeEnd.BLOCKED:
            sheet.show_leaks(outcome.leaks)
        elif outcome.end is ProposeEnd.CHANGED_MEANWHILE and self.page.editing is not None:
            self._ask_others(self.page.editing, base, line)
        else:
            sheet.show_problem(sentence_of(outcome), outcome.hint)

    def _ask_others(self, editing: Editing, base: OpenBase, line: str) -> None:
        """Others changed the same places: ask for each what to keep; then it is proposed."""
        folders, draft, conflicts = self.desk.workspace.folders, editing.draft, self.conflicts
        if conflicts is None:
            return

        def ask(found: tuple[str, Draft]) -> None:
            clone, wanted = found
            conflicts.resolve_draft(clone, wanted, answered, supersedes=draft.replaces)

        def answered(outcome: ProposeOutcome | None) -> None:
            self.page.sheet.set_busy(is_busy=False)
            if outcome is not None and outcome.is_ok:
                store = self._store
                self.desk.jobs.run(
                    lambda: store.set_aside(draft.id), on_error=self._on_error, lane=Lane.WRITE
                )
                self._on_outcome(draft.id, base, line, outcome)
            else:
                QTimer.singleShot(0, self.come_back.emit)  # the page that asked is closing yet

        self.desk.jobs.run(
            lambda: wanted_of(folders, base, draft, line), on_done=ask, on_error=self._on_error, lane=Lane.GIT
        )

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            self.page.sheet.set_busy(is_busy=False)
            raise error
        self.page.edit.setReadOnly(False)
        self.page.show_sheet()
        self.page.sheet.show_problem(error.title, error.hint)

    # -- patch files ----------------------------------------------------------------------------------

    def _on_patch_requested(self) -> None:
        if self.page.editing is not None:
            self.save_patch(self.page.editing.draft)

    def save_patch(self, draft: TextDraft) -> None:
        """Ask where, then save a draft as a patch file."""
        store = self._store
        self.ask_where(Path(draft.path).stem, lambda: patch_of(store, draft))

    def ask_where(self, name: str, make: Callable[[], bytes]) -> None:
        """Ask for a file and write what ``make`` returns into it."""
        dialog = QFileDialog(self.page.window(), "Save as patch file")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("patch")
        dialog.selectFile(f"{name}.patch")
        dialog.fileSelected.connect(lambda file: self.write_patch(Path(file), make))
        dialog.open()

    def write_patch(self, file: Path, make: Callable[[], bytes]) -> None:
        """Write what ``make`` returns into ``file``."""

        def work() -> None:
            write_atomically(file, make())

        self.desk.jobs.run(
            work,
            on_done=lambda _: self.page.show_notice("fix", f"Saved as {file.name}; the draft is kept"),
            on_error=self._on_error,
            lane=Lane.GIT,
        )

    def _on_copy_requested(self) -> None:
        editing = self.page.editing
        if editing is None:
            return
        store, draft = self._store, editing.draft

        def done(patch: bytes) -> None:
            QGuiApplication.clipboard().setText(patch.decode("utf-8", "replace"))
            self.page.show_notice("fix", "The patch is on the clipboard; the draft is kept")

        self.desk.jobs.run(lambda: patch_of(store, draft), on_done=done, on_error=self._on_error)

    def _on_overlay_requested(self) -> None:
        if self.page.editing is not None:
            self.overlay_requested.emit(self.page.editing.draft)
