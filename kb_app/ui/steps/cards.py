"""The parts of a step column: a command with its copy button, a step, the header of a column."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFont,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kb_app.entries.model import Command
from kb_app.logs import visible
from kb_app.ui.common.fonts import MONO_FAMILY, mono_font, ui_font
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import IconButton, IconLabel, ProgressLine, label, plain_tooltip, text_button
from kb_app.ui.steps.state import (
    CopyDecision,
    Lane,
    LaneView,
    decide_copy,
    inline_html,
    inline_text,
)

LANE_LOOKS: Mapping[Lane, tuple[str, str, str, str]] = {
    Lane.MITIGATE: ("shield-alert", "mitigate", "Mitigate", "Stop the harm now"),
    Lane.FIX: ("wrench", "fix", "Fix forward", "Remove the cause"),
}
"""Icon, tone, name and purpose of each column."""

_CONFIRMED_MS = 1_600


class WrappedCode(QLabel):
    """Code that wraps anywhere, with what is still to be filled in marked.

    A `QLabel` wraps at words only, so one long argument would widen the whole column.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty label."""
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._font: QFont = mono_font(12)
        self._marked: tuple[str, ...] = ()
        self._corner = QSize(0, 0)
        self._layout: QTextLayout | None = None
        self._layout_width = -1.0
        self._heights: dict[int, int] = {}
        self._theme = Theme.current()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._theme.changed.connect(self._forget)

    def set_code(self, text: str, marked: tuple[str, ...]) -> None:
        """Show ``text`` and mark each occurrence of ``marked``."""
        self._marked = marked
        self.setText("\n".join(visible(line) for line in text.split("\n")))
        self.setAccessibleName(self.text())
        self._forget()
        self.updateGeometry()

    def keep_corner_free(self, corner: QSize) -> None:
        """Leave room for a button in the upper right corner; lines below it use the whole width."""
        self._corner = corner
        self._forget()

    def hasHeightForWidth(self) -> bool:
        """The text needs more lines in a narrow column."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the text in this width; layouts ask for many widths again and again."""
        height = self._heights.get(width)
        if height is None:
            _, exact = self._laid_out(float(max(24, width)), [])
            height = self._heights[width] = round(exact + 0.5)
        return height

    def sizeHint(self) -> QSize:
        """Return a modest width; the column decides."""
        return QSize(120, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        """Return the least that still shows something."""
        return QSize(60, 18)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell the layout that the height follows the width."""
        super().resizeEvent(event)
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Paint the lines."""
        self._lay_out(float(self.width()))
        if self._layout is not None:
            with QPainter(self) as painter:
                painter.setPen(self._theme.color("text"))
                self._layout.draw(painter, self.contentsRect().topLeft().toPointF())

    def _forget(self) -> None:
        self._layout_width = -1.0
        self._heights.clear()
        self.update()

    def _lay_out(self, width: float) -> None:
        if self._layout is None or abs(self._layout_width - width) >= 0.5:
            self._layout, _ = self._laid_out(width, self._formats())
            self._layout_width = width

    def _laid_out(self, width: float, formats: list[QTextLayout.FormatRange]) -> tuple[QTextLayout, float]:
        """Return the lines for this width and their height."""
        layout = QTextLayout(self.text().replace("\n", "\u2028"), self._font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.setFormats(formats)  # before the lines are broken: later it would take them back
        height = 0.0
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            beside_corner = height < self._corner.height()
            line.setLineWidth(max(24.0, width - self._corner.width()) if beside_corner else width)
            line.setPosition(QPointF(0, height))
            height += round(line.height() * 1.12)
        layout.endLayout()
        return layout, max(height, float(self._corner.height()))

    def _formats(self) -> list[QTextLayout.FormatRange]:
        if not self._marked:
            return []
        mark = QTextCharFormat()
        mark.setBackground(self._theme.color("mark"))
        mark.setForeground(self._theme.color("on_mark"))
        formats, text = [], self.text()
        for wanted in self._marked:
            start = text.find(wanted) if wanted else -1
            while start >= 0:
                one = QTextLayout.FormatRange()
                one.start = len(text[:start].encode("utf-16-le")) // 2
                one.length = len(wanted.encode("utf-16-le")) // 2
                one.format = mark
                formats.append(one)
                start = text.find(wanted, start + len(wanted))
        return formats


class CommandBox(QFrame):
    """One command: its text with values filled in, its copy button, and the question before a risky copy.

    Signals:
        copied(str): the text to be put on the clipboard.
        values_needed(object): names that have to be filled in first.
        asked(object): the `CopyQuestion` that stands below the command now.
    """

    copied = Signal(str)
    values_needed = Signal(object)
    asked = Signal(object)

    def __init__(self, command: Command, parent: QWidget | None = None) -> None:
        """Show ``command`` with nothing filled in."""
        super().__init__(parent)
        self._values: Mapping[str, str] = {}
        self._remarks: list[Remark] = []
        self.setProperty("surface", "code")
        self.setObjectName("command")
        self._code = WrappedCode(self)
        self.copy_button = IconButton("copy", "Copy the command", self, size=15, shortcut="C")
        self.copy_button.setObjectName("copyCommand")
        self.copy_button.clicked.connect(self.copy)
        self._code.keep_corner_free(QSize(26, 22))
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(10, 7, 10, 7)
        self._box.setSpacing(6)
        self._box.addWidget(self._code)
        self._question: CopyQuestion | None = None
        self._done_timer = QTimer(self, singleShot=True, interval=_CONFIRMED_MS)
        self._done_timer.timeout.connect(self._on_done_shown)
        self.show_command(command, {})

    def show_command(self, command: Command, values: Mapping[str, str]) -> None:
        """Show another command: making a new box costs several times as much."""
        self.command = command
        self._drop_question()
        for remark in self._remarks:
            remark.hide()
            remark.deleteLater()
        self._remarks = []
        if command.is_destructive:
            self._remarks.append(Remark("triangle-alert", "danger", "destructive", self))
        if command.output:
            text = f"prints: {_first_line(command.output)}"
            self._remarks.append(Remark("terminal", "muted", text, self))
        for remark in self._remarks:
            self._box.addWidget(remark)
        self.set_values(values)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the copy button in the corner."""
        super().resizeEvent(event)
        self.copy_button.move(self.width() - self.copy_button.width() - 3, 3)
        self.copy_button.raise_()

    def set_values(self, values: Mapping[str, str]) -> None:
        """Show the command with these values."""
        self._values = values
        text, open_ones = self.command.text, []
        for placeholder in self.command.placeholders:
            value = values.get(placeholder.name, "").strip()
            if value:
                text = text.replace(placeholder.raw, value)
            else:
                open_ones.append(placeholder.raw)
        self._code.set_code(text, tuple(open_ones))
        self.copy_button.set_name("Copy the command" if not open_ones else "Fill in the values, then copy")

    def shown_text(self) -> str:
        """Return the command as it is shown."""
        return self._code.text()

    def copy(self) -> None:
        """Copy, or ask what has to be asked first."""
        self._close_question()
        decision = decide_copy(self.command, self._values)
        if decision.missing:
            self.values_needed.emit(decision.missing)
        elif decision.is_silent:
            self._hand_over(decision.text)
        else:
            self._ask(decision)

    def _ask(self, decision: CopyDecision) -> None:
        question = CopyQuestion(decision, self)
        question.agreed.connect(self._hand_over)
        question.declined.connect(self._close_question)
        self._question = question
        self._box.addWidget(question)
        question.focus_first()
        self.asked.emit(question)

    def _hand_over(self, text: str) -> None:
        self._close_question()
        self.copied.emit(text)
        self.copy_button.set_icon("check", "fix")
        self._done_timer.start()

    def _on_done_shown(self) -> None:
        self.copy_button.set_icon("copy", "text2")

    def _close_question(self) -> None:
        if self._drop_question():
            self.copy_button.setFocus()

    def _drop_question(self) -> bool:
        question, self._question = self._question, None
        if question is not None:
            question.hide()
            question.deleteLater()
        return question is not None


class CopyQuestion(QFrame):
    """Asks, in place, before a command is copied that hides characters, runs many lines or destroys.

    Signals:
        agreed(str): the text to copy.
        declined(): nothing shall be copied.
    """

    agreed = Signal(str)
    declined = Signal()

    def __init__(self, decision: CopyDecision, parent: QWidget | None = None) -> None:
        """Ask about ``decision``."""
        super().__init__(parent)
        self.setObjectName("copyQuestion")
        self.setProperty("surface", "notice")
        self.setProperty(
            "tone", "danger" if decision.target or decision.hazards or decision.refusal else "info"
        )
        box = QVBoxLayout(self)
        box.setContentsMargins(10, 8, 8, 8)
        box.setSpacing(6)
        self.sentences = tuple(self._sentences(decision))
        for sentence in self.sentences:
            text = QLabel(inline_text(sentence), self)
            text.setTextFormat(Qt.TextFormat.RichText)
            text.setWordWrap(True)
            text.setFont(ui_font(12))
            box.addWidget(text)
        self._yes = ElidedButton(self._agreement(decision), self)
        self._yes.setProperty("role", "danger" if decision.target or decision.hazards else "primary")
        text_to_copy = decision.clean_text or decision.text
        self._yes.clicked.connect(lambda: self.agreed.emit(text_to_copy))
        self._yes.setVisible(not decision.refusal)
        no = text_button("Close" if decision.refusal else "Do not copy", "ghost", parent=self)
        no.clicked.connect(self.declined)
        self._no = no
        box.addWidget(self._yes)
        box.addWidget(no)

    def focus_first(self) -> None:
        """Put the focus on the harmless answer: Enter alone never agrees to harm."""
        self._no.setFocus(Qt.FocusReason.OtherFocusReason)

    @staticmethod
    def _sentences(decision: CopyDecision) -> list[str]:
        sentences = [decision.refusal] if decision.refusal else []
        if decision.hazards:
            sentences.append("Hidden or misleading characters: " + "; ".join(decision.hazards) + ".")
        if decision.target:
            sentences.append(f"This changes or removes something: {visible(decision.target)}")
        if decision.is_multiline:
            count = len(decision.text.splitlines())
            sentences.append(f"{count} lines: a terminal runs them one after the other when pasted.")
        return sentences

    @staticmethod
    def _agreement(decision: CopyDecision) -> str:
        if decision.hazards:
            return "Copy with plain characters instead" if decision.clean_text else "Copy it as it is"
        if decision.target:
            return f"Copy “{visible(decision.target)}”"
        return f"Copy {len(decision.text.splitlines())} lines"


class ElidedButton(QPushButton):
    """A button whose text is elided rather than widening the column; the tooltip holds all of it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        """Show ``text``."""
        super().__init__(text, parent)
        self.whole = text
        self.setAccessibleName(text)
        self.setToolTip(plain_tooltip(text))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide for the new width."""
        super().resizeEvent(event)
        self._elide()

    def showEvent(self, event: QShowEvent) -> None:
        """Elide with the font that the style sheet gave meanwhile."""
        super().showEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = self.width() - 22
        shown = self.fontMetrics().elidedText(self.whole, Qt.TextElideMode.ElideRight, room)
        if shown != self.text():
            self.setText(shown)


class LinkButton(QPushButton):
    """A button that reads like a link, its text in line with the text above, elided at the end."""

    def __init__(self, text: str, parent: QWidget | None = None, *, weight: int = 500) -> None:
        """Show ``text``."""
        super().__init__(text, parent)
        self._theme = Theme.current()
        self._font = ui_font(13, weight)
        self.setProperty("role", "link")
        self.setToolTip(plain_tooltip(text))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return one line's height; the column decides the width."""
        return QSize(60, 22)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Paint the text, underlined under the pointer, and the focus ring."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            font = QFont(self._font)
            font.setUnderline(self.underMouse())
            painter.setFont(font)
            painter.setPen(self._theme.color("accent"))
            shown = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
            align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(self.rect(), align, shown)
            if self.hasFocus():
                painter.setPen(QPen(self._theme.color("accent"), 2))
                painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 4, 4)


class Remark(QWidget):
    """A small icon and a wrapped sentence; ``is_plain`` shows the text letter by letter."""

    def __init__(
        self, icon: str, tone: str, text: str, parent: QWidget | None = None, *, is_plain: bool = False
    ) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 4, 0)
        row.setSpacing(6)
        color = "text3" if tone == "muted" else tone
        row.addWidget(IconLabel(icon, color, 13, self), 0, Qt.AlignmentFlag.AlignTop)
        self._label = QLabel(self)
        self._label.setTextFormat(Qt.TextFormat.RichText)
        self._label.setWordWrap(True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._label.setProperty("textstyle", "secondary")
        if tone != "muted":
            self._label.setProperty("tone", tone)
        self._label.setText(inline_text(text) if is_plain else inline_html(text, mono_family=MONO_FAMILY))
        row.addWidget(self._label, 1)

    def text(self) -> str:
        """Return the sentence as it was given to the label."""
        return self._label.text()


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return (lines[0][:120] + (" …" if len(lines) > 1 else "")) if lines else ""


class LaneHeader(QFrame):
    """Icon, name, how many steps are done, the purpose in one line, and a bar."""

    def __init__(self, lane: Lane, parent: QWidget | None = None) -> None:
        """Make the header of ``lane``."""
        super().__init__(parent)
        icon, tone, name, purpose = LANE_LOOKS[lane]
        self._name = name
        self.setProperty("surface", "card")
        self.setProperty("tone", tone)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 10)
        box.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(IconLabel(icon, tone, 16, self))
        title = label(name, "heading", self)
        title.setProperty("tone", tone)
        row.addWidget(title)
        row.addStretch(1)
        self._count = label("", "heading", self)
        self._count.setProperty("tone", tone)
        row.addWidget(self._count)
        box.addLayout(row)
        box.addWidget(label(purpose, "secondary", self))
        box.addSpacing(2)
        self._bar = ProgressLine(f"{name}: steps done", self, tone=tone)
        box.addWidget(self._bar)

    def set_progress(self, done: int, total: int) -> None:
        """Show ``done`` of ``total`` steps."""
        self._count.setText(f"{done}/{total}" if total else "")
        self._bar.set_progress(done, max(1, total))
        self._bar.setAccessibleName(f"{self._name}: {done} of {total} steps done")


