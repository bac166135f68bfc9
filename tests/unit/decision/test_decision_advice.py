import dataclasses
import datetime as dt
import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.decision.advice import decide
from kb_app.decision.codec import decide_document, read_case
from kb_app.decision.model import Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY, Freeze, Policy
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Gate,
    Impact,
    Obligation,
    PushWhenDown,
    Recommendation,
    Restores,
    Reversible,
    Review,
    ReviewRule,
    Risk,
    Rule,
    Scope,
    Severity,
    Trend,
)

DAY = dt.date(2025, 6, 1)
CASES = json.loads((Path(__file__).parents[2] / "data" / "decision-cases.json").read_text("utf-8"))

DEGRADED = Incident(Impact.DEGRADED, DataRisk.NONE, Trend.STABLE, Scope.CELL)
DOWN = dataclasses.replace(DEGRADED, impact=Impact.DOWN)
GOOD = PathInput(
    time_minutes=10.0,
    risk=Risk.LOW,
    reversible=Reversible.YES,
    blast=Scope.CELL,
    confidence=Confidence.PROVEN,
    loses_data=False,
    restores=Restores.FULL,
    approval="none",
)


def changed(path, **changes):
    return dataclasses.replace(path, **changes)


def advise(incident, mitigation, fix, policy=DEFAULT_POLICY, day=DAY):
    return decide(incident, mitigation, fix, policy, day)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"case-{case['n']}")
def test_worked_case(case):
    advice = decide_document(case, DEFAULT_POLICY, DAY)
    assert {key: advice[key] for key in case["expect"]} == case["expect"]


@pytest.mark.parametrize(
    ("number", "key", "value"),
    [
        (1, "flip", 5),
        (1, "obligations", ["O1", "O3", "O5"]),
        (2, "vrule", "V2"),
        (2, "obligations", ["O1", "O2", "O4", "O5", "O6"]),
        (3, "vrule", "V3"),
        (3, "tF", 14),
        (4, "vrule", "V2"),
        (4, "tM", None),
        (6, "obligations", ["O1", "O3", "O5", "O6"]),
        (8, "obligations", ["O5"]),
        (9, "tM", 45),
        (11, "vrule", "V1"),
        (11, "tF", 15),
        (12, "flip", None),
        (14, "tM", 25),
        (14, "flip", None),
    ],
)
def test_worked_case_details(number, key, value):
    assert decide_document(CASES[number - 1], DEFAULT_POLICY, DAY)[key] == value


@pytest.mark.parametrize(
    ("number", "gates"),
    [
        (4, {("mitigation", "G1")}),
        (5, {("mitigation", "G1"), ("fix", "G4")}),
        (10, {("mitigation", "G2"), ("fix", "G1")}),
        (13, {("mitigation", "G3"), ("fix", "G5")}),
    ],
)
def test_worked_case_names_the_closed_gates(number, gates):
    blocked = decide_document(CASES[number - 1], DEFAULT_POLICY, DAY)["blocked"]
    assert {(b["path"], b["gate"]) for b in blocked} == gates


def test_limiting_the_rollout_turns_case_5_into_case_4():
    case = json.loads(json.dumps(CASES[4]))
    advice = decide_document(case, DEFAULT_POLICY, DAY)
    assert "Limit the rollout to the broken cell" in " ".join(advice["reasons"])
    case["fix"]["blast"] = "cell"
    assert decide_document(case, DEFAULT_POLICY, DAY)["rule"] == "D4"


def test_escalation_names_what_unblocks_each_path_and_who_can():
    advice = decide_document(CASES[12], DEFAULT_POLICY, DAY)
    assert {(b["gate"], b["who"]) for b in advice["blocked"]} == {
        ("G3", "the data owner"),
        ("G5", "whoever knows the component"),
    }
    assert all(any(b["unblock"] in reason for reason in advice["reasons"]) for b in advice["blocked"])


# Gates


