"""Pastes made from a knowledge base's own pages: error lines as in a log, alerts as tools send them.

An error line is taken from a code block of a page; its digits and hexadecimal parts are changed, a prefix of
time, host and process is put before it, and it is hidden in lines of noise. Whoever holds that very line on a
page is a right answer. Alerts are dressed as JSON of Alertmanager, as a chat message, as a page on a phone,
as a link. Text about nothing is made from random words. Everything follows from a seed.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_app.entries.model import Entry

MODELS = ("line", "log-40", "log-200", "trace", "describe", "alertmanager", "chat", "page", "url")
_FENCE = re.compile(r"^ {0,12}(```+|~~~+)")
_SEVERE = re.compile(
    r"(?i)\b(?:error|fail(?:ed|ure)?|fatal|panic|exception|denied|refused|time[d ]*out|unable|cannot"
    r"|could not|not found|invalid|expired|unavailable|killed|crash\w*|backoff|warning|unhealthy|exceeded"
    r"|missing|forbidden)\b"
)
_COMMAND = re.compile(
    r"^\s*(?:[$#>%]\s|(?:sudo|kubectl|oc|helm|docker|curl|git|aws|gcloud|systemctl|journalctl|psql|ssh|cat"
    r"|grep|echo|export|if|for|while|apiVersion|kind|name|image|SELECT|Get-|Set-|New-|-\s)\b)"
    r"|[=:]\s*(?:sum|rate|max|avg)\(|\{\{|^\s*//"
)
_NOISE = (
    "{time} {host} app[{pid}]: INFO request served path=/healthz status=200 duration={n}ms",
    '{time} {host} worker-{n}: level=info msg="loop finished" items={n} took={n}ms',
    "{time} {host} kernel: [{n}.{n}] eth0: link is up at {n} Mbps",
    "{time} {host} agent[{pid}]: DEBUG tick {n}, nothing to do",
    "{time} {host} sshd[{pid}]: session opened for user deploy by (uid={n})",
    "{time} {host} cron[{pid}]: (root) CMD (run-parts /etc/cron.hourly)",
    "{time} {host} app[{pid}]: INFO cache warmed with {n} objects for tenant {uuid}",
    '{time} {host} proxy: {ip} - - "GET /assets/{n}.js HTTP/1.1" 200 {n}',
    "{time} {host} app[{pid}]: INFO user {uuid} signed in from {ip}",
    "{time} {host} metrics: pushed {n} samples in {n}ms",
)


@dataclass(frozen=True, slots=True)
class Paste:
    """A made paste, how it was made, and the paths of pages that answer it (empty: none does)."""

    text: str
    model: str
    answers: frozenset[str]


def error_lines(entries: Sequence[Entry]) -> dict[str, frozenset[str]]:
    """Return the error lines in code blocks and the paths of the pages that hold each."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        for line in _fenced(entry.text):
            text = " ".join(line.split())
            is_message = 30 <= len(text) <= 300 and len(re.findall(r"[A-Za-z]{3,}", text)) >= 5
            if is_message and _SEVERE.search(text) and not _COMMAND.search(text):
                found.setdefault(text, set()).add(entry.path)
    return {line: frozenset(paths) for line, paths in found.items()}


def _fenced(text: str) -> Iterator[str]:
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if match:
            fence = "" if fence else match[1]
        elif fence:
            yield line


def pastes(entries: Sequence[Entry], seed: int) -> Iterator[Paste]:
    """Yield every model of paste for the pages' error lines and alerts."""
    source = random.Random(seed)
    for line, answers in sorted(error_lines(entries).items()):
        changed = _mutate(line, source)
        yield Paste(_log(changed, 2, source), "line", answers)
        yield Paste(_log(changed, 39, source), "log-40", answers)
        yield Paste(_log(changed, 199, source), "log-200", answers)
        yield Paste(_trace(changed, source), "trace", answers)
        yield Paste(_describe(changed, source), "describe", answers)
    alerts: dict[str, set[str]] = {}
    for entry in entries:
        for alert in entry.alerts:
            alerts.setdefault(alert, set()).add(entry.path)
    for alert, paths in sorted(alerts.items()):
        answers = frozenset(paths)
        yield Paste(_alertmanager(alert, source), "alertmanager", answers)
        yield Paste(_chat(alert, source), "chat", answers)
        yield Paste(_page(alert, source), "page", answers)
        yield Paste(f"runbook_url: https://runbooks.example.org/ops/{alert}.html", "url", answers)


def nonsense(words: Sequence[str], count: int, seed: int) -> Iterator[Paste]:
    """Yield texts about nothing: random English words, typed or pasted."""
    source = random.Random(seed)
    for number in range(count):
        lines = 1 if number % 2 else source.randint(2, 12)
        size = source.randint(4, 9)
        text = "\n".join(" ".join(source.choice(words) for _ in range(size)) for _ in range(lines))
        yield Paste(text, "nonsense", frozenset())


