"""Reading the history of a repository that is not ours, without ever running git in it.

A repository of our own, made anew in a private folder, borrows the other's objects (it names them in
``objects/info/alternates``) and starts from the commit that its ``HEAD`` names, read here as text. Its
configuration, hooks, attributes and replacements are never seen by git; its files are never written to.

Source: gitrepository-layout(5), ``objects/info/alternates``, ``packed-refs``, ``commondir``.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.names import CommitId, check_commit
from kb_app.gitstore.runner import GitRunner, Repository
from kb_app.paths import private_folder

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"refs/[^\x00-\x20~^:?*\[\\]{1,240}")
MAX_TEXT = 4_000_000
_HINT = "Choose the folder of a repository, or a copy of it made with git clone"


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A repository of ours over the objects of another.

    Attributes:
        repository: where git is run.
        head: the commit that the other's ``HEAD`` names.
    """

    repository: Repository
    head: CommitId


def is_repository(folder: Path) -> bool:
    """Tell from its files alone whether ``folder`` is a repository, with or without files beside it."""
    return _git_dir(folder) is not None


@contextlib.contextmanager
def borrow(runner: GitRunner, folder: Path, private: Path) -> Iterator[Borrowed]:
    """Look into the repository in ``folder`` for as long as the block lasts.

    Args:
        runner: runs git.
        folder: a work tree, or a repository without one.
        private: a folder of ours, where ours is made and removed again.

    Raises:
        EnvironmentFault: when there is no repository, it has no commit, or it is kept in a form that cannot
            be read from here.
    """
    git_dir = _git_dir(folder)
    if git_dir is None:
        raise EnvironmentFault(f"{folder} is not a Git repository", _HINT)
    common = _common_dir(git_dir)
    head = _head(git_dir, common)
    private_folder(private)
    with tempfile.TemporaryDirectory(dir=private, prefix="borrowed-", ignore_cleanup_errors=True) as made:
        ours = Repository(Path(made) / ".git", Path(made))
        form = "sha256" if len(head) == 64 else "sha1"
        runner.run("init", ("--quiet", f"--object-format={form}"), repository=ours).expect_ok()
        alternates = ours.git_dir / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        objects = (common / "objects").resolve()
        if "\n" in str(objects):
            raise EnvironmentFault("The path of the repository holds a line break", "Rename its folder")
        alternates.write_text(f"{objects}\n", "utf-8")
        shallow = common / "shallow"
        if shallow.is_file():
            (ours.git_dir / "shallow").write_text(_text(shallow), "utf-8")
        found = runner.run("rev-parse", ("--verify", "--quiet"), (f"{head}^{{commit}}",), repository=ours)
        if not found.is_ok:
            raise EnvironmentFault("The newest commit of the repository cannot be read", "Run git fsck")
        yield Borrowed(ours, head)


def _git_dir(folder: Path) -> Path | None:
    for candidate in (folder / ".git", folder):
        if _is_git_dir(candidate):
            return candidate
    link = folder / ".git"
    if link.is_file():  # a worktree, or a submodule
        text = _text(link).strip()
        target = folder / text.removeprefix("gitdir:").strip()
        if text.startswith("gitdir:") and (target / "HEAD").is_file():
            return target
    return None


def _is_git_dir(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _common_dir(git_dir: Path) -> Path:
    note = git_dir / "commondir"
    return (git_dir / _text(note).strip()).resolve() if note.is_file() else git_dir


def _head(git_dir: Path, common: Path) -> CommitId:
    value = _text(git_dir / "HEAD").strip()
    for _ in range(5):
        if not value.startswith("ref:"):
            break
        value = _ref(common, value.removeprefix("ref:").strip())
    if not _COMMIT.fullmatch(value):
        raise EnvironmentFault("The repository has no commit that can be read from here", _HINT)
    return check_commit(value)


def _ref(common: Path, name: str) -> str:
    if not _REF.fullmatch(name) or ".." in name:
        return ""
    loose = common / name
    if loose.is_file():
        return _text(loose).strip()
    for line in _text(common / "packed-refs").splitlines():
        commit, _, ref = line.partition(" ")
        if ref.strip() == name:
            return commit
    return ""


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_TEXT).decode("utf-8", "replace")
    except OSError:
        return ""
