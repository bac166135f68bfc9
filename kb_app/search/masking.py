"""Pasted text: what in it is volatile, what names an alert, which lines matter.

Volatile parts (times, addresses, identifiers, counters) differ at every occurrence of one problem, so they
are removed before anything is looked up. What looks alike but names the problem stays: dotted status codes
(``5.7.133``), HTTP status codes, hexadecimal error codes (``0x8004de8a``), versions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

MAX_PASTE = 300_000
"""Characters of a paste that are looked at; the rest is a repetition in every log seen."""
MAX_LINES = 400
"""Lines that are read; of more, those that tell of trouble."""
MAX_LINE = 1_000
MAX_SCANNED = 4_000
MAX_READ = 80_000
"""Characters of all lines together."""
MAX_URLS = 20

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_VOLATILE = {
    "date and time, ISO 8601": (
        r"\b\d{4}[-/]\d\d[-/]\d\d"
        r"(?:[T _]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z| ?[+-]\d\d:?\d\d)?)?"
    ),
    "date of an access log": r"\b\d{1,2}/(?:\d\d|[a-z]{3})/\d{2,4}(?::\d\d:\d\d:\d\d(?: [+-]\d{4})?)?",
    "day of the week and date": (
        r"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +(?:\d{1,2} )?" + _MONTH + r"(?: +\d{1,2})?(?: +\d{4})?"
    ),
    "date of syslog": r"\b" + _MONTH + r" {1,2}\d{1,2} \d\d:\d\d:\d\d",
    "time of day": r"\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?: ?[ap]m\b)?",
    "head of klog": r"\b[IWEF]\d{4}\b",
    "UUID": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "MAC address, fingerprint": r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5,}\b",
    "IPv6": r"(?<![\w:.])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}(?::[0-9a-f]{1,4}){0,7}(?:/\d+)?(?![\w:])",
    "IPv4": r"\b" + _BYTE + r"(?:\." + _BYTE + r"){3}(?:/\d{1,2}|:\d{1,5})?(?![\w.])",
    "memory address, offset": r"\b0x(?:[0-9a-f]{9,}|[0-9a-f]{1,5})\b",
    "digest, trace id": r"\b(?:sha256:)?(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{10,}\b",
    "duration, size, share": (
        r"(?<![\w.])\d+(?:\.\d+)?(?:ns|us|\u00b5s|ms|s|m|h|d|kb|mb|gb|kib|mib|gib|ki|mi|gi|b|%)(?![\w.])"
    ),
    "measured value": r"(?<![\w.])(?<!version )\d+\.\d+(?:e[+-]?\d+)?(?![\w.])",
    "counter, port, process": r"(?<![\w.])\d{5,}\b(?!\.\d)",
    "process in brackets": r"\[\d+\]",
    "place in a source file": r"(?<=:)\d+(?::\d+)?(?=[\s:,)\]]|$)",
    "mail address": r"[A-Z0-9._%+-]{1,64}@[A-Z0-9.-]{1,200}\.[A-Z]{2,}",
}
_MASKS = re.compile("|".join(_VOLATILE.values()), re.IGNORECASE)
_POD_HASH = re.compile(
    r"(?<=[a-z0-9])-(?=[a-z0-9]*\d)[a-z0-9]{8,10}-[a-z0-9]{5}\b|(?<=[a-z])-(?=[a-z0-9]*\d)[a-z0-9]{5}\b"
)
_STATUS = re.compile(
    r"\b(?:http(?:/\d(?:\.\d)?)?|status(?:[ _]?code)?|code|errno|error|exit(?:ed)?(?: status| code)?|signal"
    r"|smtp|ora|sqlstate)[ \"':=(#-]{0,4}\d{2,5}\b",
    re.IGNORECASE,
)
_ALERT_LABEL = re.compile(
    r"""\b(?:alert_?name|alert|labels\.alertname)["']?\s*[=:]\s*["']?([a-z][\w.-]{2,100})""", re.IGNORECASE
)
_RUNBOOK_URL = re.compile(r"""\brunbook(?:_?url)?["']?\s*[=:]\s*["']?(https?://[^\s"'<>,]+)""", re.IGNORECASE)
_URL = re.compile(r"""\bhttps?://[^\s"'<>,]+""", re.IGNORECASE)
_FIRING = re.compile(r"\[(?:FIRING|RESOLVED)(?::\d+)?\]\s*(?:\([^)]*\)\s*)?([A-Za-z][\w-]{2,100})")
_SEVERE_WORDS = (
    "error|err|fail(?:ed|ure|s|ing)?|fatal|panic|exception|caused by|critical|alert|denied|refused"
    "|reject(?:ed)?|timed? ?out|timeout|unable|cannot|can't|could not|couldn't|not found|no such"
    "|invalid|expired|unavailable|abort(?:ed)?|killed|oom\\w*|crash\\w*|backoff|back-off|warning|warn"
    "|unhealthy|mismatch|corrupt\\w*|exceeded|lost|missing|forbidden|unauthorized|reset by peer"
    "|broken|stuck|evicted|degraded"
)
_SEVERE = re.compile(rf"(?i:\b(?:{_SEVERE_WORDS})\b)|^E\d{{4}}\b|(?:Error|Exception)\b")
_ROUTINE = re.compile(
    r"(?i:\b(?:info|debug|trace|notice)\b)|^[ID]\d{4}\b"
    r"|\b(?:GET|POST|PUT) /\S*[^\n]{0,200}\b(?:200|204|304)\b"
)

