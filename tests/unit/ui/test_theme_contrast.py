"""Every pair of colours that meets in the window can be read, in both themes."""

from __future__ import annotations

import pytest

from kb_app.ui.common.tokens import COLOR_NAMES, DARK, LIGHT, Tokens, contrast

TEXT = 4.5  # WCAG 2.2, 1.4.3: text
OUTLINE = 3.0  # WCAG 2.2, 1.4.11: outlines, focus, icons that carry meaning

PAIRS = [
    *((text, ground, TEXT) for text in ("text", "text2", "text3") for ground in ("surface", "chrome")),
    *(
        (text, ground, TEXT)
        for text in ("text", "text2", "text3")
        for ground in ("surface2", "selection", "hover")
    ),
    *(("accent", ground, TEXT) for ground in ("surface", "chrome", "surface2", "selection")),
    ("on_accent", "accent_fill", TEXT),
    ("on_mark", "mark", TEXT),
    *((tone, f"{tone}_bg", TEXT) for tone in ("mitigate", "fix", "danger", "info")),
    *((tone, "surface", TEXT) for tone in ("mitigate", "fix", "danger", "info")),
    *(("text", f"{tone}_bg", TEXT) for tone in ("mitigate", "fix", "danger", "info")),
    *(("text2", f"{tone}_bg", TEXT) for tone in ("mitigate", "fix", "danger", "info")),
    *(("accent", f"{tone}_bg", TEXT) for tone in ("mitigate", "fix", "danger", "info")),
    *((f"syntax_{n}", "surface2", TEXT) for n in ("keyword", "string", "comment", "name", "number")),
    ("danger", "surface2", TEXT),
    *(("outline", ground, OUTLINE) for ground in ("surface", "chrome", "surface2")),
    ("accent_fill", "surface", OUTLINE),
    ("accent", "hover", OUTLINE),
]


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_pair_has_enough_contrast(tokens: Tokens, front: str, ground: str, least: float) -> None:
    assert contrast(tokens.color(front), tokens.color(ground)) >= least


def test_contrast_of_known_pairs_is_as_published() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#FFFFFF", "#777777") == contrast("#777777", "#FFFFFF")


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
def test_every_colour_is_six_hexadecimal_digits(tokens: Tokens) -> None:
    for name in COLOR_NAMES:
        assert len(tokens.color(name)) == 7
        int(tokens.color(name)[1:], 16)


def test_asking_for_an_unknown_colour_says_so() -> None:
    with pytest.raises(KeyError):
        LIGHT.color("name")
