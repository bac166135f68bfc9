"""What a change asks when others changed the same sections meanwhile, and what becomes of the answer.

Nothing is written before the answer is given whole: leaving a question leaves every byte as it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kb_app.errors import KbError, UsageError
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.conflicts import (
    Choice,
    Conflict,
    SectionChange,
    UnitKind,
    changed_sections,
    merge_pages,
    resolve,
    whole_page,
)
from kb_app.gitstore.conflicts import Merge as PageMerge
from kb_app.gitstore.history import History
from kb_app.gitstore.leaks import has_markers
from kb_app.gitstore.proposals import (
    Draft,
    FileMerge,
    ProposalQueue,
    ProposeEnd,
    ProposeOutcome,
    are_texts,
    text_of,
)

Choices = Mapping[tuple[str, int], Choice | str]
"""File and number of a conflict to what is kept of it, or to a text of one's own."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who changed a file last on the other side, when (aware) and why."""

    name: str
    at: dt.datetime
    subject: str


@dataclass(frozen=True, slots=True)
class JoinedFile:
    """A file in which others changed other sections: they are in the result already."""

    path: str
    changes: tuple[SectionChange, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """Places where a choice is needed.

    Attributes:
        title: what the change is about, one line.
        merges: the files with such places, each with its merge.
        joined: what others changed elsewhere in the same files, brought together already.
        writers: file to who changed it last on the other side, where that is known.
    """

    title: str
    merges: tuple[FileMerge, ...]
    joined: tuple[JoinedFile, ...] = ()
    writers: Mapping[str, Writer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft that cannot be sent as it is.

    Attributes:
        question: what has to be chosen; without any `Question.merges` it can be sent at once.
        clone: the knowledge base's name.
        draft: as it was written.
        head: the commit it is brought together with.
        texts: file to its text, for files that could be brought together.
        theirs: file to its bytes at ``head``; absent where it is gone.
        supersedes: id of the proposal this is, empty for a draft that never was one.
    """

    question: Question
    clone: str
    draft: Draft
    head: str
    texts: Mapping[str, str]
    theirs: Mapping[str, bytes]
    supersedes: str = ""


def open_proposal(queue: ProposalQueue, proposal_id: str) -> OpenDraft:
    """Return what a proposal asks; nothing changes.

    Raises:
        UsageError: when there is none of that id.
        EnvironmentFault: when it cannot be read.
    """
    proposal = queue.get(proposal_id)
    trailers = tuple(t for t in proposal.trailers if t[0] != "Supersedes")
    draft = Draft(proposal.title, queue.files(proposal), proposal.body, trailers, proposal.base)
    return open_draft(queue, proposal.clone, draft, supersedes=proposal.id)


def open_draft(queue: ProposalQueue, clone_name: str, draft: Draft, *, supersedes: str = "") -> OpenDraft:
    """Return what a draft asks; nothing changes. ``Draft.base`` has to be set.

    Raises:
        UsageError: when there is no such clone or commit.
        EnvironmentFault: when it cannot be read.
    """
    paths = [edit.path for edit in draft.files]
    head = queue.head(clone_name)
    before = queue.texts(clone_name, draft.base or head, paths)
    now = queue.texts(clone_name, head, paths)
    merges, joined, texts = [], [], {}
    for edit in draft.files:
        base, mine, theirs = before.get(edit.path), edit.content, now.get(edit.path)
        if theirs in (base, mine):
            continue
        is_text = are_texts(base, mine, theirs)
        sides = (text_of(base), text_of(mine), text_of(theirs))
        merge = merge_pages(*sides) if is_text else PageMerge((whole_page(*sides),), "")
        if merge.text is not None and mine is not None and theirs is not None:
            texts[edit.path] = merge.text
        else:
            merges.append(FileMerge(edit.path, merge, is_text))
        changes = changed_sections(sides[0] or "", sides[2] or "", without=merge.conflicts)
        if changes and mine is not None and theirs is not None:
            joined.append(JoinedFile(edit.path, changes))
    question = Question(draft.title, tuple(merges), tuple(joined), _writers(queue, clone_name, merges))
    return OpenDraft(question, clone_name, draft, head, texts, now, supersedes)


def _writers(queue: ProposalQueue, clone_name: str, merges: list[FileMerge]) -> dict[str, Writer]:
    found = {}
    try:
        history = History(queue.area, queue.area.get(clone_name))
        for merge in merges:
            for last in history.timeline(merge.path, limit=1):
                found[merge.path] = Writer(last.author, last.authored_at, last.subject)
    except KbError:
        return found  # who it was is good to know and not needed
    return found


def answered(queue: ProposalQueue, opened: OpenDraft, choices: Choices) -> ProposeOutcome:
    """Propose a draft with its choices made; a proposal that asked is replaced by the new one.

    When only theirs was kept nothing is left to propose; a proposal that asked is then withdrawn and its
    text kept.

    Returns:
        The outcome; `ProposeEnd.CHANGED_MEANWHILE` when others changed it once more: open it again.

    Raises:
        UsageError: when a choice is missing or impossible, or a text holds the marks of a merge.
    """
    edits = tuple(_edit(opened, edit, choices) for edit in opened.draft.files)
    draft = replace(opened.draft, files=edits, base=opened.head)
    outcome = queue.propose(opened.clone, draft, supersedes=opened.supersedes)
    if outcome.end is ProposeEnd.NOTHING and opened.supersedes:
        queue.withdraw(opened.supersedes)
        return replace(
            outcome,
            sentence="Nothing of yours is left to propose, so the proposal is withdrawn",
            hint="Its text is kept with the proposals",
        )
    return outcome


def page_text(merge: FileMerge, choices: Choices) -> str | None:
    """Return a file with its choices made; None when it shall be gone.

    Raises:
        UsageError: when a choice is missing or impossible, or the result would hold the marks of a merge.
    """
    whole = _whole(merge)
    if whole is None:
        made = {number: choice for (path, number), choice in choices.items() if path == merge.path}
        return resolve(merge.merge, made)
    choice = choices.get((merge.path, whole.number))
    if choice is Choice.MINE:
        return whole.mine
    if choice is Choice.THEIRS:
        return whole.theirs
    if not isinstance(choice, Choice) and choice is not None:
        if has_markers(choice):
            raise UsageError("The text still holds the marks of a merge", "Remove the lines with <<<<<<<")
        return choice
    raise UsageError(f"Nothing is chosen yet for {merge.path}", "Keep mine or theirs")


def _edit(opened: OpenDraft, edit: FileEdit, choices: Choices) -> FileEdit:
    """Return the file as it shall be proposed."""
    if edit.path in opened.texts:
        return FileEdit(edit.path, opened.texts[edit.path].encode())
    merge = next((m for m in opened.question.merges if m.path == edit.path), None)
    if merge is None:
        return edit
    text = page_text(merge, choices)
    whole = _whole(merge)
    choice = choices.get((edit.path, whole.number)) if whole is not None else None
    if choice is Choice.MINE:
        return edit  # its own bytes, whatever they are
    if choice is Choice.THEIRS:
        return FileEdit(edit.path, opened.theirs.get(edit.path))
    return FileEdit(edit.path, None if text is None else text.encode())


def _whole(merge: FileMerge) -> Conflict | None:
    """Return the one conflict over a whole page, if that is what the file asks."""
    parts = merge.merge.parts
    if len(parts) == 1 and isinstance(parts[0], Conflict) and parts[0].kind is UnitKind.PAGE:
        return parts[0]
    return None