_MACHINE_TIME = re.compile(r"\d\d:\d\d:\d\d|\b\d{10,}\b")
_MACHINE_SIGNS = (
    re.compile(r"\b(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.\d{1,3}){3}\b"),  # an address
    _POD_HASH,
    re.compile(r"\b(?=[0-9a-f-]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b|0x[0-9a-f]{6,}"),
    re.compile(r"[{\[(]\s*\"|\"\s*[:=]|\w=[\"'\w]|\\\""),  # JSON, key=value, escaped quotes
    re.compile(
        r"(?i:^\s*\[?(?:error|fatal|warn(?:ing)?|panic|critical|err|info|traceback)\b)"
        r"|^\s*[A-Z]\w*(?:Error|Exception)\b"
    ),
    re.compile(r"\w: .*\w: .*\w"),  # causes, one after the other
    re.compile(r"/[\w.-]+/[\w.-]+"),  # a path
    re.compile(r"[\"'(\[][^\s\"']+[\"')\]]"),  # a quoted value
)


@dataclass(frozen=True, slots=True)
class PasteLine:
    """A line of a paste without its volatile parts, and how much it counts (0 to 1).

    ``number`` is that of the line in the paste, from 1; 0 when it stands in no line.
    """

    text: str
    weight: float
    number: int = 0


@dataclass(frozen=True, slots=True)
class Paste:
    """A paste, understood.

    Attributes:
        lines: in order, without repeats.
        alerts: names of alerts that are labelled as such (label, annotation, URL), in order.
    """

    lines: tuple[PasteLine, ...]
    alerts: tuple[str, ...]


def is_paste(text: str) -> bool:
    """Tell whether ``text`` is pasted, not typed: several lines, or one line as only a machine writes it."""
    stripped = text.strip()
    if len(stripped) > 240 or "\n" in stripped:
        return True
    if stripped.startswith(("http://", "https://")) or _RUNBOOK_URL.search(stripped):
        return True
    if len(stripped) < 50:
        return False
    signs = sum(bool(sign.search(stripped)) for sign in _MACHINE_SIGNS)
    return signs >= 2 or bool(_MACHINE_TIME.search(stripped))


def mask(text: str) -> str:
    """Return ``text`` with volatile parts replaced by a space.

    >>> mask("2024-05-01T10:00:00Z 10.0.0.7 550 5.7.133 refused 0x8004de8a after 12.5s").split()
    ['550', '5.7.133', 'refused', '0x8004de8a', 'after']
    """
    kept = _STATUS.findall(text)
    masked = _MASKS.sub(" ", _POD_HASH.sub("", text))
    lost = [status for status in kept if status not in masked]
    return " ".join([masked, *lost]) if lost else masked


def read_paste(text: str) -> Paste:
    """Return what a paste says, whatever it is."""
    text = text[:MAX_PASTE]
    alerts: dict[str, None] = {}
    values = _json_values(text)
    numbered = list(enumerate(text.split("\n"), 1))
    if values is not None:
        numbered = [(_line_of(value, text), value) for value in values]
        text = "\n".join(values)
    for found in (*_ALERT_LABEL.findall(text), *_FIRING.findall(text)):
        alerts.setdefault(found.strip(".-_"))
    for url in (*_RUNBOOK_URL.findall(text), *_URL.findall(text)[:MAX_URLS]):
        if name := _name_in_url(url):
            alerts.setdefault(name)
    lines: dict[str, PasteLine] = {}
    for number, line in _telling_lines(numbered):
        masked = " ".join(mask(line).split())
        if masked and masked not in lines:
            weight = 1.0 if _SEVERE.search(line) else 0.55
            if weight < 1 and _ROUTINE.search(line):
                weight = 0.25
            lines[masked] = PasteLine(masked, weight, number)
    return Paste(tuple(lines.values()), tuple(alerts))


def _line_of(value: str, text: str) -> int:
    """Return the line of a JSON document in which the value of ``key: value`` stands, 0: none."""
    written = json.dumps(value.partition(": ")[2][:80])[1:-1]
    at = text.find(written)
    return 1 + text.count("\n", 0, at) if at >= 0 else 0


def _telling_lines(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the lines to read: of a long paste those that tell of trouble first, and never too many."""
    if len(lines) > MAX_LINES:
        severe = [row for row in lines[:MAX_SCANNED] if _SEVERE.search(row[1][:MAX_LINE])]
        lines = [*severe, *lines][:MAX_LINES]
    room, chosen = MAX_READ, []
    for number, line in lines:
        chosen.append((number, line[:MAX_LINE]))
        room -= len(chosen[-1][1])
        if room <= 0:
            break
    return chosen


def _name_in_url(url: str) -> str:
    parts = urlsplit(url)
    name = unquote(parts.fragment or parts.path.rstrip("/").rsplit("/", 1)[-1])
    return re.sub(r"\.(?:html?|md)$", "", name.rsplit("/", 1)[-1])


def _json_values(text: str) -> list[str] | None:
    """Return ``key: value`` lines of a JSON document that is an alert, or None."""
    stripped = text.strip()
    if stripped[:1] not in "{[" or len(stripped) < 2:
        return None
    try:
        document = json.loads(stripped)
    except (ValueError, RecursionError):
        return None
    return list(_walk(document))


def _walk(document: Any) -> Iterator[str]:
    """Yield the texts of a JSON document; the stack is ours, so depth is no danger."""
    stack: list[tuple[str, Any]] = [("", document)]
    while stack:
        key, value = stack.pop()
        if isinstance(value, dict):
            stack.extend(reversed([(str(k), v) for k, v in value.items()]))
        elif isinstance(value, list):
            stack.extend(reversed([(key, v) for v in value]))
        elif isinstance(value, str) and value:
            yield f"{key}: {value}"
