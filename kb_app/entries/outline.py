"""Headings, fences and sections of a Markdown text, with 1-based line numbers of the file.

One pass over the lines tells code from text (fences at any indentation, raw HTML blocks, comments); headings
are ATX and setext, outside code only. A fence that is never closed, or that swallows a heading and another
opening fence, ends before that heading: a strict parser loses whole sections of real runbooks there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from kb_app.entries.model import Note, Role, Section, Severity, Span

_FENCE = re.compile(r"[ \t]*(?:>[ \t]?)*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})(.*)")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING_HASHES = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NOT_PARAGRAPH = re.compile(
    r" {0,3}(?:[>|]|[-*+](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)|(?:[-*_][ \t]*){3,}$|<[!/a-zA-Z])"
)
_LIST_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_RAW_BLOCK = re.compile(r" {0,3}<(!--|pre\b|script\b|style\b|textarea\b)", re.IGNORECASE)
_SHELL_WORDS = ("", "sh", "shell", "bash", "console", "zsh", "python", "yaml", "ini", "toml", "conf")
_MAY_OPEN_FENCE = frozenset("`~>-*+0123456789")
_NEVER_MARKUP = frozenset("[](){}!\"'$&@%^/\\.,;:?`~")
"""First characters that open neither heading nor list, quote, table, rule or HTML."""
_MARKDOWN_WORDS = ("markdown", "md")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced code block.

    Attributes:
        first_line, last_line: 1-based lines of the opening and the closing fence; ``last_line`` is the last
            line of code where the closing fence is missing.
        indent: columns before the opening fence.
        language: first word of the info string in lower case, without ``{}`` and dots.
        is_closed: there is a closing fence.
    """

    first_line: int
    last_line: int
    indent: int
    language: str
    is_closed: bool = True


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: level 1 to 6, text as written, plain title, anchor, 1-based first and last line."""

    level: int
    raw: str
    title: str
    anchor: str
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Outline:
    """What a text is made of.

    Attributes:
        lines: the file's lines without line ends.
        headings: in order.
        fences: in order.
        code: one byte per line, 1 where it belongs to a fence (its own lines included) or a raw HTML block.
        notes: what was repaired.
    """

    lines: Sequence[str]
    headings: tuple[Heading, ...]
    fences: tuple[Fence, ...]
    code: bytes
    notes: tuple[Note, ...]


def outline_of(lines: Sequence[str], body_line: int = 1) -> Outline:
    """Return the outline of the lines from ``body_line`` (1-based) on."""
    return _Scanner(lines, body_line).scan()


class _Scanner:
    def __init__(self, lines: Sequence[str], body_line: int) -> None:
        self._lines = lines
        self._start = body_line - 1
        self._code = bytearray(len(lines))
        self._headings: list[tuple[int, str, int, int]] = []
        self._fences: list[Fence] = []
        self._notes: list[Note] = []
        self._never_closed: set[str] = set()
        self._paragraph = -1  # index of the open paragraph's first line
        self._in_list = False
        self._has_setext = False

    def scan(self) -> Outline:
        lines, number, total = self._lines, self._start, len(self._lines)
        while number < total:
            line = lines[number]
            stripped = line.lstrip(" \t")
            if not stripped:
                self._paragraph = -1
                number += 1
            elif stripped[0].isalpha():  # by far the most lines: they can only begin a paragraph
                if self._paragraph < 0 and line[:4] != "    " and line[0] != "\t":
                    self._text(number, has_indent=line[0] == " ")
                number += 1
            else:
                number = self._markup(number, line, stripped)
        return self._outline()

    def _markup(self, number: int, line: str, stripped: str) -> int:
        """Read a line that may begin a block; return the index of the next one."""
        first = stripped[0]
        if (
            first in _MAY_OPEN_FENCE
            and ("```" in stripped or "~~~" in stripped)
            and (fence := _opening(line)) is not None
        ):
            self._paragraph = -1
            return self._fence(number, *fence)
        indent = len(line) - len(stripped)
        if indent > 3 or line[0] == "\t":
            return number + 1
        if first in _NEVER_MARKUP:
            if self._paragraph < 0:
                self._text(number, has_indent=indent > 0)
            return number + 1
        if first == "<" and _RAW_BLOCK.match(line):
            self._paragraph = -1
            return self._raw_block(number)
        if first == "#" and (atx := _ATX.match(line)) is not None:
            text = _CLOSING_HASHES.sub("", atx.group(2) or "")
            self._heading(len(atx.group(1)), text, number, number)
        elif first in "=-" and self._paragraph >= 0 and _SETEXT.match(line):
            text = " ".join(part.strip() for part in self._lines[self._paragraph : number])
            if not self._has_setext:
                self._has_setext = True
                message = "Headings are underlined (setext); they are read like those with #"
                self._notes.append(Note("setext-headings", Severity.INFO, message, self._paragraph + 1))
            self._heading(1 if first == "=" else 2, text, self._paragraph, number)
        elif _LIST_ITEM.match(line):
            self._paragraph, self._in_list = -1, True
        elif _NOT_PARAGRAPH.match(line):
            self._paragraph = -1
        elif self._paragraph < 0:
            self._text(number, has_indent=indent > 0)
        return number + 1

    def _text(self, number: int, *, has_indent: bool) -> None:
        """Begin a paragraph, unless the line continues a list item."""
        if self._in_list and (has_indent or (number and self._lines[number - 1].strip())):
            return
        self._paragraph, self._in_list = number, False

    def _heading(self, level: int, text: str, first: int, last: int) -> None:
        self._headings.append((level, text, first, last))
        self._paragraph, self._in_list = -1, False

    def _outline(self) -> Outline:
        taken: dict[str, int] = {}
        headings = tuple(
            Heading(level, raw, plain_title(raw), heading_anchor(raw, taken), first + 1, last + 1)
            for level, raw, first, last in self._headings
        )
        return Outline(self._lines, headings, tuple(self._fences), bytes(self._code), tuple(self._notes))

    def _fence(self, start: int, indent: int, marks: str, info: str) -> int:
        """Take the fence that opens at index ``start``; return the index after it."""
        lines, total = self._lines, len(self._lines)
        language = _language(info)
        heading = -1  # first index inside that looks like a heading after a blank line
        end, is_closed = total, False
        for number in range(start + 1, total):
            line = lines[number]
            if marks[0] not in line:
                if heading < 0 and line.startswith("#") and self._is_lost_heading(number, language):
                    heading = number
                continue
            fence = _opening(line) if marks in line else None
            if fence is None or fence[1][0] != marks[0] or len(fence[1]) < len(marks):
                continue
            if not fence[2].strip():
                end, is_closed = number + 1, True
                break
            if heading >= 0 and language not in _MARKDOWN_WORDS:
                break  # a second opening below a heading: the first fence was never closed
        if not is_closed:
            end = heading if heading >= 0 else end
            message = "The code block is not closed; it is taken to end before the next heading"
            if heading < 0:
                message = "The code block is not closed; the rest of the page is taken as code"
            self._notes.append(Note("unclosed-fence", Severity.WARNING, message, start + 1))
            while end > start + 1 and not lines[end - 1].strip():
                end -= 1
        self._code[start:end] = b"\x01" * (end - start)
        self._fences.append(Fence(start + 1, end, indent, language, is_closed))
        return end

    def _is_lost_heading(self, number: int, language: str) -> bool:
        match = _ATX.match(self._lines[number])
        if match is None or not match.group(2) or self._lines[number - 1].strip():
            return False
        return len(match.group(1)) > 1 or language not in _SHELL_WORDS

    def _raw_block(self, start: int) -> int:
        match = _RAW_BLOCK.match(self._lines[start])
        assert match is not None
        word = match.group(1).lower()
        closing = "-->" if word == "!--" else f"</{word}>"
        if word in self._never_closed:
            return start + 1
        for number in range(start, len(self._lines)):
            line = self._lines[number]
            if closing in (line if word == "!--" else line.lower()):
                self._code[start : number + 1] = b"\x01" * (number + 1 - start)
                return number + 1
        self._never_closed.add(word)
        what = "comment" if word == "!--" else f"<{word}> block"
        message = f"The {what} is not closed; it is read as ordinary text"
        self._notes.append(Note("unclosed-html", Severity.WARNING, message, start + 1))
        return start + 1


def _opening(line: str) -> tuple[int, str, str] | None:
    """Return indentation, marks and info string when ``line`` is a fence."""
    match = _FENCE.match(line)
    if match is None:
        return None
    marks, info = match.group(1), match.group(2)
    if marks[0] == "`" and "`" in info:
        return None  # inline code
    return match.start(1), marks, info


def _language(info: str) -> str:
    word = info.strip().split(None, 1)[0] if info.strip() else ""
    return word.strip("{}.").lower()


# --- titles and anchors -----------------------------------------------------------------------------------

_EXPLICIT_ID = re.compile(r"\s*\{:?\s*#([\w.:-]+)[^{}]*\}\s*$")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_SHORTCODE = re.compile(r"\{\{[<%][^{}]*[>%]\}\}")
_EMPHASIS = re.compile(
    r"(\*{1,3})(?=\S)([^*]+?)(?<=\S)\1|(?<!\w)(_{1,3})(?=\S)([^_]+?)(?<=\S)\3(?!\w)|~~([^~]+)~~"
)
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#39);")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&nbsp;": " ", "&#39;": "'"}
CODE_SPAN = re.compile(r"(?<!`)(`++)(.+?)(?<!`)\1(?!`)")
"""A code span on one line; group 2 is its content."""
_LITERAL = re.compile(r"\\([!-/:-@\[-`{-~])|(`++)(.+?)(?<!`)\2(?!`)|`++")
"""An escaped character, a code span, or backticks that open none.

