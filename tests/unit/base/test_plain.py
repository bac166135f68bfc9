import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.plain import from_plain, to_plain


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Outer:
    colour: Colour
    inner: Inner
    many: tuple[Inner, ...] = ()
    pair: tuple[int, int] = (0, 0)
    maybe: Inner | None = None
    day: dt.date | None = None
    table: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    either: str | tuple[str, ...] = ""


inners = st.builds(Inner, st.text(), st.floats(allow_nan=False, allow_infinity=False))
outers = st.builds(
    Outer,
    st.sampled_from(Colour),
    inners,
    st.lists(inners).map(tuple),
    st.tuples(st.integers(), st.integers()),
    st.none() | inners,
    st.none() | st.dates(),
    st.dictionaries(st.text(), st.lists(st.text()).map(tuple)),
    st.text() | st.lists(st.text()).map(tuple),
)


@given(outers)
def test_a_value_survives_the_way_through_json(value: Outer) -> None:
    assert from_plain(Outer, json.loads(json.dumps(to_plain(value)))) == value


def test_unknown_keys_are_ignored_and_absent_ones_take_their_defaults() -> None:
    assert from_plain(Inner, {"name": "a", "new in a later version": 1}) == Inner("a")


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (Inner, {}),
        (Inner, {"name": 3}),
        (Inner, []),
        (Outer, {"colour": "green", "inner": {"name": "x"}}),
        (Outer, {"colour": "red", "inner": {"name": "x"}, "pair": [1]}),
        (Outer, {"colour": "red", "inner": {"name": "x"}, "pair": [True, 1]}),
        (Outer, {"colour": "red", "inner": {"name": "x"}, "day": "not a day"}),
        (Outer, {"colour": "red", "inner": {"name": "x"}, "maybe": "x"}),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kind: type, plain: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_plain(kind, plain)


def test_a_type_without_json_form_is_refused() -> None:
    with pytest.raises(TypeError):
        to_plain(object())
