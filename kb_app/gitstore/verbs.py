"""The closed table of what git may be asked: verb, options, whether it talks to a network, deadline.

Anything not written here cannot be run. Options are exact, or a fixed head with a value that must match a
pattern; no option that names a program, a file to write or a configuration is in the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from kb_app.errors import UsageError

_NUMBER = r"\d{1,9}"
_REF = r"(?!-)[^\s\x00-\x1f\x7f~^:?*\[\\]{1,250}"
_LINE = r"[^\x00-\x1f\x7f]{0,2000}"
_FORMAT = r"[^\x00-\x1f\x7f]{1,300}"


class Operands(StrEnum):
    """Where operands stand: after ``--``; revisions after ``--end-of-options`` and paths after ``--``; none.

    ``git blame`` knows no ``--end-of-options``: its revision stands bare before ``--``.
    """

    PLAIN = "plain"
    REVISIONS = "revisions"
    REVISION_FIRST = "revision-first"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class VerbRule:
    """What one verb may do.

    Attributes:
        flags: options without a value, exact.
        values: option heads (``--depth=``) and the pattern their value has to match in full.
        forced: options that are always given.
        operands: how operands are separated from options.
        talks_to_network: it may open a connection; it then needs an address.
        writes: it may change the repository.
        deadline_s: longest run time in seconds.
        stall_s: longest time without any output in seconds; None where silence is normal.
        max_output_bytes: cap on standard output.
    """

    flags: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    forced: tuple[str, ...] = ()
    operands: Operands = Operands.NONE
    talks_to_network: bool = False
    writes: bool = False
    deadline_s: float = 20.0
    stall_s: float | None = None
    max_output_bytes: int = 8_000_000


def _rule(
    flags: str = "",
    values: Mapping[str, str] | None = None,
    *,
    forced: str = "",
    operands: Operands = Operands.NONE,
    network: bool = False,
    writes: bool = False,
    deadline_s: float = 20.0,
    stall_s: float | None = None,
    max_output_bytes: int = 8_000_000,
) -> VerbRule:
    return VerbRule(
        frozenset(flags.split()),
        MappingProxyType(dict(values or {})),
        tuple(forced.split()),
        operands,
        network,
        writes,
        deadline_s,
        stall_s,
        max_output_bytes,
    )


_PLAIN, _REVISIONS = Operands.PLAIN, Operands.REVISIONS
_FILTER = "blob:none"
_NO_PROGRAMS = "--no-ext-diff --no-textconv --no-color"

TABLE: Mapping[str, VerbRule] = MappingProxyType(
    {
        # --- network --------------------------------------------------------------------------------
        "clone": _rule(
            "--no-checkout --no-local --no-tags --single-branch --progress",
            {"--filter=": _FILTER, "--branch=": _REF, "--origin=": "origin", "--depth=": "1"},
            forced="--template= --no-recurse-submodules",
            operands=_PLAIN,
            network=True,
            writes=True,
            deadline_s=3600,
            stall_s=120,
        ),
        "fetch": _rule(
            "--no-tags --progress",
            {"--filter=": _FILTER},
            forced="--no-recurse-submodules --no-auto-maintenance --no-write-fetch-head --no-prune",
            operands=_PLAIN,
            network=True,
            writes=True,
            deadline_s=900,
            stall_s=90,
        ),
        "push": _rule(
            "--porcelain --atomic",
            {"--push-option=": _LINE},
            forced="--no-verify --no-follow-tags --recurse-submodules=no --no-signed",
            operands=_PLAIN,
            network=True,
            writes=True,
            deadline_s=300,
        ),
        "ls-remote": _rule(
            "--symref", operands=_PLAIN, network=True, deadline_s=45, max_output_bytes=16_000_000
        ),
        # --- reading --------------------------------------------------------------------------------
        "version": _rule(),
        "ls-tree": _rule("-r -l -z --full-tree", operands=_PLAIN, deadline_s=60, max_output_bytes=64_000_000),
        "cat-file": _rule("--batch blob", operands=_PLAIN, max_output_bytes=128_000_000),
        "rev-parse": _rule("--verify --quiet", operands=_REVISIONS),
        "merge-base": _rule("--is-ancestor", operands=_PLAIN),
        "for-each-ref": _rule("", {"--format=": _FORMAT}, operands=_PLAIN),
        "diff-tree": _rule(
            "-r -z -M --name-status",
            forced=_NO_PROGRAMS,
            operands=_REVISIONS,
            deadline_s=60,
            max_output_bytes=32_000_000,
        ),
        "log": _rule(
            "-z --follow --name-status --raw --no-abbrev --no-renames -m --full-history --first-parent",
            {
                "--format=": _FORMAT,
                "--max-count=": _NUMBER,
                "--skip=": _NUMBER,
                "--grep=": r"\^[A-Z][a-z]+(-[a-z]+)*:",
            },
            forced=f"{_NO_PROGRAMS} --no-show-signature --no-mailmap",
            operands=_REVISIONS,
            deadline_s=60,
            max_output_bytes=64_000_000,
        ),
        "blame": _rule(
            "--porcelain", operands=Operands.REVISION_FIRST, deadline_s=60, max_output_bytes=64_000_000
        ),
        "cherry": _rule(operands=_PLAIN, deadline_s=60),
        "format-patch": _rule(
            "--stdout --no-signature --binary --full-index",
            {"--max-count=": "1"},
            forced=f"{_NO_PROGRAMS} --no-attach",
            operands=_REVISIONS,
            max_output_bytes=64_000_000,
        ),
        "merge-tree": _rule("--write-tree --name-only", operands=_PLAIN),
        "verify-commit": _rule("--raw", operands=_PLAIN),
        "status": _rule(
            "--porcelain=v2 -z --untracked-files=all --no-renames",
            forced="--ignore-submodules=all",
            operands=_PLAIN,
            deadline_s=60,
        ),
        "fsck": _rule("--connectivity-only --no-dangling --no-progress", operands=_PLAIN, deadline_s=600),
        "count-objects": _rule("-v"),
        # --- writing in a clone of ours ---------------------------------------------------------------
        "init": _rule(
            "--quiet",
            {"--initial-branch=": _REF, "--object-format=": "sha1|sha256"},
            forced="--template=",
            writes=True,
        ),
        "hash-object": _rule("-w --stdin --stdin-paths --no-filters", writes=True),
        "write-tree": _rule(writes=True),
        "commit-tree": _rule(
            "--gpg-sign --no-gpg-sign",
            {"-p": "[0-9a-f]{40,64}", "-F": "-"},
            operands=_PLAIN,
            writes=True,
            deadline_s=60,
        ),
        "symbolic-ref": _rule("--quiet", operands=_PLAIN),
        "update-ref": _rule("--stdin -z", operands=_PLAIN, writes=True),
        "read-tree": _rule("-m -u -v --reset", operands=_PLAIN, writes=True, deadline_s=600),
        "checkout-index": _rule("-f -z --stdin -q", writes=True, deadline_s=600),
        "update-index": _rule("-z --index-info", writes=True, deadline_s=120),
        "commit": _rule(
            "--signoff --no-signoff --quiet --no-gpg-sign --gpg-sign",
            {"--cleanup=": "verbatim", "--file=": "-"},
            forced="--no-verify --no-post-rewrite --no-status",
            writes=True,
            deadline_s=60,
        ),
        "worktree-add": _rule("--no-checkout --detach --quiet", operands=_PLAIN, writes=True, deadline_s=60),
        "worktree-remove": _rule("--force", operands=_PLAIN, writes=True, deadline_s=60),
        "worktree-prune": _rule(writes=True),
        "config": _rule("--local", operands=_PLAIN, writes=True),
        "config-get": _rule("--get", operands=_PLAIN),
        "sparse-checkout-set": _rule("--cone --stdin", writes=True, deadline_s=900),
        "repack": _rule("-d --quiet --geometric=2", writes=True, deadline_s=900),
    }
)
"""Every verb; a name with a dash after a git verb (``worktree-add``) is that verb's subcommand."""

_SUBCOMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "worktree-add": ("worktree", "add"),
        "worktree-remove": ("worktree", "remove"),
        "worktree-prune": ("worktree", "prune"),
        "config-get": ("config",),
        "sparse-checkout-set": ("sparse-checkout", "set"),
    }
)


def rule_for(verb: str) -> VerbRule:
    """Return the rule of ``verb``.

    Raises:
        UsageError: when the table does not hold it.
    """
    try:
        return TABLE[verb]
    except KeyError:
        raise UsageError(f"git {verb!a} is not one of the commands this program uses") from None


def arguments(verb: str, options: Sequence[str], operands: Sequence[str], paths: Sequence[str]) -> list[str]:
    """Return what follows ``git -c …`` on the command line, checked against the table.

    Args:
        verb: a key of `TABLE`.
        options: each exactly a flag, or a head with its value in one string.
        operands: revisions, addresses, refspecs; never read as options.
        paths: for verbs that take revisions: the paths after ``--``.

    Raises:
        UsageError: when the table does not allow it.
    """
    rule = rule_for(verb)
    for option in options:
        if not _is_allowed(rule, option):
            raise UsageError(f"git {verb} does not take {option[:80]!a} here")
    for operand in (*operands, *paths):
        if "\x00" in operand:
            raise UsageError("A name holds a NUL character")
    words = [*_SUBCOMMANDS.get(verb, (verb,)), *rule.forced, *options]
    if rule.operands is Operands.NONE:
        if operands or paths:
            raise UsageError(f"git {verb} takes no names here")
        return words
    if rule.operands is Operands.PLAIN:
        return [*words, "--", *operands, *paths]
    if any(operand.startswith("-") for operand in operands):
        raise UsageError("A revision cannot start with '-'")
    if rule.operands is Operands.REVISION_FIRST:
        return [*words, *operands, "--", *paths]
    return [*words, "--end-of-options", *operands, "--", *paths]


def _is_allowed(rule: VerbRule, option: str) -> bool:
    if option in rule.flags:
        return True
    return any(
        option.startswith(head) and re.fullmatch(pattern, option[len(head) :], re.DOTALL)
        for head, pattern in rule.values.items()
    )
