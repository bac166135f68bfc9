"""The words of a message: on one line or two, the whole of it when that is not enough and it is asked for."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFont,
    QFontMetrics,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextLayout,
    QTextLine,
    QTextOption,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import plain_tooltip

LINES = 2
"""Lines shown before the whole is asked for."""

GAP = "   "
"""Between what happened and what can be done."""


class MessageWords(QWidget):
    """What happened and, in a quieter colour, what can be done; never cut without a sign.

    Signals:
        cut_changed(bool): some of it does not fit into two lines.
    """

    cut_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty one."""
        super().__init__(parent)
        self._text, self._hint = "", ""
        self._is_open = False
        self._is_cut = False
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        Theme.current().changed.connect(self.update)

    def set_words(self, text: str, hint: str) -> None:
        """Show a message."""
        self._text, self._hint = " ".join(text.split()), " ".join(hint.split())
        self._is_open = False
        self.setAccessibleName(f"{self._text}. {self._hint}" if self._hint else self._text)
        self._update()

    def set_open(self, *, is_open: bool) -> None:
        """Show all of it, or two lines."""
        self._is_open = is_open
        self._update()

    @property
    def is_open(self) -> bool:
        """Tell whether all of it is shown."""
        return self._is_open

    @property
    def is_cut(self) -> bool:
        """Tell whether it needs more than two lines."""
        return self._is_cut

    def shown_lines(self) -> tuple[str, ...]:
        """Return the lines as they are painted now."""
        return tuple(text for text, _line in self._laid_out(self.width())[1])

    def hasHeightForWidth(self) -> bool:
        """Tell that a narrower one is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the lines at ``width``."""
        count = self._line_count(width)
        shown = count if self._is_open else min(count, LINES)
        return max(1, shown) * QFontMetrics(self.font()).lineSpacing()

    def sizeHint(self) -> QSize:
        """Return the size on one line."""
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self._whole) + 4, metrics.lineSpacing())

    def minimumSizeHint(self) -> QSize:
        """Return a width that still holds a few words."""
        metrics = QFontMetrics(self.font())
        return QSize(min(self.sizeHint().width(), metrics.averageCharWidth() * 24), metrics.lineSpacing())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Tell whether it is cut at the new width."""
        super().resizeEvent(event)
        self._tell_cut()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Paint the lines; the last one ends in an ellipsis where more follows."""
        with QPainter(self) as painter:
            painter.setPen(Theme.current().color("text"))
            layout, lines = self._laid_out(self.width())
            spacing = QFontMetrics(self.font()).lineSpacing()
            for number, (text, line) in enumerate(lines):
                if text.endswith("…") and number == len(lines) - 1 and not self._is_open and self._is_cut:
                    is_hint = line.textStart() >= len(self._text)
                    painter.setPen(Theme.current().color("text2" if is_hint else "text"))
                    painter.drawText(QPointF(0, number * spacing + QFontMetrics(self.font()).ascent()), text)
                else:
                    line.draw(painter, QPointF(0, 0))
            assert layout is not None  # keeps the lines alive while they are painted

    @property
    def _whole(self) -> str:
        return f"{self._text}{GAP}{self._hint}" if self._hint else self._text

    def _laid_out(self, width: int) -> tuple[QTextLayout, list[tuple[str, QTextLine]]]:
        layout = QTextLayout(self._whole, QFont(self.font()))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        quiet = QTextCharFormat()
        quiet.setForeground(Theme.current().color("text2"))
        span = QTextLayout.FormatRange()
        span.start, span.length = len(self._text), len(self._whole) - len(self._text)
        span.format = quiet
        layout.setFormats([span])
        metrics = QFontMetrics(self.font())
        lines: list[tuple[str, QTextLine]] = []
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(max(1, width))
            line.setPosition(QPointF(0, len(lines) * metrics.lineSpacing()))
            start = line.textStart()
            text = self._whole[start : start + line.textLength()]
            if not self._is_open and len(lines) == LINES - 1 and start + line.textLength() < len(self._whole):
                rest = self._whole[start:]
                text = metrics.elidedText(rest, Qt.TextElideMode.ElideRight, width)
                lines.append((text, line))
                break
            lines.append((text, line))
        layout.endLayout()
        return layout, lines

    def _line_count(self, width: int) -> int:
        was_open, self._is_open = self._is_open, True
        count = len(self._laid_out(width)[1])
        self._is_open = was_open
        return count

    def _update(self) -> None:
        self.updateGeometry()
        self._tell_cut()
        self.update()

    def _tell_cut(self) -> None:
        is_cut = self._line_count(self.width()) > LINES
        self.setToolTip(plain_tooltip(self._whole) if is_cut and not self._is_open else "")
        if is_cut is not self._is_cut:
            self._is_cut = is_cut
            self.cut_changed.emit(is_cut)
