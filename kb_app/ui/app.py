"""The composition root of the window: everything is made and joined here, once, in order.

Options, lock, application, theme, workspace, workers (the search worker starts first and loads
while the window is built), window, first paint, then what may come later: reader, indexer.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QWidget

from kb_app.errors import ExitCode, KbError
from kb_app.paths import AppFolders, app_folders
from kb_app.resources import resource
from kb_app.settings import load_settings
from kb_app.ui.collector import Collector
from kb_app.ui.common.jobs import ThreadJobs
from kb_app.ui.common.remembered import FILE_NAME
from kb_app.ui.common.session import Session
from kb_app.ui.common.theme import Theme, ThemeChoice
from kb_app.ui.crashes import CrashReporter
from kb_app.ui.desk import Desk, Workers
from kb_app.ui.screen import open_screen
from kb_app.ui.single_instance import SingleInstance, StartRequest
from kb_app.ui.window import MainWindow
from kb_app.workspace.bases import UnopenedBase, Workspace, open_workspace

logger = logging.getLogger(__name__)

MAX_STDIN = 1_000_000
SWITCH_INTERVAL_S = 0.001
"""How long a thread may hold the interpreter while the window waits for it; measured, see docs."""

LASTING_CLIPBOARDS = frozenset(
    {"eglfs", "linuxfb", "minimal", "minimalegl", "offscreen", "vkkhrdisplay", "vnc"}
)
"""Qt platforms without a system clipboard: what was copied is kept beyond the end of Python."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the window was started with; ``is_paste``: the clipboard is the query."""

    bases: tuple[str, ...] = ()
    query: str = ""
    is_self_test: bool = False
    is_paste: bool = False


def read_options(words: Sequence[str], stdin: Callable[[], str] | None = None) -> Options:
    """Return the options ``--kb X``, ``--query TEXT``, ``--paste``, ``--self-test``; ``--kb=X`` is read too.

    Args:
        words: of the command line.
        stdin: reads standard input for ``--query -``.
    """
    bases: list[str] = []
    flags: set[str] = set()
    query, rest = "", list(words)
    while rest:
        name, has_value, value = rest.pop(0).partition("=")
        if name in ("--self-test", "--paste"):
            flags.add(name)
            continue
        if not has_value:
            value = rest.pop(0) if rest else ""
        if name == "--kb":
            bases.append(value)
        elif name == "--query":
            query = value
    if query == "-":
        query = (stdin or _read_stdin)()
    return Options(tuple(bases), query, "--self-test" in flags, "--paste" in flags)


def _read_stdin() -> str:
    """Return what is piped in, at most `MAX_STDIN` characters; a terminal has nothing to say."""
    if sys.stdin is None or sys.stdin.isatty():
        return ""
    return sys.stdin.read(MAX_STDIN)


def run(words: Sequence[str]) -> int:
    """Run the window until it is closed and return the exit code."""
    options = read_options(words)
    if options.is_self_test:
        from kb_app.ui.self_test import run_self_test  # only the self-test needs it

        return run_self_test(options.bases)
    screen = open_screen() if QApplication.instance() is None else QApplication.instance()
    if screen is None:
        return ExitCode.ENVIRONMENT
    app = make_application()
    folders = app_folders()
    instance = SingleInstance(folders.data)
    request = StartRequest(_absolute(options.bases), options.query, is_paste=options.is_paste)
    if not instance.is_first():
        if instance.hand_over(request):
            return ExitCode.DONE
        sys.stderr.write("kb_app is running already but does not answer. End it and start again.\n")
        return ExitCode.ENVIRONMENT
    running = Running(app, folders, options)
    instance.requested.connect(running.take_request)
    running.window.painted.connect(instance.listen)
    running.start()
    end_on_signals(running.window)
    code = app.exec()
    running.finish()
    instance.close()
    return code


