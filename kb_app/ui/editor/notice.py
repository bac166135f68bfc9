"""One line that says: there is a draft about this; above the results and above a page."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import ElidedLabel, IconLabel, label, text_button

if TYPE_CHECKING:
    from kb_app.workspace.drafts import TextDraft


class DraftNotice(QFrame):
    """Says that there is a draft, and goes on with it.

    Signals:
        resumed(object): go on with this `TextDraft`.
        list_requested(): show my drafts and proposals.
    """

    resumed = Signal(object)
    list_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("draftNotice")
        self.setProperty("surface", "notice")
        set_property(self, "tone", "info")
        self.draft: TextDraft | None = None
        self._is_proposal = False
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 12, 6)
        row.setSpacing(10)
        row.addWidget(IconLabel("pencil", "info", 16, self))
        texts = QVBoxLayout()
        texts.setSpacing(0)
        self.text = label("", "heading", self)
        self.title = ElidedLabel("", self, mode=Qt.TextElideMode.ElideRight)
        self.title.setProperty("textstyle", "secondary")
        texts.addWidget(self.text)
        texts.addWidget(self.title)
        row.addLayout(texts, 1)
        self.button = text_button("Continue", "link", parent=self)
        self.button.setToolTip("Go on with the draft")
        self.button.clicked.connect(self._on_clicked)
        row.addWidget(self.button)
        self.hide()

    def show_draft(self, draft: TextDraft | None, words: str, *, is_start: bool = False) -> None:
        """Show a draft after ``words``, with the time it was begun or saved; hide for None."""
        self.draft, self._is_proposal = draft, False
        self.button.setText("Continue")
        self.setVisible(draft is not None)
        if draft is None:
            return
        at = (draft.started_at if is_start else draft.saved_at).astimezone()
        is_today = at.date() == dt.datetime.now().astimezone().date()
        self.text.setText(f"{words} {at:%H:%M}" if is_today else f"{words} {at:%d %b, %H:%M}")
        self.title.setText(draft.title or draft.path)
        self.title.setVisible(is_start)
        self.setAccessibleName(f"{self.text.text()}: {self.title.text()}")

    def show_proposal(self, word: str) -> None:
        """Say that a change is on its way; ``word`` is how far it is."""
        self.draft, self._is_proposal = None, True
        self.text.setText(f"You proposed a change to this entry: {word.lower()}")
        self.title.hide()
        self.button.setText("Show")
        self.setAccessibleName(self.text.text())
        self.show()

    def _on_clicked(self) -> None:
        if self._is_proposal:
            self.list_requested.emit()
        elif self.draft is not None:
            self.resumed.emit(self.draft)
