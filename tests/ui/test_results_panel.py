from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, QPoint, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from kb_app.search.model import Mode, SearchAnswer, SearchHit, Twin, Verdict
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.theme import DARK, LIGHT, Theme, ThemeChoice
from kb_app.ui.results.delegate import HEADER_HEIGHT, LINE_HEIGHT, ROW_HEIGHT, SHORT_ROW_HEIGHT
from kb_app.ui.results.model import ResultModel
from kb_app.ui.results.panel import ResultsPanel
from kb_app.ui.results.state import answer_rows, browse_rows


def hit(name: str, snippet: str = "the disk is full", **fields: object) -> SearchHit:
    values: dict[str, object] = {
        "title": name, "kind": "runbook", "product": "redis", "component": "memory", "state": "verified",
        "score": 1.0, "snippet": snippet, "snippet_marks": ((4, 8),), "knowledge_base": "kb",
        "has": ("mitigation", "fix"), "reviewed": "2026-01-01", "severity": "sev1",
    }  # fmt: skip
    return SearchHit(id=name, path=f"{name}.md", **{**values, **fields})  # type: ignore[arg-type]


def answer(*names: str, verdict: Verdict = Verdict.MATCH, **fields: object) -> SearchAnswer:
    hits = tuple(hit(name) for name in names)
    return SearchAnswer("q", Mode.WORDS, verdict, 3.2, len(hits), hits, **fields)  # type: ignore[arg-type]


@pytest.fixture
def panel(qtbot: QtBot) -> ResultsPanel:
    Theme.current()
    panel = ResultsPanel()
    qtbot.addWidget(panel)
    panel.resize(340, 600)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def show(panel: ResultsPanel, found: SearchAnswer) -> None:
    panel.show_answer(found, answer_rows(found), is_browsing=False)


def test_the_model_keeps_qt_s_rules(qtmodeltester: ModelTester) -> None:
    model = ResultModel()
    model.set_rows(browse_rows(answer("a", "b"), [], []))
    qtmodeltester.check(model)


def test_the_first_result_is_selected_and_told(panel: ResultsPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.list.selected) as caught:
        show(panel, answer("a", "b"))
    assert caught.args == [EntryRef("kb", "a.md")]
    assert panel.count_label.text() == "2 results"
    assert panel.time_label.text() == "3 ms"


def test_a_new_list_keeps_the_selected_entry_without_telling_again(panel: ResultsPanel, qtbot: QtBot) -> None:
    show(panel, answer("a", "b", "c"))
    panel.list.move_selection(1)
    told: list[object] = []
    panel.list.selected.connect(told.append)
    show(panel, answer("c", "b"))
    assert panel.list.current_ref() == EntryRef("kb", "b.md")
    assert told == []


def test_another_question_selects_its_own_best_answer(panel: ResultsPanel) -> None:
    show(panel, answer("a", "b", "c"))
    panel.list.move_selection(1)
    typed_on = replace(answer("c", "a", "b"), query="q more")
    show(panel, typed_on)
    assert panel.list.current_ref() == EntryRef("kb", "c.md")
    panel.list.move_selection(1)
    show(panel, replace(typed_on, took_ms=4.0))
    assert panel.list.current_ref() == EntryRef("kb", "a.md")


def test_no_good_match_says_so_above_the_nearest_three(panel: ResultsPanel) -> None:
    show(panel, answer("a", "b", "c", "d", verdict=Verdict.WEAK))
    assert panel.count_label.text() == "No good match"
    assert len(panel.list.rows) == 3
    spoken = panel.list.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("weak match, a")


def test_nothing_found_explains_itself(panel: ResultsPanel) -> None:
    show(panel, answer(verdict=Verdict.NONE))
    assert panel.empty.isVisible()
    assert not panel.list.isVisible()


def test_an_index_that_is_not_complete_claims_nothing(panel: ResultsPanel) -> None:
    show(panel, answer(verdict=Verdict.NONE, is_partial=True))
    assert panel.count_label.text() == "Not complete yet"
    assert "may be missing" in "".join(part.text() for part in panel.empty.findChildren(QLabel))


def test_browsing_selects_nothing_by_itself(panel: ResultsPanel) -> None:
    found = answer("a", "b")
    panel.show_answer(found, browse_rows(found, [], []), is_browsing=True)
    assert panel.list.current_ref() is None
    assert panel.count_label.text() == "2 entries"


def test_keys_skip_headings_and_enter_opens(panel: ResultsPanel, qtbot: QtBot) -> None:
    found = answer("a", "b")
    panel.show_answer(found, browse_rows(found, [], []), is_browsing=True)
    panel.list.setFocus()
    qtbot.keyClick(panel.list, Qt.Key.Key_End)
    assert panel.list.current_ref() == EntryRef("kb", "b.md")
    qtbot.keyClick(panel.list, Qt.Key.Key_Home)
    assert panel.list.current_ref() == EntryRef("kb", "a.md")
    with qtbot.waitSignal(panel.list.opened) as caught:
        qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert caught.args == [EntryRef("kb", "a.md")]


