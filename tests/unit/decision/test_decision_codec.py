import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.decision.codec import _INCIDENT_KEYS, _PATH_KEYS, decide_document, decide_text, read_case
from kb_app.decision.policy import DEFAULT_POLICY
from kb_app.decision.values import Impact, Reversible
from kb_app.errors import UsageError

DAY = dt.date(2025, 6, 1)
INCIDENT = {"impact": "down", "data_risk": "none", "trend": "stable", "scope": "cell"}
PATH = {"time": 5, "risk": "low", "reversible": "yes", "blast": "cell", "confidence": "proven"}
KEYS = ["recommend", "rule", "review", "vrule", "tM", "tF", "flip", "reasons", "blocked", "obligations"]


def answer(**case):
    return decide_document({"incident": INCIDENT, **case}, DEFAULT_POLICY, DAY)


def test_a_single_case_gives_an_object_and_a_list_a_list():
    case = {"incident": INCIDENT, "mitigation": None, "fix": PATH}
    single = json.loads(decide_text(json.dumps(case), DEFAULT_POLICY, DAY))
    assert list(single) == [*KEYS, "assumed"]
    assert json.loads(decide_text(json.dumps([case, case]), DEFAULT_POLICY, DAY)) == [single, single]
    assert decide_text("[]", DEFAULT_POLICY, DAY) == "[]"


@pytest.mark.parametrize(
    "text", ["", "{", "3", "[3]", "{}", '{"incident": 3}', '{"incident": {}, "fix": 3}', "[" * 100_000]
)
def test_what_is_no_case_is_a_usage_error(text):
    with pytest.raises(UsageError):
        decide_text(text, DEFAULT_POLICY, DAY)


def test_the_place_of_a_bad_case_in_a_list_is_named():
    with pytest.raises(UsageError, match="Case 2"):
        decide_document([{"incident": {}}, {"fix": {}}], DEFAULT_POLICY, DAY)


@pytest.mark.parametrize("value", [None, "unknown", "Unknown ", "", "?"])
def test_unknown_values_are_assumed_without_a_remark(value):
    case = read_case({"incident": {"impact": value}, "fix": {"time": value, "risk": value}})
    assert case.incident.impact is None
    assert (case.fixes[0].time_minutes, case.fixes[0].risk) == (None, None)
    assert case.notes == ()


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ({"risk": "extreme"}, "extreme"),
        ({"time": -1}, "-1"),
        ({"time": True}, "True"),
        ({"time": float("nan")}, "nan"),
        ({"time": float("inf")}, "inf"),
        ({"time": 10**400}, "1000"),
        ({"time": "10"}, "10"),
        ({"loses_data": "perhaps"}, "perhaps"),
        ({"blast": ["cell"]}, "cell"),
        ({"blast": 3}, "3"),
    ],
)
def test_a_value_that_is_none_of_its_key_counts_as_unknown_and_is_named(path, word):
    case = read_case({"incident": {}, "fix": path})
    assert case.fixes[0] == read_case({"incident": {}, "fix": {}}).fixes[0]
    (note,) = case.notes
    assert word in note
    assert note in answer(fix=path)["reasons"]


def test_an_unknown_key_is_named_with_its_neighbour():
    (note,) = read_case({"incident": {}, "fix": {"revesible": "yes"}}).notes
    assert "did you mean “reversible”?" in note


def test_booleans_and_words_are_the_same():
    one = read_case(
        {"incident": {"data_loss_accepted": True}, "fix": {"available": False, "reversible": True}}
    )
    two = read_case(
        {"incident": {"data_loss_accepted": "yes"}, "fix": {"available": "no", "reversible": "YES"}}
    )
    assert one == two
    assert one.fixes[0].reversible is Reversible.YES


def test_a_time_may_be_written_as_people_write_it():
    assert answer(fix=PATH | {"time": "build 10m + test 5m"})["tF"] == 15


def test_null_and_not_available_are_the_same_decision():
    one, two = answer(mitigation=None, fix=PATH), answer(mitigation={"available": "no"}, fix=PATH)
    for key in ("recommend", "rule", "review", "tM", "tF"):
        assert one[key] == two[key]
    assert [b["gate"] for b in one["blocked"]] == [b["gate"] for b in two["blocked"]] == ["G1"]


def test_several_paths_may_be_given_as_a_list():
    result = answer(mitigation=[PATH | {"time": 50}, None, PATH | {"time": 9, "approval": "none"}])
    assert result["tM"] == 9


def test_everything_assumed_is_listed_with_its_value():
    assert decide_document({"incident": {}, "mitigation": {}}, DEFAULT_POLICY, DAY)["assumed"] == [
        "impact=degraded",
        "data_risk=possible",
        "trend=worsening",
        "scope=instance",
        "mitigation.time=15",
        "mitigation.risk=medium",
        "mitigation.reversible=partly",
        "mitigation.blast=instance",
        "mitigation.confidence=likely",
        "mitigation.loses_data=no",
        "mitigation.restores=full",
        "mitigation.approval=before",
    ]


def test_the_day_of_the_case_wins():
    policy_day = dt.date(2025, 12, 24)
    assert read_case({"incident": {}, "today": "2025-12-24"}).today == policy_day
    with pytest.raises(UsageError):
        read_case({"incident": {}, "today": "Christmas"})


def test_components_and_tags_may_be_one_word_or_a_list():
    case = read_case({"incident": {"tags": "payments, web", "component": "cdn", "components": ["api"]}})
    assert case.incident.tags == ("payments", "web")
    assert case.incident.components == ("cdn", "api")
    assert read_case({"incident": {"tags": 3}}).notes


def test_words_may_be_written_in_capitals():
    assert read_case({"incident": {"impact": "DOWN"}}).incident.impact is Impact.DOWN


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
objects = st.dictionaries(
    st.sampled_from([*_INCIDENT_KEYS, *_PATH_KEYS, "x"]),
    values | st.lists(values, max_size=3),
)


@given(objects, st.none() | objects | st.lists(objects, max_size=3), st.none() | objects)
def test_any_objects_give_an_answer_that_is_json(incident, mitigation, fix):
    result = decide_document(
        {"incident": incident, "mitigation": mitigation, "fix": fix}, DEFAULT_POLICY, DAY
    )
    json.dumps(result, allow_nan=False)
