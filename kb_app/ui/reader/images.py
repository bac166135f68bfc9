"""Pictures of a page: which files may be read, and reading them without trusting them.

Decision: only regular files below the knowledge base's root, after symbolic links are resolved; size and
pixel count are checked before anything is decoded; nothing is fetched. SVG is drawn only when it is small and
refers to nothing outside or elsewhere in itself, because its reader follows file names and nested references.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from kb_app.errors import UsageError
from kb_app.paths import safe_join

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 24_000_000
"""Of the picture as stored, 96 MB decoded: more than a screenshot of three 4K screens."""

MAX_EDGE = 16_000
MAX_SVG_BYTES = 1024 * 1024
_FORMATS = frozenset(
    {"png", "jpeg", "gif", "bmp", "webp", "ico", "svg", "svgz", "pbm", "pgm", "ppm", "xpm", "xbm"}
)
_SVG_REFUSED = (
    b"<image",
    b"<use",
    b"<!entity",
    b"<!doctype",
    b"<foreignobject",
    b"<script",
    b"<filter",
    b"<pattern",
)


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """A picture, or why there is none.

    Attributes:
        image: null when refused.
        reason: a few words for the placeholder; empty when there is a picture.
    """

    image: QImage
    reason: str = ""


def load_image(root: Path, relative: str, max_width: int) -> LoadedImage:
    """Read a picture of the knowledge base; meant for a worker thread.

    Args:
        root: the knowledge base's folder.
        relative: path below it, from untrusted text.
        max_width: device pixels; a wider picture is scaled down.

    Returns:
        The picture or the reason against it; never raises on any file.
    """
    try:
        data = _read_regular_file(safe_join(root, relative))
    except UsageError:
        return _refused("it lies outside the knowledge base")
    except FileNotFoundError:
        return _refused("the file does not exist")
    except _Refused as refusal:
        return _refused(str(refusal))
    except (OSError, ValueError):
        return _refused("the file cannot be read")
    return _decode(data, max_width)


class _Refused(Exception):
    """The policy says no; the text says why."""


def _read_regular_file(path: Path) -> bytes:
    # Asked before opening, because opening a device can already act on it; asked again on what was opened,
    # because the name may mean something else by then. O_NONBLOCK: a FIFO put in its place must not hang.
    if not stat.S_ISREG(path.stat().st_mode):
        raise _Refused("it is not a regular file")
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    with os.fdopen(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _Refused("it is not a regular file")
        if found.st_size > MAX_BYTES:
            raise _Refused(f"it is larger than {MAX_BYTES // (1024 * 1024)} MB")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _Refused(f"it is larger than {MAX_BYTES // (1024 * 1024)} MB")
    return data


def _decode(data: bytes, max_width: int) -> LoadedImage:
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    kind = bytes(reader.format().data()).decode("ascii", "replace").lower()
    if kind not in _FORMATS:
        return _refused("it is not a picture this program reads")
    if kind == "svgz" or (kind == "svg" and _is_risky_svg(data)):
        return _refused("this SVG refers to other files or uses features that are not drawn")
    size = reader.size()
    if not size.isValid() or size.isEmpty():
        return _refused("its size is not known")
    if size.width() > MAX_EDGE or size.height() > MAX_EDGE or size.width() * size.height() > MAX_PIXELS:
        return _refused(f"it is too large ({size.width()} × {size.height()} pixels)")
    if size.width() > max_width:
        height = max(1, round(size.height() * max_width / size.width()))
        reader.setScaledSize(QSize(max_width, height))
    image = reader.read()
    if image.isNull():
        return _refused("the file is damaged")
    if image.width() > max_width:  # turned by its orientation tag after scaling
        image = image.scaledToWidth(max_width, Qt.TransformationMode.SmoothTransformation)
    return LoadedImage(image)


def _is_risky_svg(data: bytes) -> bool:
    if len(data) > MAX_SVG_BYTES:
        return True
    lowered = data.lower()
    return any(word in lowered for word in _SVG_REFUSED)


def _refused(reason: str) -> LoadedImage:
    return LoadedImage(QImage(), reason)
