"""One step as a card: its tick, its words, its commands, what to check, and how it is marked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from PySide6.QtCore import QElapsedTimer, QEvent, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kb_app.entries.model import Step
from kb_app.logs import visible
from kb_app.ui.common.fonts import MONO_FAMILY, ui_font
from kb_app.ui.common.messages import announce
from kb_app.ui.common.style import set_property
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import IconLabel, KeyCap, ProgressLine, label, text_button
from kb_app.ui.steps.cards import CommandBox, ElidedButton, Remark
from kb_app.ui.steps.marks import (
    HOLD_MS,
    MAX_NOTE,
    NO_MARK,
    Mark,
    StepMark,
    confirm_words,
    hold_words,
    minutes_text,
    stopwatch,
)
from kb_app.ui.steps.state import StepView, inline_html, plain_words

_TICK_WIDTH = 24
_FRAME_MS = 16
_ARROWS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right)
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)

_MARK_LOOKS: Mapping[Mark, tuple[str, str, str]] = {
    Mark.SKIPPED: ("skip-forward", "muted", "Skipped"),
    Mark.FAILED: ("circle-x", "danger", "Did not work"),
}
"""Icon, tone and words of a mark that is no tick."""

_STATE_WORDS: Mapping[Mark, str] = {
    Mark.DONE: "done",
    Mark.SKIPPED: "skipped",
    Mark.FAILED: "did not work",
    Mark.WAITING: "waiting",
}


class StepTick(QCheckBox):
    """The check box of a step: Space marks, held where it cannot be taken back; the arrows are the panel's.

    Signals:
        pressed_down(): Space asks for the mark.
        clicked_on(): so does the mouse.
        let_go(): Space was released, or the focus went.
        asked(): Enter asks for the mark in words.
        focused(): it has the focus now.
    """

    pressed_down = Signal()
    clicked_on = Signal()
    let_go = Signal()
    asked = Signal()
    focused = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Mark on Space and Enter; leave everything else to the panel, even what a check box would take."""
        if event.key() == Qt.Key.Key_Space and not _has_modifier(event):
            if not event.isAutoRepeat():
                self.pressed_down.emit()
        elif event.key() in _ENTER and not _has_modifier(event):
            self.asked.emit()
        elif event.key() in _ARROWS or event.text():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """A held key that is let go too early marks nothing."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.let_go.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click asks for the mark; the box shows it once it is given."""
        self.setDown(False)
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked_on.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the card."""
        super().focusInEvent(event)
        self.focused.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A held key is let go with the focus."""
        super().focusOutEvent(event)
        self.let_go.emit()


def _has_modifier(event: QKeyEvent) -> bool:
    harmless = Qt.KeyboardModifier.KeypadModifier
    return bool(event.modifiers() & ~harmless)


class NoteRow(QFrame):
    """Asks for a note in one line, below the step.

    Signals:
        entered(str): the note, may be empty where none is needed.
        dismissed(): Esc: nothing is marked.
    """

    entered = Signal(str)
    dismissed = Signal()

    def __init__(self, asks: str, button: str, *, is_needed: bool, parent: QWidget | None = None) -> None:
        """Ask ``asks``; ``button`` says what Enter does."""
        super().__init__(parent)
        self.setObjectName("stepNote")
        self._is_needed = is_needed
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        title = label(asks, "secondary", self, wrap=True)
        box.addWidget(title)
        self.input = QLineEdit(self)
        self.input.setMaxLength(MAX_NOTE)
        self.input.setAccessibleName(asks)
        self.input.setToolTip("Enter keeps it, Esc leaves the step as it is")
        title.setBuddy(self.input)
        box.addWidget(self.input)
        self._missing = label("Write what you saw first.", "meta", self)
        self._missing.setProperty("tone", "danger")
        self._missing.hide()
        box.addWidget(self._missing)
        row = QHBoxLayout()
        row.setSpacing(4)
        self.accept_button = text_button(button, "", parent=self)
        self.accept_button.setToolTip(f"{button} (Enter)")
        self.accept_button.clicked.connect(self._on_accepted)
        cancel = text_button("Cancel", "ghost", parent=self)
        cancel.setToolTip("Leave the step as it is (Esc)")
        cancel.clicked.connect(self.dismissed)
        row.addWidget(self.accept_button)
        row.addWidget(cancel)
        row.addStretch(1)
        box.addLayout(row)

    def _on_accepted(self) -> None:
        note = " ".join(self.input.text().split())
        if self._is_needed and not note:
            set_property(self.input, "invalid", "true")
            self._missing.show()
            self.input.setFocus(Qt.FocusReason.OtherFocusReason)
            announce(self, "A note is needed")
        else:
            self.entered.emit(note)

    def event(self, event: QEvent) -> bool:
        """Keep letters from the window, where they are shortcuts."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            is_own = event.key() in (*_ENTER, Qt.Key.Key_Escape) or bool(event.text().strip())
            if is_own and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter keeps the note, Esc leaves."""
        if event.key() in _ENTER:
            focused = self.focusWidget()
            if isinstance(focused, QPushButton) and focused is not self.accept_button:
                focused.click()
            else:
                self._on_accepted()
        elif event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)


