"""Writing so that a crash or a power cut leaves the old text or the new one, never a part.

Measured on ext4: a rename without fsync of the file leaves an empty file when power fails within seconds;
without fsync of the folder the new name itself may be lost.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from kb_app.errors import EnvironmentFault


def write_atomically(target: Path, data: bytes, *, is_flushed: bool = True) -> None:
    """Replace ``target`` by ``data``: temporary file, fsync, rename, fsync of the folder.

    Args:
        target: the file.
        data: all of it.
        is_flushed: wait for the disk. Without, whoever reads sees the old text or the new one, but a power
            cut may leave either, or an empty file: only for what can be made again from something else.

    Raises:
        EnvironmentFault: when it cannot be written; the old file is then intact.
    """
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if is_flushed:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).replace(target)
        if is_flushed:
            sync_folder(target.parent)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise EnvironmentFault(
            f"{target.name} could not be saved in {target.parent}: {error.strerror or error}",
            "Free some space or set KB_APP_HOME to another folder; nothing that was saved before is lost",
        ) from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's own entries to disk where the system can (a rename is not durable before that)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Flush a folder's own entries to disk, as `sync_folder` does.

    Raises:
        EnvironmentFault: when the disk does not take them.
    """
    try:
        sync_folder(folder)
    except OSError as error:
        raise EnvironmentFault(
            f"{folder} could not be saved: {error.strerror or error}",
            "Free some space; nothing that was saved before is lost",
        ) from error
