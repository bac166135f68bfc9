import datetime as dt
import doctest
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.search import dates, explanation
from kb_app.search import query as module
from kb_app.search.explanation import explain
from kb_app.search.query import parse_query, with_filters, without_filter

TODAY = dt.date(2026, 3, 1)


@pytest.mark.parametrize("one", [module, dates, explanation])
def test_examples_in_the_docstrings_hold(one: ModuleType) -> None:
    assert doctest.testmod(one).failed == 0


def test_every_part_of_the_language() -> None:
    query = parse_query(
        'kind:fix component:"api gateway" has:mitigation state:verified -tag:legacy "lease lost" '
        "alert:DiskFull "
        "-beta retry"
    )
    assert query.filters == {
        "kind": ("known-fix",),
        "component": ("api gateway",),
        "has": ("mitigation",),
        "state": ("verified",),
        "tag": ("-legacy",),
    }
    assert query.phrases == ("lease lost",)
    assert query.alerts == ("DiskFull",)
    assert query.excluded == ("beta",)
    assert query.words == "retry"
    assert query.problems == ()


@pytest.mark.parametrize(
    "text", ["ssh -T git", "--dry-run", "x509: certificate", "http://host/x", "a-b", "C++ .NET"]
)
def test_commands_and_codes_are_words(text: str) -> None:
    query = parse_query(text)
    assert query.words == text
    assert not query.problems
    assert not query.excluded


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("compnent:x", "component"),
        ("kind:banana", "banana"),
        ('"never closed', "never closed"),
    ],
)
def test_what_is_not_understood_is_said_and_the_rest_runs(text: str, problem: str) -> None:
    query = parse_query(f"restart {text}")
    assert any(problem in found.text for found in query.problems)
    assert "restart" in query.words


@pytest.mark.parametrize(
    ("text", "is_open"), [("rest", True), ("rest ", False), ('"lease lost"', False), ("kind:fix", False)]
)
def test_only_a_word_at_the_end_may_be_unfinished(text: str, is_open: bool) -> None:
    assert parse_query(text).is_open is is_open


@given(st.text(max_size=300))
def test_nothing_that_is_typed_raises(text: str) -> None:
    query = parse_query(text)
    explain(query, {})


def test_a_question_of_words_needs_no_explanation() -> None:
    assert explain(parse_query("disk full"), {}) == ""


def test_filters_clicked_and_typed_are_explained_together() -> None:
    sentence = explain(parse_query("-state:retired disk"), {"kind": ("runbook",)})
    assert sentence == "Runbooks, not retired, about disk"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("restart compnent:x", "compnent"),
        ("kind:banana restart", "kind:banana"),
        ('restart "never closed', '"never closed'),
        ("changed:>soon restart", "changed:>soon"),
        ("kind: restart", "kind:"),
    ],
)
def test_a_problem_says_where_it_stands(text: str, place: str) -> None:
    [problem] = parse_query(text).problems
    assert text[problem.start : problem.end] == place


@pytest.mark.parametrize("text", ["kind:", "kind:r", "reviewed:", "reviewed:<", "reviewed:<18", "severity:s"])
def test_what_is_still_being_typed_is_no_mistake(text: str) -> None:
    assert parse_query(text).problems == ()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("reviewed:<180d", dt.date(2025, 9, 3), None),
        ("reviewed:>1y", None, dt.date(2025, 2, 28)),
        ("changed:>2025-01", dt.date(2025, 2, 1), None),
        ("changed:>=2025-01", dt.date(2025, 1, 1), None),
        ("changed:<2025", None, dt.date(2024, 12, 31)),
        ("changed:2024-02", dt.date(2024, 2, 1), dt.date(2024, 2, 29)),
        ("changed:2025-01..2025-03", dt.date(2025, 1, 1), dt.date(2025, 3, 31)),
        ("changed:2025-06-30", dt.date(2025, 6, 30), dt.date(2025, 6, 30)),
    ],
)
def test_dates_and_ages(text: str, first: dt.date | None, last: dt.date | None) -> None:
    [found] = parse_query(text, TODAY).dates
    assert (found.first, found.last) == (first, last)


def test_an_entry_never_reviewed_can_be_asked_for() -> None:
    [never] = parse_query("reviewed:never", TODAY).dates
    assert never.is_never
    [old] = parse_query("-reviewed:<180d", TODAY).dates
    assert old.is_excluded


def test_several_values_of_one_field() -> None:
    assert parse_query("kind:fix,runbook sev:1").filters == {
        "kind": ("known-fix", "runbook"),
        "severity": ("sev1",),
    }


def test_a_question_with_everything_in_words() -> None:
    query = parse_query(
        'kind:fix component:gateway has:mitigation -tag:legacy owner:@db reviewed:<2w "lease lost"', TODAY
    )
    assert explain(query, {}) == (
        "Known fixes of component gateway that have a mitigation, owned by @db, "
        "reviewed in the last 2 weeks, not tagged legacy, containing the phrase \u201clease lost\u201d"
    )


def test_clicked_filters_are_written_out_and_taken_back() -> None:
    text = with_filters("lease lost", {"kind": ("known-fix",), "component": ("api gateway",)})
    assert text == 'kind:fix component:"api gateway" lease lost'
    assert with_filters(text, {"kind": ("known-fix",)}) == text
    assert without_filter(text, "component", "api gateway") == "kind:fix lease lost"
    assert without_filter("kind:fix,runbook a", "kind", "known-fix") == "kind:runbook a"
    assert without_filter("-tag:x a", "tag", "x") == "-tag:x a"


@given(st.text(max_size=80), st.sampled_from(["kind", "component", "has"]), st.text(max_size=12))
def test_taking_a_filter_back_never_raises(text: str, facet: str, value: str) -> None:
    parse_query(without_filter(text, facet, value))
