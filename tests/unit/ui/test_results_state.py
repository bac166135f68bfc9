from __future__ import annotations

import datetime as dt

import pytest

from kb_app.search.model import Mode, SearchAnswer, SearchHit, Verdict
from kb_app.ui.common.remembered import EntryRef, RememberedEntry
from kb_app.ui.results.state import (
    RowKind,
    age_text,
    answer_rows,
    browse_rows,
    hit_row,
    next_row,
    on_one_line,
    row_to_select,
    spoken_text,
    summary_text,
)

TODAY = dt.date(2026, 3, 4)


def hit(
    path: str, *, product: str = "redis", component: str = "", base: str = "kb", title: str = ""
) -> SearchHit:
    return SearchHit(
        id=path, path=path, title=title or path, kind="runbook", product=product, component=component,
        state="verified", score=1.0, knowledge_base=base,
    )  # fmt: skip


def answer(*hits: SearchHit, verdict: Verdict = Verdict.MATCH, mode: Mode = Mode.WORDS) -> SearchAnswer:
    return SearchAnswer("q", mode, verdict, 1.0, len(hits), hits)


def test_a_match_lists_every_hit_and_a_weak_answer_only_the_nearest_three_marked_weak() -> None:
    hits = [hit(f"{n}.md") for n in range(5)]
    assert [row.is_weak for row in answer_rows(answer(*hits))] == [False] * 5
    weak = answer_rows(answer(*hits, verdict=Verdict.WEAK))
    assert [row.title for row in weak] == ["0.md", "1.md", "2.md"]
    assert all(row.is_weak for row in weak)


def test_an_empty_query_lists_starred_recent_and_all_by_product() -> None:
    starred = RememberedEntry(EntryRef("kb", "s.md"), "Star", "redis")
    recent = RememberedEntry(EntryRef("kb", "r.md"), "Recent one", "nginx")
    rows = browse_rows(
        answer(hit("b.md", product="redis"), hit("a.md", product="nginx"), hit("c.md", product="")),
        [recent],
        [starred],
    )
    assert [(row.kind, row.title) for row in rows] == [
        (RowKind.HEADER, "Starred"),
        (RowKind.HIT, "Star"),
        (RowKind.HEADER, "Recent"),
        (RowKind.HIT, "Recent one"),
        (RowKind.HEADER, "nginx"),
        (RowKind.HIT, "a.md"),
        (RowKind.HEADER, "redis"),
        (RowKind.HIT, "b.md"),
        (RowKind.HEADER, "Other entries"),
        (RowKind.HIT, "c.md"),
    ]


def test_the_selection_stays_on_its_entry_and_else_goes_to_the_first() -> None:
    rows = answer_rows(answer(hit("a.md"), hit("b.md")))
    assert row_to_select(rows, EntryRef("kb", "b.md")) == 1
    assert row_to_select(rows, EntryRef("other", "b.md")) == 0
    assert row_to_select((), EntryRef("kb", "b.md")) == -1


def test_moving_skips_headings_and_stops_at_the_ends() -> None:
    rows = browse_rows(answer(hit("a.md", product="a"), hit("b.md", product="b")), [], [])
    assert [row.title for row in rows] == ["a", "a.md", "b", "b.md"]
    assert next_row(rows, -1, 1) == 1
    assert next_row(rows, 1, 1) == 3
    assert next_row(rows, 3, 1) == 3
    assert next_row(rows, 3, -10) == 1
    assert next_row((), 0, 1) == -1


@pytest.mark.parametrize(
    ("reviewed", "shown"),
    [
        ("2026-03-04", "today"),
        ("2026-03-02", "2d"),
        ("2026-02-10", "3w"),
        ("2025-11-01", "4mo"),
        ("2023-03-01", "3y"),
        ("2027-01-01", ""),
        ("", ""),
        ("soon", ""),
    ],
)
def test_age_is_as_short_as_its_column(reviewed: str, shown: str) -> None:
    assert age_text(reviewed, TODAY) == shown


@pytest.mark.parametrize(
    ("verdict", "mode", "summary"),
    [
        (Verdict.MATCH, Mode.WORDS, "2 results"),
        (Verdict.WEAK, Mode.WORDS, "No good match"),
        (Verdict.WEAK, Mode.PASTE, "No known fix"),
        (Verdict.NONE, Mode.WORDS, "No known fix"),
    ],
)
def test_the_heading_is_honest(verdict: Verdict, mode: Mode, summary: str) -> None:
    found = answer(hit("a.md"), hit("b.md"), verdict=verdict, mode=mode)
    assert summary_text(found) == summary
    assert spoken_text(found).startswith(summary)


def test_foreign_text_cannot_turn_or_break_the_line_and_keeps_its_length() -> None:
    hostile = "pay\u202eload\x1b[31m\nnext\u2066"
    shown = on_one_line(hostile)
    assert len(shown) == len(hostile)
    assert not set(shown) & set("\u202e\x1b\n\u2066")


def test_the_knowledge_base_shows_only_when_there_are_several() -> None:
    assert hit_row(hit("a.md"), shows_base=True).base_label == "kb"
    assert hit_row(hit("a.md")).base_label == ""
