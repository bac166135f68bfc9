"""Where the panels stand: three or four columns, fewer in a narrow window."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kb_app.ui.common.widgets import text_button
from kb_app.ui.filters.panel import WIDTH as FILTER_WIDTH
from kb_app.ui.filters.panel import FilterPanel

FILTERS_FROM = 1400
"""Window width in pixels from which the filters are a column; below they are a popover."""

STEPS_FROM = 1100
"""Window width in pixels from which the steps are a column; below they are a tab of the reader."""

DEFAULT_SIZES = (324, 480, 440)


class ReaderTab(IntEnum):
    """The two tabs of a narrow window."""

    ENTRY = 0
    STEPS = 1


class FilterPopover(QFrame):
    """Holds the filter column while there is no room for it."""

    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        """Make an empty popover."""
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("surface", "chrome")
        self.setFrameShape(QFrame.Shape.Box)
        self.setAccessibleName("Filters")
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(1, 1, 1, 1)

    def hideEvent(self, event: QHideEvent) -> None:
        """Tell that it is gone."""
        super().hideEvent(event)
        self.closed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close without deleting what is inside."""
        event.accept()


class Panes(QWidget):
    """Arranges filters, results, reader and steps for the window's width.

    Signals:
        filters_hidden(bool): True when the filters are behind their button now.
        tab_changed(int): a `ReaderTab` came to the front (narrow windows).
    """

    filters_hidden = Signal(bool)
    tab_changed = Signal(int)

    def __init__(
        self,
        filters: FilterPanel,
        results: QWidget,
        reader: QWidget,
        steps: QWidget,
        parent: QWidget | None = None,
    ) -> None:
        """Take the four panels."""
        super().__init__(parent)
        self._filters, self._results, self._reader, self._steps = filters, results, reader, steps
        self._has_filter_column = True
        self._has_step_column = True
        self._are_steps_wanted = True
        self._popover: FilterPopover | None = None
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setObjectName("panes")
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self._reader_area = self._build_reader_area()
        for widget in (results, self._reader_area, steps):
            self.splitter.addWidget(widget)
        for position, stretch in enumerate((0, 1, 0)):
            self.splitter.setStretchFactor(position, stretch)
        self.splitter.setSizes(list(DEFAULT_SIZES))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        filters.setFixedWidth(FILTER_WIDTH)
        self._row.addWidget(filters)
        self._filter_line = QFrame(self)
        self._filter_line.setProperty("hairline", "true")
        self._filter_line.setFixedWidth(1)
        self._row.addWidget(self._filter_line)
        self._row.addWidget(self.splitter, 1)

    def _build_reader_area(self) -> QWidget:
        area = QWidget(self)
        area.setMinimumWidth(380)
        box = QVBoxLayout(area)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        self._tabs = QFrame(area)
        self._tabs.setProperty("surface", "bar")
        self._tabs.setFixedHeight(44)
        row = QHBoxLayout(self._tabs)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(4)
        self._tab_group = QButtonGroup(self)
        self._tab_buttons = {}
        for tab, text, icon in (
            (ReaderTab.ENTRY, "Entry", "file-text"),
            (ReaderTab.STEPS, "Steps", "list-checks"),
        ):
            button = text_button(text, "tab", icon, self._tabs)
            button.setCheckable(True)
            self._tab_group.addButton(button, tab)
            self._tab_buttons[tab] = button
            row.addWidget(button)
        row.addStretch(1)
        self._tab_buttons[ReaderTab.ENTRY].setChecked(True)
        self._tab_group.idClicked.connect(self._on_tab_clicked)
        self._tabs.hide()
        self._stack = QStackedWidget(area)
        self._stack.addWidget(self._reader)
        box.addWidget(self._tabs)
        box.addWidget(self._stack, 1)
        return area

    @property
    def has_filter_column(self) -> bool:
        """Tell whether the filters stand beside the results."""
        return self._has_filter_column

    @property
    def has_step_column(self) -> bool:
        """Tell whether the steps stand beside the reader."""
        return self._has_step_column

    def arrange(self, width: int) -> None:
        """Arrange for a window ``width`` pixels wide."""
        self._set_filter_column(is_shown=width >= FILTERS_FROM)
        self._set_step_column(is_shown=width >= STEPS_FROM)

    def set_sizes(self, sizes: Sequence[int]) -> None:
        """Give the columns of the splitter these widths."""
        if len(sizes) == 3 and all(size > 0 for size in sizes):
            self.splitter.setSizes(list(sizes))

    def sizes(self) -> tuple[int, ...]:
        """Return the widths, empty while the steps are a tab or hidden."""
        is_whole = self._has_step_column and self._are_steps_wanted
        return tuple(self.splitter.sizes()) if is_whole else ()

    def set_progress(self, done: int, total: int) -> None:
        """Show on the tab how many steps are done."""
        self._tab_buttons[ReaderTab.STEPS].setText(f"Steps {done}/{total}" if total else "Steps")

    def show_tab(self, tab: ReaderTab) -> None:
        """Bring a tab to the front; in a wide window only shows the steps when they were hidden."""
        if self._has_step_column:
            if tab is ReaderTab.STEPS:
                self.set_steps_wanted(is_wanted=True)
            return
        self._tab_buttons[tab].setChecked(True)
        self._stack.setCurrentIndex(tab)
        self.tab_changed.emit(int(tab))

    def toggle_steps(self) -> None:
        """Show or hide the steps."""
        if self._has_step_column:
            self.set_steps_wanted(is_wanted=not self._are_steps_wanted)
        else:
            front = ReaderTab(self._stack.currentIndex())
            self.show_tab(ReaderTab.STEPS if front is ReaderTab.ENTRY else ReaderTab.ENTRY)

    def set_steps_wanted(self, *, is_wanted: bool) -> None:
        """Show or hide the step column where there is room for one."""
        self._are_steps_wanted = is_wanted
        if self._has_step_column:
            self._steps.setVisible(is_wanted)

    def open_filters(self, anchor: QWidget) -> None:
        """Show the filters below ``anchor``, or put the focus on their column."""
        if self._has_filter_column:
            self._filters.first_control().setFocus(Qt.FocusReason.ShortcutFocusReason)
            return
        if self._popover is None:
            self._popover = FilterPopover(self)
        self._popover.box.addWidget(self._filters)
        self._filters.show()
        self._popover.resize(FILTER_WIDTH + 24, min(620, self.height() - 16))
        corner = anchor.mapToGlobal(QPoint(anchor.width() - FILTER_WIDTH - 24, anchor.height() + 4))
        self._popover.move(corner)
        self._popover.show()
        self._filters.first_control().setFocus(Qt.FocusReason.PopupFocusReason)

    def close_filters(self) -> None:
        """Hide the popover."""
        if self._popover is not None:
            self._popover.hide()

    def _set_filter_column(self, *, is_shown: bool) -> None:
        if is_shown == self._has_filter_column:
            return
        self._has_filter_column = is_shown
        self.close_filters()
        if is_shown:
            self._row.insertWidget(0, self._filters)
        self._filters.setVisible(is_shown)
        self._filter_line.setVisible(is_shown)
        self.filters_hidden.emit(not is_shown)

    def _set_step_column(self, *, is_shown: bool) -> None:
        if is_shown == self._has_step_column:
            return
        self._has_step_column = is_shown
        if is_shown:
            sizes = self.splitter.sizes()
            self.splitter.addWidget(self._steps)
            self._steps.setVisible(self._are_steps_wanted)
            self.splitter.setSizes([sizes[0], max(380, sum(sizes) - sizes[0] - 440), 440])
            self._stack.setCurrentIndex(ReaderTab.ENTRY)
        else:
            self._stack.addWidget(self._steps)
            self._tab_buttons[ReaderTab.ENTRY].setChecked(True)
            self._stack.setCurrentIndex(ReaderTab.ENTRY)
        self._tabs.setVisible(not is_shown)

    def _on_tab_clicked(self, number: int) -> None:
        self._stack.setCurrentIndex(number)
        self.tab_changed.emit(number)