One pass from the left: an escaped backtick opens no span, and a span holds no escapes.
Source: CommonMark 0.31, sections 2.4 and 6.1.
"""
_MARKED = re.compile(r"[`*_~\[\]<&\\{!]")
_NOT_IN_SLUG = re.compile(r"[^a-z0-9 _-]")
_MAX_TITLE = 300


def without_comments(text: str) -> str:
    """Return ``text`` without its HTML comments; an open one stays. Linear, whatever the text."""
    start = text.find("<!--")
    if start < 0:
        return text
    parts, position = [], 0
    while start >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts.append(text[position:start])
        position = end + 3
        start = text.find("<!--", position)
    return "".join(parts) + text[position:]


@lru_cache(maxsize=4096)
def plain_title(raw: str) -> str:
    """Return a heading's text without Markdown; underscores inside words stay."""
    text = raw.strip()[:_MAX_TITLE]
    if not _MARKED.search(text):
        return " ".join(text.split())
    text = _EXPLICIT_ID.sub("", text)
    spans: list[str] = []

    def keep(match: re.Match[str]) -> str:
        spans.append(match.group(1) or (match.group(3) or match.group()).strip())
        return f"\x00{len(spans) - 1}\x00"

    text = _LITERAL.sub(keep, text.replace("\x00", ""))
    text = _SHORTCODE.sub("", _IMAGE_OR_LINK.sub(r"\1", text))
    text = _TAG.sub("", text)
    for _ in range(2):
        text = _EMPHASIS.sub(lambda m: m.group(2) or m.group(4) or m.group(5), text)
    text = _ENTITY.sub(lambda m: _ENTITIES[m.group()], text)
    text = re.sub(r"\x00(\d+)\x00", lambda m: spans[int(m.group(1))], text)
    return " ".join(text.split())


