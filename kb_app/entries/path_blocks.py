"""Path blocks: mitigations, fixes and levers of a page, with attributes and steps."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kb_app.entries.durations import parse_duration
from kb_app.entries.model import Path, PathAttributes, PathKind, Role, Section, Span
from kb_app.entries.outline import Fence, Outline, heading_meaning, without_comments
from kb_app.entries.steps import StepList, steps_of

_KINDS = {Role.MITIGATION: PathKind.MITIGATION, Role.FIX: PathKind.FIX, Role.LEVER: PathKind.LEVER}
_BULLET = re.compile(
    r" {0,3}[-*+][ \t]+(?:[*_]{1,2})?([A-Za-z][A-Za-z ]{0,30}?)(?:[*_]{1,2})?[ \t]*:(?:[*_]{1,2})?"
    r"(?:[ \t]+(.*)|$)"
)
_NAMES = {
    "time": "time", "duration": "time", "eta": "time", "estimated time": "time",
    "risk": "risk", "reversible": "reversible", "blast": "blast", "blast radius": "blast",
    "approval": "approval",
    "restores": "restores", "data": "data", "contains": "contains", "confidence": "confidence",
}  # fmt: skip
_ALTERNATIVE = re.compile(
    r"(?:\W*(?:option|alternative|method|approach|variant|case|scenario|way)s?\b"
    r"|(?:if|for|when|on|using|via|without)\s)",
    re.IGNORECASE,
)
MAX_PATHS = 100
"""More than any page for people has: beyond it a page is generated and its headings mean something else."""
CHOICES = {
    "risk": ("low", "medium", "high"),
    "reversible": ("yes", "partly", "no"),
    "blast": ("instance", "cell", "region", "global"),
    "restores": ("full", "partial"),
    "data": ("safe", "loses"),
    "contains": ("yes", "no"),
    "confidence": ("guess", "likely", "proven"),
}
"""Attribute to the values it may have; source: the entry model's table of path attributes."""
_NOT_STATED = ("not stated", "unknown", "?", "-", "n/a", "tbd", "todo")
_SAME = {
    "med": "medium", "partial": "partly", "partially": "partly", "true": "yes", "false": "no",
    "lossy": "loses", "fully": "full",
}  # fmt: skip
_WAYS_OUT = r"(?:mitigation|workaround|solution|resolution|lever|action)s?|fix(?:es)?|remed(?:y|ies)"
_NONE = re.compile(
    r"(?:none|nothing|n/?a|not applicable|not available|none (?:known|needed|required|available|yet)|unknown"
    r"|(?:there (?:is|are) |currently |we know )*(?:no|none|not any)"
    rf"(?: (?:known|other|current|further|permanent|real|good|specific))* (?:{_WAYS_OUT})(?: (?:is|are))?"
    r"(?: (?:known|available|needed|required|necessary|possible|at (?:this|the) (?:time|moment)))*(?: yet)?"
    r"|无|没有|暂无)[.!]*",
    re.IGNORECASE,
)
_TODO = re.compile(
    r"(?:todo|tbd|tba|wip|fixme|coming soon|to be (?:done|written|determined|added)|待补充|待定)\b[.:!…\s]*",
    re.IGNORECASE,
)


def paths_of(
    outline: Outline, sections: Sequence[Section], *, is_schema: bool = False, detail: bool = True
) -> tuple[Path, ...]:
    """Return the paths of a page in order.

    Args:
        outline: of the page.
        sections: of the page.
        is_schema: the front matter uses this program's keys, so headings are meant as typed paths.
        detail: read steps; without it ``steps`` stays empty.
    """
    chosen = [section for section in sections if section.role in _KINDS][:MAX_PATHS]
    if not chosen:
        return ()
    body_lines = {heading.first_line: heading.last_line + 1 for heading in outline.headings}
    found = []
    for index, section in enumerate(chosen):
        holes = _holes(chosen, index)
        path = _path(outline, section, body_lines[section.span.first_line], holes, detail=detail)
        if path is None:
            continue
        others = () if holes else _alternatives(section, sections)
        found.extend(_split(outline, path, others, body_lines, detail=detail) or [path])
    checks = {s.span.first_line: s for s in sections if s.role is Role.VERIFY}
    found = [_verified(path, checks.get(path.span.last_line + 1), outline.lines) for path in found]
    has_both = {PathKind.MITIGATION, PathKind.FIX} <= {path.kind for path in found}
    return tuple(replace(path, is_typed=path.is_typed or is_schema or has_both) for path in found)


