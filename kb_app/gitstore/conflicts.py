"""Bringing two versions of an entry together by its sections. Pure: texts in, frozen values out.

Decision: the unit of a merge is what a person would name: a section with its heading, or one key of the front
matter. Two people who change different sections never hear of each other; two who change the same one see
both texts and the words that differ. Lines inside one section are not merged by themselves: two halves of a
procedure that were never read together are not a procedure. No conflict marker is ever written.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_app.entries.front_matter import read_front_matter
from kb_app.entries.outline import outline_of
from kb_app.errors import UsageError
from kb_app.gitstore.leaks import has_markers
from kb_app.gitstore.words import TextRange, changed_ranges, lines_of

SAME_SECTION = 0.6
"""Share of equal text from which a section under another heading is taken for the same one, renamed."""

_KEY_LINE = re.compile(r"(?![\s#-])([^:\n]{1,80}):(?:\s|$)")


class UnitKind(StrEnum):
    """What a unit of a merge is."""

    FRONT_MATTER = "front matter"
    PREAMBLE = "preamble"
    SECTION = "section"
    PAGE = "page"


class Choice(StrEnum):
    """What to keep of a conflict."""

    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Conflict:
    """One unit that both sides changed, each in another way.

    Attributes:
        number: from 0, in page order.
        kind: what it is.
        title: its heading or key, plain; empty for a preamble or a whole page.
        mine, theirs: its text on each side; None where that side removed it.
        base: its text before; None where both sides added it.
        mine_changes, theirs_changes: where each side differs from ``base`` (without one: from each other).
    """

    number: int
    kind: UnitKind
    title: str
    mine: str | None
    theirs: str | None
    base: str | None
    mine_changes: tuple[TextRange, ...] = ()
    theirs_changes: tuple[TextRange, ...] = ()

    @property
    def can_keep_both(self) -> bool:
        """Both texts can stand one after the other."""
        is_text = self.kind in (UnitKind.SECTION, UnitKind.PREAMBLE)
        return is_text and self.mine is not None and self.theirs is not None

    def kept(self, choice: Choice) -> str:
        """Return the text that a choice keeps; both: mine, then theirs without the heading they share.

        Raises:
            UsageError: when both cannot stand together.
        """
        if choice is Choice.MINE:
            return self.mine or ""
        if choice is Choice.THEIRS:
            return self.theirs or ""
        if not self.can_keep_both:
            raise UsageError("These two cannot both be kept", "Keep one of them, or write your own text")
        mine, theirs = lines_of(self.mine or ""), lines_of(self.theirs or "")
        if mine and theirs and mine[0].strip() == theirs[0].strip():
            theirs = theirs[1:]
        head, tail = _ended("".join(mine)), "".join(theirs).lstrip("\n")
        if head and tail and not head.endswith("\n\n"):
            head += "\n"
        return head + tail


@dataclass(frozen=True, slots=True)
class Merge:
    """Two versions brought together.

    Attributes:
        parts: in page order: text that needs no choice, or a conflict.
        newline: line end of the whole page; empty when the texts keep the ones they have.
    """

    parts: tuple[str | Conflict, ...]
    newline: str = "\n"

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What needs a choice, in page order."""
        return tuple(part for part in self.parts if isinstance(part, Conflict))

    @property
    def text(self) -> str | None:
        """The merged page, or None while something needs a choice."""
        pieces = [part for part in self.parts if isinstance(part, str)]
        return _assembled(pieces, self.newline) if len(pieces) == len(self.parts) else None


def resolve(merge: Merge, choices: Mapping[int, Choice | str]) -> str:
    """Return the page with a choice made for each conflict.

    Args:
        merge: what `merge_sections` returned.
        choices: conflict number to a choice, or to a text of one's own (with any line ends).

    Raises:
        UsageError: when a choice is missing or impossible, or the result would hold the marks of a merge.
    """
    pieces = []
    for part in merge.parts:
        if isinstance(part, str):
            pieces.append(part)
            continue
        choice = choices.get(part.number)
        if choice is None:
            where = part.title or part.kind
            raise UsageError(
                f"Nothing is chosen yet for {where!r}", "Keep mine, theirs or both, or write your own"
            )
        if isinstance(choice, Choice):
            pieces.append(part.kept(choice))
        else:
            pieces.append(choice if merge.newline == "" else choice.replace("\r\n", "\n"))
    text = _assembled(pieces, merge.newline)
    if has_markers(text):
        raise UsageError(
            "The text still holds the marks of a merge", "Remove the lines with <<<<<<< and >>>>>>>"
        )
    return text


