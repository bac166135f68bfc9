from __future__ import annotations

import pytest

from kb_app.gitstore.causes import SENTENCES, Cause, HttpAnswer, cause_of, http_answers

SMART = "application/x-git-upload-pack-advertisement"


@pytest.mark.parametrize(
    ("stderr", "cause"),
    [
        ("fatal: unable to access 'https://x/': Could not resolve host: x", Cause.OFFLINE),
        ("fatal: unable to connect to 127.0.0.1: errno=Connection refused", Cause.OFFLINE),
        ("fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF", Cause.OFFLINE),
        ("error: RPC failed; curl 28 Operation too slow. Less than 100 bytes/sec", Cause.STALLED),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", Cause.AUTH_NEEDED),
        (
            "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            Cause.AUTH_NEEDED,
        ),
        ("fatal: unable to access 'https://x/': server certificate verification failed", Cause.TLS),
        ("Host key verification failed.\nfatal: Could not read from remote repository.", Cause.HOST_KEY),
        ("fatal: transport 'ext' not allowed", Cause.PROTOCOL),
        ("fatal: '/x' does not appear to be a git repository", Cause.NOT_FOUND),
        ("fatal: couldn't find remote ref refs/heads/x", Cause.REF_MISSING),
        (
            "error: object 12: hasDotgit: contains '.git'\nfatal: fsck error in packed object",
            Cause.BAD_CONTENT,
        ),
        ("fatal: write error: No space left on device", Cause.DISK_FULL),
        ("fatal: Unable to create '/x/.git/index.lock': File exists.", Cause.LOCKED),
        ("error: gpg failed to sign the data", Cause.SIGNING),
        ("*** Please tell me who you are.", Cause.IDENTITY),
        ("fatal: detected dubious ownership in repository at '/x'", Cause.FOREIGN_OWNER),
        ("! [remote rejected] main -> main (pre-receive hook declined)", Cause.REJECTED),
        ("error: object file .git/objects/aa/bb is empty", Cause.DAMAGED),
        ("fatal: something new", Cause.OTHER),
    ],
)
def test_what_git_says_becomes_a_cause(stderr: str, cause: Cause) -> None:
    assert cause_of(128, stderr) is cause


@pytest.mark.parametrize(
    ("code", "answer", "cause"),
    [
        (0, HttpAnswer(200, SMART), Cause.NONE),
        (0, HttpAnswer(200, "text/html"), Cause.NOT_GIT),
        (0, HttpAnswer(200, ""), Cause.NOT_GIT),
        (128, HttpAnswer(200, "text/html"), Cause.NOT_GIT),
        (128, HttpAnswer(200, ""), Cause.OTHER),
        (128, HttpAnswer(401), Cause.AUTH_NEEDED),
        (128, HttpAnswer(403), Cause.FORBIDDEN),
        (128, HttpAnswer(404), Cause.NOT_FOUND),
        (128, HttpAnswer(302, "", "https://login.example/"), Cause.MOVED),
        (128, HttpAnswer(503), Cause.SERVER_ERROR),
        (128, HttpAnswer(511), Cause.NOT_GIT),
    ],
)
def test_the_http_answer_decides_before_the_words(code: int, answer: HttpAnswer, cause: Cause) -> None:
    assert cause_of(code, "fatal: something", (answer,)) is cause


def test_an_answer_of_git_that_breaks_off_is_no_web_page() -> None:
    answers = (HttpAnswer(200, "application/x-git-upload-pack-result"),)
    assert cause_of(128, "fatal: protocol error: bad pack header", answers) is Cause.OFFLINE
    assert cause_of(128, "fatal: protocol error: bad line length character: <!do") is Cause.NOT_GIT


def test_every_cause_has_one_sentence_without_a_full_stop() -> None:
    assert set(SENTENCES) == set(Cause)
    for title, hint in SENTENCES.values():
        assert title
        assert not title.endswith(".")
        assert not hint.endswith(".")


def test_answers_are_read_from_the_trace_in_order() -> None:
    trace = (
        "12:00:00.1 http.c:749 <= Recv header: HTTP/1.1 302 Found\n"
        "12:00:00.1 http.c:749 <= Recv header: Location: https://other.example/kb\n"
        "12:00:00.2 http.c:749 <= Recv header: HTTP/2 200\n"
        "12:00:00.2 http.c:749 <= Recv header: content-type: text/html; charset=utf-8\n"
    )
    assert http_answers(trace) == (
        HttpAnswer(302, "", "https://other.example/kb"),
        HttpAnswer(200, "text/html"),
    )
