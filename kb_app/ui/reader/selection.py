"""The text of a selection as a person reads it: no picture marks, task boxes in letters, plain spaces."""

from __future__ import annotations

from PySide6.QtGui import QTextCursor

_PICTURE = "\ufffc"
_TASKS = {"square-check": "[x]", "square": "[ ]"}


def plain_text(cursor: QTextCursor) -> str:
    """Return what ``cursor`` selects, lines ended by line feeds, without marks of pictures."""
    text = cursor.selection().toPlainText()
    if _PICTURE in text:
        text = _with_pictures_named(cursor, text)
    return text.replace("\u00a0", " ")


def _with_pictures_named(cursor: QTextCursor, text: str) -> str:
    names = _picture_names(cursor)
    parts = text.split(_PICTURE)
    out = [parts[0]]
    for number, part in enumerate(parts[1:]):
        name = names[number] if number < len(names) else ""
        # An icon of the page is decoration: the space behind it goes with it.
        out.append(name + part if name else part.lstrip(" \u00a0"))
    return "".join(out)


def _picture_names(cursor: QTextCursor) -> list[str]:
    """Return for each picture in the selection the letters that stand for it, or nothing."""
    document = cursor.document()
    names = []
    block = document.findBlock(cursor.selectionStart())
    while block.isValid() and block.position() < cursor.selectionEnd():
        iterator = block.begin()
        while not iterator.atEnd():
            fragment = iterator.fragment()
            form = fragment.charFormat()
            if form.isImageFormat():
                source = form.toImageFormat().name()
                icon = source.removeprefix("icon:").partition("/")[0] if source.startswith("icon:") else ""
                inside = range(fragment.position(), fragment.position() + fragment.length())
                selected = sum(cursor.selectionStart() <= at < cursor.selectionEnd() for at in inside)
                names.extend([_TASKS.get(icon, "")] * selected)
            iterator += 1
        block = block.next()
    return names
