"""Opening a text to be edited and giving its bytes back: what the user did not touch stays byte for byte.

Decision: the editor shows text with one kind of line end and without the few characters an editor cannot
hold. When it is written back, each line that is shown as it was keeps its own bytes, whatever they are; only
the other lines are encoded anew, with the line end most common in the file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb_app.entries.reading import read_bytes
from kb_app.entries.source import MAX_ENTRY_BYTES, SourceText, decode, encode_like
from kb_app.errors import EnvironmentFault, KbError, UsageError
from kb_app.gitstore.names import check_path
from kb_app.gitstore.store import open_store
from kb_app.paths import AppFolders
from kb_app.workspace.bases import OpenBase

_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_UNSHOWN = str.maketrans({"\u2029": "\u2028", "\ufdd0": "\ufffd", "\ufdd1": "\ufffd"})
"""Characters that an editor takes for its own marks, and what is shown in their place; one for one."""


@dataclass(frozen=True, slots=True)
class EditableText:
    r"""A file as it can be edited.

    Attributes:
        raw: its bytes; empty for a file that is not there yet.
        shown: its text with ``\n`` line ends, as an editor shows it.
        source: how the bytes were read.
        base: the commit they belong to; empty for a folder that is only read.
    """

    raw: bytes
    shown: str
    source: SourceText
    base: str = ""

    @property
    def remark(self) -> str:
        """Return what is special about the file, one sentence; empty when nothing is."""
        if self.source.encoding.startswith("utf-16"):
            return "This file is UTF-16; a changed text is written as UTF-8"
        if self.source.encoding == "cp1252":
            return "This file is not UTF-8; lines you do not change keep their bytes"
        if self.source.is_mixed:
            return "This file mixes line ends; lines you do not change keep theirs"
        return ""

    def bytes_of(self, text: str) -> bytes:
        r"""Return the file's bytes for the edited ``text`` (``\n`` line ends).

        ``bytes_of(shown)`` is ``raw``, for any file.
        """
        if text == self.shown:
            return self.raw
        source = self.source
        if source.encoding == "utf-16" or (source.is_lossless and self.shown == source.text):
            return encode_like(text, source)
        return self._spliced(text)

    def _spliced(self, text: str) -> bytes:
        head = b"\xef\xbb\xbf" if self.source.has_bom else b""
        old_lines = self.shown.split("\n")
        raw_lines = _raw_lines(self.raw[len(head) :])
        if len(raw_lines) != len(old_lines):  # an encoding whose line ends are no bytes of their own
            return encode_like(text, self.source)
        new_lines = text.split("\n")
        newline = self.source.newline.encode()
        parts: list[bytes] = []
        for old, new in _aligned(old_lines, new_lines):
            if old is not None:
                content, end = raw_lines[old]
            else:
                content, end = self._encoded(new_lines[new]), newline
            parts += [content, end or newline]
        if parts:
            parts.pop()  # the last line has no end
        return head + b"".join(parts)

    def _encoded(self, line: str) -> bytes:
        if self.source.encoding == "cp1252":
            try:
                return line.encode("cp1252")
            except UnicodeEncodeError:
                pass  # a letter the old encoding does not have; one line of UTF-8 can still be read
        return line.encode("utf-8", "surrogatepass")


def _raw_lines(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Return the lines of ``raw`` with their ends; the last one has none."""
    lines, start = [], 0
    for match in _LINE_ENDS.finditer(raw):
        lines.append((raw[start : match.start()], match.group()))
        start = match.end()
    lines.append((raw[start:], b""))
    return lines


def _aligned(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[int | None, int]]:
    """Yield for each new line its number and that of the old line it is, or None."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    yield from ((number, number) for number in range(head))
    middle = difflib.SequenceMatcher(
        None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False
    )
    for tag, first_old, _, first_new, last_new in middle.get_opcodes():
        for offset in range(last_new - first_new):
            is_same = tag == "equal"
            yield (head + first_old + offset if is_same else None, head + first_new + offset)
    for offset in range(tail, 0, -1):
        yield len(old) - offset, len(new) - offset


def editable(raw: bytes, base: str = "") -> EditableText:
    """Return the text of a file's bytes as it can be edited.

    Raises:
        UsageError: when the file is too large to be edited here.
    """
    if len(raw) > MAX_ENTRY_BYTES:
        raise UsageError(
            f"The file has more than {MAX_ENTRY_BYTES // 1_048_576} MB and is only read",
            "Edit it with another program",
        )
    source = decode(raw)
    return EditableText(raw, source.text.translate(_UNSHOWN), source, base)


def open_text(folders: AppFolders, base: OpenBase, path: str) -> EditableText:
    """Read the file ``path`` of a knowledge base to edit it; nothing is written.

    Raises:
        UsageError: when the path leads out, is no file, or the file is too large.
        EnvironmentFault: when it cannot be read.
    """
    before = present_commit(folders, base)
    text = editable(read_bytes(base.root, path), before)
    after = present_commit(folders, base) if before else ""
    if before != after:  # a sync went through while the file was read
        return editable(read_bytes(base.root, path), after)
    return text


def present_commit(folders: AppFolders, base: OpenBase) -> str:
    """Return the commit that our copy of ``base`` stands at; empty for a folder, or while nobody can tell."""
    try:
        store = open_store(folders)
        clone = store.area.owner_of(base.root)
        return "" if clone is None or store.program is None else store.queue.head(clone.name)
    except KbError:
        return ""


def present_bytes(base: OpenBase, path: str) -> bytes:
    """Return the bytes of a file as they are now; empty when it is gone or cannot be read."""
    try:
        return read_bytes(base.root, path)
    except (EnvironmentFault, UsageError):
        return b""


def patch_text(path: str, before: bytes, after: bytes) -> bytes:
    """Return a change of one text file as a patch that ``git apply`` and ``patch -p1`` take.

    Raises:
        UsageError: when the path cannot be used.
    """
    check_path(path)
    old, new = _split(before), _split(after)
    name = path.encode()
    head = [b"diff --git a/" + name + b" b/" + name + b"\n"]
    if not before:
        head.append(b"new file mode 100644\n")
    source = b"/dev/null" if not before else b"a/" + name
    lines = difflib.diff_bytes(difflib.unified_diff, old, new, source, b"b/" + name, lineterm=b"\n")
    body = [line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines]
    return b"".join([*head, *body])


def _split(raw: bytes) -> list[bytes]:
    lines = raw.split(b"\n")
    kept = [line + b"\n" for line in lines[:-1]]
    return [*kept, lines[-1]] if lines[-1] else kept
