"""Four search engines behind one face, each measured in processes of its own: ``python -m bench.engines``.

``index NAME PAGES FOLDER``, ``ask NAME PAGES FOLDER``, ``change NAME PAGES FOLDER`` and ``relevance NAME
CORPORA QUERIES`` print one JSON object. Times are told twice: by the wall's clock, and as time of the
processor, which other programs on the machine stretch less.

The peers are used as their documentation shows: title and text, stems, all words joined by "or", the last
word of an unfinished question as a prefix, a snippet of every hit shown.
"""

from __future__ import annotations

import json
import re
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from bench.hostile import hostile_questions
from kb_app.entries.knowledge_base import load_config, walk
from kb_app.search.evaluation import read_queries, summarise

NAMES = ("kb_app", "fts5", "tantivy", "whoosh")
LIMIT = 20
TYPED = (
    "restore database backup",
    "certificate expired renew",
    "pod stuck pending",
    "replication lag high",
    "filter files recursively",
    "cluster upgrade fails",
    "node decommission hangs",
    "connection refused port",
    "disk full no space left",
    "rotate credentials",
)
LOG_LINE = "{n} host-{n} app[{n}]: {level} {text}"
TROUBLES = (
    "connection to server failed: Connection refused",
    "failed to pull image: unauthorized: authentication required",
    "runtime error: invalid memory address or nil pointer dereference",
    "restore failed because of a checksum mismatch in block",
)


class Peer(Protocol):
    """A search engine over pages."""

    def index(self, root: Path, paths: Sequence[str]) -> None:
        """Index the pages from nothing."""

    def open(self, root: Path) -> None:
        """Open the index of before."""

    def change(self, root: Path, paths: Sequence[str]) -> None:
        """Take in pages that were changed, so that the next question finds what they say now."""

    def search(self, text: str, *, is_typing: bool = False) -> list[str]:
        """Return paths, best first, with whatever is needed to show them."""


def _read(root: Path, path: str) -> tuple[str, str]:
    text = (root / path).read_text(encoding="utf-8", errors="replace")
    match = re.search(r"^(?:title:\s*(.+)|#\s+(.+))$", text, re.MULTILINE)
    title = (match[1] or match[2]) if match else ""
    return f"{title} {Path(path).stem}", text


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)[:64]


class KbApp:
    """This program."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._engine: Any = None

    def index(self, root: Path, paths: Sequence[str]) -> None:
        """Read and index the pages, two processes reading."""
        from kb_app.search.indexing import update_index

        del paths
        update_index(root, root.name, self._folder, load_config(root), processes=2)

    def open(self, root: Path) -> None:
        """Open the index of before."""
        from kb_app.search.engine import IndexedBase, SearchEngine

        self._engine = SearchEngine.open([IndexedBase(root.name, self._folder, load_config(root))])

    def change(self, root: Path, paths: Sequence[str]) -> None:
        """Look through all pages for what changed, and open the index again."""
        from kb_app.search.indexing import update_index

        del paths
        update_index(root, root.name, self._folder, load_config(root))
        self._engine.reopen()

    def search(self, text: str, *, is_typing: bool = False) -> list[str]:
        """Ask with everything the window asks for: facets, snippets, marks."""
        from kb_app.search.model import SearchRequest

        answer = self._engine.search(SearchRequest(text, limit=LIMIT, is_typing=is_typing))
        return [hit.path for hit in answer.hits]


class Fts5:
    """SQLite's full-text search."""

    def __init__(self, folder: Path) -> None:
        self._base = sqlite3.connect(folder / "fts.db")

    def index(self, root: Path, paths: Sequence[str]) -> None:
        """Insert all pages in one transaction."""
        self._base.execute(
            "create virtual table pages using fts5(path unindexed, title, body, "
            "tokenize='porter unicode61', prefix='2 3')"
        )
        rows = ((path, *_read(root, path)) for path in paths)
        self._base.executemany("insert into pages values (?, ?, ?)", rows)
        self._base.commit()

    def open(self, root: Path) -> None:
        """Do nothing: it is open."""

    def change(self, root: Path, paths: Sequence[str]) -> None:
        """Replace the rows; told what changed, as it keeps no times."""
        marks = ",".join("?" * len(paths))
        rows = self._base.execute(
            f"select rowid, path from pages where path in ({marks})", list(paths)
        ).fetchall()
        for number, path in rows:
            self._base.execute("delete from pages where rowid = ?", (number,))
            self._base.execute("insert into pages values (?, ?, ?)", (path, *_read(root, path)))
        self._base.commit()

    def search(self, text: str, *, is_typing: bool = False) -> list[str]:
        """Match any word, the title four times as important."""
        words = [f'"{word}"' for word in _words(text)]
        if not words:
            return []
        if is_typing and not text[-1:].isspace():
            words[-1] += "*"
        rows = self._base.execute(
            "select path, snippet(pages, 2, '', '', '', 16) from pages where pages match ? "
            "order by bm25(pages, 0, 4, 1) limit ?",
            (" OR ".join(words), LIMIT),
        )
        return [path for path, _ in rows.fetchall()]


