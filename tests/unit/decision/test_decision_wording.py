import datetime as dt
import json
from pathlib import Path

import pytest

from kb_app.decision.codec import decide_case, read_case
from kb_app.decision.policy import DEFAULT_POLICY
from kb_app.decision.wording import advice_sentence

CASES = json.loads((Path(__file__).parents[2] / "data" / "decision-cases.json").read_text("utf-8"))


PUSHED = (
    "Fix forward now: the fix (4 min), review after deployment. "
    "After 8 min fall back to the mitigation (40 min)."
)
FORBIDDEN = (
    "Fix forward now: the fix (15 min), review before deployment. "
    "After 30 min fall back to the mitigation (30 min)."
)


def sentence(number, **changes):
    case = json.loads(json.dumps(CASES[number - 1]))
    for way, values in changes.items():
        case[way] = (case[way] or {}) | values
    return advice_sentence(decide_case(read_case(case), DEFAULT_POLICY, dt.date(2025, 6, 1)))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "Mitigate now: the mitigation (10 min). Fix afterwards."),
        (2, PUSHED),
        (4, "Fix forward now: the fix (25 min), review after deployment."),
        (5, "Escalate: no path may be used now."),
        (6, "Stop the damage to data first: stop writes and isolate what is broken."),
        (8, "No emergency: give the customer a workaround and make a normal change."),
        (9, "Two people at once: one takes the mitigation (45 min), one takes the fix (90 min)."),
        (11, FORBIDDEN),
    ],
)
def test_a_worked_case_in_one_sentence(number, expected):
    assert sentence(number) == expected


def test_paths_are_called_by_their_names():
    assert sentence(7, mitigation={"name": "revert the push"}).startswith("Mitigate now: “revert the push” (")
    stop = {"name": "stop the job", "contains": "yes"}
    assert sentence(6, mitigation=stop) == "Stop the damage to data first: “stop the job”."
    assert (
        sentence(6, mitigation={"contains": "yes"}) == "Stop the damage to data first: the containing path."
    )


def test_a_time_that_nobody_stated_is_called_assumed():
    assert sentence(14) == "Mitigate now: the mitigation (25 min, its time is assumed). Fix afterwards."
    assert "assumed" not in sentence(14, mitigation={"time": 5})
