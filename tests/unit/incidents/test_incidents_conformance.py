import csv
import dataclasses
import datetime as dt
import html
import io
import json
import random
import re

import pytest

from kb_app.errors import UsageError
from kb_app.incidents import deploy_list, journal
from kb_app.incidents.conformance import (
    COLUMNS,
    PolicyVersion,
    Row,
    Scope,
    Verdict,
    conformance,
    figure,
    period_of,
    sample_of,
)
from kb_app.incidents.deploy_list import ListedDeploy, is_same_change, read_deploy_list
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker, find_record, open_record
from kb_app.incidents.markup import Form
from kb_app.incidents.report import FORMATS, change_page, head, render, to_csv, to_html, to_json, to_markdown
from kb_app.incidents.sample_year import INCIDENTS, write_sample_year
from kb_app.incidents.timeline import read_state
from kb_app.incidents.verify import verify, verify_tree

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
POLICY = PolicyVersion("abc", NOON - 1000 * HOUR, ("payments",), 24 * HOUR, "first")
SCOPE = Scope(NOON - 24 * HOUR, NOON + 240 * HOUR, NOON + 240 * HOUR)


class Story:
    """One incident told hour by hour."""

    def __init__(self, root, *, tags=(), severity="sev2"):
        self.now = NOON
        maker = JournalMaker("a1", "dora", lambda: self.now)
        data = {"title": "x", "severity": severity, "tags": list(tags), "services": ["shop"]}
        self.place = open_record(root, maker, data, source=random.Random(1))
        self.root, self.log = root, maker(self.place.folder)

    def at(self, hours, kind, /, **data):
        self.now = NOON + hours * HOUR
        self.log.append(EventType(kind), data)
        return self

    def decide(self, hours=0, recommendation="fix-forward", **more):
        data = {"inputs": {"incident": {"impact": "down"}}, "rule": "D4", "policy": "abc"}
        return self.at(hours, "decision", recommendation=recommendation, **data, **more)

    def deploy(self, hours=1, **more):
        data = {"change": "c1", "env": "prod", "author": "aron", "review": "after"} | more
        return self.at(hours, "deploy", **data)

    def review(self, hours, reviewer="rita", verdict="pass"):
        return self.at(hours, "review", change="c1", reviewer=reviewer, verdict=verdict)

    def row(self, scope=SCOPE, **inputs):
        report = conformance(self.root, scope, policies=[POLICY], **inputs)
        (row,) = [row for row in report.rows if row.incident_id]
        return row


@pytest.fixture
def story(tmp_path):
    return Story(tmp_path)


def as_of(hours):
    return dataclasses.replace(SCOPE, as_of=NOON + hours * HOUR)


# The five verdicts


def test_a_push_reviewed_in_time_by_somebody_else_conforms(story):
    row = story.decide().deploy(tests="suite 812 passed").review(5).row()
    assert (row.verdict, row.why) == ("conforms", "all in time")
    assert (row.review_mode, row.review_delay_h, row.independent) == ("after", "4.00", "yes")
    assert (row.review_due, row.reviewed_at) == ("2025-06-02T13:00:00Z", "2025-06-01T17:00:00Z")
    assert (row.impact_at_decision, row.recommended, row.rule, row.chosen) == (
        "down",
        "fix-forward",
        "D4",
        "fix-forward",
    )
    assert (row.policy_rev, row.deployed_by, row.service, row.chain) == ("abc", "dora", "shop", "ok")
    assert row.test_evidence == "suite 812 passed"


@pytest.mark.parametrize("reviewer", ["aron", "@Dora", "dora@example.com"])
def test_a_review_by_author_or_deployer_is_a_breach(story, reviewer):
    row = story.decide().deploy().review(5, reviewer).row()
    assert (row.verdict, row.independent) == ("breach", "no")


def test_another_review_by_somebody_else_heals_it(story):
    row = story.decide().deploy().review(2, "dora").review(5).row()
    assert (row.verdict, row.reviewed_by) == ("conforms", "rita")


@pytest.mark.parametrize(
    ("tags", "more"), [(("Payments",), {}), ((), {"vrule": "V1"}), ((), {"forbidden": ["pii"]})]
)
def test_a_forbidden_tag_without_a_review_before_is_a_breach(tmp_path, tags, more):
    row = Story(tmp_path, tags=tags).decide(**more).deploy().review(5).row()
    assert row.verdict == "breach"
    assert "no review came before" in row.why


