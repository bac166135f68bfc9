"""The drill joins the window."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kb_app.errors import KbError
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.features import Feature

if TYPE_CHECKING:
    from kb_app.ui.drill.panel import DrillPage
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.drilling import Choice, Drill, DrillDeck, Score


class DrillFeature(Feature):
    """Asks about entries that hold both ways out, or about the worked cases.

    Attributes:
        seed: of the order of the questions; drawn anew with each deck when None.
    """

    def __init__(self, window: MainWindow) -> None:
        """Join; the page is made when it is asked for."""
        super().__init__(window)
        self.seed: int | None = None
        self._page: DrillPage | None = None
        self._deck: DrillDeck | None = None
        self._score: Score | None = None
        self._asked = 0

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the action does."""
        return {ActionId.DRILL: self.show}

    @property
    def page(self) -> DrillPage:
        """Return the page, making it when it is asked for."""
        if self._page is None:
            from kb_app.ui.drill.panel import DrillPage  # start-up time

            page = DrillPage(self.window.pages)
            page.answered.connect(self.answer)
            page.next_requested.connect(self.ask)
            page.entry_requested.connect(self._open_entry)
            page.cases_toggled.connect(self._on_cases_toggled)
            self._page = page
            self.window.add_page(page)
        return self._page

    def show(self) -> None:
        """Show the page; a question that was asked stays."""
        is_leaving = self.window.pages.currentWidget() is self._page
        self.window.show_page(self.page)
        if not is_leaving and self.page.drill is None:
            self.ask()

    def ask(self) -> None:
        """Ask the next question."""
        self._asked += 1
        number, deck = self._asked, self._deck
        folders, bases = self.desk.workspace.folders, tuple(self.desk.bases)
        seed = random.SystemRandom().randrange(2**32) if self.seed is None else self.seed
        only_cases = self.page.cases.isChecked()

        def work() -> tuple[DrillDeck, Drill | None]:
            from kb_app.workspace.drilling import DrillDeck  # start-up time

            used = deck or DrillDeck(bases, folders, seed=seed, only_cases=only_cases)
            return used, used.draw()

        def done(drawn: tuple[DrillDeck, Drill | None]) -> None:
            if number == self._asked:
                self._deck = drawn[0]
                self._show(drawn[1])

        self.desk.jobs.run(work, on_done=done, on_error=self._on_error)

    def _show(self, drill: Drill | None) -> None:
        if drill is None:
            self.page.show_state(
                "target",
                "Nothing to ask",
                "No open entry holds both ways out. Take the worked cases instead.",
            )
            return
        self.page.show_question(drill)

    def answer(self, choice: Choice) -> None:
        """Take an answer, tell what the policy says, and add it to the log."""
        from kb_app.workspace.drilling import Score, log_answer  # start-up time

        drill, folders = self.page.drill, self.desk.workspace.folders
        if drill is None:
            return
        self._score = (self._score or Score()).after(is_right=choice is drill.right)
        self.page.show_answer(choice, self._score)
        now = dt.datetime.now(dt.UTC)
        self.desk.jobs.run(
            lambda: log_answer(folders, drill, choice, now), on_error=self._on_error, lane=Lane.WRITE
        )

    def _on_cases_toggled(self, _are_cases: bool) -> None:  # noqa: FBT001 - the signal's argument
        self._deck = None
        self.ask()

    def _open_entry(self, drill: Drill) -> None:
        self.window.open_entry(EntryRef(drill.knowledge_base, drill.path))

    def _on_error(self, error: Exception) -> None:
        title = (
            error.title if isinstance(error, KbError) else "The answer could not be kept in the log of drills"
        )
        hint = error.hint if isinstance(error, KbError) else "The drill goes on"
        if not isinstance(error, KbError | OSError):
            raise error
        self.desk.message_posted.emit(Message(title, hint, Weight.PROBLEM, topic="drill"))
