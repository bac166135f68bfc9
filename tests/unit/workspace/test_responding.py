from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from kb_app.decision.codec import Case
from kb_app.decision.model import Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.decision.record import differences
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Impact,
    PushWhenDown,
    Recommendation,
    Reversible,
    Review,
    Risk,
    Scope,
    Severity,
    Trend,
)
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.entries.reading import parse_entry
from kb_app.errors import UsageError
from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.runs import RunPlan, StepStatus
from kb_app.workspace import responding
from kb_app.workspace.deciding import decision_on
from kb_app.workspace.responding import Deployment, Opening

NIGHT = dt.datetime(2026, 3, 4, 2, 11, 9, tzinfo=dt.UTC)

# the plant is down, a migration dropped a column, and the fix is a patch for the same cell
PLANT_DOWN = Case(
    Incident(
        impact=Impact.DOWN,
        data_risk=DataRisk.NONE,
        trend=Trend.STABLE,
        scope=Scope.CELL,
        severity=Severity.SEV1,
        components=("checkout",),
    ),
    (PathInput(name="roll back", is_available=False, why="a migration dropped a column"),),
    (
        PathInput(
            name="patch",
            time_minutes=25.0,
            risk=Risk.MEDIUM,
            reversible=Reversible.YES,
            blast=Scope.CELL,
            confidence=Confidence.LIKELY,
        ),
    ),
)
POLICY = dataclasses.replace(DEFAULT_POLICY, revision="9b7e02cf4d1a68350b2fe7c89a61d04417e5ba32")


class Clock:
    def __init__(self) -> None:
        self.now = NIGHT

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> RecordBook:
    return RecordBook(tmp_path, JournalMaker("a1", "ana", clock))


def opened(book: RecordBook) -> str:
    return responding.open_incident(book, Opening("checkout down", "sev1", services=("checkout",))).state.id


def decided(book: RecordBook, name: str, case: Case = PLANT_DOWN, policy: Policy = POLICY) -> None:
    responding.take_decision(book, name, decision_on(case, policy, NIGHT), entry="checkout-down")


def test_an_incident_is_opened_from_the_entry_and_the_paste_stays_out() -> None:
    facts = "severity: sev2\nproduct: shop\ncomponent: checkout\nalerts: [CheckoutDown]"
    page = f"---\n{facts}\n---\n# Orders hang\n"
    entry = parse_entry("shop/checkout/orders.md", page.encode(), KnowledgeBaseConfig())
    opening = responding.opening_of(entry, "checkoutdown")
    assert opening.title == "Orders hang"
    assert (opening.severity, opening.alert, opening.services) == ("sev2", "CheckoutDown", ("checkout",))
    assert responding.opening_of(None, "  orders   hang ").title == "orders hang"
    assert responding.opening_of(None, alert="CheckoutDown").alert == "CheckoutDown"


def test_a_title_is_needed(book: RecordBook) -> None:
    with pytest.raises(UsageError, match="title"):
        responding.open_incident(book, Opening("  "))


def test_open_records_are_listed_the_newest_first_and_closed_ones_are_not(
    book: RecordBook, clock: Clock
) -> None:
    first = opened(book)
    clock.now += dt.timedelta(days=1)
    second = opened(book)
    assert [state.id for state in responding.open_incidents(book)] == [second, first]
    book.add(first, EventType.KNOWLEDGE, {"how": "link", "entry": "x"})
    book.close(first, reason="a test")
    assert [state.id for state in responding.open_incidents(book)] == [second]


