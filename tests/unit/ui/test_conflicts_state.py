"""What is open on the conflict page, what was chosen, what the result is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.errors import UsageError
from kb_app.gitstore.answers import JoinedFile, Question, page_text
from kb_app.gitstore.conflicts import Choice, changed_sections, merge_pages
from kb_app.gitstore.proposals import FileMerge
from kb_app.gitstore.words import RunKind
from kb_app.ui.conflicts.state import Answers, joined_lines, theirs_of

BASE = "# T\n\n## A\none\n\n## B\ntwo\n\n## C\nthree\n"
MINE = BASE.replace("one", "my one").replace("two", "my two")
THEIRS = BASE.replace("one", "their one").replace("two", "their two").replace("three", "their three")


def question(mine: str = MINE, theirs: str | None = THEIRS, base: str = BASE) -> Question:
    return Question("t", (FileMerge("a.md", merge_pages(base, mine, theirs)),))


def test_every_place_is_decided_once_and_the_next_open_one_follows() -> None:
    answers = Answers(question())
    assert [place.title for place in answers.places] == ["A", "B"]
    assert answers.progress == "0 of 2 decided"
    assert answers.next_open(-1) == 0
    answers = answers.chosen(answers.places[0], Choice.MINE)
    assert answers.next_open(0) == 1
    assert answers.next_open(1) == 1
    with pytest.raises(UsageError):
        answers.result(answers.question.merges[0])
    answers = answers.chosen(answers.places[1], "## B\nneither\n")
    assert answers.is_complete
    assert answers.next_open(1) == -1
    assert [answers.choice_text(place) for place in answers.places] == ["mine", "your own text"]
    merge = answers.question.merges[0]
    assert page_text(merge, answers.choices) == "# T\n\n## A\nmy one\n\n## B\nneither\n## C\ntheir three\n"
    changed = [(r.kind, r.text) for r in answers.result(merge) if r.kind is not RunKind.SAME]
    assert (RunKind.ADDED, "neither") in changed or any("neither" in text for _, text in changed)
    assert theirs_of(merge) == THEIRS


def test_each_side_shows_the_words_it_changed() -> None:
    place = Answers(question()).places[0]
    mine = [(r.kind, r.text) for r in place.runs(is_mine=True) if r.kind is not RunKind.SAME]
    theirs = [(r.kind, r.text) for r in place.runs(is_mine=False) if r.kind is not RunKind.SAME]
    assert mine == [(RunKind.ADDED, "my ")]
    assert theirs == [(RunKind.ADDED, "their ")]


def test_marks_of_a_merge_are_refused() -> None:
    answers = Answers(question())
    with pytest.raises(UsageError, match="marks of a merge"):
        answers.chosen(answers.places[0], "## A\n<<<<<<< x\na\n=======\nb\n>>>>>>> y\n")
    assert answers.open_count == 2


def test_what_cannot_stand_together_is_not_kept_both() -> None:
    answers = Answers(question(theirs=None))
    (place,) = answers.places
    assert place.title == "The whole page"
    assert "removed by somebody else" in place.question
    with pytest.raises(UsageError):
        answers.chosen(place, Choice.BOTH)
    assert [run.kind for run in place.runs(is_mine=False)] == [RunKind.REMOVED]


def test_choices_stay_where_both_texts_stayed() -> None:
    answers = Answers(question())
    for place in answers.places:
        answers = answers.chosen(place, Choice.MINE)
    again = answers.carried_to(question(theirs=THEIRS.replace("their two", "their second two")))
    assert [again.choice(place) for place in again.places] == [Choice.MINE, None]


def test_what_was_brought_together_is_listed() -> None:
    merge = merge_pages(BASE, MINE, THEIRS)
    joined = JoinedFile("a.md", changed_sections(BASE, THEIRS + "\n## D\nnew\n", without=merge.conflicts))
    assert joined_lines(joined) == ("C", "D (new)")
    gone = changed_sections(BASE, BASE.replace("## C\nthree\n", ""))
    assert joined_lines(JoinedFile("a.md", gone))[-1] == "C (removed)"


@given(st.lists(st.sampled_from(list(Choice)), min_size=2, max_size=2))
def test_every_choice_gives_a_page_without_marks_that_holds_what_was_chosen(choices: list[Choice]) -> None:
    answers = Answers(question())
    for place, choice in zip(answers.places, choices, strict=True):
        answers = answers.chosen(place, choice)
    text = page_text(answers.question.merges[0], answers.choices) or ""
    assert "<<<<" not in text
    for number, choice in zip(("one", "two"), choices, strict=True):
        assert (f"my {number}" in text) is (choice is not Choice.THEIRS)
        assert (f"their {number}" in text) is (choice is not Choice.MINE)
    assert "their three" in text
