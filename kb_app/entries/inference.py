"""What an entry is, told from front matter, folders, file name and headings, each value with its origin.

Nothing is required of an author. Origins are phrases that complete "kind: runbook, …".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from kb_app.entries.durations import days_of
from kb_app.entries.front_matter import FrontMatter
from kb_app.entries.knowledge_base import SUFFIXES, matches
from kb_app.entries.model import (
    Audience,
    Kind,
    KnowledgeBaseConfig,
    Note,
    Path,
    Role,
    Section,
    Severity,
    State,
)
from kb_app.entries.outline import Outline, plain_title

SCHEMA_KEYS = frozenset((
    "kind", "state", "product", "component", "signatures", "affected", "fixed_in", "fix_status", "alerts",
    "answers", "severity", "levers", "rollback", "deploy_time", "push_allowed", "environment", "reviewed",
    "audience",
))  # fmt: skip
"""Keys of this program's own schema: a page that uses them means "Mitigation" and "Fix" as typed paths."""

_FOLDER_KINDS = {
    "internals": Kind.INTERNALS,
    "known-fixes": Kind.KNOWN_FIX,
    "known-fix": Kind.KNOWN_FIX,
    "known-issues": Kind.KNOWN_FIX,
    "runbooks": Kind.RUNBOOK,
    "runbook": Kind.RUNBOOK,
    "alerts": Kind.RUNBOOK,
}
_CONTAINERS = frozenset((
    "content", "contents", "docs", "doc", "documentation", "src", "source", "sources", "kb", "kbs",
    "knowledge-base", "knowledgebase", "pages", "page", "articles", "article", "runbooks", "runbook",
    "alerts", "alert", "known-fixes", "known-fix", "known-issues", "internals", "guides", "guide",
    "manual", "manuals", "website", "site", "main", "markdown", "md", "en", "en-us", "zh", "zh-cn",
    "includes", "troubleshooting", "troubleshoot", "examples", "static", "assets", "playbooks",
    "playbook", "notes", "note", "wiki", "howto", "how-to", "latest", "current",
    "reference", "archive", "archives", "releases", "release-notes", "changes", "concepts", "tutorials",
    "common", "shared", "general", "misc", "",
))  # fmt: skip
"""Folder names that say where pages lie, not what they are about."""
_VERSION = re.compile(r"v?\d+(?:\.(?:\d+|x))*(?:-docs)?|v\d+[a-z0-9.-]*")
_SHELVED = re.compile(r"^(?:deprecated|archived?|old|obsolete)-?")
_SUBJECT_STEMS = ("readme", "index", "_index")
_DAYS = {Kind.RUNBOOK: 180}
_ALERT = re.compile(r"[A-Za-z][a-z0-9]*(?:[A-Z]+[a-z0-9]*)+")
_ONE_WORD = re.compile(r"[A-Z][a-z]{4,}")
_ALERT_IN_TEXT = re.compile(
    r"\balertname\s*=~?\s*[\"']([A-Za-z][A-Za-z0-9_]{3,80})[\"']|^\s*-?\s*alert:\s*([A-Za-z]\w{3,80})\s*$"
)
_ALERT_FOLDERS = ("alerts", "runbooks", "runbook", "deprecated_runbooks", "playbooks")
_TROUBLE = re.compile(
    r"Down|High|Low(?![a-z])|Fail|Error|Full(?![a-z])|Missing|Stuck|Slow|Lag(?![a-z])|Exceed|Saturat|Burn|Expir|Unavail|NotReady"
    r"|Crash|Mismatch|Degrad|Absent|Flap|Overcommit|Unhealthy|Lost|Filling|OutOf|Too[A-Z]|Backlog|Drop|Latency"
    r"|Unreachable|Killed|Reject|Behind|Almost|Detected"
)
"""Words that make a CamelCase name an alert's, where nothing else on the page says so."""
_DEPRECATED = re.compile(
    r"^\W*(?:deprecated|obsolete|archived)\b\W*|\s*[\[(](?:deprecated|obsolete|archived)[\])]\s*$", re.I
)
_MOVED = re.compile(
    r"\b(?:has been|was|is|have been) (?:now )?"
    r"(?:moved|deprecated|renamed|merged|superseded|replaced|removed)\b|\bmoved to\b",
    re.I,
)
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_REVIEWED = ("reviewed", "last_reviewed_on", "last_review_date", "last_reviewed", "ms.date")
_PUBLISHED = ("lastmod", "date")
"""Keys of other programs that say when a page was written: nobody has confirmed it since."""
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_WORDED_DATE = re.compile(r"(?:(\d{1,2})\.?\s+)?([A-Za-z]{3,9})\.?\s+(?:(\d{1,2}),?\s+)?(\d{4})")
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_SEVERITIES = {
    "critical": "sev1",
    "high": "sev2",
    "major": "sev2",
    "medium": "sev3",
    "warning": "sev3",
    "minor": "sev4",
    "low": "sev4",
    "info": "sev4",
}
_SEVERITY = re.compile(r"(?:sev(?:erity)?|s|p)[\s_-]?([1-4])", re.I)

