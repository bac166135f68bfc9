"""From a draft to a proposal: what a contributor hands in, how it is said in plain words, and feedback.

Nothing here needs a network. What is proposed is in the queue of `kb_app.gitstore.proposals`; the background
sync sends it.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from kb_app.entries.feedback import FEEDBACK_FOLDER, FlagKind, feedback_folder
from kb_app.entries.front_matter import read_front_matter
from kb_app.entries.inference import stem_of
from kb_app.entries.model import Kind
from kb_app.entries.outline import outline_of
from kb_app.entries.reading import read_entry
from kb_app.entries.templates import file_name_for, new_entry_text
from kb_app.errors import KbError, UsageError
from kb_app.gitstore.commits import FileEdit, configured_identity
from kb_app.gitstore.leaks import Leak, leaks_in
from kb_app.gitstore.proposals import (
    Draft,
    Proposal,
    ProposalState,
    ProposeEnd,
    ProposeOutcome,
)
from kb_app.gitstore.runner import Identity
from kb_app.gitstore.store import GitStore, open_store
from kb_app.paths import AppFolders
from kb_app.resources import content_folder
from kb_app.search.masking import mask
from kb_app.settings import Settings
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.drafts import DraftStore, TextDraft, new_id, now_utc, signatures_of
from kb_app.workspace.editing import EditableText, editable, patch_text, present_bytes
from kb_app.workspace.sharing import proposing_store

REVIEWED_TRAILER, CLOSES_TRAILER = "Reviewed-entry", "Closes-feedback"
MAX_TITLE = 120


class Taker(StrEnum):
    """What becomes of a change to a knowledge base."""

    REMOTE = "remote"
    FOLDER = "folder"
    BUNDLED = "bundled"


STATE_WORDS = {
    ProposalState.QUEUED: "Waiting for the network",
    ProposalState.PROPOSED: "Proposed",
    ProposalState.IN_REVIEW: "In review",
    ProposalState.MERGED: "Merged",
    ProposalState.NEEDS_ANSWER: "Needs an answer",
    ProposalState.WITHDRAWN: "Withdrawn",
}
"""What the states of a proposal are called for somebody who does not know Git."""


@dataclass(frozen=True, slots=True)
class FolderTarget:
    """Where a change goes, and who is named as its author; both names empty: to be asked."""

    taker: Taker
    identity: Identity
    has_program: bool = True


def taker_of(folders: AppFolders, base: OpenBase, settings: Settings) -> FolderTarget:
    """Return what becomes of a change to ``base`` and as whom it is made.

    Raises:
        EnvironmentFault: when the record of our copies cannot be read.
    """
    if base.root == content_folder().resolve():
        return FolderTarget(Taker.BUNDLED, Identity())
    store = open_store(folders)
    if store.area.owner_of(base.root) is None:
        return FolderTarget(Taker.FOLDER, Identity())
    if store.program is None:
        return FolderTarget(Taker.REMOTE, Identity(), has_program=False)
    return FolderTarget(Taker.REMOTE, contributor(store, settings))


def contributor(store: GitStore, settings: Settings) -> Identity:
    """Return who contributes: as the settings say, else as git is configured; empty parts are not known."""
    if settings.contributor_name and settings.contributor_email:
        return Identity(settings.contributor_name, settings.contributor_email)
    known = configured_identity(store.area.runner)
    return Identity(settings.contributor_name or known.name, settings.contributor_email or known.email)


def begin_edit(base: OpenBase, path: str, title: str, opened: EditableText) -> TextDraft:
    """Return the draft of a change to an entry that is there; it is saved with the first change."""
    at = now_utc()
    return TextDraft(
        new_id(at), base.name, str(base.root), path, title, opened.shown, at, at, base=opened.base
    )


def new_draft(base: OpenBase, kind: str, title: str, text: str = "", pasted: str = "") -> TextDraft:
    """Return a draft of a new entry; it is not saved yet.

    Args:
        base: the knowledge base it is for.
        kind: one of `Kind`; a known fix when empty.
        title: of the entry; may be empty.
        text: Markdown to begin with; made from the template of the kind when empty.
        pasted: the log it is about, so that the same log finds the draft.
    """
    at = now_utc()
    chosen = Kind(kind) if kind in [*Kind] else Kind.KNOWN_FIX
    body = text or new_entry_text(chosen, title)
    name = title or _heading_of(body)
    folder = {Kind.KNOWN_FIX: "known-fixes", Kind.RUNBOOK: "runbooks", Kind.INTERNALS: "internals"}.get(
        chosen
    )
    path = file_name_for(name)
    if folder is not None and (base.root / folder).is_dir():
        path = f"{folder}/{path}"
    if (base.root / path).exists():
        path = f"{path.removesuffix('.md')}-{secrets.token_hex(2)}.md"
    return TextDraft(
        new_id(at),
        base.name,
        str(base.root),
        path,
        name,
        body,
        at,
        at,
        is_new=True,
        signatures=signatures_of(pasted) if pasted else (),
    )


def _heading_of(text: str) -> str:
    lines = text.split("\n")
    values = read_front_matter(lines)
    heading = next(iter(outline_of(lines, values.body_line).headings), None)
    title = values.text("title") or (heading.title if heading else "")
    return title if title != "Untitled" else ""


def retitled(draft: TextDraft) -> TextDraft:
    """Return a new entry's draft with title and path as its text says now."""
    title = _heading_of(draft.text)
    if not draft.is_new or not title or title == draft.title:
        return draft
    folder = posixpath.dirname(draft.path)
    return replace(draft, title=title, path=posixpath.join(folder, file_name_for(title)))


