from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import pytest

from kb_app.gitstore.process import Progress
from kb_app.gitstore.sync import NEEDS_CHOICE, ChangeStatus, FileChange, SyncEnd, SyncOutcome
from kb_app.ui.sync.state import (
    BaseStatus,
    ChoiceAction,
    Condition,
    age_text,
    answer_key,
    change_rows,
    changes_sentence,
    chip_of,
    choices_of,
    condition_of,
    entry_changes,
    free_name,
    git_words,
    name_problem,
    news_sentence,
    next_due,
    people_text,
    progress_text,
    reason_of,
    sentence_of,
    status_text,
    touched_paths,
)

NOW = dt.datetime(2026, 5, 12, 12, 0, tzinfo=dt.UTC)
EVERY = dt.timedelta(minutes=10)
BASE = BaseStatus("runbooks", "runbooks", "https://host/kb.git", checked_at=NOW - dt.timedelta(minutes=3))


def ended(end: SyncEnd, **values: object) -> BaseStatus:
    return replace(BASE, outcome=SyncOutcome(end, f"It ended: {end}", "Do this", **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "condition", "text"),
    [
        (BASE, Condition.CURRENT, "up to date · 3 min"),
        (replace(BASE, checked_at=None), Condition.WAITING, "not synced yet"),
        (ended(SyncEnd.UPDATED), Condition.CURRENT, "up to date · 3 min"),
        (replace(BASE, is_syncing=True), Condition.SYNCING, "syncing"),
        (ended(SyncEnd.OFFLINE), Condition.OFFLINE, "offline"),
        (ended(SyncEnd.WOULD_DELETE), Condition.QUESTION, "needs an answer"),
        (ended(SyncEnd.BUSY), Condition.CURRENT, "up to date · 3 min"),
    ],
)
def test_a_condition_and_its_words(status: BaseStatus, condition: Condition, text: str) -> None:
    assert condition_of(status, NOW) is condition
    assert status_text(status, NOW) == text


def test_a_remote_that_stays_silent_is_stale_since_it_last_answered() -> None:
    at = NOW - dt.timedelta(hours=2)
    status = replace(ended(SyncEnd.OFFLINE), checked_at=at)
    assert condition_of(status, NOW) is Condition.STALE
    assert status_text(status, NOW) == f"stale since {at.astimezone():%H:%M}"
    older = replace(status, checked_at=NOW - dt.timedelta(days=40))
    assert status_text(older, NOW) == "stale since 2 Apr"
    assert status_text(replace(ended(SyncEnd.AUTH_NEEDED), checked_at=None), NOW) == "never synced"


def test_the_chip_shows_the_most_urgent_clone_and_names_all_of_them() -> None:
    statuses = [
        BASE,
        replace(ended(SyncEnd.FORCED), name="other"),
        replace(BASE, name="third", is_syncing=True),
    ]
    chip = chip_of(statuses, NOW)
    assert chip.text == "needs an answer"
    assert chip.tooltip.splitlines() == [
        "runbooks: up to date · 3 min",
        "other: needs an answer",
        "third: syncing",
    ]
    assert (
        chip_of([BASE, replace(BASE, checked_at=NOW - dt.timedelta(hours=3))], NOW).text == "up to date · 3 h"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10, "now"),
        (60, "1 min"),
        (3_540, "59 min"),
        (3_600, "1 h"),
        (47 * 3_600, "47 h"),
        (72 * 3_600, "3 days"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, text: str) -> None:
    assert age_text(NOW - dt.timedelta(seconds=seconds), NOW) == text


def test_what_needs_a_person_is_never_tried_again_by_itself() -> None:
    rng = random.Random(1)
    for end in (*NEEDS_CHOICE, SyncEnd.AUTH_NEEDED, SyncEnd.FAILED, SyncEnd.UNSAFE, SyncEnd.TOO_LARGE):
        assert next_due(SyncOutcome(end, ""), 1, NOW, EVERY, rng) is None


def test_all_well_is_tried_again_after_the_pause_give_or_take_a_tenth() -> None:
    rng = random.Random(1)
    dues = {next_due(SyncOutcome(SyncEnd.UP_TO_DATE, ""), 0, NOW, EVERY, rng) for _ in range(50)}
    assert min(dues) >= NOW + EVERY * 0.9
    assert max(dues) <= NOW + EVERY * 1.1
    assert len(dues) > 10


def test_a_server_that_cannot_be_reached_has_its_own_back_off_and_a_web_page_gets_rarer() -> None:
    rng = random.Random(1)
    at = NOW + dt.timedelta(minutes=2)
    assert next_due(SyncOutcome(SyncEnd.OFFLINE, "", retry_at=at), 1, NOW, EVERY, rng) == at
    waits = [next_due(SyncOutcome(SyncEnd.NOT_GIT, ""), n, NOW, EVERY, rng) for n in (1, 3, 6)]
    assert waits == sorted(waits)
    assert waits[-1] - NOW > dt.timedelta(minutes=40)


