"""The index's own layout: a segment's postings, words and documents as flat arrays.

A segment is two files that Whoosh's commit protocol carries (`kb_app.search.codec`):

* ``.hot``: dictionary, postings, field lengths, facets. Read whole, its hash checked, then used in place.
* ``.cold``: per document its words in order, its lines, its text and its card. Read piecewise when a document
  is shown or re-ranked; every piece carries its own check sum.

Postings are ordered by term, so all words with one prefix lie side by side: the last word of an unfinished
question is one slice, whatever its number of completions.

Decision: arrays read into memory, no ``mmap``: a file cut short under a mapping ends the process (SIGBUS), a
short read is an exception that leads to a rebuild.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from kb_app.search.analysis import stem_of
from kb_app.search.documents import FIELD_COUNT, Chunk, StoredDocument, Vocabulary

Array = npt.NDArray[Any]
MAGIC = b"KBCOL\x00\x01\n"
FORMAT = 3
FACETS = ("kind", "product", "component", "state", "has", "tag", "owner", "severity")
PIECES = ("words", "lines", "text", "card")
STUB, RETIRED, ASIDE = 1, 2, 4
_ALIGN = 64
KEPT_WORDS = 1_500_000
"""Words of documents kept in memory per segment (4 bytes each)."""
KEPT_SHOWN = 100
"""Documents whose card and lines are kept: the next keystroke shows most of them again."""
KEPT_LINES = 300
"""Documents whose lines are kept: a page has some hundred, at 12 bytes each."""
_LAST = "\U0010ffff"


class DamagedIndexError(Exception):
    """An index file is not what was written; the index has to be made anew."""


@dataclass(slots=True)
class SegmentData:
    """A segment in memory, as the builder makes it and the writer writes it.

    Attributes:
        terms: in code point order.
        arrays: name to array, see `_pack`.
        lists: name to texts.
        pieces: piece name to one blob for all documents (``words`` and ``lines`` are int32).
    """

    terms: list[str]
    arrays: dict[str, Array]
    lists: dict[str, list[str]]
    pieces: dict[str, bytes]

    @property
    def document_count(self) -> int:
        """Documents in the segment."""
        return len(self.lists["paths"])


@dataclass(slots=True)
class _Postings:
    term: Array
    document: Array
    field: Array
    count: Array


def build_segment(chunks: Sequence[Chunk]) -> SegmentData:
    """Return the segment of ``chunks``, all of one analyser; documents keep their order."""
    stored = [document for chunk in chunks for document in chunk.documents]
    count = len(stored)
    text = _Text(chunks)
    terms, remap = _order_terms(text)
    width = max(count * FIELD_COUNT, 1)
    place = text.line_document * FIELD_COUNT + text.line_field
    at = place[text.stream_line]
    keys = np.concatenate(
        [
            remap[text.stream] * np.int64(width) + at,
            remap[text.wholes] * np.int64(width) + place[text.whole_line],
        ]
    )
    lengths = np.bincount(at, minlength=width)[: count * FIELD_COUNT].reshape(count, FIELD_COUNT)
    cards = [_card_piece(document) for document in stored]
    pieces = {
        "words": remap[text.stream].astype(np.int32).tobytes(),
        "lines": _line_rows(text).tobytes(),
        "text": b"".join([document.text for document in stored]),
        "card": b"".join(cards),
    }
    starts = {
        "words": _starts(lengths.sum(axis=1) * 4),
        "lines": _starts(np.bincount(text.line_document, minlength=count) * 12),
        "text": _starts([len(document.text) for document in stored]),
        "card": _starts([len(card) for card in cards]),
    }
    checks = {piece: _checks(pieces[piece], starts[piece]) for piece in PIECES}
    return _pack(
        terms,
        _count(keys, count),
        lengths,
        pieces=_Pieces(pieces, starts, checks),
        attributes=_attributes(stored),
        stems=_stem_groups(terms),
    )


class _Text:
    """The words and whole tokens of some chunks, each with the line it stands in."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        none = np.zeros(0, np.int32)
        bases = np.cumsum([0, *(len(chunk.documents) for chunk in chunks)])
        tokens = np.concatenate([none, *(chunk.tokens for chunk in chunks)])
        line_tokens = np.concatenate([none, *(chunk.line_tokens for chunk in chunks)])
        self.line_document = np.concatenate(
            [
                none,
                *(chunk.line_document + np.int64(base) for chunk, base in zip(chunks, bases, strict=False)),
            ]
        ).astype(np.int64)
        self.line_number = np.concatenate([none, *(chunk.line_number for chunk in chunks)])
        self.line_field = np.concatenate([none, *(chunk.line_field for chunk in chunks)])
        vocabulary = chunks[0].vocabulary if chunks else Vocabulary()
        assert all(chunk.vocabulary is vocabulary for chunk in chunks)
        self.terms = list(vocabulary.terms)
        lines = np.repeat(np.arange(len(line_tokens), dtype=np.int32), line_tokens)
        self.stream, self.stream_line = _gather(vocabulary.words, vocabulary.word_counts, tokens, lines)
        self.wholes, self.whole_line = _gather(vocabulary.wholes, vocabulary.whole_counts, tokens, lines)


