"""Whoosh's storage, made safe: our own folder, durable writes, no memory maps, no foreign pickles.

Whoosh keeps its table of contents as a pickle, and opening a planted one runs what it says. Three things
stand against that: the index lives in a folder of this user alone (0700) outside every knowledge base, the
table's hash is in the manifest, and what is unpickled may name four classes only.
"""

# ruff: noqa: FBT001, FBT002 - the signatures are Whoosh's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import Any, BinaryIO

from whoosh.filedb.filestore import FileStorage, RamStorage
from whoosh.filedb.structfile import StructFile

from kb_app.durable import sync_folder
from kb_app.errors import UsageError
from kb_app.paths import private_folder

_ALLOWED = frozenset(
    {
        ("kb_app.search.codec", "ColumnSegment"),
        ("kb_app.search.codec", "ColumnCodec"),
        ("builtins", "set"),
        ("builtins", "frozenset"),
    }
)


class _AllowListUnpickler(pickle.Unpickler):
    """Refuses every class that an index of ours does not hold."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"an index may not name {module}.{name}")
        return super().find_class(module, name)


class _SafeFile(StructFile):
    """A file of the index: unpickling by allow-list, flushed to disk when it is closed after writing."""

    def read_pickle(self) -> Any:
        return _AllowListUnpickler(self.file).load()


def _flush_to_disk(file: Any) -> None:
    try:
        file.file.flush()
        os.fsync(file.file.fileno())
    finally:
        file.file.close()


class IndexStorage(FileStorage):
    """The folder of one index."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), supports_mmap=False)

    @classmethod
    def make(cls, folder: Path, knowledge_base: Path) -> IndexStorage:
        """Create the folder for this user alone and return its storage.

        Raises:
            UsageError: when the folder lies inside the knowledge base.
            EnvironmentFault: when it cannot be made.
        """
        inside, root = folder.resolve(), knowledge_base.resolve()
        if inside == root or root in inside.parents:
            raise UsageError(
                f"The index of {knowledge_base.name!r} may not lie inside the knowledge base",
                "Set KB_APP_HOME to a folder outside of it",
            )
        return cls(private_folder(folder))

    def create_file(self, name: str, excl: bool = False, mode: str = "wb", **_options: Any) -> _SafeFile:
        """Create a file; closing it makes it durable."""
        del excl, mode  # always anew, always binary
        file: BinaryIO = (Path(self.folder) / name).open("wb")
        return _SafeFile(file, name=name, onclose=_flush_to_disk)

    def open_file(self, name: str, **_options: Any) -> _SafeFile:
        """Read a file whole: no memory map, no handle that stays open when what it holds is refused."""
        return _SafeFile(io.BytesIO((Path(self.folder) / name).read_bytes()), name=name)

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Rename durably; both names are the index's own."""
        del safe  # a table of contents of the same number is a leftover of a killed run
        (Path(self.folder) / oldname).replace(Path(self.folder) / newname)
        sync_folder(Path(self.folder))

    def temp_storage(self, name: str | None = None) -> RamStorage:
        """Return storage in memory: nothing temporary is written, planted or left behind."""
        del name
        return RamStorage()
