"""Making one commit without touching the files anybody reads: a worktree, an index and a branch of its own.

Decision: the worktree is added without a checkout and the texts go straight into its index, byte for byte. A
sync of the clone can never meet a half-edited file, no filter or line-end rule touches the text, and a
knowledge base of any size costs the same. The branch is named only when the commit is complete and flushed,
so a crash leaves a branch that is whole, or none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.names import CommitId, check_branch, check_commit, check_path
from kb_app.gitstore.runner import GitOutcome, GitRunner, Identity, Repository
from kb_app.gitstore.sync import flush_ref
from kb_app.gitstore.trees import parse_listing, remove_tree
from kb_app.logs import visible


class Signing(StrEnum):
    """Whether commits are signed."""

    AS_CONFIGURED = "as-configured"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class FileEdit:
    """One file of a commit: its path and its new bytes; None removes it."""

    path: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class CommitPlan:
    """What to commit.

    Attributes:
        base: the parent.
        branch: the new branch, without ``refs/heads/``; never the one the clone follows.
        files: what changes.
        message: checked, with its trailers.
        identity: who commits; empty parts as git is configured.
        is_signed_off: add ``Signed-off-by``.
        signing: whether to sign.
    """

    base: CommitId
    branch: str
    files: tuple[FileEdit, ...]
    message: str
    identity: Identity
    is_signed_off: bool = False
    signing: Signing = Signing.AS_CONFIGURED


def configured_identity(runner: GitRunner) -> Identity:
    """Return who git is configured to commit as; a part that is not configured is empty."""
    parts = (runner.run("config-get", ("--get",), (key,)) for key in ("user.name", "user.email"))
    name, email = (visible(part.text.strip()) if part.is_ok else "" for part in parts)
    return Identity(name, email)


def commit_on_branch(
    runner: GitRunner, repository: Repository, plan: CommitPlan, worktree: Path
) -> CommitId | GitOutcome:
    """Make the commit and its branch; return the commit, or how git failed.

    Running it again after a crash finds the branch and returns its commit.

    Args:
        runner: runs git.
        repository: a clone of ours, whose lock the caller holds.
        plan: what to commit.
        worktree: a folder for it, outside the clone; removed afterwards.

    Raises:
        EnvironmentFault: when the folder cannot be used.
    """
    ref = f"refs/heads/{check_branch(plan.branch)}"
    done = runner.run("rev-parse", ("--verify", "--quiet"), (ref,), repository=repository)
    if done.is_ok and done.text.strip():
        return check_commit(done.text.split()[0])
    added = runner.run(
        "worktree-add",
        ("--detach", "--no-checkout", "--quiet"),
        (str(worktree), plan.base),
        repository=repository,
    )
    if not added.is_ok:
        return added
    try:
        made = _commit(runner, _worktree(repository, worktree), plan)
        if isinstance(made, GitOutcome):
            return made
        named = runner.run("update-ref", (), (ref, made, "0" * len(made)), repository=repository)
        if not named.is_ok:
            return named
        flush_ref(repository, ref)
        return made
    finally:
        runner.run("worktree-remove", ("--force",), (str(worktree),), repository=repository)
        remove_tree(worktree)


def _worktree(repository: Repository, worktree: Path) -> Repository:
    """Return the worktree as git is told of it, from the link git wrote, if that leads into our clone."""
    text = (worktree / ".git").read_text("utf-8", "surrogateescape")
    git_dir = Path(text.removeprefix("gitdir:").strip())
    if git_dir.parent != repository.git_dir / "worktrees":
        raise EnvironmentFault("The work folder of a proposal leads elsewhere", "Remove it and try again")
    return Repository(git_dir, worktree)


def _commit(runner: GitRunner, inside: Repository, plan: CommitPlan) -> CommitId | GitOutcome:
    loaded = runner.run("read-tree", (), (plan.base,), repository=inside)
    if not loaded.is_ok:
        return loaded
    modes = _modes(runner, inside, plan.base, [edit.path for edit in plan.files])
    rows = []
    for edit in plan.files:
        path = os.fsencode(check_path(edit.path))
        if edit.content is None:
            rows.append(b"0 " + b"0" * len(plan.base) + b"\t" + path + b"\0")
            continue
        stored = runner.run(
            "hash-object", ("-w", "--stdin", "--no-filters"), repository=inside, stdin=edit.content
        )
        if not stored.is_ok:
            return stored
        mode = modes.get(edit.path, "100644")
        rows.append(f"{mode} {stored.text.strip()}\t".encode() + path + b"\0")
    staged = runner.run("update-index", ("-z", "--index-info"), repository=inside, stdin=b"".join(rows))
    if not staged.is_ok:
        return staged
    options = ["--quiet", "--cleanup=verbatim", "--file=-"]
    options.append("--signoff" if plan.is_signed_off else "--no-signoff")
    if plan.signing is not Signing.AS_CONFIGURED:
        options.append("--gpg-sign" if plan.signing is Signing.ALWAYS else "--no-gpg-sign")
    committed = runner.run(
        "commit", options, repository=inside, stdin=plan.message.encode(), identity=plan.identity
    )
    if not committed.is_ok:
        return committed
    head = runner.run("rev-parse", ("--verify", "--quiet"), ("HEAD",), repository=inside)
    return check_commit(head.text.split()[0]) if head.is_ok else head


def _modes(runner: GitRunner, inside: Repository, base: CommitId, paths: Sequence[str]) -> dict[str, str]:
    """Return the modes of those paths that are plain files in ``base``."""
    listed = runner.run("ls-tree", ("-r", "-z", "--full-tree"), (base,), paths=paths, repository=inside)
    return {file.path: file.mode for file in parse_listing(listed.stdout) if file.mode.startswith("100")}
