from __future__ import annotations

import datetime as dt
import itertools

import pytest

from kb_app.decision.advice import decide
from kb_app.decision.model import Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Gate,
    Impact,
    Obligation,
    Recommendation,
    Restores,
    Reversible,
    Review,
    Risk,
    Rule,
    Scope,
    Severity,
    Trend,
    Way,
)
from kb_app.entries.model import Path, PathAttributes, PathKind, PlannedPath, Span, State
from kb_app.errors import UsageError
from kb_app.ui.decision.state import (
    FACT_ATTRIBUTES,
    LOOKS,
    QUESTIONS,
    RULE_WORDS,
    DecisionState,
    Origin,
    Question,
    accept_text,
    bullets_of,
    clock_text,
    duty_lines,
    first_state,
    policy_text,
    read_value,
    rule_text,
    taken_as,
    times_of,
)
from kb_app.workspace.deciding import Inputs, Prefilled

NOW = dt.datetime(2026, 3, 4, 18, 5, tzinfo=dt.UTC)
TODAY = NOW.date()
MINUTE = dt.timedelta(minutes=1)

ROLLBACK = PathInput(
    "roll back", 10.0, Risk.LOW, Reversible.YES, Scope.CELL, Confidence.PROVEN, approval="none"
)
FLIP = PathInput("flip the flag", 4.0, Risk.LOW, Reversible.YES, Scope.CELL, Confidence.PROVEN)


def state(
    mitigations: tuple[PathInput, ...] = (ROLLBACK,),
    fixes: tuple[PathInput, ...] = (FLIP,),
    incident: Incident = Incident(),  # noqa: B008 - frozen
) -> DecisionState:
    return first_state(
        Inputs(
            incident,
            tuple(Prefilled(Way.MITIGATION, path) for path in mitigations),
            tuple(Prefilled(Way.FIX, path) for path in fixes),
        )
    )


def pressed(keys: str, start: DecisionState | None = None) -> DecisionState:
    current = start or state()
    for key in keys:
        current = current.back() if key == "<" else current.answered(key)
    return current


# Keys


def test_four_keys_answer_four_questions_in_order() -> None:
    incident = pressed("3124").incident
    assert (incident.impact, incident.data_risk, incident.trend, incident.scope) == (
        Impact.DOWN,
        DataRisk.NONE,
        Trend.STABLE,
        Scope.GLOBAL,
    )
    assert pressed("3124").current is Question.SEVERITY


def test_the_fifth_key_is_the_severity_and_then_no_question_is_left() -> None:
    after = pressed("31242")
    assert after.incident.severity is Severity.SEV2
    assert after.current is None
    assert after.answered("1") is after


@pytest.mark.parametrize("key", ["0", "?"])
def test_unknown_is_an_answer_and_moves_on(key: str) -> None:
    after = pressed(key)
    assert Question.IMPACT in after.answers
    assert after.incident.impact is None
    assert after.current is Question.DATA


@pytest.mark.parametrize("key", ["4", "9", "x", ""])
def test_a_key_that_answers_nothing_changes_nothing(key: str) -> None:
    start = state()
    assert start.answered(key) is start


def test_back_goes_to_the_question_before_and_keeps_its_answer_until_another_is_given() -> None:
    went_back = pressed("31<")
    assert went_back.current is Question.DATA
    assert went_back.incident.data_risk is DataRisk.NONE
    assert went_back.answered("3").incident.data_risk is DataRisk.ACTIVE
    assert pressed("<<").current is Question.IMPACT
    assert pressed("31242<").current is Question.SEVERITY


def test_forward_skips_a_question_and_stops_at_the_last() -> None:
    skipped = state().forward()
    assert skipped.current is Question.DATA
    assert Question.IMPACT not in skipped.answers
    for _ in range(9):
        skipped = skipped.forward()
    assert skipped.current is Question.SEVERITY


def test_every_answer_of_a_question_has_its_own_key() -> None:
    for spec in QUESTIONS:
        keys = [choice.key for choice in spec.choices]
        assert len(set(keys)) == len(keys)
        assert spec.choices[-1].value is None


def test_a_severity_the_entry_states_is_filled_in_and_can_be_changed() -> None:
    start = state(incident=Incident(severity=Severity.SEV2))
    assert start.incident.severity is Severity.SEV2
    assert pressed("31241", start).incident.severity is Severity.SEV1


