"""When an entry was last confirmed, from real commits, notes and records; what a search makes of it."""

from __future__ import annotations

import datetime as dt
import json
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from kb_app.cli.main import main
from kb_app.entries.feedback import FlagKind, read_notes
from kb_app.entries.model import Entry, KnowledgeBaseConfig
from kb_app.entries.reading import read_entry
from kb_app.entries.standing import Confirmation, How, Standing, confirmed_words
from kb_app.incidents.events import EventType
from kb_app.paths import app_folders
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.indexing import update_index
from kb_app.search.model import SearchHit, SearchRequest
from kb_app.settings import ConfiguredBase, Settings, save_settings
from kb_app.workspace.bases import open_base
from kb_app.workspace.confirming import Confirmations
from kb_app.workspace.contributing import feedback_path, feedback_text
from kb_app.workspace.records import Commits, open_book
from kb_app.workspace.syncing import add_repository, exchange, open_store

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "fixtures"))
from gitstore_remotes import Remote, test_environment, tmp_path

__all__ = ["tmp_path"]
test_environment.__test__ = False
TODAY = dt.date.today()
PAGE = "---\nkind: runbook\n---\n# Lease lost\n\n## Symptoms\nThe leader lost its lease.\n"
PAGES = {"lease-lost.md": PAGE, "other.md": "# Other\n"}


@pytest.fixture(autouse=True)
def known_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in test_environment(tmp_path / "user").items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path, PAGES)


def note(kind: FlagKind, day: dt.date, sentence: str = "", by: str = "") -> dict[str, str]:
    at = dt.datetime.combine(day, dt.time(), dt.UTC)
    path = "lease-lost.md"
    return {feedback_path(path, at): feedback_text(path, kind, sentence, at, by)}


def clone(remote: Remote) -> Path:
    store = open_store(app_folders())
    added = add_repository(store, remote.address, "kb")
    assert added.base is not None, added.outcome
    return Path(added.base.location).resolve()


def standing(root: Path, path: str = "lease-lost.md") -> Standing:
    return Confirmations(app_folders()).of(root, entry(root, path), TODAY)


def entry(root: Path, path: str = "lease-lost.md") -> Entry:
    return read_entry(root, path, KnowledgeBaseConfig())


