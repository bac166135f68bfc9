"""The result list with its header, its answers to "nothing found" and its keyboard."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kb_app.search.model import SearchAnswer, Verdict
from kb_app.ui.common.messages import fit_text
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.widgets import EmptyState, IconButton, IconLabel, label, text_button
from kb_app.ui.results.delegate import MORE_HEIGHT, ROW_HEIGHT, ResultDelegate
from kb_app.ui.results.model import ResultModel
from kb_app.ui.results.state import Row, next_row, row_to_select, summary_text, with_twins


class ResultList(QListView):
    """The list itself; replacing its rows keeps the selection where it can.

    Signals:
        selected(object): the `EntryRef` of the row that became current, or None.
        opened(object): the `EntryRef` to be opened and read (Enter, double click).
        end_neared(): the last rows came into view.
    """

    selected = Signal(object)
    opened = Signal(object)
    end_neared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty list."""
        super().__init__(parent)
        self.setObjectName("results")
        self.setAccessibleName("Results")
        self._model = ResultModel(self)
        self._delegate = ResultDelegate(self)
        self._is_replacing = False
        self._folded_rows: tuple[Row, ...] = ()
        self._opened: frozenset[EntryRef] = frozenset()
        self.setModel(self._model)
        self.setItemDelegate(self._delegate)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.verticalScrollBar().setSingleStep(26)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        self.doubleClicked.connect(self._on_double_clicked)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Return the rows shown."""
        return self._model.rows

    def current_ref(self) -> EntryRef | None:
        """Return the entry of the selected row."""
        row = self._model.row_at(self.currentIndex())
        return row.ref if row else None

    def current_row(self) -> Row | None:
        """Return the selected row."""
        return self._model.row_at(self.currentIndex())

    def terms_of(self, ref: EntryRef) -> tuple[str, ...]:
        """Return the words of the search that were found in an entry, as its row marks them."""
        hit = next((row.hit for row in self.rows if row.ref == ref and row.hit is not None), None)
        if hit is None:
            return ()
        found = [hit.snippet[start:end] for start, end in hit.snippet_marks]
        found += [hit.title[start:end] for start, end in hit.title_marks]
        return tuple(dict.fromkeys(word for word in found if len(word) > 1))

    def set_rows(self, rows: Sequence[Row], *, selects: bool = True, keeps: bool = True) -> None:
        """Show other rows.

        Args:
            rows: what is listed.
            selects: something is to be selected, if only the first row.
            keeps: the same entry stays selected if it is still there; else the first row is selected, because
                another question has another best answer.
        """
        if not keeps:
            self._opened = frozenset()
        self._folded_rows = tuple(rows)
        rows = with_twins(rows, self._opened)
        before = self.current_ref()
        scroll = self.verticalScrollBar().value()
        self._is_replacing = True
        self.setUpdatesEnabled(False)
        try:
            self._delegate.forget_day()
            self._model.set_rows(rows)
            wanted = before if keeps else None
            number = row_to_select(rows, wanted) if selects or wanted is not None else -1
            is_kept = number >= 0 and rows[number].ref == wanted
            if number >= 0 and (selects or is_kept):
                self._select(number)
            if is_kept:
                self.verticalScrollBar().setValue(scroll)
            else:
                self.scrollToTop()
        finally:
            self.setUpdatesEnabled(True)
            self._is_replacing = False
        if self.current_ref() != before:
            self.selected.emit(self.current_ref())

    def open_twins(self, *, is_open: bool | None = None) -> bool:
        """Show or hide the near-duplicates of the selected row; tell whether there were any to show or hide.

        Args:
            is_open: None: the other way round.
        """
        number = self.currentIndex().row()
        row = self._model.row_at(self.currentIndex())
        if row is not None and row.is_twin and is_open is not True:  # from a near-duplicate back to its entry
            number = next(n for n in range(number, -1, -1) if self.rows[n].twins)
            row = self.rows[number]
            self._select(number)
        if row is None or row.ref is None or not row.twins or row.is_open is is_open:
            return False
        self._opened ^= {row.ref}
        self.set_rows(self._folded_rows)
        return True

    def move_selection(self, step: int) -> None:
        """Select the entry ``step`` rows away."""
        number = next_row(self.rows, self.currentIndex().row(), step)
        if number >= 0:
            self._select(number)
            at_top = all(row.ref is None for row in self.rows[:number])
            self.scrollTo(self._model.index(0 if at_top else number))

    def open_current(self) -> None:
        """Ask for the selected entry to be opened."""
        if (ref := self.current_ref()) is not None:
            self.opened.emit(ref)

    def rows_in_view(self) -> int:
        """Return how many rows a page key should move."""
        return max(1, self.viewport().height() // ROW_HEIGHT - 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move over headings; Enter opens; letters are left to the window's shortcuts."""
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: self.rows_in_view(),
            Qt.Key.Key_PageUp: -self.rows_in_view(),
            Qt.Key.Key_End: len(self.rows),
            Qt.Key.Key_Home: -len(self.rows),
        }
        key = Qt.Key(event.key())
        if key in steps and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            self.move_selection(steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_current()
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_Left) and not event.modifiers():
            self.open_twins(is_open=key == Qt.Key.Key_Right)
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select a row; its last line shows and hides the near-duplicates."""
        super().mousePressEvent(event)
        index = self.indexAt(event.position().toPoint())
        row = self._model.row_at(index)
        is_below = event.position().y() >= self.visualRect(index).bottom() - MORE_HEIGHT
        is_left = event.button() == Qt.MouseButton.LeftButton
        if row is not None and row.twins and is_left and is_below:
            self.open_twins()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which row the keys act on."""
        super().focusInEvent(event)
        if not self.currentIndex().isValid():
            self.move_selection(1)
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the texts out for the new width."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def sizeHint(self) -> QSize:
        """Return a width that shows a title and a snippet comfortably."""
        return QSize(320, 400)

    def _on_scrolled(self, value: int) -> None:
        if (
            not self._is_replacing
            and value > 0
            and value >= self.verticalScrollBar().maximum() - 2 * ROW_HEIGHT
        ):
            self.end_neared.emit()

    def _select(self, number: int) -> None:
        index = self._model.index(number)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.selectionModel().setCurrentIndex(index, flags)

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if not self._is_replacing:
            row = self._model.row_at(current)
            self.selected.emit(row.ref if row else None)

    def _on_double_clicked(self, index: QModelIndex) -> None:
        row = self._model.row_at(index)
        if row is not None and row.ref is not None:
            self.opened.emit(row.ref)


