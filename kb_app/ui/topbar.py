"""The bar at the top: knowledge bases, search field, index state, a few buttons."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QSizePolicy, QWidget

from kb_app.ui.common.actions import ActionId, ActionTable, shortcut_of
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import IconButton, IconLabel, ProgressLine, label, plain_tooltip
from kb_app.ui.search.panel import SearchPanel

HEIGHT = 56
_NARROW = 1240
SPACING, GAP = 4, 8
"""Pixels between neighbours on the right side, and more around the index."""


class IndexStatus(QWidget):
    """How far the index is: a sentence, while it is built a bar and a button to stop it.

    Signals:
        cancel_requested(): indexing shall stop.
    """

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Say nothing yet."""
        super().__init__(parent)
        self.setObjectName("indexStatus")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self._icon = IconLabel("circle-check", "fix", 16, self)
        self._text = label("", "secondary", self)
        self._text.setObjectName("indexText")
        self._bar = ProgressLine("Indexing", self)
        self._bar.setFixedWidth(72)
        self._cancel = IconButton("x", "Stop indexing", self, size=14)
        self._cancel.setObjectName("cancelIndexing")
        self._cancel.clicked.connect(self.cancel_requested)
        for part in (self._icon, self._text, self._bar, self._cancel):
            row.addWidget(part)
        self._is_compact = False
        self._is_active = False
        self._detail = ""
        self.show_idle("")

    def show_progress(self, done: int, total: int) -> None:
        """Show a part of the work as done."""
        percent = round(100 * done / total) if total else 0
        self._text.setText(f"index {percent} %")
        self._detail = f"Indexing, {percent} %"
        self._bar.set_progress(done, total)
        self._bar.setAccessibleName(f"Indexing, {percent} percent")
        self._icon.set_icon("loader-circle", "info")
        self._show(is_active=True)

    def show_idle(self, text: str, detail: str = "", *, is_good: bool = True) -> None:
        """Show a state: ``274 entries``; ``detail`` is the sentence of the tooltip."""
        self._text.setText(text)
        self._detail = detail or text
        self._icon.set_icon("circle-check" if is_good else "circle-alert", "fix" if is_good else "mitigate")
        self._show(is_active=False)

    def text(self) -> str:
        """Return the sentence shown."""
        return self._text.text()

    def full_width(self) -> int:
        """Return the room that the sentence needs with what stands beside it, shown or not."""
        beside = 16 + 8 + (72 + 8 + self._cancel.width() + 8 if self._is_active else 0)
        return beside + self._text.fontMetrics().horizontalAdvance(self._text.text()) + 4

    def least_width(self) -> int:
        """Return the room that it needs when it is compact."""
        return self.full_width() - (72 + 8) if self._is_active else 16

    def set_compact(self, *, is_compact: bool) -> None:
        """Leave the sentence or the bar out where there is no room; the tooltip holds the sentence."""
        self._is_compact = is_compact
        self._show(is_active=self._is_active)

    def _show(self, *, is_active: bool) -> None:
        self._is_active = is_active
        self._bar.setVisible(is_active and not self._is_compact)
        self._cancel.setVisible(is_active)
        has_text = bool(self._text.text())
        self._icon.setVisible(has_text)
        self._text.setVisible(has_text and (is_active or not self._is_compact))
        self.setToolTip(self._detail)


