"""From python-markdown's tree to the reader's HTML dialect (see `kb_app.rendering.model`)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from xml.etree.ElementTree import Element

from kb_app.rendering import beyond_commonmark as beyond
from kb_app.rendering.commonmark_blocks import CommonMarkBlockParser
from kb_app.rendering.highlighting import Highlighter
from kb_app.rendering.limits import (
    MAX_ANCHORS,
    MAX_CELLS,
    MAX_IMAGES,
    MAX_ITEMS,
    MAX_LINE_ANCHORS,
    MAX_SPANNED_CELLS,
    max_frames,
    softened,
)
from kb_app.rendering.links import LinkKind, LinkResolver
from kb_app.rendering.model import CodeBlock, OutlineItem

_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TASK = re.compile(r"\[([ xX])\][ \t\n]+")

_SPAN = re.compile(r"[1-9][0-9]?")
_ALIGNMENTS = frozenset({"left", "right", "center"})

_SAME = frozenset(["em", "strong", "b", "i", "u", "s", "code", "kbd", "sub", "sup", "small"])
_RENAMED = {"del": "s", "strike": "s"}


def _escaped(text: str) -> str:
    """Return text for HTML; references such as ``&copy;`` give their character."""
    text = softened(text)
    if "&" in text:
        text = _REFERENCE.sub(lambda found: unescape(found[0]), text).replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text if text.isascii() else text.replace("\xa0", "&nbsp;")


def _attribute(text: str) -> str:
    """Return text for an attribute between double quotes."""
    return escape(text, quote=False).replace('"', "&quot;").replace("\xa0", "&nbsp;")


class DialectWriter:
    """Write one page's tree as HTML; called by python-markdown in the place of its serialiser.

    Args:
        anchors: 1-based line of each heading to its anchor and plain title.
        parser: holds the code blocks, once it has run.
        resolver: for links and images.
        anchor_for: makes an anchor and a title for a heading that ``anchors`` does not hold.
        line_count, character_count: size of the page, which the caps depend on.

    Attributes:
        outline: the headings written.
        shown_code: the code blocks in the order of their cards.
    """

    def __init__(
        self,
        anchors: Mapping[int, tuple[str, str]],
        parser: CommonMarkBlockParser,
        resolver: LinkResolver,
        anchor_for: Callable[[str], tuple[str, str]],
        *,
        line_count: int,
        character_count: int,
    ) -> None:
        self.outline: list[OutlineItem] = []
        self.shown_code: list[CodeBlock] = []
        self._anchors = anchors
        self._parser = parser
        self._resolver = resolver
        self._anchor_for = anchor_for
        self._highlighter = Highlighter()
        self._parts: list[str] = []
        self._frames = 0
        self._line = ""  # anchors for the start of the next text: a line, and labels
        self._labels: list[str] = []
        self._next_line = 0
        self._line_step = 1 + line_count // MAX_LINE_ANCHORS
        self._anchors_left = MAX_ANCHORS
        self._cells = MAX_CELLS
        self._max_frames = max_frames(character_count)
        self._notes: dict[str, int] = {}  # footnote label to its number, in order of first reference
        self._is_in_link = False
        self._spanned_cells = MAX_SPANNED_CELLS
        self._images = MAX_IMAGES
        self._writers: dict[str, Callable[[Element], None]] = {
            "p": self._paragraph,
            "pre": self._code,
            "blockquote": self._quote,
            "callout": self._callout,
            "title": self._callout_title,
            "details": self._details,
            "summary": self._children,
            "table": self._table,
            "ul": self._list,
            "ol": self._list,
            "a": self._link,
            "img": self._image,
            "br": self._break,
            "hr": self._rule,
            "footnoteref": self._note_mark,
            "footnotes": self._footnotes,
            **{f"h{level}": self._heading for level in range(1, 7)},
        }

    def __call__(self, root: Element) -> str:
        """Return the HTML of the tree under ``root``."""
        self._resolver.anchors.update(self._parser.labels)
        for element in root.iter("a"):
            self._resolver.anchors.update(filter(None, (element.get("name"), element.get("id"))))
        self._children(root)
        return "".join(self._parts)

    # Pieces

    def _write(self, element: Element) -> None:
        writer = self._writers.get(element.tag)
        if writer is not None:
            writer(element)
        elif element.tag in _SAME or element.tag in _RENAMED:
            tag = _RENAMED.get(element.tag, element.tag)
            self._parts.append(f"<{tag}>")
            self._children(element)
            self._parts.append(f"</{tag}>")
        elif element.tag in {"dl", "dt", "dd", "li", "td", "th", "tr", "thead", "tbody", "tfoot"}:
            self._block(element, element.tag)
        else:  # a group without looks
            self._children(element)

    def _children(self, element: Element) -> None:
        if element.text:
            self._text(element.text)
        for child in element:
            self._write(child)
            if child.tail:
                self._text(child.tail)

    def _text(self, text: str) -> None:
        if not text.isspace():
            self._write_anchors()
        self._parts.append(_escaped(text))

    def _write_anchors(self) -> None:
        """Write the anchors that wait for a block's first content; inside a link they would split it."""
        if (self._line or self._labels) and not self._is_in_link:
            self._parts.append(self._taken_anchors())

    def _taken_anchors(self) -> str:
        """Return the waiting anchors; they wait no longer."""
        if self._is_in_link:
            return ""
        names = self._labels[: max(0, self._anchors_left)]
        if self._line:
            names.append(f"line-{self._line}")
            self._next_line = int(self._line) + self._line_step
        self._anchors_left -= len(self._labels)
        self._line = ""
        self._labels = []
        return "".join(f'<a name="{_attribute(name)}"></a>' for name in names)

    def _mark(self, element: Element) -> None:
        """Remember the anchors of a block for the text that comes first in it."""
        line = element.get("line", "")
        if line and int(line) >= self._next_line:
            self._line = line
        self._labels += element.get("labels", "").split()

    def _block(self, element: Element, tag: str, attributes: str = "") -> None:
        self._mark(element)
        self._parts.append(f"<{tag}{attributes}>")
        self._children(element)
        self._parts.append(f"</{tag}>")

    def _paragraph(self, element: Element) -> None:
        self._block(element, "p")

    def _break(self, element: Element) -> None:
        del element
        self._parts.append("<br>")

    def _rule(self, element: Element) -> None:
        del element
        self._parts.append("<hr>")

    def _heading(self, element: Element) -> None:
        line = int(element.get("line", "0"))
        source = element.get("source")
        known = self._anchors.get(line) if source is not None else None
        anchor, title = known or self._anchor_for(
            source if source is not None else "".join(element.itertext())
        )
        self.outline.append(OutlineItem(int(element.tag[1]), title, anchor, line))
        self._labels.append(anchor)
        if self._anchors_left > 0:
            self._next_line = 0  # the line shares the heading's anchor
        self._block(element, element.tag)

    # Frames

    def _frame(self, name: str, write_inside: Callable[[], None], *, tag: str = "") -> None:
        """Write a one-cell table, or only its content where frames lie too deep inside each other."""
        if self._frames >= self._max_frames:
            write_inside()
            return
        self._frames += 1
        self._parts.append(f'<table class="{tag or name}" width="100%"><tbody><tr><td class="{name}">')
        write_inside()
        self._parts.append("</td></tr></tbody></table>")
        self._frames -= 1

    def _code(self, element: Element) -> None:
        number = element.get("block")
        line = int(element.get("line") or "0")
        if number is not None:
            block = self._parser.code_blocks[int(number)]
        else:  # from raw HTML
            text = "".join(element.itertext()).strip("\n")
            is_source = element.get("language") is not None
            block = CodeBlock(text if is_source else unescape(text), element.get("language", ""), line)
        self.shown_code.append(block)
        self._mark(element)
        anchors = self._taken_anchors()
        html = self._highlighter.html_of(block.text, block.language)
        diagram = "code diagram" if beyond.is_diagram(block.language) else "code"
        # An HTML parser drops a line end that follows <pre> at once; the anchor before it keeps it
        body = f'<pre class="code">{anchors}{html}</pre>'
        self._parts.append(
            f'<table class="{diagram}" width="100%"><tbody><tr><td class="code">{body}'
            "</td></tr></tbody></table>"
        )

    def _quote(self, element: Element) -> None:
        self._mark(element)
        self._frame("quote", lambda: self._children(element))

    def _callout(self, element: Element) -> None:
        self._mark(element)
        self._frame(f"callout {element.get('kind', 'note')}", lambda: self._children(element))

    def _callout_title(self, element: Element) -> None:
        self._parts.append('<p class="callout-title">')
        self._children(element)
        self._parts.append("</p>")

    def _details(self, element: Element) -> None:
        summary = next((child for child in element if child.tag == "summary"), None)
        self._mark(element)

        def inside() -> None:
            self._parts.append('<p class="summary">')
            if summary is not None:
                self._children(summary)
                element.remove(summary)
            else:
                self._text("Details")
            self._parts.append("</p>")
            self._children(element)

        self._frame("details", inside)

    def _table(self, element: Element) -> None:
        self._mark(element)
        self._cells -= sum(1 for part in element.iter() if part.tag in {"td", "th"})
        if self._frames >= self._max_frames or self._cells < 0:
            self._table_as_text(element)
            return
        self._frames += 1
        self._parts.append('<table class="grid" width="100%">')
        for child in element:
            self._table_part(child)
        self._parts.append("</table>")
        self._frames -= 1

    def _table_as_text(self, element: Element) -> None:
        """Write one line a row, for a table that lies too deep or has too many cells."""
        self._parts.append("<p>")
        for row in element.iter("tr"):
            for number, cell in enumerate(row):
                self._parts.append(" | " if number else "")
                self._children(cell)
            self._parts.append("<br>")
        self._parts.append("</p>")

    def _table_part(self, element: Element) -> None:
        if element.tag in {"thead", "tbody", "tfoot", "tr"}:
            self._mark(element)
            tag = element.tag
            self._parts.append(f"<{tag}>")
            for child in element:
                self._table_part(child)
            self._parts.append(f"</{tag}>")
        elif element.tag in {"td", "th"}:
            align = element.get("align") or ("left" if element.tag == "th" else "")
            attributes = f' align="{align}"' if align in _ALIGNMENTS else ""
            self._parts.append(f"<{element.tag}{attributes}{self._spans(element)}>")
            self._children(element)
            self._parts.append(f"</{element.tag}>")
        else:
            self._write(element)

    def _spans(self, element: Element) -> str:
        """Return the attributes of a cell that spans others, as long as the page may have so many."""
        spans = {name: element.get(name, "") for name in ("colspan", "rowspan")}
        sizes = {name: int(size) for name, size in spans.items() if _SPAN.fullmatch(size)}
        covered = math.prod(sizes.values()) if sizes else 0
        if not 1 < covered <= self._spanned_cells:
            return ""
        self._spanned_cells -= covered
        return "".join(f' {name}="{size}"' for name, size in sizes.items())

    # Lists

    def _list(self, element: Element) -> None:
        tag = element.tag
        start = element.get("start", "1")
        number = int(start) if start.isdigit() else 1
        self._mark(element)
        self._parts.append(f"<{tag}>" if number == 1 else f'<{tag} start="{number}">')
        for count, child in enumerate(element):
            if count and count % MAX_ITEMS == 0:
                self._parts.append(
                    f'</{tag}><ol start="{number + count}">' if tag == "ol" else f"</{tag}><{tag}>"
                )
            if child.tag == "li":
                self._item(child)
            else:
                self._write(child)
        self._parts.append(f"</{tag}>")

    def _item(self, element: Element) -> None:
        self._mark(element)
        holder = element if (element.text or "").strip() or not len(element) else element[0]
        found = _TASK.match(holder.text or "") if holder.tag in {"li", "p"} else None
        if not found:
            self._parts.append("<li>")
            self._children(element)
            self._parts.append("</li>")
            return
        icon = "icon:square" if found[1] == " " else "icon:square-check"
        holder.text = (holder.text or "")[found.end() :]
        image = f'{self._taken_anchors()}<img src="{icon}" width="16" height="16"> '
        self._parts.append('<li class="task">')
        if holder is element:
            self._parts.append(image)
            self._children(element)
        else:
            self._parts.append(f"<p>{image}")
            self._children(holder)
            self._parts.append("</p>")
            for child in list(element)[1:]:
                self._write(child)
        self._parts.append("</li>")

    # Links, images, footnotes

    def _link(self, element: Element) -> None:
        self._write_anchors()
        for name in (element.get("name"), element.get("id")):
            if name and not self._is_in_link:
                self._parts.append(f'<a name="{_attribute(name)}"></a>')
        href = element.get("href")
        if href is None or self._is_in_link or href.startswith("#tab/"):
            self._children(element)
            return
        target = self._resolver.link(href)
        self._is_in_link = True
        if target.href:
            self._parts.append(f'<a href="{_attribute(target.href)}" title="{_attribute(target.shown)}">')
            self._children(element)
            self._parts.append("</a>")
        else:
            name = "link-broken" if target.kind is LinkKind.BROKEN else "link-out"
            self._parts.append(f'<span class="{name}" title="{_attribute(target.shown)}">')
            self._children(element)
            self._parts.append("</span>")
        self._is_in_link = False

    def _image(self, element: Element) -> None:
        source, alt = element.get("src", ""), element.get("alt", "")
        address = self._resolver.image(source)
        self._write_anchors()
        if address and self._images:
            self._images -= 1
            title = element.get("title") or source
            self._parts.append(
                f'<img src="{_attribute(address)}" alt="{_attribute(alt)}" title="{_attribute(title)}">'
            )
        else:
            shown = _escaped(alt or source.rpartition("/")[2][:80])
            self._parts.append(
                f'<span class="image-out" title="{_attribute(source[:2000])}">[image: {shown}]</span>'
            )

    def _note_mark(self, element: Element) -> None:
        self._write_anchors()
        label = element.get("label", "")
        is_first = label not in self._notes
        number = self._notes.setdefault(label, len(self._notes) + 1)
        back = ""
        if is_first and self._anchors_left > 0:
            self._anchors_left -= 1
            back = f'<a name="fnref-{number}"></a>'
        self._parts.append(f'{back}<sup><a href="#fn-{number}" title="#fn-{number}">{number}</a></sup>')

    def _footnotes(self, element: Element) -> None:
        """Write the notes in the order of their first reference, then those that nothing refers to."""
        notes = {note.get("label", ""): note for note in element}
        for label in notes:
            self._notes.setdefault(label, len(self._notes) + 1)
        self._parts.append("<hr><ol>")
        for label, number in sorted(self._notes.items(), key=lambda pair: pair[1]):
            note = notes[label]
            if number > 1 and number % MAX_ITEMS == 1:
                self._parts.append(f'</ol><ol start="{number}">')
            self._mark(note)
            self._labels.append(f"fn-{number}")
            self._parts.append("<li>")
            self._children(note)
            back = f' <a href="#fnref-{number}" title="#fnref-{number}">↩</a>'
            if self._parts[-1] == "</p>":
                self._parts[-1] = f"{back}</p>"
            else:
                self._parts.append(back)
            self._parts.append("</li>")
        self._parts.append("</ol>")
