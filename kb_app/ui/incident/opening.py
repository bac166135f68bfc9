"""The sheet that opens an incident: a title, a severity, Enter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from kb_app.incidents.timeline import IncidentState
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import Hairline, KeyCap, label
from kb_app.ui.incident.sheet import Sheet
from kb_app.ui.incident.state import SEVERITIES, opened_text
from kb_app.ui.steps.cards import ElidedButton
from kb_app.workspace.responding import MAX_TITLE, Opening

_MAX_OPEN = 4


class SeverityRow(QWidget):
    """Four severities in a row, or none.

    Signals:
        chosen(str): ``sev1`` to ``sev4``, empty when it was taken back.
    """

    chosen = Signal(str)

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
            button.setProperty("choice", "true")
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

    def focus(self) -> None:
        """Put the focus on the chosen one, else on the first."""
        self.buttons[self.severity or SEVERITIES[0][0]].setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_clicked(self, value: str) -> None:
        is_on = self.buttons[value].isChecked()
        self.choose(value if is_on else "")
        self.chosen.emit(self.severity)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """1 to 4 choose, the arrows walk."""
        values = list(self.buttons)
        if event.text() in ("1", "2", "3", "4"):
            self.choose(values[int(event.text()) - 1])
            self.focus()
            self.chosen.emit(self.severity)
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if event.key() == Qt.Key.Key_Right else -1
            at = next((i for i, b in enumerate(self.buttons.values()) if b.hasFocus()), 0)
            self.buttons[values[(at + step) % len(values)]].setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)


class OpeningSheet(Sheet):
    """Opens an incident, or takes up one that is open already.

    Signals:
        opened(object, bool): the `Opening`, and whether the ticked steps are taken over.
        taken_up(str): id of the record that is taken up instead.
    """

    opened = Signal(object, bool)
    taken_up = Signal(str)

    def __init__(self, host: QWidget, clock: Callable[[], dt.datetime]) -> None:
        """Make it over ``host``."""
        super().__init__("Open an incident", "siren", "Open incident", host)
        self.setObjectName("openingSheet")
        self._clock = clock
        self._opening = Opening("")
        self.box.addWidget(label("What is wrong", "secondary", self))
        self.title_input = QLineEdit(self)
        self.title_input.setMaxLength(MAX_TITLE)
        self.title_input.setPlaceholderText("A few words; no customer data")
        self.title_input.setAccessibleName("What is wrong, in a few words")
        self.title_input.textEdited.connect(self._on_edited)
        self.box.addWidget(self.title_input)
        self._missing = label("Write what is wrong, in a few words.", "meta", self)
        self._missing.setProperty("tone", "danger")
        self._missing.hide()
        self.box.addWidget(self._missing)
        self.severity = SeverityRow(self)
        self.box.addWidget(self.severity)
        self._facts = label("", "secondary", self, wrap=True)
        self._facts.setObjectName("openingFacts")
        self.box.addWidget(self._facts)
        self.take_over = QCheckBox(self)
        self.take_over.setObjectName("takeOver")
        self.box.addWidget(self.take_over)
        self._others = QWidget(self)
        self._others_box = QVBoxLayout(self._others)
        self._others_box.setContentsMargins(0, 0, 0, 0)
        self._others_box.setSpacing(4)
        self.box.addWidget(self._others)
        hint = QHBoxLayout()
        hint.setSpacing(4)
        for key, text in (("1–4", "severity"), ("Enter", "open"), ("Esc", "leave")):
            hint.addWidget(KeyCap(key, self))
            hint.addWidget(label(text, "meta", self))
            hint.addSpacing(6)
        hint.addStretch(1)
        self.box.addLayout(hint)
        self.accepted.connect(self._on_accepted)

    def ask(self, opening: Opening, *, ticked: int, from_paste: bool) -> None:
        """Show the sheet, prefilled.

        Args:
            opening: what is known.
            ticked: how many steps of the open entry are ticked already.
            from_paste: a paste led here; it is said that it is not kept.
        """
        self._opening = opening
        self.title_input.setText(opening.title)
        self.severity.choose(opening.severity)
        self._show_missing(is_missing=False)
        known = [f"Alert {opening.alert}"] if opening.alert else []
        known += [f"Affects {', '.join(opening.services)}"] if opening.services else []
        known += ["The paste is not kept: it may hold customer data"] if from_paste else []
        self._facts.setText("  ·  ".join(known))
        self._facts.setVisible(bool(known))
        self.take_over.setVisible(ticked > 0)
        self.take_over.setChecked(ticked > 0)
        steps = "1 ticked step" if ticked == 1 else f"{ticked} ticked steps"
        self.take_over.setText(f"Take over {steps} of this entry")
        self.show_others(())
        if opening.title:
            self.severity.choose(opening.severity)
            self.open_at(self.severity.buttons[opening.severity or "sev1"])
        else:
            self.open_at(self.title_input)

    def show_others(self, states: Sequence[IncidentState]) -> None:
        """Offer the incidents that are open already."""
        while (item := self._others_box.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._others.setVisible(bool(states))
        if states:
            self._others_box.addWidget(Hairline(self._others))
            self._others_box.addWidget(label("Or take up one that is open", "secondary", self._others))
        for state in states[:_MAX_OPEN]:
            button = ElidedButton(opened_text(state, self._clock()), self._others)
            button.setProperty("role", "ghost")
            button.setStyleSheet("text-align: left")
            button.clicked.connect(partial(self._on_taken_up, state.id))
            self._others_box.addWidget(button)
        self.place()

    @property
    def others(self) -> list[QPushButton]:
        """Return the buttons of the open incidents."""
        return [b for b in self._others.findChildren(QPushButton) if b.isVisible()]

    def _on_taken_up(self, name: str) -> None:
        self.leave()
        self.taken_up.emit(name)

    def _on_edited(self, _text: str) -> None:
        self._show_missing(is_missing=False)

    def _show_missing(self, *, is_missing: bool) -> None:
        set_property(self.title_input, "invalid", "true" if is_missing else "false")
        self._missing.setVisible(is_missing)

    def _on_accepted(self) -> None:
        title = " ".join(self.title_input.text().split())
        if not title:
            self._show_missing(is_missing=True)
            self.title_input.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        is_taken_over = self.take_over.isVisible() and self.take_over.isChecked()
        self.leave()
        opening = replace(self._opening, title=title, severity=self.severity.severity)
        self.opened.emit(opening, is_taken_over)
