import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.search import query as module
from kb_app.search.query import explain, parse_query


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(module).failed == 0


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
    assert any(problem in sentence for sentence in query.problems)
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
    assert sentence == "Runbooks not retired, about disk"
