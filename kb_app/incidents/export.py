"""Getting work out: a timeline or a run for a ticket, a handover, a review's draft, customer-safe text.

Times are UTC. Text for customers is made only of parts whose audience allows it: an entry marked for them,
and notes marked for them; everything else stays inside.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from kb_app.entries.model import Audience, Entry, Role, Section
from kb_app.errors import UsageError
from kb_app.incidents.duties import owed
from kb_app.incidents.events import AUDIENCES, EventType, format_time
from kb_app.incidents.markup import Form, Writer, describe, writer_of
from kb_app.incidents.runs import RunState, StepState, StepStatus, runs_of, timers_of
from kb_app.incidents.timeline import IncidentState, Moment

_STATUS_WORDS = {
    StepStatus.DONE: "done",
    StepStatus.SKIPPED: "skipped",
    StepStatus.FAILED: "failed",
    StepStatus.PENDING: "not done",
    StepStatus.WAITING: "waiting",
}
_CUSTOMER_ROLES = (
    Role.MEANING,
    Role.SYMPTOMS,
    Role.IMPACT,
    Role.CAUSE,
    Role.MITIGATION,
    Role.FIX,
    Role.VERIFY,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_INTERNAL_HEADING = re.compile(r"\b(internal|staff|confidential)\b", re.IGNORECASE)


def clock(moment: dt.datetime | None) -> str:
    """Return a time for people: ``2025-06-01 02:11 UTC``; empty for None."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC") if moment is not None else ""


def timeline_text(state: IncidentState, form: Form) -> str:
    """Return the whole timeline of a record for a ticket."""
    writer = writer_of(form)
    return writer.join(
        [
            writer.heading(2, f"{state.title} ({state.id})"),
            writer.paragraph(summary_line(state)),
            writer.table(("time (UTC)", "who", "what"), [_timeline_row(m) for m in state.moments]),
        ]
    )


def summary_line(state: IncidentState) -> str:
    """Return status, severity, impact and times in one sentence."""
    parts = [
        f"Status: {state.status}",
        f"severity: {state.severity}" if state.severity else "",
        f"impact: {state.impact}" if state.impact else "",
        f"opened {clock(state.opened_at)}" if state.opened_at else "",
        f"mitigated {clock(state.mitigated_at)}" if state.mitigated_at else "",
        f"fixed {clock(state.fixed_at)}" if state.fixed_at else "",
        f"closed {clock(state.closed_at)}" if state.closed_at else "",
    ]
    return ", ".join(part for part in parts if part) + "."


def _timeline_row(moment: Moment) -> tuple[str, str, str]:
    text = describe(moment.data)
    if moment.event.is_late:
        text += f" [late entry, written {format_time(moment.event.rec)}]"
    if moment.corrected_by is not None:
        text += f" [corrected: {moment.corrected_by.text('reason')}]"
    return moment.at.strftime("%Y-%m-%d %H:%M:%S"), moment.event.by, text


def run_text(run: RunState, form: Form) -> str:
    """Return one run for a ticket: every step with mark, note, time and commands; what is deferred."""
    writer = writer_of(form)
    done, total = run.progress
    ended = f", ended {clock(run.ended_at)}" if run.ended_at else ""
    blocks = [
        writer.heading(3, f"{run.way.capitalize()}: {run.path}"),
        writer.paragraph(f"{done} of {total} steps, by {run.owner}, begun {clock(run.started_at)}{ended}."),
    ]
    # commands go between the steps, so each step is a block of its own
    for step in run.steps:
        blocks.append(writer.paragraph(_step_line(step)))
        blocks += [writer.code(command) for command in step.copied]
    if run.deferred:
        blocks.append(writer.heading(4, "Deferred"))
        blocks.append(writer.bullets([_step_line(step) for step in run.deferred]))
    return writer.join(blocks)


def _step_line(step: StepState) -> str:
    mark = _STATUS_WORDS[step.status]
    when = f" {step.at.strftime('%H:%M:%S')} UTC" if step.at and not step.is_open else ""
    due = f" until {clock(step.due)}" if step.due else ""
    note = f" – {step.note}" if step.note else ""
    return f"Step {step.number}: {step.text} [{mark}{when}{due}]{note}"


