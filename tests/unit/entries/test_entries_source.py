from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_app.entries.source import MAX_ENTRY_BYTES, decode, encode_like


def codes(raw: bytes) -> list[str]:
    return [note.code for note in decode(raw).notes]


@pytest.mark.parametrize(
    ("raw", "text", "expected"),
    [
        (b"a\nb\n", "a\nb\n", []),
        (b"", "", ["empty"]),
        (b" \n", " \n", ["empty"]),
        (b"\xef\xbb\xbfa\n", "a\n", ["bom"]),
        (b"a\r\nb\r\n", "a\nb\n", ["line-ends"]),
        (b"a\rb\r", "a\nb\n", ["line-ends"]),
        (b"a\r\nb\n", "a\nb\n", ["mixed-line-ends"]),
        (b"a\x00b\n", "a\x00b\n", ["control-characters"]),
        ("é€".encode() + b"\xff\n", "é€\ufffd\n", ["not-utf-8"]),
        (b"caf\xe9\n", "café\n", ["not-utf-8"]),
        ("ab\n".encode("utf-16"), "ab\n", ["not-utf-8"]),
    ],
)
def test_bytes_become_text_and_notes(raw: bytes, text: str, expected: list[str]) -> None:
    source = decode(raw)
    assert source.text == text
    assert [note.code for note in source.notes] == expected


def test_the_line_of_the_first_foreign_byte_is_named() -> None:
    assert [note.line for note in decode(b"a\nb\n\xff\n").notes] == [3]


def test_a_file_above_the_cap_is_cut_and_says_so() -> None:
    source = decode(b"a" * (MAX_ENTRY_BYTES + 5))
    assert len(source.text) == MAX_ENTRY_BYTES
    assert "oversize" in [note.code for note in source.notes]
    assert not source.is_lossless


def test_a_missing_final_newline_is_a_fact() -> None:
    assert not decode(b"a").has_final_newline
    assert decode(b"a\n").has_final_newline


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_decode(raw: bytes) -> None:
    source = decode(raw)
    assert "\r" not in source.text


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"))),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.booleans(),
)
def test_opening_and_saving_unchanged_text_gives_the_same_bytes(
    lines: list[str], newline: str, has_bom: bool, has_final_newline: bool
) -> None:
    body = newline.join(lines) + (newline if has_final_newline else "")
    raw = (b"\xef\xbb\xbf" if has_bom else b"") + body.encode()
    source = decode(raw)
    assert source.is_lossless
    assert encode_like(source.text, source) == raw


@pytest.mark.parametrize("raw", [b"a\r\nb\nc\r\n", b"caf\xe9\n", "x\n".encode("utf-16"), b"\xc3\xa9\xff\n"])
def test_text_that_cannot_be_written_back_as_it_was_says_so(raw: bytes) -> None:
    assert not decode(raw).is_lossless
