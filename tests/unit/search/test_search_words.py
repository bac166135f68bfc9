"""Synonyms, spelling and snippets."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.search import synonyms as module
from kb_app.search.background import english_words
from kb_app.search.snippets import WIDTH, Marker, plain_line, snippet_at
from kb_app.search.spelling import allowed_edits, edit_distance, may_be_slip, split_in_two
from kb_app.search.synonyms import bundled_groups, synonyms_with


def test_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(module).failed == 0


def test_the_bundled_groups_are_many_and_of_use() -> None:
    assert len(bundled_groups()) > 300
    synonyms = synonyms_with([])
    assert ("out", "of", "memory") in synonyms.others(("oom",))
    assert ("kubernetes",) in synonyms.others(("k8s",))


def test_a_knowledge_base_adds_its_own() -> None:
    assert ("shipping", "gateway") in synonyms_with([("Zephyr", "shipping gateway")]).others(("zephyr",))


def test_a_one_way_group_works_one_way() -> None:
    synonyms = module.Synonyms(module.parse_groups(["cat > animal"]))
    assert synonyms.others(("cat",)) == (("animal",),)
    assert synonyms.others(("anim",)) == ()


def test_english_is_known() -> None:
    assert {"the", "restart", "colour", "color"} <= english_words()


@pytest.mark.parametrize(
    ("word", "is_slip"), [("refusd", True), ("deploymnet", True), ("restart", False), ("abc", False)]
)
def test_english_words_are_never_slips(word: str, is_slip: bool) -> None:
    assert may_be_slip(word) is is_slip


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [
        ("refusd", "refused", 1),
        ("conection", "connection", 1),
        ("teh", "the", 1),
        ("abc", "xyz", 3),
        ("", "ab", 2),
    ],
)
def test_distances(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b, 5) == distance


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_distance_is_symmetric_and_bounded(a: str, b: str) -> None:
    assert edit_distance(a, b, 8) == edit_distance(b, a, 8)
    assert (edit_distance(a, b, 8) == 0) == (a == b)
    assert edit_distance(a, b, 1) == min(edit_distance(a, b, 8), 2)


def test_short_words_allow_one_slip_and_codes_nearly_none() -> None:
    assert allowed_edits("disk") == 1
    assert allowed_edits("connection") == 2
    assert allowed_edits("e1234") == 0


def test_a_forgotten_space_is_found() -> None:
    assert split_in_two("diskfull", {"disk", "full"}.__contains__) == ("disk", "full")
    assert split_in_two("diskette", {"disk"}.__contains__) is None


def marked(text: str, marker: Marker) -> list[str]:
    return [text[a:b] for a, b in marker.marks(text)]


def test_matches_are_marked_in_the_text_as_written() -> None:
    marker = Marker(frozenset({"pod"}), frozenset({"crash", "na\u00efve"}), ("conn",))
    assert marked("KubePodCrashed: Pods crashing, connection, na\u00efve pod.", marker) == [
        "PodCrashed",
        "crashing",
        "connection",
        "pod",
    ]


def test_a_snippet_is_short_plain_and_around_the_match() -> None:
    line = "filler words " * 60 + "the **lease** was [lost](https://example.org) here " + "more words " * 60
    text, marks = snippet_at([line], 1, Marker(frozenset({"lease", "lost"}), frozenset(), ()))
    assert len(text) <= WIDTH
    assert [text[a:b] for a, b in marks] == ["lease", "lost"]
    assert "**" not in text
    assert "https" not in text


@pytest.mark.parametrize("line", ["[" * 5_000, "*_" * 3_000, "<" * 5_000, "`" * 5_000])
def test_hostile_lines_are_made_plain(line: str) -> None:
    assert isinstance(plain_line(line), str)


@given(st.text(max_size=200))
def test_marks_lie_within_the_text(text: str) -> None:
    marker = Marker(frozenset({"a", "b1"}), frozenset({"c"}), ("d",))
    last = 0
    for low, high in marker.marks(text):
        assert last <= low < high <= len(text)
        last = high