def slug(title: str, taken: dict[str, int]) -> str:
    """Return the GitHub-style anchor of ``title`` and remember it.

    Args:
        title: plain text.
        taken: anchors of the page so far, to how often each was asked for; changed in place.

    Source: the rule of ``github-slugger``: lower case, letters, digits, marks, ``-`` and ``_`` are kept,
    each blank becomes ``-``, and repeats get ``-1``, ``-2``, …
    """
    lowered = title.strip().lower()
    if lowered.isascii():
        kept = _NOT_IN_SLUG.sub("", lowered)
    else:
        kept = "".join(c for c in lowered if c in " -_" or unicodedata.category(c)[0] in "LNM")
    base = kept.replace(" ", "-") or "section"
    anchor = base
    while anchor in taken:
        taken[base] += 1
        anchor = f"{base}-{taken[base]}"
    taken[anchor] = 0
    return anchor


def heading_anchor(raw: str, taken: dict[str, int]) -> str:
    """Return the anchor of a heading as written: its ``{#explicit-id}`` if it has one, else its `slug`."""
    if raw.endswith("}") and (match := _EXPLICIT_ID.search(raw)) and match.group(1) not in taken:
        taken[match.group(1)] = 0
        return match.group(1)
    return slug(plain_title(raw), taken)


