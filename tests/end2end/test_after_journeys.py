"""What follows an action, in the real window on real records, with the keys that a person presses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QWidget
from pytestqt.qtbot import QtBot

from kb_app.decision.policy import blob_id
from kb_app.incidents.book import RecordBook
from kb_app.incidents.events import EventType
from kb_app.incidents.sample_incident import SampleIncident, write_sample_incident
from kb_app.incidents.verify import verify_record
from kb_app.paths import app_folders
from kb_app.settings import load_settings, save_settings
from kb_app.ui.app import Options, Running, make_application
from kb_app.ui.common.actions import ActionId
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.sheet import Sheet
from kb_app.ui.duties.closing import ClosingPage
from kb_app.ui.duties.feature import DutiesFeature
from kb_app.ui.duties.panel import DutiesPage
from kb_app.ui.duties.review import ReviewPage
from kb_app.ui.export.feature import ExportFeature
from kb_app.ui.export.preview import TextPage
from kb_app.ui.incident.feature import IncidentFeature
from kb_app.ui.timeline.feature import TimelineFeature
from kb_app.ui.timeline.panel import TimelinePage
from kb_app.workspace.records import open_book

TIMEOUT_MS = 60_000
POLICY = "push_when_down: review-after\npost_review: {due: 24h, independent_of: [author, deployer]}\n"
PUBLIC = """---
kind: known-fix
audience: public
---
# Uploads are refused

## Symptoms
Uploads above 1 MB answer 413.

## Diagnosis
Look into the internal gateway log.

## Fix forward
1. Raise the limit.
"""
INTERNAL = PUBLIC.replace("audience: public", "audience: internal").replace("Uploads are", "Downloads are")


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "policy.yml").write_text(POLICY)
    (folder / "uploads.md").write_text(PUBLIC)
    (folder / "downloads.md").write_text(INTERNAL)
    return folder


Open = Callable[..., Running]


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    """Start windows like ``kb-app --kb …`` for a person, and end them afterwards."""
    running: list[Running] = []

    def start_window(base: Path, *, who: str, width: int = 1440) -> Running:
        be(who)
        make_application()
        one = Running(qapp, app_folders(), Options((str(base),)))
        one.crashes.uninstall()  # pytest-qt takes exceptions here, and fails the test
        running.append(one)
        one.start()
        one.window.resize(width, 900)
        qtbot.waitExposed(one.window)
        qtbot.waitUntil(lambda: one.desk.index_state.is_complete, timeout=TIMEOUT_MS)
        qtbot.waitUntil(lambda: duties(one).dues is not None, timeout=TIMEOUT_MS)
        return one

    yield start_window
    for one in running:
        one.window.close()
        one.finish()
        one.theme.setParent(None)


class Keys:
    """Presses keys where the focus is, and counts them; typing a text counts once, as a paste does."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.count = 0

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self._target(), key, modifiers)
        self.count += 1

    def type(self, text: str) -> None:
        QTest.keyClicks(self._target(), text)
        self.count += 1

    def _target(self) -> QWidget:
        window = self.running.window
        return window.focusWidget() or window


def be(who: str) -> None:
    save_settings(app_folders(), replace(load_settings(app_folders()), author=who))


def book() -> RecordBook:
    return open_book(app_folders())


def duties(running: Running) -> DutiesFeature:
    return running.window.feature(DutiesFeature)


def write(knowledge: Path, *, hours: float, **more: bool) -> SampleIncident:
    opened = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=hours)
    policy = blob_id((knowledge / "policy.yml").read_bytes())
    return write_sample_incident(book().root, opened=opened, policy=policy, **more)


def front(running: Running, kind: type[QWidget]) -> bool:
    return isinstance(running.window.pages.currentWidget(), kind)


def types(name: str) -> list[str]:
    return [moment.event.type for moment in book().state(name).moments]


def sheet_of(running: Running) -> Sheet | None:
    return next((sheet for sheet in running.window.findChildren(Sheet) if sheet.isVisible()), None)