def _gather(terms: Any, counts: Any, tokens: Array, lines: Array) -> tuple[Array, Array]:
    """Replace each token by its list of terms; the line numbers follow."""
    flat, lengths = np.array(terms, np.int32), np.array(counts, np.int32)
    repeats = lengths[tokens]
    if not repeats.all():
        has_some = repeats > 0
        tokens, lines, repeats = tokens[has_some], lines[has_some], repeats[has_some]
    total = int(repeats.sum())
    if not total:
        none = np.zeros(0, np.int32)
        return none, none
    starts = (np.cumsum(lengths) - lengths).astype(np.int32)
    if total == len(tokens):  # one each
        return flat[starts[tokens]], lines
    first = (np.cumsum(repeats) - repeats).astype(np.int32)
    place = np.arange(total, dtype=np.int32) + np.repeat(starts[tokens] - first, repeats)
    return flat[place], np.repeat(lines, repeats)


def _order_terms(text: _Text) -> tuple[list[str], Array]:
    """Return the terms that occur, in order, and the place of each known term among them."""
    known = text.terms
    occurs = np.zeros(len(known), np.bool_)
    occurs[text.stream] = True
    occurs[text.wholes] = True
    numbers = sorted(np.flatnonzero(occurs).tolist(), key=known.__getitem__)
    remap = np.full(len(known), -1, np.int64)
    remap[numbers] = np.arange(len(numbers))
    return [known[number] for number in numbers], remap


def _card_piece(document: StoredDocument) -> bytes:
    anchors = json.dumps([list(pair) for pair in document.anchors], separators=(",", ":"), ensure_ascii=False)
    return document.card + b"\n" + anchors.encode()


def _line_rows(text: _Text) -> Array:
    """Return a row (line number, first word of the line within its document, field) per line."""
    words = np.bincount(text.stream_line, minlength=len(text.line_document)).astype(np.int64)
    first = np.cumsum(words) - words
    if len(first):
        is_first_line = np.r_[True, text.line_document[1:] != text.line_document[:-1]]
        first -= np.maximum.accumulate(np.where(is_first_line, first, 0))
    return np.stack([text.line_number, first.astype(np.int32), text.line_field], axis=1).astype(np.int32)


def _merge_terms(vocabularies: Sequence[Sequence[str]]) -> tuple[list[str], list[Array]]:
    """Return all terms in order, and per vocabulary its place of each term in them."""
    numbers: dict[str, int] = {}
    locals_: list[Array] = []
    for vocabulary in vocabularies:
        locals_.append(np.array([numbers.setdefault(t, len(numbers)) for t in vocabulary], np.int32))
    terms = sorted(numbers)
    place = np.empty(len(terms), np.int32)
    place[[numbers[term] for term in terms]] = np.arange(len(terms), dtype=np.int32)
    return terms, [place[numbers_of] for numbers_of in locals_]


def run_starts(ordered: Array) -> Array:
    """Return where each run of equal values starts."""
    if not ordered.size:
        return np.zeros(0, np.int64)
    is_first = np.empty(ordered.size, np.bool_)
    is_first[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return is_first.nonzero()[0]


def _count(keys: Array, documents: int) -> _Postings:
    """Return the postings of occurrence keys ``(term * documents + document) * fields + field``."""
    keys.sort()
    if keys.size:
        first = run_starts(keys)
        count = np.diff(np.r_[first, keys.size])
        keys = keys[first]
    else:
        count = keys
    width = max(documents * FIELD_COUNT, 1)
    place = keys % width
    return _Postings(
        (keys // width).astype(np.int32),
        (place // FIELD_COUNT).astype(np.int32),
        (place % FIELD_COUNT).astype(np.uint8),
        np.minimum(count, 255).astype(np.uint8),
    )


def _starts(sizes: Sequence[int] | Array) -> Array:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.asarray(sizes, np.int64))])


