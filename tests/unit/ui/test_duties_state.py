"""What is owed, in words: groups, order, due times, the chip, what Enter opens."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kb_app.incidents.book import RecordBook
from kb_app.incidents.duties import Owed, OwedKind
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.sample_incident import OPENED, StoryClock, write_sample_incident
from kb_app.ui.duties.review_state import allowed_facts, change_facts, due_line, evidence_facts
from kb_app.ui.duties.state import (
    Act,
    act_of,
    brief_of,
    clock_words,
    due_words,
    duty_rows,
    followup_kind,
    next_row,
    parse_due,
    spoken_row,
)
from kb_app.workspace.aftermath import Dues, dues_of, review_case

NOW = OPENED + dt.timedelta(hours=21)


def dues(root: Path, who: str = "carla@example.com", now: dt.datetime = NOW) -> Dues:
    return dues_of(RecordBook(root, JournalMaker("ffff", who, StoryClock(now))))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_sample_incident(tmp_path, is_reviewed=False, is_closed=False)
    return tmp_path


def test_rows_stand_below_the_name_of_their_group(root: Path) -> None:
    rows = duty_rows(dues(root), NOW)
    heads = [row.text for row in rows if row.act is None]
    assert heads == [
        "Reviews (1)",
        "Mitigations still in place (1)",
        "Follow-ups (1)",
        "To be written down (1)",
        "Knowledge (1)",
        "Open incidents (1)",
    ]
    assert rows[1].act is Act.REVIEW
    assert rows[1].due == "in 3 h 33 min"
    assert rows[1].tone == "mitigate"


def test_what_is_overdue_comes_first_and_stands_once(root: Path) -> None:
    later = NOW + dt.timedelta(days=9)
    found = dues(root, now=later)
    rows = duty_rows(found, later)
    assert rows[0].text == "Overdue (3)"
    assert rows[0].tone == "danger"
    texts = [row.item for row in rows if row.item is not None]
    assert len(texts) == len(set(texts)) == len(found.owed)
    assert all("overdue" in row.due for row in rows[1:4])


def test_a_review_that_is_not_mine_says_why(root: Path) -> None:
    row = duty_rows(dues(root, "ana@example.com"), NOW)[1]
    assert "deployer" in row.barred
    assert row.barred in spoken_row(row)


def test_the_chip_names_what_presses_most(root: Path, tmp_path: Path) -> None:
    brief = brief_of(dues(root), NOW)
    assert brief.chip == "5 owed"
    assert brief.line == "1 review due in 3 h 33 min"
    later = NOW + dt.timedelta(days=9)
    late = brief_of(dues(root, now=later), later)
    assert late.chip == "3 overdue"
    assert late.line.startswith("3 things are overdue: ")
    assert brief_of(dues(tmp_path / "none"), NOW).chip == ""


@pytest.mark.parametrize(
    ("kind", "followup", "text", "act"),
    [
        (OwedKind.REVIEW, "", "Review x", Act.REVIEW),
        (OwedKind.FOLLOW_UP, "fix", "", Act.CLOSE_FOLLOWUP),
        (OwedKind.MITIGATION, "remove-mitigation", "", Act.CLOSE_FOLLOWUP),
        (OwedKind.MITIGATION, "", "name who removes it", Act.ASSIGN),
        (OwedKind.ASSIGN, "", "Name an owner", Act.ASSIGN),
        (OwedKind.ASSIGN, "", "Revert x: its review says so", Act.TIMELINE),
        (OwedKind.MERGE_BACK, "", "Merge back", Act.CLOSE_FOLLOWUP),
        (OwedKind.WRITTEN_REVIEW, "", "Write a review", Act.CLOSE_FOLLOWUP),
        (OwedKind.DECISION, "", "Store the decision", Act.DECIDE),
        (OwedKind.KNOWLEDGE, "", "Link an entry", Act.CLOSING),
    ],
)
def test_enter_opens_what_is_to_be_done(kind: OwedKind, followup: str, text: str, act: Act) -> None:
    item = Owed("id", "title", kind, text, followup=followup)
    assert act_of(item) is act


def test_a_follow_up_is_closed_as_what_it_was_opened(root: Path) -> None:
    [state] = dues(root).states
    item = Owed(state.id, state.title, OwedKind.FOLLOW_UP, "", followup="prevent")
    assert followup_kind(item, state) == "prevent"
    assert followup_kind(Owed("x", "t", OwedKind.MERGE_BACK, ""), None) == "merge-back"
    assert followup_kind(Owed("x", "t", OwedKind.ASSIGN, "", change="abc"), None) == "prevent"


def test_due_times_read_like_a_person_says_them() -> None:
    assert due_words(None, NOW) == ("", "muted")
    assert due_words(NOW - dt.timedelta(days=2), NOW) == ("2 d overdue", "danger")
    assert due_words(NOW + dt.timedelta(hours=3), NOW) == ("in 3 h", "mitigate")
    assert due_words(NOW + dt.timedelta(days=4), NOW) == ("in 4 d", "muted")
    assert clock_words(NOW, NOW).startswith("today ")
    assert clock_words(NOW + dt.timedelta(days=1), NOW).startswith("tomorrow ")
    assert clock_words(None, NOW) == ""


def test_due_dates_are_typed_short() -> None:
    today = NOW.astimezone().date()
    assert parse_due("", NOW) is None
    assert parse_due("5d", NOW) == today + dt.timedelta(days=5)
    assert parse_due("2w", NOW) == today + dt.timedelta(days=14)
    assert parse_due("tomorrow", NOW) == today + dt.timedelta(days=1)
    assert parse_due("2025-07-01", NOW) == dt.date(2025, 7, 1)
    with pytest.raises(ValueError, match="soon"):
        parse_due("soon", NOW)


def test_the_keys_skip_headings(root: Path) -> None:
    rows = duty_rows(dues(root), NOW)
    assert next_row(rows, 0, 0) == 1
    assert next_row(rows, 1, 1) == 3
    assert next_row(rows, 1, -1) == 1
    assert next_row((), -1, 1) == -1


def test_a_reviewer_reads_what_why_and_the_evidence(root: Path) -> None:
    book = RecordBook(root, JournalMaker("ffff", "carla", StoryClock(NOW)))
    name = book.states()[0].id
    case = review_case(book, name, "7d1f0c2a9b3e")
    changed = {fact.name: fact.value for fact in change_facts(case)}
    assert changed["Where"] == "postgresql to prod"
    assert changed["Written by"] == "ben@example.com"
    allowed = {fact.name: fact.value for fact in allowed_facts(case)}
    assert allowed["Decision"] == "parallel, rule D7"
    assert allowed["Known then"].startswith("impact down, data at risk none")
    assert allowed["Review"].startswith("V2")
    evidence = [fact.value for fact in evidence_facts(case)]
    assert evidence[0].startswith("ran on the standby first")
    assert any(value.startswith("pg_wal at 12 %") for value in evidence)
    assert due_line(case)[0].startswith("Review after deployment, due in 3 h 33 min")


def test_what_nobody_stated_is_marked(tmp_path: Path) -> None:
    book = RecordBook(tmp_path, JournalMaker("a1", "ana", StoryClock(NOW)))
    name = book.open({"title": "down"}).place.id
    book.add(name, EventType.DEPLOY, {"change": "abc", "env": "prod"})
    case = review_case(book, name, "abc")
    assert next(fact for fact in allowed_facts(case) if fact.is_missing).value.startswith("none is stored")
    assert evidence_facts(case)[0].is_missing
    assert due_line(case)[1] == "danger"
