from __future__ import annotations

import pytest

from kb_app.search.model import IndexProgress
from kb_app.ui.search.state import LONG_LINE_CHARACTERS, MAX_PASTE_CHARACTERS, Query, as_paste, index_share


def test_several_lines_become_a_chip_that_counts_lines_with_text() -> None:
    query = as_paste("first\n\nsecond\r\nthird\n")
    assert query is not None
    assert query.chip == "pasted 3 lines"
    assert query.text == "first\n\nsecond\r\nthird"


@pytest.mark.parametrize("text", ["one line", "one line\n", "\n  one line \r\n", ""])
def test_one_short_line_belongs_into_the_field(text: str) -> None:
    assert as_paste(text) is None


def test_one_very_long_line_is_a_paste_too() -> None:
    query = as_paste("x" * LONG_LINE_CHARACTERS)
    assert query is not None
    assert query.chip == f"pasted 1 line, {LONG_LINE_CHARACTERS} characters"


def test_a_huge_paste_is_cut_and_says_so() -> None:
    query = as_paste("line\n" * MAX_PASTE_CHARACTERS)
    assert query is not None
    assert len(query.pasted) == MAX_PASTE_CHARACTERS
    assert query.chip.endswith("(cut)")


def test_words_typed_beside_a_paste_follow_it_as_a_line() -> None:
    query = as_paste("a\nb")
    assert query is not None
    assert query.with_typed("redis").text == "a\nb\nredis"
    assert query.with_typed("  ").text == "a\nb"
    assert query.with_typed("redis").without_paste() == Query("redis")


def test_an_empty_query_asks_nothing() -> None:
    assert Query().is_empty
    assert Query("  ").is_empty
    assert not Query(pasted="a\nb").is_empty


def test_one_number_grows_over_all_phases_of_indexing() -> None:
    steps = [("names", 0, 100), ("names", 100, 100), ("pages", 0, 100), ("pages", 50, 100), ("merge", 0, 4)]
    shares, before = [], 0.0
    for phase, done, total in [*steps, ("pages", 60, 100), ("merge", 4, 4)]:
        before = index_share(IndexProgress(phase, done, total), before)
        shares.append(before)
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[1] < 0.2  # names alone are not the work
    assert shares[-1] == 1.0
