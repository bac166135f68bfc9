"""The parts of the decision panel: a question with its keys, the times, the advice, the facts, the duties."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFont, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kb_app.decision.model import Blocked
from kb_app.decision.values import Gate, Ordered, Recommendation, Way
from kb_app.entries.model import PlannedPath
from kb_app.errors import UsageError
from kb_app.logs import visible
from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.style import set_property
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import (
    Badge,
    Chip,
    IconLabel,
    KeyCap,
    ProgressLine,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.decision.state import (
    LOOKS,
    Bar,
    Choice,
    DutyLine,
    Fact,
    Look,
    Origin,
    Override,
    Question,
    QuestionSpec,
    Timebox,
    Times,
    read_value,
)

_SEGMENT_HEIGHT = 28
_KEY_GAP = 4
_LABEL_WIDTH = 56
_CELL_HEIGHT = 26
_CHIP_WIDTH = 34
_LONG_WORD = re.compile(r"\S{20,}")
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ARROWS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right)


def wrapped(text: str) -> str:
    """Return foreign text for a plain label: nothing hidden, long words with places to break."""
    return _LONG_WORD.sub(
        lambda match: re.sub(r"([/._\-:=,])", "\\1\N{ZERO WIDTH SPACE}", match[0]), visible(text)
    )


def clear(layout: QLayout) -> None:
    """Take everything out of ``layout`` and delete it."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            clear(inner)


def card(parent: QWidget | None = None, *, tone: str = "") -> tuple[QFrame, QVBoxLayout]:
    """Return an empty framed card and its layout."""
    frame = QFrame(parent)
    frame.setProperty("surface", "card")
    if tone:
        frame.setProperty("tone", tone)
    box = QVBoxLayout(frame)
    box.setContentsMargins(12, 10, 12, 12)
    box.setSpacing(8)
    return frame, box


# Questions


class Segment(QAbstractButton):
    """One answer: its key, its word. A dashed frame marks what an open question is taken as."""

    def __init__(self, choice: Choice, name: str, parent: QWidget | None = None) -> None:
        """Offer ``choice``; ``name`` says what it answers."""
        super().__init__(parent)
        self.choice = choice
        self._name = name
        self._is_assumed = False
        self._theme = Theme.current()
        self.setCheckable(True)
        self.setText(choice.text)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme.changed.connect(self.update)
        self.set_assumed(is_assumed=False)

    def set_assumed(self, *, is_assumed: bool) -> None:
        """Show whether an open question counts as this."""
        self._is_assumed = is_assumed
        word = "unknown" if self.choice.value is None else self.choice.text
        taken = ", counts as this while unknown" if is_assumed else ""
        self.setAccessibleName(f"{self._name}: {word}, key {self.choice.key}{taken}")
        self.setToolTip(
            f"{word} ({self.choice.key})" + (": counts as this while unknown" if is_assumed else "")
        )
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room for key and word."""
        key, word = QFontMetrics(ui_font(10, 500)), QFontMetrics(ui_font(12, 600))
        width = key.horizontalAdvance(self.choice.key) + word.horizontalAdvance(self.text())
        return QSize(width + _KEY_GAP + 12, _SEGMENT_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the same: a word is never cut."""
        return self.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave Enter and the arrows to the panel."""
        if event.key() in (*_ENTER, *_ARROWS):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Paint ground, key and word."""
        tokens = self._theme.tokens
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
            pen = QPen(Qt.PenStyle.NoPen)
            if self.hasFocus():
                pen = QPen(self._theme.color("accent"), 2)
            elif self.isChecked():
                pen = QPen(self._theme.color("accent"), 1)
            elif self._is_assumed:
                pen = QPen(self._theme.color("outline"), 1, Qt.PenStyle.DashLine)
            ground = "selection" if self.isChecked() else "hover" if self.underMouse() else ""
            painter.setPen(pen)
            painter.setBrush(self._theme.color(ground) if ground else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame, 6, 6)
            self._paint_words(painter, "accent" if self.isChecked() else "", tokens.is_dark)

    def _paint_words(self, painter: QPainter, color: str, _is_dark: bool) -> None:  # noqa: FBT001
        key_font, word_font = ui_font(10, 500), ui_font(12, 600 if self.isChecked() else 400)
        word_font.setItalic(self._is_assumed and not self.isChecked())
        key_width = QFontMetrics(key_font).horizontalAdvance(self.choice.key)
        word_width = QFontMetrics(word_font).horizontalAdvance(self.text())
        left = (self.width() - key_width - _KEY_GAP - word_width) / 2
        middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.setFont(key_font)
        painter.setPen(self._theme.color(color or "text3"))
        painter.drawText(QRectF(left, 0, key_width + 1, self.height() - 1), middle, self.choice.key)
        painter.setFont(word_font)
        painter.setPen(self._theme.color(color or "text"))
        painter.drawText(
            QRectF(left + key_width + _KEY_GAP, 0, word_width + 2, self.height()), middle, self.text()
        )