@dataclass(slots=True)
class _Pieces:
    """The cold file's pieces: name to bytes of all documents, to their starts, to their check sums."""

    blobs: dict[str, bytes]
    starts: dict[str, Array]
    checks: dict[str, Array]


@dataclass(slots=True)
class _Attributes:
    """Per document values besides words."""

    paths: list[str]
    flags: Array
    facet_values: dict[str, list[str]]
    facet_starts: dict[str, Array]
    facet_codes: dict[str, Array]
    names: list[str]
    name_documents: Array
    hashes: list[str]


def _attributes(stored: Sequence[StoredDocument]) -> _Attributes:
    values: dict[str, list[str]] = {}
    starts: dict[str, Array] = {}
    codes: dict[str, Array] = {}
    for facet in FACETS:
        numbers: dict[str, int] = {}
        per_document = [document.facets.get(facet, ()) for document in stored]
        found = [numbers.setdefault(value, len(numbers)) for value in chain.from_iterable(per_document)]
        values[facet] = list(numbers)
        starts[facet] = _starts(list(map(len, per_document)))
        codes[facet] = np.array(found, np.int32)
    named = sorted((name, number) for number, document in enumerate(stored) for name in document.names)
    return _Attributes(
        [document.path for document in stored],
        np.array([STUB * d.is_stub + RETIRED * d.is_retired + ASIDE * d.is_aside for d in stored], np.uint8),
        values,
        starts,
        codes,
        [name for name, _ in named],
        np.array([number for _, number in named], np.int32),
        [document.content_hash for document in stored],
    )


_Stems = tuple[list[str], Array, Array]


def _pack(
    terms: list[str],
    postings: _Postings,
    lengths: Array,
    *,
    pieces: _Pieces,
    attributes: _Attributes,
    stems: _Stems,
) -> SegmentData:
    arrays: dict[str, Array] = {
        "posting_start": np.searchsorted(postings.term, np.arange(len(terms) + 1)).astype(np.int64),
        "posting_document": postings.document,
        "posting_field": postings.field,
        "posting_count": postings.count,
        "lengths": np.minimum(lengths, 2**31 - 1).astype(np.int32),
        "stem_start": stems[1],
        "stem_member": stems[2],
        "flags": attributes.flags,
        "name_document": attributes.name_documents,
    }
    for piece in PIECES:
        arrays[f"{piece}_start"] = pieces.starts[piece]
        arrays[f"{piece}_check"] = pieces.checks[piece]
    lists = {
        "stems": stems[0],
        "paths": attributes.paths,
        "names": attributes.names,
        "hashes": attributes.hashes,
    }
    for facet in FACETS:
        arrays[f"facet_{facet}_start"] = attributes.facet_starts[facet]
        arrays[f"facet_{facet}_code"] = attributes.facet_codes[facet]
        lists[f"facet_{facet}"] = attributes.facet_values[facet]
    return SegmentData(terms, arrays, lists, pieces.blobs)


def _stem_groups(terms: Sequence[str]) -> _Stems:
    """Return the stems that stand for other words than themselves, and their member terms."""
    groups: dict[str, list[int]] = {}
    for number, term in enumerate(terms):
        if term.isalpha():  # all others are their own stems, and no word's
            groups.setdefault(stem_of(term), []).append(number)
    return _stems_of(groups, terms)


def _stems_of(groups: Mapping[str, list[int]], terms: Sequence[str]) -> _Stems:
    stems = sorted(s for s, members in groups.items() if len(members) > 1 or terms[members[0]] != s)
    members = [groups[stem] for stem in stems]
    return stems, _starts([len(m) for m in members]), np.array([n for m in members for n in m], np.int32)


def _checks(blob: bytes, starts: Array) -> Array:
    view = memoryview(blob)
    bounds = starts.tolist()
    return np.array([zlib.crc32(view[a:b]) for a, b in pairwise(bounds)], np.uint32)


@dataclass(frozen=True, slots=True)
class EncodedSegment:
    """A segment as bytes: the hot file, and the parts of the cold one in order."""

    hot: bytes
    cold: tuple[bytes, ...]
    documents: int


