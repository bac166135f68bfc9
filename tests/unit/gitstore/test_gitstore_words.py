from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kb_app.gitstore.words import Run, RunKind, changed_ranges, word_diff

TEXTS = st.text(alphabet=st.sampled_from("ab .,\n#é"), max_size=60)


@given(TEXTS, TEXTS)
def test_the_runs_hold_both_texts_whole(old: str, new: str) -> None:
    runs = word_diff(old, new)
    assert "".join(r.text for r in runs if r.kind is not RunKind.ADDED) == old
    assert "".join(r.text for r in runs if r.kind is not RunKind.REMOVED) == new
    assert all(one.kind is not other.kind for one, other in pairwise(runs))
    assert all(run.text for run in runs)


@given(TEXTS)
def test_equal_texts_are_one_run(text: str) -> None:
    assert word_diff(text, text) == ((Run(RunKind.SAME, text),) if text else ())


@given(TEXTS, TEXTS)
def test_outside_the_changed_ranges_the_texts_are_equal(old: str, new: str) -> None:
    def rest(text: str, ranges: tuple[object, ...]) -> str:
        kept, at = "", 0
        for part in ranges:
            kept, at = kept + text[at : part.start], part.end
        return kept + text[at:]

    in_old, in_new = changed_ranges(old, new)
    assert rest(old, in_old) == rest(new, in_new)


def test_one_changed_word_is_one_removed_and_one_added_run() -> None:
    assert word_diff("Restart the old pod now.\n", "Restart the new pod now.\n") == (
        Run(RunKind.SAME, "Restart the "),
        Run(RunKind.REMOVED, "old"),
        Run(RunKind.ADDED, "new"),
        Run(RunKind.SAME, " pod now.\n"),
    )


def test_two_changed_words_side_by_side_read_as_one_change() -> None:
    runs = word_diff(
        "Keep calm, stop it, then call someone.\n", "Keep calm, drain them, then call someone.\n"
    )
    assert [r.text for r in runs if r.kind is RunKind.REMOVED] == ["stop it"]


def test_a_sentence_with_nothing_left_is_replaced_whole() -> None:
    runs = word_diff("alpha beta gamma delta\n", "one two three four five\n")
    assert [r.kind for r in runs] == [RunKind.REMOVED, RunKind.ADDED]


def test_large_texts_end_soon() -> None:
    old = "".join(f"word{n} " for n in range(20_000))
    new = "".join(f"other{n} " for n in range(20_000))
    assert [r.kind for r in word_diff(old, new)] == [RunKind.REMOVED, RunKind.ADDED]


def test_a_number_changes_as_a_whole() -> None:
    runs = word_diff("below 5,000 at 10.0.0.1 since 10:15", "below 1,000 at 10.0.0.9 since 10:45")
    assert [run.text for run in runs if run.kind is RunKind.REMOVED] == ["5,000", "10.0.0.1", "10:15"]


def test_a_long_page_of_like_lines_is_compared_and_keeps_what_is_the_same() -> None:
    old = "# A\n\n" + "".join(f"## Sec {n}\n\nLine {n} with some words.\n\n" for n in range(1_200))
    new = old.replace("some words", "other words").replace("Line 7 ", "Row 7 ")
    runs = word_diff(old, new)
    assert "".join(r.text for r in runs if r.kind is not RunKind.ADDED) == old
    assert "".join(r.text for r in runs if r.kind is not RunKind.REMOVED) == new
    removed = [r.text for r in runs if r.kind is RunKind.REMOVED]
    assert removed.count("some") == 1_200
    assert any("Line" in text for text in removed)


def test_a_long_page_without_anything_in_common_is_replaced() -> None:
    old, new = "same\nsame\n" * 2_000, "other\nother\n" * 2_000
    assert [(r.kind, r.text) for r in word_diff(old, new)] == [(RunKind.REMOVED, old), (RunKind.ADDED, new)]
