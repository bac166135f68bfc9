"""The response plan: an entry's own paths, else those of linked entries, of its component, of its product.

Decision: a rung of the ladder is used only when the rungs above hold nothing of that kind, because a
responder who sees the page's own mitigation should not have to weigh it against generic ones. Links that
merely occur in the text count only if they lead to a page of the same product or of the same alert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kb_app.entries.catalogue import Catalogue
from kb_app.entries.model import Entry, EntryCard, PathKind, PlannedPath, ResponsePlan, State
from kb_app.errors import KbError

MAX_ENTRIES = 8
"""Entries opened for one rung of the ladder: more would be a search, not a plan."""

_WAYS = {
    "mitigation": (PathKind.MITIGATION, PathKind.LEVER),
    "fix": (PathKind.FIX,),
}


def resolve_plan(entry: Entry, catalogue: Catalogue | None, load: Callable[[str], Entry]) -> ResponsePlan:
    """Return the ways out for ``entry``.

    Args:
        entry: the entry on the screen.
        catalogue: where linked entries are looked up; None while it is not there yet.
        load: reads the entry at a path of the knowledge base; one that raises `KbError` is passed over.
    """
    loader = _Loader(entry, load)
    mitigations = _ladder(entry, catalogue, loader, "mitigation")
    fixes = _ladder(entry, catalogue, loader, "fix")
    return ResponsePlan(mitigations, fixes, is_complete=catalogue is not None)


def leads_out(entry: Entry, catalogue: Catalogue) -> bool:
    """Tell whether the plan for ``entry`` holds a way out, by the cards alone: no other entry is read."""
    if any(not path.is_none for path in entry.paths):
        return True
    every = (*_WAYS["mitigation"], *_WAYS["fix"])
    rungs = (
        (_linked(entry, catalogue), every),
        (_of_component(entry, catalogue), (PathKind.LEVER,)),
        (_of_product(entry, catalogue), (PathKind.LEVER,)),
    )
    return any(_openable(entry, cards, kinds) for cards, kinds in rungs)


class _Loader:
    """Reads each entry once; what cannot be read is no part of a plan."""

    def __init__(self, entry: Entry, load: Callable[[str], Entry]) -> None:
        self._known: dict[str, Entry | None] = {entry.path: entry}
        self._load = load

    def __call__(self, path: str) -> Entry | None:
        if path not in self._known:
            try:
                self._known[path] = self._load(path)
            except KbError:
                self._known[path] = None
        return self._known[path]


def _ladder(entry: Entry, catalogue: Catalogue | None, load: _Loader, way: str) -> tuple[PlannedPath, ...]:
    kinds = _WAYS[way]
    if own := _planned(entry, kinds, "own"):
        return own
    if catalogue is None:
        return ()
    rungs = (
        ("linked", _linked(entry, catalogue), kinds),
        ("component", _of_component(entry, catalogue), (PathKind.LEVER,)),
        ("product", _of_product(entry, catalogue), (PathKind.LEVER,)),
    )
    for origin, cards, wanted in rungs[: 3 if way == "mitigation" else 1]:
        found: list[PlannedPath] = []
        for card in _openable(entry, cards, wanted):
            other = load(card.path)
            if other is not None:
                found.extend(_planned(other, wanted, origin))
        if found:
            return tuple(found)
    return ()


def _planned(entry: Entry, kinds: tuple[PathKind, ...], origin: str) -> tuple[PlannedPath, ...]:
    return tuple(
        PlannedPath(path, origin, entry.path, entry.title, entry.state)
        for path in entry.paths
        if path.kind in kinds and not path.is_none
    )


def _openable(entry: Entry, cards: Iterable[EntryCard], kinds: tuple[PathKind, ...]) -> tuple[EntryCard, ...]:
    """Return the first cards worth opening: they hold such a path and are not retired."""
    chosen: dict[str, EntryCard] = {}
    for card in cards:
        has_any = any(kind.value in card.has for kind in kinds)
        if (
            has_any
            and card.path != entry.path
            and card.state is not State.RETIRED
            and card.path not in chosen
        ):
            chosen[card.path] = card
            if len(chosen) == MAX_ENTRIES:
                break
    return tuple(chosen.values())


def _linked(entry: Entry, catalogue: Catalogue) -> Iterator[EntryCard]:
    is_written = entry.provenance.get("related") != "from links in the text"
    for target in entry.related:
        path = catalogue.resolve_link(entry.path, f"/{target}") or catalogue.resolve_link(entry.path, target)
        card = catalogue.by_path(path) if path is not None else None
        if card is not None and (is_written or _is_near(entry, card)):
            yield card
    for alert in entry.alerts:
        yield from catalogue.by_alert(alert)


def _is_near(entry: Entry, card: EntryCard) -> bool:
    same_product = entry.product.casefold() == card.product.casefold()
    return same_product or bool({a.casefold() for a in entry.alerts} & {a.casefold() for a in card.alerts})


def _of_component(entry: Entry, catalogue: Catalogue) -> Iterator[EntryCard]:
    for dependency in entry.depends_on:
        if (card := catalogue.find(dependency)) is not None and not entry.component:
            yield card
    yield from catalogue.of_component(entry.product, entry.component)


def _of_product(entry: Entry, catalogue: Catalogue) -> Iterator[EntryCard]:
    yield from (card for card in catalogue.of_product(entry.product) if not card.component)
    yield from (card for card in catalogue.of_product(entry.product) if card.component)
