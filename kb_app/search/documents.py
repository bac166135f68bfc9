"""From an entry to what the index takes in: lines of text, each with the field it counts for."""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from kb_app.entries.model import Entry, EntryCard, Role
from kb_app.search.analysis import fold, fold_lines, lines_and_tokens, split_token
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

MAX_MARKUP = 20_000
"""Characters of a line from which on its markup is indexed like text."""

_FENCE = re.compile(r"^ {0,12}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?=\s|[^#\s!])")
_NOISE = re.compile(
    r"<!--.{0,600}?-->"  # comments hold hidden or conditional text
    r"|\{\{[<%].{0,300}?[%>]\}\}|\{%.{0,300}?%\}|<%.{0,300}?%>"  # template tags; the text between them stays
    r"|\]\((?:[^()\s]|\([^()]{0,200}\)){0,500}\)"  # a link's target is not read, its label is
    r"|</?[a-zA-Z][^<>\n]{0,300}>"  # HTML tags
)
_ASIDE = re.compile(
    r"(?:release[-_ ]?notes?|releases|change[-_ ]?logs?|history|whats[-_ ]?new|news|blog|adrs?|decisions"
    r"|decision[-_ ]records?|architecture[-_ ]decisions?|rfcs?|archived?|templates?|archetypes|_?includes?"
    r"|roadmap"
    r"|v?\d+\.\d+(?:\.\d+)?)(?:\.\w+)*"
)
_SYMPTOM_ROLES = frozenset({Role.SYMPTOMS, Role.MEANING, Role.IMPACT})


@dataclass(slots=True)
class Lines:
    """Lines of text with the field each counts for; number 0 for values that stand in no line of the file."""

    fields: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, kind: Field, number: int, text: str) -> None:
        """Append a line; line breaks in ``text`` become spaces."""
        self.fields.append(kind)
        self.numbers.append(number)
        self.texts.append(text.replace("\n", " ") if "\n" in text else text)

    def add_values(self, kind: Field, values: Iterable[str]) -> None:
        """Append values that stand in no line."""
        for value in values:
            if value:
                self.add(kind, 0, value)


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """One entry as the index takes it in.

    Attributes:
        card: what lists and facets show of it.
        names: title, headline, stem, alerts, aliases, id; each can be asked for by itself.
        lines: all that is searched.
        text: the whole file, for snippets.
        anchors: ``(first line, anchor)`` of its sections, ascending.
    """

    card: EntryCard
    names: tuple[str, ...]
    lines: Lines
    text: str
    anchors: tuple[tuple[int, str], ...] = ()


def document_of(entry: Entry, card: EntryCard) -> IndexedDocument:
    """Return what the index takes of ``entry``."""
    names = (entry.title, entry.headline, entry.stem, *entry.alerts, *entry.aliases, entry.id)
    names = tuple(dict.fromkeys(filter(None, names)))
    lines = Lines()
    lines.add_values(Field.NAME, names)
    lines.add_values(Field.SIGNATURE, (*entry.signatures, entry.tracker))
    lines.add_values(Field.SYMPTOM, entry.answers)
    lines.add_values(Field.META, _meta(entry))
    _add_body(lines, entry)
    anchors = tuple((section.span.first_line, section.anchor) for section in entry.sections if section.anchor)
    return IndexedDocument(card, names, lines, entry.text, anchors)


def document_of_card(card: EntryCard) -> IndexedDocument:
    """Return a document of names alone, for the time before the texts are indexed."""
    stem = card.path.rsplit("/", 1)[-1].split(".", 1)[0]
    names = tuple(dict.fromkeys(filter(None, (card.title, stem, *card.alerts, *card.aliases, card.id))))
    lines = Lines()
    lines.add_values(Field.NAME, names)
    lines.add_values(Field.META, (card.product, card.component, *card.tags))
    return IndexedDocument(card, names, lines, card.summary)


def _meta(entry: Entry) -> Iterator[str]:
    yield from (entry.product, entry.component, entry.owner, *entry.tags, *entry.affected)
    yield from (*entry.environment, *entry.depends_on)
    yield from entry.path.split("/")[:-1]


