"""The benches' own parts."""

from xml.etree import ElementTree

from bench.charts import bar_chart
from bench.pastes import error_lines, nonsense, pastes
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
