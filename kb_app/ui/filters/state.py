"""Rules of the filter column: which facets, in which order, what a click does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from kb_app.ui.results.state import KIND_NAMES, SEVERITY_NAMES

SHOWN_VALUES = 5
"""Values of a facet that show before "more" is pressed."""


class View(StrEnum):
    """Which entries are looked at."""

    ALL = "all"
    STARRED = "starred"
    RECENT = "recent"


FACET_TITLES: Mapping[str, str] = {
    "knowledge_base": "Knowledge base",
    "kind": "Kind",
    "has": "Has",
    "product": "Product",
    "component": "Component",
    "state": "State",
    "severity": "Severity",
    "owner": "Owner",
    "tag": "Tag",
}
_VALUE_NAMES: Mapping[str, Mapping[str, str]] = {
    "kind": KIND_NAMES,
    "severity": SEVERITY_NAMES,
    "has": {"mitigation": "Mitigation", "fix": "Fix forward", "lever": "Lever"},
    "state": {
        "draft": "Draft",
        "unverified": "Unverified",
        "verified": "Verified",
        "retired": "Retired",
    },
}


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One row: the value, what it is called, how many entries have it, whether it is wanted."""

    facet: str
    value: str
    label: str
    count: int
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """One facet; ``hidden`` values show after "more"."""

    facet: str
    title: str
    values: tuple[FacetValue, ...]
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class FilterState:
    """What is wanted.

    Attributes:
        wanted: facet to the values wanted.
        expanded: facets whose values all show.
        view: all, starred or recent entries.
    """

    wanted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expanded: frozenset[str] = frozenset()
    view: View = View.ALL

    @property
    def count(self) -> int:
        """Return how many values are wanted; a view other than all entries counts as one."""
        return sum(len(values) for values in self.wanted.values()) + (self.view is not View.ALL)

    def toggled(self, facet: str, value: str) -> FilterState:
        """Return the state after a click on a value."""
        values = self.wanted.get(facet, ())
        values = tuple(v for v in values if v != value) if value in values else (*values, value)
        wanted = {name: kept for name, kept in self.wanted.items() if name != facet}
        if values:
            wanted[facet] = values
        return FilterState(wanted, self.expanded, self.view)

    def cleared(self) -> FilterState:
        """Return the state without any filter, all entries in view."""
        return FilterState({}, self.expanded)

    def with_expanded(self, facet: str) -> FilterState:
        """Return the state after a click on "more" or "fewer"."""
        return FilterState(self.wanted, self.expanded ^ {facet}, self.view)

    def with_view(self, view: View) -> FilterState:
        """Return the state for another view."""
        return FilterState(self.wanted, self.expanded, view)


def value_label(facet: str, value: str) -> str:
    """Return what a value is called."""
    return _VALUE_NAMES.get(facet, {}).get(value, value) or "not stated"


def typed_values(known: Iterable[str], typed: Sequence[str]) -> tuple[str, ...]:
    """Return the values that ``typed`` filters mean in whatever case; unfinished ones mean none."""
    folded = {value.casefold().removeprefix("@") for value in typed if not value.startswith("-")}
    return tuple(value for value in known if value.casefold().removeprefix("@") in folded)


def facet_groups(
    counts: Mapping[str, Mapping[str, int]],
    state: FilterState,
    typed: Mapping[str, tuple[str, ...]] | None = None,
) -> tuple[FacetGroup, ...]:
    """Return the groups to show: facets that tell entries apart or are filtered by, wanted values always.

    Args:
        counts: the facets of the answer.
        state: what was clicked.
        typed: filters that stand in the query.
    """
    groups = []
    for facet, title in FACET_TITLES.items():
        known = {value: count for value, count in counts.get(facet, {}).items() if value}
        clicked = state.wanted.get(facet, ())
        wanted = (*clicked, *typed_values(known, (typed or {}).get(facet, ())))
        for value in clicked:
            known.setdefault(value, 0)
        if len(known) < 2 and not wanted and facet != "has":
            continue
        if facet == "tag":
            told = {*counts.get("product", {}), *counts.get("component", {})} - set(wanted)
            known = {value: count for value, count in known.items() if value not in told}
        rows = [FacetValue(facet, v, value_label(facet, v), n, v in wanted) for v, n in known.items()]
        is_all = facet in state.expanded or len(rows) <= SHOWN_VALUES + 1
        shown = rows if is_all else [r for i, r in enumerate(rows) if i < SHOWN_VALUES or r.is_wanted]
        if rows:
            groups.append(FacetGroup(facet, title, tuple(shown), len(rows) - len(shown)))
    return tuple(groups)
