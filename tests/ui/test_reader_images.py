"""Which pictures a page may show, and that none of them hurts."""

from __future__ import annotations

import os
import struct
import threading
import time
import zlib
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QImage, QTextDocument
from pytestqt.qtbot import QtBot

from kb_app.rendering.model import RenderedPage
from kb_app.ui.common.jobs import InlineJobs, ThreadJobs
from kb_app.ui.common.theme import Theme
from kb_app.ui.reader import images
from kb_app.ui.reader.images import load_image
from kb_app.ui.reader.view import ReaderView

IMAGE = QTextDocument.ResourceType.ImageResource.value


def png(path: Path, width: int = 40, height: int = 20, color: str = "#ff0000") -> Path:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(color))
    path.parent.mkdir(parents=True, exist_ok=True)
    assert image.save(str(path))
    return path


def bomb_png(width: int, height: int) -> bytes:
    """Return a small file that claims ``width`` × ``height`` black pixels and holds them all."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    packer = zlib.compressobj(9)
    row = b"\x00" * (width // 8 + 2)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    root = tmp_path / "kb"
    png(root / "img/good.png")
    png(tmp_path / "outside.png")
    return root


def refused(root: Path, name: str) -> str:
    loaded = load_image(root, name, 700)
    assert loaded.image.isNull()
    assert loaded.reason
    return loaded.reason


def test_a_picture_of_the_knowledge_base_is_read(kb: Path) -> None:
    loaded = load_image(kb, "img/good.png", 700)
    assert (loaded.image.width(), loaded.image.height(), loaded.reason) == (40, 20, "")


def test_a_picture_wider_than_the_column_is_scaled_down(kb: Path) -> None:
    png(kb / "wide.png", 2_000, 1_000)
    loaded = load_image(kb, "wide.png", 500)
    assert (loaded.image.width(), loaded.image.height()) == (500, 250)


@pytest.mark.parametrize(
    "name",
    [
        "../outside.png",
        "img/../../outside.png",
        "/etc/hostname",
        "file:///etc/hostname",
        "//host/share/x.png",
        r"\\host\share\x.png",
        "C:/x.png",
        "img/good.png\x00",
        "img/\u202egood.png",
        "",
    ],
)
def test_paths_that_lead_out_are_refused(kb: Path, name: str) -> None:
    assert "outside" in refused(kb, name)


def test_a_symbolic_link_that_leads_out_is_refused(kb: Path) -> None:
    (kb / "link.png").symlink_to(kb.parent / "outside.png")
    (kb / "folder").symlink_to(kb.parent)
    assert "outside" in refused(kb, "link.png")
    assert "outside" in refused(kb, "folder/outside.png")


def test_a_symbolic_link_inside_is_followed(kb: Path) -> None:
    (kb / "link.png").symlink_to(kb / "img/good.png")
    assert not load_image(kb, "link.png", 700).image.isNull()


def test_a_symbolic_link_to_a_device_is_refused(kb: Path) -> None:
    (kb / "zero.png").symlink_to("/dev/zero")
    assert "outside" in refused(kb, "zero.png")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/random", "/dev/full"])
def test_a_device_is_not_read_even_where_the_root_holds_it(device: str) -> None:
    if not Path(device).exists():
        pytest.skip("this system has no such device")
    assert "regular file" in refused(Path("/dev"), Path(device).name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_refused_without_waiting(kb: Path) -> None:
    os.mkfifo(kb / "pipe.png")
    done = threading.Event()

    def load() -> None:
        refused(kb, "pipe.png")
        done.set()

    threading.Thread(target=load, daemon=True).start()
    assert done.wait(10)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_put_in_place_after_the_check_is_refused_without_waiting(
    kb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = kb / "img/good.png"
    real_open = os.open

    def swapped(path: Path, flags: int) -> int:
        target.unlink()
        os.mkfifo(target)
        return real_open(path, flags)

    monkeypatch.setattr(images.os, "open", swapped)
    assert "regular file" in refused(kb, "img/good.png")


def test_a_folder_a_missing_file_and_a_text_are_refused(kb: Path) -> None:
    (kb / "notes.png").write_text("just words")
    (kb / "empty.png").write_bytes(b"")
    (kb / "torn.png").write_bytes((kb / "img/good.png").read_bytes()[:60])
    assert "regular file" in refused(kb, "img")
    assert "does not exist" in refused(kb, "img/none.png")
    assert "not a picture" in refused(kb, "notes.png")
    assert refused(kb, "empty.png")
    assert refused(kb, "torn.png")


def test_a_file_without_permission_is_refused(kb: Path) -> None:
    (kb / "img/good.png").chmod(0)
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    assert "cannot be read" in refused(kb, "img/good.png")


def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(kb: Path) -> None:
    data = bomb_png(20_000, 20_000)
    assert len(data) < 100_000
    (kb / "bomb.png").write_bytes(data)
    assert "too large (20000 × 20000" in refused(kb, "bomb.png")
    (kb / "long.png").write_bytes(bomb_png(16, 17_000))
    assert "too large" in refused(kb, "long.png")


def test_a_large_file_is_refused(kb: Path) -> None:
    with (kb / "big.png").open("wb") as file:
        file.truncate(images.MAX_BYTES + 1)
    assert "larger than 10 MB" in refused(kb, "big.png")


def test_a_plain_svg_is_drawn(kb: Path) -> None:
    (kb / "a.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="10"><rect width="30" height="10"/></svg>'
    )
    assert load_image(kb, "a.svg", 700).image.width() == 30


@pytest.mark.parametrize(
    "body",
    [
        '<image href="/dev/zero" width="9" height="9"/>',
        '<g id="a"/><use href="#a"/>',
        "<script>x</script>",
        "<foreignObject/>",
    ],
)
def test_an_svg_that_refers_to_more_is_refused(kb: Path, body: str) -> None:
    (kb / "a.svg").write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="30" height="10">{body}</svg>')
    assert "SVG" in refused(kb, "a.svg")


def test_an_svg_with_a_bomb_of_entities_is_refused(kb: Path) -> None:
    (kb / "a.svg").write_text(
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
        '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="10"><text>&b;</text></svg>'
    )
    assert refused(kb, "a.svg")


# In the page


@pytest.fixture
def view(qtbot: QtBot) -> ReaderView:
    reader = ReaderView(InlineJobs())
    qtbot.addWidget(reader)
    reader.resize(800, 600)
    reader.show()
    qtbot.waitExposed(reader)
    return reader


def has_color(view: ReaderView, color: str) -> bool:
    image = view.viewport().grab().toImage()
    wanted = QColor(color).rgb()
    return any(
        image.pixel(x, y) == wanted for x in range(0, image.width(), 4) for y in range(0, image.height(), 4)
    )


@pytest.mark.parametrize(
    "address",
    [
        "kb:img/good.png",
        "kb:none.png",
        "kb:../outside.png",
        "file:///etc/hostname",
        "https://example.org/x.png",
        "//host/x.png",
        "data:image/png;base64,AAAA",
        "icon:search",
        "icon:no-such",
        "",
    ],
)
def test_every_address_gives_a_picture_and_never_nothing(view: ReaderView, kb: Path, address: str) -> None:
    view.set_page(RenderedPage("<p>x</p>"), kb, "a.md")
    given = view.loadResource(IMAGE, QUrl(address))
    assert isinstance(given, QImage)
    assert not given.isNull()


def test_nothing_but_pictures_is_given(view: ReaderView, kb: Path) -> None:
    style = kb / "a.css"
    style.write_text("p { color: red }")
    view.set_page(RenderedPage("<p>x</p>"), kb, "a.md")
    for kind in QTextDocument.ResourceType:
        if kind != QTextDocument.ResourceType.ImageResource:
            assert not view.loadResource(kind.value, QUrl.fromLocalFile(str(style)))


def test_a_picture_appears_when_it_has_been_read_and_the_text_below_moves_down(
    view: ReaderView, qtbot: QtBot, kb: Path
) -> None:
    png(kb / "tall.png", 300, 400, "#12ab34")
    view.set_page(RenderedPage('<p><img src="kb:tall.png" alt="x"></p><p>below</p>'), kb, "a.md")
    qtbot.waitUntil(lambda: has_color(view, "#12ab34"))
    last = view.document().lastBlock()
    assert view.document().documentLayout().blockBoundingRect(last).top() > 400


def test_a_picture_read_on_a_thread_arrives(qtbot: QtBot, kb: Path) -> None:
    jobs = ThreadJobs()
    reader = ReaderView(jobs)
    qtbot.addWidget(reader)
    reader.resize(800, 600)
    reader.show()
    png(kb / "tall.png", 300, 200, "#12ab34")
    reader.set_page(RenderedPage('<p><img src="kb:tall.png" alt="x"></p>'), kb, "a.md")
    qtbot.waitUntil(lambda: has_color(reader, "#12ab34"))
    jobs.close()


def test_a_missing_picture_is_asked_for_once(view: ReaderView, qtbot: QtBot, kb: Path) -> None:
    asked = []

    class CountingJobs(InlineJobs):
        def run(self, work, **rest):
            asked.append(work)
            super().run(work, **rest)

    reader = ReaderView(CountingJobs())
    qtbot.addWidget(reader)
    reader.resize(800, 600)
    reader.show()
    page = RenderedPage('<p><img src="kb:none.png" alt="x"></p>' * 3)
    reader.set_page(page, kb, "a.md")
    with qtbot.waitSignal(reader._images.arrived):
        pass
    for _ in range(3):
        reader.viewport().repaint()
    assert len(asked) == 1


def test_a_picture_of_the_page_before_is_dropped(qtbot: QtBot, kb: Path) -> None:
    waiting = []

    class LaterJobs(InlineJobs):
        def run(self, work, *, on_done=None, **_rest):
            waiting.append(lambda: on_done(work()))

    reader = ReaderView(LaterJobs())
    qtbot.addWidget(reader)
    reader.show()
    reader.set_page(RenderedPage('<p><img src="kb:img/good.png"></p>'), kb, "a.md")
    assert waiting
    reader.set_page(RenderedPage("<p>other</p>"), kb, "b.md")
    for deliver in waiting:
        deliver()
    assert reader._images._found == {}


def test_pictures_beyond_the_memory_for_one_page_are_not_shown(
    view: ReaderView, qtbot: QtBot, kb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb_app.ui.reader.page_images.MAX_BYTES_A_PAGE", 100_000)
    for name in ("a", "b", "c"):
        png(kb / f"{name}.png", 100, 100)
    page = RenderedPage("".join(f'<p><img src="kb:{name}.png"></p>' for name in "abc"))
    view.set_page(page, kb, "a.md")
    with qtbot.waitSignal(view._images.arrived):
        pass
    assert [found.image.isNull() for found in view._images._found.values()] == [False, False, True]
    view.set_page(page, kb, "b.md")
    qtbot.waitUntil(lambda: len(view._images._found) == 3)
    assert sum(found.image.isNull() for found in view._images._found.values()) == 1


def test_icons_in_the_page_follow_the_theme(view: ReaderView, kb: Path) -> None:
    theme = Theme.current()
    given = view.loadResource(IMAGE, QUrl("icon:square/danger"))
    points = [given.pixelColor(x, y) for x in range(given.width()) for y in range(given.height())]
    found, wanted = max(points, key=QColor.alpha), theme.color("danger")
    assert abs(found.red() - wanted.red()) < 8
    assert abs(found.blue() - wanted.blue()) < 8


def test_the_page_with_a_refused_picture_is_there_at_once(view: ReaderView, kb: Path) -> None:
    if hasattr(os, "mkfifo"):
        os.mkfifo(kb / "pipe.png")
    started = time.monotonic()
    view.set_page(RenderedPage('<p>text <img src="kb:pipe.png"> <img src="kb:img"></p>'), kb, "a.md")
    view.viewport().repaint()
    assert time.monotonic() - started < 10  # it ended
    assert "text" in view.toPlainText()
