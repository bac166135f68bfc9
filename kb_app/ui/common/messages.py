"""Messages to the user: one sentence and one action on a bar; never a dialog that stops the work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from kb_app.ui.common.message_words import MessageWords
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import EmptyState, IconButton, IconLabel, label, text_button

PASSING_MS = 2_400


class Weight(StrEnum):
    """How much a message matters."""

    NOTE = "note"
    PROBLEM = "problem"


_LOOKS = {
    Weight.NOTE: ("info", "info"),
    Weight.PROBLEM: ("triangle-alert", "danger"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence with a next step.

    Attributes:
        text: what happened.
        hint: what the user can do, one sentence; may be empty.
        weight: how much it matters.
        action: label of the button; empty for none.
        run: what the button does.
        topic: a later message of the same topic replaces this one, and `MessageBar.settle` takes it away.
    """

    text: str
    hint: str = ""
    weight: Weight = Weight.NOTE
    action: str = ""
    run: Callable[[], None] | None = None
    topic: str = ""


def announce(widget: QWidget, text: str) -> None:
    """Let a screen reader say ``text``."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))


def fit_text(empty: EmptyState, width: int) -> None:
    """Give the sentence of an empty state a width of its own, so that its lines are all shown.

    A wrapping label that is centred in its layout is otherwise as high as for another width.
    """
    for text in empty.findChildren(QLabel):
        if text.wordWrap():
            text.setFixedWidth(width)
            text.setMinimumHeight(3 * text.fontMetrics().lineSpacing() + 4)


class Toast(QFrame):
    """A few words that pass by themselves at the bottom of the window; nothing moves for them."""

    def __init__(self, parent: QWidget) -> None:
        """Make a hidden one over ``parent``."""
        super().__init__(parent)
        self.setObjectName("toast")
        self.setProperty("surface", "popup")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 16, 8)
        row.setSpacing(8)
        row.addWidget(IconLabel("circle-check", "fix", 16, self))
        self._text = label("", "", self)
        row.addWidget(self._text)
        self.timer = QTimer(self, singleShot=True, interval=PASSING_MS)
        self.timer.timeout.connect(self.hide)
        self.hide()

    def say(self, text: str) -> None:
        """Show ``text`` for a moment; a screen reader says it."""
        self._text.setText(text)
        self.adjustSize()
        self.place()
        self.show()
        self.raise_()
        self.timer.start()
        announce(self, text)

    def text(self) -> str:
        """Return what is said now, empty when nothing is."""
        return "" if self.isHidden() else self._text.text()

    def place(self) -> None:
        """Stand at the bottom, in the middle."""
        parent = self.parentWidget()
        if parent is not None:
            self.move((parent.width() - self.width()) // 2, parent.height() - self.height() - 24)


class MessageBar(QFrame):
    """Shows one message at a time, the weightiest first; the others wait.

    Signals:
        shown(object): the `Message` that stands on the bar now, or None.
    """

    shown = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a hidden bar."""
        super().__init__(parent)
        self.setObjectName("messageBar")
        self.setProperty("surface", "notice")
        self._messages: list[Message] = []
        self._icon = IconLabel("info", "info", 18, self)
        self.words = MessageWords(self)
        self.words.setObjectName("messageText")
        self.more = text_button("Show all", "link", parent=self)
        self.more.setToolTip("Show all of the message")
        self.more.clicked.connect(self._on_more)
        self.words.cut_changed.connect(self._show_more)
        self.action_button = text_button("", "link", parent=self)
        self.action_button.setAccessibleName("Do what the message offers")
        self.action_button.clicked.connect(self._on_action)
        self._close = IconButton("x", "Dismiss the message", self, size=14)
        self._close.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 8, 4)
        row.setSpacing(10)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self._icon, 0, top)
        row.addWidget(self.words, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.more, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.action_button, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        row.addWidget(self._close, 0, top)
        self.hide()

    @property
    def current(self) -> Message | None:
        """Return the message on the bar."""
        return self._messages[0] if self._messages else None

    def post(self, message: Message) -> None:
        """Show a message, before lighter ones and in place of one of the same topic."""
        kept = [
            m for m in self._messages if m != message and not (message.topic and m.topic == message.topic)
        ]
        self._messages = sorted((message, *kept), key=lambda m: m.weight is not Weight.PROBLEM)
        announce(self, f"{message.text}. {message.hint}" if message.hint else message.text)
        self._show()

    def settle(self, topic: str) -> None:
        """Take messages of ``topic`` away: their cause is gone."""
        self._messages = [m for m in self._messages if m.topic != topic]
        self._show()

    def _show(self) -> None:
        message = self.current
        self.setVisible(message is not None)
        if message is not None:
            icon, tone = _LOOKS[message.weight]
            set_property(self, "tone", tone)
            self._icon.set_icon(icon, tone)
            self.words.set_words(message.text, message.hint)
            self._show_more()
            self.action_button.setVisible(bool(message.action))
            self.action_button.setText(message.action)
            self.action_button.setAccessibleName(message.action)
        self.shown.emit(message)

    def _show_more(self) -> None:
        self.more.setVisible(self.words.is_cut)
        self.more.setText("Show less" if self.words.is_open else "Show all")
        self.more.setAccessibleName(f"{self.more.text()} of the message")

    def _on_more(self) -> None:
        self.words.set_open(is_open=not self.words.is_open)
        self._show_more()

    def dismiss(self) -> None:
        """Take the message away; the next one shows."""
        self._messages = self._messages[1:]
        self._show()

    def _on_action(self) -> None:
        message = self.current
        self.dismiss()
        if message is not None and message.run is not None:
            message.run()
