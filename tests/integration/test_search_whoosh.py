"""Whoosh itself, looking at the same index through the codec, sees what was written."""

from pathlib import Path

import pytest
from whoosh import query
from whoosh.index import FileIndex

from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.search.codec import INDEX_NAME, SurfaceText, schema
from kb_app.search.indexing import update_index
from kb_app.search.storage import IndexStorage

TEXTS = {
    "a.md": "# Lease lost\n\nThe lease was lost by kube_pod_status.\n",
    "b.md": "# Broker\n\nlost lost lost\n\n```\nlease\n```\n",
    "c.md": "# Third\n\nnothing of note\n",
}


@pytest.fixture
def index(tmp_path: Path) -> FileIndex:
    root = tmp_path / "base"
    root.mkdir()
    for path, text in TEXTS.items():
        (root / path).write_text(text, encoding="utf-8")
    update_index(root, "base", tmp_path / "ix", KnowledgeBaseConfig())
    (root / "c.md").unlink()
    update_index(root, "base", tmp_path / "ix", KnowledgeBaseConfig())
    return FileIndex(IndexStorage(tmp_path / "ix"), schema(), INDEX_NAME)


def test_its_reader_sees_terms_documents_and_deletions(index: FileIndex) -> None:
    reader = index.reader()
    assert (reader.doc_count(), reader.has_deletions()) == (2, reader.doc_count_all() > 2)
    assert reader.frequency("body", "lost") == 4
    assert reader.doc_frequency("body", "lost") == 2
    assert reader.doc_frequency("code", "lease") == 1
    assert reader.doc_frequency("body", "kube_pod_status") == 1
    assert ("body", "pigeon") not in reader
    assert {reader.stored_fields(n)["path"] for n in reader.all_doc_ids()} == {"a.md", "b.md"}
    reader.close()


def test_its_searcher_answers_from_the_columns(index: FileIndex) -> None:
    with index.searcher() as searcher:
        found = searcher.search(query.Or([query.Term("body", "lost"), query.Term("code", "lease")]))
        assert [hit["path"] for hit in found] == ["b.md", "a.md"]
        assert [hit["path"] for hit in searcher.search(query.Term("name", "broker"))] == ["b.md"]


def test_the_field_type_yields_what_the_index_holds(index: FileIndex) -> None:
    counts = {key.decode(): frequency for key, frequency, _, _ in SurfaceText().index("Lost kube_pod lost")}
    assert counts == {"kube": 1, "kube_pod": 1, "lost": 2, "pod": 1}
    reader = index.reader()
    assert all(("body", term) in reader for term in ("kube", "pod", "lost"))
    reader.close()
