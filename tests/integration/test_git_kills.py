"""Killed at any moment: cloning, syncing, proposing and sending leave nothing that needs a hand.

``KB_TEST_KILLS=1000`` runs the long way; ``KB_TEST_SEED`` repeats a run. The seed is printed.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "fixtures"))
from gitstore_remotes import Remote, git, make_runner, test_environment, tmp_path

from kb_app.gitstore.clones import CloneArea
from kb_app.gitstore.commits import FileEdit
from kb_app.gitstore.proposals import Draft, ProposalQueue
from kb_app.gitstore.sync import SyncEnd, sync

__all__ = ["tmp_path"]  # a fixture, asked for by name
test_environment.__test__ = False

KILLS = int(os.environ.get("KB_TEST_KILLS", "50"))
SEED = int(os.environ.get("KB_TEST_SEED", "0")) or random.randrange(1, 1_000_000)
PAGES = {f"{n}.md": f"# Page {n}\n\nText.\n" * 40 for n in range(60)}

KILLER = textwrap.dedent("""
    # forks a child for each round, lets it work, kills it; writes what the child acknowledged
    import json, os, random, signal, sys, time
    from pathlib import Path
    sys.path.insert(0, {fixtures!r})
    from gitstore_remotes import make_runner
    from kb_app.gitstore.clones import CloneArea
    from kb_app.gitstore.commits import FileEdit
    from kb_app.gitstore.proposals import Draft, ProposalQueue
    from kb_app.gitstore.sync import sync

    base, rng = Path({tmp_path!r}), random.Random({seed})

    def work(round_number, tell):
        area = CloneArea(base / "clones", make_runner(base))
        queue = ProposalQueue(base / "proposals", area)
        choice = random.Random(round_number * 7919 + {seed})
        for turn in range(1000):
            act = choice.choice(("clone", "sync", "propose", "propose", "push"))
            if act == "clone":
                area.clone({address!r}, "extra")
                if area.find("extra") is not None:
                    area.remove("extra")
            elif act == "sync":
                sync(area, "kb")
            elif act == "push":
                queue.push("kb")
            else:
                name = f"kill-{{round_number}}-{{turn}}.md"
                outcome = queue.propose("kb", Draft(name, (FileEdit(name, name.encode()),)))
                if outcome.is_ok:
                    os.write(tell, (json.dumps([outcome.proposal.id, name]) + "\\n").encode())

    for line in sys.stdin:
        round_number = int(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            os.setsid()
            try:
                work(round_number, writer)
            finally:
                os._exit(1)
        os.close(writer)
        time.sleep(rng.uniform(0.02, 0.35))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reader) as told:
            for acknowledged in told:
                print(acknowledged, end="")
        print("end", flush=True)
""")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forking is how the rounds are made cheap")
@pytest.mark.timeout(60 + 2 * KILLS)
def test_whatever_is_killed_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    print(f"KB_TEST_SEED={SEED}")
    remote = Remote(tmp_path / "r", PAGES)
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
    assert area.clone(remote.address, "kb").is_ok
    queue = ProposalQueue(tmp_path / "proposals", area)
    fixtures = str(Path(__file__).parents[1] / "fixtures")
    code = KILLER.format(fixtures=fixtures, tmp_path=str(tmp_path), seed=SEED, address=remote.address)
    acknowledged: dict[str, str] = {}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as killer:
        assert killer.stdin is not None
        assert killer.stdout is not None
        for number in range(KILLS):
            if number % 5 == 0:
                remote.commit({f"{number % 60}.md": f"# Page\n\nRound {number}.\n" * 40})
            killer.stdin.write(f"{number}\n")
            killer.stdin.flush()
            for line in iter(killer.stdout.readline, "end\n"):
                assert line, "the killer itself ended"
                made, name = json.loads(line)
                acknowledged[made] = name
            known = {proposal.id for proposal in queue.proposals()}
            assert acknowledged.keys() <= known, f"seed {SEED}, round {number}"
        killer.stdin.close()
    settle(area, queue)
    check(remote, area, queue, acknowledged)


def settle(area: CloneArea, queue: ProposalQueue) -> None:
    """Let the next start do its work: sync, and send what waits."""
    for _ in range(100):  # a git that outlived its parent may still be at work
        synced = sync(area, "kb")
        if synced.end is not SyncEnd.BUSY and not queue.push("kb").waiting:
            break
        time.sleep(0.1)
    assert synced.is_current, (SEED, synced)


def check(remote: Remote, area: CloneArea, queue: ProposalQueue, acknowledged: dict[str, str]) -> None:
    root = area.root(area.get("kb"))
    assert git(root, "status", "--porcelain") == "", SEED
    assert git(root, "fsck", "--no-dangling") == "", SEED
    assert git(root, "worktree", "list").count("\n") == 0, SEED
    assert git(root, "rev-parse", "HEAD") == remote.tip()
    branches = remote.branches()
    for made, name in acknowledged.items():
        proposal = queue.get(made)
        assert proposal.branch in branches, (SEED, proposal)
        assert git(remote.bare, "show", f"{proposal.branch}:{name}") == name
    assert len(branches) == len(set(branches)) == 1 + len(queue.proposals("kb")), SEED


def test_a_full_disk_at_any_step_of_a_proposal_keeps_what_was_there(tmp_path: Path) -> None:
    """The disk fills at the n-th write, for each n until the proposal goes through."""
    import errno

    from kb_app import durable

    remote = Remote(tmp_path / "r", PAGES)
    area = CloneArea(tmp_path / "clones", make_runner(tmp_path))
    assert area.clone(remote.address, "kb").is_ok
    queue = ProposalQueue(tmp_path / "proposals", area)
    first = queue.propose("kb", Draft("first", (FileEdit("first.md", b"# First\n"),)))
    assert first.is_ok
    real = os.fsync
    ends = []
    for fails_at in range(1, 30):
        count = 0

        def full(descriptor: int, fails_at: int = fails_at) -> None:
            nonlocal count
            count += 1
            if count == fails_at:
                raise OSError(errno.ENOSPC, "No space left on device")
            real(descriptor)

        durable.os.fsync = full  # type: ignore[attr-defined]
        try:
            name = f"n{fails_at}.md"
            outcome = queue.propose("kb", Draft(name, (FileEdit(name, b"# N\n"),)))
        finally:
            durable.os.fsync = real  # type: ignore[attr-defined]
        ends.append(outcome.is_ok)
        assert outcome.sentence
        assert (name in [p.title for p in queue.proposals()]) is outcome.is_ok, (fails_at, outcome)
        assert first.proposal is not None
        assert queue.files(queue.get(first.proposal.id)) == (FileEdit("first.md", b"# First\n"),)
        if count < fails_at:
            break
    assert not ends[0]
    assert ends[-1]
    report = queue.push("kb")
    assert not report.waiting
    assert {p.title for p in report.sent} >= {"first"}
    assert git(area.root(area.get("kb")), "fsck", "--no-dangling") == ""
