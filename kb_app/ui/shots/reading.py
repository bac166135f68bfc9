"""Pictures of the way from a search to the steps: first run, results, reader, steps, decision, settings."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from kb_app.ui.common.actions import ActionId
from kb_app.ui.search.state import Query
from kb_app.ui.shots.camera import Camera
from kb_app.ui.steps.panel import ValuesCard
from kb_app.ui.steps.state import Lane

NARROW = QSize(1000, 760)
WORDS = "replication slot disk full"
PASTE = """2026-03-04 02:11:09.871 UTC [4711] PANIC:  could not write to file "pg_wal/xlogtemp.4711": \
No space left on device
2026-03-04 02:11:09.872 UTC [1] LOG:  server process (PID 4711) was terminated by signal 6: Aborted
2026-03-04 02:11:09.872 UTC [1] LOG:  terminating any other active server processes
2026-03-04 02:11:10.001 UTC [1] LOG:  all server processes terminated; reinitializing
2026-03-04 02:11:10.117 UTC [4720] FATAL:  the database system is in recovery mode
"""
NOTHING = "zyzzogeton quux frobnicator"


def take_reading(camera: Camera) -> None:
    """Take the panes and the pages of the program."""
    window = camera.window
    window.pages.setCurrentWidget(window.welcome)
    window.welcome.setFocus()
    camera.shoot("01-first-run")
    window.show_panes()
    window.show_no_entry()
    camera.ask(Query())
    window.search.focus()
    camera.shoot("02-empty-query")
    camera.ask(Query(typed=WORDS))
    window.search.focus()
    camera.shoot("03-results")
    window.results.list.open_current()
    camera.wait()
    window.actions_table[ActionId.MITIGATE].trigger()
    camera.shoot("04-steps")
    window.actions_table[ActionId.COPY_COMMAND].trigger()
    camera.shoot("05-copy-asks-for-values")
    _risky_copy(camera)
    camera.ask(Query(pasted=PASTE.strip()))
    window.search.focus()
    camera.shoot("07-paste")
    camera.ask(Query(typed=NOTHING))
    camera.shoot("08-no-result")
    camera.ask(Query(typed=WORDS))
    window.topbar.status.show_progress(43, 100)  # by hand: how far it is depends on chance
    camera.shoot("09-indexing")
    camera.desk.index_changed.emit(camera.desk.index_state)
    window.actions_table[ActionId.DECIDE].trigger()
    camera.shoot("15-decide")
    window.actions_table[ActionId.DECIDE].trigger()
    window.show_shortcuts()
    camera.shoot("10-shortcuts")
    window.show_settings()
    camera.shoot("11-settings")
    window.show_panes()
    _filters(camera)


def take_narrow(camera: Camera) -> None:
    """Take the narrow layout: the entry, and the steps in their tab."""
    size = camera.window.size()
    camera.window.resize(NARROW)
    camera.ask(Query(typed=WORDS))
    camera.shoot("13-narrow")
    camera.window.actions_table[ActionId.MITIGATE].trigger()
    camera.shoot("14-narrow-steps")
    camera.window.resize(size)


def _risky_copy(camera: Camera) -> None:
    """Take the question before a destructive command is copied."""
    window = camera.window
    card = window.steps.findChild(ValuesCard, "values")
    if card is not None:
        for number, name in enumerate(card.names):
            card.set_value(name, ("standby_2", "/var/lib/postgresql/17/main", "50GB", "5432")[number % 4])
    window.steps.focus_lane(Lane.FIX)
    for column_card in window.steps.cards(Lane.FIX):
        risky = [box for box in column_card.commands if box.command.is_destructive]
        if risky:
            risky[0].copy()
            break
    camera.shoot("06-copy-asks-first")


def _filters(camera: Camera) -> None:
    window = camera.window
    if window.panes.has_filter_column:
        return
    window.actions_table[ActionId.FILTERS].trigger()
    camera.wait()
    popup = QApplication.activePopupWidget()
    if popup is not None:
        camera.shoot_widget("12-filters", popup)
    window.panes.close_filters()
