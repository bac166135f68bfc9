"""The quick flag above the page: what is wrong by one key, one sentence, Enter; and "it worked", asked once.

Decision: it stands above the page instead of over it, so that the place in the entry is kept and the steps
stay in view; five seconds in the middle of an incident must not cost the reader's place.
"""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from kb_app.entries.feedback import FlagKind
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import IconButton, IconLabel, label, text_button

KINDS = (
    (FlagKind.WRONG, Qt.Key.Key_W, "Wrong", "W"),
    (FlagKind.UNCLEAR, Qt.Key.Key_U, "Unclear", "U"),
    (FlagKind.OUTDATED, Qt.Key.Key_O, "Outdated", "O"),
    (FlagKind.MISSING_STEP, Qt.Key.Key_M, "Missing step", "M"),
)
_KEYS = {key: kind for kind, key, _, _ in KINDS}


class FlagBar(QFrame):
    """Asks what is wrong with the entry.

    Signals:
        flagged(object, str): the `FlagKind` and one sentence.
        share_answered(bool): whether "it worked" is proposed to the team from now on.
        closed(): the reader goes on.
    """

    flagged = Signal(object, str)
    share_answered = Signal(bool)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("flagBar")
        self.setProperty("surface", "notice")
        set_property(self, "tone", "mitigate")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.kind = FlagKind.WRONG
        self._is_asking_to_share = False
        outer = QVBoxLayout(self)
        outer.setContentsMargins(28, 10, 12, 10)
        outer.setSpacing(8)
        self._flag = self._build_flag()
        self._share = self._build_share()
        self.problem = label("", "secondary", self, wrap=True)
        self.problem.setProperty("tone", "danger")
        self.problem.hide()
        for part in (self._flag, self._share, self.problem):
            outer.addWidget(part)
        self.hide()

    def _build_flag(self) -> QWidget:
        holder = QWidget(self)
        box = QVBoxLayout(holder)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(IconLabel("flag", "mitigate", 16, holder))
        row.addWidget(label("What is it?", "heading", holder))
        row.addSpacing(4)
        self.chips: dict[FlagKind, QPushButton] = {}
        for kind, _, text, key in KINDS:
            chip = text_button(text, "", parent=holder)
            chip.setProperty("chip", "true")
            chip.setCheckable(True)
            chip.setAutoExclusive(True)
            chip.setToolTip(f"{text} ({key})")
            chip.clicked.connect(partial(self._choose, kind))
            row.addWidget(chip)
            self.chips[kind] = chip
        row.addStretch(1)
        close = IconButton("x", "Close", holder, size=14, shortcut="Esc")
        close.clicked.connect(self._close)
        row.addWidget(close)
        box.addLayout(row)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.line = QLineEdit(holder)
        self.line.setObjectName("flagLine")
        self.line.setAccessibleName("One sentence about it")
        self.line.setPlaceholderText("One sentence, for its owner")
        self.line.setMaxLength(400)
        row.addWidget(self.line, 1)
        self.send = text_button("Flag", "primary", parent=holder)
        self.send.setToolTip("Flag (Enter)")
        self.send.clicked.connect(self._on_send)
        row.addWidget(self.send)
        row.addSpacing(16)
        box.addLayout(row)
        return holder

    def _build_share(self) -> QWidget:
        holder = QWidget(self)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(IconLabel("thumbs-up", "fix", 16, holder))
        text = (
            "Tell the team when an entry worked? A note with the date and your name is proposed, so that it "
            "counts as proven. Nothing else is ever sent."
        )
        row.addWidget(label(text, "", holder, wrap=True), 1)
        self.share_yes = text_button("Yes, always", "primary", parent=holder)
        self.share_yes.setToolTip("Yes, always (Y)")
        self.share_yes.clicked.connect(partial(self._answer, True))  # noqa: FBT003 - the signal's argument
        self.share_no = text_button("No", "", parent=holder)
        self.share_no.setToolTip("No; it can be changed in the settings (N)")
        self.share_no.clicked.connect(partial(self._answer, False))  # noqa: FBT003 - the signal's argument
        row.addWidget(self.share_yes)
        row.addWidget(self.share_no)
        row.addSpacing(16)
        return holder

    # -- opening --------------------------------------------------------------------------------------

    def ask_what_is_wrong(self) -> None:
        """Ask for kind and sentence; the keys of the kinds work at once."""
        self._is_asking_to_share = False
        self._share.hide()
        self._flag.show()
        set_property(self, "tone", "mitigate")
        self.setAccessibleName("Flag something wrong: W wrong, U unclear, O outdated, M missing step")
        self.set_busy(is_busy=False)
        self.problem.hide()
        self.line.clear()
        self._mark(FlagKind.WRONG)
        self.show()
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def ask_to_share(self) -> None:
        """Ask, once, whether "it worked" may be proposed to the team."""
        self._is_asking_to_share = True
        self._flag.hide()
        self._share.show()
        set_property(self, "tone", "fix")
        self.setAccessibleName("Tell the team when an entry worked?")
        self.problem.hide()
        self.show()
        self.share_yes.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def show_problem(self, text: str) -> None:
        """Say why the flag was not taken; the sentence stays."""
        self.set_busy(is_busy=False)
        self.problem.setText(text)
        self.problem.show()
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_busy(self, *, is_busy: bool) -> None:
        """Show that the flag is being saved."""
        self.send.setEnabled(not is_busy)

    # -- answers --------------------------------------------------------------------------------------

    def _mark(self, kind: FlagKind) -> None:
        self.kind = kind
        self.chips[kind].setChecked(True)

    def _choose(self, kind: FlagKind, *_checked: bool) -> None:
        self._mark(kind)
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_send(self) -> None:
        if not self.send.isEnabled():
            return
        text = " ".join(self.line.text().split())
        if not text:
            self.line.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.set_busy(is_busy=True)
        self.flagged.emit(self.kind, text)

    def _answer(self, is_yes: bool, *_checked: bool) -> None:  # noqa: FBT001 - the signal's argument
        self.hide()
        self.share_answered.emit(is_yes)

    def _close(self) -> None:
        self.hide()
        self.closed.emit()

    def _takes(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape:
            return True
        if event.modifiers() not in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
            return False
        if self._is_asking_to_share:
            return event.key() in (Qt.Key.Key_Y, Qt.Key.Key_N)
        return not self.line.hasFocus() and event.key() in _KEYS

    def event(self, event: QEvent) -> bool:
        """Take the keys of the kinds before the window's shortcuts of the same keys."""
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and self._takes(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose a kind by its letter; Enter sends; Esc closes."""
        if event.key() == Qt.Key.Key_Escape:
            self._close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self._is_asking_to_share:
            self._on_send()
        elif self._takes(event) and self._is_asking_to_share:
            self._answer(event.key() == Qt.Key.Key_Y)
        elif self._takes(event):
            self._choose(_KEYS[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)
