"""Steps of a path: numbered ones as written; in old prose, bullets and code blocks where they read as steps.

Nothing is lost on the way: every line of a path block is in an attribute, the intro, a step or the outro.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kb_app.entries.commands import commands_of_block, commands_of_spans
from kb_app.entries.model import Command, Role, Span, Step
from kb_app.entries.outline import Fence, heading_meaning, plain_title, without_comments

MAX_STEPS = 200

_ORDERED = re.compile(r"([ \t]*)(\d{1,9})([.)])([ \t]+|$)(.*)")
_BULLET = re.compile(r"([ \t]*)([-*+])([ \t]+)(\S.*)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_STEP_HEADING = re.compile(
    r"(?:(?:step|schritt|步骤)\s*)?\d{1,2}\s*[.):：-]\s*\S|step\s+\d{1,2}\b", re.IGNORECASE
)
_STEP_NUMBER = re.compile(r"^(?:(?:step|schritt|步骤)\s*)?\d{1,2}\s*[.):：-]\s*", re.IGNORECASE)
_NAMES = {
    "verify": "verify", "verification": "verify", "check that": "verify", "验证": "verify",
    "expect": "expect", "expected": "expect", "expected output": "expect", "expected result": "expect",
    "example output": "expect", "sample output": "expect", "预期": "expect",
    "undo": "undo", "rollback": "undo", "roll back": "undo", "revert": "undo", "回滚": "undo", "撤销": "undo",
    "if not": "if_not", "if it fails": "if_not", "if this fails": "if_not", "if that fails": "if_not",
    "otherwise": "if_not", "否则": "if_not",
    "confirm": "confirm", "warning": "confirm", "caution": "confirm", "danger": "confirm", "确认": "confirm",
}  # fmt: skip
_ANY_NAME = "|".join(sorted(_NAMES, key=len, reverse=True))
_ATTRIBUTE = re.compile(
    rf"[ \t]*(?:[-*+][ \t]+)?(?:[*_]{{1,2}})?({_ANY_NAME})(?:[*_]{{1,2}})?[ \t]*[:：]"
    r"(?:[*_]{1,2})?[ \t]*(.*)",
    re.IGNORECASE,
)
_CALLOUT = re.compile(
    r"[ \t]*>[ \t]*(?:\[!(?:WARNING|CAUTION|DANGER|IMPORTANT)\]"
    r"|[*_]{1,2}(?:warning|caution|danger|important)[:!]?[*_]{1,2}[:!]?)[ \t]*(.*)",
    re.IGNORECASE,
)
_OUTPUT_AHEAD = re.compile(
    r"(?:output|prints?|returns?|result|response|similar to|looks? like|should see|will see|you see"
    r"|expect\w*|shows?"
    r"|输出|结果)\b[^.]{0,60}[:：.]?\s*$",
    re.IGNORECASE,
)
_LINKS_ONLY = re.compile(
    r"(?:see\s*(?:also)?:?\s*)?\[[^\[\]]*\]\([^()]*\)[.,;]?|<?https?://\S+>?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class StepList:
    """What a stretch of lines holds.

    Attributes:
        intro: Markdown before the first step; the whole text when there are no steps.
        steps: in order, numbered from 1.
        outro: Markdown after the last step.
    """

    intro: str = ""
    steps: tuple[Step, ...] = ()
    outro: str = ""


@dataclass(slots=True)
class _Line:
    """A line of text, or a whole code block as one."""

    number: int
    text: str
    indent: int
    fence: Fence | None = None
    code: tuple[str, ...] = ()

    @property
    def last(self) -> int:
        return self.fence.last_line if self.fence else self.number


@dataclass(slots=True)
class _Draft:
    """A step that is being read."""

    first: int
    content_indent: int
    lines: list[_Line] = field(default_factory=list)


def steps_of(
    lines: Sequence[str], span: Span, fences: Sequence[Fence], *, skip: Sequence[Span] = ()
) -> StepList:
    """Return the steps in the lines of ``span``.

    Args:
        lines: of the whole file.
        span: 1-based lines to read.
        fences: code blocks within ``span``, in order.
        skip: lines that belong to something else.
    """
    content = _trimmed(list(_content(lines, span, fences, skip)))
    parts = _by_headings(content)
    if parts is not None:
        return _built(*parts, assigned=set())
    pieces = _split_at_headings(content)
    if len(pieces) == 1:
        return _plain_steps(content, set())
    return _of_pieces(pieces)


def _trimmed(content: list[_Line]) -> list[_Line]:
    first, last = 0, len(content)
    while first < last and _is_blank(content[first]):
        first += 1
    while last > first and _is_blank(content[last - 1]):
        last -= 1
    return content[first:last]


def _plain_steps(content: list[_Line], assigned: set[str]) -> StepList:
    """Return the steps of text without headings."""
    for split in (_numbered, _bulleted, _by_code):
        parts = split(content)
        if parts is not None:
            return _built(*parts, assigned=assigned)
    return StepList(intro=_joined(content))


def _split_at_headings(content: list[_Line]) -> list[tuple[str, list[_Line]]]:
    """Return (heading, lines) pairs; the first heading is empty."""
    pieces: list[tuple[str, list[_Line]]] = [("", [])]
    for line in content:
        match = _HEADING.match(line.text) if line.fence is None else None
        if match is not None:
            pieces.append((match.group(1).strip(), []))
        else:
            pieces[-1][1].append(line)
    return [(heading, lines) for heading, part in pieces if (lines := _trimmed(part)) or not heading]


def _of_pieces(pieces: list[tuple[str, list[_Line]]]) -> StepList:
    """Return the steps of text with headings: each piece's steps in turn, under its heading in bold."""
    assigned: set[str] = set()
    read = [(heading, lines, _plain_steps(lines, assigned)) for heading, lines in pieces]
    if not any(found.steps for _, _, found in read):
        whole = "\n\n".join(
            f"**{heading}**\n\n{_joined(lines)}".replace("****\n\n", "") for heading, lines in pieces
        )
        return StepList(intro=whole.strip("\n"))
    steps: list[Step] = []
    intro, outro = "", ""
    for heading, lines, found in read:
        role = heading_meaning(plain_title(heading)).role if heading else None
        if not heading and not found.steps:
            intro = found.intro
        elif role is Role.VERIFY and steps and not steps[-1].verify:
            steps[-1] = replace(steps[-1], verify=_joined(lines))
        elif role in (Role.UNDO, Role.ESCALATION):
            outro += f"\n\n**{heading}**\n\n{_joined(lines)}"
        else:
            steps.extend(_under_heading(heading, lines, found))
    numbered = tuple(replace(step, number=number) for number, step in enumerate(steps[:MAX_STEPS], 1))
    return StepList(intro, numbered, outro.strip("\n"))


