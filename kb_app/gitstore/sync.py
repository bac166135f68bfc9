"""Bringing a clone up to date: ask, look, fetch, compare, and only then move, forward only.

Decision: the remote is asked for its branches before anything is fetched, and what was fetched is compared
before anything moves. An answer that looks wrong (no branches, a web page, most pages gone, other history)
stops the sync and leaves the clone as it was. Nothing is ever pruned or reset; commits that only exist here
get a name under ``refs/backup/`` before a move that would leave them behind.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from kb_app.durable import flush_folder
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.causes import RETRYABLE, Cause
from kb_app.gitstore.clones import Clone, CloneArea, IsCancelled, OnProgress, RemoteState, with_success
from kb_app.gitstore.locks import Busy, exclusive, set_stale_locks_aside
from kb_app.gitstore.names import CommitId, RemoteAddress, check_commit, check_ref
from kb_app.gitstore.runner import GitOutcome, GitRunner, Repository
from kb_app.gitstore.trees import TreeFile, limit_problem, parse_listing, unpacked
from kb_app.logs import visible

INCOMING_REF = "refs/kb_app/incoming"
BACKUP_PREFIX = "refs/backup/"

SHRINK_SHARE = 0.5
"""A sync that would delete more than this share of the files, or lose more of the branches, asks first.

