"""What follows an action: duties, reviews with the policy then in force, follow-ups, closing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kb_app.decision.policy import DEFAULT_POLICY, blob_id
from kb_app.errors import UsageError
from kb_app.incidents.book import RecordBook
from kb_app.incidents.duties import OwedKind
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.sample_incident import OPENED, StoryClock, write_sample_incident
from kb_app.incidents.sample_year import write_sample_year
from kb_app.incidents.timeline import IncidentState, read_state
from kb_app.workspace.aftermath import (
    KnownStates,
    Verdict,
    assign_followup,
    close_followup,
    close_incident,
    closing_of,
    correct_event,
    dues_of,
    followup_of,
    give_verdict,
    hand_over,
    policy_then,
    record_knowledge,
    review_case,
    ticket_in,
    view_record,
)

POLICY = b"push_when_down: review-after\n"


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock(OPENED + dt.timedelta(hours=20))


@pytest.fixture
def name(tmp_path: Path) -> str:
    return write_sample_incident(tmp_path, policy=blob_id(POLICY), is_reviewed=False, is_closed=False).id


def book_of(root: Path, who: str, clock: StoryClock) -> RecordBook:
    return RecordBook(root, JournalMaker("ffff", who, clock))


def test_dues_name_who_may_not_review(tmp_path: Path, name: str, clock: StoryClock) -> None:
    deployer = dues_of(book_of(tmp_path, "ana@example.com", clock))
    other = dues_of(book_of(tmp_path, "carla@example.com", clock))
    [review] = [item for item in other.owed if item.kind is OwedKind.REVIEW]
    assert "deployer" in deployer.barred[name, review.change]
    assert other.barred == {}
    assert other.who == "carla@example.com"
    assert [state.id for state in other.states] == [name]


def test_a_record_is_read_again_only_when_it_was_written_to(
    tmp_path: Path, name: str, clock: StoryClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample_year(tmp_path)
    read: list[Path] = []

    def noting(folder: Path) -> IncidentState:
        read.append(folder)
        return read_state(folder)

    monkeypatch.setattr("kb_app.workspace.aftermath.read_state", noting)
    book, known = book_of(tmp_path, "carla", clock), KnownStates()
    first = dues_of(book, known)
    assert len(read) == 41
    assert dues_of(book, known).owed == first.owed
    assert len(read) == 41
    give_verdict(book, name, Verdict("7d1f0c2a9b3e", "pass"))
    assert len(dues_of(book, known).owed) == len(first.owed) - 1
    assert [folder.name for folder in read[41:]] == [name]


def test_dues_come_overdue_first(tmp_path: Path, name: str, clock: StoryClock) -> None:
    clock.move(60 * 24 * 9)
    dues = dues_of(book_of(tmp_path, "carla", clock))
    late = [item.is_overdue(clock.now) for item in dues.owed]
    assert late == sorted(late, reverse=True)
    assert dues.overdue
    assert name


def test_a_reviewer_sees_change_decision_and_policy(tmp_path: Path, name: str, clock: StoryClock) -> None:
    root = tmp_path / "kb"
    root.mkdir()
    (root / "policy.yml").write_bytes(POLICY)
    case = review_case(book_of(tmp_path, "carla", clock), name, "7d1f0c2a9b3e", [("runbooks", root)])
    assert case.may.is_allowed
    assert case.mode == "after"
    assert case.due - case.deploy.at == dt.timedelta(days=1)
    assert case.policy is not None
    assert case.policy.text == POLICY.decode()
    assert "runbooks" in case.policy.source


def test_a_policy_that_was_changed_since_is_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_bytes(b"push_when_down: review-first\n")
    found = policy_then(blob_id(POLICY), [("runbooks", tmp_path)])
    assert found.text == ""
    assert "is in none of the open knowledge bases" in found.source
    default = policy_then(DEFAULT_POLICY.revision, [])
    assert "default policy" in default.source


def test_a_change_that_was_never_deployed_cannot_be_reviewed(
    tmp_path: Path, name: str, clock: StoryClock
) -> None:
    with pytest.raises(UsageError, match="no deployment"):
        review_case(book_of(tmp_path, "carla", clock), name, "abc")


def test_a_verdict_is_recorded_and_its_follow_up_opened(tmp_path: Path, name: str, clock: StoryClock) -> None:
    book = book_of(tmp_path, "carla", clock)
    verdict = Verdict("7d1f0c2a9b3e", "pass-with-followup", "read it", "cover it with a test", "ben")
    change = give_verdict(book, name, verdict)
    assert [receipt.event.type for receipt in change.receipts] == ["review", "followup"]
    opened = followup_of(change.state, "review-7d1f0c2a9b3e")
    assert opened is not None
    assert (opened.owner, opened.text) == ("ben", "cover it with a test")
    assert not [item for item in dues_of(book).owed if item.kind is OwedKind.REVIEW]
    with pytest.raises(UsageError, match="not named"):
        give_verdict(book, name, Verdict("7d1f0c2a9b3e", "pass-with-followup"))


def test_each_verdict_opens_a_follow_up_of_its_own(tmp_path: Path, name: str, clock: StoryClock) -> None:
    change = "7d1f0c2a9b3e"
    for who, text in (("carla", "cover it with a test"), ("dora", "document the flag"), ("eve", "rename it")):
        verdict = Verdict(change, "pass-with-followup", "", text, "ben")
        state = give_verdict(book_of(tmp_path, who, clock), name, verdict).state
    found = {item.key: item.text for item in state.followups if item.key.startswith("review-")}
    assert found == {
        f"review-{change}": "cover it with a test",
        f"review-{change}-2": "document the flag",
        f"review-{change}-3": "rename it",
    }
    book = book_of(tmp_path, "ben", clock)
    closed = close_followup(book, name, "prevent", key=f"review-{change}-2", url="abc1234").state
    still_open = [item.key for item in closed.followups if item.closed_at is None]
    assert {f"review-{change}", f"review-{change}-3"} <= set(still_open)
    assert f"review-{change}-2" not in still_open


def test_the_author_cannot_record_a_review(tmp_path: Path, name: str, clock: StoryClock) -> None:
    with pytest.raises(UsageError, match="author"):
        give_verdict(book_of(tmp_path, "ben@example.com", clock), name, Verdict("7d1f0c2a9b3e", "pass"))


def test_a_mitigation_is_gone_only_with_a_signal(tmp_path: Path, name: str, clock: StoryClock) -> None:
    book = book_of(tmp_path, "ben", clock)
    with pytest.raises(UsageError, match="What shows"):
        close_followup(book, name, "remove-mitigation")
    change = close_followup(book, name, "remove-mitigation", signal="volume is back at 100 GB")
    item = followup_of(change.state, "remove-mitigation")
    assert item is not None
    assert item.closed_at is not None
    assert item.signal == "volume is back at 100 GB"


def test_other_follow_ups_need_a_link_and_keep_it(tmp_path: Path, name: str, clock: StoryClock) -> None:
    book = book_of(tmp_path, "ben", clock)
    with pytest.raises(UsageError, match="link"):
        close_followup(book, name, "prevent")
    item = followup_of(close_followup(book, name, "prevent", url="abc1234").state, "prevent")
    assert item is not None
    assert item.url == "abc1234"


def test_a_follow_up_gets_another_owner_and_keeps_its_text(
    tmp_path: Path, name: str, clock: StoryClock
) -> None:
    book = book_of(tmp_path, "ana", clock)
    change = assign_followup(book, name, "prevent", "dmitri", due=dt.date(2025, 7, 1))
    item = followup_of(change.state, "prevent")
    assert item is not None
    assert (item.owner, item.text) == ("dmitri", "set max_slot_wal_keep_size everywhere")
    assert item.due == dt.datetime(2025, 7, 1, 23, 59, 59, tzinfo=dt.UTC)
    with pytest.raises(UsageError, match="owner"):
        assign_followup(book, name, "prevent", " ")


def test_closing_asks_for_knowledge_then_for_a_reason_and_keeps_what_is_left(
    tmp_path: Path, name: str, clock: StoryClock
) -> None:
    book = book_of(tmp_path, "ana", clock)
    before = closing_of(book, name)
    assert not before.is_knowledge_done
    with pytest.raises(UsageError, match="No entry is named"):
        record_knowledge(book, name, "link", " ")
    record_knowledge(book, name, "fix", "pg-inactive-slot-fills-wal")
    after = closing_of(book, name)
    assert after.is_knowledge_done
    assert after.needs_reason
    assert {item.kind for item in after.later} >= {OwedKind.REVIEW}
    with pytest.raises(UsageError, match="still owes"):
        close_incident(book, name)
    closed = close_incident(book, name, reason="the written review follows")
    assert closed.state.status == "closed"
    assert {item.kind for item in dues_of(book).owed} >= {OwedKind.REVIEW, OwedKind.MITIGATION}
    assert [state.id for state in dues_of(book).states] == [name]


def test_an_event_is_corrected_in_data_and_time(tmp_path: Path, name: str, clock: StoryClock) -> None:
    book = book_of(tmp_path, "ana", clock)
    note = next(m.event for m in book.state(name).moments if m.event.type == EventType.NOTE)
    with pytest.raises(UsageError, match="reason"):
        correct_event(book, name, note, {"text": "x"}, " ")
    at = note.at - dt.timedelta(minutes=3)
    change = correct_event(book, name, note, {"text": "60 GB"}, "it was 60", at=at)
    moment = next(m for m in change.state.moments if (m.event.dev, m.event.seq) == (note.dev, note.seq))
    assert moment.data.text("text") == "60 GB"
    assert moment.at == at
    assert moment.event.text("text") == note.text("text")


def test_a_view_holds_the_chain_and_a_hand_over_names_somebody(
    tmp_path: Path, name: str, clock: StoryClock
) -> None:
    book = book_of(tmp_path, "ana", clock)
    assert not [f for f in view_record(book, name).findings if f.severity.value == "error"]
    with pytest.raises(UsageError, match="Nobody"):
        hand_over(book, name, "", "watch")
    assert hand_over(book, name, "carla", "").receipts[0].event.text("to") == "carla"


@pytest.mark.parametrize(
    ("text", "is_ticket"),
    [
        ("OPS-4711", True),
        (" INC0012345\n", True),
        ("#48213", True),
        ("https://tickets.example.com/browse/OPS-1", True),
        ("", False),
        ("OPS", False),
        ("the ticket OPS-4711", False),
        ("kubectl", False),
        ("12", False),
        ("https://" + "x" * 400, False),
    ],
)
def test_the_clipboard_is_offered_only_when_it_looks_like_a_ticket(text: str, is_ticket: bool) -> None:
    assert bool(ticket_in(text)) is is_ticket
