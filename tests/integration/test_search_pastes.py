"""Pastes, near-duplicates and relations over a real index."""

import json
from collections.abc import Iterator

import pytest

from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.indexing import update_index
from kb_app.search.model import Mode, SearchRequest, Verdict

LONG = " ".join(f"word{n} explains how the member list is repaired" for n in range(120))
PAGES = {
    "pg/slot.md": """---
kind: known-fix
product: postgresql
component: wal
affected: ">=13"
fixed_in: "17.1"
signatures: ["could not write to file pg_wal/xlogtemp: No space left on device"]
---
# Slot keeps WAL

See [the internals](wal.md).

## Symptoms

```
PANIC:  could not write to file "pg_wal/xlogtemp.1": No space left on device
```
""",
    "pg/wal.md": "---\nkind: internals\nproduct: postgresql\ncomponent: wal\n---\n# WAL\n\nWAL is a log.\n",
    "pg/locks.md": "---\nproduct: postgresql\ncomponent: wal\n---\n# Locks\n\nSomething else.\n",
    "alerts/KubePodCrashLooping.md": "# KubePodCrashLooping\n\nA pod restarts again and again.\n",
    "alerts/KubePodNotReady.md": "# KubePodNotReady\n\nA pod is not ready for long.\n",
    "other/KubePodCrashLooping.md": "# KubePodCrashLooping\n\nThe other team's page on restarts.\n",
    "docs/4.12/members.md": f"# Members\n\nMembers of turbine clusters.\n\n{LONG}\n\nOnly old.\n",
    "docs/4.14/members.md": f"# Members\n\nMembers of turbine clusters.\n\n{LONG}\n\nOnly new.\n",
    "copies/members.md": f"# Members\n\nMembers of turbine clusters.\n\n{LONG}\n\nOnly new.\n",
}
LOG = """2026-03-04 02:11:08.001 UTC [1] LOG:  starting PostgreSQL 16.2 on x86_64
2026-03-04 02:11:09.101 UTC [1] LOG:  checkpoint starting: time
2026-03-04 02:11:09.871 UTC [4711] PANIC:  could not write to file "pg_wal/xlogtemp.4711": \
No space left on device
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    root = tmp_path_factory.mktemp("pages")
    for path, text in PAGES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    folder = tmp_path_factory.mktemp("index") / "ix"
    update_index(root, "team", folder, KnowledgeBaseConfig())
    opened = SearchEngine.open([IndexedBase("team", folder, KnowledgeBaseConfig())])
    yield opened
    opened.close()


def test_a_paste_names_its_line_the_entrys_line_and_the_version(engine: SearchEngine) -> None:
    best = engine.search(SearchRequest(LOG)).hits[0]
    assert best.path == "pg/slot.md"
    assert best.paste_line == 3
    assert PAGES["pg/slot.md"].split("\n")[best.line - 1].startswith("PANIC")
    assert (best.fit, best.fit_words) == ("fits", "fits 16.2")
    assert f"line 3 of your paste matches its line {best.line}" in best.why
    assert "version: fits 16.2" in best.why


@pytest.mark.parametrize(("version", "fit"), [("17.2", "fixed"), ("12.9", "outside"), ("", "unknown")])
def test_the_version_of_the_paste_decides_the_fit(engine: SearchEngine, version: str, fit: str) -> None:
    log = LOG.replace("PostgreSQL 16.2", f"PostgreSQL {version}")
    assert engine.search(SearchRequest(log)).hits[0].fit == fit


def test_lines_of_paste_and_entry_are_paired(engine: SearchEngine) -> None:
    [match] = engine.compare("team", "pg/slot.md", LOG)
    assert match.paste_line == 3
    assert "PANIC" in PAGES["pg/slot.md"].split("\n")[match.entry_line - 1]
    assert engine.compare("team", "pg/locks.md", LOG) == ()
    assert engine.compare("team", "gone.md", LOG) == ()


def test_an_alert_in_json_finds_all_its_entries_with_the_reason(engine: SearchEngine) -> None:
    alert = {
        "receiver": "team",
        "status": "firing",
        "alerts": [{"labels": {"alertname": "KubePodCrashLooping", "pod": "web-5d9c7b9f6d-abcde"}}],
    }
    answer = engine.search(SearchRequest(json.dumps(alert, indent=2)))
    assert answer.mode is Mode.ALERT
    assert {hit.path for hit in answer.hits[:2]} == {
        "alerts/KubePodCrashLooping.md",
        "other/KubePodCrashLooping.md",
    }
    assert all("it is the entry of the alert KubePodCrashLooping" in hit.why for hit in answer.hits[:2])


@pytest.mark.parametrize(
    "text",
    [
        "[FIRING:1] KubePodNotReady (prod web critical)\nPod web is not ready\nGrafana: https://g.example/d/1",
        "Incident #4711 triggered: KubePodNotReady\nService: web\nalertname: KubePodNotReady\nseverity: high",
        "runbook_url: https://runbooks.example/alerts/KubePodNotReady.md",
        "https://github.com/team/runbooks/blob/main/alerts/KubePodNotReady.md",
    ],
)
def test_other_alert_texts_open_the_right_entry(engine: SearchEngine, text: str) -> None:
    answer = engine.search(SearchRequest(text))
    assert answer.hits[0].path == "alerts/KubePodNotReady.md"
    assert answer.verdict is Verdict.MATCH


def test_near_duplicates_say_how_they_differ(engine: SearchEngine) -> None:
    answer = engine.search(SearchRequest("turbine clusters members"))
    [hit] = [hit for hit in answer.hits if hit.title == "Members"]
    assert hit.similar == len(hit.twins) == 2
    differs = {twin.path: twin.differs for twin in hit.twins}
    old = next(path for path in differs if "4.12" in path or "4.14" in path)
    assert any("the same text" in words for words in differs.values())
    assert any("1 line differs" in words for words in differs.values())
    if "docs" in hit.path:
        assert "instead of" in differs[old]


def test_relations_say_why(engine: SearchEngine) -> None:
    def reasons(path: str) -> dict[str, tuple[str, ...]]:
        return {one.path: one.reasons for one in engine.relations("team", path)}

    assert "linked here" in reasons("pg/slot.md")["pg/wal.md"]
    assert "links here" in reasons("pg/wal.md")["pg/slot.md"]
    assert "same component" in reasons("pg/wal.md")["pg/locks.md"]
    assert "same alert family" in reasons("alerts/KubePodNotReady.md")["alerts/KubePodCrashLooping.md"]
    assert "pg/wal.md" not in reasons("pg/wal.md")
    assert engine.relations("team", "gone.md") == ()
