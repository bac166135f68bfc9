"""The page itself: one text browser with its own painting, its own images and its own link policy.

Decision: `QTextBrowser` is given no way to act: ``openLinks`` is off, ``doSetSource`` does nothing, resources
come from the bundled icons and the knowledge base alone, and every way to follow a link (mouse, middle
button, keyboard) ends in `ReaderView.follow`. With its defaults it shows local files, blanks the page on
unknown schemes and reads any path that an image names.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path

from PySide6.QtCore import (
    QEvent,
    QMargins,
    QMimeData,
    QObject,
    QPointF,
    QRectF,
    QRegularExpression,
    Qt,
    QTimer,
    QUrl,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QMenu, QTextBrowser, QTextEdit, QToolTip, QWidget

from kb_app.rendering.model import CodeBlock, RenderedPage
from kb_app.ui.common.fonts import ui_font, without_ligatures
from kb_app.ui.common.jobs import Jobs
from kb_app.ui.common.style import set_property
from kb_app.ui.common.theme import Theme
from kb_app.ui.common.widgets import plain_tooltip
from kb_app.ui.reader.code_buttons import CodeButtons, CopyButton
from kb_app.ui.reader.links import LinkKind, read_link
from kb_app.ui.reader.page_html import INDENT, Mark, PagePreparation
from kb_app.ui.reader.page_images import PageImages
from kb_app.ui.reader.page_style import page_css
from kb_app.ui.reader.painting import PagePainter
from kb_app.ui.reader.selection import plain_text

COLUMN_WIDTH = 740
"""Widest line of text at 100 %, pixels: some 95 characters. Source: window design, rule 6 (720 to 760)."""

PAGE_MARGIN = 24
SIDE_MARGIN = 28
ZOOM_LEVELS = (60, 70, 80, 90, 100, 110, 125, 150, 175, 200, 240)
_UNKNOWN = QTextDocument.ResourceType.UnknownResource
_RING = 2
_ROUNDING = 4
_PIECE = 16_384
"""Characters of HTML put into the document at once: some 15 ms of work."""

_REMEMBERED_PAGES = 200
_MAX_HITS = 1_000
_MAX_TERMS = 40
_MAX_LINE_WORDS = 30
_WORD_PARTS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one was: the top block, how far below its edge the view began, which folds were open."""

    block: int = 0
    offset: float = 0.0
    folds: frozenset[int] = frozenset()