def edits_of(store: DraftStore, draft: TextDraft) -> tuple[FileEdit, ...]:
    """Return the files of a draft as they shall be.

    Raises:
        KbError: when what belongs to it cannot be read.
    """
    content = editable(store.base_of(draft), draft.base).bytes_of(draft.text)
    pictures = tuple(FileEdit(path, store.attachment(draft, path)) for path in draft.attachments)
    return (FileEdit(draft.path, content), *(p for p in pictures if posixpath.basename(p.path) in draft.text))


def leaks_of(store: DraftStore, draft: TextDraft, settings: Settings) -> tuple[Leak, ...]:
    """Return what in a draft must not be shared.

    Raises:
        KbError: when what belongs to it cannot be read.
    """
    before = editable(store.base_of(draft)).shown
    return leaks_in(draft.path, before, draft.text, settings.customer_names)


def propose_draft(
    folders: AppFolders,
    settings: Settings,
    base: OpenBase,
    draft: TextDraft,
    *,
    title: str,
    accept_doubtful: bool = False,
) -> ProposeOutcome:
    """Put a draft into the queue of proposals; it is set aside when that is done.

    Raises:
        UsageError: when the path or the title cannot be used, or ``base`` cannot take proposals.
        EnvironmentFault: when there is no git that can be used, or the draft cannot be read.
    """
    drafts = DraftStore(folders.drafts)
    wanted = Draft(title, edits_of(drafts, draft), trailers=draft.trailers, base=draft.base)
    outcome = queue_draft(
        folders, settings, base, wanted, accept_doubtful=accept_doubtful, supersedes=draft.replaces
    )
    if outcome.is_ok:
        drafts.set_aside(draft.id)
    return outcome


def propose_note(folders: AppFolders, settings: Settings, base: OpenBase, draft: TextDraft) -> ProposeOutcome:
    """Put a note about an entry into the queue, as one proposal with those that wait to be sent already.

    Raises:
        UsageError: when ``base`` cannot take proposals.
        EnvironmentFault: when there is no git that can be used, or the draft cannot be read.
    """
    drafts, store = DraftStore(folders.drafts), proposing_store(folders, settings)
    clone = store.area.owner_of(base.root)
    if clone is None:
        raise UsageError(f"{base.name} is a folder that is only read", "Save the note as a patch file")
    wanted = Draft(draft.why, edits_of(drafts, draft), trailers=draft.trailers)
    waiting = [
        p for p in store.queue.proposals(clone.name) if p.state is ProposalState.QUEUED and is_notes(p)
    ]
    outcome = None
    if waiting:
        before = waiting[-1]
        said = (before.body or f"- {before.title}").split("\n")
        both = replace(
            wanted, title=f"Feedback: {len(said) + 1} notes", body="\n".join([*said, f"- {draft.why}"])
        )
        outcome = store.queue.extend(before.id, both)
    if outcome is None:
        outcome = store.queue.propose(clone.name, wanted)
    if outcome.is_ok:
        drafts.set_aside(draft.id)
    return outcome


