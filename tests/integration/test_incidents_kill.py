"""A process that records events is killed at random moments; no acknowledged event may be lost.

``KB_KILL_ROUNDS`` sets the number of rounds (20 by default, 1,000 for a long run), ``KB_KILL_SEED`` when.
"""

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb_app.entries.model import Severity
from kb_app.incidents.events import EventType
from kb_app.incidents.journal import Journal
from kb_app.incidents.timeline import read_devices
from kb_app.incidents.verify import verify

ROUNDS = int(os.environ.get("KB_KILL_ROUNDS", "20"))
SEED = int(os.environ.get("KB_KILL_SEED", str(random.SystemRandom().randrange(2**32))))
ID = "2025-06-01-checkout-down-7f3a"
REPOSITORY = Path(__file__).parents[2]

CHILD = """
import itertools, os, sys, time
from pathlib import Path
from kb_app.incidents import journal
from kb_app.incidents.events import EventType

write = os.write
def slow_write(file, data):
    time.sleep(0.002)
    return write(file, bytes(data)[:43])
if sys.argv[3] == "torn":  # a few bytes at a time, so that a kill falls inside a line
    journal.os = type("SlowOs", (), {"__getattr__": lambda _, name: getattr(os, name)})()
    journal.os.write = slow_write
log = journal.Journal(Path(sys.argv[1]), "a1b2", "ana@example.com")
print("ready", flush=True)
for n in itertools.count():
    event = log.append(EventType.NOTE, {"text": f"round {sys.argv[2]} note {n} " + "x" * (n % 300)})
    print(event.seq, event.hash, flush=True)
"""


def run_until_killed(folder, number, mode, delay_s):
    """Start a recorder, kill it after ``delay_s``, and return what it had acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(number), mode],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert child.stdout.readline() == "ready\n"
    time.sleep(delay_s)
    child.send_signal(signal.SIGKILL)
    acknowledged, _ = child.communicate(timeout=30)
    assert child.returncode == -signal.SIGKILL
    whole = acknowledged[: acknowledged.rfind("\n") + 1]
    return [tuple(line.split()) for line in whole.splitlines()]


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
@pytest.mark.timeout(60 + 2 * ROUNDS)
def test_no_acknowledged_event_is_lost_when_the_process_is_killed(tmp_path):
    print(f"KB_KILL_SEED={SEED} KB_KILL_ROUNDS={ROUNDS}")
    chance = random.Random(SEED)
    folder = tmp_path / "incidents" / "2025" / ID
    acknowledged = {}
    for number in range(ROUNDS):
        mode = chance.choice(["whole", "torn"])
        acks = run_until_killed(folder, number, mode, chance.uniform(0, 0.12))
        acknowledged |= {int(seq): digest for seq, digest in acks}
        errors = {f.code for f in verify(folder) if f.severity is Severity.ERROR}
        # killed before its first event, a recorder leaves an empty record
        assert errors <= (set() if acknowledged else {"no-events"}), f"seed {SEED} round {number}"
        events = {event.seq: event.hash for device in read_devices(folder) for event in device.events}
        assert acknowledged.items() <= events.items(), f"seed {SEED} round {number}"
    before = {event.seq for device in read_devices(folder) for event in device.events}
    clock = lambda: dt.datetime(2025, 6, 1, tzinfo=dt.UTC)  # noqa: E731
    last = Journal(folder, "a1b2", "ana", clock=clock).append(EventType.NOTE, {"text": "after all that"})
    assert last.seq == max(before) + 1
    assert len(acknowledged) > ROUNDS / 2
    torn = list((folder / "events").glob("*.torn"))
    assert torn or ROUNDS < 100, "no kill fell inside a line"
    print(f"{len(acknowledged)} acknowledged, {last.seq} written, {len(torn)} torn tails kept")
