"""A pasted picture as a file: PNG, not wider than a screen, small enough for a repository."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QImage

from kb_app.errors import UsageError

MAX_WIDTH = 1_920
MAX_BYTES = 3_000_000


def png_of(image: QImage) -> bytes:
    """Return a picture as PNG, scaled down where it is wider than a screen; meant for a worker thread.

    Raises:
        UsageError: when it is too large even so.
    """
    smooth = Qt.TransformationMode.SmoothTransformation
    width = min(MAX_WIDTH, image.width())
    while True:
        shown = image if width >= image.width() else image.scaledToWidth(width, smooth)
        data = QByteArray()
        buffer = QBuffer(data)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        shown.save(buffer, "PNG")  # type: ignore[call-overload]
        buffer.close()
        if data.size() <= MAX_BYTES:
            return bytes(data.data())
        if width <= 480:
            raise UsageError("The picture is too large", "Cut out the part that matters and paste that")
        width = width * 2 // 3
