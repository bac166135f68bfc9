"""Notices that an entry's file is another one than the draft began from, and brings both together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from kb_app.errors import KbError
from kb_app.gitstore.conflicts import Merge, merge_pages
from kb_app.ui.common.jobs import Lane
from kb_app.ui.editor.panel import Editing, EditorPage
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.drafts import DraftStore, TextDraft
from kb_app.workspace.editing import EditableText, open_text, present_bytes

if TYPE_CHECKING:
    from kb_app.ui.desk import Desk


class Meanwhile(QObject):
    """Watches the file under one editor page; nothing is ever overwritten without a choice."""

    def __init__(self, page: EditorPage, desk: Desk) -> None:
        super().__init__(page)
        self.page = page
        self.desk = desk
        self._told: bytes | None = None
        desk.indexing.finished.connect(self.look)

    def _base_of(self, draft: TextDraft) -> OpenBase | None:
        return next((base for base in self.desk.workspace.bases if str(base.root) == draft.root), None)

    def look(self) -> None:
        """Look at the file now."""
        editing = self.page.editing
        base = self._base_of(editing.draft) if editing is not None else None
        if editing is None or base is None or editing.draft.is_new:
            return
        path = editing.draft.path
        self.desk.jobs.run(
            lambda: present_bytes(base, path), on_done=lambda raw: self._compare(editing.draft.id, raw)
        )

    def _compare(self, draft_id: str, raw: bytes) -> None:
        editing = self.page.editing
        if editing is None or editing.draft.id != draft_id or raw in (editing.opened.raw, self._told):
            return
        self._told = raw
        if not raw:
            self.page.show_notice("mitigate", "This entry was removed meanwhile; your draft is kept")
            return
        self.page.show_notice(
            "mitigate",
            "Others changed this entry since you began. Both texts are kept",
            "Bring them together",
            self.bring_together,
        )

    def bring_together(self) -> None:
        """Take what others changed into the text; where both changed one place, theirs follows mine."""
        editing = self.page.editing
        base = self._base_of(editing.draft) if editing is not None else None
        draft = self.page.present_draft()
        if editing is None or base is None or draft is None:
            return
        folders, before, mine = self.desk.workspace.folders, editing.opened.shown, draft.text
        store = DraftStore(folders.drafts)

        def work() -> tuple[EditableText, str, TextDraft, int]:
            opened = open_text(folders, base, draft.path)
            merge = merge_pages(before, mine, opened.shown)
            text, count = both(merge)
            saved = store.begin(replace(draft, text=text, base=opened.base), opened.raw)
            return opened, text, saved, count

        def done(found: tuple[EditableText, str, TextDraft, int]) -> None:
            opened, text, saved, count = found
            now = self.page.editing
            if now is None or now.draft.id != saved.id:
                return
            self.page.editing = Editing(saved, opened, now.base, is_saved=True)
            self.page.edit.replace_text(text)
            said = f"In {count} places both texts stand one after the other; keep what is right"
            if count == 1:
                said = "In one place both texts stand one after the other; keep what is right"
            self.page.show_notice("fix" if not count else "mitigate", said if count else "Brought together")

        def failed(error: Exception) -> None:
            if not isinstance(error, KbError):
                raise error
            self.page.show_notice("danger", f"{error.title}. {error.hint}")

        self.desk.jobs.run(work, on_done=done, on_error=failed, lane=Lane.GIT)


def both(merge: Merge) -> tuple[str, int]:
    """Return the merged text with both versions of each place that both changed, and how many those are."""
    parts = []
    for part in merge.parts:
        if isinstance(part, str):
            parts.append(part)
            continue
        mine, theirs = (part.mine or "").rstrip("\n"), (part.theirs or "").rstrip("\n")
        parts.append("\n\n".join(text for text in (mine, theirs) if text) + "\n")
    return "".join(parts), len(merge.conflicts)
