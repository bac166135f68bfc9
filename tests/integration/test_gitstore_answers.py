"""Proposals of which others changed the same sections: asked, answered, or left as they were."""

from __future__ import annotations

import hashlib
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, git, make_runner, test_environment, tmp_path

from kb_app.errors import UsageError
from kb_app.gitstore.answers import Choices, OpenDraft, answered, open_draft, open_proposal
from kb_app.gitstore.clones import CloneArea
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.conflicts import Choice, UnitKind
from kb_app.gitstore.proposals import Draft, Proposal, ProposalQueue, ProposalState, ProposeEnd
from kb_app.gitstore.sync import sync

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False

PAGE = "# Lease lost\n\n## Symptoms\nIt hangs.\n\n## Fix\nRestart the pod.\n\n## Verify\nIt answers.\n"
OTHER = "# Other\n\n## One\nFirst.\n\n## Two\nSecond.\n"


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.remote = Remote(tmp_path / "r", {"a.md": PAGE, "b.md": OTHER, "c.bin": b"\0one"})
        self.area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
        assert self.area.clone(self.remote.address, "kb").is_ok
        self.queue = ProposalQueue(tmp_path / "proposals", self.area)

    def proposed(self, files: dict[str, str | bytes | None], title: str = "mine") -> Proposal:
        edits = tuple(
            FileEdit(path, text.encode() if isinstance(text, str) else text) for path, text in files.items()
        )
        outcome = self.queue.propose("kb", Draft(title, edits))
        assert outcome.proposal is not None, outcome
        self.queue.push("kb")
        return self.queue.get(outcome.proposal.id)

    def theirs(self, files: dict[str, str | bytes | None]) -> None:
        self.remote.commit(files, "theirs: change it")
        sync(self.area, "kb", accept_deletions=True)

    def sent(self, opened: OpenDraft, choices: Choices) -> dict[str, bytes]:
        """Answer, send, and return the files of the proposal's branch on the remote."""
        outcome = answered(self.queue, opened, choices)
        assert outcome.is_ok, outcome
        assert outcome.proposal is not None
        self.queue.push("kb")
        return {
            name: git(self.remote.bare, "show", f"{outcome.proposal.branch}:{name}").encode()
            for name in git(self.remote.bare, "ls-tree", "--name-only", outcome.proposal.branch).split()
        }

    def state(self) -> dict[str, str]:
        """Return every byte of clone and queue."""
        return {
            str(file.relative_to(self.folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for folder in (self.folder / "clones", self.folder / "proposals", self.remote.bare)
            for file in sorted(folder.rglob("*"))
            if file.is_file() and not file.name.endswith(".lock")
        }


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def both_change_the_fix(bench: Bench) -> Proposal:
    proposal = bench.proposed({"a.md": PAGE.replace("Restart the pod", "Drain the node")})
    bench.theirs(
        {"a.md": PAGE.replace("Restart the pod", "Delete the pod").replace("It hangs", "It is slow")}
    )
    return proposal


def test_the_same_section_is_asked_about_and_the_others_are_told(bench: Bench) -> None:
    opened = open_proposal(bench.queue, both_change_the_fix(bench).id)
    (merge,) = opened.question.merges
    (conflict,) = merge.merge.conflicts
    assert (conflict.title, conflict.kind) == ("Fix", UnitKind.SECTION)
    assert "Drain" in (conflict.mine or "")
    assert "Delete" in (conflict.theirs or "")
    (joined,) = opened.question.joined
    assert [change.title for change in joined.changes] == ["Symptoms"]
    assert opened.question.writers["a.md"].name == "Bob Colleague"
    assert opened.question.writers["a.md"].subject == "theirs: change it"


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        (Choice.MINE, "## Fix\nDrain the node.\n\n"),
        (Choice.BOTH, "## Fix\nDrain the node.\n\nDelete the pod.\n\n"),
        ("## Fix\nDrain, then delete.\n\n", "## Fix\nDrain, then delete.\n\n"),
    ],
)
def test_the_answer_is_proposed_in_the_place_of_the_first(
    bench: Bench, choice: Choice | str, kept: str
) -> None:
    proposal = both_change_the_fix(bench)
    files = bench.sent(open_proposal(bench.queue, proposal.id), {("a.md", 0): choice})
    assert files["a.md"].decode() == (
        f"# Lease lost\n\n## Symptoms\nIt is slow.\n\n{kept}## Verify\nIt answers."
    )
    assert bench.queue.get(proposal.id).state is ProposalState.WITHDRAWN
    assert [p.state for p in bench.queue.proposals() if p.id != proposal.id] == [ProposalState.PROPOSED]


