"""The editor's rules: completion, repair of findings, pictures, words."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kb_app.entries.lint import lint_entry
from kb_app.entries.model import KnowledgeBaseConfig, Severity
from kb_app.entries.reading import parse_entry
from kb_app.entries.templates import new_entry_text
from kb_app.ui.editor.state import (
    LinkTarget,
    Place,
    Problem,
    age_text,
    completions,
    counts_text,
    next_problem,
    picture_markdown,
    picture_path,
    placeholders_in,
    problems_of,
    relative_link,
    repaired,
)

TARGETS = (
    LinkTarget("pg_wal fills the disk", "postgresql/pg-wal.md"),
    LinkTarget("Fail over to a standby", "postgresql/runbooks/failover.md"),
    LinkTarget("Redis is out of memory", "redis/oom (old).md"),
)


def labels(line: str, place: Place = Place.BODY, **options: object) -> list[str]:
    return [item.label for item in completions(line, place, **options).items]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("- Risk: ", ["low", "medium", "high"]),
        ("- Risk: m", ["medium"]),
        ("- Risk: medium", []),
        ("- Reversible: p", ["partly"]),
        ("- Re", ["Reversible", "Restores"]),
        ("   - V", ["Verify"]),
        ("Some prose about a thing", []),
        ("- prose that is longer than a name", []),
    ],
)
def test_attributes_are_completed(line: str, offered: list[str]) -> None:
    assert labels(line) == offered


def test_an_empty_bullet_offers_only_when_asked() -> None:
    assert completions("- ", Place.BODY).is_asked


def test_front_matter_is_completed() -> None:
    assert labels("state: v", Place.FRONT) == ["verified"]
    assert labels("sev", Place.FRONT) == ["severity"]
    assert labels("kind: ", Place.FRONT) == ["internals", "known-fix", "runbook", "note"]


def test_entries_are_linked_relative_to_the_page() -> None:
    found = completions("see [[standby", Place.BODY, path="postgresql/pg-wal.md", targets=TARGETS)
    [item] = found.items
    assert found.start == 4
    assert item.text == "[Fail over to a standby](runbooks/failover.md)"
    [item] = completions("see [it](redis", Place.BODY, path="a/b.md", targets=TARGETS).items
    assert item.text == "../redis/oom%20%28old%29.md)"
    assert relative_link("top.md", "x/y.md") == "x/y.md"


def test_placeholders_of_the_text_are_completed_in_commands() -> None:
    text = "`a <slot>` `b <slot> <host>` <br>"
    assert placeholders_in(text) == ("slot", "host")
    offered = completions("psql <s", Place.CODE, placeholders=lambda: placeholders_in(text))
    assert (offered.start, [item.text for item in offered.items]) == (5, ["<slot>"])


def findings(text: str) -> tuple[Problem, ...]:
    entry = parse_entry("known-fixes/x.md", text.encode(), KnowledgeBaseConfig())
    return problems_of(lint_entry(entry, None), text)


BAD = """---
kind: known-fix
componant: wal
---
# Slow

##Symptoms
It is slow.

## Mitigation
1. Restart it.
   ```sh
   kubectl delete pod <pod>
   ```
"""


def test_each_repair_takes_its_finding_away_and_brings_no_error() -> None:
    text = BAD
    for _ in range(20):
        problem = next((p for p in findings(text) if p.repair and p.code != "no-signature"), None)
        if problem is None:
            break
        after = repaired(text, problem)
        assert after != text, problem
        same = [p for p in findings(after) if (p.code, p.message) == (problem.code, problem.message)]
        if problem.code not in ("missing-attributes", "missing-verify", "destructive-step", "no-owner"):
            assert not same, problem
        else:  # what only the author knows is left to be filled in
            assert len(after) > len(text)
            text = after
            break
        text = after
    assert not any(p.severity is Severity.ERROR for p in findings(text))


def test_repairs_go_to_the_right_place() -> None:
    by_code = {p.code: p for p in findings(BAD)}
    assert "## Symptoms" in repaired(BAD, by_code["heading-space"])
    assert "component: wal" in repaired(BAD, by_code["misspelt-key"])
    attributes = repaired(BAD, by_code["missing-attributes"])
    assert "## Mitigation\n- Time: \n- Risk: \n- Reversible: \n\n1. Restart it." in attributes
    verify = repaired(BAD, by_code["missing-verify"])
    assert verify.endswith("   ```\n   - Verify: \n")
    assert repaired(BAD, by_code["destructive-step"]).endswith("   ```\n   - Undo: \n")
    assert repaired(BAD, by_code["one-way"]).endswith("## Fix forward\nNone known.\n")


def test_templates_have_no_errors() -> None:
    for kind in ("known-fix", "runbook", "internals", "note"):
        assert not [p for p in findings(new_entry_text(kind, "A title")) if p.severity is Severity.ERROR]


def test_a_picture_without_description_is_a_problem() -> None:
    path = picture_path("pg/full-disk.md", ["pg/full-disk-1.png"])
    assert path == "pg/full-disk-2.png"
    text, start, end = picture_markdown(path)
    assert text[start:end] == "describe the picture"
    [problem] = [p for p in findings(f"# A\n\n{text}\n") if p.code == "picture-description"]
    assert problem.line == 3
    assert not [p for p in findings("# A\n\n![The log](a.png)\n") if p.code == "picture-description"]


def test_problems_are_walked_around_the_ends() -> None:
    rows = [Problem(n, Severity.INFO, "", "", "x") for n in (3, 7)]
    assert [next_problem(rows, at, 1).line for at in (1, 3, 7)] == [3, 7, 3]  # type: ignore[union-attr]
    assert [next_problem(rows, at, -1).line for at in (7, 3)] == [3, 7]  # type: ignore[union-attr]
    assert next_problem([], 1, 1) is None


def test_words() -> None:
    now = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
    ages = [age_text(now - dt.timedelta(seconds=s), now) for s in (5, 125, 7300, 90_000, 300_000)]
    assert ages == ["just now", "2 min ago", "2 h ago", "yesterday", "3 days ago"]
    rows = [Problem(1, Severity.WARNING, "", "", "x"), Problem(2, Severity.INFO, "", "", "x")]
    assert counts_text(rows) == "1 warning, 1 hint"
    assert counts_text(()) == "Nothing to improve"
    assert Path(picture_path("x.md", ())).name == "x-1.png"
