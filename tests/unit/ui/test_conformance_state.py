import datetime as dt

import pytest

from kb_app.gitstore.runner import GitRunner, find_git
from kb_app.incidents.conformance import Verdict
from kb_app.paths import AppFolders
from kb_app.ui.conformance.state import (
    COLUMNS,
    RULES,
    VERDICT_COLORS,
    ChangeFilter,
    PeriodChoice,
    cell_text,
    checks_of,
    facts_of,
    groups_of,
    hours_text,
    listed,
    moments_of,
    period_for,
    timeline_rows,
)
from kb_app.workspace.proving import Question, change_proof, prove
from kb_app.workspace.record_checks import place_of
from kb_app.workspace.sample_records import DEPLOY_LIST, write_sample_records


@pytest.fixture(scope="module")
def proof(tmp_path_factory):
    top = tmp_path_factory.mktemp("sample") / "year"
    year = write_sample_records(top, GitRunner(find_git(), top.parent / "private"))
    folders = AppFolders(*(top.parent / name for name in ("config", "cache", "data", "logs")))
    question = Question(year.begin, year.end, deploys=top / DEPLOY_LIST)
    return prove(folders, place_of(top), question, now=dt.datetime(2030, 1, 1, tzinfo=dt.UTC))


def day(text):
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("choice", "today", "first", "last"),
    [
        (PeriodChoice.QUARTER, "2026-11-28", "2026-10-01", "2026-12-31"),
        (PeriodChoice.QUARTER, "2026-01-01", "2026-01-01", "2026-03-31"),
        (PeriodChoice.QUARTER, "2024-06-30", "2024-04-01", "2024-06-30"),
        (PeriodChoice.QUARTER, "2024-09-01", "2024-07-01", "2024-09-30"),
        (PeriodChoice.YEAR, "2026-11-28", "2026-01-01", "2026-12-31"),
        (PeriodChoice.LAST_YEAR, "2026-01-01", "2025-01-01", "2025-12-31"),
    ],
)
def test_periods_are_whole_days(choice, today, first, last):
    assert period_for(choice, day(today)) == (day(first), day(last))


def test_a_period_ends_after_its_last_day_and_never_before_its_first():
    begin, end = moments_of(day("2025-06-01"), day("2025-06-01"))
    assert (begin.isoformat(), end.isoformat()) == ("2025-06-01T00:00:00+00:00", "2025-06-02T00:00:00+00:00")
    assert moments_of(day("2025-06-05"), day("2025-06-01"))[1] > begin


def test_every_verdict_has_a_colour_and_a_rule():
    assert set(VERDICT_COLORS) == set(RULES) == set(Verdict)
    assert len(set(VERDICT_COLORS.values())) == 5


def test_changes_are_found_by_verdict_and_by_words_in_any_column(proof):
    rows = proof.report.rows
    assert {row.verdict for row in listed(rows, ChangeFilter("late"))} == {"late"}
    wanted = rows[3]
    assert listed(rows, ChangeFilter(words=f"{wanted.deployed_by} {wanted.change_id[:6]}")) == (wanted,)
    assert listed(rows, ChangeFilter(words="nothing holds this")) == ()


@pytest.mark.parametrize("column", range(len(COLUMNS)))
def test_sorting_keeps_every_change_and_orders_both_ways(proof, column):
    up = listed(proof.report.rows, ChangeFilter(), column)
    down = listed(proof.report.rows, ChangeFilter(), column, is_descending=True)
    assert sorted(map(id, up)) == sorted(map(id, proof.report.rows)) == sorted(map(id, down))
    field = COLUMNS[column][1]
    if field == "verdict":
        order = [list(Verdict).index(Verdict(row.verdict)) for row in up]
        assert order == sorted(order)
    if field == "review_delay_h":
        hours = [float(row.review_delay_h) for row in up if row.review_delay_h]
        assert hours == sorted(hours)


def test_cells_say_what_people_read(proof):
    row = next(row for row in proof.report.rows if row.verdict == "late" and row.reviewed_by)
    texts = {COLUMNS[n][0]: cell_text(row, n) for n in range(len(COLUMNS))}
    assert texts["After"] == "60.0 h"
    assert len(texts["Deployed (UTC)"]) == 16
    assert [hours_text(text) for text in ("", "-0.50", "0.25")] == ["–", "before", "15 min"]


def test_what_was_not_checked_is_never_called_good(proof, tmp_path):
    import dataclasses

    from kb_app.workspace.record_checks import HistoryCheck

    bare = dataclasses.replace(
        proof,
        history=HistoryCheck(problem="The records lie in a plain folder, without history"),
        report=dataclasses.replace(proof.report, listed=None, policies=()),
    )
    standings = {line.title: line.standing for line in checks_of(bare)}
    assert standings == {
        "Chains": "good",
        "History": "unknown",
        "Signatures": "unknown",
        "Completeness": "unknown",
        "Policy": "unknown",
    }
    assert facts_of(bare.report)[1].value == "–"


def test_one_change_answers_what_an_auditor_asks(proof):
    row = next(row for row in proof.report.rows if row.reviewed_by)
    change = change_proof(proof, row)
    pairs = {label: value for group in groups_of(change, proof.report) for label, value in group.pairs}
    assert pairs["Reviewed by"] == row.reviewed_by
    assert pairs["Author"] not in ("–", pairs["Reviewed by"])
    assert "policy: first version" in pairs["Policy then"]
    assert pairs["Justified by"] == "impact down"
    assert change.state is not None
    assert len(timeline_rows(change)) == len(change.state.moments)


def test_a_deploy_that_nobody_recorded_has_a_page_too(proof):
    row = next(row for row in proof.report.rows if not row.incident_id)
    change = change_proof(proof, row)
    assert change.state is None
    assert timeline_rows(change) == ()
    assert groups_of(change, proof.report)[0].pairs[0] == ("Incident", "no record")
