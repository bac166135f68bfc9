"""The propose sheet: one line about the change, then Enter; what stands in the way is shown right there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from kb_app.gitstore.leaks import Leak
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import IconLabel, label, text_button
from kb_app.workspace.contributing import Taker

MAX_ROWS = 6


class ProposeSheet(QFrame):
    """Asks what was changed and why, at the lower edge of the editor.

    Signals:
        proposed(str, bool): the line; True: what may be a secret is an example.
        named(str, str): name and e-mail the user gave, before ``proposed``.
        line_requested(int): show this 1-based line of the text.
        patch_requested(), copy_requested(): a change to a folder as a patch file, or on the clipboard.
        address_requested(), overlay_requested(): other ways for a knowledge base that takes no proposals.
        closed(): the user goes on writing.
    """

    proposed = Signal(str, bool)
    named = Signal(str, str)
    line_requested = Signal(int)
    patch_requested = Signal()
    copy_requested = Signal()
    address_requested = Signal()
    overlay_requested = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("proposeSheet")
        self.setProperty("surface", "card")
        self.setAccessibleName("Propose the change")
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 16, 20, 16)
        box.setSpacing(10)
        self.title = label("What did you change, and why?", "title", self)
        box.addWidget(self.title)
        self.text = label("", "secondary", self, wrap=True)
        box.addWidget(self.text)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.line = QLineEdit(self)
        self.line.setObjectName("proposeLine")
        self.line.setAccessibleName("What did you change, and why?")
        self.line.setMaxLength(180)
        row.addWidget(self.line, 1)
        self.propose_button = text_button("Propose", "primary", "send", self)
        self.propose_button.setToolTip("Propose (Enter)")
        self.propose_button.clicked.connect(self._on_propose)
        row.addWidget(self.propose_button)
        self.cancel_button = text_button("Go on writing", "ghost", parent=self)
        self.cancel_button.setToolTip("Go on writing (Esc)")
        self.cancel_button.clicked.connect(self.closed)
        row.addWidget(self.cancel_button)
        box.addLayout(row)
        self._who = QWidget(self)
        who = QHBoxLayout(self._who)
        who.setContentsMargins(0, 0, 0, 0)
        who.setSpacing(8)
        who.addWidget(label("Who are you? Asked once.", "secondary", self._who))
        self.name, self.email = QLineEdit(self._who), QLineEdit(self._who)
        for field, text in ((self.name, "Your name"), (self.email, "Your e-mail")):
            field.setPlaceholderText(text)
            field.setAccessibleName(text)
            who.addWidget(field, 1)
        box.addWidget(self._who)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        box.addLayout(self._rows)
        self._is_busy = False
        self.is_doubtful_accepted = False
        self._can_propose = True
        self.hide()

    # -- states ---------------------------------------------------------------------------------------

    def ask(self, line: str, remark: str, *, needs_name: bool) -> None:
        """Ask what was changed; ``line`` is offered, ``remark`` says where the change goes."""
        self._clear()
        self._can_propose = True
        self.is_doubtful_accepted = False
        self.title.setText("What did you change, and why?")
        self._say(remark)
        self.line.setText(line)
        self._who.setVisible(needs_name)
        for part in (self.line, self.propose_button, self.cancel_button):
            part.setVisible(True)
        self.propose_button.setText("Propose")
        self.set_busy(is_busy=False)
        self.show()
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)
        self.line.selectAll()

    def offer_folder(self, name: str, *, has_address: bool, taker: Taker, can_overlay: bool) -> None:
        """Say that ``name`` takes no proposals, and offer the other ways."""
        self._clear()
        self._can_propose = False
        self._who.hide()
        is_bundled = taker is Taker.BUNDLED
        self.title.setText(f"{name} is only read")
        self._say(
            "These entries come with the program. Your change is kept as a draft; save it as a patch."
            if is_bundled
            else "It is a folder, and nothing is ever written into it. Hand the change to its owner as a "
            "patch file, or get the knowledge base by its address, then it takes proposals."
        )
        for part in (self.line, self.propose_button, self.cancel_button):
            part.setVisible(False)
        row = self._new_row()
        first = self._button(row, "Save as patch file…", "primary", "save", self.patch_requested.emit)
        self._button(row, "Copy the patch", "", "copy", self.copy_requested.emit)
        if has_address and not is_bundled:
            self._button(row, "Get it by its address…", "", "download", self.address_requested.emit)
        if can_overlay:
            self._button(row, "Keep it as my own copy", "", "layers", self.overlay_requested.emit)
        row.addStretch(1)
        self._button(row, "Go on writing", "ghost", "", self.closed.emit)
        self.set_busy(is_busy=False)
        self.show()
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_leaks(self, leaks: Sequence[Leak]) -> None:
        """Say what must not be shared, line by line; doubtful ones can be called an example."""
        self._clear()
        self.set_busy(is_busy=False)
        for leak in leaks[:MAX_ROWS]:
            row = self._notice("shield-alert", f"Line {leak.line} holds {leak.what}", "danger")
            self._button(row, "Show it", "link", "", partial(self.line_requested.emit, leak.line))
        if len(leaks) > MAX_ROWS:
            self._notice("shield-alert", f"and {len(leaks) - MAX_ROWS} more", "danger")
        is_certain = any(leak.is_certain for leak in leaks)
        text = "Replace it by a placeholder such as <name>, then propose again."
        row = self._notice("info", text, "info")
        if not is_certain:
            self._button(row, "It is only an example", "", "", self._accept)
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_problem(self, sentence: str, hint: str) -> None:
        """Say why it could not be proposed; the text is kept."""
        self._clear()
        self.set_busy(is_busy=False)
        self._notice("triangle-alert", f"{sentence}. {hint}" if hint else sentence, "danger")
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_busy(self, *, is_busy: bool) -> None:
        """Show that the proposal is being saved."""
        self._is_busy = is_busy
        self.propose_button.setEnabled(not is_busy)
        self.propose_button.setText("Saving …" if is_busy else "Propose")
        self.line.setReadOnly(is_busy)

    # -- the rest -------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self.text.setText(text)
        self.text.setVisible(bool(text))

    def _clear(self) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()

    def _new_row(self) -> QHBoxLayout:
        holder = QWidget(self)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._rows.addWidget(holder)
        return row

    def _notice(self, icon: str, text: str, tone: str) -> QHBoxLayout:
        frame = QFrame(self)
        frame.setProperty("surface", "notice")
        set_property(frame, "tone", tone)
        row = QHBoxLayout(frame)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(IconLabel(icon, "text2" if tone == "muted" else tone, 16, frame))
        row.addWidget(label(text, "", frame, wrap=True), 1)
        self._rows.addWidget(frame)
        return row

    def _button(self, row: QHBoxLayout, text: str, role: str, icon: str, run: Callable[[], None]) -> QWidget:
        button = text_button(text, role, icon, self)
        button.setToolTip(text)
        button.clicked.connect(lambda _checked=False: run())
        row.addWidget(button)
        return button

    def _accept(self) -> None:
        self.is_doubtful_accepted = True
        self._on_propose()

    def _on_propose(self) -> None:
        if self._is_busy or not self._can_propose or not self.propose_button.isEnabled():
            return
        if not self.line.text().strip():
            set_property(self.line, "invalid", "true")
            self.line.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        set_property(self.line, "invalid", "false")
        if self._who.isVisible():
            missing = next((f for f in (self.name, self.email) if not f.text().strip()), None)
            if missing is not None:
                missing.setFocus(Qt.FocusReason.OtherFocusReason)
                return
            self.named.emit(self.name.text().strip(), self.email.text().strip())
        self.set_busy(is_busy=True)
        self.proposed.emit(self.line.text().strip(), self.is_doubtful_accepted)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter proposes; Esc goes on writing."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_propose()
        elif event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
