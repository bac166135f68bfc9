"""Code with colours: Pygments' tokens as spans with its short class names, within a budget.

The language is never guessed: code without a known name stays plain. Guessing misleads, and it is quadratic
on some input.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from html import escape

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, _TokenType
from pygments.util import ClassNotFound

from kb_app.rendering.limits import (
    MAX_CODE_WORD,
    MAX_HIGHLIGHTED,
    MAX_HIGHLIGHTED_BLOCK,
    MAX_HIGHLIGHTING_SECONDS,
    softened,
)

_ALIASES = {
    "shell": "bash",
    "sh": "bash",
    "zsh": "bash",
    "ksh": "bash",
    "command": "bash",
    "cmd": "batch",
    "azurecli": "bash",
    "azurecli-interactive": "bash",
    "azurepowershell": "powershell",
    "azurepowershell-interactive": "powershell",
    "shell-session": "console",
    "terminal": "console",
    "yml": "yaml",
    "jsonc": "json",
    "json5": "json",
    "golang": "go",
    "dockerfile": "docker",
    "conf": "ini",
    "js": "javascript",
    "ts": "typescript",
    "patch": "diff",
}
_PLAIN = frozenset({"", "text", "txt", "plain", "plaintext", "output", "none", "nohighlight", "raw", "log"})

#: Lexers that are used, by their first alias. Decision: a list, because each was tried on hostile text; among
#: the several hundred that Pygments brings there are some that take seconds for 20 kB of one character.
_LEXERS = frozenset(
    """
    apacheconf awk bash batch c clojure cmake console cpp csharp css cypher dart debcontrol diff django
    docker doscon elixir erb erlang fish fortran fsharp gherkin go graphql groovy haskell html http ini
    java javascript json jsonnet jsx julia kmsg kotlin kql less lighttpd lua make mysql nginx
    nixos objective-c ocaml output perl php plpgsql postgresql powershell promql properties protobuf
    psql puppet pwsh-session pycon pytb python registry rego ruby rust scala scheme scss sed solidity
    splus sql swift systemd tcl tcsh terraform thrift toml tsql tsx typescript vb.net vcl vim xml yaml
    yaml+jinja zig
    """.split()  # noqa: SIM905 - seventy quoted names would hide the list
)

_NAME = re.compile(r"[\w.#+-]{1,40}")


@lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    """Return the lexer for a language by one of its names; None when it is unknown or plain."""
    if language in _PLAIN or not _NAME.fullmatch(language):
        return None
    try:
        lexer: Lexer = get_lexer_by_name(
            _ALIASES.get(language, language), stripnl=False, stripall=False, ensurenl=False
        )
    except ClassNotFound:
        return None
    return lexer if lexer.aliases[0] in _LEXERS else None


@lru_cache(maxsize=1024)
def _class_of(kind: _TokenType) -> str:
    """Return the short class of a token type, or of the nearest type above it that has one."""
    while kind not in STANDARD_TYPES:
        assert kind.parent is not None
        kind = kind.parent
    return STANDARD_TYPES[kind]


class Highlighter:
    """Colour the code blocks of one page within the page's budget."""

    def __init__(self) -> None:
        self._left = MAX_HIGHLIGHTED
        self._seconds = MAX_HIGHLIGHTING_SECONDS

    def _may_colour(self, text: str) -> bool:
        """Tell whether ``text`` fits in the budget and has no line that is long enough to be slow."""
        if self._seconds <= 0 or len(text) > min(self._left, MAX_HIGHLIGHTED_BLOCK):
            return False
        return len(text) <= MAX_CODE_WORD or max(map(len, text.splitlines()), default=0) <= MAX_CODE_WORD

    def html_of(self, text: str, language: str) -> str:
        """Return ``text`` as HTML; escaped only, where there is no lexer or no budget."""
        lexer = _lexer(language) if self._may_colour(text) else None
        if lexer is None:
            return escape(softened(text, is_code=True), quote=False)
        self._left -= len(text)
        parts: list[str] = []
        shown = 0
        started = time.perf_counter()
        for kind, value in lexer.get_tokens(text):
            shown += len(value)
            name = _class_of(kind)
            if name and name != "w" and not value.isspace():
                parts.append(f'<span class="{name}">{escape(value, quote=False)}</span>')
            else:
                parts.append(escape(value, quote=False))
            if time.perf_counter() - started > self._seconds:
                break
        self._seconds -= time.perf_counter() - started
        return "".join(parts) + escape(text[shown:], quote=False)