class Tantivy:
    """Tantivy, by its Python package."""

    def __init__(self, folder: Path) -> None:
        import tantivy

        builder = tantivy.SchemaBuilder()
        builder.add_text_field("path", stored=True, tokenizer_name="raw")
        builder.add_text_field("title", stored=True, tokenizer_name="en_stem")
        builder.add_text_field("body", stored=True, tokenizer_name="en_stem")
        self._tantivy = tantivy
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, path=str(folder))

    def index(self, root: Path, paths: Sequence[str]) -> None:
        """Add all pages with one writer (which has threads of its own)."""
        writer = self._index.writer(128_000_000)
        for path in paths:
            title, body = _read(root, path)
            writer.add_document(self._tantivy.Document(path=path, title=title, body=body))
        writer.commit()
        writer.wait_merging_threads()

    def open(self, root: Path) -> None:
        """Load what is on disk."""
        del root
        self._index.reload()

    def change(self, root: Path, paths: Sequence[str]) -> None:
        """Replace the documents; told what changed."""
        writer = self._index.writer(15_000_000, 1)
        for path in paths:
            writer.delete_documents_by_term("path", path)
            title, body = _read(root, path)
            writer.add_document(self._tantivy.Document(path=path, title=title, body=body))
        writer.commit()
        self._index.reload()

    def search(self, text: str, *, is_typing: bool = False) -> list[str]:
        """Match any word, the title four times as important."""
        words = _words(text)
        if not words:
            return []
        query = self._index.parse_query(" ".join(words), ["title", "body"], field_boosts={"title": 4.0})
        if is_typing and not text[-1:].isspace():
            occur, make = self._tantivy.Occur.Should, self._tantivy.Query
            last = make.regex_query(self._schema, "body", re.escape(words[-1].lower()) + ".*")
            query = make.boolean_query([(occur, query), (occur, last)])
        searcher = self._index.searcher()
        found = searcher.search(query, LIMIT).hits
        makes = self._tantivy.SnippetGenerator.create(searcher, query, self._schema, "body")
        paths = []
        for _, address in found:
            document = searcher.doc(address)
            makes.snippet_from_doc(document)
            paths.append(document["path"][0])
        return paths


class Whoosh:
    """Whoosh as it comes, with a time limit, as some of its questions never end."""

    def __init__(self, folder: Path) -> None:
        from whoosh import fields, index
        from whoosh.analysis import StemmingAnalyzer

        text = fields.TEXT(stored=True, analyzer=StemmingAnalyzer())
        schema = fields.Schema(path=fields.ID(stored=True, unique=True), title=text, body=text)
        exists = index.exists_in(str(folder))
        self._index = index.open_dir(str(folder)) if exists else index.create_in(str(folder), schema)

    def index(self, root: Path, paths: Sequence[str]) -> None:
        """Add all pages with one writer."""
        writer = self._index.writer()
        for path in paths:
            title, body = _read(root, path)
            writer.add_document(path=path, title=title, body=body)
        writer.commit()

    def open(self, root: Path) -> None:
        """Do nothing: it is open."""

    def change(self, root: Path, paths: Sequence[str]) -> None:
        """Replace the documents; told what changed."""
        writer = self._index.writer()
        for path in paths:
            title, body = _read(root, path)
            writer.update_document(path=path, title=title, body=body)
        writer.commit()

    def search(self, text: str, *, is_typing: bool = False) -> list[str]:
        """Match any word, the title four times as important."""
        from whoosh import query
        from whoosh.collectors import TimeLimit, TimeLimitCollector
        from whoosh.lang.porter import stem

        words = [word.lower() for word in _words(text)]
        if not words:
            return []
        is_open = is_typing and not text[-1:].isspace()
        parts: list[Any] = []
        for number, word in enumerate(words):
            for name, boost in (("title", 4.0), ("body", 1.0)):
                last = is_open and number == len(words) - 1
                parts.append(
                    query.Prefix(name, word, boost=boost)
                    if last
                    else query.Term(name, stem(word), boost=boost)
                )
        with self._index.searcher() as searcher:
            collector = TimeLimitCollector(searcher.collector(limit=LIMIT), timelimit=2.0)
            try:
                searcher.search_with_collector(query.Or(parts), collector)
            except TimeLimit:
                return []
            return [hit["path"] for hit in collector.results()]


MAKERS: dict[str, Callable[[Path], Peer]] = {
    "kb_app": KbApp,
    "fts5": Fts5,
    "tantivy": Tantivy,
    "whoosh": Whoosh,
}


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of ``values`` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


PATIENCE_S = 40.0
"""Some of the hostile questions take a peer many seconds each: what is asked in this time counts."""


