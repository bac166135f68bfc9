"""Rules of the history page: what a version says of itself, what is compared with what; knows no Qt."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_app.entries.destructive import is_destructive
from kb_app.gitstore.history import REVIEWED, BlameLine, Revision, Signature, SignatureState
from kb_app.gitstore.sync import ChangeStatus
from kb_app.gitstore.words import RunKind
from kb_app.ui.common.diff_lines import Line
from kb_app.workspace.past import REVIEWER_TRAILERS, Version

FIRST_VERSIONS = 50
MORE_VERSIONS = 250
"""Versions read at once later: each reading walks the history from its start again."""


class View(StrEnum):
    """What is shown of the selected version."""

    CHANGE = "change"
    SINCE = "since"
    TEXT = "text"
    LINES = "lines"


VIEW_NAMES: tuple[tuple[View, str, str], ...] = (
    (View.CHANGE, "What it changed", "What this version changed (1)"),
    (View.SINCE, "Until now", "What changed from this version until now (2)"),
    (View.TEXT, "Whole text", "The whole text of this version (3)"),
    (View.LINES, "Who wrote it", "Who wrote each line as it is now, when and why (4)"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """An icon with a tone and a few words."""

    icon: str
    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions that are compared, by their places in the list; the list is newest first."""

    old: int
    new: int


_SIGNATURES = {
    SignatureState.NONE: ("key-round", "muted", "not signed"),
    SignatureState.VALID: ("shield-check", "fix", "signed"),
    SignatureState.UNKNOWN_KEY: ("key-round", "mitigate", "unknown key"),
    SignatureState.BAD: ("shield-alert", "danger", "signature broken"),
    SignatureState.UNCHECKED: ("key-round", "muted", "signature not checked"),
}


def signature_mark(signature: Signature) -> Mark:
    """Return the short form of what is known of a signature."""
    return Mark(*_SIGNATURES[signature.state])


def date_text(at: dt.datetime) -> str:
    """Return a day as stated by its author: ``3 Feb 2026``."""
    return f"{at.day} {at:%b %Y}"


def moment_text(at: dt.datetime) -> str:
    """Return a moment as stated by its author, with its offset from UTC."""
    return f"{date_text(at)}, {at:%H:%M} {'UTC' if at.utcoffset() == dt.timedelta(0) else f'{at:%z}'}"


def subject_text(revision: Revision) -> str:
    """Return the first line of a change, or what stands for it."""
    return revision.subject or "(no message)"


def status_text(revision: Revision) -> str:
    """Return what happened to the file beyond its text, or an empty string."""
    if revision.status is ChangeStatus.ADDED:
        return "first version"
    if revision.status is ChangeStatus.DELETED:
        return "removed"
    if revision.status is ChangeStatus.RENAMED:
        return f"moved from {revision.old_path}"
    return ""


def people_of(revision: Revision) -> tuple[tuple[str, str], ...]:
    """Return the people a change names beside its author: what they did in words, their names; in order."""
    found: list[tuple[str, str]] = []
    for key in REVIEWER_TRAILERS:
        for value in revision.trailer(key):
            what = (
                key.replace("-", " ").removesuffix(" by").replace("Co authored", "Also written").capitalize()
            )
            found.append((f"{what} by", value.partition(" <")[0].strip()))
    return tuple(found)


def other_facts(revision: Revision) -> tuple[str, ...]:
    """Return the remaining facts of a change, one text each."""
    known = {key.lower() for key in REVIEWER_TRAILERS} | {"proposal", "change-id"}
    return tuple(f"{key}: {value}" for key, value in revision.trailers if key.lower() not in known)


def confirmation_text(confirmed: Revision | None, versions: Sequence[Version], *, is_complete: bool) -> str:
    """Return who verified the entry, at which commit, and how much changed since.

    Args:
        confirmed: the last change with a `REVIEWED` trailer for the entry.
        versions: the versions read so far, newest first.
        is_complete: there are no more.
    """
    if confirmed is None:
        return "Nobody has confirmed this entry in its history"
    since = next((i for i, v in enumerate(versions) if v.revision.commit == confirmed.commit), None)
    if since is None:
        since = sum(v.revision.committed_at > confirmed.committed_at for v in versions)
        is_complete = is_complete or since < len(versions)
    else:
        is_complete = True
    number = f"{since:,}{'' if is_complete else ' or more'}"
    changes = "unchanged since" if not since else f"{number} {'change' if since == 1 else 'changes'} since"
    who = f"Verified by {confirmed.author} on {date_text(confirmed.authored_at)}"
    return f"{who}, version {short(confirmed.commit)}; {changes}"


def short(commit: str) -> str:
    """Return the part of a commit's name that people say."""
    return commit[:8]


def pair_of(selected: Sequence[int]) -> Pair | None:
    """Return the two versions to compare when more than one is selected: the outermost ones."""
    return Pair(max(selected), min(selected)) if len(selected) > 1 else None


def dangerous_lines(lines: Sequence[Line]) -> tuple[str, ...]:
    """Return the new or changed commands of a comparison that are destructive, in order."""
    return tuple(
        text
        for line in lines
        if line.is_code
        and any(piece.kind is RunKind.ADDED for piece in line.pieces)
        and is_destructive(
            text := "".join(p.text for p in line.pieces if p.kind is not RunKind.REMOVED).strip()
        )
    )


def danger_text(signature: Signature, commands: Sequence[str]) -> str:
    """Return the warning for a change of dangerous commands that nobody signed; empty when there is none."""
    if not commands or signature.state is SignatureState.VALID:
        return ""
    why = {
        SignatureState.NONE: "is not signed",
        SignatureState.UNKNOWN_KEY: "is signed with a key nobody here knows",
        SignatureState.BAD: "has a broken signature",
        SignatureState.UNCHECKED: "has a signature that is not checked yet",
    }[signature.state]
    more = f" and {len(commands) - 1} more" if len(commands) > 1 else ""
    return f"This change {why} and touches a destructive command: {commands[0]}{more}"


def spoken_row(version: Version) -> str:
    """Return what a screen reader says of a version."""
    revision = version.revision
    parts = (
        subject_text(revision),
        revision.author,
        date_text(revision.authored_at),
        status_text(revision),
        signature_mark(revision.signature).text,
        "confirms the entry" if revision.trailer(REVIEWED) else "",
    )
    return ", ".join(part for part in parts if part)


def starts_of(lines: Sequence[BlameLine]) -> tuple[int, ...]:
    """Return for each line the index of the first line of its stretch: neighbours of one change are one."""
    starts: list[int] = []
    for index, line in enumerate(lines):
        same = index > 0 and lines[index - 1].commit == line.commit
        starts.append(starts[-1] if same else index)
    return tuple(starts)
