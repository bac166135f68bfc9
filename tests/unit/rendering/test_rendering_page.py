from __future__ import annotations

import re
from textwrap import dedent

import pytest

from kb_app.entries.outline import outline_of
from kb_app.rendering.model import RenderedPage
from kb_app.rendering.page import plain_page, render

FILES = {"guide/other.md", "guide/img/x.png", "guide/inc.md"}


def page_of(text: str) -> RenderedPage:
    return render(dedent(text), path="guide/page.md", is_file=FILES.__contains__)


def html_of(text: str, *, with_anchors: bool = False) -> str:
    html = page_of(text).html
    return html if with_anchors else re.sub(r'<a name="line-\d+"></a>', "", html)


# The page as a whole


def test_front_matter_is_not_part_of_the_page_and_lines_are_those_of_the_file() -> None:
    page = page_of("---\ntitle: T\n---\n\n# Head\n\ntext\n\n```sh\nls\n```\n")
    assert "title" not in page.html.replace('id="', "")
    assert [(item.level, item.title, item.line) for item in page.outline] == [(1, "Head", 5)]
    assert page.code_blocks[0].line == 9
    assert '<a name="line-7"></a>text' in page.html


def test_anchors_are_those_of_the_entry_and_unique() -> None:
    text = "# Über `x`\n\n## Same\n\n## Same\n\nSet\next\n---\n\n"
    text += "## With {#own-id}\n\n> ## in a quote\n\n## Same\n"
    page = page_of(text)
    by_line = {item.line: item.anchor for item in page.outline}
    for heading in outline_of(text.split("\n")).headings:
        assert by_line[heading.first_line] == heading.anchor
    assert len(set(by_line.values())) == len(page.outline) == 7
    for anchor in by_line.values():
        assert re.search(f'<h[12]><a name="{anchor}"></a><a name="line-[0-9]+"></a>', page.html)
    assert "{#own-id}" not in page.html


def test_a_heading_template_becomes_the_title() -> None:
    assert "Real title</h1>" in html_of("---\ntitle: Real title\n---\n# <%= current_page.data.title %>\n")


def test_code_blocks_hold_the_source_to_the_character_in_the_order_of_their_cards() -> None:
    text = "```sh\n\n  a  \tb\u200b\n\n```\n\n- x\n\n  ~~~\n  two\n    deep\n  ~~~\n\n"
    text += "      indented\n\n<pre>\nraw &lt;x>\n</pre>\n"
    page = page_of(text)
    assert [block.text for block in page.code_blocks[:3]] == ["\n  a  \tb\u200b\n", "two\n  deep", "indented"]
    assert page.code_blocks[0].language == "sh"
    assert page.code_blocks[3].text == "raw <x>"
    assert page.html.count('<pre class="code">') == len(page.code_blocks) == 4
    assert "‹U+200B›" in page.html


@pytest.mark.parametrize(
    ("information", "language"),
    [
        ("sh", "sh"),
        ("Bash title=x", "bash"),
        ("{.yaml}", "yaml"),
        ("{code-block} python", "python"),
        ("python,ignore", "python"),
        ("", ""),
        ("{literalinclude} ../x.sh", ""),
    ],
)
def test_the_language_of_a_fence(information: str, language: str) -> None:
    assert page_of(f"```{information}\nx\n```\n").code_blocks[0].language == language


def test_known_languages_are_coloured_and_unknown_ones_stay_plain() -> None:
    assert '<span class="' in html_of("```python\nimport os\n```\n")
    assert "<span" not in html_of("```\nimport os\n```\n")
    assert "<span" not in html_of("```no-such-language\nimport os\n```\n")


def test_a_diagram_is_marked() -> None:
    assert '<table class="code diagram"' in html_of("```mermaid\na-->b\n```\n")
    assert page_of("::: mermaid\na-->b\n\n- c\n:::\n\nafter\n").code_blocks[0].text == "a-->b\n\n- c"


def test_a_fence_that_is_never_closed_ends_before_the_next_heading() -> None:
    page = page_of("# T\n\n```sh\nls\n\n## Mitigation\n\ntext\n")
    assert [item.title for item in page.outline] == ["T", "Mitigation"]
    assert page.code_blocks[0].text == "ls"


