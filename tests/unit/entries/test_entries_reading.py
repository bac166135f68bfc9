from __future__ import annotations

from kb_app.entries.model import Kind, KnowledgeBaseConfig, PathKind
from kb_app.entries.reading import parse_entry


def test_a_plain_old_runbook_yields_title_alert_and_path() -> None:
    raw = b"# DiskAlmostFull\n\n## Meaning\n\nA disk fills.\n\n## Mitigation\n\nGrow it.\n"
    entry = parse_entry("runbooks/DiskAlmostFull.md", raw, KnowledgeBaseConfig())
    assert (entry.title, entry.kind, entry.alerts) == ("DiskAlmostFull", Kind.RUNBOOK, ("DiskAlmostFull",))
    assert [(p.kind, p.span.first_line, p.span.last_line) for p in entry.paths] == [
        (PathKind.MITIGATION, 7, 9)
    ]
