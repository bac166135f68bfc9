"""The page as it is painted, read, searched, zoomed and copied."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QHelpEvent, QImage, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from kb_app.rendering.model import CodeBlock, OutlineItem, RenderedPage
from kb_app.ui.common.jobs import InlineJobs
from kb_app.ui.common.theme import Theme, ThemeChoice
from kb_app.ui.reader.page_html import CALLOUTS, Mark
from kb_app.ui.reader.view import COLUMN_WIDTH, ZOOM_LEVELS, ReaderView

THEMES = [ThemeChoice.LIGHT, ThemeChoice.DARK]


def card(code: str) -> str:
    return (
        '<table class="code" width="100%"><tr><td class="code">'
        f'<pre class="code">{code}</pre></td></tr></table>'
    )


def callout(kind: str, body: str = "<p>Body.</p>") -> str:
    return (
        f'<table class="callout {kind}" width="100%"><tr><td class="callout {kind}">'
        f'<p class="callout-title">Title</p>{body}</td></tr></table>'
    )


def fold(summary: str, body: str) -> str:
    return (
        '<table class="details" width="100%"><tr><td class="details">'
        f'<p class="summary">{summary}</p>{body}</td></tr></table>'
    )


def heading(level: int, title: str, anchor: str) -> str:
    return f'<a name="{anchor}"></a><h{level} id="{anchor}">{title}</h{level}>'


def long_page(parts: int = 30) -> RenderedPage:
    html, outline = [heading(1, "Top", "top")], [OutlineItem(1, "Top", "top", 1)]
    for number in range(parts):
        html.append(heading(2, f"Part {number}", f"part-{number}"))
        html.append(
            f'<p><a name="line-{10 * number + 10}"></a>Text of part {number}. ' + "word " * 80 + "</p>"
        )
        html.append(card(f"run {number}"))
        outline.append(OutlineItem(2, f"Part {number}", f"part-{number}", 10 * number + 9))
    codes = tuple(CodeBlock(f"run {number}", "bash", 1) for number in range(parts))
    return RenderedPage("\n".join(html), tuple(outline), codes)


@pytest.fixture
def theme(qtbot: QtBot) -> Iterator[Theme]:
    current = Theme.current()
    current.set_choice(ThemeChoice.LIGHT)
    yield current
    current.set_choice(ThemeChoice.LIGHT)


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> ReaderView:
    reader = ReaderView(InlineJobs())
    qtbot.addWidget(reader)
    reader.resize(820, 700)
    reader.show()
    reader.activateWindow()
    qtbot.waitUntil(reader.isActiveWindow)
    return reader


def show(view: ReaderView, html: str, codes: tuple[str, ...] = ()) -> None:
    blocks = tuple(CodeBlock(code, "bash", 1) for code in codes)
    view.set_page(RenderedPage(html, code_blocks=blocks), None, "page.md")
    view.load_all()


def painted(view: ReaderView) -> QImage:
    return view.viewport().grab().toImage()


def color_at(image: QImage, x: float, y: float) -> str:
    return QColor(image.pixel(round(x), round(y))).name().upper()


def frame_rects(view: ReaderView, mark: Mark) -> list[QRectF]:
    scrolled = view.verticalScrollBar().value()
    frames = [frame for frame in view._painter.frames() if frame.mark is mark]
    return [view._painter.rect(frame).translated(0, -scrolled) for frame in frames]


# Painting


@pytest.mark.parametrize("choice", THEMES)
def test_a_code_card_is_a_rounded_surface_with_a_hairline(
    view: ReaderView, theme: Theme, choice: ThemeChoice
) -> None:
    theme.set_choice(choice)
    show(view, "<p>before</p>" + card("one\ntwo") + "<p>after</p>", ("one\ntwo",))
    (rect,) = frame_rects(view, Mark.CODE)
    image = painted(view)
    tokens = theme.tokens
    assert color_at(image, rect.center().x(), rect.top() + 4) == tokens.surface2
    assert color_at(image, rect.left() + 5, rect.center().y()) == tokens.surface2
    assert color_at(image, rect.left(), rect.center().y()) == tokens.border
    assert color_at(image, rect.left(), rect.top()) == tokens.surface  # the corner is cut off
    assert color_at(image, rect.center().x(), rect.bottom() + 4) == tokens.surface


@pytest.mark.parametrize("choice", THEMES)
@pytest.mark.parametrize("mark", CALLOUTS)
def test_a_callout_has_its_ground_and_its_bar(
    view: ReaderView, theme: Theme, choice: ThemeChoice, mark: Mark
) -> None:
    theme.set_choice(choice)
    show(view, callout(mark.name.lower()))
    (rect,) = frame_rects(view, mark)
    image = painted(view)
    color = CALLOUTS[mark][1]
    ground = "selection" if color == "accent" else f"{color}_bg"
    assert color_at(image, rect.right() - 20, rect.center().y()) == theme.tokens.color(ground)
    assert color_at(image, rect.left() + 1, rect.center().y()) == theme.tokens.color(color)
    assert color_at(image, rect.right() + 3, rect.center().y()) == theme.tokens.surface


@pytest.mark.parametrize("choice", THEMES)
def test_a_table_has_a_head_and_lines_between_its_rows(
    view: ReaderView, theme: Theme, choice: ThemeChoice
) -> None:
    theme.set_choice(choice)
    rows = "".join(f"<tr><td>{number}</td><td>x</td></tr>" for number in range(3))
    show(view, f'<table class="grid" width="100%"><thead><tr><th>A</th><th>B</th></tr></thead>{rows}</table>')
    (rect,) = frame_rects(view, Mark.GRID)
    image = painted(view)
    assert color_at(image, rect.center().x(), rect.top() + 3) == theme.tokens.surface2
    column = [
        color_at(image, rect.right() - 30, y) for y in range(round(rect.top()) + 1, round(rect.bottom()) - 1)
    ]
    assert column.count(theme.tokens.border) == 3
    assert column[-3] == theme.tokens.surface


@pytest.mark.parametrize("choice", THEMES)
def test_a_quote_has_a_bar(view: ReaderView, theme: Theme, choice: ThemeChoice) -> None:
    theme.set_choice(choice)
    show(view, '<table class="quote" width="100%"><tr><td class="quote"><p>Said.</p></td></tr></table>')
    (rect,) = frame_rects(view, Mark.QUOTE)
    assert color_at(painted(view), rect.left() + 1, rect.center().y()) == theme.tokens.border


@pytest.mark.parametrize("choice", THEMES)
def test_code_in_a_line_stands_on_a_chip(view: ReaderView, theme: Theme, choice: ThemeChoice) -> None:
    theme.set_choice(choice)
    show(view, "<p>word <code>kubectl</code> word</p>")
    cursor = QTextCursor(view.document())
    cursor.setPosition(7)
    image, place = painted(view), view.cursorRect(cursor)
    above_text = color_at(image, place.x(), place.top() + 5)
    cursor.setPosition(2)
    assert color_at(image, view.cursorRect(cursor).x(), place.top() + 5) == theme.tokens.surface
    assert above_text != theme.tokens.surface


def test_rectangles_found_block_by_block_are_those_of_the_layout(view: ReaderView) -> None:
    parts = [
        card("a"),
        card("b"),
        callout("note", "<p>x</p>" + card("inside")),
        "<ul><li>x" + card("c") + "</li></ul>",
        callout("tip", "<ul><li>one</li><li>two</li></ul>"),
        fold("More", "<p>y</p>"),
        "<p>end</p>",
        card("d"),
    ]
    html = "".join(parts)
    show(view, html, ("a", "b", "inside", "c", "d"))
    layout = view.document().documentLayout()
    for frame in view._painter.frames():
        form = frame.table.format()
        cell = frame.table.cellAt(0, 0).format().toTableCellFormat()
        asked = layout.frameBoundingRect(frame.table)
        top = asked.top() - cell.topPadding()
        left = asked.left() - cell.leftPadding()
        width = asked.width() - form.leftMargin() - form.rightMargin()
        height = asked.height() - form.topMargin() - form.bottomMargin()
        found = view._painter.rect(frame)
        assert (found.left(), found.top()) == pytest.approx((left, top), abs=0.6)
        assert (found.width(), found.height()) == pytest.approx((width, height), abs=0.6), frame


def test_frames_stay_inside_the_column_also_in_lists(view: ReaderView) -> None:
    show(view, "<ol><li>a<ul><li>b" + card("deep") + "</li></ul></li></ol><p>x</p>", ("deep",))
    (rect,) = frame_rects(view, Mark.CODE)
    left = view.column()[0] - view.viewport().x()
    assert rect.left() >= left + 40
    assert rect.right() == pytest.approx(left + view.column()[1], abs=1)


def test_a_page_replaced_again_and_again_while_scrolled_paints_on(view: ReaderView, theme: Theme) -> None:
    for number in range(12):
        view.set_page(long_page(12 + number % 3), None, f"page-{number % 2}.md")
        view.load_all()
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // (1 + number % 3))
        view.viewport().repaint()
        theme.toggle()
        gc.collect()
    assert "Part 5" in view.toPlainText()


@pytest.mark.parametrize("width", [420, 820, 1400])
def test_the_column_is_centred_and_never_wider_than_allowed(
    view: ReaderView, qtbot: QtBot, width: int
) -> None:
    view.resize(width, 700)
    view.set_page(long_page(), None, "a.md")
    view.load_all()
    qtbot.waitUntil(lambda: view.verticalScrollBar().maximum() > 0)
    left, column = view.column()
    assert column <= COLUMN_WIDTH
    assert left >= 28
    room = view.width() - view.verticalScrollBar().width()
    assert abs((room - column) / 2 - left) <= 8
    assert view.horizontalScrollBar().maximum() == 0


# Large pages


def test_a_large_page_shows_its_first_screen_before_the_rest(view: ReaderView, qtbot: QtBot) -> None:
    page = long_page(300)
    with qtbot.waitSignal(view.page_completed):
        view.set_page(page, None, "large.md")
        assert "Part 3" in view.toPlainText()
        assert "Part 299" not in view.toPlainText()
    assert "Part 299" in view.toPlainText()
    assert len(view._painter.frames()) == 300


def test_another_page_ends_the_growing_of_the_one_before(view: ReaderView, qtbot: QtBot) -> None:
    view.set_page(long_page(300), None, "large.md")
    with qtbot.waitSignal(view.page_completed):
        view.set_page(RenderedPage("<p>small</p>"), None, "small.md")
    assert view.toPlainText().strip() == "small"


def test_a_place_far_down_in_a_page_that_still_grows_is_reached(view: ReaderView) -> None:
    view.set_page(long_page(300), None, "large.md")
    assert view.scroll_to_anchor("part-299")
    assert view.verticalScrollBar().value() > 20_000


# Moving about


def test_an_anchor_comes_to_the_top(view: ReaderView) -> None:
    view.set_page(long_page(), None, "a.md")
    assert view.scroll_to_anchor("part-20")
    at_top = view.cursorForPosition(QPoint(60, 30)).block().text()
    assert at_top == "Part 20"
    assert not view.scroll_to_anchor("no-such")
    assert not view.scroll_to_anchor("")


@pytest.mark.parametrize(("line", "part"), [(10, 0), (19, 0), (20, 1), (155, 14), (9_999, 29)])
def test_a_line_of_the_file_is_found_by_the_block_that_holds_it(
    view: ReaderView, line: int, part: int
) -> None:
    view.set_page(long_page(), None, "a.md")
    assert view.scroll_to_line(line)
    shown = view.cursorForPosition(QPoint(60, 20)).block()
    texts = [shown.text(), shown.next().text()]
    assert any(text.startswith(f"Text of part {part}.") for text in texts) or part == 29


def test_a_line_before_the_first_block_is_not_found(view: ReaderView) -> None:
    view.set_page(long_page(), None, "a.md")
    assert not view.scroll_to_line(3)


def test_each_page_is_found_where_it_was_left(view: ReaderView) -> None:
    view.set_page(long_page(), Path("/kb"), "a.md")
    view.scroll_to_anchor("part-12")
    left_at = view.verticalScrollBar().value()
    view.set_page(long_page(), Path("/kb"), "b.md")
    assert view.verticalScrollBar().value() == 0
    view.set_page(long_page(), Path("/kb"), "a.md")
    assert view.verticalScrollBar().value() == pytest.approx(left_at, abs=2)
    view.set_page(long_page(), Path("/other"), "a.md")
    assert view.verticalScrollBar().value() == 0


def test_the_section_at_the_top_is_told(view: ReaderView, qtbot: QtBot) -> None:
    view.set_page(long_page(), None, "a.md")
    with qtbot.waitSignal(view.section_changed, check_params_cb=lambda anchor: anchor == "part-7"):
        view.scroll_to_anchor("part-7")
    assert view.section() == "part-7"


def test_the_place_stays_when_theme_and_zoom_change(view: ReaderView, theme: Theme) -> None:
    view.set_page(long_page(), None, "a.md")
    view.scroll_to_anchor("part-15")
    theme.toggle()
    assert view.cursorForPosition(QPoint(60, 30)).block().text() == "Part 15"
    view.set_zoom(150)
    assert "15" in view.cursorForPosition(QPoint(60, 40)).block().text()


def test_keys_scroll_the_page(view: ReaderView) -> None:
    view.set_page(long_page(), None, "a.md")
    view.load_all()
    bar = view.verticalScrollBar()
    QTest.keyClick(view, Qt.Key.Key_Space)
    one_page = bar.value()
    assert one_page > 400
    QTest.keyClick(view, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert bar.value() == 0
    QTest.keyClick(view, Qt.Key.Key_End)
    assert bar.value() == bar.maximum() > one_page
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert bar.value() == 0


# Folds


def test_a_fold_opens_and_closes_by_mouse_and_keyboard(view: ReaderView) -> None:
    show(view, fold("More", "<p>the body</p>"))
    assert "the body" not in view.toPlainText()
    view.follow("fold:0")
    assert "the body" in view.toPlainText()
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Tab)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert "the body" not in view.toPlainText()


def test_open_folds_are_open_again_when_one_comes_back(view: ReaderView) -> None:
    folded = RenderedPage(fold("More", "<p>the body</p>"))
    view.set_page(folded, None, "a.md")
    view.follow("fold:0")
    view.set_page(RenderedPage("<p>other</p>"), None, "b.md")
    view.set_page(folded, None, "a.md")
    assert "the body" in view.toPlainText()


def test_an_anchor_or_a_word_in_a_closed_fold_opens_it(view: ReaderView) -> None:
    body = heading(3, "Deep", "deep") + "<p>needle &amp; thread</p>"
    show(view, fold("More", body))
    assert view.scroll_to_anchor("deep")
    view.follow("fold:0")
    assert view.find_text("needle & thread") == 1


# Zoom


def test_zoom_scales_text_and_column_and_stays_in_its_range(view: ReaderView, qtbot: QtBot) -> None:
    view.resize(2_000, 700)
    show(view, "<p>text</p>")
    line = view.document().firstBlock().layout().lineAt(0).height()
    with qtbot.waitSignal(view.zoom_changed) as told:
        view.set_zoom(200)
    assert told.args == [200]
    assert view.document().firstBlock().layout().lineAt(0).height() == pytest.approx(2 * line, rel=0.1)
    assert view.column()[1] == 2 * COLUMN_WIDTH
    view.set_zoom(10_000)
    assert view.zoom() == ZOOM_LEVELS[-1] == 240
    view.set_zoom(1)
    assert view.zoom() == ZOOM_LEVELS[0] == 60


def test_zoom_goes_through_its_levels_and_stops_at_the_ends(view: ReaderView) -> None:
    seen = [view.zoom()]
    for _ in ZOOM_LEVELS:
        view.zoom_in()
        seen.append(view.zoom())
    assert seen[1] == 110
    assert seen[-1] == seen[-2] == 240
    for _ in ZOOM_LEVELS:
        view.zoom_out()
    assert view.zoom() == 60


@pytest.mark.parametrize("percent", [60, 240])
def test_frames_follow_the_zoom(view: ReaderView, percent: int) -> None:
    view.set_zoom(percent)
    show(view, card("one"), ("one",))
    (rect,) = frame_rects(view, Mark.CODE)
    assert color_at(painted(view), rect.left() + 5, rect.center().y()) == Theme.current().tokens.surface2
    assert view.horizontalScrollBar().maximum() == 0


# Finding and marking


def test_finding_marks_every_place_and_steps_round(view: ReaderView) -> None:
    show(view, "<p>alpha beta Alpha</p>" + card("alpha") + callout("note", "<p>ALPHA</p>"), ("alpha",))
    assert view.find_text("alpha") == 4
    assert view.hit_number() == (1, 4)
    view.find_step(1)
    assert view.hit_number() == (2, 4)
    view.find_step(-2)
    assert view.hit_number() == (4, 4)
    tokens = Theme.current().tokens
    grounds = [s.format.background().color().name().upper() for s in view.extraSelections()]
    assert grounds.count(tokens.accent_fill) == 1
    assert grounds.count(tokens.mark) == 3


def test_finding_nothing_says_so_and_ends_clean(view: ReaderView) -> None:
    show(view, "<p>alpha</p>")
    assert view.find_text("omega") == 0
    assert view.hit_number() == (0, 0)
    view.find_step(1)
    view.find_text("alpha")
    view.find_text("")
    assert view.extraSelections() == []


def test_the_place_found_is_brought_into_view(view: ReaderView) -> None:
    view.set_page(long_page(), None, "a.md")
    assert view.find_text("part 25.") == 1
    cursor = view.document().find("part 25.")
    assert view.viewport().rect().contains(view.cursorRect(cursor).center())


def test_words_of_the_search_are_marked_and_stay_marked(view: ReaderView, theme: Theme) -> None:
    show(view, "<p>The error budget of the API. Budget.</p>")
    assert view.mark_terms(["budget", "api", "budget", " "]) == 3
    theme.toggle()
    grounds = [s.format.background().color().name().upper() for s in view.extraSelections()]
    assert grounds == [theme.tokens.mark] * 3
    assert view.mark_terms([]) == 0


def test_a_short_word_is_marked_only_where_it_is_a_word(view: ReaderView) -> None:
    show(view, "<p>oc and location</p>")
    assert view.mark_terms(["oc"]) == 1


def test_marks_of_one_page_do_not_go_to_the_next(view: ReaderView) -> None:
    show(view, "<p>budget</p>")
    view.mark_terms(["budget"])
    show(view, "<p>budget</p>")
    assert view.extraSelections() == []


# Copying


def copied(view: ReaderView) -> str:
    view.selectAll()
    view.copy()
    return QGuiApplication.clipboard().text()


def test_a_selection_is_copied_as_it_reads(view: ReaderView) -> None:
    tasks = (
        '<ul><li class="task"><img src="icon:square-check" width="16" height="16"> Done</li>'
        '<li class="task"><img src="icon:square" width="16" height="16"> Open</li></ul>'
    )
    show(view, "<p>One&nbsp;two</p>" + callout("warning") + tasks)
    text = copied(view)
    assert "One two" in text
    assert "\nTitle\nBody." in text
    assert "[x] Done" in text
    assert "[ ] Open" in text
    assert "\ufffc" not in text
    assert "\u2029" not in text


def test_lists_and_tables_are_copied_with_their_shape(view: ReaderView) -> None:
    show(
        view,
        "<p>Do:</p><ol start='3'><li>first<ul><li>inner</li></ul></li><li>second</li></ol>"
        + card("one\n  two")
        + '<table class="grid" width="100%"><tr><th>A</th><th>B</th></tr>'
        + "<tr><td>1</td><td>2</td></tr></table>"
        + "<p>end</p>",
    )
    assert copied(view) == "Do:\n3. first\n  - inner\n4. second\none\n  two\nA\tB\n1\t2\nend"


def test_part_of_a_line_is_copied_without_the_mark_of_its_item(view: ReaderView) -> None:
    show(view, "<ul><li>alpha beta</li><li>gamma</li></ul>")
    cursor = QTextCursor(view.document())
    cursor.setPosition(6)
    cursor.setPosition(13, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    view.copy()
    assert QGuiApplication.clipboard().text() == "beta\n- ga"


def test_everything_is_selected_also_of_a_page_that_still_grows(view: ReaderView) -> None:
    view.set_page(long_page(300), None, "large.md")
    QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    view.copy()
    assert "Text of part 299." in QGuiApplication.clipboard().text()


def test_a_copied_selection_is_plain_text_only(view: ReaderView) -> None:
    show(view, '<p>One <a href="https://example.org/">two</a></p>')
    copied(view)
    assert not QGuiApplication.clipboard().mimeData().hasHtml()


def test_each_visible_card_has_a_button_that_asks_for_its_own_source(view: ReaderView, qtbot: QtBot) -> None:
    show(view, card("shown a") + "<p>x</p>" + card("shown b"), ("source a\n  x", "source b"))
    qtbot.waitUntil(lambda: len(view.copy_buttons()) == 2)
    asked = []
    view.copy_requested.connect(lambda number, block: asked.append((number, block.text)))
    for button in view.copy_buttons():
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked == [(0, "source a\n  x"), (1, "source b")]
    assert [button.accessibleName() for button in view.copy_buttons()] == [
        "Copy code block 1 (bash)",
        "Copy code block 2 (bash)",
    ]


def test_copy_buttons_stand_on_their_cards_while_scrolling(view: ReaderView, qtbot: QtBot) -> None:
    view.set_page(long_page(), None, "a.md")
    for anchor in ("part-3", "part-20", "part-9"):
        view.scroll_to_anchor(anchor)
        qtbot.waitUntil(lambda at=anchor: any(b.number == int(at[5:]) for b in view.copy_buttons()))
        for button in view.copy_buttons():
            rect = frame_rects(view, Mark.CODE)[button.number]
            assert rect.adjusted(-1, -1, 1, 1).contains(QRectF(button.geometry()))


def test_only_as_many_buttons_exist_as_are_visible(view: ReaderView, qtbot: QtBot) -> None:
    view.set_page(long_page(300), None, "a.md")
    view.load_all()
    qtbot.waitUntil(lambda: len(view.copy_buttons()) > 0)
    assert len(view._buttons._buttons) < 30


def test_a_button_keeps_the_focus_while_its_card_is_visible(
    view: ReaderView, qtbot: QtBot, theme: Theme
) -> None:
    view.set_page(long_page(), None, "a.md")
    qtbot.waitUntil(lambda: len(view.copy_buttons()) >= 2)
    button = view.copy_buttons()[1]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    theme.toggle()
    view.verticalScrollBar().setValue(30)
    qtbot.waitUntil(lambda: any(b.number == 1 and b.hasFocus() for b in view.copy_buttons()))


# Odds and ends


def test_a_title_that_looks_like_html_is_shown_letter_by_letter(view: ReaderView) -> None:
    title = "&lt;img src='file:///etc/hostname'&gt;&lt;b&gt;x"
    show(view, f'<p><span class="link-out" title="{title}">some link</span></p>')
    cursor = QTextCursor(view.document())
    cursor.setPosition(3)
    place = view.cursorRect(cursor).center()
    event = QHelpEvent(QHelpEvent.Type.ToolTip, place, view.viewport().mapToGlobal(place))
    QGuiApplication.sendEvent(view.viewport(), event)
    assert "&lt;b&gt;x" in QToolTip.text()
    QToolTip.hideText()


def test_the_ring_shows_only_when_the_focus_came_by_keyboard(view: ReaderView) -> None:
    view.clearFocus()
    view.setFocus(Qt.FocusReason.MouseFocusReason)
    assert view.property("ring") == "false"
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert view.property("ring") == "true"
    assert color_at(view.grab().toImage(), 0, 300) == Theme.current().tokens.accent


def test_an_empty_page_is_no_trouble(view: ReaderView) -> None:
    view.clear_page()
    view.viewport().repaint()
    assert view.find_text("x") == 0
    assert view.mark_terms(["x"]) == 0
    assert not view.scroll_to_line(1)
    assert view.code_block(0) is None
    assert view.page() is None


def test_links_that_lead_nowhere_are_told_apart_without_colour(view: ReaderView) -> None:
    show(
        view,
        '<p><span class="link-broken" title="x">missing text</span> and '
        '<span class="link-out" title="y">refused text</span> and <a href="kb:a.md">whole text here</a></p>',
    )
    image = painted(view)
    block = view.document().firstBlock()
    runs = {}
    for word in ("missing", "refused", "whole"):
        at = block.text().index(word)
        cursor = QTextCursor(block)
        cursor.setPosition(at)
        left = view.cursorRect(cursor)
        cursor.setPosition(at + len(word))
        right = view.cursorRect(cursor)
        rows = []
        for y in range(left.bottom() - 5, left.bottom() + 3):
            inked = [
                color_at(image, x, y) != Theme.current().tokens.surface for x in range(left.x(), right.x())
            ]
            rows.append((sum(inked), sum(1 for a, b in pairwise(inked) if b and not a) + inked[0]))
        runs[word] = max(rows)[1]  # how many strokes the fullest row has
    assert runs["whole"] == 1
    assert runs["missing"] > 2
    assert runs["refused"] > 2


def test_a_diagram_is_said_to_be_one(view: ReaderView) -> None:
    show(view, card("graph TD").replace('<table class="code"', '<table class="code diagram"'), ("graph TD",))
    (rect,) = frame_rects(view, Mark.DIAGRAM)
    image = painted(view)
    band = [
        color_at(image, x, y)
        for y in range(round(rect.top()) + 6, round(rect.top()) + 28)
        for x in range(round(rect.left()) + 10, round(rect.left()) + 140)
    ]
    assert len(set(band)) > 5  # letters, anti-aliased
    assert rect.height() > 60


def test_without_a_text_to_find_one_steps_through_the_marked_words(view: ReaderView) -> None:
    show(view, "<p>beta alpha</p><p>alpha</p>")
    view.mark_terms(["alpha", "beta"])
    view.find_step(1)
    assert view.hit_number()[1] == 3
    first = view._hits[view.hit_number()[0] - 1].selectedText()
    assert first in {"alpha", "beta"}


@pytest.mark.parametrize("choice", THEMES)
def test_a_large_table_looks_like_one(view: ReaderView, theme: Theme, choice: ThemeChoice) -> None:
    theme.set_choice(choice)
    rows = "".join(f"<tr><td>{number}</td><td>x</td></tr>" for number in range(400))
    show(view, f'<table class="grid" width="100%"><tr><th>A</th><th>B</th></tr>{rows}</table><p>after</p>')
    rects = frame_rects(view, Mark.GRID)
    assert len(rects) > 3
    for upper, lower in pairwise(rects):
        assert lower.top() == pytest.approx(upper.bottom(), abs=0.6)
        assert (lower.left(), lower.right()) == pytest.approx((upper.left(), upper.right()), abs=0.6)
    view.verticalScrollBar().setValue(round(rects[0].bottom()) - 300)
    image, rects = painted(view), frame_rects(view, Mark.GRID)
    seam = rects[0].bottom()
    edge = [color_at(image, rects[0].left(), y) for y in range(round(seam) - 40, round(seam) + 40)]
    assert set(edge) == {theme.tokens.border}  # no round corner at the seam
    inside = [color_at(image, rects[0].right() - 30, y) for y in range(round(seam) - 12, round(seam) + 12)]
    assert inside.count(theme.tokens.border) == 1
    assert theme.tokens.surface2 not in inside


def test_a_table_too_wide_for_the_column_can_be_scrolled_sideways(view: ReaderView, qtbot: QtBot) -> None:
    cells = "".join(f"<td>column{number}</td>" for number in range(40))
    show(view, f'<table class="grid" width="100%"><tr>{cells}</tr></table>')
    qtbot.waitUntil(view.horizontalScrollBar().isVisible)
    show(view, "<p>narrow</p>")
    qtbot.waitUntil(lambda: not view.horizontalScrollBar().isVisible())


def test_numbers_stay_in_a_list_nested_in_bullets(view: ReaderView) -> None:
    show(view, "<ul><li>outer<ol><li>first</li><li>second</li></ol></li></ul>")
    image = view.viewport().grab().toImage()
    for text in ("first", "second"):
        place = view.cursorRect(view.document().find(text))
        left = view.document().find(text)
        left.setPosition(left.selectionStart())
        start = view.cursorRect(left).left()
        strip = (
            image.pixelColor(x, y)
            for x in range(start - 18, start - 2)
            for y in range(place.top(), place.bottom())
        )
        assert min(color.lightness() for color in strip) < 100, f"no number before {text!r}"
