"""One program in its own process group: two threads empty its pipes, the caller watches the clock.

Decision: threads and not ``select``, because Windows cannot wait for pipes. The group is ended politely
first, so that git removes its lock files, and then for good.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from kb_app.gitstore.causes import Cause
from kb_app.logs import redact, visible

STDERR_KEPT = 64_000
STDERR_CAP = 16_000_000
POLL_S = 0.03
GRACE_S = 0.4

_PROGRESS = re.compile(
    r"(?:remote: )?(?P<phase>[A-Z][A-Za-z ]{3,40}):\s+(?P<percent>\d{1,3})%"
    r"(?:[^,]*,\s*(?P<size>[\d.]+)\s*(?P<unit>bytes|KiB|MiB|GiB))?"
)
_LOGIN = re.compile(r"://[^/\s@]{1,2000}@")
"""A login in an address, whatever a server printed right before the address."""
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
class Ended:
    """How a program ended.

    Attributes:
        cause: why it was stopped or did not start; `Cause.NONE` when it ended by itself.
        code: exit code; None when it did not end by itself.
        stdout: its output, up to the cap.
        details: what it said, safe to show.
        took_s: wall time in seconds.
    """

    cause: Cause
    code: int | None = None
    stdout: bytes = field(default=b"", repr=False)
    details: str = ""
    took_s: float = 0.0


class Job:
    """One run of one program.

    Args:
        command: absolute path and arguments.
        environment: all of its environment.
        folder: where it works.
        stdin: given to it; its input is closed when empty.
        deadline_s: longest run time in seconds.
        stall_s: longest silence in seconds; None where silence is normal.
        stdout_cap: bytes of output after which it is stopped.
        on_progress: told what it says of its progress, in another thread.
    """

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

    def run(self, is_cancelled: Callable[[], bool] | None) -> Ended:
        """Run it to its end, its deadline, its caps or its cancellation; never raises for what it does."""
        started = time.monotonic()
        if is_cancelled is not None and is_cancelled():
            return Ended(Cause.CANCELLED)
        try:
            process = self._start()
        except OSError as error:
            cause = Cause.NO_PROGRAM if isinstance(error, FileNotFoundError) else Cause.OTHER
            return Ended(cause, details=readable(str(error).encode()))
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
        details = readable(bytes(self._stderr))
        took_s = time.monotonic() - started
        if stopped is not None:
            return Ended(stopped, None, bytes(self._stdout[: self._stdout_cap]), details, took_s)
        return Ended(Cause.NONE, code, bytes(self._stdout), details, took_s)

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


def readable(raw: bytes) -> str:
    """Return what a program said, safe to show: the one place where it is read.

    Credentials are removed; control and format characters become escapes; of a line that was overwritten in
    place only the last state stays.
    """
    text = raw.decode("utf-8", "replace")
    lines = (line.rsplit("\r", 1)[-1] for line in text.replace("\r\n", "\n").split("\n"))
    return "\n".join(visible(redact(_LOGIN.sub("://***@", line))) for line in lines if line.strip())
