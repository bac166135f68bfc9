"""Characters that look like nothing, or like something else; shown by code point before a copy."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_REPORTED = 100

_ORDINARY = re.compile(r"[\n\t\x20-\x7e]*")
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u00ad")
_QUOTES = frozenset(
    "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u00b4\u02bc\u00ab\u00bb\u2039\u203a"
)
_LOOKALIKE_PREFIXES = ("CYRILLIC ", "GREEK ", "ARMENIAN ", "CHEROKEE ", "COPTIC ")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class SuspiciousCharacter:
    """One character that is not what it seems.

    Attributes:
        code_point: ``U+202E``.
        name: Unicode name in lower case, or what kind of character it is.
        why: half a sentence for people.
        line, column: 1-based place in the text.
    """

    code_point: str
    name: str
    why: str
    line: int
    column: int


def suspicious_characters(text: str) -> tuple[SuspiciousCharacter, ...]:
    """Return the first `MAX_REPORTED` suspicious characters of ``text``, in order."""
    if _ORDINARY.fullmatch(text):
        return ()
    mixed = _mixed_script_positions(text)
    found: list[SuspiciousCharacter] = []
    line, line_start = 1, 0
    for position, character in enumerate(text):
        if character == "\n":
            line, line_start = line + 1, position + 1
            continue
        why = "looks like a Latin letter but is none" if position in mixed else _why(character)
        if why:
            found.append(
                SuspiciousCharacter(
                    f"U+{ord(character):04X}", _name(character), why, line, position - line_start + 1
                )
            )
            if len(found) >= MAX_REPORTED:
                break
    return tuple(found)


def _name(character: str) -> str:
    known = {"\x1b": "escape", "\r": "carriage return", "\x00": "null", "\x07": "bell", "\x08": "backspace"}
    return unicodedata.name(character, known.get(character, "control character")).lower()


def _why(character: str) -> str:
    if " " <= character <= "~" or character == "\t":
        return ""
    category = unicodedata.category(character)
    if category in ("Cc", "Zl", "Zp"):
        return "a control character; a terminal acts on it"
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return "invisible; it can hide or reorder text"
    if category in ("Cs", "Co", "Cn"):
        return "not a character of any script"
    if category == "Zs" or character in "\u115f\u1160\u3164\uffa0\u2800":
        return "looks like a blank but is none"
    if character in _DASHES:
        return "looks like a hyphen but is none"
    if character in _QUOTES:
        return "a typographic quotation mark; shells take it as text"
    if "\uff01" <= character <= "\uff5e":
        return "a wide twin of an ordinary character"
    if "\U0001d400" <= character <= "\U0001d7ff":
        return "a mathematical twin of an ordinary character"
    return ""


def _mixed_script_positions(text: str) -> frozenset[int]:
    """Return positions of letters of other scripts in words that mix scripts or pass for ASCII words."""
    positions: set[int] = set()
    for match in _WORD.finditer(text):
        word = match.group()
        if word.isascii():
            continue
        foreign = [i for i, c in enumerate(word) if unicodedata.name(c, "").startswith(_LOOKALIKE_PREFIXES)]
        if foreign and (len(foreign) < len(word) or len(word) <= 2 or all(c in _TWINS for c in word)):
            positions.update(match.start() + i for i in foreign)
    return frozenset(positions)


_TWINS = frozenset("асеорхуіјѕԁһӏԛԝАВЕКМНОРСТУХІЈЅοανρτυικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
"""Letters of other scripts that look like ASCII letters. Source: Unicode TR 39, confusables."""
