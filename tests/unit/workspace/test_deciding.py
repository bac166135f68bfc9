from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from kb_app.decision.codec import Case
from kb_app.decision.model import Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY, Policy, blob_id
from kb_app.decision.record import differences
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Impact,
    Obligation,
    PushWhenDown,
    Recommendation,
    Reversible,
    Review,
    Risk,
    Scope,
    Severity,
    Trend,
)
from kb_app.entries.catalogue import Catalogue, card_of
from kb_app.entries.knowledge_base import load_config, walk
from kb_app.entries.model import Entry, KnowledgeBaseConfig
from kb_app.entries.reading import parse_entry, read_entry
from kb_app.entries.response import resolve_plan
from kb_app.errors import UsageError
from kb_app.resources import content_folder
from kb_app.workspace.deciding import (
    MAX_POLICY_BYTES,
    UNREADABLE,
    Inputs,
    advise,
    decision_on,
    defaults_of,
    duties_of,
    free_move_of,
    ground_of,
    inputs_of,
    policy_of,
    review_of,
)

NOW = dt.datetime(2026, 3, 4, 2, 11, tzinfo=dt.UTC)
TODAY = NOW.date()
CONFIG = KnowledgeBaseConfig()

FIX_PAGE = """---
kind: known-fix
product: shop
component: checkout
state: {state}
owner: "@checkout"
severity: sev2
tags: [payments]
---
# Orders hang
## Mitigation: drain the cell
- Time: 8m
- Risk: low
- Reversible: yes
- Blast: cell
- Approval: none
- Data: safe

1. Drain it.

## Fix forward: flip the flag
- Risk: low

1. Flip it.
"""
INTERNALS = """---
kind: internals
product: shop
component: checkout
rollback: "yes"
deploy_time: build 10m + rollout 15m
push_allowed: "no"
---
# Checkout
"""


def entry_of(state: str = "verified") -> Entry:
    return parse_entry("known-fixes/hang.md", FIX_PAGE.format(state=state).encode(), CONFIG)


def inputs(state: str = "verified", page: str = "") -> Inputs:
    entry = parse_entry("known-fixes/hang.md", page.encode(), CONFIG) if page else entry_of(state)
    internals = parse_entry("internals/checkout.md", INTERNALS.encode(), CONFIG)
    catalogue = Catalogue([card_of(entry, "kb"), card_of(internals, "kb")])
    load = {entry.path: entry, internals.path: internals}.__getitem__
    plan = resolve_plan(entry, catalogue, load)
    return inputs_of(plan, entry, defaults_of(entry, catalogue, load))


# Policy


def test_a_knowledge_base_without_a_policy_has_the_default_one(tmp_path: Path) -> None:
    assert policy_of(tmp_path) == (DEFAULT_POLICY, ())


def test_the_policy_at_the_root_applies_and_is_named_by_the_blob_of_its_bytes(tmp_path: Path) -> None:
    raw = b"slack: 9m\r\n"
    (tmp_path / "policy.yml").write_bytes(raw)
    policy, findings = policy_of(tmp_path)
    assert (policy.slack, policy.revision, findings) == (9.0, blob_id(raw), ())


def test_a_mistake_in_the_policy_is_a_finding_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("slack: 9m\nparallel_after: soon\n")
    policy, (finding,) = policy_of(tmp_path)
    assert policy.slack == 9.0
    assert finding.line == 2


def test_the_bundled_policy_reads_without_findings() -> None:
    policy, findings = policy_of(content_folder())
    assert findings == ()
    assert len(policy.revision) == 40


def make_folder(file: Path) -> None:
    file.mkdir()


def make_fifo(file: Path) -> None:
    os.mkfifo(file)


def make_link_out(file: Path) -> None:
    outside = file.parent.parent / "outside.yml"
    outside.write_text("push_when_down: review-after\n")
    file.symlink_to(outside)


def make_large(file: Path) -> None:
    file.write_bytes(b"#" * (MAX_POLICY_BYTES + 1))


