"""Inline syntax for python-markdown: escapes, breaks, bare links, strikethrough, safe tags, roles.

python-markdown's own patterns for code, links, images and emphasis stay as they are.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import (
    BACKTICK_RE,
    BacktickInlineProcessor,
    ImageInlineProcessor,
    ImageReferenceInlineProcessor,
    InlineProcessor,
    LinkInlineProcessor,
    ReferenceInlineProcessor,
    ShortImageReferenceInlineProcessor,
    ShortReferenceInlineProcessor,
    SubstituteTagInlineProcessor,
)
from markdown.treeprocessors import InlineProcessor as TreeInlineProcessor
from markdown.util import AtomicString, code_escape

from kb_app.rendering.limits import MAX_LINK_TARGET, MAX_LINK_TEXT, InlineBudget
from kb_app.rendering.raw_html import INLINE_TAGS, TAG, element_of, is_transparent

_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

_COMMENT = r"<!--.{0,2000}?-->"
_SITE_TAG = r"\{\{[<%].{0,600}?[%>]\}\}|\{%.{0,600}?%\}|<%.{0,600}?%>"
_ROLE = r"\{([A-Za-z][\w:+-]*)\}(`{1,3})(?!`)(.{1,500}?)(?<!`)\2(?!`)"
_FOOTNOTE = r"\[\^([^\]\s]{1,80})\]"
_INCLUDE = r"\[!(?:INCLUDE|VIDEO|CODE)[\w-]*[ \t]*(?:\[([^\[\]]{0,300})\]\(([^()\s]{1,500})\)|(https://[^\s\]]{1,500}))\]"
_MAIL = r"<((?:mailto:)?[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253})>"
_BARE_LINK = r"(?<![\w/@.:-])(?:https?://|www\.)[^\s<>\x02\x03]{2,2000}"
_BREAK = r"(?<!\\)\\\n"

_TICKS = re.compile(r"`+")
_BRACKET = re.compile(r"[\[\]]")
#: kramdown's attributes right behind a link, an image or code; their place is taken by a mark that ends so
_ATTRIBUTES = r"(?<=\x03)\{:?[ \t]*(?:[#.][\w-]+|[\w-]+=)[^{}\n]{0,200}\}"
_LINE_TAGS = frozenset({"p", "ul", "ol", "li"})
_PARAGRAPH = re.compile(r"\s*</?p>", re.IGNORECASE)
_ONE_MARK = re.compile(r"\x02[^\x02\x03]*\x03\s*")
_TRAILING = "?!.,:*_~'\"\\"
_CAPTION = re.compile(r"\b(?:caption|title)\s*=\s*[\"“]([^\"”]*)[\"”]")
_REFERENCE = re.compile(r"\{\{[<%]\s*(?:rel)?ref\s+\"?([^\"\s]+)\"?\s*[%>]\}\}|\{%\s*link\s+(\S+)\s*%\}")
_TITLE_TEMPLATE = re.compile(r"<%=\s*current_page\.data\.title\s*%>")
_ROLE_TARGET = re.compile(r"\s*<[^<>]*>$")
_TEXT_ROLES = frozenset(
    {"ref", "doc", "term", "numref", "any", "abbr", "guilabel", "menuselection", "sub", "sup"}
)

_Match = tuple[Element | str | None, int | None, int | None]


def _budget_of(md: Markdown) -> InlineBudget:
    """Return the budget of the page that is being parsed."""
    budget = getattr(md.parser, "budget", None)
    assert isinstance(budget, InlineBudget)
    return budget


class _CodeSpan(BacktickInlineProcessor):
    """`` `code` ``, closed by a run of as many backticks as it was opened with. Source: CommonMark 6.1."""

    def __init__(self, md: Markdown) -> None:
        super().__init__(BACKTICK_RE)
        self.md = md

    def find_code_spans(self, start: int, data: str) -> tuple[int, int | None]:  # type: ignore[override]
        """Return where the code starts and ends; the end is None where nothing closes it."""
        opening = _TICKS.match(data, start)
        assert opening is not None
        budget = _budget_of(self.md)
        steps = 0
        for found in _TICKS.finditer(data, opening.end()):
            steps += 1
            if len(found[0]) == len(opening[0]):
                return opening.end(), found.start()
            if steps > 100 and not budget.may_scan():
                break
        budget.scanned(2 * steps)
        return opening.end(), None


class _Metered(LinkInlineProcessor):
    """A pattern with brackets whose scans are bounded, and counted in the page's budget."""

    def getText(self, data: str, index: int) -> tuple[str, int, bool]:  # noqa: N802
        """Return the text up to the matching bracket, the index after it, and whether there is one."""
        budget = _budget_of(self.md)
        if not budget.may_scan():
            return "", index, False
        depth, steps = 1, 0
        for found in _BRACKET.finditer(data, index, index + MAX_LINK_TEXT):
            steps += 8
            depth += 1 if found[0] == "[" else -1
            if depth == 0:
                budget.scanned(steps)
                return data[index : found.start()], found.end(), True
        budget.scanned(steps + 8)
        return "", index, False

    def getLink(self, data: str, index: int) -> tuple[str, str | None, int, bool]:  # noqa: N802
        """Return address, title, the index after them, and whether there is a link at ``index``."""
        budget = _budget_of(self.md)
        if not data.startswith("(", index) or not budget.may_scan():
            return "", None, index, False
        link = super().getLink(data[: index + MAX_LINK_TARGET], index)
        budget.scanned(link[2] - index if link[3] else MAX_LINK_TARGET)
        return link


