"""Reads what confirms entries: notes of feedback, the history of our clones, this user's records.

What it adds up to is said by `kb_app.entries.standing`.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from kb_app.entries.feedback import FeedbackNote, read_notes
from kb_app.entries.model import Entry
from kb_app.entries.standing import Confirmation, How, Sources, Standing, standing_of
from kb_app.errors import KbError
from kb_app.gitstore.history import CLOSES, REVIEWED, History, Revision
from kb_app.gitstore.store import open_store
from kb_app.incidents.timeline import IncidentState
from kb_app.logs import visible
from kb_app.paths import AppFolders
from kb_app.settings import Settings, load_settings
from kb_app.workspace.aftermath import KnownStates
from kb_app.workspace.bases import lies_in_clones
from kb_app.workspace.record_store import records_root


class Confirmations:
    """Reads the sources; what git says is kept until the clone stands at another commit.

    Its methods read files and start git: none is for the window's thread. For several threads.
    """

    def __init__(self, folders: AppFolders, settings: Settings | None = None) -> None:
        self._folders, self._settings = folders, settings
        self._known: dict[Path, tuple[str, dict[str, Confirmation], frozenset[str]]] = {}
        self._states = KnownStates()
        self._lock = threading.Lock()

    def of(self, root: Path, entry: Entry, today: dt.date) -> Standing:
        """Return how far one entry of the knowledge base at ``root`` is confirmed."""
        with self._lock:
            return standing_of(entry, self.sources(root, self._own_states(), entry.path), today)

    def sources(self, root: Path, states: Iterable[IncidentState], entry: str = "") -> Sources:
        """Return the sources for one entry, or for all when ``entry`` is empty."""
        notes: dict[str, list[FeedbackNote]] = {}
        for note in read_notes(root, entry):
            notes.setdefault(note.entry, []).append(note)
        reviews, closed = self._marks(root)
        return Sources(notes, reviews, closed, last_worked(states))

    def _own_states(self) -> tuple[IncidentState, ...]:
        try:
            return self._states.below(
                records_root(self._folders, self._settings or load_settings(self._folders))
            )
        except (KbError, OSError):
            return ()  # a record that cannot be read is told on its own page

    def _marks(self, root: Path) -> tuple[dict[str, Confirmation], frozenset[str]]:
        """Return what the commits of a clone of ours confirm and close; nothing for other folders."""
        if not lies_in_clones(self._folders, root):
            return {}, frozenset()
        try:
            store = open_store(self._folders)
            clone = store.area.owner_of(root)
            if clone is None or store.program is None:
                return {}, frozenset()
            history = History(store.area, clone, is_offline=True)
            head = str(history.head())
            known = self._known.get(root)
            if known is None or known[0] != head:
                known = (head, *_read_marks(history.marks()))
                self._known[root] = known
        except KbError:
            return {}, frozenset()  # what the files say is still true
        return known[1], known[2]


def _read_marks(marks: Sequence[Revision]) -> tuple[dict[str, Confirmation], frozenset[str]]:
    reviews: dict[str, Confirmation] = {}
    closed: set[str] = set()
    for revision in marks:
        made = Confirmation(
            revision.authored_at.date(), How.REVIEW, visible(revision.author), str(revision.commit)
        )
        for name in revision.trailer(REVIEWED):
            if name not in reviews or reviews[name].day < made.day:
                reviews[name] = made
        closed.update(revision.trailer(CLOSES))
    return reviews, frozenset(closed)


def last_worked(states: Iterable[IncidentState]) -> dict[str, dt.date]:
    """Return the last day on which records say that an entry was used and worked, by its id."""
    found: dict[str, dt.date] = {}
    for state in states:
        for event in state.entries_used:
            if event.text("result") == "worked":
                name, day = event.text("entry"), event.at.date()
                found[name] = max(day, found.get(name, day))
    return found
