"""Rendered pages in Qt's own document: what the dialect promises is what QTextDocument makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QTextBlock, QTextDocument, QTextListFormat, QTextTable
from pytestqt.qtbot import QtBot

from kb_app.rendering.model import RenderedPage
from kb_app.rendering.page import render

#: Proves that setHtml comes back on a busy machine; measured times are below one second.
pytestmark = pytest.mark.timeout(30)


def page_of(text: str) -> RenderedPage:
    return render(text, path="guide/page.md", is_file=lambda path: path == "guide/other.md")


def document_of(page: RenderedPage) -> QTextDocument:
    document = QTextDocument()
    document.setDefaultStyleSheet("pre{white-space:pre-wrap}")
    document.setTextWidth(720)
    document.setHtml(page.html)
    assert document.size().height() > 0
    return document


def blocks_of(document: QTextDocument) -> Iterator[QTextBlock]:
    block = document.begin()
    while block.isValid():
        yield block
        block = block.next()


def tables_of(document: QTextDocument) -> list[QTextTable]:
    frames, found = [document.rootFrame()], []
    while frames:
        frame = frames.pop()
        frames.extend(frame.childFrames())
        if isinstance(frame, QTextTable):
            found.append(frame)
    return found


def anchors_of(document: QTextDocument) -> dict[str, str]:
    """Name of each anchor to the text of its block."""
    found = {}
    for block in blocks_of(document):
        iterator = block.begin()
        while not iterator.atEnd():
            for name in iterator.fragment().charFormat().anchorNames():
                found[name] = block.text()
            iterator += 1
    return found


BOMBS = {
    "nested raw tables": "<table><tr><td>" * 22,
    "nested quotes": ">" * 60 + " word" * 20_000,
    "callouts inside callouts": ":::note\n" * 30 + "word " * 20_000,
    "spans": "<span>x</span>" * 50_000,
    "emphasis": "*a* b " * 20_000,
    "word of a megabyte": "a" * 999_000,
    "code word of a megabyte": "```sh\n" + "a" * 900_000 + "\n```",
    "1,000 columns": "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + ("|" + "b|" * 1_000 + "\n") * 40,
    "long table": "|a|b|\n|-|-|\n" + "|c|d|\n" * 20_000,
    "raw cells": "<table>" + ("<tr>" + "<td>x</td>" * 300 + "</tr>") * 100 + "</table>",
    "raw spans": "<table>" + '<tr><td colspan="60" rowspan="60">x</td></tr>' * 200 + "</table>",
    "items": "- x\n" * 20_000,
    "headings": "# same\n\n" * 20_000,
    "footnotes": "".join(f"[^{number}]: n\n" for number in range(5_000)) + "[^1] [^2]",
    "list 600 deep": "".join("  " * depth + "- a\n" for depth in range(600)),
    "code with many tokens": "```python\n" + "a = b + c\n" * 1_900 + "```\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off_in_the_window_either(name: str, qtbot: QtBot) -> None:
    document = document_of(page_of(BOMBS[name]))
    assert document.characterCount() > 5


def test_every_code_card_holds_its_source(qtbot: QtBot) -> None:
    text = "```sh\n\nfirst\n```\n\n- item\n\n  ```python\n  if x:\n      y = 1\n\n  z\n  ```\n\n"
    page = page_of(text + "> [!NOTE]\n>     third\n")
    document = document_of(page)
    cards = [table for table in tables_of(document) if table.rows() == table.columns() == 1]
    shown = set()
    for card in cards:
        cursor = card.cellAt(0, 0).firstCursorPosition()
        cursor.setPosition(card.cellAt(0, 0).lastPosition(), cursor.MoveMode.KeepAnchor)
        shown.add(cursor.selectedText().replace("\u2029", "\n").replace("\u2028", "\n"))
    assert {block.text for block in page.code_blocks} <= shown


def test_anchors_of_headings_lines_and_footnotes_are_found(qtbot: QtBot) -> None:
    page = page_of("# One\n\ntext[^n]\n\n## Two `x`\n\n- item\n\n[^n]: note\n")
    anchors = anchors_of(document_of(page))
    assert anchors["one"] == "One"
    assert anchors["two-x"] == "Two x"
    assert anchors["line-7"] == "item"
    assert anchors["fn-1"].startswith("note")


def test_lists_keep_their_numbers_around_code(qtbot: QtBot) -> None:
    document = document_of(page_of("1. a\n\n   ```\n   x\n   ```\n2. b\n   - c\n3. d\n"))
    numbered = {
        block.text(): block.textList().itemText(block)
        for block in blocks_of(document)
        if block.textList() and block.textList().format().style() == QTextListFormat.Style.ListDecimal
    }
    assert numbered == {"a": "1.", "b": "2.", "d": "3."}


def test_no_empty_line_is_put_between_a_heading_and_its_text(qtbot: QtBot) -> None:
    texts = [block.text() for block in blocks_of(document_of(page_of("# One\n\ntext\n\n## Two\n\n- item\n")))]
    assert texts == ["One", "text", "Two", "item"]


def test_links_and_places_are_those_of_the_page(qtbot: QtBot) -> None:
    document = document_of(page_of("[t](other.md#x) <https://example.org> [gone](gone.md)\n"))
    links = []
    for block in blocks_of(document):
        iterator = block.begin()
        while not iterator.atEnd():
            form = iterator.fragment().charFormat()
            if form.anchorHref():
                links.append((iterator.fragment().text(), form.anchorHref(), form.toolTip()))
            iterator += 1
    assert links == [
        ("t", "kb:guide/other.md#x", "other.md#x"),
        ("https://example.org", "https://example.org", "https://example.org"),
    ]