class QuestionRow(QWidget):
    """One question: its label and its answers as one row of choices.

    Signals:
        answered(object, object): the `Question` and the value, None for unknown.
    """

    answered = Signal(object, object)

    def __init__(self, spec: QuestionSpec, parent: QWidget | None = None) -> None:
        """Ask ``spec``."""
        super().__init__(parent)
        self.spec = spec
        self.setObjectName(f"question:{spec.question.value}")
        self.setAccessibleName(spec.asks)
        self._is_current = False
        self._label = label(spec.label, "secondary", self)
        self._label.setFixedWidth(_LABEL_WIDTH)
        self._label.setToolTip(spec.asks)
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)  # a question may have no answer
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 1, 2, 1)
        row.setSpacing(1)
        row.addWidget(self._label)
        self.segments: list[Segment] = []
        for choice in spec.choices:
            segment = Segment(choice, spec.label, self)
            segment.clicked.connect(partial(self._on_clicked, choice.value))
            self.segments.append(segment)
            row.addWidget(segment, 0 if choice.value is None else segment.sizeHint().width())

    def show_answer(self, answers: dict[Question, Ordered | None], assumed: str, *, is_current: bool) -> None:
        """Show the answer, what an open question counts as, and whether the keys answer this one."""
        is_answered = self.spec.question in answers
        value = answers.get(self.spec.question)
        for segment in self.segments:
            segment.setChecked(is_answered and segment.choice.value == value)
            segment.set_assumed(is_assumed=bool(assumed) and segment.choice.text == assumed)
        if is_current != self._is_current:
            self._is_current = is_current
            self._label.setFont(ui_font(12, 600 if is_current else 400))
            set_property(self._label, "tone", "accent" if is_current else "")
            self.update()

    def focus_segment(self) -> None:
        """Put the focus on the answer given, else on the first."""
        chosen = next((s for s in self.segments if s.isChecked()), self.segments[0])
        chosen.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_neighbour(self, step: int) -> None:
        """Move the focus to the next answer of the row."""
        focused = next((n for n, s in enumerate(self.segments) if s.hasFocus()), 0)
        self.segments[(focused + step) % len(self.segments)].setFocus(Qt.FocusReason.OtherFocusReason)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bar of the current question."""
        super().paintEvent(event)
        if self._is_current:
            with QPainter(self) as painter:
                painter.fillRect(QRect(0, 4, 3, self.height() - 8), Theme.current().color("accent"))

    def _on_clicked(self, value: Ordered | None) -> None:
        self.answered.emit(self.spec.question, value)


class FreeMoveCard(QFrame):
    """What may be done now, before any question.

    Signals:
        steps_requested(object): the `PlannedPath` whose steps shall show.
    """

    steps_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty card."""
        super().__init__(parent)
        self.setObjectName("freeMove")
        self.setProperty("surface", "card")
        self.setProperty("tone", "fix")
        self._planned: PlannedPath | None = None
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 12, 8)
        box.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(IconLabel("zap", "fix", 16, self))
        title = label("Do now", "heading", self)
        title.setProperty("tone", "fix")
        head.addWidget(title)
        head.addStretch(1)
        self.steps_button = text_button("Show the steps", "link", parent=self)
        self.steps_button.clicked.connect(self._on_steps)
        head.addWidget(self.steps_button)
        box.addLayout(head)
        self._name = label("", "", self, wrap=True)
        self._name.setFont(ui_font(13, 600))
        box.addWidget(self._name)
        self._why = label("", "secondary", self, wrap=True)
        box.addWidget(self._why)

    def show_move(self, move: tuple[PlannedPath, str] | None) -> None:
        """Show the free move, or nothing."""
        self.setVisible(move is not None)
        self._planned = move[0] if move is not None else None
        if move is None:
            return
        planned, only_if = move
        self._name.setText(wrapped(planned.path.name))
        why = "Verified, low risk, can be taken back, needs no approval: no question first"
        self._why.setText(f"{why}, {only_if}." if only_if else f"{why}.")
        self.setAccessibleName(f"Do now: {planned.path.name}. {self._why.text()}")
        self.steps_button.setAccessibleName(f"Show the steps of {planned.path.name}")

    def _on_steps(self) -> None:
        self.steps_requested.emit(self._planned)


# The advice


