"""Real processes that answer, hang, die and babble; the window's side must come through all of it."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from kb_app.search.model import SearchRequest
from kb_app.ui.common import workers
from kb_app.ui.common.workers import WorkerFault, WorkerProcess, worker_command
from kb_app.ui.search.client import BaseFolders, SearchClient

WORKER = """
import json, os, sys, time
for line in sys.stdin:
    m = json.loads(line)
    op = m.get("op")
    if op == "hang":
        time.sleep(60)
    elif op == "reopen":
        time.sleep(1.5)
    elif op == "die":
        print("last words", file=sys.stderr, flush=True)
        os._exit(3)
    elif op == "babble":
        print("not json")
        print("[1, 2]")
        print(json.dumps({"progress": 1}))
    elif op == "fail":
        print(json.dumps({"id": m["id"], "ok": False, "title": "It failed", "hint": "Do this"}), flush=True)
        continue
    elif op == "search" and m["request"]["text"] == "stuck":
        time.sleep(60)
    elif op == "search" and m["request"]["text"] == "starved":
        time.sleep(1.5)
    elif op == "search" and m["request"]["text"] == "spinning":
        while True:
            pass
    text = m.get("request", {}).get("text", "")
    answer = {"query": text, "mode": "words", "verdict": "none", "took_ms": 1.0, "total": 0}
    reply = {"id": m["id"], "pid": os.getpid(), "echo": m.get("text"), "answer": answer}
    print(json.dumps(reply), flush=True)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "worker.py"
    file.write_text(textwrap.dedent(WORKER))
    return file


@pytest.fixture
def worker(script: Path, qtbot: QtBot):
    process = WorkerProcess(
        "test", label="The test", command=(sys.executable, [str(script)], script.parent), deadline_ms=20_000
    )
    yield process
    process.stop()


class Record:
    """What a worker told."""

    def __init__(self, worker: WorkerProcess) -> None:
        self.answers: dict[int, dict[str, object]] = {}
        self.faults: dict[int, WorkerFault] = {}
        self.events: list[object] = []
        worker.answered.connect(self.answers.__setitem__)
        worker.failed.connect(self.faults.__setitem__)
        worker.event_received.connect(self.events.append)


def test_requests_made_before_the_start_are_answered_in_order(worker: WorkerProcess, qtbot: QtBot) -> None:
    record = Record(worker)
    first = worker.request({"op": "echo", "text": "a"})
    second = worker.request({"op": "echo", "text": "ü\u2028\ud800"})
    worker.start()
    qtbot.waitUntil(lambda: len(record.answers) == 2, timeout=60_000)
    assert [record.answers[i]["echo"] for i in (first, second)] == ["a", "ü\u2028\ud800"]


def test_an_error_answer_is_a_fault(worker: WorkerProcess, qtbot: QtBot) -> None:
    record = Record(worker)
    worker.start()
    number = worker.request({"op": "fail"})
    qtbot.waitUntil(lambda: number in record.faults, timeout=60_000)
    assert record.faults[number] == WorkerFault("It failed", "Do this")


@pytest.mark.expects_warnings
def test_babble_is_ignored_and_objects_without_an_id_are_events(worker: WorkerProcess, qtbot: QtBot) -> None:
    record = Record(worker)
    worker.start()
    number = worker.request({"op": "babble"})
    qtbot.waitUntil(lambda: number in record.answers, timeout=60_000)
    assert record.events == [{"progress": 1}]


def test_a_dropped_request_is_not_answered(worker: WorkerProcess, qtbot: QtBot) -> None:
    record = Record(worker)
    worker.start()
    dropped = worker.request({"op": "echo"})
    worker.drop(dropped)
    kept = worker.request({"op": "echo"})
    qtbot.waitUntil(lambda: kept in record.answers, timeout=60_000)
    assert dropped not in record.answers


def test_a_hanging_worker_is_killed_and_what_waited_behind_is_answered(
    worker: WorkerProcess, qtbot: QtBot
) -> None:
    record = Record(worker)
    worker.start()
    before = worker.request({"op": "echo"})
    qtbot.waitUntil(lambda: before in record.answers, timeout=60_000)
    hanging = worker.request({"op": "hang"}, deadline_ms=200)
    behind = worker.request({"op": "echo", "text": "behind"})
    qtbot.waitUntil(lambda: behind in record.answers, timeout=60_000)
    assert record.faults[hanging].is_timeout
    assert record.answers[behind]["pid"] != record.answers[before]["pid"]


