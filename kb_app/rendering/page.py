"""Turn a Markdown file into a page for the reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import cast
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor

from kb_app.entries.front_matter import read_front_matter
from kb_app.entries.outline import heading_anchor, outline_of, plain_title
from kb_app.errors import LimitReached
from kb_app.rendering.commonmark_blocks import CommonMarkBlockParser, CommonMarkBlocks
from kb_app.rendering.dialect import DialectWriter
from kb_app.rendering.inline import InlineSyntax
from kb_app.rendering.limits import MAX_CHARACTERS, MAX_PLAIN_LINES, SOFT_BREAK, softened
from kb_app.rendering.links import LinkResolver
from kb_app.rendering.model import RenderedPage
from kb_app.rendering.raw_html import build_raw_html
from kb_app.rendering.sanitising import reveal_hidden, sanitise

#: Characters that python-markdown uses for itself, and halves of characters; they are shown by code point.
_RESERVED = re.compile("[\x00\x02\x03\ufdd0\ud800-\udfff]")

_SPENT = "Part of this page is shown without formatting: reading its brackets and marks would take too long."
_TOO_LARGE = "This page is very long; it is shown as plain text."
_TOO_DEEP = "This page is nested too deeply to be formatted; it is shown as plain text."


class _RawHtml(Treeprocessor):
    """Reads HTML blocks, before inline syntax is looked for."""

    def run(self, root: Element) -> None:
        build_raw_html(root)


class _Footnotes(Treeprocessor):
    """Appends the footnotes to the page, before inline syntax is looked for."""

    def run(self, root: Element) -> None:
        notes = cast("CommonMarkBlockParser", self.md.parser).footnotes
        if notes:
            holder = SubElement(root, "footnotes")
            for label, note in notes.items():
                note.set("label", label)
                holder.append(note)


def _new_markdown() -> tuple[Markdown, InlineSyntax]:
    inline = InlineSyntax()
    md = Markdown(extensions=[CommonMarkBlocks(), inline])
    md.stripTopLevelTags = False
    md.treeprocessors.deregister("prettify")
    md.treeprocessors.register(_Footnotes(md), "footnotes", 26)
    md.treeprocessors.register(_RawHtml(md), "raw_html", 25)
    return md, inline


def render(text: str, *, path: str, is_file: Callable[[str], bool]) -> RenderedPage:
    """Render a file.

    Args:
        text: the whole file, decoded, with line feeds as line ends, front matter included.
        path: where the file lies in its knowledge base, ``/``-separated; relative links start there.
        is_file: tells whether a path relative to the knowledge base is a file in it; the only question this
            function asks of the outside world.

    Returns:
        The page; content never makes it raise.
    """
    if len(text) > MAX_CHARACTERS:
        return plain_page(text, _TOO_LARGE)
    try:
        return _render(text, path, is_file)
    except LimitReached:
        return plain_page(text, _TOO_LARGE)
    except RecursionError:
        return plain_page(text, _TOO_DEEP)


def _render(text: str, path: str, is_file: Callable[[str], bool]) -> RenderedPage:
    text = _RESERVED.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    front_matter = read_front_matter(lines)
    outline = outline_of(lines, front_matter.body_line)
    taken: dict[str, int] = {}
    anchors = {heading.first_line: (heading.anchor, heading.title) for heading in outline.headings}
    for anchor, _title in anchors.values():
        taken[anchor] = 0

    md, inline = _new_markdown()
    inline.set_title(front_matter.text("title"))
    parser = cast("CommonMarkBlockParser", md.parser)
    parser.first_line = front_matter.body_line
    parser.last_line_of_fence = {
        fence.first_line: fence.last_line for fence in outline.fences if not fence.is_closed
    }
    body = lines[front_matter.body_line - 1 :]
    known = {anchor for anchor, _title in anchors.values()}
    resolver = LinkResolver(path, is_file, known)
    writer = DialectWriter(
        anchors,
        parser,
        resolver,
        lambda source: (heading_anchor(source, taken), plain_title(source)),
        line_count=len(lines),
        character_count=len(text),
    )
    md.serializer = writer
    html = md.convert("\n".join(body))
    html = reveal_hidden(sanitise(html)).replace(SOFT_BREAK, "\u200b")
    notices = (_SPENT,) if parser.budget.is_spent else ()
    return RenderedPage(html, tuple(writer.outline), tuple(writer.shown_code), notices)


def plain_page(text: str, notice: str) -> RenderedPage:
    """Show ``text`` as it is, with a sentence why.

    Args:
        text: the whole file.
        notice: one sentence for the user.
    """
    lines = text.split("\n", MAX_PLAIN_LINES)
    notices: tuple[str, ...] = (notice,)
    if len(lines) > MAX_PLAIN_LINES:
        notices += (f"Only the first {MAX_PLAIN_LINES:,} lines are shown; open the file to read the rest.",)
        text = "\n".join(lines[:MAX_PLAIN_LINES])
    html = escape(softened(reveal_hidden(text), is_code=True)).replace(SOFT_BREAK, "\u200b")
    return RenderedPage(html=f'<pre class="plain">{html}</pre>', notices=notices, is_plain=True)
