from __future__ import annotations

from kb_app.rendering.page import plain_page, render


def no_file(_path: str) -> bool:
    return False


def test_a_heading_and_a_paragraph_are_rendered() -> None:
    page = render("# Title\n\nSome *text*.\n", path="a.md", is_file=no_file)
    assert "Title</h1>" in page.html
    assert "<em>text</em>" in page.html


def test_a_plain_page_shows_every_character_and_says_why() -> None:
    page = plain_page("<b> & [x](y)\n", "Shown as plain text.")
    assert "&lt;b&gt; &amp; [x](y)" in page.html
    assert page.is_plain
    assert page.notices == ("Shown as plain text.",)
