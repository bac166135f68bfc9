"""The search field: words are asked as they are typed, pasted text becomes a chip."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QClipboard,
    QContextMenuEvent,
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QFontMetricsF,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QMenu, QWidget

from kb_app.logs import visible
from kb_app.ui.common.style import set_property
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import IconButton, IconLabel, KeyCap, plain_tooltip
from kb_app.ui.search.state import Query, as_paste

PLACEHOLDER = "Paste an error, type an alert name or words"
PASTE_PLACEHOLDER = "Add words to narrow it"
_PREVIEW_LINES = 14
_PREVIEW_COLUMNS = 110


class QueryEdit(QLineEdit):
    """A line that hands clipboard text of several lines on instead of flattening it.

    Signals:
        pasted(object): a `Query` that holds the paste.
        moved(int): rows by which the selection in the list shall move.
        accepted(): Enter.
    """

    pasted = Signal(object)
    moved = Signal(int)
    page_moved = Signal(int)
    accepted = Signal()
    escape_pressed = Signal()
    chip_removal_requested = Signal()
    focus_left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty line; ``key_guards`` may use a key before the line does."""
        super().__init__(parent)
        self.key_guards: list[Callable[[QKeyEvent], bool]] = []
        self._mistakes: tuple[tuple[int, int], ...] = ()

    def set_mistakes(self, spans: Sequence[tuple[int, int]]) -> None:
        """Underline these ranges of the text: they were not understood."""
        if tuple(spans) != self._mistakes:
            self._mistakes = tuple(spans)
            self.update()

    def x_of(self, position: int) -> float:
        """Return where the character ``position`` begins, in pixels from the line's left edge."""
        metrics, text = QFontMetricsF(self.font()), self.text()
        cursor = self.cursorRect()
        at_cursor = cursor.x() + cursor.width() / 2
        before = metrics.horizontalAdvance(text[: self.cursorPosition()])
        return at_cursor + metrics.horizontalAdvance(text[:position]) - before

    def event(self, event: QEvent) -> bool:
        """Offer Tab to the guards first: Qt would move the focus."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            is_used = event.key() == Qt.Key.Key_Tab and self._is_guarded(event)
        else:
            is_used = False
        event.setAccepted(is_used or event.isAccepted())
        return is_used or super().event(event)

    def _is_guarded(self, event: QKeyEvent) -> bool:
        return any(guard(event) for guard in self.key_guards)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell that the focus is gone."""
        super().focusOutEvent(event)
        self.focus_left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Underline what was not understood."""
        super().paintEvent(event)
        if not self._mistakes:
            return
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(Theme.current().color("mitigate"), 1.4))
            baseline = self.height() / 2 + QFontMetricsF(self.font()).height() / 2
            for start, end in self._mistakes:
                left, right = self.x_of(start), self.x_of(min(end, len(self.text())))
                painter.drawPolyline(_wave(max(0.0, left), min(float(self.width()), right), baseline))

    def paste_text(self, text: str) -> None:
        """Take text from a clipboard or a drop."""
        query = as_paste(text)
        if query is None:
            self.insert(" ".join(text.split("\n")).replace("\r", "").strip("\x00"))
        else:
            self.pasted.emit(query)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Paste with care; arrows move the list; Enter opens; Esc clears."""
        key = event.key()
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        pages = {Qt.Key.Key_PageDown: 1, Qt.Key.Key_PageUp: -1}
        if self._is_guarded(event):
            return
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste_text(QGuiApplication.clipboard().text())
        elif key in steps:
            self.moved.emit(steps[Qt.Key(key)])
        elif key in pages:
            self.page_moved.emit(pages[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.accepted.emit()
        elif key == Qt.Key.Key_Escape:
            self.escape_pressed.emit()
        elif key == Qt.Key.Key_Backspace and not self.text():
            self.chip_removal_requested.emit()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Paste the selection of X11 with the middle button, with the same care."""
        clipboard = QGuiApplication.clipboard()
        if event.button() == Qt.MouseButton.MiddleButton and clipboard.supportsSelection():
            self.paste_text(clipboard.text(QClipboard.Mode.Selection))
            event.accept()
            return
        super().mouseReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Show the usual menu, its paste entry replaced by ours."""
        menu = self.careful_menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def careful_menu(self) -> QMenu:
        """Return the usual menu with our way to paste."""
        menu = self.createStandardContextMenu()
        for action in menu.actions():
            if action.objectName() == "edit-paste":
                own = QAction(action.icon(), action.text(), menu)
                own.setObjectName("careful-paste")
                own.setEnabled(bool(QGuiApplication.clipboard().text()))
                own.triggered.connect(lambda: self.paste_text(QGuiApplication.clipboard().text()))
                menu.insertAction(action, own)
                menu.removeAction(action)
        return menu

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take dragged text."""
        if event.mimeData().hasText():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take dropped text like a paste."""
        self.paste_text(event.mimeData().text())
        event.acceptProposedAction()


def _wave(left: float, right: float, y: float) -> QPolygonF:
    """Return the points of a wavy line."""
    count = max(0, int((right - left) // 3))
    return QPolygonF([QPointF(left + 3 * n, y + (1.2 if n % 2 else -1.2)) for n in range(count + 1)])


class PasteChip(QFrame):
    """Stands for the pasted text; its tooltip shows the beginning, its cross removes it."""

    removed = Signal()
    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a hidden chip."""
        super().__init__(parent)
        self.setObjectName("pasteChip")
        self.setProperty("chip", "true")
        self.setProperty("tone", "accent")
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(IconLabel("clipboard-paste", "accent", 14, self))
        self.label = QLabel(self)
        self.label.setProperty("tone", "accent")
        row.addWidget(self.label)
        self.remove_button = IconButton("x", "Remove the pasted text", self, size=12, color="accent")
        self.remove_button.clicked.connect(self.removed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        row.addWidget(self.remove_button)
        self.hide()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for the whole text."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.pressed.emit()

    def set_query(self, query: Query) -> None:
        """Show what was pasted."""
        self.label.setText(query.chip)
        self.setAccessibleName(query.chip)
        lines = [visible(line)[:_PREVIEW_COLUMNS] for line in query.pasted.splitlines()[:_PREVIEW_LINES]]
        if query.line_count > _PREVIEW_LINES:
            lines.append("…")
        lines.append("Click or Ctrl+Shift+K: the whole text, with the lines that match")
        self.setToolTip("<br>".join(plain_tooltip(line) for line in lines))
        self.setVisible(bool(query.pasted))


class SearchPanel(QFrame):
    """The framed field with its chip and its key cap.

    Signals:
        query_changed(object): the new `Query`.
        moved(int), page_moved(int): the selection in the list shall move by rows or pages.
        accepted(): the selected entry shall be opened.
    """

    query_changed = Signal(object)
    moved = Signal(int)
    page_moved = Signal(int)
    accepted = Signal()

    def __init__(self, shortcut: str, parent: QWidget | None = None) -> None:
        """Make an empty field; ``shortcut`` is shown in its key cap."""
        super().__init__(parent)
        self.setObjectName("searchPanel")
        self.setProperty("searchbox", "true")
        self.setFixedHeight(36)
        self.query = Query()
        self.edit = QueryEdit(self)
        self.edit.setObjectName("searchField")
        self.edit.setProperty("role", "bare")
        self.edit.setPlaceholderText(PLACEHOLDER)
        self.edit.setAccessibleName("Search")
        self.edit.setAccessibleDescription(
            "Type words or an alert name, or paste an error. Down and Up choose an entry, Enter opens it."
        )
        self.edit.installEventFilter(self)
        self.setFocusProxy(self.edit)
        self.chip = PasteChip(self)
        self.clear_button = IconButton("x", "Clear the search", self, size=14, shortcut="Esc")
        self.clear_button.hide()
        self._key_cap = KeyCap(shortcut, self)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 6, 2)
        row.setSpacing(8)
        row.addWidget(IconLabel("search", "text2", 16, self))
        row.addWidget(self.chip)
        row.addWidget(self.edit, 1)
        row.addWidget(self.clear_button)
        row.addWidget(self._key_cap)
        self._connect()

    def _connect(self) -> None:
        self.edit.textChanged.connect(self._on_text_changed)
        self.edit.pasted.connect(self.set_query)
        self.edit.moved.connect(self.moved)
        self.edit.page_moved.connect(self.page_moved)
        self.edit.accepted.connect(self.accepted)
        self.edit.escape_pressed.connect(self.clear)
        self.edit.chip_removal_requested.connect(self._remove_paste)
        self.chip.removed.connect(self._remove_paste)
        self.clear_button.clicked.connect(self.clear)

    def set_query(self, query: Query) -> None:
        """Show and ask ``query``."""
        self.query = query
        if self.edit.text() != query.typed:
            self.edit.blockSignals(True)  # noqa: FBT003 - Qt's signature
            self.edit.setText(query.typed)
            self.edit.blockSignals(False)  # noqa: FBT003
        self._show()
        self.query_changed.emit(query)

    def set_text(self, text: str) -> None:
        """Show and ask ``text``, as a chip when it is a paste."""
        self.set_query(as_paste(text) or Query(typed=text))

    def clear(self) -> None:
        """Forget text and paste; the second Esc in an empty field does nothing."""
        if self.query != Query():
            self.set_query(Query())
        self.edit.setFocus()

    def focus(self) -> None:
        """Put the cursor into the field, its text selected so that typing replaces it."""
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.edit.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move the focus ring to the frame."""
        if watched is self.edit and event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            set_property(self, "focused", "true" if event.type() == QEvent.Type.FocusIn else "false")
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the cursor into the field wherever the frame is clicked."""
        self.edit.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def _on_text_changed(self, text: str) -> None:
        self.query = self.query.with_typed(text)
        self._show()
        self.query_changed.emit(self.query)

    def _remove_paste(self) -> None:
        if self.query.pasted:
            self.set_query(self.query.without_paste())
            self.edit.setFocus()

    def _show(self) -> None:
        self.chip.set_query(self.query)
        self.clear_button.setVisible(self.query != Query())
        self._key_cap.setVisible(self.query == Query())
        self.edit.setPlaceholderText(PASTE_PLACEHOLDER if self.query.pasted else PLACEHOLDER)