def test_carriage_returns_and_a_byte_order_mark_are_no_text() -> None:
    page = page_of("\ufeff# T\r\n\r\na\r\nb\r\n")
    assert "‹" not in page.html
    assert page.outline[0].title == "T"


def test_a_plain_page_shows_every_character_and_says_why() -> None:
    page = plain_page("<b> & [x](y)\n\u202e", "Shown as plain text.")
    assert "&lt;b&gt; &amp; [x](y)" in page.html
    assert "‹U+202E›" in page.html
    assert page.is_plain
    assert page.notices == ("Shown as plain text.",)


def test_half_a_character_is_shown_by_code_point() -> None:
    assert "‹U+D800›" in page_of("a\ud800b").html


def test_a_file_system_that_refuses_a_name_breaks_the_link_only() -> None:
    def is_file(path: str) -> bool:
        raise OSError(path)

    assert "link-broken" in render("[a](b.md)", path="a.md", is_file=is_file).html


def test_an_empty_page_is_empty() -> None:
    assert page_of("").html == ""
    assert page_of("---\ntitle: x\n---\n").html == ""


# Callouts and other blocks beyond CommonMark


@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("> [!NOTE]\n> body\n", "note", "Note"),
        ("> [!warning] Mind *this*\n> body\n", "warning", "Mind <em>this</em>"),
        ("> [!CAUTION]\n>\n> body\n", "warning", "Caution"),
        ("> **Note:** body\n", "note", "Note"),
        ("> **Warning**\n>\n> body\n", "warning", "Warning"),
        ("!!! danger\n    body\n", "danger", "Danger"),
        ('!!! tip "My title"\n    body\n', "tip", "My title"),
        (":::important\nbody\n:::\n", "important", "Important"),
        ("::: tip Do it\nbody\n:::\n", "tip", "Do it"),
        (":::info[Named]\n\n    body\n\n:::\n", "note", "Named"),
        ("```{warning}\nbody\n```\n", "warning", "Warning"),
        (":::{admonition} Own words\n:class: tip\nbody\n:::\n", "note", "Own words"),
    ],
)
def test_a_callout_has_its_kind_its_title_and_its_body(text: str, kind: str, title: str) -> None:
    html = html_of(text)
    assert f'<table class="callout {kind}" width="100%">' in html
    assert f'<td class="callout {kind}"><p class="callout-title">{title}</p><p>body</p></td>' in html


def test_a_callout_holds_blocks_and_ends_where_its_indentation_ends() -> None:
    html = html_of("!!! note\n    - a\n\n        ```sh\n        ls\n        ```\n\nafter\n")
    inside, _, after = html.partition("</td></tr></tbody></table></li></ul></td>")
    assert "<pre" in inside
    assert after.endswith("<p>after</p>")


def test_directives_lie_inside_each_other() -> None:
    html = html_of("::::note\na\n:::warning\nb\n:::\nc\n::::\nd\n")
    assert html.index("callout note") < html.index("callout warning") < html.index("<p>c</p>")
    assert html.endswith("</table><p>d</p>")


def test_an_ordinary_quote_stays_a_quote() -> None:
    assert '<table class="quote" width="100%"><tbody><tr><td class="quote"><p>[!nothing] x</p>' in html_of(
        "> [!nothing] x\n"
    )


def test_details_hold_markdown_and_their_summary() -> None:
    html = html_of("<details>\n<summary>More <b>now</b></summary>\n\n- **x**\n\n</details>\n\nafter\n")
    assert (
        '<td class="details"><p class="summary">More <b>now</b></p><ul><li><strong>x</strong></li></ul></td>'
        in html
    )
    assert html.endswith("<p>after</p>")


def test_a_folded_admonition_is_shown_as_details() -> None:
    assert '<td class="details"><p class="summary">Why</p><p>x</p></td>' in html_of('??? note "Why"\n    x\n')


def test_task_items_have_an_icon_and_no_brackets() -> None:
    html = html_of("- [ ] open\n- [x] done\n- [link](other.md)\n")
    assert '<li class="task"><img src="icon:square" width="16" height="16"> open</li>' in html
    assert '<li class="task"><img src="icon:square-check" width="16" height="16"> done</li>' in html
    assert html.count('class="task"') == 2


