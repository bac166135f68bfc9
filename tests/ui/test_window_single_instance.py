from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from pytestqt.qtbot import QtBot

from kb_app.ui.single_instance import SingleInstance, StartRequest

SECOND = """
import sys, pathlib
from PySide6.QtCore import QCoreApplication
from kb_app.ui.single_instance import SingleInstance, StartRequest
app = QCoreApplication([])
instance = SingleInstance(pathlib.Path(sys.argv[1]))
if instance.is_first():
    print("first")
else:
    print("handed over" if instance.hand_over(StartRequest(("/a",), "pasted\\nlog")) else "refused")
"""


def start_second(folder: Path, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SECOND, str(folder)], cwd=root, stdout=subprocess.PIPE, text=True
    )


def test_a_second_start_hands_its_request_to_the_first(tmp_path: Path, root: Path, qtbot: QtBot) -> None:
    first = SingleInstance(tmp_path)
    assert first.is_first()
    first.listen()
    with qtbot.waitSignal(first.requested, timeout=60_000) as caught:
        second = start_second(tmp_path, root)
    output, _ = second.communicate(timeout=20)
    assert output.strip() == "handed over"
    assert caught.args == [StartRequest(("/a",), "pasted\nlog")]
    first.close()


def test_after_the_first_has_ended_the_next_start_is_first(tmp_path: Path, root: Path, qtbot: QtBot) -> None:
    first = SingleInstance(tmp_path)
    assert first.is_first()
    first.close()
    output, _ = start_second(tmp_path, root).communicate(timeout=20)
    assert output.strip() == "first"


def test_another_home_is_another_window(tmp_path: Path, qtbot: QtBot) -> None:
    one, other = SingleInstance(tmp_path / "one"), SingleInstance(tmp_path / "other")
    assert one.is_first()
    assert other.is_first()
    one.close()
    other.close()


@pytest.mark.expects_warnings
def test_a_folder_that_cannot_hold_a_lock_still_opens_a_window(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "file").write_text("")
    assert SingleInstance(tmp_path / "file" / "below").is_first()


@pytest.mark.parametrize("text", ["nonsense\n", "[]\n", json.dumps({"bases": 1}) + "\n"])
def test_nonsense_on_the_socket_is_refused(tmp_path: Path, qtbot: QtBot, text: str) -> None:
    first = SingleInstance(tmp_path)
    assert first.is_first()
    first.listen()
    requests: list[StartRequest] = []
    first.requested.connect(requests.append)
    socket = QLocalSocket()
    socket.connectToServer(first.name)
    assert socket.waitForConnected(2_000)
    socket.write(text.encode())
    qtbot.waitUntil(lambda: socket.bytesAvailable() > 0, timeout=60_000)
    assert socket.readAll().data() == b"no\n"
    assert requests == []
    socket.disconnectFromServer()
    first.close()
