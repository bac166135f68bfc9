"""Whoosh's extension points, filled with our columns: schema, codec, segment, writer.

Whoosh keeps what it is good at: the schema, the table of contents and its generations, the write lock,
segments and their deletions. How a segment's postings lie on disk is a codec's business in Whoosh, and ours
are arrays (`kb_app.search.columns`). Questions never come through here: they are answered from the arrays
directly; the reading half (`ColumnTerms`, `ColumnDocuments`) lets Whoosh's own reader look at the same index,
as an oracle for tests.

Decision: Whoosh's matchers are not used for answering. Their quality skipping can loop for ever
(``OrGroup.factory``, prefix unions), and a Python object per posting costs a hundred times what an array
does.
"""

# mypy: disable-error-code="no-untyped-call, abstract, no-any-return, attr-defined, override"
# ruff: noqa: SLF001
# Whoosh is typed in part only; what other codecs need of it is abstract and never called
# here; a few of its values can be set only where it keeps them itself.

from __future__ import annotations

import hashlib
import pickle
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from whoosh.codec import base
from whoosh.codec.whoosh3 import W3Segment
from whoosh.fields import STORED, FieldType, Schema
from whoosh.formats import Frequency
from whoosh.index import TOC, FileIndex, clean_files
from whoosh.index import IndexError as WhooshIndexError
from whoosh.matching import ListMatcher, NullMatcher
from whoosh.reading import TermInfo, TermNotFound
from whoosh.util.filelock import FileLock
from whoosh.writing import SegmentWriter

from kb_app.errors import EnvironmentFault
from kb_app.search.analysis import fold, raw_tokens, split_token
from kb_app.search.catalogue_file import CARDS
from kb_app.search.columns import DamagedIndexError, EncodedSegment, Segment
from kb_app.search.confirmed_file import CONFIRMED
from kb_app.search.documents import Field
from kb_app.search.manifest import (
    MANIFEST,
    FileRecord,
    Manifest,
    SegmentRecord,
    check_file,
    open_segment,
    read_manifest,
    write_manifest,
)
from kb_app.search.names_file import NAMES
from kb_app.search.storage import IndexStorage
from kb_app.search.times import TIMES

INDEX_NAME = "MAIN"
UPDATE_LOCK = "update.lock"
_UNREADABLE = (
    pickle.UnpicklingError,
    struct.error,
    WhooshIndexError,
    EOFError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    ImportError,
)
"""What Whoosh was seen to raise on a damaged table of contents (720 mutations)."""


class SurfaceText(FieldType):
    """Text by surface forms: `kb_app.search.analysis` instead of Whoosh's chains of token objects."""

    def __init__(self) -> None:
        self.format = Frequency()
        self.indexed, self.scorable, self.stored, self.unique = True, True, False, False
        self.analyzer = self.vector = self.column_type = None
        self.spelling = False

    def index(self, value: str, **_options: Any) -> Iterator[tuple[bytes, int, float, bytes]]:
        """Yield (term, frequency, weight, value) of a text, in order of terms."""
        counts: dict[str, int] = {}
        for token in raw_tokens(fold(value)):
            for terms in split_token(token):
                for term in terms:
                    counts[term] = counts.get(term, 0) + 1
        for term, count in sorted(counts.items()):
            yield term.encode("utf-8", "surrogatepass"), count, float(count), b""

    def to_bytes(self, value: str | bytes) -> bytes:
        """Return a term's key."""
        return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")

    def from_bytes(self, key: bytes) -> str:
        """Return the term of a key."""
        return key.decode("utf-8", "surrogatepass")


def schema() -> Schema:
    """Return the fields of every index, in the order of `Field`."""
    return Schema(path=STORED(), **{field.name.lower(): SurfaceText() for field in Field})


class ColumnSegment(W3Segment):
    """A segment whose two files are ours."""

    def should_assemble(self) -> bool:
        """Tell Whoosh not to pack the files into one."""
        return False


class ColumnCodec(base.Codec):
    """Postings as columns."""

    length_stats = False

    def new_segment(self, _storage: IndexStorage, indexname: str) -> ColumnSegment:
        """Return an empty segment."""
        return ColumnSegment(self, indexname)

    def per_document_writer(self, _storage: IndexStorage, _segment: ColumnSegment) -> _Closed:
        """Return nothing to write to: `EntryWriter` writes whole segments."""
        return _Closed()

    def field_writer(self, _storage: IndexStorage, _segment: ColumnSegment) -> _Closed:
        """Return nothing to write to, likewise."""
        return _Closed()

    def terms_reader(self, storage: IndexStorage, segment: ColumnSegment) -> ColumnTerms:
        """Return the dictionary and postings for Whoosh's reader."""
        return ColumnTerms(_open(storage, segment))

    def per_document_reader(self, storage: IndexStorage, segment: ColumnSegment) -> ColumnDocuments:
        """Return lengths and stored values for Whoosh's reader."""
        return ColumnDocuments(_open(storage, segment))