def _timed(engine: Peer, questions: Sequence[str], *, is_typing: bool) -> dict[str, float]:
    """Return quantiles in milliseconds: by the wall's clock, and (``cpu_…``) of the processor."""
    times, cpu = [], []
    until = time.perf_counter() + PATIENCE_S
    for question in questions:
        started, cpu_started = time.perf_counter(), time.process_time()
        if started > until:
            break
        with suppress(Exception):  # a peer may refuse a question
            engine.search(question, is_typing=is_typing)
        cpu.append((time.process_time() - cpu_started) * 1000)
        times.append((time.perf_counter() - started) * 1000)
    shares = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    found = {name: quantile(times, share) for name, share in shares.items()}
    return found | {f"cpu_{name}": quantile(cpu, share) for name, share in shares.items()}


def logs(lines: int) -> list[str]:
    """Return pastes of this many lines, one line of trouble in each."""
    made = []
    for number, trouble in enumerate(TROUBLES * 3):
        rows = [
            LOG_LINE.format(n=n + number, level="INFO", text="request served, status 200")
            for n in range(lines - 1)
        ]
        rows.insert(lines // 2, LOG_LINE.format(n=number, level="ERROR", text=trouble))
        made.append("\n".join(rows))
    return made


def _cpu_s() -> float:
    """Return the processor's time of this process and of the children that have ended, in seconds."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def index(name: str, root: Path, folder: Path) -> dict[str, Any]:
    """Index all pages of ``root`` into ``folder``."""
    paths = [file.path for file in walk(root, load_config(root)).files]
    started, cpu_started = time.perf_counter(), _cpu_s()
    engine = MAKERS[name](folder)
    engine.index(root, paths)
    seconds, cpu = time.perf_counter() - started, _cpu_s() - cpu_started
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    return {
        "pages": len(paths),
        "index_pages_per_s": len(paths) / seconds,
        "index_pages_per_cpu_s": len(paths) / cpu,
        "disk_mb": size / 1e6,
    }


def ask(name: str, root: Path, folder: Path) -> dict[str, Any]:
    """Ask the index in ``folder``; return times in milliseconds and the memory that asking took."""
    before = time.perf_counter()
    engine = MAKERS[name](folder)
    engine.open(root)
    engine.search(TYPED[0])
    cold_ms = (time.perf_counter() - before) * 1000
    keystrokes = [text[:end] for text in TYPED for end in range(1, len(text) + 1)]
    hostile = list(hostile_questions().values())
    if name != "kb_app":
        hostile = hostile[::5]  # some take a peer seconds
    if name == "whoosh":
        keystrokes = keystrokes[::6]
    found: dict[str, Any] = {
        "cold_ms": cold_ms,
        "keystroke": _timed(engine, keystrokes, is_typing=True),
        "words": _timed(engine, TYPED, is_typing=False),
        "paste": _timed(engine, logs(200)[: 3 if name == "whoosh" else 12], is_typing=False),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    return found | {"hostile": _timed(engine, hostile, is_typing=True)}


CHANGED = 10
ROUNDS = 5


def change(name: str, root: Path, folder: Path) -> dict[str, Any]:
    """Change ten pages at a time; return how long it takes until they are found by what they say now."""
    engine = MAKERS[name](folder)
    engine.open(root)
    engine.search(TYPED[0])
    paths = [file.path for file in walk(root, load_config(root)).files]
    times, cpu = [], []
    for number in range(ROUNDS):
        chosen = paths[number :: max(1, len(paths) // CHANGED)][:CHANGED]
        word = f"zebrafish{'abcdefgh'[number]}"
        before = {path: (root / path).read_bytes() for path in chosen}
        for path, raw in before.items():
            (root / path).write_bytes(raw + f"\n\nA {word} was seen.\n".encode())
        started, cpu_started = time.perf_counter(), _cpu_s()
        engine.change(root, chosen)
        found = engine.search(word)
        cpu.append((_cpu_s() - cpu_started) * 1000)
        times.append((time.perf_counter() - started) * 1000)
        for path, raw in before.items():
            (root / path).write_bytes(raw)
        if not set(found) & set(chosen):
            return {}
    return {"change": {"p50": quantile(times, 0.5), "cpu_p50": quantile(cpu, 0.5)}}


def relevance(name: str, corpora: Path, queries: Path) -> dict[str, Any]:
    """Return nDCG@10 by kind of one engine over the judged queries."""
    judged = read_queries(queries)
    rankings: dict[str, list[str]] = {}
    for corpus in sorted({query.corpus for query in judged}):
        root = corpora / corpus
        paths = [file.path for file in walk(root, load_config(root)).files]
        with tempfile.TemporaryDirectory() as folder:
            engine = MAKERS[name](Path(folder))
            engine.index(root, paths)
            engine.open(root)
            for query in judged:
                if query.corpus == corpus:
                    rankings[query.id] = engine.search(query.query)
    figures = summarise(judged, rankings, lambda query: query.kind)
    return {kind: row["nDCG@10"] for kind, row in figures.items()}


def main() -> int:
    """Measure one engine as the words of the command line say."""
    what, name, first, second = sys.argv[1:]
    result = {"index": index, "ask": ask, "change": change, "relevance": relevance}[what](
        name, Path(first), Path(second)
    )
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
