"""How a person is drawn: initials on a colour of their own. Pure values; ``avatars`` paints them."""

from __future__ import annotations

import unicodedata
import zlib

PAIRS: tuple[tuple[str, str], ...] = (
    ("#2F55D4", "#FFFFFF"),
    ("#0A6640", "#FFFFFF"),
    ("#8F4700", "#FFFFFF"),
    ("#7A2E8E", "#FFFFFF"),
    ("#0F6674", "#FFFFFF"),
    ("#A3264B", "#FFFFFF"),
    ("#4B5563", "#FFFFFF"),
    ("#5B3FC4", "#FFFFFF"),
    ("#6B5B00", "#FFFFFF"),
    ("#9A3412", "#FFFFFF"),
)
"""Ground and letters, the same in both themes: each pair is readable.

Source: WCAG 2.2, 1.4.3: 4.5:1 for text (``tests/unit/ui/test_people.py`` checks it).
"""


def initials(name: str) -> str:
    """Return one or two capital letters for a name; ``?`` when it holds no letter and no digit."""
    words = [
        word for word in name.replace("-", " ").replace(".", " ").replace("_", " ").split() if _first(word)
    ]
    if not words:
        return "?"
    first, last = _first(words[0]), _first(words[-1]) if len(words) > 1 else ""
    return (first + last).upper()[:2]


def colors_of(name: str) -> tuple[str, str]:
    """Return ground and letters for a name: always the same, whatever its case."""
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    return PAIRS[zlib.crc32(folded.encode("utf-8", "replace")) % len(PAIRS)]


def _first(word: str) -> str:
    return next((c for c in unicodedata.normalize("NFC", word) if c.isalnum()), "")