# Advice


def test_the_advice_is_what_decide_says_for_every_way_of_answering() -> None:
    answers = ("0123", "0123", "0123", "01234")
    for keys in itertools.product(*answers):
        after = pressed("".join(keys))
        expected = decide(after.incident, (ROLLBACK,), (FLIP,), DEFAULT_POLICY, TODAY)
        assert after.advice(TODAY) == expected


def test_what_is_unknown_counts_pessimistically_and_is_shown_as_what() -> None:
    assert taken_as(state().advice(TODAY)) == {
        Question.IMPACT: "degraded",
        Question.DATA: "possible",
        Question.TREND: "worsening",
        Question.SCOPE: "instance",
    }
    assert taken_as(pressed("3124").advice(TODAY)) == {}


@pytest.mark.parametrize("position", range(4))
def test_one_unknown_answer_takes_away_the_review_after_deployment(position: int) -> None:
    known = pressed("3122")
    assert known.advice(TODAY).review is Review.AFTER
    assert accept_text(known.advice(TODAY)) == "Fix now, review after"
    question = QUESTIONS[position].question
    unknown = known.with_answer(question, None)
    if question is Question.TREND:  # the trend is no condition of V2
        assert unknown.advice(TODAY).review is Review.AFTER
    else:
        assert unknown.advice(TODAY).review is not Review.AFTER
        assert accept_text(unknown.advice(TODAY)) != "Fix now, review after"


def test_a_fix_that_needs_review_first_says_so_on_the_button() -> None:
    alone = state(mitigations=())
    assert accept_text(pressed("2122", alone).advice(TODAY)) == "Fix: needs review first"


def test_every_recommendation_and_rule_has_its_words() -> None:
    assert set(LOOKS) == set(Recommendation)
    assert set(RULE_WORDS) == set(Rule)


# Facts and edits


def test_what_nobody_stated_is_assumed_and_editing_makes_it_stated() -> None:
    start = state(fixes=(PathInput("patch"),))
    facts = {fact.attribute: fact for fact in start.facts(Way.FIX, 0, TODAY)}
    assert facts["time_minutes"].is_assumed
    assert facts["time_minutes"].text == "4 h"
    edited = start.edited(Way.FIX, 0, "time_minutes", "12")
    facts = {fact.attribute: fact for fact in edited.facts(Way.FIX, 0, TODAY)}
    assert (facts["time_minutes"].text, facts["time_minutes"].origin) == ("12 min", Origin.EDITED)
    assert edited.case.fixes[0].time_minutes == 12.0
    assert "fix.time" not in {str(a).split("=")[0] for a in edited.advice(TODAY).assumed}


def test_an_edited_confidence_is_no_longer_a_default() -> None:
    unsure = PathInput("patch", 4.0, Risk.LOW, Reversible.YES, Scope.CELL, Confidence.LIKELY)
    guess = PathInput(**{**_fields(unsure), "defaulted": frozenset({"confidence"})})
    start = pressed("3122", state(mitigations=(), fixes=(guess,)))
    assert start.advice(TODAY).review is Review.BEFORE
    assert start.edited(Way.FIX, 0, "confidence", "proven").advice(TODAY).review is Review.AFTER


def _fields(path: PathInput) -> dict[str, object]:
    return {name: getattr(path, name) for name in path.__slots__}


def test_an_edit_can_be_taken_back() -> None:
    edited = state().edited(Way.FIX, 0, "risk", "high")
    assert edited.case.fixes[0].risk is Risk.HIGH
    assert edited.restored(Way.FIX, 0, "risk").case == state().case


def test_a_value_that_is_made_unknown_is_assumed_again() -> None:
    edited = state().edited(Way.FIX, 0, "risk", "")
    assert edited.case.fixes[0].risk is None
    facts = {fact.attribute: fact for fact in edited.facts(Way.FIX, 0, TODAY)}
    assert facts["risk"].is_assumed


def test_a_component_s_value_is_named_as_such() -> None:
    prefilled = Prefilled(Way.FIX, FLIP, from_component=frozenset({"time_minutes"}))
    start = first_state(Inputs(fixes=(prefilled,)))
    facts = {fact.attribute: fact for fact in start.facts(Way.FIX, 0, TODAY)}
    assert facts["time_minutes"].origin is Origin.COMPONENT
    assert facts["risk"].origin is Origin.STATED