def is_notes(proposal: Proposal) -> bool:
    """Tell whether a proposal holds nothing but notes about entries."""
    return all(path.startswith(f"{FEEDBACK_FOLDER}/") for path in proposal.paths)


def wanted_of(folders: AppFolders, base: OpenBase, draft: TextDraft, title: str) -> tuple[str, Draft]:
    """Return the name of our copy of ``base`` and a draft as the queue takes it.

    Raises:
        UsageError: when ``base`` is only read.
        EnvironmentFault: when the draft or the record of our copies cannot be read.
    """
    clone = open_store(folders).area.owner_of(base.root)
    if clone is None:
        raise UsageError(f"{base.name} is a folder that is only read", "Save the change as a patch file")
    edits = edits_of(DraftStore(folders.drafts), draft)
    return clone.name, Draft(title, edits, trailers=draft.trailers, base=draft.base)


def queue_draft(
    folders: AppFolders,
    settings: Settings,
    base: OpenBase,
    draft: Draft,
    *,
    accept_doubtful: bool = False,
    supersedes: str = "",
) -> ProposeOutcome:
    """Put a change into the queue of proposals.

    Raises:
        UsageError: when the path or the title cannot be used, or ``base`` cannot take proposals.
        EnvironmentFault: when there is no git that can be used.
    """
    store = proposing_store(folders, settings)
    clone = store.area.owner_of(base.root)
    if clone is None:
        raise UsageError(
            f"{base.name} is a folder that is only read", "Save the change as a patch file for its owner"
        )
    return store.queue.propose(clone.name, draft, accept_doubtful=accept_doubtful, supersedes=supersedes)


def patch_of(store: DraftStore, draft: TextDraft) -> bytes:
    """Return a draft as a patch file for the owner of a folder.

    Raises:
        KbError: when what belongs to it cannot be read.
    """
    edits = edits_of(store, draft)
    return patch_text(draft.path, store.base_of(draft), edits[0].content or b"")


def is_changed_meanwhile(store: DraftStore, draft: TextDraft, base: OpenBase) -> bool:
    """Tell whether the entry's file is another one than the editing began from."""
    return not draft.is_new and present_bytes(base, draft.path) != store.base_of(draft)


# --- words ------------------------------------------------------------------------------------------------


def proposed_title(draft: TextDraft, before: str) -> str:
    """Return what the propose sheet offers as "what did you change": the section that changed most, named."""
    if draft.why:
        return draft.why
    if draft.is_new:
        return _short(f"Add {draft.title or draft.path}")
    sections = changed_sections(before, draft.text)
    where = f"{sections[0]} of {draft.title}" if sections else draft.title
    return _short(
        f"Correct {where}" if len(sections) < 2 else f"Correct {draft.title}: {', '.join(sections[:3])}"
    )


def changed_sections(before: str, after: str) -> tuple[str, ...]:
    """Return the headings of ``after`` whose own text is another one than in ``before``, in order."""
    old = dict(_sections(before))
    return tuple(dict.fromkeys(title for title, text in _sections(after) if title and old.get(title) != text))


def _sections(text: str) -> list[tuple[str, str]]:
    lines = text.split("\n")
    outline = outline_of(lines, read_front_matter(lines).body_line)
    starts = [(heading.first_line, heading.title) for heading in outline.headings if heading.level > 1]
    ends = [start - 1 for start, _ in starts[1:]] + [len(lines)]
    return [(t, "\n".join(lines[s - 1 : e]).strip()) for (s, t), e in zip(starts, ends, strict=True)]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1].rstrip() + "…"


# --- feedback ---------------------------------------------------------------------------------------------


def feedback_path(path: str, at: dt.datetime) -> str:
    """Return a new file for a note about the entry ``path``; no two notes ever share one."""
    return f"{feedback_folder(path)}/{at:%Y-%m-%d}-{secrets.token_hex(4)}.md"


def feedback_text(path: str, kind: FlagKind, sentence: str, at: dt.datetime, author: str = "") -> str:
    """Return the text of a note about an entry."""
    rows = ["---", f"entry: {path}", f"feedback: {kind.value}", f"at: {at:%Y-%m-%d}"]
    if author:
        rows.append(f"by: {_quoted(author)}")
    return "\n".join([*rows, "---", " ".join(sentence.split()), ""])


