"""Exchanging records with a remote: what either side has, both have afterwards; nothing is ever taken away.

Decision: no text merge. A file of events belongs to one device and only grows, so of two versions one begins
with the other and the longer one is right; derived pages are written anew. A side that removed or rewrote a
record does not win: what this side holds stays, and a check names the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from kb_app.durable import write_atomically
from kb_app.errors import EnvironmentFault
from kb_app.gitstore.causes import Cause
from kb_app.gitstore.clones import RemoteState, parse_refs
from kb_app.gitstore.history import parse_batch
from kb_app.gitstore.ledger import BRANCH, HEAD_REF, Ledger, Staged
from kb_app.gitstore.names import CommitId, RemoteAddress, check_path, parse_address
from kb_app.gitstore.runner import GitOutcome
from kb_app.gitstore.sync import flush_ref
from kb_app.gitstore.trees import TreeFile, TreeLimits, limit_problem, parse_listing

THEIRS = "refs/kb_app/theirs"
CARRIED = ("allowed_signers", "policy.yml")
"""Files beside the records that a check needs on the disk: the keys that count, the policy."""
ATTEMPTS = 4
"""How often another device may be quicker before we say so."""
RECORDS_LIMITS = TreeLimits(files=200_000, total_bytes=2_000_000_000, file_bytes=64 * 1024 * 1024)

Refresh = Callable[[Sequence[str]], Sequence[str]]
"""Given paths of event files that came in (below the root), writes derived pages; returns their paths."""
IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What an exchange did.

    Attributes:
        is_ok: both sides now hold the same.
        sentence: what happened, one sentence; hint: the next step, may be empty.
        received: how many files came in.
        is_sent: something went out.
        parted: event files whose two versions do not continue each other, as paths below the root.
    """

    is_ok: bool
    sentence: str
    hint: str = ""
    received: int = 0
    is_sent: bool = False
    parted: tuple[str, ...] = ()


def exchange(
    ledger: Ledger,
    address: str,
    *,
    device: str,
    refresh: Refresh,
    is_cancelled: IsCancelled | None = None,
) -> Exchanged:
    """Take in what the remote has, then send what it lacks.

    Args:
        ledger: our records.
        address: of the remote.
        device: this device; its own files are never written here.
        refresh: writes derived pages of records that got events.
        is_cancelled: asked now and then.

    Raises:
        UsageError: when the address is none that is allowed.
        EnvironmentFault: when the records cannot be written to.
    """
    place = parse_address(address)
    done = Exchanged(is_ok=True, sentence="Records are the same on both sides")
    for _ in range(ATTEMPTS):
        asked = _ask(ledger, place, is_cancelled)
        if isinstance(asked, GitOutcome):
            return replace(done, is_ok=False, sentence=asked.sentence, hint=asked.hint)
        branch = asked.default_branch or BRANCH
        if (failed := _fetch(ledger, place, branch, asked, is_cancelled)) is not None:
            return replace(done, is_ok=False, sentence=failed.sentence, hint=failed.hint)
        theirs = ledger.resolve(THEIRS) if branch in asked.tips else None
        with ledger.locked():
            union = _Union(ledger, device, refresh)
            if theirs is not None:
                union.take_in(theirs)
            head = ledger.head()
        done = replace(done, received=done.received + union.received, parted=union.parted)
        if head is None or head == theirs:
            return _told(done)
        pushed = ledger.runner.run(
            "push",
            ("--porcelain", "--atomic"),
            (place.text, f"{head}:refs/heads/{branch}"),
            repository=ledger.repository,
            address=place,
            is_cancelled=is_cancelled,
        )
        if pushed.is_ok:
            return _told(replace(done, is_sent=True))
        if not _was_quicker(pushed):
            return replace(done, is_ok=False, sentence=pushed.sentence, hint=pushed.hint)
    return replace(
        done, is_ok=False, sentence="Other devices were quicker each time", hint="Sync the records again"
    )


