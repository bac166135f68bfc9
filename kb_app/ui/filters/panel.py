"""The filter column: views, then facets with counts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.icons import bind_icon, icon
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import label
from kb_app.ui.filters.state import FacetGroup, FacetValue, FilterState, View, facet_groups, typed_values

WIDTH = 196
_VIEW_TEXTS = {
    View.ALL: ("file-text", "All entries"),
    View.STARRED: ("star", "Starred"),
    View.RECENT: ("history", "Recent"),
}


_COUNT_FONT = cache(lambda: ui_font(12))
_LABEL_FONT = cache(lambda: ui_font(13))
_WANTED_FONT = cache(lambda: ui_font(13, 500))


class FacetRow(QCheckBox):
    """A check box painted with its count at the right end; the label is elided in the middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a row; `set_value` gives it its content."""
        super().__init__(parent)
        self.value = FacetValue("", "", "", 0, is_wanted=False)
        self._theme = Theme.current()
        self.setFixedHeight(28)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def set_value(self, value: FacetValue) -> None:
        """Show another value."""
        self.setChecked(value.is_wanted)
        if value == self.value:
            return
        self.value = value
        self.setObjectName(f"facet:{value.facet}:{value.value}")
        entries = "1 entry" if value.count == 1 else f"{value.count:,} entries"
        self.setAccessibleName(f"{value.label}, {entries}")
        self.update()

    def sizeHint(self) -> QSize:
        """Return the row's size; the column decides the width."""
        return QSize(160, 28)

    def hitButton(self, position: object) -> bool:  # noqa: ARG002 - the whole row is the button
        """Take clicks anywhere on the row."""
        return True

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - the row is painted whole
        """Paint box, label and count."""
        theme = self._theme
        align = Qt.AlignmentFlag
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            area = QRectF(self.rect())
            if self.underMouse():
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("hover"))
                painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
            self._paint_box(painter, theme)
            count = f"{self.value.count:,}"
            painter.setFont(_COUNT_FONT())
            painter.setPen(theme.color("text3"))
            painter.drawText(area.adjusted(0, 0, -8, 0), align.AlignVCenter | align.AlignRight, count)
            room = self.width() - 34 - 16 - painter.fontMetrics().horizontalAdvance(count)
            painter.setFont(_WANTED_FONT() if self.isChecked() else _LABEL_FONT())
            painter.setPen(theme.color("text" if self.isChecked() else "text2"))
            text = painter.fontMetrics().elidedText(self.value.label, Qt.TextElideMode.ElideMiddle, room)
            painter.drawText(area.adjusted(34, 0, 0, 0), align.AlignVCenter | align.AlignLeft, text)
            if self.hasFocus():
                painter.setPen(QPen(theme.color("accent"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)

    def _paint_box(self, painter: QPainter, theme: Theme) -> None:
        box = QRectF(10, (self.height() - 16) / 2, 16, 16)
        if self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_fill"))
            painter.drawRoundedRect(box, 4, 4)
            icon("check", "on_accent", 12).paint(painter, box.toRect().adjusted(2, 2, -2, -2))
        else:
            painter.setPen(QPen(theme.color("outline"), 1))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)


class CountedRow(QPushButton):
    """A row with an icon, a name and a count at its right end; a click on it leads to a page."""

    def __init__(self, icon: str, name: str, parent: QWidget | None = None) -> None:
        """Make a row without a count."""
        super().__init__(name, parent)
        self.count: int | None = None
        self.setProperty("role", "row")
        self.setFixedHeight(30)
        bind_icon(self, icon, "text2", 16, checked_color="accent")
        self.set_count(None)

    def set_count(self, count: int | None) -> None:
        """Show how many there are; None for not known."""
        self.count = count
        self.setAccessibleName(self.text() if count is None else f"{self.text()}, {count:,}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the count over the button's right end."""
        super().paintEvent(event)
        if self.count is not None:
            with QPainter(self) as painter:
                painter.setFont(_COUNT_FONT())
                painter.setPen(Theme.current().color("accent" if self.isChecked() else "text3"))
                area = self.rect().adjusted(0, 0, -8, 0)
                painter.drawText(
                    area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, f"{self.count:,}"
                )


class ViewRow(CountedRow):
    """One of the views with its count."""

    def __init__(self, view: View, parent: QWidget | None = None) -> None:
        """Make the row of ``view``."""
        super().__init__(*_VIEW_TEXTS[view], parent)
        self.view = view
        self.setObjectName(f"view:{view.value}")
        self.setCheckable(True)
        self.setAutoExclusive(True)


class _Group(QWidget):
    """One facet: title, rows, "more"."""

    toggled = Signal(str, str)
    expanded = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.facet = ""
        self._shown: tuple[FacetGroup, bool] | None = None
        self._rows: list[FacetRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 12, 0, 0)
        self._layout.setSpacing(0)
        self._title = label("", "", self)
        self._title.setFont(ui_font(12, 600))
        self._title.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._title.setContentsMargins(10, 0, 0, 4)
        self._layout.addWidget(self._title)
        self._more = QPushButton(self)
        self._more.setProperty("role", "link")
        self._more.clicked.connect(lambda: self.expanded.emit(self.facet))
        more_row = QHBoxLayout()
        more_row.setContentsMargins(6, 0, 0, 0)
        more_row.addWidget(self._more)
        more_row.addStretch(1)
        self._layout.addLayout(more_row)

    def show_group(self, group: FacetGroup, *, is_expanded: bool) -> None:
        """Show another state of the facet; rows are used again."""
        if (group, is_expanded) == self._shown:
            return
        self._shown = (group, is_expanded)
        self.facet = group.facet
        self._title.setText(group.title)
        while len(self._rows) < len(group.values):
            row = FacetRow(self)
            row.clicked.connect(self._on_clicked)
            self._layout.insertWidget(len(self._rows) + 1, row)
            self._rows.append(row)
        for position, row in enumerate(self._rows):
            row.setVisible(position < len(group.values))
            if position < len(group.values):
                row.set_value(group.values[position])
        text = "Show fewer" if is_expanded else f"{group.hidden:,} more"
        self._more.setText(text)
        self._more.setAccessibleName(f"{group.title}: {text.lower()}")
        self._more.setVisible(group.hidden > 0 or is_expanded)

    def _on_clicked(self) -> None:
        row = self.sender()
        if isinstance(row, FacetRow):
            self.toggled.emit(row.value.facet, row.value.value)


class FilterPanel(QScrollArea):
    """The column.

    Signals:
        changed(object): the new `FilterState`.
        typed_filter_unchecked(str, str): facet and value; the filter stands in the query and shall go there.
    """

    changed = Signal(object)
    typed_filter_unchecked = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the column without facets."""
        super().__init__(parent)
        self.setObjectName("filters")
        self.setAccessibleName("Filters")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumWidth(WIDTH)
        self.state = FilterState()
        self._counts: Mapping[str, Mapping[str, int]] = {}
        self._typed: Mapping[str, tuple[str, ...]] = {}
        self._groups: dict[str, _Group] = {}
        self._sections = 0
        body = QWidget(self)
        body.setProperty("surface", "chrome")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._layout = QVBoxLayout(body)
        self._layout.setContentsMargins(12, 14, 12, 16)
        self._layout.setSpacing(2)
        self._views = {view: ViewRow(view, body) for view in View}
        for row in self._views.values():
            row.clicked.connect(self._on_view_clicked)
            self._layout.addWidget(row)
        self._views[View.ALL].setChecked(True)
        self._places = 0
        self._layout.addStretch(1)
        self.setWidget(body)

    def add_place(self, icon: str, name: str) -> CountedRow:
        """Add a row below the views that leads elsewhere; the feature listens to its ``clicked``."""
        row = CountedRow(icon, name, self.widget())
        self._layout.insertWidget(len(View) + self._places, row)
        self._places += 1
        return row

    def set_counts(
        self,
        counts: Mapping[str, Mapping[str, int]],
        typed: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Show the facets of an answer; ``typed`` filters stand in its query and are checked too."""
        self._counts, self._typed = counts, typed or {}
        self._show()

    def set_view_counts(self, *, all_entries: int | None, starred: int, recent: int) -> None:
        """Show how many entries each view has."""
        self._views[View.ALL].set_count(all_entries)
        self._views[View.STARRED].set_count(starred)
        self._views[View.RECENT].set_count(recent)

    def add_section(self, section: QWidget) -> None:
        """Put a feature's list below the views."""
        self._layout.insertWidget(len(View) + self._places, section)
        self._sections += 1

    def set_state(self, state: FilterState) -> None:
        """Take another state and tell about it."""
        self.state = state
        self._views[state.view].setChecked(True)
        self._show()
        self.changed.emit(state)

    def first_control(self) -> QWidget:
        """Return the control that takes the focus when the column is entered."""
        return self._views[self.state.view]

    def _show(self) -> None:
        groups = facet_groups(self._counts, self.state, self._typed)
        shown = {group.facet for group in groups}
        for facet, widget in self._groups.items():
            widget.setVisible(facet in shown)
        for position, group in enumerate(groups):
            is_expanded = group.facet in self.state.expanded
            self._widget_for(group.facet, position).show_group(group, is_expanded=is_expanded)

    def _widget_for(self, facet: str, position: int) -> _Group:
        widget = self._groups.get(facet)
        if widget is None:
            widget = _Group(self.widget())
            widget.toggled.connect(self._on_toggled)
            widget.expanded.connect(lambda f: self.set_state(self.state.with_expanded(f)))
            self._groups[facet] = widget
            self._layout.insertWidget(len(View) + self._places + self._sections + position, widget)
        return widget

    def _on_toggled(self, facet: str, value: str) -> None:
        typed = typed_values((value,), self._typed.get(facet, ()))
        if not typed:
            self.set_state(self.state.toggled(facet, value))
            return
        if value in self.state.wanted.get(facet, ()):
            self.set_state(self.state.toggled(facet, value))
        self.typed_filter_unchecked.emit(facet, value)

    def _on_view_clicked(self) -> None:
        row = self.sender()
        if isinstance(row, ViewRow):
            self.set_state(self.state.with_view(row.view))
