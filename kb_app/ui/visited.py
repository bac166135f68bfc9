"""The entries that were opened, in order, to go back and forward; knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_STEPS = 100


@dataclass(frozen=True, slots=True)
class History(Generic[T]):
    """Where one was: ``visited`` oldest first, ``position`` the one shown, -1 before the first."""

    visited: tuple[T, ...] = ()
    position: int = -1

    @property
    def current(self) -> T | None:
        """Return the place shown."""
        return self.visited[self.position] if self.position >= 0 else None

    @property
    def can_go_back(self) -> bool:
        """Tell whether there is an earlier place."""
        return self.position > 0

    @property
    def can_go_forward(self) -> bool:
        """Tell whether there is a later place."""
        return self.position < len(self.visited) - 1

    def visit(self, place: T) -> History[T]:
        """Return the history after going to ``place``: what lay ahead is gone."""
        if place == self.current:
            return self
        visited = (*self.visited[: self.position + 1], place)[-MAX_STEPS:]
        return History(visited, len(visited) - 1)

    def back(self) -> History[T]:
        """Return the history one place earlier."""
        return replace(self, position=self.position - 1) if self.can_go_back else self

    def forward(self) -> History[T]:
        """Return the history one place later."""
        return replace(self, position=self.position + 1) if self.can_go_forward else self
