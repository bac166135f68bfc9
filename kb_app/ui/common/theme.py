"""The switch between light and dark, and everything the application is given with it.

One `Theme` lives below the `QApplication`. It sets style, palette, font and style sheet, and emits
``changed`` afterwards; painted parts and icons then ask for their colours again.

Decision: the palette is our own on every platform. ``QStyleHints.setColorScheme`` does nothing on bare X11,
with KDE's platform theme and offscreen, so it is told only for the sake of native title bars; what the system
says is followed through ``colorSchemeChanged`` when the user chose "system".
"""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from kb_app.ui.common.fonts import register_fonts, ui_font, without_ligatures
from kb_app.ui.common.style import register_control_images, stylesheet
from kb_app.ui.common.tokens import DARK, LIGHT, Tokens

__all__ = ["DARK", "LIGHT", "Theme", "ThemeChoice", "Tokens"]


class ThemeChoice(StrEnum):
    """What the user chose in the settings."""

    LIGHT = "light"
    DARK = "dark"
    SYSTEM = "system"


class Theme(QObject):
    """The application's colours.

    Make one at start (``Theme(app, ThemeChoice.SYSTEM)``); everything else asks ``Theme.current()``.

    Signals:
        changed: palette and style sheet have been set, ``tokens`` holds the new colours.
    """

    changed = Signal()

    def __init__(self, app: QApplication, choice: ThemeChoice = ThemeChoice.SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self._choice = choice
        self._tokens = self._wanted()
        register_fonts()
        register_control_images()
        app.setStyle("Fusion")
        app.setFont(without_ligatures(ui_font(13)))  # what the style sheet sets in mono inherits it
        app.styleHints().colorSchemeChanged.connect(self._on_color_scheme_changed)
        self._apply()

    @staticmethod
    def current() -> Theme:
        """Return the running application's theme, making a light one when there is none yet.

        Raises:
            RuntimeError: when no `QApplication` exists.
        """
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            raise RuntimeError("a theme needs a QApplication")  # noqa: TRY004 - a missing object, not a wrong type
        # Not children(): wrapping every child of the application costs 45 ms at the first call.
        found = app.findChild(Theme, options=Qt.FindChildOption.FindDirectChildrenOnly)
        return found if isinstance(found, Theme) else Theme(app, ThemeChoice.LIGHT)

    @property
    def tokens(self) -> Tokens:
        """The colours in use."""
        return self._tokens

    @property
    def choice(self) -> ThemeChoice:
        """What the user chose."""
        return self._choice

    def color(self, token: str) -> QColor:
        """Return the colour called ``token``.

        Raises:
            KeyError: when no colour has that name.
        """
        return QColor(self._tokens.color(token))

    def set_choice(self, choice: ThemeChoice) -> None:
        """Use ``choice`` from now on; does nothing when the colours stay the same."""
        self._choice = choice
        hints = self._app.styleHints()
        schemes = {ThemeChoice.LIGHT: Qt.ColorScheme.Light, ThemeChoice.DARK: Qt.ColorScheme.Dark}
        hints.setColorScheme(schemes.get(choice, Qt.ColorScheme.Unknown))
        self._follow()

    def toggle(self) -> ThemeChoice:
        """Switch between light and dark and return the new choice."""
        self.set_choice(ThemeChoice.LIGHT if self._tokens.is_dark else ThemeChoice.DARK)
        return self._choice

    def _wanted(self) -> Tokens:
        if self._choice is ThemeChoice.SYSTEM:
            dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
            return DARK if dark else LIGHT
        return DARK if self._choice is ThemeChoice.DARK else LIGHT

    def _on_color_scheme_changed(self) -> None:
        self._follow()

    def _follow(self) -> None:
        wanted = self._wanted()
        if wanted != self._tokens:
            self._tokens = wanted
            self._apply()

    def _apply(self) -> None:
        self._app.setPalette(palette(self._tokens))
        self._app.setStyleSheet(stylesheet(self._tokens))
        self.changed.emit()


def palette(tokens: Tokens) -> QPalette:
    """Return the palette for ``tokens``; parts the style sheet does not reach take their colour from it."""
    roles = QPalette.ColorRole
    result = QPalette()
    for role, token in (
        (roles.Window, "chrome"),
        (roles.WindowText, "text"),
        (roles.Base, "surface"),
        (roles.AlternateBase, "surface2"),
        (roles.Text, "text"),
        (roles.Button, "surface"),
        (roles.ButtonText, "text"),
        (roles.BrightText, "danger"),
        (roles.ToolTipBase, "surface"),
        (roles.ToolTipText, "text"),
        (roles.PlaceholderText, "text3"),
        (roles.Highlight, "accent_fill"),
        (roles.HighlightedText, "on_accent"),
        (roles.Link, "accent"),
        (roles.LinkVisited, "accent"),
        (roles.Light, "surface"),
        (roles.Midlight, "hover"),
        (roles.Mid, "border"),
        (roles.Dark, "outline"),
        (roles.Shadow, "border"),
        (roles.Accent, "accent_fill"),
    ):
        result.setColor(role, QColor(tokens.color(token)))
    faded = QColor(tokens.text3)
    faded.setAlpha(160)
    for role in (roles.Text, roles.ButtonText, roles.WindowText):
        result.setColor(QPalette.ColorGroup.Disabled, role, faded)
    return result