def _under_heading(heading: str, lines: list[_Line], found: StepList) -> list[Step]:
    """Return a piece's steps; its heading and intro open the first, its outro closes the last."""
    title = f"**{plain_title(heading)}**" if heading else ""
    if not found.steps:
        text = "\n\n".join(part for part in (title, _joined(lines)) if part)
        return [Step(0, text, Span(lines[0].number, lines[-1].last))] if lines else []
    steps = list(found.steps)
    opening = [part for part in (title, found.intro, steps[0].text) if part]
    steps[0] = replace(steps[0], text="\n\n".join(opening))
    if found.outro:
        steps[-1] = replace(steps[-1], details=(*steps[-1].details, found.outro))
    return steps


def _content(
    lines: Sequence[str], span: Span, fences: Sequence[Fence], skip: Sequence[Span]
) -> Iterator[_Line]:
    by_line = {fence.first_line: fence for fence in fences}
    within = range(span.last_line, span.first_line - 1, -1)
    last_close = next((n for n in within if "-->" in lines[n - 1]), 0)
    number = span.first_line
    while number <= span.last_line:
        skipped = next((s for s in skip if s.first_line <= number <= s.last_line), None)
        if skipped is not None:
            number = skipped.last_line + 1
            continue
        line = lines[number - 1].expandtabs(4)
        fence = by_line.get(number)
        if fence is None and "<!--" in line:
            line, number = _without_comment(lines, number, last_close)
            if not line.strip():
                number += 1
                continue
        indent = len(line) - len(line.lstrip())
        if fence is None:
            yield _Line(number, line, indent)
            number += 1
            continue
        opener = line.lstrip().lstrip("`~")
        is_in_item = len(opener) != len(line.lstrip()) or None
        last = min(fence.last_line, span.last_line)
        inner_last = last - 1 if fence.is_closed else last
        code = tuple(lines[number:inner_last])
        text = "\n".join(lines[number - 1 : last])
        if is_in_item is None:  # "1. ```sh": the fence opens on the item's own line
            yield _Line(number, line[: fence.indent].rstrip() + " ", indent)
            text = " " * fence.indent + text[fence.indent :]
            indent = fence.indent
        yield _Line(number, text, indent, fence, code)
        number = last + 1


