"""Secrets that should not be in a knowledge base: tokens, keys and passwords, told by their shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PATTERNS = (
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a private key", r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY-----"),
    ("a GitHub token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,64}\b"),
    ("a Slack token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}\b"),
    ("a Slack webhook", r"hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{16,32}"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}"),
    ("a Stripe key", r"\b[sr]k_live_[0-9A-Za-z]{16,99}\b"),
    ("a password in a URL", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@<>${}]{1,60}:(?P<value>[^\s/:@]{3,100})@"),
)
_ANY = tuple((name, re.compile(pattern)) for name, pattern in _PATTERNS)
_PASSWORD = re.compile(
    r"(?i:\b(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|token))[\"']?\s{0,3}[:=]\s{0,3}"
    r"[\"']?(?P<plain>[^\s\"'`,;<>(){}\[\]$*]{8,120})(?![$<{])"
)
_HINT = re.compile(
    r"AKIA|ASIA|PRIVATE KEY|gh[pousr]_|github_pat|glpat-|xox|hooks\.slack|AIza|eyJ|_live_|://"
    r"|(?i:pass|pwd|secret|key|token)"
)
_STAND_IN = re.compile(
    r"(?i:x{3,}|\*{3,}|\.{3}|example|changeme|change-me|redacted|placeholder|your|dummy|sample|secret"
    r"|password|passwd"
    r"|token|hunter2|foo|bar|test|none|null|true|false|required|enabled|disabled|optional|file|path|env"
    r"|vault|ref)"
)


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """Something that looks like a secret; the secret itself is not kept.

    Attributes:
        what: it looks like.
        line: 1-based.
        is_certain: its shape leaves no doubt; else it may be an example.
    """

    what: str
    line: int
    is_certain: bool


def secrets_in(lines: Sequence[str]) -> tuple[FoundSecret, ...]:
    """Return what looks like a secret in ``lines``, at most one for each line."""
    found = []
    for number, line in enumerate(lines, 1):
        if _HINT.search(line) and (secret := _secret_in(line[:20_000], number)) is not None:
            found.append(secret)
    return tuple(found)


def _secret_in(line: str, number: int) -> FoundSecret | None:
    for name, pattern in _ANY:
        for match in pattern.finditer(line):
            value = match.groupdict().get("value")
            if value is None or not _is_stand_in(value):
                return FoundSecret(name, number, is_certain=True)
    for match in _PASSWORD.finditer(line):
        plain = match.group("plain")
        if not _is_stand_in(plain) and _is_dense(plain):
            return FoundSecret("a password", number, is_certain=False)
    return None


def _is_stand_in(value: str) -> bool:
    return _STAND_IN.search(value) is not None or value[0] in "<${%["


def _is_dense(value: str) -> bool:
    """Tell a password from a word or a path: letters and digits mixed, no separators of prose and paths."""
    has_digit, has_letter = re.search(r"\d", value), re.search(r"[A-Za-z]", value)
    return bool(has_digit and has_letter) and not re.search(r"[/\\:.]", value.rstrip("."))
