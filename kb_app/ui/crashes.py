"""What happens when the program itself fails: logged once, shown once, the work goes on."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

logger = logging.getLogger(__name__)

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class CrashReporter(QObject):
    """Takes exceptions nobody caught, from any thread.

    Signals:
        crashed(str): one line about the exception; the first of its kind only.
    """

    crashed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        """Nothing is taken before `install`."""
        super().__init__(parent)
        self._seen: set[str] = set()
        self._previous: Callable[..., object] | None = None

    def install(self) -> None:
        """Take exceptions from slots, threads and Qt's virtual functions; send Qt's messages to the log."""
        self._previous = sys.excepthook
        sys.excepthook = self.take
        threading.excepthook = self._take_thread
        qInstallMessageHandler(_log_qt_message)

    def uninstall(self) -> None:
        """Give the hooks back."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)

    def take(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log an exception and tell about it, once for each place in the program."""
        if issubclass(kind, KeyboardInterrupt):
            sys.exit(130)
        summary = f"{kind.__name__}: {error}".splitlines()[0][:200]
        place = _place_of(trace)
        if place in self._seen:
            return
        self._seen.add(place)
        logger.critical("unexpected error", exc_info=(kind, error, trace))
        self.crashed.emit(summary)

    def _take_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self.take(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _place_of(trace: TracebackType | None) -> str:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace is not None else ""


def _log_qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    logging.getLogger("qt").log(_LEVELS.get(kind, logging.WARNING), "%s", text)
