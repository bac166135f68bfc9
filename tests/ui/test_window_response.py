from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from kb_app.decision.values import Impact
from kb_app.paths import app_folders
from kb_app.ui.common.jobs import InlineJobs, Jobs
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.theme import Theme
from kb_app.ui.response import ResponseArea
from kb_app.ui.steps.panel import StepsPanel
from kb_app.workspace.bases import OpenBase, open_base
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
def base(tmp_path: Path) -> OpenBase:
    for name, text in (("hang.md", PAGE), ("checkout.md", INTERNALS), ("other.md", PAGE)):
        (tmp_path / name).write_text(text)
    (tmp_path / "policy.yml").write_text("slack: 1m\n")
    return open_base(tmp_path, app_folders())


def opened(base: OpenBase, path: str = "hang.md") -> OpenedEntry:
    one = open_entry(base.root, path, base.config, None)
    return OpenedEntry(EntryRef(base.name, path), one.entry, one.plan, one.page)


class LateJobs(InlineJobs):
    """Jobs whose outcomes come when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def run(self, work, *, on_done=None, on_error=None, lane=None) -> None:
        self.waiting.append(lambda: on_done(work()))


def area(qtbot: QtBot, jobs: Jobs) -> ResponseArea:
    Theme.current()
    made = ResponseArea(StepsPanel(), jobs)
    qtbot.addWidget(made)
    made.resize(440, 800)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def test_the_panel_takes_the_place_of_the_steps_with_the_policy_of_the_folder(
    qtbot: QtBot, base: OpenBase
) -> None:
    made = area(qtbot, InlineJobs())
    assert not made.is_deciding
    made.decide(opened(base), base)
    assert made.is_deciding
    assert made.panel is not None
    assert made.panel.state.policy.slack == 1.0
    assert made.panel.isAncestorOf(made.focusWidget())


def test_esc_goes_back_to_the_steps_and_the_answers_are_there_again(qtbot: QtBot, base: OpenBase) -> None:
    made = area(qtbot, InlineJobs())
    made.decide(opened(base), base)
    assert made.panel is not None
    qtbot.keyClick(made.focusWidget(), "3")
    qtbot.keyClick(made.focusWidget(), Qt.Key.Key_Escape)
    assert not made.is_deciding
    made.decide(opened(base), base)
    assert made.panel.state.incident.impact is Impact.DOWN


def test_a_policy_that_comes_late_belongs_to_its_own_entry(qtbot: QtBot, base: OpenBase) -> None:
    jobs = LateJobs()
    made = area(qtbot, jobs)
    made.decide(opened(base), base)
    made.decide(opened(base, "other.md"), base)
    assert made.panel is not None
    first, second = jobs.waiting
    first()
    made.panel.accept()
    assert made.panel.state.decision is None
    second()
    made.panel.accept()
    assert made.panel.state.decision is not None


def test_a_decision_is_told(qtbot: QtBot, base: OpenBase) -> None:
    made = area(qtbot, InlineJobs())
    made.decide(opened(base), base)
    with qtbot.waitSignal(made.decided):
        qtbot.keyClick(made.focusWidget(), Qt.Key.Key_Return)
