"""Where a copy comes from, stated in the copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.entries.front_matter import read_front_matter
from kb_app.search.model import Mode, SearchAnswer, SearchHit, Verdict
from kb_app.workspace.copies import Copies, prefer_copies
from kb_app.workspace.origins import Origin, blob_of, origin_of, with_origin, without_origin

ORIGIN = Origin('Team "A": base', "fixes/läse lost.md", "a" * 40)
TEXTS = st.one_of(
    st.text(alphabet="ab#:-\n\r \ufeff+", max_size=60),
    st.lists(
        st.sampled_from(["---", "+++", "title: x", "tags: [a, b]", "# H", "", "text", "origin: mine"]),
        max_size=8,
    ).map("\n".join),
)


def stated(text: str) -> Origin | None:
    return origin_of(read_front_matter(text.removeprefix("\ufeff").splitlines()).values)


@pytest.mark.parametrize(
    "text",
    [
        "# No front matter\n",
        "---\ntitle: x\n---\n# With\n",
        "---\r\ntitle: x\r\n---\r\n# Windows\r\n",
        "\ufeff---\ntitle: x\n---\n# With a mark\n",
        "+++\ntitle = 'x'\n+++\n# TOML\n",
        "",
        "---\n---\n",
    ],
)
def test_an_origin_is_stated_and_taken_back_byte_for_byte(text: str) -> None:
    copy = with_origin(text, ORIGIN)
    assert stated(copy) == ORIGIN
    assert without_origin(copy) == text
    newer = Origin(ORIGIN.base, ORIGIN.path, "b" * 40)
    assert stated(with_origin(copy, newer)) == newer
    assert without_origin(with_origin(copy, newer)) == text


@given(TEXTS)
def test_nothing_of_a_text_is_lost_whatever_it_is(text: str) -> None:
    clean = without_origin(text)
    copy = with_origin(text, ORIGIN)
    assert without_origin(copy) == clean
    assert with_origin(copy, ORIGIN) == copy


def test_the_name_of_bytes_is_gits_own(tmp_path: Path) -> None:
    for raw in (b"", b"# A\n", b"\0\xff" * 500):
        named = subprocess.run(["git", "hash-object", "--stdin"], input=raw, capture_output=True, check=True)
        assert blob_of(raw) == named.stdout.decode().strip()


def test_half_an_origin_is_none() -> None:
    assert origin_of({"origin_base": "x", "origin_path": "y"}) is None
    assert origin_of({"origin_base": "x", "origin_path": "y", "origin_blob": "zz"}) is None
    assert origin_of({"origin_base": ("x",), "origin_path": "y", "origin_blob": "a" * 40}) is None


def hit(base: str, path: str) -> SearchHit:
    return SearchHit(
        knowledge_base=base, id=path, path=path, title=path, kind="note", product="", component="",
        state="", score=1.0,
    )  # fmt: skip


def answer(*hits: SearchHit) -> SearchAnswer:
    return SearchAnswer("q", Mode.WORDS, Verdict.MATCH, 1.0, total=len(hits) + 5, hits=hits)


def test_a_copy_stands_once_in_the_better_place() -> None:
    copies = Copies("mine", {("team", "a.md"): "team/a.md"})
    found = prefer_copies(
        answer(hit("x", "0.md"), hit("team", "a.md"), hit("x", "1.md"), hit("mine", "team/a.md")), copies
    )
    assert [(h.knowledge_base, h.path) for h in found.hits] == [
        ("x", "0.md"),
        ("mine", "team/a.md"),
        ("x", "1.md"),
    ]
    assert found.total == 8


def test_an_origin_whose_copy_does_not_match_stays() -> None:
    copies = Copies("mine", {("team", "a.md"): "team/a.md"})
    asked = answer(hit("team", "a.md"), hit("mine", "other.md"))
    assert prefer_copies(asked, copies) == asked
    assert prefer_copies(asked, Copies()) == asked