def encode(data: SegmentData) -> EncodedSegment:
    """Return a segment as it is written."""
    return EncodedSegment(encode_hot(data), tuple(encode_cold(data)), data.document_count)


def encode_hot(data: SegmentData) -> bytes:
    """Return the bytes of the ``.hot`` file."""
    arrays = dict(data.arrays)
    for name, texts in {**data.lists, "terms": data.terms}.items():
        blob = "\n".join(text.replace("\n", " ") for text in texts).encode("utf-8", "surrogatepass")
        arrays[f"list_{name}"] = np.frombuffer(blob, np.uint8)
    header: dict[str, list[Any]] = {}
    parts: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        block = np.ascontiguousarray(array).tobytes()
        header[name] = [array.dtype.str, offset, list(array.shape)]
        padding = -len(block) % _ALIGN
        parts += [block, b"\0" * padding]
        offset += len(block) + padding
    counts = {f"list_{name}": len(texts) for name, texts in {**data.lists, "terms": data.terms}.items()}
    sizes = {piece: len(data.pieces[piece]) for piece in PIECES}
    head = json.dumps({"arrays": header, "counts": counts, "pieces": sizes}).encode()
    lead = MAGIC + struct.pack("<I", len(head)) + head
    return b"".join([lead, b"\0" * (-len(lead) % _ALIGN), *parts])


def encode_cold(data: SegmentData) -> Iterable[bytes]:
    """Return the parts of the ``.cold`` file in order."""
    return [MAGIC, *(data.pieces[piece] for piece in PIECES)]


