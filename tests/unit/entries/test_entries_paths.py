from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_app.entries.model import Entry, KnowledgeBaseConfig, Path, PathKind
from kb_app.entries.reading import parse_entry


def parse(text: str) -> Entry:
    return parse_entry("x.md", text.encode(), KnowledgeBaseConfig())


def path_of(body: str, heading: str = "## Mitigation") -> Path:
    (path,) = parse(f"# T\n\n{heading}\n\n{body}\n").paths
    return path


FULL = """\
---
kind: known-fix
state: verified
---
# A disk fills up

## Mitigation: grow the volume
- Time: 5-10m
- Risk: low
- **Reversible**: partly, with care
- Blast radius: instance
- Approval: the storage team
- Restores: partial
- Data: loses the last second
- Contains: yes
- Confidence: proven
- Ticket: OPS-1

First read this.

1. Grow it by 20 %.
   ```sh
   $ grow --by 20 <volume>
   done
   ```
   - Verify: `df -h` shows
     more space.
   - Expect: done
   - Undo: shrink it.
   - If not: call storage.
   - Confirm: nobody else grows it.
   - Another hint.
2. `SELECT pg_drop_replication_slot('<slot>');`

Then go home.
## Fix forward: drop the slot
None known.
"""


def test_a_full_path_block_is_read() -> None:
    mitigation, fix = parse(FULL).paths
    stated = mitigation.attributes
    assert (mitigation.kind, mitigation.name, mitigation.is_typed) == (
        PathKind.MITIGATION,
        "grow the volume",
        True,
    )
    assert (mitigation.span.first_line, mitigation.span.last_line) == (7, 35)
    assert stated.time is not None
    assert (stated.time.text, stated.time.low_minutes, stated.time.high_minutes) == ("5-10m", 5, 10)
    assert (stated.risk, stated.reversible, stated.blast) == ("low", "partly", "instance")
    assert (stated.approval, stated.restores, stated.data) == ("the storage team", "partial", "loses")
    assert (stated.contains, stated.confidence, dict(stated.other)) == (True, "proven", {"ticket": "OPS-1"})
    assert (mitigation.intro, mitigation.outro) == ("First read this.", "Then go home.")
    first, second = mitigation.steps
    assert (first.number, first.text, first.span.first_line, first.span.last_line) == (
        1,
        "Grow it by 20 %.",
        21,
        32,
    )
    assert (first.verify, first.expect, first.undo) == ("`df -h` shows\nmore space.", "done", "shrink it.")
    assert (first.if_not, first.confirm, first.details) == (
        "call storage.", "nobody else grows it.", ("- Another hint.",),
    )  # fmt: skip
    (command,) = first.commands
    assert (command.text, command.output, command.language) == ("grow --by 20 <volume>", "done", "sh")
    assert (command.span.first_line, [p.name for p in command.placeholders]) == (23, ["volume"])
    assert [(c.text, c.language, c.is_destructive) for c in second.commands] == [
        ("SELECT pg_drop_replication_slot('<slot>');", "sql", True)
    ]
    assert (fix.kind, fix.is_none, fix.steps) == (PathKind.FIX, True, ())


def test_values_outside_the_choices_are_kept_as_written() -> None:
    path = path_of("- Risk: tiny\n- Time: soon\n- Blast:\n- Data: not stated\n\n1. Go.")
    assert (path.attributes.risk, path.attributes.time, path.attributes.blast) == (None, None, None)
    assert dict(path.attributes.other) == {"risk": "tiny", "time": "soon"}


def test_bullets_that_are_no_attributes_are_steps() -> None:
    path = path_of("- Note: restart the node first\n- Warn the others about it")
    assert path.attributes.other == {}
    assert [step.text for step in path.steps] == ["Note: restart the node first", "Warn the others about it"]


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        ("## Mitigation\nRestart it now.\n", [False]),
        ("## Resolution\nPatch it now.\n", [False]),
        ("## Workaround\nRestart it now.\n", [True]),
        ("## Mitigation\n- Time: 5m\n\n1. Go.\n", [True]),
        ("## Mitigation\nRestart it.\n## Resolution\nPatch it.\n", [True, True]),
        ("## Lever: drain\nDrain it.\n", [True]),
    ],
)
def test_a_page_that_mixes_stopgap_and_repair_is_untyped(page: str, typed: list[bool]) -> None:
    assert [path.is_typed for path in parse(f"# T\n\n{page}").paths] == typed


