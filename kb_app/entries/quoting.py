"""Placing a value into a command so that it stays one word, whatever it holds.

Decision: the text before a placeholder is read by a small stack machine (quotes, ``$( )``, back quotes), so a
value is quoted for the place where it stands. Where the machine cannot tell (here-documents, back quotes,
comments, arithmetic), only values without any special character are let in; the rest is refused.
"""

from __future__ import annotations

import bisect
import re
import shlex

from kb_app.errors import UsageError

POSIX_SHELLS = frozenset((
    "", "sh", "bash", "shell", "zsh", "ksh", "dash", "ash", "fish", "console", "shell-session",
    "shellsession", "sh-session", "bash-session", "terminal", "command", "commandline", "text", "txt",
    "plain", "azurecli", "azurecli-interactive", "$",
))  # fmt: skip
"""Languages whose text is taken as a POSIX shell command; no language at all is the most common of them."""
POWERSHELLS = frozenset(
    ("powershell", "ps1", "pwsh", "azurepowershell", "azurepowershell-interactive", "posh")
)
CMD_SHELLS = frozenset(("cmd", "bat", "batch", "dos"))

_SAFE = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_STARTS_WORD = re.compile(r"(?:^|[ \t\n|;&(`])[\"']?$")
_IN_WORD = re.compile(
    r"\\(?:.|\Z)|['\"`()]|\$\(\(|\$\(|\$\{[\w-]+\}|\$[{'\"]|(?:(?<=[\s;])|^)#[^\n]*\n?|<<<|<<", re.DOTALL
)
_IN_DOUBLE = re.compile(r"\\(?:.|\Z)|[\"`]|\$\(\(|\$\(|\$\{[\w-]+\}|\$\{", re.DOTALL)
_UNSURE = ("`", "$((", "${", "$'", '$"', "<<")


def quoted_value(
    value: str, language: str, before: str, *, name: str = "value", place: str | None = None
) -> str:
    """Return ``value`` as it may stand after the text ``before`` of a command in ``language``.

    Args:
        value: what to put in.
        language: of the command, lower case.
        before: the command's text up to the place.
        name: of the placeholder, for messages.
        place: what `shell_place` says of ``before``, where it is known already.

    Raises:
        UsageError: when the value holds control characters, or could change what the command does.
    """
    if _CONTROL.search(value):
        raise UsageError(f"The value for {name} holds a control character", "Type it instead of pasting it")
    if language in POSIX_SHELLS:
        return _posix(value, before, shell_place(before) if place is None else place, name)
    if language in POWERSHELLS:
        return _powershell(value, before, name)
    if language in CMD_SHELLS and not _SAFE.fullmatch(value.replace(" ", "")):
        raise _refusal(value, name)
    return value


def _refusal(value: str, name: str) -> UsageError:
    return UsageError(
        f"The value {value[:60]!r} for {name} cannot be put into this command safely",
        "Copy the command as it is and fill it in by hand",
    )


def _posix(value: str, before: str, place: str, name: str) -> str:
    if value.startswith("-") and _STARTS_WORD.search(before):
        raise UsageError(
            f"The value {value[:60]!r} for {name} would be read as an option", "Leave out the dash"
        )
    if _SAFE.fullmatch(value):
        return value
    if place == "":
        return shlex.quote(value)
    if place in ("'", '"'):
        return f"{place}{shlex.quote(value)}{place}"
    raise _refusal(value, name)


def _powershell(value: str, before: str, name: str) -> str:
    if _SAFE.fullmatch(value) and value[0] not in "@%,-":
        return value
    line = before.rsplit("\n", 1)[-1]
    doubled = re.sub("(['\u2018-\u201b])", r"\1\1", value)
    if line.count("'") % 2:
        return doubled
    if line.count('"') % 2 or value.startswith("-"):
        raise _refusal(value, name)
    return f"'{doubled}'"


def shell_place(before: str) -> str:
    """Tell where a shell is after reading ``before``.

    Returns:
        Empty text for an ordinary word, ``'`` or ``"`` inside such quotes, ``?`` where one cannot be sure.
    """
    return ShellPlaces(before).at(len(before))


class ShellPlaces:
    """What a shell makes of each place in a text, read once from front to back."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0]
        self._places = [""]
        self._stack: list[str] = []
        position = 0
        while 0 <= position < len(text):
            position = self._step(position)

    def at(self, position: int) -> str:
        """Return the place before the character at ``position``, as `shell_place` names it."""
        return self._places[bisect.bisect_right(self._starts, position) - 1]

    def _mark(self, position: int, place: str | None = None) -> None:
        if place is None:
            top = self._stack[-1] if self._stack else ""
            place = top if top in "'\"" else ""
        self._starts.append(position)
        self._places.append(place)

    def _step(self, position: int) -> int:
        """Read on from ``position`` to after the next token; return where to go on, negative at the end."""
        top = self._stack[-1] if self._stack else ""
        if top == "'":
            end = self._text.find("'", position)
            if end >= 0:
                self._stack.pop()
                self._mark(end + 1)
            return end + 1 if end >= 0 else -1
        match = (_IN_DOUBLE if top == '"' else _IN_WORD).search(self._text, position)
        return -1 if match is None else self._token(match, top)

    def _token(self, match: re.Match[str], top: str) -> int:
        read, end = match.group(), match.end()
        if read[0] == "#":
            self._mark(match.start() + 1, "?")
            if not read.endswith("\n"):
                return -1
        elif read in _UNSURE or read == "\\":
            self._mark(end if read == "\\" else match.start() + 1, "?")
            return -1
        elif read in ("'", "(", "$("):
            self._stack.append("'" if read == "'" else ")")
        elif read == '"':
            if top == '"':
                self._stack.pop()
            else:
                self._stack.append('"')
        elif read == ")" and top == ")":
            self._stack.pop()
        self._mark(end)
        return end
