"""The conformance report as one HTML page: no script, no file beside it, the same bytes each time.

Decision: charts are inline SVG whose colours are custom properties of the page, so that one picture serves
light, dark and print. Nothing is loaded: the page's own policy forbids it.
"""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Sequence

from kb_app.incidents.charts import Chart, Look, charts_of, verdict_mark
from kb_app.incidents.conformance import COLUMNS, Report, Row, Verdict
from kb_app.incidents.events import format_time, parse_time
from kb_app.incidents.markup import one_line

PAGE_LOOK = Look(
    text="var(--text)",
    text2="var(--text2)",
    grid="var(--line)",
    surface="var(--page)",
    accent="var(--accent)",
    verdicts={verdict.value: f"var(--{verdict.value})" for verdict in Verdict},
    on_verdict="var(--on)",
    family="inherit",
)
STYLE = """
:root{--page:#fff;--soft:#f6f7f9;--line:#e2e5ea;--text:#1b1f27;--text2:#474e5d;--text3:#5f6878;
--accent:#2f55d4;--on:#fff;--breach:#b3261e;--missing:#6f42c1;--late:#8f4700;--open:#1f5fa8;--conforms:#0a6640}
@media screen and (prefers-color-scheme:dark){:root{--page:#1a1d24;--soft:#22262f;--line:#2c313b;
--text:#e6e8ed;--text2:#b7bdc9;--text3:#98a0af;--accent:#8fa8ff;--on:#14161b;--breach:#ff9a90;--missing:#c8a6ff;--late:#f2b467;
--open:#8ec1f7;--conforms:#6fd0a1}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:14px/1.5 Inter,"Segoe UI",Roboto,"Helvetica Neue",
Arial,sans-serif}
main{max-width:1040px;margin:0 auto;padding:40px 32px 64px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:17px;margin:40px 0 12px;padding-top:16px;border-top:1px solid var(--line)}
h3{font-size:14px;margin:0 0 2px}
p{margin:0 0 12px;max-width:76ch}a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.sub{color:var(--text2);font-size:15px}.note{color:var(--text3);font-size:12.5px}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:12px;margin:24px 0 12px;padding:0;list-style:none}
.tiles li{border:1px solid var(--line);border-top:4px solid var(--c);border-radius:8px;padding:12px 16px}
.tiles b{display:block;font-size:34px;line-height:1.15;font-weight:650;font-variant-numeric:tabular-nums}
.tiles span{display:flex;align-items:center;gap:6px;color:var(--c);font-weight:600}
.facts{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin:0 0 8px;padding:0;list-style:none}
.facts li{background:var(--soft);border-radius:8px;padding:10px 16px;color:var(--text2);font-size:12.5px}
.facts b{display:block;font-size:19px;color:var(--text);font-variant-numeric:tabular-nums}
figure{margin:32px 0 28px;break-inside:avoid}figcaption{color:var(--text2);margin:0 0 10px}
figure svg{max-width:100%;height:auto;display:block}
details{font-size:12.5px;margin-top:8px}summary{cursor:pointer;color:var(--text3)}
table{border-collapse:collapse;width:100%;font-size:12.5px;margin:0 0 12px}
th,td{text-align:left;vertical-align:top;padding:6px 12px 6px 0;border-bottom:1px solid var(--line);
overflow-wrap:break-word}td:last-child{overflow-wrap:anywhere;padding-right:0}
th{color:var(--text2);font-weight:600}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
td.t,td.id,td.w{white-space:nowrap;font-variant-numeric:tabular-nums}
code,.id{font-family:ui-monospace,"JetBrains Mono",Menlo,Consolas,monospace;font-size:.92em}
.verdict{display:inline-flex;align-items:center;gap:4px;vertical-align:-.18em;
color:var(--c);font-weight:600;white-space:nowrap}
.change{border:1px solid var(--line);border-radius:8px;padding:14px 16px 6px;margin:0 0 12px;
break-inside:avoid}
.change dl{display:grid;grid-template-columns:repeat(3,1fr);gap:6px 24px;margin:10px 0 8px;font-size:12.5px}
.change dt{color:var(--text3);font-size:11px}.change dd{margin:0;overflow-wrap:anywhere}
.breach{--c:var(--breach)}.missing{--c:var(--missing)}.late{--c:var(--late)}.open{--c:var(--open)}
.conforms{--c:var(--conforms)}
@page{size:A4;margin:16mm 14mm}
@media print{body{font-size:10.5pt}table{font-size:8pt}th,td{padding-right:8px}
details:not([open]){display:none}
main{padding:0;max-width:none}h2{break-after:avoid}thead{display:
table-header-group}tr{break-inside:avoid}a{color:inherit}.tiles,.facts{break-inside:avoid}
.tiles li{-webkit-print-color-adjust:exact;print-color-adjust:exact}svg *{print-color-adjust:exact}}
@media (max-width:720px){.tiles,.facts,.change dl{grid-template-columns:repeat(2,1fr)}}
"""
_LOADS_NOTHING = "default-src 'none'; style-src 'unsafe-inline'"
_UNBROKEN = ("rule", "chosen", "review_delay_h")
_SHOWN = (
    ("deployed", "deployed_at"),
    ("change", "change_id"),
    ("service", "service"),
    ("rule", "rule"),
    ("chosen", "chosen"),
    ("reviewed by", "reviewed_by"),
    ("after (h)", "review_delay_h"),
)


