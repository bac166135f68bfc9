"""Turn a Markdown file into a page for the reader."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import markdown

from kb_app.rendering.model import RenderedPage
from kb_app.rendering.sanitising import reveal_hidden, sanitise


def render(text: str, *, path: str, is_file: Callable[[str], bool]) -> RenderedPage:
    """Render a file.

    Args:
        text: the whole file, decoded, front matter included.
        path: where the file lies in its knowledge base, ``/``-separated; relative links start there.
        is_file: tells whether a path relative to the knowledge base is a file in it; the only question this
            function asks of the outside world.

    Returns:
        The page; content never makes it raise.
    """
    del path, is_file
    html = markdown.markdown(reveal_hidden(text), extensions=["tables", "fenced_code", "sane_lists"])
    return RenderedPage(html=sanitise(html))


def plain_page(text: str, notice: str) -> RenderedPage:
    """Show ``text`` as it is, with a sentence why.

    Args:
        text: the whole file.
        notice: one sentence for the user.
    """
    return RenderedPage(
        html=f'<pre class="plain">{escape(reveal_hidden(text))}</pre>', notices=(notice,), is_plain=True
    )
