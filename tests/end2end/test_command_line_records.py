"""Records of incidents from the command line: written, checked, owed, exported, reported."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kb_app.cli.main import main
from kb_app.incidents.sample_year import write_sample_year

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture(scope="module")
def written_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("year")
    write_sample_year(root)
    return root


@pytest.fixture
def year(written_year: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written_year, tmp_path / "year")


def test_a_record_is_opened_written_to_checked_and_exported(run: Run) -> None:
    data = json.dumps({"title": "checkout answers 503", "severity": "sev2"})
    opened = json.loads(run("--json", "incident", "open", "--data", data, "--by", "ana@example.com")[1])
    assert opened["seq"] == 1
    name = opened["record"]
    note = json.dumps({"text": "rolled back release 41"})
    assert run("incident", "add", name, "--type", "note", "--data", note)[0] == 0
    assert run("verify")[0] == 0
    exported = run("incident", "export", name[-4:], "--what", "timeline", "--form", "jira")[1]
    assert "rolled back release 41" in exported
    assert "ana@example.com" in exported
    assert [row["id"] for row in json.loads(run("incident", "list", "--json")[1])] == [name]


def test_an_edited_record_is_found_with_its_place(run: Run, year: Path) -> None:
    assert run("verify", "--records", str(year))[0] == 0
    file = sorted(year.glob("incidents/*/*/events/*.jsonl"))[3]
    file.write_bytes(file.read_bytes().replace(b"e", b"3", 1))
    code, out, _ = run("verify", "--records", str(year), "--json")
    findings = json.loads(out)["findings"]
    assert code == 1
    assert {f["file"] for f in findings} >= {f"events/{file.name}"}
    broken = {f["record"].split("/")[-1] for f in findings if f["severity"] == "error"}
    assert broken == {file.parents[1].name}


@pytest.mark.parametrize("form", ["csv", "markdown", "html", "json"])
def test_the_conformance_report_of_the_same_records_has_the_same_bytes(
    run: Run, year: Path, form: str
) -> None:
    words = ("report", "conformance", "--records", str(year), "--period", "2025", "--as-of", "2025-12-31")
    first, second = (run(*words, "--form", form, "--seed", "7") for _ in range(2))
    assert first == second
    assert first[0] == 0
    assert "conforms" in first[1]


def test_what_is_owed_names_owner_and_time(run: Run, year: Path) -> None:
    rows = json.loads(run("incident", "owed", "--records", str(year), "--json")[1])
    assert rows
    assert {"incident", "kind", "text", "owner", "due"} == set(rows[0])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["incident", "add", "nothing", "--type", "note"], 2),
        (["incident", "add"], 2),
        (["incident", "open", "--data", "{"], 2),
        (["incident", "open", "--data", "[]"], 2),
        (["verify", "--records", "/no/such/folder"], 3),
        (["report", "conformance", "--period", "soon"], 2),
        (["report", "conformance", "--deploys", "/no/such.csv"], 3),
    ],
)
def test_what_is_wrong_gets_one_sentence(run: Run, words: list[str], code: int) -> None:
    got, out, err = run(*words)
    assert (got, out) == (code, "")
    assert err.startswith("kb: ")
    assert len(err.strip().splitlines()) == 1
