"""The user's choices: one typed, versioned table, kept as JSON in ``AppFolders.config``.

Every field states its meaning in `HELP`. A file that cannot be read is set aside with its text intact and the
defaults apply; unknown keys of a newer version survive a save.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kb_app.durable import write_atomically
from kb_app.paths import AppFolders, private_folder
from kb_app.plain import from_plain, to_plain

SCHEMA_VERSION = 1
FILE_NAME = "settings.json"


@dataclass(frozen=True, slots=True)
class ConfiguredBase:
    """A knowledge base the user added: its name, and the folder or URL it came from."""

    name: str
    location: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; `HELP` explains each field."""

    knowledge_bases: tuple[ConfiguredBase, ...] = ()
    theme: str = "system"
    zoom_percent: int = 100
    results_limit: int = 50
    device: str = ""
    author: str = ""
    records_remote: str = ""
    records_folder: str = ""
    contributor_name: str = ""
    contributor_email: str = ""
    customer_names: tuple[str, ...] = ()
    shares_use: str = ""
    sync: bool = True
    sync_minutes: int = 10
    overlay: str = ""

    def with_base(self, base: ConfiguredBase) -> Settings:
        """Return settings that also hold ``base``, which replaces one of the same name."""
        kept = tuple(b for b in self.knowledge_bases if b.name != base.name)
        return replace(self, knowledge_bases=(*kept, base))

    def without_base(self, name: str) -> Settings:
        """Return settings without the knowledge base ``name``."""
        kept = tuple(b for b in self.knowledge_bases if b.name != name)
        return replace(self, knowledge_bases=kept, overlay="" if self.overlay == name else self.overlay)


HELP = {
    "knowledge_bases": "Folders that are searched when no --kb is given; the bundled content when empty.",
    "theme": "light, dark or system.",
    "zoom_percent": "Size of the text in the reader, 60 to 240.",
    "results_limit": "Most entries listed for one query, 1 to 200.",
    "device": "Short name of this device in incident records; drawn once.",
    "contributor_name": "Your name on proposals; as Git is configured when empty.",
    "contributor_email": "Your mail address on proposals; as Git is configured when empty.",
    "customer_names": "Names that may not appear in a proposal; they stay on this machine.",
    "shares_use": 'Whether "it worked" is proposed to the team: yes, no, or not asked yet when empty.',
    "sync": "Bring knowledge bases from Git up to date by themselves.",
    "sync_minutes": "Minutes between two syncs of a knowledge base, 1 to 1440.",
    "overlay": "Knowledge base that takes your own copies of entries of the others; none when empty.",
    "author": "Your handle or mail address in incident records; the login name when empty.",
    "records_remote": "Address of the Git repository that incident records are exchanged with, if any.",
    "records_folder": "Folder of that repository that holds incidents/; its top when empty.",
}


def settings_file(folders: AppFolders) -> Path:
    """Return where the settings are kept."""
    return folders.config / FILE_NAME


def load_settings(folders: AppFolders) -> Settings:
    """Return the saved settings, or the defaults when there are none or they cannot be read."""
    plain = _read(settings_file(folders))
    try:
        return from_plain(Settings, plain) if plain is not None else Settings()
    except ValueError:
        _set_aside(settings_file(folders))
        return Settings()


def save_settings(folders: AppFolders, settings: Settings) -> None:
    """Write the settings so that a crash leaves the old or the new file, never a part.

    The device's name, once drawn, stays: settings that were read before it was drawn do not take it away.

    Raises:
        EnvironmentFault: when the folder cannot be written to.
    """
    target = settings_file(folders)
    private_folder(folders.config)
    known = _read(target) or {}
    merged = known | to_plain(settings) | {"schema_version": SCHEMA_VERSION}
    merged["device"] = settings.device or known.get("device", "")
    write_atomically(target, json.dumps(merged, indent=2, ensure_ascii=False).encode() + b"\n")


def _read(file: Path) -> dict[str, Any] | None:
    try:
        plain = json.loads(file.read_bytes())
    except OSError:
        return None
    except ValueError:
        _set_aside(file)
        return None
    if isinstance(plain, dict):
        return plain
    _set_aside(file)
    return None


def _set_aside(file: Path) -> None:
    try:
        file.replace(file.with_suffix(".unreadable.json"))
    except OSError:
        return
