"""What the history of records shows beyond their chains: cuts, rewritten files, removed records, signatures.

It is read only: of the user's own repository, of a copy of somebody else's, or of a folder that somebody else
keeps with Git, whose objects are borrowed (`gitstore.borrowed`).
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kb_app.entries.model import Severity
from kb_app.errors import EnvironmentFault, KbError
from kb_app.gitstore.borrowed import borrow, is_repository
from kb_app.gitstore.ledger import HEAD_REF, MADE_HERE
from kb_app.gitstore.record_history import RecordedCommit, read_blobs, read_history
from kb_app.gitstore.runner import GitRunner, Repository, find_git
from kb_app.incidents.events import format_time
from kb_app.incidents.folders import RECORDS_FOLDER
from kb_app.incidents.journal import EVENTS_FOLDER, EVENTS_SUFFIX
from kb_app.incidents.verify import RecordFinding
from kb_app.logs import visible
from kb_app.paths import AppFolders
from kb_app.settings import Settings
from kb_app.workspace.record_store import records_root

ALLOWED_SIGNERS = "allowed_signers"
"""File beside ``incidents/``, or at the top of the repository: the keys that count (ssh-keygen(1))."""
_PARENTS = 6
_SIGNATURES = {
    "N": ("unsigned", "is not signed"),
    "": ("unsigned", "is not signed"),
    "B": ("bad-signature", "carries a signature that does not fit its content"),
    "U": ("unlisted-key", "is signed with a key that allowed_signers does not list"),
    "E": ("unchecked-signature", "carries a signature that cannot be checked"),
    "R": ("revoked-key", "is signed with a revoked key"),
    "X": ("expired-signature", "carries an expired signature"),
    "Y": ("expired-key", "is signed with an expired key"),
}


@dataclass(frozen=True, slots=True)
class RecordsPlace:
    """Where records lie.

    Attributes:
        root: folder that holds ``incidents/``.
        name: to show.
        top: folder of the repository around it; None for a plain folder.
        inside: the root as a path in that repository; empty for its top.
        is_ours: the repository was made by this program.
        is_own: they are the user's own records, written here.
    """

    root: Path
    name: str
    top: Path | None = None
    inside: str = ""
    is_ours: bool = False
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class HistoryCheck:
    """What the history says.

    Attributes:
        commit: the newest commit; empty when there is no history.
        committed_at: when that was made, as stated, `format_time`; empty likewise.
        commits: how many there are.
        problem: why the history was not looked at, one sentence; empty when it was.
        is_signing: there is an ``allowed_signers`` file.
        findings: record folder, relative to the root, to what was found.
        signatures: record id to what its commits' signatures are.
    """

    commit: str = ""
    committed_at: str = ""
    commits: int = 0
    problem: str = ""
    is_signing: bool = False
    findings: Mapping[str, tuple[RecordFinding, ...]] = field(default_factory=dict)
    signatures: Mapping[str, str] = field(default_factory=dict)


def own_place(folders: AppFolders, settings: Settings) -> RecordsPlace:
    """Return where the user's own records lie."""
    root = records_root(folders, settings)
    top = folders.records if (folders.records / ".git" / MADE_HERE).is_file() else None
    return RecordsPlace(
        root, "my records", top, settings.records_folder.strip("/"), is_ours=top is not None, is_own=True
    )


def place_of(folder: Path) -> RecordsPlace:
    """Return the place of the records in ``folder``, which is only read.

    Raises:
        EnvironmentFault: when no records lie there.
    """
    root = folder.parent if folder.name == RECORDS_FOLDER else folder
    if not (root / RECORDS_FOLDER).is_dir():
        raise EnvironmentFault(
            f"{folder} holds no records", f"Choose the folder that holds “{RECORDS_FOLDER}”"
        )
    for top in (root, *list(root.parents)[:_PARENTS]):
        if is_repository(top):
            inside = root.relative_to(top).as_posix() if root != top else ""
            is_ours = (top / ".git" / MADE_HERE).is_file()
            return RecordsPlace(root, root.name, top, inside, is_ours=is_ours)
    return RecordsPlace(root, root.name)


