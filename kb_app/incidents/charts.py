"""Charts of the conformance report as SVG text, each with a sentence and a table that say the same.

Decision: drawn here, as text, instead of by a charting package. QtCharts is not part of PySide6-Essentials
(PySide6-Addons would add 200 MB for three pictures), plotting packages bring an interactive canvas and their
own look, and none of them gives the same bytes on every machine. One pure function a chart serves the window
(through ``QSvgRenderer``, in the theme's colours) and the printed page (inline, no script, in the page's).

What they keep to: SVG Tiny 1.2, which Qt reads; every number is written out; a verdict has a mark of its own
beside its colour; distributions show each value and the median, never a mean.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kb_app.incidents.conformance import Figure, Report, Row, Verdict
from kb_app.incidents.events import parse_time

_LABELS = 11.5
_SMALL = 10.5


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and type of a chart; anything that SVG takes as a colour, so also ``var(--name)``.

    Attributes:
        text, text2: labels; less important ones.
        grid: hairlines.
        surface: behind the chart; separates segments.
        accent: dots without a verdict, medians.
        verdicts: a colour for each verdict.
        on_verdict: text on those colours.
        family: font families.
    """

    text: str
    text2: str
    grid: str
    surface: str
    accent: str
    verdicts: Mapping[str, str]
    on_verdict: str = "#FFFFFF"
    family: str = "sans-serif"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture and what it says.

    Attributes:
        title: a few words.
        summary: one sentence with the figures that matter, also for who cannot see it.
        svg: the picture; empty when there is nothing to draw.
        columns, rows: the same as a table.
        width, height: in pixels at 100 %.
    """

    title: str
    summary: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    width: int = 0
    height: int = 0


# Shapes


@dataclass(slots=True)
class _Canvas:
    """SVG being written."""

    width: float
    height: float
    look: Look
    parts: list[str] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        color: str = "",
        size: float = _LABELS,
        anchor: str = "start",
        weight: int = 400,
    ) -> None:
        self.parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" fill="{color or self.look.text2}" font-size="{_n(size)}" '
            f'text-anchor="{anchor}" font-weight="{weight}">{html.escape(words)}</text>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, *, color: str = "", width: float = 1) -> None:
        self.parts.append(
            f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" '
            f'stroke="{color or self.look.grid}" stroke-width="{_n(width)}"/>'
        )

    def box(self, x: float, y: float, width: float, height: float, *, color: str, radius: float = 0) -> None:
        self.parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}" '
            f'fill="{color}"/>'
        )

    def dot(self, x: float, y: float, radius: float, color: str, *, is_hollow: bool = False) -> None:
        fill = self.look.surface if is_hollow else color
        self.parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill}" stroke="{color}" '
            'stroke-width="1.5"/>'
        )

    def path(self, data: str, color: str, width: float = 1.6) -> None:
        self.parts.append(
            f'<path d="{data}" fill="none" stroke="{color}" stroke-width="{_n(width)}" '
            'stroke-linecap="round" stroke-linejoin="round"/>'
        )

    def mark(self, verdict: str, x: float, y: float, color: str) -> None:
        """Draw a verdict's own mark, 9 pixels wide, around its middle."""
        if verdict == Verdict.BREACH:
            self.path(f"M{_n(x - 3)} {_n(y - 3)}l6 6M{_n(x + 3)} {_n(y - 3)}l-6 6", color)
        elif verdict == Verdict.MISSING:
            self.path(f"M{_n(x - 3.5)} {_n(y)}h7", color, 2)
        elif verdict == Verdict.LATE:
            self.parts.append(_ring(x, y, color))
            self.path(f"M{_n(x)} {_n(y - 2)}v2.2l1.6 1", color, 1.2)
        elif verdict == Verdict.OPEN:
            self.parts.append(_ring(x, y, color))
        else:
            self.path(f"M{_n(x - 3.5)} {_n(y + 0.3)}l2.4 2.6l4.6 -5.4", color)

    def svg(self, title: str, summary: str) -> str:
        """Return the whole picture."""
        name = html.escape(f"{title}. {summary}", quote=True)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} {_n(self.height)}" '
            f'width="{_n(self.width)}" height="{_n(self.height)}" role="img" aria-label="{name}" '
            f'font-family="{html.escape(self.look.family, quote=True)}">' + "".join(self.parts) + "</svg>"
        )


def _ring(x: float, y: float, color: str) -> str:
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="3.6" fill="none" stroke="{color}" stroke-width="1.4"/>'


