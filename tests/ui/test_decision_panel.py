from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from kb_app.decision.advice import decide
from kb_app.decision.model import Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.decision.values import (
    Confidence,
    Impact,
    Recommendation,
    Reversible,
    Risk,
    Scope,
    Severity,
    Way,
)
from kb_app.decision.wording import advice_sentence
from kb_app.entries.model import Finding, Path, PathAttributes, PathKind, PlannedPath, Span, State
from kb_app.entries.model import Severity as FindingSeverity
from kb_app.ui.common.theme import Theme, ThemeChoice
from kb_app.ui.decision.cards import FactButton, QuestionRow, Segment
from kb_app.ui.decision.panel import DecisionPanel
from kb_app.ui.decision.state import LOOKS, Origin, Question
from kb_app.workspace.deciding import Decision, Inputs, Prefilled

ROLLBACK = PathInput(
    "roll back", 10.0, Risk.LOW, Reversible.YES, Scope.CELL, Confidence.PROVEN, approval="none"
)
FLIP = PathInput("flip the flag", 4.0, Risk.LOW, Reversible.YES, Scope.CELL, Confidence.PROVEN)
LONG = "move_" * 12 + "and/then/a/very/long/path/without/any/blank/in/it/" * 3


class Clock:
    """The time of a test."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 4, 12, 5, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def pass_minutes(self, minutes: float) -> None:
        self.now += dt.timedelta(minutes=minutes)


def inputs(
    *,
    mitigations: tuple[PathInput, ...] = (ROLLBACK,),
    fixes: tuple[PathInput, ...] = (FLIP,),
    planned: PlannedPath | None = None,
) -> Inputs:
    return Inputs(
        Incident(),
        tuple(Prefilled(Way.MITIGATION, path, planned) for path in mitigations),
        tuple(Prefilled(Way.FIX, path) for path in fixes),
    )


def free() -> PlannedPath:
    known = PathAttributes(risk="low", reversible="yes", approval="none", blast="cell", data="safe")
    path = Path(
        PathKind.MITIGATION,
        is_typed=True,
        name="drain the cell",
        heading="",
        anchor="drain",
        span=Span(1, 1),
        attributes=known,
    )
    return PlannedPath(path, "own", "e.md", "E", State.VERIFIED)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def panel(qtbot: QtBot, clock: Clock) -> Iterator[DecisionPanel]:
    theme = Theme.current()
    made = DecisionPanel(clock=clock)
    qtbot.addWidget(made)
    made.resize(440, 900)
    made.show()
    made.activateWindow()
    qtbot.waitExposed(made)
    show(made, inputs())
    yield made
    theme.set_choice(ThemeChoice.LIGHT)


def show(panel: DecisionPanel, given: Inputs, policy: Policy = DEFAULT_POLICY, key: str = "kb:e.md") -> None:
    panel.show_entry(key, "Checkout hangs", given)
    panel.show_ground(given, policy)
    panel.focus_question()


def press(qtbot: QtBot, panel: DecisionPanel, keys: str) -> None:
    """Press keys where the focus is, as a person does."""
    for key in keys:
        qtbot.keyClick(panel.focusWidget() or panel, key)


def enter(qtbot: QtBot, panel: DecisionPanel) -> None:
    qtbot.keyClick(panel.focusWidget() or panel, Qt.Key.Key_Return)


def _is_hidden(text: QWidget, widget: QWidget) -> bool:
    """Tell whether it was hidden; what was just added is shown with the next events."""
    place: QWidget | None = text
    while place is not None and place is not widget:
        if place.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide) and place.isHidden():
            return True
        place = place.parentWidget()
    return widget.isHidden()


def shown_texts(widget: QWidget) -> str:
    texts = (text for text in widget.findChildren(QLabel) if not _is_hidden(text, widget))
    return " | ".join(text.text().replace("\N{ZERO WIDTH SPACE}", "") for text in texts)


# Keys and live advice


def test_four_keys_and_enter_decide(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "3122")
    with qtbot.waitSignal(panel.decided) as caught:
        enter(qtbot, panel)
    (decision,) = caught.args
    assert isinstance(decision, Decision)
    assert decision.chosen is Recommendation.FIX_FORWARD
    assert decision.case.incident.scope is Scope.CELL
    assert panel.decided_card.isVisible()
    assert not panel.advice_card.accept_button.isVisible()


def test_the_focus_goes_to_the_next_question_and_backspace_back(panel: DecisionPanel, qtbot: QtBot) -> None:
    def row() -> QWidget:
        return panel.focusWidget().parentWidget()

    assert row() is panel.rows[Question.IMPACT]
    press(qtbot, panel, "3")
    assert row() is panel.rows[Question.DATA]
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Backspace)
    assert row() is panel.rows[Question.IMPACT]
    focused = panel.focusWidget()
    assert isinstance(focused, Segment)
    assert focused.isChecked()
    assert focused.choice.value is Impact.DOWN


def test_after_the_last_question_enter_still_follows_the_advice(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "31221")
    assert panel.focusWidget() is panel.advice_card.accept_button
    with qtbot.waitSignal(panel.decided):
        enter(qtbot, panel)


def test_the_advice_on_the_card_is_what_decide_says_after_every_key(
    panel: DecisionPanel, qtbot: QtBot
) -> None:
    for key in "31223":
        press(qtbot, panel, key)
        expected = decide(panel.state.incident, (ROLLBACK,), (FLIP,), DEFAULT_POLICY, panel._clock().date())
        assert panel.advice == expected
        assert panel.advice_card.sentence == advice_sentence(expected)
        rule = panel.advice_card.findChild(QLabel, "rule")
        assert rule is not None
        assert rule.text().startswith(expected.rule.value)


def test_a_click_answers_and_moves_on(panel: DecisionPanel, qtbot: QtBot) -> None:
    data = panel.rows[Question.DATA]
    qtbot.mouseClick(data.segments[2], Qt.MouseButton.LeftButton)
    assert panel.state.answers[Question.DATA] == "active"
    assert panel.state.current is Question.TREND
    assert panel.advice.recommend is Recommendation.CONTAIN


def test_arrows_walk_the_questions_and_their_answers_and_space_answers(
    panel: DecisionPanel, qtbot: QtBot
) -> None:
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Down)
    assert panel.state.current is Question.DATA
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Right)
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Space)
    assert panel.state.answers == {Question.DATA: "possible"}
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Up)
    assert panel.state.current is Question.DATA


def test_an_open_question_shows_what_it_counts_as(panel: DecisionPanel, qtbot: QtBot) -> None:
    def counted(row: QuestionRow) -> list[str]:
        return [s.text() for s in row.segments if "counts as this" in s.accessibleName()]

    assert [counted(row) for row in panel.rows.values()] == [
        ["degraded"],
        ["possible"],
        ["worsening"],
        ["instance"],
        [],
    ]
    press(qtbot, panel, "3")
    assert counted(panel.rows[Question.IMPACT]) == []
    press(qtbot, panel, "0")
    unknown = panel.rows[Question.DATA].segments[-1]
    assert unknown.isChecked()
    assert counted(panel.rows[Question.DATA]) == ["possible"]


def test_a_fix_whose_conditions_become_unknown_needs_review_first(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "3122")
    assert panel.advice_card.accept_button.text().startswith("Fix now, review after")
    show(panel, inputs(mitigations=()), key="other")
    press(qtbot, panel, "3122")
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Backspace)
    press(qtbot, panel, "0")
    show(panel, inputs(mitigations=()), key="third")
    press(qtbot, panel, "3022")
    assert panel.advice_card.accept_button.text().startswith("Fix: needs review first")


def test_keys_that_mean_something_else_in_the_window_are_the_panel_s(qtbot: QtBot) -> None:
    window = QWidget()
    box = QVBoxLayout(window)
    made = DecisionPanel()
    box.addWidget(made)
    qtbot.addWidget(window)
    taken: list[str] = []
    for keys in ("?", "O", "C"):
        shortcut = QShortcut(QKeySequence(keys), window)
        shortcut.activated.connect(partial(taken.append, keys))
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    show(made, inputs())
    qtbot.keyClick(made.focusWidget(), "?")
    assert Question.IMPACT in made.state.answers
    qtbot.keyClick(made.focusWidget(), "c")
    qtbot.keyClick(made.focusWidget(), "o")
    assert made.state.override is not None
    assert taken == ["C"]


# Policy


def test_nothing_is_decided_before_the_policy_is_known(panel: DecisionPanel, qtbot: QtBot) -> None:
    panel.show_entry("kb:new.md", "New", inputs())
    panel.focus_question()
    press(qtbot, panel, "3122")
    enter(qtbot, panel)
    press(qtbot, panel, "o")
    assert panel.state.decision is None
    assert panel.state.override is None
    assert not panel.advice_card.accept_button.isEnabled()
    panel.show_ground(inputs(), Policy(review_minutes=1.0))
    assert panel.state.incident.impact is Impact.DOWN  # what was answered meanwhile stays
    assert panel.advice_card.accept_button.isEnabled()


def test_what_is_wrong_with_the_policy_is_said(panel: DecisionPanel) -> None:
    finding = Finding(
        "policy-bad-value", FindingSeverity.ERROR, "policy.yml", 7, "'soon' is no time", "Write 10m"
    )
    panel.show_ground(inputs(), Policy(revision="a" * 40), (finding,))
    texts = shown_texts(panel)
    assert "policy.yml @aaaaaaa" in texts
    assert "policy.yml, line 7: 'soon' is no time. Write 10m" in texts


def test_the_component_s_values_come_with_the_policy_and_added_paths_stay(panel: DecisionPanel) -> None:
    show(panel, inputs(fixes=()), key="x")
    panel.facts_card.path_added.emit(Way.FIX)
    assert len(panel.state.case.fixes) == 1
    panel.show_ground(inputs(fixes=()), DEFAULT_POLICY)
    assert len(panel.state.case.fixes) == 1


# Free move


def test_a_free_move_is_shown_before_any_key_and_leads_to_its_steps(
    panel: DecisionPanel, qtbot: QtBot
) -> None:
    show(panel, inputs(planned=free()), key="free")
    assert panel.free_move.isVisible()
    assert "drain the cell" in shown_texts(panel.free_move)
    assert "if at least a cell is broken" in shown_texts(panel.free_move)
    with qtbot.waitSignal(panel.steps_requested) as caught:
        qtbot.mouseClick(panel.free_move.steps_button, Qt.MouseButton.LeftButton)
    assert caught.args == [free()]
    press(qtbot, panel, "2121")
    assert not panel.free_move.isVisible()


def test_without_one_nothing_is_offered(panel: DecisionPanel) -> None:
    assert not panel.free_move.isVisible()


# Facts


def cell(panel: DecisionPanel, way: Way, attribute: str) -> FactButton:
    return panel.facts_card.cells[way, attribute].button


def test_an_assumed_time_is_marked_and_typing_makes_it_stated(panel: DecisionPanel, qtbot: QtBot) -> None:
    show(panel, inputs(fixes=(PathInput("patch"),)), key="assumed")
    button = cell(panel, Way.FIX, "time_minutes")
    assert button.origin is Origin.ASSUMED
    assert button.font_used().italic()
    assert "assumed" in button.accessibleName()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    field = panel.focusWidget()
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, "3")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.state.case.fixes[0].time_minutes == 3.0
    assert panel.state.decision is None  # Enter was the field's, not the advice's
    assert (button.origin, button.font_used().italic()) == (Origin.EDITED, False)
    assert panel.focusWidget() is button


def test_what_is_no_time_stays_in_the_field_and_esc_leaves_it(panel: DecisionPanel, qtbot: QtBot) -> None:
    panel.facts_card.cells[Way.FIX, "time_minutes"].edit()
    field = panel.focusWidget()
    assert isinstance(field, QLineEdit)
    field.selectAll()
    qtbot.keyClicks(field, "soon")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.property("invalid") == "true"
    with qtbot.assertNotEmitted(panel.closed):
        qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert panel.state.case.fixes[0].time_minutes == 4.0


def test_a_word_is_chosen_from_a_menu_and_taken_back(panel: DecisionPanel, qtbot: QtBot) -> None:
    facts = panel.facts_card.cells[Way.FIX, "risk"]
    cell(panel, Way.FIX, "risk").setFocus()
    enter(qtbot, panel)
    assert facts.menu is not None
    assert panel.state.decision is None
    next(action for action in facts.menu.actions() if action.text() == "high").trigger()
    facts.menu.close()
    assert panel.state.case.fixes[0].risk is Risk.HIGH
    assert "G2" in shown_texts(panel.blocked_card)
    facts.edit()
    assert facts.menu is not None
    next(action for action in facts.menu.actions() if action.text() == "As the entry says").trigger()
    facts.menu.close()
    assert panel.state.case.fixes[0] == FLIP
    assert not panel.blocked_card.isVisible()


def test_digits_answer_questions_wherever_the_focus_is_but_not_in_a_field(
    panel: DecisionPanel, qtbot: QtBot
) -> None:
    cell(panel, Way.FIX, "risk").setFocus()
    press(qtbot, panel, "3")
    assert panel.state.incident.impact is Impact.DOWN
    panel.facts_card.cells[Way.FIX, "time_minutes"].edit()
    press(qtbot, panel, "2")
    assert Question.DATA not in panel.state.answers


def test_a_fix_somebody_knows_can_be_added(panel: DecisionPanel, qtbot: QtBot) -> None:
    show(panel, inputs(fixes=()), key="none")
    header = panel.facts_card.headers[Way.FIX]
    assert header.button.text() == "I know a fix"
    assert "G1" in shown_texts(panel.blocked_card)
    qtbot.mouseClick(header.button, Qt.MouseButton.LeftButton)
    field = panel.focusWidget()
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, "2")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.state.case.fixes == (PathInput(time_minutes=2.0),)


def test_blocked_paths_say_what_would_unblock_them(panel: DecisionPanel, qtbot: QtBot) -> None:
    losing = PathInput(
        **{n: getattr(ROLLBACK, n) for n in ROLLBACK.__slots__ if n != "loses_data"}, loses_data=True
    )
    show(panel, inputs(mitigations=(losing,), fixes=()), key="loses")
    press(qtbot, panel, "2122")
    texts = shown_texts(panel.blocked_card)
    assert "loses data" in texts
    assert "the data owner" in texts
    accept = panel.blocked_card.findChild(QPushButton, "acceptLoss")
    assert accept is not None
    accept.click()
    assert panel.advice.recommend is Recommendation.MITIGATE_THEN_FIX


# Override


def test_o_opens_the_reason_and_without_one_nothing_is_decided(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "3122o")
    assert panel.focusWidget() is panel.override_card.reason
    with qtbot.assertNotEmitted(panel.decided):
        enter(qtbot, panel)
    assert panel.state.decision is None
    assert panel.override_card.reason.property("invalid") == "true"
    assert "Write one line of reason" in shown_texts(panel.override_card)
    qtbot.keyClicks(panel.override_card.reason, "flag server 2 down, o")
    with qtbot.waitSignal(panel.decided) as caught:
        enter(qtbot, panel)
    (decision,) = caught.args
    assert (decision.chosen, decision.reason) == (Recommendation.MITIGATE_THEN_FIX, "flag server 2 down, o")
    assert "flag server 2 down" in shown_texts(panel.decided_card)
    assert "O7" in shown_texts(panel.duties_card)


def test_another_choice_than_the_opposite_can_be_taken(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "3122o")
    panel.override_card.choices[Recommendation.ESCALATE].click()
    assert panel.focusWidget() is panel.override_card.reason
    qtbot.keyClicks(panel.override_card.reason, "nobody here may deploy")
    with qtbot.waitSignal(panel.decided) as caught:
        panel.override_card.accept_button.click()
    assert caught.args[0].chosen is Recommendation.ESCALATE


def test_esc_leaves_the_override_first_and_then_the_panel(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "3122o")
    with qtbot.assertNotEmitted(panel.closed):
        qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Escape)
    assert not panel.override_card.isVisible()
    with qtbot.waitSignal(panel.closed):
        qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Escape)


# Time


def test_duties_show_the_clock_and_move_with_it_until_decided(
    panel: DecisionPanel, qtbot: QtBot, clock: Clock
) -> None:
    def due() -> str:
        return f"{clock.now.astimezone():%H:%M}"

    press(qtbot, panel, "3122")
    assert f"by tomorrow {due()}, if deployed now" in shown_texts(panel.duties_card)
    clock.pass_minutes(7)
    panel.tick()
    assert f"by tomorrow {due()}, if deployed now" in shown_texts(panel.duties_card)
    enter(qtbot, panel)
    decided = due()
    clock.pass_minutes(2)
    panel.tick()
    assert f"by tomorrow {decided}" in shown_texts(panel.duties_card)
    assert "if deployed now" not in shown_texts(panel.duties_card)


def test_the_time_of_the_fix_is_counted_down_and_its_end_asks_again(
    panel: DecisionPanel, qtbot: QtBot, clock: Clock
) -> None:
    press(qtbot, panel, "3122")
    enter(qtbot, panel)
    clock.pass_minutes(3)
    panel.tick()
    assert panel.decided_card.clock.text() == "5:00"
    clock.pass_minutes(5)
    with qtbot.waitSignal(panel.decide_again) as caught:
        panel.tick()
    assert "8 min" in caught.args[0]
    with qtbot.assertNotEmitted(panel.decide_again):
        panel.tick()  # said once
    assert panel.advice_card.accept_button.text().startswith("Fall back: Mitigate now")
    with qtbot.waitSignal(panel.decided) as fallen:
        enter(qtbot, panel)
    assert fallen.args[0].chosen is Recommendation.MITIGATE_THEN_FIX
    assert not fallen.args[0].is_override


def test_a_worse_impact_asks_to_decide_again(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "2122")
    enter(qtbot, panel)
    with qtbot.waitSignal(panel.decide_again):
        panel._on_answered(Question.IMPACT, Impact.DOWN)
    assert panel.advice_card.accept_button.isVisible()
    assert "Decide again" in shown_texts(panel.decided_card)


def test_after_the_decision_the_steps_of_what_was_chosen_are_one_click_away(
    panel: DecisionPanel, qtbot: QtBot
) -> None:
    show(panel, inputs(fixes=(), planned=free()), key="steps")
    press(qtbot, panel, "3122")
    enter(qtbot, panel)
    with qtbot.waitSignal(panel.steps_requested) as caught:
        panel.decided_card.steps_button.click()
    assert caught.args == [free()]


def test_enter_does_not_decide_twice(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "2122")
    enter(qtbot, panel)
    with qtbot.assertNotEmitted(panel.decided):
        panel.accept()


def test_the_clock_runs_only_while_somebody_looks_or_a_fix_is_being_tried(
    panel: DecisionPanel, qtbot: QtBot, clock: Clock
) -> None:
    assert panel.is_ticking
    panel.hide()
    assert not panel.is_ticking
    panel.show()
    press(qtbot, panel, "3122")
    panel.accept()
    panel.hide()
    assert panel.is_ticking  # its end has to be said
    clock.pass_minutes(9)
    panel.tick()
    assert not panel.is_ticking


def test_a_panel_that_is_gone_leaves_no_timer(qtbot: QtBot) -> None:
    made = DecisionPanel()
    made.show()
    timer = made._timer
    ended: list[bool] = []
    timer.destroyed.connect(lambda: ended.append(True))
    made.deleteLater()
    qtbot.waitUntil(lambda: ended == [True])


# Entries


def test_another_entry_has_its_own_answers_and_the_first_ones_come_back(
    panel: DecisionPanel, qtbot: QtBot
) -> None:
    press(qtbot, panel, "31")
    show(panel, inputs(), key="kb:other.md")
    assert panel.state.answers == {}
    show(panel, inputs(), key="kb:e.md")
    assert set(panel.state.answers) == {Question.IMPACT, Question.DATA}


def test_a_stated_severity_is_there_at_once(panel: DecisionPanel) -> None:
    show(panel, Inputs(Incident(severity=Severity.SEV2)), key="sev")
    chosen = [s.text() for s in panel.rows[Question.SEVERITY].segments if s.isChecked()]
    assert chosen == ["sev2"]


# Look and reach


def widest(panel: DecisionPanel) -> int:
    """Return how far right the cards reach, in the scrolled area."""
    body = panel._scroll.widget()
    return max(
        child.x() + child.width()
        for child in body.children()
        if isinstance(child, QWidget) and child.isVisible()
    )


@pytest.mark.parametrize("keys", ["", "1111", "2122", "3122", "3311", "0000", "3122o"])
def test_everything_fits_into_the_least_width(panel: DecisionPanel, qtbot: QtBot, keys: str) -> None:
    path = PathInput(LONG, approval=LONG)
    show(panel, inputs(mitigations=(path, ROLLBACK), fixes=(path,), planned=free()), key=keys)
    panel.resize(380, 900)
    press(qtbot, panel, keys)
    viewport = panel._scroll.viewport()
    qtbot.waitUntil(lambda: widest(panel) <= viewport.width() - 12)
    assert panel._scroll.widget().width() == viewport.width()


def test_every_answer_to_the_advice_fits(panel: DecisionPanel, qtbot: QtBot) -> None:
    panel.resize(380, 900)
    for text in (
        "Fall back: Mitigate now",
        "Fix: needs review first",
        "Fix now, review after",
        "Do both at once",
    ):
        panel.advice_card.show_answers(text, can_accept=True, is_decided=False, is_overriding=False)
        qtbot.waitUntil(lambda: widest(panel) <= panel._scroll.viewport().width() - 12)


def test_every_control_has_a_name_and_can_be_reached(panel: DecisionPanel, qtbot: QtBot) -> None:
    show(panel, inputs(planned=free(), fixes=()), key="names")
    press(qtbot, panel, "3122o")
    controls = [
        child
        for child in panel.findChildren(QWidget)
        if child.isVisible() and isinstance(child, QAbstractButton | QLineEdit)
    ]
    assert len(controls) > 30
    for control in controls:
        interface = QAccessible.queryAccessibleInterface(control)
        assert interface is not None
        assert interface.text(QAccessible.Text.Name).strip(), control.objectName()
        assert control.focusPolicy() != Qt.FocusPolicy.NoFocus, control.objectName()


def test_there_is_one_filled_button_at_a_time(panel: DecisionPanel, qtbot: QtBot) -> None:
    def filled() -> int:
        buttons = panel.findChildren(QPushButton)
        return sum(1 for button in buttons if button.isVisible() and button.property("role") == "primary")

    assert filled() == 1
    press(qtbot, panel, "3122o")
    assert filled() == 1


def test_the_answers_show_in_both_themes(panel: DecisionPanel, qtbot: QtBot) -> None:
    press(qtbot, panel, "3")
    chosen = panel.rows[Question.IMPACT].segments[2]
    colors = set()
    for choice in (ThemeChoice.LIGHT, ThemeChoice.DARK):
        Theme.current().set_choice(choice)
        image: QImage = chosen.grab().toImage()
        ground = image.pixelColor(QPoint(chosen.width() // 2, 4) * image.devicePixelRatio()).name()
        assert ground == Theme.current().color("selection").name()
        colors.add(ground)
    assert len(colors) == 2


def test_the_advice_has_the_tone_of_what_is_done(panel: DecisionPanel, qtbot: QtBot) -> None:
    for keys, recommendation in (("3122", Recommendation.FIX_FORWARD), ("33", Recommendation.CONTAIN)):
        show(panel, inputs(), key=keys)
        press(qtbot, panel, keys)
        assert panel.advice.recommend is recommendation
        assert panel.advice_card.property("tone") == LOOKS[recommendation].tone.value


def test_words_of_an_entry_are_shown_letter_by_letter(panel: DecisionPanel, qtbot: QtBot) -> None:
    show(panel, inputs(mitigations=(PathInput("<b>x</b> \u202etxt", 10.0, Risk.LOW),), fixes=()), key="html")
    press(qtbot, panel, "2122")
    assert "<b>x</b>" in panel.advice_card.sentence
    assert "\u202e" not in shown_texts(panel)
