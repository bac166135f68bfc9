"""Proposals: a draft becomes a commit on its own branch, waits for a network, and is followed to its end.

Decision: the queue keeps the drafted bytes, so that nothing is lost when a clone is removed or damaged. Each
step is written down, durably, before the next: a proposal that was pushed when the power went is found on the
remote by its commit and not pushed again. The default branch is never pushed to.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import secrets
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from kb_app.durable import flush_folder, write_atomically
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.causes import RETRYABLE, Cause
from kb_app.gitstore.clones import Clone, CloneArea, IsCancelled, writable_or_existing
from kb_app.gitstore.commits import CommitPlan, FileEdit, Signing, commit_on_branch
from kb_app.gitstore.conflicts import Merge, merge_pages, whole_page
from kb_app.gitstore.hosts import (
    HostKind,
    PushPlan,
    change_id,
    host_of,
    new_file_page,
    page_in,
    push_plan,
    review_page,
    web_base,
)
from kb_app.gitstore.leaks import Leak, leaks_in
from kb_app.gitstore.locks import Busy, exclusive, set_stale_locks_aside
from kb_app.gitstore.names import (
    CommitId,
    check_commit,
    check_message,
    check_path,
    has_control,
    portability_problem,
)
from kb_app.gitstore.process import readable
from kb_app.gitstore.runner import GitOutcome, Identity, Repository
from kb_app.gitstore.trees import parse_listing, remove_tree
from kb_app.paths import private_folder
from kb_app.plain import from_plain, to_plain

QUEUE_FILE = "queue.json"
PROPOSAL_TRAILER = "Proposal"
MAX_FILES = 200
MAX_FILE_BYTES = 20_000_000

_REVIEW_REFS = ("refs/pull/*/head", "refs/merge-requests/*/head", "refs/changes/*")
_TRAILER_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")


class ProposalState(StrEnum):
    """How far a proposal is."""

    QUEUED = "queued"
    PROPOSED = "proposed"
    IN_REVIEW = "in review"
    MERGED = "merged"
    NEEDS_ANSWER = "needs an answer"
    WITHDRAWN = "withdrawn"


OPEN_STATES = frozenset({ProposalState.PROPOSED, ProposalState.IN_REVIEW, ProposalState.NEEDS_ANSWER})
"""States that the remote may still change."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a contributor wants to change.

    Attributes:
        title: one line.
        files: the files as they should be.
        body: why, in a few sentences; may be empty.
        trailers: further facts, for example ``("Reviewed-entry", "lease-lost")``, in order.
        base: the commit the texts were opened at; the clone's present one when empty.
    """

    title: str
    files: tuple[FileEdit, ...]
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    base: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal on its way.

    Attributes:
        id: unique and sortable by time; also its trailer's value.
        number: order in the queue, from 1.
        clone: the knowledge base's name.
        title, body, trailers: as drafted.
        branch: its branch; target: the branch it is for.
        base: the commit it starts from.
        paths: files it changes; removed: those of them it removes.
        created_at: when it was made (UTC).
        author, email: who made it; empty means as git is configured.
        is_signed_off, signing: how it is committed.
        host: what sort of host it goes to.
        state: how far it is.
        commit: its commit; empty until it is made.
        pushed_at: when the remote took it.
        page: where it can be seen or where the review is asked for; may be empty.
        problem: why it needs an answer, one sentence; empty otherwise.
        hint: what to do about it.
    """

    id: str
    number: int
    clone: str
    title: str
    branch: str
    target: str
    base: str
    paths: tuple[str, ...]
    created_at: dt.datetime
    body: str = ""
    trailers: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    author: str = ""
    email: str = ""
    is_signed_off: bool = False
    signing: Signing = Signing.AS_CONFIGURED
    host: HostKind = HostKind.BARE
    state: ProposalState = ProposalState.QUEUED
    commit: str = ""
    pushed_at: dt.datetime | None = None
    page: str = ""
    problem: str = ""
    hint: str = ""


class ProposeEnd(StrEnum):
    """What became of a draft."""

    QUEUED = "queued"
    BLOCKED = "blocked"
    CHANGED_MEANWHILE = "changed-meanwhile"
    NOTHING = "nothing-changed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FileMerge:
    """A drafted file and what others made of it meanwhile, brought together as far as possible.

    Attributes:
        path: the file.
        merge: its parts and conflicts.
        is_text: all versions are UTF-8; else keep the bytes of one side: the text here is only shown.
    """

    path: str
    merge: Merge
    is_text: bool = True


