"""``kb search``, ``kb index``, ``kb eval``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from kb_app.cli.context import Context
from kb_app.entries.model import Kind
from kb_app.errors import ExitCode, UsageError
from kb_app.plain import to_plain
from kb_app.search.evaluation import Evaluation, evaluate, read_queries
from kb_app.search.model import IndexProgress, IndexReport, SearchAnswer, SearchHit, SearchRequest
from kb_app.workspace.bases import OpenBase, Workspace
from kb_app.workspace.finding import bring_up_to_date, open_engine, with_copies_first

MAX_LIMIT = 200


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    verb = add(
        "search", search, "Find entries by words, by an alert's name, or by a paste on standard input."
    )
    verb.add_argument(
        "words", nargs="*", metavar="WORDS", help="none or '-': read a paste from standard input"
    )
    verb.add_argument("--limit", type=_limit, default=10, metavar="N", help=f"hits, 1 to {MAX_LIMIT}")
    verb.add_argument(
        "--kind", action="append", choices=[*Kind], default=[], help="only this kind, repeatable"
    )
    verb.add_argument(
        "--explain",
        action="store_true",
        help="say what was asked in words, and in detail why each hit was found",
    )
    verb = add("index", index, "Bring the index up to date.")
    verb.add_argument("--rebuild", action="store_true", help="make it anew")
    verb = add("eval", evaluate_queries, "Score judged queries against the ranking.")
    verb.add_argument("queries", type=Path, metavar="QUERIES.jsonl")
    verb.add_argument(
        "--run", type=Path, metavar="OUT.jsonl", help="write the ranking and time of each query"
    )


def _limit(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if not 1 <= number <= MAX_LIMIT:
        raise argparse.ArgumentTypeError(f"a limit is a number from 1 to {MAX_LIMIT}, not {text!r}")
    return number


def search(context: Context) -> int:
    """Search all open knowledge bases and print the hits."""
    options = context.options
    text = " ".join(options.words) if options.words not in ([], ["-"]) else context.pasted()
    if not text.strip():
        raise UsageError("There is nothing to search for", "Give words, or a log on standard input")
    workspace = context.workspace()
    _update_all(context, workspace)
    engine = open_engine(workspace.bases)
    try:
        filters = {"kind": tuple(str(k) for k in options.kind)} if options.kind else {}
        answer = engine.search(
            SearchRequest(text, limit=options.limit, filters=filters, explain=options.explain)
        )
        answer = with_copies_first(workspace, answer)
    finally:
        engine.close()
    if context.wants_json:
        context.give(answer)
    else:
        _print_answer(context, answer)
    return ExitCode.DONE if answer.hits else ExitCode.FINDINGS


def _print_answer(context: Context, answer: SearchAnswer) -> None:
    for problem in answer.problems:
        context.warn(problem)
    if context.options.explain:
        for sentence in filter(None, (answer.explanation, *answer.notes)):
            context.say(sentence)
    headline = {"match": "", "weak": "Only weak matches.", "none": "No known fix matches this."}[
        answer.verdict
    ]
    if headline:
        context.say(headline)
    if answer.suggestion:
        context.say(f"Did you mean: {answer.suggestion}")
    for number, hit in enumerate(answer.hits, 1):
        _print_hit(context, number, hit)
    context.say(f"{answer.total} found in {answer.took_ms:.0f} ms")


def _print_hit(context: Context, number: int, hit: SearchHit) -> None:
    about = " · ".join(part for part in (hit.kind, hit.product, hit.component, hit.state, *hit.has) if part)
    context.say(f"{number:>2}. {hit.title}")
    context.say(f"    {about}")
    context.say(f"    {hit.path}" + (f":{hit.line}" if hit.line else ""))
    if hit.snippet:
        context.say(f"    {' '.join(hit.snippet.split())}")
    for reason in hit.why if context.options.explain else ():
        context.say(f"    - {reason}")


def _update_all(context: Context, workspace: Workspace) -> None:
    for base in workspace.bases:
        _update(context, base)


def _update(context: Context, base: OpenBase, *, rebuild: bool = False) -> IndexReport:
    def show(progress: IndexProgress) -> None:
        share = 100 * progress.done // max(1, progress.total)
        context.progress(f"{base.name}: {progress.phase} {share} % ({progress.done} of {progress.total})")

    report = bring_up_to_date(base, on_progress=show, rebuild=rebuild)
    context.end_progress()
    if report.is_rebuilt and report.reason:
        context.warn(f"{base.name}: the index was made anew: {report.reason}")
    return report


def index(context: Context) -> int:
    """Bring every open knowledge base's index up to date and report."""
    workspace = context.workspace()
    reports = [(b, _update(context, b, rebuild=context.options.rebuild)) for b in workspace.bases]
    if context.wants_json:
        pages = sum(r.pages for _, r in reports)
        seconds = sum(r.seconds for _, r in reports)
        worked = sum(r.added + r.changed for _, r in reports)
        skipped = [{"knowledge_base": b.name, **to_plain(s)} for b, r in reports for s in r.skipped]
        context.give(
            {
                "pages": pages,
                "seconds": seconds,
                "pages_per_s": worked / seconds if worked and seconds else 0.0,
                "skipped": skipped,
                "bases": [{"name": b.name, **to_plain(r)} for b, r in reports],
            }
        )
        return ExitCode.DONE
    for base, report in reports:
        context.say(
            f"{base.name}: {report.pages} pages; {report.added} new, {report.changed} changed, "
            f"{report.removed} removed in {report.seconds:.2f} s ({report.pages_per_s:.0f} pages/s)"
        )
        for skipped_file in report.skipped:
            context.say(f"  left out {skipped_file.path}: {skipped_file.reason}")
    return ExitCode.DONE


def evaluate_queries(context: Context) -> int:
    """Score judged queries and print the figures by kind."""
    queries = read_queries(context.options.queries)
    workspace = context.workspace()
    _update_all(context, workspace)
    result = evaluate(
        queries, {b.name: [b] for b in workspace.bases}, workspace.bases, open_engine=open_engine
    )
    if context.options.run:
        lines = (json.dumps(to_plain(row), ensure_ascii=False) for row in result.rows)
        context.options.run.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if context.wants_json:
        context.give(result.figures)
    else:
        _print_figures(context, result)
    return ExitCode.DONE


def _print_figures(context: Context, result: Evaluation) -> None:
    measures = ("nDCG@10", "MRR@10", "Recall@5", "success@1")
    context.say(f"{'kind':<12} {'n':>5} " + " ".join(f"{m:>10}" for m in measures))
    for kind, row in result.figures.items():
        context.say(f"{kind:<12} {row['n']:>5.0f} " + " ".join(f"{row[m]:>10.3f}" for m in measures))