@pytest.mark.parametrize(
    "body",
    [
        "None",
        "None known.",
        "n/a",
        "There is no known workaround.",
        "No workaround is known at this time.",
        "无",
        "**None**",
    ],
)
def test_a_section_may_say_that_there_is_no_way(body: str) -> None:
    assert path_of(body).is_none


@pytest.mark.parametrize(
    "body",
    [
        "",
        "TODO",
        "TBD.",
        "<!-- later -->",
        "TODO\n\nSee [more](https://x.y/z)",
        "See also: [more](x.md).",
        "1. <!-- what -->\n   - Verify:",
    ],
)
def test_a_section_that_only_promises_is_no_path(body: str) -> None:
    assert parse(f"# T\n\n## Mitigation\n{body}\n## Impact\nx\n").paths == ()


def test_a_setext_heading_opens_a_path_with_true_lines() -> None:
    (path,) = parse("# T\n\nMitigation\n----------\n\n1. Go.\n").paths
    assert (path.span.first_line, path.span.last_line, path.steps[0].span.first_line) == (3, 6, 6)


def test_steps_may_be_split_by_unindented_code_and_text() -> None:
    path = path_of("1. One:\n```sh\nls\n```\nmore about one\n2. Two\n\n   in detail\n\nAfter all.")
    assert [(s.text, [c.text for c in s.commands], s.details) for s in path.steps] == [
        ("One:", ["ls"], ("more about one",)),
        ("Two\n\nin detail", [], ()),
    ]
    assert path.outro == "After all."


def test_output_blocks_join_their_command() -> None:
    path = path_of("1. Look:\n   ```sh\n   ls\n   ```\n   The output is:\n   ```\n   a\n    b\n   ```\n")
    assert [(c.text, c.output) for c in path.steps[0].commands] == [("ls", "a\n b")]


def test_code_that_is_no_command_stays_in_the_details() -> None:
    path = path_of("1. Wait for this:\n   ```\n   All good now\n   ```\n")
    assert path.steps[0].commands == ()
    assert "All good now" in path.steps[0].details[0]


@pytest.mark.parametrize("mark", ["**Warning**", "**Caution:**", "[!WARNING]", "__Danger__!"])
def test_a_quoted_warning_is_what_to_know_before_the_step(mark: str) -> None:
    path = path_of(
        f"1. Drop it.\n   > {mark}\n   > All is lost\n   > for ever.\n   > > Really.\n\n   > A quote.\n2. Go."
    )
    first = path.steps[0]
    assert first.confirm == "All is lost\nfor ever.\n> Really."
    assert first.text == "Drop it.\n\n> A quote."


@pytest.mark.parametrize(
    ("steps", "verify"),
    [("1. a b c\n2. d e f", "All green."), ("1. a b c\n   - Verify: own\n2. d e f", ""), ("Prose.", None)],
)
def test_a_verify_section_below_is_the_last_steps_check(steps: str, verify: str | None) -> None:
    (path,) = parse(f"# T\n\n## Workaround\n\n{steps}\n\n## Verification\n\nAll green.\n").paths
    assert (path.steps[-1].verify if path.steps else None) == verify


def test_code_under_an_attribute_belongs_to_it() -> None:
    path = path_of("1. Go\n   - Verify:\n     ```sh\n     df -h\n     ```\n")
    assert "df -h" in path.steps[0].verify
    assert path.steps[0].commands == ()


def test_a_fence_on_the_items_own_line_is_its_command() -> None:
    path = path_of("1. ```sh\n   ls -l\n   ```\n2. Done\n")
    assert [[c.text for c in s.commands] for s in path.steps] == [["ls -l"], []]


def test_prose_with_code_blocks_becomes_steps() -> None:
    path = path_of("Some background.\n\nList them:\n```sh\nls\n```\nThen stop them:\n\n```sh\nps\n```\nEnd.")
    assert path.intro == "Some background."
    assert [(s.text, s.commands[0].text) for s in path.steps] == [
        ("List them:", "ls"),
        ("Then stop them:", "ps"),
    ]
    assert path.outro == "End."