def page(
    report: Report, head: Sequence[tuple[str, str]], rules: Sequence[tuple[Verdict, str]], note: str
) -> str:
    """Return the whole page.

    Args:
        report: what is shown.
        head: name and value of the report's head.
        rules: each verdict and the rule it follows.
        note: what a check of records can show, and what it cannot.
    """
    parts = [
        _top(report),
        _tiles(report),
        _facts(report),
        *(_figure(chart) for chart in charts_of(report, PAGE_LOOK, width=960)),
        _section("How this was made", _pairs(head)),
        _section("What the verdicts mean", _rules(rules)),
        _section("Policy versions in force", _policies(report)),
        _section("Changes", _changes(report)),
        _section("Sample to read", _sample(report)),
        _section("Check of the records", f'<p class="note">{_t(note)}</p>', _findings(report)),
        _section("Every column of every change", *(_change(row) for row in report.rows)),
    ]
    period = period_text(report.scope.begin, report.scope.end)
    return _document(f"Conformance of emergency changes, {period}", "\n".join(parts))


def _document(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_LOADS_NOTHING}">\n'
        f"<title>{_t(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n"
        "</main>\n</body>\n</html>\n"
    )


def period_text(begin: dt.datetime, end: dt.datetime) -> str:
    """Return a period as people write it: ``2025``, ``Q2 2025``, ``June 2025`` or two days."""
    last = end - dt.timedelta(microseconds=1)
    is_whole = begin.day == 1 and end.day == 1 and begin.hour == end.hour == 0
    months = (end.year - begin.year) * 12 + end.month - begin.month
    if is_whole and months == 12 and begin.month == 1:
        return str(begin.year)
    if is_whole and months == 3 and begin.month % 3 == 1:
        return f"Q{(begin.month + 2) // 3} {begin.year}"
    if is_whole and months == 1:
        return f"{begin:%B %Y}"
    return f"{begin.day} {begin:%B %Y} to {last.day} {last:%B %Y}"


def _t(text: str) -> str:
    return html.escape(one_line(text))


def _top(report: Report) -> str:
    scope = report.scope
    commit = f", commit {scope.commit[:12]}" if scope.commit else ""
    return (
        "<header><h1>Conformance of emergency changes</h1>"
        f'<p class="sub">{_t(period_text(scope.begin, scope.end))}, as of {_t(format_time(scope.as_of))}'
        f"{_t(commit)}</p></header>"
    )


def _tiles(report: Report) -> str:
    items = []
    for verdict in Verdict:
        count = report.counts[verdict.value]
        mark = verdict_mark(verdict.value, "currentColor")
        items.append(f'<li class="{verdict.value}"><b>{count}</b><span>{mark}{verdict.value}</span></li>')
    return f'<ul class="tiles">{"".join(items)}</ul>'


def _facts(report: Report) -> str:
    share = "unknown" if report.share is None else f"{report.share:.1%}"
    unrecorded = "not compared" if report.listed is None else str(len(report.unrecorded))
    facts = (
        (str(len(report.rows)), f"emergency changes in {report.records} records"),
        (share, "of all changes"),
        (unrecorded, "deploys without record and review"),
        (str(report.overrides), "chose otherwise than advised"),
    )
    return '<ul class="facts">' + "".join(f"<li><b>{_t(n)}</b>{_t(w)}</li>" for n, w in facts) + "</ul>"


def _figure(chart: Chart) -> str:
    table = _table(chart.columns, chart.rows, numbers=range(1, len(chart.columns)))
    return (
        f"<figure><h3>{_t(chart.title)}</h3><figcaption>{_t(chart.summary)}</figcaption>{chart.svg}"
        f"<details><summary>As a table</summary>{table}</details></figure>"
    )