# --- roles ------------------------------------------------------------------------------------------------

_HEADING_TABLE: dict[Role, tuple[str, ...]] = {
    Role.MEANING: (
        "meaning", "summary", "overview", "description", "about", "background", "what it means",
        "what is happening", "what does this alert mean", "introduction", "含义", "说明", "描述", "概述",
    ),
    Role.SYMPTOMS: (
        "symptom", "symptoms", "issue", "issues", "problem", "problems", "problem description",
        "issue description", "symptom description", "error", "error message", "error messages",
        "what you see", "observed behavior", "observed behaviour", "症状", "现象", "问题", "问题描述",
    ),
    Role.IMPACT: (
        "impact", "user impact", "customer impact", "business impact", "consequences", "effect",
        "severity and impact", "影响",
    ),
    Role.CAUSE: (
        "cause", "causes", "root cause", "root causes", "reason", "reasons", "possible cause",
        "possible causes", "possible root causes", "potential causes", "common causes", "why",
        "why it happens", "why this happens", "what causes it", "原因", "根因", "根本原因",
    ),
    Role.DIAGNOSIS: (
        "diagnosis", "diagnose", "diagnosing", "diagnostics", "diagnostic", "possible checks", "checks",
        "check", "troubleshooting", "troubleshoot", "troubleshooting steps", "troubleshooting guide",
        "steps to check", "investigation", "investigate", "investigating", "how to investigate",
        "debugging", "debug", "debugging steps", "triage", "triage steps", "verification of the problem",
        "how to check", "steps to diagnose", "diagnosis steps", "诊断", "排查", "故障排查", "诊断步骤",
    ),
    Role.MITIGATION: (
        "mitigation", "mitigations", "mitigating", "mitigate", "how to mitigate", "mitigation steps",
        "workaround", "workarounds", "emergency workaround", "emergency workarounds",
        "temporary workaround", "temporary fix", "temporary solution", "stop the bleeding",
        "immediate action", "immediate actions", "recommended action", "recommended actions",
        "recommended steps", "remediation", "remediations", "remediation steps", "remediate", "remedy",
        "remedies", "what to do", "actions", "action", "action to take", "actions to take",
        "what can i do", "short-term fix", "short term fix", "quick fix",
        "recovery steps", "缓解", "缓解措施", "临时措施", "变通方法", "规避措施",
    ),
    Role.FIX: (
        "fix forward", "fix", "permanent fix", "permanent solution", "resolution", "resolutions",
        "resolve", "resolving", "resolution steps", "how to fix", "how to fix it", "how to resolve",
        "how to resolve it", "solution", "solutions", "long-term solution", "long term solution",
        "long-term solutions", "long-term fix", "long term fix", "possible solutions",
        "possible solution", "possible resolutions", "procedure to fix", "steps to resolve",
        "steps to fix", "repair", "correction", "解决方案", "解决方法", "解决", "修复", "永久修复",
    ),
    Role.LEVER: (
        "lever", "levers",
    ),
    Role.VERIFY: (
        "verify", "verification", "verifying", "validation", "validate", "confirm the fix",
        "how to verify", "post checks", "verify the fix", "verify recovery", "验证",
    ),
    Role.UNDO: (
        "undo", "rollback", "roll back", "rolling back", "revert", "reverting", "backout", "back out",
        "rollback plan", "rollback steps", "回滚", "撤销",
    ),
    Role.ESCALATION: (
        "escalation", "escalate", "escalations", "escalation path", "who to contact", "contact",
        "contacts", "when to escalate", "升级", "联系",
    ),
}  # fmt: skip
_ROLES = {name: role for role, names in _HEADING_TABLE.items() for name in names}
_STATED = frozenset((
    "workaround", "workarounds", "emergency workaround", "emergency workarounds", "temporary workaround",
    "temporary fix", "temporary solution", "stop the bleeding", "immediate action", "immediate actions",
    "short-term fix", "short term fix", "quick fix", "临时措施", "变通方法", "规避措施", "fix forward",
    "permanent fix", "permanent solution", "long-term solution", "long term solution",
    "long-term solutions", "long-term fix", "long term fix", "永久修复", "lever", "levers",
))  # fmt: skip
"""Headings whose words alone tell stopgap from repair."""

