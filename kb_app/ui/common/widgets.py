"""Small widgets that every panel uses, each with its name for screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from kb_app.ui.common.icons import bind_icon, icon_pixmap
from kb_app.ui.common.style import set_property
from kb_app.ui.common.theme import Theme

TONE_COLORS = {
    "mitigate": "mitigate",
    "fix": "fix",
    "danger": "danger",
    "info": "info",
    "accent": "accent",
    "muted": "text2",
}
"""Tone of a chip, badge or bar to the colour of its icon."""


def plain_tooltip(text: str) -> str:
    """Return a tooltip that shows ``text`` letter by letter.

    Qt takes a tooltip that looks like HTML for HTML and loads the images it names; text from an entry must go
    through here.
    """
    return f"<span>{escape(text)}</span>" if text else ""


class IconButton(QToolButton):
    """A square tool button with an icon alone.

    Args:
        icon: an icon name.
        name: what it does; accessible name and, with the shortcut, tooltip.
        parent: owner.
        size: edge of the icon in pixels; the button is 12 px larger.
        color: colour token of the icon.
        checked_color: colour while on; a non-empty value makes the button checkable.
        shortcut: shown in the tooltip only, for example ``Ctrl+F``.
    """

    def __init__(
        self,
        icon: str,
        name: str,
        parent: QWidget | None = None,
        *,
        size: int = 18,
        color: str = "text2",
        checked_color: str = "",
        shortcut: str = "",
    ) -> None:
        super().__init__(parent)
        self._color = color
        self._checked_color = checked_color
        self._size = size
        self._shortcut = shortcut
        self.setProperty("role", "icon")
        self.setCheckable(bool(checked_color))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(size + 12, size + 12)
        self.set_icon(icon)
        self.set_name(name)

    def set_icon(self, icon: str, color: str = "") -> None:
        """Show another icon, in another colour when one is given."""
        self._color = color or self._color
        bind_icon(self, icon, self._color, self._size, checked_color=self._checked_color)

    def set_name(self, name: str) -> None:
        """Say what it does now, in tooltip and accessible name."""
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({self._shortcut})" if self._shortcut else name)


class IconLabel(QLabel):
    """An icon in a colour of the theme that follows its changes; decoration for screen readers."""

    def __init__(
        self, icon: str, color: str = "text2", size: int = 16, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._wanted = (icon, color, size)
        self.setFixedSize(size, size)
        Theme.current().changed.connect(self._draw)
        self._draw()

    def set_icon(self, icon: str, color: str) -> None:
        """Show another icon."""
        self._wanted = (icon, color, self._wanted[2])
        self._draw()

    def _draw(self) -> None:
        icon, color, size = self._wanted
        tint = Theme.current().tokens.color(color)
        self.setPixmap(icon_pixmap(icon, tint, size, max(2.0, self.devicePixelRatioF())))


class Chip(QLabel):
    """A short word on a tinted ground, such as a tag or an alert name."""

    def __init__(self, text: str, tone: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setProperty("chip", "true")
        self.setProperty("tone", tone)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def set_tone(self, tone: str) -> None:
        """Change the colour."""
        set_property(self, "tone", tone)


class Badge(QFrame):
    """An icon and a word on a tinted ground; colour never stands alone."""

    def __init__(self, icon: str, text: str, tone: str = "muted", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("chip", "true")
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 0, 2, 0)
        layout.setSpacing(4)
        self._icon = IconLabel(icon, TONE_COLORS[tone], 12, self)
        self._label = QLabel(text, self)
        self._label.setProperty("tone", tone)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        layout.addWidget(self._icon)
        layout.addWidget(self._label)
        self.setAccessibleName(text)

    def set_badge(self, icon: str, text: str, tone: str) -> None:
        """Show another state."""
        self._icon.set_icon(icon, TONE_COLORS[tone])
        self._label.setText(text)
        self.setAccessibleName(text)
        set_property(self, "tone", tone)
        set_property(self._label, "tone", tone)

    def text(self) -> str:
        """Return the word shown."""
        return self._label.text()


class Hairline(QFrame):
    """A line one pixel thick."""

    def __init__(
        self, parent: QWidget | None = None, orientation: Qt.Orientation = Qt.Orientation.Horizontal
    ) -> None:
        super().__init__(parent)
        self.setProperty("hairline", "true")
        if orientation == Qt.Orientation.Horizontal:
            self.setFixedHeight(1)
        else:
            self.setFixedWidth(1)


class ElidedLabel(QLabel):
    """One line of plain text, shortened in the middle when there is no room; the tooltip holds all of it."""

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        *,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show ``text`` on one line."""
        super().setText(" ".join(text.split()))
        self._update_tooltip()

    def minimumSizeHint(self) -> QSize:
        """Return a width that still shows a few letters."""
        return QSize(QFontMetrics(self.font()).averageCharWidth() * 6, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Return the width of the whole text."""
        width = QFontMetrics(self.font()).horizontalAdvance(self.text())
        margins = self.contentsMargins()
        return QSize(width + margins.left() + margins.right() + 4, super().sizeHint().height())

    def shown_text(self) -> str:
        """Return the text as painted now, shortened or not."""
        return QFontMetrics(self.font()).elidedText(self.text(), self._mode, self.contentsRect().width())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - one line is painted whole
        """Paint the shortened text."""
        with QPainter(self) as painter:
            painter.setPen(self.palette().color(self.foregroundRole()))
            painter.drawText(
                self.contentsRect(),
                self.alignment() | Qt.AlignmentFlag.AlignVCenter,
                self.shown_text(),
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Offer the whole text as tooltip while it is shortened."""
        super().resizeEvent(event)
        self._update_tooltip()

    def _update_tooltip(self) -> None:
        self.setToolTip(plain_tooltip(self.text()) if self.shown_text() != self.text() else "")


class ProgressLine(QProgressBar):
    """A bar four pixels high.

    Args:
        name: what advances, for screen readers.
        parent: owner.
        tone: colour.
    """

    def __init__(self, name: str, parent: QWidget | None = None, *, tone: str = "accent") -> None:
        super().__init__(parent)
        self.setTextVisible(False)
        self.setFixedHeight(4)
        self.setProperty("tone", tone)
        self.setAccessibleName(name)

    def set_progress(self, done: int, total: int) -> None:
        """Show ``done`` of ``total``; a total of 0 means that the end is unknown."""
        self.setRange(0, max(0, total))
        self.setValue(min(done, total))


class EmptyState(QWidget):
    """What stands where nothing is to be shown: an icon, a title, a sentence, and what can be done.

    Args:
        icon: an icon name.
        title: a few words.
        text: one or two sentences.
        actions: buttons in order; the first is the filled one.
        parent: owner.
    """

    def __init__(
        self,
        icon: str,
        title: str,
        text: str,
        actions: Sequence[QAction] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._icon = IconLabel(icon, "text3", 32, self)
        self._title = QLabel(title, self)
        self._title.setProperty("textstyle", "title")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._text = QLabel(text, self)
        self._text.setProperty("textstyle", "secondary")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._text.setMaximumWidth(360)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        self._buttons.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(8)
        layout.addStretch(2)
        for part in (self._icon, self._title, self._text):
            layout.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(8)
        layout.addLayout(self._buttons)
        layout.addStretch(3)
        self.set_state(icon, title, text, actions)

    def set_state(self, icon: str, title: str, text: str, actions: Sequence[QAction] = ()) -> None:
        """Show another state."""
        self._icon.set_icon(icon, "text3")
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        while (item := self._buttons.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.deleteLater()
        for position, action in enumerate(actions):
            button = QPushButton(action.text(), self)
            button.setProperty("role", "primary" if position == 0 else "ghost")
            button.setAccessibleName(action.text())
            button.clicked.connect(action.trigger)
            self._buttons.addWidget(button)


class SearchBox(QFrame):
    """A framed input with a magnifier, the text, and what stands at its right end (a key cap, buttons).

    The frame, not the bare input, shows the focus ring.

    Args:
        name: accessible name of the input.
        placeholder: shown while it is empty.
        parent: owner.
        height: of the frame in pixels.

    Signals:
        escape_pressed: Esc was pressed in the input.
    """

    escape_pressed = Signal()

    def __init__(
        self, name: str, placeholder: str = "", parent: QWidget | None = None, *, height: int = 36
    ) -> None:
        super().__init__(parent)
        self.setProperty("searchbox", "true")
        self.setFixedHeight(height)
        self.input = QLineEdit(self)
        self.input.setProperty("role", "bare")
        self.input.setPlaceholderText(placeholder)
        self.input.setAccessibleName(name)
        self.input.installEventFilter(self)
        self.setFocusProxy(self.input)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(10, 2, 6, 2)
        self._layout.setSpacing(8)
        self._layout.addWidget(IconLabel("search", "text2", 16, self))
        self._layout.addWidget(self.input, 1)

    def add_trailing(self, widget: QWidget) -> None:
        """Put ``widget`` at the right end."""
        self._layout.addWidget(widget)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move the focus ring to the frame and report Esc."""
        if watched is self.input:
            if isinstance(event, QFocusEvent):
                set_property(self, "focused", "true" if event.gotFocus() else "false")
            elif _is_escape(event):
                self.escape_pressed.emit()
                return True
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor into the input wherever the frame is clicked."""
        self.input.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)


def _is_escape(event: QEvent) -> bool:
    is_press = event.type() == QEvent.Type.KeyPress
    return is_press and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape


class KeyCap(QLabel):
    """A key combination drawn as a cap, for example ``Ctrl K``."""

    def __init__(self, keys: str, parent: QWidget | None = None) -> None:
        super().__init__(keys, parent)
        self.setProperty("keycap", "true")
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)


def label(text: str, style: str = "", parent: QWidget | None = None, *, wrap: bool = False) -> QLabel:
    """Return a plain-text label in one of the text styles of `style`."""
    result = QLabel(text, parent)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setWordWrap(wrap)
    if style:
        result.setProperty("textstyle", style)
    return result


def text_button(
    text: str, role: str = "", icon: str = "", parent: QWidget | None = None, *, color: str = ""
) -> QPushButton:
    """Return a button with a word and, where wanted, an icon in the colour that fits its role."""
    button = QPushButton(text, parent)
    button.setProperty("role", role)
    button.setAccessibleName(text)
    if icon:
        fitting = {"primary": "on_accent", "danger": "danger", "link": "accent"}
        bind_icon(button, icon, color or fitting.get(role, "text2"), 16)
    return button
