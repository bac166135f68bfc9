"""What rendering returns: HTML in the dialect that the reader paints, and what belongs to it.

The dialect (theme-free; the reader's style sheet and painter give it colour, see ``kb_app/ui/reader``). It is
plain HTML 4 as ``QTextDocument`` understands it, with these shapes, each one-cell table spanning the column:

* code card    ``<table class="code" width="100%"><tr><td class="code"><pre class="code">…</pre></td>
  </tr></table>`` with Pygments' short class names on spans; the n-th such table belongs to
  ``RenderedPage.code_blocks[n]``. A diagram's source (mermaid, plantuml, …) carries ``class="code diagram"``
  on the table.
* callout      ``<table class="callout KIND" width="100%"><tr><td class="callout KIND">
  <p class="callout-title">Title</p>…`` with KIND one of ``note tip important warning danger success``.
* block quote  ``<table class="quote" width="100%"><tr><td class="quote">…``
* table        ``<table class="grid" width="100%">`` with ``th``/``td`` and ``align`` attributes.
* details      ``<table class="details" width="100%"><tr><td class="details"><p class="summary">…</p>…``
* task item    ``<li class="task"><img src="icon:square" width="16" height="16"> …`` or ``icon:square-check``.
* inline code  ``<code>…</code>`` outside ``pre``; keyboard keys ``<kbd>``.
* heading      ``<hN><a name="anchor"></a>…`` with the anchors of ``entries`` sections.
* line anchors ``<a name="line-N"></a>`` where a block's text starts, N the 1-based line of the file. Long
  pages have one every few lines and at each heading only: take the nearest before the line looked for.
* footnotes    a last ``<hr><ol>`` with the anchors ``fn-N``; their marks in the text have ``fnref-N``.
* definition   ``<dl><dt>…</dt><dd>…</dd></dl>``.
* image        ``<img src="kb:RELATIVE/PATH" alt="…" title="…">``: only images inside the knowledge base keep
  a source; any other becomes ``<span class="image-out">[image: alt text]</span>``.
* link         ``<a href="…" title="the target">``: ``https:``, ``http:``, ``mailto:``, ``#anchor`` or
  ``kb:RELATIVE/PATH#anchor``; any other link becomes ``<span class="link-out" title="…">text</span>``;
  a link to a file that does not exist becomes ``<span class="link-broken" title="the target">``.

Every table has a ``<tbody>``. Characters that hide or reorder text are shown by code point, as ``‹U+202E›``;
the only U+200B in a page are places to break very long words, to be removed from copied text. The class
``plain`` of a ``<pre>`` marks a page that is shown as it is written.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """One heading of the page: level 1 to 6, plain title, anchor, 1-based line of the file."""

    level: int
    title: str
    anchor: str
    line: int


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One code block: source text as written (no final newline), language or empty, 1-based line."""

    text: str
    language: str
    line: int


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page ready for the reader.

    Attributes:
        html: body in the dialect above, safe by construction.
        outline: headings in order.
        code_blocks: in the order of the code cards in ``html``.
        notices: sentences to show above the page (too large, shown as plain text, …).
        is_plain: the page is shown as plain text because rendering it was refused or took too long.
    """

    html: str
    outline: tuple[OutlineItem, ...] = ()
    code_blocks: tuple[CodeBlock, ...] = ()
    notices: tuple[str, ...] = ()
    is_plain: bool = False
