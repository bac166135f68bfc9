"""The result list as Qt sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from kb_app.ui.common.widgets import plain_tooltip
from kb_app.ui.results.state import Row, RowKind, age_text, more_text

_NO_PARENT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class ResultRole(IntEnum):
    """Data roles besides Qt's own."""

    ROW = Qt.ItemDataRole.UserRole + 1


class ResultModel(QAbstractListModel):
    """Rows in the order they are shown; replaced as a whole, as every answer is a new list."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Start empty."""
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return the rows shown."""
        return self._rows

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows instead."""
        self.beginResetModel()
        self._rows = tuple(rows)
        self.endResetModel()

    def row_at(self, index: Index) -> Row | None:
        """Return the row of an index, None outside the list."""
        number = index.row()
        return self._rows[number] if index.isValid() and number < len(self._rows) else None

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings can be neither selected nor focused."""
        row = self.row_at(index)
        if row is None or row.kind is RowKind.HEADER:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the title, the row itself, or what a screen reader says."""
        row = self.row_at(index)
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return row.title
        if role == ResultRole.ROW:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken_row(row)
        if role == Qt.ItemDataRole.ToolTipRole and row.ref is not None:
            return _tooltip(row)
        return None


def spoken_row(row: Row) -> str:
    """Return a row in words, most important first."""
    if row.kind is RowKind.HEADER:
        return row.title
    parts = [row.title, row.kind_name, row.place, row.base_label, row.differs, row.why]
    if row.is_weak:
        parts.insert(0, "weak match")
    if (hit := row.hit) is not None:
        parts.append(hit.state)
        parts.extend(f"has {name}" for name in hit.has if name != "lever")
        if age := age_text(hit.reviewed, dt.date.today()):
            parts.append(f"reviewed {age} ago" if age != "today" else "reviewed today")
        parts.append(hit.fit_words)
        parts.append(hit.snippet)
        if row.twins:
            state = "Left hides them" if row.is_open else "Right shows them"
            parts.append(f"{more_text(row)}, {state}")
    return ", ".join(part for part in parts if part)


def _tooltip(row: Row) -> str:
    assert row.ref is not None
    lines = [f"{row.ref.knowledge_base} / {row.ref.path}"]
    if row.hit is not None and row.hit.why:
        lines.append("Why: " + ", ".join(row.hit.why[:4]))
    return "<br>".join(plain_tooltip(line) for line in lines)
