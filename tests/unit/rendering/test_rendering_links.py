from __future__ import annotations

import pytest

from kb_app.rendering.links import LinkKind, LinkResolver

FILES = {
    "README.md",
    "guide/a.md",
    "guide/b c.md",
    "guide/deep/README.md",
    "guide/img/x.png",
    "guide/img/x.svg",
    "source/manual/alerts.html.md",
    "notes.txt",
}


def resolver(path: str = "guide/a.md") -> LinkResolver:
    return LinkResolver(path, FILES.__contains__, {"first-steps", "tail"})


@pytest.mark.parametrize(
    ("target", "href"),
    [
        ("b%20c.md", "kb:guide/b%20c.md"),
        ("b c.md", "kb:guide/b%20c.md"),
        ("./b%20c.md#Some-Part", "kb:guide/b%20c.md#Some-Part"),
        ("../README.md", "kb:README.md"),
        ("/README.md", "kb:README.md"),
        ("/README", "kb:README.md"),
        ("/notes.txt?raw=1", "kb:notes.txt"),
        ("deep/", "kb:guide/deep/README.md"),
        ("deep", "kb:guide/deep/README.md"),
        ("../a.html", "kb:guide/a.md"),
        ('{{< ref "b%20c.md" >}}', "kb:guide/b%20c.md"),
        ("#first-steps", "#first-steps"),
        ("#First-Steps", "#first-steps"),
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("HTTP://example.org/", "HTTP://example.org/"),
        ("mailto:oncall@example.org", "mailto:oncall@example.org"),
    ],
)
def test_a_target_that_may_act_resolves(target: str, href: str) -> None:
    path = "guide/sub/a.md" if target == "../a.html" else "guide/a.md"
    assert resolver(path).link(target).href == href


def test_a_root_absolute_link_of_a_site_is_found_under_any_folder_above_the_page() -> None:
    assert (
        resolver("source/manual/x.html.md").link("/manual/alerts.html").href
        == "kb:source/manual/alerts.html.md"
    )


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "javascript&#58;alert(1)",
        "java\tscript:alert(1)",
        "java\u200bscript:alert(1)",
        "vbscript:x",
        "data:text/html,<b>x</b>",
        "file:///etc/passwd",
        "smb://host/share",
        "ms-msdt:/id",
        "ssh://host",
        "kb:guide/a.md",
        "icon:square",
        "//host/share",
        "\\\\host\\share",
        "/\\host/x",
        "c:\\windows\\x.md",
        "c:/windows/x.md",
        "http://",
        "https:///x",
        "http://[::1",
        "mailto:a@b\r\nbcc:c@d",
        "",
        " ",
        "a" * 5_000,
        "https://example.org/\u202egnp.exe",
    ],
)
def test_a_target_outside_the_policy_never_acts(target: str) -> None:
    found = resolver().link(target)
    assert found.href == ""
    assert found.kind is LinkKind.OUT


@pytest.mark.parametrize("target", ["missing.md", "../../../etc/passwd", "/etc/passwd", "#nowhere", ".."])
def test_a_target_that_is_not_there_is_broken(target: str) -> None:
    found = resolver().link(target)
    assert found.href == ""
    assert found.kind is LinkKind.BROKEN
    assert found.shown == target


def test_only_paths_inside_the_knowledge_base_are_asked_for() -> None:
    asked: list[str] = []

    def is_file(path: str) -> bool:
        asked.append(path)
        return False

    links = LinkResolver("a/b.md", is_file, set())
    for target in (
        "../../x.md",
        "/../../x.md",
        "..%2f..%2fx.md",
        "%2e%2e/%2e%2e/x",
        "/./../x.png",
        "x/../../../y",
    ):
        links.link(target)
        links.image(target)
    assert asked
    assert not [path for path in asked if path.startswith(("/", "..")) or "\\" in path or ":" in path]


def test_a_host_in_other_letters_is_shown_as_it_is_registered() -> None:
    assert "xn--" in resolver().link("https://ex\u0430mple.org/").shown


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("img/x.png", "kb:guide/img/x.png"),
        ("/guide/img/x.png", "kb:guide/img/x.png"),
        ("img/x.png?raw=true", "kb:guide/img/x.png"),
        ("img/x.svg", ""),
        ("https://example.org/x.png", ""),
        ("//example.org/x.png", ""),
        ("data:image/png;base64,AAAA", ""),
        ("file:///x.png", ""),
        ("/dev/zero", ""),
        ("../../../x.png", ""),
        ("a.md", ""),
        ("kb:guide/img/x.png", ""),
    ],
)
def test_only_pictures_of_the_knowledge_base_keep_a_source(source: str, address: str) -> None:
    assert resolver().image(source) == address
