"""Opening knowledge bases: which ones, where they lie, where their index lies.

Decision: a folder is only ever read as files. No git program runs in it and nothing is written to it; its
index lies in the cache under a name made from the folder's real path, so that two folders of one name never
mix.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kb_app.entries.knowledge_base import load_config
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.paths import AppFolders
from kb_app.resources import content_folder
from kb_app.settings import ConfiguredBase, Settings


@dataclass(frozen=True, slots=True)
class OpenBase:
    """A knowledge base that can be read.

    Attributes:
        name: unique among the open ones.
        root: its folder.
        index_folder: where its index lies or will lie.
        config: what its ``kb.yml`` says.
    """

    name: str
    root: Path
    index_folder: Path
    config: KnowledgeBaseConfig


@dataclass(frozen=True, slots=True)
class UnopenedBase:
    """A configured knowledge base that cannot be read now, and why (one sentence and a next step)."""

    name: str
    location: str
    title: str
    hint: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """Everything that is open: layers in order of preference, the user's folders and choices."""

    bases: tuple[OpenBase, ...]
    folders: AppFolders
    settings: Settings
    unopened: tuple[UnopenedBase, ...] = ()

    def base(self, name: str) -> OpenBase:
        """Return the open knowledge base ``name``.

        Raises:
            UsageError: when none has that name.
        """
        for base in self.bases:
            if base.name == name:
                return base
        names = ", ".join(b.name for b in self.bases) or "none"
        raise UsageError(f"No open knowledge base is called {name!r}", f"Open ones: {names}")


def open_workspace(wanted: Sequence[str], folders: AppFolders, settings: Settings) -> Workspace:
    """Open the knowledge bases that ``wanted`` names.

    Args:
        wanted: folders or configured names; empty means all configured ones, else the bundled content.
        folders: the user's folders.
        settings: the user's choices.

    Raises:
        UsageError: when a wanted one is neither a folder nor a configured name.
        EnvironmentFault: when a wanted one cannot be read.
    """
    if wanted:
        bases = [_open_wanted(word, folders, settings) for word in wanted]
        return Workspace(_with_unique_names(bases), folders, settings)
    bases, unopened = [], []
    for configured in settings.knowledge_bases:
        try:
            bases.append(open_base(Path(configured.location), folders, name=configured.name))
        except EnvironmentFault as fault:
            unopened.append(UnopenedBase(configured.name, configured.location, fault.title, fault.hint))
    if all(configured.name == settings.overlay for configured in settings.knowledge_bases):
        bases.append(open_base(content_folder(), folders))  # copies alone are no knowledge base
    return Workspace(_with_unique_names(bases), folders, settings, tuple(unopened))


def open_base(folder: Path, folders: AppFolders, *, name: str = "") -> OpenBase:
    """Open one folder as a knowledge base.

    Raises:
        EnvironmentFault: when it is not there, is not a folder or cannot be read.
    """
    root = readable_folder(folder)
    config = load_config(root)
    shown = name or config.name or root.name or str(root)
    return OpenBase(shown, root, _index_home(folders) / index_name(root), config)


def _index_home(folders: AppFolders) -> Path:
    """Return where indexes go: the cache, or a private temporary folder when the cache cannot be written.

    Searching must work with a home that is read-only; the index is only a cache.
    """
    nearest = folders.index
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return folders.index
    owner = os.getuid() if hasattr(os, "getuid") else 0
    spare = Path(tempfile.gettempdir()) / f"kb_app-index-{owner}"
    try:
        spare.mkdir(mode=0o700, exist_ok=True)
        state = spare.lstat()
    except OSError:
        return folders.index
    is_ours = stat.S_ISDIR(state.st_mode) and (os.name != "posix" or state.st_uid == owner)
    return spare if is_ours else folders.index  # whoever else made it could read and change the index


def readable_folder(folder: Path) -> Path:
    """Return the real path of ``folder``.

    Raises:
        EnvironmentFault: when it is not there, is not a folder or cannot be listed.
    """
    try:
        root = folder.expanduser().resolve(strict=True)
        with os.scandir(root):
            return root
    except FileNotFoundError as error:
        raise EnvironmentFault(
            f"The folder {folder} is not there", "Check the path, or connect the drive"
        ) from error
    except NotADirectoryError as error:
        raise EnvironmentFault(f"{folder} is a file, not a folder", "Choose the folder it lies in") from error
    except (PermissionError, OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvironmentFault(
            f"The folder {folder} cannot be read: {reason}", "Ask its owner for permission to read it"
        ) from error


def lies_in_clones(folders: AppFolders, root: Path) -> bool:
    """Tell from its real path whether a knowledge base lies where our clones are."""
    return Path(os.path.realpath(folders.clones)) in root.parents


def index_name(root: Path) -> str:
    """Return the name of the index folder for ``root``: readable, and unique by the real path's hash."""
    slug = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")[:40] or "kb"
    return f"{slug}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:16]}"


def configured_for(folder: Path, folders: AppFolders) -> ConfiguredBase:
    """Return the settings row for a folder that is to be added.

    Raises:
        EnvironmentFault: when it cannot be opened.
    """
    base = open_base(folder, folders)
    return ConfiguredBase(base.name, str(base.root))


def _open_wanted(word: str, folders: AppFolders, settings: Settings) -> OpenBase:
    for configured in settings.knowledge_bases:
        if configured.name == word:
            return open_base(Path(configured.location), folders, name=configured.name)
    looks_like_path = os.sep in word or "/" in word or word.startswith(("~", ".")) or Path(word).exists()
    if not looks_like_path:
        names = ", ".join(b.name for b in settings.knowledge_bases) or "none"
        raise UsageError(
            f"{word!r} is neither a folder nor the name of a knowledge base", f"Configured ones: {names}"
        )
    return open_base(Path(word), folders)


def _with_unique_names(bases: Sequence[OpenBase]) -> tuple[OpenBase, ...]:
    taken: set[str] = set()
    unique: dict[Path, OpenBase] = {}
    for base in bases:
        if base.root in unique:
            continue
        name, number = base.name, 2
        while name in taken:
            name, number = f"{base.name} ({number})", number + 1
        taken.add(name)
        unique[base.root] = replace(base, name=name)
    return tuple(unique.values())
