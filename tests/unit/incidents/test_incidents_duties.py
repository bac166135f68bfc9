import datetime as dt
import random

import pytest

from kb_app.errors import UsageError
from kb_app.incidents.duties import (
    OwedKind,
    close,
    closing_blockers,
    may_review,
    overdue,
    owed,
    owed_everywhere,
    record_review,
    same_person,
)
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker, open_record
from kb_app.incidents.timeline import read_state

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        self.now += dt.timedelta(seconds=10)
        return self.now


class Record:
    """A record that is written in a few words."""

    def __init__(self, root, **opened):
        self.clock = Clock()
        maker = JournalMaker("a1", "ana", self.clock)
        data = {"title": "checkout down", "severity": "sev2", "lead": "lea"} | opened
        self.place = open_record(root, maker, data, source=random.Random(3))
        self.log = maker(self.place.folder)

    def add(self, kind, /, **data):
        return self.log.append(EventType(kind), data)

    def decide(self, recommendation, **more):
        rule = {"fix-forward": "D4", "mitigate-then-fix": "D8", "normal-change": "D2"}[recommendation]
        data = {"inputs": {}, "rule": rule, "recommendation": recommendation, "policy": "abc"}
        return self.add("decision", **(data | more))

    def owed(self, later=HOUR):
        return owed(read_state(self.place.folder), self.clock.now + later)

    def kinds(self, later=HOUR):
        return [item.kind for item in self.owed(later)]


@pytest.fixture
def record(tmp_path):
    return Record(tmp_path)


def push(record, **more):
    record.add("impact", impact="down", data="none", trend="stable", scope="cell")
    record.decide("fix-forward", review="after", vrule="V2", review_due_minutes=1440)
    data = {"change": "abc123", "env": "prod", "review": "after", "author": "aron@example.com"}
    record.add("deploy", **(data | more))


def test_a_push_owes_its_review_within_the_policys_time(record):
    push(record)
    (review,) = [item for item in record.owed() if item.kind is OwedKind.REVIEW]
    assert review.due == read_state(record.place.folder).deploys[0].at + 24 * HOUR
    assert "not by aron@example.com, ana" in review.text
    assert not review.is_overdue(record.clock.now + 23 * HOUR)
    assert review.is_overdue(record.clock.now + 25 * HOUR)


@pytest.mark.parametrize(
    ("person", "role"),
    [
        ("aron@example.com", "author"),
        ("@aron", "author"),
        ("Ana", "deployer"),
        ("ana@example.com", "deployer"),
    ],
)
def test_author_and_deployer_may_not_review_and_are_told_why(record, person, role):
    push(record)
    state = read_state(record.place.folder)
    answer = may_review(state, state.deploys[0], person)
    assert not answer.is_allowed
    assert role in answer.reason
    with pytest.raises(UsageError, match=role):
        record_review(record.log, "abc123", person, "pass")
    record_review(record.log, "abc123", person, "pass", is_forced=True)
    assert OwedKind.REVIEW in record.kinds()


def test_an_independent_review_settles_it(record):
    push(record)
    record_review(record.log, "abc123", "ben", "pass")
    assert OwedKind.REVIEW not in record.kinds()


def test_the_policy_may_bar_the_lead_and_the_approver_too(record):
    record.decide("fix-forward", independent_of=["author", "deployer", "lead", "approver"])
    record.add("approval", who="otto", how="verbal")
    record.add("deploy", change="c", env="prod", author="aron", deployer="dora")
    state = read_state(record.place.folder)
    allowed = {
        p: may_review(state, state.deploys[0], p).is_allowed for p in ("lea", "otto", "dora", "ana", "")
    }
    assert allowed == {"lea": False, "otto": False, "dora": False, "ana": True, "": False}


def test_a_review_that_asks_for_more_owes_more(record):
    push(record)
    record_review(record.log, "abc123", "ben", "pass-with-followup")
    assert OwedKind.ASSIGN in record.kinds()
    record.add("followup", state="opened", kind="prevent", owner="ana", due="2025-07-01T00:00:00Z")
    assert OwedKind.ASSIGN not in record.kinds()
    record_review(record.log, "abc123", "ben", "revert")
    assert OwedKind.ASSIGN not in record.kinds(), "the first review counts"


def test_a_change_that_must_be_reverted_is_owed_until_something_goes_out(record):
    push(record)
    record_review(record.log, "abc123", "ben", "revert")
    assert any("Revert abc123" in item.text for item in record.owed())
    record.add("deploy", change="abc124", env="prod", way="mitigation")
    assert not any("Revert abc123" in item.text for item in record.owed())


def test_a_mitigation_owes_a_fix_and_its_own_removal(record):
    record.decide("mitigate-then-fix")
    record.add("mitigated", signal="errors gone")
    assert {OwedKind.ASSIGN, OwedKind.MITIGATION} <= set(record.kinds())
    due = read_state(record.place.folder).mitigated_at + dt.timedelta(days=14)
    assert {item.due for item in record.owed() if item.kind is OwedKind.MITIGATION} == {due}
    record.add("followup", state="opened", kind="fix", owner="ana", due="2025-06-10T00:00:00Z")
    record.add("followup", state="opened", kind="remove-mitigation", text="flag X off", owner="ana")
    listed = {item.kind: item for item in record.owed()}
    assert "still in place: flag X off" in listed[OwedKind.MITIGATION].text
    assert listed[OwedKind.FOLLOW_UP].due == dt.datetime(2025, 6, 10, tzinfo=dt.UTC)
    record.add("followup", state="closed", kind="remove-mitigation", signal="flag gone")
    record.add("followup", state="closed", kind="fix", url="https://example.com/1")
    assert not {OwedKind.FOLLOW_UP, OwedKind.MITIGATION, OwedKind.ASSIGN} & set(record.kinds())


