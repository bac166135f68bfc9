"""The conformance page: period, source, verdicts as large figures, charts, changes, sample, policy, check."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QDate, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QDateEdit,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from kb_app.incidents.charts import distributions, time_to_review, verdicts_over_time
from kb_app.incidents.conformance import Row, Verdict
from kb_app.ui.common.actions import ActionId, shortcut_of
from kb_app.ui.common.messages import announce, fit_text
from kb_app.ui.common.page import Page
from kb_app.ui.common.remembered import RememberedReport
from kb_app.ui.common.widgets import (
    EmptyState,
    IconLabel,
    ProgressLine,
    SearchBox,
    label,
    plain_tooltip,
    text_button,
)
from kb_app.ui.conformance.pieces import ChangesTable, ChartCard, TextTable, VerdictTile
from kb_app.ui.conformance.state import (
    FINDING_COLUMNS,
    OVERRIDE_COLUMNS,
    POLICY_COLUMNS,
    ChangeFilter,
    CheckLine,
    PeriodChoice,
    checks_of,
    facts_of,
    finding_rows,
    listed,
    moments_of,
    overridden,
    override_rows,
    period_for,
    policy_rows,
    source_text,
)
from kb_app.workspace.proving import Proof

MARGIN = 32
_PERIODS = (
    (PeriodChoice.QUARTER, "This quarter"),
    (PeriodChoice.YEAR, "This year"),
    (PeriodChoice.LAST_YEAR, "Last year"),
    (PeriodChoice.CUSTOM, "Custom"),
)
_STANDINGS = {
    "good": ("circle-check", "fix", "good"),
    "bad": ("circle-x", "danger", "wrong"),
    "unknown": ("circle-question-mark", "text3", "not known"),
}
EXPORTS = (
    ("CSV, every column", "csv"),
    ("HTML page, prints well", "html"),
    ("Markdown", "markdown"),
    ("JSON", "json"),
)


class ConformancePage(Page):
    """The report.

    Signals:
        period_changed(): another period is wanted; `moments` gives it.
        place_requested(object): records in another folder (`Path`); None for the user's own.
        address_requested(str): records behind this address.
        deploys_requested(object): reconcile with this file or folder (`Path`); None stops it.
        sample_requested(str, int): draw with this seed so many changes.
        change_requested(object): show this `Row` whole.
        export_requested(str): write the report in this form.
        cancel_requested(): stop the work under way.
        sync_requested(): exchange one's own records with their remote.
    """

    period_changed = Signal()
    place_requested = Signal(object)
    address_requested = Signal(str)
    deploys_requested = Signal(object)
    sample_requested = Signal(str, int)
    change_requested = Signal(object)
    export_requested = Signal(str)
    cancel_requested = Signal()
    sync_requested = Signal()

    def __init__(self, today: dt.date, parent: QWidget | None = None) -> None:
        """Make the page; `show_proof` fills it."""
        super().__init__("Conformance", parent, width=0)
        self.setObjectName("conformancePage")
        self._today = today
        self._proof: Proof | None = None
        self._filter = ChangeFilter()
        self._sort = (-1, False)
        self._overridden: tuple[Row, ...] = ()
        self.box.setContentsMargins(MARGIN, 20, MARGIN, 16)
        self._build_head()
        self.box.addLayout(self._build_period())
        self._build_address()
        self._body = QStackedWidget(self)
        self._body.addWidget(self._build_report())
        self.empty = EmptyState("chart-column", "Reading the records", "", parent=self)
        self._body.addWidget(self.empty)
        self.box.addWidget(self._body, 1)
        self._body.setCurrentIndex(1)
        self.setFocusProxy(self.periods.button(self._index_of(PeriodChoice.YEAR)))

    # -- building -------------------------------------------------------------------------------------

    def _build_head(self) -> None:
        self.source = text_button("My records", "", "database", self.column)
        self.source.setObjectName("recordsSource")
        self.source.setToolTip("Whose records are shown")
        menu = QMenu(self.source)
        menu.addAction("My records").triggered.connect(lambda: self.place_requested.emit(None))
        menu.addAction("Open records in a folder…").triggered.connect(self._choose_folder)
        menu.addAction("Open records at an address…").triggered.connect(self._ask_address)
        self.source.setMenu(menu)
        self.reconcile = text_button("Reconcile", "", "list-checks", self.column)
        self.reconcile.setObjectName("reconcile")
        self.reconcile.setToolTip("Compare with everything that was deployed, to find what the records miss")
        menu = QMenu(self.reconcile)
        menu.addAction("With a CSV list of deploys…").triggered.connect(self._choose_list)
        menu.addAction("With the log of a product's clone…").triggered.connect(self._choose_clone)
        self._stop_reconciling = menu.addAction("Without a list")
        self._stop_reconciling.triggered.connect(lambda: self.deploys_requested.emit(None))
        self.reconcile.setMenu(menu)
        self.export = text_button("Export", "", "download", self.column)
        self.export.setObjectName("exportReport")
        self.export.setToolTip("Write the report to a file")
        menu = QMenu(self.export)
        for text, form in EXPORTS:
            menu.addAction(text).triggered.connect(partial(self.export_requested.emit, form))
        self.export.setMenu(menu)
        self.sync = text_button("Sync", "", "refresh-cw", self.column)
        self.sync.setObjectName("syncRecords")
        self.sync.setAccessibleName("Sync my records")
        self.sync.clicked.connect(self.sync_requested)
        self.sync.hide()
        self._remote = ""
        for button in (self.sync, self.source, self.reconcile, self.export):
            self.add_head(button)

    def _build_period(self) -> QVBoxLayout:
        rows = QVBoxLayout()
        rows.setSpacing(6)
        row = QHBoxLayout()
        row.setSpacing(4)
        self.periods = QButtonGroup(self)
        for number, (choice, text) in enumerate(_PERIODS):
            button = text_button(text, "tab", "", self.column)
            button.setCheckable(True)
            button.setObjectName(f"period:{choice.value}")
            button.setAccessibleName(f"Period: {text.lower()}")
            button.setToolTip(self._period_tooltip(choice))
            self.periods.addButton(button, number)
            row.addWidget(button)
        self.periods.button(self._index_of(PeriodChoice.YEAR)).setChecked(True)
        self.periods.idClicked.connect(self._on_period_clicked)
        self._dates = QWidget(self.column)
        dates = QHBoxLayout(self._dates)
        dates.setContentsMargins(8, 0, 0, 0)
        dates.setSpacing(6)
        first, last = period_for(PeriodChoice.YEAR, self._today)
        self.first_day = self._date_edit("First day", first)
        self.last_day = self._date_edit("Last day", last)
        dates.addWidget(self.first_day)
        dates.addWidget(label("to", "secondary", self._dates))
        dates.addWidget(self.last_day)
        self._dates.hide()
        row.addWidget(self._dates)
        row.addSpacing(12)
        self._about = label("", "secondary", self.column, wrap=True)
        self._about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self._about, 1)
        self._cancel = text_button("Cancel", "ghost", "x", self.column)
        self._cancel.setToolTip("Stop reading the records")
        self._cancel.clicked.connect(self.cancel_requested)
        self._cancel.hide()
        row.addWidget(self._cancel)
        rows.addLayout(row)
        self._progress = ProgressLine("Reading the records", self.column)
        policy = self._progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._progress.setSizePolicy(policy)
        self._progress.hide()
        rows.addWidget(self._progress)
        return rows

    def _period_tooltip(self, choice: PeriodChoice) -> str:
        if choice is PeriodChoice.CUSTOM:
            return "From one day to another, both included, UTC"
        first, last = period_for(choice, self._today)
        return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}, UTC"

    def _date_edit(self, name: str, day: dt.date) -> QDateEdit:
        edit = QDateEdit(QDate(day.year, day.month, day.day), self._dates)
        edit.setDisplayFormat("yyyy-MM-dd")
        edit.setAccessibleName(name)
        edit.setToolTip(f"{name} of the period, UTC")
        edit.setFixedWidth(128)
        edit.setKeyboardTracking(False)
        edit.dateChanged.connect(self.period_changed)
        return edit

    def _build_address(self) -> None:
        self._address_row = QWidget(self.column)
        row = QHBoxLayout(self._address_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.address = QLineEdit(self._address_row)
        self.address.setAccessibleName("Address of a repository of records")
        self.address.setPlaceholderText("https://host/team/records.git, git@host:team/records.git, or a path")
        self.address.returnPressed.connect(self._on_address_given)
        row.addWidget(self.address, 1)
        go = text_button("Copy and open", "primary", "", self._address_row)
        go.setToolTip("Makes a copy that is only read; the only step here that uses the network")
        go.clicked.connect(self._on_address_given)
        row.addWidget(go)
        self._address_row.hide()
        self.box.addWidget(self._address_row)

    def _build_report(self) -> QWidget:
        report = QWidget(self)
        box = QVBoxLayout(report)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(12)
        tiles = QHBoxLayout()
        tiles.setSpacing(12)
        self.tiles: dict[Verdict, VerdictTile] = {}
        for verdict in Verdict:
            tile = VerdictTile(verdict, report)
            tile.setObjectName(f"verdict:{verdict.value}")
            tile.clicked.connect(partial(self._on_tile, verdict))
            self.tiles[verdict] = tile
            tiles.addWidget(tile, 2)
        tiles.addWidget(self._build_facts(), 5)
        box.addLayout(tiles)
        self.tabs = QTabWidget(report)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        for build, name in (
            (self._build_overview, "Overview"),
            (self._build_changes, "Changes"),
            (self._build_sample, "Sample"),
            (self._build_overrides, "Overrides"),
            (self._build_policy, "Policy versions"),
            (self._build_checks, "Check"),
        ):
            self.tabs.addTab(build(), name)
        # each tab scrolls by itself: the page around them must not
        self.tabs.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.tabs.setMinimumHeight(220)
        box.addWidget(self.tabs, 1)
        return report

    def _build_facts(self) -> QWidget:
        card = QFrame(self)
        card.setProperty("surface", "card")
        card.setFixedHeight(96)
        grid = QGridLayout(card)
        grid.setContentsMargins(16, 8, 16, 8)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        self._facts = []
        for number in range(4):
            value, text = label("", "title", card), label("", "secondary", card)
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            row, column = divmod(number, 2)
            grid.addWidget(value, row, 2 * column)
            grid.addWidget(text, row, 2 * column + 1)
            self._facts.append((value, text))
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return card

    def _build_overview(self) -> QWidget:
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        inside = QWidget()
        inside.setProperty("surface", "surface")
        inside.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 16, 8, 8)
        grid.setSpacing(16)
        self.charts = tuple(ChartCard(inside) for _ in range(3))
        grid.addWidget(self.charts[0], 0, 0)
        grid.addWidget(self.charts[1], 0, 1)
        grid.addWidget(self.charts[2], 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(2, 1)
        scroll.setWidget(inside)
        return scroll

    def _build_changes(self) -> QWidget:
        tab, box = self._tab()
        row = QHBoxLayout()
        row.setSpacing(12)
        self.words = SearchBox("Search in the changes", "incident, change, person, reason…", tab, height=32)
        self.words.setMaximumWidth(420)
        self.words.input.textChanged.connect(self._on_words)
        self.words.escape_pressed.connect(self._on_words_escape)
        row.addWidget(self.words, 1)
        self._listed = label("", "secondary", tab)
        row.addWidget(self._listed)
        row.addStretch(1)
        self.everything = text_button("Show all", "link", "", tab)
        self.everything.setToolTip("List every verdict again")
        self.everything.clicked.connect(self._show_all)
        row.addWidget(self.everything)
        box.addLayout(row)
        self.changes = ChangesTable("Changes", tab)
        self.changes.opened.connect(self.change_requested)
        self.changes.sort_requested.connect(self._on_sort)
        self.changes.setToolTip("Enter opens the change with its whole chain")
        box.addWidget(self.changes, 1)
        return tab

    def _build_sample(self) -> QWidget:
        tab, box = self._tab()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(label("Draw", "", tab))
        self.sample_size = QSpinBox(tab)
        self.sample_size.setRange(1, 9_999)
        self.sample_size.setValue(25)
        self.sample_size.setFixedWidth(90)
        self.sample_size.setAccessibleName("How many changes to draw")
        self.sample_size.setKeyboardTracking(False)
        self.sample_size.valueChanged.connect(self._draw_sample)
        row.addWidget(self.sample_size)
        row.addWidget(label("changes with seed", "", tab))
        self.seed = QLineEdit("1", tab)
        self.seed.setFixedWidth(140)
        self.seed.setAccessibleName("Seed of the sample")
        self.seed.setToolTip("The same seed draws the same changes, in any year, with any tool")
        self.seed.editingFinished.connect(self._draw_sample)
        row.addWidget(self.seed)
        self._drawn = label("", "secondary", tab)
        row.addWidget(self._drawn)
        row.addStretch(1)
        box.addLayout(row)
        self.sample = ChangesTable("Sample, in the order drawn", tab)
        self.sample.horizontalHeader().setSortIndicatorShown(False)
        self.sample.horizontalHeader().setSectionsClickable(False)
        self.sample.opened.connect(self.change_requested)
        box.addWidget(self.sample, 1)
        note = "Ordered by the SHA-256 of seed, incident and change, one a line: anybody can draw the same."
        box.addWidget(label(note, "meta", tab))
        return tab

    def _build_overrides(self) -> QWidget:
        tab, box = self._tab()
        self._overrides_note = label("", "secondary", tab, wrap=True)
        self._overrides_note.setAlignment(Qt.AlignmentFlag.AlignTop)
        box.addWidget(self._overrides_note)
        self.overrides = TextTable("Chosen otherwise than advised", tab)
        self.overrides.setToolTip("Enter opens the change with its whole chain")
        self.overrides.opened.connect(self._on_override_opened)
        box.addWidget(self.overrides, 1)
        return tab

    def _build_policy(self) -> QWidget:
        tab, box = self._tab()
        self._policy_note = label("", "secondary", tab, wrap=True)
        box.addWidget(self._policy_note)
        self.policy = TextTable("Versions of the policy", tab)
        box.addWidget(self.policy, 1)
        return tab

    def _build_checks(self) -> QWidget:
        tab, box = self._tab()
        self._checks = QGridLayout()
        self._checks.setHorizontalSpacing(12)
        self._checks.setVerticalSpacing(8)
        self._checks.setColumnStretch(2, 1)
        box.addLayout(self._checks)
        note = (
            "Tamper-evident: what was changed shows. Who did it, only signatures and other clones can show."
        )
        box.addWidget(label(note, "meta", tab, wrap=True))
        self.findings = TextTable("Findings", tab)
        box.addWidget(self.findings, 1)
        return tab

    def _tab(self) -> tuple[QWidget, QVBoxLayout]:
        tab = QWidget(self)
        box = QVBoxLayout(tab)
        box.setContentsMargins(0, 12, 0, 0)
        box.setSpacing(10)
        return tab, box

    # -- what is wanted -------------------------------------------------------------------------------

    @staticmethod
    def _index_of(wanted: PeriodChoice) -> int:
        return next(number for number, (choice, _) in enumerate(_PERIODS) if choice is wanted)

    @property
    def choice(self) -> PeriodChoice:
        """Return which period is chosen."""
        return _PERIODS[self.periods.checkedId()][0]

    def moments(self) -> tuple[dt.datetime, dt.datetime]:
        """Return begin and end (excluded) of the chosen period."""
        if self.choice is not PeriodChoice.CUSTOM:
            return moments_of(*period_for(self.choice, self._today))
        days = (self.first_day.date(), self.last_day.date())
        first, last = (dt.date(day.year(), day.month(), day.day()) for day in days)
        return moments_of(first, last)

    def remembered(self, folder: str) -> RememberedReport:
        """Return what is to be remembered of the page; ``folder`` holds the records, empty: one's own."""
        if self.choice is not PeriodChoice.CUSTOM:
            return RememberedReport(self.choice.value, folder=folder)
        begin, end = self.moments()
        last = end - dt.timedelta(days=1)
        return RememberedReport(self.choice.value, f"{begin:%Y-%m-%d}", f"{last:%Y-%m-%d}", folder)

    def restore(self, report: RememberedReport) -> None:
        """Choose the period that was remembered, where it can be; nothing is emitted."""
        try:
            choice = PeriodChoice(report.period)
            days = tuple(dt.date.fromisoformat(day) for day in (report.first, report.last) if day)
        except ValueError:
            return
        with QSignalBlocker(self):
            if choice is not PeriodChoice.CUSTOM:
                self.choose_period(choice)
            elif len(days) == 2:
                self.set_days(*days)

    def choose_period(self, choice: PeriodChoice) -> None:
        """Choose a period as if its button were pressed."""
        self.periods.button(self._index_of(choice)).setChecked(True)
        self._on_period_clicked(self._index_of(choice))

    def set_days(self, first: dt.date, last: dt.date) -> None:
        """Choose a period of one's own; `period_changed` is emitted once."""
        self.periods.button(self._index_of(PeriodChoice.CUSTOM)).setChecked(True)
        self._dates.show()
        self.setFocusProxy(self.periods.button(self._index_of(PeriodChoice.CUSTOM)))
        for edit, day in ((self.first_day, first), (self.last_day, last)):
            edit.blockSignals(True)  # noqa: FBT003 - Qt's own
            edit.setDate(QDate(day.year, day.month, day.day))
            edit.blockSignals(False)  # noqa: FBT003 - Qt's own
        self.period_changed.emit()

    @property
    def sample_wanted(self) -> tuple[str, int]:
        """Return seed and size of the sample."""
        return self.seed.text().strip() or "1", self.sample_size.value()

    def set_remote(self, address: str) -> None:
        """Offer to sync one's own records with this address; empty when there is none."""
        self._remote = address
        self.sync.setToolTip(plain_tooltip(f"Exchange my records with {address}"))
        self._offer_sync()

    def _offer_sync(self) -> None:
        is_own = self._proof is None or self._proof.place.is_own
        self.sync.setVisible(bool(self._remote) and is_own)

    # -- showing --------------------------------------------------------------------------------------

    def show_busy(self, text: str) -> None:
        """Say that something is being read; what shows stays."""
        self._progress.set_progress(0, 0)
        self._progress.show()
        self._cancel.show()
        if self._proof is None:
            self._show_state("loader-circle", text, "")

    def show_progress(self, done: int, total: int) -> None:
        """Show how many records were read."""
        self._progress.set_progress(done, total)

    def show_idle(self) -> None:
        """Nothing is under way."""
        self._progress.hide()
        self._cancel.hide()

    def show_problem(self, title: str, hint: str) -> None:
        """Say why there is no report."""
        self.show_idle()
        self._proof = None
        self._show_state("circle-alert", title, hint)

    def _show_state(self, icon: str, title: str, text: str) -> None:
        self.empty.set_state(icon, title, text)
        fit_text(self.empty, 460)
        self._body.setCurrentIndex(1)
        self.export.setEnabled(False)

    def show_proof(self, proof: Proof) -> None:
        """Show a report."""
        self.show_idle()
        self._proof = proof
        self._offer_sync()
        name = "My records" if proof.place.is_own else proof.place.name
        self.source.setText(name)
        self.source.setAccessibleName(f"Records: {name}")
        self.reconcile.setText("Reconciled" if proof.report.listed is not None else "Reconcile")
        self._stop_reconciling.setEnabled(proof.report.listed is not None)
        self._about.setText(source_text(proof))
        if not proof.report.records:
            self._about.clear()
            self._show_state(
                "chart-column",
                "No records yet",
                f"A record begins with an incident ({shortcut_of(ActionId.INCIDENT)}). To look at somebody "
                "else's records, open their folder or address from the button above.",
            )
            return
        self.export.setEnabled(True)
        self._body.setCurrentIndex(0)
        for verdict, tile in self.tiles.items():
            tile.set_count(proof.report.counts[verdict.value])
        for (value, text), fact in zip(self._facts, facts_of(proof.report), strict=True):
            value.setText(fact.value)
            text.setText(fact.text)
        self._show_charts(proof)
        self._show_changes()
        self._show_sample()
        self._show_overrides(proof)
        self._show_policy(proof)
        self._show_checks(proof)
        counts = ", ".join(f"{count} {name}" for name, count in proof.report.counts.items())
        announce(self.tabs, f"{len(proof.report.rows)} emergency changes: {counts}")

    def _show_charts(self, proof: Proof) -> None:
        report = proof.report
        times = [figure for figure in report.figures if not figure.name.startswith("time to review")]
        self.charts[0].set_chart(lambda look, width: verdicts_over_time(report, look, width=width))
        self.charts[1].set_chart(lambda look, width: time_to_review(report, look, width=width))
        self.charts[2].set_chart(lambda look, width: distributions(times, look, width=width))

    def _show_changes(self) -> None:
        if self._proof is None:
            return
        column, is_descending = self._sort
        rows = listed(self._proof.report.rows, self._filter, column, is_descending=is_descending)
        self.changes.set_rows(rows)
        total = len(self._proof.report.rows)
        self._listed.setText(f"{len(rows)} of {total} changes" if len(rows) != total else f"{total} changes")
        self.everything.setVisible(bool(self._filter.verdict))
        self.tabs.setTabText(1, f"Changes {total}")

    def _show_sample(self) -> None:
        if self._proof is None:
            return
        report = self._proof.report
        rows = {(row.incident_id, row.change_id): row for row in report.rows}
        self.sample.set_rows([rows[key] for key in report.sample])
        self._drawn.setText(f"{len(report.sample)} of {len(report.rows)} drawn, seed {report.scope.seed}")
        self.tabs.setTabText(2, f"Sample {len(report.sample)}")

    def _show_overrides(self, proof: Proof) -> None:
        rows = override_rows(proof.report)
        self._overridden = overridden(proof.report)
        self._overrides_note.setText(
            "Where somebody chose otherwise than the policy advised, and why; Enter opens the change."
            if rows
            else "Every decision of this period followed the policy's advice."
        )
        self.overrides.setVisible(bool(rows))
        self.overrides.set_table(OVERRIDE_COLUMNS, rows, (144, 112, 176, 120, 144, 96))
        self.tabs.setTabText(3, f"Overrides {len(rows)}")

    def _on_override_opened(self, number: int) -> None:
        if number < len(self._overridden):
            self.change_requested.emit(self._overridden[number])

    def _show_policy(self, proof: Proof) -> None:
        rows = policy_rows(proof.report)
        self._policy_note.setText(
            "Every decision stores the Git blob of the policy it was made by; these were in force."
            if rows
            else "No policy.yml was found beside the records or in the knowledge bases: the default applied."
        )
        self.policy.setVisible(bool(rows))
        self.policy.set_table(POLICY_COLUMNS, rows, (136, 168, 260, 112))

    def _show_checks(self, proof: Proof) -> None:
        while (item := self._checks.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for number, line in enumerate(checks_of(proof)):
            self._add_check(number, line)
        rows = finding_rows(proof)
        self.findings.set_table(FINDING_COLUMNS, rows, (340, 248, 136))
        self.findings.setVisible(bool(rows))
        bad = sum(line.standing == "bad" for line in checks_of(proof))
        self.tabs.setTabText(5, f"Check: {bad} to look at" if bad else "Check")

    def _add_check(self, number: int, line: CheckLine) -> None:
        icon, color, spoken = _STANDINGS[line.standing]
        picture = IconLabel(icon, color, 16, self)
        picture.setToolTip(spoken)
        title = label(line.title, "heading", self)
        text = label(line.text, "", self, wrap=True)
        text.setAccessibleName(f"{line.title}, {spoken}: {line.text}")
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        top = Qt.AlignmentFlag.AlignTop
        self._checks.addWidget(picture, number, 0, top)
        self._checks.addWidget(title, number, 1, top)
        self._checks.addWidget(text, number, 2)

    # -- reactions ------------------------------------------------------------------------------------

    def _on_period_clicked(self, number: int) -> None:
        choice = _PERIODS[number][0]
        self._dates.setVisible(choice is PeriodChoice.CUSTOM)
        self.setFocusProxy(self.periods.button(number))
        if choice is PeriodChoice.CUSTOM:
            self.first_day.setFocus(Qt.FocusReason.OtherFocusReason)
        self.period_changed.emit()

    def _on_tile(self, verdict: Verdict) -> None:
        is_on = self.tiles[verdict].isChecked()
        for other, tile in self.tiles.items():
            tile.setChecked(is_on and other is verdict)
        self._filter = ChangeFilter(verdict.value if is_on else "", self._filter.words)
        self._show_changes()
        if is_on:
            self.tabs.setCurrentIndex(1)

    def _show_all(self) -> None:
        for tile in self.tiles.values():
            tile.setChecked(False)
        self._filter = ChangeFilter("", self._filter.words)
        self._show_changes()
        self.changes.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_words(self, words: str) -> None:
        self._filter = ChangeFilter(self._filter.verdict, words)
        self._show_changes()

    def _on_words_escape(self) -> None:
        if self.words.input.text():
            self.words.input.clear()
        else:
            self.closed.emit()

    def _on_sort(self, column: int, is_descending: bool) -> None:  # noqa: FBT001 - the signal's argument
        self._sort = (column, is_descending)
        self._show_changes()

    def _draw_sample(self) -> None:
        self.sample_requested.emit(*self.sample_wanted)

    def shown_rows(self) -> tuple[Row, ...]:
        """Return the changes of the tab in front, for going from one to the next."""
        if self.tabs.currentWidget() is self.overrides.parentWidget():
            return self._overridden
        table = self.sample if self.tabs.currentIndex() == 2 else self.changes
        return table.changes.rows

    def select_row(self, row: Row) -> None:
        """Select a change where it is listed, and give the list the focus."""
        if self.tabs.currentWidget() is self.overrides.parentWidget():
            self.overrides.select(self._overridden.index(row) if row in self._overridden else 0)
            return
        table = self.sample if self.tabs.currentIndex() == 2 else self.changes
        table.select(row)
        table.setFocus(Qt.FocusReason.OtherFocusReason)

    # -- choosing files -------------------------------------------------------------------------------

    def _choose_folder(self) -> None:
        self._choose("Choose the folder that holds incidents", self._on_folder, is_folder=True)

    def _on_folder(self, path: str) -> None:
        self.place_requested.emit(Path(path))

    def _choose_list(self) -> None:
        self._choose("Choose a CSV list of deploys", self._on_deploys, is_folder=False)

    def _choose_clone(self) -> None:
        self._choose("Choose a clone whose log lists the deploys", self._on_deploys, is_folder=True)

    def _on_deploys(self, path: str) -> None:
        self.deploys_requested.emit(Path(path))

    def _choose(self, title: str, take: Callable[[str], None], *, is_folder: bool) -> None:
        dialog = QFileDialog(self, title)
        if is_folder:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
            dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        else:
            dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
            dialog.setNameFilters(["Lists (*.csv *.tsv *.txt)", "All files (*)"])
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(take)
        dialog.open()

    def _ask_address(self) -> None:
        self._address_row.show()
        self.address.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_address_given(self) -> None:
        if text := self.address.text().strip():
            self._address_row.hide()
            self.address_requested.emit(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc first takes away what was asked for, then leaves the page."""
        if event.key() == Qt.Key.Key_Escape and self._address_row.isVisible():
            self._address_row.hide()
            self.source.setFocus(Qt.FocusReason.OtherFocusReason)
        elif event.key() == Qt.Key.Key_Escape and any(tile.isChecked() for tile in self.tiles.values()):
            self._show_all()
        else:
            super().keyPressEvent(event)