class Segment:
    """A segment, opened: arrays over the hot file's bytes, documents read from the cold file when asked for.

    Attributes:
        deleted: documents that are no longer part of the index (bool per document).
    """

    def __init__(self, arrays: Mapping[str, Array], lists: _Lists, cold: _Cold, deleted: Array) -> None:
        self.arrays = arrays
        self._lists = lists
        self._cold = cold
        self.deleted = deleted
        self.posting_start = arrays["posting_start"]
        self.posting_document = arrays["posting_document"]
        self.posting_field = arrays["posting_field"]
        self.posting_count = arrays["posting_count"]
        self.lengths = arrays["lengths"]
        self.flags = arrays["flags"]
        self.document_count = len(self.flags)
        self._words: dict[int, Array] = {}  # documents looked at last: the next keystroke asks for them again
        self._words_size = 0
        self._lines: dict[int, Array] = {}
        self._distinct: dict[int, Array] = {}
        self._owners: dict[str, Array] = {}
        self._numbers: dict[str, int] | None = None
        self._shown_lines: dict[int, list[str]] = {}
        self._shown_cards: dict[int, tuple[dict[str, Any], list[tuple[int, str]]]] = {}

    @classmethod
    def from_bytes(cls, hot: bytes, cold: BinaryIO | None, deleted: Sequence[int]) -> Segment:
        """Open a segment from the hot file's bytes and the open cold file.

        Raises:
            DamagedIndexError: when the bytes are not those of a segment.
        """
        if hot[: len(MAGIC)] != MAGIC:
            raise DamagedIndexError("not a segment")
        try:
            (size,) = struct.unpack_from("<I", hot, len(MAGIC))
            body = len(MAGIC) + 4 + size
            header = json.loads(hot[len(MAGIC) + 4 : body])
            body += -body % _ALIGN
            arrays: dict[str, Array] = {}
            for name, (kind, offset, shape) in header["arrays"].items():
                count = int(np.prod(shape, dtype=np.int64))
                arrays[name] = np.frombuffer(hot, np.dtype(kind), count, body + offset).reshape(shape)
        except (ValueError, KeyError, TypeError, struct.error) as error:
            raise DamagedIndexError(f"a segment cannot be read: {error}") from error
        mask = np.zeros(len(arrays["flags"]), np.bool_)
        mask[list(deleted)] = True
        lists = _Lists(arrays, header["counts"])
        return cls(arrays, lists, _Cold(cold, arrays, header["pieces"]), mask)

    def without(self, deleted: Sequence[int]) -> Segment:
        """Return this segment with other documents deleted; both share one file and what was read of it."""
        mask = np.zeros(self.document_count, np.bool_)
        mask[list(deleted)] = True
        other = copy(self)
        other.deleted = mask
        other._numbers = None  # noqa: SLF001 - a copy of this object
        return other

    @classmethod
    def in_memory(cls, data: SegmentData) -> Segment:
        """Open a segment that was never written (names only)."""
        return cls.of(encode(data))

    @classmethod
    def of(cls, encoded: EncodedSegment) -> Segment:
        """Open a segment that is not written yet."""
        return cls.from_bytes(encoded.hot, io.BytesIO(b"".join(encoded.cold)), ())

    @cached_property
    def terms(self) -> list[str]:
        """All terms, in code point order."""
        return self._lists.read("terms")

    @cached_property
    def stems(self) -> list[str]:
        """Stems with members, in code point order."""
        return self._lists.read("stems")

    @cached_property
    def paths(self) -> list[str]:
        """Path per document."""
        return self._lists.read("paths")

    @cached_property
    def names(self) -> list[str]:
        """Compacted names, in code point order; ``arrays["name_document"]`` says whose."""
        return self._lists.read("names")

    @cached_property
    def hashes(self) -> list[str]:
        """Content hash per document."""
        return self._lists.read("hashes")

    @cached_property
    def facet_values(self) -> dict[str, list[str]]:
        """Facet to its values by code."""
        return {facet: self._lists.read(f"facet_{facet}") for facet in FACETS}

    @cached_property
    def term_shapes(self) -> tuple[Array, Array]:
        """Per term its length in bytes and the set of its letters as bits."""
        blob = self.arrays["list_terms"]
        if not blob.size:
            return np.zeros(0, np.int64), np.zeros(0, np.uint32)
        breaks = np.flatnonzero(blob == ord("\n"))
        starts = np.r_[0, breaks + 1]
        lengths = np.diff(np.r_[starts, blob.size + 1]) - 1
        bits = np.left_shift(np.uint32(1), (blob & 31).astype(np.uint32))
        bits[breaks] = 0
        return lengths, np.bitwise_or.reduceat(bits, starts)

    def document_of(self, path: str) -> int:
        """Return the number of the document at ``path``, -1: it is not here, or deleted."""
        if self._numbers is None:
            self._numbers = {
                path: number
                for number, (path, is_deleted) in enumerate(
                    zip(self.paths, self.deleted.tolist(), strict=True)
                )
                if not is_deleted
            }
        return self._numbers.get(path, -1)

    def prepare(self) -> None:
        """Decode what every question needs."""
        for name in ("terms", "stems", "paths", "names", "hashes", "facet_values", "term_shapes"):
            getattr(self, name)
        for facet in FACETS:
            self.facet_owners(facet)

    def facet_owners(self, facet: str) -> Array:
        """Return per code of ``arrays["facet_…_code"]`` the document that has it."""
        found = self._owners.get(facet)
        if found is None:
            counts = np.diff(self.arrays[f"facet_{facet}_start"])
            found = self._owners[facet] = np.repeat(np.arange(self.document_count, dtype=np.int32), counts)
        return found

    @cached_property
    def document_names(self) -> list[tuple[str, ...]]:
        """Compacted names per document."""
        names: list[list[str]] = [[] for _ in range(self.document_count)]
        for name, document in zip(self.names, self.arrays["name_document"].tolist(), strict=True):
            names[document].append(name)
        return [tuple(n) for n in names]

    def term_number(self, term: str) -> int:
        """Return the number of ``term``, or -1."""
        at = bisect_left(self.terms, term)
        return at if at < len(self.terms) and self.terms[at] == term else -1

    def prefix_range(self, prefix: str) -> tuple[int, int]:
        """Return the half-open range of terms that start with ``prefix``."""
        low = bisect_left(self.terms, prefix)
        return low, bisect_left(self.terms, prefix + _LAST, lo=low)

    def stem_members(self, stem: str) -> Array:
        """Return the numbers of the terms with this stem, ascending."""
        at = bisect_left(self.stems, stem)
        if at < len(self.stems) and self.stems[at] == stem:
            starts = self.arrays["stem_start"]
            return self.arrays["stem_member"][int(starts[at]) : int(starts[at + 1])]
        number = self.term_number(stem)
        return np.array([number] if number >= 0 else [], np.int32)

    def named(self, name: str) -> Array:
        """Return the documents with this compacted name."""
        low = bisect_left(self.names, name)
        high = low
        while high < len(self.names) and self.names[high] == name:
            high += 1
        return self.arrays["name_document"][low:high]

    def words(self, document: int) -> Array:
        """Return a document's words in order, as term numbers."""
        found = self._words.get(document)
        if found is None:
            found = self._words[document] = np.frombuffer(self._cold.read("words", document), np.int32)
            self._words_size += found.size
            while self._words_size > KEPT_WORDS and len(self._words) > 1:
                self._words_size -= self._words.pop(next(iter(self._words))).size
        return found

    def word_count(self, documents: Array) -> Array:
        """Return how many words each of ``documents`` has."""
        starts = self.arrays["words_start"]
        counts: Array = (starts[documents + 1] - starts[documents]) // 4
        return counts

    def distinct_words(self, document: int) -> Array:
        """Return a document's words as term numbers, ascending, each once."""
        found = self._distinct.get(document)
        if found is None:
            ordered = np.sort(self.words(document))
            found = self._distinct[document] = ordered[run_starts(ordered)]
            if len(self._distinct) > KEPT_SHOWN:
                self._distinct.pop(next(iter(self._distinct)))
        return found

    def lines(self, document: int) -> Array:
        """Return a document's lines: rows of (line number, first word, field)."""
        found = self._lines.get(document)
        if found is None:
            found = np.frombuffer(self._cold.read("lines", document), np.int32).reshape(-1, 3)
            self._lines[document] = found
            if len(self._lines) > KEPT_LINES:
                self._lines.pop(next(iter(self._lines)))
        return found

    def text_lines(self, document: int) -> list[str]:
        """Return the lines of a document's text."""
        found = self._shown_lines.get(document)
        if found is None:
            found = self._shown_lines[document] = self.text(document).split("\n")
            if len(self._shown_lines) > KEPT_SHOWN:
                self._shown_lines.pop(next(iter(self._shown_lines)))
        return found

    def shown_card(self, document: int) -> tuple[dict[str, Any], list[tuple[int, str]]]:
        """Return a document's card as `card` does; the last ones are kept."""
        found = self._shown_cards.get(document)
        if found is None:
            found = self._shown_cards[document] = self.card(document)
            if len(self._shown_cards) > KEPT_SHOWN:
                self._shown_cards.pop(next(iter(self._shown_cards)))
        return found

    def text(self, document: int) -> str:
        """Return a document's text."""
        try:
            return zlib.decompress(self._cold.read("text", document)).decode("utf-8", "surrogatepass")
        except (zlib.error, UnicodeDecodeError) as error:
            raise DamagedIndexError("a text cannot be read") from error

    def card(self, document: int) -> tuple[dict[str, Any], list[tuple[int, str]]]:
        """Return a document's card as plain values, and its anchors."""
        try:
            card, _, anchors = self._cold.read("card", document).partition(b"\n")
            return json.loads(card), [(int(line), str(anchor)) for line, anchor in json.loads(anchors)]
        except ValueError as error:
            raise DamagedIndexError("a card cannot be read") from error

    def card_json(self, document: int) -> bytes:
        """Return a document's card as JSON."""
        return self._cold.read("card", document).partition(b"\n")[0]

    def piece(self, name: str) -> bytes:
        """Return one piece of all documents, unchecked documents included (for merging)."""
        return self._cold.read_all(name)

    def close(self) -> None:
        """Close the cold file."""
        self._cold.close()


