import datetime as dt
import html
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kb_app.entries.model import Audience, KnowledgeBaseConfig
from kb_app.entries.reading import parse_entry
from kb_app.errors import UsageError
from kb_app.incidents.events import EventType
from kb_app.incidents.export import (
    customer_text,
    customer_update,
    handover_text,
    post_incident_draft,
    run_text,
    timeline_text,
)
from kb_app.incidents.folders import JournalMaker, correct, open_record
from kb_app.incidents.markup import Form, Html, Jira, Markdown, Plain, one_line, writer_of
from kb_app.incidents.runs import RunPlan, Runs
from kb_app.incidents.timeline import read_state

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        self.now += dt.timedelta(minutes=1)
        return self.now


@pytest.fixture
def record(tmp_path):
    clock = Clock()
    maker = JournalMaker("a1", "ana", clock)
    data = {"title": "checkout | down <b>", "severity": "sev1", "ticket": "T-1", "services": ["checkout"]}
    place = open_record(tmp_path, maker, data, source=random.Random(1))
    log = maker(place.folder)
    log.append(EventType.IMPACT, {"impact": "down", "data": "none", "trend": "stable", "scope": "cell"})
    log.append(
        EventType.DECISION,
        {"inputs": {}, "rule": "D8", "recommendation": "mitigate-then-fix", "policy": "abcdef0123456789"},
    )
    runs = Runs(log)
    run = runs.start(RunPlan("drain", "mitigation", ("stop traffic", "wait 10 min, then check"), "drain")).run
    runs.copied(run, 1, "kubectl drain node-7 | tee `log`")
    runs.tick(run, 1, note="quiet now")
    runs.wait(run, 2, minutes=10)
    log.append(EventType.NOTE, {"text": "customer ACME called", "audience": "internal"})
    log.append(EventType.NOTE, {"text": "host db-7 is gone"})
    log.append(EventType.NOTE, {"text": "Orders work again for most.", "audience": "public"})
    log.append(EventType.NOTE, {"text": "Partners may retry.", "audience": "partner"})
    return log, clock


def state_of(record):
    return read_state(record[0].folder)


def rendered(text):
    return MarkdownIt("commonmark").enable("table").render(text)


@pytest.mark.parametrize("form", list(Form))
def test_every_form_holds_every_event_with_utc_times(record, form):
    text = timeline_text(state_of(record), form)
    assert text.count("2025-06-01 12:") >= len(state_of(record).moments)
    assert "UTC" in text
    for word in ("drain", "Orders work again", "D8"):
        assert word in text


@pytest.mark.parametrize("form", list(Form))
def test_the_same_record_gives_the_same_text(record, form):
    assert timeline_text(state_of(record), form) == timeline_text(state_of(record), form)


def test_a_markdown_timeline_renders_as_one_table(record):
    page = rendered(timeline_text(state_of(record), Form.MARKDOWN))
    assert page.count("<tr>") == len(state_of(record).moments) + 1
    assert set(re.findall(r"<(\w+)", page)) <= {"h2", "p", "table", "thead", "tbody", "tr", "th", "td"}
    assert "checkout | down &lt;b&gt;" in page


def test_a_jira_timeline_has_one_row_an_event_with_three_cells(record):
    text = timeline_text(state_of(record), Form.JIRA)
    rows = [line for line in text.splitlines() if re.match(r"\|[^|]", line)]
    assert len(rows) == len(state_of(record).moments)
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in rows)
    assert text.startswith("h2. checkout \\| down <b>")


@pytest.mark.parametrize("form", list(Form))
def test_a_run_shows_marks_notes_commands_and_what_is_deferred(record, form):
    log, _ = record
    (run,) = Runs(log).states()
    text = html.unescape(run_text(run, form)).replace("\\", "")
    assert "kubectl drain node-7 | tee `log`" in text
    assert "quiet now" in text
    assert "1 of 2 steps, by ana" in text
    assert text.index("Deferred") < text.rindex("wait 10 min, then check")
    assert "[waiting until 2025-06-01 12:" in text


def test_a_handover_says_where_it_stands_what_runs_and_what_is_owed(record):
    _, clock = record
    text = handover_text(state_of(record), clock.now, Form.PLAIN)
    assert "Impact: down; data at risk: none" in text
    assert "mitigate-then-fix (rule D8)" in text
    assert "next is step 2" in text
    assert "waits until 2025-06-01 12:" in text
    assert "The mitigation is still in place" in text
    assert "overdue" not in text
    assert "overdue" in handover_text(state_of(record), clock.now + dt.timedelta(days=9), Form.PLAIN)


