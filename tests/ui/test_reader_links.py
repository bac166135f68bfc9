"""What a link may do: every scheme, by mouse, middle button and keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QPoint, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from kb_app.rendering.model import RenderedPage
from kb_app.ui.common.jobs import InlineJobs
from kb_app.ui.reader.links import LinkKind, read_link
from kb_app.ui.reader.view import ReaderView

SCHEMES = (
    "http",
    "https",
    "mailto",
    "file",
    "ftp",
    "smb",
    "javascript",
    "data",
    "ms-msdt",
    "kb",
    "qrc",
    "about",
)

FOLLOWED = [
    ("https://example.org/a?b=c#d", "external", "https://example.org/a?b=c#d"),
    ("HTTPS://EXAMPLE.ORG/", "external", "https://example.org/"),
    ("http://example.org/", "external", "http://example.org/"),
    ("mailto:team@example.org", "external", "mailto:team@example.org"),
    ("kb:etcd/NoLeader.md", "entry", "etcd/NoLeader.md"),
    ("kb:etcd/NoLeader.md#Fix", "entry", "etcd/NoLeader.md#Fix"),
    ("kb:a%20b/%C3%A4.md", "entry", "a b/ä.md"),
    ("#below", "entry", "#below"),
]
INERT = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "file://host/share",
    "smb://host/share",
    "//host/share",
    r"\\host\share",
    "ms-msdt:/id PCWDiagnostic",
    "vscode://file/etc/passwd",
    "search-ms:query=x",
    "qrc:/x",
    "about:blank",
    "ftp://example.org/x",
    "ssh://example.org",
    "kb:../outside.md",
    "kb:/etc/passwd",
    "kb:a/../../b.md",
    "kb:%2e%2e/outside.md",
    "kb:C:/x.md",
    "kb:",
    "other.md",
    "/etc/passwd",
    "https:",
    "https://",
    "https:///etc/passwd",
    "http://exa mple.org/",
    "mailto:",
    "fold:x",
    "#",
    "",
]


@pytest.mark.parametrize("href", INERT)
def test_other_addresses_mean_nothing(href: str) -> None:
    assert read_link(href).kind is LinkKind.INERT


@pytest.mark.parametrize(
    "href",
    [
        "https://exa\u202emple.org/",
        "https://ex\u200bample.org",
        "https://example.org\\@evil.org/",
        "https://a\nb.org",
    ],
)
def test_addresses_with_hidden_characters_mean_nothing(href: str) -> None:
    assert read_link(href).kind is LinkKind.INERT


def test_what_is_shown_names_the_host_and_what_is_risky_about_it() -> None:
    assert read_link("https://example.org/a").shown == "example.org: https://example.org/a"
    assert "not encrypted" in read_link("http://example.org/a").shown
    shown = read_link("https://example.com@evil.org/").shown
    assert shown.startswith("evil.org")
    assert "user name" in shown


class Desktop(QObject):
    """Takes what would be handed to the desktop."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url.toString())


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    spy = Desktop()
    for scheme in SCHEMES:
        QDesktopServices.setUrlHandler(scheme, spy, "open")
    yield spy
    for scheme in SCHEMES:
        QDesktopServices.unsetUrlHandler(scheme)


@pytest.fixture
def view(qtbot: QtBot) -> ReaderView:
    reader = ReaderView(InlineJobs())
    qtbot.addWidget(reader)
    reader.resize(800, 400)
    reader.show()
    reader.activateWindow()
    qtbot.waitUntil(reader.isActiveWindow)
    return reader


def show_link(view: ReaderView, href: str) -> list[tuple[str, str]]:
    body = (
        f'<p><a href="{href}">the link</a></p>'
        + "<p>text</p>" * 60
        + '<h2 id="below"><a name="below"></a>Below</h2>'
    )
    view.set_page(RenderedPage(body), None, "page.md")
    view.load_all()
    told: list[tuple[str, str]] = []
    view.link_activated.connect(lambda target: told.append(("entry", target)))
    view.external_link_requested.connect(lambda target: told.append(("external", target)))
    return told


