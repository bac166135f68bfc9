"""The page of an incident's timeline: its head, the picture, the list, what can be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLayout, QSizePolicy, QVBoxLayout, QWidget

from kb_app.incidents.markup import one_line
from kb_app.incidents.timeline import IncidentState
from kb_app.ui.common.local_keys import LocalKeys
from kb_app.ui.common.messages import fit_text
from kb_app.ui.common.page import Page
from kb_app.ui.common.widgets import (
    Badge,
    ElidedLabel,
    EmptyState,
    Hairline,
    IconButton,
    KeyCap,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.timeline.events import EventList
from kb_app.ui.timeline.picture import ZOOM_STEP, TrackPicture
from kb_app.ui.timeline.state import (
    STATUS_TONES,
    Chain,
    Track,
    count_line,
    rows_of,
    times_line,
)

MAX_ENTRIES_SHOWN = 4
_SEVERITY_TONES = {"sev1": "danger", "sev2": "mitigate"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows.

    Attributes:
        state: the incident.
        track: its picture; None for a record without events.
        chain: what checking it found.
    """

    state: IncidentState
    track: Track | None
    chain: Chain


class TimelinePage(Page):
    """The page.

    Signals:
        entry_requested(str): an entry that was used shall be opened; its id.
        link_requested(str): an address of a ticket shall be opened.
        correct_requested(int): the moment of that number shall be corrected.
        note_requested(), handover_requested(), draft_requested(), export_requested(), close_requested():
            a button was pressed.
        another_requested(): another record shall be chosen.
    """

    entry_requested = Signal(str)
    link_requested = Signal(str)
    correct_requested = Signal(int)
    note_requested = Signal()
    handover_requested = Signal()
    draft_requested = Signal()
    export_requested = Signal()
    close_requested = Signal()
    another_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the page without an incident."""
        super().__init__("Timeline", parent, width=0)
        self.setObjectName("timelinePage")
        self.shown: Shown | None = None
        self.box.setContentsMargins(32, 20, 32, 16)
        self.box.setSpacing(8)
        self.box.addLayout(self._build_facts())
        self.box.addLayout(self._build_actions())
        self.box.addWidget(self._build_picture())
        self.events = EventList(self)
        self.box.addWidget(self.events, 1)
        self.empty = EmptyState("activity", "No record yet", "Open an incident (I) and it is written here.")
        fit_text(self.empty, 360)
        self.empty.hide()
        self.box.addWidget(self.empty, 1)
        self._connect()
        self.setFocusProxy(self.events)

    # -- building -------------------------------------------------------------------------------------

    def _build_facts(self) -> QLayout:
        box = QVBoxLayout()
        box.setSpacing(6)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.head.setStretch(0, 1)
        self.head.setStretch(1, 0)
        self.another = text_button("Other incidents", "ghost", "list", self)
        self.another.setToolTip("Choose another incident (O)")
        self.another.clicked.connect(self.another_requested)
        self.add_head(self.another)
        first = QHBoxLayout()
        first.setSpacing(8)
        self.severity = Badge("siren", "", "muted", self)
        self.status = Badge("circle-dot", "", "muted", self)
        self.lead = label("", "secondary", self)
        self.times = ElidedLabel("", self, mode=Qt.TextElideMode.ElideRight)
        self.times.setProperty("textstyle", "secondary")
        for part in (self.severity, self.status, self.lead):
            first.addWidget(part)
        first.addWidget(self.times, 1)
        box.addLayout(first)
        self._links = QHBoxLayout()
        self._links.setSpacing(8)
        box.addLayout(self._links)
        return box

    def _build_actions(self) -> QLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        self.buttons = {}
        for name, text, icon, signal, tip in (
            ("note", "Note", "message-square", self.note_requested, "Write a note (Ctrl+Shift+N)"),
            ("correct", "Correct…", "pencil", None, "Correct the chosen event; the original stays (Enter)"),
            ("handover", "Hand over…", "send", self.handover_requested, "Hand over to somebody (W)"),
            ("draft", "Review draft", "file-text", self.draft_requested, "Draft of the written review (R)"),
            ("export", "Copy for the ticket…", "clipboard", self.export_requested, "Copy for the ticket (T)"),
            ("close", "Close…", "archive", self.close_requested, "Close the incident"),
        ):
            button = text_button(text, "ghost", icon, self)
            button.setObjectName(f"timeline-{name}")
            button.setToolTip(tip)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(signal if signal is not None else self._on_correct)
            self.buttons[name] = button
            row.addWidget(button)
        row.addStretch(1)
        self.chain = Badge("shield-check", "not checked yet", "muted", self)
        self.chain.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row.addWidget(self.chain)
        return row

    def _build_picture(self) -> QWidget:
        frame = QFrame(self)
        frame.setProperty("surface", "card")
        frame.setObjectName("pictureCard")
        box = QVBoxLayout(frame)
        box.setContentsMargins(12, 8, 12, 8)
        box.setSpacing(4)
        self.picture = TrackPicture(frame)
        box.addWidget(self.picture)
        box.addWidget(Hairline(frame))
        row = QHBoxLayout()
        row.setSpacing(4)
        self.counts = label("", "meta", frame)
        row.addWidget(self.counts)
        row.addStretch(1)
        for keys, text in (("← →", "moment"), ("+ −", "zoom"), ("0", "all")):
            row.addWidget(KeyCap(keys, frame))
            row.addWidget(label(text, "meta", frame))
            row.addSpacing(4)
        self.zoom_out = IconButton("zoom-out", "Less near", frame, size=14, shortcut="−")
        self.zoom_in = IconButton("zoom-in", "Nearer", frame, size=14, shortcut="+")
        self.zoom_fit = IconButton("maximize-2", "All of it", frame, size=14, shortcut="0")
        for button in (self.zoom_out, self.zoom_in, self.zoom_fit):
            row.addWidget(button)
        box.addLayout(row)
        self._card = frame
        return frame

    def _connect(self) -> None:
        self.picture.selected.connect(self.events.select_moment)
        self.picture.opened.connect(self._on_picture_opened)
        self.picture.zoomed.connect(self._show_zoom)
        self.events.selected.connect(self.picture.select)
        self.events.opened.connect(self._request_correction)
        self.zoom_in.clicked.connect(lambda: self.picture.zoom_by(ZOOM_STEP))
        self.zoom_out.clicked.connect(lambda: self.picture.zoom_by(1 / ZOOM_STEP))
        self.zoom_fit.clicked.connect(lambda: self.picture.zoom_by(0))
        self._show_zoom(1.0)
        keys = {
            "W": self._if_shown(self.handover_requested),
            "R": self._if_shown(self.draft_requested),
            "T": self._if_shown(self.export_requested),
            "O": self.another_requested.emit,
        }
        LocalKeys(self, {**keys, **self._zoom_keys()})

    # -- showing --------------------------------------------------------------------------------------

    def show_incident(self, shown: Shown) -> None:
        """Show an incident; when it is the one shown already, the chosen event stays chosen."""
        state = shown.state
        is_same = self.shown is not None and self.shown.state.id == state.id
        self.shown = shown
        self._show_empty(is_empty=not state.moments)
        title = one_line(state.title)
        self.title.setText(title)
        self.title.setToolTip(plain_tooltip(f"{title} ({state.id})"))
        self.setAccessibleName(f"Timeline: {title}")
        self.severity.set_badge(
            "siren", state.severity or "no severity", _SEVERITY_TONES.get(state.severity, "muted")
        )
        self.status.set_badge("circle-dot", state.status, STATUS_TONES[state.status])
        self.lead.setText(f"lead {one_line(state.lead)}" if state.lead else "no lead")
        self.times.setText(times_line(state))
        self._show_links(state)
        self._show_chain(shown.chain)
        self.counts.setText(count_line(state))
        self.buttons["close"].setVisible(state.closed_at is None)
        chosen = self.events.current_moment if is_same else -1
        self.picture.set_track(shown.track)
        self.events.set_rows(rows_of(state.moments))
        first = len(state.moments) - 1 if state.closed_at is None else 0
        self.events.select_moment(chosen if chosen >= 0 else first)
        self.picture.select(self.events.current_moment)

    def show_none(self) -> None:
        """Say that there is no record yet."""
        self.shown = None
        self.title.setText("Timeline")
        self._clear_links()
        self._show_empty(is_empty=True)

    def _show_empty(self, *, is_empty: bool) -> None:
        if is_empty and self.events.hasFocus():
            self.back.setFocus(Qt.FocusReason.OtherFocusReason)  # before it goes: Qt would go elsewhere
        for part in (self._card, self.events, self.severity, self.status, self.lead, self.times, self.chain):
            part.setVisible(not is_empty)
        for button in self.buttons.values():
            button.setVisible(not is_empty)
        self.empty.setVisible(is_empty)
        self.setFocusProxy(self.back if is_empty else self.events)

    def _clear_links(self) -> None:
        while (item := self._links.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()

    def _show_links(self, state: IncidentState) -> None:
        self._clear_links()
        used = {event.text("entry"): event.text("result") for event in state.entries_used}
        tickets = [text for text in dict.fromkeys((state.ticket, state.tracker)) if text]
        if not used and not tickets:
            self._links.addWidget(label("No entry used, no ticket linked", "meta", self))
        for entry, result in list(used.items())[:MAX_ENTRIES_SHOWN]:
            button = text_button(f"{one_line(entry)} · {result}", "link", "book-open", self)
            button.setToolTip(plain_tooltip(f"Open the entry {entry}, which helped: {result}"))
            button.setAccessibleName(f"Entry used: {one_line(entry)}, {result}")
            button.clicked.connect(lambda _=False, name=entry: self.entry_requested.emit(name))
            self._links.addWidget(button)
        if len(used) > MAX_ENTRIES_SHOWN:
            self._links.addWidget(label(f"and {len(used) - MAX_ENTRIES_SHOWN} more", "meta", self))
        for ticket in tickets:
            self._links.addWidget(self._ticket(ticket))
        self._links.addStretch(1)

    def _ticket(self, ticket: str) -> QWidget:
        if not ticket.startswith(("https://", "http://")):
            return Badge("hash", one_line(ticket), "muted", self)
        button = text_button(one_line(ticket)[:60], "link", "external-link", self)
        button.setToolTip(plain_tooltip(f"Open {ticket}"))
        button.clicked.connect(lambda: self.link_requested.emit(ticket))
        return button

    def _show_chain(self, chain: Chain) -> None:
        icon, tone = ("shield-check", "fix") if chain.is_whole else ("triangle-alert", "danger")
        self.chain.set_badge(icon, chain.text, tone)
        self.chain.setToolTip("<br>".join(plain_tooltip(line) for line in chain.details.splitlines()[:12]))

    def _show_zoom(self, zoom: float) -> None:
        self.zoom_out.setEnabled(zoom > 1)
        self.zoom_fit.setEnabled(zoom > 1)

    # -- keys and buttons -----------------------------------------------------------------------------

    def _zoom_keys(self) -> dict[str, Callable[[], None]]:
        return {
            "+": lambda: self.picture.zoom_by(ZOOM_STEP),
            "=": lambda: self.picture.zoom_by(ZOOM_STEP),
            "-": lambda: self.picture.zoom_by(1 / ZOOM_STEP),
            "0": lambda: self.picture.zoom_by(0),
        }

    def _if_shown(self, signal: SignalInstance) -> Callable[[], None]:
        return lambda: signal.emit() if self.shown is not None else None

    def _on_picture_opened(self, moment: int) -> None:
        self.events.select_moment(moment)
        self.events.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_correct(self) -> None:
        self._request_correction(self.events.current_moment)

    def _request_correction(self, moment: int) -> None:
        if moment >= 0:
            self.correct_requested.emit(moment)