def test_a_forbidden_tag_with_a_review_before_conforms(tmp_path):
    row = Story(tmp_path, tags=("payments",)).decide().review(0.5).deploy(review="before").row()
    assert (row.verdict, row.review_delay_h) == ("conforms", "-0.50")


def test_a_broken_chain_is_a_breach_and_names_its_place(story):
    story.decide().deploy().review(5)
    file = story.place.folder / "events" / "a1.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"c1"', b'"c2"', 1))
    row = story.row()
    assert row.verdict == "breach"
    assert row.chain == "broken: edited at events/a1.jsonl:3"


def test_a_renamed_record_stays_in_the_population_and_is_a_breach(story):
    story.decide().deploy().review(5)
    story.place.folder.rename(story.place.folder.with_name("notes"))
    row = story.row()
    assert (row.incident_id, row.verdict) == ("notes", "breach")
    assert row.chain.startswith("broken: broken-link")


def test_no_decision_is_missing(story):
    assert story.deploy().review(5).row().verdict == "missing"


def test_no_review_is_open_while_in_time_and_missing_after(story):
    story.decide().deploy()
    assert story.row(as_of(24)).verdict == "open"
    assert story.row(as_of(25.1)).verdict == "missing"


def test_no_review_before_deployment_is_missing_at_once(story):
    assert story.decide().deploy(review="before").row(as_of(1.5)).verdict == "missing"


def test_a_late_review_is_late(story):
    assert story.decide().deploy().review(30).row().verdict == "late"


def test_a_decision_stored_after_the_deployment_is_late(story):
    row = story.deploy().decide(2).review(5).row()
    assert (row.verdict, row.why) == ("late", "the decision was stored after the deployment")


def mitigated(story):
    return (
        story.decide(recommendation="mitigate-then-fix", followup_due_minutes=24 * 60)
        .at(1, "deploy", change="c1", env="prod", way="mitigation")
        .at(2, "mitigated", signal="x")
    )


def test_a_mitigation_needs_its_followups(story):
    mitigated(story)
    assert story.row(as_of(20)).verdict == "open"
    row = story.row(as_of(30))
    assert row.verdict == "missing"
    assert "removal of the mitigation" in row.why
    assert row.mitigation_removed == "no"


def test_followups_in_time_conform_and_late_ones_are_late(story):
    mitigated(story)
    for kind in ("fix", "remove-mitigation"):
        story.at(3, "followup", state="opened", kind=kind, owner="aron", due="2025-06-03T12:00:00Z")
    assert story.row(as_of(20)).verdict == "open"
    assert story.row(as_of(100)).verdict == "late"
    for kind in ("fix", "remove-mitigation"):
        story.at(40, "followup", state="closed", kind=kind)
    row = story.row()
    assert (row.verdict, row.followup_owner) == ("conforms", "aron")
    assert (row.followup_closed, row.mitigation_removed) == ("2025-06-03T04:00:00Z", "2025-06-03T04:00:00Z")


def test_a_followup_without_owner_counts_as_absent(story):
    mitigated(story)
    for kind in ("fix", "remove-mitigation"):
        story.at(3, "followup", state="opened", kind=kind)
    assert story.row(as_of(30)).verdict == "missing"


def test_each_of_several_followups_of_one_kind_counts(story):
    story.decide().deploy().review(5)
    for number, due in (("1", "2025-06-09T00:00:00Z"), ("2", "2025-06-02T00:00:00Z")):
        story.at(6, "followup", state="opened", kind="prevent", id=number, owner="aron", due=due)
    assert story.row(as_of(7)).verdict == "open"
    assert story.row(as_of(30)).verdict == "late"
    story.at(7, "followup", state="closed", kind="prevent", id="2")
    assert story.row(as_of(30)).verdict == "open"
    story.at(8, "followup", state="closed", kind="prevent", id="1")
    assert story.row(as_of(30)).verdict == "conforms"


def test_a_review_that_asks_for_a_followup_needs_one(story):
    story.decide(followup_due_minutes=24 * 60).deploy().review(5, verdict="pass-with-followup")
    assert story.row(as_of(20)).verdict == "open"
    assert "the review asks for" in story.row(as_of(30)).why
    story.at(6, "followup", state="opened", kind="prevent", owner="aron")
    story.at(7, "followup", state="closed", kind="prevent")
    assert story.row(as_of(30)).verdict == "conforms"