def _without_comment(lines: Sequence[str], number: int, last: int) -> tuple[str, int]:
    """Return the line without its comments, and the number of the line where they end."""
    line = without_comments(lines[number - 1].expandtabs(4))
    start = line.find("<!--")
    if start < 0:
        return line.rstrip(), number
    for end in range(number + 1, last + 1):
        if "-->" in lines[end - 1]:
            return (line[:start] + lines[end - 1].split("-->", 1)[1]).rstrip(), end
    return line, number  # never closed: it is text


# --- the ways to tell steps ---------------------------------------------------------------------------------

_Parts = tuple[list[_Line], list[_Draft], list[_Line]]


def _is_blank(line: _Line) -> bool:
    return line.fence is None and not line.text.strip()


def _numbered(content: list[_Line]) -> _Parts | None:
    """Split at the items of ordered lists."""
    starts = [i for i, line in enumerate(content) if line.fence is None and _ORDERED.match(line.text)]
    if not starts:
        return None
    base = min(content[i].indent for i in starts)
    if base > 3 or (len(starts) == 1 and not content[starts[0]].text.lstrip().startswith("1")):
        return None
    drafts: list[_Draft] = []
    limit = -1
    for index, line in enumerate(content):
        match = _ORDERED.match(line.text) if line.fence is None else None
        if match is not None and line.indent <= max(limit - 1, base) and not _is_prose_number(match):
            width = len(match.group(1)) + len(match.group(2)) + 1 + min(max(len(match.group(4)), 1), 4)
            drafts.append(_Draft(index, width))
            limit = width
    if not drafts:
        return None
    return _cut(content, drafts)


def _is_prose_number(match: re.Match[str]) -> bool:
    """Tell a wrapped sentence that starts with a number ("2019. Since then") from an item."""
    return int(match.group(2)) > 99


def _cut(content: list[_Line], drafts: list[_Draft]) -> _Parts:
    """Give each draft its lines up to the next one; what is outdented after the last one is the outro."""
    ends = [draft.first for draft in drafts[1:]] + [len(content)]
    for draft, end in zip(drafts, ends, strict=True):
        draft.lines = content[draft.first : end]
    last = drafts[-1]
    keep = _end_of_item(last)
    outro = last.lines[keep:]
    last.lines = last.lines[:keep]
    return content[: drafts[0].first], drafts, outro


def _end_of_item(draft: _Draft) -> int:
    """Return how many lines belong to the last item: up to an outdented paragraph after a blank line."""
    after_blank = False
    for index, line in enumerate(draft.lines[1:], 1):
        if _is_blank(line):
            after_blank = True
            continue
        outdented = line.indent < min(draft.content_indent, draft.lines[0].indent + 2)
        if outdented and after_blank and line.fence is None:
            return index
        after_blank = False
    return len(draft.lines)


