"""Bytes to text: encoding and line ends are kept as facts, the bytes themselves never change.

Decision: text that is not UTF-8 is still shown. One stray byte in a UTF-8 file becomes U+FFFD; a file whose
only foreign bytes are above 0x7F and that holds no valid multi-byte character is read as Windows-1252, the
common superset of Latin-1, because a readable page beats a page of question marks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kb_app.entries.model import Note, Severity

MAX_ENTRY_BYTES = 2 * 1024 * 1024
"""Larger files are cut here and skipped by the walk; the largest page of 48,000 surveyed has 670 KB."""

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL_BYTES = bytes([*range(9), 11, 12, *range(14, 32), 127])
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class SourceText:
    r"""A file's text and the facts needed to write it back as it was.

    Attributes:
        text: with ``\n`` line ends and without byte order mark.
        encoding: Python codec name the bytes were read with.
        newline: the line end found most often: ``\n``, ``\r\n`` or ``\r``.
        is_mixed: more than one kind of line end occurs.
        has_bom: the file starts with a byte order mark.
        has_final_newline: the last line is ended.
        is_lossless: encoding ``text`` again gives the very same bytes, line ends and mark restored.
        notes: what was odd.
    """

    text: str
    encoding: str = "utf-8"
    newline: str = "\n"
    is_mixed: bool = False
    has_bom: bool = False
    has_final_newline: bool = True
    is_lossless: bool = True
    notes: tuple[Note, ...] = ()


def decode(raw: bytes) -> SourceText:
    """Return the text of ``raw``; never raises, whatever the bytes are."""
    notes: list[Note] = []
    cut = len(raw) > MAX_ENTRY_BYTES
    if cut:
        raw = raw[:MAX_ENTRY_BYTES]
        notes.append(
            Note(
                "oversize",
                Severity.WARNING,
                f"Only the first {MAX_ENTRY_BYTES // 1024} KB of the file are read",
            )
        )
    if not raw.strip():
        notes.append(Note("empty", Severity.WARNING, "The file is empty"))
    has_bom = raw.startswith(_BOM)
    text, encoding = _decoded(raw[3:] if has_bom else raw, notes)
    if has_bom:
        notes.append(Note("bom", Severity.INFO, "The file starts with a byte order mark", 1))
    crlf, returns = text.count("\r\n"), text.count("\r")
    newlines = text.count("\n")
    newline, is_mixed = _line_ends(crlf, returns - crlf, newlines - crlf)
    if returns:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        notes.append(_line_end_note(newline, is_mixed=is_mixed))
    has_controls = len(raw.translate(None, _CONTROL_BYTES)) != len(raw)  # ten times faster than the pattern
    if has_controls and (control := _CONTROLS.search(text)) is not None:
        line = text.count("\n", 0, control.start()) + 1
        message = f"The text holds the control character U+{ord(control.group()):04X}"
        notes.append(Note("control-characters", Severity.WARNING, message, line))
    return SourceText(
        text=text,
        encoding=encoding,
        newline=newline,
        is_mixed=is_mixed,
        has_bom=has_bom,
        has_final_newline=text.endswith("\n") or not text,
        is_lossless=encoding == "utf-8" and not is_mixed and not cut,
        notes=tuple(notes),
    )


def encode_like(text: str, source: SourceText) -> bytes:
    r"""Return ``text`` (``\n`` line ends) as bytes with the line ends and the mark of ``source``.

    For a lossless source, ``encode_like(source.text, source)`` gives back the very bytes it was read from.
    Text that is not UTF-8 is written as UTF-8: call this only when the user has changed something.
    """
    body = text if source.newline == "\n" else text.replace("\n", source.newline)
    return (_BOM if source.has_bom else b"") + body.encode("utf-8", "surrogatepass")


def _decoded(raw: bytes, notes: list[Note]) -> tuple[str, str]:
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
    if raw.startswith(_UTF16_BOMS):
        text, encoding = raw.decode("utf-16", "replace"), "utf-16"
        message, found = "The file is UTF-16; save it as UTF-8 so that Git shows its changes", 1
    else:
        text, encoding, found = raw.decode("utf-8", "replace"), "utf-8-replaced", line
        message = "The file is not valid UTF-8; unreadable bytes are shown as U+FFFD"
        if not any(character > "\x7f" and character != "\ufffd" for character in text):
            text, encoding = raw.decode("cp1252", "replace"), "cp1252"
            message = "The file is not UTF-8; it is read as Windows-1252"
    notes.append(Note("not-utf-8", Severity.WARNING, message, found))
    return text, encoding


def _line_ends(crlf: int, bare_returns: int, newlines: int) -> tuple[str, bool]:
    counts = {"\n": newlines, "\r\n": crlf, "\r": bare_returns}
    newline = max(counts, key=lambda end: counts[end])
    return newline if counts[newline] else "\n", sum(1 for n in counts.values() if n) > 1


def _line_end_note(newline: str, *, is_mixed: bool) -> Note:
    if is_mixed:
        return Note("mixed-line-ends", Severity.INFO, "The file mixes line ends; they are kept as they are")
    name = "CRLF" if newline == "\r\n" else "CR"
    return Note("line-ends", Severity.INFO, f"The file uses {name} line ends; they are kept")


def is_binary(raw: bytes) -> bool:
    """Tell whether bytes are no text: a zero byte among the first 8,000, as Git tells it."""
    return b"\0" in raw[:8000]
