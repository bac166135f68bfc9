"""Links and images of a text, outside code, with their lines."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from urllib.parse import unquote

from kb_app.entries.model import Link
from kb_app.entries.outline import CODE_SPAN, Outline

_INLINE = re.compile(
    r"(!?)\[([^\[\]]{0,500})\]\(\s{0,3}(?:<([^<>]{1,2000})>"
    r"|([^\s()<>]{1,1000}(?:\([^\s()<>]{0,300}\)[^\s()<>]{0,300})?))(?:\s+(?:\"[^\"]{0,500}\""
    r"|'[^']{0,500}'))?\s{0,3}\)"
)
_HUGO_REF = re.compile(
    r"\[([^\[\]]{0,500})\]\(\s{0,3}\{\{[<%]\s{0,3}(?:rel)?ref\s{1,3}\"([^\"{}]{1,1000})\"\s{0,3}[%>]\}\}\s{0,3}\)"
)
_OUTER_OF_IMAGE = re.compile(r"\]\([^()\s]{1,2000}\)\]\(\s{0,3}([^\s()<>]{1,2000})\s{0,3}\)")
_REFERENCE = re.compile(r"(!?)\[([^\[\]]{1,300})\](?:\[([^\[\]]{0,300})\])?(?![\[(:])")
_DEFINITION = re.compile(r" {0,3}\[([^\[\]^][^\[\]]{0,300})\]:\s{0,8}(?:<([^<>]{1,2000})>|(\S{1,2000}))")
_AUTO = re.compile(r"<((?:https?|mailto):[^\s<>]{1,2000})>")
MAX_LINKS = 2_000


def links_of(outline: Outline, body_line: int = 1) -> tuple[Link, ...]:
    """Return the first `MAX_LINKS` links and images from ``body_line`` on, in order of lines."""
    found: list[Link] = []
    code, definitions = outline.code, _definitions(outline, body_line)
    for number in range(body_line, len(outline.lines) + 1):
        line = outline.lines[number - 1]
        if code[number - 1]:
            continue
        if "](" in line or (definitions and "[" in line) or "<http" in line or "<mailto" in line:
            found.extend(_links_of_line(line[:20_000], number, definitions))
            if len(found) >= MAX_LINKS:
                break
    return tuple(found[:MAX_LINKS])


def _links_of_line(line: str, number: int, definitions: Mapping[str, str]) -> Iterator[Link]:
    text = CODE_SPAN.sub(lambda match: " " * len(match.group()), line) if "`" in line else line
    if "](" in text:
        for match in _INLINE.finditer(text):
            label = line[match.start(2) : match.end(2)]
            yield Link(match.group(3) or match.group(4), label, number, bool(match.group(1)))
        yield from (Link(match.group(1), "", number) for match in _OUTER_OF_IMAGE.finditer(text))
        if "{{" in text:
            yield from (Link(match.group(2), match.group(1), number) for match in _HUGO_REF.finditer(text))
    if definitions and "[" in text:
        yield from _references(text, number, definitions)
    if "<" in text:
        yield from (Link(match.group(1), match.group(1), number) for match in _AUTO.finditer(text))


def _definitions(outline: Outline, body_line: int) -> dict[str, str]:
    definitions: dict[str, str] = {}
    for number in range(body_line, len(outline.lines) + 1):
        line = outline.lines[number - 1]
        if "]:" in line and not outline.code[number - 1] and (match := _DEFINITION.match(line)):
            definitions.setdefault(_key(match.group(1)), match.group(2) or match.group(3))
    return definitions


def _key(label: str) -> str:
    return " ".join(label.split()).casefold()


def _references(text: str, number: int, definitions: Mapping[str, str]) -> list[Link]:
    if _DEFINITION.match(text):
        return []
    found = []
    for match in _REFERENCE.finditer(text):
        target = definitions.get(_key(match.group(3) or match.group(2)))
        if target is not None:
            found.append(Link(target, match.group(2), number, bool(match.group(1))))
    return found


def related_files(
    relative: str, links: Sequence[Link], provenance: MutableMapping[str, str]
) -> tuple[str, ...]:
    """Return the Markdown files that the text links to, as paths in the knowledge base; at most 50."""
    folder = posixpath.dirname(relative)
    found: dict[str, None] = {}
    for link in links:
        target = link.target.split("#", 1)[0].split("?", 1)[0]
        if link.is_image or not target.lower().endswith((".md", ".mdx", ".markdown")) or ":" in target:
            continue
        joined = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
        path = posixpath.normpath(unquote(joined))
        if not path.startswith("..") and path != relative:
            found[path] = None
        if len(found) >= 50:
            break
    if found:
        provenance["related"] = "from links in the text"
    return tuple(found)
