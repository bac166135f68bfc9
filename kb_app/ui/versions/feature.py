"""The history joins the window: a key, a button in the reader's header, the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kb_app.errors import KbError
from kb_app.ui.common.actions import ActionId, shortcut_of
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.widgets import IconButton
from kb_app.ui.features import Feature

if TYPE_CHECKING:
    from kb_app.settings import ConfiguredBase
    from kb_app.ui.common.remembered import EntryRef
    from kb_app.ui.reader.panel import ReaderPanel
    from kb_app.ui.versions.page import HistoryPage
    from kb_app.ui.window import MainWindow


class HistoryFeature(Feature):
    """The past of the open entry."""

    def __init__(self, window: MainWindow) -> None:
        """Join ``window``."""
        super().__init__(window)
        self._page: HistoryPage | None = None
        window.reading.when_made(self._add_button)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions do."""
        return {ActionId.ENTRY_HISTORY: self.show}

    @property
    def page(self) -> HistoryPage:
        """Return the page, making it when it is asked for."""
        if self._page is None:
            from kb_app.ui.versions.page import HistoryPage  # start-up time

            page = HistoryPage(self.desk.jobs, self.desk.workspace.folders, self.window.pages)
            page.copy_wanted.connect(self._make_copy)
            page.address_wanted.connect(self.window.reading.external_link_requested)
            page.said.connect(self.window.say)
            page.restore_wanted.connect(self._restore)
            self.window.add_page(page)
            self._page = page
        return self._page

    def show(self) -> None:
        """Show the history of the open entry, or leave it when it shows."""
        current = self.desk.current
        base = self.desk.base_of(current.ref) if current is not None else None
        if current is None or base is None:
            return
        if self.window.pages.currentWidget() is not self._page:
            self.page.show_entry(current.ref, base.root, current.entry)
        self.window.show_page(self.page)

    def _add_button(self, reader: ReaderPanel) -> None:
        button = IconButton(
            "history", "History of this entry", reader, shortcut=shortcut_of(ActionId.ENTRY_HISTORY)
        )
        button.clicked.connect(self.show)
        reader.add_header_button(button)

    def _restore(self, ref: EntryRef, text: str) -> None:
        """Go on from a former version in the editor; nothing is changed before it is proposed."""
        from kb_app.ui.editor.feature import EditorFeature  # start-up time

        self.window.show_panes()
        self.window.feature(EditorFeature).edit(ref, text)

    # -- a managed copy -----------------------------------------------------------------------------------

    def _make_copy(self, folder: Path) -> None:
        from kb_app.workspace.past import copy_with_history  # start-up time

        self.window.show_panes()
        self.desk.message_posted.emit(
            Message("Making a managed copy", str(folder), Weight.NOTE, topic="managed-copy")
        )
        self.desk.jobs.run(
            partial(copy_with_history, self.desk.workspace.folders, folder),
            on_done=self._on_copied,
            on_error=self._on_copy_failed,
            lane=Lane.HISTORY,
        )

    def _on_copied(self, copied: ConfiguredBase) -> None:
        self.desk.message_settled.emit("managed-copy")
        self.desk.add_folder(Path(copied.location))
        self.window.say(f"{copied.name} has its history now")

    def _on_copy_failed(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            raise error
        self.desk.message_posted.emit(Message(error.title, error.hint, Weight.PROBLEM, topic="managed-copy"))