class ReaderView(QTextBrowser):
    """Shows one page.

    Args:
        jobs: where pictures are read.
        parent: owner.

    Signals:
        link_activated(str): a link to an entry, ``path/of/entry.md`` or ``path/of/entry.md#anchor`` relative
            to the root, or ``#anchor`` of this page, which has been scrolled to already.
        external_link_requested(str): an ``https``, ``http`` or ``mailto`` address that the user wants opened;
            the receiver asks and opens.
        link_hovered(str): what the link under the pointer or with the keyboard focus does; empty when none.
        copy_requested(int, object): number of a code card and its `CodeBlock`, whose text is to be copied.
        zoom_changed(int): percent.
        section_changed(str): anchor of the heading that the top of the view belongs to; empty above the
            first.
        column_changed(int, int): left edge and width in pixels of the text column, in the widget's
            coordinates.
        find_requested(): the user wants to find in the page.
        page_completed(): the whole page is in the document.
        hits_changed(): other places are found, or another one is shown; see `hit_number`.
    """

    link_activated = Signal(str)
    external_link_requested = Signal(str)
    link_hovered = Signal(str)
    copy_requested = Signal(int, object)
    zoom_changed = Signal(int)
    section_changed = Signal(str)
    column_changed = Signal(int, int)
    find_requested = Signal()
    hits_changed = Signal()
    page_completed = Signal()

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = Theme.current()
        self._page: RenderedPage | None = None
        self._preparation = PagePreparation("")
        self._pieces: Iterator[str] = iter(())
        self._is_complete = True
        self._key = ("", "")
        self._zoom = 100
        self._open_folds: set[int] = set()
        self._places: OrderedDict[tuple[str, str], _Place] = OrderedDict()
        self._terms: tuple[str, ...] = ()
        self._find_text = ""
        self._hits: list[QTextCursor] = []
        self._marked: list[QTextCursor] = []
        self._line_texts: tuple[str, ...] = ()
        self._marked_lines: list[QTextCursor] = []
        self._hit = -1
        self._flash: QTextCursor | None = None
        self._headings: list[tuple[int, str]] | None = None
        self._section = ""
        self._column = (0, 0)
        self._hovered = ""
        self._painter = PagePainter(self.document())
        self._images = PageImages(jobs, self)
        self._buttons = CodeButtons(self.viewport())
        self._settle = _timer(self, 0, self._on_settled)
        self._load_more = _timer(self, 0, self._load_piece)
        self._tell_section = _timer(self, 120, self._find_section)
        self._flash_end = _timer(self, 1_600, self._end_flash)
        self._build()

    def _build(self) -> None:
        self.setObjectName("reader-page")
        self.setAccessibleName("Page")
        self.setProperty("page", "true")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.setUndoRedoEnabled(False)
        self.setReadOnly(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalScrollBar().rangeChanged.connect(self._on_width_changed)
        # Always there, for its coming and going would lay out the page anew; without a way to go it is empty.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.verticalScrollBar().rangeChanged.connect(self._on_range_changed)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByMouse
            | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.document().setDocumentMargin(PAGE_MARGIN)
        self.document().documentLayout().documentSizeChanged.connect(self._on_document_resized)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.anchorClicked.connect(self._on_anchor_clicked)
        self.highlighted.connect(self._on_highlighted)
        self._images.arrived.connect(self._on_images_arrived)
        self._buttons.pressed.connect(self._on_copy_pressed)
        self._theme.changed.connect(self._on_theme_changed)

    # The page

    def set_page(
        self, page: RenderedPage, root: Path | None, path: str, extra: Mapping[str, Path] | None = None
    ) -> None:
        """Show ``page``; an entry shown before comes back where it was left.

        Args:
            page: what rendering returned.
            root: folder of its knowledge base, the only place pictures come from; None shows none.
            path: the entry's path below ``root``.
            extra: files for paths of pictures that are not below ``root`` yet.
        """
        self._remember_place()
        self._page = page
        title = page.outline[0].title if page.outline else path
        self.setAccessibleName(f"Page: {title}")
        self._key = (str(root or ""), path)
        place = self._places.get(self._key, _Place())
        self._open_folds = set(place.folds)
        self._terms = ()
        self._images.open(root, extra)
        self._render()
        self._go_to(place)

    def clear_page(self) -> None:
        """Show nothing."""
        self._remember_place()
        self._page = None
        self._key = ("", "")
        self._images.open(None)
        self._render()

    def page(self) -> RenderedPage | None:
        """Return the page shown."""
        return self._page

    def _render(self) -> None:
        """Build the document anew from page, colours, zoom and folds: the first screen now, the rest soon."""
        self._painter.clear()
        self._forget_hits()
        self._headings = None
        zoom = self._zoom / 100
        html = self._page.html if self._page else ""
        self._preparation = PagePreparation(html, zoom=zoom, open_folds=self._open_folds, piece=_PIECE)
        self._pieces = iter(self._preparation)
        document = self.document()
        document.clear()  # before the fonts change: the old page would be laid out once more
        document.setIndentWidth(INDENT * zoom)
        document.setDefaultFont(without_ligatures(ui_font(14 * zoom)))
        if (css := page_css(self._theme.tokens, zoom)) != document.defaultStyleSheet():
            document.setDefaultStyleSheet(css)
        self._fit_column()
        document.setHtml(next(self._pieces, ""))
        self._is_complete = False
        self._painter.collect()
        self._mark_again()
        self._settle.start()
        self._load_more.start()

    def _load_piece(self) -> None:
        """Append one piece; a large page grows between two turns of the event loop."""
        if self._append_piece():
            self._painter.collect()
            self._load_more.start()
        elif not self._is_complete:
            self._complete()

    def is_complete(self) -> bool:
        """Tell whether the whole page is in the document."""
        return self._is_complete

    def load_all(self) -> None:
        """Append what is still missing of the page now."""
        if not self._is_complete:
            while self._append_piece():
                pass
            self._complete()

    def _append_piece(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        append_html(self.document(), piece)
        return True

    def _complete(self) -> None:
        self._is_complete = True
        self._load_more.stop()
        self._painter.collect()
        self._headings = None
        if self._terms or self._find_text:
            self._mark_again()
        self._settle.start()
        self.page_completed.emit()

    def _on_theme_changed(self) -> None:
        self._render_in_place()

    def _render_in_place(self) -> None:
        place = self._place()
        self._render()
        self._go_to(place)

    # Where one is

    def _place(self) -> _Place:
        at = self.cursorForPosition(QPointF(PAGE_MARGIN + 1, 0).toPoint()).block()
        top = self.document().documentLayout().blockBoundingRect(at).top()
        value = self.verticalScrollBar().value()
        folds = frozenset(self._open_folds)
        return _Place(at.blockNumber(), value - top, folds) if value else _Place(folds=folds)

    def _remember_place(self) -> None:
        if self._page is None:
            return
        self._places[self._key] = self._place()
        self._places.move_to_end(self._key)
        while len(self._places) > _REMEMBERED_PAGES:
            self._places.popitem(last=False)

    def _go_to(self, place: _Place) -> None:
        if place.block <= 0 and place.offset <= 0:
            self.verticalScrollBar().setValue(0)
            return
        if place.block >= self.document().blockCount() - 1:
            self.load_all()
        block = self.document().findBlockByNumber(place.block)
        if block.isValid():
            self._scroll_to(self._top_of(block.position()) + place.offset)

    def _top_of(self, position: int) -> float:
        """Return the upper edge of the block at ``position``; lays out the document up to it."""
        return self.document().documentLayout().blockBoundingRect(self.document().findBlock(position)).top()

    def _scroll_to(self, y: float) -> None:
        bar = self.verticalScrollBar()
        if y > bar.maximum():
            # The rest is laid out step by step later; a place further down needs all of it now.
            self.document().documentLayout().documentSize()
        bar.setValue(round(y))

    def scroll_to_anchor(self, anchor: str) -> bool:
        """Bring the heading or place called ``anchor`` to the top; tell whether the page has it."""
        position = self._position_of_anchor(anchor)
        if position is None:
            self.load_all()
            if self._open_fold_with(f'"{anchor}"'):
                self._render_in_place()
                self.load_all()
            position = self._position_of_anchor(anchor)
        if position is None:
            return False
        self._scroll_to(self._top_of(position) - 12)
        self._flash_block(position)
        return True

    def show_line(self, line: int) -> None:
        """Bring the block that holds the file's 1-based ``line`` into view where it is not, a third down."""
        lines = self._preparation.lines()
        at = bisect_right(lines, line) - 1
        position = self._position_of_anchor(f"line-{lines[at]}") if at >= 0 else None
        if position is None:
            return  # not there yet: `page_completed` tells when all of it is
        top = self._top_of(position)
        height, value = self.viewport().height(), self.verticalScrollBar().value()
        if not value + 24 <= top <= value + height * 2 // 3:
            self._scroll_to(top - height / 3)

    def scroll_to_line(self, line: int) -> bool:
        """Bring the block that holds the file's 1-based ``line`` to the top; tell whether there is one."""
        lines = self._preparation.lines()
        at = bisect_right(lines, line) - 1
        return at >= 0 and self.scroll_to_anchor(f"line-{lines[at]}")

    def _position_of_anchor(self, anchor: str) -> int | None:
        if not anchor:
            return None
        block = self.document().begin()
        while block.isValid():
            iterator = block.begin()
            while not iterator.atEnd():
                fragment = iterator.fragment()
                if anchor in fragment.charFormat().anchorNames():
                    return fragment.position()
                iterator += 1
            block = block.next()
        return None

    def _open_fold_with(self, text: str) -> bool:
        """Open the closed folds whose hidden part holds ``text``; tell whether there were any."""
        found = {number for number, html in self._preparation.hidden.items() if text in html}
        self._open_folds |= found
        return bool(found)

    def _flash_block(self, position: int) -> None:
        cursor = QTextCursor(self.document().findBlock(position))
        cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
        self._flash = cursor
        self._show_selections()
        self._flash_end.start()

    def _end_flash(self) -> None:
        self._flash = None
        self._show_selections()

    def _find_section(self) -> None:
        if self._page is None:
            return
        if self._headings is None:
            self._headings = list(self._heading_blocks(self._page))
        at = self.cursorForPosition(QPointF(PAGE_MARGIN + 1, 24).toPoint()).blockNumber()
        passed = [anchor for number, anchor in self._headings if number <= at]
        section = passed[-1] if passed else ""
        if section != self._section:
            self._section = section
            self.section_changed.emit(section)

    def section(self) -> str:
        """Return the anchor of the heading that the top of the view belongs to, or nothing."""
        return self._section

    def _heading_blocks(self, page: RenderedPage) -> Iterator[tuple[int, str]]:
        items = iter(page.outline)
        item = next(items, None)
        block = self.document().begin()
        while block.isValid() and item is not None:
            if block.blockFormat().headingLevel() and block.text().strip() == item.title.strip():
                yield block.blockNumber(), item.anchor
                item = next(items, None)
            block = block.next()

    # Zoom

    def zoom(self) -> int:
        """Return the zoom in percent."""
        return self._zoom

    def set_zoom(self, percent: int) -> None:
        """Show the page at ``percent``, kept between 60 and 240; the place stays."""
        percent = max(ZOOM_LEVELS[0], min(ZOOM_LEVELS[-1], percent))
        if percent != self._zoom:
            place = self._place()
            self._zoom = percent
            self._render()
            self._go_to(place)
            self.zoom_changed.emit(percent)

    def zoom_in(self) -> None:
        """Go to the next larger zoom."""
        self.set_zoom(next((level for level in ZOOM_LEVELS if level > self._zoom), ZOOM_LEVELS[-1]))

    def zoom_out(self) -> None:
        """Go to the next smaller zoom."""
        self.set_zoom(next((lv for lv in reversed(ZOOM_LEVELS) if lv < self._zoom), ZOOM_LEVELS[0]))

    # Marks and finding

    def mark_terms(self, terms: Sequence[str]) -> int:
        """Mark every occurrence of the words of a search; replaces earlier marks.

        Returns:
            How many places are marked, at most 1,000.
        """
        self._line_texts = ()
        self._terms = tuple(term for term in dict.fromkeys(terms) if term.strip())[:_MAX_TERMS]
        self._mark_again()
        return len(self._marked)

    def mark_lines(self, texts: Sequence[str]) -> int:
        """Mark lines by their texts, whole, instead of the words of a search.

        Args:
            texts: lines of the entry as people read them; spaces may differ on the page.

        Returns:
            How many of them are marked.
        """
        self._terms = ()
        self._line_texts = tuple(dict.fromkeys(filter(None, texts)))[:_MAX_TERMS]
        self._mark_again()
        return len(self._marked_lines)

    def _find_line(self, text: str) -> QTextCursor | None:
        """Return where a line stands on the page: its words in order, whatever stands between them."""
        words = _WORD_PARTS.findall(text)[:_MAX_LINE_WORDS]
        if not words:
            return None
        pattern = "[^\\p{L}\\p{N}]{1,6}".join(QRegularExpression.escape(word) for word in words)
        found = self.document().find(QRegularExpression(pattern))
        return None if found.isNull() else found

    def _mark_again(self) -> None:
        lines = (self._find_line(text) for text in self._line_texts)
        self._marked_lines = [cursor for cursor in lines if cursor is not None]
        self._marked = []
        for term in self._terms:
            self._marked += self._all(term, _MAX_HITS - len(self._marked), whole_words=len(term) < 3)
        if self._find_text:
            self._hits = self._all(self._find_text, _MAX_HITS)
            self._hit = min(max(self._hit, 0), len(self._hits) - 1)
            self.hits_changed.emit()
        self._show_selections()

    def find_text(self, text: str) -> int:
        """Mark every place that holds ``text`` and go to the first at or below the top of the view.

        Folded parts that hold it are opened. An empty text ends finding.

        Returns:
            How many places, at most 1,000.
        """
        self._find_text = text
        if text:
            self.load_all()
        if text and self._page is not None and self._open_fold_with(escape(text, quote=False)):
            self._render_in_place()
            self.load_all()
        self._hits = self._all(text, _MAX_HITS) if text else []
        top = self.cursorForPosition(QPointF(PAGE_MARGIN + 1, 0).toPoint()).position()
        below = [number for number, hit in enumerate(self._hits) if hit.selectionStart() >= top]
        self._hit = below[0] if below else (0 if self._hits else -1)
        self._show_hit()
        return len(self._hits)

    def find_step(self, step: int) -> None:
        """Go ``step`` places on, round the end; without a text to find, through the marked words."""
        if not self._hits and not self._find_text:
            self._hits = sorted(self._marked, key=QTextCursor.selectionStart)
        if self._hits:
            self._hit = (self._hit + step) % len(self._hits)
            self._show_hit()

    def hit_number(self) -> tuple[int, int]:
        """Return the 1-based number of the place shown (0 for none) and how many there are."""
        return self._hit + 1, len(self._hits)

    def _all(self, text: str, limit: int, *, whole_words: bool = False) -> list[QTextCursor]:
        flags = QTextDocument.FindFlag.FindWholeWords if whole_words else QTextDocument.FindFlag(0)
        found: list[QTextCursor] = []
        cursor = self.document().find(text, 0, flags)
        while not cursor.isNull() and len(found) < limit:
            found.append(cursor)
            cursor = self.document().find(text, cursor, flags)
        return found

    def _forget_hits(self) -> None:
        self._hits = []
        self._marked = []
        self._marked_lines = []
        self._flash = None
        self.setExtraSelections([])

    def _show_hit(self) -> None:
        self._show_selections()
        self.hits_changed.emit()
        if 0 <= self._hit < len(self._hits):
            rect = self.cursorRect(self._hits[self._hit])
            if rect.top() < 24 or rect.bottom() > self.viewport().height() - 24:
                third = self.viewport().height() // 3
                self._scroll_to(rect.top() + self.verticalScrollBar().value() - third)

    def _show_selections(self) -> None:
        tokens = self._theme.tokens
        selections = []
        if self._flash is not None:
            selections.append(_selection(self._flash, tokens.selection, ""))
        marks = (*self._marked_lines, *self._marked)
        selections += [_selection(mark, tokens.mark, tokens.on_mark) for mark in marks]
        for number, hit in enumerate(self._hits):
            if number != self._hit:
                selections.append(_selection(hit, tokens.mark, tokens.on_mark))
        if 0 <= self._hit < len(self._hits):
            selections.append(_selection(self._hits[self._hit], tokens.accent_fill, tokens.on_accent))
        self.setExtraSelections(selections)

    # Links

    def follow(self, href: str) -> None:
        """Do what the policy allows for ``href``; anything else does nothing."""
        link = read_link(href)
        match link.kind:
            case LinkKind.ANCHOR:
                if self.scroll_to_anchor(link.target):
                    self.link_activated.emit(f"#{link.target}")
            case LinkKind.ENTRY:
                self.link_activated.emit(link.target)
            case LinkKind.EXTERNAL:
                self.external_link_requested.emit(link.target)
            case LinkKind.FOLD:
                self._open_folds ^= {int(link.target)}
                self._render_in_place()
            case LinkKind.INERT:
                pass

    def _on_anchor_clicked(self, url: QUrl) -> None:
        self.follow(_encoded(url))

    def _on_highlighted(self, url: QUrl) -> None:
        self._tell_link(_encoded(url))

    def _tell_link(self, href: str) -> None:
        shown = read_link(href).shown
        if shown != self._hovered:
            self._hovered = shown
            self.link_hovered.emit(shown)

    def doSetSource(self, url: QUrl | str, type: QTextDocument.ResourceType = _UNKNOWN) -> None:  # noqa: A002
        """Do nothing: a page is only ever set by `set_page`."""

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Return a picture for an image, and nothing else for anything else; never None for an image."""
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return ""
        return self._images.image(
            _encoded(QUrl(name)),
            width=self._text_width(),
            tokens=self._theme.tokens,
            scale=self.devicePixelRatioF(),
        )

    def _on_images_arrived(self, addresses: list[str]) -> None:
        place = self._place()
        for address in addresses:
            url = QUrl(address)
            image = self.loadResource(QTextDocument.ResourceType.ImageResource.value, url)
            self.document().addResource(QTextDocument.ResourceType.ImageResource.value, url, image)
        self.document().markContentsDirty(0, self.document().characterCount())
        self._go_to(place)

    # Copying

    def createMimeDataFromSelection(self) -> QMimeData:
        """Return the selection as clean plain text."""
        data = QMimeData()
        data.setText(plain_text(self.textCursor()))
        return data

    def select_all(self) -> None:
        """Select the whole page, what is still missing of it included."""
        self.load_all()
        self.selectAll()

    def code_block(self, number: int) -> CodeBlock | None:
        """Return the source of a code card, or None when the page has no such number."""
        blocks = self._page.code_blocks if self._page else ()
        return blocks[number] if 0 <= number < len(blocks) else None

    def _on_copy_pressed(self, number: int) -> None:
        block = self.code_block(number)
        if block is not None:
            self.copy_requested.emit(number, block)

    def say_copied(self, number: int) -> None:
        """Let the button of code block ``number`` show that its text is on the clipboard."""
        self._buttons.say_copied(number)

    def copy_buttons(self) -> list[CopyButton]:
        """Return the visible copy buttons, top to bottom."""
        return self._buttons.buttons()

    # Geometry and painting

    def _text_width(self) -> int:
        return max(80, self.viewport().width() - 2 * PAGE_MARGIN)

    def _fit_column(self) -> None:
        """Centre the column; widening the window beyond it causes no new layout."""
        free = self.width() - self.verticalScrollBar().sizeHint().width() - 2 * _RING
        wanted = round(COLUMN_WIDTH * self._zoom / 100) + 2 * PAGE_MARGIN
        left = max(SIDE_MARGIN - PAGE_MARGIN, (free - wanted) // 2)
        margins = QMargins(left, 0, max(SIDE_MARGIN - PAGE_MARGIN, free - wanted - left), 0)
        if margins != self.viewportMargins():
            self.setViewportMargins(margins)
        column = (left + PAGE_MARGIN + _RING, free - margins.left() - margins.right() - 2 * PAGE_MARGIN)
        if column != self._column:
            self._column = column
            self.column_changed.emit(*column)

    def column(self) -> tuple[int, int]:
        """Return left edge and width of the text column in this widget's coordinates."""
        return self._column

    def _on_document_resized(self) -> None:
        self._painter.forget_geometry()
        self._settle.start()

    def _on_range_changed(self, least: int, most: int) -> None:
        set_property(self.verticalScrollBar(), "idle", "false" if most > least else "true")

    def _on_width_changed(self, least: int, most: int) -> None:
        # A pixel or two come from rounding the widths of cells: nothing is hidden there.
        policy = Qt.ScrollBarPolicy
        is_wide = most - least > _ROUNDING
        self.setHorizontalScrollBarPolicy(policy.ScrollBarAsNeeded if is_wide else policy.ScrollBarAlwaysOff)

    def _on_scrolled(self) -> None:
        self._settle.start()

    def _on_settled(self) -> None:
        self._place_buttons()
        self._tell_section.start()

    def _place_buttons(self) -> None:
        area = QRectF(self.viewport().rect()).translated(0, self.verticalScrollBar().value())
        cards = {}
        for frame in self._painter.visible_frames(area):
            block = self.code_block(frame.number)
            if frame.mark in (Mark.CODE, Mark.DIAGRAM) and block is not None:
                rect = self._painter.rect(frame).translated(0, -self.verticalScrollBar().value()).toRect()
                language = f" ({block.language})" if block.language else ""
                cards[frame.number] = (rect, f"Copy code block {frame.number + 1}{language}")
        self._buttons.place(cards)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frames, then the text over them."""
        offset = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        with QPainter(self.viewport()) as painter:
            painter.translate(-offset)
            self._painter.paint(painter, QRectF(event.rect()).translated(offset), self._theme.tokens)
        super().paintEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the column centred and the place on the page."""
        place = self._place() if event.size().width() != event.oldSize().width() else None
        self._fit_column()
        super().resizeEvent(event)
        self._painter.forget_geometry()
        if place is not None:
            self._go_to(place)
        self._settle.start()

    # Input

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take every press, so that what lies behind the page hears none."""
        super().mousePressEvent(event)
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Give the middle button the same policy as the left one."""
        if event.button() == Qt.MouseButton.MiddleButton:
            if href := self.anchorAt(event.position().toPoint()):
                self.follow(_encoded(QUrl(href)))
        else:
            super().mouseReleaseEvent(event)
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom with Ctrl, else scroll."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if event.angleDelta().y():
                self.zoom_in() if event.angleDelta().y() > 0 else self.zoom_out()
            event.accept()
            return
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll with Space, Home and End; leave no key to the browser's own history."""
        bar = self.verticalScrollBar()
        modifiers = event.modifiers()
        if modifiers & Qt.KeyboardModifier.AltModifier:
            event.ignore()
        elif event.key() == Qt.Key.Key_Space:
            step = bar.pageStep() - 40
            bar.setValue(bar.value() + (-step if modifiers & Qt.KeyboardModifier.ShiftModifier else step))
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif event.key() == Qt.Key.Key_Home:
            bar.setValue(0)
        elif event.key() == Qt.Key.Key_End:
            self.load_all()
            self.document().documentLayout().documentSize()
            bar.setValue(bar.maximum())
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002, FBT001 - Qt's names
        """Go to the next link, else to the next control; say where the link leads."""
        stays = super().focusNextPrevChild(next)
        cursor = self.textCursor()
        self._tell_link(cursor.charFormat().anchorHref() if stays and cursor.hasSelection() else "")
        if stays:
            self._settle.start()
        return stays

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus ring when the focus came by keyboard."""
        reasons = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        set_property(self, "ring", "true" if event.reason() in reasons else "false")
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the focus ring away."""
        set_property(self, "ring", "false")
        super().focusOutEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Show a link's target letter by letter; by itself Qt would take a title for HTML."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            form = self.cursorForPosition(event.pos()).charFormat()
            QToolTip.showText(event.globalPos(), plain_tooltip(form.toolTip()), self.viewport())
            return True
        return super().viewportEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer copying, the link's target, and finding."""
        menu = QMenu(self)
        copy = menu.addAction("Copy", self.copy)
        copy.setEnabled(self.textCursor().hasSelection())
        link = read_link(self.anchorAt(event.pos()))
        if link.kind in (LinkKind.EXTERNAL, LinkKind.ENTRY):
            menu.addAction("Copy link target", partial(QGuiApplication.clipboard().setText, link.target))
        menu.addAction("Select all", self.select_all)
        menu.addSeparator()
        menu.addAction("Find in page", self.find_requested.emit)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())


def append_html(document: QTextDocument, html: str) -> None:
    """Append whole blocks to ``document`` as if they had been set together with what it holds."""
    cursor = QTextCursor(document)
    cursor.movePosition(QTextCursor.MoveOperation.End)
    end = cursor.position()
    # The first block of inserted HTML melts into the last one and loses its format: let it be one character
    # that is taken out again.
    cursor.insertHtml(f"<p>\u200b</p>{html}")
    cursor.setPosition(end)
    cursor.deleteChar()


def _timer(parent: QObject, interval_ms: int, call: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(call)
    return timer


def _encoded(url: QUrl) -> str:
    return url.toString(QUrl.ComponentFormattingOption.FullyEncoded)


def _selection(cursor: QTextCursor, ground: str, color: str) -> QTextEdit.ExtraSelection:
    selection = QTextEdit.ExtraSelection()
    selection.cursor = cursor
    form = QTextCharFormat()
    form.setBackground(QColor(ground))
    if color:
        form.setForeground(QColor(color))
    else:
        form.setProperty(QTextCharFormat.Property.FullWidthSelection, True)  # noqa: FBT003 - Qt's order
    selection.format = form
    return selection
