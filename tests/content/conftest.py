"""The starter content, read once: entries, their catalogue, and an index built over the real files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kb_app.entries.catalogue import Catalogue, card_of
from kb_app.entries.knowledge_base import load_config, walk
from kb_app.entries.model import Entry, KnowledgeBaseConfig
from kb_app.entries.reading import read_entry
from kb_app.search.engine import IndexedBase, SearchEngine
from kb_app.search.indexing import update_index
from kb_app.search.model import SearchRequest

sys.path.insert(0, str(Path(__file__).parent))

from content_lab import Lab

CONTENT = Path(__file__).resolve().parents[2] / "content"
NAME = "starter"


@pytest.fixture(scope="session")
def content_root() -> Path:
    return CONTENT


@pytest.fixture(scope="session")
def config() -> KnowledgeBaseConfig:
    return load_config(CONTENT)


@pytest.fixture(scope="session")
def entries(config: KnowledgeBaseConfig) -> Mapping[str, Entry]:
    """Every entry of the content by its path."""
    return {file.path: read_entry(CONTENT, file.path, config) for file in walk(CONTENT, config).files}


@pytest.fixture(scope="session")
def catalogue(entries: Mapping[str, Entry]) -> Catalogue:
    return Catalogue(card_of(entry, NAME) for entry in entries.values())


@pytest.fixture(scope="session")
def indexed(config: KnowledgeBaseConfig, tmp_path_factory: pytest.TempPathFactory) -> IndexedBase:
    folder = tmp_path_factory.mktemp("index")
    update_index(CONTENT, NAME, folder, config)
    return IndexedBase(NAME, folder, config)


@pytest.fixture(scope="session")
def lab(entries: Mapping[str, Entry], indexed: IndexedBase) -> Iterator[Lab]:
    engine = SearchEngine.open([indexed])

    def find(text: str) -> str:
        hits = engine.search(SearchRequest(text, limit=5)).hits
        return hits[0].id if hits else ""

    yield Lab({entry.id: entry for entry in entries.values()}, find)
    engine.close()


@pytest.fixture(autouse=True)
def told_entries(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tell the summary at the end which entries were found and whose commands were run."""
    if "lab" not in request.fixturenames:
        yield
        return
    lab = request.getfixturevalue("lab")
    yield
    request.node.user_properties += [("found", *sorted(lab.found)), ("used", *sorted(lab.used))]
