from __future__ import annotations

import pytest

from kb_app.entries.catalogue import Catalogue, card_of, names_of
from kb_app.entries.model import Entry, Kind, KnowledgeBaseConfig, PathKind, ResponsePlan
from kb_app.entries.reading import parse_entry
from kb_app.entries.response import MAX_ENTRIES, resolve_plan
from kb_app.errors import EnvironmentFault

MITIGATION = "## Mitigation\n\nRestart it.\n"
FIX = "## Permanent fix\n\nPatch it.\n"
LEVER = "## Lever: drain\n\nDrain it.\n"


class Base:
    """A knowledge base in memory: path to text."""

    def __init__(self, **texts: str) -> None:
        self.entries: dict[str, Entry] = {}
        self.loaded: list[str] = []
        for path, text in texts.items():
            self.add(path, text)

    def add(self, path: str, text: str) -> None:
        self.entries[path] = parse_entry(path, text.encode(), KnowledgeBaseConfig())

    @property
    def catalogue(self) -> Catalogue:
        return Catalogue(card_of(entry, "kb") for entry in self.entries.values())

    def load(self, path: str) -> Entry:
        self.loaded.append(path)
        if path not in self.entries or "gone" in path:
            raise EnvironmentFault("gone")
        return self.entries[path]

    def plan(self, path: str) -> ResponsePlan:
        return resolve_plan(self.entries[path], self.catalogue, self.load)


def base(texts: dict[str, str]) -> Base:
    return Base(**texts)


def origins(plan: ResponsePlan) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    return (
        [(path.origin, path.entry_path) for path in plan.mitigations],
        [(path.origin, path.entry_path) for path in plan.fixes],
    )


def test_own_paths_come_first_and_nothing_else_is_opened() -> None:
    kb = base({"p/c/a.md": f"# A\n[b](b.md)\n{MITIGATION}{FIX}", "p/c/b.md": f"# B\n{MITIGATION}"})
    assert origins(kb.plan("p/c/a.md")) == ([("own", "p/c/a.md")], [("own", "p/c/a.md")])
    assert kb.loaded == []


def test_a_missing_way_is_taken_from_linked_entries() -> None:
    kb = base({"p/a.md": f"# A\n[b](b.md)\n{FIX}", "p/b.md": f"# Bee\n{MITIGATION}{FIX}"})
    plan = kb.plan("p/a.md")
    assert origins(plan) == ([("linked", "p/b.md")], [("own", "p/a.md")])
    assert plan.mitigations[0].entry_title == "Bee"


def test_links_in_the_text_count_within_the_product_only_written_ones_always() -> None:
    kb = base(
        {
            "p/a.md": "# A\n[b](../q/b.md)\n",
            "p/w.md": "---\nrelated: [b]\n---\n# W\n",
            "q/b.md": f"# B\n{MITIGATION}",
        }
    )
    assert kb.plan("p/a.md").is_empty
    assert origins(kb.plan("p/w.md"))[0] == [("linked", "q/b.md")]


def test_another_page_of_the_same_alert_counts_as_linked() -> None:
    kb = base(
        {
            "p/DiskIsFull.md": "# DiskIsFull\n",
            "q/x.md": f"---\nalerts: [diskisfull]\n---\n# X\n{MITIGATION}",
        }
    )
    assert origins(kb.plan("p/DiskIsFull.md"))[0] == [("linked", "q/x.md")]


def test_levers_of_the_component_then_of_the_product_stand_in_for_a_mitigation() -> None:
    kb = base(
        {
            "p/c/a.md": "# A\n\ntext\n",
            "p/c/lever.md": f"# L\n{LEVER}{FIX}",
            "p/lever.md": f"# P\n{LEVER}",
            "p/d/b.md": "# B\n\ntext\n",
        }
    )
    assert origins(kb.plan("p/c/a.md")) == ([("component", "p/c/lever.md")], [])
    assert origins(kb.plan("p/d/b.md"))[0] == [("product", "p/lever.md"), ("product", "p/c/lever.md")]


def test_a_dependency_lends_its_levers_to_an_entry_without_component() -> None:
    kb = base({"a.md": "---\ndepends_on: [redis]\n---\n# A\n", "x/redis.md": f"# R\n{LEVER}"})
    assert origins(kb.plan("a.md"))[0] == [("component", "x/redis.md")]


def test_an_entry_of_a_component_uses_the_components_own_levers() -> None:
    kb = base(
        {
            "p/c/a.md": "---\ndepends_on: [redis]\n---\n# A\n",
            "p/c/lever.md": f"# L\n{LEVER}",
            "x/redis.md": f"# R\n{LEVER}",
        }
    )
    assert origins(kb.plan("p/c/a.md"))[0] == [("component", "p/c/lever.md")]


