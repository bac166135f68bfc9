"""Every colour of the window, named once, for both themes.

Pure values, so that the contrast of each pair can be checked without a window
(``tests/unit/ui/test_theme_contrast.py``).

Source: WCAG 2.2, success criteria 1.4.3 (text 4.5:1) and 1.4.11 (outlines, focus 3:1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Tokens:
    """One theme's colours as ``#RRGGBB``.

    Attributes:
        name: ``light`` or ``dark``.
        chrome: behind filters, top bar and steps.
        surface: behind results, reader, cards, inputs.
        surface2: behind code and table heads.
        hover: behind what the pointer is on.
        border: hairlines and the frame of cards; decoration only.
        outline: frame of inputs and check boxes, 3:1 against both surfaces.
        text, text2, text3: primary, secondary and least important text.
        accent: links, focus ring, selected text on any surface.
        accent_fill, on_accent: the filled button and the text on it.
        selection: behind the selected row.
        mark, on_mark: highlighted search terms.
        mitigate, mitigate_bg: stop the harm; also warnings.
        fix, fix_bg: remove the cause; also success.
        danger, danger_bg: destructive, failed, critical.
        info, info_bg: notes.
        scroll: the scroll bar's handle at rest.
        syntax_keyword, syntax_string, syntax_comment, syntax_name, syntax_number: code.
    """

    name: str
    chrome: str
    surface: str
    surface2: str
    hover: str
    border: str
    outline: str
    text: str
    text2: str
    text3: str
    accent: str
    accent_fill: str
    on_accent: str
    selection: str
    mark: str
    on_mark: str
    mitigate: str
    mitigate_bg: str
    fix: str
    fix_bg: str
    danger: str
    danger_bg: str
    info: str
    info_bg: str
    scroll: str
    syntax_keyword: str
    syntax_string: str
    syntax_comment: str
    syntax_name: str
    syntax_number: str

    @property
    def is_dark(self) -> bool:
        """Tell whether light text stands on dark surfaces."""
        return self.name == "dark"

    def color(self, token: str) -> str:
        """Return the colour called ``token``.

        Raises:
            KeyError: when no colour has that name.
        """
        if token not in COLOR_NAMES:
            raise KeyError(token)
        value: str = getattr(self, token)
        return value


COLOR_NAMES = frozenset(field.name for field in fields(Tokens)) - {"name"}
"""Names that ``Tokens.color`` and ``icon`` take."""

LIGHT = Tokens(
    name="light",
    chrome="#F4F5F7",
    surface="#FFFFFF",
    surface2="#F6F7F9",
    hover="#EEF0F4",
    border="#E2E5EA",
    outline="#828A99",
    text="#1B1F27",
    text2="#474E5D",
    text3="#5F6878",
    accent="#2F55D4",
    accent_fill="#2F55D4",
    on_accent="#FFFFFF",
    selection="#E9EFFF",
    mark="#FFE8A3",
    on_mark="#1B1F27",
    mitigate="#8F4700",
    mitigate_bg="#FFF3E2",
    fix="#0A6640",
    fix_bg="#E6F5ED",
    danger="#B3261E",
    danger_bg="#FDECEA",
    info="#1F5FA8",
    info_bg="#E8F1FB",
    scroll="#C3C9D3",
    syntax_keyword="#8250DF",
    syntax_string="#0A5F3C",
    syntax_comment="#5F6878",
    syntax_name="#0550AE",
    syntax_number="#953800",
)

DARK = Tokens(
    name="dark",
    chrome="#14161B",
    surface="#1A1D24",
    surface2="#22262F",
    hover="#262B35",
    border="#2C313B",
    outline="#737C8D",
    text="#E6E8ED",
    text2="#B7BDC9",
    text3="#98A0AF",
    accent="#8FA8FF",
    accent_fill="#3D62E3",
    on_accent="#FFFFFF",
    selection="#262F4A",
    mark="#5C480A",
    on_mark="#FFEBB0",
    mitigate="#F2B467",
    mitigate_bg="#33270F",
    fix="#6FD0A1",
    fix_bg="#122C1F",
    danger="#FF9A90",
    danger_bg="#3A1C1A",
    info="#8EC1F7",
    info_bg="#182A3D",
    scroll="#3C4350",
    syntax_keyword="#C8A6FF",
    syntax_string="#8FD6A8",
    syntax_comment="#98A0AF",
    syntax_name="#85BDFF",
    syntax_number="#F0B47A",
)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two ``#RRGGBB`` colours, 1 to 21.

    Source: WCAG 2.2, definitions of relative luminance and contrast ratio.
    """
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
