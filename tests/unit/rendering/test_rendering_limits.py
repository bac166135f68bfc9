"""Inputs that make other renderers slow: each ends long before the deadline, and is shown."""

from __future__ import annotations

import itertools
import re

import pytest

from kb_app.rendering.limits import (
    MAX_BLOCKS,
    MAX_CELLS,
    MAX_FRAMES,
    MAX_ITEMS,
    MAX_LINE_ANCHORS,
    MAX_PLAIN_LINES,
    MAX_WORD,
)
from kb_app.rendering.model import RenderedPage
from kb_app.rendering.page import render

#: Proves termination on a busy machine, no more; measured times are below one second.
pytestmark = pytest.mark.timeout(20)

BOMBS = {
    "open brackets": "[" * 10_000,
    "many open brackets": "[" * 100_000,
    "open links": "[a](" * 25_000,
    "open images": "![" * 50_000,
    "linked images": "[![a](b)](" * 10_000,
    "declarations": "<![" * 33_000,
    "nested brackets": "[" * 30_000 + "]" * 30_000,
    "open titles": '[a](b "' * 14_000,
    "open tags": "<a " * 33_000,
    "open attributes": '<x y="' * 16_000,
    "open addresses": "<http://x" * 11_000,
    "paired tags": "<b>" * 10_000 + "</b>" * 10_000,
    "spans": "<span>x</span>" * 50_000,
    "span attributes": "a " + '<span class="k">x</span>' * 30_000,
    "tabs": "a" + "\t" * 100_000 + "b",
    "tabs as code": "```python\n" + "\t" * 20_000 + "\n```",
    "backticks": "`" * 100_000,
    "runs of backticks": " ".join("`" * count for count in range(1, 440)),
    "stars": "*a **b " * 14_000,
    "ambiguous stars": "a*" * 50_000,
    "stars and bars": "*_" * 50_000,
    "deep emphasis": "*a _b " * 5_000 + "_ *" * 5_000,
    "backslashes": "\\" * 100_000,
    "ampersands": "&" * 100_000,
    "generator tags": "{{< " * 25_000 + ">}}",
    "comments": "<!-- " * 20_000 + "-->",
    "comments after an end": "--> " + "<!-- " * 20_000,
    "processing instructions": "<?\n\n" * 20_000,
    "footnotes": "".join(f"[^{number}]: n\n" for number in range(5_000)),
    "footnote references": "[^a]: x\n\n" + "[^a] " * 20_000,
    "references": "".join(f"[{number}]: x\n" for number in range(8_000)) + "[1] [2] " * 4_000,
    "abbreviations": "".join(f"*[A{number}]: x\n" for number in range(3_000)) + "A1 A2 " * 10_000,
    "quotes": ">" * 100_000,
    "list 600 deep": "".join("  " * depth + "- a\n" for depth in range(600)),
    "list in one line": "- " * 50_000 + "a",
    "callouts inside callouts": "".join("    " * depth + "!!! note\n" for depth in range(300)),
    "directives": ":::note\n" * 20_000,
    "nested raw tables": "<table><tr><td>" * 22,
    "thousands of nested raw tables": "<table><tr><td>" * 5_000,
    "raw cells": "<table>" + ("<tr>" + "<td>x</td>" * 300 + "</tr>") * 100 + "</table>",
    "raw spans": "<table>" + '<tr><td colspan="60" rowspan="60">x</td></tr>' * 200 + "</table>",
    "nested divisions": "<div>" * 20_000,
    "details": "<details>\n\n" * 20_000,
    "1,000 columns": "|" + "a|" * 1_000 + "\n|" + "-|" * 1_000 + "\n" + ("|" + "b|" * 1_000 + "\n") * 20,
    "long table": "|a|b|\n|-|-|\n" + "|c|d|\n" * 20_000,
    "bars": "|" * 100_000 + "\n|-|",
    "word of a megabyte": "a" * 999_000,
    "code word of a megabyte": "```sh\n" + "a" * 990_000 + "\n```",
    "open fences": "```sh\n# x\n\n## y\n\n" * 5_000,
    "headings": "# same\n\n" * 20_000,
    "items": "- x\n" * 20_000,
    "paragraphs": "x\n\n" * 100_000,
    "underlined headings": "a\n==\n" * 20_000,
    "links that lead nowhere": "".join(f"[a](/x/{number}) " for number in range(5_000)),
    "ordinary prose": ("word and *more* text [l](x.md) `c` here. " * 10 + "\n\n") * 2_300,
    "too large": "x\n" * 600_000,
}

