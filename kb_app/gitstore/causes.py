"""Why git stopped: from its exit, its words and the HTTP answers it got, to one plain sentence.

Pure: text in, a `Cause` out. The words of git (``LC_ALL=C``) are matched loosely, as they change between
releases; for HTTP the status and the content type are read from the trace, which does not change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What stopped a git program."""

    NONE = "none"
    OFFLINE = "offline"
    STALLED = "stalled"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    TOO_MUCH = "too-much-output"
    AUTH_NEEDED = "auth-needed"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    NOT_GIT = "not-git"
    MOVED = "moved"
    SERVER_ERROR = "server-error"
    TLS = "tls"
    HOST_KEY = "host-key"
    PROTOCOL = "protocol"
    LOGIN_IN_ADDRESS = "login-in-address"
    REJECTED = "rejected"
    REF_MISSING = "ref-missing"
    DISK_FULL = "disk-full"
    READ_ONLY = "read-only"
    LOCKED = "locked"
    DAMAGED = "damaged"
    BAD_CONTENT = "bad-content"
    FOREIGN_OWNER = "foreign-owner"
    IDENTITY = "identity"
    SIGNING = "signing"
    NO_PROGRAM = "no-program"
    OTHER = "other"


RETRYABLE = frozenset({Cause.OFFLINE, Cause.STALLED, Cause.TIMED_OUT, Cause.SERVER_ERROR})
"""Causes that pass by themselves; everything else waits for the user."""

SENTENCES: dict[Cause, tuple[str, str]] = {
    Cause.NONE: ("Done", ""),
    Cause.OFFLINE: (
        "The server cannot be reached",
        "Everything here works without it; it is tried again later",
    ),
    Cause.STALLED: ("The server stopped answering", "It is tried again later"),
    Cause.TIMED_OUT: ("It took too long and was stopped", "Try again on a better connection"),
    Cause.CANCELLED: ("Cancelled", ""),
    Cause.TOO_MUCH: ("The answer is larger than this program accepts", "Check that this is a knowledge base"),
    Cause.AUTH_NEEDED: (
        "The server asks for a login",
        "Log in once with git in a terminal, so that a credential helper or an SSH key can answer; then sync",
    ),
    Cause.FORBIDDEN: ("The server knows you but does not let you do this", "Ask the owner for permission"),
    Cause.NOT_FOUND: (
        "There is no repository at this address, or you may not see it",
        "Check the address, and that your account has access",
    ),
    Cause.NOT_GIT: (
        "A web page answered instead of the repository",
        "A login page of the network may stand in between: open a browser, log in there, then sync again",
    ),
    Cause.MOVED: (
        "The server says the repository lies at another address",
        "Check the new address and use it",
    ),
    Cause.SERVER_ERROR: ("The server has a problem of its own", "It is tried again later"),
    Cause.TLS: (
        "The server's certificate is not trusted",
        "Ask your administrator for the company certificate; never switch the check off",
    ),
    Cause.HOST_KEY: (
        "The server's SSH key is unknown or has changed",
        "Connect once with ssh in a terminal and compare the key with the one your administrator names",
    ),
    Cause.PROTOCOL: ("This way of transport is not allowed", "Use an https or ssh address"),
    Cause.LOGIN_IN_ADDRESS: (
        "Your git settings rewrite the address into one that carries a login",
        "Remove that url.….insteadOf from your git settings; a credential helper does the login",
    ),
    Cause.REJECTED: ("The server refused the proposal", "Its reason is in the details"),
    Cause.REF_MISSING: ("The branch is not there any more", "Ask the owner which branch to follow"),
    Cause.DISK_FULL: ("The disk is full", "Free some space; nothing that was saved before is lost"),
    Cause.READ_ONLY: ("The folder cannot be written to", "Check its permissions"),
    Cause.LOCKED: ("Another git program is working here", "Wait until it has finished, then try again"),
    Cause.DAMAGED: ("The local copy is damaged", "Remove it and clone it again; your drafts lie elsewhere"),
    Cause.BAD_CONTENT: (
        "The repository holds something unsafe and was refused",
        "Its owner can find it with: git fsck --strict",
    ),
    Cause.FOREIGN_OWNER: (
        "The folder belongs to another user, and git does not trust it",
        "Ask its owner, or trust it yourself: git config --global --add safe.directory FOLDER",
    ),
    Cause.IDENTITY: ("Git does not know your name and e-mail yet", "Enter both in the settings"),
    Cause.SIGNING: (
        "The signature could not be made",
        "Check that the key set as user.signingKey exists and its agent is running, or switch signing off",
    ),
    Cause.NO_PROGRAM: (
        "Git is not installed",
        "Install git; until then everything can be read but not synced",
    ),
    Cause.OTHER: ("Git stopped with an error", "The details say what git said"),
}

