"""The made-up year as a repository of records, each commit dated as its story: to show and to test with."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from kb_app.durable import write_atomically
from kb_app.gitstore.ledger import Ledger
from kb_app.gitstore.runner import GitRunner, Identity
from kb_app.incidents.folders import RECORDS_FOLDER, records
from kb_app.incidents.sample_year import FORMER_TEXT, PRESENT_TEXT, SampleYear, write_sample_year
from kb_app.incidents.timeline import read_state

POLICY_FILE = "policy.yml"
DEPLOY_LIST = "deploys.csv"


def write_sample_records(top: Path, runner: GitRunner, *, seed: int = 1) -> SampleYear:
    """Write a year of 40 incidents below ``top`` with its policy, and commit it; return what was written.

    The same seed gives the same commit, on any machine.

    Raises:
        EnvironmentFault: when something cannot be written, or Git is not there.
    """
    top.mkdir(parents=True, exist_ok=True)
    year = write_sample_year(top, seed=seed)
    ledger = Ledger(top, runner, Identity("Sample", "sample@example.com"))
    for policy, text in zip(year.policies, (FORMER_TEXT, PRESENT_TEXT), strict=True):
        write_atomically(top / POLICY_FILE, text.encode())
        _commit(ledger, (POLICY_FILE,), policy.subject, policy.since)
    write_atomically(top / DEPLOY_LIST, year.deploy_list.encode())
    _commit(ledger, (DEPLOY_LIST, f"{RECORDS_FOLDER}/.gitattributes"), "list of deploys", year.begin)
    for place in records(top):
        files = tuple(f.relative_to(top).as_posix() for f in sorted(place.folder.rglob("*")) if f.is_file())
        written = max(moment.event.rec for moment in read_state(place.folder).moments)
        _commit(ledger, files, f"incident {place.id}", min(written, year.as_of))
    return year


def _commit(ledger: Ledger, files: tuple[str, ...], message: str, at: dt.datetime) -> None:
    ledger.identity = replace(ledger.identity, at=at.isoformat())
    ledger.commit(files, message)
