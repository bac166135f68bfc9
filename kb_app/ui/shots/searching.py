"""Pictures of what grows around the search: completion, the query in words, saved searches, pastes."""

from __future__ import annotations

from PySide6.QtTest import QTest

from kb_app.ui.common.actions import ActionId
from kb_app.ui.search.state import Query
from kb_app.ui.shots.camera import Camera

FIELDS = 'kind:fix product:postgresql has:mitigation -tag:legacy "no space left"'
MISTAKE = "kind:fix componnt:wal product:postgrsql disk full"


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
    camera.ask(Query())