def test_a_table_has_sides_and_keeps_cells_that_are_too_many() -> None:
    html = html_of("| a | b |\n|:-:|--:|\n| 1 | `x \\| y` | 3 |\n| 4 |\n")
    assert '<th align="center">a</th><th align="right">b</th>' in html
    assert "<code>x | y</code> | 3</td>" in html
    assert '<td align="center">4</td><td align="right"></td>' in html


def test_footnotes_stand_at_the_end_with_a_way_back() -> None:
    html = html_of("a[^n] b[^n] [^none]\n\n[^n]: first\n    second\n\n- c\n")
    assert html.count('<a href="#fn-1" title="#fn-1">1</a>') == 2
    assert "[^none]" in html
    assert '<a name="fn-1"></a>first\nsecond <a href="#fnref-1" title="#fnref-1">↩</a></p></li></ol>' in html
    assert html.index("<li>c</li>") < html.index("<hr>")


def test_definitions_belong_to_their_term() -> None:
    assert html_of("Term\n: one\n: two\n\nafter\n") == (
        "<dl><dt>Term</dt><dd><p>one</p></dd><dd><p>two</p></dd></dl><p>after</p>"
    )


@pytest.mark.parametrize(
    "line",
    [
        "[[_TOC_]]",
        "[TOC]",
        "{{< tabs >}}",
        '{{% tab name="x" %}}',
        "{% include x.md %}",
        "<%= partial :x %>",
        "<!-- a remark -->",
        "(a-label)=",
        "::: zone-end",
        '::: moniker range="x"',
        "{: .note #id}",
    ],
)
def test_a_line_for_the_generator_is_left_out(line: str) -> None:
    assert html_of(f"before\n\n{line}\n\nafter\n").replace('<a name="a-label"></a>', "") == (
        "<p>before</p><p>after</p>"
    )


def test_a_generated_table_of_contents_is_left_out() -> None:
    text = "<!-- START doctoc -->\n\n- [a](#a)\n\n<!-- END doctoc -->\n\nafter\n"
    assert html_of(text) == "<p>after</p>"
    assert "<li>" in html_of("<!-- START doctoc -->\n\n- [a](#a)\n")
    assert "<li>" in html_of("<!-- END doctoc -->\n\n<!-- START doctoc -->\n\n- [a](#a)\n")


def test_text_between_comments_stays_markdown() -> None:
    assert html_of("<!--start-->some *text*<!--end-->\n") == "<p>some <em>text</em></p>"


def test_a_comment_that_is_never_closed_hides_nothing() -> None:
    assert "important" in html_of("<!-- oops\n\nimportant\n")


def test_a_label_is_an_anchor_that_links_find() -> None:
    html = html_of("(deploy-steps)=\n## Deploy\n\n[go](#deploy-steps)\n")
    assert '<a name="deploy-steps"></a>' in html
    assert '<a href="#deploy-steps"' in html


