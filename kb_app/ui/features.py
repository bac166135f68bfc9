"""Capabilities that join the window from their own folders: actions, pages, what they show at the top.

Decision: the window knows its panes; everything else (records, duties, reports, sync, editor, history …) is a
`Feature`. The window makes each one, asks it for its handlers and facts, and tells it when to begin and to
end. A feature imports its pages when they are first asked for, because all of them together would cost more
than the window's whole start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from kb_app.ui.common.actions import ActionId, When

if TYPE_CHECKING:
    from kb_app.ui.desk import Desk
    from kb_app.ui.window import MainWindow


class Feature(QObject):
    """One capability of the window.

    Attributes:
        window: where pages are shown (`MainWindow.show_page`) and things are said (`MainWindow.say`).
        desk: what is known and asked.
    """

    def __init__(self, window: MainWindow) -> None:
        """Join ``window``: its panels are there, its actions are not yet; connect signals, read no file."""
        super().__init__(window)
        self.window: MainWindow = window
        self.desk: Desk = window.desk

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the actions of this feature do."""
        return {}

    def facts(self) -> Iterable[When]:
        """Return the conditions that hold now; call `MainWindow.update_actions` when they change."""
        return ()

    def start(self) -> None:
        """Begin what takes time: called once, after the window was painted."""

    def stop(self) -> None:
        """End what runs: the window is closing."""


def _incident(window: MainWindow) -> Feature:
    from kb_app.ui.incident.feature import IncidentFeature

    return IncidentFeature(window)


def _history(window: MainWindow) -> Feature:
    from kb_app.ui.versions.feature import HistoryFeature

    return HistoryFeature(window)


def _conformance(window: MainWindow) -> Feature:
    from kb_app.ui.conformance.feature import ConformanceFeature

    return ConformanceFeature(window)


def _drill(window: MainWindow) -> Feature:
    from kb_app.ui.drill.feature import DrillFeature

    return DrillFeature(window)


def _editor(window: MainWindow) -> Feature:
    from kb_app.ui.editor.feature import EditorFeature

    return EditorFeature(window)


def _searching(window: MainWindow) -> Feature:
    from kb_app.ui.searching.feature import SearchingFeature

    return SearchingFeature(window)


def _saved_searches(window: MainWindow) -> Feature:
    from kb_app.ui.searching.saved_feature import SavedSearchesFeature

    return SavedSearchesFeature(window)


def _paste(window: MainWindow) -> Feature:
    from kb_app.ui.searching.paste_feature import PasteFeature

    return PasteFeature(window)


def _related(window: MainWindow) -> Feature:
    from kb_app.ui.searching.related_feature import RelatedFeature

    return RelatedFeature(window)


def _sync(window: MainWindow) -> Feature:
    from kb_app.ui.sync.feature import SyncFeature

    return SyncFeature(window)


def _conflicts(window: MainWindow) -> Feature:
    from kb_app.ui.conflicts.feature import ConflictsFeature

    return ConflictsFeature(window)


def _timeline(window: MainWindow) -> Feature:
    from kb_app.ui.timeline.feature import TimelineFeature

    return TimelineFeature(window)


def _short_events(window: MainWindow) -> Feature:
    from kb_app.ui.timeline.short_events import ShortEventsFeature

    return ShortEventsFeature(window)


def _duties(window: MainWindow) -> Feature:
    from kb_app.ui.duties.feature import DutiesFeature

    return DutiesFeature(window)


def _export(window: MainWindow) -> Feature:
    from kb_app.ui.export.feature import ExportFeature

    return ExportFeature(window)


def _layers(window: MainWindow) -> Feature:
    from kb_app.ui.layers.feature import LayersFeature

    return LayersFeature(window)


def _proven(window: MainWindow) -> Feature:
    from kb_app.ui.proven.feature import ProvenFeature

    return ProvenFeature(window)


FEATURES: tuple[Callable[[MainWindow], Feature], ...] = (
    _incident,
    _history,
    _conformance,
    _drill,
    _editor,
    _searching,
    _saved_searches,
    _paste,
    _related,
    _sync,
    _conflicts,
    _timeline,
    _short_events,
    _duties,
    _export,
    _layers,
    _proven,
)
"""Makers of the features, in the order in which they join."""
