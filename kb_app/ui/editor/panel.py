"""The editor page: the text, how it will look, what lint says, and the sheet that proposes it.

Decision: every change is saved as a draft a moment later, without being asked, outside of the knowledge base.
There is nothing to lose by leaving the page, so nothing asks whether to save.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QTextCursor, QTextDocument
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QSplitter, QVBoxLayout, QWidget

from kb_app.errors import KbError
from kb_app.ui.common.actions import shown_keys
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.jobs import Jobs, Lane
from kb_app.ui.common.page import Page
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import ElidedLabel, IconButton, IconLabel, label, text_button
from kb_app.ui.common.workers import WorkerFault
from kb_app.ui.editor.check import CheckedText, TextChecker
from kb_app.ui.editor.problems import ProblemList
from kb_app.ui.editor.propose import ProposeSheet
from kb_app.ui.editor.state import SNIPPETS, Problem, Snippet, next_problem, problems_of, repaired
from kb_app.ui.editor.text import SNIPPET_MODIFIER, MarkdownEdit
from kb_app.ui.reader.find_bar import FindBar
from kb_app.ui.reader.outline import OutlinePopup
from kb_app.ui.reader.view import ReaderView
from kb_app.ui.search.client import BaseFolders
from kb_app.workspace.contributing import retitled
from kb_app.workspace.drafts import DraftStore, TextDraft
from kb_app.workspace.editing import EditableText

SAVE_PAUSE_MS = 600
"""A change is on the disk so long after it was typed, whatever else is typed meanwhile."""

SAVE_AGAIN_MS = 2_000
CHECK_PAUSE_MS = 180
LARGE_PAUSE_MS = 500
LARGE = 60_000
"""Characters from which on the text is checked only in a longer pause of the typing."""

FOLLOW_PAUSE_MS = 60
_KEYS = {snippet.key: snippet for snippet in SNIPPETS}


@dataclass(frozen=True, slots=True)
class Editing:
    """What is being edited: the draft, what it began from, its knowledge base."""

    draft: TextDraft
    opened: EditableText
    base: BaseFolders
    is_saved: bool = False


class EditorPage(Page):
    """Edits one draft at a time.

    Signals:
        saved(object): the `TextDraft` as it lies on the disk now.
        propose_requested(): the text is saved; show the sheet.
        discard_requested(object): the `TextDraft` shall be deleted; it can be brought back.
        picture_pasted(object): a `QImage`.
        checked(object): the `CheckedText` of what is written now.
    """

    saved = Signal(object)
    propose_requested = Signal()
    discard_requested = Signal(object)
    picture_pasted = Signal(object)
    checked = Signal(object)

    def __init__(
        self, jobs: Jobs, checker: TextChecker, store: DraftStore, parent: QWidget | None = None
    ) -> None:
        """Make an empty page; ``checker`` renders and lints, drafts are kept in ``store``."""
        super().__init__("Edit", parent, width=0)
        self.setObjectName("editorPage")
        self._jobs = jobs
        self._checker = checker
        self._store = store
        self.editing: Editing | None = None
        self._is_dirty = False
        self._is_saving = False
        self._has_complained = False
        self._when_saved: list[Callable[[], None]] = []
        self._serial = 0
        self._shown = (0, 0)
        self._fill_more: Callable[[QMenu], None] = lambda _menu: None
        self._anchors: dict[str, int] = {}
        self.problems: tuple[Problem, ...] = ()
        self._build()
        self._connect()

    # -- building -------------------------------------------------------------------------------------

    def _build(self) -> None:
        body = self.column.parentWidget()
        around = body.layout() if body is not None else None
        if around is not None:
            around.setContentsMargins(0, 0, 0, 0)
        self.box.setContentsMargins(0, 0, 0, 0)
        self.box.setSpacing(0)
        self.box.removeItem(self.head)
        bar = QFrame(self)
        bar.setProperty("surface", "bar")
        bar.setFixedHeight(52)
        bar.setLayout(self.head)
        self.head.setContentsMargins(20, 0, 12, 0)
        self.head.setSpacing(8)
        set_property(self.title, "textstyle", "title")
        self.box.addWidget(bar)
        self.where = ElidedLabel("", bar)
        self.where.setProperty("textstyle", "secondary")
        self.head.insertWidget(1, self.where, 1)
        self.head.setStretch(2, 0)  # the place takes the room between title and buttons
        self.saved_label = label("", "meta", bar)
        self.insert_button = text_button("Insert", "ghost", "plus", bar)
        self.insert_button.setToolTip("Insert a path, a step, attributes … (Alt and the letter shown)")
        self.insert_button.setMenu(self._insert_menu())
        self.outline_button = IconButton("list-tree", "Outline", bar, shortcut="Ctrl+Shift+O")
        self.find_button = IconButton("text-search", "Find in the text", bar, shortcut="Ctrl+F")
        self.preview_button = IconButton(
            "panel-right", "Show or hide the preview", bar, shortcut="F9", checked_color="accent"
        )
        self.preview_button.setChecked(True)
        self.more_button = IconButton("ellipsis", "More", bar)
        self.propose_button = text_button("Propose", "primary", "send", bar)
        self.propose_button.setToolTip(f"Propose ({shown_keys('Ctrl+Return')})")
        for widget in (
            self.saved_label,
            self.insert_button,
            self.outline_button,
            self.find_button,
            self.preview_button,
            self.more_button,
            self.propose_button,
        ):
            self.add_head(widget)
        self.back.setToolTip("Back; the draft is kept (Esc)")
        self._build_notice()
        self._build_body()
        self.sheet = ProposeSheet(self)
        holder = QWidget(self)
        around = QVBoxLayout(holder)
        around.setContentsMargins(20, 0, 20, 16)
        around.addWidget(self.sheet)
        self._sheet_holder = holder
        holder.hide()
        self.box.addWidget(holder)
        self.setFocusProxy(self.edit)

    def _insert_menu(self) -> QMenu:
        menu = QMenu(self)
        for snippet in SNIPPETS:
            keys = snippet.key.replace("Alt+", "Meta+") if sys.platform == "darwin" else snippet.key
            action = menu.addAction(f"{snippet.name}\t{shown_keys(keys)}")
            bind_icon(action, snippet.icon, "text2", 16)
            action.triggered.connect(partial(self.insert, snippet))
        return menu

    def _build_notice(self) -> None:
        self.notice = QFrame(self)
        self.notice.setProperty("surface", "notice")
        row = QHBoxLayout(self.notice)
        row.setContentsMargins(16, 6, 12, 6)
        row.setSpacing(10)
        self._notice_icon = IconLabel("info", "info", 16, self.notice)
        self.notice_text = label("", "", self.notice)
        self.notice_button = text_button("", "link", parent=self.notice)
        self.notice_button.clicked.connect(self._on_notice_button)
        self._notice_run: Callable[[], None] | None = None
        close = IconButton("x", "Dismiss", self.notice, size=14)
        close.clicked.connect(self.notice.hide)
        row.addWidget(self._notice_icon)
        row.addWidget(self.notice_text)
        row.addWidget(self.notice_button)
        row.addStretch(1)
        row.addWidget(close)
        self.notice.hide()
        self.box.addWidget(self.notice)

    def _build_body(self) -> None:
        self.edit = MarkdownEdit(self)
        self.find_bar = FindBar(self)
        self.find_bar.hide()
        self.problem_list = ProblemList(self)
        left = QWidget(self)
        box = QVBoxLayout(left)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        for widget, stretch in ((self.find_bar, 0), (self.edit, 1), (self.problem_list, 0)):
            box.addWidget(widget, stretch)
        self.preview = ReaderView(self._jobs, self)
        self.preview.setObjectName("editorPreview")
        self.preview.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.outline = OutlinePopup(self)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self._part_note = label("A large entry: the part around the cursor is shown", "meta", self)
        self._part_note.setContentsMargins(28, 6, 12, 6)
        self._part_note.hide()
        self.preview_side = QWidget(self)
        self.preview_side.setProperty("surface", "surface")
        side = QVBoxLayout(self.preview_side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(0)
        side.addWidget(self._part_note)
        side.addWidget(self.preview, 1)
        self.splitter.addWidget(self.preview_side)
        self.splitter.setSizes([720, 720])
        left.setMinimumWidth(360)
        self.preview_side.setMinimumWidth(320)
        self.box.addWidget(self.splitter, 1)

    def _connect(self) -> None:
        def timer(pause_ms: int, run: Callable[[], None]) -> QTimer:
            made = QTimer(self, singleShot=True, interval=pause_ms)
            made.timeout.connect(run)
            return made

        self._save_timer = timer(SAVE_PAUSE_MS, self.save)
        self._check_timer = timer(CHECK_PAUSE_MS, self.check)
        self._follow_timer = timer(FOLLOW_PAUSE_MS, self._follow)
        self.edit.document().contentsChanged.connect(self._on_changed)
        self.edit.line_changed.connect(lambda _line: self._follow_timer.start())
        self.edit.picture_pasted.connect(self.picture_pasted)
        self._checker.checked.connect(self._on_checked)
        self._checker.failed.connect(self._on_check_failed)
        self.preview.page_completed.connect(self._follow)
        self.problem_list.line_requested.connect(self.edit.go_to_line)
        self.problem_list.repair_requested.connect(self.repair)
        self.outline.anchor_chosen.connect(lambda anchor: self.edit.go_to_line(self._anchors.get(anchor, 1)))
        self.outline_button.clicked.connect(self.show_outline)
        self.find_button.clicked.connect(self.open_find)
        self.preview_button.clicked.connect(self._on_preview_button)
        self.propose_button.clicked.connect(self.ask_to_propose)
        self.find_bar.text_changed.connect(self._on_find_changed)
        self.find_bar.step_requested.connect(self._find_step)
        self.find_bar.closed.connect(self._close_find)
        self.sheet.closed.connect(self.close_sheet)
        self.sheet.line_requested.connect(self.edit.go_to_line)
        self.more_button.clicked.connect(self._show_more)
        self._more = QMenu(self)
        self.back.clicked.disconnect()
        self.back.clicked.connect(self.leave)

    # -- opening and leaving --------------------------------------------------------------------------

    def open(self, editing: Editing) -> None:
        """Edit a draft."""
        self.editing = None  # what follows is no change by the user
        draft = editing.draft
        self._checker.forget()
        self.notice.hide()
        self.close_sheet()
        self.find_bar.hide()
        self.edit.path = draft.path
        self.edit.set_text(draft.text, draft.cursor)
        self.edit.set_problems(())
        self.problems = ()
        self.preview.clear_page()
        self._is_dirty = False
        self.editing = editing
        self._show_names()
        self.saved_label.setText("Draft" if editing.is_saved else "Not changed yet")
        if editing.opened.remark:
            self.show_notice("info", editing.opened.remark)
        self.check()

    def _show_names(self) -> None:
        if self.editing is None:
            return
        draft = self.editing.draft
        verb = "New entry" if draft.is_new else "Edit"
        self.title.setText(verb)
        self.setAccessibleName(f"{verb}: {draft.title}")
        place = draft.path if draft.is_new else draft.title
        self.where.setText(f"{place}  ·  {draft.knowledge_base}")
        self.where.setAccessibleName(f"{draft.path} in {draft.knowledge_base}")

    def leave(self) -> None:
        """Save what was changed and close the page."""
        self.save()
        self.closed.emit()

    def finish(self) -> None:
        """The draft is proposed or deleted: forget it without saving, and close the page."""
        self._save_timer.stop()
        self._check_timer.stop()
        self._checker.forget()
        self._is_dirty = False
        self.editing = None
        self.closed.emit()

    def show_notice(
        self, tone: str, text: str, action: str = "", run: Callable[[], None] | None = None
    ) -> None:
        """Say something above the text, with one thing that can be done."""
        icons = {
            "info": "info",
            "mitigate": "triangle-alert",
            "danger": "triangle-alert",
            "fix": "circle-check",
        }
        set_property(self.notice, "tone", tone)
        self._notice_icon.set_icon(icons[tone], tone)
        self.notice_text.setText(text)
        self.notice_button.setText(action)
        self.notice_button.setAccessibleName(action)
        self.notice_button.setToolTip(action)
        self.notice_button.setVisible(bool(action))
        self._notice_run = run
        self.notice.show()

    def _on_notice_button(self) -> None:
        self.notice.hide()
        if self._notice_run is not None:
            self._notice_run()

    # -- drafts ---------------------------------------------------------------------------------------

    def _on_changed(self) -> None:
        if self.editing is None:
            return
        self._is_dirty = True
        if not self._save_timer.isActive():
            self._save_timer.start(SAVE_PAUSE_MS)
        is_large = self.edit.document().characterCount() > LARGE
        self._check_timer.start(LARGE_PAUSE_MS if is_large else CHECK_PAUSE_MS)

    def present_draft(self) -> TextDraft | None:
        """Return the draft with the text as it is written now."""
        if self.editing is None:
            return None
        draft = replace(self.editing.draft, text=self.edit.text(), cursor=self.edit.textCursor().position())
        return retitled(draft)

    def save(self, when_saved: Callable[[], None] | None = None) -> None:
        """Save the draft if something was changed; then call ``when_saved``."""
        if when_saved is not None:
            self._when_saved.append(when_saved)
        editing, draft = self.editing, self.present_draft()
        if editing is None or draft is None or self._is_saving:
            return
        if not self._is_dirty and (editing.is_saved or not self._when_saved):
            self._after_save()
            return
        self._save_timer.stop()
        self._is_dirty, self._is_saving = False, True
        store, is_first, raw = self._store, not editing.is_saved, editing.opened.raw
        self._jobs.run(
            lambda: store.begin(draft, raw) if is_first else store.save(draft),
            on_done=self._on_saved,
            on_error=self._on_save_failed,
            lane=Lane.WRITE,
        )

    def _on_saved(self, draft: TextDraft) -> None:
        self._is_saving = False
        if self.editing is not None and self.editing.draft.id == draft.id:
            kept = replace(
                self.editing.draft,
                saved_at=draft.saved_at,
                text=draft.text,
                title=draft.title,
                path=draft.path,
            )
            self.editing = replace(self.editing, draft=kept, is_saved=True)
            self.edit.path = draft.path
            self._show_names()
            if self._has_complained:
                self._has_complained = False
                self.notice.hide()
            self.saved_label.setText(f"Draft saved {draft.saved_at.astimezone():%H:%M}")
        self.saved.emit(draft)
        self._after_save()
        if self._is_dirty and not self._save_timer.isActive():
            self._save_timer.start(SAVE_PAUSE_MS)

    def save_soon(self) -> None:
        """Save the draft although the user has not changed it yet: somebody else wrote its text."""
        self._is_dirty = True
        self.save()

    def _after_save(self) -> None:
        waiting, self._when_saved = self._when_saved, []
        for run in waiting:
            run()

    def _on_save_failed(self, error: Exception) -> None:
        self._is_saving, self._is_dirty = False, True
        self._when_saved = []
        self.edit.setReadOnly(False)
        self.sheet.set_busy(is_busy=False)
        if not isinstance(error, KbError):
            raise error
        self._has_complained = True
        self.saved_label.setText("Not saved")
        self.show_notice("danger", f"{error.title}. Your text is kept here and saved as soon as that works.")
        self._save_timer.start(SAVE_AGAIN_MS)

    @property
    def is_settled(self) -> bool:
        """Tell whether everything that was typed is on the disk."""
        return not self._is_dirty and not self._is_saving

    # -- how it looks ---------------------------------------------------------------------------------

    def check(self) -> None:
        """Ask how the text looks and what lint says."""
        if self.editing is not None:
            self._check_timer.stop()
            draft = self.editing.draft
            self._serial = self._checker.ask(
                self.editing.base, draft.path, self.edit.text(), draft.attachments, self.edit.line()
            )

    def _on_checked(self, checked: CheckedText) -> None:
        if self.editing is None or checked.serial != self._serial:
            return
        self.problems = problems_of(checked.findings, checked.text)
        self.edit.set_problems(self.problems)
        self.problem_list.set_problems(self.problems)
        self.problem_list.setFixedHeight(self.problem_list.wanted_height())
        self._shown = checked.shown
        self._part_note.setVisible(self._shown != (0, 0))
        self._anchors = {item.anchor: item.line for item in checked.outline}
        self.outline.model.set_outline(checked.outline)
        self.outline_button.setEnabled(bool(checked.outline))
        if self.preview.isVisible():
            draft = self.editing.draft
            pictures = {path: self._store.attachment_file(draft, path) for path in draft.attachments}
            self.preview.set_page(checked.page, Path(draft.root), draft.path, pictures)
            self._follow()
        self.checked.emit(checked)

    def _on_check_failed(self, fault: WorkerFault) -> None:
        if self.editing is not None:
            self.problem_list.count.setText(f"{fault.title}. {fault.hint}".rstrip())

    def _follow(self) -> None:
        """Keep the preview at the section that is written."""
        if self.preview.isVisible() and self.editing is not None:
            line = self.edit.line()
            if self._shown != (0, 0) and not self._shown[0] <= line <= self._shown[1]:
                if not self._check_timer.isActive() and not self._checker.is_busy:
                    self.check()
            else:
                self.preview.show_line(line)

    def _on_preview_button(self) -> None:
        self.preview_side.setVisible(self.preview_button.isChecked())
        if self.preview_button.isChecked():
            self.check()

    def show_outline(self) -> None:
        """Open the list of headings."""
        if self._anchors:
            line = self.edit.line()
            above = [anchor for anchor, at in self._anchors.items() if at <= line]
            corner = self.outline_button.mapToGlobal(QPoint(self.outline_button.width(), 40))
            self.outline.open_at(corner, above[-1] if above else "")

    # -- problems, snippets, find ---------------------------------------------------------------------

    def go_to_problem(self, step: int) -> None:
        """Go to the next (1) or previous (-1) problem."""
        problem = next_problem(self.problems, self.edit.line(), step)
        if problem is not None:
            self.edit.go_to_line(problem.line)

    def repair_here(self) -> None:
        """Repair the first problem of the cursor's line that can be repaired."""
        line = self.edit.line()
        problem = next((p for p in self.problems if p.line == line and p.repair), None)
        if problem is not None:
            self.repair(problem)

    def repair(self, problem: Problem) -> None:
        """Repair a problem; one step of undo takes it back."""
        self.edit.replace_text(repaired(self.edit.text(), problem))
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.check()

    def insert(self, snippet: Snippet) -> None:
        """Insert a snippet at the cursor."""
        self.edit.insert_snippet(snippet)

    def open_find(self) -> None:
        """Open the search within the text."""
        self.find_bar.open(self.edit.textCursor().selectedText())

    def _close_find(self) -> None:
        self.find_bar.hide()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_find_changed(self, text: str) -> None:
        cursor = self.edit.textCursor()
        cursor.setPosition(cursor.selectionStart())
        self.edit.setTextCursor(cursor)
        if text:
            self._find_step(1)
        else:
            self.find_bar.show_count(0, 0)

    def _find_step(self, step: int) -> None:
        text = self.find_bar.text()
        flags = QTextDocument.FindFlag.FindBackward if step < 0 else QTextDocument.FindFlag(0)
        if text and not self.edit.find(text, flags):
            ends = QTextCursor.MoveOperation
            self.edit.moveCursor(ends.End if step < 0 else ends.Start)
            self.edit.find(text, flags)
        whole, wanted = self.edit.text().casefold(), text.casefold()
        total = whole.count(wanted) if wanted else 0
        at = self.edit.textCursor().selectionStart()
        number = whole[: at + 1].count(wanted) + 1 if total else 0
        self.find_bar.show_count(min(number, total), total)

    # -- proposing ------------------------------------------------------------------------------------

    def ask_to_propose(self) -> None:
        """Save the draft, then ask for the sheet."""
        if self.editing is not None:
            self.save(self.propose_requested.emit)

    def show_sheet(self) -> None:
        """Give the sheet its place; its own methods say what it shows."""
        self._sheet_holder.show()
        self.sheet.show()

    def close_sheet(self) -> None:
        """Go on writing."""
        self._sheet_holder.hide()
        self.sheet.hide()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def is_asking(self) -> bool:
        """Tell whether the sheet is open."""
        return self._sheet_holder.isVisible()

    # -- keys -----------------------------------------------------------------------------------------

    def set_more(self, fill: Callable[[QMenu], None]) -> None:
        """Let ``fill`` add what the entry's own menu holds."""
        self._fill_more = fill

    def _show_more(self) -> None:
        self._more.clear()
        self._fill_more(self._more)
        self._more.addSeparator()
        delete = self._more.addAction("Delete this draft")
        bind_icon(delete, "trash-2", "danger", 16)
        delete.triggered.connect(self._on_delete)
        self._more.popup(self.more_button.mapToGlobal(QPoint(0, self.more_button.height())))

    def _on_delete(self) -> None:
        if self.editing is not None:
            self.discard_requested.emit(self.editing.draft)

    def _command(self, event: QKeyEvent) -> Callable[[], object] | None:
        """Return what a key does on this page, or None."""
        keys = event.keyCombination()
        combination = (keys.keyboardModifiers() & ~Qt.KeyboardModifier.KeypadModifier, keys.key())
        control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
        none = Qt.KeyboardModifier.NoModifier
        commands: dict[tuple[Qt.KeyboardModifier, Qt.Key], Callable[[], object]] = {
            (control, Qt.Key.Key_S): self.save,
            (control, Qt.Key.Key_Return): self.ask_to_propose,
            (control, Qt.Key.Key_Enter): self.ask_to_propose,
            (control, Qt.Key.Key_F): self.open_find,
            (control | shift, Qt.Key.Key_O): self.show_outline,
            (control, Qt.Key.Key_Period): self.repair_here,
            (none, Qt.Key.Key_F8): partial(self.go_to_problem, 1),
            (shift, Qt.Key.Key_F8): partial(self.go_to_problem, -1),
            (none, Qt.Key.Key_F3): partial(self._find_step, 1),
            (shift, Qt.Key.Key_F3): partial(self._find_step, -1),
            (none, Qt.Key.Key_F9): self.preview_button.click,
        }
        found = commands.get(combination)
        if found is None and combination[0] == SNIPPET_MODIFIER:
            snippet = _KEYS.get(f"Alt+{chr(keys.key())}") if keys.key() < 128 else None
            return partial(self.insert, snippet) if snippet is not None else None
        return found

    def _is_own_key(self, event: QEvent) -> bool:
        return isinstance(event, QKeyEvent) and (
            event.key() == Qt.Key.Key_Escape or self._command(event) is not None
        )

    def event(self, event: QEvent) -> bool:
        """Take this page's keys before the window's shortcuts of the same keys."""
        if event.type() == QEvent.Type.ShortcutOverride and self._is_own_key(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Run this page's keys; Esc closes what is open, then leaves with the draft kept."""
        command = self._command(event)
        if command is not None:
            command()
        elif event.key() == Qt.Key.Key_Escape:
            if self.find_bar.isVisible():
                self._close_find()
            elif self.is_asking:
                self.close_sheet()
            else:
                self.leave()
        else:
            super().keyPressEvent(event)
