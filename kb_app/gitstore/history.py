"""The past of an entry: who changed it, when and why, what it said then, and whose line is whose.

Everything is read; nothing here writes. Names and messages are strangers' text: control and format characters
in them are shown as escapes.

Decision: lists come from one git program each, with a deadline and a cap and are read from raw objects, whose
fields have lengths. GitPython's typed interface counts contributors; its blame raises on a control character
in an author's name (measured with 3.2.1), and it reads no SHA-256 repository.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from kb_app.entries.source import decode
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.clones import Clone, CloneArea
from kb_app.gitstore.names import CommitId, check_commit, check_path, check_ref
from kb_app.gitstore.sync import ChangeStatus
from kb_app.gitstore.trees import parse_listing
from kb_app.gitstore.words import Run, word_diff
from kb_app.logs import visible

if TYPE_CHECKING:
    from git import Repo

MAX_REVISIONS = 500
MAX_MARKS = 5_000
MAX_CHECKED_SIGNATURES = 40
ALLOWED_SIGNERS = "allowed_signers"
"""File at the root of a knowledge base that lists whose SSH signatures count.

Source: ``ssh-keygen(1)``, "ALLOWED SIGNERS".
"""

REVIEWED, CLOSES = "Reviewed-entry", "Closes-feedback"
"""Trailers with a meaning of their own: an owner confirmed the entry; a note of feedback was answered."""

_PERSON = re.compile(rb"(?P<name>.*?) ?<(?P<email>[^<>]*)> (?P<at>-?\d{1,12}) (?P<zone>[+-]\d{4})")
_BLAMED = re.compile(rb"([0-9a-f]{40}(?:[0-9a-f]{24})?) \d+ \d+")
_TRAILER = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]*): (?P<value>.+)")
_GOOD_SSH = re.compile(r'Good "git" signature for (?P<who>.+) with \S+ key')


class SignatureState(StrEnum):
    """What is known of a commit's signature."""

    NONE = "none"
    VALID = "valid"
    UNKNOWN_KEY = "unknown key"
    BAD = "bad"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Signature:
    """A commit's signature: what is known of it, and who signed where that is known."""

    state: SignatureState
    signer: str = ""

    @property
    def sentence(self) -> str:
        """What it means, in plain words."""
        return {
            SignatureState.NONE: "Not signed",
            SignatureState.VALID: f"Signed by {self.signer or 'a known key'}",
            SignatureState.UNKNOWN_KEY: "Signed with a key that this knowledge base does not list",
            SignatureState.BAD: "The signature does not fit: the text was changed after it was signed",
            SignatureState.UNCHECKED: "Signed; the signature was not checked",
        }[self.state]


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of an entry.

    Attributes:
        commit: its commit.
        parent: the commit before it; empty for the first.
        path: the entry's path after the change; old_path: before it, when it was renamed.
        status: what happened to the file.
        author, email: who wrote it, as stated by the author.
        authored_at, committed_at: when, as stated; aware.
        subject: first line of the message; body: the rest without trailers.
        trailers: facts at the end of the message, in order.
        signature: what is known of its signature.
    """

    commit: CommitId
    path: str
    status: ChangeStatus
    author: str
    email: str
    authored_at: dt.datetime
    committed_at: dt.datetime
    subject: str
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    old_path: str = ""
    parent: str = ""
    signature: Signature = Signature(SignatureState.NONE)

    def trailer(self, key: str) -> tuple[str, ...]:
        """Return the values of one trailer, in order."""
        return tuple(value for name, value in self.trailers if name.lower() == key.lower())


@dataclass(frozen=True, slots=True)
class BlameLine:
    """One line of an entry and the change it comes from; ``line`` is 1-based, ``authored_at`` aware."""

    line: int
    text: str
    commit: CommitId
    author: str
    authored_at: dt.datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Contributor:
    """Somebody who changed an entry: name, e-mail, number of changes, time of the last one (aware)."""

    name: str
    email: str
    changes: int
    last_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """How an entry changed between two commits: the words, and the changes in between, newest first."""

    runs: tuple[Run, ...]
    revisions: tuple[Revision, ...]

    @property
    def is_empty(self) -> bool:
        """Nothing changed."""
        return all(run.kind == "same" for run in self.runs)


class History:
    """The past of one clone's entries.

    Args:
        area: our clones.
        clone: which one.
        is_offline: never fetch a text that was left on the server; what needs it fails at once.
    """

    def __init__(self, area: CloneArea, clone: Clone, *, is_offline: bool = False) -> None:
        self._area, self._clone = area, clone
        self._runner = area.runner
        self._repository = area.repository(clone)
        self._lazily = clone.address if clone.is_partial and not is_offline else None

    # --- changes ----------------------------------------------------------------------------------------

    def head(self) -> CommitId:
        """Return the commit of the files.

        Raises:
            EnvironmentFault: when it cannot be read.
        """
        outcome = self._runner.run(
            "rev-parse", ("--verify", "--quiet"), ("HEAD",), repository=self._repository
        )
        return check_commit(outcome.expect_ok().text.strip())

    def is_part(self, commit: str) -> bool:
        """Tell whether ``commit`` is part of the history of the files; one that is gone is not.

        Raises:
            UsageError: when it is no commit's name.
        """
        operands = (check_commit(commit), "HEAD")
        return self._runner.run("merge-base", ("--is-ancestor",), operands, repository=self._repository).is_ok

    def timeline(
        self, path: str, *, limit: int = 50, skip: int = 0, since: str = "", with_signatures: bool = False
    ) -> tuple[Revision, ...]:
        """Return the changes of an entry, newest first, followed across renames.

        Args:
            path: the entry, as it is called now.
            limit: most changes returned, 1 to `MAX_REVISIONS`.
            skip: changes to leave out at the start.
            since: only changes after this commit.
            with_signatures: check signatures; some milliseconds each.

        Raises:
            UsageError: when the path or the commit is not acceptable.
            EnvironmentFault: when the history cannot be read.
        """
        check_path(path)
        span = f"{check_commit(since)}..HEAD" if since else "HEAD"
        outcome = self._runner.run(
            "log",
            (
                "-z",
                "--follow",
                "--name-status",
                "--format=%H",
                f"--max-count={max(1, min(limit, MAX_REVISIONS))}",
                f"--skip={max(0, skip)}",
            ),
            (span,),
            paths=(path,),
            repository=self._repository,
            address=self._lazily,
        ).expect_ok()
        rows = parse_log(outcome.stdout)
        raw = self._commits([commit for commit, *_ in rows])
        found = [
            revision_of(commit, raw[commit], new, status, old)
            for commit, status, new, old in rows
            if commit in raw
        ]
        return self._with_signatures(found) if with_signatures else tuple(found)

    def reviews(self, names: Collection[str], *, limit: int = 50) -> tuple[Revision, ...]:
        """Return the changes by which somebody confirmed an entry, newest first.

        Args:
            names: what a `REVIEWED` trailer may call the entry: its id, its path.
            limit: most confirmations of any entry that are looked through.

        Raises:
            EnvironmentFault: when the history cannot be read.
        """
        found = self._with_trailer((REVIEWED,), min(limit, MAX_REVISIONS))
        return tuple(r for r in found if not set(names).isdisjoint(r.trailer(REVIEWED)))

    def marks(self) -> tuple[Revision, ...]:
        """Return the changes that confirm any entry or answer any note of feedback, newest first.

        Raises:
            EnvironmentFault: when the history cannot be read.
        """
        return self._with_trailer((REVIEWED, CLOSES), MAX_MARKS)

    def _with_trailer(self, keys: Collection[str], limit: int) -> tuple[Revision, ...]:
        wanted = (f"--grep=^{key}:" for key in keys)
        outcome = self._runner.run(
            "log",
            ("--format=%H", *wanted, f"--max-count={max(1, limit)}"),
            ("HEAD",),
            repository=self._repository,
            address=self._lazily,
        ).expect_ok()
        commits = [check_commit(name) for name in outcome.text.split()]
        raw = self._commits(commits)
        return tuple(revision_of(c, raw[c], "", ChangeStatus.CHANGED) for c in commits if c in raw)

    def _commits(self, commits: Sequence[CommitId]) -> dict[CommitId, bytes]:
        """Return the raw commits, read by one program."""
        if not commits:
            return {}
        outcome = self._runner.run(
            "cat-file", ("--batch",), repository=self._repository, stdin="\n".join(commits).encode() + b"\n"
        ).expect_ok()
        return {check_commit(name): content for name, content in parse_batch(outcome.stdout)}

    def contributors(self, path: str) -> tuple[Contributor, ...]:
        """Return who changed an entry under its present name, most changes first.

        Raises:
            UsageError: when the path is not acceptable.
            EnvironmentFault: when the history cannot be read.
        """
        check_path(path)
        counts: Counter[str] = Counter()
        last: dict[str, tuple[str, dt.datetime]] = {}
        with self._library() as repo:
            for commit in repo.iter_commits("HEAD", paths=path, max_count=MAX_REVISIONS):
                email = visible(str(commit.author.email or "")).lower()
                counts[email] += 1
                last.setdefault(email, (visible(str(commit.author.name or "")), commit.authored_datetime))
        found = [
            Contributor(last[email][0], email, number, last[email][1]) for email, number in counts.items()
        ]
        return tuple(sorted(found, key=lambda c: (-c.changes, c.email)))

    # --- texts ------------------------------------------------------------------------------------------

    def content_at(self, path: str, commit: str = "HEAD") -> bytes:
        """Return an entry's bytes at a commit.

        Raises:
            UsageError: when it was not there, or was no plain file.
            EnvironmentFault: when it cannot be read.
        """
        listed = self._runner.run(
            "ls-tree",
            ("-r", "-z", "--full-tree"),
            (check_ref(commit),),
            paths=(check_path(path),),
            repository=self._repository,
        ).expect_ok()
        files = [f for f in parse_listing(listed.stdout) if f.path == path and f.mode.startswith("100")]
        if not files:
            raise UsageError(f"{path} was not there at that time", "Choose another state in its history")
        return (
            self._runner.run(
                "cat-file", ("blob",), (files[0].blob,), repository=self._repository, address=self._lazily
            )
            .expect_ok()
            .stdout
        )

    def text_at(self, path: str, commit: str = "HEAD") -> str:
        r"""Return an entry's text at a commit, with ``\n`` line ends; propose it to restore that state.

        Raises:
            UsageError: when it was not there, or was no plain file.
            EnvironmentFault: when it cannot be read.
        """
        return decode(self.content_at(path, commit)).text

    def difference(self, path: str, old: str, new: str = "HEAD") -> Difference:
        """Return how an entry changed from one commit to a later one; renames are followed.

        Raises:
            UsageError: when it is not there at ``new``, or a commit is not acceptable.
            EnvironmentFault: when the history cannot be read.
        """
        check_commit(old)
        revisions = self.timeline(path, limit=MAX_REVISIONS, since=old) if new == "HEAD" else ()
        former = next((r.old_path for r in reversed(revisions) if r.old_path), path)
        try:
            before = self.text_at(former, old)
        except UsageError:
            before = ""
        return Difference(word_diff(before, self.text_at(path, new)), revisions)

    def change(self, revision: Revision) -> tuple[Run, ...]:
        """Return what one change did to the entry, by words.

        Raises:
            EnvironmentFault: when it cannot be read.
        """
        texts = []
        for path, commit in (
            (revision.old_path or revision.path, revision.parent),
            (revision.path, revision.commit),
        ):
            try:
                texts.append(self.text_at(path, commit) if commit else "")
            except UsageError:
                texts.append("")
        return word_diff(*texts)

    def blame(self, path: str, commit: str = "HEAD") -> tuple[BlameLine, ...]:
        """Return for each line of an entry the change it comes from, in line order.

        Raises:
            UsageError: when the entry was not there.
            EnvironmentFault: when the history cannot be read.
        """
        self.content_at(path, commit)
        outcome = self._runner.run(
            "blame",
            ("--porcelain",),
            (check_ref(commit),),
            paths=(path,),
            repository=self._repository,
            address=self._lazily,
        ).expect_ok()
        rows = parse_blame(outcome.stdout)
        raw = self._commits(sorted({name for name, _ in rows}))
        known = {name: revision_of(name, raw.get(name, b""), path, ChangeStatus.CHANGED) for name in raw}
        return tuple(
            BlameLine(number, text, name, change.author, change.authored_at, change.subject)
            for number, (name, text) in enumerate(rows, 1)
            if (change := known.get(name)) is not None
        )

    @contextlib.contextmanager
    def _library(self) -> Iterator[Repo]:
        """Open the clone for reading with GitPython, told of our git and shielded from the environment."""
        repo = _open(self._repository.work_tree, str(self._runner.program.path), self._runner.configuration)
        import git

        try:
            yield repo
        except (git.exc.GitError, OSError, ValueError, AssertionError, TypeError, LookupError) as error:
            # ValueError and friends: formats the library does not know, for example SHA-256
            raise EnvironmentFault(
                "Who changed the entry cannot be counted in this repository",
                "The list of changes still works",
            ) from error
        finally:
            repo.close()

    # --- signatures ---------------------------------------------------------------------------------------

    def signature(self, commit: str) -> Signature:
        """Return what is known of a commit's signature; keys come from the knowledge base's own list.

        Raises:
            UsageError: when it is not a full commit id.
            EnvironmentFault: when it cannot be read.
        """
        raw = self._commits([check_commit(commit)]).get(check_commit(commit), b"")
        return self._checked(check_commit(commit)) if is_signed(raw) else Signature(SignatureState.NONE)

    def _checked(self, commit: CommitId) -> Signature:
        signers = self._repository.work_tree / ALLOWED_SIGNERS
        settings = (f"gpg.ssh.allowedSignersFile={signers}",) if signers.is_file() else ()
        outcome = self._runner.run(
            "verify-commit",
            ("--raw",),
            (commit,),
            repository=self._repository,
            settings=settings,
            deadline_s=15,
        )
        return parse_verification(outcome.details, is_good=outcome.code == 0)

    def _with_signatures(self, revisions: Sequence[Revision]) -> tuple[Revision, ...]:
        checked, found = 0, []
        for revision in revisions:
            is_open = revision.signature.state is SignatureState.UNCHECKED
            if is_open and checked < MAX_CHECKED_SIGNATURES:
                checked += 1
                found.append(replace(revision, signature=self._checked(revision.commit)))
            else:
                found.append(revision)
        return tuple(found)


def _open(folder: os.PathLike[str], program: str, configuration: Sequence[str]) -> Repo:
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # importing must not look for git by itself
    import git  # some tenths of a second, and only for those who ask for history

    if program != git.Git.GIT_PYTHON_GIT_EXECUTABLE:
        git.refresh(program)
    repo = git.Repo(folder, search_parent_directories=False)
    git_dir = os.path.join(folder, ".git")  # noqa: PTH118 - given to a program as text
    repo.git.update_environment(
        GIT_DIR=git_dir,
        GIT_WORK_TREE=os.fspath(folder),
        GIT_INDEX_FILE=os.path.join(git_dir, "index"),  # noqa: PTH118
        GIT_OBJECT_DIRECTORY=os.path.join(git_dir, "objects"),  # noqa: PTH118
        GIT_ALTERNATE_OBJECT_DIRECTORIES="",
        GIT_CONFIG_COUNT="0",
        GIT_CONFIG_PARAMETERS="",
        GIT_ALLOW_PROTOCOL="",
        GIT_TERMINAL_PROMPT="0",
        GIT_OPTIONAL_LOCKS="0",
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_LITERAL_PATHSPECS="1",
        LC_ALL="C",
    )
    repo.git.set_persistent_git_options(c=list(configuration))
    return repo


# --- parsers (pure) ---------------------------------------------------------------------------------------


def parse_log(raw: bytes) -> tuple[tuple[CommitId, ChangeStatus, str, str], ...]:
    """Return commit, status, path, former path from ``git log -z --name-status --format=%H`` of one file."""
    kinds = {"A": ChangeStatus.ADDED, "D": ChangeStatus.DELETED, "R": ChangeStatus.RENAMED}
    words = raw.split(b"\0")
    rows, at = [], 0
    while at < len(words) and (name := words[at].strip()):
        commit, at = check_commit(name.decode("ascii", "replace")), at + 1
        if at >= len(words) or not words[at].startswith(b"\n"):
            continue  # a merge: it changed nothing by itself
        letter = words[at].strip()[:1].decode("ascii", "replace")
        paths = 2 if letter in ("R", "C") else 1
        names = [os.fsdecode(word) for word in words[at + 1 : at + 1 + paths]]
        old = names[0] if letter == "R" else ""
        rows.append((commit, kinds.get(letter, ChangeStatus.CHANGED), names[-1], old))
        at += 1 + paths
    return tuple(rows)


def parse_blame(raw: bytes) -> tuple[tuple[CommitId, str], ...]:
    """Return commit and text of each line that ``git blame --porcelain`` printed, each safe to show."""
    rows: list[tuple[CommitId, str]] = []
    commit = CommitId("")
    for line in raw.split(b"\n"):
        if line.startswith(b"\t"):
            text = line[1:].removesuffix(b"\r").decode("utf-8", "replace").replace("\t", "    ")
            rows.append((commit, visible(text)))
        elif (match := _BLAMED.match(line)) is not None:
            commit = check_commit(match.group(1).decode("ascii"))
    return tuple(rows)


def parse_batch(raw: bytes) -> tuple[tuple[str, bytes], ...]:
    """Return name and content of each object that ``git cat-file --batch`` printed, absent ones left out."""
    found, at = [], 0
    while at < len(raw):
        end = raw.find(b"\n", at)
        if end < 0:
            break
        words = raw[at:end].split(b" ")
        if len(words) != 3 or not words[2].isdigit():
            at = end + 1  # "… missing"
            continue
        size = int(words[2])
        found.append((words[0].decode("ascii", "replace"), raw[end + 1 : end + 1 + size]))
        at = end + 1 + size + 1
    return tuple(found)


def is_signed(raw: bytes) -> bool:
    """Tell whether a raw commit carries a signature."""
    head = raw.partition(b"\n\n")[0]
    return any(line.startswith((b"gpgsig ", b"gpgsig-sha256 ")) for line in head.split(b"\n"))


def revision_of(
    commit: CommitId, raw: bytes, path: str, status: ChangeStatus, old_path: str = ""
) -> Revision:
    """Return the revision that a raw commit describes; what cannot be read becomes empty, never an error."""
    head, _, message = raw.partition(b"\n\n")
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        fields.setdefault(key, value)
    encoding = fields.get(b"encoding", b"utf-8").decode("ascii", "replace")
    author, email, authored_at = _person(fields.get(b"author", b""), encoding)
    subject, body, trailers = split_message(_decoded(message, encoding))
    state = SignatureState.UNCHECKED if is_signed(raw) else SignatureState.NONE
    return Revision(
        commit,
        path,
        status,
        author,
        email,
        authored_at,
        _person(fields.get(b"committer", b""), encoding)[2],
        subject,
        body,
        trailers,
        old_path,
        fields.get(b"parent", b"").decode("ascii", "replace"),
        Signature(state),
    )


def split_message(message: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Return subject, body and trailers of a commit message, each line safe to show.

    Trailers are the last paragraph, when each of its lines is ``Key: value`` or continues one.

    Source: ``git interpret-trailers``, its strict case.
    """
    lines = [visible(line.replace("\t", "    ")) for line in message.replace("\r\n", "\n").split("\n")]
    text = "\n".join(lines).strip("\n")
    first, _, rest = text.partition("\n\n")
    subject = " ".join(first.split("\n"))
    paragraphs = re.split(r"\n\n+", rest.strip("\n")) if rest.strip() else []
    trailers = _trailers(paragraphs[-1]) if paragraphs else ()
    if trailers:
        paragraphs.pop()
    return subject, "\n\n".join(paragraphs), trailers


