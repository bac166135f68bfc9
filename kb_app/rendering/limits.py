"""Caps that keep every page linear, for python-markdown and for the reader's document alike.

Each number was measured: below it the slowest known input stays under a tenth of a second, above it
python-markdown or ``QTextDocument`` becomes quadratic or worse. What goes beyond a cap is shown as text,
never dropped.
"""

from __future__ import annotations

import re

from markdown.util import AtomicString

#: Characters of a file that is still rendered; longer ones are shown as plain text.
MAX_CHARACTERS = 1_000_000

#: Containers (quotes, list items, callouts) inside each other; deeper marks are text.
MAX_DEPTH = 24

#: Frames (one-cell tables) inside each other; ``QTextDocument`` lays a table out twice per level.
MAX_FRAMES = 6

#: Columns of a table, and cells of all tables of a page; ``QTextDocument`` needs about 30 µs a cell.
MAX_COLUMNS = 60
MAX_CELLS = 12_000

#: Items of one list: ``QTextDocument`` is quadratic in them; longer lists are continued in a new one.
MAX_ITEMS = 400

#: Characters without a space before a place to break the line is offered.
MAX_WORD = 400

#: Characters of code that are coloured, on a page and in one block.
MAX_HIGHLIGHTED = 60_000
MAX_HIGHLIGHTED_BLOCK = 20_000

#: Characters that inline parsing may look at on a page; see `InlineBudget`.
MAX_INLINE_STEPS = 3_000_000

_OPENERS = re.compile(r"[\[\](){}<`*_~!\\:@]")
_BRACKETS = re.compile(r"[\[\]()]")


def _bracket_steps(text: str) -> int:
    """Return how many characters python-markdown's link patterns look at, from brackets to their partners."""
    steps = 0
    open_at: dict[str, list[int]] = {"[": [], "(": []}
    for found in _BRACKETS.finditer(text):
        character, position = found[0], found.start()
        if character in open_at:
            open_at[character].append(position)
            continue
        stack = open_at["[" if character == "]" else "("]
        if stack:
            steps += position - stack.pop()
    return steps + sum(len(text) - position for stack in open_at.values() for position in stack)


class InlineBudget:
    """What inline parsing may still cost on a page.

    Decision: python-markdown scans from every opening character on, so a text costs up to its length times
    its openers. That product is known before parsing. A text that does not fit in the page's budget is shown
    as it is written, without emphasis and links; ordinary pages use less than a twentieth.

    Attributes:
        is_spent: some text was left unparsed.
    """

    def __init__(self, steps: int = MAX_INLINE_STEPS) -> None:
        self._steps = steps
        self.is_spent = False

    def take(self, text: str) -> str:
        """Return ``text``, marked as not to be parsed when its cost does not fit."""
        openers = len(_OPENERS.findall(text))
        if not openers:
            return text
        cost = len(text) * openers
        if cost > 200_000:
            cost = len(text) * (openers - len(_BRACKETS.findall(text))) // 8 + _bracket_steps(text)
        if cost > self._steps:
            self.is_spent = True
            return AtomicString(text)
        self._steps -= cost // 8
        return text
