"""Light, dark, and what follows a switch between them."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QImage, QPainter, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from kb_app.ui.common.fonts import MONO_FAMILY, UI_FAMILY, has_bundled_fonts, mono_font, ui_font
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.style import CONTROL_IMAGES, set_property, stylesheet
from kb_app.ui.common.theme import DARK, LIGHT, Theme, ThemeChoice, Tokens


@pytest.fixture
def theme(qtbot: QtBot) -> Theme:
    current = Theme.current()
    current.set_choice(ThemeChoice.LIGHT)
    yield current
    current.set_choice(ThemeChoice.LIGHT)


def colors_in(widget: QWidget) -> set[str]:
    image = widget.grab().toImage()
    step = max(1, image.width() // 200)
    return {
        QColor(image.pixel(x, y)).name().upper()
        for x in range(0, image.width(), step)
        for y in range(image.height())
    }


def distance_of(image: QImage, color: str) -> int:
    """Return how far the image's least transparent pixel is from ``color``, 0 to 765."""
    points = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    found, wanted = max(points, key=QColor.alpha), QColor(color)
    pairs = ((found.red(), wanted.red()), (found.green(), wanted.green()), (found.blue(), wanted.blue()))
    return sum(abs(first - second) for first, second in pairs)


def test_there_is_one_theme_for_the_application(theme: Theme) -> None:
    assert Theme.current() is theme


def test_switching_tells_once_and_changes_palette_and_tokens(theme: Theme, qtbot: QtBot) -> None:
    with qtbot.waitSignal(theme.changed):
        theme.set_choice(ThemeChoice.DARK)
    assert theme.tokens == DARK
    label = QLabel()
    qtbot.addWidget(label)
    assert label.palette().color(QPalette.ColorRole.Window).name().upper() == DARK.chrome


