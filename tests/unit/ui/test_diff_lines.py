"""A comparison as lines: nothing is lost, headings keep their changes, the rest is folded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb_app.gitstore.words import RunKind, word_diff
from kb_app.ui.common.diff_lines import Fold, Line, counted, folded, lines_of_runs

PAGE = (
    "---\nkind: note\n---\n# Title\n\n"
    + "".join(f"Line {n}.\n" for n in range(20))
    + "\n## Verify\nIt is well.\n"
)
TEXT = st.lists(st.sampled_from(["# A", "## B", "one two", "three", "", "```", "x  y"]), max_size=12).map(
    "\n".join
)


def both(line: Line, side: RunKind) -> str:
    return "".join(p.text for p in line.pieces if p.kind in (RunKind.SAME, side))


def test_the_section_of_a_change_stays_and_the_rest_is_folded() -> None:
    parts = folded(lines_of_runs(word_diff(PAGE, PAGE.replace("is well", "works"))))
    assert [p.text if isinstance(p, Line) else p.label for p in parts] == [
        "25 lines that did not change",
        "",
        "Verify",
        "It is wellworks.",
    ]
    heading = parts[2]
    assert isinstance(heading, Line)
    assert heading.level == 2
    assert not heading.is_changed


def test_a_far_heading_is_shown_above_its_change() -> None:
    parts = folded(lines_of_runs(word_diff(PAGE, PAGE.replace("Line 15", "Row 15"))))
    shown = [p.text for p in parts if isinstance(p, Line)]
    assert shown[0] == "Title"
    assert "LineRow 15." in shown
    assert "Line 2." not in shown


def test_facts_and_code_are_told_apart() -> None:
    page = PAGE + "```sh\n# not a heading\n```\n"
    lines = lines_of_runs(word_diff(page, page))
    assert [line.is_fact for line in lines[:4]] == [True, True, True, False]
    assert [line.text for line in lines if line.is_code] == ["```sh", "# not a heading", "```"]
    assert folded(lines) == (Fold(lines),)


def test_what_changed_is_counted_in_words() -> None:
    assert counted(lines_of_runs(word_diff("a\nb\n", "a\nc\n"))).text == (
        "1 line added or changed, 1 line removed or changed"
    )
    assert counted(lines_of_runs(word_diff("a\n", "a\n"))).text == "No difference"


@given(TEXT, TEXT)
def test_no_word_of_either_text_is_lost(old: str, new: str) -> None:
    lines = lines_of_runs(word_diff(old, new))
    unfolded = [
        line for part in folded(lines) for line in (part.lines if isinstance(part, Fold) else (part,))
    ]
    assert unfolded == list(lines)
    for text, side in ((old, RunKind.REMOVED), (new, RunKind.ADDED)):
        shown = " ".join(both(line, side) for line in lines).replace("#", "").split()
        assert shown == text.replace("#", "").split()
    numbers = [line.number for line in lines if line.number]
    assert numbers == sorted(numbers)


def test_a_word_that_ends_a_removed_line_is_not_glued_to_the_next() -> None:
    lines = lines_of_runs(word_diff("alpha\nbeta\ngamma\n", "delta\n"))
    assert [line.text for line in lines] == ["alpha", "beta", "gamma", "delta"]
    assert [line.number for line in lines] == [0, 0, 0, 1]