class TimesView(QWidget):
    """Both times as bars on one scale; a mark shows up to where the fix wins."""

    _ROW = 34
    _BAR = 8

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self._times = Times()
        self.setObjectName("times")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        Theme.current().changed.connect(self.update)

    def show_times(self, times: Times) -> None:
        """Show other times."""
        self._times = times
        self.setVisible(bool(times.bars))
        words = [
            f"{bar.label} {bar.text}" + ("" if bar.is_usable else ", may not be used") for bar in times.bars
        ]
        self.setAccessibleName("; ".join([*words, *([times.flip_text] if times.flip_text else [])]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return one row for each bar."""
        return QSize(200, self._ROW * len(self._times.bars))

    def minimumSizeHint(self) -> QSize:
        """Return the same height, any width."""
        return QSize(120, self._ROW * len(self._times.bars))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Paint label, time and bar of each way, and the mark."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for number, bar in enumerate(self._times.bars):
                self._paint_bar(painter, bar, number * self._ROW)
            self._paint_mark(painter)

    def _x(self, minutes: float) -> float:
        return minutes / self._times.scale_minutes * self.width()

    def _paint_bar(self, painter: QPainter, bar: Bar, top: int) -> None:
        theme = Theme.current()
        color = theme.color("mitigate" if bar.way is Way.MITIGATION else "fix")
        text = QRect(0, top, self.width(), 18)
        painter.setFont(ui_font(12, 500))
        painter.setPen(theme.color("text" if bar.is_usable else "text3"))
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, bar.label)
        painter.setFont(ui_font(12))
        words = bar.text if bar.is_usable else f"{bar.text} (blocked)"
        painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        whole = QRectF(0, top + 20, max(4.0, self._x(bar.minutes)), self._BAR)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("border"))
        painter.drawRoundedRect(QRectF(0, top + 20, self.width(), self._BAR), 4, 4)
        if not bar.is_usable:
            painter.setPen(QPen(theme.color("outline"), 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(whole.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            return
        faint = type(color)(color)
        faint.setAlpha(110)
        painter.setBrush(faint)
        painter.drawRoundedRect(whole, 4, 4)
        own = QRectF(whole)
        own.setWidth(max(4.0, self._x(bar.own_minutes)))
        painter.setBrush(color)
        painter.drawRoundedRect(own, 4, 4)

    def _paint_mark(self, painter: QPainter) -> None:
        mark = self._times.mark_minutes
        if mark is None or not self._times.bars:
            return
        x = min(self.width() - 1.0, max(1.0, self._x(mark)))
        top = (len(self._times.bars) - 1) * self._ROW + 16
        bottom = top + self._BAR + 8
        painter.setPen(QPen(Theme.current().color("surface"), 4))  # keeps the line apart from the bar
        painter.drawLine(QPointF(x, top + 2), QPointF(x, bottom))
        painter.setPen(QPen(Theme.current().color("text"), 1.5))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Theme.current().color("text"))
        painter.drawPolygon([QPointF(x, top - 1), QPointF(x - 4, top - 5), QPointF(x + 4, top - 5)])


class Remark(QWidget):
    """A small icon and a wrapped sentence."""

    def __init__(self, icon: str, text: str, parent: QWidget | None = None, *, tone: str = "") -> None:
        """Say ``text``."""
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(IconLabel(icon, tone or "text2", 14, self), 0, Qt.AlignmentFlag.AlignTop)
        self.label = label(wrapped(text), "secondary", self, wrap=True)
        if tone:
            self.label.setProperty("tone", tone)
        row.addWidget(self.label, 1)


class AdviceCard(QFrame):
    """What to do now: one sentence, the rule, both times, the reasons, and the two answers to it.

    Signals:
        accepted(): the advice is followed.
        override_requested(): something else shall be done.
        again_requested(): it shall be decided again from the first question on.
    """

    accepted = Signal()
    override_requested = Signal()
    again_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the card."""
        super().__init__(parent)
        self.setObjectName("advice")
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 12)
        box.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(8)
        self._icon = IconLabel("route", "text2", 16, self)
        self._name = label("", "heading", self)
        self._rule = Chip("", "muted", self)
        self._rule.setObjectName("rule")
        head.addWidget(self._icon)
        head.addWidget(self._name)
        head.addStretch(1)
        head.addWidget(self._rule)
        box.addLayout(head)
        self._sentence = label("", "title", self, wrap=True)
        self._sentence.setObjectName("sentence")
        box.addWidget(self._sentence)
        self.times = TimesView(self)
        box.addWidget(self.times)
        self._reasons = QVBoxLayout()
        self._reasons.setSpacing(4)
        box.addLayout(self._reasons)
        self._shown_reasons: tuple[str, ...] = ()
        self._flip = ""
        box.addLayout(self._build_buttons())

    def _build_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        self.accept_button = text_button("", "primary", parent=self)
        self.accept_button.setObjectName("accept")
        self.accept_button.clicked.connect(self.accepted)
        self.override_button = text_button("Otherwise…", "ghost", parent=self)
        self.override_button.setObjectName("override")
        self.override_button.clicked.connect(self.override_requested)
        self.override_button.setToolTip("Choose otherwise (O)")
        self._o = KeyCap("O", self)
        self.again_button = text_button("Decide again", "", "rotate-ccw", self)
        self.again_button.clicked.connect(self.again_requested)
        for widget in (self.accept_button, self.again_button):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.override_button)
        row.addWidget(self._o)
        return row

    @property
    def sentence(self) -> str:
        """The advice as shown."""
        return self._sentence.text().replace("\N{ZERO WIDTH SPACE}", "")

    def show_advice(
        self, look: Look, sentence: str, rule: tuple[str, str], reasons: tuple[str, ...], times: Times
    ) -> None:
        """Show the advice; ``rule`` is its id and what it says."""
        self._icon.set_icon(look.icon, look.tone.value)
        self._name.setText(look.name)
        set_property(self._name, "tone", look.tone.value)
        set_property(self, "tone", look.tone.value)
        self._rule.setText(rule[0])
        self._rule.setToolTip(f"Rule {rule[0]}: {rule[1]}")
        self._rule.setAccessibleName(f"Rule {rule[0]}: {rule[1]}")
        self._sentence.setText(wrapped(sentence))
        self.setAccessibleName(f"Advice: {sentence} Rule {rule[0]}, {rule[1]}")
        self.times.show_times(times)
        if (reasons, times.flip_text) != (self._shown_reasons, self._flip):
            self._shown_reasons, self._flip = reasons, times.flip_text
            clear(self._reasons)
            if times.flip_text:
                self._reasons.addWidget(Remark("flag", times.flip_text, self))
            for reason in reasons:
                self._reasons.addWidget(Remark("chevron-right", reason, self))

    def show_answers(self, text: str, *, can_accept: bool, is_decided: bool, is_overriding: bool) -> None:
        """Show what can be done about it.

        Args:
            text: what following it is called.
            can_accept: the policy is known.
            is_decided: a decision holds; following it again is no answer.
            is_overriding: another choice is being written.
        """
        self.accept_button.setText(f"{text}  ↵")
        self.accept_button.setAccessibleName(f"{text}, key Enter")
        self.accept_button.setEnabled(can_accept)
        self.override_button.setEnabled(can_accept)
        self.override_button.setAccessibleName("Choose otherwise, key O")
        for widget in (self.accept_button, self.override_button, self._o):
            widget.setVisible(not is_decided and not is_overriding)
        self.again_button.setVisible(is_decided)


