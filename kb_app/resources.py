"""Where the bundled content, fonts and icons lie: source tree, wheel and frozen build alike."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

from kb_app.errors import EnvironmentFault


@lru_cache(maxsize=4)
def _find(name: str) -> Path:
    package = Path(__file__).resolve().parent
    candidates = [package / "bundled" / name, package.parent / name]
    if frozen := getattr(sys, "_MEIPASS", None):
        candidates.insert(0, Path(frozen) / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise EnvironmentFault(f"The installation lacks its folder {name!r}", "Install kb_app again")


def content_folder() -> Path:
    """Return the bundled knowledge base.

    Raises:
        EnvironmentFault: when the installation is incomplete.
    """
    return _find("content")


def resource(relative: str) -> Path:
    """Return the bundled file or folder ``relative`` (``icons/search.svg``), whether it exists or not.

    Raises:
        EnvironmentFault: when the installation is incomplete.
    """
    return _find("resources") / relative
