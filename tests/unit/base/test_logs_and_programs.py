import logging
import os
from pathlib import Path

import pytest

from kb_app.logs import redact, start_logging, visible
from kb_app.programs import clean_environment, find_program


@pytest.mark.parametrize(
    "text",
    [
        "https://ana:CANARY@example.com/x.git",
        "https://CANARY@example.com/x.git",
        "\x1b[31mhttps://ana:CANARY@example.com",
        "GET /x?private_token=CANARY&a=1",
        "Authorization: Bearer CANARY",
        '"password": "CANARY"',
        "api_key=CANARY",
    ],
)
def test_secrets_never_reach_the_log(text: str) -> None:
    assert "CANARY" not in redact(text)


def test_ordinary_text_is_left_alone() -> None:
    text = "fetch https://example.com/x.git: token expired at 12:00, mail ana@example.com"
    assert redact(text) == text


def test_control_and_direction_characters_become_visible() -> None:
    assert visible("a\x1b[31m\u202eb\n") == "a\\u001b[31m\\u202eb\\u000a"


def test_one_record_stays_one_line(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    start_logging(tmp_path, process="test")
    logging.getLogger("kb_app.test").info("forged\n2025-01-01 line with token=CANARY")
    added = [h for h in root.handlers if h not in before]
    for handler in added:
        handler.close()
        root.removeHandler(handler)
    text = (tmp_path / "test.log").read_text()
    assert "CANARY" not in text
    assert all(line.startswith("    ") for line in text.splitlines()[1:])


def test_a_program_is_found_by_absolute_entries_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = tmp_path / "git"
    planted.write_text("#!/bin/sh\n")
    planted.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    assert find_program("git", {"PATH": f".{os.pathsep}{os.pathsep}bin"}) is None
    assert find_program("git", {"PATH": f".{os.pathsep}{tmp_path}"}) == planted


def test_a_frozen_build_hides_its_libraries_from_other_programs() -> None:
    environment = {"LD_LIBRARY_PATH": "/bundle", "GIT_DIR": "/x", "PATH": "/bin"}
    assert clean_environment(environment, is_frozen=True) == {"PATH": "/bin", "LC_ALL": "C.UTF-8"}
    original = clean_environment(environment | {"LD_LIBRARY_PATH_ORIG": "/mine"}, is_frozen=True)
    assert original["LD_LIBRARY_PATH"] == "/mine"
    assert clean_environment(environment, is_frozen=False)["LD_LIBRARY_PATH"] == "/bundle"


@pytest.mark.parametrize("text", ["a" * 200_000, "token=" * 40_000, "x://" * 50_000, "a://b" * 40_000])
@pytest.mark.timeout(10)
def test_a_long_line_is_cleaned_in_bounded_time(text: str) -> None:
    assert redact(text)