class OverrideCard(QFrame):
    """Choosing otherwise: what, and one line why.

    Signals:
        changed(object, str): the chosen `Recommendation` and the reason typed.
        accepted(): Enter in the reason, or the button.
        dismissed(): Esc, or the button.
    """

    changed = Signal(object, str)
    accepted = Signal()
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the card; it is empty until `show_override`."""
        super().__init__(parent)
        self.setObjectName("overrideCard")
        self.setProperty("surface", "card")
        self.setProperty("current", "true")
        self._advised: Recommendation | None = None
        self._chosen: Recommendation | None = None
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 12)
        box.setSpacing(8)
        box.addWidget(label("Choose otherwise", "heading", self))
        self._grid = QGridLayout()
        self._grid.setSpacing(4)
        box.addLayout(self._grid)
        self.choices: dict[Recommendation, QAbstractButton] = {}
        self.reason = QLineEdit(self)
        self.reason.setObjectName("reason")
        self.reason.setMaxLength(200)
        self.reason.setPlaceholderText("Why? One line; it is kept with the decision")
        self.reason.setAccessibleName("Reason for choosing otherwise")
        self.reason.textEdited.connect(self._on_edited)
        box.addWidget(self.reason)
        self._missing = Remark(
            "circle-alert", "Write one line of reason; the choice stands.", self, tone="danger"
        )
        box.addWidget(self._missing)
        row = QHBoxLayout()
        row.setSpacing(6)
        self.accept_button = text_button("Decide so  ↵", "primary", parent=self)
        self.accept_button.setAccessibleName("Decide so, key Enter")
        self.accept_button.clicked.connect(self.accepted)
        row.addWidget(self.accept_button)
        row.addStretch(1)
        cancel = text_button("Follow the advice", "ghost", parent=self)
        cancel.clicked.connect(self.dismissed)
        row.addWidget(cancel)
        row.addWidget(KeyCap("Esc", self))
        box.addLayout(row)

    def show_override(self, draft: Override | None, advised: Recommendation) -> None:
        """Show the choice being written, or nothing."""
        self.setVisible(draft is not None)
        if draft is None:
            return
        if advised is not self._advised:
            self._advised = advised
            self._build_choices(advised)
        self._chosen = draft.chosen
        for choice, button in self.choices.items():
            button.setChecked(choice is draft.chosen)
        if self.reason.text() != draft.reason:
            self.reason.setText(draft.reason)
        set_property(self.reason, "invalid", "true" if draft.is_reason_missing else "false")
        self._missing.setVisible(draft.is_reason_missing)

    def _build_choices(self, advised: Recommendation) -> None:
        clear(self._grid)
        self.choices = {}
        others = [choice for choice in LOOKS if choice is not advised]
        for position, choice in enumerate(others):
            look = LOOKS[choice]
            button = text_button(look.name, "tab", look.icon, self, color=look.tone.value)
            button.setCheckable(True)
            button.setObjectName(f"choice:{choice.value}")
            button.setAccessibleName(f"Do instead: {look.name}")
            button.clicked.connect(partial(self._on_chosen, choice))
            self.choices[choice] = button
            self._grid.addWidget(button, position // 2, position % 2)

    def _on_chosen(self, choice: Recommendation) -> None:
        self.changed.emit(choice, self.reason.text())
        self.reason.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_edited(self, text: str) -> None:
        self.changed.emit(self._chosen, text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter decides, Esc goes back to the advice."""
        if event.key() in _ENTER:
            self.accepted.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.dismissed.emit()
        else:
            super().keyPressEvent(event)


