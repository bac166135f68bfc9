"""Texts that make naive readers hang, run out of memory or fall over: each is read before its deadline."""

from __future__ import annotations

import time

import pytest

from kb_app.entries.catalogue import Catalogue, card_of
from kb_app.entries.commands import fill, review_copy
from kb_app.entries.lint import lint_entry
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.entries.reading import parse_entry

DEADLINE_S = 20.0
"""Generous, because machines differ: quadratic readers need minutes on these texts."""
SIZE = 100_000


def fill_up(unit: str) -> str:
    return unit * (SIZE // len(unit))


HEAD = "---\nkind: runbook\n---\n# T\n## Symptoms\nx\n## Mitigation\n"
BOMBS = {
    "brackets": fill_up("["),
    "images": fill_up("!["),
    "links": fill_up("[a]("),
    "nested links": "[" * 5_000 + "a" + "](b)" * 5_000,
    "autolinks": fill_up("<http://x"),
    "tags": fill_up("<a "),
    "declarations": fill_up("<!["),
    "comments": fill_up("<!--\n"),
    "comments on one line": fill_up("<!--"),
    "raw blocks": fill_up("<pre>\n<script>\n"),
    "one long word": "x" * SIZE,
    "back quotes": fill_up("`"),
    "growing back quotes": " ".join("`" * n for n in range(1, 600)),
    "stars": fill_up("*a "),
    "emphasis": fill_up("**a_"),
    "tabs": fill_up("\t"),
    "quotes": fill_up("> "),
    "deep quotes": ">" * 50_000 + " ```\n",
    "deep list": "".join(" " * n + "- a\n" for n in range(600)),
    "deep numbers": "".join(" " * (3 * n) + "1. a b c\n" for n in range(400)),
    "many steps": fill_up("1. do this now\n"),
    "many bullets": fill_up("- do this now\n"),
    "bullets and text": fill_up("- do this now\n\ntext here\n\n"),
    "unclosed fences": fill_up("```sh\n"),
    "fences and headings": fill_up("```sh\nls\n\n## H\n\n"),
    "shrinking fences": "".join("`" * n + " x\n" for n in range(600, 3, -1)),
    "tildes and back quotes": fill_up("```a\n~~~b\n"),
    "headings": fill_up("# A\n"),
    "path headings": fill_up("## Fix\na\n"),
    "nested path headings": fill_up("## Fix\n### Fix\n#### Fix\n"),
    "setext": fill_up("a\n===\n"),
    "long setext": "a\n" * 50_000 + "===\n",
    "hashes": "#" * SIZE,
    "heading of hashes": "# " + fill_up("a #") + "\n",
    "definitions": "".join(f"[a{n}]: b\n" for n in range(10_000)) + fill_up("[a1] "),
    "prompts": "```sh\n" + fill_up("$ ls\n") + "```\n",
    "open quotes": "```sh\n" + fill_up("$ echo 'a\n") + "```\n",
    "heredocs": "```sh\n" + fill_up("$ cat <<EOF\n") + "```\n",
    "continuations": "```sh\n$ a \\\n" + fill_up("b \\\n") + "```\n",
    "variables": "```sh\n" + fill_up("$AB ") + "\n```\n",
    "angles": "```sh\n" + fill_up("<ab> ") + "\n```\n",
    "open angles": "```sh\n" + fill_up("<ab ") + "\n```\n",
    "templates": "```sh\n" + fill_up("{{ a }}") + "\n```\n",
    "dollar parens": "```sh\n" + fill_up('"$(') + "$ABC\n```\n",
    "kubectl": "```sh\n" + fill_up("kubectl ") + "\n```\n",
    "sudo": "1. `" + fill_up("sudo -a ") + "`\n",
    "attributes": fill_up("- Time: 5m\n"),
    "durations": "- Time: " + fill_up("5m + ") + "\n- Risk: low\n",
    "blank lines": "a\n" + "\n" * SIZE + "b\n",
    "carriage returns": "\r" * SIZE,
    "none known": fill_up("no known "),
    "code spans": fill_up("`error: a b c` "),
    "passwords": fill_up("password: "),
    "urls": fill_up("a://b:c"),
    "combining marks": "# " + "e" + "\u0301" * 50_000 + "\n",
    "list of links": fill_up("- [a](b.md)\n"),
    "zero bytes": "\x00" * SIZE,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_linted_and_carded_before_the_deadline(name: str) -> None:
    raw = (HEAD + BOMBS[name]).encode()
    started = time.monotonic()
    entry = parse_entry("a/b.md", raw, KnowledgeBaseConfig())
    assert time.monotonic() - started < DEADLINE_S
    lint_entry(entry, Catalogue([card_of(entry, "kb")]))
    for path in entry.paths[:3]:
        for step in path.steps[:3]:
            for command in step.commands[:3]:
                review_copy(command.text)
                fill(command, {placeholder.name: "x" for placeholder in command.placeholders})
    assert time.monotonic() - started < 2 * DEADLINE_S
    assert entry.size_bytes == len(raw)


def test_bombs_of_front_matter_do_not_reach_the_text() -> None:
    raw = b"---\na: &a [x, x]\nb: [*a, *a]\n---\n# T\n"
    entry = parse_entry("b.md", raw, KnowledgeBaseConfig())
    assert entry.title == "T"
    assert [note.code for note in entry.notes] == ["front-matter-broken"]
