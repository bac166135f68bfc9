"""What is owed joins the window: the home page, the chip at the top, reviews, follow-ups, closing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton

from kb_app.errors import KbError
from kb_app.ui.common.actions import ActionId, shortcut_of
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.style import set_property
from kb_app.ui.features import Feature
from kb_app.ui.incident.feature import IncidentFeature

if TYPE_CHECKING:
    from kb_app.incidents.book import RecordBook
    from kb_app.incidents.duties import Owed
    from kb_app.incidents.timeline import IncidentState
    from kb_app.ui.common.sheet import Sheet
    from kb_app.ui.duties.closing import ClosingPage
    from kb_app.ui.duties.panel import DutiesPage
    from kb_app.ui.duties.review import ReviewPage
    from kb_app.ui.duties.state import DutyRow
    from kb_app.ui.incident.current import CurrentIncident
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.aftermath import Closing, Dues, KnownStates, ReviewCase, Verdict
    from kb_app.workspace.late_decisions import LateCase
    from kb_app.workspace.responding import Change

REFRESH_MS = 60_000
"""How often the clock moves what is owed towards its due time; no file is read for that."""

START_PAUSE_MS = 600
"""The records are read this much after the first paint: opening an entry comes first."""


class DutiesFeature(Feature):
    """What is owed, and what is done about it."""

    def __init__(self, window: MainWindow) -> None:
        """Join ``window``: a chip that shows only when something is owed."""
        super().__init__(window)
        self.dues: Dues | None = None
        self._known: KnownStates | None = None  # touched in the records' lane alone
        self._page: DutiesPage | None = None
        self._review: ReviewPage | None = None
        self._closing: ClosingPage | None = None
        self.chip = QPushButton()
        self.chip.setObjectName("duesChip")
        self.chip.setProperty("chip", "true")
        self.chip.setAccessibleName("What is owed")
        self.chip.clicked.connect(self.show)
        bind_icon(self.chip, "list-checks", "text2", 14)
        self.chip.hide()
        window.topbar.add_chip(self.chip)
        window.topbar.compacted.connect(self._on_compacted)
        self._is_compact = False
        self._timer = QTimer(self, interval=REFRESH_MS)
        self._timer.timeout.connect(self._show_dues)

    @property
    def incidents(self) -> CurrentIncident:
        """The door to the records."""
        return self.window.feature(IncidentFeature).current

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions do."""
        return {ActionId.DUTIES: self.toggle, ActionId.CLOSE_INCIDENT: self.close_incident}

    def start(self) -> None:
        """Read what is owed once the window stands, and follow what is written."""
        self.incidents.book_changed.connect(self.refresh)
        QTimer.singleShot(START_PAUSE_MS, self, self.refresh)
        self._timer.start()

    def stop(self) -> None:
        """End the timer."""
        self._timer.stop()

    # -- what is owed ---------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read what is owed."""

        def work(book: RecordBook) -> Dues:
            from kb_app.workspace.aftermath import KnownStates, dues_of  # start-up time

            self._known = self._known or KnownStates()
            return dues_of(book, self._known)

        self.incidents.with_book(work, self._take_dues)

    def _take_dues(self, dues: Dues) -> None:
        self.dues = dues
        self._show_dues()

    def _show_dues(self) -> None:
        if self.dues is None:
            return
        from kb_app.ui.duties.state import brief_of  # start-up time

        now = dt.datetime.now(dt.UTC)
        brief = brief_of(self.dues, now)
        tone = "danger" if brief.overdue else "muted"
        self.chip.setText(str(brief.overdue or brief.count) if self._is_compact else brief.chip)
        self.chip.setVisible(bool(brief.count))
        self.chip.setAccessibleName(f"What is owed: {brief.count}, {brief.overdue} overdue")
        self.chip.setToolTip(f"Home: what is owed ({shortcut_of(ActionId.DUTIES)})")
        set_property(self.chip, "tone", tone)
        bind_icon(self.chip, "list-checks", "danger" if brief.overdue else "text2", 14)
        self.window.reading.home.show_owed(brief.line, is_overdue=bool(brief.overdue), run=self.show)
        if self._page is not None:
            self._page.show_dues(self.dues, now)

    def _on_compacted(self, is_compact: bool) -> None:  # noqa: FBT001 - signal
        self._is_compact = is_compact
        self._show_dues()

    @property
    def page(self) -> DutiesPage:
        """Return the home page, making it when it is asked for."""
        if self._page is None:
            from kb_app.ui.duties.panel import DutiesPage  # start-up time

            page = DutiesPage(self.window.pages)
            page.opened.connect(self._open_row)
            self.window.add_page(page)
            self._page = page
        return self._page

    def toggle(self) -> None:
        """Show what is owed, or leave it when it shows."""
        if self._page is not None and self.window.pages.currentWidget() is self._page:
            self.window.show_page(self._page)
        else:
            self.show()

    def show(self) -> None:
        """Show what is owed."""
        page = self.page
        if self.dues is not None:
            page.show_dues(self.dues, dt.datetime.now(dt.UTC))
        if self.window.pages.currentWidget() is not page:
            self.window.show_page(page)
        self.refresh()

    def _open_row(self, row: DutyRow) -> None:
        from kb_app.ui.duties.state import Act  # start-up time
        from kb_app.ui.timeline.feature import TimelineFeature

        if row.act is Act.TIMELINE:
            change = row.item.change if row.item is not None else ""
            self.window.feature(TimelineFeature).show(row.incident, change=change)
        elif row.item is not None:
            self.work_on(row.item)

    def work_on(self, item: Owed) -> None:
        """Open what is to be done about something that is owed."""
        from kb_app.ui.duties.state import Act, act_of  # start-up time
        from kb_app.ui.timeline.feature import TimelineFeature

        act = act_of(item)
        if act is Act.REVIEW:
            self.review(item.incident_id, item.change)
        elif act is Act.CLOSING:
            self.close_incident(item.incident_id)
        elif act is Act.DECIDE:
            self.decide_late(item.incident_id, item.change)
        elif act is Act.TIMELINE:
            self.window.feature(TimelineFeature).show(item.incident_id, change=item.change)
        else:
            self.incidents.with_book(
                lambda book: book.state(item.incident_id),
                partial(self._ask_followup, item, act is Act.ASSIGN),
            )

    # -- a decision that is missing -------------------------------------------------------------------

    def decide_late(self, name: str, change: str) -> None:
        """Ask for the decision that a deployment went out by, to be written down as a late entry."""
        places = tuple((base.root, base.folder, base.config) for base in self.desk.folders())

        def work(book: RecordBook) -> LateCase:
            from kb_app.workspace.late_decisions import late_case  # start-up time

            return late_case(book, name, change, places)

        self.incidents.with_book(work, self._ask_late_decision)

    def _ask_late_decision(self, late: LateCase) -> None:
        from kb_app.decision.values import Recommendation  # start-up time
        from kb_app.ui.duties.sheets import LateDecisionSheet
        from kb_app.workspace.late_decisions import store_late

        sheet = LateDecisionSheet(self.window, late)

        def store() -> None:
            chosen, at = Recommendation(sheet.chosen.value), sheet.when()
            why, late_reason = sheet.reason.text(), sheet.late_reason.text()
            self._do(
                sheet,
                lambda book: store_late(
                    book, late, chosen=chosen, reason=why, late_reason=late_reason, at=at
                ),
                "Recorded as a late entry",
            )

        sheet.accepted.connect(store)
        sheet.open(sheet.late_reason)

    # -- follow-ups -----------------------------------------------------------------------------------

    def _ask_followup(self, item: Owed, is_unassigned: bool, state: IncidentState) -> None:  # noqa: FBT001 - bound
        from kb_app.ui.duties.state import followup_kind  # start-up time

        kind = followup_kind(item, state)
        if is_unassigned:
            self._assign(item, kind)
        else:
            self._close_followup(item, kind)

    def _assign(self, item: Owed, kind: str) -> None:
        from kb_app.ui.duties.sheets import AssignSheet  # start-up time
        from kb_app.workspace.aftermath import assign_followup

        who = self.dues.who if self.dues is not None else ""
        due = f"{item.due:%Y-%m-%d}" if item.due is not None else ""
        sheet = AssignSheet(self.window, kind, item.title, owner=item.owner or who, text="", due=due)

        def assign() -> None:
            value = sheet.value()
            self._do(
                sheet,
                lambda book: assign_followup(
                    book,
                    item.incident_id,
                    kind,
                    value.owner,
                    key=item.followup,
                    text=value.text,
                    due=value.due,
                ),
                f"{value.owner.strip()} does it",
            )

        sheet.accepted.connect(assign)
        sheet.open()

    def _close_followup(self, item: Owed, kind: str) -> None:
        from kb_app.ui.duties.sheets import CloseFollowupSheet  # start-up time
        from kb_app.workspace.aftermath import close_followup

        sheet = CloseFollowupSheet(self.window, kind, item.text)

        def close() -> None:
            url, signal = sheet.url.text(), sheet.signal.text()
            self._do(
                sheet,
                lambda book: close_followup(
                    book, item.incident_id, kind, key=item.followup, url=url, signal=signal
                ),
                "Written down as done",
            )

        def assign() -> None:
            sheet.finish()
            self._assign(item, kind)

        sheet.accepted.connect(close)
        sheet.assign_button.clicked.connect(assign)
        sheet.open()

    def _do(self, sheet: Sheet, work: Callable[[RecordBook], Change], said: str) -> None:
        """Write what a sheet asks for; it stays open, with its texts, when that fails."""

        def done(_change: Change) -> None:
            sheet.finish()
            self.window.say(said)
            self._refresh_closing()

        def failed(error: Exception) -> None:
            if isinstance(error, KbError):
                sheet.say_problem(f"{error.title}. {error.hint}")

        self.incidents.with_book(work, done, failed, is_writing=True)

    # -- reviews --------------------------------------------------------------------------------------

    def review(self, name: str, change: str) -> None:
        """Show a change to be reviewed."""
        places = [(base.name, base.root) for base in self.desk.workspace.bases]
        folders = self.desk.workspace.folders

        def work(book: RecordBook) -> ReviewCase:
            from kb_app.workspace.aftermath import review_case  # start-up time

            return review_case(book, name, change, places, folders)

        self.incidents.with_book(work, self._show_case)

    def _show_case(self, case: ReviewCase) -> None:
        if self._review is None:
            from kb_app.ui.duties.review import ReviewPage  # start-up time

            self._review = ReviewPage(self.window.pages)
            self._review.verdict_given.connect(self._give_verdict)
            self._review.timeline_requested.connect(self._show_timeline_of_review)
            self.window.add_page(self._review)
            self._review.closed.connect(self.show)  # after the window's: back leads to the list
        self._review.show_case(case)
        if self.window.pages.currentWidget() is not self._review:
            self.window.show_page(self._review)

    def _give_verdict(self, verdict: Verdict) -> None:
        page = self._review
        if page is None or page.case is None:
            return
        name = page.case.state.id

        def work(book: RecordBook) -> Change:
            from kb_app.workspace.aftermath import give_verdict  # start-up time

            return give_verdict(book, name, verdict)

        def done(_change: Change) -> None:
            self.window.say(f"Review of {verdict.change} recorded: {verdict.verdict.replace('-', ' ')}")
            self.show()

        def failed(error: Exception) -> None:
            if isinstance(error, KbError):
                page.say_problem(f"{error.title}. {error.hint}")

        self.incidents.with_book(work, done, failed, is_writing=True)

    def _show_timeline_of_review(self) -> None:
        from kb_app.ui.timeline.feature import TimelineFeature  # start-up time

        if self._review is not None and self._review.case is not None:
            case = self._review.case
            self.window.feature(TimelineFeature).show(case.state.id, change=case.deploy.change)

    # -- closing --------------------------------------------------------------------------------------

    def close_incident(self, name: str = "") -> None:
        """Show what closing an incident would leave undone: the one named, else the one in hand."""
        wanted = name or self.incidents.name
        if wanted:
            self._read_closing(wanted)

    def _read_closing(self, name: str) -> None:
        def work(book: RecordBook) -> Closing:
            from kb_app.workspace.aftermath import closing_of  # start-up time

            return closing_of(book, name)

        self.incidents.with_book(work, self._show_closing)

    def _refresh_closing(self) -> None:
        page = self._closing
        if page is not None and page.closing is not None and self.window.pages.currentWidget() is page:
            self._read_closing(page.closing.state.id)

    def _show_closing(self, closing: Closing) -> None:
        if self._closing is None:
            from kb_app.ui.duties.closing import ClosingPage  # start-up time

            self._closing = ClosingPage(self.window.pages)
            self._closing.knowledge_given.connect(self._record_knowledge)
            self._closing.close_requested.connect(self._close_now)
            self._closing.learn_requested.connect(self._learn)
            self._closing.undone_requested.connect(self.work_on)
            self.window.add_page(self._closing)
        current = self.desk.current
        self._closing.show_closing(closing, _name_of(current.ref.path) if current is not None else "")
        if self.window.pages.currentWidget() is not self._closing:
            self.window.show_page(self._closing)

    def _record_knowledge(self, how: str, entry: str, note: str) -> None:
        page = self._closing
        if page is None or page.closing is None:
            return
        name = page.closing.state.id

        def work(book: RecordBook) -> Change:
            from kb_app.workspace.aftermath import record_knowledge  # start-up time

            return record_knowledge(book, name, how, entry, note)

        self.incidents.with_book(
            work, lambda _change: self._read_closing(name), self._on_closing_failed, is_writing=True
        )

    def _close_now(self, reason: str) -> None:
        page = self._closing
        if page is None or page.closing is None:
            return
        name = page.closing.state.id

        def work(book: RecordBook) -> Change:
            from kb_app.workspace.aftermath import close_incident  # start-up time

            return close_incident(book, name, reason=reason)

        def done(_change: Change) -> None:
            if self.incidents.name == name:
                self.incidents.leave()
            self.window.say("Closed and sealed")
            self.show()

        self.incidents.with_book(work, done, self._on_closing_failed, is_writing=True)

    def _on_closing_failed(self, error: Exception) -> None:
        if isinstance(error, KbError) and self._closing is not None:
            self._closing.say_problem(f"{error.title}. {error.hint}")

    def _learn(self) -> None:
        from kb_app.entries.templates import file_name_for  # start-up time

        page = self._closing
        if page is not None and page.closing is not None:
            page.expect_entry(_name_of(file_name_for(page.closing.state.title)))
            self.learn(page.closing.state)

    def learn(self, state: IncidentState) -> None:
        """Write an entry from what the record of an incident knows, in the editor."""
        from kb_app.incidents.learned import learned_entry  # start-up time
        from kb_app.ui.editor.feature import EditorFeature

        learned = learned_entry(state)
        self.window.feature(EditorFeature).new_entry(learned.kind, learned.title, learned.text)


def _name_of(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")