class _Lists:
    """Texts in the hot file, decoded at first use."""

    def __init__(self, arrays: Mapping[str, Array], counts: Mapping[str, int]) -> None:
        self._arrays = arrays
        self._counts = counts

    def read(self, name: str) -> list[str]:
        key = f"list_{name}"
        if not self._counts[key]:
            return []
        texts = self._arrays[key].tobytes().decode("utf-8", "surrogatepass").split("\n")
        if len(texts) != self._counts[key]:
            raise DamagedIndexError(f"the list {name} has a wrong length")
        return texts


class _Cold:
    """The cold file: pieces by document, each checked when read."""

    def __init__(self, file: BinaryIO | None, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
        self._file = file
        self._descriptor = _descriptor_of(file)
        self._arrays = arrays
        self._base: dict[str, int] = {}
        offset = len(MAGIC)
        for piece in PIECES:
            self._base[piece] = offset
            offset += sizes[piece]
        self._sizes = sizes
        self.size = offset

    def read(self, piece: str, document: int) -> bytes:
        starts = self._arrays[f"{piece}_start"]
        low, high = int(starts[document]), int(starts[document + 1])
        data = self._at(self._base[piece] + low, high - low)
        if zlib.crc32(data) != int(self._arrays[f"{piece}_check"][document]):
            raise DamagedIndexError(f"the {piece} of a document is damaged")
        return data

    def read_all(self, piece: str) -> bytes:
        data = self._at(self._base[piece], self._sizes[piece])
        checks = _checks(data, self._arrays[f"{piece}_start"])
        if not np.array_equal(checks, self._arrays[f"{piece}_check"]):
            raise DamagedIndexError(f"the {piece} of some document is damaged")
        return data

    def _at(self, offset: int, size: int) -> bytes:
        if self._file is None:
            raise DamagedIndexError("the file of documents is closed")
        try:
            if self._descriptor >= 0:
                data = os.pread(self._descriptor, size, offset)
            else:
                self._file.seek(offset)
                data = self._file.read(size)
        except (OSError, ValueError) as error:
            raise DamagedIndexError(f"the file of documents cannot be read: {error}") from error
        if len(data) != size:
            raise DamagedIndexError("the file of documents is cut short")
        return data

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file, self._descriptor = None, -1


def _descriptor_of(file: BinaryIO | None) -> int:
    """Return the descriptor to read at a place in one call, -1 where there is none or the system cannot."""
    if file is None or not hasattr(os, "pread"):
        return -1
    try:
        return file.fileno()
    except OSError:  # bytes in memory
        return -1


def merge_segments(segments: Sequence[Segment]) -> SegmentData:
    """Return one segment with all documents of ``segments`` that are not deleted, in order."""
    terms, places = _merge_terms([segment.terms for segment in segments])
    keeps = [np.flatnonzero(~segment.deleted) for segment in segments]
    postings = _merge_postings(segments, keeps, places, len(terms))
    used = np.flatnonzero(np.bincount(postings.term, minlength=len(terms)))
    renumber = np.full(len(terms), -1, np.int32)
    renumber[used] = np.arange(len(used), dtype=np.int32)
    postings.term = renumber[postings.term]
    remaps = [renumber[place] for place in places]
    terms = [terms[n] for n in used.tolist()]
    lengths = [segment.lengths[keep] for segment, keep in zip(segments, keeps, strict=True)]
    return _pack(
        terms,
        postings,
        np.concatenate(lengths),
        pieces=_merge_pieces(segments, keeps, remaps),
        attributes=_merge_attributes(segments, keeps),
        stems=_merge_stems(segments, remaps, terms),
    )


def _merge_postings(
    segments: Sequence[Segment], keeps: Sequence[Array], places: Sequence[Array], terms: int
) -> _Postings:
    """Return the postings of all kept documents: per term those of the first segment, then of the next."""
    parts: list[_Postings] = []
    base = 0
    for segment, place, keep in zip(segments, places, keeps, strict=True):
        target = np.full(segment.document_count, -1, np.int32)
        target[keep] = np.arange(base, base + len(keep), dtype=np.int32)
        base += len(keep)
        part = _Postings(
            np.repeat(place, np.diff(segment.posting_start)),
            target[segment.posting_document],
            segment.posting_field,
            segment.posting_count,
        )
        if len(keep) < segment.document_count:
            kept = part.document >= 0
            part = _Postings(part.term[kept], part.document[kept], part.field[kept], part.count[kept])
        parts.append(part)
    counts = [np.bincount(part.term, minlength=terms) for part in parts]
    total = int(sum(len(part.term) for part in parts))
    merged = _Postings(
        np.empty(total, np.int32),
        np.empty(total, np.int32),
        np.empty(total, np.uint8),
        np.empty(total, np.uint8),
    )
    start = _starts(np.sum(counts, axis=0))[:-1]
    for part, count in zip(parts, counts, strict=True):
        at = np.repeat(start - (np.cumsum(count) - count), count) + np.arange(len(part.term))
        merged.term[at], merged.document[at] = part.term, part.document
        merged.field[at], merged.count[at] = part.field, part.count
        start = start + count
    return merged


def _merge_stems(segments: Sequence[Segment], remaps: Sequence[Array], terms: Sequence[str]) -> _Stems:
    """Return the stem groups of the merged terms, without telling any stem again."""
    groups: dict[str, set[int]] = {}
    is_own_stem = np.zeros(len(terms), np.bool_)
    for segment, remap in zip(segments, remaps, strict=True):
        members = segment.arrays["stem_member"]
        is_grouped = np.zeros(len(remap), np.bool_)
        is_grouped[members] = True
        alone = remap[~is_grouped]
        is_own_stem[alone[alone >= 0]] = True
        numbers = remap[members].tolist()
        for stem, (low, high) in zip(
            segment.stems, pairwise(segment.arrays["stem_start"].tolist()), strict=True
        ):
            kept = [number for number in numbers[low:high] if number >= 0]
            if kept:
                groups.setdefault(stem, set()).update(kept)
    for number in np.flatnonzero(is_own_stem).tolist():
        if (group := groups.get(terms[number])) is not None:
            group.add(number)
    return _stems_of({stem: sorted(group) for stem, group in groups.items()}, terms)


def _merge_pieces(segments: Sequence[Segment], keeps: Sequence[Array], remaps: Sequence[Array]) -> _Pieces:
    merged = _Pieces({}, {}, {})
    for piece in PIECES:
        parts: list[bytes] = []
        sizes: list[Array] = []
        checks: list[Array] = []
        for segment, keep, remap in zip(segments, keeps, remaps, strict=True):
            blob = segment.piece(piece)
            if piece == "words":
                blob = remap[np.frombuffer(blob, np.int32)].astype(np.int32).tobytes()
            bounds = segment.arrays[f"{piece}_start"]
            parts += [blob[int(bounds[a]) : int(bounds[b])] for a, b in _runs(keep)]
            sizes.append(np.diff(bounds)[keep])
            checks.append(segment.arrays[f"{piece}_check"][keep])
        merged.blobs[piece] = b"".join(parts)
        merged.starts[piece] = _starts(np.concatenate(sizes))
        merged.checks[piece] = (
            _checks(merged.blobs[piece], merged.starts[piece]) if piece == "words" else np.concatenate(checks)
        )
    return merged


def _runs(numbers: Array) -> list[tuple[int, int]]:
    """Return ascending numbers as half-open ranges."""
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(numbers, breaks) if run.size]


