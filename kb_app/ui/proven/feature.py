"""Looks up, once the page is painted, who confirmed the open entry last, and its open flags.

Decision: the page shows at once what the entry says itself; git and the notes are asked in another thread a
moment later. An entry that is only passed by with the arrow keys is not asked about.
"""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.features import Feature
from kb_app.ui.sync.feature import SyncFeature

if TYPE_CHECKING:
    from kb_app.entries.standing import Standing
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.confirming import Confirmations

LOOK_PAUSE_MS = 120


class ProvenFeature(Feature):
    """Keeps the facts above the page true."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._confirmations: Confirmations | None = None
        self._wanted: OpenedEntry | None = None
        self._timer = QTimer(self, singleShot=True, interval=LOOK_PAUSE_MS)
        self._timer.timeout.connect(self.look)
        self.desk.entry_opened.connect(self._on_opened)

    def start(self) -> None:
        """Follow what others say of the open entry, too."""
        self.window.feature(SyncFeature).synced.connect(lambda _name, _done: self._timer.start())

    def stop(self) -> None:
        """Ask no more."""
        self._timer.stop()

    def _on_opened(self, opened: OpenedEntry, _is_wanted: bool) -> None:  # noqa: FBT001 - the signal's
        self._wanted = opened
        self._timer.start()

    def look(self) -> None:
        """Look up the open entry now."""
        opened = self._wanted
        base = self.desk.base_of(opened.ref) if opened is not None else None
        if opened is None or base is None:
            return
        folders, root, entry, today = self.desk.workspace.folders, base.root, opened.entry, dt.date.today()

        def work() -> Standing:
            from kb_app.workspace.confirming import Confirmations  # start-up time

            if self._confirmations is None:
                self._confirmations = Confirmations(folders)
            return self._confirmations.of(root, entry, today)

        self.desk.jobs.run(work, on_done=partial(self._show, opened.ref, today), lane=Lane.HISTORY)

    def _show(self, ref: EntryRef, today: dt.date, standing: Standing) -> None:
        opened = self._wanted
        if opened is None or opened.ref != ref or self.desk.current is None or self.desk.current.ref != ref:
            return
        from kb_app.ui.reader.state import facts_of  # start-up time

        self.window.reading.reader.set_facts(facts_of(opened.entry, today, standing))
