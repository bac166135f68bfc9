"""Whether a text can be the folder of a repository that holds records; cheap to import."""

from __future__ import annotations

import re

_PART = re.compile(r"(?!\.{1,2}$)(?!\.git$)[^/\\:*?\"<>|\x00-\x1f\x7f]{1,100}", re.IGNORECASE)


def is_folder_name(text: str) -> bool:
    """Tell whether ``text`` is a relative path, ``/``-separated, that stays inside a repository."""
    return 0 < len(text) <= 300 and all(_PART.fullmatch(part) for part in text.split("/"))
