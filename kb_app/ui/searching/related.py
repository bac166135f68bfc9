"""Other entries that have to do with the one shown: a strip below its page, a list of all of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kb_app.search.model import Relation
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.widgets import label, plain_tooltip, text_button
from kb_app.ui.results.state import KIND_NAMES, on_one_line, place_of

HEIGHT = 36
_SHOWN = 3
_WIDTH = 420


class RelatedStrip(QFrame):
    """Names the nearest related entries; "All" opens the list.

    Signals:
        opened(object): the `EntryRef` that was chosen.
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a hidden strip."""
        super().__init__(parent)
        self.setObjectName("related")
        self.setProperty("surface", "status")
        self.setFixedHeight(HEIGHT)
        self._relations: tuple[Relation, ...] = ()
        self._popup: RelatedPopup | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(28, 0, 12, 0)
        row.setSpacing(12)
        row.addWidget(label("Related", "meta", self))
        self._buttons: list[QPushButton] = []
        for _ in range(_SHOWN):
            button = text_button("", "link", parent=self)
            button.clicked.connect(self._on_clicked)
            self._buttons.append(button)
            row.addWidget(button)
        row.addStretch(1)
        self._all = text_button("", "ghost", "workflow", self)
        self._all.setToolTip("All related entries (Ctrl+Shift+L)")
        self._all.clicked.connect(self.open_list)
        row.addWidget(self._all)
        self.hide()

    @property
    def relations(self) -> tuple[Relation, ...]:
        """Return what is shown."""
        return self._relations

    def show_relations(self, relations: Sequence[Relation]) -> None:
        """Show the related entries, strongest first; the strip hides where there is none."""
        self._relations = tuple(relations)
        for number, button in enumerate(self._buttons):
            if number < len(self._relations):
                one = self._relations[number]
                title = on_one_line(one.title)
                button.setAccessibleName(f"{title}, {', '.join(one.reasons)}")
                button.setToolTip(plain_tooltip(f"{title}: {', '.join(one.reasons)}"))
        count = len(self._relations)
        self._all.setText(f"All {count}")
        self._all.setAccessibleName(f"All {count} related entries")
        self.setVisible(bool(self._relations))
        self._fit()

    def open_list(self) -> None:
        """Open the list of all related entries."""
        if not self._relations:
            return
        if self._popup is None:
            self._popup = RelatedPopup(self)
            self._popup.opened.connect(self.opened)
        self._popup.show_relations(self._relations)
        corner = self.mapToGlobal(QPoint(self.width() - self._popup.width() - 8, -self._popup.height() - 4))
        self._popup.move(corner)
        self._popup.show()
        self._popup.list.setFocus(Qt.FocusReason.PopupFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many titles as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Give each title a fair share of the room; those that have too little stay in the list."""
        room = self.width() - 28 - 12 - 70 - self._all.sizeHint().width() - 24
        shown = min(len(self._relations), _SHOWN, max(1, room // 150))
        each = room // shown - 16 if shown else 0
        for number, button in enumerate(self._buttons):
            button.setVisible(number < shown)
            if number < shown:
                title = on_one_line(self._relations[number].title)
                metrics = button.fontMetrics()
                button.setText(metrics.elidedText(title, Qt.TextElideMode.ElideRight, max(40, each)))

    def _on_clicked(self) -> None:
        sender = self.sender()
        number = next((n for n, button in enumerate(self._buttons) if button is sender), -1)
        if 0 <= number < len(self._relations):
            one = self._relations[number]
            self.opened.emit(EntryRef(one.knowledge_base, one.path))


class RelatedPopup(QFrame):
    """All related entries with what they have to do with the one shown.

    Signals:
        opened(object): the `EntryRef` that was chosen.
    """

    opened = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        """Make a hidden popup."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("surface", "popup")
        self.setAccessibleName("Related entries")
        self.list = QListWidget(self)
        self.list.setAccessibleName("Related entries")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemClicked.connect(self._on_chosen)
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.addWidget(self.list)

    def show_relations(self, relations: Sequence[Relation]) -> None:
        """List ``relations``."""
        self.list.clear()
        for one in relations:
            about = (KIND_NAMES.get(one.kind, one.kind), place_of(one.product, one.component))
            second = "  \u00b7  ".join([", ".join(one.reasons).capitalize(), *filter(None, about)])
            item = QListWidgetItem(f"{on_one_line(one.title)}\n{on_one_line(second)}", self.list)
            item.setData(Qt.ItemDataRole.UserRole, EntryRef(one.knowledge_base, one.path))
        self.list.setCurrentRow(0)
        rows = max(1, self.list.count())
        self.resize(_WIDTH, min(440, rows * max(40, self.list.sizeHintForRow(0)) + 14))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Esc closes."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_chosen(self.list.currentItem())
        elif event.key() == Qt.Key.Key_Escape:
            self.hide()
        else:
            super().keyPressEvent(event)

    def _on_chosen(self, item: QListWidgetItem | None) -> None:
        ref = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        self.hide()
        if isinstance(ref, EntryRef):
            self.opened.emit(ref)
