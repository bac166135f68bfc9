import dataclasses
import datetime as dt
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.decision.policy import DEFAULT_POLICY, POLICY_KEYS, Freeze, Policy, blob_id
from kb_app.decision.policy_file import load_policy, policy_template, read_policy
from kb_app.decision.values import Confidence, Impact, PushWhenDown, Risk, Severity, Way
from kb_app.entries.model import Severity as Weight


def same_rules(policy, **changes):
    return dataclasses.replace(DEFAULT_POLICY, revision=policy.revision, **changes)


def test_an_empty_file_is_the_default_policy():
    for text in ("", "# nothing\n", "---\n"):
        policy, findings = load_policy(text)
        assert policy == same_rules(policy)
        assert findings == ()


def test_the_template_reads_back_as_the_default_without_findings():
    policy, findings = load_policy(policy_template())
    assert findings == ()
    assert policy == same_rules(policy)


def test_every_key_has_its_default_in_the_model_and_a_sentence_of_help():
    fields = {field.name for field in dataclasses.fields(Policy)}
    assert {key.field for key in POLICY_KEYS} == fields - {
        "overrides_components",
        "overrides_products",
        "revision",
    }
    assert all(key.help.endswith((".", "?")) for key in POLICY_KEYS)


@pytest.mark.parametrize("key", POLICY_KEYS, ids=lambda key: key.key)
def test_the_default_shown_for_a_key_is_its_default(key):
    head, _, name = key.key.rpartition(".")
    text = f"{head}:\n  {name}: {key.default}\n" if head else f"{name}: {key.default}\n"
    policy, findings = load_policy(text)
    assert findings == ()
    assert getattr(policy, key.field) == getattr(DEFAULT_POLICY, key.field)


def test_values_are_read():
    policy, findings = load_policy(
        """
slack: 90s
risk_ceiling: {minor: low, down: medium}
min_confidence:
  fix: proven
push_when_down: Review-First
never_unreviewed: [Payments, ledger]
freeze:
  - 2025-12-20..2026-01-02
  - 2026-03-01
post_review: {due: 12h, independent_of: [author]}
followup_due: {sev1: 2d}
assume: {risk: high, fix_time: 1-2h}
"""
    )
    assert findings == ()
    assert policy == same_rules(
        policy,
        slack=1.5,
        risk_ceiling_down=Risk.MEDIUM,
        min_confidence_fix=Confidence.PROVEN,
        push_when_down=PushWhenDown.REVIEW_FIRST,
        never_unreviewed=("payments", "ledger"),
        freeze=(
            Freeze(dt.date(2025, 12, 20), dt.date(2026, 1, 2)),
            Freeze(dt.date(2026, 3, 1), dt.date(2026, 3, 1)),
        ),
        post_review_due=720.0,
        post_review_independent_of=("author",),
        followup_due_sev1=2880.0,
        assume_risk=Risk.HIGH,
        assume_fix_time=120.0,
    )
    assert policy.risk_ceiling(Impact.DOWN) is Risk.MEDIUM
    assert policy.min_confidence(Way.FIX) is Confidence.PROVEN
    assert policy.assumed_time(Way.MITIGATION) == 15.0
    assert policy.followup_due(Severity.SEV1) == 2880.0
    assert policy.followup_due(None) == 2880.0


@pytest.mark.parametrize(
    ("text", "code", "line", "words"),
    [
        ("slack: 5m\nslak: 3m\n", "policy-unknown-key", 2, "slak"),
        ("risk_ceiling:\n  minor: low\n  awful: low\n", "policy-unknown-key", 3, "risk_ceiling.awful"),
        ("slack: 5\n", "policy-bad-value", 1, "no unit"),
        ("slack: soon\n", "policy-bad-value", 1, "not a time"),
        ("slack: [5m]\n", "policy-bad-value", 1, "single value"),
        ("assume:\n  risk: huge\n", "policy-bad-value", 2, "huge"),
        ("freeze: [2025-13-01]\n", "policy-bad-value", 1, "not a day of the calendar"),
        ("freeze: [2025-12-02..2025-12-01]\n", "policy-bad-value", 1, "ends before"),
        ("freeze: [christmas]\n", "policy-bad-value", 1, "not a day"),
        ("post_review: {independent_of: [cat]}\n", "policy-bad-value", 1, "cat"),
        ("risk_ceiling: low\n", "policy-bad-value", 1, "keys of its own"),
        ("slack: 5m\nslack: 6m\n", "policy-repeated-key", 2, "twice"),
        ("slack: &a 5m\nreview_minutes: *a\n", "policy-alias", 1, "aliases"),
        ("a: [\n", "policy-broken", 2, "YAML"),
        ("- slack\n", "policy-broken", 1, "list of keys"),
        ("slack: 5m\n---\nslack: 6m\n", "policy-broken", 2, "second document"),
        ("[" * 20, "policy-too-large", 1, "nested"),
        ("? [a]\n: b\n", "policy-bad-key", 1, "plain text"),
        ("overrides: {teams: {}}\n", "policy-unknown-key", 1, "teams"),
        ("overrides:\n  components:\n    cdn: fast\n", "policy-bad-value", 3, "cdn"),
        ("overrides: 3\n", "policy-bad-value", 1, "components or products"),
        ("overrides: {components: 3}\n", "policy-bad-value", 1, "names"),
        ("overrides:\n  components:\n    cdn:\n      slack: 1\n", "policy-bad-value", 4, "no unit"),
    ],
)
def test_what_is_wrong_is_found_with_its_line(text, code, line, words):
    _, findings = load_policy(text)
    assert [(f.code, f.line) for f in findings] == [(code, line)]
    assert words in findings[0].message