def flag_draft(
    base: OpenBase,
    path: str,
    title: str,
    kind: FlagKind,
    sentence: str,
    *,
    entry_id: str = "",
    author: str = "",
) -> TextDraft:
    """Return a note about an entry as a draft of a file of its own; it is not saved yet."""
    at = now_utc()
    text = feedback_text(path, kind, sentence, at, author)
    what = f"{title} worked" if kind is FlagKind.WORKED else f"{title}: {kind.value}"
    trailers = ((REVIEWED_TRAILER, entry_id or stem_of(path)),) if kind is FlagKind.WORKED else ()
    return TextDraft(
        new_id(at),
        base.name,
        str(base.root),
        feedback_path(path, at),
        what,
        text,
        at,
        at,
        is_new=True,
        why=_short(f"{what}: {sentence}" if sentence else what),
        trailers=trailers,
    )


def with_signatures(text: str, new: Sequence[str]) -> str:
    """Return ``text`` with further signatures in its front matter; ones it has already are left out."""
    lines = text.split("\n")
    values = read_front_matter(lines)
    known = set(values.items("signatures"))
    added = [_quoted(signature) for signature in new if signature not in known]
    at = next((n for n, line in enumerate(lines[: values.body_line]) if line.startswith("signatures:")), None)
    if not added:
        return text
    if at is None:
        return with_front_matter(text, {"signatures": f"[{', '.join(added)}]"})
    written = lines[at].partition(":")[2].strip()
    if written.startswith("[") and written.endswith("]"):
        inside = written[1:-1].strip()
        lines[at] = f"signatures: [{', '.join([*([inside] if inside else []), *added])}]"
    elif not written:
        end = at + 1
        while end < values.body_line and lines[end].lstrip().startswith("- "):
            end += 1
        indent = lines[at + 1][: len(lines[at + 1]) - len(lines[at + 1].lstrip())] if end > at + 1 else "  "
        lines[end:end] = [f"{indent}- {signature}" for signature in added]
    else:
        lines[at] = f"signatures: [{', '.join([written, *added])}]"
    return "\n".join(lines)


def _quoted(signature: str) -> str:
    return '"' + signature.replace("\\", "\\\\").replace('"', '\\"') + '"'


_SAME_LENGTH = 12
"""Characters that a masked signature has at least to tell one error from another."""


