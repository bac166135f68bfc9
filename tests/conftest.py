"""What every test gets: a home of its own, Qt offscreen, silence, and where the sample corpora lie."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The default deadline of 200 ms an example fails on a busy machine; a hang is caught by pytest's own timeout.
# The same examples on every run: a red suite is a change's doing. HYPOTHESIS_PROFILE=explore looks further.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parents[1]
os.environ["PYTHONPATH"] = str(ROOT)  # for the programs that tests start
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("KB_APP_HOME", str(home))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return home


@pytest.fixture(autouse=True)
def silence(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which something unexpected was logged; `expects_warnings` allows it."""
    records: list[logging.LogRecord] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    handler = Collector(level=logging.WARNING)
    logger = logging.getLogger("kb_app")
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
    if records and request.node.get_closest_marker("expects_warnings") is None:
        pytest.fail("unexpected log records: " + "; ".join(r.getMessage() for r in records))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Collect no garbage while a test of widgets runs, closing its widgets included; do it afterwards.

    A widget that only a test's local variable holds is garbage as soon as the test returns, but it still
    paints until it is closed; collecting it in the middle of its own paint, or on a job's thread, ends the
    process. `kb_app.ui.collector` takes the same care in the program.
    """
    if not {"qtbot", "qapp"} & set(getattr(item, "fixturenames", ())):
        return (yield)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect(1)
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def clipboard_ends_before_python() -> Iterator[None]:
    """Empty the clipboard at the end of a run: Qt's offscreen one outlives the interpreter."""
    yield
    if "PySide6.QtWidgets" in sys.modules:
        from PySide6.QtWidgets import QApplication  # tests without Qt do not load it

        from kb_app.ui.app import release_clipboard

        if QApplication.instance() is not None:
            release_clipboard()


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    if not SHARED.is_dir():
        pytest.skip("the sample corpora are not beside the repository")
    return SHARED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the known fixes whose failure a real server printed, that were found by it, and were repaired."""
    told: dict[str, set[str]] = {"found": set(), "used": set()}
    for report in (r for reports in terminalreporter.stats.values() for r in reports):
        for name, *entries in getattr(report, "user_properties", ()):
            if name in told:
                told[name].update(entries)
    proved = sorted(told["found"] & told["used"])
    if proved:
        terminalreporter.write_sep("=", f"{len(proved)} entries provoked, found and repaired on real servers")
        terminalreporter.write_line(", ".join(proved))
