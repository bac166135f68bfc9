"""Proposals on real remotes: one branch each, once, in order, followed to their end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_http import serve_http
from gitstore_remotes import Remote, git, make_runner, recorder, test_environment, tmp_path

from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.causes import Cause, cause_of
from kb_app.gitstore.clones import CloneArea
from kb_app.gitstore.commits import FileEdit, Signing, configured_identity
from kb_app.gitstore.conflicts import Choice, resolve
from kb_app.gitstore.hosts import HostKind
from kb_app.gitstore.proposals import (
    Draft,
    Proposal,
    ProposalOptions,
    ProposalQueue,
    ProposalState,
    ProposeEnd,
)
from kb_app.gitstore.runner import Identity
from kb_app.gitstore.sync import sync

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False
KILLS = int(os.environ.get("KB_TEST_KILLS", "3"))
PAGES = {
    "fixes/lease.md": "# Lease lost\n\n## Fix\n\nRestart.\n",
    "fixes/disk.md": "# Disk full\n\nDelete.\n",
}


class Bench:
    def __init__(self, tmp_path: Path, *, url: str = "", options: ProposalOptions | None = None) -> None:
        self.remote = Remote(tmp_path / "r", PAGES)
        self.area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
        made = self.area.clone(url or self.remote.address, "kb")
        assert made.is_ok, made
        self.queue = ProposalQueue(tmp_path / "proposals", self.area, options)

    @property
    def root(self) -> Path:
        return self.area.root(self.area.get("kb"))

    def propose(
        self, title: str = "Say how to verify", path: str = "fixes/lease.md", text: str = ""
    ) -> Proposal:
        new = text or PAGES.get(path, "# New\n") + f"\n## Verify\n\n{title}.\n"
        outcome = self.queue.propose("kb", Draft(title, (FileEdit(path, new.encode()),)))
        assert outcome.is_ok, outcome
        assert outcome.proposal is not None
        return outcome.proposal

    def state(self, proposal: Proposal) -> ProposalState:
        sync(self.area, "kb")
        report = self.queue.refresh("kb")
        assert report.cause is Cause.NONE, report
        return self.queue.get(proposal.id).state


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_draft_becomes_a_commit_on_its_own_branch_and_the_files_stay(tmp_path: Path) -> None:
    options = ProposalOptions(Identity("Eve Editor", "eve@example.org"), is_signed_off=True)
    bench = Bench(tmp_path, options=options)
    before = git(bench.root, "rev-parse", "main")
    draft = Draft(
        "Lease: say how to verify ä",
        (
            FileEdit("fixes/lease.md", b"# Lease lost\r\n\r\nNew.\r\n"),
            FileEdit("img/a.png", b"\x89PNG\0\r\n"),
            FileEdit("fixes/disk.md", None),
        ),
        body="It came up in the incident.",
        trailers=(("Closes-feedback", "fb-12"),),
    )
    outcome = bench.queue.propose("kb", draft)
    assert outcome.is_ok, outcome
    made = outcome.proposal
    assert made is not None
    assert re.fullmatch(r"proposal/lease-say-how-to-verify-a-\d{4}-[0-9a-f]{6}", made.branch)
    assert git(bench.root, "rev-parse", "main") == before == git(bench.root, "rev-parse", f"{made.commit}~1")
    assert git(bench.root, "status", "--porcelain") == ""
    assert git(bench.root, "rev-parse", made.branch) == made.commit
    shown = git(bench.root, "log", "-1", "--format=%an <%ae>|%s|%b", made.commit)
    assert shown.startswith(
        "Eve Editor <eve@example.org>|Lease: say how to verify ä|It came up in the incident."
    )
    trailers = git(bench.root, "log", "-1", "--format=%(trailers)", made.commit).splitlines()
    assert trailers == [
        "Closes-feedback: fb-12",
        f"Proposal: {made.id}",
        "Signed-off-by: Eve Editor <eve@example.org>",
    ]
    raw = subprocess.run(
        ["git", "show", f"{made.commit}:fixes/lease.md"], cwd=bench.root, capture_output=True, check=True
    )
    assert raw.stdout == b"# Lease lost\r\n\r\nNew.\r\n"
    files = git(bench.root, "ls-tree", "-r", "--name-only", made.commit).split()
    assert files == ["fixes/lease.md", "img/a.png"]
    assert git(bench.root, "worktree", "list").count("\n") == 0
    assert git(bench.root, "fsck", "--no-dangling") == ""


def test_nothing_needs_a_network_until_the_push(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git")
    first, second, third = (bench.propose(f"Change {n}", f"new{n}.md") for n in range(3))
    report = bench.queue.push("kb")
    assert report.cause is Cause.OFFLINE
    assert report.waiting == (first, second, third)
    assert {p.state for p in bench.queue.proposals()} == {ProposalState.QUEUED}


def test_three_proposals_made_offline_become_three_branches_once_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git")
        server.fault = "drop:0"
        made = [bench.propose(f"Change {n}", f"new{n}.md") for n in range(3)]
        assert bench.queue.push("kb").sent == ()
        server.fault = ""
        log = tmp_path / "log"
        hook = bench.remote.bare / "hooks/post-receive"
        hook.write_text(f"#!/bin/sh\ncat >> {log}\n")
        hook.chmod(0o755)
        report = bench.queue.push("kb")
        assert [p.id for p in report.sent] == [p.id for p in made]
        assert bench.queue.push("kb").sent == ()
    order = [line.split()[2].removeprefix("refs/heads/") for line in log.read_text().splitlines()]
    assert order == [p.branch for p in made]
    assert bench.remote.tip() == git(bench.root, "rev-parse", "main")


def test_a_proposal_sent_before_a_crash_is_not_sent_again(tmp_path: Path) -> None:
    folder = recorder(tmp_path / "bin")
    environment = test_environment(tmp_path / "home")
    environment["PATH"] = f"{folder}{os.pathsep}{environment['PATH']}"
    bench = Bench(tmp_path)
    made = bench.propose()
    git(bench.root, "push", "-q", str(bench.remote.bare), f"{made.commit}:refs/heads/{made.branch}")
    queue = ProposalQueue(bench.queue.folder, CloneArea(bench.area.area, make_runner(tmp_path, environment)))
    report = queue.push("kb")
    assert [p.state for p in report.sent] == [ProposalState.PROPOSED]
    calls = [json.loads(line)["argv"] for line in (folder / "calls.jsonl").read_text().splitlines()]
    assert any("ls-remote" in call for call in calls)
    assert not any("push" in call for call in calls)


def test_an_interrupted_proposal_is_committed_from_the_queue(bench: Bench) -> None:
    made = bench.propose()
    git(bench.root, "update-ref", "-d", f"refs/heads/{made.branch}")
    bench.queue._save(replace(made, commit=""))
    report = bench.queue.push("kb")
    assert len(report.sent) == 1
    assert git(bench.root, "show", f"{report.sent[0].commit}:fixes/lease.md").endswith("verify.")
    assert made.branch in bench.remote.branches()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("use AKIA" + "ABCDEFGHIJKLMNOP\n", "AWS"),
        ("-----BEGIN RSA PRIVATE KEY-----\n", "private key"),
        ("Acme Corp reported it\n", "customer"),
        ("<<<<<<< mine\na\n=======\nb\n>>>>>>> theirs\n", "merge"),
    ],
)
def test_what_must_not_be_shared_is_caught_before_a_commit(tmp_path: Path, text: str, what: str) -> None:
    bench = Bench(tmp_path, options=ProposalOptions(customer_names=("Acme Corp",)))
    refs = git(bench.root, "for-each-ref")
    outcome = bench.queue.propose("kb", Draft("x", (FileEdit("a.md", text.encode()),)), accept_doubtful=True)
    assert outcome.end is ProposeEnd.BLOCKED
    assert what in outcome.sentence
    assert bench.queue.proposals() == ()
    assert git(bench.root, "for-each-ref") == refs


def test_a_doubtful_secret_passes_when_the_author_says_so(bench: Bench) -> None:
    draft = Draft("x", (FileEdit("a.md", b"password = k3kRp81mQx\n"),))
    assert bench.queue.propose("kb", draft).end is ProposeEnd.BLOCKED
    assert bench.queue.propose("kb", draft, accept_doubtful=True).is_ok


def test_the_same_section_changed_by_others_needs_a_choice_and_the_choice_replaces_the_draft(
    bench: Bench,
) -> None:
    opened_at = git(bench.root, "rev-parse", "HEAD")
    theirs = PAGES["fixes/lease.md"].replace("Restart.", "Theirs.")
    bench.remote.commit({"fixes/lease.md": theirs})
    sync(bench.area, "kb")
    mine = PAGES["fixes/lease.md"].replace("Restart.", "Mine.")
    outcome = bench.queue.propose(
        "kb", Draft("x", (FileEdit("fixes/lease.md", mine.encode()),), base=opened_at)
    )
    assert outcome.end is ProposeEnd.CHANGED_MEANWHILE
    (found,) = outcome.merges
    (conflict,) = found.merge.conflicts
    assert (conflict.title, conflict.mine, conflict.theirs) == (
        "Fix",
        "## Fix\n\nMine.\n",
        "## Fix\n\nTheirs.\n",
    )
    text = resolve(found.merge, {0: Choice.BOTH})
    again = Draft("x", (FileEdit("fixes/lease.md", text.encode()),), base=outcome.head)
    made = bench.queue.propose("kb", again)
    assert made.is_ok
    assert made.proposal is not None
    shown = git(bench.root, "show", f"{made.proposal.commit}:fixes/lease.md")
    assert "Mine." in shown
    assert "Theirs." in shown


def test_other_sections_changed_by_others_are_brought_together_by_themselves(bench: Bench) -> None:
    opened_at = git(bench.root, "rev-parse", "HEAD")
    bench.remote.commit({"fixes/lease.md": PAGES["fixes/lease.md"] + "\n## Verify\n\nTheirs.\n"})
    sync(bench.area, "kb")
    mine = PAGES["fixes/lease.md"].replace("Restart.", "Mine.")
    outcome = bench.queue.propose(
        "kb", Draft("x", (FileEdit("fixes/lease.md", mine.encode()),), base=opened_at)
    )
    assert outcome.joined == ("fixes/lease.md",)
    assert outcome.proposal is not None
    shown = git(bench.root, "show", f"{outcome.proposal.commit}:fixes/lease.md")
    assert shown == "# Lease lost\n\n## Fix\n\nMine.\n\n## Verify\n\nTheirs."


def test_a_page_removed_by_others_or_no_text_is_never_joined_silently(bench: Bench) -> None:
    bench.remote.commit({"pic.md": b"\xff\xfe old"})
    sync(bench.area, "kb")
    opened_at = git(bench.root, "rev-parse", "HEAD")
    bench.remote.commit({"fixes/disk.md": None, "pic.md": b"\xff\xfe theirs"})
    sync(bench.area, "kb")
    for path in ("fixes/disk.md", "pic.md"):
        draft = Draft("x", (FileEdit(path, b"mine\n"),), base=opened_at)
        assert bench.queue.propose("kb", draft).end is ProposeEnd.CHANGED_MEANWHILE


def test_a_proposal_overtaken_by_others_is_resolved_and_superseded(bench: Bench) -> None:
    made = bench.propose(text="# Lease lost\n\n## Fix\n\nMine.\n")
    bench.queue.push("kb")
    bench.remote.commit({"fixes/lease.md": "# Lease lost\n\n## Fix\n\nTheirs.\n"})
    assert bench.state(made) is ProposalState.NEEDS_ANSWER
    outcome = bench.queue.conflicts(made.id)
    (found,) = outcome.merges
    text = resolve(found.merge, {0: Choice.MINE})
    draft = Draft("x", (FileEdit("fixes/lease.md", text.encode()),), base=outcome.head)
    again = bench.queue.propose("kb", draft, supersedes=made.id)
    assert again.proposal is not None
    assert bench.queue.get(made.id).state is ProposalState.WITHDRAWN
    assert ("Supersedes", made.id) in again.proposal.trailers
    assert bench.state(again.proposal) is ProposalState.QUEUED
    assert bench.queue.conflicts(again.proposal.id).end is ProposeEnd.NOTHING


def test_a_draft_that_changes_nothing_is_said_so(bench: Bench) -> None:
    draft = Draft("x", (FileEdit("fixes/disk.md", PAGES["fixes/disk.md"].encode()),))
    assert bench.queue.propose("kb", draft).end is ProposeEnd.NOTHING


@pytest.mark.parametrize(
    "draft",
    [
        Draft("", (FileEdit("a.md", b"x"),)),
        Draft("two\nlines", (FileEdit("a.md", b"x"),)),
        Draft("x", (FileEdit("../a.md", b"x"),)),
        Draft("x", (FileEdit(".git/hooks/post-checkout", b"x"),)),
        Draft("x", (FileEdit(".gitattributes", b"x"),)),
        Draft("x", ()),
        Draft("x", (FileEdit("a.md", b"x"), FileEdit("a.md", b"y"))),
        Draft("x", (FileEdit("a.md", b"x"),), trailers=(("Bad key", "v"),)),
        Draft("x", (FileEdit("a.md", b"x"),), trailers=(("Key", "v\nOther: w"),)),
        Draft("x\x1b[31m", (FileEdit("a.md", b"x"),)),
    ],
)
def test_drafts_that_git_or_a_reader_would_misread_are_refused(bench: Bench, draft: Draft) -> None:
    with pytest.raises(UsageError):
        bench.queue.propose("kb", draft)


def test_names_that_not_every_system_can_hold_are_warned_about(bench: Bench) -> None:
    outcome = bench.queue.propose(
        "kb", Draft("x", (FileEdit("fixes/LEASE.md", b"x"), FileEdit("con.md", b"y")))
    )
    assert outcome.is_ok
    assert len(outcome.warnings) == 2


def test_a_queued_draft_survives_the_removal_of_its_clone(bench: Bench) -> None:
    made = bench.propose()
    bench.area.remove("kb")
    assert bench.queue.files(bench.queue.get(made.id))[0].content is not None


def test_merged_is_seen_after_a_plain_merge(bench: Bench) -> None:
    made = bench.propose()
    bench.queue.push("kb")
    assert bench.state(made) is ProposalState.PROPOSED
    git(bench.remote.work, "fetch", "-q", "origin")
    git(bench.remote.work, "merge", "-q", "--no-ff", "-m", "take", f"origin/{made.branch}")
    bench.remote.commit({})
    assert bench.state(made) is ProposalState.MERGED


def test_merged_is_seen_after_a_squash_with_another_message(bench: Bench) -> None:
    made = bench.propose()
    bench.queue.push("kb")
    git(bench.remote.work, "fetch", "-q", "origin")
    bench.remote.commit({"other.md": "x"})
    git(bench.remote.work, "merge", "-q", "--squash", f"origin/{made.branch}")
    bench.remote.commit({}, "docs: something else")
    git(bench.remote.bare, "branch", "-D", made.branch)
    assert bench.state(made) is ProposalState.MERGED


def test_merged_is_seen_when_the_reviewer_changed_it_but_kept_its_id(bench: Bench) -> None:
    made = bench.propose()
    bench.queue.push("kb")
    bench.remote.commit({"fixes/lease.md": "# Changed by the reviewer\n"}, f"take it\n\nProposal: {made.id}")
    git(bench.remote.bare, "branch", "-D", made.branch)
    assert bench.state(made) is ProposalState.MERGED


def test_a_review_that_shows_the_commit_is_in_review(bench: Bench) -> None:
    made = bench.propose()
    bench.queue.push("kb")
    git(bench.remote.bare, "update-ref", "refs/pull/7/head", made.commit)
    assert bench.state(made) is ProposalState.IN_REVIEW


def test_a_removed_or_changed_branch_needs_an_answer(bench: Bench) -> None:
    first, second = bench.propose("One", "one.md"), bench.propose("Two", "two.md")
    bench.queue.push("kb")
    git(bench.remote.bare, "branch", "-D", first.branch)
    git(bench.remote.work, "fetch", "-q", "origin")
    git(bench.remote.work, "checkout", "-q", "-b", second.branch, f"origin/{second.branch}")
    bench.remote.commit({"two.md": "the reviewer's\n"})
    assert bench.state(first) is ProposalState.NEEDS_ANSWER
    assert bench.state(second) is ProposalState.NEEDS_ANSWER
    assert "removed" in bench.queue.get(first.id).problem
    assert "reviewer" in bench.queue.get(second.id).problem


def test_lines_changed_on_both_sides_need_an_answer(bench: Bench) -> None:
    made = bench.propose(text="# Lease lost\n\n## Fix\n\nMine.\n")
    bench.queue.push("kb")
    bench.remote.commit({"fixes/lease.md": "# Lease lost\n\n## Fix\n\nTheirs.\n"})
    assert bench.state(made) is ProposalState.NEEDS_ANSWER
    assert bench.queue.get(made.id).hint


def test_a_refusal_gives_the_servers_reason_and_does_not_stop_the_next(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git")
        hook = bench.remote.bare / "hooks/update"
        hook.write_text('#!/bin/sh\ncase "$1" in *bad*) echo "token=s3cr3t-canary" >&2; exit 1;; esac\n')
        hook.chmod(0o755)
        bad, good = bench.propose("bad one", "bad.md"), bench.propose("fine", "good.md")
        report = bench.queue.push("kb")
        assert [p.id for p in report.refused] == [bad.id]
        assert [p.id for p in report.sent] == [good.id]
        assert "hook declined" in report.refused[0].problem
        assert "s3cr3t-canary" not in repr(report)
        hook.unlink()
        bench.queue.send_again(bad.id)
        assert [p.id for p in bench.queue.push("kb").sent] == [bad.id]


@pytest.mark.parametrize("fault", ["401", "403", "html"])
def test_a_server_that_does_not_let_one_push_loses_nothing(tmp_path: Path, fault: str) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git")
        made = bench.propose()
        server.fault, server.only = fault, "git-receive-pack"
        report = bench.queue.push("kb")
        assert report.sent == ()
        assert bench.queue.get(made.id).state in (ProposalState.QUEUED, ProposalState.NEEDS_ANSWER)
        server.fault = ""
        if bench.queue.get(made.id).state is ProposalState.NEEDS_ANSWER:
            bench.queue.send_again(made.id)
        assert len(bench.queue.push("kb").sent) == 1


@pytest.mark.parametrize(
    ("path", "text", "is_prefilled"),
    [
        ("new.md", "# New\n", True),
        ("fixes/lease.md", "# Lease lost\n\n## Fix\n\nWait.\n", False),
        ("long.md", "# Long\n" + "x" * 7_000, False),
    ],
)
def test_somebody_who_may_not_push_is_led_to_a_filled_in_page_or_told_where_to_send_the_patch(
    tmp_path: Path, path: str, text: str, is_prefilled: bool
) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git", options=ProposalOptions(host=HostKind.GITHUB))
        made = bench.propose("Say it", path, text)
        server.fault, server.only = "403", "git-receive-pack"
        [refused] = bench.queue.push("kb").refused
        server.fault = ""
        assert refused.state is ProposalState.NEEDS_ANSWER
        if is_prefilled:
            assert "/remote/new/main?filename=new.md&value=%23+New%0A" in refused.page
            assert "in the browser" in refused.hint
        else:
            assert refused.page == ""
            assert refused.hint.endswith("/remote/issues/new")
        bench.queue.send_again(made.id)
        [sent] = bench.queue.push("kb").sent
        assert "/compare/" in sent.page


def test_a_refusal_by_name_over_ssh_is_a_lack_of_permission() -> None:
    said = "ERROR: Permission to team/kb.git denied to ana.\nfatal: Could not read from remote repository."
    assert cause_of(128, said) is Cause.FORBIDDEN


def test_what_waits_takes_in_more_and_goes_out_as_one_branch(bench: Bench) -> None:
    first = bench.propose("One", "feedback/a/1.md", "one\n")
    more = Draft("Both", (FileEdit("feedback/b/2.md", b"two\n"),), "- One", (("Reviewed-entry", "b"),))
    outcome = bench.queue.extend(first.id, more)
    assert outcome is not None
    assert outcome.is_ok
    [waiting] = bench.queue.proposals("kb")
    assert (waiting.title, waiting.paths) == ("Both", ("feedback/a/1.md", "feedback/b/2.md"))
    [sent] = bench.queue.push("kb").sent
    assert len(bench.remote.branches()) == 2
    assert git(bench.remote.bare, "show", f"{sent.branch}:feedback/a/1.md") == "one"
    assert "Reviewed-entry: b" in git(bench.remote.bare, "log", "-1", "--format=%B", sent.branch)
    assert bench.queue.extend(sent.id, replace(more, files=(FileEdit("feedback/c.md", b"3\n"),))) is None
    assert len(bench.queue.proposals("kb")) == 1


def test_push_options_reach_a_host_that_takes_them_and_are_left_out_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    with serve_http(tmp_path / "r") as server:
        bench = Bench(tmp_path, url=f"{server.url}/remote.git", options=ProposalOptions(host=HostKind.GITLAB))
        first = bench.propose("Without", "one.md")
        assert [p.id for p in bench.queue.push("kb").sent] == [first.id]
        git(bench.remote.bare, "config", "receive.advertisePushOptions", "true")
        hook = bench.remote.bare / "hooks/post-receive"
        hook.write_text(
            f'#!/bin/sh\necho "$GIT_PUSH_OPTION_0 $GIT_PUSH_OPTION_1" > {tmp_path}/options\n'
            f'echo "View: {server.url}/t/kb/-/merge_requests/3" >&2\n'
        )
        hook.chmod(0o755)
        second = bench.propose("With", "two.md")
        report = bench.queue.push("kb")
    assert [p.id for p in report.sent] == [second.id]
    assert (tmp_path / "options").read_text() == "merge_request.create merge_request.target=main\n"
    assert report.sent[0].page == f"{server.url}/t/kb/-/merge_requests/3"


def test_a_host_with_refs_for_gets_no_branch(tmp_path: Path) -> None:
    bench = Bench(tmp_path, options=ProposalOptions(host=HostKind.GERRIT))
    made = bench.propose()
    bench.queue.push("kb")
    assert bench.remote.branches() == ["main"]
    assert git(bench.remote.bare, "rev-parse", "refs/for/main") == made.commit
    assert "Change-Id: I" in git(bench.root, "log", "-1", "--format=%B", made.commit)


def test_a_patch_file_can_be_taken_by_any_git(bench: Bench) -> None:
    made = bench.propose()
    git(bench.remote.work, "am", "-q", stdin=bench.queue.patch(made.id))
    assert (bench.remote.work / "fixes/lease.md").read_text().endswith("Say how to verify.\n")
    bench.remote.commit({})
    bench.queue._save(
        replace(bench.queue.get(made.id), pushed_at=made.created_at, state=ProposalState.PROPOSED)
    )
    assert bench.state(made) is ProposalState.MERGED


def test_a_withdrawn_proposal_is_not_sent_and_keeps_its_text(bench: Bench) -> None:
    made = bench.propose()
    assert bench.queue.withdraw(made.id).state is ProposalState.WITHDRAWN
    assert bench.queue.push("kb").sent == ()
    assert bench.queue.files(made)[0].content is not None


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen signs")
def test_commits_are_signed_when_asked_and_a_missing_key_explains_itself(tmp_path: Path) -> None:
    bench = Bench(tmp_path, options=ProposalOptions(signing=Signing.ALWAYS))
    config = tmp_path / "home/.gitconfig"
    config.write_text(
        config.read_text() + f"[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = {tmp_path}/key.pub\n"
    )
    outcome = bench.queue.propose("kb", Draft("x", (FileEdit("a.md", b"x\n"),)))
    assert outcome.end is ProposeEnd.FAILED
    assert "signature" in outcome.sentence
    assert bench.queue.proposals() == ()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    made = bench.propose()
    assert "gpgsig" in git(bench.root, "cat-file", "commit", made.commit)


def test_without_a_name_the_user_is_asked_for_one_and_none_is_made_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert configured_identity(bench.area.runner) == Identity("Ada Example", "ada@example.org")
    (tmp_path / "home/.gitconfig").write_text("")
    assert configured_identity(bench.area.runner) == Identity()
    draft = Draft("x", (FileEdit("a.md", b"x\n"),))
    outcome = bench.queue.propose("kb", draft)
    assert outcome.end is ProposeEnd.FAILED
    assert "name" in outcome.sentence
    options = ProposalOptions(Identity("Eve", "eve@example.org"))
    assert ProposalQueue(bench.queue.folder, bench.area, options).propose("kb", draft).is_ok


def test_only_proposals_at_their_end_can_be_forgotten(bench: Bench) -> None:
    made = bench.propose()
    with pytest.raises(UsageError):
        bench.queue.forget(made.id)
    bench.queue.withdraw(made.id)
    bench.queue.forget(made.id)
    assert bench.queue.proposals() == ()
    assert list(bench.queue.folder.glob(f"{made.id}*")) == []


def test_a_queue_changed_by_hand_leads_nowhere(bench: Bench, tmp_path: Path) -> None:
    made = bench.propose()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "0").write_text("mine")
    file = bench.queue.folder / "queue.json"
    file.write_text(file.read_text().replace(made.id, "../precious").replace('"queued"', '"withdrawn"'))
    with pytest.raises(EnvironmentFault):
        bench.queue.forget("../precious")
    with pytest.raises(EnvironmentFault):
        bench.queue.files(bench.queue.get("../precious"))
    assert (precious / "0").read_text() == "mine"


CHILD = textwrap.dedent("""
    import sys
    from pathlib import Path
    sys.path.insert(0, {fixtures!r})
    from gitstore_remotes import make_runner
    from kb_app.gitstore.clones import CloneArea
    from kb_app.gitstore.commits import FileEdit
    from kb_app.gitstore.proposals import Draft, ProposalQueue
    base = Path({tmp_path!r})
    queue = ProposalQueue(base / "proposals", CloneArea(base / "clones", make_runner(base)))
    print("started", flush=True)
    for number in range(1000):
        name = "kill-{attempt}-%d.md" % number
        outcome = queue.propose("kb", Draft(name, (FileEdit(name, name.encode()),)))
        assert outcome.is_ok, outcome
        print(outcome.proposal.id, name, flush=True)
