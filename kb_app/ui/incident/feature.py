"""Responding joins the window: the incident in hand, its chip, and everything that writes to its record.

Decision: the window's start pays for none of it. Rules, sheets and recorders are imported when the first
incident is taken in hand, or in a quiet moment after the start, away from the window's thread.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from shiboken6 import isValid

from kb_app.ui.common.actions import ActionId, When, shortcut_of
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.features import Feature
from kb_app.ui.incident.current import CurrentIncident
from kb_app.ui.steps.state import Lane

if TYPE_CHECKING:
    from kb_app.incidents.timeline import IncidentState
    from kb_app.ui.common.reading import OpenedEntry
    from kb_app.ui.decision.panel import DecisionPanel
    from kb_app.ui.incident.chip import IncidentChip
    from kb_app.ui.incident.deciding import DecisionRecorder
    from kb_app.ui.incident.deployment import DeploymentSheet
    from kb_app.ui.incident.notices import Notices
    from kb_app.ui.incident.opening import OpeningSheet
    from kb_app.ui.incident.recorder import StepRecorder
    from kb_app.ui.incident.waits import RunningWait, Waits
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.responding import Change, Deployment, Opening, Terms

QUIET_MS = 1_500
"""After the start the rules of responding are imported this much later."""

CLOCK_MS = 1_000
REVIEW_TOPIC = "review"
AGAIN_TOPIC = "decide-again"


def utc_now() -> dt.datetime:
    """Return the time now."""
    return dt.datetime.now(dt.UTC)


class IncidentFeature(Feature):
    """The incident in hand.

    Attributes:
        current: which one, and the door to the records; other features read and write through it.
        clock: gives the time now, aware.
    """

    def __init__(self, window: MainWindow) -> None:
        """Have none in hand yet."""
        super().__init__(window)
        self.clock: Callable[[], dt.datetime] = utc_now
        self.current = CurrentIncident(self.desk, self)
        self._chip: IncidentChip | None = None
        self._steps: StepRecorder | None = None
        self._decisions: DecisionRecorder | None = None
        self._waits: Waits | None = None
        self._notices: Notices | None = None
        self._opening: OpeningSheet | None = None
        self._deployment: DeploymentSheet | None = None
        self._last_env = ""
        self._told_over: set[dt.datetime] = set()
        self._is_resuming = False
        self._query_at_start = ""
        self._timer = QTimer(self, interval=CLOCK_MS)
        self._timer.timeout.connect(self.tick)
        self.current.changed.connect(self._on_changed)
        window.steps.proof_wanted.connect(self._on_proof_wanted)
        window.steps.wait_over.connect(self._on_local_wait_over)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions do."""
        return {
            ActionId.INCIDENT: self.show_or_open,
            ActionId.LOG_DEPLOYMENT: self.log_deployment,
        }

    def facts(self) -> Iterable[When]:
        """An incident is open while one is in hand."""
        return (When.INCIDENT_OPEN,) if self.current.state is not None else ()

    def start(self) -> None:
        """Take up the incident of the last session; get ready in a quiet moment."""
        self._query_at_start = self.desk.query.typed
        self._is_resuming = bool(self.desk.session.state.incident)
        self.current.start()
        QTimer.singleShot(QUIET_MS, self, self._warm_up)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.applicationStateChanged.connect(self._on_application_state)

    def stop(self) -> None:
        """End the clocks."""
        self._timer.stop()

    # -- parts made when they are needed --------------------------------------------------------------

    def _warm_up(self) -> None:
        """Import the rules away from the window's thread, then join the panels."""
        self.desk.jobs.run(_import_rules, on_done=lambda _none: self.join_panels())

    def join_panels(self) -> None:
        """Let steps and decisions go to the record; done once."""
        if self._steps is not None:
            return
        from kb_app.ui.incident.deciding import DecisionRecorder
        from kb_app.ui.incident.notices import Notices
        from kb_app.ui.incident.recorder import StepRecorder
        from kb_app.ui.incident.waits import Waits

        self._notices = Notices(self.desk, self.window.isActiveWindow, self)
        self._steps = StepRecorder(self.window, self.current)
        self._decisions = DecisionRecorder(self.window, self.current)
        self.window.response.when_made(self._join_decision)
        self._waits = Waits(self.current, self.clock, self)
        self._waits.over.connect(self._on_wait_over)
        self._waits.start()

    def _join_decision(self, panel: DecisionPanel) -> None:
        panel.decide_again.connect(self._on_decide_again)

    @property
    def chip(self) -> IncidentChip:
        """Return the chip at the top, making it when there is none yet."""
        if self._chip is None:
            from kb_app.ui.incident.chip import IncidentChip

            chip = IncidentChip(self.window)
            chip.clicked.connect(self.show_or_open)
            chip.menu_requested.connect(self.show_menu)
            self.window.topbar.add_chip(chip)
            self._chip = chip
        return self._chip

    @property
    def opening(self) -> OpeningSheet | None:
        """Return the sheet that opens an incident, the last one shown."""
        return self._opening

    @property
    def deployment(self) -> DeploymentSheet | None:
        """Return the sheet that logs a deployment, the last one shown."""
        return self._deployment

    @property
    def waits(self) -> Waits:
        """Return the waits that run."""
        self.join_panels()
        assert self._waits is not None
        return self._waits

    # -- opening and showing --------------------------------------------------------------------------

    def show_or_open(self) -> None:
        """Show the timeline of the incident in hand; without one ask for a new one."""
        if self.current.state is None:
            self.open_sheet()
        else:
            from kb_app.ui.timeline.feature import TimelineFeature

            self.window.feature(TimelineFeature).toggle()

    def open_sheet(self) -> None:
        """Show the sheet for a new incident, prefilled from the entry and the words that were typed."""
        from kb_app.ui.incident.opening import OpeningSheet
        from kb_app.workspace.responding import opening_of

        query, opened = self.desk.query, self.desk.current
        entry = opened.entry if opened is not None else None
        typed = "" if query.pasted else query.typed
        opening = opening_of(entry, typed, alert=self._alert(opened))
        marked = sum(not mark.is_open for mark in self.window.steps.local_marks.values())
        sheet = OpeningSheet(self.window, opening, marked=marked, from_paste=bool(query.pasted))
        sheet.opened.connect(self._on_opening_given)
        sheet.taken_up.connect(self.current.take_up)
        self._opening = sheet
        sheet.ask()
        self.current.list_open(self._show_others)

    def _show_others(self, states: tuple[IncidentState, ...]) -> None:
        sheet = self._opening
        if sheet is not None and isValid(sheet) and sheet.isVisible():
            sheet.show_others(states, self.clock())

    def _alert(self, opened: OpenedEntry | None) -> str:
        """Return the alert that was looked for, if the open entry answers just one."""
        answer = self.desk.last_answer
        is_alert = answer is not None and answer.mode == "alert"
        alerts = opened.entry.alerts if opened is not None else ()
        return alerts[0] if is_alert and len(alerts) == 1 else ""

    def _on_opening_given(self, opening: Opening, is_taken_over: bool) -> None:  # noqa: FBT001 - signal
        def done(change: Change) -> None:
            self.window.say(f"Incident opened: {change.state.title}")
            if self._steps is not None:
                self._steps.take_over(is_wanted=is_taken_over)

        self.current.open(opening, done)

    def show_menu(self) -> None:
        """Offer what can be done with the incident in hand, and the other open ones."""
        self.current.list_open(self._show_menu)

    def _show_menu(self, states: tuple[IncidentState, ...]) -> None:
        from kb_app.ui.incident.state import opened_text

        state = self.current.state
        menu = QMenu(self.window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setObjectName("incidentMenu")
        if state is not None:
            menu.addAction(_for_menu(f"{state.title} ({state.status})")).setEnabled(False)
            show = menu.addAction(f"Show the incident\t{shortcut_of(ActionId.INCIDENT)}")
            show.triggered.connect(self.show_or_open)
            deploy = menu.addAction(f"Log a deployment…\t{shortcut_of(ActionId.LOG_DEPLOYMENT)}")
            deploy.triggered.connect(self.log_deployment)
            menu.addAction("Leave it (the record stays)").triggered.connect(self._leave)
        others = [one for one in states if state is None or one.id != state.id]
        if others:
            menu.addSeparator()
            menu.addAction("Take up another").setEnabled(False)
        for one in others[:12]:
            action = menu.addAction(_for_menu(opened_text(one, self.clock())))
            action.triggered.connect(partial(self.current.take_up, one.id))
        menu.addSeparator()
        menu.addAction("Open a new incident…").triggered.connect(self.open_sheet)
        below = self.chip.mapToGlobal(QPoint(0, self.chip.height() + 4))
        menu.popup(below if self.chip.isVisible() else self.window.mapToGlobal(QPoint(360, 56)))

    def _leave(self) -> None:
        self.current.leave()
        self.window.say("The record stays open; take it up again from the menu (I)")

    # -- deploying ------------------------------------------------------------------------------------

    def log_deployment(self) -> None:
        """Show the sheet that logs a deployment, with the change from the clipboard if it looks like one."""
        state = self.current.state
        if state is None:
            return
        from kb_app.ui.incident.deployment import DeploymentSheet
        from kb_app.workspace.responding import change_in, policies_of, terms_of

        self.join_panels()
        change = change_in(QGuiApplication.clipboard().text())
        service = state.services[0] if state.services else ""
        sheet = DeploymentSheet(self.window, change=change, env=self._last_env or "prod", service=service)
        sheet.logged.connect(self._on_deployed)
        self._deployment = sheet
        sheet.ask()
        roots = [base.root for base in self.desk.bases]
        live = self._decisions.live_case if self._decisions is not None else None
        today = self.clock().astimezone().date()

        def work() -> Terms:
            return terms_of(state, policies_of(roots), today, live=live)

        self.desk.jobs.run(work, on_done=self._show_terms)

    def _show_terms(self, terms: Terms) -> None:
        sheet = self._deployment
        if sheet is not None and isValid(sheet) and sheet.isVisible():
            sheet.show_terms(terms, self.clock())

    def _on_deployed(self, deployment: Deployment, terms: Terms) -> None:
        from kb_app.workspace.responding import log_deployment

        now = self.clock()
        self._last_env = deployment.env

        def done(change: Change) -> None:
            self.window.say(f"Logged: {_short(deployment.change)} in {deployment.env}")
            self._tell_review(change.state)

        self.current.perform(
            lambda book, name: log_deployment(book, name, deployment, terms, now), on_done=done
        )

    def _tell_review(self, state: IncidentState) -> None:
        """Say in red what the last deployment owes."""
        from kb_app.incidents.duties import review_due, review_mode, review_of
        from kb_app.ui.incident.state import review_sentence

        if not state.deploys:
            return
        deploy = state.deploys[-1]
        if review_mode(state, deploy) != "after":
            text = f"{_short(deploy.change)} needed a review first"
            hint = "Have it reviewed now; the review is written down on the home page"
        elif review_of(state, deploy) is None:
            text = review_sentence(review_due(state, deploy), self.clock())
            hint = f"{_short(deploy.change)} in {deploy.env} went out by {deploy.authority}"
        else:
            return
        self.desk.message_posted.emit(Message(text, hint, Weight.PROBLEM, topic=REVIEW_TOPIC))

    def _on_proof_wanted(self, lane: Lane) -> None:
        wanted = ActionId.MARK_MITIGATED if lane is Lane.MITIGATE else ActionId.MARK_FIXED
        self.window.actions_table[wanted].trigger()

    # -- time -----------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Show what the passing of time has changed, by the times in the record."""
        state = self.current.state
        if state is None:
            return
        from kb_app.ui.incident.state import chip_text
        from kb_app.workspace.responding import time_limit

        now = self.clock()
        self.chip.show_text(chip_text(state, now))
        limit = time_limit(state)
        if limit is not None and limit.ends_at <= now and limit.ends_at not in self._told_over:
            self._told_over.add(limit.ends_at)
            minutes = round((limit.ends_at - limit.began_at).total_seconds() / 60)
            self._tell(
                f"The fix has had its {minutes} min",
                "Fall back to the mitigation, or decide again",
                AGAIN_TOPIC,
                "Decide again",
                self._decide_again,
            )

    def _tell(self, text: str, hint: str, topic: str, action: str, run: Callable[[], None]) -> None:
        self.join_panels()
        assert self._notices is not None
        self._notices.tell(text, hint, topic, action, run)

    def _on_decide_again(self, why: str) -> None:
        if self.current.state is not None and not why.startswith("The fix has had its"):
            self._tell(why, "", AGAIN_TOPIC, "Decide again", self._decide_again)

    def _decide_again(self) -> None:
        if not self.window.response.is_deciding:
            self.window.actions_table[ActionId.DECIDE].trigger()

    def _on_wait_over(self, wait: RunningWait) -> None:
        text = f"The wait of step {wait.timer.step} is over: check now"
        hint = f"{wait.timer.text} ({wait.timer.path})"
        self._tell(text, hint, f"wait:{wait.record}", "Go to the step", partial(self._go_to, wait))

    def _on_local_wait_over(self, text: str) -> None:
        lane = self.window.steps.active_lane
        self._tell(
            "A wait is over: check now", text, "wait", "Go to the step", partial(self._go_to_lane, lane)
        )

    def _go_to(self, wait: RunningWait) -> None:
        if wait.record == self.current.name:
            self._resume_at()
        else:
            self.current.take_up(wait.record, lambda _state: self._resume_at())

    def _go_to_lane(self, lane: Lane) -> None:
        action = ActionId.MITIGATE if lane is Lane.MITIGATE else ActionId.FIX_FORWARD
        self.window.actions_table[action].trigger()

    # -- changes --------------------------------------------------------------------------------------

    def _on_changed(self, state: IncidentState | None) -> None:
        if state is not None:
            self.join_panels()
            self.tick()
            self.chip.show()
            self._timer.start()
        else:
            self._timer.stop()
            if self._chip is not None:
                self._chip.hide()
            self.desk.message_settled.emit(REVIEW_TOPIC)
            self.desk.message_settled.emit(AGAIN_TOPIC)
        self.window.update_actions()
        if state is not None and self._is_resuming:
            self._is_resuming = False
            if self.desk.query.typed == self._query_at_start:
                self._resume_at()
            self._tell_review(state)

    def _resume_at(self) -> None:
        """Open the entry whose steps were marked last and go to the step in hand."""
        place, opened = self.desk.session.state.place, self.desk.current
        if place is None or self._steps is None:
            return
        if opened is not None and opened.ref == place and not self.window.are_steps_pending:
            self.window.show_panes()
            self.window.response.show_steps()
            self._steps.focus_current()
        elif self.desk.base_of(place) is not None:
            self.window.steps.plan_shown.connect(self._on_plan_shown)
            self.window.open_entry(place)

    def _on_plan_shown(self) -> None:
        opened = self.desk.current
        self.window.steps.plan_shown.disconnect(self._on_plan_shown)
        if opened is not None and opened.ref == self.desk.session.state.place and self._steps is not None:
            self._steps.focus_current()

    def _on_application_state(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self.current.reload()


def _import_rules() -> None:
    import kb_app.decision.from_entry
    import kb_app.workspace.responding  # noqa: F401 - imported for its effect


def _short(change: str) -> str:
    """Return a change's id for a sentence: a commit hash by its first ten digits."""
    is_hash = len(change) > 10 and all(c in "0123456789abcdef" for c in change)
    return change[:10] if is_hash else change[:60]


def _for_menu(text: str) -> str:
    """Return foreign text for a menu: an ampersand is no shortcut, a tab no key."""
    return text.replace("&", "&&").replace("\t", " ")[:80]