@pytest.mark.skipif(os.name != "posix", reason="FIFOs and symbolic links need POSIX")
@pytest.mark.parametrize("make", [make_folder, make_fifo, make_link_out, make_large])
def test_a_policy_that_cannot_be_read_asks_for_review_first(tmp_path: Path, make: object) -> None:
    root = tmp_path / "kb"
    root.mkdir()
    make(root / "policy.yml")  # type: ignore[operator]
    policy, findings = policy_of(root)
    assert policy.revision == UNREADABLE
    assert policy.push_when_down is PushWhenDown.REVIEW_FIRST
    assert len(findings) == 1


def test_reading_the_policy_changes_no_byte(tmp_path: Path) -> None:
    file = tmp_path / "policy.yml"
    file.write_text("slack: 9m\n")
    before = file.stat().st_mtime_ns
    policy_of(tmp_path)
    assert (file.read_text(), file.stat().st_mtime_ns, list(tmp_path.iterdir())) == (
        "slack: 9m\n",
        before,
        [file],
    )


# Inputs


def test_paths_come_from_the_entry_then_from_its_component_then_stay_unknown() -> None:
    found = inputs()
    (mitigation,), (fix,) = found.mitigations, found.fixes
    assert mitigation.input.time_minutes == 8.0
    assert mitigation.from_component == frozenset()
    assert (fix.input.time_minutes, fix.input.reversible) == (25.0, Reversible.YES)
    assert fix.from_component == {"time_minutes", "reversible"}
    assert fix.input.blast is None


def test_the_entry_says_whom_and_what_the_incident_concerns() -> None:
    incident = inputs().incident
    assert incident == Incident(
        severity=Severity.SEV2,
        tags=("payments",),
        components=("checkout",),
        product="shop",
        owner="@checkout",
        may_push=False,
    )


def test_a_linked_entrys_path_does_not_take_this_components_defaults() -> None:
    other = parse_entry(
        "known-fixes/other.md",
        b"---\nproduct: shop\ncomponent: cart\n---\n# O\n## Fix: patch\n\n1. Do.\n",
        CONFIG,
    )
    page = "---\nproduct: shop\ncomponent: checkout\nrelated: [other]\n---\n# P\n\n## Symptoms\n\nslow\n"
    entry = parse_entry("known-fixes/p.md", page.encode(), CONFIG)
    internals = parse_entry("internals/checkout.md", INTERNALS.encode(), CONFIG)
    catalogue = Catalogue([card_of(e, "kb") for e in (entry, other, internals)])
    load = {e.path: e for e in (entry, other, internals)}.__getitem__
    plan = resolve_plan(entry, catalogue, load)
    (fix,) = inputs_of(plan, entry, defaults_of(entry, catalogue, load)).fixes
    assert fix.planned is not None
    assert fix.planned.origin == "linked"
    assert fix.input.time_minutes is None


def test_an_internals_entry_speaks_for_itself() -> None:
    internals = parse_entry("internals/checkout.md", INTERNALS.encode(), CONFIG)
    defaults = defaults_of(internals, None, {}.__getitem__)
    assert (defaults.deploy_minutes, defaults.may_push) == (25.0, False)


def test_the_ground_is_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("slack: 9m\n")
    for name, text in (("checkout.md", INTERNALS), ("hang.md", FIX_PAGE.format(state="verified"))):
        (tmp_path / name).write_text(text)
    config = load_config(tmp_path)
    entries = [read_entry(tmp_path, file.path, config) for file in walk(tmp_path, config).files]
    catalogue = Catalogue([card_of(entry, "kb") for entry in entries])
    entry = next(entry for entry in entries if entry.path == "hang.md")
    ground = ground_of(tmp_path, entry, config, catalogue)
    assert (ground.policy.slack, ground.findings, ground.defaults.deploy_minutes) == (9.0, (), 25.0)


# Free move