class _Link(_Metered):
    """``[text](address "title")``."""


class _Image(_Metered, ImageInlineProcessor):
    """``![text](address "title")``."""


class _Reference(_Metered, ReferenceInlineProcessor):
    """``[text][label]``."""


class _ShortReference(_Metered, ShortReferenceInlineProcessor):
    """``[label]``."""


class _ImageReference(_Metered, ImageReferenceInlineProcessor):
    """``![text][label]``."""


class _ShortImageReference(_Metered, ShortImageReferenceInlineProcessor):
    """``![label]``."""


class _Tag(InlineProcessor):
    """HTML that may stand in a line, as in the cells of a table.

    Pairs of safe tags become elements, paragraphs and items line breaks; tags without meaning vanish.
    Anything else, such as the placeholder ``<pod-name>``, is left alone and so shown as text.
    """

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        name = m[2].lower()
        if name in _LINE_TAGS:
            return self._line_break(name, m, data), m.start(), m.end()
        if m[1]:
            return None, m.start(), m.end()
        element = element_of(name, m[3])
        if element is not None and name in {"br", "img"}:
            return element, m.start(), m.end()
        end = data.find(f"</{m[2]}>", m.end(), m.end() + MAX_LINK_TEXT)
        if end < 0 or (element is None and not is_transparent(name)):
            return "" if name == "wbr" else None, m.start(), m.end()
        if element is None:
            element = Element("span")
        elif name not in INLINE_TAGS:
            return None, m.start(), m.end()
        inner = data[m.end() : end]
        element.text = AtomicString(code_escape(inner)) if name == "code" else inner
        return element, m.start(), end + len(m[2]) + 3

    @staticmethod
    def _line_break(name: str, m: re.Match[str], data: str) -> Element | str:
        """Return what a paragraph or a list inside a line comes to."""
        is_first = m.start() == 0 or _ONE_MARK.fullmatch(data, 0, m.start()) is not None
        if m[1] or name in {"ul", "ol"} or (name == "p" and (is_first or _PARAGRAPH.match(data, m.end()))):
            return ""
        if name == "p":
            return Element("br")
        item = Element("group")
        bullet = item if is_first else SubElement(item, "br")
        if bullet is item:
            item.text = AtomicString("• ")
        else:
            bullet.tail = AtomicString("• ")
        return item


class _Dropped(InlineProcessor):
    """A comment, which is not for readers."""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        del data
        return "", m.start(), m.end()


class _SiteTag(InlineProcessor):
    """A generator's tag: a reference gives its target, a figure its caption, the page title the title."""

    title = ""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        del data
        reference = _REFERENCE.fullmatch(m[0])
        if reference:
            return reference[1] or reference[2], m.start(), m.end()
        if _TITLE_TEMPLATE.fullmatch(m[0]):
            return self.title, m.start(), m.end()
        caption = _CAPTION.search(m[0])
        return caption[1] if caption else "", m.start(), m.end()


class _Role(InlineProcessor):
    """A MyST role: ``{ref}`text <target>``` gives its text, an unknown one code."""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        del data
        text = _ROLE_TARGET.sub("", m[3]).strip() or m[3].strip("<> ")
        is_text = m[1] in _TEXT_ROLES
        element = Element(m[1] if m[1] in {"sub", "sup"} else "span" if is_text else "code")
        element.text = AtomicString(code_escape(text if is_text else m[3]))
        return element, m.start(), m.end()


class _Footnote(InlineProcessor):
    """A reference to a footnote of the page."""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        del data
        if m[1] not in getattr(self.md.parser, "footnotes", {}):
            return None, m.start(), m.end()
        return Element("footnoteref", {"label": m[1]}), m.start(), m.end()


class _Include(InlineProcessor):
    """A DocFX include or video: a link to what is included."""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        del data
        element = Element("a", {"href": m[2] or m[3]})
        element.text = AtomicString(m[1] or m[2] or m[3])
        return element, m.start(), m.end()


class _Mail(InlineProcessor):
    """``<someone@example.org>``."""

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        del data
        address = m[1].removeprefix("mailto:")
        element = Element("a", {"href": "mailto:" + address})
        element.text = AtomicString(address)
        return element, m.start(), m.end()


