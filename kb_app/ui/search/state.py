"""Rules of the search field: what is a paste, what is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kb_app.search.model import IndexProgress

MAX_PASTE_CHARACTERS = 200_000
"""More than this is cut: a signature is in the first lines of a log or not in it at all."""

LONG_LINE_CHARACTERS = 300
"""One line of this length is a paste too (alert JSON, a minified stack trace)."""


@dataclass(frozen=True, slots=True)
class Query:
    """What the field holds.

    Attributes:
        typed: the text in the field.
        pasted: a paste that is shown as a chip, or empty.
        is_cut: the paste was longer than `MAX_PASTE_CHARACTERS`.
    """

    typed: str = ""
    pasted: str = ""
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to ask."""
        return not self.typed.strip() and not self.pasted

    @property
    def text(self) -> str:
        """Return what is asked; typed words follow the paste as a line of their own."""
        if not self.pasted:
            return self.typed
        return f"{self.pasted}\n{self.typed}" if self.typed.strip() else self.pasted

    @property
    def asked(self) -> str:
        """Return the paste, or what was typed where there is none."""
        return self.pasted or self.typed

    @property
    def narrowed_by(self) -> str:
        """Return what was typed beside a paste: filters and words that narrow it."""
        return self.typed.strip() if self.pasted else ""

    @property
    def line_count(self) -> int:
        """Return how many lines with text were pasted."""
        return sum(1 for line in self.pasted.splitlines() if line.strip())

    @property
    def chip(self) -> str:
        """Return the label that stands for the paste."""
        if not self.pasted:
            return ""
        count = self.line_count
        label = f"pasted {count:,} lines" if count != 1 else f"pasted 1 line, {len(self.pasted):,} characters"
        return f"{label} (cut)" if self.is_cut else label

    def with_typed(self, typed: str) -> Query:
        """Return the query with another typed text."""
        return replace(self, typed=typed)

    def without_paste(self) -> Query:
        """Return the query with the typed text alone."""
        return Query(self.typed)


_PHASES = {"names": (0.0, 0.12), "pages": (0.12, 0.96), "merge": (0.96, 1.0)}
"""The part of the way that each phase of indexing is. Source: runs over 10,000 pages."""


def index_share(progress: IndexProgress, before: float) -> float:
    """Return how much of an index is done, 0 to 1, never less than ``before``: one number for all phases."""
    low, high = _PHASES.get(progress.phase, (0.0, 1.0))
    done = progress.done / progress.total if progress.total else 1.0
    return max(before, low + (high - low) * min(1.0, done))


def as_paste(text: str) -> Query | None:
    """Return the query for clipboard text that is to be a chip, or None when it belongs into the field."""
    stripped = text.strip("\r\n\u2028\u2029 \t")
    if len(stripped.splitlines()) < 2 and len(stripped) < LONG_LINE_CHARACTERS:
        return None
    cut = stripped[:MAX_PASTE_CHARACTERS]
    return Query(pasted=cut.replace("\x00", "\N{REPLACEMENT CHARACTER}"), is_cut=len(cut) < len(stripped))
