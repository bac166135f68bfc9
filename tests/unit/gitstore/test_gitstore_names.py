from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.errors import UsageError
from kb_app.gitstore import names
from kb_app.gitstore.names import Transport

GOOD = [
    ("https://git.example.org/team/kb.git", Transport.HTTPS, "git.example.org", "team/kb.git"),
    ("HTTPS://Git.Example.org:8443/team/kb", Transport.HTTPS, "git.example.org:8443", "team/kb"),
    ("ssh://git@git.example.org/team/kb.git", Transport.SSH, "git.example.org", "team/kb.git"),
    ("git@git.example.org:team/kb.git", Transport.SSH, "git.example.org", "team/kb.git"),
    ("git.example.org:team/kb.git", Transport.SSH, "git.example.org", "team/kb.git"),
    ("http://127.0.0.1:8000/kb.git", Transport.HTTP, "127.0.0.1:8000", "kb.git"),
    ("git://localhost/kb.git", Transport.GIT, "localhost", "kb.git"),
    ("/srv/git/kb.git", Transport.FILE, "", "/srv/git/kb.git"),
    ("file:///srv/git/kb.git", Transport.FILE, "", "/srv/git/kb.git"),
]

HOSTILE = [
    "",
    "-oProxyCommand=touch canary",
    "--upload-pack=touch canary",
    "ext::sh -c touch% canary",
    "EXT::sh -c id",
    "fd::17",
    "foo::bar",
    "https::https://example.org/x",
    "ssh://-oProxyCommand=touch/x",
    "ssh://git@-oProxyCommand=touch/x",
    "-host:path/x",
    "host:-path",
    "git@host:--upload-pack=x",
    "ssh://host/-path",
    "ssh://-x@host/path",
    "ftp://example.org/kb.git",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//server/share/kb.git",
    "\\\\server\\share\\kb.git",
    "file://server/share/kb.git",
    "file:////server/share",
    "relative/path",
    "../up",
    ".",
    "https://example.org/a\nhost=evil.example",
    "https://example.org/a%0ahost=evil.example",
    "https://example.org/a%250a",
    "https://exa\u200bmple.org/a",
    "https://example.org/\u202egit",
    "https:///no/host",
    "https://example.org",
    "https://example.org/",
    "https://example.org:port/x",
    "https://user@example.org/x",
    "http://example.org/x",
    "git://example.org/x",
    "https://exam ple.org/x",
    "https://example.org\\@evil.example/x",
    "https://example.org/" + "a" * 3000,
]


@pytest.mark.parametrize(("text", "transport", "host", "path"), GOOD)
def test_addresses_of_the_known_forms_are_taken_apart(
    text: str, transport: Transport, host: str, path: str
) -> None:
    address = names.parse_address(text)
    assert (address.transport, address.host, address.path) == (transport, host, path)


@pytest.mark.parametrize("text", HOSTILE)
def test_every_other_address_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        names.parse_address(text)
    assert caught.value.title
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "https://ada:s3cr3t-canary@example.org/kb.git",
        "https://s3cr3t-canary@example.org/kb.git",
        "ssh://git:s3cr3t-canary@example.org/kb.git",
        "https://example.org/kb.git?private_token=s3cr3t-canary",
        "https://example.org/kb.git#s3cr3t-canary",
    ],
)
def test_a_credential_in_an_address_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        names.parse_address(text)
    assert "s3cr3t-canary" not in str(caught.value)


def test_unencrypted_transport_to_another_host_needs_consent() -> None:
    with pytest.raises(UsageError):
        names.parse_address("http://kb.example.org/kb.git")
    assert (
        names.parse_address("http://kb.example.org/kb.git", allow_insecure=True).transport is Transport.HTTP
    )


@pytest.mark.parametrize(
    "name",
    [
        "-x",
        "--list",
        "a..b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "a\\b",
        "a.lock",
        ".a",
        "a/.b",
        "/a",
        "a/",
        "a//b",
        "@",
        "HEAD",
        "a@{1}",
        "a\x07",
        "a\u202eb",
        "refs/heads/x",
        "",
        "a.",
        "x" * 300,
        "a/-b",
    ],
)
def test_branch_names_that_git_or_a_reader_would_misread_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        names.check_branch(name)


@pytest.mark.parametrize("name", ["main", "proposal/fix-the-lease-4f2a", "team.a/v1.2", "größe", "日本"])
def test_ordinary_branch_names_pass(name: str) -> None:
    assert names.check_branch(name) == name


@pytest.mark.parametrize("name", ["--mirror=push", "-o", "a b", "", "a/b", "..", "x.lock"])
def test_remote_names_are_plain_words(name: str) -> None:
    with pytest.raises(UsageError):
        names.check_remote(name)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x",
        "a/../b",
        "a/./b",
        "a//b",
        ".git/config",
        "a/.GIT/hooks/x",
        ".git\u200c/config",
        "git~1/config",
        ".git./x",
        ".git /x",
        "a\\b",
        "C:/x",
        "a:stream",
        "a\x00b",
        "a\nb",
        "",
        "a/",
        "x" * 1001,
        ".gitmodules",
        ".gitattributes",
    ],
)
def test_paths_that_leave_or_steer_the_repository_are_refused(path: str) -> None:
    with pytest.raises(UsageError):
        names.check_path(path)


@given(st.text(max_size=60))
def test_a_path_that_passes_stays_below_its_root(path: str) -> None:
    try:
        passed = names.check_path(path)
    except UsageError:
        return
    parts = passed.split("/")
    assert ".." not in parts
    assert not passed.startswith(("/", "\\"))
    assert all(part.casefold() != ".git" for part in parts)


@pytest.mark.parametrize("path", ["con.md", "a/AUX", "tr. ", "a/b.", 'a"b.md', "x" * 200, "e\u0301.md"])
def test_names_that_not_every_system_can_hold_are_explained(path: str) -> None:
    assert names.portability_problem(path)


@pytest.mark.parametrize("path", ["fixes/lease-lost.md", "größe.md", "console.md"])
def test_portable_names_have_no_problem(path: str) -> None:
    assert names.portability_problem(path) == ""


def test_a_message_is_trimmed_and_ends_with_one_newline() -> None:
    assert names.check_message("  fix: x  \r\n\r\nbody \n\n") == "fix: x\n\nbody\n"


@pytest.mark.parametrize("text", ["", " \n", "a\x1b[31mb", "a\u202eb", "a\x00", "x" * 20_001])
def test_messages_with_hidden_or_no_content_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        names.check_message(text)


@pytest.mark.parametrize("text", ["HEAD", "a" * 40, "b" * 64, "refs/heads/main", "refs/backup/20260102-main"])
def test_full_refs_pass(text: str) -> None:
    assert names.check_ref(text) == text


@pytest.mark.parametrize("text", ["main", "-x", "refs/heads/../x", "a" * 39, "A" * 40, "HEAD~1"])
def test_short_or_computed_refs_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        names.check_ref(text)
