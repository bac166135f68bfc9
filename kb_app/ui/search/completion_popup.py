"""The list of completions below the search field; the field keeps the focus."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.messages import announce
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import label
from kb_app.ui.search.completion import Completion, Completions, Counts, completions
from kb_app.ui.search.panel import QueryEdit

ROW_HEIGHT = 28
_PADDING = 12
_GAP = 24
_WIDTHS = (220, 420)


class _Rows(QWidget):
    """The offers, painted; the chosen one has the accent's ground.

    Signals:
        clicked(int): number of the offer.
    """

    clicked = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.offers: tuple[Completion, ...] = ()
        self.chosen = -1
        self.hovered = -1
        self._fonts = (ui_font(13, 500), ui_font(12))
        self.setMouseTracking(True)

    def sizeHint(self) -> QSize:
        """Return the room the offers take."""
        strong, quiet = (QFontMetricsF(font) for font in self._fonts)
        widths = [
            strong.horizontalAdvance(o.label) + _GAP + quiet.horizontalAdvance(o.note) for o in self.offers
        ]
        wanted = round(max(widths, default=0)) + 2 * _PADDING
        return QSize(max(_WIDTHS[0], min(_WIDTHS[1], wanted)), ROW_HEIGHT * len(self.offers))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show what a click would take."""
        self.hovered = int(event.position().y()) // ROW_HEIGHT
        self.update()

    def leaveEvent(self, event: object) -> None:  # noqa: ARG002 - Qt's signature
        """Forget the pointer."""
        self.hovered = -1
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take an offer."""
        number = int(event.position().y()) // ROW_HEIGHT
        if 0 <= number < len(self.offers):
            self.clicked.emit(number)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - the rows are painted whole
        """Paint the offers."""
        theme, (strong, quiet) = Theme.current(), self._fonts
        vertical = Qt.AlignmentFlag.AlignVCenter
        metrics = QFontMetricsF(strong)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for number, offer in enumerate(self.offers):
                area = QRectF(0, number * ROW_HEIGHT, self.width(), ROW_HEIGHT)
                is_chosen = number == self.chosen
                if is_chosen or number == self.hovered:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(theme.color("selection" if is_chosen else "hover"))
                    painter.drawRoundedRect(area.adjusted(4, 1, -4, -1), 6, 6)
                inside = area.adjusted(_PADDING, 0, -_PADDING, 0)
                room = inside.width() - QFontMetricsF(quiet).horizontalAdvance(offer.note) - 12
                painter.setFont(strong)
                painter.setPen(theme.color("accent" if is_chosen else "text"))
                text = metrics.elidedText(offer.label, Qt.TextElideMode.ElideMiddle, room)
                painter.drawText(inside, vertical | Qt.AlignmentFlag.AlignLeft, text)
                painter.setFont(quiet)
                painter.setPen(theme.color("text3"))
                painter.drawText(inside, vertical | Qt.AlignmentFlag.AlignRight, offer.note)


class CompletionPopup(QFrame):
    """Offers names of fields and values with their counts while a query is typed.

    Tab takes the chosen offer, or the first. Where a value has to follow, Down and Up choose and Enter takes
    what was chosen; elsewhere these keys stay with the list of results. Esc closes until the next key.

    Args:
        edit: the field; the popup takes part in its keys.
        parent: what the popup lies over, usually the window's body.
    """

    def __init__(self, edit: QueryEdit, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("completions")
        self.setProperty("surface", "popup")
        self.setAccessibleName("Completions")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._edit = edit
        self._counts: Counts = {}
        self._everything: Counts = {}
        self._alerts: Counts = {}
        self._shown: Completions | None = None
        self._is_dismissed = False
        self._is_asked = False
        self._rows = _Rows(self)
        self._hint = label("", "meta", self)
        self._hint.setContentsMargins(12, 4, 12, 6)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 5, 1, 1)
        box.setSpacing(0)
        box.addWidget(self._rows)
        box.addWidget(self._hint)
        self.hide()
        edit.key_guards.append(self.take_key)
        edit.textEdited.connect(self._on_edited)
        edit.cursorPositionChanged.connect(self._on_cursor_moved)
        edit.focus_left.connect(self.hide)
        self._rows.clicked.connect(self._accept)
        self._rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @property
    def offers(self) -> tuple[Completion, ...]:
        """Return what is offered now."""
        return self._shown.offers if self._shown is not None and self.isVisible() else ()

    @property
    def chosen(self) -> int:
        """Return the number of the chosen offer, -1: none."""
        return self._rows.chosen

    def set_counts(self, counts: Counts, *, is_everything: bool) -> None:
        """Take the facets of an answer; ``is_everything``: of all entries."""
        self._counts = counts
        if is_everything:
            self._everything = counts
        if self.isVisible():
            self._show_again(keeps=True)

    def set_alerts(self, counts: Mapping[str, int]) -> None:
        """Take the names of alerts and how many entries answer each: no answer counts them."""
        self._alerts = {"alert": counts}
        if self._edit.hasFocus():
            self._show_again(keeps=True)

    def ask(self) -> None:
        """Offer what may follow, even where nothing is typed yet."""
        self._is_dismissed, self._is_asked = False, True
        self._show_again()

    def take_key(self, event: QKeyEvent) -> bool:
        """Use a key of the field; tell whether it was used."""
        key, shown = event.key(), self._shown
        if key == Qt.Key.Key_Space and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.ask()
            return True
        if shown is None or not self.isVisible():
            return False
        if key == Qt.Key.Key_Tab:
            self._accept(max(0, self._rows.chosen))
        elif key == Qt.Key.Key_Escape:
            self._is_dismissed = True
            self.hide()
        elif shown.is_wanted and key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._choose(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._rows.chosen >= 0:
            self._accept(self._rows.chosen)
        else:
            return False
        return True

    def hideEvent(self, event: QHideEvent) -> None:
        """Forget what was chosen."""
        super().hideEvent(event)
        self._shown, self._rows.chosen = None, -1

    def _on_edited(self) -> None:
        self._is_dismissed = self._is_asked = False
        self._show_again()

    def _on_cursor_moved(self) -> None:
        if self.isVisible():
            self._show_again(keeps=True)

    def _show_again(self, *, keeps: bool = False) -> None:
        """Compute the offers anew; ``keeps`` what is chosen while the offers are the same."""
        edit = self._edit
        found = None
        if edit.hasFocus() and not self._is_dismissed and not edit.hasSelectedText():
            found = completions(
                edit.text(),
                edit.cursorPosition(),
                {**self._counts, **self._alerts},
                everything=self._everything,
                is_asked=self._is_asked,
            )
        if found is None:
            self.hide()
            return
        before = self._shown.offers if self._shown is not None else ()
        is_same = keeps and [o.label for o in before] == [o.label for o in found.offers]
        self._shown, self._rows.offers = found, found.offers
        self._rows.chosen = self._rows.chosen if is_same else -1
        self._hint.setText("Tab or Down to choose, Esc to close" if found.is_wanted else "Tab to complete")
        self._rows.setFixedSize(self._rows.sizeHint())
        self.adjustSize()
        self._place(found.start)
        self._rows.update()
        self.show()
        self.raise_()

    def _place(self, start: int) -> None:
        edit, parent = self._edit, self.parentWidget()
        if parent is None:
            return
        at = edit.mapTo(parent, QPoint(round(edit.x_of(start)), edit.height()))
        left = max(8, min(at.x() - _PADDING, parent.width() - self.width() - 8))
        self.move(left, at.y() + 10)

    def _choose(self, step: int) -> None:
        count = len(self._rows.offers)
        self._rows.chosen = (self._rows.chosen + step) % count if self._rows.chosen >= 0 or step > 0 else -1
        self._rows.update()
        if 0 <= self._rows.chosen < count:
            offer = self._rows.offers[self._rows.chosen]
            announce(self._edit, f"{offer.label}, {offer.note}")

    def _accept(self, number: int) -> None:
        shown, edit = self._shown, self._edit
        if shown is None or not 0 <= number < len(shown.offers):
            return
        text, offer = edit.text(), shown.offers[number]
        tail = text[shown.end :].lstrip() if offer.text.endswith(" ") else text[shown.end :]
        self._is_asked = False
        edit.setText(text[: shown.start] + offer.text + tail)
        edit.setCursorPosition(shown.start + len(offer.text))
        self._show_again()
