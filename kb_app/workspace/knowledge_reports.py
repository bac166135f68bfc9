"""What a knowledge base lacks: gaps, coverage of alerts, health; computed from files and records alone.

It is coaching, not a score. Alert names are read from rule files line by line, not as YAML: rule files are
often templates that no YAML reader takes, and a name on its line can be cited.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.entries.catalogue import Catalogue, card_of
from kb_app.entries.knowledge_base import walk
from kb_app.entries.lint import lint_entry
from kb_app.entries.model import Entry, Kind, Role, State
from kb_app.entries.reading import read_entry
from kb_app.entries.standing import Sources, confirmed_words, flag_words, standing_of
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.incidents.events import format_time
from kb_app.incidents.markup import Markdown, Plain, Writer, one_line
from kb_app.incidents.report_page import simple_page
from kb_app.incidents.timeline import IncidentState
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.confirming import last_worked

KNOWLEDGE_REPORTS = ("gaps", "coverage", "health")
FORMS = ("text", "csv", "markdown", "html", "json")
HELPED = ("worked", "partly")
MAX_RULE_BYTES = 4_000_000
_RULE_FILES = (".yml", ".yaml", ".json", ".rules", ".libsonnet", ".jsonnet", ".tpl", ".j2")
_ALERT = re.compile(r"""^\s*(?:-\s+)?["']?alert["']?\s*:\s*["']?([A-Za-z_][\w:.-]{1,199})["']?\s*,?\s*$""")
_RESPONSE = (Kind.RUNBOOK, Kind.KNOWN_FIX)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """An alert that a rule file defines: its name, the file as given, the 1-based line."""

    name: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class ReadBase:
    """A knowledge base with all of its entries read."""

    name: str
    entries: tuple[Entry, ...]
    catalogue: Catalogue
    lint_ignore: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a report.

    Attributes:
        title: what its rows are.
        note: what that means and what to do, one or two sentences.
        columns, rows: plain text.
    """

    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """A report.

    Attributes:
        name: one of `KNOWLEDGE_REPORTS`.
        title: for people.
        about: what it was made from, one sentence.
        figures: value and what it counts, in order.
        sheets: in order.
    """

    name: str
    title: str
    about: str
    figures: tuple[tuple[str, str], ...]
    sheets: tuple[Sheet, ...]


def read_base(base: OpenBase) -> ReadBase:
    """Read every entry of a knowledge base."""
    files = walk(base.root, base.config).files
    entries = tuple(read_entry(base.root, file.path, base.config) for file in files)
    catalogue = Catalogue([card_of(entry, base.name) for entry in entries])
    return ReadBase(base.name, entries, catalogue, tuple(base.config.lint_ignore))


def read_rules(paths: Iterable[Path]) -> tuple[AlertRule, ...]:
    """Return the alerts that rule files define, by name; folders are searched for rule files.

    Raises:
        EnvironmentFault: when a path is not there or cannot be read.
    """
    found = [rule for path in paths for file in _rule_files(path) for rule in _rules_of(file, path)]
    return tuple(sorted(set(found), key=lambda rule: (rule.name, rule.file, rule.line)))


def _rule_files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise EnvironmentFault(f"{path} is not there", "Give a rule file, or a folder of them")
    for here, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(_RULE_FILES):
                yield Path(here) / name


def _rules_of(file: Path, given: Path) -> Iterator[AlertRule]:
    try:
        if file.stat().st_size > MAX_RULE_BYTES:
            return
        text = file.read_text("utf-8", "replace")
    except OSError as error:
        raise EnvironmentFault(
            f"{file} cannot be read: {error.strerror or error}", "Check the path"
        ) from error
    shown = file.name if file == given else file.relative_to(given).as_posix()
    for number, line in enumerate(text.splitlines(), 1):
        if (match := _ALERT.match(line)) is not None:
            yield AlertRule(match[1], shown, number)


def gaps(
    bases: Sequence[ReadBase], states: Sequence[IncidentState], rules: Sequence[AlertRule] = ()
) -> KnowledgeReport:
    """Return what is missing: entries for alerts, paths in entries, entries that help.

    Args:
        bases: the knowledge bases.
        states: incident records.
        rules: alerts of rule files; alerts that records name count as well.
    """
    missing = _uncovered(bases, states, rules)
    without = tuple(
        (base.name, entry.path, entry.title, entry.kind.value, entry.owner or "–")
        for base in bases
        for entry in base.entries
        if entry.kind in _RESPONSE and not entry.is_stub and entry.state is not State.RETIRED
        if not any(not path.is_none for path in entry.paths)
    )
    helpless = tuple(
        (state.id, state.title, format_time(state.closed_at), _used(state))
        for state in states
        if state.closed_at is not None and not any(e.text("result") in HELPED for e in state.entries_used)
    )
    closed = sum(state.closed_at is not None for state in states)
    sheets = (
        Sheet(
            "Alerts without an entry",
            "An alert that pages somebody should lead to an entry: name it under alerts: there.",
            ("alert", "from"),
            missing,
        ),
        Sheet(
            "Entries without a path",
            "Runbooks and known fixes that say no way out of their own. “None known.” is an answer, too.",
            ("knowledge base", "path", "title", "kind", "owner"),
            without,
        ),
        Sheet(
            "Closed incidents where no entry helped",
            "What was learned there is worth an entry.",
            ("incident", "title", "closed", "entries used"),
            helpless,
        ),
    )
    figures = (
        (str(len(missing)), "alerts without an entry"),
        (str(len(without)), "entries without a path"),
        (f"{len(helpless)} of {closed}", "closed incidents without a helpful entry"),
    )
    return KnowledgeReport("gaps", "Gaps", _about(bases, states, rules), figures, sheets)


def _uncovered(
    bases: Sequence[ReadBase], states: Sequence[IncidentState], rules: Sequence[AlertRule]
) -> tuple[tuple[str, str], ...]:
    sources: dict[str, list[str]] = defaultdict(list)
    for rule in rules:
        sources[rule.name].append(f"{rule.file}:{rule.line}")
    for state in states:
        if state.alert:
            sources[state.alert].append(f"record {state.id}")
    return tuple(
        (name, ", ".join(where[:3]) + (f" and {len(where) - 3} more" if len(where) > 3 else ""))
        for name, where in sorted(sources.items())
        if not _entries_for(bases, name)
    )


def _entries_for(bases: Sequence[ReadBase], alert: str) -> list[tuple[ReadBase, Entry]]:
    wanted = alert.casefold()
    return [
        (base, entry)
        for base in bases
        for entry in base.entries
        if any(name.casefold() == wanted for name in entry.alerts)
    ]


def _used(state: IncidentState) -> str:
    return ", ".join(f"{e.text('entry')}: {e.text('result')}" for e in state.entries_used) or "none"


def coverage(bases: Sequence[ReadBase], rules: Sequence[AlertRule]) -> KnowledgeReport:
    """Return alerts against entries, both ways.

    Raises:
        UsageError: when no rule file was given: without one there is nothing to compare with.
    """
    if not rules:
        raise UsageError(
            "Coverage needs alert rules", "Give the rule files or their folder with --rules PATH"
        )
    first = {rule.name: rule for rule in reversed(rules)}
    rows, covered, both = [], 0, 0
    for name, rule in sorted(first.items()):
        entries = [entry for _, entry in _entries_for(bases, name)]
        has = {path.kind.value for entry in entries for path in entry.paths if not path.is_none}
        covered += bool(entries)
        both += {"mitigation", "fix"} <= has
        rows.append(
            (
                name,
                f"{rule.file}:{rule.line}",
                ", ".join(entry.path for entry in entries) or "none",
                "yes" if "mitigation" in has else "no",
                "yes" if "fix" in has else "no",
            )
        )
    known = {name.casefold() for name in first}
    stray = tuple(
        (alert, base.name, entry.path)
        for base in bases
        for entry in base.entries
        for alert in entry.alerts
        if alert.casefold() not in known
    )
    figures = (
        (f"{covered} of {len(first)}", "alerts have an entry"),
        (str(both), "alerts have both ways out"),
        (str(len(stray)), "alerts of entries that no rule defines"),
    )
    sheets = (
        Sheet(
            "Alerts and their entries",
            "An entry answers an alert when it names it under alerts:.",
            ("alert", "rule", "entries", "mitigation", "fix"),
            tuple(rows),
        ),
        Sheet(
            "Entries for alerts that no rule defines",
            "The alert may have been renamed or removed, or its rules were not given.",
            ("alert", "knowledge base", "entry"),
            tuple(sorted(stray)),
        ),
    )
    return KnowledgeReport("coverage", "Coverage of alerts", _about(bases, (), rules), figures, sheets)


CHECKLIST: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("has a signature or an alert", ("no-signature", "no-alert")),
    ("both ways out, or “none known”", ("no-path", "one-way", "path-todo", "path-untyped", "dead-end")),
    ("time, risk, reversible, blast on each path", ("missing-attributes", "attribute-value")),
    ("a verification for each step", ("missing-verify",)),
    ("a way back from what is destructive", ("destructive-step",)),
    ("an owner", ("no-owner",)),
    ("at most nine steps a path", ("too-many-steps",)),
    ("no secrets", ("secret", "possible-secret")),
)
"""Lines of the content checklist and the lint rules whose findings break them."""
_OWN_LINES = ("symptoms in users' words", "an environment")


def health(
    bases: Sequence[ReadBase],
    states: Sequence[IncidentState],
    today: dt.date,
    sources: Mapping[str, Sources] | None = None,
) -> KnowledgeReport:
    """Return what is stale or flagged, how far the content checklist is kept, and links that lead nowhere.

    Args:
        bases: the knowledge bases.
        states: incident records.
        today: the day it is made for.
        sources: what confirms the entries, by knowledge base; the records alone for one that is not named.
    """
    stale, undated, dead, lines = [], 0, [], dict.fromkeys(_line_names(), 0)
    flagged: list[tuple[str, ...]] = []
    worked = Sources(used=last_worked(states))
    checked = 0
    for base in bases:
        for entry in base.entries:
            if entry.is_stub or entry.state is State.RETIRED:
                continue
            codes = set()
            for finding in lint_entry(entry, base.catalogue, base.lint_ignore):
                codes.add(finding.code)
                if finding.code in ("broken-link", "broken-anchor"):
                    dead.append((base.name, f"{entry.path}:{finding.line}", finding.message))
            standing = standing_of(entry, (sources or {}).get(base.name, worked), today)
            last = standing.last
            undated += last is None
            if last is not None and standing.is_stale(entry.review_every_days, today):
                days, how = (today - last.day).days, confirmed_words(last, today)
                row = (base.name, entry.path, last.day.isoformat(), str(days), how, entry.owner or "–")
                stale.append(row)
            flagged += [
                (base.name, entry.path, flag_words(flag, today), entry.owner or "–")
                for flag in standing.flags
            ]
            if entry.kind in _RESPONSE:
                checked += 1
                for line in _kept(entry, codes):
                    lines[line] += 1
    figures = (
        (str(len(stale)), "entries not confirmed in time"),
        (str(undated), "entries that nobody ever confirmed"),
        (str(len(flagged)), "open flags"),
        (str(len(dead)), "links that lead nowhere"),
    )
    sheets = (
        Sheet(
            "Not confirmed in time",
            "The last review or the last time it worked lies further back than review_every.",
            ("knowledge base", "path", "last confirmed", "days ago", "how", "owner"),
            tuple(sorted(stale, key=lambda row: (-int(row[3]), row[1]))),
        ),
        Sheet(
            "Open flags",
            "What readers said is wrong; a change with the trailer Closes-feedback: answers one.",
            ("knowledge base", "path", "flag", "owner"),
            tuple(sorted(flagged)),
        ),
        Sheet(
            "Checklist",
            f"How many of {checked} runbooks and known fixes keep each line. Help for writers, not a score.",
            ("line", "kept by", "share"),
            tuple((name, str(n), f"{n / checked:.0%}" if checked else "–") for name, n in lines.items()),
        ),
        Sheet(
            "Links that lead nowhere",
            "Inside the knowledge base; addresses on the web are not tried.",
            ("knowledge base", "place", "finding"),
            tuple(sorted(dead)),
        ),
    )
    return KnowledgeReport(
        "health",
        "Health of the knowledge base",
        f"{_about(bases, states, ())} As of {today}.",
        figures,
        sheets,
    )


def _line_names() -> tuple[str, ...]:
    return (*(name for name, _ in CHECKLIST), *_OWN_LINES)


def _kept(entry: Entry, codes: set[str]) -> Iterator[str]:
    for name, breaking in CHECKLIST:
        if not codes & set(breaking):
            yield name
    if any(section.role is Role.SYMPTOMS for section in entry.sections):
        yield _OWN_LINES[0]
    if entry.environment or entry.affected:
        yield _OWN_LINES[1]


def _about(bases: Sequence[ReadBase], states: Sequence[IncidentState], rules: Sequence[AlertRule]) -> str:
    entries = sum(len(base.entries) for base in bases)
    parts = [f"{entries} entries of {', '.join(base.name for base in bases) or 'no knowledge base'}"]
    parts += [f"{len(states)} records"] if states else []
    parts += [f"{len({rule.name for rule in rules})} alerts of rule files"] if rules else []
    return f"Made from {', '.join(parts)}."


def render_knowledge(report: KnowledgeReport, form: str) -> str:
    """Return the report in one of `FORMS`; the same report gives the same bytes.

    Raises:
        ValueError: for another form.
    """
    if form == "text":
        return _written(report, Plain())
    if form == "markdown":
        return _written(report, Markdown())
    if form == "csv":
        return _csv(report)
    if form == "json":
        return _json(report)
    if form == "html":
        sheets = [(sheet.title, sheet.note, sheet.columns, sheet.rows) for sheet in report.sheets]
        return simple_page(report.title, report.about, report.figures, sheets)
    raise ValueError(f"{form!r} is none of {', '.join(FORMS)}")


def _written(report: KnowledgeReport, writer: Writer) -> str:
    blocks = [
        writer.heading(1, report.title),
        writer.paragraph(report.about),
        writer.bullets([f"{what}: {value}" for value, what in report.figures]),
    ]
    for sheet in report.sheets:
        blocks += [writer.heading(2, f"{sheet.title} ({len(sheet.rows)})"), writer.paragraph(sheet.note)]
        blocks.append(writer.table(sheet.columns, sheet.rows) if sheet.rows else writer.paragraph("None."))
    return writer.join(blocks)


def _csv(report: KnowledgeReport) -> str:
    """Return all sheets in one table; the first column says which."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    for sheet in report.sheets:
        writer.writerow(["sheet", *sheet.columns])
        for row in sheet.rows:
            writer.writerow([sheet.title, *(_cell(value) for value in row)])
    return target.getvalue()


def _cell(text: str) -> str:
    shown = one_line(text)
    is_number = shown.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") and not is_number else shown


def _json(report: KnowledgeReport) -> str:
    document = {
        "report": report.name,
        "about": report.about,
        "figures": {what: value for value, what in report.figures},
        "sheets": [
            {
                "title": sheet.title,
                "rows": [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows],
            }
            for sheet in report.sheets
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
