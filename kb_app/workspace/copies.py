"""The user's own copies among what was found: a copy stands in the place of its origin. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kb_app.search.model import SearchAnswer, SearchHit


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies that an overlay holds.

    Attributes:
        overlay: its name; empty when there is none.
        paths: knowledge base and path of an origin to the path of its copy.
    """

    overlay: str = ""
    paths: Mapping[tuple[str, str], str] | None = None

    def of(self, base: str, path: str) -> str:
        """Return the path of the copy of an entry, or an empty text."""
        return (self.paths or {}).get((base, path), "")


def prefer_copies(answer: SearchAnswer, copies: Copies) -> SearchAnswer:
    """Return an answer in which a copy stands in the place of its origin.

    A copy that was found together with its origin takes the better of the two places. An origin whose copy
    does not match stays: it is what was asked for, and its page says that there is a copy.
    """
    if not copies.paths:
        return answer
    found = {hit.path: hit for hit in answer.hits if hit.knowledge_base == copies.overlay}
    hits: list[SearchHit] = []
    placed: set[str] = set()
    for hit in answer.hits:
        path = hit.path if hit.knowledge_base == copies.overlay else copies.of(hit.knowledge_base, hit.path)
        if path and path in found:
            if path not in placed:
                placed.add(path)
                hits.append(found[path])
        else:
            hits.append(hit)
    return replace(answer, hits=tuple(hits), total=answer.total - (len(answer.hits) - len(hits)))
