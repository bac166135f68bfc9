"""The history page: versions at the left; what the selected one changed, or who wrote what, at the right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kb_app.entries.model import Entry
from kb_app.errors import KbError
from kb_app.gitstore.history import BlameLine, Revision, Signature, SignatureState
from kb_app.paths import AppFolders
from kb_app.ui.common.diff_lines import Line, counted, lines_of_runs
from kb_app.ui.common.diff_view import DiffView
from kb_app.ui.common.jobs import Jobs, Lane
from kb_app.ui.common.local_keys import LocalKeys
from kb_app.ui.common.messages import announce
from kb_app.ui.common.page import Page
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.widgets import (
    Badge,
    ElidedLabel,
    EmptyState,
    Hairline,
    ProgressLine,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.versions.blame import BlameView
from kb_app.ui.versions.details import VersionDetails
from kb_app.ui.versions.state import (
    FIRST_VERSIONS,
    MORE_VERSIONS,
    VIEW_NAMES,
    Pair,
    View,
    confirmation_text,
    danger_text,
    dangerous_lines,
    pair_of,
    spoken_row,
)
from kb_app.ui.versions.timeline import Timeline
from kb_app.workspace.past import Comparison, NoPast, Past, Version, open_past

T = TypeVar("T")

NARROWEST_LIST, WIDEST_LIST = 280, 420
"""Width of the list of versions in pixels."""


class HistoryPage(Page):
    """The past of one entry; everything is read on a thread of its own.

    Args:
        jobs: where git is asked.
        folders: the user's folders.
        parent: owner.

    Signals:
        copy_wanted(object): a managed copy of the knowledge base in this folder (`Path`) is wanted.
        address_wanted(str): a page outside shall be opened; ask first.
        restore_wanted(object, str): the `EntryRef` and a former text of it, to go on with.
        said(str): a passing remark.
    """

    copy_wanted = Signal(object)
    address_wanted = Signal(str)
    restore_wanted = Signal(object, str)
    said = Signal(str)

    def __init__(self, jobs: Jobs, folders: AppFolders, parent: QWidget | None = None) -> None:
        super().__init__("History", parent, width=0)
        self.setObjectName("historyPage")
        self._jobs, self._folders = jobs, folders
        self._past: Past | None = None
        self._ref: EntryRef | None = None
        self._root = Path()
        self._names: tuple[str, ...] = ()
        self._round = 0
        self._asked = 0
        self._is_complete = self._is_reading = False
        self._confirmed: Revision | None = None
        self._comparison: Comparison | None = None
        self._dangerous: tuple[str, ...] = ()
        self._blame: tuple[BlameLine, ...] | None = None
        self.view = View.CHANGE
        self._build()
        self._connect()

    # -- building ---------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.box.setContentsMargins(16, 20, 16, 12)
        self.box.setSpacing(8)
        self.where = ElidedLabel("", self.column)
        self.where.setProperty("textstyle", "secondary")
        self.confirmation = Badge("circle-question-mark", "", "muted", self.column)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self.where, 1)
        line.addWidget(self.confirmation)
        self.box.addLayout(line)
        self.progress = ProgressLine("Reading the history", self.column)
        self.progress.set_progress(0, 0)
        self.progress.setFixedHeight(2)
        self.box.addWidget(self.progress)
        self.empty = EmptyState("history", "", "", parent=self.column)
        self.stack = QStackedWidget(self.column)
        self.stack.addWidget(self._build_versions())
        self.stack.addWidget(self.empty)
        self.box.addWidget(self.stack, 1)

    def _build_versions(self) -> QWidget:
        self.timeline = Timeline()
        self.count = label("", "meta")
        self.count.setContentsMargins(16, 6, 16, 6)
        left = _card()
        box = QVBoxLayout(left)
        box.setContentsMargins(1, 6, 1, 1)
        box.setSpacing(0)
        box.addWidget(self.timeline, 1)
        box.addWidget(Hairline(left))
        box.addWidget(self.count)
        left.setMinimumWidth(NARROWEST_LIST)
        left.setMaximumWidth(WIDEST_LIST)
        both = QWidget(self.column)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(left, 2)
        row.addWidget(self._build_right(), 5)
        return both

    def _build_right(self) -> QWidget:
        right = _card()
        box = QVBoxLayout(right)
        box.setContentsMargins(1, 1, 1, 1)
        box.setSpacing(0)
        self.details = VersionDetails(right)
        box.addWidget(self.details)
        box.addLayout(self._build_bar(right))
        box.addWidget(Hairline(right))
        self.diff = DiffView("What changed in this version", right)
        self.diff.setObjectName("versionText")
        self.blame = BlameView(right)
        self.same = EmptyState("check", "No difference", "Both versions say the same.", parent=right)
        self.texts = QStackedWidget(right)
        for widget in (self.diff, self.blame, self.same):
            self.texts.addWidget(widget)
        box.addWidget(self.texts, 1)
        self.status = ElidedLabel("", right, mode=Qt.TextElideMode.ElideRight)
        self.status.setProperty("textstyle", "meta")
        self.status.setContentsMargins(16, 6, 16, 6)
        box.addWidget(Hairline(right))
        box.addWidget(self.status)
        return right

    def _build_bar(self, parent: QWidget) -> QHBoxLayout:
        bar = QHBoxLayout()
        bar.setContentsMargins(12, 0, 16, 8)
        bar.setSpacing(4)
        self.tabs = QButtonGroup(self)
        self._tab_of: dict[View, QPushButton] = {}
        for view, text, tip in VIEW_NAMES:
            button = text_button(text, "tab", "", parent)
            button.setCheckable(True)
            button.setChecked(view is self.view)
            button.setToolTip(tip)
            button.clicked.connect(partial(self.show_view, view))
            self.tabs.addButton(button)
            self._tab_of[view] = button
            bar.addWidget(button)
        bar.addStretch(1)
        self.copy = text_button("Copy its text", "ghost", "copy", parent)
        self.copy.setToolTip("Copy the whole text of this version (Y)")
        self.copy.clicked.connect(self._copy_text)
        self.restore = text_button("Restore as a draft", "", "rotate-ccw", parent)
        self.restore.setToolTip(
            "Go on writing from this version; nothing is changed until you propose it (R)"
        )
        self.restore.clicked.connect(self._restore)
        bar.addWidget(self.copy)
        bar.addWidget(self.restore)
        return bar

    def _connect(self) -> None:
        self.timeline.chosen.connect(self._on_chosen)
        self.timeline.opened.connect(self._focus_text)
        self.timeline.end_neared.connect(self._read_more)
        self.details.review_wanted.connect(self.address_wanted)
        self.blame.version_wanted.connect(self._go_to_commit)
        self.blame.line_changed.connect(self._on_blame_line)
        keys: dict[str, Callable[[], None]] = {
            str(number): partial(self.show_view, view) for number, (view, _, _) in enumerate(VIEW_NAMES, 1)
        }
        keys |= {"R": self._restore, "Y": self._copy_text, "O": self.details.open_review}
        self.keys = LocalKeys(self, keys)
        self.setFocusProxy(self.timeline)

    # -- reading ----------------------------------------------------------------------------------------

    def show_entry(self, ref: EntryRef, root: Path, entry: Entry) -> None:
        """Show the past of an entry of the knowledge base whose folder is ``root``."""
        self._round += 1
        self._ref, self._root, self._past = ref, root, None
        self._names = tuple(dict.fromkeys((entry.id, entry.path, entry.stem)))
        self._is_complete, self._is_reading = False, True
        self._confirmed = self._comparison = self._blame = None
        self.where.setText(f"{entry.title}  ·  {ref.knowledge_base} / {ref.path}")
        self.timeline.versions.set_versions(())
        self.count.setText("")
        self.status.setText("")
        self.confirmation.hide()
        self.diff.clear_view()
        self.blame.show_lines(())
        self.stack.setCurrentIndex(0)
        self.stack.hide()
        self.progress.show()
        self.show_view(View.CHANGE)
        self._ask(partial(_first, self._folders, root, ref.path), self._on_first)

    def _ask(self, work: Callable[[], T], on_done: Callable[[T], None]) -> None:
        """Ask git; an answer for another entry is dropped."""
        asked = self._round

        def deliver(result: T) -> None:
            if asked == self._round:
                on_done(result)

        def complain(error: Exception) -> None:
            if asked == self._round:
                self._on_error(error)

        self._jobs.run(work, on_done=deliver, on_error=complain, lane=Lane.HISTORY)

    def _on_error(self, error: Exception) -> None:
        self.progress.hide()
        self._is_reading = False
        if not isinstance(error, KbError):
            raise error
        if self.timeline.versions.rowCount():
            self.status.setText(f"{error.title}. {error.hint}")
        else:
            self._show_empty("triangle-alert", error.title, error.hint)

    def _on_first(self, found: NoPast | tuple[Past, tuple[Version, ...]]) -> None:
        self.progress.hide()
        self._is_reading = False
        if isinstance(found, NoPast):
            self._show_no_past(found)
            return
        self._past, versions = found
        self._is_complete = len(versions) < FIRST_VERSIONS
        if not versions:
            self._show_empty(
                "history",
                "No version of this entry yet",
                "It is not in the history yet: it was made here and waits to be taken over.",
            )
            return
        self.stack.setCurrentIndex(0)
        self.stack.show()
        self.timeline.versions.set_versions(versions)
        self._show_count()
        self.timeline.select_row(0)
        self.timeline.setFocus(Qt.FocusReason.OtherFocusReason)
        self._check_signatures(0)
        self._ask(partial(self._past.confirmation, self._names), self._on_confirmation)

    def _read_more(self) -> None:
        if self._past is None or self._is_complete or self._is_reading or self._ref is None:
            return
        self._is_reading = True
        skip = self.timeline.versions.rowCount()
        work = partial(self._past.versions, self._ref.path, skip=skip, limit=MORE_VERSIONS)
        self._ask(work, partial(self._on_more, skip))

    def _on_more(self, first: int, versions: Sequence[Version]) -> None:
        self._is_reading = False
        self._is_complete = len(versions) < MORE_VERSIONS
        self.timeline.versions.append(versions)
        self._show_count()
        self._show_confirmation()
        self._check_signatures(first)

    def _check_signatures(self, first: int) -> None:
        """Check those read last that are signed, one after the other: each takes some milliseconds."""
        assert self._past is not None
        for row in range(first, self.timeline.versions.rowCount()):
            version = self.timeline.versions.versions[row]
            if version.revision.signature.state is SignatureState.UNCHECKED:
                self._ask(partial(self._past.signature, version), partial(self._on_signature, row))

    def _on_signature(self, row: int, signature: Signature) -> None:
        version = self.timeline.versions.versions[row]
        checked = replace(version, revision=replace(version.revision, signature=signature))
        self.timeline.versions.replace(row, checked)
        if self.timeline.selected_rows() == (row,):
            self.details.show_signature(signature)
            self._warn()

    def _on_confirmation(self, confirmed: Revision | None) -> None:
        self._confirmed = confirmed
        self._show_confirmation()

    def _show_confirmation(self) -> None:
        text = confirmation_text(
            self._confirmed, self.timeline.versions.versions, is_complete=self._is_complete
        )
        is_known = self._confirmed is not None
        icon, tone = ("shield-check", "fix") if is_known else ("circle-question-mark", "muted")
        self.confirmation.set_badge(icon, text, tone)
        self.confirmation.setToolTip(plain_tooltip(self._confirmed.subject if self._confirmed else ""))
        self.confirmation.show()

    def _show_count(self) -> None:
        count = self.timeline.versions.rowCount()
        more = "" if self._is_complete else " read; more below"
        hint = "   Shift + arrows: compare two" if count > 1 else ""
        self.count.setText(f"{count:,} {'version' if count == 1 else 'versions'}{more}{hint}")

    # -- what is shown ------------------------------------------------------------------------------------

    def show_view(self, view: View) -> None:
        """Show this of the selected version."""
        self.view = view
        self._tab_of[view].setChecked(True)
        self._show_selected()

    def _on_chosen(self) -> None:
        rows = self.timeline.selected_rows()
        versions = self.timeline.versions.versions
        if not rows:
            return
        pair = pair_of(rows)
        if pair is not None:
            self.details.show_pair(versions[pair.old], versions[pair.new], pair.old - pair.new)
        else:
            self.details.show_version(versions[rows[0]])
            announce(self.timeline, spoken_row(versions[rows[0]]))
        for view, button in self._tab_of.items():
            button.setEnabled(pair is None or view is View.CHANGE)
        self.restore.setEnabled(pair is None)
        self.copy.setEnabled(pair is None)
        self._tab_of[View.CHANGE].setText("Between the two" if pair is not None else "What it changed")
        if pair is not None and self.view is not View.CHANGE:
            self.show_view(View.CHANGE)
        elif self.view is not View.LINES or self._blame is None:
            self._show_selected()

    def _show_selected(self) -> None:
        rows = self.timeline.selected_rows()
        if self._past is None or not rows:
            return
        self._asked += 1
        if self.view is View.LINES:
            self._show_blame()
            return
        past, versions, pair = self._past, self.timeline.versions.versions, pair_of(rows)
        selected = versions[rows[0]]
        work: Callable[[], Comparison]
        if pair is not None:
            work = partial(past.between, versions[pair.old], versions[pair.new])
        elif self.view is View.CHANGE:
            work = partial(past.change, selected)
        elif self.view is View.SINCE:
            work = partial(past.between, selected, versions[0])
        else:
            work = partial(past.whole, selected)
        self._ask(partial(_with_lines, work), partial(self._on_comparison, self._asked, pair))

    def _on_comparison(
        self, asked: int, pair: Pair | None, found: tuple[Comparison, tuple[Line, ...]]
    ) -> None:
        comparison, lines = found
        if asked != self._asked:
            return
        self._comparison = comparison
        is_whole = self.view is View.TEXT and pair is None
        self._dangerous = dangerous_lines(lines) if self.view is View.CHANGE and pair is None else ()
        self._warn()
        if is_whole:
            self.diff.show_lines(lines, fold=False)
            self.status.setText(f"{len(lines):,} lines, as they were then")
        elif comparison.is_empty:
            self.texts.setCurrentWidget(self.same)
            self.status.setText("No difference")
            return
        else:
            self.diff.show_lines(lines)
            self.status.setText(counted(lines).text)
        self.texts.setCurrentWidget(self.diff)

    def _warn(self) -> None:
        """Warn of dangerous commands in a change that nobody vouches for."""
        rows = self.timeline.selected_rows()
        if len(rows) == 1:
            signature = self.timeline.versions.versions[rows[0]].revision.signature
            self.details.warn(danger_text(signature, self._dangerous))

    def _show_blame(self) -> None:
        if self._blame is not None:
            self.texts.setCurrentWidget(self.blame)
            self._on_blame_line(self._about_line())
            return
        assert self._past is not None
        assert self._ref is not None
        self._ask(partial(self._past.blame, self._ref.path), partial(self._on_blame, self._asked))

    def _on_blame(self, asked: int, lines: tuple[BlameLine, ...]) -> None:
        self._blame = lines
        self.blame.show_lines(lines)
        if asked == self._asked:
            self.texts.setCurrentWidget(self.blame)
            self._on_blame_line(self._about_line())

    def _about_line(self) -> str:
        line = self.blame.current_line()
        return self.blame.about(line) if line is not None else ""

    def _on_blame_line(self, text: str) -> None:
        if self.view is View.LINES:
            self.status.setText(text)

    def _go_to_commit(self, commit: str) -> None:
        row = self.timeline.row_of(commit)
        if row < 0:
            self.said.emit("That version is further down; it is read when the list is scrolled")
            return
        self.view = View.CHANGE
        self._tab_of[View.CHANGE].setChecked(True)
        self.timeline.clearSelection()
        self.timeline.select_row(row)
        self._show_selected()
        self.timeline.setFocus(Qt.FocusReason.OtherFocusReason)

    def _focus_text(self) -> None:
        current = self.texts.currentWidget()
        if current is not None:
            current.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_no_past(self, found: NoPast) -> None:
        actions = []
        if found.can_copy:
            copy = QAction("Make a managed copy", self)
            copy.triggered.connect(lambda: self.copy_wanted.emit(self._root))
            actions.append(copy)
        self._show_empty("folder", found.title, found.hint, actions)

    def _show_empty(self, icon: str, title: str, hint: str, actions: Sequence[QAction] = ()) -> None:
        self.empty.set_state(icon, title, hint, actions)
        self.stack.setCurrentWidget(self.empty)
        self.stack.show()
        button = self.empty.findChild(QPushButton)
        (button or self.back).setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self.empty, f"{title}. {hint}")

    # -- a former version ---------------------------------------------------------------------------------

    def _with_text(self, use: Callable[[str], None]) -> None:
        rows = self.timeline.selected_rows()
        if self._past is not None and len(rows) == 1:
            self._ask(partial(self._past.text, self.timeline.versions.versions[rows[0]]), use)

    def _copy_text(self) -> None:
        def copy(text: str) -> None:
            QGuiApplication.clipboard().setText(text)
            self.said.emit("The text of this version is copied")

        self._with_text(copy)

    def _restore(self) -> None:
        if self._ref is None:
            return
        ref = self._ref
        self._with_text(lambda text: self.restore_wanted.emit(ref, text))


def _card() -> QFrame:
    card = QFrame()
    card.setProperty("surface", "card")
    return card


def _first(folders: AppFolders, root: Path, path: str) -> NoPast | tuple[Past, tuple[Version, ...]]:
    past = open_past(folders, root)
    return past if isinstance(past, NoPast) else (past, past.versions(path, limit=FIRST_VERSIONS))


def _with_lines(compare: Callable[[], Comparison]) -> tuple[Comparison, tuple[Line, ...]]:
    """Compare, and split into lines where nobody waits for it."""
    comparison = compare()
    return comparison, lines_of_runs(comparison.runs)
