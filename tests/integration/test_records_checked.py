"""Checking records against their history, and the report that is made from both."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import git, tmp_path

from kb_app.entries.model import Severity
from kb_app.gitstore.runner import GitRunner, find_git
from kb_app.incidents.deploy_list import is_same_change
from kb_app.incidents.report import FORMATS, render
from kb_app.incidents.verify import is_chain_intact, verify
from kb_app.paths import AppFolders
from kb_app.workspace.proving import Question, change_proof, deploys_from_log, prove
from kb_app.workspace.record_checks import RecordsPlace, check_history, place_of
from kb_app.workspace.record_store import copy_records
from kb_app.workspace.sample_records import write_sample_records

__all__ = ["tmp_path"]

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    top = tmp_path_factory.mktemp("sample") / "year"
    return top, write_sample_records(top, GitRunner(find_git(), top.parent / "private"))


@pytest.fixture
def copied(year, tmp_path):
    """Somebody's clone of the year's records: git made it, not this program."""
    top = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(year[0]), str(top)], check=True)
    git(top, "config", "user.name", "Mallory")
    git(top, "config", "user.email", "mallory@example.com")
    return top


@pytest.fixture
def folders(tmp_path):
    return AppFolders(*(tmp_path / name for name in ("config", "cache", "data", "logs")))


def found(folders, top):
    history = check_history(folders, place_of(top))
    assert history.problem == ""
    return {(name, f.code, f.file, f.line, f.byte) for name, fs in history.findings.items() for f in fs}


def a_record(top, number=5):
    return sorted((top / "incidents").glob("*/*"))[number]


def test_a_year_that_nobody_touched_has_no_findings(year, copied, folders):
    assert found(folders, year[0]) == set()
    assert found(folders, copied) == set()
    history = check_history(folders, place_of(copied))
    assert history.commit == git(copied, "rev-parse", "HEAD")
    assert set(history.signatures.values()) == {"not configured"}


def test_a_cut_tail_is_found_without_any_seal(copied, folders):
    file = a_record(copied) / "events" / "d1.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:2]))
    name = a_record(copied).relative_to(copied).as_posix()
    place = (name, "tail-cut", "events/d1.jsonl", 2, len(lines[0]) + len(lines[1]))
    assert place in found(folders, copied)


def test_every_cut_of_a_committed_file_is_found_with_its_place(copied, folders):
    file = a_record(copied) / "events" / "d2.jsonl"
    whole = file.read_bytes()
    for size in range(0, len(whole), 7):
        file.write_bytes(whole[:size])
        assert {(code, line, byte) for _, code, _, line, byte in found(folders, copied)} == {
            ("tail-cut", whole[:size].count(b"\n"), size)
        }


def test_a_file_written_anew_with_a_whole_chain_is_found(copied, folders, year):
    record = a_record(copied)
    other = a_record(year[0], 6)
    file = record / "events" / "d1.jsonl"
    file.write_bytes((other / "events" / "d1.jsonl").read_bytes())
    assert ("rewritten", "events/d1.jsonl") in {(code, f) for _, code, f, _, _ in found(folders, copied)}


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_removed_record_is_found(copied, folders, is_committed):
    record = a_record(copied)
    name = record.relative_to(copied).as_posix()
    shutil.rmtree(record)
    if is_committed:
        git(copied, "commit", "-qam", "tidy up")
    history = check_history(folders, place_of(copied))
    (finding,) = history.findings[name]
    assert finding.code == "record-removed"
    assert ("Bob Colleague" in finding.message) is is_committed


def test_a_rewrite_that_was_committed_is_still_found(copied, folders):
    file = a_record(copied) / "events" / "d1.jsonl"
    file.write_bytes(file.read_bytes().replace(b"sev", b"SEV", 1))
    git(copied, "commit", "-qam", "correct a typo")
    assert "rewritten" in {code for _, code, _, _, _ in found(folders, copied)}


def test_what_a_merge_dropped_is_found(copied, folders):
    git(copied, "checkout", "-q", "-b", "side")
    file = a_record(copied) / "events" / "d1.jsonl"
    file.write_bytes(file.read_bytes() + b'{"more":1}\n')
    git(copied, "commit", "-qam", "an event")
    git(copied, "checkout", "-q", "-")
    git(copied, "commit", "-q", "--allow-empty", "-m", "here")
    git(copied, "merge", "-q", "-s", "ours", "-m", "merge", "side")
    assert "tail-cut" in {code for _, code, _, _, _ in found(folders, copied)}


def key(tmp_path, name):
    file = tmp_path / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file], check=True)
    return file


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="signatures are made with ssh-keygen")
def test_unsigned_wrongly_signed_and_unlisted_commits_are_told_apart(copied, folders, tmp_path):
    listed, unlisted = key(tmp_path, "listed"), key(tmp_path, "unlisted")
    text = f"ana@example.com {listed.with_suffix('.pub').read_text()}"
    (copied / "allowed_signers").write_text(text)
    git(copied, "add", "allowed_signers")
    one, two, three = (a_record(copied, n) for n in (1, 2, 3))

    def change(record, *words):
        file = record / "events" / "d1.jsonl"
        file.write_bytes(file.read_bytes() + b"\n")
        git(copied, "-c", "gpg.format=ssh", *words, "commit", "-qam", "more")

    sign = ["-c", "commit.gpgsign=true", "-c"]
    change(one, *sign, f"user.signingkey={listed}")
    change(two, *sign, f"user.signingkey={unlisted}")
    change(three)
    history = check_history(folders, place_of(copied))
    assert history.is_signing

    def newest(record):
        return history.findings[record.relative_to(copied).as_posix()][0].code

    assert newest(two) == "unlisted-key"
    assert newest(three) == "unsigned"
    assert [f.code for f in history.findings[one.relative_to(copied).as_posix()]] == ["unsigned"]  # the first
    assert history.signatures[three.name] == "2 of 2 commits: unsigned"
    codes = {f.code: f.severity for fs in history.findings.values() for f in fs}
    assert codes.pop("signers-changed") is Severity.INFO
    assert set(codes.values()) == {Severity.WARNING}
    # a clone of our own, made from an address, says the same
    assert check_history(folders, place_of(copy_records(folders, str(copied / ".git")))).is_signing


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="signatures are made with ssh-keygen")
def test_changes_of_the_list_of_keys_are_told_and_a_key_that_came_after_its_signature(
    year, copied, folders, tmp_path
):
    ana, eve = key(tmp_path, "ana"), key(tmp_path, "eve")
    signers, record = copied / "allowed_signers", a_record(copied, 1)

    def change(text, who, **more):
        event = record / "events" / "d1.jsonl"
        event.write_bytes(event.read_bytes() + b"\n")
        if text:
            signers.write_text(text)
            git(copied, "add", "allowed_signers")
        sign = ["-c", "gpg.format=ssh", "-c", "commit.gpgsign=true", "-c", f"user.signingkey={who}"]
        git(copied, *sign, "commit", "-qam", "more")

    of_ana = f"ana@example.com {ana.with_suffix('.pub').read_text()}"
    change(of_ana, ana)
    change("", eve)  # not listed yet
    change("", ana)
    change(of_ana + f"eve@example.com {eve.with_suffix('.pub').read_text()}", ana)
    history = check_history(folders, place_of(copied))
    told = [(f.code, f.message) for f in history.findings["allowed_signers"]]
    assert [code for code, _ in told] == ["signers-changed", "signers-changed", "listed-afterwards"]
    assert "added ana@example.com" in told[0][1]
    assert "Bob Colleague" in told[1][1]
    assert "added eve@example.com" in told[1][1]
    assert "eve@example.com was listed by" in told[2][1]
    report = prove(folders, place_of(copied), Question(year[1].begin, year[1].end), now=NOW).report
    assert {f.code for f in report.findings["allowed_signers"]} == {"signers-changed", "listed-afterwards"}


def test_the_same_commit_and_seed_give_the_same_bytes_from_any_copy_on_any_day(year, copied, folders):
    question = Question(year[1].begin, year[1].end, seed="7")
    proofs = [
        prove(folders, place_of(year[0]), question, now=NOW),
        prove(folders, place_of(copied), question, now=NOW + dt.timedelta(days=400)),
        prove(folders, place_of(copy_records(folders, str(copied / ".git"))), question, now=NOW),
    ]
    for form in FORMATS:
        assert len({render(proof.report, form) for proof in proofs}) == 1
    report = proofs[0].report
    assert report.scope.commit == git(copied, "rev-parse", "HEAD")
    assert [policy.subject for policy in report.policies] == [
        "policy: first version",
        "policy: review within a day, add ledger",
    ]
    assert report.unknown_policies == ()


def test_records_in_a_folder_of_a_repository_are_found_in_a_copy(copied, folders):
    git(copied, "mv", "incidents", "moved")
    (copied / "ops" / "records").mkdir(parents=True)
    (copied / "moved").rename(copied / "ops" / "records" / "incidents")
    git(copied, "add", "-A")
    git(copied, "commit", "-qm", "move")
    place = place_of(copy_records(folders, str(copied / ".git")))
    assert place.inside == "ops/records"
    assert check_history(folders, place).findings == {}
    assert check_history(folders, place_of(copied / "ops" / "records")).findings == {}


def test_a_record_that_its_history_disowns_is_a_breach(year, copied, folders):
    question = Question(year[1].begin, year[1].end)
    row = next(
        r for r in prove(folders, place_of(copied), question, now=NOW).report.rows if r.verdict == "conforms"
    )
    (file,) = (copied / "incidents").glob(f"*/{row.incident_id}/events/d1.jsonl")
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))  # the seal, and nothing after it
    proof = prove(folders, place_of(copied), question, now=NOW)
    (changed,) = [r for r in proof.report.rows if r.incident_id == row.incident_id]
    assert changed.verdict == "breach"
    assert "tail-cut" in changed.chain
    assert "tail-cut" in {f.code for f in change_proof(proof, changed).findings}
    assert is_chain_intact(verify(file.parents[1]))  # its chain alone does not show it


def test_a_plain_folder_is_checked_as_far_as_it_goes(year, folders, tmp_path):
    shutil.copytree(year[0] / "incidents", tmp_path / "plain" / "incidents")
    place = place_of(tmp_path / "plain" / "incidents")
    assert place.top is None
    proof = prove(folders, place, Question(year[1].begin, year[1].end), now=NOW)
    assert proof.history.problem
    assert proof.report.records == 40
    assert proof.report.scope.as_of < NOW
    assert isinstance(place, RecordsPlace)


def test_the_log_of_a_products_clone_stands_for_a_list_of_deploys(tmp_path, folders):
    product = tmp_path / "product"
    product.mkdir()
    git(product, "init", "-q", "-b", "main")
    for number, trailer in enumerate(("", "\n\nReviewed-by: Rita <rita@example.com>")):
        (product / "a").write_text(str(number))
        git(product, "add", ".")
        git(
            product,
            "commit",
            "-q",
            "-m",
            f"change {number}{trailer}",
            date=f"2025-06-0{number + 1}T10:00:00Z",
        )
    begin, end = dt.datetime(2025, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    first, second = deploys_from_log(folders, product, begin, end)
    assert (first.is_reviewed, second.is_reviewed) == (False, True)
    assert is_same_change(git(product, "rev-parse", "--short", "HEAD"), second.change_id)
    assert (second.service, second.deployed_by) == ("product", "bob@example.org")
