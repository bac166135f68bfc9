import datetime as dt
import random
import subprocess

import pytest

from kb_app.entries.model import Audience
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.incidents.book import EXPORTS, RecordBook
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.journal import Committer
from kb_app.incidents.markup import Form
from kb_app.incidents.runs import RunPlan
from kb_app.plain import to_plain

NOON = dt.datetime(2025, 6, 1, 12, tzinfo=dt.UTC)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        self.now += dt.timedelta(minutes=1)
        return self.now


class RealGit:
    """Commits with the git program."""

    def commit_paths(self, root, paths, message):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        subprocess.run(["git", "-C", root, "add", "--", *paths], check=True)
        subprocess.run(["git", *who, "-C", root, "commit", "-qm", message, "--", *paths], check=True)
        return True


def said(root, *words):
    return subprocess.run(["git", "-C", root, *words], check=True, capture_output=True, text=True).stdout


class Broken:
    """Fails as a held lock does."""

    def commit_paths(self, root, paths, message):
        raise EnvironmentFault("Another git program holds the lock", "Try again")


@pytest.fixture
def book(tmp_path):
    return RecordBook(tmp_path, JournalMaker("a1", "ana", Clock()))


def opened(book):
    return book.open({"title": "checkout down", "severity": "sev2"}, source=random.Random(1)).place.id


def test_a_record_lives_through_the_book(book):
    name = opened(book)
    book.add(name, EventType.IMPACT, {"impact": "down", "data": "none"})
    deploy = {"change": "c1", "env": "prod", "author": "aron", "way": "fix", "review": "after"}
    decision = {"inputs": {}, "rule": "D4", "recommendation": "fix-forward", "policy": "abc"}
    book.add(name, EventType.DECISION, decision)
    book.add(name, EventType.DEPLOY, deploy, at=NOON)
    with pytest.raises(UsageError, match="deployer"):
        book.review(name, "c1", "pass")
    book.review(name, "c1", "pass", reviewer="rita")
    assert {b.owed.kind.value for b in book.closing_blockers(name)} == {"knowledge", "merge-back"}
    book.add(name, EventType.KNOWLEDGE, {"how": "link", "entry": "x"})
    receipt = book.close(name, reason="merged by the release train")
    assert receipt.event.type == "seal"
    assert book.state(name[-4:]).status == "closed"
    assert [state.id for state in book.states()] == [name]
    assert book.verify() == book.verify(name) == {f"incidents/2025/{name}": ()}
    assert [item.kind.value for item in book.owed()] == ["merge-back"]


def test_the_newest_record_is_listed_first(book):
    one = opened(book)
    book._maker.clock.now += dt.timedelta(days=3)
    two = book.open({"title": "search slow"}).place.id
    assert [state.id for state in book.states()] == [two, one]


def test_an_event_is_corrected_by_its_place(book):
    name = opened(book)
    event = book.add(name, EventType.NOTE, {"text": "x"}).event
    book.correct(name, event.dev, event.seq, {"text": "y"}, "typo")
    assert book.state(name).moments[1].data.text("text") == "y"
    with pytest.raises(UsageError, match="no event 9"):
        book.correct(name, "a1", 9, {"text": "y"}, "typo")


@pytest.mark.parametrize("kind", [EventType.OPENED, EventType.SEAL, EventType.CORRECT])
def test_some_events_are_not_written_by_hand(book, kind):
    name = opened(book)
    with pytest.raises(UsageError):
        book.add(name, kind, {})


def test_waits_of_all_records_are_found_after_a_restart(book, tmp_path):
    for minutes in (30, 10):
        name = book.open({"title": f"wait {minutes}"}).place.id
        run = book.start_run(name, RunPlan("p", "fix", ("wait", "check"))).run
        book.runs(name).wait(run, 1, minutes=minutes)
    again = RecordBook(tmp_path, JournalMaker("a1", "ana", Clock()))
    assert [wait.place.id[11:18] for wait in again.open_waits()] == ["wait-10", "wait-30"]


@pytest.mark.parametrize("form", list(Form))
def test_everything_can_be_exported_in_every_form(book, form):
    name = opened(book)
    book.start_run(name, RunPlan("drain", "mitigation", ("a", "b")))
    book.add(name, EventType.NOTE, {"text": "for partners", "audience": "partner"})
    for what in EXPORTS:
        assert book.export(name, what, form).strip()
    assert "for partners" in book.export(name, "customer", form, reader=Audience.PARTNER)
    assert "for partners" not in book.export(name, "customer", form)
    with pytest.raises(UsageError, match="timeline"):
        book.export(name, "video", form)


def test_each_event_is_committed_with_its_own_files_only(tmp_path):
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path)], check=True)
    (tmp_path / "draft.md").write_text("mine")
    committer: Committer = RealGit()
    book = RecordBook(tmp_path, JournalMaker("a1", "ana", Clock()), committer)
    name = opened(book)
    receipt = book.add(name, EventType.NOTE, {"text": "x"})
    assert receipt.is_committed
    log = subprocess.run(
        ["git", "-C", tmp_path, "log", "--format=%s", "--name-only"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert f"incident {name}: note" in log
    assert "draft.md" not in log
    assert set(log.split()) >= {
        "incidents/.gitattributes",
        f"incidents/2025/{name}/incident.md",
        f"incidents/2025/{name}/events/a1.jsonl",
    }
    assert said(tmp_path, "status", "--porcelain") == "?? draft.md\n"


def test_a_commit_that_fails_is_said_and_undoes_nothing(tmp_path):
    book = RecordBook(tmp_path, JournalMaker("a1", "ana", Clock()), Broken())
    name = opened(book)
    receipt = book.add(name, EventType.NOTE, {"text": "x"})
    assert (receipt.is_committed, "holds the lock" in receipt.problem) == (False, True)
    assert len(book.state(name).moments) == 2
    assert "holds the lock" in book.commit(name, "later")


def test_a_plain_folder_is_not_committed(book):
    assert "not under version control" in book.commit(opened(book), "x")


def test_a_state_has_a_plain_form(book):
    name = opened(book)
    plain = to_plain(book.state(name))
    assert plain["title"] == "checkout down"
    assert plain["moments"][0]["event"]["data"]["severity"] == "sev2"
