from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_app.entries.durations import MAX_MINUTES, days_of, parse_duration


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("90s", 1.5, 1.5),
        ("10m", 10, 10),
        ("10 min", 10, 10),
        ("5-15m", 5, 15),
        ("5–15 minutes", 5, 15),
        ("5 to 15 minutes", 5, 15),
        ("90s-5m", 1.5, 5),
        ("1.5h", 90, 90),
        ("1,5h", 90, 90),
        ("1h 30m", 90, 90),
        ("build 10m + test 5m + rollout 10m", 25, 25),
        ("test 5m + rollout 10-20m", 15, 25),
        ("~10m", 10, 10),
        ("< 5m", 0, 5),
        ("up to 2 hours", 0, 120),
        ("15-5m", 5, 15),
        ("2 days", 2880, 2880),
        ("6 months", 259200, 259200),
    ],
)
def test_durations_in_the_grammar(text: str, low: float, high: float) -> None:
    found = parse_duration(text)
    assert found is not None
    assert (found.low_minutes, found.high_minutes) == (low, high)
    assert found.text == text


@pytest.mark.parametrize(
    "text", ["", "10", "soon", "build + test 5m", "5-15", "9999999y", "10 apples", "v1.5h2", "x" * 300]
)
def test_what_has_no_unit_is_unknown(text: str) -> None:
    assert parse_duration(text) is None


@pytest.mark.parametrize(
    ("text", "days"), [("180d", 180), ("6 months", 180), ("1 year", 365), ("2h", 1), ("never", None)]
)
def test_review_intervals_count_in_days(text: str, days: int | None) -> None:
    assert days_of(text) == days


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_sane_bounds_or_none(text: str) -> None:
    found = parse_duration(text)
    assert found is None or 0 <= found.low_minutes <= found.high_minutes <= MAX_MINUTES
