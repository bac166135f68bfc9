"""The page on which an incident is closed: what is left, the knowledge step, the seal, what was learned."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from kb_app.incidents.markup import one_line
from kb_app.incidents.timeline import IncidentState
from kb_app.ui.common.messages import announce
from kb_app.ui.common.page import Page
from kb_app.ui.common.sheet import Choice
from kb_app.ui.common.widgets import IconLabel, label, plain_tooltip, text_button
from kb_app.ui.duties.state import due_words
from kb_app.workspace.aftermath import Closing

WIDTH = 760
HOWS: tuple[tuple[str, str], ...] = (
    ("link", "An entry helped"),
    ("flag", "Flagged it"),
    ("fix", "Fixed it"),
    ("add", "No entry helped: add one"),
)


class ClosingPage(Page):
    """The page.

    Signals:
        knowledge_given(str, str, str): how, entry and note of the knowledge step.
        close_requested(str): the incident shall be closed, with this reason (may be empty).
        learn_requested(): an entry shall be written from the timeline.
        undone_requested(object): an `Owed` shall be worked on.
    """

    knowledge_given = Signal(str, str, str)
    close_requested = Signal(str)
    learn_requested = Signal()
    undone_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the page; `show_closing` fills it."""
        super().__init__("Close the incident", parent, width=WIDTH)
        self.setObjectName("closingPage")
        self.closing: Closing | None = None
        self.lead = label("", "secondary", self, wrap=True)
        self.box.addWidget(self.lead)
        self.box.addWidget(self._build_knowledge())
        self.box.addWidget(self._build_left())
        self.box.addWidget(self._build_seal())
        self.box.addStretch(1)

    def _card(self, name: str) -> tuple[QFrame, QVBoxLayout]:
        card = QFrame(self)
        card.setProperty("surface", "card")
        card.setObjectName(name)
        box = QVBoxLayout(card)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        return card, box

    def _build_knowledge(self) -> QWidget:
        card, box = self._card("knowledgeCard")
        head = QHBoxLayout()
        head.setSpacing(8)
        self._knowledge_icon = IconLabel("circle", "text2", 16, card)
        head.addWidget(self._knowledge_icon)
        head.addWidget(label("1  What the knowledge base gets", "heading", card), 1)
        box.addLayout(head)
        self.knowledge_text = label("", "secondary", card, wrap=True)
        box.addWidget(self.knowledge_text)
        self._asking = QWidget(card)
        asking = QVBoxLayout(self._asking)
        asking.setContentsMargins(0, 0, 0, 0)
        asking.setSpacing(8)
        self.how = Choice("What was done", HOWS, parent=self._asking)
        self.how.changed.connect(self._show_how)
        asking.addWidget(self.how)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.entry = self._line("Which entry: its name", "its file name without .md")
        self.note = self._line("What was learned", "What was learned (may stay empty)")
        row.addWidget(self.entry, 1)
        row.addWidget(self.note, 1)
        asking.addLayout(row)
        buttons = QHBoxLayout()
        self.give = text_button("Write it down", "", "check", self._asking)
        self.give.clicked.connect(self._on_give)
        self.learn = text_button("Add what we learned…", "ghost", "book-plus", self._asking)
        self.learn.setToolTip("A new entry, prefilled from the timeline")
        self.learn.clicked.connect(self.learn_requested)
        buttons.addWidget(self.give)
        buttons.addWidget(self.learn)
        buttons.addStretch(1)
        asking.addLayout(buttons)
        box.addWidget(self._asking)
        self.entry.returnPressed.connect(self._on_give)
        self.note.returnPressed.connect(self._on_give)
        return card

    def _line(self, name: str, hint: str) -> QLineEdit:
        line = QLineEdit(self)
        line.setAccessibleName(name)
        line.setPlaceholderText(hint)
        return line

    def _build_left(self) -> QWidget:
        card, box = self._card("leftCard")
        box.addWidget(label("2  What is left", "heading", card))
        self._left = QVBoxLayout()
        self._left.setSpacing(4)
        box.addLayout(self._left)
        self._left_card = card
        return card

    def _build_seal(self) -> QWidget:
        card, box = self._card("sealCard")
        box.addWidget(label("3  Seal the record", "heading", card))
        self.reason_text = label("", "secondary", card, wrap=True)
        box.addWidget(self.reason_text)
        self.reason = self._line("Why it is closed although something is left", "Reason, one line")
        self.reason.returnPressed.connect(self._on_close)
        box.addWidget(self.reason)
        row = QHBoxLayout()
        row.setSpacing(8)
        self.close_button = text_button("Close and seal", "primary", "lock", card)
        self.close_button.clicked.connect(self._on_close)
        row.addWidget(self.close_button)
        self.problem = label("", "secondary", card, wrap=True)
        self.problem.setProperty("tone", "danger")
        row.addWidget(self.problem, 1)
        box.addLayout(row)
        return card

    # -- showing --------------------------------------------------------------------------------------

    def show_closing(self, closing: Closing, current_entry: str = "") -> None:
        """Show what closing now leaves undone.

        Args:
            closing: as read.
            current_entry: id of the open entry, offered when the record names none.
        """
        is_same = self.closing is not None and self.closing.state.id == closing.state.id
        state = closing.state
        self.closing = closing
        self.lead.setText(f"{one_line(state.title)}  ·  {state.status}")
        if not is_same:
            self.reason.clear()
            self.note.clear()
            used = [event.text("entry") for event in state.entries_used if event.text("result") != "no"]
            self.how.choose("link" if used or current_entry else "add")
            self.entry.setText(used[-1] if used else current_entry)
        self.say_problem("")
        self._show_knowledge(state, is_done=closing.is_knowledge_done)
        self._show_left(closing)
        self._show_reason(closing)
        self._show_focus(closing)

    def expect_entry(self, name: str) -> None:
        """Offer the name of the entry that is being written: coming back, Enter writes the step down."""
        self.how.choose("add")
        self.entry.setText(name)

    def _show_knowledge(self, state: IncidentState, *, is_done: bool) -> None:
        self._asking.setVisible(not is_done)
        icon, color = ("circle-check", "fix") if is_done else ("circle", "mitigate")
        self._knowledge_icon.set_icon(icon, color)
        if is_done:
            last = state.knowledge[-1]
            words = {"link": "linked", "flag": "flagged", "fix": "fixed", "add": "added"}
            done = words.get(last.text("how"), last.text("how"))
            self.knowledge_text.setText(f"{one_line(last.text('entry'))} was {done}.")
        else:
            self.knowledge_text.setText(
                "First the entry that helped is linked, flagged or fixed, or a new one is added."
            )
            self._show_how(self.how.value)

    def _show_how(self, how: str) -> None:
        hints = {
            "add": "name of the new entry",
            "link": "its file name without .md",
            "flag": "its file name without .md",
            "fix": "its file name without .md",
        }
        self.entry.setPlaceholderText(hints[how])

    def _show_left(self, closing: Closing) -> None:
        while (item := self._left.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        soft = [blocker.owed for blocker in closing.blockers if not blocker.is_hard]
        rows = [(owed, True) for owed in soft] + [(owed, False) for owed in closing.later]
        if not rows:
            self._left.addWidget(
                label("Nothing: everything that the policy asks for is done.", "secondary", self)
            )
        for owed, is_blocking in rows:
            due = due_words(owed.due, closing.now)[0]
            words = [one_line(owed.text), one_line(owed.owner), due, "" if is_blocking else "may wait"]
            text = "  ·  ".join(word for word in words if word)
            shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, WIDTH - 104)
            button = text_button(
                shown,
                "row",
                "circle-alert" if is_blocking else "clock",
                self,
                color="mitigate" if is_blocking else "text3",
            )
            button.setAccessibleName(text)
            button.setToolTip(plain_tooltip(f"{text}. Do it now (Enter)"))
            button.clicked.connect(lambda _=False, what=owed: self.undone_requested.emit(what))
            self._left.addWidget(button)

    def _show_reason(self, closing: Closing) -> None:
        self.reason.setVisible(closing.needs_reason)
        if closing.needs_reason:
            text = "Something is left: closing needs a reason, and it stays on the list of what is owed."
        else:
            text = "The seal writes down the last event of every device: a cut tail shows from then on."
        self.reason_text.setText(text)
        self.close_button.setEnabled(closing.is_knowledge_done)
        self.close_button.setToolTip("" if closing.is_knowledge_done else "The knowledge step comes first")

    def _show_focus(self, closing: Closing) -> None:
        target: QWidget
        if not closing.is_knowledge_done:
            target = self.entry
        else:
            target = self.reason if closing.needs_reason else self.close_button
        self.setFocusProxy(target)
        if self.isVisible():
            target.setFocus(Qt.FocusReason.OtherFocusReason)

    def say_problem(self, text: str) -> None:
        """Say what is wrong."""
        self.problem.setText(text)
        if text:
            announce(self, text)

    # -- doing ----------------------------------------------------------------------------------------

    def _on_give(self) -> None:
        if not self.entry.text().strip():
            if self.how.value == "add":
                self.learn_requested.emit()
            else:
                self.say_problem("Say which entry it was")
            return
        self.knowledge_given.emit(self.how.value, self.entry.text(), self.note.text())

    def _on_close(self) -> None:
        closing = self.closing
        if closing is None or not closing.is_knowledge_done:
            self.say_problem("The knowledge step comes first")
        elif closing.needs_reason and not self.reason.text().strip():
            self.say_problem("Say in a line why it is closed all the same")
            self.reason.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.close_requested.emit(self.reason.text())
