"""Names that reach git: addresses, branches, remotes, paths, messages. Each is checked once, here.

Decision: an allow-list of forms, not a deny-list of tricks. What passes can be given to git as an operand
without being read as an option, a helper (``ext::``), another repository or a second line of a credential
request. Credentials in an address are refused: they would end up in files, process lists and logs.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import NewType
from urllib.parse import unquote, urlsplit

from kb_app.errors import UsageError

CommitId = NewType("CommitId", str)
"""Full hexadecimal name of a commit, 40 (SHA-1) or 64 (SHA-256) digits."""

MAX_ADDRESS = 2_000
MAX_NAME = 200
MAX_MESSAGE = 20_000
MAX_PATH = 1_000

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")
_SCP = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@)?(?P<host>[^/:@\[\]]{2,}|\[[0-9a-fA-F:]+\]):(?P<path>.+)"
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[?[0-9a-fA-F:]+\]?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_REMOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|\[?::1\]?", re.IGNORECASE)
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)


class Transport(StrEnum):
    """How a remote is reached; each is also git's own name for it."""

    HTTPS = "https"
    SSH = "ssh"
    HTTP = "http"
    GIT = "git"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """A checked address of a remote.

    Attributes:
        text: what git is given; never holds a password, a token, a query or a control character.
        transport: how it is reached.
        host: in lower case with its port, empty for a folder.
        path: what follows the host, without a leading ``/`` (a folder: its absolute path).
    """

    text: str
    transport: Transport
    host: str
    path: str

    @property
    def is_loopback(self) -> bool:
        """The host is this very machine."""
        return bool(_LOOPBACK.fullmatch(re.sub(r":\d+$", "", self.host)))


def has_control(text: str, *, allowed: str = "") -> bool:
    """Tell whether ``text`` holds control, format, surrogate or line-separator characters but ``allowed``."""
    return any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in allowed for c in text)


def parse_address(text: str, *, allow_insecure: bool = False) -> RemoteAddress:
    """Return the checked address.

    Args:
        text: ``https://host/path``, ``ssh://[user@]host/path``, ``[user@]host:path``, or an absolute folder
            (a bare repository); ``http://`` and ``git://`` for this machine only.
        allow_insecure: accept unencrypted ``http://`` and ``git://`` to any host (the user was asked).

    Raises:
        UsageError: for anything else; the sentence never repeats a credential.
    """
    address = text.strip(" ")
    decoded = unquote(unquote(address))
    if not address or len(address) > MAX_ADDRESS:
        raise _refused("is empty" if not address else "is too long")
    if has_control(address) or has_control(decoded):
        raise _refused("holds control or invisible characters")
    if address.startswith("-") or "::" in address.split("/", 1)[0].partition("[")[0]:
        raise _refused("is an option or a helper program, not a place")
    if (match := _SCHEME.match(address)) is not None:
        return _from_url(address, match.group(0).lower(), allow_insecure=allow_insecure)
    if address.startswith(("//", "\\\\")):
        raise _refused("is a network share")
    if address.startswith(("/", "~/")) or _DRIVE.match(address):
        folder = str(Path(address).expanduser())
        return RemoteAddress(folder, Transport.FILE, "", folder)
    if (scp := _SCP.fullmatch(address)) is not None:
        return _from_scp(address, scp)
    raise _refused("is not of a known form")


def _refused(why: str) -> UsageError:
    return UsageError(
        f"The address {why}",
        "Use https://host/team/knowledge.git, git@host:team/knowledge.git, or the full path of a folder",
    )


def _from_url(address: str, scheme: str, *, allow_insecure: bool) -> RemoteAddress:
    if scheme not in set(Transport):
        raise _refused("uses a protocol that is not allowed here")
    transport = Transport(scheme)
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise _refused("cannot be read") from error
    if parts.query or parts.fragment:
        raise UsageError(
            "The address carries a query or a fragment, which may hold a token",
            "Give the plain address; a credential helper or an SSH key does the login",
        )
    if parts.password is not None or (parts.username and transport is not Transport.SSH):
        raise UsageError(
            "The address carries a login; it would be readable in files and logs",
            "Leave it out; a credential helper or an SSH key does the login",
        )
    if transport is Transport.FILE:
        return _from_file_url(parts.netloc, unquote(parts.path))
    host, user = parts.hostname or "", parts.username or ""
    if not _HOST.fullmatch(host) or (user and not _USER.fullmatch(user)) or "\\" in address:
        raise _refused("names no host that can be used")
    if not parts.path.strip("/"):
        raise _refused("names a host but no repository")
    if unquote(parts.path).startswith(("/-", "//")):
        raise _refused("has a path that reads as an option")
    shown = host.lower() + (f":{port}" if port is not None else "")
    found = RemoteAddress(address, transport, shown, parts.path.lstrip("/"))
    if transport in (Transport.HTTP, Transport.GIT) and not (allow_insecure or found.is_loopback):
        raise UsageError(
            f"{scheme}:// to {shown} is not encrypted: anyone on the way can change the text",
            "Use https:// or ssh://",
        )
    return found


