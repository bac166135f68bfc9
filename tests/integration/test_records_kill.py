"""Recorders are killed at random points of a run, commits to Git included; no acknowledged event may be lost.

``KB_KILL_ROUNDS`` sets the number of rounds (50 by default, 1,000 for a long run), ``KB_KILL_SEED`` when.
"""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROUNDS = int(os.environ.get("KB_KILL_ROUNDS", "50"))
SEED = int(os.environ.get("KB_KILL_SEED", str(random.SystemRandom().randrange(2**32))))
HARNESS = Path(__file__).with_name("records_kill.py")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills by signal")
@pytest.mark.timeout(120 + 4 * ROUNDS)
def test_no_acknowledged_event_is_lost_when_a_recorder_is_killed(tmp_path):
    print(f"KB_KILL_SEED={SEED} KB_KILL_ROUNDS={ROUNDS}")
    # a process of its own: this one has threads, and a fork of it would not be a recorder
    done = subprocess.run(
        [sys.executable, str(HARNESS), str(tmp_path / "home"), "--rounds", str(ROUNDS), "--seed", str(SEED)],
        capture_output=True,
        text=True,
        env=os.environ | {"HOME": str(tmp_path)},
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{ROUNDS} kills" in done.stdout
    assert "lost 0, broken 0, not in Git 0" in done.stdout
