"""The user's folders, and joining paths without leaving a root.

Everything the program writes lies below these folders, never inside a knowledge base. ``KB_APP_HOME`` moves
all of them below one folder (portable use, tests).
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import platformdirs

from kb_app.errors import EnvironmentFault, UsageError

APP_NAME = "kb_app"


@dataclass(frozen=True, slots=True)
class AppFolders:
    """Where the program keeps what is its own.

    Attributes:
        config: settings and the list of knowledge bases.
        cache: indexes; may be deleted at any time.
        data: clones, drafts, records of incidents, starred and recent entries.
        logs: the log file.
    """

    config: Path
    cache: Path
    data: Path
    logs: Path

    @property
    def index(self) -> Path:
        """Indexes, one folder each (a cache)."""
        return self.cache / "index"

    @property
    def drafts(self) -> Path:
        """Texts being written."""
        return self.data / "drafts"

    @property
    def records(self) -> Path:
        """Incident records."""
        return self.data / "records"

    @property
    def clones(self) -> Path:
        """Clones this program made."""
        return self.data / "clones"


def app_folders(environment: Mapping[str, str] | None = None) -> AppFolders:
    """Return the folders for this user; nothing is created."""
    home = (os.environ if environment is None else environment).get("KB_APP_HOME")
    if home:
        root = Path(home).expanduser().absolute()
        return AppFolders(root / "config", root / "cache", root / "data", root / "logs")
    dirs = platformdirs.PlatformDirs(APP_NAME, appauthor=False)
    return AppFolders(
        Path(dirs.user_config_dir),
        Path(dirs.user_cache_dir),
        Path(dirs.user_data_dir),
        Path(dirs.user_log_dir),
    )


def private_folder(folder: Path) -> Path:
    """Create ``folder`` for this user alone (0700) and return it.

    Raises:
        EnvironmentFault: when it cannot be made or is not a folder.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix" and folder.stat().st_uid == os.getuid():
            folder.chmod(0o700)
    except OSError as error:
        raise EnvironmentFault(
            f"The folder {folder} cannot be used: {error.strerror or error}",
            "Set KB_APP_HOME to a folder you can write to",
        ) from error
    return folder


def safe_join(root: Path, relative: str) -> Path:
    """Return ``root / relative`` with symbolic links resolved, if that is still below ``root``.

    Args:
        root: an existing folder.
        relative: a ``/``-separated path from untrusted text.

    Raises:
        UsageError: when it is absolute, names a drive or a stream, holds control characters, or leads out.
    """
    pure = PurePosixPath(relative)
    suspicious = (
        pure.is_absolute()
        or "\\" in relative
        or ":" in relative
        or any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in relative)
    )
    if suspicious or not relative:
        raise UsageError(f"{relative!r} is not a path inside the knowledge base")
    base = root.resolve()
    joined = (base / pure).resolve()
    if joined != base and base not in joined.parents:
        raise UsageError(f"{relative!r} leads out of the knowledge base")
    return joined