def test_a_decision_is_kept_with_what_was_known_and_can_be_decided_again(book: RecordBook) -> None:
    name = opened(book)
    decision = decision_on(PLANT_DOWN, POLICY, NIGHT)
    change = responding.take_decision(book, name, decision, entry="checkout-down")
    assert [receipt.event.type for receipt in change.receipts] == ["impact", "decision"]
    event = change.state.decision
    assert event is not None
    assert (event.text("rule"), event.text("recommendation"), event.text("review")) == (
        "D4",
        "fix-forward",
        "after",
    )
    assert event.text("policy") == POLICY.revision
    assert event.text("entry") == "checkout-down"
    assert differences(event.data, POLICY) == ()
    stored = responding.stored_decision(change.state)
    assert stored is not None
    assert (stored.chosen, stored.entry) == (Recommendation.FIX_FORWARD, "checkout-down")
    assert stored.again(POLICY).advice == decision.advice
    assert change.problem == ""
    # what is known already is not said twice
    again = responding.take_decision(book, name, decision)
    assert [receipt.event.type for receipt in again.receipts] == ["decision"]


def test_choosing_otherwise_keeps_the_reason(book: RecordBook) -> None:
    name = opened(book)
    decision = decision_on(
        PLANT_DOWN, POLICY, NIGHT, chosen=Recommendation.ESCALATE, reason="the owner is on the call"
    )
    state = responding.take_decision(book, name, decision).state
    assert state.chosen == "escalate"
    stored = responding.stored_decision(state)
    assert stored is not None
    assert stored.reason == "the owner is on the call"
    assert responding.time_limit(state) is None


def test_a_normal_change_asks_for_no_record() -> None:
    minor = dataclasses.replace(PLANT_DOWN, incident=Incident(impact=Impact.MINOR, trend=Trend.STABLE))
    assert not responding.needs_record(decision_on(minor, POLICY, NIGHT))
    assert responding.needs_record(decision_on(PLANT_DOWN, POLICY, NIGHT))


def test_the_time_limit_is_that_of_the_record_and_ends_with_the_harm(book: RecordBook, clock: Clock) -> None:
    fast = dataclasses.replace(
        PLANT_DOWN,
        mitigations=(PathInput(name="roll back", time_minutes=40.0, approval="none"),),
        fixes=(dataclasses.replace(PLANT_DOWN.fixes[0], time_minutes=4.0),),
    )
    name = opened(book)
    decided(book, name, fast)
    limit = responding.time_limit(book.state(name))
    assert limit is not None
    assert (limit.began_at, limit.ends_at) == (NIGHT, NIGHT + dt.timedelta(minutes=8))
    assert limit.left(NIGHT + dt.timedelta(minutes=9)) == dt.timedelta(minutes=-1)
    clock.now += dt.timedelta(minutes=3)
    assert responding.time_limit(responding.mark_mitigated(book, name, "orders flow").state) is None


def test_a_change_id_is_known_by_its_look() -> None:
    for word in ("4f1c6ad", "shop/checkout!412", "!12", "acme/web#9", "CHG-1042", " 9b7e02cf4d1a6835 "):
        assert responding.change_in(word) == word.strip()
    assert responding.change_in("https://git.example.com/shop/-/merge_requests/7") != ""
    for text in (
        "",
        "defaced",
        "kubectl get pods",
        "ERROR 500",
        "https://example.com/",
        "a" * 400,
        "deadbeef\nx",
    ):
        assert responding.change_in(text) == ""


def test_down_and_safe_goes_out_by_the_standing_authority(book: RecordBook) -> None:
    name = opened(book)
    decided(book, name)
    terms = responding.terms_of(book.state(name), [POLICY], NIGHT.date())
    assert terms.review is Review.AFTER
    assert terms.authority == "standing, policy.yml @9b7e02c"
    change = responding.log_deployment(
        book, name, Deployment("4f1c6ad", "prod", service="checkout"), terms, NIGHT
    )
    (deploy,) = change.state.deploys
    assert (deploy.change, deploy.env, deploy.deployer) == ("4f1c6ad", "prod", "ana")
    assert deploy.review_due == NIGHT + dt.timedelta(hours=24)
    assert deploy.authority == terms.authority
    (review,) = (item for item in book.owed() if item.kind == "review")
    assert review.due == deploy.review_due
    assert not any(findings for findings in book.verify().values())


