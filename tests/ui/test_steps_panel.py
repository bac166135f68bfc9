from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from kb_app.entries.model import (
    Command,
    Path,
    PathKind,
    Placeholder,
    PlannedPath,
    ResponsePlan,
    Span,
    State,
    Step,
)
from kb_app.ui.common.theme import Theme
from kb_app.ui.steps.cards import CommandBox, CopyQuestion
from kb_app.ui.steps.panel import StepsPanel, ValuesCard
from kb_app.ui.steps.state import Lane
from kb_app.ui.steps.step_card import StepCard

SPAN = Span(1, 1)
LIST_PODS = Command("kubectl get pods", "sh", SPAN)
DELETE_POD = Command(
    "kubectl delete pod <pod>", "sh", SPAN, placeholders=(Placeholder("<pod>", "pod"),), is_destructive=True
)
HIDDEN = Command("ls \u202etxt.sh", "sh", SPAN)
LINES = Command("cd /tmp\nls", "sh", SPAN)


def plan(*commands: Command, fixes: int = 1, mitigations: int = 1) -> ResponsePlan:
    steps = tuple(
        Step(number, f"Step {number} does `it`", SPAN, commands=(command,), verify="it is gone")
        for number, command in enumerate(commands, 1)
    )

    def paths(kind: PathKind, count: int) -> tuple[PlannedPath, ...]:
        return tuple(
            PlannedPath(
                Path(
                    kind,
                    is_typed=True,
                    name=f"{kind} {n}",
                    heading="",
                    anchor=f"{kind}-{n}",
                    span=SPAN,
                    steps=steps,
                ),
                "own" if n == 0 else "linked",
                "e.md" if n == 0 else "other.md",
                "Entry",
                State.VERIFIED,
            )
            for n in range(count)
        )

    return ResponsePlan(paths(PathKind.MITIGATION, mitigations), paths(PathKind.FIX, fixes))


@pytest.fixture
def panel(qtbot: QtBot) -> StepsPanel:
    Theme.current()
    QGuiApplication.clipboard().setText("before")
    panel = StepsPanel()
    qtbot.addWidget(panel)
    panel.resize(440, 700)
    panel.show()
    panel.activateWindow()
    qtbot.waitExposed(panel)
    return panel


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def box(panel: StepsPanel, lane: Lane = Lane.MITIGATE, number: int = 0) -> CommandBox:
    return panel.cards(lane)[number].commands[0]


def question(command: CommandBox) -> CopyQuestion:
    found = command.findChild(CopyQuestion)
    assert found is not None
    return found


def buttons(asked: CopyQuestion) -> dict[str, QPushButton]:
    return {button.accessibleName(): button for button in asked.findChildren(QPushButton)}


def test_nothing_open_says_so(panel: StepsPanel) -> None:
    assert panel.empty.isVisible()


def test_an_entry_without_a_path_says_no_path_yet(panel: StepsPanel) -> None:
    panel.show_plan(ResponsePlan(), frozenset())
    assert panel.empty.isVisible()
    assert "No path yet" in [text.text() for text in panel.empty.findChildren(QLabel)]


def test_the_first_open_step_is_current_and_a_tick_moves_on(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(LIST_PODS, LIST_PODS), frozenset())
    first, second = panel.cards(Lane.MITIGATE)
    assert (first.property("current"), second.property("current")) == ("true", "false")
    with qtbot.waitSignal(panel.ticks_changed) as caught:
        qtbot.mouseClick(first.tick, Qt.MouseButton.LeftButton)
    assert caught.args == [frozenset({first.view.key})]
    assert (first.property("current"), second.property("current")) == ("false", "true")
    assert "done" in first.tick.accessibleName()


def test_space_ticks_the_current_step_and_goes_to_the_next(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(LIST_PODS, LIST_PODS), frozenset())
    panel.focus_lane(Lane.FIX)
    first, second = panel.cards(Lane.FIX)
    assert panel.focusWidget() is first.tick
    qtbot.keyClick(first.tick, Qt.Key.Key_Space)
    assert first.tick.isChecked()
    assert panel.focusWidget() is second.tick