@dataclass(frozen=True, slots=True)
class ProposeOutcome:
    """What became of a draft.

    Attributes:
        end: how it ended; sentence, hint: for the user; details: Git's words, redacted.
        proposal: when it is queued.
        leaks: what must not be shared, when it was blocked.
        warnings: sentences about file names; they do not block.
        merges: drafted files of which others changed the same sections, for `conflicts.resolve`.
        head: the commit they are merged with: ``Draft.base`` of the next attempt.
        joined: paths whose other sections were changed by others and were brought together.
    """

    end: ProposeEnd
    sentence: str
    hint: str = ""
    details: str = ""
    proposal: Proposal | None = None
    leaks: tuple[Leak, ...] = ()
    warnings: tuple[str, ...] = ()
    merges: tuple[FileMerge, ...] = ()
    head: str = ""
    joined: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        """It is in the queue, committed."""
        return self.end is ProposeEnd.QUEUED


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push of the queue did.

    Attributes:
        sentence, hint: for the user; details: Git's words, redacted.
        sent: proposals the remote took now, in order.
        waiting: proposals that are still queued.
        refused: proposals that need an answer now.
        cause: what stopped the queue; `Cause.NONE` when nothing did.
    """

    sentence: str
    hint: str = ""
    details: str = ""
    sent: tuple[Proposal, ...] = ()
    waiting: tuple[Proposal, ...] = ()
    refused: tuple[Proposal, ...] = ()
    cause: Cause = Cause.NONE


@dataclass(frozen=True, slots=True)
class ProposalOptions:
    """A team's choices for proposals.

    Attributes:
        identity: who commits; empty parts as git is configured.
        is_signed_off: add ``Signed-off-by``.
        signing: whether to sign.
        host: what sort of host; told from the address when None.
        branch_prefix: first part of the branches' names.
        customer_names: names that may not appear in a proposal.
    """

    identity: Identity = field(default_factory=Identity)
    is_signed_off: bool = False
    signing: Signing = Signing.AS_CONFIGURED
    host: HostKind | None = None
    branch_prefix: str = "proposal"
    customer_names: tuple[str, ...] = ()


class ProposalQueue:
    """The proposals of all knowledge bases, in order.

    Args:
        folder: where the queue is kept; created for this user alone.
        area: our clones.
        options: the team's choices.
    """

    def __init__(self, folder: Path, area: CloneArea, options: ProposalOptions | None = None) -> None:
        self.folder = writable_or_existing(folder.absolute())
        self.area = area
        self.options = options or ProposalOptions()

    # --- the queue ------------------------------------------------------------------------------------

    def proposals(self, clone: str = "") -> tuple[Proposal, ...]:
        """Return all proposals, or those for one knowledge base, oldest first.

        Raises:
            EnvironmentFault: when the queue cannot be read.
        """
        file = self.folder / QUEUE_FILE
        try:
            rows = json.loads(file.read_bytes())["proposals"]
            found = [from_plain(Proposal, row) for row in rows]
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EnvironmentFault(
                f"The queue of proposals {file} cannot be read",
                "The drafted texts are in the folders beside it; move the file away to start anew",
            ) from error
        return tuple(sorted((p for p in found if clone in ("", p.clone)), key=lambda p: p.number))

    def get(self, proposal_id: str) -> Proposal:
        """Return one proposal.

        Raises:
            UsageError: when there is none of that id.
        """
        for proposal in self.proposals():
            if proposal.id == proposal_id:
                return proposal
        raise UsageError(f"There is no proposal {proposal_id!a}", "kb proposals lists them")

    def head(self, clone_name: str) -> CommitId:
        """Return the commit that a knowledge base stands at: what texts that are opened now belong to.

        Raises:
            UsageError: when there is no such clone.
            EnvironmentFault: when it cannot be told.
        """
        clone = self.area.get(clone_name)
        return self._resolve(self.area.repository(clone), f"refs/heads/{clone.branch}")

    def files(self, proposal: Proposal) -> tuple[FileEdit, ...]:
        """Return the drafted files of a proposal, as they were queued.

        Raises:
            EnvironmentFault: when they cannot be read.
        """
        return tuple(
            FileEdit(path, None if path in proposal.removed else self._read(proposal, index))
            for index, path in enumerate(proposal.paths)
        )

    def before(self, proposal: Proposal, path: str) -> bytes | None:
        """Return a file as it was where a proposal starts from; None when it was not there.

        Raises:
            UsageError: when there is no such clone any more.
            EnvironmentFault: when it cannot be read.
        """
        clone = self.area.get(proposal.clone)
        edits = (FileEdit(check_path(path), None),)
        return self._blobs(clone, check_commit(proposal.base), edits).get(path)

    def _read(self, proposal: Proposal, index: int) -> bytes:
        try:
            return (self._texts(proposal) / str(index)).read_bytes()
        except OSError as error:
            raise EnvironmentFault(
                f"The text of the proposal {proposal.title!r} cannot be read",
                "Write it again from its branch",
            ) from error

    def _texts(self, proposal: Proposal) -> Path:
        """Return the folder of a proposal's texts.

        Raises:
            EnvironmentFault: when its id, as the queue's file has it, is none that this program gives.
        """
        if not re.fullmatch(r"[0-9A-Za-z]+(?:-[0-9A-Za-z]+)*", proposal.id):
            raise EnvironmentFault("The queue of proposals was changed by hand", "Restore it from a backup")
        return self.folder / proposal.id

    def _save(self, proposal: Proposal) -> Proposal:
        """Write one proposal into the queue, durably; the caller holds the queue."""
        rows = [p for p in self.proposals() if p.id != proposal.id]
        rows = sorted([*rows, proposal], key=lambda p: p.number)
        text = json.dumps({"proposals": to_plain(rows)}, indent=1, ensure_ascii=False)
        write_atomically(self.folder / QUEUE_FILE, text.encode() + b"\n")
        return proposal

    @contextlib.contextmanager
    def _held(self, clone: Clone) -> Iterator[None]:
        """Hold the queue and the clone, in that order."""
        with (
            exclusive(self.folder / ".lock", patience_s=5),
            exclusive(self.area.lock_file(clone), patience_s=5),
        ):
            yield

    # --- making -----------------------------------------------------------------------------------------

    def propose(
        self, clone_name: str, draft: Draft, *, accept_doubtful: bool = False, supersedes: str = ""
    ) -> ProposeOutcome:
        """Check a draft, put it into the queue, commit it on a branch of its own. No network is used.

        What others changed since ``Draft.base`` is brought together with it, if they changed other sections.

        Args:
            clone_name: the knowledge base.
            draft: what to change.
            accept_doubtful: the author says that what may be a secret is an example; certain ones block.
            supersedes: id of a proposal that this one replaces; it is withdrawn when this one is queued.

        Raises:
            UsageError: when the title, a path or a trailer cannot be used, or there is no such clone.
        """
        clone = self.area.get(clone_name)
        if supersedes:
            draft = replace(draft, trailers=(*draft.trailers, ("Supersedes", self.get(supersedes).id)))
        _check_draft(draft)
        try:
            with self._held(clone):
                outcome = self._propose(clone, draft, accept_doubtful=accept_doubtful)
                if outcome.is_ok and supersedes:
                    self._save(
                        replace(self.get(supersedes), state=ProposalState.WITHDRAWN, problem="", hint="")
                    )
                return outcome
        except EnvironmentFault as fault:
            return ProposeOutcome(ProposeEnd.FAILED, fault.title, fault.hint)

    def extend(self, proposal_id: str, draft: Draft) -> ProposeOutcome | None:
        """Make a proposal that waits to be sent and a draft one proposal, which takes its place in the queue.

        Title and body are those of ``draft``; files and trailers are those of both. None: it was sent or
        withdrawn meanwhile, or both together are too many files; nothing happened.

        Raises:
            UsageError: when the title, a path or a trailer cannot be used, or there is no such proposal.
        """
        clone = self.area.get(self.get(proposal_id).clone)
        try:
            with self._held(clone):
                waiting = self.get(proposal_id)
                files = (*self.files(waiting), *draft.files)
                if waiting.state is not ProposalState.QUEUED or len(files) > MAX_FILES:
                    return None
                both = replace(draft, files=files, trailers=(*waiting.trailers, *draft.trailers))
                _check_draft(both)
                outcome = self._propose(clone, both, accept_doubtful=False)
                if outcome.is_ok:
                    self._forget(waiting)
                return outcome
        except EnvironmentFault as fault:
            return ProposeOutcome(ProposeEnd.FAILED, fault.title, fault.hint)

    def _propose(self, clone: Clone, draft: Draft, *, accept_doubtful: bool) -> ProposeOutcome:
        repository = self.area.repository(clone)
        self._sweep(clone)
        head = self._resolve(repository, f"refs/heads/{clone.branch}")
        base = check_commit(draft.base) if draft.base else head
        before = self._blobs(clone, self._resolve(repository, base), draft.files)
        now = before if base == head else self._blobs(clone, head, draft.files)
        joined, open_merges = _joined(draft.files, before, now)
        if open_merges:
            return _changed_meanwhile(open_merges, head)
        drafted = tuple(joined.get(edit.path, edit) for edit in draft.files)
        edits = tuple(edit for edit in drafted if now.get(edit.path) != edit.content)
        if not edits:
            return ProposeOutcome(ProposeEnd.NOTHING, "The draft changes nothing", "Edit the text first")
        leaks = self._leaks(edits, now)
        if any(leak.is_certain or not accept_doubtful for leak in leaks):
            first = leaks[0]
            return ProposeOutcome(
                ProposeEnd.BLOCKED,
                f"{first.path}, line {first.line} holds {first.what}, so nothing was saved",
                "Replace it by a placeholder such as <name>, then propose again",
                leaks=leaks,
            )
        warnings = self._warnings(repository, head, edits)
        proposal = self._enqueue(clone, replace(draft, files=edits, base=head))
        try:
            committed = self._commit(clone, proposal)
        except EnvironmentFault:
            committed = proposal  # it is in the queue; its commit is made when it is sent
        if isinstance(committed, GitOutcome):
            self._forget(proposal)
            return ProposeOutcome(ProposeEnd.FAILED, committed.sentence, committed.hint, committed.details)
        return ProposeOutcome(
            ProposeEnd.QUEUED,
            "Saved as a proposal; it is sent with the next sync",
            proposal=committed,
            leaks=leaks,
            warnings=warnings,
            head=head,
            joined=tuple(joined),
        )

    def conflicts(self, proposal_id: str) -> ProposeOutcome:
        """Bring a proposal together with what others made of its files; nothing changes.

        Returns:
            `ProposeEnd.CHANGED_MEANWHILE` with what needs a choice; else `ProposeEnd.NOTHING`. Propose the
            resolved texts with ``Draft.base = head`` and ``supersedes`` set.

        Raises:
            UsageError: when there is none of that id.
            EnvironmentFault: when it cannot be read.
        """
        proposal = self.get(proposal_id)
        clone = self.area.get(proposal.clone)
        head = self._resolve(self.area.repository(clone), f"refs/heads/{clone.branch}")
        files = self.files(proposal)
        before = self._blobs(clone, check_commit(proposal.base), files)
        _, open_merges = _joined(files, before, self._blobs(clone, head, files))
        if open_merges:
            return _changed_meanwhile(open_merges, head)
        return ProposeOutcome(ProposeEnd.NOTHING, "Nobody changed the same sections", head=head)

    def texts(self, clone_name: str, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the bytes of files at a commit; absent ones are left out.

        Raises:
            UsageError: when there is no such clone, or a path or the commit is not acceptable.
            EnvironmentFault: when they cannot be read.
        """
        edits = [FileEdit(check_path(path), None) for path in paths]
        return self._blobs(self.area.get(clone_name), check_commit(commit), edits)

    def _enqueue(self, clone: Clone, draft: Draft) -> Proposal:
        at = self.area.clock()
        number = max((p.number for p in self.proposals()), default=0) + 1
        made = f"{at:%Y%m%dT%H%M%SZ}-{number:04d}-{secrets.token_hex(3)}"
        identity = self.options.identity
        proposal = Proposal(
            id=made,
            number=number,
            clone=clone.name,
            title=draft.title.strip(),
            branch=f"{self.options.branch_prefix}/{_slug(draft.title)}-{made[-11:]}",
            target=clone.branch,
            base=draft.base,
            paths=tuple(edit.path for edit in draft.files),
            removed=tuple(edit.path for edit in draft.files if edit.content is None),
            created_at=at,
            body=draft.body.strip(),
            trailers=draft.trailers,
            author=identity.name,
            email=identity.email,
            is_signed_off=self.options.is_signed_off,
            signing=self.options.signing,
            host=self.options.host or host_of(clone.address),
        )
        texts = private_folder(self._texts(proposal))
        for index, edit in enumerate(draft.files):
            if edit.content is not None:
                write_atomically(texts / str(index), edit.content)
        flush_folder(self.folder)
        try:
            return self._save(proposal)
        except EnvironmentFault:
            if proposal in self.proposals():  # it is there; only the flush of its name failed
                return proposal
            raise

    def _commit(self, clone: Clone, proposal: Proposal) -> Proposal | GitOutcome:
        """Make the proposal's commit unless it is there; the caller holds the queue and the clone."""
        made = commit_on_branch(
            self.area.runner,
            self.area.repository(clone),
            CommitPlan(
                check_commit(proposal.base),
                proposal.branch,
                self.files(proposal),
                message_of(proposal),
                Identity(proposal.author, proposal.email),
                is_signed_off=proposal.is_signed_off,
                signing=proposal.signing,
            ),
            self.folder / f"worktree-{proposal.id}",
        )
        return made if isinstance(made, GitOutcome) else self._save(replace(proposal, commit=made))

    def _sweep(self, clone: Clone) -> None:
        """Clear away what a killed run left; the caller holds queue and clone."""
        repository = self.area.repository(clone)
        set_stale_locks_aside(repository, self.area.area / ".set-aside")
        left = list(self.folder.glob("worktree-*")) + list(repository.git_dir.glob("worktrees/*"))
        if left:
            for folder in self.folder.glob("worktree-*"):
                remove_tree(folder)
            # drops its records of folders that are gone; no ref is pruned
            self.area.runner.run("worktree-prune", repository=repository)

    def _forget(self, proposal: Proposal) -> None:
        texts = self._texts(proposal)
        rows = [p for p in self.proposals() if p.id != proposal.id]
        text = json.dumps({"proposals": to_plain(rows)}, indent=1, ensure_ascii=False)
        write_atomically(self.folder / QUEUE_FILE, text.encode() + b"\n")
        remove_tree(texts)

    def _blobs(self, clone: Clone, commit: CommitId, edits: Sequence[FileEdit]) -> dict[str, bytes]:
        """Return the bytes of the edited paths in a commit; absent ones are left out."""
        found = {}
        repository = self.area.repository(clone)
        lazily = clone.address if clone.is_partial else None
        listed = self.area.runner.run(
            "ls-tree",
            ("-r", "-z", "--full-tree"),
            (commit,),
            paths=[edit.path for edit in edits],
            repository=repository,
        ).expect_ok()
        for file in parse_listing(listed.stdout):
            if file.mode.startswith("100"):
                text = self.area.runner.run(
                    "cat-file", ("blob",), (file.blob,), repository=repository, address=lazily
                )
                found[file.path] = text.expect_ok().stdout
        return found

    def _leaks(self, edits: Sequence[FileEdit], before: dict[str, bytes]) -> tuple[Leak, ...]:
        names = self.options.customer_names
        return tuple(
            leak
            for edit in edits
            if edit.content is not None and b"\0" not in edit.content[:8000]
            for leak in leaks_in(
                edit.path,
                before.get(edit.path, b"").decode("utf-8", "replace"),
                edit.content.decode("utf-8", "replace"),
                names,
            )
        )

    def _warnings(self, repository: Repository, head: CommitId, edits: Sequence[FileEdit]) -> tuple[str, ...]:
        listed = self.area.runner.run("ls-tree", ("-r", "-z", "--full-tree"), (head,), repository=repository)
        twins: dict[str, str] = {_folded(file.path): file.path for file in parse_listing(listed.stdout)}
        warnings = []
        for edit in edits:
            if edit.content is None:
                continue
            if problem := portability_problem(edit.path):
                warnings.append(f"{edit.path}: {problem}")
            twin = twins.get(_folded(edit.path), edit.path)
            if twin != edit.path:
                warnings.append(f"{edit.path}: Windows and macOS take it for {twin}")
        return tuple(warnings)

    def _resolve(self, repository: Repository, ref: str) -> CommitId:
        outcome = self.area.runner.run(
            "rev-parse", ("--verify", "--quiet"), (f"{ref}^{{commit}}",), repository=repository
        )
        if outcome.cause not in (Cause.NONE, Cause.OTHER):
            outcome.expect_ok()
        if not outcome.is_ok or not outcome.text.strip():
            raise EnvironmentFault(
                "This copy of the knowledge base has no such state", "Sync it, then try again"
            )
        return check_commit(outcome.text.split()[0])

    # --- sending ----------------------------------------------------------------------------------------

    def push(self, clone_name: str, *, is_cancelled: IsCancelled | None = None) -> PushReport:
        """Send the waiting proposals of a knowledge base, oldest first, each once.

        A missing network or login stops the queue; a refusal of one proposal does not stop the next.

        Raises:
            UsageError: when there is no such clone.
        """
        clone = self.area.get(clone_name)
        try:
            with self._held(clone):
                return self._push(clone, is_cancelled)
        except EnvironmentFault as fault:
            return PushReport(fault.title, fault.hint, cause=_cause(fault))

    def _push(self, clone: Clone, is_cancelled: IsCancelled | None) -> PushReport:
        self._sweep(clone)
        sent: list[Proposal] = []
        refused: list[Proposal] = []
        waiting = [p for p in self.proposals(clone.name) if p.state is ProposalState.QUEUED]
        if not waiting:
            return PushReport("Nothing waits to be sent")
        refs, stopped = self._remote_refs(clone, is_cancelled)
        while waiting and stopped is None:
            proposal = waiting[0]
            if not proposal.commit:  # a crash came between the queue and the commit
                committed = self._commit(clone, proposal)
                if isinstance(committed, GitOutcome):
                    stopped = committed
                    break
                proposal = committed
            result = self._push_one(clone, proposal, refs, is_cancelled)
            if isinstance(result, GitOutcome):
                stopped = result
                break
            waiting.pop(0)
            (sent if result.state is ProposalState.PROPOSED else refused).append(result)
        return _push_report(sent, waiting, refused, stopped)

    def _push_one(
        self, clone: Clone, proposal: Proposal, refs: dict[str, CommitId], is_cancelled: IsCancelled | None
    ) -> Proposal | GitOutcome:
        """Send one proposal; return it in its new state, or what stops the whole queue."""
        address = clone.address
        plan = self._plan(clone, proposal)
        if proposal.commit in refs.values():  # sent before a crash
            return self._sent(proposal, plan, "")
        spec = f"{proposal.commit}:{plan.target}"
        options = ["--porcelain", "--atomic", *(f"--push-option={option}" for option in plan.options)]
        if plan.target in (f"refs/heads/{proposal.target}", f"refs/heads/{clone.branch}"):
            raise EnvironmentFault("A proposal would go to the main branch", "Choose another branch prefix")
        repository = self.area.repository(clone)
        outcome = self.area.runner.run(
            "push",
            options,
            (address.text, spec),
            repository=repository,
            address=address,
            is_cancelled=is_cancelled,
        )
        if not outcome.is_ok and plan.options and "does not support push options" in outcome.details:
            outcome = self.area.runner.run(
                "push", options[:2], (address.text, spec), repository=repository, address=address
            )
        if outcome.is_ok:
            return self._sent(proposal, plan, outcome.details)
        if outcome.cause in RETRYABLE or outcome.cause not in (Cause.REJECTED, Cause.FORBIDDEN, Cause.OTHER):
            return outcome
        is_barred = outcome.cause is Cause.FORBIDDEN
        page = self._page_to_write_on(clone, proposal) if is_barred else ""
        return self._save(
            replace(
                proposal,
                state=ProposalState.NEEDS_ANSWER,
                problem=_reason(outcome) or outcome.sentence,
                hint=_way_without_pushing(proposal, clone, page) if is_barred else _REFUSED_HINT,
                page=page,
            )
        )

    def _page_to_write_on(self, clone: Clone, proposal: Proposal) -> str:
        """Return the host's page on which a new file can be proposed without pushing, prefilled, or empty."""
        files = self.files(proposal)
        content = files[0].content if len(files) == 1 else None
        if content is None or not are_texts(content) or self.before(proposal, files[0].path) is not None:
            return ""
        return new_file_page(
            proposal.host, clone.address, branch=proposal.target, path=files[0].path, text=content.decode()
        )

    def _plan(self, clone: Clone, proposal: Proposal) -> PushPlan:
        return push_plan(
            proposal.host,
            clone.address,
            branch=proposal.branch,
            target_branch=proposal.target,
            title=proposal.title,
            body=proposal.body,
        )

    def _sent(self, proposal: Proposal, plan: PushPlan, answer: str) -> Proposal:
        clone = self.area.get(proposal.clone)
        page = page_in(answer, clone.address) or plan.page
        return self._save(
            replace(
                proposal,
                state=ProposalState.PROPOSED,
                pushed_at=self.area.clock(),
                page=page,
                problem="",
                hint="Open the page to ask for the review" if plan.page and page == plan.page else "",
            )
        )

    def _remote_refs(
        self, clone: Clone, is_cancelled: IsCancelled | None
    ) -> tuple[dict[str, CommitId], GitOutcome | None]:
        """Return the remote's branches and reviews by ref; only branches when there are too many reviews."""
        outcome = GitOutcome(Cause.OTHER)
        for patterns in (("refs/heads/*", *_REVIEW_REFS), ("refs/heads/*",)):
            outcome = self.area.runner.run(
                "ls-remote",
                (),
                (clone.address.text, *patterns),
                address=clone.address,
                is_cancelled=is_cancelled,
            )
            if outcome.cause is not Cause.TOO_MUCH:
                break
        if not outcome.is_ok:
            return {}, outcome
        refs = {}
        for line in outcome.text.splitlines():
            commit, _, ref = line.partition("\t")
            if re.fullmatch(r"[0-9a-f]{40,64}", commit):
                refs[ref] = CommitId(commit)
        return refs, None

    # --- following --------------------------------------------------------------------------------------

    def refresh(self, clone_name: str, *, is_cancelled: IsCancelled | None = None) -> PushReport:
        """Read from the remote how far the sent proposals are. Sync first, so that merged ones are seen.

        Raises:
            UsageError: when there is no such clone.
        """
        clone = self.area.get(clone_name)
        followed = [p for p in self.proposals(clone_name) if p.state in OPEN_STATES and p.commit]
        if not followed:
            return PushReport("No proposal is under way")
        refs, stopped = self._remote_refs(clone, is_cancelled)
        if stopped is not None:
            return PushReport(stopped.sentence, stopped.hint, stopped.details, cause=stopped.cause)
        try:
            with exclusive(self.folder / ".lock", patience_s=5):
                for proposal in followed:
                    found = self._looked_up(clone, proposal, refs)
                    if found != proposal:
                        self._save(found)
        except EnvironmentFault as fault:
            return PushReport(fault.title, fault.hint, cause=_cause(fault))
        done = [p for p in self.proposals(clone_name) if p.state is ProposalState.MERGED]
        return PushReport(f"{len(followed)} looked up, {len(done)} taken so far")

    def _looked_up(self, clone: Clone, proposal: Proposal, refs: dict[str, CommitId]) -> Proposal:
        repository = self.area.repository(clone)
        known = f"refs/remotes/origin/{proposal.target}"
        if self._is_merged(repository, proposal, known):
            return replace(proposal, state=ProposalState.MERGED, problem="", hint="")
        if proposal.pushed_at is None:
            return proposal  # refused; nothing of it is on the remote
        reviews = (r for r, c in refs.items() if c == proposal.commit and not r.startswith("refs/heads/"))
        review = next(reviews, "")
        tip = refs.get(f"refs/heads/{proposal.branch}")
        if self._conflicts(repository, proposal, known):
            return _needs_answer(
                proposal,
                "Somebody changed the same lines meanwhile",
                "Open it, bring both texts together by section, and propose it anew",
            )
        if review:
            page = review_page(clone.address, review) or proposal.page
            return replace(proposal, state=ProposalState.IN_REVIEW, page=page, problem="", hint="")
        if not self._plan(clone, proposal).makes_branch:
            return replace(proposal, state=ProposalState.PROPOSED, problem="", hint="")
        if tip is None:
            return _needs_answer(
                proposal,
                "The remote removed the proposal without taking it",
                "Ask the owner, or propose it anew",
            )
        if tip != proposal.commit:
            return _needs_answer(
                proposal, "A reviewer changed the proposal", "Look at the reviewer's version and answer there"
            )
        return replace(proposal, state=ProposalState.PROPOSED, problem="", hint=proposal.hint)

    def _is_merged(self, repository: Repository, proposal: Proposal, known: str) -> bool:
        """Tell whether the target holds the commit, the same patch, or a commit that carries its id."""
        run = self.area.runner.run
        if run("merge-base", ("--is-ancestor",), (proposal.commit, known), repository=repository).is_ok:
            return True
        cherry = run("cherry", (), (known, proposal.commit, proposal.base), repository=repository)
        if cherry.is_ok and cherry.text.strip() and all(r.startswith("-") for r in cherry.text.splitlines()):
            return True
        log = run(
            "log",
            (f"--format=%(trailers:key={PROPOSAL_TRAILER},valueonly)", "--max-count=2000"),
            (f"{proposal.base}..{known}",),
            repository=repository,
        )
        return log.is_ok and proposal.id in log.text.split()

    def _conflicts(self, repository: Repository, proposal: Proposal, known: str) -> bool:
        merged = self.area.runner.run(
            "merge-tree", ("--write-tree", "--name-only"), (known, proposal.commit), repository=repository
        )
        return merged.code == 1

    # --- other ways out -----------------------------------------------------------------------------------

    def patch(self, proposal_id: str) -> bytes:
        """Return a proposal as a patch file, for e-mail or a ticket.

        Raises:
            UsageError: when there is none of that id.
            EnvironmentFault: when its commit is not there.
        """
        proposal = self.get(proposal_id)
        repository = self.area.repository(self.area.get(proposal.clone))
        return (
            self.area.runner.run(
                "format-patch",
                ("--stdout", "--max-count=1", "--no-signature", "--binary", "--full-index"),
                (check_commit(proposal.commit),),
                repository=repository,
            )
            .expect_ok()
            .stdout
        )

    def send_again(self, proposal_id: str) -> Proposal:
        """Put a refused proposal back into the queue.

        Raises:
            UsageError: when there is none of that id, or it was not refused.
        """
        with exclusive(self.folder / ".lock", patience_s=5):
            proposal = self.get(proposal_id)
            if proposal.state is not ProposalState.NEEDS_ANSWER or proposal.pushed_at is not None:
                raise UsageError(
                    "Only a proposal that the remote refused can be sent again", "Propose it anew"
                )
            return self._save(replace(proposal, state=ProposalState.QUEUED, problem="", hint=""))

    def withdraw(self, proposal_id: str) -> Proposal:
        """Stop following or sending a proposal; its text and its branch here are kept.

        Raises:
            UsageError: when there is none of that id, or it was merged.
        """
        with exclusive(self.folder / ".lock", patience_s=5):
            proposal = self.get(proposal_id)
            if proposal.state is ProposalState.MERGED:
                raise UsageError("The proposal was taken already", "Propose the opposite change instead")
            return self._save(_withdrawn(proposal))

    def forget(self, proposal_id: str) -> None:
        """Drop a proposal that is at its end, with its queued texts; its branch here stays.

        Raises:
            UsageError: when there is none of that id, or it is still under way.
        """
        with exclusive(self.folder / ".lock", patience_s=5):
            proposal = self.get(proposal_id)
            if proposal.state not in (ProposalState.MERGED, ProposalState.WITHDRAWN):
                raise UsageError("The proposal is still under way", "Withdraw it first")
            self._forget(proposal)


