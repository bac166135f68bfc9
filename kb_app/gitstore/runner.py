"""The one place that starts git: a closed table of verbs, a clean environment, a deadline, capped output.

Decision: git's own program instead of a library. A library call cannot be stopped, inherits whatever
variables happen to be set and loses commits when two processes write (measured); a process has a deadline, a
group that can be killed and an exit code. Each call names its repository by ``GIT_DIR`` and
``GIT_WORK_TREE``, so git never looks for one, and each configuration value that could start a program is
overridden on the command line.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.causes import SENTENCES, Cause, HttpAnswer, cause_of, http_answers
from kb_app.gitstore.names import RemoteAddress, Transport
from kb_app.gitstore.verbs import VerbRule, arguments, rule_for
from kb_app.logs import redact, visible
from kb_app.paths import private_folder
from kb_app.programs import clean_environment, find_program

MIN_VERSION = (2, 36, 0)
"""First release that can sync what it writes (``core.fsync``)."""
ADVISED_VERSION = (2, 50, 1)
"""First release with the fixes for CVE-2025-48384 and CVE-2025-48385."""

STDERR_KEPT = 64_000
STDERR_CAP = 16_000_000
TRACE_KEPT = 256_000
POLL_S = 0.03
GRACE_S = 0.4

_KEPT_VARIABLES = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "TMPDIR",
        "TEMP",
        "TMP",
        "TZ",
        "LC_ALL",
        "LD_LIBRARY_PATH",
        "DYLD_LIBRARY_PATH",
        "DYLD_FRAMEWORK_PATH",
        "LIBPATH",
        "SSH_AUTH_SOCK",
        "SSH_AGENT_PID",
        "GNUPGHOME",
        "GPG_AGENT_INFO",
        "KRB5CCNAME",
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_CONFIG_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_DATA_HOME",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CURL_CA_BUNDLE",
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "COMSPEC",
        "PATHEXT",
        "USERPROFILE",
        "HOMEDRIVE",
        "HOMEPATH",
        "USERNAME",
        "APPDATA",
        "LOCALAPPDATA",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "PROGRAMFILES(X86)",
    }
)
"""What git needs of the user's environment, in upper case; everything else stays out."""

_CONFIG = (
    # nothing of a repository's configuration or the user's may start a program we did not ask for
    "core.fsmonitor=false",
    "core.alternateRefsCommand=:",
    "core.pager=cat",
    "core.askPass=",
    "protocol.ext.allow=never",
    "protocol.fd.allow=never",
    "diff.external=",
    "filter.lfs.smudge=",
    "filter.lfs.clean=",
    "filter.lfs.process=",
    "filter.lfs.required=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "gc.autoDetach=false",
    "maintenance.auto=false",
    "receive.autogc=false",
    "safe.bareRepository=explicit",
    # what is checked out and stored is exactly what was committed, on every system
    "core.symlinks=false",
    "core.protectHFS=true",
    "core.protectNTFS=true",
    "core.autocrlf=false",
    "core.safecrlf=false",
    "core.longPaths=true",
    "core.quotePath=false",
    "core.untrackedCache=false",
    "core.splitIndex=false",
    "color.ui=false",
    "log.showSignature=false",
    "rerere.enabled=false",
    "merge.renames=true",
    # what was acknowledged survives a power cut
    "core.fsync=committed,index",
    "core.fsyncMethod=fsync",
    # nothing unsafe comes in, nothing is pruned, nothing else goes out
    "transfer.fsckObjects=true",
    "transfer.credentialsInUrl=die",
    "fetch.prune=false",
    "fetch.pruneTags=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "fetch.unpackLimit=20",  # each loose object is flushed by itself; a pack is flushed once
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
    "credential.interactive=false",
    "http.followRedirects=false",
    "http.lowSpeedLimit=100",
    "http.lowSpeedTime=30",
)

