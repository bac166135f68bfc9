"""Keeps the pictures of the page shown: a placeholder at once, the picture when it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QRectF, QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.icons import has_icon, icon_image
from kb_app.ui.common.jobs import Jobs
from kb_app.ui.common.tokens import COLOR_NAMES, Tokens
from kb_app.ui.reader.images import LoadedImage, load_image

MAX_BYTES_A_PAGE = 128 * 1024 * 1024
"""Of decoded pictures held for one page; further ones are not shown."""

_GATHER_MS = 30
"""Pictures that arrive within this time cause one new layout together."""


class PageImages(QObject):
    """Pictures by address; never gives nothing, because the document would ask again and again.

    Signals:
        arrived(list): addresses (`str`) whose picture has been read or refused since the last time.
    """

    arrived = Signal(list)

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._root: Path | None = None
        self._extra: dict[str, Path] = {}
        self._generation = 0
        self._bytes = 0
        self._found: dict[str, LoadedImage] = {}
        self._asked: set[str] = set()
        self._news: list[str] = []
        self._gather = QTimer(self)
        self._gather.setSingleShot(True)
        self._gather.setInterval(_GATHER_MS)
        self._gather.timeout.connect(self._tell)

    def open(self, root: Path | None, extra: Mapping[str, Path] | None = None) -> None:
        """Start afresh for a page of the knowledge base ``root``; None shows no pictures.

        Args:
            root: the folder that pictures come from.
            extra: files for paths below the root that are not there yet: pictures of a draft.
        """
        self._generation += 1
        self._root = root
        self._extra = dict(extra or {})
        self._bytes = 0
        self._found.clear()
        self._asked.clear()
        self._news.clear()

    def image(self, address: str, *, width: int, tokens: Tokens, scale: float) -> QImage:
        """Return what to draw for ``address`` now.

        Args:
            address: an image's ``src``.
            width: of the column, device-independent pixels.
            tokens: colours.
            scale: device pixels per such pixel.
        """
        if address.startswith("icon:"):
            return _icon_of_page(address[5:], tokens, scale)
        if not address.startswith("kb:") or self._root is None:
            return placeholder("Picture not shown: it lies outside the knowledge base", width, tokens, scale)
        known = self._found.get(address)
        if known is None:
            self._ask(address, round(width * scale))
            return placeholder("Loading picture …", width, tokens, scale, icon="image")
        if known.image.isNull():
            return placeholder(f"Picture not shown: {known.reason}", width, tokens, scale)
        return _fitted(known.image, width)

    def _ask(self, address: str, device_width: int) -> None:
        if address in self._asked or self._root is None:
            return
        self._asked.add(address)
        relative = QUrl(address).path(QUrl.ComponentFormattingOption.FullyDecoded)
        own = self._extra.get(relative)
        root, name = (self._root, relative) if own is None else (own.parent, own.name)
        self._jobs.run(
            partial(load_image, root, name, device_width),
            on_done=partial(self._take, self._generation, address),
        )

    def _take(self, generation: int, address: str, loaded: LoadedImage) -> None:
        if generation != self._generation:
            return
        self._bytes += loaded.image.sizeInBytes()
        if self._bytes > MAX_BYTES_A_PAGE:
            self._bytes -= loaded.image.sizeInBytes()
            loaded = LoadedImage(QImage(), "this page holds too many large pictures")
        self._found[address] = loaded
        self._news.append(address)
        self._gather.start()

    def _tell(self) -> None:
        news, self._news = self._news, []
        if news:
            self.arrived.emit(news)


def placeholder(text: str, width: int, tokens: Tokens, scale: float, *, icon: str = "image-off") -> QImage:
    """Return a quiet card that says why there is no picture."""
    size = QSize(max(160, min(width, 480)), 44)
    image = QImage(size * scale, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setBrush(QColor(tokens.surface2))
        painter.drawRoundedRect(QRectF(0.5, 0.5, size.width() - 1, size.height() - 1), 8, 8)
        painter.drawImage(14, 14, icon_image(icon, tokens.text3, 16, scale))
        painter.setFont(ui_font(12))
        painter.setPen(QColor(tokens.text3))
        room = QRectF(40, 0, size.width() - 52, size.height())
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
    return image


def _icon_of_page(name: str, tokens: Tokens, scale: float) -> QImage:
    icon, _, token = name.partition("/")
    icon = icon if has_icon(icon) else "circle-alert"
    return icon_image(icon, tokens.color(token if token in COLOR_NAMES else "text2"), 16, max(2.0, scale))


def _fitted(image: QImage, width: int) -> QImage:
    """Return the picture at its own size, or as wide as the column with all the pixels it has."""
    result = QImage(image)
    result.setDevicePixelRatio(max(1.0, image.width() / max(1, width)))
    return result
