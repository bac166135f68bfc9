"""What the system tells of the network: whether there is any, and whether it is paid by volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from PySide6.QtNetwork import QNetworkInformation


class NetworkWatch(QObject):
    """Listens to the system; where it tells nothing, there is a network and it costs nothing.

    Signals:
        came_back(): there was no network and now there is.
    """

    came_back = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        """Know nothing before `start`."""
        super().__init__(parent)
        self.is_away = False
        self.is_metered = False
        self._is_started = False

    def start(self) -> None:
        """Begin to listen."""
        from PySide6.QtNetwork import QNetworkInformation  # only who syncs needs it

        if self._is_started:
            return
        self._is_started = True
        if not QNetworkInformation.loadDefaultBackend():
            return
        info = QNetworkInformation.instance()
        if info is None:
            return
        features = QNetworkInformation.Feature
        if info.supports(features.Reachability):
            info.reachabilityChanged.connect(self._on_reachability)
            self._on_reachability(info.reachability())
        if info.supports(features.Metered):
            info.isMeteredChanged.connect(self._on_metered)
            self._on_metered(info.isMetered())

    def _on_reachability(self, reachability: QNetworkInformation.Reachability) -> None:
        was_away = self.is_away
        self.is_away = reachability is type(reachability).Disconnected
        if was_away and not self.is_away:
            self.came_back.emit()

    def _on_metered(self, is_metered: bool) -> None:  # noqa: FBT001 - the signal's argument
        self.is_metered = is_metered
