from __future__ import annotations

import pytest

from kb_app.entries.lint import lint_entry
from kb_app.entries.model import Kind, KnowledgeBaseConfig, Severity, State
from kb_app.entries.reading import parse_entry
from kb_app.entries.templates import file_name_for, new_entry_text


@pytest.mark.parametrize("kind", list(Kind))
def test_a_new_entry_reads_back_as_what_was_asked_for(kind: Kind) -> None:
    entry = parse_entry("x.md", new_entry_text(kind, "Disk  full").encode(), KnowledgeBaseConfig())
    assert (entry.kind, entry.title, entry.state) == (kind, "Disk full", State.DRAFT)
    assert entry.notes == ()
    assert entry.paths == ()


@pytest.mark.parametrize("kind", list(Kind))
def test_lint_only_names_what_is_left_to_write(kind: Kind) -> None:
    entry = parse_entry("x.md", new_entry_text(kind, "Disk full").encode(), KnowledgeBaseConfig())
    findings = lint_entry(entry, None)
    assert {f.code for f in findings} <= {"no-path", "path-todo", "no-signature", "no-alert", "no-owner"}
    assert all(f.severity is not Severity.ERROR for f in findings)


def test_filling_the_prompts_in_gives_typed_paths() -> None:
    text = new_entry_text("known-fix", "Disk full")
    text = text.replace("- Time:", "- Time: 5m").replace("- Risk:", "- Risk: low")
    text = text.replace("1. <!-- What to do", "1. Grow it. <!-- What to do")
    entry = parse_entry("x.md", text.encode(), KnowledgeBaseConfig())
    assert [(p.is_typed, p.attributes.risk, [s.text for s in p.steps]) for p in entry.paths] == [
        (True, "low", ["Grow it."]), (True, "low", ["Grow it."]),
    ]  # fmt: skip


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        new_entry_text("nonsense", "x")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("KubePodCrash", "KubePodCrash.md"),
        ("Disk full: now!", "disk-full-now.md"),
        ("", "entry.md"),
        ("含义", "含义.md"),
        ("x" * 200, "x" * 80 + ".md"),
    ],
)
def test_file_names_are_portable(title: str, name: str) -> None:
    assert file_name_for(title) == name