def write(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def test_without_any_source_an_entry_was_never_confirmed(remote: Remote) -> None:
    assert standing(clone(remote)) == Standing()


def test_a_commit_with_the_trailer_confirms_with_its_author_and_version(remote: Remote) -> None:
    commit = remote.commit({"lease-lost.md": PAGE + "More.\n"}, "Check it\n\nReviewed-entry: lease-lost")
    root = clone(remote)
    last = standing(root).last
    assert last is not None
    assert (last.how, last.commit) == (How.REVIEW, commit)
    assert confirmed_words(last, TODAY).endswith(f"version {commit[:7]}")
    assert standing(root, "other.md").last is None


def test_a_later_commit_is_seen_after_the_next_sync_though_the_answer_is_kept(remote: Remote) -> None:
    root = clone(remote)
    kept = Confirmations(app_folders())
    assert kept.of(root, entry(root), TODAY).last is None
    remote.commit({"x.md": "# X\n"}, "Confirm\n\nReviewed-entry: lease-lost.md")
    exchange(open_store(app_folders()), "kb")
    last = kept.of(root, entry(root), TODAY).last
    assert last is not None
    assert last.how is How.REVIEW


def test_a_note_that_it_worked_confirms_in_a_plain_folder_and_the_latest_source_counts(
    tmp_path: Path,
) -> None:
    root = tmp_path / "plain"
    write(root, {"lease-lost.md": PAGE.replace("---\n#", "reviewed: 2020-01-02\n---\n#")})
    assert standing(root).last == Confirmation(dt.date(2020, 1, 2), How.STATED)
    day = TODAY - dt.timedelta(days=3)
    write(root, note(FlagKind.WORKED, day, by='Ana "A" Ruiz'))
    write(root, note(FlagKind.WORKED, TODAY + dt.timedelta(days=40), by="Tomorrow"))
    assert standing(root).last == Confirmation(day, How.WORKED, 'Ana "A" Ruiz')
    assert standing(root, "lease-lost.md").is_stale(2, TODAY)
    assert not standing(root, "lease-lost.md").is_stale(3, TODAY)


def test_a_use_that_worked_in_ones_own_records_confirms(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write(root, PAGES)
    book = open_book(app_folders(), commits=Commits.NEVER)
    receipt = book.open({"title": "Leader lost", "severity": "sev2"})
    book.add(receipt.place.id, EventType.ENTRY_USED, {"entry": "lease-lost", "result": "worked"})
    last = standing(root).last
    assert last is not None
    assert last.how is How.USED
    assert standing(root, "other.md").last is None


def test_a_flag_is_open_until_a_commit_closes_it(remote: Remote) -> None:
    first = note(FlagKind.UNCLEAR, TODAY - dt.timedelta(days=9), "which lease?", "Ben")
    second = note(FlagKind.WRONG, TODAY - dt.timedelta(days=1), "step 2")
    remote.commit({**first, **second}, "Two notes")
    root = clone(remote)
    assert [flag.sentence for flag in standing(root).flags] == ["step 2", "which lease?"]
    remote.commit(
        {"lease-lost.md": PAGE + "Lease of the leader.\n"}, f"Say it\n\nCloses-feedback: {next(iter(first))}"
    )
    exchange(open_store(app_folders()), "kb")
    assert [flag.sentence for flag in standing(root).flags] == ["step 2"]


def test_what_is_no_note_stands_in_no_ones_way(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    write(root, PAGES)
    write(
        root,
        {
            "feedback/lease-lost/a.md": "no front matter",
            "feedback/lease-lost/b.md": "---\nentry: other.md\nfeedback: wrong\n---\nof another\n",
            "feedback/lease-lost/c.md": "---\nentry: lease-lost.md\nfeedback: bad\n---\n",
        },
    )
    (root / "feedback/lease-lost/d.md").symlink_to("/etc/passwd")
    (root / "feedback/lease-lost/e.md").mkdir()
    assert standing(root) == Standing()
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere", {"lease-lost/x.md": "---\nentry: lease-lost.md\nfeedback: wrong\n---\n"})
    linked = tmp_path / "linked"
    write(linked, PAGES)
    (linked / "feedback").symlink_to(tmp_path / "elsewhere")
    assert read_notes(linked) == ()


# --- the search -------------------------------------------------------------------------------------------


def found(root: Path, folder: Path, text: str, paths: tuple[str, ...] | None = None) -> tuple[SearchHit, ...]:
    update_index(root, "kb", folder, KnowledgeBaseConfig(), paths=paths)
    with closing(SearchEngine.open([IndexedBase("kb", folder, KnowledgeBaseConfig())])) as engine:
        return engine.search(SearchRequest(text, explain=True)).hits


def test_a_search_shows_the_day_it_worked_and_finds_no_note(tmp_path: Path) -> None:
    root, folder = tmp_path / "kb", tmp_path / "index"
    write(root, PAGES)
    assert found(root, folder, "lease lost")[0].reviewed == ""
    added = note(FlagKind.WORKED, TODAY - dt.timedelta(days=2), "lease lost lease lost")
    write(root, added)
    [hit] = found(root, folder, "lease lost", tuple(added))
    assert (hit.path, hit.reviewed) == ("lease-lost.md", (TODAY - dt.timedelta(days=2)).isoformat())
    assert [hit.path for hit in found(root, folder, "reviewed:<7d")] == ["lease-lost.md"]
    (root / next(iter(added))).unlink()
    assert found(root, folder, "lease lost")[0].reviewed == ""


def test_a_stale_entry_comes_after_an_equal_fresh_one_and_is_never_hidden(tmp_path: Path) -> None:
    root, folder = tmp_path / "kb", tmp_path / "index"
    text = "---\nkind: runbook\nreviewed: {}\n---\n# Lease lost {}\n\nThe leader {}.\n"
    write(root, {"a.md": text.format("2019-01-01", "north", "of the first cell went away, so nobody writes")})
    write(root, {"b.md": text.format(TODAY, "south", "is another one after the network was cut for long")})
    hits = found(root, folder, "lease lost")
    assert [hit.path for hit in hits] == ["b.md", "a.md"]
    assert any("confirmed too long ago" in why for why in hits[1].why)
    write(root, {"feedback/a/x.md": f"---\nentry: a.md\nfeedback: worked\nat: {TODAY}\n---\n"})
    assert [hit.path for hit in found(root, folder, "lease lost")] == ["a.md", "b.md"]


# --- the command line -------------------------------------------------------------------------------------


def test_show_and_the_health_report_say_the_same(remote: Remote, capsys: pytest.CaptureFixture[str]) -> None:
    old = TODAY - dt.timedelta(days=400)
    remote.commit(
        {**note(FlagKind.WORKED, old, by="Ana"), **note(FlagKind.OUTDATED, TODAY, "since 16", "Ben")}, "Notes"
    )
    root = clone(remote)
    folders = app_folders()
    save_settings(folders, replace(Settings(), knowledge_bases=(ConfiguredBase("kb", str(root)),)))
    assert open_base(root, folders).root == root
    main(["show", "lease-lost"])
    shown = capsys.readouterr().out
    assert "by Ana: it worked  (a confirmation holds 180 days)" in shown
    assert "Outdated: since 16 (Ben, " in shown
    main(["--json", "show", "lease-lost"])
    assert json.loads(capsys.readouterr().out)["standing"]["last"]["who"] == "Ana"
    main(["report", "health"])
    report = capsys.readouterr().out
    assert "open flags: 1" in report
    assert "by Ana: it worked" in report
    assert "Outdated: since 16 (Ben, " in report