def test_when_only_theirs_is_kept_the_proposal_is_withdrawn_with_its_text(bench: Bench) -> None:
    proposal = both_change_the_fix(bench)
    outcome = answered(bench.queue, open_proposal(bench.queue, proposal.id), {("a.md", 0): Choice.THEIRS})
    assert outcome.end is ProposeEnd.NOTHING
    assert "withdrawn" in outcome.sentence
    kept = bench.queue.get(proposal.id)
    assert kept.state is ProposalState.WITHDRAWN
    assert b"Drain the node" in (bench.queue.files(kept)[0].content or b"")


def test_looking_and_leaving_changes_no_byte(bench: Bench) -> None:
    proposal = both_change_the_fix(bench)
    before = bench.state()
    opened = open_proposal(bench.queue, proposal.id)
    with pytest.raises(UsageError):
        answered(bench.queue, opened, {})
    with pytest.raises(UsageError, match="marks of a merge"):
        answered(bench.queue, opened, {("a.md", 0): "## Fix\n<<<<<<< mine\nx\n=======\ny\n>>>>>>> theirs\n"})
    assert bench.state() == before


def test_a_second_file_keeps_what_others_wrote_in_other_sections(bench: Bench) -> None:
    mine = {"a.md": PAGE.replace("Restart", "Drain"), "b.md": OTHER.replace("First", "Uno")}
    proposal = bench.proposed(mine)
    bench.theirs({"a.md": PAGE.replace("Restart", "Delete"), "b.md": OTHER.replace("Second", "Due")})
    files = bench.sent(open_proposal(bench.queue, proposal.id), {("a.md", 0): Choice.MINE})
    assert files["b.md"].decode() == OTHER.replace("First", "Uno").replace("Second", "Due").rstrip("\n")
    assert b"Drain" in files["a.md"]


def test_a_proposal_that_fits_by_now_is_sent_without_a_question(bench: Bench) -> None:
    proposal = bench.proposed({"a.md": PAGE.replace("It hangs", "It is stuck")})
    bench.theirs({"a.md": PAGE.replace("It answers", "It is well")})
    opened = open_proposal(bench.queue, proposal.id)
    assert not opened.question.merges
    files = bench.sent(opened, {})
    assert b"It is stuck" in files["a.md"]
    assert b"It is well" in files["a.md"]


def test_a_page_that_one_side_removed_is_kept_or_removed(bench: Bench) -> None:
    proposal = bench.proposed({"a.md": PAGE.replace("Restart", "Drain")})
    bench.theirs({"a.md": None})
    opened = open_proposal(bench.queue, proposal.id)
    (conflict,) = opened.question.merges[0].merge.conflicts
    assert conflict.kind is UnitKind.PAGE
    assert conflict.theirs is None
    assert (
        bench.sent(opened, {("a.md", 0): Choice.MINE})["a.md"]
        == PAGE.replace("Restart", "Drain").rstrip("\n").encode()
    )


def test_a_page_that_i_removed_and_others_changed(bench: Bench) -> None:
    proposal = bench.proposed({"a.md": None, "b.md": OTHER.replace("First", "Uno")})
    bench.theirs({"a.md": PAGE.replace("Restart", "Delete")})
    opened = open_proposal(bench.queue, proposal.id)
    files = bench.sent(opened, {("a.md", 0): Choice.THEIRS})
    assert b"Delete" in files["a.md"]
    assert b"Uno" in files["b.md"]


