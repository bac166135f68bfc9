"""A sheet: a small form over the window that takes the keys until it is answered or left."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import IconButton, IconLabel, label, text_button

WIDTH = 480
_TOP = 72
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class _Scrim(QWidget):
    """Dims the window behind a sheet; a click on it leaves the sheet.

    Signals:
        clicked(): it was clicked.
    """

    clicked = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - painted whole
        """Dim what lies below."""
        with QPainter(self) as painter:
            shade = QColor(0, 0, 0, 120 if Theme.current().tokens.is_dark else 60)
            painter.fillRect(self.rect(), shade)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Leave."""
        event.accept()
        self.clicked.emit()


class Sheet(QFrame):
    """A form with a title, content in ``box``, a primary button and a way out.

    Esc leaves, Enter answers; the focus goes back to where it was. While it shows, the window's single keys
    do nothing.

    Attributes:
        box: layout of the content.
        accept_button: the filled one.

    Signals:
        accepted(): Enter, or the filled button.
        closed(): it is gone, answered or not.
    """

    accepted = Signal()
    closed = Signal()

    def __init__(self, title: str, icon: str, accept: str, host: QWidget) -> None:
        """Make a hidden sheet over ``host``; ``accept`` is what the filled button says."""
        super().__init__(host)
        self.setObjectName("sheet")
        self.setProperty("surface", "popup")
        self.setAccessibleName(title)
        self.setFixedWidth(WIDTH)
        self._came_from: QWidget | None = None
        self._scrim = _Scrim(host)
        self._scrim.hide()
        self._scrim.clicked.connect(self.leave)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 16, 20, 16)
        outer.setSpacing(12)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(IconLabel(icon, "accent", 18, self))
        self.title = label(title, "title", self)
        head.addWidget(self.title)
        head.addStretch(1)
        close = IconButton("x", "Leave", self, size=14, shortcut="Esc")
        close.clicked.connect(self.leave)
        head.addWidget(close)
        outer.addLayout(head)
        self.box = QVBoxLayout()
        self.box.setSpacing(10)
        outer.addLayout(self.box)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addStretch(1)
        self.cancel_button = text_button("Cancel", "ghost", parent=self)
        self.cancel_button.setToolTip("Leave without writing anything (Esc)")
        self.cancel_button.clicked.connect(self.leave)
        foot.addWidget(self.cancel_button)
        self.accept_button = text_button(accept, "primary", "corner-down-left", self)
        self.accept_button.setToolTip(f"{accept} (Enter)")
        self.accept_button.clicked.connect(self.accepted)
        foot.addWidget(self.accept_button)
        outer.addLayout(foot)
        host.installEventFilter(self)
        self.hide()

    def open_at(self, focus: QWidget) -> None:
        """Show it and put the focus on ``focus``."""
        if self.isHidden():
            self._came_from = self.window().focusWidget()
        self._scrim.show()
        self._scrim.raise_()
        self.show()
        self.raise_()
        self.place()
        focus.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        """Go away; the focus goes back."""
        if self.isHidden():
            return
        self.hide()
        self._scrim.hide()
        came_from, self._came_from = self._came_from, None
        if came_from is not None and came_from.isVisible():
            came_from.setFocus(Qt.FocusReason.OtherFocusReason)
        self.closed.emit()

    def place(self) -> None:
        """Stand in the middle, below the bar at the top."""
        host = self.parentWidget()
        if host is not None:
            self._scrim.setGeometry(QRect(0, 0, host.width(), host.height()))
            self.adjustSize()
            self.move(
                (host.width() - self.width()) // 2, min(_TOP, max(8, host.height() - self.height() - 8))
            )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's size."""
        if watched is self.parentWidget() and event.type() == QEvent.Type.Resize and not self.isHidden():
            self.place()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        """Keep single keys from the window, where they are shortcuts for something else."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            command = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier
            if not event.modifiers() & command:
                event.accept()
                return True
        return super().event(event)

    def focusNextPrevChild(self, is_next: bool) -> bool:  # noqa: FBT001 - Qt's signature
        """Keep Tab inside."""
        if super().focusNextPrevChild(is_next) and self.isAncestorOf(self.window().focusWidget()):
            return True
        inside = [w for w in self.findChildren(QWidget) if _takes_tab(w)]
        if inside:
            inside[0 if is_next else -1].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter answers (or means the button that has the focus), Esc leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() in _ENTER:
            focused = self.window().focusWidget()
            if isinstance(focused, QPushButton) and focused.property("choice") is None:
                focused.click()
            elif self.accept_button.isEnabled():
                self.accepted.emit()
        event.accept()


def _takes_tab(widget: QWidget) -> bool:
    is_wanted = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return is_wanted and widget.isVisible() and widget.isEnabled()
