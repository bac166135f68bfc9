"""From an entry to what the index takes in: lines of text, each with the field it counts for."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from kb_app.entries.model import Entry, EntryCard, Role
from kb_app.search.analysis import fold, raw_tokens, split_token
from kb_app.search.catalogue_file import card_json

Integers = npt.NDArray[np.int32]


class Field(IntEnum):
    """Where in an entry a word stands; the order is that of the index's columns."""

    NAME = 0
    HEADING = 1
    SIGNATURE = 2
    SYMPTOM = 3
    BODY = 4
    CODE = 5
    META = 6


FIELD_COUNT = len(Field)
MAX_TEXT = 2_000_000
"""Characters of one entry that are indexed; the longest real page seen has 670,000."""

_FENCE = re.compile(r"^ {0,12}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?=\s|[^#\s!])")
_NOISE = re.compile(
    r"<!--.*?-->"  # comments hold hidden or conditional text
    r"|\{\{[<%].*?[%>]\}\}|\{%.*?%\}|<%.*?%>"  # template tags; the text between them stays
    r"|\]\((?:[^()\s]|\([^()]*\))*\)"  # a link's target is not read, its label is
    r"|</?[a-zA-Z][^<>\n]{0,300}>"  # HTML tags
)
_PROSE_MARKS = re.compile(r"^\s*(?:>+\s*)+")
_SYMPTOM_ROLES = frozenset({Role.SYMPTOMS, Role.MEANING, Role.IMPACT})


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """One entry as the index takes it in.

    Attributes:
        card: what lists and facets show of it.
        names: title, headline, stem, alerts, aliases, id; each can be asked for by itself.
        lines: ``(field, line number, text)``; number 0 for values that stand in no line.
        text: the whole file, for snippets.
        anchors: ``(first line, anchor)`` of its sections, ascending.
    """

    card: EntryCard
    names: tuple[str, ...]
    lines: tuple[tuple[Field, int, str], ...]
    text: str
    anchors: tuple[tuple[int, str], ...] = ()


def document_of(entry: Entry, card: EntryCard) -> IndexedDocument:
    """Return what the index takes of ``entry``."""
    names = tuple(
        dict.fromkeys(
            name
            for name in (entry.title, entry.headline, entry.stem, *entry.alerts, *entry.aliases, entry.id)
            if name
        )
    )
    lines: list[tuple[Field, int, str]] = [(Field.NAME, 0, name) for name in names]
    lines += [(Field.SIGNATURE, 0, text) for text in (*entry.signatures, entry.tracker) if text]
    lines += [(Field.SYMPTOM, 0, text) for text in entry.answers]
    lines += [(Field.META, 0, text) for text in _meta(entry) if text]
    lines += _body_lines(entry)
    anchors = tuple((section.span.first_line, section.anchor) for section in entry.sections if section.anchor)
    return IndexedDocument(card, names, tuple(lines), entry.text, anchors)


def document_of_card(card: EntryCard) -> IndexedDocument:
    """Return a document of names alone, for the time before the texts are indexed."""
    stem = card.path.rsplit("/", 1)[-1].split(".", 1)[0]
    names = tuple(dict.fromkeys(n for n in (card.title, stem, *card.alerts, *card.aliases, card.id) if n))
    lines = [(Field.NAME, 0, name) for name in names]
    lines += [(Field.META, 0, text) for text in (card.product, card.component, *card.tags) if text]
    return IndexedDocument(card, names, tuple(lines), card.summary)


def _meta(entry: Entry) -> Iterator[str]:
    yield from (entry.product, entry.component, entry.owner, *entry.tags, *entry.affected)
    yield from (*entry.environment, *entry.depends_on)
    yield from entry.path.split("/")[:-1]


def _body_lines(entry: Entry) -> Iterator[tuple[Field, int, str]]:
    is_symptom = _symptom_lines(entry)
    fence = ""
    lines = entry.text[:MAX_TEXT].split("\n")
    for number, line in enumerate(lines[entry.body_line - 1 :], start=entry.body_line):
        if not line or line.isspace():
            continue
        match = _FENCE.match(line)
        if match and not fence:
            fence = match[1]
            continue
        if fence and match and match[1].startswith(fence) and not line.strip(" `~"):
            fence = ""
            continue
        if fence:
            yield Field.CODE, number, line
        elif _HEADING.match(line):
            yield Field.HEADING, number, _clean(line)
        else:
            yield (Field.SYMPTOM if number in is_symptom else Field.BODY), number, _clean(line)


def _symptom_lines(entry: Entry) -> frozenset[int]:
    lines: set[int] = set()
    for section in entry.sections:
        if section.role in _SYMPTOM_ROLES:
            lines.update(range(section.span.first_line, section.span.last_line + 1))
    return frozenset(lines)


def _clean(line: str) -> str:
    if "<" in line or "{" in line or "](" in line:
        line = _NOISE.sub(" ", line)
    return line