@pytest.mark.parametrize(
    ("live", "why"),
    [
        ({"data_risk": None}, "data is unknown"),
        ({"impact": None, "scope": None}, "impact and scope are unknown"),
        ({"impact": Impact.DEGRADED}, "degraded, not down"),
    ],
)
def test_a_value_that_becomes_unknown_takes_the_authority_back(
    book: RecordBook, live: dict[str, object], why: str
) -> None:
    name = opened(book)
    decided(book, name)
    now = dataclasses.replace(PLANT_DOWN, incident=dataclasses.replace(PLANT_DOWN.incident, **live))
    terms = responding.terms_of(book.state(name), [POLICY], NIGHT.date(), live=now)
    assert (terms.review, terms.authority, terms.review_within) == (Review.BEFORE, "", None)
    assert why in terms.why


def test_what_was_stated_since_the_decision_counts(book: RecordBook) -> None:
    name = opened(book)
    decided(book, name)
    change = responding.state_impact(
        book, name, dataclasses.replace(PLANT_DOWN.incident, impact=Impact.DEGRADED)
    )
    assert [receipt.event.data for receipt in change.receipts] == [{"impact": "degraded"}]
    assert responding.terms_of(change.state, [POLICY], NIGHT.date()).review is Review.BEFORE


def test_without_a_decision_or_with_another_policy_the_review_comes_first(book: RecordBook) -> None:
    name = opened(book)
    assert "decide first" in responding.terms_of(book.state(name), [POLICY], NIGHT.date()).why
    decided(book, name)
    careful = dataclasses.replace(POLICY, revision="other", push_when_down=PushWhenDown.REVIEW_FIRST)
    assert "policy has changed" in responding.terms_of(book.state(name), [careful], NIGHT.date()).why


def test_a_run_takes_over_what_was_ticked_before(book: RecordBook, clock: Clock) -> None:
    name = opened(book)
    plan = RunPlan("drain", "mitigation", ("look", "wait 10 min", "drain"), entry="e", blob="b")
    change = responding.start_run(book, name, plan, done=[1])
    (run,) = change.runs
    assert run.current is not None
    assert run.current.number == 2
    (run,) = responding.wait_on_step(book, name, run.run, 2, 10).runs
    clock.now += dt.timedelta(minutes=10)
    (run,) = responding.finish_waits(book, name).runs
    assert run.steps[1].status is StepStatus.PENDING
    (run,) = responding.mark_step(book, name, run.run, 2, StepStatus.FAILED, note="still full").runs
    (run,) = responding.undo_mark(book, name, run.run).runs
    assert run.current is not None
    (run,) = responding.note_copy(book, name, run.run, 3, "kubectl drain n1").runs
    assert run.steps[2].copied == ("kubectl drain n1",)
    with pytest.raises(UsageError, match="note"):
        responding.mark_step(book, name, run.run, 3, StepStatus.FAILED)
    (run,) = responding.end_run(book, name, run.run).runs
    assert [step.number for step in run.deferred] == [2, 3]


def test_a_ticket_is_linked_by_id_or_address(book: RecordBook) -> None:
    name = opened(book)
    assert responding.link_ticket(book, name, "SUP-7").state.ticket == "SUP-7"
    state = responding.link_ticket(book, name, "https://example.com/7").state
    assert (state.ticket, state.tracker) == ("SUP-7", "https://example.com/7")


def test_the_version_of_an_entry_is_its_git_blob_id(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"hello\n")
    assert responding.blob_of(tmp_path, "a.md") == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert responding.blob_of(tmp_path, "missing.md") == ""
    assert responding.blob_of(tmp_path, "../a.md") == ""


def test_notes_and_proof_reach_the_record(book: RecordBook) -> None:
    name = opened(book)
    responding.write_note(book, name, " seen on two nodes ", audience="public")
    responding.mark_fixed(book, name, "no error for 10 min")
    state = responding.entry_used(book, name, "orders", "worked", blob="abc", is_known=True).state
    assert [m.data.type for m in state.moments] == ["opened", "note", "fixed", "entry-used"]
    assert state.status == "fixed"
