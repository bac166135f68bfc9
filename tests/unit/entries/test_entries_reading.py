from __future__ import annotations

from kb_app.entries.model import Kind, KnowledgeBaseConfig, PathKind
from kb_app.entries.reading import parse_entry
from kb_app.entries.signatures import first_hit, pattern_of, pattern_pairs


def test_a_plain_old_runbook_yields_title_alert_and_path() -> None:
    raw = b"# DiskAlmostFull\n\n## Meaning\n\nA disk fills.\n\n## Mitigation\n\nGrow it.\n"
    entry = parse_entry("runbooks/DiskAlmostFull.md", raw, KnowledgeBaseConfig())
    assert (entry.title, entry.kind, entry.alerts) == ("DiskAlmostFull", Kind.RUNBOOK, ("DiskAlmostFull",))
    assert [(p.kind, p.span.first_line, p.span.last_line) for p in entry.paths] == [
        (PathKind.MITIGATION, 7, 9)
    ]


def test_patterns_are_tried_on_plain_signatures_and_bad_ones_are_no_hit() -> None:
    assert pattern_of("/no space left/") == "no space left"
    assert pattern_of("/" + "x" * 400 + "/") == pattern_of("//") == pattern_of("/var/log full") == ""
    pairs = pattern_pairs(["disk: no space left", "/b+/"], ["/(/", "/.*/", "/no +space/", "abb"])
    assert pairs[0] == ("(", "disk: no space left")
    assert pairs[-1] == ("b+", "abb")
    assert first_hit(pairs) == 2
    assert first_hit(pairs[:2]) == -1