Source: Joplin's fail-safe, which fires near 90 %; half is stricter, as pages are edited one by one.
"""
SHRINK_FROM = 4
"""Below this number of files or branches a share means nothing."""

FLUSHED_FILES = 300
"""Files flushed one by one after an update, a few milliseconds each."""

RETRY_FIRST_S, RETRY_LAST_S = 120.0, 6 * 3600.0


class SyncEnd(StrEnum):
    """How a sync ended."""

    UP_TO_DATE = "up-to-date"
    UPDATED = "updated"
    AHEAD = "ahead"
    OFFLINE = "offline"
    NOT_GIT = "web-page-answered"
    AUTH_NEEDED = "login-needed"
    MOVED = "address-moved"
    EMPTY_REMOTE = "remote-is-empty"
    BRANCHES_GONE = "most-branches-gone"
    BRANCH_DELETED = "branch-deleted"
    FORCED = "history-replaced"
    UNRELATED = "unrelated-history"
    DIVERGED = "diverged"
    WOULD_DELETE = "would-delete-most"
    TOO_LARGE = "too-large"
    LOCAL_EDITS = "local-edits"
    OUTSIDE_CHANGE = "changed-outside"
    BUSY = "busy"
    UNSAFE = "unsafe-content"
    CANCELLED = "cancelled"
    FAILED = "failed"


NEEDS_CHOICE = frozenset(
    {SyncEnd.EMPTY_REMOTE, SyncEnd.BRANCHES_GONE, SyncEnd.BRANCH_DELETED, SyncEnd.FORCED, SyncEnd.UNRELATED}
    | {SyncEnd.DIVERGED, SyncEnd.WOULD_DELETE, SyncEnd.LOCAL_EDITS, SyncEnd.OUTSIDE_CHANGE, SyncEnd.MOVED}
)
"""Ends that wait for a person; no automatic attempt follows them."""


class ChangeStatus(StrEnum):
    """What happened to a file between two commits."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file: its path (a deleted one's as it was), what happened, its path before a rename.

    Paths are as git has them and may hold anything: show them with `kb_app.logs.visible`.
    """

    path: str
    status: ChangeStatus
    old_path: str = ""


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """What a sync found and did.

    Attributes:
        end: how it ended.
        sentence, hint: what happened and what to do next, in plain words; details: Git's words, redacted.
        before, after: commit of the files before and after; equal when nothing moved.
        offered: the commit the remote offers, when it was fetched but not taken.
        changes: changed files in path order; what would change where the end waits for a choice.
        backup_ref: the name that keeps commits which exist only here; empty when there are none.
        stale_since: when the remote last answered; None while it answers.
        retry_at: when the next automatic attempt is due; None when a person has to act first.
    """

    end: SyncEnd
    sentence: str
    hint: str = ""
    details: str = ""
    before: str = ""
    after: str = ""
    offered: str = ""
    changes: tuple[FileChange, ...] = ()
    backup_ref: str = ""
    stale_since: dt.datetime | None = None
    retry_at: dt.datetime | None = None

    @property
    def is_current(self) -> bool:
        """The files are what the remote has."""
        return self.end in (SyncEnd.UP_TO_DATE, SyncEnd.UPDATED, SyncEnd.AHEAD)

    @property
    def needs_choice(self) -> bool:
        """A person has to decide before anything moves."""
        return self.end in NEEDS_CHOICE


def next_attempt_at(failures: int, now: dt.datetime, rng: random.Random) -> dt.datetime:
    """Return when to try again: doubling from two minutes to six hours, spread by a quarter either way.

    Args:
        failures: attempts that failed in a row, 0 or more.
        now: aware.
        rng: source of the spread, so that a team's clients do not all return at once.
    """
    wait_s = min(RETRY_LAST_S, RETRY_FIRST_S * 2.0 ** min(max(failures - 1, 0), 20))
    return now + dt.timedelta(seconds=round(wait_s * rng.uniform(0.75, 1.25)))


def sync(
    area: CloneArea,
    name: str,
    *,
    accept_deletions: bool = False,
    on_progress: OnProgress | None = None,
    is_cancelled: IsCancelled | None = None,
    rng: random.Random | None = None,
) -> SyncOutcome:
    """Bring a clone up to date, forward only.

    Args:
        area: our clones.
        name: which one.
        accept_deletions: the user saw how much would vanish and agreed.
        on_progress: told how far it is, in another thread.
        is_cancelled: asked often; True ends it within a second.
        rng: spreads the next attempt; a random one when None.

    Raises:
        UsageError: when there is no clone of that name.
    """
    clone = area.get(name)
    try:
        with exclusive(area.lock_file(clone)):
            outcome = _Sync(area, clone, on_progress, is_cancelled).run(accept_deletions=accept_deletions)
            return _remembered(area, name, outcome, rng or random.Random())  # noqa: S311 - spreads load, guards nothing
    except EnvironmentFault as fault:
        end = SyncEnd.BUSY if isinstance(fault, Busy) else SyncEnd.FAILED
        return SyncOutcome(end, fault.title, fault.hint)


def adopt(area: CloneArea, name: str, target: str) -> SyncOutcome:
    """Move a clone to a commit the user chose after a stop; commits that exist only here are kept by name.

    Args:
        area: our clones.
        name: which one.
        target: `SyncOutcome.offered`, or a ``refs/backup/…`` name to go back to.

    Raises:
        UsageError: when there is no such clone or commit.
    """
    clone = area.get(name)
    check_ref(target)
    try:
        with exclusive(area.lock_file(clone)):
            return _Sync(area, clone, None, None).adopt(target)
    except EnvironmentFault as fault:
        end = SyncEnd.BUSY if isinstance(fault, Busy) else SyncEnd.FAILED
        return SyncOutcome(end, fault.title, fault.hint)


def backups(area: CloneArea, name: str) -> tuple[tuple[str, CommitId], ...]:
    """Return the names under ``refs/backup/`` with their commits, newest first.

    Raises:
        UsageError: when there is no clone of that name.
        EnvironmentFault: when it cannot be read.
    """
    repository = area.repository(area.get(name))
    outcome = area.runner.run(
        "for-each-ref", ("--format=%(refname) %(objectname)",), (BACKUP_PREFIX,), repository=repository
    ).expect_ok()
    rows = (line.split(" ") for line in outcome.text.splitlines())
    return tuple(sorted(((ref, check_commit(commit)) for ref, commit in rows), reverse=True))


def _remembered(area: CloneArea, name: str, outcome: SyncOutcome, rng: random.Random) -> SyncOutcome:
    """Write down whether the remote answered; add since when it has not, and when to try again."""
    clone, now = area.get(name), area.clock()
    if outcome.is_current:
        return outcome
    if outcome.end in (SyncEnd.CANCELLED, SyncEnd.BUSY) or outcome.end in NEEDS_CHOICE:
        return replace(outcome, stale_since=clone.checked_at)
    clone = area.update(replace(clone, failures=clone.failures + 1))
    is_retried = outcome.end is SyncEnd.OFFLINE
    retry_at = next_attempt_at(clone.failures, now, rng) if is_retried else None
    sentence = outcome.sentence
    if clone.checked_at is not None:
        sentence += f"; you see the state of {clone.checked_at:%Y-%m-%d %H:%M} UTC"
    return replace(outcome, sentence=sentence, stale_since=clone.checked_at, retry_at=retry_at)


class _Sync:
    """One sync of one clone, under its lock."""

    def __init__(
        self, area: CloneArea, clone: Clone, on_progress: OnProgress | None, is_cancelled: IsCancelled | None
    ) -> None:
        self._area, self._clone = area, clone
        self._on_progress, self._is_cancelled = on_progress, is_cancelled
        self._runner: GitRunner = area.runner
        self._repository: Repository = area.repository(clone)
        self._address: RemoteAddress = clone.address
        self._lazily = self._address if clone.is_partial else None

    # --- the order of things --------------------------------------------------------------------------

    def run(self, *, accept_deletions: bool) -> SyncOutcome:
        stopped = self._prepare()
        if isinstance(stopped, SyncOutcome):
            return stopped
        here = stopped
        state, self._address, failed = self._area.ask(self._address, is_cancelled=self._is_cancelled)
        if failed is not None:
            return self._from_git(failed, here)
        if (refused := self._suspicious(state, here, accept_deletions=accept_deletions)) is not None:
            return refused
        tip = state.tips[self._clone.branch]
        if tip == here:
            self._answered(state)
            return self._outcome(SyncEnd.UP_TO_DATE, "Up to date", here)
        fetched = self._fetch(tip)
        if fetched is not None:
            return self._from_git(fetched, here)
        offered = self._resolve(INCOMING_REF) or tip
        outcome = self._compare(here, offered, accept_deletions=accept_deletions)
        if outcome.is_current:
            self._answered(state)
        return outcome

    def adopt(self, target: str) -> SyncOutcome:
        stopped = self._prepare()
        if isinstance(stopped, SyncOutcome):
            return stopped
        here, there = stopped, self._resolve(target)
        if there is None:
            raise UsageError(
                "That state is not in this copy any more", "Sync again and choose from what it offers"
            )
        if (problem := self._too_large(there)) is not None:
            return problem
        kept = "" if self._is_ancestor(here, there) else self._keep(here)
        changes = self._changes(here, there)
        moved = self._move(here, there, is_remote=there == self._resolve(INCOMING_REF))
        return moved or self._outcome(
            SyncEnd.UPDATED,
            f"Now at the chosen state: {_count(changes)}",
            here,
            after=there,
            changes=changes,
            backup_ref=kept,
            hint="Your former state is kept and can be returned to" if kept else "",
        )

    def _prepare(self) -> SyncOutcome | CommitId:
        """Put right what a crash left, and look where the clone stands; return the commit of its files."""
        set_stale_locks_aside(self._repository, self._area.area / ".set-aside")
        head = self._runner.run("symbolic-ref", ("--quiet",), ("HEAD",), repository=self._repository)
        if head.cause not in (Cause.NONE, Cause.OTHER):  # a detached head is a silent exit 1
            return self._from_git(head, "")
        here = self._resolve(f"refs/heads/{self._clone.branch}")
        if head.text.strip() != f"refs/heads/{self._clone.branch}" or here is None:
            return self._outcome(
                SyncEnd.OUTSIDE_CHANGE,
                "Somebody switched this copy to another branch with git",
                here or "",
                hint=f"Switch it back to {self._clone.branch} there, or add the knowledge base anew",
            )
        doing = self._unfinished()
        if doing:
            return self._outcome(
                SyncEnd.OUTSIDE_CHANGE,
                f"A {doing} that somebody began with git in this copy is not finished",
                here,
                hint="Finish or abort it there; reading and searching go on",
            )
        return self._recover(here) or here

    def _unfinished(self) -> str:
        names = {"MERGE_HEAD": "merge", "rebase-merge": "rebase", "rebase-apply": "rebase"}
        names |= {"CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert", "BISECT_LOG": "bisect"}
        return next((word for name, word in names.items() if (self._repository.git_dir / name).exists()), "")

    def _suspicious(self, state: RemoteState, here: str, *, accept_deletions: bool) -> SyncOutcome | None:
        branch, seen = self._clone.branch, self._clone.seen_branches
        if not state.tips:
            return self._outcome(
                SyncEnd.EMPTY_REMOTE,
                "The remote says it holds nothing at all, so nothing was changed here",
                here,
                hint="Ask its owner whether it was emptied or moved; your copy is complete",
            )
        if branch not in state.tips:
            others = ", ".join(sorted(state.tips)[:8])
            return self._outcome(
                SyncEnd.BRANCH_DELETED,
                f"The branch {branch} is not on the remote any more",
                here,
                hint=f"Your copy is complete. The remote has: {others}",
            )
        if not accept_deletions and seen >= SHRINK_FROM and len(state.tips) < seen * (1 - SHRINK_SHARE):
            return self._outcome(
                SyncEnd.BRANCHES_GONE,
                f"The remote had {seen} branches and now has {len(state.tips)}, so nothing was changed here",
                here,
                hint="Ask its owner whether this is meant; then accept the deletions, or stay as you are",
            )
        return None

    def _fetch(self, tip: CommitId) -> GitOutcome | None:
        options = ["--progress", "--no-tags"]
        if self._clone.is_partial:
            options.append("--filter=blob:none")
        source = "origin" if self._clone.is_partial else self._address.text
        outcome = self._runner.run(
            "fetch",
            options,
            (source, f"+refs/heads/{self._clone.branch}:{INCOMING_REF}"),
            repository=self._repository,
            address=self._address,
            on_progress=self._on_progress,
            is_cancelled=self._is_cancelled,
        )
        if outcome.is_ok and self._resolve(INCOMING_REF) is None:
            return replace(outcome, cause=Cause.DAMAGED, details=f"{tip} did not arrive")
        return None if outcome.is_ok else outcome

    def _compare(self, here: CommitId, offered: CommitId, *, accept_deletions: bool) -> SyncOutcome:
        if here == offered:
            return self._outcome(SyncEnd.UP_TO_DATE, "Up to date", here)
        if self._is_ancestor(offered, here):
            return self._outcome(
                SyncEnd.AHEAD,
                "Up to date; this copy holds commits the remote does not have",
                here,
                hint="Propose them to share them",
                backup_ref=self._keep(here),
            )
        if (problem := self._too_large(offered)) is not None:
            return problem
        changes = self._changes(here, offered)
        if not self._is_ancestor(here, offered):
            return self._parted(here, offered, changes)
        if not accept_deletions and (refused := self._deletes_most(here, offered, changes)) is not None:
            return refused
        moved = self._move(here, offered)
        return moved or self._outcome(
            SyncEnd.UPDATED, f"Updated: {_count(changes)}", here, after=offered, changes=changes
        )

    def _parted(self, here: CommitId, offered: CommitId, changes: tuple[FileChange, ...]) -> SyncOutcome:
        """Tell apart replaced history, unrelated history and commits on both sides; nothing moves."""
        kept = self._keep(here)
        base = self._runner.run("merge-base", (), (here, offered), repository=self._repository)
        known = self._resolve("refs/remotes/origin/" + self._clone.branch)
        if not base.text.strip():
            end, sentence = (
                SyncEnd.UNRELATED,
                "The remote now holds another history that shares nothing with this one",
            )
        elif known is not None and not self._is_ancestor(known, offered):
            end, sentence = (
                SyncEnd.FORCED,
                "Somebody replaced the remote's history; pages may have been taken back",
            )
        else:
            end, sentence = SyncEnd.DIVERGED, "This copy and the remote have changes the other lacks"
        return self._outcome(
            end,
            f"{sentence}, so nothing was changed here",
            here,
            offered=offered,
            changes=changes,
            backup_ref=kept,
            hint="Take the remote's state (yours is kept), or stay as you are and ask its owner",
        )

    def _deletes_most(
        self, here: CommitId, offered: CommitId, changes: tuple[FileChange, ...]
    ) -> SyncOutcome | None:
        gone = sum(change.status is ChangeStatus.DELETED for change in changes)
        if not gone:
            return None
        have = len(self._files(here))
        if have < SHRINK_FROM or gone <= have * SHRINK_SHARE:
            return None
        return self._outcome(
            SyncEnd.WOULD_DELETE,
            f"The remote would delete {gone} of {have} files, so nothing was changed here",
            here,
            offered=offered,
            changes=changes,
            backup_ref=self._keep(here),
            hint="Ask its owner whether this is meant; then accept the deletions, or stay as you are",
        )

    # --- moving -----------------------------------------------------------------------------------------

    def _move(self, here: CommitId, there: CommitId, *, is_remote: bool = True) -> SyncOutcome | None:
        """Move files, index and branch from one commit to another; return how it failed, or None.

        A note on the disk says from where to where, so that a crash half-way can be told from edits.

        Args:
            here: the commit of the files.
            there: the commit they are to become.
            is_remote: it is what the remote has now, and is remembered as such.
        """
        self._area.note_move(self._clone, here, there)
        moved = self._runner.run(
            "read-tree",
            ("-m", "-u", "-v"),
            (here, there),
            repository=self._repository,
            address=self._lazily,
            on_progress=self._on_progress,
        )
        if not moved.is_ok:
            stopped = self._not_moved(moved, here)
            if stopped.end is SyncEnd.LOCAL_EDITS:
                self._forget_note()  # git checks every file before it writes the first
            return stopped
        is_flushed = self._flush(here, there)
        named = self._set_branch(there, here, is_remote=is_remote)
        if not named.is_ok:
            return self._from_git(named, here)
        if is_flushed:
            self._forget_note()
        else:
            self._area.note_move(self._clone, "", "")
        return None

    def _not_moved(self, outcome: GitOutcome, here: CommitId) -> SyncOutcome:
        words = outcome.details.lower()
        if "not uptodate" in words or "would be overwritten" in words or "would be removed" in words:
            return self._outcome(
                SyncEnd.LOCAL_EDITS,
                "Files in this copy were edited by hand, so nothing was changed",
                here,
                hint="Turn the edits into a proposal, or undo them, then sync again",
                details=outcome.details,
            )
        return self._from_git(outcome, here)

    def _set_branch(self, there: CommitId, expected: CommitId, *, is_remote: bool) -> GitOutcome:
        branch = f"refs/heads/{self._clone.branch}"
        remote = f"refs/remotes/origin/{self._clone.branch}"
        text = f"update {branch}\0{there}\0{expected}\0"
        if is_remote:
            text += f"update {remote}\0{there}\0\0"
        outcome = self._runner.run(
            "update-ref", ("--stdin", "-z"), repository=self._repository, stdin=text.encode()
        )
        for ref in (branch, remote):
            flush_ref(self._repository, ref)
        return outcome

    def _keep(self, commit: CommitId) -> str:
        """Give a commit a name under ``refs/backup/``, unless it has one; return the name."""
        for ref, known in backups(self._area, self._clone.name):
            if known == commit:
                return ref
        stamp = self._area.clock().strftime("%Y%m%dT%H%M%SZ")
        ref = f"{BACKUP_PREFIX}{stamp}-{commit[:8]}/{self._clone.branch}"
        self._runner.run("update-ref", (), (ref, commit), repository=self._repository).expect_ok()
        flush_ref(self._repository, ref)
        return ref

    def _forget_note(self) -> None:
        self._area.move_note(self._clone).unlink(missing_ok=True)
        flush_folder(self._area.area)

    def _recover(self, here: CommitId) -> SyncOutcome | None:
        """Finish what a crash cut short: files of either commit go back to the branch's; edits stay."""
        try:
            note = json.loads(self._area.move_note(self._clone).read_bytes())
            before, after = str(note["from"]), str(note["to"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            before = after = ""
        if not before:
            self._refill()
            self._forget_note()
            return None
        blobs: dict[str, set[str]] = {}
        for commit in filter(None, map(self._resolve, (before, after))):
            for file in self._files(commit):
                blobs.setdefault(file.path, set()).add(file.blob)
        dirty = self._dirty()
        edited = [path for path in dirty if path in blobs and not self._is_ours(path, blobs[path])]
        if edited:
            return self._outcome(
                SyncEnd.LOCAL_EDITS,
                f"{_first(edited)} was edited by hand while a sync was cut short, so nothing was changed",
                here,
                hint="Copy the edit elsewhere, undo it, then sync again",
            )
        wanted = {file.path for file in self._files(here)}
        for path in dirty:
            if path in blobs and path not in wanted:
                (self._repository.work_tree / path).unlink(missing_ok=True)
        outcome = self._runner.run(
            "read-tree", ("--reset", "-u"), (here,), repository=self._repository, address=self._lazily
        )
        if not outcome.is_ok:
            return self._from_git(outcome, here)
        self._forget_note()
        return None

    def _refill(self) -> None:
        """Write again the files that a power cut left without content."""
        tree = self._repository.work_tree
        empty = [
            path for path in self._dirty() if (tree / path).is_file() and not (tree / path).stat().st_size
        ]
        if empty:
            self._runner.run(
                "checkout-index",
                ("-f", "-q", "-z", "--stdin"),
                repository=self._repository,
                stdin=b"".join(os.fsencode(path) + b"\0" for path in empty),
                address=self._lazily,
            )

    def _dirty(self) -> list[str]:
        outcome = self._runner.run(
            "status",
            ("--porcelain=v2", "-z", "--untracked-files=all", "--no-renames"),
            repository=self._repository,
        ).expect_ok()
        paths = []
        for row in outcome.stdout.split(b"\0"):
            if row[:2] in (b"1 ", b"u "):
                paths.append(os.fsdecode(row.split(b" ", 8 if row[:1] == b"1" else 10)[-1]))
            elif row[:2] == b"? ":
                paths.append(os.fsdecode(row[2:]))
        return paths

    def _is_ours(self, path: str, blobs: set[str]) -> bool:
        """Tell whether a file holds what one of the two commits holds, nothing, or is not there."""
        file = self._repository.work_tree / path
        try:
            if file.is_symlink():
                return False
            content = file.read_bytes()
        except FileNotFoundError:
            return True
        except OSError:
            return False
        if not content:
            return True  # a power cut leaves names without content
        hashed = self._runner.run(
            "hash-object", ("--stdin", "--no-filters"), repository=self._repository, stdin=content
        )
        return hashed.text.strip() in blobs

    def _flush(self, here: CommitId, there: CommitId) -> bool:
        """Flush the files that changed: git does not, and an empty page is worse than an old one.

        Returns whether they were; a large update is left to the next sync's look at empty files.
        """
        folders: set[Path] = set()
        changes = self._changes(here, there)
        if len(changes) > FLUSHED_FILES:
            return False
        for change in changes:
            file = self._repository.work_tree / change.path
            try:
                descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            except OSError:
                continue
            try:
                os.fsync(descriptor)
            except OSError:
                continue
            finally:
                os.close(descriptor)
            folders.add(file.parent)
        for folder in folders:
            flush_folder(folder)
        return True

    # --- looking ----------------------------------------------------------------------------------------

    def _resolve(self, ref: str) -> CommitId | None:
        outcome = self._runner.run(
            "rev-parse",
            ("--verify", "--quiet"),
            (f"{check_ref(ref)}^{{commit}}",),
            repository=self._repository,
        )
        lines = outcome.text.split()
        return check_commit(lines[0]) if outcome.is_ok and lines else None

    def _is_ancestor(self, older: CommitId, newer: CommitId) -> bool:
        return self._runner.run(
            "merge-base", ("--is-ancestor",), (older, newer), repository=self._repository
        ).is_ok

    def _files(self, commit: CommitId) -> tuple[TreeFile, ...]:
        outcome = self._list(commit)
        return parse_listing(outcome.expect_ok().stdout)

    def _list(self, commit: CommitId) -> GitOutcome:
        options = ("-r", "-z", "--full-tree") if self._clone.is_partial else ("-r", "-l", "-z", "--full-tree")
        return self._runner.run(
            "ls-tree",
            options,
            (commit,),
            repository=self._repository,
            max_output_bytes=self._area.limits.listing_bytes,
        )

    def _too_large(self, commit: CommitId) -> SyncOutcome | None:
        listed = self._list(commit)
        problem = ""
        if listed.cause is Cause.TOO_MUCH:
            problem = f"It holds more than {self._area.limits.files:,} files"
        elif listed.is_ok:
            files = unpacked(parse_listing(listed.stdout), self._clone.only_paths)
            problem = limit_problem(files, self._area.limits)
        if not problem:
            return None
        return self._outcome(
            SyncEnd.TOO_LARGE,
            f"{problem}, so nothing was changed here",
            self._resolve(f"refs/heads/{self._clone.branch}") or "",
            offered=commit,
            hint="Ask the owner of the knowledge base what was added",
        )

    def _changes(self, old: CommitId, new: CommitId) -> tuple[FileChange, ...]:
        outcome = self._runner.run(
            "diff-tree", ("-r", "-z", "-M", "--name-status"), (old, new), repository=self._repository
        ).expect_ok()
        return parse_changes(outcome.stdout)

    def _answered(self, state: RemoteState) -> None:
        clone = with_success(self._area.get(self._clone.name), self._area.clock(), len(state.tips))
        if self._address.text != clone.url:
            clone = replace(clone, url=self._address.text)  # moved on the same host
        self._area.update(clone)

    # --- saying -----------------------------------------------------------------------------------------

    def _from_git(self, outcome: GitOutcome, here: str) -> SyncOutcome:
        table = {
            Cause.NOT_GIT: SyncEnd.NOT_GIT,
            Cause.AUTH_NEEDED: SyncEnd.AUTH_NEEDED,
            Cause.MOVED: SyncEnd.MOVED,
            Cause.CANCELLED: SyncEnd.CANCELLED,
            Cause.LOCKED: SyncEnd.BUSY,
            Cause.BAD_CONTENT: SyncEnd.UNSAFE,
            Cause.REF_MISSING: SyncEnd.BRANCH_DELETED,
        }
        end = SyncEnd.OFFLINE if outcome.cause in RETRYABLE else table.get(outcome.cause, SyncEnd.FAILED)
        return self._outcome(end, outcome.sentence, here, hint=outcome.hint, details=outcome.details)

    def _outcome(
        self,
        end: SyncEnd,
        sentence: str,
        here: str,
        *,
        after: str = "",
        offered: str = "",
        changes: tuple[FileChange, ...] = (),
        backup_ref: str = "",
        hint: str = "",
        details: str = "",
    ) -> SyncOutcome:
        return SyncOutcome(
            end,
            sentence,
            hint,
            details,
            before=here,
            after=after or here,
            offered=offered,
            changes=changes,
            backup_ref=backup_ref,
        )


def flush_ref(repository: Repository, ref: str) -> None:
    """Make a changed ref's name durable: git flushes its content, not the folders it lies in."""
    folder = (repository.git_dir / ref).parent
    while folder != repository.git_dir and repository.git_dir in folder.parents:
        if folder.is_dir():
            flush_folder(folder)
        folder = folder.parent
    flush_folder(repository.git_dir)


def parse_changes(raw: bytes) -> tuple[FileChange, ...]:
    """Return the files of ``git diff-tree -r -z --name-status``, in path order."""
    words = iter(raw.split(b"\0"))
    found = []
    for status in words:
        letter = status[:1].decode("ascii", "replace")
        if not letter:
            continue
        first = os.fsdecode(next(words, b""))
        if letter in ("R", "C"):
            second = os.fsdecode(next(words, b""))
            kind = ChangeStatus.RENAMED if letter == "R" else ChangeStatus.ADDED
            found.append(FileChange(second, kind, first if letter == "R" else ""))
        else:
            kinds = {"A": ChangeStatus.ADDED, "D": ChangeStatus.DELETED}
            found.append(FileChange(first, kinds.get(letter, ChangeStatus.CHANGED)))
    return tuple(sorted(found, key=lambda change: change.path))


def _count(changes: tuple[FileChange, ...]) -> str:
    parts = []
    for status in ChangeStatus:
        number = sum(change.status is status for change in changes)
        if number:
            parts.append(f"{number} {status}")
    return ", ".join(parts) or "no file changed"


def _first(paths: list[str]) -> str:
    first = visible(paths[0])
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"
