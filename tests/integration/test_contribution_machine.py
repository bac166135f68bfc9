"""Whatever is done in whatever order, no acknowledged text is lost: edit, propose, sync, force-push, crash.

Hypothesis chooses the acts. ``HYPOTHESIS_PROFILE=explore`` walks longer and further.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, git

from kb_app import durable
from kb_app.errors import KbError
from kb_app.gitstore.answers import answered, open_proposal
from kb_app.gitstore.conflicts import Choice
from kb_app.gitstore.proposals import ProposalQueue, ProposalState, ProposeEnd
from kb_app.gitstore.store import GitStore, open_store, synchronise
from kb_app.gitstore.sync import SyncEnd, adopt
from kb_app.gitstore.trees import remove_tree
from kb_app.paths import AppFolders
from kb_app.search.catalogue_file import load_cards
from kb_app.settings import Settings
from kb_app.workspace.bases import OpenBase, open_base
from kb_app.workspace.contributing import begin_edit, propose_draft
from kb_app.workspace.drafts import DraftStore, TextDraft
from kb_app.workspace.editing import editable, open_text
from kb_app.workspace.finding import bring_up_to_date
from kb_app.workspace.sharing import clone_base

IS_FAR = os.environ.get("HYPOTHESIS_PROFILE") == "explore"
WHO = Settings(contributor_name="Ada Example", contributor_email="ada@example.org")
PAGE = "# Page {n}\n\n## Symptoms\nIt hangs.\n\n## Fix\nRestart it.\n\n## Verify\nIt answers.\n"
PAGES = {f"{n}.md": PAGE.format(n=n) for n in range(3)}
SECTIONS = ("It hangs.", "Restart it.", "It answers.")


class Crash(BaseException):
    """The program ends here, without a word."""


class Machine(RuleBasedStateMachine):
    """One user, one remote with colleagues, one copy of it; the program may crash at any flush."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.top = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None, prefix="kb-machine-"))
        self.remote = Remote(self.top / "r", PAGES)
        home = self.top / "home"
        self.folders = AppFolders(home / "config", home / "cache", home / "data", home / "logs")
        self.root = Path(clone_base(self.folders, self.remote.address, "kb").location)
        self.number = 0
        self.reader = self.store.area
        self.texts: dict[str, str] = {}
        """Draft to the text of its last acknowledged save."""
        self.queued: dict[str, dict[str, bytes | None]] = {}
        """Proposal to the files that were acknowledged with it."""
        self.edited: dict[str, str] = {}
        """Files that were edited by another program inside our copy."""
        self.shown: set[str] = set()
        """Commits whose files were looked at: a commit never changes."""
        self.heads: set[str] = {git(self.root, "rev-parse", "HEAD")}

    # -- what is there ------------------------------------------------------------------------------------

    @property
    def store(self) -> GitStore:
        """Open everything anew: nothing is remembered between two acts, as after a restart."""
        return open_store(self.folders)

    @property
    def queue(self) -> ProposalQueue:
        """Open the queue alone, to read it."""
        return ProposalQueue(self.folders.data / "proposals", self.reader)

    @property
    def base(self) -> OpenBase:
        return open_base(self.root, self.folders, name="kb")

    @property
    def drafts(self) -> DraftStore:
        return DraftStore(self.folders.drafts)

    def word(self) -> str:
        self.number += 1
        return f"Word{self.number}"

    def acknowledged(self, act: Callable[[], None], crash_at: int) -> None:
        """Do an act; with ``crash_at`` the program ends at that flush and starts anew."""
        if not crash_at:
            act()
            return
        count, real = 0, os.fsync

        def flush(descriptor: int) -> None:
            nonlocal count
            count += 1
            if count == crash_at:
                raise Crash
            real(descriptor)

        durable.os.fsync = flush  # type: ignore[attr-defined]
        try:
            act()
        except Crash:
            pass
        finally:
            durable.os.fsync = real  # type: ignore[attr-defined]

    # -- the user -----------------------------------------------------------------------------------------

    @rule(path=st.sampled_from(sorted(PAGES)), section=st.sampled_from(SECTIONS), crash=st.integers(0, 4))
    def edits_and_saves(self, path: str, section: str, crash: int) -> None:
        known = self.drafts.of_entry(self.root, path)
        if known is None:
            if not (self.root / path).exists():
                return
            opened = open_text(self.folders, self.base, path)
            draft, raw = begin_edit(self.base, path, path, opened), opened.raw
        else:
            draft, raw = known, self.drafts.base_of(known)
        text = draft.text.replace(section, f"{section} {self.word()}.")
        if text == draft.text:
            text += f"\n{self.word()}\n"
        wanted = replace(draft, text=text)

        def act() -> None:
            saved = self.drafts.begin(wanted, raw) if known is None else self.drafts.save(wanted)
            self.texts[saved.id] = saved.text

        self.acknowledged(act, crash)
        if wanted.id in self.texts and self.drafts.get(wanted.id).text == text:
            self.texts[wanted.id] = text  # a crash may leave the new text as well as the old one, each whole

    @precondition(lambda self: self.drafts.all())
    @rule(data=st.data(), crash=st.integers(0, 6))
    def proposes(self, data: st.DataObject, crash: int) -> None:
        draft: TextDraft = data.draw(st.sampled_from(self.drafts.all()), label="draft")
        before = {p.id for p in self.queue.proposals()}
        content = editable(self.drafts.base_of(draft), draft.base).bytes_of(draft.text)

        def act() -> None:
            outcome = propose_draft(self.folders, WHO, self.base, draft, title=f"change {draft.path}")
            assert outcome.end is not ProposeEnd.FAILED, outcome
            if outcome.is_ok:
                assert outcome.proposal is not None
                files = self.store.queue.files(outcome.proposal)
                if not outcome.joined:
                    assert files[0].content == content
                self.queued[outcome.proposal.id] = {edit.path: edit.content for edit in files}
                self.texts.pop(draft.id, None)
            elif outcome.end is ProposeEnd.NOTHING:
                assert self.drafts.get(draft.id).text == draft.text

        self.acknowledged(act, crash)
        made = {p.id for p in self.queue.proposals()} - before
        assert len(made) <= 1

    @rule(choice=st.sampled_from(list(Choice)))
    def answers(self, choice: Choice) -> None:
        queue = self.store.queue
        waiting = [p for p in queue.proposals() if p.state is ProposalState.NEEDS_ANSWER]
        if not waiting:
            return
        opened = open_proposal(queue, waiting[0].id)
        choices = {
            (merge.path, conflict.number): choice
            if choice is not Choice.BOTH or conflict.can_keep_both
            else Choice.MINE
            for merge in opened.question.merges
            for conflict in merge.merge.conflicts
        }
        outcome = answered(queue, opened, choices)
        assert outcome.end in (ProposeEnd.QUEUED, ProposeEnd.NOTHING), outcome
        if outcome.proposal is not None:
            files = queue.files(outcome.proposal)
            self.queued[outcome.proposal.id] = {edit.path: edit.content for edit in files}

    @rule(accept=st.booleans(), crash=st.integers(0, 4))
    def syncs(self, accept: bool, crash: int) -> None:
        def act() -> None:
            outcome = synchronise(self.store, "kb").sync
            assert outcome.end not in (SyncEnd.FAILED, SyncEnd.BUSY), outcome
            if outcome.offered and accept:
                adopt(self.store.area, "kb", outcome.offered)

        self.acknowledged(act, crash)
        self.heads.add(git(self.root, "rev-parse", "HEAD"))
        self.no_state_that_was_seen_is_lost()

    @rule()
    def looks_for_changes(self) -> None:
        bring_up_to_date(self.base)

    # -- others -------------------------------------------------------------------------------------------

    @rule(path=st.sampled_from(sorted(PAGES)), section=st.sampled_from(SECTIONS))
    def a_colleague_commits(self, path: str, section: str) -> None:
        file = self.remote.work / path
        text = file.read_text() if file.exists() else PAGE.format(n=0)
        changed = text.replace(section, f"{section} {self.word()}.")
        self.remote.commit({path: changed if changed != text else f"{text}\n{self.word()}\n"})

    @rule()
    def a_colleague_forces_a_push(self) -> None:
        git(self.remote.work, "commit", "-q", "--amend", "-m", self.word())
        git(self.remote.work, "push", "-q", "-f", "origin", "HEAD:main")

    @rule()
    def a_colleague_takes_a_proposal(self) -> None:
        branches = [b for b in self.remote.branches() if b != "main"]
        if not branches:
            return
        work = self.remote.work
        git(work, "fetch", "-q", "origin")
        try:
            git(work, "merge", "-q", "--no-edit", f"origin/{branches[-1]}")
        except AssertionError:
            git(work, "merge", "--abort")
            return
        git(work, "push", "-q", "origin", "HEAD:main")

    @rule(path=st.sampled_from(sorted(PAGES)))
    def another_program_edits(self, path: str) -> None:
        if (self.root / path).exists():
            self.edited[path] = f"# {self.word()}\n"
            (self.root / path).write_text(self.edited[path])

    @precondition(lambda self: self.edited)
    @rule()
    def the_edit_is_undone(self) -> None:
        (self.root / ".git" / "index.lock").unlink(missing_ok=True)
        for path in self.edited:
            git(self.root, "checkout", "-q", "HEAD", "--", path)
        self.edited.clear()

    @rule()
    def a_lock_is_left_behind(self) -> None:
        (self.root / ".git" / "index.lock").write_bytes(b"")

    # -- what always holds --------------------------------------------------------------------------------

    @invariant()
    def every_saved_text_is_there(self) -> None:
        aside = self.folders.drafts / ".set-aside"
        kept = self.queue.proposals()
        for draft_id, text in self.texts.items():
            try:
                assert self.drafts.get(draft_id).text == text
            except KbError:  # a crash came after it was proposed and before that was told
                assert (aside / draft_id).is_dir(), draft_id
                assert kept

    @invariant()
    def every_proposal_keeps_its_files(self) -> None:
        queue = self.queue
        known = {p.id: p for p in queue.proposals()}
        for made, files in self.queued.items():
            assert {edit.path: edit.content for edit in queue.files(known[made])} == files
            if known[made].commit and known[made].commit not in self.shown:
                self.shown.add(known[made].commit)
                for path, content in files.items():
                    if content is not None:
                        shown = git(self.root, "show", f"{known[made].commit}:{path}")
                        assert shown == content.decode().rstrip("\n")

    @invariant()
    def no_edit_of_another_program_is_lost(self) -> None:
        for path, text in self.edited.items():
            assert (self.root / path).read_text() == text

    def no_state_that_was_seen_is_lost(self) -> None:
        reachable = set(git(self.root, "rev-list", "--all").split())
        assert self.heads <= reachable

    def teardown(self) -> None:
        """At the end everything is whole: the repository, and the index beside one made anew."""
        try:
            (self.root / ".git" / "index.lock").unlink(missing_ok=True)
            assert git(self.root, "fsck", "--no-dangling") == ""
            bring_up_to_date(self.base)
            cards = load_cards(self.base.index_folder)
            shutil.rmtree(self.folders.index)
            bring_up_to_date(self.base, rebuild=True)
            assert cards == load_cards(self.base.index_folder)
            assert {card.path for card in cards} == {
                str(file.relative_to(self.root)) for file in self.root.rglob("*.md")
            }
        finally:
            remove_tree(self.top)


TestContributing = Machine.TestCase
TestContributing.settings = settings(
    max_examples=60 if IS_FAR else 5,
    stateful_step_count=30 if IS_FAR else 14,
    suppress_health_check=list(HealthCheck),
    deadline=None,
)
pytestmark = pytest.mark.timeout(3_600 if IS_FAR else 120)
