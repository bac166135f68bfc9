"""The two columns of an entry: mitigate, fix forward.

Decision: columns and step cards are made once and filled anew for each entry, and only as many cards as can
be seen. Making and styling one costs about 4 ms, filling it a fraction of that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from kb_app.entries.model import ResponsePlan
from kb_app.ui.common.messages import announce, fit_text
from kb_app.ui.common.style import set_property
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import (
    Badge,
    ElidedLabel,
    EmptyState,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.steps.end_card import EndCard
from kb_app.ui.steps.lane_column import LaneColumn, utc_now
from kb_app.ui.steps.marks import (
    CopiedCommand,
    Mark,
    MarkRequest,
    Marks,
    OwedLine,
    RunLine,
    StepMark,
    closed,
    from_kept,
    marked,
    next_after,
    to_kept,
    without_ended_waits,
)
from kb_app.ui.steps.state import (
    Lane,
    LaneView,
    PathView,
    lanes_of,
    placeholder_names,
)
from kb_app.ui.steps.step_card import StepCard

FILLED_STRETCH, EMPTY_STRETCH = 8, 5
"""A column without a path leaves room to the other: commands break less."""

CLOCK_MS = 1_000

_LAYOUT_MS = 40
"""Until the scrolled columns have taken in what was added to them."""


class ValuesCard(QFrame):
    """The values the commands ask for, filled once for all of them; kept in memory only.

    Signals:
        changed(object): name to value.
    """

    changed = Signal(object)

    def __init__(
        self, names: tuple[str, ...], known: Mapping[str, str], parent: QWidget | None = None
    ) -> None:
        """Ask for ``names``; ``known`` values are filled in."""
        super().__init__(parent)
        self.setObjectName("values")
        self.setProperty("surface", "card")
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 8, 12, 10)
        box.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label("Values", "heading", self))
        head.addWidget(label("filled into every command", "secondary", self))
        head.addStretch(1)
        box.addLayout(head)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        self._fields: dict[str, QLineEdit] = {}
        self._titles: dict[str, ElidedLabel] = {}
        for position, name in enumerate(names):
            field = QLineEdit(known.get(name, ""), self)
            title = ElidedLabel(name, self)
            set_property(title, "textstyle", "meta")
            title.setBuddy(field)
            field.setAccessibleName(f"Value for {name}")
            field.setToolTip(plain_tooltip(name))
            field.setObjectName(f"value:{name}")
            field.textChanged.connect(self._on_changed)
            self._fields[name] = field
            self._titles[name] = title
            row = 2 * (position // 2)
            grid.addWidget(title, row, position % 2)
            grid.addWidget(field, row + 1, position % 2)
        if len(names) == 1:
            grid.setColumnStretch(1, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        box.addLayout(grid)

    def values(self) -> dict[str, str]:
        """Return what is filled in."""
        return {name: field.text() for name, field in self._fields.items() if field.text().strip()}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names asked for, in order."""
        return tuple(self._fields)

    def set_value(self, name: str, value: str) -> None:
        """Fill in one value."""
        self._fields[name].setText(value)

    def field(self, name: str) -> QLineEdit | None:
        """Return the input of ``name``."""
        return self._fields.get(name)

    def demand(self, names: tuple[str, ...]) -> QLineEdit | None:
        """Mark the inputs that are needed, focus the first and return it."""
        needed = [self._fields[name] for name in names if name in self._fields]
        for name in names:
            if name in self._fields:
                self._show_needed(name, is_needed=True)
        if needed:
            needed[0].setFocus(Qt.FocusReason.OtherFocusReason)
            return needed[0]
        return None

    def _on_changed(self) -> None:
        for name, field in self._fields.items():
            if field.text().strip():
                self._show_needed(name, is_needed=False)
        self.changed.emit(self.values())

    def _show_needed(self, name: str, *, is_needed: bool) -> None:
        """Say beside the name, not by colour alone, that a command cannot be copied without this value."""
        field, title = self._fields[name], self._titles[name]
        set_property(field, "invalid", "true" if is_needed else "false")
        title.setText(f"{name}: needed to copy" if is_needed else name)
        set_property(title, "tone", "danger" if is_needed else "")
        field.setAccessibleDescription("Needed to copy the command" if is_needed else "")


