"""A comparison of two texts for reading: words that went and words that came, far stretches left out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextOption
from PySide6.QtWidgets import QTextEdit, QWidget

from kb_app.gitstore.words import Run, RunKind
from kb_app.logs import visible
from kb_app.ui.common.fonts import MONO_FAMILY
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.tokens import Tokens

CONTEXT_LINES = 2
"""Unchanged lines that are shown before and after a change."""

MAX_SHOWN = 60_000
"""Characters shown; a comparison of more says so."""


def shortened(text: str, *, is_first: bool, is_last: bool) -> tuple[str, ...]:
    """Return an unchanged stretch: whole, or its two ends in whole lines where the middle is left out."""
    lines = text.splitlines(keepends=True)
    head = 0 if is_first else CONTEXT_LINES + 1
    tail = 0 if is_last else CONTEXT_LINES + 1
    if len(lines) <= head + tail + 1:
        return (text,)
    return ("".join(lines[:head]), "".join(lines[len(lines) - tail :] if tail else []))


def diff_html(runs: Sequence[Run], tokens: Tokens) -> str:
    """Return a comparison as HTML for Qt; every letter of the texts is escaped."""
    parts, shown = [], 0
    last = len(runs) - 1
    for number, run in enumerate(runs):
        if shown > MAX_SHOWN:
            parts.append(_gap("The rest is too long to show here", tokens))
            break
        if run.kind is RunKind.SAME:
            pieces = shortened(run.text, is_first=number == 0, is_last=number == last)
            parts.append(_gap("…", tokens).join(_safe(piece) for piece in pieces))
            shown += sum(map(len, pieces))
            continue
        shown += len(run.text)
        color, ground, line = (
            (tokens.danger, tokens.danger_bg, "line-through")
            if run.kind is RunKind.REMOVED
            else (tokens.fix, tokens.fix_bg, "none")
        )
        style = f"color:{color};background-color:{ground};text-decoration:{line}"
        parts.append(f'<span style="{style}">{_safe(run.text)}</span>')
    body = "".join(parts)
    return f"<pre style=\"font-family:'{MONO_FAMILY}';font-size:12px;white-space:pre-wrap\">{body}</pre>"


def _safe(text: str) -> str:
    return "\n".join(escape(visible(line.replace("\t", "    "))) for line in text.split("\n"))


def _gap(text: str, tokens: Tokens) -> str:
    return f'<span style="color:{tokens.text3}">{escape(text)}\n</span>'


class DiffView(QTextEdit):
    """Shows a comparison; read-only, follows the theme."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty one."""
        super().__init__(parent)
        self.setReadOnly(True)
        self.setAccessibleName("What changed")
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._runs: tuple[Run, ...] = ()
        Theme.current().changed.connect(self._draw_again)

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Show a comparison."""
        self._runs = tuple(runs)
        self._draw()

    def fit_height(self, most: int) -> None:
        """Be as high as the text, at most ``most`` pixels; the rest is scrolled to."""
        document = self.document()
        document.setTextWidth(max(200, self.viewport().width()))
        self.setFixedHeight(min(most, round(document.size().height()) + 4))

    def _draw(self) -> None:
        self.setHtml(diff_html(self._runs, Theme.current().tokens))

    def _draw_again(self) -> None:
        """Draw it in other colours and stay where it was read."""
        at = self.verticalScrollBar().value()
        self._draw()
        self.verticalScrollBar().setValue(at)
