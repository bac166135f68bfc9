from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_app.entries.inference import id_of, parse_day, slug_id, stem_of
from kb_app.entries.model import Audience, Entry, Kind, KnowledgeBaseConfig, State
from kb_app.entries.reading import parse_entry


def parse(text: str, path: str = "x.md", config: KnowledgeBaseConfig | None = None) -> Entry:
    return parse_entry(path, text.encode(), config or KnowledgeBaseConfig())


@pytest.mark.parametrize(
    ("path", "stem", "name"),
    [
        ("a/KubePodCrash.md", "KubePodCrash", "kubepodcrash"),
        ("a.html.md.erb", "a", "a"),
        ("a.gotmpl.md", "a", "a"),
        ("redis/README.md", "README", "redis-readme"),
        ("redis/_index.md", "_index", "redis"),
        ("README.md", "README", "readme"),
        ("a/Größe ü.md", "Größe ü", "groe-u"),
        (".md", "entry", "entry"),
    ],
)
def test_stems_and_ids_come_from_the_path(path: str, stem: str, name: str) -> None:
    assert (stem_of(path), id_of(path)) == (stem, name)


def test_an_id_without_latin_letters_is_still_an_id() -> None:
    assert id_of("含义.md").startswith("entry-")
    assert id_of("含义.md") != id_of("影响.md")


@pytest.mark.parametrize(
    ("text", "path", "title", "headline", "origin"),
    [
        (
            "---\ntitle: Spaced Words\n---\n# SpacedWords\n",
            "x.md",
            "Spaced Words",
            "SpacedWords",
            "from front matter",
        ),
        ("---\ntitle: Same\n---\n# Same\n", "x.md", "Same", "", "from front matter"),
        ("# The **H1** `x`\n", "x.md", "The H1 x", "", "from the first heading"),
        ("Title\n=====\n", "x.md", "Title", "", "from the first heading"),
        ("# <%= page.title %>\n", "disk-full_now.md", "Disk full now", "", "from the file name"),
        ("---\ntitle: '{{ .Name }}'\n---\n# Real\n", "x.md", "Real", "", "from the first heading"),
        ("text only\n", "DiskFullSoon.md", "DiskFullSoon", "", "from the file name"),
        ("", "redis/README.md", "Redis", "", "from the file name"),
        ("## Only H2\n", "my page.md", "My page", "", "from the file name"),
    ],
)
def test_titles(text: str, path: str, title: str, headline: str, origin: str) -> None:
    entry = parse(text, path)
    assert (entry.title, entry.headline, entry.provenance["title"]) == (title, headline, origin)


@pytest.mark.parametrize(
    ("text", "path", "kind", "origin"),
    [
        ("---\nkind: Known Fix\n---\n", "x.md", Kind.KNOWN_FIX, "from front matter"),
        ("---\nkind: runbooks\n---\n", "x.md", Kind.RUNBOOK, "from front matter"),
        ("# A\n", "known-fixes/x.md", Kind.KNOWN_FIX, "from the folder known-fixes/"),
        ("# A\n", "a/internals/b/x.md", Kind.INTERNALS, "from the folder internals/"),
        ("# A\n## Cause\nx\n## Resolution\ny\n", "x.md", Kind.KNOWN_FIX, "from headings"),
        ("# A\n## Diagnosis\nx\n## Mitigation\ny\n", "x.md", Kind.RUNBOOK, "from headings"),
        ("# DiskIsFull\n", "DiskIsFull.md", Kind.RUNBOOK, "because it names an alert"),
        ("---\nsignatures: [No space left]\n---\n", "x.md", Kind.KNOWN_FIX, "because it has signatures"),
        ("---\ndepends_on: [redis]\n---\n", "x.md", Kind.INTERNALS, "from front matter keys"),
        ("# ADR\n## Status\n## Decision\n", "x.md", Kind.NOTE, "nothing says otherwise"),
    ],
)
def test_kinds(text: str, path: str, kind: Kind, origin: str) -> None:
    entry = parse(text, path)
    assert (entry.kind, entry.provenance["kind"]) == (kind, origin)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("Title\n===\n\nSub\n---\n", [("setext-headings", 1)]),
        ("# A\n\n{{< ref x >}} {% y %}\n<%= z %>\n", [("template-tags", 3)]),
        ("# A\n\n```\n{{< x >}}\n```\n{ x } {{ y }}\n", []),
    ],
)
def test_old_headings_and_template_tags_are_noted_once(text: str, notes: list[tuple[str, int]]) -> None:
    assert [(note.code, note.line) for note in parse(text).notes] == notes


