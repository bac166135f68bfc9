"""The decision panel: mitigate or fix forward, in five keys and Enter.

Decision: the advice is computed on the window's thread at each key. `decide` is pure and takes well under a
millisecond; only reading ``policy.yml`` touches the disk, and that is the caller's job (`show_ground`).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from kb_app.decision.model import Advice, Incident
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.decision.values import Ordered, Recommendation, Way
from kb_app.entries.model import Finding
from kb_app.ui.common.messages import announce
from kb_app.ui.common.widgets import ElidedLabel, IconButton, KeyCap, label
from kb_app.ui.decision.cards import (
    AdviceCard,
    BlockedCard,
    DecidedCard,
    DutiesCard,
    FactsCard,
    FreeMoveCard,
    OverrideCard,
    QuestionRow,
    Remark,
    Segment,
    card,
    clear,
)
from kb_app.ui.decision.state import (
    LOOKS,
    QUESTIONS,
    RULE_WORDS,
    UNKNOWN_KEYS,
    DecisionState,
    Question,
    accept_text,
    bullets_of,
    clock_text,
    duty_lines,
    first_state,
    headline,
    path_name,
    policy_text,
    rule_text,
    taken_as,
    time_to_edit,
    times_of,
)
from kb_app.workspace.deciding import Inputs
from kb_app.workspace.responding import StoredDecision

TICK_MS = 1_000
MAX_KEPT = 50
"""States of entries that are kept while the window is open."""

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_ANSWER_KEYS = (*UNKNOWN_KEYS, "1", "2", "3", "4")
_OTHER_KEYS = (*_ENTER, Qt.Key.Key_O, Qt.Key.Key_Backspace, Qt.Key.Key_Escape)


class _Scroll(QScrollArea):
    """Scrolls by wheel, bar and page keys; the arrows are the panel's: they go from question to question."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            super().keyPressEvent(event)
        else:
            event.ignore()


def utc_now() -> dt.datetime:
    """Return the time now."""
    return dt.datetime.now(dt.UTC)