def test_none_known_is_no_way_and_retired_or_lost_entries_lend_nothing() -> None:
    kb = base(
        {
            "p/a.md": "# A\n[b](b.md) [c](c.md) [d](gone.md)\n## Mitigation\n\nNone known.\n",
            "p/b.md": f"---\nstate: retired\n---\n# B\n{MITIGATION}",
            "p/c.md": "# C\n## Mitigation\n\nNone.\n",
            "p/gone.md": f"# D\n{MITIGATION}",
        }
    )
    assert kb.plan("p/a.md").is_empty
    assert kb.loaded == ["p/gone.md"]


def test_an_entry_that_lends_both_ways_is_opened_once() -> None:
    kb = base({"p/a.md": "# A\n[b](b.md)\n", "p/b.md": f"# B\n{MITIGATION}{FIX}"})
    assert origins(kb.plan("p/a.md")) == ([("linked", "p/b.md")], [("linked", "p/b.md")])
    assert kb.loaded == ["p/b.md"]
    assert kb.entries["p/b.md"].has(PathKind.FIX)
    assert not kb.entries["p/a.md"].has(PathKind.FIX)


def test_without_a_catalogue_the_plan_is_not_complete() -> None:
    kb = base({"p/a.md": "# A\n[b](b.md)\n", "p/b.md": f"# B\n{MITIGATION}"})
    plan = resolve_plan(kb.entries["p/a.md"], None, kb.load)
    assert (plan.is_empty, plan.is_complete) == (True, False)


def test_the_number_of_entries_opened_is_bounded() -> None:
    texts = {f"p/c/l{n}.md": f"# L{n}\n{LEVER}" for n in range(30)}
    kb = base({"p/c/a.md": "# A\n\ntext\n", **texts})
    assert len(kb.plan("p/c/a.md").mitigations) == MAX_ENTRIES
    assert len(kb.loaded) == MAX_ENTRIES


# --- catalogue ----------------------------------------------------------------------------------------------


CATALOGUE = base(
    {
        "a/one.md": "---\nid: first\naliases: [/old/one.html, https://kb.example.com/one]\n---\n# One\n",
        "a/two.html.md": "# Two\n[x](b/three.md)\n",
        "a/b/three.md": "# DiskIsFull\n## Meaning\nx\n## Impact\ny\n## Workaround\nz\n",
        "a/b/README.md": "# Read\n",
        "c/Case.md": "# Case\n",
        "c/case.md": "# case\n",
        "c/with space.md": "# Space\n",
    }
).catalogue


@pytest.mark.parametrize(
    ("from_path", "target", "found"),
    [
        ("a/one.md", "b/three.md", "a/b/three.md"),
        ("a/b/three.md", "../one.md#part", "a/one.md"),
        ("a/b/three.md", "/a/one.md", "a/one.md"),
        ("a/b/three.md", "/a/one", "a/one.md"),
        ("a/one.md", "two.html", "a/two.html.md"),
        ("a/one.md", "two", "a/two.html.md"),
        ("a/one.md", "b/", "a/b/README.md"),
        ("a/one.md", "b", "a/b/README.md"),
        ("a/one.md", "../c/with%20space.md", "c/with space.md"),
        ("a/one.md", "/A/ONE.md", "a/one.md"),
        ("a/one.md", "#part", "a/one.md"),
        ("a/one.md", "first", "a/one.md"),
        ("c/case.md", "/old/one.html", "a/one.md"),
        ("c/case.md", "https://kb.example.com/one#x", "a/one.md"),
        ("c/case.md", "https://elsewhere.example.com/", None),
        ("a/one.md", "../../outside.md", None),
        ("a/one.md", "none.md", None),
        ("a/one.md", "", None),
    ],
)
def test_links_are_resolved_the_way_people_write_them(from_path: str, target: str, found: str | None) -> None:
    assert CATALOGUE.resolve_link(from_path, target) == found


def test_cards_are_found_by_all_their_names() -> None:
    three = CATALOGUE.by_path("a/b/three.md")
    assert three is not None
    assert (three.kind, three.has, three.alerts) == (Kind.RUNBOOK, ("mitigation",), ("DiskIsFull",))
    assert CATALOGUE.by_alert("DISKISFULL") == (three,)
    assert CATALOGUE.find("three") is three
    assert CATALOGUE.find("DiskIsFull") is three
    assert CATALOGUE.find("a/b/three.md") is three
    assert CATALOGUE.find("nothing") is None
    assert CATALOGUE.by_alias("OLD/one.html") is CATALOGUE.by_id("first")
    assert [card.path for card in CATALOGUE.with_id("case")] == ["c/Case.md", "c/case.md"]
    assert CATALOGUE.twins_of("c/case.md") == ("c/Case.md",)
    assert [card.path for card in CATALOGUE.of_component("A", "B")] == ["a/b/README.md", "a/b/three.md"]
    assert len(CATALOGUE.of_product("a")) == 4
    assert (CATALOGUE.of_product(""), CATALOGUE.of_component("a", "")) == ((), ())
    assert len(CATALOGUE) == 7
    assert names_of(three) == ("three", "DiskIsFull")
