from __future__ import annotations

from kb_app.ui.filters.state import SHOWN_VALUES, FilterState, View, facet_groups, value_label


def test_a_click_wants_a_value_and_a_second_one_forgets_it() -> None:
    state = FilterState().toggled("product", "redis").toggled("product", "nginx").toggled("kind", "runbook")
    assert state.wanted == {"product": ("redis", "nginx"), "kind": ("runbook",)}
    assert state.count == 3
    assert state.toggled("kind", "runbook").wanted == {"product": ("redis", "nginx")}
    assert state.cleared().count == 0


def test_facets_that_tell_nothing_apart_stay_away() -> None:
    groups = facet_groups({"kind": {"runbook": 4}, "product": {"redis": 3, "nginx": 1}}, FilterState())
    assert [group.facet for group in groups] == ["product"]


def test_what_a_page_has_shows_even_when_it_is_one_value() -> None:
    groups = facet_groups({"has": {"mitigation": 4}}, FilterState())
    assert [(group.title, group.values[0].label) for group in groups] == [("Has", "Mitigation")]


def test_a_wanted_value_stays_when_nothing_has_it_any_more() -> None:
    state = FilterState().toggled("product", "redis")
    [group] = facet_groups({"product": {}}, state)
    assert [(value.value, value.count, value.is_wanted) for value in group.values] == [("redis", 0, True)]


def test_long_facets_fold_and_open() -> None:
    counts = {"component": {f"c{n}": 20 - n for n in range(12)}}
    [folded] = facet_groups(counts, FilterState())
    assert len(folded.values) == SHOWN_VALUES
    assert folded.hidden == 12 - SHOWN_VALUES
    [opened] = facet_groups(counts, FilterState().with_expanded("component"))
    assert len(opened.values) == 12
    assert opened.hidden == 0


def test_a_wanted_value_beyond_the_fold_shows() -> None:
    counts = {"component": {f"c{n}": 20 - n for n in range(12)}}
    [group] = facet_groups(counts, FilterState().toggled("component", "c11"))
    assert [value.value for value in group.values][-1] == "c11"


def test_values_are_named_for_people() -> None:
    assert value_label("kind", "known-fix") == "Known fix"
    assert value_label("product", "redis") == "redis"


def test_the_view_is_kept_when_filters_change() -> None:
    assert FilterState().with_view(View.STARRED).toggled("kind", "note").view is View.STARRED


def test_tags_that_repeat_a_product_or_a_component_say_nothing_new() -> None:
    counts = {"product": {"redis": 3, "nginx": 1}, "tag": {"redis": 3, "disk": 2, "memory": 1}}
    tags = next(group for group in facet_groups(counts, FilterState()) if group.facet == "tag")
    assert [value.value for value in tags.values] == ["disk", "memory"]


def test_a_view_narrows_too_and_is_cleared_with_the_rest() -> None:
    state = FilterState().with_view(View.STARRED)
    assert state.count == 1
    assert state.cleared().view is View.ALL
