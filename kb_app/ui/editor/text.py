"""The editing field: Markdown with line numbers, marks of lint, completion, snippets and pasted pictures."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, QSize, QStringListModel, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QCompleter, QListView, QPlainTextEdit, QToolTip, QWidget

from kb_app.entries.model import Severity
from kb_app.ui.common.fonts import mono_font
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import plain_tooltip
from kb_app.ui.editor.highlighting import MarkdownHighlighter, place_of
from kb_app.ui.editor.state import (
    CURSOR,
    Completions,
    LinkTarget,
    Problem,
    Snippet,
    completions,
    placeholders_in,
)

FONT_SIZE = 13
SNIPPET_MODIFIER = (
    Qt.KeyboardModifier.MetaModifier if sys.platform == "darwin" else Qt.KeyboardModifier.AltModifier
)
"""Held with a letter to insert a snippet; on macOS the Option key types letters such as ß."""

_MARK = {Severity.ERROR: "danger", Severity.WARNING: "mitigate", Severity.INFO: "info"}
_WRAP_KEYS = frozenset((Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Escape))


class LineMargin(QWidget):
    """Line numbers and, where lint has something to say, a dot in the colour of its weight.

    Signals:
        line_clicked(int): 1-based.
    """

    line_clicked = Signal(int)

    def __init__(self, edit: MarkdownEdit) -> None:
        super().__init__(edit)
        self._edit = edit
        self.problems: Mapping[int, Problem] = {}
        self.setAccessibleName("Line numbers")
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        """Return the width that the highest number needs."""
        return QSize(self._edit.margin_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the numbers of the lines in view."""
        tokens = Theme.current().tokens
        current = self._edit.textCursor().blockNumber()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(event.rect(), QColor(tokens.surface))
            painter.setFont(mono_font(11))
            for number, area in self._edit.lines_in_view():
                color = tokens.text2 if number == current else tokens.text3
                painter.setPen(QColor(color))
                text = QRect(0, area.top(), self.width() - 12, self._edit.fontMetrics().height())
                painter.drawText(
                    text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(number + 1)
                )
                problem = self.problems.get(number + 1)
                if problem is not None:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(QColor(tokens.color(_MARK[problem.severity])))
                    painter.drawEllipse(QPoint(8, text.center().y() + 1), 4, 4)

    def _line_at(self, y: int) -> int:
        for number, area in self._edit.lines_in_view():
            if area.top() <= y < area.bottom():
                return number + 1
        return 0

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the line."""
        if line := self._line_at(round(event.position().y())):
            self.line_clicked.emit(line)

    def event(self, event: QEvent) -> bool:
        """Say what lint found on the line under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            problem = self.problems.get(self._line_at(event.pos().y()))
            text = plain_tooltip(f"{problem.message}. {problem.advice}") if problem is not None else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)


