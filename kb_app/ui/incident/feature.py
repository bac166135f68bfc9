"""Responding joins the window: the incident in hand and what writes to its record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kb_app.ui.common.actions import When
from kb_app.ui.features import Feature
from kb_app.ui.incident.current import CurrentIncident

if TYPE_CHECKING:
    from kb_app.incidents.timeline import IncidentState
    from kb_app.ui.window import MainWindow


class IncidentFeature(Feature):
    """The incident in hand.

    Attributes:
        current: which one, and the door to the records; other features read and write through it.
    """

    def __init__(self, window: MainWindow) -> None:
        """Have none in hand yet."""
        super().__init__(window)
        self.current = CurrentIncident(self.desk, self)
        self.current.changed.connect(self._on_changed)

    def facts(self) -> Iterable[When]:
        """An incident is open while one is in hand."""
        return (When.INCIDENT_OPEN,) if self.current.state is not None else ()

    def start(self) -> None:
        """Take up the incident of the last session."""
        self.current.start()

    def _on_changed(self, _state: IncidentState | None) -> None:
        self.window.update_actions()