def place_of_link(view: ReaderView) -> QPoint:
    cursor = QTextCursor(view.document())
    cursor.setPosition(3)
    return view.cursorRect(cursor).center()


def click(view: ReaderView, button: Qt.MouseButton, modifier: Qt.KeyboardModifier) -> None:
    QTest.mouseClick(view.viewport(), button, modifier, place_of_link(view))


WAYS = {
    "left": lambda view: click(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier),
    "ctrl": lambda view: click(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier),
    "shift": lambda view: click(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier),
    "middle": lambda view: click(view, Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier),
    "keyboard": lambda view: (
        view.setFocus(),
        QTest.keyClick(view, Qt.Key.Key_Tab),
        QTest.keyClick(view, Qt.Key.Key_Return),
    ),
}


@pytest.mark.parametrize("way", [name for name in WAYS if name != "shift"])
@pytest.mark.parametrize("link", FOLLOWED)
def test_allowed_links_are_told_and_nothing_is_opened(
    view: ReaderView, desktop: Desktop, way: str, link: tuple[str, str, str]
) -> None:
    href, kind, target = link
    told = show_link(view, href)
    WAYS[way](view)
    assert told == [(kind, target)]
    assert desktop.opened == []
    assert "the link" in view.toPlainText()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("href", INERT)
def test_other_links_do_nothing_and_the_page_stays(
    view: ReaderView, desktop: Desktop, way: str, href: str
) -> None:
    told = show_link(view, href.replace("<", "&lt;").replace(">", "&gt;"))
    before = view.toPlainText()
    WAYS[way](view)
    assert told == []
    assert desktop.opened == []
    assert view.toPlainText() == before
    assert view.source().isEmpty()


def test_right_click_activates_nothing(view: ReaderView, desktop: Desktop) -> None:
    told = show_link(view, "https://example.org/")
    click(view, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier)
    assert told == []
    assert desktop.opened == []


@pytest.mark.parametrize("key", [Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Home])
def test_the_browsers_own_history_keys_do_nothing(view: ReaderView, key: Qt.Key) -> None:
    show_link(view, "kb:a.md")
    before = view.toPlainText()
    QTest.keyClick(view, key, Qt.KeyboardModifier.AltModifier)
    view.reload()
    view.home()
    assert view.toPlainText() == before


def test_a_source_set_by_force_shows_nothing_else(view: ReaderView, tmp_path) -> None:
    show_link(view, "kb:a.md")
    before = view.toPlainText()
    secret = tmp_path / "secret.html"
    secret.write_text("<p>secret</p>")
    view.setSource(QUrl.fromLocalFile(str(secret)))
    assert view.toPlainText() == before


def test_the_target_is_told_while_the_pointer_is_on_the_link(view: ReaderView, qtbot: QtBot) -> None:
    show_link(view, "https://example.org/a")
    with qtbot.waitSignal(view.link_hovered) as told:
        QTest.mouseMove(view.viewport(), place_of_link(view))
    assert told.args == ["example.org: https://example.org/a"]
    with qtbot.waitSignal(view.link_hovered) as told:
        QTest.mouseMove(view.viewport(), QPoint(400, 300))
    assert told.args == [""]


def test_the_target_is_told_when_the_keyboard_reaches_the_link(view: ReaderView, qtbot: QtBot) -> None:
    show_link(view, "kb:etcd/NoLeader.md#fix")
    view.setFocus()
    with qtbot.waitSignal(view.link_hovered) as told:
        QTest.keyClick(view, Qt.Key.Key_Tab)
    assert told.args == ["etcd/NoLeader.md#fix"]


def test_a_link_in_the_page_scrolls_there(view: ReaderView) -> None:
    told = show_link(view, "#below")
    assert view.verticalScrollBar().value() == 0
    WAYS["left"](view)
    assert view.verticalScrollBar().value() > 200
    assert told == [("entry", "#below")]


def test_a_link_to_a_missing_place_is_not_told(view: ReaderView) -> None:
    told = show_link(view, "#nowhere")
    WAYS["left"](view)
    assert told == []
