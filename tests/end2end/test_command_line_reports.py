"""``kb report`` and ``kb verify`` as a user types them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kb_app.gitstore.runner import GitRunner, find_git
from kb_app.paths import app_folders
from kb_app.settings import load_settings, save_settings
from kb_app.workspace.sample_records import write_sample_records

RULES = """groups:
  - name: x
    rules:
      - alert: RedisDown
        expr: up == 0
      - alert: "NobodyKnowsThis"
        expr: '{{ $value }}'
"""
ENTRY = """---
kind: runbook
alerts: [RedisDown, Renamed]
reviewed: 2020-01-01
---
# Redis is down

## Symptoms
Nothing answers.

## Mitigation: restart
1. Restart it. See [more](gone.md).
"""
EMPTY = "---\nkind: runbook\n---\n# No way out\n\nText.\n"


def kb(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kb_app", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"NO_COLOR": "1"},
        check=False,
        timeout=120,
    )


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "redis-down.md").write_text(ENTRY)
    (folder / "nothing.md").write_text(EMPTY)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULES)
    return folder


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("sample") / "year"
    write_sample_records(top, GitRunner(find_git(), top.parent / "private"))
    return top


def sheets(name: str, base: Path) -> dict[str, list[dict[str, str]]]:
    rules = ("--rules", str(base.parent / "rules"))
    done = kb("report", name, "--kb", str(base), *rules, "--json")
    assert done.returncode == 0, done.stderr
    return {sheet["title"]: sheet["rows"] for sheet in json.loads(done.stdout)["sheets"]}


def test_gaps_name_alerts_without_entry_and_entries_without_path(base: Path) -> None:
    found = sheets("gaps", base)
    assert found["Alerts without an entry"] == [{"alert": "NobodyKnowsThis", "from": "a.yaml:6"}]
    assert [row["path"] for row in found["Entries without a path"]] == ["nothing.md"]


def test_gaps_name_closed_incidents_where_no_entry_helped(base: Path) -> None:
    opened = kb("incident", "open", "--data", '{"title": "odd", "alert": "OddAlert"}', "--json")
    name = json.loads(opened.stdout)["record"]
    knowledge = '{"how": "add", "entry": "odd"}'
    assert kb("incident", "add", name, "--type", "knowledge", "--data", knowledge).returncode == 0
    assert kb("incident", "close", name).returncode == 0
    found = sheets("gaps", base)
    assert [row["incident"] for row in found["Closed incidents where no entry helped"]] == [name]
    assert {"alert": "OddAlert", "from": f"record {name}"} in found["Alerts without an entry"]


def test_coverage_compares_both_ways(base: Path) -> None:
    found = sheets("coverage", base)
    rows = {row["alert"]: row for row in found["Alerts and their entries"]}
    assert rows["RedisDown"]["entries"] == "redis-down.md"
    assert (rows["RedisDown"]["mitigation"], rows["RedisDown"]["fix"]) == ("yes", "no")
    assert rows["NobodyKnowsThis"]["entries"] == "none"
    assert [row["alert"] for row in found["Entries for alerts that no rule defines"]] == ["Renamed"]


def test_coverage_without_rules_says_what_it_needs(base: Path) -> None:
    done = kb("report", "coverage", "--kb", str(base))
    assert done.returncode == 2
    assert "--rules" in done.stderr


def test_health_finds_what_is_stale_and_links_that_lead_nowhere(base: Path) -> None:
    done = kb("report", "health", "--kb", str(base), "--as-of", "2026-01-01", "--json")
    found = {sheet["title"]: sheet["rows"] for sheet in json.loads(done.stdout)["sheets"]}
    assert [row["path"] for row in found["Not confirmed in time"]] == ["redis-down.md"]
    assert [row["place"] for row in found["Links that lead nowhere"]] == ["redis-down.md:12"]
    lines = {row["line"]: row["kept by"] for row in found["Checklist"]}
    assert lines["symptoms in users' words"] == "1"
    assert lines["an owner"] == "0"


@pytest.mark.parametrize("form", ["text", "csv", "markdown", "html", "json"])
@pytest.mark.parametrize("name", ["gaps", "coverage", "health"])
def test_every_form_names_what_was_found(base: Path, name: str, form: str) -> None:
    rules = ("--rules", str(base.parent / "rules"))
    done = kb("report", name, "--kb", str(base), *rules, "--form", form)
    assert done.returncode == 0, done.stderr
    assert "redis-down.md" in done.stdout or name == "gaps"
    if form == "html":
        assert "<script" not in done.stdout
        assert "default-src 'none'" in done.stdout


def test_conformance_of_a_repository_is_the_same_twice_and_prints_as_one_page(year: Path) -> None:
    words = (
        "report",
        "conformance",
        "--records",
        str(year),
        "--period",
        "2025",
        "--seed",
        "7",
        "--form",
        "html",
    )
    first, second = kb(*words), kb(*words)
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert first.stdout.count("<svg") > 3
    assert "policy: review within a day, add ledger" in first.stdout
    assert str(year) not in first.stdout


def test_conformance_reconciles_with_a_list_in_the_repository(year: Path) -> None:
    words = ("report", "conformance", "--records", str(year), "--period", "2025", "--form", "csv")
    rows = list(csv.DictReader(io.StringIO(kb(*words, "--deploys", str(year / "deploys.csv")).stdout)))
    assert [row["why"] for row in rows if not row["incident_id"]] == [
        "deployed without a review and without a record (found in the deploy list)"
    ]


def test_verify_says_what_it_compared_with_and_finds_a_removed_record(year: Path, tmp_path: Path) -> None:
    done = kb("verify", "--records", str(year))
    assert done.returncode == 0
    assert "compared with" in done.stdout
    top = tmp_path / "copy"
    subprocess.run(["git", "clone", "-q", str(year), str(top)], check=True)
    victim = sorted((top / "incidents").glob("*/*"))[3]
    subprocess.run(["git", "-C", str(top), "rm", "-rq", str(victim)], check=True)
    gone = kb("verify", "--records", str(top), "--json")
    assert gone.returncode == 1
    told = json.loads(gone.stdout)
    assert [(f["code"], f["record"]) for f in told["findings"] if f["severity"] == "error"] == [
        ("record-removed", victim.relative_to(top).as_posix())
    ]


def test_records_are_exchanged_with_a_remote_on_request_only(tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(remote)], check=True)
    assert kb("incident", "open", "--data", '{"title": "odd"}').returncode == 0
    unset = kb("incident", "sync")
    assert unset.returncode == 2
    assert "records_remote" in unset.stderr
    folders = app_folders()
    save_settings(folders, replace(load_settings(folders), records_remote=str(remote)))
    done = kb("incident", "sync")
    assert done.returncode == 0, done.stderr
    assert "ours were sent" in done.stdout
    assert kb("verify", "--records", str(remote)).returncode == 0
    assert "nothing had to be sent" in kb("incident", "sync").stdout
