"""The starter content as a whole: it parses, lint is silent, links lead somewhere, nothing is a dead end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest
import yaml
from content_lab import Lab

from kb_app.decision.policy import DEFAULT_POLICY, POLICY_KEYS
from kb_app.decision.policy_file import load_policy
from kb_app.entries.catalogue import Catalogue
from kb_app.entries.lint import lint_entry
from kb_app.entries.model import Entry, Kind, KnowledgeBaseConfig, PathKind, State
from kb_app.entries.response import resolve_plan
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.evaluation import evaluate, read_queries

QUERIES = Path(__file__).resolve().parents[1] / "data" / "content_queries.jsonl"
PRODUCTS = {"postgresql": 15, "kubernetes": 20, "nginx": 12, "redis": 13}
FOLDERS = {"internals": Kind.INTERNALS, "known-fixes": Kind.KNOWN_FIX, "runbooks": Kind.RUNBOOK}
READS_ONLY = re.compile(
    r"^\s*(SELECT|SHOW|INFO|CONFIG GET|CLIENT LIST|SLOWLOG|MEMORY|CLUSTER (INFO|NODES)|ROLE|SCAN)\b"
    r"|^(kubectl\b.*\b(get|describe|logs|top|diff|history|api-resources|exec)\b"
    r"|kubeadm certs check|etcdctl\b.*\b(status|health|list)|crictl (ps|logs)|nginx -[tT]\b"
    r"|tail|grep|du|df|ls|free|ps|getent|openssl|echo \||lsof|sysctl vm|curl|pg_rewind .*--dry-run"
    r"|redis-cli\b.*(INFO|GET-MASTER|LIST|CKQUORUM|--bigkeys))",
    re.IGNORECASE | re.DOTALL,
)


def test_there_are_sixty_entries_in_their_folders(entries: Mapping[str, Entry]) -> None:
    counted = Counter(path.split("/")[0] for path in entries)
    assert {name: counted[name] for name in PRODUCTS} == PRODUCTS
    for path, entry in entries.items():
        parts = PurePosixPath(path).parts
        if parts[0] in PRODUCTS:
            assert (entry.product, entry.kind) == (parts[0], FOLDERS[parts[1]]), path


def test_every_entry_parses_without_notes(entries: Mapping[str, Entry], config: KnowledgeBaseConfig) -> None:
    assert config.notes == ()
    assert {path: entry.notes for path, entry in entries.items() if entry.notes} == {}


def test_lint_is_silent(
    entries: Mapping[str, Entry], catalogue: Catalogue, config: KnowledgeBaseConfig
) -> None:
    assert config.lint_ignore == ("no-owner",)
    ignored = config.lint_ignore
    findings = [found for entry in entries.values() for found in lint_entry(entry, catalogue, ignored)]
    assert [f"{f.path}:{f.line} {f.code}" for f in findings] == []


def test_ids_are_unique_and_the_file_names(entries: Mapping[str, Entry]) -> None:
    ids = Counter(entry.id for entry in entries.values())
    assert [name for name, number in ids.items() if number > 1] == []
    for path, entry in entries.items():
        if path.count("/") == 2:
            assert entry.id == PurePosixPath(path).stem


def test_names_of_other_entries_lead_to_entries(entries: Mapping[str, Entry], catalogue: Catalogue) -> None:
    lost = [
        (path, name)
        for path, entry in entries.items()
        for name in (*entry.related, *entry.depends_on)
        if catalogue.by_id(name) is None and catalogue.by_path(name) is None
    ]
    assert lost == []


def test_links_to_files_lead_to_files(entries: Mapping[str, Entry], content_root: Path) -> None:
    lost = [
        (path, link.target)
        for path, entry in entries.items()
        for link in entry.links
        if "://" not in link.target
        and not link.target.startswith("#")
        and not (content_root / path).parent.joinpath(link.target.split("#")[0]).resolve().exists()
    ]
    assert lost == []


def test_no_entry_is_a_dead_end(entries: Mapping[str, Entry], catalogue: Catalogue) -> None:
    for path, entry in entries.items():
        if entry.kind is Kind.NOTE:
            continue
        plan = resolve_plan(entry, catalogue, lambda other: entries[other])
        assert plan.mitigations or plan.fixes, path
        if entry.kind is Kind.INTERNALS:
            assert entry.has(PathKind.LEVER), path
        else:
            ways = {way.kind for way in entry.paths}
            assert ways >= {PathKind.MITIGATION, PathKind.FIX}, f"{path} does not tell of both ways out"
            assert entry.has(PathKind.FIX), path


def test_nobody_is_said_to_have_verified_anything(entries: Mapping[str, Entry]) -> None:
    assert {entry.state for entry in entries.values()} == {State.UNVERIFIED}
    for path, entry in entries.items():
        for way in entry.paths:
            assert way.attributes.approval is None, f"{path}: approval is a team's own"


def test_paths_are_short_and_their_changes_can_be_checked(entries: Mapping[str, Entry]) -> None:
    unchecked = []
    for path, entry in entries.items():
        for way in entry.paths:
            assert len(way.steps) <= 9, f"{path}: {way.heading}"
            for step in way.steps:
                changes = [c for c in step.commands if c.is_destructive or not READS_ONLY.match(c.text)]
                if changes and not (step.verify and (step.undo or step.confirm)):
                    unchecked.append((path, way.heading, step.number, changes[0].text))
    assert unchecked == []


def test_the_content_checklist_is_met(entries: Mapping[str, Entry]) -> None:
    for path, entry in entries.items():
        if entry.product not in PRODUCTS:
            continue
        if entry.kind is not Kind.INTERNALS:
            assert entry.answers, f"{path} has no symptoms in users' words"
            assert entry.environment, path
            assert entry.affected, path
            assert entry.severity, path
        for way in entry.paths:
            stated = way.attributes
            if not way.is_none:
                assert None not in (stated.risk, stated.reversible, stated.blast), f"{path}: {way.heading}"


def test_sources_are_named_with_a_link(entries: Mapping[str, Entry]) -> None:
    for path, entry in entries.items():
        if path.count("/") < 2:
            continue
        section = next((s for s in entry.sections if s.title == "Sources"), None)
        assert section is not None, path
        last = section.span.last_line
        lines = range(section.span.first_line, last + 1)
        assert any(link.line in lines and link.target.startswith("https://") for link in entry.links), path
        if entry.kind is Kind.KNOWN_FIX and entry.product != "kubernetes":
            text = "\n".join(entry.text.split("\n")[section.span.first_line : last])
            assert re.search(r"rovoked|was seen", text), f"{path} does not say whether it was provoked"


def test_the_policy_is_the_default_and_explains_every_key(content_root: Path) -> None:
    text = (content_root / "policy.yml").read_text(encoding="utf-8")
    policy, findings = load_policy(text)
    assert findings == ()
    plain = yaml.safe_load(text)
    lines = text.split("\n")
    for key in POLICY_KEYS:
        assert getattr(policy, key.field) == getattr(DEFAULT_POLICY, key.field), key.key
        value = plain
        for part in key.key.split("."):
            value = value[part]
    for number, line in enumerate(lines):
        if re.match(r"[a-z_]+:", line):
            assert lines[number - 1].startswith("#"), f"{line} is not explained"


def test_judged_queries_name_entries(entries: Mapping[str, Entry]) -> None:
    queries = read_queries(QUERIES)
    assert len(queries) == 60
    assert {path for query in queries for path in query.relevant} <= set(entries)
    assert len({query.id for query in queries}) == 60


def test_signatures_match_what_the_page_quotes(lab: Lab) -> None:
    unquoted = []
    for entry in lab.entries.values():
        body = "\n".join(entry.text.split("\n")[entry.body_line - 1 :])
        for signature in entry.signatures:
            is_pattern = len(signature) > 2 and signature.startswith("/") and signature.endswith("/")
            if is_pattern:
                re.compile(signature[1:-1])
        if entry.signatures and not lab.has_signature(entry.id, body):
            unquoted.append(entry.path)
    assert unquoted == []


def test_every_signature_finds_its_own_entry_first(lab: Lab) -> None:
    lost = [
        (entry.id, signature, lab.find(signature))
        for entry in lab.entries.values()
        for signature in entry.signatures
        if not signature.startswith("/") and lab.find(signature) != entry.id
    ]
    assert lost == []


@pytest.fixture(scope="session")
def figures(indexed: IndexedBase) -> Mapping[str, Mapping[str, float]]:
    result = evaluate(
        read_queries(QUERIES), {indexed.name: [indexed]}, [indexed], open_engine=SearchEngine.open
    )
    return result.figures


def test_search_answers_the_judged_queries(figures: Mapping[str, Mapping[str, float]]) -> None:
    assert figures["overall"]["nDCG@10"] >= 0.9, {k: round(v["nDCG@10"], 3) for k, v in figures.items()}
