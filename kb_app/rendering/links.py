"""Where links and images may lead: the policy for every address in a page.

Only ``https:``, ``http:``, ``mailto:``, anchors of the page and files of the knowledge base are links;
anything else is shown as text with its target. Nothing here touches the network or the disk: whether a file
is there is asked through one function that the caller gives.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from html import unescape
from urllib.parse import quote, unquote, urlsplit

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
_MAIL = re.compile(r"[\w.+%'-]{1,64}@[\w.-]{1,255}(?:\?[^\s<>\"]{0,500})?", re.ASCII)
_SAFE_IN_URL = "!#$%&'()*+,/:;=?@[]~"
_SAFE_IN_PATH = "!$'()*+,/;=@~"
_SITE_REFERENCE = re.compile(r"\{\{[<%]\s*(?:rel)?ref\s+\"?([^\"\s]+)\"?\s*[%>]\}\}|\{%\s*link\s+(\S+)\s*%\}")

_PAGE_ENDINGS = (".md", ".mdx", ".markdown")
_SITE_ENDINGS = (".html.md", ".html.md.erb", ".md.erb")
_FOLDER_PAGES = ("README.md", "index.md", "_index.md", "index.html.md", "index.html.md.erb")
_IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")

MAX_TARGET = 2_000
_MAX_ROOTS = 6


class LinkKind(Enum):
    """What a target is."""

    WEB = auto()
    MAIL = auto()
    ANCHOR = auto()
    FILE = auto()
    BROKEN = auto()
    OUT = auto()


@dataclass(frozen=True, slots=True)
class ResolvedLink:
    """Where a link leads.

    Attributes:
        kind: what it is; `BROKEN` and `OUT` must not act.
        href: address in the dialect; empty when the link must not act.
        shown: the target to show before it is opened.
    """

    kind: LinkKind
    href: str
    shown: str


def _has_hidden(text: str) -> bool:
    """Tell whether controls, format characters, surrogates or line separators occur."""
    return not text.isascii() and any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in text
    )


class LinkResolver:
    """Resolve the targets of one page.

    Args:
        path: of the page in its knowledge base, ``/``-separated.
        is_file: tells whether a path relative to the knowledge base is a file in it.
        anchors: of the page; more may be added before the first link is resolved.
    """

    def __init__(self, path: str, is_file: Callable[[str], bool], anchors: set[str]) -> None:
        self._path = path
        self._folder = posixpath.dirname(path)
        self._is_file = is_file
        self.anchors = anchors
        self._files: dict[str, bool] = {}
        self._links: dict[str, ResolvedLink] = {}

    def link(self, target: str) -> ResolvedLink:
        """Resolve the target of a link as written."""
        known = self._links.get(target)
        if known is None:
            known = self._links[target] = self._resolve(target)
        return known

    def _resolve(self, target: str) -> ResolvedLink:
        target = unescape(target).strip()
        reference = _SITE_REFERENCE.fullmatch(target)
        if reference:
            target = reference[1] or reference[2]
        out = ResolvedLink(LinkKind.OUT, "", target)
        if not target or len(target) > MAX_TARGET or not self._is_plain(target):
            return out
        if target.startswith("#"):
            return self._anchor(target)
        scheme = _SCHEME.match(target)
        if scheme:
            name = scheme[1].lower()
            if name in {"http", "https"}:
                return self._web(target) or out
            if name == "mailto" and _MAIL.fullmatch(target[7:]):
                return ResolvedLink(LinkKind.MAIL, "mailto:" + target[7:], target)
            return out
        path, _, fragment = target.partition("#")
        path = path.partition("?")[0]
        found = next((name for name in self._candidates(unquote(path)) if self._exists(name)), None)
        if found is None:
            return ResolvedLink(LinkKind.BROKEN, "", target)
        href = "kb:" + quote(found, safe=_SAFE_IN_PATH)
        if fragment:
            href += "#" + quote(unquote(fragment), safe=_SAFE_IN_PATH)
        return ResolvedLink(LinkKind.FILE, href, target)

    def image(self, source: str) -> str:
        """Return the ``kb:`` address of an image inside the knowledge base, or an empty text."""
        source = unescape(source).strip()
        if not source or len(source) > MAX_TARGET or not self._is_plain(source) or _SCHEME.match(source):
            return ""
        path = unquote(source.partition("#")[0].partition("?")[0])
        if not path.lower().endswith(_IMAGE_ENDINGS):
            return ""
        for name in self._bases(path):
            if self._exists(name):
                return "kb:" + quote(name, safe=_SAFE_IN_PATH)
        return ""

    @staticmethod
    def _is_plain(target: str) -> bool:
        """Refuse hidden characters, backslashes (UNC and drive paths) and addresses without a scheme."""
        return not (target.startswith("//") or _FORBIDDEN.search(target) or _has_hidden(target))

    @staticmethod
    def _web(target: str) -> ResolvedLink | None:
        try:
            host = urlsplit(target).hostname or ""
            readable = host if host.isascii() else host.encode("idna").decode("ascii")
        except (ValueError, UnicodeError):
            return None
        if not host:
            return None
        shown = target if host.isascii() else f"{target} ({readable})"
        return ResolvedLink(LinkKind.WEB, quote(target, safe=_SAFE_IN_URL), shown)

    def _anchor(self, target: str) -> ResolvedLink:
        name = unquote(target[1:])
        for candidate in (name, name.lower()):
            if candidate in self.anchors:
                return ResolvedLink(LinkKind.ANCHOR, "#" + candidate, target)
        return ResolvedLink(LinkKind.BROKEN, "", target)

    def _exists(self, name: str) -> bool:
        known = self._files.get(name)
        if known is None:
            try:
                known = self._is_file(name)
            except (OSError, ValueError):  # a name that the file system refuses, for example a very long one
                known = False
            self._files[name] = known
        return known

    def _bases(self, path: str) -> Iterator[str]:
        """Yield the places in the knowledge base that a path may mean, likeliest first."""
        if path.startswith("/"):
            # A site's root may be any folder above the page
            yield from self._inside("", path.strip("/"))
            folder, count = self._folder, 0
            while folder and count < _MAX_ROOTS:
                yield from self._inside(folder, path.strip("/"))
                folder, count = posixpath.dirname(folder), count + 1
            return
        yield from self._inside(self._folder, path)
        # Generators serve page.md as page/, so authors write one level more
        yield from self._inside(posixpath.splitext(self._path)[0], path)

    @staticmethod
    def _inside(folder: str, path: str) -> Iterator[str]:
        name = posixpath.normpath(posixpath.join(folder, path))
        if not name.startswith(("/", "../")) and name not in {"..", "."} and ":" not in name:
            yield name

    def _candidates(self, path: str) -> Iterator[str]:
        for name in self._bases(path or "."):
            if not path.endswith("/"):
                yield name
            stem, ending = posixpath.splitext(name)
            if ending.lower() in {".html", ".htm"}:
                for other in (*_PAGE_ENDINGS, *_SITE_ENDINGS):
                    yield stem + other
            elif ending.lower() not in _PAGE_ENDINGS:
                for other in (*_PAGE_ENDINGS, *_SITE_ENDINGS):
                    yield name + other
                for page in _FOLDER_PAGES:
                    yield f"{name}/{page}"