def _n(value: float) -> str:
    """Return a coordinate: two decimals at most, so that the same input gives the same bytes."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def verdict_mark(verdict: str, color: str, surface: str = "none") -> str:
    """Return a verdict's own mark as a picture of 14 by 14 pixels."""
    canvas = _Canvas(14, 14, Look("", "", "", surface, "", {}))
    canvas.mark(verdict, 7, 7, color)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 14 14" width="14" height="14" '
        f'aria-hidden="true">{"".join(canvas.parts)}</svg>'
    )


# Verdicts over time

_STACK = (Verdict.CONFORMS, Verdict.OPEN, Verdict.LATE, Verdict.MISSING, Verdict.BREACH)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_COLUMNS = 36


def months_of(report: Report) -> tuple[str, ...]:
    """Return the months of the period as ``2025-06``, at most three years of them, the last ones."""
    scope = report.scope
    first, last = scope.begin.year * 12 + scope.begin.month - 1, scope.end.year * 12 + scope.end.month - 1
    if (scope.end.day, scope.end.hour) != (1, 0):
        last += 1
    months = range(max(first, last - MAX_COLUMNS), max(last, first + 1))
    return tuple(f"{month // 12:04d}-{month % 12 + 1:02d}" for month in months)


def verdicts_over_time(report: Report, look: Look, *, width: int = 720) -> Chart:
    """Return a column a month, one segment a verdict, what conforms at the bottom."""
    months = months_of(report)
    counts = {
        month: {v: sum(r.verdict == v and r.deployed_at[:7] == month for r in report.rows) for v in Verdict}
        for month in months
    }
    totals = {month: sum(counts[month].values()) for month in months}
    whole = sum(totals.values())
    words = ", ".join(f"{report.counts[verdict]} {verdict}" for verdict in reversed(_STACK))
    summary = f"{whole} emergency changes in {_plural(len(months), 'month')}: {words}"
    table = tuple(
        (month, *(str(counts[month][verdict]) for verdict in reversed(_STACK)), str(totals[month]))
        for month in months
    )
    columns = ("month", *(verdict.value for verdict in reversed(_STACK)), "all")
    height = 268
    canvas = _Canvas(width, height, look)
    left, right, top, bottom = 34.0, width - 8.0, 44.0, height - 26.0
    _legend(canvas, left, 14, report.counts)
    highest = max((*totals.values(), 1))
    step = _step(highest)
    ceiling = math.ceil(highest / step) * step
    scale = (bottom - top) / ceiling
    for value in range(0, ceiling + 1, step):
        y = bottom - value * scale
        canvas.line(left, y, right, y)
        canvas.text(left - 8, y + 4, str(value), anchor="end", size=_SMALL)
    slot = (right - left) / len(months)
    column = min(44.0, slot * 0.72)
    for number, month in enumerate(months):
        middle = left + slot * (number + 0.5)
        _column(canvas, (middle - column / 2, column), bottom, scale, counts[month])
        if len(months) <= 12 or number % 3 == 0:
            canvas.text(middle, bottom + 17, _month_name(month, months), anchor="middle")
    return Chart(
        "Verdicts by month", summary, canvas.svg("Verdicts by month", summary), columns, table, width, height
    )


def _legend(canvas: _Canvas, x: float, y: float, counts: Mapping[str, int]) -> None:
    for verdict in reversed(_STACK):
        color = canvas.look.verdicts[verdict]
        canvas.box(x, y - 8, 16, 16, color=color, radius=3)
        canvas.mark(verdict, x + 8, y, canvas.look.on_verdict)
        words = f"{verdict.value} {counts[verdict.value]}"
        canvas.text(x + 22, y + 4, words, color=canvas.look.text)
        x += 22 + 6.6 * len(words) + 18


def _column(
    canvas: _Canvas, span: tuple[float, float], bottom: float, scale: float, counts: Mapping[Verdict, int]
) -> None:
    """Stack the verdicts of a month; ``span`` is where the column begins and how wide it is."""
    (x, width), y = span, bottom
    for verdict in _STACK:
        count = counts[verdict]
        if not count:
            continue
        high = count * scale
        canvas.box(x, y - high, width, max(1.0, high - 1), color=canvas.look.verdicts[verdict], radius=2)
        if high >= 15 and width >= 30:
            canvas.mark(verdict, x + width / 2 - 7, y - high / 2 - 0.5, canvas.look.on_verdict)
            canvas.text(
                x + width / 2 + 3,
                y - high / 2 + 3.5,
                str(count),
                color=canvas.look.on_verdict,
                size=_SMALL,
                weight=600,
            )
        y -= high


