"""Names alone, ready to be searched while the texts of a first run are still being read.

The file holds one line (format, sizes, hash of the rest) and a segment made of names only. It is
there during a first run; an index that is complete has no use for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from kb_app.durable import write_atomically
from kb_app.entries.model import EntryCard
from kb_app.search.columns import (
    FORMAT,
    DamagedIndexError,
    EncodedSegment,
    Segment,
    build_segment,
    encode,
)
from kb_app.search.documents import Analyser, document_of_card

NAMES = "names.segment"


def segment_of_names(cards: Iterable[EntryCard]) -> EncodedSegment:
    """Return a segment that finds entries by their names alone."""
    return encode(build_segment([Analyser().chunk(map(document_of_card, cards))]))


def write_names(folder: Path, segment: EncodedSegment) -> None:
    """Publish a segment of names.

    Raises:
        EnvironmentFault: when it cannot be written.
    """
    body = b"".join((segment.hot, *segment.cold))
    head = f"{FORMAT} {len(segment.hot)} {segment.documents} {hashlib.sha256(body).hexdigest()}\n"
    write_atomically(folder / NAMES, head.encode() + body)


def read_names(folder: Path) -> Segment | None:
    """Return the segment of names; None when there is none or it is not what was written."""
    try:
        head, _, body = (folder / NAMES).read_bytes().partition(b"\n")
        form, size, documents, digest = head.decode().split()
        if form != str(FORMAT) or hashlib.sha256(body).hexdigest() != digest:
            return None
        cold = body[int(size) :]
        return Segment.of(EncodedSegment(body[: int(size)], (cold,), int(documents)))
    except (OSError, ValueError, DamagedIndexError):
        return None


def drop_names(folder: Path) -> None:
    """Remove the names: the index is complete."""
    (folder / NAMES).unlink(missing_ok=True)