def _add_body(lines: Lines, entry: Entry) -> None:
    symptom_lines = _symptom_lines(entry)
    fence = ""
    texts = entry.text[:MAX_TEXT].split("\n")
    for number in range(entry.body_line, len(texts) + 1):
        line = texts[number - 1]
        first = line.lstrip()[:1]
        if not first:
            continue
        if first in "`~" and (match := _FENCE.match(line)):
            if not fence:
                fence = match[1]
                continue
            if match[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
                continue
        if fence:
            kind = Field.CODE
        elif first == "#" and _HEADING.match(line):
            kind = Field.HEADING
        else:
            kind = Field.SYMPTOM if number in symptom_lines else Field.BODY
        if (
            kind is not Field.CODE
            and len(line) <= MAX_MARKUP
            and ("<" in line or "{" in line or "](" in line)
        ):
            line = _NOISE.sub(" ", line)
        lines.fields.append(kind)
        lines.numbers.append(number)
        lines.texts.append(line)


def _symptom_lines(entry: Entry) -> frozenset[int]:
    lines: set[int] = set()
    for section in entry.sections:
        if section.role in _SYMPTOM_ROLES:
            lines.update(range(section.span.first_line, section.span.last_line + 1))
    return frozenset(lines)


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What is kept of a document beside its words.

    Attributes:
        path: file, relative to the knowledge base.
        card: its `EntryCard` as JSON.
        text: its text, compressed by zlib.
        names: names it can be asked for by, compacted (`compact_name`).
        facets: facet name to values.
        is_stub, is_retired, is_aside: ranked lower.
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
    is_aside: bool = False
    content_hash: str = ""
    anchors: tuple[tuple[int, str], ...] = ()


class Vocabulary(dict[str, int]):
    """Raw tokens by number, in the order in which they are met; each is split once, when it is met.

    Attributes:
        terms: words and whole tokens to their numbers.
        words, wholes: numbers of the terms that the tokens split into, one token after the other.
        word_counts, whole_counts: how many these are per token.
    """

    def __init__(self) -> None:
        super().__init__({"\n": 0})
        self.terms: dict[str, int] = {}
        self.words, self.word_counts = array("i"), array("i", [0])
        self.wholes, self.whole_counts = array("i"), array("i", [0])

    def __missing__(self, token: str) -> int:
        number = self[token] = len(self)
        words, wholes = split_token(token)
        terms = self.terms
        for word in words:
            self.words.append(terms.setdefault(word, len(terms)))
        self.word_counts.append(len(words))
        for whole in wholes:
            self.wholes.append(terms.setdefault(whole, len(terms)))
        self.whole_counts.append(len(wholes))
        return number


@dataclass(slots=True)
class Chunk:
    """Some documents, analysed.

    Attributes:
        vocabulary: what the tokens' numbers mean.
        tokens: raw tokens of all lines in order.
        line_tokens: how many tokens each line has.
        line_document, line_number, line_field: the lines.
        documents: what is kept of each document for showing it.
    """

    vocabulary: Vocabulary
    tokens: Integers
    line_tokens: Integers
    line_document: Integers
    line_number: Integers
    line_field: Integers
    documents: list[StoredDocument]


class Analyser:
    """Turns documents into chunks; numbers tokens over all of them."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()

    def chunk(self, documents: Iterable[IndexedDocument]) -> Chunk:
        """Return the chunk of ``documents``."""
        number_of = self._vocabulary.__getitem__
        found: list[int] = []
        counts: list[int] = []
        numbers: list[int] = []
        fields: list[int] = []
        stored: list[StoredDocument] = []
        for document in documents:
            lines = document.lines
            counts.append(len(lines.texts))
            if lines.texts:
                found.extend(map(number_of, lines_and_tokens(fold_lines(lines.texts))))
                found.append(0)  # the last line ends too
            numbers += lines.numbers
            fields += lines.fields
            stored.append(_stored(document))
        tokens = np.array(found, np.int32)
        breaks = np.flatnonzero(tokens == 0)
        line_tokens = np.diff(breaks, prepend=-1) - 1
        return Chunk(
            self._vocabulary,
            tokens[tokens != 0],
            line_tokens.astype(np.int32),
            np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            np.array(numbers, np.int32),
            np.array(fields, np.int32),
            stored,
        )


_NO_PUNCTUATION = {code: None for code in range(128) if not chr(code).isalnum()}
_NO_TEXT = zlib.compress(b"", 1)


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
        zlib.compress(document.text.encode("utf-8", "surrogatepass"), 1) if document.text else _NO_TEXT,
        tuple(dict.fromkeys(filter(None, map(compact_name, document.names)))),
        facets,
        card.is_stub,
        card.state.value == "retired",
        is_aside(card.path),
        card.content_hash,
        document.anchors,
    )


def is_aside(path: str) -> bool:
    """Tell whether a page is a record beside the knowledge: release notes, change logs, decisions, templates.

    Source: survey of public runbook repositories; such pages mention every feature and answer no question. A
    whole name of a folder or file counts, not a part of one ("template-validator-down" is an alert).
    """
    return any(_ASIDE.fullmatch(part) for part in path.lower().split("/"))


def compact_name(name: str) -> str:
    """Return the letters and digits of ``name`` in lower case: "Kube Pod-Looping" → "kubepodlooping"."""
    if name.isascii() and "'" not in name:
        return name.lower().translate(_NO_PUNCTUATION)
    return "".join(filter(str.isalnum, fold(name).lower()))