def test_choosing_the_same_theme_again_tells_nothing(theme: Theme, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_choice(ThemeChoice.LIGHT)


def test_system_choice_follows_the_desktop(theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    theme.set_choice(ThemeChoice.SYSTEM)
    assert theme.tokens == LIGHT  # offscreen the desktop says nothing
    monkeypatch.setattr(theme, "_wanted", lambda: DARK)
    theme._app.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.tokens == DARK
    monkeypatch.undo()
    theme._follow()
    assert theme.tokens == LIGHT


def test_toggle_goes_there_and_back(theme: Theme) -> None:
    assert theme.toggle() is ThemeChoice.DARK
    assert theme.toggle() is ThemeChoice.LIGHT


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
def test_style_sheet_fills_every_placeholder_and_writes_only_theme_colours(tokens: Tokens) -> None:
    sheet = stylesheet(tokens)
    assert "$" not in sheet
    known = {tokens.color(name) for name in tokens.__slots__ if name != "name"}
    assert set(re.findall(r"#[0-9A-Fa-f]{6}", sheet)) <= known


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=lambda tokens: tokens.name)
def test_images_named_in_the_style_sheet_exist_in_the_theme_colours(tokens: Tokens, root) -> None:
    names = set(re.findall(rf"{CONTROL_IMAGES}:([\w/.-]+)", stylesheet(tokens)))
    assert names
    for name in names:
        text = (root / "resources/icons/controls" / name).read_text()
        used = set(re.findall(r"#[0-9A-Fa-f]{6}", text))
        expected = tokens.text2 if "/" in name else tokens.on_accent
        assert used == {expected}, name


@pytest.mark.parametrize("choice", [ThemeChoice.LIGHT, ThemeChoice.DARK])
def test_focus_is_a_ring_of_two_accent_pixels_on_every_control(
    theme: Theme, qtbot: QtBot, choice: ThemeChoice
) -> None:
    theme.set_choice(choice)
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    controls = [QLineEdit(), QPushButton("Plain"), QCheckBox("Check")]
    for role in ("ghost", "tab", "row", "link"):
        button = QPushButton(role)
        button.setProperty("role", role)
        controls.append(button)
    for control in controls:
        layout.addWidget(control)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    accent = theme.tokens.accent
    for control in controls:
        control.setFocus(Qt.FocusReason.TabFocusReason)
        image = control.grab().toImage()
        column = [QColor(image.pixel(0, y)).name().upper() for y in range(image.height())]
        row = [QColor(image.pixel(x, image.height() // 2)).name().upper() for x in (0, 1)]
        assert accent in column, control
        assert row == [accent, accent], control


def test_size_of_a_control_does_not_change_with_focus(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    edit, button = QLineEdit("x"), QPushButton("x")
    layout.addWidget(edit)
    layout.addWidget(button)
    window.show()
    button.setFocus()
    resting = edit.sizeHint()
    edit.setFocus()
    focused_button = button.sizeHint()
    assert edit.sizeHint() == resting
    button.setFocus()
    assert button.sizeHint() == focused_button


@pytest.mark.parametrize("choice", [ThemeChoice.LIGHT, ThemeChoice.DARK])
def test_surfaces_are_painted_in_their_colour(theme: Theme, qtbot: QtBot, choice: ThemeChoice) -> None:
    theme.set_choice(choice)
    for name in ("chrome", "surface"):
        panel = QWidget()
        qtbot.addWidget(panel)
        panel.setProperty("surface", name)
        panel.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        panel.resize(60, 40)
        assert colors_in(panel) == {theme.tokens.color(name)}


def test_a_changed_property_changes_the_look(theme: Theme, qtbot: QtBot) -> None:
    label = QLabel("42")
    qtbot.addWidget(label)
    label.setProperty("chip", "true")
    set_property(label, "tone", "fix")
    assert theme.tokens.fix_bg in colors_in(label)
    set_property(label, "tone", "danger")
    assert theme.tokens.danger_bg in colors_in(label)


def test_menus_and_scroll_bars_are_ours(theme: Theme, qtbot: QtBot) -> None:
    area = QScrollArea()
    qtbot.addWidget(area)
    inside = QWidget()
    inside.resize(50, 4000)
    area.setWidget(inside)
    area.resize(120, 200)
    area.show()
    assert area.verticalScrollBar().width() == 10
    menu = QMenu()
    qtbot.addWidget(menu)
    menu.addAction("One")
    assert theme.tokens.surface in colors_in(menu)


def test_bundled_fonts_are_used_at_each_weight(theme: Theme) -> None:
    assert has_bundled_fonts()
    for weight in (400, 500, 600):
        info = QFontInfo(ui_font(13, weight))
        assert (info.family(), info.weight()) == (UI_FAMILY, weight)
    assert QFontInfo(mono_font(12)).family() == MONO_FAMILY


def test_code_font_draws_every_character_by_itself(theme: Theme, qtbot: QtBot) -> None:
    def strokes(font: QFont) -> int:
        image = QImage(200, 80, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        with QPainter(image) as painter:
            painter.setFont(font)
            painter.drawText(10, 60, "-->")
        inked = [any(image.pixelColor(x, y).value() < 128 for y in range(80)) for x in range(200)]
        return sum(1 for left, right in pairwise(inked) if right and not left)

    assert strokes(mono_font(40)) == 3
    joined = mono_font(40)
    joined.clearFeatures()
    assert strokes(joined) == 1


def test_code_set_by_the_style_sheet_has_no_ligatures_either(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    styled, plain = QLabel("-->", window), QLabel("-->", window)
    styled.setProperty("textstyle", "mono")
    plain.setFont(mono_font(12))
    for made in (styled, plain):
        made.adjustSize()
    window.show()
    assert styled.grab().toImage() == plain.grab().toImage()


def test_an_icon_bound_to_a_button_follows_the_theme(theme: Theme, qtbot: QtBot) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    bind_icon(button, "square", "danger", 16)

    def distance(color: str) -> int:
        return distance_of(button.icon().pixmap(160, 160).toImage(), color)

    assert distance(LIGHT.danger) < 4
    theme.set_choice(ThemeChoice.DARK)
    assert distance(DARK.danger) < 4
