"""The page that adds a repository: address, name, progress, and what to do when it does not come."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kb_app.errors import KbError
from kb_app.gitstore.clones import CloneEnd, CloneOutcome, Survey
from kb_app.gitstore.process import Progress
from kb_app.gitstore.store import GitStore
from kb_app.gitstore.trees import FolderCount
from kb_app.logs import visible
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import announce
from kb_app.ui.common.page import Page
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import IconLabel, ProgressLine, label, text_button
from kb_app.ui.sync.fold import DetailsFold
from kb_app.ui.sync.state import SUGGEST_FOLDERS, free_name, name_problem, progress_text
from kb_app.workspace.syncing import Added, add_repository, check_address, look_into, open_store

if TYPE_CHECKING:
    from kb_app.ui.desk import Desk

LARGE_BYTES = 200_000_000
"""Bytes received after which a part of the repository is offered."""

MAX_FOLDERS = 200
"""Folders that are offered; a repository with more is chosen from by its largest."""

MAX_LIST_HEIGHT = 264


class _Card(QFrame):
    """A framed part of the page."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(20, 16, 20, 20)
        self.box.setSpacing(8)


class ProgressCard(_Card):
    """How far the copying is, with its way out.

    Signals:
        cancelled(): it shall stop.
        part_requested(): only some folders are wanted after all.
    """

    cancelled = Signal()
    part_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        """Make a hidden one."""
        super().__init__(parent)
        self._title = label("", "title", self)
        self.text = label("", "secondary", self)
        self.text.setObjectName("cloneProgress")
        self.line = ProgressLine("Copying the repository", self)
        self.cancel = text_button("Cancel", "", parent=self)
        self.cancel.setObjectName("cancelClone")
        self.cancel.setToolTip("Stop copying; nothing is left behind")
        self.cancel.clicked.connect(self.cancelled)
        self.part = text_button("Only some folders…", "ghost", "folder", self)
        self.part.clicked.connect(self.part_requested)
        row = QHBoxLayout()
        row.addWidget(self.text, 1)
        row.addWidget(self.part)
        row.addWidget(self.cancel)
        for item in (self._title, self.line):
            self.box.addWidget(item)
        self.box.addLayout(row)
        self.hide()

    def begin(self, title: str) -> None:
        """Show that it begins."""
        self._title.setText(title)
        self.text.setText("Asking the server")
        self.line.set_progress(0, 0)
        self.part.hide()
        self.cancel.setEnabled(True)
        self.show()

    def hear(self, progress: Progress) -> None:
        """Show how far it is."""
        self.text.setText(progress_text(progress, ""))
        self.line.set_progress(progress.percent, 100)
        self.part.setVisible((progress.received_bytes or 0) > LARGE_BYTES)

    def end_soon(self) -> None:
        """Show that it was told to stop."""
        self.text.setText("Stopping")
        self.cancel.setEnabled(False)


class FailureCard(_Card):
    """Why it did not come, and what to do.

    Signals:
        again_requested(): try once more.
        part_requested(): only some folders.
    """

    again_requested = Signal()
    part_requested = Signal()

    def __init__(self, parent: QWidget) -> None:
        """Make a hidden one."""
        super().__init__(parent)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(IconLabel("triangle-alert", "danger", 18, self), 0, Qt.AlignmentFlag.AlignTop)
        self.sentence = label("", "heading", self, wrap=True)
        self.sentence.setObjectName("cloneFailure")
        head.addWidget(self.sentence, 1)
        self.hint = label("", "secondary", self, wrap=True)
        self.details = DetailsFold(self)
        self.again = text_button("Try again", "", "rotate-ccw", self)
        self.again.clicked.connect(self.again_requested)
        self.part = text_button("Only some folders…", "", "folder", self)
        self.part.clicked.connect(self.part_requested)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.again, self.part):
            row.addWidget(button)
        row.addStretch(1)
        self.box.addLayout(head)
        self.box.addWidget(self.hint)
        self.box.addLayout(row)
        self.box.addWidget(self.details)
        self.hide()

    def show_failure(self, sentence: str, hint: str, details: str, *, offers_part: bool) -> None:
        """Say why."""
        self.sentence.setText(sentence)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.details.set_text(details)
        self.part.setVisible(offers_part)
        self.show()
        announce(self, f"{sentence}. {hint}")