# Inline


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* **b** _c_ __d__ ~~e~~", "<em>a</em> <strong>b</strong> <em>c</em> <strong>d</strong> <s>e</s>"),
        ("snake_case_name *a", "snake_case_name *a"),
        ("`a  <b> *c*`", "<code>a  &lt;b&gt; *c*</code>"),
        ("``a ` b``", "<code>a ` b</code>"),
        ("`a``b", "`a``b"),
        (r"\*a\* \# \_ \\ \a", r"*a* # _ \ \a"),
        ("a  \nb\\\nc", "a<br>b<br>c"),
        ("&copy; &lt; &nope; a & b", "© &lt; &amp;nope; a &amp; b"),
        ("<pod-name> <namespace>/<x>", "&lt;pod-name&gt; &lt;namespace&gt;/&lt;x&gt;"),
        (
            "<kbd>Ctrl</kbd> H<sub>2</sub>O x<sup>2</sup> a<br/>b",
            "<kbd>Ctrl</kbd> H<sub>2</sub>O x<sup>2</sup> a<br>b",
        ),
        ("<b>*a*</b> <i>b</i> <font color=red>c</font>", "<b><em>a</em></b> <i>b</i> c"),
        ("a <b> b", "a &lt;b&gt; b"),
        ("a<p><p>b</p>c", "a<br>bc"),
        ("a <ul><li>b</li><li>c</li></ul>", "a <br>• b<br>• c"),
        ("x <!-- hidden --> y", "x  y"),
        (":smile: 10:30 a@b", ":smile: 10:30 a@b"),
        ("{{ $labels.pod }} ${VAR} $(x)", "{{ $labels.pod }} ${VAR} $(x)"),
        ("{ref}`the text <target>` {kbd}`x`", "the text <code>x</code>"),
        ('{{< figure src="x.png" caption="The plan" >}}', "The plan"),
        ("[not a link] [a]", "[not a link] [a]"),
        ('`a`{: .sh} {:ok, x} b{: x="y"}', '<code>a</code> {:ok, x} b{: x="y"}'),
    ],
)
def test_inline_syntax(text: str, html: str) -> None:
    assert html_of(text) == f"<p>{html}</p>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[t](other.md#x)", '<a href="kb:guide/other.md#x" title="other.md#x">t</a>'),
        ("[t](<other.md>)", '<a href="kb:guide/other.md" title="other.md">t</a>'),
        ("[t][o]\n\n[O]: other.md", '<a href="kb:guide/other.md" title="other.md">t</a>'),
        ("[o]\n\n[o]: <other.md> 'x'", '<a href="kb:guide/other.md" title="other.md">o</a>'),
        ('[t]({{< ref "other.md" >}})', '<a href="kb:guide/other.md" title="other.md">t</a>'),
        ("[t](gone.md)", '<span class="link-broken" title="gone.md">t</span>'),
        ("[t](file:///x)", '<span class="link-out" title="file:///x">t</span>'),
        ("<https://x.org/a_b>", '<a href="https://x.org/a_b" title="https://x.org/a_b">https://x.org/a_b</a>'),
        ("see https://x.org/a).", 'see <a href="https://x.org/a" title="https://x.org/a">https://x.org/a</a>).'),
        ("http://x.o/_(b)", '<a href="http://x.o/_(b)" title="http://x.o/_(b)">http://x.o/_(b)</a>'),
        ("www.x.org", '<a href="https://www.x.org" title="https://www.x.org">www.x.org</a>'),
        ("<a@b.org>", '<a href="mailto:a@b.org" title="mailto:a@b.org">a@b.org</a>'),
        ("[https://x.org](https://y.org)", '<a href="https://y.org" title="https://y.org">https://x.org</a>'),
        ("[*b* `c`](http://y.o)", '<a href="http://y.o" title="http://y.o"><em>b</em> <code>c</code></a>'),
        ("![alt](img/x.png)", '<img src="kb:guide/img/x.png" alt="alt" title="img/x.png">'),
        ("![alt](http://x.o/i.png)", '<span class="image-out" title="http://x.o/i.png">[image: alt]</span>'),
        ("![](gone/pic.png)", '<span class="image-out" title="gone/pic.png">[image: pic.png]</span>'),
        ("[!INCLUDE [the rest](inc.md)]", '<a href="kb:guide/inc.md" title="inc.md">the rest</a>'),
    ],
)  # fmt: skip
def test_links_and_images(text: str, html: str) -> None:
    assert html_of(text) == f"<p>{html}</p>"


def test_a_link_at_the_start_of_a_block_is_not_split_by_the_line_anchor() -> None:
    html = html_of("- [t](other.md)\n", with_anchors=True)
    assert html == (
        '<ul><li><a name="line-1"></a><a href="kb:guide/other.md" title="other.md">t</a></li></ul>'
    )


# Raw HTML


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<p align=center>a <b>b</b></p>", "<p>a <b>b</b></p>"),
        ("<div class=x>\n\n**a**\n\n</div>", "<p><strong>a</strong></p>"),
        ("<div>plain</div>", "<p>plain</p>"),
        (
            "<table><tr><td colspan=2>a</td></tr></table>",
            '<table class="grid" width="100%"><tbody><tr><td colspan="2">a</td></tr></tbody></table>',
        ),
        ("<ul><li>a</ul>", "<ul><li>a</li></ul>"),
        ("<title> of the page", "<p>&lt;title&gt; of the page</p>"),
        ("<hr>", "<hr>"),
    ],
)
def test_simple_html_is_shown_properly(text: str, html: str) -> None:
    assert html_of(text) == html


def test_a_script_is_shown_as_code() -> None:
    page = page_of("<script>\nalert(1)\n</script>\n")
    assert page.code_blocks[0].text == "<script>\nalert(1)\n</script>"
    assert "<script" not in page.html
    assert "alert" in page.html