def handover_text(state: IncidentState, now: dt.datetime, form: Form = Form.MARKDOWN) -> str:
    """Return what the next person needs: where it stands, what was tried, what runs, what is owed."""
    writer = writer_of(form)
    runs = runs_of(state.moments)
    open_runs = [run for run in runs if run.ended_at is None]
    impact = (
        f"Impact: {state.impact or 'not stated'}; data at risk: {state.data_risk or 'not stated'}; "
        f"trend: {state.trend or 'not stated'}; scope: {state.scope or 'not stated'}"
    )
    blocks = [
        writer.heading(2, f"Handover: {state.title}"),
        writer.paragraph(f"{state.id}, as of {clock(now)}. {summary_line(state)}"),
        writer.heading(3, "Where it stands"),
        writer.bullets([impact, f"Decision: {_decision_text(state)}"]),
        writer.heading(3, "What was done"),
        _bullets_or(writer, _done(state), "Nothing is recorded yet."),
        writer.heading(3, "What is running"),
        _bullets_or(writer, [_run_line(run, now) for run in open_runs], "No run is open."),
        writer.heading(3, "What is owed"),
        _bullets_or(writer, _owed_lines(state, now), "Nothing."),
    ]
    return writer.join(blocks)


def _bullets_or(writer: Writer, items: Sequence[str], otherwise: str) -> str:
    return writer.bullets(items) if items else writer.paragraph(otherwise)


def _decision_text(state: IncidentState) -> str:
    decision = state.decision
    if decision is None:
        return "none yet"
    text = f"{decision.text('recommendation')} (rule {decision.text('rule')})"
    return text if state.chosen == decision.text("recommendation") else f"{text}; chosen: {state.chosen}"


def _done(state: IncidentState) -> list[str]:
    kinds = (EventType.DEPLOY, EventType.ENTRY_USED, EventType.MITIGATED, EventType.FIXED, EventType.NOTE)
    lines = [
        f"{clock(moment.at)}: {describe(moment.data)}"
        for moment in state.moments
        if moment.event.type in kinds
    ]
    for run in runs_of(state.moments):
        done, total = run.progress
        failed = [str(step.number) for step in run.steps if step.status is StepStatus.FAILED]
        more = f", failed: step {', '.join(failed)}" if failed else ""
        lines.append(f"“{run.path}”: {done} of {total} steps{more}")
    return lines


def _run_line(run: RunState, now: dt.datetime) -> str:
    current = run.current
    line = f"“{run.path}” ({run.owner}): "
    line += f"next is step {current.number}, {current.text}" if current else "all steps are marked"
    for timer in timers_of([run]):
        minutes = timer.remaining(now).total_seconds() / 60
        rest = f"{minutes:.0f} min left" if minutes else "over"
        line += f"; step {timer.step} waits until {clock(timer.due)} ({rest})"
    return line


def _owed_lines(state: IncidentState, now: dt.datetime) -> list[str]:
    lines = []
    for item in owed(state, now):
        due = f", due {clock(item.due)}" if item.due else ", due at closing"
        late = " – overdue" if item.is_overdue(now) else ""
        owner = f", {item.owner}" if item.owner else ""
        lines.append(f"{item.text}{owner}{due}{late}")
    return lines


def post_incident_draft(state: IncidentState, now: dt.datetime, form: Form = Form.MARKDOWN) -> str:
    """Return a draft of the written review: what the record knows is filled in, the rest is asked."""
    writer = writer_of(form)
    blocks = [
        writer.heading(1, f"Post-incident review: {state.title}"),
        writer.paragraph(f"Draft from record {state.id}. Blameless: write what was known then."),
        writer.heading(2, "Summary"),
        writer.paragraph(summary_line(state)),
        writer.bullets(
            [
                f"Services: {', '.join(state.services) or 'not stated'}",
                f"Impact at worst: {_worst_impact(state) or 'not stated'}",
                f"Time to mitigate: {_span(state.opened_at, state.mitigated_at)}",
                f"Time to fix: {_span(state.opened_at, state.fixed_at)}",
                f"Decision: {_decision_text(state)}",
            ]
        ),
        writer.heading(2, "What happened"),
        writer.table(("time (UTC)", "who", "what"), [_timeline_row(m) for m in state.moments]),
        writer.heading(2, "Knowledge used"),
        _bullets_or(
            writer,
            [f"{e.text('entry')}: {e.text('result')}" for e in state.entries_used],
            "No entry was used. What should have been there?",
        ),
        writer.heading(2, "Questions to answer"),
        writer.bullets(
            [
                "How was it noticed, and could it have been noticed earlier?",
                "What made it possible? Name conditions, not people.",
                "What went well, and what was luck?",
                "Was mitigating or fixing forward the right choice with what was known then?",
                "Which entry would have made this shorter?",
            ]
        ),
        writer.heading(2, "Follow-ups"),
        _bullets_or(writer, _followup_lines(state), "None are recorded."),
        writer.heading(2, "Still owed"),
        _bullets_or(writer, _owed_lines(state, now), "Nothing."),
    ]
    return writer.join(blocks)