def test_a_suggestion_can_be_taken(panel: ResultsPanel, qtbot: QtBot) -> None:
    show(panel, answer("a", suggestion="connection refused"))
    with qtbot.waitSignal(panel.suggestion_accepted) as caught:
        panel.suggestion.click()
    assert caught.args == ["connection refused"]


def test_rows_are_as_high_as_what_they_hold(panel: ResultsPanel) -> None:
    found = SearchAnswer("", Mode.WORDS, Verdict.MATCH, 1, 2, (hit("a"), hit("b", snippet="")))
    panel.show_answer(found, browse_rows(found, [], []), is_browsing=True)
    heights = [panel.list.visualRect(panel.list.model().index(n, 0)).height() for n in range(3)]
    assert heights == [HEADER_HEIGHT, ROW_HEIGHT, SHORT_ROW_HEIGHT]


def test_marks_are_painted_in_both_themes_where_the_match_is(panel: ResultsPanel, qtbot: QtBot) -> None:
    show(panel, answer("a"))
    for choice, tokens in ((ThemeChoice.LIGHT, LIGHT), (ThemeChoice.DARK, DARK)):
        Theme.current().set_choice(choice)
        picture = panel.list.grab().toImage()
        colors = {picture.pixelColor(x, y).name().upper() for x in range(20, 200) for y in range(44, 80)}
        assert tokens.mark in colors
    Theme.current().set_choice(ThemeChoice.LIGHT)


def test_text_outside_the_basic_plane_keeps_its_marks(panel: ResultsPanel) -> None:
    text = "😀😀 disk 😀 " + "full " * 40
    found = SearchAnswer(
        "q", Mode.WORDS, Verdict.MATCH, 1, 1, (hit("a", snippet=text, snippet_marks=((3, 7), (10, 14))),)
    )
    show(panel, found)
    assert not panel.list.grab().isNull()
    assert panel.list.terms_of(EntryRef("kb", "a.md")) == ("disk", "full")


def test_a_screen_reader_hears_what_the_row_shows(panel: ResultsPanel) -> None:
    show(panel, answer("a"))
    spoken = panel.list.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("a, Runbook, redis / memory, verified, has mitigation, has fix, reviewed ")
    assert spoken.endswith("the disk is full")


def test_rows_outside_the_model_hold_nothing() -> None:
    model = ResultModel()
    assert model.data(QModelIndex()) is None
    assert model.flags(QModelIndex()) == Qt.ItemFlag.NoItemFlags


def test_a_long_title_gets_a_second_line(panel: ResultsPanel) -> None:
    long = "PostgreSQL refuses commands to avoid wraparound data loss"
    show(panel, answer("short", long))
    heights = [panel.list.visualRect(panel.list.model().index(n, 0)).height() for n in range(2)]
    assert heights == [ROW_HEIGHT, ROW_HEIGHT + LINE_HEIGHT]
    panel.resize(900, 600)
    assert panel.list.sizeHintForRow(1) == ROW_HEIGHT


def test_near_duplicates_open_and_close_by_key_and_by_click(panel: ResultsPanel, qtbot: QtBot) -> None:
    twins = (
        Twin("kb", "v1/a.md", "a", "verified", "1.2 instead of 1.3"),
        Twin("other", "a.md", "a", "", "in other"),
    )
    found = replace(answer("a", "b"), hits=(hit("a", twins=twins, similar=2), hit("b")))
    show(panel, found)
    rows = panel.list
    rows.setFocus()
    qtbot.keyClick(rows, Qt.Key.Key_Right)
    assert [row.differs for row in rows.rows] == ["", "1.2 instead of 1.3", "In other", ""]
    assert rows.current_ref() == EntryRef("kb", "a.md")
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    assert rows.current_ref() == EntryRef("kb", "v1/a.md")
    with qtbot.waitSignal(rows.opened) as caught:
        qtbot.keyClick(rows, Qt.Key.Key_Return)
    assert caught.args == [EntryRef("kb", "v1/a.md")]
    qtbot.keyClick(rows, Qt.Key.Key_Left)
    assert len(rows.rows) == 2
    assert rows.current_ref() == EntryRef("kb", "a.md")
    area = rows.visualRect(rows.model().index(0, 0))
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=area.bottomLeft() + QPoint(40, -6))
    assert len(rows.rows) == 4


def test_a_paste_says_why_on_each_row(panel: ResultsPanel) -> None:
    one = hit("a", paste_line=3, fit="fits", fit_words="fits 16.2")
    found = SearchAnswer("q", Mode.PASTE, Verdict.MATCH, 3.2, 1, (one,))
    show(panel, found)
    index = panel.list.model().index(0, 0)
    spoken = index.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "Line 3 of your paste matches" in spoken
    assert "fits 16.2" in spoken
    assert panel.list.sizeHintForRow(0) == ROW_HEIGHT + LINE_HEIGHT