def test_a_due_day_lasts_until_its_end(record):
    record.add("followup", state="opened", kind="prevent", owner="ana", due=dt.date(2025, 6, 20))
    (item,) = [item for item in record.owed() if item.kind is OwedKind.FOLLOW_UP]
    assert item.due == dt.datetime(2025, 6, 20, 23, 59, 59, tzinfo=dt.UTC)


def test_a_followup_without_owner_says_so(record):
    record.decide("mitigate-then-fix")
    record.add("followup", state="opened", kind="fix")
    assert any("no owner" in item.text for item in record.owed())


def test_the_fix_in_the_incident_needs_no_followup_fix(record):
    record.decide("mitigate-then-fix")
    record.add("mitigated", signal="x")
    record.add("fixed", signal="y")
    assert OwedKind.ASSIGN not in record.kinds()
    assert OwedKind.MITIGATION in record.kinds()


def test_what_people_chose_counts_not_what_was_advised(record):
    record.decide("mitigate-then-fix")
    record.add("override", chosen="fix-forward", reason="the fix is one line")
    kinds = record.kinds()
    assert OwedKind.MERGE_BACK in kinds
    assert OwedKind.MITIGATION not in kinds


@pytest.mark.parametrize(
    ("severity", "data", "is_owed"),
    [("sev1", "none", True), ("sev2", "none", False), ("sev2", "possible", True), ("sev2", None, True)],
)
def test_a_written_review_is_owed_for_a_sev1_or_data_at_risk(tmp_path, severity, data, is_owed):
    record = Record(tmp_path, severity=severity)
    if data:
        record.add("impact", data=data)
    record.decide("fix-forward")
    assert (OwedKind.WRITTEN_REVIEW in record.kinds()) is is_owed
    record.add("followup", state="opened", kind="written-review", owner="ana")
    assert OwedKind.WRITTEN_REVIEW not in record.kinds()


def test_a_normal_change_owes_only_its_knowledge(record):
    record.decide("normal-change")
    assert record.kinds() == [OwedKind.KNOWLEDGE]


def test_a_deployment_without_decision_is_owed_one(record):
    record.add("deploy", change="c", env="prod")
    assert OwedKind.DECISION in record.kinds()


def test_overdue_things_come_first(record):
    push(record)
    record.add("followup", state="opened", kind="prevent", owner="ana", due="2025-06-01T13:00:00Z")
    items = record.owed(later=48 * HOUR)
    now = record.clock.now + 48 * HOUR
    late = overdue(items, now)
    assert items[: len(late)] == late
    assert [item.due for item in late] == sorted(item.due for item in late)
    assert items[-1].due is None


def test_all_records_of_a_root_are_listed_together(record, tmp_path):
    push(record)
    again = Record(tmp_path, title="search is slow")
    again.decide("normal-change")
    titles = {item.title for item in owed_everywhere(tmp_path, NOON)}
    assert titles == {"checkout down", "search is slow"}


def test_closing_needs_the_knowledge_step(record):
    record.decide("normal-change")
    with pytest.raises(UsageError, match="no entry"):
        close(record.log, reason="enough")
    record.add("knowledge", how="add", entry="checkout-flag")
    assert close(record.log).type == "seal"
    assert read_state(record.place.folder).status == "closed"


def test_closing_with_something_left_asks_for_a_reason_and_keeps_it_listed(record):
    record.add("impact", data="none")
    record.decide("mitigate-then-fix")
    record.add("mitigated", signal="x")
    record.add("knowledge", how="link", entry="drain")
    with pytest.raises(UsageError, match="still in place"):
        close(record.log)
    close(record.log, reason="the fix ships next week")
    assert OwedKind.MITIGATION in record.kinds()
    assert read_state(record.place.folder).seals[0].text("reason") == "the fix ships next week"


def test_a_review_in_time_does_not_hold_up_closing(record):
    push(record)
    record.add("followup", state="closed", kind="merge-back")
    record.add("knowledge", how="link", entry="x")
    state = read_state(record.place.folder)
    assert closing_blockers(state, record.clock.now) == ()
    assert [b.owed.kind for b in closing_blockers(state, record.clock.now + 25 * HOUR)] == [OwedKind.REVIEW]


def test_a_record_without_an_opening_owes_without_a_date(tmp_path):
    log = JournalMaker("a1", "ana", Clock())(tmp_path / "2025-06-01-x-0001")
    log.append(EventType.OVERRIDE, {"chosen": "parallel", "reason": "two of us"})
    items = owed(read_state(log.folder), NOON)
    assert OwedKind.MITIGATION in {item.kind for item in items}
    assert {item.due for item in items} == {None}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("@ana", "Ana", True),
        ("ana@example.com", "@ana", True),
        ("ana@example.com", "ana@example.org", False),
        ("ana", "anna", False),
        ("", "", False),
    ],
)
def test_handles_and_addresses_of_one_person_are_the_same(one, other, is_same):
    assert same_person(one, other) is is_same
