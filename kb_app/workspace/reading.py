"""Opening one entry: its values, its response plan, its page."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from kb_app.entries.catalogue import Catalogue
from kb_app.entries.lint import lint_entry
from kb_app.entries.model import Entry, Finding, KnowledgeBaseConfig, ResponsePlan
from kb_app.entries.reading import parse_entry, read_entry
from kb_app.entries.response import resolve_plan
from kb_app.errors import KbError, UsageError
from kb_app.paths import safe_join
from kb_app.rendering.model import OutlineItem, RenderedPage
from kb_app.rendering.page import plain_page, render
from kb_app.search.catalogue_file import load_cards
from kb_app.workspace.bases import OpenBase


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry as the reader and the step columns need it."""

    entry: Entry
    plan: ResponsePlan
    page: RenderedPage


def load_catalogue(base: OpenBase) -> Catalogue | None:
    """Return the catalogue that indexing wrote, or None while there is none."""
    cards = load_cards(base.index_folder)
    return Catalogue(cards) if cards else None


def open_entry(
    root: Path,
    path: str,
    config: KnowledgeBaseConfig,
    catalogue: Catalogue | None,
    *,
    plain: bool = False,
) -> OpenedEntry:
    """Read, resolve and render one entry.

    Args:
        root: the knowledge base's folder.
        path: relative to it.
        config: its configuration.
        catalogue: for links and levers; None while indexing has not come that far.
        plain: show the text without rendering, after rendering took too long.

    Raises:
        UsageError: when ``path`` leads out of the knowledge base.
        EnvironmentFault: when the file is gone or cannot be read.
    """
    entry = read_entry(root, path, config)
    plan = resolve_plan(entry, catalogue, partial(read_entry, root, config=config))
    if plain:
        page = plain_page(entry.text, "This entry took too long to render and is shown as plain text")
    else:
        page = render(entry.text, path=path, is_file=partial(is_file_inside, root))
    return OpenedEntry(entry, plan, page)


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A text being written.

    Attributes:
        page: how it would look; of a large text the part around a line.
        findings: what lint says to it.
        signatures: the errors it answers.
        outline: all its headings.
        shown: first and last 1-based line on the page; (0, 0) for the whole text.
    """

    page: RenderedPage
    findings: tuple[Finding, ...]
    signatures: tuple[str, ...] = ()
    outline: tuple[OutlineItem, ...] = ()
    shown: tuple[int, int] = (0, 0)


WHOLE_PAGE = 40_000
"""Characters up to which all of a text is rendered while it is written; of more, the part around a line."""

PART = 16_000
"""Characters of that part, about; whole sections."""


def part_around(entry: Entry, line: int) -> tuple[int, int]:
    """Return first and last 1-based line of the sections around ``line``, about `PART` characters of them."""
    lines = entry.text.split("\n")
    starts = sorted({entry.body_line, *(section.span.first_line for section in entry.sections)})
    at = max(0, bisect_right(starts, line) - 1)
    first = starts[max(0, at - 1)]
    last, room = first - 1, PART
    for start, end in pairwise([*starts[max(0, at - 1) :], len(lines) + 1]):
        size = sum(map(len, lines[start - 1 : end - 1]))
        if size > room and start > line:
            break
        last, room = end - 1, room - size
    return first, min(last, max(first, line) + 400)


def check_text(
    root: Path,
    path: str,
    text: str,
    config: KnowledgeBaseConfig,
    catalogue: Catalogue | None,
    *,
    extra_files: frozenset[str] = frozenset(),
    line: int = 0,
    plain: bool = False,
) -> CheckedText:
    """Render and lint a text that is not saved.

    Args:
        root: the knowledge base's folder.
        path: where the text lies or will lie, relative to it.
        text: with line feeds as line ends.
        config: the knowledge base's configuration.
        catalogue: for links and ids; None while there is none.
        extra_files: paths of files that come with the text, for example pasted pictures.
        line: 1-based line that is written; of a large text the part around it is rendered. 0: all of it.
        plain: show the text without rendering, after rendering took too long.
    """
    entry = parse_entry(path, text.encode("utf-8", "replace"), config)
    findings = lint_entry(entry, catalogue)
    outline = tuple(
        OutlineItem(s.level, s.title, s.anchor, s.span.first_line) for s in entry.sections if s.level
    )
    shown, rendered = (0, 0), entry.text
    if line and len(text) > WHOLE_PAGE:
        shown = part_around(entry, line)
        lines = entry.text.split("\n")
        rendered = "\n" * (shown[0] - 1) + "\n".join(
            lines[shown[0] - 1 : shown[1]]
        )  # lines keep their numbers
    if plain:
        page = plain_page(rendered.strip("\n"), "This takes too long to render and is shown as it is written")
    else:
        page = render(rendered, path=path, is_file=lambda p: p in extra_files or is_file_inside(root, p))
    return CheckedText(page, findings, entry.signatures, outline, shown)


def is_file_inside(root: Path, relative: str) -> bool:
    """Tell whether ``relative`` is a regular file inside ``root`` after resolving links."""
    try:
        return safe_join(root, relative).is_file()
    except (UsageError, OSError):
        return False


def find_path(base: OpenBase, wanted: str, catalogue: Catalogue | None) -> str:
    """Return the path of the entry that ``wanted`` names: a path, an id, an alias or an alert.

    Raises:
        KbError: when there is none.
    """
    if is_file_inside(base.root, wanted):
        return wanted
    card = catalogue.find(wanted) if catalogue else None
    if card is None:
        raise KbError(
            f"{base.name} has no entry {wanted!r}",
            "Search for it, or give its path inside the knowledge base",
        )
    return card.path
