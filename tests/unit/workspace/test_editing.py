"""What the user did not touch stays byte for byte, whatever the bytes are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.entries.source import MAX_ENTRY_BYTES
from kb_app.errors import UsageError
from kb_app.workspace.editing import editable, patch_text

LINE_ENDS = (b"\n", b"\r\n", b"\r")
LINES = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from([b"# Title", b"- Time: 5m", b"", b"caf\xe9", "ä €".encode(), b"a\x00b"]),
            st.text(alphabet=st.characters(exclude_characters="\r\n"), max_size=12).map(
                lambda text: text.encode("utf-8", "surrogatepass")
            ),
        ),
        st.sampled_from(LINE_ENDS),
    ),
    max_size=12,
)
FILES = st.builds(
    lambda mark, lines, last: mark + b"".join(line + end for line, end in lines) + last,
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    LINES,
    st.sampled_from([b"", b"no final newline"]),
)


@given(FILES)
def test_a_text_that_was_not_changed_gives_back_its_bytes(raw: bytes) -> None:
    opened = editable(raw)
    assert opened.bytes_of(opened.shown) == raw
    assert "\r" not in opened.shown


@given(FILES, st.integers(0, 12))
def test_a_changed_line_leaves_the_bytes_of_all_others(raw: bytes, number: int) -> None:
    opened = editable(raw)
    lines = opened.shown.split("\n")
    number = min(number, len(lines) - 1)
    lines[number] = "a line that nobody wrote before"
    changed = opened.bytes_of("\n".join(lines))
    again = editable(changed)
    if not opened.source.encoding.startswith("utf-16"):
        before, after = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), changed
        after = after.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        assert after.split(b"\n")[:number] == before.split(b"\n")[:number]
        assert after.split(b"\n")[number + 1 :] == before.split(b"\n")[number + 1 :]
    assert "a line that nobody wrote before" in again.shown


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_new_line_gets_the_line_end_of_the_file(end: str) -> None:
    raw = f"# One{end}{end}two{end}".encode()
    opened = editable(raw)
    assert opened.bytes_of("# One\n\nnew\ntwo\n") == f"# One{end}{end}new{end}two{end}".encode()


def test_mixed_line_ends_stay_where_they_are() -> None:
    opened = editable(b"a\r\nb\nc\r\nd")
    assert opened.bytes_of("a\nb\nC\nd") == b"a\r\nb\nC\r\nd"
    assert opened.remark


def test_bytes_that_are_no_utf_8_survive_a_change_of_another_line() -> None:
    assert editable(b"caf\xe9\nb\n").bytes_of("caf\xe9\nB\n") == b"caf\xe9\nB\n"
    assert editable("ä\n".encode() + b"\xff\nb\n").bytes_of("ä\n\ufffd\nB\n") == "ä\n".encode() + b"\xff\nB\n"


def test_a_file_that_is_too_large_is_only_read() -> None:
    with pytest.raises(UsageError):
        editable(b"x" * (MAX_ENTRY_BYTES + 1))


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\r\nb\r\n", b"a\r\nB\r\nc\r\n"),
        (b"a\nno end", b"a\nstill no end"),
        (b"a\nno end", b"a\nan end\n"),
        (b"", b"# New\n"),
    ],
)
def test_git_applies_the_patch_of_a_change(tmp_path: Path, before: bytes, after: bytes) -> None:
    (tmp_path / "sub").mkdir()
    if before:
        (tmp_path / "sub" / "x.md").write_bytes(before)
    patch = patch_text("sub/x.md", before, after)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch, check=True)
    assert (tmp_path / "sub" / "x.md").read_bytes() == after
