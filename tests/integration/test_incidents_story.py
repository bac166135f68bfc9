"""A plant is down and the fix goes out before its review: from the decision to the auditor's row."""

import datetime as dt
import random

import pytest

from kb_app.decision.codec import Case, decide_case
from kb_app.decision.model import Incident, PathInput
from kb_app.decision.policy_file import load_policy, policy_template
from kb_app.decision.record import decision_data, differences
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Impact,
    Reversible,
    Review,
    Risk,
    Scope,
    Severity,
    Trend,
)
from kb_app.errors import UsageError
from kb_app.incidents import conformance as report
from kb_app.incidents.duties import OwedKind, close, owed, record_review
from kb_app.incidents.events import EventType
from kb_app.incidents.export import handover_text
from kb_app.incidents.folders import JournalMaker, open_record, records
from kb_app.incidents.journal import Journal
from kb_app.incidents.runs import RunPlan, Runs
from kb_app.incidents.timeline import read_state
from kb_app.incidents.verify import verify_record

NIGHT = dt.datetime(2025, 6, 1, 2, 0, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


class Clock:
    def __init__(self):
        self.now = NIGHT

    def __call__(self):
        self.now += dt.timedelta(seconds=9)
        return self.now


def test_plant_down_push_now_review_next_morning(tmp_path):
    clock = Clock()
    policy, findings = load_policy(policy_template())
    assert findings == ()

    # the night: opened, decided, pushed
    maker = JournalMaker("anas-laptop", "ana@example.com", clock)
    opened = {"title": "plant 3 is down", "severity": "sev1", "services": ["checkout"]}
    place = open_record(tmp_path, maker, opened, source=random.Random(1))
    log = maker(place.folder)
    case = Case(
        Incident(
            Impact.DOWN, DataRisk.NONE, Trend.STABLE, Scope.CELL, Severity.SEV1, components=("checkout",)
        ),
        (PathInput("roll back", is_available=False, why="the migration dropped a column"),),
        (PathInput("patch", 25.0, Risk.MEDIUM, Reversible.YES, Scope.CELL, Confidence.LIKELY),),
    )
    advice = decide_case(case, policy, clock.now.date())
    assert advice.review is Review.AFTER
    log.append(EventType.IMPACT, {"impact": "down", "data": "none", "trend": "stable", "scope": "cell"})
    decision = log.append(EventType.DECISION, decision_data(case, advice, policy, clock.now.date()))
    assert differences(decision.data, policy) == ()
    runs = Runs(log)
    run = runs.start(RunPlan("patch", "fix", ("build", "roll out", "verify"))).run
    for step in (1, 2, 3):
        runs.tick(run, step)
    runs.end(run)
    log.append(
        EventType.DEPLOY,
        {
            "change": "abc123",
            "env": "prod",
            "author": "aron@example.com",
            "review": "after",
            "due": clock.now + DAY,
            "authority": f"standing, policy.yml @{policy.revision[:12]}",
            "way": "fix",
            "tests": "unit suite passed",
        },
    )
    log.append(EventType.FIXED, {"signal": "orders flow"})
    assert "Review abc123" in handover_text(read_state(place.folder), clock.now)

    # the next morning: somebody else reviews, on another device
    clock.now = NIGHT + 7 * HOUR
    (review,) = [o for o in owed(read_state(place.folder), clock.now) if o.kind is OwedKind.REVIEW]
    assert review.due - clock.now < 18 * HOUR
    theirs = Journal(place.folder, "bens-desk", "ben@example.com", clock=clock)
    with pytest.raises(UsageError, match="deployer"):
        record_review(log, "abc123", "ana@example.com", "pass")
    record_review(theirs, "abc123", "ben@example.com", "pass")

    # closing: what was learned, what is merged back
    with pytest.raises(UsageError, match="no entry"):
        close(log)
    log.append(EventType.KNOWLEDGE, {"how": "add", "entry": "checkout-migration"})
    log.append(EventType.FOLLOWUP, {"state": "closed", "kind": "merge-back", "signal": "merged"})
    with pytest.raises(UsageError, match="sev1"):
        close(log)
    due = clock.now + 5 * DAY
    log.append(EventType.FOLLOWUP, {"state": "opened", "kind": "written-review", "owner": "ana", "due": due})
    close(log)
    assert read_state(place.folder).status == "closed"
    assert verify_record(place.folder) == ()

    # the auditor
    policies = [report.PolicyVersion(policy.revision, NIGHT - DAY, policy.never_unreviewed)]
    scope = report.Scope(NIGHT - DAY, NIGHT + 30 * DAY, clock.now + MINUTE)
    (row,) = report.conformance(tmp_path, scope, policies=policies).rows
    assert (row.verdict, row.why) == ("open", "the follow-up written-review is pending and in time")
    theirs.append(
        EventType.FOLLOWUP, {"state": "closed", "kind": "written-review", "url": "https://example.com/1"}
    )
    later = report.Scope(NIGHT - DAY, NIGHT + 30 * DAY, NIGHT + 30 * DAY)
    (row,) = report.conformance(tmp_path, later, policies=policies).rows
    assert (row.verdict, row.review_mode, row.independent, row.chain) == ("conforms", "after", "yes", "ok")
    assert row.policy_rev == policy.revision
    assert row.reviewed_by == "ben@example.com"
    assert [r.id for r in records(tmp_path)] == [place.id]