_REFUSED_HINT = "Save it as a patch file for the owner, or ask for permission and send again"


def _way_without_pushing(proposal: Proposal, clone: Clone, page: str) -> str:
    """Return what somebody can do who may not push; ``page``: where the host lets her write the file."""
    if page:
        return "Propose it in the browser: the page is filled in, and the host keeps it in a copy of your own"
    base = web_base(clone.address)
    issues = {HostKind.GITHUB: "issues/new", HostKind.GITEA: "issues/new", HostKind.GITLAB: "-/issues/new"}
    if base and proposal.host in issues:
        return f"Save it as a patch file and attach it to an issue at {base}/{issues[proposal.host]}"
    return f"Save it as a patch file and send it to the owners of {clone.name}"


def message_of(proposal: Proposal) -> str:
    """Return the commit message: title, body, trailers with the proposal's id."""
    trailers = [*proposal.trailers, (PROPOSAL_TRAILER, proposal.id)]
    if proposal.host is HostKind.GERRIT:
        trailers.append(("Change-Id", change_id(proposal.id)))
    lines = "\n".join(f"{key}: {value}" for key, value in trailers)
    parts = [proposal.title, proposal.body, lines]
    return check_message("\n\n".join(part for part in parts if part))


def _joined(
    edits: Sequence[FileEdit], before: Mapping[str, bytes], now: Mapping[str, bytes]
) -> tuple[dict[str, FileEdit], tuple[FileMerge, ...]]:
    """Bring edits together with what others did; return those that could be, and those that need a choice."""
    joined: dict[str, FileEdit] = {}
    open_merges = []
    for edit in edits:
        base, mine, theirs = before.get(edit.path), edit.content, now.get(edit.path)
        if theirs in (base, mine):
            continue
        is_text = are_texts(base, mine, theirs)
        texts = (text_of(base), text_of(mine), text_of(theirs))
        merge = merge_pages(*texts) if is_text else Merge((whole_page(*texts),), "")
        text = merge.text
        if text is None or mine is None or theirs is None:
            open_merges.append(FileMerge(edit.path, merge, is_text))
        else:
            joined[edit.path] = FileEdit(edit.path, text.encode())
    return joined, tuple(open_merges)


