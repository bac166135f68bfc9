"""A small form over the window: a title, a few fields, one button that does it. Esc leaves it, nothing lost.

Decision: a sheet is a child of the window and not a dialog of its own. It takes the keys while it is open,
because letters are shortcuts elsewhere, and gives the focus back to where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kb_app.ui.common.messages import announce
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import IconButton, KeyCap, label, text_button

WIDTH = 560
TOP = 72
_SCRIM_ALPHA = {False: 70, True: 140}
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class Choice(QWidget):
    """One of a few words, chosen by digit, arrow keys or click.

    Signals:
        changed(str): another word was chosen.
    """

    changed = Signal(str)

    def __init__(
        self, name: str, options: Sequence[tuple[str, str]], chosen: str = "", parent: QWidget | None = None
    ) -> None:
        """Offer ``options`` (value and words); ``chosen`` is the value at first, else the first one."""
        super().__init__(parent)
        self.setAccessibleName(name)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}
        for value, words in options:
            button = QPushButton(words, self)
            button.setProperty("role", "tab")
            button.setCheckable(True)
            button.setAccessibleName(f"{name}: {words}")
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(partial(self.changed.emit, value))
            self._group.addButton(button)
            self._buttons[value] = button
            row.addWidget(button)
        row.addStretch(1)
        first = chosen if chosen in self._buttons else next(iter(self._buttons))
        self._buttons[first].setChecked(True)
        self.setFocusProxy(self._buttons[first])

    @property
    def value(self) -> str:
        """The chosen value."""
        return next(value for value, button in self._buttons.items() if button.isChecked())

    def choose(self, value: str) -> None:
        """Choose a value."""
        if value in self._buttons and value != self.value:
            self._buttons[value].setChecked(True)
            self.setFocusProxy(self._buttons[value])
            self.changed.emit(value)

    def step(self, by: int) -> None:
        """Choose the value ``by`` places further, round the ends."""
        values = list(self._buttons)
        self.choose(values[(values.index(self.value) + by) % len(values)])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right choose and move the focus along."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        key = Qt.Key(event.key())
        if key in steps:
            self.step(steps[key])
            self._buttons[self.value].setFocus(Qt.FocusReason.TabFocusReason)
        else:
            super().keyPressEvent(event)


class Sheet(QWidget):
    """The form.

    Attributes:
        box: layout of the card's content.
        accept_button: does it; Enter presses it (Ctrl+Enter from a text of several lines).

    Signals:
        accepted(): the button was pressed; the sheet stays open until `finish`.
        closed(): it is gone.
    """

    accepted = Signal()
    closed = Signal()

    def __init__(
        self, title: str, accept: str, parent: QWidget, *, icon: str = "", width: int = WIDTH, lead: str = ""
    ) -> None:
        """Make it over ``parent``; `open` shows it.

        Args:
            title: what it is for.
            accept: words of its button.
            parent: the window, or what lies in it and shall be covered.
            icon: of the button.
            width: of the card in pixels, at most.
            lead: one sentence below the title.
        """
        super().__init__(parent)
        self.setObjectName("sheet")
        self.setAccessibleName(title)
        self._wanted_width = width
        self._came_from: QWidget | None = None
        self._is_done = False
        self._checks: list[Callable[[], str]] = []
        self.card = QFrame(self)
        self.card.setProperty("surface", "popup")
        outer = QVBoxLayout(self.card)
        outer.setContentsMargins(20, 16, 20, 16)
        outer.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(label(title, "title", self.card), 1)
        self._leave = IconButton("x", "Leave it", self.card, size=14, shortcut="Esc")
        self._leave.clicked.connect(self.dismiss)
        head.addWidget(self._leave)
        outer.addLayout(head)
        if lead:
            outer.addWidget(label(lead, "secondary", self.card, wrap=True))
        self.box = QVBoxLayout()
        self.box.setSpacing(6)
        outer.addLayout(self.box)
        self._problem = label("", "secondary", self.card, wrap=True)
        self._problem.setProperty("tone", "danger")
        self._problem.hide()
        outer.addWidget(self._problem)
        outer.addSpacing(4)
        self.foot = QHBoxLayout()
        self.foot.setSpacing(8)
        self.accept_button = text_button(accept, "primary", icon, self.card)
        self.accept_button.clicked.connect(self.accept)
        self.foot.addWidget(self.accept_button)
        self._enter = KeyCap("Enter", self.card)
        self.foot.addWidget(self._enter)
        self.foot.addStretch(1)
        outer.addLayout(self.foot)
        self.hide()
        parent.installEventFilter(self)

    # -- fields ---------------------------------------------------------------------------------------

    def add_line(
        self, name: str, value: str = "", *, hint: str = "", needed: str = "", object_name: str = ""
    ) -> QLineEdit:
        """Add a field of one line.

        Args:
            name: what it is, above the field.
            value: what stands in it at first, selected when it gets the focus.
            hint: shown while it is empty.
            needed: what is said when it is empty; empty when it may be.
            object_name: for tests and style.
        """
        line = QLineEdit(value, self.card)
        line.setPlaceholderText(hint)
        line.setAccessibleName(name)
        line.setObjectName(object_name)
        self._add(name, line)
        if needed:
            self._checks.append(lambda: "" if line.text().strip() or not line.isVisible() else needed)
        return line

    def add_text(self, name: str, value: str = "", *, hint: str = "", needed: str = "") -> QPlainTextEdit:
        """Add a field of several lines; see `add_line`. Ctrl+Enter presses the button from there."""
        text = QPlainTextEdit(value, self.card)
        text.setPlaceholderText(hint)
        text.setAccessibleName(name)
        text.setTabChangesFocus(True)
        text.setFixedHeight(88)
        self._add(name, text)
        self._enter.setText("Ctrl Enter")
        if needed:
            self._checks.append(lambda: "" if text.toPlainText().strip() else needed)
        return text

    def add_choice(self, name: str, options: Sequence[tuple[str, str]], chosen: str = "") -> Choice:
        """Add one of a few words."""
        choice = Choice(name, options, chosen, self.card)
        self._add(name, choice)
        return choice

    def add_check(self, check: Callable[[], str]) -> None:
        """Ask ``check`` before accepting; it returns what is wrong, empty when nothing is."""
        self._checks.append(check)

    def _add(self, name: str, field: QWidget) -> None:
        caption = label(name, "secondary", self.card)
        caption.setBuddy(field)
        self.box.addWidget(caption)
        self.box.addWidget(field)

    # -- coming and going -----------------------------------------------------------------------------

    def open(self, focus: QWidget | None = None) -> None:
        """Show it; the focus goes to ``focus``, else to the first field."""
        window = self.window()
        self._came_from = window.focusWidget()
        self._place()
        self.show()
        self.raise_()
        target = focus or self._first_field()
        target.setFocus(Qt.FocusReason.PopupFocusReason)
        if isinstance(target, QLineEdit):
            target.selectAll()

    def _first_field(self) -> QWidget:
        for number in range(self.box.count()):
            item = self.box.itemAt(number)
            widget = item.widget() if item is not None else None
            if (
                widget is not None
                and widget.isVisibleTo(self)
                and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            ):
                return widget
        return self.accept_button

    def accept(self) -> None:
        """Check the fields and say `accepted`; what is wrong is said instead."""
        for check in self._checks:
            if problem := check():
                self.say_problem(problem)
                return
        self.say_problem("")
        self.accepted.emit()

    def say_problem(self, text: str) -> None:
        """Say what is wrong; an empty text takes it away."""
        self._problem.setText(text)
        self._problem.setVisible(bool(text))
        self._place()
        if text:
            announce(self, text)

    @property
    def problem(self) -> str:
        """What is said to be wrong."""
        return self._problem.text()

    def dismiss(self) -> None:
        """Leave it; nothing is done."""
        self.finish()

    def finish(self) -> None:
        """Take it away and give the focus back."""
        if self._is_done:
            return
        self._is_done = True
        self.hide()
        try:
            if self._came_from is not None and self._came_from.isVisible():
                self._came_from.setFocus(Qt.FocusReason.PopupFocusReason)
        except RuntimeError:  # it was deleted meanwhile
            self._came_from = None
        self.closed.emit()
        self.deleteLater()

    # -- events ---------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keep the keys from the window while the sheet is open."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            is_quit = event.key() == Qt.Key.Key_Q and event.modifiers() & Qt.KeyboardModifier.ControlModifier
            if not is_quit:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc leaves, Enter does it; every other key ends here."""
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
        elif event.key() in _ENTER:
            focused = self.window().focusWidget()
            if isinstance(focused, QAbstractButton) and not focused.isCheckable():
                focused.click()
            else:
                self.accept()
        event.accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the size of what is covered."""
        if watched is self.parentWidget() and event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def focusNextPrevChild(self, is_next: bool) -> bool:  # noqa: FBT001 - Qt's signature
        """Stay within the sheet."""
        fields = [
            w
            for w in self.card.findChildren(QWidget)
            if w.focusPolicy() & Qt.FocusPolicy.TabFocus
            and w.isVisible()
            and w.isEnabled()
            and not w.focusProxy()
        ]
        focused = self.window().focusWidget()
        if fields:
            place = fields.index(focused) if focused in fields else -1
            fields[(place + (1 if is_next else -1)) % len(fields)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the card leaves."""
        if not self.card.geometry().contains(event.position().toPoint()):
            self.dismiss()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - the whole is painted
        """Darken what lies behind."""
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(0, 0, 0, _SCRIM_ALPHA[Theme.current().tokens.is_dark]))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the card in its place."""
        super().resizeEvent(event)
        self._place_card()

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self._place_card()

    def _place_card(self) -> None:
        width = min(self._wanted_width, self.width() - 32)
        self.card.setFixedWidth(max(200, width))
        self.card.adjustSize()
        height = min(self.card.sizeHint().height(), self.height() - 32)
        height = max(height, self.card.heightForWidth(width) if self.card.hasHeightForWidth() else 0)
        top = min(TOP, max(16, (self.height() - height) // 2))
        self.card.setGeometry((self.width() - width) // 2, top, width, height)
