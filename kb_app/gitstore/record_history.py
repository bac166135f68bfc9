"""What the history of a repository of records holds: commits, signatures, every version of every file.

A chain of events shows what was edited inside a file. Whether a file was cut, written anew as a whole or
removed, its history knows: every version that was ever committed must be the beginning of the present one.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.gitstore.history import parse_batch
from kb_app.gitstore.names import CommitId, check_commit
from kb_app.gitstore.runner import GitRunner, Repository
from kb_app.logs import visible

_FIELDS = ("%H", "%cI", "%an", "%ae", "%G?", "%GS", "%s")
_SHOWN = ("-z", "--raw", "--no-abbrev", "--no-renames", "-m")
_BEGIN = "\x1e"
_NOTHING = "0" * 7
MAX_COMMITS = 200_000
CHUNK = 400
"""Blobs read by one program, so that its output stays below the cap."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file that a commit changed: its path, its new blob; None when it was removed."""

    path: str
    blob: str | None


@dataclass(frozen=True, slots=True)
class RecordedCommit:
    """One commit.

    Attributes:
        id: its name.
        committed_at: as stated by its maker.
        by: author's name and address, control characters shown.
        signature: Git's letter: ``G`` good and listed, ``U`` good but of an unlisted key, ``N`` none, ``B``
            bad, ``X`` or ``Y`` expired, ``R`` revoked, ``E`` cannot be checked.
        signer: whom the key is listed for; empty when it is not.
        subject: its first line.
        files: what it changed, against each of its parents.
    """

    id: CommitId
    committed_at: dt.datetime
    by: str
    signature: str
    signer: str
    subject: str
    files: tuple[FileVersion, ...]


def read_history(
    runner: GitRunner,
    repository: Repository,
    head: str,
    *,
    paths: Sequence[str] = (),
    allowed_signers: Path | None = None,
    since: dt.datetime | None = None,
) -> tuple[RecordedCommit, ...]:
    """Return the commits that led to ``head``, the newest first.

    Args:
        runner: runs git.
        repository: one of ours, or one that borrows the objects of another.
        head: a full commit id or ref.
        paths: only commits that changed these.
        allowed_signers: a file of ours with the keys that count; signatures are not looked at without it.
        since: stop at commits before it, where given.

    Raises:
        EnvironmentFault: when the history cannot be read.
    """
    fields = [f if allowed_signers is not None or not f.startswith("%G") else "" for f in _FIELDS]
    wanted = "--format=" + "%x1e" + "%x00".join(fields)
    settings = ("gpg.format=ssh", f"gpg.ssh.allowedSignersFile={allowed_signers}") if allowed_signers else ()
    told = runner.run(
        "log",
        # full history: a merge that dropped a side must not hide what that side held
        (*_SHOWN, "--full-history", wanted, f"--max-count={MAX_COMMITS}"),
        (head,),
        paths=paths,
        repository=repository,
        settings=settings,
        deadline_s=600,
        max_output_bytes=256_000_000,
    ).expect_ok()
    found: dict[CommitId, RecordedCommit] = {}
    for commit in _parse(told.stdout):
        known = found.get(commit.id)  # -m tells a merge once for each parent
        files = (*known.files, *commit.files) if known is not None else commit.files
        found[commit.id] = RecordedCommit(
            commit.id,
            commit.committed_at,
            commit.by,
            commit.signature,
            commit.signer,
            commit.subject,
            tuple(dict.fromkeys(files)),
        )
    return tuple(c for c in found.values() if since is None or c.committed_at >= since)


def _parse(raw: bytes) -> Iterator[RecordedCommit]:
    words = iter(raw.split(b"\0"))
    head: list[str] = []
    files: list[FileVersion] = []
    for word in words:
        text = word.lstrip(b"\n")
        if text.startswith(b":"):
            path = os.fsdecode(next(words, b""))
            blob = text.split(b" ")[3].decode("ascii", "replace")
            files.append(FileVersion(path, None if blob.startswith(_NOTHING) else blob))
        elif text.startswith(_BEGIN.encode()):
            if head:
                yield _commit(head, files)
            head = [text[1:].decode("utf-8", "replace")]
            head += [next(words, b"").decode("utf-8", "replace") for _ in _FIELDS[1:]]
            files = []
    if head:
        yield _commit(head, files)


def _commit(head: Sequence[str], files: Sequence[FileVersion]) -> RecordedCommit:
    name, at, author, address, letter, signer, subject = head
    return RecordedCommit(
        check_commit(name),
        dt.datetime.fromisoformat(at),
        visible(f"{author} <{address}>"),
        letter[:1],
        visible(signer),
        visible(subject),
        tuple(files),
    )


def read_blobs(runner: GitRunner, repository: Repository, blobs: Sequence[str]) -> dict[str, bytes]:
    """Return the contents of ``blobs`` by their names; those that are not there are left out."""
    found: dict[str, bytes] = {}
    names = sorted(set(blobs))
    for begin in range(0, len(names), CHUNK):
        asked = "\n".join(names[begin : begin + CHUNK]).encode() + b"\n"
        told = runner.run("cat-file", ("--batch",), repository=repository, stdin=asked, deadline_s=120)
        found |= dict(parse_batch(told.expect_ok().stdout))
    return found


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """A commit as a change of a product.

    Attributes:
        id: its name.
        committed_at: as stated, UTC.
        by: address of who committed it, else the name.
        reviewed_by: of its ``Reviewed-by`` trailers; empty without.
    """

    id: CommitId
    committed_at: dt.datetime
    by: str
    reviewed_by: str


def read_log(runner: GitRunner, repository: Repository, head: str) -> tuple[LoggedChange, ...]:
    """Return the commits on the first-parent line of ``head``, the newest first.

    Raises:
        EnvironmentFault: when the history cannot be read.
    """
    wanted = "--format=%H%x00%cI%x00%ce%x00%cn%x00%(trailers:key=Reviewed-by,valueonly,separator=%x2C%x20)"
    options = ("-z", "--first-parent", wanted, f"--max-count={MAX_COMMITS}")
    told = runner.run("log", options, (head,), repository=repository, deadline_s=300).expect_ok()
    words = told.stdout.decode("utf-8", "replace").split("\0")
    return tuple(
        LoggedChange(
            check_commit(words[n]),
            dt.datetime.fromisoformat(words[n + 1]).astimezone(dt.UTC),
            visible(words[n + 2] or words[n + 3]),
            visible(words[n + 4]),
        )
        for n in range(0, len(words) - 4, 5)
    )
