"""Colours of Markdown in the editor, line by line; what a line is stays known for the completion."""

from __future__ import annotations

import re

from PySide6.QtGui import QColor, QFont, QSyntaxHighlighter, QTextBlock, QTextCharFormat, QTextDocument

from kb_app.ui.common.theme import Theme
from kb_app.ui.editor.state import Place

_BODY, _FRONT, _FENCE = 0, 1, 2
"""States of a line's end; a fence of n marks has the state n (≥ 3), one of tildes n + 100."""

_FENCE_LINE = re.compile(r"^\s{0,12}(`{3,}|~{3,})")
_HEADING = re.compile(r"^#{1,6}\s")
_FRONT_ROW = re.compile(r"^(\s*[\w-]+:)(.*)$")
_BULLET = re.compile(r"^(\s*(?:[-*+]|\d{1,9}[.)]))\s")
_ATTRIBUTE = re.compile(
    r"^\s*- (Time|Risk|Reversible|Blast|Approval|Restores|Data|Contains|Confidence|Verify|Expect|Undo|If not"
    r"|Confirm):",
    re.IGNORECASE,
)
_CODE = re.compile(r"(`{1,3})(?!`).{1,400}?(?<!`)\1(?!`)")
_LINK = re.compile(r"!?\[[^\]\n]{0,300}\]\([^)\n]{0,400}\)")
_STRONG = re.compile(r"(\*\*|__)(?=\S).{1,300}?(?<=\S)\1")
_PLACEHOLDER = re.compile(r"<[a-zA-Z][\w-]{0,40}>|\$\{?[A-Z][A-Z0-9_]{2,40}\}?")
_COMMENT = re.compile(r"<!--.*?(?:-->|$)")
_QUOTE = re.compile(r"^\s*>")
MAX_LINE = 4_000
"""Longer lines are not coloured."""


class MarkdownHighlighter(QSyntaxHighlighter):
    """Colours front matter, headings, code, links, placeholders and attribute bullets."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self._formats: dict[str, QTextCharFormat] = {}
        self._make_formats()
        Theme.current().changed.connect(self._on_theme_changed)

    def _make_formats(self) -> None:
        tokens = Theme.current().tokens

        def made(
            color: str, *, bold: bool = False, ground: str = "", italic: bool = False
        ) -> QTextCharFormat:
            form = QTextCharFormat()
            form.setForeground(QColor(tokens.color(color)))
            if bold:
                form.setFontWeight(QFont.Weight.DemiBold)
            if ground:
                form.setBackground(QColor(tokens.color(ground)))
            form.setFontItalic(italic)
            return form

        self._formats = {
            "heading": made("text", bold=True),
            "marks": made("text3"),
            "key": made("syntax_name"),
            "value": made("syntax_string"),
            "fence": made("text3"),
            "code": made("syntax_string", ground="surface2"),
            "link": made("accent"),
            "strong": made("text", bold=True),
            "placeholder": made("mitigate", bold=True, ground="mitigate_bg"),
            "attribute": made("fix", bold=True),
            "comment": made("text3", italic=True),
            "quote": made("text2", italic=True),
        }

    def _on_theme_changed(self) -> None:
        self._make_formats()
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        """Colour one line."""
        before = self.previousBlockState()
        if before == -1:
            before = _BODY
            if text.rstrip() == "---" and self.currentBlock().blockNumber() == 0:
                self._whole(text, "marks")
                self.setCurrentBlockState(_FRONT)
                return
        if before == _FRONT:
            self._front(text)
        elif before > _FENCE:
            self._fenced(text, before)
        else:
            self._body(text)

    def _whole(self, text: str, name: str) -> None:
        self.setFormat(0, len(text), self._formats[name])

    def _front(self, text: str) -> None:
        if text.rstrip() in ("---", "..."):
            self._whole(text, "marks")
            self.setCurrentBlockState(_BODY)
            return
        self.setCurrentBlockState(_FRONT)
        if (match := _FRONT_ROW.match(text[:MAX_LINE])) is not None:
            self.setFormat(match.start(1), len(match.group(1)), self._formats["key"])
            self.setFormat(match.start(2), len(match.group(2)), self._formats["value"])

    def _fenced(self, text: str, before: int) -> None:
        match = _FENCE_LINE.match(text)
        count, mark = (before - 100, "~") if before > 100 else (before, "`")
        is_mark = match is not None and match.group(1)[0] == mark and len(match.group(1)) >= count
        if is_mark and not text.strip(f"{mark} \t"):
            self._whole(text, "fence")
            self.setCurrentBlockState(_BODY)
            return
        self.setCurrentBlockState(before)
        self._whole(text, "code")
        self._each(text, _PLACEHOLDER, "placeholder")

    def _body(self, text: str) -> None:
        self.setCurrentBlockState(_BODY)
        if not text or len(text) > MAX_LINE:
            return
        if (match := _FENCE_LINE.match(text)) is not None:
            mark = match.group(1)
            self._whole(text, "fence")
            self.setCurrentBlockState(min(99, len(mark)) + (100 if mark[0] == "~" else 0))
            return
        if _HEADING.match(text):
            self._whole(text, "heading")
            self.setFormat(0, len(text) - len(text.lstrip("#")), self._formats["marks"])
            return
        if _QUOTE.match(text):
            self._whole(text, "quote")
        if (bullet := _BULLET.match(text)) is not None:
            self.setFormat(bullet.start(1), len(bullet.group(1)), self._formats["marks"])
        if (attribute := _ATTRIBUTE.match(text)) is not None:
            self.setFormat(attribute.start(1), len(attribute.group(1)) + 1, self._formats["attribute"])
        self._inline(text)

    def _inline(self, text: str) -> None:
        if "*" in text or "_" in text:
            self._each(text, _STRONG, "strong")
        if "](" in text:
            self._each(text, _LINK, "link")
        if "`" in text:
            self._each(text, _CODE, "code")
        if "<" in text or "$" in text:
            self._each(text, _PLACEHOLDER, "placeholder")
            self._each(text, _COMMENT, "comment")

    def _each(self, text: str, pattern: re.Pattern[str], name: str) -> None:
        for match in pattern.finditer(text[:MAX_LINE]):
            self.setFormat(match.start(), match.end() - match.start(), self._formats[name])


def place_of(block: QTextBlock) -> Place:
    """Return what a line of a highlighted document is."""
    before = block.previous().userState() if block.previous().isValid() else _BODY
    if before == _FRONT and block.userState() == _FRONT:
        return Place.FRONT
    return Place.CODE if before > _FENCE else Place.BODY
