"""Conflicts join the window: other features ask here for a proposal or a draft to be resolved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from kb_app.errors import KbError
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.features import Feature

if TYPE_CHECKING:
    from kb_app.gitstore.answers import Choices, OpenDraft
    from kb_app.gitstore.proposals import Draft, ProposeOutcome
    from kb_app.ui.conflicts.page import ConflictsPage
    from kb_app.ui.window import MainWindow

Done = Callable[["ProposeOutcome | None"], None]
"""Told what became of the answer; None when the page was left without one."""


class ConflictsFeature(Feature):
    """Two texts for the same place: shown, chosen, proposed; an unanswered question changes no byte."""

    def __init__(self, window: MainWindow) -> None:
        """Join ``window``."""
        super().__init__(window)
        self._page: ConflictsPage | None = None
        self._opened: OpenDraft | None = None
        self._use: Callable[[Choices], None] | None = None
        self._done: Done | None = None

    @property
    def page(self) -> ConflictsPage:
        """Return the page, making it when it is asked for."""
        if self._page is None:
            from kb_app.ui.conflicts.page import ConflictsPage  # start-up time

            page = ConflictsPage()
            page.answered.connect(self._on_answered)
            page.cancelled.connect(self._on_cancelled)
            self.window.add_page(page)
            self._page = page
        return self._page

    # -- what others ask for ------------------------------------------------------------------------------

    def resolve(self, proposal_id: str, on_done: Done | None = None) -> None:
        """Ask what a proposal needs; one that fits by now is proposed anew without a question."""
        from kb_app.workspace.answering import question_of  # start-up time

        self._ask(partial(question_of, self.desk.workspace.folders, proposal_id), on_done)

    def resolve_draft(
        self, clone_name: str, draft: Draft, on_done: Done | None = None, *, supersedes: str = ""
    ) -> None:
        """Ask what a draft needs that was written from ``Draft.base``; then propose it."""
        from kb_app.workspace.answering import question_of_draft  # start-up time

        folders = self.desk.workspace.folders
        self._ask(partial(question_of_draft, folders, clone_name, draft, supersedes=supersedes), on_done)

    def show(
        self,
        question: object,
        use: Callable[[Choices], None],
        *,
        on_cancelled: Callable[[], None] | None = None,
        send_text: str = "Save",
    ) -> None:
        """Ask any question and give its choices to ``use``, which writes them."""
        from kb_app.gitstore.answers import Question

        assert isinstance(question, Question)
        self._opened, self._use = None, use
        self._done = (lambda _: on_cancelled()) if on_cancelled is not None else None
        self.page.show_question(question, mine=self._my_name(), send_text=send_text)
        self._bring_up()

    # -- asking -------------------------------------------------------------------------------------------

    def _ask(self, work: Callable[[], OpenDraft], on_done: Done | None) -> None:
        self._done = on_done
        self.desk.jobs.run(work, on_done=self._on_opened, on_error=self._on_error, lane=Lane.GIT)

    def _on_opened(self, opened: OpenDraft) -> None:
        self._opened, self._use = opened, None
        if not opened.question.merges:
            self._send({})
            return
        self.page.show_question(opened.question, mine=self._my_name(), send_text="Send")
        self._bring_up()

    def _bring_up(self) -> None:
        if self.window.pages.currentWidget() is not self.page:
            self.window.show_page(self.page)
        place = self.page.current
        if place >= 0:
            self.page.show_place(place)  # the page took the focus when it came up

    def _my_name(self) -> str:
        return self.desk.workspace.settings.author

    # -- the answer ---------------------------------------------------------------------------------------

    def _on_answered(self, choices: Choices) -> None:
        if self._use is not None:
            use, self._use, self._done = self._use, None, None
            self.window.show_panes()
            use(choices)
        else:
            self.page.set_busy(is_busy=True)
            self._send(choices)

    def _send(self, choices: Choices) -> None:
        from kb_app.workspace.answering import send_answer  # start-up time

        assert self._opened is not None
        self.desk.jobs.run(
            partial(send_answer, self.desk.workspace.folders, self._opened, choices),
            on_done=self._on_sent,
            on_error=self._on_error,
            lane=Lane.GIT,
        )

    def _on_sent(self, outcome: ProposeOutcome) -> None:
        from kb_app.gitstore.proposals import ProposeEnd  # start-up time

        if outcome.end is ProposeEnd.CHANGED_MEANWHILE:
            self._ask_again()
            return
        if not outcome.is_ok and outcome.end is not ProposeEnd.NOTHING:
            self._complain(outcome.sentence, outcome.hint)
            return
        done, self._done, self._opened = self._done, None, None
        self._leave()
        self.window.say(outcome.sentence)
        if done is not None:
            done(outcome)

    def _ask_again(self) -> None:
        """Ask once more: the knowledge base moved on while the page was open."""
        from kb_app.workspace.answering import question_of_draft  # start-up time

        opened = self._opened
        assert opened is not None

        def show(fresh: OpenDraft) -> None:
            self._opened = fresh
            if not fresh.question.merges:
                self._send({})
                return
            self.page.ask_again(fresh.question, "Somebody changed it once more; look at what is open again")
            self._bring_up()

        work = partial(
            question_of_draft,
            self.desk.workspace.folders,
            opened.clone,
            opened.draft,
            supersedes=opened.supersedes,
        )
        self.desk.jobs.run(work, on_done=show, on_error=self._on_error, lane=Lane.GIT)

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            raise error
        self._complain(error.title, error.hint)

    def _complain(self, sentence: str, hint: str) -> None:
        """Say why nothing was sent: on the page while it shows, else on the bar."""
        if self._page is not None and self.window.pages.currentWidget() is self._page:
            self._page.set_busy(is_busy=False)
            self._page.say_problem(f"{sentence.rstrip('.')}. {hint}".strip())
        else:
            self.desk.message_posted.emit(Message(sentence, hint, Weight.PROBLEM, topic="conflicts"))

    def _on_cancelled(self) -> None:
        done, self._done, self._opened, self._use = self._done, None, None, None
        if done is not None:
            done(None)

    def _leave(self) -> None:
        if self._page is not None and self.window.pages.currentWidget() is self._page:
            self.window.show_panes()
            self.window.search.setFocus()
