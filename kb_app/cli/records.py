"""``kb incident``, ``kb verify``, ``kb report``: records of incidents, their check, conformance."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from kb_app.cli.context import Context
from kb_app.entries.model import Audience, Severity
from kb_app.errors import EnvironmentFault, ExitCode, UsageError
from kb_app.incidents.book import EXPORTS, Receipt, RecordBook
from kb_app.incidents.conformance import Scope, conformance, period_of
from kb_app.incidents.deploy_list import read_deploy_list
from kb_app.incidents.duties import Owed
from kb_app.incidents.events import EventType, format_time
from kb_app.incidents.markup import Form
from kb_app.incidents.report import FORMATS, render
from kb_app.incidents.timeline import IncidentState
from kb_app.workspace.records import Commits, open_book


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    verb = add("incident", incident, "Keep the record of an incident: open, add, review, close, export.")
    _records_options(verb)
    verb.add_argument("--by", default="", metavar="WHO", help="who writes (default: the settings' author)")
    verb.add_argument("do", choices=(*_DOERS,), help="what to do")
    verb.add_argument(
        "record", nargs="?", default="", help="record: its name, its beginning or last four digits"
    )
    verb.add_argument("--type", choices=[*EventType], help="add: what happened")
    verb.add_argument("--data", default="{}", metavar="JSON", help="open, add: what to write down")
    verb.add_argument("--change", default="", help="review: the change")
    verb.add_argument("--verdict", default="pass", help="review: pass, pass-with-followup or revert")
    verb.add_argument("--note", default="", help="review, close: one line")
    verb.add_argument("--what", choices=EXPORTS, default="timeline", help="export: which text")
    verb.add_argument("--form", choices=[*Form], default=Form.MARKDOWN, help="export: how it is written")
    verb.add_argument(
        "--reader", choices=[*Audience], default=Audience.PUBLIC, help="export customer: who reads it"
    )
    verb = add(
        "verify", verify, "Check records for edits, removals, reordering and cut tails (tamper-evident)."
    )
    _records_options(verb)
    verb.add_argument("record", nargs="?", default="", help="one record (default: all)")
    verb = add("report", report, "Show conformance of emergency changes to the policy.")
    _records_options(verb)
    verb.add_argument("name", choices=("conformance",))
    verb.add_argument(
        "--period", default="", help="2025, 2025-Q2, 2025-06 or 2025-01..2025-06 (default: this year)"
    )
    verb.add_argument("--form", choices=FORMATS, default="markdown")
    verb.add_argument("--seed", default="1", help="of the random sample")
    verb.add_argument("--sample", type=int, default=25, metavar="N", help="size of the random sample")
    verb.add_argument(
        "--deploys", type=Path, metavar="CSV", help="everything that was deployed, to reconcile with"
    )
    verb.add_argument(
        "--as-of", default="", metavar="DAY", help="what was known at the end of that day (YYYY-MM-DD)"
    )


def _records_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--records", type=Path, metavar="FOLDER", help="folder that holds incidents/ (default: yours)"
    )


def _book(context: Context) -> RecordBook:
    root = context.options.records
    if root is not None and not root.is_dir():
        raise EnvironmentFault(f"The folder {root} is not there", "Give the folder that holds incidents/")
    author = getattr(context.options, "by", "")
    return open_book(context.folders, root=root, author=author, commits=Commits.AT_ONCE)


def incident(context: Context) -> int:
    """Do one thing with a record."""
    return _DOERS[context.options.do](context, _book(context))


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


_DOERS: Mapping[str, Callable[[Context, RecordBook], int]] = {
    "list": _list,
    "open": _open,
    "add": _add,
    "review": _review,
    "close": _close,
    "export": _export,
    "owed": _owed,
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
    if receipt.problem:
        context.warn(receipt.problem)
    event = receipt.event
    if context.wants_json:
        context.give({"record": receipt.place.id, "seq": event.seq, "type": event.type, "hash": event.hash})
    else:
        context.say(f"{receipt.place.id}: {event.type}, event {event.seq} of {event.dev}")
    return ExitCode.DONE


def verify(context: Context) -> int:
    """Check records; exit code 1 when a chain is broken or something was found."""
    checked = _book(context).verify(context.options.record)
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
    if context.wants_json:
        context.give({"records": len(checked), "findings": rows})
    else:
        for row in rows:
            place = f"line {row['line']}, byte {row['byte']}" if row["line"] else "the file"
            context.say(
                f"{row['record']}/{row['file']}: {place}: {row['severity']} {row['code']}: {row['message']}"
            )
        context.say(f"{len(checked)} records checked, {len(rows)} findings")
    failing = any(row["severity"] != Severity.INFO.value for row in rows)
    return ExitCode.FINDINGS if failing else ExitCode.DONE


def report(context: Context) -> int:
    """Print the conformance report; the same records, period and seed give the same bytes."""
    options = context.options
    now = dt.datetime.now(dt.UTC)
    begin, end = period_of(options.period or str(now.year))
    as_of = period_of(options.as_of)[1] if options.as_of else now
    deploys = None
    if options.deploys is not None:
        deploys, findings = read_deploy_list(_read(options.deploys), name=options.deploys.name)
        for finding in findings:
            context.warn(f"{finding.path}:{finding.line}: {finding.message} {finding.fix}".rstrip())
    scope = Scope(begin, end, as_of, seed=options.seed, sample_size=options.sample)
    made = conformance(_book(context).root, scope, deploys=deploys)
    context.out.write(render(made, "json" if context.wants_json else options.form))
    return ExitCode.DONE


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"The file {file} cannot be read: {error}", "Check the path") from error