class EmptyLane(QFrame):
    """Says why a column holds nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a hidden one."""
        super().__init__(parent)
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 12, 12, 12)
        box.setSpacing(4)
        box.addWidget(label("No path yet", "heading", self))
        self._why = label("", "secondary", self, wrap=True)
        box.addWidget(self._why)
        self.hide()

    def show_reason(self, view: LaneView) -> None:
        """Explain the empty ``view``."""
        self._why.setText(view.empty_text)


_LIST_ITEM = re.compile(r"(?:^|\n)[ \t]*[-*+][ \t]+")


def body_html(markdown: str) -> str:
    """Return a path's prose as simple paragraphs for a label."""
    blocks = [block.strip() for block in _LIST_ITEM.sub("\n\n\u2022 ", markdown).split("\n\n")]
    return "".join(f"<p>{inline_html(block, mono_family=MONO_FAMILY)}</p>" for block in blocks if block)


def attribute_html(pairs: list[tuple[str, str, str]], *, muted: str) -> str:
    """Return attribute rows as a small table: label, value, colour of the value (may be empty)."""
    rows = []
    for name, value, color in pairs:
        ink = f' style="color:{color}; font-weight:500"' if color else ""
        rows.append(
            f'<tr><td style="color:{muted}; padding-right:10px">{html.escape(name)}</td>'
            f"<td{ink}>{html.escape(value)}</td></tr>"
        )
    return f'<table cellspacing="0" cellpadding="1">{"".join(rows)}</table>'
