"""The words above a page."""

from __future__ import annotations

import datetime as dt

import pytest

from kb_app.entries.feedback import FeedbackNote, FlagKind
from kb_app.entries.model import Audience, Entry, Kind, Note, Severity, State
from kb_app.entries.standing import Confirmation, How, Standing
from kb_app.ui.common.icons import has_icon
from kb_app.ui.common.widgets import TONE_COLORS
from kb_app.ui.reader.state import confirmed_fact, facts_of, flags_text, span

TODAY = dt.date(2026, 11, 23)


def stated(day: dt.date) -> Confirmation:
    return Confirmation(day, How.STATED)


def entry(**values: object) -> Entry:
    basics = {
        "path": "etcd/NoLeader.md",
        "id": "no-leader",
        "title": "NoLeader",
        "kind": Kind.RUNBOOK,
        "state": State.UNVERIFIED,
        "audience": Audience.INTERNAL,
        "product": "",
        "component": "",
        "owner": "",
        "tags": (),
        "text": "",
        "body_line": 1,
        "size_bytes": 0,
        "content_hash": "",
    }
    return Entry(**{**basics, **values})


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "0 days"),
        (1, "1 day"),
        (13, "13 days"),
        (14, "2 weeks"),
        (59, "8 weeks"),
        (60, "2 months"),
        (365, "12 months"),
        (426, "14 months"),
        (731, "2 years"),
        (3_650, "10 years"),
    ],
)
def test_spans_are_said_as_people_say_them(days: int, words: str) -> None:
    assert span(days) == words


def test_a_review_ages_and_warns_when_it_no_longer_holds() -> None:
    assert confirmed_fact(stated(TODAY), 365, TODAY).text == "confirmed today"
    fresh = confirmed_fact(stated(TODAY - dt.timedelta(days=365)), 365, TODAY)
    assert (fresh.text, fresh.tone) == ("last confirmed 12 months ago", "")
    assert confirmed_fact(stated(TODAY - dt.timedelta(days=366)), 365, TODAY).tone == "mitigate"
    assert confirmed_fact(None, 365, TODAY).text == "never confirmed"


def test_a_review_dated_in_the_future_is_said_so() -> None:
    fact = confirmed_fact(stated(TODAY + dt.timedelta(days=3)), 365, TODAY)
    assert (fact.text, fact.tone) == ("review dated 2026-11-26", "mitigate")


def test_what_is_known_comes_in_order_and_says_from_where() -> None:
    known = entry(
        product="platform",
        component="etcd",
        owner="team-etcd",
        reviewed=TODAY,
        alerts=("A", "B"),
        provenance={"kind": "from headings", "owner": "from CODEOWNERS"},
    )
    facts = facts_of(known, TODAY)
    assert [fact.text for fact in facts.facts] == [
        "Runbook",
        "platform / etcd",
        "team-etcd",
        "confirmed today",
    ]
    assert [fact.detail for fact in facts.facts[:3]] == ["Kind: from headings", "", "Owner: from CODEOWNERS"]
    assert facts.alerts == ("A", "B")


def test_what_is_unknown_is_left_out() -> None:
    assert [fact.text for fact in facts_of(entry(), TODAY).facts] == ["Runbook"]
    known = facts_of(entry(), TODAY, Standing())
    assert [fact.text for fact in known.facts] == ["Runbook", "never confirmed"]
    assert known.flags == ()


def test_who_confirmed_it_and_how_is_said_in_words() -> None:
    day = TODAY - dt.timedelta(days=20)
    worked = confirmed_fact(Confirmation(day, How.WORKED, "Ana"), 365, TODAY)
    assert worked.text == "confirmed 3 Nov by Ana: it worked"
    review = confirmed_fact(Confirmation(day, How.REVIEW, "Ben", "b12d2f7" + "0" * 33), 365, TODAY)
    assert review.text == "confirmed 3 Nov by a review of Ben, version b12d2f7"
    used = confirmed_fact(Confirmation(day, How.USED), 365, TODAY)
    assert used.text == "confirmed 3 Nov: it worked in your incident"
    stale = confirmed_fact(Confirmation(day, How.WORKED, "Ana"), 14, TODAY)
    assert (stale.text, stale.tone) == ("last confirmed 2 weeks ago", "mitigate")
    assert stale.detail.startswith("Confirmed 3 Nov by Ana: it worked")


def test_open_flags_are_counted_and_one_is_quoted() -> None:
    note = FeedbackNote("feedback/a/1.md", "a.md", FlagKind.UNCLEAR, TODAY, "which slot?\x1b[2J", "Ben")
    flags = facts_of(entry(), TODAY, Standing(flags=(note,))).flags
    assert flags == ("Unclear: which slot?\\u001b[2J (Ben, 23 Nov)",)
    assert flags_text(flags) == "1 open flag: Unclear: which slot?\\u001b[2J (Ben, 23 Nov)"
    assert flags_text((*flags, *flags)) == "2 open flags"
    assert flags_text(("x" * 200,)).endswith("x…")
    assert flags_text(()) == ""


def test_notes_come_worst_first() -> None:
    notes = (
        Note("a", Severity.INFO, "Info."),
        Note("b", Severity.ERROR, "Error.", 3),
        Note("c", Severity.WARNING, "Warning."),
    )
    found = facts_of(entry(notes=notes), TODAY).notices
    assert [notice.text for notice in found] == ["Error.", "Warning.", "Info."]
    assert found[0].line == 3


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("state", State)
def test_every_kind_and_state_has_a_word_an_icon_and_a_colour(kind: Kind, state: State) -> None:
    facts = facts_of(entry(kind=kind, state=state), TODAY)
    assert facts.state is not None
    assert facts.state.tone in TONE_COLORS
    for fact in (facts.state, *facts.facts):
        assert fact.text
        assert has_icon(fact.icon)
