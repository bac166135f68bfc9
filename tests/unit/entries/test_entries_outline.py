from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_app.entries.model import Role
from kb_app.entries.outline import (
    Outline,
    heading_anchor,
    heading_meaning,
    outline_of,
    plain_title,
    sections_of,
    slug,
)


def outline(text: str) -> Outline:
    return outline_of(text.split("\n"))


def titles(text: str) -> list[tuple[int, str, int]]:
    return [(h.level, h.title, h.first_line) for h in outline(text).headings]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n## B ##\n###\n", [(1, "A", 1), (2, "B", 2), (3, "", 3)]),
        ("#no\n####### seven\n    # code\n\t# code\n", []),
        ("Title\n=====\ntext\n\nSub\n---\n", [(1, "Title", 1), (2, "Sub", 5)]),
        ("two\nlines\n===\n", [(1, "two lines", 1)]),
        ("- item\n---\n", []),
        ("- item\nlazy\n---\n", []),
        ("- item\n\n  more\n---\n", []),
        ("- item\n\nText\n---\n", [(2, "Text", 3)]),
        ("> quote\n---\n", []),
        ("| a |\n---\n", []),
        ("a\n\n---\n", []),
        ("```\n# no\n```\n# yes\n", [(1, "yes", 4)]),
        ("~~~sh\n# no\n```\n~~~\n# yes\n", [(1, "yes", 5)]),
        ("````\n```\n# no\n```\n````\n# yes\n", [(1, "yes", 6)]),
        ("- x\n  ```sh\n  # no\n  ```\n# yes\n", [(1, "yes", 5)]),
        ("1. ```sh\n   # no\n   ```\n# yes\n", [(1, "yes", 4)]),
        ("a ```x``` b\n# yes\n", [(1, "yes", 2)]),
        ("```a`b\n# yes\n", [(1, "yes", 2)]),
        ("<!--\n# no\n-->\n# yes\n", [(1, "yes", 4)]),
        ("<pre>\n# no\n</PRE>\n# yes\n", [(1, "yes", 4)]),
        ("<div>\n# yes\n", [(1, "yes", 2)]),
        ("  ## B\n", [(2, "B", 1)]),
    ],
)
def test_headings_are_found_outside_code_only(text: str, expected: list[tuple[int, str, int]]) -> None:
    assert titles(text) == expected


def test_an_unclosed_fence_ends_before_the_next_heading() -> None:
    found = outline("## A\n```sh\n$ ls\n\n## Mitigation\n\nx\n")
    assert [h.title for h in found.headings] == ["A", "Mitigation"]
    assert [(f.first_line, f.last_line, f.is_closed) for f in found.fences] == [(2, 3, False)]
    assert [(n.code, n.line) for n in found.notes] == [("unclosed-fence", 2)]


def test_an_unclosed_fence_without_a_heading_below_takes_the_rest() -> None:
    found = outline("```\na\n# comment\n\nb\n")
    assert found.headings == ()
    assert (found.fences[0].last_line, found.fences[0].is_closed) == (5, False)


def test_a_fence_that_swallows_a_heading_and_an_opening_fence_is_repaired() -> None:
    found = outline("```sh\nls\n\n## B\n\n```sh\nps\n```\n")
    assert [h.title for h in found.headings] == ["B"]
    assert [(f.first_line, f.last_line, f.is_closed) for f in found.fences] == [(1, 2, False), (6, 8, True)]


def test_a_shell_comment_after_a_blank_line_is_no_lost_heading() -> None:
    assert titles("```bash\nls\n\n# list again\nls\n") == []
    assert titles("```promql\nup\n\n# Mitigation\nx\n") == [(1, "Mitigation", 4)]


def test_markdown_examples_may_nest_fences_by_mistake() -> None:
    found = outline("```markdown\n\n## In the example\n\n```sh\nls\n```\n")
    assert found.headings == ()


def test_open_comments_are_text_and_said_once() -> None:
    found = outline("<!-- a\n# yes\n<!-- b\n# also\n")
    assert [h.title for h in found.headings] == ["yes", "also"]
    assert [note.code for note in found.notes] == ["unclosed-html"]
    assert [n.code for n in outline("<pre>\n# x\n").notes] == ["unclosed-html"]


def test_underlined_headings_are_noted_once() -> None:
    notes = outline("a\n\nTitle\n===\n\nSub\n---\n").notes
    assert [(note.code, note.line) for note in notes] == [("setext-headings", 3)]


def test_languages_are_lower_case_words() -> None:
    fences = outline("```{note}\n```\n``` Bash title=x\n```\n```\n```\n~~~.sql\n~~~\n").fences
    assert [f.language for f in fences] == ["note", "bash", "", "sql"]


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("**Bold** and _it_ ~~gone~~", "Bold and it gone"),
        ("pg_wal and my_var_name", "pg_wal and my_var_name"),
        ("`a*b*` x", "a*b* x"),
        ("[Azure CLI](#tab/azure-cli)", "Azure CLI"),
        ("![icon](i.png) Text [a][b]", "icon Text a"),
        ("Title {#the-id}", "Title"),
        ("a &amp; b \\* c", "a & b * c"),
        (r"x \`y\`", "x `y`"),
        (r"\*not bold\* and \_not\_ it", "*not bold* and _not_ it"),
        (r"`C:\*` keeps \\ its own", r"C:\* keeps \ its own"),
        (r"a \[b\](c) \<br> \&amp; d", "a [b](c) <br> &amp; d"),
        (r"C:\Users \``x`", r"C:\Users `x"),
        ("one ` and ``two`` x", "one ` and two x"),
        ("x <br> y", "x y"),
        ('see {{< ref "x" >}} y', "see y"),
        ("***deep***", "deep"),
        ("", ""),
    ],
)
def test_titles_lose_their_markdown(raw: str, plain: str) -> None:
    assert plain_title(raw) == plain