def _by_headings(content: list[_Line]) -> _Parts | None:
    """Split at headings such as "Step 1: …"."""
    starts = [
        i
        for i, line in enumerate(content)
        if line.fence is None and (m := _HEADING.match(line.text)) and _STEP_HEADING.match(m.group(1))
    ]
    if len(starts) < 2:
        return None
    drafts = [_Draft(start, 0) for start in starts]
    ends = [*starts[1:], len(content)]
    for draft, end in zip(drafts, ends, strict=True):
        draft.lines = content[draft.first : end]
    return content[: starts[0]], drafts, []


def _bulleted(content: list[_Line]) -> _Parts | None:
    """Split at outer bullets, if most of them read like instructions.

    Several lists, each under its own paragraph ("If the node is down:"), give one step for each paragraph.
    """
    indents = [line.indent for line in content if _is_outer_bullet(line, 3)]
    if not indents:
        return None
    runs = _runs_of_bullets(content, min(indents) + 1)
    items = [part for run in runs for part in run.items]
    told = sum(1 for part in items if _is_instruction(part[0].text))
    if not items or told * 10 < len(items) * 6:
        return None
    intro, outro = ([], runs[-1].before) if not runs[-1].items else ([], [])
    runs = runs if runs[-1].items else runs[:-1]
    if len(runs) == 1:
        if any(line.fence is not None for line in runs[0].before):
            return None
        intro = runs[0].before
        drafts = [_Draft(0, part[0].indent + 2, part) for part in runs[0].items]
        return intro, drafts, outro
    drafts = []
    for run in runs:
        if run.before:
            drafts.append(_Draft(0, 0, [*run.before, *(line for part in run.items for line in part)]))
        else:
            drafts.extend(_Draft(0, part[0].indent + 2, part) for part in run.items)
    return intro, drafts, outro


@dataclass(slots=True)
class _Run:
    """Paragraphs, and the bullets right after them."""

    before: list[_Line] = field(default_factory=list)
    items: list[list[_Line]] = field(default_factory=list)


def _is_outer_bullet(line: _Line, most: int) -> bool:
    return line.fence is None and line.indent <= most and _BULLET.match(line.text) is not None


def _runs_of_bullets(content: list[_Line], base: int) -> list[_Run]:
    """Return paragraphs with the bullets that follow them; a list of links only counts as text."""
    runs = [_Run()]
    after_blank = True
    for line in content:
        run = runs[-1]
        if _is_outer_bullet(line, base):
            run.items.append([line])
        elif run.items and (
            _is_blank(line) or line.indent > base or not after_blank or line.fence is not None
        ):
            run.items[-1].append(line)
        elif run.items:
            runs.append(_Run([line]))
        else:
            run.before.append(line)
        after_blank = _is_blank(line)
    merged: list[_Run] = [_Run()]
    for run in runs:
        if merged[-1].items:
            merged.append(_Run())
        merged[-1].before.extend(run.before)
        if all(_LINKS_ONLY.fullmatch(_marker_free(item[0].text)) for item in run.items):
            merged[-1].before.extend(line for item in run.items for line in item)
        else:
            merged[-1].items = run.items
    for run in merged:
        run.before = _trimmed(run.before)
    return merged


def _marker_free(line: str) -> str:
    match = _BULLET.match(line)
    return (match.group(4) if match else line).strip()


def _is_instruction(line: str) -> bool:
    text = _marker_free(line)
    if _LINKS_ONLY.fullmatch(text):
        return False
    return len(text.split()) >= 3 or "`" in text or len(text) > 60 or not text.isascii()


