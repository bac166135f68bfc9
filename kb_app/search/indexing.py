"""Bringing an index up to date: changes are told by content, and work is committed as it goes.

A file is read again unless its size, its times and its number are those of the last run *and* its last change
lies clearly before that run (two changes within one tick of the clock look alike). What was read counts by
its hash: a touched file is not indexed again, a file changed under an old time is.

A run that is killed loses at most the pages since its last checkpoint: the next one finds the committed ones
by their hashes and goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from kb_app.entries.knowledge_base import FoundFile, Walk, look_at, walk
from kb_app.entries.model import EntryCard, Kind, KnowledgeBaseConfig, State
from kb_app.errors import EnvironmentFault
from kb_app.plain import to_plain
from kb_app.search.catalogue_file import path_key, read_lines, write_lines
from kb_app.search.codec import EntryWriter, lock_index, open_index, remove_leftovers, toc_name
from kb_app.search.columns import (
    FORMAT,
    DamagedIndexError,
    EncodedSegment,
    Segment,
    encode,
    merge_segments,
)
from kb_app.search.confirmed_file import update_confirmed
from kb_app.search.gathering import Batch, Work, crew_of
from kb_app.search.manifest import (
    Manifest,
    SegmentRecord,
    check_file,
    discard,
    open_segment,
    read_manifest,
    record_of,
)
from kb_app.search.model import IndexProgress, IndexReport, SkippedFile
from kb_app.search.names_file import drop_names, segment_of_names, write_names
from kb_app.search.storage import IndexStorage
from kb_app.search.times import Time, read_times, write_times

CHUNK_PAGES = 64
CHECKPOINT_S = 8.0
"""Seconds of work between two commits of a long run."""
FLUSH_PAGES = 3_000
"""Pages after which what was read becomes a segment in memory: a cancelled run has little left to do."""
RACY_NS = 2_000_000_000
"""A file changed less than this before it was looked at may change again under the same time (FAT: 2 s)."""
PARALLEL_PAGES = 1_500
"""Below this many pages a second process costs more than it brings."""
MAX_SMALL_SEGMENTS = 4
SMALL_SEGMENT = 2_000
HEAD_BYTES = 2_048
_TITLE = re.compile(r"^(?:title:[ \t]*(?P<front>\S.*)|#[ \t]+(?P<heading>\S.*))$", re.MULTILINE)

Progress = Callable[[IndexProgress], None]


@dataclass(slots=True)
class _Run:
    """One update: what is known, what was found, what is still to be written."""

    id: str
    root: Path
    name: str
    folder: Path
    config: KnowledgeBaseConfig
    config_hash: str
    on_progress: Progress
    is_cancelled: Callable[[], bool]
    manifest: Manifest | None = None
    segments: dict[str, Segment] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    times: dict[str, Time] = field(default_factory=dict)
    deleted: dict[str, set[int]] = field(default_factory=dict)
    pending: list[EncodedSegment] = field(default_factory=list)
    card_lines: dict[bytes, bytes] = field(default_factory=dict)
    skipped: list[SkippedFile] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    removed: int = 0
    reason: str = ""
    is_dirty: bool = False


def update_index(
    root: Path,
    knowledge_base: str,
    folder: Path,
    config: KnowledgeBaseConfig,
    *,
    on_progress: Progress | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    rebuild: bool = False,
    processes: int = 1,
    paths: Collection[str] | None = None,
) -> IndexReport:
    """Make the index in ``folder`` agree with the pages below ``root``; nothing below ``root`` is changed.

    Args:
        root: the knowledge base.
        knowledge_base: its name, kept with every hit.
        folder: the index's own folder, outside of ``root``.
        config: the knowledge base's settings.
        on_progress: told how far it has come.
        is_cancelled: asked between portions; what was done so far is committed.
        rebuild: make it anew.
        processes: how many processes may read pages.
        paths: the only files that can have come, gone or changed since the last complete run, when the caller
            knows them (a fast-forward names them): nothing else is looked at. Files that are no entries may
            be among them; a folder stands for all files below it. None: every file is looked at, as it is
            anyway while there is no complete index.

    Raises:
        UsageError: when ``folder`` lies inside ``root``.
        EnvironmentFault: when a folder cannot be used or another process keeps the index for itself.
    """
    started = time.perf_counter()
    storage = IndexStorage.make(folder, root)
    lock = lock_index(folder)
    run = _Run(
        uuid.uuid4().hex, root, knowledge_base, folder, config, _config_hash(knowledge_base, config),
        on_progress or (lambda _progress: None), is_cancelled or (lambda: False),
    )  # fmt: skip
    try:
        _open_last_state(run, rebuild=rebuild)
        remove_leftovers(storage, run.manifest)
        try:
            _update(run, storage, processes, paths)
        except DamagedIndexError as error:
            _start_anew(run, str(error))
            _update(run, storage, processes, None)
        update_confirmed(root, folder, paths)
    except OSError as error:
        raise EnvironmentFault(
            f"The index of {knowledge_base!r} cannot be written: {error.strerror or error}",
            "Free some space, or set KB_APP_HOME to another folder",
        ) from error
    finally:
        for segment in run.segments.values():
            segment.close()
        lock.release()
    seconds = time.perf_counter() - started
    worked = run.added + run.changed
    return IndexReport(
        pages=len(run.places),
        added=run.added,
        changed=run.changed,
        removed=run.removed,
        seconds=seconds,
        pages_per_s=worked / seconds if worked else 0.0,
        skipped=tuple(run.skipped),
        is_rebuilt=bool(run.reason),
        reason=run.reason,
    )


def _config_hash(name: str, config: KnowledgeBaseConfig) -> str:
    plain = {k: v for k, v in to_plain(config).items() if k not in ("synonyms", "notes", "description")}
    return hashlib.sha256(json.dumps([FORMAT, name, plain], sort_keys=True).encode()).hexdigest()


def _open_last_state(run: _Run, *, rebuild: bool) -> None:
    try:
        run.manifest = read_manifest(run.folder)
        if run.manifest is None:
            return
        if rebuild:
            run.reason = "as asked for"
        elif run.manifest.config != run.config_hash:
            run.reason = "the settings of the knowledge base have changed"
        else:
            _open_segments(run, run.manifest)
            return
    except DamagedIndexError as error:
        run.reason = str(error)
    _start_anew(run, run.reason)


def _start_anew(run: _Run, reason: str) -> None:
    """Forget all that was known, for this reason."""
    run.reason = reason
    for segment in run.segments.values():
        segment.close()
    for known in (run.segments, run.places, run.hashes, run.deleted, run.pending, run.skipped, run.times):
        known.clear()
    run.added = run.changed = run.removed = 0
    run.manifest = None
    discard(run.folder)


def _open_segments(run: _Run, manifest: Manifest) -> None:
    check_file(run.folder, manifest.toc)
    run.times = read_times(run.folder)
    for record in manifest.segments:
        segment = open_segment(run.folder, record)
        run.segments[record.id] = segment
        if run.times.get(_cold_key(record)) != _cold_state(run.folder, record):
            check_file(run.folder, record.cold)
        run.deleted[record.id] = set(record.deleted)
        for number, path in enumerate(segment.paths):
            if number not in run.deleted[record.id]:
                run.places[path] = (record.id, number)
                run.hashes[path] = segment.hashes[number]


def _update(run: _Run, storage: IndexStorage, processes: int, paths: Collection[str] | None) -> None:
    seen_at_ns = time.time_ns()
    found, asked = _look(run, paths)
    run.skipped += [SkippedFile(path, reason) for path, reason in found.skipped]
    hashes = run.hashes
    seen = {file.path: _time_of(file, hashes.get(file.path, "")) for file in found.files}
    known_times = run.times
    to_read = [path for path, state in seen.items() if path not in hashes or known_times.get(path) != state]
    gone = [
        path for path in (run.places if asked is None else asked) if path in run.places and path not in seen
    ]
    is_first = run.manifest is None
    _prepare_cards(run)
    for path in gone:
        _forget(run, path)
        run.removed += 1
    was_cancelled = _read_pages(run, storage, to_read, processes, is_first=is_first)
    if run.is_dirty or run.pending or is_first or (run.manifest and not run.manifest.is_complete):
        _commit(run, storage, is_complete=not was_cancelled)
        if not was_cancelled:
            _drop_mere_names(run)
        write_lines(run.folder, run.card_lines)
    _merge(run, storage)
    times = {} if asked is None else {path: t for path, t in known_times.items() if path in run.hashes}
    for path, state in seen.items():
        if path in run.hashes and state[0] >= 0 and state[2] < seen_at_ns - RACY_NS:
            times[path] = (*state[:4], run.hashes[path])
        else:
            times.pop(path, None)
    for record in run.manifest.segments if run.manifest else ():
        times[_cold_key(record)] = _cold_state(run.folder, record)
    if times != known_times:
        write_times(run.folder, times)


def _look(run: _Run, paths: Collection[str] | None) -> tuple[Walk, Collection[str] | None]:
    """Return the files that may have changed, and which paths were asked for (None: all)."""
    if paths is None or run.manifest is None or not run.manifest.is_complete:
        return walk(run.root, run.config), None
    asked = set(paths)
    folders = tuple(f"{path.rstrip('/')}/" for path in asked)
    asked.update(path for path in run.places if path.startswith(folders))
    if any((run.root / path).is_dir() for path in paths):
        return walk(run.root, run.config), None
    return look_at(run.root, asked, run.config), asked


def _cold_key(record: SegmentRecord) -> str:
    return f"\0{record.cold.name}"  # no path of a page holds this character


def _cold_state(folder: Path, record: SegmentRecord) -> Time:
    """Return what tells a change of a file of documents; its pieces are checked when they are read."""
    state = (folder / record.cold.name).stat()
    return (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, record.cold.sha256)


def _time_of(file: FoundFile, content_hash: str) -> Time:
    """Return what tells a change of a file; a size of -1 means "never trust"."""
    if os.name != "posix":  # elsewhere the third time is that of creation and proves nothing
        return (-1, 0, 0, 0, "")
    return (file.size_bytes, file.mtime_ns, file.ctime_ns, file.inode, content_hash)


def _prepare_cards(run: _Run) -> None:
    lines = read_lines(run.folder) if run.manifest is not None else None
    if lines is None:
        lines = {}
        for segment_id, segment in run.segments.items():
            deleted = {path_key(segment.paths[number]) for number in run.deleted[segment_id]}
            lines.update((key, line) for key, line in _lines_of(segment) if key not in deleted)
    run.card_lines = lines


def _publish_names(run: _Run, paths: Sequence[str]) -> None:
    """Write the cards from the first lines of every file: enough to be found by name at once."""
    cards: list[EntryCard] = []
    for number, path in enumerate(paths):
        if number % 256 == 0:
            if run.is_cancelled():
                return
            run.on_progress(IndexProgress("names", number, len(paths)))
        try:
            with open(f"{run.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - no object per file
                head = file.read(HEAD_BYTES)
        except OSError:
            continue
        cards.append(_first_card(path, head, run.name))
    names = segment_of_names(cards)
    with closing(Segment.of(names)) as segment:
        run.card_lines = dict(_lines_of(segment))
    write_lines(run.folder, run.card_lines)
    write_names(run.folder, names)
    run.on_progress(IndexProgress("names", len(paths), len(paths)))


def _first_card(path: str, head: bytes, knowledge_base: str) -> EntryCard:
    """Return a card by name alone: what the first lines and the file's name say."""
    stem = path.rsplit("/", 1)[-1].split(".", 1)[0]
    title = _TITLE.search(head.decode("utf-8", "replace"))
    return EntryCard(
        knowledge_base=knowledge_base,
        path=path,
        id=stem,
        title=(title["front"] or title["heading"]).strip(" \t\"'#") if title else stem,
        kind=Kind.NOTE,
        state=State.UNVERIFIED,
        product="",
        component="",
    )