def test_the_reviewer_next_morning_reads_the_case_and_records_a_verdict(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    sample = write(knowledge, hours=21, is_reviewed=False, is_closed=False)
    running = start(knowledge, who="carla@example.com")
    window = running.window
    window.show_no_entry()
    assert window.reading.home.owed.text().startswith("1 review due in 3 h")
    assert duties(running).chip.isVisible()
    keys = Keys(running)
    keys.press(Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: front(running, DutiesPage), timeout=TIMEOUT_MS)
    qtbot.waitUntil(duties(running).page.rows.hasFocus, timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: front(running, ReviewPage), timeout=TIMEOUT_MS)
    page = window.pages.currentWidget()
    assert isinstance(page, ReviewPage)
    assert page.case is not None
    assert page.case.policy is not None
    assert page.case.policy.text == POLICY
    keys.press(Qt.Key.Key_1)
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "review" in types(sample.id), timeout=TIMEOUT_MS)
    assert keys.count <= 4
    review = book().state(sample.id).reviews[0]
    assert (review.text("reviewer"), review.text("verdict")) == ("carla@example.com", "pass")
    qtbot.waitUntil(lambda: front(running, DutiesPage), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: duties(running).page.row_of("review") is None, timeout=TIMEOUT_MS)
    folder = next(book().root.glob(f"incidents/*/{sample.id}"))
    assert not [f for f in verify_record(folder) if f.severity.value == "error"]