@pytest.mark.parametrize("key", ["kind", "state"])
def test_unknown_values_become_notes_with_their_line(key: str) -> None:
    entry = parse(f"---\ntitle: x\n{key}: tpyo\n---\n")
    assert [(note.code, note.line) for note in entry.notes] == [("unknown-value", 3)]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("", State.UNVERIFIED),
        ("---\nstate: verified\n---\n", State.VERIFIED),
        ("---\ndraft: true\n---\n", State.DRAFT),
        ("---\ndraft: false\n---\n", State.UNVERIFIED),
    ],
)
def test_states(text: str, state: State) -> None:
    assert parse(text).state is state


def test_foreign_audiences_are_left_alone() -> None:
    assert parse("---\naudience: ITPro\n---\n").audience is Audience.INTERNAL
    assert parse("---\naudience: public\n---\n").audience is Audience.PUBLIC
    assert parse("---\naudience: ITPro\n---\n").notes == ()


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("postgresql/wal/x.md", ("postgresql", "wal")),
        ("content/runbooks/node/x.md", ("node", "")),
        ("redis/v7.2/_includes/cluster/x.md", ("redis", "cluster")),
        ("docs/deprecated_runbooks/x.md", ("", "")),
        ("x.md", ("", "")),
    ],
)
def test_product_and_component_come_from_folders(path: str, place: tuple[str, str]) -> None:
    entry = parse("# A\n", path)
    assert (entry.product, entry.component) == place


def test_globs_and_front_matter_come_before_folders() -> None:
    config = KnowledgeBaseConfig(products={"a/**": "mapped"}, components={"a/*": "part"})
    entry = parse("# A\n", "a/x.md", config)
    assert (entry.product, entry.component, entry.provenance["product"]) == ("mapped", "part", "from kb.yml")
    entry = parse("---\nproduct: [one, two]\n---\n", "a/x.md", config)
    assert (entry.product, entry.provenance["product"]) == ("one, two", "from front matter")


def test_tags_join_several_keys_and_folders() -> None:
    entry = parse("---\ntags: a, b\ncategories: [c, a]\n---\n", "pg/wal/x.md")
    assert entry.tags == ("a", "b", "c", "pg", "wal")


@pytest.mark.parametrize(
    ("text", "day", "every", "codes"),
    [
        ("reviewed: 2025-05-02", dt.date(2025, 5, 2), 365, []),
        ("last_reviewed_on: 2024-1-3\nreview_in: 6 months", dt.date(2024, 1, 3), 180, []),
        ("ms.date: 01/31/2023", dt.date(2023, 1, 31), 365, []),
        ("date: 2021-03-09T10:00:00Z", dt.date(2021, 3, 9), 365, []),
        ("date: May 20, 2021", dt.date(2021, 5, 20), 365, []),
        ("date: 20 September 2021", dt.date(2021, 9, 20), 365, []),
        ("date: some day in 2021", None, 365, []),
        ("reviewed: Foo 20 2021", None, 365, ["bad-date"]),
        ("reviewed: 2025-13-40", None, 365, ["bad-date"]),
        ("reviewed: soon", None, 365, ["bad-date"]),
        ("review_every: often", None, 365, ["bad-duration"]),
        ("kind: runbook", None, 180, []),
    ],
)
def test_review_dates(text: str, day: dt.date | None, every: int, codes: list[str]) -> None:
    entry = parse(f"---\n{text}\n---\n\nSome text.\n")
    assert (entry.reviewed, entry.review_every_days) == (day, every)
    assert [note.code for note in entry.notes] == codes


