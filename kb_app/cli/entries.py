"""``kb show``, ``kb lint``, ``kb new``."""

from __future__ import annotations

import argparse
import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator

from kb_app.cli.context import Context
from kb_app.entries.catalogue import Catalogue, card_of
from kb_app.entries.knowledge_base import walk
from kb_app.entries.lint import RULES, lint_entry
from kb_app.entries.model import Entry, Finding, Kind, PlannedPath, Severity, Step
from kb_app.entries.reading import read_entry
from kb_app.entries.standing import Standing, confirmed_words, flag_words
from kb_app.entries.templates import new_entry_text
from kb_app.errors import ExitCode, KbError, UsageError
from kb_app.plain import to_plain
from kb_app.workspace.bases import OpenBase, Workspace
from kb_app.workspace.confirming import Confirmations
from kb_app.workspace.contributing import new_draft
from kb_app.workspace.drafts import DraftStore
from kb_app.workspace.finding import bring_up_to_date
from kb_app.workspace.reading import OpenedEntry, find_path, load_catalogue, open_entry

NOT_STATED = "not stated"


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of this module to the parser."""
    verb = add("show", show, "Show an entry with what was inferred, its paths and its response plan.")
    verb.add_argument("entry", metavar="ID|PATH")
    verb.add_argument("--as", dest="form", choices=("text", "json", "html"), default="text")
    verb = add("lint", lint, "Check entries; exit code 1 when there are findings.")
    verb.add_argument("paths", nargs="*", metavar="PATH", help="only these (default: all)")
    verb.add_argument("--github", action="store_true", help="findings as GitHub workflow commands")
    verb.add_argument(
        "--severity", choices=[*Severity], default=Severity.INFO, help="least severity shown (default: info)"
    )
    verb.add_argument("--rules", action="store_true", help="list the rules, why they matter and what to do")
    verb = add("new", new, "Print a template for a new entry.")
    verb.add_argument("kind", choices=[*Kind])
    verb.add_argument("title", nargs="+")
    verb.add_argument("--draft", action="store_true", help="keep it as a draft, to be written in the window")


def show(context: Context) -> int:
    """Print one entry."""
    opened, base = _open(context.workspace(), context.options.entry)
    form = "json" if context.wants_json else context.options.form
    if form == "html":
        context.say(opened.page.html)
    elif form == "json":
        standing = Confirmations(context.folders).of(base.root, opened.entry, dt.date.today())
        facts = {"plan": to_plain(opened.plan), "standing": to_plain(standing)}
        context.give({"knowledge_base": base.name, **to_plain(opened.entry), **facts})
    else:
        today = dt.date.today()
        standing = Confirmations(context.folders).of(base.root, opened.entry, today)
        for line in entry_lines(opened, standing_lines(opened.entry, standing, today)):
            context.say(line)
    return ExitCode.DONE


def _open(workspace: Workspace, wanted: str) -> tuple[OpenedEntry, OpenBase]:
    last: KbError | None = None
    for base in workspace.bases:
        bring_up_to_date(base)
        catalogue = load_catalogue(base)
        try:
            path = find_path(base, wanted, catalogue)
        except KbError as error:
            last = error
            continue
        return open_entry(base.root, path, base.config, catalogue), base
    raise last or UsageError("No knowledge base is open")


def standing_lines(entry: Entry, standing: Standing, today: dt.date) -> Iterator[str]:
    """Yield how far an entry is confirmed, and each open flag."""
    last = standing.last
    text = confirmed_words(last, today) if last is not None else "never"
    if standing.is_stale(entry.review_every_days, today):
        text += f"  (a confirmation holds {entry.review_every_days} days)"
    yield f"{'confirmed':<10} {text.removeprefix('confirmed ')}"
    for flag in standing.flags:
        yield f"{'flag':<10} {flag_words(flag, today)}"


def entry_lines(opened: OpenedEntry, standing: Iterable[str] = ()) -> Iterator[str]:
    """Yield an entry as lines of text: facts with their origin, ``standing``, both ways out, then notes."""
    entry = opened.entry
    yield entry.title
    yield "=" * min(78, len(entry.title))
    for name in ("path", "id", "kind", "state", "product", "component", "owner", "severity"):
        value = getattr(entry, name)
        if value:
            origin = entry.provenance.get(name)
            yield f"{name:<10} {value}" + (f"  ({origin})" if origin else "")
    for name in ("alerts", "signatures", "tags"):
        if values := getattr(entry, name):
            yield f"{name:<10} {', '.join(values)}"
    yield from standing
    yield from _way_lines("Mitigate", opened.plan.mitigations)
    yield from _way_lines("Fix forward", opened.plan.fixes)
    for note in entry.notes:
        yield f"note: {note.message}" + (f" (line {note.line})" if note.line else "")


def _way_lines(title: str, paths: tuple[PlannedPath, ...]) -> Iterator[str]:
    yield ""
    yield title if paths else f"{title}: no path yet"
    for planned in paths:
        path, facts = planned.path, planned.path.attributes
        origin = "" if planned.origin == "own" else f"  (from {planned.entry_title}, {planned.origin})"
        yield f"  {path.name}{origin}" + ("" if path.is_typed else "  [mitigation or repair: not stated]")
        yield "    " + ", ".join(
            f"{name} {value or NOT_STATED}"
            for name, value in (
                ("time", facts.time.text if facts.time else ""),
                ("risk", facts.risk),
                ("reversible", facts.reversible),
                ("blast", facts.blast),
                ("approval", facts.approval),
            )
        )
        yield from _prose_lines(path.intro)
        for step in path.steps:
            yield from _step_lines(step)
        yield from _prose_lines(path.outro if path.steps or path.intro else path.body)


def _prose_lines(markdown: str) -> Iterator[str]:
    """Yield the conditions and remarks around the steps as they are written."""
    for line in markdown.strip().splitlines():
        yield f"    {line}"


def _step_lines(step: Step) -> Iterator[str]:
    yield f"    {step.number}. {' '.join(step.text.split())}"
    for command in step.commands:
        for line in command.text.splitlines():
            yield f"         {line}"
    for name in ("verify", "expect", "undo", "if_not", "confirm"):
        if value := getattr(step, name):
            yield f"       {name.replace('_', ' ')}: {' '.join(value.split())}"


def lint(context: Context) -> int:
    """Check entries and print the findings; informational ones alone do not fail."""
    if context.options.rules:
        return _print_rules(context)
    workspace = context.workspace()
    findings: list[tuple[OpenBase, Finding]] = []
    wanted = {path.replace(os.sep, "/").removeprefix("./") for path in context.options.paths}
    checked = 0
    for base in workspace.bases:
        entries = [read_entry(base.root, f.path, base.config) for f in walk(base.root, base.config).files]
        catalogue = Catalogue([card_of(entry, base.name) for entry in entries])
        chosen = [e for e in entries if not wanted or _is_wanted(base, e, wanted)]
        checked += len(chosen)
        ignored = base.config.lint_ignore
        findings += [(base, found) for entry in chosen for found in lint_entry(entry, catalogue, ignored)]
    if wanted and not checked:
        raise UsageError("None of these paths is an entry of an open knowledge base")
    weights = [*Severity]
    least = weights.index(Severity(context.options.severity))
    shown = [(base, f) for base, f in findings if weights.index(f.severity) >= least]
    _print_findings(context, shown, checked)
    failing = any(f.severity is not Severity.INFO for _, f in findings)
    return ExitCode.FINDINGS if failing else ExitCode.DONE


def _print_rules(context: Context) -> int:
    if context.wants_json:
        context.give([to_plain(rule) for rule in RULES])
    else:
        for rule in sorted(RULES, key=lambda rule: (-[*Severity].index(rule.severity), rule.code)):
            context.say(f"{rule.severity:<8} {rule.code:<26} {rule.help} {rule.fix}")
    return ExitCode.DONE


def _is_wanted(base: OpenBase, entry: Entry, wanted: set[str]) -> bool:
    absolute = (base.root / entry.path).as_posix()
    candidates = {entry.path, absolute, os.path.relpath(absolute).replace(os.sep, "/")}
    return any(c == w or c.startswith(w.rstrip("/") + "/") for c in candidates for w in wanted)


def _print_findings(context: Context, findings: list[tuple[OpenBase, Finding]], checked: int) -> None:
    if context.wants_json:
        context.give([{"knowledge_base": b.name, **to_plain(f)} for b, f in findings])
        return
    levels = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
    for base, finding in findings:
        if context.options.github:
            message = f"{finding.message} {finding.fix}".strip().replace("%", "%25").replace("\n", "%0A")
            file = os.path.relpath(base.root / finding.path).replace(os.sep, "/")
            place = f"file={file},line={finding.line},title={finding.code}"
            context.say(f"::{levels[finding.severity]} {place}::{message}")
            continue
        advice = f". {finding.fix}" if finding.fix else ""
        context.say(
            f"{finding.path}:{finding.line}: {finding.severity} {finding.code}: {finding.message}{advice}"
        )
    if not context.options.github:
        context.say(f"{checked} entries checked, {len(findings)} findings")


def new(context: Context) -> int:
    """Print the template of a new entry, or keep it as a draft."""
    title = " ".join(context.options.title)
    text = new_entry_text(Kind(context.options.kind), title)
    if context.options.draft:
        draft = new_draft(context.workspace().bases[0], context.options.kind, title, text)
        draft = DraftStore(context.folders.drafts).begin(draft)
        if context.wants_json:
            context.give({"kind": context.options.kind, "text": text, "draft": draft.id, "path": draft.path})
        else:
            context.say(draft.id)
    elif context.wants_json:
        context.give({"kind": context.options.kind, "text": text})
    else:
        context.out.write(text)
    return ExitCode.DONE