def _merge_attributes(segments: Sequence[Segment], keeps: Sequence[Array]) -> _Attributes:
    merged = _Attributes([], np.zeros(0, np.uint8), {}, {}, {}, [], np.zeros(0, np.int32), [])
    named: list[tuple[str, int]] = []
    base = 0
    for segment, keep in zip(segments, keeps, strict=True):
        target = np.full(segment.document_count, -1, np.int64)
        target[keep] = np.arange(base, base + len(keep))
        base += len(keep)
        documents = target[segment.arrays["name_document"]].tolist()
        named += [pair for pair in zip(segment.names, documents, strict=True) if pair[1] >= 0]
        merged.paths += [segment.paths[number] for number in keep.tolist()]
        merged.hashes += [segment.hashes[number] for number in keep.tolist()]
    named.sort()
    merged.flags = np.concatenate([s.flags[keep] for s, keep in zip(segments, keeps, strict=True)])
    merged.names = [name for name, _ in named]
    merged.name_documents = np.array([number for _, number in named], np.int32)
    for facet in FACETS:
        _merge_facet(facet, segments, keeps, merged)
    return merged


def _merge_facet(
    facet: str, segments: Sequence[Segment], keeps: Sequence[Array], merged: _Attributes
) -> None:
    numbers: dict[str, int] = {}
    counts: list[Array] = []
    codes: list[Array] = []
    for segment, keep in zip(segments, keeps, strict=True):
        values = [numbers.setdefault(value, len(numbers)) for value in segment.facet_values[facet]]
        counts.append(np.diff(segment.arrays[f"facet_{facet}_start"])[keep])
        kept = ~segment.deleted[segment.facet_owners(facet)]
        codes.append(np.array(values, np.int32)[segment.arrays[f"facet_{facet}_code"][kept]])
    merged.facet_values[facet] = list(numbers)
    merged.facet_starts[facet] = _starts(np.concatenate(counts))
    merged.facet_codes[facet] = np.concatenate(codes).astype(np.int32)


def read_hot(path: Path) -> bytes:
    """Return the bytes of a hot file.

    Raises:
        DamagedIndexError: when it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DamagedIndexError(f"{path.name} cannot be read: {error.strerror or os.strerror(0)}") from error