def _verified(path: Path, section: Section | None, lines: Sequence[str]) -> Path:
    """Return ``path`` with the "Verify" section below it as its last step's check, if it has no other."""
    if section is None or not path.steps or any(step.verify for step in path.steps):
        return path
    text = without_comments("\n".join(lines[section.span.first_line : section.span.last_line])).strip()
    return replace(path, steps=(*path.steps[:-1], replace(path.steps[-1], verify=text)))


def _alternatives(section: Section, sections: Sequence[Section]) -> list[Section]:
    """Return the sub-sections of a path if they are a choice of ways ("Option A", "If …"), else nothing."""
    start = bisect_right(sections, section.span.first_line, key=lambda other: other.span.first_line)
    inner: list[Section] = []
    for other in sections[start:]:
        if other.span.first_line > section.span.last_line:
            break
        if not inner or other.span.first_line > inner[-1].span.last_line:
            inner.append(other)
    is_choice = all(other.role is Role.OTHER and _ALTERNATIVE.match(other.title) for other in inner)
    return inner if is_choice and len(inner) > 1 else []


def _split(
    outline: Outline, path: Path, others: Sequence[Section], body_lines: Mapping[int, int], *, detail: bool
) -> list[Path]:
    """Return one path for each alternative: followed one after the other they would do harm.

    What stands above the first of them holds for all: it opens each intro, its attributes are inherited.
    """
    if not others:
        return []
    shared = outline.lines[body_lines[path.span.first_line] - 1 : others[0].span.first_line - 1]
    _, body_first = _attributes(shared, 1, len(shared))
    opening = without_comments("\n".join(shared[body_first - 1 :])).strip("\n")
    found = []
    for other in others:
        own = _path(outline, other, body_lines[other.span.first_line], (), detail=detail, kind=path.kind)
        if own is not None:
            stated = path.attributes if own.attributes == PathAttributes() else own.attributes
            intro = "\n\n".join(part for part in (opening, own.intro) if part)
            is_typed = own.is_typed or path.is_typed
            found.append(replace(own, attributes=stated, intro=intro, is_typed=is_typed, name=other.title))
    return found


def _holes(chosen: Sequence[Section], index: int) -> list[Span]:
    """Return the outermost paths inside the one at ``index``: their lines are not its own."""
    outer = chosen[index].span
    holes: list[Span] = []
    for section in chosen[index + 1 :]:
        if section.span.first_line > outer.last_line:
            break
        if not holes or section.span.first_line > holes[-1].last_line:
            holes.append(section.span)
    return holes


def _path(
    outline: Outline,
    section: Section,
    first: int,
    inner: Sequence[Span],
    *,
    detail: bool,
    kind: PathKind | None = None,
) -> Path | None:
    """Return the path in ``section``, or None when it holds nothing of its own."""
    attributes, body_first = _attributes(outline.lines, first, section.span.last_line)
    body = _text(outline.lines, Span(body_first, section.span.last_line), inner)
    plain = _told(body)
    if (not plain and attributes == PathAttributes()) or _TODO.fullmatch(plain):
        return None
    if inner and not _has_prose(body):
        return None
    meaning = heading_meaning(section.title)
    is_none = _NONE.fullmatch(plain) is not None
    steps = StepList()
    if detail and not is_none:
        span = Span(body_first, section.span.last_line)
        steps = steps_of(outline.lines, span, _within(outline.fences, span), skip=inner)
    return Path(
        kind=kind or _KINDS[section.role],
        is_typed=meaning.is_stated or attributes != PathAttributes(),
        name=meaning.name,
        heading=section.title,
        anchor=section.anchor,
        span=section.span,
        attributes=attributes,
        steps=steps.steps,
        body=body,
        is_none=is_none,
        intro=steps.intro,
        outro=steps.outro,
    )