@pytest.mark.parametrize(
    ("impact", "risk", "is_open"),
    [
        (Impact.MINOR, Risk.LOW, True),
        (Impact.MINOR, Risk.MEDIUM, False),
        (Impact.DEGRADED, Risk.MEDIUM, True),
        (Impact.DEGRADED, Risk.HIGH, False),
        (Impact.DOWN, Risk.HIGH, True),
        (None, Risk.MEDIUM, True),
        (None, Risk.HIGH, False),
    ],
)
def test_gate_2_keeps_the_risk_below_the_ceiling_of_the_impact(impact, risk, is_open):
    incident = dataclasses.replace(DEGRADED, impact=impact, trend=Trend.WORSENING)
    advice = advise(incident, changed(GOOD, risk=risk), None)
    assert (advice.rule is Rule.D5) is is_open
    assert (Gate.G2 in {b.gate for b in advice.blocked}) is not is_open


def test_gate_3_opens_when_the_data_owner_has_accepted_the_loss():
    losing = changed(GOOD, loses_data=True)
    assert advise(DEGRADED, losing, None).rule is Rule.D3
    accepted = dataclasses.replace(DEGRADED, is_data_loss_accepted=True)
    assert advise(accepted, losing, None).rule is Rule.D5


@pytest.mark.parametrize(
    ("scope", "blast", "risk", "is_open"),
    [
        (Scope.CELL, Scope.REGION, Risk.MEDIUM, False),
        (Scope.CELL, Scope.REGION, Risk.LOW, True),
        (Scope.CELL, Scope.CELL, Risk.MEDIUM, True),
        (Scope.CELL, None, Risk.MEDIUM, True),
        (None, None, Risk.MEDIUM, True),
        (None, Scope.INSTANCE, Risk.MEDIUM, True),
        (None, Scope.CELL, Risk.MEDIUM, False),
    ],
)
def test_gate_4_keeps_an_action_inside_what_is_broken(scope, blast, risk, is_open):
    incident = dataclasses.replace(DEGRADED, scope=scope)
    advice = advise(incident, changed(GOOD, blast=blast, risk=risk), None)
    assert (advice.rule is Rule.D5) is is_open


def test_gate_5_asks_for_the_policys_confidence_per_way():
    policy = dataclasses.replace(DEFAULT_POLICY, min_confidence_mitigation=Confidence.GUESS)
    guess = changed(GOOD, confidence=Confidence.GUESS)
    assert advise(DEGRADED, guess, guess, policy).rule is Rule.D5
    assert advise(DEGRADED, guess, guess).rule is Rule.D3


def test_a_path_that_is_not_available_shows_only_that():
    path = changed(GOOD, is_available=False, why="no flag", risk=Risk.HIGH, loses_data=True)
    (blocked, _) = advise(DEGRADED, path, None).blocked
    assert blocked.gate is Gate.G1
    assert "no flag" in blocked.why


def test_blocked_paths_stay_visible_beside_a_usable_one_of_the_same_kind():
    risky = changed(GOOD, name="shed load", risk=Risk.HIGH, time_minutes=1.0)
    advice = advise(DEGRADED, [risky, changed(GOOD, name="drain")], None)
    assert advice.rule is Rule.D5
    assert advice.mitigation.name == "drain"
    assert [b.name for b in advice.blocked if b.gate is Gate.G2] == ["shed load"]


def test_of_several_usable_paths_the_least_effective_time_counts_then_the_lower_risk():
    asks = changed(GOOD, name="asks", time_minutes=8.0, approval="before")
    risky = changed(GOOD, name="risky", time_minutes=12.0, risk=Risk.MEDIUM)
    safe = changed(GOOD, name="safe", time_minutes=12.0)
    advice = advise(DEGRADED, [asks, risky, safe], None)
    assert (advice.mitigation.name, advice.mitigation_minutes) == ("safe", 12.0)


# Review timing