class FoldersCard(_Card):
    """The folders of a repository, to choose from.

    Signals:
        chosen(object): the paths as a tuple.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        """Make a hidden one."""
        super().__init__(parent)
        self._title = label("", "title", self)
        self._boxes: list[tuple[QCheckBox, str]] = []
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self.copy = text_button("Copy the chosen folders", "primary", parent=self)
        self.copy.clicked.connect(lambda: self.chosen.emit(self.paths()))
        self.copy.setObjectName("copyFolders")
        row = QHBoxLayout()
        row.addWidget(self.copy)
        row.addStretch(1)
        self.box.addWidget(self._title)
        self.box.addWidget(
            label("Files beside the chosen folders come along; texts of others stay away.", "secondary", self)
        )
        self.box.addWidget(self._scroll)
        self.box.addLayout(row)
        self.hide()

    def show_folders(self, files: int, folders: Sequence[FolderCount]) -> None:
        """Offer ``folders`` of a repository that holds so many files."""
        self._title.setText(f"It holds {files:,} files. Which folders do you need?")
        body = QWidget()
        body.setProperty("surface", "surface")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 8, 0)
        box.setSpacing(2)
        self._boxes = []
        for folder in folders[:MAX_FOLDERS]:
            row = QHBoxLayout()
            check = QCheckBox(visible(folder.path).replace("&", "&&"), body)
            check.setAccessibleName(f"{folder.path}, {folder.entries} entries")
            check.toggled.connect(self._on_toggled)
            row.addWidget(check)
            row.addStretch(1)
            noun = "entry" if folder.entries == 1 else "entries"
            row.addWidget(label(f"{folder.entries:,} {noun} in {folder.files:,} files", "secondary", body))
            box.addLayout(row)
            self._boxes.append((check, folder.path))
        box.addStretch(1)
        self._scroll.setWidget(body)
        self._scroll.setFixedHeight(min(MAX_LIST_HEIGHT, body.sizeHint().height()))
        self._on_toggled()
        self.show()
        if self._boxes:
            self._boxes[0][0].setFocus()

    def paths(self) -> tuple[str, ...]:
        """Return the chosen folders."""
        return tuple(path for check, path in self._boxes if check.isChecked())

    def checks(self) -> tuple[QCheckBox, ...]:
        """Return the boxes in order."""
        return tuple(check for check, _ in self._boxes)

    def _on_toggled(self) -> None:
        self.copy.setEnabled(bool(self.paths()))


class AddRepositoryPage(Page):
    """Adds a repository to the knowledge bases.

    Signals:
        added(str): the knowledge base of this name is here and being opened.
        heard(object): how far the copying is; from another thread.
    """

    added = Signal(str)
    heard = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        """Make the page; `begin` fills it."""
        super().__init__("Add a Git repository", parent)
        self.setObjectName("addRepositoryPage")
        self._desk = desk
        self._store: GitStore | None = None
        self._stop: threading.Event | None = None
        self._wants_part = False
        self._instead_of = ""
        self._only: tuple[str, ...] = ()
        self._is_name_typed = False
        lead = label(
            "kb_app makes a copy of its own and keeps it up to date. Everything works without a network; "
            "nothing is sent but the proposals you make.",
            "secondary",
            self.column,
            wrap=True,
        )
        self.box.addWidget(lead)
        self._no_git = FailureCard(self.column)
        self._no_git.again.setText("Look again")
        self._no_git.again.setAccessibleName("Look for git again")
        self._no_git.again_requested.connect(self._find_git)
        self.box.addWidget(self._no_git)
        self.box.addWidget(self._build_form())
        self.progress = ProgressCard(self.column)
        self.failure = FailureCard(self.column)
        self.folders = FoldersCard(self.column)
        for card in (self.progress, self.failure, self.folders):
            self.box.addWidget(card)
        self.box.addStretch(1)
        self.progress.cancelled.connect(self.cancel)
        self.progress.part_requested.connect(self._on_part_requested)
        self.failure.again_requested.connect(self._copy_again)
        self.failure.part_requested.connect(self._look)
        self.folders.chosen.connect(self._copy)
        self.heard.connect(self._on_heard)
        self.setFocusProxy(self.address)

    def _build_form(self) -> QWidget:
        form = _Card(self.column)
        self.address, self.address_problem = self._field(form, "Address", "repositoryAddress")
        self.address.setPlaceholderText("https://host/team/runbooks.git or git@host:team/runbooks.git")
        self.name, self.name_problem = self._field(form, "Name", "repositoryName")
        self.address.textChanged.connect(self._on_address_changed)
        self.name.textEdited.connect(self._on_name_edited)
        self.name.textChanged.connect(self._check)
        self.address.returnPressed.connect(self._on_return)
        self.name.returnPressed.connect(self._on_return)
        self.add = text_button("Add", "primary", parent=form)
        self.add.setObjectName("addRepository")
        self.add.setToolTip("Copy the repository and search it (Enter)")
        self.add.clicked.connect(partial(self._copy, ()))
        self.part = text_button("Only some folders…", "ghost", "folder", form)
        self.part.setToolTip("Look what it holds, then choose: for repositories with many products")
        self.part.clicked.connect(self._look)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.add)
        row.addWidget(self.part)
        row.addStretch(1)
        form.box.addLayout(row)
        self._form = form
        return form

    @staticmethod
    def _field(form: _Card, name: str, object_name: str) -> tuple[QLineEdit, QLabel]:
        head = label(name, "heading", form)
        field = QLineEdit(form)
        field.setObjectName(object_name)
        field.setAccessibleName(name)
        field.setMinimumHeight(32)
        head.setBuddy(field)
        problem = label("", "secondary", form, wrap=True)
        problem.setProperty("tone", "danger")
        problem.setMinimumHeight(16)
        group = QVBoxLayout()
        group.setSpacing(4)
        for widget in (head, field, problem):
            group.addWidget(widget)
        form.box.addLayout(group)
        return field, problem

    # -- the form --------------------------------------------------------------------------------------

    def begin(self, address: str = "", *, instead_of: str = "") -> None:
        """Start anew with ``address`` in the field; a copying that is under way stays in view."""
        if self._stop is not None:
            return
        self._instead_of = instead_of
        self._is_name_typed = False
        self._only = ()
        self.failure.hide()
        self.folders.hide()
        self.address.setText(address)
        self._on_address_changed()
        self.address.selectAll()
        if not self.has_git:
            self._find_git()

    def _find_git(self) -> None:
        folders = self._desk.workspace.folders
        self._desk.jobs.run(
            lambda: open_store(folders), on_done=self._on_store, on_error=self._on_error, lane=Lane.GIT
        )

    def _on_store(self, store: GitStore) -> None:
        self._store = store
        self._no_git.hide()
        if store.program is None:
            sentence, _, hint = store.problem.partition(". ")
            hint = hint or "Install git; everything else works without it"
            self._no_git.show_failure(sentence.rstrip("."), hint, "", offers_part=False)
        self._check()

    @property
    def has_git(self) -> bool:
        """There is a git that can be used."""
        return self._store is not None and self._store.program is not None

    @property
    def _taken(self) -> tuple[str, ...]:
        workspace = self._desk.workspace
        names = [base.name for base in workspace.bases]
        names += [base.name for base in workspace.settings.knowledge_bases]
        return tuple(name for name in names if name != self._instead_of)

    def _on_address_changed(self) -> None:
        check = check_address(self.address.text())
        if check.is_ok and not self._is_name_typed:
            self.name.setText(free_name(check.name, self._taken))
        elif not self.address.text().strip() and not self._is_name_typed:
            self.name.clear()
        self._check()

    def _on_name_edited(self) -> None:
        self._is_name_typed = bool(self.name.text().strip())

    def _check(self) -> None:
        check = check_address(self.address.text())
        problem = f"{check.problem}. {check.hint}" if check.problem and check.hint else check.problem
        self._show_problem(self.address, self.address_problem, problem)
        wrong = name_problem(self.name.text(), self._taken) if check.is_ok else ""
        self._show_problem(self.name, self.name_problem, wrong)
        is_ready = check.is_ok and not wrong and self.has_git and self._stop is None
        self.add.setEnabled(is_ready)
        self.part.setEnabled(is_ready)

    @staticmethod
    def _show_problem(field: QLineEdit, place: QLabel, problem: str) -> None:
        place.setText(problem)
        set_property(field, "invalid", "true" if problem else "false")
        field.setAccessibleDescription(problem)

    def _on_return(self) -> None:
        if self.add.isEnabled():
            self._copy(())

    # -- copying ---------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Stop what is under way within a second."""
        if self._stop is not None:
            self._stop.set()
            self.progress.end_soon()

    def _on_part_requested(self) -> None:
        self._wants_part = True
        self.cancel()

    def _begin_work(self, title: str) -> threading.Event:
        self._stop = threading.Event()
        self._wants_part = False
        self.failure.hide()
        self.folders.hide()
        self.progress.begin(title)
        self._form.setEnabled(False)
        self.progress.cancel.setFocus()
        return self._stop

    def _end_work(self) -> None:
        self._stop = None
        self.progress.hide()
        self._form.setEnabled(True)
        self._check()

    def _copy_again(self) -> None:
        self._copy(self._only)

    def _copy(self, only: tuple[str, ...]) -> None:
        """Copy the repository, or these folders of it."""
        store = self._store
        if store is None or self._stop is not None or not self.add.isEnabled():
            return
        self._only = only
        address, name = self.address.text().strip(), self.name.text().strip()
        stop = self._begin_work(f"Copying {visible(name)}")

        def work() -> Added:
            return add_repository(
                store, address, name, only_paths=only, on_progress=self.heard.emit, is_cancelled=stop.is_set
            )

        self._desk.jobs.run(work, on_done=self._on_copied, on_error=self._on_error, lane=Lane.NETWORK)

    def _look(self) -> None:
        """Look what the repository holds."""
        store = self._store
        if store is None or self._stop is not None:
            return
        address = self.address.text().strip()
        stop = self._begin_work("Looking what it holds")

        def work() -> Survey:
            return look_into(store, address, on_progress=self.heard.emit, is_cancelled=stop.is_set)

        self._desk.jobs.run(work, on_done=self._on_looked, on_error=self._on_error, lane=Lane.NETWORK)

    def _on_heard(self, progress: Progress) -> None:
        if self._stop is not None and not self._stop.is_set():
            self.progress.hear(progress)

    def _on_copied(self, added: Added) -> None:
        self._end_work()
        if added.base is not None:
            self._desk.add_base(added.base, instead_of=self._instead_of)
            self._instead_of = ""
            self.address.clear()
            self.added.emit(added.base.name)
        elif self._wants_part:
            self._look()
        else:
            self._show_outcome(added.outcome)

    def _on_looked(self, survey: Survey) -> None:
        self._end_work()
        if survey.failure is not None:
            self._show_outcome(survey.failure)
        elif not survey.folders:
            self.failure.show_failure(
                f"Its {survey.files:,} files lie in no folder", "Add all of it", "", offers_part=False
            )
        else:
            self.folders.show_folders(survey.files, survey.folders)

    def _show_outcome(self, outcome: CloneOutcome) -> None:
        if outcome.end is CloneEnd.CANCELLED:
            self.address.setFocus()
            return
        offers_part = outcome.end is CloneEnd.TOO_LARGE or outcome.cause in SUGGEST_FOLDERS
        self.failure.show_failure(outcome.sentence, outcome.hint, outcome.details, offers_part=offers_part)
        if outcome.end is CloneEnd.EXISTS:
            self.name.setFocus()
            self.name.selectAll()
        else:
            self.failure.again.setFocus()

    def _on_error(self, error: Exception) -> None:
        if self._stop is not None:
            self._end_work()
        if not isinstance(error, KbError):
            raise error
        self.failure.show_failure(error.title, error.hint, "", offers_part=False)

    def sizeHint(self) -> QSize:
        """Return the page's size; it fills the window anyway."""
        return QSize(720, 560)