class DecidedCard(QFrame):
    """The decision that holds: what, when, why otherwise, how long the fix still has, why to decide again.

    Signals:
        steps_requested(object): the `PlannedPath` whose steps shall show.
    """

    steps_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the card."""
        super().__init__(parent)
        self.setObjectName("decided")
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 12)
        box.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(8)
        self._badge = Badge("circle-check", "Decided", "fix", self)
        self._text = label("", "heading", self, wrap=True)
        self._planned: PlannedPath | None = None
        self.steps_button = text_button("Show the steps", "link", parent=self)
        self.steps_button.clicked.connect(self._on_steps)
        head.addWidget(self._badge)
        head.addWidget(self._text, 1)
        head.addWidget(self.steps_button)
        box.addLayout(head)
        self._reason = label("", "secondary", self, wrap=True)
        box.addWidget(self._reason)
        self._timer_row = QWidget(self)
        row = QHBoxLayout(self._timer_row)
        row.setContentsMargins(0, 2, 0, 0)
        row.setSpacing(8)
        row.addWidget(IconLabel("timer", "text2", 14, self._timer_row))
        self.clock = label("", "heading", self._timer_row)
        self.clock.setObjectName("clock")
        row.addWidget(self.clock)
        self._until = label("", "secondary", self._timer_row)
        row.addWidget(self._until)
        row.addStretch(1)
        box.addWidget(self._timer_row)
        self._bar = ProgressLine("Time of the fix that has passed", self)
        box.addWidget(self._bar)
        self._record = label("", "meta", self, wrap=True)
        self._record.setObjectName("decisionRecord")
        self._record.hide()
        box.addWidget(self._record)
        self.again = Remark("rotate-ccw", "", self, tone="danger")
        box.addWidget(self.again)

    def show_decision(self, text: str, reason: str, planned: PlannedPath | None) -> None:
        """Show what was decided, for an override why, and where its steps are."""
        self._planned = planned
        self.steps_button.setVisible(planned is not None)
        self._text.setText(wrapped(text))
        self._reason.setText(wrapped(f"Otherwise than advised: {reason}"))
        self._reason.setVisible(bool(reason))
        self.setAccessibleName(f"Decided: {text}. {reason}")

    def show_record(self, text: str, *, is_failed: bool) -> None:
        """Say where it is written down; an empty text says nothing."""
        self._record.setText(text)
        self._record.setVisible(bool(text))
        set_property(self._record, "tone", "danger" if is_failed else "")

    def _on_steps(self) -> None:
        self.steps_requested.emit(self._planned)

    def show_time(self, timebox: Timebox | None, why_again: str) -> None:
        """Show how long the fix still has, and why to decide again."""
        is_running = timebox is not None and not timebox.is_over
        self._timer_row.setVisible(timebox is not None)
        self._bar.setVisible(is_running)
        if timebox is not None:
            self.clock.setText(timebox.clock)
            self._until.setText("left for the fix" if is_running else "the time of the fix is over")
            self.clock.setAccessibleName(f"{timebox.clock} left for the fix")
            self._bar.set_progress(timebox.total_s - timebox.left_s, timebox.total_s)
        self.again.label.setText(wrapped(why_again))
        self.again.setVisible(bool(why_again))
        state = ("rotate-ccw", "Decide again", "danger") if why_again else ("circle-check", "Decided", "fix")
        self._badge.set_badge(*state)


# Facts


class FactCell(QStackedWidget):
    """One value of a path, changed in place: from a menu, or the time by typing.

    Signals:
        entered(str): a new value; empty takes the statement back.
        restored(): the entry's own value shall count again.
    """

    entered = Signal(str)
    restored = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Make a cell; ``name`` says whose value it is."""
        super().__init__(parent)
        self._name = name
        self._fact: Fact | None = None
        self._typed = ""
        self._is_edited = False
        self.setFixedHeight(_CELL_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.button = FactButton(self)
        self.button.clicked.connect(self.edit)
        self.addWidget(self.button)
        self.input: QLineEdit | None = None
        self.menu: QMenu | None = None

    def show_fact(self, fact: Fact, typed: str, *, is_edited: bool) -> None:
        """Show ``fact``; ``typed`` is its text while it is edited."""
        self._fact, self._typed, self._is_edited = fact, typed, is_edited
        self.button.show_fact(fact)
        self.button.setAccessibleName(f"{self._name}, {fact.label}: {fact.text}, {fact.origin}. Change it")
        self.button.setToolTip(plain_tooltip(f"{fact.label}: {fact.text} ({fact.origin})"))

    def edit(self) -> None:
        """Offer the values, or take the time."""
        if self._fact is None:
            return
        if self._fact.options:
            self._open_menu(self._fact)
        else:
            self._open_input()

    def _open_menu(self, fact: Fact) -> None:
        menu = self.menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName(f"{self._name}, {fact.label}")
        menu.aboutToHide.connect(self._on_menu_hidden)
        for word, text in fact.options:
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(text == fact.text and not fact.is_assumed)
            action.triggered.connect(partial(self._on_chosen, word))
        menu.addSeparator()
        if fact.attribute != "is_available":
            menu.addAction("Not known (assume)").triggered.connect(partial(self._on_chosen, ""))
        if self._is_edited:
            menu.addAction("As the entry says").triggered.connect(self.restored)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _on_menu_hidden(self) -> None:
        self.menu = None

    def _on_chosen(self, word: str) -> None:
        self.entered.emit(word)

    def _open_input(self) -> None:
        if self.input is None:
            self.input = _TimeInput(self)
            self.input.setAccessibleName(f"{self._name}, time: minutes, or 1h 30m")
            self.input.editingFinished.connect(self._on_input_left)
            self.addWidget(self.input)
        self.input.setText(self._typed)
        set_property(self.input, "invalid", "false")
        self.setCurrentWidget(self.input)
        self.input.selectAll()
        self.input.setFocus(Qt.FocusReason.OtherFocusReason)

    def close_input(self, *, is_accepted: bool) -> None:
        """Leave the input; what is no time stays in it, marked."""
        if self.input is None or self.currentWidget() is not self.input:
            return
        text = self.input.text().strip()
        if is_accepted and text != self._typed:
            try:
                read_value("time_minutes", text)
            except UsageError as error:
                set_property(self.input, "invalid", "true")
                self.input.setToolTip(str(error))
                return
        had_focus = self.input.hasFocus()
        self.setCurrentWidget(self.button)
        if had_focus:
            self.button.setFocus(Qt.FocusReason.OtherFocusReason)
        if is_accepted and text != self._typed:
            self.entered.emit(text)

    def _on_input_left(self) -> None:
        self.close_input(is_accepted=True)


class _TimeInput(QLineEdit):
    """A time being typed; Esc leaves it as it was."""

    def __init__(self, cell: FactCell) -> None:
        super().__init__(cell)
        self._cell = cell
        self.setObjectName("timeInput")
        self.setPlaceholderText("20 or 1h 30m")
        self.setProperty("role", "cell")
        self.setMaxLength(20)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._cell.close_input(is_accepted=False)
        elif event.key() in _ENTER:
            self._cell.close_input(is_accepted=True)
        else:
            super().keyPressEvent(event)


class FactButton(QAbstractButton):
    """A value that can be changed: assumed ones in italics with the word "assumed"."""

    _CHIP = "assumed"

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self._origin = Origin.STATED
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        Theme.current().changed.connect(self.update)

    @property
    def origin(self) -> Origin:
        """Where the value comes from."""
        return self._origin

    def show_fact(self, fact: Fact) -> None:
        """Show the value."""
        self._origin = fact.origin
        self.setText(visible(fact.text))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a modest width; the column decides."""
        return QSize(80, _CELL_HEIGHT)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be changed."""
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Show it plainly again."""
        super().leaveEvent(event)
        self.update()

    def font_used(self) -> QFont:
        """Return the font of the value."""
        font = ui_font(12, 500 if self._origin is Origin.EDITED else 400)
        font.setItalic(self._origin is Origin.ASSUMED)
        return font

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Paint the value, and the chip of an assumed one."""
        theme, font = Theme.current(), self.font_used()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.underMouse() or self.hasFocus():
                ring = QPen(theme.color("accent"), 2) if self.hasFocus() else QPen(Qt.PenStyle.NoPen)
                painter.setPen(ring)
                painter.setBrush(theme.color("hover"))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
            chip_font = ui_font(10, 500)
            chip = QFontMetrics(chip_font).horizontalAdvance(self._CHIP) + 10
            room = self.width() - 12 - (chip + 6 if self._origin is Origin.ASSUMED else 0)
            metrics = QFontMetrics(font)
            shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
            color = {Origin.ASSUMED: "text2", Origin.EDITED: "accent"}.get(self._origin, "text")
            painter.setFont(font)
            painter.setPen(theme.color(color))
            middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            painter.drawText(QRect(6, 0, room + 2, self.height()), middle, shown)
            if self._origin is Origin.ASSUMED:
                left = 6 + metrics.horizontalAdvance(shown) + 6
                place = QRectF(left, (self.height() - 16) / 2, chip, 16)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("mitigate_bg"))
                painter.drawRoundedRect(place, 4, 4)
                painter.setFont(chip_font)
                painter.setPen(theme.color("mitigate"))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._CHIP)