class _Closed:
    is_closed = True

    def close(self) -> None:
        """Do nothing."""


def _open(storage: IndexStorage, segment: ColumnSegment) -> Segment:
    folder = Path(storage.folder)
    manifest = read_manifest(folder)
    for record in manifest.segments if manifest else ():
        if record.id == segment.segment_id():
            return open_segment(folder, record)
    raise TermNotFound(f"no segment {segment.segment_id()}")


class ColumnTerms(base.TermsReader):
    """Whoosh's view of a segment's dictionary and postings."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def __contains__(self, term: tuple[str, bytes]) -> bool:
        return bool(self._postings(*term)[0])

    def _postings(self, fieldname: str, key: bytes) -> tuple[list[int], list[float]]:
        segment = self._segment
        number = segment.term_number(key.decode("utf-8", "surrogatepass"))
        if number < 0:
            return [], []
        low, high = int(segment.posting_start[number]), int(segment.posting_start[number + 1])
        here = segment.posting_field[low:high] == Field[fieldname.upper()]
        documents = segment.posting_document[low:high][here].tolist()
        return documents, segment.posting_count[low:high][here].astype(float).tolist()

    def terms(self) -> Iterator[tuple[str, bytes]]:
        """Yield (field, term) in order."""
        for field in sorted(Field, key=lambda f: f.name):
            for term in self._segment.terms:
                key = (field.name.lower(), term.encode("utf-8", "surrogatepass"))
                if key in self:
                    yield key

    def indexed_field_names(self) -> Iterable[str]:
        """Return the fields' names."""
        return [field.name.lower() for field in Field]

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        """Return a term's statistics."""
        documents, weights = self._postings(fieldname, text)
        if not documents:
            raise TermNotFound(f"no term {fieldname}:{text!r}")
        lengths = self._segment.lengths[documents, Field[fieldname.upper()]]
        return TermInfo(
            weight=sum(weights),
            df=len(documents),
            minlength=int(lengths.min()),
            maxlength=int(lengths.max()),
            maxweight=max(weights),
            minid=documents[0],
            maxid=documents[-1],
        )

    def frequency(self, fieldname: str, text: bytes) -> float:
        """Return how often a term occurs."""
        return sum(self._postings(fieldname, text)[1])

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        """Return in how many documents a term occurs."""
        return len(self._postings(fieldname, text)[0])

    def matcher(self, fieldname: str, text: bytes, format_: Any, scorer: Any = None) -> Any:
        """Return a matcher over a term's documents."""
        documents, weights = self._postings(fieldname, text)
        if not documents:
            return NullMatcher()
        return ListMatcher(documents, weights, format=format_, scorer=scorer, term=(fieldname, text))

    def close(self) -> None:
        """Close the segment."""
        self._segment.close()