class TopBar(QFrame):
    """The bar.

    Signals:
        bases_menu_requested(object): the menu of the knowledge bases is about to open; fill this `QMenu`.
        compacted(bool): there is no room for sentences any more, or there is again.
    """

    bases_menu_requested = Signal(object)
    compacted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the bar; `connect_actions` gives its buttons their meaning."""
        super().__init__(parent)
        self.setProperty("surface", "chromebar")
        self.setFixedHeight(HEIGHT)
        self.search = SearchPanel(shortcut_of(ActionId.FOCUS_SEARCH).replace("+", " "), self)
        self.search.setMinimumWidth(260)
        self.search.setMaximumWidth(540)
        self.status = IndexStatus(self)
        self._are_chips_compact = False
        self._chip_widgets: list[QWidget] = []
        self._chips_need = 0  # width beside the index with all the words of the chips, as last seen
        self._left, self._right = QWidget(self), QWidget(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(16)
        row.addWidget(self._left, 1)
        row.addWidget(self.search, 2)
        row.addWidget(self._right, 1)
        self._build_left()
        self._build_right()
        self._width = 0
        self._right.installEventFilter(self)
        for side in (self._left, self._right):
            # Both sides alike whatever they hold: the search field must not move when a sentence changes.
            side.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def _build_left(self) -> None:
        row = QHBoxLayout(self._left)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(IconLabel("bookmark", "accent", 20, self._left))
        name = label("kb_app", "title", self._left)
        row.addWidget(name)
        row.addSpacing(8)
        self.bases_button = QPushButton(self._left)
        self.bases_button.setObjectName("basesButton")
        self.bases_button.setProperty("role", "ghost")
        self.bases_button.setAccessibleName("Knowledge bases")
        bind_icon(self.bases_button, "library", "text2", 16)
        self._bases_menu = QMenu(self.bases_button)
        self._bases_menu.aboutToShow.connect(lambda: self.bases_menu_requested.emit(self._bases_menu))
        self.bases_button.setMenu(self._bases_menu)
        row.addWidget(self.bases_button)
        row.addStretch(1)

    def _build_right(self) -> None:
        row = QHBoxLayout(self._right)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.addStretch(1)
        self._chips = QHBoxLayout()
        self._chips.setSpacing(SPACING)
        row.addLayout(self._chips)
        row.addSpacing(GAP)
        row.addWidget(self.status)
        row.addSpacing(GAP)
        self._buttons = {
            ActionId.REINDEX: IconButton(
                "refresh-cw", "Look for changes", self, shortcut=shortcut_of(ActionId.REINDEX)
            ),
            ActionId.TOGGLE_THEME: IconButton(
                "moon", "Dark theme", self, shortcut=shortcut_of(ActionId.TOGGLE_THEME)
            ),
            ActionId.SETTINGS: IconButton(
                "settings", "Settings", self, shortcut=shortcut_of(ActionId.SETTINGS)
            ),
        }
        for button in self._buttons.values():
            row.addWidget(button)
        self.menu_button = IconButton("ellipsis-vertical", "Menu", self)
        self.menu_button.setObjectName("menuButton")
        self.menu_button.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        row.addWidget(self.menu_button)
        Theme.current().changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    @property
    def is_compact(self) -> bool:
        """Tell whether chips leave their words out now."""
        return self._are_chips_compact

    def add_chip(self, widget: QWidget) -> None:
        """Show a feature's state at the right, before the index; it may listen to `compacted`."""
        widget.setParent(self._right)
        self._chips.addWidget(widget)
        self._chip_widgets.append(widget)

    def connect_actions(self, actions: ActionTable) -> None:
        """Let the buttons trigger the window's actions."""
        for action_id, button in self._buttons.items():
            button.clicked.connect(actions[action_id].trigger)
        menu = QMenu(self.menu_button)
        actions.fill_menu(menu)
        self.menu_button.setMenu(menu)

    def set_bases(self, text: str, tooltip: str) -> None:
        """Show which knowledge bases are open."""
        metrics = self.bases_button.fontMetrics()
        self.bases_button.setText(metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, 150))
        self.bases_button.setToolTip("<br>".join(plain_tooltip(line) for line in tooltip.splitlines()))
        self.bases_button.setAccessibleName(f"Knowledge bases: {text}")

    def set_window_width(self, width: int) -> None:
        """Leave out what there is no room for."""
        self._width = width
        self._fit()

    def _fit(self) -> None:
        """Leave words out where there is no room: the index's first, then those of the chips."""
        room, is_narrow = self._right.width(), self._width < _NARROW
        if not self._are_chips_compact:
            self._chips_need = self._beside_status()
        is_tight = self._chips_need + self.status.least_width() > room > 0
        self._set_chips_compact(is_compact=is_narrow or is_tight)
        has_room = self._beside_status() + self.status.full_width() <= room
        self.status.set_compact(is_compact=is_narrow or not has_room)

    def _beside_status(self) -> int:
        """Return the room that chips and buttons need, asked of each: the layout's own answer may be old."""
        chips = [chip for chip in self._chip_widgets if not chip.isHidden()]
        buttons = (*self._buttons.values(), self.menu_button)
        parts = sum(part.sizeHint().width() + SPACING for part in (*chips, *buttons))
        return parts + 2 * GAP + 3 * SPACING

    def _set_chips_compact(self, *, is_compact: bool) -> None:
        if is_compact is not self._are_chips_compact:
            self._are_chips_compact = is_compact
            self.compacted.emit(is_compact)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit again when the right side or what stands in it changes its size."""
        if watched is self._right and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._fit()
        return super().eventFilter(watched, event)

    def _on_theme_changed(self) -> None:
        is_dark = Theme.current().tokens.is_dark
        button = self._buttons[ActionId.TOGGLE_THEME]
        button.set_icon("sun" if is_dark else "moon")
        button.set_name("Light theme" if is_dark else "Dark theme")
