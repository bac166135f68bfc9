"""The sheet that opens an incident: a title, a severity, Enter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from kb_app.incidents.timeline import IncidentState
from kb_app.ui.common.sheet import Sheet
from kb_app.ui.common.widgets import Hairline, KeyCap, label
from kb_app.ui.incident.state import SEVERITIES, opened_text
from kb_app.ui.steps.cards import ElidedButton
from kb_app.workspace.responding import MAX_TITLE, Opening

WIDTH = 480
_MAX_OPEN = 4


class SeverityRow(QWidget):
    """Four severities in a row, or none: 1 to 4 choose, the arrows walk, Space takes a choice back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Offer the severities."""
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        self.buttons: dict[str, QPushButton] = {}
        for position, (value, words, _color) in enumerate(SEVERITIES, 1):
            button = QPushButton(f"{position}  {words}", self)
            button.setProperty("role", "tab")
            button.setCheckable(True)
            button.setAccessibleName(f"{words}, key {position}")
            button.setToolTip(f"{words} ({position})")
            button.clicked.connect(partial(self._on_clicked, value))
            self._group.addButton(button)
            self.buttons[value] = button
            row.addWidget(button)
        row.addStretch(1)

    def choose(self, severity: str) -> None:
        """Show ``severity`` as chosen; empty shows none."""
        for value, button in self.buttons.items():
            button.setChecked(value == severity)

    @property
    def severity(self) -> str:
        """Return what is chosen, or an empty text."""
        return next((value for value, button in self.buttons.items() if button.isChecked()), "")

    @property
    def first(self) -> QPushButton:
        """Return the chosen one, else the first."""
        return self.buttons[self.severity or SEVERITIES[0][0]]

    def _on_clicked(self, value: str) -> None:
        self.choose(value if self.buttons[value].isChecked() else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """1 to 4 choose, the arrows walk."""
        values = list(self.buttons)
        if event.text() in ("1", "2", "3", "4"):
            self.choose(values[int(event.text()) - 1])
            self.first.setFocus(Qt.FocusReason.OtherFocusReason)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if event.key() == Qt.Key.Key_Right else -1
            at = next((i for i, b in enumerate(self.buttons.values()) if b.hasFocus()), 0)
            self.buttons[values[(at + step) % len(values)]].setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)


class OpeningSheet(Sheet):
    """Opens an incident, or takes up one that is open already.

    Signals:
        opened(object, bool): the `Opening`, and whether the marked steps are taken over.
        taken_up(str): id of the record that is taken up instead.
    """

    opened = Signal(object, bool)
    taken_up = Signal(str)

    def __init__(self, parent: QWidget, opening: Opening, *, marked: int, from_paste: bool) -> None:
        """Ask for a new incident.

        Args:
            parent: the window.
            opening: what is known already.
            marked: how many steps of the open entry are marked.
            from_paste: a paste led here; it is said that it is not kept.
        """
        super().__init__("Open an incident", "Open incident", parent, icon="siren", width=WIDTH)
        self.setObjectName("openingSheet")
        self._opening = opening
        self.title_input = self.add_line(
            "What is wrong",
            opening.title,
            hint="A few words; no customer data",
            needed="Write what is wrong, in a few words",
        )
        self.title_input.setMaxLength(MAX_TITLE)
        self.severity = SeverityRow(self.card)
        self.severity.choose(opening.severity)
        self.box.addWidget(self.severity)
        known = [f"Alert {opening.alert}"] if opening.alert else []
        known += [f"Affects {', '.join(opening.services)}"] if opening.services else []
        known += ["The paste is not kept: it may hold customer data"] if from_paste else []
        if known:
            self.box.addWidget(label("  ·  ".join(known), "secondary", self.card, wrap=True))
        self.take_over = QCheckBox(self.card)
        self.take_over.setChecked(marked > 0)
        steps = "1 marked step" if marked == 1 else f"{marked} marked steps"
        self.take_over.setText(f"Take over {steps} of this entry")
        self.take_over.setVisible(marked > 0)
        self.box.addWidget(self.take_over)
        self._others = QWidget(self.card)
        self._others_box = QVBoxLayout(self._others)
        self._others_box.setContentsMargins(0, 4, 0, 0)
        self._others_box.setSpacing(4)
        self._others.hide()
        self.box.addWidget(self._others)
        hint = QHBoxLayout()
        hint.setSpacing(4)
        for key, text in (("1–4", "severity"), ("Esc", "leave")):
            hint.addWidget(KeyCap(key, self.card))
            hint.addWidget(label(text, "meta", self.card))
            hint.addSpacing(6)
        self.foot.addLayout(hint)
        self.accepted.connect(self._on_accepted)

    def ask(self) -> None:
        """Show it: the keys choose the severity when there is a title, else they write one."""
        self.open(self.severity.first if self._opening.title else self.title_input)

    def show_others(self, states: Sequence[IncidentState], now: dt.datetime) -> None:
        """Offer the incidents that are open already, with how long they are at ``now``."""
        if not states:
            return
        self._others_box.addWidget(Hairline(self._others))
        self._others_box.addWidget(label("Or take up one that is open", "secondary", self._others))
        for state in states[:_MAX_OPEN]:
            button = ElidedButton(opened_text(state, now), self._others)
            button.setProperty("role", "ghost")
            button.clicked.connect(partial(self._on_taken_up, state.id))
            self._others_box.addWidget(button)
        self._others.show()
        self.say_problem("")  # places the card anew

    @property
    def others(self) -> list[QPushButton]:
        """Return the buttons of the open incidents."""
        return self._others.findChildren(QPushButton)

    def _on_taken_up(self, name: str) -> None:
        self.finish()
        self.taken_up.emit(name)

    def _on_accepted(self) -> None:
        title = " ".join(self.title_input.text().split())
        opening = replace(self._opening, title=title, severity=self.severity.severity)
        is_taken_over = not self.take_over.isHidden() and self.take_over.isChecked()
        self.finish()
        self.opened.emit(opening, is_taken_over)