@pytest.mark.parametrize(
    ("written", "severity"),
    [
        ("sev1", "sev1"),
        ("SEV-2", "sev2"),
        ("P3", "sev3"),
        ("critical", "sev1"),
        ("warning", "sev3"),
        ("huge", ""),
    ],
)
def test_severities(written: str, severity: str) -> None:
    entry = parse(f"---\nseverity: {written}\n---\n")
    assert entry.severity == severity
    assert bool(entry.notes) is (severity == "")


@pytest.mark.parametrize(
    ("text", "path", "alerts"),
    [
        ("---\nalerts: [A, B, A]\n---\n# DiskIsFull\n", "DiskIsFull.md", ("A", "B")),
        ("# KubePodCrashLooping\n", "KubePodCrashLooping.md", ("KubePodCrashLooping",)),
        ("# etcdMembersDown\n", "etcdMembersDown.md", ("etcdMembersDown",)),
        ("# KubeX [Deprecated]\n", "KubeX.md", ()),
        ("# KubePodLost [Deprecated]\n", "KubePodLost.md", ("KubePodLost",)),
        ("# MDSCacheHigh\n## Meaning\nx\n## Impact\ny\n", "CephMdsHigh.md", ("MDSCacheHigh", "CephMdsHigh")),
        ("# Watchdog\n## Meaning\nx\n## Impact\ny\n", "Watchdog.md", ("Watchdog",)),
        ("# PostgreSQL\n\ntext\n", "postgresql.md", ()),
        ("# PostgreSQL\n\ntext\n", "PostgreSQL.md", ()),
        ("# PostgreSQL\n\ntext\n", "databases.md", ()),
        ("# PSConsoleHostReadLine\n\ntext\n", "PSConsoleHostReadLine.md", ()),
        ("# PostgreSQL\n\ntext\n", "runbooks/PostgreSQL.md", ()),
        ("# PSConsoleHostReadLine\n\ntext\n", "alerts/PSConsoleHostReadLine.md", ("PSConsoleHostReadLine",)),
        ("# Get\n### SessionIdParameterSet\nx\n", "get.md", ()),
        ("# Redis\n## RedisMemoryUsageTooHigh\nx\n", "redis.md", ("RedisMemoryUsageTooHigh",)),
        ("# Redis\n## Useful links\nx\n", "redis.md", ()),
    ],
)
def test_alerts(text: str, path: str, alerts: tuple[str, ...]) -> None:
    assert set(parse(text, path).alerts) == set(alerts)


def test_signatures_are_what_the_machine_said() -> None:
    entry = parse(
        "# T\n## Symptoms\nIt prints `could not write to file x` and `pod`, run `kubectl get pods -A now`:\n"
        "```\n$ psql -c x\nERROR: No space left on device\nall went well today\n```\n"
        "## Cause\n`this is not a symptom`\n"
    )
    assert entry.signatures == ("could not write to file x", "ERROR: No space left on device")
    assert entry.provenance["signatures"] == "from the symptoms"
    assert parse("---\nsignatures: ['/x.y/']\n---\n").signatures == ("/x.y/",)


def test_there_are_at_most_twenty_signatures() -> None:
    lines = "\n".join(f"error number {n} has happened" for n in range(50))
    assert len(parse(f"# T\n## Symptoms\n```\n{lines}\n```\n").signatures) == 20


