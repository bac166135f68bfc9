"""Opening entries through a reader worker that hangs, fails or answers late."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from kb_app.ui.common import reading
from kb_app.ui.common.reading import EntryOpener, OpenedEntry
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.workers import WorkerFault, WorkerProcess
from kb_app.ui.search.client import BaseFolders

WORKER = """
import json, sys, time
entry = {
    "id": "x", "title": "X", "kind": "note", "state": "draft", "audience": "internal", "product": "",
    "component": "", "owner": "", "tags": [], "text": "", "body_line": 1, "size_bytes": 0, "content_hash": "",
}
for line in sys.stdin:
    m = json.loads(line)
    if m["path"] == "bomb.md" and not m["plain"]:
        time.sleep(60)
    if m["path"] == "gone.md":
        answer = {"error": {"title": "It is gone", "hint": "Search again"}}
    else:
        page = {"html": "plain" if m["plain"] else "rich", "is_plain": m["plain"]}
        answer = {"entry": {**entry, "path": m["path"]}, "plan": {}, "page": page}
    print(json.dumps({"id": m["id"], **answer}), flush=True)
"""


@pytest.fixture
def opener(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[EntryOpener]:
    script = tmp_path / "worker.py"
    script.write_text(textwrap.dedent(WORKER))
    worker = WorkerProcess("reader", label="Opening", command=(sys.executable, [str(script)], tmp_path))
    opener = EntryOpener(worker)
    worker.start()
    # The deadline of a loaded machine is not what is tested: first let the worker be there.
    with qtbot.waitSignal(opener.opened, timeout=60_000):
        opener.open(BaseFolders("kb", tmp_path, tmp_path), EntryRef("kb", "first.md"))
    yield opener
    worker.stop()


@pytest.fixture
def base(tmp_path: Path) -> BaseFolders:
    return BaseFolders("kb", tmp_path / "index", tmp_path)


def test_an_entry_that_hangs_is_shown_as_plain_text(
    opener: EntryOpener, base: BaseFolders, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "OPEN_DEADLINE_MS", 300)
    with qtbot.waitSignal(opener.opened, timeout=60_000) as caught:
        opener.open(base, EntryRef("kb", "bomb.md"))
    [opened] = caught.args
    assert opened.page.is_plain
    assert opened.page.html == "plain"


def test_only_the_entry_wanted_last_is_shown(opener: EntryOpener, base: BaseFolders, qtbot: QtBot) -> None:
    shown: list[OpenedEntry] = []
    opener.opened.connect(shown.append)
    for name in ("a.md", "b.md", "c.md"):
        opener.open(base, EntryRef("kb", name))
    assert opener.wanted == EntryRef("kb", "c.md")
    qtbot.waitUntil(lambda: opener.wanted is None, timeout=60_000)
    assert [opened.ref.path for opened in shown] == ["c.md"]


def test_why_an_entry_cannot_be_shown_is_said(opener: EntryOpener, base: BaseFolders, qtbot: QtBot) -> None:
    with qtbot.waitSignal(opener.failed, timeout=60_000) as caught:
        opener.open(base, EntryRef("kb", "gone.md"))
    assert caught.args == [EntryRef("kb", "gone.md"), WorkerFault("It is gone", "Search again")]
