import dataclasses
import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.decision.advice import decide
from kb_app.decision.codec import Case, read_case
from kb_app.decision.model import Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY
from kb_app.decision.policy_file import load_policy
from kb_app.decision.record import (
    decision_data,
    differences,
    incident_to_plain,
    path_to_plain,
    reason_to_decide_again,
)
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Impact,
    Restores,
    Reversible,
    Risk,
    Scope,
    Severity,
    Trend,
)
from kb_app.errors import UsageError
from kb_app.incidents.canonical import canonical, parse
from kb_app.incidents.events import EventType, checked

DAY = dt.date(2025, 6, 1)
NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
CASES = json.loads((Path(__file__).parents[2] / "data" / "decision-cases.json").read_text("utf-8"))


def optional(kind):
    return st.none() | st.sampled_from(list(kind))


names = st.text("abc -", max_size=5).map(str.strip)
incidents = st.builds(
    Incident,
    optional(Impact),
    optional(DataRisk),
    optional(Trend),
    optional(Scope),
    optional(Severity),
    st.lists(names.filter(bool), max_size=2).map(tuple),
    st.lists(names.filter(bool), max_size=2).map(tuple),
    names,
    names,
    st.booleans(),
    st.none() | st.booleans(),
)
paths = st.builds(
    PathInput,
    names,
    st.none() | st.floats(0, 1e6),
    optional(Risk),
    optional(Reversible),
    optional(Scope),
    optional(Confidence),
    st.none() | st.booleans(),
    optional(Restores),
    st.sampled_from([None, "none", "before", "@lead"]),
    st.booleans(),
    st.booleans(),
    names,
    st.sampled_from([frozenset(), frozenset({"confidence"}), frozenset({"confidence", "approval"})]),
)


@given(incidents, st.lists(paths, max_size=2).map(tuple), st.lists(paths, max_size=2).map(tuple))
def test_a_stored_decision_gives_the_same_inputs_and_the_same_advice(incident, mitigations, fixes):
    advice = decide(incident, mitigations, fixes, DEFAULT_POLICY, DAY)
    data = decision_data(Case(incident, mitigations, fixes), advice, DEFAULT_POLICY, DAY)
    stored = parse(canonical(checked(EventType.DECISION, data)))
    case = read_case(stored["inputs"])
    assert (case.incident, case.mitigations, case.fixes, case.today) == (incident, mitigations, fixes, DAY)
    assert case.notes == ()
    assert differences(stored, DEFAULT_POLICY) == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"case-{case['n']}")
def test_the_worked_cases_can_be_stored_and_decided_again(case):
    read = read_case(case)
    advice = decide(read.incident, read.mitigations, read.fixes, DEFAULT_POLICY, DAY)
    data = decision_data(read, advice, DEFAULT_POLICY, DAY)
    assert differences(data, DEFAULT_POLICY) == ()
    assert data["obligations"] == [duty.obligation.value for duty in advice.duties]


def stored_push(**incident):
    down = Incident(Impact.DOWN, DataRisk.NONE, Trend.STABLE, Scope.CELL, **incident)
    fix = PathInput("flag", 4.0, Risk.LOW, Reversible.YES, Scope.CELL, Confidence.PROVEN)
    return decision_data(
        Case(down, (), (fix,)), decide(down, None, fix, DEFAULT_POLICY, DAY), DEFAULT_POLICY, DAY
    )


def test_a_decision_that_the_rules_do_not_give_is_found():
    forged = stored_push() | {"rule": "D6", "review": "before"}
    assert len(differences(forged, DEFAULT_POLICY)) == 2


def test_another_policy_than_the_one_named_is_found():
    careful, _ = load_policy("push_when_down: review-first\n")
    found = differences(stored_push(), careful)
    assert any("policy default" in text for text in found)
    assert any("review before" in text for text in found)


def test_a_decision_without_its_inputs_cannot_be_checked():
    with pytest.raises(UsageError):
        differences({"inputs": {}, "rule": "D1"}, DEFAULT_POLICY)


def test_forbidden_names_and_due_times_are_stored():
    data = stored_push(severity=Severity.SEV2, tags=("Payments",))
    assert data["forbidden"] == ["payments"]
    assert (data["review"], data["vrule"]) == ("before", "V1")
    assert (data["review_due_minutes"], data["followup_due_minutes"]) == (1440.0, 20160.0)


def test_what_is_unknown_is_left_out():
    assert incident_to_plain(Incident()) == {}
    assert path_to_plain(PathInput()) == {}


def test_a_new_decision_is_due_when_the_impact_changes_or_the_timebox_ends():
    then = Incident(Impact.DEGRADED, DataRisk.NONE, Trend.STABLE, Scope.CELL)
    path = PathInput("", 10.0, Risk.LOW, Reversible.YES, Scope.CELL, Confidence.PROVEN, approval="none")
    advice = decide(
        then,
        dataclasses.replace(path, name="drain"),
        dataclasses.replace(path, time_minutes=1.0),
        DEFAULT_POLICY,
        DAY,
    )
    assert advice.timebox_minutes == 22.0

    def reason(now=then, minutes=5):
        return reason_to_decide_again(then, now, NOON, NOON + dt.timedelta(minutes=minutes), advice)

    assert reason() == ""
    assert "impact changed from degraded to down" in reason(dataclasses.replace(then, impact=Impact.DOWN))
    assert "risk to data" in reason(dataclasses.replace(then, data_risk=DataRisk.ACTIVE))
    assert "had its 22 min: fall back to the drain" in reason(minutes=22)