def test_a_path_that_is_ruled_out_is_blocked_and_the_other_is_taken() -> None:
    ruled_out = pressed("2122").edited(Way.MITIGATION, 0, "is_available", "no")
    advice = ruled_out.advice(TODAY)
    assert advice.rule is Rule.D4
    assert [(b.way, b.gate) for b in advice.blocked] == [(Way.MITIGATION, Gate.G1)]
    assert ruled_out.edited(Way.MITIGATION, 0, "is_available", "yes").advice(TODAY).rule is not Rule.D4


def test_whether_a_path_contains_the_damage_is_asked_only_when_data_is_being_damaged() -> None:
    def names(of: DecisionState) -> list[str]:
        return [fact.attribute for fact in of.facts(Way.MITIGATION, 0, TODAY)]

    assert "contains" not in names(pressed("31"))
    assert names(pressed("33")) == list(FACT_ATTRIBUTES)
    contained = pressed("33").edited(Way.MITIGATION, 0, "contains", "yes")
    assert contained.advice(TODAY).containing == contained.case.mitigations[0]


def test_a_path_somebody_knows_can_be_added_and_is_shown() -> None:
    added = state(fixes=()).with_path(Way.FIX)
    assert added.shown_position(Way.FIX, added.advice(TODAY)) == 0
    assert added.case.fixes == (PathInput(),)
    again = added.with_path(Way.FIX)
    assert again.shown_position(Way.FIX, again.advice(TODAY)) == 1


def test_the_facts_follow_the_path_that_is_weighed_until_one_is_chosen() -> None:
    slow = PathInput("fail over", 30.0, Risk.LOW, approval="none")
    start = state(mitigations=(slow, ROLLBACK))
    assert start.shown_position(Way.MITIGATION, start.advice(TODAY)) == 1
    assert start.showing(Way.MITIGATION, 0).shown_position(Way.MITIGATION, start.advice(TODAY)) == 0
    assert state(mitigations=()).shown_position(Way.MITIGATION, start.advice(TODAY)) is None


@pytest.mark.parametrize(
    ("attribute", "text", "value"),
    [
        ("time_minutes", "20", 20.0),
        ("time_minutes", "1h 30m", 90.0),
        ("time_minutes", "2.5", 2.5),
        ("time_minutes", " ", None),
        ("risk", "Low", Risk.LOW),
        ("restores", "partial", Restores.PARTIAL),
        ("loses_data", "yes", True),
        ("contains", "no", False),
        ("approval", "the lead", "the lead"),
    ],
)
def test_values_are_read_as_people_write_them(attribute: str, text: str, value: object) -> None:
    assert read_value(attribute, text) == value


@pytest.mark.parametrize(
    ("attribute", "text"), [("time_minutes", "soon"), ("time_minutes", "-5"), ("risk", "x")]
)
def test_what_is_no_value_is_refused(attribute: str, text: str) -> None:
    with pytest.raises(UsageError):
        read_value(attribute, text)


# Times


def test_the_mark_stands_where_the_fix_would_win() -> None:
    slow_fix = PathInput("cherry-pick", 90.0, Risk.LOW, Reversible.YES, Scope.CELL, Confidence.LIKELY)
    degraded = pressed("2122", state(fixes=(slow_fix,)))
    advice = degraded.advice(TODAY)
    times = times_of(advice, degraded)
    assert advice.rule is Rule.D8
    assert [(bar.own_minutes, bar.extra_minutes) for bar in times.bars] == [(10.0, 0.0), (90.0, 10.0)]
    assert times.flip_text == "Fix wins if ready within 5 min"
    assert times.mark_minutes == 15.0
    at_the_mark = degraded.edited(Way.FIX, 0, "time_minutes", "5")
    assert at_the_mark.advice(TODAY).recommend is Recommendation.FIX_FORWARD
    beyond = degraded.edited(Way.FIX, 0, "time_minutes", "5.1")
    assert beyond.advice(TODAY).recommend is Recommendation.MITIGATE_THEN_FIX


