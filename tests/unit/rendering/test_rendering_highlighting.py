from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.rendering.highlighting import Highlighter
from kb_app.rendering.limits import MAX_HIGHLIGHTED, MAX_HIGHLIGHTED_BLOCK
from kb_app.rendering.sanitising import sanitise

LANGUAGES = (
    *(
        "bash",
        "sh",
        "shell",
        "console",
        "powershell",
        "batch",
        "python",
        "json",
        "yaml",
        "toml",
        "ini",
        "xml",
    ),
    *("sql", "promql", "go", "java", "javascript", "docker", "nginx", "hcl", "diff", "http", "ruby", "html"),
)


def shown(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


@pytest.mark.parametrize("language", LANGUAGES)
def test_colours_change_no_character(language: str) -> None:
    text = "\n  $ kubectl get -n 'a b' --x=1 <pod>  # why\n\n\tkey: value  \nSELECT * FROM t;\n\n"
    assert shown(Highlighter().html_of(text, language)) == text


@given(st.sampled_from(LANGUAGES), st.text("ab$\"'`{}()[]<>#:-=\\/*% \n\té", max_size=80))
def test_colours_change_no_character_of_any_text(language: str, text: str) -> None:
    html = Highlighter().html_of(text, language)
    assert shown(html) == text
    assert sanitise(f"<pre>x{html}</pre>") == f"<pre>x{html}</pre>"


@pytest.mark.parametrize(
    "language", ["", "text", "log", "no-such-language", "x" * 100, "../../etc/passwd", "ba sh"]
)
def test_code_without_a_known_language_stays_plain(language: str) -> None:
    assert Highlighter().html_of("import <os>", language) == "import &lt;os&gt;"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("apacheconf", "<" * 900 + "\n"),
        ("awk", "(" * 900 + "\n"),
        ("bash", "${" * 450 + "\n"),
        ("python", "f'{" * 300 + "\n"),
        ("html", "<!--" * 200 + "\n"),
    ],
)
def test_a_slow_lexer_is_stopped_and_the_rest_is_plain(language: str, text: str) -> None:
    text *= MAX_HIGHLIGHTED_BLOCK // len(text)
    highlighter = Highlighter()
    for _ in range(MAX_HIGHLIGHTED // len(text) + 1):
        assert shown(highlighter.html_of(text, language)) == text


def test_a_page_full_of_code_is_coloured_up_to_its_budget() -> None:
    highlighter = Highlighter()
    text = "x = 1\n" * 1_500
    pages = [highlighter.html_of(text, "python") for _ in range(12)]
    assert "<span" in pages[0]
    assert "<span" not in pages[-1]
