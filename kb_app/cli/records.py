"""``kb incident``, ``kb verify``, ``kb report``: records of incidents, their check, conformance."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from kb_app.cli.context import Context
from kb_app.cli.incident_verbs import READERS, WRITERS, add_arguments, correction
from kb_app.entries.model import Audience, Severity
from kb_app.errors import EnvironmentFault, ExitCode, KbError, UsageError
from kb_app.incidents.book import EXPORTS, Receipt, RecordBook
from kb_app.incidents.conformance import period_of
from kb_app.incidents.duties import Owed
from kb_app.incidents.events import EventType, format_time
from kb_app.incidents.folders import RECORDS_FOLDER, find_record
from kb_app.incidents.markup import Form
from kb_app.incidents.report import FORMATS, render
from kb_app.incidents.timeline import IncidentState
from kb_app.incidents.verify import RecordFinding, verify_record, verify_tree
from kb_app.workspace.confirming import Confirmations
from kb_app.workspace.knowledge_reports import (
    KNOWLEDGE_REPORTS,
    coverage,
    gaps,
    health,
    read_base,
    read_rules,
    render_knowledge,
)
from kb_app.workspace.proving import Question, prove
from kb_app.workspace.record_checks import HistoryCheck, RecordsPlace, check_history, own_place, place_of
from kb_app.workspace.record_store import copy_records, exchange_records, is_news, records_root
from kb_app.workspace.records import Commits, device_name, open_book
from kb_app.workspace.sharing import is_address


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    verb = add(
        "incident",
        incident,
        "Keep the record of an incident: open, add, show, review, correct, close, export, sync.",
    )
    _records_options(verb)
    verb.add_argument("--by", default="", metavar="WHO", help="who writes (default: the settings' author)")
    verb.add_argument("do", choices=(*_DOERS, *READERS, *WRITERS), help="what to do")
    verb.add_argument(
        "record", nargs="?", default="", help="record: its name, its beginning or last four digits"
    )
    verb.add_argument("--type", choices=[*EventType], help="add: what happened")
    verb.add_argument("--data", default="{}", metavar="JSON", help="open, add, correct: what to write down")
    verb.add_argument("--change", default="", help="review, case: the change")
    verb.add_argument("--verdict", default="pass", help="review: pass, pass-with-followup or revert")
    verb.add_argument("--note", default="", help="the text of a note, a ticket's id, or why, in one line")
    verb.add_argument("--what", choices=EXPORTS, default="timeline", help="export: which text")
    verb.add_argument("--form", choices=[*Form], default=Form.MARKDOWN, help="export: how it is written")
    verb.add_argument(
        "--reader", choices=[*Audience], default=Audience.PUBLIC, help="export customer: who reads it"
    )
    add_arguments(verb)
    verb = add(
        "verify", verify, "Check records for edits, removals, reordering and cut tails (tamper-evident)."
    )
    _records_options(verb)
    verb.add_argument("record", nargs="?", default="", help="one record (default: all)")
    verb = add("report", report, "Show conformance, or what the knowledge base lacks.")
    _records_options(verb)
    verb.add_argument("name", choices=("conformance", *KNOWLEDGE_REPORTS))
    verb.add_argument(
        "--period", default="", help="2025, 2025-Q2, 2025-06 or 2025-01..2025-06 (default: this year)"
    )
    verb.add_argument("--form", choices=FORMATS, default=None, help="how it is written")
    verb.add_argument(
        "--rules", type=Path, action="append", default=[], metavar="PATH", help="gaps, coverage: alert rules"
    )
    verb.add_argument("--seed", default="1", help="of the random sample")
    verb.add_argument("--sample", type=int, default=25, metavar="N", help="size of the random sample")
    verb.add_argument(
        "--deploys",
        type=Path,
        metavar="CSV|CLONE",
        help="everything that was deployed, to reconcile with: a list, or the clone whose log stands for one",
    )
    verb.add_argument(
        "--as-of", default="", metavar="DAY", help="what was known at the end of that day (YYYY-MM-DD)"
    )


def _records_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--records", metavar="FOLDER|URL", help="folder that holds incidents/, or its remote (default: yours)"
    )


def _book(context: Context) -> RecordBook:
    root = Path(context.options.records) if context.options.records is not None else None
    if root is not None and not root.is_dir():
        raise EnvironmentFault(f"The folder {root} is not there", "Give the folder that holds incidents/")
    author = getattr(context.options, "by", "")
    return open_book(context.folders, root=root, author=author, commits=Commits.AT_ONCE)


def incident(context: Context) -> int:
    """Do one thing with a record."""
    do, book = context.options.do, _book(context)
    if do in READERS:
        return READERS[do](context, book, _record(context))
    if do in WRITERS:
        return _receive(context, WRITERS[do](context, book, _record(context)).receipts[-1])
    return _DOERS[do](context, book)


def _list(context: Context, book: RecordBook) -> int:
    states = book.states()
    if context.wants_json:
        context.give([_summary(state) for state in states])
    for state in () if context.wants_json else states:
        context.say(f"{state.id:<56} {state.status:<10} {state.title}")
    return ExitCode.DONE if states else ExitCode.FINDINGS


def _summary(state: IncidentState) -> dict[str, object]:
    opened = format_time(state.opened_at) if state.opened_at else ""
    return {"id": state.id, "title": state.title, "status": state.status, "opened": opened}


def _open(context: Context, book: RecordBook) -> int:
    return _receive(context, book.open(_data(context)))


def _add(context: Context, book: RecordBook) -> int:
    if context.options.type is None:
        raise UsageError("What happened is missing", f"Give --type, one of {', '.join(EventType)}")
    return _receive(context, book.add(_record(context), EventType(context.options.type), _data(context)))


def _review(context: Context, book: RecordBook) -> int:
    options = context.options
    return _receive(
        context, book.review(_record(context), options.change, options.verdict, note=options.note)
    )


def _correct(context: Context, book: RecordBook) -> int:
    return _receive(context, correction(context, book, _record(context), _data(context)).receipts[-1])


def _close(context: Context, book: RecordBook) -> int:
    return _receive(context, book.close(_record(context), reason=context.options.note))


def _export(context: Context, book: RecordBook) -> int:
    options = context.options
    text = book.export(_record(context), options.what, Form(options.form), reader=Audience(options.reader))
    if context.wants_json:
        context.give({"text": text})
    else:
        context.out.write(text if text.endswith("\n") else text + "\n")
    return ExitCode.DONE


def _owed(context: Context, book: RecordBook) -> int:
    owed = book.owed()
    if context.wants_json:
        context.give([_owed_row(item) for item in owed])
    for item in () if context.wants_json else owed:
        due = format_time(item.due) if item.due else "before closing"
        context.say(f"{due:<20} {item.owner or 'nobody':<20} {item.text}")
    return ExitCode.DONE


def _owed_row(item: Owed) -> dict[str, object]:
    due = format_time(item.due) if item.due else None
    return {
        "incident": item.incident_id,
        "kind": item.kind.value,
        "text": item.text,
        "owner": item.owner,
        "due": due,
    }


def _sync(context: Context, _book: RecordBook) -> int:
    """Exchange the user's own records with the configured remote."""
    settings = context.settings()
    done = exchange_records(context.folders, settings, device_name(context.folders, settings))
    if context.wants_json:
        context.give(
            {"ok": done.is_ok, "sentence": done.sentence, "received": done.received, "sent": done.is_sent}
        )
    else:
        context.say(f"{done.sentence}. {done.hint}".strip().rstrip(".") + ".")
    if not done.is_ok:
        return ExitCode.ENVIRONMENT
    return ExitCode.FINDINGS if done.parted else ExitCode.DONE