class ResultsPanel(QWidget):
    """Header, remarks, list.

    Signals:
        filters_requested(): the button that opens the filters was pressed.
        suggestion_accepted(str): the corrected query was chosen.
        clear_filters_requested(): all filters shall go.
    """

    filters_requested = Signal()
    suggestion_accepted = Signal(str)
    clear_filters_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty panel."""
        super().__init__(parent)
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(280)
        self.list = ResultList(self)
        self._suggested = ""
        self._question: str | None = None
        self._write_action: QAction | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_header())
        self._guests = QVBoxLayout()
        layout.addLayout(self._guests)
        layout.addWidget(self._build_remarks())
        layout.addWidget(self.list, 1)
        self.empty = EmptyState("search", "", "", parent=self)
        fit_text(self.empty, 232)
        self.empty.hide()
        layout.addWidget(self.empty, 1)

    def set_write_action(self, action: QAction) -> None:
        """Offer ``action`` where nothing fits: to write down what was asked for."""
        self._write_action = action
        self._no_match.set_action(action)

    def add_remark(self, remark: QWidget) -> None:
        """Put a feature's remark above the list; the feature shows and hides it."""
        remark.setParent(self)
        remark.hide()
        self._guests.addWidget(remark)

    def _build_header(self) -> QWidget:
        header = QFrame(self)
        header.setFixedHeight(44)
        row = QHBoxLayout(header)
        row.setContentsMargins(22, 0, 8, 0)
        row.setSpacing(8)
        self.count_label = label("", "heading", header)
        self.count_label.setObjectName("resultCount")
        self.time_label = label("", "secondary", header)
        row.addWidget(self.count_label)
        row.addWidget(self.time_label)
        row.addStretch(1)
        self.clear_filters = text_button("Clear filters", "link", parent=header)
        self.clear_filters.clicked.connect(self.clear_filters_requested)
        self.clear_filters.hide()
        row.addWidget(self.clear_filters)
        self.filter_button = IconButton("funnel", "Filters", header, shortcut="Ctrl+Shift+F")
        self.filter_button.clicked.connect(self.filters_requested)
        row.addWidget(self.filter_button)
        return header

    def _build_remarks(self) -> QWidget:
        """Lines above the list: no known fix, did you mean, names only yet."""
        self._remarks = QFrame(self)
        box = QVBoxLayout(self._remarks)
        box.setContentsMargins(19, 4, 14, 8)
        box.setSpacing(6)
        self._no_match = _NoMatch(self._remarks)
        self.suggestion = QPushButton(self._remarks)
        self.suggestion.setProperty("role", "link")
        self.suggestion.setAccessibleName("Corrected query")
        self.suggestion.clicked.connect(lambda: self.suggestion_accepted.emit(self._suggested))
        self._partial = label("", "secondary", self._remarks, wrap=True)
        for part in (self._no_match, self.suggestion, self._partial):
            box.addWidget(part)
        self._remarks.hide()
        return self._remarks

    def show_answer(
        self, answer: SearchAnswer, rows: Sequence[Row], *, is_browsing: bool, limit: int = 0
    ) -> None:
        """Show an answer.

        Args:
            answer: what was found.
            rows: its rows.
            is_browsing: there was no query; everything is listed.
            limit: hits that were asked for, 0 when that is not known.
        """
        entries = "1 entry" if answer.total == 1 else f"{answer.total:,} entries"
        self.count_label.setText(entries if is_browsing else summary_text(answer, limit))
        self.time_label.setText("" if is_browsing else _took_text(answer.took_ms))
        self._show_remarks(answer, is_browsing=is_browsing)
        is_same_question = is_browsing or answer.query == self._question
        self._question = answer.query
        self.list.set_rows(rows, selects=not is_browsing, keeps=is_same_question)
        self._show_list(is_shown=bool(rows))
        if not rows:
            self._explain_emptiness(is_browsing=is_browsing, is_partial=answer.is_partial)

    def show_state(self, icon: str, title: str, text: str) -> None:
        """Show a sentence instead of a list."""
        self.count_label.setText("")
        self.time_label.setText("")
        self._remarks.hide()
        self.list.set_rows(())
        self.empty.set_state(icon, title, text)
        self._show_list(is_shown=False)

    def set_filter_state(self, count: int, *, is_button_shown: bool) -> None:
        """Show how many filters are set, and the button when the column is hidden."""
        self.filter_button.setVisible(is_button_shown)
        self.filter_button.set_icon("funnel", "accent" if count else "text2")
        self.filter_button.set_name(f"Filters, {count} set" if count else "Filters")
        self.clear_filters.setVisible(count > 0)

    def _show_list(self, *, is_shown: bool) -> None:
        self.list.setVisible(is_shown)
        self.empty.setVisible(not is_shown)

    def _explain_emptiness(self, *, is_browsing: bool, is_partial: bool) -> None:
        if is_partial:
            self.empty.set_state(
                "inbox", "Not read yet", "The index is not complete, so entries may be missing here."
            )
        elif is_browsing:
            self.empty.set_state("inbox", "Nothing here yet", "No entry fits the filters.")
        else:
            self.empty.set_state(
                "search",
                "Nothing found",
                "No entry holds these words. Try the exact error, the alert's name, or fewer filters.",
                () if self._write_action is None else (self._write_action,),
            )

    def _show_remarks(self, answer: SearchAnswer, *, is_browsing: bool) -> None:
        is_weak = answer.verdict is not Verdict.MATCH and not is_browsing and bool(answer.hits)
        self._no_match.setVisible(is_weak)
        if is_weak:
            self._no_match.set_count(len(answer.hits), summary_text(answer))
        self._suggested = answer.suggestion or ""
        self.suggestion.setVisible(bool(self._suggested))
        self.suggestion.setText(f"Did you mean “{self._suggested}”?")
        self.suggestion.setAccessibleName(self.suggestion.text())
        self._partial.setVisible(answer.is_partial)
        self._partial.setText(
            "So far only names can be searched; the text follows." if answer.is_partial else ""
        )
        shown = is_weak or self._suggested or answer.is_partial
        self._remarks.setVisible(bool(shown))