def test_anchors_follow_githubs_rule_and_are_unique() -> None:
    taken: dict[str, int] = {}
    names = ["A b, C!", "a b c", "A b, C", "a-b-c-1", "Über_uns 2", "!!!", "含义"]
    assert [slug(name, taken) for name in names] == [
        "a-b-c", "a-b-c-1", "a-b-c-2", "a-b-c-1-1", "über_uns-2", "section", "含义",
    ]  # fmt: skip


def test_an_explicit_id_is_the_anchor_once() -> None:
    taken: dict[str, int] = {}
    assert [heading_anchor(raw, taken) for raw in ("A {#x}", "B {: #y .c}", "C {#x}")] == ["x", "y", "c"]


@pytest.mark.parametrize(
    ("title", "role", "name"),
    [
        ("Mitigation", Role.MITIGATION, "Mitigation"),
        ("Mitigation: drain the cell", Role.MITIGATION, "drain the cell"),
        ("MITIGATIONS", Role.MITIGATION, "MITIGATIONS"),
        ("Fix forward - drop it", Role.FIX, "drop it"),
        ("Lever: drain", Role.LEVER, "drain"),
        ("2. Root cause", Role.CAUSE, "2. Root cause"),
        ("Root Cause 2: Firewall", Role.CAUSE, "Firewall"),
        ("Workaround (temporary)", Role.MITIGATION, "Workaround (temporary)"),
        ("Solution:", Role.FIX, "Solution:"),
        ("🔥 Symptoms", Role.SYMPTOMS, "🔥 Symptoms"),
        ("缓解", Role.MITIGATION, "缓解"),
        ("影响", Role.IMPACT, "影响"),
        ("Steps to check", Role.DIAGNOSIS, "Steps to check"),
        ("Rollback", Role.UNDO, "Rollback"),
        ("Verify", Role.VERIFY, "Verify"),
        ("Escalation", Role.ESCALATION, "Escalation"),
        ("Fixing Redis", Role.OTHER, "Fixing Redis"),
        ("", Role.OTHER, ""),
    ],
)
def test_headings_tell_roles(title: str, role: Role, name: str) -> None:
    meaning = heading_meaning(title)
    assert (meaning.role, meaning.name) == (role, name)


def test_the_first_h1_is_the_title_unless_the_page_is_built_of_h1() -> None:
    one = outline("# Troubleshooting\n\n## Cause\n")
    assert [s.role for s in sections_of(one)] == [Role.OTHER, Role.CAUSE]
    many = outline("# Symptoms\n\nx\n\n# Resolution\n")
    assert [s.role for s in sections_of(many)] == [Role.SYMPTOMS, Role.FIX]


def test_sections_nest() -> None:
    found = sections_of(outline("intro\n# A\na\n### B\nb\n## C\nc\n# D\n\n"))
    assert [(s.level, s.span.first_line, s.own_last_line, s.span.last_line) for s in found] == [
        (0, 1, 1, 1), (1, 2, 3, 7), (3, 4, 5, 5), (2, 6, 7, 7), (1, 8, 8, 8),
    ]  # fmt: skip


LINES = st.lists(
    st.sampled_from(
        [
            "",
            "text",
            "# A",
            "## B",
            "### C",
            "```",
            "```sh",
            "~~~",
            "===",
            "---",
            "- x",
            "  y",
            "<!--",
            "-->",
            "    z",
        ]
    ),
    max_size=40,
)


@settings(deadline=None)
@given(LINES, st.integers(1, 4))
def test_sections_cover_the_body_once_in_ascending_order(lines: list[str], body_line: int) -> None:
    lines = ["x: y"] * (body_line - 1) + lines
    found = outline_of(lines, body_line)
    sections = sections_of(found, body_line)
    covered = [n for s in sections for n in range(s.span.first_line, s.own_last_line + 1)]
    assert covered == sorted(set(covered))
    written = {n for n in range(body_line, len(lines) + 1) if lines[n - 1].strip()}
    assert written <= set(covered)
    assert set(covered) <= set(range(body_line, len(lines) + 1))
    for section in sections:
        assert section.span.first_line <= section.own_last_line <= section.span.last_line


@settings(deadline=None)
@given(LINES)
def test_headings_stand_in_true_lines_and_anchors_are_unique(lines: list[str]) -> None:
    found = outline_of(lines)
    for heading in found.headings:
        assert heading.title in " ".join(" ".join(lines[heading.first_line - 1 : heading.last_line]).split())
        assert not any(found.code[heading.first_line - 1 : heading.last_line])
    anchors = [heading.anchor for heading in found.headings]
    assert len(anchors) == len(set(anchors))


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_an_outline(text: str) -> None:
    found = outline(text)
    assert len(found.code) == len(found.lines)
    sections_of(found)
