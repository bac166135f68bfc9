"""The drill: a condition and what is known, one key to answer, then what the policy says and why."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from kb_app.decision.wording import advice_sentence
from kb_app.incidents.markup import one_line
from kb_app.logs import visible
from kb_app.ui.common.messages import announce, fit_text
from kb_app.ui.common.page import Page
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import Chip, EmptyState, Hairline, IconLabel, KeyCap, label, text_button
from kb_app.ui.decision.state import rule_text
from kb_app.workspace.drilling import Choice, Drill, Score, reasons_of, times_text

CHOICES = (
    (Choice.MITIGATE, "Mitigate first", "shield-alert", "1", Qt.Key.Key_M),
    (Choice.FIX, "Fix forward", "wrench", "2", Qt.Key.Key_F),
    (Choice.BOTH, "Both at once", "split", "3", Qt.Key.Key_B),
    (Choice.NEITHER, "Neither now", "ban", "4", Qt.Key.Key_N),
)
_TONES = {"impact": {"down": "danger", "degraded": "mitigate"}, "trend": {"worsening": "mitigate"}}


class DrillPage(Page):
    """One question after the other.

    Signals:
        answered(object): the `Choice`.
        next_requested(): another question.
        entry_requested(object): open the entry of the `Drill` that was answered.
        cases_toggled(bool): ask the worked cases instead of entries.
    """

    answered = Signal(object)
    next_requested = Signal()
    entry_requested = Signal(object)
    cases_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the page; `show_question` fills it."""
        super().__init__("Drill: mitigate or fix?", parent)
        self.setObjectName("drillPage")
        self.drill: Drill | None = None
        self.is_answered = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(None)  # type: ignore[arg-type]
        self.score = label("", "secondary", self.column)
        self.cases = text_button("Worked cases", "tab", "graduation-cap", self.column)
        self.cases.setCheckable(True)
        self.cases.setToolTip("Ask the cases that come with the program instead of your entries")
        self.cases.toggled.connect(self.cases_toggled)
        self.add_head(self.score)
        self.add_head(self.cases)
        self._stack = QStackedWidget(self.column)
        self._stack.addWidget(self._build_drill())
        self.empty = EmptyState("target", "Looking for entries", "", parent=self)
        self._stack.addWidget(self.empty)
        self._stack.setCurrentIndex(1)
        self.box.addWidget(self._stack, 1)
        note = "Only for you: no record is written, and the log of answers stays in your data folder."
        self.box.addWidget(label(note, "meta", self.column, wrap=True))

    def _build_drill(self) -> QWidget:
        body = QWidget(self.column)
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 8, 0, 0)
        box.setSpacing(16)
        box.addWidget(self._build_question())
        self.answers = QWidget(body)
        row = QHBoxLayout(self.answers)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self.buttons: dict[Choice, QPushButton] = {}
        for choice, text, icon, key, letter in CHOICES:
            button = text_button(text, "", icon, self.answers)
            button.setObjectName(f"drill:{choice.value}")
            button.setMinimumHeight(44)
            button.setToolTip(f"{text} ({key} or {chr(letter.value)})")
            button.clicked.connect(partial(self._answer, choice))
            cap = KeyCap(key, self.answers)
            holder = QHBoxLayout()
            holder.setSpacing(6)
            holder.addWidget(button, 1)
            holder.addWidget(cap)
            row.addLayout(holder, 1)
            self.buttons[choice] = button
        box.addWidget(self.answers)
        box.addWidget(self._build_answer())
        box.addStretch(1)
        return body

    def _build_question(self) -> QWidget:
        card = QFrame(self.column)
        card.setProperty("surface", "card")
        box = QVBoxLayout(card)
        box.setContentsMargins(24, 20, 24, 20)
        box.setSpacing(12)
        self._title = label("", "title", card, wrap=True)
        box.addWidget(self._title)
        self._condition = label("", "", card, wrap=True)
        box.addWidget(self._condition)
        self._chips = QHBoxLayout()
        self._chips.setSpacing(8)
        box.addLayout(self._chips)
        return card

    def _build_answer(self) -> QWidget:
        self.answer = QFrame(self.column)
        self.answer.setProperty("surface", "notice")
        box = QVBoxLayout(self.answer)
        box.setContentsMargins(20, 16, 20, 16)
        box.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(8)
        self._icon = IconLabel("circle-check", "fix", 20, self.answer)
        head.addWidget(self._icon)
        self._verdict = label("", "title", self.answer)
        head.addWidget(self._verdict)
        head.addStretch(1)
        self._rule = label("", "secondary", self.answer)
        head.addWidget(self._rule)
        box.addLayout(head)
        self._sentence = label("", "heading", self.answer, wrap=True)
        box.addWidget(self._sentence)
        self._times = label("", "secondary", self.answer, wrap=True)
        box.addWidget(self._times)
        box.addWidget(Hairline(self.answer))
        self._reasons = label("", "", self.answer, wrap=True)
        box.addWidget(self._reasons)
        self._case = label("", "secondary", self.answer, wrap=True)
        box.addWidget(self._case)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.following = text_button("Next question", "primary", "", self.answer)
        self.following.setToolTip("Next question (Enter)")
        self.following.clicked.connect(self.next_requested)
        row.addWidget(self.following)
        self.open_entry = text_button("Open the entry", "ghost", "book-open", self.answer)
        self.open_entry.setToolTip("Open the entry with its paths (O)")
        self.open_entry.clicked.connect(self._open_entry)
        row.addWidget(self.open_entry)
        row.addStretch(1)
        box.addLayout(row)
        return self.answer

    # -- showing --------------------------------------------------------------------------------------

    def show_question(self, drill: Drill) -> None:
        """Ask; nothing of the ways out shows."""
        self.drill, self.is_answered = drill, False
        self._stack.setCurrentIndex(0)
        self._title.setText(one_line(drill.title) if drill.path else "What do you do now?")
        self._condition.setText("\n".join(visible(line) for line in drill.condition.split("\n")))
        self._show_chips(drill)
        self.answer.hide()
        for button in self.buttons.values():
            set_property(button, "role", "")
            button.setEnabled(True)
            button.setAccessibleName(button.text())
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self, f"{self._title.text()}. {self._condition.text()}")

    def _show_chips(self, drill: Drill) -> None:
        while (item := self._chips.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for name, word in drill.state:
            tone = _TONES.get(name, {}).get(word, "muted")
            self._chips.addWidget(Chip(f"{name}: {word}", tone, self))
        self._chips.addStretch(1)

    def show_answer(self, choice: Choice, score: Score) -> None:
        """Tell what the policy says to the question that was asked."""
        if self.drill is None:
            return
        drill, is_right = self.drill, choice is self.drill.right
        self.is_answered = True
        set_property(self.buttons[choice], "role", "primary")
        for button in self.buttons.values():
            button.setEnabled(False)
        self.buttons[choice].setAccessibleName(f"{self.buttons[choice].text()}, your answer")
        advice = drill.advice
        self._icon.set_icon("circle-check" if is_right else "info", "fix" if is_right else "info")
        self._verdict.setText("As the policy says" if is_right else "The policy says otherwise")
        self._rule.setText(f"Rule {rule_text(advice)}")
        self._sentence.setText(one_line(advice_sentence(advice)))
        self._times.setText(one_line(times_text(advice)))
        self._reasons.setText("\n".join(f"• {one_line(reason)}" for reason in reasons_of(advice)))
        self._case.setVisible(not drill.path)
        self._case.setText(one_line(drill.title))
        self.open_entry.setVisible(bool(drill.path))
        self.answer.show()
        self.show_score(score)
        self.following.setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self, f"{self._verdict.text()}. {self._sentence.text()}")

    def show_score(self, score: Score) -> None:
        """Show how the session went so far."""
        self.score.setText(f"{score.right} of {score.asked} as the policy says" if score.asked else "")

    def show_state(self, icon: str, title: str, text: str) -> None:
        """Say why there is no question."""
        self.drill = None
        self.empty.set_state(icon, title, text)
        fit_text(self.empty, 420)
        self._stack.setCurrentIndex(1)

    # -- keys -----------------------------------------------------------------------------------------

    def _answer(self, choice: Choice) -> None:
        if self.drill is not None and not self.is_answered:
            self.answered.emit(choice)

    def _open_entry(self) -> None:
        if self.drill is not None and self.drill.path:
            self.entry_requested.emit(self.drill)

    def _choice_of(self, event: QKeyEvent) -> Choice | None:
        if event.modifiers() not in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier):
            return None
        for choice, _, _, digit, letter in CHOICES:
            if event.text() == digit or event.key() == letter:
                return choice
        return None

    def _takes(self, event: QKeyEvent) -> bool:
        if self.drill is None:
            return False
        if self.is_answered:
            return event.key() == Qt.Key.Key_O and event.modifiers() == Qt.KeyboardModifier.NoModifier
        return self._choice_of(event) is not None

    def event(self, event: QEvent) -> bool:
        """Take the keys of the answers before the window's own single letters do."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and self._takes(event)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Answer, go on, open the entry."""
        choice = self._choice_of(event)
        if self.drill is None:
            super().keyPressEvent(event)
        elif not self.is_answered and choice is not None:
            self._answer(choice)
        elif self.is_answered and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.next_requested.emit()
        elif self.is_answered and event.key() == Qt.Key.Key_O:
            self._open_entry()
        else:
            super().keyPressEvent(event)
