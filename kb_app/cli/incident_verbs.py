"""More of ``kb incident``: reading a record, single events by name, follow-ups, the knowledge step."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Mapping

from kb_app.cli.context import Context
from kb_app.errors import ExitCode, UsageError
from kb_app.incidents.book import RecordBook
from kb_app.incidents.duties import Owed
from kb_app.incidents.events import FOLLOWUP_KINDS, format_time, parse_time
from kb_app.incidents.export import timeline_text
from kb_app.incidents.learned import learned_entry
from kb_app.incidents.markup import Form, describe
from kb_app.incidents.timeline import IncidentState, Moment
from kb_app.workspace.aftermath import (
    assign_followup,
    close_followup,
    closing_of,
    correct_event,
    hand_over,
    record_knowledge,
    review_case,
)
from kb_app.workspace.responding import Change, link_ticket, mark_fixed, mark_mitigated, write_note

HOWS = ("link", "flag", "fix", "add")


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add the options of this module's verbs."""
    verb.add_argument("--event", default="", metavar="DEVICE:NUMBER", help="correct: which event")
    verb.add_argument("--at", default="", metavar="TIME", help="correct: when it really happened (UTC)")
    verb.add_argument("--audience", default="", help="note: internal, partner or public")
    verb.add_argument("--to", default="", metavar="WHO", help="handover: who goes on")
    verb.add_argument("--kind", choices=FOLLOWUP_KINDS, default="fix", help="followup, done: what for")
    verb.add_argument("--id", default="", help="followup, done: to tell several of one kind apart")
    verb.add_argument("--owner", default="", metavar="WHO", help="followup: who does it")
    verb.add_argument("--due", default="", metavar="DAY", help="followup: by when (YYYY-MM-DD)")
    verb.add_argument("--url", default="", help="done: the commit or the issue")
    verb.add_argument("--signal", default="", help="mitigated, fixed, done: what shows it")
    verb.add_argument("--how", choices=HOWS, default="link", help="knowledge: what was done")
    verb.add_argument("--entry", default="", help="knowledge: which entry")


# Reading


def _show(context: Context, book: RecordBook, name: str) -> int:
    state = book.state(name)
    if context.wants_json:
        context.give(_state_row(state))
    else:
        context.out.write(timeline_text(state, Form.PLAIN))
    return ExitCode.DONE


def _time(at: dt.datetime | None) -> str | None:
    return format_time(at) if at is not None else None


def _state_row(state: IncidentState) -> dict[str, object]:
    return {
        "id": state.id,
        "title": state.title,
        "status": state.status,
        "severity": state.severity,
        "lead": state.lead,
        "ticket": state.ticket,
        "opened": _time(state.opened_at),
        "mitigated": _time(state.mitigated_at),
        "fixed": _time(state.fixed_at),
        "closed": _time(state.closed_at),
        "events": [_moment_row(moment) for moment in state.moments],
    }


def _moment_row(moment: Moment) -> dict[str, object]:
    event, correction = moment.event, moment.corrected_by
    return {
        "event": f"{event.dev}:{event.seq}",
        "at": format_time(moment.at),
        "by": event.by,
        "type": event.type,
        "text": describe(moment.data),
        "late": event.is_late,
        "corrected": correction.text("reason") if correction is not None else None,
        "was": describe(event) if correction is not None else None,
    }


def _blockers(context: Context, book: RecordBook, name: str) -> int:
    closing = closing_of(book, name)
    rows = [_owed_row(b.owed, "must" if b.is_hard else "needs a reason") for b in closing.blockers]
    rows += [_owed_row(item, "may wait") for item in closing.later]
    if context.wants_json:
        context.give(rows)
    for row in () if context.wants_json else rows:
        context.say(f"{row['closing']:<15} {row['due'] or 'before closing':<20} {row['text']}")
    return ExitCode.FINDINGS if closing.blockers else ExitCode.DONE


def _owed_row(item: Owed, closing: str) -> dict[str, object]:
    return {
        "closing": closing,
        "kind": item.kind.value,
        "text": item.text,
        "owner": item.owner,
        "due": _time(item.due),
    }


