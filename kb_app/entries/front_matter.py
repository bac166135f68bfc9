"""Front matter: a small, bounded, alias-free reader that returns plain strings and never raises.

Decision: YAML is read through its event stream, not through a loader. Events are flat, so depth, number and
aliases are capped while reading; nothing is constructed, so dates, numbers and ``no`` stay the text they
were; a merge key is only a strange key. The common case, ``key: word`` and ``- word`` lines without any YAML
punctuation, does not need YAML at all and is read by lines, which is thirty times faster. Where YAML is
broken (templates, a colon in an unquoted value) lines are read one by one and save what can be saved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from kb_app.entries.model import Note, Severity

MAX_BYTES = 8 * 1024
"""Front matter beyond this is not read as YAML. Source: measured maximum of 38,621 files is below 6 KB."""
MAX_EVENTS = 5_000
MAX_DEPTH = 6

_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_SIMPLE_KEY = re.compile(r"([A-Za-z][\w.-]*):(?:[ \t]+|$)(.*)")
_SIMPLE_ITEM = re.compile(r"[ ]*- +(.*)")
_PLAIN = re.compile(r"[A-Za-z0-9/.(][^:#{}\[\]&*!|>'\"%@`,?\\\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]*")
_NULLS = ("null", "Null", "NULL", "~")
_QUOTED = re.compile(r'"([^"\\]*)"|\'([^\']*)\'')
_LOOSE_KEY = re.compile(r"(['\"]?)([^\s:#'\"\[\]{}-][^:'\"]{0,80}?)\1\s*:(?:\s+(.*)|\s*)$")
_TOML_KEY = re.compile(r"\s*([\w.-]+|\"[^\"]+\")\s*=\s*(.*)$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The block between ``---`` lines.

    Attributes:
        values: key to text or tuple of texts, in order; keys of nested mappings are joined by dots.
        lines: key to 1-based line of the file.
        body_line: 1-based line where the body starts; 1 without front matter.
        notes: what was odd.
    """

    values: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    body_line: int = 1
    notes: tuple[Note, ...] = ()

    def text(self, *keys: str) -> str:
        """Return the first non-empty value under ``keys`` as one text; a list gives its first item."""
        for key in keys:
            value = self.values.get(key, "")
            first = value if isinstance(value, str) else next((v for v in value if v), "")
            if first:
                return first
        return ""

    def items(self, *keys: str) -> tuple[str, ...]:
        """Return the values under the first non-empty one of ``keys``; text counts as a list of one."""
        for key in keys:
            value = self.values.get(key, "")
            if value:
                return (value,) if isinstance(value, str) else value
        return ()


