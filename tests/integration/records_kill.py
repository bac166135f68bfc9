"""Kill a program that keeps records, again and again, at random points: no acknowledged event may be lost.

    python tests/integration/records_kill.py --rounds 1000 --seed 7 FOLDER

Each round forks a recorder that opens records, ticks steps of a run and writes notes, with commits to Git
behind it, and kills it (SIGKILL) after a random time; in every other round the git programs it started too.
An event counts as acknowledged once its call returned and its name was written to a file. Afterwards every
acknowledged event is looked for on the disk and, after catching up, in Git. POSIX only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from kb_app.entries.model import Severity
from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import Event, EventType
from kb_app.incidents.folders import records
from kb_app.incidents.runs import RunPlan
from kb_app.incidents.timeline import read_devices
from kb_app.incidents.verify import verify
from kb_app.paths import AppFolders
from kb_app.settings import load_settings
from kb_app.workspace import record_store
from kb_app.workspace.record_store import open_ledger
from kb_app.workspace.records import open_book

STEPS = tuple(f"Step {number}: look, then act, then look again." for number in range(1, 8))
LONGEST_S = 0.45
CHECK_DISK_EVERY = 10
CHECK_GIT_EVERY = 50


@dataclass
class Tally:
    """What happened.

    Attributes:
        rounds, acknowledged, written: numbers of them.
        commits: commits at the end.
        torn: torn tails that were set aside.
        git_killed: git programs that were killed as well.
        lost: acknowledged events that are gone; must stay empty.
        broken: records with a broken chain; must stay empty.
        uncommitted: acknowledged events that Git does not hold after catching up; must stay empty.
    """

    rounds: int = 0
    acknowledged: int = 0
    written: int = 0
    commits: int = 0
    torn: int = 0
    git_killed: int = 0
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    uncommitted: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Tell whether nothing was lost."""
        return not (self.lost or self.broken or self.uncommitted)


def folders_in(top: Path) -> AppFolders:
    """Return the folders of a user whose home is ``top``."""
    return AppFolders(top / "config", top / "cache", top / "data", top / "logs")


def record(folders: AppFolders, acks: Path, chance: random.Random) -> None:
    """Keep records until killed."""
    record_store.BATCH_S = chance.choice((0.0, 0.02, 0.1))  # so that kills fall into commits, too
    ack = os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def acknowledge(name: str, event: Event) -> None:
        os.write(ack, f"{name} {event.dev} {event.seq} {event.hash}\n".encode())

    book = open_book(folders, author="ana@example.com")
    known = records(book.root)
    while True:
        if not known or chance.random() < 0.05:
            receipt = book.open({"title": f"incident {chance.randrange(10**6)}", "severity": "sev2"})
            acknowledge(receipt.place.id, receipt.event)
            known = records(book.root)
        _work(book, chance.choice(known).id, chance, acknowledge)


def _work(book: RecordBook, name: str, chance: random.Random, acknowledge: object) -> None:
    assert callable(acknowledge)
    runs = book.runs(name)
    journal = runs._journal
    told = journal.on_appended

    def hear(event: Event) -> None:
        acknowledge(name, event)
        if told is not None:
            told(event)

    journal.on_appended = hear
    run = runs.start(RunPlan("Mitigation: drain the cell", "mitigation", STEPS, entry="cell-down"))
    for number in range(1, len(STEPS) + 1):
        if chance.random() < 0.3:
            runs.copied(run.run, number, f"kubectl drain node-{number}")
        if chance.random() < 0.85:
            runs.tick(run.run, number, note="x" * chance.randrange(200))
        else:
            runs.fail(run.run, number, note="it did not answer")
        if chance.random() < 0.3:
            receipt = book.add(name, EventType.NOTE, {"text": f"note {chance.random()} " + "y" * 300})
            acknowledge(name, receipt.event)
    runs.end(run.run)


