"""Where the moments of an incident stand in its picture: in order, to scale, without touching each other."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.incidents.folders import records
from kb_app.incidents.sample_incident import write_sample_incident
from kb_app.incidents.sample_year import write_sample_year
from kb_app.incidents.timeline import read_state
from kb_app.ui.timeline.geometry import (
    CHAR_WIDTH,
    GAP,
    LANE_HEIGHT,
    MARK,
    PADDING,
    SHORTEST_CUT,
    Layout,
    idle_from,
    lane_tops,
    lay_out,
    scale_of,
)
from kb_app.ui.timeline.state import Lane, Level, Look, Point, Track, track_of

BEGIN = dt.datetime(2025, 6, 1, 2, 11, 9, tzinfo=dt.UTC)
WIDTHS = (400.0, 900.0, 1180.0, 4000.0)


def after(minutes: float) -> dt.datetime:
    return BEGIN + dt.timedelta(minutes=minutes)


def track(*offsets: float, lane: Lane = Lane.ACTIONS) -> Track:
    look = Look("copy", "text2", lane, "Action")
    points = tuple(
        Point(n, after(minutes), lane, look, is_late=False, is_corrected=False, text=f"event {n}")
        for n, minutes in enumerate(sorted(offsets))
    )
    return Track(points[0].at, points[-1].at, points, (), (), (), is_open=False)


def check(layout: Layout, count: int) -> None:
    """Check what every picture has to keep."""
    shown = [point.moment for mark in layout.marks for point in mark.points]
    assert sorted(shown) == list(range(count)), "every moment stands somewhere, once"
    rows: dict[tuple[Lane, int], list[float]] = {}
    for mark in layout.marks:
        rows.setdefault((mark.lane, mark.row), []).append(mark.x)
        assert mark.points == tuple(sorted(mark.points, key=lambda p: (p.at, p.moment)))
    for places in rows.values():
        for left, right in itertools.pairwise(sorted(places)):
            assert right - left >= MARK + GAP - 1e-6, "two marks of a row touch"
    for lane in Lane:
        firsts = [mark.points[0].at for mark in layout.marks if mark.lane is lane]
        places = [mark.x for mark in layout.marks if mark.lane is lane]
        assert places == sorted(places), "a later moment stands left of an earlier one"
        assert firsts == sorted(firsts)
    for one, other in itertools.pairwise(layout.ticks):
        end = one.x + CHAR_WIDTH * len(one.text) / 2
        assert other.x - CHAR_WIDTH * len(other.text) / 2 >= end, "two labels of the axis touch"
    inside = [mark.x for mark in layout.marks]
    assert min(inside) >= PADDING - 1e-6
    assert max(inside) <= layout.width - PADDING + 1e-6
    for box, following in itertools.pairwise(layout.band):
        assert box.right == pytest.approx(following.left), "the band has a gap or an overlap"


minutes = st.floats(min_value=0, max_value=60 * 24 * 30, allow_nan=False)


@given(st.lists(minutes, min_size=1, max_size=200), st.sampled_from(WIDTHS))
def test_no_two_marks_touch_whatever_the_times(offsets: list[float], width: float) -> None:
    layout = lay_out(track(*offsets), width)
    check(layout, len(offsets))


@given(st.lists(minutes, min_size=2, max_size=60), st.sampled_from(WIDTHS))
def test_the_scale_never_runs_backwards(offsets: list[float], width: float) -> None:
    times = sorted(after(offset) for offset in offsets)
    scale = scale_of(times, width)
    places = [scale.x_of(at) for at in times]
    assert places == sorted(places)
    assert scale.pieces[0].left == PADDING
    assert scale.pieces[-1].right == pytest.approx(width - PADDING)
    for one, other in itertools.pairwise(scale.pieces):
        assert one.right == pytest.approx(other.left)


def test_between_two_cuts_lengths_are_true_to_time() -> None:
    scale = scale_of([after(m) for m in (0, 10, 30, 40)], 1000)
    first, second = (
        scale.x_of(after(10)) - scale.x_of(after(0)),
        scale.x_of(after(30)) - scale.x_of(after(10)),
    )
    assert second == pytest.approx(2 * first)
    assert scale.cuts == ()


def test_a_night_without_events_is_cut_out_and_an_hour_is_not() -> None:
    scale = scale_of([after(m) for m in (0, 5, 60, 65, 65 + 60 * 9)], 1000)
    [cut] = scale.cuts
    assert (cut.begin, cut.end) == (after(65), after(65 + 60 * 9))
    assert cut.text == "9 h"
    assert cut.right - cut.left < 60


def test_a_gap_is_cut_only_when_it_is_longer_than_all_shorter_ones_together() -> None:
    even = [after(m * 180) for m in range(6)]
    assert idle_from(even) == dt.timedelta(hours=3)  # the first of equal gaps is longer than no gap
    busy = [after(m * 30) for m in range(12)]
    assert idle_from([*busy, busy[-1] + SHORTEST_CUT + dt.timedelta(minutes=1)]) is None


def test_times_outside_stand_at_the_ends() -> None:
    scale = scale_of([after(0), after(30)], 500)
    assert scale.x_of(after(-5)) == PADDING
    assert scale.x_of(after(99)) == 500 - PADDING


def test_one_moment_alone_has_a_place() -> None:
    layout = lay_out(track(0), 600)
    check(layout, 1)
    assert layout.ticks


def test_lanes_follow_each_other_without_overlap() -> None:
    tops, height = lane_tops(2)
    for (lane, top), (_, following) in itertools.pairwise(tops):
        assert following - top == LANE_HEIGHT * (2 if lane is Lane.ACTIONS else 1)
    assert height > tops[-1][1]
    assert lane_tops(0)[1] < height


def test_where_there_is_no_room_moments_share_a_mark_and_zooming_parts_them() -> None:
    close = track(*(n / 10 for n in range(40)))
    far, near = lay_out(close, 300), lay_out(close, 300 * 32)
    check(far, 40)
    check(near, 40)
    assert len(far.marks) < 30
    assert len(near.marks) == 40


def test_a_mark_is_found_under_the_pointer_and_by_its_moment() -> None:
    layout = lay_out(track(0, 20, 40), 900)
    mark = layout.mark_of(1)
    assert mark is not None
    assert layout.mark_at(mark.x + 4, mark.y - 4) == mark
    assert layout.mark_at(mark.x, mark.y + LANE_HEIGHT * 2) is None
    assert layout.mark_of(99) is None


@pytest.mark.parametrize("width", WIDTHS)
def test_a_year_of_incidents_keeps_the_rules(tmp_path: Path, width: float) -> None:
    write_sample_year(tmp_path)
    for place in records(tmp_path):
        state = read_state(place.folder)
        shown = track_of(state, state.moments[-1].at)
        assert shown is not None
        check(lay_out(shown, width), len(state.moments))


@pytest.mark.parametrize("extra", [0, 170])
def test_the_sample_incident_keeps_the_rules_at_thirty_and_at_two_hundred_events(
    tmp_path: Path, extra: int
) -> None:
    sample = write_sample_incident(tmp_path, extra_notes=[f"note {n}" for n in range(extra)])
    state = read_state(records(tmp_path)[0].folder)
    shown = track_of(state, sample.ended)
    assert shown is not None
    layout = lay_out(shown, 1100)
    check(layout, 30 + extra)
    assert [box.text for box in layout.brackets] == [bracket.text for bracket in shown.brackets]
    levels = [box.level for box in layout.band]
    assert levels == [Level.UNKNOWN, Level.DEGRADED, Level.DOWN, Level.MITIGATED, Level.FIXED]
    for box in layout.band:
        if box.text:
            assert box.text_right - box.text_left >= CHAR_WIDTH * len(box.text)
            for cut in layout.scale.cuts:
                assert box.text_right <= cut.left + 1e-6 or box.text_left >= cut.right - 1e-6
