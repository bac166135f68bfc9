"""The small part of HTML that authors may write: tags of the dialect become elements, the rest stays text.

CommonMark hands HTML blocks through as they are; here they are read into elements, so that what comes out is
well formed whatever the author wrote, and Markdown between ``<details>`` and ``</details>`` lands inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element, SubElement

from markdown.util import AtomicString

#: Elements that are kept, and the attributes that are read.
_KEPT: Mapping[str, tuple[str, ...]] = {
    "a": ("href", "name", "id"),
    "img": ("src", "alt", "title"),
    "td": ("align", "colspan", "rowspan"),
    "th": ("align", "colspan", "rowspan"),
    "ol": ("start",),
    **dict.fromkeys(
        [
            "b",
            "strong",
            "i",
            "em",
            "u",
            "s",
            "del",
            "strike",
            "code",
            "kbd",
            "sub",
            "sup",
            "small",
            "br",
            "hr",
            "p",
            "pre",
            "ul",
            "li",
            "dl",
            "dt",
            "dd",
            "table",
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "blockquote",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "details",
            "summary",
        ],
        (),
    ),
}
_VOID = frozenset({"br", "hr", "img", "wbr"})

INLINE_TAGS = frozenset(
    [
        "a",
        "img",
        "b",
        "strong",
        "i",
        "em",
        "u",
        "s",
        "del",
        "strike",
        "code",
        "kbd",
        "sub",
        "sup",
        "small",
        "br",
    ]
)

#: Elements that hold blocks; text right inside them gets a paragraph.
_FLOWS = frozenset({"details", "blockquote"})

#: Elements whose tags say nothing a reader needs: the content stays.
_TRANSPARENT = frozenset(
    [
        "div",
        "span",
        "font",
        "center",
        "big",
        "ins",
        "mark",
        "abbr",
        "dfn",
        "time",
        "var",
        "samp",
        "tt",
        "q",
        "cite",
        "nobr",
        "wbr",
        "section",
        "article",
        "aside",
        "header",
        "footer",
        "main",
        "nav",
        "figure",
        "figcaption",
        "picture",
        "colgroup",
        "col",
        "caption",
        "body",
        "html",
        "address",
        "label",
    ]
)

#: Elements that are code or data for a browser; they are shown as code, never run.
_CODE = frozenset({"script", "style", "iframe", "object", "embed", "form", "svg", "math", "video", "audio"})

#: Tags inside each other; deeper ones are dropped and their text stays.
_MAX_OPEN = 12
_MAX_TABLES = 2

TAG = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[^\s\"'<>=/]+(?:\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=`]+))?)*)\s*(/?)>"
)
_MARKUP = r"<\?.{0,2000}?\?>|<!\[CDATA\[|\]\]>|<![A-Za-z][^<>]*>|" + TAG.pattern
_TOKEN = re.compile(_MARKUP, re.DOTALL)
_TOKEN_OR_COMMENT = re.compile(r"<!--.*?-->|" + _MARKUP, re.DOTALL)
_ATTRIBUTE = re.compile(r"([^\s\"'<>=/]+)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=`]+)))?")


def attributes_of(text: str) -> dict[str, str]:
    """Return the attributes of a tag, names in lower case; the first of equal names counts."""
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        found.setdefault(name.lower(), double or single or bare)
    return found


def element_of(name: str, attributes: str) -> Element | None:
    """Return a new element for an opening tag of the dialect; None for any other tag."""
    name = name.lower()
    names = _KEPT.get(name)
    if names is None:
        return None
    element = Element(name)
    if names and attributes:
        given = attributes_of(attributes)
        for attribute in names:
            if given.get(attribute):
                element.set(attribute, given[attribute])
    return element


def is_transparent(name: str) -> bool:
    """Tell whether the tags of an element may vanish while its content stays."""
    return name.lower() in _TRANSPARENT


class _Builder:
    """Put the children of one element under the tags among them."""

    def __init__(self, parent: Element, tags: frozenset[tuple[bool, str]]) -> None:
        self._open = [parent]
        self._tags = tags
        self._implied: Element | None = None  # paragraph for text that stands between blocks

    def append(self, child: Element) -> None:
        """Add an element that Markdown made."""
        self._implied = None
        self._open[-1].append(child)

    def _inline_parent(self, line: str) -> Element:
        """Return the element for text and inline tags: between blocks, a paragraph of its own."""
        parent = self._open[-1]
        if len(self._open) > 1 and parent.tag not in _FLOWS:
            return parent
        if self._implied is None:
            self._implied = SubElement(parent, "p", {"line": line})
        return self._implied

    def add_text(self, text: str, line: str) -> None:
        """Add text as it stands."""
        if not text or (text.isspace() and (self._implied is None or "\n" in text)):
            return
        parent = self._inline_parent(line)
        if len(parent):
            parent[-1].tail = AtomicString((parent[-1].tail or "") + text)
        else:
            parent.text = AtomicString((parent.text or "") + text)

    def add_html(self, text: str, line: str) -> None:
        """Add the tags and texts of an HTML block."""
        self._implied = None
        # A comment that is never closed is text; so none is looked for behind the last end of one
        last_end = text.rfind("-->") + 3 if "-->" in text else 0
        self._add_tokens(text[:last_end], _TOKEN_OR_COMMENT, line)
        self._add_tokens(text[last_end:], _TOKEN, line)

    def _add_tokens(self, text: str, tokens: re.Pattern[str], line: str) -> None:
        position = 0
        for found in tokens.finditer(text):
            self.add_text(text[position : found.start()], line)
            position = found.end()
            if found[2]:
                self._add_tag(found, line)
        self.add_text(text[position:], line)

    def _add_tag(self, found: re.Match[str], line: str) -> None:
        name = found[2].lower()
        if found[1]:
            self._end(name, found[0], line)
            return
        element = element_of(name, found[3])
        if element is None:
            if not (is_transparent(name) or (found[3] and (True, name) in self._tags)):
                self.add_text(found[0], line)
            return
        is_nested_table = name == "table" and sum(one.tag == "table" for one in self._open) >= _MAX_TABLES
        if len(self._open) > _MAX_OPEN or is_nested_table:
            return
        element.set("line", line)
        if name in INLINE_TAGS:
            self._inline_parent(line).append(element)
        else:
            self._implied = None
            self._open[-1].append(element)
        if name not in _VOID:
            self._open.append(element)

    def _end(self, name: str, source: str, line: str) -> None:
        for index in range(len(self._open) - 1, 0, -1):
            if self._open[index].tag == name:
                del self._open[index:]
                if name not in INLINE_TAGS:
                    self._implied = None
                return
        if name not in _KEPT and not is_transparent(name) and (False, name) not in self._tags:
            self.add_text(source, line)


def _as_code(text: str) -> bool:
    """Tell whether an HTML block is a program, a style sheet or an embedded page."""
    found = TAG.match(text.lstrip())
    return found is not None and found[2].lower() in _CODE


def build_raw_html(root: Element) -> None:
    """Replace every ``html`` element in the tree by the elements that its text stands for."""
    for parent in [element for element in root.iter() if any(child.tag == "html" for child in element)]:
        children = list(parent)
        for child in children:
            parent.remove(child)
        builder = _Builder(parent, _tags_in(children))
        for child in children:
            text = child.text or ""
            if child.tag != "html":
                builder.append(child)
            elif _as_code(text):
                code = Element("pre", {"line": child.get("line", ""), "language": "html"})
                code.text = AtomicString(text)
                builder.append(code)
            else:
                builder.add_html(text, child.get("line", ""))


def _tags_in(children: Iterable[Element]) -> frozenset[tuple[bool, str]]:
    """Return the tags in the HTML blocks among ``children``: whether it ends an element, and its name."""
    return frozenset(
        (bool(end), name.lower())
        for child in children
        if child.tag == "html"
        for end, name, _, _ in TAG.findall(child.text or "")
    )
