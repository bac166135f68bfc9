"""Whatever a page is made of, the reader shows, paints, scrolls, searches and copies it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from kb_app.rendering.model import CodeBlock, OutlineItem, RenderedPage
from kb_app.rendering.sanitising import sanitise
from kb_app.ui.common.jobs import InlineJobs
from kb_app.ui.reader.page_html import CALLOUTS
from kb_app.ui.reader.view import ReaderView

WORDS = st.sampled_from(["", "lease", "a b", "x" * 300, "ä\u00a0ö", "&lt;b&gt;", "日本語", "\u200f\u05d0"])
INLINE = st.one_of(
    WORDS,
    WORDS.map("<code>{}</code>".format),
    WORDS.map('<a href="kb:a.md" title="t">{}</a>'.format),
    WORDS.map("<strong>{}</strong>".format),
    st.sampled_from(
        [
            "<br>",
            "<kbd>Ctrl</kbd>",
            '<img src="kb:none.png" alt="x">',
            '<img src="icon:square" width="16" height="16">',
            '<a name="line-7"></a>',
            '<span class="link-broken" title="t">gone</span>',
        ]
    ),
)
TEXT = st.lists(INLINE, max_size=4).map(" ".join)
CODE = TEXT.map(
    lambda text: (
        '<table class="code" width="100%"><tr><td class="code"><pre class="code">'
        f"{text}\n{text}</pre></td></tr></table>"
    )
)
LEAF = st.one_of(
    TEXT,
    TEXT.map("<p>{}</p>".format),
    TEXT.map('<a name="h"></a><h2 id="h">{}</h2>'.format),
    CODE,
    st.just("<hr>"),
    TEXT.map(
        lambda text: (
            '<table class="grid" width="100%"><thead><tr><th>A</th><th align="right">B</th></tr></thead>'
            f"<tbody><tr><td>{text}</td><td></td></tr></tbody></table>"
        )
    ),
    st.just('<table class="grid" width="100%"></table>'),
    st.just('<table class="code" width="100%"><tr><td class="code"></td></tr></table>'),
)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, max_size=3).map("".join)
    kinds = [mark.name.lower() for mark in CALLOUTS]
    framed = st.tuples(st.sampled_from(kinds), body).map(
        lambda pair: (
            f'<table class="callout {pair[0]}" width="100%"><tr><td class="callout {pair[0]}">'
            f'<p class="callout-title">T</p>{pair[1]}</td></tr></table>'
        )
    )
    folded = body.map(
        lambda text: (
            '<table class="details" width="100%"><tr><td class="details"><p class="summary">S</p>'
            f"{text}</td></tr></table>"
        )
    )
    quoted = body.map('<table class="quote" width="100%"><tr><td class="quote">{}</td></tr></table>'.format)
    listed = st.lists(body, max_size=3).map(
        lambda items: f"<ul>{''.join(f'<li>{i}</li>' for i in items)}</ul>"
    )
    numbered = st.lists(body, max_size=3).map(
        lambda items: f"<ol>{''.join(f'<li>{i}</li>' for i in items)}</ol>"
    )
    task = body.map('<ul><li class="task"><img src="icon:square" width="16" height="16"> {}</li></ul>'.format)
    return st.one_of(framed, folded, quoted, listed, numbered, task)


PAGES = st.lists(st.recursive(LEAF, nested, max_leaves=12), max_size=6).map("\n".join).map(sanitise)


@pytest.fixture
def view(qtbot: QtBot) -> ReaderView:
    reader = ReaderView(InlineJobs())
    qtbot.addWidget(reader)
    reader.resize(500, 400)
    reader.show()
    qtbot.waitExposed(reader)
    return reader


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(html=PAGES, zoom=st.sampled_from([60, 100, 240]))
def test_any_page_of_the_dialect_is_shown(view: ReaderView, tmp_path_factory, html: str, zoom: int) -> None:
    blocks = tuple(CodeBlock("x", "", 1) for _ in range(html.count('class="code"')))
    view.set_zoom(zoom)
    view.set_page(RenderedPage(html, (OutlineItem(2, "h", "h", 1),), blocks), None, "page.md")
    view.load_all()
    view.viewport().grab()
    for fold in range(3):
        view.follow(f"fold:{fold}")
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    view.viewport().grab()
    view.find_text("lease")
    view.find_step(1)
    view.mark_terms(["a"])
    view.scroll_to_line(7)
    view.scroll_to_anchor("h")
    view._on_settled()
    view._find_section()
    view.select_all()
    view.copy()
    assert "\ufffc" not in QGuiApplication.clipboard().text()
    column = view.viewport().width()
    for frame in view._painter.frames():
        rect = view._painter.rect(frame)
        assert rect.width() > 0
        assert rect.height() >= 0
        assert rect.left() >= 20
        assert rect.left() < column * 4
