"""The right side of the window: the steps of an entry, or the decision between its two ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from kb_app.entries.model import PathKind, PlannedPath
from kb_app.ui.common.jobs import Jobs
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.search.client import BaseFolders
from kb_app.ui.steps.panel import StepsPanel
from kb_app.ui.steps.state import Lane

if TYPE_CHECKING:
    from kb_app.ui.decision.panel import DecisionPanel
    from kb_app.workspace.deciding import Ground


class ResponseSide(QStackedWidget):
    """Shows the steps; on demand the decision panel in their place, made when it is first asked for.

    Signals:
        deciding(object): the decision panel shows this `OpenedEntry` now.
    """

    deciding = Signal(object)

    def __init__(self, steps: StepsPanel, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Show ``steps``; ``jobs`` read the policy off the window's thread."""
        super().__init__(parent)
        self.steps = steps
        self._jobs = jobs
        self._decision: DecisionPanel | None = None
        self._deciding = ""
        self._guests: list[Callable[[DecisionPanel], None]] = []
        self.setMinimumWidth(steps.minimumWidth())
        self.addWidget(steps)

    @property
    def is_deciding(self) -> bool:
        """Tell whether the decision panel stands in front."""
        return self._decision is not None and self.currentWidget() is self._decision

    @property
    def decision(self) -> DecisionPanel:
        """Return the decision panel, making it when there is none yet."""
        if self._decision is None:
            from kb_app.ui.decision.panel import DecisionPanel  # the rules of deciding: not at start

            self._decision = DecisionPanel(self)
            self._decision.closed.connect(self.show_steps)
            self._decision.steps_requested.connect(self._on_steps_requested)
            self.addWidget(self._decision)
            for join in self._guests:
                join(self._decision)
        return self._decision

    def when_made(self, join: Callable[[DecisionPanel], None]) -> None:
        """Call ``join`` with the decision panel once it is made."""
        if self._decision is not None:
            join(self._decision)
        else:
            self._guests.append(join)

    def decide(self, opened: OpenedEntry, base: BaseFolders) -> None:
        """Ask the questions for an entry; the knowledge base's policy follows when it is read."""
        from kb_app.workspace.deciding import inputs_of, read_ground  # see `decision`

        entry, plan, key = opened.entry, opened.plan, opened.ref.key
        self._deciding = key
        panel = self.decision
        panel.show_entry(key, entry.title, inputs_of(plan, entry))
        self.deciding.emit(opened)
        self.setCurrentWidget(panel)
        panel.focus_question()

        def show(ground: Ground) -> None:
            if self._deciding == key:
                panel.show_ground(inputs_of(plan, entry, ground.defaults), ground.policy, ground.findings)

        self._jobs.run(lambda: read_ground(base.root, entry, base.config, base.folder), on_done=show)

    def show_steps(self) -> None:
        """Show the steps again."""
        self._deciding = ""
        focused = self.window().focusWidget()
        had_focus = self.is_deciding and self.isAncestorOf(focused)
        self.setCurrentWidget(self.steps)
        if had_focus:
            self.steps.focus_lane(self.steps.active_lane)

    def _on_steps_requested(self, planned: PlannedPath) -> None:
        self.show_steps()
        lane = Lane.FIX if planned.path.kind is PathKind.FIX else Lane.MITIGATE
        self.steps.choose_path(lane, planned.entry_path, planned.path.anchor)
        self.steps.focus_lane(lane)