""")


def test_no_acknowledged_proposal_is_lost_when_the_program_is_killed(bench: Bench, tmp_path: Path) -> None:
    fixtures = str(Path(__file__).parents[1] / "fixtures")
    acknowledged: dict[str, str] = {}
    for attempt in range(KILLS):
        code = CHILD.format(fixtures=fixtures, tmp_path=str(tmp_path), attempt=attempt)
        child = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "started\n"
        time.sleep(0.15 + 0.07 * attempt)
        child.send_signal(signal.SIGKILL)
        for line in child.communicate()[0].splitlines():
            made, _, name = line.partition(" ")
            if name.endswith(".md"):
                acknowledged[made] = name
    time.sleep(0.3)
    report = bench.queue.push("kb")
    assert report.waiting == ()
    assert report.refused == ()
    sent = {p.id: p for p in report.sent}
    assert acknowledged.keys() <= sent.keys()
    for proposal in report.sent:
        name = proposal.paths[0]
        assert git(bench.remote.bare, "show", f"{proposal.branch}:{name}") == name
    assert len(bench.remote.branches()) == len(sent) + 1
    assert git(bench.root, "fsck", "--no-dangling") == ""
    assert git(bench.root, "status", "--porcelain") == ""
    assert git(bench.root, "worktree", "list").count("\n") == 0


def test_two_windows_proposing_at_once_lose_nothing(bench: Bench, tmp_path: Path) -> None:
    import threading

    queues = [
        ProposalQueue(bench.queue.folder, CloneArea(bench.area.area, make_runner(tmp_path))) for _ in range(2)
    ]
    ends: list[ProposeEnd] = []

    def work(number: int) -> None:
        for turn in range(4):
            name = f"w{number}-{turn}.md"
            ends.append(queues[number].propose("kb", Draft(name, (FileEdit(name, b"x\n"),))).end)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [ProposeEnd.QUEUED] * 8
    found = bench.queue.proposals()
    assert [p.number for p in found] == list(range(1, 9))
    assert len({p.commit for p in found}) == 8
