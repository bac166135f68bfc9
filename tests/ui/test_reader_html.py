"""What the document is given: marks, gaps, folds, pieces."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QTextCursor, QTextDocument
from pytestqt.qtbot import QtBot

from kb_app.ui.common.theme import DARK, LIGHT
from kb_app.ui.reader.page_html import Mark, PagePreparation, hidden_color, read_hidden_color
from kb_app.ui.reader.page_style import page_css
from kb_app.ui.reader.tables import CONTINUED, CONTINUES, set_tables

CODE = '<table class="code" width="100%"><tr><td class="code"><pre class="code">{}</pre></td></tr></table>'
_SUMMARY = '<p class="summary">{}</p>'
FOLD = f'<table class="details" width="100%"><tr><td class="details">{_SUMMARY}{{}}</td></tr></table>'


def prepared(html: str, **options: object) -> str:
    return "".join(PagePreparation(html, **options))


@given(st.sampled_from(list(Mark)), st.integers(0, 65_535))
def test_a_mark_and_its_number_survive_the_invisible_colour(mark: Mark, number: int) -> None:
    red, green, blue, alpha = map(int, re.findall(r"\d+", hidden_color(mark, number)))
    assert read_hidden_color(QColor(red, green, blue, alpha)) == (mark, number)


@pytest.mark.parametrize("color", ["#000000", "#010000", "#FFFFFF"])
def test_a_visible_colour_is_no_mark(color: str) -> None:
    assert read_hidden_color(QColor(color)) is None


def test_code_cards_are_numbered_in_order_also_inside_closed_folds() -> None:
    html = CODE.format("a") + FOLD.format("More", CODE.format("b")) + CODE.format("c")
    shown = prepared(html, open_folds=())
    assert re.findall(r"rgba\(1,0,(\d+),0\)", shown) == ["0", "2"]
    assert re.findall(r"rgba\(1,0,(\d+),0\)", prepared(html)) == ["0", "1", "2"]


def test_a_closed_fold_hides_its_body_and_keeps_its_summary() -> None:
    preparation = PagePreparation(FOLD.format("More", "<p>secret</p>"), open_folds=())
    shown = "".join(preparation)
    assert "secret" not in shown
    assert 'href="fold:0"' in shown
    assert "More" in shown
    assert preparation.hidden == {0: "<p>secret</p>"}
    assert shown.count("<td") == shown.count("</td>")


def test_an_open_fold_shows_its_body() -> None:
    assert "secret" in prepared(FOLD.format("More", "<p>secret</p>"), open_folds={0})


def test_folds_in_folds_are_numbered_from_outside() -> None:
    html = FOLD.format("Outer", FOLD.format("Inner", "<p>core</p>")) + FOLD.format("Next", "<p>x</p>")
    shown = prepared(html, open_folds={0})
    assert re.findall(r'href="fold:(\d)"', shown) == ["0", "1", "2"]
    assert "core" not in shown


def test_every_frame_but_the_first_in_its_cell_has_a_gap_above() -> None:
    shown = prepared(CODE.format("a") + '<a name="x"></a>\n' + CODE.format("b"))
    first, second = re.findall(r'style="([^"]*)"', shown)
    assert "margin-top" not in first
    assert "margin-top:12px" in second


def test_loose_text_behind_a_frame_in_a_list_becomes_a_paragraph() -> None:
    shown = prepared(f"<ul><li>a{CODE.format('x')}then <code>b</code><ul><li>c</li></ul></li></ul>")
    assert "</table><p>then <code>b</code></p><ul>" in shown
    assert prepared(CODE.format("x") + "then").endswith("</table>then")


def test_zoom_scales_icons() -> None:
    html = '<ul><li class="task"><img src="icon:square-check" width="16" height="16"> x</li></ul>'
    assert 'width="32" height="32"' in prepared(html, zoom=2.0)


def test_text_that_looks_like_a_tag_inside_an_attribute_is_left_alone() -> None:
    html = '<p><a href="kb:a.md" title="a &gt; b &lt;table&gt;">x</a></p>'
    assert prepared(html) == html


@given(st.text(alphabet='<>/"= abptdhrlieg\n', max_size=200))
def test_any_text_comes_through_without_an_error(text: str) -> None:
    assert isinstance(prepared(text, open_folds=()), str)


def structure(document: QTextDocument) -> list[object]:
    found: list[object] = []
    block = document.begin()
    while block.isValid():
        form = block.blockFormat()
        item = block.textList().itemNumber(block) if block.textList() else None
        table = QTextCursor(block).currentTable()
        mark = read_hidden_color(table.format().background().color()) if table else None
        found.append((block.text(), form.topMargin(), form.headingLevel(), form.lineHeight(), item, mark))
        block = block.next()
    return found


def page_of_many_blocks() -> str:
    parts = []
    for number in range(12):
        parts.append(f'<a name="h{number}"></a><h2 id="h{number}">Part {number}</h2>')
        parts.append(f"<p>Text <code>{number}</code>, <strong>bold</strong>.</p>")
        parts.append("<ul><li>one</li><li><p>two</p>" + CODE.format(f"run {number}\nagain") + "</li></ul>")
        parts.append("<ol><li>first<ol><li>inner</li></ol></li><li>second</li></ol>")
        parts.append(CODE.format("x") + CODE.format("y"))
        parts.append('<table class="grid" width="100%"><tr><th>A</th></tr><tr><td>1</td></tr></table>')
    return "\n".join(parts)


@pytest.mark.parametrize("piece", [1, 300, 2_000])
def test_a_page_grown_piece_by_piece_equals_the_page_set_at_once(qtbot: QtBot, piece: int) -> None:
    from kb_app.ui.reader.view import append_html

    html = page_of_many_blocks()
    whole, grown = QTextDocument(), QTextDocument()
    for document in (whole, grown):
        document.setUndoRedoEnabled(False)
        document.setDefaultStyleSheet(page_css(LIGHT, 1))
    whole.setHtml(prepared(html))
    pieces = list(PagePreparation(html, piece=piece))
    assert "".join(pieces) == prepared(html)
    assert len(pieces) > 2
    grown.setHtml(pieces[0])
    for part in pieces[1:]:
        append_html(grown, part)
    assert structure(grown) == structure(whole)


def test_a_page_of_plain_text_is_cut_between_lines_and_loses_none() -> None:
    lines = [f"line {number}" for number in range(500)]
    html = '<pre class="plain">' + "\n".join(lines) + "</pre>"
    pieces = list(PagePreparation(html, piece=700))
    assert len(pieces) > 3
    bodies = [piece.removeprefix('<pre class="plain">').removesuffix("</pre>") for piece in pieces]
    assert "\n".join(bodies).split("\n") == lines


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
def test_style_sheet_writes_only_theme_colours_and_scales_every_size(tokens: object) -> None:
    known = {tokens.color(name) for name in tokens.__slots__ if name != "name"}
    assert set(re.findall(r"#[0-9A-Fa-f]{6}", page_css(tokens, 1))) <= known

    def sizes(zoom: float) -> list[float]:
        return [float(size) for size in re.findall(r"font-size:([\d.]+)px", page_css(tokens, zoom))]

    assert sizes(2) == pytest.approx([2 * size for size in sizes(1)])


def grid(rows: int, columns: int) -> str:
    head = "".join(f"<th>h{column}</th>" for column in range(columns))
    body = "".join(
        "<tr>" + "".join(f'<td align="right">{row}.{column}</td>' for column in range(columns)) + "</tr>"
        for row in range(rows)
    )
    return f'<table class="grid" width="100%"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def test_a_table_of_usual_size_is_left_whole() -> None:
    html = grid(49, 6)
    assert re.sub(
        r' width="\d+%"(?=[ >])', "", set_tables(html).replace(' width="100%"', "")
    ) == html.replace(' width="100%"', "")


def widths_of(*cells: str) -> list[int]:
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    html = f'<table class="grid"><tbody><tr>{row}</tr></tbody></table>'
    return [int(width) for width in re.findall(r'<td width="(\d+)%"', set_tables(html))]


def test_a_column_is_as_wide_as_its_text_asks() -> None:
    short, long = widths_of("no", "a sentence that goes on for quite a while and then some more")
    assert short < 20 < long
    assert widths_of("same", "same") == [50, 50]


def test_a_column_holds_its_longest_word_beside_long_ones() -> None:
    sentence = "many short words that could be broken anywhere " * 3
    narrow, *_ = widths_of("configuration", sentence, sentence)
    assert narrow * 54 / 100 >= len("configuration")


@pytest.mark.parametrize(("rows", "columns"), [(300, 4), (61, 5), (40, 60), (2_000, 1)])
def test_a_large_table_is_cut_into_parts_that_hold_every_row_once(rows: int, columns: int) -> None:
    cut = set_tables(grid(rows, columns))
    parts = cut.split("</table>")[:-1]
    assert len(parts) > 1
    assert re.findall(r">(\d+\.\d+)<", cut) == re.findall(r">(\d+\.\d+)<", grid(rows, columns))
    assert cut.count("<th") == columns
    flags = [(CONTINUED in part.split(">")[0], CONTINUES in part.split(">")[0]) for part in parts]
    assert flags[0] == (False, True)
    assert flags[-1] == (True, False)
    assert set(flags[1:-1]) <= {(True, True)}
    shares = [re.findall(r'width="(\d+)%"', part.split("</tr>")[0])[1:] for part in parts]
    assert len(shares[0]) == columns
    assert all(share == shares[0] for share in shares)


def test_a_table_with_merged_cells_is_left_whole() -> None:
    html = grid(300, 4).replace("<td align", '<td colspan="2" align', 1)
    assert set_tables(html) == html
    small = html[: html.index("<tr><td")] + "</tbody></table>"
    assert set_tables(small.replace("<th>", '<th colspan="2">', 1)) == small.replace(
        "<th>", '<th colspan="2">', 1
    )


def test_parts_of_a_large_table_touch() -> None:
    styles = re.findall(r'<table class="grid[^"]*"[^>]*style="([^"]*)"', prepared("<p>x</p>" + grid(300, 4)))
    assert "margin-top" in styles[0]
    assert not any("margin-top" in style for style in styles[1:])