def test_output_shown_after_a_command_is_no_step_of_its_own() -> None:
    path = path_of(
        "List:\n```sh\nls\n```\nThe output looks like:\n```\nls -l file\n```\nNext:\n```sh\nps\n```"
    )
    assert [s.commands[0].text for s in path.steps] == ["ls", "ps"]


def test_mere_prose_has_no_steps_but_a_body() -> None:
    path = path_of("Talk to the owner.\n\nSee [docs](https://x.y).")
    assert (path.steps, path.intro) == ((), "Talk to the owner.\n\nSee [docs](https://x.y).")


def test_years_at_the_start_of_lines_are_no_steps() -> None:
    assert path_of("It began in\n1999. A year later, in\n2000. It ended.").steps == ()


def test_short_fragments_and_link_lists_are_no_steps() -> None:
    assert path_of("Check:\n- disk\n- memory").steps == ()
    assert path_of("- [a](b)\n- https://x.y").steps == ()


def test_paragraphs_with_their_own_bullets_are_steps() -> None:
    path = path_of(
        "If the node is down:\n\n- check its power now\n- call the data centre\n\n"
        "If the pod is down:\n- delete the pod at once"
    )
    assert [s.text for s in path.steps] == ["If the node is down:", "If the pod is down:"]
    assert path.steps[0].details == ("- check its power now\n- call the data centre",)


def test_bullets_before_any_paragraph_stay_single_steps() -> None:
    path = path_of("- do the first thing\n- do the second thing\n\nIf not:\n\n- do the third thing\n\nBye.")
    assert [s.text for s in path.steps] == ["do the first thing", "do the second thing", "If not:"]
    assert path.outro == "Bye."


def test_step_headings_are_steps() -> None:
    path = path_of(
        "Intro.\n\n### Step 1: look\n\nLook.\n\n### 2. act\n```sh\nls\n```\n", heading="## Resolution"
    )
    assert [(s.text, len(s.commands)) for s in path.steps] == [("**look**\n\nLook.", 0), ("**act**", 1)]
    assert path.intro == "Intro."


def test_sub_headings_open_their_steps() -> None:
    path = path_of(
        "Pick one.\n\n### With a tool\n\nQuick.\n\n1. a b c\n2. d e f\n\n### By hand\n\nJust prose.\n\n"
        "### Verify\n\nAll green.\n\n### Rollback\n\nGo back.\n\n### Empty\n"
    )
    assert [s.text for s in path.steps] == [
        "**With a tool**\n\nQuick.\n\na b c",
        "d e f",
        "**By hand**\n\nJust prose.",
    ]
    assert path.steps[-1].verify == "All green."
    assert (path.intro, path.outro) == ("Pick one.", "**Rollback**\n\nGo back.")


def test_alternatives_are_paths_of_their_own() -> None:
    text = (
        "# T\n\n## Workaround\n- Risk: low\n\nPick one.\n\n### Option A\n\n1. a b c\n2. d e f\n\n"
        "### If there is no tool\n- Risk: high\n\nBe careful.\n\n1. g h i\n\n### Option C\n\nTODO\n"
    )
    first, second = parse(text).paths
    assert (first.name, first.attributes.risk, first.intro) == ("Option A", "low", "Pick one.")
    assert (first.kind, first.anchor, first.span.first_line, first.span.last_line) == (
        PathKind.MITIGATION, "option-a", 8, 12,
    )  # fmt: skip
    assert [step.text for step in first.steps] == ["a b c", "d e f"]
    assert (second.attributes.risk, second.intro) == ("high", "Pick one.\n\nBe careful.")
    assert [(step.number, step.text) for step in second.steps] == [(1, "g h i")]


def test_alternatives_that_hold_nothing_leave_the_path_whole() -> None:
    (path,) = parse("# T\n\n## Workaround\n\nGo.\n\n### Option A\n\nTODO\n\n### Option B\n").paths
    assert path.heading == "Workaround"


