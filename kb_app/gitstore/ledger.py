"""A repository of our own that keeps the history of records: made here, committed to, never rewritten.

Decision: files go into the index by content, byte for byte, and the commit is made from the index. Git never
writes a file of a record, no filter touches one, and nothing that lies beside the records is taken in. One
writer at a time: the lock lies in the repository itself, so that it holds for every window and program that
uses the same records.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.durable import sync_folder, write_atomically
from kb_app.errors import EnvironmentFault
from kb_app.gitstore.locks import exclusive, set_stale_locks_aside
from kb_app.gitstore.names import CommitId, check_commit, check_message, check_path
from kb_app.gitstore.runner import GitOutcome, GitRunner, Identity, Repository
from kb_app.gitstore.sync import flush_ref
from kb_app.gitstore.trees import remove_tree
from kb_app.paths import private_folder

BRANCH = "main"
HEAD_REF = f"refs/heads/{BRANCH}"
LOCK = ".kb_app-writer"
"""Beside ``.git``, because the repository is made under it."""
MAKING = ".kb_app-making-"
MADE_HERE = "kb_app-records"
"""A file in ``.git`` that says that this program made the repository."""
LOCK_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Staged:
    """A file as the index takes it: its path in the repository and its blob; None removes it."""

    path: str
    blob: str | None


class Ledger:
    """The repository around the records of one root.

    Args:
        top: folder of the repository; ``.git`` lies in it.
        runner: runs git.
        identity: who commits; empty parts as git is configured.
        inside: folder of the repository that holds ``incidents/``, ``/``-separated; empty for its top.
    """

    def __init__(self, top: Path, runner: GitRunner, identity: Identity, *, inside: str = "") -> None:
        self.top = top.absolute()
        self.runner = runner
        self.identity = identity
        self.inside = check_path(inside) if inside else ""
        self.repository = Repository.at(top)

    @property
    def root(self) -> Path:
        """Folder that holds ``incidents/``."""
        return self.top / self.inside if self.inside else self.top

    @property
    def exists(self) -> bool:
        """Tell whether this program made the repository already."""
        return (self.repository.git_dir / MADE_HERE).is_file()

    def path_of(self, file: str) -> str:
        """Return the path in the repository of a path below the root."""
        return f"{self.inside}/{file}" if self.inside else file

    @contextlib.contextmanager
    def locked(self, *, patience_s: float = LOCK_PATIENCE_S) -> Iterator[None]:
        """Be the one writer; makes the repository when there is none.

        Raises:
            Busy: when another window or program writes for longer than ``patience_s``.
            EnvironmentFault: when there is a repository that this program did not make, or none can be made.
        """
        git_dir = self.repository.git_dir
        if git_dir.exists() and not self.exists and (git_dir / "HEAD").exists():
            raise EnvironmentFault(
                f"{self.top} is a Git repository that kb_app did not make, so it is not committed to",
                "Commit the records there yourself, or keep them in a folder of their own",
            )
        private_folder(self.top)
        with exclusive(self.top / LOCK, patience_s=patience_s):
            if not self.exists:
                self._make()
            set_stale_locks_aside(self.repository, git_dir / "kb_app-set-aside")
            yield

    def _make(self) -> None:
        """Make the repository under another name first: killed in between, git leaves one it refuses."""
        for left in self.top.glob(f"{MAKING}*"):
            remove_tree(left)
        making = self.top / f"{MAKING}{secrets.token_hex(6)}"
        making.mkdir(mode=0o700)
        self.runner.run(
            "init",
            ("--quiet", "--object-format=sha1", f"--initial-branch={BRANCH}"),
            repository=Repository.at(making),
        ).expect_ok()
        write_atomically(making / ".git" / MADE_HERE, b"Records of incidents; made by kb_app.\n")
        exclude = making / ".git" / "info" / "exclude"
        exclude.parent.mkdir(exist_ok=True)
        write_atomically(exclude, f"{LOCK}\n{MAKING}*\n".encode())
        (making / ".git").rename(self.repository.git_dir)
        remove_tree(making)
        sync_folder(self.top)

    def run(
        self,
        verb: str,
        options: Sequence[str] = (),
        operands: Sequence[str] = (),
        *,
        paths: Sequence[str] = (),
        stdin: bytes = b"",
    ) -> GitOutcome:
        """Run one verb here; no network."""
        return self.runner.run(
            verb,
            options,
            operands,
            paths=paths,
            stdin=stdin,
            repository=self.repository,
            identity=self.identity,
        )

    def head(self) -> CommitId | None:
        """Return the last commit, or None when there is none."""
        return self.resolve(HEAD_REF)

    def resolve(self, ref: str) -> CommitId | None:
        """Return the commit that ``ref`` names, or None."""
        found = self.run("rev-parse", ("--verify", "--quiet"), (ref,))
        return check_commit(found.text.split()[0]) if found.is_ok and found.text.strip() else None

    def commit(self, files: Sequence[str], message: str) -> CommitId | None:
        """Commit ``files`` as they are on the disk; return the commit, or None when nothing had changed.

        Args:
            files: paths below the root, ``/``-separated; links and what is no plain file are left out.
            message: what it is about.

        Raises:
            Busy: when another window or program is committing.
            EnvironmentFault: when git cannot do it; the files are as they were.
        """
        with self.locked():
            return self.commit_staged(self.stage(files), message)

    def commit_staged(self, staged: Sequence[Staged], message: str) -> CommitId | None:
        """Commit what was staged; the caller holds the lock. Return None when nothing had changed."""
        if not staged:
            return None
        self.into_index(staged)
        made = self.run(
            "commit",
            ("--quiet", "--cleanup=verbatim", "--file=-", "--no-signoff"),
            stdin=check_message(message).encode(),
        )
        if not made.is_ok:
            if self._is_index_committed():
                return None
            made.expect_ok()
        flush_ref(self.repository, HEAD_REF)
        return self.head()

    def _is_index_committed(self) -> bool:
        tree = self.run("write-tree")
        before = self.run("rev-parse", ("--verify", "--quiet"), (f"{HEAD_REF}^{{tree}}",))
        return tree.is_ok and before.is_ok and tree.text.strip() == before.text.strip()

    def stage(self, files: Sequence[str]) -> tuple[Staged, ...]:
        """Store the contents of ``files`` (paths below the root) and return what the index takes."""
        plain = [file for file in files if _is_plain(self.root, file)]
        if not plain:
            return ()
        names = "".join(f"{self.path_of(file)}\n" for file in plain)
        stored = self.run(
            "hash-object", ("-w", "--stdin-paths", "--no-filters"), stdin=os.fsencode(names)
        ).expect_ok()
        blobs = stored.text.split()
        return tuple(Staged(self.path_of(file), blob) for file, blob in zip(plain, blobs, strict=True))

    def into_index(self, staged: Sequence[Staged], modes: Mapping[str, str] | None = None) -> None:
        """Put files into the index; those that exist in ``modes`` keep that mode."""
        rows = []
        for item in staged:
            mode = "0" if item.blob is None else (modes or {}).get(item.path, "100644")
            blob = item.blob or "0" * 40
            rows.append(f"{mode} {blob}\t".encode() + os.fsencode(item.path) + b"\0")
        self.run("update-index", ("-z", "--index-info"), stdin=b"".join(rows)).expect_ok()

    def uncommitted(self, folder: str) -> tuple[str, ...]:
        """Return the files below ``folder`` of the root that differ from what was committed, sorted.

        Files that are gone from the disk are left out: nothing is ever committed as removed.
        """
        if not self.exists:
            return ()
        listed = self.run(
            "status",
            ("--porcelain=v2", "-z", "--untracked-files=all", "--no-renames"),
            (self.path_of(folder),),
        ).expect_ok()
        prefix = f"{self.inside}/" if self.inside else ""
        found = (_path_in(line) for line in listed.stdout.split(b"\0") if line)
        return tuple(sorted(path.removeprefix(prefix) for path in found if path and not _is_leftover(path)))

    def catch_up(self, folder: str, message: str) -> CommitId | None:
        """Commit what a killed program left uncommitted below ``folder``; None when there is nothing."""
        with self.locked():
            return self.commit_staged(self.stage(self.uncommitted(folder)), message)


def _is_plain(root: Path, file: str) -> bool:
    # .gitattributes of records is ours; check_path refuses the name because proposals must not change it
    if not file.endswith(".gitattributes"):
        check_path(file)
    path = root / file
    return "\n" not in file and path.is_file() and not path.is_symlink()


def _is_leftover(path: str) -> bool:
    """Tell whether a file is what a killed write left behind: a name that begins with a dot."""
    name = path.rsplit("/", 1)[-1]
    return name.startswith(".") and name != ".gitattributes"


def _path_in(line: bytes) -> str:
    """Return the path of a line of ``git status --porcelain=v2 -z``; empty for what is gone or no file."""
    kind = line[:1]
    if kind == b"?":
        return os.fsdecode(line[2:])
    if kind != b"1":
        return ""
    parts = line.split(b" ", 8)
    return "" if len(parts) < 9 or parts[1][1:2] == b"D" or parts[5] == b"000000" else os.fsdecode(parts[8])
