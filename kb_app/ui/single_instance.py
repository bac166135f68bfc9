"""One window for each user and home: a second start hands its request to the first and ends.

A lock file tells who is first (it is freed by the system when its holder dies, and never robbed from a living
one); a local socket, readable by this user alone, takes requests.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject, Signal

if TYPE_CHECKING:
    from PySide6.QtNetwork import QLocalServer, QLocalSocket

logger = logging.getLogger(__name__)

HAND_OVER_S = 3.0
"""How long a second start tries to reach the first one, which may still be starting."""

_MAX_REQUEST_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a start asks for: knowledge bases to open, a text or the clipboard to search for."""

    bases: tuple[str, ...] = ()
    query: str = ""
    is_paste: bool = False


class SingleInstance(QObject):
    """Decides who is first and carries requests to it.

    Signals:
        requested(object): a `StartRequest` of a later start.
    """

    requested = Signal(object)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        """Use ``folder`` for the lock; its real path names the socket."""
        super().__init__(parent)
        self._folder = folder
        digest = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:20]
        self.name = f"kb_app-{digest}"
        self._lock = QLockFile(str(folder / "window.lock"))
        self._lock.setStaleLockTime(0)
        self._server: QLocalServer | None = None

    def is_first(self) -> bool:
        """Take the lock. A folder that cannot hold one counts as first: reading works all the same."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            logger.warning("no lock can be kept, several windows may run: %s", error)
            return True
        if not self._lock.tryLock(0):
            if self._lock.error() is not QLockFile.LockError.LockFailedError:
                logger.warning("no lock can be kept in %s, several windows may run", self._folder)
                return True
            return False
        return True

    def hand_over(self, request: StartRequest) -> bool:
        """Give ``request`` to the first window; tell whether it took it."""
        from PySide6.QtNetwork import QLocalSocket  # only a second start needs it

        message = json.dumps(asdict(request)).encode() + b"\n"
        until = time.monotonic() + HAND_OVER_S
        while time.monotonic() < until:
            socket = QLocalSocket()
            socket.connectToServer(self.name)
            if socket.waitForConnected(300):
                socket.write(message)
                socket.flush()
                is_taken = socket.waitForReadyRead(2_000) and bytes(socket.readAll().data()).startswith(b"ok")
                socket.disconnectFromServer()
                return is_taken
            time.sleep(0.05)
        return False

    def close(self) -> None:
        """Stop listening and free the lock."""
        if self._server is not None:
            self._server.close()
        self._lock.unlock()

    def listen(self) -> None:
        """Take requests of later starts; to be called after the first paint, it costs start-up time."""
        from PySide6.QtNetwork import QLocalServer  # see above

        QLocalServer.removeServer(self.name)
        server = QLocalServer(self)
        server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        server.newConnection.connect(self._on_connection)
        if not server.listen(self.name):
            logger.warning("later starts cannot reach this window: %s", server.errorString())
        self._server = server

    def _on_connection(self) -> None:
        assert self._server is not None
        while (socket := self._server.nextPendingConnection()) is not None:
            connection = _Connection(socket, self)
            connection.requested.connect(self.requested)


class _Connection(QObject):
    """One later start that speaks to this window; lives as long as its socket."""

    requested = Signal(object)

    def __init__(self, socket: QLocalSocket, parent: QObject) -> None:
        super().__init__(parent)
        self._socket = socket
        self._buffer = bytearray()
        socket.setParent(self)
        socket.readyRead.connect(self._on_data)
        socket.disconnected.connect(self.deleteLater)

    def _on_data(self) -> None:
        self._buffer += self._socket.readAll().data()
        if b"\n" not in self._buffer:
            if len(self._buffer) > _MAX_REQUEST_BYTES:
                self._socket.abort()
            return
        request = _read_request(bytes(self._buffer))
        self._buffer.clear()
        self._socket.write(b"ok\n" if request is not None else b"no\n")
        self._socket.flush()
        if request is not None:
            self.requested.emit(request)


def _read_request(line: bytes) -> StartRequest | None:
    try:
        plain = json.loads(line)
        bases = tuple(str(base) for base in plain["bases"])
        return StartRequest(bases, str(plain["query"]), is_paste=bool(plain.get("is_paste")))
    except (ValueError, KeyError, TypeError):
        return None