def test_the_rest_applies_when_one_key_is_bad():
    policy, findings = load_policy("slack: 5\nreview_minutes: 3m\nslak: 2m\n")
    assert (policy.slack, policy.review_minutes) == (5.0, 3.0)
    assert {f.severity for f in findings} == {Weight.ERROR, Weight.WARNING}
    assert "Did you mean 'slack'?" in {f.fix for f in findings}


@pytest.mark.parametrize(
    "text",
    [
        "push_when_down: reveiw-first\n",
        "push_when_dwn: review-first\n",
        "freeze: [christmas]\n",
        "freezes: [2025-12-20]\n",
        "never_unreviewed: {a: b}\n",
        "never_unreviewd: [web]\npush_when_down: review-after\n",
        "slack: [\n",
        "- x\n",
        "x" * 70_000,
        "slack: &a 5m\n",
    ],
)
def test_a_mistake_never_skips_a_review(text):
    policy, findings = load_policy(text)
    assert findings
    assert policy.push_when_down is PushWhenDown.REVIEW_FIRST


def test_a_mistake_in_an_override_counts_for_its_component_only():
    policy, findings = load_policy("overrides: {components: {cdn: {push_when_down: first}}}\n")
    assert len(findings) == 1
    assert policy.push_when_down is PushWhenDown.REVIEW_AFTER
    assert policy.applied_to(("cdn",)).push_when_down is PushWhenDown.REVIEW_FIRST


def test_other_mistakes_leave_the_rest_as_it_is():
    policy, _ = load_policy("slack: soon\nassume: {risk: huge}\n")
    assert policy.push_when_down is PushWhenDown.REVIEW_AFTER


@pytest.mark.parametrize(
    "text",
    [
        "slack:\n",
        "risk_ceiling:\n",
        "overrides:\n",
        "overrides: {components:}\n",
        "overrides: {components: {a:}}\n",
    ],
)
def test_a_key_without_value_is_the_default(text):
    policy, findings = load_policy(text)
    assert findings == ()
    assert policy == same_rules(policy)


def test_lists_may_be_written_with_commas():
    policy, findings = load_policy("never_unreviewed: a, B,\nfreeze: 2025-12-20, 2025-12-24..2025-12-26\n")
    assert findings == ()
    assert policy.never_unreviewed == ("a", "b")
    assert [str(freeze) for freeze in policy.freeze] == ["2025-12-20", "2025-12-24..2025-12-26"]


def test_an_empty_list_may_be_left_empty():
    assert load_policy("never_unreviewed:\nfreeze:\n")[0].never_unreviewed == ()


def test_overrides_differ_for_their_component_and_product():
    policy, findings = load_policy(
        """
overrides:
  products: {shop: {slack: 1m, review_minutes: 30m}}
  components:
    Billing-API: {push_when_down: review-first, slack: 2m}
    ledger: {never_unreviewed: [ledger]}
"""
    )
    assert findings == ()
    shop = policy.applied_to((), "Shop")
    assert (shop.slack, shop.review_minutes) == (1.0, 30.0)
    billing = policy.applied_to(("billing-api",), "shop")
    assert (billing.slack, billing.review_minutes) == (2.0, 30.0)
    assert billing.push_when_down is PushWhenDown.REVIEW_FIRST
    both = policy.applied_to(("ledger", "billing-api"))
    assert both.slack == 2.0
    assert both.push_when_down is PushWhenDown.REVIEW_FIRST
    assert set(both.never_unreviewed) == {"ledger", "payments", "auth", "pii"}
    assert policy.applied_to(("other",)).slack == 5.0


@pytest.mark.parametrize("key", POLICY_KEYS, ids=lambda key: key.key)
def test_the_stricter_of_two_values_does_not_depend_on_their_order(key):
    default = getattr(DEFAULT_POLICY, key.field)
    other = {
        float: 0.5,
        Risk: Risk.HIGH,
        Confidence: Confidence.GUESS,
        PushWhenDown: PushWhenDown.REVIEW_FIRST,
        tuple: ("x",),
    }.get(type(default), default)
    one, two = key.stricter(default, other), key.stricter(other, default)
    assert (set(one) == set(two)) if isinstance(one, tuple) else one == two


def test_the_revision_is_gits_blob_id(tmp_path):
    text = "slack: 5m\n"
    file = tmp_path / "policy.yml"
    file.write_text(text, encoding="utf-8", newline="")
    told = subprocess.run(
        ["git", "hash-object", "--no-filters", str(file)], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert blob_id(text.encode()) == told == load_policy(text)[0].revision


def test_the_revision_of_a_file_is_that_of_its_own_bytes():
    raw = b"\xef\xbb\xbfslack: 7m\r\nreview_minutes: 3m\r\n"
    policy, findings = read_policy(raw)
    assert findings == ()
    assert (policy.slack, policy.review_minutes, policy.revision) == (7.0, 3.0, blob_id(raw))


def test_a_file_that_is_not_text_is_a_finding():
    policy, (finding,) = read_policy(b"slack: 7m\n\xff\n")
    assert (finding.line, finding.code) == (2, "policy-broken")
    assert policy.slack == DEFAULT_POLICY.slack


def test_a_merge_key_bomb_is_refused_at_once():
    levels = "\n".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 30))
    started = time.monotonic()
    policy, findings = load_policy(f"a0: &a0 {{x: 1}}\n{levels}\n")
    assert time.monotonic() - started < 5
    assert findings[0].code == "policy-alias"
    assert policy.slack == DEFAULT_POLICY.slack


@given(st.text(max_size=400))
def test_no_text_is_refused_with_an_exception(text):
    policy, findings = load_policy(text)
    assert isinstance(policy, Policy)
    assert all(finding.line >= 1 for finding in findings)
