"""What the history page says of a version."""

from __future__ import annotations

import datetime as dt

import pytest

from kb_app.gitstore.history import BlameLine, Revision, Signature, SignatureState
from kb_app.gitstore.names import CommitId
from kb_app.gitstore.sync import ChangeStatus
from kb_app.gitstore.words import word_diff
from kb_app.ui.common.diff_lines import lines_of_runs
from kb_app.ui.common.widgets import TONE_COLORS
from kb_app.ui.versions.state import (
    Pair,
    confirmation_text,
    danger_text,
    dangerous_lines,
    moment_text,
    other_facts,
    pair_of,
    people_of,
    signature_mark,
    spoken_row,
    starts_of,
    status_text,
)
from kb_app.workspace.past import Version

AT = dt.datetime(2026, 2, 3, 10, 0, tzinfo=dt.timezone(dt.timedelta(hours=2)))


def version(number: int, *trailers: tuple[str, str], subject: str = "change it") -> Version:
    at = AT + dt.timedelta(days=number)
    commit = CommitId(f"{number:040x}")
    return Version(
        Revision(commit, "a.md", ChangeStatus.CHANGED, "Ada", "a@x", at, at, subject, trailers=trailers)
    )


def test_people_are_named_by_what_they_did() -> None:
    one = version(1, ("Reviewed-by", "Bob <b@x>"), ("Co-authored-by", "Cid <c@x>"), ("Ticket", "T-1"))
    assert people_of(one.revision) == (("Reviewed by", "Bob"), ("Also written by", "Cid"))
    assert other_facts(one.revision) == ("Ticket: T-1",)


@pytest.mark.parametrize("state", list(SignatureState))
def test_each_state_of_a_signature_has_words_and_a_known_tone(state: SignatureState) -> None:
    mark = signature_mark(Signature(state))
    assert mark.text
    assert mark.tone in TONE_COLORS


def test_a_confirmation_says_who_when_which_and_what_came_since() -> None:
    confirmed = version(2, ("Reviewed-entry", "a"))
    versions = (version(4), version(3), confirmed, version(1))
    assert confirmation_text(confirmed.revision, versions, is_complete=False) == (
        "Verified by Ada on 5 Feb 2026, version 00000000; 2 changes since"
    )
    assert "unchanged since" in confirmation_text(versions[0].revision, versions, is_complete=True)
    assert "1 change since" in confirmation_text(version(3).revision, versions, is_complete=True)
    assert "Nobody" in confirmation_text(None, versions, is_complete=True)


def test_a_confirmation_older_than_what_was_read_is_a_lower_bound() -> None:
    old = version(0, ("Reviewed-entry", "a"))
    versions = tuple(version(n) for n in range(9, 4, -1))
    assert "5 or more changes since" in confirmation_text(old.revision, versions, is_complete=False)
    assert "5 changes since" in confirmation_text(old.revision, versions, is_complete=True)


def test_two_selected_versions_are_compared_old_to_new() -> None:
    assert pair_of((3,)) is None
    assert pair_of((1, 2, 6)) == Pair(old=6, new=1)


def test_a_row_is_spoken_whole() -> None:
    spoken = spoken_row(version(1, ("Reviewed-entry", "a")))
    assert spoken == "change it, Ada, 4 Feb 2026, not signed, confirms the entry"
    assert status_text(version(1).revision) == ""
    assert moment_text(AT) == "3 Feb 2026, 10:00 +0200"
    assert moment_text(AT.astimezone(dt.UTC)) == "3 Feb 2026, 08:00 UTC"


def test_neighbouring_lines_of_one_change_are_one_stretch() -> None:
    commits = ["a", "a", "b", "a"]
    lines = [BlameLine(n, "", CommitId(c), "Ada", AT, "") for n, c in enumerate(commits, 1)]
    assert starts_of(lines) == (0, 0, 2, 3)


def test_an_unsigned_change_of_a_destructive_command_is_warned_about() -> None:
    old = "# A\n\n```sh\nkubectl get pods\nkubectl delete pod a\n```\n"
    new = old.replace("delete pod a", "delete namespace a").replace("get pods", "get nodes")
    found = dangerous_lines(lines_of_runs(word_diff(old, new)))
    assert found == ("kubectl delete namespace a",)
    assert dangerous_lines(lines_of_runs(word_diff(old, old))) == ()
    assert (
        dangerous_lines(lines_of_runs(word_diff(old, old.replace("```sh", "text").replace("```", "")))) == ()
    )
    for state in SignatureState:
        text = danger_text(Signature(state), found)
        assert bool(text) is (state is not SignatureState.VALID)
        assert not text or "kubectl delete namespace a" in text
    assert danger_text(Signature(SignatureState.NONE), ()) == ""
