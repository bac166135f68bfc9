"""The two columns of an entry: mitigate, fix forward."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kb_app.entries.model import ResponsePlan
from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.messages import announce, fit_text
from kb_app.ui.common.style import set_property
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import (
    Badge,
    ElidedLabel,
    EmptyState,
    IconLabel,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.steps.cards import EmptyLane, LaneHeader, LinkButton, StepCard, attribute_html, body_html
from kb_app.ui.steps.state import (
    Lane,
    LaneView,
    PathView,
    StepView,
    lanes_of,
    placeholder_names,
    resolve_link,
)

CARDS_AT_ONCE = 2
FILLED_STRETCH, EMPTY_STRETCH = 8, 5
"""A column without a path leaves room to the other: commands break less."""
"""Step cards of a column made before other events get their turn (about 4 ms each)."""

_LAYOUT_MS = 40
"""Until the scrolled columns have taken in what was added to them."""

_TONE_TOKENS = {"ok": "fix", "warn": "mitigate", "danger": "danger"}


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
        for field in needed:
            set_property(field, "invalid", "true")
        if needed:
            needed[0].setFocus(Qt.FocusReason.OtherFocusReason)
            return needed[0]
        return None

    def _on_changed(self) -> None:
        for field in self._fields.values():
            if field.text().strip():
                set_property(field, "invalid", "false")
        self.changed.emit(self.values())


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
    """One column: header, its paths, the steps of the chosen one."""

    ticked = Signal(str, bool)
    copied = Signal(str)
    values_needed = Signal(object)
    link_activated = Signal(str)
    origin_requested = Signal(str)
    path_chosen = Signal()
    asked = Signal(object)

    def __init__(self, view: LaneView, parent: QWidget | None = None) -> None:
        """Show ``view``; its first path is chosen."""
        super().__init__(parent)
        self.view = view
        self._done: frozenset[str] = frozenset()
        self._values: Mapping[str, str] = {}
        self._is_in_use = False
        self.active: PathView | None = view.paths[0] if view.paths else None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._steps: dict[str, list[StepCard]] = {}
        self._unbuilt: list[StepView] = []
        self._build_timer = QTimer(self, singleShot=True, interval=0)
        self._build_timer.timeout.connect(self._build_some)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self.header = LaneHeader(view.lane, self)
        self._layout.addWidget(self.header)
        self._cards: list[PathCard] = []
        for path in view.paths:
            card = PathCard(path, is_only=len(view.paths) == 1, parent=self)
            card.chosen.connect(self._on_chosen)
            card.origin_requested.connect(self.origin_requested)
            card.link_activated.connect(partial(self._on_link, path.entry_path))
            self._cards.append(card)
            self._layout.addWidget(card)
        if not view.paths:
            self._layout.addWidget(EmptyLane(view, self))
        self._layout.addStretch(1)
        self._show_active()

    @property
    def step_cards(self) -> list[StepCard]:
        """Return the cards of the chosen path, all of them."""
        self._build_all()
        return self._built_cards()

    def _built_cards(self) -> list[StepCard]:
        return self._steps.get(self.active.key, []) if self.active else []

    def current_card(self) -> StepCard | None:
        """Return the card of the step to do now, or the last one when all are done."""
        cards = self.step_cards
        return next((card for card in cards if card.view.key not in self._done), cards[-1] if cards else None)

    def choose(self, path: PathView) -> None:
        """Show the steps of another path."""
        self._build_all()
        self.active = path
        self._show_active()
        self.path_chosen.emit()

    def set_done(self, done: frozenset[str]) -> None:
        """Show which steps are ticked."""
        self._done = done
        if self.active is None:
            self.header.set_progress(0, 0)
            return
        for card in self._built_cards():
            self._show_state(card)
        self.header.set_progress(self.active.done_count(done), len(self.active.steps))

    def set_in_use(self, *, is_in_use: bool) -> None:
        """Show whether this is the column the keys act on."""
        if is_in_use != self._is_in_use:
            self._is_in_use = is_in_use
            self.set_done(self._done)

    def set_values(self, values: Mapping[str, str]) -> None:
        """Fill values into the commands."""
        self._values = values
        for card in self._built_cards():
            card.set_values(values)

    def _on_link(self, entry_path: str, target: str) -> None:
        if resolved := resolve_link(entry_path, target):
            self.link_activated.emit(resolved)

    def _on_chosen(self) -> None:
        card = self.sender()
        if isinstance(card, PathCard):
            self.choose(card.path)

    def _show_active(self) -> None:
        for key, cards in self._steps.items():
            for step in cards:
                step.setVisible(self.active is not None and key == self.active.key)
        for card in self._cards:
            is_active = self.active is not None and card.path.key == self.active.key
            card.set_active(is_active=is_active)
            if is_active and card.path.key not in self._steps:
                self._steps[card.path.key] = []
                self._unbuilt = list(card.path.steps)
                self._build_some()
        self.set_done(self._done)

    def _build_some(self) -> None:
        """Make the next cards; the rest follows when events have passed: a long path blocks nothing."""
        for _ in range(min(CARDS_AT_ONCE, len(self._unbuilt))):
            self._build_next()
        if self._unbuilt:
            self._build_timer.start()

    def _build_all(self) -> None:
        """Make what is left at once: a key or a test needs all of it."""
        self._build_timer.stop()
        while self._unbuilt:
            self._build_next()

    def _build_next(self) -> None:
        path = self.active
        assert path is not None
        view, built = self._unbuilt.pop(0), self._steps[path.key]
        card = next(card for card in self._cards if card.path.key == path.key)
        step = StepCard(view, len(path.steps), self)
        step.ticked.connect(self.ticked)
        step.copied.connect(self.copied)
        step.values_needed.connect(self.values_needed)
        step.asked.connect(self.asked)
        step.link_activated.connect(partial(self._on_link, path.entry_path))
        step.set_values(self._values)
        self._layout.insertWidget(self._layout.indexOf(card) + 1 + len(built), step)
        built.append(step)
        self._show_state(step)

    def _show_state(self, card: StepCard) -> None:
        current = self.active.current(self._done) if self.active else None
        key = card.view.key
        is_current = current is not None and key == current.key
        card.set_state(is_done=key in self._done, is_current=is_current, is_in_use=self._is_in_use)


class _ColumnScroll(QScrollArea):
    """Scrolls by wheel and bar; the arrow keys are the panel's: they go from step to step."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()