@pytest.mark.parametrize(
    ("text", "is_stub"),
    [
        ("---\ntitle: x\n---\n", True),
        ("# A\n", True),
        ("# A\n\nTODO\n", True),
        ("# A\n\nThis page has been moved to [b](b.md).\n", True),
        ("# A [Deprecated]\n\nLong text " + "x " * 100, True),
        ("---\ntitle: Plain\n---\n# A [Deprecated]\n\nText.\n", True),
        ("---\nstate: retired\n---\n# A\n\nText.\n", True),
        ("# A\n\n- [a](a.md)\n- [b](b.md)\n- https://x.y\n", True),
        ("# A\n\nReal text about something.\n", False),
        ("# A\n\n- [a](a.md) which explains it all\n- b\n- c\n", False),
        ("# A\n\n" + "A line of text.\n" * 60 + "It was moved to b.\n", False),
        ("# A\n\n" + "- [a](a.md)\n" * 60, True),
    ],
)
def test_stubs(text: str, is_stub: bool) -> None:
    assert parse(text).is_stub is is_stub


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("---\ndescription: What **it** is.\n---\n# A\n\nOther.\n", "What it is."),
        ("# A\n\nFirst one. Second one. Third one.\n\nMore.\n", "First one. Second one."),
        ("# A\n\nIntro.\n\n## Meaning\n\nThe disk\nis full.\n", "The disk is full."),
        ("# A\n\n```\ncode\n```\n\n> quote\n\n- item\n\nProse.\n", "Prose."),
        ("# A\n\nText\n- item\n", "Text"),
        ("# A\n", ""),
        ("# A\n\nText\n```\ncode\n```\n", "Text"),
    ],
)
def test_summaries(text: str, summary: str) -> None:
    assert parse(text).summary == summary


def test_long_summaries_are_clipped_at_a_word() -> None:
    summary = parse("# A\n\n" + "word " * 200).summary
    assert len(summary) <= 240
    assert summary.endswith("word…")


def test_links_are_found_outside_code() -> None:
    entry = parse(
        '# A\n[one](a.md) ![pic](i.png) `[no](x.md)` [`code`](b.md#x "title")\n'
        "```\n[no](y.md)\n```\n[ref][R] [short] <https://x.y/z>\n"
        '[![img](i2.png)](target.md) [h]({{< ref "./h.md" >}}) [p](<with space.md>) [w](a_(b).md)\n\n'
        "[r]: c.md\n[short]: <d.md> 'T'\n"
    )
    assert [(link.target, link.line, link.is_image) for link in entry.links] == [
        ("a.md", 2, False), ("i.png", 2, True), ("b.md#x", 2, False), ("c.md", 6, False), ("d.md", 6, False),
        ("https://x.y/z", 6, False), ("i2.png", 7, True), ("with space.md", 7, False), ("a_(b).md", 7, False),
        ("target.md", 7, False), ("./h.md", 7, False),
    ]  # fmt: skip
    assert entry.links[2].text == "`code`"
    assert entry.related == ("a.md", "b.md", "c.md", "d.md", "with space.md", "a_(b).md", "target.md", "h.md")
    assert entry.provenance["related"] == "from links in the text"


def test_the_number_of_links_is_bounded() -> None:
    assert len(parse("[a](b.md)\n" * 5_000).links) == 2_000


def test_related_files_stay_inside_and_are_counted_once() -> None:
    entry = parse("[a](../y.md) [b](../../z.md) [c](y.md) [d](/root.md) [e](y.md?x#y) [s](x.md)\n", "d/x.md")
    assert entry.related == ("y.md", "d/y.md", "root.md")
    assert len(parse("".join(f"[a](p{n}.md)\n" for n in range(80))).related) == 50


def test_the_owner_key_of_other_programs_counts() -> None:
    entry = parse("---\nowner_slack: '#team'\n---\n")
    assert (entry.owner, entry.provenance["owner"]) == ("#team", "from front matter owner_slack")


def test_a_written_id_counts_if_it_is_one() -> None:
    assert parse("---\nid: my-id\n---\n").id == "my-id"
    assert parse("---\nid: Not An Id\n---\n").id == "x"


def test_unknown_keys_are_kept() -> None:
    assert parse("---\nweird key: v\n---\n").front_matter == {"weird key": "v"}


@settings(deadline=None)
@given(st.text(max_size=30))
def test_ids_are_portable(text: str) -> None:
    assert slug_id(text).isascii()
    assert id_of(f"{text.replace('/', '')}.md")


@settings(deadline=None)
@given(st.text("0123456789-/", max_size=12))
def test_any_text_is_a_day_or_none(text: str) -> None:
    parse_day(text)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_an_entry(raw: bytes) -> None:
    entry = parse_entry("a/b.md", raw, KnowledgeBaseConfig())
    assert entry.size_bytes == len(raw)
    assert entry.title