def test_a_verified_harmless_preapproved_mitigation_is_a_free_move() -> None:
    move = free_move_of(inputs(), None)
    assert move is not None
    assert (move[0].path.name, move[1]) == ("drain the cell", "if at least a cell is broken")
    assert free_move_of(inputs(), Scope.REGION) is not None


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("state: verified", "state: unverified"),
        ("Risk: low\n- Reversible: yes", "Risk: medium\n- Reversible: yes"),
        ("Reversible: yes", "Reversible: partly"),
        ("Approval: none", "Approval: before"),
        ("Data: safe", "Data: loses"),
    ],
)
def test_it_is_no_free_move_when_one_condition_fails(was: str, becomes: str) -> None:
    page = FIX_PAGE.format(state="verified")
    assert was in page
    assert free_move_of(inputs(page=page.replace(was, becomes)), None) is None


def test_it_is_no_free_move_when_less_is_broken_than_it_touches() -> None:
    assert free_move_of(inputs(), Scope.INSTANCE) is None


# Decisions

DOWN = Incident(Impact.DOWN, DataRisk.NONE, Trend.STABLE, Scope.GLOBAL, Severity.SEV1)
ROLLBACK = PathInput("roll back", 40.0, Risk.LOW, Reversible.YES, Scope.GLOBAL, Confidence.PROVEN)
FLIP = PathInput("flip", 4.0, Risk.LOW, Reversible.YES, Scope.GLOBAL, Confidence.PROVEN)
CASE = Case(DOWN, (ROLLBACK,), (FLIP,))


def test_following_the_advice_needs_no_reason_and_keeps_none() -> None:
    decision = decision_on(CASE, DEFAULT_POLICY, NOW, reason="not needed")
    assert decision.chosen is Recommendation.FIX_FORWARD
    assert (decision.is_override, decision.reason) == (False, "")
    assert decision.timebox_minutes == 8.0
    assert decision.advice == advise(CASE, DEFAULT_POLICY, TODAY)


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_choosing_otherwise_needs_a_reason(reason: str) -> None:
    with pytest.raises(UsageError):
        decision_on(CASE, DEFAULT_POLICY, NOW, chosen=Recommendation.MITIGATE_THEN_FIX, reason=reason)


def test_choosing_otherwise_stands_with_its_own_duties_and_one_line_of_reason() -> None:
    decision = decision_on(
        CASE, DEFAULT_POLICY, NOW, chosen=Recommendation.MITIGATE_THEN_FIX, reason="flag server\nis down"
    )
    assert (decision.is_override, decision.reason) == (True, "flag server is down")
    ids = [duty.obligation for duty in decision.duties]
    assert Obligation.O7 in ids
    assert Obligation.O3 in ids
    assert Obligation.O2 not in ids
    assert decision.timebox_minutes is None


def test_the_record_of_a_decision_gives_the_same_advice_again() -> None:
    assert differences(decision_on(CASE, DEFAULT_POLICY, NOW).event_data(), DEFAULT_POLICY) == ()


def test_a_fix_chosen_against_the_advice_is_reviewed_as_the_policy_says() -> None:
    slow = Case(DOWN, (PathInput("drain", 2.0, Risk.LOW, approval="none"),), (FLIP,))
    policy = Policy(slack=0.0)
    advice = advise(slow, policy, TODAY)
    assert advice.recommend is Recommendation.MITIGATE_THEN_FIX
    fix = Recommendation.FIX_FORWARD
    assert review_of(fix, slow, advice, policy, TODAY) is Review.AFTER
    assert Obligation.O2 in [d.obligation for d in duties_of(fix, slow, advice, policy, TODAY)]
    first = Policy(slack=0.0, push_when_down=PushWhenDown.REVIEW_FIRST)
    assert review_of(fix, slow, advise(slow, first, TODAY), first, TODAY) is Review.BEFORE


def test_a_fix_that_may_not_be_used_is_reviewed_first_when_chosen_all_the_same() -> None:
    guess = Case(DOWN, (ROLLBACK,), (PathInput("guess", 4.0, confidence=Confidence.GUESS),))
    advice = advise(guess, DEFAULT_POLICY, TODAY)
    assert review_of(Recommendation.FIX_FORWARD, guess, advice, DEFAULT_POLICY, TODAY) is Review.BEFORE
