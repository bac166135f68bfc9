"""The response column: the steps of an entry, and in their place the decision panel while it is wanted."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from kb_app.decision.values import Way
from kb_app.entries.model import Entry, ResponsePlan
from kb_app.ui.common.jobs import Jobs
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.decision.panel import DecisionPanel
from kb_app.ui.steps.panel import StepsPanel
from kb_app.ui.steps.state import Lane
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.deciding import Decision, Ground, ground_of, inputs_of
from kb_app.workspace.reading import load_catalogue


def read_ground(base: OpenBase, entry: Entry) -> Ground:
    """Read what deciding on ``entry`` needs from the disk; not on the window's thread."""
    return ground_of(base.root, entry, base.config, load_catalogue(base))


class ResponseArea(QStackedWidget):
    """Holds the steps; the decision panel is made when it is first asked for.

    Signals:
        decided(object): a `Decision` was taken.
        decide_again(str): the last decision no longer holds; why, one sentence.
    """

    decided = Signal(object)
    decide_again = Signal(str)

    def __init__(self, steps: StepsPanel, jobs: Jobs, parent: QWidget | None = None) -> None:
        """Show ``steps``."""
        super().__init__(parent)
        self.steps = steps
        self.panel: DecisionPanel | None = None
        self._jobs = jobs
        self._plan: ResponsePlan | None = None
        self.setMinimumWidth(380)
        self.addWidget(steps)

    @property
    def is_deciding(self) -> bool:
        """Tell whether the decision panel stands in front."""
        return self.panel is not None and self.currentWidget() is self.panel

    def decide(self, opened: OpenedEntry, base: OpenBase) -> None:
        """Show the decision panel for an entry; its first question has the focus."""
        panel = self._made_panel()
        key = f"{opened.ref.knowledge_base}:{opened.ref.path}"
        if panel.key != key:
            panel.show_entry(key, opened.entry.title, inputs_of(opened.plan, opened.entry))
            self._plan = None
        if self._plan != opened.plan:  # also when links of the same entry have been read meanwhile
            self._plan = opened.plan
            self._jobs.run(
                partial(read_ground, base, opened.entry), on_done=partial(self._on_ground, key, opened)
            )
        self.setCurrentWidget(panel)
        panel.focus_question()

    def show_steps(self) -> None:
        """Go back to the steps; what was answered stays."""
        self.setCurrentWidget(self.steps)

    def leave(self) -> None:
        """Go back to the steps and put the focus there."""
        self.show_steps()
        self.steps.focus_lane(self.steps.active_lane)

    def focus_panel(self) -> None:
        """Put the focus into what stands in front."""
        if self.is_deciding and self.panel is not None:
            self.panel.focus_question()
        else:
            self.steps.focus_lane(self.steps.active_lane)

    def _made_panel(self) -> DecisionPanel:
        if self.panel is None:
            self.panel = DecisionPanel()
            self.panel.closed.connect(self.leave)
            self.panel.decided.connect(self._on_decided)
            self.panel.decide_again.connect(self.decide_again)
            self.panel.steps_requested.connect(self._on_steps_requested)
            self.addWidget(self.panel)
        return self.panel

    def _on_ground(self, key: str, opened: OpenedEntry, ground: Ground) -> None:
        if self.panel is not None and self.panel.key == key:
            inputs = inputs_of(opened.plan, opened.entry, ground.defaults)
            self.panel.show_ground(inputs, ground.policy, ground.findings)

    def _on_decided(self, decision: Decision) -> None:
        self.decided.emit(decision)

    def _on_steps_requested(self, way: Way) -> None:
        self.show_steps()
        self.steps.focus_lane(Lane.FIX if way is Way.FIX else Lane.MITIGATE)