def test_sub_headings_without_steps_stay_prose() -> None:
    assert path_of("### A\n\nProse.\n\n### B\n\nMore.").intro == "**A**\n\nProse.\n\n**B**\n\nMore."


def test_nested_paths_are_read_once() -> None:
    paths = parse("# T\n\n## Mitigation\n\nFirst.\n\n### Workaround\n\nRestart.\n\n### Fix\n\nPatch.\n").paths
    assert [(p.heading, p.body) for p in paths] == [
        ("Mitigation", "First."),
        ("Workaround", "Restart."),
        ("Fix", "Patch."),
    ]
    paths = parse("# T\n\n## Resolution\n\n### Workaround\n\nRestart.\n").paths
    assert [p.heading for p in paths] == ["Workaround"]


def test_a_section_of_headings_around_a_path_is_no_path_of_its_own() -> None:
    paths = parse("# T\n\n## Resolution\n\n### Notes\n\n### Workaround\n\nRestart.\n").paths
    assert [path.heading for path in paths] == ["Workaround"]


def test_only_the_first_hundred_paths_of_a_page_are_read() -> None:
    assert len(parse("# T\n" + "## Fix\n\nPatch it.\n" * 150).paths) == 100


def test_a_remark_above_the_first_prompt_is_kept() -> None:
    (step,) = path_of("1. Go\n   ```sh\n   As root:\n   $ ls\n   ```\n").steps
    assert ([command.text for command in step.commands], step.details) == (["ls"], ("As root:",))


def test_paths_below_paths_are_read_once_at_any_depth() -> None:
    text = "# T\n## Fix\na b\n### Workaround\nc d\n#### Solution\ne f\n### Fix\ng h\n"
    assert [path.body for path in parse(text).paths] == ["a b", "c d", "e f", "g h"]


def test_alternatives_may_have_headings_of_their_own() -> None:
    text = "# T\n## Workaround\n### Option A\n#### Step 1: x\na\n#### Step 2: y\nb\n### Option B\n1. c d e\n"
    assert [(path.name, len(path.steps)) for path in parse(text).paths] == [("Option A", 2), ("Option B", 1)]


def test_comments_are_no_steps_and_no_text() -> None:
    path = path_of(
        "<!-- a -->\n- do the first thing <!-- x -->\n<!--\n- hidden thing here\n-->\n- do the second thing"
    )
    assert [s.text for s in path.steps] == ["do the first thing", "do the second thing"]


def test_reading_without_detail_leaves_the_steps_out() -> None:
    entry = parse_entry("x.md", FULL.encode(), KnowledgeBaseConfig(), detail=False)
    assert [(p.heading, p.steps) for p in entry.paths] == [
        ("Mitigation: grow the volume", ()), ("Fix forward: drop the slot", ()),
    ]  # fmt: skip
    assert entry.links == ()


PIECES = st.lists(
    st.sampled_from(
        ["1. step one", "2. step two", "   - Verify: ok", "- a bullet here", "   deeper text", "```sh", "```",
         "prose here", "", "### Sub", "### Verify", "   1. nested", "<!-- c -->", "<!--", "-->", "- Time: 5m",
         "$ ls", "2019. A year"]
    ),
    max_size=25,
)  # fmt: skip


@settings(deadline=None)
@given(PIECES)
def test_no_line_is_lost_and_spans_are_true(lines: list[str]) -> None:
    entry = parse("# T\n## Mitigation\n" + "\n".join(lines) + "\n")
    for path in entry.paths:
        assert [step.number for step in path.steps] == list(range(1, len(path.steps) + 1))
        for before, after in zip(path.steps, path.steps[1:], strict=False):
            assert before.span.last_line < after.span.first_line
        for step in path.steps:
            assert path.span.first_line < step.span.first_line <= step.span.last_line <= path.span.last_line
            for command in step.commands:
                assert (
                    step.span.first_line
                    <= command.span.first_line
                    <= command.span.last_line
                    <= step.span.last_line
                )
        if path.steps and "<!--" not in path.body:
            shown = " ".join((path.intro, path.outro, *(str(step) for step in path.steps)))
            for word in ("prose here", "a bullet here", "nested", "step two"):
                assert path.body.count(word) <= shown.count(word)
