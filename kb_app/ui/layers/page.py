"""The origin of a copy changed: what changed there, and three ways to go on."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from kb_app.ui.common.diff_lines import Line, counted
from kb_app.ui.common.diff_view import DiffView
from kb_app.ui.common.local_keys import LocalKeys
from kb_app.ui.common.page import Page
from kb_app.ui.common.widgets import ElidedLabel, label, text_button
from kb_app.workspace.layers import CopyState


class OriginPage(Page):
    """Shows how an origin changed.

    Signals:
        theirs_taken(), mine_kept(), merge_wanted(): what shall be done.
    """

    theirs_taken = Signal()
    mine_kept = Signal()
    merge_wanted = Signal()

    def __init__(self) -> None:
        """Make an empty one."""
        super().__init__("The original changed", width=0)
        self.setObjectName("originPage")
        self.box.setContentsMargins(16, 20, 16, 12)
        self.box.setSpacing(8)
        self.where = ElidedLabel("", self.column)
        self.where.setProperty("textstyle", "secondary")
        self.box.addWidget(self.where)
        card = QFrame(self.column)
        card.setProperty("surface", "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 1, 1, 1)
        self.diff = DiffView("What changed in the original since it was copied", card)
        inside.addWidget(self.diff)
        self.box.addWidget(card, 1)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        self.count = label("", "secondary", self.column)
        foot.addWidget(self.count)
        foot.addStretch(1)
        self.mine = self._button("Keep mine  (K)", "Keep your text; this change is not shown again (K)", "")
        self.theirs = self._button("Take theirs  (T)", "Replace your copy; its text is kept (T)", "")
        self.merge = self._button("Merge by section  (S)", "Choose section by section (S)", "primary")
        for button, signal in (
            (self.mine, self.mine_kept),
            (self.theirs, self.theirs_taken),
            (self.merge, self.merge_wanted),
        ):
            button.clicked.connect(signal)
            foot.addWidget(button)
        self.box.addLayout(foot)
        self.keys = LocalKeys(
            self,
            {"K": self.mine_kept.emit, "T": self.theirs_taken.emit, "S": self.merge_wanted.emit},
        )
        self.setFocusProxy(self.merge)

    def _button(self, text: str, tip: str, role: str) -> QPushButton:
        button = text_button(text, role, "", self.column)
        button.setAccessibleName(text.partition("  (")[0])
        button.setToolTip(tip)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def show_state(self, title: str, state: CopyState, lines: Sequence[Line]) -> None:
        """Show what became of the origin of the copy called ``title``; ``lines`` are those of its changes."""
        self.where.setText(f"{title}  ·  {state.origin.base} / {state.origin.path}")
        self.diff.show_lines(lines)
        self.count.setText(counted(lines).text)