def merge_sections(base: str, mine: str, theirs: str) -> Merge:
    """Bring two versions of a page together, section by section.

    Args:
        base: the page both started from; empty when both are new.
        mine: this side's page.
        theirs: the other side's page.

    Returns:
        Every line that either side added is in the parts or in a conflict. ``merge_sections(b, a, b)`` is
        ``a``; swapping the sides swaps only ``mine`` and ``theirs``.
    """
    if theirs in (mine, base):
        return Merge((mine,), "")
    if mine == base:
        return Merge((theirs,), "")
    newline = _newline(base, mine, theirs)
    if newline:
        base, mine, theirs = (text.replace("\r\n", "\n") for text in (base, mine, theirs))
    return Merge(_Merger(base, mine, theirs).parts(), newline)


def merge_pages(base: str | None, mine: str | None, theirs: str | None) -> Merge:
    """Bring together two versions of a page that one side may have removed (None) or both may have added.

    A page that one side removed and the other changed is one conflict of kind `UnitKind.PAGE`.
    """
    if mine is not None and theirs is not None:
        return merge_sections(base or "", mine, theirs)
    if theirs in (mine, base):
        return Merge((mine or "",), "")
    if mine == base:
        return Merge((theirs or "",), "")
    return Merge((whole_page(base, mine, theirs),), "")


def whole_page(base: str | None, mine: str | None, theirs: str | None) -> Conflict:
    """Return the conflict that offers whole pages, without a look inside."""
    return Conflict(0, UnitKind.PAGE, "", mine, theirs, base)