E = TypeVar("E", bound=StrEnum)


@dataclass(slots=True)
class Findings:
    """Where inferred values gather: notes, and field name to origin."""

    notes: list[Note] = field(default_factory=list)
    provenance: dict[str, str] = field(default_factory=dict)

    def note(
        self, code: str, message: str, line: int | None = None, severity: Severity = Severity.WARNING
    ) -> None:
        """Remember one oddity."""
        self.notes.append(Note(code, severity, message, line))


def stem_of(path: str) -> str:
    """Return the file name of ``path`` without its extensions (``.html.md.erb``, ``.gotmpl.md``, …)."""
    name = path.rsplit("/", 1)[-1]
    lowered = name.lower()
    for suffix in SUFFIXES:
        if lowered.endswith(suffix):
            name = name[: -len(suffix)]
            break
    for suffix in (".html", ".gotmpl"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name or "entry"


def id_of(path: str) -> str:
    """Return the id an entry at ``path`` has when none is written: a slug of its file name.

    ``README`` and index files take their folder's name with them, since their own says nothing.
    """
    stem = stem_of(path)
    folders = path.split("/")[:-1]
    if stem.lower() in _SUBJECT_STEMS and folders:
        stem = folders[-1] if stem.lower() != "readme" else f"{folders[-1]}-readme"
    return slug_id(stem) or f"entry-{hashlib.sha256(path.encode('utf-8', 'replace')).hexdigest()[:8]}"


@lru_cache(maxsize=8192)
def slug_id(text: str) -> str:
    """Return ``text`` as an id: lower case ``a-z0-9-``; empty when nothing is left."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _choice(kind: type[E], values: FrontMatter, key: str, findings: Findings) -> E | None:
    written = values.text(key)
    if not written:
        return None
    wanted = "-".join(written.casefold().replace("_", " ").split())
    for choice in kind:
        if wanted in (choice.value, f"{choice.value}s"):
            findings.provenance[key] = "from front matter"
            return choice
    options = ", ".join(choice.value for choice in kind)
    findings.note("unknown-value", f"{key}: {written[:60]!r} is not one of {options}", values.lines.get(key))
    return None


def infer_title(path: str, values: FrontMatter, outline: Outline, findings: Findings) -> tuple[str, str]:
    """Return the title and the first H1 where it differs."""
    headline = ""
    for heading in outline.headings:
        if heading.level == 1:
            if heading.title and not any(mark in heading.raw for mark in ("<%", "{{", "{%")):
                headline = heading.title
            break
    written = plain_title(values.text("title", "Title"))
    if written and "{{" not in written and "<%" not in written:
        findings.provenance["title"] = "from front matter"
        return written, headline if headline != written else ""
    if headline:
        findings.provenance["title"] = "from the first heading"
        return headline, ""
    findings.provenance["title"] = "from the file name"
    return _title_of_path(path), ""


def _title_of_path(path: str) -> str:
    stem = stem_of(path)
    folders = path.split("/")[:-1]
    if stem.lower() in _SUBJECT_STEMS and folders:
        stem = folders[-1]
    if _ALERT.fullmatch(stem):
        return stem
    words = " ".join(re.split(r"[-_\s]+", stem)).strip() or stem
    return words[0].upper() + words[1:] if words.islower() else words


def infer_kind(
    path: str,
    values: FrontMatter,
    *,
    sections: Sequence[Section],
    paths: Sequence[Path],
    alerts: Sequence[str],
    findings: Findings,
) -> Kind:
    """Return the kind: as written, by folder, or by headings."""
    if (kind := _choice(Kind, values, "kind", findings)) is not None:
        return kind
    for folder in reversed(path.split("/")[:-1]):
        if (by_folder := _FOLDER_KINDS.get(folder.lower())) is not None:
            findings.provenance["kind"] = f"from the folder {folder}/"
            return by_folder
    roles = {section.role for section in sections}
    kind, why = Kind.NOTE, "nothing says otherwise"
    if alerts and "alerts" in findings.provenance:
        kind, why = Kind.RUNBOOK, "because it names an alert"
    elif values.items("signatures") or (paths and roles & {Role.CAUSE, Role.SYMPTOMS}):
        kind, why = Kind.KNOWN_FIX, "from headings" if paths else "because it has signatures"
    elif paths and roles & {Role.DIAGNOSIS, Role.MEANING, Role.IMPACT}:
        kind, why = Kind.RUNBOOK, "from headings"
    elif values.items("depends_on", "levers", "deploy_time"):
        kind, why = Kind.INTERNALS, "from front matter keys"
    findings.provenance["kind"] = why
    return kind


def infer_state(values: FrontMatter, findings: Findings) -> State:
    """Return the state; a page that says nothing is unverified."""
    state = _choice(State, values, "state", findings)
    if state is None and values.text("draft").lower() == "true":
        findings.provenance["state"] = "from front matter draft"
        return State.DRAFT
    return state or State.UNVERIFIED


def infer_audience(values: FrontMatter, findings: Findings) -> Audience:
    """Return the audience; other programs use the key ``audience`` with free words, which are left alone."""
    written = values.text("audience").casefold()
    for choice in Audience:
        if written == choice.value:
            findings.provenance["audience"] = "from front matter"
            return choice
    return Audience.INTERNAL


def infer_place(
    path: str, values: FrontMatter, config: KnowledgeBaseConfig, findings: Findings
) -> tuple[str, str]:
    """Return product and component."""
    folders = _subject_folders(path)
    found: list[str] = []
    for index, (name, globs) in enumerate((("product", config.products), ("component", config.components))):
        value, origin = ", ".join(values.items(name)), "from front matter"
        if not value:
            value = next((to for glob, to in globs.items() if matches(glob, path)), "")
            origin = "from kb.yml"
        if not value and index < len(folders):
            value, origin = folders[index], f"from the folder {folders[index]}/"
        if value:
            findings.provenance[name] = origin
        found.append(value)
    return found[0], found[1]


def _subject_folders(path: str) -> list[str]:
    return [f for f in path.split("/")[:-1] if not _is_container(f)]


@lru_cache(maxsize=4096)
def _is_container(folder: str) -> bool:
    words = folder.lower().replace("_", "-")
    if folder.startswith((".", "_")) or _VERSION.fullmatch(words):
        return True
    return words in _CONTAINERS or _SHELVED.sub("", words) in _CONTAINERS


def infer_tags(path: str, values: FrontMatter) -> tuple[str, ...]:
    """Return tags, categories, labels and keywords, then folder names; no repeats."""
    written = [
        part.strip()
        for key in ("tags", "categories", "labels", "keywords")
        for item in values.items(key)
        for part in (item.split(",") if len(item) < 500 else (item,))
    ]
    return tuple(dict.fromkeys(tag for tag in (*written, *_subject_folders(path)) if tag and len(tag) <= 80))


def infer_owner(path: str, values: FrontMatter, config: KnowledgeBaseConfig, findings: Findings) -> str:
    """Return the owner as written, else from the ownership files."""
    for key in ("owner", "owners", "owner_slack", "ms.author", "author", "authors"):
        if owner := values.text(key):
            findings.provenance["owner"] = (
                f"from front matter {key}" if key != "owner" else "from front matter"
            )
            return owner
    for glob, owner in reversed(config.owners):
        if matches(glob, path):
            findings.provenance["owner"] = "from the ownership files"
            return owner
    return ""


def infer_review(values: FrontMatter, kind: Kind, findings: Findings) -> tuple[dt.date | None, int]:
    """Return the day of the last review and how many days one holds."""
    every = _DAYS.get(kind, 365)
    if written := values.text("review_every", "review_in"):
        days = days_of(written)
        if days is None:
            line = values.lines.get("review_every", values.lines.get("review_in"))
            findings.note(
                "bad-duration", f"review_every: {written[:60]!r} is not a duration such as 180d", line
            )
        else:
            every, findings.provenance["review_every_days"] = days, "from front matter"
    for key in (*_REVIEWED, *_PUBLISHED):
        written = values.text(key)
        if not written:
            continue
        if (day := parse_day(written)) is not None:
            origin = "from front matter" if key == "reviewed" else f"from front matter {key}"
            findings.provenance["reviewed"] = origin
            return day, every
        if key in _REVIEWED:
            message = f"{key}: {written[:60]!r} is not a date such as 2025-05-02"
            findings.note("bad-date", message, values.lines.get(key))
        break
    return None, every


def parse_day(text: str) -> dt.date | None:
    """Return the day that ``text`` starts with, or None.

    ``2025-05-02``, ``2025/5/2``, ``05/02/2025`` (month first), ``May 2, 2025`` and ``2 May 2025`` are read.
    """
    if match := _DATE.match(text):
        year, month, day = (int(part) for part in match.groups())
    elif match := _US_DATE.match(text):
        month, day, year = (int(part) for part in match.groups())
    elif match := _WORDED_DATE.match(text):
        before, name, after, digits = match.groups()
        month, day, year = _MONTHS.get(name.lower()[:3], 0), int(before or after or 0), int(digits)
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def infer_severity(values: FrontMatter, findings: Findings) -> str:
    """Return ``sev1`` to ``sev4``, or empty."""
    written = values.text("severity")
    if not written:
        return ""
    match = _SEVERITY.fullmatch(written)
    severity = f"sev{match.group(1)}" if match else _SEVERITIES.get(written.casefold(), "")
    if severity:
        findings.provenance["severity"] = "from front matter"
    else:
        findings.note(
            "unknown-value",
            f"severity: {written[:60]!r} is not one of sev1 to sev4",
            values.lines.get("severity"),
        )
    return severity


_RUNBOOK_ROLES = {Role.MEANING, Role.IMPACT, Role.DIAGNOSIS, Role.MITIGATION}


def infer_alerts(
    path: str, values: FrontMatter, outline: Outline, sections: Sequence[Section], findings: Findings
) -> tuple[str, ...]:
    """Return alert names: as written, else from file name, headings and rule snippets."""
    if written := values.items("alerts", "alert", "alertname"):
        findings.provenance["alerts"] = "from front matter"
        return tuple(dict.fromkeys(written))
    stem = stem_of(path)
    roles = {section.role for section in sections}
    is_runbook = len(roles & _RUNBOOK_ROLES) > 1
    found: dict[str, str] = {}
    headline = ""
    for heading in outline.headings:
        if heading.level == 1 and not headline:
            headline = _DEPRECATED.sub("", heading.title)
            continue
        if heading.level <= 3 and _is_alert(heading.title, humps=3) and _TROUBLE.search(heading.title):
            found[heading.title] = "from headings"
    same = headline.casefold() == stem.casefold()
    in_folder = any(folder.lower() in _ALERT_FOLDERS for folder in path.split("/")[:-1])

    def counts(name: str) -> bool:
        """Tell how sure the page must make us: "PostgreSQL" is a product, also as the title of a runbook."""
        if not _is_alert(name) or is_runbook:
            return _is_alert(name)
        is_telling = _TROUBLE.search(name) is not None
        return (in_folder and (is_telling or _is_alert(name, humps=3))) or (stem == headline and is_telling)

    if counts(stem):
        found = {stem: "from the file name", **found}
    if counts(headline):
        found = {headline: "from the first heading", **found}
    if not found and same and is_runbook and _ONE_WORD.fullmatch(headline):
        found[headline] = "from the first heading"
    if found:
        findings.provenance["alerts"] = next(iter(found.values()))
    return tuple(found)


def _is_alert(text: str, *, humps: int = 2) -> bool:
    if not 6 <= len(text) <= 100 or " " in text or _ALERT.fullmatch(text) is None:
        return False
    return len(re.findall(r"[A-Z]+[a-z0-9]+|[A-Z]{2,}|^[a-z0-9]+", text)) >= humps


def infer_stub(outline: Outline, body_line: int, title: str, state: State) -> bool:
    """Tell whether the page holds nothing of its own."""
    if state is State.RETIRED or _DEPRECATED.search(title):
        return True
    if any(h.level == 1 and _DEPRECATED.search(h.title) for h in outline.headings[:1]):
        return True
    if not _may_be_stub(outline, body_line):
        return False
    content = [
        stripped
        for line in outline.lines[body_line - 1 :]
        if (stripped := line.strip()) and not stripped.startswith(("#", "<!--"))
    ]
    if not content:
        return True
    words = sum(len(line.split()) for line in content[:60])
    if words <= 60 and any(_MOVED.search(line) for line in content):
        return True
    if words <= 3 and content[0].strip(".:").lower() in ("todo", "tbd", "wip"):
        return True
    links = sum(1 for line in content if _LINK_ITEM.fullmatch(line))
    return links >= 3 and links * 10 >= len(content) * 8


def _may_be_stub(outline: Outline, body_line: int) -> bool:
    """Tell, cheaply, whether a page is short or mostly links: pages of prose are no stubs."""
    rest = outline.lines[body_line - 1 :]
    if len(rest) < 40:
        return True
    sample = [line for line in rest[:60] if line.strip() and not line.startswith("#")]
    return sum(1 for line in sample if "](" in line or "http" in line) * 2 >= len(sample)


_LINK_ITEM = re.compile(r"[-*+]\s+(?:\[[^\[\]]*\]\([^()]*\)[.,;]?|<?https?://\S+>?)")


_SENTENCE = re.compile(r"(?<=[.!?。])\s+")
_SUMMARY_ROLES = (Role.MEANING, Role.SYMPTOMS)


def infer_summary(values: FrontMatter, outline: Outline, sections: Sequence[Section]) -> str:
    """Return one or two plain sentences, at most 240 characters; empty when there is no prose."""
    if (written := plain_title(values.text("summary", "description"))) and "{{" not in written:
        return _clipped(written)
    ordered = sorted(
        (s for s in sections if s.role in _SUMMARY_ROLES or s.level <= 2),
        key=lambda s: (s.role not in _SUMMARY_ROLES, s.span.first_line),
    )
    for section in ordered[:6]:
        if text := _first_paragraph(outline, section):
            return _clipped(text)
    return ""


def _first_paragraph(outline: Outline, section: Section) -> str:
    taken: list[str] = []
    first = section.span.first_line if section.level == 0 else section.span.first_line + 1
    for number in range(first, min(section.own_last_line, first + 60) + 1):
        line = outline.lines[number - 1]
        stripped = line.strip()
        if outline.code[number - 1] or not stripped:
            if taken:
                break
            continue
        if stripped[0] in "#>|<![{=-*+:" or stripped.startswith(("---", "===")) or stripped[:2].isdigit():
            if taken:
                break
            continue
        taken.append(stripped)
    return plain_title(" ".join(taken)[:600])


def _clipped(text: str) -> str:
    parts = _SENTENCE.split(text, maxsplit=2)
    text = " ".join(parts[:2])
    return text if len(text) <= 240 else text[:239].rsplit(" ", 1)[0] + "…"