def _worst_impact(state: IncidentState) -> str:
    order = ("", "minor", "degraded", "down")
    stated = [m.data.text("impact") for m in state.moments if m.event.type == EventType.IMPACT]
    return max(stated, key=lambda word: order.index(word) if word in order else 0, default="")


def _span(begin: dt.datetime | None, end: dt.datetime | None) -> str:
    if begin is None or end is None:
        return "not recorded"
    minutes = round((end - begin).total_seconds() / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _followup_lines(state: IncidentState) -> list[str]:
    lines = []
    for item in state.followups:
        what = item.text or item.kind
        standing = (
            f"closed {clock(item.closed_at)}" if item.closed_at else f"open, due {clock(item.due) or 'never'}"
        )
        lines.append(
            f"{what}: {item.owner or 'no owner'}, {standing}" + (f", {item.url}" if item.url else "")
        )
    return lines


# For customers


def customer_update(state: IncidentState, reader: Audience, form: Form = Form.MARKDOWN) -> str:
    """Return an update for people outside: status words and the notes that are marked for them, nothing else.

    The record's own title stays inside: it may name hosts or customers.

    Raises:
        UsageError: when ``reader`` is not outside.
    """
    allowed = _allowed_for(reader)
    writer = writer_of(form)
    words = {
        "open": "We are looking into a problem.",
        "mitigated": "The problem is mitigated; we are working on the lasting fix.",
        "fixed": "The problem is fixed.",
        "closed": "The problem is solved.",
    }
    notes = [
        f"{clock(moment.at)}: {moment.data.text('text')}"
        for moment in state.moments
        if moment.event.type == EventType.NOTE and moment.data.text("audience") in allowed
    ]
    return writer.join([writer.paragraph(words[state.status]), writer.bullets(notes) if notes else ""])


def customer_text(entry: Entry, reader: Audience) -> str:
    """Return the parts of an entry that may be sent to ``reader``, as Markdown.

    Only sections that help a customer are taken (symptoms, impact, cause, mitigation, fix, verification),
    never diagnosis, escalation, levers, comments, or what a heading calls internal.

    Raises:
        UsageError: when the entry's audience does not allow it, or it has no such part.
    """
    if entry.audience.value not in _allowed_for(reader):
        raise UsageError(
            f"“{entry.title}” is for {entry.audience} readers only",
            "Ask the entry's owner to set its audience, or write to the customer in your own words",
        )
    # comments are blanked line by line, so that the lines of the sections stay where they are
    shown = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), entry.text)
    lines = shown.split("\n")
    parts = [
        "\n".join(lines[section.span.first_line - 1 : section.own_last_line]).strip()
        for section in entry.sections
        if section.role in _CUSTOMER_ROLES and not _is_internal(section, entry.sections)
    ]
    if not parts:
        raise UsageError(f"“{entry.title}” has no part for customers", "Add a Symptoms or a Fix section")
    return "\n\n".join([f"# {entry.title}", *parts]) + "\n"


def _is_internal(section: Section, sections: Sequence[Section]) -> bool:
    """Tell whether the section or one around it is called internal."""
    around = [
        other
        for other in sections
        if other.span.first_line <= section.span.first_line and section.span.last_line <= other.span.last_line
    ]
    return any(_INTERNAL_HEADING.search(other.title) for other in around)


def _allowed_for(reader: Audience) -> frozenset[str]:
    """Return the audiences whose texts ``reader`` may see; a partner may see what is public."""
    if reader is Audience.INTERNAL:
        raise UsageError("Text for customers needs an audience outside", "Choose partner or public")
    return frozenset(AUDIENCES[AUDIENCES.index(reader.value) :])