_WORDS: tuple[tuple[Cause, tuple[str, ...]], ...] = (
    (Cause.DISK_FULL, ("no space left on device", "disk quota exceeded", "not enough space")),
    (Cause.FOREIGN_OWNER, ("detected dubious ownership", "unsafe repository")),
    (
        Cause.SIGNING,
        (
            "failed to sign",
            "gpg failed",
            "signing failed",
            "couldn't load public key",
            "couldn't find key",
            "no private key",
            "cannot run gpg",
        ),
    ),
    (
        Cause.IDENTITY,
        (
            "please tell me who you are",
            "empty ident name",
            "unable to auto-detect email",
            "no email was given",
            "auto-detection is disabled",
        ),
    ),
    (Cause.LOGIN_IN_ADDRESS, ("uses plaintext credentials",)),
    (Cause.LOCKED, (r"\.lock': file exists", "index file lock", "another git process", "unable to lock")),
    (
        Cause.BAD_CONTENT,
        (
            "fsck error",
            "error in (?:object|tree|blob|tag|commit)",
            "refusing to (?:check|create)",
            "invalid path '",
            "malformed",
            "hasdotgit",
            "fullpathname",
        ),
    ),
    (
        Cause.PROTOCOL,
        ("transport '.*' not allowed", "remote helper", r"protocol .* not (?:supported|allowed)"),
    ),
    (Cause.HOST_KEY, ("host key verification failed", "remote host identification has changed")),
    (
        Cause.AUTH_NEEDED,
        (
            "could not read (?:username|password)",
            "authentication failed",
            r"permission denied \(",
            "terminal prompts disabled",
            "no supported authentication",
            "too many authentication failures",
            "returned error: 401",
        ),
    ),
    (Cause.TLS, ("ssl", "certificate", "gnutls", "schannel")),
    (
        Cause.FORBIDDEN,
        (
            "returned error: 403",
            r"permission to \S+ denied to",
            "access denied",
            "not authorized",
            "protected branch",
            "service not enabled",
        ),
    ),
    (
        Cause.NOT_FOUND,
        (
            r"repository '?[^\n]*'? not found",
            "returned error: 404",
            "does not appear to be a git repository",
            "repository not exported",
            "does not exist",
            "no such repository",
            "could not find repository",
            "not a git repository",
        ),
    ),
    (Cause.MOVED, ("returned error: 30[1278]",)),
    (Cause.SERVER_ERROR, (r"returned error: 5\d\d", "internal server error")),
    (Cause.REF_MISSING, ("couldn't find remote ref", r"remote branch \S+ not found")),
    (
        Cause.NOT_GIT,
        (
            "not valid: is this a git repository",
            "invalid content-type",
            "bad line length character",
            "protocol error: bad",
            "expected flush",
        ),
    ),
    (Cause.STALLED, ("operation too slow", "timed? ?out", "timeout")),
    (
        Cause.OFFLINE,
        (
            "could not resolve",
            "couldn't resolve",
            "failed to connect",
            "couldn't connect",
            "unable to connect",
            "unable to look up",
            "connection refused",
            "connection (?:was )?reset",
            "connection closed",
            "connection aborted",
            "network is unreachable",
            "no route to host",
            "temporary failure in name resolution",
            "remote end hung up",
            "early eof",
            "empty reply",
            "transfer closed",
            "broken pipe",
            "unexpected disconnect",
            "recv failure",
            "rpc failed",
            "kex_exchange",
            "pipe closed",
            "invalid index-pack output",
            "premature end",
        ),
    ),
    (
        Cause.REJECTED,
        (
            r"\[remote rejected\]",
            r"\[rejected\]",
            "pre-receive hook declined",
            "failed to push some refs",
            "remote unpack failed",
        ),
    ),
    (
        Cause.READ_ONLY,
        ("read-only file system", "permission denied", "unable to create", "insufficient permission"),
    ),
    (
        Cause.DAMAGED,
        (
            "bad object",
            "object file .* is empty",
            "loose object",
            "bad signature",
            "corrupt",
            "inflate",
            "missing blob",
            "missing tree",
            "unable to read tree",
            "bad tree",
            "index file smaller",
            "bad index file",
        ),
    ),
)
_PATTERNS = tuple((cause, re.compile("|".join(words), re.IGNORECASE)) for cause, words in _WORDS)

