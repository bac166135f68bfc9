"""Trees of files: what a commit would put on the disk, and removing folders of any depth."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.entries.knowledge_base import is_entry_name
from kb_app.errors import EnvironmentFault

SYMLINK = "120000"
SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """What a knowledge base may hold before it is refused.

    Attributes:
        files: number of files.
        total_bytes: sum of their sizes.
        file_bytes: size of one.
        depth: folders above a file.
        transfer_bytes: bytes received for one clone.
    """

    files: int = 200_000
    total_bytes: int = 4_000_000_000
    file_bytes: int = 200_000_000
    depth: int = 60
    transfer_bytes: int = 4_000_000_000

    @property
    def listing_bytes(self) -> int:
        """Cap on the text of a listing with that many files."""
        return self.files * 120 + 1_000_000


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One file of a commit: its path, its blob, its mode in octal, its size (None: not fetched yet)."""

    path: str
    blob: str
    mode: str
    size_bytes: int | None


def parse_listing(raw: bytes) -> tuple[TreeFile, ...]:
    """Return the files of ``git ls-tree -r -z`` with or without ``-l``, in its order.

    Undecodable bytes of a path are kept as surrogates, so that the path still names the file.
    """
    files = []
    for record in raw.split(b"\0"):
        head, tab, path = record.partition(b"\t")
        words = head.split()
        if not tab or len(words) < 3:
            continue
        size = words[3] if len(words) > 3 else b"-"
        files.append(
            TreeFile(
                os.fsdecode(path),
                words[2].decode("ascii"),
                words[0].decode("ascii"),
                int(size) if size.isdigit() else None,
            )
        )
    return tuple(files)


def unpacked(files: tuple[TreeFile, ...], only_paths: Sequence[str]) -> tuple[TreeFile, ...]:
    """Return the files that are unpacked when only these folders are wanted; all of them when none is named.

    As ``git sparse-checkout --cone`` does, the files beside each of the folders on the way are among them.
    """
    if not only_paths:
        return files
    heads = tuple(f"{path.rstrip('/')}/" for path in only_paths)
    beside = {""}
    for head in heads:
        parts = head.split("/")[:-2]
        beside |= {"/".join(parts[: end + 1]) for end in range(len(parts))}
    return tuple(
        file for file in files if file.path.startswith(heads) or file.path.rpartition("/")[0] in beside
    )


@dataclass(frozen=True, slots=True)
class FolderCount:
    """A folder of a tree: its path, the files below it, and how many of them may be entries."""

    path: str
    files: int
    entries: int


def folder_counts(files: tuple[TreeFile, ...]) -> tuple[FolderCount, ...]:
    """Return the topmost folders that divide the entries, most entries first.

    A folder that holds all entries alone is entered, so that ``docs/`` of a large repository is no answer.
    """
    head = ""
    while True:
        counts: dict[str, list[int]] = {}
        for file in files:
            folder, slash, rest = file.path.removeprefix(head).partition("/")
            if slash and file.path.startswith(head):
                count = counts.setdefault(f"{head}{folder}", [0, 0])
                count[0] += 1
                count[1] += is_entry_name(rest.rpartition("/")[2])
        with_entries = [path for path, (_, entries) in counts.items() if entries]
        if len(with_entries) != 1:
            break
        inside = f"{with_entries[0]}/"
        if not any("/" in file.path.removeprefix(inside) for file in files if file.path.startswith(inside)):
            break
        head = inside
    found = [FolderCount(path, number, entries) for path, (number, entries) in counts.items()]
    return tuple(sorted(found, key=lambda c: (-c.entries, -c.files, c.path)))


def limit_problem(files: tuple[TreeFile, ...], limits: TreeLimits) -> str:
    """Return why these files are refused, with the numbers, or an empty string."""
    if len(files) > limits.files:
        return f"It holds {len(files):,} files; {limits.files:,} are accepted"
    total = 0
    for file in files:
        size, depth = file.size_bytes or 0, file.path.count("/")
        total += size
        if size > limits.file_bytes:
            return f"One file has {_megabytes(size)}; {_megabytes(limits.file_bytes)} are accepted"
        if depth > limits.depth:
            return f"Its folders are {depth:,} levels deep; {limits.depth} are accepted"
    if total > limits.total_bytes:
        return f"Its files have {_megabytes(total)}; {_megabytes(limits.total_bytes)} are accepted"
    return ""


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours with everything in it, however deep; symbolic links are removed, not followed.

    Each sub-folder is first moved to the top of a scratch folder, so that no path grows beyond what a system
    takes and nothing recurses. Absent is fine.

    Raises:
        EnvironmentFault: when something in it cannot be removed.
    """
    if not os.path.lexists(folder):
        return
    try:
        scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".removing-"))
        first = scratch / "0"
        folder.replace(first)
        _empty(scratch, [first])
        scratch.rmdir()
    except OSError as error:
        raise EnvironmentFault(
            f"{folder} cannot be removed: {error.strerror or error}",
            "Close programs that use it and try again",
        ) from error


def sweep_removals(area: Path) -> None:
    """Finish removals that a crash cut short."""
    for scratch in area.glob(".removing-*"):
        with contextlib.suppress(OSError):
            _empty(scratch, [scratch / entry.name for entry in os.scandir(scratch)])
            scratch.rmdir()


def _empty(scratch: Path, waiting: list[Path]) -> None:
    number = len(waiting)
    while waiting:
        here = waiting.pop()
        if here.is_symlink() or not here.is_dir():
            _unlink(here)
            continue
        here.chmod(stat.S_IRWXU)
        with os.scandir(here) as entries:
            inside = [(Path(entry.path), entry.is_dir(follow_symlinks=False)) for entry in entries]
        for path, is_folder in inside:
            if not is_folder:
                _unlink(path)
                continue
            number += 1
            short = scratch / f"{number}-{os.getpid()}"
            path.replace(short)
            waiting.append(short)
        here.rmdir()


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        path.chmod(stat.S_IWRITE)  # Windows keeps git's read-only objects otherwise
        path.unlink()
