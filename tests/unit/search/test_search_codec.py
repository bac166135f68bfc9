"""What damaged segments and manifests do: they are refused, never misread."""

import io
from pathlib import Path

import numpy as np
import pytest

from kb_app.entries.model import EntryCard, Kind, State
from kb_app.search.columns import MAGIC, DamagedIndexError, Segment, build_segment, encode_cold, encode_hot
from kb_app.search.documents import Analyser, IndexedDocument, Lines, compact_name, is_aside
from kb_app.search.manifest import FileRecord, Manifest, discard, read_manifest, write_manifest


def one_page() -> IndexedDocument:
    lines = Lines()
    lines.add_values(0, ["a name"])  # type: ignore[arg-type]
    card = EntryCard("base", "p.md", "p", "A name", Kind.NOTE, State.VERIFIED, "", "")
    return IndexedDocument(card, ("A name",), lines, "text")


def test_a_segment_survives_the_way_through_its_files() -> None:
    data = build_segment([Analyser().chunk([one_page()])])
    segment = Segment.from_bytes(encode_hot(data), io.BytesIO(b"".join(encode_cold(data))), ())
    assert segment.terms == data.terms
    assert segment.paths == ["p.md"]
    assert segment.named("aname").tolist() == [0]
    assert segment.card(0)[0]["title"] == "A name"
    for name, array in data.arrays.items():
        np.testing.assert_array_equal(segment.arrays[name], array)


@pytest.mark.parametrize(
    "hot", [b"", MAGIC, MAGIC + b"\xff\xff\xff\xff", b"x" * 100, MAGIC + b"\x02\0\0\0{}"]
)
def test_bytes_that_are_no_segment_are_refused(hot: bytes) -> None:
    with pytest.raises(DamagedIndexError):
        Segment.from_bytes(hot, io.BytesIO(), ())


def test_a_piece_that_was_changed_is_refused() -> None:
    data = build_segment([Analyser().chunk([one_page()])])
    cold = bytearray(b"".join(encode_cold(data)))
    cold[-3] ^= 1
    segment = Segment.from_bytes(encode_hot(data), io.BytesIO(bytes(cold)), ())
    with pytest.raises(DamagedIndexError):
        segment.card(0)
    segment.close()
    with pytest.raises(DamagedIndexError):
        segment.text(0)


def test_a_manifest_is_read_back_or_refused(tmp_path: Path) -> None:
    manifest = Manifest(3, "base", "hash", FileRecord("toc", 1, "ab"))
    assert read_manifest(tmp_path) is None
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    file = tmp_path / "manifest.json"
    data = file.read_bytes()
    for spot in range(0, len(data), 7):
        file.write_bytes(data[:spot] + bytes([data[spot] ^ 1]) + data[spot + 1 :])
        with pytest.raises(DamagedIndexError):
            read_manifest(tmp_path)
    file.write_bytes(data[:-1])
    with pytest.raises(DamagedIndexError):
        read_manifest(tmp_path)
    discard(tmp_path)
    assert read_manifest(tmp_path) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("docs/release_notes/v1.2.md", True),
        ("CHANGELOG.md", True),
        ("adr/0001-use-git.md", True),
        ("templates/page.md", True),
        ("runbooks/TemplateValidatorDown.md", False),
        ("docs/release.md", False),
        ("news-service/restart.md", False),
    ],
)
def test_records_beside_the_knowledge_are_told_by_whole_names(path: str, expected: bool) -> None:
    assert is_aside(path) is expected


def test_names_are_compared_by_letters_and_digits() -> None:
    assert (
        compact_name("Kube Pod Crash-Looping") == compact_name("KubePodCrashLooping") == "kubepodcrashlooping"
    )
