"""CommonMark's block structure for python-markdown, in one linear pass, with line numbers and caps.

Replaces python-markdown's block parser: it tracks containers (block quotes, list items, …) and the open leaf
(paragraph, fence, indented code, HTML, table) line by line as the CommonMark specification describes, and
builds the element tree directly. Inline patterns, tree processors and postprocessors of python-markdown stay.

Decision: python-markdown's own blocks break fences and lists that are indented by two or three spaces, which
almost half of real runbook pages have. Its block processors split at blank lines and cannot be repaired from
outside, so the whole pass is replaced. Source of the rules: CommonMark 0.31.2, sections 4 and 5; GitHub
Flavored Markdown, section 4.10 (tables). The numbers in brackets below are sections of the former.

The tree holds HTML's element names and these of its own, which `kb_app.rendering.dialect` turns into the
reader's HTML: ``callout`` (attribute ``kind``, first child ``title``), ``html`` (raw lines as text) and
``group`` (no looks). Every block carries its 1-based line in the attribute ``line``; a ``pre`` carries the
number of its code block in ``block``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from xml.etree.ElementTree import Element, ElementTree, SubElement

from markdown import Markdown
from markdown.blockparser import BlockParser
from markdown.extensions import Extension
from markdown.util import AtomicString

from kb_app.errors import LimitReached
from kb_app.rendering import beyond_commonmark as beyond
from kb_app.rendering.limits import MAX_BLOCKS, MAX_CELLS, MAX_COLUMNS, MAX_DEPTH, InlineBudget
from kb_app.rendering.model import CodeBlock

_BLANKS = " \t"

_ITEM = re.compile(r"(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_HEADING = re.compile(r"(#{1,6})(?=[ \t]|$)(.*)$")
_HEADING_TAIL = re.compile(r"(?:^|[ \t]+)#+$")
_UNDERLINE = re.compile(r"(?:=+|-+)$")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_DELIMITER_ROW = re.compile(r"(?!-(?:[ \t]|$))\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?$")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_REFERENCE = re.compile(
    r"""[ \t]*\[(?P<label>(?:[^\[\]\\]|\\.){1,999})\]:[ \t]*\n?[ \t]*
        (?:<(?P<quoted>(?:[^<>\n\\]|\\.)*)>|(?P<bare>[^\s<]\S*))
        (?:(?:[ \t]*\n[ \t]*|[ \t]+)(?P<title>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?
        [ \t]*(?:\n|$)""",
    re.VERBOSE | re.DOTALL,
)
_ROUND_BRACKET = re.compile(r"(?<!\\)[()]")
_SPACES = re.compile(r"\s+")

_BLOCK_TAGS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|"
    "dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h1|h2|h3|h4|h5|h6|head|header|hr|html|iframe|"
    "legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|"
    "tbody|td|tfoot|th|thead|title|tr|track|ul"
)
#: Start and end of the HTML blocks 1 to 6 [4.6]; None ends at a blank line. Decision: block 7, any complete
#: tag alone on a line, is left out: in runbooks ``<pod-name>`` is a placeholder and must stay visible.
_HTML_BLOCKS: tuple[tuple[re.Pattern[str], re.Pattern[str] | None], ...] = (
    (
        re.compile(r"<(?:script|pre|style|textarea)(?=\s|>|$)", re.IGNORECASE),
        re.compile(r"</(?:script|pre|style|textarea)>", re.IGNORECASE),
    ),
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<\?"), re.compile(r"\?>")),
    (re.compile(r"<![A-Za-z]"), re.compile(r">")),
    (re.compile(r"<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(rf"</?(?:{_BLOCK_TAGS})(?=\s|/?>|$)", re.IGNORECASE), None),
)


def _width(text: str, column: int) -> int:
    """Return the columns of the leading blanks of ``text`` starting at ``column``; tabs stop at fours."""
    start = column
    for character in text:
        if character == " ":
            column += 1
        elif character == "\t":
            column += 4 - column % 4
        else:
            break
    return column - start


def _without_columns(text: str, column: int, count: int) -> tuple[str, int]:
    """Remove up to ``count`` columns of leading blanks; return what is left and the column it starts at."""
    end, position = column + count, 0
    while column < end and position < len(text) and text[position] in _BLANKS:
        step = 1 if text[position] == " " else 4 - column % 4
        if column + step > end:  # a tab that is only partly taken leaves blanks behind
            return " " * (column + step - end) + text[position + 1 :], end
        column, position = column + step, position + 1
    return text[position:], column


def split_row(row: str) -> list[str]:
    """Return the cells of a table row; a bar after a backslash is text."""
    row = row.strip().removeprefix("|")
    if row.endswith("|") and not row.endswith("\\|"):
        row = row[:-1]
    return [cell.strip().replace("\\|", "|") for cell in _CELL_BORDER.split(row)]


class _Line:
    """What is left of a line while its containers are taken off.

    Attributes:
        text: the rest of the line, leading blanks included.
        column: 0-based column at which ``text`` starts.
        indent: columns of leading blanks.
        content: ``text`` without blanks around it; empty for a blank line.
    """

    __slots__ = ("column", "content", "indent", "text")

    def __init__(self, text: str) -> None:
        self._set(text, 0)

    def _set(self, text: str, column: int) -> None:
        self.text = text
        self.column = column
        content = text.lstrip(_BLANKS)
        blanks = len(text) - len(content)
        self.indent = _width(text, column) if "\t" in text[:blanks] else blanks
        self.content = content.rstrip(_BLANKS)

    def drop(self, columns: int) -> None:
        """Take off up to ``columns`` columns of blanks."""
        if columns:
            self._set(*_without_columns(self.text, self.column, columns))

    def skip(self, characters: int) -> None:
        """Take off the leading blanks and the ``characters`` after them."""
        self._set(self.text.lstrip(_BLANKS)[characters:], self.column + self.indent + characters)

    def verbatim(self, columns: int) -> str:
        """Return the text without up to ``columns`` columns of blanks."""
        return _without_columns(self.text, self.column, columns)[0] if columns else self.text


class _Kind(Enum):
    """What a container is, and so how a line goes on with it."""

    ROOT = auto()
    QUOTE = auto()
    ITEM = auto()
    INDENTED = auto()  # callout, footnote, definition: the body is indented
    FENCED = auto()  # callout or group between two lines of colons or backticks


@dataclass(slots=True)
class _Container:
    """An open container.

    Attributes:
        kind: what it is.
        element: its place in the tree.
        indent: columns that its content is indented by.
        mark: the characters that close a fenced one.
        is_lazy: a paragraph in it may go on without its indentation.
        is_fresh: a fenced one whose body has not started.
    """

    kind: _Kind
    element: Element
    indent: int = 0
    mark: str = ""
    is_lazy: bool = True
    is_fresh: bool = False


class _LeafKind(Enum):
    """What collects lines at the moment."""

    PARAGRAPH = auto()
    FENCE = auto()
    CODE = auto()
    HTML = auto()
    TABLE = auto()


@dataclass(slots=True)
class _Leaf:
    """The open leaf.

    Attributes:
        kind: what it is.
        element: already in the tree, the last child of the innermost container.
        lines: collected so far.
        mark: characters that close a fence.
        indent: columns that the fence is indented by.
        language: of the code.
        last_line: of a fence that is never closed.
        end: what ends an HTML block; None for a blank line.
        alignments: of a table's columns.
    """

    kind: _LeafKind
    element: Element
    lines: list[str] = field(default_factory=list)
    mark: str = ""
    indent: int = 0
    language: str = ""
    last_line: int = sys.maxsize
    end: re.Pattern[str] | None = None
    alignments: tuple[str, ...] = ()


class _Step(Enum):
    """What trying to open a block at a line came to."""

    NOTHING = auto()  # it does not start this block
    CONTAINER = auto()  # a container was opened; the rest of the line lies in it
    USED = auto()  # the whole line was used
    IGNORED = auto()  # the whole line is not part of the text, as if it were not there


_Opener = Callable[[_Line, int], _Step]


class CommonMarkBlockParser(BlockParser):
    """Parse lines into the tree described in the module's docstring.

    Attributes:
        first_line: 1-based number of the first line given to `parseDocument`.
        last_line_of_fence: for fences that are never closed, where they are taken to end, both by 1-based
            line. A strict parser shows the rest of the page as code there.
        labels: anchors that the author has set.
        code_blocks: the code block of each ``pre`` in the tree, by its ``block`` number.
        footnotes: label to the detached element that holds the note, in order of definition.
        budget: what inline parsing may still cost on this page.
    """

    def __init__(self, md: Markdown, *, has_extras: bool = True) -> None:
        super().__init__(md)
        self.first_line = 1
        self.last_line_of_fence: Mapping[int, int] = {}
        self._has_extras = has_extras
        self._openers = self._table_of_openers(has_extras=has_extras)
        self._start()

    def _start(self) -> None:
        self.root: Element = Element(self.md.doc_tag)
        self.code_blocks: list[CodeBlock] = []
        self.footnotes: dict[str, Element] = {}
        self.budget = InlineBudget()
        self._stack = [_Container(_Kind.ROOT, self.root)]
        self._leaf: _Leaf | None = None
        self._marker_of: dict[Element, str] = {}  # list to the character its markers end with
        self._list_of: dict[Element, Element] = {}  # item to its list
        self._loose: set[Element] = set()
        self._blank_in: Element | None = None  # innermost block that the line before left blank
        self._number = 0
        self._lines: Sequence[str] = ()
        self._last_ends: dict[int, int] = {}
        self._blocks = 0
        self._cells = 0
        self.labels: set[str] = set()
        self._waiting_labels: list[str] = []  # for the next block
        self._contents_end = 0  # last line that ends a generated table of contents
        self._is_in_contents = False

    def _table_of_openers(self, *, has_extras: bool) -> dict[str, tuple[_Opener, ...]]:
        """Return, by a line's first character, what it may open, in order of precedence."""
        table: dict[str, tuple[_Opener, ...]] = {
            ">": (self._open_quote,),
            "#": (self._open_heading,),
            "`": (self._open_fence,),
            "~": (self._open_fence,),
            "<": (self._open_html,),
            "|": (self._open_table,),
            ":": (self._open_table,),
            "=": (self._open_underlined,),
            "-": (self._open_table, self._open_underlined, self._open_rule, self._open_item),
            "*": (self._open_rule, self._open_item),
            "+": (self._open_item,),
            "_": (self._open_rule,),
        }
        table |= dict.fromkeys("0123456789", (self._open_item,))
        if has_extras:
            table["`"] = table["~"] = (self._open_directive, self._open_fence)
            table[":"] = (self._open_directive, self._open_definition, self._open_table)
            table["<"] = (self._open_remark, self._open_html)
            table["!"] = table["?"] = (self._open_admonition,)
            table["["] = (self._open_footnote, self._open_remark)
            table["("] = table["{"] = (self._open_remark,)
        return table

    def parseDocument(self, lines: Sequence[str]) -> ElementTree[Element]:  # type: ignore[override]  # noqa: N802
        """Build the tree of a page from its lines, given without line ends.

        Raises:
            LimitReached: there are more than `MAX_BLOCKS` blocks.
        """
        self._start()
        self._lines = lines
        self._contents_end = max(
            (number for number, line in enumerate(lines, self.first_line) if beyond.CONTENTS_END in line),
            default=0,
        )
        for number, line in enumerate(lines, self.first_line):
            self._number = number
            self._blank_in = self._feed(_Line(line))
        self._close(1)
        for sequence in self._marker_of:
            if sequence not in self._loose:
                for item in sequence:
                    _tighten(item)
        return ElementTree(self.root)

    # One line

    def _feed(self, line: _Line) -> Element | None:
        """Take one line; return the innermost block quote (or the root) if it is blank there, else None."""
        if self._is_in_contents:
            self._is_in_contents = beyond.CONTENTS_END not in line.text
            return None
        depth = self._continue_containers(line)
        leaf = self._leaf
        if leaf is not None and depth == len(self._stack) and self._continue_verbatim(leaf, line):
            return self._block() if leaf.kind is _LeafKind.CODE and not line.content else None
        has_opened = False
        while line.content and line.indent < 4:
            step = self._open_block(line, depth)
            if step is _Step.USED:
                return None
            if step is _Step.IGNORED:
                return self._blank_in
            if step is _Step.NOTHING:
                break
            depth, has_opened = len(self._stack), True
        if not line.content:
            self._close(depth)
            return None if has_opened else self._block()
        self._add_text(line, depth)
        return None

    def _continue_containers(self, line: _Line) -> int:
        """Take off the marks of the open containers; return how many the line goes on with."""
        depth = 1
        for container in self._stack[1:]:
            kind = container.kind
            if kind is _Kind.QUOTE:
                if line.indent > 3 or not line.content.startswith(">"):
                    break
                line.skip(1)
                line.drop(1)
            elif not line.content:
                if kind is _Kind.ITEM and not len(container.element):
                    break  # an item may begin with at most one blank line [5.2]
                line.drop(container.indent)
            elif kind is _Kind.FENCED:
                if container.is_fresh:  # many authors indent the body as a whole, which is no code
                    container.indent = max(container.indent, line.indent)
                    container.is_fresh = False
                line.drop(container.indent)
            elif line.indent >= container.indent:
                line.drop(container.indent)
            else:
                break
            depth += 1
        return depth

    def _continue_verbatim(self, leaf: _Leaf, line: _Line) -> bool:
        """Add a line to an open leaf whose text is taken as it is; False when the line is not part of it."""
        if leaf.kind is _LeafKind.FENCE:
            if self._number > leaf.last_line:
                self._flush()
                return False
            content = line.content
            if line.indent < 4 and len(content) >= len(leaf.mark) and not content.strip(leaf.mark[0]):
                self._flush()
            else:
                leaf.lines.append(line.verbatim(leaf.indent))
            return True
        if leaf.kind is _LeafKind.CODE and (line.indent > 3 or not line.content):
            leaf.lines.append(line.verbatim(4))
            return True
        if leaf.kind is _LeafKind.HTML and (leaf.end or line.content):
            leaf.lines.append(line.text)
            if leaf.end and leaf.end.search(line.text):
                self._flush()
            return True
        return False

    def _open_block(self, line: _Line, depth: int) -> _Step:
        """Open the block that the line starts, if any."""
        for opener in self._openers.get(line.content[0], ()):
            step = opener(line, depth)
            if step is not _Step.NOTHING:
                return step
        return _Step.NOTHING

    def _add_text(self, line: _Line, depth: int) -> None:
        """Add a line that opens nothing to the open leaf or to a new paragraph or code block."""
        leaf = self._leaf
        text = line.text.lstrip(_BLANKS)
        if leaf is not None and leaf.kind is _LeafKind.PARAGRAPH:
            # also lazily, without the marks of its containers [5.1]
            if all(container.is_lazy for container in self._stack[depth:]):
                leaf.lines.append(text)
                return
        elif (
            leaf is not None
            and leaf.kind is _LeafKind.TABLE
            and depth == len(self._stack)
            and line.indent < 4
        ):
            self._add_row(leaf, line.content)
            return
        self._close(depth)
        if line.indent > 3:
            self._leaf = _Leaf(_LeafKind.CODE, self._add("pre"), [line.verbatim(4)])
        else:
            self._leaf = _Leaf(_LeafKind.PARAGRAPH, self._add("p"), [text])

    # Blocks of CommonMark and tables

    def _open_quote(self, line: _Line, depth: int) -> _Step:
        if len(self._stack) > MAX_DEPTH:
            return _Step.NOTHING
        self._close(depth)
        self._stack.append(_Container(_Kind.QUOTE, self._add("blockquote")))
        line.skip(1)
        line.drop(1)
        return _Step.CONTAINER

    def _open_heading(self, line: _Line, depth: int) -> _Step:
        found = _HEADING.match(line.content)
        if not found:
            return _Step.NOTHING
        self._close(depth)
        self._add_heading(len(found[1]), _HEADING_TAIL.sub("", found[2].strip(_BLANKS)).strip(_BLANKS))
        return _Step.USED

    def _open_underlined(self, line: _Line, depth: int) -> _Step:
        paragraph = self._paragraph(depth)
        if paragraph is None or not _UNDERLINE.match(line.content):
            return _Step.NOTHING
        text = self._without_references("\n".join(paragraph.lines)).strip()
        if not text:
            return _Step.NOTHING
        del self._stack[-1].element[-1]
        number, self._number = self._number, int(paragraph.element.get("line", "0"))
        self._leaf = None
        self._add_heading(1 if line.content[0] == "=" else 2, text)
        self._number = number
        return _Step.USED

    def _open_rule(self, line: _Line, depth: int) -> _Step:
        if not _RULE.match(line.content):
            return _Step.NOTHING
        self._close(depth)
        self._add("hr")
        return _Step.USED

    def _open_fence(self, line: _Line, depth: int) -> _Step:
        found = _FENCE.match(line.content)
        if not found:
            return _Step.NOTHING
        self._close(depth)
        self._leaf = _Leaf(
            _LeafKind.FENCE,
            self._add("pre"),
            mark=found[1] or found[3],
            indent=line.indent,
            language=beyond.language_of(found[2] or found[4] or ""),
            last_line=self.last_line_of_fence.get(self._number, sys.maxsize),
        )
        return _Step.USED

    def _open_html(self, line: _Line, depth: int) -> _Step:
        kind = next((kind for kind, (start, _) in enumerate(_HTML_BLOCKS) if start.match(line.content)), None)
        if kind is None or (self._has_extras and self._last_end(kind) < self._number):
            return _Step.NOTHING
        end = _HTML_BLOCKS[kind][1]
        self._close(depth)
        self._leaf = _Leaf(_LeafKind.HTML, self._add("html"), [line.text], end=end)
        if end and end.search(line.text):
            self._flush()
        return _Step.USED

    def _last_end(self, kind: int) -> int:
        """Return the last line that can end an HTML block of a kind, so that an open one hides nothing."""
        end = _HTML_BLOCKS[kind][1]
        if end is None:
            return self._number
        if kind not in self._last_ends:
            lines = self._lines
            last = next((index for index in range(len(lines) - 1, -1, -1) if end.search(lines[index])), -1)
            self._last_ends[kind] = self.first_line + last if last >= 0 else 0
        return self._last_ends[kind]

    def _open_item(self, line: _Line, depth: int) -> _Step:
        found = _ITEM.match(line.content)
        if not found or len(self._stack) > MAX_DEPTH:
            return _Step.NOTHING
        is_empty = found.end() == len(line.content)
        starts_at = int(found[1]) if found[1] else None
        if self._paragraph(depth) is not None and (is_empty or starts_at not in (None, 1)):
            return _Step.NOTHING  # such an item may not interrupt a paragraph [5.2]
        indent = line.indent + found.end()
        line.skip(found.end())
        padding = 1 if is_empty or line.indent > 4 else line.indent
        self._close(depth)
        element = self._add_item(found[0][-1], starts_at)
        self._stack.append(_Container(_Kind.ITEM, element, indent=indent + padding))
        line.drop(padding)
        return _Step.CONTAINER

    def _open_table(self, line: _Line, depth: int) -> _Step:
        """Turn the last line of the open paragraph into a table's head when this line is a delimiter row."""
        paragraph = self._paragraph(depth)
        if paragraph is None or "|" not in paragraph.lines[-1] or not _DELIMITER_ROW.match(line.content):
            return _Step.NOTHING
        head, delimiters = split_row(paragraph.lines[-1]), split_row(line.content)
        if len(head) != len(delimiters) or len(head) > MAX_COLUMNS or self._cells + len(head) > MAX_CELLS:
            return _Step.NOTHING
        self._cells += len(head)
        paragraph.lines.pop()
        if not paragraph.lines:
            del self._stack[-1].element[-1]
            self._leaf = None
        self._close(depth)
        table = self._add("table")
        sides = ("", "left", "right", "center")
        alignments = tuple(sides[cell.startswith(":") + 2 * cell.endswith(":")] for cell in delimiters)
        self._fill_row(SubElement(table, "thead"), "th", head, alignments)
        self._leaf = _Leaf(_LeafKind.TABLE, table, alignments=alignments)
        return _Step.USED

    # Blocks beyond CommonMark

    def _open_admonition(self, line: _Line, depth: int) -> _Step:
        callout = beyond.admonition(line.content)
        if callout is None or len(self._stack) > MAX_DEPTH:
            return _Step.NOTHING
        self._close(depth)
        element = self._add_callout(callout)
        self._stack.append(_Container(_Kind.INDENTED, element, indent=line.indent + 4, is_lazy=False))
        return _Step.USED

    def _open_directive(self, line: _Line, depth: int) -> _Step:
        """Open or close a block between lines of colons, or a MyST one between lines of backticks."""
        content = line.content
        mark = content[: len(content) - len(content.lstrip(content[0]))]
        if len(mark) < 3:
            is_option = self._stack[-1].kind is _Kind.FENCED and beyond.OPTION.match(content)
            return _Step.IGNORED if is_option else _Step.NOTHING
        if len(mark) == len(content):
            return self._close_directive(mark, depth)
        directive = beyond.directive(mark, content[len(mark) :])
        if directive is None or len(self._stack) > MAX_DEPTH:
            return _Step.NOTHING
        if directive.is_dropped:
            return _Step.IGNORED
        self._close(depth)
        if directive.text:
            self._add("p").text = self.budget.take(directive.text)
            return _Step.USED
        if directive.tag == "pre":
            self._leaf = _Leaf(_LeafKind.FENCE, self._add("pre"), mark=mark, language=directive.kind)
            return _Step.USED
        element = self._add_callout(directive)
        self._stack.append(_Container(_Kind.FENCED, element, indent=line.indent, mark=mark, is_fresh=True))
        return _Step.USED

    def _close_directive(self, mark: str, depth: int) -> _Step:
        for index in range(depth - 1, 0, -1):
            container = self._stack[index]
            if container.kind is _Kind.FENCED and mark.startswith(container.mark):
                self._close(index)
                return _Step.USED
        return _Step.IGNORED if mark[0] == ":" else _Step.NOTHING

    def _open_footnote(self, line: _Line, depth: int) -> _Step:
        found = beyond.FOOTNOTE.match(line.content)
        if not found or len(self._stack) > MAX_DEPTH or found[1] in self.footnotes:
            return _Step.NOTHING
        self._close(depth)
        element = Element("footnote", {"line": str(self._number)})
        self.footnotes[found[1]] = element
        self._stack.append(_Container(_Kind.INDENTED, element, indent=line.indent + 4))
        line.skip(found.end())
        return _Step.CONTAINER

    def _open_definition(self, line: _Line, depth: int) -> _Step:
        """Open a definition when the line before it is its term."""
        found = beyond.DEFINITION.match(line.content)
        if not found or len(self._stack) > MAX_DEPTH:
            return _Step.NOTHING
        terms = self._paragraph(depth)
        parent = self._stack[depth - 1].element
        if depth < len(self._stack):
            if self._stack[depth].element.tag != "dd":
                return _Step.NOTHING
            self._close(depth)  # the next definition of the same term
            listing = parent[-1]
        elif terms is not None:
            del parent[-1]
            self._leaf = None
            previous = parent[-1] if len(parent) else None
            listing = previous if previous is not None and previous.tag == "dl" else self._add("dl")
            for term in terms.lines:
                SubElement(listing, "dt", {"line": terms.element.get("line", "")}).text = self.budget.take(
                    term.strip()
                )
        elif self._leaf is None and len(parent) and parent[-1].tag == "dl":
            listing = parent[-1]
        else:
            return _Step.NOTHING
        element = SubElement(listing, "dd", {"line": str(self._number)})
        self._stack.append(_Container(_Kind.INDENTED, element, indent=line.indent + found.end()))
        line.skip(found.end())
        return _Step.CONTAINER

    def _open_remark(self, line: _Line, depth: int) -> _Step:
        """Leave out a line that is meant for a site generator: template tags, contents, labels, comments."""
        content = line.content
        if beyond.CONTENTS_START in content and self._number < self._contents_end:
            self._is_in_contents = True
            self._close(depth)
            return _Step.IGNORED
        label = beyond.LABEL.match(content)
        if label:
            self.labels.add(label[1])
            self._waiting_labels.append(label[1])
            self._close(depth)
            return _Step.IGNORED
        if beyond.is_for_the_generator(content):
            self._close(depth)
            return _Step.IGNORED
        text = beyond.after_comments(content)
        if text is None:
            return _Step.NOTHING
        if depth < len(self._stack):
            self._close(depth)
        line.skip(len(content) - len(text))
        return _Step.CONTAINER

    # Building

    def _block(self) -> Element:
        """Return the innermost container that is not a list item."""
        return next(
            container.element for container in reversed(self._stack) if container.kind is not _Kind.ITEM
        )

    def _paragraph(self, depth: int) -> _Leaf | None:
        """Return the open paragraph if the line lies in all of its containers."""
        leaf = self._leaf
        if leaf is not None and leaf.kind is _LeafKind.PARAGRAPH and depth == len(self._stack):
            return leaf
        return None

    def _add(self, tag: str, **attributes: str) -> Element:
        """Append an element to the innermost container."""
        container = self._stack[-1]
        parent = container.element
        if container.kind is _Kind.ITEM and len(parent) and self._blank_in is self._block():
            self._loose.add(self._list_of[parent])
        self._blocks += 1
        if self._blocks > MAX_BLOCKS:
            raise LimitReached(f"The page has more than {MAX_BLOCKS} blocks")
        element = SubElement(parent, tag, {"line": str(self._number), **attributes})
        if self._waiting_labels:
            element.set("labels", " ".join(self._waiting_labels))
            self._waiting_labels.clear()
        return element

    def _add_callout(self, callout: beyond.Callout) -> Element:
        """Append a callout, a folded part or a group, with its title as first child."""
        element = self._add(callout.tag, kind=callout.kind)
        if callout.title:
            title = SubElement(element, "summary" if callout.tag == "details" else "title")
            title.text = self.budget.take(callout.title)
        return element

    def _add_heading(self, level: int, text: str) -> None:
        element = self._add(f"h{level}")
        element.set("source", text)
        element.text = self.budget.take(beyond.without_label(text))

    def _add_item(self, marker: str, starts_at: int | None) -> Element:
        """Append an item to the list before it, or to a new list when the marker changes."""
        parent = self._stack[-1].element
        sequence = parent[-1] if len(parent) else None
        if sequence is None or self._marker_of.get(sequence) != marker:
            start = {} if starts_at in (None, 1) else {"start": str(starts_at)}
            sequence = self._add("ul" if starts_at is None else "ol", **start)
            self._marker_of[sequence] = marker
        elif self._blank_in is self._block():
            self._loose.add(sequence)
        self._blocks += 1
        item = SubElement(sequence, "li", {"line": str(self._number)})
        self._list_of[item] = sequence
        return item

    def _add_row(self, leaf: _Leaf, content: str) -> None:
        """Append a row to the open table, or its text to a code block once the page has too many cells."""
        if leaf.element.tag == "pre":
            leaf.lines.append(content)
            return
        self._cells += len(leaf.alignments)
        if self._cells > MAX_CELLS:
            self._flush()
            self._leaf = _Leaf(_LeafKind.TABLE, self._add("pre"), [content])
            return
        body = leaf.element[-1]
        if body.tag != "tbody":
            body = SubElement(leaf.element, "tbody")
        self._fill_row(body, "td", split_row(content), leaf.alignments)

    def _fill_row(self, parent: Element, tag: str, cells: list[str], alignments: tuple[str, ...]) -> None:
        row = SubElement(parent, "tr", {"line": str(self._number)})
        count = len(alignments)
        if self._has_extras and len(cells) > count:  # GFM drops them; text is never dropped here
            cells[count - 1 :] = [" | ".join(cells[count - 1 :])]
        cells += [""] * (count - len(cells))
        for text, side in zip(cells, alignments, strict=False):
            cell = SubElement(row, tag, {"align": side} if side else {})
            cell.text = self.budget.take(text)

    def _close(self, depth: int) -> None:
        """End the open leaf and every container from number ``depth`` on."""
        self._flush()
        del self._stack[depth:]

    def _flush(self) -> None:
        """Give the open leaf its text."""
        leaf, self._leaf = self._leaf, None
        if leaf is None:
            return
        if leaf.kind is _LeafKind.PARAGRAPH:
            self._flush_paragraph(leaf)
        elif leaf.kind is _LeafKind.HTML:
            leaf.element.text = AtomicString("\n".join(leaf.lines))
        elif leaf.element.tag == "pre":
            lines = leaf.lines
            while leaf.kind is _LeafKind.CODE and lines and not lines[-1].strip(_BLANKS):
                lines.pop()
            leaf.element.set("block", str(len(self.code_blocks)))
            line = int(leaf.element.get("line", "0"))
            self.code_blocks.append(CodeBlock("\n".join(lines), leaf.language, line))

    def _flush_paragraph(self, leaf: _Leaf) -> None:
        text = "\n".join(leaf.lines).rstrip()
        if text.startswith("["):
            text = self._without_references(text)
        parent = self._stack[-1].element
        if text and self._has_extras and parent.tag == "blockquote" and text.startswith(("[!", "**")):
            text = self._as_alert(parent, text)
        if text:
            leaf.element.text = self.budget.take(text)
            return
        del parent[-1]
        if len(parent) and parent[-1] in self._marker_of:
            self._marker_of[parent[-1]] = ""  # a definition ends the list before it

    def _as_alert(self, quote: Element, text: str) -> str:
        """Turn a quote that begins with ``[!NOTE]`` into a callout; return the rest of its paragraph."""
        callout, rest = beyond.alert(text) if len(quote) == 1 else (None, text)
        if callout is None:
            return text
        quote.tag = callout.tag
        quote.set("kind", callout.kind)
        title = Element("title")
        title.text = self.budget.take(callout.title)
        quote.insert(0, title)
        return rest

    def _without_references(self, text: str) -> str:
        """Return a paragraph without the link reference definitions at its start [4.7]; record these."""
        position = 0
        while found := _REFERENCE.match(text, position):
            label = _SPACES.sub(" ", found["label"].strip()).lower()
            target = found["quoted"] if found["quoted"] is not None else found["bare"]
            if not label or (found["bare"] and not _is_balanced(target)):
                break
            if self._has_extras and label.startswith("^"):
                break  # a second footnote of the same name
            title = found["title"][1:-1] if found["title"] else ""
            self.md.references.setdefault(label, (target, title))
            position = found.end()
        return text[position:]


def _is_balanced(address: str) -> bool:
    """Tell whether the round brackets of an address come in pairs [6.3]."""
    depth = 0
    for bracket in _ROUND_BRACKET.findall(address):
        depth += 1 if bracket == "(" else -1
        if depth < 0:
            return False
    return depth == 0


def _tighten(item: Element) -> None:
    """Take the text of a tight list's item out of its paragraphs."""
    before: Element | None = None
    for child in list(item):
        if child.tag != "p":
            before = child
            continue
        if before is None:
            item.text = child.text
        else:
            before.tail = child.text
        item.remove(child)


class CommonMarkBlocks(Extension):
    """The python-markdown extension that puts `CommonMarkBlockParser` in the place of the original.

    Args:
        has_extras: also parse what `kb_app.rendering.beyond_commonmark` knows.
    """

    def __init__(self, *, has_extras: bool = True) -> None:
        super().__init__()
        self._has_extras = has_extras

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Register the block parser; preprocessors that would touch the text are taken out."""
        md.parser = CommonMarkBlockParser(md, has_extras=self._has_extras)
        for name in ("normalize_whitespace", "html_block"):
            md.preprocessors.deregister(name, strict=False)
