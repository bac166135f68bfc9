"""The banner above an entry that changed since this user last used it.

Decision: it is looked up after the page was painted, in a lane of its own, and only from what lies on this
disk; opening an entry never waits for it. The commit at which an entry was last used is remembered with the
window's state, for clones of ours alone.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from kb_app.logs import visible
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import announce
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.widgets import IconButton, IconLabel, label, text_button

if TYPE_CHECKING:
    from kb_app.ui.common.word_diff import DiffView
    from kb_app.ui.reader.panel import ReaderPanel
    from kb_app.ui.sync.queue import SyncQueue
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.syncing import EntryNews

LOOK_PAUSE_MS = 250
"""An entry is asked about after it has been shown for so long: the page was painted, the eye has stayed."""

MAX_DIFF_HEIGHT = 260


class NewsBanner(QFrame):
    """One sentence above the page, the words behind a button.

    Signals:
        dismissed(): it was closed.
        read(): the words were looked at.
        action_requested(): the button that is no fold was pressed.
    """

    dismissed = Signal()
    read = Signal()
    action_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make a hidden one."""
        super().__init__(parent)
        self.setObjectName("newsBanner")
        self.setProperty("surface", "notice")
        self.setProperty("tone", "info")
        self._diff: DiffView | None = None
        self._news: EntryNews | None = None
        self._icon = IconLabel("file-diff", "info", 16, self)
        self.sentence = label("", "", self, wrap=True)
        self.sentence.setObjectName("newsSentence")
        self.reason = label("", "secondary", self, wrap=True)
        self.toggle = text_button("What changed", "link", parent=self)
        self.toggle.setCheckable(True)
        self.toggle.toggled.connect(self._on_toggled)
        self.action = text_button("", "link", parent=self)
        self.action.clicked.connect(self.action_requested)
        close = IconButton("x", "Dismiss (Esc)", self, size=14)
        close.clicked.connect(self.close_banner)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.sentence)
        words.addWidget(self.reason)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        for button in (self.toggle, self.action, close):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(25, 8, 12, 8)
        self._box.setSpacing(8)
        self._box.addLayout(head)
        self.hide()

    def show_news(self, sentence: str, reason: str, news: EntryNews | None, *, action: str = "") -> None:
        """Show what happened to the entry; without ``news`` there are no words to look at."""
        self._news = news
        self.sentence.setText(sentence)
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))
        self.toggle.setVisible(news is not None)
        self.toggle.setChecked(False)
        self.action.setText(action)
        self.action.setAccessibleName(action)
        self.action.setVisible(bool(action))
        self.show()
        announce(self, f"{sentence}. {reason}")

    def clear(self) -> None:
        """Say nothing: another entry is shown."""
        self._news = None
        self.toggle.setChecked(False)
        self.hide()

    def close_banner(self) -> None:
        """Dismiss it."""
        self.clear()
        self.dismissed.emit()

    def diff_text(self) -> str:
        """Return the words shown, empty while they are folded."""
        return self._diff.toPlainText() if self._diff is not None and not self._diff.isHidden() else ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc dismisses it."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_banner()
        else:
            super().keyPressEvent(event)

    def _on_toggled(self, is_open: bool) -> None:  # noqa: FBT001 - the signal's argument
        self.toggle.setText("Hide" if is_open else "What changed")
        self.toggle.setAccessibleName("Hide what changed" if is_open else "Show what changed")
        if is_open and self._news is not None:
            if self._diff is None:
                from kb_app.ui.common.word_diff import DiffView  # start-up time

                self._diff = DiffView(self)
                self._box.addWidget(self._diff)
            self._diff.show_runs(self._news.runs)
            self._diff.show()
            self._diff.fit_height(MAX_DIFF_HEIGHT)
            self.read.emit()
        elif self._diff is not None:
            self._diff.hide()