def test_a_fix_made_in_the_incident_needs_no_followup_fix(story):
    mitigated(story).at(3, "fixed", signal="x")
    story.at(3, "followup", state="opened", kind="remove-mitigation", owner="aron")
    assert story.at(4, "followup", state="closed", kind="remove-mitigation").row().verdict == "conforms"


def test_the_first_verdict_that_applies_is_taken(tmp_path):
    row = Story(tmp_path, tags=("payments",)).deploy().review(100, "dora").row()
    assert row.verdict == "breach"
    assert row.why.count(";") == 1


# Population, overrides, reconciling


def test_normal_changes_and_other_periods_are_left_out(tmp_path):
    story = Story(tmp_path).decide(recommendation="normal-change").deploy()
    assert conformance(tmp_path, SCOPE).rows == ()
    story.decide(2).deploy(3, change="c2")
    assert [r.change_id for r in conformance(tmp_path, SCOPE).rows] == ["c2"]
    later = dataclasses.replace(SCOPE, begin=NOON + 4 * HOUR)
    assert conformance(tmp_path, later).rows == ()


def test_an_override_is_shown_with_its_reason(story):
    story.decide(recommendation="escalate").at(0.5, "override", chosen="fix-forward", reason="one line")
    row = story.deploy().review(5).row()
    assert (row.recommended, row.chosen, row.override_reason) == ("escalate", "fix-forward", "one line")
    assert conformance(story.root, SCOPE).overrides == 1


def test_the_impact_at_the_decision_is_found_in_the_timeline_when_the_inputs_do_not_say(tmp_path):
    story = Story(tmp_path).at(0, "impact", impact="degraded").at(0.5, "impact", trend="stable")
    story.at(0.6, "decision", inputs={}, rule="D4", recommendation="fix-forward", policy="abc")
    story.at(0.7, "impact", impact="down")
    assert story.deploy().review(5).row().impact_at_decision == "degraded"


def test_an_impact_nobody_stated_is_unknown(story):
    story.at(0.6, "decision", inputs={}, rule="D4", recommendation="fix-forward", policy="abc")
    assert story.deploy().row().impact_at_decision == "unknown"


def test_a_list_that_is_too_large_or_broken_says_so(monkeypatch):
    monkeypatch.setattr(deploy_list, "MAX_CHARACTERS", 10)
    assert "too large" in read_deploy_list("change_id,deployed_at\n")[1][0].message
    monkeypatch.undo()
    text = "change_id,deployed_at\nabc,2025-06-01\n" + '"' + "x" * 200_000 + "\n"
    deploys, (finding,) = read_deploy_list(text)
    assert [d.change_id for d in deploys] == ["abc"]
    assert "cannot be read further" in finding.message
    _, (finding,) = read_deploy_list("change_id,deployed_at\nabc,0001-01-01T00:00:00+14:00\n")
    assert finding.line == 2


def test_the_approval_in_force_is_the_authority(story):
    story.decide().at(0.5, "approval", who="otto", how="verbal")
    assert story.deploy().review(5).row().authority == "verbal: otto"


def test_what_was_written_after_the_moment_of_the_report_does_not_count(story):
    story.decide().deploy().review(5)
    assert story.row(as_of(3)).reviewed_by == ""
    assert story.row(as_of(6)).reviewed_by == "rita"


def test_deploys_without_record_and_review_are_found(story):
    story.decide().deploy(change="0123456789abcdef").review(5)
    at = NOON + HOUR
    listed = [
        ListedDeploy("0123456", "shop", "prod", "dora", at),
        ListedDeploy("fff1", "shop", "prod", "eve", at),
        ListedDeploy("fff2", "shop", "prod", "eve", at, "rita", at),
        ListedDeploy("fff3", "shop", "prod", "eve", at, "Eve", at),
        ListedDeploy("fff4", "shop", "prod", "eve", at - 500 * HOUR),
    ]
    report = conformance(story.root, SCOPE, policies=[POLICY], deploys=listed)
    assert [d.change_id for d in report.unrecorded] == ["fff1", "fff3"]
    assert {(r.change_id, r.verdict) for r in report.rows if not r.incident_id} == {
        ("fff1", "breach"),
        ("fff3", "breach"),
    }
    assert (report.listed, report.unlisted) == (4, ())
    assert report.share == 3 / 4
    assert conformance(story.root, SCOPE, deploys=[]).unlisted == ("0123456789abcdef",)


