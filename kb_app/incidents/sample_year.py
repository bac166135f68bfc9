"""A made-up year of 40 incidents: for demonstration, for tests, and to try a policy on.

The same seed gives the same bytes in every file. People, services and changes are invented; every verdict of
the conformance report occurs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from kb_app.incidents.conformance import PolicyVersion
from kb_app.incidents.events import EventType, format_time
from kb_app.incidents.folders import JournalMaker, open_record, seal, write_document
from kb_app.incidents.journal import Journal

INCIDENTS = 40
YEAR = 2025
_MINUTE = dt.timedelta(minutes=1)
_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)

_SERVICES = ("checkout", "search", "gateway", "billing-api", "ledger", "mail", "reports", "login")
_SYMPTOMS = (
    "answers 503 in one cell",
    "is slow after a release",
    "refuses connections",
    "shows old data",
    "fills its disk",
    "drops messages",
    "rejects valid certificates",
    "restarts in a loop",
)
_PEOPLE = ("ana", "ben", "carla", "dmitri", "esra", "femi", "grete", "hiro")
FORMER_TEXT = """never_unreviewed: [payments, auth, pii]
post_review:
  due: 48h
"""
PRESENT_TEXT = """never_unreviewed: [payments, auth, pii, ledger]
post_review:
  due: 24h
"""


def _blob_id(text: str) -> str:
    """Return what Git calls ``text``: decisions store it, and a history of the file leads back to it."""
    raw = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


_FORMER = PolicyVersion(
    _blob_id(FORMER_TEXT),
    dt.datetime(2024, 11, 4, 9, tzinfo=dt.UTC),
    ("payments", "auth", "pii"),
    dt.timedelta(hours=48),
    "policy: first version",
)
_PRESENT = PolicyVersion(
    _blob_id(PRESENT_TEXT),
    dt.datetime(2025, 5, 12, 9, tzinfo=dt.UTC),
    ("payments", "auth", "pii", "ledger"),
    dt.timedelta(hours=24),
    "policy: review within a day, add ledger",
)


@dataclass(frozen=True, slots=True)
class SampleYear:
    """What was written.

    Attributes:
        records: ids of the 40 records, in order.
        policies: the two versions of the policy that were in force.
        deploy_list: CSV of everything that was deployed, the unrecorded pushes included.
        begin, end: the year.
        as_of: the moment to report for.
    """

    records: tuple[str, ...]
    policies: tuple[PolicyVersion, ...]
    deploy_list: str
    begin: dt.datetime = dt.datetime(YEAR, 1, 1, tzinfo=dt.UTC)
    end: dt.datetime = dt.datetime(YEAR + 1, 1, 1, tzinfo=dt.UTC)
    as_of: dt.datetime = dt.datetime(YEAR + 1, 1, 1, tzinfo=dt.UTC)


class _Watch:
    """A clock that is set by the story."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, span: dt.timedelta) -> dt.datetime:
        """Move on and return the new time."""
        self.now += span
        return self.now


@dataclass(frozen=True, slots=True)
class _Story:
    """What happens in one incident.

    Attributes:
        choice: what is done.
        review: hours from deployment to review; None when nobody reviews; negative when it comes first;
            `USUAL` for some time on the same day.
        is_self_review: the deployer reviews.
        followup: days until the follow-ups are closed; None when they stay open; -1 when nobody opens any.
        has_decision: the decision is stored before the deployment.
        tags: of the incident.
    """

    USUAL: ClassVar[float] = 6

    choice: str
    review: float | None = USUAL
    is_self_review: bool = False
    followup: int | None = 4
    has_decision: bool = True
    tags: tuple[str, ...] = ()


_PUSH = "fix-forward"
_MITIGATE = "mitigate-then-fix"
_STORIES: Mapping[int, _Story] = {
    3: _Story(_PUSH, review=60),
    7: _Story(_PUSH, is_self_review=True),
    9: _Story(_MITIGATE, followup=40),
    12: _Story(_PUSH, review=None),
    15: _Story(_PUSH, tags=("payments",), review=3),
    18: _Story(_PUSH, has_decision=False),
    21: _Story(_MITIGATE, followup=-1),
    24: _Story(_PUSH, tags=("auth",), review=-1),
    27: _Story("parallel", followup=3),
    30: _Story("contain", followup=2),
    33: _Story("normal-change"),
    38: _Story(_MITIGATE, followup=None),
    39: _Story(_PUSH, review=None),
}


