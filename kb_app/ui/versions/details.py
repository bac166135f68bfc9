"""What is known of one version, above its text: who, when, why, who reviewed it, how it is signed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from kb_app.gitstore.history import Signature
from kb_app.ui.common.avatars import Avatar
from kb_app.ui.common.widgets import Badge, ElidedLabel, label, plain_tooltip, text_button
from kb_app.ui.versions.state import (
    moment_text,
    other_facts,
    people_of,
    short,
    signature_mark,
    status_text,
    subject_text,
)
from kb_app.workspace.past import Version

MAX_REASON = 600
"""Characters of a reason that are shown; the tooltip has all of it."""


class VersionDetails(QWidget):
    """The facts of the selected version, or of two that are compared.

    Signals:
        review_wanted(str): the page of the review, an address.
    """

    review_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty one."""
        super().__init__(parent)
        self.avatar = Avatar("", self, size=32)
        self.subject = label("", "title", self, wrap=True)
        self.subject.setObjectName("versionSubject")
        self.who = ElidedLabel("", self, mode=Qt.TextElideMode.ElideRight)
        self.who.setProperty("textstyle", "secondary")
        self.signature = Badge("key-round", "", "muted", self)
        self.review = text_button("Open the review", "link", "external-link", self)
        self.review.setToolTip("Open the page where this change was reviewed (O)")
        self.review.clicked.connect(self._on_review)
        self.reason = label("", "", self, wrap=True)
        self.reason.setObjectName("versionReason")
        self.facts = label("", "secondary", self, wrap=True)
        self.danger = label("", "", self, wrap=True)
        self.danger.setObjectName("versionDanger")
        self.danger.setProperty("tone", "danger")
        self.danger.hide()
        self._review = ""
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(self.subject)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.who, 1)
        line.addWidget(self.review)
        line.addWidget(self.signature)
        text.addLayout(line)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.avatar, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(text, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 8)
        box.setSpacing(6)
        box.addLayout(head)
        box.addWidget(self.reason)
        box.addWidget(self.facts)
        box.addWidget(self.danger)

    def warn(self, text: str) -> None:
        """Say what is dangerous about the change; an empty text takes it away."""
        self.danger.setText(text)
        self.danger.setVisible(bool(text))

    def show_version(self, version: Version) -> None:
        """Show one version."""
        self.warn("")
        revision = version.revision
        self.avatar.set_name(revision.author)
        self.subject.setText(subject_text(revision))
        parts = (
            f"{revision.author} <{revision.email}>" if revision.email else revision.author,
            moment_text(revision.authored_at),
            f"version {short(revision.commit)}",
            status_text(revision),
        )
        self.who.setText("  ·  ".join(part for part in parts if part))
        self.show_signature(revision.signature)
        body = revision.body
        self.reason.setText(body if len(body) <= MAX_REASON else f"{body[:MAX_REASON].rstrip()} …")
        self.reason.setToolTip(plain_tooltip(body) if len(body) > MAX_REASON else "")
        self.reason.setVisible(bool(body))
        people = [f"{what} {who}" for what, who in people_of(revision)]
        facts = "  ·  ".join((*people, *other_facts(revision)))
        self.facts.setText(facts)
        self.facts.setVisible(bool(facts))
        self._review = version.review
        self.review.setVisible(bool(version.review))
        self.review.setToolTip(plain_tooltip(f"{version.review} (O)"))

    def show_signature(self, signature: Signature) -> None:
        """Show what is known of the signature."""
        mark = signature_mark(signature)
        self.signature.setVisible(True)
        self.signature.set_badge(mark.icon, mark.text, mark.tone)
        self.signature.setToolTip(plain_tooltip(signature.sentence))

    def show_pair(self, old: Version, new: Version, count: int) -> None:
        """Show that two versions are compared, with ``count`` changes between them."""
        self.avatar.set_name(new.revision.author)
        self.subject.setText(f"{short(old.revision.commit)} compared with {short(new.revision.commit)}")
        first, last = moment_text(old.revision.authored_at), moment_text(new.revision.authored_at)
        self.who.setText(f"{first}  to  {last}  ·  {count:,} {'change' if count == 1 else 'changes'}")
        for part in (self.signature, self.reason, self.facts, self.review, self.danger):
            part.hide()
        self._review = ""

    def open_review(self) -> None:
        """Ask for the review's page, if there is one."""
        self._on_review()

    def _on_review(self) -> None:
        if self._review:
            self.review_wanted.emit(self._review)
