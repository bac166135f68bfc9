"""What follows an action, from the command line: every use case has its verb, and speaks JSON."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kb_app.cli.main import main
from kb_app.decision.policy import blob_id
from kb_app.incidents.sample_incident import SampleIncident, write_sample_incident

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        code = main(words)
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "policy.yml").write_text("push_when_down: review-after\npost_review: {due: 24h}\n")
    (folder / "a.md").write_text("# A\n")
    return folder


@pytest.fixture
def sample(tmp_path: Path, knowledge: Path) -> SampleIncident:
    policy = blob_id((knowledge / "policy.yml").read_bytes())
    (tmp_path / "records").mkdir()
    return write_sample_incident(tmp_path / "records", policy=policy, is_reviewed=False, is_closed=False)


@pytest.fixture
def kb(run: Run, tmp_path: Path, sample: SampleIncident) -> Callable[..., tuple[int, object]]:
    def call(do: str, *words: str, by: str = "carla@example.com") -> tuple[int, object]:
        records = str(tmp_path / "records")
        code, out, err = run("--json", "incident", do, sample.id, "--records", records, "--by", by, *words)
        return code, json.loads(out) if out else err

    return call


def test_a_record_is_shown_with_corrections_beside_the_originals(kb) -> None:
    code, shown = kb("show")
    assert code == 0
    assert shown["status"] == "fixed"
    [corrected] = [row for row in shown["events"] if row["corrected"]]
    assert corrected["was"] == "Fixed: pg_wal at 58 % and falling"
    assert corrected["text"].startswith("Fixed: pg_wal at 12 %")
    assert [row["type"] for row in shown["events"] if row["late"]] == ["note"]


def test_a_reviewer_sees_the_policy_then_in_force_and_the_deployer_is_refused(
    run: Run, tmp_path: Path, knowledge: Path, sample: SampleIncident
) -> None:
    base = ("incident", "case", sample.id, "--change", sample.change, "--records", str(tmp_path / "records"))
    code, out, _ = run("--json", "--kb", str(knowledge), *base, "--by", "carla@example.com")
    case = json.loads(out)
    assert code == 0
    assert case["may_review"] is True
    assert case["policy_text"].startswith("push_when_down: review-after")
    assert case["review"] == "after"
    code, out, _ = run("--json", "--kb", str(knowledge), *base, "--by", sample.deployer)
    assert code == 1
    assert "deployer" in json.loads(out)["why_not"]
    (knowledge / "policy.yml").write_text("push_when_down: review-first\n")
    text = run("--kb", str(knowledge), *base, "--by", "carla@example.com")[1]
    assert "is in none of the open knowledge bases" in text


def test_every_event_of_the_aftermath_has_its_verb(kb) -> None:
    assert kb("note", "--note", "watching", "--audience", "public")[0] == 0
    assert kb("ticket", "--note", "OPS-4712")[0] == 0
    assert kb("mitigated", "--signal", "error rate at zero")[0] == 0
    assert kb("fixed", "--note", "no slot is left")[0] == 0
    assert kb("handover", "--to", "dmitri", "--note", "watch pg_wal")[0] == 0
    followup = ("--kind", "fix", "--owner", "ben", "--due", "2025-06-20", "--note", "set the cap")
    assert kb("followup", *followup)[0] == 0
    assert kb("done", "--kind", "fix", "--url", "https://git.example.com/pg/-/merge_requests/7")[0] == 0
    _, shown = kb("show")
    texts = [row["text"] for row in shown["events"]]
    assert "Ticket OPS-4712" in texts
    assert any(text.startswith("Closed follow-up: fix") for text in texts)
    assert shown["ticket"] == "OPS-4712"


def test_what_is_missing_is_said(kb) -> None:
    code, error = kb("done", "--kind", "remove-mitigation")
    assert code == 2
    assert "What shows that the mitigation is gone?" in error
    assert kb("done", "--kind", "fix")[0] == 2
    assert kb("followup", "--kind", "fix")[0] == 2
    assert kb("followup", "--kind", "fix", "--owner", "ben", "--due", "soon")[0] == 2
    assert kb("handover")[0] == 2
    assert kb("correct", "--event", "zzz:9", "--note", "why")[0] == 2


def test_an_event_is_corrected_and_the_original_stays(kb) -> None:
    _, shown = kb("show")
    note = next(row for row in shown["events"] if row["type"] == "note")
    data = json.dumps({"text": "storage team raised the quota by 60 GB"})
    words = ("--event", note["event"], "--data", data)
    assert kb("correct", *words)[0] == 2, "a correction needs a reason"
    assert kb("correct", *words, "--note", "it was 60")[0] == 0
    _, shown = kb("show")
    again = next(row for row in shown["events"] if row["event"] == note["event"])
    assert again["text"].endswith("60 GB")
    assert again["was"] == note["text"]


def test_closing_needs_the_knowledge_step_and_then_a_reason(kb) -> None:
    code, rows = kb("blockers")
    assert code == 1
    assert {row["closing"] for row in rows} == {"must", "needs a reason"}
    assert kb("close", "--note", "later")[0] == 2
    assert kb("knowledge", "--how", "fix", "--entry", "pg-inactive-slot-fills-wal")[0] == 0
    assert kb("close")[0] == 2
    assert kb("close", "--note", "the written review follows on Tuesday")[0] == 0
    assert kb("show")[1]["status"] == "closed"


def test_what_was_learned_is_an_entry(kb) -> None:
    _, learned = kb("learned")
    assert learned["kind"] == "known-fix"
    assert "df -h /var/lib/postgresql" in learned["text"]
    assert "- Time: 17m" in learned["text"]
