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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from kb_app.entries.catalogue import card_of
from kb_app.entries.knowledge_base import FoundFile, Walk, look_at, walk
from kb_app.entries.model import EntryCard, Kind, KnowledgeBaseConfig, State
from kb_app.entries.reading import parse_entry
from kb_app.entries.source import is_binary
from kb_app.errors import EnvironmentFault
from kb_app.plain import to_plain
from kb_app.search.catalogue_file import card_line, path_key, read_lines, write_lines
from kb_app.search.codec import EntryWriter, lock_index, open_index, toc_name
from kb_app.search.columns import (
    FORMAT,
    DamagedIndexError,
    Segment,
    TokenTables,
    build_segment,
    merge_segments,
)
from kb_app.search.documents import Analyser, Chunk, document_of
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
from kb_app.search.storage import IndexStorage
from kb_app.search.times import Time, read_times, write_times

CHUNK_PAGES = 64
CHECKPOINT_S = 8.0
"""Seconds of work between two commits of a long run."""
RACY_NS = 2_000_000_000
"""A file changed less than this before it was looked at may change again under the same time (FAT: 2 s)."""
PARALLEL_PAGES = 1_500
"""Below this many pages a second process costs more than it brings."""
PORTIONS_AHEAD = 2
HELPER_PATIENCE_S = 5.0
MAX_SMALL_SEGMENTS = 4
SMALL_SEGMENT = 2_000
HEAD_BYTES = 2_048
_TITLE = re.compile(r"^(?:title:[ \t]*(?P<front>\S.*)|#[ \t]+(?P<heading>\S.*))$", re.MULTILINE)

Progress = Callable[[IndexProgress], None]


@dataclass(frozen=True, slots=True)
class _Work:
    """One portion of pages for an analysing process."""

    run: str
    root: str
    knowledge_base: str
    config: KnowledgeBaseConfig
    pages: tuple[tuple[str, str], ...]  # path, hash it had at the last run


@dataclass(slots=True)
class _Result:
    chunk: Chunk
    unchanged: list[str]
    gone: list[str]
    skipped: list[SkippedFile]


_analysers: dict[str, Analyser] = {}
"""One per run: an analyser tells each token once, so a new run needs a new one."""


def _analyser_of(run: str) -> Analyser:
    if run not in _analysers:
        _analysers.clear()
        _analysers[run] = Analyser()
    return _analysers[run]


def _analyse(work: _Work) -> _Result:
    """Read and analyse some pages; runs in this or in another process."""
    root = Path(work.root)
    documents = []
    unchanged: list[str] = []
    gone: list[str] = []
    skipped: list[SkippedFile] = []
    for path, known_hash in work.pages:
        try:
            raw = (root / path).read_bytes()
        except FileNotFoundError:
            gone.append(path)
            continue
        except OSError as error:
            skipped.append(SkippedFile(path, f"It cannot be read: {error.strerror or error}"))
            gone.append(path)
            continue
        if known_hash and hashlib.sha256(raw).hexdigest() == known_hash:
            unchanged.append(path)
            continue
        if is_binary(raw):
            skipped.append(SkippedFile(path, "It is not text, whatever its name says"))
            gone.append(path)
            continue
        entry = parse_entry(path, raw, work.config, detail=False)
        documents.append(document_of(entry, card_of(entry, work.knowledge_base)))
    return _Result(_analyser_of(work.run).chunk(documents), unchanged, gone, skipped)


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
    pending: list[Chunk] = field(default_factory=list)
    tables: TokenTables = field(default_factory=TokenTables)
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
        try:
            _update(run, storage, processes, paths)
        except DamagedIndexError as error:
            _start_anew(run, str(error))
            _update(run, storage, processes, None)
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
    if is_first and to_read:
        _publish_names(run, to_read)
    for path in gone:
        _forget(run, path)
        run.removed += 1
    was_cancelled = _read_pages(run, storage, to_read, processes)
    if run.is_dirty or run.pending or is_first or (run.manifest and not run.manifest.is_complete):
        _commit(run, storage, is_complete=not was_cancelled)
        _write_cards(run)
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
            for number in range(segment.document_count):
                if number not in run.deleted[segment_id]:
                    card, _ = segment.card(number)
                    key = path_key(card["path"])
                    lines[key] = key + b"\t" + json.dumps(card, separators=(",", ":")).encode()
    run.card_lines = lines


def _publish_names(run: _Run, paths: Sequence[str]) -> None:
    """Write the cards from the first lines of every file: enough to be found by name at once."""
    lines: dict[bytes, bytes] = {}
    for number, path in enumerate(paths):
        if number % 256 == 0:
            if run.is_cancelled():
                return
            run.on_progress(IndexProgress("names", number, len(paths)))
        try:
            with (run.root / path).open("rb") as file:
                head = file.read(HEAD_BYTES)
        except OSError:
            continue
        lines[path_key(path)] = card_line(_first_card(path, head, run.name))
    write_lines(run.folder, lines)
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


