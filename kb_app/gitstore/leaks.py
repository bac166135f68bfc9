"""What must not leave this machine: secrets, customers' names, and the marks of an unfinished merge.

Only lines that a draft adds are looked at: an old slip in a page must not stop the one who corrects another
line of it. The secret itself is never kept or shown.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb_app.entries.secrets import secrets_in

_MARKER = re.compile(r"(?:<{7}|>{7}|\|{7})(?: |$)")


@dataclass(frozen=True, slots=True)
class Leak:
    """One line that must not be committed as it is.

    Attributes:
        path: the file.
        line: 1-based line of the draft.
        what: what it looks like, to follow "looks like …" or "holds …".
        is_certain: its shape leaves no doubt; else the author may say that it is an example.
    """

    path: str
    line: int
    what: str
    is_certain: bool


def added_lines(old: str, new: str) -> frozenset[int]:
    """Return the 1-based numbers of the lines of ``new`` that ``old`` does not have at that place."""
    if not old:
        return frozenset(range(1, len(new.splitlines()) + 1))
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    return frozenset(
        number + 1
        for tag, _, _, first, last in matcher.get_opcodes()
        if tag in ("replace", "insert")
        for number in range(first, last)
    )


def has_markers(text: str) -> bool:
    """Tell whether ``text`` holds both ends of a merge conflict as git writes them."""
    lines = text.splitlines()
    return any(line.startswith("<<<<<<< ") for line in lines) and any(
        line.startswith(">>>>>>> ") for line in lines
    )


def leaks_in(path: str, old: str, new: str, customer_names: Sequence[str] = ()) -> tuple[Leak, ...]:
    """Return what a draft adds to a file that must not be shared, in line order.

    Args:
        path: the file.
        old: its text before; empty for a new file.
        new: its text as drafted.
        customer_names: names that may not appear, compared as whole words without regard to case.
    """
    lines, added = new.splitlines(), added_lines(old, new)
    found = [Leak(path, s.line, s.what, s.is_certain) for s in secrets_in(lines) if s.line in added]
    if names := [name.strip() for name in customer_names if len(name.strip()) > 1]:
        pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, names)) + r")(?!\w)", re.IGNORECASE)
        found += [
            Leak(path, number, "a customer's name", is_certain=True)
            for number in sorted(added)
            if pattern.search(lines[number - 1])
        ]
    if has_markers(new):
        found += [
            Leak(path, number, "the mark of an unfinished merge", is_certain=True)
            for number in sorted(added)
            if _MARKER.match(lines[number - 1])
        ]
    return tuple(sorted(found, key=lambda leak: (leak.line, leak.what)))
