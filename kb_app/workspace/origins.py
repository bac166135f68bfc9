"""Where a copy of an entry comes from, written into the copy itself. Pure: texts in, texts out.

Decision: the origin stands in the copy's front matter, as three flat keys, and not in a file beside it. So
it travels with the entry when it is moved, renamed, mailed or merged, two people who copy different entries
never meet in one file, and every editor shows it. ``origin_blob`` is Git's own name for the copied bytes, so
that any clone of the origin can tell what they were.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb_app.entries.front_matter import read_front_matter

BASE, PATH, BLOB = "origin_base", "origin_path", "origin_blob"

_ORIGIN_LINE = re.compile(r"origin_(?:base|path|blob)\s*[:=]")
_BLOB = re.compile(r"[0-9a-f]{40}")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a copy was made from: knowledge base by name, path in it, Git's name of its bytes then."""

    base: str
    path: str
    blob: str


def blob_of(raw: bytes) -> str:
    """Return Git's name for a file's bytes (SHA-1 object format).

    Source: ``gitformat-loose(5)``, ``git hash-object``.
    """
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def origin_of(front_matter: Mapping[str, str | tuple[str, ...]]) -> Origin | None:
    """Return the origin that an entry's front matter states, or None when it is no copy."""
    values = [front_matter.get(key) for key in (BASE, PATH, BLOB)]
    base, path, blob = (value if isinstance(value, str) else "" for value in values)
    return Origin(base, path, blob) if base and path and _BLOB.fullmatch(blob) else None


def with_origin(text: str, origin: Origin) -> str:
    """Return an entry's text that states ``origin``; what it stated before is replaced, all else stays."""
    text = without_origin(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    mark = _BOM if text.startswith(_BOM) else ""
    body = text.removeprefix(_BOM)
    lines = body.split("\n")
    plain = [line.removesuffix("\r") for line in lines]
    closing = _closing_line(plain)
    pairs = ((BASE, origin.base), (PATH, origin.path), (BLOB, origin.blob))
    if closing <= 1:  # none, or an empty one, which is then left as it is below ours
        stated = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in pairs]
        return mark + newline.join(["---", *stated, "---", ""]) + body
    if plain[0].rstrip() == "+++":
        stated = [f"{key} = '{value}'" if "'" not in value else f'{key} = "{value}"' for key, value in pairs]
    else:
        stated = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in pairs]
    end = "\r" if newline == "\r\n" else ""
    lines[closing:closing] = [line + end for line in stated]
    return mark + "\n".join(lines)


def without_origin(text: str) -> str:
    """Return an entry's text as it would be without an origin; front matter that held nothing else goes."""
    mark = _BOM if text.startswith(_BOM) else ""
    lines = text.removeprefix(_BOM).split("\n")
    plain = [line.removesuffix("\r") for line in lines]
    closing = _closing_line(plain)
    kept = [
        line
        for number, line in enumerate(lines)
        if not (0 < number < closing and _ORIGIN_LINE.match(plain[number]))
    ]
    removed = len(lines) - len(kept)
    if not removed:
        return text
    if removed == closing - 1 and plain[0] == "---":
        kept = kept[2:]
    return mark + "\n".join(kept)


def _closing_line(lines: Sequence[str]) -> int:
    """Return the index of the line that closes the front matter, or 0 when there is none or it stays open."""
    closing = read_front_matter(lines).body_line - 2
    fences = ("+++",) if lines[0].rstrip() == "+++" else ("---", "...")
    return closing if 0 < closing < len(lines) and lines[closing].rstrip() in fences else 0