@pytest.mark.parametrize(
    "changes",
    [
        {"blast": None},
        {"blast": Scope.REGION},
        {"reversible": None},
        {"reversible": Reversible.NO},
        {"confidence": None},
        {"defaulted": frozenset({"confidence"})},
    ],
)
def test_review_after_needs_every_fact_about_the_fix_stated(changes):
    assert advise(DOWN, None, GOOD).review is Review.AFTER
    advice = advise(DOWN, None, changed(GOOD, **changes))
    assert (advice.review, advice.review_rule) == (Review.BEFORE, ReviewRule.V3)


@pytest.mark.parametrize(
    "changes",
    [
        {"impact": Impact.DEGRADED},
        {"impact": None},
        {"data_risk": DataRisk.POSSIBLE},
        {"data_risk": None},
        {"scope": None},
    ],
)
def test_review_after_needs_every_fact_about_the_incident_stated(changes):
    incident = dataclasses.replace(DOWN, **changes)
    advice = advise(incident, None, changed(GOOD, blast=Scope.INSTANCE))
    assert (advice.recommend, advice.review) == (Recommendation.FIX_FORWARD, Review.BEFORE)


@pytest.mark.parametrize(
    ("may_push", "review"), [(None, Review.AFTER), (True, Review.AFTER), (False, Review.BEFORE)]
)
def test_the_components_owners_may_ask_for_review_first(may_push, review):
    advice = advise(dataclasses.replace(DOWN, may_push=may_push), None, GOOD)
    assert advice.review is review
    assert ("owners ask for it" in advice.reasons[-1]) is (may_push is False)


def test_owners_cannot_allow_what_the_policy_does_not():
    policy = dataclasses.replace(DEFAULT_POLICY, push_when_down=PushWhenDown.REVIEW_FIRST)
    advice = advise(dataclasses.replace(DOWN, may_push=True), None, GOOD, policy)
    assert advice.review is Review.BEFORE


def test_partly_reversible_is_enough_for_review_after():
    assert advise(DOWN, None, changed(GOOD, reversible=Reversible.PARTLY)).review is Review.AFTER


@pytest.mark.parametrize(
    ("incident", "policy"),
    [
        (dataclasses.replace(DOWN, tags=("Payments",)), DEFAULT_POLICY),
        (dataclasses.replace(DOWN, components=("auth",)), DEFAULT_POLICY),
        (DOWN, dataclasses.replace(DEFAULT_POLICY, freeze=(Freeze(DAY, DAY),))),
    ],
)
def test_forbidden_names_and_freezes_put_the_review_first(incident, policy):
    advice = advise(incident, None, GOOD, policy)
    assert (advice.review, advice.review_rule) == (Review.BEFORE, ReviewRule.V1)
    assert advice.fix_minutes == 20.0


@pytest.mark.parametrize(("offset", "rule"), [(-1, ReviewRule.V2), (0, ReviewRule.V1), (2, ReviewRule.V1)])
def test_a_freeze_holds_on_its_first_and_last_day(offset, rule):
    policy = dataclasses.replace(DEFAULT_POLICY, freeze=(Freeze(DAY, DAY + dt.timedelta(2)),))
    assert advise(DOWN, None, GOOD, policy, DAY + dt.timedelta(offset)).review_rule is rule
    assert advise(DOWN, None, GOOD, policy, DAY + dt.timedelta(3)).review_rule is ReviewRule.V2


def test_overrides_apply_to_their_component_and_the_stricter_of_two_wins():
    careful = {"push_when_down": PushWhenDown.REVIEW_FIRST}
    quick = {"review_minutes": 1.0}
    policy = dataclasses.replace(DEFAULT_POLICY, overrides_components={"billing-api": careful, "cdn": quick})
    billing = dataclasses.replace(DOWN, components=("billing-api",))
    both = dataclasses.replace(DOWN, components=("cdn", "Billing-API"))
    assert advise(DOWN, None, GOOD, policy).review is Review.AFTER
    assert advise(billing, None, GOOD, policy).review is Review.BEFORE
    assert advise(both, None, GOOD, policy).fix_minutes == 20.0


