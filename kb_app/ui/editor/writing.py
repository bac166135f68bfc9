"""Writing and handing in: opens drafts in the editor, keeps the list of drafts and proposals true.

It is imported when something is written for the first time: it costs more than the start of the window.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage
from PySide6.QtWidgets import QMenu

from kb_app.errors import KbError
from kb_app.gitstore.proposals import Proposal, ProposeOutcome
from kb_app.gitstore.store import open_store
from kb_app.search.catalogue_file import load_cards
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.conflicts.feature import ConflictsFeature
from kb_app.ui.desk import folders_of
from kb_app.ui.editor.check import CheckedText, TextChecker
from kb_app.ui.editor.duplicates import Duplicate, Duplicates
from kb_app.ui.editor.flagging import Flagging
from kb_app.ui.editor.handing_in import HandingIn
from kb_app.ui.editor.meanwhile import Meanwhile
from kb_app.ui.editor.panel import Editing, EditorPage
from kb_app.ui.editor.pictures import png_of
from kb_app.ui.editor.proposals import Contributions, ProposalsPage
from kb_app.ui.editor.state import LinkTarget, picture_markdown, picture_names, picture_path
from kb_app.ui.sync.feature import SyncFeature
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.contributing import (
    begin_edit,
    continued,
    entry_about,
    new_draft,
    sentence_of,
    signatures_at,
    with_front_matter,
    with_signatures,
)
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
        drafts_changed(object): the `Contributions` there are now.
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
        self._sync = window.feature(SyncFeature)
        self._sync.status_changed.connect(self._on_sync_changed)
        self._was_sending = False
        self._known_signatures: frozenset[str] | None = None
        self.flagging = Flagging(window)
        self.flagging.handed_in.connect(self._on_handed_in)

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
            handing_in.address_requested.connect(self._on_address_requested)
            handing_in.conflicts = self.window.feature(ConflictsFeature)
            handing_in.has_address = True
            handing_in.come_back.connect(self._come_back)
            page.picture_pasted.connect(self._on_picture)
            page.checked.connect(self._on_checked)
            page.set_more(self._fill_more)
            self._meanwhile = Meanwhile(page, self.desk)
            self._duplicates = Duplicates(self.desk, page)
            self._duplicates.found.connect(self._on_duplicate)
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
            page.answer_requested.connect(self.answer)
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

    def edit(
        self, ref: EntryRef, text: str | None = None, change: Callable[[str], str] | None = None
    ) -> None:
        """Edit an entry; a draft of it that is there is continued.

        Args:
            ref: the entry.
            text: takes the place of all of it at once, as one step that can be undone.
            change: made to its text at once, likewise.
        """
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
            if change is not None:
                self.page.edit.replace_text(change(self.page.edit.text()))
            self._meanwhile.look()

        self.desk.jobs.run(work, on_done=done, on_error=self._complain, lane=Lane.GIT)

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

    def write_down(self, asked: str) -> None:
        """Begin a known fix about a paste or words that nothing was found for; it is saved at once."""
        base = self._writable_base()
        if base is None:
            self._complain(KbError("No knowledge base is open", "Add one first"))
            return
        title, text = entry_about(asked, ticket=self._ticket_in_hand())
        self._begin(base, "known-fix", title, text, asked)

    def _ticket_in_hand(self) -> str:
        """Return the ticket of the incident in hand; empty without one."""
        from kb_app.ui.incident.feature import IncidentFeature  # a feature reaches another

        state = self.window.feature(IncidentFeature).current.state
        return (state.ticket or state.tracker) if state is not None else ""

    def _begin(self, base: OpenBase, kind: str, title: str, text: str = "", pasted: str = "") -> None:
        def work() -> TextDraft:
            return new_draft(base, kind, title, text, pasted)

        def done(draft: TextDraft) -> None:
            untitled = draft.text.find("# Untitled")
            start = draft.text.find("<!-- Why it happens") if pasted else untitled + 2 if untitled >= 0 else 0
            self._open(replace(draft, cursor=max(0, start)), editable(b""), base, is_saved=False)
            if untitled >= 0:
                self.page.edit.select_line()
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
        self._known_signatures = frozenset() if draft.is_new else None

        def take(signatures: tuple[str, ...]) -> None:
            if page.editing is not None and page.editing.draft.id == draft.id:
                self._known_signatures = frozenset(signatures)

        if not draft.is_new:
            self.desk.jobs.run(partial(signatures_at, base, draft.path), on_done=take)

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
            self._meanwhile.look()
            if and_propose:
                self.page.ask_to_propose()

        self.desk.jobs.run(work, on_done=done, on_error=self._complain)

    def answer(self, proposal: Proposal) -> None:
        """Ask what a proposal needs that others changed the same places of."""
        self.window.feature(ConflictsFeature).resolve(proposal.id, self._on_answered)

    def _on_answered(self, outcome: ProposeOutcome | None) -> None:
        if outcome is not None and outcome.is_ok:
            self._on_handed_in()
        else:
            self.show_proposals()

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

    # -- while writing --------------------------------------------------------------------------------

    def _on_picture(self, image: QImage) -> None:
        """Keep a pasted picture with the draft and ask for its description."""
        self.page.save(partial(self._attach, image))

    def _attach(self, image: QImage) -> None:
        editing = self.page.editing
        if editing is None:
            return
        store, draft = self.store, editing.draft

        def work() -> tuple[TextDraft, str]:
            root = Path(draft.root)
            taken = [*draft.attachments, *(p for p in picture_names(draft.path) if (root / p).exists())]
            path = picture_path(draft.path, taken)
            return store.attach(draft, path, png_of(image)), path

        def done(found: tuple[TextDraft, str]) -> None:
            saved, path = found
            now = self.page.editing
            if now is None or now.draft.id != saved.id:
                return
            kept = replace(now.draft, attachments=saved.attachments)
            self.page.editing = replace(now, draft=kept, is_saved=True)
            self.page.edit.insert_selected(*picture_markdown(path))

        self.desk.jobs.run(work, on_done=done, on_error=self._complain, lane=Lane.WRITE)

    def _on_checked(self, checked: CheckedText) -> None:
        editing = self.page.editing
        if editing is not None and self._known_signatures is not None:
            own = EntryRef(editing.base.name, editing.draft.path)
            known = self._known_signatures
            # what the entry had before may well stand in several entries on purpose
            self._duplicates.look(tuple(s for s in checked.signatures if s not in known), own)

    def _on_duplicate(self, duplicate: Duplicate) -> None:
        self.page.show_notice(
            "mitigate",
            f"This error is already in “{duplicate.title}”",
            "Add my wording there",
            partial(self.add_wording, duplicate.ref),
        )

    def add_wording(self, ref: EntryRef) -> None:
        """Go to the entry that has the error already, with the wording written here; the draft is kept."""
        signatures = self._duplicates.signatures
        self.edit(ref, change=lambda text: with_signatures(text, signatures))

    def _fill_more(self, menu: QMenu) -> None:
        """Add what changes the state of the entry."""
        today = dt.date.today().isoformat()
        for text, icon, values in (
            ("Mark as verified today", "circle-check", {"state": "verified", "reviewed": today}),
            ("Still true: reviewed today", "calendar", {"reviewed": today}),
            ("Retire this entry", "archive", {"state": "retired"}),
        ):
            action = menu.addAction(text)
            bind_icon(action, icon, "text2", 16)
            action.triggered.connect(partial(self._set_values, values))

    def _set_values(self, values: dict[str, str], *_checked: bool) -> None:
        edit = self.page.edit
        edit.replace_text(with_front_matter(edit.text(), values))

    # -- drafts and proposals -------------------------------------------------------------------------

    def look_for_drafts(self) -> None:
        """Read the drafts and the queue anew."""
        folders, store = self.desk.workspace.folders, self.store

        def work() -> Contributions:
            try:
                area = open_store(folders).area
                roots = {clone.name: str((area.area / clone.folder).resolve()) for clone in area.clones()}
                return Contributions(store.all(), proposals(folders), roots=roots)
            except KbError as error:
                return Contributions(store.all(), (), str(error))

        self.desk.jobs.run(work, on_done=self._take, on_error=self._complain, lane=Lane.GIT)

    def _take(self, found: Contributions) -> None:
        self.drafts = found.drafts
        self.drafts_changed.emit(found)
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
        self._on_handed_in()
        for warning in outcome.warnings:
            self.desk.message_posted.emit(Message(warning, "", Weight.NOTE, topic="file-name"))

    @property
    def is_sending(self) -> bool:
        """Tell whether the remotes are being asked now."""
        return any(status.is_syncing for status in self._sync.queue.statuses)

    def _come_back(self) -> None:
        """Show the editor again with what was being written."""
        if self.page.editing is not None and self.window.pages.currentWidget() is not self.page:
            self.window.show_page(self.page)

    def _on_address_requested(self) -> None:
        editing = self.page.editing
        name = editing.draft.knowledge_base if editing is not None else ""
        self.page.save()
        self._sync.show_add_page(instead_of=name)

    def _on_handed_in(self) -> None:
        self.look_for_drafts()
        self.send()

    def send(self) -> None:
        """Send what waits and look up the rest, in the background."""
        self._sync.run_now()

    def _on_sync_changed(self) -> None:
        is_sending = self.is_sending
        if self._was_sending and not is_sending:
            self.look_for_drafts()
        self._was_sending = is_sending
        if self._proposals is not None:
            self._proposals.set_sending(is_sending=is_sending)

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
