"""Shows a comparison: removed words struck and tinted, added ones tinted, unchanged parts folded.

The document is built through a cursor, never from HTML: a page's text is text, whatever it holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import (
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from kb_app.gitstore.words import Run, RunKind
from kb_app.ui.common.diff_lines import Fold, Line, folded, lines_of_runs
from kb_app.ui.common.fonts import mono_font, ui_font
from kb_app.ui.common.theme import Theme

_HEADING_PIXELS = {1: 17, 2: 15, 3: 14}
MAX_SHOWN_LINES = 20_000
"""Lines put into one document; more would stop the window."""


LINES_AT_ONCE = 120
"""Lines written before the window may do something else."""


class DiffView(QTextBrowser):
    """Shows how one text became another.

    Args:
        name: accessible name.
        parent: owner.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setProperty("page", "true")
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self._parts: list[Line | Fold] = []
        self._written = 0
        self._ink = _Ink()
        self._more = QTimer(self, singleShot=True, interval=0)
        self._more.timeout.connect(self._write_on)
        self.anchorClicked.connect(self._on_anchor)
        Theme.current().changed.connect(self._draw_again)

    def show_runs(self, runs: Sequence[Run], *, fold: bool = True) -> None:
        """Show a comparison; without ``fold`` all of it."""
        self.show_lines(lines_of_runs(runs), fold=fold)

    def show_lines(self, lines: Sequence[Line], *, fold: bool = True) -> None:
        """Show a comparison that was split into lines already; the end of a long one follows bit by bit."""
        self._parts = list(folded(lines) if fold else lines)
        self._draw()
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def show_text(self, text: str) -> None:
        """Show a whole text in which nothing changed."""
        self.show_runs((Run(RunKind.SAME, text),) if text else (), fold=False)

    def clear_view(self) -> None:
        """Show nothing."""
        self._parts = []
        self._more.stop()
        self.clear()

    def loadResource(self, kind: int, name: QUrl | str) -> object:  # noqa: ARG002 - nothing is ever loaded
        """Load nothing: a comparison has no pictures and no other pages."""
        return None

    def open_folds(self) -> None:
        """Show every line."""
        self._parts = [
            line for part in self._parts for line in (part.lines if isinstance(part, Fold) else (part,))
        ]
        self._draw()

    def _on_anchor(self, url: QUrl) -> None:
        number = url.path()
        if url.scheme() == "fold" and number.isdigit() and int(number) < len(self._parts):
            part = self._parts[int(number)]
            if isinstance(part, Fold):
                self._parts[int(number) : int(number) + 1] = part.lines
                self._draw_again(int(number))

    def _draw_again(self, shown: int = 0) -> None:
        """Draw what is shown anew, in other colours or with a fold open, and stay where it was read.

        Args:
            shown: number of a part that has to be there at once, with those after it that are in view.
        """
        bar = self.verticalScrollBar()
        at, wanted = bar.value(), max(self._written, shown + LINES_AT_ONCE)
        self._draw()
        while self._written < min(len(self._parts), wanted, MAX_SHOWN_LINES):
            self._write_on()
        bar.setValue(at)

    def _draw(self) -> None:
        document = self.document()
        document.clear()
        document.setDefaultFont(ui_font(13))
        document.setDocumentMargin(16)
        self._written, self._ink = 0, _Ink()
        self._write_on()

    def _write_on(self) -> None:
        """Write the next lines; the window does its other work in between."""
        cursor, ink = QTextCursor(self.document()), self._ink
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.beginEditBlock()
        first, self._written = (
            self._written,
            min(self._written + LINES_AT_ONCE, len(self._parts), MAX_SHOWN_LINES),
        )
        for number in range(first, self._written):
            part = self._parts[number]
            block = ink.block(part)
            if number:
                cursor.insertBlock(block)
            else:
                cursor.setBlockFormat(block)
            if isinstance(part, Fold):
                cursor.insertText(f"⋯  {part.label}", ink.fold(number))
            else:
                for piece in part.pieces:
                    cursor.insertText(piece.text, ink.piece(part, piece.kind))
        cursor.endEditBlock()
        if self._written < min(len(self._parts), MAX_SHOWN_LINES):
            self._more.start()
        else:
            self._more.stop()


class _Ink:
    """The formats of one theme."""

    def __init__(self) -> None:
        theme = Theme.current()
        self._text = theme.color("text")
        self._muted = theme.color("text2")
        self._accent = theme.color("accent")
        self._code = theme.color("surface2")
        self._colors = {
            RunKind.REMOVED: (theme.color("danger"), theme.color("danger_bg")),
            RunKind.ADDED: (theme.color("fix"), theme.color("fix_bg")),
        }

    def block(self, part: Line | Fold) -> QTextBlockFormat:
        """Return how a line stands."""
        result = QTextBlockFormat()
        if isinstance(part, Fold) or not part.is_code:
            result.setLineHeight(138, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        if isinstance(part, Fold):
            result.setTopMargin(6)
            result.setBottomMargin(6)
            result.setBackground(self._code)
        elif part.level:
            result.setTopMargin(10)
            result.setBottomMargin(2)
            result.setHeadingLevel(part.level)
        elif part.is_code and not part.is_changed:
            result.setBackground(self._code)
        return result

    def fold(self, number: int) -> QTextCharFormat:
        """Return how a fold reads."""
        result = QTextCharFormat()
        result.setFont(ui_font(12))
        result.setForeground(self._accent)
        result.setAnchor(True)
        result.setAnchorHref(f"fold:{number}")
        result.setToolTip("Show these lines")
        return result

    def piece(self, line: Line, kind: RunKind) -> QTextCharFormat:
        """Return how a stretch of a line reads."""
        result = QTextCharFormat()
        result.setFont(self._font(line))
        result.setForeground(self._muted if line.is_fact else self._text)
        if kind is not RunKind.SAME:
            ink, ground = self._colors[kind]
            result.setForeground(ink)
            result.setBackground(ground)
            if kind is RunKind.REMOVED:
                result.setFontStrikeOut(True)
        return result

    @staticmethod
    def _font(line: Line) -> QFont:
        if line.level:
            return ui_font(_HEADING_PIXELS.get(line.level, 13), 600)
        return mono_font(12) if line.is_code or line.is_fact else ui_font(13)
