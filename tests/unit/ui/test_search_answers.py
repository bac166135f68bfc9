from __future__ import annotations

import json

import pytest

from kb_app.plain import from_plain, to_plain
from kb_app.search.model import Mode, SearchAnswer, SearchHit, Verdict
from kb_app.ui.search.answers import read_answer

HIT = SearchHit(
    id="a", path="a.md", title="A", kind="runbook", product="p", component="c", state="verified", score=1.5,
    why=("title",), snippet="the disk", has=("fix",), snippet_marks=((0, 3), (4, 8)), title_marks=((0, 1),),
    line=3,
)  # fmt: skip
ANSWER = SearchAnswer(
    "disk",
    Mode.PASTE,
    Verdict.WEAK,
    3.5,
    7,
    (HIT, HIT),
    {"kind": {"runbook": 2}},
    "desk",
    "words",
    ("a problem",),
)


@pytest.mark.parametrize("answer", [ANSWER, SearchAnswer("", Mode.WORDS, Verdict.NONE, 0.0, 0)])
def test_it_reads_what_the_common_codec_reads(answer: SearchAnswer) -> None:
    plain = json.loads(json.dumps(to_plain(answer)))
    assert read_answer(plain) == from_plain(SearchAnswer, plain) == answer


def test_keys_of_a_newer_worker_are_ignored() -> None:
    plain = to_plain(ANSWER)
    plain["new"] = 1
    plain["hits"][0]["new"] = 1
    assert read_answer(plain) == ANSWER


@pytest.mark.parametrize("plain", [None, [], {}, {"mode": "telepathy"}, {**to_plain(ANSWER), "hits": [{}]}])
def test_what_is_no_answer_is_refused(plain: object) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        read_answer(plain)