_NUMBERING = re.compile(
    r"^(?:(?:step|option|method|part)\s+)?\(?(?:\d{1,3}(?:\.\d{1,3})*|[ivx]{1,4}|[a-h])[.):]\s+"
    r"|^\d{1,3}(?:\.\d{1,3})+\s+"
)
_TRAILING = re.compile(r"\s*(?:\(.{0,60}\)|#?\d{1,3}|[.:：?!…])$")
_SPLIT = re.compile(r"\s*[:：]\s*|\s+[-–—]\s+")


@dataclass(frozen=True, slots=True)
class HeadingMeaning:
    """What a heading says.

    Attributes:
        role: of the section.
        name: what follows the colon or dash, else the whole heading.
        is_stated: its words alone tell a stopgap from a repair ("Workaround", "Permanent fix").
    """

    role: Role
    name: str
    is_stated: bool = False


@lru_cache(maxsize=4096)
def heading_meaning(title: str) -> HeadingMeaning:
    """Return what the plain heading ``title`` stands for, by the heading table."""
    shown = title
    if not title.isascii():
        shown = "".join(c for c in title if unicodedata.category(c) not in ("So", "Sk", "Cf", "Mn")).strip()
    text = _NUMBERING.sub("", shown)
    head, *rest = _SPLIT.split(text, maxsplit=1)
    for candidate, name in ((text, title), (head, rest[0] if rest else title)):
        key = " ".join(candidate.casefold().split())
        while key not in _ROLES and (shorter := _TRAILING.sub("", key)) != key:
            key = shorter
        if (role := _ROLES.get(key)) is not None:
            return HeadingMeaning(role, name.strip() or title, key in _STATED)
    return HeadingMeaning(Role.OTHER, title)


def sections_of(outline: Outline, body_line: int = 1) -> tuple[Section, ...]:
    """Return the sections of the body in order.

    The lines from ``first_line`` to ``own_last_line`` of all sections together are the body, without gaps and
    overlaps, but for blank lines before the first heading.
    """
    headings, total = outline.headings, len(outline.lines)
    while total > body_line and not outline.lines[total - 1].strip():
        total -= 1
    total = max(total, headings[-1].last_line if headings else 0)
    sections: list[Section] = []
    first_heading = headings[0].first_line if headings else total + 1
    if any(line.strip() for line in outline.lines[body_line - 1 : first_heading - 1]):
        last = first_heading - 1
        sections.append(Section(0, "", Role.OTHER, "", Span(body_line, last), last))
    ends = _ends(headings, total)
    roles = _roles(headings)
    for index, heading in enumerate(headings):
        own_last = headings[index + 1].first_line - 1 if index + 1 < len(headings) else total
        span = Span(heading.first_line, ends[index])
        sections.append(Section(heading.level, heading.title, roles[index], heading.anchor, span, own_last))
    return tuple(sections)


def _roles(headings: Sequence[Heading]) -> list[Role]:
    """Return each heading's role; the first one of level 1 is the page's title, unless several have roles."""
    roles = [heading_meaning(h.title).role if h.level <= 4 else Role.OTHER for h in headings]
    top = [role for h, role in zip(headings, roles, strict=True) if h.level == 1 and role is not Role.OTHER]
    if headings and headings[0].level == 1 and len(top) < 2:
        roles[0] = Role.OTHER
    return roles


def _ends(headings: Sequence[Heading], total: int) -> list[int]:
    """Return each heading's last line, in one pass from the end."""
    ends = [0] * len(headings)
    next_line = [
        total + 1
    ] * 7  # next_line[level]: first line of the nearest later heading of that level or above
    for index in range(len(headings) - 1, -1, -1):
        heading = headings[index]
        ends[index] = next_line[heading.level] - 1
        for level in range(heading.level, 7):
            next_line[level] = heading.first_line
    return ends