def write_sample_year(root: Path, *, seed: int = 1) -> SampleYear:
    """Write 40 records below ``root/incidents`` and return what goes with them.

    Args:
        root: an empty folder.
        seed: of the invented details.

    Raises:
        EnvironmentFault: when a record cannot be written.
    """
    chance = random.Random(seed)  # noqa: S311 - invents a story, protects nothing
    lines = ["change_id,service,env,deployed_by,deployed_at,reviewed_by,reviewed_at"]
    begin = dt.datetime(YEAR, 1, 6, 8, tzinfo=dt.UTC)
    ids = []
    for number in range(INCIDENTS):
        # the last two happen on the last day, so that something is still in time
        start = begin + number * 9 * _DAY + chance.randrange(12 * 60) * _MINUTE
        if number >= INCIDENTS - 2:
            start = dt.datetime(YEAR, 12, 31, 10 + number % 2, tzinfo=dt.UTC)
        story = _STORIES.get(number, _Story(_MITIGATE if number % 2 else _PUSH))
        record, deploys = _write_incident(root, chance, start, story)
        ids.append(record)
        lines += deploys
        lines += [_listed_change(chance, start + n * _HOUR, is_reviewed=True) for n in range(20, 32)]
    lines.append(_listed_change(chance, begin + 100 * _DAY, is_reviewed=False))
    return SampleYear(tuple(ids), (_FORMER, _PRESENT), "\n".join(lines) + "\n")


def _listed_change(chance: random.Random, at: dt.datetime, *, is_reviewed: bool) -> str:
    deployer, reviewer = chance.sample(_PEOPLE, 2)
    review = f"{reviewer},{format_time(at - _HOUR)}" if is_reviewed else ","
    return f"{_change(chance)},{chance.choice(_SERVICES)},prod,{deployer},{format_time(at)},{review}"


def _change(chance: random.Random) -> str:
    return hashlib.sha1(chance.randbytes(8), usedforsecurity=False).hexdigest()[:12]


@dataclass(slots=True)
class _Scene:
    """One incident while it is being written."""

    chance: random.Random
    watch: _Watch
    story: _Story
    service: str
    severity: str
    responder: str
    author: str
    reviewer: str
    log: Journal
    second: Journal


def _write_incident(
    root: Path, chance: random.Random, start: dt.datetime, story: _Story
) -> tuple[str, list[str]]:
    watch = _Watch(start)
    responder, author, reviewer = chance.sample(_PEOPLE, 3)
    service = chance.choice([s for s in _SERVICES if s != "ledger"])
    severity = chance.choice(("sev1", "sev2", "sev2", "sev3"))
    maker = JournalMaker("d1", responder, watch)
    place = open_record(
        root,
        maker,
        {
            "title": f"{service} {chance.choice(_SYMPTOMS)}",
            "severity": severity,
            "alert": f"{service.title().replace('-', '')}Errors",
            "services": [service],
            "tags": list(story.tags),
            "lead": responder,
        },
        source=chance,
    )
    scene = _Scene(
        chance=chance,
        watch=watch,
        story=story,
        service=service,
        severity=severity,
        responder=responder,
        author=author,
        reviewer=responder if story.is_self_review else reviewer,
        log=maker(place.folder),
        second=Journal(place.folder, "d2", author, clock=watch),
    )
    _assess(scene)
    listed = _act(scene)
    _finish(scene)
    write_document(place.folder)
    return place.id, listed


def _assess(scene: _Scene) -> None:
    """Impact, the entry that helped, and the decision."""
    watch, chance = scene.watch, scene.chance
    watch.move(chance.randrange(1, 4) * _MINUTE)
    minor = scene.story.choice == "normal-change"
    incident = {
        "impact": "minor" if minor else "down",
        "data": "active" if scene.story.choice == "contain" else "none",
        "trend": "stable",
        "scope": "cell",
    }
    scene.log.append(EventType.IMPACT, incident)
    if chance.random() < 0.7:
        watch.move(_MINUTE)
        entry = {"entry": f"{scene.service}-errors", "result": chance.choice(("worked", "worked", "partly"))}
        scene.log.append(EventType.ENTRY_USED, entry)
    if scene.story.has_decision:
        watch.move(_MINUTE)
        scene.log.append(EventType.DECISION, _decision(scene, incident))