def test_arrows_go_from_step_to_step_and_from_column_to_column(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(LIST_PODS, LIST_PODS), frozenset())
    panel.focus_lane(Lane.MITIGATE)
    mitigate, fix = panel.cards(Lane.MITIGATE), panel.cards(Lane.FIX)
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Down)
    assert panel.focusWidget() is mitigate[1].tick
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Right)
    assert panel.focusWidget() is fix[0].tick


def test_what_was_ticked_before_is_ticked_again_and_reset_unticks(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(LIST_PODS, LIST_PODS), frozenset())
    done = frozenset({panel.cards(Lane.MITIGATE)[0].view.key})
    panel.show_plan(plan(LIST_PODS, LIST_PODS), done)
    assert panel.cards(Lane.MITIGATE)[0].tick.isChecked()
    with qtbot.waitSignal(panel.ticks_changed) as caught:
        panel.reset()
    assert caught.args == [frozenset()]


def test_a_harmless_command_is_on_the_clipboard_at_once(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(LIST_PODS), frozenset())
    with qtbot.waitSignal(panel.copied):
        box(panel).copy_button.click()
    assert clipboard() == "kubectl get pods"


def test_a_missing_value_blocks_the_copy_and_takes_the_focus(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(DELETE_POD), frozenset())
    box(panel).copy_button.click()
    assert clipboard() == "before"
    focused = panel.focusWidget()
    assert isinstance(focused, QLineEdit)
    assert focused.objectName() == "value:pod"
    assert focused.property("invalid") == "true"


def test_a_value_fills_every_command_and_a_destructive_copy_names_its_target(
    panel: StepsPanel, qtbot: QtBot
) -> None:
    panel.show_plan(plan(DELETE_POD, DELETE_POD), frozenset())
    values = panel.findChild(ValuesCard)
    assert values is not None
    values.set_value("pod", "web 1")
    assert all("web 1" in card.commands[0].shown_text() for card in panel.cards(Lane.FIX))
    box(panel).copy_button.click()
    assert clipboard() == "before"
    asked = question(box(panel))
    assert panel.focusWidget() is buttons(asked)["Do not copy"]
    buttons(asked)["Copy “delete pod 'web 1'”"].click()
    assert clipboard() == "kubectl delete pod 'web 1'"


def test_declining_copies_nothing(panel: StepsPanel) -> None:
    panel.show_plan(plan(LINES), frozenset())
    box(panel).copy_button.click()
    buttons(question(box(panel)))["Do not copy"].click()
    assert clipboard() == "before"


def test_hidden_characters_are_shown_by_code_point_and_the_clean_text_is_offered(panel: StepsPanel) -> None:
    panel.show_plan(plan(HIDDEN), frozenset())
    assert "\\u202e" in box(panel).shown_text()
    box(panel).copy_button.click()
    asked = question(box(panel))
    assert any("U+202E" in text for text in asked.sentences)
    buttons(asked)["Copy with plain characters instead"].click()
    assert clipboard() == "ls txt.sh"


def test_several_lines_are_counted_before_they_are_copied(panel: StepsPanel) -> None:
    panel.show_plan(plan(LINES), frozenset())
    box(panel).copy_button.click()
    buttons(question(box(panel)))["Copy 2 lines"].click()
    assert clipboard() == "cd /tmp\nls"


def test_the_copy_key_takes_the_current_step_s_command(panel: StepsPanel) -> None:
    panel.show_plan(plan(LIST_PODS), frozenset())
    assert panel.copy_current()
    assert clipboard() == "kubectl get pods"
    panel.show_plan(ResponsePlan(), frozenset())
    assert not panel.copy_current()


def test_another_path_opens_its_steps_and_its_origin_can_be_opened(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(LIST_PODS, mitigations=2), frozenset())
    [second] = [b for b in panel.findChildren(QPushButton, "pathName") if b.text() == "Mitigation 1"]
    second.click()
    assert panel.cards(Lane.MITIGATE)[0].view.key.startswith("other.md")
    [origin] = panel.findChildren(QPushButton, "pathOrigin")
    with qtbot.waitSignal(panel.entry_requested) as caught:
        origin.click()
    assert caught.args == ["other.md"]


