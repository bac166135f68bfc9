"""The conformance report as CSV, Markdown, HTML and JSON; the same report always gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import astuple

from kb_app.incidents.conformance import COLUMNS, Figure, Report, Row, Verdict
from kb_app.incidents.events import format_time
from kb_app.incidents.markup import Form, Markdown, Plain, Writer, describe, one_line, writer_of
from kb_app.incidents.report_page import page
from kb_app.incidents.timeline import IncidentState
from kb_app.incidents.verify import RecordFinding

FORMATS = ("text", "csv", "markdown", "html", "json")
TAMPER_NOTE = (
    "Records are tamper-evident: a chain that is ok shows that no event in it was edited, removed or moved. "
    "It cannot show that a whole file was written anew; seals of other devices, Git history, signatures can."
)
_BREACH_RULE = (
    "reviewer is author or deployer; forbidden tag without prior review; chain broken; "
    "deployed without record and review"
)
_CONFORMS_RULE = (
    "decision stored, review before deployment or independent and in time after, "
    "follow-up owned and in time, chain ok"
)
_VERDICTS = (
    (Verdict.BREACH, _BREACH_RULE),
    (Verdict.MISSING, "decision, review or follow-up absent, and its due time has passed"),
    (Verdict.LATE, "all present, one after its due time"),
    (Verdict.OPEN, "something pending and still in time"),
    (Verdict.CONFORMS, _CONFORMS_RULE),
)
_DETAIL_COLUMNS = (
    "incident_id",
    "change_id",
    "deployed_at",
    "rule",
    "chosen",
    "review_mode",
    "reviewed_by",
    "review_delay_h",
    "verdict",
    "why",
)


def render(report: Report, form: str) -> str:
    """Return the report in one of `FORMATS`.

    Raises:
        ValueError: for another form.
    """
    if form == "text":
        writer = Plain()
        return writer.join(_blocks(report, writer))
    if form == "csv":
        return to_csv(report)
    if form == "markdown":
        return to_markdown(report)
    if form == "html":
        return to_html(report)
    if form == "json":
        return to_json(report)
    raise ValueError(f"{form!r} is none of {', '.join(FORMATS)}")


def to_csv(report: Report) -> str:
    """Return the rows as CSV: the names of the columns first, one line feed a row.

    A cell that a spreadsheet would run as a formula begins with an apostrophe.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in report.rows:
        writer.writerow([_cell(value) for value in astuple(row)])
    return target.getvalue()


def _cell(text: str) -> str:
    shown = one_line(text)
    is_number = shown.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@") and not is_number else shown


def head(report: Report) -> tuple[tuple[str, str], ...]:
    """Return the head of the report: name and value, in order."""
    scope = report.scope
    share = report.share
    population = (
        f"every deploy event of the period in {report.records} records under {scope.source}, "
        "normal changes left out"
    )
    pairs = [
        ("period", f"{format_time(scope.begin)} to {format_time(scope.end)} (end excluded)"),
        ("as of", format_time(scope.as_of)),
        ("population", population),
        ("emergency changes", str(len(report.rows))),
        (
            "found by reconciling",
            "no deploy list was given"
            if report.listed is None
            else f"{len(report.unrecorded)} of {report.listed} listed deploys have neither record nor review",
        ),
        (
            "recorded but not listed",
            ", ".join(report.unlisted) or ("none" if report.listed is not None else "not compared"),
        ),
        ("verdicts", ", ".join(f"{name} {count}" for name, count in report.counts.items())),
        ("share of all changes", "unknown" if share is None else f"{share:.1%}"),
        ("overrides", str(report.overrides)),
        ("report commit", scope.commit or "unknown"),
        ("sample", f"{len(report.sample)} of {len(report.rows)}, seed {scope.seed}"),
        ("unknown policy versions", ", ".join(report.unknown_policies) or "none"),
    ]
    return tuple(pairs)


def _figure_row(figure: Figure) -> tuple[str, ...]:
    if figure.median_minutes is None:
        return figure.name, "–", "–", "0"
    span = f"{figure.lowest_minutes:g} to {figure.highest_minutes:g}"
    return figure.name, f"{figure.median_minutes:g}", span, str(figure.count)


def _policy_rows(report: Report) -> list[tuple[str, ...]]:
    return [
        (policy.revision[:12], format_time(policy.since), ", ".join(policy.never_unreviewed), policy.subject)
        for policy in report.policies
    ]


def _finding_rows(report: Report) -> list[tuple[str, ...]]:
    return [
        (record, f"{finding.file}:{finding.line}", str(finding.byte), finding.severity.value, finding.message)
        for record, findings in sorted(report.findings.items())
        for finding in findings
    ]


