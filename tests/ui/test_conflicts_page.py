"""The conflict page by keyboard: choose, write, look, send, leave."""

from __future__ import annotations

import datetime as dt

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from kb_app.gitstore.answers import JoinedFile, Question, Writer
from kb_app.gitstore.conflicts import Choice, changed_sections, merge_pages
from kb_app.gitstore.proposals import FileMerge
from kb_app.ui.common.theme import Theme, ThemeChoice
from kb_app.ui.conflicts.page import ConflictsPage

BASE = "# T\n\n## A\none\n\n## B\ntwo\n\n## C\nthree\n"
MINE = BASE.replace("one", "my one").replace("two", "my two")
THEIRS = BASE.replace("one", "their one").replace("two", "their two").replace("three", "their three")
WRITER = Writer("Bob", dt.datetime(2026, 2, 3, tzinfo=dt.UTC), "theirs")


def question(theirs: str | None = THEIRS) -> Question:
    merge = merge_pages(BASE, MINE, theirs)
    joined = JoinedFile("a.md", changed_sections(BASE, theirs or "", without=merge.conflicts))
    return Question("my change", (FileMerge("a.md", merge),), (joined,), {"a.md": WRITER})


@pytest.fixture
def page(qtbot: QtBot, qapp: QApplication) -> ConflictsPage:
    Theme.current().set_choice(ThemeChoice.LIGHT)
    page = ConflictsPage()
    qtbot.addWidget(page)
    page.resize(1200, 800)
    page.show()
    page.show_question(question(), mine="Ada")
    return page


def press(qtbot: QtBot, page: ConflictsPage, *keys: Qt.Key) -> None:
    for key in keys:
        qtbot.keyClick(page.focusWidget() or page, key)


def test_both_texts_show_with_their_words_and_who_wrote_them(page: ConflictsPage) -> None:
    assert page.title_of_place.text() == "A"
    assert "my one" in page.mine.text.toPlainText()
    assert "their one" in page.theirs.text.toPlainText()
    assert page.theirs.who.text() == "Bob, 3 Feb 2026: theirs"
    marked = page.theirs.text.document().find("their")
    assert marked.charFormat().background().color() == Theme.current().color("fix_bg")
    texts = [row.accessibleName() for row in page.findChildren(QPushButton) if row.property("role") == "row"]
    assert texts == ["A, not decided", "B, not decided", "The result"]
    assert not page.send.isEnabled()


def test_one_key_each_then_the_result_then_enter(page: ConflictsPage, qtbot: QtBot) -> None:
    press(qtbot, page, Qt.Key.Key_M)
    assert page.title_of_place.text() == "B"
    press(qtbot, page, Qt.Key.Key_B)
    assert page.title_of_place.text() == "The result"
    assert "their two" in page.result.toPlainText()
    assert page.send.isEnabled()
    with qtbot.waitSignal(page.answered) as caught:
        press(qtbot, page, Qt.Key.Key_Return)
    assert caught.args == [{("a.md", 0): Choice.MINE, ("a.md", 1): Choice.BOTH}]


def test_enter_before_the_end_sends_nothing_and_says_why(page: ConflictsPage, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(page.answered):
        press(qtbot, page, Qt.Key.Key_T, Qt.Key.Key_Return)
    assert "Choose for every place" in page.problem.text()
    assert not page.problem.isHidden()


def test_a_text_of_ones_own(page: ConflictsPage, qtbot: QtBot) -> None:
    press(qtbot, page, Qt.Key.Key_E)
    assert page.own.hasFocus()
    page.own.setPlainText("## A\nfirst mmm then ttt")
    press(qtbot, page, Qt.Key.Key_M, Qt.Key.Key_T)  # letters are letters here
    assert page.title_of_place.text() == "A"
    qtbot.keyClick(page.own, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert page.title_of_place.text() == "B"
    press(qtbot, page, Qt.Key.Key_T)
    with qtbot.waitSignal(page.answered) as caught:
        press(qtbot, page, Qt.Key.Key_Return)
    own = caught.args[0][("a.md", 0)]
    assert "first mmm then ttt" in own
    assert own.endswith("\n")


def test_marks_in_a_text_of_ones_own_are_refused(page: ConflictsPage, qtbot: QtBot) -> None:
    press(qtbot, page, Qt.Key.Key_E)
    page.own.setPlainText("## A\n<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n")
    qtbot.keyClick(page.own, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert "marks of a merge" in page.problem.text()
    assert page.answers.open_count == 2
    assert not page.own.isHidden()


def test_esc_in_the_text_goes_back_to_both_and_esc_again_leaves(page: ConflictsPage, qtbot: QtBot) -> None:
    press(qtbot, page, Qt.Key.Key_E)
    with qtbot.assertNotEmitted(page.cancelled):
        qtbot.keyClick(page.own, Qt.Key.Key_Escape)
    assert page.middle.currentIndex() == 0
    with qtbot.waitSignal(page.cancelled):
        press(qtbot, page, Qt.Key.Key_Escape)


def test_a_removed_page_offers_no_both(page: ConflictsPage, qtbot: QtBot) -> None:
    page.show_question(question(theirs=None))
    assert not page.choice_buttons[Choice.BOTH].isEnabled()
    press(qtbot, page, Qt.Key.Key_B)
    assert page.answers.open_count == 1
    assert "cannot both" in page.problem.text()


def test_asked_again_keeps_what_still_fits(page: ConflictsPage, qtbot: QtBot) -> None:
    press(qtbot, page, Qt.Key.Key_M, Qt.Key.Key_M)
    page.ask_again(question(THEIRS.replace("their two", "their newer two")), "It changed again")
    assert page.problem.text() == "It changed again"
    assert page.title_of_place.text() == "B"
    assert page.answers.open_count == 1
