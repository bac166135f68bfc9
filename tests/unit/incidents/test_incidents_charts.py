import dataclasses
import re
import xml.etree.ElementTree as ET

import pytest

from kb_app.incidents.charts import (
    Look,
    charts_of,
    distributions,
    duration,
    months_of,
    review_times,
    time_to_review,
    verdicts_over_time,
)
from kb_app.incidents.conformance import Scope, Verdict, conformance, figure, period_of
from kb_app.incidents.report_page import period_text
from kb_app.incidents.sample_year import write_sample_year

LOOK = Look("#111111", "#222222", "#eeeeee", "#ffffff", "#0000ff", {v.value: "#123456" for v in Verdict})


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("year")
    year = write_sample_year(root)
    return conformance(root, Scope(year.begin, year.end, year.as_of), policies=year.policies)


def words(chart):
    return [
        element.text or "" for element in ET.fromstring(chart.svg).iter() if element.tag.endswith("}text")
    ]


def test_every_chart_is_well_formed_and_says_what_it_shows(report):
    for chart in charts_of(report, LOOK):
        root = ET.fromstring(chart.svg)
        assert root.get("role") == "img"
        assert chart.summary in (root.get("aria-label") or "")
        assert chart.summary
        assert chart.rows
        assert all(len(row) == len(chart.columns) for row in chart.rows)
        assert "script" not in chart.svg


def test_the_same_report_gives_the_same_picture(report):
    assert charts_of(report, LOOK) == charts_of(report, LOOK)


def test_the_columns_hold_every_verdict_of_every_month(report):
    chart = verdicts_over_time(report, LOOK)
    assert [row[0] for row in chart.rows] == [f"2025-{month:02d}" for month in range(1, 13)]
    whole = {name: sum(int(row[n]) for row in chart.rows) for n, name in enumerate(chart.columns) if n}
    assert whole.pop("all") == len(report.rows)
    assert whole == dict(report.counts)
    for verdict, count in report.counts.items():
        assert f"{verdict} {count}" in words(chart)


def test_colour_never_stands_alone(report):
    legend = verdicts_over_time(report, LOOK).svg
    marks = {re.sub(r"[\d.]+", "", part) for part in re.findall(r'<path d="([^"]*)"', legend)}
    assert len(marks) >= 4  # a cross, a dash, a clock's hands, a tick; open is a ring


def test_a_review_is_drawn_against_the_limit_that_held_for_it(report):
    times = review_times(report.rows)
    assert {time.limit_hours for time in times} == {24, 48}
    late = [time for time in times if time.is_late]
    assert [time.verdict for time in late] == ["late"]
    chart = time_to_review(report, LOOK)
    assert f"{len(times)} reviews after deployment: {len(times) - 1} in time, 1 late" == chart.summary
    assert chart.svg.count("<circle") == len(times)


def test_a_distribution_shows_each_value_and_the_median():
    chart = distributions([figure("time to fix", [5, 7, 600])], LOOK)
    assert chart.svg.count("<circle") == 3
    assert "median 7 min" in words(chart)
    assert chart.rows == (("time to fix", "7 min", "5 min", "10 h", "3"),)


def test_nothing_measured_gives_no_picture_and_says_so(report):
    empty = dataclasses.replace(report, rows=(), figures=(figure("time to fix", []),))
    assert [bool(chart.svg) for chart in charts_of(empty, LOOK)] == [True, False, False]
    assert "Nothing was measured" in charts_of(empty, LOOK)[2].summary


def test_text_from_records_cannot_break_a_picture(report):
    row = dataclasses.replace(report.rows[0], change_id='"/><script>x</script>')
    for chart in charts_of(dataclasses.replace(report, rows=(row, *report.rows[1:])), LOOK):
        if chart.svg:
            ET.fromstring(chart.svg)
            assert "<script" not in chart.svg


@pytest.mark.parametrize("values", [[0.0], [1.0] * 500, [0.001, 5_000_000.0]])
def test_any_values_stay_inside_the_picture(values):
    chart = distributions([figure("time to fix", values)], LOOK, width=500)
    for circle in (e for e in ET.fromstring(chart.svg).iter() if e.tag.endswith("}circle")):
        assert 0 <= float(circle.get("cx")) <= 500
        assert 0 <= float(circle.get("cy")) <= chart.height


@pytest.mark.parametrize(
    ("period", "text", "months"),
    [
        ("2025", "2025", 12),
        ("2025-Q2", "Q2 2025", 3),
        ("2025-06", "June 2025", 1),
        ("2025-06-03..2025-07-02", "3 June 2025 to 2 July 2025", 2),
        ("2019..2025", "1 January 2019 to 31 December 2025", 36),
    ],
)
def test_a_period_is_named_as_people_do(report, period, text, months):
    begin, end = period_of(period)
    assert period_text(begin, end) == text
    assert len(months_of(dataclasses.replace(report, scope=Scope(begin, end, end)))) == months


@pytest.mark.parametrize(
    ("minutes", "text"), [(0.4, "0.4 min"), (7, "7 min"), (90, "1 h 30"), (120, "2 h"), (3120, "2 d 4 h")]
)
def test_durations_are_said_as_people_do(minutes, text):
    assert duration(minutes) == text
