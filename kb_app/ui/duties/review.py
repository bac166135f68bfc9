"""The page on which a change is reviewed: what changed, why it was allowed, the policy then, the evidence."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from kb_app.ui.common.fonts import mono_font
from kb_app.ui.common.messages import announce
from kb_app.ui.common.page import Page
from kb_app.ui.common.sheet import Choice
from kb_app.ui.common.widgets import Badge, IconLabel, KeyCap, label, text_button
from kb_app.ui.duties.review_state import (
    Fact,
    allowed_facts,
    change_facts,
    due_line,
    evidence_facts,
)
from kb_app.ui.duties.state import VERDICTS, parse_due
from kb_app.workspace.aftermath import ReviewCase, Verdict

WIDTH = 860
_DIGITS = {"1": "pass", "2": "pass-with-followup", "3": "revert"}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class _Card(QFrame):
    """A framed part of the page: a heading and lines of facts."""

    def __init__(self, icon: str, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(IconLabel(icon, "text2", 16, self))
        head.addWidget(label(title, "heading", self))
        head.addStretch(1)
        box.addLayout(head)
        self._grid_place = QVBoxLayout()
        box.addLayout(self._grid_place)
        self.box = box
        self._grid: QWidget | None = None

    def set_facts(self, facts: Sequence[Fact]) -> None:
        """Show these lines."""
        if self._grid is not None:
            self._grid.hide()
            self._grid.deleteLater()
        self._grid = QWidget(self)
        grid = QGridLayout(self._grid)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(0, 120)
        grid.setColumnStretch(1, 1)
        for number, fact in enumerate(facts):
            name = label(fact.name, "secondary", self._grid)
            name.setAlignment(Qt.AlignmentFlag.AlignTop)
            value = label(fact.value, "", self._grid, wrap=True)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            if fact.is_missing:
                value.setProperty("tone", "mitigate")
            grid.addWidget(name, number, 0)
            grid.addWidget(value, number, 1)
        self._grid_place.addWidget(self._grid)


class ReviewPage(Page):
    """The page.

    Signals:
        verdict_given(object): a `Verdict` shall be written down.
        timeline_requested(): the whole timeline shall be shown.
    """

    verdict_given = Signal(object)
    timeline_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the page; `show_case` fills it."""
        super().__init__("Review", parent, width=WIDTH)
        self.setObjectName("reviewPage")
        self.case: ReviewCase | None = None
        timeline = text_button("Timeline", "ghost", "activity", self)
        timeline.clicked.connect(self.timeline_requested)
        self.add_head(timeline)
        self.due = Badge("clock", "", "mitigate", self)
        self.box.addWidget(self.due, 0, Qt.AlignmentFlag.AlignLeft)
        self.changed = _Card("rocket", "What changed", self)
        self.allowed = _Card("scale", "Why it was allowed", self)
        self.policy = _Card("file-text", "The policy then in force", self)
        self.evidence = _Card("flask-conical", "Evidence", self)
        self._source = label("", "secondary", self.policy, wrap=True)
        self._text = QPlainTextEdit(self.policy)
        self._text.setProperty("role", "code")
        self._text.setReadOnly(True)
        self._text.setFont(mono_font(12))
        self._text.setAccessibleName("policy.yml as it was then")
        self._text.setTabChangesFocus(True)
        self._text.setFixedHeight(152)
        self.policy.box.addWidget(self._source)
        self.policy.box.addWidget(self._text)
        for card in (self.changed, self.allowed, self.policy, self.evidence):
            self.box.addWidget(card)
        self.box.addStretch(1)
        outer = self.layout()
        assert outer is not None
        outer.addWidget(self._build_bar())

    def _build_bar(self) -> QWidget:
        """The verdict stands below what is read, always in sight."""
        bar = QFrame(self)
        bar.setProperty("surface", "status")
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 12, 26, 12)  # 10 for the scroll bar above
        row.addStretch(1)
        column = QWidget(bar)
        column.setFixedWidth(WIDTH)
        row.addWidget(column)
        row.addStretch(1)
        self._build_verdict(column)
        return bar

    def _build_verdict(self, card: QWidget) -> None:
        box = QVBoxLayout(card)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        self.barred = label("", "", card, wrap=True)
        self.barred.setProperty("tone", "mitigate")
        self.barred.setObjectName("barred")
        box.addWidget(self.barred)
        self.choice = Choice("Verdict", VERDICTS, parent=card)
        self.choice.changed.connect(lambda _value: self._show_followup())
        self.note = self._line(card, "Why (may stay empty)", "What you looked at, in a line (may stay empty)")
        first = QHBoxLayout()
        first.setSpacing(12)
        first.addWidget(self.choice)
        first.addWidget(self.note, 1)
        box.addLayout(first)
        self._followup = QWidget(card)
        row = QHBoxLayout(self._followup)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.followup = self._line(self._followup, "What is still to be done", "What is still to be done")
        self.owner = self._line(self._followup, "Who does it", "Owner")
        self.followup_due = self._line(self._followup, "By when: a date, 5d or 2w", "Due: 2025-06-08, 5d, 2w")
        row.addWidget(self.followup, 3)
        row.addWidget(self.owner, 1)
        row.addWidget(self.followup_due, 1)
        box.addWidget(self._followup)
        box.addLayout(self._build_foot(card))

    def _build_foot(self, card: QWidget) -> QLayout:
        self.problem = label("", "secondary", card, wrap=True)
        self.problem.setProperty("tone", "danger")
        row = QHBoxLayout()
        row.setSpacing(8)
        self.record = text_button("Record the review", "primary", "check", card)
        self.record.setToolTip("Record the review (Enter)")
        self.record.clicked.connect(self.give)
        row.addWidget(self.record)
        for keys, words in (("1–3", "verdict"), ("Enter", "record")):
            row.addWidget(KeyCap(keys, card))
            row.addWidget(label(words, "meta", card))
        row.addWidget(self.problem, 1)
        row.addStretch(1)
        return row

    @staticmethod
    def _line(parent: QWidget, name: str, hint: str) -> QLineEdit:
        line = QLineEdit(parent)
        line.setAccessibleName(name)
        line.setPlaceholderText(hint)
        return line

    # -- showing --------------------------------------------------------------------------------------

    def show_case(self, case: ReviewCase) -> None:
        """Show a change; where the person may not review it, the verdict is grey and says why."""
        is_same = self.case is not None and (self.case.state.id, self.case.deploy.change) == (
            case.state.id,
            case.deploy.change,
        )
        self.case = case
        self.title.setText(f"Review {case.deploy.change}")
        self.setAccessibleName(f"Review {case.deploy.change}")
        text, tone = due_line(case)
        self.due.set_badge("clock", text, tone)
        self.changed.set_facts(change_facts(case))
        self.allowed.set_facts(allowed_facts(case))
        self.evidence.set_facts(evidence_facts(case))
        policy = case.policy
        self._source.setText(policy.source if policy is not None else "No decision names a policy.")
        self._text.setPlainText(policy.text if policy is not None else "")
        self._text.setVisible(policy is not None and bool(policy.text))
        if not is_same:
            self.choice.choose("pass")
            for line in (self.note, self.followup, self.owner, self.followup_due):
                line.clear()
        self.say_problem("")
        self._show_permission()
        self._show_followup()

    def _show_permission(self) -> None:
        assert self.case is not None
        may = self.case.may
        self.barred.setText(f"Not by you: {may.reason}." if not may.is_allowed else "")
        self.barred.setVisible(not may.is_allowed)
        for part in (self.choice, self.note, self._followup, self.record):
            part.setEnabled(may.is_allowed)
            part.setToolTip("" if may.is_allowed else may.reason)
        self.setFocusProxy(self.choice if may.is_allowed else self.back)

    def _show_followup(self) -> None:
        self._followup.setVisible(self.choice.value == "pass-with-followup")
        words = {
            "pass": "Record: pass",
            "pass-with-followup": "Record: pass with follow-up",
            "revert": "Record: revert it",
        }
        self.record.setText(words[self.choice.value])
        self.record.setAccessibleName(words[self.choice.value])

    def say_problem(self, text: str) -> None:
        """Say what is wrong."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        if text:
            announce(self, text)

    # -- giving the verdict ---------------------------------------------------------------------------

    def give(self) -> None:
        """Ask for the verdict to be written down."""
        case = self.case
        if case is None or not case.may.is_allowed:
            return
        try:
            due = parse_due(self.followup_due.text(), case.now)
        except ValueError:
            self.say_problem("That is no date: write 2025-06-08, 5d or 2w")
            self.followup_due.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        is_followed = self.choice.value == "pass-with-followup"
        if is_followed and not self.followup.text().strip():
            self.say_problem("Say what is still to be done")
            self.followup.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self.say_problem("")
        self.verdict_given.emit(
            Verdict(
                case.deploy.change,
                self.choice.value,
                self.note.text(),
                self.followup.text() if is_followed else "",
                self.owner.text() if is_followed else "",
                due if is_followed else None,
            )
        )

    def event(self, event: QEvent) -> bool:
        """Keep the digits and Enter from the window."""
        is_key = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_key and isinstance(event, QKeyEvent) and event.text() in _DIGITS and not event.modifiers():
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Digits choose the verdict, Enter records it."""
        case = self.case
        if case is not None and case.may.is_allowed and event.text() in _DIGITS and not event.modifiers():
            self.choice.choose(_DIGITS[event.text()])
            (self.followup if self.choice.value == "pass-with-followup" else self.choice).setFocus(
                Qt.FocusReason.OtherFocusReason
            )
        elif event.key() in _ENTER:
            self.give()
        else:
            super().keyPressEvent(event)