def take_copy(ledger: Ledger, address: str, *, is_cancelled: IsCancelled | None = None) -> Exchanged:
    """Make an empty ledger hold exactly what a remote has; nothing is sent.

    Raises:
        UsageError: when the address is none that is allowed.
        EnvironmentFault: when it holds too much, or the folder cannot be written to.
    """
    place = parse_address(address)
    asked = _ask(ledger, place, is_cancelled)
    if isinstance(asked, GitOutcome):
        return Exchanged(is_ok=False, sentence=asked.sentence, hint=asked.hint)
    branch = asked.default_branch or BRANCH
    if branch not in asked.tips:
        return Exchanged(
            is_ok=False, sentence="There is nothing in that repository", hint="Check the address"
        )
    if (failed := _fetch(ledger, place, branch, asked, is_cancelled)) is not None:
        return Exchanged(is_ok=False, sentence=failed.sentence, hint=failed.hint)
    theirs = ledger.resolve(THEIRS)
    with ledger.locked():
        union = _Union(ledger, "", lambda _events: ())
        if theirs is not None:
            ledger.inside = union.folder_of_records(theirs)
            union.take_in(theirs)
    return Exchanged(is_ok=True, sentence="Copied", received=union.received)


def _was_quicker(pushed: GitOutcome) -> bool:
    """Tell whether the push failed only because somebody else pushed in between."""
    said = pushed.text + pushed.details
    signs = ("fetch first", "non-fast-forward", "cannot lock ref", "failed to update ref")
    return pushed.cause in (Cause.REJECTED, Cause.OTHER, Cause.LOCKED) and any(sign in said for sign in signs)


def _told(done: Exchanged) -> Exchanged:
    if done.parted:
        return replace(
            done,
            sentence=f"{len(done.parted)} files of events were rewritten on the other side; ours are kept",
            hint="Check the records; the page of the record names the place",
        )
    came = f"{done.received} files came in" if done.received else "nothing new came in"
    went = "ours were sent" if done.is_sent else "nothing had to be sent"
    return replace(done, sentence=f"Records are synced: {came}, {went}")


def _ask(ledger: Ledger, place: RemoteAddress, is_cancelled: IsCancelled | None) -> RemoteState | GitOutcome:
    outcome = ledger.runner.run(
        "ls-remote",
        ("--symref",),
        (place.text, "HEAD", "refs/heads/*"),
        address=place,
        is_cancelled=is_cancelled,
    )
    if not outcome.is_ok:
        return outcome
    state = parse_refs(outcome.text)
    # a bare repository may name a branch that does not exist yet
    return (
        state
        if state.default_branch or not state.tips
        else replace(state, default_branch=next(iter(state.tips)))
    )


def _fetch(
    ledger: Ledger,
    place: RemoteAddress,
    branch: str,
    state: RemoteState,
    is_cancelled: IsCancelled | None,
) -> GitOutcome | None:
    if branch not in state.tips:
        return None
    with ledger.locked():
        pass  # the repository is there from now on
    outcome = ledger.runner.run(
        "fetch",
        ("--no-tags",),
        (place.text, f"+refs/heads/{branch}:{THEIRS}"),
        repository=ledger.repository,
        address=place,
        is_cancelled=is_cancelled,
    )
    return None if outcome.is_ok else outcome