def is_same_error(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Tell whether two entries answer one error: a signature of one holds one of the other, masked."""
    mine = [masked for text in ours if len(masked := _masked(text)) >= _SAME_LENGTH]
    other = [masked for text in theirs if len(masked := _masked(text)) >= _SAME_LENGTH]
    return any(a in b or b in a for a in mine for b in other)


def _masked(text: str) -> str:
    return " ".join(mask(text).split()).casefold()


def signatures_at(base: OpenBase, path: str) -> tuple[str, ...]:
    """Return the signatures of an entry; none when it cannot be read."""
    try:
        return read_entry(base.root, path, base.config).signatures
    except KbError:
        return ()


_KEY = re.compile(r"^(?P<key>[A-Za-z_]+)\s*:")


def with_front_matter(text: str, values: dict[str, str]) -> str:
    """Return ``text`` with these keys of its front matter set; other lines keep their bytes."""
    lines = text.split("\n")
    body = read_front_matter(lines).body_line
    if body <= 1:
        rows = [f"{key}: {value}" for key, value in values.items()]
        return "\n".join(["---", *rows, "---", *lines])
    head, rest = lines[: body - 1], lines[body - 1 :]
    left = dict(values)
    for number, line in enumerate(head):
        match = _KEY.match(line)
        if match is not None and (key := match.group("key").lower()) in left:
            head[number] = f"{key}: {left.pop(key)}"
    closing = len(head) - 1
    head[closing:closing] = [f"{key}: {value}" for key, value in left.items()]
    return "\n".join([*head, *rest])


# --- a paste that nothing was found for -------------------------------------------------------------------

_VERSION = re.compile(
    r"\b(?:(?P<name>[A-Za-z][A-Za-z.+-]{1,24})[ /:_-]?)?(?:v(?:ersion)? ?)?"
    r"(?P<number>\d{1,4}\.\d{1,4}(?:\.\d{1,6})?)\b"
)
_TICKET = re.compile(r"\b[A-Z][A-Z0-9]{1,9}-\d{1,7}\b")
_NO_TICKET = re.compile(r"(?:UTF|SHA|ISO|RFC|TLS|SSL|HTTP|CVE|AES|RSA|MD|CP)-\d+")
_SHOWN_LINES = 12
_LOG_HEAD = re.compile(
    r"^(?:[^\w]+|(?:UTC|GMT|CET|CEST)\b|(?:ERROR|ERR|FATAL|PANIC|WARN|WARNING|CRITICAL|SEVERE|INFO|DETAIL)\b:?)+",
)
"""What stands before the message on a line of a log: zone, level, marks."""


def entry_about(pasted: str, *, ticket: str = "") -> tuple[str, str]:
    """Return title and text of a known fix to be written about a paste: masked error, versions, ticket."""
    telling = signatures_of(pasted)
    masked = [" ".join(mask(line).split()) for line in pasted.splitlines()]
    shown = [line for line in dict.fromkeys(masked) if line][:_SHOWN_LINES] or [" ".join(pasted.split())]
    first = telling[0] if telling else shown[0]
    title = _LOG_HEAD.sub("", re.sub(r"[`#*<>\[\]]", "", first)).strip()[:90].strip() or "Unknown problem"
    text = new_entry_text(Kind.KNOWN_FIX, title)
    quoted = ", ".join(_quoted(line[:200]) for line in telling[:3])
    text = text.replace("signatures: []", f"signatures: [{quoted}]", 1)
    versions, tickets = versions_in(pasted), ([ticket] if ticket else tickets_in(pasted))
    facts = [f"- Version: {version}" for version in versions] + [f"- Ticket: {name}" for name in tickets]
    code = ["", "```text", *(line.replace("```", "") for line in shown), "```"]
    block = "\n".join([*code, *(["", *facts] if facts else []), ""])
    return title, text.replace("## Symptoms\n", f"## Symptoms\n{block}\n", 1)


def versions_in(pasted: str) -> list[str]:
    """Return products with their versions that a log names, at most 4."""
    found = []
    for match in _VERSION.finditer(mask_times(pasted)):
        name = match.group("name") or ""
        if name and name.lower() not in ("version", "v", "after", "in", "at", "took", "of"):
            found.append(f"{name} {match.group('number')}")
    return list(dict.fromkeys(found))[:4]


def mask_times(text: str) -> str:
    """Return ``text`` without times and addresses, whose dots would look like versions."""
    return re.sub(r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?|\b\d{1,3}(?:\.\d{1,3}){3}\b", " ", text)


def tickets_in(pasted: str) -> list[str]:
    """Return ids of tickets that a text names, at most 3."""
    found = [name for name in _TICKET.findall(pasted) if not _NO_TICKET.fullmatch(name)]
    return list(dict.fromkeys(found))[:3]


# --- the queue --------------------------------------------------------------------------------------------


def continued(folders: AppFolders, proposal: Proposal, base: OpenBase) -> TextDraft:
    """Make a draft of a proposal's text again, saved; proposing it takes the proposal's place.

    Raises:
        KbError: when its texts cannot be read or the draft cannot be written.
    """
    store, drafts = open_store(folders), DraftStore(folders.drafts)
    files = [edit for edit in store.queue.files(proposal) if edit.content is not None]
    text = next((edit for edit in files if edit.path.endswith((".md", ".markdown"))), None)
    if text is None or text.content is None:
        raise UsageError("This proposal holds no text to go on with", "Withdraw it and make a new one")
    at, before = now_utc(), store.queue.before(proposal, text.path)
    draft = TextDraft(
        new_id(at),
        base.name,
        str(base.root),
        text.path,
        _heading_of(editable(text.content).shown) or proposal.title,
        editable(text.content).shown,
        at,
        at,
        is_new=before is None,
        base=proposal.base,
        why=proposal.title,
        replaces=proposal.id if proposal.state is not ProposalState.WITHDRAWN else "",
        trailers=tuple((k, v) for k, v in proposal.trailers if k != "Supersedes"),
    )
    draft = drafts.begin(draft, before or b"")
    for edit in files:
        if edit is not text and edit.content is not None:
            draft = drafts.attach(draft, edit.path, edit.content)
    return draft


def sentence_of(outcome: ProposeOutcome) -> str:
    """Return what became of a draft, in words that need no Git."""
    if outcome.is_ok:
        return "Proposed (waiting for the network)"
    if outcome.end is ProposeEnd.NOTHING:
        return "Nothing was changed yet"
    return outcome.sentence