def _read_pages(
    run: _Run, storage: IndexStorage, paths: Sequence[str], processes: int, *, is_first: bool
) -> bool:
    """Read and index ``paths``, their names first when nothing is there yet; return True when cancelled."""
    total = len(paths)
    works = [
        Work(
            str(run.root),
            run.name,
            run.config,
            tuple((path, run.hashes.get(path, "")) for path in paths[i : i + CHUNK_PAGES]),
        )
        for i in range(0, total, CHUNK_PAGES)
    ]
    was_cancelled = False
    with crew_of(processes if total >= PARALLEL_PAGES else 1) as crew:
        if is_first and total:
            _publish_names(run, paths)
        checkpoint, flushed = time.perf_counter() + CHECKPOINT_S, 0
        for done in crew.work(works):
            run.on_progress(IndexProgress("pages", done, total))
            if run.is_cancelled():
                was_cancelled = True
                break
            if done - flushed >= FLUSH_PAGES:
                _take(run, crew.flush())
                flushed = done
            if time.perf_counter() > checkpoint and done < total:
                _take(run, crew.flush())
                flushed = done
                _commit(run, storage, is_complete=False)
                checkpoint = time.perf_counter() + CHECKPOINT_S
        _take(run, crew.flush())
    return was_cancelled


def _take(run: _Run, batches: Sequence[Batch]) -> None:
    for batch in batches:
        run.skipped += batch.skipped
        for path in batch.gone:
            if path in run.places:
                _forget(run, path)
                run.removed += 1
        if batch.segment is not None:
            _take_segment(run, batch.segment)


