"""What the window remembers between two starts: one JSON file in the user's data folder; knows no Qt.

Ticked steps live here and never in a document. Values filled into commands are not kept: they may be secret.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from kb_app.durable import write_atomically
from kb_app.paths import private_folder
from kb_app.plain import from_plain, to_plain

logger = logging.getLogger(__name__)

FILE_NAME = "window.json"
MAX_RECENT = 50
MAX_RUNS = 200
"""Entries whose ticked steps are kept; the ones ticked longest ago go first."""

MAX_USES = 400
"""Entries of clones whose last use is kept; the ones used longest ago go first."""


@dataclass(frozen=True, slots=True)
class EntryRef:
    """Names one entry across knowledge bases; ``path`` is relative to its knowledge base."""

    knowledge_base: str
    path: str

    @property
    def key(self) -> str:
        """Return the pair as one text, unique because a path holds no line end."""
        return f"{self.knowledge_base}\n{self.path}"


@dataclass(frozen=True, slots=True)
class RememberedEntry:
    """An entry in a list of the home page: where it lies and what it was called."""

    ref: EntryRef
    title: str
    product: str = ""
    component: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A query that was given a name; never a paste."""

    name: str
    query: str


@dataclass(frozen=True, slots=True)
class RememberedReport:
    """What the conformance page showed: whose records, and of which period.

    Attributes:
        period: name of the choice, or empty.
        first, last: days of a period of one's own (ISO 8601), both included; empty otherwise.
        folder: that holds the records; empty for the user's own.
    """

    period: str = ""
    first: str = ""
    last: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class SessionState:
    """All that is remembered.

    Attributes:
        recent: opened entries, latest first.
        starred: starred entries, latest first.
        runs: `EntryRef.key` to the keys of ticked steps (`kb_app.ui.steps.state.step_key`).
        geometry: main window geometry as Qt's base64, or empty.
        splitter: widths of the panes in pixels, left to right.
        query: what stood in the search field (never a paste: it may hold customer data).
        hidden_bases: knowledge bases that were switched off.
        searches: saved searches in the order of the sidebar.
        incident: id of the record the window has in hand, or empty.
        place: the entry whose steps were marked last for it, or None.
        uses: `EntryRef.key` to the commit at which an entry of a clone was last used, and when (ISO 8601).
        export: what was copied for a ticket last, and in which form, or empty.
        report: what the conformance page showed last.
    """

    recent: tuple[RememberedEntry, ...] = ()
    starred: tuple[RememberedEntry, ...] = ()
    runs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    geometry: str = ""
    splitter: tuple[int, ...] = ()
    query: str = ""
    hidden_bases: tuple[str, ...] = ()
    searches: tuple[SavedSearch, ...] = ()
    incident: str = ""
    place: EntryRef | None = None
    uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    export: str = ""
    report: RememberedReport = field(default_factory=RememberedReport)

    def with_recent(self, entry: RememberedEntry) -> SessionState:
        """Return the state with ``entry`` as the latest one opened."""
        others = tuple(e for e in self.recent if e.ref != entry.ref)
        return replace(self, recent=(entry, *others)[:MAX_RECENT])

    def with_star(self, entry: RememberedEntry, *, is_starred: bool) -> SessionState:
        """Return the state with ``entry`` starred or not."""
        others = tuple(e for e in self.starred if e.ref != entry.ref)
        return replace(self, starred=(entry, *others) if is_starred else others)

    def is_starred(self, ref: EntryRef) -> bool:
        """Tell whether the entry is starred."""
        return any(e.ref == ref for e in self.starred)

    def with_run(self, ref: EntryRef, done: frozenset[str]) -> SessionState:
        """Return the state with these steps of ``ref`` ticked; an empty set forgets the run."""
        runs = {key: steps for key, steps in self.runs.items() if key != ref.key}
        if done:
            runs[ref.key] = tuple(sorted(done))
        for key in list(runs)[: max(0, len(runs) - MAX_RUNS)]:
            del runs[key]
        return replace(self, runs=runs)

    def with_use(self, ref: EntryRef, commit: str, at: str) -> SessionState:
        """Return the state in which ``ref`` was last used at ``commit``, at the time ``at``."""
        uses = {key: use for key, use in self.uses.items() if key != ref.key}
        uses[ref.key] = (commit, at)
        for key in list(uses)[: max(0, len(uses) - MAX_USES)]:
            del uses[key]
        return replace(self, uses=uses)

    def last_use_of(self, ref: EntryRef) -> tuple[str, str]:
        """Return the commit at which ``ref`` was last used and when; two empty texts when it never was."""
        use = self.uses.get(ref.key, ())
        return (use[0], use[1]) if len(use) == 2 else ("", "")

    def run_of(self, ref: EntryRef) -> frozenset[str]:
        """Return the ticked steps of ``ref``."""
        return frozenset(self.runs.get(ref.key, ()))


def load_session(folder: Path) -> SessionState:
    """Read the remembered state; a file that is absent or broken gives a fresh one (and is kept aside)."""
    file = folder / FILE_NAME
    try:
        return from_plain(SessionState, json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return SessionState()
    except (OSError, ValueError) as error:
        logger.warning("the window's state file was not readable and starts anew: %s", error)
        with contextlib.suppress(OSError):
            file.replace(file.with_suffix(".broken"))
        return SessionState()


def save_session(folder: Path, state: SessionState) -> None:
    """Write the state so that the file is the old one or the new one, never half of either.

    Raises:
        EnvironmentFault: when the folder refuses.
    """
    private_folder(folder)
    text = json.dumps(to_plain(state), ensure_ascii=False, indent=1)
    write_atomically(folder / FILE_NAME, text.encode())
