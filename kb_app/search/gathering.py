"""Reading and analysing pages, in this process or in helpers, and making segments of them.

Decision: a helper keeps what it read and hands over whole segments, as bytes, when asked to. Handing over
every portion of analysed pages, to be put together by the process that asked, kept that one busy for a third
of the time and all others waiting for it.

Decision: a pipe of its own for each helper, not a pool: the helpers of a pool share its queues, so none of
them notices that the parent was killed, and all stay behind.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from kb_app.entries.catalogue import card_of
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.entries.reading import parse_entry
from kb_app.entries.source import is_binary
from kb_app.search.columns import EncodedSegment, build_segment, encode
from kb_app.search.documents import Analyser, Chunk, IndexedDocument, document_of
from kb_app.search.model import SkippedFile

PORTIONS_AHEAD = 2
HELPER_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Work:
    """One portion of pages: their root, the knowledge base, and (path, hash at the last run or empty)."""

    root: str
    knowledge_base: str
    config: KnowledgeBaseConfig
    pages: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Batch:
    """What became of some portions.

    Attributes:
        segment: the pages that are new or changed; None when there are none.
        gone: pages that are there no longer, or are no pages.
        skipped: files that could not be read, and why.
    """

    segment: EncodedSegment | None = None
    gone: list[str] = field(default_factory=list)
    skipped: list[SkippedFile] = field(default_factory=list)


class Gatherer:
    """Takes portions, and makes one segment of all that it took when it is told to."""

    def __init__(self) -> None:
        self._analyser = Analyser()
        self._chunks: list[Chunk] = []
        self._batch = Batch()

    def take(self, work: Work) -> None:
        """Read and analyse some pages."""
        documents = [
            document for path, known in work.pages if (document := self._read(work, path, known)) is not None
        ]
        if documents:
            self._chunks.append(self._analyser.chunk(documents))

    def _read(self, work: Work, path: str, known_hash: str) -> IndexedDocument | None:
        try:
            with open(f"{work.root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - no object per file
                raw = file.read()
        except FileNotFoundError:
            self._batch.gone.append(path)
            return None
        except OSError as error:
            self._leave_out(path, f"It cannot be read: {error.strerror or error}")
            return None
        if known_hash and hashlib.sha256(raw).hexdigest() == known_hash:
            return None
        if is_binary(raw):
            self._leave_out(path, "It is not text, whatever its name says")
            return None
        entry = parse_entry(path, raw, work.config, detail=False)
        return document_of(entry, card_of(entry, work.knowledge_base))

    def _leave_out(self, path: str, reason: str) -> None:
        self._batch.skipped.append(SkippedFile(path, reason))
        self._batch.gone.append(path)

    def flush(self) -> Batch:
        """Return what became of the portions since the last flush."""
        batch, self._batch = self._batch, Batch()
        if self._chunks:
            batch.segment = encode(build_segment(self._chunks))
            self._chunks = []
        return batch


class Crew:
    """Does portions in this process."""

    def __init__(self) -> None:
        self._own = Gatherer()

    def work(self, works: Sequence[Work]) -> Iterator[int]:
        """Do all of ``works``; yield how many pages are done after each."""
        done = 0
        for work in works:
            self._own.take(work)
            done += len(work.pages)
            yield done

    def flush(self) -> list[Batch]:
        """Return what became of what was done so far."""
        return [self._own.flush()]


@dataclass(slots=True)
class _Helper:
    """A process that gathers, the pipe to it, its portions under way, and those done since its last flush."""

    process: SpawnProcess
    pipe: Connection
    under_way: deque[Work] = field(default_factory=deque)
    kept: list[Work] = field(default_factory=list)


class HelperCrew(Crew):
    """Does portions in helpers; what a helper that was killed had is done again in this process."""

    def __init__(self, helpers: list[_Helper]) -> None:
        super().__init__()
        self._helpers = helpers
        self._done = 0

    def work(self, works: Sequence[Work]) -> Iterator[int]:
        """Do all of ``works``; yield how many pages are done after each."""
        waiting = deque(works)
        while waiting or any(helper.under_way for helper in self._helpers):
            for helper in list(self._helpers):
                while waiting and len(helper.under_way) < PORTIONS_AHEAD and helper in self._helpers:
                    helper.under_way.append(waiting.popleft())
                    self._send(helper, helper.under_way[-1])
            if not self._helpers:
                self._do_here(waiting.popleft())
            elif busy := {helper.pipe: helper for helper in self._helpers if helper.under_way}:
                for pipe in wait(list(busy)):
                    self._hear(busy[pipe])  # type: ignore[index]
            yield self._done

    def _send(self, helper: _Helper, message: object) -> None:
        try:
            helper.pipe.send(message)
        except OSError:
            self._lose(helper)

    def _hear(self, helper: _Helper) -> None:
        """Take one portion's end."""
        try:
            helper.pipe.recv_bytes()
        except (EOFError, OSError):
            self._lose(helper)
            return
        work = helper.under_way.popleft()
        helper.kept.append(work)
        self._done += len(work.pages)

    def _lose(self, helper: _Helper) -> None:
        if helper not in self._helpers:
            return
        self._helpers.remove(helper)
        for work in helper.kept:
            self._own.take(work)
        while helper.under_way:
            self._do_here(helper.under_way.popleft())

    def _do_here(self, work: Work) -> None:
        self._own.take(work)
        self._done += len(work.pages)

    def flush(self) -> list[Batch]:
        """Return what became of what was done so far; all helpers put theirs together at the same time."""
        asked = list(self._helpers)
        for helper in asked:
            self._send(helper, None)
        batches: list[Batch] = []
        for helper in asked:
            while helper.under_way:
                self._hear(helper)
            if helper not in self._helpers:
                continue
            try:
                batches.append(_receive(helper.pipe))
                helper.kept.clear()
            except (EOFError, OSError):
                self._lose(helper)
        return [*batches, self._own.flush()]


@contextmanager
def crew_of(processes: int) -> Iterator[Crew]:
    """Yield who does the work: this process when ``processes`` is one, else as many helpers."""
    if processes <= 1:
        yield Crew()
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
        yield HelperCrew(list(helpers))
    finally:
        for helper in helpers:
            helper.pipe.close()  # the end of input ends it
        for helper in helpers:
            helper.process.join(HELPER_PATIENCE_S)
            if helper.process.is_alive():
                helper.process.kill()
                helper.process.join()
            helper.process.close()


def _serve(pipe: Connection) -> None:
    """Do what comes through ``pipe`` until it is closed."""
    gatherer = Gatherer()
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            work = pipe.recv()
            if work is None:
                _hand_over(pipe, gatherer.flush())
            else:
                gatherer.take(work)
                pipe.send_bytes(b"done")


def _hand_over(pipe: Connection, batch: Batch) -> None:
    """Send a batch; its bytes go as they are, without being copied into a message."""
    segment = batch.segment
    pipe.send((batch.gone, batch.skipped, (segment.documents, len(segment.cold)) if segment else None))
    if segment is not None:
        for part in (segment.hot, *segment.cold):
            pipe.send_bytes(part)


def _receive(pipe: Connection) -> Batch:
    gone, skipped, size = pipe.recv()
    if size is None:
        return Batch(None, gone, skipped)
    documents, parts = size
    hot = pipe.recv_bytes()
    return Batch(
        EncodedSegment(hot, tuple(pipe.recv_bytes() for _ in range(parts)), documents), gone, skipped
    )