class DecisionPanel(QWidget):
    """Questions, advice, facts and duties for one entry.

    Signals:
        decided(object): a `Decision` was taken.
        decide_again(str): the decision no longer holds; why, one sentence.
        steps_requested(object): the steps of a `PlannedPath` shall show.
        closed(): the panel shall go away.
    """

    decided = Signal(object)
    decide_again = Signal(str)
    steps_requested = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None, *, clock: Callable[[], dt.datetime] = utc_now) -> None:
        """Make the panel; ``clock`` gives the time now, aware."""
        super().__init__(parent)
        self.setObjectName("decision")
        self.setProperty("surface", "chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(380)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Decide: mitigate or fix forward")
        self._clock = clock
        self._key = ""
        self._kept: dict[str, DecisionState] = {}
        self._is_policy_known = False
        self._findings: tuple[Finding, ...] = ()
        self._told_again = ""
        self._known = Incident()
        self._stored: StoredDecision | None = None
        self.state = DecisionState()
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self.tick)
        self._build()
        self._connect()
        self._show()

    # -- building -------------------------------------------------------------------------------------

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_header())
        self._scroll = _Scroll(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        body = QWidget()
        body.setProperty("surface", "chrome")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        box = QVBoxLayout(body)
        box.setContentsMargins(12, 0, 12, 16)
        box.setSpacing(8)
        self.free_move = FreeMoveCard(body)
        self.decided_card = DecidedCard(body)
        self.advice_card = AdviceCard(body)
        self.override_card = OverrideCard(body)
        self.blocked_card = BlockedCard(body)
        self.facts_card = FactsCard(body)
        self.duties_card = DutiesCard(body)
        for part in (
            self.free_move,
            self._build_questions(body),
            self.decided_card,
            self.advice_card,
            self.override_card,
            self.blocked_card,
            self.duties_card,
            self.facts_card,
            self._build_footer(body),
        ):
            box.addWidget(part)
        box.addStretch(1)
        self._scroll.setWidget(body)
        layout.addWidget(self._scroll, 1)

    def _build_header(self) -> QWidget:
        header = QWidget(self)
        header.setFixedHeight(44)
        row = QHBoxLayout(header)
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(label("Decide", "heading", header))
        self._title = ElidedLabel("", header, mode=Qt.TextElideMode.ElideRight)
        self._title.setProperty("textstyle", "secondary")
        row.addWidget(self._title, 1)
        self.close_button = IconButton("x", "Back to the steps", header, size=16, shortcut="Esc")
        self.close_button.setObjectName("closeDecision")
        self.close_button.clicked.connect(self.closed)
        row.addWidget(self.close_button)
        return header

    def _build_questions(self, parent: QWidget) -> QWidget:
        frame, box = card(parent)
        frame.setObjectName("questions")
        box.setContentsMargins(4, 6, 8, 6)
        box.setSpacing(0)
        self.rows: dict[Question, QuestionRow] = {}
        for spec in QUESTIONS:
            row = QuestionRow(spec, frame)
            row.answered.connect(self._on_answered)
            self.rows[spec.question] = row
            box.addWidget(row)
        hint = QHBoxLayout()
        hint.setContentsMargins(8, 4, 0, 2)
        hint.setSpacing(4)
        for key, text in (("1–4", "answer"), ("0", "unknown"), ("Backspace", "back")):
            hint.addWidget(KeyCap(key, frame))
            hint.addWidget(label(text, "meta", frame))
            hint.addSpacing(6)
        hint.addStretch(1)
        box.addLayout(hint)
        return frame

    def _build_footer(self, parent: QWidget) -> QWidget:
        footer = QWidget(parent)
        box = QVBoxLayout(footer)
        box.setContentsMargins(4, 0, 4, 0)
        box.setSpacing(4)
        self._policy = ElidedLabel("", footer, mode=Qt.TextElideMode.ElideRight)
        self._policy.setProperty("textstyle", "meta")
        self._policy.setObjectName("policy")
        box.addWidget(self._policy)
        self._finding_rows = QVBoxLayout()
        self._finding_rows.setSpacing(4)
        box.addLayout(self._finding_rows)
        return footer

    def _connect(self) -> None:
        self.free_move.steps_requested.connect(self.steps_requested)
        self.decided_card.steps_requested.connect(self.steps_requested)
        self.advice_card.accepted.connect(self.accept)
        self.advice_card.override_requested.connect(self.open_override)
        self.advice_card.again_requested.connect(self.reopen)
        self.override_card.changed.connect(self._on_override_changed)
        self.override_card.accepted.connect(self.accept_override)
        self.override_card.dismissed.connect(self._close_override)
        self.blocked_card.loss_accepted.connect(self._on_loss_accepted)
        self.facts_card.entered.connect(self._on_fact_entered)
        self.facts_card.restored.connect(self._on_fact_restored)
        self.facts_card.path_chosen.connect(self._on_path_chosen)
        self.facts_card.path_added.connect(self._on_path_added)

    # -- what is decided on ---------------------------------------------------------------------------

    def show_entry(self, key: str, title: str, inputs: Inputs) -> None:
        """Decide on an entry; its policy follows with `show_ground`.

        Args:
            key: names the entry; what was answered for it before is there again.
            title: for people.
            inputs: what it gives.
        """
        if self._key:
            self._kept.pop(self._key, None)
            self._kept[self._key] = self.state
            while len(self._kept) > MAX_KEPT:
                del self._kept[next(iter(self._kept))]
        self._key = key
        self._title.setText(title)
        self._is_policy_known = False
        self._findings = ()
        self._told_again = ""
        self.state = self._kept.get(key) or first_state(inputs)
        self._known, self._stored = Incident(), None
        self.show_record("")
        self._scroll.verticalScrollBar().setValue(0)
        self._show()

    def show_ground(
        self, inputs: Inputs, policy: Policy = DEFAULT_POLICY, findings: tuple[Finding, ...] = ()
    ) -> None:
        """Use the knowledge base's policy and the component's defaults; answers and edits stay."""
        self._is_policy_known = True
        self._findings = findings
        grounded = self.state.with_ground(inputs, policy)
        self._change(grounded.with_stored(self._stored) if self._stored is not None else grounded)

    def show_incident(self, known: Incident, stored: StoredDecision | None = None) -> None:
        """Take over what the record of the incident in hand says, now and whenever it changes.

        Args:
            known: what it states; an empty `Incident` without a record.
            stored: its last decision, when that was taken on this entry.
        """
        before, self._known, self._stored = self._known, known, stored
        state = self.state.with_known(known, before)
        if stored is not None and self._is_policy_known:
            state = state.with_stored(stored)
        if state is not self.state:
            had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
            self._change(state)
            if had_focus:
                self.focus_question()

    def forget(self) -> None:
        """Forget all answers and decisions: they belong to an incident that is no longer in hand."""
        self._kept.clear()
        self._known, self._stored = Incident(), None
        self._told_again = ""
        self.show_record("")
        self._change(first_state(self.state.inputs, self.state.policy))

    def show_record(self, text: str, *, is_failed: bool = False) -> None:
        """Say below the decision where it is written down, or that it is not."""
        self.decided_card.show_record(text, is_failed=is_failed)

    @property
    def advice(self) -> Advice:
        """What the policy advises now."""
        return self.state.advice(self._clock().date())

    def focus_question(self) -> None:
        """Put the focus where the keys count: on the current question, else on the answer to the advice."""
        if self.state.current is not None:
            self.rows[self.state.current].focus_segment()
        elif self.advice_card.accept_button.isVisible():
            self.advice_card.accept_button.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def key(self) -> str:
        """Which entry is being decided on."""
        return self._key

    # -- keys -----------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Keep the panel's keys from the window, where they are shortcuts for something else."""
        is_override = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_override and isinstance(event, QKeyEvent) and _is_own_key(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Digits answer, Backspace goes back, Enter follows the advice, O chooses otherwise, Esc leaves."""
        if _has_command_modifier(event):
            super().keyPressEvent(event)
            return
        key, text = event.key(), event.text()
        moves: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Backspace: self.go_back,
            Qt.Key.Key_Up: self.go_back,
            Qt.Key.Key_Down: partial(self._go, 1),
            Qt.Key.Key_Left: partial(self._go_aside, -1),
            Qt.Key.Key_Right: partial(self._go_aside, 1),
            Qt.Key.Key_O: self.open_override,
            Qt.Key.Key_Escape: self._on_escape,
        }
        if text in _ANSWER_KEYS:
            self.answer(text)
        elif key in _ENTER:
            self._on_enter()
        elif key in moves:
            moves[key]()
        else:
            super().keyPressEvent(event)

    def answer(self, key: str) -> None:
        """Answer the current question by its key."""
        after = self.state.answered(key)
        if after is not self.state:
            self._change(after)
            self.focus_question()
            announce(self, self.advice_card.sentence)

    def go_back(self) -> None:
        """Go to the question before."""
        self._change(self.state.back())
        self.focus_question()

    def _go(self, _step: int) -> None:
        self._change(self.state.forward())
        self.focus_question()

    def _go_aside(self, step: int) -> None:
        if self.state.current is not None:
            self.rows[self.state.current].focus_neighbour(step)

    def _on_enter(self) -> None:
        focused = self.focusWidget()
        if isinstance(focused, QAbstractButton) and not isinstance(focused, Segment):
            focused.click()  # Enter on a button that has the focus means that button
        else:
            self.accept()

    def _on_escape(self) -> None:
        if self.state.override is not None:
            self._close_override()
        else:
            self.closed.emit()

    # -- deciding -------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Follow the advice; nothing happens before the policy is known or while the decision holds."""
        now = self._clock()
        if not self._is_policy_known:
            return
        if self.state.decision is not None and not self.state.why_again(now):
            return
        timebox = self.state.timebox(now)
        is_over = timebox is not None and timebox.is_over
        self._change(self.state.fallen_back(now) if is_over else self.state.decided(now))
        self._tell_decision()

    def open_override(self) -> None:
        """Write another choice and its reason."""
        if not self._is_policy_known:
            return
        if self.state.decision is not None:
            self._change(self.state.reopened())
        self._change(self.state.override_opened(self._clock().date()))
        self.override_card.reason.setFocus(Qt.FocusReason.OtherFocusReason)
        QTimer.singleShot(0, self.override_card, self._scroll_to_override)

    def accept_override(self) -> None:
        """Take the other choice, if it has a reason."""
        self._change(self.state.overridden(self._clock()))
        if self.state.override is not None:
            self.override_card.reason.setFocus(Qt.FocusReason.OtherFocusReason)
            announce(self, "A reason is needed")
        else:
            self._tell_decision()

    def reopen(self) -> None:
        """Decide again: the answers stay and can be changed."""
        self._told_again = ""
        self._change(self.state.reopened())
        self.focus_question()

    def _tell_decision(self) -> None:
        self._told_again = ""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        decision = self.state.decision
        if decision is not None:
            announce(self, f"Decided: {LOOKS[decision.chosen].name}")
            self.decided.emit(decision)

    def _close_override(self) -> None:
        self._change(self.state.override_closed())
        self.focus_question()

    def _scroll_to_override(self) -> None:
        self._scroll.ensureWidgetVisible(self.override_card, 0, 16)

    # -- changes --------------------------------------------------------------------------------------

    def _on_answered(self, question: Question, value: Ordered | None) -> None:
        self._change(self.state.with_answer(question, value))
        self.focus_question()

    def _on_override_changed(self, chosen: Recommendation, reason: str) -> None:
        self._change(self.state.override_changed(chosen=chosen, reason=reason))

    def _on_loss_accepted(self) -> None:
        self._change(dataclasses.replace(self.state, is_data_loss_accepted=True))

    def _on_fact_entered(self, way: Way, attribute: str, text: str) -> None:
        position = self.state.shown_position(way, self.advice)
        if position is not None:
            pinned = self.state.showing(way, position)
            self._change(pinned.edited(way, position, attribute, text))

    def _on_fact_restored(self, way: Way, attribute: str) -> None:
        position = self.state.shown_position(way, self.advice)
        if position is not None:
            self._change(self.state.restored(way, position, attribute))

    def _on_path_chosen(self, way: Way, position: int) -> None:
        self._change(self.state.showing(way, position))

    def _on_path_added(self, way: Way) -> None:
        self._change(self.state.with_path(way))
        self.facts_card.cells[way, "time_minutes"].edit()

    # -- showing --------------------------------------------------------------------------------------

    def _change(self, state: DecisionState) -> None:
        self.state = state
        self._show()

    def _show(self) -> None:
        now = self._clock()
        state, advice = self.state, self.advice
        assumed = taken_as(advice)
        for question, row in self.rows.items():
            row.show_answer(
                dict(state.answers), assumed.get(question, ""), is_current=question is state.current
            )
        self.free_move.show_move(state.free_move)
        times = times_of(advice, state)
        self.advice_card.show_advice(
            LOOKS[advice.recommend],
            headline(advice),
            (rule_text(advice), RULE_WORDS[advice.rule]),
            bullets_of(advice, times),
            times,
        )
        self.blocked_card.show_blocked(advice.blocked)
        self._show_facts(advice, now)
        self.override_card.show_override(state.override, advice.recommend)
        self._show_decision(now)
        self._show_policy()
        self._run_timer()

    def _show_facts(self, advice: Advice, now: dt.datetime) -> None:
        facts, typed, edited = {}, {}, set()
        for way in Way:
            position = self.state.shown_position(way, advice)
            paths = self.state.paths(way)
            names = tuple(path_name(path, way) for path in paths)
            self.facts_card.headers[way].show_paths(names, position)
            if position is None:
                continue
            facts[way] = self.state.facts(way, position, now.date())
            typed[way] = time_to_edit(paths[position])
            edited |= {
                (w, name) for (w, n), e in self.state.edits.items() if (w, n) == (way, position) for name in e
            }
        self.facts_card.show_facts(facts, typed, edited)

    def _show_decision(self, now: dt.datetime) -> None:
        state, advice, decision = self.state, self.advice, self.state.decision
        why_again, timebox = state.why_again(now), state.timebox(now)
        self.decided_card.setVisible(decision is not None)
        counted_from = now
        if decision is not None:
            counted_from = decision.decided_at
            at = clock_text(counted_from.astimezone(), now.astimezone())
            self.decided_card.show_decision(
                f"{LOOKS[decision.chosen].name}, at {at}", decision.reason, state.path_to_take
            )
            self.decided_card.show_time(timebox, why_again)
        text = accept_text(advice)
        if timebox is not None and timebox.is_over:
            text = f"Fall back: {accept_text(state.fallen_back(now).advice(now.date()))}"
        self.advice_card.show_answers(
            text,
            can_accept=self._is_policy_known,
            is_decided=decision is not None and not why_again,
            is_overriding=state.override is not None,
        )
        duties = state.duties(advice, now.date())
        self.duties_card.show_duties(
            duty_lines(duties, counted_from.astimezone(), is_decided=decision is not None)
        )
        if why_again and why_again != self._told_again:
            self._told_again = why_again
            announce(self, why_again)
            self.decide_again.emit(why_again)

    def _show_policy(self) -> None:
        self._policy.setText(
            policy_text(self.state.policy) if self._is_policy_known else "Reading the policy…"
        )
        if self._finding_rows.count() != len(self._findings):
            clear(self._finding_rows)
            for finding in self._findings:
                text = f"{finding.path}, line {finding.line}: {finding.message}. {finding.fix}".strip()
                self._finding_rows.addWidget(Remark("triangle-alert", text, self, tone="mitigate"))

    # -- time -----------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Show what the passing of time has changed."""
        self._show_decision(self._clock())
        self._run_timer()

    @property
    def is_ticking(self) -> bool:
        """Tell whether the clock of the panel runs."""
        return self._timer.isActive()

    def _run_timer(self) -> None:
        """Run the clock while it is looked at, or while a fix has a time limit that will end."""
        timebox = self.state.timebox(self._clock())
        is_needed = self.isVisible() or (timebox is not None and not timebox.is_over)
        if is_needed and not self._timer.isActive():
            self._timer.start()
        elif not is_needed:
            self._timer.stop()

    def showEvent(self, event: QShowEvent) -> None:
        """Start the clock."""
        super().showEvent(event)
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the clock unless a time limit runs."""
        super().hideEvent(event)
        self._run_timer()


def _has_command_modifier(event: QKeyEvent) -> bool:
    harmless = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier
    return bool(event.modifiers() & ~harmless)


def _is_own_key(event: QKeyEvent) -> bool:
    is_own = event.text() in _ANSWER_KEYS or event.key() in _OTHER_KEYS
    return is_own and not _has_command_modifier(event)