def _mutate(line: str, source: random.Random) -> str:
    """Return ``line`` with other digits in numbers of three or more, and in hexadecimal identifiers."""

    def change(match: re.Match[str]) -> str:
        return "".join(
            source.choice("0123456789") if c.isdigit() else source.choice("abcdef") if c in "abcdef" else c
            for c in match.group()
        )

    return re.sub(r"(?<![\w.])(?:\d{4,}|(?=[0-9a-f]*\d)[0-9a-f]{10,})(?![\w.])", change, line)


def _time(source: random.Random) -> str:
    style = source.randrange(3)
    day, hour, minute, second = (
        source.randint(1, 28),
        source.randint(0, 23),
        source.randint(0, 59),
        source.randint(0, 59),
    )
    if style == 0:
        fraction = source.randint(0, 999)
        return f"2025-{source.randint(1, 12):02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z"
    if style == 1:
        return f"Mar {day:2} {hour:02}:{minute:02}:{second:02}"
    return f"2025/{source.randint(1, 12):02}/{day:02} {hour:02}:{minute:02}:{second:02}"


def _uuid(source: random.Random) -> str:
    digits = "".join(source.choice("0123456789abcdef") for _ in range(32))
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _host(source: random.Random) -> str:
    return f"{source.choice(('ip', 'node', 'vm', 'srv'))}-{source.randint(10, 99)}-{source.randint(1, 250)}"


def _noise(source: random.Random) -> str:
    template = source.choice(_NOISE)
    ip = f"10.{source.randint(0, 250)}.{source.randint(0, 250)}.{source.randint(1, 250)}"
    parts = {"time": _time(source), "host": _host(source), "uuid": _uuid(source), "ip": ip}
    return re.sub(r"\{(\w+)\}", lambda m: parts.get(m[1], str(source.randint(1, 99_999))), template)


def _log(line: str, noise: int, source: random.Random) -> str:
    lines = [_noise(source) for _ in range(noise)]
    lines.insert(
        source.randint(0, noise), f"{_time(source)} {_host(source)} app[{source.randint(1, 32000)}]: {line}"
    )
    return "\n".join(lines)


def _trace(line: str, source: random.Random) -> str:
    frames = [
        f"    at com.example.{source.choice(('store', 'web', 'job'))}"
        f".{source.choice(('Handler', 'Runner', 'Client'))}"
        f".{source.choice(('run', 'call', 'apply'))}"
        f"(Source{source.randint(1, 9)}.java:{source.randint(10, 900)})"
        for _ in range(source.randint(6, 20))
    ]
    return "\n".join([f"{_time(source)} ERROR {line}", *frames, f"{_time(source)} INFO shutting down"])


def _describe(line: str, source: random.Random) -> str:
    pod = f"web-{source.randint(10**6, 10**7):x}c9f-{source.choice('bcdfg')}x{source.randint(2, 9)}kz"
    return "\n".join(
        [
            f"Name:             {pod}",
            "Namespace:        shop",
            f"Node:             {_host(source)}/10.0.{source.randint(0, 250)}.{source.randint(1, 250)}",
            "Labels:           app=web",
            "Status:           Running",
            "Events:",
            "  Type     Reason     Age                From     Message",
            "  ----     ------     ----               ----     -------",
            f"  Normal   Pulled     {source.randint(2, 9)}m  kubelet  Container image already present",
            f"  Warning  Failed     {source.randint(2, 50)}s (x{source.randint(2, 40)})  kubelet  {line}",
        ]
    )


def _alertmanager(alert: str, source: random.Random) -> str:
    labels = {
        "alertname": alert,
        "namespace": "shop",
        "pod": f"web-{source.randint(100, 999)}",
        "severity": "critical",
    }
    body = {
        "version": "4",
        "status": "firing",
        "alerts": [
            {"status": "firing", "labels": labels, "startsAt": _time(source), "fingerprint": _uuid(source)}
        ],
    }
    return json.dumps(body, indent=source.choice((None, 2)))


def _chat(alert: str, source: random.Random) -> str:
    return (
        f"[FIRING:{source.randint(1, 4)}] {alert} (shop web critical)\n"
        f"instance = 10.0.0.{source.randint(1, 250)}:9100\n"
        f"Since {_time(source)}\nView in the dashboard | Silence"
    )


def _page(alert: str, source: random.Random) -> str:
    return (
        f"Incident #{source.randint(1000, 99999)}\nService: shop\nalertname: {alert}\n"
        f"cluster: eu-{source.randint(1, 9)}\n"
        f"Triggered {_time(source)}, urgency high\nAcknowledge: reply {source.randint(2, 90)}"
    )


def read_corpus(root: Path) -> list[Entry]:
    """Return all entries of a knowledge base."""
    from kb_app.entries.knowledge_base import load_config, walk
    from kb_app.entries.reading import read_entry

    config = load_config(root)
    return [read_entry(root, file.path, config) for file in walk(root, config).files]
