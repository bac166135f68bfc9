"""A decision that is missing is weighed afterwards and recorded as a late entry."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kb_app.decision.values import Impact, Recommendation, Rule
from kb_app.errors import UsageError
from kb_app.incidents.book import RecordBook
from kb_app.incidents.duties import OwedKind, owed
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.markup import describe
from kb_app.incidents.sample_incident import StoryClock
from kb_app.paths import app_folders
from kb_app.workspace.bases import open_base
from kb_app.workspace.finding import bring_up_to_date
from kb_app.workspace.late_decisions import late_case, store_late
from kb_app.workspace.proving import Question, prove
from kb_app.workspace.record_checks import place_of

OPENED = dt.datetime(2025, 6, 1, 2, 0, tzinfo=dt.UTC)


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock(OPENED)


@pytest.fixture
def book(tmp_path: Path, clock: StoryClock) -> RecordBook:
    return RecordBook(tmp_path / "records", JournalMaker("a1", "ana", clock))


@pytest.fixture
def name(book: RecordBook, clock: StoryClock) -> str:
    name = book.open({"title": "checkout is down", "severity": "sev1"}).place.id
    clock.move(5)
    book.add(name, EventType.IMPACT, {"impact": "down", "data": "none", "scope": "global"})
    clock.move(5)
    deploy = {"change": "abc123", "env": "production", "author": "ben", "deployer": "ana", "way": "fix"}
    book.add(name, EventType.DEPLOY, deploy)
    clock.move(5)
    book.add(name, EventType.IMPACT, {"impact": "minor"})
    clock.move(60 * 20)
    return name


def test_it_is_weighed_by_what_was_stated_until_the_deployment(book: RecordBook, name: str) -> None:
    late = late_case(book, name, "abc123", ())
    assert late.case.incident.impact is Impact.DOWN  # minor came later
    assert late.chosen is Recommendation.FIX_FORWARD
    assert [path.name for path in late.case.fixes] == ["the change abc123"]
    assert late.advice.rule is Rule.D4
    with pytest.raises(UsageError, match="no deployment"):
        late_case(book, name, "fff", ())


def test_it_is_a_late_entry_with_its_reason_and_never_passes_for_one_in_time(
    book: RecordBook, name: str, clock: StoryClock
) -> None:
    [missing] = [item for item in owed(book.state(name), clock.now) if item.kind is OwedKind.DECISION]
    assert missing.change == "abc123"
    late = late_case(book, name, missing.change, ())
    with pytest.raises(UsageError, match="needs a reason"):
        store_late(book, late, chosen=late.chosen, late_reason=" ")
    with pytest.raises(UsageError, match="future"):
        store_late(book, late, chosen=late.chosen, late_reason="x", at=clock.now + dt.timedelta(hours=1))
    with pytest.raises(UsageError, match="otherwise"):
        store_late(book, late, chosen=Recommendation.CONTAIN, late_reason="x")
    assert not book.state(name).decisions
    state = store_late(book, late, chosen=late.chosen, late_reason="the app was\noffline").state
    [event] = state.decisions
    assert event.at == late.deploy.at
    assert event.is_late
    assert "written down afterwards: the app was offline" in describe(event)
    assert state.impact == "minor"  # what is stated now is left alone
    assert not [item for item in owed(state, clock.now) if item.kind is OwedKind.DECISION]
    book.review(name, "abc123", "pass", reviewer="carla")
    question = Question(OPENED, OPENED + dt.timedelta(days=1))
    proof = prove(app_folders(), place_of(book.root), question, now=clock.now)
    [row] = proof.report.rows
    assert row.verdict == "late"
    assert "the decision was written down after the deployment" in row.why
    assert row.late_entries == "1"


def test_the_entry_that_was_used_gives_its_paths_and_its_policy(
    book: RecordBook, name: str, tmp_path: Path
) -> None:
    root = tmp_path / "kb"
    root.mkdir()
    (root / "policy.yml").write_text("push_when_down: review-after\n")
    steps = "# Slot\n\n## Mitigation\n1. Drain it.\n\n## Fix forward\n1. Raise the limit.\n"
    (root / "slot.md").write_text(steps)
    base = open_base(root, app_folders())
    bring_up_to_date(base)
    book.add(name, EventType.ENTRY_USED, {"entry": "slot", "result": "worked"})
    late = late_case(book, name, "abc123", [(base.root, base.index_folder, base.config)])
    assert late.entry == "slot"
    assert late.policy.revision != "default"
    assert late.case.mitigations
    state = store_late(
        book, late, chosen=Recommendation.CONTAIN, reason="both were ready", late_reason="nobody had time"
    ).state
    assert state.decisions[0].text("entry") == "slot"
    assert state.overrides[0].text("reason") == "both were ready"
    assert state.overrides[0].at == late.deploy.at
