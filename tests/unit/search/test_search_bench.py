"""The benches' own parts."""

import json
import tarfile
from pathlib import Path
from xml.etree import ElementTree

from bench.charts import bar_chart, line_chart
from bench.heldout import make
from bench.pastes import error_lines, nonsense, pastes
from bench.run import perturbed
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.entries.reading import parse_entry

PAGE = b"""# DiskFull

```
kubectl get pods --all-namespaces
Error: the volume manager could not attach volume 12345678 to the node
```
"""


def test_error_lines_are_messages_and_not_commands() -> None:
    entry = parse_entry("alerts/DiskFull.md", PAGE, KnowledgeBaseConfig())
    assert list(error_lines([entry])) == [
        "Error: the volume manager could not attach volume 12345678 to the node"
    ]


def test_pastes_follow_from_their_seed_and_vary_what_varies() -> None:
    entry = parse_entry("alerts/DiskFull.md", PAGE, KnowledgeBaseConfig())
    first, second = list(pastes([entry], 1)), list(pastes([entry], 2))
    assert first == list(pastes([entry], 1))
    assert [p.text for p in first] != [p.text for p in second]
    assert all(paste.answers == {"alerts/DiskFull.md"} for paste in first)
    assert not any("12345678" in paste.text for paste in first)
    assert list(nonsense(["word"], 3, 1)) == list(nonsense(["word"], 3, 1))


def test_a_chart_is_well_formed_and_shows_every_value() -> None:
    chart = bar_chart("A <title>", {"one": {"kb_app": 12.0, "fts5": 60.0}})
    texts = [element.text for element in ElementTree.fromstring(chart).iter() if element.text]
    assert {"A <title>", "one", "12", "60"} <= set(texts)


def test_a_chart_of_lines_is_well_formed_and_shows_every_value() -> None:
    chart = line_chart("Growth", {"kb_app": [(1_000, 3.25), (10_000, 12.0)], "fts5": [(1_000, 60.0)]})
    texts = [element.text for element in ElementTree.fromstring(chart).iter() if element.text]
    assert {"Growth", "3.2", "12", "60", "1,000", "10,000", "fts5"} <= set(texts)
    assert ElementTree.fromstring(line_chart("Nothing", {})) is not None


def test_perturbed_pages_have_other_words_in_some_places_only() -> None:
    text = " ".join(f"{chr(97 + n % 26)}word number {n}" for n in range(70))
    other = perturbed(text, 1)
    pairs = list(zip(text.split(), other.split(), strict=True))
    assert 5 < sum(a != b for a, b in pairs) < len(pairs) / 5
    assert other == perturbed(text, 1) != perturbed(text, 2)


def test_texts_of_the_held_out_set_are_taken_out_of_its_pages(tmp_path: Path) -> None:
    source = tmp_path / "base"
    for number in range(45):
        page = source / f"guide/page-{number}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(
            f"# Page {number}\n\n## Rotate the signing keys of cluster{number}\n\nSteps of old{number}.\n\n"
            f"See [how tokens expire{number} quietly](page-{(number + 1) % 45}.md).\n",
            encoding="utf-8",
        )
    (source / "releases").mkdir()
    (source / "releases/v1.md").write_text("# One\n\n## Upgrade the broker nodes slowly\n", encoding="utf-8")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(source, "scale/base")
        archive.add(source / "releases", "scale/other/releases")
    made = make(tmp_path / "a.tar", tmp_path / "set")
    queries = [json.loads(line) for line in (tmp_path / "set/queries.jsonl").read_text().splitlines()]
    assert made == {"howto": 30, "anchor": 30}
    pages = "".join(p.read_text() for p in (tmp_path / "set/pages").rglob("*.md"))
    for query in queries:
        assert query["query"] not in pages
        number = "".join(filter(str.isdigit, query["query"]))
        answer = int(number) if query["kind"] == "howto" else (int(number) + 1) % 45
        assert query["relevant"] == [{"path": f"guide/page-{answer}.md", "grade": 3}]
    assert not any("broker" in query["query"] for query in queries)