_STATUS = re.compile(r"Recv header[^:]*:\s*HTTP/[\d.]+\s+(\d{3})")
_HEADER = re.compile(r"Recv header[^:]*:\s*(content-type|location):\s*([^\r\n]{0,2000})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered to one request: status, content type, redirect target; each may be absent."""

    status: int | None = None
    content_type: str = ""
    location: str = ""


def http_answers(trace: str) -> tuple[HttpAnswer, ...]:
    """Return the answers of a ``GIT_TRACE_CURL`` text in order."""
    answers: list[HttpAnswer] = []
    for line in trace.splitlines():
        if (status := _STATUS.search(line)) is not None:
            answers.append(HttpAnswer(int(status.group(1))))
        elif answers and (header := _HEADER.search(line)) is not None:
            last, value = answers[-1], header.group(2).strip()
            if header.group(1).lower() == "location":
                answers[-1] = HttpAnswer(last.status, last.content_type, value)
            else:
                answers[-1] = HttpAnswer(last.status, value.split(";")[0].strip().lower(), last.location)
    return tuple(answers)


def cause_of(code: int, stderr: str, answers: tuple[HttpAnswer, ...] = ()) -> Cause:
    """Return why a git program that ended by itself stopped.

    Args:
        code: its exit code.
        stderr: what it said, in English.
        answers: HTTP answers it got, in order; empty for other transports.
    """
    if (found := _http_cause(code, answers)) is not None:
        return found
    if code == 0:
        return Cause.NONE
    for cause, pattern in _PATTERNS:
        if pattern.search(stderr):
            # a git server's answer that breaks off half-way reads like nonsense, too
            is_cut = cause is Cause.NOT_GIT and bool(answers) and _is_git(answers[-1])
            return Cause.OFFLINE if is_cut else cause
    return Cause.OTHER


def _http_cause(code: int, answers: tuple[HttpAnswer, ...]) -> Cause | None:
    if not answers:
        return None
    last = answers[-1]
    status = last.status or 0
    is_git = _is_git(last)
    is_cut = code != 0 and not last.content_type  # the connection broke before the answer's kind was known
    if 200 <= status < 300 and not is_git and not is_cut:
        return Cause.NOT_GIT
    if code == 0 or status < 300:
        return None
    table = {
        401: Cause.AUTH_NEEDED,
        407: Cause.AUTH_NEEDED,
        403: Cause.FORBIDDEN,
        404: Cause.NOT_FOUND,
        410: Cause.NOT_FOUND,
        511: Cause.NOT_GIT,
        429: Cause.SERVER_ERROR,
    }
    if status in table:
        return table[status]
    if status < 400:
        return Cause.MOVED
    return Cause.SERVER_ERROR if status >= 500 else Cause.FORBIDDEN


def _is_git(answer: HttpAnswer) -> bool:
    return answer.content_type.startswith("application/x-git-")
