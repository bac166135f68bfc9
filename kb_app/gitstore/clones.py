"""Clones of our own: made under a temporary name, measured before anything is unpacked, named when verified.

Decision: a repository is ours because our record says so, never because a ``.git`` was found. A folder that
somebody else made keeps its ``.git`` untouched; `CloneArea.clean_copy` clones it through git's own transport,
which is the boundary git itself promises to hold.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urljoin

from kb_app.durable import flush_folder, write_atomically
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.causes import Cause
from kb_app.gitstore.locks import exclusive, is_held
from kb_app.gitstore.names import (
    CommitId,
    RemoteAddress,
    Transport,
    check_branch,
    check_commit,
    check_path,
    parse_address,
)
from kb_app.gitstore.process import Progress
from kb_app.gitstore.runner import GitOutcome, GitRunner, Repository
from kb_app.gitstore.trees import (
    FolderCount,
    TreeLimits,
    folder_counts,
    limit_problem,
    parse_listing,
    remove_tree,
    sweep_removals,
    unpacked,
)
from kb_app.paths import private_folder
from kb_app.plain import from_plain, to_plain

RECORD_FILE = "clones.json"
ATTRIBUTES = "* !text !eol !ident !filter !working-tree-encoding !merge !diff\n"
"""Overrules what a repository's ``.gitattributes`` ask for: no filter program of the user's own configuration
runs on a stranger's wish, and a file has the bytes that were committed.

Source: ``gitattributes(5)``: ``info/attributes`` has the highest precedence.
"""
INCOMING = ".incoming-"

OnProgress = Callable[[Progress], None]
IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone this program made.

    Attributes:
        name: unique; what the user calls the knowledge base.
        folder: its folder's name inside the area.
        url: where it came from; holds no credential.
        branch: the branch it follows.
        created_at: when it was made (UTC).
        is_partial: texts of files are fetched when they are needed.
        only_paths: the folders that are unpacked; empty means all.
        is_insecure: the user agreed to an unencrypted transport.
        checked_at: when the remote last answered as a repository (UTC).
        failures: attempts that failed since.
        seen_branches: branches the remote had then.
    """

    name: str
    folder: str
    url: str
    branch: str
    created_at: dt.datetime
    is_partial: bool = False
    only_paths: tuple[str, ...] = ()
    is_insecure: bool = False
    checked_at: dt.datetime | None = None
    failures: int = 0
    seen_branches: int = 0

    @property
    def address(self) -> RemoteAddress:
        """Its remote."""
        return parse_address(self.url, allow_insecure=self.is_insecure)


class CloneEnd(StrEnum):
    """How an attempt to clone ended."""

    CLONED = "cloned"
    EXISTS = "exists"
    EMPTY = "empty"
    TOO_LARGE = "too-large"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CloneOutcome:
    """What became of an attempt to clone.

    Attributes:
        end: how it ended.
        sentence, hint: for the user; details: what git said, redacted.
        clone: the new clone, or the one that exists under that name.
        cause: why it failed.
    """

    end: CloneEnd
    sentence: str
    hint: str = ""
    details: str = ""
    clone: Clone | None = None
    cause: Cause = Cause.NONE

    @property
    def is_ok(self) -> bool:
        """There is a clone to read."""
        return self.end is CloneEnd.CLONED


@dataclass(frozen=True, slots=True)
class Survey:
    """What a repository holds, looked up without its texts.

    Attributes:
        files: number of its files; 0 when it could not be looked at.
        folders: its parts, most entries first (`folder_counts`).
        failure: why it could not be looked at; None when it could.
    """

    files: int = 0
    folders: tuple[FolderCount, ...] = ()
    failure: CloneOutcome | None = None


@dataclass(frozen=True, slots=True)
class RemoteState:
    """What a remote offers: its default branch (empty when it names none) and the tip of each branch."""

    default_branch: str
    tips: dict[str, CommitId]


def writable_or_existing(folder: Path) -> Path:
    """Return ``folder``, made for this user alone; one that is there and only readable will do for reading.

    Raises:
        EnvironmentFault: when it is absent and cannot be made.
    """
    try:
        return private_folder(folder)
    except EnvironmentFault:
        if folder.is_dir():
            return folder
        raise


