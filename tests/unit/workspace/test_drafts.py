"""Drafts survive what may happen to them; contributions are said in plain words."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from kb_app.entries.knowledge_base import walk
from kb_app.entries.model import KnowledgeBaseConfig
from kb_app.entries.reading import parse_entry
from kb_app.errors import EnvironmentFault, UsageError
from kb_app.paths import app_folders
from kb_app.settings import Settings
from kb_app.workspace.bases import OpenBase, open_base
from kb_app.workspace.contributing import (
    FlagKind,
    begin_edit,
    changed_sections,
    edits_of,
    entry_about,
    flag_draft,
    is_same_error,
    leaks_of,
    new_draft,
    proposed_title,
    retitled,
    with_front_matter,
    with_signatures,
)
from kb_app.workspace.drafts import DraftStore, TextDraft, drafts_about, signatures_of
from kb_app.workspace.editing import editable

PASTE = (
    "2026-03-04 02:11:09 UTC [4711] ERROR: could not write block 17 of relation base/16384/2619\nINFO: fine\n"
)


@pytest.fixture
def base(tmp_path: Path) -> OpenBase:
    folder = tmp_path / "kb"
    (folder / "known-fixes").mkdir(parents=True)
    (folder / "a.md").write_bytes(b"# A\r\n\r\n## Cause\r\nold\r\n")
    return open_base(folder, app_folders())


@pytest.fixture
def store() -> DraftStore:
    return DraftStore(app_folders().drafts)


def begun(store: DraftStore, base: OpenBase, text: str = "") -> TextDraft:
    opened = editable((base.root / "a.md").read_bytes())
    draft = begin_edit(base, "a.md", "A", opened)
    return store.begin(replace(draft, text=text or opened.shown), opened.raw)


def test_a_draft_is_listed_read_again_and_gives_the_changed_bytes(store: DraftStore, base: OpenBase) -> None:
    draft = begun(store, base, "# A\n\n## Cause\nnew\n")
    again = DraftStore(store.folder)
    assert again.all() == (draft,)
    assert again.of_entry(base.root, "a.md") == draft
    [edit] = edits_of(again, draft)
    assert edit.content == b"# A\r\n\r\n## Cause\r\nnew\r\n"
    assert (base.root / "a.md").read_bytes() == b"# A\r\n\r\n## Cause\r\nold\r\n"


def test_a_deleted_draft_comes_back(store: DraftStore, base: OpenBase) -> None:
    draft = begun(store, base)
    store.set_aside(draft.id)
    assert store.all() == ()
    assert store.bring_back(draft.id) == draft
    with pytest.raises(UsageError):
        store.get("../../etc")


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_full_disk_leaves_the_saved_text_and_says_so(
    store: DraftStore, base: OpenBase, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    draft = begun(store, base)
    before = (store.folder / draft.id / "draft.json").read_bytes()
    count = 0
    real = os.fsync

    def full(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count == call:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    is_saved = True
    if call <= 2:  # the file, then the folder
        is_saved = False
        with pytest.raises(EnvironmentFault, match="No space left on device"):
            store.save(draft)
    else:
        store.save(draft)
    monkeypatch.setattr(os, "fsync", real)
    after = (store.folder / draft.id / "draft.json").read_bytes()
    assert is_saved or call == 2 or after == before
    assert store.get(draft.id).text == draft.text
    assert [f.name for f in (store.folder / draft.id).iterdir() if f.name.startswith(".")] == []
    assert store.save(draft).text == draft.text


@pytest.mark.expects_warnings
def test_a_damaged_draft_is_left_alone_and_the_others_are_listed(store: DraftStore, base: OpenBase) -> None:
    draft, other = begun(store, base), begun(store, base)
    (store.folder / draft.id / "draft.json").write_bytes(b"{")
    assert [d.id for d in store.all()] == [other.id]
    assert (store.folder / draft.id / "draft.json").read_bytes() == b"{"


def test_a_paste_is_found_again_whatever_its_times_and_numbers(store: DraftStore, base: OpenBase) -> None:
    title, text = entry_about(PASTE)
    draft = store.begin(new_draft(base, "known-fix", title, text, PASTE))
    later = PASTE.replace("02:11:09", "05:00:00").replace("[4711]", "[99]")
    assert drafts_about(store.all(), later) == (draft,)
    assert drafts_about(store.all(), "ERROR: something else altogether went wrong here") == ()
    assert signatures_of("INFO: all is well with this service\nERROR: the disk of the service is full") == (
        "ERROR: the disk of the service is full",
    )
    entry = parse_entry(draft.path, text.encode(), KnowledgeBaseConfig())
    assert entry.signatures
    assert draft.path.startswith("known-fixes/")


def test_a_new_entry_is_named_after_its_heading(base: OpenBase) -> None:
    draft = new_draft(base, "runbook", "")
    named = retitled(replace(draft, text=draft.text.replace("# Untitled", "# Disk full")))
    assert (named.title, named.path) == ("Disk full", "disk-full.md")


def test_what_was_changed_is_said_by_section(store: DraftStore, base: OpenBase) -> None:
    draft = begun(store, base, "# A\n\n## Cause\nnew\n")
    assert proposed_title(draft, "# A\n\n## Cause\nold\n") == "Correct Cause of A"
    assert changed_sections("## X\na\n## Y\nb\n", "## X\na\n## Y\nc\n## Z\nd") == ("Y", "Z")
    assert proposed_title(new_draft(base, "note", "Pager"), "") == "Add Pager"


def test_customers_names_are_caught(store: DraftStore, base: OpenBase) -> None:
    draft = begun(store, base, "# A\n\n## Cause\nseen at Initech\n")
    [leak] = leaks_of(store, draft, Settings(customer_names=("initech",)))
    assert (leak.line, leak.what) == (4, "a customer's name")
    assert leaks_of(store, draft, Settings()) == ()


def test_feedback_is_a_file_of_its_own_that_is_no_entry(base: OpenBase) -> None:
    one, two = (flag_draft(base, "pg/a.md", "A", FlagKind.WRONG, "No: it\nis not") for _ in range(2))
    assert one.path != two.path
    (base.root / one.path).parent.mkdir(parents=True)
    (base.root / one.path).write_text(one.text)
    assert one.path not in {file.path for file in walk(base.root, base.config).files}
    assert one.text.endswith("\nNo: it is not\n")


def test_values_of_the_front_matter_are_set_in_place() -> None:
    text = "---\nkind: note\nstate: draft  \ntags: [a]\n---\n# A\n"
    assert with_front_matter(text, {"state": "verified", "reviewed": "2026-03-04"}) == (
        "---\nkind: note\nstate: verified\ntags: [a]\nreviewed: 2026-03-04\n---\n# A\n"
    )
    assert with_front_matter("# A\n", {"state": "retired"}) == "---\nstate: retired\n---\n# A\n"


@pytest.mark.parametrize(
    "front",
    ["signatures: []", 'signatures: ["old error text"]', "signatures:\n  - old error text", "kind: note"],
)
def test_signatures_are_added_once(front: str) -> None:
    text = f"---\n{front}\n---\n# A\n"
    once = with_signatures(text, ['the "new" error'])
    found = parse_entry("a.md", once.encode(), KnowledgeBaseConfig()).signatures
    assert 'the "new" error' in found
    assert ("old error text" in found) is ("old" in front)
    assert with_signatures(once, ['the "new" error']) == once


def test_one_error_is_told_from_another() -> None:
    assert is_same_error(["FATAL: lease lost: renewal timed out"], ["lease lost: renewal timed out"])
    assert is_same_error(["10:11:12 could not open file"], ["could not open file"])
    assert not is_same_error(["could not open file"], ["could not open socket"])
    assert not is_same_error(["timeout"], ["timeout"])  # too short to tell anything
