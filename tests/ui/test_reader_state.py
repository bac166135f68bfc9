"""The words above a page."""

from __future__ import annotations

import datetime as dt

import pytest

from kb_app.entries.model import Audience, Entry, Kind, Note, Severity, State
from kb_app.ui.common.icons import has_icon
from kb_app.ui.common.widgets import TONE_COLORS
from kb_app.ui.reader.state import facts_of, review_fact, span

TODAY = dt.date(2026, 11, 23)


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
    assert review_fact(TODAY, 365, TODAY).text == "confirmed today"
    fresh = review_fact(TODAY - dt.timedelta(days=365), 365, TODAY)
    assert (fresh.text, fresh.tone) == ("last confirmed 12 months ago", "")
    assert review_fact(TODAY - dt.timedelta(days=366), 365, TODAY).tone == "mitigate"
    assert review_fact(None, 365, TODAY).text == "never confirmed"


def test_a_review_dated_in_the_future_is_said_so() -> None:
    fact = review_fact(TODAY + dt.timedelta(days=3), 365, TODAY)
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
    assert [fact.text for fact in facts_of(entry(), TODAY).facts] == ["Runbook", "never confirmed"]


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