def descendants(pid: int) -> list[int]:
    """Return the processes that ``pid`` started and that still run, as far as the system says."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


def one_round(folders: AppFolders, acks: Path, chance: random.Random, tally: Tally) -> None:
    """Fork a recorder, let it work, kill it."""
    seed, kills_git = chance.randrange(2**32), chance.random() < 0.5
    delay_s = chance.uniform(0, LONGEST_S)
    pid = os.fork()
    if pid == 0:
        try:
            record(folders, acks, random.Random(seed))
        finally:
            os._exit(70)  # a recorder never ends by itself
    time.sleep(delay_s)
    helpers = descendants(pid) if kills_git else []
    os.kill(pid, signal.SIGKILL)
    for helper in helpers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(helper, signal.SIGKILL)
            tally.git_killed += 1
    _, status = os.waitpid(pid, 0)
    if os.WTERMSIG(status) != signal.SIGKILL:
        tally.broken.append(f"the recorder ended by itself, status {status}")
    tally.rounds += 1


def acknowledged(acks: Path) -> dict[tuple[str, str, int], str]:
    """Return what was acknowledged: record, device and number to hash."""
    found = {}
    text = acks.read_text() if acks.exists() else ""
    for line in text[: text.rfind("\n") + 1].splitlines():
        name, device, seq, digest = line.split(" ")
        found[name, device, int(seq)] = digest
    return found


def check_disk(folders: AppFolders, acks: Path, tally: Tally) -> None:
    """Look for every acknowledged event on the disk."""
    there: dict[tuple[str, str, int], str] = {}
    for place in records(folders.records):
        events = [event for device in read_devices(place.folder) for event in device.events]
        there |= {(place.id, event.dev, event.seq): event.hash for event in events}
        errors = {f.code for f in verify(place.folder) if f.severity is Severity.ERROR}
        if errors - (set() if events else {"no-events"}):
            tally.broken.append(f"{place.id}: {', '.join(sorted(errors))}")
    wanted = acknowledged(acks)
    tally.lost += [f"{key} of round {tally.rounds}" for key in wanted if there.get(key) != wanted[key]]
    tally.acknowledged, tally.written = len(wanted), len(there)
    tally.torn = len(list(folders.records.glob("incidents/*/*/events/*.torn")))


def check_git(folders: AppFolders, acks: Path, tally: Tally) -> None:
    """Catch up as the next start of the program does, then look for every acknowledged event in Git."""
    if not acknowledged(acks):
        return
    ledger = open_ledger(folders, load_settings(folders))
    deadline = time.monotonic() + 30
    while True:  # a git that outlived its recorder may still be at work
        try:
            if ledger.exists:
                ledger.catch_up("incidents", "records: what was written before")
            else:
                ledger.commit(record_store._everything(ledger.root), "records: begin")
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            break
    top = str(folders.records)
    checked = subprocess.run(
        ["git", "-C", top, "fsck", "--strict"], capture_output=True, text=True, check=False
    )
    if checked.returncode:
        tally.broken.append(f"git fsck: {checked.stderr.strip()[:300]}")
    held: set[str] = set()
    listed = subprocess.run(
        ["git", "-C", top, "ls-tree", "-r", "--name-only", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for path in listed:
        if path.endswith(".jsonl"):
            raw = subprocess.run(
                ["git", "-C", top, "show", f"HEAD:{path}"], capture_output=True, check=True
            ).stdout
            for line in raw.splitlines():
                with contextlib.suppress(ValueError):
                    held.add(json.loads(line)["hash"])
    wanted = acknowledged(acks)
    tally.uncommitted += [f"{key}" for key in wanted if wanted[key] not in held]
    counted = subprocess.run(
        ["git", "-C", top, "rev-list", "--count", "HEAD"], capture_output=True, text=True, check=True
    )
    tally.commits = int(counted.stdout)


def run(top: Path, rounds: int, seed: int) -> Tally:
    """Kill ``rounds`` recorders that share the records below ``top``; stop at the first loss."""
    chance = random.Random(seed)
    folders, acks, tally = folders_in(top), top / "acknowledged", Tally()
    top.mkdir(parents=True, exist_ok=True)
    for number in range(1, rounds + 1):
        one_round(folders, acks, chance, tally)
        if number % CHECK_DISK_EVERY == 0 or number == rounds:
            check_disk(folders, acks, tally)
        if number % CHECK_GIT_EVERY == 0 or number == rounds:
            check_git(folders, acks, tally)
        if not tally.is_good:
            break
    return tally


def main(words: list[str]) -> int:
    """Run from the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = parser.parse_args(words)
    sys.stdout.write(f"seed {options.seed}, {options.rounds} rounds\n")
    sys.stdout.flush()
    began = time.monotonic()
    tally = run(options.folder.absolute(), options.rounds, options.seed)
    sys.stdout.write(
        f"{tally.rounds} kills, {tally.git_killed} git programs killed too; {tally.acknowledged} events "
        f"acknowledged, {tally.written} on the disk, {tally.torn} torn tails, {tally.commits} commits; "
        f"lost {len(tally.lost)}, broken {len(tally.broken)}, not in Git {len(tally.uncommitted)}; "
        f"{time.monotonic() - began:.0f} s\n"
    )
    for line in (*tally.lost, *tally.broken, *tally.uncommitted):
        sys.stdout.write(f"  {line}\n")
    return 0 if tally.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
