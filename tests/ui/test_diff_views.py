from __future__ import annotations

import pytest
from PySide6.QtWidgets import QTextEdit
from pytestqt.qtbot import QtBot

from kb_app.gitstore.words import Run, RunKind
from kb_app.ui.common import diff_view, word_diff
from kb_app.ui.common.theme import Theme

RUNS = tuple(
    Run(kind, f"line {number}\n")
    for number in range(600)
    for kind in ((RunKind.REMOVED, RunKind.ADDED) if number % 3 == 0 else (RunKind.SAME,))
)


@pytest.mark.parametrize("make", [lambda: diff_view.DiffView("Changes"), word_diff.DiffView])
def test_another_theme_leaves_a_comparison_where_it_was_read(make, qtbot: QtBot) -> None:
    view: QTextEdit = make()
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    view.show_runs(RUNS)
    qtbot.waitUntil(lambda: "line 599" in view.toPlainText(), timeout=60_000)
    bar = view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 5000, timeout=60_000)
    bar.setValue(4321)
    before = view.toPlainText()
    Theme.current().changed.emit()
    assert bar.value() == 4321
    qtbot.waitUntil(lambda: view.toPlainText() == before, timeout=60_000)
    assert bar.value() == 4321