_PROGRESS = re.compile(
    r"(?:remote: )?(?P<phase>[A-Z][A-Za-z ]{3,40}):\s+(?P<percent>\d{1,3})%"
    r"(?:[^,]*,\s*(?P<size>[\d.]+)\s*(?P<unit>bytes|KiB|MiB|GiB))?"
)
_UNITS = {"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a transfer is.

    Attributes:
        phase: what git is doing, in its words.
        percent: 0 to 100.
        received_bytes: bytes that came in so far; None where git does not say.
    """

    phase: str
    percent: int
    received_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class GitOutcome:
    """How a git program ended.

    Attributes:
        cause: `Cause.NONE` when it did what was asked.
        code: exit code; None when it did not start or was stopped.
        stdout: its output as it came, up to the cap; may hold anything.
        details: what it said, without credentials, control characters as escapes.
        took_s: wall time in seconds.
        answers: HTTP answers, in order.
    """

    cause: Cause
    code: int | None = None
    stdout: bytes = field(default=b"", repr=False)
    details: str = ""
    took_s: float = 0.0
    answers: tuple[HttpAnswer, ...] = ()

    @property
    def is_ok(self) -> bool:
        """It did what was asked."""
        return self.cause is Cause.NONE

    @property
    def sentence(self) -> str:
        """What happened, in plain words, without a full stop."""
        return SENTENCES[self.cause][0]

    @property
    def hint(self) -> str:
        """What the user can do next; empty when there is nothing."""
        return SENTENCES[self.cause][1]

    @property
    def text(self) -> str:
        """Standard output as text, undecodable bytes replaced."""
        return self.stdout.decode("utf-8", "replace")

    def expect_ok(self) -> GitOutcome:
        """Return self.

        Raises:
            EnvironmentFault: when it did not do what was asked.
        """
        if not self.is_ok:
            raise EnvironmentFault(self.sentence, self.hint)
        return self


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of our own, named in full so that git never searches for one.

    Attributes:
        git_dir: its ``.git`` folder.
        work_tree: its files.
    """

    git_dir: Path
    work_tree: Path

    @classmethod
    def at(cls, root: Path) -> Repository:
        """Return the repository whose files lie in ``root`` and whose ``.git`` is a folder there."""
        return cls(root / ".git", root)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits: a name and an e-mail address; each may be empty to use what git is configured with."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class GitProgram:
    """The git that is used: its absolute path and its version."""

    path: Path
    version: tuple[int, int, int]

    @property
    def version_text(self) -> str:
        """The version as ``2.50.1``."""
        return ".".join(map(str, self.version))

    @property
    def advice(self) -> str:
        """One sentence when the version lacks known security fixes (unless its distributor added them)."""
        if self.version >= ADVISED_VERSION:
            return ""
        wanted = ".".join(map(str, ADVISED_VERSION))
        return (
            f"git {self.version_text} is older than {wanted}; its distributor may have added the fixes since"
        )


def find_git(environment: Mapping[str, str] | None = None) -> GitProgram:
    """Return the git on PATH.

    Raises:
        EnvironmentFault: when there is none, it does not answer, or it is too old.
    """
    path = find_program("git", environment)
    if path is None:
        raise EnvironmentFault(*SENTENCES[Cause.NO_PROGRAM])
    try:
        answer = subprocess.run(  # noqa: S603 - absolute path, constant argument
            [str(path), "version"],
            env=_from_scratch(clean_environment(environment)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=10,
            check=False,
        ).stdout.decode("ascii", "replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFault(f"{path} does not answer", "Install git again") from error
    match = re.match(r"git version (\d+)\.(\d+)(?:\.(\d+))?", answer)
    if match is None:
        raise EnvironmentFault(f"{path} is not git", "Put the real git first on PATH")
    version = (int(match[1]), int(match[2]), int(match[3] or 0))
    if version < MIN_VERSION:
        wanted = ".".join(map(str, MIN_VERSION))
        raise EnvironmentFault(
            f"git {'.'.join(map(str, version))} is too old", f"Install git {wanted} or newer"
        )
    return GitProgram(path, version)


class GitRunner:
    """Runs git.

    Args:
        program: the git to use (`find_git`).
        private: a folder of ours for an empty hooks folder and for traces; created.
        environment: where PATH, HOME, proxies and agents are taken from; this process's when None.
        ssh_command: what starts ssh; None for ssh without prompts, empty for what the user configured.
    """

    def __init__(
        self,
        program: GitProgram,
        private: Path,
        *,
        environment: Mapping[str, str] | None = None,
        ssh_command: str | None = None,
    ) -> None:
        self.program = program
        self._private = private_folder(private)
        self._hooks = private_folder(private / "no-hooks")
        self._base = _from_scratch(clean_environment(environment))
        self._ssh = "ssh -oBatchMode=yes -oConnectTimeout=15" if ssh_command is None else ssh_command

    def run(
        self,
        verb: str,
        options: Sequence[str] = (),
        operands: Sequence[str] = (),
        *,
        paths: Sequence[str] = (),
        repository: Repository | None = None,
        address: RemoteAddress | None = None,
        stdin: bytes = b"",
        index_file: Path | None = None,
        identity: Identity | None = None,
        settings: Sequence[str] = (),
        deadline_s: float | None = None,
        max_output_bytes: int | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> GitOutcome:
        """Run one verb to its end and return how it ended; never raises for what git or a server does.

        Args:
            verb: a key of ``verbs.TABLE``.
            options: options the table allows for it.
            operands: revisions, addresses or refspecs; never read as options.
            paths: paths, for verbs that take revisions first.
            repository: where it works; None for verbs that need none.
            address: the remote it may talk to; without one every transport is closed.
            stdin: given to the program; its input is closed when empty.
            index_file: an index of ours instead of the repository's.
            identity: who commits; what git is configured with when None.
            settings: further ``name=value`` configuration; constants of this package only.
            deadline_s: shorter or longer than the table's.
            max_output_bytes: cap on standard output, instead of the table's.
            on_progress: called in another thread, a few times a second.
            is_cancelled: asked every few hundredths of a second; the program ends within a second of True.

        Raises:
            UsageError: when the table does not allow the call (a mistake of this program).
        """
        rule = rule_for(verb)
        words = arguments(verb, options, operands, paths)
        if rule.talks_to_network and address is None:
            raise ValueError(f"git {verb} needs an address")
        words[1:1] = self._server_programs(verb, address)
        command = [str(self.program.path), *self._config(settings), *words]
        with contextlib.ExitStack() as stack:
            trace = self._trace_file(stack, address)
            environment = self._environment(rule, repository, address, index_file, trace)
            environment |= _identity_variables(identity)
            job = _Job(
                command,
                environment,
                repository.work_tree if repository else self._private,
                stdin,
                deadline_s=rule.deadline_s if deadline_s is None else deadline_s,
                stall_s=rule.stall_s,
                stdout_cap=rule.max_output_bytes if max_output_bytes is None else max_output_bytes,
                on_progress=on_progress,
            )
            outcome = job.run(is_cancelled)
            answers = http_answers(_read_head(trace)) if trace else ()
        return _judged(outcome, answers)

    @property
    def configuration(self) -> tuple[str, ...]:
        """The ``name=value`` settings each git is started with."""
        return (f"core.hooksPath={self._hooks}", *_CONFIG)

    def _config(self, settings: Sequence[str]) -> list[str]:
        return [word for value in (*self.configuration, *settings) for word in ("-c", value)]

    def _server_programs(self, verb: str, address: RemoteAddress | None) -> list[str]:
        """Return the options that close the other side's hooks when that side is a folder on this machine."""
        if address is None or address.transport is not Transport.FILE:
            return []
        program, hooks = _quoted(self.program.path), _quoted(self._hooks)
        settings = (
            "-c core.fsmonitor=false -c core.alternateRefsCommand=: -c gc.auto=0 -c receive.autogc=false"
        )
        if verb == "push":
            settings += " -c core.bare=true -c receive.denyCurrentBranch=refuse -c receive.fsckObjects=true"
            settings += " -c core.fsync=committed"
            return [f"--receive-pack={program} -c core.hooksPath={hooks} {settings} receive-pack"]
        return [f"--upload-pack={program} -c core.hooksPath={hooks} {settings} upload-pack"]

    def _trace_file(self, stack: contextlib.ExitStack, address: RemoteAddress | None) -> Path | None:
        if address is None or address.transport not in (Transport.HTTPS, Transport.HTTP):
            return None
        try:
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=self._private, prefix="trace-"))
        except OSError:
            return None  # a full disk costs the precise cause, not the work
        return Path(folder) / "http"

    def _environment(
        self,
        rule: VerbRule,
        repository: Repository | None,
        address: RemoteAddress | None,
        index_file: Path | None,
        trace: Path | None,
    ) -> dict[str, str]:
        values = dict(self._base)
        values |= {
            "LC_ALL": "C",
            "LANGUAGE": "C",
            "GIT_ALLOW_PROTOCOL": _allowed(address),
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS": "",
            "SSH_ASKPASS_REQUIRE": "never",
            "GCM_INTERACTIVE": "never",
            "GIT_EDITOR": ":",
            "GIT_SEQUENCE_EDITOR": ":",
            "GIT_PAGER": "cat",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ADVICE": "0",
            "GIT_FLUSH": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self._private),
        }
        if self._ssh:
            values["GIT_SSH_COMMAND"] = self._ssh
        if not rule.writes:
            values["GIT_OPTIONAL_LOCKS"] = "0"
        if repository is not None:
            values["GIT_DIR"] = str(repository.git_dir)
            values["GIT_WORK_TREE"] = str(repository.work_tree)
        if index_file is not None:
            values["GIT_INDEX_FILE"] = str(index_file)
        if trace is not None:
            values |= {"GIT_TRACE_CURL": str(trace), "GIT_TRACE_CURL_NO_DATA": "1", "GIT_TRACE_REDACT": "1"}
        return values


class _Job:
    """One process: two threads empty its pipes, this thread watches the clock."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        folder: Path,
        stdin: bytes,
        *,
        deadline_s: float,
        stall_s: float | None,
        stdout_cap: int,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._command, self._environment, self._folder, self._stdin = command, environment, folder, stdin
        self._deadline_s, self._stall_s, self._stdout_cap = deadline_s, stall_s, stdout_cap
        self._on_progress = on_progress
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._stderr_seen = 0
        self._line = b""
        self._heard_at = time.monotonic()
        self._is_over_cap = False

    def run(self, is_cancelled: Callable[[], bool] | None) -> GitOutcome:
        started = time.monotonic()
        if is_cancelled is not None and is_cancelled():
            return GitOutcome(Cause.CANCELLED)
        try:
            process = self._start()
        except OSError as error:
            cause = Cause.NO_PROGRAM if isinstance(error, FileNotFoundError) else Cause.OTHER
            return GitOutcome(cause, details=visible(redact(str(error))))
        pumps = [
            threading.Thread(target=self._pump, args=(process.stdout, self._take_stdout), daemon=True),
            threading.Thread(target=self._pump, args=(process.stderr, self._take_stderr), daemon=True),
        ]
        if process.stdin is not None:
            pumps.append(threading.Thread(target=self._feed, args=(process.stdin,), daemon=True))
        for pump in pumps:
            pump.start()
        stopped = self._watch(process, pumps[:2], started, is_cancelled)
        if stopped is not None:
            _kill_group(process)
        for pump in pumps:
            pump.join(timeout=2)
        code = process.wait()
        details = _readable(bytes(self._stderr))
        took_s = time.monotonic() - started
        if stopped is not None:
            return GitOutcome(stopped, None, bytes(self._stdout[: self._stdout_cap]), details, took_s)
        return GitOutcome(Cause.NONE, code, bytes(self._stdout), details, took_s)

    def _start(self) -> subprocess.Popen[bytes]:
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return subprocess.Popen(  # noqa: S603 - absolute path, arguments from the closed table
            self._command,
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.PIPE if self._stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a group to kill, and no terminal to prompt on
            creationflags=flags,
        )

    def _watch(
        self,
        process: subprocess.Popen[bytes],
        pumps: Sequence[threading.Thread],
        started: float,
        is_cancelled: Callable[[], bool] | None,
    ) -> Cause | None:
        """Wait until the process has ended (None) or must be stopped (why)."""
        self._heard_at = started
        while True:
            pumps[0].join(POLL_S)
            if not pumps[0].is_alive():
                pumps[1].join(POLL_S)
            now = time.monotonic()
            if self._is_over_cap:
                return Cause.TOO_MUCH
            if not any(pump.is_alive() for pump in pumps) and _has_ended(process):
                return None
            if is_cancelled is not None and is_cancelled():
                return Cause.CANCELLED
            if now - started > self._deadline_s:
                return Cause.TIMED_OUT
            if self._stall_s is not None and now - self._heard_at > self._stall_s:
                return Cause.STALLED

    def _pump(self, pipe: IO[bytes], take: Callable[[bytes], None]) -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            while not self._is_over_cap and (chunk := os.read(pipe.fileno(), 65536)):
                self._heard_at = time.monotonic()
                take(chunk)

    def _feed(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError), pipe:
            pipe.write(self._stdin)

    def _take_stdout(self, chunk: bytes) -> None:
        self._stdout += chunk
        if len(self._stdout) > self._stdout_cap:
            self._is_over_cap = True

    def _take_stderr(self, chunk: bytes) -> None:
        self._stderr_seen += len(chunk)
        if self._stderr_seen > STDERR_CAP:
            self._is_over_cap = True
        self._stderr += chunk
        if len(self._stderr) > STDERR_KEPT:
            # the reason stands at the end, the first warning at the start
            self._stderr[STDERR_KEPT // 4 : len(self._stderr) - STDERR_KEPT // 2] = b"\n...\n"
        if self._on_progress is not None:
            self._tell_progress(chunk)

    def _tell_progress(self, chunk: bytes) -> None:
        lines = re.split(rb"[\r\n]", self._line[-2000:] + chunk)
        self._line = lines.pop()
        for line in reversed(lines):
            if (match := _PROGRESS.match(line.decode("ascii", "replace").strip())) is not None:
                size = float(match["size"]) * _UNITS[match["unit"]] if match["size"] else None
                assert self._on_progress is not None
                self._on_progress(
                    Progress(match["phase"], int(match["percent"]), None if size is None else int(size))
                )
                return


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=POLL_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and everything it started: politely first, so that git removes its lock files."""
    if sys.platform == "win32":
        system = os.environ.get("SYSTEMROOT", r"C:\Windows")
        killer = str(Path(system) / "System32" / "taskkill.exe")
        subprocess.run([killer, "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)  # noqa: S603
        return
    for number, patience_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, GRACE_S)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience_s)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _judged(outcome: GitOutcome, answers: tuple[HttpAnswer, ...]) -> GitOutcome:
    if outcome.code is None:
        return replace(outcome, answers=answers)
    return replace(outcome, cause=cause_of(outcome.code, outcome.details, answers), answers=answers)


def _readable(raw: bytes) -> str:
    """The choke point: no credential and no control character of a remote leaves here."""
    text = raw.decode("utf-8", "replace")
    lines = (line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n"))
    return "\n".join(visible(redact(line)) for line in lines if line.strip())


def _read_head(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(TRACE_KEPT).decode("latin-1")
    except OSError:
        return ""


def _allowed(address: RemoteAddress | None) -> str:
    """Return the transports git may use: https and ssh stand for each other in users' own rewrite rules."""
    if address is None:
        return ""
    if address.transport in (Transport.HTTPS, Transport.SSH):
        return "https:ssh"
    return str(address.transport)


def _from_scratch(values: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in values.items() if name.upper() in _KEPT_VARIABLES}
    folders = [f for f in kept.get("PATH", os.defpath).split(os.pathsep) if f and Path(f).is_absolute()]
    kept["PATH"] = os.pathsep.join(folders)
    return kept


def _identity_variables(identity: Identity | None) -> dict[str, str]:
    values: dict[str, str] = {}
    if identity is not None and identity.name:
        values |= {"GIT_AUTHOR_NAME": identity.name, "GIT_COMMITTER_NAME": identity.name}
    if identity is not None and identity.email:
        values |= {"GIT_AUTHOR_EMAIL": identity.email, "GIT_COMMITTER_EMAIL": identity.email}
    return values


def _quoted(path: Path) -> str:
    """Return a path for the shell that git starts a local server program with."""
    text = path.as_posix()
    return "'" + text.replace("'", "'\\''") + "'"
