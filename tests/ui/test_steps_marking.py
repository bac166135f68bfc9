from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from kb_app.entries.model import (
    Command,
    Path,
    PathAttributes,
    PathKind,
    PlannedPath,
    ResponsePlan,
    Span,
    State,
    Step,
)
from kb_app.ui.common.theme import Theme
from kb_app.ui.steps import step_card
from kb_app.ui.steps.marks import HOLD_MS, Mark, MarkRequest, OwedLine, RunLine, StepMark, to_kept
from kb_app.ui.steps.panel import StepsPanel, ValuesCard
from kb_app.ui.steps.state import Lane
from kb_app.ui.steps.step_card import FinalQuestion, NoteRow, StepCard

NIGHT = dt.datetime(2026, 3, 4, 2, 11, 9, tzinfo=dt.UTC)
SPAN = Span(1, 1)


class Clock:
    def __init__(self) -> None:
        self.now = NIGHT

    def __call__(self) -> dt.datetime:
        return self.now


def plan(*texts: str, confirm: str = "", reversible: str | None = None) -> ResponsePlan:
    steps = tuple(
        Step(
            number,
            text,
            SPAN,
            commands=(Command(f"echo {number}", "sh", SPAN),),
            verify="it is gone",
            if_not="call the owner",
            confirm=confirm if number == len(texts) else "",
        )
        for number, text in enumerate(texts, 1)
    )
    path = Path(
        PathKind.MITIGATION,
        is_typed=True,
        name="drain",
        heading="",
        anchor="drain",
        span=SPAN,
        attributes=PathAttributes(reversible=reversible),
        steps=steps,
    )
    fix = dataclasses.replace(path, kind=PathKind.FIX, anchor="fix", name="mend")
    return ResponsePlan(
        (PlannedPath(path, "own", "e.md", "Entry", State.VERIFIED),),
        (PlannedPath(fix, "own", "e.md", "Entry", State.VERIFIED),),
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def panel(qtbot: QtBot, clock: Clock) -> StepsPanel:
    Theme.current()
    panel = StepsPanel(clock=clock)
    qtbot.addWidget(panel)
    panel.resize(440, 800)
    panel.show()
    panel.activateWindow()
    qtbot.waitExposed(panel)
    return panel


def in_hand(panel: StepsPanel) -> int:
    """Return the number of the step that has the focus."""
    focused = panel.focusWidget()
    assert focused is not None
    card = focused.parent()
    assert isinstance(card, StepCard)
    return card.view.step.number


def marks(panel: StepsPanel, lane: Lane = Lane.MITIGATE) -> list[Mark]:
    return [card.mark.mark for card in panel.cards(lane)]


def press(qtbot: QtBot, panel: StepsPanel, key: Qt.Key) -> None:
    qtbot.keyClick(panel.focusWidget(), key)


def test_a_later_step_that_is_ticked_leads_on_and_not_back(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("one", "two", "three", "four"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_Down)
    press(qtbot, panel, Qt.Key.Key_Down)
    press(qtbot, panel, Qt.Key.Key_Space)
    assert (marks(panel)[2], in_hand(panel)) == (Mark.DONE, 4)
    press(qtbot, panel, Qt.Key.Key_Space)
    assert in_hand(panel) == 1  # what was left out


def test_the_menu_ticks_the_step_that_has_the_focus(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("one", "two"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_Down)
    panel.tick_current()
    assert marks(panel) == [Mark.OPEN, Mark.DONE]


def test_space_on_a_done_step_takes_it_back_and_stays(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("one", "two"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_Space)
    press(qtbot, panel, Qt.Key.Key_Up)
    press(qtbot, panel, Qt.Key.Key_Space)
    assert (marks(panel), in_hand(panel)) == ([Mark.OPEN, Mark.OPEN], 1)


def test_a_step_is_skipped_with_two_keys_and_the_reason_is_kept(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("one", "two"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_S)
    assert isinstance(panel.focusWidget(), QLineEdit)
    qtbot.keyClicks(panel.focusWidget(), "no such node")
    with qtbot.waitSignal(panel.ticks_changed) as caught:
        press(qtbot, panel, Qt.Key.Key_Return)
    first = panel.cards(Lane.MITIGATE)[0]
    assert first.mark == StepMark(Mark.SKIPPED, "no such node")
    assert in_hand(panel) == 2
    panel.show_plan(plan("one", "two"), caught.args[0])
    assert marks(panel) == [Mark.SKIPPED, Mark.OPEN]
    assert "skipped, no such node" in panel.cards(Lane.MITIGATE)[0].tick.accessibleName()


def test_a_step_that_did_not_work_needs_a_note_and_shows_what_to_do_then(
    panel: StepsPanel, qtbot: QtBot
) -> None:
    panel.show_plan(plan("one", "two"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_U)
    press(qtbot, panel, Qt.Key.Key_Return)
    assert marks(panel) == [Mark.OPEN, Mark.OPEN]
    assert any(text.text() == "Write what you saw first." for text in panel.findChildren(QLabel))
    qtbot.keyClicks(panel.focusWidget(), "still *full*")
    press(qtbot, panel, Qt.Key.Key_Return)
    first = panel.cards(Lane.MITIGATE)[0]
    assert first.mark == StepMark(Mark.FAILED, "still *full*")
    assert first.shows_extras()
    words = [text.text() for text in first.findChildren(QLabel)]
    assert "Did not work: still *full*" in words


def test_esc_leaves_the_step_as_it_is(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("one"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    for key in (Qt.Key.Key_S, Qt.Key.Key_U):
        press(qtbot, panel, key)
        assert panel.findChildren(NoteRow)
        press(qtbot, panel, Qt.Key.Key_Escape)
        assert in_hand(panel) == 1
    assert marks(panel) == [Mark.OPEN]


def test_a_step_that_cannot_be_taken_back_needs_a_held_key(
    panel: StepsPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel.show_plan(plan("look", "drop it", confirm="the reader must be re-seeded"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_Space)
    final = panel.cards(Lane.MITIGATE)[1]
    press(qtbot, panel, Qt.Key.Key_Space)  # pressed and let go at once
    assert marks(panel) == [Mark.DONE, Mark.OPEN]
    with monkeypatch.context() as patient:
        patient.setattr(step_card, "HOLD_MS", 20_000)
        qtbot.keyPress(final.tick, Qt.Key.Key_Space)
        qtbot.waitUntil(lambda: final.held > 0.05)
        danger = Theme.current().tokens.danger_bg.lower()
        assert final.grab().toImage().pixelColor(2, final.height() // 2).name() == danger
        qtbot.keyRelease(final.tick, Qt.Key.Key_Space)
        assert (final.held, marks(panel)) == (0.0, [Mark.DONE, Mark.OPEN])
    qtbot.keyPress(final.tick, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: marks(panel)[1] is Mark.DONE, timeout=HOLD_MS * 20)
    qtbot.keyRelease(final.tick, Qt.Key.Key_Space)
    assert marks(panel) == [Mark.DONE, Mark.DONE]


def test_or_a_worded_answer_whose_harmless_side_has_the_focus(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("drop it", reversible="no"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_Return)
    [question] = panel.findChildren(FinalQuestion)
    assert panel.focusWidget() is question.no
    press(qtbot, panel, Qt.Key.Key_Return)
    assert marks(panel) == [Mark.OPEN]
    press(qtbot, panel, Qt.Key.Key_Return)
    question = panel.findChildren(FinalQuestion)[-1]
    assert question.yes.accessibleName() == "It is done: drop it"
    question.yes.setFocus()
    press(qtbot, panel, Qt.Key.Key_Return)
    assert marks(panel) == [Mark.DONE]


def test_a_click_on_it_asks_too(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("drop it", confirm="it is gone"), frozenset())
    qtbot.mouseClick(panel.cards(Lane.MITIGATE)[0].tick, Qt.MouseButton.LeftButton)
    assert marks(panel) == [Mark.OPEN]
    assert panel.findChildren(FinalQuestion)


def test_a_waiting_step_runs_by_the_clock_and_is_to_be_checked_afterwards(
    panel: StepsPanel, qtbot: QtBot, clock: Clock
) -> None:
    panel.show_plan(plan("Wait 10 min, then look.", "two"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    with qtbot.waitSignal(panel.ticks_changed) as caught:
        press(qtbot, panel, Qt.Key.Key_Space)
    first = panel.cards(Lane.MITIGATE)[0]
    assert (first.mark.mark, in_hand(panel), panel.is_ticking) == (Mark.WAITING, 1, True)
    press(qtbot, panel, Qt.Key.Key_Space)
    assert first.mark.mark is Mark.WAITING  # not over yet
    clock.now += dt.timedelta(minutes=4)
    panel.show_plan(plan("other"), frozenset())
    panel.show_plan(plan("Wait 10 min, then look.", "two"), caught.args[0])
    panel.tick_time()
    row = panel.cards(Lane.MITIGATE)[0].wait_row
    assert row is not None
    assert row.left_text() == "6:00"
    clock.now += dt.timedelta(hours=8)
    with qtbot.waitSignal(panel.wait_over) as over:
        panel.tick_time()
    assert over.args == ["Wait 10 min, then look."]
    assert panel.cards(Lane.MITIGATE)[0].mark == StepMark(waited=True)
    assert not panel.is_ticking
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_Space)
    assert marks(panel) == [Mark.DONE, Mark.OPEN]


def test_a_wait_can_be_cut_short(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("Wait 10 min, then look."), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_W)
    row = panel.cards(Lane.MITIGATE)[0].wait_row
    assert row is not None
    row.button.click()
    assert marks(panel) == [Mark.DONE]


def test_the_end_mark_lists_what_is_left_over(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("one", "two"), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    end = panel.end_card(Lane.MITIGATE)
    assert not end.isVisible()
    press(qtbot, panel, Qt.Key.Key_S)
    press(qtbot, panel, Qt.Key.Key_Return)
    press(qtbot, panel, Qt.Key.Key_Space)
    assert end.isVisible()
    assert end.lines == ("Skipped. Step 1: one",)
    assert not end.proof_button.isVisible()  # there is no record to write it to


def test_with_a_record_marks_are_asked_for_and_shown_as_told(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("one", "two"), frozenset())
    [path, _] = panel.paths
    first, second = path.steps
    panel.show_record({}, {path.key: RunLine("Run by ana since 02:11")})
    panel.focus_lane(Lane.MITIGATE)
    with qtbot.assertNotEmitted(panel.ticks_changed), qtbot.waitSignal(panel.mark_requested) as caught:
        press(qtbot, panel, Qt.Key.Key_Space)
    assert caught.args == [MarkRequest(path, first, Mark.DONE)]
    assert marks(panel) == [Mark.OPEN, Mark.OPEN]
    told = {first.key: StepMark(Mark.DONE, by="ben"), second.key: StepMark(Mark.FAILED, "no")}
    panel.show_record(told, {}, [OwedLine("Review abc (prod)", "by tomorrow 02:11", is_overdue=True)])
    assert marks(panel) == [Mark.DONE, Mark.FAILED]
    end = panel.end_card(Lane.MITIGATE)
    assert end.lines == ("Did not work. Step 2: two (no)", "Review abc (prod), by tomorrow 02:11")
    with qtbot.waitSignal(panel.end_wanted):
        end.end_button.click()
    with qtbot.waitSignal(panel.proof_wanted) as proof:
        end.proof_button.click()
    assert proof.args == [Lane.MITIGATE]
    panel.leave_record()
    assert marks(panel) == [Mark.OPEN, Mark.OPEN]


def test_a_copied_command_says_from_which_step(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("one", "two"), frozenset())
    with qtbot.waitSignal(panel.command_copied) as caught:
        panel.cards(Lane.FIX)[1].commands[0].copy()
    [copy] = caught.args
    assert (copy.path.name, copy.step.step.number, copy.text) == ("Mend", 2, "echo 2")


def test_cards_are_filled_anew_and_nothing_of_the_former_entry_stays(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(*"abcdefgh", confirm="x"), frozenset())
    cards = panel.cards(Lane.MITIGATE)
    panel.focus_lane(Lane.MITIGATE)
    press(qtbot, panel, Qt.Key.Key_S)
    panel.show_plan(plan("only"), to_kept({}))
    [card] = panel.cards(Lane.MITIGATE)
    assert card is cards[0]
    assert not any(row.isVisible() for row in panel.findChildren(NoteRow))
    assert [c.isVisible() for c in cards] == [True] + [False] * 7
    assert card.commands[0].shown_text() == "echo 1"
    assert card.tick.accessibleName() == "Step 1 of 1, current step: only"


def test_only_what_can_be_seen_is_filled_and_scrolling_fills_the_rest(
    panel: StepsPanel, qtbot: QtBot
) -> None:
    panel.show_plan(plan(*(f"step {n} " + "with many words " * 12 for n in range(40))), frozenset())
    column = panel._columns[Lane.MITIGATE]
    qtbot.waitUntil(lambda: not column._build_timer.isActive())
    assert 2 <= column._shown < 40
    bar = panel._scroll.verticalScrollBar()

    def scrolled() -> bool:
        bar.setValue(bar.maximum())
        return column._shown == 40

    qtbot.waitUntil(scrolled, timeout=60_000)


def test_a_value_that_is_needed_says_so_in_words(panel: StepsPanel, qtbot: QtBot) -> None:
    names = ValuesCard(("pod", "node"), {"node": "n1"})
    qtbot.addWidget(names)
    names.demand(("pod",))
    assert "pod: needed to copy" in [text.text() for text in names.findChildren(QLabel)]
    field = names.field("pod")
    assert field is not None
    assert field.accessibleDescription() == "Needed to copy the command"
    names.set_value("pod", "web-1")
    assert "pod" in [text.text() for text in names.findChildren(QLabel)]
    assert field.accessibleDescription() == ""


def test_every_control_that_marks_has_a_name_and_says_its_key(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan("Wait 10 min, then look."), frozenset())
    buttons = {
        button.accessibleName(): button.toolTip()
        for button in panel.cards(Lane.MITIGATE)[0].findChildren(QPushButton)
    }
    assert {"Wait 10 min", "Skip", "Did not work"} <= buttons.keys()
    assert "(S)" in buttons["Skip"]
    assert "(U)" in buttons["Did not work"]
    assert "(W)" in buttons["Wait 10 min"]
