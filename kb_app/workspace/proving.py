"""Showing conformance: the report on one's own records or on somebody else's, with history and sources.

Decision: a report on records that are only read speaks for the moment they were last written to (their newest
commit, else their newest event), not for now. The same commit and the same seed so give the same bytes, on
any day and any machine.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kb_app.entries.model import Finding
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.gitstore.borrowed import borrow, is_repository
from kb_app.gitstore.record_history import read_log
from kb_app.gitstore.runner import GitRunner, find_git
from kb_app.incidents.conformance import Report, Row, Scope, conformance
from kb_app.incidents.deploy_list import ListedDeploy, read_deploy_list
from kb_app.incidents.events import parse_time
from kb_app.incidents.folders import find_record, records
from kb_app.incidents.journal import EVENTS_FOLDER
from kb_app.incidents.timeline import IncidentState, is_device_file, read_state
from kb_app.incidents.verify import RecordFinding, verify_record
from kb_app.paths import AppFolders
from kb_app.workspace.policy_history import policy_versions
from kb_app.workspace.record_checks import HistoryCheck, RecordsPlace, check_history

MAX_LIST_BYTES = 50_000_000
_TAIL = 300_000


@dataclass(frozen=True, slots=True)
class Question:
    """What a report shall cover.

    Attributes:
        begin, end: the period, end excluded.
        as_of: what had been written by then counts; None: now for one's own, else when last written to.
        seed: of the sample.
        sample_size: how many changes the sample holds.
        deploys: a CSV list of deploys, or the folder of a product's clone whose log stands for one.
    """

    begin: dt.datetime
    end: dt.datetime
    as_of: dt.datetime | None = None
    seed: str = "1"
    sample_size: int = 25
    deploys: Path | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A report and what it was made from.

    Attributes:
        place: where the records lie.
        report: the report.
        history: what comparing them with their history found.
        listed_in: what the deploys were read from, for people; empty without.
        list_findings: lines of that list that could not be read.
    """

    place: RecordsPlace
    report: Report
    history: HistoryCheck
    listed_in: str = ""
    list_findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeProof:
    """Everything about one change.

    Attributes:
        row: of the report.
        state: of its record; None for a deploy that nobody recorded.
        findings: of the check of its record, its history included.
    """

    row: Row
    state: IncidentState | None
    findings: tuple[RecordFinding, ...]


def prove(
    folders: AppFolders,
    place: RecordsPlace,
    question: Question,
    *,
    bases: Sequence[Path] = (),
    on_record: Callable[[int, int], None] | None = None,
    now: dt.datetime,
) -> Proof:
    """Return the report on the records of ``place``; nothing is written but to caches of our own.

    Args:
        folders: the user's folders.
        place: where the records lie.
        question: period, seed, list of deploys.
        bases: knowledge bases whose policies were in force; a policy beside the records counts as well.
        on_record: told how many records were read, of how many; what it raises ends the work.
        now: the present, aware.

    Raises:
        EnvironmentFault: when the list of deploys cannot be read.
    """
    history = check_history(folders, place)
    as_of = question.as_of or (now if place.is_own else _last_written(place, history) or now)
    scope = Scope(
        question.begin,
        question.end,
        as_of,
        seed=question.seed,
        sample_size=question.sample_size,
        commit=history.commit,
    )
    deploys, findings, listed_in = _deploys(folders, question)
    report = conformance(
        place.root,
        scope,
        policies=policy_versions(folders, place, bases),
        deploys=deploys,
        signatures=history.signatures,
        history=history.findings,
        on_record=on_record,
    )
    return Proof(place, report, history, listed_in, findings)


def change_proof(proof: Proof, row: Row) -> ChangeProof:
    """Return everything about one change of a report, read from its record."""
    if not row.incident_id:
        return ChangeProof(row, None, ())
    try:
        place = find_record(proof.place.root, row.incident_id)
    except UsageError:  # it went away since
        return ChangeProof(row, None, proof.report.findings.get(row.incident_id, ()))
    compared = proof.history.findings.get(place.folder.relative_to(proof.place.root).as_posix(), ())
    state = read_state(place.folder, as_of=proof.report.scope.as_of)
    return ChangeProof(row, state, (*verify_record(place.folder), *compared))


def with_sample(report: Report, sample: tuple[tuple[str, str], ...], seed: str, size: int) -> Report:
    """Return the report with another sample; nothing else depends on the seed."""
    return replace(report, sample=sample, scope=replace(report.scope, seed=seed, sample_size=size))


def _last_written(place: RecordsPlace, history: HistoryCheck) -> dt.datetime | None:
    committed = parse_time(history.committed_at)
    return committed if committed is not None else _newest_event(place.root)


def _newest_event(root: Path) -> dt.datetime | None:
    found = [
        moment
        for record in records(root)
        for file in (record.folder / EVENTS_FOLDER).iterdir()
        if is_device_file(file) and (moment := _recorded_last(file)) is not None
    ]
    return max(found, default=None)


def _recorded_last(file: Path) -> dt.datetime | None:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL))
        lines = opened.read().splitlines()
    try:
        members = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return parse_time(members.get("rec")) if isinstance(members, dict) else None


def _deploys(
    folders: AppFolders, question: Question
) -> tuple[tuple[ListedDeploy, ...] | None, tuple[Finding, ...], str]:
    source = question.deploys
    if source is None:
        return None, (), ""
    if source.is_dir():
        deploys = deploys_from_log(folders, source, question.begin, question.end)
        return deploys, (), f"the log of {source.name}, each commit of its branch taken as a deploy"
    try:
        if source.stat().st_size > MAX_LIST_BYTES:
            raise EnvironmentFault(f"{source.name} is too large to be read", "Give one year at a time")
        text = source.read_text("utf-8-sig")
    except OSError as error:
        why = error.strerror or str(error)
        raise EnvironmentFault(f"{source.name} cannot be read: {why}", "Check its path") from error
    except UnicodeDecodeError as error:
        raise EnvironmentFault(
            f"{source.name} is not UTF-8 text", "Export the list as CSV in UTF-8"
        ) from error
    listed, findings = read_deploy_list(text, name=source.name)
    return listed, findings, source.name


def deploys_from_log(
    folders: AppFolders, folder: Path, begin: dt.datetime, end: dt.datetime
) -> tuple[ListedDeploy, ...]:
    """Return the commits of a product's clone in a period as deploys, the oldest first.

    Each commit on the first-parent line of its branch counts; who reviewed it is taken from ``Reviewed-by:``
    trailers. Git never runs in that clone (`gitstore.borrowed`).

    Raises:
        EnvironmentFault: when it is no repository, or Git is not there.
    """
    if not is_repository(folder):
        raise EnvironmentFault(
            f"{folder} is not a Git repository", "Choose a clone, or a CSV list of deploys"
        )
    runner = GitRunner(find_git(), folders.data / "git")
    with borrow(runner, folder, folders.cache / "borrowed") as borrowed:
        log = read_log(runner, borrowed.repository, borrowed.head)
    found = [
        ListedDeploy(
            change_id=commit.id,
            service=folder.name,
            env="",
            deployed_by=commit.by,
            deployed_at=commit.committed_at,
            reviewed_by=commit.reviewed_by,
        )
        for commit in log
        if begin <= commit.committed_at < end
    ]
    return tuple(reversed(found))
