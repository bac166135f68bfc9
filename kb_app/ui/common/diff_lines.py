"""A comparison as it is read: lines with changed words, sections as headings, the unchanged rest folded.

Knows no Qt. The lines of a fold are kept, so that it can be opened without comparing again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kb_app.entries.front_matter import read_front_matter
from kb_app.entries.outline import outline_of
from kb_app.gitstore.words import Run, RunKind

CONTEXT = 2
"""Unchanged lines shown on each side of a change."""

SHORTEST_FOLD = 3
"""A fold of fewer lines would cost more than it saves."""

FACTS = "Facts at the top of the page"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison.

    Attributes:
        pieces: its stretches in order, without the line end.
        level: 1 to 6 for a heading, else 0; its first piece then has no ``#`` any more.
        number: the line in the new text, from 1; 0 for one that was removed.
        is_code: it stands in a fenced block.
        is_fact: it belongs to the front matter.
    """

    pieces: tuple[Run, ...]
    level: int = 0
    number: int = 0
    is_code: bool = False
    is_fact: bool = False

    @property
    def is_changed(self) -> bool:
        """Something in it was removed or added."""
        return any(piece.kind is not RunKind.SAME for piece in self.pieces)

    @property
    def text(self) -> str:
        """All its stretches."""
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines that did not change and are not shown until they are asked for."""

    lines: tuple[Line, ...]

    @property
    def label(self) -> str:
        """What it says in the place of the lines."""
        count = len(self.lines)
        return "1 line that did not change" if count == 1 else f"{count:,} lines that did not change"


@dataclass(frozen=True, slots=True)
class Counted:
    """How much changed: lines with something added, lines with something removed."""

    added: int
    removed: int

    @property
    def text(self) -> str:
        """In words."""
        if not self.added and not self.removed:
            return "No difference"
        parts = []
        if self.added:
            parts.append(
                "1 line added or changed" if self.added == 1 else f"{self.added:,} lines added or changed"
            )
        if self.removed:
            parts.append(
                "1 line removed or changed" if self.removed == 1 else f"{self.removed:,} removed or changed"
            )
        return ", ".join(parts)


@dataclass(slots=True)
class _Builder:
    pieces: list[Run] = field(default_factory=list)
    lines: list[tuple[tuple[Run, ...], bool]] = field(default_factory=list)
    """Pieces, and whether the line end is in the new text."""

    def take(self, run: Run) -> None:
        first, *rest = run.text.split("\n")
        self._add(run.kind, first)
        for text in rest:
            self.end(is_new=run.kind is not RunKind.REMOVED)
            self._add(run.kind, text)

    def _add(self, kind: RunKind, text: str) -> None:
        if text:
            self.pieces.append(Run(kind, text))

    def end(self, *, is_new: bool) -> None:
        self.lines.append((tuple(self.pieces), is_new))
        self.pieces = []


def lines_of_runs(runs: Sequence[Run]) -> tuple[Line, ...]:
    """Return all lines of a comparison, in order."""
    builder = _Builder()
    for run in runs:
        builder.take(run)
    if builder.pieces:
        builder.end(is_new=any(p.kind is not RunKind.REMOVED for p in builder.pieces))
    levels, code, body = _structure("".join(r.text for r in runs if r.kind is not RunKind.REMOVED))
    lines, number = [], 0
    for pieces, is_new in builder.lines:
        number += is_new
        is_removed = not is_new or not pieces or all(p.kind is RunKind.REMOVED for p in pieces)
        level = 0 if is_removed else levels.get(number, 0)
        lines.append(
            Line(
                _without_marks(pieces, level) if level else pieces,
                level,
                number if is_new else 0,
                is_new and number in code,
                is_new and number < body,
            )
        )
    return tuple(lines)


def folded(lines: Sequence[Line], *, context: int = CONTEXT) -> tuple[Line | Fold, ...]:
    """Return the lines with what is far from a change folded; the heading above a change stays."""
    shown: set[int] = set()
    heading = -1
    for index, line in enumerate(lines):
        if line.level:
            heading = index
        if line.is_changed:
            shown.update(range(max(0, index - context), min(len(lines), index + context + 1)))
            if heading >= 0:
                shown.add(heading)
    if not shown:
        return (Fold(tuple(lines)),) if lines else ()
    return tuple(_with_folds(lines, shown))


def counted(lines: Sequence[Line]) -> Counted:
    """Return how many lines hold something added, and something removed."""
    kinds = [{piece.kind for piece in line.pieces} for line in lines]
    return Counted(sum(RunKind.ADDED in k for k in kinds), sum(RunKind.REMOVED in k for k in kinds))


def _with_folds(lines: Sequence[Line], shown: set[int]) -> Iterator[Line | Fold]:
    waiting: list[Line] = []
    for index, line in enumerate(lines):
        if index not in shown:
            waiting.append(line)
            continue
        yield from _closed(waiting)
        waiting = []
        yield line
    yield from _closed(waiting)


def _closed(waiting: Sequence[Line]) -> Sequence[Line | Fold]:
    if all(not line.text.strip() for line in waiting):
        return waiting
    return (Fold(tuple(waiting)),) if len(waiting) >= SHORTEST_FOLD else waiting


def _structure(text: str) -> tuple[dict[int, int], set[int], int]:
    """Return the level of each heading by line, the lines of code, and the first line of the body."""
    plain = text.split("\n")
    body = read_front_matter(plain).body_line
    outline = outline_of(plain, body)
    levels = {heading.first_line: heading.level for heading in outline.headings}
    code = {n for fence in outline.fences for n in range(fence.first_line, fence.last_line + 1)}
    return levels, code, body


def _without_marks(pieces: tuple[Run, ...], level: int) -> tuple[Run, ...]:
    """Return a heading's stretches without the ``#`` in front."""
    first, *rest = pieces
    if first.kind is RunKind.SAME and first.text.lstrip(" ").startswith("#" * level):
        text = first.text.lstrip(" ").lstrip("#").lstrip(" ")
        return (Run(first.kind, text), *rest) if text else tuple(rest)
    return pieces
