"""The conflict page: the places at the left; mine and theirs side by side; what will be sent below."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kb_app.errors import UsageError
from kb_app.gitstore.answers import Question
from kb_app.gitstore.conflicts import Choice
from kb_app.ui.common.avatars import Avatar
from kb_app.ui.common.diff_view import DiffView
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.local_keys import LocalKeys
from kb_app.ui.common.messages import announce
from kb_app.ui.common.page import Page
from kb_app.ui.common.widgets import ElidedLabel, Hairline, label, plain_tooltip, text_button
from kb_app.ui.conflicts.state import Answers, Place, joined_lines
from kb_app.ui.versions.state import date_text

_BUTTONS = (
    (Choice.MINE, "Keep mine", "M"),
    (Choice.THEIRS, "Keep theirs", "T"),
    (Choice.BOTH, "Keep both", "B"),
)


ROW_FRAME = 54
"""Pixels of a row beside its text: frame, padding, icon, and the bold face of the one that shows."""


class Side(QFrame):
    """One side's text with the words it changed."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        """Make an empty one."""
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.avatar = Avatar("", self, size=20)
        self.title = label(title, "heading", self)
        self.who = ElidedLabel("", self, mode=Qt.TextElideMode.ElideRight)
        self.who.setProperty("textstyle", "secondary")
        self.text = DiffView(title, self)
        head = QHBoxLayout()
        head.setContentsMargins(14, 8, 14, 6)
        head.setSpacing(8)
        head.addWidget(self.avatar)
        head.addWidget(self.title)
        head.addWidget(self.who, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.setSpacing(0)
        box.addLayout(head)
        box.addWidget(Hairline(self))
        box.addWidget(self.text, 1)


class PlaceRow(QPushButton):
    """A place in the list; its title is shortened so that what was chosen is always seen."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        """Make an undecided one."""
        super().__init__(parent)
        self.setProperty("role", "row")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._title, self._chosen = title, ""
        self.set_state("", "circle", "text3")

    def set_state(self, chosen: str, icon: str, color: str) -> None:
        """Show what was chosen here."""
        self._chosen = chosen
        bind_icon(self, icon, color, 16)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the title to the room there is."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        end = f": {self._chosen}" if self._chosen else ""
        metrics = self.fontMetrics()
        room = self.width() - metrics.horizontalAdvance(end) - ROW_FRAME
        shown = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, max(room, 40))
        self.setText(f"{shown}{end}".replace("&", "&&"))
        self.setToolTip(plain_tooltip(f"{self._title}{end}"))


class ConflictsPage(Page):
    """Asks for a choice in each place; nothing is written here.

    Signals:
        answered(object): the choices, file and number to `Choice` or text; everything is decided.
        cancelled(): the page was left without an answer.
    """

    answered = Signal(object)
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty one."""
        super().__init__("Two texts for the same place", parent, width=0)
        self.setObjectName("conflictsPage")
        self.answers = Answers(Question("", ()))
        self.mine_name = ""
        self.current = -1
        self._is_writing = False
        self._build()
        self.closed.connect(self.cancelled)
        self.keys = LocalKeys(
            self,
            {
                "M": partial(self.choose, Choice.MINE),
                "T": partial(self.choose, Choice.THEIRS),
                "B": partial(self.choose, Choice.BOTH),
                "E": self.write,
                "P": self.show_result,
            },
        )

    # -- building ---------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.box.setContentsMargins(16, 20, 16, 12)
        self.box.setSpacing(8)
        self.back.setText("Cancel")
        self.back.setAccessibleName("Cancel: nothing is changed")
        self.back.setToolTip("Leave; nothing is changed (Esc)")
        self.what = ElidedLabel("", self.column, mode=Qt.TextElideMode.ElideRight)
        self.what.setProperty("textstyle", "secondary")
        self.box.addWidget(self.what)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self._build_places(), 2)
        row.addWidget(self._build_right(), 7)
        self.box.addLayout(row, 1)
        self.problem = label("", "", self.column, wrap=True)
        self.problem.setProperty("tone", "danger")
        self.problem.setObjectName("conflictProblem")
        self.problem.hide()
        self.box.addWidget(self.problem)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        self.progress = label("", "secondary", self.column)
        foot.addWidget(self.progress)
        foot.addStretch(1)
        self.send = text_button("Send", "primary", "send", self.column)
        self.send.setToolTip("Propose the result (Enter)")
        self.send.clicked.connect(self._send)
        foot.addWidget(self.send)
        self.box.addLayout(foot)

    def _build_places(self) -> QWidget:
        card = QFrame(self.column)
        card.setProperty("surface", "card")
        card.setMinimumWidth(236)
        card.setMaximumWidth(360)
        scroll = QScrollArea(card)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        inside.setProperty("surface", "surface")
        self._list = QVBoxLayout(inside)
        self._list.setContentsMargins(8, 8, 8, 8)
        self._list.setSpacing(2)
        scroll.setWidget(inside)
        box = QVBoxLayout(card)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(scroll)
        self._group = QButtonGroup(self)
        self._rows: list[PlaceRow] = []
        return card

    def _build_right(self) -> QWidget:
        right = QWidget(self.column)
        box = QVBoxLayout(right)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        self.title_of_place = label("", "title", right)
        self.question = label("", "secondary", right, wrap=True)
        box.addWidget(self.title_of_place)
        box.addWidget(self.question)
        sides = QWidget(right)
        pair = QHBoxLayout(sides)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.setSpacing(12)
        self.mine, self.theirs = Side("Mine", sides), Side("Theirs", sides)
        pair.addWidget(self.mine, 1)
        pair.addWidget(self.theirs, 1)
        self.own = QPlainTextEdit(right)
        self.own.setProperty("role", "code")
        self.own.setAccessibleName("Your own text for this place; Ctrl+Enter takes it")
        self.own.setTabChangesFocus(True)
        self.own.installEventFilter(self)
        self.result = DiffView("The result, compared with theirs", right)
        self.middle = QStackedWidget(right)
        for widget in (sides, self.own, self._framed(self.result)):
            self.middle.addWidget(widget)
        box.addWidget(self.middle, 1)
        box.addWidget(self._build_choices(right))
        return right

    @staticmethod
    def _framed(widget: QWidget) -> QWidget:
        card = QFrame()
        card.setProperty("surface", "card")
        box = QVBoxLayout(card)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(widget)
        return card

    def _build_choices(self, parent: QWidget) -> QWidget:
        bar = QWidget(parent)
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.choice_buttons: dict[Choice, QPushButton] = {}
        for choice, text, key in _BUTTONS:
            button = text_button(f"{text}  ({key})", "", "", bar)
            button.setAccessibleName(text)
            button.setToolTip(f"{text} ({key})")
            button.setCheckable(True)
            button.clicked.connect(partial(self.choose, choice))
            self.choice_buttons[choice] = button
            row.addWidget(button)
        self.write_button = text_button("Write it myself  (E)", "", "pencil", bar)
        self.write_button.setAccessibleName("Write it myself")
        self.write_button.setToolTip("Write the text for this place by hand (E)")
        self.write_button.clicked.connect(self.write)
        row.addWidget(self.write_button)
        self.take_own = text_button("Take this text", "primary", "check", bar)
        self.take_own.setToolTip("Take this text for this place (Ctrl+Enter)")
        self.take_own.clicked.connect(self._take_own)
        row.addWidget(self.take_own)
        self.drop_own = text_button("Not now", "ghost", "", bar)
        self.drop_own.setToolTip("Go back to both texts; what was written is dropped (Esc)")
        self.drop_own.clicked.connect(self._leave_own)
        row.addWidget(self.drop_own)
        row.addStretch(1)
        return bar

    # -- showing ------------------------------------------------------------------------------------------

    def show_question(self, question: Question, *, mine: str = "", send_text: str = "Send") -> None:
        """Ask a question; ``mine`` is the user's name, ``send_text`` what the last button says."""
        self.answers = Answers(question)
        self.mine_name = mine
        self.send.setText(send_text)
        self.send.setAccessibleName(send_text)
        self._start()

    def ask_again(self, question: Question, why: str) -> None:
        """Ask once more, because it changed again; choices that still fit are kept."""
        self.answers = self.answers.carried_to(question)
        self._start()
        self.say_problem(why)

    def say_problem(self, text: str) -> None:
        """Say what is wrong; nothing was sent."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        if text:
            announce(self.problem, text)

    def set_busy(self, *, is_busy: bool) -> None:
        """Say that the answer is on its way."""
        self.send.setEnabled(not is_busy and self.answers.is_complete)
        self.progress.setText("Sending …" if is_busy else self.answers.progress)

    def _start(self) -> None:
        self._is_writing = False
        self.say_problem("")
        self.what.setText(self.answers.question.title)
        self._fill_list()
        first = self.answers.next_open(-1)
        if first >= 0:
            self.show_place(first)
        else:
            self.show_result()

    def _fill_list(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for row in self._rows:
            self._group.removeButton(row)
        self._rows = []
        path = ""
        for number, place in enumerate(self.answers.places):
            if place.merge.path != path:
                path = place.merge.path
                self._add_heading(path)
            self._add_row(place.title, partial(self.show_place, number))
        self._add_row("The result", self.show_result)
        self._rows[-1].set_state("", "eye", "text2")
        for joined in self.answers.question.joined:
            self._add_heading("Brought together already")
            for line in joined_lines(joined):
                text = ElidedLabel(line, self)
                text.setProperty("textstyle", "secondary")
                text.setContentsMargins(8, 2, 8, 2)
                text.setToolTip(plain_tooltip(f"{joined.path}: {line}, as somebody else wrote it"))
                self._list.addWidget(text)
        self._list.addStretch(1)
        self._show_states()

    def _add_heading(self, text: str) -> None:
        heading = ElidedLabel(text, self)
        heading.setProperty("textstyle", "meta")
        heading.setContentsMargins(8, 8, 8, 2)
        self._list.addWidget(heading)

    def _add_row(self, text: str, run: Callable[[], None]) -> None:
        row = PlaceRow(text, self)
        row.setAccessibleName(text)
        row.clicked.connect(run)
        self._group.addButton(row)
        self._rows.append(row)
        self._list.addWidget(row)

    def _show_states(self) -> None:
        for row, place in zip(self._rows, self.answers.places, strict=False):
            chosen = self.answers.choice_text(place)
            row.setAccessibleName(f"{place.title}, {chosen or 'not decided'}")
            row.set_state(chosen, "circle-check" if chosen else "circle", "fix" if chosen else "text3")
        self.progress.setText(self.answers.progress)
        self.send.setEnabled(self.answers.is_complete)

    @property
    def place(self) -> Place | None:
        """Return the place that shows."""
        places = self.answers.places
        return places[self.current] if 0 <= self.current < len(places) else None

    def show_place(self, number: int) -> None:
        """Show both texts of one place."""
        self.current, self._is_writing = number, False
        place = self.place
        assert place is not None
        self._rows[number].setChecked(True)
        self._rows[number].setFocus(Qt.FocusReason.OtherFocusReason)
        self.title_of_place.setText(place.title)
        self.question.setText(place.question)
        writer = self.answers.question.writers.get(place.merge.path)
        self.mine.avatar.set_name(self.mine_name or "Me")
        self.mine.who.setText(self.mine_name)
        self.theirs.avatar.setVisible(writer is not None)
        self.theirs.avatar.set_name(writer.name if writer is not None else "")
        about = f"{writer.name}, {date_text(writer.at)}: {writer.subject}" if writer is not None else ""
        self.theirs.who.setText(about)
        self.mine.text.show_runs(place.runs(is_mine=True), fold=False)
        self.theirs.text.show_runs(place.runs(is_mine=False), fold=False)
        self.middle.setCurrentIndex(0)
        self._show_choices()
        announce(self.title_of_place, f"{place.title}. {place.question}")

    def _show_choices(self) -> None:
        place = self.place
        choice = self.answers.choice(place) if place is not None else None
        is_choosing = place is not None and not self._is_writing
        for value, button in self.choice_buttons.items():
            button.setVisible(is_choosing)
            button.setEnabled(place is not None and (value is not Choice.BOTH or place.can_keep_both))
            button.setChecked(choice is value)
        self.write_button.setVisible(is_choosing)
        self.write_button.setEnabled(place is not None and place.can_write)
        self.take_own.setVisible(self._is_writing)
        self.drop_own.setVisible(self._is_writing)

    def show_result(self) -> None:
        """Show how the files will differ from what the others have now."""
        if not self.answers.is_complete:
            self.say_problem("The result can be seen when every place is decided")
            return
        self.current, self._is_writing = -1, False
        self._rows[-1].setChecked(True)
        self._rows[-1].setFocus(Qt.FocusReason.OtherFocusReason)
        try:
            runs = [run for merge in self.answers.question.merges for run in self.answers.result(merge)]
        except UsageError as fault:
            self.say_problem(fault.title)
            return
        self.title_of_place.setText("The result")
        self.question.setText("What will be proposed, compared with the text that everybody has now.")
        self.result.show_runs(runs)
        self.middle.setCurrentIndex(2)
        self._show_choices()

    # -- choosing -----------------------------------------------------------------------------------------

    def choose(self, choice: Choice | str) -> None:
        """Take this for the place that shows, and go to the next one that is open."""
        place = self.place
        if place is None:
            return
        try:
            self.answers = self.answers.chosen(place, choice)
        except UsageError as fault:
            self.say_problem(fault.title)
            self._show_choices()
            return
        self.say_problem("")
        self._is_writing = False
        self._show_states()
        following = self.answers.next_open(self.current)
        if following >= 0:
            self.show_place(following)
        else:
            self.show_result()

    def write(self) -> None:
        """Write a text of one's own for the place that shows."""
        place = self.place
        if place is None or not place.can_write:
            return
        self._is_writing = True
        self.own.setPlainText(place.starting_text(self.answers.choice(place)))
        self.middle.setCurrentIndex(1)
        self._show_choices()
        self.own.setFocus(Qt.FocusReason.OtherFocusReason)

    def _take_own(self) -> None:
        text = self.own.toPlainText()
        self.choose(text if text.endswith("\n") or not text else text + "\n")

    def _leave_own(self) -> None:
        if self.current >= 0:
            self.say_problem("")
            self.show_place(self.current)

    def _send(self) -> None:
        if self.answers.is_complete and self.send.isEnabled():
            self.answered.emit(self.answers.choices)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ctrl+Enter takes the text that is being written; Esc leaves it, not the page."""
        if watched is self.own and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._take_own()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._leave_own()
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter sends when everything is decided."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self._is_writing:
            if self.answers.is_complete:
                self._send()
            else:
                self.say_problem("Choose for every place first: M, T or B")
        else:
            super().keyPressEvent(event)
