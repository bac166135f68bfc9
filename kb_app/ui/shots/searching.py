"""Pictures of what grows around the search: completion, the query in words, saved searches, pastes."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from kb_app.search.model import Twin
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import SavedSearch
from kb_app.ui.search.state import Query
from kb_app.ui.shots.camera import Camera

FIELDS = 'kind:fix product:postgresql has:mitigation -tag:legacy "no space left"'
MISTAKE = "kind:fix componnt:wal product:postgrsql disk full"

PASTE = """2026-03-04 02:10:55.001 UTC [1] LOG:  starting PostgreSQL 16.2 on x86_64-pc-linux-gnu
2026-03-04 02:11:02.101 UTC [27] LOG:  checkpoint starting: time
2026-03-04 02:11:09.871 UTC [4711] PANIC:  could not write to file "pg_wal/xlogtemp.4711": \
No space left on device
2026-03-04 02:11:09.872 UTC [1] LOG:  server process (PID 4711) was terminated by signal 6: Aborted
2026-03-04 02:11:09.872 UTC [1] LOG:  terminating any other active server processes
2026-03-04 02:11:10.001 UTC [1] LOG:  all server processes terminated; reinitializing
2026-03-04 02:11:10.117 UTC [4720] FATAL:  the database system is in recovery mode"""
WEAK = "turbine overspeed trip on unit 4\nvalve actuator did not answer, sequence aborted by operator"


def take_searching(camera: Camera) -> None:
    """Take the completion popup, the quiet line, mistakes, the explanation."""
    window = camera.window
    camera.ask(Query())
    window.activateWindow()
    window.search.focus()
    QTest.keyClicks(window.search.edit, "disk full component:")
    camera.wait_until(lambda: not camera.desk.search.is_busy)
    camera.shoot("20-completion")
    camera.ask(Query(typed=FIELDS))
    camera.shoot("21-query-in-words")
    camera.ask(Query(typed=MISTAKE))
    camera.shoot("22-mistakes")
    camera.ask(Query(typed="kind:fix conection pool OOM"))
    window.actions_table[ActionId.EXPLAIN_SEARCH].trigger()
    camera.wait_until(lambda: not camera.desk.search.is_busy)
    camera.shoot("23-explained")
    window.actions_table[ActionId.EXPLAIN_SEARCH].trigger()
    _saved(camera)
    _paste(camera)
    _twins(camera)
    camera.ask(Query(pasted=WEAK))
    camera.shoot("27-weak")
    camera.ask(Query())


def _twins(camera: Camera) -> None:
    """Take near-duplicates, by hand: the bundled content has none."""
    window = camera.window
    camera.ask(Query(typed="disk full"))
    answer = camera.desk.last_answer
    if answer is None or not answer.hits:
        return
    first = answer.hits[0]
    twins = (
        Twin("platform", "docs/1.24/logs.md", first.title, "verified", "in platform, 1.24 instead of 1.26"),
        Twin("platform", "archive/logs.md", first.title, "retired", "in platform, retired, 3 lines differ"),
    )
    hits = (replace(first, similar=2, twins=twins), *answer.hits[1:])
    camera.desk.last_answer = replace(answer, hits=hits)
    camera.desk.show_again()
    window.results.list.setFocus()
    window.results.list.open_twins(is_open=True)
    camera.shoot("28-near-duplicates")
    window.search.focus()


def _saved(camera: Camera) -> None:
    """Take saved searches in the sidebar, and the question for a name."""
    window, session = camera.window, camera.desk.session
    names = (("Disk full", "disk full"), ("Fixes with a mitigation", "kind:fix has:mitigation"))
    searches = tuple(SavedSearch(name, query) for name, query in names)
    session.update(replace(session.state, searches=searches))
    camera.ask(Query(typed="kind:fix has:mitigation"))
    camera.wait(1_000)
    camera.shoot("24-saved")
    camera.ask(Query(typed="product:redis latency"))
    window.actions_table[ActionId.SAVE_SEARCH].trigger()
    camera.shoot("25-save")
    window.search.focus()
    card = window.body.findChild(QWidget, "nameCard")
    if card is not None:
        card.hide()
    session.update(replace(session.state, searches=()))


def _paste(camera: Camera) -> None:
    """Take a paste with its preview, its lines marked in both."""
    window = camera.window
    camera.ask(Query(pasted=PASTE))
    window.activateWindow()
    camera.wait(500)
    camera.shoot("26-paste-marks")
    window.actions_table[ActionId.SHOW_PASTE].trigger()
    camera.shoot("26-paste-preview")
    preview = window.body.findChild(QWidget, "pastePreview")
    if preview is not None:
        preview.hide()