def text_of(content: bytes | None) -> str | None:
    """Return bytes as text, what is not UTF-8 replaced; None for a file that is not there."""
    return None if content is None else content.decode("utf-8", "replace")


def are_texts(*contents: bytes | None) -> bool:
    """Tell whether all can be read as UTF-8 and written back as they were."""
    try:
        return all("\0" not in content.decode() for content in contents if content is not None)
    except UnicodeDecodeError:
        return False


def _changed_meanwhile(merges: tuple[FileMerge, ...], head: CommitId) -> ProposeOutcome:
    return ProposeOutcome(
        ProposeEnd.CHANGED_MEANWHILE,
        f"{merges[0].path} was changed by others since you opened it, in the same place",
        "Choose for each place: mine, theirs or both; then propose again",
        merges=merges,
        head=head,
    )


def _check_draft(draft: Draft) -> None:
    title = draft.title.strip()
    if "\n" in title or len(title) > 200:
        raise UsageError("The title is more than one short line", "Say in one line what changed")
    check_message(title)
    if draft.body.strip():
        check_message(draft.body)
    for key, value in draft.trailers:
        if not _TRAILER_KEY.fullmatch(key) or not value.strip() or has_control(value) or len(value) > 500:
            raise UsageError(f"{key[:60]!a} is not a fact that a commit can carry")
    paths = [check_path(edit.path) for edit in draft.files]
    if len(set(paths)) != len(paths) or not 0 < len(paths) <= MAX_FILES:
        raise UsageError(f"A proposal changes 1 to {MAX_FILES} files, each once", "Split it into several")
    for edit in draft.files:
        if edit.content is not None and len(edit.content) > MAX_FILE_BYTES:
            raise UsageError(f"{edit.path} has more than {MAX_FILE_BYTES // 1_000_000} MB", "Make it smaller")