# Rules


def test_active_damage_comes_before_everything_and_takes_the_containing_path():
    incident = Incident(Impact.MINOR, DataRisk.ACTIVE, Trend.STABLE, Scope.CELL)
    stop = changed(GOOD, name="stop the job", contains=True, time_minutes=20.0)
    advice = advise(incident, [GOOD, stop], None)
    assert (advice.rule, advice.containing.name) == (Rule.D1, "stop the job")


@pytest.mark.parametrize("stop", [{"loses_data": True}, {"is_available": False}])
def test_containing_never_takes_a_path_that_loses_data_or_is_not_there(stop):
    incident = dataclasses.replace(DOWN, data_risk=DataRisk.ACTIVE)
    advice = advise(incident, changed(GOOD, contains=True, **stop), None)
    assert advice.recommend is Recommendation.CONTAIN
    assert advice.containing is None
    assert "stop writes and isolate" in " ".join(advice.reasons)


def test_containing_says_which_gates_would_have_been_closed():
    incident = dataclasses.replace(DEGRADED, data_risk=DataRisk.ACTIVE)
    advice = advise(incident, changed(GOOD, contains=True, risk=Risk.HIGH), None)
    assert any(reason.startswith("Take care:") for reason in advice.reasons)
    assert advice.blocked == ()


@pytest.mark.parametrize(
    ("trend", "rule"),
    [
        (Trend.STABLE, Rule.D2),
        (Trend.RECOVERING, Rule.D2),
        (Trend.WORSENING, Rule.D6),
        (None, Rule.D6),
    ],
)
def test_minor_and_not_worsening_is_a_normal_change(trend, rule):
    incident = Incident(Impact.MINOR, DataRisk.NONE, trend, Scope.CELL)
    assert advise(incident, GOOD, changed(GOOD, time_minutes=1.0)).rule is rule


@pytest.mark.parametrize(
    ("fix_minutes", "rule"),
    [(4.0, Rule.D6), (5.0, Rule.D6), (5.01, Rule.D8)],
)
def test_the_fix_wins_up_to_the_slack(fix_minutes, rule):
    assert advise(DEGRADED, GOOD, changed(GOOD, time_minutes=fix_minutes)).rule is rule


def test_the_timebox_is_twice_the_fix_but_no_longer_than_the_policy_allows():
    slow = changed(GOOD, time_minutes=100.0)
    assert advise(DEGRADED, slow, changed(GOOD, time_minutes=1.0)).timebox_minutes == 22.0
    assert advise(DEGRADED, slow, changed(GOOD, time_minutes=50.0)).timebox_minutes == 30.0


def test_a_partial_mitigation_asks_for_two_people():
    partial = changed(GOOD, restores=Restores.PARTIAL)
    assert advise(DEGRADED, partial, changed(GOOD, time_minutes=90.0)).rule is Rule.D7


@pytest.mark.parametrize(("minutes", "rule"), [(20.0, Rule.D8), (20.01, Rule.D7)])
def test_a_slow_mitigation_asks_for_two_people(minutes, rule):
    slow = changed(GOOD, time_minutes=minutes)
    assert advise(DEGRADED, slow, changed(GOOD, time_minutes=90.0)).rule is rule


def test_no_flip_is_promised_where_even_a_ready_fix_is_reviewed_first():
    advice = advise(DEGRADED, changed(GOOD, time_minutes=2.0), changed(GOOD, time_minutes=90.0))
    assert (advice.rule, advice.flip_minutes) == (Rule.D8, None)


def test_no_paths_at_all_escalates_to_the_owner():
    incident = dataclasses.replace(DEGRADED, owner="@db-team")
    advice = advise(incident, None, None)
    assert advice.rule is Rule.D3
    assert "@db-team" in advice.reasons[1]
    assert [b.gate for b in advice.blocked] == [Gate.G1, Gate.G1]


# Properties


