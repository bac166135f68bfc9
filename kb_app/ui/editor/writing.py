"""Writing and handing in: opens drafts in the editor, keeps the list of drafts and proposals true.

It is imported when something is written for the first time: it costs more than the start of the window.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from kb_app.errors import KbError
from kb_app.gitstore.proposals import Proposal, ProposeOutcome
from kb_app.search.catalogue_file import load_cards
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.desk import folders_of
from kb_app.ui.editor.check import TextChecker
from kb_app.ui.editor.handing_in import HandingIn
from kb_app.ui.editor.panel import Editing, EditorPage
from kb_app.ui.editor.proposals import Contributions, ProposalsPage
from kb_app.ui.editor.state import LinkTarget
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.contributing import begin_edit, continued, new_draft, send_waiting, sentence_of
from kb_app.workspace.drafts import DraftStore, TextDraft
from kb_app.workspace.editing import EditableText, editable, open_text
from kb_app.workspace.sharing import proposals, usable_store

if TYPE_CHECKING:
    from kb_app.ui.desk import Desk
    from kb_app.ui.window import MainWindow

UNDO_MS = 8_000


class Writing(QObject):
    """Joins editor, drafts, queue and window.

    Args:
        window: where pages are shown and things are said.

    Signals:
        drafts_changed(object): the drafts there are now, the one saved last first.
    """

    drafts_changed = Signal(object)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window: MainWindow = window
        self.desk: Desk = window.desk
        self.drafts: tuple[TextDraft, ...] = ()
        self._page: EditorPage | None = None
        self._handing_in: HandingIn | None = None
        self._proposals: ProposalsPage | None = None
        self._is_sending = False

    @property
    def store(self) -> DraftStore:
        """Return where the drafts are kept."""
        return DraftStore(self.desk.workspace.folders.drafts)

    def stop(self) -> None:
        """Save what is being written."""
        if self._page is not None:
            self._page.save()

    # -- pages ----------------------------------------------------------------------------------------

    @property
    def page(self) -> EditorPage:
        """Return the editor, making it when it is first asked for."""
        if self._page is None:
            checker = TextChecker(self.desk.workers.reader, self)
            page = EditorPage(self.desk.jobs, checker, self.store)
            page.saved.connect(self._on_saved)
            page.discard_requested.connect(self.delete)
            self.window.add_page(page)
            page.closed.connect(self._on_editor_closed)
            handing_in = HandingIn(page, self.desk)
            handing_in.proposed.connect(self._on_proposed)
            handing_in.can_overlay = True
            handing_in.overlay_requested.connect(self._on_overlay_requested)
            self._page, self._handing_in = page, handing_in
        return self._page

    @property
    def handing_in(self) -> HandingIn:
        """Return what joins the editor to the queue."""
        assert self.page is not None
        assert self._handing_in is not None
        return self._handing_in

    @property
    def proposals_page(self) -> ProposalsPage:
        """Return the page of drafts and proposals, making it when it is first asked for."""
        if self._proposals is None:
            page = ProposalsPage()
            page.continue_requested.connect(self.resume)
            page.propose_requested.connect(partial(self.resume, and_propose=True))
            page.delete_requested.connect(self.delete)
            page.patch_requested.connect(self._save_patch)
            page.page_requested.connect(_open_review)
            page.again_requested.connect(partial(self._change, "again"))
            page.withdraw_requested.connect(partial(self._change, "withdraw"))
            page.forget_requested.connect(partial(self._change, "forget"))
            page.rework_requested.connect(self.rework)
            page.send_requested.connect(self.send)
            self.window.add_page(page)
            self._proposals = page
        return self._proposals

    def _on_overlay_requested(self, draft: TextDraft) -> None:
        """Keep what is written as a copy of the user's own; the page is left when that is done."""
        from kb_app.ui.layers.feature import LayersFeature  # a feature reaches another

        page = self.page
        page.save(
            lambda: self.window.feature(LayersFeature).keep_draft(page.present_draft() or draft, page.finish)
        )

    # -- editing --------------------------------------------------------------------------------------

    def edit(self, ref: EntryRef, text: str | None = None) -> None:
        """Edit an entry; a draft of it that is there is continued; ``text`` replaces all of it, undoable."""
        base = next((b for b in self.desk.workspace.bases if b.name == ref.knowledge_base), None)
        if base is None:
            self._complain(KbError(f"{ref.knowledge_base} is not open", "Open it, then edit the entry"))
            return
        folders, store = self.desk.workspace.folders, self.store
        title = ref.path
        if self.desk.current is not None and self.desk.current.ref == ref:
            title = self.desk.current.entry.title

        def work() -> tuple[TextDraft, EditableText, bool]:
            draft = store.of_entry(base.root, ref.path)
            if draft is not None:
                return draft, editable(store.base_of(draft), draft.base), True
            opened = open_text(folders, base, ref.path)
            return begin_edit(base, ref.path, title, opened), opened, False

        def done(found: tuple[TextDraft, EditableText, bool]) -> None:
            draft, opened, is_saved = found
            self._open(draft, opened, base, is_saved=is_saved)
            if is_saved:
                at = draft.saved_at.astimezone()
                self.page.show_notice("info", f"You go on with your draft of {at:%d %b, %H:%M}")
            if text is not None and text != self.page.edit.text():
                self.page.edit.replace_text(text)
                self.page.show_notice(
                    "info", "The former version stands here now; Ctrl+Z brings back what was"
                )

        self.desk.jobs.run(work, on_done=done, on_error=self._complain)

    def new_entry(self, kind: str = "", title: str = "", text: str = "") -> None:
        """Begin a new entry.

        Args:
            kind: one of ``internals``, ``known-fix``, ``runbook``, ``note``; a known fix when empty.
            title: of the entry; may be empty.
            text: Markdown to begin with; the template of the kind when empty.
        """
        base = self._writable_base()
        if base is None:
            self._complain(KbError("No knowledge base is open", "Add one first"))
            return
        self._begin(base, kind, title, text)

    def _begin(self, base: OpenBase, kind: str, title: str, text: str = "", pasted: str = "") -> None:
        def work() -> TextDraft:
            return new_draft(base, kind, title, text, pasted)

        def done(draft: TextDraft) -> None:
            self._open(draft, editable(b""), base, is_saved=False)
            if text or pasted:
                self.page.save_soon()

        self.desk.jobs.run(work, on_done=done, on_error=self._complain)

    def _writable_base(self) -> OpenBase | None:
        """Return the knowledge base of the open entry, else the first one that is searched."""
        current = self.desk.current
        bases = self.desk.bases
        wanted = next(
            (b for b in bases if current is not None and b.name == current.ref.knowledge_base), None
        )
        return wanted or (bases[0] if bases else None)

    def _open(self, draft: TextDraft, opened: EditableText, base: OpenBase, *, is_saved: bool) -> None:
        page = self.page
        page.save()
        page.open(Editing(draft, opened, folders_of(base), is_saved))
        if self.window.pages.currentWidget() is not page:
            self.window.show_page(page)
        page.edit.setFocus(Qt.FocusReason.OtherFocusReason)

        def targets() -> tuple[LinkTarget, ...]:
            return tuple(LinkTarget(card.title, card.path) for card in load_cards(base.index_folder))

        self.desk.jobs.run(targets, on_done=partial(setattr, page.edit, "targets"), on_error=self._complain)

    def resume(self, draft: TextDraft, *, and_propose: bool = False) -> None:
        """Go on with a draft."""
        base = next((b for b in self.desk.workspace.bases if str(b.root) == draft.root), None)
        if base is None:
            self._complain(KbError(f"{draft.knowledge_base} is not open", "Open it, then continue the draft"))
            return
        store = self.store

        def work() -> tuple[TextDraft, EditableText]:
            fresh = store.get(draft.id)
            return fresh, editable(store.base_of(fresh), fresh.base)

        def done(found: tuple[TextDraft, EditableText]) -> None:
            self._open(*found, base, is_saved=True)
            if and_propose:
                self.page.ask_to_propose()

        self.desk.jobs.run(work, on_done=done, on_error=self._complain)

    def rework(self, proposal: Proposal) -> None:
        """Make a draft of a proposal's text again and go on with it."""
        folders = self.desk.workspace.folders
        bases = self.desk.workspace.bases

        def work() -> TextDraft:
            store = usable_store(folders)
            base = next((b for b in bases if _is_of(store.area.owner_of(b.root), proposal)), None)
            if base is None:
                raise KbError(f"{proposal.clone} is not open", "Open it, then go on")
            return continued(folders, proposal, base)

        self.desk.jobs.run(work, on_done=self.resume, on_error=self._complain, lane=Lane.GIT)

    def delete(self, draft: TextDraft) -> None:
        """Delete a draft; the message bar can bring it back."""
        store = self.store
        page = self._page
        if page is not None and page.editing is not None and page.editing.draft.id == draft.id:
            page.finish()

        def done(_: None) -> None:
            self.look_for_drafts()
            self.desk.message_posted.emit(
                Message(
                    f"The draft of {draft.title or draft.path} is deleted",
                    "",
                    Weight.NOTE,
                    "Bring it back",
                    partial(self._bring_back, draft.id),
                    topic="draft",
                )
            )

        self.desk.jobs.run(
            partial(store.set_aside, draft.id), on_done=done, on_error=self._complain, lane=Lane.WRITE
        )

    def _bring_back(self, draft_id: str) -> None:
        self.desk.jobs.run(
            partial(self.store.bring_back, draft_id),
            on_done=lambda _: self.look_for_drafts(),
            on_error=self._complain,
            lane=Lane.WRITE,
        )

    # -- drafts and proposals -------------------------------------------------------------------------

    def look_for_drafts(self) -> None:
        """Read the drafts and the queue anew."""
        folders, store = self.desk.workspace.folders, self.store

        def work() -> Contributions:
            try:
                return Contributions(store.all(), proposals(folders))
            except KbError as error:
                return Contributions(store.all(), (), str(error))

        self.desk.jobs.run(work, on_done=self._take, on_error=self._complain, lane=Lane.GIT)

    def _take(self, found: Contributions) -> None:
        self.drafts = found.drafts
        self.drafts_changed.emit(found.drafts)
        if self._proposals is not None:
            self._proposals.show_contributions(found, dt.datetime.now(dt.UTC))

    def show_proposals(self) -> None:
        """Show my drafts and proposals."""
        page = self.proposals_page
        self.look_for_drafts()
        self.window.show_page(page)

    def _on_saved(self, draft: TextDraft) -> None:
        if draft.id not in {d.id for d in self.drafts}:
            self.look_for_drafts()

    def _on_editor_closed(self) -> None:
        self.look_for_drafts()
        if self.desk.current is not None:
            self.window.reading.focus_page()

    def _on_proposed(self, outcome: ProposeOutcome) -> None:
        self.window.say(sentence_of(outcome))
        for warning in outcome.warnings:
            self.desk.message_posted.emit(Message(warning, "", Weight.NOTE, topic="file-name"))
        self.look_for_drafts()
        self.send()

    def send(self) -> None:
        """Send what waits and look up the rest, in the background."""
        if self._is_sending:
            QTimer.singleShot(2_000, self.look_for_drafts)
            return
        self._is_sending = True
        if self._proposals is not None:
            self._proposals.set_sending(is_sending=True)
        folders = self.desk.workspace.folders

        def done(_: object = None) -> None:
            self._is_sending = False
            if self._proposals is not None:
                self._proposals.set_sending(is_sending=False)
            self.look_for_drafts()

        self.desk.jobs.run(partial(send_waiting, folders), on_done=done, on_error=done, lane=Lane.NETWORK)

    def _change(self, what: str, proposal: Proposal) -> None:
        folders = self.desk.workspace.folders

        def work() -> None:
            queue = usable_store(folders).queue
            {"again": queue.send_again, "withdraw": queue.withdraw, "forget": queue.forget}[what](proposal.id)

        def done(_: None) -> None:
            self.look_for_drafts()
            if what == "again":
                self.send()

        self.desk.jobs.run(work, on_done=done, on_error=self._complain, lane=Lane.GIT)

    def _save_patch(self, wanted: TextDraft | Proposal) -> None:
        if isinstance(wanted, TextDraft):
            self.handing_in.save_patch(wanted)
            return
        folders = self.desk.workspace.folders
        self.handing_in.ask_where(
            wanted.branch.rsplit("/", 1)[-1], lambda: usable_store(folders).queue.patch(wanted.id)
        )

    def _complain(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            raise error
        self.desk.message_posted.emit(Message(error.title, error.hint, Weight.PROBLEM, topic="editor"))


def _is_of(clone: object, proposal: Proposal) -> bool:
    return getattr(clone, "name", None) == proposal.clone


def _open_review(page: str) -> None:
    if page.startswith(("https://", "http://")):
        QDesktopServices.openUrl(QUrl(page))
