"""What an index consists of, with the hash of every file: the commit point, and the gate before opening.

The manifest is written last. Files it does not name are leftovers; files that differ from what it says make
the index worthless, and it is made anew. Reading a manifest unpickles nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from kb_app.durable import write_atomically
from kb_app.plain import from_plain, to_plain
from kb_app.search.columns import FORMAT, DamagedIndexError, Segment, read_hot

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of the index: name in its folder, size in bytes, SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """A segment: its two files and the numbers of the documents that are no longer valid."""

    id: str
    hot: FileRecord
    cold: FileRecord
    documents: int
    deleted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """One state of an index.

    Attributes:
        generation: Whoosh's number of this commit.
        knowledge_base: name of the knowledge base that was indexed.
        config: hash of what besides the pages goes into the index (format, settings of the knowledge base).
        toc: Whoosh's table of contents.
        segments: oldest first.
        seen_at_ns: file-system time from which on equal file times prove nothing.
        is_complete: False while a first run is under way.
    """

    generation: int
    knowledge_base: str
    config: str
    toc: FileRecord
    segments: tuple[SegmentRecord, ...] = ()
    seen_at_ns: int = 0
    is_complete: bool = True
    format: int = FORMAT


def record_of(folder: Path, name: str) -> FileRecord:
    """Return size and hash of a file that was just written."""
    data = (folder / name).read_bytes()
    return FileRecord(name, len(data), hashlib.sha256(data).hexdigest())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make ``manifest`` the state of the index in ``folder``."""
    body = json.dumps(to_plain(manifest), separators=(",", ":"))
    digest = hashlib.sha256(body.encode()).hexdigest()
    write_atomically(folder / MANIFEST, f"{digest}\n{body}\n".encode())


def read_manifest(folder: Path) -> Manifest | None:
    """Return the state of the index in ``folder``; None when there is no index yet.

    Raises:
        DamagedIndexError: when the manifest is not what was written, or of another format.
    """
    try:
        text = (folder / MANIFEST).read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DamagedIndexError(f"the manifest cannot be read: {error}") from error
    digest, _, body = text.partition("\n")
    if not text.endswith("\n") or hashlib.sha256(body[:-1].encode()).hexdigest() != digest:
        raise DamagedIndexError("the manifest is damaged")
    try:
        plain = json.loads(body)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise DamagedIndexError("the index was written by another version")
        return from_plain(Manifest, plain)
    except (ValueError, TypeError) as error:
        raise DamagedIndexError("the manifest is damaged") from error


def discard(folder: Path) -> None:
    """Declare the index in ``folder`` void; the next update makes it anew."""
    (folder / MANIFEST).unlink(missing_ok=True)


def check_file(folder: Path, record: FileRecord) -> bytes:
    """Return the bytes of a file whose hash was recorded.

    Raises:
        DamagedIndexError: when they are not the recorded ones.
    """
    data = read_hot(folder / record.name)
    if len(data) != record.size or hashlib.sha256(data).hexdigest() != record.sha256:
        raise DamagedIndexError(f"{record.name} is damaged")
    return data


def open_segment(folder: Path, record: SegmentRecord) -> Segment:
    """Open a segment after checking it against its record.

    Raises:
        DamagedIndexError: when a file is missing, cut short or changed.
    """
    hot = check_file(folder, record.hot)
    try:
        cold = (folder / record.cold.name).open("rb")
        if cold.seek(0, 2) != record.cold.size:
            cold.close()
            raise DamagedIndexError(f"{record.cold.name} has another size")
    except OSError as error:
        raise DamagedIndexError(f"{record.cold.name} cannot be read") from error
    return Segment.from_bytes(hot, cold, record.deleted)
