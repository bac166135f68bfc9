"""The reader: header, facts, find bar and page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QStackedLayout, QVBoxLayout, QWidget

from kb_app.entries.commands import review_copy, without_prompts
from kb_app.entries.model import Severity
from kb_app.rendering.model import CodeBlock, RenderedPage
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.jobs import Jobs
from kb_app.ui.common.widgets import (
    Badge,
    ElidedLabel,
    EmptyState,
    IconButton,
    ProgressLine,
    label,
    plain_tooltip,
)
from kb_app.ui.reader.copy_preview import CopyPreview
from kb_app.ui.reader.facts_row import FactsRow
from kb_app.ui.reader.find_bar import FindBar
from kb_app.ui.reader.outline import OutlinePopup
from kb_app.ui.reader.state import PageFacts, PageNotice
from kb_app.ui.reader.view import ReaderView

HEADER_HEIGHT = 44
NARROW = 620
"""Width in pixels below which the state stands above the page instead of in the header."""

LOADING_AFTER_MS = 150
"""Before this the old page stays: a flash of "opening" would only slow the eye down."""


class ReaderPanel(QWidget):
    """Shows an entry's page with its header; or that there is none, that it is on its way, or why not.

    Typical use::

        reader = ReaderPanel(jobs, parent)
        reader.show_loading("etcd/EtcdNoLeader.md")          # as soon as it is asked for
        reader.show_page(page, root, "etcd/EtcdNoLeader.md", breadcrumb="platform-docs / etcd")
        reader.set_facts(facts_of(entry, today))
        reader.set_starred(is_starred=True)
        reader.mark_terms(("leader", "lost"))

    Keys while the focus is inside: Ctrl+F find, F3 and Shift+F3 next and previous match, Ctrl + + - 0 zoom,
    Tab and Enter through the links, Space, Home, End. They are no shortcuts, so the window may take them
    first and call `find_in_page`, `zoom_in`, `zoom_out`, `set_zoom`, `show_outline` instead.

    Args:
        jobs: where pictures are read.
        parent: owner.

    Signals:
        link_activated(str): a link to an entry of the same knowledge base: ``path/of/entry.md`` or
            ``path/of/entry.md#anchor``; or ``#anchor`` of this page, which has been scrolled to already.
        external_link_requested(str): an ``https``, ``http`` or ``mailto`` address that was clicked. Nothing
            has been opened: show the address, ask, then open it.
        star_requested(bool): the entry shall be starred (True) or no longer (False).
        copy_link_requested(): the entry's link shall be copied.
        copied(str): something was put on the clipboard; a short sentence for the status line.
        zoom_changed(int): percent, 60 to 240; keep it in the settings.
        section_changed(str): anchor of the section at the top of the view; empty above the first heading.
        back_requested(), forward_requested(): see `set_history`.
    """

    link_activated = Signal(str)
    external_link_requested = Signal(str)
    star_requested = Signal(bool)
    copy_link_requested = Signal()
    copied = Signal(str)
    zoom_changed = Signal(int)
    section_changed = Signal(str)
    back_requested = Signal()
    forward_requested = Signal()

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("reader")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.view = ReaderView(jobs, self)
        self.facts = FactsRow(self)
        self.find_bar = FindBar(self)
        self.outline = OutlinePopup(self)
        self.preview = CopyPreview(self)
        self._facts = PageFacts()
        self._page_notices: tuple[PageNotice, ...] = ()
        self._status = QLabel(self.view)
        self._previewed = -1
        self._is_narrow = False
        self._loading_path = ""
        self._loading = QTimer(self)
        self._loading.setSingleShot(True)
        self._loading.setInterval(LOADING_AFTER_MS)
        self._build_header()
        self._build_body()
        self._connect()
        self.show_empty()

    def _build_header(self) -> None:
        self.header = QFrame(self)
        self.header.setProperty("surface", "bar")
        self.header.setFixedHeight(HEADER_HEIGHT)
        self.back = IconButton("arrow-left", "Back", self.header, shortcut="Alt+Left")
        self.forward = IconButton("arrow-right", "Forward", self.header, shortcut="Alt+Right")
        self.breadcrumb = ElidedLabel("", self.header)
        self.breadcrumb.setProperty("textstyle", "secondary")
        self.breadcrumb.setAccessibleName("Where this page lies")
        self.state = Badge("circle-question-mark", "", "muted", self.header)
        self.star = IconButton("star", "Star this page", self.header, checked_color="accent")
        self.outline_button = IconButton("list-tree", "Outline", self.header, shortcut="Ctrl+Shift+O")
        self.find_button = IconButton("text-search", "Find in page", self.header, shortcut="Ctrl+F")
        self.link_button = IconButton("link", "Copy link to this page", self.header)
        self.more = IconButton("ellipsis", "Text size", self.header)
        layout = QHBoxLayout(self.header)
        layout.setContentsMargins(28, 0, 12, 0)
        layout.setSpacing(4)
        layout.addWidget(self.back)
        layout.addWidget(self.forward)
        layout.addWidget(self.breadcrumb, 1)
        layout.addSpacing(8)
        layout.addWidget(self.state)
        layout.addSpacing(8)
        for button in (self.star, self.outline_button, self.find_button, self.link_button, self.more):
            layout.addWidget(button)
        self._header_row = layout
        self.set_history(can_go_back=False, can_go_forward=False)

    def add_header_button(self, button: QWidget) -> None:
        """Put a feature's button into the header, right of the reader's own."""
        self._header_row.addWidget(button)

    def add_banner(self, banner: QWidget) -> None:
        """Put a feature's banner above the page; the feature shows and hides it."""
        banner.setParent(self._page_side)
        banner.hide()
        self._banners.addWidget(banner)

    def add_footer(self, footer: QWidget) -> None:
        """Put a feature's strip below the page; the feature shows and hides it."""
        layout = self._page_side.layout()
        assert layout is not None
        layout.addWidget(footer)

    def _build_body(self) -> None:
        self._page_side = QWidget(self)
        page_layout = QVBoxLayout(self._page_side)
        page_layout.setContentsMargins(0, 0, 0, 0)
        page_layout.setSpacing(0)
        self._banners = QVBoxLayout()
        page_layout.addLayout(self._banners)
        page_layout.addWidget(self.facts)
        page_layout.addWidget(self.view, 1)
        self._empty = EmptyState("book-open", "", "", parent=self)
        self._loading_side = QWidget(self)
        self._loading_text = label("", "secondary", self._loading_side)
        self._loading_line = ProgressLine("Opening the page", self._loading_side)
        self._loading_line.setFixedWidth(240)
        self._loading_line.set_progress(0, 0)
        loading_layout = QVBoxLayout(self._loading_side)
        loading_layout.setSpacing(12)
        loading_layout.addStretch(2)
        loading_layout.addWidget(self._loading_text, 0, Qt.AlignmentFlag.AlignHCenter)
        loading_layout.addWidget(self._loading_line, 0, Qt.AlignmentFlag.AlignHCenter)
        loading_layout.addStretch(3)
        self._stack = QStackedLayout()
        for side in (self._page_side, self._empty, self._loading_side):
            self._stack.addWidget(side)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.find_bar)
        layout.addLayout(self._stack, 1)
        self.find_bar.hide()
        self._status.setObjectName("reader-status")
        self._status.setProperty("statusstrip", "true")
        self._status.setTextFormat(Qt.TextFormat.PlainText)
        self._status.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._status.hide()
        self.view.installEventFilter(self)

    def _connect(self) -> None:
        self.view.link_activated.connect(self.link_activated)
        self.view.external_link_requested.connect(self.external_link_requested)
        self.view.link_hovered.connect(self._on_link_hovered)
        self.view.zoom_changed.connect(self.zoom_changed)
        self.view.section_changed.connect(self.section_changed)
        self.view.copy_requested.connect(self._on_copy_requested)
        self.view.find_requested.connect(self.find_in_page)
        self.view.column_changed.connect(self.facts.set_column)
        self.view.hits_changed.connect(self._on_hits_changed)
        self.facts.line_requested.connect(self.view.scroll_to_line)
        self.find_bar.text_changed.connect(self.view.find_text)
        self.find_bar.step_requested.connect(self.view.find_step)
        self.find_bar.closed.connect(self.close_find)
        self.outline.anchor_chosen.connect(self._on_anchor_chosen)
        self.preview.confirmed.connect(self._copy)
        self.star.clicked.connect(self._on_star_clicked)
        self.outline_button.clicked.connect(self.show_outline)
        self.find_button.clicked.connect(self.find_in_page)
        self.link_button.clicked.connect(self.copy_link_requested)
        self.more.clicked.connect(self._show_menu)
        self.back.clicked.connect(self.back_requested)
        self.forward.clicked.connect(self.forward_requested)
        self._loading.timeout.connect(self._show_loading_now)

    # What is shown

    def show_page(
        self,
        page: RenderedPage,
        root: Path | None,
        path: str,
        *,
        breadcrumb: str = "",
        anchor: str = "",
        line: int = 0,
        facts: PageFacts | None = None,
    ) -> None:
        """Show a page.

        Args:
            page: what rendering returned.
            root: folder of its knowledge base: pictures come from there alone; None shows no pictures.
            path: the entry's path below ``root``; with it the place on the page is remembered.
            breadcrumb: shown in the header; empty: the path.
            anchor: heading to go to; empty: where the reader was last time, or the top.
            line: 1-based line of the file to go to when there is no ``anchor``; 0 for none.
            facts: what is known about the entry (`state.facts_of`), where it is known already.
        """
        self._loading.stop()
        self.breadcrumb.setText(breadcrumb or path.replace("/", " / "))
        self._facts = facts or PageFacts()
        self._page_notices = tuple(PageNotice(Severity.WARNING, text) for text in page.notices)
        self._show_facts()
        self.outline.hide()
        self.preview.hide()
        self.outline.model.set_outline(page.outline)
        self.outline_button.setVisible(bool(page.outline))
        self._on_link_hovered("")
        self._show_side(self._page_side)
        self.view.set_page(page, root, path)
        if not (anchor and self.view.scroll_to_anchor(anchor)) and line:
            self.view.scroll_to_line(line)
        if self.find_bar.isVisible():
            self.view.find_text(self.find_bar.text())

    def set_facts(self, facts: PageFacts) -> None:
        """Show what is known about the entry (`state.facts_of`); `show_page` forgets the former entry's."""
        self._facts = facts
        self._show_facts()

    def set_starred(self, *, is_starred: bool) -> None:
        """Show whether the entry is starred."""
        self.star.setChecked(is_starred)
        self.star.set_icon("star-filled" if is_starred else "star")
        self.star.set_name("Remove the star" if is_starred else "Star this page")

    def set_history(self, *, can_go_back: bool, can_go_forward: bool) -> None:
        """Say whether there are pages to go back and forward to; without any both buttons stay away."""
        self.back.setEnabled(can_go_back)
        self.forward.setEnabled(can_go_forward)
        self.back.setVisible(can_go_back or can_go_forward)
        self.forward.setVisible(can_go_back or can_go_forward)

    def show_loading(self, path: str) -> None:
        """Say that ``path`` is on its way, after 150 ms; the page shown before stays until then."""
        self._loading_path = path
        self._loading.start()

    def show_error(self, title: str, hint: str, actions: Sequence[QAction] = ()) -> None:
        """Say why there is no page and what can be done."""
        self._leave_page()
        self._empty.set_state("file-x", title, hint, actions)
        self._show_side(self._empty)

    def show_empty(
        self,
        title: str = "Nothing open",
        text: str = "Paste an error, an alert or a few words into the search field.",
        actions: Sequence[QAction] = (),
    ) -> None:
        """Say that no entry is open."""
        self._leave_page()
        self._empty.set_state("book-open", title, text, actions)
        self._show_side(self._empty)

    def _leave_page(self) -> None:
        self._loading.stop()
        self.view.clear_page()
        self.outline.hide()
        self.preview.hide()
        self.find_bar.hide()

    def _show_side(self, side: QWidget) -> None:
        self.header.setVisible(side is self._page_side)
        self._stack.setCurrentWidget(side)

    def _show_loading_now(self) -> None:
        self._loading_text.setText(f"Opening {self._loading_path} …")
        self._leave_page()
        self._show_side(self._loading_side)

    def _show_facts(self) -> None:
        state = self._facts.state
        self.state.setVisible(state is not None and not self._is_narrow)
        if state is not None:
            self.state.set_badge(state.icon, state.text, state.tone or "muted")
            self.state.setToolTip(plain_tooltip(state.detail))
        self.facts.set_facts(
            PageFacts(
                state=state if self._is_narrow else None,
                facts=self._facts.facts,
                alerts=self._facts.alerts,
                notices=(*self._page_notices, *self._facts.notices),
                flags=self._facts.flags,
            )
        )

    # Moving about

    def scroll_to_anchor(self, anchor: str) -> bool:
        """Bring a heading to the top; tell whether the page has it."""
        return self.view.scroll_to_anchor(anchor)

    def scroll_to_line(self, line: int) -> bool:
        """Bring the block with the file's 1-based ``line`` to the top; tell whether there is one."""
        return self.view.scroll_to_line(line)

    def mark_terms(self, terms: Sequence[str]) -> int:
        """Mark the words of a search; return how many places, at most 1,000."""
        return self.view.mark_terms(terms)

    def mark_lines(self, texts: Sequence[str]) -> int:
        """Mark whole lines of the entry instead of the words of a search; return how many."""
        return self.view.mark_lines(texts)

    def show_outline(self) -> None:
        """Open the list of headings."""
        if self.outline.model.rowCount():
            corner = self.outline_button.mapToGlobal(QPoint(self.outline_button.width(), HEADER_HEIGHT - 6))
            self.outline.open_at(corner, self.view.section())

    def _on_anchor_chosen(self, anchor: str) -> None:
        self.view.follow(f"#{anchor}")
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    # Finding

    def find_in_page(self) -> None:
        """Open the find bar with the selected text, ready to type."""
        if self._stack.currentWidget() is self._page_side:
            selected = self.view.textCursor().selectedText()
            self.find_bar.open(selected if 0 < len(selected) <= 80 and "\u2029" not in selected else "")

    def close_find(self) -> None:
        """Close the find bar and give the page the focus."""
        self.find_bar.hide()
        self.view.find_text("")
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_hits_changed(self) -> None:
        self.find_bar.show_count(*self.view.hit_number())

    # Zoom

    def zoom(self) -> int:
        """Return the zoom in percent."""
        return self.view.zoom()

    def set_zoom(self, percent: int) -> None:
        """Show the text in this size, 60 to 240 percent."""
        self.view.set_zoom(percent)

    def zoom_in(self) -> None:
        """Go to the next larger size."""
        self.view.zoom_in()

    def zoom_out(self) -> None:
        """Go to the next smaller size."""
        self.view.zoom_out()

    def _show_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        larger = menu.addAction("Larger text\tCtrl++", self.zoom_in)
        smaller = menu.addAction("Smaller text\tCtrl+-", self.zoom_out)
        bind_icon(larger, "zoom-in")
        bind_icon(smaller, "zoom-out")
        reset = menu.addAction(f"Normal size (now {self.zoom()} %)\tCtrl+0", self._reset_zoom)
        reset.setEnabled(self.zoom() != 100)
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height() + 2)))

    def _reset_zoom(self) -> None:
        self.set_zoom(100)

    # Copying

    def _on_copy_requested(self, number: int, block: CodeBlock) -> None:
        review = review_copy(without_prompts(block.text, block.language), block.language)
        if not review.needs_preview:
            self._copy_block(number, review.text)
            return
        self._previewed = number
        button = next((b for b in self.view.copy_buttons() if b.number == number), None)
        anchor: QWidget = button if button is not None else self.view
        self.preview.open_at(anchor.mapToGlobal(QPoint(anchor.width(), anchor.height() + 2)), review)

    def _copy(self, text: str) -> None:
        self._copy_block(self._previewed, text)

    def _copy_block(self, number: int, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.view.say_copied(number)
        lines = text.count("\n") + 1
        self.copied.emit("Copied" if lines == 1 else f"Copied {lines} lines")

    # Odds and ends

    def _on_star_clicked(self) -> None:
        wanted = self.star.isChecked()
        self.set_starred(is_starred=wanted)
        self.star_requested.emit(wanted)

    def _on_link_hovered(self, shown: str) -> None:
        metrics = self._status.fontMetrics()
        room = max(80, self.view.width() - 40)
        self._status.setText(metrics.elidedText(shown, Qt.TextElideMode.ElideMiddle, room - 20))
        self._status.setVisible(bool(shown))
        self._place_status()

    def _place_status(self) -> None:
        self._status.adjustSize()
        self._status.move(0, self.view.height() - self._status.height())
        self._status.raise_()

    def status_text(self) -> str:
        """Return what the strip below the page says about the link pointed at."""
        return self._status.text() if not self._status.isHidden() else ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the strip at the bottom of the page."""
        if watched is self.view and event.type() == QEvent.Type.Resize:
            self._place_status()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move the state out of the header where it would take the path's room."""
        super().resizeEvent(event)
        is_narrow = self.width() < NARROW
        if is_narrow != self._is_narrow:
            self._is_narrow = is_narrow
            self._show_facts()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the keys that nothing inside took; see the class."""
        if event.matches(QKeySequence.StandardKey.Find):
            self.find_in_page()
        elif event.key() == Qt.Key.Key_F3:
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self.view.find_step(-1 if back else 1)
        elif event.matches(QKeySequence.StandardKey.ZoomIn) or _is_ctrl(event, Qt.Key.Key_Equal):
            self.zoom_in()
        elif event.matches(QKeySequence.StandardKey.ZoomOut):
            self.zoom_out()
        elif _is_ctrl(event, Qt.Key.Key_0):
            self._reset_zoom()
        elif event.key() == Qt.Key.Key_Escape and self.find_bar.isVisible():
            self.close_find()
        else:
            super().keyPressEvent(event)


def _is_ctrl(event: QKeyEvent, key: Qt.Key) -> bool:
    return event.key() == key and event.modifiers() == Qt.KeyboardModifier.ControlModifier
