"""The cards of a knowledge base, and finding one by any of its names."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from urllib.parse import unquote

from kb_app.entries.inference import stem_of
from kb_app.entries.knowledge_base import SUFFIXES
from kb_app.entries.model import Entry, EntryCard

MAX_LINKS = 60
_LINK = re.compile(r"\]\(\s?<?(?![a-zA-Z][\w+.\-]*:|#|//)([^\s()<>#]{1,300})")
_INDEX_NAMES = ("README", "index", "_index")


def card_of(entry: Entry, knowledge_base: str) -> EntryCard:
    """Return the card of ``entry`` in the knowledge base of that name."""
    return EntryCard(
        knowledge_base=knowledge_base,
        path=entry.path,
        id=entry.id,
        title=entry.title,
        kind=entry.kind,
        state=entry.state,
        product=entry.product,
        component=entry.component,
        owner=entry.owner,
        tags=entry.tags,
        aliases=entry.aliases,
        alerts=entry.alerts,
        related=entry.related,
        depends_on=entry.depends_on,
        severity=entry.severity,
        has=tuple(dict.fromkeys(path.kind.value for path in entry.paths if not path.is_none)),
        reviewed=entry.reviewed,
        summary=entry.summary,
        is_stub=entry.is_stub,
        content_hash=entry.content_hash,
        affected=entry.affected,
        fixed_in=entry.fixed_in,
        review_every_days=entry.review_every_days,
        links=tuple(dict.fromkeys(_LINK.findall(entry.text)[:MAX_LINKS])) if "](" in entry.text else (),
    )


class Catalogue:
    """All cards of one knowledge base.

    Attributes:
        cards: sorted by path.
    """

    def __init__(self, cards: Iterable[EntryCard]) -> None:
        self.cards = tuple(sorted(cards, key=lambda card: card.path))
        self._by_path = {card.path: card for card in self.cards}
        self._by_folded_path: dict[str, list[EntryCard]] = {}
        self._by_id: dict[str, list[EntryCard]] = {}
        self._by_alias: dict[str, EntryCard] = {}
        self._by_alert: dict[str, list[EntryCard]] = {}
        self._by_place: dict[tuple[str, str], list[EntryCard]] = {}
        for card in self.cards:
            self._by_folded_path.setdefault(card.path.casefold(), []).append(card)
            self._by_id.setdefault(card.id, []).append(card)
            for alias in card.aliases:
                self._by_alias.setdefault(_alias_key(alias), card)
            for alert in card.alerts:
                self._by_alert.setdefault(alert.casefold(), []).append(card)
            self._by_place.setdefault((card.product.casefold(), card.component.casefold()), []).append(card)
            if card.component:
                self._by_place.setdefault((card.product.casefold(), ""), []).append(card)

    def __len__(self) -> int:
        return len(self.cards)

    def by_path(self, path: str) -> EntryCard | None:
        """Return the card of the file ``path``."""
        return self._by_path.get(path)

    def by_id(self, wanted: str) -> EntryCard | None:
        """Return the card with this id; of several the first by path."""
        found = self._by_id.get(wanted)
        return found[0] if found else None

    def with_id(self, wanted: str) -> tuple[EntryCard, ...]:
        """Return all cards with this id; more than one is a clash."""
        return tuple(self._by_id.get(wanted, ()))

    def by_alias(self, alias: str) -> EntryCard | None:
        """Return the card that was once known as ``alias``: an old path, an old id, a ``runbook_url``."""
        return self._by_alias.get(_alias_key(alias))

    def by_alert(self, alert: str) -> tuple[EntryCard, ...]:
        """Return the cards that serve the alert, ignoring case."""
        return tuple(self._by_alert.get(alert.casefold(), ()))

    def of_component(self, product: str, component: str) -> tuple[EntryCard, ...]:
        """Return the cards of a product's component, ignoring case."""
        return tuple(self._by_place.get((product.casefold(), component.casefold()), ())) if component else ()

    def of_product(self, product: str) -> tuple[EntryCard, ...]:
        """Return all cards of a product, ignoring case."""
        return tuple(self._by_place.get((product.casefold(), ""), ())) if product else ()

    def find(self, name: str) -> EntryCard | None:
        """Return the card whose path, id, alias or single alert is ``name``."""
        found = self._by_path.get(name) or self.by_id(name) or self.by_alias(name)
        if found is None and len(alerts := self.by_alert(name)) == 1:
            found = alerts[0]
        return found

    def resolve_link(self, from_path: str, target: str) -> str | None:
        """Return the path of the entry that ``target``, as written in ``from_path``, leads to.

        Relative and root paths, ``.html`` for ``.md``, names without extension, folders, ids and aliases are
        understood; None when it leads elsewhere or nowhere.
        """
        bare = unquote(target.split("#", 1)[0].split("?", 1)[0]).strip()
        if not bare:
            return from_path if target.startswith("#") else None
        if "://" in bare:
            card = self.by_alias(target) or self.by_alias(bare)
            return card.path if card else None
        folder = posixpath.dirname(from_path)
        tries = (bare.lstrip("/"),) if bare.startswith("/") else (posixpath.join(folder, bare), bare)
        for candidate in tries:
            if (found := self._file(posixpath.normpath(candidate))) is not None:
                return found.path
        card = self.by_id(bare) or self.by_alias(bare)
        return card.path if card else None

    def _file(self, path: str) -> EntryCard | None:
        if path.startswith("../"):
            return None
        base = path.removesuffix(".html")
        names = [path, *(f"{base}{suffix}" for suffix in SUFFIXES), f"{base}.html.md"]
        names += [f"{base}/{name}.md" if base != "." else f"{name}.md" for name in _INDEX_NAMES]
        for name in names:
            if (card := self._by_path.get(name)) is not None:
                return card
        return next(
            (cards[0] for name in names if (cards := self._by_folded_path.get(name.casefold()))), None
        )

    def twins_of(self, path: str) -> tuple[str, ...]:
        """Return other paths that differ from ``path`` in case only."""
        return tuple(c.path for c in self._by_folded_path.get(path.casefold(), ()) if c.path != path)


def _alias_key(alias: str) -> str:
    return alias.strip().strip("/").casefold()


def names_of(card: EntryCard) -> tuple[str, ...]:
    """Return what an entry may be called: id, title, file stem, aliases and alerts, without repeats."""
    return tuple(
        dict.fromkeys(n for n in (card.id, card.title, stem_of(card.path), *card.aliases, *card.alerts) if n)
    )