def _push_report(
    sent: Sequence[Proposal],
    waiting: Sequence[Proposal],
    refused: Sequence[Proposal],
    stopped: GitOutcome | None,
) -> PushReport:
    parts = []
    if sent:
        parts.append(f"{len(sent)} sent")
    if refused:
        parts.append(f"{len(refused)} refused")
    if waiting:
        parts.append(f"{len(waiting)} waiting")
    sentence = ", ".join(parts)
    if stopped is not None:
        sentence = f"{stopped.sentence}; {sentence}"
    return PushReport(
        sentence,
        stopped.hint if stopped is not None else "",
        stopped.details if stopped is not None else "",
        tuple(sent),
        tuple(waiting),
        tuple(refused),
        stopped.cause if stopped is not None else Cause.NONE,
    )


def _cause(fault: EnvironmentFault) -> Cause:
    return Cause.LOCKED if isinstance(fault, Busy) else Cause.READ_ONLY


def _needs_answer(proposal: Proposal, problem: str, hint: str) -> Proposal:
    return replace(proposal, state=ProposalState.NEEDS_ANSWER, problem=problem, hint=hint)


def _withdrawn(proposal: Proposal) -> Proposal:
    return replace(proposal, state=ProposalState.WITHDRAWN, problem="", hint="")


def _reason(outcome: GitOutcome) -> str:
    """Return the server's own reason for a refusal, if it gave one."""
    for line in outcome.text.splitlines():
        if (match := re.match(r"!\t[^\t]*\t\[remote rejected\] \((.{1,200})\)", line)) is not None:
            return f"The server refused it: {readable(match.group(1).encode())}"
    return ""


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:50].strip("-") or "change"


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
