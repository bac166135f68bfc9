from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_app.errors import UsageError
from kb_app.gitstore.conflicts import Choice, UnitKind, _units, merge_pages, merge_sections, resolve

BASE = """---
title: Lease lost
owner: store
reviewed: 2026-01-01
---
# Lease lost

Intro.

## Symptoms

Errors.

## Mitigation: drain

1. Drain it.

## Fix forward

1. Patch it.
"""


def edit(old: str, new: str, text: str = BASE) -> str:
    assert old in text
    return text.replace(old, new)


LINES = st.sampled_from(
    [
        *("# A", "## B", "## C", "### D", "## B", "text one", "text two", "", "", "- item"),
        *("---", "title: x", "owner: y", "```", "    code"),
    ]
)
PAGES = st.tuples(st.lists(LINES, max_size=14), st.sampled_from(["\n", "\r\n"]), st.booleans()).map(
    lambda p: p[1].join(p[0]) + (p[1] if p[2] else "")
)


@given(PAGES)
def test_the_units_of_a_page_are_the_page(page: str) -> None:
    assert "".join(unit.text for unit in _units(page)) == page


@settings(max_examples=100)
@given(PAGES, PAGES)
def test_what_only_one_side_changed_is_taken_as_it_is(base: str, page: str) -> None:
    assert merge_sections(base, page, base).text == page
    assert merge_sections(base, base, page).text == page
    assert merge_sections(base, page, page).text == page


@settings(max_examples=150)
@given(PAGES, PAGES, PAGES)
def test_swapping_the_sides_swaps_only_mine_and_theirs(base: str, a: str, b: str) -> None:
    one, other = merge_sections(base, a, b), merge_sections(base, b, a)
    assert one.text == other.text
    assert [(c.title, c.mine, c.theirs, c.base) for c in one.conflicts] == [
        (c.title, c.theirs, c.mine, c.base) for c in other.conflicts
    ]
    assert [p for p in one.parts if isinstance(p, str)] == [p for p in other.parts if isinstance(p, str)]


@settings(max_examples=150)
@given(PAGES, PAGES, PAGES)
def test_no_line_that_a_side_added_is_lost(base: str, a: str, b: str) -> None:
    merge = merge_sections(base, a, b)
    everything = "\n".join(
        part if isinstance(part, str) else f"{part.mine or ''}\n{part.theirs or ''}" for part in merge.parts
    )
    have = {line.strip() for line in everything.splitlines()}
    old = {line.strip() for line in base.splitlines()}
    for side in (a, b):
        assert {line.strip() for line in side.splitlines() if line.strip()} - old <= have


@settings(max_examples=100)
@given(PAGES, PAGES, PAGES)
def test_choosing_a_side_everywhere_never_fails_and_writes_no_mark(base: str, a: str, b: str) -> None:
    merge = merge_sections(base, a, b)
    for choice in (Choice.MINE, Choice.THEIRS):
        text = resolve(merge, dict.fromkeys(range(len(merge.conflicts)), choice))
        assert "<<<<<<<" not in text
        assert ">>>>>>>" not in text


def test_different_sections_merge_by_themselves() -> None:
    merge = merge_sections(BASE, edit("Errors.", "Many errors."), edit("Patch it.", "Patch it twice."))
    assert merge.text == edit("Patch it.", "Patch it twice.", edit("Errors.", "Many errors."))


def test_different_keys_of_the_front_matter_merge_by_themselves() -> None:
    merge = merge_sections(
        BASE,
        edit("owner: store", "owner: edge"),
        edit("reviewed: 2026-01-01", "reviewed: 2026-02-02\nalert: X"),
    )
    assert merge.text is not None
    assert "owner: edge\nreviewed: 2026-02-02\nalert: X\n---" in merge.text


def test_the_same_section_is_a_conflict_with_both_texts_and_the_words_that_differ() -> None:
    merge = merge_sections(
        BASE, edit("1. Drain it.", "1. Drain it slowly."), edit("1. Drain it.", "1. Drain all.")
    )
    assert merge.text is None
    (conflict,) = merge.conflicts
    assert (conflict.kind, conflict.title) == (UnitKind.SECTION, "Mitigation: drain")
    assert conflict.base == "## Mitigation: drain\n\n1. Drain it.\n\n"
    assert conflict.mine is not None
    assert conflict.theirs is not None
    assert [conflict.mine[r.start : r.end] for r in conflict.mine_changes] == [" slowly"]
    assert [conflict.theirs[r.start : r.end] for r in conflict.theirs_changes] == ["all"]
    assert resolve(merge, {0: Choice.MINE}) == edit("1. Drain it.", "1. Drain it slowly.")
    assert resolve(merge, {0: Choice.THEIRS}) == edit("1. Drain it.", "1. Drain all.")


def test_both_keeps_the_heading_once_and_every_step() -> None:
    merge = merge_sections(BASE, edit("1. Drain it.", "1. Mine."), edit("1. Drain it.", "1. Theirs."))
    text = resolve(merge, {0: Choice.BOTH})
    assert text.count("## Mitigation: drain") == 1
    assert "1. Mine.\n\n1. Theirs.\n" in text


def test_ones_own_text_can_be_written_and_marks_are_refused() -> None:
    merge = merge_sections(BASE, edit("1. Drain it.", "1. Mine."), edit("1. Drain it.", "1. Theirs."))
    assert "1. Together." in resolve(merge, {0: "## Mitigation: drain\n\n1. Together.\n\n"})
    with pytest.raises(UsageError):
        resolve(merge, {0: "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n"})
    with pytest.raises(UsageError):
        resolve(merge, {})


