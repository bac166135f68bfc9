"""The window's conversation: what is asked of the workers, what their answers mean. No widget lives here."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from kb_app.errors import KbError
from kb_app.resources import content_folder
from kb_app.search.model import IndexProgress, IndexReport, SearchAnswer, SearchRequest
from kb_app.search.query import parse_query
from kb_app.settings import ConfiguredBase, Settings, save_settings
from kb_app.ui.common.jobs import Jobs, Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.reading import EntryOpener, OpenedEntry
from kb_app.ui.common.remembered import EntryRef, RememberedEntry
from kb_app.ui.common.session import Session
from kb_app.ui.common.workers import WorkerFault, WorkerProcess
from kb_app.ui.filters.state import FilterState, View
from kb_app.ui.results.state import Row, answer_rows, browse_rows, remembered_row
from kb_app.ui.search.client import BaseFolders, SearchClient
from kb_app.ui.search.indexing import IndexRun
from kb_app.ui.search.state import Query, index_share
from kb_app.ui.visited import History
from kb_app.workspace.bases import OpenBase, UnopenedBase, Workspace, configured_for, open_workspace
from kb_app.workspace.copies import Copies, prefer_copies

logger = logging.getLogger(__name__)

FIRST_HITS = 24
"""Hits asked for at each key: two lists full; the rest comes when the list is scrolled."""

ALL_HITS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """An answer with the rows it comes to.

    Attributes:
        answer: what was found.
        rows: what is listed.
        is_browsing: nothing was asked; everything is listed.
        limit: hits that were asked for.
    """

    answer: SearchAnswer
    rows: tuple[Row, ...]
    is_browsing: bool
    limit: int = 0


@dataclass(slots=True)
class IndexState:
    """How far the indexes are.

    Attributes:
        done, total: entries of each knowledge base, over all phases of the work.
        pages: entries of each knowledge base that is done.
        share: of each knowledge base what is done of it, 0 to 1.
    """

    is_active: bool = False
    done: dict[str, int] | None = None
    total: dict[str, int] | None = None
    pages: dict[str, int] | None = None
    skipped: int = 0
    is_complete: bool = False
    share: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workers:
    """The three processes behind the window."""

    search: WorkerProcess
    index: WorkerProcess
    reader: WorkerProcess

    @staticmethod
    def make(parent: QObject | None = None) -> Workers:
        """Return the real workers; none runs yet."""
        return Workers(
            search=WorkerProcess("search", label="The search", parent=parent),
            index=WorkerProcess("index", label="Indexing", is_kept_alive=False, parent=parent),
            reader=WorkerProcess("reader", label="Opening the entry", parent=parent),
        )

    def stop(self) -> None:
        """End all of them; the index worker gets a moment to leave its index whole."""
        self.reader.stop(patience_ms=100)
        self.search.stop(patience_ms=100)
        self.index.stop(patience_ms=1_000)


def folders_of(base: OpenBase) -> BaseFolders:
    """Return what workers have to know of ``base``."""
    return BaseFolders(base.name, base.index_folder, base.root, base.config)


def with_bases(workspace: Workspace, bases: Sequence[OpenBase]) -> Workspace:
    """Return the workspace with these knowledge bases; of one folder the first, names made unique."""
    kept: dict[Path, OpenBase] = {}
    names: set[str] = set()
    for base in bases:
        if base.root in kept:
            continue
        name, number = base.name, 2
        while name in names:
            name, number = f"{base.name} ({number})", number + 1
        names.add(name)
        kept[base.root] = replace(base, name=name)
    return replace(workspace, bases=tuple(kept.values()))


def brought_together(before: Settings, after: Settings, now: Settings) -> Settings:
    """Return ``now`` with what differs between ``before`` and ``after``: both changes hold."""
    changed = {
        f.name: getattr(after, f.name)
        for f in fields(Settings)
        if getattr(after, f.name) != getattr(before, f.name)
    }
    return replace(now, **changed)


def reopened(workspace: Workspace, settings: Settings, *, without: str = "") -> Workspace:
    """Return the workspace for other settings; what was opened without being configured stays open.

    Args:
        workspace: the present one.
        settings: the new settings.
        without: the knowledge base that was taken out.

    Raises:
        KbError: when what is configured cannot be opened at all.
    """
    configured = {base.location for base in workspace.settings.knowledge_bases}
    bundled = content_folder().resolve()
    extra = [
        base
        for base in workspace.bases
        if str(base.root) not in configured and base.root != bundled and base.name != without
    ]
    opened = open_workspace((), workspace.folders, settings)
    configured_ones = [base for base in opened.bases if not extra or base.root != bundled]
    return with_bases(opened, (*extra, *configured_ones))


class Desk(QObject):
    """Everything the window knows beyond its widgets.

    Signals:
        found(object): a `Found`, for the query that stands in the field.
        entry_opened(object, bool): the `OpenedEntry`; True when the user asked for it, False for a preview.
        entry_failed(object, object): the `EntryRef` and a `WorkerFault`.
        bases_changed(): other knowledge bases are open.
        index_changed(object): the `IndexState`.
        message_posted(object): a `Message` for the bar.
        message_settled(str): a topic whose cause is gone.
        settings_changed(object): the new `Settings`.
    """

    found = Signal(object)
    entry_opened = Signal(object, bool)
    entry_failed = Signal(object, object)
    bases_changed = Signal()
    index_changed = Signal(object)
    message_posted = Signal(object)
    message_settled = Signal(str)
    settings_changed = Signal(object)

    def __init__(
        self,
        workspace: Workspace,
        session: Session,
        jobs: Jobs,
        workers: Workers,
        parent: QObject | None = None,
    ) -> None:
        """Join what was opened; `start` lets the workers run."""
        super().__init__(parent)
        self.workspace = workspace
        self.session = session
        self.jobs = jobs
        self.workers = workers
        self.query = Query()
        self.filters = FilterState()
        self.history: History[EntryRef] = History()
        self.current: OpenedEntry | None = None
        self.index_state = IndexState()
        self.last_answer: SearchAnswer | None = None
        self.is_explaining = False
        self._is_wanted_open = False
        self._last_limit = self._last_count = 0
        self.copies = Copies()
        self._is_stopped = False
        self._base_changes: deque[Callable[[Workspace], Workspace]] = deque()
        self.search = SearchClient(workers.search, self)
        self.indexing = IndexRun(workers.index, self)
        self.opener = EntryOpener(workers.reader, self)
        self._connect()

    def _connect(self) -> None:
        self.search.answered.connect(self._on_answered)
        self.search.failed.connect(self._on_search_failed)
        self.search.opened.connect(lambda: self.message_settled.emit("search"))
        self.workers.search.gave_up.connect(self._on_search_gave_up)
        self.workers.reader.gave_up.connect(self._on_reader_gave_up)
        self.opener.opened.connect(self._on_opened)
        self.opener.failed.connect(self._on_open_failed)
        self.indexing.progressed.connect(self._on_progress)
        self.indexing.names_ready.connect(self._on_names_ready)
        self.indexing.reported.connect(self._on_report)
        self.indexing.failed.connect(self._on_index_failed)
        self.indexing.finished.connect(self._on_index_finished)
        self.session.save_failed.connect(self._on_save_failed)

    # -- knowledge bases ------------------------------------------------------------------------------

    @property
    def bases(self) -> tuple[OpenBase, ...]:
        """Return the knowledge bases that are searched: the open ones that are not switched off."""
        hidden = set(self.session.state.hidden_bases)
        shown = tuple(base for base in self.workspace.bases if base.name not in hidden)
        return shown or self.workspace.bases

    def folders(self) -> tuple[BaseFolders, ...]:
        """Return what workers have to know of the searched knowledge bases."""
        return tuple(folders_of(base) for base in self.bases)

    def start_search(self) -> None:
        """Start the search worker with the open knowledge bases."""
        self.search.open(self.folders())
        self.workers.search.start()

    def start_rest(self) -> None:
        """Start what may come after the first paint: reader and indexer; tell what could not be opened."""
        if self._is_stopped:
            return
        self.workers.reader.start()
        self.index()
        for unopened in self.workspace.unopened:
            self._complain(unopened)

    @property
    def is_stopped(self) -> bool:
        """Tell whether the window was closed."""
        return self._is_stopped

    def stop(self) -> None:
        """Save and end the workers; nothing starts them again."""
        self._is_stopped = True
        self.session.save_now()
        self.workers.stop()

    def index(self) -> None:
        """Bring the indexes up to date."""
        if self.folders() and not self._is_stopped:
            self.index_state = IndexState(is_active=True, done={}, total={}, pages={})
            self.indexing.start(self.folders())
            self.index_changed.emit(self.index_state)

    def prepare_indexing(self) -> None:
        """Get ready for `index_paths`: changes are on their way."""
        if not self._is_stopped:
            self.indexing.prepare()

    def index_paths(self, name: str, paths: Sequence[str]) -> None:
        """Bring the index of one knowledge base up to date where only ``paths`` can differ."""
        base = next((folders_of(base) for base in self.bases if base.name == name), None)
        if base is None or self._is_stopped:
            return
        if not self.indexing.is_active:
            known = self.index_state
            self.index_state = IndexState(
                is_active=True, done={}, total={}, pages=dict(known.pages or {}), skipped=known.skipped
            )
        self.indexing.start_changed(base, paths)
        self.index_changed.emit(self.index_state)

    def add_folder(self, folder: Path) -> None:
        """Add a folder to the configured knowledge bases and open it."""

        def work(workspace: Workspace) -> Workspace:
            settings = workspace.settings.with_base(configured_for(folder, workspace.folders))
            return reopened(workspace, settings)

        self._change_bases(work)

    def add_base(self, base: ConfiguredBase, *, instead_of: str = "") -> None:
        """Add a knowledge base that lies ready, in place of the one called ``instead_of`` where given."""

        def work(workspace: Workspace) -> Workspace:
            settings = workspace.settings.without_base(instead_of).with_base(base)
            return reopened(workspace, settings, without=instead_of)

        self._change_bases(work)

    def reopen_with(self, settings: Settings) -> None:
        """Take settings that name other knowledge bases: save them and open what they name."""
        asked_of = self.workspace.settings
        self._change_bases(
            lambda workspace: reopened(workspace, brought_together(asked_of, settings, workspace.settings))
        )

    def open_again(self) -> None:
        """Open the knowledge bases anew: the ``kb.yml`` of one has changed."""
        self._change_bases(lambda workspace: reopened(workspace, workspace.settings))

    def show_base(self, wanted: str) -> None:
        """Open a folder or a configured name until the window is closed; nothing is saved."""
        if any(base.name == wanted for base in self.bases):
            return

        def work(workspace: Workspace) -> Workspace:
            [base] = open_workspace((wanted,), workspace.folders, workspace.settings).bases
            return with_bases(workspace, (*workspace.bases, base))

        self._change_bases(work)

    def remove_base(self, name: str) -> None:
        """Take a knowledge base out of the configured ones; its folder stays as it is."""
        self._change_bases(
            lambda workspace: reopened(workspace, workspace.settings.without_base(name), without=name)
        )

    def _change_bases(self, work: Callable[[Workspace], Workspace]) -> None:
        """Change which knowledge bases are open: one change after the other, each from what the last left."""
        self._base_changes.append(work)
        if len(self._base_changes) == 1:
            self._run_base_change()

    def _run_base_change(self) -> None:
        before, change = self.workspace, self._base_changes[0]

        def work() -> Workspace:
            opened = change(before)
            if opened.settings != before.settings:
                save_settings(before.folders, opened.settings)
            return opened

        self.jobs.run(
            work,
            on_done=partial(self._on_bases_opened, before),
            on_error=self._on_base_change_failed,
            lane=Lane.WRITE,
        )

    def _on_bases_opened(self, before: Workspace, opened: Workspace) -> None:
        now = self.workspace.settings
        if now != before.settings:  # a setting was changed meanwhile; both changes hold
            settings = brought_together(before.settings, opened.settings, now)
            opened = replace(opened, settings=settings)
            self.jobs.run(
                lambda: save_settings(before.folders, settings),
                on_error=self._on_settings_error,
                lane=Lane.WRITE,
            )
        self._take_workspace(opened)
        self._begin_next_base_change()

    def _on_base_change_failed(self, error: Exception) -> None:
        self._begin_next_base_change()
        self._on_settings_error(error)

    def _begin_next_base_change(self) -> None:
        self._base_changes.popleft()
        if self._base_changes and not self._is_stopped:
            self._run_base_change()

    def set_hidden(self, name: str, *, is_hidden: bool) -> None:
        """Search a knowledge base or leave it out; the last one cannot be left out."""
        state = self.session.state
        hidden = tuple(n for n in state.hidden_bases if n != name)
        self.session.update(replace(state, hidden_bases=(*hidden, name) if is_hidden else hidden))
        self._reopen_bases()

    def change_settings(self, settings: Settings) -> None:
        """Take other settings and save them."""
        folders = self.workspace.folders
        self.workspace = replace(self.workspace, settings=settings)
        self.settings_changed.emit(settings)
        self.jobs.run(
            lambda: save_settings(folders, settings), on_error=self._on_settings_error, lane=Lane.WRITE
        )

    def _take_workspace(self, workspace: Workspace) -> None:
        if self._is_stopped:
            return
        self.workspace = workspace
        self.settings_changed.emit(workspace.settings)
        for unopened in workspace.unopened:
            self._complain(unopened)
        self._reopen_bases()

    def _reopen_bases(self) -> None:
        self.filters = FilterState(view=self.filters.view)
        self.bases_changed.emit()
        self.search.open(self.folders())
        self.index()
        self.ask(is_typing=False)

    def _complain(self, unopened: UnopenedBase) -> None:
        self.message_posted.emit(
            Message(unopened.title, unopened.hint, Weight.PROBLEM, topic=f"base:{unopened.name}")
        )

    def _on_settings_error(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            raise error
        self.message_posted.emit(Message(error.title, error.hint, Weight.PROBLEM, topic="settings"))

    def _on_save_failed(self, reason: str) -> None:
        self.message_posted.emit(
            Message("What you star and tick cannot be saved", reason, Weight.NOTE, topic="session")
        )

    # -- searching ------------------------------------------------------------------------------------

    def set_query(self, query: Query) -> None:
        """Ask another query."""
        self.query = query
        self.ask(is_typing=not query.pasted)

    def set_filters(self, filters: FilterState) -> None:
        """Ask again with other filters."""
        self.filters = filters
        self.ask(is_typing=False)

    @property
    def typed_filters(self) -> Mapping[str, tuple[str, ...]]:
        """Return the filters that stand in the query: facet to values."""
        return parse_query(self.query.typed).filters

    def ask(self, *, is_typing: bool) -> None:
        """Ask what stands in the field."""
        if not self.bases or self._is_stopped:
            return
        is_narrowed = self.filters.view is not View.ALL
        limit = ALL_HITS if self.query.is_empty or is_narrowed else min(FIRST_HITS, self.results_limit)
        self.search.ask(
            SearchRequest(
                self.query.asked,
                limit=limit,
                filters=self._wanted_filters(),
                is_typing=is_typing,
                explain=self.is_explaining,
                narrowed_by=self.query.narrowed_by,
            )
        )

    def _wanted_filters(self) -> dict[str, tuple[str, ...]]:
        """Return the filters of a request; an empty query asks for everything by naming what is open."""
        wanted = dict(self.filters.wanted)
        if self.query.is_empty and not wanted:
            wanted["knowledge_base"] = tuple(base.name for base in self.bases)
        return wanted

    def ask_more(self) -> None:
        """Ask for all hits that may be listed, when the list is scrolled to its end."""
        answer = self.last_answer
        if answer is None or self.query.is_empty or self.search.is_busy:
            return
        if self._last_count < self._last_limit or self._last_limit >= self.results_limit:
            return
        self.search.ask(
            SearchRequest(
                self.query.asked,
                limit=self.results_limit,
                filters=self._wanted_filters(),
                explain=self.is_explaining,
                narrowed_by=self.query.narrowed_by,
            )
        )

    @property
    def results_limit(self) -> int:
        """Return the most entries listed for one query."""
        return max(1, min(ALL_HITS, self.workspace.settings.results_limit))

    def _on_answered(self, request: SearchRequest, answer: SearchAnswer) -> None:
        asked = (self.query.asked, self.query.narrowed_by, self._wanted_filters())
        if (request.text, request.narrowed_by, dict(request.filters)) != asked:
            if not self.search.is_busy:
                self.ask(is_typing=False)
            return
        if answer.is_partial and self.index_state.is_complete:
            self.index()  # it was whole and is not any more: a damaged or deleted index is made anew
        self._last_limit, self._last_count = request.limit, len(answer.hits)
        self.last_answer = answer = prefer_copies(answer, self.copies)
        self.found.emit(self._found(answer))

    def _found(self, answer: SearchAnswer) -> Found:
        state, shows_base = self.session.state, len(self.bases) > 1
        is_browsing = self.query.is_empty
        view = self.filters.view
        remembered = {View.STARRED: state.starred, View.RECENT: state.recent}.get(view)
        if remembered is not None:
            known = tuple(e for e in remembered if any(b.name == e.ref.knowledge_base for b in self.bases))
            return self._found_among(answer, known, is_browsing=is_browsing, shows_base=shows_base)
        if not is_browsing:
            rows = answer_rows(answer, shows_base=shows_base)
            return Found(answer, rows, is_browsing=False, limit=self._last_limit)
        has_filters = bool(self.filters.wanted)
        recent, starred = ((), ()) if has_filters else (state.recent, state.starred)
        rows = browse_rows(answer, recent, starred, shows_base=shows_base)
        return Found(answer, rows, is_browsing=True)

    @staticmethod
    def _found_among(
        answer: SearchAnswer, known: tuple[RememberedEntry, ...], *, is_browsing: bool, shows_base: bool
    ) -> Found:
        """Return the starred or recent entries, in a query those among its hits."""
        if is_browsing:
            rows = tuple(remembered_row(e, shows_base=shows_base) for e in known)
        else:
            refs = {e.ref for e in known}
            rows = tuple(r for r in answer_rows(answer, shows_base=shows_base) if r.ref in refs)
        return Found(replace(answer, total=len(rows)), rows, is_browsing)

    def show_again(self) -> None:
        """Make the rows anew from the last answer (stars or recent entries changed)."""
        if self.last_answer is not None:
            self.found.emit(self._found(self.last_answer))

    def _on_search_failed(self, fault: WorkerFault) -> None:
        self.message_posted.emit(
            Message(fault.title, fault.hint, Weight.PROBLEM, "Try again", self._retry_search, topic="search")
        )

    def _on_search_gave_up(self, fault: WorkerFault) -> None:
        self.message_posted.emit(
            Message(fault.title, fault.hint, Weight.PROBLEM, "Start the search", self._retry_search, "search")
        )

    def _retry_search(self) -> None:
        self.workers.search.start()
        self.ask(is_typing=False)

    # -- entries --------------------------------------------------------------------------------------

    def base_of(self, ref: EntryRef) -> BaseFolders | None:
        """Return the open knowledge base that holds ``ref``."""
        name = ref.knowledge_base
        return next((folders_of(base) for base in self.workspace.bases if base.name == name), None)

    def preview(self, ref: EntryRef) -> None:
        """Show an entry without taking it for opened."""
        if self.current is None or self.current.ref != ref:
            self._is_wanted_open = False
            self._request(ref)

    def open(self, ref: EntryRef) -> None:
        """Open an entry because the user asked for it."""
        self.history = self.history.visit(ref)
        self._is_wanted_open = True
        if self.current is not None and self.current.ref == ref and self.opener.wanted is None:
            self.remember(self.current)
            self.entry_opened.emit(self.current, True)  # noqa: FBT003 - the signal's argument
        elif self.opener.wanted != ref:
            self._request(ref)

    def close_entry(self) -> None:
        """Show no entry any more: the list that led to it is gone."""
        self.current = None
        self._is_wanted_open = False

    def reload(self) -> None:
        """Read the open entry again: its file or its links may have changed."""
        if self.current is not None and self.opener.wanted is None:
            self._is_wanted_open = False
            self._request(self.current.ref)

    def go_back(self) -> None:
        """Open the entry before."""
        self._go(self.history.back())

    def go_forward(self) -> None:
        """Open the entry that was left by going back."""
        self._go(self.history.forward())

    def _go(self, history: History[EntryRef]) -> None:
        if history.current is not None and history != self.history:
            self.history = history
            self._is_wanted_open = True
            self._request(history.current)

    def _request(self, ref: EntryRef) -> None:
        if self._is_stopped:
            return
        base = self.base_of(ref)
        if base is None:
            fault = WorkerFault(f"{ref.knowledge_base} is not open", "Open it from the knowledge base menu")
            self.entry_failed.emit(ref, fault)
            return
        self.workers.reader.start()
        self.opener.open(base, ref)

    def _on_opened(self, opened: OpenedEntry) -> None:
        self.current = opened
        is_wanted, self._is_wanted_open = self._is_wanted_open, False
        if is_wanted:
            self.remember(opened)
        self.message_settled.emit("entry")
        self.entry_opened.emit(opened, is_wanted)

    def _on_open_failed(self, ref: EntryRef, fault: WorkerFault) -> None:
        self._is_wanted_open = False
        self.message_posted.emit(Message(fault.title, fault.hint, Weight.PROBLEM, topic="entry"))
        self.entry_failed.emit(ref, fault)

    def _on_reader_gave_up(self, fault: WorkerFault) -> None:
        restart: Callable[[], None] = self.workers.reader.start
        self.message_posted.emit(
            Message(fault.title, fault.hint, Weight.PROBLEM, "Start it", restart, "entry")
        )

    # -- what is remembered ---------------------------------------------------------------------------

    @staticmethod
    def remembered(opened: OpenedEntry) -> RememberedEntry:
        """Return how an entry is kept in the lists."""
        entry = opened.entry
        return RememberedEntry(opened.ref, entry.title, entry.product, entry.component, entry.kind.value)

    def remember(self, opened: OpenedEntry) -> None:
        """Put an entry on top of the recent ones."""
        self.session.update(self.session.state.with_recent(self.remembered(opened)))

    def toggle_star(self) -> bool:
        """Star or unstar the open entry and tell whether it is starred now."""
        if self.current is None:
            return False
        state = self.session.state
        is_starred = not state.is_starred(self.current.ref)
        self.session.update(state.with_star(self.remembered(self.current), is_starred=is_starred))
        return is_starred

    def set_ticks(self, done: frozenset[str]) -> None:
        """Keep the ticked steps of the open entry."""
        if self.current is not None:
            self.session.update(self.session.state.with_run(self.current.ref, done))
            self.remember(self.current)

    # -- indexing -------------------------------------------------------------------------------------

    def cancel_indexing(self) -> None:
        """Stop indexing soon."""
        self.indexing.cancel()

    def _on_progress(self, base: str, progress: IndexProgress) -> None:
        state = self.index_state
        if state.done is not None and state.total is not None:
            if progress.phase != "merge":  # its parts are no entries
                state.total[base] = max(state.total.get(base, 0), progress.total)
            total = state.total.setdefault(base, progress.total)
            state.share[base] = index_share(progress, state.share.get(base, 0.0))
            state.done[base] = round(state.share[base] * total)
        self.index_changed.emit(state)

    def _on_names_ready(self, _base: str) -> None:
        self.search.reopen()
        self.ask(is_typing=False)

    def _on_report(self, base: str, report: IndexReport) -> None:
        state = self.index_state
        if state.pages is not None:
            state.pages[base] = report.pages
        state.skipped += len(report.skipped)
        if report.is_rebuilt and report.reason:
            self.message_posted.emit(
                Message(
                    f"The index of {base} was made anew", report.reason, Weight.NOTE, topic=f"index:{base}"
                )
            )
        self.search.reopen()
        self.ask(is_typing=False)

    def _on_index_failed(self, fault: WorkerFault) -> None:
        self.message_posted.emit(
            Message(fault.title, fault.hint, Weight.PROBLEM, "Index again", self.index, topic="index")
        )

    def _on_index_finished(self) -> None:
        state = self.index_state
        state.is_active = False
        state.is_complete = len(state.pages or {}) >= len(self.bases)
        self.index_changed.emit(state)
        if self.current is not None and not self.current.plan.is_complete:
            self.reload()
