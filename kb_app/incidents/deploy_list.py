"""A list of everything that was deployed, from outside: the other half of completeness.

An auditor first asks whether the list of changes is complete. The list comes from a pipeline or from a
repository's log as CSV; deploys in it that have neither a record nor a review are what the records miss.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kb_app.entries.model import Finding, Severity

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "change_id": ("change_id", "change", "id", "sha", "commit"),
    "service": ("service", "repo", "repository", "component"),
    "env": ("env", "environment", "stage"),
    "deployed_by": ("deployed_by", "deployer", "by", "user"),
    "deployed_at": ("deployed_at", "deployed", "at", "time", "date"),
    "reviewed_by": ("reviewed_by", "reviewer", "approved_by"),
    "reviewed_at": ("reviewed_at", "reviewed", "approved_at"),
}
MAX_CHARACTERS = 50_000_000
_MIN_ABBREVIATION = 7  # what Git abbreviates a commit to, at least


@dataclass(frozen=True, slots=True)
class ListedDeploy:
    """One line of the list.

    Attributes:
        change_id, service, env, deployed_by, reviewed_by: as written; empty when not.
        deployed_at: when it went out.
        reviewed_at: when it was reviewed, or None.
        line: 1-based line of the file.
    """

    change_id: str
    service: str
    env: str
    deployed_by: str
    deployed_at: dt.datetime
    reviewed_by: str = ""
    reviewed_at: dt.datetime | None = None
    line: int = 0

    @property
    def is_reviewed(self) -> bool:
        """Tell whether somebody else than the deployer reviewed it, as far as the list says."""
        return bool(self.reviewed_by) and self.reviewed_by.lower() != self.deployed_by.lower()


def read_deploy_list(
    text: str, *, name: str = "deploys.csv"
) -> tuple[tuple[ListedDeploy, ...], tuple[Finding, ...]]:
    """Return the deploys of a CSV text in its order, and what could not be read, by line.

    Args:
        text: with a line of column names; comma, semicolon or tab between columns. ``change_id`` and
            ``deployed_at`` (ISO 8601; without a zone it is UTC) are needed, `COLUMNS` lists the names taken.
        name: of the file, for findings.
    """
    if len(text) > MAX_CHARACTERS:
        return (), (_finding(name, 1, "The list is too large to be read", "Give one year at a time"),)
    lines = text.removeprefix("\ufeff")
    head = lines.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(lines, newline=""), delimiter=delimiter)
    deploys: list[ListedDeploy] = []
    findings: list[Finding] = []
    try:
        columns = _columns(next(reader, []))
        missing = [column for column in ("change_id", "deployed_at") if column not in columns]
        if missing:
            hint = f"Name the columns {', '.join(COLUMNS)} in the first line"
            return (), (_finding(name, 1, f"The list has no column {' and no '.join(missing)}", hint),)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            values = {column: row[n].strip() for column, n in columns.items() if n < len(row)}
            deploy = _deploy(values, reader.line_num)
            if deploy is None:
                text = "This line has no change id, or no time that can be read"
                findings.append(_finding(name, reader.line_num, text, "Write times as 2025-06-01T02:11:09Z"))
            else:
                deploys.append(deploy)
    except csv.Error as error:
        findings.append(_finding(name, reader.line_num or 1, f"The list cannot be read further: {error}", ""))
    return tuple(deploys), tuple(findings)


def _finding(name: str, line: int, message: str, fix: str) -> Finding:
    return Finding("deploy-list", Severity.ERROR, name, line, message, fix)


def _columns(head: Sequence[str]) -> dict[str, int]:
    names = [cell.strip().lower().replace(" ", "_").replace("-", "_") for cell in head]
    return {
        column: next(names.index(alias) for alias in aliases if alias in names)
        for column, aliases in COLUMNS.items()
        if any(alias in names for alias in aliases)
    }


def _deploy(values: Mapping[str, str], line: int) -> ListedDeploy | None:
    deployed_at = _moment(values.get("deployed_at", ""))
    if deployed_at is None or not values.get("change_id"):
        return None
    return ListedDeploy(
        change_id=values["change_id"],
        service=values.get("service", ""),
        env=values.get("env", ""),
        deployed_by=values.get("deployed_by", ""),
        deployed_at=deployed_at,
        reviewed_by=values.get("reviewed_by", ""),
        reviewed_at=_moment(values.get("reviewed_at", "")),
        line=line,
    )


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
    try:
        return aware.astimezone(dt.UTC)
    except OverflowError:
        return None


def is_same_change(one: str, other: str) -> bool:
    """Tell whether two ids name one change: equal, or one is an abbreviated commit id of the other."""
    first, second = one.strip().lower(), other.strip().lower()
    if first == second:
        return bool(first)
    short, long = sorted((first, second), key=len)
    is_hex = all(c in "0123456789abcdef" for c in long)
    return len(short) >= _MIN_ABBREVIATION and is_hex and long.startswith(short)