def now_utc() -> dt.datetime:
    """Return the time, aware, without microseconds."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


class CloneArea:
    """The folder that holds our clones, and the record of them.

    Args:
        area: ``AppFolders.clones``; created for this user alone.
        runner: runs git.
        clock: what time it is (UTC, aware).
        limits: what a knowledge base may hold.
    """

    def __init__(
        self,
        area: Path,
        runner: GitRunner,
        *,
        clock: Callable[[], dt.datetime] = now_utc,
        limits: TreeLimits | None = None,
    ) -> None:
        self.area = writable_or_existing(area.absolute())
        self.runner = runner
        self.clock = clock
        self.limits = limits or TreeLimits()

    # --- the record ---------------------------------------------------------------------------------

    def clones(self) -> tuple[Clone, ...]:
        """Return our clones by name.

        Raises:
            EnvironmentFault: when the record cannot be read.
        """
        file = self.area / RECORD_FILE
        try:
            plain = json.loads(file.read_bytes())
            return tuple(from_plain(Clone, row) for row in plain["clones"])
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EnvironmentFault(
                f"The record of clones {file} cannot be read",
                "Move it away and add the knowledge bases again",
            ) from error

    def find(self, name: str) -> Clone | None:
        """Return the clone called ``name``, or None."""
        return next((clone for clone in self.clones() if clone.name == name), None)

    def get(self, name: str) -> Clone:
        """Return the clone called ``name``.

        Raises:
            UsageError: when there is none.
        """
        clone = self.find(name)
        if clone is None:
            names = ", ".join(c.name for c in self.clones()) or "none"
            raise UsageError(f"No managed knowledge base is called {name!r}", f"Managed ones: {names}")
        return clone

    def root(self, clone: Clone) -> Path:
        """Return the folder with the clone's files.

        Raises:
            EnvironmentFault: when it is gone, or is not the plain folder this program made.
        """
        if not _is_plain_name(clone.folder):
            raise EnvironmentFault(
                f"The record of {clone.name} names a folder that is not ours", "Remove the knowledge base"
            )
        root = self.area / clone.folder
        git_dir = root / ".git"
        if root.is_symlink() or git_dir.is_symlink() or not git_dir.is_dir():
            raise EnvironmentFault(
                f"The copy of {clone.name} is not there any more",
                "Remove the knowledge base and add it again",
            )
        return root

    def owner_of(self, folder: Path) -> Clone | None:
        """Return the clone whose root ``folder`` is, or None: by record, never by looking for ``.git``."""
        wanted = os.path.realpath(folder)
        return next((c for c in self.clones() if os.path.realpath(self.area / c.folder) == wanted), None)

    def is_foreign(self, folder: Path) -> bool:
        """Tell whether a folder is somebody's repository and not ours: offer `clean_copy`."""
        is_repository = os.path.lexists(folder / ".git") or is_bare_repository(folder)
        return is_repository and self.owner_of(folder) is None

    def repository(self, clone: Clone) -> Repository:
        """Return the clone as git is told of it."""
        return Repository.at(self.root(clone))

    def lock_file(self, clone: Clone) -> Path:
        """Return the file whose lock makes its holder the one writer of the clone."""
        return self.area / f".{clone.folder}.lock"

    def move_note(self, clone: Clone) -> Path:
        """Return the file that says, while it is there, that the clone's files may not be whole."""
        return self.area / f".{clone.folder}.moving"

    def note_move(self, clone: Clone, before: str, after: str) -> None:
        """Note durably that files go from one commit to another; both empty: new files are not flushed."""
        write_atomically(self.move_note(clone), json.dumps({"from": before, "to": after}).encode())

    def update(self, clone: Clone) -> Clone:
        """Write the changed record of a clone, durably, and return it."""
        with exclusive(self.area / ".record.lock", patience_s=5):
            rows = [clone if c.name == clone.name else c for c in self.clones()]
            self._write(rows)
        return clone

    def _write(self, clones: Sequence[Clone]) -> None:
        rows = sorted(clones, key=lambda c: c.name)
        text = json.dumps({"clones": to_plain(rows)}, indent=1, ensure_ascii=False)
        write_atomically(self.area / RECORD_FILE, text.encode() + b"\n")

    # --- making -------------------------------------------------------------------------------------

    def clone(
        self,
        url: str,
        name: str = "",
        *,
        branch: str = "",
        is_partial: bool = False,
        only_paths: Sequence[str] = (),
        allow_insecure: bool = False,
        on_progress: OnProgress | None = None,
        is_cancelled: IsCancelled | None = None,
    ) -> CloneOutcome:
        """Clone a repository into the area.

        Args:
            url: its address (`names.parse_address`).
            name: what the user calls it; made from the address when empty.
            branch: the branch to follow; the remote's default when empty.
            is_partial: fetch the texts of files only when they are unpacked.
            only_paths: folders to unpack (a product's part of a large repository); all when empty.
            allow_insecure: the user agreed to ``http://`` or ``git://``.
            on_progress: told how far it is, in another thread.
            is_cancelled: asked often; True ends it within a second and leaves nothing behind.

        Raises:
            UsageError: when the address, the branch or a path is not acceptable.
            EnvironmentFault: when the area cannot be written to.
        """
        address = parse_address(url, allow_insecure=allow_insecure)
        if branch:
            check_branch(branch)
        paths = tuple(check_path(path) for path in only_paths)
        shown = name or name_from(address)
        if (known := self.find(shown)) is not None:
            return _exists(known)
        state, address, failed = self.ask(address, is_cancelled=is_cancelled)
        if failed is not None:
            return _failed(failed)
        branch = branch or state.default_branch or next(iter(sorted(state.tips)), "")
        if not state.tips:
            return CloneOutcome(
                CloneEnd.EMPTY, "The repository is empty", "Add a first entry there, then clone it again"
            )
        if branch not in state.tips:
            have = ", ".join(sorted(state.tips)[:8])
            return CloneOutcome(
                CloneEnd.FAILED, f"There is no branch {branch}", f"There are: {have}", cause=Cause.REF_MISSING
            )
        clone = Clone(
            shown,
            _folder_name(shown),
            address.text,
            branch,
            self.clock(),
            is_partial=is_partial,
            only_paths=paths,
            is_insecure=allow_insecure,
            checked_at=self.clock(),
            seen_branches=len(state.tips),
        )
        return self._make(clone, address, on_progress, is_cancelled)

    def clean_copy(
        self,
        folder: Path,
        name: str = "",
        *,
        on_progress: OnProgress | None = None,
        is_cancelled: IsCancelled | None = None,
    ) -> CloneOutcome:
        """Clone a folder that holds somebody's repository, so that its own ``.git`` never has to be trusted.

        The folder's configuration, hooks and filters do not come along; what was not committed stays behind.

        Raises:
            UsageError: when the folder's path cannot be an address.
        """
        return self.clone(
            str(folder.expanduser().resolve()),
            name or folder.name,
            on_progress=on_progress,
            is_cancelled=is_cancelled,
        )

    def survey(
        self,
        url: str,
        *,
        allow_insecure: bool = False,
        on_progress: OnProgress | None = None,
        is_cancelled: IsCancelled | None = None,
    ) -> Survey:
        """Look up what a repository holds before it is cloned: names of its newest state alone, no texts.

        Raises:
            UsageError: when the address is not acceptable.
            EnvironmentFault: when the area cannot be written to.
        """
        address = parse_address(url, allow_insecure=allow_insecure)
        state, address, failed = self.ask(address, is_cancelled=is_cancelled)
        if failed is not None:
            return Survey(failure=_failed(failed))
        branch = state.default_branch or next(iter(sorted(state.tips)), "")
        if not branch:
            return Survey(failure=CloneOutcome(CloneEnd.EMPTY, "The repository is empty"))
        self.sweep()
        incoming = self.area / f"{INCOMING}{secrets.token_hex(6)}"
        with exclusive(incoming.with_suffix(".lock")):
            try:
                incoming.mkdir(mode=0o700)
                return self._surveyed(incoming / "r", address, branch, on_progress, is_cancelled)
            except OSError as error:
                raise EnvironmentFault(
                    f"{self.area} cannot be written to: {error.strerror or error}", "Free some space there"
                ) from error
            finally:
                remove_tree(incoming)
                incoming.with_suffix(".lock").unlink(missing_ok=True)

    def _surveyed(
        self,
        root: Path,
        address: RemoteAddress,
        branch: str,
        on_progress: OnProgress | None,
        is_cancelled: IsCancelled | None,
    ) -> Survey:
        watch = _TransferWatch(self.limits.transfer_bytes, on_progress, is_cancelled)
        outcome = self.runner.run(
            "clone",
            (
                "--no-checkout",
                "--no-local",
                "--no-tags",
                "--single-branch",
                "--progress",
                "--origin=origin",
                "--depth=1",
                "--filter=blob:none",
                f"--branch={branch}",
            ),
            (address.text, str(root)),
            address=address,
            on_progress=watch.hear,
            is_cancelled=watch.is_over,
        )
        if not outcome.is_ok:
            return Survey(failure=_failed(outcome))
        listed = self.runner.run(
            "ls-tree",
            ("-r", "-z", "--full-tree"),
            ("HEAD",),
            repository=Repository.at(root),
            is_cancelled=is_cancelled,
        )
        if not listed.is_ok and listed.cause is not Cause.TOO_MUCH:
            return Survey(failure=_failed(listed))
        files = parse_listing(listed.stdout)
        return Survey(len(files), folder_counts(files))

    def ask(
        self, address: RemoteAddress, *, is_cancelled: IsCancelled | None = None
    ) -> tuple[RemoteState, RemoteAddress, GitOutcome | None]:
        """Ask a remote for its branches; nothing changes anywhere.

        Returns:
            What it offers, the address that answered (it may have moved on the same host), and the failed
            outcome or None. Branches with names that nobody could read are left out.
        """
        outcome = self._ask_once(address, is_cancelled)
        if outcome.cause is Cause.MOVED and (other := moved_to(address, outcome)) is not None:
            address = other
            outcome = self._ask_once(address, is_cancelled)
        if not outcome.is_ok:
            return RemoteState("", {}), address, outcome
        return parse_refs(outcome.text), address, None

    def _ask_once(self, address: RemoteAddress, is_cancelled: IsCancelled | None) -> GitOutcome:
        operands = (address.text, "HEAD", "refs/heads/*")
        return self.runner.run(
            "ls-remote", ("--symref",), operands, address=address, is_cancelled=is_cancelled
        )

    def _make(
        self,
        clone: Clone,
        address: RemoteAddress,
        on_progress: OnProgress | None,
        is_cancelled: IsCancelled | None,
    ) -> CloneOutcome:
        self.sweep()
        incoming = self.area / f"{INCOMING}{secrets.token_hex(6)}"
        with exclusive(incoming.with_suffix(".lock")):
            try:
                incoming.mkdir(mode=0o700)
                outcome = self._fill(incoming / "r", clone, address, on_progress, is_cancelled)
                return outcome or self._take_in(incoming / "r", clone)
            except OSError as error:
                raise EnvironmentFault(
                    f"{self.area} cannot be written to: {error.strerror or error}", "Free some space there"
                ) from error
            finally:
                remove_tree(incoming)
                incoming.with_suffix(".lock").unlink(missing_ok=True)

    def _fill(
        self,
        root: Path,
        clone: Clone,
        address: RemoteAddress,
        on_progress: OnProgress | None,
        is_cancelled: IsCancelled | None,
    ) -> CloneOutcome | None:
        """Clone into ``root``, measure, unpack; return how it failed, or None."""
        watch = _TransferWatch(self.limits.transfer_bytes, on_progress, is_cancelled)
        options = [
            "--no-checkout",
            "--no-local",
            "--no-tags",
            "--single-branch",
            "--progress",
            "--origin=origin",
        ]
        options.append(f"--branch={clone.branch}")
        if clone.is_partial:
            options.append("--filter=blob:none")
        outcome = self.runner.run(
            "clone",
            options,
            (address.text, str(root)),
            address=address,
            on_progress=watch.hear,
            is_cancelled=watch.is_over,
        )
        if watch.is_too_large:
            limit = self.limits.transfer_bytes // 1_000_000
            return _too_large(f"More than {limit:,} MB came in")
        if not outcome.is_ok:
            return _failed(outcome)
        repository = Repository.at(root)
        listed = self.runner.run(
            "ls-tree",
            ("-r", "-z", "--full-tree") if clone.is_partial else ("-r", "-l", "-z", "--full-tree"),
            ("HEAD",),
            repository=repository,
            max_output_bytes=self.limits.listing_bytes,
            is_cancelled=is_cancelled,
        )
        if listed.cause is Cause.TOO_MUCH:
            seen = len(parse_listing(listed.stdout))
            return _too_large(f"It holds more than {min(seen, self.limits.files):,} files")
        if not listed.is_ok:
            return _failed(listed)
        if problem := limit_problem(unpacked(parse_listing(listed.stdout), clone.only_paths), self.limits):
            return _too_large(problem)
        return self._unpack(repository, clone, address, on_progress, is_cancelled)

    def _unpack(
        self,
        repository: Repository,
        clone: Clone,
        address: RemoteAddress,
        on_progress: OnProgress | None,
        is_cancelled: IsCancelled | None,
    ) -> CloneOutcome | None:
        try:
            (repository.git_dir / "info").mkdir(exist_ok=True)
            (repository.git_dir / "info" / "attributes").write_text(ATTRIBUTES, "ascii")
        except OSError as error:
            cause = Cause.DISK_FULL if error.errno == errno.ENOSPC else Cause.READ_ONLY
            return _failed(GitOutcome(cause, details=str(error.strerror)))
        # written down too, so that a person's own git in this copy sees no changed files
        kept = self.runner.run("config", ("--local",), ("core.symlinks", "false"), repository=repository)
        if not kept.is_ok:
            return _failed(kept)
        remote = address if clone.is_partial else None
        if clone.only_paths:
            chosen = self.runner.run(
                "sparse-checkout-set",
                ("--cone", "--stdin"),
                repository=repository,
                stdin="".join(f"{path}\n" for path in clone.only_paths).encode(),
                address=remote,
                is_cancelled=is_cancelled,
            )
            if not chosen.is_ok:
                return _failed(chosen)
        done = self.runner.run(
            "read-tree",
            ("-m", "-u", "-v"),
            ("HEAD",),
            repository=repository,
            address=remote,
            on_progress=on_progress,
            is_cancelled=is_cancelled,
        )
        return None if done.is_ok else _failed(done)

    def _take_in(self, made: Path, clone: Clone) -> CloneOutcome:
        """Give a verified clone its name and its row in the record, in that order, durably."""
        with exclusive(self.area / ".record.lock", patience_s=5):
            rows = self.clones()
            known = next((c for c in rows if c.name == clone.name), None)
            if known is not None:
                return _exists(known)
            target = self.area / clone.folder
            if os.path.lexists(target):  # left by a crash between the rename and the record
                remove_tree(target)
            made.replace(target)
            # git does not flush what it unpacks: until the next sync has looked, empty files are suspect
            self.note_move(clone, "", "")
            flush_folder(self.area)
            self._write([*rows, clone])
        return CloneOutcome(CloneEnd.CLONED, f"{clone.name} is here and works without a network", clone=clone)

    # --- removing -----------------------------------------------------------------------------------

    def remove(self, name: str) -> None:
        """Forget a clone and remove its files; proposals that wait are kept by their own queue.

        Raises:
            UsageError: when there is no clone of that name.
            EnvironmentFault: when it is in use or cannot be removed.
        """
        clone = self.get(name)
        with contextlib.ExitStack() as held:
            if _is_plain_name(clone.folder):
                held.enter_context(exclusive(self.lock_file(clone)))
            held.enter_context(exclusive(self.area / ".record.lock", patience_s=5))
            self._write([c for c in self.clones() if c.name != name])
            if _is_plain_name(clone.folder):
                remove_tree(self.area / clone.folder)
                self.move_note(clone).unlink(missing_ok=True)
                self.lock_file(clone).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what killed clones and removals left behind; those still at work are left alone."""
        sweep_removals(self.area)
        for folder in self.area.glob(f"{INCOMING}*"):
            lock = folder.with_suffix(".lock")
            if folder.suffix == ".lock":
                if not folder.with_suffix("").exists() and not is_held(folder):
                    folder.unlink(missing_ok=True)
                continue
            if not is_held(lock):
                with contextlib.suppress(EnvironmentFault):
                    remove_tree(folder)
                lock.unlink(missing_ok=True)


class _TransferWatch:
    """Stops a transfer that brings too much."""

    def __init__(self, limit: int, on_progress: OnProgress | None, is_cancelled: IsCancelled | None) -> None:
        self._limit, self._on_progress, self._is_cancelled = limit, on_progress, is_cancelled
        self.is_too_large = False

    def hear(self, progress: Progress) -> None:
        if (progress.received_bytes or 0) > self._limit:
            self.is_too_large = True
        if self._on_progress is not None:
            self._on_progress(progress)

    def is_over(self) -> bool:
        return self.is_too_large or (self._is_cancelled is not None and self._is_cancelled())


def is_bare_repository(folder: Path) -> bool:
    """Tell from its files alone whether a folder is a repository without a work tree."""
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def is_address(text: str) -> bool:
    """Tell whether what a user typed names a remote to clone, not a folder to read."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:(?:/(?!/)|//|:)", text) and not re.match(r"[A-Za-z]:[\\/]", text):
        return True
    if re.match(r"[\w.-]+@[\w.-]+:", text):
        return True
    return is_bare_repository(Path(text).expanduser())


