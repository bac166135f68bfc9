"""A worker process that speaks JSON lines, seen from the window.

The window never waits: requests are written and answers arrive as signals. A worker that does not answer in
time is killed and started again; the request it was busy with (the oldest one) is answered with a fault, the
others are asked again. A worker that keeps dying is restarted with growing pauses and given up at last.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

import kb_app

logger = logging.getLogger(__name__)

RESTART_PAUSES_MS = (0, 250, 1000, 4000, 15000)
"""Pauses before the restarts that follow crashes in a row; after the last one the worker is given up."""

MAX_LINE_BYTES = 64_000_000
"""A worker that writes more than this without a line end is broken."""

MAX_ERROR_BYTES = 16_000
"""How much of a worker's error stream is kept for the log: the end of it tells why it died."""

Message = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class WorkerFault:
    """Why a request got no answer: one sentence and one next step.

    ``is_timeout`` tells that the worker was killed because it took too long.
    """

    title: str
    hint: str = ""
    is_timeout: bool = False


@dataclass(slots=True)
class _Pending:
    """A request that was not answered yet."""

    line: bytes
    allowed_ms: int
    due_at: float = 0.0
    is_sent: bool = False


def fault_of(error: Message) -> WorkerFault:
    """Return the fault that a worker describes."""
    return WorkerFault(str(error.get("title", "")) or "It failed", str(error.get("hint", "")))


def worker_command(name: str) -> tuple[str, list[str], Path]:
    """Return program, arguments and working folder that start worker ``name``.

    The working folder is the program's own, so that a module of the same name in the folder the user happens
    to stand in is never imported.
    """
    if getattr(sys, "frozen", False):
        return sys.executable, ["--worker", name], Path(sys.executable).parent
    package_parent = Path(kb_app.__file__).resolve().parent.parent
    return sys.executable, ["-m", "kb_app", "--worker", name], package_parent