def test_a_post_incident_draft_is_filled_in_and_asks_the_rest(record):
    log, clock = record
    log.append(EventType.MITIGATED, {"signal": "orders flow"})
    text = post_incident_draft(state_of(record), clock.now)
    assert text.startswith("# Post-incident review: checkout")
    assert "Impact at worst: down" in text
    assert re.search(r"Time to mitigate: \d+ min", text)
    assert "Which entry would have made this shorter?" in text
    assert "No entry was used" in text


def test_a_draft_lists_follow_ups_and_long_times(record):
    log, clock = record
    log.append(EventType.ENTRY_USED, {"entry": "drain", "result": "worked"})
    log.append(
        EventType.FOLLOWUP, {"state": "opened", "kind": "prevent", "text": "alert sooner", "url": "https://x"}
    )
    log.append(EventType.FOLLOWUP, {"state": "closed", "kind": "fix"})
    clock.now += dt.timedelta(hours=2)
    log.append(EventType.FIXED, {"signal": "x"})
    late = log.append(EventType.NOTE, {"text": "forgotten"}, at=NOON)
    correct(log, late, {"text": "remembered"}, "typo")
    text = post_incident_draft(state_of(record), clock.now, Form.PLAIN)
    assert "alert sooner: no owner, open, due never, https://x" in text
    assert "fix: ana, closed 2025-06-01" in text
    assert re.search(r"Time to fix: 2 h \d+ min", text)
    assert "drain: worked" in text
    assert "remembered [late entry, written 2025-06-01T14:" in text
    assert "[corrected: typo]" in text


def test_a_handover_names_what_was_chosen_and_what_failed(record):
    log, clock = record
    log.append(EventType.OVERRIDE, {"chosen": "fix-forward", "reason": "one line"})
    runs = Runs(log)
    run = runs.start(RunPlan("flip", "fix", ("flip the flag",))).run
    runs.fail(run, 1, note="no rights")
    text = handover_text(state_of(record), clock.now, Form.PLAIN)
    assert "mitigate-then-fix (rule D8); chosen: fix-forward" in text
    assert "“flip”: 1 of 1 steps, failed: step 1" in text
    assert "all steps are marked" in text
    runs.end(run)
    assert "ended 2025-06-01" in run_text(runs.state(run), Form.PLAIN)


def test_a_handover_of_an_empty_record_says_so(tmp_path):
    maker = JournalMaker("a1", "ana", Clock())
    place = open_record(tmp_path, maker, {"title": "x"}, source=random.Random(1))
    text = handover_text(read_state(place.folder), NOON, Form.PLAIN)
    for words in ("none yet", "Nothing is recorded yet.", "No run is open.", "Impact: not stated"):
        assert words in text


def test_an_entry_without_a_part_for_customers_is_refused():
    page = b"---\naudience: public\n---\n# x\n## Escalation\n@db-team\n"
    with pytest.raises(UsageError, match="no part"):
        customer_text(parse_entry("x.md", page, KnowledgeBaseConfig()), Audience.PUBLIC)


def test_customers_see_only_notes_that_are_marked_for_them(record):
    public = customer_update(state_of(record), Audience.PUBLIC)
    partner = customer_update(state_of(record), Audience.PARTNER)
    assert "Orders work again" in public
    assert "Partners may retry" not in public
    assert "Partners may retry" in partner
    for text in (public, partner):
        for secret in ("ACME", "db-7", "checkout", "kubectl", "ana"):
            assert secret not in text
    with pytest.raises(UsageError):
        customer_update(state_of(record), Audience.INTERNAL)


def test_a_corrected_note_is_shown_to_customers_as_corrected(record):
    log, _ = record
    note = next(m.event for m in state_of(record).moments if m.event.text("audience") == "public")
    correct(log, note, {"text": "oops", "audience": "internal"}, "named a customer")
    assert "Orders" not in customer_update(state_of(record), Audience.PUBLIC)


PAGE = """---
audience: {audience}
---
# Exports fail
Intro for staff.
## Symptoms
The export ends with `E17`.
<!-- ask Bob
on host db-7 -->
### Internal notes
Customer ACME had this.
## Diagnosis
ssh db-7
## Mitigation (internal)
Restart db-7.
## Fix
Update to 2.1.
## Escalation
@db-team
"""


