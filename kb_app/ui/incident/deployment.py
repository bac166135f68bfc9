"""The sheet that logs a deployment: which change, where to, by what right, and when its review is due."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from kb_app.decision.values import Review
from kb_app.ui.common.sheet import Sheet
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import label
from kb_app.ui.incident.state import review_sentence
from kb_app.ui.steps.cards import Remark
from kb_app.workspace.responding import Deployment, Terms

WIDTH = 480
LOG, LOG_FIRST = "Log the deployment", "Log it: needs review first"


@dataclass(frozen=True, slots=True)
class _FieldSpec:
    """One input: its name, title, hint and place in the grid."""

    name: str
    title: str
    hint: str
    row: int
    column: int
    span: int = 1


_FIELDS = (
    _FieldSpec("change", "Change", "Commit, merge request or ticket", 0, 0, 2),
    _FieldSpec("env", "Environment", "prod", 2, 0),
    _FieldSpec("service", "Service", "may stay empty", 2, 1),
    _FieldSpec("author", "Written by", "if not by you", 4, 0),
    _FieldSpec("tests", "Tested by", "or why not", 4, 1),
)


class DeploymentSheet(Sheet):
    """Asks for a change and an environment; the rest is filled in.

    Signals:
        logged(object, object): the `Deployment` and the `Terms` it went out on.
    """

    logged = Signal(object, object)

    def __init__(self, parent: QWidget, *, change: str, env: str, service: str) -> None:
        """Ask with what is known; `show_terms` follows when the policy is read."""
        super().__init__("Log a deployment", LOG, parent, icon="rocket", width=WIDTH)
        self.setObjectName("deploymentSheet")
        self._terms: Terms | None = None
        self._fields: dict[str, QLineEdit] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        values = {"change": change, "env": env, "service": service}
        for spec in _FIELDS:
            field = QLineEdit(values.get(spec.name, ""), self.card)
            field.setObjectName(f"deployment:{spec.name}")
            field.setPlaceholderText(spec.hint)
            field.setAccessibleName(spec.title)
            field.setMaxLength(300)
            words = label(spec.title, "secondary", self.card)
            words.setBuddy(field)
            grid.addWidget(words, spec.row, spec.column, 1, spec.span)
            grid.addWidget(field, spec.row + 1, spec.column, 1, spec.span)
            self._fields[spec.name] = field
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.box.addLayout(grid)
        self._frame = QFrame(self.card)
        self._frame.setProperty("surface", "notice")
        self._lines = QVBoxLayout(self._frame)
        self._lines.setContentsMargins(10, 8, 10, 8)
        self._lines.setSpacing(4)
        self.box.addWidget(self._frame)
        self.sentences: tuple[str, ...] = ()
        self._show_lines("info", ("loader-circle", "Reading the policy…"))
        self.accept_button.setEnabled(False)
        self.add_check(self._check)
        self.accepted.connect(self._on_accepted)

    def ask(self) -> None:
        """Show it."""
        self.open(self._fields["change"])

    def show_terms(self, terms: Terms, now: dt.datetime) -> None:
        """Show by what right it goes out, and in red what is owed for it when it goes out ``now``."""
        self._terms = terms
        if terms.review is Review.AFTER and terms.review_within is not None:
            self._show_lines(
                "danger",
                ("shield-check", f"Goes out by: {terms.authority}"),
                ("clock", review_sentence(now + terms.review_within, now)),
            )
        else:
            self._show_lines("danger", ("triangle-alert", terms.why))
        text = LOG if terms.review is Review.AFTER else LOG_FIRST
        self.accept_button.setText(text)
        self.accept_button.setAccessibleName(text)
        self.accept_button.setToolTip(f"{text} (Enter)")
        self.accept_button.setEnabled(True)
        self.say_problem("")  # places the card anew

    def field(self, name: str) -> QLineEdit:
        """Return the input of ``change``, ``env``, ``service``, ``author`` or ``tests``."""
        return self._fields[name]

    def _show_lines(self, tone: str, *lines: tuple[str, str]) -> None:
        while (item := self._lines.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        set_property(self._frame, "tone", tone)
        for icon, text in lines:
            self._lines.addWidget(Remark(icon, tone, text, self._frame, is_plain=True))
        self.sentences = tuple(text for _, text in lines)

    def _check(self) -> str:
        if self._terms is None:
            return "The policy is still being read"
        missing = [name for name in ("change", "env") if not self._fields[name].text().strip()]
        for name, field in self._fields.items():
            set_property(field, "invalid", "true" if name in missing else "false")
        if missing:
            self._fields[missing[0]].setFocus()
            return "Which change, and where to?"
        return ""

    def _on_accepted(self) -> None:
        assert self._terms is not None
        terms = self._terms
        texts = {name: " ".join(field.text().split()) for name, field in self._fields.items()}
        self.finish()
        self.logged.emit(Deployment(**texts), terms)