class ChangeKind(StrEnum):
    """What happened to a section."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class SectionChange:
    """A section or a key of the front matter that one side changed; the title is its heading or key."""

    title: str
    kind: ChangeKind
    unit: UnitKind


def changed_sections(
    before: str, after: str, *, without: Sequence[Conflict] = ()
) -> tuple[SectionChange, ...]:
    """Return which sections differ between two versions, in page order, those of ``without`` left out."""
    old, new = (_units(text.replace("\r\n", "\n")) for text in (before, after))
    pairs = _matched(old, new)
    kept = set(pairs.values())
    found = [
        (unit, ChangeKind.ADDED if index not in pairs else ChangeKind.CHANGED)
        for index, unit in enumerate(new)
        if index not in pairs or old[pairs[index]].body != unit.body
    ]
    found += [(unit, ChangeKind.REMOVED) for index, unit in enumerate(old) if index not in kept]
    asked = {(conflict.kind, conflict.title) for conflict in without}
    is_whole = any(conflict.kind is UnitKind.PAGE for conflict in without)
    return tuple(
        SectionChange(unit.title, kind, unit.kind)
        for unit, kind in found
        if not is_whole and unit.text.strip() and (unit.kind, unit.title) not in asked
    )


# --- units --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Unit:
    """A stretch of whole lines. ``body + tail`` is its text; ``tail`` is the blank end of it."""

    kind: UnitKind
    path: tuple[str, ...]
    level: int
    body: str
    tail: str

    @property
    def text(self) -> str:
        return self.body + self.tail

    @property
    def title(self) -> str:
        return self.path[-1] if self.path else ""


def _unit(kind: UnitKind, path: tuple[str, ...], level: int, text: str) -> _Unit:
    body = text.rstrip()
    return _Unit(kind, path, level, body, text[len(body) :])


def _units(text: str) -> list[_Unit]:
    """Return the units of a page; their texts, joined, are the page."""
    lines = lines_of(text)
    plain = [line.rstrip("\r\n") for line in lines]
    if plain:
        plain[0] = plain[0].removeprefix("\ufeff")
    body_line = min(read_front_matter(plain).body_line, len(lines) + 1)
    units = _front_matter(lines[: body_line - 1])
    headings = outline_of(plain, body_line).headings
    first = headings[0].first_line if headings else len(lines) + 1
    if first > body_line:
        units.append(_unit(UnitKind.PREAMBLE, (), 0, "".join(lines[body_line - 1 : first - 1])))
    above: list[tuple[int, str]] = []
    for index, heading in enumerate(headings):
        last = headings[index + 1].first_line - 1 if index + 1 < len(headings) else len(lines)
        above = [(level, title) for level, title in above if level < heading.level]
        above.append((heading.level, heading.title))
        path = tuple(title for _, title in above)
        units.append(
            _unit(UnitKind.SECTION, path, heading.level, "".join(lines[heading.first_line - 1 : last]))
        )
    return units


def _front_matter(lines: Sequence[str]) -> list[_Unit]:
    """Return one unit for the opening line, one for each key with its lines, one for the closing line."""
    units: list[_Unit] = []
    start, name = 0, "---"
    for number, line in enumerate(lines):
        match = _KEY_LINE.match(line)
        is_last = number == len(lines) - 1
        if number and (match is not None or is_last):
            units.append(_unit(UnitKind.FRONT_MATTER, (name,), 0, "".join(lines[start:number])))
            start, name = number, match.group(1).strip() if match and not is_last else "end"
    if lines:
        units.append(_unit(UnitKind.FRONT_MATTER, (name,), 0, "".join(lines[start:])))
    return units


# --- which unit is which ----------------------------------------------------------------------------


def _matched(base: Sequence[_Unit], side: Sequence[_Unit], *, with_renamed: bool = True) -> dict[int, int]:
    """Return for units of ``side`` the unit of ``base`` they come from, by index."""
    found: dict[int, int] = {}
    blocks = difflib.SequenceMatcher(
        None, [(u.kind, u.body) for u in base], [(u.kind, u.body) for u in side], autojunk=False
    ).get_matching_blocks()
    for block in blocks:
        for offset in range(block.size):
            found[block.b + offset] = block.a + offset
    # moved as it is; changed in place; changed under another parent
    keys: tuple[Callable[[_Unit], Hashable], ...] = (
        lambda u: (u.kind, u.level, u.body),
        lambda u: (u.kind, u.path),
        lambda u: (u.kind, u.level, u.title),
    )
    for key in keys:
        _pair(base, side, found, key)
    if with_renamed:
        _pair_renamed(base, side, found)
    return found


def _pair(
    base: Sequence[_Unit], side: Sequence[_Unit], found: dict[int, int], key: Callable[[_Unit], Hashable]
) -> None:
    taken = set(found.values())
    free: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, unit in enumerate(base):
        if index not in taken:
            free[key(unit)].append(index)
    for index, unit in enumerate(side):
        if index not in found and free[key(unit)]:
            found[index] = free[key(unit)].pop(0)


def _pair_renamed(base: Sequence[_Unit], side: Sequence[_Unit], found: dict[int, int]) -> None:
    """Pair a section that stands where another stood and says mostly the same under a new heading."""
    taken = set(found.values())
    for index, unit in enumerate(side):
        if index in found or unit.kind is not UnitKind.SECTION:
            continue
        before = found.get(index - 1, -1) + 1 if index else 0
        if before in taken or before >= len(base) or (index and index - 1 not in found):
            continue
        other = base[before]
        if other.kind is unit.kind and other.level == unit.level and _is_alike(other, unit):
            found[index] = before
            taken.add(before)


def _is_alike(one: _Unit, other: _Unit) -> bool:
    first, second = lines_of(one.body)[1:], lines_of(other.body)[1:]
    return bool(first and second) and difflib.SequenceMatcher(None, first, second).ratio() >= SAME_SECTION


# --- merging ----------------------------------------------------------------------------------------


class _Merger:
    """Merges units. Ids: a unit of the base is its index; units that are new count on from there."""

    def __init__(self, base: str, mine: str, theirs: str) -> None:
        self._texts = (base, mine, theirs)
        self._base = _units(base)
        a, b = _units(mine), _units(theirs)
        from_a, from_b = _matched(self._base, a), _matched(self._base, b)
        new_a = [i for i in range(len(a)) if i not in from_a]
        new_b = [i for i in range(len(b)) if i not in from_b]
        shared = _matched([a[i] for i in new_a], [b[i] for i in new_b], with_renamed=False)
        count = len(self._base)
        ids_a = from_a | {index: count + n for n, index in enumerate(new_a)}
        count += len(new_a)
        ids_b = from_b | {
            index: len(self._base) + shared[n] if n in shared else count + n for n, index in enumerate(new_b)
        }
        self._order_a = [ids_a[i] for i in range(len(a))]
        self._order_b = [ids_b[i] for i in range(len(b))]
        self._a = {ids_a[i]: unit for i, unit in enumerate(a)}
        self._b = {ids_b[i]: unit for i, unit in enumerate(b)}
        self._count = 0

    def parts(self) -> tuple[str | Conflict, ...]:
        order = self._order()
        if order is None:
            base, mine, theirs = self._texts
            return (self._conflict(UnitKind.PAGE, "", mine, theirs, base or None),)
        parts: list[str | Conflict] = []
        for unit_id in order:
            part = self._merged(unit_id)
            if isinstance(part, str) and parts and isinstance(parts[-1], str):
                parts[-1] = _ended(parts[-1]) + part if part else parts[-1]
            elif part:
                parts.append(part)
        return tuple(parts)

    # which units, in which order

    def _is_kept(self, unit_id: int) -> bool:
        """Tell whether a unit is in the result: not removed, or removed here and changed there."""
        a, b = self._a.get(unit_id), self._b.get(unit_id)
        if unit_id >= len(self._base) or (a is not None and b is not None):
            return True
        left = a if a is not None else b
        return left is not None and left.body != self._base[unit_id].body

    def _order(self) -> list[int] | None:
        """Return the ids of the result in order; None when both sides moved sections, each in another way."""
        old = len(self._base)
        both = {i for i in self._order_a if i < old and i in self._b}
        seen_a = [i for i in self._order_a if i in both]
        seen_b = [i for i in self._order_b if i in both]
        if seen_a == sorted(seen_a):
            main = self._order_b
        elif seen_b == sorted(seen_b) or seen_a == seen_b:
            main = self._order_a
        else:
            return None
        spine = [i for i in main if i in both]
        runs: dict[int, list[list[int]]] = {}
        for order in (self._order_a, self._order_b):
            at, run = -1, list[int]()
            for unit_id in order:
                if unit_id in both:
                    runs.setdefault(at, []).append(run)
                    at, run = unit_id, []
                elif self._is_kept(unit_id):
                    run.append(unit_id)
            runs.setdefault(at, []).append(run)
        result: list[int] = []
        for anchor in (-1, *spine):
            if anchor >= 0:
                result.append(anchor)
            for run in sorted(runs.get(anchor, ()), key=self._sort_key):
                result += [unit_id for unit_id in run if unit_id not in result]
        return result

    def _sort_key(self, run: Sequence[int]) -> tuple[tuple[bool, int, str], ...]:
        """Order additions at one place alike, whichever side they come from: old ones first, then by text."""
        return tuple(
            (i >= len(self._base), i if i < len(self._base) else 0, min(u.body for u in self._sides(i)))
            for i in run
        )

    def _sides(self, unit_id: int) -> list[_Unit]:
        return [side[unit_id] for side in (self._a, self._b) if unit_id in side]

    # one unit

    def _merged(self, unit_id: int) -> str | Conflict:
        base = self._base[unit_id] if unit_id < len(self._base) else None
        a, b = self._a.get(unit_id), self._b.get(unit_id)
        if a is None or b is None:
            only = a if a is not None else b
            assert only is not None
            if base is None:
                return only.text
            return self._unit_conflict(base, a, b)
        before = base.body if base is not None else None
        if b.body in (a.body, before):
            body = a.body
        elif a.body == before:
            body = b.body
        else:
            return self._unit_conflict(base, a, b)
        return body + _tail(base.tail if base is not None else None, a.tail, b.tail)

    def _unit_conflict(self, base: _Unit | None, a: _Unit | None, b: _Unit | None) -> Conflict:
        shown = base or a or b
        assert shown is not None
        texts = (unit.text if unit is not None else None for unit in (a, b, base))
        return self._conflict(shown.kind, shown.title, *texts)

    def _conflict(
        self, kind: UnitKind, title: str, mine: str | None, theirs: str | None, base: str | None
    ) -> Conflict:
        number, self._count = self._count, self._count + 1
        if base is None:
            in_mine, in_theirs = changed_ranges(mine or "", theirs or "")
        else:
            in_mine, in_theirs = (changed_ranges(base, side or "")[1] for side in (mine, theirs))
        return Conflict(number, kind, title, mine, theirs, base, in_mine, in_theirs)


def _tail(base: str | None, mine: str, theirs: str) -> str:
    """Return the blank end of a unit: the changed one; of two changed ones the longer."""
    if theirs == base:
        return mine
    return theirs if mine == base else max(mine, theirs, key=lambda tail: (len(tail), tail))


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _assembled(pieces: Sequence[str], newline: str) -> str:
    text = ""
    for piece in pieces:
        text = _ended(text) + piece if piece else text
    return text.replace("\n", newline) if newline not in ("", "\n") else text


def _newline(base: str, mine: str, theirs: str) -> str:
    r"""Return the line end of the result, ``""`` when one of the pages mixes them and bytes must stay."""
    found = [_line_end(text) for text in (base, mine, theirs)]
    if "" in found:
        return ""
    before = found[0] or "\n"
    a, b = found[1] or before, found[2] or before
    return b if a == before else a


def _line_end(text: str) -> str | None:
    newlines, pairs = text.count("\n"), text.count("\r\n")
    if not newlines:
        return None
    return "\n" if not pairs else "\r\n" if pairs == newlines else ""
