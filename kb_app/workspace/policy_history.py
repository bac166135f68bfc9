"""Which versions of a team's policy were in force when: from the history of ``policy.yml``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from kb_app.decision.policy_file import FILE_NAME, read_policy
from kb_app.errors import KbError
from kb_app.gitstore.borrowed import borrow, is_repository
from kb_app.gitstore.record_history import read_blobs, read_history
from kb_app.gitstore.runner import GitRunner, Repository, find_git
from kb_app.incidents.conformance import PolicyVersion
from kb_app.paths import AppFolders
from kb_app.workspace.record_checks import RecordsPlace, opened_history

_PARENTS = 6


def policy_versions(
    folders: AppFolders, place: RecordsPlace, bases: Iterable[Path] = ()
) -> tuple[PolicyVersion, ...]:
    """Return every version of ``policy.yml`` beside the records and in ``bases``, the oldest first.

    A place whose history cannot be read gives the version that lies there now, in force since ever.

    Args:
        folders: the user's folders.
        place: where the records lie; a policy may lie beside them, or at the top of their repository.
        bases: folders of knowledge bases.
    """
    found: dict[str, PolicyVersion] = {}
    for version in (*_beside(folders, place), *(v for base in bases for v in _of_base(folders, base))):
        found.setdefault(version.revision, version)
    return tuple(sorted(found.values(), key=lambda version: (version.since, version.revision)))


def _beside(folders: AppFolders, place: RecordsPlace) -> tuple[PolicyVersion, ...]:
    inside = f"{place.inside}/" if place.inside else ""
    try:
        with opened_history(folders, place) as (runner, repository, head):
            paths = tuple(dict.fromkeys((FILE_NAME, f"{inside}{FILE_NAME}")))
            return _versions(runner, repository, head, paths)
    except KbError:
        return _present(place.root)


def _of_base(folders: AppFolders, root: Path) -> tuple[PolicyVersion, ...]:
    if not (root / FILE_NAME).is_file():
        return ()
    top = next((t for t in (root, *list(root.parents)[:_PARENTS]) if is_repository(t)), None)
    if top is None:
        return _present(root)
    path = (root / FILE_NAME).relative_to(top).as_posix()
    try:
        runner = GitRunner(find_git(), folders.data / "git")
        with borrow(runner, top, folders.cache / "borrowed") as borrowed:
            return _versions(runner, borrowed.repository, borrowed.head, (path,)) or _present(root)
    except KbError:
        return _present(root)


def _versions(
    runner: GitRunner, repository: Repository, head: str, paths: tuple[str, ...]
) -> tuple[PolicyVersion, ...]:
    commits = read_history(runner, repository, head, paths=paths)
    wanted = [
        (file.blob, c) for c in reversed(commits) for file in c.files if file.blob and file.path in paths
    ]
    contents = read_blobs(runner, repository, [blob for blob, _ in wanted])
    return tuple(
        _version(contents[blob], commit.committed_at, commit.subject)
        for blob, commit in wanted
        if blob in contents
    )


def _present(root: Path) -> tuple[PolicyVersion, ...]:
    try:
        raw = (root / FILE_NAME).read_bytes()
    except OSError:
        return ()
    return (_version(raw, dt.datetime.min.replace(tzinfo=dt.UTC, year=1970), "as it lies there now"),)


def _version(raw: bytes, since: dt.datetime, subject: str) -> PolicyVersion:
    policy, _ = read_policy(raw)
    return PolicyVersion(
        revision=policy.revision,
        since=since.astimezone(dt.UTC),
        never_unreviewed=tuple(name.lower() for name in policy.never_unreviewed),
        review_due=dt.timedelta(minutes=policy.post_review_due),
        subject=subject,
    )