def _month_name(month: str, months: Sequence[str]) -> str:
    name = _MONTHS[int(month[5:]) - 1]
    is_first = month == months[0] or month.endswith("-01")
    return f"{name} {month[:4]}" if is_first and len({m[:4] for m in months}) > 1 else name


def _step(highest: int) -> int:
    """Return the distance of the grid's lines: about four of them."""
    wanted = max(1.0, highest / 4)
    power = 10 ** math.floor(math.log10(wanted))
    return int(next(n * power for n in (1, 2, 5, 10) if n * power >= wanted))


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


# Time to review against its limit


@dataclass(frozen=True, slots=True)
class ReviewTime:
    """How long a review after deployment took.

    Attributes:
        change: its id.
        hours: from deployment to review.
        limit_hours: what was allowed.
        verdict: of the change.
    """

    change: str
    hours: float
    limit_hours: float
    verdict: str

    @property
    def is_late(self) -> bool:
        """Tell whether the limit had passed."""
        return self.hours > self.limit_hours


def review_times(rows: Iterable[Row]) -> tuple[ReviewTime, ...]:
    """Return the reviews that came after their deployment, in the order of the rows."""
    found = []
    for row in rows:
        deployed, due, reviewed = (parse_time(t) for t in (row.deployed_at, row.review_due, row.reviewed_at))
        if row.review_mode != "after" or deployed is None or due is None or reviewed is None:
            continue
        hours = (reviewed - deployed).total_seconds() / 3600
        found.append(ReviewTime(row.change_id, hours, (due - deployed).total_seconds() / 3600, row.verdict))
    return tuple(found)


def time_to_review(report: Report, look: Look, *, width: int = 720) -> Chart:
    """Return a row for each limit that was in force: a dot a review, the limit as a line."""
    times = review_times(report.rows)
    late = sum(time.is_late for time in times)
    summary = (
        f"{_plural(len(times), 'review')} after deployment: {len(times) - late} in time, {late} late"
        if times
        else "No review after deployment in this period"
    )
    table = tuple(
        (time.change, f"{time.hours:.1f}", f"{time.limit_hours:g}", "late" if time.is_late else "in time")
        for time in times
    )
    columns = ("change", "hours to review", "limit in hours", "standing")
    title = "Time to review against its limit"
    if not times:
        return Chart(title, summary, "", columns, table)
    limits = sorted({time.limit_hours for time in times})
    row_height, top = 78, 16
    height = top + row_height * len(limits) + 30
    canvas = _Canvas(width, height, look)
    left, right = 104.0, width - 16.0
    furthest = max(max(time.hours, time.limit_hours) for time in times) * 1.06
    scale = (right - left) / furthest
    axis = top + row_height * len(limits)
    for value in _ticks(furthest):
        x = left + value * scale
        canvas.line(x, top, x, axis)
        canvas.text(x, axis + 16, f"{value:g} h", anchor="middle", size=_SMALL)
    for number, limit in enumerate(limits):
        base = top + row_height * (number + 1) - 14
        inside = [time for time in times if time.limit_hours == limit]
        canvas.text(0, base - 16, f"limit {limit:g} h", color=look.text, weight=600)
        canvas.text(0, base, _plural(len(inside), "review"), size=_SMALL)
        canvas.line(left, base + 5, right, base + 5)
        x = left + limit * scale
        canvas.line(x, base - row_height + 26, x, base + 5, color=look.verdicts[Verdict.LATE], width=2)
        canvas.text(x + 5, base - row_height + 34, "limit", color=look.verdicts[Verdict.LATE], size=_SMALL)
        dots = [_Dot(left + t.hours * scale, _standing(look, t), t.is_late) for t in inside]
        _swarm(canvas, dots, base, row_height - 34, 4)
    return Chart(title, summary, canvas.svg(title, summary), columns, table, width, height)


def _standing(look: Look, time: ReviewTime) -> str:
    return look.verdicts[Verdict.LATE if time.is_late else Verdict.CONFORMS]


@dataclass(frozen=True, slots=True)
class _Dot:
    """A value: where it stands, its colour, whether it is drawn as a ring."""

    x: float
    color: str
    is_hollow: bool = False


def _swarm(canvas: _Canvas, dots: Sequence[_Dot], base: float, room: float, radius: float) -> None:
    """Put dots on a line, those that would cover each other above each other, as far as there is room."""
    placed: list[tuple[float, float]] = []
    gap = 2 * radius + 1
    for dot in sorted(dots, key=lambda dot: (dot.x, dot.is_hollow)):
        levels = (base - level * gap for level in range(max(1, int(room / gap) + 1)))
        free = (
            y
            for y in levels
            if not any(abs(dot.x - px) < gap and abs(y - py) < gap - 0.5 for px, py in placed)
        )
        y = next(free, base)
        placed.append((dot.x, y))
        canvas.dot(dot.x, y, radius, dot.color, is_hollow=dot.is_hollow)