_DOERS: Mapping[str, Callable[[Context, RecordBook], int]] = {
    "list": _list,
    "open": _open,
    "add": _add,
    "review": _review,
    "correct": _correct,
    "close": _close,
    "export": _export,
    "owed": _owed,
    "sync": _sync,
}


def _record(context: Context) -> str:
    if not context.options.record:
        raise UsageError("The record's name is missing", "kb incident list shows the names")
    return str(context.options.record)


def _data(context: Context) -> dict[str, object]:
    text = context.options.data if context.options.data != "-" else context.source.read()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"The data is not JSON: {error}", 'Write an object, for example {"title": "…"}'
        ) from error
    if not isinstance(data, dict):
        raise UsageError("The data is not a JSON object", 'Write for example {"title": "…"}')
    return data


def _receive(context: Context, receipt: Receipt) -> int:
    if is_news(context.folders, receipt.problem):
        context.warn(f"The record is kept, but not committed: {receipt.problem}")
    event = receipt.event
    if context.wants_json:
        context.give({"record": receipt.place.id, "seq": event.seq, "type": event.type, "hash": event.hash})
    else:
        context.say(f"{receipt.place.id}: {event.type}, event {event.seq} of {event.dev}")
    return ExitCode.DONE


def verify(context: Context) -> int:
    """Check records and their history; exit code 1 when a chain is broken or something was found."""
    place = _place(context)
    only = context.options.record
    checked = {name: list(found) for name, found in _checked(place, only).items()}
    history = check_history(context.folders, place)
    for name, found in history.findings.items():
        if not only or name in checked:
            checked.setdefault(name, []).extend(found)
    rows = [
        {
            "record": name,
            "code": finding.code,
            "severity": finding.severity.value,
            "file": finding.file,
            "line": finding.line,
            "byte": finding.byte,
            "message": finding.message,
        }
        for name, findings in checked.items()
        for finding in findings
    ]
    count = sum(name.startswith(f"{RECORDS_FOLDER}/") for name in checked)  # not the list of keys
    if context.wants_json:
        told = {"commit": history.commit, "commits": history.commits, "signing": history.is_signing}
        told["problem"] = history.problem
        context.give({"records": count, "findings": rows, "history": told})
    else:
        for row in rows:
            where = f"line {row['line']}, byte {row['byte']}" if row["line"] else "the file"
            context.say(
                f"{row['record']}/{row['file']}: {where}: {row['severity']} {row['code']}: {row['message']}"
            )
        context.say(f"{count} records checked, {len(rows)} findings")
        context.say(_history_line(history))
    failing = any(row["severity"] != Severity.INFO.value for row in rows)
    return ExitCode.FINDINGS if failing else ExitCode.DONE


