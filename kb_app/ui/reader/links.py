"""What a link in a page may do, decided from its address alone.

Decision: three things may happen and nothing else: jump inside the page, ask the window to open another
entry, ask the window to hand ``https``, ``http`` or ``mailto`` to the system after the target was shown.
Whatever else stands in a page is inert, even where rendering should already have removed it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from PySide6.QtCore import QUrl

_HIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\\]")
_SAFE_ENTRY = re.compile(r"[^\x00-\x1f\x7f\\]*")


class LinkKind(StrEnum):
    """What following a link means."""

    ANCHOR = "anchor"
    ENTRY = "entry"
    EXTERNAL = "external"
    FOLD = "fold"
    INERT = "inert"


@dataclass(frozen=True, slots=True)
class Link:
    """A link's meaning.

    Attributes:
        kind: what following it does.
        target: the anchor without ``#``; the path with ``#anchor`` of an entry; the whole address of an
            external link; the number of a fold; the address as written when inert.
        shown: what the status strip says.
    """

    kind: LinkKind
    target: str
    shown: str


def read_link(href: str) -> Link:
    """Tell what following ``href`` does; never raises, unknown is inert."""
    inert = Link(LinkKind.INERT, href, "")
    if href.startswith("#"):
        anchor = unquote(href[1:])
        return Link(LinkKind.ANCHOR, anchor, f"On this page: {anchor}") if anchor else inert
    scheme, colon, rest = href.partition(":")
    scheme = scheme.lower()
    if not colon:
        return inert
    if scheme == "fold" and rest.isdecimal():
        return Link(LinkKind.FOLD, rest, "Show or hide this part")
    if scheme == "kb":
        return _entry_link(rest) or inert
    if _HIDDEN.search(href):
        return inert
    if scheme in ("http", "https"):
        return _web_link(href) or inert
    if scheme == "mailto" and "@" in rest:
        return Link(LinkKind.EXTERNAL, href, f"Mail to {rest}")
    return inert


def _entry_link(rest: str) -> Link | None:
    target = unquote(rest)
    path = target.partition("#")[0]
    leads_out = path.startswith("/") or ":" in path or ".." in path.split("/")
    if not path or leads_out or not _SAFE_ENTRY.fullmatch(target):
        return None
    return Link(LinkKind.ENTRY, target, target)


def _web_link(href: str) -> Link | None:
    try:
        parts = urlsplit(href)
        host = parts.hostname
    except ValueError:
        return None
    url = QUrl(href, QUrl.ParsingMode.StrictMode)
    # Two parsers have to agree on the host: what is shown must be where the browser goes.
    if not host or not url.isValid() or url.host(QUrl.ComponentFormattingOption.FullyEncoded) != host.lower():
        return None
    note = "" if parts.scheme.lower() == "https" else " (not encrypted)"
    credentials = " (carries a user name)" if parts.username is not None else ""
    return Link(LinkKind.EXTERNAL, href, f"{host}{note}{credentials}: {href}")
