"""Flags and "it worked" on their way: from the bar above the page to the queue, without leaving the entry."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from kb_app.entries.feedback import FlagKind
from kb_app.entries.model import Entry
from kb_app.errors import KbError
from kb_app.gitstore.proposals import ProposeEnd, ProposeOutcome
from kb_app.settings import Settings
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.editor.flag import FlagBar
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.contributing import Taker, flag_draft, leaks_of, propose_note, taker_of
from kb_app.workspace.drafts import DraftStore

if TYPE_CHECKING:
    from kb_app.ui.desk import Desk
    from kb_app.ui.window import MainWindow


class Flagging(QObject):
    """Joins the flag bar to the queue.

    Signals:
        handed_in(): a note is queued, or kept as a draft.
    """

    handed_in = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.window: MainWindow = window
        self.desk: Desk = window.desk
        self._bar: FlagBar | None = None
        self._about: OpenedEntry | None = None

    @property
    def bar(self) -> FlagBar:
        """Return the bar, making it when it is first asked for."""
        if self._bar is None:
            bar = FlagBar()
            self.window.reading.reader.add_banner(bar)
            bar.flagged.connect(self._on_flagged)
            bar.share_answered.connect(self._on_share_answered)
            bar.closed.connect(self.window.reading.focus_page)
            self.desk.entry_opened.connect(self._on_entry_opened)
            self._bar = bar
        return self._bar

    def flag(self) -> None:
        """Ask what is wrong with the open entry."""
        if self.desk.current is not None:
            self.window.show_panes()
            self._about = self.desk.current
            self.bar.ask_what_is_wrong()

    def worked(self) -> None:
        """Propose that the open entry worked; ask first when that was never asked."""
        if self.desk.current is None:
            return
        self._about = self.desk.current
        shares = self.desk.workspace.settings.shares_use
        if shares == "yes":
            self._hand_in(FlagKind.WORKED, "")
        elif shares == "no":
            self.desk.message_posted.emit(
                Message(
                    "You chose not to tell the team when an entry worked",
                    "",
                    Weight.NOTE,
                    "Tell it from now on",
                    partial(self._on_share_answered, True),  # noqa: FBT003 - the signal's argument
                    topic="worked",
                )
            )
        else:
            self.window.show_panes()
            self.bar.ask_to_share()

    def _on_entry_opened(self, opened: OpenedEntry, _is_wanted: bool) -> None:  # noqa: FBT001 - signal
        if self._about is not None and self._about.ref != opened.ref and self._bar is not None:
            self._bar.hide()  # what was begun is about another entry

    def _on_share_answered(self, is_yes: bool) -> None:  # noqa: FBT001 - the signal's argument
        settings: Settings = self.desk.workspace.settings
        self.desk.change_settings(replace(settings, shares_use="yes" if is_yes else "no"))
        self.window.reading.focus_page()
        if is_yes:
            self._hand_in(FlagKind.WORKED, "")

    def _on_flagged(self, kind: FlagKind, sentence: str) -> None:
        self._hand_in(kind, sentence)

    def _hand_in(self, kind: FlagKind, sentence: str) -> None:
        about = self._about
        base = None
        if about is not None:
            base = next((b for b in self.desk.workspace.bases if b.name == about.ref.knowledge_base), None)
        if about is None or base is None:
            return
        work = partial(self._work, base, about.entry, kind, sentence)
        self.desk.jobs.run(
            work, on_done=partial(self._on_done, kind), on_error=self._on_error, lane=Lane.NETWORK
        )

    def _work(self, base: OpenBase, entry: Entry, kind: FlagKind, sentence: str) -> ProposeOutcome | None:
        """Queue the note, or keep it as a draft where nothing can be proposed; None then."""
        folders, settings = self.desk.workspace.folders, self.desk.workspace.settings
        store = DraftStore(folders.drafts)
        target = taker_of(folders, base, settings)
        draft = flag_draft(
            base,
            entry.path,
            entry.title,
            kind,
            sentence,
            entry_id=entry.id,
            author=target.identity.name or settings.contributor_name,
        )
        draft = store.begin(draft)
        is_known = bool(target.identity.name and target.identity.email)
        if target.taker is not Taker.REMOTE or not target.has_program or not is_known:
            if leaks := leaks_of(store, draft, settings):
                store.set_aside(draft.id)
                return ProposeOutcome(ProposeEnd.BLOCKED, f"The sentence holds {leaks[0].what}")
            return None
        outcome = propose_note(folders, settings, base, draft)
        if outcome.end is ProposeEnd.BLOCKED:
            store.set_aside(draft.id)
        return outcome

    def _on_done(self, kind: FlagKind, outcome: ProposeOutcome | None) -> None:
        bar = self.bar
        if outcome is not None and outcome.end is ProposeEnd.BLOCKED:
            what = outcome.leaks[0].what if outcome.leaks else ""
            text = f"The sentence holds {what}" if what else outcome.sentence
            bar.show_problem(f"{text}. Leave it out.")
            return
        bar.hide()
        self.window.reading.focus_page()
        word = "Noted that it worked" if kind is FlagKind.WORKED else "Flagged"
        if outcome is None or not outcome.is_ok:
            self.window.say(f"{word}; kept under My drafts, because it cannot be sent from here")
        else:
            self.window.say(f"{word} (waiting for the network)")
        self.handed_in.emit()

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            raise error
        if self._bar is not None and self._bar.isVisible():
            self._bar.show_problem(f"{error.title}. {error.hint}")
        else:
            self.desk.message_posted.emit(Message(error.title, error.hint, Weight.PROBLEM, topic="flag"))