def test_what_to_check_shows_at_the_current_step_alone(panel: StepsPanel) -> None:
    panel.show_plan(plan(LIST_PODS, LIST_PODS), frozenset())
    first, second = panel.cards(Lane.MITIGATE)
    assert first.shows_extras()
    assert not second.shows_extras()


def test_values_are_forgotten_with_the_program_but_not_with_the_entry(panel: StepsPanel) -> None:
    panel.show_plan(plan(DELETE_POD), frozenset())
    card = panel.findChild(ValuesCard)
    assert card is not None
    card.set_value("pod", "web-1")
    panel.show_plan(plan(LIST_PODS), frozenset())
    panel.show_plan(plan(DELETE_POD), frozenset())
    assert "web-1" in box(panel).shown_text()


def test_every_control_of_a_step_has_a_name(panel: StepsPanel) -> None:
    panel.show_plan(plan(DELETE_POD, LINES, mitigations=2), frozenset())
    for card in panel.findChildren(StepCard):
        assert card.tick.accessibleName().startswith("Step ")
        assert card.commands[0].copy_button.accessibleName()


def test_a_command_is_painted_with_its_open_values_marked(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(DELETE_POD, LIST_PODS), frozenset())
    qtbot.wait(60)
    mark = Theme.current().tokens.mark

    def inks(number: int) -> tuple[int, int]:
        picture = box(panel, number=number).grab().toImage()
        width = picture.width() - 34  # without the copy button
        colors = [picture.pixelColor(x, y) for x in range(8, width) for y in range(4, picture.height() - 4)]
        marked = sum(color.name().upper() == mark for color in colors)
        return marked, sum(color.lightness() < 110 for color in colors)

    marked, dark = inks(0)
    assert marked > 50
    assert dark > 30
    marked, dark = inks(1)
    assert marked == 0
    assert dark > 30


def test_what_stands_around_the_steps_is_shown_with_them(panel: StepsPanel) -> None:
    both = plan(LIST_PODS)
    first = both.mitigations[0]
    path = dataclasses.replace(
        first.path,
        intro="Only when the **cell** is drained:",
        outro="If it comes back:\n- call the owner\n- wait",
    )
    shown = dataclasses.replace(both, mitigations=(dataclasses.replace(first, path=path),))
    panel.show_plan(shown, frozenset())
    texts = " ".join(child.text() for child in panel.findChildren(QLabel))
    assert "Only when the" in texts
    assert "After the last step" in texts
    assert "\u2022 call the owner" in texts


def test_a_path_in_prose_is_shown_without_comments_and_raw_headings(panel: StepsPanel) -> None:
    both = plan(LIST_PODS)
    first = both.mitigations[0]
    body = "### Recovery\n<!-- editors only -->\nFollow the plan."
    path = dataclasses.replace(first.path, steps=(), body=body, intro="**Recovery**\n\nFollow the plan.")
    panel.show_plan(
        dataclasses.replace(both, mitigations=(dataclasses.replace(first, path=path),)), frozenset()
    )
    texts = " ".join(child.text() for child in panel.findChildren(QLabel))
    assert "Follow the plan." in texts
    assert "editors only" not in texts
    assert "###" not in texts


def test_each_value_keeps_its_name_in_sight_when_it_is_filled(panel: StepsPanel, qtbot: QtBot) -> None:
    panel.show_plan(plan(DELETE_POD), frozenset())
    card = panel.findChild(ValuesCard)
    field = card.field("pod")
    field.setText("web-1")
    (title,) = [child for child in card.findChildren(QLabel) if child.buddy() is field]
    assert title.text() == "pod"
    assert title.isVisible()


def test_an_empty_column_leaves_room_to_the_other_and_two_filled_ones_are_equal(
    panel: StepsPanel, qtbot: QtBot
) -> None:
    for fixes, is_equal in ((1, True), (0, False)):
        panel.show_plan(plan(LIST_PODS, fixes=fixes), frozenset())
        mitigate, fix = (panel._columns[lane] for lane in (Lane.MITIGATE, Lane.FIX))
        qtbot.waitUntil(lambda column=mitigate: column.width() > 150)
        qtbot.waitUntil(
            lambda one=mitigate, other=fix, equal=is_equal: (abs(one.width() - other.width()) <= 1) is equal
        )
        assert mitigate.width() >= fix.width()