def _checked(place: RecordsPlace, only: str) -> dict[str, tuple[RecordFinding, ...]]:
    if not only:
        return verify_tree(place.root)
    record = find_record(place.root, only)
    return {record.folder.relative_to(place.root).as_posix(): verify_record(record.folder)}


def _history_line(history: HistoryCheck) -> str:
    if history.problem:
        return f"History: not compared ({history.problem})"
    signing = "signatures checked" if history.is_signing else "signing is not configured"
    return f"History: compared with {history.commits} commits up to {history.commit[:12]}; {signing}"


def _place(context: Context) -> RecordsPlace:
    """Return where the records lie that ``--records`` names; an address is copied first."""
    given = context.options.records
    if given is None:
        return own_place(context.folders, context.settings())
    if is_address(given):
        return place_of(copy_records(context.folders, given))
    folder = Path(given)
    if not folder.is_dir():
        raise EnvironmentFault(f"The folder {folder} is not there", "Give the folder that holds incidents/")
    if folder.absolute() == records_root(context.folders, context.settings()).absolute():
        return own_place(context.folders, context.settings())
    try:
        return place_of(folder)
    except EnvironmentFault:
        return RecordsPlace(folder, folder.name)


def report(context: Context) -> int:
    """Print a report; the same records, period and seed give the same bytes."""
    if context.options.name != "conformance":
        return knowledge_report(context)
    options = context.options
    now = dt.datetime.now(dt.UTC)
    begin, end = period_of(options.period or str(now.year))
    as_of = period_of(options.as_of)[1] if options.as_of else None
    if options.deploys is not None and not options.deploys.exists():
        raise EnvironmentFault(f"{options.deploys} is not there", "Check the path of the list of deploys")
    question = Question(begin, end, as_of, options.seed, options.sample, options.deploys)
    proof = prove(context.folders, _place(context), question, bases=_bases(context), now=now)
    for finding in proof.list_findings:
        context.warn(f"{finding.path}:{finding.line}: {finding.message} {finding.fix}".rstrip())
    context.out.write(render(proof.report, "json" if context.wants_json else options.form or "markdown"))
    return ExitCode.DONE


def knowledge_report(context: Context) -> int:
    """Print what the open knowledge bases lack."""
    options = context.options
    rules = read_rules(options.rules)
    bases = [read_base(base) for base in context.workspace().bases]
    states = _book(context).states()
    if options.name == "gaps":
        made = gaps(bases, states, rules)
    elif options.name == "coverage":
        made = coverage(bases, rules)
    else:
        today = period_of(options.as_of)[0] if options.as_of else dt.datetime.now(dt.UTC)
        known = Confirmations(context.folders)
        sources = {base.name: known.sources(base.root, states) for base in context.workspace().bases}
        made = health(bases, states, today.date(), sources)
    context.out.write(render_knowledge(made, "json" if context.wants_json else options.form or "text"))
    return ExitCode.DONE


def _bases(context: Context) -> tuple[Path, ...]:
    """Return the knowledge bases whose policies count; one that cannot be opened gives none."""
    try:
        return tuple(base.root for base in context.workspace().bases)
    except KbError:
        return ()
