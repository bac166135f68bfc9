"""English as it is written: a word that is in the list is spelt rightly, whether or not any page holds it."""

from __future__ import annotations

from functools import lru_cache

from kb_app.resources import resource

FILE = "search/english-words.txt"


@lru_cache(maxsize=1)
def english_words() -> frozenset[str]:
    """Return the words, in lower case; empty when the file is missing."""
    try:
        text = resource(FILE).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return frozenset()
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))
