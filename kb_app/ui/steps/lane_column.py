"""One column of the steps: its header, its paths, the steps of the chosen one, its end mark."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.style import set_property
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import Badge, IconLabel, label, plain_tooltip
from kb_app.ui.steps.cards import EmptyLane, LaneHeader, LinkButton, attribute_html, body_html
from kb_app.ui.steps.end_card import EndCard
from kb_app.ui.steps.marks import (
    NO_MARK,
    CopiedCommand,
    Mark,
    MarkRequest,
    Marks,
    OwedLine,
    RunLine,
    closed,
    is_irreversible,
    wait_minutes_of,
)
from kb_app.ui.steps.state import Lane, LaneView, PathView, StepView, resolve_link
from kb_app.ui.steps.step_card import StepCard

CARDS_AT_ONCE = 2
"""Step cards of a column filled before other events get their turn."""

AHEAD = 240
"""Cards are filled until they reach so many pixels below what can be seen."""

_TONE_TOKENS = {"ok": "fix", "warn": "mitigate", "danger": "danger"}


def utc_now() -> dt.datetime:
    """Return the time now."""
    return dt.datetime.now(dt.UTC)


class PathCard(QFrame):
    """What a path is: name, where from, what to know before taking it. Opens its steps below it.

    Signals:
        chosen(): its steps shall show.
        origin_requested(str): the entry it comes from shall be opened.
        link_activated(str): a link in its prose was clicked.
    """

    chosen = Signal()
    origin_requested = Signal(str)
    link_activated = Signal(str)

    def __init__(self, path: PathView, *, is_only: bool, parent: QWidget | None = None) -> None:
        """Describe ``path``; an only one cannot be closed."""
        super().__init__(parent)
        self.path = path
        self.setProperty("surface", "card")
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(12, 8, 12, 10)
        self._box.setSpacing(4)
        self._box.addWidget(self._build_name(is_only=is_only))
        if path.origin:
            self._box.addWidget(self._build_origin())
        if path.remark:
            self._box.addWidget(self._build_remark())
        self._do_now = Badge("zap", "Do now", "fix", self)
        self._do_now.setObjectName("doNow")
        self._do_now.hide()
        self._box.addWidget(self._do_now, 0, Qt.AlignmentFlag.AlignLeft)
        self._run = label("", "secondary", self, wrap=True)
        self._run.setObjectName("runLine")
        self._run.hide()
        self._box.addWidget(self._run)
        self._details = QWidget(self)
        details = QVBoxLayout(self._details)
        details.setContentsMargins(0, 2, 0, 0)
        details.setSpacing(6)
        self._attributes = QLabel(self._details)
        self._attributes.setTextFormat(Qt.TextFormat.RichText)
        self._attributes.setFont(ui_font(12))
        self._attributes.setWordWrap(True)
        details.addWidget(self._attributes)
        self._unstated = label("", "meta", self._details, wrap=True)
        details.addWidget(self._unstated)
        if not path.steps and (prose := path.intro or path.body):  # the intro has no comments, no headings
            details.addWidget(self._build_prose(prose))
        if path.steps and path.intro:
            details.addWidget(self._build_prose(path.intro))
        if path.steps and path.outro:
            details.addWidget(label("After the last step", "meta", self._details))
            details.addWidget(self._build_prose(path.outro))
        self._box.addWidget(self._details)
        self._show_attributes()
        Theme.current().changed.connect(self._show_attributes)

    def _build_name(self, *, is_only: bool) -> QWidget:
        if is_only:
            name = label(self.path.name, "", self, wrap=True)
            name.setFont(ui_font(13, 600))
            return name
        button = LinkButton(self.path.name, self, weight=600)
        button.setObjectName("pathName")
        button.setAccessibleName(f"Show the steps of {self.path.name}")
        button.setToolTip(plain_tooltip(self.path.name))
        button.clicked.connect(self.chosen)
        return button

    def _build_origin(self) -> QWidget:
        button = LinkButton(self.path.origin, self)
        button.setObjectName("pathOrigin")
        button.setAccessibleName(f"{self.path.origin}: open that entry")
        button.setToolTip(plain_tooltip(f"{self.path.origin}: {self.path.origin_path}"))
        button.clicked.connect(lambda: self.origin_requested.emit(self.path.origin_path))
        return button

    def _build_remark(self) -> QWidget:
        row = QWidget(self)
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        icon = IconLabel("circle-question-mark", "mitigate", 13, row)
        box.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        text = label(self.path.remark, "secondary", row, wrap=True)
        text.setProperty("tone", "mitigate")
        box.addWidget(text, 1)
        return row

    def _build_prose(self, markdown: str) -> QWidget:
        body = QLabel(self._details)
        body.setTextFormat(Qt.TextFormat.RichText)
        body.setWordWrap(True)
        body.setFont(ui_font(13))
        body.setText(body_html(markdown))
        body.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)
        body.linkActivated.connect(self.link_activated)
        return body

    def show_free_move(self, condition: str | None) -> None:
        """Show that it may be done now, under a condition that may be empty; None takes that back."""
        self._do_now.setVisible(condition is not None)
        if condition is not None:
            text = f"Do now, {condition}" if condition else "Do now"
            self._do_now.set_badge("zap", text, "fix")
            self._do_now.setToolTip("Verified, low risk, reversible, no approval needed: no questions first")

    def show_run(self, line: RunLine | None) -> None:
        """Show what is known about its run."""
        self._run.setVisible(line is not None)
        if line is not None:
            self._run.setText(line.text)
            set_property(self._run, "tone", "mitigate" if line.is_warning else "")

    def set_active(self, *, is_active: bool) -> None:
        """Show or hide what belongs to the chosen path only."""
        self._details.setVisible(is_active)

    def _show_attributes(self) -> None:
        tokens = Theme.current().tokens
        stated = [a for a in self.path.attributes if a.is_stated]
        pairs = [(a.label, a.value, tokens.color(_TONE_TOKENS[a.tone]) if a.tone else "") for a in stated]
        self._attributes.setText(attribute_html(pairs, muted=tokens.text3))
        self._attributes.setVisible(bool(pairs))
        unstated = [a.label.lower() for a in self.path.attributes if not a.is_stated]
        self._unstated.setText("Not stated: " + ", ".join(unstated) if unstated else "")
        self._unstated.setVisible(bool(unstated))


class LaneColumn(QWidget):
    """One column: header, its paths, the steps of the chosen one, and the end mark below them."""

    marked = Signal(object)
    copied = Signal(object)
    values_needed = Signal(object)
    link_activated = Signal(str)
    origin_requested = Signal(str)
    path_chosen = Signal()
    asked = Signal(object)
    focused = Signal()
    proof_wanted = Signal()
    end_wanted = Signal(object)

    def __init__(self, lane: Lane, parent: QWidget | None = None) -> None:
        """Make an empty column; `show_lane` fills it."""
        super().__init__(parent)
        self.lane = lane
        self.view = LaneView(lane, ())
        self.active: PathView | None = None
        self._done: frozenset[str] = frozenset()
        self._marks: Marks = {}
        self._owed: Sequence[OwedLine] = ()
        self._lines: Mapping[str, RunLine] = {}
        self._is_recording = False
        self._values: Mapping[str, str] = {}
        self._is_in_use = False
        self._cards: list[StepCard] = []
        self._shown = 0
        self._path_cards: list[PathCard] = []
        self._reach: Callable[[QWidget], int] = lambda _widget: 0
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._build_timer = QTimer(self, singleShot=True, interval=0)
        self._build_timer.timeout.connect(self.build_some)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self.header = LaneHeader(lane, self)
        self._layout.addWidget(self.header)
        self._empty = EmptyLane(self)
        self._layout.addWidget(self._empty)
        self.end = EndCard(lane, self)
        self.end.proof_wanted.connect(self.proof_wanted)
        self.end.ended.connect(self._on_end_wanted)
        self.end.hide()
        self._layout.addStretch(1)

    def set_reach(self, reach: Callable[[QWidget], int]) -> None:
        """Take the function that tells how many pixels below a widget can still be seen (negative: none)."""
        self._reach = reach

    def show_lane(self, view: LaneView, values: Mapping[str, str]) -> None:
        """Show ``view``; its first path is chosen."""
        self._build_timer.stop()
        self.view, self._values = view, values
        self._take_steps_away()
        for card in self._path_cards:
            self._layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._path_cards = []
        for position, path in enumerate(view.paths):
            card = PathCard(path, is_only=len(view.paths) == 1, parent=self)
            card.chosen.connect(partial(self.choose, path))
            card.origin_requested.connect(self.origin_requested)
            card.link_activated.connect(partial(self._on_link, path.entry_path))
            self._path_cards.append(card)
            self._layout.insertWidget(1 + position, card)
        self._empty.setVisible(not view.paths)
        self._empty.show_reason(view)
        self.active = view.paths[0] if view.paths else None
        self._show_active()

    @property
    def step_cards(self) -> list[StepCard]:
        """Return the cards of the chosen path, all of them."""
        self._build_until(None)
        return self._cards[: self._shown]

    def current_card(self) -> StepCard | None:
        """Return the card of the step to do now, or the last one when none is open."""
        current = self.active.current(self._done) if self.active is not None else None
        return self.card_of(current.key) if current is not None else next(reversed(self.step_cards), None)

    def card_of(self, key: str) -> StepCard | None:
        """Return the card of a step of the chosen path."""
        self._build_until(key)
        return next((card for card in self._cards[: self._shown] if card.view.key == key), None)

    def card_with_focus(self) -> StepCard | None:
        """Return the card that holds the focus."""
        focused = self.window().focusWidget()
        if focused is None:
            return None
        return next((card for card in self._cards[: self._shown] if card.isAncestorOf(focused)), None)

    def choose(self, path: PathView) -> None:
        """Show the steps of another path."""
        if path != self.active:
            self._build_timer.stop()
            self._take_steps_away()
            self.active = path
            self._show_active()
        self.path_chosen.emit()

    def set_marks(
        self,
        marks: Marks,
        *,
        lines: Mapping[str, RunLine],
        owed: Sequence[OwedLine],
        is_recording: bool,
        now: dt.datetime,
    ) -> None:
        """Show how far the steps are; see `StepsPanel.show_record`."""
        self._marks, self._done, self._lines, self._owed = marks, closed(marks), lines, owed
        self._is_recording = is_recording
        for card in self._path_cards:
            card.show_run(lines.get(card.path.key))
        self._show_states(now)

    def set_in_use(self, *, is_in_use: bool) -> None:
        """Show whether this is the column the keys act on."""
        if is_in_use != self._is_in_use:
            self._is_in_use = is_in_use
            for card in self._cards[: self._shown]:
                self._show_state(card)

    def set_values(self, values: Mapping[str, str]) -> None:
        """Fill values into the commands."""
        self._values = values
        for card in self._cards[: self._shown]:
            card.set_values(values)

    def forget_heights(self) -> None:
        """Let the layout measure its cards again."""
        for card in self._cards[: self._shown]:
            card.updateGeometry()
        self._layout.invalidate()

    def set_free_moves(self, moves: Mapping[str, str]) -> None:
        """Show which paths may be done now: key of a path to its condition."""
        for card in self._path_cards:
            card.show_free_move(moves.get(card.path.key))

    def tick_time(self, now: dt.datetime) -> None:
        """Show what the passing of time has changed."""
        for card in self._cards[: self._shown]:
            card.tick_time(now)
        if not self.end.isHidden():
            self._show_end(now)

    @property
    def progress(self) -> tuple[int, int]:
        """Steps of the chosen path on which nothing is left to be done, and all."""
        if self.active is None:
            return 0, 0
        return self.active.done_count(self._done), len(self.active.steps)

    def _on_link(self, entry_path: str, target: str) -> None:
        if resolved := resolve_link(entry_path, target):
            self.link_activated.emit(resolved)

    def _on_end_wanted(self) -> None:
        if self.active is not None:
            self.end_wanted.emit(self.active)

    def _take_steps_away(self) -> None:
        for card in self._cards[: self._shown]:
            self._layout.removeWidget(card)
            card.hide()
        self._layout.removeWidget(self.end)
        self.end.hide()
        self._shown = 0

    def _show_active(self) -> None:
        for card in self._path_cards:
            card.set_active(is_active=self.active is not None and card.path.key == self.active.key)
        self.build_some()
        self._show_states(utc_now())

    # -- filling cards --------------------------------------------------------------------------------

    @property
    def _left(self) -> int:
        return len(self.active.steps) - self._shown if self.active is not None else 0

    def build_some(self) -> None:
        """Fill the next cards, as long as they can be seen: a long path blocks nothing."""
        for _ in range(min(CARDS_AT_ONCE, self._left)):
            self._build_next()
        if self._left and self._reach(self._cards[self._shown - 1]) > -AHEAD:
            self._build_timer.start()

    def _build_until(self, key: str | None) -> None:
        """Fill the cards up to the step of ``key``, or all of them."""
        keys = [view.key for view in self.active.steps] if self.active is not None else []
        wanted = keys.index(key) + 1 if key in keys else (len(keys) if key is None else 0)
        while self._shown < wanted:
            self._build_next()

    def _build_next(self) -> None:
        path = self.active
        assert path is not None
        view = path.steps[self._shown]
        if self._shown == len(self._cards):
            self._cards.append(self._new_card())
        card = self._cards[self._shown]
        card.show_step(
            view,
            len(path.steps),
            self._values,
            is_final=is_irreversible(path, view.step),
            wait=wait_minutes_of(view.step),
        )
        place = next(i for i, one in enumerate(self._path_cards) if one.path.key == path.key)
        self._layout.insertWidget(2 + place + self._shown, card)
        self._shown += 1
        self._show_state(card)
        card.show()
        if not self._left:
            self._layout.insertWidget(2 + place + self._shown, self.end)
            self._show_end(utc_now())

    def _new_card(self) -> StepCard:
        card = StepCard(self)
        card.marked.connect(self._on_marked)
        card.copied.connect(self._on_copied)
        card.values_needed.connect(self.values_needed)
        card.asked.connect(self.asked)
        card.focused.connect(lambda _key: self.focused.emit())
        card.link_activated.connect(self._on_step_link)
        return card

    def _on_step_link(self, target: str) -> None:
        if self.active is not None:
            self._on_link(self.active.entry_path, target)

    def _on_marked(self, key: str, mark: Mark, note: str, minutes: float) -> None:
        view = self._view_of(key)
        if self.active is not None and view is not None:
            self.marked.emit(MarkRequest(self.active, view, mark, note, minutes))

    def _on_copied(self, key: str, text: str) -> None:
        view = self._view_of(key)
        if self.active is not None and view is not None:
            self.copied.emit(CopiedCommand(self.active, view, text))

    def _view_of(self, key: str) -> StepView | None:
        steps = self.active.steps if self.active is not None else ()
        return next((view for view in steps if view.key == key), None)

    # -- how far --------------------------------------------------------------------------------------

    def _show_states(self, now: dt.datetime) -> None:
        for card in self._cards[: self._shown]:
            self._show_state(card)
        self.header.set_progress(*self.progress)
        self._show_end(now)

    def _show_state(self, card: StepCard) -> None:
        current = self.active.current(self._done) if self.active else None
        is_current = current is not None and card.view.key == current.key
        mark = self._marks.get(card.view.key, NO_MARK)
        card.set_state(mark, is_current=is_current, is_in_use=self._is_in_use)

    def _show_end(self, now: dt.datetime) -> None:
        path = self.active
        is_at_end = path is not None and bool(path.steps) and path.current(self._done) is None
        self.end.setVisible(is_at_end and not self._left)
        if path is not None and is_at_end:
            line = self._lines.get(path.key)
            self.end.show_end(
                path,
                self._marks,
                self._owed,
                is_recording=self._is_recording,
                is_ended=line is not None and line.is_ended,
                now=now,
            )