def test_a_policy_version_that_is_not_known_is_named(story):
    story.decide().deploy().review(5)
    other = dataclasses.replace(POLICY, revision="zzz")
    assert conformance(story.root, SCOPE, policies=[other]).unknown_policies == ("abc",)
    assert conformance(story.root, SCOPE, policies=[POLICY]).unknown_policies == ()


@pytest.mark.parametrize("text_end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_deploy_list_is_read_with_its_usual_names(delimiter, text_end):
    rows = [
        ["Commit", "Service", "Environment", "Deployed-By", "Deployed at", "reviewer"],
        ["abc", "shop", "prod", "dora", "2025-06-01T12:00:00+02:00", "rita"],
        [],
        ["", "shop", "prod", "dora", "2025-06-01", ""],
        ["def", "shop", "prod", "dora", "yesterday", ""],
        ["ghi", "shop", "prod", "dora", "2025-06-01 12:00"],
    ]
    text = "\ufeff" + text_end.join(delimiter.join(row) for row in rows) + text_end
    deploys, findings = read_deploy_list(text)
    assert [(d.change_id, d.deployed_at.hour, d.is_reviewed) for d in deploys] == [
        ("abc", 10, True),
        ("ghi", 12, False),
    ]
    assert [f.line for f in findings] == [4, 5]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "\n\n", "change_id\nabc\n"])
def test_a_list_without_the_needed_columns_says_which(text):
    deploys, (finding,) = read_deploy_list(text)
    assert deploys == ()
    assert "no column" in finding.message


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("ABC1234", "abc1234", True),
        ("0123456", "0123456789abcdef", True),
        ("012345", "0123456789abcdef", False),
        ("release-1", "release-12", False),
        ("", "", False),
    ],
)
def test_changes_are_the_same_by_id_or_by_abbreviated_commit(one, other, is_same):
    assert is_same_change(one, other) is is_same


def test_figures_are_medians_with_range_and_number():
    assert dataclasses.astuple(figure("x", [30.0, 5.0, 1000.0]))[:5] == ("x", 30.0, 5.0, 1000.0, 3)
    assert figure("x", [30.0, 5.0, 1000.0]).minutes == (5.0, 30.0, 1000.0)
    assert figure("x", []).count == 0


def test_a_sample_depends_on_its_seed_only():
    rows = [Row(**(dict.fromkeys(COLUMNS, "") | {"change_id": f"c{n}"})) for n in range(30)]
    drawn = sample_of(rows, "7", 5)
    shuffled = random.Random(0).sample(rows, len(rows))
    assert sample_of(shuffled, "7", 5) == drawn
    assert sample_of(rows, "7", 9)[:5] == drawn
    assert sample_of(rows, "8", 5) != drawn
    assert len(sample_of(rows, "7", 99)) == 30


# A whole year


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    root = tmp_path_factory.mktemp("year")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal.os, "fsync", lambda _file: None)  # a thousand events, no power cut
        return root, write_sample_year(root)


def report_of(year, **changes):
    root, written = year
    deploys, findings = read_deploy_list(written.deploy_list)
    assert findings == ()
    scope = dataclasses.replace(Scope(written.begin, written.end, written.as_of, commit="f00"), **changes)
    return conformance(root, scope, policies=written.policies, deploys=deploys)


def test_a_year_holds_40_records_without_a_broken_chain(year):
    root, written = year
    assert len(written.records) == INCIDENTS == len(set(written.records))
    findings = {f.code for found in verify_tree(root).values() for f in found}
    assert findings <= {"late"}


def test_a_year_shows_every_verdict(year):
    report = report_of(year)
    assert all(report.counts[verdict.value] for verdict in Verdict)
    assert sum(report.counts.values()) == len(report.rows)
    assert report.listed > 400
    assert {f.name: f.count for f in report.figures}["time to mitigate"] >= 10


