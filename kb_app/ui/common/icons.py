"""Line icons in the theme's colours.

The bundled SVG files draw with ``currentColor``; they are tinted, drawn at one and two times their size, and
kept. `icon` gives a picture for now; `bind_icon` also follows later changes of the theme.
"""

from __future__ import annotations

import re
from functools import lru_cache

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QPushButton

from kb_app.resources import resource
from kb_app.ui.common.theme import Theme

STROKE_WIDTH = "1.75"
_SCALES = (1, 2)
_TEXT_GAP = 4


def has_icon(name: str) -> bool:
    """Tell whether an icon called ``name`` is bundled."""
    return bool(re.fullmatch(r"[a-z0-9-]+", name)) and resource(f"icons/{name}.svg").is_file()


def icon(name: str, color: str = "text2", size: int = 18, *, checked_color: str = "", gap: int = 0) -> QIcon:
    """Return the icon ``name`` in a colour of the current theme.

    Args:
        name: file name in ``resources/icons`` without extension.
        color: a colour of `Tokens`.
        size: edge in device-independent pixels.
        checked_color: colour while a checkable button is on; empty for the same.
        gap: empty pixels right of it.

    Raises:
        KeyError: when the colour or the icon does not exist.
    """
    tokens = Theme.current().tokens
    checked = tokens.color(checked_color) if checked_color else ""
    return _icon(name, (tokens.color(color), checked, tokens.color("text3")), size, gap)


def icon_image(name: str, color: str, size: int, scale: float = 1.0) -> QImage:
    """Return the icon drawn in ``color`` (``#RRGGBB``) with transparent ground.

    Args:
        name: as for `icon`.
        color: any colour.
        size: edge in device-independent pixels.
        scale: device pixels per such pixel; the image carries it as its device pixel ratio.

    Raises:
        KeyError: when the icon does not exist.
    """
    return _drawn(_renderer(name, color), size, scale)


def _renderer(name: str, color: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(tinted_svg(name, color).encode()))


def _drawn(renderer: QSvgRenderer, size: int, scale: float) -> QImage:
    image = QImage(QSize(round(size * scale), round(size * scale)), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        renderer.render(painter, QRectF(0, 0, image.width(), image.height()))
    image.setDevicePixelRatio(scale)
    return image


@lru_cache(maxsize=256)
def icon_pixmap(name: str, color: str, size: int, scale: float) -> QPixmap:
    """Return the picture of `icon_image`; drawn once, for labels that come and go with every entry."""
    return QPixmap.fromImage(icon_image(name, color, size, scale))


@lru_cache(maxsize=256)
def tinted_svg(name: str, color: str) -> str:
    """Return the SVG text of an icon in ``color``.

    Raises:
        KeyError: when the icon does not exist.
    """
    if not has_icon(name):
        raise KeyError(name)
    text = resource(f"icons/{name}.svg").read_text(encoding="utf-8")
    return text.replace("currentColor", color).replace('stroke-width="2"', f'stroke-width="{STROKE_WIDTH}"')


def bind_icon(
    target: QAbstractButton | QAction,
    name: str,
    color: str = "text2",
    size: int = 18,
    *,
    checked_color: str = "",
) -> None:
    """Give ``target`` an icon now and again whenever the theme changes; a second call replaces the first."""
    for child in target.children():
        if isinstance(child, _Binding):
            child.replace(name, color, size, checked_color)
            return
    _Binding(target, name, color, size, checked_color)


class _Binding(QObject):
    def __init__(
        self, target: QAbstractButton | QAction, name: str, color: str, size: int, checked_color: str
    ) -> None:
        super().__init__(target)
        self._target = target
        self._wanted = (name, color, size, checked_color)
        Theme.current().changed.connect(self._draw)
        self._draw()

    def replace(self, name: str, color: str, size: int, checked_color: str) -> None:
        self._wanted = (name, color, size, checked_color)
        self._draw()

    def _draw(self) -> None:
        name, color, size, checked_color = self._wanted
        # Qt puts four pixels between a button's icon and its text; the grid wants eight.
        gap = _TEXT_GAP if isinstance(self._target, QPushButton) and self._target.text() else 0
        self._target.setIcon(icon(name, color, size, checked_color=checked_color, gap=gap))
        if isinstance(self._target, QAbstractButton):
            self._target.setIconSize(QSize(size + gap, size))


@lru_cache(maxsize=512)
def _icon(name: str, colors: tuple[str, str, str], size: int, gap: int) -> QIcon:
    color, checked, disabled = colors
    normal_in, faded_in = _renderer(name, color), _renderer(name, disabled)
    checked_in = _renderer(name, checked) if checked else None
    result = QIcon()
    for scale in _SCALES:
        normal = _pixmap(_drawn(normal_in, size, scale), gap)
        result.addPixmap(normal, QIcon.Mode.Normal, QIcon.State.Off)
        result.addPixmap(normal, QIcon.Mode.Selected, QIcon.State.Off)
        faded = _drawn(faded_in, size, scale)
        result.addPixmap(_pixmap(faded, gap, opacity=0.5), QIcon.Mode.Disabled, QIcon.State.Off)
        if checked_in is not None:
            on = _pixmap(_drawn(checked_in, size, scale), gap)
            result.addPixmap(on, QIcon.Mode.Normal, QIcon.State.On)
    return result


def _pixmap(image: QImage, gap: int, *, opacity: float = 1.0) -> QPixmap:
    result = QPixmap(image.width() + round(gap * image.devicePixelRatio()), image.height())
    result.setDevicePixelRatio(image.devicePixelRatio())
    result.fill(Qt.GlobalColor.transparent)
    with QPainter(result) as painter:
        painter.setOpacity(opacity)
        painter.drawImage(0, 0, image)
    return result
