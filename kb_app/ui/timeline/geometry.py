"""Where everything stands in the picture of an incident, in pixels; pure, so that it can be tested.

Decision: long stretches in which nothing happens are cut out of the scale and marked as cuts. An incident of
an hour and its review two days later are then both readable; lengths may be compared between two cuts only.
"""

from __future__ import annotations

import bisect
import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from kb_app.ui.timeline.state import Lane, Level, Point, Track, span_text

MARK = 20
"""Edge of a moment's mark in pixels."""

GAP = 2
"""Least distance of two marks of a row."""

PADDING = 16
CUT_WIDTH = 48
MIN_CUT_WIDTH = 22
MAX_CUT_SHARE = 0.4
SHORTEST_CUT = dt.timedelta(hours=2)
LEAST_PIECE = 24.0
TICK_DISTANCE = 72.0
CHAR_WIDTH = 6.4
"""Width of a letter of 11 px in Inter, rounded up."""

AXIS_HEIGHT = 24
BAND_TOP = AXIS_HEIGHT + 4
BAND_HEIGHT = 24
BRACKET_HEIGHT = 20
LANE_HEIGHT = 26
BOTTOM = 8
LANE_ROWS = {Lane.ACTIONS: 2}
_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the scale.

    Attributes:
        begin, end: its times.
        left, right: its pixels.
        is_cut: nothing happens in it; it is drawn short.
    """

    begin: dt.datetime
    end: dt.datetime
    left: float
    right: float
    is_cut: bool

    @property
    def text(self) -> str:
        """How long it lasts, for a cut."""
        return span_text(self.end - self.begin)


@dataclass(frozen=True, slots=True)
class Scale:
    """Times to pixels, linear within each piece; never decreasing."""

    pieces: tuple[Piece, ...]

    def x_of(self, at: dt.datetime) -> float:
        """Return where ``at`` stands; times outside stand at the ends."""
        begins = [piece.begin for piece in self.pieces]
        piece = self.pieces[max(0, bisect.bisect_right(begins, at) - 1)]
        length = (piece.end - piece.begin).total_seconds()
        if length <= 0:
            return (piece.left + piece.right) / 2
        share = (at - piece.begin).total_seconds() / length
        return piece.left + max(0.0, min(1.0, share)) * (piece.right - piece.left)

    @property
    def cuts(self) -> tuple[Piece, ...]:
        """The stretches that are drawn short."""
        return tuple(piece for piece in self.pieces if piece.is_cut)


def scale_of(times: Sequence[dt.datetime], width: float) -> Scale:
    """Return the scale for these times on ``width`` pixels.

    Args:
        times: of everything that is shown, at least one.
        width: of the canvas in pixels, > 0.
    """
    ordered = sorted(set(times))
    least = idle_from(ordered)
    stretches: list[tuple[dt.datetime, dt.datetime, bool]] = []
    begin = ordered[0]
    for earlier, later in itertools.pairwise(ordered):
        if least is not None and later - earlier >= least:
            stretches += [(begin, earlier, False), (earlier, later, True)]
            begin = later
    stretches.append((begin, ordered[-1], False))
    return Scale(_pieces(stretches, width))


def idle_from(ordered: Sequence[dt.datetime]) -> dt.timedelta | None:
    """Return from which length on a gap between two times is cut out; None when none is.

    A gap is idle when it is above `SHORTEST_CUT` and longer than all shorter gaps together.
    """
    total = dt.timedelta()
    for gap in sorted(later - earlier for earlier, later in itertools.pairwise(ordered)):
        if gap > SHORTEST_CUT and gap > total:
            return gap
        total += gap
    return None


def _pieces(stretches: Sequence[tuple[dt.datetime, dt.datetime, bool]], width: float) -> tuple[Piece, ...]:
    room = max(1.0, width - 2 * PADDING)
    cuts = sum(is_cut for _, _, is_cut in stretches)
    wanted = max(MIN_CUT_WIDTH, min(CUT_WIDTH, MAX_CUT_SHARE * room / cuts)) if cuts else 0.0
    lively = [max(0.0, (end - begin).total_seconds()) for begin, end, is_cut in stretches if not is_cut]
    rest = max(1.0, room - cuts * wanted)
    least = min(LEAST_PIECE, rest / len(lively))
    spare = max(0.0, rest - least * len(lively))
    total = sum(lively)
    pieces, left = [], float(PADDING)
    for begin, end, is_cut in stretches:
        share = (end - begin).total_seconds() / total if total else 1 / len(lively)
        length = wanted if is_cut else least + spare * share
        pieces.append(Piece(begin, end, left, left + length, is_cut))
        left += length
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class Mark:
    """One or more moments at one place.

    Attributes:
        lane, row: which row of which lane.
        x, y: its middle.
        points: what stands there, in order of time; several where there is no room for each.
    """

    lane: Lane
    row: int
    x: float
    y: float
    points: tuple[Point, ...]

    def holds(self, moment: int) -> bool:
        """Tell whether a moment stands here."""
        return any(point.moment == moment for point in self.points)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a word: a stretch of the band, a bracket, a wait.

    Attributes:
        left, right, top, height: in pixels.
        text: what it says; empty where there is no room.
        text_left, text_right: where the text stands: beside a cut, never across one.
        level: of a stretch of the band.
        color: colour token of a bracket.
        moment: number of the moment behind a wait; -1 for others.
    """

    left: float
    right: float
    top: float
    height: float
    text: str = ""
    level: Level = Level.UNKNOWN
    color: str = ""
    moment: int = -1
    text_left: float = 0.0
    text_right: float = 0.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis: where, and what it says."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands.

    Attributes:
        width, height: of the canvas.
        scale: times to pixels.
        ticks: of the axis; their texts do not touch.
        band: the impact.
        brackets: measured spans, one a row.
        waits: behind the marks of their lane.
        lanes: lane and its top.
        marks: in order of time.
        now: where now is; None when the incident is over.
    """

    width: float
    height: float
    scale: Scale
    ticks: tuple[Tick, ...]
    band: tuple[Box, ...]
    brackets: tuple[Box, ...]
    waits: tuple[Box, ...]
    lanes: tuple[tuple[Lane, float], ...]
    marks: tuple[Mark, ...]
    now: float | None

    def mark_at(self, x: float, y: float) -> Mark | None:
        """Return the mark under a place."""
        reach = MARK / 2 + 1
        near = [m for m in self.marks if abs(m.x - x) <= reach and abs(m.y - y) <= reach]
        return min(near, key=lambda m: abs(m.x - x), default=None)

    def mark_of(self, moment: int) -> Mark | None:
        """Return the mark of a moment."""
        return next((mark for mark in self.marks if mark.holds(moment)), None)


def lane_tops(brackets: int) -> tuple[tuple[tuple[Lane, float], ...], float]:
    """Return each lane with its top, and the height of the whole.

    Args:
        brackets: how many rows of measured spans stand above the lanes.
    """
    top = float(BAND_TOP + BAND_HEIGHT + brackets * BRACKET_HEIGHT + 8)
    found = []
    for lane in Lane:
        found.append((lane, top))
        top += LANE_HEIGHT * LANE_ROWS.get(lane, 1)
    return tuple(found), top + BOTTOM


def lay_out(track: Track, width: float) -> Layout:
    """Return where everything of ``track`` stands on a canvas ``width`` pixels wide."""
    times = [point.at for point in track.points] + [wait.end for wait in track.waits]
    scale = scale_of([*times, track.begin, track.end], width)
    lanes, height = lane_tops(len(track.brackets))
    tops = dict(lanes)
    return Layout(
        width=width,
        height=height,
        scale=scale,
        ticks=_ticks(scale),
        band=tuple(_band_box(scale, s.begin, s.end, s.level) for s in track.segments),
        brackets=tuple(
            Box(
                scale.x_of(bracket.begin),
                scale.x_of(bracket.end),
                BAND_TOP + BAND_HEIGHT + 4 + number * BRACKET_HEIGHT,
                BRACKET_HEIGHT - 4,
                bracket.text,
                color=bracket.color,
            )
            for number, bracket in enumerate(track.brackets)
        ),
        waits=tuple(
            Box(
                scale.x_of(wait.begin),
                scale.x_of(wait.end),
                tops[Lane.ACTIONS],
                LANE_HEIGHT * LANE_ROWS[Lane.ACTIONS],
                moment=wait.moment,
            )
            for wait in track.waits
        ),
        lanes=lanes,
        marks=_marks(track.points, scale, tops),
        now=scale.x_of(track.end) if track.is_open else None,
    )


def _band_box(scale: Scale, begin: dt.datetime, end: dt.datetime, level: Level) -> Box:
    left, right = scale.x_of(begin), scale.x_of(end)
    parts = [
        (max(left, piece.left), min(right, piece.right))
        for piece in scale.pieces
        if not piece.is_cut and piece.left < right and piece.right > left
    ]
    text_left, text_right = max(parts, key=lambda part: part[1] - part[0], default=(left, right))
    text = level.value if text_right - text_left >= CHAR_WIDTH * len(level.value) + 12 else ""
    return Box(left, right, BAND_TOP, BAND_HEIGHT, text, level, text_left=text_left, text_right=text_right)


def _marks(points: Sequence[Point], scale: Scale, tops: dict[Lane, float]) -> tuple[Mark, ...]:
    found: list[Mark] = []
    for lane in Lane:
        rows = LANE_ROWS.get(lane, 1)
        last: list[int | None] = [None] * rows  # the last mark of each row, by its place in ``found``
        for point in (p for p in points if p.lane is lane):
            x = scale.x_of(point.at)
            row = next((r for r in range(rows) if _is_free(found, last[r], x)), None)
            if row is None:
                _join(found, last, point)
                continue
            y = tops[lane] + LANE_HEIGHT * (row + 0.5)
            last[row] = len(found)
            found.append(Mark(lane, row, x, y, (point,)))
    return tuple(sorted(found, key=lambda mark: (mark.points[0].at, mark.points[0].moment)))


def _is_free(found: Sequence[Mark], last: int | None, x: float) -> bool:
    return last is None or x - found[last].x >= MARK + GAP


def _join(found: list[Mark], last: Sequence[int | None], point: Point) -> None:
    """Put a moment to the latest mark of its lane: there is no room for one of its own."""
    place = max(number for number in last if number is not None)
    mark = found[place]
    found[place] = Mark(mark.lane, mark.row, mark.x, mark.y, (*mark.points, point))


def _ticks(scale: Scale) -> tuple[Tick, ...]:
    found: list[Tick] = []
    day = None
    for piece in scale.pieces:
        if piece.is_cut:
            continue
        for at in _tick_times(piece):
            text = f"{at:%H:%M}" if at.date() == day else f"{at.day} {at:%b} {at:%H:%M}"
            tick = Tick(scale.x_of(at), text)
            if not found or _left(tick) >= _right(found[-1]) + 8:
                found.append(tick)
                day = at.date()
    return tuple(found)


def _left(tick: Tick) -> float:
    return tick.x - CHAR_WIDTH * len(tick.text) / 2


def _right(tick: Tick) -> float:
    return tick.x + CHAR_WIDTH * len(tick.text) / 2


def _tick_times(piece: Piece) -> list[dt.datetime]:
    """Return round times of a piece, far enough from each other; its beginning where there is none."""
    begin, end = piece.begin.astimezone(dt.UTC), piece.end.astimezone(dt.UTC)
    length = (end - begin).total_seconds()
    if length <= 0:
        return [begin]
    pixels = (piece.right - piece.left) / length
    step = next((s for s in _STEPS_S if s * pixels >= TICK_DISTANCE), _STEPS_S[-1])
    first = -(-begin.timestamp() // step) * step
    times: list[dt.datetime] = []
    while first <= end.timestamp() and len(times) < 400:
        times.append(dt.datetime.fromtimestamp(first, dt.UTC))
        first += step
    return times or [begin]
