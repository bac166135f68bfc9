from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.gitstore.history import (
    SignatureState,
    parse_batch,
    parse_log,
    parse_verification,
    revision_of,
    split_message,
)
from kb_app.gitstore.names import CommitId
from kb_app.gitstore.sync import ChangeStatus

ID = CommitId("a" * 40)
RAW = (
    b"tree "
    + b"b" * 40
    + b"\nparent "
    + b"c" * 40
    + b"\nauthor Ada \xc3\x84 <ada@example.org> 1767323045 +0230\n"
    b"committer Bob <bob@example.org> 1767323100 -0800\n\nfix: lease\n\nWhy.\n\nReviewed-entry: lease-lost\n"
)


def test_a_raw_commit_becomes_a_revision() -> None:
    found = revision_of(ID, RAW, "a.md", ChangeStatus.CHANGED)
    assert (found.author, found.email, found.subject, found.body) == (
        "Ada Ä",
        "ada@example.org",
        "fix: lease",
        "Why.",
    )
    assert found.authored_at == dt.datetime(2026, 1, 2, 5, 34, 5, tzinfo=dt.timezone(dt.timedelta(hours=2.5)))
    assert found.committed_at.utcoffset() == dt.timedelta(hours=-8)
    assert found.trailer("reviewed-ENTRY") == ("lease-lost",)
    assert found.parent == "c" * 40
    assert found.signature.state is SignatureState.NONE


def test_a_message_with_escapes_is_shown_and_not_obeyed() -> None:
    raw = RAW.replace(b"fix: lease", b"fix: \x1b[31mred\xe2\x80\xae txt").replace(b"Ada", b"A\x07da")
    found = revision_of(ID, raw, "a.md", ChangeStatus.CHANGED)
    assert found.subject == "fix: \\u001b[31mred\\u202e txt"
    assert found.author == "A\\u0007da Ä"


@given(st.binary(max_size=300))
def test_no_raw_commit_is_too_broken_to_show(raw: bytes) -> None:
    found = revision_of(ID, raw, "a.md", ChangeStatus.ADDED)
    assert "\x1b" not in found.subject + found.author + found.body


def test_a_commit_in_another_encoding_is_read() -> None:
    raw = RAW.replace(b"committer", b"encoding ISO-8859-1\ncommitter").replace(b"Ada \xc3\x84", b"Ada \xc4")
    assert revision_of(ID, raw, "a.md", ChangeStatus.ADDED).author == "Ada Ä"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("one", ("one", "", ())),
        ("one\ntwo\n\nbody", ("one two", "body", ())),
        ("one\n\nKey: v\nOther-Key: w\n  more\n", ("one", "", (("Key", "v"), ("Other-Key", "w more")))),
        ("one\n\nbody: it is\nnot a trailer\n", ("one", "body: it is\nnot a trailer", ())),
        ("one\n\nbody\n\nKey: v", ("one", "body", (("Key", "v"),))),
        ("", ("", "", ())),
    ],
)
def test_messages_split_into_subject_body_and_trailers(message: str, expected: object) -> None:
    assert split_message(message) == expected


def test_the_log_is_read_by_position_whatever_paths_are_called() -> None:
    one, two, three = "1" * 40, "2" * 40, "3" * 40
    raw = f"{one}\0\nM\0{'f' * 40}\0{two}\0{three}\0\nR087\0old\nname\0new\0".encode()
    assert parse_log(raw) == (
        (one, ChangeStatus.CHANGED, "f" * 40, ""),
        (three, ChangeStatus.RENAMED, "new", "old\nname"),
    )
    assert parse_log(b"") == ()


def test_a_batch_is_read_by_its_lengths() -> None:
    raw = b"a" * 40 + b" commit 5\nx\n\nyz\n" + b"b" * 40 + b" missing\n" + b"c" * 40 + b" commit 0\n\n"
    assert parse_batch(raw) == (("a" * 40, b"x\n\nyz"), ("c" * 40, b""))


GOOD_SSH = 'Good "git" signature for ada@example.org with ED25519 key SHA256:x'
NO_PRINCIPAL = 'Good "git" signature with ED25519 key SHA256:x\nNo principal matched.'
GOOD_GPG = "[GNUPG:] GOODSIG 12AB Ada <a@x>\n[GNUPG:] TRUST_"


@pytest.mark.parametrize(
    ("details", "is_good", "state", "signer"),
    [
        (GOOD_SSH, True, SignatureState.VALID, "ada@example.org"),
        (NO_PRINCIPAL, False, SignatureState.UNKNOWN_KEY, ""),
        ("error: gpg.ssh.allowedSignersFile needs to be configured", False, SignatureState.UNKNOWN_KEY, ""),
        ("Signature verification failed: incorrect signature", False, SignatureState.BAD, ""),
        (GOOD_GPG + "ULTIMATE 0 pgp", True, SignatureState.VALID, "Ada <a@x>"),
        (GOOD_GPG + "UNDEFINED 0 pgp", True, SignatureState.UNKNOWN_KEY, ""),
        ("[GNUPG:] ERRSIG 12AB 1 8 00 1 9\n[GNUPG:] NO_PUBKEY 12AB", False, SignatureState.UNKNOWN_KEY, ""),
        ("[GNUPG:] BADSIG 12AB Ada <a@x>", False, SignatureState.BAD, ""),
        ("", False, SignatureState.UNKNOWN_KEY, ""),
    ],
)
def test_what_git_says_of_a_signature(
    details: str, is_good: bool, state: SignatureState, signer: str
) -> None:
    found = parse_verification(details, is_good=is_good)
    assert (found.state, found.signer) == (state, signer)
    assert found.sentence