def test_a_path_that_cannot_be_done_has_no_bar_and_a_blocked_one_is_marked() -> None:
    gone = pressed("2122").edited(Way.FIX, 0, "is_available", "no")
    assert [bar.way for bar in times_of(gone.advice(TODAY), gone).bars] == [Way.MITIGATION]
    risky = pressed("2122").edited(Way.FIX, 0, "risk", "high")
    assert [bar.is_usable for bar in times_of(risky.advice(TODAY), risky).bars] == [True, False]


def test_no_reason_is_told_twice() -> None:
    for keys in ("2122", "3122", "1111", "3311", "0000"):
        for fixes in ((FLIP,), (), (PathInput("guess", confidence=Confidence.GUESS),)):
            advised = pressed(keys, state(fixes=fixes))
            advice = advised.advice(TODAY)
            bullets = bullets_of(advice, times_of(advice, advised))
            assert len(set(bullets)) == len(bullets)
            assert set(bullets) <= set(advice.reasons)
            assert not any(blocked.why in bullet for bullet in bullets for blocked in advice.blocked)


def test_the_rules_are_named_with_the_review_rule_of_a_fix() -> None:
    assert rule_text(pressed("3122").advice(TODAY)) == "D6 · V2"
    assert rule_text(pressed("1111").advice(TODAY)) == "D2"


# Free move


def planned(state_: State = State.VERIFIED, blast: str = "cell") -> PlannedPath:
    known = PathAttributes(risk="low", reversible="yes", approval="none", blast=blast, data="safe")
    path = Path(
        PathKind.MITIGATION,
        is_typed=True,
        name="drain",
        heading="",
        anchor="drain",
        span=Span(1, 1),
        attributes=known,
    )
    return PlannedPath(path, "own", "e.md", "E", state_)


def test_a_free_move_is_there_before_any_question_and_goes_when_less_is_broken() -> None:
    start = first_state(Inputs(mitigations=(Prefilled(Way.MITIGATION, ROLLBACK, planned()),)))
    assert start.free_move is not None
    assert start.free_move[1] == "if at least a cell is broken"
    in_scope = pressed("2122", start)
    assert in_scope.free_move is not None
    assert in_scope.free_move[1] == ""
    assert pressed("2121", start).free_move is None
    assert start.edited(Way.MITIGATION, 0, "is_available", "no").free_move is None


def test_edits_follow_their_path_when_the_entry_gives_more_and_added_paths_stay() -> None:
    own = Prefilled(Way.MITIGATION, ROLLBACK, planned())
    start = first_state(Inputs(mitigations=(own,))).with_path(Way.FIX).with_path(Way.MITIGATION)
    edited = start.edited(Way.MITIGATION, 0, "risk", "high").edited(Way.MITIGATION, 1, "risk", "medium")
    edited = pressed("3", edited)
    before = Prefilled(Way.MITIGATION, FLIP)
    merged = edited.with_ground(Inputs(mitigations=(before, own)), Policy(slack=1.0))
    assert [path.risk for path in merged.case.mitigations] == [Risk.LOW, Risk.HIGH, Risk.MEDIUM]
    assert merged.case.fixes == (PathInput(),)
    assert (merged.policy.slack, merged.incident.impact) == (1.0, Impact.DOWN)
    assert edited.with_ground(Inputs(), Policy()).edits == {(Way.MITIGATION, 0): {"risk": Risk.MEDIUM}}


def test_the_steps_after_a_decision_are_those_of_the_path_that_was_chosen() -> None:
    start = first_state(
        Inputs(
            mitigations=(Prefilled(Way.MITIGATION, ROLLBACK, planned()),),
            fixes=(Prefilled(Way.FIX, FLIP, planned(State.DRAFT)),),
        )
    )
    assert start.path_to_take is None
    fix = pressed("3122", start).decided(NOW)
    assert fix.path_to_take == planned(State.DRAFT)
    assert fix.fallen_back(NOW + 9 * MINUTE).path_to_take == planned()
    contained = pressed("33", start).edited(Way.FIX, 0, "contains", "yes").decided(NOW)
    assert contained.path_to_take == planned(State.DRAFT)
    assert pressed("1111", start).decided(NOW).path_to_take is None
    assert pressed("3122").decided(NOW).path_to_take is None


# Deciding


def test_a_decision_holds_until_the_impact_changes() -> None:
    decided = pressed("2122").decided(NOW)
    assert decided.decision is not None
    assert decided.why_again(NOW) == ""
    worse = decided.with_answer(Question.IMPACT, Impact.DOWN)
    assert "impact" in worse.why_again(NOW)


