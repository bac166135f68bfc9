"""Rules of the result list: which rows, what they say, which one stays selected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kb_app.search.model import Mode, SearchAnswer, SearchHit, Twin, Verdict
from kb_app.ui.common.remembered import EntryRef, RememberedEntry

WEAK_SHOWN = 3
"""How many of the nearest entries are shown when nothing fits."""

KIND_NAMES: Mapping[str, str] = {
    "internals": "Internals",
    "known-fix": "Known fix",
    "runbook": "Runbook",
    "note": "Note",
}
SEVERITY_NAMES: Mapping[str, str] = {"sev1": "Sev 1", "sev2": "Sev 2", "sev3": "Sev 3", "sev4": "Sev 4"}


class RowKind(StrEnum):
    """What a row of the list is."""

    HIT = "hit"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        kind: a hit or a heading between groups.
        title: first line.
        ref: the entry, None for headings.
        hit: what was found; None for headings and remembered entries.
        place: ``product / component``.
        is_weak: nothing fits really; this is among the nearest.
        why: of a paste or an alert what speaks for the entry, in a few words.
        twins: near-duplicates folded under it; ``is_open`` tells whether their rows follow.
        differs: of a near-duplicate's row in what it differs from the entry above it.
        base_label: name of the knowledge base, when more than one is open.
    """

    kind: RowKind
    title: str
    ref: EntryRef | None = None
    hit: SearchHit | None = None
    place: str = ""
    kind_name: str = ""
    is_weak: bool = False
    base_label: str = ""
    why: str = ""
    twins: tuple[Twin, ...] = ()
    is_open: bool = False
    differs: str = ""

    @property
    def is_twin(self) -> bool:
        """Tell whether this is a near-duplicate shown under another row."""
        return bool(self.differs)


_BIDI = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
_UNSAFE = dict.fromkeys((*range(32), *range(127, 160), *_BIDI), "�")
_UNSAFE |= {ord(c): " " for c in "\n\r\t\u2028\u2029"}


def on_one_line(text: str) -> str:
    """Return foreign text for one line of the list, as long as before: marks keep their places.

    Control characters and those that change the direction of writing are made visible.
    """
    return text.translate(_UNSAFE)


def place_of(product: str, component: str) -> str:
    """Return ``product / component``, or what is known of it."""
    return " / ".join(part for part in (product, component) if part)


def why_text(hit: SearchHit) -> str:
    """Return why an entry answers a paste or an alert: its alert, the line that matches."""
    alert = next((why for why in hit.why if "the entry of the alert" in why), "")
    if alert:
        return "Entry of the alert " + on_one_line(alert.rpartition(" ")[2])
    if hit.paste_line:
        return f"Line {hit.paste_line} of your paste matches"
    return ""


def hit_row(
    hit: SearchHit, *, is_weak: bool = False, shows_base: bool = False, shows_why: bool = False
) -> Row:
    """Return the row of a hit."""
    return Row(
        RowKind.HIT,
        on_one_line(hit.title),
        EntryRef(hit.knowledge_base, hit.path),
        hit,
        place_of(hit.product, hit.component),
        KIND_NAMES.get(hit.kind, hit.kind),
        is_weak,
        hit.knowledge_base if shows_base else "",
        why_text(hit) if shows_why else "",
        hit.twins,
    )


def twin_row(twin: Twin) -> Row:
    """Return the row of a near-duplicate."""
    return Row(
        RowKind.HIT,
        on_one_line(twin.title),
        EntryRef(twin.knowledge_base, twin.path),
        place=on_one_line(twin.path),
        differs=on_one_line(twin.differs[:1].upper() + twin.differs[1:]) or "A near-duplicate",
    )


def with_twins(rows: Sequence[Row], opened: Collection[EntryRef]) -> tuple[Row, ...]:
    """Return the rows with the near-duplicates of those in ``opened`` under them."""
    result: list[Row] = []
    for row in rows:
        is_open = bool(row.twins) and row.ref in opened
        result.append(replace(row, is_open=is_open) if row.twins else row)
        if is_open:
            result.extend(map(twin_row, row.twins))
    return tuple(result)


def more_text(row: Row) -> str:
    """Return the line that opens and closes the near-duplicates of a row."""
    return f"{len(row.twins)} more like this" if row.twins else ""


