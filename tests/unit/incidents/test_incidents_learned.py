"""What an incident taught, as the draft of an entry that the rest of the program can read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from kb_app.entries.model import Kind, KnowledgeBaseConfig, PathKind
from kb_app.entries.reading import read_entry
from kb_app.incidents.book import RecordBook
from kb_app.incidents.folders import JournalMaker, records
from kb_app.incidents.learned import learned_entry
from kb_app.incidents.sample_incident import write_sample_incident
from kb_app.incidents.timeline import read_state

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)


def test_the_draft_is_an_entry_with_both_ways_times_and_commands(tmp_path: Path) -> None:
    write_sample_incident(tmp_path)
    learned = learned_entry(read_state(records(tmp_path)[0].folder))
    (tmp_path / "learned.md").write_text(learned.text)
    entry = read_entry(tmp_path, "learned.md", KnowledgeBaseConfig())
    assert learned.kind == Kind.KNOWN_FIX.value
    assert entry.kind is Kind.KNOWN_FIX
    assert entry.title == "Checkout is down: pg_wal fills the disk"
    assert entry.alerts == ("PostgresqlUnusedReplicationSlot",)
    mitigation = next(path for path in entry.paths if path.kind is PathKind.MITIGATION)
    fix = next(path for path in entry.paths if path.kind is PathKind.FIX)
    assert mitigation.name == "grow the volume"
    assert mitigation.attributes.time is not None
    assert mitigation.attributes.time.high_minutes == 17
    assert [command.text for step in mitigation.steps for command in step.commands] == [
        "df -h /var/lib/postgresql"
    ]
    assert len(mitigation.steps) == 3, "what was skipped is no step of what worked"
    assert "7d1f0c2a9b3e" in fix.steps[0].text


def test_nothing_of_the_notes_goes_into_the_draft(tmp_path: Path) -> None:
    write_sample_incident(tmp_path, extra_notes=["customer Contoso called twice"])
    text = learned_entry(read_state(records(tmp_path)[0].folder)).text
    assert "Contoso" not in text
    assert "told the support team" not in text


def test_the_ticket_goes_into_the_draft_as_one_line_of_the_symptoms(tmp_path: Path) -> None:
    book = RecordBook(tmp_path, JournalMaker("a1", "ana", lambda: NOON))
    name = book.open({"title": "Down", "ticket": "OPS-4711"}).place.id
    text = learned_entry(book.state(name)).text
    assert text.split("## Symptoms")[1].split("## Cause")[0].count("- Ticket: OPS-4711\n") == 1


def test_a_bare_record_gives_prompts_and_no_guess(tmp_path: Path) -> None:
    book = RecordBook(tmp_path, JournalMaker("a1", "ana", lambda: NOON))
    name = book.open({"title": "# weird | title `x`"}).place.id
    text = learned_entry(book.state(name)).text
    (tmp_path / "learned.md").write_text(text)
    assert read_entry(tmp_path, "learned.md", KnowledgeBaseConfig()).title == "weird title x"
    assert "- Time:\n" in text
    assert "None was used" in text