def _from_file_url(netloc: str, path: str) -> RemoteAddress:
    if netloc not in ("", "localhost"):
        raise _refused("is a network share")
    if re.match(r"/[A-Za-z]:/", path):
        path = path[1:]
    if not (path.startswith("/") or _DRIVE.match(path)) or path.startswith("//"):
        raise _refused("is not the full path of a folder")
    return RemoteAddress(path, Transport.FILE, "", path)


def _from_scp(address: str, match: re.Match[str]) -> RemoteAddress:
    host, path = match["host"], match["path"]
    # "data:text/plain" has the form of host:path too
    looks_like_host = match["user"] or "." in host or path.endswith(".git")
    if not (looks_like_host and _HOST.fullmatch(host) and re.fullmatch(r"(?!-)[\w~/.+ -]+", path)):
        raise _refused("names no host that can be used")
    return RemoteAddress(address, Transport.SSH, host.lower(), path.lstrip("/"))


def check_branch(name: str) -> str:
    """Return ``name`` if it is a branch name by git's rules and can be read by a person.

    Raises:
        UsageError: when it is not.

    Source: ``git check-ref-format``.
    """
    parts = name.split("/")
    is_bad = (
        not name
        or len(name) > MAX_NAME
        or name.startswith(("-", "refs/"))
        or name.endswith(".")
        or name in ("@", "HEAD")
        or ".." in name
        or "@{" in name
        or any(c in ' ~^:?*[\\"' for c in name)
        or has_control(name)
        or any(not part or part.startswith((".", "-")) or part.endswith(".lock") for part in parts)
    )
    if is_bad:
        raise UsageError(f"{_shown(name)} is not a branch name", "Use letters, digits, '-', '_', '.' and '/'")
    return name


def check_remote(name: str) -> str:
    """Return ``name`` if it is a plain name of a remote.

    Raises:
        UsageError: when it is not.
    """
    if not _REMOTE.fullmatch(name) or ".." in name or name.endswith(".lock"):
        raise UsageError(
            f"{_shown(name)} is not the name of a remote", "Use letters, digits, '-', '_' and '.'"
        )
    return name


def check_commit(name: str) -> CommitId:
    """Return ``name`` if it is a full commit id.

    Raises:
        UsageError: when it is not.
    """
    if not _COMMIT.fullmatch(name):
        raise UsageError(f"{_shown(name)} is not a full commit id")
    return CommitId(name)


def check_ref(name: str) -> str:
    """Return ``name`` if it is ``HEAD``, a full commit id, or a full ref name (``refs/…``).

    Raises:
        UsageError: when it is not.
    """
    if name == "HEAD" or _COMMIT.fullmatch(name):
        return name
    if name.startswith("refs/"):
        check_branch(name.removeprefix("refs/"))
        return name
    raise UsageError(f"{_shown(name)} is not a full ref name")


def check_path(relative: str) -> str:
    """Return ``relative`` if it can name a file inside a repository.

    Raises:
        UsageError: when it is absolute, leads out, lies in ``.git`` (in any spelling a file system folds to
            it), or holds control characters.
    """
    pure = PurePosixPath(relative)
    is_bad = (
        not relative
        or len(relative.encode("utf-8", "surrogatepass")) > MAX_PATH
        or pure.is_absolute()
        or str(pure) != relative
        or "\\" in relative
        or ":" in relative
        or has_control(relative)
        or any(part == ".." or _is_git_folder(part) for part in pure.parts)
    )
    if is_bad:
        raise UsageError(f"{_shown(relative)} is not a path inside a knowledge base")
    return relative


def _is_git_folder(part: str) -> bool:
    kept = "".join(c for c in unicodedata.normalize("NFKC", part) if unicodedata.category(c) != "Cf")
    return kept.casefold().rstrip(". ") in (".git", "git~1", ".gitmodules", ".gitattributes")


def portability_problem(relative: str) -> str:
    """Return why a path cannot be checked out on every system, in words, or an empty string.

    Source: Windows' naming rules (reserved names, trailing dots and blanks, ``<>:"|?*``, 260 characters).
    """
    if unicodedata.normalize("NFC", relative) != relative:
        return "its accents are written in a form that macOS and Linux treat as two names"
    if len(relative) > 180:
        return "it is longer than 180 characters"
    for part in PurePosixPath(relative).parts:
        if _RESERVED.fullmatch(part):
            return f"{part!r} is a reserved name on Windows"
        if part.endswith((".", " ")):
            return f"{part!r} ends with a dot or a blank, which Windows drops"
        if any(c in '<>:"|?*' for c in part):
            return f"{part!r} holds a character that Windows refuses"
    return ""


def check_message(text: str) -> str:
    """Return a commit message with one final newline and no trailing blanks.

    Raises:
        UsageError: when it is empty, too long, or holds control or invisible characters.
    """
    clean = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n")) + "\n"
    if not clean.strip():
        raise UsageError("The description is empty", "Say in one line what changed")
    if len(clean) > MAX_MESSAGE:
        raise UsageError(f"The description is longer than {MAX_MESSAGE} characters", "Shorten it")
    if has_control(clean, allowed="\n\t\u200d"):
        raise UsageError(
            "The description holds invisible or control characters", "Type it anew instead of pasting"
        )
    return clean


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:57] + "...")