def entry(audience):
    raw = PAGE.format(audience=audience).encode()
    return parse_entry("known-fixes/export.md", raw, KnowledgeBaseConfig())


def test_customer_text_takes_only_the_parts_that_are_meant_for_them():
    text = customer_text(entry("public"), Audience.PUBLIC)
    assert "The export ends with `E17`." in text
    assert "Update to 2.1." in text
    for secret in ("ACME", "db-7", "Bob", "@db-team", "Intro for staff", "ssh"):
        assert secret not in text


@pytest.mark.parametrize(
    ("audience", "reader", "is_allowed"),
    [
        ("internal", Audience.PUBLIC, False),
        ("internal", Audience.PARTNER, False),
        ("partner", Audience.PUBLIC, False),
        ("partner", Audience.PARTNER, True),
        ("public", Audience.PARTNER, True),
        ("public", Audience.INTERNAL, False),
    ],
)
def test_the_audience_of_the_entry_decides(audience, reader, is_allowed):
    if is_allowed:
        assert "E17" in customer_text(entry(audience), reader)
    else:
        with pytest.raises(UsageError):
            customer_text(entry(audience), reader)


# Markup

texts = st.text(max_size=60) | st.sampled_from(
    [
        "# x",
        "- x",
        "1. x",
        "a\n\n- b",
        "[x](http://y)",
        "![i](u)",
        "<b>",
        "&amp;",
        "@ana",
        "`x`",
        "***",
        "~~x~~",
        "|",
    ]
)


def shown(page):
    return html.unescape(re.sub(r"<[^>]*>", "", page)).strip()


@given(texts)
def test_markdown_shows_any_text_as_written(text):
    page = rendered(Markdown().paragraph(text))
    assert set(re.findall(r"<(\w+)", page)) <= {"p"}
    assert " ".join(shown(page).split()) == " ".join(one_line(text).split())


@given(st.lists(texts, min_size=1, max_size=3))
def test_a_markdown_table_keeps_its_cells(cells):
    page = rendered(Markdown().table(["h"] * len(cells), [cells]))
    found = re.findall(r"<td>(.*?)</td>", page, flags=re.DOTALL)
    assert [" ".join(shown(c).split()) for c in found] == [" ".join(one_line(c).split()) for c in cells]


@given(texts)
def test_html_shows_any_text_as_written(text):
    page = Html().paragraph(text)
    assert set(re.findall(r"<(\w+)", page)) == {"p"}
    assert shown(page) == one_line(text)


@given(st.text(max_size=80))
def test_a_code_block_is_never_left_by_its_text(text):
    page = rendered(Markdown().code(text))
    assert page.count("<pre>") == 1
    assert re.sub(r"<pre><code>.*</code></pre>", "", page, flags=re.DOTALL).strip() == ""
    jira = Jira().code(text)
    assert jira.count("{noformat}") == 2
    assert Html().code(text).count("<") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a|b", "a\\|b"),
        ("[~ana]", "\\[\\~ana\\]"),
        ("{code}", "\\{code\\}"),
        ("*bold* _it_", "\\*bold\\* \\_it\\_"),
        ("well-known", "well-known"),
        ("- item", "\\- item"),
        ("!img.png!", "\\!img.png\\!"),
        ("C:\\new", "C:&#92;new"),
        ("# one", "\\# one"),
        ("ticket #3 for ana@example.com, right?", "ticket #3 for ana@example.com, right?"),
        ("??cited??", "?\\?cited?\\?"),
        ("h1. big", "h1&#46; big"),
        ("a &amp; b & c", "a &amp;amp; b & c"),
    ],
)
def test_jira_signs_are_escaped(text, expected):
    assert Jira.escape(text) == expected


@pytest.mark.parametrize("form", list(Form))
@given(st.text(max_size=40))
def test_no_form_lets_control_or_format_characters_through(form, text):
    writer = writer_of(form)
    blocks = [
        writer.paragraph(text),
        writer.bullets([text]),
        writer.table(["h"], [[text]]),
        writer.code(text),
    ]
    out = writer.join(blocks)
    assert not re.search(
        "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", out
    )


def test_plain_tables_are_columns():
    assert Plain().table(["a", "bb"], [["ccc", "d"]]) == "a    bb\nccc  d"