@contextlib.contextmanager
def opened_history(folders: AppFolders, place: RecordsPlace) -> Iterator[tuple[GitRunner, Repository, str]]:
    """Open the repository around ``place`` for reading: runner, repository, newest commit.

    Raises:
        EnvironmentFault: when there is none, it has no commit, or Git is not there.
    """
    if place.top is None:
        raise EnvironmentFault("The records lie in a plain folder, without history", "")
    runner = GitRunner(find_git(), folders.data / "git")
    if place.is_ours:
        ours = Repository.at(place.top)
        head = runner.run("rev-parse", ("--verify", "--quiet"), (HEAD_REF,), repository=ours)
        if not head.is_ok or not head.text.strip():
            raise EnvironmentFault("Nothing has been committed yet", "")
        yield runner, ours, head.text.split()[0]
        return
    with borrow(runner, place.top, folders.cache / "borrowed") as borrowed:
        yield runner, borrowed.repository, borrowed.head


def check_history(folders: AppFolders, place: RecordsPlace) -> HistoryCheck:
    """Compare the records of ``place`` with every version that was ever committed; nothing is changed."""
    try:
        with opened_history(folders, place) as (runner, repository, head):
            return _check(place, runner, repository, head)
    except KbError as error:
        return HistoryCheck(problem=error.title)


def signers_file(place: RecordsPlace) -> Path | None:
    """Return the file of keys that count, or None when signing is not configured."""
    for folder in dict.fromkeys((place.root, place.top or place.root)):
        if (folder / ALLOWED_SIGNERS).is_file():
            return folder / ALLOWED_SIGNERS
    return None


def _check(place: RecordsPlace, runner: GitRunner, repository: Repository, head: str) -> HistoryCheck:
    prefix = f"{place.inside}/" if place.inside else ""
    signers = signers_file(place)
    paths = (f"{prefix}{RECORDS_FOLDER}", *_signer_paths(place, signers))
    commits = read_history(runner, repository, head, paths=paths, allowed_signers=signers)
    newest = read_history(runner, repository, head)[:1] if commits else ()
    versions: dict[str, dict[str, RecordedCommit]] = defaultdict(dict)
    removed: dict[str, RecordedCommit] = {}
    by_record: dict[str, list[RecordedCommit]] = defaultdict(list)
    for commit in commits:
        for file in commit.files:
            record = _record_of(file.path, prefix)
            if record is None:
                continue
            if not by_record[record] or by_record[record][-1] is not commit:
                by_record[record].append(commit)
            if file.blob is None:
                removed.setdefault(file.path, commit)
            else:
                versions[file.path].setdefault(file.blob, commit)
    events = {path: known for path, known in versions.items() if path.endswith(EVENTS_SUFFIX)}
    contents = read_blobs(runner, repository, [blob for known in events.values() for blob in known])
    findings: dict[str, list[RecordFinding]] = defaultdict(list)
    for path, known in sorted(events.items()):
        record = str(_record_of(path, prefix))
        old = [(contents.get(blob, b""), commit) for blob, commit in known.items()]
        findings[record] += _compare(place, path.removeprefix(prefix), old, removed.get(path))
    findings = {name: _whole_record_gone(place, name, found) for name, found in findings.items()}
    if signers is not None:
        for record, made in by_record.items():
            findings.setdefault(record, []).extend(_unsigned(made))
        for path in _signer_paths(place, signers):
            findings.setdefault(path, []).extend(_signers_changed(runner, repository, commits, path))
    return HistoryCheck(
        commit=head,
        committed_at=format_time(newest[0].committed_at) if newest else "",
        commits=len(commits),
        is_signing=signers is not None,
        findings={name: tuple(found) for name, found in sorted(findings.items()) if found},
        signatures={
            PurePosixPath(record).name: _signature_text(made, is_signing=signers is not None)
            for record, made in by_record.items()
        },
    )


def _signer_paths(place: RecordsPlace, signers: Path | None) -> tuple[str, ...]:
    if signers is None or place.top is None:
        return ()
    return (signers.relative_to(place.top).as_posix(),)


def _record_of(path: str, prefix: str) -> str | None:
    """Return ``incidents/2025/<id>`` for a path in a record's folder, else None."""
    if not path.startswith(f"{prefix}{RECORDS_FOLDER}/"):
        return None
    parts = path.removeprefix(prefix).split("/")
    return "/".join(parts[:3]) if len(parts) > 3 else None


