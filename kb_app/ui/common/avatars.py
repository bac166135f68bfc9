"""Paints people: a disc with initials."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.people import colors_of, initials


def paint_avatar(painter: QPainter, area: QRectF, name: str) -> None:
    """Paint the disc of ``name`` into a square."""
    ground, ink = colors_of(name)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    painter.drawEllipse(area)
    painter.setPen(QColor(ink))
    painter.setFont(ui_font(area.height() * 0.42, 600))
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, initials(name))
    painter.restore()


class Avatar(QWidget):
    """The disc of one person; decoration: the name stands beside it.

    Args:
        name: whose.
        parent: owner.
        size: edge in pixels.
    """

    def __init__(self, name: str = "", parent: QWidget | None = None, *, size: int = 28) -> None:
        super().__init__(parent)
        self._name = name
        self.setFixedSize(QSize(size, size))

    def set_name(self, name: str) -> None:
        """Show another person."""
        self._name = name
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Paint the disc."""
        with QPainter(self) as painter:
            paint_avatar(painter, QRectF(0, 0, self.width(), self.height()), self._name)
