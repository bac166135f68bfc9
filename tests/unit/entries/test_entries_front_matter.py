from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_app.entries.front_matter import MAX_BYTES, FrontMatter, read_front_matter, read_mapping


def read(text: str) -> FrontMatter:
    return read_front_matter(text.split("\n"))


def codes(found: FrontMatter) -> list[str]:
    return [note.code for note in found.notes]


def test_values_stay_the_text_they_were() -> None:
    found = read("---\na: 2025-05-02\nb: no\nc: 1.10\nd: on\ne: 0x1F\nf: ~\ng: null\nh:\n---\nbody\n")
    assert dict(found.values) == {
        "a": "2025-05-02", "b": "no", "c": "1.10", "d": "on", "e": "0x1F", "f": "", "g": "", "h": "",
    }  # fmt: skip
    assert found.body_line == 11
    assert found.lines["c"] == 4


@pytest.mark.parametrize(
    ("block", "values"),
    [
        ("tags: [a, 'b c', \"d\"]", {"tags": ("a", "b c", "d")}),
        ("tags:\n- a\n- b", {"tags": ("a", "b")}),
        ("tags:\n  - a\n  - b: 1", {"tags": ("a", "b: 1")}),
        ("title: 'It''s: here'", {"title": "It's: here"}),
        ('title: "a: b"', {"title": "a: b"}),
        ("menu:\n  docs:\n    parent: x", {"menu.docs.parent": "x"}),
        ("text: |\n  one\n  two", {"text": "one\ntwo"}),
        ("a: 1 # why", {"a": "1"}),
        ("Module Name: x", {"Module Name": "x"}),
        ("groups:\n  - [a, b]\n  - [c]", {"groups": ("a, b", "c")}),
        ("owner: '@db-team'", {"owner": "@db-team"}),
        ("", {}),
    ],
)
def test_yaml_shapes_become_flat_text(block: str, values: dict[str, object]) -> None:
    found = read(f"---\n{block}\n---\n")
    assert dict(found.values) == values
    assert codes(found) == []


@pytest.mark.parametrize(
    ("block", "code", "kept"),
    [
        ("title: {{ .Name }}\nweight: 5", "front-matter-broken", {"weight": "5"}),
        ("title: Fix: it\nowner: ana", "front-matter-broken", {"title": "Fix: it", "owner": "ana"}),
        ("a: &x 1\nb: *x", "front-matter-broken", {"a": "&x 1"}),
        ("a: [1, 2\nb: c", "front-matter-broken", {"b": "c"}),
        ("tags: [a\n- b\n- c", "front-matter-broken", {"tags": ("[a", "b", "c")}),
        ("a: " + "[" * 50 + "]" * 50, "front-matter-broken", {}),
        ("a:\n" + "".join("  " * n + "b:\n" for n in range(1, 20)), "front-matter-broken", {}),
        ("? [a, b]\n: c", "front-matter-broken", {}),
        ("a: 1\na: 2", "front-matter-duplicate-key", {"a": "2"}),
        ("<<: {a: 1}\nb: 2", "front-matter-merge-key", {"b": "2"}),
    ],
)
def test_what_is_odd_becomes_a_note_and_the_rest_is_kept(
    block: str, code: str, kept: dict[str, object]
) -> None:
    found = read(f"---\n{block}\n---\n# Body\n")
    assert code in codes(found)
    assert kept.items() <= dict(found.values).items()
    assert found.body_line == block.count("\n") + 4


def test_a_broken_line_is_named() -> None:
    note = read("---\na: 1\nb: x: y\n---\n").notes[0]
    assert note.line == 3


@pytest.mark.parametrize(
    "text",
    ["", "# Title\n", "---\nplain text\n", "---\nplain text\n---\n", "---\n- a\n- b\n---\nx\n", "a\n---\n"],
)
def test_a_thematic_break_is_no_front_matter(text: str) -> None:
    assert read(text) == FrontMatter()


def test_an_unclosed_block_ends_with_its_last_key() -> None:
    found = read("---\ntitle: a\nowner: b\n\n# Title\n")
    assert dict(found.values) == {"title": "a", "owner": "b"}
    assert (found.body_line, codes(found)) == (4, ["front-matter-unclosed"])


def test_blank_lines_and_dots_are_accepted_around_the_block() -> None:
    assert read("\n\n---\na: b\n...\nbody\n").body_line == 6


def test_toml_is_read_by_lines() -> None:
    found = read('+++\n# a comment\ntitle = "x y"\ntags = ["a", "b"]\n+++\nbody\n')
    assert dict(found.values) == {"title": "x y", "tags": ("a", "b")}
    assert codes(found) == ["front-matter-toml"]


def test_a_large_block_is_skipped_as_a_whole() -> None:
    found = read("---\n" + "a: b\n" * MAX_BYTES + "---\n")
    assert codes(found) == ["front-matter-unclosed"]
    found = read("---\na: " + "x" * (MAX_BYTES + 1) + "\n---\nbody\n")
    assert (found.body_line, codes(found), dict(found.values)) == (4, ["front-matter-large"], {})


def test_first_texts_and_lists_are_found_by_any_of_several_keys() -> None:
    found = FrontMatter({"a": "", "b": ("", "x"), "c": "y"})
    assert (found.text("a", "b"), found.text("z"), found.items("a", "c")) == ("x", "", ("y",))
    assert found.items("z") == ()


BOMBS = {
    "laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)),
    "merge": "".join(f"m{n}: &m{n} {{<<: [{','.join(f'*m{k}' for k in range(n))}]}}\n" for n in range(60)),
    "deep flow": "a: " + "{b: " * 1500,
    "deep list": "- " * 4000,
    "brackets": "a: " + "[" * 8000,
    "quotes": "a: '" * 2000,
    "indents": "\n".join(" " * n + "a:" for n in range(120)),
    "huge number": "a: " + "9" * 8000,
    "bad date": "a: 2025-99-99",
    "question marks": "? " * 4000,
    "tags": "!!python/object/apply:os.system [x]: y",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_within_the_deadline(name: str) -> None:
    started = time.monotonic()
    found = read(f"---\n{BOMBS[name]}\n---\nbody\n")
    assert time.monotonic() - started < 2
    assert sum(len(str(value)) for value in found.values.values()) < 100_000


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_block_is_read_without_an_exception(text: str) -> None:
    lines = f"---\n{text}\n---\nbody".split("\n")
    found = read_front_matter(lines)
    assert 1 <= found.body_line <= len(lines) + 1


_WORDS = st.text("abc XYZ019./_-()=;<'\"[]:#\t&*\u00e9", max_size=14)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), _WORDS), min_size=1, max_size=6))
def test_the_quick_reader_agrees_with_yaml(pairs: list[tuple[str, str]]) -> None:
    block = "\n".join(f"{key}: {value}" for key, value in dict(pairs).items())
    try:
        expected = yaml.load(block, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return
    found = read_mapping(block)
    if all(isinstance(value, str) for value in expected.values()):
        assert dict(found.values) == {key: value.strip() for key, value in expected.items()}
