"""The list of versions: avatar, subject, who and when, signature; painted row by row."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from kb_app.gitstore.history import REVIEWED, SignatureState
from kb_app.ui.common.avatars import paint_avatar
from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.icons import icon
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import TONE_COLORS, plain_tooltip
from kb_app.ui.versions.state import (
    date_text,
    moment_text,
    signature_mark,
    spoken_row,
    status_text,
    subject_text,
)
from kb_app.workspace.past import Version

Index = QModelIndex | QPersistentModelIndex

ROW_HEIGHT = 60
NEAR_END = 20
"""More versions are asked for when fewer than this many rows are left below."""

_AVATAR = 28
_LEFT = 16
_ICON = 14


class VersionRole(IntEnum):
    """What the model gives beside the text."""

    VERSION = Qt.ItemDataRole.UserRole + 1


class VersionModel(QAbstractListModel):
    """The versions read so far, newest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Make an empty one."""
        super().__init__(parent)
        self.versions: list[Version] = []

    def set_versions(self, versions: Sequence[Version]) -> None:
        """Show other versions."""
        self.beginResetModel()
        self.versions = list(versions)
        self.endResetModel()

    def append(self, versions: Sequence[Version]) -> None:
        """Add older ones."""
        if versions:
            first = len(self.versions)
            self.beginInsertRows(QModelIndex(), first, first + len(versions) - 1)
            self.versions.extend(versions)
            self.endInsertRows()

    def replace(self, row: int, version: Version) -> None:
        """Show more about one version."""
        self.versions[row] = version
        index = self.index(row)
        self.dataChanged.emit(index, index)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return how many there are."""
        return 0 if parent.isValid() else len(self.versions)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the version, or what is said about it."""
        if not index.isValid() or index.row() >= len(self.versions):
            return None
        version = self.versions[index.row()]
        if role == VersionRole.VERSION:
            return version
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return spoken_row(version)
        if role == Qt.ItemDataRole.ToolTipRole:
            revision = version.revision
            return plain_tooltip(
                f"{subject_text(revision)}: {revision.author}, {moment_text(revision.authored_at)}"
            )
        return None


class VersionDelegate(QStyledItemDelegate):
    """Paints one version."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Take the fonts."""
        super().__init__(parent)
        self._subject, self._meta = ui_font(13, 500), ui_font(12)
        self._subject_metrics, self._meta_metrics = QFontMetricsF(self._subject), QFontMetricsF(self._meta)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002 - one height
        """Return the height of a row."""
        return QSize(option.rect.width(), ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        version = index.data(VersionRole.VERSION)
        if not isinstance(version, Version):
            return
        painter.save()
        try:
            self._paint_ground(painter, option)
            self._paint_line(painter, option.rect, index)
            self._paint_version(painter, option.rect, version)
        finally:
            painter.restore()

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        theme = Theme.current()
        state = option.state
        area = QRectF(option.rect).adjusted(6, 1, -6, -1)
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if is_selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("selection" if is_selected else "hover"))
            painter.drawRoundedRect(area, 6, 6)
        if state & QStyle.StateFlag.State_HasFocus and option.widget.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 2))
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), 6, 6)

    def _paint_line(self, painter: QPainter, rect: QRect, index: Index) -> None:
        """Paint the line of time that joins the avatars."""
        x, middle = rect.left() + _LEFT + _AVATAR / 2, rect.center().y()
        painter.setPen(QPen(QColor(Theme.current().color("border")), 2))
        if index.row() > 0:
            painter.drawLine(QPointF(x, rect.top()), QPointF(x, middle))
        if index.row() < index.model().rowCount() - 1:
            painter.drawLine(QPointF(x, middle), QPointF(x, rect.bottom() + 1))

    def _paint_version(self, painter: QPainter, rect: QRect, version: Version) -> None:
        theme, revision = Theme.current(), version.revision
        top = rect.center().y() - _AVATAR / 2
        paint_avatar(painter, QRectF(rect.left() + _LEFT, top, _AVATAR, _AVATAR), revision.author)
        left, right = rect.left() + _LEFT + _AVATAR + 12, rect.right() - 16
        right = self._paint_marks(painter, rect, version, right)
        painter.setFont(self._subject)
        painter.setPen(theme.color("text"))
        area = QRectF(left, rect.top() + 10, right - left, 20)
        text = self._subject_metrics.elidedText(
            subject_text(revision), Qt.TextElideMode.ElideRight, area.width()
        )
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        parts = (revision.author, date_text(revision.authored_at), status_text(revision))
        painter.setFont(self._meta)
        painter.setPen(theme.color("text2"))
        area = QRectF(left, rect.top() + 30, right - left, 18)
        text = "  ·  ".join(part for part in parts if part)
        text = self._meta_metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    @staticmethod
    def _paint_marks(painter: QPainter, rect: QRect, version: Version, right: int) -> int:
        """Paint the icons at the right end; return where they begin."""
        marks = (
            [signature_mark(version.revision.signature)]
            if version.revision.signature.state is not SignatureState.NONE
            else []
        )
        shown = [(mark.icon, TONE_COLORS[mark.tone]) for mark in marks]
        if version.revision.trailer(REVIEWED):
            shown.append(("user-check", "fix"))
        if version.review:
            shown.append(("git-pull-request", "text2"))
        for name, color in shown:
            right -= _ICON
            painter.drawPixmap(
                right, rect.center().y() - _ICON // 2, icon(name, color, _ICON).pixmap(_ICON, _ICON)
            )
            right -= 6
        return right - (4 if shown else 0)


class Timeline(QListView):
    """The list.

    Signals:
        chosen(): other versions are selected.
        opened(): Enter was pressed on one.
        end_neared(): older ones may be wanted.
    """

    chosen = Signal()
    opened = Signal()
    end_neared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty list."""
        super().__init__(parent)
        self.setObjectName("versions")
        self.setAccessibleName("Versions of the entry, newest first")
        self.versions = VersionModel(self)
        self.setModel(self.versions)
        self.setItemDelegate(VersionDelegate(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        Theme.current().changed.connect(self.viewport().update)

    def selected_rows(self) -> tuple[int, ...]:
        """Return the selected places, smallest first."""
        return tuple(sorted(index.row() for index in self.selectedIndexes()))

    def select_row(self, row: int) -> None:
        """Select one version and bring it into view."""
        if 0 <= row < self.versions.rowCount():
            self.setCurrentIndex(self.versions.index(row))
            self.scrollTo(self.versions.index(row))

    def row_of(self, commit: str) -> int:
        """Return the place of a commit among those read, or -1."""
        rows = (i for i, v in enumerate(self.versions.versions) if v.revision.commit == commit)
        return next(rows, -1)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Tell that other versions are selected."""
        super().selectionChanged(selected, deselected)
        self.chosen.emit()
        if self.currentIndex().row() > self.versions.rowCount() - NEAR_END:
            self.end_neared.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens; letters and digits belong to the page, not to a search in the list."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif event.text() and event.text().isprintable() and event.key() != Qt.Key.Key_Space:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _on_scrolled(self, value: int) -> None:
        if value > self.verticalScrollBar().maximum() - NEAR_END * ROW_HEIGHT:
            self.end_neared.emit()