INVISIBLE = {"generator tags", "comments", "nested divisions"}


def no_file(_path: str) -> bool:
    return False


def rendered(name: str) -> RenderedPage:
    return render(BOMBS[name], path="a.md", is_file=no_file)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_does_not_go_off(name: str) -> None:
    page = rendered(name)
    assert page.html or name in INVISIBLE
    assert len(page.html) < 20 * len(BOMBS[name]) + 10_000


@pytest.mark.parametrize("name", ["paragraphs", "too large"])
def test_a_page_beyond_the_caps_is_plain_and_says_so(name: str) -> None:
    page = rendered(name)
    assert page.is_plain
    assert "plain text" in page.notices[0]
    assert page.html.count("\n") == MAX_PLAIN_LINES - 1
    assert "Only the first" in page.notices[1]


@pytest.mark.parametrize("name", ["many open brackets", "open links", "spans"])
def test_unparsed_marks_stay_visible_and_are_announced(name: str) -> None:
    page = rendered(name)
    assert "without formatting" in page.notices[0]
    assert page.html.count("[") >= BOMBS[name].count("[")


def test_ordinary_prose_is_formatted_to_the_end() -> None:
    page = render(
        ("Some *more* text with a [link](x.md) and `code`.\n" * 4 + "\n") * 500, path="a.md", is_file=no_file
    )
    assert page.notices == ()
    assert page.html.count("<em>") == 2_000


def test_frames_lie_no_deeper_than_the_cap() -> None:
    html = render(">" * 60 + "deep", path="a.md", is_file=no_file).html
    assert "deep" in html
    assert html.count("<table") == MAX_FRAMES


def test_a_long_list_is_continued_in_a_new_one_with_the_right_number() -> None:
    html = render("1. x\n" * (MAX_ITEMS + 5), path="a.md", is_file=no_file).html
    assert html.count("<li>") == MAX_ITEMS + 5
    assert f'</ol><ol start="{MAX_ITEMS + 1}">' in html


def test_a_long_word_can_be_broken_and_code_is_left_alone() -> None:
    word = "a" * (MAX_WORD + 10)
    html = render(f"{word}\n\n```\n{word}\n```\n", path="a.md", is_file=no_file).html
    assert "a" * MAX_WORD + "\u200b" + "a" * 10 + "</p>" in html
    assert f"{word}</pre>" in html


def test_rows_beyond_the_cap_are_shown_as_text() -> None:
    rows = MAX_CELLS // 2 + 10
    page = render("|a|b|\n|-|-|\n" + "|c|d|\n" * rows, path="a.md", is_file=no_file)
    assert page.html.count("<td") <= MAX_CELLS + 10
    assert sum(block.text.count("|c|d|") for block in page.code_blocks) + page.html.count(">c</td>") == rows


def test_a_long_page_has_an_anchor_every_few_lines_and_at_every_heading() -> None:
    text = "x\n\n" * 2_000 + "# Last\n\n[up](#last)\n"
    html = render(text, path="a.md", is_file=no_file).html
    numbers = [int(found) for found in re.findall(r'<a name="line-(\d+)"', html)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= MAX_LINE_ANCHORS
    assert max(after - before for before, after in itertools.pairwise(numbers)) <= 10
    assert '<h1><a name="last"></a><a name="line-4001"></a>Last</h1>' in html


def test_there_are_never_more_blocks_than_the_cap() -> None:
    assert not render("x\n\n" * (MAX_BLOCKS - 1), path="a.md", is_file=no_file).is_plain
    assert render("x\n\n" * (MAX_BLOCKS + 1), path="a.md", is_file=no_file).is_plain