def _trailers(paragraph: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for line in paragraph.split("\n"):
        if (match := _TRAILER.fullmatch(line)) is not None:
            found.append((match["key"], match["value"].strip()))
        elif line.startswith(" ") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
        else:
            return ()
    return tuple(found)


def parse_verification(details: str, *, is_good: bool) -> Signature:
    """Return what ``git verify-commit --raw`` said, for OpenPGP and for SSH signatures."""
    if (match := _GOOD_SSH.search(details)) is not None and is_good:
        return Signature(SignatureState.VALID, match["who"])
    words: Mapping[str, str] = dict(
        re.findall(
            r"^\[GNUPG:\] (GOODSIG|BADSIG|ERRSIG|EXPKEYSIG|REVKEYSIG) \S+ ?(.*)$", details, re.MULTILINE
        )
    )
    if "BADSIG" in words or "incorrect signature" in details or "Could not verify signature" in details:
        return Signature(SignatureState.BAD)
    if is_good and "GOODSIG" in words and not re.search(r"TRUST_(?:UNDEFINED|NEVER)", details):
        return Signature(SignatureState.VALID, words["GOODSIG"])
    return Signature(SignatureState.UNKNOWN_KEY)


def _person(raw: bytes, encoding: str) -> tuple[str, str, dt.datetime]:
    match = _PERSON.fullmatch(raw)
    if match is None:
        return visible(_decoded(raw, encoding)), "", dt.datetime.fromtimestamp(0, dt.UTC)
    zone = match["zone"].decode("ascii")
    minutes = int(zone[1:3]) * 60 + int(zone[3:])
    try:
        offset = dt.timezone(dt.timedelta(minutes=-minutes if zone[0] == "-" else minutes))
        at = dt.datetime.fromtimestamp(int(match["at"]), offset)
    except (ValueError, OverflowError, OSError):
        at = dt.datetime.fromtimestamp(0, dt.UTC)
    return visible(_decoded(match["name"], encoding)), visible(_decoded(match["email"], encoding)), at


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except (LookupError, UnicodeDecodeError, ValueError):
        return raw.decode("utf-8", "replace")
