"""Hostile pages: nothing acts, nothing is fetched, and what the author wrote for people stays visible."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kb_app.rendering.page import render
from kb_app.rendering.sanitising import sanitise

HOSTILE = sorted((Path(__file__).parents[2] / "data" / "rendering" / "hostile").glob("*.md"))
ALLOWED_LINKS = re.compile(r"(?:#|kb:[^/:][^:]*$|https://|mailto:)")


class Actions(HTMLParser):
    """Collects every attribute that could act or load, and the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.images: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value or "")
            elif name == "src":
                self.images.append(value or "")
            else:
                self.attributes.add(name)
            if name == "alt":
                self.text.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


ACTING = {
    *("script", "style", "iframe", "object", "embed", "meta", "base", "link", "form", "input", "svg", "math"),
    *("title", "textarea", "plaintext", "noscript", "template", "details"),
}

_guarded: list[str] | None = None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if _guarded is not None and event in {"open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen"}:
        _guarded.append(f"{event} {arguments[0]!r}")


sys.addaudithook(_audit)


@pytest.fixture
def guarded() -> Iterator[list[str]]:
    """Records every file that is opened and every connection that is made."""
    global _guarded  # noqa: PLW0603 - an audit hook can only be switched, never removed
    _guarded = []
    yield _guarded
    _guarded = None


def test_there_are_enough_payloads() -> None:
    assert len(HOSTILE) >= 48


@pytest.mark.parametrize("payload", HOSTILE, ids=lambda path: path.stem)
def test_a_hostile_page_is_harmless_and_readable(payload: Path) -> None:
    text = payload.read_bytes().decode()
    page = render(text, path="guide/page.md", is_file=lambda path: path in {"guide/ok.png", "guide/ok.svg"})
    seen = Actions()
    seen.feed(page.html)
    seen.close()
    assert not page.is_plain
    assert not [link for link in seen.links if not ALLOWED_LINKS.match(link)]
    assert not [source for source in seen.images if source != "kb:guide/ok.png"]
    assert not seen.tags & ACTING
    assert seen.attributes <= {"alt", "align", "class", "height", "id", "name", "start", "title", "width"}
    assert "keep-me" in "".join(seen.text)
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f\u200b\u2060-\u2069\u202a-\u202e\U000e0000-\U000e007f]", page.html
    )
    assert sanitise(page.html) == page.html


def test_rendering_opens_no_file_and_makes_no_connection(guarded: list[str]) -> None:
    texts = [payload.read_bytes().decode() for payload in HOSTILE]
    render(
        "```python\nx = 1\n```\n```bash\nls\n```\n", path="a.md", is_file=lambda _path: True
    )  # imports lexers
    guarded.clear()
    for text in texts:
        render(text, path="guide/page.md", is_file=lambda path: path.endswith(".png"))
    assert guarded == []


def test_the_guard_sees_files(guarded: list[str]) -> None:
    Path(__file__).read_bytes()
    assert guarded