@dataclass(slots=True)
class Chunk:
    """Some documents, analysed: plain arrays that travel between processes.

    Attributes:
        terms: terms of this chunk; positions are local term numbers.
        stream: words of all lines in order (local term numbers).
        stream_line: the line each word stands in (index into ``line_*``).
        wholes, whole_line: whole tokens likewise.
        line_document, line_number, line_field: the lines.
        documents: what is kept of each document for showing it.
    """

    terms: list[str]
    stream: Integers
    stream_line: Integers
    wholes: Integers
    whole_line: Integers
    line_document: Integers
    line_number: Integers
    line_field: Integers
    documents: list[StoredDocument]

    @classmethod
    def empty(cls) -> Chunk:
        """Return a chunk of nothing."""
        none = np.zeros(0, np.int32)
        return cls([], none, none, none, none, none, none, none, [])


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What is kept of a document beside its words.

    Attributes:
        path: file, relative to the knowledge base.
        card: its `EntryCard` as JSON.
        text: its text, compressed by zlib.
        names: names it can be asked for by, compacted (`compact_name`).
        facets: facet name to values.
        is_stub, is_retired: ranked lower.
        content_hash: SHA-256 of the file's bytes, for the next update.
        anchors: as in `IndexedDocument`.
    """

    path: str
    card: bytes
    text: bytes
    names: tuple[str, ...]
    facets: dict[str, tuple[str, ...]]
    is_stub: bool
    is_retired: bool
    content_hash: str = ""
    anchors: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class Analyser:
    """Turns documents into chunks; remembers how tokens split."""

    _splits: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)

    def chunk(self, documents: Iterable[IndexedDocument]) -> Chunk:
        """Return the chunk of ``documents``."""
        raw_numbers: dict[str, int] = {}
        raw: list[int] = []
        counts: list[int] = []
        line_document: list[int] = []
        line_number: list[int] = []
        line_field: list[int] = []
        stored: list[StoredDocument] = []
        number_of = raw_numbers.setdefault
        for number, document in enumerate(documents):
            for kind, line, text in document.lines:
                tokens = raw_tokens(fold(text))
                if not tokens:
                    continue
                raw.extend([number_of(token, len(raw_numbers)) for token in tokens])
                counts.append(len(tokens))
                line_document.append(number)
                line_number.append(line)
                line_field.append(kind)
            stored.append(_stored(document))
        lines = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        return self._expand(
            list(raw_numbers),
            np.array(raw, np.int32),
            lines,
            (_int32(line_document), _int32(line_number), _int32(line_field)),
            stored,
        )

    def _expand(
        self,
        raw_tokens_seen: Sequence[str],
        raw: Integers,
        lines: Integers,
        columns: tuple[Integers, Integers, Integers],
        stored: list[StoredDocument],
    ) -> Chunk:
        terms: dict[str, int] = {}
        splits = self._splits
        words: list[list[int]] = []
        wholes: list[list[int]] = []
        for token in raw_tokens_seen:
            split = splits.get(token)
            if split is None:
                if len(splits) > 500_000:
                    splits.clear()
                split = splits[token] = split_token(token)
            words.append([terms.setdefault(word, len(terms)) for word in split[0]])
            wholes.append([terms.setdefault(word, len(terms)) for word in split[1]])
        stream, stream_line = _gather(words, raw, lines)
        whole, whole_line = _gather(wholes, raw, lines)
        return Chunk(list(terms), stream, stream_line, whole, whole_line, *columns, stored)


def _gather(lists: list[list[int]], raw: Integers, lines: Integers) -> tuple[Integers, Integers]:
    """Replace each raw token by its list of terms; the line numbers follow."""
    lengths = np.fromiter(map(len, lists), np.int32, len(lists))
    flat = _int32([term for terms in lists for term in terms])
    starts = np.cumsum(lengths, dtype=np.int64) - lengths
    repeats = lengths[raw]
    total = int(repeats.sum())
    if not total:
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    within = np.arange(total, dtype=np.int64) - np.repeat(
        np.cumsum(repeats, dtype=np.int64) - repeats, repeats
    )
    return flat[np.repeat(starts[raw], repeats) + within], np.repeat(lines, repeats)


def _int32(values: list[int]) -> Integers:
    return np.array(values, np.int32)


def _stored(document: IndexedDocument) -> StoredDocument:
    card = document.card
    facets = {
        "kind": (card.kind.value,),
        "product": (card.product,) if card.product else (),
        "component": (card.component,) if card.component else (),
        "state": (card.state.value,),
        "has": card.has,
        "tag": card.tags,
        "owner": (card.owner,) if card.owner else (),
        "severity": (card.severity,) if card.severity else (),
    }
    return StoredDocument(
        card.path,
        card_json(card),
        zlib.compress(document.text.encode("utf-8", "surrogatepass"), 3),
        tuple(dict.fromkeys(filter(None, map(compact_name, document.names)))),
        facets,
        card.is_stub,
        card.state.value == "retired",
        card.content_hash,
        document.anchors,
    )


def compact_name(name: str) -> str:
    """Return ``name`` with letters and digits only, in lower case: "Kube Pod Crash-Looping" → "kubepodcrashlooping"."""
    return "".join(filter(str.isalnum, fold(name).lower()))