class MarkdownEdit(QPlainTextEdit):
    """A text to write.

    Signals:
        line_changed(int): the cursor went to another line; 1-based.
        picture_pasted(object): a `QImage`.
        completed(str): what a completion inserted.
    """

    line_changed = Signal(int)
    picture_pasted = Signal(object)
    completed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("editorText")
        self.setAccessibleName("Text of the entry, Markdown")
        self.setProperty("role", "editor")
        self.setFont(mono_font(FONT_SIZE))
        self.setTabChangesFocus(False)
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.highlighter = MarkdownHighlighter(self.document())
        self.margin = LineMargin(self)
        self.targets: Sequence[LinkTarget] = ()
        self.path = ""
        self._line = 0
        self._shown = Completions()
        self._completer = QCompleter(self)
        self._completer.setWidget(self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._model = QStringListModel(self)
        self._completer.setModel(self._model)
        self._completer.activated.connect(self._on_chosen)
        self._popup = QListView()
        self._popup.setObjectName("completions")
        self._popup.setAccessibleName("Completions")
        self._completer.setPopup(self._popup)
        self.blockCountChanged.connect(self._fit_margin)
        self.updateRequest.connect(self._on_update_request)
        self.cursorPositionChanged.connect(self._on_cursor_moved)
        self.margin.line_clicked.connect(self.go_to_line)
        Theme.current().changed.connect(self.margin.update)
        self._fit_margin()

    # -- the text -------------------------------------------------------------------------------------

    def text(self) -> str:
        r"""Return the text with ``\n`` line ends, letter by letter (blanks that do not break are kept)."""
        return self.document().toRawText().replace("\u2029", "\n")

    def set_text(self, text: str, cursor: int = 0) -> None:
        """Show another text; what was undone before is forgotten."""
        self.setPlainText(text)
        self.document().setModified(False)
        moved = self.textCursor()
        moved.setPosition(max(0, min(cursor, self.document().characterCount() - 1)))
        self.setTextCursor(moved)
        self.centerCursor()

    def replace_text(self, text: str) -> None:
        """Put another text in place of this one as one step that can be undone; only what differs changes."""
        old = self.text()
        head = 0
        limit = min(len(old), len(text))
        while head < limit and old[head] == text[head]:
            head += 1
        tail = 0
        while tail < limit - head and old[-1 - tail] == text[-1 - tail]:
            tail += 1
        cursor = self.textCursor()
        cursor.beginEditBlock()
        cursor.setPosition(_units(old[:head]))
        cursor.setPosition(_units(old[: len(old) - tail]), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text[head : len(text) - tail])
        cursor.endEditBlock()
        self.setTextCursor(cursor)

    def go_to_line(self, line: int) -> None:
        """Put the cursor at the end of the 1-based ``line`` and show it."""
        block = self.document().findBlockByNumber(max(0, line - 1))
        if block.isValid():
            cursor = QTextCursor(block)
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
            self.setTextCursor(cursor)
            self.ensureCursorVisible()
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def insert_snippet(self, snippet: Snippet) -> None:
        """Insert a piece of text, on lines of its own where it needs them, and put the cursor into it."""
        cursor = self.textCursor()
        cursor.beginEditBlock()
        text = snippet.text
        if snippet.is_block:
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock)
            is_heading = text.startswith("#")
            before = cursor.block().text()
            if before.strip():
                cursor.insertText("\n\n" if is_heading else "\n")
            elif is_heading and cursor.block().previous().text().strip():
                cursor.insertText("\n")
        start = cursor.position()
        cursor.insertText(text.replace(CURSOR, ""))
        if snippet.is_block and cursor.block().next().text().strip():
            cursor.insertText("\n")
        cursor.endEditBlock()
        if CURSOR in text:
            cursor.setPosition(start + _units(text[: text.index(CURSOR)]))
        self.setTextCursor(cursor)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def select_line(self) -> None:
        """Select the rest of the cursor's line, to be written over."""
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def insert_selected(self, text: str, start: int, end: int) -> None:
        """Insert ``text`` at the cursor and select the characters from ``start`` to ``end`` of it."""
        cursor = self.textCursor()
        cursor.insertText(text)
        at = cursor.position() - _units(text)
        cursor.setPosition(at + start)
        cursor.setPosition(at + end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    # -- lines ----------------------------------------------------------------------------------------

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Mark the lines that lint has something to say to, the gravest first within a line."""
        marks: dict[int, Problem] = {}
        for problem in problems:
            marks.setdefault(problem.line, problem)
        self.margin.problems = marks
        self.margin.update()

    def line(self) -> int:
        """Return the 1-based line of the cursor."""
        return self.textCursor().blockNumber() + 1

    def lines_in_view(self) -> list[tuple[int, QRect]]:
        """Return 0-based numbers and areas of the lines in view."""
        found = []
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= self.viewport().height():
            height = self.blockBoundingRect(block).height()
            if block.isVisible():
                found.append((block.blockNumber(), QRect(0, round(top), self.margin.width(), round(height))))
            block, top = block.next(), top + height
        return found

    def margin_width(self) -> int:
        """Return the width of the margin in pixels."""
        digits = max(3, len(str(self.blockCount())))
        return 28 + digits * self.fontMetrics().horizontalAdvance("9")

    def _fit_margin(self) -> None:
        self.setViewportMargins(self.margin_width(), 0, 0, 0)

    def _on_update_request(self, area: QRect, moved: int) -> None:
        if moved:
            self.margin.scroll(0, moved)
        else:
            self.margin.update(0, area.y(), self.margin.width(), area.height())

    def _on_cursor_moved(self) -> None:
        line = self.line()
        if line != self._line:
            self._line = line
            self.margin.update()
            self.line_changed.emit(line)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the margin beside the text."""
        super().resizeEvent(event)
        area = self.contentsRect()
        self.margin.setGeometry(area.left(), area.top(), self.margin_width(), area.height())

    # -- pictures -------------------------------------------------------------------------------------

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Take pictures too."""
        return source.hasImage() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Insert text; tell about a picture."""
        if source.hasImage() and not source.hasText():
            image = source.imageData()
            if isinstance(image, QImage) and not image.isNull():
                self.picture_pasted.emit(image)
                return
        if source.hasText():
            self.insertPlainText(source.text())

    # -- completion -----------------------------------------------------------------------------------

    def suggestions(self) -> Completions:
        """Return what could stand at the cursor."""
        cursor = self.textCursor()
        line = cursor.block().text()[: cursor.positionInBlock()]
        return completions(
            line,
            place_of(cursor.block()),
            path=self.path,
            targets=self.targets,
            placeholders=lambda: placeholders_in(self.text()),
        )

    def complete(self, *, is_asked: bool) -> None:
        """Offer what could stand at the cursor; ``is_asked``: the user pressed the key for it."""
        found = self.suggestions() if not self.textCursor().hasSelection() else Completions()
        popup = self._popup
        if not found or (found.is_asked and not is_asked):
            popup.hide()
            return
        self._shown = found
        self._model.setStringList([item.label for item in found.items])
        area = self.cursorRect()
        area.translate(self.viewportMargins().left(), 0)
        hint = max(popup.sizeHintForColumn(0), 160) + popup.verticalScrollBar().sizeHint().width() + 24
        area.setWidth(min(420, hint))
        self._completer.complete(area)
        popup.setCurrentIndex(self._completer.completionModel().index(0, 0))

    def is_completing(self) -> bool:
        """Tell whether completions are offered."""
        return self._popup.isVisible()

    def completion_popup(self) -> QWidget:
        """Return the list of completions."""
        return self._popup

    def _on_chosen(self, label: str) -> None:
        item = next((item for item in self._shown.items if item.label == label), None)
        if item is None:
            return
        cursor = self.textCursor()
        start = cursor.block().position() + self._shown.start
        cursor.setPosition(start, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(item.text)
        self.setTextCursor(cursor)
        self.completed.emit(item.text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Type; offer completions; continue lists; Tab indents lines that are selected or begin an item."""
        if self.is_completing() and Qt.Key(event.key()) in _WRAP_KEYS:
            event.ignore()  # the list of completions takes it
            return
        is_plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if event.key() == Qt.Key.Key_Space and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
            self.complete(is_asked=True)
            return
        if is_plain and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._continue_list():
            return
        if event.key() == Qt.Key.Key_Escape or event.modifiers() == SNIPPET_MODIFIER:
            event.ignore()  # the page's; Qt would type the letter
            return
        super().keyPressEvent(event)
        is_typed = bool(event.text()) and event.text().isprintable()
        if is_typed or (event.key() == Qt.Key.Key_Backspace and self.is_completing()):
            self.complete(is_asked=False)

    def _continue_list(self) -> bool:
        """Begin the next item of a list on Enter; an empty item ends the list. Tell whether that was done."""
        cursor = self.textCursor()
        if cursor.hasSelection() or not cursor.atBlockEnd() or place_of(cursor.block()).value != "body":
            return False
        line = cursor.block().text()
        stripped = line.lstrip(" ")
        indent = line[: len(line) - len(stripped)]
        mark, _, rest = stripped.partition(" ")
        if mark not in ("-", "*", "+") and not (mark[:-1].isdigit() and mark[-1:] in (".", ")")):
            return False
        cursor.beginEditBlock()
        if not rest.strip():
            cursor.movePosition(QTextCursor.MoveOperation.StartOfBlock, QTextCursor.MoveMode.KeepAnchor)
            cursor.removeSelectedText()
        else:
            following = mark if mark in ("-", "*", "+") else f"{int(mark[:-1]) + 1}{mark[-1]}"
            cursor.insertText(f"\n{indent}{following} ")
        cursor.endEditBlock()
        self.setTextCursor(cursor)
        return True


def _units(text: str) -> int:
    """Return the length of ``text`` as Qt counts it (UTF-16 units)."""
    return len(text) + sum(1 for letter in text if letter > "\uffff")
