"""How a proposal reaches its reviewers: by the push itself where the host can, else by a prefilled page.

No host's programming interface is used: no token has to be kept. What a host understands is told from its
address and can be set by hand.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlencode, urlsplit

from kb_app.gitstore.names import RemoteAddress, Transport, has_control

MAX_PAGE_ADDRESS = 6_000
"""Longest address browsers and hosts take without complaint, in characters."""


class HostKind(StrEnum):
    """What sort of host a remote is."""

    BARE = "bare"
    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    GERRIT = "gerrit"


@dataclass(frozen=True, slots=True)
class PushPlan:
    """How one proposal is pushed.

    Attributes:
        target: the remote's ref.
        options: push options; left out when the remote does not take any.
        makes_branch: the ref is a branch that stays visible under its own name.
        page: a page to open afterwards that asks for the review, prefilled; empty where the push does it.
    """

    target: str
    options: tuple[str, ...] = ()
    makes_branch: bool = True
    page: str = ""


def host_of(address: RemoteAddress) -> HostKind:
    """Return what sort of host an address most likely is; `HostKind.BARE` when nothing tells."""
    if address.transport is Transport.FILE:
        return HostKind.BARE
    host, _, port = address.host.partition(":")
    labels = host.split(".")
    if port == "29418" or labels[0] in ("gerrit", "review"):
        return HostKind.GERRIT
    if host == "codeberg.org" or {"gitea", "forgejo"} & set(labels):
        return HostKind.GITEA
    if "github" in labels:
        return HostKind.GITHUB
    return HostKind.GITLAB if "gitlab" in labels else HostKind.BARE


def change_id(proposal_id: str) -> str:
    """Return Gerrit's ``Change-Id`` for a proposal: always the same, so that pushing twice is one change."""
    return "I" + hashlib.sha1(proposal_id.encode(), usedforsecurity=False).hexdigest()


def push_plan(
    kind: HostKind, address: RemoteAddress, *, branch: str, target_branch: str, title: str, body: str
) -> PushPlan:
    """Return how to push the proposal ``branch`` for ``target_branch`` to a host of that kind."""
    heading = _one_line(title)
    options: tuple[str, ...]
    if kind is HostKind.GITLAB:
        options = (
            "merge_request.create",
            f"merge_request.target={target_branch}",
            f"merge_request.title={heading}",
            "merge_request.remove_source_branch",
        )
        return PushPlan(f"refs/heads/{branch}", options)
    topic = branch.rsplit("/", 1)[-1]
    if kind is HostKind.GITEA:
        options = (f"topic={topic}", f"title={heading}", f"description={_one_line(body)}")
        return PushPlan(f"refs/for/{target_branch}", options, makes_branch=False)
    if kind is HostKind.GERRIT:
        return PushPlan(f"refs/for/{target_branch}", (f"topic={topic}",), makes_branch=False)
    page = ""
    if kind is HostKind.GITHUB:
        page = _page(
            f"{web_base(address)}/compare/{quote(target_branch)}...{quote(branch)}",
            {"quick_pull": "1", "title": heading, "body": body},
        )
    return PushPlan(f"refs/heads/{branch}", page=page)


def web_base(address: RemoteAddress) -> str:
    """Return the https address of a repository's pages, empty for a folder."""
    if address.transport is Transport.FILE:
        return ""
    host = address.host if address.transport is Transport.HTTPS else address.host.partition(":")[0]
    return f"https://{host}/{quote(address.path.strip('/').removesuffix('.git'), safe='/~')}"


def new_file_page(kind: HostKind, address: RemoteAddress, *, branch: str, path: str, text: str) -> str:
    """Return a page that proposes a new file from the browser, for those who may not push; else empty."""
    if kind is not HostKind.GITHUB or not web_base(address):
        return ""
    page = f"{web_base(address)}/new/{quote(branch)}?{urlencode({'filename': path, 'value': text})}"
    return page if len(page) <= MAX_PAGE_ADDRESS else ""


def review_page(address: RemoteAddress, ref: str) -> str:
    """Return the page of the review that a remote's ref belongs to, or an empty string."""
    base = web_base(address)
    for pattern, path in (
        (r"refs/pull/(\d+)/head", "pull" if host_of(address) is HostKind.GITHUB else "pulls"),
        (r"refs/merge-requests/(\d+)/head", "-/merge_requests"),
        (r"refs/changes/\d+/(\d+)/\d+", "+"),
    ):
        if base and (match := re.fullmatch(pattern, ref)) is not None:
            return f"{base}/{path}/{match.group(1)}"
    return ""


def page_in(answer: str, address: RemoteAddress) -> str:
    """Return the first page on the remote's own host that its answer to a push names, or an empty string."""
    host = address.host.partition(":")[0]
    for match in re.finditer(r"https?://[^\s\"'<>\\]{4,1000}", answer):
        page = match.group(0).rstrip(".,)")
        if host and (urlsplit(page).hostname or "") == host and not has_control(page):
            return page
    return ""


def _page(base: str, fields: dict[str, str]) -> str:
    page = f"{base}?{urlencode(fields)}"
    if len(page) > MAX_PAGE_ADDRESS:
        page = f"{base}?{urlencode({name: text for name, text in fields.items() if name != 'body'})}"
    return page


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