class _ColumnScroll(QScrollArea):
    """Scrolls by wheel and bar; the arrow keys are the panel's: they go from step to step."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()


class _Veil(QWidget):
    """Dims the steps of the entry before while those of the next are still to come; nothing under it reacts.

    Signals:
        pressed(): the mouse wants the steps at once.
    """

    pressed = Signal()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Do not let the former steps be marked."""
        event.accept()
        self.pressed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the ground over them, thin enough to see that steps will stand there."""
        color = Theme.current().color("chrome")
        color.setAlpha(170)
        with QPainter(self) as painter:
            painter.fillRect(event.rect(), color)


class StepsPanel(QWidget):
    """Both columns with their header, the values to fill in, and the keyboard.

    Without a record the marks are the panel's own (`ticks_changed`). With one (`show_record`) it changes
    nothing itself: it asks (`mark_requested`) and shows what it is told.

    Signals:
        ticks_changed(object): the marks of this entry without a record, as `marks.to_kept` writes them.
        mark_requested(object): a `MarkRequest`, with a record.
        command_copied(object): a `CopiedCommand` was put on the clipboard.
        copied(str): a command was put on the clipboard.
        wait_over(str): a wait without a record is over; the step's words.
        proof_wanted(object): the end of a `Lane` is reached and what proves it shall be said.
        end_wanted(object): the run of this `PathView` shall be ended.
        entry_requested(str): the entry of this path (in the same knowledge base) shall be opened.
        link_activated(str): a link in a step was clicked: an address, or ``path#anchor`` from the root.
        decision_requested(): whether to mitigate or to fix forward shall be decided.
        progress_changed(int, int): steps done and steps in all, of the chosen paths.
        plan_shown(): other paths are shown.
        veil_pressed(): the steps that are still to come are wanted now.
    """

    ticks_changed = Signal(object)
    mark_requested = Signal(object)
    command_copied = Signal(object)
    copied = Signal(str)
    wait_over = Signal(str)
    proof_wanted = Signal(object)
    end_wanted = Signal(object)
    entry_requested = Signal(str)
    link_activated = Signal(str)
    progress_changed = Signal(int, int)
    decision_requested = Signal()
    plan_shown = Signal()
    veil_pressed = Signal()

    def __init__(self, parent: QWidget | None = None, *, clock: Callable[[], dt.datetime] = utc_now) -> None:
        """Make an empty panel; ``clock`` gives the time now, aware."""
        super().__init__(parent)
        self.setObjectName("steps")
        self.setProperty("surface", "chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(380)
        self._clock = clock
        self._local: Marks = {}
        self._recorded: Marks | None = None
        self._lines: Mapping[str, RunLine] = {}
        self._owed: Sequence[OwedLine] = ()
        self._values: dict[str, str] = {}
        self._views: tuple[LaneView, ...] = ()
        self._columns: dict[Lane, LaneColumn] = {}
        self._values_card: ValuesCard | None = None
        self._veil: _Veil | None = None
        self._active_lane = Lane.MITIGATE
        self._layout_timer = QTimer(self, singleShot=True, interval=_LAYOUT_MS)
        self._layout_timer.timeout.connect(self._lay_out_again)
        self._timer = QTimer(self, interval=CLOCK_MS)
        self._timer.timeout.connect(self.tick_time)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_header())
        self._scroll = _ColumnScroll(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.verticalScrollBar().valueChanged.connect(self._fill_columns)
        layout.addWidget(self._scroll, 1)
        self.empty = EmptyState("list-checks", "", "", parent=self)
        fit_text(self.empty, 280)
        layout.addWidget(self.empty, 1)
        self.show_nothing()

    @property
    def active_lane(self) -> Lane:
        """Return the column the keys act on."""
        return self._active_lane

    @active_lane.setter
    def active_lane(self, lane: Lane) -> None:
        self._active_lane = lane
        for other, column in self._columns.items():
            column.set_in_use(is_in_use=other is lane)

    def _build_header(self) -> QWidget:
        header = QWidget(self)
        header.setFixedHeight(44)
        row = QHBoxLayout(header)
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(label("Steps", "heading", header))
        self._count = label("", "secondary", header)
        row.addWidget(self._count)
        self._incomplete = Badge("hourglass", "reading links", "muted", header)
        self._incomplete.hide()
        row.addWidget(self._incomplete)
        self._record = Badge("circle-dot", "recording", "danger", header)
        self._record.setObjectName("recording")
        self._record.setToolTip("Every mark and every copied command is written to the incident's record")
        self._record.hide()
        row.addWidget(self._record)
        row.addStretch(1)
        self._decide = text_button("Decide", "ghost", "scale", header)
        self._decide.setObjectName("decide")
        self._decide.setToolTip("Mitigate or fix forward? Five questions (D)")
        self._decide.clicked.connect(self.decision_requested)
        row.addWidget(self._decide)
        self._reset = text_button("Reset", "ghost", parent=header)
        self._reset.setToolTip("Untick all steps of this entry")
        self._reset.clicked.connect(self.reset)
        row.addWidget(self._reset)
        return header

    def show_nothing(self) -> None:
        """Show that no entry is open."""
        self.unveil()
        self._views = ()
        self.empty.set_state(
            "list-checks", "Steps", "Open an entry to see how to mitigate and how to fix it."
        )
        self._set_shown(is_empty=True)
        self._count.setText("")

    def veil(self) -> None:
        """Dim the steps: another entry is shown, and its own come when typing rests."""
        if not self._views:
            return
        if self._veil is None:
            self._veil = _Veil(self)
            self._veil.pressed.connect(self.veil_pressed)
        self._veil.setGeometry(self._scroll.geometry())
        self._veil.raise_()
        self._veil.show()

    def unveil(self) -> None:
        """Show the steps as they are: they belong to the entry that is shown."""
        if self._veil is not None:
            self._veil.hide()

    @property
    def is_veiled(self) -> bool:
        """Tell whether the steps are those of the entry before."""
        return self._veil is not None and not self._veil.isHidden()

    def show_plan(self, plan: ResponsePlan, kept: frozenset[str]) -> None:
        """Show both ways out; ``kept`` are the marks of this entry without a record."""
        self.unveil()
        self._local = from_kept(kept)
        views = lanes_of(plan)
        self._incomplete.setVisible(not plan.is_complete)
        if not any(view.paths for view in views):
            self._views = ()
            texts = list(dict.fromkeys(view.empty_text for view in views))
            self.empty.set_state("route", "No path yet", " ".join(texts))
            self._set_shown(is_empty=True)
            self._count.setText("")
            self.progress_changed.emit(0, 0)
            self.plan_shown.emit()
            return
        self._views = views
        if not self._columns:
            self._build_columns()
        self._body.setUpdatesEnabled(False)
        for view in views:
            self._columns[view.lane].show_lane(view, self._values)
            self._row.setStretchFactor(
                self._columns[view.lane], FILLED_STRETCH if view.paths else EMPTY_STRETCH
            )
        self._show_values()
        self._set_shown(is_empty=False)
        self.active_lane = next(view.lane for view in views if view.paths)
        self._show_marks()
        self._scroll.verticalScrollBar().setValue(0)
        self._body.setUpdatesEnabled(True)
        self._layout_timer.start()
        self.plan_shown.emit()

    def _build_columns(self) -> None:
        self._body = QWidget()
        self._body.setProperty("surface", "chrome")
        self._body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        box = QVBoxLayout(self._body)
        box.setContentsMargins(12, 0, 12, 16)
        box.setSpacing(8)
        self._values_slot = QVBoxLayout()
        self._values_slot.setContentsMargins(0, 0, 0, 0)
        box.addLayout(self._values_slot)
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        for lane in Lane:
            column = LaneColumn(lane, self._body)
            column.set_reach(self._reach)
            column.marked.connect(self._on_marked)
            column.copied.connect(self._on_copied)
            column.values_needed.connect(self._on_values_needed)
            column.link_activated.connect(self.link_activated)
            column.origin_requested.connect(self.entry_requested)
            column.path_chosen.connect(self._on_path_chosen)
            column.asked.connect(self._on_asked)
            column.focused.connect(partial(self._on_focused, lane))
            column.proof_wanted.connect(partial(self.proof_wanted.emit, lane))
            column.end_wanted.connect(self.end_wanted)
            self._columns[lane] = column
            self._row.addWidget(column, FILLED_STRETCH)
        box.addLayout(self._row, 1)
        self._scroll.setWidget(self._body)

    def _lay_out_again(self) -> None:
        """Ask every column for its height anew: what changes before the first layout goes unnoticed."""
        for column in self._columns.values():
            column.forget_heights()

    def _reach(self, widget: QWidget) -> int:
        """Return how many pixels below ``widget`` can still be seen; negative when none can."""
        viewport = self._scroll.viewport()
        bottom = widget.mapTo(self._body, widget.rect().bottomLeft()).y()
        return viewport.height() + self._scroll.verticalScrollBar().value() - bottom

    def _fill_columns(self) -> None:
        for column in self._columns.values() if self._views else ():
            column.build_some()

    # -- records --------------------------------------------------------------------------------------

    @property
    def is_recording(self) -> bool:
        """Tell whether marks go to a record."""
        return self._recorded is not None

    @property
    def marks(self) -> Marks:
        """Return the marks that are shown."""
        return self._local if self._recorded is None else self._recorded

    @property
    def local_marks(self) -> Marks:
        """Return the marks of this entry without a record."""
        return self._local

    @property
    def paths(self) -> tuple[PathView, ...]:
        """Return every path that is shown, mitigations first."""
        return tuple(path for view in self._views for path in view.paths)

    def show_record(self, marks: Marks, lines: Mapping[str, RunLine], owed: Sequence[OwedLine] = ()) -> None:
        """Show the marks of a record; from now on marks are asked for, not made.

        Args:
            marks: of the steps of the paths shown.
            lines: key of a path to what is known about its run.
            owed: what the incident owes, for the end mark.
        """
        self._recorded, self._lines, self._owed = marks, lines, owed
        self._show_marks()

    def leave_record(self) -> None:
        """Show the panel's own marks again."""
        if self._recorded is not None:
            self._recorded, self._lines, self._owed = None, {}, ()
            self._show_marks()

    def forget_local(self) -> None:
        """Forget the marks without a record: a record has taken them over."""
        if self._local:
            self._local = {}
            self._show_marks()
            self.ticks_changed.emit(to_kept(self._local))

    def set_free_moves(self, moves: Mapping[str, str]) -> None:
        """Show which paths may be done now, before any question: key of a path to its condition."""
        for column in self._columns.values():
            column.set_free_moves(moves)

    # -- going about ----------------------------------------------------------------------------------

    def reset(self) -> None:
        """Untick every step of this entry; marks in a record are taken back one by one."""
        if self._recorded is None and self._local:
            self._local = {}
            self._show_marks()
            self.ticks_changed.emit(frozenset())

    def focus_lane(self, lane: Lane) -> None:
        """Put the focus on the current step of a column."""
        self.active_lane = lane
        card = self._columns[lane].current_card() if self._views else None
        if card is not None:
            self._focus_card(card)
        else:
            target = self._reset if self._reset.isVisible() else self._decide
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_step(self, lane: Lane, key: str) -> None:
        """Put the focus on a step of the column's chosen path."""
        self.active_lane = lane
        card = self._columns[lane].card_of(key) if self._views else None
        if card is not None:
            self._focus_card(card)

    def _focus_card(self, card: StepCard) -> None:
        card.tick.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._scroll.ensureWidgetVisible(card, 0, 24)

    def cards(self, lane: Lane) -> list[StepCard]:
        """Return the step cards of a column's chosen path."""
        return self._columns[lane].step_cards if self._views else []

    def end_card(self, lane: Lane) -> EndCard:
        """Return the end mark of a column."""
        return self._columns[lane].end

    def chosen_path(self, lane: Lane) -> PathView | None:
        """Return the path whose steps show in a column."""
        return self._columns[lane].active if self._views else None

    def choose_path(self, lane: Lane, entry_path: str, anchor: str) -> None:
        """Show the steps of the path that stands in ``entry_path`` under ``anchor``, if the column has it."""
        column = self._columns.get(lane) if self._views else None
        for path in column.view.paths if column is not None else ():
            if column is not None and (path.entry_path, path.anchor) == (entry_path, anchor):
                column.choose(path)

    def copy_current(self) -> bool:
        """Copy the first command of the step in hand; tell whether there was one."""
        lanes = (self.active_lane, *(lane for lane in self._columns if lane is not self.active_lane))
        for lane in lanes if self._views else ():
            column = self._columns[lane]
            card = column.card_with_focus() or column.current_card()
            if card is not None and card.commands:
                self._scroll.ensureWidgetVisible(card, 0, 24)
                card.commands[0].copy()
                return True
        return False

    def tick_current(self) -> None:
        """Tick the step that has the focus, else the current one of the column in use."""
        card = self._card_in_hand()
        if card is not None:
            card.request_tick()

    def _card_in_hand(self) -> StepCard | None:
        column = self._columns.get(self.active_lane) if self._views else None
        if column is None:
            return None
        return column.card_with_focus() or column.current_card()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move between steps and columns; S skips, U did not work, W waits, Z takes back."""
        moves = {
            Qt.Key.Key_Down: (0, 1),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
        }
        key = Qt.Key(event.key())
        if not self._views or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key in moves:
            aside, step = moves[key]
            if aside:
                self.focus_lane(Lane.MITIGATE if aside < 0 else Lane.FIX)
            else:
                self._focus_neighbour(step)
        elif not self._act(key):
            super().keyPressEvent(event)

    def _act(self, key: Qt.Key) -> bool:
        """Do what a letter asks of the step in hand; tell whether it asks anything."""
        card = self._card_in_hand()
        acts: dict[Qt.Key, Callable[[StepCard], None]] = {
            Qt.Key.Key_S: StepCard.ask_skip,
            Qt.Key.Key_U: StepCard.ask_failed,
            Qt.Key.Key_W: StepCard.start_wait,
            Qt.Key.Key_Z: StepCard.take_back,
        }
        if card is None or key not in acts:
            return False
        acts[key](card)
        return True

    def _focus_neighbour(self, step: int) -> None:
        column = self._columns.get(self.active_lane)
        cards = column.step_cards if column else []
        focused = column.card_with_focus() if column else None
        if not cards:
            return
        at = cards.index(focused) + step if focused in cards else 0
        self._focus_card(cards[max(0, min(len(cards) - 1, at))])

    def _set_shown(self, *, is_empty: bool) -> None:
        self.empty.setVisible(is_empty)
        self._scroll.setVisible(not is_empty)
        self._reset.setVisible(not is_empty and self._recorded is None)
        self._decide.setVisible(not is_empty)

    # -- values ---------------------------------------------------------------------------------------

    def _show_values(self) -> None:
        """Ask for what the chosen paths need; nothing that was filled in is lost."""
        names = placeholder_names(c.active for c in self._columns.values() if c.active is not None)
        if self._values_card is not None and self._values_card.names != names:
            self._values_slot.removeWidget(self._values_card)
            self._values_card.hide()
            self._values_card.deleteLater()
            self._values_card = None
        if names and self._values_card is None:
            self._values_card = ValuesCard(names, self._values)
            self._values_card.changed.connect(self._on_values_changed)
            self._values_slot.addWidget(self._values_card)
        for column in self._columns.values():
            column.set_values(self._values)

    def _on_values_needed(self, names: tuple[str, ...]) -> None:
        if self._values_card is not None:
            field = self._values_card.demand(names)
            if field is not None:
                self._scroll.ensureWidgetVisible(field, 0, 48)
        announce(self, "Fill in " + ", ".join(names) + " first")

    def _on_values_changed(self, values: dict[str, str]) -> None:
        assert self._values_card is not None
        for name in self._values_card.values() | dict.fromkeys(self._values, ""):
            if self._values_card.field(name) is not None:
                self._values.pop(name, None)
        self._values.update(values)
        for column in self._columns.values():
            column.set_values(self._values)
        self._layout_timer.start()

    # -- marks ----------------------------------------------------------------------------------------

    def _show_marks(self) -> None:
        marks, now = self.marks, self._clock()
        self._record.setVisible(self.is_recording and bool(self._views))
        self._reset.setVisible(not self.is_recording and bool(self._views))
        if not self._views:
            self._run_clock()
            return
        done = total = 0
        for column in self._columns.values():
            column.set_marks(
                marks, lines=self._lines, owed=self._owed, is_recording=self.is_recording, now=now
            )
            of_column, of_all = column.progress
            done, total = done + of_column, total + of_all
        self._count.setText(f"{done} of {total} done" if total else "")
        self._reset.setEnabled(bool(self._local))
        self._run_clock()
        self.progress_changed.emit(done, total)

    def _on_marked(self, request: MarkRequest) -> None:
        focused: QWidget | None = self.window().focusWidget()
        had_focus = focused is not None and self.isAncestorOf(focused)
        lane = next((lane for lane, c in self._columns.items() if c.active == request.path), self.active_lane)
        self.active_lane = lane
        if self._recorded is not None:
            self.mark_requested.emit(request)
        else:
            self._local = marked(self._local, request, self._clock())
            self._show_marks()
            self.ticks_changed.emit(to_kept(self._local))
        if had_focus and not StepMark(request.mark).is_open:
            self._go_on(lane, request)
        elif had_focus:
            self.focus_step(lane, request.step.key)

    def _go_on(self, lane: Lane, request: MarkRequest) -> None:
        """Go to the next open step below the one that was marked, else to the first that was left out."""
        done = closed(self.marks) | {request.step.key}
        following = next_after(request.path, done, request.step.key)
        if following is not None:
            self.focus_step(lane, following.key)
            return
        self.focus_step(lane, request.step.key)
        end = self._columns[lane].end
        QTimer.singleShot(_LAYOUT_MS, end, lambda: self._scroll.ensureWidgetVisible(end, 0, 24))
        announce(self, "End of the steps. " + " ".join(end.lines))

    def tick_time(self) -> None:
        """Show what the passing of time has changed; waits without a record end here."""
        now = self._clock()
        if self._recorded is None:
            self._end_local_waits(now)
        for column in self._columns.values() if self._views else ():
            column.tick_time(now)

    def _end_local_waits(self, now: dt.datetime) -> None:
        ended, over = without_ended_waits(self._local, now)
        if not over:
            return
        self._local = ended
        self._show_marks()
        self.ticks_changed.emit(to_kept(self._local))
        for path in self.paths:
            for view in path.steps:
                if view.key in over:
                    self.wait_over.emit(view.step.text)

    @property
    def is_ticking(self) -> bool:
        """Tell whether the clock of the panel runs."""
        return self._timer.isActive()

    def _run_clock(self) -> None:
        """Run the clock while a wait is running."""
        is_needed = any(mark.mark is Mark.WAITING for mark in self.marks.values())
        if is_needed and not self._timer.isActive():
            self._timer.start()
        elif not is_needed:
            self._timer.stop()

    def _on_copied(self, copy: CopiedCommand) -> None:
        QGuiApplication.clipboard().setText(copy.text)
        announce(self, "Copied")
        self.copied.emit(copy.text)
        self.command_copied.emit(copy)

    def _on_asked(self, question: QWidget) -> None:
        """Bring a question into view once the layout has made room for it."""
        QTimer.singleShot(_LAYOUT_MS, question, lambda: self._scroll.ensureWidgetVisible(question, 0, 16))

    def _on_focused(self, lane: Lane) -> None:
        self.active_lane = lane

    def _on_path_chosen(self) -> None:
        self._show_values()
        self._show_marks()
