"""What an incident taught, as the draft of an entry: symptoms, commands that were run, times measured.

The text follows ``entries.templates``: what the record does not know stays a prompt, never a guess. Notes
stay inside the record; only alerts, signals, steps and their commands go into the draft.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb_app.entries.model import Kind
from kb_app.incidents.markup import Markdown, one_line
from kb_app.incidents.runs import RunState, StepStatus, runs_of
from kb_app.incidents.timeline import Deploy, IncidentState

_FENCE = "```"
_SENTENCE_END = re.compile(r"[.!?]$")


@dataclass(frozen=True, slots=True)
class LearnedEntry:
    """The draft of an entry.

    Attributes:
        kind: one of `Kind`.
        title: of the entry.
        text: Markdown, front matter included.
    """

    kind: str
    title: str
    text: str


def learned_entry(state: IncidentState) -> LearnedEntry:
    """Return the draft of a known fix with what the record of an incident knows."""
    runs = runs_of(state.moments)
    title = _plain(state.title) or "Untitled"
    lines = [*_front(state), f"# {title}", ""]
    lines += ["## Symptoms", *_symptoms(state), ""]
    lines += ["## Cause", "<!-- Why it happens; one cause for each entry. -->", ""]
    lines += _way(state, runs, is_fix=False)
    lines += [""]
    lines += _way(state, runs, is_fix=True)
    return LearnedEntry(Kind.KNOWN_FIX.value, title, "\n".join(lines) + "\n")


def _front(state: IncidentState) -> list[str]:
    lines = ["---", "kind: known-fix", "state: draft", 'owner: ""']
    if state.services:
        lines.append(f"component: {_quoted(state.services[0])}")
    if state.alert:
        lines.append(f"alerts: [{_quoted(state.alert)}]")
    lines += ["signatures: []", 'affected: ""', "fix_status: open", "---"]
    return lines


def _plain(text: str) -> str:
    """Return ``text`` without the signs of Markdown: a heading is read as a title in many places."""
    return " ".join(re.sub(r"[`*\[\]<>|\\#]", " ", one_line(text)).split())


def _escaped(text: str) -> str:
    """Return ``text`` so that it shows as written; an underscore inside a word needs no sign before it."""
    return re.sub(r"(?<=\w)\\_(?=\w)", "_", Markdown.escape(text))


def _quoted(text: str) -> str:
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _symptoms(state: IncidentState) -> list[str]:
    lines = ["<!-- What people saw, in their words; the exact message in a code block. -->"]
    title = _escaped(one_line(state.title))
    lines.append(title if _SENTENCE_END.search(title) else f"{title}.")
    if state.alert:
        lines.append(f"\nThe alert `{one_line(state.alert).replace('`', '')}` fired.")
    impact = _impact_words(state)
    if impact:
        lines.append(f"\nImpact: {impact}.")
    if ticket := one_line(state.ticket or state.tracker):
        lines.append(f"\n- Ticket: {ticket if state.ticket else f'<{ticket}>'}")
    return lines


def _impact_words(state: IncidentState) -> str:
    order = ("minor", "degraded", "down")
    stated = [m.data.text("impact") for m in state.moments if m.data.text("impact") in order]
    worst = max(stated, key=order.index, default="")
    parts = [worst, f"scope {state.scope}" if state.scope else ""]
    return ", ".join(part for part in parts if part)


def _way(state: IncidentState, runs: Sequence[RunState], *, is_fix: bool) -> list[str]:
    mine = [run for run in runs if (run.way == "fix") == is_fix]
    deploys = [d for d in state.deploys if (d.way == "fix" or not d.way) == is_fix]
    name = one_line(mine[-1].path) if mine else ""
    heading = "Fix forward" if is_fix else "Mitigation"
    ended = state.fixed_at if is_fix else state.mitigated_at
    lines = [f"## {heading}: {name}" if name else f"## {heading}"]
    if not mine and not deploys and ended is None:
        lines += ["<!-- None was used. Write “None known.” or how it would be done. -->", ""]
    measured = _measured(mine, deploys, ended)
    lines += [f"- Time: {measured}" if measured else "- Time:", "- Risk:", "- Reversible:", "- Blast:", ""]
    lines += _steps(mine, deploys)
    signal = _signal(state, is_fix=is_fix)
    lines.append(f"   - Verify: {signal or '<!-- How one sees that it worked. -->'}")
    return lines


def _measured(runs: Sequence[RunState], deploys: Sequence[Deploy], ended: dt.datetime | None) -> str:
    """Return how long the way took, from its first act to its proof; empty when that was not recorded."""
    begins = [run.started_at for run in runs] + [deploy.at for deploy in deploys]
    if ended is None or not begins or ended <= min(begins):
        return ""
    minutes = max(1, round((ended - min(begins)).total_seconds() / 60))
    return f"{minutes}m"


def _steps(runs: Sequence[RunState], deploys: Sequence[Deploy]) -> list[str]:
    lines: list[str] = []
    number = 0
    done = [step for run in runs for step in run.steps if step.status is StepStatus.DONE]
    for step in done:
        number += 1
        lines.append(f"{number}. {_escaped(step.text)}")
        for command in dict.fromkeys(step.copied):
            lines += [f"   {_FENCE}sh", *(f"   {line}" for line in command.splitlines()), f"   {_FENCE}"]
        if step.note:
            lines.append(f"   - Expect: {_escaped(step.note)}")
    for deploy in deploys:
        number += 1
        where = f" to {_escaped(deploy.env)}" if deploy.env else ""
        lines.append(f"{number}. Deploy {_escaped(deploy.change)}{where}.")
    return lines or ["1. <!-- What to do, with the command in a code block. -->"]


def _signal(state: IncidentState, *, is_fix: bool) -> str:
    kind = "fixed" if is_fix else "mitigated"
    found = [m.data.text("signal") for m in state.moments if m.data.type == kind]
    return _escaped(one_line(found[0])) if found else ""