class _BareLink(InlineProcessor):
    """An address in the text, without the punctuation that ends the sentence. Source: GFM 6.9."""

    ANCESTOR_EXCLUDES = ("a",)

    def handleMatch(self, m: re.Match[str], data: str) -> _Match:  # type: ignore[override]  # noqa: N802
        del data
        text = m[0].rstrip(_TRAILING)
        while text.endswith(")") and text.count(")") > text.count("("):
            text = text[:-1].rstrip(_TRAILING)
        if len(text.partition("://")[2] or text) < 4:
            return None, m.start(), m.end()
        element = Element("a", {"href": text if "://" in text else "https://" + text})
        element.text = AtomicString(text)
        return element, m.start(), m.start() + len(text)


#: What a text must hold for a pattern to have a chance; patterns that are not named here always run.
_TRIGGERS: dict[str, tuple[str, ...]] = {
    "role": ("{",),
    "backtick": ("`",),
    "site_tag": ("}}", "%}", "%>"),
    "hard_break": ("\\\n",),
    "escape": ("\\",),
    "comment": ("-->",),
    "include": ("[!",),
    "footnote": ("[^",),
    "reference": ("[",),
    "link": ("[",),
    "image_link": ("![",),
    "image_reference": ("![",),
    "short_reference": ("[",),
    "short_image_ref": ("![",),
    "autolink": ("<",),
    "mail": ("<",),
    "linebreak": ("  \n",),
    "tag": ("<",),
    "attributes": ("\x03{",),
    "bare_link": ("://", "www."),
    "em_strong": ("*", "_", "~"),
}
_REFERENCES = frozenset({"reference", "image_reference", "short_reference", "short_image_ref"})


class _QuickInlineProcessor(TreeInlineProcessor):
    """python-markdown's inline pass, which asks of each pattern first whether the text holds its characters.

    Decision: most texts hold no mark at all, and the original runs all patterns over each; this alone makes a
    page three times as fast. The overridden method is private upstream; the version is pinned, and the tests
    inline syntax would fail if it vanished.
    """

    def __init__(self, md: Markdown) -> None:
        super().__init__(md)
        self._triggers: list[tuple[str, ...]] = []

    def run(self, tree: Element, ancestors: list[str] | None = None) -> Element:
        """Apply the patterns to every text under ``tree``."""
        impossible = ("\x02\x03",)
        patterns = self.md.inlinePatterns
        triggers = {
            patterns[name]: impossible if name in _REFERENCES and not self.md.references else needed
            for name, needed in _TRIGGERS.items()
        }
        self._triggers = [triggers.get(pattern, ("",)) for pattern in patterns]
        return super().run(tree, ancestors)

    def _InlineProcessor__handleInline(self, data: str, patternIndex: int = 0) -> str:  # noqa: N802, N803
        if isinstance(data, AtomicString):
            return data
        index, start = patternIndex, 0
        while index < len(self._triggers):
            if not start and not any(trigger in data for trigger in self._triggers[index]):
                index += 1
                continue
            data, has_matched, start = self._InlineProcessor__applyPattern(  # type: ignore[attr-defined]
                self.inlinePatterns[index], data, index, start
            )
            index += not has_matched
        return data


class InlineSyntax(Extension):
    """Register the patterns of this module."""

    def __init__(self) -> None:
        super().__init__()
        self._site_tag: _SiteTag | None = None

    def set_title(self, title: str) -> None:
        """Set what ``<%= current_page.data.title %>`` stands for."""
        assert self._site_tag is not None
        self._site_tag.title = title

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Put the patterns in their places among python-markdown's own (backtick 190 … em_strong 60)."""
        md.ESCAPED_CHARS = list(_PUNCTUATION)
        for name in ("html", "entity", "automail"):
            md.inlinePatterns.deregister(name)
        self._site_tag = _SiteTag(_SITE_TAG, md)
        patterns = md.inlinePatterns
        patterns.register(_CodeSpan(md), "backtick", 190)
        patterns.register(_Reference(r"(?<!!)\[", md), "reference", 170)
        patterns.register(_Link(r"(?<!!)\[", md), "link", 160)
        patterns.register(_Image(r"!\[", md), "image_link", 150)
        patterns.register(_ImageReference(r"!\[", md), "image_reference", 140)
        patterns.register(_ShortReference(r"(?<!!)\[", md), "short_reference", 130)
        patterns.register(_ShortImageReference(r"!\[", md), "short_image_ref", 125)
        patterns.register(_Role(_ROLE, md), "role", 195)
        patterns.register(self._site_tag, "site_tag", 187)
        patterns.register(SubstituteTagInlineProcessor(_BREAK, "br"), "hard_break", 186)
        patterns.register(_Dropped(_COMMENT, md), "comment", 178)
        patterns.register(_Include(_INCLUDE, md), "include", 176)
        patterns.register(_Footnote(_FOOTNOTE, md), "footnote", 175)
        patterns.register(_Mail(_MAIL, md), "mail", 110)
        patterns.register(_Tag(TAG.pattern, md), "tag", 90)
        patterns.register(_Dropped(_ATTRIBUTES, md), "attributes", 88)
        patterns.register(_BareLink(_BARE_LINK, md), "bare_link", 85)
        md.treeprocessors.register(_QuickInlineProcessor(md), "inline", 20)
        assert md.delimiters is not None
        md.delimiters.add("~", "s", double=True)
