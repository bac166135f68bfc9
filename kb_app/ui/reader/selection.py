"""The text of a selection as a person reads it: list marks, task boxes, rows of tables, no picture marks."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtGui import QTextBlock, QTextCursor, QTextListFormat, QTextTable

from kb_app.ui.reader.page_html import Mark, read_hidden_color

_PICTURE = "\ufffc"
_TASKS = {"square-check": "[x]", "square": "[ ]"}


def plain_text(cursor: QTextCursor) -> str:
    """Return what ``cursor`` selects: lines end in a line feed, cells of a row are parted by tabs."""
    out: list[str] = []
    cell_before: tuple[int, int] | None = None
    for block in _selected_blocks(cursor):
        if _is_behind_table(block):
            continue
        cell = _grid_cell(block)
        if out:
            out.append("\t" if cell is not None and cell == cell_before else "\n")
        cell_before = cell
        out.append(_text_of(block, cursor))
    return "".join(out).replace("\u00a0", " ").replace("\u2028", "\n")


def _selected_blocks(cursor: QTextCursor) -> Iterator[QTextBlock]:
    document = cursor.document()
    block = document.findBlock(cursor.selectionStart())
    last = document.findBlock(cursor.selectionEnd()).blockNumber()
    while block.isValid() and block.blockNumber() <= last:
        yield block
        block = block.next()


def _is_behind_table(block: QTextBlock) -> bool:
    """Tell whether the block is the empty one that Qt puts behind every table."""
    if block.length() > 1 or block.position() == 0:
        return False
    before: QTextTable | None = QTextCursor(block.previous()).currentTable()
    return before is not None and before != QTextCursor(block).currentTable()


def _grid_cell(block: QTextBlock) -> tuple[int, int] | None:
    """Return which row of which table the block lies in, or None outside a table of data."""
    table: QTextTable | None = QTextCursor(block).currentTable()
    if table is None:
        return None
    found = read_hidden_color(table.format().background().color())
    if found is None or found[0] is not Mark.GRID:
        return None
    return table.firstPosition(), table.cellAt(block.position()).row()


def _text_of(block: QTextBlock, cursor: QTextCursor) -> str:
    first = max(0, cursor.selectionStart() - block.position())
    last = cursor.selectionEnd() - block.position()
    text = block.text()[first:last]
    if _PICTURE in text:
        text = _with_pictures_named(block, first, last)
    return (_list_mark(block) if first == 0 else "") + text


def _list_mark(block: QTextBlock) -> str:
    """Return indent and mark of a list item; tasks bring their box themselves."""
    items = block.textList()
    if items is None:
        return ""
    form = items.format()
    indent = "  " * max(0, form.indent() - 1)
    if form.style() == QTextListFormat.Style.ListDecimal:
        return f"{indent}{items.itemText(block)} "
    return indent if block.text().startswith(_PICTURE) else f"{indent}- "


def _with_pictures_named(block: QTextBlock, first: int, last: int) -> str:
    """Return the selected part of a block with task boxes as letters and other pictures left out."""
    parts = []
    drops_space = False
    iterator = block.begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        start = fragment.position() - block.position()
        text = fragment.text()[max(0, first - start) : max(0, last - start)]
        form = fragment.charFormat()
        if form.isImageFormat():
            name = _TASKS.get(form.toImageFormat().name().removeprefix("icon:").partition("/")[0], "")
            text = name * len(text)
            drops_space = not name
        elif drops_space:
            text = text.lstrip(" \u00a0")
            drops_space = False
        parts.append(text)
        iterator += 1
    return "".join(parts)
