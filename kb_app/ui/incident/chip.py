"""The incident in hand at the top of the window: severity, title, running clock, time left for the fix."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import plain_tooltip
from kb_app.ui.incident.state import ChipText

HEIGHT = 32
_PAD = 10
_GAP = 8
_DOT = 8
_MAX_TITLE = 150
_MIN_TITLE = 28


class IncidentChip(QAbstractButton):
    """A button that says which incident is in hand; a click shows it, a right click offers more.

    Signals:
        menu_requested(): the choices shall show.
    """

    menu_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a hidden chip."""
        super().__init__(parent)
        self.setObjectName("incidentChip")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_requested)
        self._theme = Theme.current()
        self._theme.changed.connect(self.update)
        self._bold, self._plain = ui_font(12, 600), ui_font(12, 500)
        self._shown = ChipText("", "text2", "", "")
        self._has_title = True
        self.setAccessibleName("No incident in hand")
        self.hide()

    def show_text(self, text: ChipText) -> None:
        """Show what is in hand now; widths are kept steady while the clock runs."""
        is_wider = self._width_of(text) != self._width_of(self._shown)
        self._shown = text
        self.setAccessibleName(text.spoken)
        self.setToolTip(plain_tooltip(f"{text.title}\n{text.severity}, open for {text.clock} (I)"))
        if is_wider:
            self.updateGeometry()
        self.update()

    def shown(self) -> ChipText:
        """Return what it says."""
        return self._shown

    def set_has_title(self, *, has_title: bool) -> None:
        """Leave the title out where there is no room; the tooltip holds it."""
        if has_title != self._has_title:
            self._has_title = has_title
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        """Return the room for all of it, the title up to 150 px."""
        return QSize(self._width_of(self._shown), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return the room without the title, the severity in two characters."""
        return QSize(self._fixed_width(self._shown, _short(self._shown.severity)), HEIGHT)

    def _fixed_width(self, text: ChipText, severity: str = "") -> int:
        bold, plain = QFontMetrics(self._bold), QFontMetrics(self._plain)
        width = 2 * _PAD + _DOT + 6 + bold.horizontalAdvance(severity or text.severity)
        width += _GAP + plain.horizontalAdvance(_widest(text.clock))
        if text.status:
            width += _GAP + plain.horizontalAdvance(text.status)
        if text.limit:
            width += _GAP + 12 + bold.horizontalAdvance(_widest(text.limit))
        return width

    def _width_of(self, text: ChipText) -> int:
        title = 0
        if self._has_title and text.title:
            title = _GAP + min(_MAX_TITLE, QFontMetrics(self._plain).horizontalAdvance(text.title) + 2)
        return self._fixed_width(text) + title

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Paint frame, dot, words."""
        theme, text = self._theme, self._shown
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            ground = "danger_bg" if text.is_over else "hover" if self.underMouse() else "surface"
            edge = "accent" if self.hasFocus() else "danger" if text.is_over else "border"
            painter.setBrush(theme.color(ground))
            painter.setPen(QPen(theme.color(edge), 2 if self.hasFocus() else 1))
            painter.drawRoundedRect(frame, 6, 6)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(text.color))
            painter.drawEllipse(QPointF(_PAD + _DOT / 2, HEIGHT / 2), _DOT / 2, _DOT / 2)
            x = float(_PAD + _DOT + 6)
            has_room = self.width() >= self._fixed_width(text)
            words = text.severity if has_room else _short(text.severity)
            x = self._word(painter, x, words, self._bold, text.color)
            x = self._title(painter, x + _GAP)
            if text.status:
                x = self._word(painter, x, text.status, self._plain, "fix") + _GAP
            x = self._word(painter, x, text.clock, self._plain, "text2")
            if text.limit:
                color = "danger" if text.is_over else "mitigate"
                self._mark(painter, x + _GAP, color)
                self._word(painter, x + _GAP + 12, text.limit, self._bold, color)

    def _title(self, painter: QPainter, x: float) -> float:
        """Paint the title in the room there is; return where the next word goes."""
        room = self.width() - self._fixed_width(self._shown) - _GAP
        if not self._has_title or room < _MIN_TITLE:
            return x
        metrics = QFontMetrics(self._plain)
        shown = metrics.elidedText(self._shown.title, Qt.TextElideMode.ElideRight, room)
        return self._word(painter, x, shown, self._plain, "text") + _GAP

    def _word(self, painter: QPainter, x: float, text: str, font: QFont, color: str) -> float:
        painter.setFont(font)
        painter.setPen(self._theme.color(color))
        width = QFontMetrics(font).horizontalAdvance(text)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(x, 0, width + 2, HEIGHT), align, text)
        return x + width

    def _mark(self, painter: QPainter, x: float, color: str) -> None:
        """Paint a small clock before the time limit, so that colour does not stand alone."""
        painter.setPen(QPen(self._theme.color(color), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        center = QPointF(x + 4, HEIGHT / 2)
        painter.drawEllipse(center, 4, 4)
        painter.drawLine(center, QPointF(x + 4, HEIGHT / 2 - 2.5))
        painter.drawLine(center, QPointF(x + 6, HEIGHT / 2))


def _short(severity: str) -> str:
    """Return a severity in two characters: ``S1``; a dash when none is declared."""
    return f"S{severity[-1]}" if severity[-1:].isdigit() else "–"


def _widest(text: str) -> str:
    """Return ``text`` with the widest digits: a running clock must not move its neighbours."""
    return "".join("0" if character.isdigit() else character for character in text)
