"""The sheet that copies a text for the ticket: what, in which form, a preview; Enter copies."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QTextBrowser, QVBoxLayout, QWidget

from kb_app.incidents.markup import Form, one_line
from kb_app.ui.common.fonts import mono_font
from kb_app.ui.common.sheet import Sheet
from kb_app.ui.common.widgets import label, text_button
from kb_app.ui.export.state import FORM_KEYS, FORMS, WHATS, ExportChoice

WIDTH = 760
PREVIEW_HEIGHT = 300
PREVIEW_STYLE = (
    "h1 { font-size: 18px; } h2 { font-size: 16px; } h3, h4 { font-size: 14px; }"
    "th { text-align: left; padding: 4px 12px 4px 0; } td { padding: 3px 12px 3px 0; }"
)
"""For the preview alone: what is copied has no style, so that the ticket's own applies."""


class ExportSheet(Sheet):
    """The sheet.

    Signals:
        wanted(object): the text of an `ExportChoice` shall be made; `show_text` shows it.
        save_requested(): the text shall be saved to a file.
    """

    wanted = Signal(object)
    save_requested = Signal()

    def __init__(self, title: str, choice: ExportChoice, parent: QWidget) -> None:
        """Offer the texts of the incident ``title``; ``choice`` is what was chosen last."""
        super().__init__(
            "Copy for the ticket", "Copy", parent, icon="clipboard", width=WIDTH, lead=one_line(title)
        )
        self.choice = choice
        self.text: str | None = None
        self.what = self.add_choice("What", WHATS, choice.what)
        self.form = self.add_choice("Form", FORMS, choice.form.value)
        self.box.addWidget(label("Preview", "secondary", self.card))
        self.preview = QPlainTextEdit(self.card)
        self.preview.setProperty("role", "code")
        self.preview.setReadOnly(True)
        self.preview.setFont(mono_font(12))
        self.preview.setAccessibleName("Preview")
        self.preview.setTabChangesFocus(True)
        self.preview.setFixedHeight(PREVIEW_HEIGHT)
        self.rich_frame = QFrame(self.card)
        self.rich_frame.setProperty("surface", "code")
        inner = QVBoxLayout(self.rich_frame)
        inner.setContentsMargins(4, 4, 4, 4)
        self.rich = QTextBrowser(self.rich_frame)
        self.rich.document().setDocumentMargin(8)
        self.rich.document().setDefaultStyleSheet(PREVIEW_STYLE)
        inner.addWidget(self.rich)
        self.rich.setAccessibleName("Preview")
        self.rich.setOpenLinks(False)
        self.rich_frame.setFixedHeight(PREVIEW_HEIGHT)
        self.rich.setTabChangesFocus(True)
        self.box.addWidget(self.preview)
        self.box.addWidget(self.rich_frame)
        self.rich_frame.hide()
        self.save_button = text_button("Save to a file…", "ghost", "save", self.card)
        self.save_button.clicked.connect(self.save_requested)
        self.foot.addWidget(self.save_button)
        self.what.changed.connect(lambda value: self._change(self.choice.with_what(value)))
        self.form.changed.connect(lambda value: self._change(self.choice.with_form(value)))
        self.add_check(lambda: "" if self.text else "There is nothing to copy")

    def ask(self) -> None:
        """Ask for the text of what is chosen."""
        self.text = None
        self.accept_button.setEnabled(False)
        self.wanted.emit(self.choice)

    def _change(self, choice: ExportChoice) -> None:
        self.choice = choice
        self.ask()

    def show_text(self, choice: ExportChoice, text: str) -> None:
        """Show a text that was asked for, if it is still wanted."""
        if choice != self.choice:
            return
        self.text = text if text.strip() else ""
        is_rich = choice.form is Form.HTML
        self.preview.setVisible(not is_rich)
        self.rich_frame.setVisible(is_rich)
        shown = text if text.strip() else "Nothing is recorded for this yet."
        if is_rich and text.strip():
            self.rich.setHtml(text)
        elif is_rich:
            self.rich.setPlainText(shown)
        else:
            self.preview.setPlainText(shown)
        self.accept_button.setEnabled(bool(self.text))
        self.save_button.setEnabled(bool(self.text))
        self.say_problem("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Digits choose what, letters the form; the rest as in every sheet."""
        whats = [value for value, _ in WHATS]
        text = event.text().lower()
        if text.isdigit() and 1 <= int(text) <= len(whats):
            self.what.choose(whats[int(text) - 1])
            event.accept()
        elif text in FORM_KEYS:
            self.form.choose(FORM_KEYS[text].value)
            event.accept()
        else:
            super().keyPressEvent(event)
