"""A look at a text before it goes to the clipboard: what it is, what is odd about it, copy or not."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from kb_app.entries.commands import CopyReview
from kb_app.ui.common.fonts import mono_font
from kb_app.ui.common.widgets import IconLabel, label, text_button

_WIDTH = 460
_LINES_SHOWN = 12
_SUSPICIOUS_SHOWN = 4


class CopyPreview(QFrame):
    """Shows a text with its hidden characters named, and the reasons to look at it.

    Signals:
        confirmed(str): copy this text.
    """

    confirmed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("copy-preview")
        self.setProperty("surface", "popup")
        self.setFixedWidth(_WIDTH)
        self._text = ""
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(14, 12, 14, 12)
        self._layout.setSpacing(8)
        self._layout.addWidget(label("Check before you copy", "heading", self))
        self._reasons = QVBoxLayout()
        self._reasons.setSpacing(4)
        self._layout.addLayout(self._reasons)
        self.shown = QPlainTextEdit(self)
        self.shown.setReadOnly(True)
        self.shown.setTabChangesFocus(True)
        self.shown.setProperty("role", "code")
        self.shown.setFont(mono_font(12))
        self.shown.setAccessibleName("Text to copy")
        self._layout.addWidget(self.shown)
        self.copy = text_button("Copy", "primary", "copy", self)
        cancel = text_button("Cancel", "ghost", parent=self)
        self.copy.clicked.connect(self._on_copy)
        cancel.clicked.connect(self.hide)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.copy)
        self._layout.addLayout(buttons)

    def open_at(self, corner: QPoint, review: CopyReview) -> None:
        """Show ``review`` with the upper right corner at the global point ``corner``."""
        self._text = review.text
        while (item := self._reasons.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for icon, tone, text in _reasons(review):
            self._reasons.addWidget(_Reason(icon, tone, text, self))
        self.shown.setPlainText(revealed(review))
        lines = min(_LINES_SHOWN, max(2, review.text.count("\n") + 1))
        self.shown.setFixedHeight(lines * self.shown.fontMetrics().lineSpacing() + 24)
        self.copy.setText("Copy all the same" if review.suspicious else "Copy")
        self.copy.setAccessibleName(self.copy.text())
        self.adjustSize()
        self.move(corner - QPoint(_WIDTH, 0))
        self.show()
        # With characters that are not what they seem, Enter must not copy by habit.
        (self.shown if review.suspicious else self.copy).setFocus(Qt.FocusReason.PopupFocusReason)

    def reasons(self) -> list[str]:
        """Return the sentences shown."""
        return [part.accessibleName() for part in self.findChildren(_Reason) if not part.isHidden()]

    def _on_copy(self) -> None:
        self.hide()
        self.confirmed.emit(self._text)


class _Reason(QWidget):
    def __init__(self, icon: str, color: str, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(text)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(IconLabel(icon, color, 16, self), 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(label(text, "secondary", self, wrap=True), 1)


def _reasons(review: CopyReview) -> list[tuple[str, str, str]]:
    reasons = []
    for found in review.suspicious[:_SUSPICIOUS_SHOWN]:
        place = f"line {found.line}, column {found.column}"
        reasons.append(("octagon-alert", "danger", f"{found.code_point} at {place}: {found.why}"))
    if (more := len(review.suspicious) - _SUSPICIOUS_SHOWN) > 0:
        reasons.append(("octagon-alert", "danger", f"{more} more such characters"))
    if review.is_destructive:
        reasons.append(("triangle-alert", "mitigate", "It deletes, restarts or overwrites something"))
    if review.placeholders:
        names = ", ".join(dict.fromkeys(placeholder.raw for placeholder in review.placeholders))
        reasons.append(("pencil", "mitigate", f"Still to be filled in: {names}"))
    if review.is_multiline:
        reasons.append(("terminal", "text2", "Several lines: a shell runs each one as it arrives"))
    return reasons


def revealed(review: CopyReview) -> str:
    """Return the text with each suspicious character replaced by its code point."""
    lines = review.text.split("\n")
    for found in reversed(review.suspicious):
        line = lines[found.line - 1]
        at = found.column - 1
        lines[found.line - 1] = f"{line[:at]}‹{found.code_point}›{line[at + 1 :]}"
    return "\n".join(lines)