def optional(kind):
    return st.none() | st.sampled_from(list(kind))


minutes = st.none() | st.integers(0, 300).map(float) | st.floats(0, 300)
incidents = st.builds(
    Incident,
    impact=optional(Impact),
    data_risk=optional(DataRisk),
    trend=optional(Trend),
    scope=optional(Scope),
    severity=optional(Severity),
    tags=st.sampled_from([(), ("payments",), ("web",)]),
    components=st.sampled_from([(), ("billing-api",), ("auth",)]),
    is_data_loss_accepted=st.booleans(),
)
path_inputs = st.builds(
    PathInput,
    time_minutes=minutes,
    risk=optional(Risk),
    reversible=optional(Reversible),
    blast=optional(Scope),
    confidence=optional(Confidence),
    loses_data=st.none() | st.booleans(),
    restores=optional(Restores),
    approval=st.sampled_from([None, "none", "before", "@lead"]),
    contains=st.booleans(),
    is_available=st.booleans(),
    defaulted=st.sampled_from([frozenset(), frozenset({"confidence"}), frozenset({"approval"})]),
)
policies = st.builds(
    Policy,
    slack=st.integers(0, 120).map(lambda quarters: quarters / 4),
    review_minutes=st.integers(0, 240).map(lambda quarters: quarters / 4),
    approval_minutes=st.integers(0, 240).map(lambda quarters: quarters / 4),
    parallel_after=st.integers(0, 240).map(lambda quarters: quarters / 4),
    push_when_down=st.sampled_from(list(PushWhenDown)),
    freeze=st.sampled_from([(), (Freeze(DAY, DAY),)]),
)
maybe_path = st.none() | path_inputs


@given(incidents, path_inputs, path_inputs, policies, st.floats(0, 300))
def test_a_slower_fix_never_turns_the_answer_into_fix_forward(incident, mitigation, fix, policy, more):
    before = advise(incident, mitigation, fix, policy)
    own = fix.time_minutes if fix.time_minutes is not None else policy.assume_fix_time
    after = advise(incident, mitigation, changed(fix, time_minutes=own + more), policy)
    if before.recommend is not Recommendation.FIX_FORWARD:
        assert after.recommend is not Recommendation.FIX_FORWARD


@given(incidents, path_inputs, path_inputs, policies, st.floats(0, 1))
def test_a_faster_mitigation_never_turns_the_answer_into_fix_forward(
    incident, mitigation, fix, policy, share
):
    before = advise(incident, mitigation, fix, policy)
    own = mitigation.time_minutes if mitigation.time_minutes is not None else policy.assume_mitigation_time
    after = advise(incident, changed(mitigation, time_minutes=own * share), fix, policy)
    if before.recommend is not Recommendation.FIX_FORWARD:
        assert after.recommend is not Recommendation.FIX_FORWARD


def check_guarantees(incident, mitigation, fix, policy, advice):
    """Assert what must hold for any single-path input."""
    obligations = {duty.obligation for duty in advice.duties}
    is_fix = advice.recommend is Recommendation.FIX_FORWARD
    assert (advice.review is not None) is is_fix
    assert (advice.review_rule is not None) is is_fix
    if advice.review is Review.AFTER:
        assert incident.impact is Impact.DOWN
        assert incident.data_risk is DataRisk.NONE
        assert fix.blast.rank <= incident.scope.rank
        assert fix.reversible in (Reversible.YES, Reversible.PARTLY)
        assert fix.confidence in (Confidence.LIKELY, Confidence.PROVEN)
        assert "confidence" not in fix.defaulted
        assert not {"payments", "auth", "pii"} & {*incident.tags, *incident.components}
        assert policy.push_when_down is PushWhenDown.REVIEW_AFTER
        assert not policy.freeze
    assert (Obligation.O2 in obligations) is (advice.review is Review.AFTER)
    assert (Obligation.O3 in obligations) is (
        advice.recommend
        in (Recommendation.MITIGATE_THEN_FIX, Recommendation.PARALLEL, Recommendation.CONTAIN)
    )
    assert (Obligation.O4 in obligations) is is_fix
    assert Obligation.O5 in obligations
    if advice.recommend is Recommendation.NORMAL_CHANGE:
        assert obligations == {Obligation.O5}
    else:
        assert Obligation.O1 in obligations
        assert (Obligation.O6 in obligations) is (
            incident.severity is Severity.SEV1 or incident.data_risk is not DataRisk.NONE
        )
    taken = {
        Recommendation.FIX_FORWARD: (fix,),
        Recommendation.MITIGATE_THEN_FIX: (mitigation,),
        Recommendation.PARALLEL: (mitigation, fix),
        Recommendation.CONTAIN: (advice.containing,),
    }.get(advice.recommend, ())
    if not incident.is_data_loss_accepted:
        assert not any(path is not None and path.loses_data for path in taken)
    for path in taken:
        assert path is None or path.is_available


