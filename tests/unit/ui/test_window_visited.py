from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb_app.ui.visited import MAX_STEPS, History


def test_back_and_forward_walk_the_places_visited() -> None:
    history: History[str] = History()
    for place in "abc":
        history = history.visit(place)
    history = history.back().back()
    assert history.current == "a"
    assert not history.can_go_back
    assert history.forward().current == "b"


def test_a_new_place_forgets_what_lay_ahead() -> None:
    history: History[str] = History().visit("a").visit("b").back().visit("c")
    assert history.visited == ("a", "c")
    assert not history.can_go_forward


def test_the_same_place_twice_is_one_step() -> None:
    assert History().visit("a").visit("a").visited == ("a",)


@given(st.lists(st.sampled_from(["back", "forward", *"abcdef"]), max_size=300))
def test_the_position_is_always_inside(moves: list[str]) -> None:
    history: History[str] = History()
    for move in moves:
        history = getattr(history, move)() if move in ("back", "forward") else history.visit(move)
        assert -1 <= history.position < max(1, len(history.visited))
        assert len(history.visited) <= MAX_STEPS
