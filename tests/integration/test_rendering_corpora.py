"""Real pages: nothing is lost, nothing is refused, anchors and code are those of the file."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from kb_app.entries.front_matter import read_front_matter
from kb_app.entries.outline import outline_of
from kb_app.rendering.page import render
from kb_app.rendering.sanitising import sanitise

CORPORA = Path(__file__).parents[3] / "shared" / "corpora"

pytestmark = pytest.mark.skipif(
    not CORPORA.is_dir(), reason="the public corpora are not beside the repository"
)

#: What is no text for people: comments, tags and their attributes, template tags, addresses, definitions.
_NO_PROSE = re.compile(
    r"<!--.*?-->|<[^<>]*>|\{\{[<%].*?[%>]\}\}|\{%.*?%\}|<%.*?%>|\]\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^\]]*\]:.*"
    r"|&\w+;|&#\w+;|(?m:^\s*(?:`{3,}|~{3,}|:{3,}|!!!).*$)|(?m:^\s*:[a-z-]+:.*$)|\]\[[^\]]*\]|\{:?[#.][^}]*\}"
    r"|\{[a-z:]+\}`[^`]*`|(?m:^\([\w-]+\)=$)|\\",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W_]{4,}")


def pages() -> list[tuple[Path, str]]:
    found = []
    for root in sorted(CORPORA.iterdir()):
        found += [(root, str(page.relative_to(root))) for page in sorted(root.rglob("*.md"))]
    return found


def test_every_real_page_is_rendered_whole() -> None:
    refused, changed, misplaced, lost = [], [], [], []
    for root, name in pages():
        text = (root / name).read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n")
        page = render(text, path=name, is_file=lambda path, root=root: (root / path).is_file())  # type: ignore[misc]
        lines = text.split("\n")
        body_line = read_front_matter(lines).body_line
        if page.notices or page.is_plain:
            refused.append(name)
        if sanitise(page.html) != page.html:
            changed.append(name)
        ours = {(item.line, item.anchor, item.title) for item in page.outline}
        entries = {(h.first_line, h.anchor, h.title) for h in outline_of(lines, body_line).headings}
        if not entries <= ours:
            misplaced.append((name, entries - ours))
        source = _NO_PROSE.sub(" ", "\n".join(lines[body_line - 1 :]))
        shown = {
            word
            for gap in ("", " ")  # a tag may stand inside a word or between two
            for word in _WORD.findall(unescape(re.sub(r"<[^>]*>", gap, page.html)))
        }
        missing = set(_WORD.findall(source)) - shown
        if missing:
            lost.append((name, missing))
        assert page.html.count('<pre class="code">') == len(page.code_blocks)
    assert not refused
    assert not changed
    assert not misplaced
    assert len(lost) <= 6, lost
