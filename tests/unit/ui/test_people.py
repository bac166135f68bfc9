"""Initials and colours of people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.ui.common.people import PAIRS, colors_of, initials
from kb_app.ui.common.tokens import DARK, LIGHT, contrast


@pytest.mark.parametrize("pair", PAIRS)
def test_letters_are_readable_and_the_disc_is_seen(pair: tuple[str, str]) -> None:
    ground, ink = pair
    assert contrast(ground, ink) >= 4.5
    assert contrast(ground, LIGHT.surface) >= 3
    assert contrast(ground, DARK.surface) >= 1.5  # decoration: the name stands beside it


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("Jean-Luc van der Berg", "JB"),
        ("ops.bot", "OB"),
        ("", "?"),
        ("  --- ", "?"),
        ("李 小龙", "李小"),
        ("ßeta", "SS"),
    ],
)
def test_initials(name: str, shown: str) -> None:
    assert initials(name) == shown


@given(st.text(max_size=40))
def test_every_name_has_initials_and_a_colour(name: str) -> None:
    assert 1 <= len(initials(name)) <= 2
    assert colors_of(name) in PAIRS
    assert colors_of(name) == colors_of(name.strip())