def _decision(scene: _Scene, incident: Mapping[str, str]) -> dict[str, object]:
    policy = _policy(scene.watch.now)
    choice = scene.story.choice
    is_forbidden = bool(set(scene.story.tags) & set(policy.never_unreviewed))
    rule = {_PUSH: "D4", _MITIGATE: "D8", "parallel": "D7", "contain": "D1", "normal-change": "D2"}[choice]
    decision: dict[str, object] = {
        "inputs": {"incident": {**incident, "severity": scene.severity}},
        "rule": rule,
        "recommendation": choice,
        "policy": policy.revision,
        "review_due_minutes": policy.review_due.total_seconds() / 60,
        "independent_of": ["author", "deployer"],
        "followup_due_minutes": {"sev1": 5, "sev2": 14, "sev3": 30}[scene.severity] * 1440,
    }
    if choice == _PUSH:
        decision |= {
            "review": "before" if is_forbidden else "after",
            "vrule": "V1" if is_forbidden else "V2",
            "obligations": ["O1", "O4", "O5"] if is_forbidden else ["O1", "O2", "O4", "O5"],
        }
    return decision


def _policy(at: dt.datetime) -> PolicyVersion:
    return _PRESENT if at >= _PRESENT.since else _FORMER


def _act(scene: _Scene) -> list[str]:
    """Deploy, mitigate, fix, review; return the lines for the list of deploys."""
    watch, chance, story = scene.watch, scene.chance, scene.story
    watch.move(chance.randrange(3, 25) * _MINUTE)
    change = _change(chance)
    is_push = story.choice == _PUSH
    if is_push and story.review is not None and story.review < 0:
        _review(scene, change)
        watch.move(5 * _MINUTE)
    deployed = watch.now
    scene.log.append(EventType.DEPLOY, _deploy(scene, change, is_push=is_push))
    if not is_push:
        watch.move(chance.randrange(2, 9) * _MINUTE)
        scene.log.append(EventType.MITIGATED, {"signal": "error rate back below one in a thousand"})
        _open_followups(scene)
    watch.move(chance.randrange(5, 60) * _MINUTE)
    if is_push:
        scene.second.append(EventType.FIXED, {"signal": "error rate at zero for five minutes"})
    if is_push and story.review is not None and story.review > 0:
        # somebody looks in the next hours; where the story says how late, it is that late
        hours = chance.uniform(0.7, 19) if story.review == _Story.USUAL else story.review
        watch.now = deployed + round(hours * 60) * _MINUTE
        _review(scene, change)
    by = f"{scene.service},prod,{scene.responder}"
    return [f"{change},{by},{format_time(deployed)},,"]


def _deploy(scene: _Scene, change: str, *, is_push: bool) -> dict[str, object]:
    deploy: dict[str, object] = {
        "change": change,
        "env": "prod",
        "repo": scene.service,
        "author": scene.author,
        "way": "fix" if is_push else "mitigation",
    }
    if is_push:
        policy = _policy(scene.watch.now)
        is_first = bool(set(scene.story.tags) & set(policy.never_unreviewed))
        deploy |= {
            "review": "before" if is_first else "after",
            "due": scene.watch.now + (dt.timedelta() if is_first else policy.review_due),
            "authority": f"standing, policy.yml @{policy.revision[:12]}",
            "tests": "unit suite passed"
            if scene.chance.random() < 0.8
            else "none: one line of configuration",
        }
    else:
        deploy["authority"] = "standing: verified entry"
    return deploy


def _review(scene: _Scene, change: str) -> None:
    review = {"change": change, "reviewer": scene.reviewer, "verdict": "pass"}
    scene.second.append(EventType.REVIEW, review, by=scene.reviewer)


def _open_followups(scene: _Scene) -> None:
    if scene.story.followup == -1:
        return
    days = {"sev1": 5, "sev2": 14, "sev3": 30}[scene.severity]
    for kind in ("fix", "remove-mitigation"):
        scene.watch.move(_MINUTE)
        opened = {
            "state": "opened",
            "kind": kind,
            "owner": scene.author,
            "due": scene.watch.now + days * _DAY,
        }
        scene.log.append(EventType.FOLLOWUP, opened)


def _finish(scene: _Scene) -> None:
    """The knowledge step, the seal, and what comes days later."""
    watch, story = scene.watch, scene.story
    watch.move(scene.chance.randrange(10, 50) * _MINUTE)
    how = scene.chance.choice(("link", "fix", "add"))
    scene.log.append(EventType.KNOWLEDGE, {"how": how, "entry": f"{scene.service}-errors"})
    if scene.chance.random() < 0.3:
        happened = watch.now - _HOUR
        scene.second.append(EventType.NOTE, {"text": "told the support team by phone"}, at=happened)
    watch.move(_MINUTE)
    seal(scene.log)
    if story.choice != _PUSH and story.followup is not None and story.followup > 0:
        for kind in ("fix", "remove-mitigation"):
            watch.move(story.followup * _DAY if kind == "fix" else _HOUR)
            closed = {"state": "closed", "kind": kind, "signal": "merged and deployed by the normal way"}
            scene.second.append(EventType.FOLLOWUP, closed)