def _row_cells(row: Row, columns: Sequence[str]) -> list[str]:
    return [str(getattr(row, column)) for column in columns]


def _blocks(report: Report, writer: Writer) -> list[str]:
    blocks = [
        writer.heading(1, "Conformance of emergency changes"),
        writer.table(("what", "value"), head(report)),
        writer.heading(2, "Verdicts"),
        writer.table(
            ("verdict", "count", "first that applies"),
            [(verdict.value, str(report.counts[verdict.value]), text) for verdict, text in _VERDICTS],
        ),
        writer.heading(2, "Times"),
        writer.paragraph(
            "Medians and ranges in minutes. Differences with and without an entry are observed, not proven."
        ),
        writer.table(("measure", "median", "range", "n"), [_figure_row(f) for f in report.figures]),
        writer.heading(2, "Policy versions in force"),
        writer.table(("revision", "since", "never unreviewed", "subject"), _policy_rows(report))
        if report.policies
        else writer.paragraph("No policy history was given."),
        writer.heading(2, "Changes"),
        writer.table(_DETAIL_COLUMNS, [_row_cells(row, _DETAIL_COLUMNS) for row in report.rows]),
        writer.heading(2, "Sample to read"),
        writer.numbered([f"{change} in {incident or 'no record'}" for incident, change in report.sample])
        if report.sample
        else writer.paragraph("There is nothing to draw from."),
        writer.heading(2, "Check of the records"),
        writer.paragraph(TAMPER_NOTE),
    ]
    if report.findings:
        columns = ("record", "place", "byte", "weight", "finding")
        blocks.append(writer.table(columns, _finding_rows(report)))
    else:
        blocks.append(writer.paragraph("No record has findings."))
    return blocks


def to_markdown(report: Report) -> str:
    """Return the report as Markdown; all columns of a change are in the CSV and the JSON."""
    writer = Markdown()
    return writer.join(_blocks(report, writer))


def to_html(report: Report) -> str:
    """Return the report as one HTML page without scripts; every column of every change is in it."""
    return page(report, head(report), _VERDICTS, TAMPER_NOTE)


def change_page(row: Row, state: IncidentState, findings: Sequence[RecordFinding], form: Form) -> str:
    """Return one page on one change for an auditor: its row, the whole timeline, the check of the record.

    Args:
        row: of the report.
        state: of the record the row names.
        findings: of the check of that record.
        form: how to write it.
    """
    writer = writer_of(form)
    rows = [
        (
            format_time(m.at),
            format_time(m.event.rec),
            m.event.by,
            f"{m.event.dev} {m.event.seq}",
            describe(m.data),
        )
        for m in state.moments
    ]
    hashes = [f"{m.event.dev} {m.event.seq} {m.event.hash}" for m in state.moments]
    return writer.join(
        [
            writer.heading(1, f"{row.change_id} in {row.incident_id}: {row.verdict}"),
            writer.paragraph(f"Because: {row.why}."),
            writer.table(("column", "value"), [(name, str(getattr(row, name))) for name in COLUMNS]),
            writer.heading(2, "Timeline"),
            writer.table(("happened (UTC)", "written (UTC)", "who", "event", "what"), rows),
            writer.heading(2, "Check of the record"),
            writer.paragraph(TAMPER_NOTE),
            writer.bullets([f"{f.file}:{f.line}, byte {f.byte}: {f.message}" for f in findings])
            if findings
            else writer.paragraph("The record has no findings."),
            writer.heading(2, "Hashes"),
            writer.code("\n".join(hashes)),
        ]
    )


def to_json(report: Report) -> str:
    """Return the whole report as JSON, members in a fixed order."""
    document = {
        "head": dict(head(report)),
        "counts": dict(report.counts),
        "figures": [
            {
                "name": figure.name,
                "median_minutes": figure.median_minutes,
                "lowest_minutes": figure.lowest_minutes,
                "highest_minutes": figure.highest_minutes,
                "n": figure.count,
            }
            for figure in report.figures
        ],
        "policies": [
            {
                "revision": policy.revision,
                "since": format_time(policy.since),
                "never_unreviewed": list(policy.never_unreviewed),
                "subject": policy.subject,
            }
            for policy in report.policies
        ],
        "sample": [{"incident_id": incident, "change_id": change} for incident, change in report.sample],
        "changes": [dict(zip(COLUMNS, astuple(row), strict=True)) for row in report.rows],
        "findings": {
            record: [
                {
                    "code": finding.code,
                    "severity": finding.severity.value,
                    "file": finding.file,
                    "line": finding.line,
                    "byte": finding.byte,
                    "message": finding.message,
                }
                for finding in findings
            ]
            for record, findings in sorted(report.findings.items())
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
