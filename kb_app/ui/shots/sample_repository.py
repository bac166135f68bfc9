"""Repositories made for pictures: a bare remote with a history that reads like a real team's."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.gitstore.runner import find_git

MAIN = "refs/heads/main"
ANA, BEN, CHI = "Ana Kowalski", "Ben Okafor", "Chiara Rossi"


@dataclass(frozen=True, slots=True)
class SampleCommit:
    """One commit: whose, when (seconds since 1970), why, the files as they are after it (None: gone)."""

    author: str
    at: int
    message: str
    files: Mapping[str, str | None]


def make_repository(bare: Path, commits: Sequence[SampleCommit], *, ref: str = MAIN) -> None:
    """Make a bare repository at ``bare``, or go on in it, with these commits on ``ref``.

    Raises:
        EnvironmentFault: when there is no git.
    """
    git = str(find_git().path)
    if not bare.exists():
        subprocess.run(  # noqa: S603 - git, constant arguments
            [git, "init", "-q", "--template=", "--bare", "-b", "main", str(bare)],
            check=True,
            capture_output=True,
        )
        parent = ""
    else:
        parent = f"from {ref}^0\n"
    stream = ["feature done\n"]
    for number, commit in enumerate(commits):
        stream.append(_commit(commit, ref, parent if number == 0 else ""))
    stream.append("done\n")
    subprocess.run(  # noqa: S603 - git, constant arguments
        [git, "-C", str(bare), "fast-import", "--quiet", "--date-format=raw"],
        input="".join(stream).encode(),
        check=True,
        capture_output=True,
    )


def _commit(commit: SampleCommit, ref: str, parent: str) -> str:
    email = commit.author.split()[0].lower() + "@example.org"
    person = f"{commit.author} <{email}> {commit.at} +0100"
    lines = [f"commit {ref}\nauthor {person}\ncommitter {person}\n{_data(commit.message)}{parent}"]
    for path, text in commit.files.items():
        lines.append(f"D {path}\n" if text is None else f"M 100644 inline {path}\n{_data(text)}")
    return "".join(lines)


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


PATH = "messaging/consumer-lag.md"

_PAGE = """---
title: Consumer lag grows after a rebalance
kind: known-fix
product: messaging
component: consumer
severity: sev2
owner: messaging-team
---
# Consumer lag grows after a rebalance

## Symptoms
- The alert `ConsumerLagHigh` fires a few minutes after a deployment.
- `Revoke previously assigned partitions` repeats in the log.

## Mitigation: roll the deployment back
- Time: 10m
- Risk: low

1. Look at the last deployments.
   ```sh
   kubectl rollout history deployment/consumer
   ```
2. Roll back to the one before.
   ```sh
   kubectl rollout undo deployment/consumer
   ```

## Fix forward: give the members a static name
1. Set the member's name from the pod's name.
2. Deploy, and look that the lag goes down.

## Verify
The lag is below 1,000 messages for ten minutes.
"""


def sample_commits() -> tuple[SampleCommit, ...]:
    """Return how an entry about lagging consumers came to be."""
    first = _PAGE.replace("- Time: 10m\n- Risk: low\n\n", "").replace(
        "\n## Verify\nThe lag is below 1,000 messages for ten minutes.\n", "\n"
    )
    second = first.replace(
        "## Mitigation: roll the deployment back\n",
        "## Mitigation: roll the deployment back\n- Time: 10m\n- Risk: low\n\n",
    )
    third = second.rstrip("\n") + "\n\n## Verify\nThe lag is below 5,000 messages for five minutes.\n"
    fourth = third.replace("below 5,000 messages for five minutes", "below 1,000 messages for ten minutes")
    fifth = fourth.replace(
        "1. Set the member's name from the pod's name.\n2. Deploy, and look that the lag goes down.\n",
        "1. Set `group.instance.id` from the pod's name.\n"
        "2. Raise `session.timeout.ms` to 45000, so that a restart is no rebalance.\n"
        "3. Deploy one pod, and look that the lag goes down before the rest.\n",
    )
    day, start = 86_400, 1_757_400_000
    return (
        SampleCommit(
            ANA,
            start,
            "messaging: write down the lag after a rebalance\n\nSeen in three tickets this week.",
            {PATH: first, "kb.yml": "name: Messaging runbooks\n"},
        ),
        SampleCommit(
            BEN, start + 12 * day, "consumer-lag: state time and risk of the rollback (#41)", {PATH: second}
        ),
        SampleCommit(CHI, start + 40 * day, "consumer-lag: say how to verify", {PATH: third}),
        SampleCommit(
            ANA,
            start + 61 * day,
            "consumer-lag: verify against the alert's own limit\n\n"
            "The limit of 5,000 hid a second incident.\n\n"
            "Reviewed-by: Ben Okafor <ben@example.org>\nReviewed-entry: consumer-lag",
            {PATH: fourth},
        ),
        SampleCommit(
            CHI,
            start + 96 * day,
            "consumer-lag: static membership instead of a name by hand\n\n"
            "A restart within the session timeout is then no rebalance, so the lag does not build up at all. "
            "Tried on the staging cluster for a week.\n\n"
            "Reviewed-by: Ana Kowalski <ana@example.org>\nReviewed-by: Ben Okafor <ben@example.org>",
            {PATH: fifth},
        ),
    )
