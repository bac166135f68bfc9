"""The page of the clones: how each stands, the answers to its question, what the last syncs changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from kb_app.entries.knowledge_base import SUFFIXES
from kb_app.logs import visible
from kb_app.ui.common.actions import ActionId, shortcut_of
from kb_app.ui.common.page import Page
from kb_app.ui.common.widgets import (
    Badge,
    ElidedLabel,
    Hairline,
    IconLabel,
    ProgressLine,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.sync.fold import DetailsFold
from kb_app.ui.sync.queue import SyncQueue
from kb_app.ui.sync.state import (
    BaseStatus,
    ChangeRow,
    Choice,
    ChoiceAction,
    change_rows,
    changes_sentence,
    choices_of,
    condition_of,
    entry_changes,
    git_words,
    look_of,
    moment_text,
    sentence_of,
    status_text,
)

SHOWN_CHANGES = 8
"""Changed entries listed before "all of them" is asked for."""


class _ChangeLine(QWidget):
    """One changed entry: what happened, its title, which opens it, and its path."""

    def __init__(self, row: ChangeRow, parent: QWidget) -> None:
        super().__init__(parent)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        badge = Badge(row.icon, row.word, row.tone, self)
        badge.setFixedWidth(96)
        box.addWidget(badge)
        self.button = None
        if row.path:
            self.button = text_button(row.text.replace("&", "&&"), "link", parent=self)
            self.button.setAccessibleName(f"Open {row.text}, {row.word.lower()}")
            self.button.setToolTip(plain_tooltip(row.text))
            box.addWidget(self.button)
            if row.detail:
                self.button.setToolTip(plain_tooltip(row.detail))
                path = ElidedLabel(row.detail, self)
                path.setProperty("textstyle", "secondary")
                box.addWidget(path, 1)
            else:
                box.addStretch(1)
        else:
            text = ElidedLabel(row.text, self)
            text.setProperty("textstyle", "secondary")
            box.addWidget(text, 1)


class _ChangeList(QWidget):
    """Changed entries under a heading.

    Signals:
        opened(str): the entry of this path is wanted.
    """

    opened = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: tuple[ChangeRow, ...] = ()
        self._title = ""
        self._is_long = False
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(4)
        self.hide()

    def show_rows(self, title: str, rows: tuple[ChangeRow, ...]) -> None:
        """List ``rows``; the same ones again change nothing, so that the focus stays."""
        if (title, rows) != (self._title, self._rows):
            self._title, self._rows, self._is_long = title, rows, False
            self._fill()
        self.setVisible(bool(rows))

    def rows(self) -> tuple[ChangeRow, ...]:
        """Return what is listed."""
        return self._rows

    def _fill(self) -> None:
        while (item := self._box.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        self._box.addWidget(label(self._title, "heading", self))
        shown = self._rows if self._is_long else self._rows[:SHOWN_CHANGES]
        for row in shown:
            line = _ChangeLine(row, self)
            if line.button is not None:
                line.button.clicked.connect(partial(self.opened.emit, row.path))
            self._box.addWidget(line)
        if len(shown) < len(self._rows):
            more = text_button(f"{len(self._rows) - len(shown)} more", "link", parent=self)
            more.clicked.connect(self._show_all)
            self._box.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)

    def _show_all(self) -> None:
        self._is_long = True
        self._fill()


class CloneCard(QFrame):
    """One clone: its state, its question, its changes.

    Signals:
        entry_requested(str): the entry of this path is wanted.
    """

    entry_requested = Signal(str)

    def __init__(self, status: BaseStatus, queue: SyncQueue, parent: QWidget) -> None:
        """Show ``status``; answers go to ``queue``."""
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.setObjectName(f"clone:{status.name}")
        self.setAccessibleName(visible(status.name))
        self.status = status
        self._queue = queue
        self._choices: tuple[Choice, ...] = ()
        self._titles: Mapping[str, str] = {}
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 16, 20, 16)
        box.setSpacing(8)
        box.addLayout(self._build_head())
        self._url = ElidedLabel("", self)
        self._url.setProperty("textstyle", "secondary")
        box.addWidget(self._url)
        self._line = ProgressLine(f"Syncing {visible(status.name)}", self)
        box.addWidget(self._line)
        self.sentence = label("", "", self, wrap=True)
        self.sentence.setObjectName("syncSentence")
        self.hint = label("", "secondary", self, wrap=True)
        box.addWidget(self.sentence)
        box.addWidget(self.hint)
        self._answers = QHBoxLayout()
        self._answers.setSpacing(8)
        box.addLayout(self._answers)
        self.pending = _ChangeList(self)
        self.changes = _ChangeList(self)
        self.changes.opened.connect(self.entry_requested)
        self._rule = Hairline(self)
        for part in (self.pending, self._rule, self.changes):
            box.addWidget(part)
        self.details = DetailsFold(self)
        box.addWidget(self.details)
        self.show_status(status)

    def _build_head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(IconLabel("library", "text2", 16, self))
        self._name = label("", "title", self)
        row.addWidget(self._name)
        row.addStretch(1)
        self._state_icon = IconLabel("cloud", "text2", 16, self)
        self.state = label("", "secondary", self)
        self.state.setObjectName("syncState")
        row.addWidget(self._state_icon)
        row.addWidget(self.state)
        row.addSpacing(8)
        self.sync = text_button("Sync now", "", "refresh-cw", self)
        self.sync.setToolTip(f"Sync now ({shortcut_of(ActionId.SYNC)} syncs all)")
        self.sync.clicked.connect(self._on_sync)
        row.addWidget(self.sync)
        return row

    def show_status(self, status: BaseStatus) -> None:
        """Show how the clone stands now."""
        self.status = status
        now = dt.datetime.now(dt.UTC)
        condition = condition_of(status, now)
        self._name.setText(visible(status.name))
        self._url.setText(visible(status.url))
        self._state_icon.set_icon(*look_of(condition))
        self.state.setText(status_text(status, now))
        self.sync.setText("Cancel" if status.is_syncing else "Sync now")
        self.sync.setAccessibleName(f"{self.sync.text()}: {visible(status.name)}")
        sentence, hint = sentence_of(status, now)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self._line.setVisible(status.is_syncing)
        percent = status.progress.percent if status.progress is not None else 0
        self._line.set_progress(percent, 100 if status.progress is not None else 0)
        self._show_choices(choices_of(status))
        self._show_changes(status, now)
        self.details.set_text(git_words(status) if status.outcome is not None else "")

    def _show_changes(self, status: BaseStatus, now: dt.datetime) -> None:
        outcome = status.outcome
        pending: tuple[ChangeRow, ...] = ()
        if outcome is not None and status.is_asking and not status.is_syncing:
            changes = entry_changes(outcome.changes, SUFFIXES)
            pending = change_rows(changes, self._titles, is_pending=True)
        self.pending.show_rows(f"What the remote offers ({len(pending)})", pending)
        title = ""
        if status.changed_at is not None:
            what = changes_sentence(status.changes)
            title = f"{what}, last at {moment_text(status.changed_at, now)}"
        self.changes.show_rows(title, change_rows(status.changes, self._titles))
        self._rule.setVisible(bool(status.changes))

    def set_titles(self, titles: Mapping[str, str]) -> None:
        """Call the changed entries by these titles, by path."""
        if titles != self._titles:
            self._titles = titles
            self.show_status(self.status)

    def _show_choices(self, choices: tuple[Choice, ...]) -> None:
        if choices == self._choices:
            return
        self._choices = choices
        while (item := self._answers.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for position, choice in enumerate(choices):
            role = "danger" if choice.is_risky else ("primary" if position == 0 else "")
            button = text_button(choice.text, role, parent=self)
            button.setObjectName(f"choice:{choice.action}")
            button.clicked.connect(partial(self._answer, choice.action))
            self._answers.addWidget(button)
        if choices:
            self._answers.addStretch(1)

    def _answer(self, action: ChoiceAction) -> None:
        name, outcome = self.status.name, self.status.outcome
        if action is ChoiceAction.KEEP:
            self._queue.keep(name)
        elif action is ChoiceAction.ACCEPT:
            self._queue.accept(name)
        elif action is ChoiceAction.TAKE and outcome is not None:
            self._queue.take(name, outcome.offered)
        else:
            self._queue.run_now((name,))
        self.sync.setFocus()

    def _on_sync(self) -> None:
        if self.status.is_syncing:
            self._queue.cancel(self.status.name)
        else:
            self._queue.run_now((self.status.name,))


class SyncPage(Page):
    """Every clone, one card each.

    Signals:
        entry_requested(str, str): an entry is wanted: knowledge base name and path.
        add_requested(): another repository shall be added.
    """

    entry_requested = Signal(str, str)
    add_requested = Signal()

    def __init__(self, queue: SyncQueue, parent: QWidget | None = None) -> None:
        """Make the page; `refresh` fills it."""
        super().__init__("Knowledge bases from Git", parent)
        self.setObjectName("syncPage")
        self._queue = queue
        self.cards: dict[str, CloneCard] = {}
        add = text_button("Add a repository…", "", "git-branch", self)
        add.setToolTip(f"Add a Git repository ({shortcut_of(ActionId.ADD_REPOSITORY)})")
        add.clicked.connect(self.add_requested)
        self.add_head(add)
        self._empty = label("No knowledge base here comes from Git.", "secondary", self.column)
        self.box.addWidget(self._empty)
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self.box.addLayout(self._list)
        self.box.addStretch(1)

    def refresh(self) -> None:
        """Show how the clones stand now."""
        statuses = {status.name: status for status in self._queue.statuses}
        for name in [name for name in self.cards if name not in statuses]:
            card = self.cards.pop(name)
            card.hide()
            card.deleteLater()
        for name, status in statuses.items():
            if name in self.cards:
                self.cards[name].show_status(status)
            else:
                card = CloneCard(status, self._queue, self.column)
                card.entry_requested.connect(partial(self.entry_requested.emit, name))
                self.cards[name] = card
                self._list.addWidget(card)
        self._empty.setVisible(not statuses)

    def set_titles(self, titles: Mapping[str, Mapping[str, str]]) -> None:
        """Call changed entries by their titles: knowledge base to path to title."""
        for name, known in titles.items():
            if name in self.cards:
                self.cards[name].set_titles(known)

    def go_to(self, name: str) -> None:
        """Bring a clone into view; the focus goes to its question, else to its button."""
        card = self.cards.get(name) or next(iter(self.cards.values()), None)
        if card is None:
            return
        choice = next((b for b in card.findChildren(QWidget) if b.objectName().startswith("choice:")), None)
        (choice or card.sync).setFocus()
        self._scroll.ensureWidgetVisible(card)
