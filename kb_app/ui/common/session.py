"""Holds what the window remembers and writes it off the user interface's thread."""

from __future__ import annotations

import logging
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from kb_app.ui.common.jobs import Jobs, Lane
from kb_app.ui.common.remembered import SessionState, load_session, save_session

logger = logging.getLogger(__name__)

SAVE_PAUSE_MS = 400
"""After a change the file is written this much later, once for all changes meanwhile."""


class Session(QObject):
    """Holds the state and writes it a moment after it changed.

    Signals:
        changed(object): the new `SessionState`.
        save_failed(str): why the file could not be written; said once.
    """

    changed = Signal(object)
    save_failed = Signal(str)

    def __init__(self, folder: Path, jobs: Jobs, parent: QObject | None = None) -> None:
        """Read the state of ``folder`` (one small file, before the window shows)."""
        super().__init__(parent)
        self._folder = folder
        self._jobs = jobs
        self._state = load_session(folder)
        self._is_complaint_made = False
        self._timer = QTimer(self, singleShot=True, interval=SAVE_PAUSE_MS)
        self._timer.timeout.connect(self.save_now)

    @property
    def state(self) -> SessionState:
        """Return the present state."""
        return self._state

    def update(self, state: SessionState) -> None:
        """Take a new state and write it soon."""
        if state != self._state:
            self._state = state
            self._timer.start()
            self.changed.emit(state)

    def save_now(self) -> None:
        """Hand the state to the writer without waiting for the pause."""
        self._timer.stop()
        folder, state = self._folder, self._state
        self._jobs.run(lambda: save_session(folder, state), on_error=self._on_save_error, lane=Lane.WRITE)

    def _on_save_error(self, error: Exception) -> None:
        logger.warning("the window's state could not be saved: %s", error)
        if not self._is_complaint_made:
            self._is_complaint_made = True
            self.save_failed.emit(str(error))
