"""When entries were reviewed and changed, read from an index's folder when a question first asks for it.

Decision: the change of an entry is that of its file. A folder is read as files only, so what Git knows of it
is not asked here, and the explanation of a question says "whose file changed".
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kb_app.search.catalogue_file import read_lines
from kb_app.search.confirmed_file import read_confirmed
from kb_app.search.times import TIMES, read_times

_REVIEWED = re.compile(rb'"reviewed":"(\d{4})-(\d\d)-(\d\d)"')
_DAY_NS = 86_400_000_000_000
_EPOCH = dt.date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class EntryDays:
    """Days as ordinals, by path; ``otherwise`` is that of any other path, 0 when there is none."""

    by_path: Mapping[str, int]
    otherwise: int = 0

    def of(self, path: str) -> int:
        """Return the day of an entry, 0: it has none."""
        return self.by_path.get(path, self.otherwise)


def days_of(folder: Path, field: str) -> EntryDays:
    """Return when the entries of the index in ``folder`` were reviewed or changed."""
    return EntryDays(_reviewed_days(folder)) if field == "reviewed" else _changed_days(folder)


def _reviewed_days(folder: Path) -> dict[str, int]:
    days = {}
    for key, line in (read_lines(folder) or {}).items():
        match = _REVIEWED.search(line)
        if match is not None:
            days[json.loads(key)] = dt.date(*map(int, match.groups())).toordinal()
    for path, day in read_confirmed(folder).items():
        days[path] = max(days.get(path, 0), dt.date.fromisoformat(day).toordinal())
    return days


def _changed_days(folder: Path) -> EntryDays:
    """Return when each file was last changed, as the index noted it.

    It notes no time for a file that was changed as it was read: such a file is of the day of the index.
    """
    times = read_times(folder)
    days = {path: _EPOCH + time[1] // _DAY_NS for path, time in times.items() if not path.startswith("\0")}
    if not times or os.name != "posix":  # elsewhere the index notes no times
        return EntryDays(days)
    with suppress(OSError):
        return EntryDays(days, _EPOCH + (folder / TIMES).stat().st_mtime_ns // _DAY_NS)
    return EntryDays(days)