_SEE_ALSO = re.compile(r"(?:[-*+]\s+)?(?:see(?: also)?:?\s*)?\[[^\[\]]*\]\([^()]*\)[.,;]?", re.IGNORECASE)
_EMPTY_ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)])?\s*(?:[A-Z][A-Za-z ]{0,20}:)?\s*")


def _told(body: str) -> str:
    """Return what a body says on one line, without comments, empty list items and pointers elsewhere."""
    lines = (line.strip() for line in without_comments(body).split("\n"))
    told = (line for line in lines if not _SEE_ALSO.fullmatch(line) and not _EMPTY_ITEM.fullmatch(line))
    return " ".join(" ".join(told).split()).strip("*_`>-# ")


def _has_prose(body: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith(("#", "<!--")) for line in body.split("\n"))


def _within(fences: Sequence[Fence], span: Span) -> Sequence[Fence]:
    firsts = [fence.first_line for fence in fences]
    return fences[bisect_left(firsts, span.first_line) : bisect_right(firsts, span.last_line)]


def _text(lines: Sequence[str], span: Span, skip: Sequence[Span]) -> str:
    parts: list[str] = []
    number = span.first_line
    for hole in (*skip, Span(span.last_line + 1, span.last_line + 1)):
        parts.extend(lines[number - 1 : hole.first_line - 1])
        number = max(number, hole.last_line + 1)
    return "\n".join(parts).strip("\n")


# --- attributes ---------------------------------------------------------------------------------------------


def _attributes(lines: Sequence[str], first: int, last: int) -> tuple[PathAttributes, int]:
    """Return the attributes in the bullets that follow the heading, and the first line after them."""
    rows = list(_attribute_rows(lines, first, last))
    if not rows or not any(name.lower() in _NAMES for _, name, _ in rows):
        return PathAttributes(), first
    values: dict[str, str] = {}
    for _, name, value in rows:
        values.setdefault(_NAMES.get(name.lower(), name.lower()), value)
    return attributes_from(values), rows[-1][0] + 1


def _attribute_rows(lines: Sequence[str], first: int, last: int) -> Iterator[tuple[int, str, str]]:
    started = False
    for number in range(first, last + 1):
        line = lines[number - 1]
        if not line.strip() or (not started and not without_comments(line).strip()):
            if started:
                return
            continue
        match = _BULLET.match(line[:500])
        if match is None:
            return
        started = True
        yield number, match.group(1).strip(), (match.group(2) or "").strip()


def attributes_from(values: dict[str, str]) -> PathAttributes:
    """Return attributes from name to text; a value outside its choices is kept under ``other``."""
    known: dict[str, str] = {}
    other: dict[str, str] = {}
    left_open: list[str] = []
    for name, value in values.items():
        text = without_comments(value).strip().rstrip(".")
        if text.lower() == _NOT_STATED[0]:
            left_open.append(name)
        if not text or text.lower() in _NOT_STATED:
            continue
        if name == "approval":
            known[name] = text.lower() if text.lower() in ("none", "before") else text
        elif name in CHOICES and (choice := _choice(text, CHOICES[name])):
            known[name] = choice
        else:
            other[name] = value
    duration = parse_duration(other["time"]) if "time" in other else None
    if duration is not None:
        del other["time"]
    contains = known.get("contains")
    return PathAttributes(
        time=duration,
        risk=known.get("risk"),
        reversible=known.get("reversible"),
        blast=known.get("blast"),
        approval=known.get("approval"),
        restores=known.get("restores"),
        data=known.get("data"),
        contains=None if contains is None else contains == "yes",
        confidence=known.get("confidence"),
        other=other,
        left_open=tuple(left_open),
    )


def _choice(text: str, choices: Sequence[str]) -> str:
    """Return the choice that ``text`` starts with ("low", "low (read-only)"), or empty."""
    match = re.match(r"[A-Za-z]+", text.lower())
    word = match.group() if match else ""
    word = word if word in choices else _SAME.get(word, word)
    return word if word in choices else ""
