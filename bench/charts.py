"""Bar charts as SVG, by hand: groups of bars with their values, readable in light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

COLOURS = {"kb_app": "#2f6fde", "fts5": "#8a8f98", "tantivy": "#b7791f", "whoosh": "#b0b7c3"}
_LABEL_WIDTH, _BAR_WIDTH, _BAR, _GAP = 110, 520, 16, 14


def bar_chart(title: str, groups: Mapping[str, Mapping[str, float]], form: str = "{:.0f}") -> str:
    """Return a chart of horizontal bars.

    Args:
        title: heading.
        groups: group to engine to value, ≥ 0.
        form: how a value is written beside its bar.
    """
    top = max((value for row in groups.values() for value in row.values()), default=1.0) or 1.0
    parts: list[str] = []
    y = 64
    for group, row in groups.items():
        parts.append(f'<text x="{_LABEL_WIDTH - 8}" y="{y + 12}" text-anchor="end">{escape(group)}</text>')
        for name, value in row.items():
            length = max(1.0, value / top * _BAR_WIDTH)
            colour = COLOURS.get(name, "#777")
            parts.append(
                f'<rect x="{_LABEL_WIDTH}" y="{y}" width="{length:.1f}" height="{_BAR - 3}" fill="{colour}"/>'
            )
            text = f"{value:.1f}" if value < 10 and form == "{:.0f}" else form.format(value)
            parts.append(
                f'<text x="{_LABEL_WIDTH + length + 6:.1f}" y="{y + 11}" class="value">{text}</text>'
            )
            y += _BAR
        y += _GAP
    names = list(dict.fromkeys(name for row in groups.values() for name in row))
    legend = "".join(
        f'<rect x="{_LABEL_WIDTH + 120 * n}" y="36" width="12" height="12" '
        f'fill="{COLOURS.get(name, "#777")}"/>'
        f'<text x="{_LABEL_WIDTH + 120 * n + 18}" y="46">{escape(name)}</text>'
        for n, name in enumerate(names)
    )
    width = _LABEL_WIDTH + _BAR_WIDTH + 90
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" role="img">'
        f"<title>{escape(title)}</title>"
        "<style>text{font:12px sans-serif;fill:#5b6270}.head{font-size:14px;font-weight:600}</style>"
        f'<text x="8" y="20" class="head">{escape(title)}</text>{legend}{"".join(parts)}</svg>\n'
    )


_PLOT_WIDTH, _PLOT_HEIGHT = 560, 260
_LEFT, _TOP = 70, 64


def line_chart(title: str, lines: Mapping[str, Sequence[tuple[float, float]]], form: str = "{:.0f}") -> str:
    """Return a chart of lines over pages, both axes logarithmic, with the value at every point.

    Args:
        title: heading.
        lines: engine to (pages, value), both > 0.
        form: how a value is written beside its point.
    """
    points = [(x, max(y, 1e-3)) for line in lines.values() for x, y in line]
    xs, ys = [math.log10(x) for x, _ in points] or [0.0], [math.log10(y) for _, y in points] or [0.0]
    low_x, low_y = min(xs), min(ys)
    span_x, span_y = (max(xs) - low_x) or 1.0, (max(ys) - low_y) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + (math.log10(x) - low_x) / span_x * _PLOT_WIDTH,
            _TOP + _PLOT_HEIGHT - (math.log10(max(y, 1e-3)) - low_y) / span_y * _PLOT_HEIGHT,
        )

    parts = []
    for x in sorted({x for x, _ in points}):
        at, _ = place(x, 10**low_y)
        parts.append(
            f'<line x1="{at:.1f}" y1="{_TOP}" x2="{at:.1f}" y2="{_TOP + _PLOT_HEIGHT}" class="rule"/>'
        )
        parts.append(
            f'<text x="{at:.1f}" y="{_TOP + _PLOT_HEIGHT + 20}" text-anchor="middle">{x:,.0f}</text>'
        )
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS.get(name, "#777")
        spots = [place(x, y) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), (_, value) in zip(spots, line, strict=True):
            text = f"{value:.1f}" if value < 10 and form == "{:.0f}" else form.format(value)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
            parts.append(f'<text x="{x:.1f}" y="{y - 7:.1f}" text-anchor="middle">{text}</text>')
        at = _LEFT + 120 * number
        parts.append(f'<rect x="{at}" y="32" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{at + 18}" y="42">{escape(name)}</text>')
    width, height = _LEFT + _PLOT_WIDTH + 60, _TOP + _PLOT_HEIGHT + 52
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">'
        f"<title>{escape(title)}</title>"
        "<style>text{font:12px sans-serif;fill:#5b6270}.head{font-size:14px;font-weight:600}"
        ".rule{stroke:#5b6270;stroke-opacity:.25}</style>"
        f'<text x="8" y="20" class="head">{escape(title)}</text>{"".join(parts)}'
        f'<text x="{_LEFT + _PLOT_WIDTH / 2}" y="{height - 10}" text-anchor="middle">pages</text></svg>\n'
    )
