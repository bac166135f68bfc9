"""The sheet that logs a deployment: which change, where to, by what right, and when its review is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from kb_app.decision.values import Review
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import label, plain_tooltip
from kb_app.ui.incident.sheet import Sheet
from kb_app.ui.incident.state import review_sentence
from kb_app.ui.steps.cards import Remark
from kb_app.workspace.responding import Deployment, Terms

LOG, LOG_FIRST = "Log the deployment", "Log it: needs review first"


class DeploymentSheet(Sheet):
    """Asks for a change and an environment; the rest is filled in.

    Signals:
        logged(object, object): the `Deployment` and the `Terms` it went out on.
    """

    logged = Signal(object, object)

    def __init__(self, host: QWidget, clock: Callable[[], dt.datetime]) -> None:
        """Make it over ``host``."""
        super().__init__("Log a deployment", "rocket", LOG, host)
        self.setObjectName("deploymentSheet")
        self._clock = clock
        self._terms: Terms | None = None
        self._fields: dict[str, QLineEdit] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        places = (
            ("change", "Change", "Commit, merge request or ticket", 0, 0, 2),
            ("env", "Environment", "prod", 2, 0, 1),
            ("service", "Service", "may stay empty", 2, 1, 1),
            ("author", "Written by", "if not by you", 4, 0, 1),
            ("tests", "Tested by", "or why not", 4, 1, 1),
        )
        for name, title, hint, row, column, span in places:
            field = QLineEdit(self)
            field.setObjectName(f"deployment:{name}")
            field.setPlaceholderText(hint)
            field.setAccessibleName(title)
            field.setMaxLength(300)
            field.textEdited.connect(self._on_edited)
            words = label(title, "secondary", self)
            words.setBuddy(field)
            grid.addWidget(words, row, column, 1, span)
            grid.addWidget(field, row + 1, column, 1, span)
            self._fields[name] = field
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.box.addLayout(grid)
        self._missing = label("Which change, and where to?", "meta", self)
        self._missing.setProperty("tone", "danger")
        self._missing.hide()
        self.box.addWidget(self._missing)
        self._frame = QFrame(self)
        self._frame.setProperty("surface", "notice")
        self._lines = QVBoxLayout(self._frame)
        self._lines.setContentsMargins(10, 8, 10, 8)
        self._lines.setSpacing(4)
        self.box.addWidget(self._frame)
        self.sentences: tuple[str, ...] = ()
        self.accepted.connect(self._on_accepted)

    def ask(self, *, change: str, env: str, service: str) -> None:
        """Show the sheet with what is known; `show_terms` follows when the policy is read."""
        self._terms = None
        for name, text in (("change", change), ("env", env), ("service", service)):
            self._fields[name].setText(text)
        for name in ("author", "tests"):
            self._fields[name].clear()
        self._show_missing(names=())
        self._show_lines("info", ("loader-circle", "Reading the policy…"))
        self.accept_button.setEnabled(False)
        self.open_at(self._fields["env"] if change and not env else self._fields["change"])
        self._fields["change"].selectAll()

    def show_terms(self, terms: Terms) -> None:
        """Show by what right it goes out, and in red what is owed for it."""
        self._terms = terms
        now = self._clock()
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
        self.place()

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
        self._frame.setToolTip(plain_tooltip(" ".join(self.sentences)))

    def _show_missing(self, *, names: tuple[str, ...]) -> None:
        for name, field in self._fields.items():
            set_property(field, "invalid", "true" if name in names else "false")
        self._missing.setVisible(bool(names))

    def _on_edited(self, _text: str) -> None:
        self._show_missing(names=())

    def _on_accepted(self) -> None:
        if self._terms is None:
            return
        texts = {name: " ".join(field.text().split()) for name, field in self._fields.items()}
        missing = tuple(name for name in ("change", "env") if not texts[name])
        if missing:
            self._show_missing(names=missing)
            self._fields[missing[0]].setFocus(Qt.FocusReason.OtherFocusReason)
            return
        terms = self._terms
        self.leave()
        self.logged.emit(Deployment(**texts), terms)
