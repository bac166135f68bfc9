import dataclasses
import datetime as dt

import pytest

from kb_app.decision.advice import decide
from kb_app.decision.duties import due_at, duties_for
from kb_app.decision.from_entry import ComponentDefaults, FreeMove, component_defaults, free_move, path_input
from kb_app.decision.model import Incident
from kb_app.decision.policy import DEFAULT_POLICY
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Impact,
    Obligation,
    Recommendation,
    Restores,
    Reversible,
    Review,
    Risk,
    Scope,
    Severity,
    Trend,
)
from kb_app.entries.model import (
    Audience,
    Duration,
    Entry,
    Kind,
    Path,
    PathAttributes,
    PathKind,
    Span,
    State,
)

FULL = PathAttributes(
    time=Duration("5-10m", 5, 10),
    risk="low",
    reversible="yes",
    blast="cell",
    approval="none",
    restores="full",
    data="safe",
    confidence="proven",
)


def make_path(**changes):
    attributes = dataclasses.replace(FULL, **changes)
    return Path(PathKind.MITIGATION, True, "drain", "Mitigation: drain", "drain", Span(1, 9), attributes)


def bare_path():
    return Path(PathKind.FIX, True, "fix", "Fix", "fix", Span(1, 9))


def make_internals(**changes):
    return Entry(
        path="internals/db.md",
        id="db",
        title="db",
        kind=Kind.INTERNALS,
        state=State.VERIFIED,
        audience=Audience.INTERNAL,
        product="",
        component="db",
        owner="",
        tags=(),
        text="",
        body_line=1,
        size_bytes=0,
        content_hash="",
        **changes,
    )


def test_attributes_become_an_input():
    path = path_input(make_path(), State.VERIFIED)
    assert path.name == "drain"
    assert (path.time_minutes, path.risk, path.reversible) == (10, Risk.LOW, Reversible.YES)
    assert (path.blast, path.confidence, path.restores) == (Scope.CELL, Confidence.PROVEN, Restores.FULL)
    assert (path.loses_data, path.approval, path.contains) == (False, "none", False)
    assert path.defaulted == frozenset()


def test_an_approval_that_is_not_stated_stays_unknown():
    for approval in (None, "  "):
        path = path_input(make_path(approval=approval), State.VERIFIED)
        assert (path.approval, path.defaulted) == (None, frozenset())
    assert path_input(make_path(approval="@db-team"), State.VERIFIED).approval == "@db-team"


def test_words_after_the_value_do_no_harm():
    path = path_input(make_path(risk="Medium (drops traffic)", data="loses the last minute"), State.VERIFIED)
    assert (path.risk, path.loses_data) == (Risk.MEDIUM, True)
    assert path_input(make_path(risk="it depends"), State.VERIFIED).risk is None


@pytest.mark.parametrize("state", list(State))
def test_no_approval_is_honoured_only_in_a_verified_entry(state):
    path = path_input(make_path(), state)
    assert (path.approval == "none") is (state is State.VERIFIED)
    assert ("approval" in path.defaulted) is (state is not State.VERIFIED)


@pytest.mark.parametrize(
    ("state", "confidence", "is_stated"),
    [
        (State.DRAFT, Confidence.GUESS, False),
        (State.UNVERIFIED, Confidence.LIKELY, False),
        (State.VERIFIED, Confidence.PROVEN, True),
    ],
)
def test_the_state_gives_the_confidence_but_only_verified_states_it(state, confidence, is_stated):
    path = path_input(make_path(confidence=None), state)
    assert path.confidence is confidence
    assert ("confidence" not in path.defaulted) is is_stated