@pytest.mark.expects_warnings
def test_a_crash_costs_the_request_that_caused_it_alone(
    worker: WorkerProcess, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    record = Record(worker)
    worker.start()
    deadly = worker.request({"op": "die"})
    behind = worker.request({"op": "echo"})
    qtbot.waitUntil(lambda: behind in record.answers, timeout=60_000)
    assert set(record.faults) == {deadly}
    assert "last words" in caplog.text


@pytest.mark.expects_warnings
def test_a_worker_that_keeps_dying_is_given_up_and_can_be_started_again(
    script: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "RESTART_PAUSES_MS", (0, 1))
    program = "import os; os._exit(1)"
    worker = WorkerProcess("test", label="The test", command=(sys.executable, ["-c", program], script.parent))
    record = Record(worker)
    number = worker.request({"op": "echo"})
    with qtbot.waitSignal(worker.gave_up, timeout=60_000):
        worker.start()
    assert number in record.faults
    assert not worker.is_running
    with qtbot.waitSignal(worker.gave_up, timeout=60_000):
        worker.start()


@pytest.mark.expects_warnings
def test_a_program_that_cannot_start_is_given_up(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "RESTART_PAUSES_MS", (0,))
    worker = WorkerProcess("test", label="The test", command=(str(tmp_path / "nothing"), [], tmp_path))
    with qtbot.waitSignal(worker.gave_up, timeout=60_000):
        worker.start()


def test_the_real_command_runs_this_program_from_its_own_folder() -> None:
    program, arguments, folder = worker_command("search")
    assert program == sys.executable
    assert arguments == ["-m", "kb_app", "--worker", "search"]
    assert (folder / "kb_app" / "__main__.py").is_file()


@pytest.fixture
def client(
    worker: WorkerProcess, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> SearchClient:
    # Only a question that hangs for good may count as stuck, however loaded the machine is.
    monkeypatch.setattr("kb_app.ui.search.client.COLD_STUCK_MS", 8_000)
    client = SearchClient(worker)
    client.open([BaseFolders("kb", tmp_path / "index", tmp_path)])
    with qtbot.waitSignal(client.opened, timeout=60_000):
        worker.start()
    return client


def test_while_the_search_is_busy_only_the_latest_question_is_kept(
    client: SearchClient, qtbot: QtBot
) -> None:
    asked: list[str] = []
    client.answered.connect(lambda request, _answer: asked.append(request.text))
    for text in ("x", "k", "ku", "kub", "kube"):
        client.ask(SearchRequest(text))
    qtbot.waitUntil(lambda: not client.is_busy, timeout=60_000)
    assert asked[-1] == "kube"
    assert "ku" not in asked
    assert "kub" not in asked


@pytest.mark.expects_warnings
def test_a_stuck_search_is_killed_when_a_newer_question_waits(
    client: SearchClient, worker: WorkerProcess, qtbot: QtBot
) -> None:
    before = worker.process_id
    asked: list[str] = []
    client.answered.connect(lambda request, _answer: asked.append(request.text))
    client.ask(SearchRequest("warm"))
    qtbot.waitUntil(lambda: asked == ["warm"], timeout=60_000)
    client.ask(SearchRequest("stuck"))
    client.ask(SearchRequest("newer"))
    qtbot.waitUntil(lambda: asked == ["warm", "newer"], timeout=60_000)
    assert worker.process_id != before


@pytest.mark.expects_warnings
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processor time of others is not told here")
def test_a_search_that_gets_no_turn_is_waited_for_and_one_that_spins_is_killed(
    client: SearchClient, worker: WorkerProcess, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = worker.process_id
    asked: list[str] = []
    client.answered.connect(lambda request, _answer: asked.append(request.text))
    monkeypatch.setattr("kb_app.ui.search.client.STUCK_MS", 100)
    client._stuck_ms = 100
    client.ask(SearchRequest("starved"))
    client.ask(SearchRequest("newer"))
    qtbot.waitUntil(lambda: asked == ["newer"], timeout=60_000)
    assert worker.process_id == before
    monkeypatch.setattr("kb_app.ui.search.client.MAX_STUCK_MS", 600_000)  # the clock alone ends nothing
    client.ask(SearchRequest("spinning"))
    client.ask(SearchRequest("newest"))
    qtbot.waitUntil(lambda: asked[-1] == "newest", timeout=60_000)
    assert worker.process_id != before


def test_a_question_behind_the_opening_of_a_large_index_waits_and_is_not_stuck(
    client: SearchClient, worker: WorkerProcess, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = worker.process_id
    asked: list[str] = []
    client.answered.connect(lambda request, _answer: asked.append(request.text))
    client.ask(SearchRequest("warm"))
    qtbot.waitUntil(lambda: asked == ["warm"], timeout=60_000)
    monkeypatch.setattr("kb_app.ui.search.client.COLD_STUCK_MS", 100)
    monkeypatch.setattr("kb_app.ui.search.client.STUCK_MS", 100)
    client._stuck_ms = 100
    client.reopen()
    for text in ("lease", "lease lost"):
        client.ask(SearchRequest(text))
    qtbot.waitUntil(lambda: asked[-1] == "lease lost", timeout=60_000)
    assert worker.process_id == before
