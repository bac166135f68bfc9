"""Render the program's icon: ``kb_app.svg`` to PNG files, ``.ico`` (Windows) and ``.icns`` (macOS).

Run after a change of the drawing: ``python resources/app/render.py``.
Source: the containers as in Microsoft's "ICO file format" and Apple's list of icon types; both take PNG.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).resolve().parent
PNG_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZES = (16, 24, 32, 48, 64, 128, 256)
ICNS_TYPES = {b"icp4": 16, b"icp5": 32, b"icp6": 64, b"ic07": 128, b"ic08": 256, b"ic09": 512}


def render(size: int) -> bytes:
    """Return the icon as PNG, ``size`` pixels square."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    with QPainter(image) as painter:
        QSvgRenderer(str(FOLDER / "kb_app.svg")).render(painter)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def ico(pictures: dict[int, bytes]) -> bytes:
    """Return a Windows icon that holds ``pictures``, edge in pixels to PNG."""
    offset = 6 + 16 * len(pictures)
    directory, body = struct.pack("<HHH", 0, 1, len(pictures)), b""
    for size, data in pictures.items():
        edge = size % 256  # 0 stands for 256
        directory += struct.pack("<BBBBHHII", edge, edge, 0, 0, 1, 32, len(data), offset + len(body))
        body += data
    return directory + body


def icns(pictures: dict[int, bytes]) -> bytes:
    """Return a macOS icon that holds ``pictures``, edge in pixels to PNG."""
    body = b"".join(
        kind + struct.pack(">I", 8 + len(pictures[size])) + pictures[size]
        for kind, size in ICNS_TYPES.items()
    )
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def main() -> None:
    """Write all files."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QGuiApplication([])
    pictures = {size: render(size) for size in PNG_SIZES}
    for size, data in pictures.items():
        (FOLDER / f"kb_app-{size}.png").write_bytes(data)
    (FOLDER / "kb_app.ico").write_bytes(ico({size: pictures[size] for size in ICO_SIZES}))
    (FOLDER / "kb_app.icns").write_bytes(icns(pictures))
    app.quit()


if __name__ == "__main__":
    main()
