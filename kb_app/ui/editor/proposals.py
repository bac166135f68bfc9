"""My drafts and proposals: what is being written, what is on its way, what wants an answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from kb_app.gitstore.proposals import Proposal, ProposalState
from kb_app.logs import visible
from kb_app.ui.common.messages import fit_text
from kb_app.ui.common.page import Page
from kb_app.ui.common.widgets import (
    Badge,
    ElidedLabel,
    EmptyState,
    IconButton,
    IconLabel,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.editor.state import age_text
from kb_app.workspace.contributing import STATE_WORDS, is_notes
from kb_app.workspace.drafts import TextDraft

_LOOKS = {
    ProposalState.QUEUED: ("clock", "mitigate"),
    ProposalState.PROPOSED: ("send", "info"),
    ProposalState.IN_REVIEW: ("eye", "info"),
    ProposalState.MERGED: ("circle-check", "fix"),
    ProposalState.NEEDS_ANSWER: ("message-square-warning", "danger"),
    ProposalState.WITHDRAWN: ("archive", "muted"),
}
_ORDER = (
    ProposalState.NEEDS_ANSWER,
    ProposalState.QUEUED,
    ProposalState.IN_REVIEW,
    ProposalState.PROPOSED,
    ProposalState.MERGED,
    ProposalState.WITHDRAWN,
)
MAX_DONE = 20
"""Proposals at their end that are listed."""


@dataclass(frozen=True, slots=True)
class Contributions:
    """What the page lists; ``roots`` has the folder of each copy by name."""

    drafts: tuple[TextDraft, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    problem: str = ""
    roots: Mapping[str, str] = field(default_factory=dict)

    def under_way(self, root: str, path: str) -> Proposal | None:
        """Return the latest proposal under way that changes the entry at ``path`` below ``root``."""
        mine = (p for p in reversed(self.proposals) if path in p.paths and self.roots.get(p.clone) == root)
        ends = (ProposalState.MERGED, ProposalState.WITHDRAWN)
        return next((p for p in mine if p.state not in ends), None)


class _Row(QFrame):
    """One line of the page: icon, two lines of text, a badge, buttons, a menu."""

    def __init__(self, icon: str, title: str, detail: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 12, 12)
        row.setSpacing(12)
        row.addWidget(IconLabel(icon, "text2", 18, self), 0, Qt.AlignmentFlag.AlignTop)
        texts = QVBoxLayout()
        texts.setSpacing(4)
        self.title = ElidedLabel(title, self, mode=Qt.TextElideMode.ElideRight)
        self.title.setProperty("textstyle", "heading")
        self.detail = ElidedLabel(detail, self, mode=Qt.TextElideMode.ElideRight)
        self.detail.setProperty("textstyle", "secondary")
        texts.addWidget(self.title)
        texts.addWidget(self.detail)
        self.texts = texts
        row.addLayout(texts, 1)
        self._row = row

    def add(self, widget: QWidget) -> None:
        """Put a widget at the right end."""
        self._row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def add_remark(self, text: str, tone: str) -> None:
        """Say a further sentence below."""
        remark = label(text, "secondary", self, wrap=True)
        remark.setProperty("tone", tone)
        self.texts.addWidget(remark)


class ProposalsPage(Page):
    """Lists drafts and proposals.

    Signals:
        continue_requested(object): go on with this `TextDraft`.
        propose_requested(object): open this `TextDraft` with the sheet.
        delete_requested(object): delete this `TextDraft`.
        patch_requested(object): save this `TextDraft` or `Proposal` as a patch file.
        page_requested(str): open this address of a review.
        again_requested(object), withdraw_requested(object), rework_requested(object),
            forget_requested(object), answer_requested(object): what shall become of this `Proposal`.
        send_requested(): send and look up everything now.
    """

    continue_requested = Signal(object)
    propose_requested = Signal(object)
    delete_requested = Signal(object)
    patch_requested = Signal(object)
    page_requested = Signal(str)
    again_requested = Signal(object)
    withdraw_requested = Signal(object)
    rework_requested = Signal(object)
    forget_requested = Signal(object)
    answer_requested = Signal(object)
    send_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("My drafts and proposals", parent, width=860)
        self.setObjectName("proposalsPage")
        self.send_button = text_button("Send and look up now", "", "refresh-cw", self)
        self.send_button.setToolTip("Send what waits, and see how far the rest is")
        self.send_button.clicked.connect(self.send_requested)
        self.add_head(self.send_button)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        self.box.addLayout(self._rows)
        self._empty = EmptyState(
            "pencil",
            "Nothing written yet",
            "Press E on an entry to correct it, N for a new one, or F to flag what is wrong. "
            "What you write shows up here.",
            parent=self,
        )
        fit_text(self._empty, 360)
        self._empty.setMinimumHeight(420)
        self.box.addWidget(self._empty)
        self.box.addStretch(1)
        self.shown = Contributions()

    def show_contributions(self, shown: Contributions, now: dt.datetime) -> None:
        """List these."""
        self.shown = shown
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if shown.problem:
            self._rows.addWidget(label(shown.problem, "secondary", self, wrap=True))
        if shown.drafts:
            self._heading(f"Drafts ({len(shown.drafts)})")
        for draft in shown.drafts:
            self._rows.addWidget(self._draft_row(draft, now))
        under_way, done = split_proposals(shown.proposals)
        if under_way:
            self._heading(f"On their way ({len(under_way)})")
        for proposal in under_way:
            self._rows.addWidget(self._proposal_row(proposal, now))
        if done:
            self._heading("Done")
        for proposal in done[:MAX_DONE]:
            self._rows.addWidget(self._proposal_row(proposal, now))
        is_empty = not (shown.drafts or shown.proposals)
        self._empty.setVisible(is_empty)
        self.send_button.setVisible(bool(shown.proposals))
        first = self._first_button()
        focused = QApplication.focusWidget()
        had_focus = focused is not None and self.isAncestorOf(focused)
        self.setFocusProxy(first if first is not None else self.back)
        if had_focus:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _first_button(self) -> QWidget | None:
        for number in range(self._rows.count()):
            item = self._rows.itemAt(number)
            row = item.widget() if item is not None else None
            if isinstance(row, _Row):
                return row.findChild(QWidget, "rowAction")
        return None

    def set_sending(self, *, is_sending: bool) -> None:
        """Show that the remotes are being asked."""
        self.send_button.setEnabled(not is_sending)
        self.send_button.setText("Asking …" if is_sending else "Send and look up now")

    def _heading(self, text: str) -> None:
        heading = label(text, "title", self)
        heading.setContentsMargins(0, 12, 0, 0)
        self._rows.addWidget(heading)

    def _draft_row(self, draft: TextDraft, now: dt.datetime) -> _Row:
        kind = "New entry" if draft.is_new else "Change"
        detail = (
            f"{kind}  ·  {draft.knowledge_base}  ·  {draft.path}  ·  saved {age_text(draft.saved_at, now)}"
        )
        row = _Row("pencil", draft.title or draft.path, detail, self)
        row.setAccessibleName(f"Draft: {draft.title}, {detail}")
        button = text_button("Continue", "", parent=row)
        button.setObjectName("rowAction")
        button.setAccessibleName(f"Continue {draft.title}")
        button.setToolTip("Go on writing")
        button.clicked.connect(partial(self.continue_requested.emit, draft))
        row.add(button)
        row.add(
            self._menu_button(
                row,
                draft.title,
                (
                    ("Propose", "send", partial(self.propose_requested.emit, draft)),
                    ("Save as patch file…", "save", partial(self.patch_requested.emit, draft)),
                    ("Delete", "trash-2", partial(self.delete_requested.emit, draft)),
                ),
            )
        )
        return row

    def _proposal_row(self, proposal: Proposal, now: dt.datetime) -> _Row:
        at = proposal.pushed_at or proposal.created_at
        many = is_notes(proposal) and len(proposal.paths) > 1
        what = f"{len(proposal.paths)} notes about entries" if many else ", ".join(proposal.paths)
        detail = f"{proposal.clone}  ·  {what}  ·  {age_text(at, now)}"
        row = _Row("file-diff", visible(proposal.title), visible(detail), self)
        word = STATE_WORDS[proposal.state]
        row.setAccessibleName(f"Proposal: {proposal.title}, {word}")
        if proposal.problem:
            row.add_remark(f"{proposal.problem}. {proposal.hint}".strip(), "danger")
        icon, tone = _LOOKS[proposal.state]
        row.add(Badge(icon, word, tone, row))
        wanted = self._actions(proposal)
        is_done = proposal.state in (ProposalState.MERGED, ProposalState.WITHDRAWN)
        if is_done and not proposal.page:
            row.add(self._menu_button(row, proposal.title, wanted))
            return row
        if wanted:
            text, _, run = wanted[0]
            button = text_button(text, "", parent=row)
            button.setObjectName("rowAction")
            button.setAccessibleName(f"{text}: {proposal.title}")
            button.setToolTip(plain_tooltip(proposal.page) if text == "Open the review" else text)
            button.clicked.connect(lambda _checked=False: run())
            row.add(button)
        row.add(self._menu_button(row, proposal.title, wanted[1:]))
        return row

    def _actions(self, proposal: Proposal) -> list[tuple[str, str, Callable[[], None]]]:
        """Return what can be done with a proposal, the likeliest first."""
        state = proposal.state
        actions: list[tuple[str, str, Callable[[], None]]] = []
        is_open = state not in (ProposalState.MERGED, ProposalState.WITHDRAWN)
        is_refused = state is ProposalState.NEEDS_ANSWER and proposal.pushed_at is None
        if is_refused and proposal.page:
            web = partial(self.page_requested.emit, proposal.page)
            actions.append(("Propose in the browser…", "external-link", web))
        if is_refused:
            actions.append(("Send again", "send", partial(self.again_requested.emit, proposal)))
        elif state is ProposalState.NEEDS_ANSWER and proposal.commit:
            actions.append(("Answer", "message-square", partial(self.answer_requested.emit, proposal)))
        if proposal.page and not is_refused:
            actions.append(
                ("Open the review", "external-link", partial(self.page_requested.emit, proposal.page))
            )
        if state is not ProposalState.MERGED and not (is_notes(proposal) and len(proposal.paths) > 1):
            actions.append(("Go on writing", "pencil", partial(self.rework_requested.emit, proposal)))
        if proposal.commit:
            actions.append(("Save as patch file…", "save", partial(self.patch_requested.emit, proposal)))
        if is_open:
            actions.append(("Withdraw", "archive", partial(self.withdraw_requested.emit, proposal)))
        else:
            actions.append(("Remove from the list", "x", partial(self.forget_requested.emit, proposal)))
        return actions

    def _menu_button(
        self, row: QWidget, name: str, actions: Sequence[tuple[str, str, Callable[[], None]]]
    ) -> IconButton:
        button = IconButton("ellipsis", f"More for {name}", row)
        menu = QMenu(button)
        for text, _icon, run in actions:
            action = QAction(text, menu)
            action.triggered.connect(lambda _checked=False, run=run: run())
            menu.addAction(action)
        button.clicked.connect(lambda: menu.popup(button.mapToGlobal(QPoint(0, button.height()))))
        return button


def split_proposals(proposals: Sequence[Proposal]) -> tuple[list[Proposal], list[Proposal]]:
    """Return the proposals under way, those that need something first, and those at their end."""
    ends = (ProposalState.MERGED, ProposalState.WITHDRAWN)
    under_way = [p for p in proposals if p.state not in ends]
    done = [p for p in proposals if p.state in ends]
    under_way.sort(key=lambda p: (_ORDER.index(p.state), p.number))
    return under_way, sorted(done, key=lambda p: -p.number)
