"""The command line as scripts use it: real folders, real indexes, one process a command."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kb_app.cli.main import main, parser

Run = Callable[..., tuple[int, str, str]]

ENTRY = """---
kind: known-fix
product: gateway
component: lease
state: verified
alerts: [GatewayLeaseLost]
signatures: ["lease lost while renewing"]
---
# Requests fail after the lease was lost
## Symptoms
Clients see `E4711: lease lost while renewing` for minutes.
## Mitigation: drain the cell
- Time: 5m
- Risk: low
- Reversible: yes

1. Drain it.
   ```sh
   cellctl drain <cell>
   ```
   - Verify: errors stop.
   - Undo: `cellctl undrain <cell>`
## Fix forward: restart the lease keeper
- Time: 2m
- Risk: low
- Reversible: yes

1. Restart it.
   ```sh
   systemctl restart lease-keeper
   ```
   - Verify: the lease is held again.
   - Undo: start the old version.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "ops"
    (root / "gateway").mkdir(parents=True)
    (root / "gateway" / "lease-lost.md").write_text(ENTRY)
    for number in range(8):
        (root / "gateway" / f"other-{number}.md").write_text(
            f"# Topic {number}\n\nThe disk of shard {number} fills with old segments.\n"
        )
    return root


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*words: str, paste: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(paste))
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_words_find_the_entry_with_every_field_of_the_contract(run: Run, folder: Path) -> None:
    code, out, _ = run("--kb", str(folder), "search", "lease", "lost", "--json")
    answer = json.loads(out)
    assert code == 0
    assert {"query", "mode", "verdict", "took_ms", "total", "hits", "facets", "suggestion"} <= set(answer)
    (first, *_) = answer["hits"]
    wanted = "id path title kind product component state score why snippet has"
    assert set(wanted.split()) <= set(first)
    assert (first["path"], first["kind"]) == ("gateway/lease-lost.md", "known-fix")
    assert set(first["has"]) >= {"mitigation", "fix"}


def test_global_options_are_taken_after_the_verb_too(run: Run, folder: Path) -> None:
    before = json.loads(run("--json", "--kb", str(folder), "search", "lease")[1])
    after = json.loads(run("search", "lease", "--json", "--kb", str(folder))[1])
    assert [h["path"] for h in before["hits"]] == [h["path"] for h in after["hits"]] != []


def test_an_alert_name_and_a_paste_find_it_too(run: Run, folder: Path) -> None:
    alert = json.loads(run("--kb", str(folder), "--json", "search", "GatewayLeaseLost")[1])
    assert (alert["mode"], alert["hits"][0]["path"]) == ("alert", "gateway/lease-lost.md")
    log = "\n".join(
        f"2025-06-01T02:11:{n:02}Z cell-7 E4711: lease lost while renewing id={n}" for n in range(40)
    )
    pasted = json.loads(run("--kb", str(folder), "--json", "search", paste=log)[1])
    assert (pasted["mode"], pasted["hits"][0]["path"]) == ("paste", "gateway/lease-lost.md")


def test_nothing_found_is_said_and_exits_1(run: Run, folder: Path) -> None:
    code, out, _ = run("--kb", str(folder), "search", "zymurgy", "quokka")
    assert code == 1
    assert "No known fix" in out


def test_the_index_is_incremental_and_reports(run: Run, folder: Path) -> None:
    first = json.loads(run("--kb", str(folder), "--json", "index")[1])
    (folder / "new.md").write_text("# A new page\n\nabout quasars\n")
    second = json.loads(run("--kb", str(folder), "--json", "index")[1])
    assert (first["pages"], second["pages"]) == (9, 10)
    assert second["bases"][0]["added"] == 1
    assert json.loads(run("--kb", str(folder), "--json", "search", "quasars")[1])["total"] == 1


def test_show_gives_inferred_fields_paths_and_plan(run: Run, folder: Path) -> None:
    code, out, _ = run("--kb", str(folder), "show", "lease-lost", "--as", "json")
    shown = json.loads(out)
    assert code == 0
    assert shown["title"] == "Requests fail after the lease was lost"
    (mitigation,) = shown["plan"]["mitigations"]
    assert mitigation["path"]["steps"][0]["commands"][0]["text"] == "cellctl drain <cell>"
    assert mitigation["path"]["attributes"]["time"]["high_minutes"] == 5
    text = run("--kb", str(folder), "show", "gateway/lease-lost.md")[1]
    assert "Mitigate" in text
    assert "Fix forward" in text
    assert "<h1" in run("--kb", str(folder), "show", "lease-lost", "--as", "html")[1]


def test_lint_lists_its_rules_with_what_to_do(run: Run) -> None:
    code, out, _ = run("lint", "--rules", "--json")
    rules = {rule["code"]: rule for rule in json.loads(out)}
    assert code == 0
    assert rules["setting-not-loaded"]["severity"] == "warning"
    code, out, _ = run("lint", "--rules")
    assert len(out.splitlines()) == len(rules)
    assert all(rule["fix"] in out for rule in rules.values())


