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
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kb_app.errors import EnvironmentFault
from kb_app.gitstore.causes import SENTENCES, Cause, HttpAnswer, cause_of, http_answers
from kb_app.gitstore.names import RemoteAddress, Transport
from kb_app.gitstore.process import Ended, Job, Progress
from kb_app.gitstore.trees import remove_tree
from kb_app.gitstore.verbs import VerbRule, arguments, rule_for
from kb_app.paths import private_folder
from kb_app.programs import clean_environment, find_program

MIN_VERSION = (2, 36, 0)
"""First release that can sync what it writes (``core.fsync``)."""
ADVISED_VERSION = (2, 50, 1)
"""First release with the fixes for CVE-2025-48384 and CVE-2025-48385."""

TRACES_KEPT_S = 24 * 3600.0
TRACE_KEPT = 256_000

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
        "GIT_SSL_CAINFO",
        "GIT_SSL_CAPATH",
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
    "user.useConfigOnly=true",  # a name made up from the machine's helps nobody
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
    answers: tuple[HttpAnswer, ...] = field(default=(), repr=False)

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
    """Who commits, and when.

    Attributes:
        name, email: each may be empty to use what git is configured with.
        at: the date that is stated, ISO 8601; now when empty.
    """

    name: str = ""
    email: str = ""
    at: str = ""


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
        self._private = private.absolute()
        self._hooks = self._private / "no-hooks"
        with contextlib.suppress(EnvironmentFault):  # a folder that is not there holds no hooks either
            private_folder(self._private)
            private_folder(self._hooks)
            for left in self._private.glob("trace-*"):  # by a run that was killed
                if time.time() - left.stat().st_mtime > TRACES_KEPT_S:
                    remove_tree(left)
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
        server = self._server_program(verb, address)
        if rule.talks_to_network:
            words[1:1] = [f"--{kind}={program}" for kind, program in server]
        else:  # a text that was left there may be fetched on the way
            settings = (*settings, *(f"remote.origin.uploadpack={program}" for _, program in server))
        command = [str(self.program.path), *self._config(settings), *words]
        with contextlib.ExitStack() as stack:
            trace = self._trace_file(stack, address)
            environment = self._environment(rule, repository, address, index_file, trace)
            environment |= _identity_variables(identity)
            job = Job(
                command,
                environment,
                repository.work_tree if repository else self._folder,
                stdin,
                deadline_s=rule.deadline_s if deadline_s is None else deadline_s,
                stall_s=rule.stall_s,
                stdout_cap=rule.max_output_bytes if max_output_bytes is None else max_output_bytes,
                on_progress=on_progress,
            )
            ended = job.run(is_cancelled)
            answers = http_answers(_read_head(trace)) if trace else ()
        return _judged(ended, answers)

    @property
    def _folder(self) -> Path:
        """Where a program works that needs no repository: a folder of ours, never the present one."""
        return self._hooks if self._hooks.is_dir() else Path(self._hooks.anchor)

    @property
    def configuration(self) -> tuple[str, ...]:
        """The ``name=value`` settings each git is started with."""
        return (f"core.hooksPath={self._hooks}", *_CONFIG)

    def _config(self, settings: Sequence[str]) -> list[str]:
        return [word for value in (*self.configuration, *settings) for word in ("-c", value)]

    def _server_program(self, verb: str, address: RemoteAddress | None) -> list[tuple[str, str]]:
        """Return the program of the other side when that is a folder on this machine: its hooks are closed.

        At most one pair: what it does (``upload-pack``, ``receive-pack``), and how it is called.
        """
        if address is None or address.transport is not Transport.FILE:
            return []
        program, hooks = _quoted(self.program.path), _quoted(self._hooks)
        settings = (
            "-c core.fsmonitor=false -c core.alternateRefsCommand=: -c gc.auto=0 -c receive.autogc=false"
        )
        if verb == "push":
            settings += " -c core.bare=true -c receive.denyCurrentBranch=refuse -c receive.fsckObjects=true"
            settings += " -c core.fsync=committed"
            return [("receive-pack", f"{program} -c core.hooksPath={hooks} {settings} receive-pack")]
        return [("upload-pack", f"{program} -c core.hooksPath={hooks} {settings} upload-pack")]

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


def _judged(ended: Ended, answers: tuple[HttpAnswer, ...]) -> GitOutcome:
    cause = ended.cause if ended.code is None else cause_of(ended.code, ended.details, answers)
    return GitOutcome(cause, ended.code, ended.stdout, ended.details, ended.took_s, answers)


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
    if identity is not None and identity.at:
        values |= {"GIT_AUTHOR_DATE": identity.at, "GIT_COMMITTER_DATE": identity.at}
    return values


def _quoted(path: Path) -> str:
    """Return a path for the shell that git starts a local server program with."""
    text = path.as_posix()
    return "'" + text.replace("'", "'\\''") + "'"
