"""What is offered while a query is typed."""

from __future__ import annotations

import pytest

from kb_app.ui.search.completion import MAX_SHOWN, completions

COUNTS = {
    "kind": {"known-fix": 8, "internals": 4},
    "component": {"gateway": 3, "api gateway": 2, "billing-gateway": 1, "wal": 9},
    "owner": {"@db-team": 4},
    "tag": {f"tag{n}": 20 - n for n in range(20)},
}


def offered(text: str, cursor: int = -1, **options: object) -> list[str]:
    found = completions(text, len(text) if cursor < 0 else cursor, COUNTS, **options)  # type: ignore[arg-type]
    return [offer.text for offer in found.offers] if found else []


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("ki", "kind:"),
        ("disk comp", "component:"),
        ("-st", "-state:"),
        ("kind:", "kind:fix "),
        ("kind:in", "kind:internals "),
        ("-kind:f", "-kind:fix "),
        ("component:gat", "component:gateway "),
        ("component:api", 'component:"api gateway" '),
        ("owner:db", "owner:@db-team "),
        ("kind:fix,", "kind:fix,internals "),
        ("reviewed:<1", "reviewed:<180d "),
        ("state:ver", "state:verified "),
    ],
)
def test_the_first_offer(text: str, first: str) -> None:
    assert offered(text)[0] == first


@pytest.mark.parametrize(
    "text",
    ["", "disk", "k", "disk full ", "http://ki", '"ki', "kind:fix ", "unknown:ab", "kind:fix", "alert:"],
)
def test_nothing_is_offered_where_nothing_may_follow(text: str) -> None:
    assert offered(text) == []


def test_a_part_of_a_value_is_found_after_its_beginnings() -> None:
    assert offered("component:gat") == [
        "component:gateway ",
        'component:"api gateway" ',
        "component:billing-gateway ",
    ]


def test_counts_come_with_the_values_and_there_are_never_too_many() -> None:
    found = completions("tag:", 4, COUNTS)
    assert found is not None
    assert len(found.offers) == MAX_SHOWN
    assert found.offers[0].note == "20"
    assert found.is_wanted


def test_a_field_is_only_a_hint_unless_it_is_asked_for() -> None:
    hint, asked = completions("st", 2, COUNTS), completions("", 0, COUNTS, is_asked=True)
    assert hint is not None
    assert not hint.is_wanted
    assert asked is not None
    assert asked.is_wanted
    assert len(asked.offers) > MAX_SHOWN


def test_the_word_under_the_cursor_is_replaced_to_its_end() -> None:
    found = completions("kind:run lease", 7, COUNTS)
    assert found is not None
    assert (found.start, found.end) == (0, 8)


def test_values_of_other_entries_are_offered_without_a_number() -> None:
    found = completions("component:re", 12, COUNTS, everything={"component": {"replication": 5}})
    assert found is not None
    assert [(offer.label, offer.note) for offer in found.offers] == [("replication", "none here")]