def test_of_two_binary_files_one_is_kept_byte_for_byte(bench: Bench) -> None:
    proposal = bench.proposed({"c.bin": b"\0mine\xff", "b.md": OTHER.replace("First", "Uno")})
    bench.theirs({"c.bin": b"\0theirs\xfe"})
    opened = open_proposal(bench.queue, proposal.id)
    assert not opened.question.merges[0].is_text
    outcome = answered(bench.queue, opened, {("c.bin", 0): Choice.MINE})
    assert outcome.proposal is not None
    kept = {edit.path: edit.content for edit in bench.queue.files(outcome.proposal)}
    assert kept["c.bin"] == b"\0mine\xff"


def test_one_who_is_overtaken_again_is_asked_again_and_nothing_is_lost(bench: Bench) -> None:
    proposal = both_change_the_fix(bench)
    opened = open_proposal(bench.queue, proposal.id)
    bench.theirs({"a.md": PAGE.replace("Restart the pod", "Call the owner")})
    outcome = answered(bench.queue, opened, {("a.md", 0): Choice.MINE})
    assert outcome.end is ProposeEnd.CHANGED_MEANWHILE
    assert bench.queue.get(proposal.id).state is not ProposalState.WITHDRAWN
    again = open_proposal(bench.queue, proposal.id)
    assert "Call the owner" in (again.question.merges[0].merge.conflicts[0].theirs or "")


def test_a_draft_that_never_was_a_proposal_is_asked_about_too(bench: Bench) -> None:
    base = bench.queue.head("kb")
    bench.theirs({"a.md": PAGE.replace("Restart", "Delete")})
    draft = Draft("mine", (FileEdit("a.md", PAGE.replace("Restart", "Drain").encode()),), base=base)
    opened = open_draft(bench.queue, "kb", draft)
    assert opened.question.merges
    assert b"Drain" in bench.sent(opened, {("a.md", 0): Choice.MINE})["a.md"]


def test_two_writers_of_one_clone_come_one_after_the_other(bench: Bench, tmp_path: Path) -> None:
    """Two programs propose at once: both end up in the queue, each with its own commit."""
    second = ProposalQueue(tmp_path / "proposals", CloneArea(tmp_path / "clones", make_runner(tmp_path)))
    outcomes = []

    def propose(queue: ProposalQueue, name: str) -> None:
        for number in range(3):
            edit = FileEdit(f"{name}{number}.md", f"# {name} {number}\n".encode())
            outcomes.append(queue.propose("kb", Draft(f"{name} {number}", (edit,))))

    threads = [
        threading.Thread(target=propose, args=(queue, name))
        for queue, name in ((bench.queue, "one"), (second, "two"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    told = [outcome for outcome in outcomes if not outcome.is_ok]
    assert all("busy" in o.sentence.lower() or "another" in o.sentence.lower() for o in told), told
    kept = bench.queue.proposals("kb")
    assert len(kept) == 6 - len(told)
    assert len({p.number for p in kept}) == len({p.commit for p in kept}) == len(kept)


def test_who_comes_while_another_holds_the_clone_is_told(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kb_app.gitstore import proposals
    from kb_app.gitstore.locks import exclusive

    held = proposals.exclusive
    monkeypatch.setattr(proposals, "exclusive", lambda file, patience_s: held(file, patience_s=0.1))
    with exclusive(bench.area.lock_file(bench.area.get("kb")), patience_s=1):
        outcome = bench.queue.propose("kb", Draft("x", (FileEdit("x.md", b"# X\n"),)))
    assert outcome.end is ProposeEnd.FAILED
    assert outcome.sentence
    assert outcome.hint
    assert bench.queue.proposals() == ()