def parse_refs(text: str) -> RemoteState:
    """Return what ``git ls-remote --symref`` printed."""
    default, tips = "", {}
    for line in text.splitlines():
        value, _, ref = line.partition("\t")
        if value.startswith("ref: refs/heads/") and ref == "HEAD":
            default = value.removeprefix("ref: refs/heads/")
        elif ref.startswith("refs/heads/"):
            try:
                tips[check_branch(ref.removeprefix("refs/heads/"))] = check_commit(value)
            except UsageError:
                continue  # a name that cannot be shown cannot be followed
    return RemoteState(default if default in tips else "", tips)


def moved_to(address: RemoteAddress, outcome: GitOutcome) -> RemoteAddress | None:
    """Return the new address when the server redirects to itself over the same or a better transport.

    A redirect to another host is not followed: a login meant for one server must not reach another.
    """
    location = outcome.answers[-1].location if outcome.answers else ""
    target = urljoin(address.text.rstrip("/") + "/info/refs", location)
    base, found, _ = target.partition("/info/refs")
    if not location or not found:
        return None
    try:
        other = parse_address(base, allow_insecure=address.transport is Transport.HTTP)
    except UsageError:
        return None
    same_host = other.host.partition(":")[0] == address.host.partition(":")[0]
    is_better = other.transport is Transport.HTTPS or other.transport is address.transport
    same_port = other.host == address.host or other.transport is not address.transport
    return other if same_host and same_port and is_better and other != address else None