def _by_code(content: list[_Line]) -> _Parts | None:
    """Split after each code block that holds a command; the paragraphs before it say what it is for."""
    drafts: list[_Draft] = []
    start = 0
    for index, line in enumerate(content):
        if line.fence is None or not _runs(line):
            continue
        if drafts and _is_output_next(content, index):
            drafts[-1].lines.extend(content[start : index + 1])
            start = index + 1
            continue
        while start < index and _is_blank(content[start]):
            start += 1
        drafts.append(_Draft(start, 0, content[start : index + 1]))
        start = index + 1
    if not drafts:
        return None
    intro = _leading(drafts[0])
    return intro, drafts, content[start:]


def _runs(line: _Line) -> bool:
    assert line.fence is not None
    return bool(commands_of_block(line.code, line.fence.language, line.number + 1))


def _is_output_next(content: Sequence[_Line], index: int) -> bool:
    before = next((line.text for line in reversed(content[:index]) if not _is_blank(line)), "")
    return _OUTPUT_AHEAD.search(before) is not None


def _leading(draft: _Draft) -> list[_Line]:
    """Take all but the last paragraph before the first code block out of the first step: the intro."""
    blanks = [i for i, line in enumerate(draft.lines[:-1]) if _is_blank(line)]
    while blanks and blanks[-1] == len(draft.lines) - 2:
        blanks.pop()  # the blank line between the paragraph and its code
    if not blanks:
        return []
    cut = blanks[-1]
    intro, draft.lines = draft.lines[:cut], draft.lines[cut + 1 :]
    return intro


# --- one step -----------------------------------------------------------------------------------------------


def _built(intro: list[_Line], drafts: list[_Draft], outro: list[_Line], *, assigned: set[str]) -> StepList:
    steps = tuple(_step(number, draft, assigned) for number, draft in enumerate(drafts[:MAX_STEPS], 1))
    return StepList(_joined(intro), steps, _joined(outro))


def _joined(lines: Sequence[_Line]) -> str:
    return "\n".join(line.text for line in lines).strip("\n")


def _step(number: int, draft: _Draft, assigned: set[str]) -> Step:
    reader = _StepReader(draft, assigned)
    reader.read()
    last = next((line.last for line in reversed(draft.lines) if not _is_blank(line)), draft.lines[0].number)
    found = {name: "\n".join(parts).strip() for name, parts in reader.attributes.items()}
    return Step(
        number=number,
        text="\n".join(reader.text).strip(),
        span=Span(draft.lines[0].number, last),
        commands=tuple(reader.commands),
        verify=found.get("verify", ""),
        expect=found.get("expect", ""),
        undo=found.get("undo", ""),
        if_not=found.get("if_not", ""),
        confirm=found.get("confirm", ""),
        details=tuple(text for part in reader.details if (text := "\n".join(part).strip("\n"))),
    )


