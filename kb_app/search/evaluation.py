"""Judged queries: how well the ranking does, for this project and for owners of a knowledge base.

Measures (Järvelin and Kekäläinen 2002 for nDCG): gain 2^grade - 1 with a logarithmic discount, against the
ideal order of the judged pages; pages that were not judged count as not relevant.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from kb_app.errors import EnvironmentFault, UsageError
from kb_app.search.model import SearchAnswer, SearchRequest

MEASURES = ("nDCG@10", "MRR@10", "Recall@5", "success@1", "success@3")
DEPTH = 20
RELEVANT = 2
"""Grade from which a page answers the question; 3 is the best."""


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and the pages that answer it.

    Attributes:
        id: unique in its file.
        query: what is asked.
        kind: how figures are grouped.
        relevant: path to grade, 1 to 3.
        corpus: the knowledge base it is asked of; empty means all.
    """

    id: str
    query: str
    kind: str
    relevant: Mapping[str, int]
    corpus: str = ""


@dataclass(frozen=True, slots=True)
class RankedRow:
    """What one query returned: paths best first, and the time it took."""

    id: str
    ranked: tuple[str, ...]
    took_ms: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of a run.

    Attributes:
        rows: one per query, in the order of the file.
        figures: kind (and ``overall``, last) to ``n`` and the mean of every measure.
    """

    rows: tuple[RankedRow, ...]
    figures: Mapping[str, Mapping[str, float]]


def read_queries(path: Path) -> tuple[JudgedQuery, ...]:
    """Read judged queries, one JSON object a line.

    Raises:
        EnvironmentFault: when the file cannot be read.
        UsageError: when a line is not a judged query.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"{path} cannot be read", "Check the path of the judged queries") from error
    queries = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            plain = json.loads(line)
            relevant = {str(row["path"]): int(row["grade"]) for row in plain["relevant"]}
            queries.append(
                JudgedQuery(
                    str(plain["id"]),
                    str(plain["query"]),
                    str(plain.get("kind", "other")),
                    relevant,
                    str(plain.get("corpus", "")),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{path.name}, line {number} is not a judged query",
                'Write {"id", "query", "kind", "relevant": [{"path", "grade"}]} on each line',
            ) from error
    return tuple(queries)


def score_ranking(relevant: Mapping[str, int], ranked: Iterable[str]) -> dict[str, float]:
    """Return every measure for one ranking (paths, best first); repeats and ``#fragments`` are folded."""
    pages = list(dict.fromkeys(path.split("#", 1)[0] for path in ranked))
    gain = sum((2 ** relevant.get(p, 0) - 1) / math.log2(i + 2) for i, p in enumerate(pages[:10]))
    best = sorted(relevant.values(), reverse=True)[:10]
    ideal = sum((2**grade - 1) / math.log2(i + 2) for i, grade in enumerate(best))
    good = {path for path, grade in relevant.items() if grade >= RELEVANT}
    top = [relevant.get(path, 0) == RELEVANT + 1 for path in pages[:3]]
    return {
        "nDCG@10": gain / ideal if ideal else 0.0,
        "MRR@10": next((1 / (i + 1) for i, p in enumerate(pages[:10]) if p in good), 0.0),
        "Recall@5": len(good.intersection(pages[:5])) / min(5, len(good)) if good else 0.0,
        "success@1": float(bool(top[:1] and top[0])),
        "success@3": float(any(top)),
    }


def summarise(
    queries: Sequence[JudgedQuery], rankings: Mapping[str, Sequence[str]], group: Callable[[JudgedQuery], str]
) -> dict[str, dict[str, float]]:
    """Return group to ``n`` and mean measures, groups in order of name, ``overall`` last."""
    groups: dict[str, list[dict[str, float]]] = {}
    for query in queries:
        scores = score_ranking(query.relevant, rankings.get(query.id, ()))
        groups.setdefault(group(query), []).append(scores)
    ordered = {name: groups[name] for name in sorted(groups)}
    if queries:
        ordered["overall"] = [scores for rows in groups.values() for scores in rows]
    return {
        name: {"n": float(len(rows)), **{m: sum(row[m] for row in rows) / len(rows) for m in MEASURES}}
        for name, rows in ordered.items()
    }


class Engine(Protocol):
    """What is asked."""

    def search(self, request: SearchRequest) -> SearchAnswer:
        """Answer one question."""

    def close(self) -> None:
        """Let go of files."""


Base = TypeVar("Base")


def evaluate(
    queries: Sequence[JudgedQuery],
    bases_by_corpus: Mapping[str, Sequence[Base]],
    all_bases: Sequence[Base],
    *,
    open_engine: Callable[[Sequence[Base]], Engine],
    group: Callable[[JudgedQuery], str] | None = None,
) -> Evaluation:
    """Ask every query of the knowledge base it names (else of all), and score the answers.

    Raises:
        UsageError: when a query names a knowledge base that is not open.
    """
    engines: dict[str, Engine] = {}
    rows: list[RankedRow] = []
    try:
        for query in queries:
            if query.corpus and query.corpus not in bases_by_corpus:
                raise UsageError(
                    f"Query {query.id} asks knowledge base {query.corpus!r}, which is not open",
                    "Open it with --kb PATH (repeat the option for several)",
                )
            if query.corpus not in engines:
                chosen = bases_by_corpus[query.corpus] if query.corpus else all_bases
                engines[query.corpus] = open_engine(chosen)
            answer = engines[query.corpus].search(SearchRequest(query.query, limit=DEPTH))
            rows.append(RankedRow(query.id, tuple(hit.path for hit in answer.hits), answer.took_ms))
    finally:
        for engine in engines.values():
            engine.close()
    rankings = {row.id: row.ranked for row in rows}
    return Evaluation(tuple(rows), summarise(queries, rankings, group or (lambda query: query.kind)))