def name_from(address: RemoteAddress) -> str:
    """Return a readable name for a repository: the last part of its path."""
    last = re.split(r"[/\\]", address.path.rstrip("/\\"))[-1].removesuffix(".git")
    return re.sub(r"[^\w.-]+", "-", last).strip("-.") or "knowledge-base"


def _is_plain_name(folder: str) -> bool:
    return bool(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,90}", folder))


def _folder_name(name: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "kb"
    return f"{slug}-{secrets.token_hex(4)}"


def _failed(outcome: GitOutcome) -> CloneOutcome:
    end = CloneEnd.CANCELLED if outcome.cause is Cause.CANCELLED else CloneEnd.FAILED
    return CloneOutcome(end, outcome.sentence, outcome.hint, outcome.details, cause=outcome.cause)


def _exists(known: Clone) -> CloneOutcome:
    return CloneOutcome(
        CloneEnd.EXISTS,
        f"There is already a knowledge base called {known.name}",
        "Give this one another name",
        clone=known,
    )


def _too_large(problem: str) -> CloneOutcome:
    return CloneOutcome(
        CloneEnd.TOO_LARGE,
        f"{problem}, so nothing was unpacked",
        "Clone only the folders of your product, or check that this is a knowledge base",
    )


def with_success(clone: Clone, at: dt.datetime, branches: int) -> Clone:
    """Return the record after the remote answered."""
    return replace(clone, checked_at=at, failures=0, seen_branches=branches)
