"""The bundled icons: complete, tinted, sharp, and with their licences."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from pytestqt.qtbot import QtBot

from kb_app.ui.common.icons import has_icon, icon, icon_image, tinted_svg
from kb_app.ui.common.theme import Theme


def icon_names(root: Path) -> list[str]:
    return sorted(path.stem for path in (root / "resources/icons").glob("*.svg"))


def test_every_icon_is_well_formed_and_draws_something(qtbot: QtBot, root: Path) -> None:
    names = icon_names(root)
    assert len(names) > 50
    for name in names:
        ElementTree.fromstring(tinted_svg(name, "#112233"))
        image = icon_image(name, "#112233", 18)
        assert any(image.pixelColor(x, y).alpha() for x in range(18) for y in range(18)), name


def test_a_tinted_icon_holds_no_other_colour(root: Path) -> None:
    for name in icon_names(root):
        text = tinted_svg(name, "#112233")
        assert "currentColor" not in text
        assert set(re.findall(r"#[0-9A-Fa-f]{3,8}\b", text)) == {"#112233"}, name


def test_an_icon_has_all_pixels_on_a_screen_of_twice_the_density(qtbot: QtBot) -> None:
    pixmap = icon("search", "text2", 18).pixmap(QSize(18, 18), 2.0)
    assert (pixmap.width(), pixmap.devicePixelRatio()) == (36, 2.0)


def test_a_checked_button_shows_its_icon_in_the_other_colour(qtbot: QtBot) -> None:
    both = icon("square", "text2", 16, checked_color="accent")
    tokens = Theme.current().tokens
    for state, color in ((QIcon.State.On, tokens.accent), (QIcon.State.Off, tokens.text2)):
        image = both.pixmap(QSize(16, 16), QIcon.Mode.Normal, state).toImage()
        points = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
        found, wanted = max(points, key=QColor.alpha), QColor(color)
        assert abs(found.red() - wanted.red()) + abs(found.blue() - wanted.blue()) < 6


def test_the_same_icon_is_drawn_once(qtbot: QtBot) -> None:
    assert icon("search", "text2", 18).cacheKey() == icon("search", "text2", 18).cacheKey()


@pytest.mark.parametrize("name", ["no-such-icon", "../app/app", "search.svg", ""])
def test_an_unknown_icon_says_so(qtbot: QtBot, name: str) -> None:
    assert not has_icon(name)
    with pytest.raises(KeyError):
        icon_image(name, "#000000", 16)


def test_icons_named_in_the_code_are_bundled(root: Path) -> None:
    """Every string given where an icon name belongs is a file."""
    calls = re.compile(
        r"\b(?:bind_icon\([\w.]+,|icon\(|IconButton\(|IconLabel\(|Badge\(|EmptyState\(|Fact\(|set_icon\(|icon_image\()"
        r"\s*\"([a-z0-9-]+)\""
    )
    named = set()
    for path in (root / "kb_app/ui").rglob("*.py"):
        named |= {(found, path.name) for found in calls.findall(path.read_text(encoding="utf-8"))}
    assert named
    assert [pair for pair in sorted(named) if not has_icon(pair[0])] == []


def test_every_set_of_foreign_files_names_its_origin_and_licence(root: Path) -> None:
    for folder, licences in (("icons", ("LICENSE",)), ("fonts", ("inter/OFL.txt", "jetbrains-mono/OFL.txt"))):
        base = root / "resources" / folder
        assert (base / "ORIGIN.md").is_file()
        for licence in licences:
            assert len((base / licence).read_text(encoding="utf-8")) > 500
    assert "lucide" in (root / "resources/icons/ORIGIN.md").read_text().lower()
    assert {path.name for path in (root / "resources/fonts").iterdir()} == {
        "ORIGIN.md",
        "inter",
        "jetbrains-mono",
    }


def test_the_programs_icon_comes_in_every_size_and_container(qtbot: QtBot, root: Path) -> None:
    folder = root / "resources/app"
    for size in (16, 24, 32, 48, 64, 128, 256, 512):
        image = QImage(str(folder / f"kb_app-{size}.png"))
        assert (image.width(), image.height()) == (size, size)
        assert image.pixelColor(0, 0).alpha() == 0
    windows = (folder / "kb_app.ico").read_bytes()
    assert windows.startswith(b"\x00\x00\x01\x00")
    assert windows.count(b"\x89PNG\r\n\x1a\n") == 7
    mac = (folder / "kb_app.icns").read_bytes()
    assert mac[:4] == b"icns"
    assert int.from_bytes(mac[4:8], "big") == len(mac)
