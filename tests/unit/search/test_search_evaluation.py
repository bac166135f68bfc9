import json
from pathlib import Path

import pytest

from kb_app.errors import EnvironmentFault, UsageError
from kb_app.search.evaluation import MEASURES, evaluate, read_queries, score_ranking, summarise
from kb_app.search.model import Mode, SearchAnswer, SearchHit, SearchRequest, Verdict

DATA = Path(__file__).parents[2] / "data" / "search"


def test_figures_equal_those_of_the_reference_scorer() -> None:
    """``expected.json`` was printed by the scorer that came with the judged queries."""
    queries = read_queries(DATA / "judged.jsonl")
    lines = (DATA / "run.jsonl").read_text().splitlines()
    rankings = {row["id"]: row["ranked"] for row in map(json.loads, lines)}
    expected = json.loads((DATA / "expected.json").read_text())
    figures = summarise(queries, rankings, lambda query: query.kind)
    assert figures.keys() == expected.keys()
    for kind, row in expected.items():
        assert figures[kind]["n"] == row["n"]
        for measure in MEASURES:
            assert figures[kind][measure] == pytest.approx(row[measure])


def test_a_perfect_ranking_scores_one() -> None:
    scores = score_ranking({"a.md": 3, "b.md": 2, "c.md": 1}, ["a.md", "b.md", "c.md"])
    assert set(scores.values()) == {1.0}


def test_an_empty_ranking_scores_nothing() -> None:
    assert set(score_ranking({"a.md": 3}, []).values()) == {0.0}


class OneAnswer:
    """An engine that always answers the same."""

    def search(self, request: SearchRequest) -> SearchAnswer:
        hit = SearchHit("a", "a.md", "A", "note", "", "", "verified", 1.0)
        return SearchAnswer(request.text, Mode.WORDS, Verdict.MATCH, 1.0, 1, (hit,))

    def close(self) -> None:
        pass


def test_each_query_asks_the_knowledge_base_it_names(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    rows = [
        {"id": "1", "query": "x", "kind": "k", "corpus": "one", "relevant": [{"path": "a.md", "grade": 3}]},
        {"id": "2", "query": "x", "relevant": [{"path": "b.md", "grade": 3}]},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    opened: list[tuple[str, ...]] = []

    def open_engine(bases: "list[str] | tuple[str, ...]") -> OneAnswer:
        opened.append(tuple(bases))
        return OneAnswer()

    result = evaluate(read_queries(file), {"one": ["one"]}, ["one", "two"], open_engine=open_engine)
    assert opened == [("one",), ("one", "two")]
    assert result.figures["k"]["nDCG@10"] == 1.0
    assert result.figures["other"]["nDCG@10"] == 0.0
    assert result.figures["overall"]["n"] == 2


def test_a_query_for_an_unknown_knowledge_base_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('{"id": "1", "query": "x", "corpus": "lost", "relevant": []}')
    with pytest.raises(UsageError, match="lost"):
        evaluate(read_queries(file), {}, [], open_engine=lambda _bases: OneAnswer())


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text('\n{"id": 1}\n')
    with pytest.raises(UsageError, match="line 2"):
        read_queries(file)


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault):
        read_queries(tmp_path / "none.jsonl")