class FinalQuestion(QFrame):
    """Asks in words before a step that cannot be taken back is marked; the harmless answer has the focus.

    Signals:
        agreed(): mark it.
        declined(): leave it.
    """

    agreed = Signal()
    declined = Signal()

    def __init__(self, step: Step, parent: QWidget | None = None) -> None:
        """Ask about ``step``."""
        super().__init__(parent)
        self.setObjectName("finalQuestion")
        self.setProperty("surface", "notice")
        self.setProperty("tone", "danger")
        box = QVBoxLayout(self)
        box.setContentsMargins(10, 8, 8, 8)
        box.setSpacing(6)
        words = QLabel(inline_html(confirm_words(step), mono_family=MONO_FAMILY), self)
        words.setTextFormat(Qt.TextFormat.RichText)
        words.setWordWrap(True)
        words.setFont(ui_font(12))
        box.addWidget(words)
        self.yes = ElidedButton(f"It is done: {visible(plain_words(step.text))}", self)
        self.yes.setProperty("role", "danger")
        self.yes.clicked.connect(self.agreed)
        self.no = text_button("Not yet", "ghost", parent=self)
        self.no.clicked.connect(self.declined)
        box.addWidget(self.yes)
        box.addWidget(self.no)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter means the button that has the focus; Esc declines."""
        focused = self.focusWidget()
        if event.key() == Qt.Key.Key_Escape:
            self.declined.emit()
        elif event.key() in _ENTER and isinstance(focused, QPushButton):
            focused.click()
        else:
            super().keyPressEvent(event)


class WaitRow(QWidget):
    """How long a step still waits, by the clock.

    Signals:
        cut_short(): it is done already.
    """

    cut_short = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self.setObjectName("stepWait")
        box = QVBoxLayout(self)
        box.setContentsMargins(2, 0, 0, 0)
        box.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(IconLabel("timer", "info", 15, self))
        self._left = QLabel(self)
        self._left.setTextFormat(Qt.TextFormat.PlainText)
        self._left.setFont(ui_font(15, 600))
        self._left.setProperty("tone", "info")
        row.addWidget(self._left)
        self._until = label("", "secondary", self)
        row.addWidget(self._until)
        row.addStretch(1)
        box.addLayout(row)
        self._bar = ProgressLine("Waiting", self, tone="info")
        box.addWidget(self._bar)
        self.button = text_button("Done already", "ghost", parent=self)
        self.button.setToolTip("End the wait early and tick the step")
        self.button.clicked.connect(self.cut_short)
        box.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self._total = 0.0

    def show_wait(self, due: dt.datetime, now: dt.datetime, minutes: float | None) -> None:
        """Show what is left until ``due``; ``minutes`` is the whole wait, if known."""
        left = max(0.0, (due - now).total_seconds())
        self._total = max(self._total, left, (minutes or 0) * 60)
        self._left.setText(stopwatch(left + 0.999 if left else 0))
        self._until.setText(f"until {due.astimezone():%H:%M}")
        self._bar.set_progress(round(self._total - left), max(1, round(self._total)))
        self._bar.setAccessibleName(f"Waiting, {stopwatch(left)} left")

    def left_text(self) -> str:
        """Return what is left as it is shown."""
        return self._left.text()

    def forget(self) -> None:
        """Begin with another wait."""
        self._total = 0.0


class StepCard(QFrame):
    """One step: its tick, its words, its commands, and while it is the current one what to check and undo.

    Signals:
        marked(str, object, str, float): the step's key, the `Mark` asked for, the note, minutes to wait.
        copied(str, str): the step's key and the text for the clipboard.
        values_needed(object): names to be filled in.
        asked(object): a question stands below the step now; bring it into view.
        link_activated(str): a link in the text was clicked.
        focused(str): the step's key: the focus is on it.
    """

    marked = Signal(str, object, str, float)
    copied = Signal(str, str)
    values_needed = Signal(object)
    link_activated = Signal(str)
    asked = Signal(object)
    focused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty card; `show_step` fills it, again and again: making one costs much more."""
        super().__init__(parent)
        self.view: StepView
        self._total = 0
        self._mark = NO_MARK
        self._wait_minutes: float | None = None
        self._is_final = False
        self._is_current = False
        self._held = QElapsedTimer()
        self._hold_timer = QTimer(self, interval=_FRAME_MS)
        self._hold_timer.timeout.connect(self._on_held)
        self.setProperty("surface", "card")
        self.setObjectName("step")
        self.commands: list[CommandBox] = []
        self._spare: list[CommandBox] = []
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(8, 8, 8, 8)
        self._box.setSpacing(8)
        self._box.addLayout(self._build_head())
        self._extras: QWidget | None = None
        self._outcome: Remark | None = None
        self._ask: QWidget | None = None
        self._wait: WaitRow | None = None

    def _build_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        self.tick = StepTick(self)
        self.tick.setFixedWidth(_TICK_WIDTH)
        self.tick.setObjectName("stepTick")
        self.tick.pressed_down.connect(self._on_pressed)
        self.tick.clicked_on.connect(self._on_clicked)
        self.tick.let_go.connect(self._stop_holding)
        self.tick.asked.connect(self._on_enter)
        self.tick.focused.connect(lambda: self.focused.emit(self.view.key))
        self._text = QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setWordWrap(True)
        self._text.setFont(ui_font(13))
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)
        self._text.linkActivated.connect(self.link_activated)
        self._text.setContentsMargins(0, 3, 0, 0)
        row.addWidget(self.tick, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        return row

    # -- what is shown --------------------------------------------------------------------------------

    def show_step(
        self, view: StepView, total: int, values: Mapping[str, str], *, is_final: bool, wait: float | None
    ) -> None:
        """Show a step as one of ``total``.

        Args:
            view: the step.
            total: how many the path has.
            values: filled into its commands.
            is_final: it cannot be taken back: its tick needs a held key or a worded answer.
            wait: minutes it asks to wait; None when it does not.
        """
        self.view, self._total = view, total
        self._is_final, self._wait_minutes = is_final, wait
        self._stop_holding()
        self._drop_ask()
        self._drop(self._extras)
        self._drop(self._outcome)
        self._extras = self._outcome = None
        if self._wait is not None:
            self._wait.hide()
            self._wait.forget()
        self._mark = NO_MARK
        self._text.setText(inline_html(view.step.text or "Run", mono_family=MONO_FAMILY))
        self._show_commands(values)

    def _show_commands(self, values: Mapping[str, str]) -> None:
        wanted = self.view.step.commands
        boxes = [*self.commands, *self._spare]
        while len(boxes) < len(wanted):
            boxes.append(self._new_command(len(boxes)))
        self.commands, self._spare = boxes[: len(wanted)], boxes[len(wanted) :]
        for box, command in zip(self.commands, wanted, strict=True):
            box.show_command(command, values)
            box.show()
        for box in self._spare:
            box.hide()

    def _new_command(self, position: int) -> CommandBox:
        box = CommandBox(self.view.step.commands[position], self)
        box.copied.connect(lambda text: self.copied.emit(self.view.key, text))
        box.values_needed.connect(self.values_needed)
        box.asked.connect(self.asked)
        self._box.insertWidget(1 + position, box)
        return box

    @property
    def mark(self) -> StepMark:
        """Return the mark that is shown."""
        return self._mark

    def set_state(self, mark: StepMark, *, is_current: bool, is_in_use: bool) -> None:
        """Show its mark, whether it is the one to do now, and stands in the column the keys act on."""
        if mark.mark is not self._mark.mark:
            self._stop_holding()
            self._drop_ask()
        is_changed = mark != self._mark
        self._mark, self._is_current = mark, is_current
        self.tick.setChecked(mark.mark is Mark.DONE)
        set_property(self, "current", "true" if is_current and is_in_use else "false")
        role = self.palette().ColorRole
        is_past = mark.mark in (Mark.DONE, Mark.SKIPPED)
        self._text.setForegroundRole(role.PlaceholderText if is_past else role.WindowText)
        state = _STATE_WORDS.get(mark.mark, "current step" if is_current else "not done")
        number, words = self.view.step.number, plain_words(self.view.step.text)
        note = f", {mark.note}" if mark.note else ""
        self.tick.setAccessibleName(f"Step {number} of {self._total}, {state}{note}: {words}")
        self.tick.setToolTip(self._tip())
        if is_changed or self._outcome is not None:
            self._show_outcome()
        self._show_wait()
        self._show_extras(is_shown=mark.mark is Mark.FAILED or (is_current and mark.is_open))

    def _tip(self) -> str:
        if self._mark.mark is Mark.DONE:
            return "Take the tick back (Space)"
        if self._is_final:
            return "Hold Space, or press Enter and confirm: it cannot be taken back"
        if self._starts_wait:
            return f"Start the wait of {minutes_text(self._wait_minutes or 0)} (Space)"
        return "Tick the step (Space); S skips it, U says that it did not work"

    def set_values(self, values: Mapping[str, str]) -> None:
        """Fill values into its commands."""
        for command in self.commands:
            command.set_values(values)

    def shows_extras(self) -> bool:
        """Tell whether what to check and undo stands below the step."""
        return self._extras is not None and not self._extras.isHidden()

    def tick_time(self, now: dt.datetime) -> None:
        """Show what the passing of time has changed."""
        if self._wait is not None and self._mark.due is not None and self._mark.mark is Mark.WAITING:
            self._wait.show_wait(self._mark.due, now, self._wait_minutes)

    @property
    def wait_row(self) -> WaitRow | None:
        """Return the row of the running wait, if one runs."""
        return self._wait if self._wait is not None and not self._wait.isHidden() else None

    def _show_outcome(self) -> None:
        self._drop(self._outcome)
        self._outcome = None
        look = _MARK_LOOKS.get(self._mark.mark)
        if look is not None:
            icon, tone, words = look
            text = f"{words}: {self._mark.note}" if self._mark.note else words
            self._outcome = Remark(icon, tone, text, self, is_plain=True)
        elif self._mark.mark is Mark.DONE and (self._mark.note or self._mark.by):
            who = f"by {self._mark.by}" if self._mark.by else ""
            text = ", ".join(part for part in (who, self._mark.note) if part)
            self._outcome = Remark("check", "muted", text, self, is_plain=True)
        elif self._mark.waited:
            self._outcome = Remark("bell-ring", "info", "The wait is over: check now.", self)
        if self._outcome is not None:
            self._box.addWidget(self._outcome)
            self._keep_order()

    def _show_wait(self) -> None:
        is_waiting = self._mark.mark is Mark.WAITING and self._mark.due is not None
        if is_waiting and self._wait is None:
            self._wait = WaitRow(self)
            self._wait.cut_short.connect(lambda: self._emit(Mark.DONE))
            self._box.addWidget(self._wait)
            self._keep_order()
        if self._wait is not None:
            self._wait.setVisible(is_waiting)
        if is_waiting:
            self.tick_time(dt.datetime.now(dt.UTC))

    def _show_extras(self, *, is_shown: bool) -> None:
        if is_shown and self._extras is None:
            self._extras = self._build_extras()
            self._box.addWidget(self._extras)
            self._keep_order()
        if self._extras is not None:
            self._extras.setVisible(is_shown)
            self._actions.setVisible(self._mark.is_open)

    def _keep_order(self) -> None:
        """Let what to check come before the wait, the outcome, and a question, whichever was made first."""
        for part in (self._extras, self._wait, self._outcome, self._ask):
            if part is not None:
                self._box.removeWidget(part)
                self._box.addWidget(part)

    def _build_extras(self) -> QWidget:
        step = self.view.step
        lines = (
            ("triangle-alert", "danger", "Before: ", step.confirm),
            ("circle-check", "fix", "Check: ", step.verify),
            ("terminal", "muted", "Expect: ", step.expect),
            ("circle-x", "mitigate", "If not: ", step.if_not),
            ("undo-2", "muted", "Undo: ", step.undo),
            *(("info", "muted", "", text) for text in step.details),
        )
        extras = QWidget(self)
        box = QVBoxLayout(extras)
        box.setContentsMargins(2, 0, 0, 0)
        box.setSpacing(6)
        for icon, tone, lead, text in lines:
            if text:
                box.addWidget(Remark(icon, tone, lead + text, extras))
        self._actions = self._build_actions(extras)
        box.addWidget(self._actions)
        return extras

    def _build_actions(self, parent: QWidget) -> QWidget:
        actions = QWidget(parent)
        box = QVBoxLayout(actions)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        if self._is_final:
            hint = QHBoxLayout()
            hint.setSpacing(6)
            hint.addWidget(KeyCap("hold Space", actions))
            hint.addWidget(label(hold_words(self.view.step), "meta", actions))
            hint.addStretch(1)
            box.addLayout(hint)
        row = QHBoxLayout()
        row.setSpacing(4)
        if self._wait_minutes is not None:
            text = f"Wait {minutes_text(self._wait_minutes)}"
            row.addWidget(self._action(text, "timer", "Start a timer (W)", self.start_wait, actions))
        row.addWidget(self._action("Skip", "skip", "Skip this step (S)", self.ask_skip, actions))
        row.addWidget(
            self._action("Did not work", "fail", "Say that it did not work (U)", self.ask_failed, actions)
        )
        row.addStretch(1)
        box.addLayout(row)
        return actions

    @staticmethod
    def _action(text: str, name: str, tip: str, run: Callable[[], None], parent: QWidget) -> QPushButton:
        button = QPushButton(text, parent)
        button.setProperty("chip", "true")
        button.setObjectName(f"step:{name}")
        button.setAccessibleName(text)
        button.setToolTip(tip)
        button.clicked.connect(run)
        return button

    # -- marking --------------------------------------------------------------------------------------

    @property
    def _starts_wait(self) -> bool:
        """Tell whether ticking means to begin its wait."""
        return self._wait_minutes is not None and self._mark.mark is Mark.OPEN and not self._mark.waited

    def start_wait(self) -> None:
        """Begin the wait that the step asks for."""
        if self._wait_minutes is not None and self._mark.is_open:
            self._emit(Mark.WAITING, minutes=self._wait_minutes)

    def ask_skip(self) -> None:
        """Ask why it is skipped; Enter without a reason skips as well."""
        if self._mark.is_open:
            self._ask_note("Why is it skipped? (may stay empty)", "Skip", Mark.SKIPPED, is_needed=False)

    def ask_failed(self) -> None:
        """Ask what was seen; without that nothing is marked."""
        if self._mark.is_open or self._mark.mark is Mark.DONE:
            self._ask_note("What did you see?", "It did not work", Mark.FAILED, is_needed=True)

    def take_back(self) -> None:
        """Take the last mark of the step back."""
        if self._mark.mark is not Mark.OPEN:
            self._emit(Mark.OPEN)

    def request_tick(self) -> None:
        """Tick it as a menu would: where it cannot be taken back the question comes first."""
        if not self._mark.is_open:
            return
        if self._is_final:
            self.ask_final()
        elif self._starts_wait:
            self.start_wait()
        elif self._mark.mark is Mark.WAITING:
            announce(self, "The wait is still running")
        else:
            self._emit(Mark.DONE)

    def ask_final(self) -> None:
        """Ask in words before it is ticked."""
        question = FinalQuestion(self.view.step, self)
        question.agreed.connect(lambda: self._emit(Mark.DONE))
        question.declined.connect(self._close_ask)
        self._show_ask(question, question.no)

    def _on_pressed(self) -> None:
        if self._mark.mark in (Mark.DONE, Mark.SKIPPED, Mark.FAILED):
            self.take_back()
        elif self._is_final and self._mark.is_open:
            self._held.start()
            self._hold_timer.start()
            announce(self, "Hold the key: this cannot be taken back")
        else:
            self.request_tick()

    def _on_clicked(self) -> None:
        if self._mark.mark in (Mark.DONE, Mark.SKIPPED, Mark.FAILED):
            self.take_back()
        else:
            self.request_tick()

    def _on_enter(self) -> None:
        if self._is_final and self._mark.is_open:
            self.ask_final()

    @property
    def held(self) -> float:
        """Return how much of the holding is done, 0 to 1."""
        return min(1.0, self._held.elapsed() / HOLD_MS) if self._hold_timer.isActive() else 0.0

    def _on_held(self) -> None:
        if self._held.elapsed() >= HOLD_MS:
            self._stop_holding()
            self._emit(Mark.DONE)
        else:
            self.update()

    def _stop_holding(self) -> None:
        if self._hold_timer.isActive():
            self._hold_timer.stop()
            self.update()

    def _ask_note(self, asks: str, button: str, mark: Mark, *, is_needed: bool) -> None:
        row = NoteRow(asks, button, is_needed=is_needed, parent=self)
        row.entered.connect(lambda note: self._emit(mark, note))
        row.dismissed.connect(self._close_ask)
        self._show_ask(row, row.input)

    def _show_ask(self, ask: QWidget, focus: QWidget) -> None:
        self._drop_ask()
        self._ask = ask
        self._box.addWidget(ask)
        ask.show()
        focus.setFocus(Qt.FocusReason.OtherFocusReason)
        self.asked.emit(ask)

    def _close_ask(self) -> None:
        self._drop_ask()
        self.tick.setFocus(Qt.FocusReason.OtherFocusReason)

    def _drop_ask(self) -> None:
        ask, self._ask = self._ask, None
        if ask is not None:
            had_focus = ask.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
            self._drop(ask)
            if had_focus:
                self.tick.setFocus(Qt.FocusReason.OtherFocusReason)

    @staticmethod
    def _drop(widget: QWidget | None) -> None:
        if widget is not None:
            widget.hide()
            widget.deleteLater()

    def _emit(self, mark: Mark, note: str = "", minutes: float = 0.0) -> None:
        self._drop_ask()
        self.marked.emit(self.view.key, mark, note, minutes)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the card, and how far a held key has come."""
        super().paintEvent(event)
        held = self.held
        if held > 0:
            with QPainter(self) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                inside = QRectF(self.rect()).adjusted(1, 1, -1, -1)
                frame = QPainterPath()
                frame.addRoundedRect(inside, 7, 7)
                painter.setClipPath(frame)
                done = QRectF(inside.left(), inside.top(), inside.width() * held, inside.height())
                theme = Theme.current()
                painter.fillRect(done, theme.color("danger_bg"))
                bar = QRectF(inside.left(), inside.bottom() - 3, inside.width() * held, 3)
                painter.fillRect(bar, theme.color("danger"))
