"""The bundled fonts: Inter for words, JetBrains Mono for code.

Sizes are pixels because the whole window is laid out on a 4 px grid; a device's scale factor is Qt's
business. Hinting is off: text keeps its shape at every scale.
"""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontDatabase, QFontInfo
from PySide6.QtWidgets import QApplication

from kb_app.resources import resource

UI_FAMILY = "Inter"
MONO_FAMILY = "JetBrains Mono"
_FILES = (
    "fonts/inter/Inter-Regular.otf",
    "fonts/inter/Inter-Italic.otf",
    "fonts/inter/Inter-Medium.otf",
    "fonts/inter/Inter-SemiBold.otf",
    "fonts/jetbrains-mono/JetBrainsMono-Regular.ttf",
)
_REGISTERED = "kb_fonts_registered"


def register_fonts() -> bool:
    """Make the bundled fonts known to Qt, once for each application object.

    Returns:
        False when a file could not be read: Qt then takes the platform's own faces, and nothing else changes.
    """
    app = QApplication.instance()
    if app is None:
        return False
    known = app.property(_REGISTERED)
    if known is None:
        known = all(QFontDatabase.addApplicationFont(str(resource(name))) >= 0 for name in _FILES)
        app.setProperty(_REGISTERED, known)
    return bool(known)


def ui_font(pixels: float, weight: int = 400) -> QFont:
    """Return the font of the interface.

    Args:
        pixels: height, > 0; rounded to whole pixels.
        weight: 400, 500 or 600.
    """
    font = QFont([UI_FAMILY, "Segoe UI", "SF Pro Text", "Noto Sans", "DejaVu Sans"])
    font.setPixelSize(max(1, round(pixels)))
    font.setWeight(QFont.Weight(weight))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


def mono_font(pixels: float) -> QFont:
    """Return the font for code and commands, ``pixels`` high, without ligatures.

    A ligature would join ``--`` and ``=>`` into one stroke, which nobody can check before running a command.
    """
    font = QFont([MONO_FAMILY, "Cascadia Mono", "SF Mono", "DejaVu Sans Mono"])
    font.setPixelSize(max(1, round(pixels)))
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFixedPitch(True)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return without_ligatures(font)


def without_ligatures(font: QFont) -> QFont:
    """Return ``font`` drawing each character by itself; a document's default font hands this on."""
    result = QFont(font)
    for tag in ("calt", "liga"):
        result.setFeature(QFont.Tag(tag), 0)
    return result


def has_bundled_fonts() -> bool:
    """Tell whether text is really drawn with the bundled faces."""
    return QFontInfo(ui_font(13)).family() == UI_FAMILY and QFontInfo(mono_font(13)).family() == MONO_FAMILY
