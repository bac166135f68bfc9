"""Pictures of every screen in both themes and three widths: ``python3 dev.py shots [FOLDER [KB…]]``.

The window is the real one with its real workers in a home of its own; only what depends on chance (progress
of indexing) is set by hand.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSize, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from kb_app.paths import app_folders
from kb_app.resources import content_folder
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.theme import ThemeChoice
from kb_app.ui.search.state import Query
from kb_app.ui.steps.state import Lane

SIZES = (QSize(1440, 900), QSize(1280, 800))
NARROW = QSize(1000, 760)
SETTLE_MS = 260

WORDS = "replication slot disk full"
PASTE = """2026-03-04 02:11:09.871 UTC [4711] PANIC:  could not write to file "pg_wal/xlogtemp.4711": \
No space left on device
2026-03-04 02:11:09.872 UTC [1] LOG:  server process (PID 4711) was terminated by signal 6: Aborted
2026-03-04 02:11:09.872 UTC [1] LOG:  terminating any other active server processes
2026-03-04 02:11:10.001 UTC [1] LOG:  all server processes terminated; reinitializing
2026-03-04 02:11:10.117 UTC [4720] FATAL:  the database system is in recovery mode
"""
NOTHING = "zyzzogeton quux frobnicator"


class Camera:
    """Drives the window from screen to screen and keeps the pictures."""

    def __init__(self, running: Running, folder: Path) -> None:
        """Write into ``folder``."""
        self.running = running
        self.window = running.window
        self.desk = running.desk
        self.folder = folder

    def shoot(self, name: str) -> None:
        """Keep a picture of the window as it stands."""
        self.wait()
        size = self.window.size()
        theme = self.running.theme.tokens.name
        self.window.grab().save(str(self.folder / f"{name}-{theme}-{size.width()}x{size.height()}.png"))

    def wait(self, milliseconds: int = SETTLE_MS) -> None:
        """Let events pass."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def wait_until(self, is_true: Callable[[], bool], seconds: int = 60) -> None:
        """Let events pass until ``is_true``, at most ``seconds``."""
        for _ in range(seconds * 50):
            if is_true():
                return
            self.wait(20)

    def ask(self, query: Query) -> None:
        """Ask and wait for the list and for the preview of its first row."""
        self.window.search.set_query(query)
        self.wait_until(lambda: not self.desk.search.is_busy)
        self.wait(250)
        self.wait_until(lambda: self.desk.opener.wanted is None)

    def everything(self) -> None:
        """Take every screen in the present theme and size."""
        window = self.window
        window.pages.setCurrentWidget(window.welcome)
        window.welcome.setFocus()
        self.shoot("01-first-run")
        window.show_panes()
        window.show_no_entry()
        self.ask(Query())
        window.search.focus()
        self.shoot("02-empty-query")
        self.ask(Query(typed=WORDS))
        window.search.focus()
        self.shoot("03-results")
        window.results.list.open_current()
        self.wait()
        window.actions_table[ActionId.MITIGATE].trigger()
        self.shoot("04-steps")
        window.actions_table[ActionId.COPY_COMMAND].trigger()
        self.shoot("05-copy-asks-for-values")
        self._risky_copy()
        self.ask(Query(pasted=PASTE.strip()))
        window.search.focus()
        self.shoot("07-paste")
        self.ask(Query(typed=NOTHING))
        self.shoot("08-no-result")
        self.ask(Query(typed=WORDS))
        window.topbar.status.show_progress(43, 100)
        self.shoot("09-indexing")
        self.desk.index_changed.emit(self.desk.index_state)
        window.actions_table[ActionId.DECIDE].trigger()
        self.shoot("15-decide")
        window.actions_table[ActionId.DECIDE].trigger()
        window.show_shortcuts()
        self.shoot("10-shortcuts")
        window.show_settings()
        self.shoot("11-settings")
        window.show_panes()
        self._filters()

    def narrow(self) -> None:
        """Take the narrow layout: the entry, and the steps in their tab."""
        self.window.resize(NARROW)
        self.ask(Query(typed=WORDS))
        self.shoot("13-narrow")
        self.window.actions_table[ActionId.MITIGATE].trigger()
        self.shoot("14-narrow-steps")

    def _risky_copy(self) -> None:
        """Take the question before a destructive command is copied."""
        window = self.window
        card = window.steps.findChild(_values_card(), "values")
        if card is not None:
            for number, name in enumerate(card.names):
                card.set_value(name, ("standby_2", "/var/lib/postgresql/17/main", "50GB", "5432")[number % 4])
        window.steps.focus_lane(Lane.FIX)
        for column_card in window.steps.cards(Lane.FIX):
            risky = [box for box in column_card.commands if box.command.is_destructive]
            if risky:
                risky[0].copy()
                break
        self.shoot("06-copy-asks-first")

    def _filters(self) -> None:
        if not self.window.panes.has_filter_column:
            self.window.actions_table[ActionId.FILTERS].trigger()
            self.wait()
            popup = QApplication.activePopupWidget()
            if popup is not None:
                theme = self.running.theme.tokens.name
                popup.grab().save(str(self.folder / f"12-filters-{theme}.png"))
            self.window.panes.close_filters()


def _values_card() -> type:
    from kb_app.ui.steps.panel import ValuesCard  # only the one screen needs it

    return ValuesCard


def take(folder: Path, bases: Sequence[str]) -> int:
    """Write all pictures and return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    app = make_application()
    running = Running(app, app_folders(), Options(tuple(bases)))
    camera = Camera(running, folder)
    running.start()
    camera.wait_until(lambda: running.desk.index_state.is_complete)
    for theme in (ThemeChoice.LIGHT, ThemeChoice.DARK):
        running.theme.set_choice(theme)
        for size in SIZES:
            running.window.resize(size)
            camera.everything()
        camera.narrow()
    running.window.close()
    running.finish()
    return len(list(folder.glob("*.png")))


def main(words: Sequence[str]) -> int:
    """Take the pictures of the bundled content, or of the knowledge bases named."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    folder = Path(words[0] if words else "shots").absolute()
    bases = [str(Path(word).absolute()) for word in words[1:]] or [str(content_folder())]
    with tempfile.TemporaryDirectory(prefix="kb_app-shots-") as home:
        os.environ["KB_APP_HOME"] = home
        count = take(folder, bases)
    sys.stdout.write(f"{count} pictures in {folder}\n")
    QGuiApplication.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
