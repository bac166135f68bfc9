"""Follow-ups: naming who does one and by when, and closing one with what shows that it is done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from PySide6.QtWidgets import QCheckBox, QWidget

from kb_app.decision.values import Recommendation
from kb_app.decision.wording import advice_sentence
from kb_app.incidents.markup import one_line
from kb_app.ui.common.sheet import Sheet
from kb_app.ui.common.widgets import label, text_button
from kb_app.ui.duties.state import FOLLOWUP_WORDS, parse_due
from kb_app.ui.timeline.correcting import parse_typed_time, time_text
from kb_app.workspace.deciding import UNREADABLE
from kb_app.workspace.late_decisions import LateCase


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who does a follow-up.

    Attributes:
        owner, text: as typed.
        due: by when; None for no date.
    """

    owner: str
    text: str
    due: dt.datetime | dt.date | None


class AssignSheet(Sheet):
    """Names who does a follow-up and by when."""

    def __init__(self, parent: QWidget, kind: str, lead: str, *, owner: str, text: str, due: str) -> None:
        """Ask about a follow-up of ``kind``; the fields are prefilled."""
        super().__init__(f"Who does it: {FOLLOWUP_WORDS[kind]}", "Name them", parent, lead=lead)
        self.owner = self.add_line("Owner", owner, hint="@team or mail", needed="Say who does it")
        self.text = self.add_line("What is to be done", text, hint="In a line; may stay empty")
        self.due = self.add_line("By when", due, hint="2025-06-08, 5d, 2w; empty for no date")
        self.add_check(self._check_due)

    def _check_due(self) -> str:
        try:
            parse_due(self.due.text(), dt.datetime.now(dt.UTC))
        except ValueError:
            return "That is no date: write 2025-06-08, 5d or 2w"
        return ""

    def value(self) -> Assignment:
        """Return what was typed."""
        due = parse_due(self.due.text(), dt.datetime.now(dt.UTC))
        return Assignment(self.owner.text(), self.text.text(), due)


class CloseFollowupSheet(Sheet):
    """Closes a follow-up: a commit or an issue; for a mitigation the tick and the signal that proves it.

    Attributes:
        assign_button: name another owner instead.
    """

    def __init__(self, parent: QWidget, kind: str, what: str) -> None:
        """Ask what shows that ``what`` is done."""
        self.is_removal = kind == "remove-mitigation"
        title = "The mitigation is gone?" if self.is_removal else f"Done: {FOLLOWUP_WORDS[kind]}"
        super().__init__(title, "It is done", parent, icon="check", lead=one_line(what))
        if self.is_removal:
            self.removed = QCheckBox("Mitigation removed", self.card)
            self.removed.setAccessibleName("Mitigation removed")
            self.box.addWidget(self.removed)
            self.add_check(lambda: "" if self.removed.isChecked() else "Tick that the mitigation is removed")
            needed = "Name the signal that shows it"
            self.signal = self.add_line(
                "What shows it", hint="flag X off: error rate unchanged", needed=needed
            )
            self.url = self.add_line("Commit or issue", hint="may stay empty")
        else:
            needed = "Give the commit, the merge request or the issue"
            self.url = self.add_line("Commit or issue", hint="hash or address", needed=needed)
            self.signal = self.add_line("What shows it", hint="may stay empty")
        self.assign_button = text_button("Another owner…", "ghost", "hand", self.card)
        self.foot.addWidget(self.assign_button)


DONE_THEN = (
    (Recommendation.FIX_FORWARD, "Fix forward"),
    (Recommendation.MITIGATE_THEN_FIX, "Mitigate"),
    (Recommendation.PARALLEL, "Both at once"),
    (Recommendation.CONTAIN, "Contain"),
)


class LateDecisionSheet(Sheet):
    """Writes a decision down that is missing: what was done, when, and why it is written only now."""

    def __init__(self, parent: QWidget, late: LateCase) -> None:
        """Ask about the deployment of ``late``."""
        deploy = late.deploy
        lead = f"{one_line(deploy.change)} went to {one_line(deploy.env)} by {one_line(deploy.deployer)}"
        super().__init__(
            "The decision it went out by", "Record as late entry", parent, icon="scale", lead=lead
        )
        self.late = late
        self.advice = label(weighed_text(late), "secondary", self.card, wrap=True)
        self.box.addWidget(self.advice)
        options = [(choice.value, words) for choice, words in DONE_THEN]
        self.chosen = self.add_choice("What was decided", options, late.chosen.value)
        self.chosen.changed.connect(self._on_chosen)
        self.reason = self.add_line(
            "Why otherwise than advised", hint="One line", needed="Say why it was done otherwise than advised"
        )
        above = self.box.itemAt(self.box.count() - 2)
        self._caption = above.widget() if above is not None else None
        self.at = self.add_line("When it was decided (UTC)", time_text(deploy.at))
        self.late_reason = self.add_line(
            "Why it is written down only now",
            hint="One line; it stands beside the decision",
            needed="Say why it is written down only now",
        )
        self.add_check(self._check)
        self._on_chosen(self.chosen.value)

    def _on_chosen(self, value: str) -> None:
        is_other = value != self.late.advice.recommend.value
        self.reason.setVisible(is_other)
        if self._caption is not None:
            self._caption.setVisible(is_other)
        if self.isVisible():
            self._place()

    def _check(self) -> str:
        try:
            parse_typed_time(self.at.text(), self.late.deploy.at)
        except ValueError as error:
            return str(error)
        return ""

    def when(self) -> dt.datetime:
        """Return when it was decided."""
        return parse_typed_time(self.at.text(), self.late.deploy.at) or self.late.deploy.at


def weighed_text(late: LateCase) -> str:
    """Return by what the decision is weighed afterwards, and what that gives."""
    if late.policy.revision == UNREADABLE:
        by = "a policy.yml that cannot be read"
    elif late.entry:
        by = f"{one_line(late.entry)} and its policy as it is today"
    else:
        by = "the default policy: the record names no entry that is known here"
    return f"Weighed by {by}, and by what the record had stated until then: {advice_sentence(late.advice)}"