class _Refused(Exception):
    """The YAML is valid but not of the kind that is read here."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_front_matter(lines: Sequence[str]) -> FrontMatter:
    """Return the front matter of a file given as lines without line ends; never raises, never hangs."""
    first = _first_line(lines)
    if first is None:
        return FrontMatter()
    fence = lines[first].rstrip()
    closing = ("---", "...") if fence == "---" else ("+++",)
    last = _closing_line(lines, first + 1, closing)
    if last is None:
        return _unclosed(lines, first)
    block, offset = lines[first + 1 : last], first + 2
    if sum(len(line) + 1 for line in block) > MAX_BYTES:
        note = Note("front-matter-large", Severity.WARNING, "Front matter above 8 KB is not read", first + 1)
        return FrontMatter(body_line=last + 2, notes=(note,))
    if fence == "+++":
        values, found = _toml(block, offset)
        note = Note("front-matter-toml", Severity.INFO, "TOML front matter is read line by line", first + 1)
        return FrontMatter(values, found, last + 2, (note,))
    simple = _simple(block, offset)
    if simple is not None:
        return FrontMatter(*simple, body_line=last + 2)
    return _yaml(block, offset, last + 2)


def read_mapping(text: str) -> FrontMatter:
    """Return a whole YAML file (``kb.yml``) under the same rules; ``body_line`` means nothing here."""
    block = text.split("\n")
    return _simple_result(block) or _yaml(block, 1, 1)


def _simple_result(block: Sequence[str]) -> FrontMatter | None:
    simple = _simple(block, 1)
    return None if simple is None else FrontMatter(*simple)


def _first_line(lines: Sequence[str]) -> int | None:
    for number, line in enumerate(lines[:4]):
        if line.rstrip() in ("---", "+++"):
            return number
        if line.strip():
            return None
    return None


def _closing_line(lines: Sequence[str], start: int, closing: tuple[str, ...]) -> int | None:
    for number in range(start, min(len(lines), start + MAX_BYTES)):
        if lines[number].rstrip() in closing:
            return number
    return None


def _unclosed(lines: Sequence[str], first: int) -> FrontMatter:
    following = next((line for line in lines[first + 1 : first + 3] if line.strip()), "")
    if _SIMPLE_KEY.match(following) is None:
        return FrontMatter()  # a thematic break, not front matter
    note = Note("front-matter-unclosed", Severity.WARNING, "The front matter has no closing ---", first + 1)
    end = first + 1
    while end < min(len(lines), first + 500) and _SIMPLE_KEY.match(lines[end]):
        end += 1
    values, found = _loose(lines[first + 1 : end], first + 2)
    return FrontMatter(values, found, end + 1, (note,))


_Values = dict[str, str | tuple[str, ...]]


def _scalar(text: str) -> str | None:
    """Return the value of a scalar that means the same with and without YAML, else None."""
    text = text.rstrip(" ")
    if not text or text in _NULLS:
        return ""
    if _PLAIN.fullmatch(text):
        return text
    quoted = _QUOTED.fullmatch(text)
    return None if quoted is None else (quoted.group(1) or quoted.group(2) or "")


def _simple(block: Sequence[str], offset: int) -> tuple[_Values, dict[str, int]] | None:
    values: _Values = {}
    found: dict[str, int] = {}
    key, has_value, indent = "", False, 0
    items: list[str] | None = None
    for number, line in enumerate(block, offset):
        if match := _SIMPLE_KEY.fullmatch(line):
            if items is not None:
                values[key] = tuple(items)
            key, items = match.group(1), None
            value = _scalar(match.group(2))
            if value is None or key in values:
                return None
            values[key], found[key] = value, number
            has_value = bool(match.group(2).strip())
        elif (match := _SIMPLE_ITEM.fullmatch(line)) and key and not has_value:
            value = _scalar(match.group(1))
            if value is None or not value or (items is not None and line.index("-") != indent):
                return None
            if items is None:
                items, indent = [], line.index("-")
            items.append(value)
        elif line.strip():
            return None
    if items is not None:
        values[key] = tuple(items)
    return values, found


def _yaml(block: Sequence[str], offset: int, body_line: int) -> FrontMatter:
    text = "\n".join(block)
    if len(text) > 8 * MAX_BYTES:
        note = Note("front-matter-large", Severity.WARNING, "More than 64 KB of YAML are not read", offset)
        return FrontMatter(body_line=body_line, notes=(note,))
    reader = _EventReader(offset)
    try:
        if _CONTROL.search(text) or text.isspace():
            text = _CONTROL.sub(" ", text).strip(" ")
        values = reader.read(text)
    except (yaml.YAMLError, _Refused, ValueError, RecursionError) as error:
        loose, found = _loose(block, offset)
        message = f"The front matter is not valid YAML ({_reason(error)}); its lines are read one by one"
        note = Note("front-matter-broken", Severity.WARNING, message, _error_line(error, offset))
        return FrontMatter(loose, found, body_line, (*reader.notes, note))
    if values is None:
        return FrontMatter()  # a text between two thematic breaks
    return FrontMatter(values, reader.lines, body_line, tuple(reader.notes))


def _reason(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    return " ".join(str(problem).split())[:120]


def _error_line(error: Exception, offset: int) -> int:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return offset + int(mark.line)
    return error.line if isinstance(error, _Refused) else offset


class _EventReader:
    """Reads one document's events into flat values, with caps.

    Attributes:
        lines: key to 1-based line.
        notes: duplicate and merge keys, further documents.
    """

    def __init__(self, offset: int) -> None:
        self.lines: dict[str, int] = {}
        self.notes: list[Note] = []
        self._offset = offset
        self._count = 0
        self._events: Iterator[yaml.Event] = iter(())

    def read(self, text: str) -> _Values | None:
        """Return the values; None when the document is a scalar or a list.

        Raises:
            yaml.YAMLError: when the text is not YAML.
            _Refused: when it is, but needs aliases or exceeds a cap.
        """
        self._events = iter(yaml.parse(text, Loader=_Loader))
        values: _Values = {}
        for event in self._events:
            if isinstance(event, yaml.MappingStartEvent):
                self._mapping("", values, 1)
            elif isinstance(event, yaml.ScalarEvent):
                if event.value.strip():
                    return None
            elif isinstance(event, yaml.SequenceStartEvent | yaml.AliasEvent):
                return None
            elif isinstance(event, yaml.DocumentEndEvent):
                break
        return values

    def _next(self) -> yaml.Event:
        event = next(self._events)
        self._count += 1
        line = self._line(event)
        if self._count > MAX_EVENTS:
            raise _Refused(f"more than {MAX_EVENTS} items", line)
        if isinstance(event, yaml.AliasEvent):
            raise _Refused("aliases are not read", line)
        return event

    def _line(self, event: yaml.Event) -> int:
        return self._offset + (0 if event.start_mark is None else int(event.start_mark.line))

    def _mapping(self, prefix: str, values: _Values, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH} levels", self._offset)
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            line = self._line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _Refused("a key is not plain text", line)
            name = self._text(event, depth)
            key = f"{prefix}{name}"
            if name == "<<":
                message = "Merge keys (<<) have no effect in front matter"
                self.notes.append(Note("front-matter-merge-key", Severity.WARNING, message, line))
            if key in values:
                message = f"The key {key!r} occurs twice in the front matter; the last one counts"
                self.notes.append(Note("front-matter-duplicate-key", Severity.WARNING, message, line))
            self.lines[key] = line
            value = self._next()
            if isinstance(value, yaml.MappingStartEvent):
                self._mapping(f"{key}.", values, depth + 1)
            elif isinstance(value, yaml.SequenceStartEvent):
                values[key] = self._sequence(depth + 1)
            else:
                values[key] = self._text(value, depth)

    def _sequence(self, depth: int) -> tuple[str, ...]:
        if depth > MAX_DEPTH:
            raise _Refused(f"nested deeper than {MAX_DEPTH} levels", self._offset)
        items: list[str] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._text(event, depth))
        return tuple(item for item in items if item)

    def _text(self, event: yaml.Event, depth: int) -> str:
        if isinstance(event, yaml.ScalarEvent):
            return "" if event.value in _NULLS and not event.style else str(event.value).strip()
        if isinstance(event, yaml.SequenceStartEvent):
            return ", ".join(self._sequence(depth + 1))
        inner: _Values = {}
        self._mapping("", inner, depth + 1)
        return ", ".join(f"{k}: {v if isinstance(v, str) else ', '.join(v)}" for k, v in inner.items())


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return text


def _list_or_text(text: str) -> str | tuple[str, ...]:
    text = text.strip().rstrip(",")
    if text.startswith("[") and text.endswith("]"):
        return tuple(item for part in text[1:-1].split(",") if (item := _unquoted(part)))
    return _unquoted(text)


def _loose(block: Sequence[str], offset: int) -> tuple[_Values, dict[str, int]]:
    """Read ``key: value`` and ``- item`` lines, leaving out what does not look like either."""
    values: _Values = {}
    found: dict[str, int] = {}
    key = ""
    for number, line in enumerate(block, offset):
        stripped = line.strip()
        if stripped.startswith("- ") and key:
            value = values[key]
            before = value if isinstance(value, tuple) else (value,) if value else ()
            values[key] = (*before, _unquoted(stripped[2:]))
        elif not line[:1].isspace() and len(line) < 2_000 and (match := _LOOSE_KEY.match(line)):
            key = match.group(2).strip()
            values[key], found[key] = _list_or_text(match.group(3) or ""), number
    return values, found


def _toml(block: Sequence[str], offset: int) -> tuple[_Values, dict[str, int]]:
    values: _Values = {}
    found: dict[str, int] = {}
    for number, line in enumerate(block, offset):
        if len(line) < 2_000 and (match := _TOML_KEY.match(line)):
            key = _unquoted(match.group(1))
            values[key], found[key] = _list_or_text(match.group(2)), number
    return values, found