class _StepReader:
    """Sorts a step's lines into its text, its commands, its attributes and further details."""

    def __init__(self, draft: _Draft, assigned: set[str]) -> None:
        self._draft = draft
        self._assigned = assigned
        self.text: list[str] = []
        self.commands: list[Command] = []
        self.attributes: dict[str, list[str]] = {}
        self.details: list[list[str]] = []
        self._target: list[str] = self.text
        self._in_callout = False
        self._target_indent = -1  # of the bullet whose text is being read; -1: the step's own text

    def read(self) -> None:
        """Read all lines; results are in the attributes."""
        for index, line in enumerate(self._draft.lines):
            if line.fence is not None:
                self._fence(line)
            else:
                self._line(line, is_first=index == 0)

    def _line(self, line: _Line, *, is_first: bool) -> None:
        text = self._without_marker(line.text) if is_first else line.text
        if is_first and (heading := _HEADING.match(text)):
            text = f"**{_STEP_NUMBER.sub('', plain_title(heading.group(1))) or heading.group(1)}**"
        if not text.strip():
            self._blank()
            return
        if not is_first and self._is_callout(text):
            return
        attribute = None if is_first else _ATTRIBUTE.match(text)
        bullet = None if is_first else _BULLET.match(text) or _ORDERED.match(text)
        if attribute is not None and (bullet is not None or self._target_indent < 0):
            name = _NAMES[attribute.group(1).lower()]
            self._target = self.attributes.setdefault(name, [])
            self._target_indent = line.indent
            self._target.append(attribute.group(2).strip())
        elif bullet is not None and (self._target_indent < 0 or line.indent <= self._target_indent):
            self._open_detail(line)
        elif self._target_indent >= 0 and line.indent <= self._target_indent:
            self._target_indent = -1  # back to the step's own text, after an attribute or a bullet
            self._target = self._new_detail()
            self._target.append(text.strip())
        else:
            is_sentence = self._target is self.text or (bullet is None and self._in_attribute())
            self._target.append(text.strip() if is_sentence else self._dedented(text))
        if self._target is self.text or is_first:
            self.commands.extend(commands_of_spans(text, line.number, assigned=self._assigned))

    def _in_attribute(self) -> bool:
        return self._target_indent >= 0 and any(self._target is part for part in self.attributes.values())

    def _is_callout(self, text: str) -> bool:
        """Take a line of a quoted warning: what it says has to be known before the step."""
        start = _CALLOUT.match(text)
        is_more = self._in_callout and text.lstrip().startswith(">")
        self._in_callout = start is not None or is_more
        if self._in_callout:
            said = start.group(1) if start is not None else text.lstrip().lstrip(">").strip()
            self.attributes.setdefault("confirm", []).append(said)
        return self._in_callout

    def _open_detail(self, line: _Line) -> None:
        if self._target_indent < 0 or not self.details or self._target is not self.details[-1]:
            self._target = self._new_detail()
        self._target_indent = line.indent
        self._target.append(self._dedented(line.text))
        self.commands.extend(commands_of_spans(line.text, line.number, assigned=self._assigned))

    def _new_detail(self) -> list[str]:
        self.details.append([])
        return self.details[-1]

    def _blank(self) -> None:
        self._in_callout = False
        if self._target:
            self._target.append("")

    def _without_marker(self, text: str) -> str:
        if match := _ORDERED.match(text):
            return match.group(5)
        if match := _BULLET.match(text):
            return match.group(4)
        return text

    def _dedented(self, text: str) -> str:
        indent = min(len(text) - len(text.lstrip()), self._draft.content_indent)
        return text[indent:].rstrip()

    def _fence(self, line: _Line) -> None:
        assert line.fence is not None
        if self._in_attribute() and line.indent > self._target_indent:
            self._target.extend(("", *(self._dedented(text) for text in line.text.split("\n"))))
            return
        language = line.fence.language
        code = _without_indent(line.code, line.indent)
        before = next((text for text in reversed(self._target) if text.strip()), "")
        is_output = bool(self.commands) and _OUTPUT_AHEAD.search(before) is not None
        found = (
            () if is_output else commands_of_block(code, language, line.number + 1, assigned=self._assigned)
        )
        if found:
            lead = code[: found[0].span.first_line - line.number - 1]
            if any(text.strip() for text in lead):
                self._new_detail().extend(lead)  # a remark above the first prompt
            self.commands.extend(found)
        elif self.commands and not self.commands[-1].output:
            self.commands[-1] = replace(self.commands[-1], output="\n".join(code).strip("\n"))
        else:
            self._new_detail().extend(self._dedented(text) for text in line.text.split("\n"))
        if self._target is not self.text:
            return
        self._target = self._new_detail()  # text after a command explains it; it is not the instruction


def _without_indent(code: Sequence[str], indent: int) -> list[str]:
    """Return code lines without up to ``indent`` leading blanks, as CommonMark takes them off."""
    result = []
    for line in code:
        expanded = line.expandtabs(4) if line[:1] == "\t" and indent else line
        blanks = len(expanded) - len(expanded.lstrip(" "))
        result.append(expanded[min(blanks, indent) :])
    return result
