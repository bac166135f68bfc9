"""The two processes of the search, as the window talks to them: real ones, JSON lines in and out."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.search.indexing import update_index

START = "from kb_app.search.{name} import main; raise SystemExit(main())"


class Process:
    """A worker process and its lines."""

    def __init__(self, name: str) -> None:
        self.child = subprocess.Popen(
            [sys.executable, "-c", START.format(name=name)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def say(self, *messages: Any) -> None:
        assert self.child.stdin is not None
        text = "".join((m if isinstance(m, str) else json.dumps(m)) + "\n" for m in messages)
        self.child.stdin.write(text.encode("utf-8", "surrogatepass"))
        self.child.stdin.flush()

    def hear(self) -> dict[str, Any]:
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line, "the process ended"
        message: dict[str, Any] = json.loads(line)
        return message

    def hear_all(self) -> list[dict[str, Any]]:
        assert self.child.stdout is not None
        return [json.loads(line) for line in self.child.stdout]

    def end(self) -> int:
        """Close its input and return its exit code."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        if not self.child.stdin.closed:
            self.child.stdin.close()
        code = self.child.wait(timeout=30)
        self.child.stdout.close()
        return code


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    for number in range(5):
        text = f"# Page {number}\n\nturbine number{number}\n"
        (folder / f"page{number}.md").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def worker(root: Path, tmp_path: Path) -> Iterator[Process]:
    update_index(root, "base", tmp_path / "ix", KnowledgeBaseConfig())
    process = Process("worker")
    process.say({"id": 1, "op": "open", "bases": [{"name": "base", "folder": str(tmp_path / "ix")}]})
    assert process.hear() == {"id": 1, "ok": True, "documents": 5, "is_partial": False}
    yield process
    if process.child.poll() is None:
        process.end()


def search(number: int, text: str) -> dict[str, Any]:
    return {"id": number, "op": "search", "request": {"text": text}}


def test_it_answers_with_the_id_of_the_request(worker: Process) -> None:
    worker.say(search(7, "number3"))
    message = worker.hear()
    assert (message["id"], message["ok"]) == (7, True)
    assert [hit["path"] for hit in message["answer"]["hits"]] == ["page3.md"]


def test_of_requests_that_wait_the_last_search_is_answered_and_the_others_are_stale(worker: Process) -> None:
    worker.say(*[search(n, f"number{n % 5}") for n in range(200)])
    answers = [worker.hear() for _ in range(200)]
    assert [a["id"] for a in answers] == list(range(200))
    assert "answer" in answers[-1]
    assert all("answer" in a or a["stale"] for a in answers)


@pytest.mark.parametrize(
    "message",
    [
        "not json",
        "[]",
        {"op": "dance"},
        {"op": "search"},
        {"op": "search", "request": {"limit": "x"}},
        {"op": "open"},
    ],
)
def test_a_request_it_does_not_understand_is_answered_and_the_next_too(worker: Process, message: Any) -> None:
    worker.say(message)
    answer = worker.hear()
    assert answer["ok"] is False
    assert answer["title"]
    worker.say({"id": 9, "op": "ping"})
    assert worker.hear() == {"id": 9, "ok": True}


def test_it_sees_a_new_page_after_reopening(worker: Process, root: Path, tmp_path: Path) -> None:
    (root / "new.md").write_text("# New\n\npropeller\n", encoding="utf-8")
    update_index(root, "base", tmp_path / "ix", KnowledgeBaseConfig())
    worker.say(search(2, "propeller"), {"id": 3, "op": "reopen"})
    assert worker.hear()["answer"]["total"] == 0
    assert worker.hear()["documents"] == 6
    worker.say(search(4, "propeller"))
    assert worker.hear()["answer"]["hits"][0]["path"] == "new.md"


def test_characters_that_are_no_text_come_back_as_json(worker: Process) -> None:
    worker.say('{"id": 5, "op": "search", "request": {"text": "\\ud800 \\u0000 number1"}}')
    assert worker.hear()["answer"]["hits"][0]["path"] == "page1.md"


def test_side_questions_are_answered_beside_the_search(worker: Process) -> None:
    place = {"knowledge_base": "base", "path": "page3.md"}
    worker.say({"id": 1, "op": "count", "queries": ["turbine", "number3", "kind:fix"]})
    assert worker.hear() == {"id": 1, "ok": True, "totals": [5, 1, 0]}
    worker.say({"id": 2, "op": "compare", **place, "text": "first line\n12:00:01 turbine number3\n"})
    [match] = worker.hear()["matches"]
    assert (match["paste_line"], match["entry_line"], match["entry_text"]) == (2, 3, "turbine number3")
    worker.say({"id": 3, "op": "relations", **place})
    assert all(one["path"] != "page3.md" for one in worker.hear()["relations"])
    worker.say({"id": 4, "op": "compare", "path": "page3.md"})
    assert not worker.hear()["ok"]


def test_the_end_of_input_ends_it(worker: Process) -> None:
    assert worker.end() == 0


def test_before_a_base_is_open_it_says_so() -> None:
    process = Process("worker")
    process.say(search(1, "x"))
    assert process.hear()["ok"] is False
    assert process.end() == 0


def test_the_indexer_tells_progress_names_and_a_report(root: Path, tmp_path: Path) -> None:
    process = Process("index_worker")
    process.say({"bases": [{"name": "base", "root": str(root), "folder": str(tmp_path / "ix")}]})
    events: list[dict[str, Any]] = []
    while not events or events[-1]["event"] != "done":
        events.append(process.hear())
    assert process.end() == 0
    kinds = [event["event"] for event in events]
    assert kinds.index("names") < kinds.index("report") < kinds.index("done")
    report = next(event["report"] for event in events if event["event"] == "report")
    assert report["pages"] == report["added"] == 5
    assert {event["phase"] for event in events if event["event"] == "progress"} >= {"names", "pages"}


def test_one_base_that_fails_does_not_keep_the_others_from_being_indexed(root: Path, tmp_path: Path) -> None:
    process = Process("index_worker")
    bases = [
        {"name": "lost", "root": str(tmp_path / "lost"), "folder": str(tmp_path / "ix0")},
        {"name": "inside", "root": str(root), "folder": str(root / "ix")},
        {"name": "base", "root": str(root), "folder": str(tmp_path / "ix")},
    ]
    process.say({"bases": bases})
    events: list[dict[str, Any]] = []
    while not events or events[-1]["event"] != "done":
        events.append(process.hear())
    process.end()
    assert [(e["event"], e["base"]) for e in events if e["event"] in ("failed", "report")] == [
        ("failed", "lost"),
        ("failed", "inside"),
        ("report", "base"),
    ]


def test_the_indexer_stops_at_the_end_of_input_and_keeps_what_it_did(tmp_path: Path) -> None:
    root = tmp_path / "many"
    root.mkdir()
    for number in range(1_200):
        (root / f"page{number}.md").write_text(
            f"# Page {number}\n\n" + "turbine word " * 80, encoding="utf-8"
        )
    process = Process("index_worker")
    process.say({"bases": [{"name": "many", "root": str(root), "folder": str(tmp_path / "ix")}]})
    while process.hear()["event"] != "names":
        pass
    assert process.child.stdin is not None
    process.child.stdin.close()
    events = process.hear_all()
    assert process.end() == 0
    assert events[-1] == {"event": "done", "cancelled": True}
    done = next(e["report"]["pages"] for e in events if e["event"] == "report")
    assert done < 1_200
    report = update_index(root, "many", tmp_path / "ix", KnowledgeBaseConfig())
    assert report.pages == 1_200
    assert report.added == 1_200 - done