def test_in_a_narrow_window_the_chip_keeps_its_number_and_its_name(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    write(knowledge, hours=24 * 14)
    running = start(knowledge, who="ben@example.com", width=1000)
    chip = duties(running).chip
    qtbot.waitUntil(lambda: chip.text() == "2", timeout=TIMEOUT_MS)
    assert "2 overdue" in chip.accessibleName()


def test_author_and_deployer_see_the_review_greyed_with_the_reason(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    sample = write(knowledge, hours=21, is_reviewed=False, is_closed=False)
    running = start(knowledge, who=sample.author)
    keys = Keys(running)
    keys.press(Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(duties(running).page.rows.hasFocus, timeout=TIMEOUT_MS)
    row = duties(running).page.row_of("review")
    assert row is not None
    assert "author" in row.barred
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: front(running, ReviewPage), timeout=TIMEOUT_MS)
    page = running.window.pages.currentWidget()
    assert isinstance(page, ReviewPage)
    assert "author" in page.barred.text()
    assert page.barred.isVisible()
    assert not page.record.isEnabled()
    assert not page.choice.isEnabled()
    keys.press(Qt.Key.Key_1)
    page.give()
    qtbot.wait(100)
    assert "review" not in types(sample.id)
    keys.press(Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: front(running, DutiesPage), timeout=TIMEOUT_MS)


def test_a_verdict_with_a_follow_up_names_it_and_its_owner(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    sample = write(knowledge, hours=21, is_reviewed=False, is_closed=False)
    running = start(knowledge, who="carla@example.com")
    duties(running).review(sample.id, sample.change)
    qtbot.waitUntil(lambda: front(running, ReviewPage), timeout=TIMEOUT_MS)
    page = running.window.pages.currentWidget()
    assert isinstance(page, ReviewPage)
    keys = Keys(running)
    keys.press(Qt.Key.Key_2)
    keys.press(Qt.Key.Key_Return)
    assert page.problem.text() == "Say what is still to be done"
    keys.type("cover it with a test")
    keys.press(Qt.Key.Key_Tab)
    keys.type("ben@example.com")
    keys.press(Qt.Key.Key_Tab)
    keys.type("5d")
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "review" in types(sample.id), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: len(book().state(sample.id).followups) == 3, timeout=TIMEOUT_MS)
    opened = book().state(sample.id).followups[-1]
    assert (opened.text, opened.owner) == ("cover it with a test", "ben@example.com")
    assert opened.due is not None


def test_the_follow_up_owner_ticks_that_the_mitigation_is_removed(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    sample = write(knowledge, hours=24 * 14)
    running = start(knowledge, who="ben@example.com")
    assert duties(running).chip.text() == "2 overdue"
    assert duties(running).chip.property("tone") == "danger"
    keys = Keys(running)
    keys.press(Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    page = duties(running).page
    qtbot.waitUntil(page.rows.hasFocus, timeout=TIMEOUT_MS)
    texts = [row.text for row in page.rows.duties.rows]
    assert "The mitigation is still in place: take the 50 GB back once the slot is gone" in texts
    while (
        page.rows.current_row is None or page.rows.current_row.item != page.row_of("mitigation-in-place").item
    ):
        keys.press(Qt.Key.Key_Down)
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
    sheet = sheet_of(running)
    assert sheet is not None
    keys.press(Qt.Key.Key_Return)
    assert sheet.problem == "Tick that the mitigation is removed"
    assert isinstance(running.window.focusWidget(), QCheckBox)
    keys.press(Qt.Key.Key_Space)
    keys.press(Qt.Key.Key_Return)
    assert sheet.problem == "Name the signal that shows it"
    keys.press(Qt.Key.Key_Tab)
    keys.type("volume back at 100 GB, error rate unchanged")
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet_of(running) is None, timeout=TIMEOUT_MS)
    assert keys.count <= 10, "two of them were wrong on purpose"
    closed = next(f for f in book().state(sample.id).followups if f.kind == "remove-mitigation")
    assert closed.closed_at is not None
    assert closed.signal == "volume back at 100 GB, error rate unchanged"
    qtbot.waitUntil(lambda: page.row_of("mitigation-in-place") is None, timeout=TIMEOUT_MS)


def test_closing_while_the_mitigation_stands_asks_for_a_reason_and_it_stays_listed(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    sample = write(knowledge, hours=2, is_reviewed=False, is_closed=False)
    running = start(knowledge, who="ana@example.com")
    current = running.window.feature(IncidentFeature).current
    current.take_up(sample.id)
    qtbot.waitUntil(lambda: current.name == sample.id, timeout=TIMEOUT_MS)
    running.window.actions_table[ActionId.CLOSE_INCIDENT].trigger()
    qtbot.waitUntil(lambda: front(running, ClosingPage), timeout=TIMEOUT_MS)
    page = running.window.pages.currentWidget()
    assert isinstance(page, ClosingPage)
    keys = Keys(running)
    assert page.entry.text() == "pg-inactive-slot-fills-wal"
    assert not page.close_button.isEnabled()
    qtbot.waitUntil(page.entry.hasFocus, timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "knowledge" in types(sample.id), timeout=TIMEOUT_MS)
    qtbot.waitUntil(page.reason.hasFocus, timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_Return)
    assert page.problem.text() == "Say in a line why it is closed all the same"
    keys.type("the volume goes back on Monday")
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: book().state(sample.id).status == "closed", timeout=TIMEOUT_MS)
    assert book().state(sample.id).seals[0].text("reason") == "the volume goes back on Monday"
    qtbot.waitUntil(lambda: front(running, DutiesPage), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: current.state is None, timeout=TIMEOUT_MS)
    listed = duties(running).page
    qtbot.waitUntil(lambda: listed.row_of("mitigation-in-place") is not None, timeout=TIMEOUT_MS)
    assert listed.row_of("review") is not None


def test_add_what_we_learned_opens_the_editor_prefilled(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    sample = write(knowledge, hours=2, is_reviewed=False, is_closed=False)
    running = start(knowledge, who="ana@example.com")
    duties(running).close_incident(sample.id)
    qtbot.waitUntil(lambda: front(running, ClosingPage), timeout=TIMEOUT_MS)
    page = running.window.pages.currentWidget()
    assert isinstance(page, ClosingPage)
    page.learn.click()
    qtbot.waitUntil(lambda: not front(running, ClosingPage), timeout=TIMEOUT_MS)
    texts = [w.toPlainText() for w in running.window.findChildren(QWidget) if hasattr(w, "toPlainText")]
    assert any("df -h /var/lib/postgresql" in text and "- Time: 17m" in text for text in texts)
    assert page.how.value == "add"
    assert page.entry.text() == "checkout-is-down-pg-wal-fills-the-disk"


def test_the_customer_safe_text_holds_only_what_a_customer_may_read(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge, who="ana@example.com")
    window = running.window
    window.open_entry(EntryRef("runbooks", "uploads.md"))
    qtbot.waitUntil(lambda: running.desk.current is not None, timeout=TIMEOUT_MS)
    keys = Keys(running)
    keys.press(Qt.Key.Key_C, Qt.KeyboardModifier.ShiftModifier)
    text = QGuiApplication.clipboard().text()
    assert "Uploads above 1 MB answer 413." in text
    assert "Raise the limit" in text
    assert "internal gateway log" not in text
    window.open_entry(EntryRef("runbooks", "downloads.md"))
    qtbot.waitUntil(lambda: running.desk.current.ref.path == "downloads.md", timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_C, Qt.KeyboardModifier.ShiftModifier)
    assert QGuiApplication.clipboard().text() == text, "nothing was copied"
    assert window.messages.current is not None
    assert "is for internal readers only" in window.messages.current.text


def test_the_incident_is_copied_for_the_ticket_in_two_keys_and_rich_text_renders(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    sample = write(knowledge, hours=2, is_closed=False)
    running = start(knowledge, who="ana@example.com")
    current = running.window.feature(IncidentFeature).current
    current.take_up(sample.id)
    qtbot.waitUntil(lambda: current.name == sample.id, timeout=TIMEOUT_MS)
    running.window.results.list.setFocus()
    keys = Keys(running)
    export = running.window.feature(ExportFeature)

    def is_ready() -> bool:
        return export.sheet is not None and bool(export.sheet.text)

    keys.press(Qt.Key.Key_T)
    qtbot.waitUntil(is_ready, timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: export.sheet is None, timeout=TIMEOUT_MS)
    assert keys.count == 2
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("## Checkout is down")
    assert "| time (UTC) | who | what |" in copied
    keys.press(Qt.Key.Key_T)
    qtbot.waitUntil(is_ready, timeout=TIMEOUT_MS)
    assert export.sheet is not None
    keys.press(Qt.Key.Key_3)
    keys.press(Qt.Key.Key_H)
    qtbot.waitUntil(lambda: export.sheet.choice.form.value == "html" and is_ready(), timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: export.sheet is None, timeout=TIMEOUT_MS)
    data = QGuiApplication.clipboard().mimeData()
    assert data.hasHtml()
    assert "<h2>Handover: Checkout is down" in data.html()
    assert running.desk.session.state.export == "handover/html"


def test_the_timeline_is_read_by_keys_and_an_event_is_corrected(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    sample = write(knowledge, hours=2, is_closed=False)
    running = start(knowledge, who="ana@example.com")
    keys = Keys(running)
    keys.press(Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: front(running, TimelinePage), timeout=TIMEOUT_MS)
    page = running.window.feature(TimelineFeature).page
    qtbot.waitUntil(lambda: page.shown is not None and page.events.hasFocus(), timeout=TIMEOUT_MS)
    assert "pg_wal" in page.title.text()
    page.picture.canvas.setFocus()
    keys.press(Qt.Key.Key_Home)
    keys.press(Qt.Key.Key_Right)
    assert page.events.current_moment == 1, "the list follows the picture"
    keys.press(Qt.Key.Key_Plus)
    assert page.picture.zoom > 1
    keys.press(Qt.Key.Key_0)
    assert page.picture.zoom == 1
    moments = page.shown.state.moments
    note = next(n for n, m in enumerate(moments) if m.event.text("text").startswith("storage team"))
    page.events.setFocus()
    page.events.select_moment(note)
    assert page.picture.canvas.selection == note, "the picture follows the list"
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
    keys.type("the quota was raised by 60 GB")
    keys.press(Qt.Key.Key_Return)
    assert sheet_of(running).problem == "Say why it was wrong"
    sheet_of(running).reason.setFocus()
    keys.type("it was 60")
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet_of(running) is None, timeout=TIMEOUT_MS)
    state = book().state(sample.id)
    corrected = next(
        m for m in state.moments if m.corrected_by is not None and m.event.type == EventType.NOTE
    )
    assert corrected.data.text("text") == "the quota was raised by 60 GB"
    assert corrected.event.text("text") == "storage team raised the quota by 50 GB"
    qtbot.waitUntil(lambda: len(page.shown.state.moments) == len(state.moments), timeout=TIMEOUT_MS)


def test_a_hand_over_is_recorded_and_its_summary_is_on_the_clipboard(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    sample = write(knowledge, hours=2, is_closed=False)
    running = start(knowledge, who="ana@example.com")
    running.window.feature(TimelineFeature).show(sample.id)
    page = running.window.feature(TimelineFeature).page
    qtbot.waitUntil(lambda: page.shown is not None and page.events.hasFocus(), timeout=TIMEOUT_MS)
    keys = Keys(running)
    keys.press(Qt.Key.Key_W)
    qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
    keys.type("dmitri@example.com")
    keys.press(Qt.Key.Key_Tab)
    keys.type("watch pg_wal")
    keys.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: types(sample.id).count("handover") == 2, timeout=TIMEOUT_MS)
    qtbot.waitUntil(
        lambda: QGuiApplication.clipboard().text().startswith("## Handover: Checkout"), timeout=TIMEOUT_MS
    )


def test_the_support_engineer_links_the_ticket_in_two_keys_and_a_paste(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge, who="ana@example.com")
    window = running.window
    window.open_entry(EntryRef("runbooks", "uploads.md"))
    qtbot.waitUntil(lambda: running.desk.current is not None, timeout=TIMEOUT_MS)
    window.reading.focus_page()
    QGuiApplication.clipboard().setText("SUP-1234")
    keys = Keys(running)
    keys.press(Qt.Key.Key_L)
    qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: any(state.knowledge for state in book().states()), timeout=TIMEOUT_MS)
    assert keys.count <= 4
    [state] = book().states()
    assert state.ticket == "SUP-1234"
    assert [event.text("entry") for event in state.knowledge] == ["uploads"]
    current = window.feature(IncidentFeature).current
    qtbot.waitUntil(lambda: current.name == state.id, timeout=TIMEOUT_MS)
    QGuiApplication.clipboard().setText("a paste of several words is no ticket")
    keys.press(Qt.Key.Key_L)
    qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_Return)
    assert sheet_of(running).problem == "Give its id or its address"
    keys.type("https://tickets.example.com/browse/SUP-99")
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: book().state(state.id).tracker.endswith("SUP-99"), timeout=TIMEOUT_MS)


@pytest.mark.parametrize(
    ("key", "kind"), [(Qt.Key.Key_M, EventType.MITIGATED), (Qt.Key.Key_X, EventType.FIXED)]
)
def test_mitigated_and_fixed_ask_for_the_signal_that_proves_it(
    start: Open, knowledge: Path, qtbot: QtBot, key: Qt.Key, kind: EventType
) -> None:
    running = start(knowledge, who="ana@example.com")
    name = book().open({"title": "checkout is down"}).place.id
    current = running.window.feature(IncidentFeature).current
    current.take_up(name)
    qtbot.waitUntil(lambda: current.name == name, timeout=TIMEOUT_MS)
    running.window.results.list.setFocus()
    keys = Keys(running)
    keys.press(key)
    qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
    keys.press(Qt.Key.Key_Return)
    assert sheet_of(running).problem == "Name the signal that you looked at"
    keys.type("error rate below 1 % for 5 min")
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: kind in types(name), timeout=TIMEOUT_MS)
    qtbot.waitUntil(running.window.results.list.hasFocus, timeout=TIMEOUT_MS)
    assert book().state(name).status == kind.value


def test_what_proves_it_is_hinted_by_the_entry_of_the_incident_not_by_the_open_one(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    steps = "# {0}\n\n## Fix forward\n1. Raise the limit of {0}.\n   - Verify: {0} answers 200\n"
    for word in ("alpha", "beta"):
        (knowledge / f"{word}.md").write_text(steps.format(word))
    running = start(knowledge, who="ana@example.com")
    name = book().open({"title": "alpha is down"}).place.id
    current = running.window.feature(IncidentFeature).current
    current.take_up(name)
    qtbot.waitUntil(lambda: current.name == name, timeout=TIMEOUT_MS)
    running.window.open_entry(EntryRef(knowledge.name, "beta.md"))
    qtbot.waitUntil(lambda: running.desk.current is not None, timeout=TIMEOUT_MS)
    keys = Keys(running)

    def hinted(text: str) -> None:
        running.window.results.list.setFocus()
        keys.press(Qt.Key.Key_X)
        qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
        signal = sheet_of(running).signal
        qtbot.waitUntil(lambda: text in signal.placeholderText(), timeout=TIMEOUT_MS)
        keys.press(Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: sheet_of(running) is None, timeout=TIMEOUT_MS)

    hinted("beta answers 200")  # the record names no entry yet
    book().add(name, EventType.ENTRY_USED, {"entry": "alpha", "result": "worked"})
    hinted("alpha answers 200")
    action = {"path": "Fix forward", "result": "started", "way": "fix", "entry": "beta"}
    book().add(name, EventType.ACTION, action)
    book().add(name, EventType.ENTRY_USED, {"entry": "alpha", "result": "worked"})
    hinted("beta answers 200")  # whose steps were taken


def test_a_missing_decision_is_written_down_as_a_late_entry_from_what_is_owed(
    start: Open, knowledge: Path, qtbot: QtBot
) -> None:
    running = start(knowledge, who="ana@example.com")
    name = book().open({"title": "checkout is down", "severity": "sev1"}).place.id
    deploy = {"change": "abc123", "env": "production", "author": "ben", "deployer": "ana", "way": "fix"}
    hour = dt.timedelta(hours=1)
    book().add(name, EventType.DEPLOY, deploy, at=dt.datetime.now(dt.UTC) - hour)
    feature = duties(running)
    feature.show()
    qtbot.waitUntil(lambda: feature.page.row_of("decision") is not None, timeout=TIMEOUT_MS)
    rows = feature.page.rows
    rows._choose(rows.duties.rows.index(feature.page.row_of("decision")))
    rows.setFocus()
    keys = Keys(running)
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
    sheet = sheet_of(running)
    assert sheet.late.deploy.change == "abc123"
    assert not sheet.reason.isVisible()  # as advised
    keys.press(Qt.Key.Key_Return)
    assert sheet.problem == "Say why it is written down only now"
    sheet.chosen.choose("contain")
    assert sheet.reason.isVisible()
    sheet.chosen.choose("fix-forward")
    assert not sheet.reason.isVisible()
    keys.type("the app was offline")
    keys.press(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "decision" in types(name), timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: sheet_of(running) is None, timeout=TIMEOUT_MS)
    [event] = book().state(name).decisions
    assert event.is_late
    assert event.text("late_reason") == "the app was offline"
    qtbot.waitUntil(lambda: feature.page.row_of("decision") is None, timeout=TIMEOUT_MS)


def test_a_note_is_written_while_something_else_is_read(start: Open, knowledge: Path, qtbot: QtBot) -> None:
    running = start(knowledge, who="ana@example.com")
    name = book().open({"title": "checkout is down"}).place.id
    current = running.window.feature(IncidentFeature).current
    current.take_up(name)
    qtbot.waitUntil(lambda: current.name == name, timeout=TIMEOUT_MS)
    keys = Keys(running)
    keys.press(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: sheet_of(running) is not None, timeout=TIMEOUT_MS)
    keys.type("customers in cell 3 only")
    keys.press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: "note" in types(name), timeout=TIMEOUT_MS)
    assert book().state(name).moments[-1].data.text("text") == "customers in cell 3 only"


@pytest.mark.parametrize("width", [1280, 1440])
def test_every_control_of_the_aftermath_has_a_name(
    start: Open, knowledge: Path, qtbot: QtBot, width: int
) -> None:
    sample = write(knowledge, hours=21, is_reviewed=False, is_closed=False)
    running = start(knowledge, who="carla@example.com", width=width)
    window = running.window
    timeline, export = window.feature(TimelineFeature), window.feature(ExportFeature)
    shows: list[tuple[Callable[[], None], Callable[[], bool]]] = [
        (lambda: timeline.show(sample.id), lambda: front(running, TimelinePage)),
        (duties(running).show, lambda: front(running, DutiesPage)),
        (lambda: duties(running).review(sample.id, sample.change), lambda: front(running, ReviewPage)),
        (lambda: duties(running).close_incident(sample.id), lambda: front(running, ClosingPage)),
        (lambda: export.show_review_draft(sample.id), lambda: front(running, TextPage)),
        (lambda: export.export(sample.id), lambda: export.sheet is not None and bool(export.sheet.text)),
    ]
    for show, is_there in shows:
        show()
        qtbot.waitUntil(is_there, timeout=TIMEOUT_MS)
        nameless = [
            f"{type(widget).__name__} {widget.objectName()}"
            for widget in window.findChildren(QWidget)
            if widget.isVisible()
            and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and not (QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name) or "").strip()
        ]
        assert nameless == []
