"""``python3 dev.py bench``: speed, memory and relevance of kb_app and its peers, in one run, as one table.

    bench.run [--pages N ...] [--engines NAME ...] [--no-relevance] [--no-pastes] [--charts]

Pages come from the sample corpora beside the repository (``../shared``); without them the bench says so and
ends. More pages than the archive holds are made of it again with other words in every seventh place. Each
engine is measured in processes of its own. ``--charts`` also draws ``bench/*.svg``.

Absolute figures depend on the machine and on what else it does (the load is printed with every size): ratios
to SQLite FTS5 of the same run are what to compare, and the rows "of processor" count this program's own work
where others work on the machine too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.charts import bar_chart, line_chart
from bench.engines import NAMES, quantile
from bench.heldout import make as make_heldout
from bench.pastes import MODELS, nonsense, pastes, read_corpus

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
SLOW_PAGES = 10_000
"""Whoosh as it comes is measured up to this size: beyond, its index alone takes minutes."""


def main() -> int:
    """Run what was asked for and print the tables."""
    parser = argparse.ArgumentParser(
        prog="bench.run", description="Speed, memory and relevance beside the peers."
    )
    parser.add_argument("--pages", type=int, nargs="+", default=[1_000, 3_000, 10_000, 30_000], metavar="N")
    parser.add_argument("--engines", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--no-relevance", action="store_true")
    parser.add_argument("--no-pastes", action="store_true")
    parser.add_argument("--charts", action="store_true", help="draw bench/*.svg")
    options = parser.parse_args()
    archive, corpora = SHARED / "corpora-scale.tar.xz", SHARED / "corpora"
    if not archive.exists():
        print(f"The sample corpora are not there ({archive}); nothing was measured.")
        return 3
    with tempfile.TemporaryDirectory() as folder:
        source = _unpack(archive, Path(folder))
        table = _speeds(source, options.pages, options.engines, Path(folder))
        _print_speeds(table)
        scores = {} if options.no_relevance else _relevance(corpora, archive, options.engines, Path(folder))
    if not options.no_pastes:
        _print_pastes(corpora)
    if options.charts:
        _draw(table, scores)
    return 0


def _unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "scale", filter="data")
    return folder / "scale"


def _sample(source: Path, pages: int, target: Path) -> Path:
    """Return a folder with every n-th page, so that all corpora in the archive are in it; or with copies."""
    files = sorted(p for p in source.rglob("*.md") if p.is_file() and not p.is_symlink())
    step = max(1, len(files) // pages)
    chosen = files[::step][:pages]
    for copy in range(-(-pages // len(chosen))):
        for file in chosen[: pages - copy * len(chosen)]:
            place = target / (f"copy-{copy}" if copy else "") / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            if copy:
                text = file.read_text(encoding="utf-8", errors="replace")
                place.write_text(perturbed(text, copy), encoding="utf-8")
            else:
                shutil.copyfile(file, place)
    return target


def perturbed(text: str, seed: int) -> str:
    """Return ``text`` with another of its own words in every seventh place."""
    words = re.findall(r"[A-Za-z]{3,}", text)
    source = random.Random(f"{seed} {len(text)}")
    count = 0

    def other(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return match.group() if count % 7 else source.choice(words)

    return re.sub(r"[A-Za-z]{3,}", other, text)


def _child(*words: str) -> Any:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bench.engines", *words], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    print(f"  {' '.join(words[:2])}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return json.loads(done.stdout)


def _speeds(
    source: Path, sizes: Sequence[int], engines: Sequence[str], folder: Path
) -> dict[int, dict[str, dict[str, Any]]]:
    table: dict[int, dict[str, dict[str, Any]]] = {}
    for size in sizes:
        root = _sample(source, size, folder / f"pages-{size}")
        table[size] = {}
        for engine in engines:
            if engine == "whoosh" and size > SLOW_PAGES:
                continue
            print(f"measuring {engine} at {size} pages", file=sys.stderr)
            index = folder / f"{engine}-{size}"
            index.mkdir()
            table[size][engine] = {
                **_child("index", engine, str(root), str(index)),
                **_child("ask", engine, str(root), str(index)),
                **_child("change", engine, str(root), str(index)),
                "load": os.getloadavg()[0],
            }
        if "kb_app" in engines:
            table[size]["kb_app"]["start_ms"] = _start_ms(folder / f"kb_app-{size}")
    return table


def _start_ms(index: Path) -> float:
    """Return the time from starting the search process to its first answer, warm, the best of five."""
    request = [
        {"id": 1, "op": "open", "bases": [{"name": "b", "folder": str(index)}]},
        {"id": 2, "op": "search", "request": {"text": "restore database", "is_typing": True}},
    ]
    times = []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(5):
            started = time.perf_counter()
            with subprocess.Popen(
                [sys.executable, "-m", "kb_app", "--worker", "search"],
                cwd=ROOT,
                env={**os.environ, "KB_APP_HOME": home},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                for message in request:
                    process.stdin.write((json.dumps(message) + "\n").encode())
                    process.stdin.flush()
                    process.stdout.readline()
                times.append((time.perf_counter() - started) * 1000)
                process.stdin.close()
    return min(times)


ROWS = (
    ("index, pages/s", ("index_pages_per_s",), "{:.0f}"),
    ("index, pages/s of processor", ("index_pages_per_cpu_s",), "{:.0f}"),
    ("keystroke p50, ms", ("keystroke", "p50"), "{:.1f}"),
    ("keystroke p95, ms", ("keystroke", "p95"), "{:.1f}"),
    ("keystroke p95, ms of processor", ("keystroke", "cpu_p95"), "{:.1f}"),
    ("keystroke worst, ms", ("keystroke", "max"), "{:.1f}"),
    ("whole words p95, ms", ("words", "p95"), "{:.1f}"),
    ("paste of 200 lines p95, ms", ("paste", "p95"), "{:.1f}"),
    ("paste p95, ms of processor", ("paste", "cpu_p95"), "{:.1f}"),
    ("hostile question, worst, ms", ("hostile", "max"), "{:.1f}"),
    ("hostile, worst, ms of processor", ("hostile", "cpu_max"), "{:.1f}"),
    ("10 changed pages found, ms", ("change", "p50"), "{:.0f}"),
    ("10 changed, ms of processor", ("change", "cpu_p50"), "{:.0f}"),
    ("cold open and first answer, ms", ("cold_ms",), "{:.0f}"),
    ("memory, MB", ("memory_mb",), "{:.0f}"),
    ("index on disk, MB", ("disk_mb",), "{:.0f}"),
    ("load of the machine", ("load",), "{:.1f}"),
)
LABEL_WIDTH = 34


def _value(row: Mapping[str, Any], keys: Sequence[str]) -> float | None:
    value: Any = row
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, int | float) else None


def _print_speeds(table: Mapping[int, Mapping[str, Mapping[str, Any]]]) -> None:
    for size, rows in table.items():
        print(f"\n{size:,} pages" + (" (in brackets: ratio to FTS5 of this run)" if "fts5" in rows else ""))
        print(f"{'':<{LABEL_WIDTH}}" + "".join(f"{name:>20}" for name in rows))
        for label, keys, form in ROWS:
            base = _value(rows.get("fts5", {}), keys)
            cells = []
            for row in rows.values():
                value = _value(row, keys)
                text = "-" if value is None else form.format(value)
                if value is not None and base and label != ROWS[-1][0]:
                    text += f" ({value / base:.2f})"
                cells.append(f"{text:>20}")
            print(f"{label:<{LABEL_WIDTH}}" + "".join(cells))
        if "start_ms" in rows.get("kb_app", {}):
            print(f"{'process start to first answer, ms':<{LABEL_WIDTH}}{rows['kb_app']['start_ms']:>20.0f}")


def _relevance(
    corpora: Path, archive: Path, engines: Sequence[str], folder: Path
) -> dict[str, dict[str, float]]:
    queries = SHARED / "relevance" / "queries.jsonl"
    heldout = folder / "heldout"
    heldout.mkdir()
    make_heldout(archive, heldout)
    scores = _scores("the judged queries", engines, corpora, queries)
    _scores(
        "queries made by rule (see bench/heldout.py)", engines, heldout / "pages", heldout / "queries.jsonl"
    )
    return scores


def _scores(what: str, engines: Sequence[str], corpora: Path, queries: Path) -> dict[str, dict[str, float]]:
    scores = {engine: _child("relevance", engine, str(corpora), str(queries)) for engine in engines}
    kinds = list(next(iter(scores.values())))
    print(f"\nnDCG@10 on {what}")
    print(f"{'':<10}" + "".join(f"{kind:>12}" for kind in kinds))
    for engine, row in scores.items():
        print(f"{engine:<10}" + "".join(f"{row[kind]:>12.3f}" for kind in kinds), flush=True)
    return scores


def _print_pastes(corpora: Path) -> None:
    """Print how often a paste made from a page finds that page (see `bench.pastes`)."""
    from kb_app.entries.knowledge_base import load_config
    from kb_app.search.background import english_words
    from kb_app.search.engine import IndexedBase, SearchEngine
    from kb_app.search.indexing import update_index
    from kb_app.search.model import SearchRequest, Verdict

    found: dict[str, list[bool]] = {model: [] for model in MODELS}
    refused: list[bool] = []
    times: list[float] = []
    words = sorted(w for w in english_words() if 3 <= len(w) <= 10)
    for root in sorted(p for p in corpora.iterdir() if p.is_dir()):
        with tempfile.TemporaryDirectory() as folder:
            config = load_config(root)
            update_index(root, root.name, Path(folder) / "index", config)
            engine = SearchEngine.open([IndexedBase(root.name, Path(folder) / "index", config)])
            for seed in range(2):
                for paste in pastes(read_corpus(root), seed):
                    answer = engine.search(SearchRequest(paste.text, limit=5))
                    found[paste.model].append(any(hit.path in paste.answers for hit in answer.hits))
                    times.append(answer.took_ms)
                for paste in nonsense(words, 100, seed):
                    refused.append(engine.search(SearchRequest(paste.text)).verdict is Verdict.NONE)
            engine.close()
    print("\npaste to fix: right entry in the first five, by how the text was made")
    for model, rows in found.items():
        print(f"{model:<14}{len(rows):>6}{100 * sum(rows) / len(rows):>8.1f} %")
    every = [row for rows in found.values() for row in rows]
    print(f"{'all':<14}{len(every):>6}{100 * sum(every) / len(every):>8.1f} %")
    print(
        f"{'text about nothing is told so':<30}{100 * sum(refused) / len(refused):>6.1f} % of {len(refused)}"
    )
    print(f"{'p95':<14}{quantile(times, 0.95):>8.1f} ms")


def _draw(
    table: Mapping[int, Mapping[str, Mapping[str, Any]]], scores: Mapping[str, Mapping[str, float]]
) -> None:
    folder = ROOT / "bench"
    for file, title, keys in (
        ("keystroke.svg", "A keystroke, p95, ms (less is better)", ("keystroke", "p95")),
        ("indexing.svg", "Indexing, pages a second (more is better)", ("index_pages_per_s",)),
        ("changes.svg", "Ten changed pages found, ms (less is better)", ("change", "p50")),
        ("memory.svg", "Memory of asking, MB (less is better)", ("memory_mb",)),
    ):
        names = dict.fromkeys(name for rows in table.values() for name in rows)
        lines = {
            name: [
                (float(size), value)
                for size, rows in table.items()
                if (value := _value(rows.get(name, {}), keys)) is not None
            ]
            for name in names
        }
        (folder / file).write_text(line_chart(title, lines), encoding="utf-8")
    if scores:
        kinds = next(iter(scores.values()))
        by_kind = {kind: {name: row[kind] for name, row in scores.items()} for kind in kinds}
        chart = bar_chart("nDCG@10 on the judged queries (more is better)", by_kind, form="{:.2f}")
        (folder / "relevance.svg").write_text(chart, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
