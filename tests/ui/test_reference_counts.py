"""The binding must not lose references to the singletons.

PySide6 6.12.0 drops one reference to ``None`` (often ``True``) in nearly every call that returns it; Python
before 3.12 then ends the process after a few thousand calls. Short tests would pass and hide it.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

CALLS = 2_000
NOISE = 50


class Sender(QObject):
    told = Signal(bool)


def test_calls_into_qt_keep_the_references_to_none_and_true(qtbot: QtBot) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    sender = Sender()
    heard = []
    sender.told.connect(heard.append)
    before = sys.getrefcount(None), sys.getrefcount(True)
    for number in range(CALLS):
        label.setText(str(number))
        label.setVisible(False)
        sender.told.emit(True)
        heard.clear()
    after = sys.getrefcount(None), sys.getrefcount(True)
    assert after[0] >= before[0] - NOISE
    assert after[1] >= before[1] - NOISE