def _section(title: str, *blocks: str) -> str:
    return f"<section><h2>{_t(title)}</h2>{''.join(blocks)}</section>"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    marks = ['class="n"' if n in numbers else "" for n in range(len(head))]
    top = "".join(f'<th scope="col" {m}>{_t(c)}</th>' for c, m in zip(head, marks, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td {m}>{_t(c)}</td>" for c, m in zip(row, marks, strict=True)) + "</tr>\n"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table>".replace(" >", ">")


def _pairs(head: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f'<tr><th scope="row">{_t(name)}</th><td>{_t(value)}</td></tr>\n' for name, value in head)
    return f"<table><tbody>\n{rows}</tbody></table>"


def _rules(rules: Sequence[tuple[Verdict, str]]) -> str:
    rows = "".join(f"<tr><td>{_verdict(v.value)}</td><td>{_t(rule)}</td></tr>\n" for v, rule in rules)
    return f'<p class="note">The first that applies counts.</p><table><tbody>\n{rows}</tbody></table>'


def _verdict(verdict: str) -> str:
    return f'<span class="verdict {_t(verdict)}">{verdict_mark(verdict, "currentColor")}{_t(verdict)}</span>'


def _policies(report: Report) -> str:
    if not report.policies:
        return "<p>No policy history was given.</p>"
    rows = [
        (
            p.revision[:12],
            format_time(p.since),
            ", ".join(p.never_unreviewed),
            _hours(p.review_due),
            p.subject,
        )
        for p in report.policies
    ]
    return _table(("revision", "in force since", "never unreviewed", "review due", "what changed"), rows)


def _hours(span: dt.timedelta) -> str:
    return f"{span.total_seconds() / 3600:g} h"


def _changes(report: Report) -> str:
    top = "".join(f'<th scope="col">{name}</th>' for name in ("verdict", *(n for n, _ in _SHOWN), "why"))
    body = "".join(_change_line(row) for row in report.rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table>"


def _change_line(row: Row) -> str:
    cells = [f"<td>{_verdict(row.verdict)}</td>"]
    for _, column in _SHOWN:
        value = str(getattr(row, column))
        if column == "change_id":
            cells.append(f'<td class="id"><a href="#{_anchor(row)}">{_t(value)}</a></td>')
        elif column == "deployed_at":
            cells.append(f'<td class="t">{_t(_minute(value))}</td>')
        else:
            mark = ' class="w"' if column in _UNBROKEN else ""
            cells.append(f"<td{mark}>{_t(value) or '–'}</td>")
    return f"<tr>{''.join(cells)}<td>{_t(row.why)}</td></tr>\n"


def _minute(text: str) -> str:
    moment = parse_time(text)
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else text


def _sample(report: Report) -> str:
    if not report.sample:
        return "<p>There is nothing to draw from.</p>"
    rows = {(row.incident_id, row.change_id): row for row in report.rows}
    items = "".join(
        f'<li><a href="#{_anchor(rows[key])}"><span class="id">{_t(key[1])}</span></a> in '
        f"{_t(key[0]) or 'no record'} {_verdict(rows[key].verdict)}</li>"
        for key in report.sample
        if key in rows
    )
    how = (
        f"{len(report.sample)} of {len(report.rows)}, seed {report.scope.seed}: ordered by the SHA-256 of "
        "seed, incident and change, one a line, so that anybody can draw the same."
    )
    return f'<p class="note">{_t(how)}</p><ol>{items}</ol>'


def _findings(report: Report) -> str:
    if not report.findings:
        return "<p>No record has findings.</p>"
    rows = [
        (record, f.place, f.severity.value, f.message)
        for record, findings in sorted(report.findings.items())
        for f in findings
    ]
    return _table(("record", "place", "weight", "finding"), rows)


def _change(row: Row) -> str:
    values = "".join(
        f"<div><dt>{_t(name)}</dt><dd>{_t(str(getattr(row, name))) or '–'}</dd></div>"
        for name in COLUMNS
        if name not in ("verdict", "why")
    )
    title = f"{row.change_id} in {row.incident_id or 'no record'}"
    return (
        f'<section class="change" id="{_anchor(row)}"><h3>{_t(title)}</h3>{_verdict(row.verdict)} '
        f"{_t(row.why)}<dl>{values}</dl></section>\n"
    )


def _anchor(row: Row) -> str:
    name = f"{row.incident_id}-{row.change_id}-{row.env}".strip("-")
    return html.escape("".join(c if c.isalnum() or c in "-_." else "-" for c in name), quote=True)


def simple_page(
    title: str,
    about: str,
    figures: Sequence[tuple[str, str]],
    sheets: Sequence[tuple[str, str, Sequence[str], Sequence[Sequence[str]]]],
) -> str:
    """Return a page in the same style: a title, a sentence, figures, and tables with a note each.

    Args:
        title: a few words.
        about: one sentence.
        figures: value and what it counts.
        sheets: title, note, columns, rows.
    """
    facts = "".join(f"<li><b>{_t(value)}</b>{_t(what)}</li>" for value, what in figures)
    sections = [
        _section(
            f"{name} ({len(rows)})",
            f'<p class="note">{_t(note)}</p>',
            _table(columns, rows) if rows else "<p>None.</p>",
        )
        for name, note, columns, rows in sheets
    ]
    top = f'<header><h1>{_t(title)}</h1><p class="sub">{_t(about)}</p></header>'
    return _document(title, "\n".join([top, f'<ul class="facts">{facts}</ul>', *sections]))
