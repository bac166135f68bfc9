"""What each ingredient of the ranking brings, and how it does on knowledge bases it was not set on.

    python -m bench.ablation [--heldout] [--leave-one-out]

Every row takes one ingredient away and scores the judged queries again: by kind, then by knowledge base;
``--heldout`` adds the queries made by rule (`bench.heldout`). Leave-one-out chooses the most sensitive
settings on all knowledge bases but one and scores that one with them, for each in turn: the figure to
believe. Differences below .010 over all and .03 within a kind are noise.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.heldout import ARCHIVE, make
from kb_app.entries.knowledge_base import load_config
from kb_app.search import concepts, engine, masking, ranking, scoring
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.evaluation import JudgedQuery, evaluate, read_queries, summarise
from kb_app.search.indexing import update_index
from kb_app.search.spelling import Correction

SHARED = Path(__file__).resolve().parents[2] / "shared"
Setting = tuple[ModuleType, str, Any]


def _no_corrections(*_arguments: object, **_options: object) -> list[Correction]:
    return []


ROWS: dict[str, tuple[Setting, ...]] = {
    "everything": (),
    "without field weights": ((scoring, "WEIGHTS", dict.fromkeys(scoring.WEIGHTS, 1.0)),),
    "without stems": ((concepts, "STEM_FACTOR", 1e-6),),
    "without synonyms": ((concepts, "SYNONYM_FACTOR", 1e-9),),
    "without corrections": (
        (concepts, "corrections", _no_corrections),
        (concepts, "split_in_two", lambda *_arguments: None),
    ),
    "without whole tokens": ((concepts, "WHOLE_WEIGHT", 1e-9),),
    "without words joined": ((concepts, "JOINED_WEIGHT", 1e-6),),
    "with function words": ((concepts, "FUNCTION_WORDS", frozenset[str]()),),
    "without length norms": ((scoring, "LENGTH_EFFECT", dict.fromkeys(scoring.LENGTH_EFFECT, 0.0)),),
    "without masking": ((masking, "mask", lambda text: text),),
    "without passages": ((ranking, "PASSAGE_EFFECT", 0.0),),
    "without neighbours": ((ranking, "PAIR_EFFECT", 0.0),),
    "without titles": ((ranking, "TITLE_EFFECT", 0.0),),
    "without headings": ((ranking, "HEADING_EFFECT", 0.0),),
    "without demotions": (
        (ranking, "STUB_FACTOR", 1.0),
        (ranking, "RETIRED_FACTOR", 1.0),
        (ranking, "ASIDE_FACTOR", 1.0),
    ),
    "without alert names": ((engine, "NAME_BOOST", 0.0), (engine, "TOKEN_BOOST", 0.0)),
    "without paste reading": ((engine, "is_paste", lambda _text: False),),
    "first look only": ((engine, "TIME_LIMIT_S", -1.0),),
}
GRID: tuple[tuple[ModuleType, str, tuple[float, ...]], ...] = (
    (scoring, "K1", (4.0, 6.0, 8.0)),
    (ranking, "TITLE_EFFECT", (0.7, 1.4)),
    (ranking, "PASSAGE_EFFECT", (0.7, 1.2)),
    (ranking, "PAIR_EFFECT", (0.45, 0.9)),
)


@contextmanager
def _set(settings: Sequence[Setting]) -> Iterator[None]:
    before = [(module, name, getattr(module, name)) for module, name, _ in settings]
    for module, name, value in settings:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def _rankings(queries: Sequence[JudgedQuery], bases: dict[str, IndexedBase]) -> dict[str, tuple[str, ...]]:
    chosen = {name: [base] for name, base in bases.items()}
    result = evaluate(queries, chosen, list(bases.values()), open_engine=SearchEngine.open)
    return {row.id: row.ranked for row in result.rows}


def _print_table(
    what: str,
    queries: Sequence[JudgedQuery],
    runs: dict[str, dict[str, tuple[str, ...]]],
    group: Callable[[JudgedQuery], str],
) -> None:
    names = sorted({group(query) for query in queries})
    print(f"\nnDCG@10 {what}\n{'':<24}" + "".join(f"{name[-11:]:>12}" for name in ["all", *names]))
    for label, rankings in runs.items():
        figures = summarise(queries, rankings, group)
        print(
            f"{label:<24}" + "".join(f"{figures[n]['nDCG@10']:>12.3f}" for n in ["overall", *names]),
            flush=True,
        )


def _leave_one_out(queries: Sequence[JudgedQuery], bases: dict[str, IndexedBase]) -> None:
    runs = {}
    for values in itertools.product(*(choices for _, _, choices in GRID)):
        settings = [(module, name, value) for (module, name, _), value in zip(GRID, values, strict=True)]
        with _set(settings):
            runs[values] = _rankings(queries, bases)
    print("\nset on all other knowledge bases, scored on this one")
    total = 0.0
    for name in bases:
        others = [query for query in queries if query.corpus != name]
        mine = [query for query in queries if query.corpus == name]
        best = max(runs, key=lambda v: summarise(others, runs[v], _all)["overall"]["nDCG@10"])
        figure = summarise(mine, runs[best], _all)["overall"]["nDCG@10"]
        total += figure * len(mine)
        print(f"{name:<32}{figure:>8.3f}   {dict(zip((n for _, n, _ in GRID), best, strict=True))}")
    print(f"{'all':<32}{total / len(queries):>8.3f}")


def _all(_query: JudgedQuery) -> str:
    return "all"


def _bases(corpora: Path, folder: Path) -> dict[str, IndexedBase]:
    bases: dict[str, IndexedBase] = {}
    for root in sorted(p for p in corpora.iterdir() if p.is_dir()):
        config = load_config(root)
        bases[root.name] = IndexedBase(root.name, folder / root.name, config)
        update_index(root, root.name, folder / root.name, config, processes=2)
    return bases


def _ablate(what: str, queries: Sequence[JudgedQuery], bases: dict[str, IndexedBase]) -> None:
    runs = {}
    for label, settings in ROWS.items():
        with _set(settings):
            runs[label] = _rankings(queries, bases)
    _print_table(f"on {what}, by kind", queries, runs, lambda query: query.kind)
    _print_table(f"on {what}, by knowledge base", queries, runs, lambda query: query.corpus)
    if "--leave-one-out" in sys.argv[1:]:
        _leave_one_out(queries, bases)


def main() -> int:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        queries = read_queries(SHARED / "relevance" / "queries.jsonl")
        _ablate("the judged queries", queries, _bases(SHARED / "corpora", folder / "judged"))
        if "--heldout" in sys.argv[1:]:
            (folder / "made").mkdir()
            make(ARCHIVE, folder / "made")
            queries = read_queries(folder / "made" / "queries.jsonl")
            _ablate("the queries made by rule", queries, _bases(folder / "made" / "pages", folder / "rule"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