def _compare(
    place: RecordsPlace,
    path: str,
    versions: Sequence[tuple[bytes, RecordedCommit]],
    removal: RecordedCommit | None,
) -> list[RecordFinding]:
    """Return where the present file does not continue what was committed of it, the newest version first."""
    file = f"{EVENTS_FOLDER}/{PurePosixPath(path).name}"
    target = place.root / path
    if not target.is_file() or target.is_symlink():
        how = f"removed by {_named(removal)}" if removal is not None else "gone from the disk"
        text = f"This file was committed and is {how}"
        return [RecordFinding("file-removed", Severity.ERROR, file, 0, 0, text)]
    present = target.read_bytes()
    for old, commit in versions:
        if present.startswith(old):
            continue
        if old.startswith(present):
            text = f"The tail was cut: {_named(commit)} holds {len(old) - len(present)} bytes more"
            line = present.count(b"\n")
            return [RecordFinding("tail-cut", Severity.ERROR, file, line, len(present), text)]
        byte = next(n for n, (a, b) in enumerate(zip(old, present, strict=False)) if a != b)
        line = old[:byte].count(b"\n") + 1
        text = f"Line {line} is not what {_named(commit)} holds: the file was written anew"
        return [RecordFinding("rewritten", Severity.ERROR, file, line, byte, text)]
    return []


def _whole_record_gone(
    place: RecordsPlace, record: str, found: Sequence[RecordFinding]
) -> list[RecordFinding]:
    if (place.root / record / EVENTS_FOLDER).is_dir() or not found:
        return list(found)
    text = f"The whole record is gone. {found[0].message}"
    return [RecordFinding("record-removed", Severity.ERROR, record, 0, 0, text)]


def _named(commit: RecordedCommit, word: str = "commit") -> str:
    return f"{word} {commit.id[:10]} ({commit.by}, {format_time(commit.committed_at)})"


def _unsigned(commits: Sequence[RecordedCommit]) -> list[RecordFinding]:
    return [
        RecordFinding(
            _SIGNATURES[commit.signature][0],
            Severity.WARNING,  # a commit without signature breaks no chain
            "commit",
            0,
            0,
            f"{_named(commit, 'Commit')} {_SIGNATURES[commit.signature][1]}",
        )
        for commit in commits
        if commit.signature in _SIGNATURES
    ]


def _signers_changed(
    runner: GitRunner, repository: Repository, commits: Sequence[RecordedCommit], path: str
) -> list[RecordFinding]:
    """Return who changed the list of keys and when, and keys that were listed only after what they vouch for.

    Args:
        runner: runs git.
        repository: that holds the history.
        commits: of the records and of the list, the newest first.
        path: of the list in the repository.
    """
    versions = {commit.id: file.blob for commit in commits for file in commit.files if file.path == path}
    contents = read_blobs(runner, repository, [blob for blob in versions.values() if blob])
    found: list[RecordFinding] = []
    listed: set[str] = set()
    signed: dict[str, RecordedCommit] = {}  # whose signature counts today: the first commit that carries it
    late: set[str] = set()
    for commit in reversed(commits):
        if commit.id in versions:
            now = _principals(contents.get(versions[commit.id] or "", b""))
            found.append(_signers_change(path, commit, now - listed, listed - now))
            for name in sorted((now & set(signed)) - late):
                text = f"{name} was listed by {_named(commit)}, after {_named(signed[name])} was signed so"
                found.append(RecordFinding("listed-afterwards", Severity.WARNING, path, 0, 0, text))
            late |= now & set(signed)
            listed = now
        if commit.signature == "G" and commit.signer and commit.signer not in listed:
            signed.setdefault(commit.signer, commit)
    return found


def _signers_change(path: str, commit: RecordedCommit, added: set[str], gone: set[str]) -> RecordFinding:
    told = (("added", added), ("took out", gone))
    parts = [f"{word} {', '.join(sorted(names))}" for word, names in told if names]
    how = ", ".join(parts) or "the same people"
    text = f"{_named(commit, 'Commit')} changed the list of keys that count: {how}"
    return RecordFinding("signers-changed", Severity.INFO, path, 0, 0, text)


def _principals(content: bytes) -> set[str]:
    """Return for whom a list has keys: the first word of each line, several of them joined by commas."""
    lines = (visible(line).strip() for line in content.decode("utf-8", "replace").splitlines())
    words = [line.split()[0] for line in lines if line and not line.startswith("#")]
    return {name for word in words for name in word.strip('"').split(",") if name}


def _signature_text(commits: Sequence[RecordedCommit], *, is_signing: bool) -> str:
    if not is_signing:
        return "not configured"
    bad = [commit for commit in commits if commit.signature in _SIGNATURES]
    if bad:
        names = sorted({_SIGNATURES[commit.signature][0] for commit in bad})
        return f"{len(bad)} of {len(commits)} commits: {', '.join(names)}"
    signers = sorted({commit.signer for commit in commits if commit.signer})
    return f"ok: {len(commits)} commits by {', '.join(signers)}"