def _take_segment(run: _Run, encoded: EncodedSegment) -> None:
    with closing(Segment.of(encoded)) as segment:
        for path in segment.paths:
            if path in run.places:
                _forget(run, path)
                run.changed += 1
            else:
                run.added += 1
        run.card_lines.update(_lines_of(segment))
    run.pending.append(encoded)


def _lines_of(segment: Segment) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and line of every card of a segment."""
    for number, path in enumerate(segment.paths):
        key = path_key(path)
        yield key, key + b"\t" + segment.card_json(number)


def _forget(run: _Run, path: str) -> None:
    segment, number = run.places.pop(path)
    run.hashes.pop(path, None)
    run.card_lines.pop(path_key(path), None)
    run.deleted[segment].add(number)
    run.is_dirty = True


def _commit(run: _Run, storage: IndexStorage, *, is_complete: bool) -> None:
    """Write what was taken in; parts that several processes made of it become one."""
    pending, run.pending = run.pending, []
    if is_complete and len(pending) > 1:
        pending = _joined([Segment.of(part) for part in pending])
    _write(run, storage, pending, [*(run.manifest.segments if run.manifest else ())], is_complete=is_complete)


def _joined(parts: Sequence[Segment]) -> list[EncodedSegment]:
    """Return one segment of ``parts``, which are closed; none when all of their documents are deleted."""
    try:
        return [encode(merge_segments(parts))] if any(not part.deleted.all() for part in parts) else []
    finally:
        for part in parts:
            part.close()


def _write(
    run: _Run,
    storage: IndexStorage,
    parts: Sequence[EncodedSegment],
    records: Sequence[SegmentRecord],
    *,
    is_complete: bool,
) -> None:
    writer = EntryWriter(open_index(storage, run.manifest))
    try:
        run.manifest = writer.write(
            parts,
            records=records,
            deleted={segment: frozenset(numbers) for segment, numbers in run.deleted.items()},
            complete=lambda generation, segments: Manifest(
                generation,
                run.name,
                run.config_hash,
                record_of(run.folder, toc_name(generation)),
                segments,
                is_complete=is_complete,
            ),
        )
    finally:
        if not writer.is_closed:
            writer.cancel()  # type: ignore[no-untyped-call]
    run.is_dirty = False
    _reopen(run)


def _reopen(run: _Run) -> None:
    """Open the segment that was just written and drop those that are gone."""
    assert run.manifest is not None
    ids = {record.id for record in run.manifest.segments}
    for segment_id in [known for known in run.segments if known not in ids]:
        run.segments.pop(segment_id).close()
        run.deleted.pop(segment_id, None)
    for record in run.manifest.segments:
        if record.id in run.segments:
            continue
        segment = open_segment(run.folder, record)
        run.segments[record.id] = segment
        run.deleted[record.id] = set(record.deleted)
        for number, path in enumerate(segment.paths):
            run.places[path] = (record.id, number)
            run.hashes[path] = segment.hashes[number]


def _merge(run: _Run, storage: IndexStorage) -> None:
    """Merge segments when there are many small ones, or many deleted documents."""
    if run.manifest is None or run.is_cancelled():
        return
    records = run.manifest.segments
    small = [r for r in records if r.documents < SMALL_SEGMENT]
    wasteful = [r for r in records if len(r.deleted) * 4 > r.documents]
    chosen = {r.id for r in small} if len(small) > MAX_SMALL_SEGMENTS else set()
    chosen |= {r.id for r in wasteful}
    if len(records) > MAX_SMALL_SEGMENTS * 2 or (
        len(records) > 1 and len(chosen) == 0 and run.added > SMALL_SEGMENT
    ):
        chosen = {r.id for r in records}
    if not chosen:
        return
    run.on_progress(IndexProgress("merge", 0, len(chosen)))
    parts = [open_segment(run.folder, record) for record in records if record.id in chosen]
    try:
        merged = _joined(parts)
    except DamagedIndexError:
        discard(run.folder)
        raise
    kept = [record for record in records if record.id not in chosen]
    _write(run, storage, merged, kept, is_complete=run.manifest.is_complete)
    run.on_progress(IndexProgress("merge", len(chosen), len(chosen)))


def _drop_mere_names(run: _Run) -> None:
    """Forget names that were published and turned out to be no entries: the index is complete."""
    drop_names(run.folder)
    if len(run.card_lines) > len(run.places):
        live = set(map(path_key, run.places))
        run.card_lines = {key: line for key, line in run.card_lines.items() if key in live}
