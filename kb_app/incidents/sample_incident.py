"""One made-up incident with everything in it: for pictures, demonstration and tests.

A full disk behind a replication slot: two people, two devices, a run with a wait, a failed step, a
correction, a late entry, a push with its review afterwards. People and changes are invented; the same
arguments give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker
from kb_app.incidents.runs import RunPlan

OPENED = dt.datetime(2025, 6, 1, 2, 11, 9, tzinfo=dt.UTC)
STEPS = (
    "Look at the volume: df -h /var/lib/postgresql",
    "Grow the volume by 20 %",
    "Wait 10 min, then look again",
    "Tell the support team",
)


@dataclass(slots=True)
class StoryClock:
    """A clock that the story sets."""

    now: dt.datetime

    def __call__(self) -> dt.datetime:
        """Return the time of the story."""
        return self.now

    def move(self, minutes: float) -> dt.datetime:
        """Go on by so many minutes."""
        self.now += dt.timedelta(minutes=minutes)
        return self.now


@dataclass(frozen=True, slots=True)
class SampleIncident:
    """What was written.

    Attributes:
        id: of the record.
        change: id of the change that was pushed and is to be reviewed.
        author, deployer: whose change it is, and who pushed it.
        ended: when the last event was written.
    """

    id: str
    change: str
    author: str
    deployer: str
    ended: dt.datetime


def write_sample_incident(
    root: Path,
    *,
    opened: dt.datetime = OPENED,
    policy: str = "9b7e02cf4d1a68350b2fe7c89a61d04417e5ba32",
    is_reviewed: bool = True,
    is_closed: bool = True,
    extra_notes: Sequence[str] = (),
) -> SampleIncident:
    """Write the record below ``root/incidents``.

    Args:
        root: folder that holds ``incidents/``.
        opened: when it begins.
        policy: Git blob id that the decision names.
        is_reviewed: the change was reviewed the next morning.
        is_closed: the knowledge step was done and the record sealed.
        extra_notes: further notes, one a minute.

    Raises:
        EnvironmentFault: when it cannot be written.
    """
    clock = StoryClock(opened)
    ana = RecordBook(root, JournalMaker("a1b2", "ana@example.com", clock))
    ben = RecordBook(root, JournalMaker("c3d4", "ben@example.com", clock))
    name = ana.open(
        {
            "title": "Checkout is down: pg_wal fills the disk",
            "severity": "sev1",
            "alert": "PostgresqlUnusedReplicationSlot",
            "ticket": "OPS-4711",
            "services": ["checkout", "postgresql"],
            "lead": "ana@example.com",
        },
        source=random.Random(7),  # noqa: S311 - invents a story, protects nothing
    ).place.id
    _assess(ana, clock, name, policy)
    _mitigate(ana, ben, clock, name)
    for text in extra_notes:
        clock.move(1)
        ben.add(name, EventType.NOTE, {"text": text})
    change = _fix(ana, ben, clock, name, policy)
    if is_reviewed:
        clock.move(60 * 7)
        ben_reviews = RecordBook(root, JournalMaker("e5f6", "carla@example.com", clock))
        ben_reviews.review(name, change, "pass", note="read the change and its tests")
    if is_closed:
        clock.move(12)
        entry = "pg-inactive-slot-fills-wal"
        ana.add(name, EventType.KNOWLEDGE, {"how": "fix", "entry": entry, "note": "the time of step 2"})
        clock.move(2)
        ana.close(name, reason="the written review follows on Tuesday")
    return SampleIncident(name, change, "ben@example.com", "ana@example.com", clock.now)


def _assess(ana: RecordBook, clock: StoryClock, name: str, policy: str) -> None:
    clock.move(1)
    incident = {"impact": "degraded", "data": "none", "trend": "worsening", "scope": "cell"}
    ana.add(name, EventType.IMPACT, incident)
    clock.move(2)
    entry = {"entry": "pg-inactive-slot-fills-wal", "result": "worked", "is_known": True}
    ana.add(name, EventType.ENTRY_USED, entry)
    clock.move(1)
    incident = {"impact": "down", "data": "none", "trend": "stable", "scope": "cell"}
    ana.add(name, EventType.IMPACT, incident)
    clock.move(1)
    decision = {
        "inputs": {"incident": {**incident, "severity": "sev1"}},
        "rule": "D7",
        "recommendation": "parallel",
        "review": "after",
        "vrule": "V2",
        "obligations": ["O1", "O2", "O3", "O4", "O5", "O6"],
        "policy": policy,
        "review_due_minutes": 1440,
        "followup_due_minutes": 7200,
        "independent_of": ["author", "deployer"],
    }
    ana.add(name, EventType.DECISION, decision)
    approval = {"who": "policy.yml", "how": "standing", "what": "drop the dead slot", "policy": policy}
    ana.add(name, EventType.APPROVAL, approval)


def _mitigate(ana: RecordBook, ben: RecordBook, clock: StoryClock, name: str) -> None:
    clock.move(1)
    plan = RunPlan("grow the volume", "mitigation", STEPS, "pg-inactive-slot-fills-wal")
    run = ana.start_run(name, plan).run
    runs = ana.runs(name)
    clock.move(0.5)
    runs.copied(run, 1, "df -h /var/lib/postgresql")
    clock.move(1)
    runs.tick(run, 1, note="100 % full")
    clock.move(2)
    runs.fail(run, 2, note="quota of the project is used up")
    clock.move(1)
    ben.add(name, EventType.NOTE, {"text": "storage team raised the quota by 50 GB"})
    clock.move(2)
    runs.undo(run)
    runs.tick(run, 2)
    clock.move(0.5)
    runs.wait(run, 3, minutes=10)
    clock.move(4)
    public = {"text": "Payments are accepted again in most regions.", "audience": "public"}
    ben.add(name, EventType.NOTE, public)
    clock.move(6)
    runs.finish_waits()
    runs.tick(run, 3, note="58 % full")
    ana.add(name, EventType.MITIGATED, {"signal": "checkout error rate below one in a thousand for 5 min"})
    opened = {"state": "opened", "owner": "ben@example.com", "due": clock.now + dt.timedelta(days=5)}
    text = "take the 50 GB back once the slot is gone"
    ana.add(name, EventType.FOLLOWUP, {**opened, "kind": "remove-mitigation", "text": text})
    text = "set max_slot_wal_keep_size everywhere"
    ana.add(name, EventType.FOLLOWUP, {**opened, "kind": "prevent", "text": text})
    clock.move(1)
    runs.skip(run, 4, note="they are in the call")
    runs.end(run)


def _fix(ana: RecordBook, ben: RecordBook, clock: StoryClock, name: str, policy: str) -> str:
    clock.move(9)
    change = "7d1f0c2a9b3e"
    deploy = {
        "change": change,
        "env": "prod",
        "repo": "postgresql",
        "author": "ben@example.com",
        "review": "after",
        "due": clock.now + dt.timedelta(days=1),
        "way": "fix",
        "authority": f"standing, policy.yml @{policy[:7]}",
        "tests": "ran on the standby first; slot list before and after attached to OPS-4711",
    }
    ana.add(name, EventType.DEPLOY, deploy)
    clock.move(6)
    wrong = ben.add(name, EventType.FIXED, {"signal": "pg_wal at 58 % and falling"}).event
    clock.move(3)
    right = {"signal": "pg_wal at 12 % after the next checkpoint; no inactive slot is left"}
    ben.correct(name, wrong.dev, wrong.seq, right, "the first figure was from before the checkpoint")
    clock.move(2)
    happened = clock.now - dt.timedelta(minutes=34)
    ben.add(name, EventType.NOTE, {"text": "told the support team by phone"}, at=happened)
    clock.move(4)
    ana.add(name, EventType.HANDOVER, {"to": "carla@example.com", "text": "watch pg_wal until nine"})
    return change