class _NoMatch(QFrame):
    """Says honestly that nothing fits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "notice")
        self.setProperty("tone", "mitigate")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.setSpacing(10)
        row.addWidget(IconLabel("circle-slash", "mitigate", 18, self), 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        self._title: QLabel = label("No known fix", "heading", self)
        self._text: QLabel = label("", "secondary", self, wrap=True)
        texts.addWidget(self._title)
        texts.addWidget(self._text)
        self._write = text_button("", "link", "file-plus", self)
        self._write.hide()
        texts.addWidget(self._write, 0, Qt.AlignmentFlag.AlignLeft)
        row.addLayout(texts, 1)

    def set_action(self, action: QAction) -> None:
        """Offer ``action`` below the sentence."""
        self._write.setText(action.text())
        self._write.setAccessibleName(action.text())
        self._write.setToolTip(action.toolTip())
        self._write.clicked.connect(action.trigger)
        self._write.show()

    def set_count(self, count: int, title: str) -> None:
        """Say how many of the nearest entries follow."""
        self._title.setText(title)
        shown = {1: "The nearest entry follows", 2: "The two nearest entries follow"}.get(
            count, "The three nearest entries follow"
        )
        self._text.setText(f"{shown}; do not take their steps without checking that they fit.")


def _took_text(took_ms: float) -> str:
    return f"{took_ms:.0f} ms" if took_ms >= 1 else "< 1 ms"
