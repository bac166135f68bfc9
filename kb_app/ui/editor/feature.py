"""Contributing joins the window: edit, new entry, flag, drafts and proposals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton

from kb_app.errors import KbError
from kb_app.search.model import Verdict
from kb_app.ui.common.actions import ActionId, shortcut_of, shown_keys
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.widgets import text_button
from kb_app.ui.desk import Found
from kb_app.ui.editor.notice import DraftNotice
from kb_app.ui.features import Feature

if TYPE_CHECKING:
    from kb_app.ui.editor.proposals import Contributions
    from kb_app.ui.editor.writing import Writing
    from kb_app.ui.reader.panel import ReaderPanel
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.drafts import TextDraft


PREPARE_PAUSE_MS = 2_500
"""So long after the first paint the rest of this package is imported, in a thread."""


class EditorFeature(Feature):
    """Writes entries; `writing` does the work and is made when something is written for the first time."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.drafts: tuple[TextDraft, ...] = ()
        self.edit_button: QPushButton | None = None
        self._banner: DraftNotice | None = None
        self._found: Contributions | None = None
        self._writing: Writing | None = None
        self._row = window.filters.add_place("pencil", "My drafts")
        self._row.setObjectName("place:drafts")
        self._row.setToolTip(f"My drafts and proposals ({shortcut_of(ActionId.PROPOSALS)})")
        self._row.clicked.connect(self.show_proposals)
        self._write_down = QAction("Write it down", self)
        self._write_down.setToolTip(
            f"Begin an entry with this error ({shortcut_of(ActionId.NEW_ENTRY)} or "
            f"{shown_keys('Ctrl+N')}); the next one who pastes it here finds the draft"
        )
        self._write_down.triggered.connect(self.write_down)
        window.results.set_write_action(self._write_down)
        self._notice = DraftNotice()
        self._notice.resumed.connect(self._resume)
        window.results.add_remark(self._notice)
        self.desk.found.connect(self._on_found)
        self.desk.entry_opened.connect(self._on_entry_opened)
        window.reading.when_made(self._join_reader)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions of this feature do."""
        return {
            ActionId.EDIT_ENTRY: self.edit_current,
            ActionId.NEW_ENTRY: self._on_new,
            ActionId.PROPOSALS: self.show_proposals,
            ActionId.FLAG_ENTRY: self.flag,
            ActionId.ENTRY_WORKED: self.entry_worked,
        }

    @property
    def writing(self) -> Writing:
        """Return what does the work."""
        if self._writing is None:
            from kb_app.ui.editor.writing import Writing  # start-up time

            self._writing = Writing(self.window)
            self._writing.drafts_changed.connect(self._take)
        return self._writing

    def start(self) -> None:
        """Count the drafts, without holding up what comes first."""
        drafts = self.desk.workspace.folders.drafts

        def work() -> tuple[TextDraft, ...]:
            from kb_app.workspace.drafts import DraftStore  # start-up time

            return DraftStore(drafts).all()

        def failed(error: Exception) -> None:
            if not isinstance(error, KbError):
                raise error

        self.desk.jobs.run(work, on_done=self._show_drafts, on_error=failed)
        QTimer.singleShot(PREPARE_PAUSE_MS, self, self._prepare)

    def _prepare(self) -> None:
        """Import what writing needs while nothing else is to do: the first E would wait for it."""

        def work() -> None:
            import kb_app.ui.editor.writing  # noqa: F401 - start-up time

        has_queue = (self.desk.workspace.folders.data / "proposals" / "queue.json").exists()

        def done(_: None) -> None:
            if has_queue:
                self.writing.look_for_drafts()

        self.desk.jobs.run(work, on_done=done, lane=Lane.GIT)

    def _take(self, found: Contributions) -> None:
        self._found = found
        self._show_drafts(found.drafts)

    def stop(self) -> None:
        """Save what is being written."""
        if self._writing is not None:
            self._writing.stop()

    def _join_reader(self, reader: ReaderPanel) -> None:
        button = text_button("Edit", "primary", parent=reader.header)
        button.setObjectName("editButton")
        button.setToolTip(f"Edit this entry ({shortcut_of(ActionId.EDIT_ENTRY)})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(self.edit_current)
        reader.add_header_button(button)
        self.edit_button = button
        self._banner = DraftNotice()
        self._banner.resumed.connect(self._resume)
        self._banner.list_requested.connect(self.show_proposals)
        reader.add_banner(self._banner)

    def _show_drafts(self, drafts: tuple[TextDraft, ...]) -> None:
        self.drafts = drafts
        self._row.set_count(len(drafts))
        self._show_banner()

    def _show_banner(self) -> None:
        """Say above an entry that there is a draft of it."""
        current = self.desk.current
        base = self.desk.base_of(current.ref) if current is not None else None
        if self._banner is None:
            return
        draft = None
        if current is not None and base is not None:
            wanted = (str(base.root), current.ref.path)
            draft = next((d for d in self.drafts if (d.root, d.path) == wanted), None)
            proposal = self._found.under_way(*wanted) if self._found is not None else None
            if draft is None and proposal is not None:
                from kb_app.workspace.contributing import STATE_WORDS  # start-up time

                self._banner.show_proposal(STATE_WORDS[proposal.state])
                return
        self._banner.show_draft(draft, "You have a draft of this entry, saved")

    def _on_entry_opened(self, _opened: object, _is_wanted: bool) -> None:  # noqa: FBT001 - signal
        self._show_banner()

    def _on_found(self, found: Found) -> None:
        """Say above the list that somebody is at work on the pasted error already."""
        asked = self.desk.query.pasted or self.desk.query.typed
        if found.is_browsing or not any(draft.signatures for draft in self.drafts):
            self._notice.show_draft(None, "")
            return
        drafts = self.drafts

        def work() -> tuple[TextDraft, ...]:
            from kb_app.workspace.drafts import drafts_about  # start-up time

            return drafts_about(drafts, asked)

        def done(about: tuple[TextDraft, ...]) -> None:
            if asked == (self.desk.query.pasted or self.desk.query.typed):
                self._notice.show_draft(about[0] if about else None, "Being worked on since", is_start=True)

        self.desk.jobs.run(work, on_done=done)

    def _resume(self, draft: TextDraft) -> None:
        self.writing.resume(draft)

    def _on_new(self) -> None:
        answer = self.desk.last_answer
        asked = self.desk.query.pasted or self.desk.query.typed
        if asked and answer is not None and answer.verdict is not Verdict.MATCH:
            self.write_down()
        else:
            self.new_entry()

    # -- what can be asked for ------------------------------------------------------------------------

    def edit_current(self) -> None:
        """Edit the entry that is open."""
        if self.desk.current is not None:
            self.edit(self.desk.current.ref)

    def edit(self, ref: EntryRef, text: str | None = None) -> None:
        """Edit an entry; a draft of it that is there is continued.

        Args:
            ref: the entry.
            text: put in the place of all of it, for example a former version; one undo brings the rest back.
        """
        self.writing.edit(ref, text)

    def new_entry(self, kind: str = "", title: str = "", text: str = "") -> None:
        """Begin a new entry.

        Args:
            kind: one of ``internals``, ``known-fix``, ``runbook``, ``note``; a known fix when empty.
            title: of the entry; may be empty.
            text: Markdown to begin with; the template of the kind when empty.
        """
        self.writing.new_entry(kind, title, text)

    def flag(self) -> None:
        """Ask what is wrong with the open entry, above its page."""
        self.writing.flagging.flag()

    def entry_worked(self) -> None:
        """Propose that the open entry worked today; the first time ask whether that is wanted."""
        self.writing.flagging.worked()

    def write_down(self) -> None:
        """Begin a known fix about what was asked for and not found: masked error, versions, ticket."""
        self.writing.write_down(self.desk.query.pasted or self.desk.query.typed)

    def show_proposals(self) -> None:
        """Show my drafts and proposals."""
        self.writing.show_proposals()