class EntryNewsWatch(QObject):
    """Looks up what happened to the entry that is shown, and remembers at which commit it was used."""

    def __init__(self, window: MainWindow, queue: SyncQueue, parent: QObject) -> None:
        """Wait for `begin`."""
        super().__init__(parent)
        self._window, self._desk, self._queue = window, window.desk, queue
        self.banner: NewsBanner | None = None
        self._wanted: EntryRef | None = None
        self._is_used = False
        self._head: tuple[EntryRef, str] | None = None
        self._moved_to = ""
        self._is_kept = False
        self._timer = QTimer(self, singleShot=True, interval=LOOK_PAUSE_MS)
        self._timer.timeout.connect(self._look)
        self._is_begun = False

    def begin(self) -> None:
        """Follow the entries from now on; the one that is shown is looked up first."""
        if self._is_begun:
            return
        self._is_begun = True
        self._window.reading.when_made(self._join)
        self._desk.entry_opened.connect(self._on_opened)
        self._desk.session.changed.connect(lambda _state: self._on_session_changed())
        if self._desk.current is not None:
            self._on_opened(self._desk.current, is_wanted=self._is_latest(self._desk.current.ref))

    def _join(self, reader: ReaderPanel) -> None:
        banner = NewsBanner()
        reader.add_banner(banner)
        banner.dismissed.connect(self._mark_used)
        banner.dismissed.connect(self._window.reading.focus_page)
        banner.read.connect(self._mark_used)
        banner.action_requested.connect(self._on_action)
        self.banner = banner

    # -- what the sync says of the open entry ----------------------------------------------------------

    def show_removed(self) -> None:
        """Say that the entry shown is not part of the knowledge base any more."""
        self._show_notice("This entry was removed from the knowledge base; you still see its last text")

    def show_moved(self, path: str) -> None:
        """Say that the entry shown is called ``path`` now."""
        self._moved_to = path
        self._show_notice(f"This entry was moved to {visible(path)}", action="Open it there")

    def _show_notice(self, sentence: str, *, action: str = "") -> None:
        if self.banner is not None:
            self._timer.stop()
            self.banner.show_news(sentence, "", None, action=action)

    def _on_action(self) -> None:
        current = self._desk.current
        if current is not None and self._moved_to:
            self._window.open_entry(EntryRef(current.ref.knowledge_base, self._moved_to))

    # -- looking up ------------------------------------------------------------------------------------

    def _on_opened(self, opened: OpenedEntry, is_wanted: bool) -> None:  # noqa: FBT001 - the signal's arguments
        is_same = self._wanted == opened.ref
        self._wanted = opened.ref
        self._is_used = is_wanted or (is_same and self._is_used)
        self._head = None
        if self.banner is not None and not is_same:
            self.banner.clear()
            self._moved_to = ""
        if self._queue.status(opened.ref.knowledge_base) is not None:
            self._timer.start()

    def _look(self) -> None:
        ref = self._wanted
        status = self._queue.status(ref.knowledge_base) if ref is not None else None
        store = self._queue.store
        if ref is None or status is None or store is None or store.program is None:
            return
        clone, (since, _at) = status.clone, self._desk.session.state.last_use_of(ref)

        def work() -> EntryNews:
            from kb_app.workspace.syncing import entry_news  # start-up time

            return entry_news(store, clone, ref.path, since)

        self._desk.jobs.run(
            work, on_done=partial(self._on_news, ref), on_error=lambda _error: None, lane=Lane.HISTORY
        )

    def _on_news(self, ref: EntryRef, news: EntryNews) -> None:
        current = self._desk.current
        if ref != self._wanted or current is None or current.ref != ref or not news.head:
            return
        self._head = (ref, news.head)
        if news.revisions and self.banner is not None:
            self._show(ref, news, self.banner)
        if self._is_used or (not news.revisions and self._is_latest(ref)):
            self._mark_used()

    def _show(self, ref: EntryRef, news: EntryNews, banner: NewsBanner) -> None:
        from kb_app.ui.sync.state import news_sentence, reason_of  # start-up time

        _commit, at = self._desk.session.state.last_use_of(ref)
        last = dt.datetime.fromisoformat(at) if at else None
        sentence = news_sentence(
            len(news.revisions), last, news.authors, news.reviewers, dt.datetime.now(dt.UTC)
        )
        banner.show_news(sentence, reason_of([revision.subject for revision in news.revisions]), news)

    # -- remembering -----------------------------------------------------------------------------------

    def _is_latest(self, ref: EntryRef) -> bool:
        recent = self._desk.session.state.recent
        return bool(recent) and recent[0].ref == ref

    def _on_session_changed(self) -> None:
        """A preview that was looked at for some time, a step that was ticked: the entry was used."""
        if not self._is_used and self._wanted is not None and self._is_latest(self._wanted):
            self._is_used = True
            self._mark_used()

    def _mark_used(self) -> None:
        if self._head is not None and self._head[0] == self._wanted:
            ref, head = self._head
            state = self._desk.session.state
            if state.last_use_of(ref)[0] != head:
                self._desk.session.update(
                    state.with_use(ref, head, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
                )
