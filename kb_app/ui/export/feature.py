"""Exports join the window: the sheet for the ticket, the customer's text, drafts on a page of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from kb_app.durable import write_atomically
from kb_app.errors import KbError
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.features import Feature
from kb_app.ui.incident.feature import IncidentFeature

if TYPE_CHECKING:
    from kb_app.incidents.timeline import IncidentState
    from kb_app.ui.export.preview import TextPage
    from kb_app.ui.export.sheet import ExportSheet
    from kb_app.ui.export.state import ExportChoice
    from kb_app.ui.incident.current import CurrentIncident
    from kb_app.ui.window import MainWindow


class ExportFeature(Feature):
    """Texts for tickets, customers and reviews."""

    def __init__(self, window: MainWindow) -> None:
        """Join ``window``."""
        super().__init__(window)
        self._page: TextPage | None = None
        self.sheet: ExportSheet | None = None

    @property
    def incidents(self) -> CurrentIncident:
        """The door to the records."""
        return self.window.feature(IncidentFeature).current

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions do."""
        return {ActionId.EXPORT: self.export, ActionId.CUSTOMER_TEXT: self.copy_customer_text}

    @property
    def page(self) -> TextPage:
        """Return the page for drafts, making it when it is asked for."""
        if self._page is None:
            from kb_app.ui.export.preview import TextPage  # start-up time

            page = TextPage()
            page.copied.connect(self._copy_draft)
            page.save_requested.connect(self._save)
            self.window.add_page(page)
            self._page = page
        return self._page

    # -- for the ticket -------------------------------------------------------------------------------

    def export(self, name: str = "") -> None:
        """Open the sheet for a record: the one named, else the one on the timeline page, else in hand."""
        from kb_app.ui.timeline.feature import TimelineFeature  # start-up time

        wanted = name or self.window.feature(TimelineFeature).shown_name or self.incidents.name
        if wanted:
            self.incidents.with_book(lambda book: book.state(wanted), self._open_sheet)

    def _open_sheet(self, state: IncidentState) -> None:
        from kb_app.ui.export.sheet import ExportSheet  # start-up time
        from kb_app.ui.export.state import remembered

        if self.sheet is not None:
            self.sheet.finish()
        choice = remembered(self.desk.session.state.export)
        sheet = ExportSheet(state.title, choice, self.window)
        sheet.wanted.connect(partial(self._make_text, sheet, state.id))
        sheet.accepted.connect(partial(self._copy, sheet))
        sheet.save_requested.connect(partial(self._save_sheet, sheet, state.id))
        sheet.closed.connect(self._on_sheet_closed)
        self.sheet = sheet
        sheet.open(sheet.accept_button)
        sheet.ask()

    def _on_sheet_closed(self) -> None:
        self.sheet = None

    def _make_text(self, sheet: ExportSheet, name: str, choice: ExportChoice) -> None:
        def show(text: str) -> None:
            if sheet is self.sheet:
                sheet.show_text(choice, text)
                sheet.accept_button.setFocus()

        self.incidents.with_book(lambda book: book.export(name, choice.what, choice.form), show)

    def _copy(self, sheet: ExportSheet) -> None:
        from kb_app.ui.export.clipboard import put_on_clipboard  # start-up time
        from kb_app.ui.export.state import copied_words, spelled

        if sheet.text:
            put_on_clipboard(sheet.text, sheet.choice.form)
            state = self.desk.session.state
            self.desk.session.update(replace(state, export=spelled(sheet.choice)))
            self.window.say(copied_words(sheet.choice))
            sheet.finish()

    def _save_sheet(self, sheet: ExportSheet, name: str) -> None:
        from kb_app.ui.export.state import SUFFIXES  # start-up time

        text, choice = sheet.text or "", sheet.choice
        sheet.finish()
        self.show_text(
            f"{choice.what.capitalize()} of the incident",
            name,
            text,
            f"{name}-{choice.what}.{SUFFIXES[choice.form]}",
        )
        self.page.ask_where()

    def copy_handover(self, name: str) -> None:
        """Put the summary for the next person on the clipboard."""
        from kb_app.incidents.markup import Form  # start-up time

        self.incidents.with_book(
            lambda book: book.export(name, "handover", Form.MARKDOWN), QGuiApplication.clipboard().setText
        )

    # -- for the customer -----------------------------------------------------------------------------

    def copy_customer_text(self) -> None:
        """Copy what a customer may read of the open entry; say so when that is nothing."""
        from kb_app.entries.model import Audience  # start-up time
        from kb_app.incidents.export import customer_text

        current = self.desk.current
        if current is None:
            return
        try:
            text = customer_text(current.entry, Audience.PUBLIC)
        except KbError as error:
            self.desk.message_posted.emit(
                Message(error.title, error.hint, Weight.NOTE, topic="customer-text")
            )
            return
        self.desk.message_settled.emit("customer-text")
        QGuiApplication.clipboard().setText(text)
        self.window.say("Customer-safe text copied")

    # -- drafts ---------------------------------------------------------------------------------------

    def show_review_draft(self, name: str) -> None:
        """Show the draft of the written review of a record."""
        from kb_app.incidents.markup import Form  # start-up time

        lead = "What the record knows is filled in; the questions are yours. C copies, S saves."
        self.incidents.with_book(
            lambda book: book.export(name, "draft", Form.MARKDOWN),
            lambda text: self.show_text("Draft of the written review", lead, text, f"{name}-review.md"),
        )

    def show_text(self, title: str, lead: str, text: str, file_name: str) -> None:
        """Show a text on a page of its own, to be copied or saved."""
        page = self.page
        page.show_text(title, lead, text, file_name)
        if self.window.pages.currentWidget() is not page:
            self.window.show_page(page)

    def _copy_draft(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.window.say("Text copied")

    def _save(self, text: str, path: str) -> None:
        target = Path(path)

        def failed(error: Exception) -> None:
            if not isinstance(error, KbError):
                raise error
            self.desk.message_posted.emit(
                Message(error.title, error.hint, Weight.PROBLEM, topic="save-draft")
            )

        self.desk.jobs.run(
            lambda: write_atomically(target, text.encode("utf-8")),
            on_done=lambda _none: self.window.say(f"Saved as {target.name}"),
            on_error=failed,
            lane=Lane.WRITE,
        )
