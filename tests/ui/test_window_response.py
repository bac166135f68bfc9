from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from kb_app.decision.values import Impact
from kb_app.paths import app_folders
from kb_app.search.indexing import update_index
from kb_app.ui.common.jobs import InlineJobs, Jobs
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.theme import Theme
from kb_app.ui.response import ResponseSide
from kb_app.ui.search.client import BaseFolders
from kb_app.ui.steps.panel import StepsPanel
from kb_app.workspace.bases import open_base
from kb_app.workspace.reading import open_entry

PAGE = """---
product: shop
component: checkout
state: verified
---
# Orders hang
## Mitigation: drain the cell
- Time: 8m

1. Drain it.

## Fix forward: flip the flag
1. Flip it.
"""
INTERNALS = """---
kind: internals
product: shop
component: checkout
deploy_time: 25m
---
# Checkout
"""


@pytest.fixture
def base(tmp_path: Path) -> BaseFolders:
    for name, text in (("hang.md", PAGE), ("checkout.md", INTERNALS), ("other.md", PAGE)):
        (tmp_path / name).write_text(text)
    (tmp_path / "policy.yml").write_text("slack: 1m\n")
    opened_base = open_base(tmp_path, app_folders())
    update_index(opened_base.root, opened_base.name, opened_base.index_folder, opened_base.config)
    return BaseFolders(opened_base.name, opened_base.index_folder, opened_base.root, opened_base.config)


def opened(base: BaseFolders, path: str = "hang.md") -> OpenedEntry:
    one = open_entry(base.root, path, base.config, None)
    return OpenedEntry(EntryRef(base.name, path), one.entry, one.plan, one.page)


class LateJobs(InlineJobs):
    """Jobs whose outcomes come when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def run(self, work, *, on_done=None, on_error=None, lane=None) -> None:
        self.waiting.append(lambda: on_done(work()))


def area(qtbot: QtBot, jobs: Jobs) -> ResponseSide:
    Theme.current()
    made = ResponseSide(StepsPanel(), jobs)
    qtbot.addWidget(made)
    made.resize(440, 800)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_the_panel_takes_the_place_of_the_steps_with_the_policy_of_the_folder(
    qtbot: QtBot, base: BaseFolders
) -> None:
    made = area(qtbot, InlineJobs())
    assert not made.is_deciding
    made.decide(opened(base), base)
    assert made.is_deciding
    assert made.decision.state.policy.slack == 1.0
    assert made.decision.isAncestorOf(made.focusWidget())


def test_esc_goes_back_to_the_steps_and_the_answers_are_there_again(qtbot: QtBot, base: BaseFolders) -> None:
    made = area(qtbot, InlineJobs())
    made.decide(opened(base), base)
    qtbot.keyClick(made.focusWidget(), "3")
    qtbot.keyClick(made.focusWidget(), Qt.Key.Key_Escape)
    assert not made.is_deciding
    made.decide(opened(base), base)
    assert made.decision.state.incident.impact is Impact.DOWN


def test_a_policy_that_comes_late_belongs_to_its_own_entry(qtbot: QtBot, base: BaseFolders) -> None:
    jobs = LateJobs()
    made = area(qtbot, jobs)
    made.decide(opened(base), base)
    made.decide(opened(base, "other.md"), base)
    first, second = jobs.waiting
    first()
    made.decision.accept()
    assert made.decision.state.decision is None
    second()
    made.decision.accept()
    assert made.decision.state.decision is not None


def test_what_the_component_states_fills_what_the_path_does_not(qtbot: QtBot, base: BaseFolders) -> None:
    made = area(qtbot, InlineJobs())
    made.decide(opened(base), base)
    (fix,) = made.decision.state.inputs.fixes
    assert (fix.input.time_minutes, fix.from_component) == (25.0, {"time_minutes"})


def test_the_steps_of_the_decision_are_shown(qtbot: QtBot, base: BaseFolders) -> None:
    made = area(qtbot, InlineJobs())
    one = opened(base)
    made.steps.show_plan(one.plan, frozenset())
    made.decide(one, base)
    qtbot.keyClick(made.focusWidget(), Qt.Key.Key_Return)
    made.decision.decided_card.steps_button.click()
    assert not made.is_deciding
    assert made.steps.isAncestorOf(made.focusWidget())
