"""What an entry has to do with others: links both ways, its alert's family, its component.

Everything is looked up in the open segments; only who links here is read from the cards' file, where the
lines that can be meant are found by their bytes.
"""

from __future__ import annotations

import json
import posixpath
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from kb_app.search.catalogue_file import read_lines
from kb_app.search.columns import Segment
from kb_app.search.documents import compact_name

MAX_FAMILY = 6
MAX_COMPONENT = 8
MIN_FAMILY = 5
_SUFFIXES = ("", ".md", ".markdown", "/README.md", "/index.md", "/_index.md")
_CAMEL = re.compile(r"[A-Z][a-z0-9]+|[A-Z]+(?![a-z])")


def stated_relations(
    segments: Sequence[Segment], folder: Path, path: str
) -> Iterator[tuple[Segment, int, str]]:
    """Yield documents that have to do with the entry at ``path``, strongest first: segment, number, why.

    Args:
        segments: those of its knowledge base.
        folder: its index folder.
        path: the entry.
    """
    own = next((s for s in segments if s.document_of(path) >= 0), None)
    if own is None:
        return
    card, _ = own.shown_card(own.document_of(path))
    for target in _pointers(card):
        for segment, number in _targets(segments, path, target):
            yield segment, number, "linked here"
    for source in _linking(folder, card, segments):
        yield from ((s, s.document_of(source), "links here") for s in segments if s.document_of(source) >= 0)
    for segment in segments:
        yield from ((segment, number, "same alert family") for number in _family(segment, card["alerts"]))
    for segment in segments:
        yield from ((segment, number, "same component") for number in _same_component(segment, card))


def _targets(segments: Sequence[Segment], path: str, target: str) -> list[tuple[Segment, int]]:
    """Return the documents that a link, an id or an old path leads to."""
    bare = unquote(target.split("#", 1)[0].split("?", 1)[0]).strip()
    if not bare or "://" in bare:
        return []
    folder = posixpath.dirname(path)
    bases = (bare.lstrip("/"),) if bare.startswith("/") else (posixpath.join(folder, bare), bare)
    for base in bases:
        plain = posixpath.normpath(base).removesuffix(".html")
        for candidate in (f"{plain}{suffix}" for suffix in _SUFFIXES):
            for segment in segments:
                if (number := segment.document_of(candidate)) >= 0:
                    return [(segment, number)]
    if "/" in bare:
        return []
    named = [(s, n) for s in segments for n in s.named(compact_name(bare)).tolist() if not s.deleted[n]]
    return named[:1]


def _pointers(card: dict[str, Any]) -> list[str]:
    """Return what an entry names of others: links, ids, old paths."""
    return [*card.get("related", ()), *card.get("depends_on", ()), *card.get("links", ())]


def _linking(folder: Path, card: dict[str, Any], segments: Sequence[Segment]) -> list[str]:
    """Return the paths of the entries that link to the one of ``card``."""
    path = card["path"]
    names = {path.rsplit("/", 1)[-1].rsplit(".", 1)[0], card["id"]}
    if path.rsplit("/", 1)[-1] in ("README.md", "index.md", "_index.md"):
        names.add(posixpath.dirname(path).rsplit("/", 1)[-1])
    wanted = [json.dumps(name)[1:-1].encode() for name in names if name]
    found = []
    for line in (read_lines(folder) or {}).values():
        body = line.partition(b"\t")[2]
        related = body[body.find(b'"related":') :]
        if not any(name in related for name in wanted):
            continue
        other = json.loads(body)
        own = next((s for s in segments if s.document_of(path) >= 0), None)
        for target in _pointers(other):
            hits = _targets(segments, other["path"], target)
            if own is not None and (own, own.document_of(path)) in hits:
                found.append(other["path"])
                break
    return found


def _family(segment: Segment, alerts: Iterable[str]) -> list[int]:
    """Return the documents of alerts that start with the same two words (KubePod…, EtcdMembers…)."""
    found: dict[int, None] = {}
    for alert in alerts:
        prefix = compact_name("".join(_CAMEL.findall(alert)[:2]))
        if len(prefix) < MIN_FAMILY:
            continue
        low = bisect_left(segment.names, prefix)
        for name, document in zip(
            segment.names[low : low + 200],
            segment.arrays["name_document"][low : low + 200].tolist(),
            strict=True,
        ):
            if not name.startswith(prefix) or len(found) >= MAX_FAMILY:
                break
            if " " not in segment.paths[document].rsplit("/", 1)[-1] and not segment.deleted[document]:
                found.setdefault(document)
    return list(found)


def _same_component(segment: Segment, card: dict[str, Any]) -> list[int]:
    """Return documents of the same product and component."""
    if not card["component"]:
        return []
    values = segment.facet_values["component"]
    if card["component"] not in values:
        return []
    code = values.index(card["component"])
    owners = segment.facet_owners("component")[segment.arrays["facet_component_code"] == code]
    found = []
    for number in owners.tolist():
        if segment.deleted[number]:
            continue
        other, _ = segment.shown_card(number)
        if other["product"] == card["product"]:
            found.append(number)
        if len(found) > MAX_COMPONENT:
            break
    return found
