"""The lines between header and page: facts, alerts and notices."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from kb_app.entries.model import Severity
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.widgets import (
    TONE_COLORS,
    Badge,
    Chip,
    ElidedLabel,
    IconLabel,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.reader.flow import FlowLayout
from kb_app.ui.reader.state import Fact, PageFacts, PageNotice, flags_text

_ALERTS_SHOWN = 3
_NOTICES_SHOWN = 2
_NOTICE_LOOK = {
    Severity.INFO: ("info", "info"),
    Severity.WARNING: ("triangle-alert", "mitigate"),
    Severity.ERROR: ("circle-alert", "danger"),
}


class FactsRow(QWidget):
    """Facts and notices of the entry shown; no height when there are none.

    Signals:
        line_requested(int): a notice is about this 1-based line and the user wants to see it.
    """

    line_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reader-facts")
        self._row = QWidget(self)
        self._flow = FlowLayout(self._row, gap=14, line_gap=6)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._notices = QVBoxLayout()
        self._notices.setSpacing(6)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(28, 12, 28, 0)
        self._layout.setSpacing(10)
        self._layout.addWidget(self._row)
        self._layout.addLayout(self._notices)
        self._shown = PageFacts()
        self._all_notices: tuple[PageNotice, ...] = ()
        self._page_notices: tuple[PageNotice, ...] = ()
        self._plain: list[_PlainFact] = []
        self._badges: list[Badge] = []
        self.hide()

    def set_column(self, left: int, width: int) -> None:
        """Stand on the same edges as the page's text."""
        self._layout.setContentsMargins(left, 12, max(12, self.width() - left - width), 0)

    def set_facts(self, facts: PageFacts) -> None:
        """Show ``facts``; ones that are shown already stay as they are, with what was opened of them.

        Widgets of the former entry are filled anew: making them costs ten times as much.
        """
        if facts == self._shown:
            return
        self._shown = facts
        while (item := self._flow.takeAt(0)) is not None:
            old = item.widget()
            if old is not None and old not in self._plain and old not in self._badges:
                old.hide()
                old.deleteLater()
        self._add_facts(((facts.state,) if facts.state else ()) + facts.facts)
        for alert in facts.alerts[:_ALERTS_SHOWN]:
            self._flow.addWidget(_alert_chip(alert, self._row))
        if more := facts.alerts[_ALERTS_SHOWN:]:
            chip = Chip(f"+{len(more)}", "muted", self._row)
            chip.setToolTip(plain_tooltip("Further alerts: " + ", ".join(more)))
            chip.setAccessibleName(f"{len(more)} further alerts")
            self._flow.addWidget(chip)
        if facts.flags:
            self._flow.addWidget(self._flags_button(facts.flags))
        self._row.setVisible(self._flow.count() > 0)
        self._all_notices = self._page_notices = facts.notices
        self._show_notices(self._first_notices())
        self.setVisible(bool(facts.state or facts.facts or facts.alerts or facts.notices or facts.flags))

    def _flags_button(self, flags: tuple[str, ...]) -> QPushButton:
        """Return the badge of open flags; pressing it shows each of them below."""
        button = text_button(flags_text(flags), parent=self._row)
        bind_icon(button, "flag", "mitigate", 12)
        button.setObjectName("flagsBadge")
        button.setProperty("chip", "true")
        button.setProperty("tone", "mitigate")
        button.setCheckable(True)
        button.setAccessibleName(f"{flags_text(flags)}. {'; '.join(flags)}")
        button.setToolTip(plain_tooltip("\n".join(flags)))
        button.toggled.connect(partial(self._show_flags, flags))
        return button

    def _show_flags(self, flags: tuple[str, ...], is_open: bool) -> None:  # noqa: FBT001 - the signal's
        shown = tuple(PageNotice(Severity.WARNING, flag) for flag in flags) if is_open else ()
        self._all_notices = (*shown, *self._page_notices)
        self._show_notices(len(self._all_notices) if is_open else self._first_notices())

    def _first_notices(self) -> int:
        count = len(self._all_notices)
        return _NOTICES_SHOWN if count > _NOTICES_SHOWN + 1 else count

    def _add_facts(self, facts: tuple[Fact, ...]) -> None:
        plain, badges = iter(self._plain), iter(self._badges)
        used: list[QWidget] = []
        for fact in facts:
            widget: _PlainFact | Badge | None
            if fact.tone:
                widget = next(badges, None)
                if widget is None:
                    widget = Badge(fact.icon, fact.text, fact.tone, self._row)
                    self._badges.append(widget)
                else:
                    widget.set_badge(fact.icon, fact.text, fact.tone)
            else:
                widget = next(plain, None)
                if widget is None:
                    widget = _PlainFact(self._row)
                    self._plain.append(widget)
                widget.show_fact(fact)
            widget.setToolTip(plain_tooltip(fact.detail))
            self._flow.addWidget(widget)
            used.append(widget)
        for one in (*self._plain, *self._badges):
            one.setVisible(one in used)

    def _show_notices(self, count: int) -> None:
        while (item := self._notices.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for notice in self._all_notices[:count]:
            bar = NoticeBar(notice, self)
            bar.line_requested.connect(self.line_requested)
            self._notices.addWidget(bar)
        if rest := len(self._all_notices) - count:
            more = text_button(f"{rest} more", "link", parent=self)
            more.clicked.connect(self._show_all_notices)
            self._notices.addWidget(more, 0, Qt.AlignmentFlag.AlignLeft)

    def _show_all_notices(self) -> None:
        self._show_notices(len(self._all_notices))


class NoticeBar(QFrame):
    """One sentence with an icon, and a way to the line it is about.

    Signals:
        line_requested(int): the user wants to see the 1-based line.
    """

    line_requested = Signal(int)

    def __init__(self, notice: PageNotice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = notice.line
        icon, tone = _NOTICE_LOOK[notice.severity]
        self.setProperty("surface", "notice")
        self.setProperty("tone", tone)
        self.setAccessibleName(notice.text)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(8)
        text = label(notice.text, "secondary", self, wrap=True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(IconLabel(icon, TONE_COLORS[tone], 16, self), 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(text, 1)
        if notice.line is not None:
            show = text_button(f"Line {notice.line}", "link", parent=self)
            show.setAccessibleName(f"Show line {notice.line}")
            show.clicked.connect(self._on_clicked)
            layout.addWidget(show, 0, Qt.AlignmentFlag.AlignTop)

    def _on_clicked(self) -> None:
        if self._line is not None:
            self.line_requested.emit(self._line)


class _PlainFact(QWidget):
    """A fact without a tone: its icon and its words."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        self._icon = IconLabel("info", "text3", 14, self)
        layout.addWidget(self._icon)
        self._text = ElidedLabel("", self)
        self._text.setProperty("textstyle", "secondary")
        layout.addWidget(self._text, 1)

    def show_fact(self, fact: Fact) -> None:
        """Show another fact."""
        self._icon.set_icon(fact.icon, "text3")
        self._text.setText(fact.text)
        self.setAccessibleName(fact.text)


def _alert_chip(alert: str, parent: QWidget) -> Badge:
    shown = alert if len(alert) <= 42 else f"{alert[:24]}…{alert[-16:]}"
    badge = Badge("bell-ring", shown, "muted", parent)
    badge.setAccessibleName(f"Alert {alert}")
    badge.setToolTip(plain_tooltip(f"Answers the alert {alert}"))
    return badge