def test_keep_mine_ends_the_question_until_another_state_is_offered() -> None:
    asking = ended(SyncEnd.WOULD_DELETE, offered="a" * 40)
    assert [choice.action for choice in choices_of(asking)] == [ChoiceAction.KEEP, ChoiceAction.ACCEPT]
    kept = replace(asking, kept=answer_key(asking.outcome))
    assert not choices_of(kept)
    assert condition_of(kept, NOW) is Condition.STALE
    assert sentence_of(kept, NOW)[0].startswith("You kept what you have")
    other = replace(kept, outcome=replace(asking.outcome, offered="b" * 40))
    assert choices_of(other)
    assert next_due(asking.outcome, 1, NOW, EVERY, random.Random(1), is_kept=True) is not None


@pytest.mark.parametrize("end", sorted(NEEDS_CHOICE))
def test_every_question_has_answers_and_the_first_takes_nothing_away(end: SyncEnd) -> None:
    choices = choices_of(ended(end, offered="a" * 40))
    assert choices
    assert not choices[0].is_risky
    assert not any(c.action is ChoiceAction.TAKE for c in choices_of(ended(end)))


def test_git_words_stand_in_the_details_alone_and_hold_no_control_characters() -> None:
    status = ended(
        SyncEnd.FORCED, details="fatal: \x1b[31mno", before="a" * 40, backup_ref="refs/backup/x/main"
    )
    words = git_words(status)
    assert "refs/backup/x/main" in words
    assert "\x1b" not in words
    assert "refs/" not in "".join(sentence_of(status, NOW))


def test_progress_is_told_in_plain_words() -> None:
    assert progress_text(Progress("Receiving objects", 43, 12_500_000), "") == "Downloading · 43 % · 12.5 MB"
    assert progress_text(Progress("Updating files", 7), "") == "Writing files · 7 %"
    assert progress_text(None, "Asking the server") == "Asking the server"


CHANGES = (
    FileChange("a.md", ChangeStatus.ADDED),
    FileChange("b.md", ChangeStatus.CHANGED),
    FileChange("c.md", ChangeStatus.DELETED),
    FileChange("new.md", ChangeStatus.RENAMED, "old.md"),
    FileChange("logo.png", ChangeStatus.CHANGED),
    FileChange("feedback/a/2026-01-02-aa.md", ChangeStatus.ADDED),
)


def test_changes_are_counted_listed_and_open_what_is_there() -> None:
    entries = entry_changes(CHANGES, (".md",))
    assert [change.path for change in entries] == ["a.md", "b.md", "c.md", "new.md"]
    assert changes_sentence(entries) == "1 entry added, 1 changed, 1 moved, 1 removed"
    rows = change_rows(entries)
    assert [(row.word, row.path) for row in rows] == [
        ("Added", "a.md"),
        ("Changed", "b.md"),
        ("Removed", ""),
        ("Moved", "new.md"),
    ]
    assert rows[3].text == "old.md → new.md"
    assert all(not row.path for row in change_rows(entries, is_pending=True))
    assert touched_paths(CHANGES) == (
        "a.md",
        "b.md",
        "c.md",
        "new.md",
        "old.md",
        "logo.png",
        CHANGES[-1].path,
    )
    assert changes_sentence(()) == ""


def test_changes_are_called_by_their_titles_with_the_path_beside_them() -> None:
    rows = change_rows(CHANGES[:4], {"a.md": "A &\x1b[31m B", "new.md": "Lease lost"})
    assert [(row.text, row.detail) for row in rows] == [
        ("A &\\u001b[31m B", "a.md"),
        ("b.md", ""),
        ("c.md", ""),
        ("Lease lost", "old.md → new.md"),
    ]


def test_names_of_new_knowledge_bases() -> None:
    taken = ("runbooks", "Other")
    assert name_problem(" ", taken)
    assert name_problem("other", taken) == "There is already a knowledge base called other"
    assert name_problem("a\u202eb", taken)
    assert name_problem("x" * 61, taken)
    assert not name_problem("new", taken)
    assert free_name("runbooks", taken) == "runbooks-2"
    assert free_name("new", taken) == "new"


def test_the_banner_says_how_often_since_when_who_and_who_looked_at_it() -> None:
    last = NOW - dt.timedelta(days=20)
    text = news_sentence(3, last, ("Ana", "Ben", "Cid", "Dee"), ("Eva",), NOW)
    assert text == "Changed 3 times since you last used it (22 Apr) by Ana, Ben and 2 more, reviewed by Eva"
    assert news_sentence(1, None, (), (), NOW) == "Changed once since you last used it"
    assert people_text(("Ana", "Ben")) == "Ana and Ben"
    assert reason_of(["a", "b", "a", "c", "d"]) == "a; b; 2 more"
    assert reason_of(["a", "", "b"]) == "a; b"