@given(incidents, maybe_path, maybe_path, policies)
def test_guarantees_hold_for_any_input(incident, mitigation, fix, policy):
    advice = advise(incident, mitigation, fix, policy)
    check_guarantees(incident, mitigation, fix, policy, advice)
    assert advice == advise(incident, mitigation, fix, policy)


@given(incidents, path_inputs, path_inputs, policies)
def test_the_flip_is_the_exact_border(incident, mitigation, fix, policy):
    advice = advise(incident, mitigation, fix, policy)
    if advice.flip_minutes is None:
        return
    within = changed(fix, time_minutes=max(0.0, advice.flip_minutes - 0.001))
    beyond = changed(fix, time_minutes=advice.flip_minutes + 0.001)
    assert advise(incident, mitigation, within, policy).rule is Rule.D6
    assert advise(incident, mitigation, beyond, policy).rule is Rule.D8


@given(incidents, maybe_path, maybe_path, policies)
def test_what_was_assumed_gives_the_same_answer_when_it_is_stated_but_for_review(
    incident, mitigation, fix, policy
):
    advice = advise(incident, mitigation, fix, policy)
    stated = dataclasses.replace(
        incident,
        impact=incident.impact or Impact.DEGRADED,
        data_risk=incident.data_risk or DataRisk.POSSIBLE,
        trend=incident.trend or Trend.WORSENING,
    )
    assert advise(stated, mitigation, fix, policy).rule is advice.rule


def test_guarantees_hold_over_a_sweep_of_all_combinations():
    paths = [
        PathInput(
            time_minutes=time,
            risk=risk,
            reversible=reversible,
            blast=blast,
            confidence=confidence,
            loses_data=loses,
            approval=approval,
        )
        for time, risk, reversible, blast, confidence, loses, approval in itertools.product(
            (None, 3.0, 12.0, 45.0),
            (None, *Risk),
            (None, *Reversible),
            (None, *Scope),
            (None, *Confidence),
            (None, True),
            (None, "none"),
        )
    ]
    choice = random.Random(20250601)
    situations = itertools.product(
        (None, *Impact), (None, *DataRisk), (None, *Trend), (None, *Scope), ((), ("payments",)), (False, True)
    )
    seen = set()
    for impact, data_risk, trend, scope, tags, accepted in situations:
        incident = Incident(impact, data_risk, trend, scope, tags=tags, is_data_loss_accepted=accepted)
        for _ in range(6):
            mitigation = choice.choice([None, *choice.sample(paths, 5)])
            fix = choice.choice([None, *choice.sample(paths, 5)])
            advice = advise(incident, mitigation, fix)
            check_guarantees(incident, mitigation, fix, DEFAULT_POLICY, advice)
            seen.add(advice.rule)
    assert seen == set(Rule)


def test_the_case_reader_and_the_model_agree():
    case = read_case(CASES[0])
    assert case.incident.impact is Impact.DEGRADED
    assert case.mitigations[0].approval == "none"
    assert case.fixes[0].time_minutes == 90.0