class PathHeader(QWidget):
    """The name above a column of facts; several paths open a menu.

    Signals:
        chosen(int): the facts of another path shall show.
        added(): somebody knows one that the entry does not name.
    """

    chosen = Signal(int)
    added = Signal()

    def __init__(self, way: Way, parent: QWidget | None = None) -> None:
        """Make the header of ``way``."""
        super().__init__(parent)
        self.way = way
        self._names: tuple[str, ...] = ()
        tone = "mitigate" if way is Way.MITIGATION else "fix"
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        box = QVBoxLayout(self)
        box.setContentsMargins(3, 0, 0, 0)
        box.setSpacing(2)
        title = label("Mitigation" if way is Way.MITIGATION else "Fix", "secondary", self)
        title.setProperty("tone", tone)
        title.setFont(ui_font(12, 600))
        title.setContentsMargins(3, 0, 0, 0)
        box.addWidget(title)
        self._name = label("", "secondary", self, wrap=True)
        self._name.setContentsMargins(3, 0, 0, 0)
        box.addWidget(self._name)
        self.button = text_button("", "link", parent=self)
        self.button.clicked.connect(self._on_clicked)
        box.addWidget(self.button)
        box.addStretch(1)

    def show_paths(self, names: tuple[str, ...], shown: int | None) -> None:
        """Show the path at ``shown``, and how many there are."""
        self._names = names
        word = "mitigation" if self.way is Way.MITIGATION else "fix"
        self._name.setText(wrapped(names[shown]) if shown is not None else "none known")
        if not names:
            self.button.setText(f"I know a {word}")
        else:
            self.button.setText(
                f"{(shown or 0) + 1} of {len(names)}, change" if len(names) > 1 else "Add another"
            )
        self.button.setAccessibleName(f"{word.capitalize()}: {self.button.text()}")

    def _on_clicked(self) -> None:
        if len(self._names) < 2:
            self.added.emit()
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for position, name in enumerate(self._names):
            menu.addAction(visible(name).replace("&", "&&")).triggered.connect(
                partial(self._on_chosen, position)
            )
        menu.addSeparator()
        menu.addAction("Add another").triggered.connect(self.added)
        menu.popup(self.button.mapToGlobal(self.button.rect().bottomLeft()))

    def _on_chosen(self, position: int) -> None:
        self.chosen.emit(position)


