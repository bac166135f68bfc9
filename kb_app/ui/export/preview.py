"""A page with one text: read it, copy it, save it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QWidget

from kb_app.ui.common.fonts import mono_font
from kb_app.ui.common.local_keys import LocalKeys
from kb_app.ui.common.page import Page
from kb_app.ui.common.widgets import label, text_button

WIDTH = 860


class TextPage(Page):
    """The page.

    Signals:
        copied(str): the text, which shall go to the clipboard.
        save_requested(str, str): the text and the file's path.
    """

    copied = Signal(str)
    save_requested = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty page."""
        super().__init__("Draft", parent, width=WIDTH)
        self.setObjectName("textPage")
        self.box.setContentsMargins(0, 28, 0, 20)
        self._file_name = "draft.md"
        self.text = QPlainTextEdit(self)
        self.copy_button = text_button("Copy", "primary", "copy", self)
        self.copy_button.setToolTip("Copy the text (C)")
        self.copy_button.clicked.connect(lambda: self.copied.emit(self.text.toPlainText()))
        self.save_button = text_button("Save to a file…", "ghost", "save", self)
        self.save_button.setToolTip("Save the text (S)")
        self.save_button.clicked.connect(self.ask_where)
        self.add_head(self.copy_button)
        self.add_head(self.save_button)
        self.lead = label("", "secondary", self, wrap=True)
        self.box.addWidget(self.lead)
        self.text.setProperty("role", "code")
        self.text.setFont(mono_font(12))
        self.text.setAccessibleName("Text of the draft")
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(320)
        self.box.addWidget(self.text, 1)
        self.setFocusProxy(self.copy_button)
        LocalKeys(self, {"C": self.copy_button.click, "S": self.ask_where})

    def show_text(self, title: str, lead: str, text: str, file_name: str) -> None:
        """Show a text; ``file_name`` is offered when it is saved."""
        self.title.setText(title)
        self.setAccessibleName(title)
        self.lead.setText(lead)
        self.text.setPlainText(text)
        self._file_name = file_name

    def ask_where(self) -> None:
        """Ask for the file to save to."""
        dialog = QFileDialog(self, "Save the text", str(Path.home() / self._file_name))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.selectFile(self._file_name)
        dialog.fileSelected.connect(lambda path: self.save_requested.emit(self.text.toPlainText(), path))
        dialog.open()
