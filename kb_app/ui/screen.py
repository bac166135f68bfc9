"""Whether there is a screen to open a window on.

Qt ends the process when no platform plug-in starts, with ten lines that help nobody. With the plug-in
``offscreen`` last in its list it always starts; whoever finds it chosen knows that there is no screen.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

VARIABLE = "QT_QPA_PLATFORM"
LAST_RESORT = "offscreen"
NO_SCREEN = (
    "kb_app: the window needs a screen, and none could be opened{reason}. "
    "Start it in a desktop session, or use the command line: kb search WORDS\n"
)


def platforms_to_try(environment: Mapping[str, str], system: str) -> str:
    """Return what to set `VARIABLE` to, or an empty text when Qt should choose alone.

    Qt's own order is kept: the session's kind first, then the other one that is there.

    Args:
        environment: the process environment.
        system: ``sys.platform``.
    """
    if environment.get(VARIABLE) or not system.startswith("linux"):
        return ""
    names = ["xcb"] if environment.get("DISPLAY") else []
    if environment.get("WAYLAND_DISPLAY"):
        is_first = environment.get("XDG_SESSION_TYPE") == "wayland"
        names.insert(0 if is_first else len(names), "wayland")
    return ";".join([*names, LAST_RESORT])


def open_screen() -> QApplication | None:
    """Return the new application object, or None after one sentence on standard error."""
    wanted = platforms_to_try(os.environ, sys.platform)
    if not wanted:
        return QApplication(sys.argv[:1])
    told: list[str] = []

    def take(_kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        told.append(text)

    os.environ[VARIABLE] = wanted
    previous = qInstallMessageHandler(take)
    try:
        app = QApplication(sys.argv[:1])
    finally:
        qInstallMessageHandler(previous)
        del os.environ[VARIABLE]  # programs started from here choose for themselves
    if app.platformName() != LAST_RESORT:
        return app
    sys.stderr.write(NO_SCREEN.format(reason=_reason(told)))
    return None


def _reason(told: list[str]) -> str:
    """Return why in brackets: a missing library is something the user can mend."""
    if any("could not connect to display" in text for text in told):
        return f" (no answer from the display {os.environ.get('DISPLAY', '')!r})"
    if any("xcb-cursor0" in text for text in told):
        return " (libxcb-cursor0 is missing: sudo apt-get install libxcb-cursor0)"
    return ""