class FactsCard(QFrame):
    """What is known about both paths, side by side.

    Signals:
        entered(object, str, str): way, attribute and the value a person gave.
        restored(object, str): the entry's own value shall count again.
        path_chosen(object, int): way and position of the path to show.
        path_added(object): a path that the entry does not name.
    """

    entered = Signal(object, str, str)
    restored = Signal(object, str)
    path_chosen = Signal(object, int)
    path_added = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the card; rows come with the first facts."""
        super().__init__(parent)
        self.setObjectName("facts")
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 8, 10)
        box.setSpacing(6)
        box.addWidget(label("What is known", "heading", self))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(4)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        box.addLayout(self._grid)
        self.headers = {way: PathHeader(way, self) for way in Way}
        for column, way in enumerate(Way, 1):
            header = self.headers[way]
            header.chosen.connect(partial(self.path_chosen.emit, way))
            header.added.connect(partial(self.path_added.emit, way))
            self._grid.addWidget(header, 0, column, Qt.AlignmentFlag.AlignTop)
        self.cells: dict[tuple[Way, str], FactCell] = {}
        self._labels: dict[str, QLabel] = {}

    def show_facts(
        self, facts: dict[Way, tuple[Fact, ...]], typed: dict[Way, str], edited: set[tuple[Way, str]]
    ) -> None:
        """Show the facts of each way; ``typed`` is the time as it is edited."""
        used: set[tuple[Way, str]] = set()
        for way, rows in facts.items():
            for fact in rows:
                cell = self._cell(way, fact)
                cell.show_fact(fact, typed.get(way, ""), is_edited=(way, fact.attribute) in edited)
                used.add((way, fact.attribute))
        for key, cell in self.cells.items():
            cell.setVisible(key in used)
        for attribute, text in self._labels.items():
            text.setVisible(any((way, attribute) in used for way in Way))

    def _cell(self, way: Way, fact: Fact) -> FactCell:
        key = (way, fact.attribute)
        if key not in self.cells:
            row = self._row(fact)
            cell = FactCell("Mitigation" if way is Way.MITIGATION else "Fix", self)
            cell.setObjectName(f"fact:{way.value}:{fact.attribute}")
            cell.entered.connect(partial(self.entered.emit, way, fact.attribute))
            cell.restored.connect(partial(self.restored.emit, way, fact.attribute))
            self.cells[key] = cell
            self._grid.addWidget(cell, row, 1 if way is Way.MITIGATION else 2)
        return self.cells[key]

    def _row(self, fact: Fact) -> int:
        row = list(_FACT_ROWS).index(fact.attribute) + 1
        if fact.attribute not in self._labels:
            text = label(fact.label, "secondary", self)
            self._labels[fact.attribute] = text
            self._grid.addWidget(text, row, 0)
        return row


_FACT_ROWS = (
    "time_minutes",
    "risk",
    "reversible",
    "blast",
    "confidence",
    "approval",
    "loses_data",
    "restores",
    "contains",
    "is_available",
)


# What is blocked, what is owed


class BlockedCard(QFrame):
    """Paths that may not be used now, each with what would unblock it and who can do that.

    Signals:
        loss_accepted(): the data owner has accepted that data is lost.
    """

    loss_accepted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty card."""
        super().__init__(parent)
        self.setObjectName("blocked")
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 12)
        box.setSpacing(10)
        box.addWidget(label("Blocked", "heading", self))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(10)
        box.addLayout(self._rows)
        self._shown: tuple[Blocked, ...] = ()

    def show_blocked(self, blocked: tuple[Blocked, ...]) -> None:
        """Show the closed gates, or nothing."""
        self.setVisible(bool(blocked))
        if blocked == self._shown:
            return
        self._shown = blocked
        clear(self._rows)
        for one in blocked:
            self._rows.addWidget(self._row(one))

    def _row(self, one: Blocked) -> QWidget:
        row = QWidget(self)
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        chip = Chip(one.gate.value, "danger", row)
        chip.setFixedWidth(_CHIP_WIDTH)
        chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box.addWidget(chip, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        why = label(wrapped(f"{one.why}."), "", row, wrap=True)
        why.setFont(ui_font(12))
        texts.addWidget(why)
        texts.addWidget(Remark("key-round", f"{one.unblock} ({one.who})", row, tone="fix"))
        if one.gate is Gate.G3:
            button = text_button("The data owner has accepted the loss", "link", parent=row)
            button.setObjectName("acceptLoss")
            button.clicked.connect(self.loss_accepted)
            texts.addWidget(button)
        box.addLayout(texts, 1)
        row.setAccessibleName(f"{one.gate.value}: {one.why}. {one.unblock} ({one.who})")
        return row


class DutiesCard(QFrame):
    """What is owed because of the choice, with clock times."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty card."""
        super().__init__(parent)
        self.setObjectName("duties")
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 12)
        box.setSpacing(8)
        box.addWidget(label("Duties", "heading", self))
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        box.addLayout(self._rows)
        self._shown: tuple[DutyLine, ...] = ()

    def show_duties(self, lines: Sequence[DutyLine]) -> None:
        """Show the duties in order."""
        if tuple(lines) == self._shown:
            return
        self._shown = tuple(lines)
        clear(self._rows)
        for line in lines:
            self._rows.addWidget(self._row(line))

    def _row(self, line: DutyLine) -> QWidget:
        row = QWidget(self)
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        chip = Chip(line.id, "muted", row)
        chip.setFixedWidth(_CHIP_WIDTH)
        chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        box.addWidget(chip, 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(1)
        text = label(line.text, "", row, wrap=True)
        text.setFont(ui_font(12))
        texts.addWidget(text)
        due = label(line.due, "secondary", row, wrap=True)
        has_clock = line.due.startswith("by ")
        due.setFont(ui_font(12, 600 if has_clock else 400))
        if has_clock:
            due.setProperty("tone", "mitigate")
        texts.addWidget(due)
        box.addLayout(texts, 1)
        row.setAccessibleName(f"{line.text} {line.due}")
        return row
