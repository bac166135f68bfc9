"""File times of the last run as one file in the index folder: what need not be read again.

The first line holds the number of entries and a hash of the rest; then a line per path, a line per content
hash, and four numbers of eight bytes per entry. (As JSON, ten thousand entries took a tenth of an update.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kb_app.durable import write_atomically

TIMES = "times.bin"
Time = tuple[int, int, int, int, str]
"""Size in bytes, time of the last change, time of the last change of status, inode, content hash."""
_NUMBERS = 4


def read_times(folder: Path) -> dict[str, Time]:
    """Return path to time; empty when there is no file or it is not what was written."""
    try:
        head, _, body = (folder / TIMES).read_bytes().partition(b"\n")
        count, digest = head.split()
        if digest.decode() != hashlib.sha256(body).hexdigest() or not int(count):
            return {}
        size = _NUMBERS * 8 * int(count)
        numbers = np.frombuffer(body[-size:], "<u8").reshape(-1, _NUMBERS)
        texts = body[:-size].decode().split("\n")
    except (OSError, ValueError):
        return {}
    paths, hashes = texts[: len(numbers)], texts[len(numbers) :]
    sizes, changed, status, inodes = numbers.T.tolist()
    return dict(zip(paths, zip(sizes, changed, status, inodes, hashes, strict=True), strict=True))


def write_times(folder: Path, times: Mapping[str, Time]) -> None:
    """Write what `read_times` returns.

    Raises:
        EnvironmentFault: when the file cannot be written.
    """
    rows = [(path, time) for path, time in times.items() if "\n" not in path]
    numbers = np.array([time[:_NUMBERS] for _, time in rows], "<u8").reshape(-1, _NUMBERS)
    texts = "\n".join([*(path for path, _ in rows), *(time[4] for _, time in rows)])
    body = texts.encode() + numbers.tobytes()
    write_atomically(folder / TIMES, f"{len(rows)} {hashlib.sha256(body).hexdigest()}\n".encode() + body)
