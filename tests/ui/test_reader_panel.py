"""The reader as the window uses it: header, facts, notices, finding, outline, copying, states."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAction, QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from kb_app.entries.model import Severity
from kb_app.entries.standing import Confirmation, How
from kb_app.rendering.model import CodeBlock, OutlineItem, RenderedPage
from kb_app.ui.common.jobs import InlineJobs
from kb_app.ui.common.theme import Theme, ThemeChoice
from kb_app.ui.common.widgets import Badge
from kb_app.ui.reader.outline import OutlineModel
from kb_app.ui.reader.panel import LOADING_AFTER_MS, ReaderPanel
from kb_app.ui.reader.state import Fact, PageFacts, PageNotice, confirmed_fact

# Popups ask for the keyboard, which the offscreen platform does not have.
pytestmark = pytest.mark.qt_log_ignore("does not support grabbing the keyboard", extend=True)

OUTLINE = (
    OutlineItem(1, "Top", "top", 1),
    OutlineItem(2, "Symptoms", "symptoms", 5),
    OutlineItem(3, "Logs", "logs", 9),
    OutlineItem(2, "Fix", "fix", 12),
)


def code_card(code: str) -> str:
    pre = f'<pre class="code">{code}</pre>'
    return f'<table class="code" width="100%"><tr><td class="code">{pre}</td></tr></table>'


def page(*codes: str, notices: tuple[str, ...] = (), language: str = "bash") -> RenderedPage:
    html = []
    for item in OUTLINE:
        html.append(
            f'<a name="{item.anchor}"></a><h{item.level} id="{item.anchor}">{item.title}</h{item.level}>'
        )
        html.append(f'<p><a name="line-{item.line}"></a>About {item.title}. ' + "lease " * 120 + "</p>")
    cards = [code_card("shown") for _ in codes]
    blocks = tuple(CodeBlock(code, language, 1) for code in codes)
    return RenderedPage("\n".join([*cards, *html]), OUTLINE, blocks, notices)


@pytest.fixture
def reader(qtbot: QtBot) -> Iterator[ReaderPanel]:
    Theme.current().set_choice(ThemeChoice.LIGHT)
    panel = ReaderPanel(InlineJobs())
    qtbot.addWidget(panel)
    panel.resize(820, 700)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    yield panel
    Theme.current().set_choice(ThemeChoice.LIGHT)


def texts(parent: QWidget) -> str:
    labels = parent.findChildren(QWidget)
    return " | ".join(w.text() for w in labels if hasattr(w, "text") and w.isVisible() and w.text())


# Header and facts


def test_the_header_shows_where_the_page_lies_and_how_far_to_trust_it(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "etcd/NoLeader.md", breadcrumb="platform-docs / etcd")
    reader.set_facts(PageFacts(Fact("circle-check", "Verified", "fix", "State: from front matter")))
    assert reader.breadcrumb.text() == "platform-docs / etcd"
    assert reader.state.text() == "Verified"
    assert "from front matter" in reader.state.toolTip()
    assert reader.state.isVisible()


def test_a_long_path_is_shortened_in_the_middle_and_whole_in_the_tooltip(reader: ReaderPanel) -> None:
    path = "a-team/" + "deep/" * 30 + "TheVeryEntry.md"
    reader.show_page(page(), None, path)
    shown = reader.breadcrumb.shown_text()
    assert shown.startswith("a-team")
    assert shown.endswith("TheVeryEntry.md")
    assert "…" in shown
    assert "deep / deep" in reader.breadcrumb.toolTip()


def test_facts_alerts_and_notices_stand_above_the_page(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(notices=("Shown as plain text.",)), None, "a.md")
    reader.set_facts(
        PageFacts(
            facts=(
                Fact("list-checks", "Runbook"),
                Fact("users", "team-control-plane"),
                confirmed_fact(Confirmation(dt.date(2025, 9, 1), How.STATED), 365, dt.date(2026, 11, 1)),
            ),
            alerts=("EtcdNoLeader", "B", "C", "D", "E"),
            notices=(PageNotice(Severity.INFO, "Kind was told from headings.", 5),),
        )
    )
    qtbot.waitUntil(lambda: "Kind was told" in texts(reader.facts))
    shown = texts(reader.facts)
    for text in ("Runbook", "team-control-plane", "last confirmed 14 months ago", "EtcdNoLeader", "+2"):
        assert text in shown
    assert "Shown as plain text." in shown


def test_a_badge_counts_the_open_flags_and_shows_them_by_a_key(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    reader.set_facts(PageFacts(flags=("Wrong: step 2 (Ben, 3 Nov)", "Unclear: <b>which</b> slot?")))
    badge = reader.facts.findChild(QPushButton, "flagsBadge")
    assert badge.text() == "2 open flags"
    assert "step 2" in badge.accessibleName()
    badge.setFocus()
    qtbot.keyClick(badge, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "Unclear: <b>which</b> slot?" in texts(reader.facts))
    reader.set_facts(PageFacts(flags=("Wrong: step 2 (Ben, 3 Nov)", "Unclear: <b>which</b> slot?")))
    assert badge.isChecked(), "looked up again, it stays open"
    qtbot.keyClick(badge, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "which" not in texts(reader.facts))


def test_facts_of_the_page_before_are_gone(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    reader.set_facts(PageFacts(Fact("circle-check", "Verified", "fix"), (Fact("users", "old-team"),)))
    reader.show_page(page(), None, "b.md")
    assert not reader.state.isVisible()
    assert not reader.facts.isVisible()
    assert "old-team" not in texts(reader)


def test_many_notices_are_folded(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    notices = tuple(PageNotice(Severity.WARNING, f"Notice {number}.") for number in range(6))
    reader.set_facts(PageFacts(notices=notices))
    qtbot.waitUntil(lambda: "Notice 1." in texts(reader.facts))
    assert "Notice 5." not in texts(reader.facts)
    more = next(b for b in reader.facts.findChildren(QPushButton) if b.text() == "4 more")
    QTest.mouseClick(more, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Notice 5." in texts(reader.facts))


def test_a_notice_leads_to_its_line(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    reader.set_facts(PageFacts(notices=(PageNotice(Severity.WARNING, "Odd.", 12),)))
    button = next(b for b in reader.facts.findChildren(QPushButton) if b.text() == "Line 12")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert reader.view.verticalScrollBar().value() > 100


def test_text_of_an_entry_is_never_read_as_html(reader: ReaderPanel) -> None:
    evil = "<img src='file:///etc/hostname'>"
    reader.show_page(page(notices=(evil,)), None, f"a/{evil * 20}.md")
    reader.set_facts(
        PageFacts(Fact("circle-check", "x", "fix", evil), (Fact("users", evil, detail=evil),), (evil, "b"))
    )
    tips = [w.toolTip() for w in reader.findChildren(QWidget) if w.toolTip()]
    assert any("&lt;img" in tip for tip in tips)
    assert not any("<img" in tip for tip in tips)
    plain = Qt.TextFormat.PlainText
    assert all(
        w.textFormat() == plain for w in reader.findChildren(QWidget) if hasattr(w, "textFormat") and w.text()
    )


def test_the_star_is_told_and_shown(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    with qtbot.waitSignal(reader.star_requested) as told:
        QTest.mouseClick(reader.star, Qt.MouseButton.LeftButton)
    assert told.args == [True]
    assert reader.star.accessibleName() == "Remove the star"
    with qtbot.waitSignal(reader.star_requested) as told:
        QTest.mouseClick(reader.star, Qt.MouseButton.LeftButton)
    assert told.args == [False]
    with qtbot.assertNotEmitted(reader.star_requested):
        reader.set_starred(is_starred=True)


def test_back_and_forward_are_there_only_when_there_is_somewhere_to_go(
    reader: ReaderPanel, qtbot: QtBot
) -> None:
    reader.show_page(page(), None, "a.md")
    assert not reader.back.isVisible()
    reader.set_history(can_go_back=True, can_go_forward=False)
    assert reader.back.isEnabled()
    assert reader.forward.isVisible()
    assert not reader.forward.isEnabled()
    with qtbot.waitSignal(reader.back_requested):
        QTest.mouseClick(reader.back, Qt.MouseButton.LeftButton)


def test_every_button_of_the_header_does_something(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    with qtbot.waitSignal(reader.copy_link_requested):
        QTest.mouseClick(reader.link_button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(reader.find_button, Qt.MouseButton.LeftButton)
    assert reader.find_bar.isVisible()
    QTest.mouseClick(reader.outline_button, Qt.MouseButton.LeftButton)
    assert reader.outline.isVisible()
    reader.outline.hide()
    QTest.mouseClick(reader.more, Qt.MouseButton.LeftButton)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert len(menu.actions()) == 3
    menu.actions()[0].trigger()
    menu.close()
    assert reader.zoom() == 110


# States


def test_at_first_it_says_that_nothing_is_open(reader: ReaderPanel) -> None:
    assert "Nothing open" in texts(reader)
    assert not reader.header.isVisible()


def test_a_failure_says_what_happened_and_what_can_be_done(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    again = QAction("Try again", reader)
    reader.show_error("The file cannot be read", "Ask its owner", [again])
    assert "The file cannot be read" in texts(reader)
    assert not reader.header.isVisible()
    button = next(b for b in reader.findChildren(QPushButton) if b.text() == "Try again")
    with qtbot.waitSignal(again.triggered):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_page_that_comes_quickly_shows_no_loading(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    reader.show_loading("b.md")
    assert reader.view.isVisible()
    assert reader._loading.interval() == LOADING_AFTER_MS
    reader.show_page(page(), None, "b.md")
    assert not reader._loading.isActive()


def test_a_page_that_takes_long_is_announced(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    reader.show_loading("etcd/b.md")
    qtbot.waitUntil(lambda: "Opening etcd/b.md" in texts(reader))
    assert not reader.view.isVisible()
    reader.show_page(page(), None, "etcd/b.md")
    assert reader.view.isVisible()


# Going somewhere


def test_a_page_opens_at_the_asked_heading_or_line(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md", anchor="fix")
    at_fix = reader.view.verticalScrollBar().value()
    assert at_fix > 100
    reader.show_page(page(), None, "b.md", line=12)
    assert reader.view.verticalScrollBar().value() > 100
    reader.show_page(page(), None, "c.md", anchor="no-such")
    assert reader.view.verticalScrollBar().value() == 0


def test_the_outline_lists_the_headings_and_jumps_by_keyboard(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    reader.show_outline()
    assert reader.outline.isVisible()
    QTest.keyClick(reader.outline.list, Qt.Key.Key_End)
    with qtbot.waitSignal(reader.outline.anchor_chosen) as told:
        QTest.keyClick(reader.outline.list, Qt.Key.Key_Return)
    assert told.args == ["fix"]
    assert not reader.outline.isVisible()
    assert reader.view.verticalScrollBar().value() > 100
    assert reader.view.hasFocus()


def test_the_outline_opens_at_the_section_one_is_in(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    with qtbot.waitSignal(reader.section_changed):
        reader.scroll_to_anchor("symptoms")
    reader.show_outline()
    assert reader.outline.list.currentIndex().row() == 1
    QTest.keyClick(reader.outline.list, Qt.Key.Key_Escape)
    assert not reader.outline.isVisible()


def test_a_page_without_headings_has_no_outline_button(reader: ReaderPanel) -> None:
    reader.show_page(RenderedPage("<p>x</p>"), None, "a.md")
    assert not reader.outline_button.isVisible()
    reader.show_outline()
    assert not reader.outline.isVisible()


def test_the_outline_model_keeps_the_rules_of_models(qtbot: QtBot) -> None:
    model = OutlineModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for outline in (OUTLINE, (), OUTLINE[1:]):
        model.set_outline(outline)
        assert model.rowCount() == len(outline)
    spoken = model.data(model.index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Symptoms, level 2"


# Finding


def type_to_find(reader: ReaderPanel, text: str) -> None:
    reader.find_in_page()
    QTest.keyClicks(reader.find_bar.focusWidget(), text)


def test_finding_counts_steps_and_closes_by_keyboard(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    reader.view.setFocus()
    QTest.keyClick(reader.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    box = reader.find_bar.focusWidget()
    QTest.keyClicks(box, "about")
    assert reader.find_bar.count_text() == "1 of 4"
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert reader.find_bar.count_text() == "2 of 4"
    QTest.keyClick(box, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(box, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert reader.find_bar.count_text() == "4 of 4"
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert not reader.find_bar.isVisible()
    assert reader.view.hasFocus()
    assert reader.view.extraSelections() == []


def test_finding_nothing_is_said(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    type_to_find(reader, "zebra")
    assert reader.find_bar.count_text() == "no match"


def test_finding_goes_on_in_the_next_page(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    type_to_find(reader, "about fix")
    reader.show_page(page(), None, "b.md")
    assert reader.find_bar.count_text() == "1 of 1"


def test_finding_starts_with_the_selected_text(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    cursor = reader.view.document().find("About Logs")
    reader.view.setTextCursor(cursor)
    reader.find_in_page()
    assert reader.find_bar.text() == "About Logs"


def test_keys_for_zoom(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    ctrl = Qt.KeyboardModifier.ControlModifier
    reader.view.setFocus()
    QTest.keyClick(reader.view, Qt.Key.Key_Plus, ctrl)
    QTest.keyClick(reader.view, Qt.Key.Key_Equal, ctrl)
    assert reader.zoom() == 125
    QTest.keyClick(reader.view, Qt.Key.Key_Minus, ctrl)
    assert reader.zoom() == 110
    QTest.keyClick(reader.view, Qt.Key.Key_0, ctrl)
    assert reader.zoom() == 100


# Copying


def press_copy(reader: ReaderPanel, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: len(reader.view.copy_buttons()) > 0)
    QTest.mouseClick(reader.view.copy_buttons()[0], Qt.MouseButton.LeftButton)


def clipboard() -> str:
    return QGuiApplication.clipboard().text()


def test_a_plain_command_is_copied_from_its_source_at_once(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page("kubectl get pods  -A\n"), None, "a.md")
    with qtbot.waitSignal(reader.copied) as told:
        press_copy(reader, qtbot)
    assert clipboard() == "kubectl get pods  -A"
    assert told.args == ["Copied"]
    assert not reader.preview.isVisible()


def test_a_transcript_is_copied_without_prompts_and_output(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page("$ kubectl get pods\nNAME  READY\nweb-1 1/1\n"), None, "a.md")
    with qtbot.waitSignal(reader.copied):
        press_copy(reader, qtbot)
    assert clipboard() == "kubectl get pods"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("kubectl delete namespace shop", "deletes"),
        ("ssh <host>", "<host>"),
        ("echo one\necho two", "Several lines"),
        ("echo \u202eevil", "U+202E"),
        ("echo a\u200bb", "U+200B"),
        ("echo \x1b[201~", "U+001B"),
        ("curl \u2014help", "U+2014"),
    ],
)
def test_what_needs_a_look_is_shown_before_it_is_copied(
    reader: ReaderPanel, qtbot: QtBot, source: str, reason: str
) -> None:
    QGuiApplication.clipboard().setText("before")
    reader.show_page(page(source), None, "a.md")
    press_copy(reader, qtbot)
    assert reader.preview.isVisible()
    assert clipboard() == "before"
    assert any(reason in text for text in reader.preview.reasons())
    with qtbot.waitSignal(reader.copied):
        QTest.mouseClick(reader.preview.copy, Qt.MouseButton.LeftButton)
    assert clipboard() == source
    assert not reader.preview.isVisible()


def test_hidden_characters_are_named_and_enter_does_not_copy_them(reader: ReaderPanel, qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText("before")
    reader.show_page(page("rm \u202eabc"), None, "a.md")
    press_copy(reader, qtbot)
    assert "‹U+202E›" in reader.preview.shown.toPlainText()
    assert reader.preview.copy.text() == "Copy all the same"
    QTest.keyClick(reader.preview.focusWidget(), Qt.Key.Key_Return)
    assert clipboard() == "before"
    QTest.keyClick(reader.preview, Qt.Key.Key_Escape)
    assert not reader.preview.isVisible()
    assert clipboard() == "before"


# Links


def test_the_strip_shows_where_a_link_leads(reader: ReaderPanel) -> None:
    reader.show_page(RenderedPage('<p><a href="https://example.org/x">l</a></p>'), None, "a.md")
    reader.view.setFocus()
    QTest.keyClick(reader.view, Qt.Key.Key_Tab)
    assert reader.status_text() == "example.org: https://example.org/x"
    strip = reader._status.geometry()
    assert reader.view.rect().contains(strip)
    reader.show_page(page(), None, "b.md")
    assert reader.status_text() == ""


def test_links_are_passed_on(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page(), None, "a.md")
    with qtbot.waitSignal(reader.link_activated) as told:
        reader.view.follow("kb:b.md#x")
    assert told.args == ["b.md#x"]
    with qtbot.waitSignal(reader.external_link_requested) as told:
        reader.view.follow("https://example.org/")
    assert told.args == ["https://example.org/"]


# For everyone


def test_every_control_that_takes_the_focus_has_a_name(reader: ReaderPanel, qtbot: QtBot) -> None:
    reader.show_page(page("echo one"), Path("/kb"), "a.md")
    reader.set_history(can_go_back=True, can_go_forward=True)
    reader.set_facts(PageFacts(notices=tuple(PageNotice(Severity.INFO, f"n{i}", i + 1) for i in range(5))))
    reader.find_in_page()
    qtbot.waitUntil(lambda: len(reader.view.copy_buttons()) == 1)
    found = [w for w in reader.findChildren(QWidget) if w.focusPolicy() != Qt.FocusPolicy.NoFocus]
    assert len(found) > 15
    for widget in found:
        if widget.isVisible() and widget.focusProxy() is None:
            name = QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
            assert name, widget


def test_buttons_with_an_icon_alone_have_a_tooltip(reader: ReaderPanel) -> None:
    reader.show_page(page(), None, "a.md")
    buttons = [w for w in reader.header.findChildren(QWidget) if w.property("role") == "icon"]
    assert len(buttons) >= 7
    assert all(button.toolTip() and button.accessibleName() for button in buttons)


def test_a_badge_says_its_state_in_words(reader: ReaderPanel) -> None:
    badge = Badge("circle-check", "Verified", "fix", reader)
    assert QAccessible.queryAccessibleInterface(badge).text(QAccessible.Text.Name) == "Verified"


@pytest.mark.parametrize("width", [380, 560, 1_400])
@pytest.mark.parametrize("zoom", [100, 200])
def test_nothing_is_cut_off_at_any_width(reader: ReaderPanel, width: int, zoom: int) -> None:
    reader.resize(width, 700)
    reader.set_zoom(zoom)
    reader.show_page(page("echo one"), None, "a/very/long/path/of/an/entry.md")
    reader.set_facts(PageFacts(Fact("circle-check", "Verified", "fix"), (Fact("users", "team-" + "x" * 90),)))
    assert reader.width() == width
    for button in (reader.star, reader.outline_button, reader.find_button, reader.link_button, reader.more):
        assert reader.header.rect().contains(button.geometry())
    assert reader.view.horizontalScrollBar().maximum() == 0
