from __future__ import annotations

import pytest

from kb_app.gitstore.leaks import added_lines, has_markers, leaks_in

KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


def test_a_secret_in_an_added_line_is_found_with_its_line_and_not_repeated() -> None:
    found = leaks_in("a.md", "# A\n", f"# A\n\nuse {KEY} here\n")
    assert [(leak.line, leak.is_certain) for leak in found] == [(3, True)]
    assert KEY not in repr(found)


def test_an_old_secret_does_not_stop_an_edit_elsewhere() -> None:
    old = f"# A\nuse {KEY}\nend\n"
    assert leaks_in("a.md", old, old + "more\n") == ()


@pytest.mark.parametrize("text", ["Acme Corp called", "for ACME CORP.", "(acme corp)"])
def test_a_customers_name_is_found_as_a_whole_word_in_any_case(text: str) -> None:
    assert [leak.what for leak in leaks_in("a.md", "", text, ["Acme Corp"])] == ["a customer's name"]


def test_parts_of_words_are_no_customers_name() -> None:
    assert leaks_in("a.md", "", "pacemaker and acmecorporation", ["acme", "corp"]) == ()


def test_the_marks_of_a_merge_are_found_only_as_a_pair() -> None:
    text = "a\n<<<<<<< mine\nb\n=======\nc\n>>>>>>> theirs\n"
    assert has_markers(text)
    assert {leak.line for leak in leaks_in("a.md", "", text)} == {2, 6}
    assert leaks_in("a.md", "", "Title\n=======\n\ntext\n") == ()


def test_added_lines_are_those_the_old_text_lacks() -> None:
    assert added_lines("a\nb\nc\n", "a\nX\nb\nc\nY\n") == frozenset({2, 5})
    assert added_lines("", "a\nb\n") == frozenset({1, 2})
