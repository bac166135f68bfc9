"""The entry as it is now with a margin that says who wrote each stretch of lines, when and why."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QPlainTextEdit, QToolTip, QWidget

from kb_app.gitstore.history import BlameLine
from kb_app.ui.common.avatars import paint_avatar
from kb_app.ui.common.fonts import mono_font, ui_font
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import plain_tooltip
from kb_app.ui.versions.state import date_text, moment_text, short, starts_of

MARGIN_WIDTH = 232
_AVATAR = 14


class BlameView(QPlainTextEdit):
    """Lines with their writers; the margin is beside the text and scrolls with it.

    Signals:
        version_wanted(str): the change of a line was asked for, by its commit.
        line_changed(str): what is known of the line with the cursor, in one sentence.
    """

    version_wanted = Signal(str)
    line_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty one."""
        super().__init__(parent)
        self.setObjectName("blame")
        self.setAccessibleName("The entry with who wrote each line; Enter goes to that version")
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self.setProperty("role", "page")
        self.setFont(mono_font(12))
        self._lines: tuple[BlameLine, ...] = ()
        self._starts: tuple[int, ...] = ()
        self._margin = _Margin(self)
        self.setViewportMargins(MARGIN_WIDTH, 0, 0, 0)
        self.updateRequest.connect(self._on_update)
        self.cursorPositionChanged.connect(self._on_cursor)
        Theme.current().changed.connect(self._margin.update)

    def show_lines(self, lines: Sequence[BlameLine]) -> None:
        """Show these lines."""
        self._lines, self._starts = tuple(lines), starts_of(lines)
        self.setPlainText("\n".join(line.text for line in lines))
        self._on_cursor()

    def line_at(self, number: int) -> BlameLine | None:
        """Return what is known of a line, counted from 0."""
        return self._lines[number] if 0 <= number < len(self._lines) else None

    def about(self, line: BlameLine) -> str:
        """Return who wrote a line, when and why."""
        when = moment_text(line.authored_at)
        return f"Line {line.line}: {line.author}, {when}: {line.subject or 'no message'}"

    def current_line(self) -> BlameLine | None:
        """Return what is known of the line with the cursor."""
        return self.line_at(self.textCursor().blockNumber())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter goes to the version the line comes from."""
        line = self.current_line()
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and line is not None:
            self.version_wanted.emit(line.commit)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the margin beside the text."""
        super().resizeEvent(event)
        area = self.contentsRect()
        self._margin.setGeometry(QRect(area.left(), area.top(), MARGIN_WIDTH, area.height()))

    def blocks_in_view(self) -> list[tuple[int, QRectF]]:
        """Return number and place, in the viewport, of each block that can be seen."""
        found, block, height = [], self.firstVisibleBlock(), self.viewport().height()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top < height:
            size = self.blockBoundingRect(block).height()
            found.append((block.blockNumber(), QRectF(0, top, MARGIN_WIDTH, size)))
            block, top = block.next(), top + size
        return found

    def start_of(self, number: int) -> int:
        """Return the first line of the stretch a line belongs to."""
        return self._starts[number] if 0 <= number < len(self._starts) else number

    def _on_update(self, area: QRect, moved: int) -> None:
        if moved:
            self._margin.scroll(0, moved)
        self._margin.update(0, area.y(), MARGIN_WIDTH, area.height())

    def _on_cursor(self) -> None:
        self._margin.update()
        line = self.current_line()
        self.line_changed.emit(self.about(line) if line is not None else "")


class _Margin(QWidget):
    """Who wrote which stretch."""

    def __init__(self, view: BlameView) -> None:
        super().__init__(view)
        self._view = view
        self._name, self._meta = ui_font(12, 500), ui_font(11)
        self._name_metrics, self._meta_metrics = QFontMetricsF(self._name), QFontMetricsF(self._meta)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        """Return the width."""
        return QSize(MARGIN_WIDTH, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the names beside the lines that can be seen."""
        theme = Theme.current()
        current = self._view.current_line()
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), theme.color("surface2"))
            blocks = self._view.blocks_in_view()
            for position, (number, area) in enumerate(blocks):
                line = self._view.line_at(number)
                if line is None:
                    continue
                if current is not None and line.commit == current.commit:
                    painter.fillRect(QRectF(0, area.top(), 3, area.height()), theme.color("accent"))
                is_start = self._view.start_of(number) == number
                if is_start and number:
                    painter.setPen(theme.color("border"))
                    painter.drawLine(area.topLeft(), area.topRight())
                if is_start or position == 0:
                    self._paint_writer(painter, area, line)
            painter.setPen(theme.color("border"))
            painter.drawLine(self.width() - 1, 0, self.width() - 1, self.height())

    def _paint_writer(self, painter: QPainter, area: QRectF, line: BlameLine) -> None:
        theme = Theme.current()
        height = self._view.fontMetrics().lineSpacing() + 2
        top = max(area.top(), 0.0)
        side = Qt.AlignmentFlag.AlignVCenter
        paint_avatar(painter, QRectF(12, top + (height - _AVATAR) / 2, _AVATAR, _AVATAR), line.author)
        date = date_text(line.authored_at)
        width = self._meta_metrics.horizontalAdvance(date)
        right = MARGIN_WIDTH - 10 - width
        painter.setFont(self._meta)
        painter.setPen(theme.color("text3"))
        painter.drawText(QRectF(right, top, width + 2, height), side, date)
        painter.setFont(self._name)
        painter.setPen(theme.color("text2"))
        room = right - 8 - 34
        name = self._name_metrics.elidedText(line.author, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(34, top, room, height), side, name)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the version a line comes from."""
        line = self._line_at(event.position().toPoint())
        if line is not None:
            self._view.version_wanted.emit(line.commit)

    def event(self, event: QEvent) -> bool:
        """Say who, when and why under the pointer."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            line = self._line_at(event.pos())
            text = f"{self._view.about(line)} ({short(line.commit)})" if line is not None else ""
            QToolTip.showText(event.globalPos(), plain_tooltip(text), self)
            return True
        return super().event(event)

    def _line_at(self, place: QPoint) -> BlameLine | None:
        for number, area in self._view.blocks_in_view():
            if area.top() <= place.y() < area.bottom():
                return self._view.line_at(number)
        return None
