from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from kb_app.gitstore.hosts import (
    MAX_PAGE_ADDRESS,
    HostKind,
    change_id,
    host_of,
    new_file_page,
    page_in,
    push_plan,
    review_page,
    web_base,
)
from kb_app.gitstore.names import parse_address


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://github.com/team/kb.git", HostKind.GITHUB),
        ("git@github.example.org:team/kb.git", HostKind.GITHUB),
        ("https://gitlab.example.org/team/kb.git", HostKind.GITLAB),
        ("https://codeberg.org/team/kb", HostKind.GITEA),
        ("ssh://git@gitea.example.org/team/kb", HostKind.GITEA),
        ("ssh://ada@review.example.org:29418/kb", HostKind.GERRIT),
        ("https://git.example.org/team/kb", HostKind.BARE),
        ("/srv/github/kb.git", HostKind.BARE),
        ("https://notgithub.example.org/kb", HostKind.BARE),
    ],
)
def test_the_sort_of_host_is_told_from_the_address(url: str, kind: HostKind) -> None:
    assert host_of(parse_address(url)) is kind


def plan(kind: HostKind, url: str, body: str = "Because.\nIt is so.") -> object:
    return push_plan(
        kind,
        parse_address(url),
        branch="proposal/fix-1",
        target_branch="main",
        title="Fix the\nlease",
        body=body,
    )


def test_gitlab_opens_the_request_by_push_options_on_one_line() -> None:
    found = plan(HostKind.GITLAB, "https://gitlab.example.org/t/kb.git")
    assert found.target == "refs/heads/proposal/fix-1"
    assert "merge_request.create" in found.options
    assert "merge_request.target=main" in found.options
    assert "merge_request.title=Fix the lease" in found.options
    assert all("\n" not in option for option in found.options)


def test_gitea_and_gerrit_take_a_push_to_refs_for() -> None:
    gitea = plan(HostKind.GITEA, "https://codeberg.org/t/kb")
    assert (gitea.target, gitea.makes_branch) == ("refs/for/main", False)
    assert "topic=fix-1" in gitea.options
    gerrit = plan(HostKind.GERRIT, "ssh://ada@review.example.org:29418/kb")
    assert (gerrit.target, gerrit.makes_branch) == ("refs/for/main", False)


def test_github_gets_a_prefilled_page_that_stays_short_enough() -> None:
    found = plan(HostKind.GITHUB, "git@github.com:team/kb.git")
    parts = urlsplit(found.page)
    assert (parts.netloc, parts.path) == ("github.com", "/team/kb/compare/main...proposal/fix-1")
    assert parse_qs(parts.query)["title"] == ["Fix the lease"]
    assert parse_qs(parts.query)["body"] == ["Because.\nIt is so."]
    long = plan(HostKind.GITHUB, "https://github.com/team/kb", "ä" * 5000)
    assert len(long.page) <= MAX_PAGE_ADDRESS
    assert "title=" in long.page


def test_a_bare_remote_gets_a_branch_and_nothing_else() -> None:
    found = plan(HostKind.BARE, "/srv/kb.git")
    assert (found.target, found.options, found.page) == ("refs/heads/proposal/fix-1", (), "")


def test_gerrits_change_id_is_the_same_each_time() -> None:
    assert change_id("a") == change_id("a") != change_id("b")
    assert len(change_id("a")) == 41


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("git@github.com:team/kb.git", "https://github.com/team/kb"),
        ("ssh://git@h.example.org:2222/team/kb.git", "https://h.example.org/team/kb"),
        ("https://h.example.org:8443/team/kb", "https://h.example.org:8443/team/kb"),
        ("/srv/kb.git", ""),
    ],
)
def test_the_pages_of_a_repository_lie_under_https(url: str, base: str) -> None:
    assert web_base(parse_address(url)) == base


def test_review_refs_lead_to_their_pages() -> None:
    github, gitlab = parse_address("https://github.com/t/kb"), parse_address("https://gitlab.com/t/kb.git")
    assert review_page(github, "refs/pull/7/head") == "https://github.com/t/kb/pull/7"
    assert review_page(gitlab, "refs/merge-requests/9/head") == "https://gitlab.com/t/kb/-/merge_requests/9"
    assert review_page(github, "refs/heads/7") == ""


def test_only_a_page_of_the_remotes_own_host_is_offered() -> None:
    address = parse_address("git@git.example.org:t/kb.git")
    said = "remote: see https://evil.example/x\nremote:   https://git.example.org/t/kb/pulls/3 .\n"
    assert page_in(said, address) == "https://git.example.org/t/kb/pulls/3"
    assert page_in("remote: https://git.example.org.evil.example/x", address) == ""


def test_a_new_file_can_be_proposed_from_the_browser_while_it_is_short() -> None:
    address = parse_address("https://github.com/t/kb")
    page = new_file_page(HostKind.GITHUB, address, branch="main", path="fixes/a b.md", text="# A & B\n")
    assert parse_qs(urlsplit(page).query) == {"filename": ["fixes/a b.md"], "value": ["# A & B\n"]}
    assert new_file_page(HostKind.GITHUB, address, branch="main", path="a.md", text="x" * 9000) == ""