def _read_pages(run: _Run, storage: IndexStorage, paths: Sequence[str], processes: int) -> bool:
    """Analyse ``paths``; return True when the run was cancelled."""
    done, total = 0, len(paths)
    checkpoint = time.perf_counter() + CHECKPOINT_S
    works = [
        _Work(
            run.id, str(run.root), run.name, run.config,
            tuple((path, run.hashes.get(path, "")) for path in paths[i : i + CHUNK_PAGES]),
        )
        for i in range(0, total, CHUNK_PAGES)
    ]  # fmt: skip
    parallel = processes if total >= PARALLEL_PAGES else 1
    with _results(works, parallel) as results:
        for work, result in results:
            _take(run, result)
            done += len(work.pages)
            run.on_progress(IndexProgress("pages", done, total))
            if run.is_cancelled():
                return True
            if time.perf_counter() > checkpoint and done < total:
                _commit(run, storage, is_complete=False)
                checkpoint = time.perf_counter() + CHECKPOINT_S
    return False


@contextmanager
def _results(works: Sequence[_Work], processes: int) -> Iterator[Iterator[tuple[_Work, _Result]]]:
    if processes <= 1:
        yield ((work, _analyse(work)) for work in works)
        return
    context = get_context("spawn")
    helpers: list[_Helper] = []
    try:
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            helpers.append(_Helper(process, ours))
        yield _in_order(helpers, works)
    finally:
        for helper in helpers:
            helper.pipe.close()  # the end of input ends it
        for helper in helpers:
            helper.process.join(HELPER_PATIENCE_S)
            if helper.process.is_alive():
                helper.process.kill()
                helper.process.join()
            helper.process.close()


@dataclass(frozen=True, slots=True)
class _Helper:
    """A process that analyses pages, and the pipe to it.

    Decision: a pipe of its own for each, not a pool: the helpers of a pool share its queues, so none of them
    notices that the parent was killed, and all stay behind.
    """

    process: SpawnProcess
    pipe: Connection


def _serve(pipe: Connection) -> None:
    """Analyse what comes through ``pipe`` until it is closed."""
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            pipe.send(_analyse(pipe.recv()))


def _in_order(helpers: Sequence[_Helper], works: Sequence[_Work]) -> Iterator[tuple[_Work, _Result]]:
    """Yield results in the order of ``works``: each helper has its turn, and a few portions ahead."""
    ahead = len(helpers) * PORTIONS_AHEAD
    for number in range(len(works) + ahead):
        if number < len(works):
            with suppress(OSError):
                helpers[number % len(helpers)].pipe.send(works[number])
        done = number - ahead
        if done < 0:
            continue
        try:
            result = helpers[done % len(helpers)].pipe.recv()
        except (EOFError, OSError):  # it was killed: do its work here
            result = _analyse(works[done])
        yield works[done], result


def _take(run: _Run, result: _Result) -> None:
    run.skipped += result.skipped
    for path in result.gone:
        if path in run.places:
            _forget(run, path)
            run.removed += 1
    for document in result.chunk.documents:
        if document.path in run.places:
            _forget(run, document.path)
            run.changed += 1
        else:
            run.added += 1
        key = path_key(document.path)
        run.card_lines[key] = key + b"\t" + document.card
    run.tables.learn(result.chunk)
    if result.chunk.documents:
        run.pending.append(result.chunk)


def _forget(run: _Run, path: str) -> None:
    segment, number = run.places.pop(path)
    run.hashes.pop(path, None)
    run.card_lines.pop(path_key(path), None)
    run.deleted[segment].add(number)
    run.is_dirty = True


def _commit(run: _Run, storage: IndexStorage, *, is_complete: bool) -> None:
    data = build_segment(run.pending, run.tables) if run.pending else None
    _write(run, storage, data, [*(run.manifest.segments if run.manifest else ())], is_complete=is_complete)
    run.pending.clear()


def _write(
    run: _Run, storage: IndexStorage, data: object, records: Sequence[SegmentRecord], *, is_complete: bool
) -> None:
    writer = EntryWriter(open_index(storage, run.manifest))
    try:
        run.manifest = writer.write(
            data,  # type: ignore[arg-type]
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
    parts = []
    for record in records:
        if record.id in chosen:
            part = open_segment(run.folder, record)
            parts.append(part)
    try:
        live = sum(int((~part.deleted).sum()) for part in parts)
        data = merge_segments(parts) if live else None
    except DamagedIndexError:
        discard(run.folder)
        raise
    finally:
        for part in parts:
            part.close()
    kept = [record for record in records if record.id not in chosen]
    _write(run, storage, data, kept, is_complete=run.manifest.is_complete)
    run.on_progress(IndexProgress("merge", len(chosen), len(chosen)))


def _write_cards(run: _Run) -> None:
    if len(run.card_lines) > len(run.places):  # names that a killed run had published
        live = set(map(path_key, run.places))
        run.card_lines = {key: line for key, line in run.card_lines.items() if key in live}
    write_lines(run.folder, run.card_lines)