class ColumnDocuments(base.PerDocumentReader):
    """Whoosh's view of a segment's documents."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def doc_count(self) -> int:
        """Return the number of valid documents."""
        return int((~self._segment.deleted).sum())

    def doc_count_all(self) -> int:
        """Return the number of documents."""
        return self._segment.document_count

    def has_deletions(self) -> bool:
        """Tell whether some documents are no longer valid."""
        return bool(self._segment.deleted.any())

    def is_deleted(self, docnum: int) -> bool:
        """Tell whether a document is no longer valid."""
        return bool(self._segment.deleted[docnum])

    def deleted_docs(self) -> list[int]:
        """Return the documents that are no longer valid."""
        numbers: list[int] = self._segment.deleted.nonzero()[0].tolist()
        return numbers

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        """Return how many words a field of a document has."""
        return int(self._segment.lengths[docnum, Field[fieldname.upper()]]) or default

    def field_length(self, fieldname: str) -> int:
        """Return how many words a field has in all documents."""
        return int(self._segment.lengths[:, Field[fieldname.upper()]].sum())

    def min_field_length(self, fieldname: str) -> int:
        """Return the shortest length of a field."""
        return int(self._segment.lengths[:, Field[fieldname.upper()]].min())

    def max_field_length(self, fieldname: str) -> int:
        """Return the longest length of a field."""
        return int(self._segment.lengths[:, Field[fieldname.upper()]].max())

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        """Return what is stored of a document."""
        return self._segment.card(docnum)[0]

    def close(self) -> None:
        """Close the segment."""
        self._segment.close()


class EntryWriter(SegmentWriter):
    """Writes whole segments under Whoosh's lock and table of contents, and then the manifest."""

    def __init__(self, index: FileIndex) -> None:
        super().__init__(index, codec=ColumnCodec())

    def write(
        self,
        parts: Sequence[EncodedSegment],
        *,
        records: Iterable[SegmentRecord],
        deleted: Mapping[str, frozenset[int]],
        complete: Callable[[int, tuple[SegmentRecord, ...]], Manifest],
    ) -> Manifest:
        """Commit: new segments, segments kept, documents deleted in them.

        Args:
            parts: the new segments.
            records: segments that stay; all others are dropped.
            deleted: segment id to all its documents that are no longer valid.
            complete: makes the manifest from the generation and the segments.
        """
        folder = Path(self.storage.folder)
        kept = {record.id: record for record in records}
        segments = [segment for segment in self.segments if segment.segment_id() in kept]
        result: list[SegmentRecord] = []
        for segment in segments:
            record = kept[segment.segment_id()]
            gone = deleted.get(record.id, frozenset(record.deleted))
            segment._deleted = set(gone) or None
            result.append(
                SegmentRecord(record.id, record.hot, record.cold, record.documents, tuple(sorted(gone)))
            )
        for part in parts:
            segment = ColumnSegment(ColumnCodec(), self.indexname)
            segments.append(segment)
            result.append(self._write_segment(segment, part))
        toc = TOC(self.schema, segments, self.generation)
        toc.write(self.storage, self.indexname)
        manifest = complete(self.generation, tuple(result))
        write_manifest(folder, manifest)
        clean_files(self.storage, self.indexname, self.generation, segments)
        self._close_segment()
        self._finish()
        return manifest

    def _write_segment(self, segment: ColumnSegment, part: EncodedSegment) -> SegmentRecord:
        segment.set_doc_count(part.documents)
        hot = self._write_file(segment, ".hot", (part.hot,))
        cold = self._write_file(segment, ".cold", part.cold)
        return SegmentRecord(segment.segment_id(), hot, cold, part.documents)

    def _write_file(self, segment: ColumnSegment, extension: str, blocks: Sequence[bytes]) -> FileRecord:
        digest = hashlib.sha256()
        with segment.create_file(self.storage, extension) as file:
            for block in blocks:
                file.write(block)
                digest.update(block)
        size = sum(map(len, blocks))
        return FileRecord(segment.make_filename(extension), size, digest.hexdigest())


def toc_name(generation: int) -> str:
    """Return the file name of Whoosh's table of contents of a generation."""
    return str(TOC._filename(INDEX_NAME, generation))


def remove_leftovers(storage: IndexStorage, manifest: Manifest | None) -> None:
    """Remove what killed runs left in the folder: files that are not part of the index."""
    folder = Path(storage.folder)
    known = {MANIFEST, CARDS, CONFIRMED, TIMES, NAMES, UPDATE_LOCK, f"{INDEX_NAME}_WRITELOCK"}
    if manifest is not None:
        known |= {manifest.toc.name}
        known |= {file.name for record in manifest.segments for file in (record.hot, record.cold)}
    for name in storage.list():
        path = folder / name
        if name not in known and (path.is_file() or path.is_symlink()):
            path.unlink(missing_ok=True)


def open_index(storage: IndexStorage, manifest: Manifest | None) -> FileIndex:
    """Open the index that ``manifest`` describes, or a new one; leftovers of killed runs are removed first.

    Raises:
        DamagedIndexError: when the table of contents is not the recorded one.
    """
    if manifest is not None:
        check_file(Path(storage.folder), manifest.toc)
    remove_leftovers(storage, manifest)
    if manifest is None:
        return FileIndex.create(storage, schema(), INDEX_NAME)
    try:
        return FileIndex(storage, schema(), INDEX_NAME)
    except _UNREADABLE as error:
        raise DamagedIndexError("the table of contents cannot be read") from error


def lock_index(folder: Path) -> FileLock:
    """Take the lock of an index for one update, waiting for another process to finish.

    Raises:
        EnvironmentFault: when another process keeps it for longer than half a minute.
    """
    lock = FileLock(str(folder / UPDATE_LOCK))
    until = time.monotonic() + 30
    while not lock.acquire():
        if time.monotonic() > until:
            raise EnvironmentFault(
                "Another kb_app is indexing this knowledge base", "Wait for it to end and try again"
            )
        time.sleep(0.05)
    return lock
