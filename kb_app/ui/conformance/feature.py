"""Showing conformance joins the window: the page, one change, exports; and records reach version control."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog

from kb_app.errors import KbError
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.features import Feature

if TYPE_CHECKING:
    from kb_app.gitstore.ledger_exchange import Exchanged
    from kb_app.incidents.conformance import Row
    from kb_app.ui.conformance.change_page import ChangePage
    from kb_app.ui.conformance.panel import ConformancePage
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.proving import ChangeProof, Proof, Question
    from kb_app.workspace.record_checks import RecordsPlace
    from kb_app.workspace.record_store import CommitState

ENDINGS = {"csv": "csv", "markdown": "md", "html": "html", "json": "json"}


class Stopped(KbError):
    """The work was no longer wanted."""


class ConformanceFeature(Feature):
    """The report on records, one's own or somebody else's.

    Signals:
        proof_shown(object): a `Proof` is on the page.
        exported(str): a report was written to this file.
    """

    proof_shown = Signal(object)
    exported = Signal(str)
    _progressed = Signal(int, int)
    _commit_failed = Signal(str)

    def __init__(self, window: MainWindow) -> None:
        """Join; the page is made when it is asked for."""
        super().__init__(window)
        self.proof: Proof | None = None
        self._place: RecordsPlace | None = None
        self._deploys: Path | None = None
        self._page: ConformancePage | None = None
        self._change_page: ChangePage | None = None
        self._wanted_folder: Path | None = None
        self._stop = threading.Event()
        self._asked = 0
        self._progressed.connect(self._on_progressed, Qt.ConnectionType.QueuedConnection)
        self._commit_failed.connect(self._on_commit_failed, Qt.ConnectionType.QueuedConnection)

    def handlers(self) -> Mapping[ActionId, Callable[[], None]]:
        """Return what the action does."""
        return {ActionId.CONFORMANCE: self.show}

    def start(self) -> None:
        """Commit what an earlier run left uncommitted, off every lane of the window."""
        folders, settings = self.desk.workspace.folders, self.desk.workspace.settings

        def work() -> None:
            from kb_app.workspace.record_store import commit_queue, is_news, records_root  # start-up time

            queue = commit_queue(folders, settings)

            def heard(state: CommitState) -> None:
                if is_news(folders, state.problem):
                    self._commit_failed.emit(state.problem)

            queue.listen(heard)
            if (records_root(folders, settings) / "incidents").is_dir():
                queue.catch_up()

        self.desk.jobs.run(work, lane=Lane.RECORDS)

    def stop(self) -> None:
        """Let go of what is being read."""
        self._stop.set()

    # -- the page -------------------------------------------------------------------------------------

    @property
    def page(self) -> ConformancePage:
        """Return the page, making it when it is asked for."""
        if self._page is None:
            from kb_app.ui.conformance.panel import ConformancePage  # start-up time

            page = ConformancePage(dt.datetime.now(dt.UTC).date(), self.window.pages)
            page.period_changed.connect(self.refresh)
            page.place_requested.connect(self.open_folder)
            page.address_requested.connect(self.open_address)
            page.deploys_requested.connect(self.reconcile_with)
            page.sample_requested.connect(self._draw_sample)
            page.change_requested.connect(self.show_change)
            page.export_requested.connect(self._choose_file)
            page.cancel_requested.connect(self._cancel)
            page.sync_requested.connect(self.sync_records)
            self._page = page
            self._restore(page)
            self.window.add_page(page)
        return self._page

    @property
    def change_page(self) -> ChangePage:
        """Return the page of one change, making it when it is asked for."""
        if self._change_page is None:
            from kb_app.ui.conformance.change_page import ChangePage  # start-up time

            page = ChangePage()
            page.row_requested.connect(self.show_change)
            page.back_requested.connect(self._back_to_list)
            self._change_page = page
            self.window.add_page(page)
        return self._change_page

    def show(self) -> None:
        """Show the page, and read the records anew."""
        is_leaving = self.window.pages.currentWidget() is self._page
        self.page.set_remote(self.desk.workspace.settings.records_remote)
        self.window.show_page(self.page)
        if is_leaving:
            return
        wanted, self._wanted_folder = self._wanted_folder, None
        if wanted is not None and wanted.is_dir():
            self.open_folder(wanted)
        else:
            self.refresh()

    def _restore(self, page: ConformancePage) -> None:
        """Show what was shown when the program ended: period, and whose records."""
        report = self.desk.session.state.report
        page.restore(report)
        if report.folder:
            self._wanted_folder = Path(report.folder)

    def _remember(self) -> None:
        folder = str(self._place.root) if self._place is not None and not self._place.is_own else ""
        state = self.desk.session.state
        report = self.page.remembered(folder)
        if report != state.report:
            self.desk.session.update(replace(state, report=report))

    def open_folder(self, folder: Path | None) -> None:
        """Show the records in ``folder``, which is only read; None for the user's own."""
        if folder is None:
            self._place = self._deploys = None
            self.refresh()
            return
        self._open(lambda: _place_of(folder))

    def open_address(self, address: str) -> None:
        """Copy the records behind an address and show the copy; the only step that may use the network."""
        folders, stop = self.desk.workspace.folders, self._fresh_stop()

        def work() -> RecordsPlace:
            from kb_app.workspace.record_store import copy_records  # start-up time

            return _place_of(copy_records(folders, address, is_cancelled=stop.is_set))

        self._open(work, lane=Lane.NETWORK, text="Copying the records")

    def _open(
        self,
        work: Callable[[], RecordsPlace],
        *,
        lane: Lane = Lane.HISTORY,
        text: str = "Opening the records",
    ) -> None:
        self._asked += 1
        number = self._asked
        self.page.show_busy(text)

        def done(place: RecordsPlace) -> None:
            if number == self._asked:
                self._place, self._deploys = place, None
                self.refresh()

        self.desk.jobs.run(
            work, on_done=done, on_error=lambda error: self._on_failed(error, number), lane=lane
        )

    def reconcile_with(self, source: Path | None) -> None:
        """Compare with a list of deploys, or with the log of a clone; None stops comparing."""
        self._deploys = source
        self.refresh()

    def refresh(self) -> None:
        """Read the records and show the report for what is chosen now."""
        from kb_app.workspace.proving import Question  # start-up time

        begin, end = self.page.moments()
        seed, size = self.page.sample_wanted
        question = Question(begin, end, seed=seed, sample_size=size, deploys=self._deploys)
        stop = self._fresh_stop()
        self._asked += 1
        number = self._asked
        self.page.show_busy("Reading the records")
        self.desk.jobs.run(
            self._work(question, stop),
            on_done=lambda proof: self._on_proof(proof, number),
            on_error=lambda error: self._on_failed(error, number),
            lane=Lane.HISTORY,
        )

    def _work(self, question: Question, stop: threading.Event) -> Callable[[], Proof]:
        workspace, place = self.desk.workspace, self._place
        bases = tuple(base.root for base in workspace.bases)

        def heard(done: int, total: int) -> None:
            if stop.is_set():
                raise Stopped("Stopped")
            if done % 8 == 0:
                self._progressed.emit(done, total)

        def work() -> Proof:
            from kb_app.workspace.proving import prove  # start-up time
            from kb_app.workspace.record_checks import own_place

            where = place or own_place(workspace.folders, workspace.settings)
            now = dt.datetime.now(dt.UTC)
            return prove(workspace.folders, where, question, bases=bases, on_record=heard, now=now)

        return work

    def _fresh_stop(self) -> threading.Event:
        self._stop.set()
        self._stop = threading.Event()
        return self._stop

    def _cancel(self) -> None:
        self._fresh_stop()
        self._asked += 1
        self.page.show_idle()
        if self.proof is None:
            self.page.show_problem("Stopped", "Choose a period to read the records")

    def _on_progressed(self, done: int, total: int) -> None:
        if self._page is not None:
            self._page.show_progress(done, total)

    def _on_proof(self, proof: Proof, number: int) -> None:
        if number != self._asked:
            return  # another period was chosen meanwhile
        self.proof = proof
        self.page.show_proof(proof)
        self._remember()
        for finding in proof.list_findings[:1]:
            more = len(proof.list_findings) - 1
            text = f"{finding.path}, line {finding.line}: {finding.message}" + (
                f", and {more} more" if more else ""
            )
            self.desk.message_posted.emit(Message(text, finding.fix, topic="deploy-list"))
        self.proof_shown.emit(proof)

    def _on_failed(self, error: Exception, number: int | None = None) -> None:
        if isinstance(error, Stopped) or (number is not None and number != self._asked):
            return
        if not isinstance(error, KbError):
            self.page.show_idle()
            raise error
        if self.proof is None:
            self.page.show_problem(error.title, error.hint)
            return
        self.page.show_idle()
        self._deploys = None
        message = Message(error.title, error.hint, Weight.PROBLEM, topic="conformance")
        self.desk.message_posted.emit(message)

    def _draw_sample(self, seed: str, size: int) -> None:
        if self.proof is None:
            return
        from kb_app.incidents.conformance import sample_of
        from kb_app.workspace.proving import with_sample

        report = self.proof.report
        if (report.scope.seed, report.scope.sample_size) == (seed, size):
            return
        drawn = with_sample(report, sample_of(report.rows, seed, size), seed, size)
        self.proof = replace(self.proof, report=drawn)
        self.page.show_proof(self.proof)

    def sync_records(self) -> None:
        """Exchange the user's own records with the configured remote, then show the report anew."""
        folders, settings = self.desk.workspace.folders, self.desk.workspace.settings
        stop = self._fresh_stop()
        self.page.show_busy("Syncing the records")

        def work() -> Exchanged:
            from kb_app.workspace.record_store import exchange_records  # start-up time
            from kb_app.workspace.records import device_name

            device = device_name(folders, settings)
            return exchange_records(folders, settings, device, is_cancelled=stop.is_set)

        def done(got: Exchanged) -> None:
            weight = Weight.NOTE if got.is_ok and not got.parted else Weight.PROBLEM
            if weight is Weight.NOTE:
                self.window.say(got.sentence)
            else:
                self.desk.message_posted.emit(Message(got.sentence, got.hint, weight, topic="records-sync"))
            self.refresh()

        self.desk.jobs.run(work, on_done=done, on_error=self._on_failed, lane=Lane.NETWORK)

    # -- one change -----------------------------------------------------------------------------------

    def show_change(self, row: Row) -> None:
        """Show one change with its whole chain."""
        if self.proof is None:
            return
        proof = self.proof

        def work() -> ChangeProof:
            from kb_app.workspace.proving import change_proof  # start-up time

            return change_proof(proof, row)

        self.desk.jobs.run(work, on_done=self._on_change, on_error=self._on_failed, lane=Lane.HISTORY)

    def _on_change(self, change: ChangeProof) -> None:
        if self.proof is None:
            return
        page = self.change_page
        page.show_change(change, self.proof.report, self.page.shown_rows())
        if self.window.pages.currentWidget() is not page:
            self.window.show_page(page)

    def _back_to_list(self, row: Row) -> None:
        if self.window.pages.currentWidget() is not self.page:
            self.window.show_page(self.page)
        self.page.select_row(row)

    # -- exports --------------------------------------------------------------------------------------

    def _choose_file(self, form: str) -> None:
        if self.proof is None:
            return
        scope = self.proof.report.scope
        name = f"conformance-{scope.begin:%Y-%m-%d}.{ENDINGS[form]}"
        dialog = QFileDialog(self.page, "Write the report to a file")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(ENDINGS[form])
        dialog.selectFile(name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.export_to(Path(path), form))
        dialog.open()

    def export_to(self, target: Path, form: str) -> None:
        """Write the report that shows to ``target``: csv, markdown, html or json."""
        if self.proof is None:
            return
        report = self.proof.report

        def work() -> str:
            from kb_app.durable import write_atomically  # start-up time
            from kb_app.incidents.report import render

            write_atomically(target, render(report, form).encode())
            return str(target)

        self.desk.jobs.run(work, on_done=self._on_exported, on_error=self._on_export_failed, lane=Lane.WRITE)

    def _on_exported(self, path: str) -> None:
        self.window.say(f"Written to {Path(path).name}")
        self.exported.emit(path)

    def _on_export_failed(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            raise error
        self.desk.message_posted.emit(Message(error.title, error.hint, Weight.PROBLEM, topic="export"))

    # -- committing -----------------------------------------------------------------------------------

    def _on_commit_failed(self, problem: str) -> None:
        title, _, hint = problem.partition(". ")
        message = Message(
            f"Records are kept, but without history: {title.rstrip('.')}",
            hint.rstrip("."),
            topic="records-commit",
        )
        self.desk.message_posted.emit(message)


def _place_of(folder: Path) -> RecordsPlace:
    from kb_app.workspace.record_checks import place_of  # start-up time

    return place_of(folder)
