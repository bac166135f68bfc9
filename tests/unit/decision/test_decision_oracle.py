"""The rules once more, written as short as the table they come from, against the program on random input."""

import datetime as dt
import random

from kb_app.decision.codec import decide_document
from kb_app.decision.policy import DEFAULT_POLICY

DAY = dt.date(2025, 6, 1)
RISKS = ["low", "medium", "high"]
SCOPES = ["instance", "cell", "region", "global"]
CEILING = {"minor": "low", "degraded": "medium", "down": "high"}
VALUES = {
    "incident": {
        "impact": ["minor", "degraded", "down"],
        "data_risk": [None, "none", "none", "possible", "active"],
        "trend": [None, "stable", "worsening", "recovering"],
        "scope": SCOPES,
        "severity": [None, "sev1", "sev2"],
        "tags": [None, ["payments"], ["web"]],
        "data_loss_accepted": [None, "yes", "no"],
    },
    "path": {
        "time": [None, 0, 1, 3, 5, 8, 10, 12, 15, 19, 20, 21, 25, 30, 45, 60, 90, 240],
        "risk": [None, *RISKS],
        "reversible": [None, "yes", "yes", "partly", "no"],
        "blast": [None, *SCOPES],
        "confidence": [None, "guess", "likely", "proven"],
        "loses_data": [None, "no", "no", "yes"],
        "restores": [None, "full", "partial"],
        "approval": [None, "none", "none", "before", "@lead"],
        "available": [None, None, None, "yes", "no"],
    },
}


def closed(path, way, incident):
    if path is None or path.get("available") == "no":
        return ["G1"]
    gates = []
    risk = path.get("risk", "medium")
    if RISKS.index(risk) > RISKS.index(CEILING[incident["impact"]]):
        gates.append("G2")
    if path.get("loses_data") == "yes" and incident.get("data_loss_accepted") != "yes":
        gates.append("G3")
    wider = SCOPES.index(path.get("blast", incident["scope"])) > SCOPES.index(incident["scope"])
    if wider and risk != "low":
        gates.append("G4")
    if path.get("confidence") == "guess":
        gates.append("G5")
    return gates


def review_of(fix, incident):
    if "payments" in incident.get("tags", []):
        return "V1"
    stated = {"blast", "reversible", "confidence"} <= fix.keys()
    if (
        incident["impact"] == "down"
        and incident.get("data_risk") == "none"
        and stated
        and SCOPES.index(fix["blast"]) <= SCOPES.index(incident["scope"])
        and fix["reversible"] != "no"
        and fix["confidence"] != "guess"
    ):
        return "V2"
    return "V3"


def times(mitigation, fix, vrule):
    tm = tf = None
    if mitigation is not None and mitigation.get("available") != "no":
        tm = mitigation.get("time", 15) + (0 if mitigation.get("approval") == "none" else 10)
    if fix is not None and fix.get("available") != "no":
        tf = fix.get("time", 240) + (0 if vrule == "V2" else 10)
    return tm, tf


def obligations(answer, vrule, incident):
    owed = {"O5"}
    if answer[1] != "D2":
        owed.add("O1")
        if incident.get("severity") == "sev1" or incident.get("data_risk") != "none":
            owed.add("O6")
    if answer[0] == "fix-forward":
        owed |= {"O4", "O2"} if vrule == "V2" else {"O4"}
    if answer[0] in ("mitigate-then-fix", "parallel", "contain"):
        owed.add("O3")
    return sorted(owed)


def oracle(incident, mitigation, fix):
    vrule = review_of(fix, incident) if fix else None
    usable_m = not closed(mitigation, "mitigation", incident)
    usable_f = not closed(fix, "fix", incident)
    tm, tf = times(mitigation, fix, vrule)
    flip = None
    if incident.get("data_risk") == "active":
        answer = ("contain", "D1")
    elif incident["impact"] == "minor" and incident.get("trend", "worsening") != "worsening":
        answer = ("normal-change", "D2")
    elif not usable_m and not usable_f:
        answer = ("escalate", "D3")
    elif not usable_m:
        answer = ("fix-forward", "D4")
    elif not usable_f:
        answer = ("mitigate-then-fix", "D5")
    elif fix.get("reversible") != "no" and tf <= tm + 5:
        answer = ("fix-forward", "D6")
    elif mitigation.get("restores") == "partial" or tm > 20:
        answer = ("parallel", "D7")
    else:
        answer = ("mitigate-then-fix", "D8")
        flip = tm + 5 - (0 if vrule == "V2" else 10)
        flip = flip if flip >= 0 and fix.get("reversible") != "no" else None
    owed = obligations(answer, vrule, incident)
    is_fix = answer[0] == "fix-forward"
    review = {"V1": "before", "V2": "after", "V3": "before", None: None}[vrule] if is_fix else None
    return {
        "recommend": answer[0],
        "rule": answer[1],
        "review": review,
        "vrule": vrule if is_fix else None,
        "tM": tm,
        "tF": tf,
        "flip": flip,
        "obligations": owed,
    }


def drawn(chance, kind):
    values = {key: chance.choice(choices) for key, choices in VALUES[kind].items()}
    return {key: value for key, value in values.items() if value is not None}


def test_the_program_and_the_table_agree_on_random_input():
    chance = random.Random(8785)
    seen = {}
    for _ in range(20_000):
        incident = drawn(chance, "incident")
        mitigation = drawn(chance, "path") if chance.random() < 0.9 else None
        fix = drawn(chance, "path") if chance.random() < 0.9 else None
        case = {"incident": incident, "mitigation": mitigation, "fix": fix}
        answer = decide_document(case, DEFAULT_POLICY, DAY)
        expected = oracle(incident, mitigation, fix)
        assert {key: answer[key] for key in expected} == expected, case
        if answer["rule"] not in ("D1", "D2"):
            for way, path in (("mitigation", mitigation), ("fix", fix)):
                gates = [b["gate"] for b in answer["blocked"] if b["path"] == way]
                assert gates == closed(path, way, incident), case
        seen[answer["rule"]] = seen.get(answer["rule"], 0) + 1
    assert set(seen) == {f"D{n}" for n in range(1, 9)}
    assert min(seen.values()) > 50, seen
