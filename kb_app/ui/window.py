"""The main window: composes the panels and joins them to the desk; it decides nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from kb_app.logs import visible
from kb_app.search.query import without_filter, without_filters
from kb_app.settings import Settings
from kb_app.ui.common.actions import ActionId, ActionTable, When
from kb_app.ui.common.messages import Message, MessageBar, Toast, Weight, announce
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.theme import Theme, ThemeChoice
from kb_app.ui.common.workers import WorkerFault
from kb_app.ui.desk import Desk, Found, IndexState
from kb_app.ui.features import FEATURES, Feature
from kb_app.ui.filters.panel import FilterPanel
from kb_app.ui.filters.state import FilterState, View
from kb_app.ui.home.panel import WelcomePage
from kb_app.ui.panes import Panes, ReaderTab
from kb_app.ui.reading_pane import ReadingPane
from kb_app.ui.response import ResponseSide
from kb_app.ui.results.panel import ResultsPanel
from kb_app.ui.results.state import spoken_text
from kb_app.ui.search.state import Query
from kb_app.ui.steps.panel import StepsPanel
from kb_app.ui.steps.state import Lane
from kb_app.ui.topbar import TopBar

if TYPE_CHECKING:
    from kb_app.ui.common.page import Page
    from kb_app.ui.settings_page.panel import SettingsPage, ShortcutsPage

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Feature)

PREVIEW_PAUSE_MS = 90
"""The top hit is read after the list has been still for so long: before a hand reaches Enter."""

READ_PAUSE_MS = 5_000
"""A preview looked at for so long counts as opened."""

STEPS_PAUSE_MS = 16
"""The steps follow the page by one frame: Qt paints 5 ms after a change, a timer of 0 ms comes before."""

TYPING_REST_MS = 250
"""Typing rests when no key came for so long: the steps of a preview wait for it, no key waits for them."""

ANNOUNCE_PAUSE_MS = 700
DEFAULT_SIZE = QSize(1440, 900)
MINIMUM_SIZE = QSize(720, 480)


class MainWindow(QMainWindow):
    """The window.

    Signals:
        painted(): it was painted for the first time.
    """

    painted = Signal()

    def __init__(self, desk: Desk, *, is_first_run: bool = False) -> None:
        """Build the window around ``desk``; ``is_first_run`` shows the welcome page."""
        super().__init__()
        self.desk = desk
        self._is_painted = False
        self._wants_reader_focus = False
        self._is_showing_answer = False
        self._spoken = ""
        self._unshown_plan: OpenedEntry | None = None
        self._shown_plan: OpenedEntry | None = None
        self.setWindowTitle("kb_app")
        self.setObjectName("mainWindow")
        self.setMinimumSize(MINIMUM_SIZE)
        self._build()
        self.features = tuple(make(self) for make in FEATURES)
        handlers = self._handlers()
        for feature in self.features:
            handlers |= feature.handlers()
        self.actions_table = ActionTable(self, handlers)
        self.topbar.connect_actions(self.actions_table)
        self._build_timers()
        self._connect_panels()
        self._connect_desk()
        self._restore()
        self._show_bases()
        self._show_view_counts()
        self.pages.setCurrentWidget(self.welcome if is_first_run else self.panes)
        self.update_actions()

    # -- building -------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.topbar = TopBar(self)
        self.messages = MessageBar(self)
        self.filters = FilterPanel()
        self.results = ResultsPanel()
        self.reading = ReadingPane(self.desk.jobs)
        self.steps = StepsPanel()
        self.response = ResponseSide(self.steps, self.desk.jobs)
        self.panes = Panes(self.filters, self.results, self.reading, self.response)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.panes)
        self._welcome: WelcomePage | None = None
        self._settings_page: SettingsPage | None = None
        self._shortcuts_page: ShortcutsPage | None = None
        body = QWidget(self)
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        for widget in (self.topbar, self.messages):
            box.addWidget(widget)
        box.addWidget(self.pages, 1)
        self.setCentralWidget(body)
        self.body = body
        self.toast = Toast(body)
        self.search = self.topbar.search
        self.search.setFocus()

    def _build_timers(self) -> None:
        def timer(pause_ms: int, run: Callable[[], None]) -> QTimer:
            made = QTimer(self, singleShot=True, interval=pause_ms)
            made.timeout.connect(run)
            return made

        self._preview_timer = timer(PREVIEW_PAUSE_MS, self._preview_now)
        self._read_timer = timer(READ_PAUSE_MS, self._count_as_read)
        self._steps_timer = timer(STEPS_PAUSE_MS, self.show_steps)
        self._typing_timer = timer(TYPING_REST_MS, self.show_steps)
        self._announce_timer = timer(ANNOUNCE_PAUSE_MS, self._announce_now)

    def _handlers(self) -> dict[ActionId, Callable[[], None]]:
        """Return what each action of the table does."""
        a = ActionId
        return {
            a.FOCUS_SEARCH: self.focus_search,
            a.SEARCH_CLIPBOARD: self.search_clipboard,
            a.FILTERS: self._open_filters,
            a.CLEAR_FILTERS: self._clear_filters,
            a.NEXT_RESULT: partial(self.results.list.move_selection, 1),
            a.PREVIOUS_RESULT: partial(self.results.list.move_selection, -1),
            a.BACK: self.desk.go_back,
            a.FORWARD: self.desk.go_forward,
            a.STAR: self._toggle_star,
            a.COPY_PATH: self._copy_path,
            a.FIND_IN_PAGE: self._find_in_page,
            a.OUTLINE: self._show_outline,
            a.ZOOM_IN: partial(self._zoom, 10),
            a.ZOOM_OUT: partial(self._zoom, -10),
            a.ZOOM_RESET: partial(self._zoom, 0),
            a.MITIGATE: partial(self._go_to_lane, Lane.MITIGATE),
            a.FIX_FORWARD: partial(self._go_to_lane, Lane.FIX),
            a.COPY_COMMAND: self._copy_command,
            a.TICK_STEP: self._tick_step,
            a.RESET_STEPS: self._reset_steps,
            a.DECIDE: self._decide,
            a.TOGGLE_STEPS: self.panes.toggle_steps,
            a.NEXT_PANE: partial(self._cycle_panes, 1),
            a.PREVIOUS_PANE: partial(self._cycle_panes, -1),
            a.TOGGLE_THEME: self._toggle_theme,
            a.ADD_FOLDER: self.choose_folder,
            a.REINDEX: self.desk.index,
            a.CANCEL_INDEXING: self.desk.cancel_indexing,
            a.SETTINGS: self.show_settings,
            a.SHORTCUTS: self.show_shortcuts,
            a.QUIT: self._quit,
        }

    def _connect_panels(self) -> None:
        self.search.query_changed.connect(self._on_query_changed)
        self.search.moved.connect(self.results.list.move_selection)
        self.search.page_moved.connect(self._on_page_moved)
        self.search.accepted.connect(self._open_selected)
        self.results.list.selected.connect(self._on_selected)
        self.results.list.opened.connect(self.open_entry)
        self.results.list.clicked.connect(self._on_row_clicked)
        self.results.list.end_neared.connect(self.desk.ask_more)
        self.results.filters_requested.connect(self._open_filters)
        self.results.clear_filters_requested.connect(self._clear_filters)
        self.results.suggestion_accepted.connect(self.search.set_text)
        self.filters.changed.connect(self._on_filters_changed)
        self.filters.typed_filter_unchecked.connect(self._remove_typed_filter)
        self.panes.filters_hidden.connect(self._show_filter_state)
        self.steps.ticks_changed.connect(self.desk.set_ticks)
        self.steps.copied.connect(self._on_copied)
        self.steps.decision_requested.connect(self._decide)
        self.steps.entry_requested.connect(self._open_path)
        self.steps.link_activated.connect(self._open_path)
        self.steps.progress_changed.connect(self.panes.set_progress)
        self.steps.veil_pressed.connect(self.show_steps)
        self.reading.link_activated.connect(self._open_path)
        self.reading.external_link_requested.connect(self._ask_to_open)
        self.reading.star_requested.connect(self._toggle_star)
        self.reading.copy_link_requested.connect(self._copy_path)
        self.reading.copied.connect(self.say)
        self.reading.zoom_changed.connect(self._on_zoom_changed)
        self.reading.back_requested.connect(self.desk.go_back)
        self.reading.forward_requested.connect(self.desk.go_forward)
        self.topbar.bases_menu_requested.connect(self._fill_bases_menu)
        self.topbar.status.cancel_requested.connect(self.desk.cancel_indexing)

    def _connect_desk(self) -> None:
        self.desk.found.connect(self._on_found)
        self.desk.entry_opened.connect(self._on_entry_opened)
        self.desk.entry_failed.connect(self._on_entry_failed)
        self.desk.bases_changed.connect(self._on_bases_changed)
        self.desk.index_changed.connect(self._on_index_changed)
        self.desk.message_posted.connect(self.messages.post)
        self.desk.message_settled.connect(self.messages.settle)
        self.desk.settings_changed.connect(self._on_settings_changed)
        self.desk.session.changed.connect(self._show_view_counts)

    def _restore(self) -> None:
        state = self.desk.session.state
        self.resize(DEFAULT_SIZE)
        if state.geometry:
            self.restoreGeometry(QByteArray.fromBase64(state.geometry.encode()))
        self.panes.arrange(self.width())
        self.panes.set_sizes(state.splitter)
        self._show_filter_state()

    @property
    def welcome(self) -> WelcomePage:
        """Return the page of the very first start, making it when it is asked for."""
        if self._welcome is None:
            self._welcome = WelcomePage()
            self._welcome.bundled_chosen.connect(self._start_with_bundled)
            self._welcome.folder_chosen.connect(self.choose_folder)
            self._welcome.repository_chosen.connect(self.actions_table[ActionId.ADD_REPOSITORY].trigger)
            self.pages.addWidget(self._welcome)
        return self._welcome

    def feature(self, kind: type[F]) -> F:
        """Return the feature of this class; features reach each other by it.

        Raises:
            LookupError: when it did not join the window.
        """
        for feature in self.features:
            if isinstance(feature, kind):
                return feature
        raise LookupError(kind.__name__)

    def feature_starts(self) -> tuple[Callable[[], None], ...]:
        """Return what lets the features begin, to be called one by one once the window was painted."""
        return (*(feature.start for feature in self.features), self.update_actions)

    # -- window events --------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tell about the first paint."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the panels for the new width."""
        super().resizeEvent(event)
        self.panes.arrange(event.size().width())
        self.topbar.set_window_width(event.size().width())
        self.toast.place()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember how the window stands, then let the workers go."""
        self.hide()
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        state = self.desk.session.state
        query = self.desk.query.typed if not self.desk.query.pasted else ""
        self.desk.session.update(
            replace(state, geometry=geometry, splitter=self.panes.sizes() or state.splitter, query=query)
        )
        for feature in self.features:
            feature.stop()
        self.desk.stop()
        super().closeEvent(event)

    # -- searching ------------------------------------------------------------------------------------

    def focus_search(self) -> None:
        """Go to the search field, from any page."""
        self.show_panes()
        self.search.focus()

    def search_for(self, text: str) -> None:
        """Search for ``text`` as if it were pasted."""
        self.show_panes()
        self.search.set_text(text)

    def search_clipboard(self) -> None:
        """Search for what is on the clipboard."""
        text = QGuiApplication.clipboard().text()
        if text.strip():
            self.search_for(text)
            self.search.focus()
        else:
            self.say("The clipboard holds no text")

    def _on_query_changed(self, query: Query) -> None:
        self.show_panes()
        if not query.pasted:
            self._typing_timer.start()
        self.desk.set_query(query)

    def _on_filters_changed(self, state: FilterState) -> None:
        self.desk.set_filters(state)
        self._show_filter_state()
        self.update_actions()

    def _clear_filters(self) -> None:
        query = self.desk.query
        self.filters.set_state(self.filters.state.cleared())
        self.search.set_query(query.with_typed(without_filters(query.typed)))

    def _remove_typed_filter(self, facet: str, value: str) -> None:
        """Take a filter out of the query: it was unchecked in the column."""
        query = self.desk.query
        self.search.set_query(query.with_typed(without_filter(query.typed, facet, value)))

    def _open_filters(self) -> None:
        self.show_panes()
        self.panes.open_filters(self.results.filter_button)

    def _show_filter_state(self) -> None:
        self.results.set_filter_state(self._filter_count(), is_button_shown=not self.panes.has_filter_column)

    def _filter_count(self) -> int:
        """Return how many filters hold: those clicked and those typed."""
        typed = sum(len(values) for values in self.desk.typed_filters.values())
        return self.filters.state.count + typed

    def _on_found(self, found: Found) -> None:
        self._is_showing_answer = True
        self.results.show_answer(found.answer, found.rows, is_browsing=found.is_browsing, limit=found.limit)
        self._is_showing_answer = False
        if not found.rows and not self._is_reading():
            self.show_no_entry()
        self.filters.set_counts(found.answer.facets, self.desk.typed_filters)
        self._show_filter_state()
        if found.is_browsing and self.filters.state.view is View.ALL and not self.filters.state.count:
            self._show_view_counts()
        self._follow_selection()
        self._spoken = spoken_text(found.answer)
        self._announce_timer.start()
        self.update_actions()

    def _follow_selection(self) -> None:
        """Mark the new words on the page, or go to the selected entry where the list kept its selection."""
        current, selected = self.desk.current, self.results.list.current_ref()
        if current is not None and current.ref == selected:
            self.reading.mark_terms(self.results.list.terms_of(current.ref))
        elif selected is not None and not self._is_reading():
            self._preview_timer.start()

    def _announce_now(self) -> None:
        announce(self.results.list, self._spoken)

    def _on_page_moved(self, pages: int) -> None:
        self.results.list.move_selection(pages * self.results.list.rows_in_view())

    # -- entries --------------------------------------------------------------------------------------

    def _on_selected(self, ref: EntryRef | None) -> None:
        if self._is_showing_answer and self._is_reading():
            return  # an answer that comes late must not take away what was opened to be read
        self._read_timer.stop()
        if ref is None:
            self._preview_timer.stop()
        else:
            self._preview_timer.start()

    def _is_reading(self) -> bool:
        """Tell whether an entry was opened to be read: the focus is on it or on its way there."""
        focused = self.focusWidget()
        return self._wants_reader_focus or _holds(self.reading, focused) or _holds(self.response, focused)

    def _preview_now(self) -> None:
        ref = self.results.list.current_ref()
        if ref is not None:
            self.desk.preview(ref)

    def _on_row_clicked(self) -> None:
        self._preview_timer.stop()
        ref = self.results.list.current_ref()
        if ref is not None:
            self.desk.open(ref)

    def _open_selected(self) -> None:
        self.results.list.open_current()

    def open_entry(self, ref: EntryRef) -> None:
        """Open an entry and go to the reader."""
        self.show_panes()
        self._preview_timer.stop()  # afterwards: the list may take the focus, and select its first row
        self._wants_reader_focus = True
        self.desk.open(ref)

    def _open_path(self, target: str) -> None:
        """Follow a link inside the open entry's knowledge base."""
        current = self.desk.current
        if current is None:
            return
        path, _, anchor = target.removeprefix("kb:").partition("#")
        if path.startswith(("https:", "http:", "mailto:")):
            self._ask_to_open(target)
        elif path == current.ref.path and anchor:
            self.panes.show_tab(ReaderTab.ENTRY)
            self.reading.reader.scroll_to_anchor(anchor)
        elif path:
            self.reading.go_to_anchor_next(anchor)
            self.open_entry(EntryRef(current.ref.knowledge_base, path))

    def _ask_to_open(self, address: str) -> None:
        """Show an address and open it outside only when the user agrees."""
        self.messages.post(
            Message(
                "Open this address outside kb_app?",
                visible(address),
                Weight.NOTE,
                "Open",
                partial(_open_outside, address),
                topic="link",
            )
        )

    def _on_entry_opened(self, opened: OpenedEntry, is_wanted: bool) -> None:  # noqa: FBT001 - signal
        state = self.desk.session.state
        base = self.desk.base_of(opened.ref)
        self.reading.show_entry(
            opened,
            base.root if base is not None else Path(),
            is_starred=state.is_starred(opened.ref),
            terms=self.results.list.terms_of(opened.ref),
        )
        self._unshown_plan = opened
        self.response.show_steps()
        if not is_wanted and self._typing_timer.isActive():
            self.steps.veil()
        else:
            self._steps_timer.start()
        self.setWindowTitle(f"{opened.entry.title} – kb_app")
        if is_wanted:
            self.panes.show_tab(ReaderTab.ENTRY)
            if self._wants_reader_focus:
                self.reading.focus_page()
        else:
            self._read_timer.start()
        self._wants_reader_focus = False
        self.update_actions()

    @property
    def are_steps_pending(self) -> bool:
        """Tell whether the steps of the entry shown are still to come."""
        return self._unshown_plan is not None

    def show_steps(self) -> None:
        """Show the steps of the entry: after its page was painted, or at once when a key asks for them."""
        opened, self._unshown_plan = self._unshown_plan, None
        self._steps_timer.stop()
        if opened is None:
            return
        before, self._shown_plan = self._shown_plan, opened
        if before is not None and (before.ref, before.plan) == (opened.ref, opened.plan):
            self.steps.unveil()  # a preview that is opened: they stand there already
            self.steps.plan_shown.emit()
        else:
            self.steps.show_plan(opened.plan, self.desk.session.state.run_of(opened.ref))

    def _on_entry_failed(self, _ref: EntryRef, fault: WorkerFault) -> None:
        self._wants_reader_focus = False
        self._unshown_plan = self._shown_plan = None
        self.reading.show_failure(fault)
        self.steps.show_nothing()
        self.update_actions()

    def show_no_entry(self) -> None:
        """Show no entry beside an empty list: the former one would look like the answer."""
        self._preview_timer.stop()
        self.desk.close_entry()
        self._unshown_plan = self._shown_plan = None
        self.reading.show_home()
        self.steps.show_nothing()
        self.setWindowTitle("kb_app")

    def _count_as_read(self) -> None:
        if self.desk.current is not None and self.isActiveWindow():
            self.desk.remember(self.desk.current)

    def _toggle_star(self) -> None:
        is_starred = self.desk.toggle_star()
        self.reading.set_starred(is_starred=is_starred)
        self.say("Starred" if is_starred else "No longer starred")

    def _copy_path(self) -> None:
        current = self.desk.current
        if current is not None:
            QGuiApplication.clipboard().setText(current.ref.path)
            self.say("Path copied")

    def _find_in_page(self) -> None:
        self.panes.show_tab(ReaderTab.ENTRY)
        self.reading.find_in_page()

    def _show_outline(self) -> None:
        self.panes.show_tab(ReaderTab.ENTRY)
        self.reading.show_outline()

    # -- steps ----------------------------------------------------------------------------------------

    def _go_to_lane(self, lane: Lane) -> None:
        self.show_panes()
        self.show_steps()
        self.response.show_steps()
        self.panes.show_tab(ReaderTab.STEPS)
        self.steps.focus_lane(lane)

    def _decide(self) -> None:
        """Open the decision for the entry, or go back to its steps."""
        current = self.desk.current
        base = self.desk.base_of(current.ref) if current is not None else None
        if self.response.is_deciding:
            self.response.show_steps()
        elif current is not None and base is not None:
            self.show_panes()
            self.show_steps()
            self.panes.show_tab(ReaderTab.STEPS)
            self.response.decide(current, base)

    def _tick_step(self) -> None:
        self.show_steps()  # first: those of the entry before may still stand there
        self.steps.tick_current()

    def _reset_steps(self) -> None:
        self.show_steps()
        self.steps.reset()

    def _copy_command(self) -> None:
        self.show_steps()
        self.response.show_steps()
        self.panes.show_tab(ReaderTab.STEPS)
        if not self.steps.copy_current():
            self.say("The current step has no command")

    def _on_copied(self, text: str) -> None:
        lines = text.count("\n") + 1
        what = "Command copied" if lines == 1 else f"{lines} lines copied"
        self.say(what)
        if self.desk.current is not None:
            self.desk.remember(self.desk.current)

    # -- pages ----------------------------------------------------------------------------------------

    def show_panes(self) -> None:
        """Leave settings, shortcuts or welcome."""
        if self.pages.currentWidget() is not self.panes:
            self.pages.setCurrentWidget(self.panes)

    def show_settings(self) -> None:
        """Show the settings page."""
        if self._settings_page is None:
            from kb_app.ui.settings_page.panel import SettingsPage  # start-up time

            page = SettingsPage(self.pages)
            page.changed.connect(self.desk.change_settings)
            page.add_requested.connect(self.choose_folder)
            page.repository_requested.connect(self.actions_table[ActionId.ADD_REPOSITORY].trigger)
            page.removal_requested.connect(self.desk.remove_base)
            self._settings_page = page
            self.add_page(page)
        self._settings_page.show_workspace(self.desk.workspace)
        self.show_page(self._settings_page)

    def show_shortcuts(self) -> None:
        """Show the shortcuts page."""
        if self._shortcuts_page is None:
            from kb_app.ui.settings_page.panel import ShortcutsPage  # start-up time

            self._shortcuts_page = ShortcutsPage(self.actions_table.specs, self.pages)
            self.add_page(self._shortcuts_page)
        self.show_page(self._shortcuts_page)

    def add_page(self, page: Page) -> None:
        """Take in a page that was just made; `show_page` shows it.

        A page made with `pages` as its parent comes cheaper: without one all of it is styled anew here.
        """
        page.closed.connect(self._on_page_closed)
        self.pages.addWidget(page)

    def add_strip(self, strip: QWidget) -> None:
        """Put a feature's strip right below the top bar; the feature shows and hides it."""
        layout = self.body.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(1, strip)

    def show_page(self, page: Page) -> None:
        """Show a page in the panes' place, or leave it when it shows already."""
        if self.pages.currentWidget() is page:
            self._on_page_closed()
            return
        self.pages.setCurrentWidget(page)
        page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_page_closed(self) -> None:
        self.show_panes()
        self.search.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc that nothing else took leads back to the search field."""
        if event.key() == Qt.Key.Key_Escape:
            self.focus_search()
        else:
            super().keyPressEvent(event)

    def _cycle_panes(self, step: int) -> None:
        """Move the focus to the next pane: search, filters, results, reader, steps."""
        self.show_panes()
        places: list[QWidget] = [self.search]
        if self.panes.has_filter_column:
            places.append(self.filters)
        if self.results.list.isVisible():
            places.append(self.results)
        places.extend([self.reading] if self.reading.isVisible() else [])
        places.extend([self.response] if self.response.isVisible() else [])
        focused = self.focusWidget()
        inside = next((i for i, place in enumerate(places) if _holds(place, focused)), -1)
        self._focus_pane(places[(inside + step) % len(places)])

    def _focus_pane(self, place: QWidget) -> None:
        if place is self.filters:
            self.filters.first_control().setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif place is self.results:
            self.results.list.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif place is self.response and self.response.is_deciding:
            self.response.decision.focus_question()
        elif place is self.response:
            self.steps.focus_lane(self.steps.active_lane)
        elif place is self.search:
            self.search.focus()
        else:
            self.reading.focus_page()

    # -- settings -------------------------------------------------------------------------------------

    def _toggle_theme(self) -> None:
        choice = Theme.current().toggle()
        self.desk.change_settings(replace(self.desk.workspace.settings, theme=choice.value))

    def _zoom(self, step: int) -> None:
        settings = self.desk.workspace.settings
        percent = max(60, min(240, settings.zoom_percent + step)) if step else 100
        self.desk.change_settings(replace(settings, zoom_percent=percent))

    def _on_zoom_changed(self, percent: int) -> None:
        settings = self.desk.workspace.settings
        if percent != settings.zoom_percent:
            self.desk.change_settings(replace(settings, zoom_percent=percent))

    def _on_settings_changed(self, settings: Settings) -> None:
        choice = ThemeChoice(settings.theme) if settings.theme in list(ThemeChoice) else ThemeChoice.SYSTEM
        if choice is not Theme.current().choice:
            Theme.current().set_choice(choice)
        self.reading.set_zoom(settings.zoom_percent)
        if self._settings_page is not None and self.pages.currentWidget() is self._settings_page:
            self._settings_page.show_workspace(self.desk.workspace)

    # -- knowledge bases ------------------------------------------------------------------------------

    def choose_folder(self) -> None:
        """Let the user choose a folder of Markdown files."""
        dialog = QFileDialog(self, "Choose a folder of Markdown files")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.add_folder)
        dialog.open()

    def add_folder(self, folder: str) -> None:
        """Add a folder to the knowledge bases."""
        self.show_panes()
        self.desk.add_folder(Path(folder))

    def _start_with_bundled(self) -> None:
        self.show_panes()
        self.search.focus()

    def _on_bases_changed(self) -> None:
        self.filters.state = self.desk.filters
        self._show_bases()
        self._show_filter_state()
        if self._settings_page is not None:
            self._settings_page.show_workspace(self.desk.workspace)

    def _show_bases(self) -> None:
        bases = self.desk.bases
        if not bases:
            self.topbar.set_bases("no knowledge base", "Add a folder to begin")
            self.results.show_state(
                "folder", "No knowledge base is open", "Add a folder of Markdown files to begin (Ctrl+O)."
            )
            return
        text = bases[0].name if len(bases) == 1 else f"{len(bases)} knowledge bases"
        self.topbar.set_bases(text, "\n".join(f"{b.name}: {b.root}" for b in bases))

    def _fill_bases_menu(self, menu: QMenu) -> None:
        self.actions_table.bind_icons()
        menu.clear()
        shown = {base.name for base in self.desk.bases}
        for base in self.desk.workspace.bases:
            action = menu.addAction(base.name)
            action.setCheckable(True)
            action.setChecked(base.name in shown)
            action.setEnabled(len(self.desk.workspace.bases) > 1)
            action.setToolTip(str(base.root))
            action.triggered.connect(partial(self._on_base_toggled, base.name))
        for lost in self.desk.workspace.unopened:
            menu.addAction(f"{lost.name} (cannot be opened)").setEnabled(False)
        menu.addSeparator()
        menu.addAction(self.actions_table[ActionId.ADD_FOLDER])
        menu.addAction(self.actions_table[ActionId.ADD_REPOSITORY])
        menu.addAction(self.actions_table[ActionId.REINDEX])
        menu.addAction("Manage…").triggered.connect(self.show_settings)

    def _on_base_toggled(self, name: str, is_shown: bool) -> None:  # noqa: FBT001 - the signal's argument
        self.desk.set_hidden(name, is_hidden=not is_shown)

    def _on_index_changed(self, state: IndexState) -> None:
        status = self.topbar.status
        pages = sum((state.pages or {}).values())
        if state.is_active:
            status.show_progress(sum((state.done or {}).values()), sum((state.total or {}).values()))
        elif state.is_complete:
            skipped = f", {state.skipped} skipped" if state.skipped else ""
            count = f"{pages:,} entries{skipped}"
            status.show_idle(count, f"The index is up to date · {count}")
            if pages == 0:
                self._say_empty()
        else:
            status.show_idle("Index not complete", is_good=False)
        self._show_view_counts()
        self.update_actions()

    def _say_empty(self) -> None:
        names = ", ".join(base.name for base in self.desk.bases)
        self.results.show_state(
            "folder-open",
            "No Markdown here",
            f"{names} holds no Markdown files. Add another folder (Ctrl+O).",
        )

    def _show_view_counts(self) -> None:
        state = self.desk.session.state
        pages = self.desk.index_state.pages
        total = sum(pages.values()) if pages and not self.desk.index_state.is_active else None
        self.filters.set_view_counts(all_entries=total, starred=len(state.starred), recent=len(state.recent))

    # -- the rest -------------------------------------------------------------------------------------

    def report_crash(self, summary: str) -> None:
        """Say that something went wrong inside the program; the work goes on."""
        self.messages.post(
            Message(
                "Something went wrong inside kb_app",
                f"{summary}; the log has the details",
                Weight.PROBLEM,
                "Copy the log's folder",
                lambda: QGuiApplication.clipboard().setText(str(self.desk.workspace.folders.logs)),
                topic="crash",
            )
        )

    def say(self, text: str) -> None:
        """Say something that passes by itself."""
        self.toast.say(text)

    def _quit(self) -> None:
        self.close()

    def update_actions(self) -> None:
        """Enable what is possible now."""
        facts = set()
        if self.desk.current is not None:
            facts.add(When.ENTRY_OPEN)
            if not self.desk.current.plan.is_empty:
                facts.add(When.STEPS_SHOWN)
        for is_true, fact in (
            (bool(self.results.list.rows), When.RESULTS_SHOWN),
            (self.desk.history.can_go_back, When.CAN_GO_BACK),
            (self.desk.history.can_go_forward, When.CAN_GO_FORWARD),
            (self.desk.index_state.is_active, When.INDEXING),
            (self._filter_count() > 0, When.FILTERED),
            (not self.desk.query.is_empty or self.filters.state.count > 0, When.QUERY_TYPED),
        ):
            if is_true:
                facts.add(fact)
        for feature in self.features:
            facts.update(feature.facts())
        self.actions_table.update_enabled(facts)
        history = self.desk.history
        self.reading.set_history(can_go_back=history.can_go_back, can_go_forward=history.can_go_forward)


def _open_outside(address: str) -> None:
    QDesktopServices.openUrl(QUrl(address))


def _holds(place: QWidget, focused: QWidget | None) -> bool:
    return focused is not None and (place is focused or place.isAncestorOf(focused))
