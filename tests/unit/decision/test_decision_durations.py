import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.decision.durations import compact_minutes, format_minutes, parse_minutes


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("90s", 1.5),
        ("10m", 10),
        ("10 min", 10),
        ("5-15m", 15),
        ("5m - 15m", 15),
        ("5–15 minutes", 15),
        ("30s-2m", 2),
        ("1.5h", 90),
        ("1h 30m", 90),
        ("build 10m + test 5m + rollout 10m", 25),
        ("about 10m per node", 10),
        ("24h", 1440),
        ("5d", 7200),
        ("2 weeks", 20160),
        ("0m", 0),
    ],
)
def test_a_time_with_units_is_read(text, minutes):
    assert parse_minutes(text) == pytest.approx(minutes)


@pytest.mark.parametrize(
    "text",
    ["", "10", "soon", "build 10m + test", "5-15", "-5m", "10 monkeys", "v1.2", "10m + 5", "9" * 300 + "m"],
)
def test_a_time_that_does_not_say_is_unknown(text):
    assert parse_minutes(text) is None


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 min"),
        (0.5, "0.5 min"),
        (8, "8 min"),
        (60, "1 h"),
        (90, "90 min"),
        (150, "2 h 30 min"),
        (1440, "24 h"),
        (7200, "5 days"),
    ],
)
def test_a_time_is_shown_as_people_say_it(minutes, text):
    assert format_minutes(minutes) == text


@given(st.integers(0, 100_000))
def test_the_compact_form_reads_back(minutes):
    assert parse_minutes(compact_minutes(minutes)) == minutes


@given(st.text(max_size=300))
def test_any_text_is_a_time_from_zero_or_unknown(text):
    minutes = parse_minutes(text)
    assert minutes is None or minutes >= 0