def make_application() -> QApplication:
    """Return the application object with name, icon and interpreter settings."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    app.setApplicationName("kb_app")
    app.setApplicationDisplayName("kb_app")
    app.setDesktopFileName("kb_app")
    icon = resource("app/kb_app.svg")
    if icon.is_file():
        app.setWindowIcon(QIcon(str(icon)))
    return app


class Running:
    """The objects of a running window, made in order and ended in reverse.

    Attributes:
        is_ready: what waits for the first paint has begun, all of it.
    """

    def __init__(self, app: QApplication, folders: AppFolders, options: Options) -> None:
        """Make everything; nothing shows yet."""
        self.collector = Collector(app)
        self.collector.start()
        settings = load_settings(folders)
        choice = ThemeChoice(settings.theme) if settings.theme in list(ThemeChoice) else ThemeChoice.SYSTEM
        self.theme = Theme(app, choice)
        self.crashes = CrashReporter(app)
        self.crashes.install()
        self.options = options
        workspace = _open(options, folders)
        is_first_run = not (folders.data / FILE_NAME).exists() and not options.bases and not options.query
        self.jobs = ThreadJobs(app)
        self.session = Session(folders.data, self.jobs, app)
        self.desk = Desk(workspace, self.session, self.jobs, Workers.make(app), app)
        self.desk.start_search()
        self.window = MainWindow(self.desk, is_first_run=is_first_run)
        self.window.reading.set_zoom(settings.zoom_percent)
        self.crashes.crashed.connect(self.window.report_crash)
        self.is_ready = False
        self._later: deque[Callable[[], None]] = deque()
        self._later_timer = QTimer(self.window, interval=0)
        self._later_timer.timeout.connect(self._do_next)
        self.window.painted.connect(self._on_painted)

    def start(self) -> None:
        """Show the window and ask the first question."""
        self.window.show()
        last = self.session.state.query
        if self.options.query or (last and not self.options.is_paste):
            self.window.search_for(self.options.query or last)
            self.window.search.focus()  # selected: typing replaces it
        elif self.options.is_paste:
            self.window.search_clipboard()
        else:
            self.desk.ask(is_typing=False)

    def take_request(self, request: StartRequest) -> None:
        """Do what a later start asked for, and come to the front."""
        for base in request.bases:
            self.desk.show_base(base)
        if request.query:
            self.window.search_for(request.query)
            self.window.search.focus()
        elif request.is_paste:
            self.window.search_clipboard()
        if self.window.isMinimized():
            self.window.showNormal()
        self.window.raise_()
        self.window.activateWindow()

    def finish(self) -> None:
        """Wait for what is being written, and let go of what must not outlive the interpreter."""
        self._later.clear()
        self.jobs.close()
        self.crashes.uninstall()
        self.collector.stop()
        release_clipboard()

    def _on_painted(self) -> None:
        """Begin the rest one by one: keys, answers and paints get their turn in between."""
        self._later.extend((self.desk.start_rest, *self.window.feature_starts(), self._prepare_reader))
        self._later_timer.start()

    def _do_next(self) -> None:
        if self.desk.is_stopped:
            self._later.clear()
        if self._later:
            self._later.popleft()()
        else:
            self._later_timer.stop()
            self.collector.settle()
            self.is_ready = True

    def _prepare_reader(self) -> None:
        """Make the reader in a quiet moment; its modules are read on a thread, which the keys do not feel."""

        def work() -> None:
            import kb_app.ui.reader.panel  # noqa: F401 - read for its side effect

        def make(_: None) -> None:
            if not self.desk.is_stopped:
                self.window.reading.prepare()

        self.jobs.run(work, on_done=make)


def release_clipboard() -> None:
    """Empty a clipboard that no other program sees.

    What it holds was made in Python; where Qt keeps it past the end of the interpreter, destroying it is a
    segmentation fault. Other clipboards end with the application object, and keep what they hold.
    """
    if QGuiApplication.platformName() in LASTING_CLIPBOARDS:
        QGuiApplication.clipboard().clear()


def _open(options: Options, folders: AppFolders) -> Workspace:
    """Open what is wanted; what cannot be opened is told in the window, which stays usable."""
    settings = load_settings(folders)
    try:
        return open_workspace(options.bases, folders, settings)
    except KbError as fault:
        logger.warning("%s", fault)
        names = ", ".join(options.bases) or "content"
        unopened = (UnopenedBase(names, names, fault.title, fault.hint),)
        return Workspace((), folders, settings, unopened)


def _absolute(bases: Sequence[str]) -> tuple[str, ...]:
    """Return folders as absolute paths, because the first window stands elsewhere; names stay as they are."""
    return tuple(str(Path(base).absolute()) if Path(base).is_dir() else base for base in bases)


def end_on_signals(window: QWidget) -> None:
    """Close the window on SIGTERM and SIGINT, from the event loop; a timer lets Python see them.

    A handler runs in the middle of whatever this thread does: closing there waits for ever for a lock that
    the interrupted code holds (jobs take one when they are asked for).
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: QTimer.singleShot(0, window.close))
    timer = QTimer(window, interval=500)
    timer.timeout.connect(lambda: None)
    timer.start()