def test_the_same_year_is_written_byte_for_byte(year, tmp_path, monkeypatch):
    monkeypatch.setattr(journal.os, "fsync", lambda _file: None)
    root, written = year
    assert write_sample_year(tmp_path) == written
    files = sorted(f.relative_to(root) for f in root.rglob("*") if f.is_file())
    assert files == sorted(f.relative_to(tmp_path) for f in tmp_path.rglob("*") if f.is_file())
    assert all((root / f).read_bytes() == (tmp_path / f).read_bytes() for f in files)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_inputs_and_seed_give_the_same_bytes(year, form):
    assert render(report_of(year), form) == render(report_of(year), form)
    if form != "csv":
        assert render(report_of(year), form) != render(report_of(year, seed="2"), form)


def test_the_csv_has_the_columns_and_reads_back(year):
    report = report_of(year)
    rows = list(csv.DictReader(io.StringIO(to_csv(report))))
    assert tuple(rows[0]) == COLUMNS
    assert COLUMNS[:4] == ("incident_id", "change_id", "service", "env")
    assert COLUMNS[-4:] == ("chain", "signatures", "verdict", "why")
    assert len(COLUMNS) == 31
    assert [row["verdict"] for row in rows] == [row.verdict for row in report.rows]


def test_a_cell_that_a_spreadsheet_would_run_is_disarmed(year):
    report = report_of(year)
    evil = dataclasses.replace(report.rows[0], why="=cmd|' /C calc'!A0", service="+1", review_delay_h="-0.50")
    (row,) = csv.DictReader(io.StringIO(to_csv(dataclasses.replace(report, rows=(evil,)))))
    assert (row["why"][:2], row["review_delay_h"], row["service"]) == ("'=", "-0.50", "'+1")


def test_json_markdown_and_html_say_the_same(year):
    report = report_of(year)
    document = json.loads(to_json(report))
    assert document["counts"] == dict(report.counts)
    assert [c["why"] for c in document["changes"]] == [row.why for row in report.rows]
    assert dict(head(report)) == document["head"]
    assert len(document["sample"]) == 25
    markdown, page = to_markdown(report), to_html(report)
    for row in report.rows:
        assert row.change_id in markdown
        assert row.change_id in page
    assert "tamper-evident" in markdown
    assert "tamper-proof" not in markdown + page
    assert "<script" not in page
    assert re.search(r"seed 1\b", markdown)


def test_text_from_records_cannot_break_the_report(year):
    report = report_of(year)
    evil = dataclasses.replace(report.rows[0], why="a | b\n<script>alert(1)</script> \u202e[x](http://x)")
    changed = dataclasses.replace(report, rows=(evil,))
    page, markdown = to_html(changed), to_markdown(changed)
    assert "<script" not in page
    assert "<script" not in markdown.replace("\\<script", "")
    assert "\u202e" not in page + markdown
    assert "a \\| b" in markdown


@pytest.mark.parametrize("form", list(Form))
def test_an_auditor_gets_one_page_a_change_with_the_whole_chain(year, form):
    root, _ = year
    row = next(row for row in report_of(year).rows if row.verdict == "late")
    place = find_record(root, row.incident_id)
    state = read_state(place.folder)
    page = html.unescape(change_page(row, state, verify(place.folder), form)).replace("\\", "")
    for moment in state.moments:
        assert moment.event.hash in page
    for name in (*COLUMNS, row.why, "Opened:", "Closed and sealed"):
        assert name in page


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2025", "2025-01-01", "2026-01-01"),
        ("2025-Q2", "2025-04-01", "2025-07-01"),
        ("2025-q4", "2025-10-01", "2026-01-01"),
        ("2025-12", "2025-12-01", "2026-01-01"),
        ("2025-02-28", "2025-02-28", "2025-03-01"),
        ("2025-01-01..2025-06-30", "2025-01-01", "2025-07-01"),
        ("2024 .. 2025-02", "2024-01-01", "2025-03-01"),
    ],
)
def test_a_period_is_written_as_people_do(text, begin, end):
    assert [moment.date().isoformat() for moment in period_of(text)] == [begin, end]


@pytest.mark.parametrize(
    "text", ["", "last year", "2025-13", "2025-02-30", "2025..2024", "2025-Q5", "9999-12..", "9999"]
)
def test_what_is_no_period_is_refused(text):
    with pytest.raises(UsageError):
        period_of(text)


def test_an_empty_folder_gives_an_empty_report(tmp_path):
    report = conformance(tmp_path, SCOPE)
    assert report.rows == ()
    assert report.share is None
    for form in FORMATS:
        assert render(report, form)
    with pytest.raises(ValueError, match="csv"):
        render(report, "pdf")
