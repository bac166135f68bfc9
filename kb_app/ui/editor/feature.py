"""Contributing joins the window: edit, new entry, flag, drafts and proposals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from kb_app.errors import KbError
from kb_app.ui.common.actions import ActionId, shortcut_of
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.widgets import text_button
from kb_app.ui.features import Feature

if TYPE_CHECKING:
    from kb_app.ui.editor.writing import Writing
    from kb_app.ui.reader.panel import ReaderPanel
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.drafts import TextDraft


class EditorFeature(Feature):
    """Writes entries; `writing` does the work and is made when something is written for the first time."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.drafts: tuple[TextDraft, ...] = ()
        self.edit_button: QPushButton | None = None
        self._writing: Writing | None = None
        window.reading.when_made(self._join_reader)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions of this feature do."""
        return {
            ActionId.EDIT_ENTRY: self.edit_current,
            ActionId.NEW_ENTRY: self.new_entry,
            ActionId.PROPOSALS: self.show_proposals,
        }

    @property
    def writing(self) -> Writing:
        """Return what does the work."""
        if self._writing is None:
            from kb_app.ui.editor.writing import Writing  # start-up time

            self._writing = Writing(self.window)
            self._writing.drafts_changed.connect(self._show_drafts)
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

    def _show_drafts(self, drafts: tuple[TextDraft, ...]) -> None:
        self.drafts = drafts

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

    def show_proposals(self) -> None:
        """Show my drafts and proposals."""
        self.writing.show_proposals()
