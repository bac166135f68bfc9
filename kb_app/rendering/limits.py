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

#: Frames (one-cell tables) inside each other, on a page of ordinary size; see `max_frames`.
MAX_FRAMES = 6

#: Columns of a table, and cells of all tables of a page; ``QTextDocument`` needs about 30 µs a cell.
MAX_COLUMNS = 60
MAX_CELLS = 10_000

#: Anchors of lines and of names on a page: each is a text format of its own, and ``QTextDocument`` compares
#: each new format with all earlier ones that hold an anchor. Long pages have one every few lines only.
MAX_LINE_ANCHORS = 800
MAX_ANCHORS = 1_000

#: Lines of a page of plain text that are shown.
MAX_PLAIN_LINES = 40_000

#: Items of one list: ``QTextDocument`` is quadratic in them; longer lists are continued in a new one.
MAX_ITEMS = 400

#: Cells covered by ``colspan`` and ``rowspan`` on a page, and images.
MAX_SPANNED_CELLS = 1_000
MAX_IMAGES = 400

#: Characters without a space before a place to break the line is offered, and as much for code, whose text is
#: left alone as long as possible; line breaking in ``QTextDocument`` is quadratic in the length of a word.
MAX_WORD = 400
MAX_CODE_WORD = 1_000

#: Stands for a place to break a long word until the text has been checked for hidden characters.
SOFT_BREAK = "\ufdd0"

#: Characters of code that are coloured, on a page and in one block.
MAX_HIGHLIGHTED = 60_000
MAX_HIGHLIGHTED_BLOCK = 10_000

#: Seconds that colouring may take on a page; some of Pygments' lexers are quadratic on hostile text.
MAX_HIGHLIGHTING_SECONDS = 0.3

#: Blocks of a page; a page with more is shown as plain text.
MAX_BLOCKS = 25_000

#: Inline marks of a page that are looked at, and characters that links are searched in.
MAX_MARKS = 100_000
MAX_LINK_STEPS = 1_500_000

#: Sum over the texts of a page of length times marks: python-markdown copies the text at every mark.
MAX_COPIED = 200_000_000

#: Characters of one link's address and title, and of its text.
MAX_LINK_TARGET = 2_000
MAX_LINK_TEXT = 2_000

_MARK = re.compile(r"[\[<`*_~\\{]|  \n|://|www\.")

_LONG_WORD = re.compile(rf"\S{{{MAX_WORD}}}(?=\S)")
_LONG_CODE_WORD = re.compile(rf"\S{{{MAX_CODE_WORD}}}(?=\S)")


def max_frames(characters: int) -> int:
    """Return how deep frames may lie inside each other on a page of a size.

    ``QTextDocument`` lays a table out twice, so each level doubles the work for everything inside it.
    """
    if characters <= 10_000:
        return MAX_FRAMES
    return 4 if characters <= 100_000 else 3


def softened(text: str, *, is_code: bool = False) -> str:
    """Return ``text`` with places to break its very long words."""
    if len(text) <= MAX_WORD:
        return text
    pattern, limit = (_LONG_CODE_WORD, MAX_CODE_WORD) if is_code else (_LONG_WORD, MAX_WORD)
    if max(map(len, text.split()), default=0) <= limit:
        return text
    return pattern.sub(lambda found: found[0] + SOFT_BREAK, text)


class InlineBudget:
    """What inline parsing may still cost on a page.

    Decision: python-markdown scans from every opening bracket on, up to the end of the text, so brackets make
    it quadratic. The scans are counted where they happen, and stop when the page's budget is spent: what
    follows is shown as it is written, without emphasis and links. Ordinary pages use less than a hundredth.

    Attributes:
        is_spent: some text was left unparsed.
    """

    def __init__(self, marks: int = MAX_MARKS, link_steps: int = MAX_LINK_STEPS) -> None:
        self._marks = marks
        self._link_steps = link_steps
        self._copied = MAX_COPIED
        self.is_spent = False

    def take(self, text: str) -> str:
        """Return ``text``, marked as not to be parsed when it holds no mark or too many."""
        if not _MARK.search(text):
            return AtomicString(text)
        marks = len(_MARK.findall(text))
        if marks > self._marks or marks * len(text) > self._copied:
            self.is_spent = True
            return AtomicString(text)
        self._marks -= marks
        self._copied -= marks * len(text)
        return text

    def may_scan(self) -> bool:
        """Tell whether links may still be searched for."""
        if self._link_steps < 0:
            self.is_spent = True
        return self._link_steps >= 0

    def scanned(self, steps: int) -> None:
        """Count characters that a search for a link has looked at."""
        self._link_steps -= steps