def remembered_row(entry: RememberedEntry, *, shows_base: bool = False) -> Row:
    """Return the row of a recent or starred entry."""
    return Row(
        RowKind.HIT,
        on_one_line(entry.title),
        entry.ref,
        None,
        place_of(entry.product, entry.component),
        KIND_NAMES.get(entry.kind, entry.kind),
        base_label=entry.ref.knowledge_base if shows_base else "",
    )


def answer_rows(answer: SearchAnswer, *, shows_base: bool = False) -> tuple[Row, ...]:
    """Return the rows of an answer; without a real match the nearest three, marked weak."""
    shows_why = answer.mode is not Mode.WORDS
    is_weak = answer.verdict is not Verdict.MATCH
    hits = answer.hits[:WEAK_SHOWN] if is_weak else answer.hits
    return tuple(hit_row(hit, is_weak=is_weak, shows_base=shows_base, shows_why=shows_why) for hit in hits)


def browse_rows(
    answer: SearchAnswer,
    recent: Sequence[RememberedEntry],
    starred: Sequence[RememberedEntry],
    *,
    shows_base: bool = False,
) -> tuple[Row, ...]:
    """Return the rows of an empty query: starred, recent, then every entry by product."""
    rows: list[Row] = []
    for heading, entries in (("Starred", starred[:5]), ("Recent", recent[:5])):
        if entries:
            rows.append(Row(RowKind.HEADER, heading))
            rows.extend(remembered_row(e, shows_base=shows_base) for e in entries)
    by_product: dict[str, list[SearchHit]] = {}
    for hit in answer.hits:
        by_product.setdefault(hit.product, []).append(hit)
    for product in sorted(by_product, key=lambda name: (not name, name.lower())):
        rows.append(Row(RowKind.HEADER, product or "Other entries"))
        hits = sorted(by_product[product], key=lambda hit: (hit.component.lower(), hit.title.lower()))
        rows.extend(hit_row(hit, shows_base=shows_base) for hit in hits)
    return tuple(rows)


def row_to_select(rows: Sequence[Row], selected: EntryRef | None) -> int:
    """Return the row to select: the same entry if it is still there, else the first; -1: none."""
    first = -1
    for number, row in enumerate(rows):
        if row.ref is None:
            continue
        if row.ref == selected:
            return number
        if first < 0:
            first = number
    return first


def next_row(rows: Sequence[Row], current: int, step: int) -> int:
    """Return the selectable row ``step`` rows (±1, ±10, …) away, as far as there are rows; -1: none."""
    selectable = [number for number, row in enumerate(rows) if row.ref is not None]
    if not selectable:
        return -1
    if current in selectable:
        position = selectable.index(current) + step
    else:
        position = step - 1 if step > 0 else len(selectable) + step
    return selectable[max(0, min(len(selectable) - 1, position))]


def age_text(reviewed: str, today: dt.date) -> str:
    """Return how long ago an ISO date was, as short as a list column: ``2d``, ``3w``, ``4mo``, ``2y``."""
    try:
        days = (today - dt.date.fromisoformat(reviewed)).days
    except ValueError:
        return ""
    if days < 1:
        return "today" if days == 0 else ""
    for limit, unit, size in ((14, "d", 1), (60, "w", 7), (730, "mo", 30)):
        if days < limit:
            return f"{days // size}{unit}"
    return f"{days // 365}y"


def summary_text(answer: SearchAnswer, limit: int = 0) -> str:
    """Return the heading of the list: the number of results, or that nothing is known.

    Args:
        answer: what was found.
        limit: hits that were asked for; an answer that is that long may be cut, its total a lower bound.
    """
    if answer.is_partial and not answer.hits:
        return "Not complete yet"  # what was not read cannot be said to be unknown
    if answer.verdict is Verdict.NONE or (answer.verdict is Verdict.WEAK and answer.mode is Mode.PASTE):
        return "No known fix"
    if answer.verdict is Verdict.WEAK:
        return "No good match"
    more = "+" if 0 < limit <= len(answer.hits) == answer.total else ""
    return "1 result" if answer.total == 1 else f"{answer.total:,}{more} results"


def spoken_text(answer: SearchAnswer) -> str:
    """Return what a screen reader says about a new list."""
    shown = min(len(answer.hits), WEAK_SHOWN)
    if answer.verdict is Verdict.MATCH:
        return summary_text(answer)
    return f"{summary_text(answer)}. {shown} nearest entries" if shown else summary_text(answer)