class StepsPanel(QWidget):
    """Both columns with their header, the values to fill in, and the keyboard.

    Signals:
        ticks_changed(object): the keys of the ticked steps.
        copied(str): a command was put on the clipboard.
        entry_requested(str): the entry of this path (in the same knowledge base) shall be opened.
        link_activated(str): a link in a step was clicked: an address, or ``path#anchor`` from the root.
        decision_requested(): whether to mitigate or to fix forward shall be decided.
        progress_changed(int, int): steps done and steps in all, of the chosen paths.
    """

    ticks_changed = Signal(object)
    copied = Signal(str)
    entry_requested = Signal(str)
    link_activated = Signal(str)
    progress_changed = Signal(int, int)
    decision_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make an empty panel."""
        super().__init__(parent)
        self.setObjectName("steps")
        self.setProperty("surface", "chrome")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(380)
        self._done: frozenset[str] = frozenset()
        self._values: dict[str, str] = {}
        self._columns: dict[Lane, LaneColumn] = {}
        self._values_card: ValuesCard | None = None
        self._values_slot: QVBoxLayout | None = None
        self._active_lane = Lane.MITIGATE
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_header())
        self._scroll = _ColumnScroll(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
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
        self._columns = {}
        self.empty.set_state(
            "list-checks", "Steps", "Open an entry to see how to mitigate and how to fix it."
        )
        self._set_shown(is_empty=True)
        self._count.setText("")

    def show_plan(self, plan: ResponsePlan, done: frozenset[str]) -> None:
        """Show both ways out; ``done`` are the ticked steps of this entry."""
        self._done = done
        views = lanes_of(plan)
        self._incomplete.setVisible(not plan.is_complete)
        if not any(view.paths for view in views):
            self._columns = {}
            texts = list(dict.fromkeys(view.empty_text for view in views))
            self.empty.set_state("route", "No path yet", " ".join(texts))
            self._set_shown(is_empty=True)
            self._count.setText("")
            self.progress_changed.emit(0, 0)
            return
        self._build_columns(views)
        self._set_shown(is_empty=False)
        self.active_lane = next(view.lane for view in views if view.paths)
        self._show_done()

    def _build_columns(self, views: tuple[LaneView, ...]) -> None:
        body = QWidget()
        body.setProperty("surface", "chrome")
        body.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        box = QVBoxLayout(body)
        box.setContentsMargins(12, 0, 12, 16)
        box.setSpacing(8)
        self._values_slot = QVBoxLayout()
        self._values_slot.setContentsMargins(0, 0, 0, 0)
        self._values_card = None
        box.addLayout(self._values_slot)
        row = QHBoxLayout()
        row.setSpacing(8)
        self._columns = {}
        for view in views:
            column = LaneColumn(view, body)
            column.ticked.connect(self._on_ticked)
            column.copied.connect(self._on_copied)
            column.values_needed.connect(self._on_values_needed)
            column.link_activated.connect(self.link_activated)
            column.origin_requested.connect(self.entry_requested)
            column.path_chosen.connect(self._on_path_chosen)
            column.asked.connect(self._on_asked)
            self._columns[view.lane] = column
            row.addWidget(column, FILLED_STRETCH if view.paths else EMPTY_STRETCH)
        box.addLayout(row, 1)
        self._show_values()
        self._scroll.setWidget(body)

    def reset(self) -> None:
        """Untick every step of this entry."""
        if self._done:
            self._done = frozenset()
            self._show_done()
            self.ticks_changed.emit(self._done)

    def focus_lane(self, lane: Lane) -> None:
        """Put the focus on the current step of a column."""
        self.active_lane = lane
        card = self._columns[lane].current_card() if lane in self._columns else None
        if card is not None:
            card.tick.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self._scroll.ensureWidgetVisible(card, 0, 24)
        else:
            self._reset.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def cards(self, lane: Lane) -> list[StepCard]:
        """Return the step cards of a column's chosen path."""
        return self._columns[lane].step_cards if lane in self._columns else []

    def choose_path(self, lane: Lane, entry_path: str, anchor: str) -> None:
        """Show the steps of the path that stands in ``entry_path`` under ``anchor``, if the column has it."""
        column = self._columns.get(lane)
        for path in column.view.paths if column is not None else ():
            if column is not None and (path.entry_path, path.anchor) == (entry_path, anchor):
                column.choose(path)

    def copy_current(self) -> bool:
        """Copy the first command of the current step; tell whether there was one."""
        lanes = (self.active_lane, *(lane for lane in self._columns if lane is not self.active_lane))
        for lane in lanes:
            card = self._columns[lane].current_card() if lane in self._columns else None
            if card is not None and card.commands:
                self._scroll.ensureWidgetVisible(card, 0, 24)
                card.commands[0].copy()
                return True
        return False

    def tick_current(self) -> None:
        """Tick the current step of the column in use."""
        column = self._columns.get(self.active_lane)
        card = column.current_card() if column else None
        if card is not None and card.view.key not in self._done:
            self._on_ticked(card.view.key, True)  # noqa: FBT003 - the signal's argument

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move between steps and columns."""
        moves = {
            Qt.Key.Key_Down: (0, 1),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
        }
        move = moves.get(Qt.Key(event.key()))
        if move is None or not self._columns:
            super().keyPressEvent(event)
        elif move[0]:
            self.focus_lane(Lane.MITIGATE if move[0] < 0 else Lane.FIX)
        else:
            self._focus_neighbour(move[1])

    def _focus_neighbour(self, step: int) -> None:
        column = self._columns.get(self.active_lane)
        cards = column.step_cards if column else []
        focused = next((i for i, card in enumerate(cards) if card.isAncestorOf(self.focusWidget())), None)
        if not cards:
            return
        position = 0 if focused is None else max(0, min(len(cards) - 1, focused + step))
        cards[position].tick.setFocus(Qt.FocusReason.OtherFocusReason)
        self._scroll.ensureWidgetVisible(cards[position], 0, 24)

    def _set_shown(self, *, is_empty: bool) -> None:
        self.empty.setVisible(is_empty)
        self._scroll.setVisible(not is_empty)
        self._reset.setVisible(not is_empty)
        self._decide.setVisible(not is_empty)

    def _show_values(self) -> None:
        """Ask for what the chosen paths need; nothing that was filled in is lost."""
        if self._values_slot is None:
            return
        names = placeholder_names(c.active for c in self._columns.values() if c.active is not None)
        if self._values_card is not None:
            self._values_card.deleteLater()
            self._values_card = None
        if names:
            self._values_card = ValuesCard(names, self._values)
            self._values_card.changed.connect(self._on_values_changed)
            self._values_slot.addWidget(self._values_card)
        for column in self._columns.values():
            column.set_values(self._values)

    def _show_done(self) -> None:
        done = total = 0
        for column in self._columns.values():
            column.set_done(self._done)
            if column.active is not None:
                done += column.active.done_count(self._done)
                total += len(column.active.steps)
        self._count.setText(f"{done} of {total} done" if total else "")
        self._reset.setEnabled(done > 0)
        self.progress_changed.emit(done, total)

    def _on_ticked(self, key: str, is_done: bool) -> None:  # noqa: FBT001 - the signal's argument
        self._done = self._done | {key} if is_done else self._done - {key}
        had_focus = isinstance(self.focusWidget(), QWidget) and self.isAncestorOf(self.focusWidget())
        for lane, column in self._columns.items():
            if column.active is not None and any(step.key == key for step in column.active.steps):
                self.active_lane = lane
        self._show_done()
        self.ticks_changed.emit(self._done)
        if is_done and had_focus:
            self.focus_lane(self.active_lane)

    def _on_copied(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        announce(self, "Copied")
        self.copied.emit(text)

    def _on_asked(self, question: QWidget) -> None:
        """Bring a question into view once the layout has made room for it."""
        QTimer.singleShot(_LAYOUT_MS, question, lambda: self._scroll.ensureWidgetVisible(question, 0, 16))

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

    def _on_path_chosen(self) -> None:
        self._show_values()
        self._show_done()
