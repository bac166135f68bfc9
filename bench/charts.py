"""Bar charts as SVG, by hand: groups of bars with their values, readable in light and dark."""

from __future__ import annotations

from collections.abc import Mapping
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
            text = form.format(value) if value >= 10 or "." in form else f"{value:.1f}"
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
