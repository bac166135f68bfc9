from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.rendering.page import render
from kb_app.rendering.sanitising import (
    ALLOWED_ATTRIBUTES,
    ALLOWED_CLASSES,
    ALLOWED_TAGS,
    IMAGE_SCHEMES,
    LINK_SCHEMES,
    reveal_hidden,
    sanitise,
)


class Inventory(HTMLParser):
    """Collects what a page is made of, and complains about what the allow-list does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.violations: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED_TAGS:
            self.violations.append(f"<{tag}>")
        for name, value in attrs:
            text = value or ""
            if name == "class":
                if not set(text.split()) <= ALLOWED_CLASSES.get(tag, frozenset()):
                    self.violations.append(f"{tag} class={text}")
            elif name not in ALLOWED_ATTRIBUTES.get(tag, frozenset()):
                self.violations.append(f"{tag} {name}")
            scheme = text.partition(":")[0]
            if name == "href" and not text.startswith("#") and scheme.lower() not in LINK_SCHEMES:
                self.violations.append(f"href {text}")
            if name == "src" and scheme not in IMAGE_SCHEMES:
                self.violations.append(f"src {text}")

    def handle_comment(self, data: str) -> None:
        self.violations.append(f"comment {data}")


def violations(html: str) -> list[str]:
    inventory = Inventory()
    inventory.feed(html)
    inventory.close()
    return inventory.violations


PIECES = st.sampled_from(
    [
        *("a", "b c ", " ", "\n", "\n\n", "    ", "- ", "> ", "# ", "1. ", "| a | b |\n|---|---|\n", "```\n"),
        *(
            "[",
            "](",
            ")",
            "![",
            "<",
            ">",
            "&lt;",
            "&#x202e;",
            '"',
            "'",
            "`",
            "*",
            "**",
            "_",
            "~~",
            "\\",
            "{",
            "}",
        ),
        *("<b>", "</b>", "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>", "</a>", "<svg>"),
        *("<script>", "</script>", "<style>", "<table>", "<tr>", "<td style=x>", "</table>", "<details>"),
        *("javascript:alert(1)", "file:///etc/passwd", "https://example.org", "//host", "\u202e", "\u200b"),
        *("\x00", "\x02", "\x03", "\x1b[0m", "\ufdd0", "kb:x", "icon:y", "[^1]", "[^1]: note\n", ":::note\n"),
        *("!!! tip\n", "> [!NOTE]\n", "<!--", "-->", "{{<", ">}}", "{%", "%}", "{: onclick=x}", "www.x.org"),
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join))
def test_whatever_is_written_the_page_holds_only_what_is_allowed(text: str) -> None:
    page = render(text, path="a/b.md", is_file=lambda path: path.endswith("x"))
    assert violations(page.html) == []
    assert sanitise(page.html) == page.html
    assert reveal_hidden(page.html) == page.html


@given(st.text(max_size=200))
def test_any_text_is_rendered_without_an_error(text: str) -> None:
    page = render(text, path="a.md", is_file=lambda _path: False)
    assert violations(page.html) == []
    assert sanitise(page.html) == page.html


@given(st.lists(PIECES, max_size=15).map("".join))
def test_the_gate_holds_without_anything_before_it_and_is_idempotent(html: str) -> None:
    clean = sanitise(html)
    assert violations(clean) == []
    assert sanitise(clean) == clean


WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=8)
WRAPPERS = st.sampled_from(
    [
        *(
            "{0}",
            "**{0}**",
            "`{0}`",
            "- {0}",
            "> {0}",
            "# {0}",
            "    {0}",
            "[{0}](x.md)",
            "<b>{0}</b>",
            "<{0}>",
        ),
        *(
            "| {0} |\n|---|",
            "```\n{0}\n```",
            "<div>{0}</div>",
            "<details>{0}</details>",
            "<pre>{0}</pre>",
            "*{0}",
        ),
        *("[{0}", "![{0}](x.png)", "<script>{0}</script>", "<b>{0}", "{0}\n===", "1. {0}", "~~{0}~~", "`{0}"),
        *(
            "> [!NOTE]\n> {0}",
            "!!! note\n    {0}",
            ":::tip\n{0}\n:::",
            "x\n: {0}",
            "<p align=left>{0}",
            "</b>{0}",
        ),
        *(
            "<table><tr><td>{0}</table>",
            "<x {0}",
            "[^a]: {0}",
            "{{{{ {0} }}}}",
            "<!-- never closed {0}",
            "\\{0}",
        ),
        *(
            "<iframe src=x>{0}</iframe>",
            "<form>{0}</form>",
            "<span style=x>{0}</span>",
            "- [ ] {0}",
            "</{0}>",
        ),
    ]
)


@given(st.lists(st.tuples(WRAPPERS, WORD), min_size=1, max_size=8), st.sampled_from(["\n\n", "\n"]))
def test_no_prose_is_lost(parts: list[tuple[str, str]], separator: str) -> None:
    text = separator.join(wrapper.format(f"{word}{index}") for index, (wrapper, word) in enumerate(parts))
    html = render(text, path="a.md", is_file=lambda _path: False).html
    shown = re.sub(r"\s+", "", re.sub(r"<[^>]*>", "", html))
    for index, (_wrapper, word) in enumerate(parts):
        assert f"{word}{index}" in shown, html


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\u202eb", "a‹U+202E›b"),
        ("a\u200bb", "a‹U+200B›b"),
        ("\ufeffa", "‹U+FEFF›a"),
        ("\x1b[31m", "‹U+001B›[31m"),
        ("\U000e0041", "‹U+E0041›"),
        ("soft\u00adhyphen", "soft‹U+00AD›hyphen"),
    ],
)
def test_characters_that_hide_or_reorder_text_are_shown_by_code_point(hidden: str, shown: str) -> None:
    assert reveal_hidden(hidden) == shown


@pytest.mark.parametrize(
    "text", ["plain", "Grüße", "日本語", "👩\u200d💻", "❤\ufe0f", "tab\tand\nline", "no\u00a0break"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert reveal_hidden(text) == text


def test_a_reordering_character_written_as_an_entity_is_shown_too() -> None:
    html = render("user&#x202E;txt.exe", path="a.md", is_file=lambda _path: False).html
    assert "\u202e" not in html
    assert "‹U+202E›" in html