class _Union:
    """Brings two trees together; the caller holds the lock of the ledger."""

    def __init__(self, ledger: Ledger, device: str, refresh: Refresh) -> None:
        self._ledger = ledger
        self._device = device
        self._refresh = refresh
        self.received = 0
        self.parted: tuple[str, ...] = ()

    def take_in(self, theirs: CommitId) -> None:
        """Make our branch hold everything of ``theirs`` too."""
        ledger = self._ledger
        ledger.commit_staged(ledger.stage(ledger.uncommitted("incidents")), "records: not committed before")
        ours = ledger.head()
        if ours is not None and self._contains(ours, theirs):
            return
        their_files = self._files(theirs)
        problem = limit_problem(tuple(their_files.values()), RECORDS_LIMITS)
        if problem:
            raise EnvironmentFault(f"The records on the other side were not taken: {problem}", "Look at them")
        our_files = self._files(ours) if ours is not None else {}
        staged = self._compare(our_files, their_files)
        if ours is None:
            ledger.run("read-tree", (), (theirs,)).expect_ok()
        modes = {path: file.mode for path, file in (*their_files.items(), *our_files.items())}
        if staged:
            ledger.into_index(staged, modes)
        self._name(ours, theirs)

    def folder_of_records(self, commit: CommitId) -> str:
        """Return the folder of ``commit`` that holds ``incidents/``: the one with the shortest path."""
        found = (PurePosixPath(path).parts for path in self._files(commit) if _is_events(path))
        places = {"/".join(parts[:-5]) for parts in found if len(parts) > 4 and parts[-5] == "incidents"}
        return min(places, key=lambda place: (len(place), place), default="")

    def _compare(self, ours: dict[str, TreeFile], theirs: dict[str, TreeFile]) -> list[Staged]:
        """Write what is new to the disk and return what the index takes."""
        other = [
            file
            for path, file in theirs.items()
            if file.mode.startswith("100") and (path not in ours or ours[path].blob != file.blob)
        ]
        inside = [file for file in other if self._is_record(file.path)]
        wanted = {file.blob for file in inside} | {
            ours[file.path].blob for file in inside if file.path in ours
        }
        content = self._read(wanted)
        # what lies beside the records is theirs: nothing is ever changed there from here
        staged = [Staged(file.path, file.blob) for file in other if not self._is_record(file.path)]
        for path in self._carried(theirs, ours):
            self._put_beside(path, self._read({theirs[path].blob}).get(theirs[path].blob, b""))
        staged += [Staged(path, None) for path in ours if path not in theirs and not self._is_record(path)]
        events, parted = [], []
        for file in inside:
            new = content.get(file.blob, b"")
            old = content.get(ours[file.path].blob) if file.path in ours else None
            below = self._below(file.path)
            if old is not None and not _is_events(file.path):
                continue  # derived pages are written anew, other files of ours stay
            if old is not None and not new.startswith(old):
                if not old.startswith(new):
                    parted.append(below)
                continue
            if PurePosixPath(file.path).stem == self._device and _is_events(file.path) and old is not None:
                parted.append(below)  # nobody else continues this device's file
                continue
            self._put(below, new)
            self.received += 1
            staged.append(Staged(file.path, file.blob))
            if _is_events(file.path):
                events.append(below)
        derived = self._ledger.stage(self._refresh(events)) if events else ()
        self.parted = tuple(parted)
        return [*staged, *derived]

    def _carried(self, theirs: dict[str, TreeFile], ours: dict[str, TreeFile]) -> list[str]:
        """Return the files beside the records that are wanted on the disk and are not there as they are."""
        wanted = [path for name in CARRIED for path in dict.fromkeys((name, self._ledger.path_of(name)))]
        return [
            path
            for path in wanted
            if path in theirs
            and (path not in ours or ours[path].blob != theirs[path].blob)
            and theirs[path].mode.startswith("100")
        ]

    def _put_beside(self, path: str, content: bytes) -> None:
        target = self._ledger.top / check_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)

    def _put(self, below: str, content: bytes) -> None:
        target = self._ledger.root / below
        if not below.endswith(".gitattributes"):
            check_path(below)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, content)

    def _name(self, ours: CommitId | None, theirs: CommitId) -> None:
        ledger = self._ledger
        tree = ledger.run("write-tree").expect_ok().text.strip()
        their_tree = ledger.run("rev-parse", ("--verify", "--quiet"), (f"{theirs}^{{tree}}",)).text.strip()
        if (ours is None or self._contains(theirs, ours)) and tree == their_tree:
            made: str = theirs
        else:
            parents = [f"-p{commit}" for commit in (ours, theirs) if commit is not None]
            options = [*parents, "-F-", *(("--gpg-sign",) if self._is_signing() else ())]
            message = b"records: bring two devices together\n"
            made = ledger.run("commit-tree", options, (tree,), stdin=message).expect_ok().text.strip()
        expected = ours or "0" * len(made)
        ledger.run("update-ref", (), (HEAD_REF, made, expected)).expect_ok()
        flush_ref(ledger.repository, HEAD_REF)

    def _is_signing(self) -> bool:
        told = self._ledger.run("config-get", ("--get",), ("commit.gpgsign",))
        return told.is_ok and told.text.strip().lower() in ("true", "1", "yes", "on")

    def _contains(self, whole: CommitId, part: CommitId) -> bool:
        return self._ledger.run("merge-base", ("--is-ancestor",), (part, whole)).is_ok

    def _files(self, commit: CommitId) -> dict[str, TreeFile]:
        listed = self._ledger.run("ls-tree", ("-r", "-l", "-z", "--full-tree"), (commit,)).expect_ok()
        return {file.path: file for file in parse_listing(listed.stdout)}

    def _read(self, blobs: set[str]) -> dict[str, bytes]:
        if not blobs:
            return {}
        told = self._ledger.run("cat-file", ("--batch",), stdin="\n".join(sorted(blobs)).encode() + b"\n")
        return dict(parse_batch(told.expect_ok().stdout))

    def _below(self, path: str) -> str:
        inside = self._ledger.inside
        return path.removeprefix(f"{inside}/") if inside else path

    def _is_record(self, path: str) -> bool:
        return os.fsencode(path).startswith(os.fsencode(self._ledger.path_of("incidents") + "/"))


def _is_events(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.parent.name == "events" and pure.suffix in (".jsonl", ".torn")
