"""Questions over real indexes: what is found, in which order, with which words."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.hostile import hostile_questions
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.evaluation import JudgedQuery, read_queries
from kb_app.search.indexing import update_index
from kb_app.search.model import FACETS, Mode, SearchAnswer, SearchRequest, Verdict

PAGES = {
    "alerts/BrokerQueueStuck.md": """\
---
kind: runbook
component: broker
tags: [queue]
---
# BrokerQueueStuck

## Meaning

Messages wait in the broker and nobody takes them.

## Mitigation

1. Restart one consumer.

## Fix

1. Deploy the patched consumer.
""",
    "fixes/lease-lost.md": """\
---
kind: known-fix
state: verified
component: gateway
signatures:
  - "lease lost by holder"
---
# Gateway loses its lease

The log says `lease lost by holder 17, giving up` and exit code 137 follows.

## Mitigation

1. Pin the holder.
""",
    "fixes/lease-notes.md": (
        "# Notes on leases\n\nA lease is renewed. It was lost once, much later, in another story.\n"
    ),
    "codes.md": (
        "# Codes\n\nMail bounces with 550 5.7.133, sign-in fails with 0x8004de8a or AADSTS50020.\n\n"
        "The metric kube_pod_status_phase and the CVE-2020-15930 and `ssh -T git`, E1234 on .NET, HTTP 503.\n"
    ),
    "memory.md": "# Process ends suddenly\n\nThe kernel stopped it: out of memory.\n",
    "disk.md": "# Volume is full\n\nThere is no space left on device, delete old snapshots.\n",
    "refused.md": "# Connection refused\n\nconnection refused by the upstream while dialling\n",
    "old/retired.md": (
        "---\nstate: retired\n---\n# Volume is full\n\nThere is no space left on device, ask the vendor.\n"
    ),
    "copy-a.md": "# Same text\n\nidentical twins about turbines\n",
    "copy-b.md": "# Same text\n\nidentical twins about turbines\n",
    "cjk.md": "# \u78c1\u76d8\u7a7a\u95f4\u4e0d\u8db3\n\n\u8bf7\u6e05\u7406\u65e7\u5feb\u7167\n",
    "accents.md": "# Caf\u00e9 au lait\n\nna\u00efve fa\u00e7ade\n",
}

Ask = Callable[..., SearchAnswer]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    root = tmp_path_factory.mktemp("pages")
    for path, text in PAGES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    folder = tmp_path_factory.mktemp("index") / "ix"
    config = KnowledgeBaseConfig(synonyms=(("zephyr", "gateway"),))
    update_index(root, "team", folder, config)
    opened = SearchEngine.open([IndexedBase("team", folder, config)])
    yield opened
    opened.close()


@pytest.fixture
def ask(engine: SearchEngine) -> Ask:
    return lambda text, **options: engine.search(SearchRequest(text, **options))


def first(answer: SearchAnswer) -> str:
    return answer.hits[0].path if answer.hits else ""


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("5.7.133", "codes.md"),
        ("0x8004de8a", "codes.md"),
        ("AADSTS50020", "codes.md"),
        ("kube_pod_status_phase", "codes.md"),
        ("CVE-2020-15930", "codes.md"),
        ("ssh -T git", "codes.md"),
        ("E1234", "codes.md"),
        (".NET", "codes.md"),
        ("HTTP 503", "codes.md"),
        ("BrokerQueueStuck", "alerts/BrokerQueueStuck.md"),
        ("brokerqueuestuck", "alerts/BrokerQueueStuck.md"),
        ("broker queue stuck", "alerts/BrokerQueueStuck.md"),
        ("alert:BrokerQueueStuck", "alerts/BrokerQueueStuck.md"),
        ("OOM", "memory.md"),
        ("disk full", "disk.md"),
        ("zephyr", "fixes/lease-lost.md"),
        ("conection refusd", "refused.md"),
        ("BrokerQueueStuk", "alerts/BrokerQueueStuck.md"),
        ("connectionrefused", "refused.md"),
        ("\u78c1\u76d8\u7a7a\u95f4", "cjk.md"),
        ("cafe facade", "accents.md"),
        ("Caf\u00e9", "accents.md"),
        ("upstrea", "refused.md"),
    ],
)
def test_the_right_entry_stands_first(ask: Ask, question: str, path: str) -> None:
    assert first(ask(question, is_typing=True)) == path


def test_every_prefix_of_a_name_finds_it_while_typing(ask: Ask) -> None:
    name = "brokerqueuestuck"
    for end in range(3, len(name) + 1):
        assert first(ask(name[:end], is_typing=True)) == "alerts/BrokerQueueStuck.md"


def test_slips_find_what_the_right_words_find_and_are_said(ask: Ask) -> None:
    wrong, right = ask("conection refusd"), ask("connection refused")
    assert first(wrong) == first(right)
    assert wrong.suggestion == "connection refused"
    assert right.suggestion is None


def test_a_correct_english_word_that_no_page_holds_is_not_corrected(ask: Ask) -> None:
    assert ask("refuse dialing umbrella").suggestion is None


def test_words_side_by_side_stand_above_words_apart(ask: Ask) -> None:
    answer = ask("lease lost")
    assert [hit.path for hit in answer.hits[:2]] == ["fixes/lease-lost.md", "fixes/lease-notes.md"]


def test_a_phrase_is_found_word_for_word_only(ask: Ask) -> None:
    assert [hit.path for hit in ask('"lease lost"').hits] == ["fixes/lease-lost.md"]


def test_a_phrase_that_nobody_wrote_is_said_and_its_words_are_searched(ask: Ask) -> None:
    answer = ask('"lost lease holder"')
    assert answer.problems
    assert first(answer) == "fixes/lease-lost.md"


def test_the_whole_query_language(ask: Ask) -> None:
    answer = ask('kind:fix component:gateway has:mitigation state:verified -tag:legacy "lease lost"')
    assert [hit.path for hit in answer.hits] == ["fixes/lease-lost.md"]
    assert answer.explanation.startswith("Verified known fixes of component gateway that have a mitigation")
    assert answer.hits[0].has == ("mitigation",)
    assert ask("-tag:queue broker").total == 0
    assert ask("lease -gateway").hits[0].path == "fixes/lease-notes.md"
    assert {hit.path for hit in ask("tag:queue").hits} == {"alerts/BrokerQueueStuck.md"}


def test_a_value_that_no_entry_has_is_said_and_left_out(ask: Ask) -> None:
    text = "lease component:gatewy"
    answer = ask(text)
    [problem] = answer.problems
    assert "\u201cgatewy\u201d, so it was left out; did you mean \u201ccomponent:gateway\u201d?" in problem
    [(start, end)] = answer.problem_spans
    assert text[start:end] == "component:gatewy"
    assert first(answer) == "fixes/lease-lost.md"


def test_a_value_that_is_being_typed_counts_as_far_as_it_goes(ask: Ask) -> None:
    assert {hit.path for hit in ask("component:gat", is_typing=True).hits} == {"fixes/lease-lost.md"}
    assert ask("component:", is_typing=True).total == len(PAGES)


@pytest.mark.parametrize("question", ["lease lost", "space left gateway broker", "the", ""])
def test_a_count_is_what_choosing_that_value_lists(ask: Ask, question: str) -> None:
    everything = {"knowledge_base": ("team",)} if not question else {}
    for facet, counts in ask(question, filters=everything).facets.items():
        for value, count in counts.items():
            chosen = ask(question, filters={**everything, facet: (value,)}, limit=200)
            assert chosen.total == count, (facet, value)
            assert chosen.facets[facet] == counts


def test_dates_filter_and_say_what_they_mean(ask: Ask) -> None:
    assert ask("lease reviewed:never").total == ask("lease").total
    assert ask("lease reviewed:<180d").total == 0
    assert ask("lease changed:<2d").total == ask("lease").total
    assert ask("lease -changed:<2d").total == 0
    assert ask("lease changed:<2d").explanation == (
        "Entries, whose file changed in the last 2 days, about lease"
    )


def test_what_else_was_searched_is_named(ask: Ask) -> None:
    answer = ask("OOM", explain=True)
    assert any("out of memory" in note and "oom" in note for note in answer.notes)
    assert "searched connection for \u201cconection\u201d, which no entry holds" in ask("conection").notes


def test_words_beside_a_paste_narrow_it(ask: Ask) -> None:
    paste = "2026-03-01 lease lost by holder 17, giving up\n2026-03-01 no space left on device\n"
    assert {"fixes/lease-lost.md", "disk.md"} <= {hit.path for hit in ask(paste).hits}
    narrowed = ask(paste, narrowed_by="component:gateway")
    assert [hit.path for hit in narrowed.hits] == ["fixes/lease-lost.md"]
    assert narrowed.mode is Mode.PASTE


def test_filters_of_the_request_and_of_the_text_add_up(ask: Ask) -> None:
    assert first(ask("lease", filters={"kind": ("known-fix",)})) == "fixes/lease-lost.md"
    assert ask("kind:runbook lease", filters={"component": ("gateway",)}).total == 0
    excluded = ask("lease", filters={"kind": ("-known-fix",)})
    assert [hit.path for hit in excluded.hits] == ["fixes/lease-notes.md"]


def test_facets_count_all_matches(ask: Ask) -> None:
    answer = ask("lease", limit=1)
    assert len(answer.hits) == 1
    assert answer.total == 2
    assert sum(answer.facets["kind"].values()) == 2
    assert answer.facets["component"] == {"gateway": 1}
    assert answer.facets["knowledge_base"] == {"team": 2}
    assert set(answer.facets) == set(FACETS)


@pytest.mark.parametrize(
    "question", ["disk full", "pods restart", "connection refused by the database", "the", "xyzzy"]
)
@pytest.mark.parametrize("limit", [1, 5, 50])
def test_what_is_listed_counted_and_faceted_is_the_same(ask: Ask, question: str, limit: int) -> None:
    answer = ask(question, limit=limit)
    assert len(answer.hits) <= min(limit, answer.total)
    assert sum(answer.facets["kind"].values()) == answer.total
    assert answer.total == ask(question, limit=50).total


def test_a_retired_page_stands_below_its_living_twin(ask: Ask) -> None:
    paths = [hit.path for hit in ask("no space left on device").hits]
    assert paths.index("disk.md") < paths.index("old/retired.md")


def test_identical_pages_are_folded(ask: Ask) -> None:
    answer = ask("identical twins turbines")
    assert [(hit.path, hit.similar) for hit in answer.hits] == [("copy-a.md", 1)]


def test_near_copies_are_folded_and_others_are_not(tmp_path: Path) -> None:
    root = tmp_path / "base"
    root.mkdir()
    words = " ".join(f"turbine{n} blade{n}" for n in range(60))
    for number in range(3):
        (root / f"v{number}.md").write_text(f"# Guide\n\n{words} edition{number}\n", encoding="utf-8")
    (root / "other.md").write_text(f"# Guide\n\nturbine7 blade7 {'story ' * 50}\n", encoding="utf-8")
    update_index(root, "base", tmp_path / "ix", KnowledgeBaseConfig())
    engine = SearchEngine.open([IndexedBase("base", tmp_path / "ix", KnowledgeBaseConfig())])
    answer = engine.search(SearchRequest("turbine7 blade7"))
    engine.close()
    assert {hit.similar for hit in answer.hits} == {0, 2}
    assert len(answer.hits) == 2


def test_related_entries_are_about_the_same(engine: SearchEngine) -> None:
    related = [hit.path for hit in engine.related("team", "fixes/lease-lost.md")]
    assert related[0] == "fixes/lease-notes.md"
    assert "fixes/lease-lost.md" not in related
    assert engine.related("team", "no/such.md") == ()


def test_a_pasted_log_finds_its_line_whatever_varies(ask: Ask) -> None:
    log = "\n".join(
        [
            "2025-03-01T10:00:00Z web-7 app[991]: INFO served /healthz 200 in 3ms",
            "2025-03-01T10:00:01Z web-7 app[991]: ERROR lease lost by holder 42, giving up",
            "2025-03-01T10:00:02Z web-7 app[991]: INFO shutting down",
        ]
    )
    answer = ask(log)
    assert answer.mode is Mode.PASTE
    assert first(answer) == "fixes/lease-lost.md"
    assert answer.verdict is not Verdict.NONE
    hit = answer.hits[0]
    marked = {hit.snippet[a:b].lower() for a, b in hit.snippet_marks}
    assert any("lease" in text for text in marked)
    assert PAGES[hit.path].split("\n")[hit.line - 1].count("lease lost") == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"alerts": [{"labels": {"alertname": "BrokerQueueStuck"}}]}',
        "[FIRING:1] BrokerQueueStuck (prod)\nview",
        "runbook_url: https://books.example.org/BrokerQueueStuck.html",
    ],
)
def test_alerts_as_tools_send_them(ask: Ask, text: str) -> None:
    answer = ask(text)
    assert answer.mode is Mode.ALERT
    assert answer.verdict is Verdict.MATCH
    assert first(answer) == "alerts/BrokerQueueStuck.md"
    assert "alert" in answer.hits[0].why[0]


@pytest.mark.parametrize(
    "text", ["umbrella violin harvest", "umbrella violin\nharvest pigeon cathedral\nlemonade"]
)
def test_text_about_nothing_is_said_to_match_nothing(ask: Ask, text: str) -> None:
    answer = ask(text)
    assert answer.verdict is Verdict.NONE
    assert len(answer.hits) <= 3


def test_marks_and_lines_point_at_the_text(ask: Ask) -> None:
    hit = ask("dialling upstream").hits[0]
    assert (hit.path, hit.line) == ("refused.md", 3)
    assert [hit.snippet[a:b] for a, b in hit.snippet_marks] == ["upstream", "dialling"]
    title = ask("lease").hits[0]
    assert [title.title[a:b] for a, b in title.title_marks] == ["lease"]


def test_a_detailed_answer_says_what_is_missing(ask: Ask) -> None:
    why = ask("lease pineapple", explain=True).hits[0].why
    assert any("lacks pineapple" in reason for reason in why)


HOSTILE = hostile_questions()


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(20)
def test_hostile_questions_are_answered_or_refused_in_words(ask: Ask, name: str) -> None:
    for is_typing in (False, True):
        started = time.perf_counter()
        answer = ask(HOSTILE[name], is_typing=is_typing)
        assert time.perf_counter() - started < 10  # proves an end, measures nothing
        assert answer.hits or answer.problems or answer.verdict is Verdict.NONE
        assert len(answer.query) <= 200


SCRIPTS = Path(__file__).parents[1] / "data/search/scripts"


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    folder = tmp_path_factory.mktemp("scripts")
    update_index(SCRIPTS, "scripts", folder, KnowledgeBaseConfig())
    engine = SearchEngine.open([IndexedBase("scripts", folder, KnowledgeBaseConfig())])
    yield engine
    engine.close()


@pytest.mark.parametrize("judged", read_queries(SCRIPTS.with_suffix(".jsonl")), ids=lambda judged: judged.id)
@pytest.mark.parametrize("is_typing", [False, True])
def test_other_scripts_and_accents_are_found(
    scripts: SearchEngine, judged: JudgedQuery, is_typing: bool
) -> None:
    answer = scripts.search(SearchRequest(judged.query, is_typing=is_typing))
    assert [hit.path for hit in answer.hits[:1]] == list(judged.relevant)
    assert answer.verdict is not Verdict.NONE


def test_marks_of_ideograms_cover_what_was_asked(scripts: SearchEngine) -> None:
    hit = scripts.search(SearchRequest("\u6ca1\u6709\u7a7a\u95f4")).hits[0]
    marked = [hit.snippet[low:high] for low, high in hit.snippet_marks]
    assert marked == ["\u6ca1\u6709\u7a7a\u95f4"]


def test_several_knowledge_bases_are_ranked_together(tmp_path: Path) -> None:
    bases = []
    for name, text in (
        ("one", "# Turbine\n\nblade crack found\n"),
        ("two", "# Notes\n\na blade was bought, crack or none\n"),
    ):
        root = tmp_path / name
        root.mkdir()
        (root / "page.md").write_text(text, encoding="utf-8")
        update_index(root, name, tmp_path / f"{name}-ix", KnowledgeBaseConfig())
        bases.append(IndexedBase(name, tmp_path / f"{name}-ix", KnowledgeBaseConfig()))
    engine = SearchEngine.open(bases)
    answer = engine.search(SearchRequest("blade crack"))
    only = engine.search(SearchRequest("blade kb:two"))
    engine.close()
    assert [hit.knowledge_base for hit in answer.hits] == ["one", "two"]
    assert answer.facets["knowledge_base"] == {"one": 1, "two": 1}
    assert [hit.knowledge_base for hit in only.hits] == ["two"]


def test_without_an_index_there_is_an_answer(tmp_path: Path) -> None:
    engine = SearchEngine.open([IndexedBase("none", tmp_path / "nowhere", KnowledgeBaseConfig())])
    answer = engine.search(SearchRequest("anything"))
    engine.close()
    assert answer.is_partial
    assert answer.verdict is Verdict.NONE
    assert np.isfinite(answer.took_ms)
