"""A fold: Git's own words, out of sight until they are asked for."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.widgets import label, text_button


class DetailsFold(QWidget):
    """A button "Details" and the text behind it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a closed one without a text; it hides itself then."""
        super().__init__(parent)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        self.button = text_button("Details", "link", "chevron-right", self)
        self.button.setCheckable(True)
        self.button.setToolTip("What git said")
        self.button.toggled.connect(self._on_toggled)
        self._text = label("", "mono", self, wrap=True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setAccessibleName("What git said")
        self._text.hide()
        box.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        box.addWidget(self._text)
        self.hide()

    def set_text(self, text: str) -> None:
        """Keep ``text`` behind the button; an empty one takes the fold away."""
        self._text.setText(text)
        self.setVisible(bool(text))

    def text(self) -> str:
        """Return what is behind the button."""
        return self._text.text()

    def _on_toggled(self, is_open: bool) -> None:  # noqa: FBT001 - the signal's argument
        bind_icon(self.button, "chevron-down" if is_open else "chevron-right", "accent", 16)
        self._text.setVisible(is_open)