def test_an_unverified_entry_allows_acting_but_never_skips_review():
    incident = Incident(Impact.DOWN, DataRisk.NONE, Trend.STABLE, Scope.CELL)
    fix = make_path(confidence=None)
    day = dt.date(2025, 6, 1)
    unverified = decide(incident, None, path_input(fix, State.UNVERIFIED), DEFAULT_POLICY, day)
    verified = decide(incident, None, path_input(fix, State.VERIFIED), DEFAULT_POLICY, day)
    assert (unverified.recommend, unverified.review) == (Recommendation.FIX_FORWARD, Review.BEFORE)
    assert verified.review is Review.AFTER
    assert "fix.confidence=likely" in [str(a) for a in unverified.assumed]


def test_the_components_internals_fill_time_and_reversibility():
    defaults = component_defaults(
        make_internals(deploy_time="test 5m + rollout 10m", rollback="limited", push_allowed="no")
    )
    assert defaults == ComponentDefaults(15.0, Reversible.PARTLY, may_push=False)
    path = path_input(bare_path(), State.VERIFIED, defaults)
    assert (path.time_minutes, path.reversible) == (15.0, Reversible.PARTLY)
    assert path_input(make_path(), State.VERIFIED, defaults).time_minutes == 10
    assert component_defaults(make_internals()) == ComponentDefaults()


def test_none_known_is_not_available():
    path = path_input(dataclasses.replace(bare_path(), is_none=True), State.VERIFIED)
    assert not path.is_available
    assert "none is known" in path.why


def test_a_free_move_needs_no_question():
    assert free_move(make_path(), State.VERIFIED, Scope.CELL) == FreeMove(True)
    assert free_move(make_path(blast=None), State.VERIFIED) == FreeMove(True)
    assert free_move(make_path(blast="instance"), State.VERIFIED) == FreeMove(True)


def test_a_free_move_says_what_must_be_broken_while_nobody_has_said_so():
    assert free_move(make_path(), State.VERIFIED).only_if == "if at least a cell is broken"
    assert free_move(make_path(blast="global"), State.VERIFIED).only_if == "if everything is broken"


@pytest.mark.parametrize(
    ("changes", "state", "scope"),
    [
        ({}, State.UNVERIFIED, Scope.CELL),
        ({"risk": "medium"}, State.VERIFIED, Scope.CELL),
        ({"risk": None}, State.VERIFIED, Scope.CELL),
        ({"reversible": "partly"}, State.VERIFIED, Scope.CELL),
        ({"reversible": None}, State.VERIFIED, Scope.CELL),
        ({"approval": "before"}, State.VERIFIED, Scope.CELL),
        ({"approval": None}, State.VERIFIED, Scope.CELL),
        ({"data": "loses"}, State.VERIFIED, Scope.CELL),
        ({}, State.VERIFIED, Scope.INSTANCE),
    ],
)
def test_what_keeps_a_move_from_being_free_is_named(changes, state, scope):
    move = free_move(make_path(**changes), state, scope)
    assert not move.is_free
    assert len(move.missing) == 1


def test_duties_follow_what_is_done_when_people_choose_otherwise():
    incident = Incident(Impact.DOWN, DataRisk.NONE, Trend.STABLE, Scope.CELL, Severity.SEV2)
    duties = duties_for(
        Recommendation.FIX_FORWARD, incident, DEFAULT_POLICY, review=Review.AFTER, is_override=True
    )
    assert [d.obligation for d in duties] == [
        Obligation.O1,
        Obligation.O2,
        Obligation.O4,
        Obligation.O5,
        Obligation.O7,
    ]
    deployed = dt.datetime(2025, 6, 1, 2, 11, 9, tzinfo=dt.UTC)
    assert due_at(duties[1], deployed) == deployed + dt.timedelta(hours=24)
    assert due_at(duties[0], deployed) is None
    assert "author and deployer" in duties[1].text


def test_the_follow_up_is_due_by_severity():
    incident = Incident(severity=Severity.SEV2)
    duties = duties_for(Recommendation.MITIGATE_THEN_FIX, incident, DEFAULT_POLICY)
    follow_up = next(d for d in duties if d.obligation is Obligation.O3)
    assert follow_up.due_minutes == 14 * 24 * 60
    assert "14 days" in follow_up.text
