"""Real pages of six public corpora: every one is read, most are understood, none is changed."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import pytest

from kb_app.entries.catalogue import Catalogue, card_of
from kb_app.entries.knowledge_base import load_config, walk
from kb_app.entries.lint import RULE_OF, lint_entry
from kb_app.entries.model import Entry, Kind, Role, Severity
from kb_app.entries.reading import read_entry
from kb_app.entries.response import resolve_plan
from kb_app.entries.source import decode, encode_like

CORPORA = Path(__file__).parents[4] / "shared" / "corpora"
NAMES = (
    "cloudnative-pg", "govuk-developer-docs", "kubevirt-runbooks", "longhorn-kb", "mybinder-ops",
    "prometheus-operator-runbooks",
)  # fmt: skip

pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="needs the corpora beside the repository")


@cache
def corpus(name: str) -> tuple[Entry, ...]:
    root = CORPORA / name
    config = load_config(root)
    return tuple(read_entry(root, file.path, config) for file in walk(root, config).files)


def share(found: int, total: int) -> float:
    assert total > 10
    return found / total


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_read_and_every_span_is_true(name: str) -> None:
    assert len(corpus(name)) > 40
    for entry in corpus(name):
        lines = entry.text.split("\n")
        raw = (CORPORA / name / entry.path).read_bytes()
        assert entry.content_hash == hashlib.sha256(raw).hexdigest()
        assert entry.title
        assert entry.id
        for section in entry.sections[1 if entry.sections and entry.sections[0].level == 0 else 0 :]:
            heading = " ".join(lines[section.span.first_line - 1 : section.span.first_line + 2])
            assert not section.title or section.title.split()[0].strip("`*:,.")[:6] in heading
        for path in entry.paths:
            assert 1 <= path.span.first_line <= path.span.last_line <= len(lines)
            for step in path.steps:
                assert (
                    path.span.first_line <= step.span.first_line <= step.span.last_line <= path.span.last_line
                )
                for command in step.commands:
                    first = command.text.split("\n")[0].strip()
                    assert first in lines[command.span.first_line - 1]
        for link in entry.links:
            assert link.target.split()[0] in entry.text


@pytest.mark.parametrize("name", NAMES)
def test_text_goes_back_to_the_very_bytes(name: str) -> None:
    for entry in corpus(name):
        raw = (CORPORA / name / entry.path).read_bytes()
        source = decode(raw)
        assert not source.is_lossless or encode_like(source.text, source) == raw
    odd = [e for e in corpus(name) if any(note.severity is not Severity.INFO for note in e.notes)]
    assert len(odd) < len(corpus(name)) / 20


def test_alerts_and_titles_of_the_prometheus_operator_runbooks() -> None:
    pages = [
        e for e in corpus("prometheus-operator-runbooks") if e.path.count("/") == 3 and e.stem != "_index"
    ]
    assert share(sum(1 for e in pages if e.stem in e.alerts or e.headline in e.alerts), len(pages)) > 0.97
    assert share(sum(1 for e in pages if e.provenance["title"] == "from front matter"), len(pages)) > 0.9
    assert share(sum(1 for e in pages if e.kind is Kind.RUNBOOK), len(pages)) == 1.0


def holds_something(entry: Entry, role: Role) -> bool:
    """Tell whether a section of ``role`` holds more than a to-do or a pointer to another page."""
    lines = entry.text.split("\n")
    for section in entry.sections:
        if section.role is role:
            text = " ".join(lines[section.span.first_line : section.span.last_line]).strip()
            if text and not text.lower().startswith(("todo", "see [")):
                return True
    return False


@pytest.mark.parametrize(
    ("name", "at_least"), [("prometheus-operator-runbooks", 80), ("kubevirt-runbooks", 85)]
)
def test_mitigations_are_found_where_the_page_has_one(name: str, at_least: int) -> None:
    pages = [entry for entry in corpus(name) if holds_something(entry, Role.MITIGATION)]
    assert len(pages) >= at_least
    assert share(sum(1 for entry in pages if entry.paths), len(pages)) >= 0.99
    assert not any(path.is_typed for entry in pages for path in entry.paths if path.heading == "Mitigation")


def test_an_unclosed_code_block_does_not_swallow_the_mitigation() -> None:
    (page,) = [
        e for e in corpus("prometheus-operator-runbooks") if e.stem == "PrometheusOperatorNodeLookupErrors"
    ]
    assert "mitigation" in [section.role.value for section in page.sections]
    assert "unclosed-fence" in [note.code for note in page.notes]


def test_support_articles_yield_known_fixes_with_both_ways_where_they_are() -> None:
    pages = corpus("longhorn-kb")
    assert share(sum(1 for e in pages if e.kind is Kind.KNOWN_FIX), len(pages)) > 0.7
    assert sum(1 for e in pages if len({p.kind for p in e.paths}) == 2) >= 2
    assert share(sum(1 for e in pages if e.owner), len(pages)) > 0.9
    assert share(sum(1 for e in pages if e.reviewed), len(pages)) > 0.9
    assert sum(1 for e in pages if e.signatures) > 15


def test_deprecated_runbooks_count_as_stubs() -> None:
    pages = [e for e in corpus("kubevirt-runbooks") if "[Deprecated]" in e.title]
    assert len(pages) > 10
    assert all(e.is_stub for e in pages)


def test_steps_carry_commands_without_prompts() -> None:
    commands = [
        c for name in NAMES for e in corpus(name) for p in e.paths for s in p.steps for c in s.commands
    ]
    assert len(commands) > 150
    assert not any(c.text.startswith(("$ ", "```")) for c in commands)
    assert sum(1 for c in commands if c.placeholders) > 15


@pytest.mark.parametrize("name", NAMES)
def test_lint_and_plans_work_on_every_page(name: str) -> None:
    entries = {entry.path: entry for entry in corpus(name)}
    catalogue = Catalogue(card_of(entry, name) for entry in entries.values())
    for entry in entries.values():
        for finding in lint_entry(entry, catalogue):
            assert finding.code in RULE_OF
            assert 1 <= finding.line <= entry.text.count("\n") + 1
        plan = resolve_plan(entry, catalogue, entries.__getitem__)
        assert plan.is_complete
        assert all(not planned.path.is_none for planned in (*plan.mitigations, *plan.fixes))


def test_most_links_between_pages_lead_somewhere() -> None:
    for name in ("kubevirt-runbooks", "cloudnative-pg", "govuk-developer-docs"):
        entries = corpus(name)
        catalogue = Catalogue(card_of(entry, name) for entry in entries)
        broken = [f for e in entries for f in lint_entry(e, catalogue) if f.code == "broken-link"]
        assert len(broken) <= 3
