"""Copies join the window: found in the place of their origin, named on their page, kept up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtWidgets import QFrame, QHBoxLayout

from kb_app.errors import KbError
from kb_app.ui.common.jobs import Lane
from kb_app.ui.common.messages import Message, Weight
from kb_app.ui.common.reading import OpenedEntry
from kb_app.ui.common.remembered import EntryRef
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import IconLabel, label, plain_tooltip, text_button
from kb_app.ui.features import Feature
from kb_app.workspace.copies import Copies

if TYPE_CHECKING:
    from kb_app.settings import Settings
    from kb_app.ui.common.diff_lines import Line
    from kb_app.ui.desk import IndexState
    from kb_app.ui.layers.page import OriginPage
    from kb_app.ui.layers.state import BannerText
    from kb_app.ui.reader.panel import ReaderPanel
    from kb_app.ui.window import MainWindow
    from kb_app.workspace.bases import OpenBase, Workspace
    from kb_app.workspace.drafts import TextDraft
    from kb_app.workspace.layers import CopyState
    from kb_app.workspace.origins import Origin

T = TypeVar("T")


class Banner(QFrame):
    """One sentence about a copy, and one button."""

    def __init__(self) -> None:
        """Make a hidden one."""
        super().__init__()
        self.setObjectName("layerBanner")
        self.setProperty("surface", "notice")
        self.icon = IconLabel("layers", "info", 16, self)
        self.text = label("", "", self, wrap=True)
        self.button = text_button("", "link", "", self)
        self.button.hide()  # until there is something to do
        row = QHBoxLayout(self)
        row.setContentsMargins(28, 4, 12, 4)
        row.setSpacing(10)
        row.addWidget(self.icon)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)

    def show_text(self, banner: BannerText) -> None:
        """Say this."""
        set_property(self, "tone", banner.tone)
        self.icon.set_icon(banner.icon, banner.tone)
        self.text.setText(banner.text)
        self.text.setToolTip(plain_tooltip(banner.detail))
        self.setAccessibleName(banner.text)
        self.button.setText(banner.action)
        self.button.setAccessibleName(banner.action)
        self.button.setToolTip(banner.action)
        self.button.setVisible(bool(banner.action))
        self.show()


class LayersFeature(Feature):
    """The user's own copies of entries that she cannot change."""

    def __init__(self, window: MainWindow) -> None:
        """Join ``window``."""
        super().__init__(window)
        self.banner: Banner | None = None
        self._page: OriginPage | None = None
        self._origin: Origin | None = None
        self._state: CopyState | None = None
        self._lines: tuple[Line, ...] = ()
        self._run: Callable[[], None] | None = None
        window.reading.when_made(self._add_banner)
        self.desk.entry_opened.connect(self._on_entry_opened)
        self.desk.bases_changed.connect(self._read_copies)
        self.desk.settings_changed.connect(self._on_settings_changed)
        self.desk.index_changed.connect(self._on_index_changed)

    def start(self) -> None:
        """Read which entries there are copies of."""
        self._read_copies()

    # -- which copies there are -----------------------------------------------------------------------

    def _read_copies(self) -> None:
        workspace = self.desk.workspace
        if not workspace.settings.overlay:
            self._take_copies(Copies())
            return

        def work() -> Copies:
            from kb_app.workspace.layers import copies_in, overlay_of  # start-up time

            overlay = overlay_of(workspace)
            return copies_in(overlay) if overlay is not None else Copies()

        self._ask(work, self._take_copies)

    def _take_copies(self, copies: Copies) -> None:
        if copies != self.desk.copies:
            self.desk.copies = copies
            self.desk.ask(is_typing=False)
            if self.desk.current is not None:
                self._show_banner(self.desk.current)

    def _on_settings_changed(self, _settings: Settings) -> None:
        self._read_copies()

    def _on_index_changed(self, state: IndexState) -> None:
        if state.is_complete and not state.is_active and self.desk.workspace.settings.overlay:
            self._read_copies()

    # -- the banner -----------------------------------------------------------------------------------

    def _add_banner(self, reader: ReaderPanel) -> None:
        self.banner = Banner()
        self.banner.button.clicked.connect(self._on_button)
        reader.add_banner(self.banner)

    def _on_button(self) -> None:
        if self._run is not None:
            self._run()

    def _on_entry_opened(self, opened: OpenedEntry, _is_wanted: bool) -> None:  # noqa: FBT001 - signal
        self._show_banner(opened)

    def _show_banner(self, opened: OpenedEntry) -> None:
        if self.banner is None:
            return
        self._state = self._origin = None
        if "origin_blob" in opened.entry.front_matter:
            self._show_copy(opened)
            return
        self.banner.hide()
        if self.desk.copies.paths:
            from kb_app.ui.layers.state import original_banner  # start-up time

            text = original_banner(self.desk.copies, opened.ref.knowledge_base, opened.ref.path)
            if text is not None:
                path = self.desk.copies.of(opened.ref.knowledge_base, opened.ref.path)
                self._run = partial(self.window.open_entry, EntryRef(self.desk.copies.overlay, path))
                self.banner.show_text(text)

    def _show_copy(self, opened: OpenedEntry) -> None:
        from kb_app.ui.layers.state import copy_banner  # start-up time
        from kb_app.workspace.layers import state_of
        from kb_app.workspace.origins import origin_of

        origin = origin_of(opened.entry.front_matter)
        base = self._open_base(opened.ref.knowledge_base)
        if origin is None or base is None or self.banner is None:
            return
        self._origin = origin
        self._run = partial(self.window.open_entry, EntryRef(origin.base, origin.path))
        self.banner.show_text(copy_banner(origin, None))
        workspace = self.desk.workspace

        def work() -> tuple[CopyState, tuple[Line, ...]]:
            from kb_app.ui.common.diff_lines import lines_of_runs  # start-up time

            state = state_of(workspace, base, opened.ref.path, origin)
            return state, lines_of_runs(state.changes)

        self._ask(work, partial(self._on_state, opened.ref))

    def _on_state(self, ref: EntryRef, found: tuple[CopyState, tuple[Line, ...]]) -> None:
        from kb_app.ui.layers.state import copy_banner  # start-up time
        from kb_app.workspace.layers import OriginNews

        current = self.desk.current
        if current is None or current.ref != ref or self.banner is None:
            return
        state, self._lines = found
        self._state = state
        self.banner.show_text(copy_banner(state.origin, state))
        if state.news is OriginNews.MOVED_ON:
            self._run = self.show_changes

    # -- when the origin moved on ---------------------------------------------------------------------

    @property
    def page(self) -> OriginPage:
        """Return the page, making it when it is asked for."""
        if self._page is None:
            from kb_app.ui.layers.page import OriginPage  # start-up time

            page = OriginPage()
            page.theirs_taken.connect(partial(self._write, "take_theirs", "Your copy is the original again"))
            page.mine_kept.connect(partial(self._write, "keep_mine", "Your text is kept"))
            page.merge_wanted.connect(self._merge)
            self.window.add_page(page)
            self._page = page
        return self._page

    def show_changes(self) -> None:
        """Show what changed in the origin of the open copy."""
        if self._state is not None and self.desk.current is not None:
            self.page.show_state(self.desk.current.entry.title, self._state, self._lines)
            self.window.show_page(self.page)

    def _merge(self) -> None:
        from kb_app.ui.conflicts.feature import ConflictsFeature  # start-up time

        state = self._state
        if state is None or state.question is None:
            return
        if not state.question.merges[0].merge.conflicts:
            self._bring_together({})
            return
        self.window.feature(ConflictsFeature).show(
            state.question, self._bring_together, on_cancelled=self.window.show_panes
        )

    def _bring_together(self, choices: object) -> None:
        self._write("bring_together", "Both texts are brought together in your copy", choices)

    def _write(self, what: str, said: str, *more: object) -> None:
        """Do one of `kb_app.workspace.layers`' writes for the open copy, with a way back."""
        from kb_app.workspace import layers  # start-up time

        current, state, workspace = self.desk.current, self._state, self.desk.workspace
        base = self._open_base(current.ref.knowledge_base) if current is not None else None
        if current is None or state is None or base is None:
            return
        ref = current.ref
        write: Callable[..., None] = getattr(layers, what)

        def done(_: None) -> None:
            self.window.show_panes()
            self._written(said, partial(self._put_back, ref, base, state.mine))

        self._ask(lambda: write(workspace, base, ref.path, state, *more), done, Lane.WRITE)

    def _put_back(self, ref: EntryRef, base: OpenBase, raw: bytes) -> None:
        from kb_app.workspace.layers import put_back  # start-up time

        work = partial(put_back, self.desk.workspace, base, ref.path, raw)
        self._ask(work, lambda _: self._written("Your copy says again what it said"), Lane.WRITE)

    def _written(self, said: str, undo: Callable[[], None] | None = None) -> None:
        self.desk.reload()
        self.desk.index()
        if undo is None:
            self.desk.message_settled.emit("copy")
            self.window.say(said)
        else:
            self.desk.message_posted.emit(Message(said, "", Weight.NOTE, "Undo", undo, topic="copy"))

    # -- keeping a draft as a copy --------------------------------------------------------------------

    def keep_draft(self, draft: TextDraft, on_kept: Callable[[], None] | None = None) -> None:
        """Keep a draft as a copy of the user's own; the overlay is made when there is none."""
        from kb_app.workspace.drafts import DraftStore  # start-up time
        from kb_app.workspace.editing import editable
        from kb_app.workspace.layers import keep_copy, overlay_of, with_overlay

        workspace = self.desk.workspace
        settings = workspace.settings

        def work() -> tuple[EntryRef, Settings]:
            wanted = with_overlay(workspace.folders, settings)
            opened = _with_settings(workspace, wanted)
            base = next((b for b in opened.bases if str(b.root) == draft.root), None)
            overlay = overlay_of(opened)
            if base is None or overlay is None:
                raise KbError(f"{draft.knowledge_base} is not open", "Open it; your draft is kept")
            drafts = DraftStore(workspace.folders.drafts)
            before = drafts.base_of(draft)
            raw = editable(before, draft.base).bytes_of(draft.text)
            path = keep_copy(opened, base, draft.path, raw, before)
            drafts.set_aside(draft.id)
            return EntryRef(overlay.name, path), wanted

        def done(kept: tuple[EntryRef, Settings]) -> None:
            ref, wanted = kept
            if on_kept is not None:
                on_kept()
            if wanted != self.desk.workspace.settings:
                self.desk.reopen_with(wanted)
            self.desk.index()
            self.window.say("Kept as your own copy")
            self._open_when_there(ref)

        self._ask(work, done, Lane.WRITE)

    def _open_when_there(self, ref: EntryRef) -> None:
        """Open an entry now, or once its knowledge base is open."""
        if self.desk.base_of(ref) is not None:
            self.window.open_entry(ref)
            return

        def open_now() -> None:
            if self.desk.base_of(ref) is not None:
                self.desk.bases_changed.disconnect(open_now)
                self.window.open_entry(ref)

        self.desk.bases_changed.connect(open_now)

    # -- the rest -------------------------------------------------------------------------------------

    def _open_base(self, name: str) -> OpenBase | None:
        return next((base for base in self.desk.workspace.bases if base.name == name), None)

    def _ask(self, work: Callable[[], T], done: Callable[[T], None], lane: Lane = Lane.READ) -> None:
        self.desk.jobs.run(work, on_done=done, on_error=self._complain, lane=lane)

    def _complain(self, error: Exception) -> None:
        if not isinstance(error, KbError):
            raise error
        self.desk.message_posted.emit(Message(error.title, error.hint, Weight.PROBLEM, topic="copy"))


def _with_settings(workspace: Workspace, settings: Settings) -> Workspace:
    """Return the workspace with the overlay open, as it will be once the settings are taken."""
    from kb_app.workspace.bases import open_base  # start-up time

    chosen = next(b for b in settings.knowledge_bases if b.name == settings.overlay)
    if any(str(base.root) == chosen.location for base in workspace.bases):
        return replace(workspace, settings=settings)
    opened = open_base(Path(chosen.location), workspace.folders, name=chosen.name)
    return replace(workspace, bases=(opened, *workspace.bases), settings=settings)
