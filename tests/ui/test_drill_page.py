"""The drill in the real window: one key answers, nothing is given away before, no record is written."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from kb_app.paths import app_folders
from kb_app.resources import resource
from kb_app.settings import Settings
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.drill.feature import DrillFeature
from kb_app.workspace.bases import open_workspace
from kb_app.workspace.drilling import (
    LOG,
    MATCHING,
    Choice,
    DrillDeck,
    drill_on,
    log_answer,
    read_log,
    worked_cases,
)

TIMEOUT_MS = 60_000  # an upper bound for a busy machine, no budget
ENTRY = """---
kind: known-fix
component: wal
alerts: [DiskFull]
---
# The disk is full

## Symptoms
Writes stop with
`No space left on device`.

```
PANIC: could not write
```

## Mitigation: grow the volume
- Time: 5m
- Risk: low
- Reversible: yes
- Blast: instance

1. Grow it.

## Fix forward: drop the slot
- Time: 90m
- Risk: medium

1. Drop it.
"""


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "full.md").write_text(ENTRY)
    (folder / "other.md").write_text("# Something else\n\nText.\n")
    return folder


Open = Callable[..., Running]


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    running: list[Running] = []

    def start_window(base: Path) -> Running:
        make_application()
        one = Running(qapp, app_folders(), Options((str(base),), ""))
        one.crashes.uninstall()
        running.append(one)
        one.start()
        one.window.resize(1280, 800)
        qtbot.waitExposed(one.window)
        qtbot.waitUntil(lambda: one.desk.index_state.is_complete, timeout=TIMEOUT_MS)
        return one

    yield start_window
    for one in running:
        one.window.close()
        one.finish()
        one.theme.setParent(None)


def texts(page) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page))


def test_one_key_answers_and_the_ways_out_show_only_afterwards(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    window, feature = running.window, running.window.feature(DrillFeature)
    qtbot.keyClick(
        window, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    qtbot.waitUntil(lambda: feature.page.drill is not None, timeout=TIMEOUT_MS)
    page, drill = feature.page, feature.page.drill
    assert drill.path == "full.md"
    before = texts(page)
    assert "The disk is full" in before
    assert "Writes stop with No space left on device." in before
    assert "grow the volume" not in before.lower()
    assert "drop the slot" not in before.lower()
    assert page.hasFocus()

    key = dict(zip(Choice, "1234", strict=True))[drill.right]
    qtbot.keyClick(page, key)
    after = texts(page)
    assert page.answer.isVisible()
    assert "As the policy says" in after
    assert drill.advice.rule in after
    assert "5 min" in after
    assert "grow the volume" in after.lower()
    assert "1 of 1 as the policy says" in after

    log = running.desk.workspace.folders.data / LOG
    qtbot.waitUntil(log.exists, timeout=TIMEOUT_MS)
    (row,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert (row["choice"], row["right"]) == (drill.right.value, True)
    assert not (running.desk.workspace.folders.records / "incidents").exists()

    qtbot.keyClick(page.following, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not page.is_answered, timeout=TIMEOUT_MS)
    assert not page.answer.isVisible()


def test_letters_answer_here_and_keep_their_meaning_elsewhere(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge)
    feature = running.window.feature(DrillFeature)
    feature.show()
    qtbot.waitUntil(lambda: feature.page.drill is not None, timeout=TIMEOUT_MS)
    answers = []
    feature.page.answered.connect(answers.append)
    qtbot.keyClick(feature.page, Qt.Key.Key_N)  # elsewhere: a new entry
    assert answers == [Choice.NEITHER]
    assert running.window.pages.currentWidget() is feature.page
    qtbot.keyClick(feature.page, Qt.Key.Key_F)
    assert answers == [Choice.NEITHER]


def test_the_entry_opens_from_its_answer(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge)
    feature = running.window.feature(DrillFeature)
    feature.show()
    qtbot.waitUntil(lambda: feature.page.drill is not None, timeout=TIMEOUT_MS)
    feature.answer(Choice.FIX)
    feature.page.open_entry.click()
    qtbot.waitUntil(
        lambda: running.desk.current is not None and running.desk.current.ref.path == "full.md",
        timeout=TIMEOUT_MS,
    )
    assert running.window.pages.currentWidget() is running.window.panes


def test_without_entries_the_worked_cases_are_asked(start: Open, tmp_path: Path, qtbot: QtBot) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "page.md").write_text("# A page\n")
    running = start(folder)
    feature = running.window.feature(DrillFeature)
    feature.show()
    qtbot.waitUntil(lambda: feature.page.drill is not None, timeout=TIMEOUT_MS)
    assert feature.page.drill.id.startswith("case:")
    assert feature.page.drill.title not in texts(feature.page)  # it names the paths
    feature.answer(Choice.MITIGATE)
    assert feature.page.drill.title in texts(feature.page)


def test_every_worked_case_gives_what_the_rules_give() -> None:
    told = {str(row["n"]): row["expect"]["recommend"] for row in _expected()}
    asked = {d.id.removeprefix("case:"): d.advice.recommend.value for d in worked_cases(dt.date(2025, 6, 1))}
    assert asked == told
    assert {MATCHING[d.advice.recommend] for d in worked_cases(dt.date(2025, 6, 1))} == set(Choice)
    assert json.loads(resource("drill/cases.json").read_text("utf-8"))


def _expected():
    return json.loads((Path(__file__).parents[1] / "data" / "decision-cases.json").read_text())


def test_the_same_chance_asks_the_same(knowledge: Path) -> None:
    workspace = open_workspace((str(knowledge),), app_folders(), Settings())
    (base,) = workspace.bases
    day = dt.date(2025, 6, 1)
    asked = [drill_on(base, "full.md", random.Random(3), day) for _ in range(2)]
    assert asked[0] == asked[1]
    assert asked[0].condition.startswith("Writes stop with No space left on device.")
    assert "PANIC: could not write" in asked[0].condition
    assert len({drill_on(base, "full.md", random.Random(n), day).incident for n in range(20)}) > 5


def test_what_was_missed_comes_again_first(tmp_path: Path) -> None:
    folders = app_folders()
    cases = worked_cases(dt.date(2025, 6, 1))
    missed = cases[9]
    wrong = next(choice for choice in Choice if choice is not missed.right)
    log_answer(folders, missed, wrong, dt.datetime(2025, 6, 1, tzinfo=dt.UTC))
    assert [row["right"] for row in read_log(folders)] == [False]
    for seed in range(5):
        deck = DrillDeck((), folders, seed=seed)
        assert deck.are_cases
        assert deck.draw() is not None
        assert DrillDeck((), folders, seed=seed).draw().id == missed.id
    log_answer(folders, missed, missed.right, dt.datetime(2025, 6, 1, tzinfo=dt.UTC))
    assert len({DrillDeck((), folders, seed=seed).draw().id for seed in range(8)}) > 1


def test_a_damaged_log_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    folders = app_folders()
    folders.data.mkdir(parents=True)
    (folders.data / LOG).write_text('{"drill": "a", "right": true}\nnot json\n[1]\n')
    assert len(read_log(folders)) == 1
