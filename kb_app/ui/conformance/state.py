"""What the conformance page shows: periods, figures, the changes in order, the facts of one. No Qt here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_app.entries.model import Severity
from kb_app.incidents.conformance import Report, Row, Verdict
from kb_app.incidents.events import EventType, format_time, parse_time
from kb_app.incidents.markup import describe, one_line
from kb_app.incidents.report_page import period_text
from kb_app.workspace.proving import ChangeProof, Proof

VERDICT_COLORS = {
    Verdict.BREACH: "danger",
    Verdict.MISSING: "syntax_keyword",
    Verdict.LATE: "mitigate",
    Verdict.OPEN: "info",
    Verdict.CONFORMS: "fix",
}
"""Colour token of each verdict."""
RULES = {
    Verdict.BREACH: "reviewed by author or deployer, pushed though forbidden, chain broken, or unrecorded",
    Verdict.MISSING: "decision, review or follow-up absent and its time has passed",
    Verdict.LATE: "all there, one after its due time",
    Verdict.OPEN: "something pending and still in time",
    Verdict.CONFORMS: "decided, reviewed in time by somebody else, followed up, chain whole",
}


class PeriodChoice(StrEnum):
    """Which period is shown."""

    QUARTER = "quarter"
    YEAR = "year"
    LAST_YEAR = "last-year"
    CUSTOM = "custom"


def period_for(choice: PeriodChoice, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a choice that is not `PeriodChoice.CUSTOM`."""
    if choice is PeriodChoice.QUARTER:
        month = 3 * ((today.month - 1) // 3) + 1
        after = dt.date(today.year + (month == 10), month % 12 + 3 if month != 10 else 1, 1)
        return dt.date(today.year, month, 1), after - dt.timedelta(days=1)
    year = today.year - (choice is PeriodChoice.LAST_YEAR)
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def moments_of(first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Return the moments a period of whole UTC days begins and ends (end excluded)."""
    begin = dt.datetime.combine(first, dt.time(), dt.UTC)
    return begin, dt.datetime.combine(max(first, last), dt.time(), dt.UTC) + dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fact:
    """A figure and what it counts."""

    value: str
    text: str


def facts_of(report: Report) -> tuple[Fact, ...]:
    """Return the figures beside the verdicts."""
    share = "–" if report.share is None else f"{report.share:.1%}"
    return (
        Fact(str(len(report.rows)), _plural(len(report.rows), "emergency change")),
        Fact(share, "of all deploys" if report.share is not None else "no deploy list"),
        Fact(
            "–" if report.listed is None else str(len(report.unrecorded)),
            "deployed without record and review" if report.listed is not None else "not reconciled",
        ),
        Fact(str(report.overrides), "chose otherwise than advised"),
    )


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"


def source_text(proof: Proof) -> str:
    """Return where the figures come from, one sentence."""
    report, history = proof.report, proof.history
    scope = report.scope
    parts = [
        f"{period_text(scope.begin, scope.end)}: deploys of {report.records} records in {proof.place.name}",
        "normal changes left out",
        f"as of {scope.as_of:%Y-%m-%d %H:%M} UTC",
    ]
    parts.append(f"commit {history.commit[:10]}" if history.commit else "no history")
    return one_line(", ".join(parts))


# The changes

COLUMNS: tuple[tuple[str, str, int], ...] = (
    ("Verdict", "verdict", 112),
    ("Change", "change_id", 128),
    ("Service", "service", 104),
    ("Deployed (UTC)", "deployed_at", 152),
    ("Rule", "rule", 56),
    ("Chosen", "chosen", 136),
    ("Deployed by", "deployed_by", 104),
    ("Reviewed by", "reviewed_by", 104),
    ("After", "review_delay_h", 72),
    ("Why", "why", 0),
)
"""Title, field of `Row` and width in pixels; 0 takes what is left."""
_ORDER = {verdict.value: number for number, verdict in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes are listed.

    Attributes:
        verdict: only this one; empty for all.
        words: each must occur somewhere in the change.
    """

    verdict: str = ""
    words: str = ""

    def takes(self, row: Row) -> bool:
        """Tell whether ``row`` is listed."""
        if self.verdict and row.verdict != self.verdict:
            return False
        wanted = self.words.casefold().split()
        if not wanted:
            return True
        text = "\n".join(getattr(row, name) for name in row.__dataclass_fields__).casefold()
        return all(word in text for word in wanted)


def listed(
    rows: Sequence[Row], wanted: ChangeFilter, column: int = -1, *, is_descending: bool = False
) -> tuple[Row, ...]:
    """Return the rows that are listed, sorted by a column of `COLUMNS`; -1 keeps their order."""
    kept = [row for row in rows if wanted.takes(row)]
    if column >= 0:
        field = COLUMNS[column][1]
        kept.sort(key=lambda row: _sort_key(row, field), reverse=is_descending)
    return tuple(kept)


def _sort_key(row: Row, field: str) -> tuple[float, str]:
    value = str(getattr(row, field))
    if field == "verdict":
        return _ORDER.get(value, 9), row.deployed_at
    if field == "review_delay_h":
        return (float(value) if value else float("inf")), row.deployed_at
    return 0, value.casefold()


def cell_text(row: Row, column: int) -> str:
    """Return what a cell of the list shows."""
    field = COLUMNS[column][1]
    value = str(getattr(row, field))
    if field == "deployed_at":
        moment = parse_time(value)
        return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else value
    if field == "review_delay_h":
        return hours_text(value)
    return one_line(value) or "–"


def hours_text(hours: str) -> str:
    """Return a delay in hours as people say it; a negative one came before."""
    if not hours:
        return "–"
    value = float(hours)
    if value < 0:
        return "before"
    return f"{round(value * 60)} min" if value < 1 else f"{value:.1f} h"


# Sources and checks


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One result of checking.

    Attributes:
        standing: ``good``, ``bad`` or ``unknown``.
        title: what was checked.
        text: what came of it.
    """

    standing: str
    title: str
    text: str


def checks_of(proof: Proof) -> tuple[CheckLine, ...]:
    """Return what was checked, what not, and what came of it."""
    return (_chains(proof), _history(proof), _signatures(proof), _reconciled(proof), _policies(proof))


def _chains(proof: Proof) -> CheckLine:
    report = proof.report
    broken = [
        name
        for name, found in report.findings.items()
        if any(finding.severity is Severity.ERROR for finding in found)
    ]
    if broken:
        return CheckLine("bad", "Chains", f"Broken in {len(broken)} of {report.records} records; see below")
    text = f"Whole in all {report.records} records: no event was edited, removed or moved"
    return (
        CheckLine("good", "Chains", text) if report.records else CheckLine("unknown", "Chains", "No records")
    )


def _history(proof: Proof) -> CheckLine:
    history = proof.history
    if history.problem:
        text = f"Not compared: {history.problem}. A file written anew as a whole would not show"
        return CheckLine("unknown", "History", text)
    codes = {f.code for found in history.findings.values() for f in found if f.severity is Severity.ERROR}
    if codes:
        text = f"The records are not what {history.commits} commits hold: {', '.join(sorted(codes))}"
        return CheckLine("bad", "History", text)
    text = f"Every version in {history.commits} commits is the beginning of what is there now; none is gone"
    return CheckLine("good", "History", text)


def _signatures(proof: Proof) -> CheckLine:
    history = proof.history
    if not history.is_signing:
        text = "Signing is not configured: there is no allowed_signers file. Who committed is as stated"
        return CheckLine("unknown", "Signatures", text)
    bad = sum(not text.startswith("ok") for text in history.signatures.values())
    if bad:
        return CheckLine("bad", "Signatures", f"{bad} records have commits without a signature that counts")
    return CheckLine("good", "Signatures", "Every commit is signed with a listed key")


def _reconciled(proof: Proof) -> CheckLine:
    report = proof.report
    if report.listed is None:
        text = "Not reconciled: choose a list of deploys, or a product's clone, to see what the records miss"
        return CheckLine("unknown", "Completeness", text)
    more = f"; {len(report.unlisted)} recorded changes are not in it" if report.unlisted else ""
    more += f"; {len(proof.list_findings)} lines could not be read" if proof.list_findings else ""
    text = (
        f"{len(report.unrecorded)} of {report.listed} deploys in {proof.listed_in} have neither record nor "
        f"review{more}"
    )
    is_good = not report.unrecorded and not proof.list_findings
    return CheckLine("good" if is_good else "bad", "Completeness", one_line(text))


def _policies(proof: Proof) -> CheckLine:
    report = proof.report
    if report.unknown_policies:
        names = ", ".join(revision[:10] for revision in report.unknown_policies[:4])
        text = f"Decisions name versions that were not found: {names}"
        return CheckLine("bad", "Policy", one_line(text))
    if not report.policies:
        text = "No policy.yml beside the records or in the open knowledge bases; the defaults apply"
        return CheckLine("unknown", "Policy", text)
    count = len(report.policies)
    word = "version was" if count == 1 else "versions were"
    return CheckLine("good", "Policy", f"{count} {word} in force; every decision names one of them")


FINDING_COLUMNS = ("Record", "Place", "Weight", "Finding")


def finding_rows(proof: Proof) -> tuple[tuple[str, ...], ...]:
    """Return the findings, what breaks a chain first."""
    weights = {Severity.ERROR: "breaks the chain", Severity.WARNING: "warning", Severity.INFO: "note"}
    found = [
        (list(weights).index(f.severity), name.rsplit("/", 1)[-1], f.place, weights[f.severity], f.message)
        for name, findings in proof.report.findings.items()
        for f in findings
    ]
    return tuple(tuple(one_line(part) for part in row[1:]) for row in sorted(found))


OVERRIDE_COLUMNS = ("Deployed (UTC)", "Change", "Advised", "Chosen", "Who chose", "Verdict", "Why otherwise")


def override_rows(report: Report) -> tuple[tuple[str, ...], ...]:
    """Return who chose otherwise than advised, and why; in the order of `overridden`."""
    return tuple(
        tuple(
            one_line(part) or "–"
            for part in (
                _when(row.deployed_at).removesuffix(" UTC"),
                row.change_id,
                f"{row.recommended} ({row.rule})" if row.rule else row.recommended,
                row.chosen,
                event.by,
                row.verdict,
                row.override_reason,
            )
        )
        for row, event in report.overridden
    )


def overridden(report: Report) -> tuple[Row, ...]:
    """Return the changes that were chosen otherwise than advised, by deployment."""
    return tuple(row for row, _ in report.overridden)


POLICY_COLUMNS = ("Revision", "In force since", "Never pushed unreviewed", "Review due", "What changed")


def policy_rows(report: Report) -> tuple[tuple[str, ...], ...]:
    """Return the versions of the policy that were in force, the oldest first."""
    return tuple(
        (
            policy.revision[:12],
            "ever" if policy.since.year <= 1970 else f"{policy.since:%Y-%m-%d %H:%M}",
            ", ".join(policy.never_unreviewed) or "nothing",
            f"{policy.review_due.total_seconds() / 3600:g} h",
            one_line(policy.subject),
        )
        for policy in report.policies
    )


# One change


@dataclass(frozen=True, slots=True)
class Group:
    """Facts of a change that belong together: a title, and pairs of label and value."""

    title: str
    pairs: tuple[tuple[str, str], ...]


def groups_of(change: ChangeProof, report: Report) -> tuple[Group, ...]:
    """Return the whole chain of one change, in the order an auditor asks for it."""
    row = change.row
    policy = next((p for p in report.policies if p.revision == row.policy_rev), None)
    in_force = f"{row.policy_rev[:12]}" if row.policy_rev else "not stated"
    if policy is not None:
        in_force += f", in force since {policy.since:%Y-%m-%d}: {policy.subject}"
    title = change.state.title if change.state is not None else "no record"
    justified = f"impact {row.impact_at_decision}" if row.impact_at_decision else "not stated"
    return (
        _group(
            "Incident and justification",
            ("Incident", title),
            ("Opened", _when(row.opened_at)),
            ("Justified by", justified),
            ("Advised", f"{row.recommended} (rule {row.rule})" if row.recommended else "no decision stored"),
            ("Chosen", row.chosen),
            ("Reason to override", row.override_reason),
        ),
        _group(
            "Authority and evidence",
            ("Authority", row.authority),
            ("Policy then", in_force),
            ("Test evidence", row.test_evidence),
            ("Never unreviewed", ", ".join(policy.never_unreviewed) if policy is not None else ""),
        ),
        _group(
            "Who did what",
            ("Author", _author(change)),
            ("Deployed by", row.deployed_by),
            ("Reviewed by", row.reviewed_by),
            ("Independent", row.independent),
        ),
        _group(
            "When",
            ("Deployed", _when(row.deployed_at)),
            ("Review", f"{row.review_mode} deployment" if row.review_mode else "not needed"),
            ("Review due", _when(row.review_due)),
            ("Reviewed", _when(row.reviewed_at)),
            ("After", hours_text(row.review_delay_h) if row.review_delay_h else ""),
            ("Review's verdict", row.review_verdict),
        ),
        _group(
            "Follow-up",
            ("Owner", row.followup_owner),
            ("Due", _when(row.followup_due)),
            ("Closed", _when(row.followup_closed)),
            ("Mitigation removed", _when(row.mitigation_removed)),
        ),
        _group(
            "Record",
            ("Chain", row.chain),
            ("Signatures", row.signatures),
            ("Late entries", row.late_entries),
            ("Environment", row.env),
        ),
    )


def _group(title: str, *pairs: tuple[str, str]) -> Group:
    return Group(title, tuple((label, one_line(value) or "–") for label, value in pairs))


def _when(text: str) -> str:
    moment = parse_time(text)
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment is not None else text


def _author(change: ChangeProof) -> str:
    if change.state is None:
        return ""
    return next((d.author for d in change.state.deploys if d.change == change.row.change_id), "")


TIMELINE_COLUMNS = ("Happened (UTC)", "Who", "What", "Event")


def timeline_rows(change: ChangeProof) -> tuple[tuple[str, ...], ...]:
    """Return the timeline of the change's record."""
    if change.state is None:
        return ()
    rows = []
    for moment in change.state.moments:
        event = moment.event
        text = describe(moment.data)
        if event.is_late:
            text += f" (late entry, written {format_time(event.rec)})"
        if moment.corrected_by is not None:
            text += " (corrected)"
        name = "" if event.type == EventType.NOTE else event.type
        rows.append((f"{moment.at:%Y-%m-%d %H:%M:%S}", event.by, text, f"{event.dev} {event.seq} {name}"))
    return tuple(tuple(one_line(part) for part in row) for row in rows)


def hashes_text(change: ChangeProof) -> str:
    """Return the hash of each event of the change's record, one a line."""
    if change.state is None:
        return ""
    return "\n".join(f"{m.event.dev} {m.event.seq} {m.event.hash}" for m in change.state.moments)