def _case(context: Context, book: RecordBook, name: str) -> int:
    """Show what a reviewer of a change is shown; exit code 1 when the person may not review it."""
    places = [(base.name, base.root) for base in context.workspace().bases]
    case = review_case(book, name, context.options.change, places, context.folders)
    deploy, policy = case.deploy, case.policy
    row = {
        "change": deploy.change,
        "env": deploy.env,
        "author": deploy.author,
        "deployed_by": deploy.deployer,
        "deployed": format_time(deploy.at),
        "authority": deploy.authority,
        "tests": deploy.tests,
        "decision": describe(case.decision) if case.decision is not None else "",
        "review": case.mode,
        "due": format_time(case.due),
        "policy": policy.revision if policy is not None else "",
        "policy_source": policy.source if policy is not None else "No decision names a policy.",
        "may_review": case.may.is_allowed,
        "why_not": case.may.reason,
    }
    if context.wants_json:
        context.give({**row, "policy_text": policy.text if policy is not None else ""})
    else:
        for key, value in row.items():
            context.say(f"{key.replace('_', ' '):<14} {value if value != '' else 'not stated'}")
        if policy is not None and policy.text:
            context.say()
            context.say(policy.text.rstrip())
    return ExitCode.DONE if case.may.is_allowed else ExitCode.FINDINGS


def _learned(context: Context, book: RecordBook, name: str) -> int:
    learned = learned_entry(book.state(name))
    if context.wants_json:
        context.give({"kind": learned.kind, "title": learned.title, "text": learned.text})
    else:
        context.out.write(learned.text)
    return ExitCode.DONE


READERS: Mapping[str, Callable[[Context, RecordBook, str], int]] = {
    "show": _show,
    "blockers": _blockers,
    "case": _case,
    "learned": _learned,
}
"""Verbs that read one record and print."""


# Writing


def _note(context: Context, book: RecordBook, name: str) -> Change:
    return write_note(book, name, context.options.note, audience=context.options.audience)


def _ticket(context: Context, book: RecordBook, name: str) -> Change:
    return link_ticket(book, name, context.options.note)


def _mitigated(context: Context, book: RecordBook, name: str) -> Change:
    return mark_mitigated(book, name, context.options.signal or context.options.note)


def _fixed(context: Context, book: RecordBook, name: str) -> Change:
    return mark_fixed(book, name, context.options.signal or context.options.note)


def _handover(context: Context, book: RecordBook, name: str) -> Change:
    return hand_over(book, name, context.options.to, context.options.note)


def _followup(context: Context, book: RecordBook, name: str) -> Change:
    options = context.options
    return assign_followup(
        book,
        name,
        options.kind,
        options.owner,
        key=options.id,
        text=options.note,
        due=_day(options.due),
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"“{text}” is no day", "Write it as 2025-06-08") from error


def _done(context: Context, book: RecordBook, name: str) -> Change:
    options = context.options
    return close_followup(book, name, options.kind, key=options.id, url=options.url, signal=options.signal)


def _knowledge(context: Context, book: RecordBook, name: str) -> Change:
    options = context.options
    return record_knowledge(book, name, options.how, options.entry, options.note)


def correction(context: Context, book: RecordBook, name: str, data: Mapping[str, object]) -> Change:
    """Correct the event that ``--event`` names; ``data`` is its new data, whole."""
    options = context.options
    device, _, number = options.event.rpartition(":")
    found = [
        moment.event
        for moment in book.state(name).moments
        if moment.event.dev == device and str(moment.event.seq) == number
    ]
    if not found:
        hint = "kb incident show RECORD --json lists them as DEVICE:NUMBER"
        raise UsageError(f"There is no event “{options.event}”", hint)
    at = parse_time(options.at) if options.at else None
    if options.at and at is None:
        raise UsageError(f"“{options.at}” is no time", "Write it as 2025-06-01T02:11:09Z")
    return correct_event(book, name, found[0], data or found[0].data, options.note, at=at)


WRITERS: Mapping[str, Callable[[Context, RecordBook, str], Change]] = {
    "note": _note,
    "ticket": _ticket,
    "mitigated": _mitigated,
    "fixed": _fixed,
    "handover": _handover,
    "followup": _followup,
    "done": _done,
    "knowledge": _knowledge,
}
"""Verbs that write one event."""