class WorkerProcess(QObject):
    """One worker and the requests under way.

    Signals:
        started(): the process runs; what it has to be told first can be requested now.
        answered(int, object): request id and the answer's whole object.
        failed(int, object): request id and a `WorkerFault`.
        event_received(object): an object without an id (progress).
        exited(bool): the process ended; True when that was unexpected.
        gave_up(object): it died too often; a `WorkerFault`. `start` tries anew.
    """

    started = Signal()
    answered = Signal(int, object)
    failed = Signal(int, object)
    event_received = Signal(object)
    exited = Signal(bool)
    gave_up = Signal(object)

    def __init__(
        self,
        name: str,
        *,
        label: str,
        deadline_ms: int = 10_000,
        is_kept_alive: bool = True,
        command: tuple[str, Sequence[str], Path] | None = None,
        parent: QObject | None = None,
    ) -> None:
        """Prepare the worker; nothing runs before `start`.

        Args:
            name: as in ``--worker NAME``.
            label: subject of messages to the user, for example ``The search``.
            deadline_ms: how long an answer may take unless `request` says otherwise.
            is_kept_alive: start it again when it ends by itself.
            command: program, arguments and folder instead of `worker_command` (tests).
            parent: Qt parent.
        """
        super().__init__(parent)
        self.name = name
        self.label = label
        self._command = command or worker_command(name)
        self._deadline_ms = deadline_ms
        self._is_kept_alive = is_kept_alive
        self._ids = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._buffer = bytearray()
        self._errors = bytearray()
        self._crashes = 0
        self._is_wanted = False
        self._process: QProcess | None = None
        self._deadline_timer = QTimer(self, singleShot=True)
        self._deadline_timer.timeout.connect(self._on_deadline)
        self._restart_timer = QTimer(self, singleShot=True)
        self._restart_timer.timeout.connect(self._launch)

    @property
    def is_running(self) -> bool:
        """Tell whether the process is up."""
        return self._process is not None and self._process.state() is QProcess.ProcessState.Running

    @property
    def process_id(self) -> int:
        """Return the process id, 0 while it does not run."""
        return int(self._process.processId()) if self._process is not None else 0

    def processor_ms(self) -> float | None:
        """Return the processor time the process has used so far; None where the system does not tell."""
        try:
            stat = Path(f"/proc/{self.process_id}/stat").read_text(encoding="ascii", errors="replace")
            user, system = stat.rpartition(")")[2].split()[11:13]
            return 1000 * (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, AttributeError):  # no /proc, or no such process
            return None

    def start(self) -> None:
        """Start the process unless it is up or about to be."""
        if self._process is None and not self._restart_timer.isActive():
            self._is_wanted = True
            self._crashes = 0
            self._launch()

    def request(self, payload: Message, *, deadline_ms: int | None = None) -> int:
        """Ask; the answer comes as `answered` or `failed` with the id returned here."""
        request_id = next(self._ids)
        line = json.dumps({"id": request_id, **payload}).encode() + b"\n"
        self._pending[request_id] = _Pending(line, deadline_ms or self._deadline_ms)
        if self.is_running:
            self._send(self._pending[request_id])
        return request_id

    def send(self, payload: Message) -> None:
        """Write a message that expects no answer; it is dropped while the process is not up."""
        if self.is_running and self._process is not None:
            self._process.write(json.dumps(payload).encode() + b"\n")

    def drop(self, request_id: int) -> None:
        """Forget a request; its answer will be ignored and its deadline no longer kills."""
        self._pending.pop(request_id, None)

    def restart(self) -> None:
        """Kill and start again at once; requests under way are asked again."""
        self._retire(is_kill=True)
        self._is_wanted = True
        self._launch()

    def stop(self, *, patience_ms: int = 300) -> None:
        """End the process: its input is closed, and after ``patience_ms`` it is killed."""
        self._is_wanted = False
        self._restart_timer.stop()
        self._deadline_timer.stop()
        self._pending.clear()
        process = self._process
        if process is None:
            return
        process.closeWriteChannel()
        if process.state() is not QProcess.ProcessState.NotRunning and not process.waitForFinished(
            patience_ms
        ):
            process.kill()
            process.waitForFinished(1_000)
        self._retire(is_kill=False)

    def stop_softly(self) -> None:
        """Close the process's input, which asks it to end; `exited` tells when it has."""
        self._is_wanted = False
        if self._process is not None:
            self._process.closeWriteChannel()

    def _launch(self) -> None:
        self._retire(is_kill=True)
        program, arguments, folder = self._command
        process = QProcess(self)
        process.setProgram(program)
        process.setArguments(list(arguments))
        process.setWorkingDirectory(os.fspath(folder))
        process.started.connect(self._on_started)
        process.readyReadStandardOutput.connect(self._on_output)
        process.readyReadStandardError.connect(self._on_error_output)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_process_error)
        self._process = process
        process.start()

    def _retire(self, *, is_kill: bool) -> None:
        """Let go of the present process without hearing from it again."""
        process, self._process = self._process, None
        self._buffer.clear()
        for pending in self._pending.values():
            pending.is_sent = False
        if process is None:
            return
        for signal in (
            process.started,
            process.readyReadStandardOutput,
            process.readyReadStandardError,
            process.finished,
            process.errorOccurred,
        ):
            signal.disconnect()
        if is_kill and process.state() is not QProcess.ProcessState.NotRunning:
            process.finished.connect(process.deleteLater)
            process.kill()
        else:
            process.deleteLater()

    def _send(self, pending: _Pending) -> None:
        assert self._process is not None
        pending.is_sent = True
        pending.due_at = time.monotonic() + pending.allowed_ms / 1000
        self._process.write(pending.line)
        self._arm_deadline()

    def _arm_deadline(self) -> None:
        due = [p.due_at for p in self._pending.values() if p.is_sent]
        if due:
            self._deadline_timer.start(max(0, int((min(due) - time.monotonic()) * 1000) + 1))
        else:
            self._deadline_timer.stop()

    def _on_started(self) -> None:
        self.started.emit()
        for pending in list(self._pending.values()):
            if not pending.is_sent and self.is_running:
                self._send(pending)

    def _on_output(self) -> None:
        if self._process is None:
            return
        self._buffer += self._process.readAllStandardOutput().data()
        if len(self._buffer) > MAX_LINE_BYTES and b"\n" not in self._buffer:
            culprit = self._take_oldest()
            self.restart()
            if culprit:
                self.failed.emit(culprit, WorkerFault(f"{self.label} sent an answer that is too large"))
            return
        *lines, rest = bytes(self._buffer).split(b"\n")
        self._buffer = bytearray(rest)
        for line in lines:
            if line.strip():
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            logger.warning("%s wrote a line that is not JSON: %.200r", self.name, line)
            return
        if not isinstance(message, dict):
            logger.warning("%s wrote a line that is not an object: %.200r", self.name, line)
            return
        request_id = message.get("id")
        if request_id is None:
            self.event_received.emit(message)
            return
        if self._pending.pop(request_id, None) is None:
            return  # stale: dropped, or asked of a process that is gone
        self._crashes = 0
        self._arm_deadline()
        error = message if message.get("ok") is False else message.get("error")
        if isinstance(error, dict):
            self.failed.emit(request_id, fault_of(error))
        else:
            self.answered.emit(request_id, message)

    def _on_error_output(self) -> None:
        if self._process is not None:
            self._errors += self._process.readAllStandardError().data()
            del self._errors[:-MAX_ERROR_BYTES]

    def _log_errors(self) -> None:
        """Log what the process wrote to its error stream, in one record."""
        text = self._errors.decode(errors="replace").strip()
        self._errors.clear()
        if text:
            logger.warning("%s: %s", self.name, text)

    def _on_deadline(self) -> None:
        now = time.monotonic()
        if any(p.is_sent and p.due_at <= now for p in self._pending.values()):
            fault = WorkerFault(
                f"{self.label} took too long and was started again", "Try once more", is_timeout=True
            )
            culprit = self._take_oldest()
            self.restart()
            if culprit:
                self.failed.emit(culprit, fault)
        else:
            self._arm_deadline()

    def _take_oldest(self) -> int:
        """Remove the oldest request sent and return its id: a worker is serial, so it is the culprit."""
        for request_id, pending in self._pending.items():
            if pending.is_sent:
                del self._pending[request_id]
                return request_id
        return 0

    def _on_process_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._after_end(is_unexpected=True)

    def _on_finished(self, exit_code: int, _status: QProcess.ExitStatus) -> None:
        self._on_output()
        self._on_error_output()
        self._log_errors()
        self._after_end(is_unexpected=self._is_wanted and (self._is_kept_alive or exit_code != 0))

    def _after_end(self, *, is_unexpected: bool) -> None:
        culprit = self._take_oldest() if is_unexpected else 0
        self._retire(is_kill=False)
        if is_unexpected:
            logger.warning("worker %s ended unexpectedly", self.name)
            if self._is_kept_alive:
                self._restart_later()
        if culprit:
            fault = WorkerFault(f"{self.label} stopped unexpectedly", "It is being started again")
            self.failed.emit(culprit, fault)
        self.exited.emit(is_unexpected)

    def _restart_later(self) -> None:
        if self._crashes >= len(RESTART_PAUSES_MS):
            self._is_wanted = False
            fault = WorkerFault(f"{self.label} keeps stopping", "See the log file, then start it again")
            for request_id in list(self._pending):
                self._pending.pop(request_id, None)
                self.failed.emit(request_id, fault)
            self.gave_up.emit(fault)
            return
        self._restart_timer.start(RESTART_PAUSES_MS[self._crashes])
        self._crashes += 1