def test_lint_lists_an_entry_without_a_path_and_exits_1(run: Run, folder: Path) -> None:
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "ShardFull.md").write_text("# ShardFull\n\n## Meaning\n\nA shard is full.\n")
    code, out, _ = run("--kb", str(folder), "lint", "--json")
    findings = json.loads(out)
    assert code == 1
    assert [f["code"] for f in findings if f["path"] == "runbooks/ShardFull.md" and "path" in f["code"]]
    assert {"code", "severity", "path", "line", "message", "fix"} <= set(findings[0])
    assert not [f for f in findings if f["path"] == "gateway/lease-lost.md" and f["severity"] == "error"]


def test_eval_scores_judged_queries_and_writes_the_run(run: Run, folder: Path, tmp_path: Path) -> None:
    relevant = [{"path": "gateway/lease-lost.md", "grade": 3}]
    rows = [
        {"id": "q1", "corpus": "ops", "query": "lease lost", "kind": "symptom", "relevant": relevant},
        {"id": "q2", "corpus": "ops", "query": "GatewayLeaseLost", "kind": "alert", "relevant": relevant},
    ]
    queries, ranking = tmp_path / "q.jsonl", tmp_path / "run.jsonl"
    queries.write_text("\n".join(map(json.dumps, rows)))
    code, out, _ = run("--kb", str(folder), "eval", str(queries), "--run", str(ranking), "--json")
    figures = json.loads(out)
    assert code == 0
    assert figures["overall"]["nDCG@10"] == pytest.approx(1.0)
    ranked = [json.loads(line) for line in ranking.read_text().splitlines()]
    assert [(r["id"], r["ranked"][0]) for r in ranked] == [
        ("q1", relevant[0]["path"]),
        ("q2", relevant[0]["path"]),
    ]
    assert all(r["took_ms"] > 0 for r in ranked)


def test_knowledge_bases_are_added_listed_searched_and_forgotten(run: Run, folder: Path) -> None:
    assert run("add", str(folder), "--name", "team")[0] == 0
    rows = json.loads(run("list", "--json")[1])
    assert [(r["name"], r["state"]) for r in rows] == [("team", "open")]
    assert json.loads(run("search", "lease", "--json", "--kb", "team")[1])["total"] >= 1
    assert run("remove", "team")[0] == 0
    assert run("remove", "team")[0] == 1
    assert (folder / "gateway/lease-lost.md").read_text() == ENTRY


def test_decide_answers_the_worked_cases_one_by_one_and_as_a_list(run: Run, root: Path) -> None:
    cases = json.loads((root / "tests/data/decision-cases.json").read_text())
    advices = json.loads(run("decide", paste=json.dumps(cases))[1])
    for case, advice in zip(cases, advices, strict=True):
        assert {key: advice[key] for key in case["expect"]} == case["expect"], case["title"]
    assert json.loads(run("decide", paste=json.dumps(cases[0]))[1]) == advices[0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["search", "x", "--kb", "/no/such/folder"], 3),
        (["search", "x", "--kb", "no-such-name"], 2),
        (["search"], 2),
        (["search", "x", "--limit", "0"], 2),
        (["show", "no-such-entry"], 1),
        (["eval", "/no/such/file.jsonl"], 3),
        (["decide", "/no/such/file.json"], 2),
        (["add", "ext::sh -c true"], 2),
        (["sync", "--kb", "no-such-name"], 2),
        (["propose", "a.md", "--title", "x", "--kb", "no-such-name"], 2),
        (["no-such-verb"], 2),
    ],
)
def test_what_is_wrong_gets_one_sentence_and_its_exit_code(run: Run, words: list[str], code: int) -> None:
    got, out, err = run(*words)
    assert got == code
    assert out == ""
    assert err.startswith("kb: ")
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) == 1


def test_every_command_has_help() -> None:
    actions = [a for a in parser()._actions if hasattr(a, "choices") and isinstance(a.choices, dict)]
    for name, verb in actions[0].choices.items():
        assert verb.description, name
    helped = {a.dest for a in actions[0]._choices_actions if a.help}
    assert helped == set(actions[0].choices)


def test_reading_searching_and_checking_change_no_byte(run: Run, folder: Path) -> None:
    def picture() -> dict[str, tuple[str, int]]:
        return {
            p.relative_to(folder).as_posix(): (
                hashlib.sha256(p.read_bytes()).hexdigest(),
                p.stat().st_mtime_ns,
            )
            for p in folder.rglob("*")
            if p.is_file()
        }

    before = picture()
    for words in (
        ["search", "lease"],
        ["index"],
        ["lint"],
        ["show", "lease-lost"],
        ["show", "lease-lost", "--as", "html"],
    ):
        run("--kb", str(folder), *words)
    assert picture() == before


def test_the_program_runs_from_any_folder_as_a_process(root: Path, folder: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kb_app", "--kb", str(folder), "--json", "search", "-"],
        input="E4711: lease lost while renewing",
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hits"][0]["path"] == "gateway/lease-lost.md"


def test_doctor_reports_versions_folders_and_a_self_test(run: Run) -> None:
    code, out, _ = run("doctor", "--json")
    report = json.loads(out)
    assert code == 0, [c for c in report["checks"] if not c["is_well"]]
    assert {"kb_app", "Python", "git", "self-test", "folder data"} <= {c["name"] for c in report["checks"]}