def _ticks(furthest: float) -> tuple[float, ...]:
    wanted = furthest / 6
    steps = (0.25, 0.5, 1, 2, 4, 6, 12, 24, 48, 72, 168, 336, 720, 2160, 8760)
    step = next((s for s in steps if s >= wanted), wanted)
    return tuple(step * n for n in range(int(furthest / step) + 1))


# Times as distributions

_NICE = (1, 2, 5, 10, 20, 30, 60, 120, 240, 480, 1440, 2880, 10080, 43200, 129600, 525600)


def distributions(figures: Sequence[Figure], look: Look, *, width: int = 720, title: str = "") -> Chart:
    """Return a row for each measure: a dot a value, a line at the median, on a scale of ratios."""
    title = title or "Time to mitigate and time to fix"
    shown = [figure for figure in figures if figure.minutes]
    columns = ("measure", "median", "shortest", "longest", "n")
    table = tuple(_figure_cells(figure) for figure in figures)
    summary = _sentence(
        "; ".join(f"{f.name}: median {duration(f.median_minutes or 0)} of {f.count}" for f in shown)
        or "Nothing was measured in this period"
    )
    if not shown:
        return Chart(title, summary, "", columns, table)
    row_height, top = 66, 8
    height = top + row_height * len(shown) + 28
    canvas = _Canvas(width, height, look)
    left, right = 176.0, width - 20.0
    low = max(0.5, min(min(f.minutes) for f in shown) / 1.4)
    high = max(low * 4, max(max(f.minutes) for f in shown) * 1.4)
    scale = (right - left) / (math.log(high) - math.log(low))

    def x_of(minutes: float) -> float:
        return left + (math.log(max(minutes, low)) - math.log(low)) * scale

    axis = top + row_height * len(shown)
    last = -100.0
    for value in _NICE:
        if low <= value <= high and x_of(value) - last > 44:
            last = x_of(value)
            canvas.line(last, top, last, axis)
            canvas.text(last, axis + 16, duration(value), anchor="middle", size=_SMALL)
    for number, figure in enumerate(shown):
        _distribution(canvas, figure, top + row_height * (number + 1) - 16, [x_of(m) for m in figure.minutes])
        x = x_of(figure.median_minutes or low)
        base = top + row_height * (number + 1) - 16
        canvas.line(x, base - 34, x, base + 7, color=look.text, width=2)
        canvas.text(
            x + 5, base - 28, f"median {duration(figure.median_minutes or 0)}", color=look.text, weight=600
        )
    return Chart(title, summary, canvas.svg(title, summary), columns, table, width, height)


def _distribution(canvas: _Canvas, figure: Figure, base: float, places: Sequence[float]) -> None:
    first, _, rest = figure.name.partition(", ")
    canvas.text(0, base - 13, first, color=canvas.look.text, weight=600)
    canvas.text(0, base + 2, f"{rest}, n = {figure.count}" if rest else f"n = {figure.count}", size=_SMALL)
    canvas.line(176, base + 6, canvas.width - 20, base + 6)
    _swarm(canvas, [_Dot(x, canvas.look.accent) for x in places], base, 24, 3.6)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _figure_cells(figure: Figure) -> tuple[str, ...]:
    if figure.median_minutes is None:
        return figure.name, "–", "–", "–", "0"
    spans = (figure.median_minutes, figure.lowest_minutes or 0, figure.highest_minutes or 0)
    return (figure.name, *(duration(span) for span in spans), str(figure.count))


def duration(minutes: float) -> str:
    """Return minutes as people say them: ``7 min``, ``1 h 30``, ``2 d 4 h``."""
    whole = round(minutes)
    if whole < 60:
        return f"{minutes:g} min" if minutes < 1 else f"{whole} min"
    hours, rest = divmod(whole, 60)
    if hours < 24:
        return f"{hours} h {rest:02d}" if rest else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def charts_of(report: Report, look: Look, *, width: int = 720) -> tuple[Chart, ...]:
    """Return the three charts of a report: verdicts, reviews, times."""
    times = [figure for figure in report.figures if not figure.name.startswith("time to review")]
    return (
        verdicts_over_time(report, look, width=width),
        time_to_review(report, look, width=width),
        distributions(times, look, width=width),
    )