def test_a_section_removed_here_and_changed_there_is_a_conflict() -> None:
    removed = edit("## Mitigation: drain\n\n1. Drain it.\n\n", "")
    merge = merge_sections(BASE, removed, edit("1. Drain it.", "1. Drain all."))
    (conflict,) = merge.conflicts
    assert conflict.mine is None
    assert not conflict.can_keep_both
    assert resolve(merge, {0: Choice.MINE}) == removed
    assert resolve(merge, {0: Choice.THEIRS}) == edit("1. Drain it.", "1. Drain all.")


def test_a_section_removed_here_and_untouched_there_is_gone() -> None:
    removed = edit("## Mitigation: drain\n\n1. Drain it.\n\n", "")
    merge = merge_sections(BASE, removed, edit("Errors.", "Many errors."))
    assert merge.text == removed.replace("Errors.", "Many errors.")


def test_new_sections_of_both_sides_are_both_kept() -> None:
    merge = merge_sections(
        BASE, BASE + "\n## Verify\n\nLook.\n", edit("## Symptoms", "## Impact\n\nAll.\n\n## Symptoms")
    )
    assert merge.text is not None
    assert "## Impact\n\nAll.\n\n## Symptoms" in merge.text
    assert merge.text.endswith("\n## Verify\n\nLook.\n")


def test_two_new_sections_at_one_place_are_both_kept() -> None:
    merge = merge_sections(BASE, BASE + "\n## Verify\n\nLook.\n", BASE + "\n## Undo\n\nTurn back.\n")
    assert merge.text is not None
    assert "## Verify\n\nLook.\n" in merge.text
    assert "## Undo\n\nTurn back.\n" in merge.text


def test_the_same_new_section_with_other_words_is_a_conflict() -> None:
    merge = merge_sections(BASE, BASE + "\n## Verify\n\nLook.\n", BASE + "\n## Verify\n\nListen.\n")
    (conflict,) = merge.conflicts
    assert conflict.base is None
    assert (conflict.mine, conflict.theirs) == ("## Verify\n\nLook.\n", "## Verify\n\nListen.\n")


def test_a_moved_section_and_an_edit_of_another_merge() -> None:
    moved = BASE.replace("## Symptoms\n\nErrors.\n\n", "") + "\n## Symptoms\n\nErrors.\n"
    merge = merge_sections(BASE, moved, edit("1. Patch it.", "1. Patch it twice."))
    assert merge.text is not None
    assert merge.text.index("## Fix forward") < merge.text.index("## Symptoms")
    assert "1. Patch it twice." in merge.text


def test_a_renamed_heading_and_an_edit_of_its_text_are_one_section() -> None:
    long = BASE.replace("1. Drain it.", "1. Drain it.\n2. Wait.\n3. Look.\n4. Undrain.")
    merge = merge_sections(
        long,
        long.replace("## Mitigation: drain", "## Mitigation: drain slowly"),
        long.replace("2. Wait.", "2. Wait 5 m."),
    )
    (conflict,) = merge.conflicts
    assert conflict.mine is not None
    assert conflict.mine.startswith("## Mitigation: drain slowly")


def test_headings_inside_code_are_no_borders() -> None:
    base = "# A\n\n```sh\n# not a heading\nls\n```\n\n## B\n\ntext\n"
    merge = merge_sections(base, base.replace("ls", "ls -l"), base.replace("# not a heading", "# a comment"))
    assert [c.title for c in merge.conflicts] == ["A"]


def test_line_ends_of_windows_do_not_make_conflicts() -> None:
    crlf = BASE.replace("\n", "\r\n")
    merge = merge_sections(
        BASE, crlf.replace("Errors.", "Many errors."), edit("Patch it.", "Patch it twice.")
    )
    assert merge.text == edit("Patch it.", "Patch it twice.", edit("Errors.", "Many errors.")).replace(
        "\n", "\r\n"
    )


def test_pages_without_a_common_start_keep_both() -> None:
    merge = merge_sections("", "# A\n\nmine\n", "# A\n\ntheirs\n")
    (conflict,) = merge.conflicts
    assert (conflict.mine, conflict.theirs, conflict.base) == ("# A\n\nmine\n", "# A\n\ntheirs\n", None)


def test_sections_moved_differently_on_both_sides_are_shown_as_whole_pages() -> None:
    base = "# A\n\na\n\n# B\n\nb\n\n# C\n\nc\n"
    one = "# B\n\nb\n\n# A\n\na\n\n# C\n\nc\n"
    other = "# A\n\na\n\n# C\n\nc\n\n# B\n\nb\n"
    (conflict,) = merge_sections(base, one, other).conflicts
    assert conflict.kind is UnitKind.PAGE
    assert (conflict.mine, conflict.theirs) == (one, other)


def test_a_page_that_one_side_removed_is_gone_only_when_the_other_left_it_alone() -> None:
    assert merge_pages("a", None, "a").text == ""
    assert merge_pages("a", "a", None).text == ""
    assert merge_pages(None, None, "new").text == "new"
    (conflict,) = merge_pages("a", None, "b").conflicts
    assert (conflict.kind, conflict.mine, conflict.theirs) == (UnitKind.PAGE, None, "b")
    (conflict,) = merge_pages("a", "b", None).conflicts
    assert (conflict.mine, conflict.theirs) == ("b", None)