def test_an_edit_that_turns_the_advice_asks_to_decide_again() -> None:
    decided = pressed("2122", state(fixes=())).decided(NOW)
    assert decided.edited(Way.MITIGATION, 0, "time_minutes", "11").why_again(NOW) == ""
    assert decided.edited(Way.MITIGATION, 0, "is_available", "no").why_again(NOW) != ""


def test_the_time_of_a_fix_runs_and_ends() -> None:
    decided = pressed("3122").decided(NOW)
    first = decided.timebox(NOW)
    assert first is not None
    assert (first.clock, first.total_s, first.is_over) == ("8:00", 480, False)
    later = decided.timebox(NOW + 3 * MINUTE + dt.timedelta(seconds=12))
    assert later is not None
    assert later.clock == "4:48"
    assert decided.why_again(NOW + 7 * MINUTE) == ""
    over = decided.timebox(NOW + 8 * MINUTE)
    assert over is not None
    assert over.is_over
    assert over.clock == "0:00"
    assert "8 min" in decided.why_again(NOW + 8 * MINUTE)


def test_falling_back_rules_the_fix_out_and_is_no_override() -> None:
    decided = pressed("3122").decided(NOW)
    assert decided.fallen_back(NOW + MINUTE) is decided
    fallen = decided.fallen_back(NOW + 9 * MINUTE)
    assert fallen.decision is not None
    assert fallen.decision.chosen is Recommendation.MITIGATE_THEN_FIX
    assert not fallen.decision.is_override
    assert fallen.case.fixes[0].why == "it did not work within 8 min"
    assert fallen.why_again(NOW + 9 * MINUTE) == ""


def test_an_override_needs_a_reason_and_then_stands() -> None:
    writing = pressed("3122").override_opened(TODAY)
    assert writing.override is not None
    assert writing.override.chosen is Recommendation.MITIGATE_THEN_FIX
    refused = writing.overridden(NOW)
    assert refused.decision is None
    assert refused.override is not None
    assert refused.override.is_reason_missing
    given = refused.override_changed(reason="flag server down")
    assert given.override is not None
    assert not given.override.is_reason_missing
    taken = given.overridden(NOW)
    assert taken.decision is not None
    assert taken.decision.reason == "flag server down"
    assert taken.timebox(NOW) is None
    assert Obligation.O7 in [duty.obligation for duty in taken.duties(taken.advice(TODAY), TODAY)]


def test_an_override_can_be_dropped() -> None:
    assert pressed("3122").override_opened(TODAY).override_closed() == pressed("3122")


def test_duties_follow_the_choice_while_it_is_written() -> None:
    writing = pressed("3122").override_opened(TODAY)
    ids = {duty.obligation for duty in writing.duties(writing.advice(TODAY), TODAY)}
    assert {Obligation.O3, Obligation.O7} <= ids
    assert Obligation.O2 not in ids


def test_deciding_again_keeps_the_answers() -> None:
    again = pressed("3122").decided(NOW).reopened()
    assert again.decision is None
    assert again.current is Question.IMPACT
    assert again.incident == pressed("3122").incident


# Clock times


def test_duties_have_clock_times() -> None:
    advice = pressed("3122").advice(TODAY)
    lines = {line.id: line.due for line in duty_lines(advice.duties, NOW, is_decided=False)}
    assert lines["O2"] == "by tomorrow 18:05, if deployed now"
    assert lines["O5"] == "before closing"
    decided = {line.id: line.due for line in duty_lines(advice.duties, NOW, is_decided=True)}
    assert decided["O2"] == "by tomorrow 18:05"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (5, "18:10"),
        (24 * 60, "tomorrow 18:05"),
        (5 * 24 * 60, "Mon 9 Mar, 18:05"),
        (400 * 24 * 60, "Thu 8 Apr 2027, 18:05"),
    ],
)
def test_a_clock_time_names_the_day_when_it_is_not_today(minutes: int, text: str) -> None:
    assert clock_text(NOW + minutes * MINUTE, NOW) == text


def test_the_policy_in_force_is_named() -> None:
    assert policy_text(Policy(revision="4e1243bd22c66e76c2ba9eddc1f91394e57f9f83")) == "policy.yml @4e1243b"
    assert "Default" in policy_text(DEFAULT_POLICY)
